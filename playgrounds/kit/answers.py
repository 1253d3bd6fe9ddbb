"""Numbers as students type them, and what is right or wrong about them."""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import isclose, isfinite
from typing import NamedTuple, Protocol

from simpleeval import InvalidExpression, simple_eval

MOST = 40  # characters of a typed number
POWER = re.compile(r"(?:[·*×]\s*10\s*(?:\^|\*\*)\s*|e)([-+]?\d+)$", re.IGNORECASE)
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
PLAIN = re.compile(r"[-+]?\d*\.?\d+|[-+]?\d+\.")
SLIP = 1e-3  # relative: how near a typed number must be to one that a known mistake gives, where the answer is exact


class Slip(Protocol):
    """A number that a known mistake gives: a formula in the names of numbers, and what to say."""

    @property
    def value(self) -> str: ...
    @property
    def say(self) -> str: ...


class Verdict(NamedTuple):
    right: bool
    say: str  # what is to be said about a wrong number


def readings(text: str, share: bool = False) -> list[float]:
    """What a typed number can mean: 0.25, 0,25, 1/4, 25 %, 1,234 (two readings), 3·10⁻⁴; [] if it is no number.

    share: whether the number asked for is a share, so that 25 may mean 25 %.
    """
    text = text.strip().replace("−", "-").replace("\u00a0", "").replace(" ", "")[:MOST]
    percent = text.endswith("%")
    values = [value for one in _decimals(text.rstrip("%")) if (value := _value(one)) is not None]
    if percent:
        return [value / 100 for value in values]
    return values + ([value / 100 for value in values] if share else [])


def _decimals(text: str) -> list[str]:
    """The text with points for decimals: a comma may group thousands or be the decimal sign."""
    if "," not in text:
        return [text]
    if "." in text or text.count(",") > 1:
        return [text.replace(",", "")]
    if re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", text):
        return [text.replace(",", ""), text.replace(",", ".")]
    return [text.replace(",", ".")]


def _value(text: str) -> float | None:
    above, slash, below = text.partition("/")
    if slash:
        top, bottom = _value(above), _value(below)
        return top / bottom if top is not None and bottom else None
    ten = 0
    if found := POWER.search(re.sub(r"(10)([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$", lambda f: f"{f[1]}^{f[2].translate(RAISED)}", text)):
        ten = int(found[1])
        text = found.string[: found.start()]
    if not PLAIN.fullmatch(text) or abs(ten) > 300:
        return None
    value = float(Fraction(text.rstrip("."))) * 10.0**ten
    return value if isfinite(value) else None


def is_right(typed: float, answer: float, tolerance: float) -> bool:
    """Whether a number is the answer: within `tolerance` of it (relative), or exactly it where that is 0."""
    return isclose(typed, answer, rel_tol=tolerance or 1e-9, abs_tol=tolerance or 1e-9)


def judged(
    text: str,
    answer: float,
    tolerance: float = 0,
    share: bool = False,
    slips: Iterable[Slip] = (),
    numbers: Mapping[str, float | None] | None = None,
) -> Verdict:
    """What is to be said to a typed answer.

    slips: known mistakes, whose formulas stand in `numbers`.
    """
    values = readings(text, share)
    if not values:
        return Verdict(False, "That is no number. Type one like 0.25, 0,25, 1/4, 25 % or 3e-4.")
    if any(is_right(value, answer, tolerance) for value in values):
        return Verdict(True, "")
    for slip in slips:
        wrong = slipped(slip.value, numbers or {})
        if wrong is not None and any(is_right(value, wrong, tolerance or SLIP) for value in values):
            return Verdict(False, slip.say)
    if any(is_right(-value, answer, tolerance) for value in values):
        return Verdict(False, "The size is right and the sign is not.")
    return Verdict(False, "That is not it.")


def slipped(formula: str, numbers: Mapping[str, float | None]) -> float | None:
    """The number that a mistake gives; None if it cannot be computed."""
    known = {name: value for name, value in numbers.items() if isinstance(value, int | float)}
    try:
        return float(simple_eval(formula, names=known, functions={}))
    except (InvalidExpression, ArithmeticError, ValueError, TypeError, SyntaxError):
        return None
