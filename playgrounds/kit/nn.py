"""The numerics that every textbook prints once: activations, losses, first weights, optimizers. NumPy only.

Plain functions, so that exported code can carry along those that it calls. Each is equal to torch's in a test.
Arrays keep their type: float32 in, float32 out.
"""

from collections.abc import Callable, Sequence
from math import pi, sqrt

import numpy as np

Array = np.ndarray

# ---------------------------------------------------------------------------------------------------- activations


def relu(z: Array) -> Array:
    return np.maximum(z, 0)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), in the form that cannot overflow: (1 + tanh(z / 2)) / 2."""
    return 0.5 * (1 + np.tanh(z / 2))


def gelu(z: Array) -> Array:
    """z · Φ(z) with Φ the normal distribution, in the approximation by tanh (Hendrycks and Gimpel 2016)."""
    return 0.5 * z * (1 + np.tanh(sqrt(2 / pi) * (z + 0.044715 * z**3)))


def identity(z: Array) -> Array:
    return z


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": relu,
    "sigmoid": sigmoid,
    "identity": identity,
}
SLOPES: dict[str, Callable[[Array], Array]] = {  # of each activation, in terms of its own value h
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: (h > 0).astype(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
    "identity": np.ones_like,
}


def softmax(z: Array, axis: int = -1) -> Array:
    """exp(z) over its sum along `axis`; −∞ becomes 0. With the largest score subtracted first no exp is above 1."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(z: Array, axis: int = -1) -> Array:
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


# --------------------------------------------------------------------------------------------------------- losses


def cross_entropy(logits: Array, labels: Array) -> float:
    """Mean of −ln softmax(logits)[label], for logits (n, classes) and labels (n,) counted from 0."""
    log_p = log_softmax(logits)[np.arange(len(labels)), labels]
    return float(0 - log_p.mean())  # of a certain p it is 0, and not −0


def binary_cross_entropy(logits: Array, y: Array) -> Array:
    """−y ln p − (1 − y) ln(1 − p) with p = sigmoid(logit), element by element, in the form that cannot overflow."""
    return np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits)))


# -------------------------------------------------------------------------------------------------------- layers


def layer_norm(x: Array, eps: float = 1e-5) -> Array:
    """(x − mean) / √(variance + ε) over the last axis, without gain and shift (Ba, Kiros and Hinton 2016)."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps)


# ------------------------------------------------------------------------------------------------- first weights


def xavier_std(fan_in: int, fan_out: int) -> float:
    """√(2 / (fan_in + fan_out)): keeps the variance forwards and backwards (Glorot and Bengio 2010)."""
    return sqrt(2 / (fan_in + fan_out))


def he_std(fan_in: int) -> float:
    """√(2 / fan_in): a ReLU passes half of the square on (He et al. 2015)."""
    return sqrt(2 / fan_in)


def linear(fan_in: int, fan_out: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """First weights (fan_out, fan_in) and biases (fan_out,), uniform within ±1/√fan_in as torch.nn.Linear has them."""
    bound = 1 / np.sqrt(fan_in)
    return rng.uniform(-bound, bound, (fan_out, fan_in)), rng.uniform(-bound, bound, fan_out)


# ---------------------------------------------------------------------------------------------------- optimizers


class SGD:
    """v ← μ v + g, θ ← θ − η v: torch's momentum; μ = 0 is plain gradient descent. Changes θ in place."""

    def __init__(self, theta: Sequence[Array], eta: float, momentum: float = 0.0):
        self.theta, self.eta, self.momentum = theta, eta, momentum
        self.v = [np.zeros_like(w) for w in theta]

    def step(self, gradients: Sequence[Array]) -> None:
        for w, g, v in zip(self.theta, gradients, self.v, strict=True):
            v *= self.momentum
            v += g
            w -= self.eta * v


class Adam:
    """Kingma and Ba 2015, algorithm 1. Changes θ in place.

    m ← β₁ m + (1 − β₁) g            v ← β₂ v + (1 − β₂) g²
    θ ← θ − η m̂ / (√v̂ + ε)           m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)

    decay: AdamW's λ (Loshchilov and Hutter 2019): θ ← θ − η λ θ besides.
    """

    def __init__(
        self,
        theta: Sequence[Array],
        eta: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        decay: float = 0.0,
    ):
        self.theta, self.eta, self.beta1, self.beta2, self.eps, self.decay = theta, eta, beta1, beta2, eps, decay
        self.m = [np.zeros_like(w) for w in theta]
        self.v = [np.zeros_like(w) for w in theta]
        self.t = 0

    def step(self, gradients: Sequence[Array]) -> None:
        self.t += 1
        for w, g, m, v in zip(self.theta, gradients, self.m, self.v, strict=True):
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            v_hat = v / (1 - self.beta2**self.t)
            if self.decay:
                w -= self.eta * self.decay * w
            w -= self.eta / (1 - self.beta1**self.t) * m / (np.sqrt(v_hat) + self.eps)
