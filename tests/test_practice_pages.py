"""Practice, mock exam and sheets, used as a reader's session does it; exercises and the tour of a term's page."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from glossary import EXAM, PRACTICE, SHEETS
from pages import examining, keeping
from practice import exam as exams
from practice.cards import cards, of_lessons
from practice.items import item
from practice.record import Record, read
from tests.test_pages import REAL, catalogue, fine, message, params, report, texts, visit, warnings

LESSON = "debugging"


def button(app: AppTest, text: str) -> Any:
    return next(one for one in app.button if text in one.label)


def labels(app: AppTest) -> list[str]:
    return [one.label for one in app.button]


def record(app: AppTest) -> Record:
    return app.session_state[f"{keeping.KEY}:record"]


def sent(app: AppTest) -> dict[str, Any]:
    """What the browser's memory was sent last."""
    return json.loads(json.loads(app.get_by_key(keeping.KEY).proto.json))


# ---------------------------------------------------------------------------------------------------------- practice


def practise(**state: Any) -> AppTest:
    return fine(visit(PRACTICE, **{"practice-lessons": [LESSON], **state}))


def answer(app: AppTest, well: bool) -> None:
    """Answer the card that is asked, and go on."""
    running = app.session_state[f"{PRACTICE}:session"]
    card = cards(REAL)[running.card]
    given = app.session_state[f"{PRACTICE}:item"]
    one = item(REAL, card, given.seed)
    if one.is_recall:
        fine(button(app, "Show").click().run())
        fine(button(app, "Good" if well else "Again").click().run())
        return
    if one.options:
        chosen = one.right if well else (one.right + 1) % len(one.options)
        fine(app.button(key=f"{PRACTICE}:option:{chosen}").click().run())
    elif well:
        app.text_input(key=f"{PRACTICE}:typed:{given.seed}").set_value(str(one.answer))
        fine(app.run())
    else:
        fine(button(app, "I do not know").click().run())
    fine(button(app, "Next").click().run())


def test_a_session_asks_until_all_is_known_and_the_browser_is_told():
    app = practise()
    assert not app.warning and "Only what is due" not in str(labels(app))
    fine(button(app, "Start").click().run())
    first = app.session_state[f"{PRACTICE}:session"].card
    answer(app, well=False)
    assert record(app).cards[first].wrong == 1 and first in sent(app)["save"]["cards"]
    for _ in range(60):
        if app.session_state[f"{PRACTICE}:session"].card is None:
            break
        answer(app, well=True)
    assert set(record(app).cards) == set(of_lessons(REAL, [LESSON]))
    assert record(app).cards[first].right == 0, "having just read the answer proves nothing"
    text = " ".join([*texts(app), *(one.value for one in app.header)])
    assert "known at the first try" in text and "tomorrow: 1 card" in text


def test_what_was_wrong_yesterday_is_asked_first_today(monkeypatch):
    app = practise()
    fine(button(app, "Start").click().run())
    answer(app, well=True)
    wrong = app.session_state[f"{PRACTICE}:session"].card
    answer(app, well=False)
    document = record(app).document()
    monkeypatch.setattr(keeping, "now", lambda: datetime.now(UTC) + timedelta(days=1))
    tomorrow = practise(**{f"{keeping.KEY}:record": read(document)})
    fine(button(tomorrow, "Only what is due (1)").click().run())
    assert tomorrow.session_state[f"{PRACTICE}:session"].queue == (wrong,)


def test_the_day_of_the_exam_is_kept():
    app = practise()
    day = (datetime.now(UTC) + timedelta(days=9)).date()
    app.date_input(key="practice-exam-day").set_value(day)
    fine(app.run())
    assert record(app).exam == day and sent(app)["save"]["exam"] == day.isoformat()


@pytest.mark.parametrize("raw", [None, 3, {"kept": 7}, {"kept": {"record": []}}, {"kept": {"record": {"version": 99}}}])
def test_whatever_the_browser_says_the_page_works(raw, monkeypatch):
    monkeypatch.setattr("playgrounds.stage.session.widget", lambda key: raw)
    keeping._kept()
    assert keeping.record() == Record()


# ------------------------------------------------------------------------------------------------------------- exam

EXAMINED = "convolutions"
QUERY = {"lessons": EXAMINED, "n": "6", "seed": "7"}


def sit(**more: str) -> AppTest:
    return fine(visit(EXAM, QUERY | more))


def test_an_exam_says_nothing_before_it_is_handed_in_and_then_everything():
    app = sit()
    made = exams.make(REAL, [EXAMINED], 6, 7)
    assert not any(one.ask in text for one in made.items for text in texts(app)), "the clock has not begun"
    fine(button(app, "Begin").click().run())
    assert len(app.radio) + len(app.text_input) - 1 == len(made.items), "and the search of the sidebar"
    for n, one in enumerate(made.items, start=1):
        key = f"{EXAM} {examining.read(QUERY, REAL.lesson)[0].key}:item:{n}"
        if one.options:
            app.radio(key=key).set_value(one.right if n > 1 else (one.right + 1) % len(one.options))
        else:
            app.text_input(key=key).set_value(str(one.answer) if n > 1 else "-77777")
    fine(app.run())
    assert not any(why and why in text for one in made.items for why in one.whys for text in texts(app))
    fine(button(app, "Hand in").click().run())
    assert [one.value for one in app.header] == ["5 of 6 right"]
    fine(button(app, "Practise these").click().run())
    assert app.session_state[f"{PRACTICE}:session"].queue == (made.items[0].card.id,)


