"""Rosenblatt's learning rule, one mistake at a time: each turns the line, and on separable points it stops.

Left out: more than two inputs, where the line becomes a hyperplane and the rule stays the same, and layers of
perceptrons, which the rule cannot train because a step function has no slope.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import ceil, hypot, sqrt
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    classes,
    dot,
    figure,
    label,
    lines,
    log_axis,
    points,
    polyline,
    rule,
    segment,
)
from playgrounds.kit.forms import cloud
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number, vector

PAUSE = 200  # mistakes after which others may have their turn
GATES = {  # the output at inputs 00, 01, 10, 11
    "AND": "0001", "OR": "0111", "NAND": "1110", "NOR": "1000", "XOR": "0110", "XNOR": "1001",
    "x1": "0011", "x2": "0101", "NOT x1": "1100", "NOT x2": "1010",
    "x1 AND NOT x2": "0010", "x2 AND NOT x1": "0100", "x1 OR NOT x2": "1011", "x2 OR NOT x1": "1101",
    "TRUE": "1111", "FALSE": "0000",
}  # fmt: skip
OWN = "-0.6,0.1,0\n-0.4,0.6,0\n-0.3,-0.5,0\n0.1,0.8,0\n0.2,0,1\n0.5,0.4,1\n0.6,-0.5,1\n0.1,-0.2,1\n0.7,0.1,1"


class Params(kit.Params):
    data: Literal["blobs", "gate", "own"] = knob(
        "blobs", label="Data", help="two clouds of points, a gate of two bits, or points of your own"
    )
    points: str = knob(
        OWN, 0, 2, form="points", label="Your points", when=lambda p: p.data == "own",
    )  # fmt: skip
    gate: Literal[*GATES] = knob(
        "XOR", label="Gate", help="all sixteen functions of two bits", when=lambda p: p.data == "gate"
    )
    margin: float = knob(
        0.1, -0.3, 0.5, label="Margin", step=0.005, when=lambda p: p.data == "blobs",
        help="how far the nearest points are from the best line; below 0 the classes overlap",
    )  # fmt: skip
    count: int = knob(40, 8, 100, label="Points", step=2, when=lambda p: p.data == "blobs")
    rate: float = knob(1.0, 0.01, 10, label="Learning rate η", log=True)
    start: Literal["zero", "random"] = knob("zero", label="First weights")
    order: Literal["in turn", "shuffled"] = knob("in turn", label="Order", help="shuffled: anew in every pass")
    seed: int = knob(
        11, 0, 9999, label="Seed", help="of the blobs, random first weights and the shuffling",
        when=lambda p: p.data == "blobs" or p.start == "random" or p.order == "shuffled",
    )  # fmt: skip
    passes: int = knob(200, 1, 1000, label="Passes at most", log=True, more=True)
    bits: Literal["0 and 1", "−1 and 1"] = knob(
        "0 and 1", label="Bits written as", more=True, when=lambda p: p.data == "gate"
    )
    pocket: bool = knob(
        False, label="Pocket", help="keeps the line with most points right so far: dashed, green", more=True
    )

    @property
    def length(self) -> int | None:
        return None if self.data != "own" or self.points else 1


class State(NamedTuple):
    step: int  # mistakes so far; the state that closes a run counts one more
    mistakes: int
    accuracy: float  # share of the points on the right side; a point on the line is on neither
    best_accuracy: float  # the highest so far
    passes: float  # points seen, divided by the number of points
    stopped: int  # 1 after a whole pass without a mistake
    cycle: int  # mistakes in a round, once the same weights have come back at the same place in a pass
    gamma: float  # the largest margin that a line can have, in terms of (x, 1); 0: no line separates the points
    note: str
    w: np.ndarray  # (3,): w₁, w₂, b
    before: np.ndarray  # (3,): the same before the mistake
    wrong: int | None  # which point was the mistake
    best: np.ndarray  # (3,): the weights in the pocket
    bound: float | None  # how many mistakes there can be; None: no line separates the points
    points: tuple[np.ndarray, np.ndarray]  # (n, 2), and labels 1 or −1 of shape (n,)


def sample(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) and labels ±1 (n,): a gate's corners, the reader's own, or clouds on the sides of a random line."""
    if p.data == "gate":
        x = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
        y = np.array([1.0 if bit == "1" else -1.0 for bit in GATES[p.gate]])
        return x if p.bits == "0 and 1" else 2 * x - 1, y
    if p.data == "own":
        x, y = cloud(p.points)
        return x, 2 * y - 1
    rng = np.random.default_rng(p.seed)
    y = np.where(np.arange(p.count) % 2, 1.0, -1.0)
    along = rng.uniform(-0.9, 0.9, p.count)
    away = p.margin + rng.uniform(0, 0.9 - max(p.margin, 0), p.count)  # from the line, on the side of the class
    for mine in (np.flatnonzero(y < 0), np.flatnonzero(y > 0)):
        outer = mine[[along[mine].argmin(), along[mine].argmax()]]
        away[outer] = p.margin  # two of each class, far apart: no other line has a wider margin
    angle, shift = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
    normal = np.array([np.cos(angle), np.sin(angle)])
    return np.outer(along, (-normal[1], normal[0])) + np.outer(y * away + shift, normal), y


