"""How the heads' division of the task is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.attention_heads.model import KINDS, PLACES, TARGETS, Params, State, count
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names, share, steps
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
TOKEN, HEAD, MIXED, READ = 0.0, 4.8, 7.0, 8.9  # heights in the drawing, from below


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
    """The heads above the reader's sequence; by step, the weights on the targets and how many are read right.

    On demand the mean weights, and the parameters.
    """
    state = states[now]
    places = TARGETS[p.lookups]
    more = ("mean parameters",)
    pic = Picture(460, "heads heads weight", "heads heads right", details=more, detail_height=110 + 36 * p.heads)
    across = names([NAMES[i] if i in places else str(i + 1) for i in range(PLACES)])
    heads = pic.panel("heads", "Where the heads look", across, bare(-0.8, 9.6), tall=330)
    x, y = steps(p.steps), share(low=-0.03, high=1.06)
    weight = pic.panel("weight", "Weight" if p.heads <= 2 else "Largest", x, y)
    right = pic.panel("right", "Right", x, y)

    draw_heads(heads, p, state)
    draw_read(heads, p, state)
    by_step = [s.step for s in states]
    for n, place in enumerate(places):
        draw_weight(weight, p, states, place)
        right.curve(by_step, [s.accuracies[n] for s in states], NAMES[place], COLOURS[place], dash=DASHES[n])
    if p.heads == 2:
        weight.key("╍", "head 2", MUTED)
    right.level(1 / len(KINDS), name="chance" if len(places) < 3 else "")
    pic.cursor(state.step, weight, right)
    draw_means(pic, p, state)
    draw_parameters(pic, p)
    return pic


def draw_heads(heads: Panel, p: Params, state: State) -> None:
    """Arcs from every head to the tokens, as thick as its weights on them; those to the targets in their colours."""
    tokens = [KINDS[kind] for kind in state.tokens]
    edges = [COLOURS[j] if j in TARGETS[p.lookups] else FAINT for j in range(PLACES)]
    for k, x in enumerate(middles(p.heads)):
        for j in range(PLACES):
            colour = edges[j] if j in TARGETS[p.lookups] else MUTED
            heads.arcs([(x, HEAD)], [(j, TOKEN)], [state.own[k, j]], colour, width=16)
        is_silenced = k == p.silenced - 1
        text = "silenced" if is_silenced else f"head {k + 1}" if p.heads <= 4 else str(k + 1)
        half = min(0.6, 2.7 / p.heads)
        ink = MUTED if is_silenced else INK
        heads.block((x - half, x + half), (HEAD - 0.5, HEAD + 0.5), PAPER, edge=ink, width=2, text=text, ink=ink)
        if not is_silenced:
            heads.wire([(x, HEAD + 0.5), (x, MIXED - 0.45)], MUTED, 2, head="up")
    heads.tokens(tokens, range(PLACES), TOKEN, (0.7, 1.1), edges=edges)
    said = ", ".join
    each = [said(f"{tokens[j]}: {number(state.own[k, j], 2)}" for j in range(PLACES)) for k in range(p.heads)]
    heads.hover(middles(p.heads), np.full(p.heads, HEAD), [f"head {k + 1}<br>{text}" for k, text in enumerate(each)])


def middles(heads: int) -> np.ndarray:
    """Where the heads stand above the tokens."""
    return (np.arange(heads) + 0.5) * PLACES / heads - 0.5


def draw_read(heads: Panel, p: Params, state: State) -> None:
    """What the heads have found, side by side and mixed, and the tokens that are read from it."""
    heads.block((-0.4, PLACES - 0.6), (MIXED - 0.45, MIXED + 0.45), PAPER, edge=MUTED, text="heads side by side, W_O")
    places = list(TARGETS[p.lookups])
    for place in places:
        heads.wire([(place, MIXED + 0.45), (place, READ - 0.55)], MUTED, 2, head="up")
    wrong = state.tokens[places] != state.said
    said = [KINDS[kind] for kind in state.said]
    heads.tokens(said, places, READ, (0.7, 1.1), edges=[COLOURS[place] for place in places], wrong=wrong)
    for place in places:
        beyond = place == PLACES - 1
        heads.text(place + (-0.42 if beyond else 0.42), READ, "read", MUTED, place="left" if beyond else "right")


def draw_means(pic: Picture, p: Params, state: State) -> None:
    """A row per head, a column per place: the mean weight over the test sequences."""
    across = names([str(i + 1) for i in range(PLACES)])
    down = names([f"head {k + 1}" for k in range(p.heads)], down=True)
    mean = pic.panel("mean", "Mean weight, over test sequences", across, down, tall=max(90, 30 * p.heads))
    texts = [[f"{state.weights[k, j]:.0%}" for j in range(PLACES)] for k in range(p.heads)]
    mean.table(
        state.weights, texts=texts, hovers=[[spread(state, k, j) for j in range(PLACES)] for k in range(p.heads)]
    )


def spread(state: State, head: int, place: int) -> str:
    """The mean weight of a head on a place, and between which nine of ten sequences are."""
    low, high = state.range[:, head, place]
    mean = number(state.weights[head, place])
    return f"head {head + 1}, token {place + 1}: {mean} on average,<br>{number(low)} to {number(high)} in 90 %"


def draw_parameters(pic: Picture, p: Params) -> None:
    """How many numbers the attention layer has, and where."""
    d, h = p.width, p.heads
    sums = [(f"W_Q, W_K, W_V: {h}·3·({d}·{d // h}+{d // h})", 3 * (d * d + d)), (f"W_O: {d}·{d}+{d}", d * d + d)]
    sums.append((f"together, for d = {d}", count(d, h)))
    down = names([""] * (len(sums) + 1), down=True)
    panel = pic.panel("parameters", "Parameters", bare(0, 1), down, tall=120)
    for i, (what, many) in enumerate([*sums, ("the same for d = 512", count(512, h))]):
        panel.text(0, -i, f"{what} = {many:,}", place="right")


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
