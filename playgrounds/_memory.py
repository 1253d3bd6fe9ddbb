"""Sequences of which something is to be remembered, and the recurrent net that is trained on them.

Arrays: symbols (T, batch), states (T, H, batch). Everything of the net is float32.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._cells import CELLS, Scan, VectorAdam, Weights, back, scan
from playgrounds.kit import knob
from playgrounds.kit.nn import log_softmax

Array = np.ndarray
BATCH, TEST = 64, 400  # sequences of a training step, of the test
CLIP = 1.0  # the largest norm of a gradient


class Params(kit.Params):
    task: Literal["recall", "next", "echo", "adding"] = knob(
        "recall",
        label="Task",
        help="say at the end the first symbol; the next one; the one k steps ago; the sum of two digits",
    )
    cell: Literal["RNN", "GRU", "LSTM"] = knob("RNN", label="Cell")
    T: int = knob(6, 2, 40, label="Length T", help="of the training sequences, whose symbols are drawn by chance")
    bias: float = knob(
        0.0,
        -2,
        6,
        label="Bias of the keeping gate",
        help="at the start: of the forget gate, in a GRU of the update gate; PyTorch's own is near 0",
        step=0.5,
        when=lambda p: p.cell != "RNN",
    )
    delay: int = knob(3, 1, 20, label="Echo after k steps", when=lambda p: p.task == "echo")
    bidirectional: bool = knob(False, label="Bidirectional", help="a second net reads from the end to the start")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides first weights and sequences", more=True)
    hidden: Literal[2, 4, 8, 16, 32] = knob(32, label="Units H of a state", more=True)
    symbols: int = knob(8, 2, 10, label="Different symbols", more=True)
    steps: int = knob(300, 10, 400, label="Training steps", help=f"of {BATCH} new sequences", step=10, more=True)
    rate: float = knob(0.005, 0.0001, 0.03, label="Learning rate η", help="of Adam", log=True, more=True)


# ----------------------------------------------------------------------------------------------------------- the tasks


class Examples(NamedTuple):
    symbols: Array  # (T, B)
    marks: Array  # (T, B), 1 where a digit is to be added
    x: Array  # (T, inputs, B): symbols one-hot; for adding the digit and its mark
    labels: Array  # (T, B): what would be right at every step
    asked: slice  # the steps at which an answer is asked for

    @property
    def q(self) -> int:
        """The step whose state is looked at: the last, or the middle one where answers are asked for all along."""
        T = len(self.symbols)
        return T if self.asked == slice(T - 1, T) else (T + 1) // 2


def examples(p: Params, T: int, B: int, rng: np.random.Generator) -> Examples:
    """B sequences of T symbols; for adding, two of the digits are marked."""
    symbols = rng.integers(p.symbols, size=(T, B))
    marks = np.zeros_like(symbols)
    if p.task == "adding":
        marks = (rng.random((T, B)).argsort(axis=0) < 2) * 1
    return posed(p, symbols, marks)


def posed(p: Params, symbols: Array, marks: Array) -> Examples:
    """The task that sequences pose."""
    T = len(symbols)
    at_the_end = slice(T - 1, T)
    if p.task == "adding":  # Hochreiter and Schmidhuber 1997, with digits
        x = np.stack([symbols / (p.symbols - 1), marks], axis=1).astype(np.float32)
        return Examples(symbols, marks, x, np.cumsum(symbols * marks, axis=0), at_the_end)
    x = (symbols[:, None] == np.arange(p.symbols)[:, None]).astype(np.float32)
    if p.task == "recall":
        return Examples(symbols, marks, x, np.broadcast_to(symbols[0], symbols.shape), at_the_end)
    if p.task == "next":
        return Examples(symbols, marks, x, np.roll(symbols, -1, axis=0), slice(0, T - 1))
    k = min(p.delay, T - 1)
    return Examples(symbols, marks, x, np.roll(symbols, k, axis=0), slice(k, T))


# ------------------------------------------------------------------------------------------------------------- the net


class Net(NamedTuple):
    ways: list[Weights]  # of the cell that reads from the left and, if there are two, of the one from the right
    W_y: Array  # (answers, ways · H)
    b_y: Array  # (answers, 1)


def shapes(p: Params) -> list[tuple[int, int]]:
    """Of W_x, W_h, b_x, b_h for each direction; then of W_y and b_y."""
    inputs, answers = (2, 1) if p.task == "adding" else (p.symbols, p.symbols)
    rows, ways = CELLS[p.cell].gates * p.hidden, 1 + p.bidirectional
    one = [(rows, inputs), (rows, p.hidden), (rows, 1), (rows, 1)]
    return one * ways + [(answers, ways * p.hidden), (answers, 1)]


def parameters(p: Params) -> int:
    return sum(rows * columns for rows, columns in shapes(p))


def net_of(p: Params, theta: Array) -> Net:
    """All matrices as views of the vector of parameters: they change with it."""
    ends = np.cumsum([rows * columns for rows, columns in shapes(p)])
    parts = [part.reshape(shape) for part, shape in zip(np.split(theta, ends[:-1]), shapes(p), strict=True)]
    *cells, W_y, b_y = parts
    return Net([Weights(*cells[i : i + 4]) for i in range(0, len(cells), 4)], W_y, b_y)


def first_weights(p: Params, rng: np.random.Generator) -> Array:
    """Uniform within ±1/√H and for the answer's layer ±1/√(its inputs), as in PyTorch; then the keeping gate's bias."""
    *cells, W_y, b_y = shapes(p)
    H, wide = p.hidden, W_y[1]
    parts = [rng.uniform(-1, 1, shape) / H**0.5 for shape in cells]
    parts += [rng.uniform(-1, 1, shape) / wide**0.5 for shape in (W_y, b_y)]
    theta = np.concatenate([part.ravel() for part in parts]).astype(np.float32)
    if p.cell != "RNN":
        for way in net_of(p, theta).ways:
            way.b_x[H : 2 * H] = p.bias  # of f in (i, f, g, o), of z in (r, z, n)
    return theta


def both_ways(p: Params, net: Net, x: Array, wipe: int = 0) -> tuple[list[Scan], Array]:
    """What each direction reads, and its states side by side at every position, (T, ways · H, B)."""
    reads = [scan(p.cell, net.ways[0], x, wipe)]
    h = reads[0].h[1:]
    if p.bidirectional:
        reads.append(scan(p.cell, net.ways[1], x[::-1], len(x) + 1 - wipe))
        h = np.concatenate([h, reads[1].h[:0:-1]], axis=1)
    return reads, h


def judge(p: Params, y: Array, labels: Array) -> tuple[float, Array, Array]:
    """Mean loss of outputs y (T, answers, B), its gradient, and which answers are right, (T, B)."""
    if p.task == "adding":  # squared error, in units of the largest digit
        error = y - labels[:, None] / np.float32(p.symbols - 1)
        right = np.abs(error[:, 0]) * (p.symbols - 1) < 0.5
        return float((error**2).mean()), 2 * error / error.size, right
    log_p = log_softmax(y, axis=1)
    hot = labels[:, None] == np.arange(p.symbols)[:, None]
    loss = -(log_p * hot).sum(axis=1).mean()
    return float(loss), (np.exp(log_p) - hot) / np.float32(labels.size), y.argmax(axis=1) == labels


def gradient(p: Params, net: Net, data: Examples) -> Array:
    """Of the loss, as a vector like theta."""
    reads, h = both_ways(p, net, data.x)
    answered = h[data.asked]
    _, dy, _ = judge(p, net.W_y @ answered + net.b_y, data.labels[data.asked])
    dh = np.zeros_like(h)
    dh[data.asked] = net.W_y.T @ dy
    found = []
    for i, (way, read, dh_way) in enumerate(zip(net.ways, reads, np.split(dh, len(reads), axis=1), strict=True)):
        x = data.x[::-1] if i else data.x  # the second direction reads from the right
        dz_x, dz_h = back(p.cell, way, read, dh_way[::-1] if i else dh_way)
        found.append((dz_x @ x.swapaxes(1, 2)).sum(axis=0))
        found.append((dz_h @ read.h[:-1].swapaxes(1, 2)).sum(axis=0))
        found.append(dz_x.sum(axis=0).sum(axis=1))
        found.append(dz_h.sum(axis=0).sum(axis=1))
    found.append((dy @ answered.swapaxes(1, 2)).sum(axis=0))
    found.append(dy.sum(axis=0).sum(axis=1))
    return np.concatenate([part.ravel() for part in found])


def train(p: Params, T: int) -> Iterator[tuple[int, Net]]:
    """Adam on new sequences of length T, the gradient's norm clipped; yields each step and the net, which changes."""
    rng = np.random.default_rng(p.seed)
    theta = first_weights(p, rng)
    net, adam = net_of(p, theta), VectorAdam(theta, p.rate)
    yield 0, net
    for step in range(1, p.steps + 1):
        g = gradient(p, net, examples(p, T, BATCH, rng))
        g *= min(1, CLIP / (np.sqrt(g @ g) + 1e-6))
        adam.step(g)
        yield step, net


