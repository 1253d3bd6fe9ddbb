"""Plain and residual nets: forward and backward pass by hand, and all nets of one depth trained side by side."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import ACTIVATIONS, SLOPES, Adam, he_std, xavier_std
from playgrounds.kit.training import finite, kept

TRAIN, TEST = 128, 256  # points
EVERY = 15  # states per depth, about
HUGE, TINY = 1e30, 1e-30  # float32 ends at 3e38 and 1e-38
KINDS = ("plain", "residual")  # in this order in every array
Depth = Literal[2, 4, 8, 16, 32, 64]


class Params(kit.Params):
    depth: Depth = knob(64, label="Layers", help="of the nets shown block by block; a block has two")
    depths: tuple[Depth, ...] = knob((2, 4, 8, 16, 32, 64), label="Compared depths")
    activation: Literal["ReLU", "tanh"] = knob("ReLU", label="Activation")
    steps: int = knob(200, 10, 300, label="Training steps", help="of Adam, each on all points", step=10)
    off: int = knob(0, 0, 32, label="Block removed after training", help="its input goes straight on; 0: none")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the points and the first weights")
    rate: float = knob(0.003, 0.0001, 0.1, label="Learning rate η", log=True, more=True)
    width: int = knob(16, 8, 32, label="Width", help="units of every layer", step=8, more=True)
    nets: int = knob(5, 1, 5, label="Nets of each kind", help="per depth; the lines are their medians", more=True)
    branch: Literal["zero", "random"] = knob(
        "zero",
        label="Residual branches start",
        more=True,
        help="zero: the second weights of every F are 0, so that every block begins as the identity",
    )
    inputs: Literal[2, 8] = knob(
        2,
        label="Inputs",
        more=True,
        help="2: the target is sin(3x₁)·x₂; 8: that + |x₃|, five inputs do not matter, and every net overfits",
    )

    @property
    def order(self) -> list[int]:
        """The depths in the order in which they are trained."""
        return [self.depth, *(depth for depth in self.depths if depth != self.depth)]

    @property
    def parameters(self) -> int:
        """Of one net of the chosen depth, plain or residual: a shortcut has none."""
        return (self.inputs + 1) * self.width + self.depth * self.width**2 + self.width + 1

    @property
    def length(self) -> int:
        return len(self.order) * len(kept(self.steps, EVERY)) + 1


class Blocks(NamedTuple):  # what each block of the chosen depth does, arrays (kinds, nets, blocks); nan: not known yet
    gradient: np.ndarray  # size of dL/dx before training, over that at the last block
    change: np.ndarray  # |output - x| / |x|, with a shortcut |F(x)| / |x|
    without: np.ndarray  # training error without that block, once the nets are trained


class State(NamedTuple):  # errors are mean squared ones; a number is the median over the nets of that depth
    depth: Annotated[int, Metric("layers of the nets in training", "count")]  # at the end the chosen ones again
    plain_error: Annotated[float, Metric("training error, plain", shown=True)]
    residual_error: Annotated[float, Metric("training error, residual", shown=True)]
    plain_test_error: Annotated[float, Metric("test error, plain")]
    residual_test_error: Annotated[float, Metric("test error, residual")]
    plain_gradient: Annotated[float, Metric("gradient at the first block over that at the last, plain")]
    residual_gradient: Annotated[float, Metric("gradient at the first block over that at the last, residual")]
    plain_without_block: Annotated[float, Metric("training error without the block, plain")]
    residual_without_block: Annotated[float, Metric("training error without the block, residual")]
    parameters: Annotated[int, Metric("parameters of one net of the chosen depth", "count")]
    update: int | None  # how many the nets in training have had; None: all are trained
    diverged: list[str]  # the kinds whose error is no longer a finite number
    variance: float  # of the training targets: the error of guessing their mean
    errors: np.ndarray  # (kinds, training and test, nets, depths), nan where nothing is trained yet
    updates: np.ndarray  # at the chosen depth, since the state before
    curve: np.ndarray  # (updates, kinds, nets): their training errors
    blocks: Blocks


class Weights(NamedTuple):  # of all nets, the plain ones first; gradients have the same form
    w_in: np.ndarray  # (nets, inputs, width)
    b_in: np.ndarray  # (nets, 1, width)
    w: np.ndarray  # (blocks, 2, nets, width, width): W₁ and W₂ of every block
    w_out: np.ndarray  # (nets, width, 1)
    b_out: np.ndarray  # (nets, 1, 1)


class Passed(NamedTuple):  # what a forward pass leaves for the backward pass
    stream: list[np.ndarray]  # what enters each block and the head, (nets, n, width)
    inner: list[tuple[np.ndarray, np.ndarray]]  # f(x) and f(f(x) W₁) of each block
    head: np.ndarray  # f of what enters the head
    out: np.ndarray  # (nets, n, 1)


def task(p: Params, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of shape (n, inputs) with mean 0 and variance 1, and targets of shape (n, 1)."""
    x = rng.uniform(-(3**0.5), 3**0.5, (n, 2)) if p.inputs == 2 else rng.normal(size=(n, 8))
    y = np.sin(3 * x[:, 0]) * x[:, 1]
    if p.inputs == 8:
        y = y + np.abs(x[:, 2])
    return x, y[:, None]


