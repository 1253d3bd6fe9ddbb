"""What the course says about its terms: word limits, numbers that come from runs, options that give nothing away."""

import math
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

import pytest

import glossary
from playgrounds.kit import catalogue
from playgrounds.kit.conditions import reached
from playgrounds.kit.film import Film
from playgrounds.kit.metrics import metrics, said
from playgrounds.kit.params import Params
from playgrounds.kit.words import PLACE, filled, places

REAL = glossary.load()
ASKED = [(term, one) for term in REAL.terms for one in term.asked.question]
EXERCISES = [(term, one) for term in REAL.terms for one in term.asked.exercise]
STOPS = [(term, one) for term in REAL.terms for one in term.asked.stop]
EXAMPLES = [(term, term.asked.example) for term in REAL.terms if term.asked.example]
REASON = re.compile(r"\b(because|since|for|so that|as)\b|[:;]")
NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?")


def words(text: str) -> int:
    return len(REAL.plain(text).split())


def each(entries: list) -> pytest.MarkDecorator:
    names = [f"{term.slug}-{getattr(one, 'id', getattr(one, 'step', ''))}" for term, one in entries]
    return pytest.mark.parametrize(("term", "one"), entries, ids=names)


every_term = pytest.mark.parametrize("term", REAL.terms, ids=lambda term: term.slug)


def params_of(term: glossary.Term, entry: Any, **drawn: Any) -> tuple[str, Params]:
    name, values = term.values(entry)
    params, mistakes = catalogue.load(name).Params.preset(values | drawn)
    assert mistakes == []
    return name, params


@lru_cache(maxsize=2)  # stops of a term follow each other; all runs of the course would fill the memory
def run(name: str, params: Params) -> list[Any]:
    return list(catalogue.load(name).states(params))


@cache
def last_of(name: str, params: Params) -> Any:
    state = None
    for state in catalogue.load(name).states(params):  # noqa: B007
        pass
    return state


# ----------------------------------------------------------------------------------------------------------- words


@every_term
def test_a_term_has_an_exam_sentence_of_at_most_thirty_words(term):
    assert 6 <= words(term.exam) <= 30
    assert term.exam.rstrip().endswith(".") and term.exam.count(". ") == 0, "one sentence"


@every_term
def test_a_definition_is_short_sentences(term):
    text = re.sub(r"\$\$.*?\$\$", " formula. ", term.definition, flags=re.DOTALL)
    prose = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("|"))
    assert 50 <= words(prose) <= 230
    long = [s for s in re.split(r"(?<=[.!?:])\s+|\n\s*\n|\n- ", REAL.plain(prose)) if len(s.split()) > 34]
    assert not long


@every_term
def test_a_term_asks_three_questions_or_more_and_tours_two_to_four_stops(term):
    assert len(term.asked.question) >= 3
    assert 2 <= len(term.asked.stop) <= 4
    assert term.asked.example is not None


@every_term
def test_a_term_is_found_in_three_other_languages(term):
    assert set(term.translations) == {"de", "fr", "es"}


def test_a_good_part_of_the_terms_has_exercises_and_twenty_pairs_are_told_apart():
    assert sum(bool(term.asked.exercise) for term in REAL.terms) >= 45
    assert len(REAL.confusions) >= 20


@pytest.mark.parametrize("lesson", REAL.lessons, ids=lambda lesson: lesson.slug)
def test_a_lesson_says_what_it_needs_and_what_one_can_do_after_it(lesson):
    guide = lesson.guide
    before = [one.slug for one in REAL.lessons[: REAL.lessons.index(lesson)]]
    assert guide.minutes and guide.formulas and set(guide.needs) <= set(before)
    assert 3 <= len(guide.can) <= 8 and {one.term for one in guide.can} <= {one.slug for one in REAL.of(lesson)}
    assert lesson.sentence.startswith("You can ")


# --------------------------------------------------------------------------------------------------------- numbers


def told(one: Any) -> Iterator[tuple[str, str]]:
    """The explanations of an entry, each with what else gives its numbers."""
    match one:
        case glossary.Question():
            own = " ".join([one.ask, *(option.text for option in one.options)])
            for option in one.options:
                yield option.why, own
        case glossary.Exercise():
            yield one.because, one.ask
            for slip in one.slips:
                yield slip.say, one.ask
        case glossary.Stop():
            yield one.say, ""
        case glossary.Example():
            yield one.text, ""


