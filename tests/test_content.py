"""What the pages promise, run: answers are what their runs show, goals can be reached, named runs do as they say."""

import re
from functools import cache

import pytest

import glossary
from playgrounds.kit import catalogue
from playgrounds.kit.conditions import Preset, allowed, reached
from playgrounds.kit.film import metrics
from playgrounds.kit.params import Params
from playgrounds.kit.words import filled

REAL = glossary.load()
QUESTIONS = [(term, n) for term in REAL.terms for n in range(len(term.question))]
GOALS = [(term, n) for term in REAL.terms for n in range(len(term.goal))]
PRESETS = [(name, one) for name in catalogue.names() for one in catalogue.load(name).presets]


@cache
def ended(name: str, params: Params) -> dict[str, float | None]:
    """The metrics of a run's last state."""
    last = None
    for last in catalogue.load(name).states(params):  # noqa: B007
        pass
    return metrics(last)


def start(term: glossary.Term, **values) -> Params:
    params, mistakes = catalogue.load(term.playground).Params.preset(term.preset | values)
    assert mistakes == []
    return params


def each(entries: list, kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("term", "n"), entries, ids=[f"{term.slug}-{kind}{n}" for term, n in entries])


@each(QUESTIONS, "question")
def test_the_answer_to_a_question_is_what_its_run_shows(term, n):
    question = term.question[n]
    numbers = ended(term.playground, start(term, **question.run))
    assert question.decides, "a question that no run decides is no question here"
    assert reached(question.decides, numbers), f"{question.decides} does not hold: {numbers}"
    assert "{" not in re.sub(r"\$[^$]*\$", "", filled(question.because, numbers))


@each(GOALS, "goal")
def test_a_goal_is_reached_by_its_solution_and_not_by_the_page_as_it_opens(term, n):
    goal = term.goal[n]
    solution, preset = start(term, **goal.solution), start(term)
    assert allowed(goal.with_, solution), "the solution breaks the goal's own rules"
    numbers = ended(term.playground, solution)
    assert reached(goal.reach, numbers), f"{goal.reach} does not hold: {numbers}"
    opened = allowed(goal.with_, preset) and reached(goal.reach, ended(term.playground, preset))
    assert not opened, "nothing to do: the page opens with the goal reached"


@pytest.mark.parametrize(("name", "one"), PRESETS, ids=[f"{name}: {one.name}" for name, one in PRESETS])
def test_a_named_run_does_what_it_says(name: str, one: Preset):
    params, mistakes = catalogue.load(name).Params.preset(one.values)
    assert mistakes == [] and one.reach
    assert reached(one.reach, ended(name, params)), f"{one.reach} does not hold: {ended(name, params)}"


@pytest.mark.parametrize("name", catalogue.names())
def test_every_playground_has_a_run_that_works_and_one_that_fails_each_with_a_sentence_why(name):
    presets = catalogue.load(name).presets
    assert {one.good for one in presets} == {True, False}
    assert len({one.name for one in presets}) == len({str(one.values) for one in presets}) == len(presets)
    for one in presets:
        assert re.fullmatch(r"[A-Z`].{20,250}[.]", one.why) and len(one.name) <= 32, one


@pytest.mark.parametrize("term", REAL.terms, ids=lambda term: term.slug)
def test_every_term_asks_one_question_and_sets_goals(term):
    assert term.question and 1 <= len(term.goal) <= 3
    for question in term.question:
        assert question.ask.strip().endswith("?") and len(set(question.options)) == len(question.options)


def test_answers_do_not_give_themselves_away_by_their_place_or_length():
    """Over the whole glossary the right option is neither always the second nor always the longest."""
    asked = [question for term in REAL.terms for question in term.question]
    places = [question.answer for question in asked]
    assert max(places.count(place) for place in set(places)) < 0.6 * len(asked)
    longest = [max(range(len(q.options)), key=lambda k: len(q.options[k])) == q.answer for q in asked]
    assert sum(longest) < 0.6 * len(asked)
