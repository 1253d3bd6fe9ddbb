"""Two nets learn to write a sequence reversed: one from a single vector, one with attention."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._cells import VectorAdam
from playgrounds._encoder_decoder import LONGEST, EncoderDecoder, PositionAttention
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import kept

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
BATCH, TEST = 64, 64  # new sequences of a training step, and of every length that is tested
CLIP = 1.0  # the largest norm of a gradient
STATES = 40  # of the training, about

Net = EncoderDecoder | PositionAttention


class Params(kit.Params):
    task: Literal["reverse", "copy", "sort"] = knob("reverse", label="Task", help="what both nets learn to write")
    queries: Literal["position", "decoder state"] = knob(
        "position",
        label="Attention asks by",
        help="position: learned queries and keys, no recurrence; decoder state: a GRU's, over GRU states",
    )
    text: str = knob(
        "cabbagehead",
        0,
        200,
        label="Your sequence",
        help="letters of the vocabulary (a to h unless you change it under More); others are left out",
    )
    longest: int = knob(12, 2, LONGEST, label="Longest sequence T", help="in training and in the test")
    hidden: int = knob(32, 2, 40, label="State size", help="numbers in the vector between encoder and decoder")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the first weights and all sequences")
    steps: int = knob(300, 10, 400, label="Steps", help=f"of Adam, {BATCH} new sequences each", step=10, more=True)
    rate: float = knob(0.01, 0.0005, 0.05, label="Learning rate η", log=True, more=True)
    letters: int = knob(8, 2, 26, label="Letters of the vocabulary", more=True)
    lengths: Literal["1 to T", "T only"] = knob(
        "1 to T", label="Training lengths", help="each step has sequences of one length, drawn from these", more=True
    )

    @property
    def typed(self) -> list[int]:
        """The reader's letters that the vocabulary has, as numbers, up to LONGEST; its first four if there are none."""
        known = [ALPHABET.index(c) for c in self.text.lower() if c in ALPHABET[: self.letters]]
        return known[:LONGEST] or list(range(min(4, self.letters)))

    @property
    def short(self) -> int:
        """The length that counts as short: a third of the longest."""
        return max(1, round(self.longest / 3))

    @property
    def tested(self) -> list[int]:
        """The lengths whose accuracy is measured."""
        return sorted({self.short, *np.linspace(1, self.longest, 6).round().astype(int).tolist()})

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES)) + len(self.typed)


class State(NamedTuple):
    trained: int  # steps of training so far
    written: int  # letters of the reader's sequence that are shown as written; during training all of them
    # On new sequences of the longest length, decoded greedily; short: of a third of it; own: on the reader's sequence,
    # as far as it is written.
    plain_accuracy: Annotated[float, Metric("right letters, plain net", "%", shown=True)]
    attention_accuracy: Annotated[float, Metric("right letters, with attention", "%", shown=True)]
    plain_short: Annotated[float, Metric("right letters of short sequences, plain net", "%")]
    attention_short: Annotated[float, Metric("right letters of short sequences, with attention", "%")]
    plain_whole: Annotated[float, Metric("short sequences without a mistake, plain net", "%")]
    plain_own: Annotated[float, Metric("right letters of your sequence, plain net", "%")]
    attention_own: Annotated[float, Metric("right letters of your sequence, with attention", "%")]
    # Of attention's rows at the longest length; needed: where the right letter stands in the input.
    aligned: Annotated[float, Metric("outputs that look most at the letter they need", "%", shown=True)]
    needed_weight: Annotated[float, Metric("mean weight on the needed letter")]
    largest_weight: Annotated[float, Metric("mean of the largest weights")]
    plain_loss: Annotated[float | None, Metric("training loss, plain net")]
    attention_loss: Annotated[float | None, Metric("training loss, with attention")]
    batch: int | None  # letters of the sequences of this training step
    curves: np.ndarray  # (2, lengths tested): accuracy of the plain net and of the one with attention
    scores: np.ndarray  # (n, n) q·k / √d of the reader's sequence: a row per letter written
    weights: np.ndarray  # (n, n) their softmax
    probs: np.ndarray  # (2, n, letters): p(letter) of every step, plain and with attention
    vector: np.ndarray  # (hidden,) all that the plain net's decoder is given of the reader's sequence


class Step(NamedTuple):
    """Of the training."""

    number: int
    batch: int | None = None  # letters of its sequences
    losses: tuple[float | None, ...] = (None, None)  # of both nets


