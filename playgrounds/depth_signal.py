"""A signal goes up through a deep random net and a gradient comes back down, layer by layer, from different weights.

Left out: biases, normalization and skip connections; the training is plain gradient descent on one batch.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from math import log, sqrt
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, figure, legend, lines, log_axis, loss_axis, paint, polyline, rule
from playgrounds.kit.palette import MUTED, SERIES
from playgrounds.kit.training import finite
from playgrounds.kit.words import number

EXAMPLES = 128  # in the one batch; a quarter of them is class 1
GUESS = -0.25 * log(0.25) - 0.75 * log(0.75)  # 0.562, the loss of giving every example the probability of a quarter
MOST_WEIGHTS = 1_200_000  # that are trained, over all compared nets: more would take too long


class Params(kit.Params):
    activation: tuple[Literal["ReLU", "sigmoid", "tanh", "linear"], ...] = knob(("ReLU",), label="Activation")
    init: Literal["1/n", "Xavier", "He", "chosen"] = knob("He", label="Initialization",
        help="Var(w): 1/n is 1/fan-in (LeCun), Xavier 2/(fan-in + fan-out), He 2/fan-in")  # fmt: skip
    versus: Literal["none", "1/n", "Xavier", "He", "chosen"] = knob("Xavier", label="Compared with")
    depth: int = knob(20, 2, 50, label="Layers")
    width: int = knob(256, 16, 512, label="Width n", help="units of a layer", log=True)
    train: int = knob(0, 0, 200, label="Training steps", help="of gradient descent, after the signal came back", step=5)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights, the inputs and their classes")
    rate: float = knob(0.1, 0.001, 10, label="Learning rate η", log=True, when=lambda p: p.train > 0)
    sd: float = knob(0.01, 0.01, 1, label="Standard deviation", help="of the weights if “chosen”", log=True,
                     when=lambda p: "chosen" in (p.init, p.versus))  # fmt: skip
    nets: int = knob(1, 1, 5, label="Random nets", help="a curve of the signal each, and their median", more=True)
    gain: float = knob(1.0, 0.5, 5, label="Gain g", log=True, more=True,
                       help="times the standard deviation, but not of what is compared; 5/3 is for tanh")  # fmt: skip
    shape: Literal["square", "funnel"] = knob("square", label="Layers are", more=True,
        help="funnel: the width falls to an eighth, by the same factor in each")  # fmt: skip
    gradient: Literal["dL/dW", "dL/dz"] = knob("dL/dW", label="Gradient", help="for weights or for z", more=True)

    @property
    def widths(self) -> list[int]:
        """Units of the inputs and of each layer."""
        end = 1 / 8 if self.shape == "funnel" else 1
        return [round(self.width * end ** (k / self.depth)) for k in range(self.depth + 1)]

    @property
    def compared(self) -> list[tuple[str, str, float]]:
        """Activation, initialization and gain of all nets: those under the first initialization come first."""
        inits = [(self.init, self.gain)] + ([(self.versus, 1.0)] if self.versus != "none" else [])
        return [(activation, *init) for init in inits for activation in self.activation]

    @property
    def names(self) -> list[str]:
        return [f"{a} + {number(gain) + ' × ' if gain != 1 else ''}{init}" for a, init, gain in self.compared]

    @property
    def weights(self) -> int:
        return len(self.compared) * sum(n * m for n, m in zip(self.widths, self.widths[1:], strict=False))

    @property
    def trains(self) -> bool:
        return self.train > 0 and self.weights <= MOST_WEIGHTS

    @property
    def length(self) -> int:
        return 1 + 2 * self.depth + self.train * self.trains


class State(NamedTuple):
    step: int
    smallest_signal: float  # mean square of the activations in the highest layer reached, over all nets
    largest_signal: float
    gradient_ratio: float  # of the lowest layer reached to the last; of the net in which it is smallest
    first_moved: float  # size of the change of the first layer's weights to their own, smallest over the nets
    worst_loss: float  # cross-entropy, highest over the nets; until it is computed log 2, as for answers at random
    note: str
    signal: np.ndarray  # (compared, nets, layers reached + 1): mean squares of the activations
    gradients: np.ndarray  # (compared, depth): root mean squares, nan where it has not come yet
    moved: np.ndarray  # (compared, depth)
    losses: np.ndarray  # (compared,)
    pictures: np.ndarray  # (compared, depth + 1, BINS): histograms of the activations, nan where they are not there yet


ACTIVATIONS = {  # the function and its slope, the slope in terms of the function's value h
    "ReLU": (lambda z: np.maximum(z, 0), lambda h: (h > 0) * 1.0),
    "sigmoid": (lambda z: 0.5 * (1 + np.tanh(z / 2)), lambda h: h * (1 - h)),
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "linear": (lambda z: z, np.ones_like),
}


def deviation(p: Params, init: str, gain: float, layer: int) -> float:
    """Standard deviation of a layer's first weights: LeCun 1998, Glorot and Bengio 2010, He et al. 2015."""
    fan_in, fan_out = p.widths[layer - 1], p.widths[layer]
    return gain * sqrt({"1/n": 1 / fan_in, "Xavier": 2 / (fan_in + fan_out), "He": 2 / fan_in, "chosen": p.sd**2}[init])


