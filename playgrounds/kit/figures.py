"""Figures as plain dicts, as the film takes them apart and the player puts them together.

A figure is {"data", "layout", "fields", "chips", "panels"} and its other layouts, "opened", "narrow", "narrow_opened":
data, layout  as Plotly takes them (tests validate every figure with plotly.graph_objects.Figure).
fields        pictures of int8 arrays; the player paints each into the `layout.images` entry it names.
chips         rows of short labelled boxes (tokens, say) below the plot, in HTML because they must wrap.
panels        for each pair of axes its name, and whether it is the hero, a detail, or runs along the run's own time.
opened, …     layout values, by their path, that replace those of `layout` with details open, on a phone, both.

Playgrounds do not make them by hand: kit/picture.py has the words.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER

Figure = dict[str, Any]
Numbers = Sequence[float] | np.ndarray  # some of them: of shape (n,)

HOVER = {"bgcolor": PAPER, "bordercolor": FAINT, "font": {"color": INK, "size": 14}}


def empty() -> Figure:
    """A figure with nothing in it yet."""
    layout: dict[str, Any] = {
        "height": 0,
        "margin": {},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": INK, "size": 14},
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": HOVER,
        "dragmode": False,
        "annotations": [],
        "images": [],
        "shapes": [],
    }
    return {"data": [], "layout": layout, "fields": [], "chips": [], "narrow": {}}


def axis_settings(own: dict[str, Any]) -> dict[str, Any]:
    """The house's axis with a panel's own settings; `title` is a plain text."""
    title = {"text": own.get("title", ""), "font": {"color": MUTED, "size": 13}, "standoff": 6}
    house = {"fixedrange": True, "zeroline": False, "gridcolor": FAINT, "linecolor": FAINT}
    return house | {"tickfont": {"color": MUTED, "size": 13}} | own | {"title": title}


def thin(values: Any) -> Any:
    """Numbers as float32: half the bytes on the wire, and more digits than a screen has pixels."""
    array = np.asarray(values)
    with np.errstate(over="ignore"):  # beyond 3e38 it is infinite, which no picture shows anyway
        return array.astype(np.float32) if array.dtype == np.float64 else array


def short(value: float) -> float:
    """A coordinate with five significant digits, for the same reason."""
    return float(f"{value:.5g}")