def needed(task: str, x: np.ndarray) -> np.ndarray:
    """Where in the input each letter of the right output stands: positions of the shape of x, (n, batch)."""
    if task == "sort":
        return np.argsort(x, axis=0, kind="stable")
    places = np.arange(len(x))[:, None].repeat(x.shape[1], axis=1)
    return places[::-1] if task == "reverse" else places


def solve(task: str, x: np.ndarray) -> np.ndarray:
    """The right output."""
    return x[needed(task, x), np.arange(x.shape[1])]


def nets(p: Params) -> tuple[EncoderDecoder, Net]:
    """The plain net, and the one with attention; what they share starts with the same weights."""
    plain = EncoderDecoder(p.letters, p.hidden, False, np.random.default_rng([p.seed, 1]))
    if p.queries == "position":
        return plain, PositionAttention(p.letters, p.hidden, np.random.default_rng([p.seed, 2]))
    return plain, EncoderDecoder(p.letters, p.hidden, True, np.random.default_rng([p.seed, 1]))


def clipped(net: Net, gradients: dict[str, np.ndarray]) -> np.ndarray:
    """The gradient as a vector like theta, its norm at most CLIP."""
    g = np.concatenate([gradients[name].ravel() for name in net.w])
    return g * min(1, CLIP / max(float(np.linalg.norm(g)), 1e-12))


def train(p: Params, both: tuple[EncoderDecoder, Net]) -> Iterator[Step]:
    """Train the nets on the same batches."""
    rng = np.random.default_rng([p.seed, 3])
    optimizers = [VectorAdam(net.theta, p.rate) for net in both]
    yield Step(0)
    for step in range(1, p.steps + 1):
        n = int(rng.integers(1 if p.lengths == "1 to T" else p.longest, p.longest + 1))
        x = rng.integers(p.letters, size=(n, BATCH))
        losses = []
        for net, adam in zip(both, optimizers, strict=True):
            loss, gradients = net.gradients(x, solve(p.task, x))
            adam.step(clipped(net, gradients))
            losses.append(loss)
        yield Step(step, n, tuple(losses))


def measured(p: Params, both: tuple[EncoderDecoder, Net], tests: list[np.ndarray], step: Step) -> State:
    """What both nets make of new sequences of every length, and of the reader's."""
    curves, whole, short = np.zeros((2, len(tests))), np.zeros((2, len(tests))), p.tested.index(p.short)
    for i, net in enumerate(both):
        for j, x in enumerate(tests):
            written = net.decode(x)
            right = written.letters == solve(p.task, x)
            curves[i, j], whole[i, j] = right.mean(), right.all(axis=0).mean()
    weights, place = written.weights, needed(p.task, x).T  # of the net with attention, on the longest sequences
    own = np.array(p.typed)[:, None]
    plain, attention = (net.decode(own) for net in both)
    return State(
        trained=step.number,
        written=len(own),
        plain_accuracy=float(curves[0, -1]),
        attention_accuracy=float(curves[1, -1]),
        plain_short=float(curves[0, short]),
        attention_short=float(curves[1, short]),
        plain_whole=float(whole[0, short]),
        plain_own=float((plain.letters == solve(p.task, own)).mean()),
        attention_own=float((attention.letters == solve(p.task, own)).mean()),
        aligned=float((weights.argmax(axis=-1) == place).mean()),
        needed_weight=float(np.take_along_axis(weights, place[..., None], axis=-1).mean()),
        largest_weight=float(weights.max(axis=-1).mean()),
        plain_loss=step.losses[0],
        attention_loss=step.losses[1],
        batch=step.batch,
        curves=curves,
        scores=attention.scores[0],
        weights=attention.weights[0],
        probs=np.stack([plain.probs, attention.probs])[..., 0],
        vector=both[0].read(own).states[-1, :, 0].copy(),
    )


def run(p: Params) -> Iterator[State | None]:
    """Train both nets and decode the reader's sequence now and then; at the end decode it letter by letter."""
    both, rng = nets(p), np.random.default_rng([p.seed, 4])
    tests = [rng.integers(p.letters, size=(n, TEST)) for n in p.tested]
    film = set(kept(p.steps, STATES))
    for step in train(p, both):
        if step.number not in film:
            yield None  # nothing to see yet, but time may be up
            continue
        state = measured(p, both, tests, step)
        yield state
    own = np.array(p.typed)[:, None]
    right = state.probs.argmax(axis=-1) == solve(p.task, own)[:, 0]
    for t in range(1, len(own) + 1):
        plain, attention = right[:, :t].mean(axis=1).tolist()
        yield state._replace(written=t, plain_own=plain, attention_own=attention)
