"""One hidden layer learns a curve; beside it stand a net of the same width built by hand, and nets of other widths.

Left out: more than one input, more than one hidden layer, optimizers other than full-batch Adam, and test points.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, axes, box, chips, figure, label, legend, lines, log_axis, rule, short
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number

MOST = 150  # states of a run, the start apart: each needs the worst errors of up to eight nets
WIDTHS = (1, 2, 4, 8, 16, 32, 64)  # trained beside the chosen one
GREEN, PURPLE, OLIVE = SERIES[2:5]  # the constructed net, the worst error, the floor


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
        return len(kept(self.steps, MOST))


class State(NamedTuple):
    step: int
    worst_error: float  # max |net - f| on the interval: the sup norm, on GRID
    worst_at: float  # the x where that is
    mean_error: float  # mean |net - f|
    loss: float  # mean squared error on the training points
    parameters: int
    constructed_error: float  # worst error of the net built by hand, of the same width
    best_parabola: float  # the smallest worst error that any parabola can have
    note: str
    w: np.ndarray  # (units,) of the chosen net, b and v too
    b: np.ndarray
    v: np.ndarray
    c: np.ndarray  # (1,)
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

ACTIVATIONS = {  # the function f(z), and its slope in terms of z and h = f(z)
    "relu": (lambda z: np.maximum(z, 0), lambda z, h: (h > 0) * 1.0),
    "tanh": (np.tanh, lambda z, h: 1 - h * h),
    "sigmoid": (lambda z: 0.5 * (1 + np.tanh(z / 2)), lambda z, h: h * (1 - h)),
    "x^2": (lambda z: z * z, lambda z, h: 2 * z),
}


def dense(m: int, n: int) -> int:
    """Parameters of a fully connected layer from m to n units: m n weights and n biases."""
    return m * n + n


def parameters(units: int) -> int:
    return dense(1, units) + dense(units, 1)


def first(widths: Sequence[int], gain: float, seed: int) -> list[np.ndarray]:
    """Random w, b, v of all nets, side by side, and a c of 0 each. Every unit bends somewhere within the interval."""
    drawn = []
    for h in widths:
        rng = np.random.default_rng([seed, h])  # a width starts the same whichever others there are
        w = rng.choice([-1, 1], h) * rng.uniform(0.5, 1, h) * gain
        drawn.append((w, -w * rng.uniform(-1, 1, h), rng.uniform(-1, 1, h) / np.sqrt(h)))
    return [*(np.concatenate(part) for part in zip(*drawn, strict=True)), np.zeros(len(widths))]


def forward(u: np.ndarray, theta: Sequence, widths: Sequence[int], activation: str) -> tuple[np.ndarray, ...]:
    """z and h = f(z) of every unit, (units, n), and the outputs c + sum of v h of every net, (nets, n)."""
    w, b, v, c = theta
    z = w[:, None] * u + b[:, None]
    h = ACTIVATIONS[activation][0](z)
    starts = np.cumsum([0, *widths[:-1]])  # the units of a net stand next to each other
    return z, h, np.add.reduceat(v[:, None] * h, starts, axis=0) + c[:, None]


def backward(u: np.ndarray, y: np.ndarray, theta: Sequence, widths: Sequence[int], activation: str) -> list[np.ndarray]:
    """Gradients of every net's mean squared error, for w, b, v and c."""
    z, h, output = forward(u, theta, widths, activation)
    delta = 2 / len(u) * (output - y)
    delta_h = np.repeat(delta, widths, axis=0)  # every unit hears of the error of its own net
    delta_z = delta_h * theta[2][:, None] * ACTIVATIONS[activation][1](z, h)
    return [delta_z @ u, delta_z.sum(axis=1), (delta_h * h).sum(axis=1), delta.sum(axis=1)]


def construct(target: Target, units: int) -> list[np.ndarray]:
    """w, b, v and c of a ReLU net that equals the target at units + 1 evenly spaced points and is straight between."""
    knots = np.linspace(-1, 1, units + 1)
    slopes = np.diff(target(knots)) / np.diff(knots)
    return [np.ones(units), -knots[:-1], np.diff(slopes, prepend=0), target(knots[:1])]


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


