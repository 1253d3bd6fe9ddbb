"""A net of one hidden layer in training, and linear probes on its input and on its hidden layer."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.data import plane
from playgrounds.kit.nn import ACTIVATIONS, SLOPES, Adam, binary_cross_entropy, sigmoid
from playgrounds.kit.training import kept

POINTS = 1000  # to train on, and as many held out: all accuracies are those of the held-out points
STATES = 100  # that a run keeps, the start apart
DRAWN = 200  # of the held-out points
C = 100.0  # of the probes, as scikit-learn has it: the weight of the data against the penalty


class Params(kit.Params):
    data: Literal["circles", "spirals", "digits"] = knob(
        "circles", label="Data", help="digits: real ones, 4 or 5 against 6 or 7, by two principal components"
    )
    hidden: int = knob(
        4, 2, 16, label="Hidden units", help="2 can fold the plane but not lift the disc out of its ring; 3 can"
    )
    activation: Literal["tanh", "relu", "identity"] = knob("tanh", label="Activation")
    trained: bool = knob(
        True, label="Train the hidden layer", help="off: it stays random, and only the output layer learns"
    )
    steps: int = knob(600, 10, 3000, label="Steps", help="of Adam, each on all training points", step=10)
    seed: int = knob(3, 0, 9999, label="Seed", help="decides the points and the first weights")
    rate: float = knob(0.02, 0.001, 1, label="Learning rate η", log=True, more=True)
    noise: float = knob(
        0.08, 0, 0.3, label="Noise", help="standard deviation", step=0.01, more=True, when=lambda p: p.data != "digits"
    )

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class View(NamedTuple):
    """From where the hidden space is looked at."""

    middle: np.ndarray  # (h,), the point in the middle of the picture
    eye: np.ndarray  # (h, 2), the directions that lie across and along the picture
    spread: np.ndarray  # (2,), the points' standard deviation in them, which is the unit of the picture


class State(NamedTuple):
    step: int
    hidden_probe: Annotated[float, Metric("probe on the hidden layer", "%", shown=True)]  # right on held-out points
    untrained_probe: Annotated[float, Metric("probe before training", "%", shown=True)]  # on the hidden layer, too
    input_probe: Annotated[float, Metric("probe on the input", "%", shown=True)]
    net_accuracy: Annotated[float, Metric("the net itself", "%")]
    loss: Annotated[float, Metric("training loss", digits=4)]  # cross-entropy
    held_out: int  # how many points all accuracies are of
    theta: tuple[np.ndarray, ...]  # W (h, 2), b (h,), v (h,), c (1,): logit = v · f(W x + b) + c
    probe: np.ndarray  # (h + 1,) of the hidden layer: weights, then the bias
    probe_of_input: np.ndarray  # (3,)
    view: View
    drawn: tuple[np.ndarray, np.ndarray]  # x (n, 2) and y (n,) of some held-out points


def sample(p: Params, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """x of shape (n, 2) and y of shape (n,) to train on, and the same held out."""
    if p.data == "digits":
        return digits(rng)
    if p.data == "spirals":
        return *plane("spirals", POINTS, p.noise, rng), *plane("spirals", POINTS, p.noise, rng)
    from sklearn.datasets import make_circles

    train = make_circles(POINTS, noise=p.noise, factor=0.4, random_state=int(rng.integers(2**31)))
    test = make_circles(POINTS, noise=p.noise, factor=0.4, random_state=int(rng.integers(2**31)))
    return *train, *test


def digits(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """scikit-learn's digits 4 to 7, half of them held out, on the first two principal components; y: above 5."""
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    chosen = rng.permutation(np.flatnonzero((digit >= 4) & (digit <= 7)))
    train, test = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    middle = pixels[train].mean(axis=0)
    _, _, components = np.linalg.svd(pixels[train] - middle, full_matrices=False)
    pair = components[:2] * np.sign(components[:2].sum(axis=1, keepdims=True))  # an SVD leaves the signs open
    x = (pixels - middle) @ pair.T / 30  # about within [-1, 1]
    y = (digit > 5) * 1.0
    return x[train], y[train], x[test], y[test]


def features(x: np.ndarray, theta: Sequence[np.ndarray], activation: str) -> np.ndarray:
    """The hidden layer's values, shape (n, h)."""
    w, b, *_ = theta
    return ACTIVATIONS[activation](x @ w.T + b)


def gradients(x: np.ndarray, y: np.ndarray, theta: Sequence[np.ndarray], activation: str) -> list[np.ndarray]:
    """Of the mean cross-entropy, for W, b, v and c."""
    _, _, v, c = theta
    h = features(x, theta, activation)
    delta = (sigmoid(h @ v + c) - y) / len(y)  # dL/dz of the output: p - y
    below = delta[:, None] * v * SLOPES[activation](h)
    return [below.T @ x, below.sum(axis=0), delta @ h, delta.sum(keepdims=True)]


