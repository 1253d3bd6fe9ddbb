"""How several filters are told and drawn: the picture, a map for each filter, and the filters in slices."""

from collections.abc import Sequence

import numpy as np

from playgrounds._maps import side_of
from playgrounds._sheets import cover_cells, frame_cells, nothing_fits, sheet, sheet_axes, show_picture, show_window
from playgrounds.convolution_filters.model import SHAPE, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.palette import FAINT, INK, MUTED
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number

PRESETS = (
    works(
        "Six filters, six maps",
        "Every filter reads all three colours of the photo and writes one map.",
        {"maps": "== 6", "parameters": "== 168"},
        picture="photo",
    ),
    fails(
        "No place for a window",
        "With gaps of two pixels between its weights a filter is seven pixels wide, more than the picture.",
        {"width": "== 0", "unread": "== 36"},
        side=6,
        dilation=3,
    ),
)

ACROSS = 3  # maps, and filters, in a row
NAMED = 1.22  # rows of sheets are so much further apart than they are tall: room for a name
LINE = 6  # cells from a row of filters to the next: 3 and a name
SLICES = 11  # cells from a filter to the next: three slices of 3 and a gap


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What every filter answers at one position; at the end what the maps are."""
    state = states[now]
    if not state.y.size:
        return nothing_fits(side_of(p), SHAPE, p.places)
    (i, j), (k, rows, columns) = state.at, state.y.shape
    named = ", ".join(f"{name} {number(y)}" for name, y in zip(p.filters, state.answers.tolist(), strict=True))
    said = f"Row {i} is done in every map; at column {j} the answers are {named}"
    if state.step == 1:
        return f"{said}: each is one sum over 3 × 3 pixels of all 3 channels."
    if state.step < p.length:
        return f"{said}."
    size = f"{rows} × {columns}"
    made = f"{counted(k, 'filter')} made {counted(k, 'map')} of {size}, a block {k} × {size}, and not {3 * k} maps"
    return f"{made}: every filter adds up its 3 channels. (3·3·3 + 1)·{k} = {state.parameters} parameters."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The picture and its window, the maps as far as computed, and the filters in slices for red, green and blue."""
    state = states[now]
    k, rows, columns = state.y.shape
    n, across, down = state.x.shape[1], min(k, ACROSS), -(-k // ACROSS)
    pic = Picture(500, "input maps maps", "input maps maps", "filters maps maps")
    seen = pic.panel("input", f"Input 3 × {side_of(p)} × {side_of(p)}", *sheet_axes(n, n), square=True, tall=270)
    wide, tall = 1.06 * max(columns, 1), NAMED * max(rows, 1)
    maps = pic.panel(
        "maps",
        f"{counted(k, 'map')} of {rows} × {columns}",
        *sheet_axes(down * tall, across * wide),
        square=True,
        hero=True,
        tall=20 + round(300 * down * tall / (across * wide)),
    )
    slices = pic.panel(
        "filters",
        f"{counted(k, 'filter')}: red, green, blue slices",
        *sheet_axes(down * LINE, across * SLICES),
        square=True,
        tall=10 + 55 * down,
    )

    show_picture(seen, p, state.x)
    if state.y.size:
        show_window(seen, state.at, SHAPE, p.places)
    else:
        frame_cells(maps, (0, 0), (1, 1), FAINT)
        maps.mark(0.5 * across - 0.5, 0, "empty: no position fits")
    for m, name in enumerate(p.filters):
        row, column = divmod(m, ACROSS)
        if state.y.size:
            corner = column * wide, -row * tall - (NAMED - 1) * rows
            draw_map(maps, state, m, corner)
            name_it(maps, name, corner)
        corner = column * SLICES, -row * LINE - (LINE - 3)
        draw_filter(slices, state.w[m], corner)
        name_it(slices, name, corner)
    return pic


def name_it(panel: Panel, name: str, corner: tuple[float, float]) -> None:
    """A name above a sheet."""
    panel.mark(corner[0] - 0.5, corner[1] + 0.5, name, xanchor="left", yanchor="bottom")


def draw_map(panel: Panel, state: State, m: int, corner: tuple[float, float]) -> None:
    """The m-th map, what is not computed yet covered."""
    rows, columns = state.y[m].shape
    done = state.at[0] + 1
    sheet(panel, state.y[m], at=corner, most=float(np.abs(state.y[m]).max()))
    cover_cells(panel, (done, 0), (rows - done, columns), corner)
    frame_cells(panel, (0, 0), (rows, columns), MUTED, corner=corner)
    frame_cells(panel, state.at, (1, 1), INK, 2, corner=corner)


def draw_filter(panel: Panel, w: np.ndarray, corner: tuple[float, float]) -> None:
    """A filter w (3, 3, 3), its slices side by side."""
    sheet(panel, np.hstack(list(w)), at=corner, most=float(np.abs(w).max()))
    for channel in range(3):
        frame_cells(panel, (0, 3 * channel), SHAPE, MUTED, corner=corner)
