"""How a graph and the two passes through it are drawn."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from playgrounds._expression import Tape, leaves
from playgrounds.autograd.formulas import formula, heading
from playgrounds.autograd.layout import Plan, Spot, plan
from playgrounds.autograd.model import Params, State, edges, forward, tape_of
from playgrounds.autograd.words import note
from playgrounds.kit import fails, works
from playgrounds.kit.axes import Axis, bare, names, span
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, PAPER
from playgrounds.kit.picture import Panel, Picture, tinted
from playgrounds.kit.training import finite
from playgrounds.kit.words import number

__all__ = ["PRESETS", "draw", "note"]

PRESETS = (
    works(
        "A value used twice",
        "The slopes of all three paths back to x add up: 5 + 5 + 1.",
        {"gradient": "== 11"},
        expression="x*x + x",
        values="x=5",
    ),
    works(
        "A net of one unit",
        "One sweep gives the slopes of all five leaves, with the four values that were kept.",
        {"gradient_error": "<= 1e-6", "kept_values": "== 4"},
        expression="h = tanh(w*x + b); y = v*h + c",
        values="w=0.5, x=2, b=-0.3, v=1.5, c=0.2",
    ),
    fails(
        "Wrong order",
        "Node b is passed on before its second path has arrived, so half of the gradient is lost.",
        {"gradient_error": ">= 1"},
        expression="b = a + a; c = b + b",
        values="a=1",
        order="depth-first",
    ),
    fails(
        "Nobody zeroes",
        "Two calls of backward() without zeroing leave twice the slope in .grad.",
        {"gradient": "== 12"},
        expression="w**2",
        values="w=3",
        backwards=2,
        zero_grad=False,
    ),
)

CLOSE, APART, BOX = 76, 92, 58  # px from layer to layer, at least and at most; height of a box
WIDE = 0.86  # of a box, in places of a layer
LETTER = 0.024  # of a graph's breadth, that a letter takes on a phone
MANY = 6  # places: from here on boxes are narrow, and letters small


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The graph; the curve with its tangent, or the gradient of each leaf; the output by gradient step."""
    state = states[now]
    if state.mistake:
        empty = Picture(160, "graph")
        empty.panel("graph", "No graph yet: the note says what to change", bare(0, 1), bare(0, 1))
        return empty
    tape = tape_of(p.expression)
    where = plan(tape)
    layers = max(where.layers, 5 if p.steps else 3)
    px = float(np.clip(440 / layers, CLOSE, APART))  # from layer to layer

    beside = ["check", "check", "check", "steps", "steps"] if p.steps else ["check", "check", "check"]
    beside += (layers - len(beside)) * ["."]
    pic = Picture(round(px * layers) + (44 if "." in beside else 70), *(f"graph graph {name}" for name in beside))
    title = f"name, {tinted(BLUE, 'value')}, {tinted(ORANGE, 'gradient')}"
    across, down = bare(-where.breadth / 2, where.breadth / 2), bare(0.5 - layers, 0.5)
    graph = pic.panel("graph", title, across, down, tall=round(px * where.layers))
    pic.on_phone(graph, y={"range": [0.5 - where.layers, 0.5]})
    graph.key("●", "kept for backward", BLUE)
    draw_edges(graph, tape, state, px)
    draw_nodes(graph, tape, state, px)
    if len(leaves(tape)) == 1:
        draw_tangent(pic, tape, states, state)
    else:
        draw_gradients(pic, tape, states, state)
    if p.steps:
        draw_steps(pic, p, tape, states, state)
    return pic


def letters(where: Plan) -> int:
    """px of the text in boxes and on edges."""
    return 13 if where.breadth < MANY else 10


def draw_edges(graph: Panel, tape: Tape, state: State, px: float) -> None:
    """A line per edge, and once a gradient has gone along it the local slope that it was multiplied by."""
    where = plan(tape)
    slopes = {(visit.node, k): visit.slopes[k] for visit in state.visits for k in visit.served}
    written = []
    for (i, k), way in where.ways.items():
        j = tape[i].inputs[k]
        twins = [m for m in edges(tape, i) if tape[i].inputs[m] == j]
        bow = 0.9 * (twins.index(k) - (len(twins) - 1) / 2) if len(way) == 2 else 0.0  # two edges of two nodes
        at_work = i == state.focus and not state.visits
        colour = ORANGE if (i, k) in slopes else BLUE if at_work else MUTED
        graph.path(*bent(way, bow), colour, 1.2 if colour == MUTED else 2.5)
        (x0, y0), (x1, y1) = way[-2:]
        if (i, k) in slopes:
            written.append(((x0 + x1) / 2 + 0.75 * bow, (y0 + y1) / 2, f"×{number(slopes[i, k] + 0.0)}"))
    for x, y, text in written:
        half = LETTER * where.breadth * letters(where) / 13 * (len(text) + 0.5) / 2
        graph.block((x - half, x + half), (y - 6 / px, y + 6 / px), PAPER)
    for x, y, text in written:  # above all of these
        graph.text(x, y, text, ORANGE, letters(where))


