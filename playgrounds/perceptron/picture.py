"""How the perceptron's mistakes are drawn."""

from collections.abc import Sequence
from math import hypot

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, share, span, steps, ticked
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture, class_colours
from playgrounds.kit.words import number
from playgrounds.perceptron.model import Params, State
from playgrounds.perceptron.words import note

__all__ = ["PRESETS", "draw", "note"]

PRESETS = (
    works(
        "A wide margin",
        "Between clouds that lie far apart many lines fit, so the rule stops after a handful of mistakes.",
        {"stopped": "== 1", "mistakes": "<= 8"},
        margin=0.3,
    ),
    works(
        "AND, which a line can cut",
        "One corner of AND lies apart from the other three, so a line exists, and then the rule is certain to find "
        "one.",
        {"stopped": "== 1", "accuracy": "== 1"},
        data="gate",
        gate="AND",
    ),
    fails(
        "XOR, round and round",
        "No line has all four corners right, so mistakes never end: the same weights come back and the round begins "
        "again.",
        {"stopped": "== 0", "cycle": ">= 1"},
        data="gate",
        start="random",
        rate=0.1,
    ),
    fails(
        "Clouds that overlap",
        "Some points are always on the wrong side, and each of them turns away a line that was good for most.",
        {"stopped": "== 0", "mistakes": ">= 500"},
        margin=-0.1,
    ),
)

POCKET = SERIES[2]
TURN = np.linspace(0, 2 * np.pi, 33)


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The plane with its halves, w and the mistake; mistakes by pass with their bound; points right by mistake."""
    state = states[now]
    pic = Picture(480, *[5 * "plane " + 4 * f"{name} " for name in ("mistakes", "right")])
    draw_plane(pic, p, state)

    seen = [s.passes for s in states]
    made = [s.mistakes for s in states]
    right = [np.nan if s.accuracy is None else s.accuracy for s in states]
    on = 1.2 if states[-1].stopped else 1  # both curves go on as they were once it has stopped
    count = span(0, 1.1 * max(made[-1], 1))
    if state.bound is not None:
        count = log([1, state.bound]) if state.bound > 5 * made[-1] else span(0, 1.1 * state.bound)
    title = "Mistakes so far, by pass" if state.bound is not None else "Mistakes so far, by pass: no bound"
    mistakes = pic.panel("mistakes", title, steps(1.02 * on * max(seen[-1], 1)), count)
    by_mistake = steps(1.02 * on * made[-1] + 0.1)
    shares = pic.panel("right", "Points right, by mistake", by_mistake, share(low=-0.03, high=1.05))
    stairs = {"color": INK, "width": 2.5, "shape": "hv"}
    mistakes.curve([*seen, on * seen[-1]], [*made, made[-1]], hover="", line=stairs)
    shares.curve([*made, on * made[-1]], [*right, right[-1]], hover="", line=stairs)
    if state.bound is not None:
        mistakes.level(state.bound, name=f"bound {number(state.bound)}")
    if p.data == "gate" and p.gate in ("XOR", "XNOR"):
        shares.level(0.75)
        shares.mark(0, 0.87, " no line gets more than 75 %", xanchor="left")
    pic.cursor(state.passes, mistakes)
    pic.cursor(state.mistakes, shares)
    return pic


def draw_plane(pic: Picture, p: Params, state: State) -> None:
    """Both halves, the line before and now, w as an arrow at the line (and before, and the change), the mistake."""
    low, high, ticks = -1.5, 1.5, [-1, 0, 1]
    if p.data == "gate":
        low, high, ticks = (-0.75, 1.75, [0, 1]) if p.bits == "0 and 1" else (-2.0, 2.0, [-1, 1])
    plane = pic.panel("plane", "", ticked(low, high, ticks), ticked(low, high, ticks), square=True, tall=320)
    plane.key("●", "y = 1", ORANGE)
    plane.key("●", "y = −1", BLUE)
    plane.key("○", "mistake")
    plane.key("↗", "w")
    x, y = state.points
    few = len(x) == 4
    plane.points(*x.T, colour=class_colours(y > 0), size=20 if few else 10, hover="")

    positive, negative, ends = halves(state.w, low, high)
    for part, colour in ((positive, ORANGE), (negative, BLUE)):
        if part:
            plane.shape_of(part, colour, 0, fill=colour, opacity=0.25, layer="below")
    if ends_before := halves(state.before, low, high)[2]:
        plane.path(*np.array(ends_before).T, MUTED, 1.5, "dash")
    if p.pocket:
        plane.key("╍", "pocket", POCKET)
        if ends_of_best := halves(state.best, low, high)[2]:
            plane.path(*np.array(ends_of_best).T, POCKET, 3, "dash")
    if ends:
        plane.line(*ends, INK, 3)
    if state.mistaken is not None:
        radius = (0.045 if few else 0.026) * (high - low)
        ring = x[state.mistaken][:, None] + radius * np.array([np.cos(TURN), np.sin(TURN)])
        plane.path(*ring, INK, 3)
    if state.w[:2].any():
        draw_weights(plane, state, low, high)


def draw_weights(plane: Panel, state: State, low: float, high: float) -> None:
    """w from the point of the line that is nearest to the middle; and how the mistake has changed it."""
    w, before = state.w[:2], state.before[:2]
    middle = np.full(2, (low + high) / 2)
    foot = middle - w * (w @ middle + state.w[2]) / (w @ w)
    scale = 0.35 * (high - low) / max(hypot(*w), hypot(*before))
    if state.mistaken is not None:
        label = state.points[1][state.mistaken]
        arrow(plane, foot, foot + scale * before, MUTED, 1.5)
        arrow(plane, foot + scale * before, foot + scale * w, ORANGE if label > 0 else BLUE, 3)
    arrow(plane, foot, foot + scale * w, INK, 3)


def arrow(plane: Panel, a: np.ndarray, b: np.ndarray, colour: str, width: float) -> None:
    """Nothing where both ends are the same point; a short one is all head."""
    length = hypot(*(b - a))
    if length > 1e-9:
        plane.arrow(a, b, colour, width, head=min(0.06 + 0.02 * width, length))


def halves(w: np.ndarray, low: float, high: float) -> tuple[list, list, list]:
    """Corners of the parts of the square where w·(x, 1) > 0 and < 0, and the ends of the line between; or empty."""
    positive, negative, ends = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    corners = np.array([(low, low), (high, low), (high, high), (low, high), (low, low)])
    values = corners @ w[:2] + w[2]
    for a, b, at_a, at_b in zip(corners, corners[1:], values, values[1:], strict=False):
        if at_a:
            (positive if at_a > 0 else negative).append(a)
        if at_a * at_b < 0 or (at_a == 0 and w.any()):
            crossing = a + (b - a) * at_a / (at_a - at_b) if at_a else a
            for part in (positive, negative, ends):
                part.append(crossing)
    return positive, negative, ends if len(ends) == 2 else []
