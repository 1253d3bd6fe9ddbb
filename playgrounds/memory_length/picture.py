"""How the trainings at several lengths are told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import exponents, powers, share, span, steps, ticked
from playgrounds.kit.palette import MUTED, SERIES
from playgrounds.kit.picture import Picture
from playgrounds.kit.training import kept
from playgrounds.kit.words import number, percent, subscript
from playgrounds.memory_length.model import EVERY, Params, State

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
    """Accuracy and gradient by length, one net each; their trainings; how many parameters they have."""
    state, end = states[now], states[-1]
    film, spots = kept(p.steps, EVERY), np.log2(p.lengths)
    by_length = ticked(spots[0] - 0.3, spots[-1] + 0.3, spots.tolist(), [str(T) for T in p.lengths])
    pic = Picture(
        490,
        *2 * ["accuracy accuracy accuracy training training"],
        "ratio ratio ratio training training",
        details=["parameters"],
        detail_height=170,
    )
    accuracy = pic.panel("accuracy", f"{p.cell}: accuracy after {p.steps} steps, by T", by_length, share(), tall=260)
    training = pic.panel("training", "Accuracy by step, T =", steps(1.03 * p.steps, ticks=4), share(), tall=220)
    ratio = pic.panel("ratio", "|∂h_q/∂x_1| : |∂h_q/∂x_q| before training", by_length, powers(end.ratios), tall=150)
    count = pic.panel("parameters", "Parameters by T", by_length, span(0, 1.3 * state.parameters, ticks=3))

    accuracy.level(1 / p.symbols, name="chance")
    training.level(1 / p.symbols)
    power = exponents(end.ratios)
    accuracy.curve(spots, end.accuracies[:, -1], colour=MUTED, hover="%{y:.1%}", later=True)
    ratio.curve(spots, power, colour=MUTED, hover="10^%{y:.1f}", later=True)
    for i, (spot, T) in enumerate(zip(spots, p.lengths, strict=True)):
        training.curve(film, end.accuracies[i], str(T), SERIES[i], hover="%{y:.1%} at step %{x}", later=True)
        known = np.flatnonzero(np.isfinite(state.accuracies[i]))
        if len(known):
            last = known[-1]
            accuracy.dot(spot, state.accuracies[i, last], SERIES[i], 16)
            training.dot(film[last], state.accuracies[i, last], SERIES[i], 10)
            ratio.dot(spot, power[i], SERIES[i], 12)
            count.block((spot - 0.2, spot + 0.2), (0, state.parameters), SERIES[i])
    return pic