def test_who_comes_back_finds_the_answers_that_the_browser_has_kept():
    made = exams.make(REAL, [EXAMINED], 6, 7)
    one = next(one for one in made.items if one.options)
    of = f"{EXAM} {examining.read(QUERY, REAL.lesson)[0].key}"
    app = fine(visit(EXAM, QUERY))
    exam = {"given": {one.card.id: 1, "recall:adam": 2, made.items[1].card.id: [[]]}, "began": 5.0}
    app.session_state[keeping.KEY] = {"kept": {"record": {}, "exam": exam}}
    fine(app.run())
    assert any("1 of 6 answered" in text for text in texts(app)), "what is no answer is left out"
    assert app.session_state[f"{of}:given"] == {one.card.id: 1}


def test_a_link_to_an_exam_that_means_nothing_is_said_to():
    app = fine(visit(EXAM, {"lessons": f"{EXAMINED},no-such", "n": "999", "seed": "7", "of": "00000000"}))
    said = " ".join(warnings(app))
    assert "no-such" in said and "999" in said and "earlier version" in said


def test_the_printed_exam_has_its_key_and_version_b_is_another():
    a, b = (" ".join(texts(sit(print="true", seed=seed))) for seed in ("7", "8"))
    assert "Key, version 7" in a and "Key, version 8" in b
    made = exams.make(REAL, [EXAMINED], 6, 7)
    assert all(REAL.plain(one.ask) in a for one in made.items)
    assert not any(REAL.plain(one.ask) in b for one in made.items if one.card.kind == "question")


def test_a_page_makes_the_link():
    app = fine(visit(EXAM, **{"exam-lessons": [EXAMINED], "exam-n": 6, "exam-seed": 7, "exam-minutes": 30}))
    (link,) = [code.value for code in app.code]
    edition = exams.edition(REAL, [EXAMINED])
    assert link.endswith(f"/{EXAM}?lessons={EXAMINED}&n=6&seed=7&minutes=30&of={edition}")


def test_sheets_show_every_lesson_or_those_that_are_chosen():
    app = fine(visit(SHEETS, **{"sheet-lessons": [LESSON]}))
    sheets = [text for text in texts(app) if text.startswith("## ")]
    assert len(sheets) == 1 and REAL.lesson[LESSON].title in sheets[0]


# --------------------------------------------------------------------------------------------- a term's exercises, tour

TERM = next(term for term in REAL.terms if term.asked.exercise and not term.asked.exercise[0].playground)


def test_an_exercise_is_checked_draws_other_numbers_and_shows_its_run():
    slug, exercise = TERM.slug, TERM.asked.exercise[0]
    state = {f"{slug}:below": "Exercises"}
    app = fine(visit(slug, {"step": "0"}, **state))
    key = f"{slug}:exercise:{exercise.id}"
    typed = app.text_input(key=f"{key}:typed:0")
    typed.set_value("-77777")
    fine(app.run())
    assert any("not it" in one.value or "sign" in one.value for one in app.warning)
    fine(app.button(key=f"{key}:show").click().run())
    assert app.info and "See the run" in labels(app)
    fine(app.button(key=f"{key}:new").click().run())
    assert not app.info and not app.warning
    fine(app.button(key=f"{key}:show").click().run())
    fine(app.button(key=f"{key}:run").click().run())
    assert message(app, slug)["order"][1:] == [None, False]


def test_the_right_number_is_told_to_be_right(monkeypatch):
    monkeypatch.setattr("playgrounds.stage.session.reader", lambda: "somebody")
    slug, exercise = TERM.slug, TERM.asked.exercise[0]
    app = fine(visit(slug, {"step": "0"}, **{f"{slug}:below": "Exercises"}))
    params, _ = catalogue.load(TERM.playground).Params.preset(TERM.preset | exercise.run | exercise.drawn("somebody 0"))
    answer = list(catalogue.load(TERM.playground).states(params))[-1]
    app.text_input(key=f"{slug}:exercise:{exercise.id}:typed:0").set_value(str(getattr(answer, exercise.answer)))
    fine(app.run())
    assert [one.value[:6] for one in app.success] == ["Right."]


def done(app: AppTest, page: str) -> AppTest:
    while not message(app, page)["done"]:
        fine(app.run())
    return app


TOURED = REAL.term["xor-problem"]


def test_the_player_gets_the_stops_of_the_run_that_is_shown():
    app = done(fine(visit(TOURED.slug, {"seed": "3", "step": "0"})), TOURED.slug)
    total, leg, legs, stops = message(app, TOURED.slug)["tour"]
    assert total == len(TOURED.asked.stop) and leg == 0 and legs >= 1
    assert [(one[0], one[1]) for one in stops] == [(n, stop.step) for n, stop in enumerate(TOURED.asked.stop, 1)]
    assert all("{" not in one[2] and one[2] for one in stops)


def test_stops_vanish_when_a_knob_moves_and_the_tour_goes_back_to_its_run():
    app = fine(visit(TOURED.slug, {"seed": "5", "step": "0"}))
    total, leg, _, stops = message(app, TOURED.slug)["tour"]
    assert total and leg is None and stops == []
    report(app, TOURED.slug, tour=[1, 0])
    assert params(app, TOURED.slug).seed == TOURED.preset["seed"]
    assert message(app, TOURED.slug)["order"][1:] == [None, True]


def test_a_link_that_fixes_a_knob_of_the_tour_has_none():
    app = fine(visit(TOURED.slug, {"seed": "5", "lock": "seed"}))
    assert message(app, TOURED.slug)["tour"] is None
