"""Masked language modelling on pairs of digits: the answer stands beside the blank, on one side of it."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._encoder import (
    Language,
    Net,
    Weights,
    best_guess,
    corrupted,
    encode,
    example,
    fill_in,
    first_weights,
    parameters,
    predict,
)
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import kept

STATES = 40  # of a training, the start apart, about
QUESTIONS = 300  # new sequences of pairs on which accuracy is measured
PAIRS = 4  # of a sequence

Array = np.ndarray


class Params(kit.Params):
    blank: Literal["left", "right", "either"] = knob(
        "left", label="Masked element", help="of one pair of every sequence"
    )
    sequence: str = knob(
        "4 3 8 7 1 0 6 5",
        0,
        60,
        label="Your sequence",
        help="up to eight digits; _ is a blank, and without one an element of the second pair is masked",
    )
    positions: bool = knob(True, label="Positions", help="embeddings of the places are added")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides first weights and all draws")
    layers: Literal[1, 2] = knob(1, label="Layers", more=True)
    heads: Literal[1, 2, 4] = knob(2, label="Heads", more=True)
    width: Literal[8, 16, 32, 64] = knob(32, label="Width", more=True)
    rate: float = knob(0.005, 0.0001, 0.03, label="Learning rate of Adam", log=True, more=True)
    batch: Literal[16, 32, 64] = knob(32, label="Batch", more=True)
    steps: int = knob(300, 10, 400, label="Steps", step=10, more=True)
    tied: bool = knob(
        False,
        label="Output weights = embeddings",
        more=True,
        help="as in BERT: a word's logit is the product with its own embedding",
    )

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    accuracy: Annotated[float, Metric("filled in: bidirectional net", "%", shown=True)]
    causal_accuracy: Annotated[float, Metric("filled in: causal net", "%", shown=True)]
    # what the best guess reaches that sees all other tokens; without positions: not their order
    best: Annotated[float, Metric("best guess from both sides", "%")]
    causal_best: Annotated[float, Metric("best guess from the left", "%")]
    # from the blank to the other element of its pair
    partner_attention: Annotated[float, Metric("attention on the partner", "%", shown=True)]
    causal_partner_attention: Annotated[float, Metric("the causal net's attention on the partner", "%")]
    first_choice: Annotated[float, Metric("first choice at your blank", "%")]
    causal_first_choice: Annotated[float, Metric("the causal net's first choice at your blank", "%")]
    loss: Annotated[float, Metric("loss on the latest batch")]
    causal_loss: Annotated[float, Metric("the causal net's loss on the latest batch")]
    parameters: Annotated[int, Metric("parameters of each net", "count")]
    tokens: tuple[str, ...]  # the reader's sequence
    guesses: tuple  # for both nets, for every blank, its best Guesses
    attention: Array  # (2, T, T) of both nets over the reader's sequence, mean of the heads
    example: tuple  # of the latest batch


# ----------------------------------------------------------------------------------------------------- the sequences


def pairs(p: Params) -> Language:
    """All 10,000 sequences of 4 pairs ((a + 1) mod 10, a)."""
    rng = np.random.default_rng([p.seed, 1])
    a = np.indices((10,) * PAIRS).reshape(PAIRS, -1).T
    everything = np.stack([(a + 1) % 10, a], axis=2).reshape(-1, 2 * PAIRS)
    row = rng.integers(len(everything), size=QUESTIONS)
    return Language(
        words=tuple("0123456789"),
        everything=everything,
        learned=np.arange(len(everything)),
        row=row,
        at=places(p, rng, QUESTIONS),
    )


def places(p: Params, rng: np.random.Generator, n: int) -> Array:
    """Which token of a sequence of pairs is masked, shape (n,)."""
    either = rng.integers(2, size=n)
    element = either if p.blank == "either" else np.full(n, int(p.blank == "right"))
    return 2 * rng.integers(PAIRS, size=n) + element


def corrupt(p: Params, language: Language, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """A batch: tokens as the net sees them, as they are, and 1 where one is masked, all (batch, T)."""
    y = language.everything[rng.choice(language.learned, p.batch)]
    done = np.zeros_like(y)
    done[np.arange(p.batch), places(p, rng, p.batch)] = 1
    return corrupted(y, done, language, rng), y, done


def maskable(p: Params, language: Language) -> tuple[Array, Array]:
    """Sequence and place of every token that may be masked."""
    row, at = np.nonzero(language.everything < len(language.words))
    if p.blank == "either":
        return row, at
    legal = at % 2 == (p.blank == "right")
    return row[legal], at[legal]


# ------------------------------------------------------------------------------------------------ the reader's sequence


def typed(p: Params) -> list[str]:
    """The digits and blanks that the reader has typed."""
    return re.findall(r"[0-9_]", p.sequence)


def reader(p: Params, language: Language) -> tuple[tuple[str, ...], Array]:
    """The reader's sequence as texts, _ for a blank, and as tokens (1, T). Without a blank one token is made one."""
    tokens = typed(p)[: 2 * PAIRS] or ["_"]
    if "_" not in tokens:
        tokens[min(2 + (p.blank == "right"), len(tokens) - 1)] = "_"
    ids = [language.mask if token == "_" else int(token) for token in tokens]
    return tuple(tokens), np.array([ids])


