"""How decay is drawn."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, names, share, span, steps, ticked
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.still import DASHES
from playgrounds.kit.words import number
from playgrounds.weight_decay.model import STRONGEST, WEAKEST, Params, State, with_data
from playgrounds.weight_decay.words import LABELS, NAMES, note

__all__ = ["PRESETS", "draw", "note"]

PRESETS = (
    works(
        "Decay in proportion",
        "SGD with a penalty and AdamW take the same share off every weight.",
        {"uneven": "<= 1e-9", "optimizers_differ_by": "<= 1e-9"},
        optimizers=("SGD", "AdamW"),
    ),
    fails(
        "Adam with a penalty",
        "Adam divides the penalty's gradient by its size: the small weight is used up first.",
        {"uneven": ">= 0.3"},
        optimizers=("Adam",),
        steps=50,
    ),
    fails(
        "Decay above 2",
        "At η·λ = 5 every step turns the weight round and makes it four times as large.",
        {"share_left": ">= 1000"},
        optimizers=("SGD",),
        rate=10.0,
    ),
)


class Look(NamedTuple):
    colour: str
    dash: str
    width: float
    opacity: float


LOOKS = {  # in the order of drawing: of lines that coincide all remain visible
    "SGD": Look(SERIES[0], "solid", 6, 0.45),
    "SGDW": Look(SERIES[4], "solid", 4, 0.6),
    "momentum": Look(SERIES[3], "dashdot", 2, 1),
    "Adam": Look(SERIES[1], "solid", 2, 1),
    "AdamW": Look(SERIES[2], "dash", 2, 1),
}


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """What every optimizer has left of each weight; on demand the weights by step, and two comparisons."""
    columns = max(2, len(p.optimizers))
    courses = " ".join(p.optimizers) if columns == len(p.optimizers) else " ".join(2 * p.optimizers)
    others = (columns + 1) // 2 * "compare " + columns // 2 * "moved "
    pic = Picture(370, "left", details=(courses, others), detail_height=240)
    draw_left(pic, p, states[now])
    weights(pic, p, states, now)
    compare, moved = comparisons(pic, p, states)
    for name in [name for name in LOOKS if name in p.optimizers]:
        if with_data(p):
            shares_left(compare, p, states[now], name)
        else:
            sizes(compare, p, states, name)
        way_by_lambda(moved, p, states, now, name)
    if with_data(p):
        dotted(compare, range(3), p.scales / (p.scales + p.decay))
    else:
        pic.cursor(states[now].step, compare, colour=MUTED)
    moved.cursor(p.decay, MUTED)
    return pic


def draw_left(pic: Picture, p: Params, state: State) -> None:
    """A bar for every weight under every optimizer: all begin at 100 %, which their frames keep."""
    n = len(p.optimizers)
    at = np.array([4.0 * i + k for i in range(n) for k in range(3)])
    left = np.clip((state.w / p.start).ravel(), -3, 3)
    bars = ticked(-0.7, 4 * n - 1.3, at, n * NAMES) | {"showgrid": False}
    panel = pic.panel("left", "Left of each weight", bars, share(low=-0.22, high=1.32), tall=300)
    for x in at:
        panel.frame((x - 0.36, x + 0.36), (0, 1), MUTED, 1)
    colours = [LOOKS[name].colour for name in p.optimizers for _ in range(3)]
    panel.columns(left, colours, at=at.tolist(), texts=[f"{100 * one:.0f}".replace("-", "−") for one in left])
    panel.level(0, MUTED, "solid")
    for i, name in enumerate(p.optimizers):
        panel.mark(4 * i + 1, 1.3, LABELS[name], LOOKS[name].colour, yanchor="top", size=14)


def weights(pic: Picture, p: Params, states: Sequence[State], now: int) -> None:
    """A panel per optimizer with its three weights by step, and what the data or η alone would make of them."""
    w, most = np.array([s.w for s in states]), 1.6 * p.largest  # w: (states, optimizers, 3)
    low, high = max(w.min(), -most), min(w.max(), most)
    low, high = min(low, 0) - 0.06 * (high - low), high + 0.06 * (high - low)
    step = states[now].step
    for i, name in enumerate(p.optimizers):
        colour = LOOKS[name].colour
        panel = pic.panel(name, "", steps(p.steps, ticks=4), span(low, high))
        panel.key(DASHES["solid"], LABELS[name], colour)
        if with_data(p) and len(p.optimizers) <= 3:
            panel.key(DASHES["dot"], "data's best w", MUTED)
        elif name == "Adam" and len(p.optimizers) <= 3:
            panel.key(DASHES["dot"], "slope −η", MUTED)
        for k, start in enumerate(p.start):
            panel.mark(0, float(start), NAMES[k], INK, xanchor="left", yanchor="bottom", xshift=8)

            def path(s: State, i: int = i, k: int = k) -> float | None:  # a line that leaves the picture ends there
                return s.w[i, k] if abs(s.w[i, k]) <= most else None

            panel.history(states, path, NAMES[k], colour, width=2, key=False)
            if with_data(p):
                dotted(panel, [0, p.steps], [start, start])
            elif name == "Adam":  # a step of η in each step
                dotted(panel, [0, start / p.rate], [start, 0])
            panel.dot(step, np.clip(w[now, i, k], -9 * most, 9 * most), colour, 11)
        pic.cursor(step, panel, colour=MUTED)


def comparisons(pic: Picture, p: Params, states: Sequence[State]) -> tuple[Panel, Panel]:
    """Shares of the data's best weights, or sizes on a log axis; the same or the way of w₁ by λ."""
    by_lambda = log([WEAKEST, STRONGEST], "λ", margin=0)
    if with_data(p):
        shares = share(low=-0.1, high=1.4)
        scales = [f"{name}: c = {number(c)}" for name, c in zip(NAMES, p.scales, strict=True)]
        compare = pic.panel("compare", "Share left of each weight", names(scales), shares)
        compare.key(DASHES["dot"], "c/(c + λ)", MUTED)
        return compare, pic.panel("moved", "Share left of w₁, by λ", by_lambda, shares)
    by_size = log([np.abs(s.w) for s in states], lowest=0.02 * p.start[-1])
    ways = log(p.largest * np.array([p.rate * WEAKEST, 2]), margin=0.2)
    compare = pic.panel("compare", "|w| on a log axis", steps(p.steps, "step", ticks=5), by_size)
    return compare, pic.panel("moved", "How far w₁ has moved, by λ", by_lambda, ways)


