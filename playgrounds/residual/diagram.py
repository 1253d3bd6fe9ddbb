"""A plain and a residual net as rows of blocks: what every block changes, and how much of the gradient comes back."""

import numpy as np

from playgrounds.kit.axes import bare
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number
from playgrounds.residual.model import KINDS, Params, State

COLOURS = {"plain": ORANGE, "residual": BLUE}
LANES = {"plain": 4.4, "residual": -1.4}  # heights of the two nets
ONE = -16.0, -4.5  # where the enlarged block begins and ends
LENGTH = 32.0  # of the row of blocks
RIBBON = -1.6  # of a lane: where the gradient flows
WIDE, MOST = 0.45, 1.8  # half the ribbon's width at the last block, and times that at most


def draw_blocks(pic: Picture, p: Params, state: State) -> None:
    """Above the plain net, below the residual one; on the left one block of each, enlarged."""
    x, y = bare(ONE[0] - 4, LENGTH + 5.5), bare(-6.8, 6.3)
    panel = pic.panel("blocks", "", x, y, tall=240)
    panel.key("■", "plain", ORANGE)
    panel.key("■", "with shortcuts", BLUE)
    panel.key("◀", "first gradient", MUTED)
    for kind in KINDS:
        draw_one(panel, kind, LANES[kind], p, state)
        draw_row(panel, kind, LANES[kind], p, state)
        draw_gradient(panel, kind, LANES[kind] + RIBBON, p, state)


def of_blocks(values: np.ndarray, kind: str) -> np.ndarray:
    """The medians over the nets of a kind, block by block; what is not known or no number counts as 0."""
    return np.nan_to_num(np.median(values[KINDS.index(kind)], axis=0), nan=0.0, posinf=1e9)


def draw_one(panel: Panel, kind: str, y: float, p: Params, state: State) -> None:
    """One block: its input goes through F, and with a shortcut past it as well."""
    start, end = ONE
    colour, middle = COLOURS[kind], (start + end) / 2 - 1
    residual = kind == "residual"
    change = float(np.median(of_blocks(state.blocks.change, kind)))
    panel.line((start, y), (middle - 2, y), colour, 2)
    panel.line((middle + 2, y), (end, y), colour, 2)
    panel.block((middle - 2, middle + 2), (y - 0.7, y + 0.7), PAPER, edge=colour, width=2, text="F")
    panel.text(start - 0.2, y, "x", place="left")
    if residual:
        arc = half_circle(start + 1, end - 2, y, 1.7)
        panel.path(arc[:, 0], arc[:, 1], colour, 4)
        panel.dot(end - 2, y, colour, 18)
        panel.text(end - 2, y, "+", PAPER)
        said = f"gives F(x) + x<br>F is {change:.0%} of x"
    else:
        said = "gives F(x)"
    panel.text(middle, y + RIBBON - 0.6, said, MUTED, place="below")


def half_circle(left: float, right: float, y: float, high: float) -> np.ndarray:
    """The way of a shortcut over a block, (n, 2)."""
    angle = np.linspace(np.pi, 0, 17)
    middle, half = (left + right) / 2, (right - left) / 2
    return np.stack([middle + half * np.cos(angle), y + high * np.sin(angle)], axis=1)


def draw_row(panel: Panel, kind: str, y: float, p: Params, state: State) -> None:
    """All blocks, the darker the more each changes; the block that is removed is hollow once the nets are trained."""
    n = p.depth // 2
    pitch, colour = LENGTH / n, COLOURS[kind]
    change = of_blocks(state.blocks.change, kind)
    panel.line((-0.6, y), (LENGTH + 0.6, y), colour, 2)
    panel.field(np.sqrt(change)[None], (0, LENGTH), (y - 0.6, y + 0.6), scale="sequential", smooth=False)
    middles = (np.arange(n) + 0.5) * pitch
    half = min(0.3 * pitch, 2)
    gaps = [(i * pitch - (pitch / 2 - half), i * pitch + (pitch / 2 - half)) for i in range(n + 1)]
    gaps[0], gaps[-1] = (0, gaps[0][1]), (gaps[-1][0], LENGTH)
    panel.strokes([[(a, y - 0.65), (b, y - 0.65), (b, y + 0.65), (a, y + 0.65)] for a, b in gaps], PAPER, 1, fill=PAPER)
    panel.strokes([[(a, y), (b, y)] for a, b in gaps], colour, 2)
    boxes = [[(m - half, y - 0.6), (m + half, y - 0.6), (m + half, y + 0.6), (m - half, y + 0.6)] for m in middles]
    panel.strokes([[*box, box[0]] for box in boxes], FAINT, 1)
    if kind == "residual":
        panel.strokes([half_circle(m - pitch / 2, m + pitch / 2, y, 1.4) for m in middles], colour, 2)
    if 0 < p.off <= n and (state.update == p.steps or state.depth != p.depth or state.update is None):
        m = middles[p.off - 1]
        panel.block((m - half, m + half), (y - 0.65, y + 0.65), PAPER, edge=INK, width=2)
    texts = [f"block {i + 1}: |change| / |x| = {number(value)}" for i, value in enumerate(change)]
    panel.hover(middles, np.full(n, y), texts)


def draw_gradient(panel: Panel, kind: str, y: float, p: Params, state: State) -> None:
    """A ribbon from the loss on the right back to the first block, as wide as the gradient there on the first pass."""
    back = of_blocks(state.blocks.gradient, kind)
    n, colour = len(back), COLOURS[kind]
    x = np.append((np.arange(n) + 0.5) * LENGTH / n, LENGTH + 0.5)
    half = WIDE * np.minimum(np.append(back, back[-1]), MOST)
    upper, lower = np.stack([x, y + half], axis=1), np.stack([x, y - half], axis=1)
    panel.shape_of(np.concatenate([upper, lower[::-1]]), colour, 1, fill=colour, opacity=0.55)
    panel.text(LENGTH + 0.9, y, "loss", MUTED, place="right")
    panel.text(-0.4, y, f"× {number(back[0], 2)}", colour, place="left")
