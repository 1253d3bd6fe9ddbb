"""How the count of BERT's parameters is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds._encoder_picture import bar, percent
from playgrounds.bert_parameters.model import KINDS, SIZES, Params, Part, State, bert
from playgrounds.kit import fails, works
from playgrounds.kit.axes import Axis, bare, ticked
from playgrounds.kit.palette import BLUE, FAINT, INK, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture

PRESETS = (
    works(
        "BERT-base, uncased",
        "Half of the 109 million are in feed-forward layers, and heads cost nothing.",
        {"parameters": "== 109482240"},
    ),
    fails(
        "A small net for many languages",
        "A vocabulary of 119,547 words: nearly all of the tiny net's parameters are word embeddings.",
        {"parameters": "<= 2e7"},
        size="tiny",
        vocabulary=119547,
    ),
)

COLOURS = {
    "embeddings": SERIES[2],
    "attention": BLUE,
    "feed-forward": ORANGE,
    "layer norms": SERIES[5],
    "pooler": SERIES[3],
}

READABLE = 0.045  # of the tower's height: lower floors have no room for a text


def note(p: Params, states: Sequence[State], now: int) -> str:
    """How this part is counted, and what there is so far."""
    state, parts = states[now], bert(p.size, p.vocabulary)
    part = parts[state.step - 1]
    together = "; together" if ";" in part.formula else ""
    said = f"Part {state.step} of {len(parts)}, {part.name}: {part.formula}{together} = {part.total:,} parameters."
    if state.step == len(parts):
        shares = ", ".join(f"{percent(n / state.parameters)} {kind}" for kind, n in state.counts.items())
        return f"{said} BERT-{p.size} has {state.parameters:,}: {shares}. The number of heads changes nothing."
    return f"{said} So far {state.parameters:,}." if now else said


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """BERT as a tower that grows from its embeddings up, an area for every parameter; beside it the sums by kind."""
    state, parts, layers = states[now], bert(p.size, p.vocabulary), SIZES[p.size].layers
    tops = np.cumsum([part.total for part in parts]) / sum(part.total for part in parts)
    pic = Picture(460, "parts parts parts kinds kinds")
    tower = pic.panel("parts", "Area = parameters", bare(-0.01, 1.01), floors(tops, layers), tall=330)
    kinds = pic.panel("kinds", "So far, by kind", bare(0, 1), bare(-len(KINDS), 0.1), tall=190)
    draw_tower(tower, parts, tops, state.step)
    for i, (kind, n) in enumerate(state.counts.items()):
        if n:
            part = n / state.parameters
            bar(kinds, i, f"{kind}  {n:,}  {percent(part)}", part, COLOURS[kind])
    return pic


def floors(tops: np.ndarray, layers: int) -> Axis:
    """The axis along the tower: its layers by their numbers, as many as have room."""
    middles = (tops + np.append(0, tops[:-1])) / 2
    at, texts = [float(tops[3]) / 2], ["embeddings"]
    for layer in range(1, layers + 1):
        if middles[3 + layer] - at[-1] > READABLE:
            at.append(float(middles[3 + layer]))
            texts.append(f"layer {layer}")
    return ticked(-0.005, 1.01, at, texts) | {"showgrid": False}


def draw_tower(tower: Panel, parts: Sequence[Part], tops: np.ndarray, counted: int) -> None:
    """Floors as high as their part has parameters, in each the kinds side by side; faint what is not counted yet."""
    starts = [0, *tops[:-1]]
    said = [f"{part.name}: {part.formula} = {part.total:,}".replace("; ", "<br>") for part in parts]
    tower.hover([0.5] * len(parts), (np.array(starts) + tops) / 2, said, size=18)
    for number, (part, low, high) in enumerate(zip(parts, starts, tops, strict=True), start=1):
        left = 0.0
        for kind, n in part.counts.items():
            right = left + n / part.total
            if number > counted:
                tower.frame((left, right), (low, high), FAINT, 1)
            else:
                text = f"{kind} {n / 1e6:.1f} M" if right - left > 0.5 else kind
                text = text if high - low > READABLE and right - left > 0.2 else ""
                tower.block((left, right), (low, high), COLOURS[kind], edge=PAPER, text=text, ink=PAPER)
            left = right
    tower.frame((0, 1), (starts[counted - 1], tops[counted - 1]), INK, 2)
