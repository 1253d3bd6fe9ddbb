"""What very wide nets do."""

from functools import lru_cache
from math import sqrt

import numpy as np

from playgrounds.depth_signal.model import KIT, Kind, Params, deviation
from playgrounds.kit.nn import ACTIVATIONS


@lru_cache(maxsize=32)
def theory(p: Params, kind: Kind) -> list[float]:
    """Mean squares of the activations of very wide layers: z is normal with variance fan-in · Var(w) · E h²."""
    u = np.linspace(-8, 8, 2000)
    density = np.exp(-u * u / 2) / np.exp(-u * u / 2).sum()
    f, squares = ACTIVATIONS[KIT[kind.activation]], [1.0]
    for layer, fan_in in enumerate(p.widths[:-1], start=1):
        z = deviation(p, kind, layer) * sqrt(fan_in * squares[-1]) * u
        squares.append(float(density @ f(z) ** 2))
    return squares
