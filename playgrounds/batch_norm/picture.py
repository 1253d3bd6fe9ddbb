"""How a batch through batch norm and layer norm is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.batch_norm.model import BATCHES, FEATURES, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import Axis, names, span, steps
from playgrounds.kit.palette import INK, SERIES
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
        {"variance": ">= 0.99"},
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
    """The samples along each feature before and after batch norm, A's feature 1 by batch; the same batch in numbers."""
    state = states[now]
    tables = ("numbers after", "numbers after", "layer layer")
    pic = Picture(460, *3 * ["before batch"], *2 * ["history history"], details=tables)
    ahead = np.array([s.z for s in states])
    before = pic.panel("before", "Before", features(), reaching(ahead, margin=1.1))
    settled = states[min(SETTLED, len(states) - 1) :]
    behind = np.array([s.by_batch for s in settled])
    batch = pic.panel("batch", "After batch norm", features(), reaching(behind, margin=1.1), hero=True)
    later = np.array([(s.by_batch[0, 0], s.by_layer[0, 0]) for s in settled])
    ends = span(later.min() - 0.3, later.max() + 0.3, ticks=4)
    history = pic.panel("history", "A's feature 1 by batch", steps(BATCHES), ends)

    draw_samples(before, state.z)
    draw_samples(batch, state.by_batch)
    before.key("●", "A")
    before.key("━", "its companions")
    batch.key("■", "mean ± spread", BATCH)
    history.history(states, lambda s: s.by_batch[0, 0], "batch norm", BATCH)
    history.history(states, lambda s: s.by_layer[0, 0], "layer norm", LAYER, dash="dash")
    pic.cursor(state.step, history)
    history.dot(state.step, state.by_batch[0, 0], BATCH)
    history.dot(state.step, state.by_layer[0, 0], LAYER)
    draw_tables(pic, p, states, state)
    return pic


def features() -> Axis:
    return names(FEATURE_NAMES, title="feature")


def reaching(values: np.ndarray, margin: float) -> Axis:
    """From one end of all values to the other, 0 in the middle."""
    most = margin * np.abs(values).max()
    return span(-most, most)


def draw_samples(panel: Panel, z: np.ndarray) -> None:
    """A mark per sample above each feature, a dot for A, and a band where their mean and spread are."""
    mean, sd = z.mean(axis=0), z.std(axis=0)
    for j in range(FEATURES):
        panel.block((j - 0.3, j + 0.3), (mean[j] - sd[j], mean[j] + sd[j]), BATCH, opacity=0.25)
        panel.line((j - 0.3, mean[j]), (j + 0.3, mean[j]), BATCH, 3)
    marks = [[(j - 0.13, y), (j + 0.13, y)] for row in z[1:].tolist() for j, y in enumerate(row)]
    panel.strokes(marks, INK, 3)  # one shape: many dots would make a long film
    for j in range(FEATURES):
        panel.dot(j, z[0, j], INK, 14)


def draw_tables(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """The batch in numbers: by column in batch norm, by row in layer norm."""
    samples = list("ABCDEFGH"[: p.size])
    below = names([*samples, "mean", "var"], down=True)
    numbers = pic.panel("numbers", "Before, in numbers", names(FEATURE_NAMES), below)
    after = pic.panel("after", "After batch norm: column by column", names(FEATURE_NAMES), below)
    beside = names([*FEATURE_NAMES, "mean", "var"])
    layer = pic.panel("layer", "After layer norm: row by row", beside, names(samples, down=True))
    largest = np.abs(states[0].z).max()  # of the first batch: the colours mean the same in all
    table(numbers, state.z, largest, axis=0)
    table(after, state.by_batch, 3, axis=0)
    table(layer, state.by_layer, 3, axis=1)
    for panel in (numbers, after):  # what feature 1 is normalized over in batch norm
        panel.frame((-0.5, 0.5), (0.5 - p.size, 0.5), BATCH, 3)
    for panel in (numbers, layer):  # and sample A in layer norm
        panel.frame((-0.5, FEATURES - 0.5), (-0.5, 0.5), LAYER, 3)


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
