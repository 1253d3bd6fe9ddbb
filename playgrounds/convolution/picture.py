"""How the sliding window is told and drawn: its products as a sentence and as an equation in cells."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from playgrounds._maps import reach, side_of, window
from playgrounds._sheets import (
    BORDER,
    cover_cells,
    fits,
    frame_cells,
    nothing_fits,
    sheet,
    sheet_axes,
    show_picture,
    show_window,
    shown,
    size_sum,
    wide,
    written,
)
from playgrounds.convolution.model import Params, State, run
from playgrounds.kit import fails, works
from playgrounds.kit.palette import BLUE, FAINT, INK, PAPER
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number, vector

PRESETS = (
    works(
        "Edges of a digit",
        "Sobel x answers where ink begins (orange) or ends (blue) on the way to the right.",
        {"width": "== 8", "border": "> 0.4"},
        picture="digit",
        padding=1,
    ),
    fails(
        "Pixels that nobody reads",
        "At stride 4 the windows of 3 × 3 lie apart, and what is between them never reaches the map.",
        {"width": "== 2", "unread": ">= 28"},
        picture="digit",
        stride=4,
    ),
)

PHONE = 340  # px of the equation there
GAP = 0.8  # cells between its parts, with a sign in the middle


def product_sum(p: Params, state: State, i: int, j: int, end: str = " + ") -> str:
    """3·1 + 0·(−1) + … + b = 3 for output (i, j); `end` stands between the rows of the window."""
    seen = window(state.x[None], i, j, state.w.shape, p.places)[0]
    rows = [
        " + ".join(f"{x:g}·{vector([w], factor=True)}" for x, w in zip(*row, strict=True))
        for row in zip(seen.tolist(), state.w.tolist(), strict=True)
    ]
    bias = f"{end}{vector([p.bias], factor=True)}" if p.bias else ""
    return f"{end.join(rows)}{bias} = {number(float(state.y[i, j]), 6)}"


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The window's products and their sum; at the end the size of the map and what was lost or added at the border."""
    state, n = states[now], side_of(p)
    if not state.y.size:
        return nothing_fits(n, state.w.shape, p.places)
    (i, j), (rows, columns) = state.at, state.y.shape
    place = f"Output row {i}, column {j}"
    if p.by_row:
        place = f"Row {i}, {counted(columns, 'output')}, the strongest in column {j}"
    said = f"{place}: {product_sum(p, state, i, j)}"
    if state.step < p.length:
        return f"{said}."
    said += f". The map has {rows} × {columns} values from {n} × {n} pixels"
    if state.border:
        said += f"; {number(100 * state.border)} % of them have seen padding"
    if state.unread:
        said += f"; {counted(state.unread, 'pixel')} were never read"
    return f"{said}; one kernel of {counted(state.w.size, 'weight')} made them all."


