"""The receptive field: where the gradient of one output unit is not 0, layer by layer back to the input."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob

MOST = 127  # pixels: a layer that would make the region wider is left out of the stack
WEAK = 0.0455  # of the largest gradient: what is weaker does not count as effective, Luo et al. 2016, section 4


class Layer(NamedTuple):
    name: str  # conv 1, pool 1, conv 2, …
    kernel: int
    stride: int
    dilation: int


class Params(kit.Params):
    layers: int = knob(2, 1, 20, label="Convolutional layers")
    kernel: int = knob(3, 1, 7, label="Kernel size k", help="a kernel has k × k weights")
    stride: int = knob(1, 1, 4, label="Stride s")
    pool: bool = knob(False, label="Pooling", help="after each convolution the average of 2 × 2 units, at stride 2")
    weights: Literal["ones", "random"] = knob("ones", label="Weights", help="with ones the gradient counts paths")
    channels_in: int = knob(1, 1, 64, label="Input channels", help="1: grey, 3: RGB")
    channels: int = knob(8, 1, 64, label="Channels C", help="of every layer")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights", when=lambda p: p.weights == "random")
    dilation: Literal["1", "2", "3", "doubling"] = knob("1", label="Dilation d", help="doubling: 1, 2, 4, …", more=True)
    nets: int = knob(50, 1, 100, label="Nets averaged", more=True, when=lambda p: p.weights == "random")

    @property
    def stack(self) -> list:
        """Its Layers from the input up, as many as fit, at least one."""
        stack: list[Layer] = []
        for n in range(1, self.layers + 1):
            d = 2 ** (n - 1) if self.dilation == "doubling" else int(self.dilation)
            taller = [*stack, Layer(f"conv {n}", self.kernel, self.stride, d)]
            if self.pool:
                taller.append(Layer(f"pool {n}", kernel=2, stride=2, dilation=1))
            if stack and closed_form(taller) > MOST:
                break
            stack = taller
        return stack

    @property
    def length(self) -> int:
        return len(self.stack) + 1


class State(NamedTuple):
    step: int  # layers gone back
    region: Annotated[int, Metric("region, a side", "count", shown=True)]  # from the first to the last gradient not 0
    reached: Annotated[int, Metric("units with a gradient", "count")]  # in two dimensions; at the input: pixels
    effective_side: Annotated[float, Metric("effective size, a side")]  # √(units above WEAK of the largest gradient)
    stack_weights: Annotated[int, Metric("weights of the stack", "count", shown=True)]
    single_weights: Annotated[int, Metric("weights of one filter as large", "count", shown=True)]
    gradient: np.ndarray  # (side, side), mean |gradient| of the output unit for the units of the layer reached


def closed_form(stack: Sequence[Layer]) -> int:
    """r = 1 + Σ d (k - 1) · (product of the strides below), in units of what the stack reads."""
    r, jump = 1, 1
    for layer in stack:
        r += layer.dilation * (layer.kernel - 1) * jump
        jump *= layer.stride
    return r


def jumps(stack: Sequence[Layer]) -> list[int]:
    """Pixels between neighbouring units of the input and of every layer: the product of the strides below."""
    return [prod(layer.stride for layer in stack[:n]) for n in range(len(stack) + 1)]


def back(g: np.ndarray, w: np.ndarray, layer: Layer) -> np.ndarray:
    """The gradient for a layer's inputs: g (nets, side, side) for its outputs, w (nets or 1, k, k) its weights.

    Output unit (y, x) has read input (s y + d i, s x + d j) with weight w[i, j]; there its gradient goes back to.
    """
    k, s, d = layer.kernel, layer.stride, layer.dilation
    reach = s * (g.shape[1] - 1) + 1
    below = np.zeros((len(g), reach + d * (k - 1), reach + d * (k - 1)))
    for i in range(k):
        for j in range(k):
            below[:, d * i : d * i + reach : s, d * j : d * j + reach : s] += g * w[:, i, j, None, None]
    return below


def filters(p: Params) -> list[int]:
    """Weights of every convolution, without biases: the first reads the input's channels, the others C."""
    depth = sum(layer.name.startswith("conv") for layer in p.stack)
    return [p.kernel**2 * (p.channels if n else p.channels_in) * p.channels for n in range(depth)]


def spread(p: Params, now: int) -> float:
    """Variance of the gradient's profile, in units of the layer reached.

    A path adds independent offsets, uniform on k taps, so their variances d² (k² - 1) / 12 add. With random weights the
    number of paths is the variance of the gradient, so |gradient| goes like its root: twice the variance.
    """
    variance = 0.0
    for layer in p.stack[::-1][:now]:
        variance = variance * layer.stride**2 + layer.dilation**2 * (layer.kernel**2 - 1) / 12
    return variance * (2 if p.weights == "random" else 1)


def middle(state: State) -> np.ndarray:
    """The row of the gradient next to the middle that is not empty, shape (side,)."""
    rows = np.flatnonzero(state.gradient.any(axis=1))
    return state.gradient[rows[np.abs(rows - (len(state.gradient) - 1) / 2).argmin()]]


def run(p: Params) -> Iterator[State]:
    """The gradient of one output unit, one layer back a state."""
    rng = np.random.default_rng(p.seed)
    nets = p.nets if p.weights == "random" else 1
    stack_weights = sum(filters(p))
    single_weights = closed_form(p.stack) ** 2 * p.channels_in * p.channels
    g = np.ones((nets, 1, 1))
    for step in range(len(p.stack) + 1):
        if step:
            layer = p.stack[-step]
            w = np.ones((1, layer.kernel, layer.kernel))  # average pooling has these times ¼, left out to count paths
            if p.weights == "random" and layer.name.startswith("conv"):
                w = rng.normal(size=(nets, layer.kernel, layer.kernel))
            g = back(g, w, layer)
        mean = np.abs(g).mean(axis=0)
        hit = np.flatnonzero(mean.any(axis=0))
        yield State(
            step=step,
            region=int(hit[-1] - hit[0] + 1),
            reached=int((mean > 0).sum()),
            effective_side=float(np.sqrt((mean > WEAK * mean.max()).sum())),
            stack_weights=stack_weights,
            single_weights=single_weights,
            gradient=mean,
        )
