"""The nets themselves: a row of layers for what goes up, one for what comes back, as full of colour as it is large."""

from collections.abc import Sequence

import numpy as np

from playgrounds.depth_signal.model import Params, State
from playgrounds.kit import axes
from playgrounds.kit.palette import FAINT, INK, PAPER
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

SHOWN = 4  # compared nets that are drawn, at most
DECADES = 6  # between full colour and none
PLAIN = 3  # so many nets have a colour of the scale of classes, a fourth is grey


def bands(p: Params) -> list[str]:
    """What a net has a row of layers for."""
    return ["signal →", "← gradient"] + ["W changed"] * p.trains


def draw_stack(pic: Picture, p: Params, state: State, called: Sequence[str], colours: Sequence[str]) -> Panel:
    """Every layer of every net as a box; `called` and `colours` are the nets' names and colours."""
    shown = min(SHOWN, len(p.compared))
    rows = bands(p)
    tall = len(rows) + 1  # with the net's name above its rows
    places = [-(i * tall + row + 1) for i in range(shown) for row in range(len(rows))]
    upwards = axes.ticked(0.5 - shown * tall, 0.5, places, rows * shown) | {"showgrid": False}
    right = p.depth + 0.5 + 0.14 * (p.depth + 1)  # the numbers at the ends of the rows stand there
    layers = [k for k in range(p.depth + 1) if k % max(1, p.depth // 10) == 0]
    across = axes.ticked(-0.5, right, layers, title="layer") | {"showgrid": False}
    title = "What is left in each layer"
    panel = pic.panel("layers", title, across, upwards, hero=True, tall=20 + 24 * shown * tall)
    pic.on_phone(panel, x={"range": [-0.5, p.depth + 0.5 + 0.35 * (p.depth + 1)]})
    for i in range(shown):
        top = -i * tall
        panel.text(-0.5, top - 0.1, called[i], colours[i], place="right")
        for row, values in enumerate(sizes(p, state, i)):
            draw_layers(panel, values, top - row - 1, colour_number(p, i), row > 0)
            panel.text(p.depth + 0.7, top - row - 1, latest(values, row == 0), INK, place="right")
    at = reached(p, state)
    if at is not None:
        layer, row = at
        for i in range(shown):
            draw_frame(panel, layer, -i * tall - row - 1)
    return panel


def colour_number(p: Params, i: int) -> int:
    return i % len(p.activation) if len(p.activation) > 1 else i


def sizes(p: Params, state: State, i: int) -> list[np.ndarray]:
    """What is shown of net i in its layers 0, 1, …, a row each; nan where it is not known or not there."""
    signal, gradient, moved = (np.full(p.depth + 1, np.nan) for _ in range(3))
    known = np.median(state.signal[i], axis=0)
    signal[: len(known)] = known
    if state.gradients[i, -1] > 0:
        gradient[1:] = state.gradients[i] / state.gradients[i, -1]
    moved[1:] = state.moved[i]
    return [signal, gradient, moved] if p.trains else [signal, gradient]


def latest(values: np.ndarray, upwards: bool) -> str:
    """The number where the row has arrived: on top for what goes up, else in the lowest layer reached."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return ""
    return number(known[-1 if upwards else 0], 2)


def draw_layers(panel: Panel, values: np.ndarray, y: float, colour: int, of_weights: bool) -> None:
    """A box per layer; `of_weights`: the inputs, layer 0, have none."""
    fullness = np.clip(1 + np.log10(np.clip(values, 1e-30, 1)) / DECADES, 0, 0.99)
    ends = (-0.5, len(values) - 0.5), (y - 0.36, y + 0.36)
    if colour < PLAIN:
        panel.field(np.where(np.isnan(fullness), 0, colour + fullness)[None], *ends, scale="classes", smooth=False)
    else:
        panel.field(fullness[None], *ends, scale="sequential", smooth=False)
    gaps = [rectangle(k - 0.58, k - 0.42, y, 0.4) for k in range(len(values) + 1)]
    panel.strokes(gaps, PAPER, 1, fill=PAPER)
    first = 1 if of_weights else 0
    if of_weights:
        panel.cover((-0.6, 0.5), (y - 0.4, y + 0.4), opacity=1)
    panel.strokes([rectangle(k - 0.42, k + 0.42, y, 0.36) for k in range(first, len(values))], FAINT, 1)


def rectangle(left: float, right: float, y: float, half: float) -> list[tuple[float, float]]:
    low, high = y - half, y + half
    return [(left, low), (right, low), (right, high), (left, high), (left, low)]


def draw_frame(panel: Panel, layer: int, y: float) -> None:
    panel.frame((layer - 0.42, layer + 0.42), (y - 0.36, y + 0.36), INK, 2)


def reached(p: Params, state: State) -> tuple[int, int] | None:
    """The layer in which the run is, and the row of the pass: 0 up, 1 down; None in training."""
    if state.step <= p.depth:
        return state.step, 0
    if state.step <= 2 * p.depth:
        return 2 * p.depth + 1 - state.step, 1
    return None
