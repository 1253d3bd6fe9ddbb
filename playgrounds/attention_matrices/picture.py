"""How attention's stages are told and drawn: what is computed for the watched token, and a table per matrix."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from playgrounds.attention_matrices.arithmetic import arithmetic, cut, divided, plain, product, safe
from playgrounds.attention_matrices.model import MOST_WORDS, STAGES, Matrices, Params, State, crossed
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture, tinted
from playgrounds.kit.words import counted, number, vector

PRESETS = (
    works(
        "Order does not count",
        "The tokens are shuffled, and every word keeps the output it had: attention sees a set of words.",
        {"order_error": "<= 1e-12"},
        order="shuffled",
    ),
    fails(
        "Wide and not divided",
        "Products of 64 numbers are large, and without the division by √d_k one token takes nearly all the weight.",
        {"largest_weight": ">= 0.75"},
        d_k=64,
        scaled=False,
    ),
)

FAR = 1e-9  # outputs that differ by less differ by rounding only
CELL = 30  # px of a table's row
SQUARE = ("S", "Z", "A")  # the tables of queries by keys
GREEN = SERIES[2]


def reached(state: State, stage: str) -> bool:
    """Whether this stage has been computed."""
    return state.step > STAGES.index(stage)


def watched(p: Params, m: Matrices) -> int:
    """Where the watched token stands now."""
    return int(np.flatnonzero(m.order == min(p.watch, len(m.words)) - 1)[0])


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What a stage computes, in numbers, for the watched token."""
    state = states[now]
    m = state.seen
    if m is None:
        return f"Your {'other ' * bool(p.text.split())}sentence has no words: type some, with spaces between them."
    i, n, root = watched(p, m), len(m.words), number(sqrt(p.d_k))
    me, them = cut(m.words)[i], cut(m.others)
    best = int(m.A[i].argmax())  # the token it will look at most
    k, Y = (best, "Y") if crossed(p) else (i, "X")  # key and value are calculated for the k-th token of Y
    match STAGES[state.step - 1]:
        case "X":
            place = f" plus the sines and cosines of place {i + 1}" if p.positions else ""
            said = f"Embeddings: x({me}) = {vector(m.X[i])}, drawn at random by the word itself{place}."
            more = f" Only the first {n} of your {len(p.text.split())} words are taken."
            return said + more if len(p.text.split()) > n else said
        case "Q":
            return f"Queries, what a token looks for, Q = X·W_Q: q₁({me}) = {product(m.X[i], m.w.W_Q[:, 0])}."
        case "K":
            return f"Keys, what a token is found by, K = {Y}·W_K: k₁({them[k]}) = {product(m.Y[k], m.w.W_K[:, 0])}."
        case "V":
            source = "Y, the other sentence," if crossed(p) else "X"
            return f"Values, what a token hands over, are {source} times W_V: v({them[k]}) = {vector(m.V[k])}."
        case "S":
            said = f"Scores, each of {n} queries with each of {len(them)} keys, {m.S.size} dot products"
            return f"{said}: q({me})·k({them[best]}) = {product(m.Q[i], m.K[best])}."
        case "Z" if not p.scaled:
            return f"Not divided by √d_k = {root}: the scores stay as large as {number(np.abs(m.S).max())}."
        case "Z":
            change = f"{number(m.S[i, best])} / {root} = {number(m.S[i, best] / sqrt(p.d_k))} for {me} and {them[best]}"
            return f"Divided by √d_k = √{p.d_k} = {root}, so that their size does not grow with d_k: {change}."
        case "mask" if np.isinf(m.Z).any():
            masked = counted(np.isinf(m.Z).sum(), "score")
            return f"Masked: {masked} of later tokens become −∞, so {me} sees {i + 1} of {n}."
        case "mask":
            return f"No score is masked: {me} sees all {len(them)} tokens{'' if crossed(p) else ' and so itself'}."
        case "A":
            total = np.exp(m.Z[i]).sum()
            share = f"e^{vector([m.Z[i, best]], True)} / {number(total)} = {number(m.A[i, best])}"
            return f"Softmax, row by row: {me} gives {them[best]} the weight {share}, of {vector(m.A[i].round(3))}."
    parts = [f"{number(a)}·v({word})" for a, word in zip(m.A[i], them, strict=True)]
    said = f"Outputs, averages of the values: o({me}) = {' + '.join(parts)} = {vector(m.out[i])}."
    if state.order_error is None:
        return f"{said} Being averages they stay between {number(m.V.min())} and {number(m.V.max())}, as V does."
    few, far = "no word's output has changed by more than", "the words' outputs have changed, by up to"
    moved = few if state.order_error < FAR else far
    return f"{said} With the tokens {p.order} {moved} {number(state.order_error)}."


