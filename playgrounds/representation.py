"""A hidden layer moves two classes apart while the net trains, and linear probes say what each representation is worth.

Left out: more than two inputs and one hidden layer, and probes that are not linear.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.data import grid, plane
from playgrounds.kit.figures import Figure, Panel, axes, classes, figure, label, lines, paint, points, polyline, rule
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import number

POINTS = 1000  # to train on, and as many held out: all accuracies are those of the held-out points
STATES = 100  # that a run keeps, the start apart
DRAWN = 200  # of the held-out points
C = 100.0  # of the probes, as scikit-learn has it: the weight of the data against the penalty


class Params(kit.Params):
    data: Literal["circles", "spirals", "digits"] = knob(
        "circles", label="Data", help="digits: real ones, 4 or 5 against 6 or 7, by two principal components"
    )
    hidden: int = knob(
        4, 2, 16, label="Hidden units", help="2 can fold the plane but not lift the disc out of its ring; 3 can"
    )
    activation: Literal["tanh", "relu", "identity"] = knob("tanh", label="Activation")
    trained: bool = knob(
        True, label="Train the hidden layer", help="off: it stays random, and only the output layer learns"
    )
    steps: int = knob(600, 10, 3000, label="Steps", help="of Adam, each on all training points", step=10)
    seed: int = knob(3, 0, 9999, label="Seed", help="decides the points and the first weights")
    rate: float = knob(0.02, 0.001, 1, label="Learning rate η", log=True, more=True)
    noise: float = knob(
        0.08, 0, 0.3, label="Noise", help="standard deviation", step=0.01, more=True, when=lambda p: p.data != "digits"
    )

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    hidden_probe: float  # share of the held-out points that the linear probe on the hidden layer has right
    untrained_probe: float  # the same before the first step
    input_probe: float  # the same on the input
    net_accuracy: float  # share that the net itself has right
    loss: float  # cross-entropy of the net on the training points
    note: str
    theta: tuple[np.ndarray, ...]  # W (h, 2), b (h,), v (h,), c (1,): logit = v · f(W x + b) + c
    probe: np.ndarray  # (h + 1,) of the hidden layer: weights, then the bias
    middle: np.ndarray  # (h,): where the hidden space is looked at,
    eye: np.ndarray  # (h, 2): from where, and
    spread: np.ndarray  # (2,): the points' standard deviation there, which is the unit of the picture
    shown: tuple[np.ndarray, ...]  # x, y of the drawn points, and the probe (3,) of the input


ACTIVATIONS = {  # the function and its slope, the slope in terms of the function's value h
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0) * 1.0),
    "identity": (lambda z: z, np.ones_like),
}


def sample(p: Params, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """x of shape (n, 2) and y of shape (n,) to train on, and the same held out."""
    if p.data == "digits":
        return digits(rng)
    if p.data == "spirals":
        return *plane("spirals", POINTS, p.noise, rng), *plane("spirals", POINTS, p.noise, rng)
    from sklearn.datasets import make_circles

    both = [make_circles(POINTS, noise=p.noise, factor=0.4, random_state=int(rng.integers(2**31))) for _ in range(2)]
    return *both[0], *both[1]


def digits(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """scikit-learn's digits 4 to 7, half of them held out, on the first two principal components; y: above 5."""
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    chosen = rng.permutation(np.flatnonzero((digit >= 4) & (digit <= 7)))
    train, test = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    middle = pixels[train].mean(axis=0)
    _, _, components = np.linalg.svd(pixels[train] - middle, full_matrices=False)
    pair = components[:2] * np.sign(components[:2].sum(axis=1, keepdims=True))  # an SVD leaves the signs open
    x = (pixels - middle) @ pair.T / 30  # about within [-1, 1]
    y = (digit > 5) * 1.0
    return x[train], y[train], x[test], y[test]


def features(x: np.ndarray, theta: Sequence[np.ndarray], activation: str) -> np.ndarray:
    """The hidden layer's values, shape (n, h)."""
    w, b, *_ = theta
    return ACTIVATIONS[activation][0](x @ w.T + b)


