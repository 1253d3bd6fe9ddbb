"""How the walk is told and drawn: every kind of picture, for the tests."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, span, steps
from playgrounds.kit.palette import BLUE, INK, ORANGE
from playgrounds.kit.picture import Picture

from .model import Params, State

PRESETS = (
    works(
        "Long steps", "With long steps the point leaves the neighbourhood of its start.", {"place": "> -9"}, rate=1.0
    ),
    fails("No steps", "Without a step the point stays where it has been put.", {"place": "== 0"}, steps=0),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    return f"Step {states[now].step}: the point is at {states[now].place:.3f}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The path with a cursor, and the strip; the point by itself on demand."""
    state = states[now]
    pic = Picture(300, "where", "where", "often", details=("point",))
    where = pic.panel("where", "Where", steps(p.length), span(-2, 2))
    often = pic.panel("often", "How often", bare(-1, 1), bare(0, 1))
    point = pic.panel("point", "The point", span(-2, 2), bare(0, 1))
    where.history(states, lambda s: s.place, "path", INK, width=p.width)
    where.points(
        [state.step], [state.place], "now", [ORANGE if state.place > 0 else BLUE], hovers=[note(p, states, now)]
    )
    pic.cursor(state.step, where)
    often.field(state.visits[None] / state.visits.max(), (-1, 1), (0, 1), scale="sequential", smooth=False)
    often.dot(float(np.clip(state.place, -1, 1)), 0.5, INK)
    point.dot(state.place, 0.5, BLUE)
    pic.chips(f"Cells of {len(p.marks)} marks", [f"{n:.0f}" for n in state.visits], marks=[int(state.visits.argmax())])
    return pic
