"""A small net learns to separate two classes in the plane; every hidden unit shows what it has learned to see.

Left out: anything that needs more than two inputs, and layers of more than eight units, which no picture could show.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.data import grid, plane
from playgrounds.kit.figures import (
    Figure,
    Panel,
    axes,
    box,
    classes,
    figure,
    lines,
    loss_axis,
    paint,
    points,
    rule,
    segment,
)  # fmt: skip
from playgrounds.kit.forms import cloud
from playgrounds.kit.palette import BLUE, FAINT, INK, ORANGE
from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import number

TRAIN, TEST = 200, 200  # points; the four corners are a training set of four
HELD_OUT = 4  # of the reader's own points every fourth is a test point, from twice as many on
OWN = "-0.6,0.1,0\n-0.4,0.6,0\n-0.3,-0.5,0\n0.1,0.8,0\n0.2,0,1\n0.5,0.4,1\n0.6,-0.5,1\n0.1,-0.2,1\n0.7,0.1,1"


class Params(kit.Params):
    data: Literal["xor", "corners", "circles", "moons", "spirals", "blobs", "own"] = knob("xor", label="Data")
    points: str = knob(
        OWN, 0, 2, form="points", label="Your points", when=lambda p: p.data == "own",
    )  # fmt: skip
    hidden: int = knob(4, 0, 8, label="Hidden units", help="in the first hidden layer; 0: no hidden layer at all")
    activation: Literal["tanh", "relu", "sigmoid", "identity"] = knob("tanh", label="Activation")
    rate: float = knob(0.03, 0.0001, 10, label="Learning rate η", log=True)
    epochs: int = knob(300, 10, 1000, label="Epochs", help="how often the net sees all training points", step=10)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the points and the first weights")
    hidden2: int = knob(0, 0, 8, label="Second hidden layer", help="units; 0: there is none", more=True)
    hidden3: int = knob(0, 0, 8, label="Third hidden layer", help="units; 0: there is none", more=True)
    noise: float = knob(
        0.0, 0.0, 0.5, label="Noise", help="standard deviation added to every point", step=0.05, more=True
    )
    optimizer: Literal["Adam", "SGD", "momentum"] = knob("Adam", label="Optimizer", more=True)
    batch: Literal["all", "50", "10"] = knob("all", label="Batch", help="points per update", more=True)
    l2: float = knob(
        0.0, 0.0, 0.3, label="L2 penalty λ", help="adds λ/2 · (sum of squared weights)", step=0.001, more=True
    )
    engine: Literal["numpy", "torch"] = knob(
        "numpy",
        label="Computed by",
        help="gradients by hand in NumPy, or by PyTorch's autograd: the same losses",
        more=True,
    )

    @property
    def layers(self) -> list[int]:
        """Units per layer, inputs and output included; a layer of 0 units is left out."""
        return [2, *(h for h in (self.hidden, self.hidden2, self.hidden3) if h), 1]

    @property
    def length(self) -> int:
        return len(kept(self.epochs)) if self.data != "own" or self.points else 1


class State(NamedTuple):
    step: int  # epochs done
    loss: float  # cross-entropy on the training points, without the penalty
    test_loss: float
    accuracy: float  # share of the training points on the right side
    test_accuracy: float
    note: str
    weights: list[np.ndarray]  # W of shape (outputs, inputs) per layer
    biases: list[np.ndarray]
    points: tuple[np.ndarray, ...]  # training x, y and test x, y


ACTIVATIONS = {  # the function and its slope, the slope in terms of the function's value h
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0) * 1.0),
    "sigmoid": (lambda z: 0.5 * (1 + np.tanh(z / 2)), lambda h: h * (1 - h)),
    "identity": (lambda z: z, np.ones_like),
}


def forward(x: np.ndarray, weights: list, biases: list, activation: str) -> list[np.ndarray]:
    """Values of all layers for x of shape (n, 2): the inputs, each hidden layer, the output's logits (n, 1)."""
    f, _ = ACTIVATIONS[activation]
    values = [x]
    with np.errstate(over="ignore", invalid="ignore"):  # a net that diverges is shown too
        for layer, (w, b) in enumerate(zip(weights, biases, strict=True), start=1):
            z = values[-1] @ w.T + b
            values.append(z if layer == len(weights) else f(z))
    return values


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    """Mean of -y log p - (1 - y) log(1 - p) for p = sigmoid(logit), in the form that cannot overflow."""
    z = logits[:, 0]
    return float(np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))))