def learn(p: Params, z: np.ndarray, w_0: np.ndarray) -> Iterator[tuple[int, int | None, np.ndarray]]:
    """Rosenblatt 1958. Yield after each mistake: points seen, which one it was, v; at the end the same with None.

    A row of z is y·(x, 1): the point is on the right side where w·z > 0, and else η·z is added to w = (w₁, w₂, b).
    What is kept is v, the sum of these z: w = w_0 + η·v, and on a gate v has whole numbers, free of rounding.
    """
    rng = np.random.default_rng([p.seed, 2])
    n, v, at_start = len(z), np.zeros(3), z @ w_0
    for done in range(p.passes):
        mistaken = False
        for place, i in enumerate(rng.permutation(n) if p.order == "shuffled" else range(n), start=1):
            if at_start[i] + p.rate * (v @ z[i]) <= 0:
                v, mistaken = v + z[i], True
                yield done * n + place, int(i), v
        if not mistaken:
            break
    yield (done + 1) * n, None, v


def foot(corners: np.ndarray) -> np.ndarray:
    """The point nearest to 0 of the point, line or plane through corners (k, 3); infinite if it is not between them."""
    sides = corners[1:] - corners[0]
    share = np.linalg.lstsq(sides.T, -corners[0], rcond=None)[0]
    return corners[0] + share @ sides if share.min(initial=0) >= 0 and share.sum() <= 1 else np.full(3, np.inf)


def widest(z: np.ndarray) -> tuple[float, np.ndarray]:
    """γ and the unit vector w for which γ = min w·z is largest, z of shape (n, 3); γ = 0 if no w has all w·z > 0.

    γ·w is the point of the convex hull of z that is nearest to 0 (the dual of the hard-margin problem). It lies on a
    corner, an edge or a triangle of the hull: the corner furthest back is taken in for as long as that leads nearer.
    """
    v, hull = z[0], {0}
    while v @ v > 1e-18:
        seen = {*hull, int((z @ v).argmin())}
        parts = [part for size in (1, 2, 3, 4) for part in combinations(seen, size)]
        feet = np.array([foot(z[[*part]]) for part in parts])
        k = (feet * feet).sum(axis=1).argmin()
        if not feet[k] @ feet[k] < v @ v:
            gamma = float(np.linalg.norm(v))
            return gamma, v / gamma
        v, hull = feet[k], {*parts[k]}
    return 0.0, np.zeros(3)


def most_mistakes(z: np.ndarray, w_0: np.ndarray, eta: float, gamma: float, best: np.ndarray) -> float:
    """Novikoff 1962: from w_0 = 0 at most (R/γ)² mistakes, R the largest |z|.

    Each mistake adds at least ηγ to w·best, and at most η²R² to |w|². From any start, both hold only as long as
    (w_0·best + kηγ)² <= |w_0|² + kη²R². The largest such k is returned.
    """
    a, step, r2 = w_0 @ best, eta * gamma, eta**2 * (z * z).sum(axis=1).max()
    half = (r2 / 2 - a * step) / step
    return float((half + sqrt(half**2 + max(0.0, w_0 @ w_0 - a * a))) / step)