@lru_cache(maxsize=1)  # the compared nets use the same in turn; those of all layers would be 100 MB
def normals(seed: int, net: int, layer: int, fan_out: int, fan_in: int) -> np.ndarray:
    return np.random.default_rng([seed, net, layer]).standard_normal((fan_out, fan_in))


def weight(p: Params, init: str, gain: float, net: int, layer: int) -> np.ndarray:
    """The first weights of a layer, shape (fan_out, fan_in)."""
    return deviation(p, init, gain, layer) * normals(p.seed, net, layer, p.widths[layer], p.widths[layer - 1])


def up(h: np.ndarray, w: Callable[[int], np.ndarray], depth: int, activation: str) -> Iterator[tuple]:
    """Yield z = W h and h = f(z) of every layer, shape (examples, units); w(layer) is its W."""
    for layer in range(1, depth + 1):
        z = h @ w(layer).T
        yield z, (h := ACTIVATIONS[activation][0](z))


def down(delta: np.ndarray, h: list, w: Callable[[int], np.ndarray], activation: str) -> Iterator[tuple]:
    """Yield dL/dz of each example, (examples, units), and dL/dW, from the last layer, whose dL/dh is delta, down."""
    for layer in range(len(h) - 1, 0, -1):
        dz = delta * ACTIVATIONS[activation][1](h[layer])
        yield dz, dz.T @ h[layer - 1] / len(dz)
        delta = dz @ w(layer)


