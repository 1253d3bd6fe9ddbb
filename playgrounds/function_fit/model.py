"""A net of one hidden layer learns a curve on an interval; what nets of its width can do at best."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import ACTIVATIONS, SLOPES, Adam
from playgrounds.kit.training import kept

STATES = 150  # that a run keeps, the start apart: each needs the worst errors of up to eight nets
WIDTHS = (1, 2, 4, 8, 16, 32, 64)  # trained beside the chosen one


class Params(kit.Params):
    target: Literal["sine", "|x|", "wiggles", "bump", "step"] = knob(
        "sine", label="Curve", help="sine on [0, 2π]; |x| has a kink, step a jump, wiggles is a sum of two sines"
    )
    units: int = knob(8, 1, 64, label="Hidden units", help="a hyperparameter: it decides how many there are", log=True)
    activation: Literal["relu", "tanh", "sigmoid", "x^2"] = knob("relu", label="Activation")
    rate: float = knob(0.03, 0.0001, 1, label="Learning rate η", help="of Adam, on all points at once", log=True)
    steps: int = knob(600, 10, 3000, label="Steps", log=True)
    constructed: bool = knob(
        True, label="Net built by hand", help="ReLU units, as many, that join points of the curve by straight lines"
    )
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the first weights, and the noise if there is any")
    gain: float = knob(4.0, 0.25, 16, label="Size of the first weights", help="largest |w|", log=True, more=True)
    noise: float = knob(0.0, 0.0, 0.5, label="Noise", help="standard deviation, on the training points", more=True)
    beyond: bool = knob(False, label="Show outside the interval", help="where nothing is promised", more=True)

    @property
    def widths(self) -> list[int]:
        return sorted({*WIDTHS, self.units})

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class Net(NamedTuple):
    """output(u) = c + Σ v f(w u + b), with an entry of w, b and v for every hidden unit."""

    w: np.ndarray  # (units,)
    b: np.ndarray  # (units,)
    v: np.ndarray  # (units,)
    c: np.ndarray  # (1,); or one for each of several nets side by side


class State(NamedTuple):
    step: int
    worst_error: Annotated[float, Metric("worst error", shown=True)]  # max |net − f| on the interval: the sup norm
    worst_at: Annotated[float, Metric("x of the worst error")]
    mean_error: Annotated[float, Metric("mean error", shown=True)]  # mean |net − f|
    loss: Annotated[float, Metric("training loss")]  # mean squared error on the training points
    parameters: Annotated[int, Metric("parameters", "count", shown=True)]
    constructed_error: Annotated[float, Metric("worst error of the net built by hand")]  # of the same width
    best_parabola: Annotated[float, Metric("worst error of the best parabola")]
    net: Net
    errors: np.ndarray  # (widths,) the worst error of every net
    y: np.ndarray  # (TRAIN,) what was learned from


class Target(NamedTuple):
    """A curve on an interval, and the maximum of |f''|, infinite where there is no second derivative."""

    low: float
    high: float
    f: Callable[[np.ndarray], np.ndarray]
    curvature: float

    def x(self, u: np.ndarray) -> np.ndarray:
        """From the net's input u in [-1, 1] to x."""
        return self.low + (self.high - self.low) * (u + 1) / 2

    def __call__(self, u: np.ndarray) -> np.ndarray:
        return self.f(self.x(u))


TARGETS = {
    "sine": Target(0, 2 * np.pi, np.sin, 1),
    "|x|": Target(-1, 1, np.abs, np.inf),
    "wiggles": Target(-1, 1, lambda x: 0.6 * np.sin(np.pi * x) + 0.4 * np.sin(5 * np.pi * x), 10.6 * np.pi**2),
    "bump": Target(-1, 1, lambda x: np.exp(-25 * x * x), 50),
    "step": Target(-1, 1, lambda x: (x >= 0) * 1.0, np.inf),
}
TRAIN = np.linspace(-1, 1, 128)
GRID = np.union1d(np.linspace(-1, 1, 257), -1e-9)  # the last is the left side of a jump at 0


def activate(z: np.ndarray, activation: str) -> np.ndarray:
    return z * z if activation == "x^2" else ACTIVATIONS[activation](z)


def slope(z: np.ndarray, h: np.ndarray, activation: str) -> np.ndarray:
    """f'(z), for h = f(z)."""
    return 2 * z if activation == "x^2" else SLOPES[activation](h)


def dense(m: int, n: int) -> int:
    """Parameters of a fully connected layer from m to n units: m n weights and n biases."""
    return m * n + n


def parameters(units: int) -> int:
    return dense(1, units) + dense(units, 1)


def first(widths: Sequence[int], gain: float, seed: int) -> Net:
    """Random w, b, v of all nets, side by side, and a c of 0 each. Every unit bends somewhere within the interval."""
    drawn = []
    for units in widths:
        rng = np.random.default_rng([seed, units])  # a width starts the same whichever others there are
        w = rng.choice([-1, 1], units) * rng.uniform(0.5, 1, units) * gain
        b = -w * rng.uniform(-1, 1, units)
        v = rng.uniform(-1, 1, units) / np.sqrt(units)
        drawn.append((w, b, v))
    w, b, v = (np.concatenate(part) for part in zip(*drawn, strict=True))
    return Net(w, b, v, np.zeros(len(widths)))


