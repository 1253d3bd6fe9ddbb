"""Several filters read the three channels of a picture: every filter adds up its channels and makes one map."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds._maps import (
    KERNELS,
    Pictured,
    Places,
    colours,
    convolve,
    has_seen_padding,
    map_shape,
    padded,
    side_of,
    unread,
    window,
)
from playgrounds.kit import Metric, knob
from playgrounds.kit.forms import matrix

FILTERS = ("Sobel x", "Sobel y", "outline", "blur", "emboss", "red − blue")
SHAPE = (3, 3)  # rows and columns of every filter


class Params(Pictured):
    filters: tuple[Literal[FILTERS], ...] = knob(FILTERS, label="Filters")
    padding: int = knob(0, 0, 4, label="Padding P", help="rings of zeros")
    stride: int = knob(1, 1, 4, label="Stride S", help="pixels to the next window")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the picture", when=lambda p: p.picture == "noise")
    dilation: int = knob(1, 1, 3, label="Dilation", help="pixels from one weight of a filter to the next", more=True)

    @property
    def places(self) -> tuple:
        """The Places of the windows."""
        return Places(self.padding, self.stride, self.dilation)

    @property
    def length(self) -> int:
        rows, _ = map_shape((side_of(self), side_of(self)), SHAPE, self.places)
        return max(1, rows)


class State(NamedTuple):
    step: int  # rows computed
    width: Annotated[int, Metric("columns of a map", "count", shown=True)]
    border: Annotated[float | None, Metric("values that have seen padding", "%")]
    unread: Annotated[int, Metric("pixels never read", "count")]
    maps: Annotated[int, Metric("maps", "count", shown=True)]
    values: Annotated[int, Metric("values of all maps", "count")]
    parameters: Annotated[int, Metric("parameters of the convolution", "count", shown=True)]
    dense_parameters: Annotated[int, Metric("parameters of a dense layer in its place", "count")]
    at: tuple[int, int]  # row and column of the newest outputs
    answers: np.ndarray  # (K,) the filters' outputs there
    x: np.ndarray  # (3, H, W) the picture's red, green and blue, with padding
    w: np.ndarray  # (K, 3, 3, 3) the filters: a slice for each channel
    y: np.ndarray  # (K, rows, columns) the whole maps


def bank(names: Sequence[str]) -> np.ndarray:
    """Filters (K, 3, 3, 3): one slice for each channel, all three alike but in the filter that compares colours."""
    centre = matrix(KERNELS["identity"])
    slices = {name: [matrix(KERNELS[name])] * 3 for name in FILTERS if name in KERNELS}
    slices["red − blue"] = [centre, 0 * centre, -centre]
    return np.array([slices[name] for name in names])


def run(p: Params) -> Iterator[State]:
    """A row of every map a state; all filters answer at every position."""
    x, w = colours(p), bank(p.filters)
    y = convolve(x, w, p.places)
    seen = has_seen_padding(np.zeros(x.shape[1:], bool), SHAPE, p.places)
    around = padded(x, p.padding)
    known = State(
        step=0,
        width=y.shape[2],
        border=float(seen.mean()) if seen.size else None,
        unread=unread(x.shape[1], SHAPE, p.places),
        maps=len(w),
        values=y.size,
        parameters=w.size + len(w),
        dense_parameters=(x.size + 1) * y.size,
        at=(0, 0),
        answers=np.zeros(len(w)),
        x=around,
        w=w,
        y=y,
    )
    if not y.size:  # no position fits
        yield known
        return
    for i in range(y.shape[1]):
        j = int(np.abs(y[0, i]).argmax())  # the place with the first filter's strongest answer
        products = window(around, i, j, SHAPE, p.places) * w
        yield known._replace(step=i + 1, at=(i, j), answers=products.sum(axis=(1, 2, 3)))
