"""What the tests of convolutions share."""

import numpy as np


def conv2d(x: np.ndarray, w: np.ndarray, b: float = 0.0, **settings) -> np.ndarray:
    """The layer of torch: x (C, H, W), w (K, C, f, f)."""
    import torch

    x, w = (torch.from_numpy(np.ascontiguousarray(some, float)) for some in (x, w))
    return torch.nn.functional.conv2d(x[None], w, torch.full((len(w),), b, dtype=x.dtype), **settings)[0].numpy()


def grid(w: np.ndarray) -> str:
    """A kernel as the text of its knob."""
    return ";".join(",".join(f"{v:g}" for v in row) for row in w)
