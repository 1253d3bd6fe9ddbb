"""Optimizers go down one loss surface from one start, and a sweep shows where every other learning rate would have ended.

Left out: more than two weights, and real mini-batches, whose noise is imitated by normal noise on the gradient.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import ceil, floor, log10
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import knob
from playgrounds.kit.figures import (
    Figure, Panel, axes, dot, figure, label, lines, points, polyline, rule, short,
)  # fmt: skip
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES

STATES = 300  # a longer run keeps every second, third, … step
HUGE = 1e12  # a weight beyond it has diverged
ARRIVED = 1e-6  # of the starting distance to the minimum
EPS = 1e-8  # of RMSProp and Adam

SQUARED = {"RMSProp", "Adam", "AdamW"}  # those that divide by the root of a mean squared gradient
WITH_BETA = {"momentum", "Nesterov", "Adam", "AdamW"}


class Params(kit.Params):
    surface: Literal["bowl", "valley", "rosenbrock", "saddle", "ripples"] = knob("valley", label="Surface")
    optimizers: tuple[Literal["GD", "momentum", "Nesterov", "RMSProp", "Adam", "AdamW"], ...] = knob(
        ("GD", "momentum", "Adam"), label="Optimizers"
    )
    rate: float = knob(0.018, 0.0001, 10, label="Learning rate η", log=True)
    steps: int = knob(100, 1, 3000, label="Steps", log=True)
    condition: int = knob(
        100, 1, 1000, label="Condition number", log=True, help="largest curvature λ_max; the smallest is 1",
        when=lambda p: p.surface == "valley",
    )  # fmt: skip
    beta: float = knob(
        0.9, 0, 0.99, label="Momentum β", help="share of the velocity that each step keeps; Adam's β₁", step=0.01,
        when=lambda p: bool(WITH_BETA & {*p.optimizers}),
    )  # fmt: skip
    schedule: Literal["constant", "step", "cosine", "plateau"] = knob(
        "constant", label="Schedule of η", help="step: by plan; cosine: to 0 at the end; plateau: when the loss stalls"
    )
    scale: int = knob(
        0, -6, 4, label="Scale of the loss, 10^k", help="multiplies the loss, and so every gradient, by 10 to this power",
        when=lambda p: bool(SQUARED & {*p.optimizers}),
    )  # fmt: skip
    every: int = knob(
        30, 1, 1000, label="Steps between cuts of η", log=True, more=True, when=lambda p: p.schedule == "step"
    )
    patience: int = knob(
        10, 0, 100, label="Patience", help="steps without a better loss before η is cut", more=True,
        when=lambda p: p.schedule == "plateau",
    )  # fmt: skip
    factor: float = knob(
        0.1, 0.01, 0.99, label="Cut η to this share", step=0.01, more=True,
        when=lambda p: p.schedule in ("step", "plateau"),
    )  # fmt: skip
    tuned: bool = knob(
        False, label="Each at its own best rate", help="the rate of the sweep with the lowest loss after these steps",
        more=True,
    )  # fmt: skip
    x: float = knob(-1.5, -2, 2, label="Start, w₁", step=0.1, more=True)
    y: float = knob(1.4, -2, 2, label="Start, w₂", step=0.1, more=True, when=lambda p: p.surface != "bowl")
    alpha: float = knob(
        0.99, 0, 0.999, label="RMSProp's α", help="share of the mean squared gradient that each step keeps", step=0.001,
        more=True, when=lambda p: "RMSProp" in p.optimizers,
    )  # fmt: skip
    beta2: float = knob(
        0.999, 0, 0.999, label="Adam's β₂", help="share of the mean squared gradient that each step keeps", step=0.001,
        more=True, when=lambda p: bool({"Adam", "AdamW"} & {*p.optimizers}),
    )  # fmt: skip
    bias_correction: bool = knob(
        True, label="Adam's bias correction", more=True, when=lambda p: bool({"Adam", "AdamW"} & {*p.optimizers})
    )
    decay: float = knob(
        0.0, 0, 1, label="Weight decay λ", help="added to the gradient as λ·w; AdamW shrinks w by ηλ instead", step=0.01,
        more=True,
    )  # fmt: skip
    noise: float = knob(0.0, 0, 5, label="Gradient noise", help="its standard deviation", step=0.1, more=True)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the noise", more=True, when=lambda p: p.noise > 0)

    @property
    def start(self) -> list[float]:
        return [self.x] if self.surface == "bowl" else [self.x, self.y]

    @property
    def stride(self) -> int:
        return ceil(self.steps / STATES)

    @property
    def length(self) -> int:
        return ceil(self.steps / self.stride) + 1


class State(NamedTuple):
    step: int
    loss: float  # the lowest among the optimizers
    worst_loss: float  # the highest
    distance_left: float  # to the nearest minimum, as a share of the start's, of the optimizer that is nearest
    eta: float  # the first optimizer's learning rate in this step
    note: str
    losses: np.ndarray  # (optimizers,)
    etas: np.ndarray  # (optimizers,)
    path: np.ndarray  # (steps since the state before, optimizers, weights)
    arrived: tuple[tuple[int, float] | None, ...]  # per optimizer: step and loss where it first was that near
    own: np.ndarray  # (optimizers,): the rate that each starts with
    rates: np.ndarray  # (rates,) of the sweep
    sweep: np.ndarray  # (optimizers, rates): loss after the last step


class Surface(NamedTuple):
    """Loss and gradient at w of shape (…, weights) for a condition number, and where the loss is 0."""

    formula: str
    loss: Callable[[np.ndarray, int], np.ndarray]
    gradient: Callable[[np.ndarray, int], np.ndarray]
    minima: list[list[float]]


def saddle(w):
    """Coordinates across the ridge from (-2, 2) to (2, -2), shape (…) each: along it u, away from it v."""
    return (w[..., 0] - w[..., 1]) / np.sqrt(2), (w[..., 0] + w[..., 1]) / np.sqrt(2)


def saddle_gradient(w, _):
    u, v = saddle(w)
    du, dv = u, v**3 - v
    return np.stack([dv + du, dv - du], axis=-1) / np.sqrt(2)


def rosenbrock_gradient(w, _):
    x, y = w[..., 0], w[..., 1]
    return np.stack([2 * (x - 1) - 400 * x * (y - x * x), 200 * (y - x * x)], axis=-1)


SURFACES = {
    "bowl": Surface("w²/2", lambda w, _: w[..., 0] ** 2 / 2, lambda w, _: w, [[0]]),
    "valley": Surface(
        "(w₁² + κ w₂²)/2",
        lambda w, kappa: (w[..., 0] ** 2 + kappa * w[..., 1] ** 2) / 2,
        lambda w, kappa: w * (1.0, kappa),
        [[0, 0]],
    ),
    "rosenbrock": Surface(  # 1960
        "(1 − w₁)² + 100 (w₂ − w₁²)²",
        lambda w, _: (1 - w[..., 0]) ** 2 + 100 * (w[..., 1] - w[..., 0] ** 2) ** 2,
        rosenbrock_gradient,
        [[1, 1]],
    ),
    "saddle": Surface(
        "u²/2 + (v² − 1)²/4",
        lambda w, _: saddle(w)[0] ** 2 / 2 + (saddle(w)[1] ** 2 - 1) ** 2 / 4,
        saddle_gradient,
        [[2**-0.5, 2**-0.5], [-(2**-0.5), -(2**-0.5)]],
    ),
    "ripples": Surface(
        "Σ w²/4 + (1 − cos 5w)/5",
        lambda w, _: (w**2 / 4 + (1 - np.cos(5 * w)) / 5).sum(axis=-1),
        lambda w, _: w / 2 + np.sin(5 * w),
        [[0, 0]],
    ),
}


def loss_of(p: Params, w: np.ndarray) -> np.ndarray:
    return 10.0**p.scale * SURFACES[p.surface].loss(w, p.condition)


def gradient_of(p: Params, w: np.ndarray) -> np.ndarray:
    return 10.0**p.scale * SURFACES[p.surface].gradient(w, p.condition)


def distance(p: Params, w: np.ndarray) -> float:
    """From w of shape (weights,) to the nearest minimum of the surface."""
    return float(np.sqrt(((w - np.array(SURFACES[p.surface].minima)) ** 2).sum(axis=1)).min())


class Step(NamedTuple):
    """One step of one optimizer at rates of shape (…): where it came to, and what it was made of, each (…, weights)."""

    w: np.ndarray
    loss: np.ndarray  # (…)
    eta: np.ndarray  # (…, 1)
    g: np.ndarray | float = 0.0  # the gradient where the step began
    m: np.ndarray | float = 0.0  # velocity, or Adam's first moment
    s: np.ndarray | float = 0.0  # mean squared gradient
    d: np.ndarray | float = 0.0  # the step was -eta * d


def descend(p: Params, name: str, rate: float | np.ndarray) -> Iterator[Step]:
    """Yield the start and every step of an optimizer, in PyTorch's conventions, for one rate or an array of rates at once.

    A weight beyond HUGE stays where it is.
    """
    rng = np.random.default_rng(p.seed)  # the same noise for every optimizer and every rate
    eta_0 = eta = np.asarray(rate, float)[..., None]
    w = np.broadcast_to(p.start, (*eta.shape[:-1], len(p.start))).astype(float)
    m = s = 0.0
    best, bad = np.inf, 0  # of the plateau schedule
    yield Step(w, loss_of(p, w), eta)
    for t in range(1, p.steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            g = gradient_of(p, w)
            if p.noise:
                g = g + 10.0**p.scale * p.noise * rng.normal(size=len(p.start))
            if p.schedule == "step":
                eta = eta_0 * p.factor ** ((t - 1) // p.every)
            elif p.schedule == "cosine":
                eta = eta_0 * (1 + np.cos(np.pi * (t - 1) / p.steps)) / 2
            if name == "AdamW":  # Loshchilov and Hutter 2019: the decay does not pass through the moments
                kept = w * (1 - eta * p.decay)
            else:
                kept, g = w, g + p.decay * w

            if name == "GD":
                d = g
            elif name == "momentum":  # Polyak 1964
                m = p.beta * m + g
                d = m
            elif name == "Nesterov":
                m = p.beta * m + g
                d = g + p.beta * m
            elif name == "RMSProp":
                s = p.alpha * s + (1 - p.alpha) * g * g
                d = g / (np.sqrt(s) + EPS)
            else:  # Adam, Kingma and Ba 2015
                m = p.beta * m + (1 - p.beta) * g
                s = p.beta2 * s + (1 - p.beta2) * g * g
                m_hat = m / (1 - p.beta**t) if p.bias_correction else m
                s_hat = s / (1 - p.beta2**t) if p.bias_correction else s
                d = m_hat / (np.sqrt(s_hat) + EPS)

            gone = (np.abs(w) > HUGE).any(axis=-1, keepdims=True)
            w = np.where(gone, w, kept - eta * d)
            loss = loss_of(p, w)
        yield Step(w, loss, eta, g, m, s, d)
        if p.schedule == "plateau":
            better = loss < best * (1 - 1e-4)
            best = np.where(better, loss, best)
            bad = np.where(better, 0, bad + 1)
            cut = (bad > p.patience)[..., None] & (eta - eta * p.factor > 1e-8)
            eta = np.where(cut, eta * p.factor, eta)
            bad = np.where(bad > p.patience, 0, bad)


def run(p: Params) -> Iterator[State]:
    """Sweep the rates, then go down; a state per step, or per few steps of a long run."""
    knob = Params.knobs()["rate"]
    rates = np.union1d(np.geomspace(knob.lo, knob.hi, 121), p.rate)
    sweep = np.stack([last(descend(p, name, rates)).loss for name in p.optimizers])
    own = rates[sweep.argmin(axis=1)] if p.tuned else np.full(len(p.optimizers), p.rate)

    walks = [descend(p, name, rate) for name, rate in zip(p.optimizers, own, strict=True)]
    away = distance(p, np.array(p.start))
    arrived, path, before = [None] * len(walks), [], None
    for step, now in enumerate(zip(*walks, strict=True)):
        left = [distance(p, one.w) / (away or 1) for one in now]
        for i, one in enumerate(now):
            if left[i] <= ARRIVED and arrived[i] is None:
                arrived[i] = step, float(one.loss)
        path.append([one.w for one in now])
        gone = [np.abs(one.w).max() > HUGE for one in now]
        if step % p.stride and step < p.steps and not all(gone):
            before = now
            continue
        losses = np.array([one.loss for one in now])
        yield State(
            step, float(losses.min()), float(losses.max()), min(left), float(now[0].eta[0]),
            note(p, step, before, now, arrived, gone), losses, np.array([one.eta[0] for one in now]), np.array(path),
            tuple(arrived), own, rates, sweep,
        )  # fmt: skip
        if all(gone):
            return
        path, before = [], now


def last(steps: Iterator[Step]) -> Step:
    for step in steps:
        pass
    return step


def top_curvature(p: Params) -> float:
    """The largest eigenvalue of the loss's second derivatives, weight decay included, at the start."""
    w, h = np.array(p.start, float), 1e-5
    hessian = [(gradient_of(p, w + e) - gradient_of(p, w - e)) / (2 * h) for e in h * np.eye(len(w))]
    return float(np.linalg.eigvalsh(hessian)[-1]) + p.decay


