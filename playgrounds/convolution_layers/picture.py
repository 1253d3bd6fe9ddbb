"""How layers in a row are told and drawn: the map in its true size, the sizes of all, a row through the middle."""

from collections.abc import Sequence

import numpy as np

from playgrounds._maps import kernel_of, side_of
from playgrounds._sheets import BORDER, frame_cells, sheet_axes, size_sum
from playgrounds.convolution_layers.model import Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import span
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number

PRESETS = (
    works(
        "The middle stays clean",
        "A padding of 1 keeps 28 columns through four layers, and most values know nothing of it.",
        {"width": "== 28", "border": "< 0.5"},
        picture="plain",
        kernel="blur",
        side=28,
        padding=1,
        layers=4,
    ),
    fails(
        "Nothing left to slide over",
        "Each layer of 3 × 3 without padding takes two columns, so thirteen of them leave two of 28.",
        {"width": "== 2", "border": "== 0"},
        picture="plain",
        kernel="blur",
        side=28,
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The size by the formula; at the end what all layers have done to it."""
    state, sizes = states[now], p.sizes
    n, (rows, columns) = state.step, state.y.shape
    f = kernel_of(p).shape[1]
    said = f"Layer {n}: {size_sum(sizes[n - 1][1], f, p.places)}, the map is" if n else "The picture is"
    said += f" {rows} × {columns}"
    if state.border:
        share = f"{number(100 * state.border)} % of its values have seen padding"
        said += f"; {share}, zeros that are no part of the picture"
    if n < len(sizes) - 1:
        return f"{said}."
    if n < p.layers:
        return f"{said}. Layer {n + 1} is impossible: no position of its kernel fits any more."
    grown = columns - side_of(p)
    how = f"{'gained' if grown > 0 else 'lost'} {counted(abs(grown), 'column')}" if grown else "kept its size"
    return f"{said}. Through {counted(n, 'layer')} the map has {how}: at stride 1 each changes it by 2P − (F − 1)."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The map after this layer in true size, the sizes of all, and on demand a row through the middle."""
    state = states[now]
    n = max(max(size) for size in p.sizes) + 2 * p.padding
    low = -1.1 if min(s.y.min() for s in states) < 0 else 0.0
    pic = Picture(430, "map sizes", details=("row",))
    outcome = pic.panel("map", "", *sheet_axes(n, n), square=True, tall=320)
    layers = span(-0.5, p.layers + 0.5, "layer", ticks=8)
    sizes = pic.panel("sizes", "Width after every layer", layers, span(0, 1.15 * n), tall=190)
    row = pic.panel("row", "Middle row of the map", span(0, n, "column"), span(low, 1.1, ticks=4), tall=150)

    draw_map(outcome, p, state, n)
    draw_sizes(sizes, p)
    sizes.dot(state.step, state.width, INK)
    draw_row(row, state, (n - state.width) // 2, low)
    return pic


def draw_map(panel: Panel, p: Params, state: State, n: int) -> None:
    """The map in the middle of n × n cells, outlines of those before it; padding and what has seen it are tinted."""
    rows, columns = state.y.shape
    top, left = n - rows - (n - rows) // 2, (n - columns) // 2
    canvas = np.zeros((n, n))
    canvas[top : top + rows, left : left + columns] = state.y / (np.abs(state.y).max() or 1)
    panel.table(canvas)
    edge = (n - side_of(p)) // 2
    for one in p.sizes[1 : state.step]:
        frame_cells(panel, ((n - one[0] + 1) // 2, (n - one[1]) // 2), one, MUTED, 1)
    frame_cells(panel, (n - side_of(p) - edge, edge), (side_of(p), side_of(p)), MUTED, 1.5, "dash")
    frame_cells(panel, (top, left), (rows, columns), INK, 2.5)
    panel.key("□", "map")
    panel.key("╍", "input", MUTED)
    if p.padding:
        draw_padding(panel, p, state, (top, left))


def draw_padding(panel: Panel, p: Params, state: State, at: tuple[int, int]) -> None:
    """The zeros that the next layer puts around the map, and in the map what has already seen some."""
    rows, columns = state.y.shape
    clean = np.argwhere(~state.seen)
    first = clean.min(axis=0) if len(clean) else np.array([0, 0])
    last = clean.max(axis=0) + 1 if len(clean) else np.array([0, columns])
    ring = p.padding if state.step < len(p.sizes) - 1 else 0
    height = rows + 2 * ring
    top, left = at[0] - ring, at[1] - ring
    above, below = ring + int(first[0]), ring + rows - int(last[0])
    before, behind = ring + int(first[1]), ring + columns - int(last[1])
    within = height - above - below
    for corner, size in (
        ((top, left), (above, columns + 2 * ring)),
        ((top + height - below, left), (below, columns + 2 * ring)),
        ((top + above, left), (within, before)),
        ((top + above, left + columns + 2 * ring - behind), (within, behind)),
    ):
        x, y = corner[1] - 0.5, 0.5 - corner[0]
        panel.block((x, x + size[1]), (y - size[0], y), BORDER, width=0, opacity=0.35)
    panel.key("■", "zeros added, and what has seen them", BORDER)


def draw_sizes(panel: Panel, p: Params) -> None:
    """The width after every layer, written at its point."""
    widths = [columns for _, columns in p.sizes]
    f = kernel_of(p).shape[1]
    hovers = ["the picture", *(size_sum(width, f, p.places) for width in widths[:-1])]
    layers = np.arange(len(widths))
    panel.curve(layers, np.array(widths), "", BLUE, hover="", later=True)
    texts = [str(width) for width in widths]
    panel.points(layers, np.array(widths), "", BLUE, size=7, texts=texts, hovers=hovers, later=True)


def draw_row(panel: Panel, state: State, left: int, low: float) -> None:
    """The middle row as stairs, on a ground where its values have seen padding."""
    rows, columns = state.y.shape
    values = state.y[rows // 2] / (np.abs(state.y).max() or 1)
    for j in np.flatnonzero(state.seen[rows // 2]).tolist():
        panel.block((left + j, left + j + 1), (low, 1.1), FAINT, width=0, layer="below")
    stairs = np.repeat(np.arange(left, left + columns + 1), 2)
    panel.path(stairs, np.pad(np.repeat(values, 2), 1), INK, 2)
