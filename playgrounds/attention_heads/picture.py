"""How the heads' division of the task is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.attention_heads.model import KINDS, PLACES, TARGETS, Params, State, count
from playgrounds.kit import fails, works
from playgrounds.kit.axes import names, share, steps
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

PRESETS = (
    works(
        "Two heads, two targets",
        "Each head puts nearly all its weight on one of the two tokens that are asked for.",
        {"weaker_target": ">= 0.95", "last_accuracy": ">= 0.99"},
    ),
    fails(
        "One head for two targets",
        "It has one distribution, so it splits its weight; the task is solved all the same, from the blend.",
        {"weaker_target": "<= 0.6", "first_accuracy": ">= 0.9", "last_accuracy": ">= 0.9"},
        heads=1,
    ),
)

NAMES = {0: "first", 2: "third", 5: "last"}  # of the places that may have to be looked up
COLOURS = {0: BLUE, 2: SERIES[3], 5: SERIES[2]}
DASHES = ("solid", "dash", "dot")
NBSP = "\u00a0"  # the player shows a space in a chip as ␣


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Which head looks at which target, and what that is good for."""
    state = states[now]
    places = TARGETS[p.lookups]
    each = []
    for place, accuracy in zip(places, state.accuracies, strict=True):
        head = int(state.weights[:, place].argmax())
        weight = number(state.weights[head, place])
        each.append(f"head {head + 1} puts {weight} on the {NAMES[place]} token ({accuracy:.0%} read right)")
    said = f"Step {state.step}, loss {number(state.loss)}: {', '.join(each)}."
    return said if state.step < p.steps else f"{said} {verdict(p, state)}"


def verdict(p: Params, state: State) -> str:
    """Whether the heads have divided the targets among themselves."""
    places = TARGETS[p.lookups]
    takers = {int(state.weights[:, place].argmax()) for place in places}
    if 0 < p.silenced <= p.heads:
        return f"Head {p.silenced} is silenced: what only it has read is guessed, 1 of {len(KINDS)} by chance."
    if len(places) == 1:
        return "There is only one token to look up."
    if state.weaker_target > 0.9 and len(takers) == len(places):
        return "Every target has a head of its own; which head takes which, the seed decides."
    if p.heads == 1:
        low, high = state.range[:, 0, 0]
        return f"One head has to blend: in nine of ten sequences the first token gets {number(low)} to {number(high)}."
    return "The heads have not divided the targets cleanly: nothing forces them to."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The weight of every head on every place; by step, the weights on the targets and how many are read right."""
    state = states[now]
    places = TARGETS[p.lookups]
    pic = Picture(430, "heads weight", "heads right" if p.heads > 1 else ". right")
    across = names([NAMES[i] if i in places else str(i + 1) for i in range(PLACES)])
    down = names([f"head {k + 1}" for k in range(p.heads)], down=True)
    heads = pic.panel("heads", "Mean weight; below, 90 % of sequences", across, down, tall=max(130, 70 * p.heads))
    x, y = steps(p.steps), share(low=-0.03, high=1.06)
    weight = pic.panel("weight", "Each head's weight" if p.heads <= 2 else "Largest weight", x, y)
    right = pic.panel("right", "Read right", x, y)

    draw_heads(heads, p, state)
    by_step = [s.step for s in states]
    for n, place in enumerate(places):
        draw_weight(weight, p, states, place)
        right.curve(by_step, [s.accuracies[n] for s in states], NAMES[place], COLOURS[place], dash=DASHES[n])
    if p.heads == 2:
        weight.key("╍", "head 2", MUTED)
    right.level(1 / len(KINDS), name="chance")
    pic.cursor(state.step, weight, right)
    draw_chips(pic, p, state)
    return pic


def plain(value: float) -> str:
    """A weight in a narrow cell: .42, 1."""
    text = f"{value:.2f}"
    return "1" if text == "1.00" else text.lstrip("0")


def draw_heads(heads: Panel, p: Params, state: State) -> None:
    """A row per head, a column per place; the targets' columns in their colours."""
    texts, hovers = [], []
    for k in range(p.heads):
        texts.append([cell(p, state, k, j) for j in range(PLACES)])
        hovers.append(
            [
                f"head {k + 1}, token {j + 1}: {number(state.weights[k, j])} on average,<br>"
                f"{number(state.own[k, j])} in your sequence"
                for j in range(PLACES)
            ]
        )
    heads.table(state.weights, texts=texts, hovers=hovers)
    for k in range(1, p.heads):
        heads.line((-0.5, 0.5 - k), (PLACES - 0.5, 0.5 - k), FAINT, 1)
    for place in TARGETS[p.lookups]:
        heads.frame((place - 0.5, place + 0.5), (0.5 - p.heads, 0.5), COLOURS[place], 3)
    if 0 < p.silenced <= p.heads:
        row = 1 - p.silenced
        ends = (-0.5, PLACES - 0.5), (row - 0.5, row + 0.5)
        heads.block(*ends, PAPER, edge=INK, width=2, text="silenced", size=14)


def cell(p: Params, state: State, head: int, place: int) -> str:
    """The mean weight, and between which nine of ten sequences are if they differ."""
    said = f"<b>{plain(state.weights[head, place])}</b>"
    low, high = state.range[:, head, place]
    if p.heads <= 4 and plain(low) != plain(high) and high > 0.05:
        said += f"<br>{plain(low)}–{plain(high)}"
    return said


def draw_weight(weight: Panel, p: Params, states: Sequence[State], place: int) -> None:
    """The weight on a target by step: of each head, or of the one that looks most if there are many."""
    name, colour = NAMES[place], COLOURS[place]
    weight.key("━", name, colour)
    if p.heads > 2:
        weight.history(states, lambda s: s.weights[:, place].max(), f"largest on the {name}", colour, key=False)
        return
    by_step = [s.step for s in states]
    for k in range(p.heads):
        said = f"head {k + 1} on the {name}"
        weight.curve(by_step, [s.weights[k, place] for s in states], said, colour, dash=DASHES[k], key=False)


def draw_chips(pic: Picture, p: Params, state: State) -> None:
    """The reader's sequence with its weights, what is read from it, and the number of parameters."""
    places = TARGETS[p.lookups]
    if p.heads <= 2:
        below = " and ".join(f"head {k + 1}" for k in range(p.heads))
        subs = [" · ".join(map(plain, weights)) for weights in state.own.T]
    else:
        below = "the head that looks most"
        subs = [f"{plain(weights.max())} by {np.argmax(weights) + 1}" for weights in state.own.T]
    tokens = [KINDS[kind] for kind in state.tokens]
    pic.chips(f"Your sequence; below, the weight of {below}", tokens, subs=subs, marks=places)

    read = [f"{NAMES[i]}:{NBSP}{KINDS[kind]}" for i, kind in zip(places, state.said, strict=True)]
    wrong = np.flatnonzero(state.tokens[list(places)] != state.said).tolist()
    pic.chips("Read from it, wrongly where framed" if wrong else "Read from it", read, marks=wrong)

    d, h = p.width, p.heads
    sums = [f"{h}·3·({d}·{d // h}+{d // h})", f"{d}·{d}+{d}", f"{count(d, h):,}"]
    title = f"Parameters of the attention layer, d = {d}, h = {h}; for d = 512 it has {count(512, h):,}"
    pic.chips(title, sums, subs=["W_Q, W_K, W_V of all heads", "W_O", "together"])
