"""A multi-layer perceptron in the plane: forward pass, backpropagation and training, by hand and by torch."""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.data import plane
from playgrounds.kit.forms import cloud
from playgrounds.kit.nn import ACTIVATIONS, SGD, SLOPES, Adam, binary_cross_entropy, linear, sigmoid
from playgrounds.kit.training import finite, kept

TRAIN, TEST = 200, 200  # points; the four corners are a training set of four
HELD_OUT = 4  # of the reader's own points every fourth is a test point, from twice as many on
OWN = "-0.6,0.1,0\n-0.4,0.6,0\n-0.3,-0.5,0\n0.1,0.8,0\n0.2,0,1\n0.5,0.4,1\n0.6,-0.5,1\n0.1,-0.2,1\n0.7,0.1,1"


class Params(kit.Params):
    data: Literal["xor", "corners", "circles", "moons", "spirals", "blobs", "own"] = knob("xor", label="Data")
    points: str = knob(OWN, 0, 2, form="points", label="Your points", when=lambda p: p.data == "own")
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
    loss: Annotated[float | None, Metric("training loss", digits=4, shown=True)]  # cross-entropy, without the penalty
    test_loss: Annotated[float | None, Metric("test loss", digits=4)]
    accuracy: Annotated[float | None, Metric("right on training points", "%", shown=True)]
    test_accuracy: Annotated[float | None, Metric("right on test points", "%", shown=True)]
    parameters: Annotated[int, Metric("parameters", "count")]  # weights and biases of all layers
    weights: list[np.ndarray]  # W of shape (outputs, inputs) per layer
    biases: list[np.ndarray]
    points: tuple[np.ndarray, ...]  # training x (n, 2) and y (n,), test x and y


def forward(x: np.ndarray, weights: list, biases: list, activation: str) -> list[np.ndarray]:
    """Values of all layers for x of shape (n, 2): the inputs, each hidden layer, the output's logits (n, 1)."""
    f = ACTIVATIONS[activation]
    values = [x]
    with np.errstate(over="ignore", invalid="ignore"):  # a net that diverges is shown too
        for layer, (w, b) in enumerate(zip(weights, biases, strict=True), start=1):
            z = values[-1] @ w.T + b
            values.append(z if layer == len(weights) else f(z))
    return values


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    """Mean of -y log p - (1 - y) log(1 - p) for p = sigmoid(logit)."""
    return float(np.mean(binary_cross_entropy(logits[:, 0], y)))


def backward(values: list, y: np.ndarray, weights: list, activation: str) -> tuple[list, list]:
    """Gradients of the mean cross-entropy for all weights and biases, from the output back to the first layer."""
    slope = SLOPES[activation]
    delta = (sigmoid(values[-1]) - y[:, None]) / len(y)  # dL/dz of the output: p - y
    dw, db = [], []
    for layer in reversed(range(len(weights))):
        dw.append(delta.T @ values[layer])
        db.append(delta.sum(axis=0))
        if layer:
            delta = (delta @ weights[layer]) * slope(values[layer])
    return dw[::-1], db[::-1]


def numpy_updates(p: Params, weights: list, biases: list) -> Callable[[np.ndarray, np.ndarray], None]:
    """Return update(x, y): one step of the optimizer on one batch, by hand; changes weights and biases in place."""
    theta = weights + biases
    optimizer: Adam | SGD
    if p.optimizer == "Adam":
        optimizer = Adam(theta, p.rate)
    else:
        optimizer = SGD(theta, p.rate, momentum=0.9 if p.optimizer == "momentum" else 0.0)

    def update(x: np.ndarray, y: np.ndarray) -> None:
        dw, db = backward(forward(x, weights, biases, p.activation), y, weights, p.activation)
        penalized = [d + p.l2 * w for d, w in zip(dw, weights, strict=True)]
        optimizer.step(penalized + db)

    return update


def torch_updates(p: Params, weights: list, biases: list) -> Callable[[np.ndarray, np.ndarray], None]:
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
        optimizer: torch.optim.Optimizer = torch.optim.Adam(groups, lr=p.rate, fused=True)
    else:
        optimizer = torch.optim.SGD(groups, lr=p.rate, momentum=0.9 if p.optimizer == "momentum" else 0, fused=True)
    loss_of = torch.nn.BCEWithLogitsLoss()

    def update(x: np.ndarray, y: np.ndarray) -> None:
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


def right(logits: np.ndarray, y: np.ndarray) -> float:
    """The share of points on the right side; a point exactly on the boundary is on neither."""
    return float(np.mean(np.where(y == 1, logits[:, 0] > 0, logits[:, 0] < 0)))


def run(p: Params) -> Iterator[State]:
    """Train; a state per epoch, or per few epochs of a long run. Ends early where a number stops being finite."""
    rng = np.random.default_rng(p.seed)
    x, y, x_test, y_test = points = points_of(p, rng)
    layers = [linear(fan_in, fan_out, rng) for fan_in, fan_out in zip(p.layers, p.layers[1:], strict=False)]
    weights, biases = [w for w, _ in layers], [b for _, b in layers]
    update = (torch_updates if p.engine == "torch" else numpy_updates)(p, weights, biases)
    parameters = sum(w.size + b.size for w, b in layers)
    size = len(x) if p.batch == "all" else int(p.batch)

    if not len(x):
        yield State(
            step=0,
            loss=None,
            test_loss=None,
            accuracy=None,
            test_accuracy=None,
            parameters=parameters,
            weights=weights,
            biases=biases,
            points=points,
        )
        return
    film = set(kept(p.epochs))
    for epoch in range(p.epochs + 1):
        if epoch:
            order = rng.permutation(len(x)) if size < len(x) else np.arange(len(x))
            with np.errstate(over="ignore", invalid="ignore"):
                for start in range(0, len(x), size):
                    batch = order[start : start + size]
                    update(x[batch], y[batch])
        broken = not finite(*weights, *biases)
        if epoch not in film and not broken:
            continue
        logits = forward(x, weights, biases, p.activation)[-1]
        logits_test = forward(x_test, weights, biases, p.activation)[-1]
        with np.errstate(over="ignore", invalid="ignore"):
            loss, test_loss = cross_entropy(logits, y), cross_entropy(logits_test, y_test)
        yield State(
            step=epoch,
            loss=loss,
            test_loss=test_loss,
            accuracy=right(logits, y),
            test_accuracy=right(logits_test, y_test),
            parameters=parameters,
            weights=[w.copy() for w in weights],
            biases=[b.copy() for b in biases],
            points=points,
        )
        if broken or not np.isfinite(loss):
            return
