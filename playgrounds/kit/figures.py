"""Figures as plain dicts: arrays in, dict out. Nothing here knows a playground or its State.

A figure is {"data", "layout", "fields", "chips", "narrow"}:
data, layout  as Plotly takes them (tests validate every figure with plotly.graph_objects.Figure).
fields        pictures of int8 arrays; the player paints each into the `layout.images` entry it names.
chips         rows of short labelled boxes (tokens, say) below the plot, in HTML because they must wrap.
narrow        layout values that replace those of `layout` where the figure is less than 600 px wide.

What changes from frame to frame should be `fields`, `chips` and the one list `layout.shapes`; a trace that changes
costs the player about 30 ms. A trace's hovertext may change freely: it is set only while the player stands still.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

import numpy as np

from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SHADES

Figure = dict[str, Any]
Numbers = Sequence[float] | np.ndarray  # some of them: of shape (n,)

GAP = 46  # px between stacked panels on a phone, room for a title and tick labels
AXIS_TITLE = 18  # px more below a panel whose x axis has a title
HOVER = {"bgcolor": PAPER, "bordercolor": FAINT, "font": {"color": INK, "size": 14}}


@dataclass(frozen=True)
class Panel:
    """One pair of axes. `box` is (left, right, bottom, top) in fractions of the figure, `tall` its height in px on a
    phone, where panels stand below each other in the order given. x and y are Plotly axis settings; the short forms
    are `bare` (no ticks) and `square` (one unit of x is as long as one of y). A panel that has neither a
    trace nor a shape in the first frame does not appear at all."""

    box: tuple[float, float, float, float]
    tall: int
    title: str = ""
    x: dict[str, Any] = field(default_factory=dict)
    y: dict[str, Any] = field(default_factory=dict)
    bare: bool = False
    square: bool = False


def figure(height: int, *panels: Panel) -> Figure:
    """An empty figure with its panels: the n-th has the axes of `axes(n)`."""
    gaps = [GAP + AXIS_TITLE * bool(panel.x.get("title")) for panel in panels]
    total = sum(gaps[:-1]) + sum(panel.tall for panel in panels)
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 44, "r": 12, "t": 28, "b": 40},
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
    narrow: dict[str, Any] = {"height": total + 68 + gaps[-1] - GAP}  # the margins, and a last axis title
    top = 1.0
    for n, (panel, gap) in enumerate(zip(panels, gaps, strict=True), start=1):
        left, right, low, high = panel.box
        suffix = "" if n == 1 else str(n)
        layout[f"xaxis{suffix}"] = {"domain": [left, right], "anchor": f"y{suffix}", **_axis(panel.bare, panel.x)}
        layout[f"yaxis{suffix}"] = {"domain": [low, high], "anchor": f"x{suffix}", **_axis(panel.bare, panel.y)}
        if panel.square:
            layout[f"yaxis{suffix}"] |= {"scaleanchor": f"x{suffix}", "constrain": "domain"}
            layout[f"xaxis{suffix}"] |= {"constrain": "domain"}
        if panel.title:
            layout["annotations"].append(_title(panel.title, n))
        narrow[f"xaxis{suffix}.domain"] = [0, 1]
        narrow[f"yaxis{suffix}.domain"] = [round(max(0.0, top - panel.tall / total), 4), round(top, 4)]
        top -= (panel.tall + gap) / total
    return {"data": [], "layout": layout, "fields": [], "chips": [], "narrow": narrow}


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


def axes(n: int, kind: str = "axis") -> dict[str, str]:
    """What ties a trace ("axis") or a shape, image, annotation ("ref") to the n-th panel."""
    suffix = "" if n == 1 else str(n)
    return {f"x{kind}": f"x{suffix}", f"y{kind}": f"y{suffix}"}


def lines(panel: int, x: Any, y: Any, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A line trace through arrays x, y of shape (n,)."""
    line = {"color": colour, "width": 2.5} | more.pop("line", {})
    return (
        {"type": "scatter", "mode": "lines", "x": thin(x), "y": thin(y), "name": name, "line": line}
        | axes(panel)
        | more
    )


