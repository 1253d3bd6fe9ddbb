"""Softmax of scores: those of a linear classifier that learns three classes, or typed ones, taken through by hand."""

import re
from collections.abc import Iterator
from math import nan
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.forms import cloud
from playgrounds.kit.nn import cross_entropy, softmax
from playgrounds.kit.training import finite, kept

CENTRES = np.array([(-0.6, -0.4), (0.6, -0.4), (0.0, 0.65)])  # of the clouds
POINTS = 150  # of the three clouds
COLDEST, HOTTEST = 0.05, 20.0  # temperatures
MOST_SCORES, LARGEST = 6, 10_000  # typed scores, and their size
STAGES = 5  # of the calculation by hand
OWN = (  # three classes in a row: no single line has the middle one alone on its side
    "-0.8,0.3,0\n-0.6,-0.4,0\n-0.9,-0.1,0\n-0.5,0.7,0\n-0.1,0.4,1\n0.1,-0.3,1\n"
    "0,0.8,1\n0.2,-0.7,1\n0.6,0.2,2\n0.8,-0.5,2\n0.7,0.7,2\n0.9,0,2"
)


def of_point(p: "Params") -> bool:
    return p.scores == "point"


def of_blobs(p: "Params") -> bool:
    return of_point(p) and p.data == "blobs"


class Params(kit.Params):
    scores: Literal["point", "typed"] = knob("point", label="Scores", help="of a point in the plane, or your own")
    data: Literal["blobs", "own"] = knob("blobs", label="Data", help="points of three classes", when=of_point)
    points: str = knob(OWN, 0, 3, form="points", label="Your points", when=lambda p: of_point(p) and p.data == "own")
    x: float = knob(0.1, -1.2, 1.2, label="Your point, x₁", step=0.05, when=of_point)
    y: float = knob(0.1, -1.2, 1.2, label="Your point, x₂", step=0.05, when=of_point)
    logits: str = knob("1, 2, 3", 0, 200, label="Scores z", help="two to six numbers", when=lambda p: not of_point(p))
    temperature: float = knob(1.0, COLDEST, HOTTEST, label="Temperature T", help="exp is taken of z/T", log=True)
    shift: int = knob(0, -200, 2000, label="Constant c", help="added to all scores, in training too")
    right: int = knob(0, 0, 5, label="Right class", help="at most the last one", when=lambda p: not of_point(p))
    spread: float = knob(0.25, 0.05, 0.6, label="Spread of the classes", step=0.05, when=of_blobs)
    training: Literal["stable", "naive"] = knob(
        "stable", label="Softmax in training", help="naive: without the largest score subtracted", when=of_point
    )
    rate: float = knob(1.0, 0.01, 100, label="Learning rate η", log=True, more=True, when=of_point)
    steps: int = knob(200, 10, 1000, label="Steps", step=10, more=True, when=of_point)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the points", more=True, when=of_blobs)

    @property
    def length(self) -> int:
        if not of_point(self):
            return STAGES if len(parse(self.logits)) else 1  # a text that holds no scores is told so
        return len(kept(self.steps)) if self.data != "own" or self.points else 1


class State(NamedTuple):
    step: int  # gradient steps done, or the stage of a calculation by hand
    loss: Annotated[float | None, Metric("cross-entropy", digits=4, shown=True)] = None  # of training at T = 1
    accuracy: Annotated[float | None, Metric("points right by their largest score", "%", shown=True)] = None
    entropy: Annotated[float | None, Metric("entropy of the probabilities", "nats")] = None  # ln n for n equal ones
    largest_probability: Annotated[float | None, Metric("largest probability of your scores", digits=4, shown=True)] = (
        None
    )
    right_probability: Annotated[float | None, Metric("probability of the right class", digits=4)] = None
    z: np.ndarray | None = None  # (n,) scores of the reader's point or typed ones, c included
    W: np.ndarray | None = None  # (3, 2) weights; None for typed scores
    b: np.ndarray | None = None  # (3,) biases
    x: np.ndarray | None = None  # (m, 2) training points
    y: np.ndarray | None = None  # (m,) their labels