def twice(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Stack one array per net, for the plain nets and again for the residual ones."""
    return np.array([*arrays, *arrays], np.float32)


def initial(p: Params, depth: int) -> Weights:
    """First weights: He's for ReLU, Xavier's for tanh. Both kinds start alike, but for branches that start at zero."""
    rngs = [np.random.default_rng([p.seed, net, depth]) for net in range(p.nets)]
    sd = he_std(p.width) if p.activation == "ReLU" else xavier_std(p.width, p.width)
    w_in = twice([rng.normal(size=(p.inputs, p.width)) / p.inputs**0.5 for rng in rngs])
    w = twice([sd * rng.normal(size=(depth // 2, 2, p.width, p.width)) for rng in rngs])
    w = np.moveaxis(w, 0, 2).copy()
    w_out = twice([rng.normal(size=(p.width, 1)) / p.width**0.5 for rng in rngs])
    if p.branch == "zero":
        w[:, 1, p.nets :] = 0
    return Weights(w_in, np.zeros_like(w_in[:, :1]), w, w_out, np.zeros_like(w_out[:, :1]))


def forward(x: np.ndarray, theta: Weights, activation: str, without: int = 0) -> Passed:
    """Pass x of shape (nets, n, inputs) through the nets, of which the first half is plain, the other residual.

    F is that of He et al. 2016, "Identity Mappings", without normalization: F(x) = f(f(x) W₁) W₂. The input of block
    number `without` goes straight on, as in Veit, Wilber and Belongie 2016.
    """
    f = ACTIVATIONS[activation.lower()]
    residual = slice(len(x) // 2, None)
    h = x @ theta.w_in + theta.b_in
    stream, inner = [h], []
    for block, (w1, w2) in enumerate(theta.w, start=1):
        a = f(h)
        b = f(a @ w1)
        out = b @ w2  # F(x), which is all that a plain block gives
        out[residual] += h[residual]  # F(x) + x: nothing else differs
        if block != without:
            h = out
        stream.append(h)
        inner.append((a, b))
    head = f(h)
    return Passed(stream, inner, head, head @ theta.w_out + theta.b_out)


def backward(
    x: np.ndarray, y: np.ndarray, theta: Weights, activation: str, passed: Passed
) -> tuple[Weights, list[np.ndarray]]:
    """Gradients of each net's mean squared error: for theta, and for what enters each block and the head."""
    slope = SLOPES[activation.lower()]
    residual = slice(len(x) // 2, None)
    d_out = 2 * (passed.out - y) / y.shape[1]
    dh = d_out @ theta.w_out.mT * slope(passed.head)
    dw = np.empty_like(theta.w)
    back = [dh]
    for block in reversed(range(len(theta.w))):
        w1, w2 = theta.w[block]
        a, b = passed.inner[block]
        db = dh @ w2.mT * slope(b)
        dx = db @ w1.mT * slope(a)
        dx[residual] += dh[residual]  # the shortcut hands the gradient down unchanged: dF/dx + I
        dw[block] = a.mT @ db, b.mT @ dh
        dh = dx
        back.append(dh)
    gradients = Weights(
        w_in=x.mT @ dh,
        b_in=dh.sum(axis=1, keepdims=True),
        w=dw,
        w_out=passed.head.mT @ d_out,
        b_out=d_out.sum(axis=1, keepdims=True),
    )
    return gradients, back[::-1]


def error(out: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean squared error, of shape (kinds, nets)."""
    return np.mean((out - y) ** 2, axis=(1, 2)).reshape(2, -1)


class Nets(NamedTuple):  # all of one depth, after t updates
    t: int
    theta: Weights  # changed in place by the next update
    curve: np.ndarray  # (updates since the last ones that were yielded, kinds, nets)
    stream: list[np.ndarray]  # what enters each block and the head
    back: list[np.ndarray]  # and dL/d of it


def train(p: Params, depth: int, x: np.ndarray, y: np.ndarray) -> Iterator[Nets | None]:
    """Train all nets of one depth side by side on all points; yield at about EVERY steps, and where they diverge.

    None between these: there is nothing to see, but time may be up.
    """
    theta = initial(p, depth)
    optimizer = Adam(theta, p.rate)
    film, curve = set(kept(p.steps, EVERY)), []
    for t in range(p.steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            passed = forward(x, theta, p.activation)
            gradients, back = backward(x, y, theta, p.activation, passed)
            curve.append(error(passed.out, y))
        if t in film or not finite(curve[-1], most=HUGE):
            yield Nets(t, theta, np.array(curve), passed.stream, back)
            curve = []
        else:
            yield None
        with np.errstate(over="ignore", invalid="ignore"):
            optimizer.step(gradients)


def sizes(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Root mean square over points and units of what stands at each block, (kinds, nets, blocks)."""
    return np.stack([np.sqrt(np.mean(h * h, axis=(1, 2))).reshape(2, -1) for h in arrays], axis=-1)


def looked_at(p: Params, nets: Nets, x: np.ndarray, y: np.ndarray, before: Blocks) -> Blocks:
    """What each block of the chosen depth does now."""
    changes = [out - h for h, out in zip(nets.stream, nets.stream[1:], strict=False)]
    blocks = before._replace(change=sizes(changes) / np.maximum(sizes(nets.stream[:-1]), TINY))
    if nets.t == 0:
        gradient = sizes(nets.back[:-1])
        blocks = blocks._replace(gradient=gradient / np.maximum(gradient[..., -1:], TINY))
    if nets.t == p.steps:
        outs = [forward(x, nets.theta, p.activation, block).out for block in range(1, p.depth // 2 + 1)]
        blocks = blocks._replace(without=np.stack([error(out, y) for out in outs], axis=-1))
    return blocks


def state_of(p: Params, depth: int, errors: np.ndarray, removed: np.ndarray, blocks: Blocks, **rest: Any) -> State:
    """A state with the medians over the nets. removed: training errors without the block `off`, (kinds, nets)."""
    column = sorted(p.order).index(depth)
    (plain, plain_test), (residual, residual_test) = np.median(errors[..., column], axis=2).tolist()
    plain_gradient, residual_gradient = np.median(blocks.gradient[..., 0], axis=1).tolist()
    plain_without, residual_without = np.median(removed, axis=1).tolist()
    return State(
        depth=depth,
        plain_error=plain,
        residual_error=residual,
        plain_test_error=plain_test,
        residual_test_error=residual_test,
        plain_gradient=plain_gradient,
        residual_gradient=residual_gradient,
        plain_without_block=plain_without,
        residual_without_block=residual_without,
        parameters=p.parameters,
        errors=errors,
        blocks=blocks,
        **rest,
    )


def run(p: Params) -> Iterator[State | None]:
    """Train the nets of the chosen depth, then those of all others; a state per few updates, and one at the end."""
    rngs = [np.random.default_rng([p.seed, net]) for net in range(p.nets)]
    points = [task(p, TRAIN, rng) + task(p, TEST, rng) for rng in rngs]
    x, y, x_test, y_test = (twice(part) for part in zip(*points, strict=True))
    variance = float(y.var())
    errors = np.full((2, 2, p.nets, len(p.order)), np.nan)
    unknown = np.full((2, p.nets, p.depth // 2), np.nan)
    blocks, removed = Blocks(unknown, unknown, unknown), unknown[..., 0]
    nothing = {"updates": np.arange(0), "curve": np.empty((0, 2, p.nets))}  # news of the chosen depth
    for depth in p.order:  # the chosen one first
        for nets in train(p, depth, x, y):
            if nets is None:
                yield None
                continue
            if not finite(nets.curve[-1], most=HUGE):
                gone = [kind for kind, at in zip(KINDS, nets.curve[-1], strict=True) if not finite(at, most=HUGE)]
                yield state_of(
                    p, depth, errors, removed, blocks, update=nets.t, diverged=gone, variance=variance, **nothing
                )
                return
            with np.errstate(over="ignore", invalid="ignore"):
                test = error(forward(x_test, nets.theta, p.activation).out, y_test)
                if depth == p.depth:
                    blocks = looked_at(p, nets, x, y, blocks)
                    removed = error(forward(x, nets.theta, p.activation, p.off).out, y)
            news = nothing
            if depth == p.depth:
                news = {"updates": np.arange(nets.t + 1)[-len(nets.curve) :], "curve": nets.curve}
            errors = errors.copy()
            errors[..., sorted(p.order).index(depth)] = np.stack([nets.curve[-1], test], axis=1)
            yield state_of(p, depth, errors, removed, blocks, update=nets.t, diverged=[], variance=variance, **news)
    yield state_of(p, p.depth, errors, removed, blocks, update=None, diverged=[], variance=variance, **nothing)
