"""How softmax is told and drawn: its calculation in numbers, bars of scores and probabilities, regions of the plane."""

from collections.abc import Sequence
from math import log

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import Axis, log_ticked, loss, names, span, steps, ticked
from playgrounds.kit.data import grid
from playgrounds.kit.nn import sigmoid, softmax
from playgrounds.kit.palette import INK, SERIES
from playgrounds.kit.picture import Picture
from playgrounds.kit.training import finite
from playgrounds.kit.words import number, vector
from playgrounds.softmax.arithmetic import complaint, exponentials, failure, listed, naive_problem, on_paper, plain
from playgrounds.softmax.model import COLDEST, HOTTEST, Params, State, of_point

AROUND = (  # class 1 all around class 0, and class 2 in a corner
    "0,0,0\n0.15,0.1,0\n-0.1,0.15,0\n-0.05,-0.15,0\n0.5,0,1\n0.35,0.35,1\n0,0.5,1\n-0.35,0.35,1\n"
    "-0.5,0,1\n-0.35,-0.35,1\n0,-0.5,1\n0.35,-0.35,1\n0.9,0.9,2\n0.8,0.9,2\n0.9,0.8,2\n0.8,0.8,2"
)
PRESETS = (
    works(
        "Three clouds",
        "The three scores are trained together, and a region ends where its class stops being the most probable.",
        {"accuracy": ">= 0.95", "loss": "<= 0.2"},
    ),
    works(
        "Three in a row",
        "No line has the middle class alone on its side, but between the others its score can be the largest of the "
        "three.",
        {"accuracy": ">= 0.99"},
        data="own",
        x=0.0,
        y=0.0,
    ),
    fails(
        "One class around another",
        "Regions are cut out by straight lines and have no holes, so the ring swallows the class in its middle.",
        {"accuracy": "<= 0.8"},
        data="own",
        points=AROUND,
        x=0.0,
        y=0.0,
    ),
    fails(
        "Naive, all scores at 100",
        "In float32 the exponential of 100 is infinite and ∞/∞ is no number, though adding 100 to all scores should "
        "change nothing.",
        {"loss": ">= 1e100"},
        training="naive",
        shift=100,
    ),
)

SPAN, SIDE = 1.3, 60  # the plane is shown from -SPAN to SPAN, its field has SIDE * SIDE cells
PLANE = grid(SIDE, SPAN)
TEMPERATURES = np.geomspace(COLDEST, HOTTEST, 41)
NBSP = "\u00a0"  # the player shows a space in a chip as ␣


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The step in a sentence, then the softmax of the reader's point on paper; or a stage of the typed scores."""
    state = states[now]
    if not of_point(p):
        return by_hand(p, state) if state.z is not None else complaint(p.logits)
    if state.loss is None:
        return "There are no points yet. Put some of all three classes into the plane: the classifier learns from them."
    if not finite(state.loss):
        return failure(state.step, state.x @ state.W.T + state.b + p.shift, state.y)
    if state.step == 0:
        said = f"all weights are 0, so every score is {p.shift} and the loss is ln 3 = {number(log(3))}"
    else:
        change, n = state.loss - states[now - 1].loss, len(state.y)
        moved = f"{'up' if change > 0 else 'down'} {abs(change):.2g}" if abs(change) > 1e-9 else "standing still"
        right = round(state.accuracy * n)
        said = f"loss {number(state.loss)} ({moved}), {right} of {n} points in their own region"
    return f"Step {state.step}: {said}. Your point: {on_paper(state.z, p.temperature)}."


