"""The recurrent cells: one step forwards and back, and a whole sequence by backpropagation through time.

A cell's state is h, and the LSTM's also c, each (H, batch). Of an input x it gets z_x = W_x x + b_x, and of its state
z_h = W_h h + b_h: in both stand the gates' H rows one below the other, in PyTorch's order. All in float32.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Array = np.ndarray
Memory = tuple[Array, Array]  # h and c


def lstm(z_x: Array, z_h: Array, h: Array, c: Array) -> tuple[Memory, tuple]:
    """Hochreiter and Schmidhuber 1997, with the forget gate f of Gers et al. 2000: f near 1 keeps the cell c."""
    z_i, z_f, z_g, z_o = np.split(z_x + z_h, 4)
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)
    g = np.tanh(z_g)
    c = f * c + i * g
    h = o * np.tanh(c)
    return (h, c), (i, f, g, o)


def gru(z_x: Array, z_h: Array, h: Array, c: Array) -> tuple[Memory, tuple]:
    """Cho et al. 2014, as in PyTorch: an update gate z near 1 keeps the state h."""
    x_r, x_z, x_n = np.split(z_x, 3)
    h_r, h_z, h_n = np.split(z_h, 3)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    h = (1 - z) * n + z * h
    return (h, c), (r, z, n, h_n)


def rnn(z_x: Array, z_h: Array, h: Array, c: Array) -> tuple[Memory, tuple]:
    """Elman 1990."""
    return (np.tanh(z_x + z_h), c), (z_x, z_h)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(−z)) in this form, in which a gate that is almost shut keeps its digits in float32."""
    return 1 / (1 + np.exp(-np.maximum(z, -80)))  # further down exp overflows


# ------------------------------------------------------------------------------------------------- one step backwards
# From dL/dh and dL/dc after a step to dL/dz_x and dL/dz_h, and to those of h and c before it, as far as they do not go
# through z_h.


def lstm_back(dh: Array, dc: Array, gates: tuple, before: Memory, after: Memory) -> tuple[Array, Array, Array, Array]:
    i, f, g, o = gates
    c_before, tanh_c = before[1], np.tanh(after[1])
    dc = dc + dh * o * (1 - tanh_c * tanh_c)
    d_i = dc * g * i * (1 - i)
    d_f = dc * c_before * f * (1 - f)
    d_g = dc * i * (1 - g * g)
    d_o = dh * tanh_c * o * (1 - o)
    dz = np.concatenate([d_i, d_f, d_g, d_o])
    return dz, dz, np.zeros_like(dh), dc * f


def gru_back(dh: Array, dc: Array, gates: tuple, before: Memory, after: Memory) -> tuple[Array, Array, Array, Array]:
    r, z, n, h_n = gates
    d_n = dh * (1 - z) * (1 - n * n)
    d_r = d_n * h_n * r * (1 - r)
    d_z = dh * (before[0] - n) * z * (1 - z)
    return np.concatenate([d_r, d_z, d_n]), np.concatenate([d_r, d_z, d_n * r]), dh * z, dc


def rnn_back(dh: Array, dc: Array, gates: tuple, before: Memory, after: Memory) -> tuple[Array, Array, Array, Array]:
    dz = dh * (1 - after[0] ** 2)
    return dz, dz, np.zeros_like(dh), dc


class Cell(NamedTuple):
    gates: int  # blocks of H rows in W_x and W_h
    step: Callable[..., tuple[Memory, tuple]]
    back: Callable[..., tuple[Array, Array, Array, Array]]


CELLS = {"RNN": Cell(1, rnn, rnn_back), "GRU": Cell(3, gru, gru_back), "LSTM": Cell(4, lstm, lstm_back)}


# --------------------------------------------------------------------------------------------------- a whole sequence


class Weights(NamedTuple):
    """Of one cell that reads in one direction."""

    W_x: Array  # (gates · H, inputs)
    W_h: Array  # (gates · H, H)
    b_x: Array  # (gates · H, 1)
    b_h: Array


class Scan(NamedTuple):
    """What a cell has gone through: memory[t] is h and c after t symbols, gates[t] what the next step computed."""

    memory: list[Memory]
    gates: list[tuple]

    @property
    def h(self) -> Array:
        """All states, (T + 1, H, batch)."""
        return np.array([h for h, _ in self.memory])


def scan(cell: str, w: Weights, x: Array, wipe: int = 0) -> Scan:
    """Read x (T, inputs, batch) step by step; after `wipe` symbols the memory is emptied (0: never)."""
    empty = np.zeros((w.W_h.shape[1], x.shape[2]), np.float32)
    memory, gates = [(empty, empty)], []
    z_x = w.W_x @ x + w.b_x  # of all steps at once
    for t in range(len(x)):
        h, c = memory[-1]
        after, gate = CELLS[cell].step(z_x[t], w.W_h @ h + w.b_h, h, c)
        memory.append((empty, empty) if t + 1 == wipe else after)
        gates.append(gate)
    return Scan(memory, gates)


def back(cell: str, w: Weights, read: Scan, dh: Array, wipe: int = 0) -> tuple[Array, Array]:
    """Backpropagation through time: of dL/dh (T, H, batch) make dL/dz_x and dL/dz_h, (T, gates · H, batch) each."""
    dz_x, dz_h = [], []
    carried = dc = np.zeros_like(dh[0])
    for t in reversed(range(len(dh))):
        d = dh[t] + carried
        if t + 1 == wipe:  # what was wiped has no influence
            d, dc = 0 * d, 0 * dc
        dx, dz, direct, dc = CELLS[cell].back(d, dc, read.gates[t], read.memory[t], read.memory[t + 1])
        carried = w.W_h.T @ dz + direct
        dz_x.append(dx)
        dz_h.append(dz)
    return np.array(dz_x[::-1]), np.array(dz_h[::-1])


# ---------------------------------------------------------------------------------------------------------- training


class VectorAdam:
    """Adam (Kingma and Ba 2015) on one vector θ, which it changes in place.

    kit.nn.Adam is the same but for the last digit, and the training of a gated net is chaotic in it: from the first
    steps on other digits, other curves. This order of operations is the one that the course's runs were chosen with.
    """

    def __init__(self, theta: Array, eta: float):
        self.theta, self.eta, self.t = theta, eta, 0
        self.m, self.v = np.zeros_like(theta), np.zeros_like(theta)

    def step(self, g: Array) -> None:
        self.t += 1
        self.m += 0.1 * (g - self.m)
        self.v += 0.001 * (g * g - self.v)
        v_hat = self.v / (1 - 0.999**self.t)
        self.theta -= self.eta / (1 - 0.9**self.t) * self.m / (np.sqrt(v_hat) + 1e-8)
