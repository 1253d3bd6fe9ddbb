"""What normalizing does: to the loss of two unequal inputs, to one small batch, and to the training of a deep net.

Left out: inputs whose mean is not 0 (here they are centred), convolutions, whose statistics run over all positions too,
and mini-batches in the view "training".
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.data import grid, plane
from playgrounds.kit.figures import Figure, Panel, axes, box, classes, dot, figure, lines, log_axis, paint, points, rule
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import number, vector

EXAMPLES = 129  # of the two inputs: at 100 : 1 and seed 30 the condition number is 12,143, standardized 1.04
BEGIN = (-1.0, -1.0)  # the first weights, for raw and for standardized inputs
HUGE = 1e12  # what is beyond it has diverged
FEATURES, BATCHES, EPS = 5, 60, 1e-5  # of the view "batch"; EPS as in PyTorch
POINTS, WIDTH = 100, 16  # of the deep net: training points, units of each hidden layer
PLAIN, NORMED, LAYER = SERIES[3], SERIES[2], SERIES[4]  # without normalization, with it or batch norm, layer norm
CELLS, SPAN = 30, 1.3  # of the pictures of its output, which show the square from -SPAN to SPAN


def seen_in(view: str) -> Callable[["Params"], bool]:
    return lambda p: p.view == view


class Params(kit.Params):
    view: Literal["inputs", "batch", "training"] = knob("inputs", label="View")
    ratio: float = knob(100.0, 1, 100, label="Spread of x₂ to x₁", help="ratio of their standard deviations", log=True,
                        when=seen_in("inputs"))  # fmt: skip
    eta: float = knob(1.5, 0.05, 2.2, label="η · λ_max", help="1: the steepest direction in one step; above 2 diverges",
                      step=0.05, when=seen_in("inputs"))  # fmt: skip
    shared: bool = knob(False, label="Same η for both", help="that of the standardized inputs; off: by each λ_max",
                        when=seen_in("inputs"))  # fmt: skip
    size: int = knob(6, 1, 8, label="Batch size", help="sample A and its companions", when=seen_in("batch"))
    others: Literal["new", "shifted", "the same"] = knob(
        "new", label="Companions of A", help="new in every batch; new and shifted by three standard deviations",
        when=lambda p: p.view == "batch" and p.size > 1)  # fmt: skip
    mode: Literal["training", "evaluation"] = knob(
        "training", label="Batch norm in", help="evaluation: running statistics, not the batch's", when=seen_in("batch")
    )
    factor: float = knob(1.0, 0.001, 100, label="Factor on the weights", help="of the layer before", log=True,
                         when=seen_in("batch"))  # fmt: skip
    gamma: float = knob(1.0, -3, 3, label="Scale γ", step=0.1, when=seen_in("batch"))
    beta: float = knob(0.0, -3, 3, label="Shift β", step=0.1, when=seen_in("batch"))
    rate: float = knob(2.0, 0.01, 10, label="Learning rate η", log=True, when=seen_in("training"))
    depth: int = knob(10, 1, 12, label="Hidden layers", help=f"of {WIDTH} ReLU units", when=seen_in("training"))
    start: Literal["random", "all equal"] = knob(
        "random", label="First weights", help="He's; or 1/fan-in, all of them", when=seen_in("training")
    )
    data: Literal["circles", "spirals"] = knob("circles", label="Data", when=seen_in("training"))
    steps: int = knob(100, 10, 1000, label="Steps", log=True, when=lambda p: p.view != "batch")
    momentum: float = knob(0.1, 0.01, 1, label="Momentum", help="the new batch's share in the running statistics",
                           step=0.01, more=True, when=seen_in("batch"))  # fmt: skip
    seed: int = knob(30, 0, 9999, label="Seed", help="decides the data and the first weights", more=True)

    @property
    def length(self) -> int:
        return BATCHES + 1 if self.view == "batch" else len(kept(self.steps, 100))


class Valley(NamedTuple):  # of raw and of standardized inputs: the first axis of all arrays
    w: np.ndarray  # (2, 2)
    losses: np.ndarray  # (2,)
    hessians: np.ndarray  # (2, 2, 2), second derivatives of the losses
    minima: np.ndarray  # (2, 2)


class Batch(NamedTuple):  # row 0 is sample A
    z: np.ndarray  # (size, FEATURES), what the layer before puts out
    by_batch: np.ndarray  # the same after batch norm
    by_layer: np.ndarray  # and after layer norm
    running: np.ndarray  # (2, FEATURES), mean and variance before this batch
    changes: np.ndarray  # (2,), the largest change of A's row when its companions are replaced: batch norm, layer norm
    scaling: float  # the largest change of by_batch by the factor; 0 in evaluation


class Nets(NamedTuple):  # without and with batch norm
    losses: np.ndarray  # (2,)
    fields: np.ndarray  # (2, CELLS, CELLS), tanh(logit / 2) in evaluation
    points: tuple[np.ndarray, np.ndarray]  # x (POINTS, 2) and y (POINTS,)


class State(NamedTuple):
    step: int
    note: str
    seen: Valley | Batch | Nets
    loss: float | None = None  # with normalization; None is what a view does not have
    plain_loss: float | None = None  # without
    condition_number: float | None = None  # of the loss with raw inputs
    mean: float | None = None  # of one normalized feature: x₂; feature 1 after batch norm; unit 1 of the last layer
    variance: float | None = None  # of the same
    dependence: float | None = None  # the largest change of sample A after batch norm as its companions are replaced
    different_units: float | None = None  # in the first hidden layer of the net with batch norm


def run(p: Params) -> Iterator[State]:
    yield from {"inputs": descend, "batch": normalize, "training": train}[p.view](p)


def near(value: float) -> float:
    """Without the rounding errors of float64."""
    return round(float(value), 12) + 0.0  # not -0.0


def descend(p: Params) -> Iterator[State]:
    """Gradient descent on half the mean squared error of a linear model, on raw and on standardized inputs."""
    raw = np.random.default_rng(p.seed).normal(size=(EXAMPLES, 2)) * (1, p.ratio)
    raw -= raw.mean(axis=0)
    y = raw @ (1, 1 / p.ratio)  # without noise: the smallest loss is 0
    x = np.stack([raw, raw / raw.std(axis=0)])  # (2, EXAMPLES, 2)
    hessians = x.transpose(0, 2, 1) @ x / EXAMPLES
    minima = np.linalg.solve(hessians, (y @ x / EXAMPLES)[..., None])[..., 0]
    flattest, steepest = np.linalg.eigvalsh(hessians).T  # (2,) each
    kappa, eta = steepest / flattest, p.eta / (steepest[[1, 1]] if p.shared else steepest)

    w, gone, film = np.array([BEGIN, BEGIN]), [0, 0], set(kept(p.steps, 100))
    for step in range(p.steps + 1):
        error = (x @ w[..., None])[..., 0] - y  # (2, EXAMPLES)
        losses = (error**2).mean(axis=1) / 2
        gone = [at or step * bool(loss > HUGE) for at, loss in zip(gone, losses, strict=True)]
        if step in film or all(gone):
            said = f"raw inputs, w = {vector(w[0])}, loss {number(losses[0])}"
            if gone[0]:
                said = f"raw inputs diverged at step {gone[0]}, η = {number(eta[0])} being above 2/λ_max = "
                said += f"{number(2 / steepest[0])}{': lower it, for both' * all(gone)}"
            elif step and kappa[0] > 3:
                said += f"; each step leaves {100 * abs(1 - eta[0] * flattest[0]):.5g} % of the way along the valley"
            said = f"Step {step}: {said}; standardized, w = {vector(w[1])}, loss {number(losses[1])}."
            if step == 0:
                said += f" Raw, the loss curves {kappa[0]:,.5g} times as much one way as the other; standardized, "
                said += f"{kappa[1]:.3g} times. η is {number(eta[0])} and {number(eta[1])}."
            yield State(
                step, said, Valley(w, losses, hessians, minima), float(losses[1]), float(losses[0]), float(kappa[0]),
                mean=near(x[1, :, 1].mean()), variance=near(x[1, :, 1].var()),
            )  # fmt: skip
        if all(gone):
            return
        gradient = (error[:, None] @ x)[:, 0] / EXAMPLES
        w = np.where(np.array(gone)[:, None] > 0, w, w - eta[:, None] * gradient)


def rescaled(p: Params, z: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    return p.gamma * (z - mean) / np.sqrt(variance + EPS) + p.beta


def batch_norm(p: Params, z: np.ndarray, running: np.ndarray) -> np.ndarray:
    """Ioffe and Szegedy 2015: each column of z (samples, features) by the batch's statistics, or the running ones."""
    return rescaled(p, z, *(running if p.mode == "evaluation" or len(z) == 1 else (z.mean(axis=0), z.var(axis=0))))


