"""The verbs of a panel for things that are drawn rather than plotted: nets, pipelines of feature maps, cells, arcs.

They are made of what moves at no cost (kit/moving.py), so that a diagram may change from frame to frame.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from playgrounds.kit.figures import Numbers
from playgrounds.kit.moving import Moving
from playgrounds.kit.palette import BLUE, FAINT, INK, ORANGE


class Diagrams(Moving):
    """Part of a Panel (kit/picture.py)."""

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


def _across(layers: Sequence[int]) -> np.ndarray:
    """The x of every layer."""
    return np.linspace(0, 1, len(layers))


def _spread(n: int) -> np.ndarray:
    """The y of the n units of a layer, the first on top: a layer of few stands in the middle."""
    half = 0.5 * min(1, (n - 1) / 4)
    return np.linspace(0.5 + half, 0.5 - half, n)


TRIANGLES = (((0, 0), (0, 1), (1, 1)), ((0, 0), (1, 1), (1, 0)))  # a cell's corners as (row, column), cut into two


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
