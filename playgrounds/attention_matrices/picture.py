"""How attention's stages are told and drawn: what is computed for the watched token, step by step."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from playgrounds.attention_matrices.arithmetic import cut, divided, product, safe
from playgrounds.attention_matrices.model import STAGES, Params, State, crossed
from playgrounds.attention_matrices.path import draw_path
from playgrounds.attention_matrices.tables import CELL, FAR, draw_order, draw_tables, reached, watched
from playgrounds.kit import fails, works
from playgrounds.kit.axes import names
from playgrounds.kit.palette import FAINT, INK, PAPER
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import counted, number, vector

PRESETS = (
    works(
        "Order does not count",
        "The tokens are shuffled, and every word keeps the output it had: attention sees a set of words.",
        {"order_error": "<= 1e-12"},
        order="shuffled",
    ),
    fails(
        "Wide and not divided",
        "Products of 64 numbers are large: without the division by √d_k one token takes more than half of the weight.",
        {"largest_weight": ">= 0.5"},
        d_k=64,
        scaled=False,
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What a stage computes, in numbers, for the watched token."""
    state = states[now]
    m = state.seen
    if m is None:
        return f"Your {'other ' * bool(p.text.split())}sentence has no words: type some, with spaces between them."
    i, n, root = watched(p, m), len(m.words), number(sqrt(p.d_k))
    me, them = cut(m.words)[i], cut(m.others)
    best = int(m.A[i].argmax())  # the token it will look at most
    k, Y = (best, "Y") if crossed(p) else (i, "X")  # key and value are calculated for the k-th token of Y
    match STAGES[state.step - 1]:
        case "X":
            place = f" plus the sines and cosines of place {i + 1}" if p.positions else ""
            said = f"Embeddings: x({me}) = {vector(m.X[i])}, drawn at random by the word itself{place}."
            more = f" Only the first {n} of your {len(p.text.split())} words are taken."
            return said + more if len(p.text.split()) > n else said
        case "Q":
            return f"Queries, what a token looks for, Q = X·W_Q: q₁({me}) = {product(m.X[i], m.w.W_Q[:, 0])}."
        case "K":
            return f"Keys, what a token is found by, K = {Y}·W_K: k₁({them[k]}) = {product(m.Y[k], m.w.W_K[:, 0])}."
        case "V":
            source = "Y, the other sentence," if crossed(p) else "X"
            return f"Values, what a token hands over, are {source} times W_V: v({them[k]}) = {vector(m.V[k])}."
        case "S":
            said = f"Scores, each of {n} queries with each of {len(them)} keys, {m.S.size} dot products"
            return f"{said}: q({me})·k({them[best]}) = {product(m.Q[i], m.K[best])}."
        case "Z" if not p.scaled:
            return f"Not divided by √d_k = {root}: the scores stay as large as {number(np.abs(m.S).max())}."
        case "Z":
            change = f"{number(m.S[i, best])} / {root} = {number(m.S[i, best] / sqrt(p.d_k))} for {me} and {them[best]}"
            return f"Divided by √d_k = √{p.d_k} = {root}, so that their size does not grow with d_k: {change}."
        case "mask" if np.isinf(m.Z).any():
            masked = counted(np.isinf(m.Z).sum(), "score")
            return f"Masked: {masked} of later tokens become −∞, so {me} sees {i + 1} of {n}."
        case "mask":
            return f"No score is masked: {me} sees all {len(them)} tokens{'' if crossed(p) else ' and so itself'}."
        case "A":
            total = np.exp(m.Z[i]).sum()
            share = f"e^{vector([m.Z[i, best]], True)} / {number(total)} = {number(m.A[i, best])}"
            return f"Softmax, row by row: {me} gives {them[best]} the weight {share}, of {vector(m.A[i].round(3))}."
    parts = [f"{number(a)}·v({word})" for a, word in zip(m.A[i], them, strict=True)]
    said = f"Outputs, averages of the values: o({me}) = {' + '.join(parts)} = {vector(m.out[i])}."
    if state.order_error is None:
        return f"{said} Being averages they stay between {number(m.V.min())} and {number(m.V.max())}, as V does."
    few, far = "no word's output has changed by more than", "the words' outputs have changed, by up to"
    moved = few if state.order_error < FAR else far
    return f"{said} With the tokens {p.order} {moved} {number(state.order_error)}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The way of the watched token, beside it the weights of all; in another order the outputs of both.

    On demand a table per matrix.
    """
    state = states[now]
    m = state.seen
    if m is None:
        return Picture(60)  # the note says what is wrong with the text
    most = max(len(m.words), len(m.others))
    tables = ("X Q K V", "S Z A O")
    if p.order == "as typed":
        pic = Picture(120 + 36 * most, "path path path map", details=tables, detail_height=110 + CELL * most)
    else:
        pic = Picture(120 + 36 * most, "path order", details=tables, detail_height=110 + CELL * most)
    draw_path(pic, p, state, watched(p, m))
    if p.order == "as typed":
        draw_map(pic, p, state)
    else:
        draw_order(pic, p, state)
    draw_tables(pic, p, state)
    return pic


def draw_map(pic: Picture, p: Params, state: State) -> None:
    """The latest of scores and weights of all words, as colours."""
    m = state.seen
    columns = names(safe(m.others), turned=True)
    panel = pic.panel("map", "Row looks at column", columns, names(safe(m.words), down=True), tall=26 * len(m.words))
    values = np.zeros(m.S.shape)
    for name, of in (("S", m.S), ("Z", divided(p, m)), ("A", m.A)):
        if reached(state, name):
            values = of / max(np.abs(of).max(), 1e-9)
    panel.table(values)
    if reached(state, "mask"):
        for i, j in np.argwhere(np.isinf(m.Z)):
            panel.block((j - 0.5, j + 0.5), (-i - 0.5, -i + 0.5), PAPER, edge=FAINT)
    row = watched(p, m)
    panel.frame((-0.5, len(m.others) - 0.5), (-row - 0.5, -row + 0.5), INK, 2)
