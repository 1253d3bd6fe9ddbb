"""Cards, items and exams made of the real glossary."""

import re
from collections import Counter

import pytest

import glossary
from practice import exam as exams
from practice.cards import cards, of_lessons
from practice.items import blanked, item, judge
from practice.sheets import exam_sheet, key_sheet, lesson_sheet

REAL = glossary.load()
LESSON = "convolutions"


def test_every_card_has_an_id_of_its_own_that_names_what_it_asks():
    made = cards(REAL)
    kinds = Counter(card.kind for card in made.values())
    assert kinds["recall"] == kinds["name"] == len(REAL.terms)
    assert kinds["question"] == sum(len(term.asked.question) for term in REAL.terms)
    assert kinds["confusion"] == len(REAL.confusions)
    assert set(of_lessons(REAL, [LESSON])) < set(made)
    assert {REAL.term[card.term].lesson for card in of_lessons(REAL, [LESSON]).values()} == {LESSON}


@pytest.mark.parametrize("term", REAL.terms, ids=lambda term: term.slug)
def test_a_sentence_to_be_named_does_not_name_itself(term):
    bare = re.sub(r" \(.*\)$", "", term.name)
    assert not re.search(rf"\b{re.escape(bare)}\b", blanked(REAL.plain(term.exam), term), re.IGNORECASE)


@pytest.mark.parametrize("kind", ["recall", "name", "confusion", "question", "exercise"])
def test_the_same_seed_draws_the_same_item_and_some_other_another(kind):
    card = next(card for card in of_lessons(REAL, [LESSON]).values() if card.kind == kind)
    one = item(REAL, card, "seed 1")
    assert one == item(REAL, card, "seed 1")
    if kind != "recall":
        assert any(item(REAL, card, f"seed {n}") != one for n in range(2, 9))
    if one.options:
        assert 0 <= one.right < len(one.options) == len(one.whys)


def test_an_exercise_takes_its_answer_and_says_what_is_wrong_with_another():
    card = next(card for card in of_lessons(REAL, [LESSON]).values() if card.kind == "exercise")
    one = item(REAL, card, "seed 1")
    assert judge(one, str(one.answer)).right and not judge(one, str(one.answer + 1000)).right
    assert not judge(one, "many").right


def test_an_exam_is_the_same_for_everybody_with_the_link_and_b_shares_nothing_with_a():
    a, again, b = (exams.make(REAL, [LESSON], 12, seed) for seed in (7, 7, 8))
    assert a == again and len(a.items) == 12
    ids = [{one.card.id for one in made.items} for made in (a, b)]
    assert not ids[0] & ids[1]
    assert len({one.card.term for one in a.items}) >= 6, "of many terms"
    assert {REAL.term[one.card.term].lesson for one in a.items} == {LESSON}


def test_points_are_given_for_right_answers_alone():
    made = exams.make(REAL, [LESSON], 10, 3)
    right = {one.card.id: one.right if one.options else str(one.answer) for one in made.items}
    assert all(one.right for one in exams.mark(made, right))
    assert exams.points(REAL, exams.mark(made, right)) == {LESSON: (10, 10)}
    assert exams.points(REAL, exams.mark(made, {})) == {LESSON: (0, 10)}
    wrong = {one.card.id: (one.right + 1) % len(one.options) if one.options else "-77777" for one in made.items}
    assert not any(one.right for one in exams.mark(made, wrong))


def test_an_exams_link_notices_that_the_content_has_changed():
    before = exams.edition(REAL, [LESSON])
    term = REAL.of(REAL.lesson[LESSON])[0]
    question = term.asked.question[0].model_copy(update={"ask": "Another?"})
    asked = term.asked.model_copy(update={"question": [question, *term.asked.question[1:]]})
    terms = [one.model_copy(update={"asked": asked}) if one is term else one for one in REAL.terms]
    changed = glossary.Glossary(REAL.lessons, terms, REAL.confusions)
    assert exams.edition(changed, [LESSON]) != before == exams.edition(REAL, [LESSON])
    assert exams.edition(changed, ["debugging"]) == exams.edition(REAL, ["debugging"])


def test_what_is_printed_asks_everything_and_answers_on_the_key_alone():
    made = exams.make(REAL, [LESSON], 8, 1)
    asked, key = exam_sheet(REAL, made), key_sheet(REAL, made)
    assert len(asked) == len(key) == 8
    for one, question in zip(made.items, asked, strict=True):
        assert all(option in question for option in one.options)
        assert not any(why and why in question for why in one.whys)


@pytest.mark.parametrize("lesson", REAL.lessons, ids=lambda lesson: lesson.slug)
def test_a_lessons_sheet_has_its_sentences_formulas_and_numbers(lesson):
    sheet = lesson_sheet(REAL, lesson)
    assert all(REAL.plain(term.exam) in sheet for term in REAL.of(lesson))
    assert REAL.plain(lesson.guide.formulas) in sheet and "[[" not in sheet
