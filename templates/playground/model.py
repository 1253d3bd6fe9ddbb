"""Gradient descent on one weight, with the loss L(w) = (w − 1)²."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from playgrounds import kit
from playgrounds.kit import Metric, knob


class Params(kit.Params):
    eta: float = knob(0.1, 0.01, 1.2, label="Learning rate η", help="how far each step goes")
    steps: int = knob(30, 1, 100, label="Steps")

    @property
    def length(self) -> int:
        return self.steps + 1


class State(NamedTuple):
    step: int
    w: Annotated[float, Metric("weight w", digits=4)]
    loss: Annotated[float, Metric("loss", digits=4, shown=True)]


def loss(w: float) -> float:
    return (w - 1) ** 2


def run(p: Params) -> Iterator[State]:
    w = -1.0
    for step in range(p.steps + 1):
        yield State(step=step, w=w, loss=loss(w))
        gradient = 2 * (w - 1)
        w -= p.eta * gradient