def run(p: Params) -> Iterator[State]:
    """Train the chosen net by full-batch Adam, and at the same time, each by itself, nets of other widths."""
    target, widths = TARGETS[p.target], p.widths
    y = target(TRAIN) + p.noise * np.random.default_rng(p.seed).normal(size=len(TRAIN))
    f = target(GRID)
    built, floor = constructed_error(p.target, p.units), best_parabola(GRID, f)
    theta = first(widths, p.gain, p.seed)
    m = [np.zeros_like(t) for t in theta]
    s = [np.zeros_like(t) for t in theta]
    mine = widths.index(p.units)
    units = slice(sum(widths[:mine]), sum(widths[: mine + 1]))

    film = set(kept(p.steps, MOST))
    for step in range(p.steps + 1):
        if step:  # Adam, Kingma and Ba 2015
            for i, g in enumerate(backward(TRAIN, y, theta, widths, p.activation)):
                m[i] = 0.9 * m[i] + 0.1 * g
                s[i] = 0.999 * s[i] + 0.001 * g * g
                m_hat, s_hat = m[i] / (1 - 0.9**step), s[i] / (1 - 0.999**step)
                theta[i] = theta[i] - p.rate * m_hat / (np.sqrt(s_hat) + 1e-8)
        if step not in film:
            continue
        error = np.abs(forward(GRID, theta, widths, p.activation)[-1] - f)
        worst = int(error[mine].argmax())
        w, b, v, c = *(t[units].copy() for t in theta[:3]), theta[3][[mine]]
        output = forward(TRAIN, (w, b, v, c), [p.units], p.activation)[-1]
        state = State(
            step, float(error[mine, worst]), float(target.x(GRID[worst])), float(error[mine].mean()),
            float(np.mean((output - y) ** 2)), parameters(p.units), built, floor, "",
            w, b, v, c, error.max(axis=1), y,
        )  # fmt: skip
        yield state._replace(note=note(p, state))


def note(p: Params, now: State) -> str:
    """Where it stands, and what a net of this width could do."""
    target, built = TARGETS[p.target], number(now.constructed_error)
    worst = f"worst error {number(now.worst_error)} at x = {number(round(now.worst_at, 2))}"
    count = f"{counted(p.units, 'unit')}, {counted(now.parameters, 'parameter')}"
    said = f"Step {now.step}: {worst}, mean error {number(now.mean_error)}; {count}."
    if now.step == 0:
        said = f"Before training: 3·{p.units} + 1 = {counted(now.parameters, 'parameter')}, still random; {worst}."
    if p.activation == "x^2":
        x, output = target.x(TRAIN), shares(p, now, TRAIN).sum(axis=0) + now.c
        a, b, c = (number(round(k, 6) + 0.0) for k in np.polyfit(x, output, 2))
        parabola, least = f"{a}·x² + {b}·x + {c}".replace("+ −", "− "), number(now.best_parabola)
        return f"{said} Its output is one parabola, {parabola}; even the best parabola misses by {least}."
    if p.target == "step":
        return f"{said} The curve jumps by 1, so no continuous function gets below 0.5."
    if not p.constructed:
        return said
    if now.step and now.worst_error < now.constructed_error:
        return f"{said} That is better than the ReLU net built by hand, {built}."
    said += f" The ReLU net built by hand has {built}"
    if now.step:
        return f"{said}{': so good a net exists, training has not found it' * (p.activation == 'relu')}."
    if not np.isfinite(target.curvature):
        return f"{said}."
    piece = (target.high - target.low) / p.units
    bound = f"{number(target.curvature)}·{number(piece)}²/8 = {number(target.curvature * piece**2 / 8)}"
    return f"{said}, within its bound max|f″|·piece²/8 = {bound}."


