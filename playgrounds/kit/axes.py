"""Axes in words: what runs along a panel's side. Each function returns Plotly settings of one axis."""

from collections.abc import Sequence
from math import ceil, inf
from typing import Any

import numpy as np

from playgrounds.kit.figures import Numbers, short
from playgrounds.kit.palette import MUTED
from playgrounds.kit.words import number

Axis = dict[str, Any]


def span(low: float, high: float, title: str = "", ticks: int = 5) -> Axis:
    """Numbers from low to high, with about `ticks` ticks."""
    return _titled({"range": [short(low), short(high)], "nticks": ticks}, title)


def steps(last: float, title: str = "", ticks: int = 6) -> Axis:
    """Steps, epochs, positions: from 0 to the last."""
    return _titled({"range": [0, last], "nticks": ticks}, title)


def share(title: str = "", high: float = 1.03, low: float = 0.0) -> Axis:
    """Shares from 0 to 1, written as percent."""
    return _titled({"range": [low, high], "tickformat": ".0%", "nticks": 6}, title)


def bare(low: float, high: float) -> Axis:
    """No line, no ticks: for a drawing that has no scale."""
    return {"range": [low, high], "visible": False}


def names(texts: Sequence[str], *, down: bool = False, every: int = 1, turned: bool = False, title: str = "") -> Axis:
    """A name at each whole number from 0 on; `down`: from the top downwards, the i-th at y = −i.

    every: name only each n-th. turned: written upwards, for long names below a picture.
    """
    n = len(texts)
    places = range(0, n, every)
    axis: Axis = {
        "range": [0.5 - n, 0.5] if down else [-0.5, n - 0.5],
        "tickvals": [-i if down else i for i in places],
        "ticktext": [str(texts[i]) for i in places],
        "showgrid": False,
        "tickangle": -90 if turned else 0,
    }
    return _titled(axis, title)


def ticked(low: float, high: float, values: Numbers, texts: Sequence[object] | None = None, title: str = "") -> Axis:
    """From low to high with ticks at these values, under their own names if there are any."""
    axis: Axis = {"range": [short(low), short(high)], "tickvals": list(values)}
    if texts is not None:
        axis["ticktext"] = [str(text) for text in texts]
    return _titled(axis, title)


def log_ticked(
    low: float, high: float, values: Numbers, texts: Sequence[object] | None = None, title: str = ""
) -> Axis:
    """A log axis from low to high with ticks at these values, for quantities whose ends are known."""
    return ticked(np.log10(low), np.log10(high), values, texts, title) | {"type": "log"}


def log(values: Any, title: str = "", margin: float = 0.1, lowest: float = 0.0, highest: float = inf) -> Axis:
    """A log axis over the positive finite numbers in `values`, cut at `lowest` and `highest`, of at least one decade.

    margin: decades left free at both ends.
    """
    values = np.asarray(values, float)
    values = np.clip(values[np.isfinite(values) & (values > 0)], lowest or None, highest)
    low, high = np.log10([values.min(), values.max()]) if len(values) else (-1.0, 0.0)
    low = min(low, high - 1)
    axis = {
        "type": "log",
        "range": [short(low - margin), short(high + margin)],
        "dtick": max(1, ceil((high - low) / 5)),
        "exponentformat": "power",
        "tickfont": {"color": MUTED, "size": 11},  # Plotly writes powers a quarter larger
    }
    return _titled(axis, title)


def loss(values: Any, title: str = "") -> Axis:
    """For a loss that should reach 0: from 0 up, or in powers of ten where it spans more than a factor of 30."""
    array = np.asarray(values, float)
    array = array[np.isfinite(array) & (array > 0)]
    low, high = (array.min(), array.max()) if len(array) else (0.1, 1.0)
    if high >= 30 * low:
        return log(array, title)
    return _titled({"range": [0, short(1.05 * high)], "nticks": 4}, title)


def _titled(axis: Axis, title: str) -> Axis:
    return axis | ({"title": title} if title else {})


LOWEST = 1e-12  # what is below it is drawn there


def powers(values: Any, title: str = "") -> Axis:
    """For the `exponents` of positive numbers of at most about 1, on a linear axis, with the powers of ten as ticks.

    Unlike `log` it takes what Plotly misplaces on a log axis: dots, bars from a base, texts.
    """
    values = np.asarray(values, float)
    known = values[np.isfinite(values) & (values > 0)]
    low = max(np.log10(LOWEST), min(-2, np.floor(np.log10(known.min(initial=1)))))
    high = max(1, np.log10(known.max(initial=1)))
    every = max(1, ceil(-low / 4))
    ticks = [k for k in range(0, int(low) - 1, -1) if k % every == 0]
    texts = [number(10.0**k, 1).removeprefix("1·") for k in ticks]
    return ticked(low - 0.3, high + 0.4, ticks, texts, title)


def exponents(values: Any) -> np.ndarray:
    """log₁₀ of positive numbers, those below LOWEST as LOWEST; nan where a number is not positive."""
    values = np.asarray(values, float)
    return np.log10(np.where(values > 0, np.maximum(values, LOWEST), np.nan))
