"""What training loops share: which of their steps a film keeps, and whether they still compute with numbers."""

from math import ceil

import numpy as np

MOST = 300  # steps that are kept, the start apart


def kept(steps: int, most: int = MOST) -> list[int]:
    """The steps of a run from 0 to `steps` that become states: all of them up to `most`, else every 2nd, 3rd, …

    The first and the last are always among them.
    """
    stride = max(1, ceil(steps / most))
    return [*range(0, steps, stride), steps]


def finite(*values: np.ndarray | float, most: float = 1e100) -> bool:
    """Whether all numbers are finite and their sizes below `most`: beyond it a run has diverged."""
    return all(bool((np.abs(np.asarray(v, float)) < most).all()) for v in values)  # nan is below nothing
