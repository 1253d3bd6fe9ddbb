"""The verbs of a panel for things that are drawn rather than plotted: nets, pipelines of feature maps, cells, arcs.

They are made of what moves at no cost (kit/moving.py), so that a diagram may change from frame to frame.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from playgrounds.kit.figures import Numbers
from playgrounds.kit.moving import Moving
from playgrounds.kit.palette import INK, MUTED


class Diagrams(Moving):
    """Part of a Panel (kit/picture.py)."""

    def pipe(self, points: Any, wide: float, colour: str) -> None:
        """A band through points (n, 2) that turns at right angles, `wide` in units of a square panel; 0: nothing."""
        if wide <= 0:
            return
        points = np.asarray(points, float)
        half = wide / 2
        parts: list[list[tuple[float, float]]] = []
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