def loss_of(logits: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Cross-entropy in the form that cannot overflow, and dL/dlogit of every example, sigmoid(logit) - y."""
    losses = np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits)))
    return float(losses.mean()), 0.5 * (1 + np.tanh(logits / 2)) - y


def rms(values: np.ndarray) -> float:
    flat = values.ravel()
    return sqrt(flat @ flat / flat.size)


BINS, SEEN = 40, 16  # of a histogram; examples that are counted in it
RANGES = {"ReLU": (0, 3), "sigmoid": (0, 1), "tanh": (-1, 1), "linear": (-3, 3)}


def histogram(h: np.ndarray, activation: str) -> np.ndarray:
    """Root of the number of values in each of BINS bins, 1 for the second fullest; what is outside is at the edge."""
    low, high = RANGES[activation]
    bins = np.clip((h[:SEEN] - low) / (high - low) * BINS, 0, BINS - 1).astype(int)
    counts = np.bincount(bins.ravel(), minlength=BINS)
    return np.sqrt(counts / max(1, np.sort(counts)[-2]), dtype=np.float32)


def run(p: Params) -> Iterator[State]:
    """A state per layer on the way up, per layer on the way down, per step of training."""
    depth, compared, count = p.depth, p.compared, len(p.compared)
    x = [np.random.default_rng([p.seed, net]).standard_normal((EXAMPLES, p.width)) for net in range(p.nets)]
    rng = np.random.default_rng([p.seed, 0, 0])
    score = x[0] @ rng.standard_normal(p.width)
    y = (score > np.quantile(score, 0.75)) * 1.0
    v = [rng.standard_normal(p.widths[-1]) / sqrt(p.widths[-1])] * count  # weights of the output unit

    signal = np.array([[[rms(one) ** 2] for one in x]] * count)
    pictures = np.full((count, depth + 1, BINS), np.nan, np.float32)
    pictures[:, 0] = [histogram(x[0], activation) for activation, *_ in compared]
    state = state_of(0, signal, np.full((count, depth), np.nan), np.zeros((count, depth)), log(2), pictures)
    said = f"The inputs: {EXAMPLES} examples of {p.width} normal numbers, mean square {number(signal[0, 0, 0])}. Above "
    yield state._replace(note=f"{said}are {depth} layers, the last of {p.widths[-1]} units.")

    h = [[x[0]] for _ in compared]  # of the first random net, which is the one that goes on
    climbs = {
        (net, i): up(x[net], partial(weight, p, init, gain, net), depth, activation)
        for net in range(p.nets)
        for i, (activation, init, gain) in enumerate(compared)
    }
    for layer in range(1, depth + 1):
        here = {at: next(climb) for at, climb in climbs.items()}
        squares = [[[rms(here[net, i][1]) ** 2] for net in range(p.nets)] for i in range(count)]
        signal, pictures = np.concatenate([signal, squares], axis=2), pictures.copy()
        for i, (activation, *_) in enumerate(compared):
            h[i].append(here[0, i][1])
            pictures[i, layer] = histogram(h[i][-1], activation)
        state = state_of(layer, signal, state.gradients, state.moved, log(2), pictures)
        yield state._replace(note=note_up(p, state, h[0][-2], *here[0, 0]))

    losses, errors = zip(*(loss_of(one[-1] @ out, y) for one, out in zip(h, v, strict=True)), strict=True)
    falls = [
        down(np.outer(error, out), one, partial(weight, p, init, gain, 0), activation)
        for error, out, one, (activation, init, gain) in zip(errors, v, h, compared, strict=True)
    ]
    gradients, errors, dw, above = state.gradients, list(errors), [{} for _ in compared], 0.0
    for layer in range(depth, 0, -1):
        here, gradients = [next(fall) for fall in falls], gradients.copy()
        gradients[:, layer - 1] = [rms(d if p.gradient == "dL/dW" else dz) for dz, d in here]
        dw = [kept | {layer: d} for kept, (_, d) in zip(dw, here, strict=True)] if p.trains else dw
        state = state_of(2 * depth + 1 - layer, signal, gradients, state.moved, losses, pictures)
        yield state._replace(note=note_down(p, state, layer, h[0][layer], rms(here[0][0]), above))
        above = rms(here[0][0])

    if not p.trains:
        return
    first, w = ([{k: weight(p, *kind, 0, k) for k in range(1, depth + 1)} for _, *kind in compared] for _ in range(2))
    for t in range(1, p.train + 1):
        moved, losses, right = np.zeros((count, depth)), np.zeros(count), np.zeros(count)
        with np.errstate(over="ignore", invalid="ignore"):
            for i, (activation, *_) in enumerate(compared):
                for layer, d in dw[i].items():
                    w[i][layer] -= p.rate * d
                v[i] = v[i] - p.rate * (errors[i] @ h[i][-1] / EXAMPLES)
                h[i] = [x[0], *(one for _, one in up(x[0], w[i].get, depth, activation))]
                losses[i], errors[i] = loss_of(h[i][-1] @ v[i], y)
                right[i] = np.mean((h[i][-1] @ v[i] > 0) == (y > 0))
                back = down(np.outer(errors[i], v[i]), h[i], w[i].get, activation)
                for layer, (_, dw[i][layer]) in zip(range(depth, 0, -1), back, strict=True):
                    moved[i, layer - 1] = rms(w[i][layer] - first[i][layer]) / rms(first[i][layer])
        if not finite(losses, moved):
            said = f"Training step {t}: a loss or a weight is no longer a finite number, the run diverged. "
            yield state._replace(step=2 * depth + t, note=f"{said}η = {p.rate:g} is too large: choose a smaller one.")
            return
        pictures = np.array([[histogram(one, kind[0]) for one in net] for net, kind in zip(h, compared, strict=True)])
        state = state_of(2 * depth + t, signal, gradients, moved, losses, pictures)
        yield state._replace(note=note_training(p, state, t, right))


def state_of(step: int, signal, gradients, moved, losses, pictures: np.ndarray) -> State:
    """A state without a note, with the metrics that follow from its arrays."""
    lowest = int((~np.isnan(gradients[0])).argmax())  # 0 as well before the gradient starts, when all are nan
    ratio = np.nan_to_num(gradients[:, lowest] / np.maximum(gradients[:, -1], 1e-300), nan=1)
    losses = np.broadcast_to(losses, len(signal)).astype(float)
    metrics = signal[:, :, -1].min(), signal[:, :, -1].max(), ratio.min(), moved[:, 0].min(), losses.max()
    return State(step, *map(float, metrics), "", signal, gradients, moved, losses, pictures)


def others(p: Params, said: list[str]) -> str:
    """What is said of the compared nets, the first left out, as one more sentence."""
    texts = [f"{name}: {text}" for name, text in zip(p.names, said, strict=True)][1:]
    return f" By comparison, {'; '.join(texts)}." if texts else ""


def note_up(p: Params, now: State, below: np.ndarray, z: np.ndarray, h: np.ndarray) -> str:
    """Of the first compared net: the activations of the layer below, z and h of this one."""
    activation, said = p.compared[0][0], [number(one) for one in np.median(now.signal[:, :, -1], axis=1)]
    spread = f" (it differs by {number(h.std(axis=0).mean())} between examples)"
    what = {"ReLU": f" (0 for {np.mean(h == 0):.0%} of the values)", "sigmoid": spread}.get(activation, "")
    factors = [number((rms(a) / max(rms(b), 1e-300)) ** 2) for a, b in ((z, below), (h, z))]
    return (
        f"Layer {now.step}, {p.names[0]}: mean square of the activations {said[0]}. The weights multiplied that of "
        f"layer {now.step - 1} by {factors[0]}, {activation}{what} by {factors[1]}.{others(p, said)}"
    )


def note_down(p: Params, now: State, layer: int, h: np.ndarray, dz: float, above: float) -> str:
    """Of the first compared net: the activations of this layer, the sizes of dL/dz in it and above it."""
    size = f"Back in layer {layer}, {p.names[0]}: {p.gradient} is {number(now.gradients[0, layer - 1])} in size"
    if layer == p.depth:
        return f"{size}, at a loss of {number(now.losses[0])}. The layers below are compared with this one."
    ratios = [number(one) for one in now.gradients[:, layer - 1] / np.maximum(now.gradients[:, -1], 1e-300)]
    slopes, factor = number(rms(ACTIVATIONS[p.compared[0][0]][1](h))), number(dz / max(above, 1e-300))
    via = f" Weights and slopes of size {slopes} have multiplied the error dL/dz of layer {layer + 1} by {factor}."
    if layer == 1 and p.train and not p.trains:
        via = f" Not trained: {p.weights:,} weights are more than {MOST_WEIGHTS:,}. Take fewer units or layers."
    return f"{size}, {ratios[0]} of the last layer's.{via}{others(p, ratios)}"


def note_training(p: Params, now: State, t: int, right: np.ndarray) -> str:
    """right: share of the examples on the right side, per compared net."""
    said = [f"loss {number(loss)}, layer 1 by {number(by[0])}" for loss, by in zip(now.losses, now.moved, strict=True)]
    return (
        f"Training step {t}, {p.names[0]}: loss {number(now.losses[0])}, {right[0]:.0%} of the examples right; layer 1 "
        f"has moved by {number(now.moved[0, 0])} of its size, layer {p.depth} by {number(now.moved[0, -1])}."
        f"{others(p, said)}"
    )


@lru_cache(maxsize=32)
def theory(p: Params, activation: str, init: str, gain: float) -> list[float]:
    """Mean squares of the activations of very wide layers: z is normal with variance fan-in · Var(w) · E h²."""
    u = np.linspace(-8, 8, 2000)
    density = np.exp(-u * u / 2) / np.exp(-u * u / 2).sum()
    squares = [1.0]
    for layer, fan_in in enumerate(p.widths[:-1], start=1):
        z = deviation(p, init, gain, layer) * sqrt(fan_in * squares[-1]) * u
        squares.append(float(density @ ACTIVATIONS[activation][0](z) ** 2))
    return squares


PICTURES, LEAST, MOST = 4, 1e-37, 1e37  # how many pictures at most; between which numbers axes end
STILL = {"hoverinfo": "skip", "showlegend": False}
PALE = {"opacity": 0.35, "showlegend": False, "hovertemplate": "%{y:.3g} in layer %{x}"}
DOTTED = {"line": {"dash": "dot", "width": 1.5}, **STILL}


PRESETS = (
    works("He through 50 layers", "Twice the variance makes up for the half that ReLU cuts off, at any depth.",
          {"smallest_signal": ">= 0.3"}, depth=50, versus="none"),
    works("Tanh with a gain", "A gain of 1.7 makes up for the flat ends of tanh.", {"smallest_signal": ">= 0.2"},
          activation=("tanh",), init="Xavier", versus="none", gain=1.7),
    fails("Xavier under ReLU", "Half of the signal is lost in every layer, a millionth is left after twenty.",
          {"smallest_signal": "<= 1e-4"}, init="Xavier", versus="none"),
    fails("Sigmoid, ten layers", "The first layer gets less than a ten-thousandth of the gradient of the last.",
          {"gradient_ratio": "<= 1e-4"}, activation=("sigmoid",), init="Xavier", versus="none", depth=10),
    fails("Weights too large", "With a standard deviation of 1 the signal explodes.", {"largest_signal": ">= 1e30"},
          init="chosen", versus="none", sd=1.0),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Signal, gradient and movement by layer: the whole run pale, up to now bold. Loss by step; histograms of h."""
    state, end, count, several = states[now], states[-1], len(p.compared), len(p.activation) > 1
    losses = np.array([s.losses for s in states[2 * p.depth :]]).reshape(-1, count)
    begun = states[: 2 * p.depth + 2][-1].moved  # by the first training step
    expected, layers = np.array([theory(p, *kind) for kind in p.compared]), np.arange(p.depth + 1)
    layer = {"range": [-0.5, p.depth + 0.5], "nticks": 6, "title": "layer"}
    step = {"range": [0, max(1, p.train)], "nticks": 5, "title": "training step"}
    left, middle, right = (0.27, 0.365, 0.635) if p.trains else (0.46, 0.54, 1)
    size = f"Size of {p.gradient}{', untrained' if p.trains else ' (root mean square)'}"
    panels = [
        Panel((0, left, 0.52, 1), 200, "Mean square of h, theory ┄", layer, axis(end.signal, expected)),
        Panel((middle, right, 0.52, 1), 200, size, layer, axis(end.gradients)),
        Panel((0.73, 1, 0.52, 1), 200, "Change of W, as a share", layer, axis(end.moved, begun, lowest=1e-17)),
        Panel((0.73, 1, 0, 0.3), 150, "Loss, base rate ┄", step, loss_axis(np.append(losses, GUESS))),
    ][: 4 if p.trains else 2]
    first, apart = len(panels) + 1, (right + 0.06) / min(count, PICTURES)
    for k, (name, kind) in enumerate(zip(p.names[:PICTURES], p.compared, strict=False)):
        values = {"range": RANGES[kind[0]], "nticks": 4}
        panels.append(Panel((k * apart, (k + 1) * apart - 0.06, 0, 0.3), 100, f"h: {name}", layer, values))
    fig = figure(520, *panels)
    for k, (picture, kind) in enumerate(zip(state.pictures[:PICTURES], p.compared, strict=False)):
        paint(fig, first + k, picture.T, (-0.5, p.depth + 0.5), RANGES[kind[0]], scale="sequential", smooth=False)

    shapes = fig["layout"]["shapes"]
    for i, name in enumerate(p.names):
        colour = SERIES[i % len(p.activation) if several else i]
        look = {"dash": "dash" if several and i >= len(p.activation) else "solid"}
        fig["data"].append(lines(1, [None], [None], name, colour, line=look))  # for the legend
        curves = [
            (layers, np.median(end.signal[i], axis=0), np.median(state.signal[i], axis=0)),
            (layers[1:], end.gradients[i], state.gradients[i]),
            (layers[1:], end.moved[i], state.moved[i]),
        ]
        for panel, (x, whole, known) in enumerate(curves[: 3 if p.trains else 2], start=1):
            fig["data"].append(lines(panel, x[: len(whole)], within(whole), name, colour, line=look, **PALE))
            there = np.flatnonzero(known > 0 if panel == 3 else ~np.isnan(known))
            if len(there):
                shapes.append(polyline(panel, x[there], within(known[there]), colour, 2.5, **look))
        fig["data"].append(lines(1, layers, within(expected[i]), name, MUTED, **DOTTED))
        if p.trains:
            fig["data"].append(lines(4, np.arange(len(losses)), losses[:, i], name, colour, line=look, **STILL))
        if p.nets > 1:
            every = np.insert(end.signal[i], 0, np.nan, axis=1)  # nan: the pen is lifted
            x = np.tile(np.arange(every.shape[1]) - 1, p.nets)
            fig["data"].append(lines(1, x, within(every.ravel()), name, colour, line={"width": 1}, **STILL))
    if p.trains:
        fig["data"].append(lines(4, [0, p.train], [GUESS] * 2, "", MUTED, **DOTTED))
        shapes.append(rule(4, max(0, state.step - 2 * p.depth)))
    if state.step <= 2 * p.depth:
        shapes.append(rule(1, state.step) if state.step <= p.depth else rule(2, 2 * p.depth + 1 - state.step))
    legend(fig, count)
    return fig


def within(values: np.ndarray) -> np.ndarray:
    """What a log axis can take."""
    return np.clip(values, LEAST, MOST)


def axis(*values: np.ndarray, lowest: float = LEAST) -> dict:
    return log_axis(np.concatenate([one.ravel() for one in values]), 0.2, lowest, MOST)
