"""How signal and gradient in deep nets are told and drawn."""

from collections.abc import Callable, Sequence

import numpy as np

from playgrounds.depth_signal import model
from playgrounds.depth_signal.model import Down, Kind, Params, State, Trained, Up
from playgrounds.depth_signal.theory import theory
from playgrounds.kit import axes, fails, works
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

PRESETS = (
    works(
        "He through 50 layers",
        "Twice the variance makes up for the half that ReLU cuts off, at any depth.",
        {"smallest_signal": ">= 0.3"},
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

SHOWN, LEAST, MOST = 4, 1e-37, 1e37  # how many histograms at most; between which numbers axes end


def initialization(kind: Kind) -> str:
    return f"{number(kind.gain)} × {kind.init}" if kind.gain != 1 else kind.init


def names(p: Params) -> list[str]:
    return [f"{kind.activation} + {initialization(kind)}" for kind in p.compared]


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


def note_up(p: Params, state: State, passed: Up) -> str:
    """Of the first compared net: what weights and activation have multiplied the mean square by."""
    activation = p.activation[0]
    said = [number(one) for one in np.median(state.signal[:, :, -1], axis=1)]
    zeros = f" (0 for {passed.zeros:.0%} of the values)"
    spread = f" (it differs by {number(passed.spread)} between examples)"
    what = {"ReLU": zeros, "sigmoid": spread}.get(activation, "")
    return (
        f"Layer {state.step}, {names(p)[0]}: mean square of the activations {said[0]}. The weights multiplied that of "
        f"layer {state.step - 1} by {number(passed.by_weights)}, {activation}{what} by "
        f"{number(passed.by_activation)}.{others(p, said)}"
    )


def note_down(p: Params, state: State, passed: Down) -> str:
    """Of the first compared net: the gradient in this layer, beside the last layer's and the one above."""
    layer, gradients = passed.layer, state.gradients
    size = f"Back in layer {layer}, {names(p)[0]}: {p.gradient} is {number(gradients[0, layer - 1])} in size"
    if layer == p.depth:
        return f"{size}, at a loss of {number(state.losses[0])}. The layers below are compared with this one."
    ratios = [number(one) for one in gradients[:, layer - 1] / np.maximum(gradients[:, -1], model.TINY)]
    via = (
        f" Weights and slopes of size {number(passed.slope)} have multiplied the error dL/dz of layer {layer + 1} by "
        f"{number(passed.factor)}."
    )
    if layer == 1 and p.train and not p.trains:
        via = f" Not trained: {p.weights:,} weights are more than {model.MOST_WEIGHTS:,}. Take fewer units or layers."
    return f"{size}, {ratios[0]} of the last layer's.{via}{others(p, ratios)}"


def note_training(p: Params, state: State, done: Trained) -> str:
    """Of the first compared net: loss, accuracy and how far its first and last layer have moved."""
    if done.diverged:
        return (
            f"Training step {done.steps}: a loss or a weight is no longer a finite number, the run diverged. "
            f"η = {p.rate:g} is too large: choose a smaller one."
        )
    moved = [number(by) for by in state.moved[:, 0]]
    said = [f"loss {number(loss)}, layer 1 by {by}" for loss, by in zip(state.losses, moved, strict=True)]
    return (
        f"Training step {done.steps}, {names(p)[0]}: loss {number(state.losses[0])}, {done.right[0]:.0%} of the "
        f"examples right; layer 1 has moved by {moved[0]} of its size, layer {p.depth} by {number(state.moved[0, -1])}."
        f"{others(p, said)}"
    )


def others(p: Params, said: list[str]) -> str:
    """What is said of the compared nets, the first left out, as one more sentence."""
    texts = [f"{name}: {text}" for name, text in zip(names(p), said, strict=True)][1:]
    return f" By comparison, {'; '.join(texts)}." if texts else ""


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Signal, gradient and movement by layer: the whole run pale, up to now bold. Loss by step; histograms of h."""
    state, end, depth = states[now], states[-1], p.depth
    expected = np.array([theory(p, kind) for kind in p.compared])
    hists = [f"h{i}" for i in range(min(SHOWN, len(p.compared)))]
    rows = ("signal gradient", "moved loss") if p.trains else ("signal gradient",)
    pic = Picture(460 if p.trains else 340, *rows, details=(" ".join(hists),))

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

    for i, name in enumerate(hists):
        kind = p.compared[i]
        panel = pic.panel(name, f"h: {names(p)[i]}", layers, axes.span(*model.RANGES[kind.activation], ticks=4))
        ends = (-0.5, depth + 0.5), model.RANGES[kind.activation]
        panel.field(state.histograms[i].T, *ends, scale="sequential", smooth=False)
    return pic


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
