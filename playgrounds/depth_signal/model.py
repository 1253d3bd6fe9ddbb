"""Deep random nets: a forward pass up, a backward pass down, gradient descent; what each initialization keeps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from math import log, sqrt
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import ACTIVATIONS, SLOPES, binary_cross_entropy, he_std, sigmoid, xavier_std
from playgrounds.kit.training import finite

EXAMPLES = 128  # in the one batch; a quarter of them is class 1
GUESS = -0.25 * log(0.25) - 0.75 * log(0.75)  # 0.562, the loss of giving every example the probability of a quarter
MOST_WEIGHTS = 1_200_000  # that are trained, over all compared nets: more would take too long
BINS, SEEN, TINY = 40, 16, 1e-300  # bins of a histogram; examples counted in it; no divisor is smaller
KIT = {"ReLU": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "linear": "identity"}  # the kit's names of activations
RANGES = {"ReLU": (0, 3), "sigmoid": (0, 1), "tanh": (-1, 1), "linear": (-3, 3)}  # of a histogram


class Kind(NamedTuple):  # of one of the compared nets
    activation: str
    init: str
    gain: float


class Params(kit.Params):
    activation: tuple[Literal["ReLU", "sigmoid", "tanh", "linear"], ...] = knob(("ReLU",), label="Activation")
    init: Literal["1/n", "Xavier", "He", "chosen"] = knob(
        "He", label="Initialization", help="Var(w): 1/n is 1/fan-in (LeCun), Xavier 2/(fan-in + fan-out), He 2/fan-in"
    )
    versus: Literal["none", "1/n", "Xavier", "He", "chosen"] = knob("Xavier", label="Compared with")
    depth: int = knob(20, 2, 50, label="Layers")
    width: int = knob(256, 16, 512, label="Width n", help="units of a layer", log=True)
    train: int = knob(0, 0, 200, label="Training steps", help="of gradient descent, after the signal came back", step=5)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights, the inputs and their classes")
    rate: float = knob(0.1, 0.001, 10, label="Learning rate η", log=True, when=lambda p: p.train > 0)
    sd: float = knob(
        0.01, 0.01, 1, label="Standard deviation of w", log=True, when=lambda p: "chosen" in (p.init, p.versus)
    )
    nets: int = knob(1, 1, 5, label="Random nets", help="a curve of the signal each, and their median", more=True)
    gain: float = knob(
        1.0,
        0.5,
        5,
        label="Gain g",
        log=True,
        more=True,
        help="times the standard deviation, but not of what is compared; 5/3 is for tanh",
    )
    shape: Literal["square", "funnel"] = knob(
        "square", label="Layers are", more=True, help="funnel: the width falls to an eighth, by the same factor in each"
    )
    gradient: Literal["dL/dW", "dL/dz"] = knob("dL/dW", label="Gradient", help="for weights or for z", more=True)

    @property
    def widths(self) -> list[int]:
        """Units of the inputs and of each layer."""
        end = 1 / 8 if self.shape == "funnel" else 1
        return [round(self.width * end ** (k / self.depth)) for k in range(self.depth + 1)]

    @property
    def compared(self) -> list[Kind]:
        """All nets: those under the first initialization come first."""
        kinds = [Kind(activation, self.init, self.gain) for activation in self.activation]
        if self.versus != "none":
            kinds += [Kind(activation, self.versus, 1.0) for activation in self.activation]
        return kinds

    @property
    def weights(self) -> int:
        return len(self.compared) * sum(n * m for n, m in zip(self.widths, self.widths[1:], strict=False))

    @property
    def trains(self) -> bool:
        return self.train > 0 and self.weights <= MOST_WEIGHTS

    @property
    def length(self) -> int:
        return 1 + 2 * self.depth + self.train * self.trains


class Up(NamedTuple):  # of the first compared net, on its way through one layer
    by_weights: float  # mean square of z over that of the activations below
    by_activation: float  # mean square of h over that of z
    zeros: float  # share of the h that are 0
    spread: float  # standard deviation of h between examples, mean over the units


class Down(NamedTuple):
    layer: int
    slope: float  # root mean square of f'(z)
    factor: float  # size of dL/dz over that in the layer above


class Trained(NamedTuple):
    steps: int
    right: np.ndarray  # share of the examples on the right side, (compared,)
    diverged: bool = False


class State(NamedTuple):
    step: int
    smallest_signal: Annotated[
        float, Metric("weakest signal arriving, mean square", shown=True)
    ]  # in the highest layer reached
    largest_signal: Annotated[float, Metric("strongest signal arriving, mean square")]
    gradient_ratio: Annotated[float | None, Metric("gradient in the lowest layer, last layer = 1", shown=True)]
    first_moved: Annotated[float | None, Metric("layer 1 has moved, its size = 1", shown=True)]  # the smallest
    worst_loss: Annotated[float | None, Metric("highest loss on the training batch", digits=4)]
    first_sd: Annotated[float, Metric("standard deviation of the first weights of layer 1")]  # of the first net
    passed: Up | Down | Trained | None  # what has happened since the state before
    signal: np.ndarray  # (compared, nets, layers reached + 1): mean squares of the activations
    gradients: np.ndarray  # (compared, depth): root mean squares, nan where it has not come yet
    moved: np.ndarray  # (compared, depth): size of the change of W over its size, nan before training
    losses: np.ndarray  # (compared,): cross-entropies, nan where they are not computed yet
    histograms: np.ndarray  # (compared, depth + 1, BINS): of the activations, nan where they are not there yet


def deviation(p: Params, kind: Kind, layer: int) -> float:
    """Standard deviation of a layer's first weights: LeCun 1998, Glorot and Bengio 2010, He et al. 2015."""
    fan_in, fan_out = p.widths[layer - 1], p.widths[layer]
    sd = {"1/n": sqrt(1 / fan_in), "Xavier": xavier_std(fan_in, fan_out), "He": he_std(fan_in), "chosen": p.sd}
    return kind.gain * sd[kind.init]


