"""A neuron learns by gradient descent through its activation; its inputs move on the curve and on the curve's slope.

Left out: everything but the activation, such as losses made for one (cross-entropy), momentum, and the training of
the ten-layer net, whose weights stay random.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import erfc, pi, sqrt
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    dot,
    figure,
    label,
    legend,
    lines,
    log_axis,
    polyline,
    rule,
    segment,
    short,
)  # fmt: skip
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import number, vector

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
        0, 0, 1000, label="Leaky from step", help="turns a ReLU into a leaky ReLU; 0: never", step=10,
        when=lambda p: "ReLU" in p.pair,
    )  # fmt: skip
    leak: float = knob(
        0.1, 0.001, 1, label="Leak α", help="slope of the leaky ReLU for z < 0", log=True,
        when=lambda p: "leaky ReLU" in p.pair or ("ReLU" in p.pair and p.rescue > 0),
    )  # fmt: skip
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
    loss: float  # half the mean squared error over the five examples
    lead: float  # how far that is below the loss of the neuron it is compared with; 0 without one
    gradient: float  # length of (∂L/∂w, ∂L/∂b)
    mean_slope: float  # of the activation, over the five examples
    ten_slopes: float  # the product of ten such slopes
    net_gradient: float  # random net: size of the gradient at its input, as a share of that at its output
    note: str
    names: tuple[str, ...]  # the activations in use
    w: np.ndarray  # (neurons,)
    b: np.ndarray
    z: np.ndarray  # (neurons, examples), before the activation
    a: np.ndarray  # after it
    slopes: np.ndarray  # its derivative there
    losses: np.ndarray  # (neurons,)
    nets: np.ndarray  # (neurons, DEPTH + 1): size of the gradient k layers back from the output


def sigma(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), correct to the last digits on both sides."""
    return np.exp(-np.logaddexp(0, -z))


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Φ, the share of a standard normal below z."""
    return np.vectorize(erfc, otypes=[float])(-z / sqrt(2)) / 2


ACTIVATIONS = {  # f and its derivative at z; α is the leak. At the kink of ReLU the slope is taken as 0, as everywhere
    "sigmoid": (lambda z, α: sigma(z), lambda z, α: sigma(z) * sigma(-z)),
    "tanh": (lambda z, α: np.tanh(z), lambda z, α: 4 * sigma(2 * z) * sigma(-2 * z)),  # as tanh z = 2 σ(2z) − 1
    "ReLU": (lambda z, α: np.maximum(z, 0), lambda z, α: (z > 0) * 1.0),
    "leaky ReLU": (lambda z, α: np.where(z > 0, z, α * z), lambda z, α: np.where(z > 0, 1.0, α)),
    "ELU": (  # Clevert et al. 2016
        lambda z, α: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z, α: np.exp(np.minimum(z, 0)),
    ),
    "GELU": (  # Hendrycks and Gimpel 2016
        lambda z, α: z * normal_cdf(z),
        lambda z, α: normal_cdf(z) + z * np.exp(-z * z / 2) / sqrt(2 * pi),
    ),
}


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
    h, weights, zs = rng.normal(size=(n, width)), [], []
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


def run(p: Params) -> Iterator[State]:
    """Gradient descent on L = mean (f(w x + b) − y)² / 2, for one neuron per activation."""
    y = p.target + TILT * X
    w, b = np.full(len(p.pair), p.weight), np.full(len(p.pair), p.bias)
    flows = [random_net(name, p.leak, p.gain / sqrt(WIDTH), p.seed) for name in p.pair]
    before, gradients, film = None, None, set(kept(p.steps))
    for step in range(p.steps + 1):
        if step:
            w, b = w - p.rate * gradients[0], b - p.rate * gradients[1]
        if not finite(w, b, most=HUGE):
            far, what = max((np.abs(w).max(), "w"), (np.abs(b).max(), "b"))
            why = f"|{what}| = {number(far)} is beyond 10¹²: every step overshoots further at the rate {number(p.rate)}"
            yield before._replace(step=step, note=f"Step {step}: diverged. {why}; take a rate below 2.")
            return
        names = tuple("leaky ReLU" if n == "ReLU" and 0 < p.rescue <= step else n for n in p.pair)
        z = w[:, None] * X + b[:, None]
        with np.errstate(over="ignore", under="ignore"):
            a = np.array([ACTIVATIONS[name][0](row, p.leak) for name, row in zip(names, z, strict=True)])
            slopes = np.array([ACTIVATIONS[name][1](row, p.leak) for name, row in zip(names, z, strict=True)])
        delta = (a - y) * slopes  # dL/dz of every example, times their number
        gradients = (delta * X).mean(axis=1), delta.mean(axis=1)
        losses = ((a - y) ** 2).mean(axis=1) / 2
        state = State(
            step=step,
            loss=float(losses[0]),
            lead=float(losses[-1] - losses[0]),
            gradient=float(np.hypot(gradients[0][0], gradients[1][0])),
            mean_slope=float(slopes[0].mean()),
            ten_slopes=float(slopes[0].mean() ** DEPTH),
            net_gradient=float(flows[0].gradient[-1]),
            note="",
            names=names,
            w=w,
            b=b,
            z=z,
            a=a,
            slopes=slopes,
            losses=losses,
            nets=np.array([flow.gradient for flow in flows]),
        )
        if step in film:
            yield state._replace(note=note(p, before, state) if step else outset(p, state, flows))
        before = state


def outset(p: Params, now: State, flows: list[Flow]) -> str:
    """Where the neurons stand, and what the random net does."""
    stands = zip(now.names, now.a[:, MIDDLE], now.slopes[:, MIDDLE], strict=True)
    each = [f"{name} gives {number(a)} with slope {number(slope)}" for name, a, slope in stands]
    left = [f"{number(flow.gradient[-1])} with {name}" for name, flow in zip(now.names, flows, strict=True)]
    on = [f"{100 * flow.active:.0f} %" for name, flow in zip(now.names, flows, strict=True) if "ReLU" in name]
    return (
        f"Start: at x = 0, where z = w · 0 + b = {number(p.bias)} and the target is {number(p.target)}, "
        f"{' and '.join(each)}. Of a gradient sent back through ten random layers this share arrives: {', '.join(left)}"
        f"{f'; in their first layer {on[0]} of the units have z > 0' if on else ''}."
    )


def note(p: Params, before: State, now: State) -> str:
    """The step that led from `before` to `now`: in numbers for the first neuron, in short for the second."""
    name, z, a, slope = before.names[0], before.z[0], before.a[0], before.slopes[0]
    said = f"Step {now.step}{', the ReLU is leaky from here on' if before.names != now.names else ''}: "
    if slope.any():
        error = a[MIDDLE] - p.target
        said += (
            f"{name} at x = 0: z = {number(z[MIDDLE])}, f(z) = {number(a[MIDDLE])}, "
            f"error {number(a[MIDDLE])} − {vector([p.target], True)} = {number(error)}, "
            f"times slope {number(slope[MIDDLE])} = {number(error * slope[MIDDLE])}. Mean over all examples: "
        )
    else:
        how = "exactly" if name == "ReLU" else "in floating-point numbers"
        said += f"{name} has slope 0 on all five examples, as z is at most {number(z.max())}, so {how} "
    other = f" {now.names[1][0].upper()}{now.names[1][1:]}: {moved(p, before, now, 1)}." if len(now.names) > 1 else ""
    return f"{said}{moved(p, before, now, 0)}.{other}"


def moved(p: Params, before: State, now: State, i: int) -> str:
    """The gradient over all examples, and what it did to a neuron's bias and loss."""
    gradient = ((before.a[i] - p.target - TILT * X) * before.slopes[i]).mean()
    old, new = (number(b[i], 5) for b in (before.b, now.b))  # a crawling bias shall be seen to crawl
    return (
        f"∂L/∂b = {number(gradient)}, b = {old} − {number(p.rate)} · {vector([gradient], True)} = {new}, "
        f"loss {number(now.losses[i])}"
    )


