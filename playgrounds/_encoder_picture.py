"""What the pictures of two encoders share: their accuracy by step, their candidates, where they look, what they say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from playgrounds._encoder import Guess
from playgrounds.kit.palette import BLUE, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture

NETS = (("bidirectional", BLUE), ("causal", ORANGE))
FATES = {1: ("masked", 2), 2: ("random", 3), 3: ("kept", 4)}  # what was done to a word: its name, its colour number


def percent(part: float) -> str:
    """To one digit after the point."""
    if 0 < 100 * part < 0.05:
        return "<0.1 %"
    return f"{100 * part:.1f} %".replace(".0", "")


def clip(word: str, most: int) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"


def draw_accuracy(accuracy: Panel, states: Sequence[Any]) -> None:
    """Both nets by step, and the best guess that each could make."""
    said = "%{y:.1%} at step %{x}"
    accuracy.history(states, lambda s: s.accuracy, "bidirectional", BLUE, hover=said)
    accuracy.history(states, lambda s: s.causal_accuracy, "causal", ORANGE, hover=said)
    accuracy.level(states[0].best, BLUE)
    accuracy.level(states[0].causal_best, ORANGE)
    accuracy.key("┄", "best", MUTED)


def draw_candidates(candidates: Panel, guesses: Sequence[Sequence[Sequence[Guess]]]) -> None:
    """What both nets think of for the first blank, side by side; the panel goes from 0 to 2.1 and down to −TOP."""
    for side, (_, colour) in enumerate(NETS):
        for i, guess in enumerate(guesses[side][0]):
            bar(candidates, i, f"{clip(guess.word, 12)}  {percent(guess.probability)}", guess.probability, colour, side)


def bar(panel: Panel, i: int, text: str, part: float, colour: str, side: int = 0) -> None:
    """The i-th bar from above, at most 1 long, with its text on it; `side` 1 is to the right of side 0."""
    left = 1.08 * side
    panel.block((left, left + part), (-i - 0.86, -i - 0.1), colour, width=0, opacity=0.45)
    panel.text(left + 0.02, -i - 0.48, text, place="right")


def draw_look(look: Panel, weights: np.ndarray, first: int, colour: str) -> None:
    """Where a net looks from each token (T, T); the row of the first blank is framed."""
    n = len(weights)
    look.table(weights, scale="sequential")
    look.frame((-0.5, n - 0.5), (-first - 0.5, -first + 0.5), colour, 2.5)


def filled_in(pic: Picture, state: Any, more: str, unknown: Sequence[int] = ()) -> None:
    """The reader's sequence as each net fills it in.

    more: what else to say; unknown: the places of tokens that the nets do not know.
    """
    for (name, _), of_net in zip(NETS, state.guesses, strict=True):
        texts, subs, marks = list(state.tokens), ["" for _ in state.tokens], []
        for i in unknown:
            subs[i] = "[UNK]"
        blanks = [i for i, token in enumerate(state.tokens) if token == "_"]
        for i, guesses in zip(blanks, of_net, strict=False):  # there may be more blanks than are filled in
            texts[i], subs[i] = guesses[0].word, percent(guesses[0].probability)
            marks.append(i)
        pic.chips(f"Filled in by the {name} net, with its probability{more}", texts, None, subs, marks)


def cut(tokens: Sequence[str], typed: Sequence[str]) -> str:
    """Whether the reader's sequence was too long."""
    return f"; cut to the {len(tokens)} places that the nets have" if len(tokens) < len(typed) else ""


def from_the_batch(pic: Picture, state: Any, more: str = "") -> None:
    """Some sentences of the batch as the nets see them; below the chosen words what they must answer."""
    texts: list[str] = []
    colours: list[int | None] = []
    subs: list[str] = []
    for number, sentence in enumerate(state.example):
        if number:  # an empty box between two sentences
            texts, colours, subs = [*texts, ""], [*colours, None], [*subs, ""]
        for seen in sentence:
            fate, colour = FATES.get(seen.done, ("", None))
            texts.append(seen.token)
            colours.append(colour)
            subs.append(f"{fate}: {seen.target}" if fate else "")
    pic.chips(f"From the batch: what the nets see, and below it their target{more}", texts, colours, subs)
