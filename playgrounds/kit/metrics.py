"""The numbers of a State that readers see: what carries a Metric in its annotation, and nothing else."""

from dataclasses import asdict, dataclass
from functools import cache
from math import isfinite
from typing import Any, get_type_hints

from playgrounds.kit.words import number, percent

Number = float | int | None


@dataclass(frozen=True)
class Metric:
    """How a number is shown: `loss: Annotated[float, Metric("training loss", digits=4)]`.

    unit    "%": a share from 0 to 1, shown times 100; "count": a whole number, 138 million rather than 138357544; any
            other text stands behind the number; "" is a plain number
    digits  significant digits
    shown   whether it is one of the (at most three) numbers below the picture
    """

    label: str
    unit: str = ""
    digits: int = 3
    shown: bool = False


@cache
def declared(state_type: type) -> dict[str, Metric]:
    """The metrics of a State, by the name of the field, in order."""
    hints = get_type_hints(state_type, include_extras=True)
    return {
        name: extra
        for name, hint in hints.items()
        for extra in getattr(hint, "__metadata__", ())
        if isinstance(extra, Metric)
    }


def metrics(state: Any) -> dict[str, Number]:
    """The values of a state's metrics. None: not known at this step."""
    kind: type = type(state)
    return {name: getattr(state, name) for name in declared(kind)}


def as_json(state_type: type) -> dict[str, dict[str, Any]]:
    """The declarations, as the player gets them."""
    return {name: asdict(metric) for name, metric in declared(state_type).items()}


def said(state: Any) -> dict[str, str]:
    """The metrics of a state as they stand in a sentence."""
    kind: type = type(state)
    kinds = declared(kind)
    return {name: in_words(kinds[name], value) for name, value in metrics(state).items()}


def in_words(metric: Metric, value: Number) -> str:
    """A number in a sentence: 98.5 %, 61,706, 0.0132; – where it is not known."""
    if value is None:
        return "–"
    if metric.unit == "%":
        return percent(value, max(metric.digits, 3))
    if metric.unit == "count" and isfinite(value):
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    text = number(value, metric.digits)
    return f"{text} {metric.unit}" if metric.unit and metric.unit != "count" else text