@lru_cache(maxsize=1)  # the compared nets use the same in turn; those of all layers would be 100 MB
def normals(seed: int, net: int, layer: int, fan_out: int, fan_in: int) -> np.ndarray:
    return np.random.default_rng([seed, net, layer]).standard_normal((fan_out, fan_in))


def weight(p: Params, kind: Kind, net: int, layer: int) -> np.ndarray:
    """The first weights of a layer, shape (fan_out, fan_in)."""
    return deviation(p, kind, layer) * normals(p.seed, net, layer, p.widths[layer], p.widths[layer - 1])


def up(h: np.ndarray, w: Callable[[int], np.ndarray], depth: int, activation: str) -> Iterator[tuple]:
    """Yield z = W h and h = f(z) of every layer, shape (examples, units); w(layer) is its W."""
    f = ACTIVATIONS[KIT[activation]]
    for layer in range(1, depth + 1):
        z = h @ w(layer).T
        h = f(z)
        yield z, h


def down(delta: np.ndarray, h: list, w: Callable[[int], np.ndarray], activation: str) -> Iterator[tuple]:
    """Yield dL/dz of each example, (examples, units), and dL/dW, from the last layer, whose dL/dh is delta, down."""
    for layer in range(len(h) - 1, 0, -1):
        dz = delta * SLOPES[KIT[activation]](h[layer])
        yield dz, dz.T @ h[layer - 1] / len(dz)
        delta = dz @ w(layer)


def rms(values: np.ndarray) -> float:
    return sqrt(values.ravel() @ values.ravel() / values.size)


def histogram(h: np.ndarray, activation: str) -> np.ndarray:
    """Root of the number of values in each of BINS bins, 1 for the second fullest; what is outside is at the edge."""
    low, high = RANGES[activation]
    bins = np.clip((h[:SEEN] - low) / (high - low) * BINS, 0, BINS - 1).astype(int)
    counts = np.bincount(bins.ravel(), minlength=BINS)
    return np.sqrt(counts / max(1, np.sort(counts)[-2]), dtype=np.float32)


def known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def state_of(first_sd: float, step: int, passed: Any, signal, gradients, moved, losses, histograms) -> State:
    """A state with the metrics that follow from its arrays."""
    lowest = int((~np.isnan(gradients[0])).argmax())  # the lowest layer that the gradient has reached
    ratios = gradients[:, lowest] / np.maximum(gradients[:, -1], TINY)
    return State(
        step=step,
        smallest_signal=float(signal[:, :, -1].min()),
        largest_signal=float(signal[:, :, -1].max()),
        gradient_ratio=known(ratios.min()),
        first_moved=known(moved[:, 0].min()),
        worst_loss=known(losses.max()),
        first_sd=first_sd,
        passed=passed,
        signal=signal,
        gradients=gradients,
        moved=moved,
        losses=losses,
        histograms=histograms,
    )


