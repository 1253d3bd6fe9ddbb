"""How a famous net, its miniature and the miniature's twin are told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds._miniatures import TEST, Idea
from playgrounds.cnn.model import Params, State, pair, published
from playgrounds.cnn.module import draw_module
from playgrounds.cnn.pipelines import TWIN, YOURS, draw_both, draw_pipeline, draw_stack
from playgrounds.cnn.published import draw_published
from playgrounds.cnn.table import draw_table
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, share, steps, ticked
from playgrounds.kit.nn import softmax
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

PRESETS = (
    fails(
        "Dense net",
        "It has as many weights as its convolutional twin and learns its own digits, but what it has learned at one "
        "place it does not know at the next.",
        {"accuracy": "<= 0.7", "twin_accuracy": ">= 0.76"},
        layers="dense",
    ),
    fails(
        "Eight layers of sigmoid",
        "Each passes on at most a quarter of a difference, so that the loss stays at ln 10; the ReLU twin learns.",
        {"accuracy": "<= 0.2", "loss": ">= 2.2", "twin_accuracy": ">= 0.6"},
        net="AlexNet",
        activation="sigmoid",
    ),
    works(
        "Three 3×3 for one 7×7",
        "The stack sees as much as the large filter and is about as good, with fewer weights.",
        {"accuracy": ">= 0.75"},
        net="VGG-16",
    ),
    works(
        "1×1 before the large filters",
        "A cut from 16 to 4 channels saves most multiplications of the module and costs little accuracy.",
        {"accuracy": ">= 0.72"},
        net="GoogLeNet",
    ),
)

YEARS = {"LeNet-5": 1998, "AlexNet": 2012, "VGG-16": 2014, "GoogLeNet": 2014}
NO_GRID = {"showgrid": False}


def named(p: Params, idea: Idea) -> str:
    """What tells a miniature from its twin, in few words."""
    if p.net == "LeNet-5":
        return "dense" if idea.dense else "convolutional"
    if p.net == "VGG-16":
        if idea.large:
            return f"one {2 * idea.stack + 1}×{2 * idea.stack + 1}"
        return "two 3×3" if idea.stack == 2 else "three 3×3"
    if p.net == "GoogLeNet":
        return f"1×1 cut to {idea.cut}" if idea.cut else "no 1×1 cut"
    if p.differs == "activation":
        return idea.activation
    if p.differs == "dropout":
        return f"dropout {idea.dropout:g}" if idea.dropout else "no dropout"
    return "augmented" if idea.augment else "not augmented"


def variant(p: Params) -> str:
    """Which version of the large net the table shows."""
    if p.net == "LeNet-5" and p.layers == "dense":
        return ", all dense"
    if p.net == "VGG-16" and p.filters == "one large":
        return ", large filters"
    if p.net == "GoogLeNet" and p.cut == 0:
        return ", no 1×1 cut"
    return f", {YEARS[p.net]}" if p.version == "published" else " today"


def note(p: Params, states: Sequence[State], now: int) -> str:
    """How both stand and what is said of the shown digit; at the end what the idea has brought."""
    state = states[now]
    yours, twin = (named(p, idea) for idea in pair(p))
    if state.label is None:
        it, right = "your drawing", ""
    else:
        it, right = (
            "the shown digit",
            ", which is right" if state.says == state.label else f", but it is a {state.label}",
        )
    answer = f"For {it} the miniature ({yours}) says {state.says} with {state.confidence:.0%}{right}"
    if state.step == 0:
        return (
            f"Before training: right on {state.accuracy:.0%} ({yours}) and {state.twin_accuracy:.0%} ({twin}) of "
            f"{TEST} new digits; guessing gives 10% and a loss of ln 10 = {np.log(10):.2f}. {answer}."
        )
    if state.step < p.steps:
        return (
            f"Step {state.step} of {p.steps}: loss {number(state.loss)} ({yours}) and {number(state.twin_loss)} "
            f"({twin}); right on {state.accuracy:.0%} and {state.twin_accuracy:.0%} of {TEST} new digits. {answer}."
        )
    return (
        f"After {p.steps} steps {yours}: {state.accuracy:.0%} of new digits right and {state.fit:.0%} in training; "
        f"{twin}: {state.twin_accuracy:.0%} of new digits right and {state.twin_fit:.0%} in training. "
        f"{conclusion(p, state)} {answer}."
    )


def conclusion(p: Params, end: State) -> str:
    """What the comparison of both says about the net's idea."""
    ahead = end.accuracy - end.twin_accuracy  # of the reader's
    if p.net == "LeNet-5":
        if (ahead if p.layers == "convolutional" else -ahead) > 0.04:
            return "A convolution has the same filters at every place; the dense net has to learn each place anew."
        where = "too little was learned" if p.shift else "every digit lies in the middle"
        return f"Sharing weights brings no advantage here: {where}."
    if p.net == "VGG-16":
        k, c = 2 * p.stack + 1, 8
        stack = f"the stack with {p.stack} · 3² · {c}² = {p.stack * 9 * c * c:,} weights"
        return f"Both look through windows of {k}×{k}, {stack}, the large filter with {k}² · {c}² = {k * k * c * c:,}."
    if p.net == "GoogLeNet":
        few, many = sorted((end.multiplications, end.twin_multiplications))
        return f"A digit costs {few:,} multiplications with the 1×1 cut and {number(many / few)} times as many without."
    sigmoid = "sigmoid" in (p.activation, named(p, pair(p)[1]))
    if sigmoid and max(end.loss, end.twin_loss) > 2.2:
        return "A sigmoid passes on at most a quarter of a difference: behind seven of them all digits look alike."
    gap, twin_gap = 100 * (end.fit - end.accuracy), 100 * (end.twin_fit - end.twin_accuracy)
    return f"From training to new digits they lose {gap:.0f} and {twin_gap:.0f} points."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The miniature, or its idea, drawn with its activations; the published net to scale, and accuracy by step."""
    state, rows = states[now], published(p)
    ideas = pair(p)
    yours, twin = (named(p, idea) for idea in ideas)
    low = "published published published accuracy accuracy"
    pic = Picture(500, "maps", "maps", low, details=("classes table", ". table"), detail_height=280)
    draw_hero(pic, p, state)
    title = f"{p.net}{variant(p)}, to scale"
    draw_published(pic, rows, title)
    accuracy = pic.panel("accuracy", "Accuracy", steps(p.steps, ticks=4), share(), tall=130)
    classes = pic.panel("classes", "Probability", ticked(-0.6, 9.6, range(10)) | NO_GRID, bare(0, 1.02), tall=90)
    most = max(len(rows), 10)
    table = pic.panel("table", "Layer by layer", bare(0, 1), bare(most + 0.7, -1.6), tall=20 * most + 50)

    accuracy.history(states, lambda s: s.accuracy, yours, YOURS, hover="%{y:.0%}, step %{x}")
    accuracy.history(states, lambda s: s.twin_accuracy, twin, TWIN, dash="dash", hover="%{y:.0%}, step %{x}")
    pic.cursor(state.step, accuracy)
    draw_classes(classes, state, yours, twin)
    draw_table(table, rows)
    return pic


def draw_hero(pic: Picture, p: Params, state: State) -> None:
    """What the net is known for: its layers in a row, twice if an activation is compared, its stack, its module."""
    ideas = pair(p)
    if p.net == "LeNet-5":
        draw_pipeline(pic, p, ideas[0], state)
    elif p.net == "AlexNet":
        draw_both(pic, p, ideas, state, [named(p, idea) for idea in ideas])
    elif p.net == "VGG-16":
        draw_stack(pic, p, state)
    else:
        draw_module(pic, ideas[0], state)


def draw_classes(classes: Panel, state: State, yours: str, twin: str) -> None:
    """Two bars per class."""
    both = softmax(state.scores)
    classes.columns(both[0], YOURS, wide=0.4, at=np.arange(10) - 0.2)
    classes.columns(both[1], TWIN, wide=0.4, at=np.arange(10) + 0.2)
    (a, b), (one, other) = state.scores, both
    said = [f"{k}: {yours} e^{a[k]:.2f}/Σ = {one[k]:.1%}<br>{twin} e^{b[k]:.2f}/Σ = {other[k]:.1%}" for k in range(10)]
    classes.hover(np.arange(10), np.full(10, 0.5), said, size=24)
