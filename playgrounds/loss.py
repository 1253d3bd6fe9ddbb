"""Several losses train the same start side by side: each walks to the answer that it prefers, as fast as it can.

Left out: mini-batches, and the weights of a net, of which the constant or the logits are the last stage.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, box, dot, figure, label, legend, lines, points, rule, segment
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.training import finite
from playgrounds.kit.words import number

LARGEST = 1e6  # number that a reader may type


class Params(kit.Params):
    task: Literal["constant", "classify", "soft"] = knob("constant", label="Task", help="fit c, one logit, or several")
    losses: tuple[Literal["MSE", "MAE", "Huber"], ...] = knob(("MSE", "MAE"), label="Losses",
                                                              when=lambda p: p.task == "constant")  # fmt: skip
    targets: str = knob("1, 2, 3, 4, 100", 0, 600, label="Targets", when=lambda p: p.task == "constant")
    outlier: float = knob(0.0, -100, 100, label="Move the last target by", step=1, when=lambda p: p.task == "constant")
    delta: float = knob(20.0, 0.1, 100, label="Huber's δ: linear beyond", log=True, when=lambda p: "Huber" in p.shown)
    start: float = knob(-10.0, -20, 20, label="Start, z of class 1", step=0.5, when=lambda p: p.task != "constant")
    target: float = knob(1.0, 0, 1, label="Target probability", step=0.05, when=lambda p: p.task == "classify")
    classes: str = knob("0.7, 0.2, 0.1", 0, 200, label="Soft target, 2 to 6 classes", when=lambda p: p.task == "soft")
    rate: float = knob(0.1, 0.001, 2, label="Learning rate η of c", log=True, when=lambda p: p.task == "constant")
    rate_z: float = knob(1.0, 0.01, 100, label="Learning rate η of z", log=True, when=lambda p: p.task != "constant")
    steps: int = knob(100, 1, 20_000, label="Steps", log=True)
    start_c: float = knob(0.0, -100, 100, label="Start, c", step=1, more=True, when=lambda p: p.task == "constant")

    @property
    def shown(self) -> dict:
        """The losses that train, by name."""
        return {k: loss for k, loss in LOSSES[self.task].items() if self.task != "constant" or k in self.losses}

    @property
    def length(self) -> int:
        return len(spaced(self.steps))


class State(NamedTuple):
    step: int
    loss: float  # of the first loss shown, at its own answer
    answer: float  # c, or the probability of the class (under "soft": of the one with the largest target)
    rival_loss: float  # the same two of the last loss shown
    rival_answer: float
    apart: float  # the largest difference between answers
    note: str
    theta: np.ndarray  # (losses, parameters): c, z or the logits
    gradient: np.ndarray  # (losses, parameters)
    values: np.ndarray  # (losses,)
    answers: np.ndarray  # (losses, parameters): c itself or probabilities
    halfway: list[int | None]  # per loss: the first step with p on the target's side of 0.5
    y: np.ndarray  # (targets,)
    best: np.ndarray  # (losses, 2): from … to …, the c or p at which a loss is lowest
    floor: np.ndarray  # (losses,): the lowest value


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def squared_softmax_gradient(z: np.ndarray, y: np.ndarray, _: float) -> np.ndarray:
    p = softmax(z)
    g = 2 * (p - y) / len(y)
    return p * (g - (p * g).sum(axis=-1, keepdims=True))


class Loss(NamedTuple):
    """A loss as torch.nn.functional scales it, and its gradient."""

    value: Callable  # of theta (…, parameters), y (targets,) and Huber's δ, of shape (…)
    gradient: Callable  # of the same, of shape (…, parameters)
    formula: str  # of the gradient


LOSSES = {
    "constant": {
        "MSE": Loss(lambda c, y, _: ((c - y) ** 2).mean(axis=-1),
                    lambda c, y, _: 2 * (c - y).mean(axis=-1, keepdims=True), "mean 2(c − y)"),
        "MAE": Loss(lambda c, y, _: abs(c - y).mean(axis=-1),
                    lambda c, y, _: np.sign(c - y).mean(axis=-1, keepdims=True), "mean sign(c − y)"),
        "Huber": Loss(  # Huber 1964: a parabola that goes on as a straight line
            lambda c, y, d: np.where(abs(c - y) <= d, (c - y) ** 2 / 2, d * (abs(c - y) - d / 2)).mean(axis=-1),
            lambda c, y, d: np.clip(c - y, -d, d).mean(axis=-1, keepdims=True), "mean (c − y), cut at ±δ,"),
    },
    "classify": {
        "cross-entropy": Loss(  # -y ln p - (1 - y) ln(1 - p), in a form that cannot overflow
            lambda z, y, _: (np.logaddexp(0, -z) + (1 - y) * z).mean(axis=-1), lambda z, y, _: sigmoid(z) - y, "p − y"),
        "squared error": Loss(
            lambda z, y, _: ((sigmoid(z) - y) ** 2).mean(axis=-1),
            lambda z, y, _: 2 * (sigmoid(z) - y) * sigmoid(z) * (1 - sigmoid(z)), "2(p − y) · p(1 − p)"),
    },
    "soft": {
        "cross-entropy": Loss(  # the sum of -y ln p, likewise
            lambda z, y, _: (y * (np.logaddexp.reduce(z, axis=-1, keepdims=True) - z)).sum(axis=-1),
            lambda z, y, _: softmax(z) - y, "p − y"),
        "squared error": Loss(lambda z, y, _: ((softmax(z) - y) ** 2).mean(axis=-1), squared_softmax_gradient, "at z"),
    },
}  # fmt: skip
ANSWER = {"constant": np.copy, "classify": sigmoid, "soft": softmax}


def spaced(steps: int) -> list[int]:
    """The steps that become states: all of up to 100, else all up to 20 and then as even as can be on a log axis."""
    if steps <= 100:
        return list(range(steps + 1))
    return sorted({*range(20), *np.geomspace(20, steps, 80).round().astype(int).tolist()})


def numbers(text: str, least: float, most: int) -> tuple[list[float], str]:
    """The numbers in a text, between commas, semicolons, blanks or lines, and what is left out, as sentences."""
    good, bad = [], []
    for place, item in enumerate(re.findall(r"[^,;\s]+", text), start=1):
        try:
            value = float(item)
        except ValueError:
            value = np.nan
        if least <= value <= LARGEST:
            good.append(value)
        else:
            bad.append(f"item {place} ({item[:12]!r})")
    named = f"{', '.join(bad[:3])}{' …' * (len(bad) > 3)}"
    said = f" Left out: {named}; type numbers from {five(least)} to {five(LARGEST)}." if bad else ""
    return good[:most], said + (f" Only the first {most} of {len(good)} numbers count." if len(good) > most else "")


def read(p: Params) -> tuple[np.ndarray, str]:
    """The targets y, and what the reader should know about them ("" if nothing)."""
    if p.task == "classify":
        return np.array([p.target]), ""
    soft = p.task == "soft"
    y, said = numbers(p.classes, 0, 6) if soft else numbers(p.targets, -LARGEST, 50)
    if not y or (soft and (len(y) < 2 or not sum(y))):
        y = [0.7, 0.2, 0.1] if soft else [1, 2, 3, 4, 100]
        said += f" That is too few: {', '.join(map(str, y))} stand in."
    if not soft:
        return np.array([*y[:-1], y[-1] + p.outlier], float), said
    if abs(sum(y) - 1) > 1e-9:
        said += f" The soft target is divided by its sum {five(sum(y))}."
    return np.array(y) / sum(y), said


def five(*values: float) -> str:
    """Five significant digits, and three of what is very small or large; several numbers stand in brackets."""
    texts = [number(v, 5 if 1e-3 <= abs(v) < 99_999 else 3) for v in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def optimum(name: str, y: np.ndarray, delta: float) -> tuple[float, float]:
    """The constants from … to … at which a loss is lowest."""
    ordered, n = np.sort(y), len(y)
    if name == "MSE":
        return y.mean(), y.mean()
    if name == "MAE":
        return ordered[(n - 1) // 2], ordered[n // 2]
    knots = np.sort([*(y - delta), *(y + delta)])  # between them Huber's gradient is a straight line
    c = np.interp(0, np.clip(knots[:, None] - y, -delta, delta).sum(axis=1), knots)
    return c, c


def run(p: Params) -> Iterator[State]:
    """Train one start with every loss; a state per step, or fewer of a long run."""
    y, complaint = read(p)
    names, losses, constant = list(p.shown), list(p.shown.values()), p.task == "constant"
    eta, start = (p.rate, [p.start_c]) if constant else (p.rate_z, [p.start, *[0.0] * (len(y) - 1)])
    best = np.array([optimum(name, y, p.delta) if constant else (p.target, p.target) for name in names])
    q = y if p.task == "soft" else np.array([p.target, 1 - p.target])
    entropy = abs((q * np.log(np.maximum(q, 1e-300))).sum())
    floor = np.array([loss.value(c[:1], y, p.delta) for loss, c in zip(losses, best)] if constant else [entropy, 0.0])
    watched = y.argmax() if p.task == "soft" else 0
    theta = np.tile(start, (len(losses), 1))  # a row per loss
    gradient, halfway, film = np.zeros_like(theta), [None] * len(losses), set(spaced(p.steps))
    for step in range(p.steps + 1):
        before, slope = theta, gradient
        theta = before - eta * slope  # at first the slope is 0
        gradient = np.array([loss.gradient(row, y, p.delta) for loss, row in zip(losses, theta)])
        if p.task == "classify":
            there = theta[:, 0] * (p.target - 0.5) >= 0  # z and the target are on the same side
            halfway = [step if at is None and on else at for at, on in zip(halfway, there)]
        diverged = not finite(theta, most=1e12)
        if step not in film and not diverged:
            continue
        values = np.array([loss.value(row, y, p.delta) for loss, row in zip(losses, theta)])
        answers = ANSWER[p.task](theta)
        state = State(
            step, float(values[0]), float(answers[0, watched]), float(values[-1]), float(answers[-1, watched]),
            float(np.ptp(answers, axis=0).max()), "", theta, gradient, values, answers, halfway, y, best, floor,
        )  # fmt: skip
        if diverged:
            why = f"every step multiplies its distance to the mean by 1 − 2η = {five(1 - 2 * p.rate)}"
            yield state._replace(note=f"Step {step}: MSE diverged to c = {five(theta[0, 0])}: {why}. Lower η below 1.")
            return
        yield state._replace(note=note(p, state, before[:, 0], slope[:, 0], eta) + complaint)


def note(p: Params, now: State, before: np.ndarray, slope: np.ndarray, eta: float) -> str:
    """The last update in numbers, from `before` against the gradient `slope`, and what the steps have led to."""
    letter, said, more = "c" if p.task == "constant" else "z", [], ""
    for i, (name, loss) in enumerate(p.shown.items()):
        at, g = now.theta[i, 0], now.gradient[i, 0]
        if now.step == 0 or p.task == "soft":
            said.append(f"{name} {five(now.values[i])}, its gradient {loss.formula} = {five(*now.gradient[i])}")
        else:
            moved = f"{letter} = {five(before[i])} − {number(eta)} · ({five(slope[i])}) = {five(at)}"
            said.append(f"by {name} {moved}, loss {five(now.values[i])}")
        if name == "MSE" and p.rate >= 1:
            more += f" Every step multiplies MSE's distance to the mean by 1 − 2η = {five(1 - 2 * p.rate)}."
        elif name == "MSE" and abs(at - now.y.mean()) < 1e-3 * (np.ptp(now.y) or 1):
            more += f" MSE is at the mean; the {five(now.floor[i])} left over is the variance of the targets."
        elif name == "MAE" and g == 0 and np.ptp(now.best[i]):
            more += f" MAE rests: every c from {' to '.join(map(five, now.best[i]))} is a median."
        elif name == "MAE" and g * slope[i] < 0:
            more += f" MAE swings about the median: its slope stays ±{five(abs(g))}, so its steps do not shrink."
    if now.halfway[0]:
        q, late = now.answers[1, 0], now.halfway[1]
        rival = f"at step {late:,}" if late else f"is braked by its factor p(1 − p) = {five(q * (1 - q))}"
        more += f" Cross-entropy came to p = 0.5 at step {now.halfway[0]:,}, squared error {rival}."
    if p.task == "soft" or (p.task == "classify" and 0 < p.target < 1):
        more += f" Cross-entropy's floor is the target's entropy {five(now.floor[0])}."
    opening = f"Step {now.step:,}" if now.step else f"Start at {letter} = {five(now.theta[0, 0])}"
    return f"{opening}: {'; '.join(said)}.{more}"


PRESETS = (
    works("The median holds", "The outlier moves twice as far out: the mean follows it, the median stays with the "
          "other four.", {"answer": ">= 41", "rival_answer": "<= 3.1"}, outlier=100.0),
    works("Huber with a small δ", "Beyond δ an error pulls no harder, so the outlier counts like any other point and "
          "the answer stays with the four.", {"rival_answer": "<= 4"}, losses=("MSE", "Huber"), delta=2.0),
    fails("Squared error, surely wrong", "The sigmoid is flat where it is confidently wrong: squared error stays "
          "there, and cross-entropy leaves.", {"rival_answer": "<= 0.01", "answer": ">= 0.99"},
          task="classify", steps=2000),
    fails("A rate above 1", "Each step lands further beyond the mean than the one before, and the squared error grows "
          "without end.", {"loss": ">= 1e12"}, losses=("MSE",), rate=1.1),
)  # fmt: skip

COLOURS = dict(zip(("MSE", "MAE", "Huber", "cross-entropy"), SERIES)) | {"squared error": SERIES[0]}
PLACES = {"MSE": "mean {}: MSE {}, the variance", "MAE": "median {}: MAE {}", "Huber": "minimum {}: Huber {}"}
STILL = {"hoverinfo": "skip", "showlegend": False}
RING = {"symbol": "circle-open", "size": 12, "line": {"width": 2}}
DIAMOND = {"mode": "markers+text", "textposition": "middle left", "marker": {"symbol": "diamond", "size": 12}}
DOTTED = {"line": {"dash": "dot", "width": 1.5}} | STILL


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Left: targets and answers. Right: each loss, and for a single parameter its gradient below it."""
    steps, clock = np.array([s.step for s in states]), {"range": [0, p.steps], "nticks": 5}
    if p.steps > 100:  # a log axis, on which step 0 stands at 0.5
        steps, ticks = np.maximum(steps, 0.5), [10**k for k in range(5) if 10**k <= p.steps]
        clock = {"type": "log", "range": [-0.302, round(np.log10(1.25 * p.steps), 3)], "tickvals": [0.5, *ticks],
                 "ticktext": ["0", *(f"{tick:,}" for tick in ticks)]}  # fmt: skip
    fig = (draw_soft if p.task == "soft" else draw_curves)(p, states, states[now], steps, clock)
    by_step = {"constant": [4], "classify": [1], "soft": [2, 3]}[p.task]
    fig["layout"]["shapes"] += [rule(panel, float(steps[now])) for panel in by_step]
    if p.task != "constant":
        legend(fig, 2)
    return fig


