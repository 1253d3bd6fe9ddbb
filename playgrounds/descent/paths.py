"""The hero of a descent: the loss as a landscape, and the way that every optimizer has gone over it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from playgrounds._surfaces import SURFACES
from playgrounds.descent.model import Params, State, gradient_of, loss_of
from playgrounds.kit.axes import Axis, span
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.picture import Panel
from playgrounds.kit.words import number

NAMES = ("GD", "momentum", "Nesterov", "RMSProp", "Adam", "AdamW")
LOOKS = dict(zip(NAMES, SERIES, strict=True))  # colours
SPAN = 2.3  # the pictures show weights from -SPAN to SPAN
TAIL, BEADS = 300, 60  # steps of the path behind each point, and those of them that are marked


def weights_axes(p: Params) -> tuple[Axis, Axis]:
    """Both weights, or the only one and the loss."""
    if p.surface == "bowl":
        top = top_of_bowl(p)
        return span(-SPAN, SPAN, "weight w"), span(-0.05 * top, top, "loss")
    return span(-SPAN, SPAN, "weight w₁"), span(-SPAN, SPAN, "weight w₂")


def top_of_bowl(p: Params) -> float:
    return float(10.0**p.scale * SPAN**2 / 2)


def size(p: Params) -> np.ndarray:
    """Half the width of the picture, and half its height or the height of the bowl."""
    return np.array([SPAN, top_of_bowl(p) if p.surface == "bowl" else SPAN])


def draw_ground(surface: Panel, p: Params) -> None:
    """The curve of a loss over one weight, the contours of a loss over two, its formula, a cross at each minimum."""
    one = SURFACES[p.surface]
    if p.surface == "bowl":
        w = np.linspace(-SPAN, SPAN, 81)
        surface.curve(w, loss_of(p, w[:, None]), "loss", MUTED, key=False, hover="")
    else:
        levels: dict[str, Any] = {"coloring": "fill", "start": 0.06, "end": 0.96, "size": 0.045}
        surface.contours(*heights(p.surface, p.condition), levels, colorscale=[[0, PAPER], [1, FAINT]])
    formula = one.formula.replace("κ", str(p.condition))
    times = f"{number(10.0**p.scale)} · " if p.scale else ""
    surface.mark(0, size(p)[1], f"L = {times}{formula}", INK, yanchor="top", yshift=-4)
    at = np.array([[*w, 0.0][:2] for w in one.minima])  # over one weight: at loss 0
    cross = {"line": {"width": 1.5, "color": INK}}
    surface.points(*at.T, "minimum", INK, symbol="cross-thin", marker=cross, hover="", key=False)


@lru_cache(maxsize=32)
def heights(surface: str, condition: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and the cube root of the loss as a share of its largest: contours differ by the same step of it."""
    x, y = np.linspace(-SPAN, SPAN, 81), np.linspace(-SPAN, SPAN, 161)
    z = np.cbrt(SURFACES[surface].loss(np.stack(np.meshgrid(x, y), axis=-1), condition))
    return x, y, (z / z.max()).round(3)


def draw_paths(surface: Panel, p: Params, states: Sequence[State], state: State) -> None:
    """The way of every optimizer with a bead for each step, the last step in full, and its name at its end."""
    path = np.concatenate([s.path for s in states])  # (steps, optimizers, weights)
    now, ends = state.step, []
    for i, name in enumerate(p.optimizers):
        colour, way = LOOKS[name], within(p, path[:, i], 5)
        surface.curve(*way.T, name, colour, width=1, opacity=0.4, hover="", key=i < 3, later=True)
        surface.strokes([way[max(0, now + 1 - TAIL) : now + 1]], colour, 1.5)
        surface.strokes(beads(p, way[max(0, now + 1 - BEADS) : now + 1]), colour, 0, fill=colour)
        surface.path(*way[max(0, now - 1) : now + 1].T, colour, 5)
        ends.append(within(p, path[[now], i], 1)[0])
    if p.surface == "bowl" and len(p.optimizers) == 1:
        draw_slope(surface, p, ends[0][0])
    for name, end in reversed([*zip(p.optimizers, ends, strict=True)]):  # the first one on top
        surface.dot(*end, LOOKS[name])
    if len(p.optimizers) > 1:
        draw_names(surface, p, ends)


def beads(p: Params, way: np.ndarray) -> np.ndarray:
    """A small diamond around every point of a way (steps, 2): (steps, 4, 2)."""
    corners = 0.016 * size(p) * [(1, 0), (0, 1), (-1, 0), (0, -1)]
    return way[:, None] + corners * ([1, 0.5] if p.surface == "bowl" else [1, 1])  # of a bowl only one side is shown


def draw_slope(surface: Panel, p: Params, w: float) -> None:
    """The tangent where the ball is: the step goes against its slope."""
    loss, slope = loss_of(p, np.array([w])), gradient_of(p, np.array([w]))[0]
    half = 0.3 * SPAN / np.hypot(1, slope * SPAN / top_of_bowl(p))
    surface.line((w - half, loss - slope * half), (w + half, loss + slope * half), INK, 1.5)
    surface.key("╱", "slope")


def draw_names(surface: Panel, p: Params, ends: list[np.ndarray]) -> None:
    """The name of every optimizer beside its point, one below the other where they would overlap."""
    wide, tall = size(p)
    gap = 0.13 * tall * (0.5 if p.surface == "bowl" else 1)
    placed: list[tuple[float, float]] = []
    for x, y, name in sorted(
        ((*end, name) for end, name in zip(ends, p.optimizers, strict=True)), key=lambda one: -one[1]
    ):
        for other_x, other_y in placed:
            if abs(x - other_x) < 0.45 * wide and y > other_y - gap:
                y = other_y - gap
        placed.append((x, y))
        left = x > 0.55 * wide
        surface.text(x + (-0.05 if left else 0.05) * wide, y, name, INK, place="left" if left else "right")


def within(p: Params, path: np.ndarray, most: float) -> np.ndarray:
    """Where path of shape (steps, weights) stands in the picture, (steps, 2).

    What is further out than `most` times the picture's edge is drawn there, in its direction from the middle.
    """
    if p.surface == "bowl":
        path = np.stack([path[:, 0], loss_of(p, path)], axis=1)
    far = np.abs(path / size(p)).max(axis=1, keepdims=True)
    return path * (most / np.maximum(far, most))
