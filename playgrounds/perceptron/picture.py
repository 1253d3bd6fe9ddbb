"""How the perceptron's mistakes are told and drawn."""

from collections.abc import Sequence
from math import ceil, hypot, sqrt

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, share, span, steps, ticked
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture, class_colours
from playgrounds.kit.words import counted, number, vector
from playgrounds.perceptron.model import Params, State

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


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The start, a mistake, or how the run ended."""
    state = states[now]
    if not len(state.points[0]):
        return "There are no points yet. Put some of both classes into the plane: every mistake on them turns the line."
    if state.step == 0:
        return beginning(p, state)
    return ending(p, state) if state.step > state.mistakes else update(p, state)


def beginning(p: Params, state: State) -> str:
    n = len(state.points[0])
    if p.start == "zero":
        return (
            f"Start: w = (0, 0) and b = 0, so there is no line yet, and none of the {n} points is on its right side. "
            "From zero, η only scales w and b: every η makes the same mistakes."
        )
    right = f"{round(state.accuracy * n)} of {n} points are right"
    return f"Start: w = {vector(state.w[:2])} and b = {number(state.w[2])} are random; {right}."


def update(p: Params, state: State) -> str:
    """The update written out in numbers, and whether these weights have been there before."""
    x, y = state.points
    i, n = state.mistaken, len(x)
    w, b = state.w[:2], state.w[2]
    w_0, b_0 = state.before[:2], state.before[2]
    label = "1" if y[i] > 0 else "−1"
    score = w_0 @ x[i] + b_0
    where = f"has w·x + b = {number(score)} {'<' if score < 0 else '>'} 0"
    if abs(score) < 1e-12 * (abs(w_0) @ abs(x[i]) + abs(b_0) + p.rate):  # rounding errors
        where = "is on the line, w·x + b = 0" if state.before.any() else "is on no side, as w·x + b = 0 everywhere"
    sides = x @ w + b
    one_side = f", all on the side of y = {'1' if sides[0] > 0 else '−1'}" if abs(np.sign(sides).sum()) == n else ""
    change = f"{number(p.rate)}·{'1' if y[i] > 0 else '(−1)'}"
    said = (
        f"Mistake {state.mistakes}, pass {ceil(state.passes)}: x = {vector(x[i])} with y = {label} {where}. "
        f"w ← w + η·y·x = {vector(w_0)} + {change}·{vector(x[i])} = {vector(w)}, "
        f"b ← b + η·y = {number(b_0)} + {change} = {number(b)}. "
        f"This point is {'now right' if y[i] * sides[i] > 0 else 'still wrong'}; "
        f"{round(state.accuracy * n)} of {n} are right{one_side}."
    )
    if not state.cycle:
        return said
    first = state.round_from
    twin = (state.mistakes - first) % state.cycle + first
    said += f" w and b are the same as {f'after mistake {twin}' if twin else 'at the start'}"
    if state.mistakes > first + state.cycle:
        return f"{said}."
    return f"{said}, at the same point of the pass: from here it repeats for ever, {state.cycle} mistakes a round."


def ending(p: Params, state: State) -> str:
    """Why it has stopped, or why it never will."""
    x, _ = state.points
    after = f"{counted(state.mistakes, 'mistake')} in {counted(ceil(state.passes), 'pass', 'passes')}"
    best = f"At best {round(state.best_accuracy * len(x))} of {len(x)} points were right."
    if p.pocket:
        best += f" The pocket holds that line: w = {vector(state.best[:2])}, b = {number(state.best[2])}."
    if state.bound is not None:
        limit = f"{'(R/γ)² = ' if p.start == 'zero' else ''}{number(state.bound)}"
        radius, gamma = number(sqrt((x * x).sum(axis=1).max() + 1)), number(state.gamma)
        limit += f" is the most there can be, the points (x, 1) having R = {radius} and γ = {gamma}"
        if state.stopped:
            return f"Stopped after {after}: the last one had no mistake, so nothing changes any more. {limit}."
        return f"Not stopped after {after}, but a line exists: it will, with more passes. {limit}. {best}"
    if state.cycle:
        again = f"it goes round for ever, with the same w and b after every {counted(state.cycle, 'mistake')}"
        return f"No line separates these points: {again}, so more passes change nothing. {best}"
    return f"Not stopped after {after}, and it never will: no line separates these points. {best}"


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The plane with its halves, w and the mistake; mistakes by pass with their bound; points right by mistake."""
    state = states[now]
    pic = Picture(440, "plane plane mistakes", "plane plane right")
    draw_plane(pic, p, state)

    seen = [s.passes for s in states]
    made = [s.mistakes for s in states]
    right = [s.accuracy or 0.0 for s in states]
    on = 1.2 if states[-1].stopped else 1  # both curves go on as they were once it has stopped
    count = span(0, 1.1 * max(made[-1], 1))
    if state.bound is not None:
        count = log([1, state.bound]) if state.bound > 5 * made[-1] else span(0, 1.1 * state.bound)
    title = "Mistakes by pass" if state.bound is not None else "Mistakes by pass, without a bound"
    mistakes = pic.panel("mistakes", title, steps(1.02 * on * max(seen[-1], 1)), count)
    by_mistake = steps(1.02 * on * made[-1] + 0.1)
    shares = pic.panel("right", "Points right by mistake", by_mistake, share(low=-0.03, high=1.05))
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
