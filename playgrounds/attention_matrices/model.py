"""Attention of a sentence's words to each other, or to those of another sentence, one stage after the other."""

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Annotated, Literal, NamedTuple
from zlib import crc32

import numpy as np

from playgrounds import kit
from playgrounds._attention import attention, largest_weight, passed_gradient
from playgrounds.kit import Metric, knob

MOST_WORDS = 10  # of a sentence
WIDTH = 4  # numbers of a word's vector
VALUES = 4  # numbers of a value
STAGES = ("X", "Q", "K", "V", "S", "Z", "mask", "A", "O")


def crossed(p: "Params") -> bool:
    return p.source == "other sentence"


class Params(kit.Params):
    text: str = knob("the dog saw the small cat", 0, 200, label="Sentence", help=f"its first {MOST_WORDS} words count")
    watch: int = knob(2, 1, MOST_WORDS, label="Watched token", help="the notes calculate for it")
    mask: Literal["none", "causal"] = knob(
        "none", label="Mask", help="causal: no token sees a later one", when=lambda p: not crossed(p)
    )
    order: Literal["as typed", "reversed", "shuffled"] = knob(
        "as typed", label="Order of the tokens", help="shuffled: by the seed"
    )
    d_k: int = knob(4, 1, 64, label="Width of queries and keys d_k", log=True)
    scaled: bool = knob(True, label="Divide the scores by √d_k")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights and the shuffle")
    positions: bool = knob(False, label="Add positions to the words", help="sines and cosines of the place", more=True)
    tied: bool = knob(False, label="W_K the same as W_Q", more=True)
    source: Literal["same sentence", "other sentence"] = knob(
        "same sentence", label="Keys and values from", help="other: cross-attention", more=True
    )
    other: str = knob("die Katze saß", 0, 200, label="Other sentence", more=True, when=crossed)

    @property
    def length(self) -> int:
        return len(STAGES) if all(sentences(self)) else 1  # a text without words is told so


class Projections(NamedTuple):
    W_Q: np.ndarray  # (WIDTH, d_k)
    W_K: np.ndarray  # (WIDTH, d_k)
    W_V: np.ndarray  # (WIDTH, VALUES)


class Matrices(NamedTuple):
    words: list[str]  # n that ask, in the order shown
    others: list[str]  # m that are looked at, the same words unless it is cross-attention
    order: np.ndarray  # (n,) which of the typed words stands at a place now
    X: np.ndarray  # (n, WIDTH)
    Y: np.ndarray  # (m, WIDTH), X itself unless it is cross-attention
    w: Projections
    Q: np.ndarray  # (n, d_k)
    K: np.ndarray  # (m, d_k)
    V: np.ndarray  # (m, VALUES)
    S: np.ndarray  # (n, m) scores
    Z: np.ndarray  # (n, m) what the softmax is given
    A: np.ndarray  # (n, m) weights
    out: np.ndarray  # (n, VALUES)


class State(NamedTuple):
    step: int  # the stage, counted from 1
    seen: Matrices | None = None  # None: a sentence has no words
    typed: np.ndarray | None = None  # (n, VALUES) the outputs in the order typed, row by row as typed
    largest_weight: Annotated[float | None, Metric("mean largest weight", "%", shown=True)] = None
    passed_gradient: Annotated[float | None, Metric("slope of the softmax, Σ α(1 − α)")] = None
    future_weight: Annotated[float | None, Metric("mean weight on later tokens", "%", shown=True)] = None
    order_error: Annotated[float | None, Metric("largest change by the new order", shown=True)] = None
    queries: Annotated[int | None, Metric("queries", "count")] = None
    keys: Annotated[int | None, Metric("keys", "count")] = None
    scores: Annotated[int | None, Metric("scores that no mask removes", "count")] = None


def sentences(p: Params) -> tuple[list[str], list[str]]:
    """The words that ask and the words that are looked at, as typed."""
    words = p.text.split()[:MOST_WORDS]
    return words, p.other.split()[:MOST_WORDS] if crossed(p) else words


def sinusoids(n: int) -> np.ndarray:
    """Sines and cosines of the places 0 … n − 1, shape (n, WIDTH) (Vaswani et al. 2017, 3.5; 100 for their 10000)."""
    angles = np.arange(n)[:, None] / 100 ** (np.arange(0, WIDTH, 2) / WIDTH)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(n, WIDTH)


def embed(words: Sequence[str], positions: bool) -> np.ndarray:
    """A vector per word (n, WIDTH), drawn by a generator that the word seeds; on top, if wanted, its place."""
    generators = [np.random.default_rng(crc32(word.lower().encode())) for word in words]
    X = np.stack([generator.normal(size=WIDTH) for generator in generators])
    return X + sinusoids(len(words)) if positions else X


def projections(p: Params, rng: np.random.Generator) -> Projections:
    """Random matrices that keep the variance of a word's numbers."""
    W_Q = rng.normal(size=(WIDTH, p.d_k)) / sqrt(WIDTH)
    W_K = rng.normal(size=(WIDTH, p.d_k)) / sqrt(WIDTH)
    W_V = rng.normal(size=(WIDTH, VALUES)) / sqrt(WIDTH)
    return Projections(W_Q=W_Q, W_K=W_Q if p.tied else W_K, W_V=W_V)


def attend(p: Params, order: np.ndarray, w: Projections) -> Matrices:
    """All matrices, with the words that ask in this order."""
    typed, others = sentences(p)
    words = [typed[i] for i in order]
    X = embed(words, p.positions)
    Y = embed(others, p.positions) if crossed(p) else X
    Q = X @ w.W_Q
    K = Y @ w.W_K
    V = Y @ w.W_V
    S, Z, A, out = attention(Q, K, V, p.scaled, causal=p.mask == "causal" and not crossed(p))
    others = others if crossed(p) else words
    return Matrices(words=words, others=others, order=order, X=X, Y=Y, w=w, Q=Q, K=K, V=V, S=S, Z=Z, A=A, out=out)


def run(p: Params) -> Iterator[State]:
    """One stage of attention a state; the words in the order typed go the same way, for comparison."""
    if not all(sentences(p)):
        yield State(step=1)
        return
    n = len(sentences(p)[0])
    rng = np.random.default_rng(p.seed)
    w = projections(p, rng)
    as_typed = np.arange(n)
    shuffled = rng.permutation(n)
    order = {"as typed": as_typed, "reversed": as_typed[::-1], "shuffled": shuffled}[p.order]
    seen = attend(p, order, w)
    typed = attend(p, as_typed, w).out
    order_error = float(np.abs(seen.out - typed[order]).max())  # f(PX) − P f(X)
    scores = int(np.isfinite(seen.Z).sum())
    for step, stage in enumerate(STAGES, start=1):
        state = State(step=step, seen=seen, typed=typed, queries=n, keys=len(seen.others), scores=scores)
        if stage in ("A", "O"):
            state = state._replace(
                largest_weight=largest_weight(seen.A),
                passed_gradient=passed_gradient(seen.A),
                future_weight=None if crossed(p) else float(np.triu(seen.A, 1).sum(axis=1).mean()),
            )
        if stage == "O" and p.order != "as typed":
            state = state._replace(order_error=order_error)
        yield state