# ------------------------------------------------------------------------------------------------- what is measured


def score(p: Params, net: Net, data: Examples, wipe: int = 0) -> tuple[float, float]:
    """Loss and accuracy."""
    _, h = both_ways(p, net, data.x, wipe)
    loss, _, right = judge(p, net.W_y @ h[data.asked] + net.b_y, data.labels[data.asked])
    return loss, float(right.mean())


def reach(p: Params, net: Net, x: Array, q: int, wipe: int = 0) -> Array:
    """|∂h_q/∂x_t|, the Frobenius norm, for every t of one sequence x (T, inputs, 1); of both directions together."""
    reads, _ = both_ways(p, net, x, wipe)
    T, squares = len(x), np.zeros(len(x))
    for i, (way, read) in enumerate(zip(net.ways, reads, strict=True)):
        dh = np.zeros((T, p.hidden, p.hidden), np.float32)
        dh[T - q if i else q - 1] = np.eye(p.hidden)  # a column for every unit of h_q
        dz_x, _ = back(p.cell, way, read, dh, T + 1 - wipe if i else wipe)
        by_step = ((way.W_x.T @ dz_x).astype(float) ** 2).sum(axis=(1, 2))
        squares += by_step[::-1] if i else by_step
    return np.sqrt(squares)


def ratio(norms: Array, q: int) -> float:
    """|∂h_q/∂x_1| / |∂h_q/∂x_q|; 0 where nothing reaches h_q."""
    return float(norms[0] / norms[q - 1]) if norms[q - 1] else 0.0
