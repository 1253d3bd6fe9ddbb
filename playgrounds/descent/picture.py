"""How a descent is drawn."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle
from math import log10
from typing import Any, NamedTuple

import numpy as np

from playgrounds._surfaces import SURFACES
from playgrounds.descent.model import Params, State, loss_of
from playgrounds.descent.words import limit, note
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, span, steps
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

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


class Look(NamedTuple):
    colour: str
    dash: str


NAMES = ("GD", "momentum", "Nesterov", "RMSProp", "Adam", "AdamW")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
LOOKS = {name: Look(colour, dash) for name, colour, dash in zip(NAMES, SERIES, DASHES, strict=True)}
SPAN = 2.3  # the pictures show weights from -SPAN to SPAN
TAIL = 300  # steps of the path behind each point


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Paths over the surface; losses by step with a cursor; the loss at every learning rate, with the one in use."""
    state, end = states[now], states[-1]
    path = np.concatenate([s.path for s in states])  # (steps, optimizers, weights)
    start = states[0].loss or 10.0**p.scale
    least = 1e-16 * start
    varies = p.schedule != "constant"
    middle = ["surface surface surface etas etas"] if varies else []
    pic = Picture(
        470, *2 * ["surface surface surface losses losses"], *middle, *2 * ["surface surface surface sweep sweep"]
    )
    w, top = span(-SPAN, SPAN), top_of_bowl(p)
    bowl = p.surface == "bowl"
    surface = pic.panel("surface", "Path", w, span(-0.05 * top, top) if bowl else w, square=not bowl)
    by_loss = log([s.losses for s in states], margin=0.3, lowest=least, highest=1e5 * start)
    losses = pic.panel("losses", "Loss by step", steps(p.steps, ticks=5), by_loss)
    by_loss = log(end.sweep, margin=0.3, lowest=least, highest=30 * start)
    sweep = pic.panel("sweep", f"Loss at step {end.step} by η", log(end.rates, margin=0), by_loss)
    pic.cursor(state.step, losses)
    if varies:
        by_rate = log([s.etas for s in states], margin=0.3, lowest=1e-16)
        etas = pic.panel("etas", "η in each step", steps(p.steps, ticks=5), by_rate)
        pic.cursor(state.step, etas)

    ground(surface, p)
    for i, name in enumerate(p.optimizers):
        (colour, dash), way, own = LOOKS[name], within(p, path[:, i], 5), [end.own[i]]
        look = {"name": name, "colour": colour, "dash": dash}
        surface.curve(*way.T, **look, width=1, opacity=0.45, hover="", key=i < 3, later=True)
        surface.path(*way[max(0, state.step + 1 - TAIL) : state.step + 1].T, colour, 2, dash)
        surface.dot(*within(p, path[[state.step], i], 1)[0], colour)
        losses.history(
            states,
            lambda s, i=i: cut(s.losses[i], start),
            **look,
            width=2,
            key=i >= 3,
            hover="%{y:.3g} after step %{x}",
        )
        said, stairs = "%{y:.3g} for η = %{x:.3g}", {"color": colour, "width": 2, "dash": dash, "shape": "vh"}
        sweep.curve(end.rates, cut(end.sweep[i], start), **look, width=2, key=False, hover=said, later=True)
        sweep.points(end.rates[own], cut(end.sweep[i, own], start), name, colour, key=False, hover="", later=True)
        if varies:
            etas.history(states, lambda s, i=i: s.etas[i], **look, width=2, key=False, hover="", line=stairs)
    arrivals(losses, p, end, start)
    if not p.tuned:
        sweep.cursor(p.rate)
    bound = limit(p, "GD")
    if bound and p.surface in ("bowl", "valley") and "GD" in p.optimizers:
        threshold(sweep, p, bound[1])
    return pic


def top_of_bowl(p: Params) -> float:
    return float(10.0**p.scale * SPAN**2 / 2)


def ground(surface: Panel, p: Params) -> None:
    """The curve of a loss over one weight, the contours of a loss over two, its formula, a cross at each minimum."""
    one = SURFACES[p.surface]
    if p.surface == "bowl":
        w = np.linspace(-SPAN, SPAN, 81)
        surface.curve(w, loss_of(p, w[:, None]), "loss", MUTED, key=False, hover="")
    else:
        levels: dict[str, Any] = {"coloring": "fill", "start": 0.06, "end": 0.96, "size": 0.045}
        surface.contours(*heights(p.surface, p.condition), levels, colorscale=[[0, PAPER], [1, FAINT]])
    formula = one.formula.replace("κ", str(p.condition))
    times = f"{number(10.0**p.scale)} · " if p.scale else ""
    surface.mark(0, top_of_bowl(p) if p.surface == "bowl" else SPAN, f"L = {times}{formula}", INK, yanchor="top")
    at = np.array([[*w, 0.0][:2] for w in one.minima])  # over one weight: at loss 0
    cross = {"line": {"width": 1.5, "color": INK}}
    surface.points(*at.T, "minimum", INK, symbol="cross-thin", marker=cross, hover="", key=False)


@lru_cache(maxsize=32)
def heights(surface: str, condition: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and the cube root of the loss as a share of its largest: contours differ by the same step of it."""
    x, y = np.linspace(-SPAN, SPAN, 81), np.linspace(-SPAN, SPAN, 161)
    z = np.cbrt(SURFACES[surface].loss(np.stack(np.meshgrid(x, y), axis=-1), condition))
    return x, y, (z / z.max()).round(3)


def arrivals(losses: Panel, p: Params, end: State, start: float) -> None:
    """A diamond on a loss curve where its path has come within a millionth of the starting distance, and the step."""
    there = sorted((*at, LOOKS[name].colour) for name, at in zip(p.optimizers, end.arrived) if at)
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


def within(p: Params, path: np.ndarray, most: float) -> np.ndarray:
    """Where path of shape (steps, weights) stands in the picture, (steps, 2).

    What is further out than `most` times the picture's edge is drawn there, in its direction from the middle.
    """
    size = np.array([SPAN, SPAN])
    if p.surface == "bowl":
        path = np.stack([path[:, 0], loss_of(p, path)], axis=1)
        size[1] = top_of_bowl(p)
    far = np.abs(path / size).max(axis=1, keepdims=True)
    return path * (most / np.maximum(far, most))


def cut(losses: np.ndarray, start: float) -> np.ndarray:
    """Losses that a log axis and float32 can take; the axis leaves out what is cut here."""
    return np.clip(losses, 1e-17 * start, 1e8 * start)


def threshold(sweep: Panel, p: Params, bound: float) -> None:
    """Mark the rate above which plain descent diverges in the sweep."""
    sweep.cursor(bound, MUTED, "dot")
    text = "2/λ" if p.surface == "bowl" else "2/λ<sub>max</sub>"
    right = p.rate <= bound < 3
    aside = {"xanchor": "left", "xshift": 1} if right else {"xanchor": "right", "xshift": -1}
    sweep.mark(log10(bound), 1, text, yref=f"y{sweep.suffix} domain", yanchor="top", **aside)
