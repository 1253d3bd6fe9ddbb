"""Every loss over its parameter, scaled so that several stand in one picture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from playgrounds.kit.palette import SERIES
from playgrounds.loss.model import Params, State

COLOURS = dict(zip(("MSE", "MAE", "Huber", "cross-entropy"), SERIES)) | {"squared error": SERIES[0]}


class Curves(NamedTuple):
    """Every loss and its gradient by one parameter; several losses are brought to one height, above their floors."""

    must: tuple[float, ...]  # places that have to be seen
    low: float
    high: float
    x: np.ndarray  # (points,)
    values: np.ndarray  # (losses, points), scaled
    slopes: np.ndarray  # (losses, points), scaled
    zero: np.ndarray  # (losses,) the loss that is drawn at 0
    tall: np.ndarray  # (losses,) what is drawn at 1, above it
    steep: np.ndarray  # (losses,) the gradient that is drawn at 1


def curves(p: Params, states: Sequence[State]) -> Curves:
    first = states[0]
    y, floor, losses = first.y, first.floor, p.shown.values()
    must = (-10.0, 10.0)
    if p.task == "constant":  # the picture stands still while the last target is moved: its first place is in it
        must = (*first.best.ravel(), y.mean() - p.outlier / len(y), p.start_c)
    low, high = reach(must, visited(states), 0.2)
    tiny = 1e-4 * (high - low)
    x = np.sort([*np.linspace(low, high, 241), *np.clip([y - tiny, y + tiny], low, high).ravel()])  # MAE's jumps
    values = np.array([loss.value(x[:, None], y, p.delta) for loss in losses])
    slopes = np.array([loss.gradient(x[:, None], y, p.delta)[:, 0] for loss in losses])
    zero, tall, steep = 0 * floor, np.ones(len(floor)), np.ones(len(floor))
    if p.task == "constant" and len(floor) > 1:  # squares and distances have other units
        zero, tall = floor, np.ptp(values, axis=1) + 1e-300
        steep = np.abs(slopes).max(axis=1) + 1e-300
    values = (values - zero[:, None]) / tall[:, None]
    return Curves(must, low, high, x, values, slopes / steep[:, None], zero, tall, steep)


def visited(states: Sequence[State]) -> np.ndarray:
    """Where the losses have been, (states, losses)."""
    return np.array([state.theta[:, 0] for state in states])


def reach(known: Sequence[float], seen: np.ndarray, margin: float) -> tuple[float, float]:
    """From the smallest to the largest of what must be seen and of what was, unless that is far away."""
    low, high = min(known), max(known)
    wide = (high - low) or 1.0
    low = min(low, max(seen.min(), low - 3 * wide))
    high = max(high, min(seen.max(), high + 3 * wide))
    return round(low - margin * wide, 6), round(high + margin * wide, 6)
