"""Three weights under an L2 penalty and under decoupled weight decay, in PyTorch's conventions, at all λ at once."""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import finite, kept

N = 100  # examples of the regressions
WEAKEST, STRONGEST = 0.0001, 10.0  # λ of the slider and of the sweep
HUGE = 1e9  # a weight beyond it has diverged
EPS = 1e-8  # of Adam


def with_data(p: "Params") -> bool:
    return p.data == "regression"


class Params(kit.Params):
    data: Literal["none", "regression"] = knob("none", label="Data", help="none: the gradient of the loss is 0")
    optimizers: tuple[Literal["SGD", "momentum", "SGDW", "Adam", "AdamW"], ...] = knob(
        ("SGD", "Adam", "AdamW"),
        label="Optimizers",
        help="SGD, momentum and Adam get the L2 penalty's gradient λw; SGDW and AdamW shrink w by ηλ beside their step",
    )
    decay: float = knob(0.5, WEAKEST, STRONGEST, label="Weight decay λ", log=True)
    rate: float = knob(0.02, 0.0001, 10, label="Learning rate η", log=True)
    steps: int = knob(100, 10, 3000, label="Steps", log=True)
    scale: float = knob(
        10.0, 1, 100, label="Gradient scale", help="of w₁ against w₂, and of w₂ against w₃", log=True, when=with_data
    )
    largest: float = knob(2.0, 0.1, 10, label="Start of w₁", log=True, more=True)
    ratio: float = knob(
        0.5, 0.1, 1, label="Start of the next weight", help="as a share of the one before", step=0.05, more=True
    )
    batch: int = knob(
        10, 1, N, label="Batch", help="100: all examples, no noise in the gradient", more=True, when=with_data
    )
    noise: float = knob(
        3.0,
        0,
        10,
        label="Noise of the targets",
        help="times their size without it",
        step=0.1,
        more=True,
        when=with_data,
    )
    beta: float = knob(
        0.9, 0, 0.99, label="Momentum β, Adam's β₁", step=0.01, more=True, when=lambda p: p.optimizers != ("SGD",)
    )
    beta2: float = knob(
        0.999, 0, 0.999, label="Adam's β₂", step=0.001, more=True, when=lambda p: "Adam" in "".join(p.optimizers)
    )
    seed: int = knob(1, 0, 9999, label="Seed", help="decides examples and batches", more=True, when=with_data)

    @property
    def start(self) -> np.ndarray:
        return self.largest * self.ratio ** np.arange(3)

    @property
    def scales(self) -> np.ndarray:
        """c of shape (3,): how much every weight's target counts in the loss."""
        return self.scale ** np.array([1.0, 0, -1]) if with_data(self) else np.zeros(3)

    @property
    def length(self) -> int:
        return len(kept(self.steps))


class Step(NamedTuple):
    """One step of one optimizer at all λ: w is old - η up/down, with old times 1 - ηλ where the decay is decoupled."""

    w: np.ndarray  # (λs, 3)
    old: np.ndarray  # w before
    g: np.ndarray  # the gradient of the data
    up: np.ndarray  # the gradient, the velocity, or Adam's m̂
    down: np.ndarray  # 1, or Adam's √v̂ + ε

    def at(self, i: int) -> "Step":
        """The same for the i-th λ alone."""
        return Step(*(part[i].copy() for part in self))


