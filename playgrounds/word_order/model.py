"""Two Transformer blocks that differ in their positions only learn which of two words comes first: all by hand."""

from collections.abc import Iterator
from math import sqrt
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._sinusoids import sinusoids
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import Adam, binary_cross_entropy, relu, sigmoid, softmax
from playgrounds.kit.training import kept

KINDS = 6  # of tokens: 0 and 1 are the two whose order is asked for, the others stand around them
HIDDEN = 32  # units of the block's feed-forward layer
BATCH, HELD_OUT = 32, 64  # sentences; every second held-out one is another with the two words swapped
STATES = 40  # of a training, the start apart
SPOKEN = ("dog", "man")  # stand in for missing words

Array = np.ndarray
Weights = dict[str, Array]


class Params(kit.Params):
    encoding: Literal["sinusoids", "learned", "none"] = knob(
        "sinusoids", label="Positions", help="added to the words; always compared with none"
    )
    mask: bool = knob(False, label="Causal mask", help="a word attends to itself and the words before it")
    sentence: str = knob(
        "dog bites the old man",
        0,
        120,
        label="Your sentence",
        help="asked: does its first word come before its last?",
    )
    pairs: int = knob(16, 1, 32, label="Frequencies d/2", help="a sine and a cosine of each make the width d")
    base: float = knob(10000.0, 1, 1e6, label="Base", help="frequencies fall from 1 towards 1/base", log=True)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the first weights and the sentences")
    tokens: int = knob(5, 3, 12, label="Words of a sentence", more=True)
    steps: int = knob(160, 10, 400, label="Steps", help=f"of Adam, with {BATCH} new sentences each", step=10, more=True)
    rate: float = knob(0.015, 0.001, 0.1, label="Learning rate η", log=True, more=True)

    @property
    def words(self) -> list[str]:
        """The reader's words, as many as the net takes, at least two."""
        typed = self.sentence.split()[: self.tokens]
        return [*typed, *SPOKEN][: max(2, len(typed))]

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    accuracy: Annotated[float, Metric("held-out sentences right with positions", "%", shown=True)]
    none_accuracy: Annotated[float, Metric("right without positions", "%", shown=True)]
    loss: Annotated[float, Metric("loss with positions", digits=4)]  # cross-entropy on the held-out sentences
    none_loss: Annotated[float, Metric("loss without positions", digits=4)]
    gap: Annotated[float, Metric("answers to both orders of your sentence differ by", shown=True)]
    none_gap: Annotated[float, Metric("the same without positions")]
    pe: Array  # (L, d), of the net with positions
    answers: Array  # (2, 2): probability of “first” for the sentence and swapped; with positions, without


# ------------------------------------------------------------------------------------------------------ sentences


