"""Optimizers in PyTorch's conventions go down a loss surface, each at all learning rates at once."""

from collections.abc import Generator, Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._surfaces import SURFACES
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import kept

SLOWEST, FASTEST = 0.0001, 10.0  # learning rates of the slider and of the sweep
PAUSE = 300  # steps of an optimizer at all rates, after which others may have their turn
HUGE = 1e12  # a weight beyond it has diverged
ARRIVED = 1e-6  # of the starting distance to the minimum
EPS = 1e-8  # of RMSProp and Adam
AVERAGE = "share of the mean squared gradient that each step keeps"


def uses(p: "Params", *names: str) -> bool:
    """Whether one of these optimizers is chosen."""
    return any(name in p.optimizers for name in names)


def cuts(p: "Params") -> bool:
    """Whether the schedule cuts η by a factor."""
    return p.schedule in ("step", "plateau")


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
        when=lambda p: uses(p, "momentum", "Nesterov", "Adam", "AdamW"),
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
        when=lambda p: uses(p, "RMSProp", "Adam", "AdamW"),
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
    factor: float = knob(0.1, 0.01, 0.99, label="Factor of a cut", step=0.01, more=True, when=cuts)
    x: float = knob(-1.5, -2, 2, label="Start, w₁", step=0.1, more=True)
    y: float = knob(1.4, -2, 2, label="Start, w₂", step=0.1, more=True, when=lambda p: p.surface != "bowl")
    alpha: float = knob(
        0.99, 0, 0.999, label="RMSProp's α", help=AVERAGE, step=0.001, more=True, when=lambda p: uses(p, "RMSProp")
    )
    beta2: float = knob(
        0.999, 0, 0.999, label="Adam's β₂", help=AVERAGE, step=0.001, more=True, when=lambda p: uses(p, "Adam", "AdamW")
    )
    bias_correction: bool = knob(
        True, label="Adam's bias correction", more=True, when=lambda p: uses(p, "Adam", "AdamW")
    )
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
        return Step(*(part[i].copy() for part in self))


class State(NamedTuple):
    step: int
    loss: Annotated[float, Metric("lowest loss", digits=4, shown=True)]
    worst_loss: Annotated[float, Metric("highest loss", digits=4)]
    distance_left: Annotated[float, Metric("distance left to the minimum", "%", shown=True)]  # of the nearest
    eta: Annotated[float, Metric("learning rate in this step", shown=True)]  # of the first optimizer
    w: Annotated[float, Metric("first weight of the first optimizer", digits=4)]
    losses: np.ndarray  # (optimizers,)
    etas: np.ndarray  # (optimizers,)
    path: np.ndarray  # (steps since the state before, optimizers, weights)
    before: tuple[Step, ...]  # per optimizer: the step before this one
    taken: tuple[Step, ...]  # per optimizer: this one
    arrived: tuple[tuple[int, float] | None, ...]  # per optimizer: step and loss where it first was that near
    gone: tuple[int | None, ...]  # per optimizer: step at which it diverged
    rates: np.ndarray  # (rates,) of the sweep
    own: tuple[int, ...]  # per optimizer: which of the rates is its own
    sweep: np.ndarray  # (optimizers, rates): loss at every rate after this step


def loss_of(p: Params, w: np.ndarray) -> np.ndarray:
    return 10.0**p.scale * SURFACES[p.surface].loss(w, p.condition)


def gradient_of(p: Params, w: np.ndarray) -> np.ndarray:
    return 10.0**p.scale * SURFACES[p.surface].gradient(w, p.condition)


