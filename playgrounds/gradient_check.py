"""The gradient of a small net is checked by differences at ever smaller ε, and a planted bug shows as a floor.

Left out: checks along random directions, and nets with dropout, whose noise has to be switched off before any check.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, dot, figure, label, legend, lines, log_axis, polyline, rule, segment
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.words import number

SAMPLES, INPUTS, HIDDEN = 8, 3, 5
LAMBDA = 0.4  # of the L2 penalty
GOOD, BUG = 1e-7, 1e-2  # Karpathy, CS231n: below the first is good, above the second is a bug
NEAR = 1e-4  # how near its kink the ReLU of bug "kink" is
PER_DECADE = 4  # values of ε
BUGS = ("none", "sign", "factor 2", "missing term", "kink")
METHODS = ("central float64", "forward float64", "central float32", "forward float32")


class Params(kit.Params):
    bug: Literal["none", "sign", "factor 2", "missing term", "kink", "mystery"] = knob(
        "none", label="Bug in the gradient", help="mystery: one of the others, which one the seed decides"
    )
    shown: tuple[Literal[METHODS], ...] = knob(METHODS[:3], label="Differences")
    watch: Literal["W₁", "b₁", "W₂", "b₂"] = knob("b₁", label="Watched weight", help="the first of these parameters")
    smallest: int = knob(13, 3, 15, label="Smallest ε, 10⁻ᵏ", help="k: the run goes from ε = 0.1 down to 10⁻ᵏ")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides weights and data, and the bug if it is a mystery")
    reveal: bool = knob(False, label="Tell me the bug", more=True, when=lambda p: p.bug == "mystery")

    @property
    def planted(self) -> str:
        """The bug that is there; a mystery is drawn by the seed."""
        return (
            BUGS[int(np.random.default_rng([self.seed, 5]).integers(len(BUGS)))] if self.bug == "mystery" else self.bug
        )

    @property
    def length(self) -> int:
        return PER_DECADE * (self.smallest - 1) + 1


class State(NamedTuple):
    step: int
    eps: float
    relative_error: float  # of the first method shown, over all parameters
    smallest_error: float  # of that method so far
    note: str
    errors: np.ndarray  # (methods shown,)
    analytic: np.ndarray  # (parameters,)
    numeric: np.ndarray  # (parameters,) by the first method shown
    nearby: np.ndarray  # (points,) change of the loss along the watched weight, see `SPREAD`


SHAPES = {"W₁": (HIDDEN, INPUTS), "b₁": (HIDDEN,), "W₂": (1, HIDDEN), "b₂": (1,)}
SIZES = {name: int(np.prod(shape)) for name, shape in SHAPES.items()}
STARTS = dict(zip(SIZES, np.cumsum([0, *SIZES.values()]).tolist(), strict=False))
COUNT = sum(SIZES.values())
SPREAD = np.linspace(-1.6, 1.6, 81)  # where the loss near the watched weight is computed, in units of ε


def unpack(theta: np.ndarray) -> list[np.ndarray]:
    """W₁, b₁, W₂, b₂ out of a vector of shape (COUNT,)."""
    return [theta[STARTS[name] : STARTS[name] + SIZES[name]].reshape(shape) for name, shape in SHAPES.items()]


def loss(theta: np.ndarray, x: np.ndarray, y: np.ndarray, relu: bool) -> np.floating:
    """Mean squared error of a net with one hidden layer plus λ/2 · |W|², in the precision of its arguments.

    theta (COUNT,), x (SAMPLES, INPUTS), y (SAMPLES,).
    """
    w1, b1, w2, b2 = unpack(theta)
    z = x @ w1.T + b1
    h = np.maximum(z, 0) if relu else np.tanh(z)
    error = (h @ w2.T + b2)[:, 0] - y
    decay = theta.dtype.type(LAMBDA / 2)
    return (error * error).mean() + decay * ((w1 * w1).sum() + (w2 * w2).sum())


def gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray, relu: bool, bug: str) -> np.ndarray:
    """The loss's gradient by backpropagation, shape (COUNT,), with the bug if there is one."""
    w1, b1, w2, b2 = unpack(theta)
    z = x @ w1.T + b1
    h = np.maximum(z, 0) if relu else np.tanh(z)
    delta = 2 * ((h @ w2.T + b2)[:, 0] - y)[:, None] / len(x)
    below = (delta @ w2) * ((z > 0) if relu else 1 - h * h)
    dw1, db1, dw2, db2 = below.T @ x, below.sum(axis=0), delta.T @ h, delta.sum(axis=0)
    if bug != "missing term":  # the penalty's own gradient
        dw1, dw2 = dw1 + LAMBDA * w1, dw2 + LAMBDA * w2
    if bug == "sign":
        db1 = -db1
    g = np.concatenate([part.ravel() for part in (dw1, db1, dw2, db2)])
    return 2 * g if bug == "factor 2" else g