def layer_norm(p: Params, z: np.ndarray) -> np.ndarray:
    """Ba, Kiros and Hinton 2016: each row by the statistics of its own features."""
    return rescaled(p, z, z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True))


def normalize(p: Params) -> Iterator[State]:
    """Batch after batch, always with sample A: what both layers make of it, and the running statistics collected."""
    rng = np.random.default_rng(p.seed)
    w, a = 100 * rng.normal(size=(4, FEATURES)), rng.normal(size=(1, 4))
    companions = (8 if p.size == 1 else p.size) - 1  # a single sample has no variance to collect
    running, x = np.stack([np.zeros(FEATURES), np.ones(FEATURES)]), a
    for step in range(BATCHES + 1):
        drawn, other = rng.normal(size=(2, companions, 4)) + 3.0 * (p.others == "shifted")
        x = x if step and p.others == "the same" else np.vstack([a, drawn])
        z, once = x @ (p.factor * w), (x @ w)[: p.size]
        batch, replaced = z[: p.size], (np.vstack([a, other]) @ (p.factor * w))[: p.size]
        by_batch, by_layer = batch_norm(p, batch, running), layer_norm(p, batch)
        changes = batch_norm(p, replaced, running)[0] - by_batch[0], layer_norm(p, replaced)[0] - by_layer[0]
        scaling = float(np.abs(batch_norm(p, once, running) - by_batch).max()) * (p.mode == "training" and p.size > 1)
        now = Batch(batch, by_batch, by_layer, running, np.abs(changes).max(axis=1), scaling)
        yield State(
            step, account(p, step, now), now, mean=near(by_batch[:, 0].mean()), variance=near(by_batch[:, 0].var()),
            dependence=float(now.changes[0]),
        )  # fmt: skip
        new = np.stack([z.mean(axis=0), z.var(axis=0, ddof=1)])  # the unbiased variance, as in PyTorch
        running = (1 - p.momentum) * running + p.momentum * new