def shares(p: Params, state: State, u: np.ndarray) -> np.ndarray:
    """What each unit adds to the output, v f(w u + b), (units, n)."""
    _, h, _ = forward(u, (state.w, state.b, state.v, state.c), [p.units], p.activation)
    return state.v[:, None] * h


def traced(panel: int, x: np.ndarray, y: np.ndarray, colour: str, width: float) -> dict:
    """Lines through x of shape (n,) and each row of y, (lines, n), as one shape: far cheaper than a shape each."""
    one = "M" + "L".join(f"{a:.5g},%.4g" for a in x.tolist())
    path = (one * len(y) or "M0,0") % tuple(y.ravel().tolist())
    return {"type": "path", "path": path, "line": {"color": colour, "width": width}} | axes(panel, "ref")


def numbers(p: Params, state: State) -> list[dict]:
    """Chips: the parameters of the first units, and c; the hyperparameters."""
    kinds = {"w": state.w, "b": state.b, "v": state.v}
    few = [(k, f"{k}{i + 1}", number(kinds[k][i])) for i in range(min(p.units, LISTED)) for k in kinds]
    if p.units > LISTED:
        few.append(("", "", f"and{NBSP}{3 * (p.units - LISTED)}{NBSP}more"))
    few.append(("c", "c", number(state.c[0])))
    colours = [{"w": 0, "b": 1, "v": 2, "c": 3}.get(kind) for kind, _, _ in few]
    names = [name.translate(SMALL) for _, name, _ in few]
    counts = " + ".join(f"{p.units} {kind}" for kind in kinds)
    title = f"{counted(state.parameters, 'parameter')}, {counts} + 1 c: training changes them"
    chosen = {"units": p.units, "activation": p.activation, "η": f"{p.rate:g}", "steps": p.steps}
    return [
        chips(title, [text for _, _, text in few], colours, names),
        chips("Hyperparameters: training leaves them alone", [*map(str, chosen.values())], None, [*chosen]),
    ]


PRESETS = (
    works("Sixteen units, a sine", "Every unit adds one bend, and sixteen bends lie close to the curve on the whole "
          "interval.", {"worst_error": "<= 0.1"}, units=16),
    fails("Two units", "Two ReLU units can bend the line twice, but no choice of their weights goes up, down and up "
          "again.",
          {"worst_error": ">= 0.5"}, units=2),
    fails("64 units of x²", "A sum of parabolas is a parabola, so the 63 further units change nothing and the kink "
          "stays out of reach.", {"worst_error": ">= 0.125"}, target="|x|", units=64, activation="x^2"),
    fails("A jump", "The net's curve has no gap, so at a jump by 1 it is wrong by at least half of it on one side.",
          {"worst_error": ">= 0.5"}, target="step", units=64),
)  # fmt: skip

