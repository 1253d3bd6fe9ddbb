"""How a net that generalizes, or does not, is drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from playgrounds.generalization.model import DRAWN, Params, State
from playgrounds.generalization.words import note
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, share, span, steps
from playgrounds.kit.nn import sigmoid
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture, class_colours

__all__ = ["PRESETS", "draw", "note"]

PRESETS = (
    works(
        "A penalty on the weights",
        "Large weights cost something, so the net gives up single noisy points, and the validation loss stays low.",
        {"validation_loss": "<= 0.4", "gap": "<= 0.15"},
        l2=0.02,
        epochs=150,
    ),
    works(
        "More points",
        "With 500 points there is no room to learn each of them by heart: both losses stay together.",
        {"gap": "<= 0.1", "validation_accuracy": ">= 0.85"},
        n=500,
        epochs=100,
    ),
    fails(
        "Random labels",
        "The net learns every one of the coin flips and guesses new ones: a perfect training score "
        "that is worth nothing.",
        {"accuracy": ">= 0.99", "validation_accuracy": "<= 0.55"},
        data="random",
        n=100,
        layers=1,
        epochs=150,
    ),
    fails(
        "A penalty too strong",
        "With λ = 0.3 the weights stay so small that the net does not even fit its own points: it underfits.",
        {"loss": ">= 0.4", "gap": "<= 0.1"},
        l2=0.3,
        epochs=150,
        compare=False,
    ),
)

GREEN = SERIES[2]  # validation and what it keeps; training is INK
BINS = 20  # bars of a histogram


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The boundary, or what the net says to random points, and both losses; with dropout first of all the net."""
    state = states[now]
    pic = layout(p)
    if state.weights:
        thinned(pic, p, state)
    if p.data == "random":
        answers(pic, state)
    else:
        boundaries(pic, p, state)
    losses, accuracies = curves(pic, p, states)
    pic.cursor(state.step, losses, accuracies)
    if state.stop is not None:
        pic.cursor(state.stop, losses, accuracies, colour=GREEN, dash="dot")
    if state.checkpoint_epoch is not None:
        losses.dot(state.checkpoint_epoch, state.checkpoint_loss, GREEN)
    if p.dropout:
        passes(pic, p, states, state)
    return pic


def layout(p: Params) -> Picture:
    """Dropout's net comes first; accuracies and the checkpoint's plane are details. Random points have two halves."""
    if p.dropout:
        return Picture(
            470, "units units units now now", "units units units losses losses", details=["checkpoint accuracy passes"]
        )
    if p.data == "random":
        return Picture(440, "now checkpoint", "losses losses", details=["accuracy"])
    return Picture(440, "now losses", details=["checkpoint accuracy"], detail_height=280)


def curves(pic: Picture, p: Params, states: Sequence[State]) -> tuple[Panel, Panel]:
    """Losses and accuracies by epoch, those of the net without regularizers dotted."""
    known = [one for s in states for one in (s, s.plain) if one is not None and one.loss is not None]
    highest = max([max(one.loss, one.validation_loss) for one in known], default=1.0)
    lowest = min([min(one.accuracy, one.validation_accuracy) for one in known], default=1.0)
    epochs = steps(p.epochs, "epoch", ticks=5)
    losses = pic.panel("losses", "Loss", epochs, span(0, 1.05 * highest, ticks=4))
    accuracies = pic.panel("accuracy", "Accuracy", epochs, share(low=min(0.4, lowest), high=1.02))
    for of, name, colour in (("loss", "training", INK), ("validation_loss", "validation", GREEN)):
        line(losses, states, of, name, colour)
    for of, name, colour in (("accuracy", "training", INK), ("validation_accuracy", "validation", GREEN)):
        line(accuracies, states, of, name, colour, key=False)
    return losses, accuracies


def line(panel: Panel, states: Sequence[State], of: str, name: str, colour: str, key: bool = True) -> None:
    """One measure of all states, and of the net without regularizers."""
    panel.history(states, lambda s: getattr(s, of), name, colour, key=key)
    if states[0].plain is not None:
        keyed = key and colour == GREEN
        faint: dict[str, Any] = {"dash": "dot", "width": 1.5, "opacity": 0.7, "hover": "", "key": keyed}
        panel.history(states, lambda s: getattr(s.plain, of), "without", colour, **faint)


def boundaries(pic: Picture, p: Params, state: State) -> None:
    """The output over the plane, now and at the checkpoint, with the training points and the boundary to compare."""
    x, y, x_val, y_val = state.points
    ends = (-p.span, p.span)
    narrow = p.dropout > 0
    for name, title, odds in (("now", "Boundary", state.picture), ("checkpoint", "Checkpoint", state.checkpoint)):
        panel = pic.panel(name, title, span(*ends, ticks=3 if narrow else 5), span(*ends), square=True, tall=300)
        panel.field(np.tanh(odds / 2), ends, ends)
        size = 8 if len(x) < 200 and not narrow else 6
        panel.points(*x.T, "", class_colours(y), size=size, hover="")
        if p.data == "own":
            panel.key("●", "training")
            hollow = {"symbol": "circle-open", "marker": {"line": {"width": 2}}}
            panel.points(*x_val.T, "validation", class_colours(y_val), size=size, hover="", **hollow)
        if p.dropout:
            panel.mark(*state.asked, "◎", INK, size=18)
        if name == "now":
            compared(panel, p, state, ends)


