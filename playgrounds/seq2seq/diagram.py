"""The two nets as they are drawn: a chain that reads, what passes on to the one that writes, and what comes out."""

from typing import NamedTuple

import numpy as np

from playgrounds.kit.axes import bare
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number
from playgrounds.seq2seq.model import ALPHABET, Params, State, solve

PLAIN, ATTENTION = ORANGE, BLUE
WIDEST = 40  # numbers of a vector that is as wide as the panel
# Heights in the drawing, from below: the letters due, those written, the decoder, the vector, the encoder, the input.
DUE, WRITES, DECODER, VECTOR, ENCODER, READS = 0.3, 1.6, 3.2, 5.4, 7.6, 9.2
BOX = (0.84, 1.3)


class Written(NamedTuple):
    """The reader's sequence and what a net has made of it so far."""

    own: np.ndarray  # (n,) letters
    target: np.ndarray
    letters: np.ndarray  # the net's
    chances: np.ndarray  # (n, letters of the vocabulary) and their probabilities
    there: np.ndarray  # (n,) whether they are written yet


def written(p: Params, state: State, net: int) -> Written:
    """By the plain net (0) or the one with attention (1)."""
    own = np.array(p.typed)
    there = np.arange(len(own)) < state.written
    chances = state.probs[net]
    return Written(own, solve(p.task, own[:, None])[:, 0], chances.argmax(axis=1), chances, there)


def net_panel(pic: Picture, p: Params, name: str, title: str) -> Panel:
    """A panel with room for as many letters side by side as the reader's sequence has."""
    return pic.panel(name, title, bare(-0.7, len(p.typed) - 0.3), bare(-0.3, 10), tall=250)


def draw_plain(panel: Panel, p: Params, state: State, is_writing: bool) -> None:
    """Encoder and decoder as chains of units, and between them the one vector, as wide as it has numbers."""
    n = len(p.typed)
    middle, half = (n - 1) / 2, n * len(state.vector) / WIDEST / 2
    left, right = middle - half, middle + half
    panel.wire([(n - 1, ENCODER), (right, VECTOR + 0.5)], PLAIN, 3, head="down")
    panel.wire([(left, VECTOR - 0.5), (0, DECODER)], PLAIN, 3)
    panel.strip(state.vector, (left, right), (VECTOR - 0.5, VECTOR + 0.5), PLAIN)
    panel.text(-0.5, (VECTOR + 0.5 + ENCODER) / 2, "encoder reads →", MUTED, place="right")
    panel.text(n - 0.5, (VECTOR - 0.5 + DECODER) / 2, "decoder writes →", MUTED, place="left")
    draw_chains(panel, n, state, PLAIN, chained=True)
    draw_letters(panel, written(p, state, 0), state, is_writing)


def draw_attention(panel: Panel, p: Params, state: State, is_writing: bool) -> None:
    """A line from every letter written to every letter read, as thick as its weight."""
    n = len(p.typed)
    rows, columns = np.indices(state.weights.shape).reshape(2, -1)
    weights = state.weights.ravel()
    newest = rows == state.written - 1 if is_writing else rows < n
    older = (rows < state.written) & ~newest
    for some, colour in ((older, MUTED), (newest, ATTENTION)):
        starts = np.stack([rows[some], np.full(some.sum(), DECODER)], axis=1)
        ends = np.stack([columns[some], np.full(some.sum(), ENCODER)], axis=1)
        strong = colour == ATTENTION
        panel.arcs(starts, ends, weights[some], colour, width=9 if strong else 3, least=0.02 if strong else 0.1)
    draw_chains(panel, n, state, ATTENTION, chained=p.queries == "decoder state")
    draw_letters(panel, written(p, state, 1), state, is_writing)


def draw_chains(panel: Panel, n: int, state: State, colour: str, chained: bool) -> None:
    """A unit per letter read and one per letter written; chained: each hands its state to the next."""
    places = np.arange(n)
    for y in (ENCODER, DECODER):
        if chained:
            panel.wire([(0, y), (n - 1, y)], colour, 2)
    panel.strokes([[(i, ENCODER), (i, READS - BOX[1] / 2)] for i in places], MUTED, 1)
    panel.strokes([[(i, DECODER), (i, WRITES + BOX[1] / 2)] for i in places[: state.written]], MUTED, 1)
    for i in places:
        panel.dot(i, ENCODER, colour, 9)
        panel.dot(i, DECODER, colour if i < state.written else FAINT, 9)


def draw_letters(panel: Panel, seen: Written, state: State, is_writing: bool) -> None:
    """What is read, what is written, underlined where it is wrong, and there the letter that was due."""
    places = np.arange(len(seen.own))
    wrong = seen.there & (seen.letters != seen.target)
    panel.tokens([ALPHABET[c] for c in seen.own], places, READS, BOX)
    texts = [ALPHABET[c] if done else "" for c, done in zip(seen.letters, seen.there, strict=True)]
    newest = [INK if is_writing and i == state.written - 1 else FAINT for i in places]
    panel.tokens(texts, places, WRITES, BOX, edges=newest, wrong=wrong, fills=[PAPER] * len(places))
    for i in np.flatnonzero(wrong):
        panel.text(i, DUE, ALPHABET[seen.target[i]], MUTED)
    panel.hover(places, np.full(len(places), WRITES), [said(seen, i) for i in places])


def said(seen: Written, i: int) -> str:
    """A letter written and how sure the net is of it."""
    if not seen.there[i]:
        return "not written yet"
    letter, due = seen.letters[i], seen.target[i]
    sure = f"p({ALPHABET[letter]}) = {number(seen.chances[i, letter], 2)}"
    return sure if letter == due else f"{sure}, p({ALPHABET[due]}) = {number(seen.chances[i, due], 2)} was due"