QUIET = {"hoverinfo": "skip", "showlegend": False}
LISTED = 6  # units whose parameters are listed
SMALL, NBSP = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"), "\u00a0"


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The curve within the worst error, with the net's output; what each unit adds; errors by step, and by width."""
    state, target = states[now], TARGETS[p.target]
    f, x, floor = target(GRID), target.x(GRID), state.best_parabola
    steps, worst, mean = np.array([s[:4] for s in states])[:, [0, 1, 3]].T
    built = [constructed_error(p.target, h) or np.nan for h in WIDTHS]
    seen = np.linspace(-1, 1, 257) * (1.25 if p.beyond else 1)
    coarse = seen[:: 8 if p.units <= 16 else 16]
    largest = 1.05 * max(np.abs(shares(p, s, coarse)).max() for s in (states[0], states[-1]))

    room, limits = 0.3 * np.ptp(f), {"lowest": 1e-4, "highest": 3.0}
    span = {"range": [short(target.x(seen[0])), short(target.x(seen[-1]))], "nticks": 7}
    height = {"range": [short(f.min() - room), short(f.max() + room)], "nticks": 6}
    even = {"range": [-short(largest), short(largest)], "nticks": 5}
    by_step = log_axis([*worst, *mean, state.constructed_error, floor], **limits)
    by_width = log_axis([*states[0].errors, *states[-1].errors, *built, floor / 3], margin=0.25, **limits)
    widths = {"type": "log", "range": [-0.12, 1.92], "tickvals": WIDTHS, "title": "units"}
    fig = figure(
        580,
        Panel((0, 0.57, 0.43, 1), 280, "The curve ± the worst error", span, height),
        Panel((0.64, 1, 0.43, 1), 190, "What each unit adds, v·f(wx + b)", span, even),
        Panel((0, 0.57, 0, 0.31), 170, "Error by step", {"range": [0, p.steps], "nticks": 6}, by_step),
        Panel((0.64, 1, 0, 0.31), 190, "Worst error by width, ● trained", widths, by_width),
    )
    dash = {"dash": "dash", "width": 2}
    fig["data"] += [
        lines(1, x, f, p.target, MUTED, line={"width": 8}, opacity=0.35, hoverinfo="skip"),
        lines(1, x[:1], f[:1], "this net", INK, hoverinfo="skip"),  # it moves, so it is a shape: this names it
        lines(3, steps, worst, "worst error", PURPLE, hovertemplate="%{y:.3g} at step %{x}"),
        lines(3, steps, mean, "mean error", PURPLE, line={"dash": "dot", "width": 2}),
        lines(3, [0, p.steps], [floor] * 2, "", OLIVE, line=dash, **QUIET),
        lines(4, WIDTHS, [floor] * len(WIDTHS), "", OLIVE, line=dash, **QUIET),
    ]
    if p.noise:
        fig["data"].append(lines(1, target.x(TRAIN), state.y, "", MUTED, mode="markers", **QUIET))
    if p.constructed:
        hand = forward(GRID, construct(target, p.units), [p.units], "relu")[-1][0]
        fig["data"] += [
            lines(1, x, hand, "built by hand", GREEN, line=dash, hoverinfo="skip"),
            lines(3, [0, p.steps], [state.constructed_error or np.nan] * 2, "", GREEN, line=dash, **QUIET),
            lines(4, WIDTHS, built, "", GREEN, line=dash, mode="lines+markers", **QUIET),
        ]
    text = f"no {'continuous function' if p.target == 'step' else 'x² net'} below {number(floor)}"
    below = p.activation == "x^2" or p.target == "step"
    aside = {"xanchor": "right", "yanchor": "top", "yshift": -8} if below else {"xanchor": "right", "yanchor": "bottom"}
    fig["layout"]["annotations"].append(label(4, 1.88, short(np.log10(floor)), text, OLIVE, **aside))

    added, output = shares(p, state, coarse), shares(p, state, seen).sum(axis=0) + state.c
    there_and_back = np.concatenate([f + state.worst_error, f[::-1] - state.worst_error])
    within = traced(1, np.append(x, x[::-1]), there_and_back[None], PURPLE, 0)
    fig["layout"]["shapes"] += [
        within | {"fillcolor": PURPLE, "opacity": 0.16, "layer": "below"},
        traced(1, target.x(seen), output[None], INK, 2.5),
        traced(2, target.x(coarse), added[state.v > 0], ORANGE, 1.2),
        traced(2, target.x(coarse), added[state.v <= 0], BLUE, 1.2),
        rule(1, state.worst_at, PURPLE, "dot"),
        rule(3, state.step),
    ]
    tall = 0.75 * np.ptp(by_width["range"])
    for h, error in zip(p.widths, state.errors, strict=True):  # ellipses: discs in pixels are wrong on a log axis
        colour, size = (INK, 1.14) if h == p.units else (PURPLE, 1.1)
        disc = box(4, (h / size, h * size), (error / size**tall, error * size**tall), colour, fill=colour)
        fig["layout"]["shapes"].append(disc | {"type": "circle"})
    if p.beyond:
        fig["layout"]["shapes"] += [rule(1, end, MUTED) for end in (target.low, target.high)]
    fig["chips"] += numbers(p, state)
    legend(fig, 4 + p.constructed)
    return fig