class Table(NamedTuple):
    name: str  # of its panel, and the stage that computes it
    title: str
    values: np.ndarray
    rows: list[str]
    columns: list[str] | None = None  # None: they are numbered


def tables(p: Params, m: Matrices) -> list[Table]:
    """What is shown, in the order of its stages."""
    me, them = safe(m.words), safe(m.others)
    Q, K, V = tinted(BLUE, "Q"), tinted(ORANGE, "K"), tinted(GREEN, "V")
    Y = "Y" if crossed(p) else "X"
    given = "S / √d_k" if p.scaled else "S, not divided"
    masked = ", masked" if np.isinf(m.Z).any() else ""
    return [
        Table("X", "X, the words", m.X, me),
        Table("Q", f"{Q} = X·W_Q", m.Q, me),
        Table("K", f"{K} = {Y}·W_K", m.K, them),
        Table("V", f"{V} = {Y}·W_V", m.V, them),
        Table("S", f"S = {Q}·{K}ᵀ", m.S, me, them),
        Table("Z", given + masked, divided(p, m), me, them),
        Table("A", "A = softmax", m.A, me, them),
        Table("O", f"O = A·{V}", m.out, me),
    ]


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Eight tables, those to come covered, the watched token's row framed; below, the outputs in another order."""
    state = states[now]
    m = state.seen
    if m is None:
        return Picture(60)  # the note says what is wrong with the text
    high = min(500, 130 + 2 * CELL * max(len(m.words), len(m.others)))
    pic = Picture(high, "X Q K V", "S Z A O")
    if p.order != "as typed":
        pic = Picture(high, "X S A O", "order", details=("Q K V Z",), detail_height=high // 2)
    for table in tables(p, m):
        draw_table(pic, p, state, table)
    if p.order != "as typed":
        draw_order(pic, p, state)
    draw_looks(pic, p, state)
    return pic


def draw_table(pic: Picture, p: Params, state: State, table: Table) -> None:
    """Colours, numbers where they have room, and the arithmetic of each cell on pointing.

    All of it stands still, covered as long as it is to come: traces that change would cost the player seconds.
    """
    m, columns = state.seen, table.values.shape[1]
    most = max(len(m.words), len(m.others))
    named = table.columns or [str(j + 1) for j in range(columns)]
    x = names(named, every=1 if columns <= MOST_WORDS else 8, turned=table.name in SQUARE)
    y = names(table.rows, down=True) | {"range": [0.5 - most, 0.5]}
    first = table.name in ("X", "S") if p.order == "as typed" else table.name in ("X", "Q")
    y["showticklabels"] = first or (crossed(p) and table.name == "K")
    panel = pic.panel(table.name, table.title, x, y, tall=CELL * most, hero=table.name == "A" and p.order == "as typed")
    pic.on_phone(panel, y={"showticklabels": True})
    largest = 1 if table.name == "A" else max(np.abs(table.values).max(), 1e-9)
    panel.table(table.values / largest)
    digits, room = (2, 8) if table.name == "A" else (1, 6)
    texts = [plain(value, digits) if columns <= room else "" for value in table.values.ravel()]
    i, j = np.indices(table.values.shape).reshape(2, -1)
    hovers = [arithmetic(p, m, table.name, *cell) for cell in zip(i, j, strict=True)]
    panel.points(j, -i, texts=texts, hovers=hovers, mode="text", textposition="middle center")
    draw_marks(panel, p, state, table)


def draw_marks(panel: Panel, p: Params, state: State, table: Table) -> None:
    """A cover while it is to come; the mask; a frame for the watched token and the score that the note calculates."""
    m, (rows, columns) = state.seen, table.values.shape
    across, row = (-0.5, columns - 0.5), watched(p, m)
    if not reached(state, table.name):
        panel.block(across, (0.5 - rows, 0.5), PAPER, edge=FAINT)
        return
    if table.name == "Z" and reached(state, "mask"):
        for i, j in np.argwhere(np.isinf(m.Z)):
            panel.block((j - 0.5, j + 0.5), (-i - 0.5, -i + 0.5), PAPER, edge=FAINT, text="−∞", ink=MUTED)
    if not (crossed(p) and table.name in ("K", "V")):
        panel.frame(across, (-row - 0.5, -row + 0.5), INK, 2)
    if reached(state, "S") and not reached(state, "O"):
        best = int(m.A[row].argmax())
        latest = [name for name in SQUARE if reached(state, name)][-1]
        if table.name == latest:
            panel.frame((best - 0.5, best + 0.5), (-row - 0.5, -row + 0.5), ORANGE, 3)
        if table.name == "K":
            panel.frame(across, (-best - 0.5, -best + 0.5), ORANGE, 3)


def draw_order(pic: Picture, p: Params, state: State) -> None:
    """The outputs in the order typed and in the one shown, side by side, and a line from each word to itself."""
    m, n = state.seen, len(state.seen.words)
    typed = [word for _, word in sorted(zip(m.order.tolist(), safe(m.words), strict=True))]
    down = names(typed, down=True)
    panel = pic.panel("order", f"Outputs, typed and {p.order}", bare(0, 16), down, tall=CELL * n, hero=True)
    panel.key("━", "equal", BLUE)
    panel.key("╍", "different", ORANGE)
    largest = float(max(np.abs(m.out).max(), np.abs(state.typed).max()))
    panel.field(state.typed[::-1] / largest, (0, 4), down["range"], smooth=False)
    panel.field(m.out[::-1] / largest, (9, 13), down["range"], smooth=False)
    change = np.abs(m.out - state.typed[m.order]).max(axis=1)
    said = [f"{word}: its output differs by {number(far)}" for word, far in zip(safe(m.words), change, strict=True)]
    x, y = np.full(n, 13.2), -np.arange(n)
    panel.points(x, y, texts=safe(m.words), hovers=said, mode="text", textposition="middle right")
    if not reached(state, "O"):
        panel.block((9, 13), down["range"], PAPER, edge=FAINT)
        return
    for now, (before, far) in enumerate(zip(m.order.tolist(), change, strict=True)):
        dash = "dash" if far > FAR else "solid"
        panel.line((4.1, -before), (8.9, -now), ORANGE if far > FAR else BLUE, line={"dash": dash})


def draw_looks(pic: Picture, p: Params, state: State) -> None:
    """Chips: the tokens that the watched one looks at, below each its score or, once there, its weight."""
    m, row, stage = state.seen, watched(p, state.seen), STAGES[state.step - 1]
    values = {"S": m.S, "Z": divided(p, m), "mask": m.Z, "A": m.A, "O": m.A}.get(stage)
    weighed = stage in ("A", "O")
    what = "weights" if weighed else "to come" if values is None else "scores"
    subs = [""] * len(m.others) if values is None else ["−∞" if np.isinf(v) else plain(v, 2) for v in values[row]]
    colours = [1 if weighed and a >= 1 / len(m.others) else None for a in m.A[row]]
    title = f"What {cut(m.words)[row]} looks at: {what}"
    pic.chips(title, cut(m.others), colours, subs, marks=[] if crossed(p) else [row])
