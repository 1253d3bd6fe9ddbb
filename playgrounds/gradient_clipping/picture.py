"""How the two descents are told and drawn."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from playgrounds.gradient_clipping.cliff import COLOURS, NAMES, draw_cliff, sight
from playgrounds.gradient_clipping.model import CLIPPED, HUGE, PLAIN, Params, State, loss_of
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, span
from playgrounds.kit.palette import INK
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import number

PRESETS = (
    works(
        "Down from the wall",
        "Plain descent is thrown off by one step; with the same direction but a length of at "
        "most ηc the clipped one walks down to the foot and stays there.",
        {"loss": "< 0.2", "plain_loss": ">= 1e100", "cosine": "> 0.999999"},
        w=1.15,
    ),
    fails(
        "Clipping on the plateau",
        "With w = 0.6 the gradient has vanished; clipping only shortens, so both descents "
        "stand on the same spot to the end.",
        {"loss": "> 0.49", "norm": "< 1e-6"},
        w=0.6,
        b=0.0,
    ),
)

SIZES = (16, 10)  # px of the two descents on the map
WIDE = 0.16  # the map shows b from −WIDE to WIDE
GRID = 72  # cells a side of the loss's picture


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The gradient where the clipped descent stands, what clipping makes of it, and how the plain one fares."""
    state = states[now]
    w, b = state.theta[CLIPPED]
    if None not in state.gone:
        return (
            f"Step {state.step}: both have diverged, with w at {number(state.theta[PLAIN, 0])} and {number(w)}: the "
            f"loss is beyond 10¹⁰⁰. The limit c = {number(p.limit)} is too high to hold a step of η·c back."
        )
    change = clipping(p, state)
    if state.step == p.descents and now:
        return f"{last_words(p, state)} In the last step, at loss {number(state.loss)}, {change}."
    if now == 0:
        return f"Start at w = {number(w)}, b = {number(b)}, loss {number(state.loss)}: {change}."
    clipped = f"Step {state.step}: clipped, w = {number(w, 4)}, loss {number(state.loss)}; {change}"
    return f"{clipped}. {plain(state, states[now - 1])}."


def clipping(p: Params, state: State) -> str:
    """What clipping makes of the gradient."""
    norms = f"the gradient's norm is {number(state.norm)}"
    if state.norm > state.clipped_norm * (1 + 1e-5):
        cosine = float(state.g[CLIPPED] @ state.used[CLIPPED]) / (state.norm * state.clipped_norm)
        turned = "keeps its direction" if cosine > 1 - 1e-9 else f"turns (cosine {number(cosine)})"
        return f"{norms}; clipping makes it {number(state.clipped_norm, 4)}, and it {turned}"
    change = f"{norms}, below c = {number(p.limit)}: clipping changes nothing"
    if state.norm < 0.01 and state.loss > 0.1:
        change += " and cannot make it larger"
    return change


def plain(state: State, before: State) -> str:
    """What has become of plain descent since the state before."""
    w, gone = state.theta[PLAIN, 0], state.gone[PLAIN]
    if gone is not None and before.plain_loss < HUGE:
        return f"Plain descent was thrown to w = {number(w)}, its loss beyond 10¹⁰⁰: diverged"
    if gone is not None:
        return f"Plain descent is gone since step {gone}"
    if np.array_equal(state.theta[PLAIN], state.theta[CLIPPED]):
        return "Plain descent has taken the very same steps"
    if state.plain_loss > 1:
        size = f"loss {number(state.plain_loss)}, gradient norm {number(np.hypot(*state.g[PLAIN]))}"
        return f"Plain descent has run up the cliff to w = {number(w)}: {size}"
    jump = np.hypot(*(state.theta[PLAIN] - before.theta[PLAIN]))
    if jump > 0.05:
        return f"Plain descent is thrown by {number(jump)}, to w = {number(w)}"
    return f"Plain descent: w = {number(w, 4)}, loss {number(state.plain_loss)}"


