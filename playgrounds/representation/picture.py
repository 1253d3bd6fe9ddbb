"""How probes and the hidden space are told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import share, span, steps
from playgrounds.kit.data import grid
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture, class_colours
from playgrounds.kit.words import number
from playgrounds.representation.model import Params, State, features

PRESETS = (
    works(
        "Four learned features",
        "For most seeds training moves the disc out of its ring in the hidden space until one plane cuts between them.",
        {"hidden_probe": ">= 0.98", "untrained_probe": "<= 0.95"},
        hidden=4,
    ),
    works(
        "Sixteen random features",
        "Nothing in the hidden layer is trained, and a linear probe reads the circles from it all the same.",
        {"hidden_probe": ">= 0.98"},
        hidden=16,
        trained=False,
    ),
    fails(
        "Two units",
        "Two features only fold the plane into another plane, where part of the ring still lies on the disc's side.",
        {"hidden_probe": "<= 0.9"},
        hidden=2,
    ),
    fails(
        "No activation",
        "Linear features are the input seen from another side: what no line separated, no probe separates now.",
        {"hidden_probe": "<= 0.6"},
        activation="identity",
    ),
)

SPAN = 1.3  # the input is shown from -SPAN to SPAN,
REACH = 2.9  # the hidden space to so many standard deviations on both sides
CELLS = grid(40, SPAN)
FINE = np.linspace(-1.2, 1.2, 25)
UPRIGHT = np.array([np.stack([np.full_like(FINE, at), FINE], axis=1) for at in FINE[::4]])
NET = np.concatenate([UPRIGHT, UPRIGHT[..., ::-1]])  # (14 lines, 25 points, 2), which the hidden layer bends
HALF = 0.05  # of a point's square in the hidden space
CORNERS = HALF * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
UNTRAINED, OUTPUT = SERIES[3], SERIES[2]


def percent(share: float) -> str:
    return f"{number(round(100 * share, 1))} %"


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What the probes read at this step."""
    state = states[now]
    before, on_input = percent(state.untrained_probe), percent(state.input_probe)
    if state.step == 0:
        left = round(100 * (1 - state.untrained_probe), 1)
        hope = f"Training can add no more than the missing {number(left)} points to that."
        if p.activation == "identity":
            hope = "Without an activation that layer is a linear map of the input, and training adds nothing to it."
        elif left < 1:
            hope = "These points do not need learned features to be separable."
        return (
            f"Before training: a linear probe on {p.hidden} random {p.activation} units has {before} of "
            f"{state.held_out:,} held-out points right, on the input {on_input}. {hope}"
        )
    net = f"The net itself has {percent(state.net_accuracy)} right, loss {number(state.loss)}"
    if not p.trained:
        return (
            f"Step {state.step}: the hidden layer stays as random as it was, and the linear probe on it at {before}. "
            f"{net}; only its output layer learns."
        )
    gain = round(100 * (state.hidden_probe - state.untrained_probe), 1)
    change = f"{number(abs(gain))} points {'more' if gain > 0 else 'less'} than" if gain else "as much as"
    return (
        f"Step {state.step}: the linear probe on the hidden layer has {percent(state.hidden_probe)} right, {change} "
        f"before training ({before}); on the input it has {on_input}. {net}."
    )


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The hidden space across its probe, the input with the net's output; on demand the accuracies by step."""
    state = states[now]
    pic = Picture(470, "hidden input", details=("right",))
    sigmas = span(-REACH, REACH) | {"showticklabels": False, "showgrid": False}
    across = sigmas | {"title": "across the probe, in standard deviations"}
    hidden = pic.panel("hidden", "Hidden layer", across, sigmas, square=True, tall=300)
    hidden.key("╍", "its linear probe")
    plain = span(-SPAN, SPAN) | {"showgrid": False}
    inputs = pic.panel("input", "Input, the net's output", plain, plain, square=True, tall=300)
    inputs.key("╍", f"its probe: {percent(state.input_probe)}")
    draw_hidden(hidden, p, state)
    draw_input(inputs, p, state)

    curves = [(s.hidden_probe, s.untrained_probe, s.input_probe, s.net_accuracy) for s in states]
    low = min(0.45, np.min(curves) - 0.02)
    right = pic.panel("right", "Points right", steps(p.steps), share(low=low), tall=190)
    right.history(states, lambda s: s.input_probe, "input", MUTED, dash="dot")
    right.history(states, lambda s: s.untrained_probe, "untrained", UNTRAINED, dash="dash")
    right.history(states, lambda s: s.net_accuracy, "net", OUTPUT, width=1.5)
    right.history(states, lambda s: s.hidden_probe, "hidden")
    pic.cursor(state.step, right)
    return pic


def draw_hidden(panel: Panel, p: Params, state: State) -> None:
    """The held-out points, the net of lines that the layer has bent, and where the probe changes its mind."""
    view, x, y = state.view, *state.drawn
    across = state.probe[:-1] @ view.eye[:, 0] * view.spread[0]  # the probe's logit: across * u + middle
    middle = state.probe[:-1] @ view.middle + state.probe[-1]
    u = (np.arange(80) + 0.5) / 80 * 2 * REACH - REACH
    panel.field(np.tanh((across * u + middle) / 2)[None, :], (-REACH, REACH), (-REACH, REACH))
    panel.strokes(seen(NET, p, state), FAINT, 1)
    at = seen(x, p, state).round(2)
    for label, colour in ((0, BLUE), (1, ORANGE)):
        panel.strokes(at[y == label][:, None, :] + CORNERS, colour, 0, fill=colour)
    panel.cursor(float(np.clip(-middle / across, -9, 9)) if abs(across) > 1e-9 else 9, INK, "dash")


def seen(x: np.ndarray, p: Params, state: State) -> np.ndarray:
    """Where inputs of shape (..., 2) are in the picture of the hidden space; what is far outside stays far outside."""
    view = state.view
    at = (features(x, state.theta, p.activation) - view.middle) @ view.eye / view.spread
    return np.clip(at, -9, 9)


def draw_input(panel: Panel, p: Params, state: State) -> None:
    """The net's output and the points, a net of straight lines, and where the input's probe changes its mind."""
    h = features(CELLS, state.theta, p.activation)
    output = np.tanh((h @ state.theta[2] + state.theta[3]) / 2)
    panel.field(output.reshape(40, 40), (-SPAN, SPAN), (-SPAN, SPAN))
    x, y = state.drawn
    panel.points(*x.T, colour=class_colours(y), size=6, symbol="square", hover="")
    panel.strokes(NET, FAINT, 1)
    w, bias = state.probe_of_input[:2], state.probe_of_input[2]
    size = max(float(np.linalg.norm(w)), 1e-9)
    foot = -bias * w / size**2
    way = 3 * SPAN * np.array([-w[1], w[0]]) / size
    panel.path(*np.stack([foot - way, foot + way]).T, INK, 2, "dash")
