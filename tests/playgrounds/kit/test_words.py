"""Numbers in notes, and what training loops share."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import counted, digits_for, number, percent, subscript, vector


def test_numbers_in_notes_have_three_digits_and_no_e():
    written = {0.0: "0", -0.5: "−0.5", 0.00123456: "0.00123", 1e-4: "1·10⁻⁴", 2.1e-7: "2.1·10⁻⁷", 12345.0: "12300",
               -3.7e12: "−3.7·10¹²", 99.96: "100", 1e5: "1·10⁵", 0.00099999: "0.001", 5e-324: "4.94·10⁻³²⁴",
               math.inf: "∞", -math.inf: "−∞", math.nan: "not a number"}  # fmt: skip
    assert {value: number(value) for value in written} == written


def test_a_number_may_ask_for_more_digits():
    assert [number(v, 5) for v in (1522.04, -0.999949, 22.0, 1.23456e-7)] == ["1522", "−0.99995", "22", "1.2346·10⁻⁷"]


def test_a_small_change_asks_for_as_many_digits_as_show_it():
    for value, change, digits in ((-2, 0.004, 4), (0.403, -0.081, 3), (12, 0.041, 4), (1e6, 1e-3, 10), (1, 1e-30, 17)):
        assert digits_for(value, change) == digits
        assert digits == 17 or number(value, digits) != number(value + change, digits)
    assert {digits_for(*pair) for pair in ((0, 1), (1, 0), (math.inf, 1), (1, math.nan))} == {3}


def test_one_number_stands_alone_and_several_in_brackets():
    assert (vector([0.1, -2]), vector([3.0]), vector([-3.0]), vector([-3.0], True)) == ("(0.1, −2)", "3", "−3", "(−3)")


def test_nouns_agree_with_their_number():
    assert [counted(n, "mistake") for n in (0, 1, 1204)] == ["0 mistakes", "1 mistake", "1,204 mistakes"]
    assert [counted(n, "pass", "passes") for n in (1, 2)] == ["1 pass", "2 passes"]


def test_shares_are_written_in_percent_and_indices_lowered():
    assert [percent(share) for share in (1, 0.125, 0.9925, 3e-8)] == ["100 %", "12.5 %", "99.2 %", "3·10⁻⁶ %"]
    assert percent(0.1234, 2) == "12 %" and subscript(20) == "₂₀"


@given(st.integers(0, 5000), st.integers(1, 400))
def test_a_film_keeps_the_first_and_the_last_step_and_the_same_distance_between(steps, most):
    shown = kept(steps, most)
    assert shown[0] == 0 and shown[-1] == steps and len(shown) <= most + 1
    assert shown == sorted(set(shown)) and len(set(np.diff(shown)[:-1])) <= 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e101])
def test_a_run_has_diverged_when_one_number_is_no_longer_finite(value):
    good = np.ones(3)
    assert finite(good, 2.0) and not finite(good, np.array([1.0, value])) and not finite(value)


def test_single_precision_is_finite_or_not_without_a_warning():
    assert finite(np.float32(3e38)) and not finite(np.array([1, np.inf], np.float32))