def backward(values: list, y: np.ndarray, weights: list, activation: str) -> tuple[list, list]:
    """Gradients of the mean cross-entropy for all weights and biases, from the output back to the first layer."""
    _, slope = ACTIVATIONS[activation]
    delta = (0.5 * (1 + np.tanh(values[-1] / 2)) - y[:, None]) / len(y)  # dL/dz of the output: p - y
    dw, db = [], []
    for layer in reversed(range(len(weights))):
        dw.append(delta.T @ values[layer])
        db.append(delta.sum(axis=0))
        if layer:
            delta = (delta @ weights[layer]) * slope(values[layer])
    return dw[::-1], db[::-1]


def numpy_updates(p: Params, weights: list, biases: list):
    """Return update(x, y): one step of the optimizer on one batch, by hand; changes weights and biases in place."""
    theta = weights + biases
    m = [np.zeros_like(t) for t in theta]
    v = [np.zeros_like(t) for t in theta]
    t = 0

    def update(x, y):
        nonlocal t
        t += 1
        dw, db = backward(forward(x, weights, biases, p.activation), y, weights, p.activation)
        for i, g in enumerate([d + p.l2 * w for d, w in zip(dw, weights, strict=True)] + db):
            if p.optimizer == "SGD":
                theta[i] -= p.rate * g
            elif p.optimizer == "momentum":
                m[i] = 0.9 * m[i] + g
                theta[i] -= p.rate * m[i]
            else:  # Adam, Kingma and Ba 2015
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g * g
                m_hat, v_hat = m[i] / (1 - 0.9**t), v[i] / (1 - 0.999**t)
                theta[i] -= p.rate * m_hat / (np.sqrt(v_hat) + 1e-8)

    return update


def torch_updates(p: Params, weights: list, biases: list):
    """The same with torch.nn and torch.optim; its parameters share their memory with weights and biases."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    f = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid, "identity": torch.nn.Identity}
    net = torch.nn.Sequential()
    for w, b in zip(weights, biases, strict=True):
        if len(net):
            net.append(f[p.activation]())
        linear = torch.nn.Linear(*w.shape[::-1], dtype=torch.float64)
        linear.weight.data, linear.bias.data = torch.from_numpy(w), torch.from_numpy(b)
        net.append(linear)
    groups = [
        {"params": [q for q in net.parameters() if q.dim() == 2], "weight_decay": p.l2},
        {"params": [q for q in net.parameters() if q.dim() == 1]},
    ]
    if p.optimizer == "Adam":
        optimizer = torch.optim.Adam(groups, lr=p.rate, fused=True)
    else:
        optimizer = torch.optim.SGD(groups, lr=p.rate, momentum=0.9 if p.optimizer == "momentum" else 0, fused=True)
    loss_of = torch.nn.BCEWithLogitsLoss()

    def update(x, y):
        optimizer.zero_grad()
        loss_of(net(torch.from_numpy(x))[:, 0], torch.from_numpy(y)).backward()
        optimizer.step()

    return update


def points_of(p: Params, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Training x (n, 2) and y (n,), test x and y."""
    if p.data != "own":
        train = plane(p.data, 4 if p.data == "corners" else TRAIN, p.noise, rng)
        return *train, *plane(p.data, TEST, max(p.noise, 0.12) if p.data == "corners" else p.noise, rng)
    x, y = cloud(p.points)
    x = x + rng.normal(0, 1, x.shape) * p.noise
    held = np.arange(len(x)) % HELD_OUT == HELD_OUT - 1 if len(x) >= 2 * HELD_OUT else np.zeros(len(x), bool)
    return x[~held], y[~held], *((x[held], y[held]) if held.any() else (x, y))


