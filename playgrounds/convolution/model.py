"""One kernel slides over a picture: at each place the products of pixels and weights are added up."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds._maps import (
    KERNELS,
    Pictured,
    Places,
    convolve,
    has_seen_padding,
    kernel_of,
    map_shape,
    padded,
    picture,
    side_of,
    unread,
    window,
)
from playgrounds.kit import Metric, knob

CELLS = 100  # outputs up to which each is a step; of larger maps a step is a row


class Params(Pictured):
    kernel: Literal["own", *KERNELS] = knob("Sobel x", label="Kernel")
    grid: str = knob("1,2;3,4", 1, 5, form="matrix", label="Your kernel", when=lambda p: p.kernel == "own")
    padding: int = knob(0, 0, 4, label="Padding P", help="rings of zeros")
    stride: int = knob(1, 1, 4, label="Stride S", help="pixels to the next window")
    flip: bool = knob(False, label="Flip the kernel", help="the convolution of mathematics; libraries do not flip")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the picture", when=lambda p: p.picture == "noise")
    bias: float = knob(0.0, -20, 20, step=0.5, label="Bias b", more=True)
    dilation: int = knob(1, 1, 3, label="Dilation", help="pixels from one weight of the kernel to the next", more=True)

    @property
    def places(self) -> tuple:
        """The Places of the windows."""
        return Places(self.padding, self.stride, self.dilation)

    @property
    def weights(self) -> np.ndarray:
        """The kernel (rows, columns) that slides."""
        w = kernel_of(self)
        return w[::-1, ::-1] if self.flip else w

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return map_shape((side_of(self), side_of(self)), self.weights.shape, self.places)

    @property
    def by_row(self) -> bool:
        """Whether a step is a row of the map, and not one output."""
        rows, columns = self.size
        return rows * columns > CELLS

    @property
    def length(self) -> int:
        rows, columns = self.size
        return max(1, rows if self.by_row else rows * columns)


class State(NamedTuple):
    step: int  # outputs or rows computed
    output: Annotated[float | None, Metric("newest output", digits=6, shown=True)]
    width: Annotated[int, Metric("columns of the map", "count", shown=True)]
    border: Annotated[float | None, Metric("values that have seen padding", "%")]
    unread: Annotated[int, Metric("pixels never read", "count", shown=True)]
    parameters: Annotated[int, Metric("parameters of the convolution", "count")]
    dense_parameters: Annotated[int, Metric("parameters of a dense layer in its place", "count")]
    at: tuple[int, int]  # row and column of the newest output
    x: np.ndarray  # (H, W) the picture, with its padding
    w: np.ndarray  # (f, g) the kernel
    y: np.ndarray  # (rows, columns) the whole map


def run(p: Params) -> Iterator[State]:
    """One output a state, or a row of them with its strongest one."""
    x, w = picture(p), p.weights
    y = convolve(x[None], w[None, None], p.places)[0] + p.bias
    seen = has_seen_padding(np.zeros(x.shape, bool), w.shape, p.places)
    around = padded(x[None], p.padding)
    known = State(
        step=0,
        output=None,
        width=y.shape[1],
        border=float(seen.mean()) if seen.size else None,
        unread=unread(len(x), w.shape, p.places),
        parameters=w.size + 1,
        dense_parameters=(x.size + 1) * y.size,
        at=(0, 0),
        x=around[0],
        w=w,
        y=y,
    )
    if not y.size:  # no position fits
        yield known
        return
    for step in range(1, p.length + 1):
        if p.by_row:
            i, j = step - 1, int(np.abs(y[step - 1]).argmax())
        else:
            i, j = divmod(step - 1, y.shape[1])
        products = window(around, i, j, w.shape, p.places)[0] * w
        yield known._replace(step=step, at=(i, j), output=float(products.sum() + p.bias))