def compared(panel: Panel, p: Params, state: State, ends: tuple[float, float]) -> None:
    """The boundary without regularizers or, where there are none, the one that early stopping keeps."""
    other, name, colour = (state.checkpoint, "at the lowest validation loss", GREEN)
    if p.l2 or p.dropout or p.jitter:
        other, name, colour = state.unheld, "without", INK
    if other is None:
        return
    panel.key("━", name, colour)
    trained = other if state.step else np.ones_like(other)  # before that its boundary is nothing to compare with
    panel.zero_line(trained, ends, ends, colour, 2)


def answers(pic: Picture, state: State) -> None:
    """What the net says to the points of each class: class 1 upwards, class 0 downwards."""
    _, y, _, y_val = state.points
    halves = [
        ("now", "Training points", slice(None, len(y)), y),
        ("checkpoint", "Validation points", slice(len(y), None), y_val),
    ]
    for name, title, part, labels in halves:
        probability = span(-0.02, 1.02, "probability of class 1")
        panel = pic.panel(name, title, probability, bare(-1.1, 1.1))  # upwards: the share of the points of a class
        panel.key("▲", "class 1", ORANGE)
        panel.key("▼", "class 0", BLUE)
        bars(panel, shares(state.picture[part], labels, 1), (0, 1), ORANGE)
        bars(panel, -shares(state.picture[part], labels, 0), (0, 1), BLUE)
        panel.cursor(0.5, MUTED, "dot")
        panel.curve([0, 1], [0, 0], "no point", MUTED, width=1, key=False, hover="")


def shares(odds: np.ndarray, labels: np.ndarray, c: int) -> np.ndarray:
    """Shares of the points of class c by their probability of class 1, (BINS,)."""
    return histogram(sigmoid(odds[labels == c]), BINS, (0, 1))


def histogram(values: np.ndarray, bins: int, ends: tuple[float, float]) -> np.ndarray:
    """Shares of the values in each of the bins, (bins,)."""
    counts, _ = np.histogram(values, bins, ends)
    return counts / max(1, len(values))


def bars(panel: Panel, heights: np.ndarray, ends: tuple[float, float], colour: str) -> None:
    """A histogram over `ends` as one shape."""
    edges = np.linspace(*ends, len(heights) + 1)
    outline = np.column_stack([np.repeat(edges, 2), np.concatenate([[0], np.repeat(heights, 2), [0]])])
    panel.shape_of(outline, colour, 1, fill=colour)


def thinned(pic: Picture, p: Params, state: State) -> None:
    """The net as it was in this step: units that are off are hollow, and what leads to them and from them is gone."""
    panel = pic.panel("units", "The net in this step", bare(-0.12, 1.12), bare(-0.1, 1.06), tall=300, hero=True)
    panel.key("●", "on")
    panel.key("○", "off", MUTED)
    drawn = min(DRAWN, p.width)
    layers = [w.shape[1] for w in state.weights] + [2]
    on = [np.ones(layers[0]), *state.masks[:, :drawn], np.ones(2)]
    panel.net(layers, state.weights, on, size=22, largest=0.5)
    hidden = f"{drawn} of {p.width}" if drawn < p.width else f"{p.width} units"
    names = ["inputs", *[hidden] * p.layers, "classes"]
    for x, name in zip(np.linspace(0, 1, len(names)), names, strict=True):
        panel.text(x, -0.07, name, MUTED)


def passes(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """What the net answers to one input, again and again in training mode, and once in evaluation."""
    low = min(min(s.cloud.min(), s.evaluation[0], 0) for s in states)
    high = max(max(s.cloud.max(), s.evaluation[0], 0) for s in states)
    margin = 0.05 * (high - low) or 1.0
    ends = float(low - margin), float(high + margin)
    where = "One point" if p.data == "random" else "At ◎"
    panel = pic.panel("passes", where, span(*ends, "log-odds of class 1"), bare(0, 1.1))
    panel.key("▲", "training mode", MUTED)
    panel.key("╍", "its mean", SERIES[3])
    panel.key("┃", "evaluation", INK)
    counts = histogram(state.cloud, 60, ends)
    bars(panel, counts / counts.max(), ends, MUTED)
    panel.cursor(float(state.evaluation[0]))
    panel.cursor(float(state.cloud.mean()), SERIES[3], "dash")
    panel.level(0, MUTED, "solid")
