"""How the training on word order is told and drawn."""

from collections.abc import Sequence
from html import escape
from math import log

import numpy as np

from playgrounds._sinusoids import drawn, frequencies
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names, share, span, steps
from playgrounds.kit.palette import BLUE, FAINT, MUTED, ORANGE, SERIES
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
SHOWN = 50  # positions of the encoding that are drawn
WHERE = {"sinusoids": "right", "learned": "center", "none": "center"}  # of its words the title stands
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
    """The encoding as waves with the words on them; both nets' answers to the reader's sentence; accuracy by step.

    On demand all numbers of the encoding, and its dot products.
    """
    state = states[now]
    pic = Picture(480, "pe answers", "pe right", details=("stripes products",), detail_height=260)
    draw_waves(pic, p, state)
    draw_answers(pic, p, state)
    right = pic.panel("right", "Right", steps(p.steps), share(low=0.3, high=1.06))
    right.history(states, lambda s: s.accuracy, "with", WITH, hover="%{y:.1%} at step %{x}")
    right.history(states, lambda s: s.none_accuracy, "without", WITHOUT, dash="dash", hover="%{y:.1%} at step %{x}")
    pic.cursor(state.step, right)
    draw_details(pic, p, state)
    return pic


def draw_waves(pic: Picture, p: Params, state: State) -> None:
    """A row for some of the dimensions, the fastest and the slowest among them, and the words' places on it."""
    size = len(state.pe)
    chosen = 2 * drawn(p.pairs)
    last = SHOWN - 1 if p.encoding == "sinusoids" else size - 1
    down = names([f"dim {i}" for i in chosen], down=True)
    panel = pic.panel("pe", f"{NAMES[p.encoding]} added to the words", span(-1, last + 1, "position"), down, tall=320)
    panel.y["range"] = [0.5 - len(chosen), 0.9]
    if p.encoding == "sinusoids":
        x = np.linspace(0, last, 400)
        panel.waves(x, np.sin(x[:, None] * frequencies(p.pairs, p.base)[chosen // 2]))
    else:
        panel.waves(np.array([0, last]), np.zeros((2, len(chosen))))
    end = len(p.words) - 1
    panel.cover((-0.5, end + 0.5), (0.5 - len(chosen), 0.9), FAINT, 0.5)
    panel.text(end + 0.6 if p.encoding == "sinusoids" else end / 2, 0.7, "your words", MUTED, place=WHERE[p.encoding])
    for at in range(len(p.words)):
        colour = {0: BLUE, end: ORANGE}.get(at, MUTED)
        for row, i in enumerate(chosen):
            panel.dot(at, 0.42 * float(np.clip(state.pe[at, i], -1.2, 1.2)) - row, colour, 9)


def draw_answers(pic: Picture, p: Params, state: State) -> None:
    """The sentence and the one with its two words swapped, and below each what the nets say of it."""
    panel = pic.panel("answers", "P(blue word first)", share(high=1.15), bare(-1.75, 1.7), tall=190)
    panel.cursor(0.5, MUTED, "dot")
    words = safe(p.words)
    n = len(words)
    places = [1.1 * (i + 0.5) / n for i in range(n)]
    middle = [FAINT] * (n - 2)
    sentences = (words, [BLUE, *middle, ORANGE]), ([words[-1], *words[1:-1], words[0]], [ORANGE, *middle, BLUE])
    for row, (texts, edges) in enumerate(sentences):
        top = 1.35 - 1.75 * row
        panel.tokens(texts, places, top, (1.06 / n, 0.5), edges=edges)
        for net, colour in enumerate((WITH, WITHOUT)):
            y = top - 0.55 - 0.4 * net
            panel.block((0, state.answers[net, row]), (y - 0.16, y + 0.16), colour)
            panel.text(state.answers[net, row] + 0.01, y, f"{state.answers[net, row]:.0%}", colour, place="right")
    panel.key("■", "with", WITH)
    panel.key("■", "without", WITHOUT)


def safe(words: Sequence[str]) -> list[str]:
    """Words as they have room in a box, where < would begin markup."""
    most = max(2, 40 // len(words))
    return [escape(word if len(word) <= most else word[: most - 1] + "…") for word in words]


def draw_details(pic: Picture, p: Params, state: State) -> None:
    """All numbers of the encoding, and its dot products."""
    size, d = state.pe.shape
    places, dimensions = span(-0.5, size - 0.5, ticks=7), span(-0.5, d - 0.5, "dimension", ticks=6)
    unruled = {"showgrid": False}
    stripes = pic.panel("stripes", f"{NAMES[p.encoding]}: position ↑", dimensions | unruled, places | unruled)
    products = pic.panel("products", "PE · PE of two positions", places | unruled, places | unruled)
    ends, across = (-0.5, size - 0.5), (-0.5, d - 0.5)
    stripes.field(state.pe, across, ends, smooth=False)
    dot = state.pe @ state.pe.T
    products.field((dot - dot.min()) / max(float(np.ptp(dot)), 1e-9), ends, ends, scale="sequential", smooth=False)
    at, i = np.indices(state.pe.shape).reshape(2, -1)
    said = [f"position {a}, dimension {b}: {number(v)}" for a, b, v in zip(at, i, state.pe.ravel(), strict=True)]
    stripes.hover(i, at, said, size=8)
    a, b = np.indices(dot.shape).reshape(2, -1)
    told = [f"PE({x}) · PE({y}) = {number(v)}" for x, y, v in zip(a, b, dot.ravel(), strict=True)]
    products.hover(b, a, told, size=8)
