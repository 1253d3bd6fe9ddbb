"""How a gradient check is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.gradient_check.model import COUNT, SHAPES, SIZES, SPREAD, STARTS, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, span, ticked
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

PRESETS = (
    works(
        "A right gradient",
        "The error falls with ε² until rounding takes over, far below the bar for good.",
        {"smallest_error": "< 1e-8"},
        seed=2,
    ),
    fails(
        "A factor of two",
        "A doubled gradient is off by a third at every ε: the V has become a floor.",
        {"smallest_error": "> 0.3"},
        bug="factor 2",
    ),
    fails(
        "A term forgotten",
        "The penalty's own gradient is missing, and no ε makes up for it.",
        {"smallest_error": "> 0.01"},
        bug="missing term",
    ),
    fails(
        "In float32",
        "Half the digits are gone before the check begins: even a right gradient looks doubtful.",
        {"smallest_error": "> 1e-6"},
        shown=("central float32",),
    ),
)

GOOD, BUG = 1e-7, 1e-2  # Karpathy, CS231n: below the first is good, above the second is a bug
COLOURS = {"float64": BLUE, "float32": SERIES[2]}
DASHES = {"central": "solid", "forward": "dash"}
GROUPS = dict(zip(SHAPES, SERIES, strict=False))  # colours of W₁, b₁, W₂, b₂
ZOOM, TALL = 1.6, 2.6  # half the width and height of the picture of the loss near the weight


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The watched weight's two slopes, the error over all, and which of the two errors of a difference wins."""
    state, i, first = states[now], STARTS[p.watch], p.shown[0]
    slopes = f"{number(state.numeric[i])} by differences, {number(state.analytic[i])} by the code"
    over_all = f"relative error over all {COUNT} parameters {number(state.relative_error)}"
    said = f"ε = {number(state.eps)}, {first}: the slope along the first {p.watch} is {slopes}; {over_all}"
    if state.step < p.length - 1:
        return f"{said}; {why(p, states, now)}."
    if state.smallest_error > BUG:
        verdict = "a bug"
    elif state.smallest_error < GOOD:
        verdict = "good"
    else:
        verdict = "acceptable only if a kink is near"
    told = f" The bug was: {p.planted}." if p.bug == "mystery" and p.reveal else ""
    return f"{said}. The smallest error of the run is {number(state.smallest_error)}: {verdict}.{told}"


def why(p: Params, states: Sequence[State], now: int) -> str:
    """What the step from the ε before has done to the error."""
    state = states[now]
    if now == 0:
        return "the difference spans a wide piece of a curve"
    before = states[now - 1].relative_error
    if state.relative_error > 1.5 * before and state.smallest_error < BUG:
        return "it grows: the two losses now differ in their last digits only, so rounding wins"
    if state.relative_error < 0.9 * before:
        return f"it falls with ε{'²' if p.shown[0].startswith('central') else ''}"
    if state.relative_error > BUG:
        return "it hardly falls: there is a bug, or a kink nearer than ε"
    return "it hardly changes"


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The loss near the watched weight, 3.2 ε wide, with two slopes; the error by ε; on demand both gradients."""
    state = states[now]
    eps = np.array([s.eps for s in states])
    errors = np.array([s.errors for s in states])
    most = 1.15 * float(np.abs(states[0].analytic).max())

    pic = Picture(470, 5 * "loss " + 4 * "error ", details=("gradient",), detail_height=300)
    window = ticked(-ZOOM, ZOOM, [-1, 0, 1], ["w − ε", "w", "w + ε"])
    near = pic.panel("loss", f"Loss near {p.watch}", window, span(-TALL, TALL) | {"showticklabels": False}, tall=270)
    draw_near(near, p, state)
    falling = log(eps, "ε") | {"range": [-0.7, -p.smallest - 0.3]}
    error = pic.panel("error", "Error", falling, log(np.append(errors, [1e-8, 0.5]), "", 0.4, 1e-16, 10))
    gradient = pic.panel(
        "gradient", "Gradient", span(-most, most, "by differences"), span(-most, most, "by code"), square=True
    )

    for method, of_method in zip(p.shown, errors.T, strict=True):
        scheme, precision = method.split()
        look = {"mode": "lines+markers", "marker": {"size": 5}, "hover": "%{y:.2g} at ε = %{x:.2g}", "key": False}
        shown = np.clip(of_method, 1e-16, 10)
        error.curve(eps, shown, method, COLOURS[precision], dash=DASHES[scheme], **look)
        error.key("━", precision, COLOURS[precision])
    if any(method.startswith("forward") for method in p.shown):
        error.key("╍", "forward")
    error.level(GOOD)
    error.level(BUG)
    error.mark(0.2 - p.smallest, np.log10(GOOD), "below: good", xanchor="right", yanchor="top")
    error.mark(0.2 - p.smallest, np.log10(BUG), "above: a bug", xanchor="right", yanchor="bottom")
    pic.cursor(state.eps, error)

    gradient.curve([-most, most], [-most, most], colour=MUTED, width=1, hover="")
    for name, colour in GROUPS.items():
        gradient.key("●", name, colour)
        for k in range(STARTS[name], STARTS[name] + SIZES[name]):
            gradient.dot(*np.clip([state.numeric[k], state.analytic[k]], -most, most), colour, 9)
    return pic


def draw_near(near: Panel, p: Params, state: State) -> None:
    """The loss within 1.6 ε of the watched weight, the slope by the code, and the difference as a chord.

    Heights are in units of the change that the true slope makes over ε, so that the picture zooms in as ε falls.
    """
    i = STARTS[p.watch]
    unit = state.eps * max(abs(state.analytic[i]), 1e-12)
    heights = np.clip(state.nearby / unit, -4 * TALL, 4 * TALL)
    near.path(SPREAD, heights, INK, 3)
    near.key("━", "code", ORANGE)
    near.key("╍", "differences", BLUE)

    left = -1 if p.shown[0].startswith("central") else 0
    at_left, at_right = np.interp([left, 1], SPREAD, heights)
    chord = state.numeric[i] * state.eps / unit  # its rise over ε; rounding shows in the heights of its ends, too
    middle = (at_left + at_right) / 2 - chord * (left + 1) / 2
    for slope, height, colour, dash in (
        (state.analytic[i] * state.eps / unit, 0, ORANGE, "solid"),
        (chord, middle, BLUE, "dash"),
    ):
        x = np.array([-ZOOM, ZOOM])
        near.path(x, np.clip(height + slope * x, -9 * TALL, 9 * TALL), colour, 3, dash)
    near.dot(left, at_left, BLUE, 14)
    near.dot(1, at_right, BLUE, 14)
    near.dot(0, 0, ORANGE, 14)
