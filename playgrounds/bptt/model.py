"""Backpropagation through time: one loss at the end, its gradient step by step back, for every recurrent weight."""

from collections.abc import Iterator
from math import copysign
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import ACTIVATIONS, SLOPES

LARGEST = 2.0  # recurrent weight of the knob and of the sweep
TINY = 1e-300  # keeps a division by a gradient of 0 finite
LAYER = {"linear": "identity", "tanh": "tanh"}  # what kit/nn.py calls them


class Params(kit.Params):
    w: float = knob(
        0.9,
        -LARGEST,
        LARGEST,
        label="Recurrent weight w",
        step=0.01,
        help="of several units: the spectral radius of W, with its sign",
    )
    T: int = knob(50, 2, 100, label="Time steps T")
    activation: Literal["linear", "tanh"] = knob("linear", label="Activation")
    units: int = knob(1, 1, 64, label="Units", help="1: h and w are numbers; more: h is a vector, W a matrix", log=True)
    cut: int = knob(100, 1, 100, label="Truncate after", help="steps back; from T on nothing is cut")
    seed: int = knob(
        1,
        0,
        9999,
        label="Seed",
        help="decides W, its first state and the inputs",
        when=lambda p: p.units > 1 or p.inputs == "every step",
    )
    inputs: Literal["only h₀", "every step"] = knob(
        "only h₀",
        label="Inputs",
        help="only h₀: a state of length 1; every step: a random x of about length 1, too",
        more=True,
    )
    matrix: Literal["random", "orthogonal"] = knob(
        "random",
        label="Matrix W",
        help="orthogonal: all its singular values are |w|",
        more=True,
        when=lambda p: p.units > 1,
    )

    @property
    def stop(self) -> int:
        """The time step that truncated backpropagation does not go beyond."""
        return max(0, self.T - self.cut)

    @property
    def length(self) -> int:
        return self.T + 1


class State(NamedTuple):
    step: int  # back in time: the gradient has arrived at t = T − step
    gradient: Annotated[float, Metric("gradient here", shown=True)]  # of dh_T/dh_t, without truncation
    dw: Annotated[float, Metric("weight's gradient so far", shown=True)]  # truncated if it is
    missed: Annotated[float, Metric("left out by the cut", "%", shown=True)]  # of the weight's gradient in the end
    summed: float  # dL/dw so far: with its sign, or of a matrix its size
    whole: float  # and without truncation in the end
    h: np.ndarray  # (T + 1, units): the states, all known before the way back
    slopes: np.ndarray  # (T + 1, units): f' of every state
    back: np.ndarray  # (step + 1, units): dL/dh_t from t = T down
    shares: np.ndarray  # (step,): what the time steps T, T − 1, … add to dL/dW, as shares of the whole
    rates: np.ndarray  # (weights,) of the sweep
    sweep: np.ndarray  # (weights,): size of dh_T/dh_t for each


class Net(NamedTuple):
    """h_t = f(w W h_{t−1} + x_t), with the loss L = u · h_T."""

    W: np.ndarray  # (units, units), of spectral radius 1
    h_0: np.ndarray  # (units,)
    x: np.ndarray  # (T + 1, units); x_0 is not used
    u: np.ndarray  # (units,)


def net(p: Params) -> Net:
    """A net of the seed; of one unit W, h_0 and u are 1."""
    rng, n = np.random.default_rng(p.seed), p.units
    x = rng.normal(size=(p.T + 1, n)) / np.sqrt(n) * (p.inputs == "every step")
    if n == 1:
        return Net(np.ones((1, 1)), np.ones(1), x, np.ones(1))
    W = rng.normal(size=(n, n))
    W = np.linalg.qr(W)[0] if p.matrix == "orthogonal" else W / np.abs(np.linalg.eigvals(W)).max()
    h_0, u = rng.normal(size=(2, n))
    return Net(W, h_0 / np.linalg.norm(h_0), x, u / np.linalg.norm(u))


def through_time(net: Net, w: np.ndarray, T: int, activation: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forward and back for several weights w of shape (n,) at once: h_t for t = 0 … T, its slopes f'(z_t), and
    dL/dh_t for t = T … 0, each (T + 1, n, units).

    z_t = w W h_{t−1} + x_t;  h_t = f(z_t);  dL/dh_{t−1} = w Wᵀ (f'(z_t) · dL/dh_t)
    """
    f, slope = ACTIVATIONS[LAYER[activation]], SLOPES[LAYER[activation]]
    w = w[:, None]
    h = [np.tile(net.h_0, (len(w), 1))]
    for t in range(1, T + 1):
        z = w * (h[-1] @ net.W.T) + net.x[t]
        h.append(f(z))
    slopes = [slope(one) for one in h]
    back = [np.tile(net.u, (len(w), 1))]
    for t in range(T, 0, -1):
        delta = slopes[t] * back[-1]  # dL/dz_t
        back.append(w * (delta @ net.W))
    return np.array(h), np.array(slopes), np.array(back)


def total(dw: np.ndarray) -> float:
    """A number with its sign, or the size of a matrix."""
    return float(dw[0, 0]) if dw.size == 1 else float(np.linalg.norm(dw))


def run(p: Params) -> Iterator[State]:
    """Forward through all T steps, then back one step a state; at every weight of the sweep at once."""
    rates = np.union1d(np.linspace(0, LARGEST, 81), abs(p.w))
    own = int(np.searchsorted(rates, abs(p.w)))
    h, slopes, back = through_time(net(p), copysign(1, p.w) * rates, p.T, p.activation)
    sizes = np.linalg.norm(back, axis=2)  # (T + 1, weights)
    h, slopes, back = h[:, own], slopes[:, own], back[:, own]

    parts = []  # dL/dW = Σ_t (f'(z_t) · dL/dh_t) h_{t−1}ᵀ, from t = T down
    for t in range(p.T, 0, -1):
        delta = slopes[t] * back[p.T - t]
        parts.append(np.outer(delta, h[t - 1]))
    whole = sum(parts, start=np.zeros_like(parts[0]))
    arrived = sum(parts[: p.T - p.stop])
    square = max(float((whole * whole).sum()), TINY)
    shares = np.array([(part * whole).sum() / square for part in parts])
    missed = float(np.linalg.norm(whole - arrived)) / max(float(np.linalg.norm(whole)), TINY)

    dw = np.zeros_like(whole)
    for k in range(p.T + 1):
        if 0 < k <= p.T - p.stop:
            dw = dw + parts[k - 1]
        yield State(
            step=k,
            gradient=float(sizes[k, own]),
            dw=float(np.linalg.norm(dw)),
            missed=missed,
            summed=total(dw),
            whole=total(whole),
            h=h,
            slopes=slopes,
            back=back[: k + 1],
            shares=shares[:k],
            rates=rates,
            sweep=sizes[k],
        )
