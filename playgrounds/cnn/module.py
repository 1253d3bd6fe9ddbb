"""The inception module as it is built: four branches on the same maps, and what each costs with and without its cut."""

import numpy as np

from playgrounds._miniatures import Idea, miniature
from playgrounds._nets import branches_of
from playgrounds.cnn.model import State
from playgrounds.cnn.pipelines import PHONE, brightest, on_phone
from playgrounds.cnn.table import PRODUCTS
from playgrounds.kit.axes import bare
from playgrounds.kit.diagrams import Box, Stage, named_below
from playgrounds.kit.palette import FAINT, INK, MUTED
from playgrounds.kit.picture import Panel, Picture

SIDE, CHANNELS = 6, 16  # of the maps that the module reads
INPUT = Box(0, 27, -22, 5)
CUTS, RESULTS, COSTS = 48, 116, 181  # where the columns begin
HEIGHTS = 24.5, 10, -4.5, -22  # middles of the four branches
MOST = 30  # length of the longest bar
JOIN = 174  # where the branches are joined
LOW, HIGH = -30, 31


def draw_module(pic: Picture, idea: Idea, state: State) -> None:
    """The maps that come in, the branches on them, what each gives, and bars of their multiplications."""
    places = [13.5, CUTS + 13.5, RESULTS + 27.5, COSTS + MOST / 2]
    names = ["16 maps 6×6", "cut, or pooled", "8 + 8 + 8 + 8 = 32 maps", "multiplications"]
    x = named_below(-1, COSTS + MOST + 10, places, names)
    panel = pic.panel("maps", "Module in small", x, bare(LOW, HIGH), square=True, tall=PHONE)
    on_phone(pic, panel, ["in", "cut", "out", "cost"])
    read = next(maps for maps in state.inside.layers if maps.shape == (CHANNELS, SIDE, SIDE))
    panel.feature_maps(Stage("", brightest(read), across=4), INPUT)
    panel.field(state.image[::-1], (7.5, 19.5), (12, 24), scale="sequential", smooth=False)
    panel.frame((7.5, 19.5), (12, 24), FAINT, 1)
    panel.arrow((13.5, 11.5), (13.5, 6), MUTED, 1.5, head=2)
    layer = next(layer for layer in miniature(idea) if layer.kind == "inception")
    bare_layer = layer._replace(branches=layer.branches._replace(cut3=0, cut5=0))
    pairs = zip(branches_of(layer, CHANNELS), branches_of(bare_layer, CHANNELS), strict=True)
    costs = [[branch.cost(SIDE * SIDE).multiplications for branch in pair] for pair in pairs]
    most = max(max(pair) for pair in costs)
    for branch, steps, y, pair in zip(branches_of(layer, CHANNELS), state.inside.branches, HEIGHTS, costs, strict=True):
        words = [f"{f.k}×{f.k}" for f in branch.chain]
        if branch.name == "pooled":
            words.insert(0, "max")
        draw_branch(panel, words, steps, y)
        draw_cost(panel, pair, most, y)
    panel.line((JOIN, HEIGHTS[0]), (JOIN, HEIGHTS[-1]), INK, 3)
    panel.key("■", f"1×1 cut to {idea.cut}" if idea.cut else "no 1×1 cut", PRODUCTS)
    if idea.cut:
        panel.key("□", "without", MUTED)


def draw_branch(panel: Panel, words: list[str], steps: list[np.ndarray], y: float) -> None:
    """One branch from the maps that come in to the eight that it gives; a word for what each line does."""
    bend = CUTS - 12.0
    panel.path([INPUT.right, bend], [max(INPUT.low + 2, min(INPUT.high - 2, y)), y], INK, 1.5)
    at: float = bend
    for i, (word, maps) in enumerate(zip(words, steps, strict=True)):
        last = i == len(steps) - 1
        stage = Stage("", brightest(maps), across=8 if last or len(maps) > 8 else 4)
        width, height = stage.size
        left = RESULTS if last else CUTS
        box = Box(left, left + width, y - height / 2, y + height / 2)
        panel.line((at, y), (left - 0.5, y), INK, 1.5)
        panel.feature_maps(stage, box)
        panel.text(left - 6, y + 1, word, INK, place="above")
        at = box.right + 0.5
    panel.line((at, y), (JOIN, y), INK, 1.5)


def draw_cost(panel: Panel, pair: list[int], most: int, y: float) -> None:
    """What a branch costs as it is, and in outline what it would cost without its cut."""
    cost, direct = (MOST * one / most for one in pair)
    panel.block((COSTS, COSTS + cost), (y - 2.5, y + 2.5), PRODUCTS)
    panel.frame((COSTS, COSTS + direct), (y - 2.5, y + 2.5), MUTED, 1.5)
    said = " not ".join(f"{count / 1000:.0f}k" for count in dict.fromkeys(pair))
    panel.text(COSTS + MOST + 8, y - 5.5, said, INK, place="left")
