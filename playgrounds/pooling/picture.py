"""How pooling is told and drawn: the window, both outputs as far as computed, and what a shift changes."""

from collections.abc import Sequence

import numpy as np

from playgrounds._sheets import PALE, cover_cells, frame_cells, sheet_axes
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, span, ticked
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture, tinted
from playgrounds.kit.words import counted, number
from playgrounds.pooling.model import BRIGHT, SIDE, Params, Pool, State, outputs

PRESETS = (
    works(
        "A shift inside a window",
        "The dot moves within its window: neither maximum nor average notices.",
        {"change_max": "== 0", "change_unpooled": ">= 1"},
        x=4,
    ),
    works(
        "Three pixels unnoticed",
        "A window of 4 × 4 has room for a shift by three.",
        {"change_max": "== 0", "change_unpooled": ">= 1"},
        window=4,
        stride=4,
        x=4,
        dx=3,
    ),
    fails(
        "Across the border",
        "One pixel further the dot leaves its window, and the output changes with it.",
        {"change_max": ">= 1"},
        x=3,
    ),
    fails(
        "Too much thrown away",
        "Four numbers are left of a digit, too few to tell ten digits apart.",
        {"accuracy_max": "<= 0.3"},
        picture="digit",
        window=4,
        stride=4,
    ),
)

COLOURS = {"none": MUTED, "max": BLUE, "average": ORANGE}
DASHES = {"none": "dot", "max": "solid", "average": "dash"}
CHANGED = SERIES[3]
HIGH = 1.55  # of the axis of changes; the largest is √2


def windows_over(p: Params) -> np.ndarray:
    """Which windows, counted by column, see the dot or bar after each shift, (SIDE, side)."""
    first = np.arange(p.side) * p.stride  # row or column with which a window begins
    column = (p.x + np.arange(SIDE))[:, None] % SIDE
    seen = p.picture != "dot" or ((first <= p.y) & (p.y < first + p.window)).any()
    return seen & (first <= column) & (column < first + p.window)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The window in numbers, what the shift has changed in it, and at the end what it has changed in all."""
    state = states[now]
    top, left = p.stride * state.at[0], p.stride * state.at[1]
    place = f"Window rows {top}–{top + p.window - 1}, columns {left}–{left + p.window - 1}"
    mean = f"{state.seen.sum():g}/{p.window**2} = {number(state.average)}"
    rows = "; ".join(", ".join(map(number, row)) for row in state.seen)
    said = f"{place}: {rows}: maximum {number(state.maximum)}, mean {mean}"
    before = state.maxima_before[state.at], state.averages_before[state.at]
    if before != (state.maximum, state.average):
        said += f" (before the shift {number(before[0])} and {number(before[1])})"
    return f"{said}." if state.step < p.length else f"{said}. {summary(p, state)}"


def summary(p: Params, state: State) -> str:
    """What is left of the picture, and what the shift has changed in it."""
    lost = SIDE**2 - len({k * p.stride + m for k in range(p.side) for m in range(p.window)}) ** 2
    said = f"{counted(p.length, 'output')} for {SIDE**2} pixels, {number(100 * p.length / SIDE**2)} %"
    said += f", and {counted(lost, 'pixel')} in no window" if lost else ""
    if not p.dx:
        return f"{said}; without a shift nothing has changed."
    changes = (
        f"the picture by {number(state.change_unpooled)}",
        f"maxima by {number(state.change_max)}",
        f"averages by {number(state.change_average)}",
    )
    said += f"; the shift by {p.dx} changed {', '.join(changes)}"
    if p.picture == "digit":
        return f"{said}."
    over = windows_over(p)
    if (over[0] != over[p.dx]).any():
        where = "in other"
    else:
        where = "still in the same" if over[0].any() else "still in none of the"
    return f"{said}: the {p.picture} is {where} windows."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The picture and its window, both outputs as far as computed; on demand changes by shift and classifiers."""
    state, n = states[now], p.side
    pic = Picture(430, "picture max", "picture average", details=("changes", "accuracies"), detail_height=230)
    seen = pic.panel("picture", "Picture", *sheet_axes(SIDE, SIDE), square=True, tall=290)
    tall = 170 if n < 5 else 250
    maxima = pic.panel("max", tinted(BLUE, "Maxima"), *sheet_axes(n, n), square=True, tall=tall)
    averages = pic.panel("average", tinted(ORANGE, "Averages"), *sheet_axes(n, n), square=True, tall=tall)
    shift = ticked(-0.3, SIDE - 0.7, range(SIDE), title="shift in pixels")
    changes = pic.panel("changes", "Change by shift", shift, span(-0.08, HIGH, ticks=4), tall=170)
    title = f"Digits right: as they are ■, shifted by {p.test_shift} □"
    pools = bare(-0.6, len(state.accuracies) - 0.4)
    accuracies = pic.panel("accuracies", title, pools, ticked(-0.7, 1.2, [0, 0.5, 1]), tall=230)

    draw_picture(seen, p, state)
    draw_outputs(maxima, state, state.maxima, state.maxima_before)
    draw_outputs(averages, state, state.averages, state.averages_before)
    draw_changes(changes, p, state)
    draw_accuracies(accuracies, state)
    return pic


