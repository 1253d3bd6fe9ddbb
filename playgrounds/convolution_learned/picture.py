"""How a kernel's training is told and drawn: both kernels in numbers, both maps, and what falls."""

from collections.abc import Callable, Sequence

import numpy as np

from playgrounds._maps import VALID, kernel_of, picture, side_of
from playgrounds._sheets import frame_cells, nothing_fits, sheet, sheet_axes, show_picture
from playgrounds.convolution_learned.model import Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, steps
from playgrounds.kit.palette import BLUE, FAINT, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number, vector

PRESETS = (
    works(
        "A kernel is learned",
        "Gradient descent finds the hidden kernel from a picture and its map alone.",
        {"kernel_error": "< 0.01"},
        steps=600,
    ),
    fails(
        "Loss 0, wrong kernel",
        "The rows of this picture are alike, so many kernels make the same map.",
        {"loss": "< 1e-6", "kernel_error": "> 0.3"},
        picture="step",
    ),
)

LOWEST, HIGHEST = 1e-9, 1e4  # of the curves


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The first weight's step, averaged over all positions; at the end whether the kernel was found."""
    state, n = states[now], states[now].target.size
    if not n:
        return nothing_fits(side_of(p), state.w.shape, VALID)
    if state.diverged:
        return f"Step {state.step}: diverged, a weight or an error is beyond 10⁶: η = {number(p.rate)} steps too far."
    if state.step == 0:
        given = f"the map of the {'flipped' if p.flip else 'hidden'} kernel, {counted(n, 'value')}"
        return f"Start: random weights. Only the picture and {given}, are given; the loss is {number(state.loss)}."
    if state.step == p.steps:
        return at_the_end(p, state)
    slope = float(state.gradient[0])
    move = f"−{number(p.rate)}·{vector([slope], factor=True)} = {number(-p.rate * slope)}"
    why = f"the slope is a mean over all {n} positions, which share the weight"
    said = f"Step {state.step}: loss {number(state.loss)}; the first weight, {number(state.w[0, 0])}, moves by {move}"
    return f"{said}: {why}."


def at_the_end(p: Params, state: State) -> str:
    """Whether the kernel was found, and if not, why."""
    w = state.w
    said = f"After {counted(p.steps, 'step')} the loss is {number(state.loss)}"
    mirrored = float(np.abs(w - p.weights).max())
    if state.kernel_error < 0.01:
        return f"{said} and every weight within {number(state.kernel_error)} of the hidden kernel's: it was found."
    if mirrored < 0.01:
        return f"{said}, and the kernel found is yours turned by 180°: without a flip it does what yours does with one."
    said += f" and a weight is {number(mirrored)} off"
    if state.directions < w.size + 1:
        span = f"the windows of this picture span {state.directions} of {w.size + 1} directions"
        return f"{said}: {span}, so other kernels make the same map and nothing tells them from the hidden one."
    return f"{said}: the windows are much alike, so the rest takes more steps or a larger η."


def fixed(decimals: int) -> Callable[[float], str]:
    """Writes numbers with so many decimals: what moves keeps its place."""
    return lambda v: f"{round(v, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """What is learned, the kernel; what is given, picture and target; and what falls, loss and error."""
    state = states[now]
    (rows, columns), (f, g) = state.target.shape, state.w.shape
    apart = 1.08 * max(columns, 1)
    pic = Picture(430, "hidden learned", "maps picture", details=("losses",), detail_height=240)
    tall = min(240, 20 + 60 * f)
    given = pic.panel("hidden", "Hidden kernel", *sheet_axes(f, g), square=True, tall=tall)
    learned = pic.panel("learned", "Learned kernel", *sheet_axes(f, g), square=True, tall=tall, hero=True)
    lost = np.maximum([(s.loss or 0, s.kernel_error or 0) for s in states], LOWEST)
    scale = log(lost, margin=0.3, lowest=LOWEST, highest=HIGHEST)
    losses = pic.panel("losses", "", steps(max(p.steps, 1), "step"), scale, tall=190)
    both = sheet_axes(1.1 * max(rows, 1), apart + max(columns, 1))
    made = f"Maps{', the target by the flipped kernel' if p.flip else ''}"
    maps = pic.panel("maps", made, *both, square=True, tall=170)
    seen = pic.panel("picture", "Picture", *sheet_axes(side_of(p), side_of(p)), square=True, tall=220)

    draw_kernels(given, learned, kernel_of(p), state)
    losses.history(states, lambda s: max(s.loss or 0, LOWEST), "loss", BLUE)
    losses.history(states, lambda s: max(s.kernel_error or 0, LOWEST), "error of the kernel", ORANGE, dash="dash")
    pic.cursor(state.step, losses)
    show_picture(seen, p, picture(p)[None], numbers=False)
    draw_maps(maps, state, apart)
    return pic


def draw_kernels(given: Panel, learned: Panel, hidden: np.ndarray, state: State) -> None:
    """The hidden kernel and the learned one, in numbers."""
    f, g = hidden.shape
    most = float(np.abs(hidden).max())
    sheet(given, hidden, most=most, numbers=True)
    sheet(learned, state.w, most=most, lattice=True)
    write = fixed(3 if g < 3 else 2 if g < 5 else 1)
    if state.target.size:
        for i, j in np.ndindex(f, g):
            learned.text(j, -i, write(float(state.w[i, j])))


def draw_maps(panel: Panel, state: State, apart: float) -> None:
    """The given map and the one that the learned kernel makes."""
    low = -0.1 * len(state.target)
    if not state.target.size:
        frame_cells(panel, (0, 0), (1, 1), FAINT)
        panel.mark(0, 0, "empty")
        return
    most = float(np.abs(state.target).max())
    for values, name, corner in ((state.target, "target", (0.0, low)), (state.ours, "ours", (apart, low))):
        sheet(panel, np.nan_to_num(values), at=corner, most=most)
        frame_cells(panel, (0, 0), values.shape, MUTED, corner=corner)
        panel.mark(corner[0] - 0.5, corner[1] + 0.5, name, xanchor="left", yanchor="bottom")
