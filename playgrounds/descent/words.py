"""What a step of a descent is told as: the update in numbers, who has arrived, who has diverged and why."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from playgrounds._surfaces import curvature, largest_rate
from playgrounds.descent.model import Params, State, Step, cuts, gradient_of
from playgrounds.kit.words import digits_for, number, vector


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What happened in this step: the update of one optimizer, or the order of several."""
    state, step, names, single = states[now], states[now].step, p.optimizers, len(p.optimizers) == 1
    if now == 0:
        return f"Start: w = {vector(state.taken[0].w)}, loss {number(state.losses[0])}.{forecast(p)}"
    shown = states[now - 1]
    if single and state.gone[0]:
        why = f"{where(state.taken[0])} is beyond 10¹², {cause(p, names[0])}"
        return f"Step {step}: diverged. {why}, so every step overshoots further."
    if single:
        update = arithmetic(p, names[0], state.before[0], state.taken[0])
        said = [f"Step {step}: {update}, loss {number(state.losses[0])}."]
    else:
        order = sorted((loss, name) for loss, name, at in zip(state.losses, names, state.gone) if at is None)
        each = [f"{name} {number(loss)}" for loss, name in order]
        others = f"; then {', '.join(each[1:])}" if each[1:] else ""
        said = [f"Step {step}: lowest loss {each[0]}{others}." if each else f"Step {step}: none is left."]
    if cuts(p) and state.eta != shown.eta and not state.gone[0]:
        why = "by plan" if p.schedule == "step" else "as its loss stalled"
        said.append(f"The rate{'' if single else f' of {names[0]}'} is now {number(state.eta)}, {why}.")
    there = [f"{'' if single else name + ' '}since step {at[0]}" for name, at in zip(names, state.arrived) if at]
    if there:
        said.append(f"Within a millionth of the starting distance: {', '.join(there)}.")
    out = [f"{name} at step {at}" for name, at in zip(names, state.gone) if at and at <= shown.step]
    for name, at, one in zip(names, state.gone, state.taken):
        if at and at > shown.step:
            out.append(f"{name} at step {at} ({where(one)} is beyond 10¹², {cause(p, name)})")
    if out:
        said.append(f"Diverged: {', '.join(out)}.")
    return " ".join(said)


def forecast(p: Params) -> str:
    """What every step of plain descent does on a parabola."""
    plain = p.optimizers == ("GD",) and p.schedule == "constant" and not (p.noise or p.decay or p.tuned)
    if not plain or p.surface not in ("bowl", "valley"):
        return ""
    flat, steep = (number(1 - p.rate * 10.0**p.scale * curved) for curved in (1, p.condition))
    if p.surface == "bowl":
        return f" Every step multiplies w by 1 − ηλ = {flat}."
    return f" Every step multiplies w₁ by 1 − ηλ = {flat} and w₂ by {steep}."


def arithmetic(p: Params, name: str, before: Step, now: Step) -> str:
    """The update of one optimizer, written out in numbers: as many digits of w as its change needs."""
    digits = max(digits_for(max(a, b, key=abs), b - a) for a, b in zip(before.w.tolist(), now.w.tolist()))
    rest = vector(before.w, digits=digits)
    if name == "AdamW" and p.decay:
        rest = f"{number(1 - now.eta[0] * p.decay)} · {vector(before.w, True, digits)}"
    ratio = now.up / now.down
    said = f"w = {rest} − {number(now.eta[0])} · {vector(ratio, True)} = {vector(now.w, digits=digits)}"
    if name == "GD":
        return said
    if name in ("momentum", "Nesterov"):
        velocity = f"v = {number(p.beta)} · {vector(before.m, True)} + {vector(now.g, True)} = {vector(now.m)}"
        return f"{velocity}, {f'g + βv = {vector(now.up)}, ' if name == 'Nesterov' else ''}{said}"
    formula = "g/√s" if name == "RMSProp" else "m̂/√v̂" if p.bias_correction else "m/√v"
    return f"{formula} = {vector(now.up)}/{vector(now.down)} = {vector(ratio)}, {said}"


def where(one: Step) -> str:
    """The weight that has gone furthest."""
    i = int(np.abs(one.w).argmax())
    return f"w{'₁₂'[i] if len(one.w) > 1 else ''} = {number(one.w[i])}"


@lru_cache(maxsize=64)
def limit(p: Params, name: str) -> tuple[str, float] | None:
    """The rate above which an optimizer diverges on a parabola of the start's largest curvature: formula and value."""
    top = curvature(lambda w: gradient_of(p, w), np.array(p.start)) + p.decay
    return largest_rate(name, top, p.beta, p.decay)


def cause(p: Params, name: str) -> str:
    """Why it diverged."""
    bound = limit(p, name)
    if p.tuned or not bound or p.rate <= bound[1]:
        return "as its rate is too large for this surface"
    of = "" if p.surface in ("bowl", "valley") or name == "AdamW" else " for the curvature at the start"
    return f"as the rate {number(p.rate)} is above {bound[0]} = {number(bound[1])}{of}"
