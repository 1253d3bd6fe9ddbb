"""Loss surfaces over one or two weights with their gradients, and the largest rates that optimizers bear on them.

Arrays w have shape (…, weights); kappa is the condition number, which only the valley has.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Surface(NamedTuple):
    formula: str
    loss: Callable[[Array, int], Array]
    gradient: Callable[[Array, int], Array]
    minima: list[list[float]]  # where the loss is 0


def bowl(w: Array, kappa: int) -> Array:
    return w[..., 0] ** 2 / 2


def bowl_gradient(w: Array, kappa: int) -> Array:
    return w


def valley(w: Array, kappa: int) -> Array:
    return (w[..., 0] ** 2 + kappa * w[..., 1] ** 2) / 2


def valley_gradient(w: Array, kappa: int) -> Array:
    return w * (1.0, kappa)


def rosenbrock(w: Array, kappa: int) -> Array:
    """Rosenbrock 1960."""
    x, y = w[..., 0], w[..., 1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def rosenbrock_gradient(w: Array, kappa: int) -> Array:
    x, y = w[..., 0], w[..., 1]
    return np.stack([2 * (x - 1) - 400 * x * (y - x * x), 200 * (y - x * x)], axis=-1)


def turned(w: Array) -> tuple[Array, Array]:
    """Coordinates turned by 45 degrees: u leads to the saddle point, v away from it."""
    return (w[..., 0] - w[..., 1]) / np.sqrt(2), (w[..., 0] + w[..., 1]) / np.sqrt(2)


def saddle(w: Array, kappa: int) -> Array:
    u, v = turned(w)
    return u**2 / 2 + (v**2 - 1) ** 2 / 4


def saddle_gradient(w: Array, kappa: int) -> Array:
    u, v = turned(w)
    return np.stack([v**3 - v + u, v**3 - v - u], axis=-1) / np.sqrt(2)


def ripples(w: Array, kappa: int) -> Array:
    return (w**2 / 4 + (1 - np.cos(5 * w)) / 5).sum(axis=-1)


def ripples_gradient(w: Array, kappa: int) -> Array:
    return w / 2 + np.sin(5 * w)


ROOT = 0.5**0.5
SURFACES = {
    "bowl": Surface("w²/2", bowl, bowl_gradient, [[0]]),
    "valley": Surface("(w₁² + κ w₂²)/2", valley, valley_gradient, [[0, 0]]),
    "rosenbrock": Surface("(1 − w₁)² + 100 (w₂ − w₁²)²", rosenbrock, rosenbrock_gradient, [[1, 1]]),
    "saddle": Surface(
        "u²/2 + (v² − 1)²/4;  u, v = (w₁ ∓ w₂)/√2", saddle, saddle_gradient, [[ROOT, ROOT], [-ROOT, -ROOT]]
    ),
    "ripples": Surface("Σ [w²/4 + (1 − cos 5w)/5]", ripples, ripples_gradient, [[0, 0]]),
}


def curvature(gradient: Callable[[Array], Array], w: Array) -> float:
    """The largest eigenvalue of the loss's second derivatives at w of shape (weights,), by central differences."""
    h = 1e-5
    hessian = [(gradient(w + e) - gradient(w - e)) / (2 * h) for e in h * np.eye(len(w))]
    return float(np.linalg.eigvalsh(hessian)[-1])


def largest_rate(optimizer: str, top: float, beta: float, decay: float) -> tuple[str, float] | None:
    """The rate above which an optimizer diverges on a parabola of largest curvature `top`: its formula and value.

    None: there is no such rate. decay: λ of AdamW; that of the others is part of the curvature.
    """
    if optimizer == "AdamW":
        return ("2/λ of the weight decay", 2 / decay) if decay else None
    if top <= 0 or optimizer in ("RMSProp", "Adam"):
        return None
    if optimizer == "GD":
        return "2/λ_max", 2 / top
    if optimizer == "momentum":
        return "2(1 + β)/λ_max", 2 * (1 + beta) / top
    return "2(1 + β)/((1 + 2β) λ_max)", 2 * (1 + beta) / (1 + 2 * beta) / top
