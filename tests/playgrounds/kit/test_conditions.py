"""Conditions as a teacher writes them, and the numbers and knobs that meet them."""

import math

import pytest

from playgrounds.kit.conditions import allowed, compares, fails, holds, reached, works
from playgrounds.kit.words import filled, places, plain
from tests.toy import model as toy


@pytest.mark.parametrize(
    ("condition", "meets", "fails_"),
    [(">= 0.99", 0.99, 0.98), ("<= 3", 3, 3.01), ("< 1e-3", 9e-4, 1e-3), ("> -2", -1.9, -2), ("==4", 4.0, 4.1)],
)
def test_a_comparison_holds_on_its_side_only(condition, meets, fails_):
    assert holds(condition, meets) and not holds(condition, fails_)


def test_what_is_not_known_meets_nothing_and_what_has_diverged_is_above_every_bound():
    for condition in (">= 0", "<= 0", "== 0", "< 1e9", "> -1e9"):
        assert not holds(condition, None)
    assert holds("> 1e300", math.nan) and holds("> 1e300", math.inf) and not holds("<= 1e300", math.nan)
    assert holds("<= -1e300", -math.inf)


def test_all_conditions_must_be_met_and_a_missing_number_meets_none():
    assert reached({"loss": "< 1", "accuracy": ">= 0.9"}, {"loss": 0.5, "accuracy": 0.9, "other": 7})
    assert not reached({"loss": "< 1", "accuracy": ">= 0.9"}, {"loss": 0.5, "accuracy": 0.89})
    assert not reached({"loss": "< 1"}, {}) and reached({}, {})


def test_knobs_are_compared_where_they_are_numbers_and_must_equal_the_value_where_not():
    params = toy.Params(steps=5, law="coin", wall=True, marks=("where", "how often"))
    assert allowed({"steps": "<= 5", "law": "coin", "wall": True, "marks": ["how often", "where"]}, params)
    for wrong in ({"steps": "< 5"}, {"law": "normal"}, {"wall": False}, {"marks": ["where"]}, {"steps": 6}):
        assert not allowed(wrong, params), wrong
    assert allowed({"steps": 5}, params) and allowed({}, params)


def test_a_text_that_looks_like_a_comparison_is_none_for_a_choice():
    knobs = toy.Params.knobs()
    assert compares("<= 3", knobs["steps"]) and not compares("<= 3", knobs["law"]) and not compares(3, knobs["steps"])
    assert compares("<= 2", knobs["width"]), "a choice of numbers is compared as a number"
    assert allowed({"width": "<= 2"}, toy.Params(width=2)) and not allowed({"width": "<= 2"}, toy.Params(width=5))


def test_named_runs_keep_what_they_were_given():
    good = works("Name", "Why.", {"place": "> 0"}, steps=3)
    assert good.good and good.values == {"steps": 3} and good.reach == {"place": "> 0"}
    assert not fails("Name", "Why.", {"place": "> 0"}, steps=3).good


def test_a_note_in_markdown_stays_as_it_is():
    assert plain("x*x_1 <b> $5 [a](b) `c` | ~d~") == r"x\*x\_1 \<b\> \$5 \[a\](b) \`c\` \| \~d\~"


def test_numbers_are_put_into_explanations_and_formulas_keep_their_braces():
    text = r"The loss is {loss}, {gap} is not known, {other} no number, $\sqrt{loss}$ a formula."
    assert places(text) == ["loss", "gap", "other"]
    assert filled(text, {"loss": "0.693", "gap": "–"}) == (
        r"The loss is 0.693, – is not known, {other} no number, $\sqrt{loss}$ a formula."
    )
