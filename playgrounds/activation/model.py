"""Activations and their slopes; a neuron that learns through one, and what ten random layers leave of a gradient."""

from collections.abc import Callable, Iterator
from math import erfc, pi, sqrt
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import relu
from playgrounds.kit.training import finite, kept

X = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])  # the neuron's five examples, of one input each
MIDDLE = 2  # the example x = 0, where z is the bias
TILT = 0.2  # the targets rise by that much per unit of x, so that the weight has something to learn
HUGE = 1e12  # a weight or bias beyond it has diverged
DEPTH, WIDTH, EXAMPLES = 10, 100, 32  # of the random net


class Params(kit.Params):
    activation: Literal["sigmoid", "tanh", "ReLU", "leaky ReLU", "ELU", "GELU"] = knob("sigmoid", label="Activation")
    versus: Literal["none", "sigmoid", "tanh", "ReLU", "leaky ReLU", "ELU", "GELU"] = knob(
        "tanh", label="Compare with", help="a second neuron with the same start and the same targets"
    )
    bias: float = knob(1.0, -10, 10, label="Bias b at the start", step=0.1)
    rate: float = knob(0.3, 0.01, 100, label="Learning rate η", log=True)
    steps: int = knob(60, 10, 3000, label="Steps", log=True)
    rescue: int = knob(
        0,
        0,
        1000,
        label="Leaky from step",
        help="turns a ReLU into a leaky ReLU; 0: never",
        step=10,
        when=lambda p: "ReLU" in p.pair,
    )
    leak: float = knob(
        0.1,
        0.001,
        1,
        label="Leak α",
        help="slope of the leaky ReLU for z < 0",
        log=True,
        when=lambda p: "leaky ReLU" in p.pair or ("ReLU" in p.pair and p.rescue > 0),
    )
    gain: float = knob(1.0, 0.1, 4, label="Weights of the random net", help="their scale; 1: Xavier, √2: He", step=0.1)
    weight: float = knob(0.5, -5, 5, label="Weight w at the start", step=0.1, more=True)
    target: float = knob(0.5, -2, 2, label="Target at x = 0", help="at x it is 0.2 x more", step=0.1, more=True)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights of the random net", more=True)

    @property
    def pair(self) -> tuple[str, ...]:
        """The activations that are shown: one, or two different ones."""
        return tuple(dict.fromkeys(name for name in (self.activation, self.versus) if name != "none"))

    @property
    def length(self) -> int:
        return len(kept(self.steps))


class State(NamedTuple):
    step: int
    loss: Annotated[float, Metric("loss", shown=True)]  # half the mean squared error over the five examples
    lead: Annotated[float, Metric("lead over the other neuron in loss")]  # 0 without one
    gradient: Annotated[float, Metric("length of the gradient")]  # of (∂L/∂w, ∂L/∂b)
    mean_slope: Annotated[float, Metric("mean slope of the activation", shown=True)]  # over the five examples
    ten_slopes: Annotated[float, Metric("product of ten such slopes")]
    net_gradient: Annotated[float, Metric("gradient left after ten random layers", shown=True)]  # as a share
    first_output: Annotated[float, Metric("output at x = 1 before the first step")]
    first_slope: Annotated[float, Metric("slope at x = 1 before the first step")]
    names: tuple[str, ...]  # the activations in use
    w: np.ndarray  # (neurons,)
    b: np.ndarray
    z: np.ndarray  # (neurons, examples), before the activation
    a: np.ndarray  # after it
    slopes: np.ndarray  # its derivative there
    losses: np.ndarray  # (neurons,)
    nets: np.ndarray  # (neurons, DEPTH + 1): size of the random net's gradient k layers back from the output
    active: np.ndarray  # (neurons,): share of the units with z > 0 in the random net's first layer
    before: "State | None"  # one step earlier, which need not be the state before in a long run


# ---------------------------------------------------------------------------------------------------- the activations


def sigma(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−z)), correct to the last digits on both sides, so that a slope far out is tiny and not 0."""
    return np.exp(-np.logaddexp(0, -z))


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Φ, the share of a standard normal below z."""
    return np.vectorize(erfc, otypes=[float])(-z / sqrt(2)) / 2


def normal_density(z: np.ndarray) -> np.ndarray:
    return np.exp(-z * z / 2) / sqrt(2 * pi)


class Activation(NamedTuple):
    f: Callable[[np.ndarray, float], np.ndarray]  # of z and the leak α
    slope: Callable[[np.ndarray, float], np.ndarray]  # at the kink of ReLU it is taken as 0, as everywhere


