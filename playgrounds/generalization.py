"""A net large enough to memorize its few noisy points does so; regularizers hold it back, at a price in training loss.

Left out: mini-batches, whose noise regularizes too, and a third set of points on which to report the error, since the
second has chosen the checkpoint. Losses are measured in evaluation mode, on unmoved points, without the L2 penalty.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.data import grid
from playgrounds.kit.figures import (
    Figure,
    Panel,
    classes,
    dot,
    figure,
    label,
    lines,
    paint,
    points,
    polyline,
    rule,
    short,
)  # fmt: skip
from playgrounds.kit.forms import cloud
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number

VALIDATION = 2000  # points
MOST = 150  # times that the losses are measured, the start apart: every second epoch of 300
PASSES = 300  # of one input in training mode
INPUTS = 20  # of the task without a pattern
HELD_OUT = 4  # of the reader's own points every fourth of a class is a validation point
OWN = (
    "-0.8,0.1,0\n-0.7,0.5,0\n-0.5,0.8,0\n-0.4,0.3,0\n-0.2,0.9,0\n-0.1,0.5,0\n0.1,0.2,0\n0.2,0.7,0\n"
    "0.4,0.5,0\n0.5,0.1,0\n0.4,-0.4,0\n-0.3,0,0\n-0.5,-0.1,1\n-0.4,-0.6,1\n0,-0.2,1\n-0.2,-0.5,1\n"
    "0.1,-0.8,1\n0.2,-0.3,1\n0.4,-0.7,1\n0.5,-0.2,1\n0.7,-0.5,1\n0.8,0,1\n-0.6,0.7,1\n0.1,-0.5,1"
)
CELLS, BINS = 40, 20  # of the pictures: cells a side of the square, bars of a histogram

# By what every hidden activation is multiplied, in training and in evaluation, if the share q = 1 - p of units is kept.
SCALING = {
    "inverted": lambda q: (1 / q, 1.0),
    "original": lambda q: (1.0, q),  # Srivastava et al. 2014
    "divided at test": lambda q: (1 / q, 1 / q),
    "none": lambda q: (1.0, 1.0),
}


class Params(kit.Params):
    data: Literal["moons", "random", "own"] = knob(
        "moons", label="Data", help="random: 20 normal inputs, and the label is the flip of a coin"
    )
    points: str = knob(
        OWN, 0, 2, form="points", label="Your points", when=lambda p: p.data == "own",
        help="every fourth of a colour is held out for validation",
    )  # fmt: skip
    n: int = knob(60, 20, 500, label="Training points", step=10, when=lambda p: p.data != "own")
    l2: float = knob(
        0.0, 0, 0.3, label="L2 penalty λ", help="adds λ/2 · (sum of squared weights) to the loss", step=0.005
    )
    dropout: float = knob(0.0, 0, 0.9, label="Dropout p", help="share of hidden units off in each step", step=0.05)
    scaling: Literal["inverted", "original", "divided at test", "none"] = knob(
        "inverted",
        label="Scaling of dropout",
        help="inverted: × 1/(1−p) in training; original: × (1−p) at test; divided at test: × 1/(1−p) in both",
        when=lambda p: p.dropout > 0,
    )
    jitter: float = knob(
        0.0,
        0,
        0.6,
        label="Augmentation σ",
        help="every step trains on copies of the points, moved by normal noise of this size, with the same labels",
        step=0.05,
    )
    patience: int = knob(
        50, 1, 600, label="Patience", help="epochs without a lower validation loss before training should end", log=True
    )
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the points, the first weights and all noise")
    epochs: int = knob(300, 10, 600, label="Epochs", help="steps: each sees all training points", step=10, more=True)
    noise: float = knob(
        0.35, 0, 0.5, label="Noise", help="spread of the points", step=0.05, more=True, when=lambda p: p.data == "moons"
    )
    flipped: float = knob(
        0.0,
        0,
        1,
        label="Labels by coin",
        help="share of the training labels that a coin decides; validation labels stay right",
        step=0.1,
        more=True,
        when=lambda p: p.data == "moons",
    )
    width: Literal[2, 8, 32, 128, 256] = knob(128, label="Units per hidden layer", more=True)
    layers: int = knob(2, 1, 2, label="Hidden layers", more=True)
    rate: float = knob(0.003, 0.0001, 0.1, label="Learning rate of Adam", log=True, more=True)
    compare: bool = knob(
        True,
        label="Show the net without",
        help="the same net on the same points, without L2, dropout and augmentation",
        more=True,
        when=lambda p: p.l2 or p.dropout or p.jitter,
    )

    @property
    def missing(self) -> bool:
        """Whether a class of the reader's own points is too small to hold one of them out."""
        return self.data == "own" and min((cloud(self.points)[1] == c).sum() for c in (0, 1)) < HELD_OUT

    @property
    def span(self) -> float:
        """The pictures of the plane show the square from -span to span."""
        return 1.2 if self.data == "own" else 2.2

    @property
    def length(self) -> int:
        return 1 if self.missing else len(kept(self.epochs, MOST))


