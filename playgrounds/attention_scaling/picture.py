"""How the softmax of ever wider queries and keys is told and drawn."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from playgrounds.attention_scaling.model import BINS, DOUBLINGS, PAIRS, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, log_ticked, share, span
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

PRESETS = (
    works(
        "Divided by √d_k",
        "The scores keep a variance of 1 at every width, so the weights stay as even as they were.",
        {"largest_weight": "<= 0.35", "passed_gradient": ">= 0.75"},
    ),
    fails(
        "Without √d_k",
        "The scores are not divided, their variance grows with d_k, and one of ten keys takes nearly all the weight.",
        {"largest_weight": ">= 0.9", "passed_gradient": "<= 0.15"},
        scaled=False,
    ),
)

WIDEST = 2**DOUBLINGS
BY_WIDTH = log_ticked(0.85, 1.2 * WIDEST, [1, 4, 16, 64, 256], title="d_k")
# Where the columns of the drawing stand, from left to right, and the heading above them.
VECTORS, SCORES, SHARES, HEADING = (0, 34), (40, 68), 74, 2.2
FULL = 26  # length of a weight of 1
LARGE = 2.5  # a number of a vector that has the full colour
VARIANCE = log_ticked(0.5, 500, [1, 10, 100])  # the same whether it grows or not


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What this width does to scores, weights and gradients."""
    state = states[now]
    d_k = state.step
    pairs = PAIRS // p.keys * p.keys
    said = f"With d_k = {d_k}, q·k has variance {number(state.score_variance)} over {pairs:,} pairs"
    if p.scaled:
        said += f", divided by √d_k = {number(sqrt(d_k))} it is {number(state.given_variance)}"
    else:
        said += ", not divided"
    said += f"; the largest of {p.keys} weights is {number(state.largest_weight)} on average, and the slope"
    said += f" Σ α(1 − α) that gradients pass is {number(state.passed_gradient)}"
    if d_k < WIDEST:
        return f"{said}."
    return (
        f"{said}: {'nearly as at d_k = 4' if p.scaled else 'one key takes nearly all, hardly any gradient comes back'}."
    )


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """A query meets its keys; largest weight and slope by d_k; on demand all scores and their variance."""
    state = states[now]
    colour = BLUE if p.scaled else ORANGE
    what = "q·k / √d_k" if p.scaled else "q·k"
    pic = Picture(460, *2 * ["weights weights largest"], *2 * ["weights weights slope"], details=("scores variance",))
    across, down = bare(-21, 112), bare(0.4 - p.keys, 2.7)
    weights = pic.panel("weights", "One query meets its keys", across, down, tall=26 * (p.keys + 3))
    largest = pic.panel("largest", "Mean largest weight", BY_WIDTH, share())
    slope = pic.panel("slope", "Slope Σ α(1 − α)", BY_WIDTH, span(0, 1.03))
    scores = pic.panel("scores", f"All scores {what}", span(-state.edge, state.edge, ticks=7), span(0, 1.08))
    variance = pic.panel("variance", f"Variance of {what}", BY_WIDTH, VARIANCE)

    draw_vectors(weights, p, state)
    draw_weights(weights, p, state, colour)
    measured = {"colour": colour, "mode": "lines+markers", "hover": "%{y:.3g} at d_k = %{x}"}
    largest.history(states, lambda s: s.largest_weight, **measured)
    largest.level(1 / p.keys, name=f"even, 1/{p.keys}")
    slope.history(states, lambda s: s.passed_gradient, **measured)
    variance.history(states, lambda s: s.given_variance, **measured)
    expected = [1, 1] if p.scaled else [1, WIDEST]
    variance.curve([1, WIDEST], expected, "1" if p.scaled else "d_k", MUTED, dash="dot", width=1.5, hover="")
    edges = np.linspace(-state.edge, state.edge, BINS + 1)
    scores.path(np.repeat(edges, 2)[1:-1], np.repeat(state.counts, 2), colour, 2)
    pic.cursor(state.step, largest, slope, variance)
    return pic


def draw_vectors(weights: Panel, p: Params, state: State) -> None:
    """The query above its keys, each cut into d_k numbers, so that a product stands above the other."""
    cells = WIDEST // state.step
    weights.text(sum(VECTORS) / 2, HEADING, f"d_k = {state.step}", INK)
    weights.text(-1, 1.15, "query", INK, place="left")
    weights.strip(np.repeat(state.q / LARGE, cells), VECTORS, (0.8, 1.5), INK)
    weights.strips(np.repeat(state.k / LARGE, cells, axis=1), VECTORS, MUTED)
    for i in range(p.keys):
        weights.text(-1, -i, f"key {i + 1}", MUTED, place="left")


def draw_weights(weights: Panel, p: Params, state: State, colour: str) -> None:
    """The score of every key as a bar to either side, and the share of the weight that it gets."""
    middle, half = sum(SCORES) / 2, (SCORES[1] - SCORES[0]) / 2
    weights.text(middle, HEADING, "q·k / √d_k" if p.scaled else "q·k", INK)
    weights.text(SHARES, HEADING, "weight", colour, place="right")
    weights.line((middle, 0.5), (middle, 0.5 - p.keys), FAINT, 1)
    for i, (z, a) in enumerate(zip(state.z, state.a, strict=True)):
        row = -i - 0.35, -i + 0.35
        weights.block((middle, middle + half * float(np.clip(z / state.edge, -1, 1))), row, MUTED)
        weights.block((SHARES, SHARES + FULL * a), row, colour)
        weights.text(SHARES + FULL * a + 0.5, -i, f"{a:.0%}", place="right")
    total = np.exp(state.z).sum()
    said = [f"e^{number(z)} / {number(total)} = {number(a)}" for z, a in zip(state.z, state.a, strict=True)]
    weights.hover(np.full(p.keys, SHARES), -np.arange(p.keys), said, size=24)
