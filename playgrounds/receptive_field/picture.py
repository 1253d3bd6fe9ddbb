"""How the receptive field is told and drawn: the gradient with the region, the stack from the side, the weights."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names, span, ticked
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number
from playgrounds.receptive_field.model import MOST, Layer, Params, State, closed_form, filters, jumps, middle, spread

PRESETS = (
    works(
        "Many channels",
        "With 64 channels throughout, two layers of 3 × 3 are cheaper than one of 5 × 5.",
        {"stack_weights": "<= 73728", "single_weights": ">= 102400"},
        channels_in=64,
        channels=64,
    ),
    works(
        "Doubling dilation",
        "Four layers with gaps that double see 31 pixels a side.",
        {"region": ">= 31"},
        layers=4,
        dilation="doubling",
    ),
    fails(
        "Three input channels",
        "On a colour picture the stack of two costs many times the filter it replaces.",
        {"stack_weights": ">= 38592", "single_weights": "<= 4800"},
        channels_in=3,
        channels=64,
    ),
    fails(
        "The field on paper",
        "Ten layers reach 21 pixels a side, but most of the gradient comes from the middle.",
        {"region": "== 21", "effective_side": "<= 16"},
        layers=10,
        weights="random",
        nets=20,
    ),
)

STACK, SINGLE, EFFECTIVE = BLUE, ORANGE, SERIES[2]
WINDOWS = (9, 17, 33, 65, MOST + 2)  # units a side of the picture: few sizes, so that settings can be compared


def note(p: Params, states: Sequence[State], now: int) -> str:
    """How far the region has grown by the rule, and at the input what lies in it and what the count decides."""
    state = states[now]
    if state.step == 0:
        return opening(p)
    last = state.step == len(p.stack)
    said = growth(p, states[now - 1], state)
    if state.reached < state.region**2:
        why = f"stride {p.stride} is above kernel size {p.kernel}" if p.stride > p.kernel else "dilation skips some"
        said += f", but only {state.reached:,} of {state.region**2:,} have a gradient; the others are holes: {why}"
    else:
        said += f", {state.reached:,} in all"
        if last and state.effective_side < 0.95 * state.region:
            square = f"as many as in a square of side {number(state.effective_side)}"
            said += f"; {state.effective_side**2:,.0f}, {square}, have over 4.55 % of the largest gradient"
        elif last and p.weights == "ones" and state.region > 1:
            most = number(state.gradient.max(), 6)
            said += f"; a corner pixel has 1 path to the output, the busiest pixel {most}"
    return f"{said}. {cost(p, state)}" if last else f"{said}."


def opening(p: Params) -> str:
    """Where the gradient starts, and which layers do not fit."""
    fit = len(filters(p))
    said = f"One unit of {p.stack[-1].name}, the output: its gradient for itself is 1, and goes back one layer a step."
    cut = f" Of {p.layers} layers {fit} fit: with one more the region is wider than {MOST} pixels."
    return said + (cut if fit < p.layers else "")


def growth(p: Params, before: State, state: State) -> str:
    """The rule for one layer, with its numbers."""
    layer, last = p.stack[-state.step], state.step == len(p.stack)
    where = "" if last else f" of {p.stack[-state.step - 1].name}"
    d = f"{layer.dilation} · " if layer.dilation > 1 else ""
    rule = f"({before.region} − 1) · {layer.stride} + {d}({layer.kernel} − 1) + 1"
    return f"Through {layer.name}: {rule} = {counted(state.region, 'pixel' if last else 'unit')}{where} a side"


def cost(p: Params, state: State) -> str:
    """The weights of the stack and of one filter, and from how many input channels on the stack has fewer."""
    saved = (state.region**2 - p.kernel**2) * p.channels  # per input channel, for which the later layers cost
    turn = f"has fewer from {counted(sum(filters(p)[1:]) // saved + 1, 'input channel')} on" if saved else ""
    said = f"The stack has {counted(state.stack_weights, 'weight')}, one {state.region} × {state.region} filter "
    return f"{said}{state.single_weights:,}; with C = {p.channels} the stack {turn or 'never has fewer'}."


def centred(n: int) -> np.ndarray:
    """Where n units in a row lie, seen from their middle, shape (n,)."""
    return np.arange(n) - (n - 1) / 2


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The gradient with the region, the stack from the side, the weights as bars, a row through the middle."""
    state, stack = states[now], p.stack
    n = next(size for size in WINDOWS if size >= closed_form(stack) + 2)
    counts = p.weights == "ones" and n == WINDOWS[0]  # few enough to write them into the picture
    pixels = span(-n / 2, n / 2) | {"showgrid": False}
    floors = ["input", *(layer.name for layer in stack)]
    pic = Picture(440, "stack gradient", details=("weights row",))
    gradient = pic.panel("gradient", "Gradient", pixels, pixels, square=True, tall=330)
    side = pic.panel(
        "stack", "The stack, in pixels", pixels, names(floors, every=ceil(len(floors) / 9)), hero=True, tall=250
    )
    most = 1.02 * max(state.stack_weights, state.single_weights)
    weights = pic.panel("weights", "Weights for the same region", bare(0, most), bare(-0.5, 2), tall=130)
    shares = bare(0, 1.4) if counts else ticked(0, 1.4, [0, 0.5, 1])
    row = pic.panel("row", "Middle row: paths in 1-D" if counts else "Middle row", pixels, shares, tall=120)

    draw_gradient(gradient, p, state, n, counts)
    draw_row(row, p, state, n, counts)
    draw_stack(side, stack, states[: now + 1], n)
    draw_weights(weights, p, state)
    draw_sum(pic, stack, now)
    return pic