class State(NamedTuple):
    step: int  # epochs done
    loss: float  # cross-entropy on the training points, in evaluation mode and without the penalty
    validation_loss: float
    gap: float  # validation loss less training loss
    accuracy: float  # share of the training points whose label the net gives
    validation_accuracy: float
    checkpoint_epoch: int  # that early stopping keeps
    checkpoint_loss: float  # the validation loss of the checkpoint
    spread: float  # standard deviation of one input's log-odds in training mode
    note: str
    stop: int | None  # epoch at which patience ended
    plain: tuple[float, ...]  # the four measures of the same net without regularizers; empty without comparison
    picture: np.ndarray  # in the plane: log-odds of class 1, (CELLS, CELLS); random: see histograms
    checkpoint: np.ndarray  # the picture of the checkpoint
    mask: np.ndarray  # (width,), 1 where a unit of the first hidden layer was on for the first training point
    cloud: np.ndarray  # (PASSES,) log-odds of one input in training mode
    evaluation: np.ndarray  # (1,) its log-odds in evaluation mode
    asked: np.ndarray  # that input
    points: tuple[np.ndarray, ...]  # training inputs and labels, validation inputs and labels


def sample(p: Params) -> tuple[np.ndarray, ...]:
    """Training x, y, validation x, y, and one input of class 1; x of shape (n, 2 or INPUTS), y of 0 and 1."""
    rng = np.random.default_rng(p.seed)
    if p.data == "random":
        x, x_val = rng.normal(size=(p.n, INPUTS)), rng.normal(size=(VALIDATION, INPUTS))
        y, y_val = rng.integers(0, 2, p.n), rng.integers(0, 2, VALIDATION)
        return x, y, x_val, y_val, x[y.argmax()]
    if p.data == "own":
        x, y = cloud(p.points)
        held = np.zeros(len(x), bool)
        for c in (0, 1):
            held[np.flatnonzero(y == c)[HELD_OUT - 1 :: HELD_OUT]] = True
        y = y.astype(int)
        return x[~held], y[~held], x[held], y[held], x[y.argmax()]

    from sklearn.datasets import make_moons

    x, y = make_moons(p.n, noise=p.noise, random_state=int(rng.integers(2**31)))
    x_val, y_val = make_moons(VALIDATION, noise=p.noise, random_state=int(rng.integers(2**31)))
    by_coin = rng.permutation(p.n) < round(p.flipped * p.n)
    y = np.where(by_coin, rng.integers(0, 2, p.n), y)
    middle = 0.5, 0.25
    return x - middle, y, x_val - middle, y_val, np.array([0.5, -0.75])  # the lowest point of the lower moon


def masks(rows: int, width: int, layers: int, dropout: float, rng: Any) -> list[Any]:
    """For every hidden layer a tensor (rows, width): 1 with probability 1 - dropout, else 0, anew for each example."""
    import torch

    return [torch.empty(rows, width).bernoulli_(1 - dropout, generator=rng) for _ in range(layers)]


