"""Two encoders that learn to fill in masked tokens, side by side in torch: one sees every token, one only to its left.

Every tensor of weights has the two nets as its first axis, so that both go through each operation at once.
"""

from typing import Any, NamedTuple

import numpy as np

BLANKS, TOP = 3, 5  # blanks of the reader that are filled in, and candidates that are kept for each

Array = np.ndarray
Tensor = Any  # torch's; it is imported where it is needed
Weights = dict[str, Tensor]


class Net(NamedTuple):
    """What decides the shapes of the weights."""

    layers: int
    heads: int
    width: int
    positions: bool  # whether embeddings of the places are added
    tied: bool  # whether a word's logit is the product with its own embedding, as in BERT


class Language(NamedTuple):
    """What there is to learn. Tokens are numbers; [MASK], [UNK] and the empty place after a sentence come last."""

    words: tuple[str, ...]
    everything: Array  # (n, T) all sentences
    learned: Array  # which of them the nets learn from
    row: Array  # (m,) which are measured
    at: Array  # (m,) and the place in each that is asked about

    @property
    def mask(self) -> int:
        return len(self.words)

    @property
    def unknown(self) -> int:
        return len(self.words) + 1

    @property
    def empty(self) -> int:
        return len(self.words) + 2


# ------------------------------------------------------------------------------------------------------- the nets


def encode(w: Weights, x: Array, net: Net, language: Language) -> tuple[Tensor, Tensor]:
    """Hidden states (2, n, T, d) of tokens x (n, T), and the last layer's attention (2, n, heads, T, T).

    Layers as in Vaswani et al. 2017 and BERT: LN(h + attention(h)), LN(h + feed-forward(h)). Net 0 sees every token,
    net 1 only those up to its own; that is all they differ in.
    """
    import torch
    from torch.nn.functional import gelu, layer_norm

    def norm(h: Tensor, name: str) -> Tensor:
        gain, shift = w[name][:, :, None, None].unbind(1)
        return gain * layer_norm(h, h.shape[-1:]) + shift

    def linear(h: Tensor, name: str) -> Tensor:
        rows = torch.baddbmm(w[f"{name} bias"][:, None], h.reshape(2, n * T, -1), w[name])
        return rows.reshape(2, n, T, -1)

    x = torch.from_numpy(x)
    n, T = x.shape
    unseen = (x == language.empty)[:, None, None].expand(n, 1, T, T)
    later = torch.ones(T, T, dtype=torch.bool).triu(1)
    unseen = torch.stack([unseen, unseen | later])

    h = w["token"][:, x]
    if net.positions:
        h = h + w["position"][:, None, :T]
    h = norm(h, "norm")
    for i in range(net.layers):
        q, k, v = linear(h, f"{i} qkv").reshape(2, n, T, 3, net.heads, -1).permute(3, 0, 1, 4, 2, 5)
        scores = q @ k.transpose(-1, -2) / (net.width / net.heads) ** 0.5
        attention = scores.masked_fill(unseen, -torch.inf).softmax(dim=-1)
        h = norm(h + linear((attention @ v).transpose(2, 3), f"{i} out"), f"{i} norm 1")
        h = norm(h + linear(gelu(linear(h, f"{i} up")), f"{i} down"), f"{i} norm 2")
    return h, attention


def predict(w: Weights, h: Tensor) -> Tensor:
    """Logits (2, n, vocabulary) of hidden states (2, n, d)."""
    import torch

    output = w["logits"] if "logits" in w else w["token"].transpose(1, 2)
    return torch.baddbmm(w["logits bias"][:, None], h, output)