def run(p: Params) -> Iterator[State | None]:
    """Go through the points; a state per mistake, or per few mistakes of a long run, and one that says how it ended.

    Now and then, while there is nothing to see yet, None.
    """
    x, y = sample(p)
    z = y[:, None] * np.column_stack([x, np.ones(len(x))])
    w_0 = np.random.default_rng([p.seed, 1]).normal(size=3) if p.start == "random" else np.zeros(3)
    if not len(x):
        said = "There are no points yet. Put some of both classes into the plane: every mistake on them turns the line."
        yield State(0, 0, 0.0, 0.0, 0.0, 0, 0, 0.0, said, w_0, w_0, None, w_0, None, (x, y))
        return
    gamma, best = widest(z)
    bound = most_mistakes(z, w_0, p.rate, gamma, best) if gamma else None
    right = int((z @ w_0 > 0).sum()) / len(x)
    now = State(0, 0, right, right, 0.0, 0, 0, gamma, "", w_0, w_0, None, w_0, bound, (x, y))

    states, been = [now], {(0.0, 0.0, 0.0, len(x) - 1): 0}  # v and place in the pass: after which mistake
    exact = p.data == "gate" and p.order == "in turn"  # else the weights cannot come back, or mean another order
    first = end = None  # the mistake whose weights come back, and the one at which to stop then
    for seen, wrong, v in learn(p, z, w_0):
        right = int((z @ w_0 + p.rate * (z @ v) > 0).sum()) / len(x)
        now = now._replace(step=now.step + 1, passes=seen / len(x), before=now.w, w=w_0 + p.rate * v, wrong=wrong)
        if now.step % PAUSE == 0:
            yield None
        if wrong is None:
            now = now._replace(stopped=int(right == 1))
            break
        now = now._replace(mistakes=now.mistakes + 1, accuracy=right)
        if right > now.best_accuracy:
            now = now._replace(best_accuracy=right, best=now.w)
        if exact and not now.cycle and (again := been.setdefault((*v, wrong), now.mistakes)) < now.mistakes:
            now = now._replace(cycle=now.mistakes - again)
            first, end = again, now.mistakes + 2 * now.cycle  # two more rounds
        states.append(now)
        if now.mistakes == end:
            now = now._replace(step=now.step + 1, before=now.w, wrong=None)
            break

    yield states[0]._replace(note=beginning(p, states[0]))
    for k in kept(len(states) - 1, 299)[1:]:
        yield states[k]._replace(note=update(p, states[k], first))
    yield now._replace(note=ending(p, now))


def beginning(p: Params, now: State) -> str:
    n = len(now.points[0])
    if p.start == "zero":
        return (
            f"Start: w = (0, 0) and b = 0, so there is no line yet, and none of the {n} points is on its right side. "
            "From zero, η only scales w and b: every η makes the same mistakes."
        )
    right = f"{round(now.accuracy * n)} of {n} points are right"
    return f"Start: w = {vector(now.w[:2])} and b = {number(now.w[2])} are random; {right}."


def update(p: Params, now: State, first: int | None) -> str:
    """The update written out in numbers; `first` is the mistake whose weights come back, if any do."""
    (x, y), i, b, b_0 = now.points, now.wrong, now.w[2], now.before[2]
    w, w_0, n, y_i = now.w[:2], now.before[:2], len(x), "1" if y[i] > 0 else "(−1)"
    score, change = w_0 @ x[i] + b_0, f"{number(p.rate)}·{y_i}"
    where = f"has w·x + b = {number(score)} {'<' if score < 0 else '>'} 0"
    if abs(score) < 1e-12 * (abs(w_0) @ abs(x[i]) + abs(b_0) + p.rate):  # rounding errors
        where = "is on the line, w·x + b = 0" if now.before.any() else "is on no side, as w·x + b = 0 everywhere"
    sides = x @ w + b
    one_side = f", all on the side of y = {'1' if sides[0] > 0 else '−1'}" if abs(np.sign(sides).sum()) == n else ""
    said = (
        f"Mistake {now.mistakes}, pass {ceil(now.passes)}: x = {vector(x[i])} with y = {y_i.strip('()')} {where}. "
        f"w ← w + η·y·x = {vector(w_0)} + {change}·{vector(x[i])} = {vector(w)}, "
        f"b ← b + η·y = {number(b_0)} + {change} = {number(b)}. "
        f"This point is {'now right' if y[i] * sides[i] > 0 else 'still wrong'}; "
        f"{round(now.accuracy * n)} of {n} are right{one_side}."
    )
    if not now.cycle:
        return said
    twin = (now.mistakes - first) % now.cycle + first
    said += f" w and b are the same as {f'after mistake {twin}' if twin else 'at the start'}"
    if now.mistakes > first + now.cycle:
        return f"{said}."
    return f"{said}, at the same point of the pass: from here it repeats for ever, {now.cycle} mistakes a round."


