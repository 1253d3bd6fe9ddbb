"""A net is pre-trained on one task; a second task with few labels then starts from scratch or from those weights.

Left out: self-supervised source tasks, convolutions, schedules of the learning rate, and target nets of another shape.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, box, chips, dot, figure, label, legend, lines, paint, points, rule
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.training import kept

INPUTS, USEFUL, HIDDEN = 50, 3, (64, 32)  # of the subspace task; the hidden layers of every net
LABELS = (4, 8, 16, 32, 64, 128, 256)  # sizes of the target's training set that are compared
BATCH, SOURCE_RATE, TEST = 256, 2e-3, 1000
EVERY = 18  # states of the source training, and of the target training, about
AT_ONCE = 512  # target examples, of several nets, that are trained on side by side between two states
TASKS = {"subspace": (INPUTS, 8, 2), "digits": (64, 5, 5)}  # inputs, classes of the source, classes of the target
COLOURS = {"scratch": 5, "frozen": 0, "fine-tuned": 1, "head first": 2}  # places in SERIES


class Params(kit.Params):
    task: Literal["subspace", "digits"] = knob("subspace", label="Tasks",
        help="subspace: 3 of 50 input directions matter to both; digits: first 0-4, then 5-9")  # fmt: skip
    source: Literal[0, 100, 300, 1000, 8000] = knob(8000, label="Source examples",
        help="0: no pre-training, the backbone stays random; of the digits there are 701")  # fmt: skip
    labels: int = knob(16, 4, 256, label="Target labels", help="of the nets whose training is shown", log=True)
    angle: int = knob(0, 0, 90, label="Angle of target to source", step=15, when=lambda p: p.task == "subspace",
        help="in degrees; 90: at right angles to all that the source needs")  # fmt: skip
    methods: tuple[Literal["scratch", "frozen", "fine-tuned", "head first"], ...] = knob(
        ("scratch", "frozen", "fine-tuned"), label="Methods", help="head first: half of the steps frozen, then tuned"
    )
    rate: float = knob(0.001, 0.00001, 0.1, label="Learning rate η", help="scratch and fine-tuning", log=True)
    freeze: int = knob(0, 0, 2, label="Layers frozen in fine-tuning", help="from the input on; 2: all but the head")
    seed: int = knob(4, 0, 9999, label="Seed", help="decides the tasks, the examples and the first weights")
    head_rate: float = knob(0.01, 0.0001, 0.1, label="Rate of a head on frozen layers", log=True, more=True)
    steps: int = knob(200, 20, 300, label="Target steps", help="of Adam, each on all labels", step=20, more=True)
    source_steps: int = knob(800, 50, 1600, label="Source steps", help="of Adam, 256 examples each", step=50, more=True)
    repeats: int = knob(6, 1, 10, label="Repetitions", help="with tasks and first weights of their own", more=True)

    @property
    def sizes(self) -> list[int]:
        return sorted({*LABELS, self.labels})

    @property
    def length(self) -> int:
        source = len(kept(self.source_steps, EVERY)) if self.source else 1
        return source + len(kept(self.steps, EVERY)) + (len(self.sizes) - 1) * self.repeats + 1


class State(NamedTuple):
    source_step: int
    target_step: int  # with the chosen number of labels
    source_accuracy: float  # on new examples of the source task; this and all others are means over the repetitions
    source_share: float  # of the pre-trained first layer's squared weight in the directions the source needs
    target_share: float  # the same for those that the target needs
    scratch_accuracy: float  # on new examples of the target, at the chosen number of labels
    frozen_accuracy: float
    fine_tuned_accuracy: float
    head_first_accuracy: float  # of a method that was not chosen: that of random weights
    layer_1_change: float  # by fine-tuning: |W - pre-trained W| / |pre-trained W|
    layer_2_change: float
    note: str
    accuracies: np.ndarray  # (methods chosen, sizes, repetitions), nan where nothing has been trained yet
    changes: np.ndarray  # (methods chosen, layers): |W - W at the start| / |W at the start|
    first: np.ndarray  # (inputs, units) the first layer of one backbone, in the rotated inputs of its task


def subspace(p: Params, rng: np.random.Generator) -> tuple:
    """The source: which of 8 directions in 3 of 50 dimensions fits best; the target: the side of one direction."""
    basis = np.linalg.qr(rng.normal(size=(INPUTS, INPUTS)))[0]
    inner, eight, one = basis[:, :USEFUL], rng.normal(size=(USEFUL, 8)), rng.normal(size=USEFUL)
    across, along = np.sin(np.deg2rad(p.angle)), np.cos(np.deg2rad(p.angle)) / np.linalg.norm(one)
    direction = along * inner @ one + across * basis[:, USEFUL]
    x = rng.standard_normal((BATCH + 2 * TEST + p.source, INPUTS), np.float32)
    x, new, new_source, x_source = np.split(x, [BATCH, BATCH + TEST, BATCH + 2 * TEST])
    source = [(z, (z @ inner @ (eight / np.linalg.norm(eight, axis=0))).argmax(axis=1)) for z in (x_source, new_source)]
    return *source, *((z, (z @ direction > 0) * 1) for z in (x, new)), (inner, direction[:, None]), basis


def digits(p: Params, rng: np.random.Generator) -> tuple:
    """Source: 0-4, target: 5-9 of scikit-learn's 8 x 8 digits. What a task needs: the span of its classes' means."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean()) / x.std()).astype(np.float32)
    means = np.stack([x[y == c].mean(axis=0) for c in range(10)])
    needs = [np.linalg.svd(m - m.mean(axis=0))[2][:4].T for m in (means[:5], means[5:])]
    small, large = rng.permutation(np.flatnonzero(y < 5)), rng.permutation(np.flatnonzero(y >= 5))
    labelled = np.stack([large[y[large] == c][:52] for c in range(5, 10)], axis=1).ravel()[:BATCH]  # classes in turn
    sets = small[200:][: p.source], small[:200], labelled, np.setdiff1d(large, labelled)
    return *((x[at], y[at] % 5) for at in sets), needs, np.eye(64)