def naive_softmax(z: np.ndarray) -> np.ndarray:
    """The formula taken literally, in float32: above z = 88.7 exp is infinite, and inf/inf is nan."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(np.asarray(z, np.float32))
        return e / e.sum(axis=-1, keepdims=True)


def naive_cross_entropy(prob: np.ndarray, y: np.ndarray) -> float:
    """Mean of −ln p of the right class, for probabilities (m, n) and labels (m,): infinite where p is 0."""
    with np.errstate(divide="ignore"):
        return float(-np.log(prob[np.arange(len(y)), y]).mean())


def entropy(q: np.ndarray) -> float:
    """−Σ q ln q of probabilities q (n,), in nats."""
    return abs(float((q * np.log(np.where(q > 0, q, 1))).sum()))


def three_blobs(spread: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Three normal clouds in the plane: points (150, 2) and labels 0, 1, 2."""
    y = np.arange(POINTS) % 3
    return CENTRES[y] + rng.normal(0, spread, (len(y), 2)), y


def points_of(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """Training points (m, 2) and their labels (m,)."""
    if p.data == "blobs":
        return three_blobs(p.spread, np.random.default_rng(p.seed))
    x, y = cloud(p.points)
    return x, y.astype(int)


def run(p: Params) -> Iterator[State]:
    """Train z = W x + b + c by gradient descent on the cross-entropy, or take typed scores through softmax."""
    yield from by_hand(p) if p.scores == "typed" else train(p)


def train(p: Params) -> Iterator[State]:
    """A state per step; ends early where the naive softmax has no finite loss any more."""
    x, y = points_of(p)
    W, b = np.zeros((3, 2)), np.zeros(3)
    target = np.eye(3)[y]
    film = set(kept(p.steps)) if len(x) else set()
    for step in range(p.steps + 1):
        mine = W @ (p.x, p.y) + b + p.shift
        q = softmax(mine / p.temperature)
        state = State(step=step, entropy=entropy(q), largest_probability=float(q.max()), z=mine, W=W, b=b, x=x, y=y)
        if not len(x):
            yield state
            return
        z = x @ W.T + b + p.shift
        if p.training == "stable":
            prob = softmax(z)
            loss = cross_entropy(z, y)
        else:
            prob = naive_softmax(z)
            loss = naive_cross_entropy(prob, y)
        accuracy = float((z.argmax(axis=1) == y).mean())
        if step in film or not finite(loss):
            yield state._replace(loss=loss, accuracy=accuracy)
        if not finite(loss):
            return
        dz = (prob - target) / len(y)  # the gradient of the mean cross-entropy at the scores: p - y
        W = W - p.rate * dz.T @ x
        b = b - p.rate * dz.sum(axis=0)


def pieces(text: str) -> list[str]:
    """What stands between commas, semicolons and blanks."""
    return [piece for piece in re.split(r"[\s,;]+", text) if piece]


def score(piece: str) -> float:
    """The number that is meant by 2 or −1.5; nan if it is none."""
    try:
        return float(piece.replace("−", "-"))
    except ValueError:
        return nan


def parse(text: str) -> np.ndarray:
    """The two to six scores in a reader's text, or an empty array where one of them cannot be taken."""
    z = np.array([score(piece) for piece in pieces(text)])
    legal = 2 <= len(z) <= MOST_SCORES and finite(z, most=LARGEST)
    return z if legal else np.zeros(0)


def by_hand(p: Params) -> Iterator[State]:
    """Take typed scores through softmax, a state per stage."""
    z = parse(p.logits)
    if not len(z):
        yield State(step=0)
        return
    z = z + p.shift
    right = min(p.right, len(z) - 1)
    q = softmax(z / p.temperature)
    loss = cross_entropy(z[None] / p.temperature, np.array([right]))
    accuracy = float(z.argmax() == right)
    for stage in range(STAGES - 1):
        yield State(step=stage, z=z)
    yield State(  # only the last stage knows the probabilities
        step=STAGES - 1,
        loss=loss,
        accuracy=accuracy,
        entropy=entropy(q),
        largest_probability=float(q.max()),
        right_probability=float(q[right]),
        z=z,
    )
