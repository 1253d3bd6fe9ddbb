"""A sequence is reversed by two nets trained side by side: one squeezes it into a single vector, one has attention.

Left out: beam search, subword vocabularies, an end-of-sequence sign (the output is as long as the input), and decoders
that feed the attention's output back into the recurrence.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, box, chips, dot, figure, label, lines, paint, points, polyline, rule
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 24  # letters of a sequence
EMBEDDING, BATCH, CLIP = 16, 64, 1.0
TEST = 64  # new sequences of every length that is tested
STATES = 40  # of the training, about
PLAIN, ATTENTION = 1, 0  # places in SERIES
NAMES = {"plain": PLAIN, "attention": ATTENTION}

PRESETS = (
    works("Twice as long", "At 24 letters one vector is far too small, and attention does not notice the length.",
          {"attention_accuracy": ">= 0.99", "plain_accuracy": "<= 0.4"}, longest=24, steps=200, text="beheadedbadge"),
    works("Asked by the decoder's state", "Better than plain wherever that fails, though no anti-diagonal appears.",
          {"attention_short": ">= 0.95", "attention_accuracy": ">= 0.5", "plain_accuracy": "<= 0.5",
           "aligned": "<= 0.4"}, queries="decoder state"),
    fails("A vector of six", "The bottleneck made narrower: the plain net fails on four letters already.",
          {"plain_short": "<= 0.7", "attention_accuracy": ">= 0.99"}, hidden=6),
    fails("Sorting by position", "Which letter comes next depends on the letters; these queries know positions only.",
          {"attention_accuracy": "<= 0.5", "plain_accuracy": ">= 0.6"}, task="sort"),
)  # fmt: skip


class Params(kit.Params):
    task: Literal["reverse", "copy", "sort"] = knob("reverse", label="Task", help="what both nets learn to write")
    queries: Literal["position", "decoder state"] = knob("position", label="Attention asks by",
        help="position: learned queries and keys, no recurrence; decoder state: a GRU's, over GRU states")  # fmt: skip
    text: str = knob("cabbagehead", 0, 200, label="Your sequence",
        help="letters of the vocabulary (a to h unless you change it under More); others are left out")  # fmt: skip
    longest: int = knob(12, 2, LONGEST, label="Longest sequence T", help="in training and in the test")
    hidden: int = knob(32, 2, 40, label="State size", help="numbers in the vector between encoder and decoder")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the first weights and all sequences")
    steps: int = knob(300, 10, 400, label="Steps", help=f"of Adam, {BATCH} new sequences each", step=10, more=True)
    rate: float = knob(0.01, 0.0005, 0.05, label="Learning rate η", log=True, more=True)
    letters: int = knob(8, 2, 26, label="Letters of the vocabulary", more=True)
    lengths: Literal["1 to T", "T only"] = knob("1 to T", label="Training lengths", more=True,
        help="each step has sequences of one length, drawn from these")  # fmt: skip

    @property
    def typed(self) -> list[int]:
        """The reader's letters that the vocabulary has, as numbers, up to LONGEST; its first four if there are none."""
        known = [ALPHABET.index(c) for c in self.text.lower() if c in ALPHABET[: self.letters]]
        return known[:LONGEST] or list(range(min(4, self.letters)))

    @property
    def short(self) -> int:
        """The length that counts as short: a third of the longest."""
        return max(1, round(self.longest / 3))

    @property
    def tested(self) -> list[int]:
        """The lengths whose accuracy is measured."""
        return sorted({self.short, *np.linspace(1, self.longest, 6).round().astype(int).tolist()})

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES)) + len(self.typed)