def data(p: Params) -> tuple:
    """Source, its test set, target, its test set, needs and bases of R repetitions, stacked.

    Sets: x (R, n, inputs) and y (R, n). Needs: what source and target depend on, orthonormal columns (R, inputs, k).
    Bases: (R, inputs, inputs), the directions in which the weights are shown.
    """
    make = {"subspace": subspace, "digits": digits}[p.task]
    *pairs, bases = zip(*[make(p, np.random.default_rng([p.seed, r])) for r in range(p.repeats)], strict=True)
    return *(tuple(np.stack(part) for part in zip(*pair, strict=True)) for pair in pairs), np.stack(bases)


def layers(p: Params, part: int, *widths: int) -> list[np.ndarray]:
    """W of shape (R, inputs, units) and b of shape (R, 1, units) of every layer, drawn as torch.nn.Linear does."""
    rngs = [np.random.default_rng([p.seed, r, part]) for r in range(p.repeats)]
    shapes = [shape for m, n in pairwise(widths) for shape in ((m, m, n), (m, 1, n))]
    return [np.stack([rng.uniform(-1, 1, shape) / m**0.5 for rng in rngs]).astype(np.float32) for m, *shape in shapes]


def forward(x: np.ndarray, theta: list[np.ndarray]) -> list[np.ndarray]:
    """Values of all layers for x of shape (R, n, inputs): ReLU but for the last, whose values are logits."""
    values = [x]
    for i in range(0, len(theta), 2):
        z = values[-1] @ theta[i] + theta[i + 1]
        values.append(z if i == len(theta) - 2 else np.maximum(z, 0))
    return values


