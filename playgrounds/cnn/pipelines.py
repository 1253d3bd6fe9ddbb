"""The miniatures as drawn pipelines: real activations on the digit shown, a pixel of every map equally large."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from playgrounds._miniatures import Idea, Inside, miniature
from playgrounds.cnn.model import Params, State
from playgrounds.kit.axes import bare
from playgrounds.kit.diagrams import Box, Stage, lined_up, named_below, pipeline_axes, square_in
from playgrounds.kit.nn import softmax
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture

YOURS, TWIN = BLUE, ORANGE
WIDE, WIDER = 188, 196  # pixels of one pipeline, of two, but for the answer
APART = 15  # pixels from the middle to each of two pipelines
ANSWER, CLASS = 9.0, 4.6  # pixels: the longest bar of the answer, the height of a class
PHONE = 180  # px of a pipeline there


def shape_of(maps: np.ndarray) -> str:
    """16 × 6×6, or 24 units."""
    return f"{maps.shape[2]} units" if is_flat(maps) else f"{len(maps)} × {size_of(maps)}"


def size_of(maps: np.ndarray) -> str:
    """6×6, or 24."""
    _, height, width = maps.shape
    return f"{width}" if is_flat(maps) else f"{height}×{width}"


def is_flat(maps: np.ndarray) -> bool:
    return maps.shape[:2] == (1, 1)


def brightest(maps: np.ndarray) -> np.ndarray:
    """Maps relative to the layer's largest value."""
    return maps / max(float(np.abs(maps).max()), 1e-9)


def stages_of(idea: Idea, inside: Inside, image: np.ndarray, few: bool = False) -> list[Stage]:
    """The digit, every layer of a miniature, and the probabilities of the ten classes. few: of each layer four maps."""
    layers = miniature(idea)
    stages = [Stage("digit<br>12×12", image[None], window=layers[0].k)]
    for layer, later, maps in zip(layers, [*layers[1:], None], inside.layers, strict=True):
        name = f"{layer.name}<br>{shape_of(maps)}"
        if few:
            name = f"{layer.name.replace('dense', 'd')}<br>{size_of(maps)}"
        if later is None:
            stages.append(Stage("answer", softmax(maps[0]).reshape(1, 1, -1), unit=CLASS / 2 if few else CLASS))
        elif layer.kind == "dense":
            stages.append(Stage(name, brightest(maps), unit=0.5 if few else 1))
        else:
            across = 4 if len(maps) == 16 and not few else 2
            seen = brightest(maps)[:4] if few else brightest(maps)
            stages.append(Stage(name, seen, across, 0 if later.kind == "dense" else later.k))
    return stages


def draw_pipeline(pic: Picture, p: Params, idea: Idea, state: State) -> None:
    """Every layer with its maps from left to right, and at the end what the net says."""
    stages = stages_of(idea, state.inside, state.image)
    boxes = lined_up(stages, WIDE)
    title = f"{p.net} in small, {'dense' if idea.dense else 'convolutional'}: {state.parameters:,} parameters"
    panel = pipeline_panel(pic, title, stages, boxes)
    panel.pipeline(stages, boxes)
    last, probabilities = boxes[-1], softmax(state.scores[0])
    draw_answer(panel, last, probabilities, YOURS if state.step else FAINT)
    for k in range(len(probabilities)):
        is_right = k == state.label
        text = f"<b>{k}</b>" if is_right else f"{k}"
        panel.text(last.right + 2, last.high - (k + 0.5) * CLASS, text, INK if is_right else MUTED)
    if state.step:
        left = last.right + 4.5 + ANSWER * state.confidence
        panel.text(left, last.high - (state.says + 0.5) * CLASS, f"{state.confidence:.0%}", place="right")


def draw_both(pic: Picture, p: Params, ideas: Sequence[Idea], state: State, names: Sequence[str]) -> None:
    """Two such nets on the same digit, one above the other, with four maps of every layer."""
    insides, colours = (state.inside, state.twin_inside), (YOURS, TWIN)
    both = [stages_of(idea, inside, state.image, few=True) for idea, inside in zip(ideas, insides, strict=True)]
    boxes = [lined_up(stages, WIDER, y) for stages, y in zip(both, (APART, -APART), strict=True)]
    panel = pipeline_panel(pic, f"{p.net} in small", both[0], boxes[0] + boxes[1])
    for i, (stages, places, colour) in enumerate(zip(both, boxes, colours, strict=True)):
        scale = "diverging" if ideas[i].activation == "tanh" else "sequential"
        panel.pipeline(stages, places, scale=scale, colour=colour)
        probabilities = softmax(state.scores[i])
        draw_answer(panel, places[-1], probabilities, colour if state.step else FAINT)
        panel.key("■", names[i], colour)
        if state.step:
            k = int(probabilities.argmax())
            high = places[-1].high - (k + 0.5) * CLASS / 2
            left = places[-1].right + 4.5 + ANSWER * probabilities[k]
            panel.text(left, high, f"<b>{k}</b>", colour, place="right")


