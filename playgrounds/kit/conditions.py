"""Conditions on a run's last numbers, as a teacher writes them (">= 0.99"), and the named runs of a playground."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

COMPARISON = re.compile(r"(<=|>=|<|>|==) *(-?\d+(?:\.\d+)?(?:[eE]-?\d+)?)")
TESTS = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "==": lambda a, b: a == b,
}


class Preset(NamedTuple):
    """A named run of a playground: what differs from the defaults, and what it must show at its end."""

    name: str
    good: bool  # whether it is a run in which the thing works
    why: str  # one sentence: what one sees in it, and the reason
    reach: dict[str, str]  # conditions on the metrics of the last state, checked by the tests
    values: dict[str, Any]


def works(name: str, why: str, reach: dict[str, str], **values: Any) -> Preset:
    """A good run: PRESETS = (works("Four units", "Why it works.", {"accuracy": ">= 0.99"}, hidden=4), ...)."""
    return Preset(name, True, why, reach, values)


def fails(name: str, why: str, reach: dict[str, str], **values: Any) -> Preset:
    """A bad run; `reach` then says what failing means in numbers."""
    return Preset(name, False, why, reach, values)


def holds(condition: str, value: float | None) -> bool:
    """Whether a number meets a comparison like ">= 0.99". None (not known) meets none; what is no longer a number has
    diverged, and is above every bound. Raises ValueError if the condition is no comparison."""
    found = COMPARISON.fullmatch(condition)
    if found is None:
        raise ValueError(f'{condition!r} is no comparison such as ">= 0.99"')
    if value is None:
        return False
    operator, bound = found.groups()
    return TESTS[operator](math.inf if math.isnan(value) else value, float(bound))


def reached(conditions: Mapping[str, str], numbers: Mapping[str, float | None]) -> bool:
    """Whether the metrics `numbers` meet every one of the conditions, given by the metric's name."""
    return all(holds(condition, numbers.get(name)) for name, condition in conditions.items())


def allowed(wanted: Mapping[str, Any], params: Any) -> bool:
    """Whether the knobs of `params` are as `wanted`: a comparison like "<= 3" for a number, else the value itself."""
    return all(_allows(one, params, name) for name, one in wanted.items())


def unmet(wanted: Mapping[str, Any], params: Any) -> list[str]:
    """The knobs that are not as `wanted`, each with how it must be: "Hidden units must be at most 3"."""
    knobs = params.knobs()
    return [f"{knobs[n].label} must be {_must(one)}" for n, one in wanted.items() if not _allows(one, params, n)]


def _allows(one: Any, params: Any, name: str) -> bool:
    value, knob = getattr(params, name), params.knobs()[name]
    return holds(one, value) if compares(one, knob) else bool(knob.read(one, None)[0] == value)


WORDS = {"<=": "at most ", ">=": "at least ", "<": "below ", ">": "above ", "==": ""}


def _must(one: Any) -> str:
    if isinstance(one, bool):
        return "on" if one else "off"
    found = COMPARISON.fullmatch(one) if isinstance(one, str) else None
    return f"{WORDS[found[1]]}{found[2]}" if found else f"“{one}”" if isinstance(one, str) else str(one)


def compares(wanted: Any, knob: Any) -> bool:
    """Whether what a goal wants of a knob (params.Knob) is a comparison and no value: for a number, or one of some."""
    number = knob.kind in ("int", "float") or (
        knob.kind == "choice" and {type(c) for c in knob.choices} <= {int, float}
    )
    return number and isinstance(wanted, str) and COMPARISON.fullmatch(wanted) is not None
