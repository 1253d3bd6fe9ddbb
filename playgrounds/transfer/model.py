"""Pre-training, and four ways to start a second task: all nets of an experiment trained side by side, by hand."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._tasks import TASKS, TEST, Examples, digits, subspace
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import Adam, relu, softmax
from playgrounds.kit.training import kept

HIDDEN = (64, 32)  # units of the hidden layers of every net: the backbone
LABELS = (4, 8, 16, 32, 64, 128, 256)  # sizes of the target's training set that are compared
BATCH, SOURCE_RATE = 256, 2e-3
EVERY = 18  # states of the source training, and of the target training, about
AT_ONCE = 512  # target examples, of several nets, that are trained on side by side between two states


class Params(kit.Params):
    task: Literal["subspace", "digits"] = knob(
        "subspace",
        label="Tasks",
        help="subspace: 3 of 50 input directions matter to both; digits: first 0-4, then 5-9",
    )
    source: Literal[0, 100, 300, 1000, 8000] = knob(
        8000,
        label="Source examples",
        help="0: no pre-training, the backbone stays random; of the digits there are 701",
    )
    labels: int = knob(16, 4, 256, label="Target labels", help="of the nets whose training is shown", log=True)
    angle: int = knob(
        0,
        0,
        90,
        label="Angle of target to source",
        step=15,
        when=lambda p: p.task == "subspace",
        help="in degrees; 90: at right angles to all that the source needs",
    )
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


class Source(NamedTuple):  # what a state is about: the pre-training
    examples: int
    fit: float  # accuracy on them


class Target(NamedTuple):  # the training with the chosen labels
    fit: np.ndarray  # accuracy on the labels themselves, (methods,)


class Other(NamedTuple):  # one net of each method, trained with another number of labels
    labels: int
    repetition: int
    accuracy: np.ndarray  # on new examples, (methods,)


class State(NamedTuple):  # every number is the mean over the repetitions; accuracies are those on new examples
    source_accuracy: Annotated[float, Metric("right on the source task", "%")]
    source_share: Annotated[float, Metric("of layer 1's squared weight, where the source needs it", "%")]
    target_share: Annotated[float, Metric("of layer 1's squared weight, where the target needs it", "%")]
    scratch_accuracy: Annotated[float | None, Metric("right on the target, from scratch", "%", shown=True)]
    frozen_accuracy: Annotated[float | None, Metric("right on the target, frozen", "%", shown=True)]
    fine_tuned_accuracy: Annotated[float | None, Metric("right on the target, fine-tuned", "%", shown=True)]
    head_first_accuracy: Annotated[float | None, Metric("right on the target, head first", "%")]
    layer_1_change: Annotated[float | None, Metric("change of layer 1 by fine-tuning", "%")]
    layer_2_change: Annotated[float | None, Metric("change of layer 2 by fine-tuning", "%")]
    source_epochs: Annotated[float | None, Metric("passes over the source examples", digits=4)]
    tuned_parameters: Annotated[int, Metric("parameters that fine-tuning trains", "count")]
    head_per_label: Annotated[float, Metric("parameters of the head for each target label", digits=4)]
    source_step: int
    target_step: int  # with the chosen number of labels
    about: Source | Target | Other | None  # None: everything has been trained
    accuracies: np.ndarray  # (methods chosen, sizes, repetitions), nan where nothing has been trained yet
    changes: np.ndarray  # (methods chosen, layers): |W - W at the start| / |W at the start|
    first: np.ndarray  # (inputs, units) the first layer of one backbone, in the rotated inputs of its task


class Data(NamedTuple):
    source: Examples
    source_test: Examples
    target: Examples
    target_test: Examples
    needs: list[np.ndarray]  # what source and target depend on, orthonormal columns (R, inputs, k)
    bases: np.ndarray  # (R, inputs, inputs), the directions in which the weights are shown


def data(p: Params) -> Data:
    """The tasks of all repetitions, stacked."""
    rngs = [np.random.default_rng([p.seed, r]) for r in range(p.repeats)]
    if p.task == "subspace":
        made = [subspace(p.source, p.angle, rng) for rng in rngs]
    else:
        made = [digits(p.source, rng) for rng in rngs]
    *sets, needs, bases = zip(*made, strict=True)
    stacked = [Examples(*map(np.stack, zip(*examples, strict=True))) for examples in sets]
    return Data(*stacked, [np.stack(basis) for basis in zip(*needs, strict=True)], np.stack(bases))


def layers(p: Params, part: int, *widths: int) -> list[np.ndarray]:
    """W of shape (R, inputs, units) and b of shape (R, 1, units) of every layer, drawn as torch.nn.Linear does."""
    rngs = [np.random.default_rng([p.seed, r, part]) for r in range(p.repeats)]
    theta = []
    for m, n in pairwise(widths):
        theta.append(np.stack([rng.uniform(-1, 1, (m, n)) / m**0.5 for rng in rngs]).astype(np.float32))
        theta.append(np.stack([rng.uniform(-1, 1, (1, n)) / m**0.5 for rng in rngs]).astype(np.float32))
    return theta


def forward(x: np.ndarray, theta: list[np.ndarray]) -> list[np.ndarray]:
    """Values of all layers for x of shape (R, n, inputs): ReLU but for the last, whose values are logits."""
    values = [x]
    for i in range(0, len(theta), 2):
        z = values[-1] @ theta[i] + theta[i + 1]
        values.append(z if i == len(theta) - 2 else relu(z))
    return values


def backward(values: list[np.ndarray], y: np.ndarray, theta: list[np.ndarray]) -> list[np.ndarray]:
    """Gradients of every net's mean cross-entropy, in the order of theta; y one-hot, of shape (R, n, classes)."""
    d = (softmax(values[-1]) - y) / np.float32(y.shape[1])
    gradients: list[np.ndarray] = []
    for i in range(len(theta) - 2, -1, -2):
        h = values[i // 2]
        gradients = [h.mT @ d, d.sum(axis=1, keepdims=True), *gradients]
        if i:
            d = (d @ theta[i].mT) * (h > 0)
    return gradients


class Part(NamedTuple):  # of a training
    frozen: int  # layers, from the input on
    rate: float
    steps: int


def plan(p: Params, method: str) -> list[Part]:
    """The parts of the target's training, one after the other."""
    head, tuned = Part(2, p.head_rate, p.steps), Part(p.freeze, p.rate, p.steps)
    if method == "head first":
        half = p.steps // 2
        return [head._replace(steps=half), tuned._replace(steps=p.steps - half)]
    return [{"scratch": Part(0, p.rate, p.steps), "frozen": head, "fine-tuned": tuned}[method]]


def train(
    theta: list, x: np.ndarray, y: np.ndarray, parts: Sequence[Part], film: Sequence[int], rng: Any = None
) -> Iterator[tuple[int, list] | None]:
    """Train R nets side by side; yield (step, theta) at the steps of `film`, which starts with 0, None at the others.

    rng: draws batches; None: all examples each time. What frozen layers make of the examples is computed once, and only
    the layers above them are trained.
    """
    t, nets = 0, np.arange(len(y))[:, None]
    y = np.eye(theta[-1].shape[-1], dtype=np.float32)[y]
    yield t, theta
    for frozen, rate, steps in parts:
        below, above = theta[: 2 * frozen], [w.copy() for w in theta[2 * frozen :]]
        h = relu(forward(x, below)[-1]) if below else x
        optimizer = Adam(above, rate)
        for _ in range(steps):
            at = (nets, rng.integers(y.shape[1], size=(len(y), BATCH))) if rng else slice(None)
            optimizer.step(backward(forward(h[at], above), y[at], above))
            t += 1
            yield (t, below + [w.copy() for w in above]) if t in film else None
        theta = below + above


def accuracy(theta: list[np.ndarray], examples: Examples) -> np.ndarray:
    """Of each net, shape (R,)."""
    return (forward(examples.x, theta)[-1].argmax(axis=-1) == examples.y).mean(axis=1)


def share(theta: list[np.ndarray], basis: np.ndarray) -> float:
    """Of the first layer's squared weight, in the span of the basis; k of n directions have k / n by chance."""
    inside, whole = (basis.mT @ theta[0]) ** 2, theta[0] ** 2
    return float((inside.sum(axis=(1, 2)) / whole.sum(axis=(1, 2))).mean())


def change(theta: list[np.ndarray], start: list[np.ndarray]) -> list[float]:
    """|W - W at the start| / |W at the start| per layer, mean over the nets."""

    def size(w: np.ndarray) -> np.ndarray:
        return np.linalg.norm(w, axis=(1, 2))

    return [float((size(a - b) / size(b)).mean()) for a, b in zip(theta[::2], start[::2], strict=True)]


def run(p: Params) -> Iterator[State | None]:
    """The source task; the target with the chosen labels, step by step; every other number of labels, net by net."""
    source, source_test, target, target_test, needs, bases = data(p)
    task = TASKS[p.task]
    random, head = layers(p, 1, task.inputs, *HIDDEN, task.kinds), layers(p, 2, HIDDEN[-1], task.classes)
    accuracies, changes = np.full((len(p.methods), len(p.sizes), p.repeats), np.nan), np.zeros((len(p.methods), 3))

    def few(examples: Examples, n: int, nets: slice = slice(None)) -> Examples:
        return Examples(examples.x[nets, :n], examples.y[nets, :n])

    sizes = [(m + 1) * n for m, n in pairwise((task.inputs, *HIDDEN, task.classes))]  # parameters of every layer
    parts = [Part(0, SOURCE_RATE, p.source_steps)] if p.source else []
    for trained in train(random, *source, parts, kept(p.source_steps, EVERY), np.random.default_rng(p.seed)):
        if trained is None:
            yield None
            continue
        t, theta = trained
        new = float(accuracy(theta, source_test).mean())
        state = State(
            source_accuracy=new,
            source_share=share(theta, needs[0]),
            target_share=share(theta, needs[1]),
            scratch_accuracy=None,
            frozen_accuracy=None,
            fine_tuned_accuracy=None,
            head_first_accuracy=None,
            layer_1_change=None,
            layer_2_change=None,
            source_epochs=BATCH * p.source_steps / source.y.shape[1] if p.source else None,
            tuned_parameters=sum(sizes[p.freeze :]),
            head_per_label=sizes[-1] / p.labels,
            source_step=t,
            target_step=0,
            about=Source(source.y.shape[1], float(accuracy(theta, few(source, TEST)).mean()) if p.source else new),
            accuracies=accuracies,
            changes=changes,
            first=(bases[0].T @ theta[0][0]).astype(np.float32),
        )
        yield state

    # The head is new, and so scratch differs from fine-tuning in nothing but the pre-training.
    starts = {method: (random if method == "scratch" else theta)[:4] + head for method in p.methods}

    def training(size: int, nets: slice, film: Sequence[int]) -> Iterator[tuple]:
        """All methods side by side with some of the nets: a (step, theta) or None of each."""
        labelled = few(target, size, nets)
        return zip(*(train([w[nets] for w in starts[m]], *labelled, plan(p, m), film) for m in p.methods), strict=True)

    for now in training(p.labels, slice(None), kept(p.steps, EVERY)):
        if now[0] is None:
            yield None
            continue
        thetas = {method: theta for method, (_, theta) in zip(p.methods, now, strict=True)}
        accuracies = accuracies.copy()
        accuracies[:, p.sizes.index(p.labels)] = [accuracy(theta, target_test) for theta in thetas.values()]
        means = dict(zip(p.methods, accuracies[:, p.sizes.index(p.labels)].mean(axis=1).tolist(), strict=True))
        moved = {method: change(theta, starts[method]) for method, theta in thetas.items()}
        layer_1, layer_2, _ = moved.get("fine-tuned", [None] * 3)
        fit = np.array([accuracy(theta, few(target, p.labels)).mean() for theta in thetas.values()])
        state = state._replace(
            scratch_accuracy=means.get("scratch"),
            frozen_accuracy=means.get("frozen"),
            fine_tuned_accuracy=means.get("fine-tuned"),
            head_first_accuracy=means.get("head first"),
            layer_1_change=layer_1,
            layer_2_change=layer_2,
            target_step=now[0][0],
            about=Target(fit),
            accuracies=accuracies,
            changes=np.array(list(moved.values())),
        )
        yield state

    for i, size in enumerate(p.sizes):
        if size == p.labels:
            continue
        side = max(1, AT_ONCE // size)
        for low in range(0, p.repeats, side):
            nets = slice(low, min(low + side, p.repeats))
            for ends in training(size, nets, [p.steps]):
                if ends[0] is None:
                    yield None
            found = np.array([accuracy(theta, few(target_test, TEST, nets)) for _, theta in ends])
            for r, values in enumerate(found.T, start=low):
                accuracies = accuracies.copy()
                accuracies[:, i, r] = values
                state = state._replace(about=Other(size, r + 1, values), accuracies=accuracies)
                yield state
    yield state._replace(about=None)