def draw_gradient(panel: Panel, p: Params, state: State, n: int, counts: bool) -> None:
    """The gradient in the middle of n × n units, the region, and the square of its effective size."""
    z = np.where(state.gradient > 0, 0.12 + 0.88 * state.gradient / state.gradient.max(), 0)
    z = np.pad(np.kron(z, np.ones((2, 2))), n - len(z))  # four cells a unit: for the middle of an even region
    panel.field(z, (-n / 2, n / 2), (-n / 2, n / 2), scale="sequential", smooth=False)
    panel.key("□", "region", STACK)
    panel.frame((-state.region / 2, state.region / 2), (-state.region / 2, state.region / 2), STACK, 2)
    if counts:
        at = centred(len(state.gradient))
        for i, j in np.argwhere(state.gradient > 0).tolist():
            paths = state.gradient[i, j]
            ink = PAPER if paths > 0.5 * state.gradient.max() else INK
            panel.text(at[j], at[i], f"{paths:.0f}", ink)
        return
    panel.key("□", "effective size", EFFECTIVE)
    if state.reached == state.region**2 > 1:
        e = state.effective_side / 2
        panel.frame((-e, e), (-e, e), EFFECTIVE, 2)


def draw_row(panel: Panel, p: Params, state: State, n: int, counts: bool) -> None:
    """The gradient's middle row with the Gaussian that many layers come to; or its paths, in one dimension."""
    row = middle(state)
    x, y = centred(len(row)), row / row.max()
    panel.path(x, y, INK)
    if counts:
        paths = row / row[row > 0][0]  # the row has its first unit's paths times those of one dimension
        for k in np.flatnonzero(row).tolist():
            panel.text(x[k], y[k] + 0.22, f"{paths[k]:.0f}")
        return
    panel.key("━", "gradient")
    panel.key("╍", "Gaussian", MUTED)
    if state.reached == state.region**2 > 1:
        u = np.linspace(-n / 2, n / 2, 121)
        panel.path(u, np.exp(-(u**2) / (2 * spread(p, state.step))), MUTED, 2, "dash")


def draw_stack(panel: Panel, stack: Sequence[Layer], states: Sequence[State], n: int) -> None:
    """Every layer's units at their places in the input, those that the gradient has reached, what they have read."""
    every, reached, wires = [], [], []
    tall = 0.16 if len(stack) < 12 else 0.3
    for y, jump in enumerate(jumps(stack)):
        wide = 0.42 * min(jump, max(1, n / 24))
        row = (np.arange(-n, n + 1) + (closed_form(stack[y:]) - 1) / 2 % 1) * jump
        every += [cell(x, y, wide, tall) for x in row[abs(row) < n / 2]]
        step = len(stack) - y  # at which the gradient reaches this layer
        if step >= len(states):
            continue
        values = middle(states[step])
        units = centred(len(values))[values > 0] * jump
        reached += [cell(x, y, wide, tall) for x in units]
        if step + 1 < len(states):
            layer = stack[y - 1]
            taps = centred(layer.kernel) * layer.dilation * jump / layer.stride
            some = units[np.linspace(0, len(units) - 1, min(len(units), 25)).round().astype(int)]
            wires += [[(x, y - tall), (x + tap, y - 1 + tall)] for x in some for tap in taps]
    gap = np.full((len(every), 1, 2), np.nan)
    outlines = np.concatenate([np.array(every), gap], axis=1).reshape(-1, 2)
    panel.curve(*outlines.T, colour=FAINT, width=0, hover="", fill="toself", fillcolor=FAINT)
    panel.strokes(reached, STACK, 0, fill=STACK)
    panel.strokes(wires, MUTED, 1.0 if n < 60 else 0.5)


def cell(x: float, y: float, wide: float, tall: float) -> list[tuple[float, float]]:
    """The corners of a rectangle with its middle at x, y."""
    return [(x - wide, y - tall), (x - wide, y + tall), (x + wide, y + tall), (x + wide, y - tall)]


def draw_weights(panel: Panel, p: Params, state: State) -> None:
    """The stack's bar in one piece per layer, for they tell why: all but the first work on C channels."""
    sizes, r = filters(p), closed_form(p.stack)
    for ends in pairwise(np.cumsum([0, *sizes]).tolist()):
        panel.block(ends, (0.95, 1.35), STACK, edge=PAPER)
    panel.block((0, state.single_weights), (-0.25, 0.15), SINGLE, edge=PAPER)
    times = f"{len(sizes) - 1} · " if len(sizes) > 2 else ""
    parts = f"{sizes[0]:,} + {times}{sizes[1]:,} = " if len(sizes) > 1 else ""
    stack = f"{len(sizes)} of {p.kernel} × {p.kernel}: {parts}{state.stack_weights:,}"
    panel.mark(0, 1.38, stack, INK, xanchor="left", yanchor="bottom")
    panel.mark(0, 0.18, f"1 of {r} × {r}: {state.single_weights:,}", INK, xanchor="left", yanchor="bottom")


def draw_sum(pic: Picture, stack: Sequence[Layer], now: int) -> None:
    """The closed form, a box per layer from the input up; what the gradient has passed is marked."""
    dilated = any(layer.dilation > 1 for layer in stack)
    texts = ["1"]
    for layer, jump in zip(stack, jumps(stack)[:-1], strict=True):
        factor = f"{layer.dilation}·{layer.kernel - 1}" if dilated else f"{layer.kernel - 1}"
        texts.append(f"+{factor}·{jump}")
    subs = ["", *(layer.name for layer in stack), "pixels"]
    marks = [0, *range(len(stack) + 1 - now, len(stack) + 1 + (now == len(stack)))]
    title = f"r = 1 + Σ {'d ' if dilated else ''}(k − 1) · strides below"
    pic.chips(title, [*texts, f"={closed_form(stack)}"], None, subs, marks)
