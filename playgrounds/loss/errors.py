"""The hero of a constant that is fitted: every error as what its loss makes of it, a square, a stick or a wedge."""

import numpy as np

from playgrounds.kit.axes import bare, span
from playgrounds.kit.palette import INK, MUTED
from playgrounds.kit.picture import Panel, Picture
from playgrounds.loss.curves import COLOURS, Curves, reach
from playgrounds.loss.model import Params, State

SHAPES = {"MSE": "squares", "MAE": "distances", "Huber": "capped wedges"}
SIGNS = {"MSE": "■", "MAE": "━", "Huber": "◣"}
FOOT = 0.3  # what is below the line of targets, as a share of its length


def draw_errors(pic: Picture, p: Params, state: State, c: Curves) -> None:
    """The targets on a line; every loss pulls its constant along it. What a loss adds up is drawn to scale.

    Above the line the squares of the errors; below it the errors themselves, and wedges whose areas are Huber's loss.
    """
    y = state.y
    seen = np.array([*y, y[-1] - p.outlier, *c.must])
    low, high = reach(seen.tolist(), seen, 0.05)
    wide = high - low
    foot = FOOT * wide if {"MAE", "Huber"} & p.shown.keys() else 0.06 * wide
    head = 0.95 * wide if "MSE" in p.shown else 0.06 * wide
    panel = pic.panel("targets", "", span(low, high, "● targets", ticks=6), bare(-foot, head), square=True, tall=300)
    for i, name in enumerate(p.shown):
        at = float(np.clip(state.theta[i, 0], low, high))
        panel.key(SIGNS[name], f"{name}: {SHAPES[name]}", COLOURS[name])
        if name == "MSE":
            draw_squares(panel, y, at, head)
        elif name == "MAE":
            draw_sticks(panel, y, at, foot)
        else:
            draw_wedges(panel, y, at, p.delta, foot)
    panel.level(0, MUTED, "solid")
    panel.points(y, 0 * y, "", INK, size=10, hover="target %{x}")
    for i, name in enumerate(p.shown):
        panel.dot(float(np.clip(state.theta[i, 0], low, high)), 0, COLOURS[name], 18)


def draw_squares(panel: Panel, y: np.ndarray, at: float, head: float) -> None:
    """A square on the way from the constant to each target: the mean of their areas is the loss."""
    colour = COLOURS["MSE"]
    for target in y:
        side = abs(target - at)
        panel.block((min(at, target), max(at, target)), (0, side), colour, opacity=0.25)
        panel.frame((min(at, target), max(at, target)), (0, side), colour, 1.5)
    panel.line((at, 0), (at, head), colour, 3)


def draw_sticks(panel: Panel, y: np.ndarray, at: float, foot: float) -> None:
    """The way from the constant to each target: the mean of their lengths is the loss."""
    colour = COLOURS["MAE"]
    width = 4 if len(y) <= 10 else 1.5
    for k, target in enumerate(y, start=1):
        down = -foot * k / (len(y) + 1)
        panel.line((at, down), (target, down), colour, width)
    panel.line((at, 0), (at, -foot), colour, 3)


def draw_wedges(panel: Panel, y: np.ndarray, at: float, delta: float, foot: float) -> None:
    """Below the way to each target a wedge as deep as it is long, but at most δ: its area is Huber's loss."""
    colour = COLOURS["Huber"]
    for target in y:
        length, side = abs(target - at), 1 if target > at else -1
        deep = min(length, delta)
        x = [at, at + side * deep, target, target]
        panel.shape_of(np.column_stack([x, [0, -deep, -deep, 0]]), colour, 1.5, fill=colour, opacity=0.25)
    panel.line((at, 0), (at, -foot), colour, 3)
