"""A recurrent net learns what to keep of a sequence: its state and gates over time, and how far back gradients reach.

Left out: several layers, real text, truncated backpropagation, and attention, which looks back instead of keeping.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, box, chips, dot, figure, label, lines, paint, points, polyline, rule
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number, vector

BATCH, TEST, CLIP = 64, 400, 1.0  # sequences of a training step, of the test; the largest norm of a gradient
EVERY, EVERY_LENGTH = 30, 18  # states of a training, and of each of several lengths, about
LENGTHS = (2, 5, 10, 20, 40)  # those compared, up to the chosen one
READ = 40  # symbols of the reader's sequence, at most
SOLVED = 0.9  # the accuracy from which on a length counts as solved
BLOCKS = {"RNN": 1, "GRU": 3, "LSTM": 4}  # of H rows each, in W_x and W_h
LETTERS, DIGITS = "abcdefghij", "0123456789"
GATES = {"forget": 1, "input": 0, "output": 3, "update": 1, "reset": 0}  # places in (i, f, g, o) and in (r, z, n)
COLOURS = {"RNN": SERIES[3], "GRU": SERIES[4], "LSTM": SERIES[2]}


class Params(kit.Params):
    view: Literal["one net", "lengths"] = knob("one net", label="View", help="lengths: one net per length, up to T")
    task: Literal["recall", "next", "echo", "adding"] = knob("recall", label="Task",
        help="say at the end the first symbol; the next one; the one k steps ago; the sum of two digits")  # fmt: skip
    cell: Literal["RNN", "GRU", "LSTM"] = knob("RNN", label="Cell")
    T: int = knob(6, 2, 40, label="Length T", help="of the training sequences, whose symbols are drawn by chance")
    bias: float = knob(0.0, -2, 6, label="Bias of the keeping gate", step=0.5, when=lambda p: p.cell != "RNN",
        help="at the start: of the forget gate, in a GRU of the update gate; PyTorch's own is near 0")  # fmt: skip
    delay: int = knob(3, 1, 20, label="Echo after k steps", when=lambda p: p.task == "echo")
    bidirectional: bool = knob(False, label="Bidirectional", help="a second net reads from the end to the start")
    wipe: int = knob(0, 0, 40, label="Wipe the state at step", help="in tests and reading, not in training; 0: never",
        when=lambda p: p.view == "one net")  # fmt: skip
    text: str = knob("", 0, 80, label="Own sequence", when=lambda p: p.view == "one net",
        help="letters from a on; for adding digits, with a + after those to add; empty: drawn by chance")  # fmt: skip
    seed: int = knob(1, 0, 9999, label="Seed", help="decides first weights and sequences", more=True)
    hidden: Literal[2, 4, 8, 16, 32] = knob(32, label="Units H of a state", more=True)
    symbols: int = knob(8, 2, 10, label="Different symbols", more=True)
    steps: int = knob(300, 10, 400, label="Training steps", help=f"of {BATCH} new sequences", step=10, more=True)
    rate: float = knob(0.005, 0.0001, 0.03, label="Learning rate η", help="of Adam", log=True, more=True)

    @property
    def directions(self) -> int:
        return 1 + self.bidirectional

    @property
    def lengths(self) -> list[int]:
        """The lengths that are compared."""
        return [n for n in LENGTHS if n < self.T] + [self.T]

    @property
    def length(self) -> int:
        if self.view == "lengths":
            return len(self.lengths) * len(kept(self.steps, EVERY_LENGTH))
        return len(kept(self.steps, EVERY)) + len(own(self)[0].symbols)


PRESETS = (
    fails("RNN, 20 symbols", "After 20 symbols a plain RNN has lost the first, and no gradient reaches back to it.",
          {"accuracy": "<= 0.3", "untrained_ratio": "<= 0.001"}, T=20),
    works("LSTM, forget gates open", "With forget bias 2 the cell carries the symbol and the gradient over 20 steps.",
          {"accuracy": ">= 0.97", "untrained_ratio": ">= 0.1"}, T=20, cell="LSTM", bias=2.0),
    fails("State wiped", "The answer was in the state and nowhere else: wiped after symbol 3, the net guesses.",
          {"accuracy": "<= 0.2", "accuracy_unwiped": ">= 0.97"}, wipe=3),
    works("Both directions", "The next symbol cannot be known from the left; the net that reads from the right has it.",
          {"accuracy": ">= 0.97"}, task="next", bidirectional=True, T=12),
)  # fmt: skip


class Examples(NamedTuple):
    symbols: np.ndarray  # (T, B)
    marks: np.ndarray  # (T, B), 1 where a digit is to be added
    x: np.ndarray  # (T, inputs, B): symbols one-hot; for adding the digit and its mark
    labels: np.ndarray  # (T, B): what would be right at every step
    asked: slice  # the steps at which an answer is asked for

    @property
    def q(self) -> int:
        """The step whose state is looked at: the last, or the middle one where answers are asked for all along."""
        T = len(self.symbols)
        return T if self.asked == slice(T - 1, T) else (T + 1) // 2


class Reading(NamedTuple):
    """What a net makes of one sequence."""

    strips: dict[str, np.ndarray]  # states and gates by name, (H, T) each
    unit: int  # the unit that speaks most for the right answer
    arithmetic: tuple[str, ...]  # how it gets its value, at every step
    answers: tuple[str, ...]  # the net's, if asked at each step
    right: np.ndarray  # (T,): whether they are
    scores: np.ndarray  # (T,): probability of the right answer; for adding the error in digits
    gradient: np.ndarray  # (T,): |∂h_q/∂x_t|


class State(NamedTuple):
    training_step: int
    accuracy: float  # on new sequences, with the state wiped if it is
    accuracy_unwiped: float | None  # where the state is wiped: without that
    loss: float  # of the same test
    parameters: int
    gradient_ratio: float | None  # |∂h_q/∂x_1| / |∂h_q/∂x_q| in the sequence that is read
    untrained_ratio: float  # the same before training, nothing wiped; in view "lengths" at the length being trained
    keeping_gate: float | None  # mean of the forget or update gate over that sequence
    right_probability: float | None  # of the answers about it, their mean
    longest_solved: float | None  # of the lengths compared, all shorter ones solved too
    t: int  # the symbol being read; 0 in training
    note: str
    seen: Reading | np.ndarray  # in view "lengths" the accuracies so far, (lengths, states of each); last the ratios


def own(p: Params) -> tuple[Examples, str]:
    """The sequence that is read, and what had to be changed in the reader's."""
    alphabet = (DIGITS if p.task == "adding" else LETTERS)[: p.symbols]
    symbols, marks, other = [], [], 0
    for c in p.text.lower():
        if c in alphabet:
            symbols.append(alphabet.index(c))
            marks.append(0)
        elif c == "+" and marks and p.task == "adding":
            marks[-1] = 1
        else:
            other += not c.isspace()
    span = f"{alphabet[0]}–{alphabet[-1]}"
    if len(symbols) <= (p.delay if p.task == "echo" else 1):
        said = f" Your text has too few symbols {span} for the task: a sequence drawn by chance is read."
        return examples(p, p.T, 1, np.random.default_rng([p.seed, 2])), said * bool(p.text.strip())
    said = f" Left out of your text: {counted(other, 'character')} other than {span}." * bool(other)
    said += f" Only the first {READ} symbols of your text are read." * (len(symbols) > READ)
    return posed(p, *(np.array(row[:READ])[:, None] for row in (symbols, marks))), said


