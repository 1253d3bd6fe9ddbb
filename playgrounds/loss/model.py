"""Gradient descent on several losses from one start: on a constant, on one logit, or on the logits of some classes."""

import re
from collections.abc import Callable, Iterator
from math import nan
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import binary_cross_entropy, identity, log_softmax, softmax
from playgrounds.kit.training import finite

Array = np.ndarray
LARGEST = 1e6  # number that a reader may type
HUGE = 1e12  # beyond it a run has diverged


class Params(kit.Params):
    task: Literal["constant", "classify", "soft"] = knob("constant", label="Task", help="fit c, one logit, or several")
    losses: tuple[Literal["MSE", "MAE", "Huber"], ...] = knob(
        ("MSE", "MAE"), label="Losses", when=lambda p: p.task == "constant"
    )
    targets: str = knob("1, 2, 3, 4, 100", 0, 600, label="Targets", when=lambda p: p.task == "constant")
    outlier: float = knob(0.0, -100, 100, label="Move the last target by", step=1, when=lambda p: p.task == "constant")
    delta: float = knob(20.0, 0.1, 100, label="Huber's δ: linear beyond", log=True, when=lambda p: "Huber" in p.shown)
    start: float = knob(-10.0, -20, 20, label="Start, z of class 1", step=0.5, when=lambda p: p.task != "constant")
    target: float = knob(1.0, 0, 1, label="Target probability", step=0.05, when=lambda p: p.task == "classify")
    classes: str = knob("0.7, 0.2, 0.1", 0, 200, label="Soft target, 2 to 6 classes", when=lambda p: p.task == "soft")
    rate: float = knob(0.1, 0.001, 2, label="Learning rate η of c", log=True, when=lambda p: p.task == "constant")
    rate_z: float = knob(1.0, 0.01, 100, label="Learning rate η of z", log=True, when=lambda p: p.task != "constant")
    steps: int = knob(100, 1, 20_000, label="Steps", log=True)
    start_c: float = knob(0.0, -100, 100, label="Start, c", step=1, more=True, when=lambda p: p.task == "constant")

    @property
    def shown(self) -> dict:
        """The losses that train, by name."""
        return {k: loss for k, loss in LOSSES[self.task].items() if self.task != "constant" or k in self.losses}

    @property
    def length(self) -> int:
        return len(spaced(self.steps))


class State(NamedTuple):
    step: int
    loss: Annotated[float, Metric("first loss", digits=4, shown=True)]
    answer: Annotated[float, Metric("its answer", digits=4, shown=True)]
    rival_loss: Annotated[float, Metric("last loss", digits=4)]
    rival_answer: Annotated[float, Metric("answer of the last loss", digits=4, shown=True)]
    apart: Annotated[float, Metric("largest difference between answers", digits=4)]
    first_slope: Annotated[float, Metric("gradient of the first loss, at its own answer", digits=5)]  # of c or z
    rival_slope: Annotated[float, Metric("gradient of the last loss, at its own answer", digits=5)]
    theta: Array  # (losses, parameters): c, z or the logits
    gradient: Array  # (losses, parameters)
    before: Array  # (losses, parameters) theta one step earlier
    slope: Array  # (losses, parameters) the gradient there; 0 at the start
    values: Array  # (losses,)
    answers: Array  # (losses, parameters): c itself or probabilities
    halfway: list[int | None]  # per loss: the first step with p on the target's side of 0.5
    y: Array  # (targets,)
    best: Array  # (losses, 2): from … to …, the c or p at which a loss is lowest
    floor: Array  # (losses,): the lowest value


# ---------------------------------------------------------------------------------------------------------- the losses


class Loss(NamedTuple):
    """A loss as torch.nn.functional scales it, and its gradient."""

    value: Callable[[Array, Array, float], Array]  # of theta (…, parameters), y (targets,) and Huber's δ, of shape (…)
    gradient: Callable[[Array, Array, float], Array]  # of the same, of shape (…, parameters)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)) with all digits of a small p: squared error's gradient is made of them."""
    return 1 / (1 + np.exp(-z))