def points(panel: int, x: Any, y: Any, name: str, colours: Any, **more: Any) -> dict[str, Any]:
    """A marker trace; `colours` is one colour or one per point."""
    marker = {"color": colours, "size": 9, "line": {"color": PAPER, "width": 1}} | more.pop("marker", {})
    return (
        {"type": "scatter", "mode": "markers", "x": thin(x), "y": thin(y), "name": name, "marker": marker}
        | axes(panel)
        | more
    )


def classes(y: Any) -> list[str]:
    """The class colour of every label in y (0 or 1)."""
    return [ORANGE if label > 0.5 else BLUE for label in np.asarray(y)]


def paint(
    fig: Figure,
    panel: int,
    z: Any,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    scale: str = "diverging",
    smooth: bool = True,
    opacity: float = 1.0,
) -> None:
    """Add array z of shape (ny, nx), values in [-1, 1] (0 is neutral), as a picture over x, y; z[0] is the lowest row.

    On the sequential scale the values are in [0, 1]; on the scale "classes" a value is the class (0, 1, 2) plus a
    confidence in [0, 1). Values outside are cut, nan is neutral.
    """
    z = np.nan_to_num(np.asarray(z, float), nan=0, posinf=1e9, neginf=-1e9)
    levels = np.clip(z, 0, 2.999) * SHADES if scale == "classes" else np.clip(z, -1, 1) * 127
    fig["fields"].append(
        {"image": len(fig["layout"]["images"]), "scale": scale, "smooth": smooth, "z": levels.astype(np.int8)}
    )
    fig["layout"]["images"].append(
        {"source": "", "x": x[0], "y": y[1], "sizex": x[1] - x[0], "sizey": y[1] - y[0], "sizing": "stretch",
         "layer": "below", "opacity": opacity} | axes(panel, "ref")
    )  # fmt: skip


def rule(panel: int, x: float, colour: str = INK, dash: str = "solid") -> dict[str, Any]:
    """A vertical line across the panel at x: a cursor, a threshold."""
    suffix = "" if panel == 1 else str(panel)
    line = {"color": colour, "width": 1.5, "dash": dash}
    return {"type": "line", "xref": f"x{suffix}", "yref": f"y{suffix} domain", "x0": short(x), "x1": short(x), "y0": 0,
            "y1": 1, "line": line}  # fmt: skip


def segment(
    panel: int, a: Sequence[float], b: Sequence[float], colour: str, width: float = 2, **more: Any
) -> dict[str, Any]:
    """A straight line from a = (x, y) to b."""
    return {"type": "line", "x0": short(a[0]), "y0": short(a[1]), "x1": short(b[0]), "y1": short(b[1]),
            "line": {"color": colour, "width": round(width, 2)}} | axes(panel, "ref") | more  # fmt: skip


def box(
    panel: int, x: Sequence[float], y: Sequence[float], colour: str, width: float = 1, fill: str = "", **more: Any
) -> dict[str, Any]:
    """A rectangle from x[0], y[0] to x[1], y[1]."""
    shape = {"type": "rect", "x0": short(x[0]), "x1": short(x[1]), "y0": short(y[0]), "y1": short(y[1]),
             "line": {"color": colour, "width": width}}  # fmt: skip
    return shape | ({"fillcolor": fill} if fill else {}) | axes(panel, "ref") | more


def dot(panel: int, x: float, y: float, colour: str, size: float = 14) -> dict[str, Any]:
    """A disc of `size` px at (x, y): a moving point that costs no trace. Plotly misplaces it on log axes."""
    r = size / 2
    return {"type": "circle", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": short(x), "yanchor": short(y),
            "x0": -r, "x1": r, "y0": -r, "y1": r, "fillcolor": colour,
            "line": {"color": PAPER, "width": 1.5}} | axes(panel, "ref")  # fmt: skip


def polyline(panel: int, x: Any, y: Any, colour: str, width: float = 2.5, dash: str = "solid") -> dict[str, Any]:
    """An open line through arrays x, y of shape (n,), n >= 1, as one shape: a path that grows costs no trace."""
    path = "M" + "L".join(f"{short(a)},{short(b)}" for a, b in zip(np.asarray(x), np.asarray(y), strict=True))
    line = {"color": colour, "width": width, "dash": dash}
    return {"type": "path", "path": path, "line": line, "fillcolor": "rgba(0,0,0,0)"} | axes(panel, "ref")


