"""How a neuron's learning through its activation is drawn."""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np

from playgrounds.activation.model import ACTIVATIONS, DEPTH, MIDDLE, TILT, Params, State, X
from playgrounds.activation.words import note
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, span, steps
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture

__all__ = ["PRESETS", "crossings", "draw", "note"]

PRESETS = (
    works(
        "Tanh beside a sigmoid",
        "From the same start the tanh, whose slope is up to four times as large, is done while the sigmoid is under "
        "way.",
        {"loss": "<= 0.001", "lead": ">= 0.002"},
        activation="tanh",
        versus="sigmoid",
    ),
    works(
        "ReLU with He weights",
        "Half of the units are off, and weights √2 times as large make up for them: most of the gradient arrives.",
        {"loss": "<= 0.001", "net_gradient": ">= 0.5"},
        activation="ReLU",
        versus="none",
        gain=1.4,
    ),
    fails(
        "A saturated sigmoid",
        "At b = 10 the output is almost 1 whatever happens, the slope almost 0, and 300 steps leave the error as it "
        "was.",
        {"loss": ">= 0.13"},
        versus="none",
        bias=10,
        steps=300,
    ),
    fails(
        "A dead ReLU",
        "On all five examples z is negative, so the gradient is exactly 0; the leaky ReLU with the same start comes "
        "back.",
        {"gradient": "== 0", "lead": "<= -0.1"},
        activation="ReLU",
        versus="leaky ReLU",
        bias=-3,
        rate=1.0,
        steps=100,
    ),
)

NEAR, FAR = 4.0, 150.0  # the curves are drawn to at least and at most that far
LEAST, FIRST = 1e-24, 1e-9  # the last power of ten on the axis of gradients is between these
LAYERS = np.arange(DEPTH + 1)


class Look(NamedTuple):
    """How an activation is drawn."""

    name: str
    colour: str
    dash: str


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The curve and its slope with a dot per example; losses with a cursor; gradients through ten layers."""
    state, y = states[now], p.target + TILT * X
    z, a = np.array([s.z for s in states]), np.array([s.a for s in states])
    low, high = max(-FAR, min(-NEAR, floor(z.min() - 0.5))), min(FAR, max(NEAR, ceil(z.max() + 0.5)))
    shown = looks(p)
    rows = [5 * "output " + 4 * f"{name} " for name in ("slope", "losses")]
    pic = Picture(480, *rows, details=("back",), detail_height=240)
    inputs = span(low, high, ticks=7)
    output = pic.panel("output", "Output f(z)", inputs, heights(p, shown, low, high, a, y), tall=260)
    slope = pic.panel("slope", "Slope f′(z)", inputs, span(-0.2, 1.36, ticks=6), tall=200)
    most = min(max(s.losses.max() for s in states), 1e9)
    losses = pic.panel("losses", "Loss by step", steps(p.steps), span(0, 1.05 * most, ticks=4), tall=170)
    back = pic.panel("back", "", span(-0.3, DEPTH + 0.4, "layers back"), shares(states), tall=200)

    for look in shown:
        grid, f, slopes = curve(look.name, p.leak, low, high)
        exact: dict[str, Any] = {"line": {"color": look.colour, "width": 2.5, "dash": look.dash, "simplify": False}}
        output.curve(grid, f, look.name, look.colour, dash=look.dash, hover="", **exact)
        slope.curve(grid, slopes, look.name, look.colour, hover="", key=False, **exact)
    for i, look in enumerate(shown[: len(p.pair)]):
        course = [s.losses[i] for s in states]
        losses.curve([s.step for s in states], course, look.name, look.colour, dash=look.dash, key=False)
        net = "%{y:.2g} of the gradient is left after %{x} layers"
        back.curve(LAYERS, state.nets[i], look.name, look.colour, dash="dot", width=2, key=False, hover=net)
        product = np.clip(np.abs(state.slopes[i].mean()) ** LAYERS, 1e-99, None)
        back.path(LAYERS, product, look.colour, dash=look.dash)
        draw_examples(output, slope, state, i, y, look.colour)
    output.key("•", "targets")
    slope.key("●", "at the examples")
    back.key("━", "product of slopes")
    back.key("┄", "gradient in a net")
    pic.cursor(state.step, losses)
    back.line((0, 1), (DEPTH, 1), MUTED, 1)
    for at in crossings(*p.pair[:2], p.leak) if len(p.pair) > 1 and high - low < 30 else ():
        slope.cursor(at, MUTED, "dot")
        slope.mark(at, 1.35, f"{at:.4g}".replace("-", "−"), xanchor="left" if at > 0 else "right", yanchor="top")
    return pic


def looks(p: Params) -> list[Look]:
    """The activations of the picture: those of the neurons and, muted, the one that a ReLU will turn into."""
    shown = [Look(*one) for one in zip(p.pair, (BLUE, ORANGE), ("solid", "dash"), strict=False)]
    if "ReLU" in p.pair and "leaky ReLU" not in p.pair and 0 < p.rescue <= p.steps:
        shown.append(Look("leaky ReLU", MUTED, "dot"))
    return shown


def heights(p: Params, shown: list[Look], low: float, high: float, a: np.ndarray, y: np.ndarray) -> dict:
    """The axis of outputs: the curves' middle, all examples and targets."""
    curves = [curve(look.name, p.leak, low, high) for look in shown]
    middle = np.concatenate([f[(grid > -NEAR) & (grid < 1)] for grid, f, _ in curves] + [y, [0, 1]])
    down, up = max(-20.0, min(middle.min(), a.min())), min(20.0, max(middle.max(), a.max()))
    return span(1.08 * down - 0.08 * up, 1.08 * up - 0.08 * down, ticks=6)


def shares(states: Sequence[State]) -> dict:
    """The axis of what is left of a gradient: a saturated neuron's product is cut."""
    products = np.abs(np.array([s.slopes for s in states]).mean(axis=2)) ** DEPTH
    floor = min(np.clip(products.min(), LEAST, FIRST), states[0].nets.min())
    return log([floor, max(1.0, states[0].nets.max())], margin=1)


def draw_examples(output: Panel, slope: Panel, state: State, i: int, y: np.ndarray, colour: str) -> None:
    """A neuron's five examples on the curve, with the way to their targets, and on the slope; the middle's tangent."""
    z, a, steep = state.z[i, MIDDLE], state.a[i, MIDDLE], state.slopes[i, MIDDLE]
    half = 0.8 / np.hypot(1, 2 * steep)  # about as long however steep
    output.line((z - half, a - half * steep), (z + half, a + half * steep), INK, 2)
    for x, (z, a, there, aim) in enumerate(zip(state.z[i], state.a[i], state.slopes[i], y, strict=True)):
        size = 18 if x == MIDDLE else 11
        output.line((z, a), (z, aim), colour, 1)
        output.dot(z, aim, INK, 6)
        output.dot(z, a, colour, size)
        slope.dot(z, there, colour, size)


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
    d = ACTIVATIONS[one].slope(z, leak) - ACTIVATIONS[other].slope(z, leak)
    i = np.flatnonzero((d[:-1] * d[1:] < 0) & (np.abs(np.diff(d)) < 0.01))
    return [float(at) for at in z[i] - d[i] * (z[i + 1] - z[i]) / (d[i + 1] - d[i])]
