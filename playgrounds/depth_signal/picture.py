"""How signal and gradient in deep nets are told and drawn."""

from collections.abc import Callable, Sequence

import numpy as np

from playgrounds.depth_signal import model
from playgrounds.depth_signal.diagram import SHOWN, draw_stack
from playgrounds.depth_signal.model import Down, Params, State, Trained, Up
from playgrounds.depth_signal.theory import theory
from playgrounds.depth_signal.words import initialization, names, note_down, note_training, note_up
from playgrounds.kit import axes, fails, works
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

PRESETS = (
    works(
        "He through 50 layers",
        "Twice the variance makes up for the half that ReLU cuts off: the signal keeps its order of magnitude.",
        {"smallest_signal": ">= 0.1", "largest_signal": "<= 10"},
        depth=50,
        versus="none",
    ),
    works(
        "Tanh with a gain",
        "A gain of 1.7 makes up for the flat ends of tanh.",
        {"smallest_signal": ">= 0.2"},
        activation=("tanh",),
        init="Xavier",
        versus="none",
        gain=1.7,
    ),
    fails(
        "Xavier under ReLU",
        "Half of the signal is lost in every layer, a millionth is left after twenty.",
        {"smallest_signal": "<= 1e-4"},
        init="Xavier",
        versus="none",
    ),
    fails(
        "Sigmoid, ten layers",
        "The first layer gets less than a ten-thousandth of the gradient of the last.",
        {"gradient_ratio": "<= 1e-4"},
        activation=("sigmoid",),
        init="Xavier",
        versus="none",
        depth=10,
    ),
    fails(
        "Weights too large",
        "With a standard deviation of 1 the signal explodes.",
        {"largest_signal": ">= 1e30"},
        init="chosen",
        versus="none",
        sd=1.0,
    ),
)

LEAST, MOST = 1e-37, 1e37  # between which numbers axes end


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What has happened in this layer or at this step of training."""
    state = states[now]
    if state.passed is None:
        return (
            f"The inputs: {model.EXAMPLES} examples of {p.width} normal numbers, mean square "
            f"{number(state.signal[0, 0, 0])}. Above are {p.depth} layers, the last of {p.widths[-1]} units."
        )
    notes: dict[type, Callable[..., str]] = {Up: note_up, Down: note_down, Trained: note_training}
    return notes[type(state.passed)](p, state, state.passed)


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The layers of every net, how full of signal and gradient they are; the same as curves; histograms of h."""
    state, end, depth = states[now], states[-1], p.depth
    expected = np.array([theory(p, kind) for kind in p.compared])
    pic = framed(p)
    draw_stack(pic, p, state, called(p), [look(p, i)[0] for i in range(len(p.compared))])

    layers = axes.span(-0.5, depth + 0.5, "layer", 6)
    title = f"Size of {p.gradient}, untrained" if p.trains else f"Size of {p.gradient}"
    signal = pic.panel("signal", "Mean h²", layers, axis(end.signal, expected))
    gradient = pic.panel("gradient", title, layers, axis(end.gradients))
    curves = [(signal, np.arange(depth + 1), np.median(end.signal, axis=1), np.median(state.signal, axis=1))]
    curves.append((gradient, np.arange(1, depth + 1), end.gradients, state.gradients))
    if p.trains:
        begun = states[: 2 * depth + 2][-1].moved  # by the first training step
        moved = pic.panel("moved", "Change of W, as a share", layers, axis(end.moved, begun, lowest=1e-17))
        curves.append((moved, np.arange(1, depth + 1), end.moved, state.moved))
        draw_losses(pic, p, states, now)
    for panel, x, whole, reached in curves:
        for i in range(len(p.compared)):
            draw_curve(panel, x, whole[i], reached[i], *look(p, i))
    for i in range(len(p.compared)):
        signal.curve(np.arange(depth + 1), within(expected[i]), "", MUTED, dash="dot", width=1.5, hover="")
        if p.nets > 1:
            every = np.insert(end.signal[i], 0, np.nan, axis=1)  # nan: the pen is lifted
            x = np.tile(np.arange(every.shape[1]) - 1, p.nets)
            signal.curve(x, within(every.ravel()), "", look(p, i)[0], width=1, hover="", later=True)
    draw_keys(p, signal, gradient)
    if state.step <= depth:
        signal.cursor(state.step)
    elif state.step <= 2 * depth:
        gradient.cursor(2 * depth + 1 - state.step)

    for i, name in enumerate(histograms(p)):
        kind = p.compared[i]
        panel = pic.panel(name, f"h: {names(p)[i]}", layers, axes.span(*model.RANGES[kind.activation], ticks=4))
        ends = (-0.5, depth + 0.5), model.RANGES[kind.activation]
        panel.field(state.histograms[i].T, *ends, scale="sequential", smooth=False)
    return pic


