"""How the costs are told and drawn: a bar each on this image, curves by size, and the products behind the numbers."""

from collections.abc import Callable, Sequence
from math import ceil, log10
from typing import NamedTuple

from playgrounds.convolution_cost.model import Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, names, ticked
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import counted

PRESETS = (
    works(
        "A large image",
        "The same 1,792 parameters do for 224 pixels a side.",
        {"parameters": "== 1792", "width": "== 222"},
        image=224,
    ),
    fails(
        "One by one, and dense",
        "A dense layer for a small grey image already has more than a million parameters.",
        {"parameters": "== 128", "dense_parameters": "> 1e6"},
        size=1,
        channels_in=1,
        image=16,
    ),
)


class Curve(NamedTuple):
    name: str
    called: str  # at its bar
    of: Callable[[State], int]
    unit: str
    colour: str
    dash: str


CURVES = (
    Curve("convolution", "parameters of the convolution", lambda s: s.parameters, "parameters", BLUE, "solid"),
    Curve("dense layer", "parameters of a dense layer", lambda s: s.dense_parameters, "parameters", ORANGE, "dash"),
    Curve("products", "products of the convolution", lambda s: s.products, "products of the convolution", MUTED, "dot"),
)
TICKS = [4, 8, 16, 32, 64, 128, 256]


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Both counts at this size; at the end what grows for the convolution."""
    state, n = states[now], states[now].step
    said = f"Image {n} × {n}: {p.size}·{p.size}·{p.channels_in} weights and a bias for each of "
    said += f"{counted(p.channels_out, 'filter')} are {state.parameters:,} parameters; a dense layer from "
    said += f"{state.inputs:,} inputs to {state.outputs:,} outputs has {state.dense_parameters:,}"
    if n == p.image:
        work = f"{state.products:,} products: more positions, not more weights"
        said += f". What grows for the convolution is its work, {work}"
    return f"{said}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """What the convolution and a dense layer cost on this image, as bars; on demand against all sizes."""
    state = states[now]
    pic = Picture(340, "bars", details=("costs",), detail_height=320)
    draw_bars(pic, states, state)
    draw_costs(pic, p, states, state)

    title = f"on {state.step} × {state.step}: parameters"
    filters, written = f"×{p.channels_out:,}", f"×{state.outputs:,}"
    products = [f"{p.size}·{p.size}·{p.channels_in}", "+1", filters, f"={state.parameters:,}"]
    pic.chips(f"Convolution {title}", products, None, ["weights", "bias", "filters", "parameters"], [3])
    products = [f"{state.inputs:,}", "+1", written, f"={state.dense_parameters:,}"]
    pic.chips(f"Dense layer {title}", products, None, ["weights", "bias", "outputs", "parameters"], [3])
    return pic


def draw_bars(pic: Picture, states: Sequence[State], state: State) -> None:
    """A bar per curve in powers of ten: that of the convolution's parameters stands still, the others grow."""
    most = max(curve.of(states[-1]) for curve in CURVES)
    powers = range(0, ceil(log10(most)) + 1)
    across = ticked(0, 1.25 * log10(most), [*powers][:: max(1, len(powers) // 5)], title="power of ten")
    bars = pic.panel("bars", "", across, names(["", "", ""], down=True), tall=250)
    pic.on_phone(bars, x={"range": [0, 1.7 * log10(most)]})  # room for the numbers
    for i, curve in enumerate(CURVES):
        end = log10(max(curve.of(state), 1))
        bars.block((0, end), (-i - 0.36, -i + 0.1), curve.colour)
        bars.text(0, -i + 0.26, curve.called, curve.colour, place="right")
        bars.text(end, -i - 0.13, f" {curve.of(state):,}", INK, place="right")


def draw_costs(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """Parameters and products against the size of the image, both axes logarithmic."""
    costs = [[curve.of(s) for s in states] for curve in CURVES]
    across = log(p.sizes, "image size, pixels a side", margin=0.04) | {"tickvals": TICKS, "showgrid": False}
    panel = pic.panel("costs", "", across, log(costs, margin=0.4), tall=300)
    for one in CURVES:
        hover = f"%{{y:,}} {one.unit} at %{{x}} × %{{x}}"
        dots = {"mode": "lines+markers", "marker": {"size": 5}}
        panel.history(
            states, lambda s, of=one.of: max(of(s), 1), one.name, one.colour, dash=one.dash, hover=hover, **dots
        )
    pic.cursor(state.step, panel)
