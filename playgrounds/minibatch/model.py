"""Linear regression by SGD with batches of several sizes, side by side."""

from collections.abc import Iterator
from math import cos, pi, sqrt
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import kept

N = 1024  # examples
TRUE = np.array([2.0, 1.5])  # slope and intercept of the line that the examples scatter around
START = np.array([-2.0, -2.5])
MEASURED = (1, 4, 16, 64, 256)  # batch sizes whose noise is measured
DRAWN = 512 * N  # examples that are drawn to measure one size
OTHERS = 12  # batches whose steps are shown beside the one taken
TAU = 20  # steps after which the schedule 1/t has halved the rate
HUGE = 1e6  # a weight beyond it has diverged


class Params(kit.Params):
    batches: tuple[Literal["1", "4", "16", "64", "256", "all"], ...] = knob(
        ("1", "16", "all"), label="Batch sizes", help=f"examples per step; all: the {N:,} of them, gradient descent"
    )
    rate: float = knob(0.1, 0.001, 1.2, label="Learning rate η", log=True)
    steps: int = knob(300, 10, 3000, label="Steps", log=True)
    budget: Literal["steps", "examples"] = knob(
        "steps", label="Same number of", help="as many examples as the smallest uses", when=lambda p: len(p.batches) > 1
    )
    schedule: Literal["constant", "1/t", "cosine"] = knob(
        "constant", label="Schedule of η", help=f"1/t: η/2 after {TAU} steps, η/3 after {2 * TAU}; cosine: 0 at the end"
    )
    noise: float = knob(3.5, 0, 5, label="Noise of the data", help="standard deviation of y around the line", step=0.1)
    replace: bool = knob(True, label="Draw with replacement", help="off: every epoch is shuffled and cut", more=True)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the examples and the batches", more=True)

    @property
    def sizes(self) -> list[int]:
        return [N if b == "all" else int(b) for b in self.batches]

    @property
    def stops(self) -> list[int]:
        """The last step of every batch size chosen."""
        if self.budget == "steps":
            return [self.steps] * len(self.sizes)
        examples = self.steps * self.sizes[0]
        return [examples // size for size in self.sizes]

    @property
    def length(self) -> int:
        return len(kept(self.steps))


class State(NamedTuple):
    step: int
    # The metrics are those of the smallest batch chosen.
    loss: Annotated[float, Metric("loss with the smallest batch", digits=4, shown=True)]  # over all examples
    cloud: Annotated[float, Metric("its distance from the minimum", shown=True)]  # RMS, over the last quarter of steps
    examples: Annotated[int, Metric("examples it has used", "count", shown=True)]
    gradient_noise: Annotated[float, Metric("noise of its gradient at the start", digits=4)]  # RMS, measured
    eta: Annotated[float, Metric("learning rate in this step")]
    epochs: Annotated[float, Metric("epochs that its examples make", digits=4)]
    path: np.ndarray  # (steps since the state before, batch sizes, 2)
    before: np.ndarray  # (batch sizes, 2): w before this step
    gradients: np.ndarray  # (batch sizes, 2): of the batches of this step
    gone: tuple[int, ...]  # per batch size: the step at which it has diverged, 0 if it has not
    losses: np.ndarray  # (batch sizes,)
    clouds: np.ndarray  # (batch sizes,)
    fan: np.ndarray  # (OTHERS, 2): where other batches of the smallest size would take w next
    noise: np.ndarray  # (2, len(MEASURED)): RMS noise of the gradient at the start, measured and by theory
    best: np.ndarray  # w of the minimum
    least: float  # the loss there


def examples(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """Rows (x, 1) of shape (N, 2) and y of shape (N,). x is standardized: the loss is its minimum + |w - w*|^2."""
    rng = np.random.default_rng(p.seed)
    x = rng.uniform(-1, 1, N)
    x = np.column_stack([(x - x.mean()) / x.std(), np.ones(N)])
    return x, x @ TRUE + p.noise * rng.normal(size=N)


def gradient(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of the mean squared error over a batch: x of shape (B, 2), y of shape (B,), w of shape (2,)."""
    return 2 / len(y) * ((x @ w - y) @ x)


def batches_of(p: Params, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Batch after batch: the indices of its examples, shape (size,)."""
    while True:
        if size == N:
            yield np.arange(N)
        elif p.replace:
            yield rng.integers(N, size=size)
        else:
            yield from rng.permutation(N).reshape(-1, size)


def eta_at(p: Params, t: int) -> float:
    """The learning rate of step t = 1, 2, …"""
    if p.schedule == "1/t":  # Robbins and Monro 1951: the rates add up to infinity, their squares do not
        return p.rate / (1 + (t - 1) / TAU)
    if p.schedule == "cosine":
        return p.rate * (1 + cos(pi * (t - 1) / p.steps)) / 2
    return p.rate


def share(p: Params, size: float) -> float:
    """The variance of a batch's mean as a share of one example's: 1/B, times (N-B)/(N-1) without replacement."""
    if size == N:
        return 0.0
    return 1 / size * (1 if p.replace else (N - size) / (N - 1))


def measure(p: Params, each: np.ndarray) -> np.ndarray:
    """RMS deviation of a batch's gradient from the mean of all, for every size in MEASURED.

    each: the gradients of the examples, (N, 2). A batch of 4 is made of four batches of 1, and so on.
    """
    rng = np.random.default_rng([p.seed, N + 1])
    epochs = np.tile(np.arange(N), (DRAWN // N, 1))
    at = rng.integers(N, size=DRAWN) if p.replace else rng.permuted(epochs, axis=1)
    means = each.take(at.ravel(), axis=0) - each.mean(axis=0)
    off = []
    for size in MEASURED:
        if size > 1:
            means = means.reshape(-1, 4, 2).mean(axis=1)
        off.append(sqrt((means**2).sum(axis=1).mean()))
    return np.array(off)


def limit(p: Params, x: np.ndarray, size: int) -> float:
    """The learning rate above which the expected |w - w*|^2 grows for ever.

    A step multiplies w - w* by I - 2 eta H, H being the batch's mean of x x', and its second moments M by
    1 - 4 eta + 4 eta^2 E[H M H] / M, as E[H] = I for standardized x. M is taken as a vector of four.
    """
    pairs = np.einsum("ni,nj->nij", x, x).reshape(-1, 4)
    largest = np.linalg.eigvalsh(pairs.T @ pairs / N)[-1]  # of M -> E[x x' M x x'], one example's H M H
    return float(1 / (1 + share(p, size) * (largest - 1)))


def quarter(step: int) -> int:
    """The first step of the last quarter of the steps up to this one."""
    return step - max(1, step // 4) + 1


def run(p: Params) -> Iterator[State]:
    """Take steps with every batch size, side by side, each from the same start with batches of its own."""
    x, y = examples(p)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    least = float(np.mean((x @ best - y) ** 2))
    each = 2 * (x @ START - y)[:, None] * x  # the gradients of the examples at the start
    by_theory = [sqrt(each.var(axis=0).sum() * share(p, size)) for size in MEASURED]
    noise = np.stack([measure(p, each), by_theory])
    noise_of = dict(zip(MEASURED, noise[0].tolist(), strict=True)) | {N: 0.0}

    batches = [batches_of(p, size, np.random.default_rng([p.seed, size])) for size in p.sizes]
    others = batches_of(p, p.sizes[0], np.random.default_rng([p.seed, N + 2]))
    w = np.tile(START, (len(p.sizes), 1))
    before, g = w, np.zeros_like(w)
    squares = np.empty((p.steps + 1, len(w)))  # of the distances to the minimum
    gone = [0] * len(w)
    path, film = [], set(kept(p.steps))
    for step in range(p.steps + 1):
        if step:
            eta = eta_at(p, step)
            before, w = w, w.copy()
            for i, batch in enumerate(batches):
                if gone[i] or step > p.stops[i]:
                    continue
                at = next(batch)
                g[i] = gradient(x[at], y[at], w[i])
                w[i] -= eta * g[i]
                if np.abs(w[i]).max() > HUGE:
                    gone[i] = step
        squares[step] = ((w - best) ** 2).sum(axis=1)
        path.append(w)
        if step not in film and not all(gone):
            continue

        taken = [min(end or step, step, stop) for end, stop in zip(gone, p.stops, strict=True)]  # steps
        clouds = np.array([sqrt(squares[quarter(end) : end + 1, i].mean()) for i, end in enumerate(taken)])
        losses = np.mean((x @ w.T - y[:, None]) ** 2, axis=0)
        ahead = np.array([next(others) for _ in range(OTHERS)])
        off = x[ahead] @ w[0] - y[ahead]  # (OTHERS, B)
        fan = w[0] - eta_at(p, min(step + 1, p.steps)) * 2 * (off[..., None] * x[ahead]).mean(axis=1)
        yield State(
            step=step,
            loss=float(losses[0]),
            cloud=float(clouds[0]),
            examples=taken[0] * p.sizes[0],
            gradient_noise=noise_of[p.sizes[0]],
            eta=eta_at(p, max(step, 1)),
            epochs=taken[0] * p.sizes[0] / N,
            path=np.array(path),
            before=before,
            gradients=g.copy(),
            gone=tuple(gone),
            losses=losses,
            clouds=clouds,
            fan=fan,
            noise=noise,
            best=best,
            least=least,
        )
        if all(gone):
            return
        path = []
