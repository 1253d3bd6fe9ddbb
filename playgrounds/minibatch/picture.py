"""How steps with batches are drawn."""

from collections.abc import Sequence
from itertools import pairwise
from math import log10, sqrt
from typing import Any

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import Axis, log, log_ticked, names, span, steps
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number
from playgrounds.minibatch.model import MEASURED, N, Params, State, share
from playgrounds.minibatch.words import NAMES, note

__all__ = ["PRESETS", "draw", "note"]

PRESETS = (
    works(
        "A falling rate",
        "Large steps come near the minimum, and as they shrink the noise of single examples shrinks with them.",
        {"cloud": "<= 0.9"},
        batches=("1", "all"),
        schedule="cosine",
    ),
    works(
        "Examples that all agree",
        "Without noise in the data every example has the same minimum, so even batches of one come to rest there.",
        {"cloud": "<= 1e-6"},
        batches=("1", "all"),
        noise=0.0,
    ),
    fails(
        "One example, constant rate",
        "Each example pulls towards its own answer, so at a constant rate the weights "
        "jitter around the minimum for ever.",
        {"cloud": ">= 0.8"},
        batches=("1", "all"),
    ),
    fails(
        "One example, rate too large",
        "The full gradient arrives at this rate, but single examples are steeper than "
        "their mean and throw the weights out.",
        {"loss": ">= 1e6"},
        batches=("1", "all"),
        rate=0.95,
    ),
)

COLOURS = {b: i for i, b in enumerate(("1", "16", "all", "4", "64", "256"))}  # places in SERIES
BELOW, ABOVE = 4.8, 3.6  # the picture shows the weights from so far below the minimum to so far above it
FRESH, TAIL = 8, 60  # steps of the line behind each point: in full, and faint
LAYOUT = [5 * "weights " + 4 * f"{name} " for name in ("cost", "used", "used")]


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The walk of every run over the loss, its cost, and the loss by that cost; on demand by step, and the noise."""
    state, best = states[now], states[0].best
    start = states[0].losses[0] - states[0].least
    above = cut([s.losses - s.least for s in states], start)
    # Over the last quarter of the steps: as x is standardized, the loss is its minimum + |w - w*|^2.
    mean = cut([s.clouds**2 for s in states], start)
    by_loss = log(np.append(above, mean), lowest=3e-4 * start, highest=1e3 * start)

    pic = Picture(480, *LAYOUT, details=("steps noise",), detail_height=280)
    slope, intercept = (span(b - BELOW, b + ABOVE, name) for b, name in zip(best, ("slope w₁", "intercept w₂")))
    weights = pic.panel("weights", "", slope, intercept, square=True, tall=275)
    sizes = names([NAMES[b] for b in p.batches], down=True)
    cost = pic.panel("cost", "Examples used so far", most_examples(p) | {"showticklabels": False}, sizes)
    used = pic.panel("used", "Loss − minimum, by examples used", by_examples(p), by_loss)
    by_step = pic.panel("steps", "Loss − minimum, by step", steps(p.steps, "step", ticks=5), by_loss)
    noise = pic.panel("noise", "Noise of the gradient", *noise_axes(state))

    draw_ground(weights, best)
    draw_walks(weights, p, states, state)
    for i, (b, size, stop) in enumerate(zip(p.batches, p.sizes, p.stops, strict=True)):
        colour, name, here = SERIES[COLOURS[b]], NAMES[b], min(state.step, stop)
        taken = np.unique(np.minimum([s.step for s in states], stop))
        n = len(taken)
        by_step.curve(taken, above[:n, i], name, colour, width=1, opacity=0.4, key=False, hover="")
        by_step.curve(taken, mean[:n, i], name, colour, key=i < 3, hover="%{y:.3g} at step %{x}")

        spent = np.maximum(1, taken * size)
        stairs = {"color": colour, "width": 1.5, "shape": "hv"}  # w stays while a batch is being read
        said = {"key": False, "hover": "%{y:.3g} after %{x:,}"}
        used.curve(spent, mean[:n, i], name, colour, line=stairs, later=True, **said)
        known = taken <= here
        used.strokes([staircase(spent[known], mean[:n, i][known])], colour, 2.5)
        used.dot(spent[known][-1], mean[:n, i][known][-1], colour, 12)
        share_used = np.log10(max(1, here * size))
        cost.rows([share_used], colour, at=[-i], texts=[f" {here * size:,}" if here else ""])
    pic.cursor(state.step, by_step)
    used.cursor(N, MUTED, "dot")
    draw_noise(noise, p, state)
    return pic


def draw_ground(weights: Panel, best: np.ndarray) -> None:
    """Rings where the loss is 1, 4, 9, … above its minimum, darker the higher it is."""
    x, y = (np.linspace(b - BELOW, b + ABOVE, 41) for b in best)
    away = np.hypot(x - best[0], (y - best[1])[:, None])
    levels: dict[str, Any] = {"coloring": "fill", "start": 0.5, "end": 7.5, "size": 1}
    weights.contours(x, y, away, levels, colorscale=[[0, PAPER], [1, FAINT]])
    cross = {"line": {"width": 2, "color": INK}}
    weights.points(*best[:, None], "minimum", INK, size=16, symbol="cross-thin", marker=cross, key=False, hover="")


def draw_walks(weights: Panel, p: Params, states: Sequence[State], state: State) -> None:
    """Every w there was, with the last steps of each run and a ring for its distance from the minimum."""
    best, names_shown = states[0].best, p.batches[:3]
    path = np.concatenate([s.path for s in states])  # (steps, batch sizes, 2)
    for i, (b, stop) in enumerate(zip(p.batches, p.stops, strict=True)):
        colour, way, here = SERIES[COLOURS[b]], within(path[: stop + 1, i], best), min(state.step, stop)
        dots = {"marker": {"size": 4, "line": {"width": 0}}, "opacity": 0.5, "hover": "", "later": True}
        weights.points(*way.T, NAMES[b], colour, key=b in names_shown, **dots)
        weights.strokes([way[max(0, here - TAIL) : here + 1]], colour, 0.7)
        weights.strokes([way[max(0, here - FRESH) : here + 1]], colour, 2.5)
        if state.clouds[i] < ABOVE:
            ring(weights, best, state.clouds[i], colour)
    for i, (b, stop) in reversed([*enumerate(zip(p.batches, p.stops, strict=True))]):  # the smallest batch on top
        weights.dot(*within(path[[min(state.step, stop)], i], best)[0], SERIES[COLOURS[b]], 16)
    if np.abs(path[state.step, 0] - best).max() < BELOW:
        ends = within(state.fan, best)
        weights.strokes(np.stack([np.broadcast_to(path[state.step, 0], ends.shape), ends], axis=1), INK, 0.7)


def cut(losses: Sequence[np.ndarray], start: float) -> np.ndarray:
    """What a log axis and float32 can take."""
    return np.clip(losses, 1e-5 * start, 1e5 * start)


def most_examples(p: Params) -> Axis:
    """The axis of examples used by their decimal logarithm, with room for a number behind the longest bar."""
    most = max(stop * size for stop, size in zip(p.stops, p.sizes, strict=True))
    return span(log10(0.9), log10(40 * max(most, 10)))


def by_examples(p: Params) -> Axis:
    """The same axis with powers of ten and, in place of 1,000, one epoch."""
    low, high = most_examples(p)["range"]
    ticks = {1: "1", 10: "10", N: "1 epoch", 1e5: "10⁵", 1e6: "10⁶"}
    return log_ticked(10**low, 10**high, list(ticks), list(ticks.values()), "examples used")


def staircase(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same points with a corner between each two, (corners, 2): first to the right, then up or down."""
    return np.column_stack([np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]])


