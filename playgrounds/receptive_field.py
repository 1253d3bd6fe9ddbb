"""From one output unit the gradient goes back layer by layer and lights up the input region that the unit can see.

Left out: activations, which let only a part of the paths through, max pooling, which passes the gradient to one unit of
four, training, which changes the effective field, and padding, which cuts the field of units near the border.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil, prod
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, axes, box, chips, figure, label, lines, paint, polyline
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.words import counted, number

MOST = 127  # pixels: a layer that would make the region wider is left out of the stack
WEAK = 0.0455  # of the largest gradient: what is weaker does not count as effective, Luo et al. 2016, section 4


class Layer(NamedTuple):
    name: str  # conv 1, pool 1, conv 2, …
    kernel: int
    stride: int
    dilation: int


class Params(kit.Params):
    layers: int = knob(2, 1, 20, label="Convolutional layers")
    kernel: int = knob(3, 1, 7, label="Kernel size k", help="a kernel has k × k weights")
    stride: int = knob(1, 1, 4, label="Stride s")
    pool: bool = knob(False, label="Pooling", help="after each convolution the average of 2 × 2 units, at stride 2")
    weights: Literal["ones", "random"] = knob("ones", label="Weights", help="with ones the gradient counts paths")
    channels_in: int = knob(1, 1, 64, label="Input channels", help="1: grey, 3: RGB")
    channels: int = knob(8, 1, 64, label="Channels C", help="of every layer")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights", when=lambda p: p.weights == "random")
    dilation: Literal["1", "2", "3", "doubling"] = knob("1", label="Dilation d", help="doubling: 1, 2, 4, …", more=True)
    nets: int = knob(50, 1, 100, label="Nets averaged", more=True, when=lambda p: p.weights == "random")

    @property
    def stack(self) -> list:
        """Its Layers from the input up, as many as fit, at least one."""
        stack: list[Layer] = []
        for n in range(1, self.layers + 1):
            d = 2 ** (n - 1) if self.dilation == "doubling" else int(self.dilation)
            taller = [*stack, Layer(f"conv {n}", self.kernel, self.stride, d)]
            taller += [Layer(f"pool {n}", 2, 2, 1)] if self.pool else []
            if stack and closed_form(taller) > MOST:
                break
            stack = taller
        return stack

    @property
    def length(self) -> int:
        return len(self.stack) + 1


class State(NamedTuple):
    step: int  # layers gone back
    region: int  # units of the layer reached from the first to the last whose gradient is not 0, in one dimension
    reached: int  # units whose gradient is not 0, in two dimensions; at the input: pixels
    effective_side: float  # √(units above 4.55 % of the largest gradient)
    stack_weights: int
    single_weights: int  # of one filter as large as the region
    note: str
    gradient: np.ndarray  # (side, side), mean |gradient| of the output unit for the units of the layer reached


def closed_form(stack: Sequence[Layer]) -> int:
    """r = 1 + Σ d (k - 1) · (product of the strides below), in units of what the stack reads."""
    jumps = [prod(low.stride for low in stack[:n]) for n in range(len(stack))]
    return 1 + sum(layer.dilation * (layer.kernel - 1) * jump for layer, jump in zip(stack, jumps, strict=True))


def back(g: np.ndarray, w: np.ndarray, layer: Layer) -> np.ndarray:
    """The gradient for a layer's inputs: g (nets, side, side) for its outputs, w (nets or 1, k, k) its weights.

    Output unit (y, x) has read input (s y + d i, s x + d j) with weight w[i, j]; there its gradient goes back to.
    """
    k, s, d = layer.kernel, layer.stride, layer.dilation
    reach = s * (g.shape[1] - 1) + 1
    below = np.zeros((len(g), reach + d * (k - 1), reach + d * (k - 1)))
    for i in range(k):
        for j in range(k):
            below[:, d * i : d * i + reach : s, d * j : d * j + reach : s] += g * w[:, i, j, None, None]
    return below


def filters(p: Params) -> list[int]:
    """Weights of every convolution, without biases: the first reads the input's channels, the others C."""
    depth = sum(layer.name.startswith("conv") for layer in p.stack)
    return [p.kernel**2 * (p.channels if n else p.channels_in) * p.channels for n in range(depth)]