def sizes(panel: Panel, p: Params, states: Sequence[State], name: str) -> None:
    """|w| by step, of an optimizer."""
    i, look = p.optimizers.index(name), LOOKS[name]._asdict()
    for k, weight in enumerate(NAMES):
        label = f"{LABELS[name]}, {weight}"
        panel.history(states, lambda s, i=i, k=k: max(abs(s.w[i, k]), 1e-30), label, key=False, **look)


def shares_left(panel: Panel, p: Params, state: State, name: str) -> None:
    """What an optimizer has left of each weight."""
    look = LOOKS[name]
    left = np.clip(state.w[p.optimizers.index(name)] / p.start, -1, 3)
    panel.path(range(3), left, **look._asdict())
    for k in range(3):
        panel.dot(k, left[k], look.colour, 11)


def way_by_lambda(panel: Panel, p: Params, states: Sequence[State], now: int, name: str) -> None:
    """What an optimizer has made of w₁ at every λ; before the first step of pure decay: what it will do."""
    state = states[now if with_data(p) else min(max(now, 1), len(states) - 1)]
    w = state.sweep[p.optimizers.index(name)]
    if with_data(p):
        reached = np.clip(w / p.largest, -1, 3)
    else:
        reached = np.clip(np.abs(w - p.largest), 1e-9 * p.rate, 100 * p.largest)
    panel.path(state.lambdas, reached, **LOOKS[name]._asdict())


def dotted(panel: Panel, x: Sequence[float], y: Sequence[float]) -> None:
    panel.path(x, y, MUTED, 1.5, "dot")
