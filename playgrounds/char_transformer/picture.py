"""How the Transformer's learning and writing are told and drawn."""

from collections.abc import Callable, Sequence
from math import ceil, sqrt
from operator import attrgetter

import numpy as np

from playgrounds._transformer import PARTS, parameters_by_part
from playgrounds.char_transformer.block import draw_block, draw_written, visible
from playgrounds.char_transformer.model import (
    BATCH,
    GRAM,
    Params,
    State,
    architecture,
    entropies,
)
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names, span, steps
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number

PRESETS = (
    works(
        "Always the most probable",
        "With k = 1 nothing is left to chance, and the trained net writes its text back.",
        {"loss": "<= 0.25", "copied": ">= 0.85"},
        top_k=1,
    ),
    fails(
        "No causal mask",
        "In training a position reads the character it is to predict; in writing it is not there.",
        {"loss": "<= 0.15", "writing_loss": ">= 2.5", "copied": "<= 0.3"},
        parts=PARTS[:-1],
    ),
    fails(
        "No attention",
        "Each character knows only itself, so that the net learns a table of letter pairs, no more.",
        {"loss": ">= 1.5", "copied": "<= 0.3"},
        parts=PARTS[1:],
    ),
)

BEST = 6  # next characters that are shown
GAP = 0.12  # between two attention maps, in widths of one


# ------------------------------------------------------------------------------------------------------- in words


def note(p: Params, states: Sequence[State], now: int) -> str:
    state = states[now]
    if state.diverged:
        return (
            f"Step {state.step}: the loss or a weight is no longer a finite number, the run diverged. "
            f"η = {p.rate:g} is too large for this net: choose a smaller one."
        )
    return writing_note(p, state) if state.passes else training_note(p, state)


def quoted(text: str) -> str:
    """A piece of text in a sentence, on one line."""
    return "“" + "".join(c if c.isprintable() else "·" for c in text) + "”"


def cheats(p: Params, now: State) -> bool:
    """Whether the net is good in training only, because it reads there what it is to predict."""
    return "causal mask" not in p.parts and now.writing_loss > 1.1 * now.loss + 0.05


def training_note(p: Params, now: State) -> str:
    """What one pass predicts, what the loss is worth, whether writing is as good, and a sample."""
    base = entropies(p.learned)
    sample = f"It writes {quoted(now.written)}"
    if not now.step:
        characters = len(now.probabilities[0])
        return (
            f"{now.parameters:,} first weights, the head's are 0: each of the {characters} characters "
            f"has the same probability, and the loss is log {characters} = {number(now.loss)}. {sample}."
        )
    if now.loss > base.guessing + 0.05:
        worth = f"worse than guessing ({number(base.guessing)})"
    elif now.loss > base.letters - 0.1:
        worth = f"about that of knowing how frequent each letter is ({number(base.letters)})"
    elif now.loss > base.pairs:
        worth = f"not yet below that of a table of letter pairs ({number(base.pairs)})"
    else:
        worth = f"below that of a table of letter pairs ({number(base.pairs)})"
    alike = "the same one at a time"
    if cheats(p, now):
        alike = (
            f"but {number(now.writing_loss)} one at a time: without the mask a position reads the very character that "
            "it is to predict, which is not there in writing"
        )
    done = f"Training ends at step {now.step}" if now.step == p.steps else f"Step {now.step}"
    every = f"one pass predicts {BATCH} · {p.context} = {BATCH * p.context} characters"
    return f"{done}; {every}. Loss {number(now.loss)}, {worth}; {alike}. {sample}."


def writing_note(p: Params, now: State) -> str:
    """What the net expects, what sampling makes of it, what was drawn."""
    vocabulary = sorted(set(p.learned))
    by_net, by_draw = now.probabilities
    likeliest = np.argsort(-by_net, kind="stable")[:3]
    told = ", ".join(f"{quoted(vocabulary[i])} {by_net[i]:.1%}" for i in likeliest)
    sampling = f"τ = {p.temperature:g}" + (f" and k = {p.top_k}" if p.top_k else "")
    read = counted(min(p.context, len(now.written) - 1), "character")
    said = (
        f"Pass {now.passes} of {p.write} reads {read} and gives for the next one {told}. With {sampling} "
        f"{quoted(now.drawn)} has {by_draw[vocabulary.index(now.drawn)]:.1%} and is drawn."
    )
    if now.passes < p.write:
        return said
    grams = f"{now.copied:.0%} of the characters end a run of {GRAM} that stands in the text"
    hope = f", after a loss of {number(now.loss)} in training" if cheats(p, now) else ""
    whole = f"{counted(now.passes, 'pass', 'passes')} for {counted(now.passes, 'character')}"
    return f"{said} {whole}, one after the other: {quoted(now.written)}. {grams}{hope}."