def differences(f: Callable[[np.ndarray], float], theta: np.ndarray, eps: float, central: bool) -> np.ndarray:
    """[f(θ + ε e) - f(θ - ε e)] / 2ε for every direction e, or [f(θ + ε e) - f(θ)] / ε; shape as theta."""
    g = np.zeros(len(theta))
    here = f(theta)
    for i in range(len(theta)):
        step = np.zeros_like(theta)
        step[i] = eps
        g[i] = (f(theta + step) - f(theta - step)) / (2 * eps) if central else (f(theta + step) - here) / eps
    return g


def precision(method: str) -> type:
    return np.float32 if method.endswith("32") else np.float64


def relative(a: np.ndarray, n: np.ndarray) -> float:
    """|a - n| / (|a| + |n|): 0 if they agree, 1/3 if one is the other's double, 1 if they are opposite."""
    return float(np.linalg.norm(a - n) / max(np.linalg.norm(a) + np.linalg.norm(n), 1e-300))


def run(p: Params) -> Iterator[State]:
    """One value of ε a state, from 0.1 down."""
    rng = np.random.default_rng(p.seed)
    bug, relu = p.planted, p.planted == "kink"
    x, y = rng.normal(size=(SAMPLES, INPUTS)), rng.normal(size=SAMPLES)
    theta = rng.normal(0, 0.6, COUNT)
    if relu:  # the weightiest unit's z is moved so that it is NEAR above 0 for the sample with the largest error
        w1, b1, w2, b2 = unpack(theta)
        unit = np.abs(w2[0]).argmax()
        sample = np.abs(np.maximum(x @ w1.T + b1, 0) @ w2[0] + b2 - y).argmax()
        b1[unit] += NEAR - (x @ w1.T + b1)[sample, unit]
    analytic = gradient(theta, x, y, relu, bug)

    i = STARTS[p.watch]
    smallest, before = np.inf, None
    for step in range(p.length):
        eps = 10 ** -(1 + step / PER_DECADE)
        numeric = []
        for method in p.shown:
            x_, y_, theta_ = (values.astype(precision(method)) for values in (x, y, theta))
            f = partial(loss, x=x_, y=y_, relu=relu)
            numeric.append(differences(f, theta_, theta_.dtype.type(eps), method.startswith("central")))
        errors = np.array([relative(analytic, n) for n in numeric])
        smallest = min(smallest, float(errors[0]))

        x_, y_, here = (values.astype(precision(p.shown[0])) for values in (x, y, theta))
        nearby = []
        for distance in SPREAD * eps:
            aside = here.copy()
            aside[i] += distance
            nearby.append(float(loss(aside, x_, y_, relu)) - float(loss(here, x_, y_, relu)))
        state = State(step, eps, float(errors[0]), smallest, "", errors, analytic, numeric[0], np.array(nearby))
        yield (before := state._replace(note=note(p, state, before)))


def note(p: Params, now: State, before: State | None) -> str:
    """The watched weight's two slopes, the error over all, and which of the two errors of a difference wins."""
    i, first = STARTS[p.watch], p.shown[0]
    slopes = f"{number(now.numeric[i])} by differences, {number(now.analytic[i])} by the code"
    over_all = f"relative error over all {COUNT} parameters {number(now.relative_error)}"
    said = f"ε = {number(now.eps)}, {first}: the slope along the first {p.watch} is {slopes}; {over_all}"
    if before is None:
        why = "the difference spans a wide piece of a curve"
    elif now.relative_error > 1.5 * before.relative_error and now.smallest_error < BUG:
        why = "it grows: the two losses now differ in their last digits only, so rounding wins"
    elif now.relative_error < 0.9 * before.relative_error:
        why = f"it falls with ε{'²' if first.startswith('central') else ''}"
    elif now.relative_error > BUG:
        why = "it hardly falls: there is a bug, or a kink nearer than ε"
    else:
        why = "it hardly changes"
    if now.step < p.length - 1:
        return f"{said}; {why}."
    verdict = (
        "a bug" if now.smallest_error > BUG
        else "good" if now.smallest_error < GOOD
        else "acceptable only if a kink is near"
    )  # fmt: skip
    told = f" The bug was: {p.planted}." if p.bug == "mystery" and p.reveal else ""
    return f"{said}. The smallest error of the run is {number(now.smallest_error)}: {verdict}.{told}"