def by_hand(p: Params, state: State) -> str:
    """A stage of the calculation."""
    z, u = state.z, state.z / p.temperature
    below, q = u - u.max(), softmax(u)
    match state.step:
        case 0:
            return f"Scores: z = {listed(z)}{f', c = {p.shift} included' if p.shift else ''}."
        case 1:
            return f"Divided by the temperature T = {p.temperature:g}: {listed(u)}."
        case 2:
            why = f"All exponentials and their sum are thereby divided by exp({plain(u.max())})"
            return f"Minus the largest, {plain(u.max())}: {listed(below)}. {why}, so no probability changes."
        case 3:
            without = naive_problem(u) or "it would work too"
            return f"Exponentials: {exponentials(below, below)}. Without the subtraction {without}."
        case _:
            right = min(p.right, len(z) - 1)
            gradient = q - np.eye(len(z))[right]
            said = f"If class {right} is right, the loss is −ln {number(q[right])} = {number(state.loss)}"
            said += f" and its gradient at z/T is p − y = {vector(gradient.tolist())}"
            return f"Divided by their sum: p = {vector(q.tolist())}. {said}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """From left to right: the point, its scores and their probabilities, or the stages from typed scores to theirs."""
    state = states[now]
    if state.z is None:
        return Picture(60)  # the note says what is wrong with the text
    if of_point(p):
        pic = Picture(390, 4 * "plane " + 3 * "scores " + 4 * "p ", details=("temperature sigmoid loss",))
        draw_plane(pic, p, state)
    else:
        pic = Picture(390, "scores below exp p", details=("temperature sigmoid",))
    z, u = state.z, state.z / p.temperature
    below, q = u - u.max(), softmax(u)
    heights = np.array([s.z for s in states]) - p.shift
    share = ticked(0, 1.12, [0, 0.5, 1], ["0", "50 %", "100 %"])
    title = "→ its scores z" if of_point(p) else "Scores z"
    draw_bars(pic, "scores", title, z - p.shift, room(heights, p.shift), more=p.shift)
    if not of_point(p):
        draw_bars(pic, "below", "→ z/T − maximum", below, room(below), hidden=state.step < 2)
        of_one = ticked(0, 1.12, [0, 0.5, 1])
        draw_bars(pic, "exp", "→ exp of that", np.exp(below), of_one, hidden=state.step < 3)
    draw_bars(pic, "p", "→ probabilities", q, share, hidden=not of_point(p) and state.step < 4, percent=True)
    draw_temperatures(pic, p, z)
    draw_bars(pic, "sigmoid", "A sigmoid for each score", sigmoid(u), share, percent=True)
    if of_point(p):
        by_step = pic.panel("loss", "Cross-entropy by step", steps(p.steps), loss([s.loss or 0 for s in states]))
        by_step.history(states, lambda s: s.loss)
        by_step.cursor(state.step)
    draw_chips(pic, p, state)
    return pic


def draw_plane(pic: Picture, p: Params, state: State) -> None:
    """The regions at temperature T, the training points, and the reader's."""
    plane = pic.panel("plane", "The plane", span(-SPAN, SPAN), span(-SPAN, SPAN), square=True, tall=330)
    q = softmax((PLANE @ state.W.T + state.b) / p.temperature)
    certain = 1.499 * (q.max(axis=1) - 1 / 3)  # 0 where all three are equally probable
    plane.field((q.argmax(axis=1) + certain).reshape(SIDE, SIDE), (-SPAN, SPAN), (-SPAN, SPAN), scale="classes")
    plane.points(state.x[:, 0], state.x[:, 1], colour=[SERIES[k] for k in state.y], size=7, hover="")
    plane.points([p.x], [p.y], "your point", INK, size=15, symbol="diamond", hover="")


def room(values: np.ndarray, ground: int = 0) -> Axis:
    """An axis for bars of these values, with space for the numbers at their ends; what stands at 0 is `ground`."""
    low, high = values.min(initial=0), values.max(initial=0)
    pad = 0.2 * (high - low or 1)
    low -= pad * bool(low < 0)
    return ticked(low, high + pad, [0], [str(ground)]) if ground else span(low, high + pad)


def draw_bars(
    pic: Picture,
    name: str,
    title: str,
    values: np.ndarray,
    y: Axis,
    *,
    more: int = 0,
    hidden: bool = False,
    percent: bool = False,
) -> None:
    """A bar for each value, at its end the number with `more` in it; nothing while it is hidden."""
    many = len(values) > 3
    if percent:
        texts = [f"{plain(100 * value, 1 - many)} %" for value in values]
    else:
        texts = [plain(value + more, 2 - bool(more) - many) for value in values]
    texts = [""] * len(values) if hidden else texts
    classes = names([str(k) for k in range(len(values))], title="class")
    pic.panel(name, title, classes, y).columns(0 * values if hidden else values, SERIES, texts=texts)


def draw_temperatures(pic: Picture, p: Params, z: np.ndarray) -> None:
    """The probabilities of these scores at every temperature."""
    n = len(z)
    even = ticked(-0.03, 1.05, [0, 1 / n, 1], ["0", f"1/{n}", "1"])
    log_t = log_ticked(COLDEST, HOTTEST, [0.05, 0.2, 1, 5, 20], title="temperature T")
    panel = pic.panel("temperature", "p at every T", log_t, even)
    for k, curve in enumerate(softmax(z / TEMPERATURES[:, None]).T):
        panel.path(TEMPERATURES, curve, SERIES[k])
    panel.key("┃", "yours")
    panel.cursor(p.temperature)


def draw_chips(pic: Picture, p: Params, state: State) -> None:
    """Softmax in numbers, as far as it has come; and without subtracting the largest score where that is the point."""
    u = (state.z / p.temperature).astype(np.float32)
    problem = naive_problem(u)
    both = not of_point(p) or p.shift != 0 or p.training == "naive"
    if both:
        chips_of(pic, p, state, "Naive, float32: exp of each score, over their sum", u, wrong=bool(problem))
    if both or problem:
        chips_of(pic, p, state, f"Stable, float32: the largest, {plain(u.max())}, subtracted first", u - u.max())
    else:
        chips_of(pic, p, state, "Softmax: exp of each score, over the sum of all", u)


def chips_of(pic: Picture, p: Params, state: State, title: str, u: np.ndarray, wrong: bool = False) -> None:
    """exp of each u (n,), and what share of their sum it is."""
    stage = 4 if of_point(p) else state.step
    each = list(range(len(u)))
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(u)
        q = e / e.sum()
    texts = [f"exp({plain(a)})" + f"{NBSP}={NBSP}{number(f)}" * (stage >= 3) for a, f in zip(u, e, strict=True)]
    subs = [f"{number(f)}/{number(e.sum())} = {share:.4f}" * (stage >= 4) for f, share in zip(e, q, strict=True)]
    pic.chips(title, texts, each, subs, marks=each if wrong and stage >= 4 else [])