# --------------------------------------------------------------------------------------------------- in a picture


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """A pass through the block, the loss by step and the likeliest next characters.

    On demand all attention maps, all that is written, and the parameters.
    """
    state = states[now]
    columns = p.heads if p.layers > 1 else ceil(sqrt(p.heads))
    rows = p.layers * p.heads // columns
    wide, high = columns * (1 + GAP) - GAP, rows * (1 + GAP) - GAP
    top = 1.2 * max(entropies(p.learned).guessing, 1)

    more = ("written written", "maps parameters", "maps parameters")
    pic = Picture(480, *2 * ["block block loss"], *2 * ["block block next"], details=more, detail_height=180)
    draw_block(pic, p, state)
    time = steps(p.steps + p.write, "steps, characters written", ticks=4)
    loss = pic.panel("loss", "Loss", time, span(0, top, ticks=6), tall=200)
    draw_losses(loss, p, states, top)
    pic.cursor(state.step, loss)
    draw_next(pic.panel("next", "Next character", bare(-0.14, 1.2), bare(0.4 - BEST, 0.6), tall=150), p, state)
    draw_written(pic, p, state)
    title, tall = "Attention: the row reads the column", ceil(min(300, 300 * high / wide))
    maps = pic.panel("maps", title, bare(0, wide), bare(0, high), square=True, tall=tall)
    draw_maps(maps, p, state, columns, rows)
    draw_parameters(pic, p)
    return pic


def draw_maps(maps: Panel, p: Params, state: State, columns: int, rows: int) -> None:
    """The weights of every head of every layer, their roots for the sake of the small ones."""
    for layer in range(p.layers):
        for head in range(p.heads):
            k = layer * p.heads + head
            x, y = k % columns * (1 + GAP), (rows - 1 - k // columns) * (1 + GAP)
            weights = np.sqrt(state.attention[layer, head][::-1].astype(float))
            maps.field(weights, (x, x + 1), (y, y + 1), scale="sequential", smooth=False)
            maps.frame((x, x + 1), (y, y + 1), FAINT, 1)
            if p.layers * p.heads <= 4:
                name = f"head {head + 1}" + (f", layer {layer + 1}" if p.layers > 1 else "")
                maps.mark(x + 0.98, y + 0.98, name, xanchor="right", yanchor="top")


def draw_losses(loss: Panel, p: Params, states: Sequence[State], top: float) -> None:
    """Both losses while it trains, and what they are worth."""
    trained = [s for s in states if not s.passes]
    draw_loss(loss, trained, attrgetter("writing_loss"), top, "one at a time", ORANGE, "solid")
    draw_loss(loss, trained, attrgetter("loss"), top, "all at once", BLUE, "dash")
    for height, words in zip(entropies(p.learned), ("guessing", "letter frequencies", "letter pairs"), strict=True):
        loss.level(height)
        loss.mark(p.steps + p.write, height, words, xanchor="right", yanchor="bottom")


def draw_loss(
    loss: Panel, trained: Sequence[State], of: Callable[[State], float], top: float, name: str, colour: str, dash: str
) -> None:
    """A loss by step; what is above the axis, or no number, is drawn beyond its end."""
    loss.history(
        trained,
        lambda state: min(of(state), 2 * top) if np.isfinite(of(state)) else 2 * top,
        name,
        colour,
        dash=dash,
        hover="",
        hovertext=[f"{number(of(state))} at step {state.step}" for state in trained],
        hoverinfo="text",
    )


def draw_next(panel: Panel, p: Params, state: State) -> None:
    """The likeliest characters: by the net, and how likely τ and k make them; the one drawn is black."""
    vocabulary = sorted(set(p.learned))
    by_net, by_draw = state.expected
    panel.key("▬", "with τ and k", MUTED)
    for row, i in enumerate(np.argsort(-by_net, kind="stable")[:BEST]):
        colour = INK if vocabulary[i] == state.newest else MUTED
        panel.text(-0.03, -row, visible(vocabulary[i]), colour, place="left")
        panel.block((0, by_net[i]), (-row - 0.4, -row + 0.4), colour, width=0, opacity=0.3)
        panel.block((0, by_draw[i]), (-row - 0.2, -row + 0.2), colour, width=0)
        panel.text(max(by_net[i], by_draw[i]) + 0.02, -row, f"{by_net[i]:.0%}", colour, place="right")


def draw_parameters(pic: Picture, p: Params) -> None:
    """A bar for the parameters of every part."""
    counts = parameters_by_part(architecture(p))
    most = max(counts.values())
    panel = pic.panel(
        "parameters",
        f"{counts.total():,} parameters; a layer: 12 d² + 13 d",
        bare(0, 1.3 * most),
        names(list(counts), down=True),
        tall=180,
    )
    panel.rows(counts.values(), MUTED, texts=[f"{n:,}" for n in counts.values()])
