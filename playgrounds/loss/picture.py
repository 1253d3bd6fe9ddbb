"""How descent on several losses is told and drawn: the errors, each loss on its curve, and their answers by step."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import Axis, log_ticked, names, span, steps
from playgrounds.kit.palette import INK, MUTED
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number
from playgrounds.loss.arithmetic import complaint, five, update
from playgrounds.loss.curves import COLOURS, Curves, curves, reach, visited
from playgrounds.loss.errors import draw_errors
from playgrounds.loss.model import Params, State

PRESETS = (
    works(
        "The median holds",
        "The outlier moves twice as far out: the mean follows it, the median stays with the other four.",
        {"answer": ">= 41", "rival_answer": "<= 3.1"},
        outlier=100.0,
    ),
    works(
        "Huber with a small δ",
        "Beyond δ an error pulls no harder, so the outlier counts like any other point and the answer stays with the "
        "four.",
        {"rival_answer": "<= 4"},
        losses=("MSE", "Huber"),
        delta=2.0,
    ),
    fails(
        "Squared error, surely wrong",
        "The sigmoid is flat where it is confidently wrong: squared error stays there, and cross-entropy leaves.",
        {"rival_answer": "<= 0.01", "answer": ">= 0.99"},
        task="classify",
        steps=2000,
    ),
    fails(
        "A rate above 1",
        "Each step lands further beyond the mean than the one before, and the squared error grows without end.",
        {"loss": ">= 1e12"},
        losses=("MSE",),
        rate=1.1,
    ),
)

RING = {"line": {"width": 2}}


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The last update in numbers, what the steps have led to, and what of the reader's text does not count."""
    return update(p, states[now]) + complaint(p, states[now])


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The errors of the constants, or the gradients of a logit; each loss on its curve; its answer by step."""
    if p.task == "soft":
        return draw_soft(p, states, states[now])
    c = curves(p, states)
    if p.task == "constant":
        rows = [5 * "targets " + 4 * f"{name} " for name in ("loss", "answer")]
        pic = Picture(480, *rows, details=("gradient",), detail_height=240)
        draw_errors(pic, p, states[now], c)
    else:
        pic = Picture(480, *[5 * "loss " + 4 * f"{name} " for name in ("gradient", "answer")])
    draw_loss(pic, p, states, states[now], c)
    draw_answers(pic, p, states, states[now], c)
    draw_gradient(pic, p, states[now], c)
    return pic


def draw_loss(pic: Picture, p: Params, states: Sequence[State], state: State, c: Curves) -> None:
    """Every loss by the parameter, its start as a ring, and where it stands, with the tangent."""
    letter = "c" if p.task == "constant" else "z"
    top = 1.06 * max(c.values.max(), 1e-9)
    scaled = ", scaled" if p.task == "constant" and len(p.shown) > 1 else ""
    panel = pic.panel("loss", f"Loss by {letter}{scaled}", span(c.low, c.high), span(-0.06 * top, top, ticks=4))
    for i, name in enumerate(p.shown):
        colour = COLOURS[name]
        panel.curve(c.x, c.values[i], name, colour, hover="")
        floor = (state.floor[i] - c.zero[i]) / c.tall[i]
        panel.curve([c.low, c.high], [floor, floor], "", colour, dash="dot", width=1.5, hover="", later=True)
        start = (states[0].values[i] - c.zero[i]) / c.tall[i]
        panel.points(states[0].theta[i], [start], "", colour, size=12, symbol="circle-open", marker=RING, hover="")
        at = float(np.clip(state.theta[i, 0], c.low, c.high))
        height = float((state.values[i] - c.zero[i]) / c.tall[i])
        tangent = float(state.gradient[i, 0]) / c.tall[i]
        half = 0.12 * (c.high - c.low) / np.hypot(1, tangent * (c.high - c.low) / top)  # as long however steep
        panel.line((at - half, height - tangent * half), (at + half, height + tangent * half), INK, 1.5)
        panel.dot(at, height, colour)


def draw_gradient(pic: Picture, p: Params, state: State, c: Curves) -> None:
    """The gradient by the parameter, and where each loss stands."""
    title = f"Gradient by {'c' if p.task == 'constant' else 'z'}"
    low, high = min(c.slopes.min(), 0), max(c.slopes.max(), 1e-9)
    margin = 0.08 * (high - low)
    scaled = ", scaled" if p.task == "constant" and len(p.shown) > 1 else ""
    panel = pic.panel("gradient", title + scaled, span(c.low, c.high), span(low - margin, high + margin))
    panel.level(0, MUTED, "solid")
    for i, name in enumerate(p.shown):
        panel.curve(c.x, c.slopes[i], name, COLOURS[name], hover="", key=False)
        at = float(np.clip(state.theta[i, 0], c.low, c.high))
        panel.dot(at, state.gradient[i, 0] / c.steep[i], COLOURS[name])


def draw_answers(pic: Picture, p: Params, states: Sequence[State], state: State, c: Curves) -> None:
    """The answers by step, the best ones, and where p has come to a half."""
    constant = p.task == "constant"
    low, high = reach(c.must, visited(states), 0.06) if constant else (-0.03, 1.05)
    panel = pic.panel("answer", "c by step" if constant else "p = σ(z) by step", clock(p), span(low, high))
    x = [on_clock(p, s.step) for s in states]
    for i, name in enumerate(p.shown):
        colour = COLOURS[name]
        y = [s.answers[i, 0] for s in states]
        panel.curve(x, y, name, colour, key=False, hover="%{y:.5g} at step %{x}")
        for best in np.unique(state.best[i]):
            panel.curve([x[0], x[-1]], [best, best], "", colour, dash="dot", width=1.5, hover="")
        if not constant:
            reached = [step for step in states[-1].halfway[i : i + 1] if step]
            draw_halfway(panel, reached, colour)
    panel.key("┄", "best" if constant else "target", MUTED)
    pic.cursor(on_clock(p, state.step), panel)


def draw_halfway(panel: Panel, reached: list[int], colour: str) -> None:
    """A diamond at the step, if there is one, at which p came to a half."""
    y, texts = [0.5] * len(reached), [f"{step:,} " for step in reached]
    panel.points(reached, y, "", colour, symbol="diamond", size=12, texts=texts, textposition="middle left", hover="")


def draw_soft(p: Params, states: Sequence[State], state: State) -> Picture:
    """A logit per class: the probabilities beside the target, and each loss by step with its floor."""
    pic = Picture(470, "classes loss0", "classes loss1")
    axis = names([number(y) for y in state.y], title="target")
    classes = pic.panel("classes", "Probability", axis, span(0, 1.02))
    for i, name in enumerate(p.shown):
        at = np.arange(len(state.y)) - 0.15 + 0.3 * i
        classes.columns(state.answers[i], COLOURS[name], wide=0.3, at=at.tolist())
        classes.key("■", name, COLOURS[name])
    for k, y in enumerate(state.y):
        classes.frame((k - 0.36, k + 0.36), (0, y), INK, 2)
    classes.key("▭", "target", INK)

    x = [on_clock(p, s.step) for s in states]
    for i, name in enumerate(p.shown):
        top = max(s.values[i] for s in states) + 1e-9
        panel = pic.panel(f"loss{i}", f"{name.capitalize()} by step", clock(p), span(-0.03 * top, 1.05 * top, ticks=4))
        panel.curve(x, [s.values[i] for s in states], name, COLOURS[name], key=False, hover="%{y:.4g}")
        floor = five(state.floor[i])
        panel.level(state.floor[i], INK, name=f"entropy {floor}" if i == 0 else floor)
        pic.cursor(on_clock(p, state.step), panel)
    return pic


def clock(p: Params) -> Axis:
    """Steps; of a long run on a log axis, on which step 0 stands at 0.5."""
    if p.steps <= 100:
        return steps(p.steps, ticks=5)
    powers = [10**k for k in range(5) if 10**k <= p.steps]
    return log_ticked(0.5, 1.25 * p.steps, [0.5, *powers], ["0", *(f"{power:,}" for power in powers)])


def on_clock(p: Params, step: float) -> float:
    return step if p.steps <= 100 else max(step, 0.5)