def limit(p: Params, name: str) -> tuple[str, float] | None:
    """The rate at which an optimizer stops converging on a parabola of the start's largest curvature: formula, value."""
    top = top_curvature(p)
    if top <= 0:
        return None
    if name == "GD":
        return "2/λ_max", 2 / top
    if name == "momentum":
        return "2(1 + β)/λ_max", 2 * (1 + p.beta) / top
    if name == "Nesterov":
        return "2(1 + β)/((1 + 2β) λ_max)", 2 * (1 + p.beta) / (1 + 2 * p.beta) / top
    if name == "AdamW" and p.decay:
        return "2/λ of the weight decay", 2 / p.decay
    return None


def note(p: Params, step: int, before: Sequence[Step] | None, now: Sequence[Step], arrived: list, gone: list) -> str:
    """What happened in this step, in one or two sentences."""
    names = p.optimizers
    if before is None:
        return f"Start: w = {vector(now[0].w)}, loss {number(now[0].loss)}.{forecast(p)}"
    if all(gone):
        return f"Step {step}: {parting(p, names[-1], now[-1])}"
    cut = ""
    if p.schedule in ("step", "plateau") and now[0].eta[0] != before[0].eta[0]:
        why = "by plan" if p.schedule == "step" else "because the loss stalled"
        cut = f" {'Its' if len(names) == 1 else names[0] + chr(8217) + 's'} η is now {number(now[0].eta[0])}, {why}."
    there = [f"{name} since step {at[0]}" for name, at in zip(names, arrived, strict=True) if at]
    near = f" Within a millionth of the starting distance: {', '.join(there)}." if there else ""
    if len(names) == 1:
        near = f" Within a millionth of the starting distance since step {arrived[0][0]}." if there else ""
        return f"Step {step}: {arithmetic(p, names[0], before[0], now[0])}, loss {number(now[0].loss)}.{cut}{near}"
    order = sorted((float(one.loss), name) for one, name, out in zip(now, names, gone, strict=True) if not out)
    others = ", ".join(f"{name} {number(loss)}" for loss, name in order[1:])
    said = f"Step {step}: {order[0][1]} has the lowest loss, {number(order[0][0])}{'; ' if others else ''}{others}."
    for name, one, was, out in zip(names, now, before, gone, strict=True):
        if out:
            said += f" {name} has diverged"
            said += f": {parting(p, name, one)}" if np.abs(was.w).max() <= HUGE else "."
    return said + cut + near