def span(known: Sequence[float], visited: np.ndarray, margin: float) -> tuple[float, float]:
    """From the smallest to the largest of what must be seen and of what was visited, unless that is far away."""
    low, high = min(known), max(known)
    wide = (high - low) or 1.0
    low, high = min(low, max(visited.min(), low - 3 * wide)), max(high, min(visited.max(), high + 3 * wide))
    return round(low - margin * wide, 6), round(high + margin * wide, 6)


def draw_curves(p: Params, states: Sequence[State], state: State, steps: np.ndarray, clock: dict) -> Figure:
    """One parameter: its place on the loss curve, with the tangent, and on the gradient curve; its answer by step."""
    first, names, y, constant, several = states[0], [*p.shown], state.y, p.task == "constant", len(p.shown) > 1
    visited, letter, scaled = np.array([s.theta[:, 0] for s in states]), "z", ", scaled" if several else ""
    walk, title, answers = (-10, 10), "p = σ(z) by step; target ┄", {"range": [-0.03, 1.05], "nticks": 5}
    if constant:  # the picture stands still while the last target is moved: its first place and mean are in it
        walk = (*state.best.ravel(), y.mean() - p.outlier / len(y), p.start_c)
        letter, title, answers = "c", "c by step; best ┄", {"range": [*span(walk, visited, 0.06)], "nticks": 5}
    low, high = span(walk, visited, 0.2)
    jumps = np.clip([y - 1e-4 * (high - low), y + 1e-4 * (high - low)], low, high)  # of MAE's slope
    x = np.sort(np.append(np.linspace(low, high, 241), jumps))
    values = np.array([loss.value(x[:, None], y, p.delta) for loss in p.shown.values()])
    slopes = np.array([loss.gradient(x[:, None], y, p.delta)[:, 0] for loss in p.shown.values()])
    zero, tall, steep = 0 * state.floor, np.ones(len(names)), np.ones(len(names))
    if several:  # losses of different size in one picture, above their floors
        zero, tall = state.floor, np.ptp(values, axis=1) + 1e-300
        steep = np.abs(slopes).max(axis=1) + 1e-300 if constant else steep
    top = 1.06 * max(((values.T - zero) / tall).max(), 1e-9)
    ends = np.array([min((slopes.T / steep).min(), 0), max((slopes.T / steep).max(), 1e-9)])
    by_slope = {"range": ends + 0.08 * np.ptp(ends) * np.array([-1, 1]), "zeroline": True, "zerolinecolor": MUTED}
    by_x, by_loss = {"range": [low, high], "nticks": 6}, {"range": [-0.06 * top, top], "nticks": 4}
    places = np.array([*y, y[-1] - p.outlier, *walk])
    line, rows = {"range": [*span(places, places, 0.05)]}, {"range": [-0.6, len(names) + 0.8], "visible": False}
    panels = [
        Panel((0, 0.46, 0.48, 1), 60 + 46 * len(names), "Targets ● and constants", line, rows),
        Panel((0.55, 1, 0.56, 1), 190, f"Loss by {letter}{scaled}", by_x, by_loss),
        Panel((0.55, 1, 0, 0.42), 170, f"Gradient by {letter}{scaled if constant else ''}", by_x, by_slope),
        Panel((0, 0.46, 0, 0.34 if constant else 1), 170, title, clock, answers),
    ]
    if not constant:
        panels[0] = panels.pop()
    fig = figure(480, *panels)
    data, shapes, last = fig["data"], fig["layout"]["shapes"], 4 if constant else 1
    for i, name in enumerate(names):
        colour, row = COLOURS[name], len(names) - i
        at, g = float(np.clip(state.theta[i, 0], low, high)), float(state.gradient[i, 0])
        height, tangent = float((state.values[i] - zero[i]) / tall[i]), g / tall[i]
        half = 0.12 * (high - low) / np.hypot(1, tangent * (high - low) / top)  # as long however steep
        data += [
            lines(last, steps, [s.answers[i, 0] for s in states], name, colour, hovertemplate="%{y:.5g} at step %{x}"),
            lines(2, x, (values[i] - zero[i]) / tall[i], name, colour, **STILL),
            lines(3, x, slopes[i] / steep[i], name, colour, **STILL),
            lines(2, [low, high], (state.floor[[i, i]] - zero[i]) / tall[i], "lowest", colour, **DOTTED),
            *[lines(last, steps[[0, -1]], [c, c], "best", colour, **DOTTED) for c in state.best[i]],
            points(2, first.theta[i], (first.values[[i]] - zero[i]) / tall[i], "start", colour, marker=RING, **STILL),
        ]
        shapes.append(segment(2, (at - half, height - tangent * half), (at + half, height + tangent * half), INK, 1.5))
        shapes += [dot(2, at, height, colour), dot(3, at, g / steep[i], colour)]
        if constant:
            text = PLACES[name].format(" to ".join(dict.fromkeys(map(five, state.best[i]))), five(state.floor[i]))
            fig["layout"]["annotations"].append(label(1, 0, row + 0.45, text, colour, xref="x domain", xanchor="left"))
            wide = {"mode": "markers+lines", "line": {"color": colour, "width": 5}, "marker": RING | {"size": 16}}
            data.append(points(1, state.best[i], [row, row], "best", colour, **wide, **STILL))
            shapes += [segment(1, (p.start_c, row), (at, row), colour), dot(1, at, row, colour)]
        else:  # a diamond where p has come to 0.5
            steps_to = [step for step in states[-1].halfway[i : i + 1] if step]
            said = {"text": [f"{step:,} " for step in steps_to], "textfont": {"color": colour, "size": 15}} | DIAMOND
            data.append(points(1, steps_to, [0.5] * len(steps_to), "p = 0.5", colour, **said, **STILL))
    if constant:
        data.append(points(1, y, 0 * y, "targets", INK, opacity=0.7, hoverinfo="x"))
    return fig


