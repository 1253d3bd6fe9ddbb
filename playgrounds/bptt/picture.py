"""How the way back through time is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.bptt.model import LARGEST, TINY, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import Axis, bare, log, span
from playgrounds.kit.palette import FAINT, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number, subscript

PRESETS = (
    works(
        "Held at w = 1",
        "Every factor is 1, so the gradient arrives at the first step as it left the last.",
        {"gradient": "== 1", "dw": "== 50"},
        w=1.0,
    ),
    fails(
        "Exploding, w = 1.1",
        "Fifty factors of 1.1 make more than a hundred: a tenth above 1 is enough to explode.",
        {"gradient": "> 100"},
        w=1.1,
    ),
)

FEW = 20  # steps up to which arrows and discs can be told apart
FULL, CUT = ORANGE, SERIES[2]
WIDE, TALL = 0.7, 1.0  # of a box; the picture of the net is from −1 to 1
HIGHEST, THINNEST = 0.65, 0.006  # half the ribbon's height
LEAST, MOST = 1e-35, 1e35  # what a log axis can take


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What this step back has multiplied the gradient by, and what it adds to the weight's."""
    state, t, last = states[now], p.T - states[now].step, states[now].step == p.T
    if state.step == 0:
        return opening(p, state)
    if t < p.stop and not last:
        return (
            f"Beyond the cut: truncated backpropagation went {p.cut} steps and stopped at h_{p.stop}. Nothing arrives "
            f"at h_{t}, where the full gradient has size {number(state.gradient)}; "
            f"dL/dw stays at {number(state.summed)}."
        )
    said = f"Back at h_{t}: {factor(p, state)}"
    if not last:
        added = f"{number(round(100 * state.shares[-1], 1))} %"
        return f"{said}. Step {t + 1} adds {added} of the whole dL/dw; the sum so far is {number(state.summed)}."
    closed = f" = w^{p.T}" if p.units == 1 and p.activation == "linear" else ""
    if p.stop:
        parts = f"{number(state.summed)} instead of {number(state.whole)}"
        missed = f"off by {number(round(100 * state.missed, 1))} %"
        return f"{said}{closed}. The cut after {p.cut} steps let nothing so far back: dL/dw is {parts}, {missed}."
    fate = "vanished" if state.gradient < 0.1 else "exploded" if state.gradient > 10 else "kept its size about"
    product = f"T·w^{p.T - 1} = " if closed and p.inputs == "only h₀" else ""
    return f"{said}{closed}: over {p.T} steps it has {fate}. In sum dL/dw = {product}{number(state.summed)}."


def opening(p: Params, state: State) -> str:
    """What the way back starts with."""
    end = f"L is one direction of h_{p.T}"
    by = f"Wᵀ of spectral radius {number(abs(p.w))}"
    if p.units == 1:
        end = f"h_{p.T} = {number(state.h[-1, 0])} and L = h_{p.T}"
        by = f"w = {number(p.w)}"
    slope = " and the slope of tanh there" if p.activation == "tanh" else ""
    return f"Forward is done: {end}, so the gradient starts with size 1. Each step back multiplies it by {by}{slope}."