def distance(p: Params, w: np.ndarray) -> float:
    """From w of shape (weights,) to the nearest minimum of the surface."""
    return float(np.sqrt(((w - np.array(SURFACES[p.surface].minima)) ** 2).sum(axis=1)).min())


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
    best = np.full(np.shape(rates), np.inf)  # of the plateau schedule
    bad = np.zeros(np.shape(rates), int)  # steps in a row without a better loss
    yield Step(w=w, loss=loss_of(p, w), eta=eta, g=m, m=m, up=m, down=m)
    for t in range(1, p.steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            if p.schedule == "step":
                eta = eta_0 * p.factor ** ((t - 1) // p.every)
            elif p.schedule == "cosine":
                eta = eta_0 * (1 + np.cos(np.pi * (t - 1) / p.steps)) / 2

            g = gradient_of(p, w)
            if p.noise:
                g = g + 10.0**p.scale * p.noise * rng.normal(size=len(p.start))
            rest = w  # what the step is taken from
            if p.decay and name == "AdamW":  # Loshchilov and Hutter 2019: the decay does not pass through the moments
                rest = w * (1 - eta * p.decay)
            elif p.decay:
                g = g + p.decay * w

            up, down = g, np.ones_like(w)
            if name == "momentum":  # Polyak 1964
                m = p.beta * m + g
                up = m
            elif name == "Nesterov":  # as in Sutskever et al. 2013
                m = p.beta * m + g
                up = g + p.beta * m
            elif name == "RMSProp":  # Tieleman and Hinton 2012
                s = p.alpha * s + (1 - p.alpha) * g * g
                down = np.sqrt(s) + EPS
            elif name in ("Adam", "AdamW"):  # Kingma and Ba 2015
                m = p.beta * m + (1 - p.beta) * g
                s = p.beta2 * s + (1 - p.beta2) * g * g
                m_hat, s_hat = m, s
                if p.bias_correction:
                    m_hat = m / (1 - p.beta**t)
                    s_hat = s / (1 - p.beta2**t)
                up, down = m_hat, np.sqrt(s_hat) + EPS

            gone = (np.abs(w) > HUGE).any(axis=-1, keepdims=True)
            w = np.where(gone, w, rest - eta * (up / down))
            loss = loss_of(p, w)
        yield Step(w=w, loss=loss, eta=eta, g=g, m=m, up=up, down=down)
        if p.schedule == "plateau":
            better = loss < best * (1 - 1e-4)
            best = np.where(better, loss, best)
            bad = np.where(better, 0, bad + 1)
            cut = (bad > p.patience)[..., None] & (eta - eta * p.factor > 1e-8)
            eta = np.where(cut, eta * p.factor, eta)
            bad = np.where(bad > p.patience, 0, bad)


def to_the_end(walk: Iterator[Step], last: Step) -> Generator[None, None, Step]:
    """The last step of a walk, or the one it is at; yields None now and then, for it may take long."""
    for t, step in enumerate(walk):
        last = step
        if t % PAUSE == 0:
            yield None
    return last


def run(p: Params) -> Iterator[State | None]:
    """Go down at all rates of the slider at once; the path that is shown is the one at the chosen rate.

    Now and then, while there is nothing to see yet, None.
    """
    rates = np.union1d(np.geomspace(SLOWEST, FASTEST, 121), p.rate)
    own = [int(np.searchsorted(rates, p.rate))] * len(p.optimizers)
    if p.tuned:
        for i, name in enumerate(p.optimizers):
            walk = descend(p, name, rates)
            end = yield from to_the_end(walk, next(walk))
            own[i] = int(end.loss.argmin())

    walks = [descend(p, name, rates) for name in p.optimizers]
    away = distance(p, np.array(p.start)) or 1.0
    arrived: list[tuple[int, float] | None] = [None] * len(walks)
    gone: list[int | None] = [None] * len(walks)
    film = set(kept(p.steps))
    before, path = None, []
    for step, everywhere in enumerate(zip(*walks, strict=True)):
        taken = tuple(one.at(i) for one, i in zip(everywhere, own, strict=True))
        left = [distance(p, one.w) / away for one in taken]
        for i, one in enumerate(taken):
            if left[i] <= ARRIVED and arrived[i] is None:
                arrived[i] = step, float(one.loss)
            if np.abs(one.w).max() > HUGE and gone[i] is None:
                gone[i] = step
        path.append([one.w for one in taken])
        over = None not in gone
        if step in film or over:
            ends = list(everywhere)
            if over:  # the sweep goes on to its end all the same
                for i, walk in enumerate(walks):
                    ends[i] = yield from to_the_end(walk, ends[i])
            losses = np.array([one.loss for one in taken])
            etas = np.array([one.eta[0] for one in taken])
            yield State(
                step=step,
                loss=float(losses.min()),
                worst_loss=float(losses.max()),
                distance_left=min(left),
                eta=float(etas[0]),
                w=float(taken[0].w[0]),
                losses=losses,
                etas=etas,
                path=np.array(path),
                before=before or taken,
                taken=taken,
                arrived=tuple(arrived),
                gone=tuple(gone),
                rates=rates,
                own=tuple(own),
                sweep=np.array([one.loss for one in ends]),
            )
            path = []
        if over:
            return
        before = taken
