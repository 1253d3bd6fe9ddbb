"""Layers in a row, each with the same kernel: what they do to the size of the map, and what padding does to it."""

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
    picture,
    side_of,
)
from playgrounds.kit import Metric, knob


class Params(Pictured):
    kernel: Literal["own", *KERNELS] = knob("Sobel x", label="Kernel")
    grid: str = knob("1,2;3,4", 1, 5, form="matrix", label="Your kernel", when=lambda p: p.kernel == "own")
    layers: int = knob(13, 1, 20, label="Layers")
    padding: int = knob(0, 0, 4, label="Padding P", help="rings of zeros, in every layer")
    stride: int = knob(1, 1, 4, label="Stride S", help="pixels to the next window")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the picture", when=lambda p: p.picture == "noise")
    dilation: int = knob(1, 1, 3, label="Dilation", help="pixels from one weight of the kernel to the next", more=True)

    @property
    def places(self) -> tuple:
        """The Places of the windows."""
        return Places(self.padding, self.stride, self.dilation)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Rows and columns of the picture and of the map after every layer, as many layers as fit."""
        sizes = [(side_of(self), side_of(self))]
        for _ in range(self.layers):
            size = map_shape(sizes[-1], kernel_of(self).shape, self.places)
            if size == (0, 0):
                break
            sizes.append(size)
        return sizes

    @property
    def length(self) -> int:
        return len(self.sizes)


class State(NamedTuple):
    step: int  # layers passed
    width: Annotated[int, Metric("columns of the map", "count", shown=True)]
    border: Annotated[float, Metric("values that have seen padding", "%", shown=True)]  # here or in a layer before
    parameters: Annotated[int, Metric("parameters of these layers", "count", shown=True)]
    dense_parameters: Annotated[int, Metric("parameters of dense layers in their place", "count")]
    region: Annotated[int, Metric("receptive field, a side", "count")]  # columns of the picture that a value depends on
    y: np.ndarray  # (rows, columns) the map
    seen: np.ndarray  # (rows, columns) which of its values have seen padding


def run(p: Params) -> Iterator[State]:
    """The same kernel applied again and again, a layer a state."""
    w = kernel_of(p)
    y = picture(p)
    seen = np.zeros(y.shape, bool)
    dense = 0
    region, jump = 1, 1  # jump: pixels of the picture between neighbouring values of the map
    for layer in range(len(p.sizes)):
        if layer:
            x = y
            y = convolve(x[None], w[None, None], p.places)[0]
            seen = has_seen_padding(seen, w.shape, p.places)
            dense += (x.size + 1) * y.size
            region += p.dilation * (w.shape[1] - 1) * jump
            jump *= p.stride
        yield State(
            step=layer,
            width=y.shape[1],
            border=float(seen.mean()),
            parameters=layer * (w.size + 1),
            dense_parameters=dense,
            region=region,
            y=y,
            seen=seen,
        )
