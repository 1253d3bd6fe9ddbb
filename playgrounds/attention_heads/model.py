"""Multi-head attention learns to look up tokens by their place: forward, backward and training by hand.

A learned query attends to six tokens, and a linear readout says of which kind those at certain places are.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._attention import largest_weight, passed_gradient
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import Adam, softmax
from playgrounds.kit.training import kept

KINDS = "ABCDEFGH"
PLACES = 6  # tokens of a sequence
BATCH = 128  # fresh sequences per step
TEST = 256  # sequences
TARGETS = {1: (0,), 2: (0, 5), 3: (0, 2, 5)}  # the places that have to be looked up
START = 0.2  # standard deviation of the first embeddings, places and query
FRAMES = 60  # states of a training, the start apart

Weights = dict[str, np.ndarray]


class Params(kit.Params):
    heads: Literal[1, 2, 4, 8] = knob(2, label="Heads h", help="of width d/h each")
    lookups: int = knob(2, 1, 3, label="Tokens to look up", help="the first; and the last; and the third")
    silenced: int = knob(0, 0, 8, label="Silence head", help="its output is 0 after training; 0: none")
    sequence: str = knob("CABHDF", 0, 40, label="Your sequence", help=f"{PLACES} letters from A to H")
    width: Literal[8, 16, 32] = knob(32, label="Width d")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights and the data")
    steps: int = knob(300, 10, 1500, label="Training steps", log=True, more=True)
    rate: float = knob(0.005, 0.0005, 0.05, label="Learning rate η", log=True, more=True)

    @property
    def length(self) -> int:
        return len(kept(self.steps, FRAMES))


class State(NamedTuple):
    step: int
    largest_weight: Annotated[float, Metric("mean largest weight", "%")]
    passed_gradient: Annotated[float, Metric("slope of the softmax, Σ α(1 − α)")]
    weaker_target: Annotated[float, Metric("weight on the target that gets less", "%", shown=True)]
    first_accuracy: Annotated[float, Metric("first token read right", "%", shown=True)]
    last_accuracy: Annotated[float | None, Metric("last token read right", "%", shown=True)]  # None: not asked for
    loss: Annotated[float, Metric("test loss")]
    parameters: Annotated[int, Metric("parameters of the attention layer", "count")]
    parameters_at_512: Annotated[int, Metric("the same at width 512", "count")]
    accuracies: np.ndarray  # (targets,) on the test sequences
    weights: np.ndarray  # (h, PLACES), mean over the test sequences
    range: np.ndarray  # (2, h, PLACES), between which nine of ten test sequences are
    own: np.ndarray  # (h, PLACES) of the reader's sequence
    tokens: np.ndarray  # (PLACES,) kinds of the reader's sequence
    said: np.ndarray  # (targets,) kinds that are read from it


def shapes(width: int, targets: int) -> dict[str, tuple[int, ...]]:
    """Of all that is trained: vectors of kinds, of places and the query; the attention layer; the readout U, c."""
    return {
        "kinds": (len(KINDS), width),
        "places": (PLACES, width),
        "query": (width,),
        "W_Q": (width, width),
        "b_Q": (width,),
        "W_K": (width, width),
        "b_K": (width,),
        "W_V": (width, width),
        "b_V": (width,),
        "W_O": (width, width),
        "b_O": (width,),
        "U": (width, targets * len(KINDS)),
        "c": (targets * len(KINDS),),
    }


def first_weights(width: int, targets: int, rng: np.random.Generator) -> Weights:
    """Normal vectors, matrices uniform within ±1/√d, no biases."""
    w = {}
    for name, shape in shapes(width, targets).items():
        if name in ("kinds", "places", "query"):
            w[name] = rng.normal(0, START, shape)
        elif len(shape) == 2:
            w[name] = rng.uniform(-1, 1, shape) / sqrt(width)
        else:
            w[name] = np.zeros(shape)
    return w


def count(width: int, heads: int) -> int:
    """Parameters of multi-head attention: each head projects from d to d/h three times, W_O from d to d; biases too."""
    narrow = width // heads
    return heads * 3 * (width * narrow + narrow) + width * width + width


def split(M: np.ndarray, heads: int) -> np.ndarray:
    """The columns of M (rows, d) shared out to the heads: (h, rows, d/h)."""
    return M.reshape(len(M), heads, -1).transpose(1, 0, 2)


def join(M: np.ndarray) -> np.ndarray:
    """What the heads have made (h, rows, d/h), side by side again: (rows, d)."""
    return M.transpose(1, 0, 2).reshape(M.shape[1], -1)


class Pass(NamedTuple):
    """What a forward pass leaves for the backward pass. There are only 8 · 6 = 48 different inputs, kind plus place, so
    keys and values are computed once for each of these."""

    X: np.ndarray  # (48, d)
    at: np.ndarray  # (B, PLACES) which of them stands there
    Q: np.ndarray  # (h, 1, d/h)
    K: np.ndarray  # (h, 48, d/h)
    V: np.ndarray  # (h, 48, d/h)
    A: np.ndarray  # (h, B, PLACES)
    spread: np.ndarray  # (h, B, 48), A as weights on the 48
    out: np.ndarray  # (B, d) of the heads, concatenated
    Y: np.ndarray  # (B, d)
    probability: np.ndarray  # (B, targets, 8)


def forward(w: Weights, tokens: np.ndarray, heads: int, silenced: int = 0) -> Pass:
    """One learned query attends to tokens (B, PLACES) with all heads; a linear readout names the target kinds."""
    B = len(tokens)
    at = tokens * PLACES + np.arange(PLACES)
    X = (w["kinds"][:, None] + w["places"]).reshape(len(KINDS) * PLACES, -1)
    Q = split(w["query"][None] @ w["W_Q"] + w["b_Q"], heads)
    K = split(X @ w["W_K"] + w["b_K"], heads)
    V = split(X @ w["W_V"] + w["b_V"], heads)
    S = (Q * K).sum(axis=2) / sqrt(K.shape[2])
    A = softmax(S[:, at])
    spread = np.zeros((heads, B, len(X)))
    spread[:, np.arange(B)[:, None], at] = A
    head = spread @ V
    if silenced:
        head[silenced - 1] = 0
    out = join(head)
    Y = out @ w["W_O"] + w["b_O"]
    logits = (Y @ w["U"] + w["c"]).reshape(B, -1, len(KINDS))
    return Pass(X=X, at=at, Q=Q, K=K, V=V, A=A, spread=spread, out=out, Y=Y, probability=softmax(logits))


def backward(w: Weights, f: Pass, right: np.ndarray) -> Weights:
    """Gradients of the mean cross-entropy at the kinds `right` (B, targets), by the chain rule."""
    heads, B = f.A.shape[:2]
    rows = np.arange(B)[:, None]
    dlogits = ((f.probability - np.eye(len(KINDS))[right]) / right.size).reshape(B, -1)
    dY = dlogits @ w["U"].T
    dhead = split(dY @ w["W_O"].T, heads)
    dV = f.spread.transpose(0, 2, 1) @ dhead
    dA = (dhead @ f.V.transpose(0, 2, 1))[:, rows, f.at]
    dspread = np.zeros_like(f.spread)
    dspread[:, rows, f.at] = f.A * (dA - (f.A * dA).sum(axis=2, keepdims=True))  # back through the softmax
    dS = dspread.sum(axis=1)[:, :, None] / sqrt(f.K.shape[2])
    dQ = join((dS * f.K).sum(axis=1, keepdims=True))
    dK = join(dS * f.Q)
    dV = join(dV)
    dX = (dK @ w["W_K"].T + dV @ w["W_V"].T).reshape(len(KINDS), PLACES, -1)
    return {
        "kinds": dX.sum(axis=1),
        "places": dX.sum(axis=0),
        "query": (dQ @ w["W_Q"].T)[0],
        "W_Q": w["query"][:, None] @ dQ,
        "b_Q": dQ.sum(axis=0),
        "W_K": f.X.T @ dK,
        "b_K": dK.sum(axis=0),
        "W_V": f.X.T @ dV,
        "b_V": dV.sum(axis=0),
        "W_O": f.out.T @ dY,
        "b_O": dY.sum(axis=0),
        "U": f.Y.T @ dlogits,
        "c": dlogits.sum(axis=0),
    }


def spell(text: str) -> np.ndarray:
    """Kinds of the reader's sequence (PLACES,): other letters are left out, what is missing is filled up with A."""
    letters = [KINDS.index(letter) for letter in text.upper() if letter in KINDS]
    return np.array([*letters, *[0] * PLACES][:PLACES])