def factor(p: Params, state: State) -> str:
    """This step's multiplication."""
    t = p.T - state.step
    slope, before, here = state.slopes[t + 1], state.back[-2], state.back[-1]
    if p.units == 1:
        slopes = f" · {number(slope[0])}" if p.activation == "tanh" else ""
        return f"∂h_{p.T}/∂h_{t} = {number(p.w)}{slopes} · {number(before[0])} = {number(here[0])}"
    ratio = state.gradient / max(float(np.linalg.norm(before)), TINY)
    slopes = f", slopes of tanh {number(slope.mean())} on average" if p.activation == "tanh" else ""
    return f"the gradient has size {number(state.gradient)}, {number(ratio)} of that at h_{t + 1}{slopes}"


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The unrolled net with the gradient as a ribbon, and what each step adds; on demand sizes, and a sweep over w."""
    state, end = states[now], states[-1]
    t = p.T - np.arange(len(states))  # of every state
    sizes = np.linalg.norm(end.back, axis=1)
    w_to_the = abs(p.w) ** np.arange(p.T + 1.0)
    name = "w" if p.units == 1 else "W"
    time = span(-0.08 * p.T, 1.06 * p.T + 0.5, ticks=6)
    named_time = time | {"title": "time step t"}
    percent = 100 * end.shares

    pic = Picture(440, *5 * ["net"], *4 * ["added"], details=["size sweep"], detail_height=240)
    bare_time = time | {"showgrid": False}
    net = pic.panel("net", f"The same {name} at every step", bare_time, bare(-1, 1), tall=200)
    added = pic.panel("added", f"What step t adds to dL/d{name}, %", named_time, around(percent), tall=140)
    size = pic.panel("size", "Size of ∂h_T/∂h_t", named_time, decades([*sizes, *w_to_the]))
    radius = "|w|" if p.units == 1 else "spectral radius of W"
    title = f"Size of the gradient for every {'w' if p.units == 1 else 'radius'}"
    sweep = pic.panel("sweep", title, span(0, LARGEST, radius), decades(end.sweep, 1e-12, 1e12))

    faint = {"opacity": 0.35, "width": 2, "later": True}
    there = t[: now + 1][t[: now + 1] >= p.stop]  # where the truncated gradient has arrived
    colour = CUT if p.stop else FULL
    draw_states(net, p, state, colour)
    size.curve(t, within(sizes), colour=FULL, hover="%{y:.3g} at t = %{x}", **faint)
    size.curve(p.T - np.arange(p.T + 1), within(w_to_the), "|w|^(T − t)", MUTED, dash="dot", width=1.5, hover="")
    added.bars(t[1:] + 1, percent, FULL, opacity=0.35, hover="%{y:.3g} % from step %{x}", later=True)
    sweep.curve(end.rates, within(end.sweep), colour=FULL, hover="%{y:.3g} for |w| = %{x:.2f}", **faint)

    ribbon(net, there, sizes[: len(there)] * scale(sizes), colour)
    net.key("▬", "gradient", colour)
    told = arrived(p, state, sizes[len(there) - 1])
    near = p.T / 5  # to an end: a text around the front would leave the panel
    place = "right" if there[-1] < near else "left" if there[-1] > p.T - near else "center"
    net.text(there[-1], 0.82, told, colour, 15, place)
    size.path(there, within(sizes[: len(there)]), colour, 3)
    comb(added, there[1:] + 1, percent[: len(there) - 1], colour)
    sweep.path(state.rates, within(state.sweep), FULL, 3)
    sweep.cursor(abs(p.w))
    sweep.cursor(1, MUTED, "dot")
    for panel in (net, added, size):  # it goes backwards in time: what is to come lies left of it
        if panel is not net:
            panel.cursor(p.T - state.step)
        if p.stop:
            panel.cursor(p.stop - 0.5, CUT, "dash")
    if p.stop:
        net.key("╍", "cut", CUT)
    return pic


def draw_states(net: Panel, p: Params, state: State, colour: str) -> None:
    """A box for every state, in colour once the gradient is there, and in it a disc, the stronger the larger the state;
    pointing tells the arithmetic of its factor."""
    norms = np.linalg.norm(state.h, axis=1)
    few = p.T <= FEW
    shown = (0.25 + 0.75 * norms / max(float(norms.max()), TINY)) * few
    marker = {"opacity": shown.round(2).tolist()}
    texts = [arithmetic(p, state, t) for t in range(p.T + 1)]
    places = np.arange(p.T + 1.0)
    front = max(p.T - state.step, p.stop)
    net.boxes(places[places < front], 0, WIDE, TALL, MUTED if few else FAINT, 1)
    starts, ends = places + WIDE / 2, np.append(places[1:] - WIDE / 2, 1.035 * p.T + 0.4)
    handed = np.stack([starts, ends], axis=1)[0 if few else -1 :]
    net.arrows(at_zero(handed[:, 0]), at_zero(handed[:, 1]), MUTED, 1.5, (0.01 * p.T, 0.12))
    net.points(places, 0 * places, size=float(np.clip(160 / p.T, 4, 12)), marker=marker, hovers=texts)
    net.boxes(places[places >= front], 0, WIDE, TALL, colour, 2 if few else 1)
    net.mark(-0.45 - 0.01 * p.T, 0, "h<sub>0</sub>", INK, xanchor="right")
    net.mark(1.045 * p.T + 0.4, 0, "L", INK, xanchor="left")
    net.text(front, -0.85, f"h{subscript(front)}", MUTED)


def at_zero(x: np.ndarray) -> np.ndarray:
    """Points of shape (n, 2) on the net's middle line."""
    return np.stack([x, 0 * x], axis=1)


