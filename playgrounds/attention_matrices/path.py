"""The way of one token: its query meets the keys, the scores become weights, and the weights mix the values."""

from math import sqrt

import numpy as np

from playgrounds.attention_matrices.arithmetic import arithmetic, cut, divided, plain, safe
from playgrounds.attention_matrices.model import Params, State, crossed
from playgrounds.attention_matrices.tables import CELL, GREEN, reached
from playgrounds.kit.axes import bare
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number, percent

# The columns of the drawing, from left to right, in hundredths of its width.
NAME, X, KEY, SCORE, WEIGHT, VALUE, OUT = 13, (15, 25), (29, 41), (45, 54), (62, 72), (80, 89), (96, 105)
HEADING, QUERY = 2.1, 1.0  # heights above the first row
SHARE = 10  # length of the bar of a weight of 1


def draw_path(pic: Picture, p: Params, state: State, row: int) -> None:
    """A row for every token that the watched one looks at; what is to come is empty."""
    m = state.seen
    n = len(m.others)
    me = safe(m.words)[row]
    panel = pic.panel("path", f"What {me} collects", bare(0, 110), bare(0.4 - n, 2.6), tall=CELL * (n + 3))
    draw_vectors(panel, p, state, row)
    for i, word in enumerate(cut_short(m.others)):
        panel.text(NAME, -i, word, INK if i == row and not crossed(p) else MUTED, place="left")
    draw_scores(panel, p, state, row)
    draw_weights(panel, state, row)
    draw_output(panel, state, row)


def cut_short(words: list[str]) -> list[str]:
    """Names that have room in the first column, on a phone as well."""
    return safe(cut(words, 6))


def draw_vectors(panel: Panel, p: Params, state: State, row: int) -> None:
    """The words, the query on top of the keys, and the values."""
    m = state.seen
    parts = (("X", m.Y, X, MUTED, "word"), ("K", m.K, KEY, ORANGE, "key"), ("V", m.V, VALUE, GREEN, "value"))
    for stage, values, x, colour, heading in parts:
        there = reached(state, stage)
        panel.strips(scaled(values) if there else np.zeros(values.shape), x, colour if there else FAINT)
        panel.text(sum(x) / 2, HEADING, heading, colour)
        if there:
            told = "Y" if stage == "X" else stage  # the words that are looked at, another sentence's perhaps
            said = [arithmetic(p, m, told, i, 0) for i in range(len(values))]
        panel.hover(
            np.full(len(values), sum(x) / 2), -np.arange(len(values)), said if there else ["to come"] * len(values)
        )
    asked = reached(state, "Q")
    panel.text(KEY[0] - 1, QUERY, f"q of {cut_short(m.words)[row]}", BLUE, place="left")
    panel.strip(
        m.Q[row] / max(np.abs(m.Q).max(), 1e-9) if asked else m.Q[row] * 0,
        KEY,
        (QUERY - 0.35, QUERY + 0.35),
        BLUE if asked else FAINT,
    )


def scaled(values: np.ndarray) -> np.ndarray:
    """Divided by the largest, for their colours."""
    return values / max(np.abs(values).max(), 1e-9)


def draw_scores(panel: Panel, p: Params, state: State, row: int) -> None:
    """The products of the query with each key, then divided, then masked."""
    m = state.seen
    there = reached(state, "S")
    scores = divided(p, m)[row] if reached(state, "Z") else m.S[row]
    panel.text(sum(SCORE) / 2, HEADING, "score", INK)
    panel.text(
        sum(SCORE) / 2, QUERY, f"÷ {number(sqrt(p.d_k), 2)}" if reached(state, "Z") and p.scaled else "q·k", MUTED
    )
    panel.strips(scaled(scores)[:, None] if there else np.zeros((len(scores), 1)), SCORE, FAINT)
    if not there:
        return
    for i, score in enumerate(scores):
        hidden = reached(state, "mask") and np.isinf(m.Z[row, i])
        if hidden:
            panel.block(SCORE, (-i - 0.35, -i + 0.35), PAPER, edge=FAINT)
        panel.text(sum(SCORE) / 2, -i, "−∞" if hidden else plain(score, 1))


def draw_weights(panel: Panel, state: State, row: int) -> None:
    """The softmax of the scores: bars that sum to 1."""
    m = state.seen
    panel.text(sum(WEIGHT) / 2, HEADING, "weight", INK)
    panel.text(sum(WEIGHT) / 2, QUERY, "softmax", MUTED)
    if not reached(state, "A"):
        return
    for i, weight in enumerate(m.A[row]):
        panel.block((WEIGHT[0], WEIGHT[0] + SHARE * weight), (-i - 0.3, -i + 0.3), INK)
        panel.text(WEIGHT[0] + SHARE * weight + 0.8, -i, percent(weight, 2), place="right")


def draw_output(panel: Panel, state: State, row: int) -> None:
    """The values flow together, each as wide as its weight."""
    m = state.seen
    n = len(m.others)
    middle = -(n - 1) / 2
    there = reached(state, "O")
    panel.text(sum(OUT) / 2, HEADING, "output", INK)
    panel.strip(
        m.out[row] / max(np.abs(m.V).max(), 1e-9) if there else m.out[row] * 0,
        OUT,
        (middle - 0.35, middle + 0.35),
        INK if there else FAINT,
    )
    if there:
        starts = np.stack([np.full(n, VALUE[1]), -np.arange(n)], axis=1)
        ends = np.tile([OUT[0], middle], (n, 1))
        panel.arcs(starts, ends, m.A[row], GREEN, level=True, width=16, least=0)
