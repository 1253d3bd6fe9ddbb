"""How the walk along the sinusoids is told and drawn."""

from collections.abc import Sequence
from math import pi

import numpy as np

from playgrounds._sinusoids import drawn, frequencies
from playgrounds.kit import fails, works
from playgrounds.kit.axes import names, span, ticked
from playgrounds.kit.palette import BLUE, MUTED, ORANGE
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import number
from playgrounds.positional_encoding.model import Params, State, closed_form

PRESETS = (
    works(
        "Clock hands",
        "Every pair of dimensions is a hand of its own speed; a shift by k turns it by the same angle at every "
        "position.",
        {"shift_error": "< 1e-12", "spread": "< 1e-12", "rises": "> 0"},
    ),
    fails(
        "One speed for all",
        "With base 1 all hands turn alike, and after four turns the position 25 further on looks like this one.",
        {"dot": ">= 15.8"},
        base=1.0,
        offset=25,
    ),
)

HERE, SHIFTED = BLUE, ORANGE


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Where the hands stand, and whether the shifted encoding is the turned one."""
    state = states[now]
    there, shifted = state.step, state.step + p.offset
    product = f"PE({there}) · PE({shifted}) = {number(state.dot, 4)}"
    error = number(state.shift_error, 2)
    if there == 0:
        slowest = number(frequencies(p.pairs, p.base)[-1])
        return (
            f"Position 0: every hand points to sine 0, cosine 1, and |PE|² = {number(state.squared)} = d/2. "
            f"The fastest hand turns by 1 radian a position, the slowest by {slowest}. {product}."
        )
    if there == p.positions - 1:
        falls = "falls all the way"
        if state.rises:
            falls = f"rises at {state.rises:.0f} of {p.positions - 1} offsets"
        return (
            f"Over {p.positions} positions {product} varies by {number(state.spread, 2)} only, and PE(p + {p.offset}) "
            f"is the turned PE(p) to {error}: the offset alone counts. As k grows the product {falls}."
        )
    degrees = number(round(float(np.degrees(there)) % 360))
    return (
        f"Position {there}: the fastest hand stands at {degrees}°. Every pair turned by its {p.offset} ω gives "
        f"PE({shifted}), largest error so far {error}; {product}, as at the positions before."
    )


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Some pairs as clock hands beside the waves that they draw; the dot products of this position by offset.

    On demand all numbers of all positions.
    """
    state = states[now]
    size, d = state.pe.shape
    offsets = np.arange(1 - size, size)
    products = closed_form(offsets, p.pairs, p.base)
    lowest = min(float(products.min()), 0.0)
    pic = Picture(480, *3 * ["waves"], "dots", details=("stripes",), detail_height=300)
    draw_waves(pic, p, state)
    dots = pic.panel(
        "dots",
        "PE(p) · PE(p + offset)",
        span(1 - size, size - 1, "offset", ticks=7),
        span(lowest - 0.08 * p.pairs, 1.2 * p.pairs, ticks=4),
    )
    dots.curve(offsets, products, "Σ cos(offset · ω)", MUTED, dash="dot", width=2, hover="%{y:.4g} at offset %{x}")
    dots.path(np.arange(size) - state.step, state.pe @ state.pe[state.step], HERE, 3)
    dots.cursor(p.offset, SHIFTED)
    dots.dot(min(p.offset, size - 1), state.dot, SHIFTED, 12)

    unruled = {"showgrid": False}
    across, up = span(-0.5, d - 0.5, "dimension", ticks=6), span(-0.5, size - 0.5, ticks=7)
    stripes = pic.panel("stripes", "All numbers: position ↑", across | unruled, up | unruled, tall=260)
    stripes.field(state.pe, (-0.5, d - 0.5), (-0.5, size - 0.5), smooth=False)
    for row, colour in ((state.step + p.offset, SHIFTED), (state.step, HERE)):
        at = min(row, size + 1)  # above the picture if there is no such row
        stripes.frame((-0.5, d - 0.5), (at - 0.5, at + 0.5), colour, 2)
    return pic


def draw_waves(pic: Picture, p: Params, state: State) -> None:
    """A row for some of the pairs, the fastest and the slowest among them: its hand, and the sines that it draws."""
    chosen = drawn(p.pairs)
    speeds = frequencies(p.pairs, p.base)[chosen]
    last = p.positions - 1 + p.offset
    left = -0.14 * last
    ticks = range(0, last + 1, 10 if last <= 110 else 20)
    periods = [number(float(f"{2 * pi / speed:.2g}")) for speed in speeds]
    down = names(periods, down=True, title="period in positions")
    waves = pic.panel("waves", "Hands and their sines", ticked(left, 1.02 * last, ticks), down, tall=380)
    waves.key("━", "p", HERE)
    waves.key("━", f"p + {p.offset}", SHIFTED)
    x = np.linspace(0, last, 400)
    waves.waves(x, np.sin(x[:, None] * speeds))
    here, there = state.step, state.step + p.offset
    waves.cursor(here, HERE)
    waves.cursor(there, SHIFTED, "dot")
    for i, speed in enumerate(speeds):
        waves.dial(left / 2, -i, [there * speed, here * speed], [SHIFTED, HERE], size=30)
        for at, colour in ((there, SHIFTED), (here, HERE)):
            waves.dot(at, 0.42 * np.sin(at * speed) - i, colour, 12)