def backward(values: list[np.ndarray], y: np.ndarray, theta: list[np.ndarray]) -> list[np.ndarray]:
    """Gradients of every net's mean cross-entropy, in the order of theta; y one-hot, of shape (R, n, classes)."""
    e = np.exp(values[-1] - values[-1].max(axis=-1, keepdims=True))
    d = (e / e.sum(axis=-1, keepdims=True) - y) / np.float32(y.shape[1])  # softmax - y
    gradients = []
    for i in range(len(theta) - 2, -1, -2):
        h = values[i // 2]
        gradients = [h.swapaxes(1, 2) @ d, d.sum(axis=1, keepdims=True), *gradients]
        if i:
            d = (d @ theta[i].swapaxes(1, 2)) * (h > 0)
    return gradients


def train(theta: list, x: np.ndarray, y: np.ndarray, plan: Sequence, film: Sequence[int], rng=None) -> Iterator:
    """Train R nets side by side; yield (step, theta) at the steps of `film`, a list that starts with 0.

    plan: (frozen layers, learning rate, steps), one after the other. rng: draws batches; None: all examples each time.
    What frozen layers make of the examples is computed once, and only the layers above them are trained."""
    t, nets, y = 0, np.arange(len(y))[:, None], np.eye(theta[-1].shape[-1], dtype=np.float32)[y]
    yield t, theta
    for frozen, rate, steps in plan:
        below, above = theta[: 2 * frozen], [w.copy() for w in theta[2 * frozen :]]
        h = np.maximum(forward(x, below)[-1], 0) if below else x
        m, v = [np.zeros_like(w) for w in above], [np.zeros_like(w) for w in above]
        for k in range(1, steps + 1):
            at = (nets, rng.integers(y.shape[1], size=(len(y), BATCH))) if rng else slice(None)
            for w, g, m_i, v_i in zip(above, backward(forward(h[at], above), y[at], above), m, v, strict=True):
                m_i += 0.1 * (g - m_i)  # Adam, Kingma and Ba 2015
                v_i += 0.001 * (g * g - v_i)
                w -= rate / (1 - 0.9**k) * m_i / (np.sqrt(v_i / (1 - 0.999**k)) + 1e-8)
            t += 1
            if t in film:
                yield t, below + [w.copy() for w in above]
        theta = below + above


def plan(p: Params, method: str) -> list[tuple[int, float, int]]:
    """Layers frozen, learning rate and steps of each part of the target's training."""
    if method == "head first":
        half = p.steps // 2
        return [(2, p.head_rate, half), (p.freeze, p.rate, p.steps - half)]
    alone = {"scratch": (0, p.rate), "frozen": (2, p.head_rate), "fine-tuned": (p.freeze, p.rate)}
    return [(*alone[method], p.steps)]


def accuracy(theta: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each net, shape (R,)."""
    return (forward(x, theta)[-1].argmax(axis=-1) == y).mean(axis=1)


def share(theta: list[np.ndarray], basis: np.ndarray) -> float:
    """Of the first layer's squared weight, in the span of the basis; k of n directions have k / n by chance."""
    inside, whole = (basis.swapaxes(1, 2) @ theta[0]) ** 2, theta[0] ** 2
    return float((inside.sum(axis=(1, 2)) / whole.sum(axis=(1, 2))).mean())


def change(theta: list[np.ndarray], start: list[np.ndarray]) -> list[float]:
    """|W - W at the start| / |W at the start| per layer, mean over the nets."""
    size = [[np.linalg.norm(w, axis=(1, 2)) for w in (a - b, b)] for a, b in zip(theta[::2], start[::2], strict=True)]
    return [float((moved / whole).mean()) for moved, whole in size]


def run(p: Params) -> Iterator[State]:
    """The source task; the target with the chosen labels, step by step; every other number of labels, net by net."""
    source, source_test, target, target_test, needs, bases = data(p)
    inputs, kinds, classes = TASKS[p.task]
    random, head = layers(p, 1, inputs, *HIDDEN, kinds), layers(p, 2, HIDDEN[1], classes)
    accuracies, changes = np.full((len(p.methods), len(p.sizes), p.repeats), np.nan), np.zeros((len(p.methods), 3))
    untrained = float(accuracy(random[:4] + head, *target_test).mean())
    todo = [(0, SOURCE_RATE, p.source_steps)] if p.source else []
    for t, theta in train(random, *source, todo, kept(p.source_steps, EVERY), np.random.default_rng(p.seed)):
        right = [accuracy(theta, *source_test).mean()]
        right += [accuracy(theta, *(part[:, :TEST] for part in source)).mean()] if p.source else []
        shares = [share(theta, basis) for basis in needs]
        first = (bases[0].T @ theta[0][0]).astype(np.float32)
        metrics = float(right[0]), *shares, *[untrained] * len(COLOURS), 0.0, 0.0
        state = State(t, 0, *metrics, "", accuracies, changes, first)
        yield (state := state._replace(note=source_note(p, state, right[-1], source[1].shape[1], needs)))
    # The head is new, and so scratch differs from fine-tuning in nothing but the pre-training.
    starts = {m: (random if m == "scratch" else theta)[:4] + head for m in p.methods}

    def training(size: int, nets: slice, film: Sequence[int]) -> Iterator:
        """All methods side by side with some of the nets: their (step, theta)."""
        few = [part[nets, :size] for part in target]
        return zip(*(train([w[nets] for w in starts[m]], *few, plan(p, m), film) for m in p.methods), strict=True)

    column, few = p.sizes.index(p.labels), [part[:, : p.labels] for part in target]
    for now in training(p.labels, slice(None), kept(p.steps, EVERY)):
        accuracies, metrics = accuracies.copy(), dict.fromkeys(COLOURS, untrained)
        accuracies[:, column] = [accuracy(theta, *target_test) for _, theta in now]
        metrics |= zip(p.methods, accuracies[:, column].mean(axis=1).tolist(), strict=True)
        moved = {m: change(theta, starts[m]) for m, (_, theta) in zip(p.methods, now, strict=True)}
        two, changes = moved.get("fine-tuned", [0.0] * 3)[:2], np.array(list(moved.values()))
        fit = {m: accuracy(theta, *few).mean() for m, (_, theta) in zip(p.methods, now, strict=True)}
        state = State(t, now[0][0], *state[2:5], *metrics.values(), *two, "", accuracies, changes, first)
        yield (state := state._replace(note=target_note(p, state, metrics, fit)))
    for i, size in enumerate(p.sizes):
        side = max(1, AT_ONCE // size)
        for low in range(0, p.repeats if size != p.labels else 0, side):
            nets = slice(low, min(low + side, p.repeats))
            *_, ends = training(size, nets, [p.steps])
            found = np.array([accuracy(theta, *(part[nets] for part in target_test)) for _, theta in ends])
            for r, values in enumerate(found.T, start=low):
                accuracies = accuracies.copy()
                accuracies[:, i, r] = values
                said = ", ".join(f"{m} {v:.0%}" for m, v in zip(p.methods, values, strict=True))
                note = f"{size} labels, repetition {r + 1} of {p.repeats}: test accuracy {said}."
                yield (state := state._replace(accuracies=accuracies, note=note))
    yield state._replace(note=conclusion(p, accuracies.mean(axis=2)))


def source_note(p: Params, now: State, fit: float, examples: int, needs: tuple) -> str:
    """How good the net is at the source task, and where its first layer looks."""
    (_, n, k), one = needs[0].shape, needs[1].shape[2]
    said = (
        f"{now.source_share:.0%} of the first layer's squared weight is in the {k} of {n} input directions that "
        f"the source task needs, {now.target_share:.0%} in the {one if one > 1 else 'one'} that the target needs"
    )
    if not now.source_step:
        said = f"{said}, about what chance gives ({k} / {n} and {one} / {n})."
        return f"{'Before pre-training' if p.source else 'No pre-training, the backbone stays random'}: {said}"
    return (
        f"Pre-training, step {now.source_step} of {p.source_steps}: right on {fit:.0%} of the "
        f"{examples:,} source examples and on {now.source_accuracy:.0%} of new ones; {said}."
    )


def target_note(p: Params, now: State, test: dict, fit: dict) -> str:
    """What each method has reached with the chosen labels, and how far fine-tuning has gone."""
    found = ", ".join(f"{m} {test[m]:.0%} ({fit[m]:.0%})" for m in p.methods)
    one, two = (f"{100 * value:.3g}%" for value in (now.layer_1_change, now.layer_2_change))
    moved = f" Fine-tuning has moved layer 1 by {one} and layer 2 by {two} of its size." * ("fine-tuned" in p.methods)
    return (
        f"{p.labels} target labels, step {now.target_step} of {p.steps}: accuracy on new examples (on its own labels) "
        f"{found}; {f'means of {p.repeats} repetitions' if p.repeats > 1 else 'one repetition'}.{moved}"
    )


def conclusion(p: Params, means: np.ndarray) -> str:
    """Which method is ahead at how many labels, and whether pre-training has paid at the chosen number."""
    best = [p.methods[i] for i in means.argmax(axis=0)]
    ahead = {m: ", ".join(str(n) for n, b in zip(p.sizes, best, strict=True) if b == m) for m in dict.fromkeys(best)}
    own = dict(zip(p.methods, means[:, p.sizes.index(p.labels)].tolist(), strict=True))
    said = "; ".join(f"{m} at {sizes}" for m, sizes in ahead.items()), ", ".join(f"{m} {own[m]:.0%}" for m in own)
    verdict = ""
    if "scratch" in own and len(own) > 1:
        gain = max(v for m, v in own.items() if m != "scratch") - own["scratch"]
        verdict = f": pre-training {'helps' if gain > 0 else 'hurts' if gain < 0 else 'changes nothing'}"
    return f"Best by number of labels: {said[0]}. With {p.labels} labels {said[1]}{verdict}."


def resnet18(classes: int) -> list[int]:
    """Parameters of the layers of ResNet-18 (He et al. 2016), a convolution with its batch norm each; last the head."""
    counts, m = [7 * 7 * 3 * 64 + 2 * 64], 64
    for n in (64, 128, 256, 512):
        counts += [9 * fan * n + 2 * n for fan in (m, n, n, n)]  # two blocks of two 3 x 3 convolutions
        counts += [m * n + 2 * n] if m != n else []  # 1 x 1 in the shortcut
        m = n
    return [*counts, (m + 1) * classes]


def trained(p: Params) -> dict:
    """How many parameters each method trains, and how many a frozen ResNet-18 would."""
    inputs, _, classes = TASKS[p.task]
    net, large = [(m + 1) * n for m, n in pairwise((inputs, *HIDDEN, classes))], resnet18(10)
    own = [f"{sum(net[plan(p, m)[-1][0] :]):,}" for m in p.methods]
    subs = [*(f"{m}, of {sum(net):,}" for m in p.methods), f"frozen ResNet-18, of {sum(large):,}"]
    title = "Parameters trained on the target; ResNet-18 with 10 classes for comparison"
    return chips(title, [*own, f"{large[-1]:,}"], [*(COLOURS[m] for m in p.methods), None], subs)


def first_layer(p: Params, first: np.ndarray) -> np.ndarray:
    """The picture of the first layer's weights (inputs, units), lowest row first; 0.4 has the full colour."""
    if p.task == "digits":  # 8 x 8 units of 8 x 8 pixels, with gaps
        first = np.pad(first.reshape(8, 8, 8, 8).transpose(2, 0, 3, 1), ((0, 0), (0, 1)) * 2).reshape(72, 72)[:71, :71]
    return first[::-1] / 0.4


PRESETS = (
    works("Related tasks", "Both tasks need the same few directions, so a new head on frozen features needs only 16 "
          "labels.", {"frozen_accuracy": ">= 0.85", "scratch_accuracy": "<= 0.7"}, repeats=3, source_steps=400),
    works("Head first", "With the new head trained alone first, a tiny rate is enough and keeps what was learned; "
          "a random head gets nowhere at it.", {"head_first_accuracy": ">= 0.85", "fine_tuned_accuracy": "<= 0.7"},
          methods=("fine-tuned", "head first"), rate=0.0001, repeats=3, source_steps=400),
    fails("Unrelated tasks", "The target lies at right angles to all that the source needs, and the frozen features "
          "are no better than a coin.", {"frozen_accuracy": "<= 0.56", "source_accuracy": ">= 0.9"},
          angle=90, repeats=3, source_steps=400),
    fails("Digits, other digits", "What tells 0 to 4 apart does not tell 5 to 9 apart: the net from scratch wins.",
          {"scratch_accuracy": ">= 0.84", "frozen_accuracy": "<= 0.75"}, task="digits", repeats=3),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Accuracy by labels; the first layer; the source and the target by step; how far every layer has moved."""
    state, end, n, chance = states[now], states[-1], len(p.methods), 1 / TASKS[p.task][2]
    column, spots, wide = p.sizes.index(p.labels), np.log2(p.sizes), 0.8 / n
    shares = {"range": [chance - 0.08, 1.02], "tickformat": ".0%", "nticks": 6}
    numbers = {"range": [1.7, 8.3], "tickvals": np.log2(LABELS), "ticktext": LABELS, "title": "labels"}
    named = {"range": [-0.5, 2.5], "tickvals": [0, 1, 2], "ticktext": ["layer 1", "layer 2", "head"]}
    sizes = {"range": [0, min(2, 1.1 * max(0.5, float(end.changes.max())))], "tickformat": ".0%", "nticks": 5}
    step, unit, from_0 = {"nticks": 5, "title": "step"}, {"range": [0, 1]}, {"range": [0, 1.02], "tickformat": ".0%"}
    fig = figure(
        600,
        Panel((0, 0.55, 0.46, 1), 290, "Target: test accuracy by number of labels", numbers, shares),
        Panel(
            (0.65, 1, 0.46, 1), 230, f"First layer{', useful on top' * (p.task == 'subspace')}", unit, unit, bare=True
        ),
        Panel((0, 0.27, 0, 0.28), 170, "Source accuracy", step | {"range": [0, p.source_steps]}, from_0),
        Panel((0.365, 0.635, 0, 0.28), 170, f"Target, {p.labels} labels", step | {"range": [0, p.steps]}, shares),
        Panel((0.73, 1, 0, 0.28), 170, "Change of each layer", named, sizes),
    )
    paint(fig, 2, first_layer(p, state.first), (0, 1), (0, 1), smooth=False)
    there = [s for s in states if not s.target_step]
    x, *source = np.array([(s.source_step, s.source_accuracy, s.source_share, s.target_share) for s in there]).T
    said = "%{y:.1%} at step %{x}"
    for y, colour, dash in zip(source, (INK, INK, MUTED), ("solid", "dot", "dot"), strict=True):
        fig["data"].append(lines(3, x, y, "", colour, line={"dash": dash}, showlegend=False, hovertemplate=said))
    (*_, high), (*_, low), corner = source[1], source[2], {"xanchor": "right", "yanchor": "bottom"}
    for y, text, colour in ((low, "┄ for target", MUTED), (max(high, low + 0.16), "┄ weight for source", INK)):
        fig["layout"]["annotations"].append(label(3, p.source_steps, y, text, colour, **corner))
    during = {s.target_step: s.accuracies[:, column].mean(axis=1) for s in states if np.isfinite(s.accuracies).any()}
    shapes, look = fig["layout"]["shapes"], {"showlegend": False, "marker": {"size": 5, "line": {"width": 0}}}
    for i, m in enumerate(p.methods):
        colour, at = SERIES[COLOURS[m]], np.arange(3) - 0.4 + i * wide
        every, done = (np.ma.masked_invalid(s.accuracies[i]).mean(axis=1).filled(np.nan) for s in (end, state))
        around, there = np.repeat(spots, p.repeats) + 0.07 * (i - n / 2 + 0.5), np.isfinite(done)
        fig["data"] += [
            points(1, around, end.accuracies[i].ravel(), m, colour, opacity=0.35, hoverinfo="skip", **look),
            lines(1, spots, every, m, colour, hovertemplate="%{y:.1%}"),
            lines(4, [*during], [v[i] for v in during.values()], m, colour, showlegend=False, hovertemplate=said),
            points(5, at + wide / 2, end.changes[i], m, colour, hovertemplate="%{y:.2%}", **look),
        ]
        shapes += [dot(1, a, b, colour, 12) for a, b in zip(spots[there], done[there], strict=True)]
        shapes += [box(5, (a, a + wide), (0, b), colour, 1, colour) for a, b in zip(at, state.changes[i], strict=True)]
    shapes += [rule(3, state.source_step), rule(4, state.target_step)]
    fig["chips"].append(trained(p))
    legend(fig, n)
    return fig