def last_words(p: Params, state: State) -> str:
    """What the two descents have come to."""
    w = number(state.theta[CLIPPED, 0])
    if np.array_equal(state.theta[PLAIN], state.theta[CLIPPED]):
        return f"After {p.descents} steps both descents are at w = {w}: no gradient was above c = {number(p.limit)}."
    gone = state.gone[PLAIN]
    fate = f"has diverged in step {gone}" if gone else f"is at w = {number(state.theta[PLAIN, 0])}"
    size = f"no step was longer than η·c = {number(p.rate * p.limit * (2**0.5 if p.how == 'value' else 1))}"
    return f"After {p.descents} steps plain descent {fate}, the clipped one is at w = {w}: {size}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Both descents on the cliff, the next step of the clipped one; the gradient norms; on demand the map."""
    state, (low, high) = states[now], sight(p)
    by_step = span(-0.02 * p.descents, p.descents)
    pic = Picture(440, "cliff cliff cliff norm norm", details=("map loss",), detail_height=260)
    draw_cliff(pic, p, states, now)

    steps = np.array([s.step for s in states])
    losses = np.array([s.losses for s in states])
    norms = np.array([np.hypot(*s.g.T) for s in states])
    used = np.array([np.hypot(*s.used.T) for s in states])
    sizes = log(np.append(norms, p.limit), "", 0.4, 1e-12, 1e12)
    norm = pic.panel("norm", "Gradient norm", by_step, sizes, tall=170)
    ground = pic.panel("map", "Loss over w and b", span(low, high, "w"), span(-WIDE, WIDE, "b"))
    loss = pic.panel("loss", "Loss by step", by_step, log(losses, "", 0.4, 1e-4, 1e12))

    ground.field(heights(low, high, p.T, p.activation), (low, high), (-WIDE, WIDE), scale="sequential", smooth=False)
    path = np.array([s.theta for s in states[: now + 1]])
    said = {"hover": "%{y:.3g} at step %{x}", "key": False}
    for i, (name, colour, size) in enumerate(zip(NAMES, COLOURS, SIZES, strict=True)):
        ground.trail(*on_map(path[:, i], low, high).T, colour, size)
        loss.curve(steps, np.clip(losses[:, i], 1e-6, 1e14), name, colour, **said)
        norm.curve(steps, np.clip(norms[:, i], 1e-14, 1e14), name, colour, dash="dot", width=1.5, **said)
        norm.curve(steps, np.clip(used[:, i], 1e-14, 1e14), name, colour, **said)
    norm.key("┄", "computed")
    norm.key("━", "used")
    norm.level(np.clip(p.limit, 1e-14, 1e14), name="c")

    here = state.theta[CLIPPED]
    way = -state.used[CLIPPED] / max(state.clipped_norm, 1e-300)
    ground.line(here, here + 0.09 * (high - low) * way, INK)
    ground.key("━", "next step", INK)
    pic.cursor(state.step, loss, norm)
    return pic


@lru_cache(maxsize=16)
def heights(low: float, high: float, steps: int, activation: str) -> np.ndarray:
    """log10 of the loss over w and b, from 10⁻³ to 10⁶ scaled to [0, 1], shape (GRID, GRID)."""
    middles = (np.arange(GRID) + 0.5) / GRID
    w, b = np.meshgrid(low + middles * (high - low), (2 * middles - 1) * WIDE)
    losses, _ = loss_of(w, b, steps, activation)
    return (np.log10(np.maximum(losses, 1e-3)) + 3) / 9


def on_map(path: np.ndarray, low: float, high: float, most: float = 8.0) -> np.ndarray:
    """Where w and b of shape (steps, 2) are drawn: what is far outside, in its direction from the map's middle."""
    middle, half = np.array([(low + high) / 2, 0]), np.array([(high - low) / 2, WIDE])
    away = (path - middle) / half
    far = np.abs(away).max(axis=1, keepdims=True)
    return middle + half * away * (most / np.maximum(far, most))