def linear_probe(h: np.ndarray, y: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Logistic regression from h of shape (n, d): the (d + 1,) that minimise |w|²/2 + C · (sum of cross-entropies).

    The same minimum as scikit-learn's LogisticRegression(C=100), by Newton's method with halved steps; the last of the
    d + 1 is the bias, which has no penalty.
    """
    design = np.column_stack([h, np.ones(len(h))])
    penalty = np.append(np.ones(h.shape[1]), 0.0) / C
    theta, z = start, design @ start
    objective = binary_cross_entropy(z, y).sum() + penalty @ theta**2 / 2
    for _ in range(50):
        prob = sigmoid(z)
        gradient = design.T @ (prob - y) + penalty * theta
        curvature = (design.T * (prob * (1 - prob))) @ design + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        share = 1.0
        while share > 1e-6:
            z = design @ (theta - share * step)
            better = binary_cross_entropy(z, y).sum() + penalty @ (theta - share * step) ** 2 / 2
            if better <= objective:
                break
            share /= 2
        theta = theta - share * step
        if objective - better < 1e-9 * (1 + objective):
            break
        objective = better
    return theta


def right(z: np.ndarray, y: np.ndarray) -> float:
    """The share of points on the right side of z = 0."""
    return float(np.mean((z > 0) == (y > 0.5)))


def camera(h: np.ndarray, normal: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Two orthonormal directions (h, 2) to look at the hidden space from: across the probe's plane, and along it.

    The second turns towards the first principal component within the plane, and both keep the sign that is nearer to
    the camera before, so that the picture moves where the points move.
    """
    across = normal / max(np.linalg.norm(normal), 1e-12)
    if before is not None and across @ before[:, 0] < 0:
        across = -across
    flat = h - h.mean(axis=0)
    flat = flat - np.outer(flat @ across, across)
    along = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    if before is not None:
        along = 0.25 * np.copysign(1, along @ before[:, 1]) * along + 0.75 * before[:, 1]
        along = along - (along @ across) * across
    return np.stack([across, along / max(np.linalg.norm(along), 1e-12)], axis=1)


def first(units: int, rng: np.random.Generator) -> list[np.ndarray]:
    """First weights, uniform within ±1/√fan-in as torch.nn.Linear has them."""
    w = rng.uniform(-1, 1, (units, 2)) / np.sqrt(2)
    b = rng.uniform(-1, 1, units) / np.sqrt(2)
    v = rng.uniform(-1, 1, units) / np.sqrt(units)
    c = rng.uniform(-1, 1, 1) / np.sqrt(units)
    return [w, b, v, c]


def run(p: Params) -> Iterator[State]:
    """Train the net; at every step that is kept, fit a linear probe to the hidden layer as it is then."""
    rng = np.random.default_rng(p.seed)
    x, y, x_test, y_test = sample(p, rng)
    probe_of_input = linear_probe(x, y, np.zeros(3))
    on_input = right(x_test @ probe_of_input[:-1] + probe_of_input[-1], y_test)
    drawn = x_test[:DRAWN], y_test[:DRAWN]

    theta = first(p.hidden, rng)
    learns = slice(0, 4) if p.trained else slice(2, 4)  # all, or v and c
    optimizer = Adam(theta[learns], p.rate)
    probe = np.zeros(p.hidden + 1)
    eye = untrained = None
    film = set(kept(p.steps, STATES))
    for step in range(p.steps + 1):
        if step:
            optimizer.step(gradients(x, y, theta, p.activation)[learns])
        if step not in film:
            continue
        h = features(x, theta, p.activation)
        h_test = features(x_test, theta, p.activation)
        probe = linear_probe(h, y, probe)
        on_hidden = right(h_test @ probe[:-1] + probe[-1], y_test)
        if untrained is None:
            untrained = on_hidden
        middle = h.mean(axis=0)
        eye = camera(h, probe[:-1], eye)
        spread = ((h - middle) @ eye).std(axis=0)
        yield State(
            step=step,
            hidden_probe=on_hidden,
            untrained_probe=untrained,
            input_probe=on_input,
            net_accuracy=right(h_test @ theta[2] + theta[3], y_test),
            loss=float(binary_cross_entropy(h @ theta[2] + theta[3], y).mean()),
            held_out=len(y_test),
            theta=tuple(part.copy() for part in theta),
            probe=probe,
            probe_of_input=probe_of_input,
            view=View(middle, eye, np.where(spread < 1e-9, 1, spread)),
            drawn=drawn,
        )