def ending(p: Params, now: State) -> str:
    """Why it has stopped, or why it never will."""
    x, _ = now.points
    after = f"{counted(now.mistakes, 'mistake')} in {counted(ceil(now.passes), 'pass', 'passes')}"
    best = f"At best {round(now.best_accuracy * len(x))} of {len(x)} points were right."
    if p.pocket:
        best += f" The pocket holds that line: w = {vector(now.best[:2])}, b = {number(now.best[2])}."
    if now.bound is not None:
        limit = f"{'(R/γ)² = ' if p.start == 'zero' else ''}{number(now.bound)}"
        radius, gamma = number(sqrt((x * x).sum(axis=1).max() + 1)), number(now.gamma)
        limit += f" is the most there can be, the points (x, 1) having R = {radius} and γ = {gamma}"
        if now.stopped:
            return f"Stopped after {after}: the last one had no mistake, so nothing changes any more. {limit}."
        return f"Not stopped after {after}, but a line exists: it will, with more passes. {limit}. {best}"
    if now.cycle:
        again = f"it goes round for ever, with the same w and b after every {counted(now.cycle, 'mistake')}"
        return f"No line separates these points: {again}, so more passes change nothing. {best}"
    return f"Not stopped after {after}, and it never will: no line separates these points. {best}"


PRESETS = (
    works("A wide margin", "Between clouds that lie far apart many lines fit, so the rule stops after a handful of "
          "mistakes.", {"stopped": "== 1", "mistakes": "<= 8"}, margin=0.3),
    works("AND, which a line can cut", "One corner of AND lies apart from the other three, so a line exists, and then "
          "the rule is certain to find one.", {"stopped": "== 1", "accuracy": "== 1"}, data="gate", gate="AND"),
    fails("XOR, round and round", "No line has all four corners right, so mistakes never end: the same weights come "
          "back and the round begins again.", {"stopped": "== 0", "cycle": ">= 1"},
          data="gate", start="random", rate=0.1),
    fails("Clouds that overlap", "Some points are always on the wrong side, and each of them turns away a line that "
          "was good for most.", {"stopped": "== 0", "mistakes": ">= 500"}, margin=-0.1),
)  # fmt: skip