@lru_cache(maxsize=8)
def sums(p: Params) -> list[str]:
    """What every output says when it is pointed at: its products, a line for each row of the window."""
    state = next(run(p))
    spots = np.ndindex(state.y.shape)
    return [f"row {i}, column {j}<br>{product_sum(p, state, i, j, '<br>+ ')}" for i, j in spots]


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The window on the picture, the map so far, and the products whose sum is its newest value."""
    state = states[now]
    n, (rows, columns), (f, g) = len(state.x), state.y.shape, state.w.shape
    two_lines = in_two_lines(state)
    across, down = (2 * g + GAP, 2 * f + 1) if two_lines else (3 * (g + GAP) + 1.6, f)
    pic = Picture(500, *(["input sum", "map sum"] if two_lines else ["input map", "input map", "sum sum"]))
    title = f"Window × {'flipped ' if p.flip else ''}kernel = products, summed{' + b' if p.bias else ''} □"
    seen = pic.panel("input", f"Input {side_of(p)} × {side_of(p)}", *sheet_axes(n, n), square=True, tall=310)
    size = f"Map: {size_sum(side_of(p), g, p.places)} wide"
    outcome = pic.panel("map", size, *sheet_axes(max(rows, 1), max(columns, 1)), square=True, tall=310)
    tall = round(PHONE * down / across)
    equation = pic.panel("sum", title, *sheet_axes(down, across), square=True, tall=tall)

    show_picture(seen, p, state.x[None])
    if p.padding:
        seen.key("□", f"padding {p.padding}", BORDER)
    if not state.y.size:
        frame_cells(outcome, (0, 0), (1, 1), FAINT)
        outcome.mark(0, 0, "empty: no position fits")
        sheet(equation, state.w, most=float(np.abs(state.w).max()), numbers=True)
        return pic
    if p.stride > 1:
        mark_centres(seen, p, state)
    show_window(seen, state.at, state.w.shape, p.places)
    draw_map(outcome, p, state)
    draw_equation(equation, p, state, two_lines)
    return pic


def mark_centres(panel: Panel, p: Params, state: State) -> None:
    """A ring where each window has its middle: at a stride above 1 the places are not those of the pixels."""
    row, column = np.indices(state.y.shape).reshape(2, -1)
    x = p.stride * column + (reach(state.w.shape[1], p.dilation) - 1) / 2
    y = p.stride * row + (reach(state.w.shape[0], p.dilation) - 1) / 2
    size = 18 if len(state.x) <= 17 else 6  # px: cells of the larger pictures are small
    panel.points(x, -y, "window centres", BLUE, symbol="circle-open", size=size, hover="")


def draw_map(panel: Panel, p: Params, state: State) -> None:
    """The map, what is not computed yet covered, so that no trace ever changes."""
    (i, j), (rows, columns) = state.at, state.y.shape
    sheet(panel, state.y, most=float(np.abs(state.y).max()), numbers=fits(state.y))
    row, column = np.indices(state.y.shape).reshape(2, -1)
    panel.hover(column, -row, sums(p))
    done = columns if p.by_row else j + 1
    cover_cells(panel, (i, done), (1, columns - done))
    cover_cells(panel, (i + 1, 0), (rows - i - 1, columns))
    frame_cells(panel, (0, 0), (rows, columns), FAINT)
    frame_cells(panel, (i, j), (1, 1), INK, 3)


def in_two_lines(state: State) -> bool:
    """Whether the equation needs two lines on a phone, for a wide kernel or long numbers."""
    longest = max(wide(state.w), wide(state.w * state.x.max()))
    return state.w.shape[1] > 3 or longest > PHONE / (3 * (state.w.shape[1] + GAP) + 1.6)


def draw_equation(panel: Panel, p: Params, state: State, two_lines: bool) -> None:
    """Window × kernel = products = their sum, in cells; in two lines the products stand under the window."""
    f, g = state.w.shape
    seen = window(state.x[None], *state.at, (f, g), p.places)[0]
    most, brightest = float(np.abs(state.w).max()), float(state.x.max())
    step, low = g + GAP, -(f + 1.0)
    kernel_at = (step, 0.0)
    products_at = (0.0, low) if two_lines else (2 * step, 0.0)
    sum_at = (step, low - (f - 1) / 2) if two_lines else (3 * step, -(f - 1) / 2)

    sheet(panel, seen, most=brightest, scale="sequential", lattice=True)
    sheet(panel, state.w, at=kernel_at, most=most, numbers=True)
    sheet(panel, seen * state.w, at=products_at, most=brightest * most, lattice=True)
    write(panel, seen, (0.0, 0.0))
    write(panel, seen * state.w, products_at)
    total = shown(float(state.y[state.at]))
    x, y = sum_at
    panel.block((x - 0.5, x + 1.1), (y - 0.5, y + 0.5), PAPER, edge=INK, width=3, text=total, size=15)
    for sign, (left, top) in zip("×==", (kernel_at, products_at, sum_at), strict=True):
        middle = top if (left, top) == sum_at else top - (f - 1) / 2
        if left:
            panel.mark(left - 0.5 - GAP / 2, middle, sign)


def write(panel: Panel, values: np.ndarray, at: tuple[float, float]) -> None:
    """Numbers in cells that change at every step."""
    for i, row in enumerate(written(values)):
        for j, text in enumerate(row):
            panel.text(at[0] + j, at[1] - i, text)