def run(p: Params) -> Iterator[State]:
    """The gradient of one output unit, one layer back a state."""
    rng = np.random.default_rng(p.seed)
    one = closed_form(p.stack) ** 2 * p.channels_in * p.channels
    nets = p.nets if p.weights == "random" else 1
    g = np.ones((nets, 1, 1))
    yield (state := State(0, 1, 1, 1.0, sum(filters(p)), one, opening(p), g[0].copy()))
    for step, layer in enumerate(reversed(p.stack), start=1):
        w = np.ones((1, layer.kernel, layer.kernel))  # average pooling has these times ¼, left out to count paths
        if p.weights == "random" and layer.name.startswith("conv"):
            w = rng.normal(size=(nets, layer.kernel, layer.kernel))
        g = back(g, w, layer)
        mean = np.abs(g).mean(axis=0)
        hit = np.flatnonzero(mean.any(axis=0))
        before, state = state, state._replace(
            step=step, region=int(hit[-1] - hit[0] + 1), reached=int((mean > 0).sum()),
            effective_side=float(np.sqrt((mean > WEAK * mean.max()).sum())), gradient=mean,
        )  # fmt: skip
        yield state._replace(note=note(p, state, before))


def opening(p: Params) -> str:
    fit = len(filters(p))
    said = f"One unit of {p.stack[-1].name}, the output: its gradient for itself is 1, and goes back one layer a step."
    cut = f" Of {p.layers} layers {fit} fit: with one more the region is wider than {MOST} pixels."
    return said + (cut if fit < p.layers else "")


def note(p: Params, now: State, before: State) -> str:
    """How far the region has grown by the rule, and at the input what lies in it and what the count decides."""
    layer, last = p.stack[-now.step], now.step == p.length - 1
    where = "" if last else f" of {p.stack[-now.step - 1].name}"
    d = f"{layer.dilation} · " if layer.dilation > 1 else ""
    said = f"Through {layer.name}: ({before.region} − 1) · {layer.stride} + {d}({layer.kernel} − 1) + 1 = "
    said += f"{counted(now.region, 'pixel' if last else 'unit')}{where} a side"
    if now.reached < now.region**2:
        why = f"stride {p.stride} is above kernel size {p.kernel}" if p.stride > p.kernel else "dilation skips some"
        said += f", but only {now.reached:,} of {now.region**2:,} have a gradient; the others are holes: {why}"
    else:
        said += f", {now.reached:,} in all"
        if last and now.effective_side < 0.95 * now.region:
            square = f"as many as in a square of side {number(now.effective_side)}"
            said += f"; {now.effective_side**2:,.0f}, {square}, have over 4.55 % of the largest gradient"
        elif last and p.weights == "ones" and now.region > 1:
            said += f"; a corner pixel has 1 path to the output, the busiest pixel {number(now.gradient.max(), 6)}"
    if not last:
        return said + "."
    saved = (now.region**2 - p.kernel**2) * p.channels  # per input channel, for which the later layers cost
    turn = f"has fewer from {counted(sum(filters(p)[1:]) // saved + 1, 'input channel')} on" if saved else ""
    said += f". The stack has {counted(now.stack_weights, 'weight')}, one {now.region} × {now.region} filter "
    return f"{said}{now.single_weights:,}; with C = {p.channels} the stack {turn or 'never has fewer'}."


STACK, SINGLE, EFFECTIVE = BLUE, ORANGE, SERIES[2]
WINDOWS = (9, 17, 33, 65, MOST + 2)  # units a side of the picture: few sizes, so that settings can be compared


def spread(p: Params, now: int) -> float:
    """Variance of the gradient's profile, in units of the layer reached.

    A path adds independent offsets, uniform on k taps, so their variances d² (k² - 1) / 12 add. With random weights the
    number of paths is the variance of the gradient, so |gradient| goes like its root: twice the variance.
    """
    variance = 0.0
    for layer in p.stack[::-1][:now]:
        variance = variance * layer.stride**2 + layer.dilation**2 * (layer.kernel**2 - 1) / 12
    return variance * (2 if p.weights == "random" else 1)


def middle(state: State) -> np.ndarray:
    """The row of the gradient next to the middle that is not empty, shape (side,)."""
    rows = np.flatnonzero(state.gradient.any(axis=1))
    return state.gradient[rows[np.abs(rows - (len(state.gradient) - 1) / 2).argmin()]]


