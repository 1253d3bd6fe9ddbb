"""Scores and their probabilities as bars at any temperature, and three regions of the plane while a classifier learns.

Left out: hidden layers, so every boundary is a straight line, and temperatures other than 1 in training.
"""

import re
from collections.abc import Iterator, Sequence
from math import inf, log, log10
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.data import grid
from playgrounds.kit.figures import (
    Figure,
    Panel,
    box,
    chips,
    figure,
    lines,
    loss_axis,
    paint,
    points,
    polyline,
    rule,
    short,
)  # fmt: skip
from playgrounds.kit.forms import cloud
from playgrounds.kit.palette import INK, SERIES
from playgrounds.kit.params import shown
from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import number, vector

CENTRES = np.array([(-0.6, -0.4), (0.6, -0.4), (0.0, 0.65)])
COLDEST, HOTTEST = 0.05, 20.0  # temperatures of the slider and of the curves
OWN = (  # three classes in a row: no single line has the middle one alone on its side
    "-0.8,0.3,0\n-0.6,-0.4,0\n-0.9,-0.1,0\n-0.5,0.7,0\n-0.1,0.4,1\n0.1,-0.3,1\n"
    "0,0.8,1\n0.2,-0.7,1\n0.6,0.2,2\n0.8,-0.5,2\n0.7,0.7,2\n0.9,0,2"
)


def of_point(p: "Params") -> bool:
    return p.scores == "point"


def of_blobs(p: "Params") -> bool:
    return of_point(p) and p.data == "blobs"


class Params(kit.Params):
    scores: Literal["point", "typed"] = knob("point", label="Scores", help="of a point in the plane, or your own")
    data: Literal["blobs", "own"] = knob("blobs", label="Data", help="points of three classes", when=of_point)
    points: str = knob(
        OWN, 0, 3, form="points", label="Your points", when=lambda p: of_point(p) and p.data == "own",
    )  # fmt: skip
    x: float = knob(0.1, -1.2, 1.2, label="Your point, x₁", step=0.05, when=of_point)
    y: float = knob(0.1, -1.2, 1.2, label="Your point, x₂", step=0.05, when=of_point)
    logits: str = knob("1, 2, 3", 0, 200, label="Scores z", help="two to six numbers", when=lambda p: not of_point(p))
    temperature: float = knob(1.0, COLDEST, HOTTEST, label="Temperature T", help="exp is taken of z/T", log=True)
    shift: int = knob(0, -200, 2000, label="Constant c", help="added to all scores, in training too")
    right: int = knob(0, 0, 5, label="Right class", help="at most the last one", when=lambda p: not of_point(p))
    spread: float = knob(0.25, 0.05, 0.6, label="Spread of the classes", step=0.05, when=of_blobs)
    training: Literal["stable", "naive"] = knob(
        "stable", label="Softmax in training", help="naive: without the largest score subtracted", when=of_point
    )
    rate: float = knob(1.0, 0.01, 100, label="Learning rate η", log=True, more=True, when=of_point)
    steps: int = knob(200, 10, 1000, label="Steps", step=10, more=True, when=of_point)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the points", more=True, when=of_blobs)

    @property
    def length(self) -> int:
        if not of_point(self):
            return 1 if parse(self.logits)[1] else 5  # a text that holds no scores is told so
        return len(kept(self.steps)) if self.data != "own" or self.points else 1


class State(NamedTuple):
    step: int  # gradient steps done, or the stage of a calculation by hand
    loss: float  # mean cross-entropy of the training points at T = 1, or that of the typed scores at T
    accuracy: float  # share of the training points whose own class has the largest score
    entropy: float  # of the bars' probabilities, in nats: 0 for certainty, ln n for n equal ones
    largest_probability: float
    note: str
    z: np.ndarray  # (n,) the bars' scores, c included
    layer: tuple[np.ndarray, ...]  # weights W (3, 2) and biases b (3,); () for typed scores
    points: tuple[np.ndarray, ...]  # x (m, 2) and labels (m,), 150 of the blobs; () for typed scores