class State(NamedTuple):
    trained: int  # steps of training so far
    written: int  # letters of the reader's sequence that are shown as written; during training all of them
    plain_accuracy: float  # share of letters right on new sequences of the longest length, decoded greedily
    attention_accuracy: float
    plain_short: float  # the same for sequences of a third of that length
    attention_short: float
    plain_own: float  # the same for the reader's sequence, as far as it is written
    attention_own: float
    aligned: float  # share of attention's rows with the largest weight where the needed letter stands; length T
    needed_weight: float  # mean weight there
    largest_weight: float  # mean of each row's largest weight
    note: str
    curves: np.ndarray  # (2, lengths tested): accuracy of the plain net and of the one with attention
    scores: np.ndarray  # (n, n) q·k / sqrt(d) of the reader's sequence: a row per letter written
    weights: np.ndarray  # (n, n) their softmax
    probs: np.ndarray  # (2, n, letters): p(letter) of every step, plain and with attention


# ------------------------------------------------------------------------------------------------- the recurrent net
# Sequences are arrays (n, batch) of letters; values are (n, features, batch), so that a layer is W @ x + b.


def one_hot(sequences: np.ndarray, letters: int) -> np.ndarray:
    return (sequences[:, None] == np.arange(letters)[:, None]).astype(np.float32)