def pipeline_panel(pic: Picture, title: str, stages: Sequence[Stage], boxes: Sequence[Box]) -> Panel:
    """The hero, with every layer's name below it, and its shape where the reader points."""
    x, y = pipeline_axes(stages, boxes, right=ANSWER + 24)
    panel = pic.panel("maps", title, x, y, square=True, tall=PHONE)
    on_phone(pic, panel, [short(stage.name) for stage in stages])
    said = [stage.name.replace("<br>", ": ") for stage in stages]
    panel.hover([box.middle[0] for box in boxes[: len(said)]], [0.0] * len(said), said, size=40)
    return panel


def on_phone(pic: Picture, panel: Panel, names: Sequence[str]) -> None:
    """There a drawing would be a finger high: it is stretched, and has shorter names."""
    pic.on_phone(panel, x={"ticktext": list(names)}, y={"scaleanchor": False})


def short(name: str) -> str:
    """A layer's name for a narrow screen: conv 2 as c2."""
    word, _, number = name.partition("<br>")[0].partition(" ")
    return f"{word[0]}{number}" if number else {"digit": "in", "answer": "out"}.get(word, word[0])


def draw_answer(panel: Panel, box: Box, probabilities: np.ndarray, colour: str) -> None:
    """A bar per class, from top to bottom, right of the net's last layer."""
    high = (box.high - box.low) / len(probabilities)
    left = box.right + 4
    for k, share in enumerate(probabilities):
        y = box.high - (k + 0.5) * high
        panel.block((left, left + ANSWER * share), (y - 0.3 * high, y + 0.3 * high), colour)


# ----------------------------------------------------------------------------------- VGG: a stack and one large filter

MAP, CELL = 12, 0.27  # pixels: the side of a map, of a weight
ROWS = 9.5, -9.0  # the heights at which the stack and the large filter stand
LENGTH = 133  # of both
STRONG = 2.5  # times the standard deviation of the weights is drawn in full colour
WORDS = {2: "two", 3: "three"}


def mosaic(filters: np.ndarray) -> np.ndarray:
    """All filters (out, in, k, k) of a layer as one sheet of weights."""
    out, into, k, _ = filters.shape
    return (filters / (STRONG * filters.std())).transpose(0, 2, 1, 3).reshape(out * k, into * k)


def draw_stack(pic: Picture, p: Params, state: State) -> None:
    """The means of the first maps, what a unit sees of them, and between them all the weights that this takes."""
    n, side = p.stack, 2 * p.stack + 1
    rows = [(state.inside, YOURS), (state.twin_inside, TWIN)]
    (stack, stack_colour), (large, large_colour) = rows if p.filters == "3×3 stack" else rows[::-1]
    lefts = np.linspace(MAP + 6, LENGTH - MAP, n + 1).tolist()
    names = ["digit", "conv 1.1", *[""] * (n - 1), "what follows"]
    x = named_below(-1, LENGTH + 1, [MAP / 2, *(left + MAP / 2 for left in lefts)], names)
    panel = pic.panel("maps", "Weights", x, bare(-21, 17), square=True, tall=PHONE)
    on_phone(pic, panel, ["in", "1.1", *names[2:-1], "next"])
    panel.key("▦", f"{WORDS[n]} 3×3: {sum(f.size for f in stack.filters[1 : n + 1]):,}", stack_colour)
    panel.key("▦", f"one {side}×{side}: {large.filters[1].size:,}", large_colour)
    panel.feature_maps(Stage("", state.image[None]), Box(0, MAP, -MAP / 2, MAP / 2))
    panel.text(MAP / 2, ROWS[0], f"{WORDS[n]}<br>3×3", stack_colour, place="above")
    panel.text(MAP / 2, ROWS[1], f"one<br>{side}×{side}", large_colour, place="below")
    draw_row(panel, stack, ROWS[0], lefts, [side - 2 * j for j in range(n + 1)], stack_colour)
    draw_row(panel, large, ROWS[1], [lefts[0], lefts[-1]], [side, 1], large_colour)


def draw_row(panel: Panel, inside: Inside, y: float, lefts: Sequence[float], seen: Sequence[int], colour: str) -> None:
    """Maps at `lefts`, in each the pixels that a unit in the middle of the last one sees, and filters between them."""
    windows = []
    for layer, left, side in zip(inside.layers, lefts, seen, strict=False):
        box = Box(left, left + MAP, y - MAP / 2, y + MAP / 2)
        panel.feature_maps(Stage("", brightest(layer.mean(axis=0, keepdims=True))), box)
        windows.append(square_in(box, MAP // 2 - side // 2, side))
        panel.text(left + MAP / 2, box.low, f"{side}×{side}", colour, place="below")
    for filters, (left, after) in zip(inside.filters[1:], pairwise(lefts), strict=False):
        sheet = mosaic(filters)
        half, middle = CELL * len(sheet) / 2, (left + MAP + after) / 2
        panel.field(sheet[::-1], (middle - half, middle + half), (y - half, y + half), smooth=False)
        panel.frame((middle - half, middle + half), (y - half, y + half), FAINT, 1)
        panel.text(middle, y - half - 0.2, f"{filters.size:,}", MUTED, place="below")
    for window, later in pairwise(windows):
        panel.cone(window, later, colour, 2)
