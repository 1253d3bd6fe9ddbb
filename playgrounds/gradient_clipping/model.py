"""Gradient descent through an unrolled net, plain and with clipped gradients, near a cliff of the loss."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import ACTIVATIONS, SLOPES
from playgrounds.kit.training import kept

HUGE = 1e100  # a loss beyond it has diverged
H_0 = np.array([1.0, -1.0])  # what the net has to remember
PLAIN, CLIPPED = 0, 1  # rows of all that there is of both descents
LAYER = {"linear": "identity", "tanh": "tanh"}  # what kit/nn.py calls them


class Params(kit.Params):
    w: float = knob(0.9, -2.0, 2.0, label="Recurrent weight w", step=0.01, help="where descent starts")
    T: int = knob(50, 2, 100, label="Time steps T")
    activation: Literal["linear", "tanh"] = knob("linear", label="Activation")
    limit: float = knob(
        1.0, 0.01, 1e9, label="Clipping limit c", help="longest gradient of the clipped descent", log=True
    )
    rate: float = knob(0.005, 0.0001, 1, label="Learning rate η", log=True)
    how: Literal["norm", "value"] = knob(
        "norm", label="Clip by", help="norm: g · min(1, c/|g|); value: every entry of g to [−c, c]"
    )
    b: float = knob(0.02, -0.15, 0.15, label="Bias b at the start", step=0.01, more=True)
    descents: int = knob(60, 1, 300, label="Descent steps", more=True)

    @property
    def length(self) -> int:
        return len(kept(self.descents))


class State(NamedTuple):
    step: int  # of both descents
    loss: Annotated[float, Metric("loss, clipped", shown=True)]  # HUGE once a descent has diverged
    plain_loss: Annotated[float, Metric("loss, plain (10¹⁰⁰: gone)", shown=True)]
    norm: Annotated[float, Metric("gradient norm before clipping", shown=True)]  # as computed,
    clipped_norm: Annotated[float, Metric("norm after clipping")]  # and as used
    cosine: Annotated[float, Metric("smallest cosine of both so far")]  # between the gradient and what is used of it
    theta: np.ndarray  # (2, 2): w and b of the plain and of the clipped descent
    losses: np.ndarray  # (2,)
    g: np.ndarray  # (2, 2): both gradients
    used: np.ndarray  # (2, 2): and what is left of them after clipping
    gone: tuple[int | None, int | None]  # the steps in which they diverged


def loss_of(w: np.ndarray, b: np.ndarray, steps: int, activation: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """The mean of (h_T − h_0)²/2 over h_0 = 1 and −1, with h_t = f(w h_{t−1} + b); and all h_t.

    w and b have the same shape (…), the losses too, each h_t has (…, 2).
    """
    f = ACTIVATIONS[LAYER[activation]]
    h = [np.broadcast_to(H_0, (*w.shape, 2))]
    for _ in range(steps):
        h.append(f(w[..., None] * h[-1] + b[..., None]))
    return ((h[-1] - H_0) ** 2).mean(axis=-1) / 2, h


def gradient_of(theta: np.ndarray, steps: int, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """The losses of theta = (w, b), shape (…, 2), and their gradients by backpropagation through time, (…, 2)."""
    w, b = theta[..., 0], theta[..., 1]
    losses, h = loss_of(w, b, steps, activation)
    slope = SLOPES[LAYER[activation]]
    g = np.zeros_like(theta)
    back = (h[-1] - H_0) / 2  # dL/dh_T
    for t in range(steps, 0, -1):
        delta = back * slope(h[t])  # dL/dz_t
        dw = (delta * h[t - 1]).sum(axis=-1)
        db = delta.sum(axis=-1)
        g = g + np.stack([dw, db], axis=-1)
        back = delta * w[..., None]
    return losses, g


def clip(g: np.ndarray, limit: float, how: str) -> np.ndarray:
    """As torch.nn.utils.clip_grad_norm_ and clip_grad_value_ do it."""
    if how == "value":
        return np.clip(g, -limit, limit)
    return g * min(1.0, limit / (float(np.hypot(*g)) + 1e-6))


def run(p: Params) -> Iterator[State]:
    """Plain gradient descent and the same with clipped gradients; ends when both have diverged."""
    theta = np.array([[p.w, p.b]] * 2)
    gone: list[int | None] = [None, None]
    cosine = 1.0
    film = set(kept(p.descents))
    for step in range(p.descents + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            losses, g = gradient_of(theta, p.T, p.activation)
        for i in (PLAIN, CLIPPED):
            if gone[i] is None and not (losses[i] < HUGE and np.isfinite(g[i]).all()):
                gone[i] = step
            if gone[i] is not None:  # it stays where it was thrown
                losses[i], g[i] = HUGE, 0.0
        used = np.array([g[PLAIN], clip(g[CLIPPED], p.limit, p.how)])
        norm, clipped_norm = float(np.hypot(*g[CLIPPED])), float(np.hypot(*used[CLIPPED]))
        if norm * clipped_norm > 0:
            cosine = min(cosine, float(g[CLIPPED] @ used[CLIPPED]) / (norm * clipped_norm))
        if step in film or None not in gone:
            yield State(
                step=step,
                loss=float(losses[CLIPPED]),
                plain_loss=float(losses[PLAIN]),
                norm=norm,
                clipped_norm=clipped_norm,
                cosine=cosine,
                theta=theta,
                losses=losses,
                g=g,
                used=used,
                gone=tuple(gone),
            )
        if None not in gone:
            return
        theta = theta - p.rate * used