def examples(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """x of shape (N,) and three targets (N, 3); the least-squares slope of target k on x is exactly start[k]."""
    rng = np.random.default_rng(p.seed)
    x, noise = rng.normal(size=N), rng.normal(size=(N, 3))
    x /= np.sqrt((x * x).mean())
    noise -= np.outer(x, x @ noise) / N  # residuals of a least-squares fit are orthogonal to x
    noise /= np.sqrt((noise * noise).mean(axis=0))
    return x, np.outer(x, p.start) + p.noise * noise


def gradients(p: Params) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """Yield for every step the gradient, as a function of w, of L = Σ c/2 · (mean of (w x - y)² over a batch)."""
    (x, y), c = examples(p), p.scales
    rng = np.random.default_rng([p.seed, 1])  # the same batches for every optimizer and every λ
    while True:
        at = rng.permutation(N)[: p.batch] if p.batch < N and c.any() else slice(None)
        xx, xy = (x[at] ** 2).mean(), x[at] @ y[at] / len(x[at])
        yield lambda w, xx=xx, xy=xy: c * (xx * w - xy)


def train(p: Params, name: str, lambdas: np.ndarray) -> Iterator[Step]:
    """Yield the start and every step of an optimizer, in PyTorch's conventions, at all λ at once.

    A weight beyond HUGE stays where it is.
    """
    lam, eta = lambdas[:, None], p.rate
    w = np.broadcast_to(p.start, (len(lambdas), 3))
    m = v = np.zeros_like(w)
    yield Step(w=w, old=w, g=m, up=m, down=np.ones_like(w))
    for t, gradient in zip(range(1, p.steps + 1), gradients(p), strict=False):
        old, data = w, gradient(w)
        decoupled = name in ("SGDW", "AdamW")  # Loshchilov and Hutter 2019
        g = data if decoupled else data + lam * w  # the penalty λ/2 · |w|² adds λw to the gradient
        w = w - eta * lam * w if decoupled else w

        up, down = g, np.ones_like(w)
        if name in ("momentum", "SGDW"):
            m = p.beta * m + g
            up = m
        elif name in ("Adam", "AdamW"):  # Kingma and Ba 2015
            m = p.beta * m + (1 - p.beta) * g
            v = p.beta2 * v + (1 - p.beta2) * g * g
            up, down = m / (1 - p.beta**t), np.sqrt(v / (1 - p.beta2**t)) + EPS

        gone = np.abs(old).max(axis=1, keepdims=True) > HUGE
        w = np.where(gone, old, w - eta * up / down)
        yield Step(w=w, old=old, g=data, up=up, down=down)


class State(NamedTuple):
    step: int
    # The first four metrics are those of the first optimizer chosen.
    share_left: Annotated[float, Metric("left of the weights, on average", "%", shown=True)]  # mean |w/start|
    uneven: Annotated[float, Metric("most left minus least left", "%", shown=True)]
    largest_step: Annotated[float, Metric("largest step of a weight", digits=4)]
    data_gradient: Annotated[float, Metric("largest gradient of the data", digits=4)]
    optimizers_differ_by: Annotated[float, Metric("largest difference between optimizers", shown=True)]  # in a weight
    taken: tuple[Step, ...]  # per optimizer: this step
    w: np.ndarray  # (optimizers, 3)
    sweep: np.ndarray  # (optimizers, λs): w₁ at every λ
    lambdas: np.ndarray  # (λs,)


def run(p: Params) -> Iterator[State]:
    """Train with every optimizer, at λ and at all others of the slider's range."""
    lambdas = np.union1d(np.geomspace(WEAKEST, STRONGEST, 41), p.decay)
    own = int(np.searchsorted(lambdas, p.decay))
    film = set(kept(p.steps))
    runs = [train(p, name, lambdas) for name in p.optimizers]
    for step, everywhere in enumerate(zip(*runs, strict=True)):
        taken = tuple(one.at(own) for one in everywhere)
        first = taken[0]
        w = np.array([one.w for one in taken])
        broken = not finite(w, most=HUGE)
        if step not in film and not broken:
            continue
        shares = first.w / p.start
        yield State(
            step=step,
            share_left=float(np.abs(shares).mean()),
            uneven=float(np.ptp(shares)),
            largest_step=float(np.abs(first.w - first.old).max()),
            data_gradient=float(np.abs(first.g).max()),
            optimizers_differ_by=float(np.ptp(w, axis=0).max()),
            taken=taken,
            w=w,
            sweep=np.array([one.w[:, 0] for one in everywhere]),
            lambdas=lambdas,
        )
        if broken:
            return