def loose(text: str, own: str, constants: list[float], values: dict[str, Any]) -> list[str]:
    """Numbers typed into a text that neither a run gives nor the entry lists; 0, 1 and 2 are words of their own."""
    bare = PLACE.sub(" ", REAL.plain(text))
    free = {0.0, 1.0, 2.0, *constants}
    free |= {float(found.replace(",", "")) for found in NUMBER.findall(own)}
    free |= {float(found) for value in values.values() for found in re.findall(r"\d+(?:\.\d+)?", str(value))}
    return [found for found in NUMBER.findall(bare) if float(found.replace(",", "")) not in free]


@each(ASKED + EXERCISES + STOPS + EXAMPLES)
def test_numbers_in_explanations_come_from_the_run(term, one):
    _, values = term.values(one)
    if isinstance(one, glossary.Stop):
        values = values | {"step": one.step}
    for text, own in told(one):
        assert not loose(text, own, one.constants, values), text


@each(STOPS)
def test_a_stop_is_a_picture_of_its_run_and_what_it_claims_holds_there(term, one):
    name, params = params_of(term, one)
    playground, states = catalogue.load(name), run(name, params)
    film = Film(playground.note, playground.draw, params, len(states))
    assert one.step in film.due(len(states), True), "the player shows no picture of this step"
    state = states[one.step]
    assert one.when and reached(one.when, metrics(state)), metrics(state)
    panels = [panel.name for panel in playground.draw(params, states, one.step).panels]
    assert not one.panel or one.panel in panels, panels
    assert "–" not in {said(state)[name] for name in places(one.say)}


@each(EXAMPLES)
def test_the_numbers_of_an_example_are_known(term, one):
    numbers = said(last_of(*params_of(term, one)))
    assert places(one.text), "an example in numbers"
    assert "–" not in {numbers[name] for name in places(one.text)}


@each(ASKED)
def test_every_option_has_an_answer_of_its_own(term, one):
    numbers = said(last_of(*params_of(term, one)))
    whys = [option.why for option in one.options]
    assert all(whys) and len(set(whys)) == len(whys)
    assert "–" not in {numbers[name] for why in whys for name in places(why)}


@each(EXERCISES)
def test_an_exercise_has_a_number_for_every_draw_and_not_always_the_same(term, one):
    assert_exercise(term, one, 5)


@pytest.mark.check
@each(EXERCISES)
def test_an_exercise_has_a_number_for_fifty_draws(term, one):
    assert_exercise(term, one, 50)


def assert_exercise(term: glossary.Term, one: glossary.Exercise, draws: int) -> None:
    answers = []
    for number in range(draws):
        drawn = one.drawn(f"test {number}")
        name, params = params_of(term, one, **drawn)
        last = last_of(name, params)
        answer = metrics(last)[one.answer]
        assert answer is not None and math.isfinite(answer), drawn
        assert one.tolerance or answer == int(answer), "only a whole number is exact"
        text = filled(one.because, said(last) | {knob: str(value) for knob, value in drawn.items()})
        assert "–" not in text
        answers.append(answer)
    assert len(set(answers)) > 1


# ------------------------------------------------------------------------------------------------- nothing given away


def picked(rule: str, one: glossary.Question) -> list[int]:
    """The options that a student who only looks at the form would choose."""
    texts = [option.text for option in one.options]
    numbers = range(len(texts))
    match rule:
        case "first" | "second" | "last":
            return [{"first": 0, "second": 1, "last": len(texts) - 1}[rule]]
        case "longest" | "shortest":
            best = (max if rule == "longest" else min)(map(len, texts))
            return [n for n in numbers if len(texts[n]) == best]
        case "a reason" | "no reason":
            found = [n for n in numbers if bool(REASON.search(texts[n])) == (rule == "a reason")]
        case "a number" | "no number":
            found = [n for n in numbers if bool(re.search(r"\d", texts[n])) == (rule == "a number")]
    return found if len(found) < len(texts) else []


RULES = ("first", "second", "last", "longest", "shortest", "a reason", "no reason", "a number", "no number")


@pytest.mark.parametrize("rule", RULES)
def test_the_form_of_an_option_gives_nothing_away(rule):
    gains = []
    for _, one in ASKED:
        if found := picked(rule, one):
            gains.append((one.answer in found) / len(found) - 1 / len(one.options))
    assert sum(gains) / len(ASKED) <= 0.10


def test_options_number_three_or_four():
    assert all(3 <= len(one.options) <= 4 for _, one in ASKED)