def loss_of(logits: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Cross-entropy, and dL/dlogit of every example, sigmoid(logit) - y."""
    return float(binary_cross_entropy(logits, y).mean()), sigmoid(logits) - y


@dataclass
class Net:  # one of the compared nets; of several random ones the first, which is the one that goes on
    kind: Kind
    h: list[np.ndarray]  # activations of the inputs and of every layer, (EXAMPLES, units)
    v: np.ndarray  # weights of the output unit
    loss: float = 0.0
    error: np.ndarray | None = None  # dL/dlogit, (EXAMPLES,)
    first: dict[int, np.ndarray] = field(default_factory=dict)  # the weights before training, by layer
    w: dict[int, np.ndarray] = field(default_factory=dict)
    dw: dict[int, np.ndarray] = field(default_factory=dict)

    def descend(self, rate: float, y: np.ndarray) -> None:
        """One step of gradient descent, and a pass up and down with the new weights."""
        for layer, dw in self.dw.items():
            self.w[layer] -= rate * dw
        self.v = self.v - rate * (self.error @ self.h[-1] / EXAMPLES)
        activation = self.kind.activation
        self.h[1:] = [h for _, h in up(self.h[0], self.w.get, len(self.w), activation)]
        self.loss, self.error = loss_of(self.h[-1] @ self.v, y)
        back = down(np.outer(self.error, self.v), self.h, self.w.get, activation)
        self.dw = {layer: dw for layer, (_, dw) in zip(range(len(self.w), 0, -1), back, strict=True)}

    def moved(self) -> list[float]:  # size of the change of each layer's weights, over their size
        return [rms(self.w[layer] - first) / rms(first) for layer, first in self.first.items()]


def run(p: Params) -> Iterator[State]:
    """A state per layer on the way up, per layer on the way down, per step of training."""
    depth, kinds = p.depth, p.compared
    look = partial(state_of, deviation(p, kinds[0], 1))
    x = [np.random.default_rng([p.seed, net]).standard_normal((EXAMPLES, p.width)) for net in range(p.nets)]
    rng = np.random.default_rng([p.seed, 0, 0])
    score = x[0] @ rng.standard_normal(p.width)
    y = (score > np.quantile(score, 0.75)) * 1.0
    v = rng.standard_normal(p.widths[-1]) / sqrt(p.widths[-1])
    nets = [Net(kind, [x[0]], v) for kind in kinds]

    signal = np.array([[[rms(one) ** 2] for one in x]] * len(kinds))
    histograms = np.full((len(kinds), depth + 1, BINS), np.nan, np.float32)
    histograms[:, 0] = [histogram(x[0], kind.activation) for kind in kinds]
    gradients = moved = np.full((len(kinds), depth), np.nan)
    losses = np.full(len(kinds), np.nan)
    yield look(0, None, signal, gradients, moved, losses, histograms)

    climbs = {
        (net, i): up(x[net], partial(weight, p, kind, net), depth, kind.activation)
        for net in range(p.nets)
        for i, kind in enumerate(kinds)
    }
    for layer in range(1, depth + 1):
        here = {at: next(climb) for at, climb in climbs.items()}
        squares = [[[rms(here[net, i][1]) ** 2] for net in range(p.nets)] for i in range(len(kinds))]
        signal, histograms = np.concatenate([signal, squares], axis=2), histograms.copy()
        for i, net in enumerate(nets):
            net.h.append(here[0, i][1])
            histograms[i, layer] = histogram(net.h[layer], net.kind.activation)
        below, (z, h) = nets[0].h[layer - 1], here[0, 0]
        passed = Up(
            by_weights=(rms(z) / max(rms(below), TINY)) ** 2,
            by_activation=(rms(h) / max(rms(z), TINY)) ** 2,
            zeros=float(np.mean(h == 0)),
            spread=float(h.std(axis=0).mean()),
        )
        yield look(layer, passed, signal, gradients, moved, losses, histograms)

    for net in nets:
        net.loss, net.error = loss_of(net.h[-1] @ net.v, y)
    losses = np.array([net.loss for net in nets])
    falls = [
        down(np.outer(net.error, net.v), net.h, partial(weight, p, net.kind, 0), net.kind.activation) for net in nets
    ]
    above = 0.0
    for layer in range(depth, 0, -1):
        arrived = [next(fall) for fall in falls]
        gradients = gradients.copy()
        gradients[:, layer - 1] = [rms(dw if p.gradient == "dL/dW" else dz) for dz, dw in arrived]
        if p.trains:
            for net, (_, dw) in zip(nets, arrived, strict=True):
                net.dw[layer] = dw
        slopes, size = SLOPES[KIT[kinds[0].activation]](nets[0].h[layer]), rms(arrived[0][0])
        back = Down(layer=layer, slope=rms(slopes), factor=size / max(above, TINY))
        above = size
        yield look(2 * depth + 1 - layer, back, signal, gradients, moved, losses, histograms)

    if not p.trains:
        return
    for net in nets:
        net.first = {layer: weight(p, net.kind, 0, layer) for layer in range(1, depth + 1)}
        net.w = {layer: w.copy() for layer, w in net.first.items()}
    for t in range(1, p.train + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            for net in nets:
                net.descend(p.rate, y)
            losses_now, moved_now = np.array([net.loss for net in nets]), np.array([net.moved() for net in nets])
            right = np.array([np.mean((net.h[-1] @ net.v > 0) == (y > 0)) for net in nets])
        if not finite(losses_now, moved_now):
            yield look(2 * depth + t, Trained(t, right, True), signal, gradients, moved, losses, histograms)
            return
        losses, moved = losses_now, moved_now
        histograms = np.array([[histogram(h, net.kind.activation) for h in net.h] for net in nets])
        yield look(2 * depth + t, Trained(t, right), signal, gradients, moved, losses, histograms)