def examples(p: Params, T: int, B: int, rng: np.random.Generator) -> Examples:
    """B sequences of T symbols; for adding, two of the digits are marked."""
    symbols = rng.integers(p.symbols, size=(T, B))
    return posed(p, symbols, (rng.random((T, B)).argsort(axis=0) < 2) * 1 if p.task == "adding" else 0 * symbols)


def posed(p: Params, symbols: np.ndarray, marks: np.ndarray) -> Examples:
    """The task that sequences pose."""
    T, k = len(symbols), min(p.delay, len(symbols) - 1)
    if p.task == "adding":  # Hochreiter and Schmidhuber 1997, with digits
        x = np.stack([symbols / (p.symbols - 1), marks], axis=1).astype(np.float32)
        return Examples(symbols, marks, x, np.cumsum(symbols * marks, axis=0), slice(T - 1, T))
    x = (symbols[:, None] == np.arange(p.symbols)[:, None]).astype(np.float32)
    labels, asked = {
        "recall": (np.broadcast_to(symbols[0], symbols.shape), slice(T - 1, T)),
        "next": (np.roll(symbols, -1, axis=0), slice(0, T - 1)),
        "echo": (np.roll(symbols, k, axis=0), slice(k, T)),
    }[p.task]
    return Examples(symbols, marks, x, labels, asked)


# ------------------------------------------------------------------------------------------------------------- the net


def shapes(p: Params) -> list[tuple[int, int]]:
    """Of W_x, W_h, b_x, b_h for each direction, blocks in PyTorch's order; then of W_y and b_y."""
    rows, inputs, answers = BLOCKS[p.cell] * p.hidden, p.symbols, p.symbols
    if p.task == "adding":
        inputs, answers = 2, 1
    one = [(rows, inputs), (rows, p.hidden), (rows, 1), (rows, 1)]
    return one * p.directions + [(answers, p.directions * p.hidden), (answers, 1)]


