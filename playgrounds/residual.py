"""Plain and residual nets of growing depth learn one task: deep plain ones are worse even on the points they train on.

Left out: convolutions, normalization, projections in the shortcut, biases in the blocks, and training to the very end.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, dot, figure, legend, lines, log_axis, points, rule
from playgrounds.kit.palette import BLUE, ORANGE
from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import counted, number

TRAIN, TEST = 128, 256  # points
EVERY = 15  # states per depth, about
HUGE, TINY = 1e30, 1e-30  # float32 ends at 3e38 and 1e-38
KINDS = {"plain": ORANGE, "residual": BLUE}  # in this order in every array
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
        "zero", label="Residual branches start", more=True,
        help="zero: the second weights of every F are 0, so that every block begins as the identity",
    )  # fmt: skip
    inputs: Literal[2, 8] = knob(
        2, label="Inputs", more=True,
        help="2: the target is sin(3x₁)·x₂; 8: that + |x₃|, five inputs do not matter, and every net overfits",
    )  # fmt: skip

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


class State(NamedTuple):
    depth: int  # of the nets in training; at the end the chosen one again
    plain_error: float  # mean squared error on the training points, median over the nets of that depth
    residual_error: float
    plain_test_error: float
    residual_test_error: float
    plain_gradient: float  # before training, at the chosen depth: dL/dx at the first block over that at the last
    residual_gradient: float
    plain_without_block: float  # training error at the chosen depth without the block `off`
    residual_without_block: float
    note: str
    errors: np.ndarray  # (kinds, training and test, nets, depths), nan where nothing is trained yet
    updates: np.ndarray  # at the chosen depth, since the state before
    curve: np.ndarray  # (updates, kinds, nets): their training errors
    gradients: np.ndarray  # (kinds, nets, blocks): size of dL/dx before training, over that at the last block
    change: np.ndarray  # (kinds, nets, blocks): |output - x| / |x| of each block, with a shortcut |F(x)| / |x|
    without: np.ndarray  # (kinds, nets, blocks): training error without that block, nan until the nets are trained


def task(p: Params, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of shape (n, inputs) with mean 0 and variance 1, and targets of shape (n, 1)."""
    x = rng.uniform(-(3**0.5), 3**0.5, (n, 2)) if p.inputs == 2 else rng.normal(size=(n, 8))
    y = np.sin(3 * x[:, 0]) * x[:, 1]
    return x, (y if p.inputs == 2 else y + np.abs(x[:, 2]))[:, None]