def arrived(p: Params, state: State, size: float) -> str:
    """What stands above the gradient's front: its size, with the last factor if that is a number."""
    factor = p.units == 1 and p.activation == "linear" and 0 < state.step <= p.T - p.stop
    return f"× {number(abs(p.w))} = {number(size)}" if factor else number(size)


def arithmetic(p: Params, state: State, t: int) -> str:
    """State t, and how its gradient came about."""
    k = p.T - t
    scalar = p.units == 1
    value = number(state.h[t, 0]) if scalar else f"size {number(np.linalg.norm(state.h[t]))}"
    text = f"h<sub>{t}</sub>: {value}"
    if k >= len(state.back):
        return text
    if k and scalar:
        factors = f"{number(p.w)} · {number(state.slopes[t + 1, 0])} · {number(state.back[k - 1, 0])}"
        return f"{text}<br>w · f′ · (gradient at {t + 1}) = {factors} = {number(state.back[k, 0])}"
    return f"{text}<br>gradient of size {number(np.linalg.norm(state.back[k]))}"


def ribbon(net: Panel, t: np.ndarray, half: np.ndarray, colour: str) -> None:
    """The gradient from the end back to here, as thick as it is large."""
    t = np.array([t[0] + WIDE / 2, *t[1:], t[-1] - WIDE / 2])
    half = np.maximum(np.array([half[0], *half[1:], half[-1]]), THINNEST)
    corners = np.array([[*t, *t[::-1]], [*half, *-half[::-1]]]).T
    net.shape_of(corners, colour, 0, fill=colour, layer="below", opacity=0.7)


def scale(sizes: np.ndarray) -> float:
    """Half the ribbon's height where the gradient is 1: as high as a box, unless it explodes."""
    return min(TALL / 2, HIGHEST / max(float(sizes.max()), TINY))


def comb(added: Panel, t: np.ndarray, heights: np.ndarray, colour: str) -> None:
    """A bar of width 0.8 for every t, all as one shape."""
    x = np.stack([t - 0.4, t - 0.4, t + 0.4, t + 0.4], axis=1).ravel()
    y = np.stack([0 * heights, heights, heights, 0 * heights], axis=1).ravel()
    added.shape_of(np.array([x, y]).T if len(t) else [(0, 0)], colour, 0, fill=colour)


def around(percent: np.ndarray) -> Axis:
    """From below the smallest, or 0, to above the largest."""
    return span(1.15 * min(0.0, percent.min(initial=0)), 1.15 * max(1.0, percent.max(initial=0)), ticks=4)


def within(values: np.ndarray) -> np.ndarray:
    """What a log axis can take."""
    return np.clip(values, LEAST, MOST)


def decades(values: Sequence[float], lowest: float = 1e-30, highest: float = 1e30) -> Axis:
    return log(np.append(values, 1), "", 0.3, lowest, highest)