def run(p: Params) -> Iterator[State]:
    """Train; a state per epoch, or per few epochs of a long run."""
    rng = np.random.default_rng(p.seed)
    x, y, x_test, y_test = points_of(p, rng)
    weights, biases = [], []
    for fan_in, fan_out in zip(p.layers, p.layers[1:], strict=False):
        bound = 1 / np.sqrt(fan_in)  # torch.nn.Linear's own first weights
        weights.append(rng.uniform(-bound, bound, (fan_out, fan_in)))
        biases.append(rng.uniform(-bound, bound, fan_out))
    update = (torch_updates if p.engine == "torch" else numpy_updates)(p, weights, biases)
    size = len(x) if p.batch == "all" else int(p.batch)

    if not len(x):
        said = "There are no points yet. Put some of both classes into the plane: the net learns from them."
        yield State(0, 0.0, 0.0, 0.0, 0.0, said, weights, biases, (x, y, x_test, y_test))
        return
    before, film = None, set(kept(p.epochs))
    for epoch in range(p.epochs + 1):
        if epoch:
            order = rng.permutation(len(x)) if size < len(x) else np.arange(len(x))
            with np.errstate(over="ignore", invalid="ignore"):
                for start in range(0, len(x), size):
                    update(x[order[start : start + size]], y[order[start : start + size]])
        broken = not finite(*weights, *biases)
        if epoch not in film and not broken:
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            logits = forward(x, weights, biases, p.activation)[-1]
            logits_test = forward(x_test, weights, biases, p.activation)[-1]
            loss, test_loss = cross_entropy(logits, y), cross_entropy(logits_test, y_test)
        state = State(
            epoch, loss, test_loss, right(logits, y), right(logits_test, y_test), "",
            [w.copy() for w in weights], [b.copy() for b in biases], (x, y, x_test, y_test),
        )  # fmt: skip
        if broken or not np.isfinite(loss):
            quantity = "a weight" if broken else "the loss"
            cause = f"the learning rate {p.rate:g} is too large for this net, so every step overshoots further"
            if p.optimizer == "SGD" and p.rate * p.l2 > 2:  # a step multiplies a weight by 1 - ηλ
                cause = f"η·λ = {number(p.rate * p.l2)} is above 2, so the penalty alone drives the weights out"
            yield state._replace(note=f"Epoch {epoch}: {quantity} is no longer a finite number: {cause}.")
            return
        yield state._replace(note=note(p, state, before))
        before = state


def right(logits: np.ndarray, y: np.ndarray) -> float:
    """The share of points on the right side; a point exactly on the boundary is on neither."""
    return float(np.mean(np.where(y == 1, logits[:, 0] > 0, logits[:, 0] < 0)))


def note(p: Params, now: State, before: State | None) -> str:
    """What happened up to this epoch, in one sentence."""
    x, y, *_ = now.points
    wrong = len(y) - round(now.accuracy * len(y))
    said = (
        f"{wrong} of {len(y)} training points on the wrong side"
        if wrong
        else f"all {len(y)} training points on the right side"
    )
    if before is None:
        return f"Before training: loss {number(now.loss, 4)}, {said}; the weights are random."
    change = now.loss - before.loss
    moved = f"{'up' if change > 0 else 'down'} {number(abs(change), 2)}" if abs(change) > 1e-9 else "standing still"
    dead = 0
    if p.activation == "relu":
        dead = sum(int((h.max(axis=0) <= 0).sum()) for h in forward(x, now.weights, now.biases, "relu")[1:-1])
    more = f" {dead} hidden unit{'s are' if dead > 1 else ' is'} 0 on every point and cannot learn." if dead else ""
    return f"Epoch {now.step}: loss {number(now.loss, 4)} ({moved}), {said}.{more}"


PRESETS = (
    works("Four units, a disc", "Each of the four units draws a line, and the output makes a closed shape of them.",
          {"accuracy": ">= 0.99"}, data="circles", hidden=4),
    works("Three layers, spirals", "Three layers of eight fold the plane until one line can cut the arms apart.",
          {"accuracy": ">= 0.97"}, data="spirals", hidden=8, hidden2=8, hidden3=8, epochs=600),
    fails("No hidden unit", "Without a hidden layer the boundary is one straight line, and no line separates XOR.",
          {"accuracy": "<= 0.75"}, hidden=0),
    fails("No activation", "Two layers without a non-linear function between them are one matrix: the boundary stays "
          "straight.", {"accuracy": "<= 0.75"}, hidden=8, hidden2=8, activation="identity"),
    fails("A rate too large", "Plain SGD with η = 10 jumps over every valley, and the loss climbs or freezes.",
          {"loss": ">= 0.6"}, optimizer="SGD", activation="relu", rate=10.0),
)  # fmt: skip

SPAN = 1.3  # the pictures show the square from -SPAN to SPAN
NET_X, NET_Y = {"range": [-0.12, 1.12]}, {"range": [0, 1]}


BIG, SMALL = 60, 20  # cells a side
OUTPUT, UNIT = grid(BIG, SPAN), grid(SMALL, SPAN)


