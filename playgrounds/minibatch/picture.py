"""How steps with batches are drawn."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, log_ticked, span, steps
from playgrounds.kit.palette import FAINT, INK, MUTED, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number
from playgrounds.minibatch.model import MEASURED, N, Params, State, share
from playgrounds.minibatch.words import NAMES, note

__all__ = ["PRESETS", "draw", "note"]

PRESETS = (
    works(
        "A falling rate",
        "Large steps come near the minimum, and as they shrink the noise of single examples shrinks with them.",
        {"cloud": "<= 0.6"},
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
TAIL = 10  # steps of the line behind each point


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Every w there was, with a ring per cloud; the loss by step and by examples used; the noise by batch size."""
    state, best = states[now], states[0].best
    path = np.concatenate([s.path for s in states])  # (steps, batch sizes, 2)
    start = states[0].losses[0] - states[0].least
    above = cut([s.losses - s.least for s in states], start)
    # Over the last quarter of the steps: as x is standardized, the loss is its minimum + |w - w*|^2.
    mean = cut([s.clouds**2 for s in states], start)
    by_loss = log(np.append(above, mean), lowest=3e-4 * start, highest=1e3 * start)

    rows = ["weights weights weights steps steps", "weights weights weights used used"]
    pic = Picture(480, *rows, details=("noise",), detail_height=280)
    slope, intercept = (span(b - BELOW, b + ABOVE, name) for b, name in zip(best, ("slope w₁", "intercept w₂")))
    weights = pic.panel("weights", "Weights", slope, intercept, square=True)
    by_step = pic.panel("steps", "Loss − minimum", steps(p.steps, "step", ticks=5), by_loss)
    used = pic.panel("used", "Loss − minimum by cost", by_examples(p), by_loss)
    noise = pic.panel("noise", "Noise", *noise_axes(state))

    for radius in range(1, 8):  # contours: the loss is 1, 4, 9, … above its minimum
        ring(weights, best, radius, FAINT)
    keyed = [weights, weights, weights, by_step, by_step, used]  # the panel in whose title a size has its name
    for i, (b, size, stop) in enumerate(zip(p.batches, p.sizes, p.stops, strict=True)):
        colour, name, way = SERIES[COLOURS[b]], NAMES[b], within(path[: stop + 1, i], best)
        small = {"size": 4, "line": {"width": 0}}
        weights.points(*way.T, name, colour, marker=small, opacity=0.5, hover="", key=keyed[i] is weights, later=True)
        taken = np.unique(np.minimum([s.step for s in states], stop))
        n, stays = len(taken), {"color": colour, "width": 2.5, "shape": "hv"}  # w stays while a batch is being read
        by_step.curve(taken, above[:n, i], name, colour, width=1, opacity=0.4, key=False, hover="")
        said = {"key": keyed[i] is by_step, "hover": "%{y:.3g} at step %{x}"}
        by_step.curve(taken, mean[:n, i], name, colour, **said)
        said = {"key": keyed[i] is used, "hover": "%{y:.3g} after %{x:,}"}
        used.curve(np.maximum(1, taken * size), mean[:n, i], name, colour, line=stays, later=True, **said)
        here = min(state.step, stop)
        weights.path(*way[max(0, here - TAIL) : here + 1].T, colour, 1.5)
        ring(weights, best, state.clouds[i], colour, 1.5, "dash")
        weights.dot(*way[here], colour)
        used.cursor(max(1, here * size), colour)
    if np.abs(path[state.step, 0] - best).max() < BELOW:
        for end in within(state.fan, best):
            weights.line(path[state.step, 0], end, INK, 1, opacity=0.6)
    pic.cursor(state.step, by_step)
    used.cursor(N, MUTED, "dot")
    draw_noise(noise, p, state)
    costs(pic, p, state)
    return pic


def cut(losses: Sequence[np.ndarray], start: float) -> np.ndarray:
    """What a log axis and float32 can take."""
    return np.clip(losses, 1e-5 * start, 1e5 * start)


def by_examples(p: Params) -> dict:
    """The axis of examples used: powers of ten, and in place of 1,000 one epoch."""
    most = max(stop * size for stop, size in zip(p.stops, p.sizes, strict=True))
    names = {1: "1", 10: "10", 100: "100", N: "1 epoch", 1e4: "10⁴", 1e5: "10⁵", 1e6: "10⁶"}
    return log_ticked(0.9, 1.15 * max(most, 10), list(names), list(names.values()), "examples used")


def ring(panel: Panel, middle: np.ndarray, radius: float, colour: str, width: float = 1, dash: str = "solid") -> None:
    sides = np.clip([-radius, radius], -3 * BELOW, 3 * BELOW)
    panel.frame(middle[0] + sides, middle[1] + sides, colour, width, dash, type="circle")


def within(path: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Path of shape (steps, 2), with what is far outside of the picture moved to a place not so far outside."""
    away = path - best
    return best + away / np.maximum(1, np.abs(away).max(axis=1, keepdims=True) / (3 * BELOW))


def noise_axes(state: State) -> tuple[dict, dict]:
    sizes = [*MEASURED, N]
    one = state.noise[1, 0]
    return (
        log_ticked(0.8, 4 * N, sizes, [f"{size:,}" for size in sizes], "batch size B"),
        log(one / [1, 50], "of the gradient, RMS", margin=0.2),
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
    )


def costs(pic: Picture, p: Params, state: State) -> None:
    """Per batch size the examples used and the cloud that they have bought."""
    used = [f"{min(state.step, stop) * size:,}" for size, stop in zip(p.sizes, p.stops, strict=True)]
    bought = [f"{NAMES[b]}: cloud {number(cloud)}" for b, cloud in zip(p.batches, state.clouds, strict=True)]
    title = "Examples used so far. Cloud: RMS distance from the minimum over the last quarter of the steps"
    pic.chips(title, used, [COLOURS[b] for b in p.batches], bought)
