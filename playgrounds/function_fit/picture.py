"""How the fit of a curve is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.function_fit.model import (
    GRID,
    TARGETS,
    TRAIN,
    WIDTHS,
    Params,
    State,
    construct,
    constructed_error,
    forward,
    shares,
)
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, log_ticked, span, steps
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number, subscript

PRESETS = (
    works(
        "Sixteen units, a sine",
        "Every unit adds one bend, and sixteen bends lie close to the curve on the whole interval.",
        {"worst_error": "<= 0.1"},
        units=16,
    ),
    fails(
        "Two units",
        "Two ReLU units can bend the line twice, but no choice of their weights goes up, down and up again.",
        {"worst_error": ">= 0.5"},
        units=2,
    ),
    fails(
        "64 units of x²",
        "A sum of parabolas is a parabola, so the 63 further units change nothing and the kink stays out of reach.",
        {"worst_error": ">= 0.125"},
        target="|x|",
        units=64,
        activation="x^2",
    ),
    fails(
        "A jump",
        "The net's curve has no gap, so at a jump by 1 it is wrong by at least half of it on one side.",
        {"worst_error": ">= 0.5"},
        target="step",
        units=64,
    ),
)

BY_HAND, ERROR, FLOOR = SERIES[2:5]  # the net built by hand, the worst error, what no net gets below
LIMITS = {"lowest": 1e-4, "highest": 3.0}  # errors that the axes show
LISTED = 6  # units whose parameters are listed


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Where it stands, and what a net of this width could do."""
    state, target = states[now], TARGETS[p.target]
    built = number(state.constructed_error)
    worst = f"worst error {number(state.worst_error)} at x = {number(round(state.worst_at, 2))}"
    count = f"{counted(p.units, 'unit')}, {counted(state.parameters, 'parameter')}"
    said = f"Step {state.step}: {worst}, mean error {number(state.mean_error)}; {count}."
    if state.step == 0:
        said = f"Before training: 3·{p.units} + 1 = {counted(state.parameters, 'parameter')}, still random; {worst}."
    if p.activation == "x^2":
        least = number(state.best_parabola)
        return f"{said} Its output is one parabola, {parabola(p, state)}; even the best parabola misses by {least}."
    if p.target == "step":
        return f"{said} The curve jumps by 1, so no continuous function gets below 0.5."
    if not p.constructed:
        return said
    if state.step and state.worst_error < state.constructed_error:
        return f"{said} That is better than the ReLU net built by hand, {built}."
    said += f" The ReLU net built by hand has {built}"
    if state.step:
        return f"{said}{': so good a net exists, training has not found it' if p.activation == 'relu' else ''}."
    if not np.isfinite(target.curvature):
        return f"{said}."
    piece = (target.high - target.low) / p.units
    bound = f"{number(target.curvature)}·{number(piece)}²/8 = {number(target.curvature * piece**2 / 8)}"
    return f"{said}, within its bound max|f″|·piece²/8 = {bound}."


def parabola(p: Params, state: State) -> str:
    """The output of x² units, multiplied out."""
    output = shares(state.net, "x^2", TRAIN).sum(axis=0) + state.net.c
    a, b, c = (number(round(k, 6) + 0.0) for k in np.polyfit(TARGETS[p.target].x(TRAIN), output, 2))
    return f"{a}·x² + {b}·x + {c}".replace("+ −", "− ")


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The curve within the worst error, with the net's output, and what each unit adds; on demand the errors."""
    state, target = states[now], TARGETS[p.target]
    pic = Picture(430, "curve curve units", details=("steps widths",))
    u = np.linspace(-1, 1, 257) * (1.25 if p.beyond else 1)
    inputs = span(target.x(u[0]), target.x(u[-1]), ticks=7)
    f = target(GRID)
    room = 0.3 * np.ptp(f)
    curve = pic.panel("curve", "", inputs, span(f.min() - room, f.max() + room), tall=280)
    draw_curve(curve, p, state, u)

    coarse = u[:: 8 if p.units <= 16 else 16]
    largest = 1.05 * max(np.abs(shares(s.net, p.activation, coarse)).max() for s in (states[0], states[-1]))
    units = pic.panel("units", "Each unit adds v·f(wx + b)", inputs, span(-largest, largest), tall=190)
    added = shares(state.net, p.activation, coarse)
    for which, colour in ((state.net.v > 0, ORANGE), (state.net.v <= 0, BLUE)):
        units.strokes([np.column_stack([target.x(coarse), one]) for one in added[which]], colour, 1.2)

    draw_errors(pic, p, states, now)
    draw_widths(pic, p, states, now)
    draw_parameters(pic, p, state)
    return pic