def ring(panel: Panel, middle: np.ndarray, radius: float, colour: str) -> None:
    """A dashed circle around the minimum."""
    sides = np.array([-radius, radius])
    panel.frame(middle[0] + sides, middle[1] + sides, colour, 1.5, "dash", type="circle")


def within(path: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Path of shape (steps, 2), with what is far outside of the picture moved to a place not so far outside."""
    away = path - best
    return best + away / np.maximum(1, np.abs(away).max(axis=1, keepdims=True) / (3 * BELOW))


def noise_axes(state: State) -> tuple[Axis, Axis]:
    """Batch sizes, and the noise of their gradient."""
    sizes = [*MEASURED, N]
    one = state.noise[1, 0]
    return (
        log_ticked(0.8, 4 * N, sizes, [f"{size:,}" for size in sizes], "batch size B"),
        log([one, one / 50], "RMS", margin=0.2),
    )


def draw_noise(panel: Panel, p: Params, state: State) -> None:
    """The noise by batch size, measured, with what each size divides it by; lines through that of one example."""
    size = np.union1d(np.geomspace(1, N, 31), N - np.geomspace(1, N - 1, 31))  # dense at both ends
    one, measured = state.noise[1, 0], state.noise[0]
    panel.curve(size, one / np.sqrt(size), "1/√B", INK, width=1.5, hover="")
    panel.curve(size, one / size, "1/B", MUTED, dash="dot", width=1.5, hover="")
    if not p.replace:
        bent = [one * sqrt(share(p, b)) or np.nan for b in size]
        panel.curve(size, bent, "without replacement", INK, dash="dash", width=1.5, hover="")
    chosen = {size: SERIES[COLOURS[b]] for b, size in zip(p.batches, p.sizes, strict=True)}
    fell = ["", *(f", ÷ {a / b:.2f}" for a, b in pairwise(measured))]
    panel.points(
        MEASURED,
        measured,
        "measured",
        [chosen.get(b, MUTED) for b in MEASURED],
        size=11,
        texts=[f"  {number(rms)}{by}" for rms, by in zip(measured, fell, strict=True)],
        textposition="middle right",
        key=False,
        hover="%{y:.3g} for batch %{x}",
        later=True,  # by how much a larger batch quiets the gradient is asked before the run
    )