def twice(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Stack one array per net, for the plain nets and again for the residual ones."""
    return np.array([*arrays, *arrays], np.float32)


ACTIVATIONS = {  # the function; its slope in terms of its value; the variance of weights that suits it, times the width
    "ReLU": (lambda z: np.maximum(z, 0), lambda h: h > 0, 2),  # He et al. 2015
    "tanh": (np.tanh, lambda h: 1 - h * h, 1),
}


def initial(p: Params, depth: int) -> list[np.ndarray]:
    """W_in, b_in, W of shape (depth, nets of both kinds, width, width), w_out, b_out; both kinds start alike."""
    rngs = [np.random.default_rng([p.seed, net, depth]) for net in range(p.nets)]
    sd = (ACTIVATIONS[p.activation][2] / p.width) ** 0.5
    w_in = twice([rng.normal(size=(p.inputs, p.width)) / p.inputs**0.5 for rng in rngs])
    w = twice([sd * rng.normal(size=(depth, p.width, p.width)) for rng in rngs]).swapaxes(0, 1).copy()
    w_out = twice([rng.normal(size=(p.width, 1)) / p.width**0.5 for rng in rngs])
    if p.branch == "zero":
        w[1::2, p.nets :] = 0
    return [w_in, np.zeros_like(w_in[:, :1]), w, w_out, np.zeros_like(w_out[:, :1])]


def forward(x: np.ndarray, theta: list, activation: str, without: int = 0) -> tuple[list, list, np.ndarray]:
    """Pass x of shape (nets, n, inputs) through the nets, of which the first half is plain, the other residual.

    F is that of He et al. 2016, "Identity Mappings", without normalization: F(x) = f(f(x) W₁) W₂. Returns what enters
    each block and the head, the values inside them, and the outputs (nets, n, 1). The input of block number `without`
    goes straight on, as in Veit, Wilber and Belongie 2016.
    """
    f = ACTIVATIONS[activation][0]
    w_in, b_in, w, w_out, b_out = theta
    residual = slice(len(x) // 2, None)
    h = x @ w_in + b_in
    stream, inner = [h], []
    for layer in range(0, len(w), 2):
        a = f(h)
        b = f(a @ w[layer])
        out = b @ w[layer + 1]  # F(x), which is all that a plain block gives
        out[residual] += h[residual]  # F(x) + x: nothing else differs
        h = h if layer // 2 + 1 == without else out
        stream.append(h)
        inner.append((a, b))
    a = f(h)
    return stream, [*inner, (a,)], a @ w_out + b_out


def backward(x: np.ndarray, y: np.ndarray, theta: list, activation: str, inner: list, out: np.ndarray) -> tuple:
    """Gradients of each net's mean squared error: for theta, and for what enters each block and the head."""
    slope = ACTIVATIONS[activation][1]
    _, _, w, w_out, _ = theta
    residual = slice(len(x) // 2, None)
    d = 2 * (out - y) / y.shape[1]
    (a,) = inner[-1]
    dw, dw_out, db_out = np.empty_like(w), a.swapaxes(1, 2) @ d, d.sum(axis=1, keepdims=True)
    dh = d @ w_out.swapaxes(1, 2) * slope(a)
    back = [dh]
    for layer in range(len(w) - 2, -1, -2):
        a, b = inner[layer // 2]
        dw[layer + 1] = b.swapaxes(1, 2) @ dh
        db = dh @ w[layer + 1].swapaxes(1, 2)
        db *= slope(b)
        dw[layer] = a.swapaxes(1, 2) @ db
        dx = db @ w[layer].swapaxes(1, 2)
        dx *= slope(a)
        dx[residual] += dh[residual]  # the shortcut hands the gradient down unchanged: dF/dx + I
        dh = dx
        back.append(dh)
    return [x.swapaxes(1, 2) @ dh, dh.sum(axis=1, keepdims=True), dw, dw_out, db_out], back[::-1]


def adam(theta: list, gradients: list, m: list, v: list, t: int, rate: float) -> None:
    """Step t of Adam (Kingma and Ba 2015), in place."""
    for w, g, m_i, v_i in zip(theta, gradients, m, v, strict=True):
        m_i += 0.1 * (g - m_i)
        v_i += 0.001 * (g * g - v_i)
        w -= rate / (1 - 0.9**t) * m_i / (np.sqrt(v_i / (1 - 0.999**t)) + 1e-8)


def error(out: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean squared error, of shape (kinds, nets)."""
    return np.mean((out - y) ** 2, axis=(1, 2)).reshape(2, -1)


def sizes(arrays: list[np.ndarray]) -> np.ndarray:
    """Root mean square over points and units of what stands at each block, (kinds, nets, blocks)."""
    return np.stack([np.sqrt(np.mean(h * h, axis=(1, 2))).reshape(2, -1) for h in arrays], axis=-1)


def middle(values: np.ndarray) -> np.ndarray:
    """Median over the nets, for arrays whose last axis they are."""
    return np.median(values, axis=-1)


class Nets(NamedTuple):  # all of one depth, after t updates
    t: int
    theta: list[np.ndarray]  # changed in place by the next update
    curve: np.ndarray  # (updates since the last ones that were yielded, kinds, nets)
    stream: list[np.ndarray]  # what enters each block and the head
    back: list[np.ndarray]  # and dL/d of it


def train(p: Params, depth: int, x: np.ndarray, y: np.ndarray) -> Iterator[Nets | None]:
    """Train all nets of one depth side by side on all points; yield at about EVERY steps, and where they diverge.

    At all other steps yield None.
    """
    theta, curve, film = initial(p, depth), [], set(kept(p.steps, EVERY))
    m, v = [np.zeros_like(w) for w in theta], [np.zeros_like(w) for w in theta]
    for t in range(p.steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            stream, inner, out = forward(x, theta, p.activation)
            gradients, back = backward(x, y, theta, p.activation, inner, out)
            curve.append(error(out, y))
        if t in film or not finite(curve[-1], most=HUGE):
            yield Nets(t, theta, np.array(curve), stream, back)
            curve = []
        else:
            yield None
        with np.errstate(over="ignore", invalid="ignore"):
            adam(theta, gradients, m, v, t + 1, p.rate)


def run(p: Params) -> Iterator[State | None]:
    """Train the nets of the chosen depth, then those of all others; a state per few updates, and a conclusion."""
    rngs = [np.random.default_rng([p.seed, net]) for net in range(p.nets)]
    x, y, x_test, y_test = map(twice, zip(*[task(p, TRAIN, rng) + task(p, TEST, rng) for rng in rngs], strict=True))
    depths, blocks, state = sorted(p.order), range(1, p.depth // 2 + 1), None
    errors = np.full((2, 2, p.nets, len(depths)), np.nan)
    gradients = change = without = np.full((2, p.nets, len(blocks)), np.nan)
    nothing = {"updates": np.arange(0), "curve": np.empty((0, 2, p.nets))}
    for depth in p.order:
        for nets in train(p, depth, x, y):
            if nets is None:
                yield None
                continue
            if not finite(nets.curve[-1], most=HUGE):
                yield state._replace(note=diverged(p, depth, nets), **nothing)
                return
            with np.errstate(over="ignore", invalid="ignore"):
                test = error(forward(x_test, nets.theta, p.activation)[-1], y_test)
            now, new = np.stack([nets.curve[-1], test], axis=1), nothing
            errors = errors.copy()
            errors[..., depths.index(depth)] = now
            if depth == p.depth:
                new = {"updates": np.arange(nets.t + 1)[-len(nets.curve) :], "curve": nets.curve}
                steps = [out - h for h, out in zip(nets.stream, nets.stream[1:], strict=False)]
                change = sizes(steps) / np.maximum(sizes(nets.stream[:-1]), TINY)
                removed = error(forward(x, nets.theta, p.activation, p.off)[-1], y)
                if nets.t == 0:
                    gradients = sizes(nets.back[:-1])
                    gradients = gradients / np.maximum(gradients[..., -1:], TINY)
                if nets.t == p.steps:
                    outs = [forward(x, nets.theta, p.activation, block)[-1] for block in blocks]
                    without = np.stack([error(out, y) for out in outs], axis=-1)
            metrics = *middle(now).T.flat, *middle(gradients[..., 0]), *middle(removed)
            rest = {"errors": errors, "gradients": gradients, "change": change, "without": without}
            state = State(depth, *map(float, metrics), note="", **new, **rest)
            state = state._replace(note=note(p, state, nets.t, float(y.var())))
            yield state
    metrics = *middle(errors[..., depths.index(p.depth)]).T.flat, *state[5:9]
    yield State(p.depth, *map(float, metrics), note=conclusion(p, errors, depths), **nothing, **rest)


def note(p: Params, now: State, t: int, variance: float) -> str:
    """What the nets of one depth have come to after t updates; the variance is the error of guessing the mean."""
    nets = f"medians of {p.nets} nets" if p.nets > 1 else "one net of each kind"
    if t == 0 and now.depth == p.depth:
        return (
            f"Before training, {p.depth} layers: {p.parameters:,} parameters, with shortcuts or without. From the last "
            f"block back to the first the gradient is multiplied by {number(now.plain_gradient)} in the plain net and "
            f"by {number(now.residual_gradient)} in the residual one ({nets})."
        )
    said = (
        f"{now.depth} layers, step {t} of {p.steps}: training error {number(now.plain_error)} plain, "
        f"{number(now.residual_error)} residual; test error {number(now.plain_test_error)} plain, "
        f"{number(now.residual_test_error)} residual ({nets})."
    )
    if now.depth != p.depth or t < p.steps:
        return said
    if p.off > p.depth // 2:
        return f"{said} There is no block {p.off} to remove: {p.depth} layers are {counted(p.depth // 2, 'block')}."
    which, plain, residual = f"block {p.off}", now.plain_without_block, now.residual_without_block
    if not p.off:
        which, (plain, residual) = "any one block", middle(np.median(now.without, axis=1))
    removed = f"Without {which} the training error is {number(plain)} plain, {number(residual)} residual"
    return f"{said} {removed}; guessing the mean gives {number(variance)}."


def conclusion(p: Params, errors: np.ndarray, depths: list[int]) -> str:
    """Whether the deepest plain nets are worse than shallower ones, and where."""
    if len(depths) == 1:
        return f"Only nets of {depths[0]} layers were trained: compare more depths to see what depth does."
    (plain, test), (residual, _) = np.median(errors, axis=2)
    best, end = int(plain[:-1].argmin()), depths[-1]
    span = f"from {depths[best]} to {end} layers: training error {number(plain[best])} to {number(plain[-1])}"
    shortcuts = f"With shortcuts {end} layers reach {number(residual[-1])}."
    if plain[-1] < 2 * plain[best]:
        return f"The plain nets do not degrade {span}. {shortcuts}"
    return (
        f"The plain nets degrade {span}, test error {number(test[best])} to {number(test[-1])}. They are worse on the "
        f"very points they train on, so this is not overfitting. {shortcuts}"
    )


def diverged(p: Params, depth: int, nets: Nets) -> str:
    """Which nets, when and why."""
    fine = (nets.curve[-1] < HUGE).all(axis=1)
    kinds = " and a ".join(kind for kind, alright in zip(KINDS, fine, strict=True) if not alright)
    return (
        f"{depth} layers, step {nets.t}: diverged. The training error of a {kinds} net is no longer a finite number, "
        f"as the learning rate {number(p.rate)} is too large for so many layers: choose a smaller one."
    )


PRESETS = (
    works("64 layers with shortcuts", "Each block adds a correction to what passes by, and 64 layers train as well "
          "as 8.", {"residual_error": "<= 0.01", "residual_gradient": "<= 2"}, depths=(8, 64)),
    works("A block removed", "Without block 14 the residual nets still do well, for it only added a correction; plain "
          "nets lose what they had.", {"residual_without_block": "<= 0.03", "plain_without_block": ">= 0.2"},
          depths=(64,), off=14),
    fails("Plain tanh layers", "Without shortcuts 64 layers hardly learn the very points they are trained on, which "
          "is not overfitting.", {"plain_error": ">= 0.3"}, depths=(8, 64), activation="tanh", steps=100),
    fails("Branches start at random", "Every block adds as much as it gets, so signals and gradients grow from block "
          "to block, and 64 layers start from chaos.", {"residual_error": ">= 0.5", "residual_gradient": ">= 100"},
          depths=(8, 64), branch="random", steps=100),
)  # fmt: skip


SETS = {"solid": "training", "dot": "test"}
DEPTHS = {"type": "log", "range": [0.2, 1.9], "tickvals": [2, 4, 8, 16, 32, 64], "title": "layers"}


def disc(panel: int, x: float, y: float, colour: str) -> dict:
    """The kit's dot as a path: of a circle given in pixels Plotly draws only a quarter where an axis is logarithmic."""
    r, c = 7, 3.87  # four Bézier curves make a circle
    path = f"M-{r},0C-{r},{c} -{c},{r} 0,{r}C{c},{r} {r},{c} {r},0C{r},-{c} {c},-{r} 0,-{r}C-{c},-{r} -{r},-{c} -{r},0Z"
    return dot(panel, x, y, colour) | {"type": "path", "path": path}


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Error by depth; of the chosen depth: error by step, gradient, change and use of every block."""
    state, end = states[now], states[-1]
    there = np.isfinite(end.errors[0, 0, 0])
    depths, errors, blocks = np.array(sorted(p.order))[there], end.errors[..., there], np.arange(1, p.depth // 2 + 1)
    updates, curve = np.concatenate([s.updates for s in states]), np.concatenate([s.curve for s in states])
    done = sum(len(s.updates) for s in states[: now + 1]) - 1
    whole = middle(curve[-1])  # error with all blocks
    gradients, change, without = [np.median(v, axis=1) for v in (end.gradients, end.change, end.without)]
    most = min(3, np.nanmax([*without.flat, *whole]))  # a net without a block may be anywhere
    by_block = [  # left edge, title, values of shape (kinds, blocks), axis
        (0, "Gradient before training", gradients, log_axis(gradients, 0.2, 1e-5, 1e5)),
        (0.365, "|change of x| / |x|", change, log_axis(change, 0.2, 1e-5, 1e5)),
        (0.73, "Error without block", without, {"range": [-0.05 * most, 1.1 * most], "nticks": 5}),
    ]
    seen = [*errors.flat, *(s.plain_error for s in states), *(s.residual_error for s in states)]
    step = {"range": [0, p.steps], "nticks": 5, "title": "step"}
    block = {"range": [0.5, len(blocks) + 0.5], "nticks": 5, "title": "block"}
    fig = figure(
        560,
        Panel((0, 0.58, 0.5, 1), 300, "Error by depth: training ━  test ┄", DEPTHS, log_axis(seen, highest=10)),
        Panel((0.67, 1, 0.5, 1), 180, f"Training error, {p.depth} layers", step, log_axis(curve)),
        *[Panel((left, left + 0.27, 0, 0.32), 150, title, block, axis) for left, title, _, axis in by_block],
    )
    still, small = {"showlegend": False, "hoverinfo": "skip"}, {"marker": {"size": 6}}
    pale, thin = {"opacity": 0.4}, {"line": {"width": 1}}
    for i, (kind, colour) in enumerate(KINDS.items()):
        for dash, values in zip(SETS, np.median(errors[i], axis=1), strict=True):
            said = {"hovertemplate": f"{SETS[dash]} error %{{y:.3g}}", "showlegend": dash == "solid"}
            fig["data"].append(lines(1, depths, values, kind, colour, line={"dash": dash}, **said))
        singles = np.pad(curve[:, i], ((0, 1), (0, 0)), constant_values=np.nan)  # with a gap after each net
        fig["data"] += [
            points(1, np.tile(depths, p.nets), errors[i, 0].flatten(), kind, colour, **small, **pale, **still),
            lines(2, np.tile([*updates, np.nan], p.nets), singles.T.flatten(), kind, colour, **pale, **thin, **still),
            lines(2, updates, middle(curve[:, i]), kind, colour, **still),
            lines(5, block["range"], [whole[i]] * 2, kind, colour, line={"dash": "dot", "width": 1.5}, **still),
        ]  # fmt: skip
        for panel, (_, _, values, _) in enumerate(by_block, start=3):
            look = {"mode": "lines+markers", "showlegend": False, "hovertemplate": "block %{x}: %{y:.3g}"}
            fig["data"].append(lines(panel, blocks, values[i], kind, colour, **small, **look))
        at = state.plain_error if kind == "plain" else state.residual_error
        fig["layout"]["shapes"].append(disc(1, state.depth, max(at, TINY), colour))
    fig["layout"]["shapes"].append(rule(2, updates[done]))
    if 0 < p.off <= len(blocks):
        fig["layout"]["shapes"].append(rule(5, p.off))
    legend(fig, 2)
    return fig
