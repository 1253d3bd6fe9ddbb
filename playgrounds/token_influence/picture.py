"""How the influence of inputs on outputs is told and drawn."""

from collections.abc import Sequence
from html import escape

import numpy as np

from playgrounds._transformer import PARTS, parameters_by_part
from playgrounds.kit import fails, works
from playgrounds.kit.axes import names, share
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number
from playgrounds.token_influence.model import WORDS, Params, State, architecture, edited, tokens

PRESETS = (
    works(
        "Encoder: all to all",
        "Without a mask every output depends on every input, to the left and to the right.",
        {"reached": "== 49", "later": "== 21"},
        stack="encoder",
    ),
    works(
        "Decoder: a triangle",
        "The causal mask leaves an output the inputs up to its own: no effect of later ones.",
        {"reached": "== 28", "later": "== 0", "earlier_change": "== 0"},
        edit=4,
    ),
    fails(
        "No attention",
        "Nothing else passes from token to token: every output knows its own input alone.",
        {"reached": "== 7"},
        parts=PARTS[1:],
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What this output depends on; at the end how many blocks are not zero, and what the edit has changed."""
    state, inputs = states[now], tokens(p)
    n, token = len(inputs), inputs[state.step - 1]
    row = state.jacobian[state.step - 1]
    zero = np.flatnonzero(row == 0)
    if len(zero):
        some = f"{numbered('input', np.flatnonzero(row))}, exactly 0 for {numbered('input', zero)}"
    else:
        some = f"all {n} inputs" if n > 1 else "the one input"
    said = f"Output {state.step} of {n}, {quoted(token.word)} in the {token.stack}: its gradient is not 0 for {some}."
    if state.step < n:
        return said
    same, moved = np.flatnonzero(state.changes == 0), np.flatnonzero(state.changes)
    at = edited(p)
    edit = f"Editing input {at + 1}, {quoted(inputs[at].word)}, changes {numbered('output', moved)}"
    if len(same):
        edit += f", and {numbered('output', same)} by exactly 0."
    else:
        edit += ": all of them." if n > 1 else "."
    triangle = f" = {n} · {n + 1} / 2" if state.reached == n * (n + 1) // 2 and n > 1 else ""
    return f"{said} Of {state.blocks} blocks {state.reached}{triangle} are not zero. {edit}"


def quoted(word: str) -> str:
    return "“" + "".join(c if c.isprintable() else "·" for c in word) + "”"


def numbered(noun: str, at: Sequence[int]) -> str:
    """outputs 1–4, 6 for [0, 1, 2, 3, 5]."""
    runs: list[list[int]] = []
    for i in at:
        if runs and i == runs[-1][1] + 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    said = ", ".join(f"{a + 1}–{b + 1}" if b > a else f"{a + 1}" for a, b in runs)
    return f"{noun}{'s' if len(at) > 1 else ''} {said}"


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The Jacobian block by block; this output's attention weights; what an edit of one input changes."""
    state = states[now]
    words = [token.word for token in tokens(p)]
    n, first, at = len(words), len(next(iter(p.words.values()))), edited(p)
    labels = [shortened(word, 5) if n <= WORDS else str(i + 1) for i, word in enumerate(words)]
    most = 1.15 * max(float(state.changes.max()), 1e-9)
    row = state.attention[state.step - 1]

    pic = Picture(480, "blocks attention", "blocks changes")
    title = "Size of ∂output/∂input: output ↓ input →"
    blocks = pic.panel("blocks", title, names(labels), names(labels, down=True), tall=320)
    attention = pic.panel("attention", "Attention of this output, layer 1", names(labels), share(high=1.05), tall=140)
    title = f"Change of outputs if input {at + 1} is edited"
    changes = pic.panel("changes", title, names(labels), share(high=most), tall=140)

    draw_blocks(blocks, state, first)
    attention.columns(row, BLUE)
    changes.columns(state.changes, ORANGE, texts=["" if value else "0" for value in state.changes])
    said = [f"weight of input {i + 1}: {told(value)}" for i, value in enumerate(row)]
    attention.hover(np.arange(n), np.full(n, 0.1), said)
    said = [f"output {i + 1} changes by {told(value)} of its size" for i, value in enumerate(state.changes)]
    changes.hover(np.arange(n), np.full(n, 0.07 * most), said)

    both = first < n
    title = "Encoder's inputs, then the decoder's" if both else "Inputs"
    colours = [2] * first + [3] * (n - first) if both else None
    pic.chips(f"{title} (marked: the edited one)", words, colours, [str(i + 1) for i in range(n)], [at])
    counts = parameters_by_part(architecture(p))
    layer = 12 * p.width**2 + 13 * p.width
    title = f"Parameters: {counts.total():,}. A layer has 12 d² + 13 d, for d = {p.width} that is {layer:,}"
    pic.chips(title, [f"{count:,}" for count in counts.values()], None, list(counts))
    return pic


def draw_blocks(blocks: Panel, state: State, first: int) -> None:
    """Every block that is not zero in orange, the stronger the larger; rows still to come are hidden.

    first: tokens of the first stack.
    """
    found = state.jacobian
    n, at = len(found), state.step - 1
    decades = np.log10(np.maximum(found, 1e-300) / max(found.max(), 1e-300))
    shades = np.where(found > 0, np.clip(1 + decades / 4, 0.3, 1), 0)
    texts = [[cell_text(value, n) for value in row] for row in found]
    hovers = [[f"output {i + 1}, input {j + 1}: {size_of(found[i, j])}" for j in range(n)] for i in range(n)]
    blocks.table(shades, texts=texts, hovers=hovers)
    blocks.cover((-0.5, n - 0.5), (0.5 - n, -0.5 - at), opacity=1)
    if first < n:  # between encoder and decoder
        blocks.line((first - 0.5, 0.5), (first - 0.5, 0.5 - n), MUTED, 1.5)
        blocks.line((-0.5, 0.5 - first), (n - 0.5, 0.5 - first), MUTED, 1.5)
    blocks.frame((-0.5, n - 0.5), (-0.5 - at, 0.5 - at), INK, 2)


def cell_text(value: float, n: int) -> str:
    """There is room for numbers in a table of few tokens only."""
    if value == 0:
        return "0"
    return number(value, 2) if n <= WORDS else ""


def size_of(value: float) -> str:
    return f"|∂y/∂x| = {number(value)}" if value else "exactly 0"


def told(value: float) -> str:
    return number(value) if value else "exactly 0"


def shortened(word: str, most: int) -> str:
    return escape(word if len(word) <= most else word[: most - 1] + "…")