def run(p: Params) -> Iterator[State]:
    """Adam on the cross-entropy of the looked-up kinds, a fresh batch a step."""
    rng = np.random.default_rng(p.seed)
    places = list(TARGETS[p.lookups])
    w = first_weights(p.width, p.lookups, rng)
    optimizer = Adam(list(w.values()), p.rate)
    test = rng.integers(0, len(KINDS), (TEST, PLACES))
    film = set(kept(p.steps, FRAMES))
    for step in range(p.steps + 1):
        if step in film:
            yield measured(p, step, w, test)
        tokens = rng.integers(0, len(KINDS), (BATCH, PLACES))
        gradients = backward(w, forward(w, tokens, p.heads), tokens[:, places])
        optimizer.step([gradients[name] for name in w])


def measured(p: Params, step: int, w: Weights, test: np.ndarray) -> State:
    """Where the heads look and what is read right, on the test sequences and on the reader's own."""
    places = list(TARGETS[p.lookups])
    silenced = p.silenced if p.silenced <= p.heads else 0
    f = forward(w, test, p.heads, silenced)
    own = spell(p.sequence)
    mine = forward(w, own[None], p.heads, silenced)
    right = test[:, places]
    probability = np.take_along_axis(f.probability, right[:, :, None], axis=2)
    accuracies = (f.probability.argmax(axis=2) == right).mean(axis=0)
    weights = f.A.mean(axis=1)
    return State(
        step=step,
        largest_weight=largest_weight(f.A),
        passed_gradient=passed_gradient(f.A),
        weaker_target=float(weights[:, places].max(axis=0).min()),
        first_accuracy=float(accuracies[0]),
        last_accuracy=float(accuracies[-1]) if p.lookups > 1 else None,
        loss=float(-np.log(np.maximum(probability, 1e-300)).mean()),
        parameters=count(p.width, p.heads),
        parameters_at_512=count(512, p.heads),
        accuracies=accuracies,
        weights=weights,
        range=np.quantile(f.A, (0.05, 0.95), axis=1),
        own=mine.A[:, 0],
        tokens=own,
        said=mine.probability[0].argmax(axis=1),
    )
