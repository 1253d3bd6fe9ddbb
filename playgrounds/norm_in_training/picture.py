"""How the training of both nets is told and drawn."""

from collections.abc import Sequence

from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, span, steps
from playgrounds.kit.palette import SERIES
from playgrounds.kit.picture import Picture, class_colours
from playgrounds.kit.words import number, vector
from playgrounds.norm_in_training.model import HUGE, SPAN, WIDTH, Params, State

PRESETS = (
    works(
        "Batch norm, ten layers",
        "At a rate at which the plain net blows up, the net with batch norm learns.",
        {"loss": "<= 0.05", "plain_loss": ">= 0.5"},
        depth=10,
    ),
    fails(
        "All weights equal",
        "Equal units get equal gradients: one unit is all there is, with or without batch norm.",
        {"different_units": "== 1"},
        start="all equal",
    ),
)

PLAIN, NORMED = SERIES[3], SERIES[2]
LEAST, MOST = 1e-6, 1e6  # losses that the axis shows


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Both losses, what became of a normalized unit, and who diverged."""
    state = states[now]
    said = f"Step {state.step}: loss {number(state.plain_loss)} without batch norm, {number(state.loss)} with it. "
    if state.different_units == 1:
        weights = vector(state.first_unit)
        said += f"All {WIDTH} units of its first hidden layer have the same weights, {weights}."
    else:
        said += f"A unit of its last hidden layer has mean {number(state.mean)} and variance "
        said += f"{number(state.variance)} after batch norm, the learned β and γ²."
    for which, at in (("without", state.plain_diverged_at), ("with", state.diverged_at)):
        if at is not None:
            said += f" The net {which} batch norm diverged at step {at}: η = {p.rate:g} is too large."
    return said


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """What both nets say about the plane, with the training points; the losses on demand."""
    state = states[now]
    x, y = state.points
    pic = Picture(470, "with without", details=("losses",))
    normed = pic.panel("with", "With batch norm, in evaluation", span(-SPAN, SPAN), span(-SPAN, SPAN), square=True)
    plain = pic.panel("without", "Without batch norm", span(-SPAN, SPAN), span(-SPAN, SPAN), square=True, tall=248)
    seen = [(s.plain_loss, s.loss) for s in states]
    losses = pic.panel("losses", "Loss by step", steps(p.steps), log(seen, margin=0.3, lowest=LEAST, highest=MOST))

    for panel, field in ((normed, state.field), (plain, state.plain_field)):
        panel.field(field, (-SPAN, SPAN), (-SPAN, SPAN))
        panel.points(*x.T, colour=class_colours(y), size=7, hover="")
    losses.history(states, lambda s: min(s.loss, HUGE), "with batch norm", NORMED)
    losses.history(states, lambda s: min(s.plain_loss, HUGE), "without", PLAIN, dash="dash")
    pic.cursor(state.step, losses)
    return pic