def forward(x: Any, net: list, scale: float = 1.0, mask: Sequence[Any] = ()) -> Any:
    """Logits (n, 2) for a tensor x (n, inputs). Hidden activations are multiplied by scale and, if given, a mask."""
    import torch

    h = x
    for layer, (w, b) in enumerate(net[:-1]):
        h = torch.relu(torch.nn.functional.linear(h, w, b))
        if mask:
            h = h * mask[layer]
        if scale != 1:
            h = h * scale
    return torch.nn.functional.linear(h, *net[-1])


def train(p: Params, x: Any, y: Any, l2: float, dropout: float, jitter: float) -> Iterator[tuple[list, Any]]:
    """Yield the net, a list of (W, b), before training and after every epoch, with the masks of that epoch's step.

    The net is one and the same and changes. Adam's steps are bounded, so that no rate of the knob makes it overflow.
    """
    import torch

    rng = torch.Generator().manual_seed(p.seed)
    net = []
    for fan_in, fan_out in pairwise([x.shape[1], *[p.width] * p.layers, 2]):
        bound = fan_in**-0.5  # torch.nn.Linear's own first weights
        shapes = (fan_out, fan_in), (fan_out,)
        net.append([torch.empty(s).uniform_(-bound, bound, generator=rng).requires_grad_() for s in shapes])
    optimizer = torch.optim.Adam([theta for layer in net for theta in layer], lr=p.rate, fused=True)
    scale, _ = SCALING[p.scaling](1 - dropout)
    mask = ()
    while True:
        yield net, mask
        inputs = x + jitter * torch.randn(x.shape, generator=rng) if jitter else x
        mask = masks(len(x), p.width, p.layers, dropout, rng) if dropout else ()
        loss = torch.nn.functional.cross_entropy(forward(inputs, net, scale, mask), y)
        if l2:
            loss = loss + l2 / 2 * sum(w.square().sum() for w, _ in net)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def run(p: Params) -> Iterator[State]:
    """Train, beside it the same net without regularizers; a state per epoch, or per few epochs of a long run."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    if p.missing:
        yield nothing(p)
        return
    *arrays, asked = sample(p)
    x, y, x_val, y_val = (torch.tensor(a, dtype=torch.float32 if a.ndim == 2 else torch.int64) for a in arrays)
    n, known = len(x), len(x) + len(x_val)  # `seen` begins with the training points, then come the validation points
    cells = torch.tensor(grid(CELLS, p.span) if p.data != "random" else np.zeros((0, INPUTS)), dtype=torch.float32)
    seen = torch.cat([x, x_val, torch.tensor(asked[None], dtype=torch.float32), cells])
    in_training, in_evaluation = SCALING[p.scaling](1 - p.dropout)
    passes = torch.Generator().manual_seed(p.seed + 1)

    def measures(z: Any) -> tuple[float, ...]:
        """Training loss, validation loss and the two accuracies, of logits z for `seen`."""
        sets = (z[:n], y), (z[n:known], y_val)
        losses = [float(torch.nn.functional.cross_entropy(*one)) for one in sets]
        return (*losses, *(float((logits.argmax(1) == labels).double().mean()) for logits, labels in sets))

    training = train(p, x, y, p.l2, p.dropout, p.jitter)
    twin = train(p, x, y, 0, 0, 0) if p.compare and (p.l2 or p.dropout or p.jitter) else None
    best, best_loss, checkpoint, stop = 0, np.inf, None, None
    film = set(kept(p.epochs, MOST))
    for epoch in range(p.epochs + 1):
        net, mask = next(training)
        without, _ = next(twin) if twin else (None, ())
        if epoch not in film:
            continue
        with torch.no_grad():
            z = forward(seen, net, in_evaluation)
            loss, validation_loss, accuracy, validation_accuracy = measures(z)
            plain = measures(forward(seen[:known], without)) if twin else ()
            answers = evaluation = z[known].diff()
            if p.dropout:
                drawn = masks(PASSES, p.width, p.layers, p.dropout, passes)
                answers = forward(seen[known].expand(PASSES, -1), net, in_training, drawn).diff()[:, 0]
        odds = (z[:, 1] - z[:, 0]).double().numpy()
        if p.data != "random":
            picture = odds[-(CELLS**2) :].reshape(CELLS, CELLS).astype(np.float32)
        else:
            picture = histograms(odds[:n], arrays[1], odds[n:-1], arrays[3])

        # Early stopping: keep the best net so far, until it has not been beaten for `patience` epochs.
        if stop is None and validation_loss < best_loss:
            best, best_loss, checkpoint = epoch, validation_loss, picture
        if stop is None and epoch - best >= p.patience:
            stop = epoch
        state = State(
            epoch, loss, validation_loss, validation_loss - loss, accuracy, validation_accuracy, best, best_loss,
            float(answers.double().std(correction=0)), "", stop, plain, picture, checkpoint,
            mask[0][0].numpy().copy() if len(mask) else np.ones(p.width, np.float32),
            answers.numpy(), evaluation.numpy(), asked, tuple(arrays),
        )  # fmt: skip
        yield state._replace(note=note(p, state))


def nothing(p: Params) -> State:
    """The only state of too few points."""
    x, y = cloud(p.points)
    said = (
        f"Too few points: {(y == 0).sum()} blue and {(y == 1).sum()} orange. Put at least {HELD_OUT} of each colour "
        "into the plane; every fourth of a colour is held out for validation."
    )
    flat, zero, y = np.zeros((CELLS, CELLS), np.float32), np.zeros(1, np.float32), y.astype(int)
    return State(
        0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0, said, None, (), flat, flat,
        np.ones(p.width, np.float32), zero, zero, np.zeros(2), (x, y, x[:0], y[:0]),
    )  # fmt: skip


def histograms(odds: np.ndarray, y: np.ndarray, odds_val: np.ndarray, y_val: np.ndarray) -> np.ndarray:
    """Shares of the points of a class by their probability of class 1: (training and validation, classes, BINS)."""
    probabilities = [0.5 * (1 + np.tanh(z / 2)) for z in (odds, odds_val)]
    counts = [
        [np.histogram(q[labels == c], BINS, (0, 1))[0] / max(1, (labels == c).sum()) for c in (0, 1)]
        for q, labels in zip(probabilities, (y, y_val), strict=True)
    ]
    return np.array(counts)


def strengths(p: Params) -> str:
    """The regularizers that are on: L2 0.02 and dropout 0.5."""
    on = (("L2", p.l2), ("dropout", p.dropout), ("augmentation", p.jitter))
    return " and ".join(f"{name} {number(value)}" for name, value in on if value)


def note(p: Params, now: State) -> str:
    """What the losses are at this epoch, and what each regularizer has to do with it."""
    beside = [f" (without {number(value)})" for value in now.plain if now.step] or ["", ""]
    when = f"Epoch {now.step}{f', with {strengths(p)}' if now.plain else ''}" if now.step else "Before training"
    losses = f"training loss {number(now.loss)}{beside[0]}, validation loss {number(now.validation_loss)}{beside[1]}"
    said = [f"{when}: {losses}."]
    if p.data != "moons" or p.flipped:
        n, held = len(now.points[1]), len(now.points[3])
        right = f"{round(now.accuracy * n)} of {n} training labels"
        others = f"{round(now.validation_accuracy * held):,} of {held:,} validation labels"
        said.append(f"Right: {right}, {others}, {100 * now.validation_accuracy:.1f} %.")
    if now.stop is not None:
        ended = f"Early stopping ended at epoch {now.stop}, {now.stop - now.checkpoint_epoch} after the lowest"
        said.append(f"{ended}: it returns epoch {now.checkpoint_epoch}, validation loss {number(now.checkpoint_loss)}.")
    elif now.step > now.checkpoint_epoch:
        waited = counted(now.step - now.checkpoint_epoch, "epoch")
        said.append(f"The lowest was {number(now.checkpoint_loss)}, {waited} ago; patience ends at {p.patience}.")
    if p.dropout and now.step:
        off = f"for the first point {round(float(p.width - now.mask.sum()))} of {p.width} units of layer 1 were off"
        mode = f"{number(now.cloud.mean())} ± {number(now.spread)} in {PASSES} passes of training mode"
        where = "at ◎" if p.data != "random" else "of a training point"
        said.append(f"Dropout: {off}; log-odds {where} {mode}, {number(now.evaluation[0])} in evaluation.")
    return " ".join(said)


PRESETS = (
    works("A penalty on the weights", "Large weights cost something, so the net gives up single noisy points, and the "
          "validation loss stays low.", {"validation_loss": "<= 0.35", "gap": "<= 0.1"}, l2=0.02, epochs=150),
    works("More points", "With 500 points there is no room to learn each of them by heart: both losses stay together.",
          {"gap": "<= 0.1", "validation_accuracy": ">= 0.85"}, n=500, epochs=100),
    fails("Random labels", "The net learns every one of the coin flips and guesses new ones: a perfect training score "
          "that is worth nothing.", {"accuracy": ">= 0.99", "validation_accuracy": "<= 0.55"},
          data="random", n=100, layers=1, epochs=150),
    fails("A penalty too strong", "With λ = 0.3 the weights stay so small that the net does not even fit its own "
          "points: it underfits.", {"loss": ">= 0.4", "gap": "<= 0.1"}, l2=0.3, epochs=150, compare=False),
)  # fmt: skip


GREEN = SERIES[2]  # validation; training is INK
LOSS, ACCURACY, LEFT, RIGHT, UNITS, CLOUD = range(1, 7)  # panels
STILL = {"hoverinfo": "skip"}


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The boundary now and at the checkpoint, or what the net says to random points; losses and accuracies by epoch."""
    state, plane = states[now], p.data != "random"
    curves = np.array(
        [(s.step, s.loss, s.validation_loss, s.accuracy, s.validation_accuracy, *s.plain) for s in states]
    )
    highest = curves[:, [1, 2, 5, 6] if state.plain else [1, 2]].max() or 1.0
    epochs = {"range": [0, p.epochs], "nticks": 5}
    lowest = curves[:, [3, 4, 7, 8] if state.plain else [3, 4]].min()
    shares = {"range": [min(0.4, short(lowest)), 1.02], "nticks": 4}
    key = f'training ━ <span style="color:{GREEN}">validation ━</span>{", without ┄" if state.plain else ""}'
    if plane:
        left, right, tall = "Boundary now, training points ●", "Boundary of the checkpoint", 300
        left = "Now: training ●  validation ○" if p.data == "own" else left
        x = y = {"range": [-p.span, p.span], "nticks": 5}
    else:
        left, right, tall = "Training points: class 1 ▲, class 0 ▼", "Validation points", 190
        x = {"range": [-0.02, 1.02], "nticks": 5, "title": "probability of class 1"}
        y = {"range": [-1.1, 1.1], "visible": False}  # shares of the points of a class
    low, high = (0.57, 0.18) if p.dropout else (0.43, 0.27)  # of the pictures, of the curves
    fig = figure(
        720 if p.dropout else 560,
        Panel((0, 0.6, 0, high), 180, f"Loss: {key}", epochs, {"range": [0, short(1.05 * highest)], "nticks": 4}),
        Panel((0.68, 1, 0, high), 110, "Accuracy", epochs, shares),
        Panel((0, 0.47, low, 1), tall, left, x, y, square=plane),
        Panel((0.53, 1, low, 1), tall, right, x, y, square=plane),
        *(dropout_panels(states, "At ◎" if plane else "One point") if p.dropout else ()),
    )
    for panel, first in ((LOSS, 1), (ACCURACY, 3)):
        for column, name, colour in ((first, "training", INK), (first + 1, "validation", GREEN)):
            if state.plain:
                faint = STILL | {"line": {"width": 1.5, "dash": "dot"}, "opacity": 0.7}
                fig["data"].append(lines(panel, curves[:, 0], curves[:, column + 4], "without", colour, **faint))
            fig["data"].append(lines(panel, curves[:, 0], curves[:, column], name, colour))
    if plane:
        boundaries(fig, p, state)
    else:
        answers(fig, state)
    if p.dropout:
        dropout_view(fig, p, state)
    cursors = [rule(panel, state.step) for panel in (LOSS, ACCURACY)]
    stops = [rule(panel, state.stop, GREEN, "dot") for panel in (LOSS, ACCURACY) if state.stop is not None]
    checkpoint = dot(LOSS, state.checkpoint_epoch, state.checkpoint_loss, GREEN)
    fig["layout"]["shapes"] += [*cursors, *stops, checkpoint]
    return fig


