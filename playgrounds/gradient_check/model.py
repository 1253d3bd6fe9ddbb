"""Gradient checking: backpropagation by hand beside differences of the loss at ever smaller ε, bugs on demand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import relu

SAMPLES, INPUTS, HIDDEN = 8, 3, 5
SHAPES = {"W₁": (HIDDEN, INPUTS), "b₁": (HIDDEN,), "W₂": (1, HIDDEN), "b₂": (1,)}
SIZES = {name: int(np.prod(shape)) for name, shape in SHAPES.items()}
STARTS = dict(zip(SIZES, np.cumsum([0, *SIZES.values()]).tolist(), strict=False))  # where each lies in the vector θ
COUNT = sum(SIZES.values())

LAMBDA = 0.4  # of the L2 penalty
NEAR = 1e-4  # how near its kink the ReLU of bug "kink" is
BUGS = ("none", "sign", "factor 2", "missing term", "kink")
METHODS = ("central float64", "forward float64", "central float32", "forward float32")
PER_DECADE = 4  # values of ε
SPREAD = np.linspace(-1.6, 1.6, 81)  # where the loss near the watched weight is computed, in units of ε


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
        if self.bug != "mystery":
            return self.bug
        return BUGS[int(np.random.default_rng([self.seed, 5]).integers(len(BUGS)))]

    @property
    def length(self) -> int:
        return PER_DECADE * (self.smallest - 1) + 1


class State(NamedTuple):
    step: int
    eps: Annotated[float, Metric("difference ε", shown=True)]
    relative_error: Annotated[float, Metric("relative error over all weights", shown=True)]  # of the first method shown
    smallest_error: Annotated[float, Metric("smallest error so far", shown=True)]  # of that method
    errors: np.ndarray  # (methods shown,)
    analytic: np.ndarray  # (COUNT,)
    numeric: np.ndarray  # (COUNT,) by the first method shown
    nearby: np.ndarray  # (points,) change of the loss along the watched weight, at SPREAD · ε


def unpack(theta: np.ndarray) -> list[np.ndarray]:
    """W₁, b₁, W₂, b₂ out of a vector of shape (COUNT,)."""
    return [theta[STARTS[name] : STARTS[name] + SIZES[name]].reshape(shape) for name, shape in SHAPES.items()]


def loss(theta: np.ndarray, x: np.ndarray, y: np.ndarray, kinked: bool) -> np.floating:
    """Mean squared error of a net with one hidden layer plus λ/2 · |W|², in the precision of theta.

    theta (COUNT,), x (SAMPLES, INPUTS), y (SAMPLES,). kinked: the activation is ReLU, else tanh.
    """
    x, y = x.astype(theta.dtype), y.astype(theta.dtype)
    w1, b1, w2, b2 = unpack(theta)
    z = x @ w1.T + b1
    h = relu(z) if kinked else np.tanh(z)
    error = (h @ w2.T + b2)[:, 0] - y
    penalty = theta.dtype.type(LAMBDA / 2) * ((w1 * w1).sum() + (w2 * w2).sum())
    return (error * error).mean() + penalty


def gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray, kinked: bool, bug: str) -> np.ndarray:
    """The loss's gradient by backpropagation, shape (COUNT,), with the bug if there is one."""
    w1, b1, w2, b2 = unpack(theta)
    z = x @ w1.T + b1
    h = relu(z) if kinked else np.tanh(z)
    slope = (z > 0) if kinked else 1 - h * h

    delta2 = 2 * ((h @ w2.T + b2)[:, 0] - y)[:, None] / len(x)  # dL/d(output)
    dw2 = delta2.T @ h
    db2 = delta2.sum(axis=0)
    delta1 = (delta2 @ w2) * slope  # dL/dz
    dw1 = delta1.T @ x
    db1 = delta1.sum(axis=0)

    if bug != "missing term":  # the penalty's own gradient
        dw1 = dw1 + LAMBDA * w1
        dw2 = dw2 + LAMBDA * w2
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
        if central:
            g[i] = (f(theta + step) - f(theta - step)) / (2 * eps)
        else:
            g[i] = (f(theta + step) - here) / eps
    return g


def by_method(method: str, f: Callable[[np.ndarray], float], theta: np.ndarray, eps: float) -> np.ndarray:
    """The gradient of f at θ by differences as one of the METHODS takes them, shape as theta."""
    scheme, precision = method.split()
    theta = theta.astype(precision)
    return differences(f, theta, theta.dtype.type(eps), central=scheme == "central")


def along(f: Callable[[np.ndarray], float], theta: np.ndarray, i: int, eps: float) -> np.ndarray:
    """How f changes at SPREAD · ε along θ_i."""
    here = float(f(theta))
    changes = []
    for distance in SPREAD * eps:
        aside = theta.copy()
        aside[i] += distance
        changes.append(float(f(aside)) - here)
    return np.array(changes)


def relative(a: np.ndarray, n: np.ndarray) -> float:
    """|a - n| / (|a| + |n|): 0 if they agree, 1/3 if one is the other's double, 1 if they are opposite."""
    return float(np.linalg.norm(a - n)) / max(float(np.linalg.norm(a) + np.linalg.norm(n)), 1e-300)


def move_to_kink(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Change a bias in place: the weightiest unit's z gets NEAR above 0 for the sample with the largest error."""
    w1, b1, w2, b2 = unpack(theta)
    z = x @ w1.T + b1
    unit = np.abs(w2[0]).argmax()
    sample = np.abs(relu(z) @ w2[0] + b2 - y).argmax()
    b1[unit] += NEAR - z[sample, unit]


def run(p: Params) -> Iterator[State]:
    """One value of ε a state, from 0.1 down."""
    rng = np.random.default_rng(p.seed)
    x = rng.normal(size=(SAMPLES, INPUTS))
    y = rng.normal(size=SAMPLES)
    theta = rng.normal(0, 0.6, COUNT)
    kinked = p.planted == "kink"
    if kinked:
        move_to_kink(theta, x, y)
    analytic = gradient(theta, x, y, kinked, p.planted)
    f = partial(loss, x=x, y=y, kinked=kinked)
    watched = STARTS[p.watch]
    first = p.shown[0].split()[1]  # its precision

    smallest = np.inf
    for step in range(p.length):
        eps = 10 ** -(1 + step / PER_DECADE)
        numeric = [by_method(method, f, theta, eps) for method in p.shown]
        errors = np.array([relative(analytic, n) for n in numeric])
        smallest = min(smallest, float(errors[0]))
        yield State(
            step=step,
            eps=eps,
            relative_error=float(errors[0]),
            smallest_error=smallest,
            errors=errors,
            analytic=analytic,
            numeric=numeric[0],
            nearby=along(f, theta.astype(first), watched, eps),
        )
