"""The verbs of a panel for things that are drawn rather than plotted: nets, pipelines of feature maps, cells, arcs.

They are made of what moves at no cost (kit/moving.py), so that a diagram may change from frame to frame.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from playgrounds.kit.axes import Axis, bare, ticked
from playgrounds.kit.figures import Numbers
from playgrounds.kit.moving import Moving
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, RED
from playgrounds.kit.still import LABEL

ARC_STEPS = 10  # thicknesses of arcs: all of one thickness are one shape
HEADS = {
    "up": "M0,0L-5,-9L5,-9Z",
    "down": "M0,0L-5,9L5,9Z",
    "right": "M0,0L-9,5L-9,-5Z",
    "left": "M0,0L9,5L9,-5Z",
}  # px
GAP = 1.0  # pixels of a map that are left free between two maps of a layer
UNITS = 3.0  # the same for the width of a dense layer
TRIANGLES = (((0, 0), (0, 1), (1, 1)), ((0, 0), (1, 1), (1, 0)))  # a cell's corners as (row, column), cut into two


class Box(NamedTuple):
    """Where something stands in a drawing."""

    left: float
    right: float
    low: float
    high: float

    @property
    def x(self) -> tuple[float, float]:
        return self.left, self.right

    @property
    def y(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.low + self.high) / 2


class Stage(NamedTuple):
    """A layer of a pipeline: its maps (channels, height, width), or the units (1, 1, units) of a dense layer."""

    name: str
    maps: np.ndarray  # in [0, 1], or in [-1, 1] on the diverging scale
    across: int = 1  # maps side by side
    window: int = 0  # side of the window through which a unit of the next layer sees a map; 0: it sees everything
    unit: float = 1.0  # height of a dense layer's unit; a pixel of a map is 1

    @property
    def is_dense(self) -> bool:
        return self.maps.shape[:2] == (1, 1)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in the drawing."""
        channels, height, width = self.maps.shape
        if self.is_dense:
            return UNITS, self.unit * width
        down = -(-channels // self.across)
        return self.across * (width + GAP) - GAP, down * (height + GAP) - GAP

    def map_at(self, box: Box, column: int, row: int) -> Box:
        """Where one of its maps stands; the first row is on top, columns and rows may be counted from the end."""
        channels, height, width = self.maps.shape
        left = box.left + column % self.across * (width + GAP)
        high = box.high - row % -(-channels // self.across) * (height + GAP)
        return Box(left, left + width, high - height, high)


class Diagrams(Moving):
    """Part of a Panel (kit/picture.py)."""

    def feature_maps(self, stage: Stage, box: Box, *, scale: str = "sequential") -> None:
        """The maps of a layer side by side in its box, or the units of a dense layer from top to bottom."""
        if stage.is_dense:
            self.field(stage.maps[0].T[::-1], box.x, box.y, scale=scale, smooth=False)
            self.frame(box.x, box.y, FAINT, 1)
            return
        channels, height, width = stage.maps.shape
        gap, down = int(GAP), -(-channels // stage.across)
        sheet = np.full((down * (height + gap) - gap, stage.across * (width + gap) - gap), np.nan)
        outlines = []
        for k, one in enumerate(stage.maps):
            top, left = k // stage.across * (height + gap), k % stage.across * (width + gap)
            sheet[top : top + height, left : left + width] = one
            place = stage.map_at(box, k % stage.across, k // stage.across)
            outlines.append(_corners(place))
        self.field(sheet[::-1], box.x, box.y, scale=scale, smooth=False)
        self.strokes(_gaps(stage, box), PAPER, 1, fill=PAPER)
        self.strokes([[*corners, corners[0]] for corners in outlines], FAINT, 1)

    def cone(self, window: Box, seen_by: Box, colour: str = MUTED, width: float = 1.5) -> None:
        """What a unit sees: a window in one map, the unit in another to its right, and the lines between."""
        self.frame(window.x, window.y, colour, width)
        self.frame(seen_by.x, seen_by.y, colour, width)
        edges = [[(window.right, a), (seen_by.left, b)] for a, b in zip(window.y, seen_by.y, strict=True)]
        self.strokes(edges, colour, 1)

    def pipeline(
        self, stages: Sequence[Stage], boxes: Sequence[Box], *, scale: str = "sequential", colour: str = MUTED
    ) -> None:
        """The layers of a net from left to right, and between two of them what a unit of the later one sees.

        boxes: where they stand (`lined_up`); the panel is square and has the axes `pipeline_axes`.
        """
        for stage, box in zip(stages, boxes, strict=True):
            self.feature_maps(stage, box, scale=scale)
        for (stage, box), (later, its_box) in pairwise(zip(stages, boxes, strict=True)):
            if stage.window and not later.is_dense:
                self.cone(*window_between(stage, box, later, its_box), colour)
            else:
                fan = [[(box.right, a), (its_box.left, b)] for a, b in zip(box.y, its_box.y, strict=True)]
                self.strokes(fan, colour, 1)

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
        self.strokes([_rectangle(x, 0.5 - i, 1 - high) for i in range(n + 1)], PAPER, 1, fill=PAPER)  # between them
        self.strokes([[*_rectangle(x, -i, high), (x[0], -i - high / 2)] for i in range(n)], colour, 1)

    def wire(self, points: Any, colour: str = MUTED, width: float = 2, head: str = "") -> None:
        """A line through points (n, 2); head: "up", "down", "left" or "right", where an arrow at its end points to."""
        x, y = np.asarray(points, float).T
        self.path(x, y, colour, width)
        if head:
            anchor = {"xsizemode": "pixel", "ysizemode": "pixel", "xanchor": float(x[-1]), "yanchor": float(y[-1])}
            fill = {"line": {"color": colour, "width": 0}, "fillcolor": colour}
            self._shape({"type": "path", "path": HEADS[head]} | anchor | fill)

    def net(
        self,
        layers: Sequence[int],
        weights: Sequence[Any],
        on: Sequence[Any] | None = None,
        *,
        size: float = 20,
        largest: float = 1.0,
        thick: float = 3.0,
    ) -> None:
        """A net from left to right, over 0 to 1 in both directions: a disc per unit, a line per weight.

        weights: (outputs, inputs) of every layer; positive ones are orange, negative ones blue, and one of the size
        `largest` is `thick` px. on: an array per layer, 0 where a unit is off; it is hollow then, its lines are gone.
        """
        if on is None:
            on = [np.ones(n) for n in layers]
        middles = [np.column_stack([np.full(n, x), _spread(n)]) for n, x in zip(layers, _across(layers), strict=True)]
        for k, w in enumerate(weights):
            w = np.asarray(w, float) * np.outer(np.asarray(on[k + 1]) > 0, np.asarray(on[k]) > 0)
            self._weights(w, middles[k], middles[k + 1], largest, thick)
        for middle, lit in zip(middles, on, strict=True):
            for (x, y), one in zip(middle.tolist(), lit, strict=True):
                self.dot(x, y, INK if one else FAINT, size, hollow=not one)

    def _weights(self, w: np.ndarray, start: np.ndarray, end: np.ndarray, largest: float, thick: float) -> None:
        """The lines of one layer: a shape of many lines for each sign and each third of the thickness."""
        share = np.minimum(1, np.abs(w) / largest)
        for colour, sign in ((ORANGE, 1), (BLUE, -1)):
            for third in (1, 2, 3):
                j, i = np.nonzero((np.sign(w) == sign) & (np.ceil(3 * share) == third))
                self.strokes(np.stack([start[i], end[j]], axis=1), colour, thick * third / 3)

    def zero_line(self, z: Any, x: Numbers, y: Numbers, colour: str = INK, width: float = 2) -> None:
        """The line on which z of shape (ny, nx) is 0, over x, y as a `field` of z: a boundary that moves."""
        z = np.asarray(z, float)
        lines = _zeros(z)
        size = np.array([(x[1] - x[0]) / z.shape[1], (y[1] - y[0]) / z.shape[0]])
        self.strokes(np.array([x[0], y[0]]) + (lines + 0.5) * size, colour, width)

    def pipe(self, points: Any, wide: float, colour: str) -> None:
        """A band through points (n, 2) that turns at right angles, `wide` in units of a square panel; 0: nothing."""
        if wide <= 0:
            return
        points = np.asarray(points, float)
        half = wide / 2
        parts: list[Any] = []
        for a, b in pairwise(points):
            (left, low), (right, high) = np.minimum(a, b), np.maximum(a, b)
            level = abs(b[0] - a[0]) >= abs(b[1] - a[1])
            before = half * (len(parts) > 0)  # a corner is filled from both sides
            after = half * (len(parts) < len(points) - 2)
            forward = b[0] >= a[0] if level else b[1] >= a[1]
            less, more = (before, after) if forward else (after, before)
            if level:
                left, right, low, high = left - less, right + more, low - half, high + half
            else:
                left, right, low, high = left - half, right + half, low - less, high + more
            parts.append([(left, low), (left, high), (right, high), (right, low)])
        self.strokes(parts, colour, 0, fill=colour)

    def valve(self, at: Numbers, opening: float, bore: float, *, upright: bool = False, thick: float = 5) -> None:
        """A gate in a pipe of width `bore`: two shutters that leave the share `opening` of it free, 0 … 1.

        upright: the pipe goes up or down. thick: the gate's length along the pipe. All in units of a square panel.
        """
        x, y = at
        half, free = bore / 2, bore / 2 * opening
        across, along = np.array([0, 1]), np.array([1, 0])
        if upright:
            across, along = along, across
        shutters = []
        for side in (-1, 1):
            ends = (side * half, side * free)
            inner, outer = ends[1] * across, ends[0] * across
            back = along * thick / 2
            shutters.append([inner - back, outer - back, outer + back, inner + back])
        self.strokes(np.array([x, y]) + np.array(shutters), INK, 0, fill=INK)
        corner = half * across + along * thick / 2
        self.frame((x - corner[0], x + corner[0]), (y - corner[1], y + corner[1]), MUTED, 1.5)

    def boxes(self, x: Any, y: float, wide: float, tall: float, colour: str = INK, width: float = 1.5) -> None:
        """The outlines of boxes around x (n,) at the height y: the steps of an unrolled net. They are one shape."""
        x = np.asarray(x, float)[:, None]
        corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1], [-1, -1]]) / 2 * (wide, tall)
        self.strokes(np.stack([x + corners[:, 0], y + 0 * x + corners[:, 1]], axis=-1), colour, width)

    def arrows(self, starts: Any, ends: Any, colour: str = INK, width: float = 1.5, head: Numbers = (0.1, 0.1)) -> None:
        """Level or upright arrows from starts to ends, (n, 2) each, of any panel; head: its length along x and along y,
        half of the other is its half width. They are two shapes."""
        starts, ends = np.asarray(starts, float).reshape(-1, 2), np.asarray(ends, float).reshape(-1, 2)
        self.strokes(np.stack([starts, ends], axis=1), colour, width)
        along = np.sign(ends - starts) * np.asarray(head)
        side = np.abs(np.sign(ends - starts))[:, ::-1] * np.asarray(head) / 2
        self.strokes(np.stack([ends, ends - along + side, ends - along - side], axis=1), colour, 1, fill=colour)

    def tiles(
        self, sides: Any, fill: str = "", *, edge: str = "", width: float = 1, opacity: float = 1.0, behind: bool = True
    ) -> None:
        """Rectangles with left, right, low and high sides (n, 4), filled or outlined alike: all are one shape.

        behind: traces (letters that stand still) are drawn over them.
        """
        parts = [
            f"M{left:.4g},{low:.4g}H{right:.4g}V{high:.4g}H{left:.4g}Z"
            for left, right, low, high in np.asarray(sides, float).reshape(-1, 4).tolist()
        ]
        self._shape(
            {
                "type": "path",
                "path": "".join(parts) or "M0,0L0,0",
                "line": {"color": edge or fill, "width": width if edge else 0},
                "fillcolor": fill or "rgba(0,0,0,0)",
                "fillrule": "nonzero",  # where they overlap they are filled, too
                "opacity": opacity,
                "layer": "below" if behind else "above",
            }
        )

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


def lined_up(stages: Sequence[Stage], wide: float, middle: float = 0.0) -> list[Box]:
    """A place for every stage, all around y = `middle`, spread from x = 0 to `wide`, in pixels of the maps."""
    apart = (wide - sum(stage.size[0] for stage in stages)) / max(len(stages) - 1, 1)
    boxes, left = [], 0.0
    for stage in stages:
        width, height = stage.size
        boxes.append(Box(left, left + width, middle - height / 2, middle + height / 2))
        left += width + apart
    return boxes


def pipeline_axes(stages: Sequence[Stage], boxes: Sequence[Box], right: float = 0.0) -> tuple[Axis, Axis]:
    """The axes of a square panel around pipelines, with the stages' names below. right: what is left free there."""
    middles = [box.middle[0] for box in boxes[: len(stages)]]
    x = named_below(-1, max(box.right for box in boxes) + 1 + right, middles, [stage.name for stage in stages])
    return x, bare(min(box.low for box in boxes) - 1, max(box.high for box in boxes) + 1)


def named_below(low: float, high: float, places: Sequence[float], names: Sequence[str]) -> Axis:
    """The axis of a drawing whose parts have names below them, but no scale."""
    return ticked(low, high, places, names) | {"showgrid": False, "showline": False, "tickangle": 0}


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


def _rectangle(x: Numbers, y: float, high: float) -> list[tuple[float, float]]:
    """Of a rectangle from x[0] to x[1] around y, from the lower left one on."""
    low, top = y - high / 2, y + high / 2
    return [(x[0], low), (x[1], low), (x[1], top), (x[0], top)]


def window_between(stage: Stage, box: Box, later: Stage, its_box: Box) -> tuple[Box, Box]:
    """The window of a unit in the middle of a map, in the last map of `stage` in the middle row, and that unit."""
    middle, its_middle = ((len(one.maps) // one.across) // 2 for one in (stage, later))
    seen, unit = stage.map_at(box, -1, middle), later.map_at(its_box, 0, its_middle)
    row = later.maps.shape[1] // 2
    stride = stage.maps.shape[1] // later.maps.shape[1]
    start = stride * row - (stage.window - 1) // 2 * (stride == 1)
    return square_in(seen, start, stage.window), square_in(unit, row, 1)


def square_in(place: Box, start: int, side: int) -> Box:
    """The square of pixels from row and column `start` on in a map."""
    left, high = place.left + start, place.high - start
    return Box(left, left + side, high - side, high)


def _corners(box: Box) -> list[tuple[float, float]]:
    return [(box.left, box.low), (box.right, box.low), (box.right, box.high), (box.left, box.high)]


def _gaps(stage: Stage, box: Box) -> list[list[tuple[float, float]]]:
    """The free strips between the maps of a stage, as corners."""
    channels, height, width = stage.maps.shape
    down = -(-channels // stage.across)
    upright = [box.left + k * (width + GAP) for k in range(1, stage.across)]
    level = [box.high - k * (height + GAP) for k in range(1, down)]
    strips = [Box(x - GAP, x, box.low, box.high) for x in upright]
    strips += [Box(box.left, box.right, y, y + GAP) for y in level]
    return [_corners(strip) for strip in strips]


def _across(layers: Sequence[int]) -> np.ndarray:
    """The x of every layer."""
    return np.linspace(0, 1, len(layers))


def _spread(n: int) -> np.ndarray:
    """The y of the n units of a layer, the first on top: a layer of few stands in the middle."""
    half = 0.5 * min(1, (n - 1) / 4)
    return np.linspace(0.5 + half, 0.5 - half, n)


def _zeros(z: np.ndarray) -> np.ndarray:
    """Where z (rows, columns) is 0 between its values, as lines (n, 2, 2) of (column, row): one through each triangle
    whose corners differ in sign, from the zero on one of its sides to the zero on another."""
    rows, columns = np.mgrid[: z.shape[0] - 1, : z.shape[1] - 1]
    found = []
    for triangle in TRIANGLES:
        corners = np.array([(columns + right, rows + up) for up, right in triangle])  # (3, 2, rows, columns)
        values = z[corners[:, 1], corners[:, 0]]
        after, others = np.roll(values, -1, axis=0), np.roll(corners, -1, axis=0)
        changes = (values > 0) != (after > 0)
        along = values / np.where(changes, values - after, 1)
        zeros = corners + along[:, None] * (others - corners)
        cut = changes.any(axis=0)  # two sides then
        found.append(zeros.transpose(2, 3, 0, 1)[cut][changes.transpose(1, 2, 0)[cut]].reshape(-1, 2, 2))
    return np.concatenate(found)