def sentences(p: Params, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Tokens (count, L) with one 0 and one 1 at random places each, and labels: 1 if the 0 comes first."""
    tokens = rng.integers(2, KINDS, (count, p.tokens))
    places = rng.random((count, p.tokens)).argsort(axis=1)[:, :2]
    np.put_along_axis(tokens, places, np.array([[0, 1]]), axis=1)
    return tokens, (places[:, 0] < places[:, 1]).astype(float)


def swapped(tokens: Array) -> Array:
    """The same sentences with the 0 and the 1 in each other's place."""
    return np.where(tokens < 2, 1 - tokens, tokens)


def spoken(p: Params) -> Array:
    """The reader's sentence as tokens (L,): its first word is 0, its last 1, what is missing at the end a filler."""
    middle = [2 + sum(map(ord, word)) % (KINDS - 2) for word in p.words[1:-1]]
    return np.array([0, *middle, 1, *[2] * (p.tokens - len(p.words))])


# -------------------------------------------------------------------------------------------------------- the net


def first_weights(p: Params, rng: np.random.Generator) -> Weights:
    """As torch.nn.Embedding and torch.nn.Linear draw theirs."""
    d = 2 * p.pairs

    def uniform(*shape: int, fan_in: int) -> Array:
        return rng.uniform(-1, 1, shape) / np.sqrt(fan_in)

    return {
        "E": rng.normal(size=(KINDS, d)),
        "W_Q": uniform(d, d, fan_in=d),
        "W_K": uniform(d, d, fan_in=d),
        "W_V": uniform(d, d, fan_in=d),
        "W_1": uniform(d, HIDDEN, fan_in=d),
        "b_1": uniform(HIDDEN, fan_in=d),
        "w_2": uniform(HIDDEN, fan_in=HIDDEN),
        "b_2": uniform(1, fan_in=HIDDEN),
    }


class Pass(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    x: Array  # (B, L, d)
    q: Array
    k: Array
    v: Array
    a: Array  # (B, L, L), attention weights
    y: Array  # (B · L, d)
    h: Array  # (B · L, HIDDEN)
    pooled: Array  # (B, HIDDEN)
    logits: Array  # (B,)


def attend(x: Array, w: Weights, mask: bool) -> tuple[Array, ...]:
    """Self-attention softmax(q kᵀ/√d) v for x of shape (B, L, d); also q, k, v and the weights (B, L, L)."""
    length, d = x.shape[1:]
    rows = x.reshape(-1, d)
    q, k, v = ((rows @ w[name]).reshape(x.shape) for name in ("W_Q", "W_K", "W_V"))
    scores = q @ k.transpose(0, 2, 1) / sqrt(d)
    if mask:
        scores = np.where(np.tri(length, dtype=bool), scores, -1e9)
    a = softmax(scores)
    return a @ v, q, k, v, a


def forward(w: Weights, pe: Array, tokens: Array, mask: bool) -> Pass:
    """The logits of “the 0 comes first” for tokens (B, L) at positions pe (L, d).

    x = E[token] + PE,  y = x + attention(x),  h = relu(y W_1 + b_1),  logit = w_2 · mean over the words of h + b_2
    """
    x = w["E"][tokens] + pe
    attended, q, k, v, a = attend(x, w, mask)
    y = (x + attended).reshape(-1, x.shape[-1])
    h = relu(y @ w["W_1"] + w["b_1"])
    pooled = h.reshape(*tokens.shape, -1).mean(axis=1)
    return Pass(x=x, q=q, k=k, v=v, a=a, y=y, h=h, pooled=pooled, logits=pooled @ w["w_2"] + w["b_2"])


def backward(w: Weights, pe: Array, tokens: Array, labels: Array, mask: bool) -> Weights:
    """Gradients of the mean cross-entropy, for PE and for all weights, by the chain rule."""
    f = forward(w, pe, tokens, mask)
    b, length, d = f.x.shape
    dz = (sigmoid(f.logits) - labels) / b
    dh = np.repeat(dz[:, None] * w["w_2"] / length, length, axis=0) * (f.h > 0)
    dy = (dh @ w["W_1"].T).reshape(f.x.shape)
    da = dy @ f.v.transpose(0, 2, 1)
    ds = f.a * (da - (da * f.a).sum(axis=-1, keepdims=True)) / sqrt(d)  # back through the softmax
    dq = (ds @ f.k).reshape(-1, d)
    dk = (ds.transpose(0, 2, 1) @ f.q).reshape(-1, d)
    dv = (f.a.transpose(0, 2, 1) @ dy).reshape(-1, d)
    dx = dy.reshape(-1, d) + (dq @ w["W_Q"].T + dk @ w["W_K"].T + dv @ w["W_V"].T)
    x = f.x.reshape(-1, d)
    return {
        "PE": dx.reshape(f.x.shape).sum(axis=0),
        "E": np.eye(KINDS)[:, tokens.ravel()] @ dx,
        "W_Q": x.T @ dq,
        "W_K": x.T @ dk,
        "W_V": x.T @ dv,
        "W_1": f.y.T @ dh,
        "b_1": dh.sum(axis=0),
        "w_2": dz @ f.pooled,
        "b_2": dz.sum(keepdims=True),
    }


# ------------------------------------------------------------------------------------------------------- training


def run(p: Params) -> Iterator[State]:
    """Two nets that differ in their positions only: the same first weights, the same sentences, Adam."""
    rng = np.random.default_rng(p.seed)
    half, answers = sentences(p, HELD_OUT // 2, rng)
    held_out = np.concatenate([half, swapped(half)])
    right = np.concatenate([answers, 1 - answers])
    shape = (p.tokens, 2 * p.pairs)
    positions = {
        "sinusoids": sinusoids(np.arange(p.tokens), p.pairs, p.base),
        "learned": rng.normal(0, 0.5, shape),
        "none": np.zeros(shape),
    }
    first = first_weights(p, rng)
    nets = []
    for encoding in (p.encoding, "none"):
        net = {"PE": positions[encoding].copy()} | {name: w.copy() for name, w in first.items()}
        learned = [name for name in net if name != "PE" or encoding == "learned"]
        nets.append((net, learned, Adam([net[name] for name in learned], p.rate)))

    film = set(kept(p.steps, STATES))
    for step in range(p.steps + 1):
        if step:
            tokens, labels = sentences(p, BATCH, rng)
            for net, learned, optimizer in nets:
                gradients = backward(net, net["PE"], tokens, labels, p.mask)
                optimizer.step([gradients[name] for name in learned])
        if step in film:
            yield measured(p, step, [net for net, _, _ in nets], held_out, right)


def measured(p: Params, step: int, nets: list[Weights], held_out: Array, right: Array) -> State:
    """How often both nets are right on the held-out sentences, and what they say to the reader's sentence."""
    own = np.array([spoken(p), swapped(spoken(p))])
    logits = [forward(net, net["PE"], held_out, p.mask).logits for net in nets]
    answers = np.array([sigmoid(forward(net, net["PE"], own, p.mask).logits) for net in nets])
    accuracy, none_accuracy = (float(np.mean((z > 0) == (right > 0.5))) for z in logits)
    loss, none_loss = (float(binary_cross_entropy(z, right).mean()) for z in logits)
    gap, none_gap = (float(abs(first - other)) for first, other in answers)
    return State(
        step=step,
        accuracy=accuracy,
        none_accuracy=none_accuracy,
        loss=loss,
        none_loss=none_loss,
        gap=gap,
        none_gap=none_gap,
        pe=nets[0]["PE"].copy(),
        answers=answers,
    )