def softmax(z: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid(z: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # exp(-z) = inf gives 0, as it should
        return 1 / (1 + np.exp(-z))


def gru(w: dict, of: str, x: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, tuple]:
    """States (n + 1, H, batch) of a GRU from h on, and what `gru_backward` needs (Cho et al. 2014, as torch has it).

    r, z = sigmoid(W x + U h + b);  n = tanh(W x + b + r * (U h + u));  h' = (1 - z) * n + z * h
    """
    W, U, b, u = (w[of + name] for name in "WUbu")
    size, wx = len(h), W @ x + b
    states = np.empty((len(x) + 1, *h.shape), np.float32)
    gates, inner = np.empty((len(x), 2 * size, h.shape[1]), np.float32), np.empty((len(x), *h.shape), np.float32)
    new = np.empty_like(inner)
    states[0] = h
    for t in range(len(x)):
        uh = U @ states[t]
        gates[t] = sigmoid(wx[t, : 2 * size] + uh[: 2 * size])
        inner[t] = uh[2 * size :] + u
        new[t] = np.tanh(wx[t, 2 * size :] + gates[t, :size] * inner[t])
        states[t + 1] = new[t] + gates[t, size:] * (states[t] - new[t])
    return states, (x, states, gates, inner, new)


def gru_backward(w: dict, of: str, cache: tuple, d_states: np.ndarray, d_last: np.ndarray, g: dict) -> tuple:
    """Put the gradients of a GRU's weights into g; return those of its input and of its first state.

    d_states (n, H, batch): of the loss with respect to states 1 … n, beside d_last that enters after the last one.
    """
    x, states, gates, inner, new = cache
    W, U, size, d = w[of + "W"], w[of + "U"], states.shape[1], d_last
    r, z = gates[:, :size], gates[:, size:]
    into_new, into_z, into_r = (1 - z) * (1 - new * new), (states[:-1] - new) * z * (1 - z), inner * r * (1 - r)
    dx = np.empty((len(x), 3 * size, states.shape[2]), np.float32)  # with respect to W x + b
    dh = np.empty_like(dx)  # with respect to U h
    for t in reversed(range(len(x))):
        d = d + d_states[t]
        dx[t, 2 * size :] = d_new = d * into_new[t]
        dx[t, :size], dx[t, size : 2 * size] = d_new * into_r[t], d * into_z[t]
        dh[t, : 2 * size], dh[t, 2 * size :] = dx[t, : 2 * size], d_new * r[t]
        d = d * z[t] + U.T @ dh[t]
    g[of + "W"], g[of + "b"] = (dx @ x.swapaxes(1, 2)).sum(axis=0), dx.sum(axis=(0, 2))[:, None]
    g[of + "U"] = (dh @ states[:-1].swapaxes(1, 2)).sum(axis=0)
    g[of + "u"] = dh[:, 2 * size :].sum(axis=(0, 2))[:, None]
    return W.T @ dx, d


def weights_of(shapes: dict[str, tuple], rng: np.random.Generator) -> tuple[np.ndarray, dict]:
    """All weights as one vector, and the dict of its parts. `shapes`: name -> (shape, spread; below 0: uniform)."""
    drawn = [
        rng.uniform(spread, -spread, shape) if spread < 0 else rng.normal(0, spread, shape)
        for shape, spread in shapes.values()
    ]
    theta, ends = (
        np.concatenate([part.ravel() for part in drawn]).astype(np.float32),
        np.cumsum([p.size for p in drawn]),
    )
    parts = np.split(theta, ends[:-1])  # views: what changes theta changes them
    return theta, {name: part.reshape(shape) for (name, (shape, _)), part in zip(shapes.items(), parts, strict=True)}


class Recurrent:
    """A GRU reads, a GRU writes from the reader's last state on; with attention it looks back at all states as well.

    q = Q d_t for the decoder's state d_t, k = K h_i for the encoder's states h_i, weights = softmax(q·k / sqrt(H)),
    context = sum of weights * h_i;  logits = O d_t + C context + o  (Luong et al. 2015, with scaled scores).
    """

    def __init__(self, letters: int, size: int, attends: bool, rng: np.random.Generator):
        self.letters, self.size, self.attends = letters, size, attends
        u, shapes = -(size**-0.5), {}
        for of, entries in (("encoder ", letters), ("decoder ", letters + 1)):  # the decoder's last entry: start
            shapes |= {of + "E": ((EMBEDDING, entries), 1), of + "W": ((3 * size, EMBEDDING), u)}
            shapes |= {of + "U": ((3 * size, size), u), of + "b": ((3 * size, 1), u), of + "u": ((size, 1), u)}
        shapes |= {"O": ((letters, size), u), "o": ((letters, 1), u)}
        if attends:
            shapes |= {"Q": ((size, size), u), "K": ((size, size), u), "C": ((letters, size), u)}
        self.theta, self.w = weights_of(shapes, rng)

    def read(self, of: str, sequences: np.ndarray, h: np.ndarray) -> tuple:
        """The states of encoder or decoder, what its backward pass needs, and the one-hot input."""
        hot = one_hot(sequences, self.letters + (of == "decoder "))
        return *gru(self.w, of, self.w[of + "E"] @ hot, h), hot

    def nothing(self, x: np.ndarray) -> np.ndarray:
        return np.zeros((self.size, x.shape[1]), np.float32)

    def attend(self, d: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, ...]:
        """q, k, scores, weights, context; d (batch, m, H) of the decoder, h (batch, n, H) of the encoder."""
        q, k = d @ self.w["Q"].T, h @ self.w["K"].T
        scores = q @ k.swapaxes(1, 2) / np.float32(self.size**0.5)
        weights = softmax(scores, -1)
        return q, k, scores, weights, weights @ h

    def gradients(self, x: np.ndarray, y: np.ndarray) -> tuple[float, dict]:
        """Mean cross-entropy per letter with teacher forcing, and its gradient."""
        w, g = self.w, {}
        before = np.concatenate([np.full_like(y[:1], self.letters), y[:-1]])  # teacher forcing: the true letters
        h, encoder, x_hot = self.read("encoder ", x, self.nothing(x))
        d, decoder, before_hot = self.read("decoder ", before, h[-1])
        h, d = h[1:], d[1:]
        logits = w["O"] @ d + w["o"]
        if self.attends:
            d_rows, h_rows = d.transpose(2, 0, 1), h.transpose(2, 0, 1)
            q, k, _, weights, context = self.attend(d_rows, h_rows)
            logits += w["C"] @ context.transpose(1, 2, 0)
        loss, dz = cross_entropy(logits, one_hot(y, self.letters))

        g["O"], g["o"] = (dz @ d.swapaxes(1, 2)).sum(axis=0), dz.sum(axis=(0, 2))[:, None]
        dd, dh = w["O"].T @ dz, np.zeros_like(h)
        if self.attends:
            g["C"] = (dz @ context.transpose(1, 0, 2)).sum(axis=0)
            dc = (w["C"].T @ dz).transpose(2, 0, 1)
            d_weights = dc @ h_rows.swapaxes(1, 2)
            ds = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)) / np.float32(self.size**0.5)
            dq, dk, flat = ds @ k, ds.swapaxes(1, 2) @ q, (-1, self.size)
            g["Q"] = dq.reshape(flat).T @ d_rows.reshape(flat)
            g["K"] = dk.reshape(flat).T @ h_rows.reshape(flat)
            dd = dd + (dq @ w["Q"]).transpose(1, 2, 0)
            dh = (weights.swapaxes(1, 2) @ dc + dk @ w["K"]).transpose(1, 2, 0)
        d_input, d_first = gru_backward(w, "decoder ", decoder, dd, self.nothing(x), g)
        g["decoder E"] = (d_input @ before_hot.swapaxes(1, 2)).sum(axis=0)
        d_input, _ = gru_backward(w, "encoder ", encoder, dh, d_first, g)
        g["encoder E"] = (d_input @ x_hot.swapaxes(1, 2)).sum(axis=0)
        return loss, g

    def decode(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Greedy: each letter written is the next input. Letters (n, batch), p (n, letters, batch), scores and weights
        (batch, n, n)."""
        n, batch = x.shape
        h, *_ = self.read("encoder ", x, self.nothing(x))
        d, h, before = h[-1], h[1:].transpose(2, 0, 1), np.full((1, batch), self.letters)
        letters, probs = np.empty((n, batch), int), np.empty((n, self.letters, batch), np.float32)
        scores, weights = np.zeros((batch, n, n), np.float32), np.zeros((batch, n, n), np.float32)
        for t in range(n):
            d = self.read("decoder ", before, d)[0][-1]
            logits = self.w["O"] @ d + self.w["o"]
            if self.attends:
                _, _, s, a, context = self.attend(d.T[:, None], h)
                scores[:, t], weights[:, t] = s[:, 0], a[:, 0]
                logits += self.w["C"] @ context[:, 0].T
            probs[t] = softmax(logits, 0)
            letters[t] = before[0] = probs[t].argmax(axis=0)
        return letters, probs, scores, weights


class Positional:
    """Attention alone: the query of step t and the key of input i are learned vectors, the values are embeddings.

    An input's key is K[i] + L[n - 1 - i], its place counted from the start and from the end: to reverse sequences of
    several lengths one needs the second. logits = C (sum of weights * value) + o.
    """

    def __init__(self, letters: int, size: int, rng: np.random.Generator):
        self.letters, self.size = letters, size
        places = {name: ((LONGEST, size), 0.3) for name in "QKL"}
        shapes = {"E": ((EMBEDDING, letters), 1), "C": ((letters, EMBEDDING), -(EMBEDDING**-0.5))}
        self.theta, self.w = weights_of(places | shapes | {"o": ((letters, 1), 0)}, rng)

    def attend(self, n: int) -> tuple[np.ndarray, ...]:
        """k, scores, weights of sequences of n letters: the same whatever the letters are."""
        k = self.w["K"][:n] + self.w["L"][:n][::-1]
        scores = self.w["Q"][:n] @ k.T / np.float32(self.size**0.5)
        return k, scores, softmax(scores, -1)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Weights (n, n), values and context (n, features, batch), logits (n, letters, batch)."""
        _, _, weights = self.attend(len(x))
        values = self.w["E"] @ one_hot(x, self.letters)
        context = np.tensordot(weights, values, (1, 0))
        return weights, values, context, self.w["C"] @ context + self.w["o"]

    def gradients(self, x: np.ndarray, y: np.ndarray) -> tuple[float, dict]:
        """Mean cross-entropy per letter and its gradient."""
        n, w, g = len(x), self.w, {name: np.zeros_like(self.w[name]) for name in "QKL"}
        weights, values, context, logits = self.forward(x)
        loss, dz = cross_entropy(logits, one_hot(y, self.letters))
        g["C"], g["o"] = (dz @ context.swapaxes(1, 2)).sum(axis=0), dz.sum(axis=(0, 2))[:, None]
        dc = w["C"].T @ dz
        g["E"] = (np.tensordot(weights, dc, (0, 0)) @ one_hot(x, self.letters).swapaxes(1, 2)).sum(axis=0)
        d_weights = dc.reshape(n, -1) @ values.reshape(n, -1).T
        ds = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)) / np.float32(self.size**0.5)
        g["Q"][:n], dk = ds @ self.attend(n)[0], ds.T @ w["Q"][:n]
        g["K"][:n], g["L"][:n] = dk, dk[::-1]
        return loss, g

    def decode(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """As `Recurrent.decode`; no letter depends on those written before."""
        probs, (_, *both) = softmax(self.forward(x)[-1], 1), self.attend(len(x))
        return probs.argmax(axis=1), probs, *(np.repeat(part[None], x.shape[1], axis=0) for part in both)


def cross_entropy(logits: np.ndarray, hot: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean over letters of -log p(right letter), and its gradient with respect to the logits: (p - y) / letters."""
    p = softmax(logits, 1)
    loss = -np.log(np.maximum((p * hot).sum(axis=1), 1e-12)).mean()
    return float(loss), (p - hot) / np.float32(hot.shape[0] * hot.shape[2])


class Adam:
    """Kingma and Ba 2015, after clipping the gradient's norm to CLIP."""

    def __init__(self, net: Recurrent | Positional, rate: float):
        self.net, self.rate, self.t = net, rate, 0
        self.m, self.v = np.zeros_like(net.theta), np.zeros_like(net.theta)

    def step(self, gradients: dict) -> None:
        g = np.concatenate([gradients[name].ravel() for name in self.net.w])
        g *= np.float32(min(1, CLIP / max(float(np.linalg.norm(g)), 1e-12)))
        self.t += 1
        self.m += np.float32(0.1) * (g - self.m)
        self.v += np.float32(0.001) * (g * g - self.v)
        size = np.sqrt(self.v / np.float32(1 - 0.999**self.t)) + np.float32(1e-8)
        self.net.theta -= np.float32(self.rate / (1 - 0.9**self.t)) * self.m / size


# ---------------------------------------------------------------------------------------------------------- the run


def needed(task: str, x: np.ndarray) -> np.ndarray:
    """Where in the input each letter of the right output stands: positions of the shape of x, (n, batch)."""
    if task == "sort":
        return np.argsort(x, axis=0, kind="stable")
    places = np.arange(len(x))[:, None].repeat(x.shape[1], axis=1)
    return places[::-1] if task == "reverse" else places


def solve(task: str, x: np.ndarray) -> np.ndarray:
    """The right output."""
    return x[needed(task, x), np.arange(x.shape[1])]


def nets(p: Params) -> tuple[Recurrent, Recurrent | Positional]:
    """The plain net, and the one with attention; what they share starts with the same weights."""
    plain = Recurrent(p.letters, p.hidden, False, np.random.default_rng([p.seed, 1]))
    if p.queries == "position":
        return plain, Positional(p.letters, p.hidden, np.random.default_rng([p.seed, 2]))
    return plain, Recurrent(p.letters, p.hidden, True, np.random.default_rng([p.seed, 1]))


def train(p: Params, both: Sequence, film: Sequence[int]) -> Iterator[tuple[int, int, list[float]]]:
    """Train the nets on the same batches; yield (step, length of its sequences, losses) at the steps of `film`."""
    rng, optimizers = np.random.default_rng([p.seed, 3]), [Adam(net, p.rate) for net in both]
    yield 0, 0, []
    for step in range(1, p.steps + 1):
        n = int(rng.integers(1 if p.lengths == "1 to T" else p.longest, p.longest + 1))
        x = rng.integers(p.letters, size=(n, BATCH))
        losses = []
        for net, adam in zip(both, optimizers, strict=True):
            loss, g = net.gradients(x, solve(p.task, x))
            adam.step(g)
            losses.append(loss)
        if step in film:
            yield step, n, losses


def run(p: Params) -> Iterator[State]:
    """Train both nets and decode the reader's sequence now and then; at the end decode it letter by letter."""
    both, rng = nets(p), np.random.default_rng([p.seed, 4])
    tests = {n: rng.integers(p.letters, size=(n, TEST)) for n in p.tested}
    own = np.array(p.typed)[:, None]
    target, n = solve(p.task, own)[:, 0], len(own)
    for step, length, losses in train(p, both, kept(p.steps, STATES)):
        curves = np.zeros((2, len(tests)))
        for i, net in enumerate(both):
            for j, x in enumerate(tests.values()):
                letters, _, _, weights = net.decode(x)
                curves[i, j] = (letters == solve(p.task, x)).mean()
        place = needed(p.task, x).T  # x and weights: of the longest sequences, by the net with attention
        at_place = np.take_along_axis(weights, place[..., None], axis=-1)
        looks = (weights.argmax(axis=-1) == place).mean(), at_place.mean(), weights.max(axis=-1).mean()
        (_, plain_probs, *_), (_, probs, scores, weights) = (net.decode(own) for net in both)
        probs = np.stack([plain_probs, probs])[..., 0]
        right = (probs.argmax(axis=-1) == target).mean(axis=1).tolist()
        short = curves[:, p.tested.index(p.short)].tolist()
        state = State(step, n, *curves[:, -1].tolist(), *short, *right, *map(float, looks), "", curves, scores[0],
                      weights[0], probs)  # fmt: skip
        yield (state := state._replace(note=training_note(p, state, length, losses)))
    for t in range(1, n + 1):
        right = (probs[:, :t].argmax(axis=-1) == target[:t]).mean(axis=1).tolist()
        shown = state._replace(written=t, plain_own=right[0], attention_own=right[1])
        yield shown._replace(note=writing_note(p, shown, target))


def percent(share: float) -> str:
    return f"{number(100 * share, 2 if share < 0.995 else 3)} %"


def chance(p: float) -> str:
    """A probability or a weight; what is not 1 is not written as 1."""
    return f"= {number(p, 2)}" if p < 0.995 or p == 1 else "> 0.99"


def training_note(p: Params, now: State, length: int, losses: list[float]) -> str:
    """Losses of this step, accuracy on new sequences, and where attention looks."""
    plain, attention = percent(now.plain_accuracy), percent(now.attention_accuracy)
    if now.trained:
        return (
            f"Step {now.trained}, on sequences of {length}: loss {number(losses[0])} plain, {number(losses[1])} with "
            f"attention. At length {p.longest}, {plain} (plain) and {attention} (attention) of new letters are right. "
            f"{percent(now.aligned)} of the rows of α have their largest weight where the needed letter stands; the "
            f"largest is {number(now.largest_weight, 2)} on average and never 1."
        )
    said = (
        f"Before training both nets guess: {plain} (plain) and {attention} (attention) of the letters are right, with "
        f"{p.letters} to choose from, and every row of α spreads over all {len(now.weights)} letters."
    )
    alphabet = f"{ALPHABET[0]} to {ALPHABET[p.letters - 1]}"
    gone = sum(c not in ALPHABET[: p.letters] for c in p.text.lower())
    if gone == len(p.text):
        return f"{said} Your sequence has none of the letters {alphabet}, so an example stands in for it."
    if gone:
        return f"{said} Of your sequence {counted(gone, 'character')} had to go: the vocabulary is {alphabet}."
    if len(p.text) > LONGEST:
        return f"{said} Your sequence has {len(p.text)} letters, and only the first {LONGEST} are taken."
    if len(p.typed) > p.longest:
        return f"{said} Your sequence has {len(p.typed)} letters, those in training have up to {p.longest}."
    return said


def writing_note(p: Params, now: State, target: np.ndarray) -> str:
    """Where the query of the letter just written looks, and what both nets make of it."""
    t, own = now.written - 1, p.typed
    place = int(needed(p.task, np.array(own)[:, None])[t, 0])
    most = int(now.weights[t].argmax())
    due = ALPHABET[target[t]]
    looks = f"the query looks most at the {ALPHABET[own[most]]} at place {most + 1} (α {chance(now.weights[t, most])})"
    if most != place:
        looks += f", and at the needed {due} at place {place + 1} with α {chance(now.weights[t, place])}"
    said = []
    for name, probs in zip(("attention", "the plain net"), now.probs[::-1, t], strict=True):
        letter = int(probs.argmax())
        verdict = "right" if letter == target[t] else f"but {due} was due (p {chance(probs[target[t]])})"
        said.append(f"{name} writes {ALPHABET[letter]} (p {chance(probs[letter])}), {verdict}")
    note = f"Letter {t + 1} of {len(own)}: {looks}; {'; '.join(said)}."
    if now.written < len(own):
        return note
    gap = now.attention_accuracy - now.plain_accuracy
    why = (
        f"the plain net's decoder gets one vector of {p.hidden} numbers for any length" if gap > 0.05
        else "queries that know a position cannot look for a letter" if p.queries == "position" and p.task == "sort"
        else "attention gains nothing here"
    )  # fmt: skip
    short, long = (
        f"{percent(plain)} and {percent(attention)}"
        for plain, attention in ((now.plain_short, now.attention_short), (now.plain_accuracy, now.attention_accuracy))
    )
    return (
        f"{note} New sequences, plain and attention: {short} right at length {p.short}, {long} at {p.longest}: {why}."
    )


# ------------------------------------------------------------------------------------------------------ the picture


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Weights and both nets' probabilities for the reader's sequence; accuracy by length; accuracy by training step."""
    state, end, own, alphabet = states[now], states[-1], p.typed, ALPHABET[: p.letters]
    n, x, at = len(own), np.array(own)[:, None], state.written - 1
    places, target = needed(p.task, x)[:, 0], solve(p.task, x)[:, 0]
    plain = {"showgrid": False, "tickangle": 0, "tickfont": {"color": MUTED, "size": 13 if n <= 14 else 11}}
    rows, reads, choices = (  # the t-th output is the t-th row from the top
        plain | {"range": [-0.5, len(ticks) - 0.5], "tickvals": [*range(len(ticks))], "ticktext": ticks}
        for ticks in ([alphabet[c] for c in target[::-1]], [alphabet[c] for c in own], [*alphabet])
    )
    reads, choices = reads | {"title": "your sequence"}, choices | {"title": "vocabulary"}
    shares = {"range": [0, 1.06], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    lengths = {"range": [0.6, 1.02 * p.longest + 0.2], "nticks": 7, "title": "letters of a new sequence"}
    steps = {"range": [0, 1.5 * p.steps], "tickvals": [0, p.steps // 2, p.steps], "title": "step"}
    names = ", ".join(f'<span style="color:{SERIES[c]}">{name}</span>' for name, c in NAMES.items())
    fig = figure(
        610,
        Panel((0, 0.32, 0.45, 1), 300, "Attention: weights α", reads, rows),
        Panel((0.38, 0.67, 0.45, 1), 280, "Attention: p(letter)", choices, rows),
        Panel((0.73, 1, 0.45, 1), 280, "Plain net: p(letter)", choices, rows),
        Panel((0, 0.42, 0, 0.28), 200, f"Letters right: {names}", lengths, shares),
        Panel((0.52, 1, 0, 0.28), 200, f"Letters right at length {p.longest}, by step", steps, shares),
    )
    fig["narrow"]["xaxis5.range"] = [0, 1.55 * p.steps]

    shapes, there = fig["layout"]["shapes"], np.arange(n)[:, None] <= at
    for panel, values, right in ((1, state.weights, places), (2, state.probs[1], target), (3, state.probs[0], target)):
        wide = (-0.5, values.shape[1] - 0.5)
        paint(fig, panel, np.where(there, values, 0)[::-1], wide, (-0.5, n - 0.5), scale="sequential", smooth=False)
        fig["data"].append(cells(state, panel, values, alphabet))
        outline = SERIES[PLAIN if panel == 3 else ATTENTION]
        shapes += [box(panel, (c - 0.5, c + 0.5), (n - 1.5 - t, n - 0.5 - t), outline) for t, c in enumerate(right)]
        if now >= len(kept(p.steps, STATES)):  # this letter is being written
            shapes.append(box(panel, wide, (n - 1.5 - at, n - 0.5 - at), INK, 2))
    history = {s.trained: s.curves[:, -1] for s in states}
    ends = apart(end.curves[:, -1])
    for i, (name, place) in enumerate(NAMES.items()):
        colour = SERIES[place]
        fig["data"] += [
            lines(4, p.tested, end.curves[i], name, colour, opacity=0.4, line={"width": 1.5, "dash": "dot"},
                  hovertemplate="%{y:.0%} in the end at length %{x}"),
            lines(5, [*history], [both[i] for both in history.values()], name, colour,
                  hovertemplate="%{y:.0%} at step %{x}"),
        ]  # fmt: skip
        said = f"{name} {percent(end.curves[i, -1])}"
        fig["layout"]["annotations"].append(label(5, 1.02 * p.steps, ends[i], said, colour, xanchor="left"))
        shapes.append(polyline(4, p.tested, state.curves[i], colour))
        shapes += [dot(4, a, b, colour, 10) for a, b in zip(p.tested, state.curves[i], strict=True)]
    fig["data"].append(lines(5, [0, p.steps], [1 / p.letters] * 2, "chance", MUTED, line={"dash": "dot", "width": 1}))
    shapes.append(rule(5, state.trained))
    fig["chips"] += [
        chips("Your sequence", [alphabet[c] for c in own]),
        chips(f"Right output: {p.task}", [alphabet[c] for c in target]),
        written("Plain net writes, with its p", state.probs[0], target, state.written, alphabet, PLAIN),
        written("Attention writes, with its p", state.probs[1], target, state.written, alphabet, ATTENTION),
    ]
    return fig


def apart(ends: np.ndarray) -> list[float]:
    """Heights of two labels beside the ends of two curves, not on each other."""
    middle, half = ends.mean(), max(0.06, abs(ends[1] - ends[0]) / 2)
    middle = min(max(middle, half), 1.02 - half)
    return [middle - half, middle + half] if ends[1] >= ends[0] else [middle + half, middle - half]


def cells(state: State, panel: int, values: np.ndarray, alphabet: str) -> dict:
    """What hovering over a cell says: how its number was computed."""
    n, wide = values.shape
    y, x = (part.ravel() for part in np.mgrid[n - 1 : -1 : -1, 0:wide])
    shown, scores, sums = values[: state.written], state.scores, np.exp(state.scores.astype(float)).sum(axis=1)
    said = [
        f"exp(q·k/√d) / sum: exp({number(scores[t, i], 2)}) / {number(sums[t], 2)} = {number(value, 2)}" if panel == 1
        else f"p({alphabet[i]}) = {number(value, 2)}"
        for t, row in enumerate(shown)
        for i, value in enumerate(row)
    ] + ["not written yet"] * (values.size - shown.size)  # fmt: skip
    look = {"marker": {"size": 14, "symbol": "square"}, "opacity": 0, "hovertext": said, "hoverinfo": "text"}
    return points(panel, x, y, "", MUTED, **look)


def written(title: str, probs: np.ndarray, target: np.ndarray, shown: int, alphabet: str, place: int) -> dict:
    """A net's letters with their probabilities, those not yet written as dots; coloured if right, framed if wrong."""
    letters, n = probs.argmax(axis=1), len(target)
    there = np.arange(n) < shown
    right = letters == target
    return chips(
        title,
        [alphabet[c] if done else "·" for c, done in zip(letters, there, strict=True)],
        [place if done else None for done in there & right],
        [f"{row.max():.2f}" if done else "" for row, done in zip(probs, there, strict=True)],
        np.flatnonzero(there & ~right).tolist(),
    )