def account(p: Params, step: int, now: Batch) -> str:
    """Feature 1 of sample A through batch norm, in numbers."""
    z, (mean, variance) = now.z[:, 0], now.running[:, 0]
    said = f"Evaluation with the running statistics of {step} batch{'es' * (step != 1)}{' of 8' * (len(z) == 1)}"
    if p.mode == "training" and len(z) == 1:
        said = 'One sample has variance 0: PyTorch refuses to train ("Expected more than 1 value per channel"). ' + said
    elif p.mode == "training":
        said, mean, variance = f"Batch {step}", z.mean(), z.var()
    beta = f" {'−' if p.beta < 0 else '+'} {abs(p.beta):g}" if p.beta else ""
    said += f": A's feature 1 becomes {number(p.gamma)} · ({number(z[0])} − {vector([mean], True)}) / "
    said += f"√{number(variance)}{beta} = {number(now.by_batch[0, 0])}. "
    if len(z) == 1:
        return said.rstrip()
    if p.factor != 1 and p.mode == "training":
        return f"{said}The weights times {number(p.factor)} change no output by more than {number(now.scaling)}."
    batch, layer = map(number, now.changes)
    return f"{said}Other companions change A's row by up to {batch} in batch norm, by {layer} in layer norm."


def train(p: Params) -> Iterator[State]:
    """Two nets, without and with batch norm, take the same steps of gradient descent from the same first weights."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    generator = torch.Generator().manual_seed(p.seed)
    x, y = plane(p.data, POINTS, 0.0, np.random.default_rng(p.seed))
    points, labels = torch.from_numpy((x - x.mean(axis=0)) / x.std(axis=0)), torch.from_numpy(y)
    cells = torch.from_numpy((grid(CELLS, SPAN) - x.mean(axis=0)) / x.std(axis=0))
    nets, widths = [torch.nn.Sequential(), torch.nn.Sequential()], [2, *[WIDTH] * p.depth, 1]
    for fan_in, fan_out in pairwise(widths):
        weights = torch.randn(fan_out, fan_in, generator=generator, dtype=torch.float64) * (2 / fan_in) ** 0.5
        weights = torch.full_like(weights, 1 / fan_in) if p.start == "all equal" else weights
        for i, net in enumerate(nets):
            linear = torch.nn.Linear(fan_in, fan_out, dtype=torch.float64)
            linear.weight.data, linear.bias.data = weights.clone(), torch.zeros(fan_out, dtype=torch.float64)
            between = [torch.nn.BatchNorm1d(WIDTH, dtype=torch.float64)] * i + [torch.nn.ReLU()]
            net.extend([linear] + between * (fan_out > 1))
    optimizers = [torch.optim.SGD(net.parameters(), lr=p.rate, fused=True) for net in nets]

    losses, fields, gone, film = np.zeros(2), np.zeros((2, CELLS, CELLS)), [0, 0], set(kept(p.steps, 100))
    for step in range(p.steps + 1):
        for i, net in enumerate(nets):
            if gone[i]:
                continue
            before_relu = net[:-2](points)  # of the last hidden layer, after batch norm if there is one
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net[-2:](before_relu)[:, 0], labels)
            if not finite(loss.item(), *(w.detach().numpy() for w in net.parameters()), most=HUGE):
                gone[i] = step
                continue
            losses[i] = loss.item()
            unit, units = before_relu.detach().numpy()[:, 0], net[0].weight.detach().numpy().copy()  # of nets[1] last
            if step in film:
                with torch.no_grad():
                    fields[i] = torch.tanh(net.eval()(cells) / 2).numpy().reshape(CELLS, CELLS)
                net.train()
            optimizers[i].zero_grad()
            loss.backward()
            optimizers[i].step()
        if step in film or all(gone):
            different = len(np.unique(np.round(units, 6), axis=0))
            said = f"Step {step}: loss {number(losses[0])} without batch norm, {number(losses[1])} with it. "
            if different == 1:
                said += f"All {WIDTH} units of its first hidden layer have the same weights, {vector(units[0])}."
            else:
                said += f"A unit of its last hidden layer has mean {number(near(unit.mean()))} and variance "
                said += f"{number(unit.var())} after batch norm, the learned β and γ²."
            for at, which in zip(gone, ("without", "with"), strict=True):
                said += f" The net {which} batch norm diverged at step {at}: η = {p.rate:g} is too large." if at else ""
            yield State(
                step, said, Nets(losses.copy(), fields.copy(), (x, y)), float(losses[1]), float(losses[0]),
                mean=near(unit.mean()), variance=near(unit.var()), different_units=different,
            )  # fmt: skip
        if all(gone):
            return


PRESETS = (
    works("Standardized inputs", "On a round bowl one rate suits all directions, and the loss is gone at once.",
          {"loss": "<= 1e-6", "plain_loss": ">= 0.1"}, steps=50),
    works("Batch norm, ten layers", "At a rate at which the plain net blows up, the net with batch norm learns.",
          {"loss": "<= 0.05", "plain_loss": ">= 0.5"}, view="training"),
    fails("One rate for both", "The rate of the standardized inputs is far too large for the raw ones.",
          {"plain_loss": ">= 1000"}, shared=True),
    fails("All weights equal", "Equal units get equal gradients: one unit is all there is, with or without batch norm.",
          {"different_units": "== 1"}, view="training", start="all equal"),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    return {"inputs": valleys, "batch": tables, "training": outputs}[p.view](p, states, now)


def pair(p: Params, states: Sequence[State], now: int, sides: Sequence[dict], titles: Sequence[str]) -> Figure:
    """Two square panels, without and with normalization, above the two losses by step."""
    steps, losses = [s.step for s in states], np.array([s.seen.losses for s in states]).T
    fig = figure(
        520,
        Panel((0, 0.46, 0.36, 1), 300, titles[0], *sides, square=True),
        Panel((0.54, 1, 0.36, 1), 300, titles[1], *sides, square=True),
        Panel((0, 1, 0, 0.21), 150, titles[2], {"range": [0, p.steps], "nticks": 6}, log_axis(losses, 0.3, 1e-6, 1e6)),
    )
    for loss, colour, dash in zip(losses, (PLAIN, NORMED), ("dash", "solid"), strict=True):
        fig["data"].append(lines(3, steps, np.clip(loss, 1e-12, HUGE), "loss", colour, line={"dash": dash}))
    fig["layout"]["shapes"].append(rule(3, states[now].step))
    return fig


def valleys(p: Params, states: Sequence[State], now: int) -> Figure:
    """Contours in the plane of the weights with the way there, raw and standardized; the losses."""
    first, side = states[0].seen, {"range": [-1.5, 2.5], "nticks": 5, "showgrid": False}
    kappa = [high / low for low, high in np.linalg.eigvalsh(first.hessians)]
    titles = [f"Raw inputs: condition number {kappa[0]:,.5g}", f"Standardized: condition number {kappa[1]:.3g}"]
    titles.append("Loss by step: raw inputs ┅  standardized ━")
    fig = pair(p, states, now, [side | {"title": "w₁"}, side | {"title": "w₂"}], titles)
    turn = np.linspace(0, 2 * np.pi, 121)
    for i, colour in enumerate((PLAIN, NORMED)):
        curvature, directions = np.linalg.eigh(first.hessians[i])
        for half in (0.25, 0.5, 1, 2, 4):  # the narrow axis of an ellipse; its loss is 4 times that of the one inside
            axis = half * np.sqrt(curvature[1] / curvature)
            ring = first.minima[i][:, None] + directions @ (axis[:, None] * [np.cos(turn), np.sin(turn)])
            fig["data"].append(lines(i + 1, *ring, "contour", MUTED, line={"width": 1}, hoverinfo="skip"))
        way = np.array([s.seen.w[i] for s in states]) - BEGIN  # what is far outside is drawn nearer, in its direction
        way = BEGIN + way / np.maximum(1, np.abs(way).max(axis=1, keepdims=True) / 20)
        fig["data"] += [
            points(i + 1, *first.minima[i][:, None], "minimum", INK, marker={"symbol": "x", "size": 10}),
            lines(i + 1, *way.T, "way", colour, line={"width": 1.5}, hoverinfo="skip"),
        ]
        fig["layout"]["shapes"].append(dot(i + 1, *way[now], colour))
    return fig


def tables(p: Params, states: Sequence[State], now: int) -> Figure:
    """The batch before, after batch norm and after layer norm, with means and variances; A's feature 1 by batch."""
    seen, n, last = states[now].seen, p.size, FEATURES - 0.5
    by_norm = np.array([(s.seen.by_batch[0, 0], s.seen.by_layer[0, 0]) for s in states]).T
    later = by_norm[:, min(10, len(states) - 1) :]  # the first running statistics are far off
    values = {"range": [later.min() - 0.3, later.max() + 0.3], "nticks": 4}
    y = {"range": [0.5 - n, 0.5], "tickvals": [*range(1 - n, 1)], "ticktext": [*"HGFEDCBA"[-n:]], "showgrid": False}
    low = {"range": [-n - 1.5, 0.5], "tickvals": [*range(-n - 1, 1)], "ticktext": ["var", "mean", *"HGFEDCBA"[-n:]]}
    x = {"range": [-0.5, last], "tickvals": [*range(FEATURES)], "ticktext": [*"12345"], "showgrid": False}
    wide = {"range": [-0.5, last + 2], "tickvals": [*range(FEATURES + 2)], "ticktext": [*"12345", "mean", "var"]}
    fig = figure(
        600,
        Panel((0, 0.46, 0.55, 1), 260, "Before: features 1 to 5 of every sample", x, y | low),
        Panel((0.54, 1, 0.55, 1), 260, "After batch norm: column by column", x, y | low),
        Panel((0.54, 1, 0, 0.43), 220, "After layer norm: row by row", x | wide, y),
        Panel((0, 0.46, 0, 0.43), 200, "A's feature 1 by batch: batch ━ layer norm ┅", {"range": [0, BATCHES]}, values),
    )
    for i, (z, axis) in enumerate(((seen.z, 0), (seen.by_batch, 0), (seen.by_layer, 1)), start=1):
        most = 3 if i > 1 else max(np.abs(s.seen.z).max() for s in states)
        paint(fig, i, z[::-1] / most, (-0.5, last), (0.5 - n, 0.5), smooth=False)
        table = np.concatenate([z, np.stack([z.mean(axis=axis), z.var(axis=axis)], axis=axis)], axis=axis)
        row, column = np.indices(table.shape).reshape(2, -1)
        texts = [number(round(v, 2) + 0.0 if abs(v) < 100 else v) for v in table.ravel().tolist()]
        written = {"type": "scatter", "mode": "text", "x": column, "y": -row, "text": texts, "hoverinfo": "skip"}
        fig["data"].append(written | axes(i))
    fig["layout"]["shapes"] += [
        *(box(i, (-0.5, 0.5), (0.5 - n, 0.5), NORMED, 3) for i in (1, 2)),  # what feature 1 is normalized over
        *(box(i, (-0.5, last), (-0.5, 0.5), LAYER, 3) for i in (1, 3)),  # and sample A
        rule(4, now),
    ]
    for name, value, colour, dash in zip(("batch", "layer"), by_norm, (NORMED, LAYER), ("solid", "dash"), strict=True):
        fig["data"].append(lines(4, np.arange(len(states)), value, name, colour, line={"dash": dash}))
        fig["layout"]["shapes"].append(dot(4, now, value[now], colour))
    return fig


def outputs(p: Params, states: Sequence[State], now: int) -> Figure:
    """What both nets say about the plane, with the training points; the losses."""
    (_, fields, (x, y)), side = states[now].seen, {"range": [-SPAN, SPAN], "nticks": 5}
    titles = ["Without batch norm", "With batch norm, in evaluation", "Loss by step: without ┅  with batch norm ━"]
    fig = pair(p, states, now, [side, side], titles)
    for i, field in enumerate(fields, start=1):
        paint(fig, i, field, (-SPAN, SPAN), (-SPAN, SPAN))
        fig["data"].append(points(i, *x.T, "training", classes(y), marker={"size": 7}, hoverinfo="skip"))
    return fig
