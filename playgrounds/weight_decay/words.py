"""What a step of decay is told as: the update of w₁ in numbers, what is left of the weights, what has diverged."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit.training import finite
from playgrounds.kit.words import digits_for, number, vector
from playgrounds.weight_decay.model import HUGE, Params, State, Step, with_data

NAMES = ("w₁", "w₂", "w₃")
LABELS = {"SGD": "SGD + L2", "momentum": "momentum + L2", "SGDW": "SGDW", "Adam": "Adam + L2", "AdamW": "AdamW"}


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What happened in this step."""
    state = states[now]
    if not finite(state.w, most=HUGE):
        return farewell(p, state.step, state.taken)
    return sentence(p, state.step, state.taken) if state.step else forecast(p)


def forecast(p: Params) -> str:
    """What the first step will do, or where the data and the penalty will come to rest."""
    said = f"Start: w = {vector(p.start)}"
    if with_data(p):
        c = p.scales
        rest = [number(100 * share) for share in c / (c + p.decay)]
        return (
            f"{said}, the best weights for the data, whose gradients have the scales c = {vector(c)}. With the penalty "
            f"the loss is lowest at c/(c + λ) of them: {', '.join(rest)} %."
        )
    factor = f"{1 - p.rate * p.decay:.6g}".replace("-", "−")
    parts = [f"{said}, and the data's gradient is 0"]
    plain = [LABELS[name] for name in ("SGD", "SGDW", "AdamW") if name in p.optimizers]
    if plain:
        parts.append(f"{', '.join(plain)}: each step multiplies w by 1 − ηλ = {factor}")
    if "momentum" in p.optimizers:
        parts.append(f"momentum + L2: the first step multiplies w by {factor}, then its velocity grows")
    if "Adam" in p.optimizers:
        parts.append(f"Adam + L2: the first step is η = {number(p.rate)} for each weight, whatever λ is")
    return f"{'; '.join(parts)}."


def sentence(p: Params, step: int, now: Sequence[Step]) -> str:
    """The step of w₁ in numbers; with data and several optimizers what is left of every weight."""
    left = [f"{', '.join(number(round(100 * share)) for share in one.w / p.start)} %" for one in now]
    steps = [arithmetic(p, name, one) for name, one in zip(p.optimizers, now, strict=True)]
    names = [LABELS[name] for name in p.optimizers]
    if len(now) == 1:
        return f"Step {step}, {names[0]}: w₁ = {steps[0]}. Share left of the three: {left[0]}."
    if with_data(p):
        each = [f"{name} {shares}" for name, shares in zip(names, left, strict=True)]
        return f"Step {step}, share left of w₁, w₂, w₃: {'; '.join(each)}."
    return f"Step {step}, w₁: {'; '.join(f'{name}: {one}' for name, one in zip(names, steps, strict=True))}."


def arithmetic(p: Params, name: str, one: Step) -> str:
    """The update of w₁, written out: as many digits of it as its change needs."""
    old, new, up, down, g = (float(part[0]) for part in (one.old, one.w, one.up, one.down, one.g))
    digits = digits_for(max(old, new, key=abs), new - old)
    eta, lam, w = number(p.rate), number(p.decay), vector([old], True, digits)
    start, end = number(old, digits), f" = {number(new, digits)}"
    shrunk = f"(1 − {eta} · {lam}) · {w}"
    if name == "SGD":
        step = f"{eta} · ({number(g)} + {lam} · {w})" if with_data(p) else f"{eta} · {lam} · {w}"
        return f"{start} − {step}{end}"
    if name == "momentum":
        return f"{start} − {eta} · {vector([up], True)}{end} (the velocity is {number(up)})"
    if name == "SGDW":
        return f"{shrunk} − {eta} · {vector([up], True)}{end}"
    ratio = vector([up / down], True)
    if name == "AdamW":
        return f"{shrunk} − {eta} · {ratio}{end}"
    return f"{start} − {eta} · {ratio}{end} (m̂/√v̂ = {number(up)}/{number(down)})"


def farewell(p: Params, step: int, now: Sequence[Step]) -> str:
    """Which weight has diverged under which optimizer, why, and what to do."""
    gone = [pair for pair in zip(p.optimizers, now, strict=True) if not finite(pair[1].w, most=HUGE)]
    name, one = gone[0]
    i = int(np.abs(one.w).argmax())
    c, eta, lam = p.scales[i], p.rate, p.decay
    if name in ("SGDW", "AdamW") and eta * lam > 2:
        why = f"the factor 1 − ηλ = {number(1 - eta * lam)} is below −1. Keep ηλ under 2"
    elif name in ("SGDW", "AdamW"):
        why = f"η · c = {number(eta * c)} is too large for batches of {p.batch}. Lower η"
    else:
        most, bound = (2 * (1 + p.beta), f"2(1 + β) = {number(2 * (1 + p.beta))}") if name == "momentum" else (2, "2")
        over = f"above {bound}" if eta * (c + lam) > most else f"too large for batches of {p.batch}"
        why = f"η{'(c + λ)' if c else 'λ'} = {number(eta * (c + lam))} is {over}. Lower η"
        why += "" if c > lam else " or λ"
    also = f" So has {', '.join(LABELS[other] for other, _ in gone[1:])}." if gone[1:] else ""
    return f"Step {step}: {LABELS[name]} has diverged, {NAMES[i]} = {number(one.w[i])}, as {why}.{also}"
