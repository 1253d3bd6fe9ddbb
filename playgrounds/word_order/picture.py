"""How the training on word order is told and drawn."""

from collections.abc import Sequence
from math import log

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import names, share, span, steps
from playgrounds.kit.palette import SERIES
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import number
from playgrounds.word_order.model import HELD_OUT, Params, State

PRESETS = (
    works(
        "Learned positions",
        "A vector per position, trained like the words: the task is solved as well, and the stripes are noise.",
        {"accuracy": ">= 0.95", "none_accuracy": "== 0.5"},
        encoding="learned",
    ),
    works(
        "Causal mask, no positions",
        "A word that sees only what came before it knows its place: the mask breaks the symmetry, too.",
        {"none_accuracy": ">= 0.95", "none_gap": "> 0.5"},
        encoding="none",
        mask=True,
    ),
    fails(
        "No positions",
        "Attention and the mean over the words treat a sentence as a bag: both orders get one answer.",
        {"accuracy": "== 0.5", "gap": "< 1e-9"},
        encoding="none",
    ),
)

WITH, WITHOUT = SERIES[2], SERIES[3]
SOLVED = 0.95  # of the held-out sentences are right
LN_2 = log(2)  # the loss of answers that know nothing
NAMES = {"sinusoids": "Sinusoids", "learned": "Learned positions", "none": "No positions"}


def percent(part: float) -> str:
    return f"{number(round(100 * part, 1))} %"


def note(p: Params, states: Sequence[State], now: int) -> str:
    """How often both nets are right, and why the one without positions is not."""
    state = states[now]
    solved = next((s.step for s in states[: now + 1] if s.accuracy > SOLVED), None)
    name = {"sinusoids": "With sinusoids", "learned": "With learned positions", "none": "Without positions"}[p.encoding]
    lower = name[0].lower() + name[1:]
    blind = f"the net without them {percent(state.none_accuracy)}"
    if now == 0:
        return (
            f"Before training: {lower} {percent(state.accuracy)} of {HELD_OUT} held-out sentences are right, {blind}. "
            f"Half of them are the others with the two words swapped, so a net that cannot see the order has 50 %."
        )
    if p.encoding == "none" and state.step != solved:
        when = f"after {p.steps} steps" if state.step == p.steps else f"at step {state.step}"
        loss = f"loss {number(state.loss)} (ln 2 = {number(LN_2)})"
        return f"{name} {percent(state.accuracy)} right {when}, {loss}: {why(p, state)}."
    if state.step == p.steps:
        learned = "it has not solved the task"
        if solved is not None:
            learned = f"by step {solved} more than 95 % were right"
        without = f"Without positions {percent(state.none_accuracy)}, loss {number(state.none_loss)}"
        return (
            f"{name} {percent(state.accuracy)} right after {p.steps} steps, loss {number(state.loss)}; {learned}. "
            f"{without} (ln 2 = {number(LN_2)}): {why(p, state)}."
        )
    loss = f"loss {number(state.loss)}; {blind}"
    if state.step == solved and states[now - 1].accuracy <= SOLVED:
        return f"Step {state.step}: solved. {name} {percent(state.accuracy)} are right, {loss}."
    return f"Step {state.step}: {lower} {percent(state.accuracy)} right, {loss}: {why(p, state)}."


def why(p: Params, state: State) -> str:
    """What the net without positions makes of the two orders."""
    same = f"its two answers to a sentence and the swapped one differ by {number(state.none_gap, 2)}"
    if p.mask:
        return f"{same}, as the mask tells a word what came before it"
    return f"{same}, for both hold the same words" if state.none_gap < 1e-9 else same


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Held-out accuracy by step; both nets' answers to the reader's sentence; the encoding and its dot products."""
    state = states[now]
    size, d = state.pe.shape
    places, dimensions = span(-0.5, size - 0.5, ticks=7), span(-0.5, d - 0.5, "dimension", ticks=6)
    unruled = {"showgrid": False}
    pic = Picture(480, "right right answers answers", "pe pe pe products")
    right = pic.panel("right", "Held-out sentences right", steps(p.steps), share(low=0.3, high=1.04))
    answers = pic.panel("answers", "P(blue word before orange)", names(["your sentence", "swapped"]), share())
    pe = pic.panel("pe", f"{NAMES[p.encoding]}: position ↑", dimensions | unruled, places | unruled)
    products = pic.panel("products", "PE · PE of two positions", places | unruled, places | unruled)

    right.history(states, lambda s: s.accuracy, NAMES[p.encoding].lower(), WITH, hover="%{y:.1%} at step %{x}")
    right.history(states, lambda s: s.none_accuracy, "without", WITHOUT, dash="dash", hover="%{y:.1%} at step %{x}")
    pic.cursor(state.step, right)
    answers.level(0.5)
    for side, (name, colour) in zip((-0.17, 0.17), (("with", WITH), ("without", WITHOUT)), strict=True):
        of = state.answers[0 if side < 0 else 1]
        answers.columns(np.maximum(of, 0.012), colour, wide=0.3, at=[side, 1 + side])
        answers.key("■", name, colour)

    ends, across = (-0.5, size - 0.5), (-0.5, d - 0.5)
    pe.field(state.pe, across, ends, smooth=False)
    dot = state.pe @ state.pe.T
    products.field((dot - dot.min()) / max(float(np.ptp(dot)), 1e-9), ends, ends, scale="sequential", smooth=False)
    at, i = np.indices(state.pe.shape).reshape(2, -1)
    said = [f"position {a}, dimension {b}: {number(v)}" for a, b, v in zip(at, i, state.pe.ravel(), strict=True)]
    pe.hover(i, at, said, size=8)
    a, b = np.indices(dot.shape).reshape(2, -1)
    products.hover(
        b, a, [f"PE({x}) · PE({y}) = {number(v)}" for x, y, v in zip(a, b, dot.ravel(), strict=True)], size=8
    )

    words = p.words
    other = [words[-1], *words[1:-1], words[0]]
    colours = [0, *[None] * (len(words) - 2), 1]
    at_position = [f"position {i}" for i in range(len(words))]
    pic.chips("Your sentence", words, colours, at_position)
    pic.chips("Swapped: the same words, so without positions the same input", other, colours[::-1], at_position)
    return pic