def name_of(pool: Pool) -> str:
    """A way of pooling and the number of values that it leaves, in three lines."""
    if pool.kind == "none":
        return f"none<br>{SIDE}×{SIDE}<br>{SIDE**2} kept"
    stride = f" S{pool.stride}" if pool.stride != pool.window else ""
    size = f"{pool.window}×{pool.window}{stride}"
    return f"{pool.kind}<br>{size}<br>{outputs(pool.window, pool.stride) ** 2}"


def numbered(panel: Panel, values: np.ndarray, blank: str = "0") -> None:
    """Grey cells with their numbers, which stand still; a 0 is written as `blank`."""
    panel.table(PALE / BRIGHT * values, scale="sequential")
    decimals = 2 if len(values) < 5 else 1  # as many as fit
    texts = [[f"{v:g}" if v else blank for v in row] for row in values.round(decimals).tolist()]
    panel.cells(*values.shape, texts=texts)


def draw_picture(panel: Panel, p: Params, state: State) -> None:
    """The picture, where windows end, where the dot was before the shift, this step's window and its maximum."""
    numbered(panel, state.image, blank="")
    size = (p.window, p.window)
    if p.stride >= p.window:  # overlapping windows have no borders that a reader could follow
        for i, j in np.ndindex(p.side, p.side):
            frame_cells(panel, (p.stride * i, p.stride * j), size, MUTED, 1.5)
    if p.dx and p.picture != "digit":
        panel.key("┄", "before the shift", CHANGED)
        row, rows = (p.y, 1) if p.picture == "dot" else (0, SIDE)
        frame_cells(panel, (row, p.x), (rows, 1), CHANGED, 2, "dot")
    top, left = p.stride * state.at[0], p.stride * state.at[1]
    frame_cells(panel, (top, left), size, INK, 4)
    if np.ptp(state.seen):
        row, column = divmod(int(state.seen.argmax()), p.window)
        inset(panel, left + column, top + row, BLUE, 2.5)


def inset(panel: Panel, x: float, y: float, colour: str, width: float) -> None:
    """A frame a little inside of a cell."""
    panel.frame((x - 0.42, x + 0.42), (-y - 0.42, -y + 0.42), colour, width)


def draw_outputs(panel: Panel, state: State, values: np.ndarray, before: np.ndarray) -> None:
    """Maxima or averages, what is not computed yet covered, so that the trace of the numbers never changes."""
    n, (i, j) = len(values), state.at
    numbered(panel, values)
    panel.key("□", "changed by the shift", CHANGED)
    for cell in np.flatnonzero(values != before).tolist():
        if cell < state.step:
            inset(panel, cell % n, cell // n, CHANGED, 2)
    cover_cells(panel, (i, j + 1), (1, n - j - 1))
    cover_cells(panel, (i + 1, 0), (n - i - 1, n))
    frame_cells(panel, (0, 0), (n, n), FAINT)
    frame_cells(panel, (i, j), (1, 1), INK, 3)


def draw_changes(panel: Panel, p: Params, state: State) -> None:
    """Change by shift, shaded where the dot or bar is in the same windows as before."""
    if p.picture != "digit":
        over = windows_over(p)
        for dx in np.flatnonzero((over == over[0]).all(axis=1)).tolist():
            ends = max(dx - 0.5, -0.3), min(dx + 0.5, SIDE - 0.7)
            panel.block(ends, (-0.08, HIGH), FAINT, width=0, layer="below")
        shaded = f"shaded: {p.picture} in the same windows"
        panel.mark(SIDE - 0.8, 0.4, shaded, xanchor="right", bgcolor=PAPER)
    for kind, values in state.changes.items():
        name = "unpooled" if kind == "none" else kind
        hover = "%{y:.2f} at a shift of %{x}"
        dots = {"mode": "lines+markers", "marker": {"size": 6}}
        panel.curve(np.arange(SIDE), values, name, COLOURS[kind], dash=DASHES[kind], hover=hover, **dots)
    panel.cursor(p.dx)


def draw_accuracies(panel: Panel, state: State) -> None:
    """A pair of bars per way of pooling, and the chance of one in ten."""
    panel.level(0.1, name="chance")
    for k, one in enumerate(state.accuracies):
        panel.mark(k, -0.04, name_of(one.pool), yanchor="top")
        colour = COLOURS[one.pool.kind]
        for left, share, fill in ((k - 0.42, one.still, colour), (k + 0.02, one.shifted, PAPER)):
            panel.block((left, left + 0.4), (0, share), fill, edge=colour, width=2)
            panel.text(left + 0.2, share, f"{100 * share:.0f}", place="above")
