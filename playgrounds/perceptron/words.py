"""What the perceptron's mistakes are told as: the update in numbers, and why it has stopped or never will."""

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np

from playgrounds.kit.words import counted, number, vector
from playgrounds.perceptron.model import Params, State


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The start, a mistake, or how the run ended."""
    state = states[now]
    if not len(state.points[0]):
        return "There are no points yet. Put some of both classes into the plane: every mistake on them turns the line."
    if state.step == 0:
        return beginning(p, state)
    return ending(p, state) if state.step > state.mistakes else update(p, state)


def beginning(p: Params, state: State) -> str:
    n = len(state.points[0])
    if p.start == "zero":
        return (
            f"Start: w = (0, 0) and b = 0, so there is no line yet, and none of the {n} points is on its right side. "
            "From zero, η only scales w and b: every η makes the same mistakes."
        )
    right = f"{round(state.accuracy * n)} of {n} points are right"
    return f"Start: w = {vector(state.w[:2])} and b = {number(state.w[2])} are random; {right}."


def update(p: Params, state: State) -> str:
    """The update written out in numbers, and whether these weights have been there before."""
    x, y = state.points
    i, n = state.mistaken, len(x)
    w, b = state.w[:2], state.w[2]
    w_0, b_0 = state.before[:2], state.before[2]
    label = "1" if y[i] > 0 else "−1"
    score = w_0 @ x[i] + b_0
    where = f"has w·x + b = {number(score)} {'<' if score < 0 else '>'} 0"
    if abs(score) < 1e-12 * (abs(w_0) @ abs(x[i]) + abs(b_0) + p.rate):  # rounding errors
        where = "is on the line, w·x + b = 0" if state.before.any() else "is on no side, as w·x + b = 0 everywhere"
    sides = x @ w + b
    one_side = f", all on the side of y = {'1' if sides[0] > 0 else '−1'}" if abs(np.sign(sides).sum()) == n else ""
    change = f"{number(p.rate)}·{'1' if y[i] > 0 else '(−1)'}"
    said = (
        f"Mistake {state.mistakes}, pass {ceil(state.passes)}: x = {vector(x[i])} with y = {label} {where}. "
        f"w ← w + η·y·x = {vector(w_0)} + {change}·{vector(x[i])} = {vector(w)}, "
        f"b ← b + η·y = {number(b_0)} + {change} = {number(b)}. "
        f"This point is {'now right' if y[i] * sides[i] > 0 else 'still wrong'}; "
        f"{round(state.accuracy * n)} of {n} are right{one_side}."
    )
    if not state.cycle:
        return said
    first = state.round_from
    twin = (state.mistakes - first) % state.cycle + first
    said += f" w and b are the same as {f'after mistake {twin}' if twin else 'at the start'}"
    if state.mistakes > first + state.cycle:
        return f"{said}."
    return f"{said}, at the same point of the pass: from here it repeats for ever, {state.cycle} mistakes a round."


def ending(p: Params, state: State) -> str:
    """Why it has stopped, or why it never will."""
    x, _ = state.points
    mistakes, passes = counted(state.mistakes, "mistake"), counted(ceil(state.passes), "pass", "passes")
    best = f"At best {round(state.best_accuracy * len(x))} of {len(x)} points were right."
    if p.pocket:
        best += f" The pocket holds that line: w = {vector(state.best[:2])}, b = {number(state.best[2])}."
    if state.bound is not None:
        limit = f"{'(R/γ)² = ' if p.start == 'zero' else ''}{number(state.bound)}"
        radius, gamma = number(sqrt((x * x).sum(axis=1).max() + 1)), number(state.gamma)
        limit += f" is the most there can be, the points (x, 1) having R = {radius} and γ = {gamma}"
        if state.stopped:
            said = f"Converged after {mistakes} (bound {number(state.bound)}) in {passes}"
            return f"{said}: the last pass had no mistake, so nothing changes any more. {limit}."
        return (
            f"Not stopped after {mistakes} in {passes}, but a line exists: it will, with more passes. {limit}. {best}"
        )
    if state.cycle:
        again = f"it goes round for ever, with the same w and b after every {counted(state.cycle, 'mistake')}"
        return f"No line separates these points: {again}, so more passes change nothing. {best}"
    return f"Not stopped after {mistakes} in {passes}, and it never will: no line separates these points. {best}"
