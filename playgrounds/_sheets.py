"""How maps are drawn: squares in colour with their numbers, a picture under its window, the size of a map in words."""

from collections.abc import Sequence

import numpy as np

from playgrounds._maps import Pictured, Places, outputs, reach, side_of
from playgrounds.kit.axes import Axis, bare
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.picture import Panel
from playgrounds.kit.still import LABEL
from playgrounds.kit.words import number

BORDER = SERIES[3]  # the padding
PALE = 0.55  # under numbers only the lighter part of the sequential scale is used
PHONE = 270  # px of a sheet there
LETTER = 0.58 * LABEL  # px of a digit
LINE = 17  # px of a cell that has room for a line of text


def sheet_axes(rows: float, columns: float) -> tuple[Axis, Axis]:
    """The axes of a square panel for rows × columns cells as those of `table`, the first in the upper left corner."""
    return (
        bare(-0.5 - 0.02 * columns, 1.02 * columns - 0.5),
        bare(0.5 - 1.02 * rows, 0.5 + 0.02 * rows),
    )


def shown(v: float) -> str:
    """As many digits as fit into a cell."""
    if v == int(v) or abs(v) >= 100:
        return f"{v + 0.0:.0f}".replace("-", "−")  # + 0.0: no −0
    return number(v, 3 if abs(v) >= 10 else 2) if abs(v) >= 0.005 else "0"


def written(values: np.ndarray) -> list[list[str]]:
    """The numbers of a sheet (rows, columns) as they stand in its cells."""
    return [[shown(v) for v in row] for row in values.tolist()]


def wide(values: np.ndarray) -> float:
    """px that a cell needs for the longest of these numbers."""
    longest = max((len(shown(v)) for v in values.ravel().tolist()), default=0)
    return LETTER * longest + 3


def fits(values: np.ndarray) -> bool:
    """Whether the numbers of a sheet can be written into its cells on a phone."""
    return max(LINE, wide(values)) < PHONE / max(*values.shape, 1)


def sheet(
    panel: Panel,
    values: np.ndarray,
    *,
    most: float,
    at: tuple[float, float] = (0, 0),
    scale: str = "diverging",
    numbers: bool = False,
    lattice: bool = False,
) -> None:
    """Values (rows, columns) as coloured cells, in full colour at `most`; the first cell is at `at`.

    numbers: written into the cells, in a lattice; they must stand still. lattice: that alone.
    """
    pale = PALE if scale == "sequential" and (numbers or lattice) else 1
    panel.table(pale / (most or 1) * values, scale=scale, at=at)
    if numbers or lattice:
        panel.cells(*values.shape, at=at, texts=written(values) if numbers else None)


def frame_cells(
    panel: Panel,
    at: Sequence[float],
    shape: tuple[int, int],
    colour: str = INK,
    width: float = 1,
    dash: str = "solid",
    corner: tuple[float, float] = (0, 0),
) -> None:
    """A frame around shape = (rows, columns) cells of a sheet whose first cell is at `corner`, from cell `at` on."""
    left, top = corner[0] + at[1] - 0.5, corner[1] - at[0] + 0.5
    panel.frame((left, left + shape[1]), (top - shape[0], top), colour, width, dash)


def cover_cells(
    panel: Panel, at: Sequence[float], shape: tuple[int, int], corner: tuple[float, float] = (0, 0)
) -> None:
    """Hide the cells of a sheet that are not computed yet."""
    left, top = corner[0] + at[1] - 0.5, corner[1] - at[0] + 0.5
    panel.cover((left, left + shape[1]), (top - shape[0], top), opacity=1)


def show_picture(panel: Panel, p: Pictured, planes: np.ndarray, *, numbers: bool = True) -> None:
    """The padded picture, its channels in `planes` (1 or 3, rows, columns), the real one framed in it."""
    n = planes.shape[1]
    padding = (n - side_of(p)) // 2
    if p.picture == "photo":
        rgb = np.broadcast_to(17 * planes, (3, n, n)).transpose(1, 2, 0)
        panel.image(rgb, (-0.5, n - 0.5), (0.5 - n, 0.5))
    else:
        most = float(planes.max())
        sheet(panel, planes[0], most=most, scale="sequential", numbers=numbers and fits(planes[0]))
    inner = (side_of(p), side_of(p))
    frame_cells(panel, (padding, padding), inner, BORDER if padding else MUTED, 2 if padding else 1)


def show_window(panel: Panel, at: tuple[int, int], kernel: tuple[int, int], places: Places) -> None:
    """The window for the output at row and column `at`, and each of its pixels if they lie apart."""
    top, left = places.stride * at[0], places.stride * at[1]
    d = places.dilation
    if d > 1:
        for u, v in np.ndindex(kernel):
            frame_cells(panel, (top + d * u, left + d * v), (1, 1), INK, 2)
    frame_cells(panel, (top, left), (reach(kernel[0], d), reach(kernel[1], d)), INK, 2 if d > 1 else 4)


def size_sum(w: int, f: int, places: Places) -> str:
    """The size formula with its numbers."""
    covered, columns = reach(f, places.dilation), outputs(w, f, places)
    return f"⌊({w} − {covered} + 2·{places.padding})/{places.stride}⌋ + 1 = {columns}"


def nothing_fits(side: int, kernel: tuple[int, int], places: Places) -> str:
    """Why the map is empty."""
    rows, columns = (reach(f, places.dilation) for f in kernel)
    n = side + 2 * places.padding
    picture = f"the {'padded ' if places.padding else ''}picture has {n} × {n}"
    return f"No position fits: the kernel covers {rows} × {columns} pixels and {picture}, so the output is empty."
