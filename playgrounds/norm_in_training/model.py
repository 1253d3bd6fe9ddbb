"""A deep net without and with batch norm, trained by gradient descent from the same first weights."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.data import grid, plane
from playgrounds.kit.training import finite, kept

POINTS = 100  # to train on
WIDTH = 16  # units of each hidden layer
HUGE = 1e12  # a number beyond it has diverged
STATES = 100  # that a run keeps, the start apart
CELLS, SPAN = 30, 1.3  # of the pictures of an output, which show the square from -SPAN to SPAN


class Params(kit.Params):
    rate: float = knob(2.0, 0.01, 10, label="Learning rate η", log=True)
    depth: int = knob(10, 1, 12, label="Hidden layers", help=f"of {WIDTH} ReLU units")
    start: Literal["random", "all equal"] = knob("random", label="First weights", help="He's; or 1/fan-in, all of them")
    data: Literal["circles", "spirals"] = knob("circles", label="Data")
    steps: int = knob(100, 10, 1000, label="Steps", log=True)
    seed: int = knob(30, 0, 9999, label="Seed", help="decides the points and the first weights", more=True)

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    loss: Annotated[float, Metric("training loss with batch norm", digits=4, shown=True)]
    plain_loss: Annotated[float, Metric("training loss without", digits=4, shown=True)]
    mean: Annotated[float, Metric("mean of a unit after batch norm")]  # unit 1 of the last hidden layer
    variance: Annotated[float, Metric("variance of a unit after batch norm")]
    different_units: Annotated[int, Metric("different units in the first layer", "count", shown=True)]
    first_unit: np.ndarray  # (2,), the weights of unit 1 in the first layer of the net with batch norm
    plain_field: np.ndarray  # (CELLS, CELLS), tanh(logit / 2) of the net without batch norm
    field: np.ndarray  # the same with batch norm, in evaluation
    plain_diverged_at: int | None  # the step
    diverged_at: int | None
    points: tuple[np.ndarray, np.ndarray]  # x (POINTS, 2) and y (POINTS,)


class Learner:
    """A net in training (torch.nn.Sequential), and the last finite numbers that are known of it."""

    def __init__(self, net: Any):
        self.net = net
        self.optimizer: Any = None
        self.loss = 0.0
        self.field = np.zeros((CELLS, CELLS))
        self.unit = np.zeros(POINTS)  # unit 1 of the last hidden layer on every point, before its ReLU
        self.weights = np.zeros((WIDTH, 2))  # of the first layer
        self.diverged_at: int | None = None


def build(p: Params) -> tuple[Learner, Learner]:
    """Without and with batch norm, with equal first weights; batch norm stands between a layer and its ReLU."""
    import torch

    generator = torch.Generator().manual_seed(p.seed)
    plain, normed = Learner(torch.nn.Sequential()), Learner(torch.nn.Sequential())
    widths = [2, *[WIDTH] * p.depth, 1]
    for layer, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        weights = torch.randn(fan_out, fan_in, generator=generator, dtype=torch.float64) * (2 / fan_in) ** 0.5
        if p.start == "all equal":
            weights = torch.full_like(weights, 1 / fan_in)
        for learner in (plain, normed):
            linear = torch.nn.Linear(fan_in, fan_out, dtype=torch.float64)
            linear.weight.data = weights.clone()
            linear.bias.data = torch.zeros(fan_out, dtype=torch.float64)
            learner.net.append(linear)
            if layer <= p.depth and learner is normed:
                learner.net.append(torch.nn.BatchNorm1d(WIDTH, dtype=torch.float64))
            if layer <= p.depth:
                learner.net.append(torch.nn.ReLU())
    for learner in (plain, normed):
        learner.optimizer = torch.optim.SGD(learner.net.parameters(), lr=p.rate, fused=True)
    return plain, normed


def rounded(value: float) -> float:
    """Without the rounding errors of float64."""
    return round(float(value), 12) + 0.0  # not -0.0


def run(p: Params) -> Iterator[State | None]:
    """Both take the same steps of gradient descent, each for as long as its numbers are finite.

    Between the states of a long run, None: there is nothing new to see.
    """
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    x, y = plane(p.data, POINTS, 0.0, np.random.default_rng(p.seed))
    points, labels = torch.from_numpy((x - x.mean(axis=0)) / x.std(axis=0)), torch.from_numpy(y)
    cells = torch.from_numpy((grid(CELLS, SPAN) - x.mean(axis=0)) / x.std(axis=0))
    plain, normed = build(p)

    film = set(kept(p.steps, STATES))
    for step in range(p.steps + 1):
        for learner in (plain, normed):
            if learner.diverged_at is not None:
                continue
            net = learner.net
            before_relu = net[:-2](points)  # of the last hidden layer
            logits = net[-2:](before_relu)[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
            if not finite(loss.item(), *(w.detach().numpy() for w in net.parameters()), most=HUGE):
                learner.diverged_at = step
                continue
            learner.loss = loss.item()
            learner.unit = before_relu.detach().numpy()[:, 0]
            learner.weights = net[0].weight.detach().numpy().copy()
            if step in film:
                with torch.no_grad():
                    logit = net.eval()(cells)
                    learner.field = torch.tanh(logit / 2).numpy().reshape(CELLS, CELLS)
                net.train()
            learner.optimizer.zero_grad()
            loss.backward()
            learner.optimizer.step()
        both_diverged = plain.diverged_at is not None and normed.diverged_at is not None
        if step not in film and not both_diverged:
            yield None
            continue
        yield State(
            step=step,
            loss=normed.loss,
            plain_loss=plain.loss,
            mean=rounded(normed.unit.mean()),
            variance=rounded(normed.unit.var()),
            different_units=len(np.unique(np.round(normed.weights, 6), axis=0)),
            first_unit=normed.weights[0],
            plain_field=plain.field,
            field=normed.field,
            plain_diverged_at=plain.diverged_at,
            diverged_at=normed.diverged_at,
            points=(x, y),
        )
        if both_diverged:
            return