def framed(p: Params) -> Picture:
    """The layout: with training the loss is beside the gradient, and the curve of the signal is a detail."""
    hists = histograms(p)
    tall = ["layers layers"] * 3
    if not p.trains:
        return Picture(480, *tall, *["signal gradient"] * 2, details=(" ".join(hists),))
    halves = " ".join(name for name in ("signal", "moved") for _ in hists)
    return Picture(490, *tall, *["gradient loss"] * 2, details=(halves, " ".join(f"{name} {name}" for name in hists)))


def histograms(p: Params) -> list[str]:
    return [f"h{i}" for i in range(min(SHOWN, len(p.compared)))]


def called(p: Params) -> list[str]:
    """Names of the nets as short as they may be: what is common to all of them stands in the knobs."""
    if len(p.activation) == 1 and len(p.compared) > 1:
        return [f"{initialization(kind)} initialization" for kind in p.compared]
    return names(p)


def look(p: Params, i: int) -> tuple[str, str]:
    """Colour and dash of a compared net: several activations have a colour each, else the initializations have."""
    n = len(p.activation)
    return (SERIES[i], "solid") if n == 1 else (SERIES[i % n], "dash" if i >= n else "solid")


def draw_curve(panel: Panel, x: np.ndarray, whole: np.ndarray, reached: np.ndarray, colour: str, dash: str) -> None:
    """A curve by layer, pale as far as the run has gone and bold as far as the film has."""
    hover = "%{y:.3g} in layer %{x}"
    panel.curve(x[: len(whole)], within(whole), "", colour, dash=dash, opacity=0.35, hover=hover, later=True)
    there = np.flatnonzero(~np.isnan(reached))
    if len(there):
        panel.path(x[there], within(reached[there]), colour, dash=dash)


def draw_keys(p: Params, signal: Panel, gradient: Panel) -> None:
    """Which colour and which dash belong to what."""
    if len(p.activation) == 1:
        for i, name in enumerate(names(p)):
            signal.key("━", name, look(p, i)[0])
    else:
        for i, activation in enumerate(p.activation):
            signal.key("━", activation, look(p, i)[0])
        for i in range(0, len(p.compared), len(p.activation)):
            gradient.key("╍" if i else "━", initialization(p.compared[i]), INK)
    signal.key("┄", "theory", MUTED)


def draw_losses(pic: Picture, p: Params, states: Sequence[State], now: int) -> None:
    """The loss of every net by training step."""
    losses = np.array([s.losses for s in states[2 * p.depth :]]).reshape(-1, len(p.compared))
    upwards = axes.loss([*losses.ravel(), model.GUESS])
    panel = pic.panel("loss", "Loss by training step", axes.steps(max(1, p.train)), upwards)
    for i in range(len(p.compared)):
        colour, dash = look(p, i)
        panel.curve(np.arange(len(losses)), losses[:, i], "", colour, dash=dash, hover="")
    panel.level(model.GUESS, name="base rate")
    pic.cursor(max(0, states[now].step - 2 * p.depth), panel)


def within(values: np.ndarray) -> np.ndarray:
    return np.clip(values, LEAST, MOST)  # what a log axis can take


def axis(*values: np.ndarray, lowest: float = LEAST) -> dict:
    return axes.log(np.concatenate([one.ravel() for one in values]), "", 0.2, lowest, MOST)
