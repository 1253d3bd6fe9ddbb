"""The weight on its bowl, and the loss by step."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import axes, fails, works
from playgrounds.kit.palette import BLUE, ORANGE
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import number
from playgrounds.NAME.model import Params, State, loss

PRESETS = (
    works("Small steps", "Every step goes a fifth of the way to the minimum.", {"loss": "<= 0.001"}, eta=0.1),
    fails("Too far", "Above η = 1 every step ends farther from the minimum.", {"loss": ">= 100"}, eta=1.1),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    state = states[now]
    if now == 0:
        return f"Before the first step w is {number(state.w)}, and the loss is {number(state.loss)}."
    before = states[now - 1].w
    return f"Step {state.step}: w goes from {number(before)} to {number(state.w)}; the loss is {number(state.loss)}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    pic = Picture(340, "bowl history")
    bowl = pic.panel("bowl", "The loss of a weight", axes.span(-3, 5, "w"), axes.span(-1, 16))
    w = np.linspace(-3, 5, 81)
    bowl.curve(w, loss(w), colour=BLUE)
    bowl.dot(states[now].w, states[now].loss, ORANGE)
    losses = [state.loss for state in states]
    history = pic.panel("history", "Loss by step", axes.steps(p.steps, "step"), axes.loss(losses))
    history.history(states, lambda state: state.loss, colour=BLUE)
    pic.cursor(states[now].step, history)
    return pic