PRESETS = (
    works("Tanh beside a sigmoid", "From the same start the tanh, whose slope is up to four times as large, is done "
          "while the sigmoid is under way.", {"loss": "<= 0.001", "lead": ">= 0.002"},
          activation="tanh", versus="sigmoid"),
    works("ReLU with He weights", "Half of the units are off, and weights √2 times as large make up for them: most of "
          "the gradient arrives.", {"loss": "<= 0.001", "net_gradient": ">= 0.5"},
          activation="ReLU", versus="none", gain=1.4),
    fails("A saturated sigmoid", "At b = 10 the output is almost 1 whatever happens, the slope almost 0, and 300 steps "
          "leave the error as it was.", {"loss": ">= 0.13"}, versus="none", bias=10, steps=300),
    fails("A dead ReLU", "On all five examples z is negative, so the gradient is exactly 0; the leaky ReLU with the "
          "same start comes back.", {"gradient": "== 0", "lead": "<= -0.1"},
          activation="ReLU", versus="leaky ReLU", bias=-3, rate=1.0, steps=100),
)  # fmt: skip

COLOURS, DASHES = (BLUE, ORANGE), ("solid", "dash")
NEAR, FAR = 4.0, 150.0  # the curves are drawn to at least and at most that far
LEAST, FIRST = 1e-24, 1e-9  # the last power of ten on the axis of gradients is between these
LAYERS = np.arange(DEPTH + 1)
STILL = {"hoverinfo": "skip", "showlegend": False}


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The curve and its slope with a dot per example; losses with a cursor; gradients through ten layers."""
    state, y = states[now], p.target + TILT * X
    steps, losses = np.array([s.step for s in states]), np.array([s.losses for s in states])
    z, a = np.array([s.z for s in states]), np.array([s.a for s in states])
    low, high = max(-FAR, min(-NEAR, z.min() - 0.5)), min(FAR, max(NEAR, z.max() + 0.5))
    looks = [*zip(p.pair, COLOURS, DASHES, strict=False)]
    if "ReLU" in p.pair and "leaky ReLU" not in p.pair and 0 < p.rescue <= p.steps:
        looks.append(("leaky ReLU", MUTED, "dot"))
    curves = [curve(name, p.leak, low, high) for name, *_ in looks]
    shown = np.concatenate([f[(grid > -NEAR) & (grid < 1)] for grid, f, _ in curves] + [y, [0, 1]])
    down, up = max(-20.0, min(shown.min(), a.min())), min(20.0, max(shown.max(), a.max()))
    room, span = 0.08 * (up - down), {"range": [short(low), short(high)], "nticks": 7}
    outputs = {"range": [short(down - room), short(up + room)], "nticks": 6}
    top = {"range": [0, short(1.05 * min(losses.max(), 1e9))], "nticks": 4}
    back = {"range": [-0.3, DEPTH + 0.4], "dtick": 2, "title": "layers back"}
    products = np.abs(np.array([s.slopes for s in states]).mean(axis=2)) ** DEPTH
    floor = min(np.clip(products.min(), LEAST, FIRST), state.nets.min())
    share = log_axis([floor, max(1.0, state.nets.max())], 1)
    title = "Output f(z)" if len(looks) > 1 else f"Output of {p.activation}"
    fig = figure(
        580,
        Panel((0, 0.46, 0.5, 1), 240, f"{title}: ● examples, • their targets", span, outputs),
        Panel((0.54, 1, 0.5, 1), 220, "Slope f′(z)", span, {"range": [-0.2, 1.36], "dtick": 0.25}),
        Panel((0, 0.46, 0.06, 0.36), 170, "Loss after each step", {"range": [0, p.steps], "nticks": 6}, top),
        Panel((0.54, 1, 0.06, 0.36), 200, "Product of slopes ━  gradient in a net ┄", back, share),
    )
    shapes = fig["layout"]["shapes"]
    for i, (name, colour, dash) in enumerate(looks):
        grid, f, slope = curves[i]
        look = {"dash": dash, "simplify": False}
        fig["data"] += [
            lines(1, grid, f, name, colour, line=look, hoverinfo="skip"),
            lines(2, grid, slope, name, colour, line=look, **STILL),
        ]
        if i == len(p.pair):  # the curve of the rescue alone
            break
        net = {"hovertemplate": "%{y:.2g} of the gradient is left after %{x} layers", "showlegend": False}
        loss = {"hovertemplate": "%{y:.3g} after step %{x}", "showlegend": False}
        fig["data"] += [
            lines(3, steps, losses[:, i], name, colour, line=look, **loss),
            lines(4, LAYERS, state.nets[i], name, colour, line={"dash": "dot", "width": 2}, **net),
        ]
        for x, (at, out, there, aim) in enumerate(zip(state.z[i], state.a[i], state.slopes[i], y, strict=True)):
            size = 15 if x == MIDDLE else 10
            shapes += [segment(1, (at, out), (at, aim), colour, 1), dot(1, at, aim, INK, 6)]
            shapes += [dot(1, at, out, colour, size), dot(2, at, there, colour, size)]
        product = np.clip(np.abs(state.slopes[i].mean()) ** LAYERS, 1e-99, None)
        shapes.append(polyline(4, LAYERS, product, colour, 2.5, dash))
    shapes += [rule(3, state.step), segment(4, (0, 1), (DEPTH, 1), MUTED, 1)]
    for at in crossings(*p.pair[:2], p.leak) if len(p.pair) > 1 and high - low < 30 else ():
        shapes.append(rule(2, at, MUTED, "dot"))
        aside = {"xanchor": "left" if at > 0 else "right", "yanchor": "top"}
        fig["layout"]["annotations"].append(label(2, at, 1.35, f"{at:.4g}".replace("-", "−"), **aside))
    if len(looks) > 1:
        legend(fig, len(looks))
    return fig


@lru_cache(maxsize=64)
def curve(name: str, leak: float, low: float, high: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z from low to high, f(z) and f′(z), with a jump of the slope at 0 upright."""
    z = np.union1d(np.linspace(low, high, 301), [0, 1e-6])
    f, slope = ACTIVATIONS[name]
    return z, f(z, leak), slope(z, leak)


@lru_cache(maxsize=64)
def crossings(one: str, other: str, leak: float) -> list[float]:
    """Where the slopes of two activations are equal, for |z| < 4: between changes of sign that are no jumps."""
    z = np.linspace(-NEAR, NEAR, 8000)  # 0, where some slopes jump, is between two of them
    d = ACTIVATIONS[one][1](z, leak) - ACTIVATIONS[other][1](z, leak)
    i = np.flatnonzero((d[:-1] * d[1:] < 0) & (np.abs(np.diff(d)) < 0.01))
    return [float(at) for at in z[i] - d[i] * (z[i + 1] - z[i]) / (d[i + 1] - d[i])]