SPAN = {"0 and 1": (-0.75, 1.75), "−1 and 1": (-2.0, 2.0)}  # the square that is shown; (-1.5, 1.5) if it is no gate
TITLE = f"<span style='color:{ORANGE}'>●</span> y = 1  <span style='color:{BLUE}'>●</span> y = −1  ○ mistake  ↗ w"


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The plane with its halves, w and the mistake; mistakes by pass with their bound; points right by mistake."""
    state, (x, y) = states[now], states[0].points
    low, high = SPAN[p.bits] if p.data == "gate" else (-1.5, 1.5)
    ticks = {"0 and 1": [0, 1], "−1 and 1": [-1, 1]}[p.bits] if p.data == "gate" else [-1, 0, 1]
    square = {"range": [low, high], "tickvals": ticks, "showgrid": False}
    seen, made, right = np.array([(s.passes, s.mistakes, s.accuracy) for s in states]).T
    on = 1.2 if states[-1].stopped else 1  # both curves go on as they were once it has stopped
    by_pass = {"title": "passes", "range": [0, 1.02 * on * max(seen[-1], 1)], "nticks": 6}
    by_mistake = {"title": "mistakes", "range": [0, 1.02 * on * made[-1] + 0.1], "nticks": 6}
    title, count = "Mistakes, without a bound", {"range": [0, 1.1 * max(made[-1], 1)], "nticks": 5}
    if state.bound is not None:
        title, count = f"Mistakes ━ and bound {number(state.bound)} ┄", {"range": [0, 1.1 * state.bound], "nticks": 5}
        if state.bound > 5 * made[-1]:
            count = log_axis([1, state.bound])
    share = {"range": [-0.03, 1.05], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%"}
    fig = figure(
        440,
        Panel((0, 0.58, 0, 1), 320, TITLE, square, square, square=True),
        Panel((0.68, 1, 0.63, 1), 140, title, by_pass, count),
        Panel((0.68, 1, 0, 0.37), 140, "Points on the right side", by_mistake, share),
    )
    still, dotted = {"hoverinfo": "skip"}, {"dash": "dot", "width": 2}
    top = 0.75 if p.data == "gate" and p.gate in ("XOR", "XNOR") else np.nan
    fig["data"] += [
        points(1, *x.T, "points", classes(y > 0), marker={"size": 20 if len(x) == 4 else 10}, **still),
        lines(2, [0, 2 * seen[-1]], [state.bound or np.nan] * 2, "bound", MUTED, line=dotted, **still),
        lines(2, [*seen, on * seen[-1]], [*made, made[-1]], "mistakes", INK, line={"shape": "hv"}, **still),
        lines(3, [0, 2 * made[-1]], [top, top], "best of any line", MUTED, line=dotted, **still),
        lines(3, [*made, on * made[-1]], [*right, right[-1]], "right", INK, line={"shape": "hv", "width": 2}, **still),
    ]
    if top == 0.75:
        fig["layout"]["annotations"].append(label(3, 0, 0.87, " no line gets more than 75 %", xanchor="left"))
    fig["layout"]["shapes"] += [*plane(p, state, low, high), rule(2, state.passes), rule(3, state.mistakes)]
    return fig


def plane(p: Params, state: State, low: float, high: float) -> list[dict]:
    """Both halves, the line before and now, w as an arrow at the line (and before, and the change), the mistake."""
    shapes = []
    positive, negative, ends = halves(state.w, low, high)
    for part, colour in ((positive, ORANGE), (negative, BLUE)):
        if part:
            tint = {"fillcolor": colour, "opacity": 0.25, "layer": "below"}
            shapes.append(polyline(1, *np.array(part).T, colour, 0) | tint)
    if old := halves(state.before, low, high)[2]:
        shapes.append(polyline(1, *np.array(old).T, MUTED, 1.5, "dash"))
    if p.pocket and (held := halves(state.best, low, high)[2]):
        shapes.append(polyline(1, *np.array(held).T, SERIES[2], 3, "dash"))
    if ends:
        shapes.append(segment(1, *ends, INK, 3))
    if state.wrong is not None:
        ring = {"fillcolor": "rgba(0,0,0,0)", "line": {"color": INK, "width": 3}}
        shapes.append(dot(1, *state.points[0][state.wrong], INK, 30 if p.data == "gate" else 22) | ring)
    w, before = state.w[:2], state.before[:2]
    if w.any():
        middle = np.full(2, (low + high) / 2)
        foot = middle - w * (w @ middle + state.w[2]) / (w @ w)  # the point of the line that is nearest to the middle
        scale = 0.35 * (high - low) / max(hypot(*w), hypot(*before))
        if state.wrong is not None:
            colour = classes(state.points[1] > 0)[state.wrong]
            shapes += arrow(foot, foot + scale * before, MUTED, 1.5)
            shapes += arrow(foot + scale * before, foot + scale * w, colour, 3)
        shapes += arrow(foot, foot + scale * w, INK, 3)
    return shapes


def halves(w: np.ndarray, low: float, high: float) -> tuple[list, list, list]:
    """Corners of the parts of the square where w·(x, 1) > 0 and < 0, and the ends of the line between; or empty."""
    positive, negative, ends = [], [], []
    corners = np.array([(low, low), (high, low), (high, high), (low, high), (low, low)])
    values = corners @ w[:2] + w[2]
    for a, b, at_a, at_b in zip(corners, corners[1:], values, values[1:]):
        if at_a:
            (positive if at_a > 0 else negative).append(a)
        if at_a * at_b < 0 or (at_a == 0 and w.any()):
            for part in (positive, negative, ends):
                part.append(a + (b - a) * at_a / (at_a - at_b) if at_a else a)
    return positive, negative, ends if len(ends) == 2 else []


def arrow(a: np.ndarray, b: np.ndarray, colour: str, width: float) -> list[dict]:
    """From a to b, with a head; nothing where they are the same point."""
    size = hypot(*(b - a))
    if size < 1e-9:
        return []
    along = (b - a) / size * min(0.06 + 0.02 * width, size)
    across = np.array([-along[1], along[0]]) / 2.5
    head = polyline(1, *np.array([b - along + across, b, b - along - across]).T, colour, 0)
    return [segment(1, a, b - 0.5 * along, colour, width), head | {"fillcolor": colour}]
