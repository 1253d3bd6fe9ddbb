"""How a batch through batch norm and layer norm is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.batch_norm.model import BATCHES, FEATURES, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import names, span, steps
from playgrounds.kit.palette import SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number, vector

PRESETS = (
    works(
        "In evaluation",
        "With running statistics in place of the batch's, sample A has the same output in whatever company.",
        {"dependence": "== 0"},
        mode="evaluation",
    ),
    works(
        "Large weights",
        "Weights a hundred times as large change the mean and the spread before, and both are divided out.",
        {"mean": "== 0", "variance": ">= 0.999"},
        factor=100.0,
    ),
    fails(
        "A batch of two",
        "Of two samples one becomes +1 and the other −1 in every feature: all else that they said is lost.",
        {"dependence": ">= 1.9", "variance": ">= 0.99"},
        size=2,
    ),
)

BATCH, LAYER = SERIES[2], SERIES[4]
SETTLED = 10  # batches after which the running statistics are no longer far off
FEATURE_NAMES = [str(i + 1) for i in range(FEATURES)]


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Feature 1 of sample A through batch norm, in numbers."""
    state = states[now]
    z = state.z[:, 0]
    alone = len(z) == 1
    mean, variance = state.running_mean[0], state.running_variance[0]
    said = f"Evaluation with the running statistics of {state.step} batch{'' if state.step == 1 else 'es'}"
    if alone:
        said += " of 8"
    if p.mode == "training" and alone:
        said = 'One sample has variance 0: PyTorch refuses to train ("Expected more than 1 value per channel"). ' + said
    elif p.mode == "training":
        said, mean, variance = f"Batch {state.step}", z.mean(), z.var()
    beta = f" {'−' if p.beta < 0 else '+'} {abs(p.beta):g}" if p.beta else ""
    said += f": A's feature 1 becomes {number(p.gamma)} · ({number(z[0])} − {vector([mean], True)}) / "
    said += f"√{number(variance)}{beta} = {number(state.by_batch[0, 0])}."
    if alone:
        return said
    if p.factor != 1 and p.mode == "training":
        return f"{said} The weights times {number(p.factor)} change no output by more than {number(state.scaling)}."
    batch, layer = number(state.dependence), number(state.layer_dependence)
    return f"{said} Other companions change A's row by up to {batch} in batch norm, by {layer} in layer norm."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The batch before, after batch norm and after layer norm, with means and variances; A's feature 1 by batch."""
    state = states[now]
    samples = list("ABCDEFGH"[: p.size])
    below = names([*samples, "mean", "var"], down=True)
    pic = Picture(500, *4 * ["before batch"], *3 * ["layer history"])
    before = pic.panel("before", "Before: features 1 to 5", names(FEATURE_NAMES), below)
    batch = pic.panel("batch", "After batch norm: column by column", names(FEATURE_NAMES), below, hero=True)
    beside = names([*FEATURE_NAMES, "mean", "var"])
    layer = pic.panel("layer", "After layer norm: row by row", beside, names(samples, down=True))
    later = np.array([(s.by_batch[0, 0], s.by_layer[0, 0]) for s in states[min(SETTLED, len(states) - 1) :]])
    ends = span(later.min() - 0.3, later.max() + 0.3, ticks=4)
    history = pic.panel("history", "A's feature 1 by batch", steps(BATCHES), ends)

    largest = np.abs(states[0].z).max()  # of the first batch: the colours mean the same in all
    table(before, state.z, largest, axis=0)
    table(batch, state.by_batch, 3, axis=0)
    table(layer, state.by_layer, 3, axis=1)
    for panel in (before, batch):  # what feature 1 is normalized over in batch norm
        panel.frame((-0.5, 0.5), (0.5 - p.size, 0.5), BATCH, 3)
    for panel in (before, layer):  # and sample A in layer norm
        panel.frame((-0.5, FEATURES - 0.5), (-0.5, 0.5), LAYER, 3)

    history.history(states, lambda s: s.by_batch[0, 0], "batch norm", BATCH)
    history.history(states, lambda s: s.by_layer[0, 0], "layer norm", LAYER, dash="dash")
    pic.cursor(state.step, history)
    history.dot(state.step, state.by_batch[0, 0], BATCH)
    history.dot(state.step, state.by_layer[0, 0], LAYER)
    return pic


def table(panel: Panel, z: np.ndarray, most: float, axis: int) -> None:
    """The values as cells, and their means and variances along the axis below or beside them."""
    panel.table(z / most, texts=[[written(value) for value in row] for row in z])
    statistics = np.stack([z.mean(axis=axis), z.var(axis=axis)])
    for which, values in enumerate(statistics):
        for i, value in enumerate(values):
            x, y = (i, -len(z) - which) if axis == 0 else (FEATURES + which, -i)
            panel.text(x, y, written(value))


def written(value: float) -> str:
    return number(round(value, 2) + 0.0 if abs(value) < 100 else value)