def places(layers: list[int]) -> tuple[list[list[tuple[float, float]]], float]:
    """The middle of every unit in the network's panel, by layer, and the height of a unit's picture."""
    tall = min(0.2, 0.9 / max(layers), 0.4 / (len(layers) - 1))
    apart = max(tall * 1.12, 0.8 / max(layers))
    rows = [
        [(k / (len(layers) - 1), 0.5 + (0.5 * (n - 1) - i) * apart) for i in range(n)] for k, n in enumerate(layers)
    ]
    return rows, tall


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Output with the points; the net with a picture per unit and a line per weight; the losses with a cursor."""
    state = states[now]
    x, y, x_test, y_test = state.points
    square = {"range": [-SPAN, SPAN], "nticks": 5}
    epochs = {"range": [0, p.epochs], "nticks": 6}
    hollow = {"size": 6, "symbol": "circle-open", "line": {"width": 1.5}}
    filled = {"size": 14 if len(x) == 4 else 8}
    curves = np.array([(s.step, s.loss, s.test_loss) for s in states])
    fig = figure(
        500,
        Panel((0.52, 1, 0.28, 1), 350, "Output, with training ● and test ○ points", square, square, square=True),
        Panel((0, 0.46, 0.28, 1), 280, "The net: what each unit sees", NET_X, NET_Y, bare=True),
        Panel((0, 1, 0, 0.15), 130, "Loss by epoch: training ━  test ┄", epochs, loss_axis(curves[:, 1:])),
    )
    field = np.tanh(forward(OUTPUT, state.weights, state.biases, p.activation)[-1] / 2).reshape(BIG, BIG)
    paint(fig, 1, field, (-SPAN, SPAN), (-SPAN, SPAN))
    fig["data"] += [
        points(1, x_test[:, 0], x_test[:, 1], "test", classes(y_test), marker=hollow, hoverinfo="skip"),
        points(1, x[:, 0], x[:, 1], "training", classes(y), marker=filled, hoverinfo="skip"),
        lines(3, curves[:, 0], curves[:, 2], "test", INK, line={"dash": "dot", "width": 2}),
        lines(3, curves[:, 0], curves[:, 1], "training", INK),
        _network(fig, p, state),
    ]
    fig["layout"]["shapes"].append(rule(3, state.step))
    return fig


def _network(fig: Figure, p: Params, state: State) -> dict:
    """Paint units and lines into the second panel; the trace returned says their numbers on hover."""
    middle, tall = places(p.layers)
    thick = 7 * min(1, 4 / max(p.layers))  # px of the largest weights
    wide = tall * 1.2  # the panel is wider than tall by about that much: units look square
    seen = forward(UNIT, state.weights, state.biases, p.activation)
    for k, layer in enumerate(middle):
        values = np.tanh(seen[k] / 2) if k == len(middle) - 1 else seen[k]
        if p.activation == "sigmoid" and 0 < k < len(middle) - 1:
            values = 2 * values - 1
        values = np.nan_to_num(values)
        values = values / max(1.0, np.abs(values).max())
        for i, (u, v) in enumerate(layer):
            ends = (u - wide / 2, u + wide / 2), (v - tall / 2, v + tall / 2)
            paint(fig, 2, values[:, i].reshape(SMALL, SMALL), *ends)
            fig["layout"]["shapes"].append(box(2, *ends, FAINT))
    spots, texts = [], []
    names = ["x₁", "x₂"]
    for k, (w, b) in enumerate(zip(state.weights, state.biases, strict=True), start=1):
        last = k == len(state.weights)
        for j, (u, v) in enumerate(middle[k]):
            name = "the output" if last else f"unit {j + 1} of layer {k}"
            spots.append((u, v))
            texts.append(f"{name}: bias {b[j]:.3f}")
            for i, (s, t) in enumerate(middle[k - 1]):
                value = w[j, i]
                ends = (s + wide / 2, t), (u - wide / 2, v)
                width = 0.4 + thick * abs(value) / (2 + abs(value))
                fig["layout"]["shapes"].append(segment(2, *ends, ORANGE if value > 0 else BLUE, width))
                at = 0.25 + 0.5 * (i + 0.5) / w.shape[1]
                spots.append((ends[0][0] + at * (ends[1][0] - ends[0][0]), t + at * (v - t)))
                texts.append(f"weight from {names[i]} to {name}: {value:.3f}")
        names = [f"unit {j + 1} of layer {k}" for j in range(len(middle[k]))]
    u, v = np.array(spots).T
    return {"type": "scatter", "mode": "markers", "x": u, "y": v, "hovertext": texts, "hoverinfo": "text",
            "marker": {"size": 16, "opacity": 0, "color": INK}} | axes(2)  # fmt: skip
