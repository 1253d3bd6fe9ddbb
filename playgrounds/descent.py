"""Optimizers go down one loss surface from one start; a sweep shows where every other learning rate would have ended.

Left out: more than two weights, and real mini-batches, whose noise is imitated by normal noise on the gradient.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import cycle
from math import log10
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    axes,
    dot,
    figure,
    label,
    legend,
    lines,
    log_axis,
    points,
    polyline,
    rule,
    short,
)  # fmt: skip
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import number, vector

SLOWEST, FASTEST = 0.0001, 10.0  # learning rates of the slider and of the sweep
PAUSE = 300  # steps of an optimizer at all rates, after which others may have their turn
HUGE = 1e12  # a weight beyond it has diverged
ARRIVED = 1e-6  # of the starting distance to the minimum
EPS = 1e-8  # of RMSProp and Adam


def one_of(*names: str) -> Callable[["Params"], bool]:
    """For knobs that matter only while one of these optimizers is chosen."""
    return lambda p: any(name in p.optimizers for name in names)


class Params(kit.Params):
    surface: Literal["bowl", "valley", "rosenbrock", "saddle", "ripples"] = knob("valley", label="Surface")
    optimizers: tuple[Literal["GD", "momentum", "Nesterov", "RMSProp", "Adam", "AdamW"], ...] = knob(
        ("GD", "momentum", "Adam"), label="Optimizers"
    )
    rate: float = knob(0.018, SLOWEST, FASTEST, label="Learning rate η", log=True, when=lambda p: not p.tuned)
    steps: int = knob(80, 1, 3000, label="Steps", log=True)
    condition: int = knob(
        100,
        1,
        1000,
        label="Condition number",
        help="the largest curvature λ_max; the smallest is 1",
        log=True,
        when=lambda p: p.surface == "valley",
    )
    beta: float = knob(
        0.9,
        0,
        0.99,
        label="Momentum β",
        help="share of the velocity that each step keeps; Adam's β₁",
        step=0.01,
        when=one_of("momentum", "Nesterov", "Adam", "AdamW"),
    )
    schedule: Literal["constant", "step", "cosine", "plateau"] = knob(
        "constant", label="Schedule of η", help="step: by plan; cosine: to 0 at the end; plateau: when the loss stalls"
    )
    scale: int = knob(
        0,
        -6,
        4,
        label="Scale of the loss, 10^k",
        help="k: the loss, and so every gradient, is multiplied by 10^k",
        when=one_of("RMSProp", "Adam", "AdamW"),
    )
    tuned: bool = knob(
        False,
        label="Each at its own best rate",
        help="the one with the lowest loss after these steps in the sweep",
        more=True,
    )
    every: int = knob(
        30, 1, 1000, label="Steps between cuts of η", log=True, more=True, when=lambda p: p.schedule == "step"
    )
    patience: int = knob(
        10,
        0,
        100,
        label="Patience",
        help="steps without a better loss that are borne before η is cut",
        more=True,
        when=lambda p: p.schedule == "plateau",
    )
    factor: float = knob(
        0.1,
        0.01,
        0.99,
        label="Factor of a cut",
        step=0.01,
        more=True,
        when=lambda p: p.schedule in ("step", "plateau"),
    )
    x: float = knob(-1.5, -2, 2, label="Start, w₁", step=0.1, more=True)
    y: float = knob(1.4, -2, 2, label="Start, w₂", step=0.1, more=True, when=lambda p: p.surface != "bowl")
    alpha: float = knob(
        0.99,
        0,
        0.999,
        label="RMSProp's α",
        help="share of the mean squared gradient that each step keeps",
        step=0.001,
        more=True,
        when=one_of("RMSProp"),
    )
    beta2: float = knob(
        0.999,
        0,
        0.999,
        label="Adam's β₂",
        help="share of the mean squared gradient that each step keeps",
        step=0.001,
        more=True,
        when=one_of("Adam", "AdamW"),
    )
    bias_correction: bool = knob(True, label="Adam's bias correction", more=True, when=one_of("Adam", "AdamW"))
    decay: float = knob(
        0.0,
        0,
        1,
        label="Weight decay λ",
        help="adds λ·w to the gradient; AdamW shrinks w by ηλ instead. The loss is shown without it",
        step=0.01,
        more=True,
    )
    noise: float = knob(
        0.0, 0, 5, label="Gradient noise", help="standard deviation, before the scale", step=0.1, more=True
    )
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the noise", more=True, when=lambda p: p.noise > 0)

    @property
    def start(self) -> list[float]:
        return [self.x] if self.surface == "bowl" else [self.x, self.y]

    @property
    def length(self) -> int:
        return len(kept(self.steps))


class State(NamedTuple):
    step: int
    loss: float  # the lowest among the optimizers
    worst_loss: float  # the highest
    distance_left: float  # to the nearest minimum, as a share of the start's; of the optimizer that is nearest
    eta: float  # the first optimizer's learning rate in this step
    note: str
    losses: np.ndarray  # (optimizers,)
    etas: np.ndarray  # (optimizers,)
    path: np.ndarray  # (steps since the state before, optimizers, weights)
    arrived: tuple[tuple[int, float] | None, ...]  # per optimizer: step and loss where it first was that near
    rates: np.ndarray  # (rates,) of the sweep
    own: tuple[int, ...]  # per optimizer: which of the rates is its own
    sweep: np.ndarray  # (optimizers, rates): loss at every rate after this step


class Surface(NamedTuple):
    """A loss over w of shape (…, weights) for a condition number, its gradient, and where it is 0, its minimum."""

    formula: str
    loss: Callable[[np.ndarray, int], np.ndarray]
    gradient: Callable[[np.ndarray, int], np.ndarray]
    minima: list[list[float]]


def rosenbrock_gradient(w: np.ndarray, _: int) -> np.ndarray:
    x, y = w[..., 0], w[..., 1]
    return np.stack([2 * (x - 1) - 400 * x * (y - x * x), 200 * (y - x * x)], axis=-1)


def saddle(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates turned by 45 degrees: u leads to the saddle point, v away from it."""
    return (w[..., 0] - w[..., 1]) / np.sqrt(2), (w[..., 0] + w[..., 1]) / np.sqrt(2)