def forecast(p: Params) -> str:
    """What every step of plain descent does on a parabola."""
    if p.optimizers != ("GD",) or p.schedule != "constant" or p.noise or p.surface not in ("bowl", "valley"):
        return ""
    factors = [1 - p.rate * (10.0**p.scale * k + p.decay) for k in (1, p.condition)]
    if p.surface == "bowl":
        return f" Every step multiplies w by 1 − ηλ = {number(factors[0])}."
    return f" Every step multiplies w₁ by 1 − ηλ = {number(factors[0])} and w₂ by {number(factors[1])}."


def arithmetic(p: Params, name: str, before: Step, now: Step) -> str:
    """The update of one optimizer, written out in numbers."""
    begin, eta = before.w, number(now.eta[0])
    said = f"w = {vector(begin)} − {eta} · {vector(now.d)} = {vector(now.w)}"
    if name == "AdamW" and p.decay:
        said = f"w = {number(1 - now.eta[0] * p.decay)} · {said[4:]}"
    beta, rest = number(p.beta), number(1 - p.beta)
    if name == "momentum":
        return f"v = {beta} · {vector(before.m, now)} + {vector(now.g)} = {vector(now.m)}, {said}"
    if name == "Nesterov":
        return f"v = {beta} · {vector(before.m, now)} + {vector(now.g)} = {vector(now.m)}, g + βv = {vector(now.d)}, {said}"
    if name == "RMSProp":
        return f"g/√s = {vector(now.g)} / {vector(np.sqrt(now.s))} = {vector(now.d)}, {said}"
    if name in ("Adam", "AdamW"):
        return f"m = {beta} · {vector(before.m, now)} + {rest} · {vector(now.g)} = {vector(now.m)}, {said}"
    return said


