"""How descent on raw and on standardized inputs is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.input_scaling.model import BEGIN, HUGE, Descent, Params, State
from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, span, steps
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number, vector

PRESETS = (
    works(
        "Standardized inputs",
        "On a round bowl one rate suits all directions, and the loss is gone at once.",
        {"loss": "<= 1e-6", "plain_loss": ">= 0.1"},
        steps=50,
    ),
    fails(
        "One rate for both",
        "The rate of the standardized inputs is far too large for the raw ones.",
        {"plain_loss": ">= 1000"},
        shared=True,
    ),
)

RAW, STANDARDIZED = SERIES[3], SERIES[2]
TURN = np.linspace(0, 2 * np.pi, 121)
LEAST, MOST = 1e-6, 1e6  # losses that the axis shows


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Where both models stand; at the start, how differently their losses curve."""
    state = states[now]
    raw, standardized = state.raw, state.standardized
    said = f"raw inputs, w = {vector(raw.w)}, loss {number(raw.loss)}"
    if raw.diverged_at is not None:
        bound = number(2 / raw.valley.steepest)
        said = f"raw inputs diverged at step {raw.diverged_at}, η = {number(raw.eta)} being above 2/λ_max = {bound}"
        if standardized.diverged_at is not None:
            said += ": lower it, for both"
    elif state.step and state.condition_number > 3:
        left = 100 * abs(1 - raw.eta * raw.valley.flattest)
        said += f"; each step leaves {left:.5g} % of the way along the valley"
    said = f"Step {state.step}: {said}; standardized, w = {vector(standardized.w)}, loss {number(standardized.loss)}."
    if state.step == 0:
        said += f" Raw, the loss curves {condition(raw):,.5g} times as much one way as the other; standardized, "
        said += f"{condition(standardized):.3g} times. η is {number(raw.eta)} and {number(standardized.eta)}."
    return said


def condition(model: Descent) -> float:
    return model.valley.steepest / model.valley.flattest


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Contours in the plane of the weights with the way there, raw and standardized; the losses on demand."""
    pic = Picture(470, "raw standardized", details=("losses",))
    first = states[0]
    raw = pic.panel("raw", f"Raw: condition number {condition(first.raw):,.5g}", *weights(), square=True, tall=280)
    standardized = pic.panel(
        "standardized",
        f"Standardized: condition number {condition(first.standardized):.3g}",
        *weights(),
        square=True,
        tall=280,
    )
    seen = [(state.plain_loss, state.loss) for state in states]
    losses = pic.panel("losses", "Loss by step", steps(p.steps), log(seen, margin=0.3, lowest=LEAST, highest=MOST))

    bowl(raw, [state.raw for state in states[: now + 1]], RAW)
    bowl(standardized, [state.standardized for state in states[: now + 1]], STANDARDIZED)
    losses.history(states, lambda s: drawable(s.plain_loss), "raw", RAW, dash="dash")
    losses.history(states, lambda s: drawable(s.loss), "standardized", STANDARDIZED)
    pic.cursor(states[now].step, losses)
    return pic


def weights() -> tuple[dict, dict]:
    """The axes w₁ and w₂ of a loss."""
    return span(-1.5, 2.5, "w₁"), span(-1.5, 2.5, "w₂")


def drawable(loss: float) -> float:
    """A loss of exactly 0 or beyond all bounds still has a place far outside of a log axis."""
    return float(np.clip(loss, 1e-12, HUGE))


def bowl(panel: Panel, so_far: Sequence[Descent], colour: str) -> None:
    """Rings of equal loss around the minimum, and the way so far."""
    minimum = so_far[0].valley.minimum
    curvature, directions = np.linalg.eigh(so_far[0].valley.hessian)
    for half in (0.25, 0.5, 1, 2, 4):  # the narrow axis of an ellipse; its loss is 4 times that of the one inside
        axis = half * np.sqrt(curvature[1] / curvature)
        ring = minimum[:, None] + directions @ (axis[:, None] * [np.cos(TURN), np.sin(TURN)])
        panel.curve(*ring, colour=MUTED, width=1, hover="")
    panel.points(*minimum[:, None], "minimum", INK, symbol="x", size=10, key=panel.name == "raw")
    way = np.array([model.w for model in so_far]) - BEGIN  # what is far outside is drawn nearer, in its direction
    way = BEGIN + way / np.maximum(1, np.abs(way).max(axis=1, keepdims=True) / 20)
    panel.trail(*way.T, colour, width=1.5)
