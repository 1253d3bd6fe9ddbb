"""Gradient descent on half the mean squared error of a linear model, on raw and on standardized inputs."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import kept

EXAMPLES = 129  # of the two inputs: at 100 : 1 and seed 30 the condition number is 12,143, standardized 1.04
BEGIN = (-1.0, -1.0)  # the first weights, for raw and for standardized inputs
HUGE = 1e12  # a loss beyond it has diverged
STATES = 100  # that a run keeps, the start apart


class Params(kit.Params):
    ratio: float = knob(100.0, 1, 100, label="Spread of x₂ to x₁", help="ratio of their standard deviations", log=True)
    eta: float = knob(
        1.5, 0.05, 2.2, label="η · λ_max", help="1: the steepest direction in one step; above 2 diverges", step=0.05
    )
    shared: bool = knob(False, label="Same η for both", help="that of the standardized inputs; off: by each λ_max")
    steps: int = knob(100, 10, 1000, label="Steps", log=True)
    seed: int = knob(30, 0, 9999, label="Seed", help="decides the data", more=True)

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class Valley(NamedTuple):
    """The loss of one model over its two weights: a quadratic function."""

    hessian: np.ndarray  # (2, 2), its second derivatives
    flattest: float  # λ_min and
    steepest: float  # λ_max of the Hessian
    minimum: np.ndarray  # (2,)


class Descent(NamedTuple):
    """One model at one step."""

    valley: Valley
    eta: float
    w: np.ndarray  # (2,)
    loss: float
    diverged_at: int | None  # the step


class State(NamedTuple):
    step: int
    loss: Annotated[float, Metric("loss, standardized inputs", digits=4, shown=True)]
    plain_loss: Annotated[float, Metric("loss, raw inputs", digits=4, shown=True)]
    condition_number: Annotated[float, Metric("condition number, raw inputs", digits=5, shown=True)]
    mean: Annotated[float, Metric("mean of the standardized x₂")]
    variance: Annotated[float, Metric("variance of the standardized x₂")]
    raw: Descent
    standardized: Descent


def valley(x: np.ndarray, y: np.ndarray) -> Valley:
    """H = xᵀx / n; at the minimum H w = xᵀy / n."""
    hessian = x.T @ x / EXAMPLES
    flattest, steepest = np.linalg.eigvalsh(hessian)
    return Valley(hessian, float(flattest), float(steepest), np.linalg.solve(hessian, y @ x / EXAMPLES))


def half_mean_square(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    error = x @ w - y
    return float((error**2).mean() / 2)


def descend(x: np.ndarray, y: np.ndarray, before: Descent, step: int) -> Descent:
    """w ← w − η ∂L/∂w; a model that has diverged stays where it is."""
    if before.diverged_at is not None:
        return before
    error = x @ before.w - y
    gradient = error @ x / EXAMPLES
    w = before.w - before.eta * gradient
    loss = half_mean_square(x, y, w)
    return before._replace(w=w, loss=loss, diverged_at=step if loss > HUGE else None)


def rounded(value: float) -> float:
    """Without the rounding errors of float64."""
    return round(float(value), 12) + 0.0  # not -0.0


def run(p: Params) -> Iterator[State]:
    """Take the same steps on both; end early where both have diverged."""
    raw_x = np.random.default_rng(p.seed).normal(size=(EXAMPLES, 2)) * (1, p.ratio)
    raw_x -= raw_x.mean(axis=0)
    x = raw_x / raw_x.std(axis=0)
    y = raw_x @ (1, 1 / p.ratio)  # without noise: the smallest loss is 0

    bowl = valley(x, y)
    narrow = valley(raw_x, y)
    eta = p.eta / bowl.steepest
    raw_eta = eta if p.shared else p.eta / narrow.steepest
    begin = np.array(BEGIN)
    raw = Descent(narrow, raw_eta, begin, half_mean_square(raw_x, y, begin), None)
    standardized = Descent(bowl, eta, begin, half_mean_square(x, y, begin), None)

    film = set(kept(p.steps, STATES))
    for step in range(p.steps + 1):
        if step:
            raw = descend(raw_x, y, raw, step)
            standardized = descend(x, y, standardized, step)
        both_diverged = raw.diverged_at is not None and standardized.diverged_at is not None
        if step in film or both_diverged:
            yield State(
                step=step,
                loss=standardized.loss,
                plain_loss=raw.loss,
                condition_number=narrow.steepest / narrow.flattest,
                mean=rounded(x[:, 1].mean()),
                variance=rounded(x[:, 1].var()),
                raw=raw,
                standardized=standardized,
            )
        if both_diverged:
            return