def draw_curve(curve: Panel, p: Params, state: State, u: np.ndarray) -> None:
    """The target, the net on inputs u, the net built by hand, and the band within the worst error."""
    target = TARGETS[p.target]
    x, f = target.x(GRID), target(GRID)
    curve.key("■", "± worst error", ERROR)
    curve.curve(x, f, p.target, MUTED, width=8, opacity=0.35, hover="")
    curve.key("━", "net")
    if p.noise:
        curve.points(target.x(TRAIN), state.y, colour=MUTED, size=6, hover="")
    if p.constructed:
        by_hand = forward(GRID, construct(target, p.units), [p.units], "relu")[-1][0]
        curve.curve(x, by_hand, "by hand", BY_HAND, dash="dash", width=2, hover="")
    there_and_back = np.concatenate([f + state.worst_error, f[::-1] - state.worst_error])
    band = np.column_stack([np.append(x, x[::-1]), there_and_back])
    curve.shape_of(band, ERROR, 0, fill=ERROR, opacity=0.16, layer="below")
    curve.path(target.x(u), shares(state.net, p.activation, u).sum(axis=0) + state.net.c)
    curve.cursor(state.worst_at, ERROR, "dot")
    if p.beyond:
        curve.cursor(target.low, MUTED)
        curve.cursor(target.high, MUTED)


def draw_errors(pic: Picture, p: Params, states: Sequence[State], now: int) -> None:
    """Errors by step, with those of the net built by hand and of the best parabola."""
    first = states[0]
    seen = [error for s in states for error in (s.worst_error, s.mean_error)]
    errors = log([*seen, first.constructed_error, first.best_parabola], **LIMITS)
    by_step = pic.panel("steps", "Error by step", steps(p.steps), errors, tall=170)
    by_step.history(states, lambda s: s.worst_error, "worst", ERROR, hover="%{y:.3g} at step %{x}")
    by_step.history(states, lambda s: s.mean_error, "mean", ERROR, dash="dot", width=2)
    by_step.level(first.best_parabola, FLOOR, "dash")
    if p.constructed and first.constructed_error:
        by_step.level(first.constructed_error, BY_HAND, "dash")
    pic.cursor(states[now].step, by_step)


def draw_widths(pic: Picture, p: Params, states: Sequence[State], now: int) -> None:
    """The worst error of every width: trained, built by hand, and what none gets below."""
    floor = states[0].best_parabola
    by_hand = np.array([constructed_error(p.target, width) or np.nan for width in WIDTHS])
    errors = log([*states[0].errors, *states[-1].errors, *by_hand, floor / 3], margin=0.25, **LIMITS)
    units = log_ticked(0.76, 83, WIDTHS, title="units")
    widths = pic.panel("widths", "Worst error by width", units, errors, tall=190)
    widths.key("●", "trained", ERROR)
    widths.level(floor, FLOOR, "dash")
    what = "continuous function" if p.target == "step" else "x² net"
    below = {"yanchor": "top", "yshift": -8} if p.activation == "x^2" or p.target == "step" else {"yanchor": "bottom"}
    widths.mark(1.88, float(np.log10(floor)), f"no {what} below {number(floor)}", FLOOR, xanchor="right", **below)
    if p.constructed:
        widths.curve(WIDTHS, by_hand, colour=BY_HAND, dash="dash", width=2, mode="lines+markers", hover="")
    for width, error in zip(p.widths, states[now].errors, strict=True):
        mine = width == p.units
        widths.dot(width, error, INK if mine else ERROR, 14 if mine else 11)


def draw_parameters(pic: Picture, p: Params, state: State) -> None:
    """Chips: the parameters of the first units, and c; the hyperparameters."""
    net, few = state.net, min(p.units, LISTED)
    texts, colours, subs = [], [], []
    for unit in range(few):
        for colour, (letter, values) in enumerate((("w", net.w), ("b", net.b), ("v", net.v))):
            texts.append(number(values[unit]))
            colours.append(colour)
            subs.append(letter + subscript(unit + 1))
    if p.units > few:
        texts.append(f"and\u00a0{3 * (p.units - few)}\u00a0more")
        colours.append(None)
        subs.append("")
    counts = f"{p.units} w + {p.units} b + {p.units} v + 1 c"
    title = f"{counted(state.parameters, 'parameter')}, {counts}: training changes them"
    pic.chips(title, [*texts, number(net.c[0])], [*colours, 3], [*subs, "c"])
    chosen = {"units": p.units, "activation": p.activation, "η": f"{p.rate:g}", "steps": p.steps}
    pic.chips("Hyperparameters: training leaves them alone", [str(one) for one in chosen.values()], None, [*chosen])
