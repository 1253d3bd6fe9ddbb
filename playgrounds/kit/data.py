"""Data sets that several playgrounds share. Plain functions, so that exported code can carry them along."""

import numpy as np


def plane(name: str, n: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two classes in the plane: points of shape (n, 2), about within [-1, 1], and labels 0.0 or 1.0 of shape (n,).

    xor      label 1 where the signs of the coordinates differ
    corners  the four corners of XOR, n / 4 points on each, moved only by the noise
    circles  a ring around a disc
    moons, blobs  scikit-learn's make_moons and two normal clouds
    spirals  two arms of one and a half turns

    noise: standard deviation of a normal shift, 0 to 0.5.
    """
    half = n // 2
    y = np.arange(n) % 2.0
    if name == "xor":
        x = rng.uniform(-1, 1, (n, 2))
        x += 0.06 * np.sign(x)  # a gap along the axes, so that the classes do not touch
        y = (x[:, 0] * x[:, 1] < 0).astype(float)
    elif name == "corners":
        x = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)])[np.arange(n) % 4] * 0.8
    elif name == "circles":
        angle = rng.uniform(0, 2 * np.pi, n)
        radius = np.where(y == 1, rng.uniform(0, 0.4, n), rng.uniform(0.7, 1, n))
        x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    elif name == "moons":
        from sklearn.datasets import make_moons

        x, y = make_moons((n - half, half), random_state=int(rng.integers(2**31)))
        x, y = (x - (0.5, 0.25)) / (1.4, 1.0), y.astype(float)
    elif name == "blobs":
        x = rng.normal(0, 0.16, (n, 2)) + np.where(y == 1, 0.45, -0.45)[:, None]
    elif name == "spirals":
        t = rng.uniform(0.08, 1, n)
        angle = 3 * np.pi * t + np.pi * y
        x = t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    else:
        raise ValueError(f"no data set called {name!r}")
    return x + rng.normal(0, 1, (n, 2)) * noise, y


def grid(n: int, span: float) -> np.ndarray:
    """The middles of n * n cells of the square from -span to span, row by row from below, shape (n * n, 2)."""
    side = (np.arange(n) + 0.5) / n * 2 * span - span
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