def right_answer(tokens: Sequence[str]) -> str:
    """The digit that belongs into the first blank of a sequence of pairs, "" if its partner is not there."""
    at = tokens.index("_")
    partner = at ^ 1
    if partner >= len(tokens) or tokens[partner] == "_":
        return ""
    step = -1 if at % 2 else 1
    return str((int(tokens[partner]) + step) % 10)


# ------------------------------------------------------------------------------------------------------ the training


def net_of(p: Params) -> Net:
    return Net(layers=p.layers, heads=p.heads, width=p.width, positions=p.positions, tied=p.tied)


def run(p: Params) -> Iterator[State | None]:
    """Both nets see the same batches; Adam's steps are bounded, so that no rate of the knob makes them overflow."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)  # so small a net is faster on one
    net = net_of(p)
    language = pairs(p)
    row, at = maskable(p, language)
    best = best_guess(language, row, at, ordered=p.positions)
    yield None
    causal_best = best_guess(language, row, at, causal=True)
    yield None
    w = first_weights(net, language, np.random.default_rng([p.seed, 3]))
    optimizer = torch.optim.Adam(w.values(), lr=p.rate, fused=True)
    rng, film = np.random.default_rng([p.seed, 4]), set(kept(p.steps, STATES))
    for step in range(p.steps + 1):
        x, y, done = corrupt(p, language, rng)
        sequence, masked = np.nonzero(done)
        h, _ = encode(w, x, net, language)
        logits = predict(w, h[:, sequence, masked])
        target = torch.from_numpy(y[sequence, masked])
        losses = torch.stack([cross_entropy(z, target) for z in logits])
        if step in film:
            loss, causal_loss = losses.tolist()
            yield State(
                step=step,
                best=best,
                causal_best=causal_best,
                loss=loss,
                causal_loss=causal_loss,
                parameters=parameters(w),
                example=example(language, x, y, done),
                **measured(p, net, language, w),
            )
        if step < p.steps:
            optimizer.zero_grad()
            losses.sum().backward()
            optimizer.step()
            yield None


def measured(p: Params, net: Net, language: Language, w: Weights) -> dict[str, Any]:
    """How often both nets are right in new sequences, where they look, and what they say to the reader's."""
    import torch

    row, at = np.arange(len(language.at)), language.at
    question = language.everything[language.row]
    truth = question[row, at]
    question[row, at] = language.mask
    tokens, own = reader(p, language)
    with torch.no_grad():
        h, attention = encode(w, question, net, language)
        answer = predict(w, h[:, row, at])[..., : len(language.words)].argmax(dim=-1).numpy()
        partner = attention[:, row, :, at].mean(dim=2)[row, :, at ^ 1]
        guesses, looks = fill_in(w, own, net, language)
    accuracy, causal_accuracy = (answer == truth).mean(axis=1).tolist()
    partner_attention, causal_partner_attention = partner.double().mean(dim=0).tolist()
    return {
        "accuracy": accuracy,
        "causal_accuracy": causal_accuracy,
        "partner_attention": partner_attention,
        "causal_partner_attention": causal_partner_attention,
        "first_choice": guesses[0][0][0].probability,
        "causal_first_choice": guesses[1][0][0].probability,
        "tokens": tokens,
        "guesses": guesses,
        "attention": looks,
    }