def mse(c: Array, y: Array, _: float) -> Array:
    return ((c - y) ** 2).mean(axis=-1)


def mse_gradient(c: Array, y: Array, _: float) -> Array:
    return 2 * (c - y).mean(axis=-1, keepdims=True)


def mae(c: Array, y: Array, _: float) -> Array:
    return abs(c - y).mean(axis=-1)


def mae_gradient(c: Array, y: Array, _: float) -> Array:
    return np.sign(c - y).mean(axis=-1, keepdims=True)


def huber(c: Array, y: Array, delta: float) -> Array:
    """Huber 1964: a parabola within δ of the target that goes on as a straight line."""
    error = abs(c - y)
    return np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).mean(axis=-1)


def huber_gradient(c: Array, y: Array, delta: float) -> Array:
    return np.clip(c - y, -delta, delta).mean(axis=-1, keepdims=True)


def binary(z: Array, y: Array, _: float) -> Array:
    """−y ln p − (1 − y) ln(1 − p) with p = σ(z)."""
    return binary_cross_entropy(z, y).mean(axis=-1)


def binary_gradient(z: Array, y: Array, _: float) -> Array:
    return sigmoid(z) - y


def squared(z: Array, y: Array, _: float) -> Array:
    """(p − y)² with p = σ(z)."""
    return ((sigmoid(z) - y) ** 2).mean(axis=-1)


def squared_gradient(z: Array, y: Array, _: float) -> Array:
    p = sigmoid(z)
    return 2 * (p - y) * p * (1 - p)


def categorical(z: Array, y: Array, _: float) -> Array:
    """−Σ y ln p with p = softmax(z)."""
    return 0 - (y * log_softmax(z)).sum(axis=-1)  # of a certain p it is 0, and not −0


def categorical_gradient(z: Array, y: Array, _: float) -> Array:
    return softmax(z) - y


def brier(z: Array, y: Array, _: float) -> Array:
    """The mean of (p − y)² with p = softmax(z)."""
    return ((softmax(z) - y) ** 2).mean(axis=-1)


def brier_gradient(z: Array, y: Array, _: float) -> Array:
    p = softmax(z)
    g = 2 * (p - y) / len(y)
    return p * (g - (p * g).sum(axis=-1, keepdims=True))


LOSSES = {
    "constant": {"MSE": Loss(mse, mse_gradient), "MAE": Loss(mae, mae_gradient), "Huber": Loss(huber, huber_gradient)},
    "classify": {"cross-entropy": Loss(binary, binary_gradient), "squared error": Loss(squared, squared_gradient)},
    "soft": {"cross-entropy": Loss(categorical, categorical_gradient), "squared error": Loss(brier, brier_gradient)},
}
ANSWER = {"constant": identity, "classify": sigmoid, "soft": softmax}  # what a parameter says


