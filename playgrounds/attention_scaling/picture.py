"""How the softmax of ever wider queries and keys is told and drawn."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from playgrounds.attention_scaling.model import BINS, DOUBLINGS, PAIRS, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log_ticked, names, share, span
from playgrounds.kit.palette import BLUE, MUTED, ORANGE
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
    """One query's weights at this d_k, largest weight and slope by d_k; on demand all scores and their variance."""
    state = states[now]
    colour = BLUE if p.scaled else ORANGE
    what = "q·k / √d_k" if p.scaled else "q·k"
    pic = Picture(460, "weights largest", "weights slope", details=("scores variance",), detail_height=230)
    keys = names([""] * p.keys)
    weights = pic.panel("weights", f"One query's weights on its {p.keys} keys", keys, share(high=1.12), tall=260)
    largest = pic.panel("largest", "Mean largest weight", BY_WIDTH, share())
    slope = pic.panel("slope", "Slope Σ α(1 − α)", BY_WIDTH, span(0, 1.03))
    scores = pic.panel("scores", f"All scores {what}", span(-state.edge, state.edge, ticks=7), span(0, 1.08))
    variance = pic.panel("variance", f"Variance of {what}", BY_WIDTH, VARIANCE)

    draw_weights(weights, state, colour)
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


def draw_weights(weights: Panel, state: State, colour: str) -> None:
    """A bar per key, and the arithmetic of each on pointing."""
    few = len(state.a) <= 12
    weights.columns(state.a, colour, wide=0.8, texts=[f"{a:.0%}" if few or a > 0.1 else "" for a in state.a])
    total = np.exp(state.z).sum()
    said = [f"e^{number(z)} / {number(total)} = {number(a)}" for z, a in zip(state.z, state.a, strict=True)]
    weights.hover(np.arange(len(said)), np.full(len(said), 0.1), said, size=24)
