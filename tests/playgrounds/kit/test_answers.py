"""Typed numbers: what they can mean, and what is said to those who are wrong."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playgrounds.kit.answers import MOST, is_right, judged, readings, slipped


class Slip(NamedTuple):
    value: str
    say: str


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.25", [0.25]),
        ("0,25", [0.25]),
        (" 1/4 ", [0.25]),
        ("25 %", [0.25]),
        ("25%", [0.25]),
        (".5", [0.5]),
        ("5.", [5]),
        ("−3", [-3]),
        ("+3", [3]),
        ("3e-4", [3e-4]),
        ("3·10^-4", [3e-4]),
        ("3*10**-4", [3e-4]),
        ("3 · 10⁻⁴", [3e-4]),
        ("61,706", [61706, 61.706]),
        ("138,357,544", [138357544]),
        ("1,234.5", [1234.5]),
        ("-0,5/2", [-0.25]),
        ("", []),
        ("two", []),
        ("1/0", []),
        ("1e999", []),
        ("nan", []),
        ("inf", []),
        ("1/2/", []),
        ("__import__('os')", []),
    ],
)
def test_a_number_is_read_as_students_type_it(text, values):
    assert readings(text) == pytest.approx(values)


def test_a_share_may_be_typed_in_percent_without_its_sign():
    assert readings("25", share=True) == [25, 0.25]
    assert judged("25", 0.25, 0.01, share=True).right
    assert not judged("25", 0.25, 0.01).right


def test_a_whole_number_must_be_exact_and_another_within_its_tolerance():
    assert is_right(97, 97, 0) and not is_right(98, 97, 0)
    assert is_right(0.69, 0.6931, 0.01) and not is_right(0.70, 0.6931, 0.005)
    assert is_right(0, 0, 0) and judged("61,706", 61706).right


def test_a_known_slip_gets_its_own_sentence():
    slips = [Slip("width - 1", "The + 1 is missing."), Slip("side / stride", "Look at the kernel.")]
    numbers = {"width": 6, "side": 8, "stride": 1}
    assert judged("6", 6, slips=slips, numbers=numbers) == (True, "")
    assert judged("5", 6, slips=slips, numbers=numbers) == (False, "The + 1 is missing.")
    assert judged("8", 6, slips=slips, numbers=numbers) == (False, "Look at the kernel.")
    assert judged("-6", 6, slips=slips, numbers=numbers).say.startswith("The size is right")
    assert judged("7", 6, slips=slips, numbers=numbers) == (False, "That is not it.")


def test_a_slip_that_cannot_be_computed_is_none():
    assert slipped("1 / rest", {"rest": 0}) is None
    assert slipped("missing + 1", {}) is None
    assert slipped("loss * 2", {"loss": None}) is None
    assert slipped("(a + b) / 2", {"a": 1, "b": 4}) == 2.5


@given(st.text(max_size=2 * MOST))
def test_any_text_is_read_or_is_no_number(text):
    assert all(isinstance(value, float) for value in readings(text, share=True))
    assert judged(text, 5.0).say != "" or readings(text)