def centred(n: int) -> np.ndarray:
    """Where n units in a row lie, seen from their middle, shape (n,)."""
    return np.arange(n) - (n - 1) / 2


PRESETS = (
    works("Many channels", "With 64 channels throughout, two layers of 3 × 3 are cheaper than one of 5 × 5.",
          {"stack_weights": "<= 73728", "single_weights": ">= 102400"}, channels_in=64, channels=64),
    works("Doubling dilation", "Four layers with gaps that double see 31 pixels a side.", {"region": ">= 31"}, layers=4,
          dilation="doubling"),
    fails("Three input channels", "On a colour picture the stack of two costs many times the filter it replaces.",
          {"stack_weights": ">= 38592", "single_weights": "<= 4800"}, channels_in=3, channels=64),
    fails("The field on paper", "Ten layers reach 21 pixels a side, but most of the gradient comes from the middle.",
          {"region": "== 21", "effective_side": "<= 16"}, layers=10, weights="random", nets=20),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The gradient with the region, a row through its middle, the stack from the side, the weights as bars."""
    state, stack = states[now], p.stack
    n = next(size for size in WINDOWS if size >= closed_form(stack) + 2)
    counts = p.weights == "ones" and n == WINDOWS[0]  # few enough to write them into the picture
    span = {"range": [-n / 2, n / 2], "nticks": 5, "showgrid": False}
    names = ["input", *(layer.name for layer in stack)]
    every = ceil(len(names) / 9)
    ticks = {"tickvals": list(range(0, len(names), every)), "ticktext": names[::every]}
    ticks |= {"range": [-0.5, len(stack) + 0.5], "showgrid": False, "tickfont": {"color": MUTED, "size": 11}}
    share = {"range": [0, 1.4], "tickvals": [0, 0.5, 1], "showticklabels": not counts}
    title = f'Gradient, <span style="color:{STACK}">region</span>'
    title += "" if counts else f', <span style="color:{EFFECTIVE}">effective size</span>'
    section = "Middle row: paths in 1-D" if counts else "Middle row ━ Gaussian ┄"
    most = {"range": [0, 1.02 * max(state.stack_weights, state.single_weights)]}
    fig = figure(
        560,
        Panel((0, 0.46, 0.3, 1), 330, title, span, span, square=True),
        Panel((0, 0.46, 0, 0.18), 120, section, span, share),
        Panel((0.56, 1, 0.38, 1), 250, "The stack from the side, in pixels", span, ticks),
        Panel((0.56, 1, 0, 0.26), 130, "Weights for the same region", most, {"range": [-0.5, 2]}, bare=True),
    )
    z = np.where(state.gradient > 0, 0.12 + 0.88 * state.gradient / state.gradient.max(), 0)
    z = np.pad(np.kron(z, np.ones((2, 2))), n - len(z))  # four cells a unit: for the middle of an even region
    paint(fig, 1, z, (-n / 2, n / 2), (-n / 2, n / 2), scale="sequential", smooth=False)
    x, row = centred(len(state.gradient)), middle(state)
    fig["data"].append(lines(2, x, row / row.max(), "gradient", INK, hoverinfo="skip"))
    if counts:  # the row has its first unit's paths times those of one dimension
        fig["data"].append(_numbers(2, x, row / row.max() + 0.22, row / row[row > 0][0]))
        fig["data"].append(_numbers(1, np.tile(x, len(x)), np.repeat(x, len(x)), state.gradient.ravel()))
    shapes = fig["layout"]["shapes"]
    r, e = state.region / 2, state.effective_side / 2
    shapes.append(box(1, (-r, r), (-r, r), STACK, 2))
    if not counts and state.reached == state.region**2 > 1:
        u = np.linspace(-n / 2, n / 2, 121)
        shapes.append(polyline(2, u, np.exp(-(u**2) / (2 * spread(p, now))), MUTED, 2, "dash"))
        shapes.append(box(1, (-e, e), (-e, e), EFFECTIVE, 2))
    shapes += _pyramid(stack, states[: now + 1], n)
    _bars(fig, p, state)
    fig["chips"].append(_sum(stack, now))
    return fig


def _numbers(panel: int, x: np.ndarray, y: np.ndarray, values: np.ndarray) -> dict:
    """Those values as texts that are not 0; on dark cells in the page's colour."""
    at = np.flatnonzero(values)
    colours = [PAPER if panel == 1 and dark else INK for dark in values[at] > 0.5 * values.max()]
    return {"type": "scatter", "mode": "text", "x": x[at], "y": y[at], "text": [f"{v:.0f}" for v in values[at]],
            "textfont": {"color": colours, "size": 13}, "hoverinfo": "skip"} | axes(panel)  # fmt: skip


def _pyramid(stack: Sequence[Layer], states: Sequence[State], n: int) -> list[dict]:
    """Every layer's units at their places in the input, those that the gradient has reached, what they have read."""
    every, reached, wires = [], [], []
    tall = 0.16 if len(stack) < 12 else 0.3
    for y in range(len(stack) + 1):
        jump = prod(layer.stride for layer in stack[:y])  # pixels between neighbours of the row
        wide = 0.42 * min(jump, max(1, n / 24))
        row = (np.arange(-n, n + 1) + (closed_form(stack[y:]) - 1) / 2 % 1) * jump
        every += _cells(row[abs(row) < n / 2], y, wide, tall)
        if (step := len(stack) - y) < len(states):
            values = middle(states[step])
            units = centred(len(values))[values > 0] * jump
            reached += _cells(units, y, wide, tall)
            if step + 1 < len(states):
                layer = stack[y - 1]
                taps = centred(layer.kernel) * layer.dilation * jump / layer.stride
                some = units[np.linspace(0, len(units) - 1, min(len(units), 25)).round().astype(int)]
                wires += [f"M{u:.4g},{y - tall:.4g}L{u + t:.4g},{y - 1 + tall:.4g}" for u in some for t in taps]
    looks = [(every, FAINT, 0.0), (reached, STACK, 0.0), (wires or ["M0,0L0,0"], MUTED, 1.0 if n < 60 else 0.5)]
    shapes = [{"type": "path", "path": "".join(path), "fillcolor": colour, "line": {"color": colour, "width": width}}
              for path, colour, width in looks]  # fmt: skip
    return [shape | axes(3, "ref") for shape in shapes]


def _cells(x: np.ndarray, y: float, wide: float, tall: float) -> list[str]:
    """Rectangles with their middles at x, y, as parts of a path."""
    low, high = f"{y - tall:.4g}", f"{y + tall:.4g}"
    return [f"M{left:.4g},{low}V{high}H{left + 2 * wide:.4g}V{low}Z" for left in (x - wide).tolist()]


def _bars(fig: Figure, p: Params, state: State) -> None:
    """The stack's bar in one piece per layer, for they tell why: all but the first work on C channels."""
    sizes, r = filters(p), closed_form(p.stack)
    pieces = [box(4, ends, (0.95, 1.35), PAPER, 1, STACK) for ends in pairwise(np.cumsum([0, *sizes]).tolist())]
    fig["layout"]["shapes"] += [*pieces, box(4, (0, state.single_weights), (-0.25, 0.15), PAPER, 1, SINGLE)]
    times = f"{len(sizes) - 1} · " if len(sizes) > 2 else ""
    parts = f"{sizes[0]:,} + {times}{sizes[1]:,} = " if len(sizes) > 1 else ""
    said = f"{len(sizes)} of {p.kernel} × {p.kernel}: {parts}{state.stack_weights:,}"
    for height, text in ((1.38, said), (0.18, f"1 of {r} × {r}: {state.single_weights:,}")):
        fig["layout"]["annotations"].append(label(4, 0, height, text, INK, xanchor="left", yanchor="bottom"))


def _sum(stack: Sequence[Layer], now: int) -> dict:
    """The closed form, a box per layer from the input up; what the gradient has passed is marked."""
    texts, dilated = ["1"], any(layer.dilation > 1 for layer in stack)
    for n, layer in enumerate(stack):
        factor = f"{layer.dilation}·{layer.kernel - 1}" if dilated else f"{layer.kernel - 1}"
        texts.append(f"+{factor}·{prod(low.stride for low in stack[:n])}")
    subs = ["", *(layer.name for layer in stack), "pixels"]
    marks = [0, *range(len(stack) + 1 - now, len(stack) + 1 + (now == len(stack)))]
    title = f"r = 1 + Σ {'d ' if dilated else ''}(k − 1) · strides below"
    return chips(title, [*texts, f"={closed_form(stack)}"], None, subs, marks)
