"""The sinusoidal encoding, position by position: what a shift does to it, and what its dot products depend on."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._sinusoids import frequencies, sinusoids
from playgrounds.kit import Metric, knob

Array = np.ndarray


class Params(kit.Params):
    pairs: int = knob(16, 1, 32, label="Frequencies d/2", help="a sine and a cosine of each make the width d")
    base: float = knob(10000.0, 1, 1e6, label="Base", help="frequencies fall from 1 towards 1/base", log=True)
    offset: int = knob(5, 0, 40, label="Offset k", help="compared: the positions p and p + k")
    positions: int = knob(64, 8, 128, label="Length", help="positions")

    @property
    def length(self) -> int:
        return self.positions


class State(NamedTuple):
    step: int  # the position p
    dot: Annotated[float, Metric("PE(p) · PE(p + k)", digits=4, shown=True)]
    spread: Annotated[float, Metric("spread of that product over the positions so far", shown=True)]
    squared: Annotated[float, Metric("|PE(p)|²", digits=4)]
    shift_error: Annotated[float, Metric("largest error of the turned PE(p) so far", shown=True)]
    rises: Annotated[float, Metric("offsets at which the product rises", "count")]
    pe: Array  # (positions, d)


def turned(pe: Array, offset: int, base: float) -> Array:
    """R PE: every pair (sin, cos) of pe, shape (…, d), turned by offset times its frequency."""
    sin, cos = pe[..., ::2], pe[..., 1::2]
    angle = offset * frequencies(sin.shape[-1], base)
    sin_turned = sin * np.cos(angle) + cos * np.sin(angle)
    cos_turned = cos * np.cos(angle) - sin * np.sin(angle)
    return np.stack([sin_turned, cos_turned], axis=-1).reshape(pe.shape)


def closed_form(offsets: Array, pairs: int, base: float) -> Array:
    """PE(p) · PE(p + k) = Σ sin a sin b + cos a cos b = Σ cos(k ω), whatever the position p."""
    return np.cos(offsets[:, None] * frequencies(pairs, base)).sum(axis=1)


def run(p: Params) -> Iterator[State]:
    """A position a state."""
    pe = sinusoids(np.arange(p.positions), p.pairs, p.base)
    products = closed_form(np.arange(p.positions), p.pairs, p.base)
    rises = float((np.diff(products) > 1e-9).sum())
    dots, worst = [], 0.0
    for position in range(p.positions):
        (later,) = sinusoids(np.array([position + p.offset]), p.pairs, p.base)
        error = np.abs(later - turned(pe[position], p.offset, p.base)).max()
        worst = max(worst, float(error))
        dots.append(float(pe[position] @ later))
        yield State(
            step=position,
            dot=dots[-1],
            spread=max(dots) - min(dots),
            squared=float(pe[position] @ pe[position]),
            shift_error=worst,
            rises=rises,
            pe=pe,
        )
