"""Scores of random queries and keys, and their softmax, as the width d_k is doubled."""

from collections.abc import Iterator
from math import sqrt
from typing import Annotated, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._attention import largest_weight, passed_gradient
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import softmax

DOUBLINGS = 8  # d_k goes from 1 to 2⁸
PAIRS = 40_000  # of queries and keys
BINS = 61  # of the histogram of scores


class Params(kit.Params):
    scaled: bool = knob(True, label="Divide the scores by √d_k")
    keys: int = knob(10, 2, 20, label="Keys per query")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the queries and keys")

    @property
    def length(self) -> int:
        return DOUBLINGS + 1


class State(NamedTuple):
    step: int  # d_k
    largest_weight: Annotated[float, Metric("mean largest weight", "%", shown=True)]
    passed_gradient: Annotated[float, Metric("slope of the softmax, Σ α(1 − α)", shown=True)]
    score_variance: Annotated[float, Metric("variance of q·k, before any division", shown=True)]
    given_variance: float  # of what the softmax is given
    q: np.ndarray  # (d_k,) one query
    k: np.ndarray  # (keys, d_k) its keys
    z: np.ndarray  # (keys,) what the softmax is given for one query
    a: np.ndarray  # (keys,) the weights of that query
    counts: np.ndarray  # (BINS,) histogram of all z, 1 at its highest
    edge: float  # it goes from −edge to edge


def run(p: Params) -> Iterator[State]:
    """Queries and keys of independent normal components; d_k is doubled a state by adding as many components again."""
    rng = np.random.default_rng(p.seed)
    queries = PAIRS // p.keys
    edge = 4.0 if p.scaled else 3 * 2 ** (DOUBLINGS / 2)
    S = np.zeros((queries, p.keys))
    q_one, k_one = np.zeros(0), np.zeros((p.keys, 0))  # of the first query, which is drawn
    d_k = 0
    for doubling in range(DOUBLINGS + 1):
        new = 2**doubling - d_k
        q = rng.standard_normal((queries, new), np.float32)
        k = rng.standard_normal((queries, p.keys, new), np.float32)
        S = S + np.einsum("qd,qkd->qk", q, k)
        q_one, k_one = np.append(q_one, q[0]), np.append(k_one, k[0], axis=1)
        d_k += new
        Z = S / sqrt(d_k) if p.scaled else S
        A = softmax(Z)
        counts, _ = np.histogram(Z, bins=BINS, range=(-edge, edge))
        yield State(
            step=d_k,
            largest_weight=largest_weight(A),
            passed_gradient=passed_gradient(A),
            score_variance=float(S.var()),
            given_variance=float(Z.var()),
            q=q_one,
            k=k_one,
            z=Z[0],
            a=A[0],
            counts=counts / counts.max(),
            edge=edge,
        )
