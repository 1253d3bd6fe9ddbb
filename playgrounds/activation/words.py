"""What a step of a neuron is told as: error times slope at one example, and what the mean over all did."""

from collections.abc import Sequence
from math import floor, log10

import numpy as np

from playgrounds.activation.model import HUGE, MIDDLE, TILT, Params, State, X
from playgrounds.kit.training import finite
from playgrounds.kit.words import number, vector


def note(p: Params, states: Sequence[State], now: int) -> str:
    """The step that led here: in numbers for the first neuron, in short for the second."""
    state = states[now]
    if not finite(state.w, state.b, most=HUGE):
        return diverged_note(p, state)
    return step_note(p, state.before, state) if state.before else start_note(p, state)


def diverged_note(p: Params, state: State) -> str:
    """Which number has left all bounds, and what would help."""
    far, what = max((np.abs(state.w).max(), "w"), (np.abs(state.b).max(), "b"))
    why = f"|{what}| = {number(far)} is beyond 10¹²: every step overshoots further at the rate {number(p.rate)}"
    return f"Step {state.step}: diverged. {why}; take a rate below 2."


def start_note(p: Params, now: State) -> str:
    """Where the neurons stand, and what the random net does."""
    stands = zip(now.names, now.a[:, MIDDLE], now.slopes[:, MIDDLE], strict=True)
    each = [f"{name} gives {number(a)} with slope {number(slope)}" for name, a, slope in stands]
    left = [f"{number(share)} with {name}" for name, share in zip(now.names, now.nets[:, -1], strict=True)]
    on = [f"{100 * share:.0f} %" for name, share in zip(now.names, now.active, strict=True) if "ReLU" in name]
    half = f"; in their first layer {on[0]} of the units have z > 0" if on else ""
    return (
        f"Start: at x = 0, where z = w · 0 + b = {number(p.bias)} and the target is {number(p.target)}, "
        f"{' and '.join(each)}. Of a gradient sent back through ten random layers this share arrives: "
        f"{', '.join(left)}{half}."
    )


def step_note(p: Params, before: State, now: State) -> str:
    """Error times slope at x = 0, and what the mean over all examples did."""
    name, z, a, slope = before.names[0], before.z[0], before.a[0], before.slopes[0]
    said = f"Step {now.step}{', the ReLU is leaky from here on' if before.names != now.names else ''}: "
    if slope.any():
        error = a[MIDDLE] - p.target
        out = number(a[MIDDLE], digits_for(a[MIDDLE], error, least=3))
        said += (
            f"{name} at x = 0: z = {number(z[MIDDLE])}, f(z) = {out}, "
            f"error {out} − {vector([p.target], True)} = {number(error)}, "
            f"times slope {number(slope[MIDDLE])} = {number(error * slope[MIDDLE])}. Mean over all examples: "
        )
    else:
        how = "exactly" if name == "ReLU" else "in floating-point numbers"
        said += f"{name} has slope 0 on all five examples, as z is at most {number(z.max())}, so {how} "
    other = f" {now.names[1][0].upper()}{now.names[1][1:]}: {moved(p, before, now, 1)}." if len(now.names) > 1 else ""
    return f"{said}{moved(p, before, now, 0)}.{other}"


def moved(p: Params, before: State, now: State, i: int) -> str:
    """The gradient over all examples, and what it did to a neuron's bias and loss."""
    gradient = ((before.a[i] - p.target - TILT * X) * before.slopes[i]).mean()
    digits = digits_for(before.b[i], now.b[i] - before.b[i], least=5)
    old, new = number(before.b[i], digits), number(now.b[i], digits)
    return (
        f"∂L/∂b = {number(gradient)}, b = {old} − {number(p.rate)} · {vector([gradient], True)} = {new}, "
        f"loss {number(now.losses[i])}"
    )


def digits_for(value: float, change: float, least: int) -> int:
    """So many digits, or as many more as show two of a small change."""
    needed = floor(log10(abs(value))) - floor(log10(abs(change))) + 2 if value and change else least
    return min(16, max(least, needed))
