"""The verbs of a panel for things that are drawn rather than plotted: nets, pipelines of feature maps, cells, arcs.

They are made of what moves at no cost (kit/moving.py), so that a diagram may change from frame to frame.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from playgrounds.kit.figures import Numbers
from playgrounds.kit.moving import Moving
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, RED
from playgrounds.kit.still import LABEL

ARC_STEPS = 10  # thicknesses of arcs: all of one thickness are one shape
HEADS = {
    "up": "M0,0L-5,-9L5,-9Z",
    "down": "M0,0L-5,9L5,9Z",
    "right": "M0,0L-9,5L-9,-5Z",
    "left": "M0,0L9,5L9,-5Z",
}  # px


class Diagrams(Moving):
    """Part of a Panel (kit/picture.py)."""

    def arcs(
        self,
        starts: Any,
        ends: Any,
        weights: Any,
        colour: str = INK,
        *,
        lift: float | None = None,
        level: bool = False,
        width: float = 9,
        least: float = 0.02,
    ) -> None:
        """Curves from starts (n, 2) to ends (n, 2), the thicker the larger their weight (n,) in [0, 1].

        They leave and arrive upright: between two rows as an S, or, with `lift`, as a bow of that height over one row;
        or level, between two columns. width: px of a weight of 1. What weighs less than `least` is left out.
        """
        starts, ends = np.asarray(starts, float).reshape(-1, 2), np.asarray(ends, float).reshape(-1, 2)
        thickness = np.ceil(np.clip(np.asarray(weights, float).ravel(), 0, 1) * ARC_STEPS).astype(int)
        thickness[np.ravel(weights) < least] = 0
        for step in range(1, ARC_STEPS + 1):
            at = thickness == step
            if not at.any():
                continue
            share = step / ARC_STEPS
            path = "".join(_arc(a, b, lift, level) for a, b in zip(starts[at], ends[at], strict=True))
            line = {"color": colour, "width": round(max(1, width * share), 1)}
            look = {"fillcolor": "rgba(0,0,0,0)", "opacity": round(0.25 + 0.65 * share, 2)}
            self._shape({"type": "path", "path": path, "line": line} | look)

    def tokens(
        self,
        texts: Sequence[str],
        x: Numbers,
        y: float,
        size: tuple[float, float],
        *,
        fills: Sequence[str] | None = None,
        edges: Sequence[str] | None = None,
        wrong: Sequence[bool] | None = None,
        letter: int = LABEL + 1,
    ) -> None:
        """A row of boxes with a text each around (x, y), of a width and height in the panel's units.

        Those that are `wrong` are underlined in red.
        """
        wide, high = size[0] / 2, size[1] / 2
        for i, (text, at) in enumerate(zip(texts, x, strict=True)):
            fill = fills[i] if fills is not None else PAPER
            edge = edges[i] if edges is not None else FAINT
            width = 1 if edge == FAINT else 2
            self.block(
                (at - wide, at + wide), (y - high, y + high), fill, edge=edge, width=width, text=text, size=letter
            )
            if wrong is not None and wrong[i]:
                self.line((at - wide, y - high), (at + wide, y - high), RED, 4)

    def strip(self, values: Any, x: Numbers, y: Numbers, colour: str = MUTED) -> None:
        """A vector drawn as cells side by side, coloured by its values in [-1, 1], with an outline."""
        self.field(np.asarray(values, float)[None], x, y, smooth=False)
        self.frame(x, y, colour, 1)

    def strips(self, values: Any, x: Numbers, colour: str = MUTED, high: float = 0.7) -> None:
        """Vectors (n, d) below each other, the i-th around y = −i and `high` units high."""
        values = np.asarray(values, float)
        n = len(values)
        rows = values[::-1].repeat(4, axis=0)  # what a browser smooths between two of them lies in the gap
        self.field(rows, x, (0.5 - n, 0.5), smooth=False)
        self.strokes([_corners(x, 0.5 - i, 1 - high) for i in range(n + 1)], PAPER, 1, fill=PAPER)  # between them
        self.strokes([[*_corners(x, -i, high), (x[0], -i - high / 2)] for i in range(n)], colour, 1)

    def wire(self, points: Any, colour: str = MUTED, width: float = 2, head: str = "") -> None:
        """A line through points (n, 2); head: "up", "down", "left" or "right", where an arrow at its end points to."""
        x, y = np.asarray(points, float).T
        self.path(x, y, colour, width)
        if head:
            anchor = {"xsizemode": "pixel", "ysizemode": "pixel", "xanchor": float(x[-1]), "yanchor": float(y[-1])}
            fill = {"line": {"color": colour, "width": 0}, "fillcolor": colour}
            self._shape({"type": "path", "path": HEADS[head]} | anchor | fill)

    def waves(self, x: Any, heights: Any, colour: str = MUTED, high: float = 0.42) -> None:
        """Curves of numbers in [-1, 1], heights (n, waves) at x (n,), below each other: the i-th around y = −i."""
        heights = np.asarray(heights, float)
        ends = np.array([x[0], x[-1], np.nan])
        for i, wave in enumerate(heights.T):
            self.curve(ends, np.array([-i, -i, np.nan]), "", FAINT, width=1, hover="")
            self.curve(
                x, high * wave - i, "", colour, hover="", line={"color": colour, "width": 1.5, "simplify": False}
            )

    def dial(self, x: float, y: float, angles: Sequence[float], colours: Sequence[str], size: float = 44) -> None:
        """A clock of `size` px around (x, y) whose hands point at these angles, counted from the right upwards."""
        r = size / 2
        circle = {"x0": -r, "x1": r, "y0": -r, "y1": r, "fillcolor": PAPER, "line": {"color": FAINT, "width": 1.5}}
        middle = {"xsizemode": "pixel", "ysizemode": "pixel", "xanchor": float(x), "yanchor": float(y)}
        self._shape({"type": "circle"} | middle | circle)
        for angle, colour in zip(angles, colours, strict=True):
            tip = f"{r * np.cos(angle):.3g},{r * np.sin(angle):.3g}"
            self._shape({"type": "path", "path": f"M0,0L{tip}", "line": {"color": colour, "width": 3}} | middle)


def _arc(a: np.ndarray, b: np.ndarray, lift: float | None, level: bool) -> str:
    """From a to b as a Bézier curve."""
    middle = (a + b) / 2
    if level:
        turns = (middle[0], a[1]), (middle[0], b[1])
    elif lift is None:
        turns = (a[0], middle[1]), (b[0], middle[1])
    else:
        turns = (a[0], a[1] + lift), (b[0], b[1] + lift)
    start, first, second, end = (f"{x:.4g},{y:.4g}" for x, y in (a, *turns, b))
    return f"M{start}C{first} {second} {end}"


def _corners(x: Numbers, y: float, high: float) -> list[tuple[float, float]]:
    """Of a rectangle from x[0] to x[1] around y, from the lower left one on."""
    low, top = y - high / 2, y + high / 2
    return [(x[0], low), (x[1], low), (x[1], top), (x[0], top)]
