"""The nets of the experiment, a row each: what they are made of, how far it has changed, and how good they are."""

from collections.abc import Sequence
from typing import Any

from playgrounds._tasks import TASKS
from playgrounds.kit.axes import bare
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.transfer.model import Params, Source, State, plan

COLOURS = {"scratch": 5, "frozen": 0, "fine-tuned": 1, "head first": 2}  # places in SERIES
PRE_TRAINED = SERIES[3]
LAYERS = ("layer 1", "2", "head")
TALL = 0.62  # of a row: a block
NAME, FIRST = 0.23, 0.245  # x of the end of a name, and of the first block
WIDE, APART = 0.146, 0.155  # of a block, and from one to the next
LOW, HIGH = 0.72, 0.865  # x of an accuracy of 0 and of 1
COPIED = 0.75  # the gap below the source's row, in rows


def draw_nets(pic: Picture, p: Params, state: State) -> None:
    """The source's net on top; below it the target's nets, which are there once pre-training has ended."""
    methods = sorted(p.methods, key=lambda method: method == "scratch")  # those that take weights over come first
    last = -len(methods) - COPIED
    panel = pic.panel("nets", "Nets", bare(0, 1), bare(last - 0.55, 1.05), tall=330, hero=True)
    panel.key("■", "pre-trained", PRE_TRAINED)
    panel.key("□", "random")
    panel.key("▌", "changed")
    for i, layer in enumerate(LAYERS):
        panel.text(sum(across(i)) / 2, 0.75, layer, MUTED)
    panel.text(LOW, 0.75, "right on new", MUTED, place="right")
    source(panel, p, state)
    for row, method in enumerate(methods, start=1):
        target(panel, p, state, method, -row - COPIED)
    if p.source and methods[0] != "scratch":
        copied(panel, -COPIED - 1, started(state))


def started(state: State) -> bool:
    """Whether the target's nets are there."""
    return state.about is None or not isinstance(state.about, Source)


def source(panel: Panel, p: Params, state: State) -> None:
    """The net that is pre-trained: its layers fill up with what they learn."""
    done = state.source_step / p.source_steps
    panel.text(NAME, 0, "source", INK if p.source else MUTED, place="left")
    for i in range(len(LAYERS)):
        block(panel, across(i), 0, [(done, PRE_TRAINED)])
    if p.source:
        bar(panel, 0, state.source_accuracy, 1 / TASKS[p.task].kinds, MUTED)


def target(panel: Panel, p: Params, state: State, method: str, y: float) -> None:
    """A net of the target: what it starts with, covered from the left by how far it has changed."""
    colour, there = SERIES[COLOURS[method]], started(state)
    panel.text(NAME, y, method, colour if there else MUTED, place="left")
    which = p.methods.index(method)
    frozen = plan(p, method)[-1].frozen
    for i, change in enumerate(state.changes[which].tolist()):
        taken = there and p.source > 0 and method != "scratch" and i < 2
        said = "frozen" if i < frozen else f"{100 * change:.0f} %" if change else ""
        parts = [(1.0, PRE_TRAINED)] if taken else []
        if there:
            block(panel, across(i), y, [*parts, (min(1, change), colour)], said)
        else:
            block(panel, across(i), y)
    if there:
        accuracy = float(state.accuracies[which, p.sizes.index(p.labels)].mean())
        bar(panel, y, accuracy, 1 / TASKS[p.task].classes, colour)


def across(i: int) -> tuple[float, float]:
    """The left and the right end of a layer's block."""
    left = FIRST + i * APART
    return left, left + WIDE


def block(
    panel: Panel, x: tuple[float, float], y: float, parts: Sequence[tuple[float, str]] = (), text: str = ""
) -> None:
    """A layer: filled from the left by each of the parts (share, colour), the later ones on top; faint without any."""
    ends = (y - TALL / 2, y + TALL / 2)
    for share, colour in parts:
        end = x[0] + share * (x[1] - x[0])
        panel.block((x[0], end), ends, PAPER)
        panel.block((x[0], end), ends, colour, opacity=0.55)
    panel.frame(x, ends, MUTED if parts else FAINT, 1)
    panel.text((x[0] + x[1]) / 2, y, text)


def bar(panel: Panel, y: float, accuracy: float, chance: float, colour: str) -> None:
    """A share of new examples, and where guessing would be."""
    ends = (y - TALL / 2, y + TALL / 2)
    length: Any = HIGH - LOW
    panel.frame((LOW, HIGH), ends, FAINT, 1)
    panel.block((LOW, LOW + accuracy * length), ends, colour)
    guessed = LOW + chance * length
    panel.line((guessed, ends[0]), (guessed, ends[1]), INK, 1.5, line={"dash": "dot"})
    panel.text(HIGH, y, f"{accuracy:.0%}", place="right")


def copied(panel: Panel, first: float, there: bool) -> None:
    """The arrows from the source's layers down to the row of the first net that takes them over."""
    top, low = -TALL / 2 - 0.08, first + TALL / 2 + 0.08
    colour = PRE_TRAINED if there else FAINT
    for i in range(2):
        middle = sum(across(i)) / 2
        panel.line((middle, top), (middle, low + 0.2), colour, 3)
        corners = [(middle, low), (middle - 0.018, low + 0.24), (middle + 0.018, low + 0.24)]
        panel.shape_of(corners, colour, 1, fill=colour)
    panel.text(sum(across(2)) / 2, (top + low) / 2, "new" if there else "", MUTED)