def label(panel: int, x: float, y: float, text: str, colour: str = MUTED, **more: Any) -> dict[str, Any]:
    """A text that stands still. What changes every frame belongs into the note."""
    return (
        {"x": x, "y": y, "text": text, "showarrow": False, "font": {"color": colour, "size": 13}}
        | axes(panel, "ref")
        | more
    )


def chips(title: str, texts: Sequence[str], colours: Sequence[int] | None = None, subs: Sequence[str] | None = None,
          marks: Sequence[int] = ()) -> dict[str, Any]:  # fmt: skip
    """A row of boxes below the plot: a text each, a colour number (same number, same colour; None: no colour), a small
    text under each, and the indices of those that are marked. The player shows spaces as ␣."""
    return {"title": title, "texts": list(texts), "colours": colours, "subs": subs, "marks": list(marks)}


def legend(fig: Figure, entries: int) -> None:
    """Name the traces above the panels; on a phone there are two to a row."""
    fig["layout"] |= {
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.07,
            "yanchor": "bottom",
            "font": {"size": 13},
            "itemwidth": 36,
            "itemclick": False,
            "itemdoubleclick": False,
        },
    }
    fig["narrow"] |= {"legend.y": 1.03, "height": fig["narrow"]["height"] + 24 * ceil(entries / 2)}


def log_axis(values: Any, margin: float = 0.1, lowest: float = 0.0, highest: float = inf) -> dict[str, Any]:
    """A log axis over the positive finite numbers in `values`, cut at `lowest` and `highest`, of at least one decade.

    margin: decades left free at both ends.
    """
    values = np.asarray(values, float)
    values = np.clip(values[np.isfinite(values) & (values > 0)], lowest or None, highest)
    low, high = np.log10([values.min(), values.max()]) if len(values) else (-1.0, 0.0)
    low = min(low, high - 1)
    return {
        "type": "log",
        "range": [short(low - margin), short(high + margin)],
        "dtick": max(1, ceil((high - low) / 5)),
        "exponentformat": "power",
        "tickfont": {"color": MUTED, "size": 11},  # Plotly writes powers a quarter larger
    }


def loss_axis(losses: Any) -> dict[str, Any]:
    """For a loss that should reach 0: from 0 up, or in powers of ten where it spans more than a factor of 30."""
    values = np.asarray(losses, float)
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (values.min(), values.max()) if len(values) else (0.1, 1.0)
    return {"range": [0, short(1.05 * high)], "nticks": 4} if high < 30 * low else log_axis(values)


def thin(values: Any) -> Any:
    """Numbers as float32: half the bytes on the wire, and more digits than a screen has pixels."""
    array = np.asarray(values)
    with np.errstate(over="ignore"):  # beyond 3e38 it is infinite, which no picture shows anyway
        return array.astype(np.float32) if array.dtype == np.float64 else array


def short(value: float) -> float:
    """A coordinate with five significant digits, for the same reason."""
    return float(f"{value:.5g}")


def _axis(bare: bool, own: dict[str, Any]) -> dict[str, Any]:
    """The house's axis with a panel's own settings; `title` may be given as a plain text."""
    if bare:
        return {"visible": False, "fixedrange": True} | own
    title = own.get("title", {})
    return {
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": FAINT,
        "linecolor": FAINT,
        "tickfont": {"color": MUTED, "size": 13},
        **own,
        "title": {"font": {"color": MUTED, "size": 13}, "standoff": 6}
        | ({"text": title} if isinstance(title, str) else title),
    }


def _title(text: str, panel: int) -> dict[str, Any]:
    suffix = "" if panel == 1 else str(panel)
    return {"xref": f"x{suffix} domain", "yref": f"y{suffix} domain", "x": 0, "y": 1, "xanchor": "left",
            "yanchor": "bottom", "text": text, "showarrow": False,
            "font": {"color": MUTED, "size": 14}}  # fmt: skip