def optimum(name: str, y: Array, delta: float) -> tuple[float, float]:
    """The constants from … to … at which a loss is lowest."""
    if name == "MSE":
        return y.mean(), y.mean()
    if name == "MAE":
        ordered, n = np.sort(y), len(y)
        return ordered[(n - 1) // 2], ordered[n // 2]
    knots = np.sort([*(y - delta), *(y + delta)])  # between them Huber's gradient is a straight line
    slopes = np.clip(knots[:, None] - y, -delta, delta).sum(axis=1)
    c = np.interp(0, slopes, knots)
    return c, c


# --------------------------------------------------------------------------------------------------- what readers type


class Entry(NamedTuple):
    """The text in which a reader gives the targets, and what it may hold."""

    text: str
    least: float  # of a number
    most: int  # numbers that count
    stand_in: list[float]  # where there are too few


def entry(p: Params) -> Entry:
    if p.task == "soft":
        return Entry(text=p.classes, least=0, most=6, stand_in=[0.7, 0.2, 0.1])
    return Entry(text=p.targets, least=-LARGEST, most=50, stand_in=[1, 2, 3, 4, 100])


def items(text: str) -> list[str]:
    """What stands between commas, semicolons, blanks or lines."""
    return re.findall(r"[^,;\s]+", text)


def value(item: str) -> float:
    """The number that is written there; nan if it is none."""
    try:
        return float(item)
    except ValueError:
        return nan


def numbers(typed: Entry) -> list[float]:
    """The numbers in a text that can be taken."""
    values = [value(item) for item in items(typed.text)]
    return [v for v in values if typed.least <= v <= LARGEST]


def enough(p: Params, y: list[float]) -> bool:
    """A soft target needs two classes, and something to share out."""
    return len(y) >= 2 and sum(y) > 0 if p.task == "soft" else len(y) >= 1


def targets(p: Params) -> Array:
    """y (targets,): numbers, one probability, or a distribution over classes."""
    if p.task == "classify":
        return np.array([p.target])
    typed = entry(p)
    y = numbers(typed)[: typed.most]
    if not enough(p, y):
        y = typed.stand_in
    if p.task == "soft":
        return np.array(y) / sum(y)
    return np.array([*y[:-1], y[-1] + p.outlier], float)


# ------------------------------------------------------------------------------------------------------------- the run


def spaced(steps: int) -> list[int]:
    """The steps that become states: all of up to 100, else all up to 20 and then as even as can be on a log axis."""
    if steps <= 100:
        return list(range(steps + 1))
    return sorted({*range(20), *np.geomspace(20, steps, 80).round().astype(int).tolist()})


def lowest(p: Params, y: Array) -> tuple[Array, Array]:
    """For every loss, from where to where its best answers are (losses, 2), and its value there (losses,)."""
    if p.task == "constant":
        best = np.array([optimum(name, y, p.delta) for name in p.shown])
        floor = [loss.value(c[:1], y, p.delta) for loss, c in zip(p.shown.values(), best, strict=True)]
        return best, np.array(floor)
    q = y if p.task == "soft" else np.array([p.target, 1 - p.target])
    entropy = abs((q * np.log(np.maximum(q, 1e-300))).sum())
    return np.array([(p.target, p.target)] * 2), np.array([entropy, 0.0])


def run(p: Params) -> Iterator[State]:
    """Train one start with every loss; a state per step, or fewer of a long run. Ends early where one diverges."""
    y = targets(p)
    losses = list(p.shown.values())
    best, floor = lowest(p, y)
    eta = p.rate if p.task == "constant" else p.rate_z
    start = [p.start_c] if p.task == "constant" else [p.start, *[0.0] * (len(y) - 1)]
    watched = y.argmax() if p.task == "soft" else 0  # the answer that is a metric
    theta = np.tile(start, (len(losses), 1))
    gradient = np.zeros_like(theta)
    halfway: list[int | None] = [None] * len(losses)
    film = set(spaced(p.steps))
    for step in range(p.steps + 1):
        before, slope = theta, gradient
        theta = before - eta * slope  # at first the slope is 0
        gradient = np.array([loss.gradient(row, y, p.delta) for loss, row in zip(losses, theta, strict=True)])
        if p.task == "classify":
            there = theta[:, 0] * (p.target - 0.5) >= 0  # z and the target are on the same side
            halfway = [step if at is None and on else at for at, on in zip(halfway, there, strict=True)]
        diverged = not finite(theta, most=HUGE)
        if step in film or diverged:
            values = np.array([loss.value(row, y, p.delta) for loss, row in zip(losses, theta, strict=True)])
            answers = ANSWER[p.task](theta)
            yield State(
                step=step,
                loss=float(values[0]),
                answer=float(answers[0, watched]),
                rival_loss=float(values[-1]),
                rival_answer=float(answers[-1, watched]),
                apart=float(np.ptp(answers, axis=0).max()),
                first_slope=float(gradient[0, 0]),
                rival_slope=float(gradient[-1, 0]),
                theta=theta,
                gradient=gradient,
                before=before,
                slope=slope,
                values=values,
                answers=answers,
                halfway=halfway,
                y=y,
                best=best,
                floor=floor,
            )
        if diverged:
            return
