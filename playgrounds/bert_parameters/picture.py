"""How the count of BERT's parameters is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds._encoder_picture import bar, percent
from playgrounds.bert_parameters.model import KINDS, SIZES, Params, Part, State, bert
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, span, ticked
from playgrounds.kit.palette import BLUE, ORANGE, SERIES
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
    """A column for the embeddings, for every layer and for the pooler; below, the sum by kind."""
    state, parts, layers = states[now], bert(p.size, p.vocabulary), SIZES[p.size].layers
    columns = [parts[:4], *([part] for part in parts[4:])]
    names = ["embed.", *map(str, range(1, layers + 1)), "pooler"]
    highest = max(sum(part.total for part in column) for column in columns) / 1e6
    few = [*range(layers + 2)] if layers <= 12 else [0, *range(4, layers - 1, 4), layers + 1]
    across = ticked(-0.6, layers + 1.6, few, [names[i] for i in few]) | {"showgrid": False}

    pic = Picture(500, *2 * ["parts"], "kinds")
    by_part = pic.panel("parts", "Parameters in millions, part by part", across, span(0, 1.08 * highest), tall=240)
    kinds = pic.panel("kinds", "So far, by kind", bare(0, 1), bare(-len(KINDS), 0.1), tall=190)
    if layers > 4:
        few = [0, layers // 3, 2 * layers // 3, layers + 1]
        pic.on_phone(by_part, x={"tickvals": few, "ticktext": [names[i] for i in few]})

    draw_parts(by_part, columns, state.step)
    for i, (kind, n) in enumerate(state.counts.items()):
        part = n / state.parameters
        bar(kinds, i, f"{kind}  {n:,}  {percent(part)}", part, COLOURS[kind])
    return pic


def draw_parts(by_part: Panel, columns: Sequence[Sequence[Part]], counted: int) -> None:
    """The parts counted so far, one on top of the other in their columns; pointing tells how each is counted."""
    said, heights, number = [], [], 0
    for x, column in enumerate(columns):
        said.append(
            "<br>".join(f"{part.name}: {part.formula} = {part.total:,}" for part in column).replace("; ", "<br>")
        )
        heights.append(sum(part.total for part in column) / 1e6)
        top = 0.0
        for part in column:
            number += 1
            for kind, n in part.counts.items():
                if number <= counted:
                    by_part.block((x - 0.38, x + 0.38), (top, top + n / 1e6), COLOURS[kind])
                top += n / 1e6
    by_part.hover(np.arange(len(columns)), np.array(heights) / 2, said, size=30)
