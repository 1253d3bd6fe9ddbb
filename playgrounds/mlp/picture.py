"""How the perceptron's training is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, loss, span, steps
from playgrounds.kit.data import grid
from playgrounds.kit.palette import BLUE, FAINT, INK, ORANGE
from playgrounds.kit.picture import Panel, Picture, class_colours
from playgrounds.kit.training import finite
from playgrounds.kit.words import number
from playgrounds.mlp.model import Params, State, forward

PRESETS = (
    works(
        "Four units, a disc",
        "Each of the four units draws a line, and the output makes a closed shape of them.",
        {"accuracy": ">= 0.99"},
        data="circles",
        hidden=4,
    ),
    works(
        "Three layers, spirals",
        "Three layers of eight fold the plane until one line can cut the arms apart.",
        {"accuracy": ">= 0.97"},
        data="spirals",
        hidden=8,
        hidden2=8,
        hidden3=8,
        epochs=600,
    ),
    fails(
        "No hidden unit",
        "Without a hidden layer the boundary is one straight line, and no line separates XOR.",
        {"accuracy": "<= 0.75"},
        hidden=0,
    ),
    fails(
        "No activation",
        "Two layers without a non-linear function between them are one matrix: the boundary stays straight.",
        {"accuracy": "<= 0.75"},
        hidden=8,
        hidden2=8,
        activation="identity",
    ),
    fails(
        "A rate too large",
        "Plain SGD with η = 10 jumps over every valley, and the loss climbs or freezes.",
        {"loss": ">= 0.6"},
        optimizer="SGD",
        activation="relu",
        rate=10.0,
    ),
)

SPAN = 1.3  # the pictures show the square from -SPAN to SPAN
BIG, SMALL = 60, 20  # cells a side of the output's picture, and of a unit's
OUTPUT, UNIT = grid(BIG, SPAN), grid(SMALL, SPAN)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What happened up to this epoch, in one sentence."""
    state = states[now]
    if state.loss is None:
        return "There are no points yet. Put some of both classes into the plane: the net learns from them."
    if now == len(states) - 1 and (cause := why_diverged(p, state)):
        return cause
    x, y, *_ = state.points
    wrong = len(y) - round(state.accuracy * len(y))
    side = f"{wrong} of {len(y)} training points on the wrong side"
    said = side if wrong else f"all {len(y)} training points on the right side"
    if now == 0:
        return f"Before training: loss {number(state.loss, 4)}, {said}; the weights are random."
    change = state.loss - states[now - 1].loss
    moved = f"{'up' if change > 0 else 'down'} {number(abs(change), 2)}" if abs(change) > 1e-9 else "standing still"
    dead = 0
    if p.activation == "relu":
        dead = sum(int((h.max(axis=0) <= 0).sum()) for h in forward(x, state.weights, state.biases, "relu")[1:-1])
    more = f" {dead} hidden unit{'s are' if dead > 1 else ' is'} 0 on every point and cannot learn." if dead else ""
    return f"Epoch {state.step}: loss {number(state.loss, 4)} ({moved}), {said}.{more}"