def saddle_gradient(w: np.ndarray, _: int) -> np.ndarray:
    u, v = saddle(w)
    return np.stack([v**3 - v + u, v**3 - v - u], axis=-1) / np.sqrt(2)


SURFACES = {
    "bowl": Surface("w²/2", lambda w, _: w[..., 0] ** 2 / 2, lambda w, _: w, [[0]]),
    "valley": Surface(
        "(w₁² + κ w₂²)/2",
        lambda w, kappa: (w[..., 0] ** 2 + kappa * w[..., 1] ** 2) / 2,
        lambda w, kappa: w * (1.0, kappa),
        [[0, 0]],
    ),
    "rosenbrock": Surface(  # Rosenbrock 1960
        "(1 − w₁)² + 100 (w₂ − w₁²)²",
        lambda w, _: (1 - w[..., 0]) ** 2 + 100 * (w[..., 1] - w[..., 0] ** 2) ** 2,
        rosenbrock_gradient,
        [[1, 1]],
    ),
    "saddle": Surface(
        "u²/2 + (v² − 1)²/4;  u, v = (w₁ ∓ w₂)/√2",
        lambda w, _: saddle(w)[0] ** 2 / 2 + (saddle(w)[1] ** 2 - 1) ** 2 / 4,
        saddle_gradient,
        [[0.5**0.5, 0.5**0.5], [-(0.5**0.5), -(0.5**0.5)]],
    ),
    "ripples": Surface(
        "Σ [w²/4 + (1 − cos 5w)/5]",
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
    """One step of one optimizer: where it came to, which is w - eta * up / down, and what that was made of."""

    w: np.ndarray  # (…, weights), … being the shape of the rates
    loss: np.ndarray  # (…)
    eta: np.ndarray  # (…, 1)
    g: np.ndarray  # the gradient where the step began
    m: np.ndarray  # velocity, or Adam's first moment
    up: np.ndarray
    down: np.ndarray

    def at(self, i: int) -> "Step":
        """The same for the i-th rate alone."""
        return Step(*(part[i] for part in self))


def descend(p: Params, name: str, rates: np.ndarray) -> Iterator[Step]:
    """Yield the start and every step of an optimizer, in PyTorch's conventions, at all rates of shape (…) at once.

    The schedules are torch.optim.lr_scheduler's StepLR(every, factor), CosineAnnealingLR(steps) and
    ReduceLROnPlateau(factor=factor, patience=patience), which is told the loss after each step and keeps a rate of its
    own for each of the rates. A weight beyond HUGE stays where it is.
    """
    rng = np.random.default_rng(p.seed)  # the same noise for every optimizer and every rate
    eta_0 = eta = np.asarray(rates, float)[..., None]
    w = np.broadcast_to(p.start, (*np.shape(rates), len(p.start))).astype(float)
    m = s = np.zeros_like(w)
    best, bad = np.inf, 0  # of the plateau schedule
    yield Step(w, loss_of(p, w), eta, m, m, m, m)
    for t in range(1, p.steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            if p.schedule == "step":
                eta = eta_0 * p.factor ** ((t - 1) // p.every)
            elif p.schedule == "cosine":
                eta = eta_0 * (1 + np.cos(np.pi * (t - 1) / p.steps)) / 2

            g = gradient_of(p, w)
            if p.noise:
                g = g + 10.0**p.scale * p.noise * rng.normal(size=len(p.start))
            kept = w
            if p.decay and name == "AdamW":  # Loshchilov and Hutter 2019: the decay does not pass through the moments
                kept = w * (1 - eta * p.decay)
            elif p.decay:
                g = g + p.decay * w

            down = np.ones_like(w)
            if name == "GD":
                up = g
            elif name == "momentum":  # Polyak 1964
                up = m = p.beta * m + g
            elif name == "Nesterov":  # as in Sutskever et al. 2013
                m = p.beta * m + g
                up = g + p.beta * m
            elif name == "RMSProp":  # Tieleman and Hinton 2012
                s = p.alpha * s + (1 - p.alpha) * g * g
                up, down = g, np.sqrt(s) + EPS
            else:  # Adam, Kingma and Ba 2015
                m = p.beta * m + (1 - p.beta) * g
                s = p.beta2 * s + (1 - p.beta2) * g * g
                m_hat, s_hat = (m / (1 - p.beta**t), s / (1 - p.beta2**t)) if p.bias_correction else (m, s)
                up, down = m_hat, np.sqrt(s_hat) + EPS

            gone = (np.abs(w) > HUGE).any(axis=-1, keepdims=True)
            w = np.where(gone, w, kept - eta * (up / down))
            loss = loss_of(p, w)
        yield Step(w, loss, eta, g, m, up, down)
        if p.schedule == "plateau":
            better = loss < best * (1 - 1e-4)
            best = np.where(better, loss, best)
            bad = np.where(better, 0, bad + 1)
            cut = (bad > p.patience)[..., None] & (eta - eta * p.factor > 1e-8)
            eta = np.where(cut, eta * p.factor, eta)
            bad = np.where(bad > p.patience, 0, bad)


def run(p: Params) -> Iterator[State | None]:
    """Go down at all rates of the slider at once; the path that is shown is the one at the chosen rate.

    Now and then, while there is nothing to see yet, None.
    """
    rates = np.union1d(np.geomspace(SLOWEST, FASTEST, 121), p.rate)
    own = [int(np.searchsorted(rates, p.rate))] * len(p.optimizers)
    if p.tuned:
        for i, name in enumerate(p.optimizers):
            for t, end in enumerate(descend(p, name, rates)):  # noqa: B007, it is used after the loop
                if t % PAUSE == 0:
                    yield None
            own[i] = int(end.loss.argmin())

    walks = [descend(p, name, rates) for name in p.optimizers]
    away = distance(p, np.array(p.start)) or 1.0
    arrived, gone, path = [None] * len(walks), [None] * len(walks), []
    before = shown = None
    film = set(kept(p.steps))
    for step, everywhere in enumerate(zip(*walks, strict=True)):
        now = [one.at(i) for one, i in zip(everywhere, own, strict=True)]
        left = [distance(p, one.w) / away for one in now]
        for i, one in enumerate(now):
            if left[i] <= ARRIVED and arrived[i] is None:
                arrived[i] = step, float(one.loss)
            if np.abs(one.w).max() > HUGE and gone[i] is None:
                gone[i] = step
        path.append([one.w for one in now])
        over = None not in gone  # the sweep goes on to its end all the same
        if step in film or over:
            ends = list(everywhere)
            for i, walk in enumerate(walks if over else ()):
                for t, ends[i] in enumerate(walk):
                    if t % PAUSE == 0:
                        yield None
            losses, etas = np.array([one.loss for one in now]), np.array([one.eta[0] for one in now])
            shown = State(
                step=step,
                loss=float(losses.min()),
                worst_loss=float(losses.max()),
                distance_left=min(left),
                eta=float(etas[0]),
                note=note(p, step, shown, before, now, arrived, gone),
                losses=losses,
                etas=etas,
                path=np.array(path),
                arrived=tuple(arrived),
                rates=rates,
                own=tuple(own),
                sweep=np.array([one.loss for one in ends]),
            )
            yield shown
            path = []
        if over:
            return
        before = now


@lru_cache(maxsize=64)
def top_curvature(p: Params) -> float:
    """The largest eigenvalue of the loss's second derivatives at the start, weight decay included."""
    w, h = np.array(p.start), 1e-5
    hessian = [(gradient_of(p, w + e) - gradient_of(p, w - e)) / (2 * h) for e in h * np.eye(len(w))]
    return float(np.linalg.eigvalsh(hessian)[-1]) + p.decay


def limit(p: Params, name: str) -> tuple[str, float] | None:
    """The rate above which an optimizer diverges on a parabola of the start's largest curvature: formula and value."""
    if name == "AdamW":
        return ("2/λ of the weight decay", 2 / p.decay) if p.decay else None
    top = top_curvature(p)
    if top <= 0 or name in ("RMSProp", "Adam"):
        return None
    if name == "GD":
        return "2/λ_max", 2 / top
    if name == "momentum":
        return "2(1 + β)/λ_max", 2 * (1 + p.beta) / top
    return "2(1 + β)/((1 + 2β) λ_max)", 2 * (1 + p.beta) / (1 + 2 * p.beta) / top


def note(p: Params, step: int, shown: State | None, before: list, now: list, arrived: list, gone: list) -> str:
    """What happened: shown is the state that the reader saw last, before and now have a Step per optimizer."""
    if shown is None:
        return f"Start: w = {vector(now[0].w)}, loss {number(now[0].loss)}.{forecast(p)}"
    names, single = p.optimizers, len(p.optimizers) == 1
    if single and gone[0]:
        why = f"{where(now[0])} is beyond 10¹², {cause(p, names[0])}"
        return f"Step {step}: diverged. {why}, so every step overshoots further."
    if single:
        said = [f"Step {step}: {arithmetic(p, names[0], before[0], now[0])}, loss {number(now[0].loss)}."]
    else:
        order = sorted((one.loss, name) for one, name, at in zip(now, names, gone, strict=True) if at is None)
        each = [f"{name} {number(loss)}" for loss, name in order]
        others = f"; then {', '.join(each[1:])}" if each[1:] else ""
        said = [f"Step {step}: lowest loss {each[0]}{others}." if each else f"Step {step}: none is left."]
    if p.schedule in ("step", "plateau") and now[0].eta[0] != shown.eta and not gone[0]:
        why = "by plan" if p.schedule == "step" else "as its loss stalled"
        said.append(f"The rate{'' if single else f' of {names[0]}'} is now {number(now[0].eta[0])}, {why}.")
    there = [f"{'' if single else name + ' '}since step {at[0]}" for name, at in zip(names, arrived, strict=True) if at]
    if there:
        said.append(f"Within a millionth of the starting distance: {', '.join(there)}.")
    out = [f"{name} at step {at}" for name, at in zip(names, gone, strict=True) if at and at <= shown.step]
    for name, at, one in zip(names, gone, now, strict=True):
        if at and at > shown.step:
            out.append(f"{name} at step {at} ({where(one)} is beyond 10¹², {cause(p, name)})")
    if out:
        said.append(f"Diverged: {', '.join(out)}.")
    return " ".join(said)


def forecast(p: Params) -> str:
    """What every step of plain descent does on a parabola."""
    plain = p.optimizers == ("GD",) and p.schedule == "constant" and not (p.noise or p.decay or p.tuned)
    if not plain or p.surface not in ("bowl", "valley"):
        return ""
    factors = [number(1 - p.rate * 10.0**p.scale * curvature) for curvature in (1, p.condition)]
    if p.surface == "bowl":
        return f" Every step multiplies w by 1 − ηλ = {factors[0]}."
    return f" Every step multiplies w₁ by 1 − ηλ = {factors[0]} and w₂ by {factors[1]}."


def arithmetic(p: Params, name: str, before: Step, now: Step) -> str:
    """The update of one optimizer, written out in numbers."""
    kept = vector(before.w)
    if name == "AdamW" and p.decay:
        kept = f"{number(1 - now.eta[0] * p.decay)} · {vector(before.w, True)}"
    said = f"w = {kept} − {number(now.eta[0])} · {vector(now.up / now.down, True)} = {vector(now.w)}"
    if name == "GD":
        return said
    if name == "RMSProp":
        return f"g/√s = {vector(now.up)}/{vector(now.down)} = {vector(now.up / now.down)}, {said}"
    if name in ("Adam", "AdamW"):
        formula = "m̂/√v̂" if p.bias_correction else "m/√v"
        return f"{formula} = {vector(now.up)}/{vector(now.down)} = {vector(now.up / now.down)}, {said}"
    velocity = f"v = {number(p.beta)} · {vector(before.m, True)} + {vector(now.g, True)} = {vector(now.m)}"
    return f"{velocity}, {f'g + βv = {vector(now.up)}, ' if name == 'Nesterov' else ''}{said}"


def where(one: Step) -> str:
    """The weight that has gone furthest."""
    i = int(np.abs(one.w).argmax())
    return f"w{'₁₂'[i] if len(one.w) > 1 else ''} = {number(one.w[i])}"


def cause(p: Params, name: str) -> str:
    """Why it diverged."""
    bound = limit(p, name)
    if p.tuned or not bound or p.rate <= bound[1]:
        return "as its rate is too large for this surface"
    of = "" if p.surface in ("bowl", "valley") or name == "AdamW" else " for the curvature at the start"
    return f"as the rate {number(p.rate)} is above {bound[0]} = {number(bound[1])}{of}"


PRESETS = (
    works("Momentum in a valley", "Steps across the valley cancel and steps along it add up, so momentum is there "
          "while plain descent still crawls.", {"loss": "<= 0.001", "worst_loss": ">= 0.01"},
          optimizers=("GD", "momentum"), beta=0.67),
    works("Adam, gradients times 10,000", "Dividing by the root of the squared gradients cancels their scale, and "
          "Adam goes the way that it would go without the factor.", {"distance_left": "<= 0.05"},
          optimizers=("Adam",), condition=10, rate=0.1, steps=60, scale=4),
    fails("A rate above 2/λ", "Every step across the valley lands on the other side and higher up, so the loss "
          "explodes however flat the valley's floor is.", {"loss": ">= 1e6"},
          optimizers=("GD",), condition=20, rate=0.11),
    fails("Caught between ripples", "Plain descent comes to rest in the first hollow on its way, for there the "
          "gradient is 0 although a lower minimum exists.", {"distance_left": ">= 0.5", "loss": ">= 0.5"},
          surface="ripples", optimizers=("GD",)),
)  # fmt: skip

NAMES = ("GD", "momentum", "Nesterov", "RMSProp", "Adam", "AdamW")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
LOOKS = {name: look for name, *look in zip(NAMES, SERIES, DASHES, strict=True)}
SPAN = 2.3  # the pictures show weights from -SPAN to SPAN
TAIL = 300  # steps of the path behind each point
STILL = {"hoverinfo": "skip", "showlegend": False}


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Paths over the surface; losses by step with a cursor; the loss at every learning rate, with the one in use."""
    state, end = states[now], states[-1]
    steps = np.array([s.step for s in states])
    losses = np.array([s.losses for s in states])
    etas = np.array([s.etas for s in states])
    path = np.concatenate([s.path for s in states])  # (steps, optimizers, weights)
    start = states[0].loss or 10.0**p.scale
    varies = p.schedule != "constant"
    by_step = {"range": [0, p.steps], "nticks": 5}
    least = 1e-16 * start
    by_rate, sweep = log_axis(end.rates, 0), log_axis(end.sweep, 0.3, least, 30 * start)
    low, middle, high = ((0, 0.27), (0.43, 0.6), (0.74, 1)) if varies else ((0, 0.41), (), (0.6, 1))
    panels = [
        Panel((0, 0.57, 0, 1), 340, title(p), *scenery(p), square=p.surface != "bowl"),
        Panel((0.66, 1, *high), 180, "Loss after each step", by_step, log_axis(losses, 0.3, least, 1e5 * start)),
        Panel((0.66, 1, *low), 180, f"Loss at step {end.step} by η", by_rate, sweep),
    ]
    if varies:
        panels.append(Panel((0.66, 1, *middle), 100, "η in each step", by_step, log_axis(etas, 0.3, 1e-16)))
    fig = figure(460, *panels)
    fig["data"] += [ground(p), minima(p), arrivals(p, end, start)]
    shapes = fig["layout"]["shapes"]
    for i, name in enumerate(p.optimizers):
        colour, dash = LOOKS[name]
        look, way, own = {"dash": dash, "width": 2}, within(p, path[:, i], 5), [end.own[i]]
        said = {"hovertemplate": "%{y:.3g} after step %{x}"}, {"hovertemplate": "%{y:.3g} for η = %{x:.3g}"}
        fig["data"] += [
            lines(1, *way.T, name, colour, line={"width": 1}, opacity=0.45, **STILL),
            lines(2, steps, cut(losses[:, i], start), name, colour, line=look, **said[0]),
            lines(3, end.rates, cut(end.sweep[i], start), name, colour, line=look, showlegend=False, **said[1]),
            points(3, end.rates[own], cut(end.sweep[i, own], start), name, colour, **STILL),
        ]
        if varies:
            fig["data"].append(lines(4, steps, etas[:, i], name, colour, line=look | {"shape": "vh"}, **STILL))
        shapes.append(polyline(1, *way[max(0, state.step + 1 - TAIL) : state.step + 1].T, colour, 2, dash))
        shapes.append(dot(1, *within(p, path[[state.step], i], 1)[0], colour))
    shapes += [rule(panel, state.step) for panel in (2, 4)[: 1 + varies]]
    if not p.tuned:
        shapes.append(rule(3, p.rate))
    if p.surface in ("bowl", "valley") and "GD" in p.optimizers:
        threshold(fig, p, limit(p, "GD")[1])
    if len(p.optimizers) > 1:
        legend(fig, len(p.optimizers))
    return fig


def scenery(p: Params) -> tuple[dict, dict]:
    """The axes of the main picture: two weights, or one weight and its loss."""
    weights, top = {"range": [-SPAN, SPAN], "nticks": 5}, top_of_bowl(p)
    return weights, {"range": [-0.05 * top, top], "nticks": 5} if p.surface == "bowl" else weights


def top_of_bowl(p: Params) -> float:
    return short(10.0**p.scale * SPAN**2 / 2)


def title(p: Params) -> str:
    """The formula of the loss."""
    formula = SURFACES[p.surface].formula.replace("κ", str(p.condition))
    return f"L = {number(10.0**p.scale) + ' · ' if p.scale else ''}{formula}"


def ground(p: Params) -> dict:
    """The curve of a loss over one weight, the contours of a loss over two."""
    if p.surface != "bowl":
        return contours(p.surface, p.condition)
    w = np.linspace(-SPAN, SPAN, 81)
    return lines(1, w, loss_of(p, w[:, None]), "loss", MUTED, **STILL)


@lru_cache(maxsize=32)
def contours(surface: str, condition: int) -> dict:
    """Neighbouring lines differ by the same step of the loss's cube root."""
    x, y = np.linspace(-SPAN, SPAN, 81), np.linspace(-SPAN, SPAN, 161)
    z = np.cbrt(SURFACES[surface].loss(np.stack(np.meshgrid(x, y), axis=-1), condition))
    return {
        "type": "contour",
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "z": (z / z.max()).round(3).astype(np.float32),
        "contours": {"coloring": "fill", "start": 0.06, "end": 0.96, "size": 0.045},
        "colorscale": [[0, PAPER], [1, FAINT]],
        "line": {"color": FAINT, "width": 1},
        "showscale": False,
        "hoverinfo": "skip",
    } | axes(1)


def minima(p: Params) -> dict:
    """A cross where the loss is 0."""
    at = np.array([[*w, 0.0][:2] for w in SURFACES[p.surface].minima])  # over one weight: at loss 0
    cross = {"symbol": "cross-thin", "line": {"width": 1.5, "color": INK}}
    return points(1, *at.T, "minimum", INK, marker=cross, **STILL)


def arrivals(p: Params, end: State, start: float) -> dict:
    """A diamond on a loss curve where its path has come within a millionth of the starting distance, and the step."""
    there = sorted((*at, LOOKS[name][0]) for name, at in zip(p.optimizers, end.arrived, strict=True) if at)
    step, loss, colours = zip(*there, strict=True) if there else ((), (), ())
    sides = cycle(("middle left", "top center", "bottom center"))
    texts = {
        "mode": "markers+text",
        "text": [str(at) for at in step],
        "textposition": [next(sides) for _ in step],
        "textfont": {"color": [*colours]},
    }
    loss = cut(np.array(loss), start)
    return points(2, step, loss, "arrived", [*colours], marker={"symbol": "diamond"}, **texts, **STILL)


def within(p: Params, path: np.ndarray, most: float) -> np.ndarray:
    """Where path of shape (steps, weights) stands in the picture, (steps, 2).

    What is further out than `most` times the picture's edge is drawn there, in its direction from the middle.
    """
    size = np.array([SPAN, SPAN])
    if p.surface == "bowl":
        path = np.stack([path[:, 0], loss_of(p, path)], axis=1)
        size[1] = top_of_bowl(p)
    far = np.abs(path / size).max(axis=1, keepdims=True)
    return path * (most / np.maximum(far, most))


def cut(losses: np.ndarray, start: float) -> np.ndarray:
    """Losses that a log axis and float32 can take; the axis leaves out what is cut here."""
    return np.clip(losses, 1e-17 * start, 1e8 * start)


def threshold(fig: Figure, p: Params, bound: float) -> None:
    """Mark the rate above which plain descent diverges in the sweep."""
    fig["layout"]["shapes"].append(rule(3, bound, MUTED, "dot"))
    text = "2/λ" if p.surface == "bowl" else "2/λ<sub>max</sub>"
    aside = {"xanchor": "left", "xshift": 1} if p.rate <= bound < 3 else {"xanchor": "right", "xshift": -1}
    place = {"yref": "y3 domain", "yanchor": "top"} | aside
    fig["layout"]["annotations"].append(label(3, short(log10(bound)), 1, text, **place))