def boundaries(fig: Figure, p: Params, state: State) -> None:
    """The output over the plane, now and at the checkpoint, with the training points."""
    x, y, x_val, y_val = state.points
    for panel, picture in ((LEFT, state.picture), (RIGHT, state.checkpoint)):
        paint(fig, panel, np.tanh(picture / 2), (-p.span, p.span), (-p.span, p.span))
        marker = {"size": 8 if len(x) < 200 else 6}
        fig["data"].append(points(panel, *x.T, "training", classes(y), marker=marker, **STILL))
        if p.data == "own":
            hollow = {"size": 8, "symbol": "circle-open", "line": {"width": 2}}
            fig["data"].append(points(panel, *x_val.T, "validation", classes(y_val), marker=hollow, **STILL))
        if p.dropout:
            fig["layout"]["annotations"].append(label(panel, *state.asked, "◎", INK, font={"size": 18, "color": INK}))


def answers(fig: Figure, state: State) -> None:
    """What the net says to the points of each class: class 1 upwards, class 0 downwards."""
    for panel, (zero, one) in zip((LEFT, RIGHT), state.picture, strict=True):
        fig["layout"]["shapes"] += [
            bars(panel, one, (0, 1), ORANGE),
            bars(panel, -zero, (0, 1), BLUE),
            rule(panel, 0.5, MUTED, "dot"),
        ]
        fig["data"].append(lines(panel, [0, 1], [0, 0], "no point", MUTED, line={"width": 1}, **STILL))


