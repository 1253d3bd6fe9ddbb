"""What the pictures of two encoders share: the sequence as each net reads it and fills it in, and their course."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from playgrounds._encoder import TOP, Guess
from playgrounds.kit.axes import Axis, bare, share, steps
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture

NETS = (("bidirectional", BLUE), ("causal", ORANGE))
FATES = {1: ("masked", SERIES[2]), 2: ("random", SERIES[3]), 3: ("kept", SERIES[4])}  # what is done to a chosen word

# Heights in the panel of a net: its tokens are around 0.
BOX, ARCS, FIRST, BAR = 0.42, 1.75, -0.75, 0.52  # half a box; the highest arc; top of the first bar; a bar with its gap
LOWEST = FIRST - TOP * BAR
HALF = 0.46  # of a token's box, across


def percent(part: float) -> str:
    """To one digit after the point."""
    if 0 < 100 * part < 0.05:
        return "<0.1 %"
    return f"{100 * part:.1f} %".replace(".0", "")


def clip(word: str, most: int) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"


def cut(tokens: Sequence[str], typed: Sequence[str]) -> str:
    """Whether the reader's sequence was too long."""
    return f"; yours is cut to the {len(tokens)} places that the nets have" if len(tokens) < len(typed) else ""


# ------------------------------------------------------------------------------------ what a net sees, and what it says


def draw_nets(pic: Picture, state: Any, places: Sequence[float], right: str = "", unknown: Sequence[int] = ()) -> None:
    """For both nets a panel: the reader's sequence at these places, what the blank looks at, what the net says there.

    right: the word that belongs into the first blank, if one does; unknown: the places of tokens that no net knows.
    """
    axes = bare(places[0] - 0.6, places[-1] + 0.6), bare(LOWEST, ARCS)
    titles = ("Bidirectional net: sees both sides", "Causal net: sees only the left")
    for net, (name, title) in enumerate(zip(("both", "left"), titles, strict=True)):
        panel = pic.panel(name, title, *axes, tall=270)
        first = state.tokens.index("_")
        colour = NETS[net][1] if state.step else MUTED  # what an untrained net says is no result
        draw_arcs(panel, places, first, state.attention[net, first], colour)
        draw_tokens(panel, net, state, places, unknown)
        draw_candidates(panel, state.guesses[net][0], axes[0]["range"], colour, right if state.step else "")


