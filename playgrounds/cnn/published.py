"""A published net to scale: every layer as a slab as tall as its maps and as thick as it has channels."""

from collections.abc import Sequence

import numpy as np

from playgrounds._nets import Row
from playgrounds.cnn.table import WEIGHTS, arithmetic, compact, shape_of
from playgrounds.kit.axes import bare
from playgrounds.kit.palette import FAINT, MUTED
from playgrounds.kit.picture import Panel, Picture

GAP, LEAST = 0.012, 0.005  # shares of the width: between slabs, and the thinnest one
STRIP = 0.009  # of a dense layer
ROOM, WIDE_ROOM = 0.1, 0.14  # of the width: what a label of a slab needs, of a bar
MIDDLE = 0.5  # of the input's side: the height of all slabs
FLOOR, TOP = -0.9, 1.03  # of the input's side: where bars stand, and how high the picture is
BAR = 0.5  # of the input's side: the longest bar


def draw_published(pic: Picture, rows: Sequence[Row], title: str) -> Panel:
    """Slabs from left to right, and below each its parameters."""
    panel = pic.panel("published", title, bare(-0.02, 1.04), bare(FLOOR - 0.05, TOP), tall=150)
    side, places = rows[0].into[1], along(rows)
    most_units = max((row.shape[0] for row in rows if row.shape[1] == 1), default=1)
    most = max(row.parameters for row in rows)
    panel.key("▮", "maps", MUTED)
    panel.key("■", "parameters", WEIGHTS)
    labelled = last_side = -1.0
    for row, (left, right) in zip(rows, places, strict=True):
        channels, height, _ = row.shape
        tall = 0.75 * channels / most_units if height == 1 else height / side
        panel.block((left, right), (MIDDLE - tall / 2, MIDDLE + tall / 2), FAINT, edge=MUTED)
        panel.block((left, max(right, left + 0.01)), (FLOOR, FLOOR + BAR * row.parameters / most), WEIGHTS)
        middle = (left + right) / 2
        if 1 < height != last_side and middle > labelled + ROOM:
            panel.text(middle, MIDDLE - tall / 2 - 0.02, f"{height}", MUTED, place="below")
            labelled, last_side = middle, height
    label_bars(panel, rows, places)
    middles = np.array([(left + right) / 2 for left, right in places])
    said = [f"{row.name}: {shape_of(row)}<br>{arithmetic(row)}" for row in rows]
    panel.hover(middles, np.full(len(rows), 0.4), said, size=22)
    return panel


def label_bars(panel: Panel, rows: Sequence[Row], places: Sequence[tuple[float, float]]) -> None:
    """The largest numbers of parameters, as far as there is room."""
    most = max(row.parameters for row in rows)
    taken: list[float] = []
    order = sorted(zip(rows, places, strict=True), key=lambda one: -one[0].parameters)
    for row, (left, right) in order[:4]:
        middle = (left + right) / 2
        if all(abs(middle - other) > WIDE_ROOM for other in taken):
            panel.text(middle, FLOOR + BAR * row.parameters / most, compact(row.parameters), WEIGHTS, place="above")
            taken.append(middle)


def along(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Left and right end of every layer, as shares of the width."""
    flat = [row.shape[1] == 1 for row in rows]
    free = 1 - GAP * (len(rows) + 1) - STRIP * sum(flat)
    channels = sum(row.shape[0] for row, is_flat in zip(rows, flat, strict=True) if not is_flat)
    free -= LEAST * (len(rows) - sum(flat))
    places, left = [], GAP
    for row, is_flat in zip(rows, flat, strict=True):
        thick = STRIP if is_flat else LEAST + free * row.shape[0] / max(channels, 1)
        places.append((left, left + thick))
        left += thick + GAP
    return places
