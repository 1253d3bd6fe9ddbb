"""A net trains on few points, beside it the same net without regularizers, and validation points judge both."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.data import grid
from playgrounds.kit.forms import cloud
from playgrounds.kit.training import kept

VALIDATION = 2000  # points
MEASURED = 150  # times that the losses are measured, the start apart: every second epoch of 300
PASSES = 300  # of one input in training mode
INPUTS = 20  # of the task without a pattern
HELD_OUT = 4  # of the reader's own points every fourth of a class is a validation point
OWN = (
    "-0.8,0.1,0\n-0.7,0.5,0\n-0.5,0.8,0\n-0.4,0.3,0\n-0.2,0.9,0\n-0.1,0.5,0\n0.1,0.2,0\n0.2,0.7,0\n"
    "0.4,0.5,0\n0.5,0.1,0\n0.4,-0.4,0\n-0.3,0,0\n-0.5,-0.1,1\n-0.4,-0.6,1\n0,-0.2,1\n-0.2,-0.5,1\n"
    "0.1,-0.8,1\n0.2,-0.3,1\n0.4,-0.7,1\n0.5,-0.2,1\n0.7,-0.5,1\n0.8,0,1\n-0.6,0.7,1\n0.1,-0.5,1"
)
OWN_HELP = "every fourth of a colour is held out for validation"
CELLS = 40  # a side of the square whose points are looked at
DRAWN = 10  # units of a hidden layer whose weights are kept

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
    points: str = knob(OWN, 0, 2, form="points", label="Your points", help=OWN_HELP, when=lambda p: p.data == "own")
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
        if self.data != "own":
            return False
        _, y = cloud(self.points)
        return bool(min((y == 0).sum(), (y == 1).sum()) < HELD_OUT)

    @property
    def span(self) -> float:
        """The pictures of the plane show the square from -span to span."""
        return 1.2 if self.data == "own" else 2.2

    @property
    def length(self) -> int:
        return 1 if self.missing else len(kept(self.epochs, MEASURED))


class Measures(NamedTuple):
    """Of a net in evaluation mode, without the penalty."""

    loss: float  # cross-entropy on the training points
    validation_loss: float
    accuracy: float  # share of the training points whose label the net gives
    validation_accuracy: float


class State(NamedTuple):
    step: int  # epochs done
    picture: np.ndarray  # log-odds of class 1: in the plane (CELLS, CELLS); random: of all points, (n + VALIDATION,)
    checkpoint: np.ndarray  # the same of the checkpoint
    masks: np.ndarray  # (layers, width), 1 where a hidden unit was on for the first training point
    weights: list[np.ndarray]  # (outputs, inputs) of every layer, those between the first DRAWN units
    cloud: np.ndarray  # (PASSES,) log-odds of one input in training mode
    evaluation: np.ndarray  # (1,) its log-odds in evaluation mode
    asked: np.ndarray  # that input
    points: tuple[np.ndarray, ...]  # training inputs and labels, validation inputs and labels
    plain: Measures | None = None  # of the same net without regularizers, if it is compared
    unheld: np.ndarray | None = None  # its log-odds, where `picture` has those of the net
    # Not known where there are too few points to train on.
    loss: Annotated[float | None, Metric("training loss", digits=4, shown=True)] = None
    validation_loss: Annotated[float | None, Metric("validation loss", digits=4, shown=True)] = None
    gap: Annotated[float | None, Metric("validation loss less training loss", digits=4)] = None
    accuracy: Annotated[float | None, Metric("right on training points", "%")] = None
    validation_accuracy: Annotated[float | None, Metric("right on validation points", "%", shown=True)] = None
    checkpoint_epoch: Annotated[int | None, Metric("epoch that early stopping keeps", "count")] = None
    checkpoint_loss: Annotated[float | None, Metric("validation loss there", digits=4)] = None
    spread: Annotated[float | None, Metric("spread of one point's log-odds in training mode", digits=4)] = None
    stop: Annotated[int | None, Metric("epoch at which patience ended", "count")] = None
    per_point: Annotated[float | None, Metric("parameters for each training point", digits=4)] = None
    in_training: Annotated[float | None, Metric("factor on what dropout leaves on, in training")] = None
    at_test: Annotated[float | None, Metric("factor on hidden activations, at test time")] = None


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
    y, middle = np.where(by_coin, rng.integers(0, 2, p.n), y), (0.5, 0.25)
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
    mask: Sequence[Any] = ()
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


def measure(z: Any, y: Any, z_val: Any, y_val: Any) -> Measures:
    """Of logits (n, 2) and labels (n,) of the training points and of the validation points."""
    import torch

    pairs = (z, y), (z_val, y_val)
    losses = (float(torch.nn.functional.cross_entropy(*pair)) for pair in pairs)
    return Measures(*losses, *(float((odds.argmax(1) == labels).double().mean()) for odds, labels in pairs))


def looked_at(p: Params, z: Any, known: int) -> np.ndarray:
    """Log-odds of class 1 from logits (points, 2): in the plane (CELLS, CELLS); random: of the `known` points."""
    odds = (z[:, 1] - z[:, 0]).double().numpy()
    return odds[:known] if p.data == "random" else odds[known + 1 :].astype(np.float32).reshape(CELLS, CELLS)


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
    parameters = sum((m + 1) * k for m, k in pairwise([x.shape[1], *[p.width] * p.layers, 2]))
    fixed = {"per_point": parameters / n, "in_training": in_training, "at_test": in_evaluation, "asked": asked}

    training = train(p, x, y, p.l2, p.dropout, p.jitter)
    twin = train(p, x, y, 0, 0, 0) if p.compare and (p.l2 or p.dropout or p.jitter) else None
    best, best_loss, checkpoint, stop = 0, np.inf, None, None
    film = set(kept(p.epochs, MEASURED))
    for epoch in range(p.epochs + 1):
        net, mask = next(training)
        without, _ = next(twin) if twin else (None, ())
        if epoch not in film:
            continue
        with torch.no_grad():
            z = forward(seen, net, in_evaluation)
            now, plain, unheld = measure(z[:n], y, z[n:known], y_val), None, None
            if without is not None:
                bare = forward(seen, without)
                plain, unheld = measure(bare[:n], y, bare[n:known], y_val), looked_at(p, bare, known)
            answers = evaluation = z[known].diff()
            if p.dropout:
                drawn = masks(PASSES, p.width, p.layers, p.dropout, passes)
                answers = forward(seen[known].expand(PASSES, -1), net, in_training, drawn).diff()[:, 0]
        picture = looked_at(p, z, known)
        # Early stopping: keep the best net so far, until it has not been beaten for `patience` epochs.
        if stop is None and now.validation_loss < best_loss:
            best, best_loss, checkpoint = epoch, now.validation_loss, picture
        if stop is None and epoch - best >= p.patience:
            stop = epoch
        yield State(
            step=epoch,
            gap=now.validation_loss - now.loss,
            **now._asdict(),
            **fixed,
            checkpoint_epoch=best,
            checkpoint_loss=best_loss,
            spread=float(answers.double().std(correction=0)),
            stop=stop,
            plain=plain,
            unheld=unheld,
            picture=picture,
            checkpoint=checkpoint,
            masks=np.stack([m[0].numpy() for m in mask]) if len(mask) else np.ones((p.layers, p.width), np.float32),
            weights=[w.detach().numpy()[:DRAWN, :DRAWN].copy() for w, _ in net] if p.dropout else [],
            cloud=answers.numpy(),
            evaluation=evaluation.numpy(),
            points=tuple(arrays),
        )


def nothing(p: Params) -> State:
    """The only state of too few points."""
    x, y = cloud(p.points)
    flat, zero, masks = np.zeros((CELLS, CELLS), np.float32), np.zeros(1, np.float32), np.ones((p.layers, p.width))
    points = x, y.astype(int), x[:0], y[:0].astype(int)
    return State(0, flat, flat, masks, [], zero, zero, asked=np.zeros(2), points=points)