def first_weights(net: Net, language: Language, rng: np.random.Generator) -> Weights:
    """The same for both nets: embeddings 0.5, matrices with variance 1/fan-in, gains 1, biases and shifts 0."""
    import torch

    d, vocabulary = net.width, language.empty + 1
    shapes = {"token": (vocabulary, d)}
    if net.positions:
        shapes["position"] = (language.everything.shape[1], d)
    shapes["norm"] = (2, d)  # gain and shift
    for i in range(net.layers):
        shapes |= {f"{i} qkv": (d, 3 * d), f"{i} qkv bias": (3 * d,), f"{i} out": (d, d), f"{i} out bias": (d,)}
        shapes |= {f"{i} up": (d, 4 * d), f"{i} up bias": (4 * d,), f"{i} down": (4 * d, d), f"{i} down bias": (d,)}
        shapes |= {f"{i} norm 1": (2, d), f"{i} norm 2": (2, d)}
    if not net.tied:
        shapes["logits"] = (d, vocabulary)
    shapes["logits bias"] = (vocabulary,)
    w = {}
    for name, shape in shapes.items():
        if "norm" in name:
            first = np.stack([np.ones(d), np.zeros(d)])
        elif "bias" in name:
            first = np.zeros(shape)
        elif name in ("token", "position"):
            first = rng.normal(0, 0.5, shape)
        else:
            first = rng.normal(0, shape[0] ** -0.5, shape)
        w[name] = torch.tensor(np.stack([first, first]), dtype=torch.float32).requires_grad_()
    return w


def parameters(w: Weights) -> int:
    """Of one of the two nets."""
    return sum(both[0].numel() for both in w.values())


# ----------------------------------------------------------------------------------------- what is asked, and how well


def corrupted(y: Array, done: Array, language: Language, rng: np.random.Generator) -> Array:
    """Tokens y (n, T) as the nets see them: [MASK] where `done` is 1, any word where it is 2, the rest as it is."""
    any_word = rng.integers(len(language.words), size=y.shape)
    return np.where(done == 1, language.mask, np.where(done == 2, any_word, y))


def best_guess(language: Language, row: Array, at: Array, causal: bool = False, ordered: bool = True) -> float:
    """The accuracy at the measured words of the best guess from all other tokens, or from those to the left.

    row, at: (n,) every word that may be asked about. ordered: whether the guess may depend on the tokens' order.
    """
    T = language.everything.shape[1]
    seen = language.everything[row]
    seen[np.arange(len(at)), at] = language.mask
    if causal:
        seen = np.where(np.arange(T) > at[:, None], language.empty, seen)
    elif not ordered:
        seen = np.sort(seen, axis=1)
    # Of all words that stand in the same context, the share of the most frequent one.
    contexts: dict[bytes, int] = {}
    context = np.array([contexts.setdefault(one.tobytes(), len(contexts)) for one in seen])
    counts = np.zeros((len(contexts), len(language.words)), int)
    np.add.at(counts, (context, language.everything[row, at]), 1)
    share = counts.max(axis=1) / counts.sum(axis=1)
    measured = np.searchsorted(row * T + at, language.row * T + language.at)
    return float(share[context[measured]].mean())


class Guess(NamedTuple):
    word: str
    probability: float


def fill_in(w: Weights, x: Array, net: Net, language: Language) -> tuple[tuple, Array]:
    """The TOP guesses of both nets at each of the first BLANKS blanks of a sequence x (1, T), and where they look.

    The guesses are of shape (2, blanks, TOP), the attention (2, T, T) is the mean over the heads.
    """
    blanks = np.flatnonzero(x[0] == language.mask)[:BLANKS]
    h, attention = encode(w, x, net, language)
    logits = predict(w, h[:, 0, blanks])[..., : len(language.words)]
    guesses = tuple(
        tuple(tuple(Guess(language.words[i], float(q[i])) for i in np.argsort(-q, kind="stable")[:TOP]) for q in of_net)
        for of_net in logits.softmax(dim=-1).numpy().astype(float)
    )
    return guesses, attention[:, 0].mean(dim=1).numpy().copy()


class Seen(NamedTuple):
    """A token of a batch, as the nets see it."""

    token: str
    done: int  # 0 nothing; 1 masked, 2 replaced by a random word, 3 chosen and kept
    target: str


def example(language: Language, x: Array, y: Array, done: Array) -> tuple[tuple[Seen, ...], ...]:
    """Three sentences of a batch, first one for everything that can be done to a word, token by token."""
    names = (*language.words, "[MASK]", "[UNK]")
    firsts = [np.flatnonzero((done == k).any(axis=1))[:1] for k in (1, 2, 3)]
    rows = list(dict.fromkeys([*np.concatenate(firsts).tolist(), *range(len(x))]))[:3]
    return tuple(
        tuple(
            Seen(names[token], int(k), names[target])
            for token, target, k in zip(x[row], y[row], done[row], strict=True)
            if target < len(names)
        )
        for row in rows
    )