def forward(u: np.ndarray, nets: Net, widths: Sequence[int], activation: str) -> tuple[np.ndarray, ...]:
    """z and h = f(z) of every unit, (units, n), and the outputs c + sum of v h of every net, (nets, n)."""
    z = nets.w[:, None] * u + nets.b[:, None]
    h = activate(z, activation)
    starts = np.cumsum([0, *widths[:-1]])  # the units of a net stand next to each other
    return z, h, np.add.reduceat(nets.v[:, None] * h, starts, axis=0) + nets.c[:, None]


def backward(u: np.ndarray, y: np.ndarray, nets: Net, widths: Sequence[int], activation: str) -> Net:
    """Gradients of every net's mean squared error, for w, b, v and c."""
    z, h, output = forward(u, nets, widths, activation)
    delta = 2 / len(u) * (output - y)
    delta_h = np.repeat(delta, widths, axis=0)  # every unit hears of the error of its own net
    delta_z = delta_h * nets.v[:, None] * slope(z, h, activation)
    return Net(delta_z @ u, delta_z.sum(axis=1), (delta_h * h).sum(axis=1), delta.sum(axis=1))


def shares(net: Net, activation: str, u: np.ndarray) -> np.ndarray:
    """What each unit adds to the output, v f(w u + b), (units, n)."""
    _, h, _ = forward(u, net, [len(net.w)], activation)
    return net.v[:, None] * h


def construct(target: Target, units: int) -> Net:
    """A ReLU net that equals the target at units + 1 evenly spaced points and is straight between."""
    knots = np.linspace(-1, 1, units + 1)
    slopes = np.diff(target(knots)) / np.diff(knots)
    return Net(np.ones(units), -knots[:-1], np.diff(slopes, prepend=0), target(knots[:1]))


@lru_cache(maxsize=256)
def constructed_error(name: str, units: int) -> float:
    """The worst error of that net, at most curvature * piece² / 8."""
    target = TARGETS[name]
    output = forward(GRID, construct(target, units), [units], "relu")[-1]
    error = float(np.abs(output - target(GRID)).max())
    return error if error > 1e-12 else 0.0


def best_parabola(u: np.ndarray, y: np.ndarray) -> float:
    """The smallest worst error of any a + b u + c u² on the points u, y: Chebyshev's, found by exchange (Remez 1934).

    On four points the best parabola misses by the same E with alternating signs. Any parabola does at least as badly on
    all points as on four of them; so four are sought on which E is largest, always taking in the point that is worst.
    """
    powers = u[:, None] ** (0, 1, 2)

    def level(four: np.ndarray) -> np.ndarray:
        return np.linalg.solve(np.column_stack([powers[four], (1, -1, 1, -1)]), y[four])

    four = np.linspace(0, len(u) - 1, 4).astype(int)
    for _ in range(100):
        *parabola, E = level(four)
        error = np.abs(y - powers @ parabola)
        worst = error.argmax()
        if error[worst] <= abs(E) + 1e-12:
            break
        swaps = [np.sort(np.append(np.delete(four, j), worst)) for j in range(4)]
        four = max(swaps, key=lambda swap: abs(level(swap)[-1]))
    return abs(float(E))


def run(p: Params) -> Iterator[State | None]:
    """Train the chosen net by full-batch Adam, and at the same time, each by itself, nets of other widths.

    Between the states of a long run, None: there is nothing new to see.
    """
    target, widths = TARGETS[p.target], p.widths
    y = target(TRAIN) + p.noise * np.random.default_rng(p.seed).normal(size=len(TRAIN))
    f = target(GRID)
    constructed = constructed_error(p.target, p.units)
    parabola = best_parabola(GRID, f)
    nets = first(widths, p.gain, p.seed)
    optimizer = Adam(nets, p.rate)
    mine = widths.index(p.units)
    units = slice(sum(widths[:mine]), sum(widths[: mine + 1]))

    film = set(kept(p.steps, STATES))
    for step in range(p.steps + 1):
        if step:
            optimizer.step(backward(TRAIN, y, nets, widths, p.activation))
        if step not in film:
            yield None
            continue
        error = np.abs(forward(GRID, nets, widths, p.activation)[-1] - f)
        worst = int(error[mine].argmax())
        net = Net(nets.w[units].copy(), nets.b[units].copy(), nets.v[units].copy(), nets.c[[mine]])
        output = forward(TRAIN, net, [p.units], p.activation)[-1]
        yield State(
            step=step,
            worst_error=float(error[mine, worst]),
            worst_at=float(target.x(GRID[worst])),
            mean_error=float(error[mine].mean()),
            loss=float(np.mean((output - y) ** 2)),
            parameters=parameters(p.units),
            constructed_error=constructed,
            best_parabola=parabola,
            net=net,
            errors=error.max(axis=1),
            y=y,
        )
