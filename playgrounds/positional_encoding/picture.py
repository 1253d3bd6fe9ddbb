"""How the walk along the sinusoids is told and drawn."""

from collections.abc import Sequence
from math import pi

import numpy as np

from playgrounds._sinusoids import frequencies
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, span
from playgrounds.kit.palette import BLUE, FAINT, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture
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
DIALS = 6  # at most


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
    """Some pairs as clock hands; the stripes with two rows marked; the dot products of this row by offset."""
    state = states[now]
    size, d = state.pe.shape
    offsets = np.arange(1 - size, size)
    products = closed_form(offsets, p.pairs, p.base)
    lowest = min(float(products.min()), 0.0)
    unruled = {"showgrid": False}
    pic = Picture(500, *2 * ["hands hands"], *3 * ["dots stripes"])
    hands = pic.panel("hands", "Pairs: cos →, sin ↑", bare(-0.6, DIALS - 0.4), bare(-0.85, 0.5), square=True, tall=92)
    stripes = pic.panel(
        "stripes",
        "Sinusoids: position ↑",
        span(-0.5, d - 0.5, "dimension", ticks=6) | unruled,
        span(-0.5, size - 0.5, ticks=7) | unruled,
        tall=260,
    )
    dots = pic.panel(
        "dots",
        "PE(p) · PE(p + offset)",
        span(1 - size, size - 1, "offset", ticks=7),
        span(lowest - 0.08 * p.pairs, 1.12 * p.pairs),
    )

    draw_hands(hands, p, state)
    stripes.field(state.pe, (-0.5, d - 0.5), (-0.5, size - 0.5), smooth=False)
    for row, colour in ((state.step + p.offset, SHIFTED), (state.step, HERE)):
        at = min(row, size + 1)  # above the picture if there is no such row
        stripes.frame((-0.5, d - 0.5), (at - 0.5, at + 0.5), colour, 2)
    dots.curve(offsets, products, "Σ cos(offset · ω)", MUTED, dash="dot", width=2, hover="%{y:.4g} at offset %{x}")
    dots.path(np.arange(size) - state.step, state.pe @ state.pe[state.step], HERE, 3)
    dots.cursor(p.offset, SHIFTED)
    dots.dot(min(p.offset, size - 1), state.dot, SHIFTED, 12)
    return pic


def draw_hands(hands: Panel, p: Params, state: State) -> None:
    """A dial for some of the pairs, the fastest and the slowest among them, with its period in positions."""
    chosen = np.unique(np.linspace(0, p.pairs - 1, min(DIALS, p.pairs)).round().astype(int))
    speeds = frequencies(p.pairs, p.base)[chosen]
    circle = 2 * pi * np.arange(40) / 40
    hands.key("━", "p", HERE)
    hands.key("━", f"p + {p.offset}", SHIFTED)
    for n, (i, speed) in enumerate(zip(chosen, speeds, strict=True)):
        hands.shape_of(np.stack([n + 0.42 * np.cos(circle), 0.42 * np.sin(circle)], axis=1), FAINT, 1.5)
        for row, colour in ((state.step + p.offset, SHIFTED), (state.step, HERE)):
            tip = n + 0.4 * np.cos(row * speed), 0.4 * np.sin(row * speed)
            hands.line((n, 0), tip, colour, 3)
        period = number(float(f"{2 * pi / speed:.2g}"))
        hands.mark(n, -0.5, f"i = {i}<br>{period}", yanchor="top")