def bars(panel: int, heights: np.ndarray, ends: tuple[float, float], colour: str) -> dict[str, Any]:
    """A histogram over `ends` as one shape."""
    edges = np.linspace(*ends, len(heights) + 1)
    outline = polyline(panel, np.repeat(edges, 2), np.concatenate([[0], np.repeat(heights, 2), [0]]), colour, 1)
    return outline | {"fillcolor": colour}


def dropout_panels(states: Sequence[State], where: str) -> list[Panel]:
    """Room for the units of the first hidden layer and for the answers to one input."""
    low = min(min(s.cloud.min(), s.evaluation[0], 0) for s in states)
    high = max(max(s.cloud.max(), s.evaluation[0], 0) for s in states)
    margin = 0.05 * (high - low) or 1.0
    odds = {"range": [short(low - margin), short(high + margin)], "nticks": 5, "title": "log-odds of class 1"}
    one, title = {"range": [0, 1]}, f"{where}: training mode ▲ mean ┄ evaluation ┃"
    return [
        Panel((0, 0.3, 0.295, 0.455), 110, "Units: filled on, blank off", one, one, bare=True),
        Panel((0.38, 1, 0.295, 0.455), 130, title, odds, {"range": [0, 1.1], "visible": False}),
    ]


def dropout_view(fig: Figure, p: Params, state: State) -> None:
    """The mask of the step, and what the net answers to one input, again and again in training mode."""
    rows = 2 ** ((p.width.bit_length() - 1) // 2)
    paint(fig, UNITS, 0.8 * state.mask.reshape(rows, -1), (0, 1), (0, 1), scale="sequential", smooth=False)
    ends = tuple(fig["layout"][f"xaxis{CLOUD}"]["range"])
    counts = np.histogram(state.cloud, 60, ends)[0]
    fig["layout"]["shapes"] += [
        bars(CLOUD, counts / counts.max(), ends, MUTED),
        rule(CLOUD, float(state.evaluation[0]), INK),
        rule(CLOUD, float(state.cloud.mean()), SERIES[3], "dash"),
    ]
    fig["data"].append(lines(CLOUD, [*ends], [0, 0], "no answer", MUTED, line={"width": 1}, **STILL))