PRESETS = (
    works("A right gradient", "The error falls with ε² until rounding takes over, far below the bar for good.",
          {"smallest_error": "< 1e-8"}, seed=2),
    fails("A factor of two", "A doubled gradient is off by a third at every ε: the V has become a floor.",
          {"smallest_error": "> 0.3"}, bug="factor 2"),
    fails("A term forgotten", "The penalty's own gradient is missing, and no ε makes up for it.",
          {"smallest_error": "> 0.01"}, bug="missing term"),
    fails("In float32", "Half the digits are gone before the check begins: even a right gradient looks doubtful.",
          {"smallest_error": "> 1e-6"}, shown=("central float32",)),
)  # fmt: skip


LOOKS = dict(zip(METHODS, zip(SERIES, ("solid", "dash", "solid", "dash"), strict=False), strict=True))
ZOOM, TALL = 1.6, 2.6  # half the width and height of the picture of the loss near the weight


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Error against ε; the loss near the watched weight, a window of 3.2 ε wide; both gradients, weight by weight."""
    state = states[now]
    eps, errors = np.array([s.eps for s in states]), np.array([s.errors for s in states])
    sizes = log_axis(np.append(errors, [1e-8, 0.5]), 0.4, 1e-16, 10)
    most = 1.15 * float(np.abs(states[0].analytic).max())
    half = {"range": [-most, most], "nticks": 5}
    window = {"range": [-ZOOM, ZOOM], "tickvals": [-1, 0, 1], "ticktext": ["w − ε", "w", "w + ε"]}
    fig = figure(
        470,
        Panel((0, 0.54, 0, 1), 300, "Relative error by ε (smaller →)",
              log_axis(eps) | {"range": [-0.7, -p.smallest - 0.3]}, sizes),
        Panel((0.64, 1, 0.6, 1), 200, f"Loss near {p.watch}: code ━ diff. ┄", window,
              {"range": [-TALL, TALL], "showticklabels": False}),
        Panel((0.64, 1, 0, 0.38), 200, "Gradient: code ↑ diff. →", half, half),
    )  # fmt: skip
    for method, error in zip(p.shown, errors.T, strict=True):
        colour, dash = LOOKS[method]
        said = "%{y:.2g} at ε = %{x:.2g}"
        shown = np.clip(error, 1e-16, 10)
        fig["data"].append(
            lines(1, eps, shown, method, colour, line={"dash": dash}, mode="lines+markers", marker={"size": 5},
                  hovertemplate=said)
        )  # fmt: skip
    for height, words in ((GOOD, "below: good"), (BUG, "above: a bug")):
        fig["data"].append(
            lines(1, [1, 10.0 ** (-p.smallest - 1)], [height] * 2, words, MUTED, line={"dash": "dot", "width": 1},
                  hoverinfo="skip", showlegend=False)
        )  # fmt: skip
        edge = {"xanchor": "left", "yanchor": "bottom"}
        fig["layout"]["annotations"].append(label(1, -0.8, float(np.log10(height)), words, **edge))
    legend(fig, len(p.shown))
    _zoom(fig, p, state)
    named = "  ".join(
        f'<span style="color:{colour}">{name}</span>' for name, colour in zip(SHAPES, SERIES, strict=False)
    )
    corner = {"xanchor": "left", "yanchor": "top"}
    fig["layout"]["annotations"].append(label(3, -0.95 * most, 0.97 * most, named, **corner))
    shapes = fig["layout"]["shapes"]
    shapes.append(segment(3, (-most, -most), (most, most), MUTED, 1))
    for name, colour in zip(SHAPES, SERIES, strict=False):
        for k in range(STARTS[name], STARTS[name] + SIZES[name]):
            ends = np.clip([state.numeric[k], state.analytic[k]], -most, most)
            shapes.append(dot(3, *ends, colour, 9))
    shapes += [rule(1, state.eps)]
    return fig


def _zoom(fig: Figure, p: Params, state: State) -> None:
    """The loss within 1.6 ε of the watched weight, the slope by the code and the one by the difference.

    Heights are in units of the change that the true slope makes over ε, so that the picture zooms in as ε falls.
    """
    i = STARTS[p.watch]
    unit = state.eps * max(abs(state.analytic[i]), 1e-12)
    curve = np.clip(state.nearby / unit, -TALL, TALL)
    shapes = fig["layout"]["shapes"]
    shapes.append(polyline(2, SPREAD, curve, INK, 2))
    for slope, colour, dash in ((state.analytic[i], ORANGE, "solid"), (state.numeric[i], BLUE, "dash")):
        rise = slope * state.eps / unit
        reach = ZOOM if abs(rise) * ZOOM < TALL else TALL / abs(rise)
        shapes.append(polyline(2, [-reach, reach], [-reach * rise, reach * rise], colour, 2, dash))