def cross_entropy(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-y log p - (1 - y) log(1 - p) for p = sigmoid(z), in the form that cannot overflow."""
    return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(z / 2))


def gradients(x: np.ndarray, y: np.ndarray, theta: Sequence[np.ndarray], activation: str) -> list[np.ndarray]:
    """Of the mean cross-entropy, for W, b, v and c."""
    _, _, v, c = theta
    h = features(x, theta, activation)
    delta = (sigmoid(h @ v + c) - y) / len(y)  # dL/dz of the output: p - y
    below = delta[:, None] * v * ACTIVATIONS[activation][1](h)
    return [below.T @ x, below.sum(axis=0), delta @ h, delta.sum(keepdims=True)]


def linear_probe(h: np.ndarray, y: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Logistic regression from h of shape (n, d): the (d + 1,) that minimise |w|²/2 + C · (sum of cross-entropies).

    The same minimum as scikit-learn's LogisticRegression(C=100), by Newton's method with halved steps; the last of the
    d + 1 is the bias, which has no penalty.
    """
    design = np.column_stack([h, np.ones(len(h))])
    penalty = np.append(np.ones(h.shape[1]), 0.0) / C
    theta, z = start, design @ start
    objective = cross_entropy(z, y).sum() + penalty @ theta**2 / 2
    for _ in range(50):
        prob = sigmoid(z)
        gradient = design.T @ (prob - y) + penalty * theta
        curvature = (design.T * (prob * (1 - prob))) @ design + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        share = 1.0
        while share > 1e-6:
            z = design @ (theta - share * step)
            better = cross_entropy(z, y).sum() + penalty @ (theta - share * step) ** 2 / 2
            if better <= objective:
                break
            share /= 2
        theta = theta - share * step
        if objective - better < 1e-9 * (1 + objective):
            break
        objective = better
    return theta


def right(z: np.ndarray, y: np.ndarray) -> float:
    """The share of points on the right side of z = 0."""
    return float(np.mean((z > 0) == (y > 0.5)))


def camera(h: np.ndarray, normal: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Two orthonormal directions (h, 2) to look at the hidden space from: across the probe's plane, and along it.

    The second turns towards the first principal component within the plane, and both keep the sign that is nearer to
    the camera before, so that the picture moves where the points move.
    """
    across = normal / max(np.linalg.norm(normal), 1e-12)
    if before is not None and across @ before[:, 0] < 0:
        across = -across
    flat = h - h.mean(axis=0)
    flat = flat - np.outer(flat @ across, across)
    along = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    if before is not None:
        along = 0.25 * np.copysign(1, along @ before[:, 1]) * along + 0.75 * before[:, 1]
        along = along - (along @ across) * across
    return np.stack([across, along / max(np.linalg.norm(along), 1e-12)], axis=1)


def run(p: Params) -> Iterator[State]:
    """Train the net; at every step that is kept, fit a linear probe to the hidden layer as it is then."""
    rng = np.random.default_rng(p.seed)
    x, y, x_test, y_test = sample(p, rng)
    input_probe = linear_probe(x, y, np.zeros(3))
    on_input = right(x_test @ input_probe[:-1] + input_probe[-1], y_test)
    shown = x_test[:DRAWN], y_test[:DRAWN], input_probe

    theta = []
    for shape, fan_in in (((p.hidden, 2), 2), (p.hidden, 2), (p.hidden, p.hidden), (1, p.hidden)):
        theta.append(rng.uniform(-1, 1, shape) / np.sqrt(fan_in))  # torch.nn.Linear's own first weights
    m, s = [np.zeros_like(t) for t in theta], [np.zeros_like(t) for t in theta]
    learns = range(4) if p.trained else (2, 3)

    probe, eye, untrained, film = np.zeros(p.hidden + 1), None, None, set(kept(p.steps, STATES))
    for step in range(p.steps + 1):
        if step:
            g = gradients(x, y, theta, p.activation)
            for i in learns:  # Adam, Kingma and Ba 2015
                m[i] = 0.9 * m[i] + 0.1 * g[i]
                s[i] = 0.999 * s[i] + 0.001 * g[i] ** 2
                m_hat, s_hat = m[i] / (1 - 0.9**step), s[i] / (1 - 0.999**step)
                theta[i] = theta[i] - p.rate * m_hat / (np.sqrt(s_hat) + 1e-8)
        if step not in film:
            continue
        h, h_test = features(x, theta, p.activation), features(x_test, theta, p.activation)
        probe = linear_probe(h, y, probe)
        on_hidden = right(h_test @ probe[:-1] + probe[-1], y_test)
        untrained = on_hidden if untrained is None else untrained
        eye, middle = camera(h, probe[:-1], eye), h.mean(axis=0)
        spread = ((h - middle) @ eye).std(axis=0)
        state = State(
            step, on_hidden, untrained, on_input, right(h_test @ theta[2] + theta[3], y_test),
            float(cross_entropy(h @ theta[2] + theta[3], y).mean()), "",
            tuple(theta), probe, middle, eye, np.where(spread < 1e-9, 1, spread), shown,
        )  # fmt: skip
        yield state._replace(note=note(p, state, len(y_test)))


def percent(share: float) -> str:
    return f"{number(round(100 * share, 1))} %"


def note(p: Params, now: State, n: int) -> str:
    """What the probes read at this step, on n held-out points."""
    before, on_input = percent(now.untrained_probe), percent(now.input_probe)
    if now.step == 0:
        left = round(100 * (1 - now.untrained_probe), 1)
        hope = f"Training can add no more than the missing {number(left)} points to that."
        if p.activation == "identity":
            hope = "Without an activation that layer is a linear map of the input, and training adds nothing to it."
        elif left < 1:
            hope = "These points do not need learned features to be separable."
        return (
            f"Before training: a linear probe on {p.hidden} random {p.activation} units has {before} of {n:,} held-out "
            f"points right, on the input {on_input}. {hope}"
        )
    net = f"The net itself has {percent(now.net_accuracy)} right, loss {number(now.loss)}"
    if not p.trained:
        return (
            f"Step {now.step}: the hidden layer stays as random as it was, and the linear probe on it at {before}. "
            f"{net}; only its output layer learns."
        )
    gain = round(100 * (now.hidden_probe - now.untrained_probe), 1)
    change = f"{number(abs(gain))} points {'more' if gain > 0 else 'less'} than" if gain else "as much as"
    return (
        f"Step {now.step}: the linear probe on the hidden layer has {percent(now.hidden_probe)} right, {change} before "
        f"training ({before}); on the input it has {on_input}. {net}."
    )


PRESETS = (
    works("Four learned features", "Training moves the disc out of its ring in the hidden space until one plane cuts "
          "between them.", {"hidden_probe": ">= 0.98", "untrained_probe": "<= 0.95"}, hidden=4),
    works("Sixteen random features", "Nothing in the hidden layer is trained, and a linear probe reads the circles "
          "from it all the same.", {"hidden_probe": ">= 0.98"}, hidden=16, trained=False),
    fails("Two units", "Two features only fold the plane into another plane, where part of the ring still lies on the "
          "disc's side.", {"hidden_probe": "<= 0.9"}, hidden=2),
    fails("No activation", "Linear features are the input seen from another side: what no line separated, no probe "
          "separates now.", {"hidden_probe": "<= 0.6"}, activation="identity"),
)  # fmt: skip

SPAN = 1.3  # the input is shown from -SPAN to SPAN,
REACH = 2.9  # the hidden space to so many standard deviations on both sides
CELLS = grid(40, SPAN)
FINE = np.linspace(-1.2, 1.2, 25)
UPRIGHT = [np.stack([np.full_like(FINE, at), FINE], axis=1) for at in FINE[::4]]
NET = np.array(UPRIGHT + [line[:, ::-1] for line in UPRIGHT])  # (14 lines, 25 points, 2), which the hidden layer bends
UNTRAINED, OUTPUT = SERIES[3], SERIES[2]


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The input with the net's output; the hidden space across its probe; the accuracies by step with a cursor."""
    state, end = states[now], states[-1]
    x, y, input_probe = state.shown
    curves = 100 * np.array([(s.hidden_probe, s.untrained_probe, s.input_probe, s.net_accuracy) for s in states])
    steps = np.array([s.step for s in states])
    low = min(45.0, curves.min() - 2)
    shares = {"range": [low, 103], "nticks": 5}
    square = {"range": [-SPAN, SPAN], "nticks": 5, "showgrid": False}
    sigmas = {"range": [-REACH, REACH], "showticklabels": False, "showgrid": False}
    ticks = {"range": [0, 1.26 * p.steps], "tickvals": [0, p.steps // 2, p.steps], "showgrid": False}
    across_unit = sigmas | {"title": "across the probe, in standard deviations"}
    top = f"Input: its linear probe (dashed) has {percent(state.input_probe)}"
    fig = figure(
        560,
        Panel((0, 0.48, 0.36, 1), 320, top, square, square, square=True),
        Panel((0.52, 1, 0.36, 1), 320, "Hidden layer and its linear probe (dashed)", across_unit, sigmas, square=True),
        Panel((0, 1, 0, 0.25), 190, "Held-out points right, %: probes and the net", ticks, shares),
    )
    fig["narrow"]["xaxis3.range"] = [0, 1.56 * p.steps]
    h = features(CELLS, state.theta, p.activation)
    paint(fig, 1, np.tanh((h @ state.theta[2] + state.theta[3]) / 2).reshape(40, 40), (-SPAN, SPAN), (-SPAN, SPAN))
    across = state.probe[:-1] @ state.eye[:, 0] * state.spread[0]  # the probe's logit: across * u + middle
    middle = state.probe[:-1] @ state.middle + state.probe[-1]
    u = (np.arange(80) + 0.5) / 80 * 2 * REACH - REACH
    paint(fig, 2, np.tanh((across * u + middle) / 2)[None, :], (-REACH, REACH), (-REACH, REACH))

    fig["data"] += [
        points(1, x[:, 0], x[:, 1], "held-out", classes(y), marker={"size": 6, "symbol": "square"}, hoverinfo="skip"),
        lines(3, steps, curves[:, 2], "input", MUTED, line={"dash": "dot"}),
        lines(3, steps, curves[:, 1], "untrained hidden", UNTRAINED, line={"dash": "dash"}),
        lines(3, steps, curves[:, 3], "the net", OUTPUT, line={"width": 1.5}),
        lines(3, steps, curves[:, 0], "hidden", INK),
    ]
    fig["layout"]["annotations"] += names(p, end, low)
    net, at = ((features(o, state.theta, p.activation) - state.middle) @ state.eye / state.spread for o in (NET, x))
    fig["layout"]["shapes"] += [
        PLAIN,
        line_of(input_probe),
        threads(2, net),
        cloud(2, at[y == 0], BLUE),
        cloud(2, at[y == 1], ORANGE),
        rule(2, np.clip(-middle / across, -9, 9) if abs(across) > 1e-9 else 9, INK, "dash"),
        rule(3, state.step),
    ]
    return fig


def names(p: Params, end: State, low: float) -> list[dict]:
    """A name and the last value at the end of every curve, moved apart where the curves end near each other."""
    ends = [
        (end.hidden_probe, "trained" if p.trained else "frozen", INK),
        (end.untrained_probe, "untrained", UNTRAINED),
        (end.input_probe, "input", MUTED),
        (end.net_accuracy, "the net", OUTPUT),
    ]
    ends.sort(key=lambda one: one[0], reverse=True)
    apart, at = (103 - low) / 8.5, [100 * ends[0][0]]
    for share, _, _ in ends[1:]:
        at.append(min(100 * share, at[-1] - apart))
    lift = max(0.0, low + apart / 2 - at[-1])
    return [
        label(3, 1.03 * p.steps, height + lift, f"{text} {percent(share)}", colour, xanchor="left")
        for height, (share, text, colour) in zip(at, ends, strict=True)
    ]


def line_of(probe: np.ndarray) -> dict:
    """Where a probe of the input changes its mind, as a shape."""
    w, size = probe[:2], max(np.linalg.norm(probe[:2]), 1e-9)
    foot, way = -probe[2] * w / size**2, 3 * SPAN * np.array([-w[1], w[0]]) / size
    return polyline(1, *np.stack([foot - way, foot + way]).T, INK, 2, "dash")


def threads(panel: int, net: np.ndarray) -> dict:
    """Lines of shape (lines, points, 2) as one shape."""
    form = "M%.2f,%.2f" + "L%.2f,%.2f" * (net.shape[1] - 1)
    return outline(panel, form * len(net), net) | {"line": {"color": FAINT, "width": 1}, "fillcolor": "rgba(0,0,0,0)"}


def cloud(panel: int, at: np.ndarray, colour: str, half: float = 0.05) -> dict:
    """Small squares around points of shape (n, 2) as one shape: a cloud that moves costs no trace."""
    u, v = at.round(2).T
    corners = np.stack([u - half, v - half, u + half, v + half, u - half], axis=1)
    look = {"line": {"color": colour, "width": 0}, "fillcolor": colour, "fillrule": "nonzero"}
    return outline(panel, "M%.2f,%.2fH%.2fV%.2fH%.2fZ" * len(at), corners) | look


def outline(panel: int, form: str, numbers: np.ndarray) -> dict:
    return {"type": "path", "path": form % tuple(np.clip(numbers, -9, 9).ravel().tolist())} | axes(panel, "ref")


PLAIN = threads(1, NET)
