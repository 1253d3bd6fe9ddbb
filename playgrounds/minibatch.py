"""One line is fitted by SGD with several batch sizes at once: small batches jitter, large ones cost more.

Left out: losses with more than one minimum, where noise can shake the weights out of a poor one, and momentum or Adam.
"""

from collections.abc import Iterator, Sequence
from math import cos, log10, pi, sqrt
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    box,
    chips,
    dot,
    figure,
    label,
    legend,
    lines,
    log_axis,
    points,
    polyline,
    rule,
    segment,
)  # fmt: skip
from playgrounds.kit.palette import FAINT, INK, MUTED, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number, vector

N = 1024  # examples
TRUE = np.array([2.0, 1.5])  # slope and intercept of the line that the examples scatter around
START = np.array([-2.0, -2.5])
MEASURED = (1, 4, 16, 64, 256)  # batch sizes whose noise is measured
NAMES = {str(size): f"batch {size}" for size in MEASURED} | {"all": f"all {N:,}"}
DRAWN = 512 * N  # examples that are drawn to measure one size
OTHERS = 12  # batches whose steps are shown beside the one taken
TAU = 20  # steps after which the schedule 1/t has halved the rate
HUGE = 1e6  # a weight beyond it has diverged


class Params(kit.Params):
    batches: tuple[Literal["1", "4", "16", "64", "256", "all"], ...] = knob(
        ("1", "16", "all"), label="Batch sizes", help=f"examples per step; all: the {N:,} of them, gradient descent"
    )
    rate: float = knob(0.1, 0.001, 1.2, label="Learning rate η", log=True)
    steps: int = knob(300, 10, 3000, label="Steps", log=True)
    budget: Literal["steps", "examples"] = knob(
        "steps", label="Same number of", help="as many examples as the smallest uses", when=lambda p: len(p.batches) > 1
    )
    schedule: Literal["constant", "1/t", "cosine"] = knob(
        "constant", label="Schedule of η", help=f"1/t: η/2 after {TAU} steps, η/3 after {2 * TAU}; cosine: 0 at the end"
    )
    noise: float = knob(3.5, 0, 5, label="Noise of the data", help="standard deviation of y around the line", step=0.1)
    replace: bool = knob(True, label="Draw with replacement", help="off: every epoch is shuffled and cut", more=True)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the examples and the batches", more=True)

    @property
    def sizes(self) -> list[int]:
        return [N if b == "all" else int(b) for b in self.batches]

    @property
    def stops(self) -> list[int]:
        """The last step of every batch size chosen."""
        examples = self.steps * self.sizes[0]
        return [self.steps if self.budget == "steps" else examples // size for size in self.sizes]

    @property
    def length(self) -> int:
        return len(kept(self.steps))


class State(NamedTuple):
    step: int
    loss: float  # mean squared error over all examples; this and the following are those of the smallest batch chosen
    cloud: float  # RMS distance of w from the minimum over the last quarter of the steps so far
    examples: int  # used so far
    gradient_noise: float  # RMS deviation of its gradient from that of all examples at the start, measured
    eta: float  # learning rate of this step
    note: str
    path: np.ndarray  # (steps since the state before, batch sizes, 2)
    losses: np.ndarray  # (batch sizes,)
    clouds: np.ndarray  # (batch sizes,)
    fan: np.ndarray  # (OTHERS, 2): where other batches of the smallest size would take w next
    noise: np.ndarray  # (2, len(MEASURED)): RMS noise of the gradient at the start, measured and by theory
    minimum: tuple[np.ndarray, float]  # w of the minimum, and the loss there


def examples(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """Rows (x, 1) of shape (N, 2) and y of shape (N,). x is standardized: the loss is its minimum + |w - w*|^2."""
    rng = np.random.default_rng(p.seed)
    x = rng.uniform(-1, 1, N)
    x = np.column_stack([(x - x.mean()) / x.std(), np.ones(N)])
    return x, x @ TRUE + p.noise * rng.normal(size=N)


def gradient(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of the mean squared error over a batch: x of shape (B, 2), y of shape (B,), w of shape (2,)."""
    return 2 / len(y) * ((x @ w - y) @ x)


def batches_of(p: Params, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Batch after batch: the indices of its examples, shape (size,)."""
    while True:
        if size == N:
            yield np.arange(N)
        elif p.replace:
            yield rng.integers(N, size=size)
        else:
            yield from rng.permutation(N).reshape(-1, size)


def eta_at(p: Params, t: int) -> float:
    """The learning rate of step t = 1, 2, …"""
    if p.schedule == "1/t":  # Robbins and Monro 1951: the rates add up to infinity, their squares do not
        return p.rate / (1 + (t - 1) / TAU)
    return p.rate * (1 + cos(pi * (t - 1) / p.steps)) / 2 if p.schedule == "cosine" else p.rate


def measure(p: Params, each: np.ndarray) -> np.ndarray:
    """RMS deviation of a batch's gradient from the mean of all, for every size in MEASURED.

    each: the gradients of the examples, (N, 2). A batch of 4 is made of four batches of 1, and so on.
    """
    rng = np.random.default_rng([p.seed, N + 1])
    at = rng.integers(N, size=DRAWN) if p.replace else rng.permuted(np.tile(np.arange(N), (DRAWN // N, 1)), axis=1)
    means, off = each.take(at.ravel(), axis=0) - each.mean(axis=0), []
    for size in MEASURED:
        means = means if size == 1 else means.reshape(-1, 4, 2).mean(axis=1)
        off.append(sqrt((means**2).sum(axis=1).mean()))
    return np.array(off)


def share(p: Params, size: float) -> float:
    """The variance of a batch's mean as a share of one example's: 1/B, times (N-B)/(N-1) without replacement."""
    return 0.0 if size == N else 1 / size * (1 if p.replace else (N - size) / (N - 1))


def limit(p: Params, x: np.ndarray, size: int) -> float:
    """The learning rate above which the expected |w - w*|^2 grows for ever.

    A step multiplies w - w* by I - 2 eta H, H being the batch's mean of x x', and its second moments M by
    1 - 4 eta + 4 eta^2 E[H M H] / M, as E[H] = I for standardized x. M is taken as a vector of four.
    """
    pairs = np.einsum("ni,nj->nij", x, x).reshape(-1, 4)
    largest = np.linalg.eigvalsh(pairs.T @ pairs / N)[-1]  # of M -> E[x x' M x x'], one example's H M H
    return float(1 / (1 + share(p, size) * (largest - 1)))


def run(p: Params) -> Iterator[State]:
    """Take steps with every batch size, side by side, each from the same start with batches of its own."""
    x, y = examples(p)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    minimum = best, float(np.mean((x @ best - y) ** 2))
    each = 2 * (x @ START - y)[:, None] * x
    noise = np.stack([measure(p, each), [sqrt(each.var(axis=0).sum() * share(p, size)) for size in MEASURED]])
    noise_of = dict(zip(MEASURED, noise[0].tolist(), strict=True)) | {N: 0.0}

    batches = [batches_of(p, size, np.random.default_rng([p.seed, size])) for size in p.sizes]
    others = batches_of(p, p.sizes[0], np.random.default_rng([p.seed, N + 2]))
    w = np.tile(START, (len(p.sizes), 1))
    before, g = w, np.zeros_like(w)
    squares = np.empty((p.steps + 1, len(w)))  # of the distances to the minimum
    gone = [0] * len(w)  # the step at which each has diverged, 0 if it has not
    path, film = [], set(kept(p.steps))
    for step in range(p.steps + 1):
        if step:
            eta = eta_at(p, step)
            before, w = w, w.copy()
            for i, batch in enumerate(batches):
                if gone[i] or step > p.stops[i]:
                    continue
                at = next(batch)
                g[i] = gradient(x[at], y[at], w[i])
                w[i] -= eta * g[i]
                if np.abs(w[i]).max() > HUGE:
                    gone[i] = step
        squares[step] = ((w - best) ** 2).sum(axis=1)
        path.append(w)
        if step not in film and not all(gone):
            continue

        ends = [min(end or step, step, stop) for end, stop in zip(gone, p.stops, strict=True)]  # steps taken
        clouds = np.array([sqrt(squares[quarter(end) : end + 1, i].mean()) for i, end in enumerate(ends)])
        losses = np.mean((x @ w.T - y[:, None]) ** 2, axis=0)
        ahead = np.array([next(others) for _ in range(OTHERS)])
        off = x[ahead] @ w[0] - y[ahead]  # (OTHERS, B)
        fan = w[0] - eta_at(p, min(step + 1, p.steps)) * 2 * (off[..., None] * x[ahead]).mean(axis=1)
        state = State(
            step, float(losses[0]), float(clouds[0]), ends[0] * p.sizes[0], noise_of[p.sizes[0]],
            eta_at(p, max(step, 1)), "", np.array(path), losses, clouds, fan, noise, minimum,
        )  # fmt: skip
        said = sentence(p, state, (x, y), before, g, gone) if step else beginning(p, state, x)
        yield state._replace(note=" ".join(filter(None, [said, farewell(p, x, w, gone)])))
        if all(gone):
            return
        path = []


def quarter(step: int) -> int:
    """The first step of the last quarter of the steps up to this one."""
    return step - max(1, step // 4) + 1


def beginning(p: Params, now: State, x: np.ndarray) -> str:
    """The note of step 0: the noise of a batch and of one four times its size."""
    i = MEASURED.index(min(p.sizes[0], MEASURED[-2]))
    small, large = now.noise[0, i : i + 2]
    said = (
        f"Start: over many draws the gradient of {counted(MEASURED[i], 'example')} is off by {number(small)} (RMS), "
        f"that of {MEASURED[i + 1]} by {number(large)}: four times the batch divides the noise by {small / large:.2f}."
    )
    most = {NAMES[b]: limit(p, x, size) for b, size in zip(p.batches, p.sizes, strict=True)}
    unstable = [f"{number(rate)} for {name}" for name, rate in most.items() if p.rate > rate]
    return f"{said} η = {number(p.rate)} is above the largest stable rate, {', '.join(unstable)}." if unstable else said


def sentence(p: Params, now: State, data: tuple, before: np.ndarray, g: np.ndarray, gone: list[int]) -> str:
    """The step of the smallest batch that still takes steps, against the step that all examples would have taken."""
    step = now.step
    i = next((i for i, stop in enumerate(p.stops) if not gone[i] and step <= stop), None)
    if i is None:
        return f"Step {step}: none is left that takes steps."
    said = f"Step {step}, {NAMES[p.batches[i]]}: gradient {vector(g[i])}"
    if p.sizes[i] < N:
        full = gradient(*data, before[i])
        off, uphill = float(np.linalg.norm(g[i] - full)), " and uphill" if g[i] @ full < 0 else ""
        said += f" against {vector(full)} of all, off by {number(off)}{uphill}"
    since = quarter(step)
    return (
        f"{said}; w = {vector(before[i])} − {number(now.eta)} · {vector(g[i])} = {vector(now.path[-1, i])}. "
        f"RMS distance from the minimum in {f'steps {since} to' if since < step else 'step'} {step}: "
        f"{number(now.clouds[i])}; {counted(step * p.sizes[i], 'example')} used."
    )


def farewell(p: Params, x: np.ndarray, w: np.ndarray, gone: list[int]) -> str:
    """Which batch sizes have diverged, where, and up to which rate they would not have."""
    said = []
    for b, size, (w1, w2), at in zip(p.batches, p.sizes, w, gone, strict=True):
        if at:
            where = f"w₁ = {number(w1)}" if abs(w1) > abs(w2) else f"w₂ = {number(w2)}"
            said.append(f"{NAMES[b]} at step {at} ({where}; stable up to η = {number(limit(p, x, size))})")
    return f"Diverged: {'; '.join(said)}.{' Lower η or take larger batches.' * all(gone)}" if said else ""


PRESETS = (
    works("A falling rate", "Large steps come near the minimum, and as they shrink the noise of single examples "
          "shrinks with them.", {"cloud": "<= 0.6"}, batches=("1", "all"), schedule="cosine"),
    works("Examples that all agree", "Without noise in the data every example has the same minimum, so even batches of "
          "one come to rest there.", {"cloud": "<= 1e-6"}, batches=("1", "all"), noise=0.0),
    fails("One example, constant rate", "Each example pulls towards its own answer, so at a constant rate the weights "
          "jitter around the minimum for ever.", {"cloud": ">= 0.8"}, batches=("1", "all")),
    fails("One example, rate too large", "The full gradient arrives at this rate, but single examples are steeper than "
          "their mean and throw the weights out.", {"loss": ">= 1e6"}, batches=("1", "all"), rate=0.95),
)  # fmt: skip

COLOURS = {b: i for i, b in enumerate(("1", "16", "all", "4", "64", "256"))}  # places in SERIES
BELOW, ABOVE = 4.8, 3.6  # the picture shows the weights from so far below the minimum to so far above it
TAIL = 10  # steps of the line behind each point
STILL = {"hoverinfo": "skip", "showlegend": False}


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Every w there was, with a ring per cloud; the noise by batch size; the loss by step and by examples used."""
    state, (best, least) = states[now], states[0].minimum
    path = np.concatenate([s.path for s in states])  # (steps, batch sizes, 2)
    steps = np.array([s.step for s in states])
    start, reach = states[0].losses[0] - least, (1e-5, 1e5)  # what a log axis and float32 can take
    each = np.clip([s.losses - least for s in states], *np.multiply(reach, start))
    # Over the last quarter of the steps: as x is standardized, the loss is its minimum + |w - w*|^2.
    mean = np.clip([s.clouds**2 for s in states], *np.multiply(reach, start))
    by_loss = log_axis(np.append(each, mean), 0.1, 3e-4 * start, 1e3 * start)
    most = max(stop * size for stop, size in zip(p.stops, p.sizes, strict=True))
    square = [{"range": [b - BELOW, b + ABOVE], "nticks": 6} for b in best.tolist()]
    by_size = {"tickvals": [*MEASURED, N], "ticktext": [*MEASURED, f"{N:,}"], "title": "batch size B"}
    by_size, by_noise = log_axis([1, N], 0.1) | by_size, log_axis(state.noise[1, 0] / [1, 50], 0.2)
    fig = figure(
        600,
        Panel((0, 0.53, 0.38, 1), 330, "Slope w₁ and intercept w₂ on the loss", *square, square=True),
        Panel((0, 0.46, 0, 0.25), 170, "Loss − minimum, by step", {"range": [0, p.steps], "nticks": 5}, by_loss),
        Panel((0.54, 1, 0, 0.25), 170, "by examples used", log_axis([1, most], 0.05), by_loss),
        Panel((0.64, 1, 0.42, 1), 220, "RMS gradient noise at the start", by_size, by_noise),
    )
    shapes = fig["layout"]["shapes"]
    shapes += [
        ring(best, radius, FAINT) for radius in range(1, 8)
    ]  # contours: the loss is 1, 4, 9, … above its minimum
    fig["data"] += noises(fig, p, state)
    for i, (b, size, stop) in enumerate(zip(p.batches, p.sizes, p.stops, strict=True)):
        colour, name, way = SERIES[COLOURS[b]], NAMES[b], within(path[: stop + 1, i], best)
        taken, here = np.unique(np.minimum(steps, stop)), min(state.step, stop)
        raw, smooth, used = each[: len(taken), i], mean[: len(taken), i], np.maximum(1, taken * size)
        small, faint = {"size": 4, "line": {"width": 0}}, {"line": {"width": 1}, "opacity": 0.4}
        held = {"line": {"shape": "hv"}, "showlegend": False}  # while a batch is being read, w stays
        fig["data"] += [
            points(1, *way.T, name, colour, marker=small, opacity=0.5, **STILL),
            lines(2, taken, raw, name, colour, **faint, **STILL),
            lines(2, taken, smooth, name, colour, hovertemplate="%{y:.3g} at step %{x}"),
            lines(3, used, smooth, name, colour, hovertemplate="%{y:.3g} after %{x:,}", **held),
        ]
        shapes += [
            polyline(1, *way[max(0, here - TAIL) : here + 1].T, colour, 1.5),
            ring(best, state.clouds[i], colour, 1.5, "dash"),
            dot(1, *way[here], colour),
            rule(3, max(1, here * size), colour),
        ]
    if np.abs(path[state.step, 0] - best).max() < BELOW:
        shapes += [segment(1, path[state.step, 0], end, INK, 1, opacity=0.6) for end in within(state.fan, best)]
    shapes += [rule(2, state.step), rule(3, N, MUTED, "dot")]
    fig["chips"] = boxes(p, state)
    legend(fig, len(p.batches))
    return fig


def ring(middle: np.ndarray, radius: float, colour: str, width: float = 1, dash: str = "solid") -> dict:
    sides = np.clip([-radius, radius], -3 * BELOW, 3 * BELOW)
    line = {"color": colour, "width": width, "dash": dash}
    return box(1, middle[0] + sides, middle[1] + sides, colour) | {"type": "circle", "line": line}


def within(path: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Path of shape (steps, 2), with what is far outside of the picture moved to a place not so far outside."""
    away = path - best
    return best + away / np.maximum(1, np.abs(away).max(axis=1, keepdims=True) / (3 * BELOW))


def noises(fig: Figure, p: Params, state: State) -> list[dict]:
    """The noise by batch size, measured, and lines through that of one example, which get their names in the figure."""
    size = np.union1d(np.geomspace(1, N, 31), N - np.geomspace(1, N - 1, 31))  # dense at both ends
    one = state.noise[1, 0]
    laws = [("1/B", one / size, MUTED, "dot"), ("1/√B", one / np.sqrt(size), INK, "solid")]
    fig["layout"]["annotations"] += [
        label(4, log10(12), log10(one / 12), "1/B", xanchor="right", yanchor="top"),
        label(4, log10(90), log10(one / sqrt(90)), "1/√B", INK, xanchor="left", yanchor="bottom"),
        label(3, log10(N), 0, "1 epoch", yref="y3 domain", xanchor="right", yanchor="bottom"),
    ]
    if not p.replace:
        bent = [one * sqrt(share(p, b)) or np.nan for b in size]
        laws.append(("without replacement", bent, INK, "dash"))
        place = {"yref": "y4 domain", "xanchor": "right", "yanchor": "top"}
        fig["layout"]["annotations"].append(label(4, log10(N), 1, "┄ without<br>replacement", INK, **place))
    own = {size: SERIES[COLOURS[b]] for b, size in zip(p.batches, p.sizes, strict=True)}
    look = {"marker": {"size": 11}, "showlegend": False, "hovertemplate": "%{y:.3g} for batch %{x}"}
    traces = [lines(4, size, y, name, c, line={"width": 1.5, "dash": dash}, **STILL) for name, y, c, dash in laws]
    return [*traces, points(4, MEASURED, state.noise[0], "measured", [own.get(b, MUTED) for b in MEASURED], **look)]


def boxes(p: Params, state: State) -> list[dict]:
    """Per batch size, examples used and the cloud that they have bought; per measured size, the noise and its ratio."""
    used = [f"{min(state.step, stop) * size:,}" for size, stop in zip(p.sizes, p.stops, strict=True)]
    bought = [f"{NAMES[b]}: cloud {number(cloud)}" for b, cloud in zip(p.batches, state.clouds, strict=True)]
    cost = "Examples used so far. Cloud: RMS distance from the minimum over the last quarter of the steps"
    rms = state.noise[0].tolist()
    fell = [f"batch {b}{f': ÷ {a / n:.2f}' if a else ''}" for b, a, n in zip(MEASURED, [0, *rms], rms, strict=False)]
    own = [COLOURS[str(b)] if str(b) in p.batches else None for b in MEASURED]
    each = "RMS gradient noise at the start. Each batch is 4 times the one before"
    return [chips(cost, used, [COLOURS[b] for b in p.batches], bought), chips(each, [*map(number, rms)], own, fell)]