def parting(p: Params, name: str, one: Step) -> str:
    """Where an optimizer left, and why."""
    i = int(np.abs(one.w).argmax())
    weight = "w" if len(one.w) == 1 else f"w{'₁₂'[i]}"
    said = f"{weight} = {number(one.w[i])} is beyond 10¹²"
    bound = limit(p, name)
    rate = one.eta[0] if p.schedule == "constant" else p.rate
    if bound and rate > bound[1]:
        where = "" if p.surface in ("bowl", "valley") or name == "AdamW" else ", for the curvature at the start"
        return f"{said}. Its learning rate {number(rate)} is above {bound[0]} = {number(bound[1])}{where}, so every step overshoots further."
    return f"{said}. Its learning rate {number(rate)} is too large for this surface, so every step overshoots further."


def number(value: float) -> str:
    """Three significant digits, as one writes them by hand."""
    value = float(f"{float(value):.3g}")
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:g}".replace("-", "−")
    power = floor(log10(abs(value)))
    mantissa = f"{value / 10.0**power:.3g}".replace("-", "−")
    return f"{mantissa}·10{str(power).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def vector(w: np.ndarray | float, like: Step | None = None) -> str:
    """The same for a weight or a pair of weights; `like` says how many there are where w is still a plain 0."""
    w = np.broadcast_to(w, like.w.shape) if like else np.asarray(w)
    texts = [number(value) for value in w]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