def split(p: Params, theta: np.ndarray) -> list[np.ndarray]:
    """Views of all matrices in the vector of parameters."""
    ends = np.cumsum([m * n for m, n in shapes(p)])
    return [part.reshape(s) for part, s in zip(np.split(theta, ends[:-1]), shapes(p), strict=True)]


def first_weights(p: Params, rng: np.random.Generator) -> np.ndarray:
    """Uniform within ±1/√H and for the answer's layer ±1/√(its inputs), as in PyTorch; then the keeping gate's bias."""
    widths = [p.hidden] * 4 * p.directions + [p.directions * p.hidden] * 2
    parts = [rng.uniform(-1, 1, s) / n**0.5 for s, n in zip(shapes(p), widths, strict=True)]
    theta = np.concatenate([part.ravel() for part in parts]).astype(np.float32)
    for direction in range(p.directions * (p.cell != "RNN")):
        split(p, theta)[4 * direction + 2][p.hidden : 2 * p.hidden] = p.bias  # f of (i, f, g, o), z of (r, z, n)
    return theta


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.maximum(z, -80)))  # further down exp overflows in float32


def scan(cell: str, w: Sequence[np.ndarray], x: np.ndarray, wipe: int = 0) -> tuple[list, list, list]:
    """Read x (T, inputs, B) step by step; states h_0 … h_T and cells c_0 … c_T, each (H, B), and the gates of steps."""
    W_x, W_h, b_x, b_h = w
    H = W_h.shape[1]
    h = c = zero = np.zeros((H, x.shape[2]), np.float32)
    hs, cs, gates, z_x = [h], [c], [], W_x @ x + b_x  # of all steps at once
    for t in range(len(x)):
        z_h = W_h @ h + b_h
        if cell == "RNN":  # Elman 1990
            h = np.tanh(z_x[t] + z_h)
            gates.append(())
        elif cell == "GRU":  # Cho et al. 2014, as in PyTorch: z near 1 keeps
            r, z = np.split(sigmoid(z_x[t, : 2 * H] + z_h[: 2 * H]), 2)
            n = np.tanh(z_x[t, 2 * H :] + r * z_h[2 * H :])
            h = (1 - z) * n + z * h
            gates.append((r, z, n, z_h[2 * H :]))
        else:  # Hochreiter and Schmidhuber 1997; the forget gate: Gers et al. 2000
            z = z_x[t] + z_h
            i, f = np.split(sigmoid(z[: 2 * H]), 2)
            g, o = np.tanh(z[2 * H : 3 * H]), sigmoid(z[3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            gates.append((i, f, g, o))
        if t + 1 == wipe:
            h = c = zero
        hs.append(h)
        cs.append(c)
    return hs, cs, gates


def back(cell: str, w: Sequence[np.ndarray], read: tuple, dh: np.ndarray, wipe: int = 0) -> tuple[np.ndarray, ...]:
    """Backpropagation through time: of dL/dh (T, H, B) make dL/dz_x and dL/dz_h, (T, blocks · H, B) each."""
    W_h, (hs, cs, gates) = w[1], read
    dz_x, dz_h, carried, dc = [], [], np.float32(0), np.float32(0)
    for t in reversed(range(len(dh))):
        d = dh[t] + carried
        if t + 1 == wipe:  # what was wiped has no influence
            d, dc = 0 * d, np.float32(0)
        if cell == "RNN":
            dx = dz = d * (1 - hs[t + 1] ** 2)
            carried = W_h.T @ dz
        elif cell == "GRU":
            r, z, n, u = gates[t]
            dn = d * (1 - z) * (1 - n * n)
            dx = np.concatenate([dn * u * r * (1 - r), d * (hs[t] - n) * z * (1 - z), dn])
            dz = np.concatenate([dx[: 2 * len(d)], dn * r])
            carried = W_h.T @ dz + d * z
        else:
            (i, f, g, o), tanh_c = gates[t], np.tanh(cs[t + 1])
            dc = dc + d * o * (1 - tanh_c * tanh_c)
            dx = dz = np.concatenate(
                [dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g * g), d * tanh_c * o * (1 - o)]
            )
            carried, dc = W_h.T @ dz, dc * f
        dz_x.append(dx)
        dz_h.append(dz)
    return np.array(dz_x[::-1]), np.array(dz_h[::-1])


def both_ways(p: Params, w: list[np.ndarray], x: np.ndarray, wipe: int = 0) -> tuple[list, np.ndarray]:
    """What each direction reads, and its states side by side at every position, (T, directions · H, B)."""
    reads = [scan(p.cell, w[:4], x, wipe)]
    h = np.array(reads[0][0][1:])
    if p.bidirectional:
        reads.append(scan(p.cell, w[4:8], x[::-1], len(x) + 1 - wipe))
        h = np.concatenate([h, np.array(reads[1][0][:0:-1])], axis=1)
    return reads, h


def judge(p: Params, y: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Mean loss of outputs y (T, answers, B), its gradient, and which answers are right, (T, B)."""
    if p.task == "adding":  # squared error, in units of the largest digit
        error = y - labels[:, None] / np.float32(p.symbols - 1)
        return float((error**2).mean()), 2 * error / error.size, np.abs(error[:, 0]) * (p.symbols - 1) < 0.5
    y = y - y.max(axis=1, keepdims=True)
    log_p = y - np.log(np.exp(y).sum(axis=1, keepdims=True))
    hot = labels[:, None] == np.arange(p.symbols)[:, None]
    loss = -(log_p * hot).sum(axis=1).mean()
    return float(loss), (np.exp(log_p) - hot) / np.float32(labels.size), y.argmax(axis=1) == labels


def gradient(p: Params, w: list[np.ndarray], data: Examples) -> np.ndarray:
    """Of the loss, as a vector like theta."""
    reads, h = both_ways(p, w, data.x)
    *_, W_y, b_y = w
    _, dy, _ = judge(p, W_y @ h[data.asked] + b_y, data.labels[data.asked])
    dh, found = np.zeros_like(h), []
    dh[data.asked] = W_y.T @ dy
    for i, read in enumerate(reads):
        way, part = slice(None, None, 1 - 2 * i), slice(i * p.hidden, (i + 1) * p.hidden)
        dz_x, dz_h = back(p.cell, w[4 * i : 4 * i + 4], read, dh[way, part])
        before = np.array(read[0][:-1])
        found += [(dz_x @ data.x[way].swapaxes(1, 2)).sum(axis=0), (dz_h @ before.swapaxes(1, 2)).sum(axis=0)]
        found += [dz_x.sum(axis=0).sum(axis=1), dz_h.sum(axis=0).sum(axis=1)]
    found += [(dy @ h[data.asked].swapaxes(1, 2)).sum(axis=0), dy.sum(axis=0).sum(axis=1)]
    return np.concatenate([part.ravel() for part in found])


def train(p: Params, T: int, film: Sequence[int]) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Adam on new sequences of length T; yields the step and the weights (they change later) at the steps of `film`."""
    rng = np.random.default_rng(p.seed)
    theta = first_weights(p, rng)
    w, m, v = split(p, theta), np.zeros_like(theta), np.zeros_like(theta)
    yield 0, w
    for k in range(1, p.steps + 1):
        g = gradient(p, w, examples(p, T, BATCH, rng))
        g *= min(1, CLIP / (np.sqrt(g @ g) + 1e-6))
        m += 0.1 * (g - m)  # Kingma and Ba 2015
        v += 0.001 * (g * g - v)
        theta -= p.rate / (1 - 0.9**k) * m / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
        if k in film:
            yield k, w


# ------------------------------------------------------------------------------------------------- what is looked at


def score(p: Params, w: list[np.ndarray], data: Examples, wipe: int = 0) -> tuple[float, float]:
    """Loss and accuracy."""
    y = w[-2] @ both_ways(p, w, data.x, wipe)[1][data.asked] + w[-1]
    loss, _, right = judge(p, y, data.labels[data.asked])
    return loss, float(right.mean())


def reach(p: Params, w: list[np.ndarray], x: np.ndarray, q: int, wipe: int = 0) -> np.ndarray:
    """|∂h_q/∂x_t|, the Frobenius norm, for every t of one sequence x (T, inputs, 1); of both directions together."""
    squares, T = np.zeros(len(x)), len(x)
    for i, read in enumerate(both_ways(p, w, x, wipe)[0]):
        W_x, *_ = part = w[4 * i : 4 * i + 4]
        dh = np.zeros((T, p.hidden, p.hidden), np.float32)
        dh[T - q if i else q - 1] = np.eye(p.hidden)  # a column for every unit of h_q
        dz_x, _ = back(p.cell, part, read, dh, T + 1 - wipe if i else wipe)
        squares += ((W_x.T @ dz_x).astype(float) ** 2).sum(axis=(1, 2))[:: 1 - 2 * i]
    return np.sqrt(squares)


def ratio(norms: np.ndarray, q: int) -> float:
    return float(norms[0] / norms[q - 1]) if norms[q - 1] else 0.0


def look(p: Params, w: list[np.ndarray], data: Examples) -> Reading:
    """Read one sequence: states, gates, answers and the gradient."""
    reads, h = both_ways(p, w, data.x, p.wipe)
    y, labels, q = w[-2] @ h + w[-1], data.labels[:, 0], data.q
    _, _, right = judge(p, y, data.labels)
    h, y = h[:, :, 0], y[:, :, 0]
    if p.task == "adding":
        sums = y[:, 0] * (p.symbols - 1)
        answers, scores, speaks = [f"{s:.1f}" for s in sums], np.abs(sums - labels), w[-2][0]
    else:
        e = np.exp(y - y.max(axis=1, keepdims=True))
        scores = (e / e.sum(axis=1, keepdims=True))[np.arange(len(y)), labels]
        answers, speaks = [LETTERS[k] for k in y.argmax(axis=1)], w[-2][labels[q - 1]]
    if p.bidirectional:
        strips = dict(zip(("h →", "h ←"), np.split(h.T, 2), strict=True))
    else:
        _, cs, gates = reads[0]
        strips = {"h": h.T} | ({"cell": np.array(cs[1:])[:, :, 0].T} if p.cell == "LSTM" else {})
        for name in {"RNN": (), "GRU": ("update", "reset"), "LSTM": ("forget", "input", "output")}[p.cell]:
            strips[name] = np.array([gate[GATES[name]] for gate in gates])[:, :, 0].T
    unit = int((speaks * h[q - 1]).argmax())
    told, norms = arithmetic(p, w, data.x, reads, unit), reach(p, w, data.x, q, p.wipe)
    return Reading(strips, unit, told, tuple(answers), right[:, 0], scores, norms)


def arithmetic(p: Params, w: list[np.ndarray], x: np.ndarray, reads: list, unit: int) -> tuple[str, ...]:
    """How one unit gets its value, at every step; units from H on are those of the direction from the right."""
    way, k = divmod(unit, p.hidden)
    W_x, W_h, b_x, b_h = w[4 * way : 4 * way + 4]
    (hs, cs, gates), T, told = reads[way], len(x), []
    for t in range(T):
        old, h, c_old, c, *gate = (float(v[k, 0]) for v in (hs[t], hs[t + 1], cs[t], cs[t + 1], *gates[t]))
        position = T - t if way else t + 1
        if position == p.wipe:
            said = "h = 0, as the state is wiped"
        elif p.cell == "RNN":
            z_x, z_h = (W_x[k] @ x[position - 1] + b_x[k])[0], (W_h[k] @ hs[t] + b_h[k])[0]
            said = f"h = tanh({number(z_x)} + {factor(z_h)}) = {number(h)}"
        elif p.cell == "GRU":
            _, z, n, _ = gate
            said = f"h = (1 − z)·n + z·h = (1 − {number(z)})·{factor(n)} + {number(z)}·{factor(old)} = {number(h)}"
        else:
            i, f, g, o = gate
            said = f"c = f·c + i·g = {number(f)}·{factor(c_old)} + {number(i)}·{factor(g)} = {number(c)}, "
            said += f"h = o·tanh(c) = {number(o)}·tanh({number(c)}) = {number(h)}"
        told.append(said)
    return tuple(told[:: 1 - 2 * way])


def factor(value: float) -> str:
    return vector([value], True)


# ------------------------------------------------------------------------------------------------------------- the run


def run(p: Params) -> Iterator[State]:
    yield from compare_lengths(p) if p.view == "lengths" else one_net(p)


def one_net(p: Params) -> Iterator[State]:
    """Train at length T; then read one sequence symbol by symbol, with the weights that training has found."""
    (data, said), test = own(p), examples(p, p.T, TEST, np.random.default_rng([p.seed, 1]))
    parameters, untrained, q = sum(m * n for m, n in shapes(p)), None, data.q
    for k, w in train(p, p.T, kept(p.steps, EVERY)):
        loss, accuracy = score(p, w, test, p.wipe)
        unwiped = score(p, w, test)[1] if p.wipe else None
        seen = look(p, w, data)
        untrained = ratio(reach(p, w, data.x, q), q) if untrained is None else untrained
        keeping = [float(strip.mean()) for name, strip in seen.strips.items() if name in ("forget", "update")]
        sure = None if p.task == "adding" else float(seen.scores[data.asked].mean())
        state = State(
            k, accuracy, unwiped, loss, parameters, ratio(seen.gradient, q), untrained, *(keeping or [None]), sure,
            None, 0, "", seen,
        )  # fmt: skip
        yield (state := state._replace(note=training_note(p, state, q) + said * (k == 0)))
    for t in range(1, len(data.symbols) + 1):
        if not p.bidirectional:
            seen = seen._replace(gradient=reach(p, w, data.x, t, p.wipe))
        now = state._replace(t=t, seen=seen)
        yield now._replace(note=reading_note(p, now, data) + said * (t == len(data.symbols)))


def compare_lengths(p: Params) -> Iterator[State]:
    """Train a net for every length, each from the same first weights."""
    film, parameters, solved = kept(p.steps, EVERY_LENGTH), sum(m * n for m, n in shapes(p)), 0
    table = np.full((len(p.lengths), len(film) + 1), np.nan)
    for row, T in enumerate(p.lengths):
        test = examples(p, T, TEST, np.random.default_rng([p.seed, 1]))
        for column, (k, w) in enumerate(train(p, T, film)):
            table, (loss, accuracy) = table.copy(), score(p, w, test)
            table[row, column] = accuracy
            if k == 0:
                table[row, -1] = ratio(reach(p, w, test.x[:, :, :1], test.q), test.q)
            if k == p.steps and accuracy >= SOLVED and solved == ([0, *p.lengths][row]):
                solved = T
            untrained = float(table[row, -1])
            state = State(k, accuracy, None, loss, parameters, None, untrained, None, None, float(solved), 0, "", table)
            yield state._replace(note=length_note(p, state, T))


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def slope(q: int, t: int) -> str:
    low = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return f"|∂h{q}/∂x{t}|".translate(low)


def training_note(p: Params, now: State, q: int) -> str:
    """Accuracy of the net as trained so far, and how much of the gradient gets to the first symbol."""
    said = (
        f"Step {now.training_step} of {p.steps}" if now.training_step else f"{now.parameters:,} parameters, untrained"
    )
    said += f": {percent(now.accuracy)} of answers about new sequences of {p.T} are right"
    if now.accuracy_unwiped is not None:
        said += f" if the state is wiped after symbol {p.wipe}, {percent(now.accuracy_unwiped)} if not"
    said += f"; chance is {percent(1 / p.symbols)}. "
    if 0 < p.wipe < q:
        return (
            f"{said}The wipe cuts the state at step {q} off from symbols 1 to {p.wipe}: those gradients are exactly 0."
        )
    return f"{said}In the sequence below, {slope(q, 1)} is {number(now.gradient_ratio)} times {slope(q, q)}."


def written(data: Examples) -> list[str]:
    """The symbols of one sequence as one writes them."""
    letters = DIGITS if data.marks.any() or data.x.shape[1] == 2 else LETTERS
    return [letters[s] + "+" * m for s, m in zip(data.symbols[:, 0], data.marks[:, 0].tolist(), strict=True)]


def reading_note(p: Params, now: State, data: Examples) -> str:
    """What the symbol does to the watched unit, and what the net would answer now."""
    seen, t, T, right = now.seen, now.t, len(data.symbols), data.labels[now.t - 1, 0]
    said = f"Symbol {t} of {T} is {written(data)[t - 1]}: in unit {seen.unit + 1}, {seen.arithmetic[t - 1]}. "
    if p.bidirectional:
        said = (
            f"Forward symbol {t} of {T} is read, backward symbol {T + 1 - t}: both states, and so an answer, are there "
        )
        said += f"at {counted(max(0, 2 * t - T), 'position')}{'' if t == T else '; at the first one only in the end'}. "
    elif p.task == "adding":
        said += f"Asked now, it says {seen.answers[t - 1]}; what is marked so far adds up to {right}. "
    elif p.task == "recall" or data.asked.start < t <= data.asked.stop:
        said += f"Asked now, it says {seen.answers[t - 1]}; {LETTERS[right]} would be right and "
        said += f"gets {percent(seen.scores[t - 1])}. "
    else:
        said += "No answer is asked for here. "
    if t < T:
        return said.strip()
    said += (
        f"The {p.cell}'s {now.parameters:,} parameters, trained on length {p.T}, give {percent(now.accuracy)} right "
    )
    if now.accuracy_unwiped is None:
        return f"{said}answers about new sequences."
    return f"{said}answers about new sequences with the wipe, {percent(now.accuracy_unwiped)} without."


def length_note(p: Params, now: State, T: int) -> str:
    """Accuracy at this length; at the end, how far the net remembers."""
    said = f"Length {T}, step {now.training_step} of {p.steps}: {percent(now.accuracy)} of answers are right (chance "
    said += f"{percent(1 / p.symbols)}), with {now.parameters:,} parameters as at every length. "
    if T == p.T and now.training_step == p.steps:
        said += f"The longest solved is {now.longest_solved:g}. " if now.longest_solved else "None is solved. "
    q = T if p.task in ("recall", "adding") else (T + 1) // 2
    return f"{said}Before training, {slope(q, 1)} is {number(now.untrained_ratio)} times {slope(q, q)}."


# --------------------------------------------------------------------------------------------------------- the picture

FLOOR = -12  # powers of ten; what is further down is drawn there
THIN = {"line": {"dash": "dot", "width": 1.5}, "hoverinfo": "skip"}


def powers(values: np.ndarray) -> dict:
    """An axis for the logarithms of positive values."""
    low, high = (np.log10(f(values[values > 0], initial=1)) for f in (np.min, np.max))
    low = max(FLOOR, min(-2, np.floor(low)))
    ticks = [k for k in range(0, int(low) - 1, -1) if k % -(low // 4) == 0]
    texts = [number(10.0**k, 1).removeprefix("1·") for k in ticks]
    return {"range": [low - 0.3, max(high, 1) + 0.4], "tickvals": ticks, "ticktext": texts}


def logs(values: np.ndarray) -> np.ndarray:
    """log₁₀; nan where there is no influence at all."""
    return np.log10(np.where(values > 0, np.maximum(values, 10.0**FLOOR), np.nan))


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    return (draw_lengths if p.view == "lengths" else draw_net)(p, states, now)


def draw_net(p: Params, states: Sequence[State], now: int) -> Figure:
    """States and gates over the sequence; below, the gradient and the answers; at the side, accuracy and parameters."""
    state, data, colour = states[now], own(p)[0], COLOURS[p.cell]
    seen, t, T, sequence = state.seen, state.t, len(data.symbols), written(data)
    steps, q, n = np.arange(1, T + 1), t if t and not p.bidirectional else data.q, len(seen.strips)
    there = (t == 0) | ((steps <= t) & ((steps > T - t) | (not p.bidirectional)))  # where an answer can be given
    is_asked = np.isin(steps - 1, np.arange(T)[data.asked])

    adding, training = p.task == "adding", [s for s in states if s.t == 0]
    counts = {cell: sum(a * b for a, b in shapes(p.model_copy(update={"cell": cell}))) for cell in BLOCKS}
    most, highest = max(counts.values()), max(float(s.seen.scores.max()) for s in training) if adding else 1.0
    over, share = (
        {"range": [0.5, T + 0.5], "tick0": 0, "dtick": -(-T // 8)},
        {"range": [0, 1.03], "tickformat": ".0%", "nticks": 5},
    )
    named = {"tickvals": steps, "ticktext": sequence, "tickangle": 0} if T <= 20 else {}
    blocks = {"range": [-n, 0], "tickvals": -0.5 - np.arange(n), "ticktext": [*seen.strips], "showgrid": False}
    cells = {"range": [-2.5, 0.5], "tickvals": [0, -1, -2], "ticktext": [*BLOCKS], "showgrid": False}
    fig = figure(
        650,
        Panel((0, 0.64, 0.5, 1), 260, f"{p.cell} with {p.hidden} units, by step",
              over | named | {"showgrid": False}, blocks),
        Panel((0, 0.64, 0.25, 0.41), 120, "|∂h_q/∂x_t| by t: now ━ untrained ┄", over,
              powers(np.array([s.seen.gradient for s in states]))),
        Panel((0, 0.64, 0, 0.16), 110, "Error if asked, in digits" if adding else "Right answer's probability if asked",
              over, {"range": [0, 1.05 * highest], "nticks": 3} if adding else share),
        Panel((0.76, 1, 0.5, 1), 160, f"Accuracy{': wiped ━ not ┄' * bool(p.wipe)}",
              {"range": [0, p.steps], "nticks": 4}, share),
        Panel((0.76, 1, 0, 0.33), 120, "Parameters, at any T", {"range": [0, 1.05 * most], "nticks": 3}, cells),
    )  # fmt: skip
    drawn, marked = fig["layout"]["shapes"], fig["layout"]["annotations"]

    for b, (name, strip) in enumerate(seen.strips.items()):
        read = (t == 0) | (steps > T - t if name == "h ←" else steps <= t)
        fine = np.where(read, strip, 0)[::-1].repeat(-(-32 // p.hidden), axis=0).repeat(-(-32 // T), axis=1)
        scale = "sequential" if name in GATES else "diverging"
        paint(fig, 1, fine, (0.5, T + 0.5), (-b - 0.96, -b - 0.04), scale=scale, smooth=False)
    block, unit = divmod(seen.unit, p.hidden)
    top = -block - 0.04 - 0.92 * unit / p.hidden
    drawn.append(box(1, (0.5, T + 0.5), (top - 0.92 / p.hidden, top), INK, 1))
    drawn += [box(1, (t - 0.5, t + 0.5), (-n, 0), INK, 1.5), rule(3, t)] * bool(t) + [rule(2, q)]
    drawn += [rule(panel, p.wipe + 0.5, INK, "dash") for panel in (1, 2, 3) if 0 < p.wipe < T]

    path = logs(seen.gradient)
    known = np.isfinite(path)
    drawn += [polyline(2, steps[known], path[known], colour)] * bool(known.any())
    drawn += [dot(2, a, b, colour, 8) for a, b in zip(steps[known], path[known], strict=True)]
    fig["data"].append(lines(2, steps, logs(states[0].seen.gradient), "untrained", MUTED, **THIN))

    for s, value, asked in zip(steps, seen.scores, is_asked, strict=True):
        if there[s - 1] and (asked or p.task in ("recall", "adding")):
            drawn.append(box(3, (s - 0.4, s + 0.4), (0, value), colour, 1, colour if asked else ""))
    told = [f"{s} reads {c}: {v}" for s, c, v in zip(steps, sequence, seen.arithmetic, strict=True)]
    fig["data"].append(points(3, steps, [highest / 2] * T, "", colour, opacity=0, hovertext=told, hoverinfo="text"))
    for panel, end in ((3, T + 0.5), (4, p.steps))[adding:]:
        fig["data"].append(lines(panel, [0, end], [1 / p.symbols] * 2, "chance", MUTED, **THIN))

    x, said = [s.training_step for s in training], "%{y:.1%} at step %{x}"
    fig["data"].append(lines(4, x, [s.accuracy for s in training], "accuracy", colour, hovertemplate=said))
    if p.wipe:
        y = [s.accuracy_unwiped for s in training]
        fig["data"].append(lines(4, x, y, "not wiped", colour, line={"dash": "dash", "width": 1.5}, hovertemplate=said))
    drawn.append(rule(4, state.training_step))
    for i, (cell, count) in enumerate(counts.items()):
        drawn.append(box(5, (0, count), (-i - 0.35, -i + 0.35), COLOURS[cell], 1, COLOURS[cell] * (cell == p.cell)))
        marked.append(label(5, (cell == "RNN") * count + most / 50, -i, f"{count:,}", INK, xanchor="left"))

    says = [f"says {answer}" if ready else "·" for answer, ready in zip(seen.answers, there, strict=True)]
    verdicts = [(2 if good else 1) if on else None for good, on in zip(seen.right, is_asked & there, strict=True)]
    title = "The sequence; what the net says at each step, green if it is asked for and right, orange if wrong"
    fig["chips"].append(chips(title, sequence, verdicts, says, [t - 1] if t else []))
    return fig


def draw_lengths(p: Params, states: Sequence[State], now: int) -> Figure:
    """Accuracy and gradient by length, one net each; their trainings; how many parameters they have."""
    state, film, spots = states[now], kept(p.steps, EVERY_LENGTH), np.log2(p.lengths)
    (*curves, starts), (*so_far, _) = states[-1].seen.T, state.seen.T
    curves, so_far, starts = np.array(curves).T, np.array(so_far).T, np.where(np.isnan(starts), 0, starts)
    by_length = {"range": [spots[0] - 0.3, spots[-1] + 0.3], "tickvals": spots, "ticktext": p.lengths}
    share, step = {"range": [0, 1.04], "tickformat": ".0%", "nticks": 6}, {"range": [0, 1.05 * p.steps], "nticks": 4}
    fig = figure(
        560,
        Panel((0, 0.6, 0.44, 1), 250, f"{p.cell}: accuracy after {p.steps} steps, by length T", by_length, share),
        Panel((0, 0.6, 0, 0.3), 150, "|∂h_q/∂x_1| : |∂h_q/∂x_q| before training, by T", by_length, powers(starts)),
        Panel((0.7, 1, 0.44, 1), 200, "Accuracy by training step", step, share),
        Panel((0.7, 1, 0, 0.3), 130, "Parameters by T", by_length, {"range": [0, 1.3 * state.parameters], "nticks": 3}),
    )
    for panel, ends in ((1, by_length["range"]), (3, step["range"])):
        fig["data"].append(lines(panel, ends, [1 / p.symbols] * 2, "chance", MUTED, **THIN))
    power = logs(starts)
    fig["data"] += [
        lines(1, spots, curves[:, -1], "accuracy", MUTED, hovertemplate="%{y:.1%}"),
        lines(2, spots, power, "gradient", MUTED, hovertemplate="10^%{y:.1f}"),
    ]
    for i, (spot, T) in enumerate(zip(spots, p.lengths, strict=True)):
        fig["data"].append(lines(3, film, curves[i], f"T = {T}", SERIES[i], hovertemplate=f"T = {T}: %{{y:.1%}}"))
        if k := int(np.isfinite(so_far[i]).sum()):
            last, bar = so_far[i, k - 1], (spot - 0.2, spot + 0.2)
            fig["layout"]["shapes"] += [
                *(dot(1, spot, last, SERIES[i], 16), dot(3, film[k - 1], last, SERIES[i], 10)),
                *(dot(2, spot, power[i], SERIES[i], 12), box(4, bar, (0, state.parameters), SERIES[i], 1, SERIES[i])),
            ]
    return fig