ACTIVATIONS = {
    "sigmoid": Activation(
        f=lambda z, α: sigma(z),
        slope=lambda z, α: sigma(z) * sigma(-z),
    ),
    "tanh": Activation(
        f=lambda z, α: np.tanh(z),
        slope=lambda z, α: 4 * sigma(2 * z) * sigma(-2 * z),  # as tanh z = 2 σ(2z) − 1
    ),
    "ReLU": Activation(
        f=lambda z, α: relu(z),
        slope=lambda z, α: (z > 0) * 1.0,
    ),
    "leaky ReLU": Activation(
        f=lambda z, α: np.where(z > 0, z, α * z),
        slope=lambda z, α: np.where(z > 0, 1.0, α),
    ),
    "ELU": Activation(  # Clevert et al. 2016
        f=lambda z, α: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        slope=lambda z, α: np.exp(np.minimum(z, 0)),
    ),
    "GELU": Activation(  # Hendrycks and Gimpel 2016, without their approximation
        f=lambda z, α: z * normal_cdf(z),
        slope=lambda z, α: normal_cdf(z) + z * normal_density(z),
    ),
}


# ----------------------------------------------------------------------------------------------------- the random net


class Flow(NamedTuple):
    """What passes through a random net."""

    signal: np.ndarray  # (depth + 1,): mean square of the values of every layer, the input first
    gradient: np.ndarray  # (depth + 1,): size of the gradient k layers back from the output, where it is 1
    active: float  # share of the first layer's units with z > 0


def random_net(
    name: str, leak: float, sd: float, seed: int, depth: int = DEPTH, width: int = WIDTH, n: int = EXAMPLES
) -> Flow:
    """n normal inputs forward, and a normal gradient back, through `depth` layers of normal weights of deviation sd."""
    rng = np.random.default_rng(seed)
    f, slope = ACTIVATIONS[name]
    h = rng.normal(size=(n, width))
    weights, zs = [], []
    signal = [np.mean(h**2)]
    for _ in range(depth):
        weights.append(sd * rng.normal(size=(width, width)))
        zs.append(h @ weights[-1].T)
        h = f(zs[-1], leak)
        signal.append(np.mean(h**2))
    g = rng.normal(size=(n, width))
    sizes = [np.linalg.norm(g)]
    for w, z in zip(reversed(weights), reversed(zs), strict=True):
        g = (g * slope(z, leak)) @ w
        sizes.append(np.linalg.norm(g))
    return Flow(np.array(signal), np.array(sizes) / sizes[0], float(np.mean(zs[0] > 0)))


# -------------------------------------------------------------------------------------------------------- the neuron


def run(p: Params) -> Iterator[State]:
    """Gradient descent on L = mean (f(w x + b) − y)² / 2, for one neuron per activation."""
    y = p.target + TILT * X
    w, b = np.full(len(p.pair), p.weight), np.full(len(p.pair), p.bias)
    flows = [random_net(name, p.leak, p.gain / sqrt(WIDTH), p.seed) for name in p.pair]
    dw = db = np.zeros(len(p.pair))
    film = set(kept(p.steps))
    before: State | None = None
    for step in range(p.steps + 1):
        w, b = w - p.rate * dw, b - p.rate * db
        if before and not finite(w, b, most=HUGE):
            yield before._replace(step=step, w=w, b=b)  # all else as it was before it diverged
            return
        names = tuple("leaky ReLU" if n == "ReLU" and 0 < p.rescue <= step else n for n in p.pair)
        z = w[:, None] * X + b[:, None]
        with np.errstate(over="ignore", under="ignore"):
            a = np.array([ACTIVATIONS[name].f(row, p.leak) for name, row in zip(names, z, strict=True)])
            slopes = np.array([ACTIVATIONS[name].slope(row, p.leak) for name, row in zip(names, z, strict=True)])
        delta = (a - y) * slopes  # dL/dz of every example, times their number
        dw, db = (delta * X).mean(axis=1), delta.mean(axis=1)
        losses = ((a - y) ** 2).mean(axis=1) / 2
        state = State(
            step=step,
            loss=float(losses[0]),
            lead=float(losses[-1] - losses[0]),
            gradient=float(np.hypot(dw[0], db[0])),
            mean_slope=float(slopes[0].mean()),
            ten_slopes=float(slopes[0].mean() ** DEPTH),
            net_gradient=float(flows[0].gradient[-1]),
            first_output=before.first_output if before else float(a[0][-1]),
            first_slope=before.first_slope if before else float(slopes[0][-1]),
            names=names,
            w=w,
            b=b,
            z=z,
            a=a,
            slopes=slopes,
            losses=losses,
            nets=np.array([flow.gradient for flow in flows]),
            active=np.array([flow.active for flow in flows]),
            before=before,
        )
        if step in film:
            yield state
        before = state._replace(before=None)
