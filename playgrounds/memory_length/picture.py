"""How the trainings at several lengths are told and drawn."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import exponents, names, share, span, steps, ticked
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.training import kept
from playgrounds.kit.words import number, percent, subscript
from playgrounds.memory_length.model import EVERY, SOLVED, Params, State

PRESETS = (
    fails(
        "RNN, up to 40 symbols",
        "A plain RNN recalls the first of ten symbols and no longer that of twenty: no gradient reaches back so far.",
        {"accuracy": "<= 0.3", "longest_solved": "<= 10", "untrained_ratio": "<= 0.001"},
        T=40,
    ),
    works(
        "LSTM, up to 20 symbols",
        "With forget bias 3 the cell carries symbol and gradient, and every length is solved.",
        {"accuracy": ">= 0.95", "longest_solved": ">= 20", "untrained_ratio": ">= 0.1"},
        T=20,
        cell="LSTM",
        bias=3.0,
    ),
)


RECALLED = SERIES[3]  # the first symbol, which is asked for at the end
TALL = 0.6  # of a box
FAINTEST = 5.0  # powers of ten below that of the last symbol at which an influence is no longer seen
PIXELS = 32  # along the sides of a strip, at least: where one has far fewer than the other the browser blurs it


def slope(q: int, t: int) -> str:
    return f"|∂h{subscript(q)}/∂x{subscript(t)}|"


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Accuracy at this length; at the end, how far the net remembers."""
    state = states[now]
    said = f"Length {state.T}, step {state.training_step} of {p.steps}: {percent(state.accuracy)} of answers are right "
    said += f"(chance {percent(1 / p.symbols)}), with {state.parameters:,} parameters as at every length. "
    if state.T == p.T and state.training_step == p.steps:
        said += f"The longest solved is {state.longest_solved:g}. " if state.longest_solved else "None is solved. "
    first, last = slope(state.q, 1), slope(state.q, state.q)
    return f"{said}Before training, {first} is {number(state.untrained_ratio)} times {last}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """A sequence of every length with what reaches back to its symbols, and how often its net is right."""
    state, rows = states[now], len(p.lengths)
    known = [np.flatnonzero(np.isfinite(one)) for one in state.accuracies]
    accuracy_of = [one[last[-1]] if len(last) else None for one, last in zip(state.accuracies, known, strict=True)]
    lengths = names([f"{T} symbols" for T in p.lengths], down=True)
    pic = Picture(400, "reach reach reach reach accuracy accuracy", details=("training parameters",))
    back = [T for T in range(0, p.T, max(1, p.T // 8))]
    before = ticked(0.3 - p.T, 0.6, [-k for k in back], back, "symbols before the answer") | {"showgrid": False}
    reach = pic.panel("reach", "Gradient", before, lengths, tall=60 + 40 * rows)
    reach.key("■", "strong", INK)
    reach.key("□", "to recall", RECALLED)
    for row, T in enumerate(p.lengths):
        draw_sequence(reach, row, T, state.reaches[row] if row < len(state.reaches) else None)

    right = names([str(T) for T in p.lengths], down=True)
    accuracy = pic.panel(
        "accuracy",
        f"{p.cell}: right answers",
        ticked(0, 1.55, (0, 0.5, 1), ("0", "50%", "100%")),
        right,
        tall=60 + 40 * rows,
    )
    for row, value in enumerate(accuracy_of):
        if value is not None:
            solved = value >= SOLVED
            accuracy.block((0, value), (-row - 0.3, -row + 0.3), SERIES[2] if solved else MUTED)
            accuracy.text(value, -row, f"\u2002{percent(value, 2)}{' ✓' if solved else ''}", place="right")
    accuracy.cursor(1 / p.symbols, INK, "dot")
    accuracy.key("┄", "chance", INK)

    film, end = kept(p.steps, EVERY), states[-1]
    training = pic.panel("training", "Right answers by step, T =", steps(1.03 * p.steps, ticks=4), share(), tall=220)
    training.level(1 / p.symbols)
    for i, T in enumerate(p.lengths):
        training.curve(film, end.accuracies[i], str(T), SERIES[i], hover="%{y:.1%} at step %{x}", later=True)
        if len(known[i]):
            training.dot(film[known[i][-1]], accuracy_of[i], SERIES[i], 10)
    count = pic.panel("parameters", "Parameters at every length", span(0, 1.4 * state.parameters, ticks=3), lengths)
    count.rows(np.full(rows, state.parameters), FAINT, texts=[f"\u2002{state.parameters:,}"] * rows)
    return pic


def draw_sequence(reach: Panel, row: int, T: int, acts: np.ndarray | None) -> None:
    """A box for every symbol, the answer's on the right, the darker the more the symbol acts on the state there."""
    places = np.arange(1 - T, 1)
    shade = np.zeros(T) if acts is None else 1 + exponents(acts) / FAINTEST
    fine = np.clip(shade, 0, 1)[None].repeat(PIXELS, axis=0).repeat(ceil(PIXELS / T), axis=1)
    reach.field(fine, (0.5 - T, 0.5), (-row - TALL / 2, -row + TALL / 2), scale="sequential", smooth=False)
    reach.boxes(places, -row, 1, TALL, PAPER, 2)
    reach.boxes(places, -row, 0.9, TALL, FAINT, 1)
    reach.boxes([1 - T], -row, 0.9, TALL, FAINT if acts is None else RECALLED, 3)
