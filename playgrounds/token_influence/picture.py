"""How the influence of inputs on outputs is told and drawn."""

from collections.abc import Sequence
from html import escape

import numpy as np

from playgrounds._transformer import PARTS, parameters_by_part
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names, share
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE
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


def numbered(noun: str, at: np.ndarray) -> str:
    """outputs 1–4, 6 for [0, 1, 2, 3, 5]."""
    runs: list[list[int]] = []
    for i in at.tolist():
        if runs and i == runs[-1][1] + 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    said = ", ".join(f"{a + 1}–{b + 1}" if b > a else f"{a + 1}" for a, b in runs)
    return f"{noun}{'s' if len(at) > 1 else ''} {said}"


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """A line from every output to the inputs that reach it; the same as a table; what an edit of one input changes.

    On demand this output's attention weights, and the parameters.
    """
    state = states[now]
    words = [token.word for token in tokens(p)]
    n, first, at = len(words), len(next(iter(p.words.values()))), edited(p)
    labels = [shortened(word, 5 if n <= WORDS else 8) for word in words]
    across, turned = names(labels, turned=n > WORDS), names(labels, turned=True)
    more = ("attention parameters",)
    pic = Picture(470, *3 * ["links links blocks"], *2 * ["links links changes"], details=more)
    links = pic.panel("links", "Who reaches whom", across, bare(-0.25, 1.35), tall=300)
    down = names(labels, down=True)
    blocks = pic.panel("blocks", "Output ↓ depends on input →", turned | {"showticklabels": False}, down, tall=260)
    most = 1.25 * max(float(state.changes.max()), 1e-9)
    title = f"Change by editing {shortened(words[at], 8)}"
    changes = pic.panel("changes", title, turned, share(high=most), tall=140)

    draw_links(links, p, state, first)
    draw_blocks(blocks, state, first)
    measured = state.changes[: state.step]
    changes.columns(measured, ORANGE, texts=["" if value else "0" for value in measured])
    said = [f"output {i + 1} changes by {told(value)} of its size" for i, value in enumerate(state.changes)]
    changes.hover(np.arange(n), np.full(n, 0.07 * most), said)
    draw_attention(pic, state, turned)
    draw_parameters(pic, p)
    return pic


def draw_links(links: Panel, p: Params, state: State, first: int) -> None:
    """Inputs below, outputs above: lines of the outputs measured so far, those of the latest in blue.

    An output that the edit has changed is orange. first: tokens of the first stack.
    """
    n, at = len(state.jacobian), state.step - 1
    strengths = shades(state.jacobian)
    for rows, colour, width in ((range(at), MUTED, 3), (range(at, at + 1), BLUE, 6)):
        pairs = [(i, j) for i in rows for j in range(n) if state.jacobian[i, j] > 0]
        starts, ends = [(i, 1) for i, _ in pairs], [(j, 0) for _, j in pairs]
        links.arcs(starts, ends, [strengths[pair] for pair in pairs], colour, width=width)
    for i in range(n):
        links.dot(i, 0, ORANGE if i == edited(p) else MUTED, 16)
        known = i <= at
        links.dot(i, 1, (ORANGE if state.changes[i] else MUTED) if known else FAINT, 16, hollow=not known)
    side, place = (-0.45, "right") if at < n / 2 else (0.45, "left")
    links.text(at + side, 1.15, "output", BLUE, place=place)
    links.text(edited(p), -0.08, "edited", ORANGE, place="below")
    links.key("●", "edited or changed", ORANGE)
    if first < n:  # between encoder and decoder
        links.line((first - 0.5, -0.25), (first - 0.5, 1.35), FAINT, 1.5)
        links.text((first - 1) / 2, 1.3, "encoder", MUTED)
        links.text((first + n - 1) / 2, 1.3, "decoder", MUTED)


def shades(found: np.ndarray) -> np.ndarray:
    """0 where a block is zero, else from 0.3 to 1, by decades below the largest."""
    decades = np.log10(np.maximum(found, 1e-300) / max(found.max(), 1e-300))
    return np.where(found > 0, np.clip(1 + decades / 4, 0.3, 1), 0)


def draw_blocks(blocks: Panel, state: State, first: int) -> None:
    """Every block that is not zero in orange, the stronger the larger; rows still to come are hidden.

    first: tokens of the first stack.
    """
    found = state.jacobian
    n, at = len(found), state.step - 1
    texts = [["" if value else "0" for value in row] for row in found]
    hovers = [[f"output {i + 1}, input {j + 1}: {size_of(found[i, j])}" for j in range(n)] for i in range(n)]
    blocks.table(shades(found), texts=texts if n <= WORDS else None, hovers=hovers)
    blocks.cover((-0.5, n - 0.5), (0.5 - n, -0.5 - at), opacity=1)
    if first < n:  # between encoder and decoder
        blocks.line((first - 0.5, 0.5), (first - 0.5, 0.5 - n), MUTED, 1.5)
        blocks.line((-0.5, 0.5 - first), (n - 0.5, 0.5 - first), MUTED, 1.5)
    blocks.frame((-0.5, n - 0.5), (-0.5 - at, 0.5 - at), INK, 2)


def draw_attention(pic: Picture, state: State, across: dict) -> None:
    """Where this output looks in the first layer."""
    panel = pic.panel("attention", "Attention of this output, layer 1", across, share(high=1.05), tall=140)
    row = state.attention[state.step - 1]
    panel.columns(row, BLUE)
    said = [f"weight of input {i + 1}: {told(value)}" for i, value in enumerate(row)]
    panel.hover(np.arange(len(row)), np.full(len(row), 0.1), said)


def draw_parameters(pic: Picture, p: Params) -> None:
    """A bar for the parameters of every part."""
    counts = parameters_by_part(architecture(p))
    most = max(counts.values(), default=1)
    panel = pic.panel(
        "parameters",
        f"{counts.total():,} parameters; a layer: 12 d² + 13 d",
        bare(0, 1.3 * most),
        names(list(counts), down=True),
        tall=140,
    )
    panel.rows(counts.values(), MUTED, texts=[f"{n:,}" for n in counts.values()])


def size_of(value: float) -> str:
    return f"|∂y/∂x| = {number(value)}" if value else "exactly 0"


def told(value: float) -> str:
    return number(value) if value else "exactly 0"


def shortened(word: str, most: int) -> str:
    return escape(word if len(word) <= most else word[: most - 1] + "…")
