"""All matrices as tables of colours and numbers, and the outputs in another order: what is opened on demand."""

from typing import NamedTuple

import numpy as np

from playgrounds.attention_matrices.arithmetic import arithmetic, divided, plain, safe
from playgrounds.attention_matrices.model import MOST_WORDS, STAGES, Matrices, Params, State, crossed
from playgrounds.kit.axes import bare, names
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture, tinted
from playgrounds.kit.words import number

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


def draw_tables(pic: Picture, p: Params, state: State) -> None:
    """Eight tables, those to come covered, the watched token's row framed."""
    for table in tables(p, state.seen):
        draw_table(pic, p, state, table)


def draw_table(pic: Picture, p: Params, state: State, table: Table) -> None:
    """Colours, numbers where they have room, and the arithmetic of each cell on pointing.

    All of it stands still, covered as long as it is to come: traces that change would cost the player seconds.
    """
    m, columns = state.seen, table.values.shape[1]
    most = max(len(m.words), len(m.others))
    named = table.columns or [str(j + 1) for j in range(columns)]
    x = names(named, every=1 if columns <= MOST_WORDS else 8, turned=table.name in SQUARE)
    y = names(table.rows, down=True) | {"range": [0.5 - most, 0.5]}
    y["showticklabels"] = table.name in ("X", "S") or (crossed(p) and table.name == "K")
    panel = pic.panel(table.name, table.title, x, y, tall=CELL * most)
    pic.on_phone(panel, y={"showticklabels": True})
    largest = 1 if table.name == "A" else max(np.abs(table.values).max(), 1e-9)
    panel.table(table.values / largest)
    digits, room = (2, 6) if table.name == "A" else (1, 5)  # columns, with which a number has room in a cell
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
        for ends in ((0, 4), (9, 13)):
            panel.block(ends, down["range"], PAPER, edge=FAINT)
        return
    for now, (before, far) in enumerate(zip(m.order.tolist(), change, strict=True)):
        dash = "dash" if far > FAR else "solid"
        panel.line((4.1, -before), (8.9, -now), ORANGE if far > FAR else BLUE, line={"dash": dash})
