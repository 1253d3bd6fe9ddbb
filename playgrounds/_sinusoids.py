"""The sinusoidal encoding of positions (Vaswani et al. 2017)."""

import numpy as np

Array = np.ndarray


def frequencies(pairs: int, base: float) -> Array:
    """ω_i = base^(−i/pairs) for i = 0, 1, …: from 1 radian a position down towards 1/base."""
    return base ** (-np.arange(pairs) / pairs)


def sinusoids(positions: Array, pairs: int, base: float) -> Array:
    """PE(p, 2i) = sin(p ω_i), PE(p, 2i + 1) = cos(p ω_i) for positions (n,): shape (n, 2 · pairs)."""
    angles = positions[:, None] * frequencies(pairs, base)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(len(positions), 2 * pairs)


def drawn(pairs: int, most: int = 6) -> Array:
    """The pairs that a picture has room for: from the fastest on, closely, and the slowest."""
    return np.unique([*np.linspace(0, pairs // 3, most - 1).round().astype(int), pairs - 1])