def bent(way: Sequence[Spot], bow: float) -> np.ndarray:
    """A smooth line by these spots, upright at each, as x and y: per piece a Bézier curve, `bow` places to the side."""
    t = np.linspace(0, 1, 12)
    pieces = []
    for (x0, y0), (x1, y1) in pairwise(way):
        x = (1 - t) ** 3 * x0 + 3 * t * (1 - t) ** 2 * (x0 + bow) + 3 * t**2 * (1 - t) * (x1 + bow) + t**3 * x1
        y = y0 + (y1 - y0) * (1.5 * t * (1 - t) + t**3)
        pieces.append([x, y])
    return np.concatenate(pieces, axis=1)


def draw_nodes(graph: Panel, tape: Tape, state: State, px: float) -> None:
    """A box per node with its name and operation, its value and its gradient; pointing tells the formula."""
    where = plan(tape)
    back = bool(state.visits) or any(g is not None for g in state.gradients)
    half = BOX / px / 2
    for i, (x, y) in where.spots.items():
        value, gradient = state.values[i], state.gradients[i]
        lines = [f"<b>{heading(tape, i)}</b>", " " if value is None else tinted(BLUE, number(value))]
        lines.append(" " if gradient is None else tinted(ORANGE, number(gradient + 0.0)))
        edge, width = ((ORANGE if back else BLUE), 4) if i == state.focus else (MUTED, 1)
        ends = (x - WIDE / 2, x + WIDE / 2), (y - half, y + half)
        graph.block(*ends, PAPER, edge=edge, width=width, text="<br>".join(lines), size=letters(where))
        if i in state.kept:
            graph.dot(x + WIDE / 2 - 0.09, y + half - 10 / px, BLUE, 10 if where.breadth < MANY else 7)
    graph.hover(*np.array([*where.spots.values()]).T, [formula(tape, i) for i in where.spots], size=40)


def around(values: Iterable[float | None], title: str = "") -> Axis:
    """Around those of the values that are finite."""
    known = [v for v in values if v is not None and math.isfinite(v)] or [0.0]
    margin = 0.12 * (max(known) - min(known)) or max(1.0, 0.1 * abs(known[0]))
    return span(min(known) - margin, max(known) + margin, title, ticks=6)


@lru_cache(maxsize=64)
def curve(tape: Tape, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """f between two values of its only leaf; nan where it has none."""
    x = np.linspace(low, high, 161)
    outputs = [forward(tape, [v])[-1] for v in x.tolist()]
    return x, np.array([y if finite(y) else math.nan for y in outputs])


def draw_tangent(pic: Picture, tape: Tape, states: Sequence[State], state: State) -> None:
    """Of a single leaf: the curve, and lines with the slope in .grad and with that of central differences."""
    (i,) = leaves(tape)
    at = [s.values[i] for s in states]
    margin = max(1.5, 0.4 * (max(at) - min(at)), 0.2 * max(map(abs, at)))
    x, y = curve(tape, min(at) - margin, max(at) + margin)
    near = (x > min(at) - 0.6 * margin) & (x < max(at) + 0.6 * margin)
    heights = [*y[near].tolist(), *(s.values[-1] for s in states)]
    check = pic.panel("check", "", span(x[0], x[-1], tape[i].name), around(heights), tall=210)
    check.curve(x, y, tape[-1].name, BLUE)
    check.key("━", ".grad", ORANGE)
    check.key("┄", "central differences")
    u, v, slope, (measured,) = state.values[i], state.values[-1], state.gradients[i], state.measured
    if slope is not None and math.isfinite(measured):
        for g, share, colour, dash in ((measured, 0.45, INK, "dot"), (slope, 0.25, ORANGE, "solid")):
            far = share * (x[-1] - x[0])
            check.line((u - far, v - far * g), (u + far, v + far * g), colour, 3, line={"dash": dash})
    if v is not None:
        check.dot(u, v, INK, 11)


def draw_gradients(pic: Picture, tape: Tape, states: Sequence[State], state: State) -> None:
    """Of several leaves: a bar per .grad, and a line where central differences say that it should end."""
    seen = [0.0, *(g for s in states for g in s.measured)]
    texts = []
    for i in leaves(tape):
        seen += [s.gradients[i] for s in states]
    check = pic.panel("check", "", names([tape[i].name for i in leaves(tape)]), around(seen), tall=210)
    check.level(0, MUTED, "solid")
    check.key("■", ".grad", ORANGE)
    check.key("━", "central differences")
    for n, (i, measured) in enumerate(zip(leaves(tape), state.measured, strict=True)):
        if (gradient := state.gradients[i]) is not None:
            check.block((n - 0.3, n + 0.3), (0, gradient), ORANGE)
        if gradient is not None and math.isfinite(measured):  # not before: it would give the answer away
            check.line((n - 0.42, measured), (n + 0.42, measured))
        texts.append(f"{tape[i].name}: .grad {number(gradient or 0.0)}, measured {number(measured)}")
    check.hover(np.arange(len(texts)), np.zeros(len(texts)), texts, size=20)


def draw_steps(pic: Picture, p: Params, tape: Tape, states: Sequence[State], state: State) -> None:
    """The output by gradient step."""
    outputs = {max(0, s.sweeps - p.backwards): s.output for s in states if s.sweeps}
    x = span(-0.05 * p.steps, 1.05 * p.steps, "step", ticks=6)
    steps = pic.panel("steps", f"{tape[-1].name} by gradient step", x, around(outputs.values()), tall=190)
    steps.curve([*outputs], [*outputs.values()], colour=BLUE, mode="lines+markers", later=True)
    if state.sweeps:
        steps.dot(max(0, state.sweeps - p.backwards), state.output, INK)