def draw_tokens(panel: Panel, net: int, state: Any, places: Sequence[float], unknown: Sequence[int]) -> None:
    """The sequence: blanks with the net's first choice, and faint what it may not see from the first of them."""
    most = max(4, 45 // len(places))
    blanks = [i for i, token in enumerate(state.tokens) if token == "_"]
    said = dict(zip(blanks, state.guesses[net], strict=False))  # there may be more blanks than are filled in
    for i, (token, x) in enumerate(zip(state.tokens, places, strict=True)):
        is_hidden = net == 1 and i > blanks[0]
        sides = (x - HALF, x + HALF), (-BOX, BOX)
        if token == "_":
            text = clip(said[i][0].word, most) if state.step and i in said else "?"
            edge = NETS[net][1] if i == blanks[0] else MUTED
            ink = MUTED if is_hidden else INK
            panel.block(*sides, PAPER, edge=edge, width=3, text=written(text), ink=ink, size=14)
            continue
        text = written(clip(token, most))
        panel.block(*sides, FAINT if is_hidden else PAPER, edge=FAINT if is_hidden else MUTED)
        if i in unknown:
            panel.strokes([[(x - HALF, -BOX), (x + HALF, BOX)]], MUTED)  # crossed out: [UNK]
        panel.text(x, 0, text, MUTED if is_hidden or i in unknown else INK, 14)


def written(text: str) -> str:
    """A text as it is written into a picture, where < and & would be markup."""
    return escape(text, quote=False)


def draw_arcs(panel: Panel, places: Sequence[float], first: int, weights: np.ndarray, colour: str) -> None:
    """Where the first blank looks: from every token an arc, the thicker the more attention it gets."""
    t = np.linspace(0, 1, 13)
    whole = places[-1] - places[0] or 1
    for x, weight in zip(places, weights, strict=True):
        away = abs(x - places[first])
        if away == 0 or weight < 0.02:
            continue
        high = 4 * (0.35 + (ARCS - BOX - 0.45) * away / whole) * t * (1 - t)
        across = x + (places[first] - x) * t
        panel.path(
            across, BOX + high, colour, round(1 + 9 * float(weight), 1), opacity=round(0.3 + 0.6 * float(weight), 2)
        )


def draw_candidates(panel: Panel, guesses: Sequence[Guess], across: Sequence[float], colour: str, right: str) -> None:
    """What a net thinks of for the first blank, as bars: one as wide as the panel stands for certainty."""
    left, width = across[0] + 0.14, across[1] - across[0] - 0.28
    for i, guess in enumerate(guesses):
        top = FIRST - i * BAR
        panel.block((left, left + width * guess.probability), (top - BAR + 0.08, top), colour, width=0, opacity=0.45)
        tick = " ✓" if guess.word == right else ""
        text = f"{written(clip(guess.word, 12))}{tick}  {percent(guess.probability)}"
        panel.text(left, top - BAR / 2 + 0.04, text, place="right")


# --------------------------------------------------------------------------------------------- from what the nets learn


def draw_batch(pic: Picture, state: Any, places: int, shares: Sequence[int] = ()) -> None:
    """Sentences of at most so many places as the nets see them; below the chosen words what they must answer.

    shares: percent of the chosen words that are masked, replaced and kept; without them all are masked.
    """
    panel = pic.panel("batch", "" if shares else "Batch", bare(-0.6, places - 0.4), bare(-3.1, 0.4), tall=160)
    most = max(5, 44 // places)
    for (name, colour), part in zip(FATES.values(), shares or (100,), strict=False):
        panel.key("■", f"{name} {part} %" if shares else name, colour)
    for i, sentence in enumerate(state.example):
        for x, seen in enumerate(sentence):
            y = -1.1 * i
            if seen.done:
                panel.block((x - HALF, x + HALF), (y - 0.28, y + 0.28), FATES[seen.done][1], opacity=0.35)
                panel.text(x, y - 0.52, f"→ {written(clip(seen.target, most))}", MUTED)
            panel.text(x, y, written(seen.token if seen.done == 1 else clip(seen.token, most)))


# ------------------------------------------------------------------------------------------------ the course of the run


def draw_accuracy(pic: Picture, p: Any, states: Sequence[Any], now: int) -> None:
    """Both nets by step, and the best guess that each could make."""
    said = "%{y:.1%} at step %{x}"
    accuracy = pic.panel("accuracy", "Filled in", steps(p.steps), share(high=1.05, low=-0.02), tall=170)
    accuracy.history(states, lambda s: s.accuracy, "bidirectional", BLUE, hover=said)
    accuracy.history(states, lambda s: s.causal_accuracy, "causal", ORANGE, hover=said)
    for best, colour in ((states[0].best, BLUE), (states[0].causal_best, ORANGE)):
        accuracy.curve([0, p.steps], [best, best], "", colour, width=1.5, dash="dot", hover="")
    accuracy.key("┄", "best possible", MUTED)
    pic.cursor(states[now].step, accuracy)


def draw_maps(pic: Picture, state: Any, across: Axis, down: Axis) -> None:
    """Where both nets look from each token (T, T), in shades; the row of the first blank is framed."""
    first, n = state.tokens.index("_"), len(state.tokens)
    for name, weights, (net, colour) in zip(("both_map", "left_map"), state.attention, NETS, strict=True):
        panel = pic.panel(name, f"All attention, {net}", across, down, tall=240)
        panel.table(weights, scale="sequential")
        panel.frame((-0.5, n - 0.5), (-first - 0.5, -first + 0.5), colour, 2.5)


def bar(panel: Panel, i: int, text: str, part: float, colour: str) -> None:
    """The i-th bar from above, at most 1 long, with its text on it."""
    panel.block((0, part), (-i - 0.86, -i - 0.1), colour, width=0, opacity=0.45)
    panel.text(0.02, -i - 0.48, text, place="right")
