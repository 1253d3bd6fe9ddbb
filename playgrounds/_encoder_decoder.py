"""Two nets that write a sequence when they have read one: a GRU encoder and decoder, and attention by position alone.

Sequences are arrays (n, batch) of letters; values are (n, features, batch), so that a layer is W @ x + b. All float32.
"""

from typing import NamedTuple

import numpy as np

from playgrounds._cells import sigmoid
from playgrounds.kit.nn import softmax

Array = np.ndarray
LONGEST = 24  # letters of a sequence
EMBEDDING = 16  # numbers that stand for a letter


class GRU(NamedTuple):
    """The weights of a GRU that reads letters, or their gradients."""

    E: Array  # (EMBEDDING, letters)
    W: Array  # (3 H, EMBEDDING), for r, z and n below each other
    U: Array  # (3 H, H)
    b: Array  # (3 H, 1)
    u: Array  # (H, 1)


class Read(NamedTuple):
    """What a GRU has gone through, for the way back."""

    hot: Array  # (n, letters, batch), the letters one-hot
    x: Array  # (n, EMBEDDING, batch)
    states: Array  # (n + 1, H, batch)
    gates: Array  # (n, 2 H, batch): r and z
    inner: Array  # (n, H, batch): U h + u, for n
    new: Array  # (n, H, batch): n


class Attention(NamedTuple):
    q: Array
    k: Array
    scores: Array  # (batch, m, n): q·k / √d
    weights: Array  # their softmax
    context: Array  # (batch, m, features): sum of weights · values


class Written(NamedTuple):
    """What a net writes, letter by letter."""

    letters: Array  # (n, batch)
    probs: Array  # (n, letters, batch)
    scores: Array  # (batch, n, n): a row per letter written
    weights: Array  # (batch, n, n)


def one_hot(sequences: Array, letters: int) -> Array:
    return (sequences[:, None] == np.arange(letters)[:, None]).astype(np.float32)


def gru(w: GRU, hot: Array, h: Array) -> Read:
    """Read letters from the state h (H, batch) on (Cho et al. 2014, as torch has it).

    r, z = sigmoid(W x + U h + b);  n = tanh(W x + b + r · (U h + u));  h' = (1 − z) · n + z · h
    """
    x, n, H = w.E @ hot, len(hot), len(h)
    wx = w.W @ x + w.b
    states = np.empty((n + 1, *h.shape), np.float32)
    gates = np.empty((n, 2 * H, h.shape[1]), np.float32)
    inner = np.empty((n, *h.shape), np.float32)
    new = np.empty_like(inner)
    states[0] = h
    for t in range(n):
        uh = w.U @ states[t]
        gates[t] = sigmoid(wx[t, : 2 * H] + uh[: 2 * H])
        inner[t] = uh[2 * H :] + w.u
        new[t] = np.tanh(wx[t, 2 * H :] + gates[t, :H] * inner[t])
        states[t + 1] = new[t] + gates[t, H:] * (states[t] - new[t])
    return Read(hot, x, states, gates, inner, new)


def gru_back(w: GRU, read: Read, d_states: Array, d_last: Array) -> tuple[GRU, Array]:
    """Gradients of a GRU's weights and of its first state.

    d_states (n, H, batch): of the loss with respect to states 1 … n; d_last enters after the last one besides.
    """
    hot, x, states, gates, inner, new = read
    H = states.shape[1]
    r, z = gates[:, :H], gates[:, H:]
    into_new = (1 - z) * (1 - new * new)
    into_z = (states[:-1] - new) * z * (1 - z)
    into_r = inner * r * (1 - r)
    dx = np.empty((len(x), 3 * H, states.shape[2]), np.float32)  # with respect to W x + b
    dh = np.empty_like(dx)  # with respect to U h
    d = d_last
    for t in reversed(range(len(x))):
        d = d + d_states[t]
        d_new = d * into_new[t]
        dx[t, :H] = d_new * into_r[t]
        dx[t, H : 2 * H] = d * into_z[t]
        dx[t, 2 * H :] = d_new
        dh[t, : 2 * H] = dx[t, : 2 * H]
        dh[t, 2 * H :] = d_new * r[t]
        d = d * z[t] + w.U.T @ dh[t]
    d_embedded = w.W.T @ dx
    gradients = GRU(
        E=(d_embedded @ hot.swapaxes(1, 2)).sum(axis=0),
        W=(dx @ x.swapaxes(1, 2)).sum(axis=0),
        U=(dh @ states[:-1].swapaxes(1, 2)).sum(axis=0),
        b=dx.sum(axis=(0, 2))[:, None],
        u=dh[:, 2 * H :].sum(axis=(0, 2))[:, None],
    )
    return gradients, d