def draw_soft(p: Params, states: Sequence[State], state: State, steps: np.ndarray, clock: dict) -> Figure:
    """A logit per class: the probabilities beside the target, and each loss by step with its floor."""
    n, titles = len(state.y), (f"Cross-entropy by step; entropy {five(state.floor[0])} ┄", "Squared error by step; 0 ┄")
    losses = np.array([s.values for s in states])
    classes = {"tickvals": [*range(n)], "ticktext": [number(y) for y in state.y], "range": [-0.6, n - 0.4]}
    fig = figure(
        480,
        Panel((0, 0.46, 0, 1), 260, "Probability of each class; target ▭", classes, {"range": [0, 1.02]}),
        *[Panel((0.55, 1, 0.56 - 0.56 * i, 1 - 0.58 * i), 170, titles[i], clock,
                {"range": [-0.03 * top, 1.05 * top], "nticks": 4}) for i, top in enumerate(losses.max(axis=0) + 1e-9)],
    )  # fmt: skip
    for i, name in enumerate(p.shown):
        fig["data"].append(lines(2 + i, steps, losses[:, i], name, COLOURS[name], hovertemplate="%{y:.4g}"))
        fig["data"].append(lines(2 + i, steps[[0, -1]], state.floor[[i, i]], "floor", INK, **DOTTED))
        for k, answer in enumerate(state.answers[i]):
            left = k - 0.3 + 0.3 * i
            fig["layout"]["shapes"].append(box(1, (left, left + 0.3), (0, answer), COLOURS[name], 0, COLOURS[name]))
    fig["layout"]["shapes"] += [box(1, (k - 0.36, k + 0.36), (0, y), INK, 2) for k, y in enumerate(state.y)]
    return fig
