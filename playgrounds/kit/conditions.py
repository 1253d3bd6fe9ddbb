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
    for name, one in wanted.items():
        value = getattr(params, name)
        if compares(one, params.knobs()[name]):
            if not holds(one, value):
                return False
        elif params.knobs()[name].read(one, None)[0] != value:
            return False
    return True


def compares(wanted: Any, knob: Any) -> bool:
    """Whether what a goal wants of a knob (params.Knob) is a comparison and no value: for a number, or one of some."""
    number = knob.kind in ("int", "float") or (
        knob.kind == "choice" and {type(c) for c in knob.choices} <= {int, float}
    )
    return number and isinstance(wanted, str) and COMPARISON.fullmatch(wanted) is not None