def why_diverged(p: Params, state: State) -> str:
    """Why a number is no longer finite; "" while all are."""
    broken = not finite(*state.weights, *state.biases)
    if not broken and np.isfinite(state.loss):
        return ""
    quantity = "a weight" if broken else "the loss"
    cause = f"the learning rate {p.rate:g} is too large for this net, so every step overshoots further"
    if p.optimizer == "SGD" and p.rate * p.l2 > 2:  # a step multiplies a weight by 1 - ηλ
        cause = f"η·λ = {number(p.rate * p.l2)} is above 2, so the penalty alone drives the weights out"
    return f"Epoch {state.step}: {quantity} is no longer a finite number: {cause}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Output with the points; the net with a picture per unit and a line per weight; the losses with a cursor."""
    state = states[now]
    x, y, x_test, y_test = state.points
    pic = Picture(500, *3 * ["net output"], "losses")
    output = pic.panel("output", "Output", span(-SPAN, SPAN), span(-SPAN, SPAN), square=True)
    net = pic.panel("net", "The net: what each unit sees", bare(-0.12, 1.12), bare(0, 1), tall=280)
    curves = [(s.loss, s.test_loss) for s in states if s.loss is not None]
    losses = pic.panel("losses", "Loss by epoch", steps(p.epochs), loss(curves))

    field = np.tanh(forward(OUTPUT, state.weights, state.biases, p.activation)[-1] / 2).reshape(BIG, BIG)
    output.field(field, (-SPAN, SPAN), (-SPAN, SPAN))
    output.points(*x.T, "training", class_colours(y), size=14 if len(x) == 4 else 8, hover="")
    output.points(*x_test.T, "test", class_colours(y_test), size=6, symbol="circle-open", hover="")
    losses.history(states, lambda s: s.loss, "training", INK)
    losses.history(states, lambda s: s.test_loss, "test", INK, dash="dot", width=2)
    pic.cursor(state.step, losses)
    draw_net(net, p, state)
    return pic


def places(layers: list[int]) -> tuple[list[list[tuple[float, float]]], float]:
    """The middle of every unit in the net's panel, by layer, and the height of a unit's picture."""
    tall = min(0.2, 0.9 / max(layers), 0.4 / (len(layers) - 1))
    apart = max(tall * 1.12, 0.8 / max(layers))
    rows = [
        [(k / (len(layers) - 1), 0.5 + (0.5 * (n - 1) - i) * apart) for i in range(n)] for k, n in enumerate(layers)
    ]
    return rows, tall


def unit_values(p: Params, state: State, layer: int, values: np.ndarray) -> np.ndarray:
    """A layer's values on the grid, scaled into [-1, 1] with 0 neutral."""
    if layer == len(p.layers) - 1:
        values = np.tanh(values / 2)
    elif layer and p.activation == "sigmoid":
        values = 2 * values - 1
    values = np.nan_to_num(values)
    return values / max(1.0, np.abs(values).max())


def draw_net(net: Panel, p: Params, state: State) -> None:
    """A picture per unit, a line per weight; their numbers are said on pointing."""
    middle, tall = places(p.layers)
    wide = tall * 1.2  # the panel is wider than tall by about that much: units look square
    thick = 7 * min(1, 4 / max(p.layers))  # px of the largest weights
    seen = forward(UNIT, state.weights, state.biases, p.activation)
    for k, layer in enumerate(middle):
        values = unit_values(p, state, k, seen[k])
        for i, (u, v) in enumerate(layer):
            ends = (u - wide / 2, u + wide / 2), (v - tall / 2, v + tall / 2)
            net.field(values[:, i].reshape(SMALL, SMALL), *ends)
            net.frame(*ends, FAINT, 1)
    spots, texts, names = [], [], ["x₁", "x₂"]
    for k, (w, b) in enumerate(zip(state.weights, state.biases, strict=True), start=1):
        last = k == len(state.weights)
        units = ["the output"] if last else [f"unit {j + 1} of layer {k}" for j in range(len(b))]
        for j, (u, v) in enumerate(middle[k]):
            spots.append((u, v))
            texts.append(f"{units[j]}: bias {b[j]:.3f}")
            for i, (s, t) in enumerate(middle[k - 1]):
                value = w[j, i]
                start, end = (s + wide / 2, t), (u - wide / 2, v)
                net.line(start, end, ORANGE if value > 0 else BLUE, 0.4 + thick * abs(value) / (2 + abs(value)))
                at = 0.25 + 0.5 * (i + 0.5) / w.shape[1]  # spread along the lines, so that they can be told apart
                spots.append((start[0] + at * (end[0] - start[0]), t + at * (v - t)))
                texts.append(f"weight from {names[i]} to {units[j]}: {value:.3f}")
        names = units
    net.hover(*np.array(spots).T, texts)
