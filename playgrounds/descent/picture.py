"""How a descent is drawn: the paths, the losses, what every other rate would lead to, and the step of each weight."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np

from playgrounds.descent.model import Params, State, uses
from playgrounds.descent.paths import LOOKS, draw_ground, draw_paths, weights_axes
from playgrounds.descent.words import limit, note
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, names, span, steps
from playgrounds.kit.palette import MUTED
from playgrounds.kit.picture import Panel, Picture

__all__ = ["PRESETS", "draw", "note"]

PRESETS = (
    works(
        "Momentum in a valley",
        "Steps across the valley cancel and steps along it add up, so momentum is there "
        "while plain descent still crawls.",
        {"loss": "<= 0.001", "worst_loss": ">= 0.01"},
        optimizers=("GD", "momentum"),
        beta=0.67,
    ),
    works(
        "Adam, gradients times 10,000",
        "Dividing by the root of the squared gradients cancels their scale, and "
        "Adam goes the way that it would go without the factor.",
        {"distance_left": "<= 0.05"},
        optimizers=("Adam",),
        condition=10,
        rate=0.1,
        steps=60,
        scale=4,
    ),
    fails(
        "A rate above 2/λ",
        "Every step across the valley lands on the other side and higher up, so the loss "
        "explodes however flat the valley's floor is.",
        {"loss": ">= 1e6"},
        optimizers=("GD",),
        condition=20,
        rate=0.11,
    ),
    fails(
        "Caught between ripples",
        "Plain descent comes to rest in the first hollow on its way, for there the "
        "gradient is 0 although a lower minimum exists.",
        {"distance_left": ">= 0.5", "loss": ">= 0.5"},
        surface="ripples",
        optimizers=("GD",),
    ),
)

HUGE = 1e9  # a step that leaves the panel


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Paths over the surface; losses by step; beside them what divides a step up, or what every rate has led to."""
    state = states[now]
    start = states[0].loss or 10.0**p.scale
    third, aside = (
        ("step", "sweep") if uses(p, "RMSProp", "Adam", "AdamW") and len(p.optimizers) <= 3 else ("sweep", "step")
    )
    if p.schedule != "constant":
        third, aside = "etas", f"{third} {aside}"
    rows = [5 * "surface " + 4 * f"{name} " for name in ("losses", third)]
    pic = Picture(480, *rows, details=(aside,), detail_height=240)
    surface = pic.panel("surface", "", *weights_axes(p), square=p.surface != "bowl", tall=285)
    draw_ground(surface, p)
    draw_paths(surface, p, states, state)

    by_loss = log([s.losses for s in states], margin=0.3, lowest=1e-16 * start, highest=1e5 * start)
    losses = pic.panel("losses", "Loss by step", steps(p.steps, ticks=5), by_loss)
    at, reached = np.array([s.step for s in states]), cut(np.array([s.losses for s in states]), start)
    for i, name in enumerate(p.optimizers):
        said = {"key": i >= 3, "hover": "%{y:.3g} after step %{x}"}
        losses.curve(at, reached[:, i], name, LOOKS[name], width=2, **said)
    arrivals(losses, p, states[-1], start)
    pic.cursor(state.step, losses)
    if p.schedule != "constant":
        draw_etas(pic, p, states, state)
    draw_sweep(pic, p, states, state, start)
    draw_step(pic, p, states, state)
    return pic


def draw_etas(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """The learning rate of every step."""
    by_rate = log([s.etas for s in states], margin=0.3, lowest=1e-16)
    etas = pic.panel("etas", "η in each step", steps(p.steps, ticks=5), by_rate)
    for i, name in enumerate(p.optimizers):
        stairs = {"color": LOOKS[name], "width": 2, "shape": "vh"}
        etas.history(states, lambda s, i=i: s.etas[i], name, LOOKS[name], key=False, hover="", line=stairs)
    pic.cursor(state.step, etas)


def draw_sweep(pic: Picture, p: Params, states: Sequence[State], state: State, start: float) -> None:
    """The loss that every learning rate has led to so far, with the rate in use."""
    rates = state.rates
    by_loss = log(np.append(states[-1].sweep, start), margin=0.3, lowest=1e-16 * start, highest=30 * start)
    sweep = pic.panel("sweep", "Loss so far, by η", log(rates, margin=0), by_loss)
    bound = limit(p, "GD")
    if bound and p.surface in ("bowl", "valley") and "GD" in p.optimizers:
        sweep.cursor(bound[1], MUTED, "dot")  # above it plain descent diverges
        sweep.key("┊", "2/λ" if p.surface == "bowl" else "2/λ<sub>max</sub>", MUTED)
    if not p.tuned:
        sweep.cursor(p.rate)
    for i, name in enumerate(p.optimizers):
        reached, own = cut(state.sweep[i], start), state.own[i]
        sweep.strokes([np.column_stack([rates, reached])], LOOKS[name], 2)
        sweep.dot(rates[own], reached[own], LOOKS[name], 11)


def draw_step(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """By how much each weight has just moved, with η for those that divide by the gradient's size."""
    adaptive = [i for i, name in enumerate(p.optimizers) if uses_size(name)]
    moved = np.diff(np.concatenate([s.path for s in states]), axis=0)  # (steps, optimizers, weights)
    among = np.abs(moved[:, adaptive] if adaptive else moved).max(axis=(1, 2))
    most = 1.3 * max(float(np.quantile(among, 0.9)) if len(among) else 0, 1e-12)
    weights = ["w"] if p.surface == "bowl" else ["w₁", "w₂"]
    panel = pic.panel("step", "Last step of each weight", names(weights), span(-most, most, ticks=5))
    panel.level(0, MUTED, "solid")
    if adaptive and not p.tuned:
        for eta in (-state.etas[adaptive[0]], state.etas[adaptive[0]]):
            panel.level(eta, name="±η")
    wide = 0.8 / len(p.optimizers)
    for i, name in enumerate(p.optimizers):
        at = np.arange(len(weights)) - 0.4 + wide * (i + 0.5)
        panel.columns(np.clip(last_steps(state)[i], -HUGE, HUGE), LOOKS[name], wide=0.85 * wide, at=at.tolist())


def uses_size(name: str) -> bool:
    """Whether an optimizer divides the gradient by its usual size."""
    return name in ("RMSProp", "Adam", "AdamW")


def last_steps(state: State) -> np.ndarray:
    """By how much the step that led here has moved the weights, (optimizers, weights)."""
    return np.array([one.w - old.w for one, old in zip(state.taken, state.before, strict=True)])


def arrivals(losses: Panel, p: Params, end: State, start: float) -> None:
    """A diamond on a loss curve where its path has come within a millionth of the starting distance, and the step."""
    there = sorted((*at, LOOKS[name]) for name, at in zip(p.optimizers, end.arrived) if at)
    step, loss, colours = (list(column) for column in zip(*there)) if there else ([], [], [])
    sides = cycle(("middle left", "top center", "bottom center"))
    losses.points(
        step,
        cut(np.array(loss), start),
        "arrived",
        colours,
        symbol="diamond",
        texts=[str(at) for at in step],
        textposition=[next(sides) for _ in step],
        textfont={"color": colours, "size": 13},
        key=False,
        hover="",
    )


def cut(losses: np.ndarray, start: float) -> np.ndarray:
    """Losses that a log axis and float32 can take; the axis leaves out what is cut here."""
    return np.clip(losses, 1e-17 * start, 1e8 * start)