def cross_entropy(logits: Array, hot: Array) -> tuple[float, Array]:
    """Mean over letters of −log p(right letter), and its gradient with respect to the logits: (p − y) / letters."""
    p = softmax(logits, axis=1)
    loss = -np.log(np.maximum((p * hot).sum(axis=1), 1e-12)).mean()
    return float(loss), (p - hot) / (hot.shape[0] * hot.shape[2])


def softmax_back(weights: Array, d_weights: Array) -> Array:
    """From dL/dweights to dL/dscores, row by row."""
    return weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True))


def views(theta: Array, shapes: dict[str, tuple[int, int]]) -> dict[str, Array]:
    """The matrices that a vector of all weights holds: what changes the vector changes them."""
    ends = np.cumsum([rows * columns for rows, columns in shapes.values()])
    parts = np.split(theta, ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


class EncoderDecoder:
    """A GRU reads, a GRU writes from the reader's last state on; with attention it looks back at all states as well.

    q = Q d_t for the decoder's state d_t, k = K h_i for the encoder's states h_i, weights = softmax(q·k / √H),
    context = sum of weights · h_i;  logits = O d_t + C context + o  (Luong et al. 2015, with scaled scores).
    """

    def __init__(self, letters: int, H: int, attends: bool, rng: np.random.Generator):
        self.letters, self.H, self.attends = letters, H, attends
        shapes: dict[str, tuple[int, int]] = {}
        for of, entries in (("encoder", letters), ("decoder", letters + 1)):  # the decoder's last entry: start
            shapes |= {f"{of} E": (EMBEDDING, entries), f"{of} W": (3 * H, EMBEDDING), f"{of} U": (3 * H, H)}
            shapes |= {f"{of} b": (3 * H, 1), f"{of} u": (H, 1)}
        shapes |= {"O": (letters, H), "o": (letters, 1)}
        if attends:
            shapes |= {"Q": (H, H), "K": (H, H), "C": (letters, H)}
        bound = H**-0.5
        first = [
            rng.normal(0, 1, shape) if name.endswith("E") else rng.uniform(-bound, bound, shape)
            for name, shape in shapes.items()
        ]
        self.theta = np.concatenate([part.ravel() for part in first]).astype(np.float32)
        self.w = views(self.theta, shapes)
        self.encoder = GRU(*(self.w[f"encoder {part}"] for part in GRU._fields))
        self.decoder = GRU(*(self.w[f"decoder {part}"] for part in GRU._fields))

    def read(self, x: Array) -> Read:
        """What the encoder makes of sequences (n, batch)."""
        return gru(self.encoder, one_hot(x, self.letters), np.zeros((self.H, x.shape[1]), np.float32))

    def write(self, before: Array, d: Array) -> Read:
        """The decoder's states from d on, if these letters (n, batch) have been written before each."""
        return gru(self.decoder, one_hot(before, self.letters + 1), d)

    def attend(self, d: Array, h: Array) -> Attention:
        """States d (batch, m, H) of the decoder look at states h (batch, n, H) of the encoder."""
        q, k = d @ self.w["Q"].T, h @ self.w["K"].T
        scores = q @ k.swapaxes(1, 2) / self.H**0.5
        weights = softmax(scores)
        return Attention(q, k, scores, weights, weights @ h)

    def gradients(self, x: Array, y: Array) -> tuple[float, dict[str, Array]]:
        """Mean cross-entropy per letter with teacher forcing, and its gradient."""
        w, g = self.w, {}
        before = np.concatenate([np.full_like(y[:1], self.letters), y[:-1]])  # teacher forcing: the true letters
        encoder = self.read(x)
        decoder = self.write(before, encoder.states[-1])
        h, d = encoder.states[1:], decoder.states[1:]
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
            ds = softmax_back(weights, dc @ h_rows.swapaxes(1, 2)) / self.H**0.5
            dq, dk = ds @ k, ds.swapaxes(1, 2) @ q
            g["Q"] = dq.reshape(-1, self.H).T @ d_rows.reshape(-1, self.H)
            g["K"] = dk.reshape(-1, self.H).T @ h_rows.reshape(-1, self.H)
            dd = dd + (dq @ w["Q"]).transpose(1, 2, 0)
            dh = (weights.swapaxes(1, 2) @ dc + dk @ w["K"]).transpose(1, 2, 0)
        of_decoder, d_first = gru_back(self.decoder, decoder, dd, np.zeros_like(h[0]))
        of_encoder, _ = gru_back(self.encoder, encoder, dh, d_first)
        g |= {f"decoder {part}": value for part, value in of_decoder._asdict().items()}
        g |= {f"encoder {part}": value for part, value in of_encoder._asdict().items()}
        return loss, g

    def decode(self, x: Array) -> Written:
        """Greedy: each letter written is the next input."""
        n, batch = x.shape
        h = self.read(x).states
        d, h_rows = h[-1], h[1:].transpose(2, 0, 1)
        before = np.full((1, batch), self.letters)
        letters, probs = np.empty((n, batch), int), np.empty((n, self.letters, batch), np.float32)
        scores, weights = np.zeros((batch, n, n), np.float32), np.zeros((batch, n, n), np.float32)
        for t in range(n):
            d = self.write(before, d).states[-1]
            logits = self.w["O"] @ d + self.w["o"]
            if self.attends:
                seen = self.attend(d.T[:, None], h_rows)
                scores[:, t], weights[:, t] = seen.scores[:, 0], seen.weights[:, 0]
                logits += self.w["C"] @ seen.context[:, 0].T
            probs[t] = softmax(logits, axis=0)
            letters[t] = before[0] = probs[t].argmax(axis=0)
        return Written(letters, probs, scores, weights)


class PositionAttention:
    """Attention alone: the query of step t and the key of input i are learned vectors, the values are embeddings.

    An input's key is K[i] + L[n − 1 − i], its place counted from the start and from the end: to reverse sequences of
    several lengths one needs the second.  logits = C (sum of weights · value) + o.
    """

    def __init__(self, letters: int, d: int, rng: np.random.Generator):
        self.letters, self.d = letters, d
        places = {name: (LONGEST, d) for name in "QKL"}
        shapes = places | {"E": (EMBEDDING, letters), "C": (letters, EMBEDDING), "o": (letters, 1)}
        bound = EMBEDDING**-0.5
        first = [rng.normal(0, 0.3, shape) for shape in places.values()]
        first += [rng.normal(0, 1, shapes["E"]), rng.uniform(-bound, bound, shapes["C"]), np.zeros(shapes["o"])]
        self.theta = np.concatenate([part.ravel() for part in first]).astype(np.float32)
        self.w = views(self.theta, shapes)

    def forward(self, x: Array) -> tuple[Attention, Array, Array]:
        """Where each step looks, the same whatever the letters are; values and logits (n, features, batch)."""
        n, w = len(x), self.w
        q, k = w["Q"][:n], w["K"][:n] + w["L"][:n][::-1]
        scores = q @ k.T / self.d**0.5
        weights = softmax(scores)
        values = w["E"] @ one_hot(x, self.letters)
        context = np.tensordot(weights, values, (1, 0))
        return Attention(q, k, scores, weights, context), values, w["C"] @ context + w["o"]

    def gradients(self, x: Array, y: Array) -> tuple[float, dict[str, Array]]:
        """Mean cross-entropy per letter and its gradient."""
        n, w, g = len(x), self.w, {name: np.zeros_like(self.w[name]) for name in "QKL"}
        (q, k, _, weights, context), values, logits = self.forward(x)
        loss, dz = cross_entropy(logits, one_hot(y, self.letters))
        g["C"], g["o"] = (dz @ context.swapaxes(1, 2)).sum(axis=0), dz.sum(axis=(0, 2))[:, None]
        dc = w["C"].T @ dz
        g["E"] = (np.tensordot(weights, dc, (0, 0)) @ one_hot(x, self.letters).swapaxes(1, 2)).sum(axis=0)
        ds = softmax_back(weights, dc.reshape(n, -1) @ values.reshape(n, -1).T) / self.d**0.5
        dk = ds.T @ q
        g["Q"][:n], g["K"][:n], g["L"][:n] = ds @ k, dk, dk[::-1]
        return loss, g

    def decode(self, x: Array) -> Written:
        """As `EncoderDecoder.decode`; no letter depends on those written before."""
        seen, _, logits = self.forward(x)
        probs = softmax(logits, axis=1)
        everywhere = (x.shape[1], 1, 1)
        return Written(probs.argmax(axis=1), probs, np.tile(seen.scores, everywhere), np.tile(seen.weights, everywhere))
