"""The net as it is drawn: characters below, the sublayers of a block above them, and the next character on top."""

from html import escape

import numpy as np

from playgrounds._transformer import parameters_by_part
from playgrounds.char_transformer.model import GRAM, Params, State, architecture, copied
from playgrounds.kit.axes import bare
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted

HEADS = SERIES[2:6]  # a colour each
# Heights in the drawing, from below: middles of the rows, and the ends of attention.
LETTERS, FIRST_NORM, LOW, HIGH, SECOND_NORM, FEED, LAST_NORM, HEAD, NEXT = 0.0, 1.35, 2.0, 5.2, 6.1, 7.2, 8.3, 9.3, 10.8


def draw_block(pic: Picture, p: Params, state: State) -> None:
    """What the last pass read, where its last character looked, through which layers it went, and what came out."""
    wide = p.context
    panel = pic.panel("block", "One pass", bare(-0.8, wide + 1.4), bare(-0.7, 11.5), tall=400)
    panel.key("□", "as in the text", BLUE)
    panel.key("□", "not", ORANGE)
    at = len(state.read) - 1
    panel.strokes([[(i, LETTERS), (i, LOW + 0.25)] for i in range(at + 1)], FAINT, 1)
    panel.wire([(at, HIGH), (at, NEXT - 0.5)], INK, 2, head="up")
    draw_layers(panel, p)
    draw_attention(panel, p, state, at)
    colours = edges(p, state)
    panel.tokens([visible(c) for c in state.read], range(at + 1), LETTERS, (0.9, 1), edges=colours[-2 - at : -1])
    panel.tokens([visible(state.newest)], [at], NEXT, (1.2, 1), edges=[colours[-1]])
    beyond = at > wide / 2
    what = "next character" if state.passes else "next character of a sample"
    panel.text(at + (-1 if beyond else 1), NEXT, what, MUTED, place="left" if beyond else "right")


def draw_layers(panel: Panel, p: Params) -> None:
    """A box for every part that the net has, with its number of parameters, and the ways around the sublayers."""
    right, counts = p.context - 0.4, parameters_by_part(architecture(p))
    times = f", {p.layers} layers" if p.layers > 1 else ""
    inner = f"feed-forward: {counts['feed-forward']:,} parameters{times}"
    rows = [(FIRST_NORM, "layer norm", "layer norm"), (SECOND_NORM, "layer norm", "layer norm")]
    rows += [(FEED, "feed-forward", inner), (LAST_NORM, "layer norm", "layer norm")]
    for y, part, text in rows:
        has = part in p.parts
        panel.block((-0.5, right), (y - 0.36, y + 0.36), PAPER, edge=MUTED if has else FAINT, text=text if has else "")
        if not has:
            panel.text(right / 2, y, f"no {part}", MUTED)
    panel.block(
        (-0.5, right), (HEAD - 0.4, HEAD + 0.4), PAPER, edge=MUTED, text="softmax: a probability for each character"
    )
    if "residuals" in p.parts:
        for low, high in ((FIRST_NORM - 0.5, SECOND_NORM - 0.48), (SECOND_NORM - 0.48, LAST_NORM - 0.48)):
            panel.wire(
                [(right, low), (right + 1.2, low), (right + 1.2, high), (right + 0.1, high)], MUTED, 2, head="left"
            )


def draw_attention(panel: Panel, p: Params, state: State, at: int) -> None:
    """Arcs from the character that is read last to all that it looks at, in a colour per head."""
    right = p.context - 0.4
    beyond = at > p.context / 2
    x, place = (0, "right") if beyond else (right - 0.5, "left")
    if "attention" not in p.parts:
        panel.block((-0.5, right), (LOW, HIGH), PAPER, edge=FAINT)
        panel.text(right / 2, (LOW + HIGH) / 2, "no attention: each character knows itself alone", MUTED)
        return
    panel.frame((-0.5, right), (LOW, HIGH), MUTED, 1)
    mask = "causal mask" if "causal mask" in p.parts else "no mask"
    count = parameters_by_part(architecture(p))["self-attention"]
    lines = "self-attention", f"{counted(p.heads, 'head')}, {mask}", f"{count:,} parameters"
    for i, text in enumerate(lines):
        panel.text(x, HIGH - 0.4 - 0.65 * i, text, INK, place=place)
    ends = np.stack([np.arange(at + 1), np.full(at + 1, LOW + 0.25)], axis=1)
    for head, colour in zip(state.looks[0], HEADS, strict=False):
        panel.arcs(np.tile([at, HIGH], (at + 1, 1)), ends, head[: at + 1].astype(float), colour, width=14, least=0.03)
    panel.dot(at, HIGH, INK, 9)


def edges(p: Params, state: State) -> list[str]:
    """A colour for every character written: whether it ends a run that stands in the text; none for the prompt."""
    written, start = state.written, sum(c in p.learned for c in p.prompt) or 1
    good = [copied(p.learned, written[: i + 1], i) for i in range(start, len(written))]
    return [FAINT] * start + [BLUE if one else ORANGE for one in good]


def draw_written(pic: Picture, p: Params, state: State) -> None:
    """All that is written, in lines of as many characters as a pass can read."""
    who = f"Written in {state.passes} passes" if state.passes else f"A sample at step {state.step}"
    panel = pic.panel(
        "written",
        f"Written; blue: with the {GRAM - 1} before it in the text",
        bare(-0.6, 31.6),
        bare(-3.4, 1),
        tall=150,
    )
    panel.text(0, 0.6, who, MUTED, place="right")
    colours = edges(p, state)
    for i in range(0, len(state.written), 32):
        line = state.written[i : i + 32]
        panel.tokens(
            [visible(c) for c in line], range(len(line)), -0.4 - i / 32, (0.9, 0.85), edges=colours[i : i + 32]
        )


def visible(c: str) -> str:
    return escape({" ": "␣", "\n": "⏎", "\t": "⇥"}.get(c, c if c.isprintable() else "·"))
