"""Scaled dot-product attention (Vaswani et al. 2017), and two numbers that say how sharply its softmax decides."""

from math import sqrt
from typing import NamedTuple

import numpy as np

from playgrounds.kit.nn import softmax


class Attention(NamedTuple):
    S: np.ndarray  # (n, m) scores, each query with each key
    Z: np.ndarray  # (n, m) what the softmax is given: scaled, masked
    A: np.ndarray  # (n, m) weights; every row sums to 1
    out: np.ndarray  # (n, d_v) averages of the values


def attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray, scaled: bool = True, causal: bool = False) -> Attention:
    """softmax(Q Kᵀ / √d_k) V, equation 1, for Q (n, d_k), K (m, d_k), V (m, d_v).

    scaled: whether the scores are divided by √d_k. causal: the i-th query sees the keys up to the i-th only.
    """
    S = Q @ K.T
    Z = S / sqrt(Q.shape[1]) if scaled else S
    if causal:
        seen = np.tri(*S.shape, dtype=np.bool_)
        Z = np.where(seen, Z, -np.inf)
    A = softmax(Z)
    return Attention(S=S, Z=Z, A=A, out=A @ V)


def largest_weight(A: np.ndarray) -> float:
    """The largest weight of a query, mean over all queries; the keys are A's last axis."""
    return float(A.max(axis=-1).mean())


def passed_gradient(A: np.ndarray) -> float:
    """Σ α(1 − α), the slopes ∂α_j/∂z_j of the softmax: what of a gradient it passes back, mean over all queries."""
    return float((A * (1 - A)).sum(axis=-1).mean())