def softmax(z: np.ndarray) -> np.ndarray:
    """Probabilities of scores z (..., n), in the type of z. With the largest score subtracted no exp is above 1.

    That is legal, for exp(z_k - m) = exp(z_k) / exp(m): numerator and denominator are divided by the same number.
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def naive_softmax(z: np.ndarray) -> np.ndarray:
    """The formula taken literally, in float32: above z = 88.7 exp is infinite, and inf/inf is nan."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(np.asarray(z, np.float32))
        return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(z: np.ndarray, y: np.ndarray) -> float:
    """Mean of -ln softmax(z)_y for scores z (m, n) and labels y (m,), finite even where that softmax is 0."""
    z = z - z.max(axis=-1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=-1)) - z[np.arange(len(y)), y]))


def certainty(q: np.ndarray) -> tuple[float, float]:
    """The entropy of probabilities q (n,) and the largest of them."""
    return abs(float((q * np.log(np.where(q > 0, q, 1))).sum())), float(q.max())


def three_blobs(spread: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Three normal clouds in the plane: points (150, 2) and labels 0, 1, 2."""
    y = np.arange(150) % 3
    return CENTRES[y] + rng.normal(0, spread, (len(y), 2)), y


def points_of(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """Training points (m, 2) and their labels (m,)."""
    if p.data == "blobs":
        return three_blobs(p.spread, np.random.default_rng(p.seed))
    x, y = cloud(p.points)
    return x, y.astype(int)


def run(p: Params) -> Iterator[State]:
    """Train z = W x + b + c by gradient descent on the cross-entropy, or take typed scores through softmax."""
    if p.scores == "typed":
        yield from by_hand(p)
        return
    x, y = points_of(p)
    target = np.eye(3)[y]
    W, b = np.zeros((3, 2)), np.zeros(3)
    if not len(x):
        z = b + p.shift
        said = "There are no points yet. Put some of all three classes into the plane: the classifier learns from them."
        yield State(0, 0.0, 0.0, *certainty(softmax(z)), said, z, (W, b), (x, y))
        return
    before, film = inf, set(kept(p.steps))
    for step in range(p.steps + 1):
        z = x @ W.T + b + p.shift
        if p.training == "stable":
            prob, loss = softmax(z), cross_entropy(z, y)
        else:
            prob = naive_softmax(z)
            with np.errstate(divide="ignore"):
                loss = float(-np.log(prob[np.arange(len(y)), y]).mean())
        mine = W @ (p.x, p.y) + b + p.shift
        q = softmax(mine / p.temperature)
        accuracy = float((z.argmax(axis=1) == y).mean())
        state = State(step, loss, accuracy, *certainty(q), "", mine, (W, b), (x, y))
        if not finite(loss):
            yield state._replace(note=failure(step, z, y))
            return
        if step in film:
            yield state._replace(note=note(p, state, before))
            before = loss

        dz = (prob - target) / len(y)  # the gradient of the mean cross-entropy at the scores: p - y
        W = W - p.rate * dz.T @ x
        b = b - p.rate * dz.sum(axis=0)


def failure(step: int, z: np.ndarray, y: np.ndarray) -> str:
    """Why the naive softmax of scores z (m, 3) has no finite cross-entropy."""
    why, advice = next(filter(None, map(wrong, z)), ""), "The largest score subtracted first (stable) changes no p"
    if not why:
        behind = (z.max(axis=1) - z[np.arange(len(y)), y]).max()
        why = f"the right class is {plain(behind)} below the largest score, p is 0 in float32, and −ln 0 is ∞"
        advice = "Stable code takes the logarithm before anything becomes 0"
    return f"Step {step}: the loss is no longer finite. For one point {why}. {advice}."


def wrong(u: np.ndarray) -> str:
    """What the naive softmax of u (n,) stumbles over in float32; "" if nothing."""
    with np.errstate(over="ignore"):
        e = np.exp(u.astype(np.float32))
        most, total = e.max(), e.sum()
    if np.isinf(most) or total == 0:
        return f"exp({plain(u.max())}) = {'∞ and ∞/∞' if most else '0 and 0/0'} is nan in float32"
    return f"exp({plain(u.max())}) and the others add up to ∞ in float32, and x/∞ is 0" if np.isinf(total) else ""


def note(p: Params, now: State, before: float) -> str:
    """The step in a sentence, then the softmax of the reader's point on paper, stable where the naive one fails."""
    change, n = now.loss - before, len(now.points[1])
    moved = f"{'up' if change > 0 else 'down'} {abs(change):.2g}" if abs(change) > 1e-9 else "standing still"
    said = f"loss {number(now.loss)} ({moved}), {round(now.accuracy * n)} of {n} points in their own region"
    if now.step == 0:
        said = f"all weights are 0, so every score is {p.shift} and the loss is ln 3 = {number(log(3))}"
    z, over, aside = now.z, "" if p.temperature == 1 else f"/{p.temperature:g}", ""
    u = z / p.temperature
    q = softmax(u)
    if problem := wrong(u):
        aside, over = f"naively {problem}; divided above and below by exp({plain(u.max())}) it is ", ""
        z = u = u - u.max()
    return f"Step {now.step}: {said}. Your point: {aside}{exponentials(z, u, over)}, p = {vector(q)}."


def exponentials(z: np.ndarray, u: np.ndarray, over: str = "") -> str:
    """exp(u) and their sum, u being z `over` the temperature."""
    e = np.exp(u)
    each = ", ".join(f"exp({plain(one)}{over}) = {number(f)}" for one, f in zip(z, e, strict=True))
    return f"{each}, sum {number(e.sum())}"


def plain(value: float, digits: int = 3) -> str:
    """A score with its decimals, 1002.135: of large scores only the differences count."""
    return f"{round(float(value), digits) + 0.0:.9g}".replace("-", "−")


def parse(text: str) -> tuple[np.ndarray, str]:
    """The scores in a reader's text, and what is wrong with it ("" if nothing)."""
    pieces = [piece for piece in re.split(r"[\s,;]+", text) if piece]
    if not 2 <= len(pieces) <= len(SERIES):
        return np.zeros(0), f"Type two to six scores with commas between, such as 1, 2, 3; here are {len(pieces)}."
    values = []
    for i, piece in enumerate(pieces, start=1):
        which = f"Score {i} of {len(pieces)}, {shown(piece, 20)},"
        try:
            values.append(float(piece.replace("−", "-")))
        except ValueError:
            return np.zeros(0), f"{which} is not a number: write it like −1.5."
        if not finite(values[-1], most=10_000):
            return np.zeros(0), f"{which} is too large: take numbers between −10,000 and 10,000."
    return np.array(values), ""


def by_hand(p: Params) -> Iterator[State]:
    """Take typed scores through softmax, a state per stage."""
    z, problem = parse(p.logits)
    if problem:
        yield State(0, 0.0, 0.0, 0.0, 0.0, problem, z, (), ())
        return
    z, right = z + p.shift, min(p.right, len(z) - 1)
    u = z / p.temperature
    below, q = u - u.max(), softmax(u)
    loss = cross_entropy(u[None], np.array([right]))
    each = [f"({', '.join(map(plain, values))})" for values in (z, u, below)]
    for stage, said in enumerate((
        f"Scores: z = {each[0]}{f', c = {p.shift} included' if p.shift else ''}.",
        f"Divided by the temperature T = {p.temperature:g}: {each[1]}.",
        f"Minus the largest, {plain(u.max())}: {each[2]}. All exponentials and their sum are thereby divided by"
        f" exp({plain(u.max())}), so no probability changes.",
        f"Exponentials: {exponentials(below, below)}. Without the subtraction {wrong(u) or 'it would work too'}.",
        f"Divided by their sum: p = {vector(q)}. If class {right} is right, the loss is −ln {number(q[right])} ="
        f" {number(loss)} and its gradient at z/T is p − y = {vector(q - np.eye(len(z))[right])}.",
    )):  # fmt: skip
        yield State(stage, loss, float(z.argmax() == right), *certainty(q), said, z, (), ())


AROUND = (  # class 1 all around class 0, and class 2 in a corner
    "0,0,0\n0.15,0.1,0\n-0.1,0.15,0\n-0.05,-0.15,0\n0.5,0,1\n0.35,0.35,1\n0,0.5,1\n-0.35,0.35,1\n"
    "-0.5,0,1\n-0.35,-0.35,1\n0,-0.5,1\n0.35,-0.35,1\n0.9,0.9,2\n0.8,0.9,2\n0.9,0.8,2\n0.8,0.8,2"
)
PRESETS = (
    works("Three clouds", "The three scores are trained together, and a region ends where its class stops being "
          "the most probable.", {"accuracy": ">= 0.95", "loss": "<= 0.2"}),
    works("Three in a row", "No line has the middle class alone on its side, but between the others its score can be "
          "the largest of the three.", {"accuracy": ">= 0.99"}, data="own", x=0.0, y=0.0),
    fails("One class around another", "Regions are cut out by straight lines and have no holes, so the ring swallows "
          "the class in its middle.", {"accuracy": "<= 0.8"}, data="own", points=AROUND, x=0.0, y=0.0),
    fails("Naive, all scores at 100", "In float32 the exponential of 100 is infinite and ∞/∞ is no number, though "
          "adding 100 to all scores should change nothing.", {"loss": ">= 1e100"}, training="naive", shift=100),
)  # fmt: skip

SPAN, SIDE = 1.3, 60  # the picture shows the square from -SPAN to SPAN, its field has SIDE * SIDE cells
PLANE = grid(SIDE, SPAN)
TEMPERATURES = np.geomspace(COLDEST, HOTTEST, 41)
PLACES = {  # of the panels of bars, and of the curves by temperature
    "point": [(0.53, 0.75, 0.6, 1), (0.81, 1, 0.6, 1), (0.53, 1, 0, 0.4)],
    "typed": [(0, 0.25, 0.6, 1), (0.34, 0.59, 0.6, 1), (0, 0.25, 0, 0.4), (0.34, 0.59, 0, 0.4), (0.68, 1, 0, 1)],
}
NBSP = "\u00a0"  # the player shows a space in a chip as ␣


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Scores and probabilities as bars, these at every T too; beside them the plane and its loss, or the stages."""
    state, z = states[now], states[now].z
    n, u = len(z), z / p.temperature
    if not n:
        return figure(60, Panel((0, 1, 0, 1), 20, bare=True))  # the note says what is wrong with the text
    below = u - u.max()
    e, heights = np.exp(below), np.array([s.z for s in states]) - p.shift
    ground = {"tickvals": [0], "ticktext": [str(p.shift)]} if p.shift else {}
    share = {"range": [0, 1.2], "tickvals": [0, 0.5, 1]}
    stages = [  # title, bars, what their numbers have besides, axis, the stage from which on they are shown
        ("Scores z", z - p.shift, p.shift, room(heights) | ground, 0),
        ("z/T − maximum", below, 0, room(below), 2),
        ("exp of that", e, 0, share, 3),
        ("Probabilities p", e / e.sum(), 0, share, 4),
    ][:: 3 if of_point(p) else 1]
    classes = {"range": [-0.6, n - 0.4], "tickvals": [*range(n)], "showgrid": False}
    *places, last = PLACES[p.scores]
    panels = [Panel(place, 130, title, classes, y) for place, (title, _, _, y, _) in zip(places, stages, strict=True)]
    log_t = {"type": "log", "range": [log10(COLDEST), log10(HOTTEST)], "tickvals": [0.05, 0.2, 1, 5, 20]}
    even = {"range": [-0.03, 1.05], "tickvals": [0, 1 / n, 1], "ticktext": ["0", f"1/{n}", "1"]}
    panels.append(Panel(last, 150, "p at every T; yours ┃", log_t, even))
    fig = with_plane(p, states, state, panels) if of_point(p) else figure(480, *panels)
    shapes, first = fig["layout"]["shapes"], 2 if of_point(p) else 1
    for panel, (_, values, more, _, since) in enumerate(stages, start=first):
        shapes += bars(panel, values, more, of_point(p) or state.step >= since)
    for k, curve in enumerate(softmax(z / TEMPERATURES[:, None]).T):
        shapes.append(polyline(first + len(stages), TEMPERATURES, curve, SERIES[k]))
    shapes.append(rule(first + len(stages), p.temperature))
    fig["chips"] += rows(p, state)
    return fig


def with_plane(p: Params, states: Sequence[State], state: State, panels: list[Panel]) -> Figure:
    """The plane with the training points, then the panels given, then the loss by step."""
    (W, b), (x, y) = state.layer, state.points
    losses = np.array([(s.step, s.loss) for s in states])
    square = {"range": [-SPAN, SPAN], "nticks": 5}
    plane = Panel((0, 0.45, 0.3, 1), 330, "Regions; ◆ your point", square, square, square=True)
    loss = Panel((0, 0.45, 0, 0.15), 110, "Cross-entropy by step", {"range": [0, p.steps]}, loss_axis(losses[:, 1]))
    fig = figure(540, plane, *panels, loss)
    q = softmax((PLANE @ W.T + b) / p.temperature)
    certain = 1.499 * (q.max(axis=1) - 1 / 3)  # 0 where all three are equally probable
    paint(fig, 1, (q.argmax(axis=1) + certain).reshape(SIDE, SIDE), (-SPAN, SPAN), (-SPAN, SPAN), scale="classes")
    fig["data"] += [
        points(1, *x.T, "training", [SERIES[k] for k in y], marker={"size": 7}, hoverinfo="skip"),
        points(1, [p.x], [p.y], "yours", INK, marker={"size": 15, "symbol": "diamond"}, hoverinfo="skip"),
        lines(5, *losses.T, "loss", INK),
    ]
    fig["layout"]["shapes"].append(rule(5, state.step))
    return fig


def room(values: np.ndarray) -> dict:
    """An axis for bars of these values, with space for the numbers at their ends."""
    low, high = values.min(initial=0), values.max(initial=0)
    pad = 0.2 * (high - low or 1)
    return {"range": [short(low - pad * (low < 0)), short(high + pad)], "nticks": 5}


def bars(panel: int, values: np.ndarray, more: float, visible: bool) -> list[dict]:
    """A bar for each value, from 0 to it, at its end a number with `more` in it."""
    made, many = [], len(values) > 3
    for k, value in enumerate(values * visible):
        digits = 3 - 2 * bool(more) - many
        place, anchor = ("bottom center", "top") if value < 0 else ("top center", "bottom")
        said = {"text": plain(value + more, digits) if visible else "", "textposition": place, "yanchor": anchor}
        said["font"] = {"color": INK, "size": 10 if many else 12}
        made.append(box(panel, (k - 0.36, k + 0.36), (0, value), SERIES[k], 1, SERIES[k], label=said))
    return made


def rows(p: Params, state: State) -> list[dict]:
    """Chips: the naive and the stable calculation, both in float32, as far as it has come; a sigmoid of each score."""
    u = (state.z / p.temperature).astype(np.float32)
    stage, each, made = 4 if of_point(p) else state.step, [*range(len(u))], []
    stable = f"Stable, float32: the largest, {plain(u.max())}, subtracted first"
    for title, v in ("Naive, float32: exp(z/T) over their sum", u), (stable, u - u.max()):
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(v)
            q = e / e.sum()
        texts = [f"exp({plain(a)})" + f"{NBSP}={NBSP}{number(f)}" * (stage >= 3) for a, f in zip(v, e, strict=True)]
        subs = [f"{number(f)}/{number(e.sum())} = {share:.4f}" * (stage >= 4) for f, share in zip(e, q, strict=True)]
        made.append(chips(title, texts, each, subs, each if wrong(v) and stage >= 4 else []))
    with np.errstate(over="ignore"):
        sigmoids = 1 / (1 + np.exp(-u))
    title = f"A sigmoid for each, where several labels may be true: they sum to {number(sigmoids.sum())}"
    return [*made, chips(title, [f"{s:.4f}" for s in sigmoids], each, [f"σ({plain(v)})" for v in u])]
