"""What a step with batches is told as: its gradient against that of all examples, its cost, and who has diverged."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from playgrounds.kit.words import counted, digits_for, number, vector
from playgrounds.minibatch.model import MEASURED, OTHERS, N, Params, State, examples, gradient, limit, quarter

NAMES = {str(size): f"batch {size}" for size in MEASURED} | {"all": f"all {N:,}"}
data_of = lru_cache(maxsize=8)(examples)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What happened in this step."""
    said = sentence(p, states[now]) if states[now].step else beginning(p, states[now])
    return " ".join(filter(None, [said, farewell(p, states[now])]))


def beginning(p: Params, start: State) -> str:
    """Of step 0: where all begin, and which rates are too large."""
    x, _ = data_of(p)
    said = (
        f"Start: every run begins at w = {vector(start.path[0, 0])} with a loss of {number(start.loss)}; the thin "
        f"lines lead to where {OTHERS} batches of {counted(p.sizes[0], 'example')} would take it."
    )
    most = {NAMES[b]: limit(p, x, size) for b, size in zip(p.batches, p.sizes, strict=True)}
    unstable = [f"{number(rate)} for {name}" for name, rate in most.items() if p.rate > rate]
    return f"{said} η = {number(p.rate)} is above the largest stable rate, {', '.join(unstable)}." if unstable else said


def sentence(p: Params, now: State) -> str:
    """The step of the smallest batch that still takes steps, against the step that all examples would have taken."""
    step = now.step
    going = (i for i, stop in enumerate(p.stops) if not now.gone[i] and step <= stop)
    i = next(going, None)
    if i is None:
        return f"Step {step}: none is left that takes steps."
    old, new, g = now.before[i], now.path[-1, i], now.gradients[i]
    said = f"Step {step}, {NAMES[p.batches[i]]}: gradient {vector(g)}"
    if p.sizes[i] < N:
        full = gradient(*data_of(p), old)
        off = float(np.linalg.norm(g - full))
        uphill = " and uphill" if g @ full < 0 else ""
        said += f" against {vector(full)} of all, off by {number(off)}{uphill}"
    digits = max(digits_for(max(a, b, key=abs), b - a) for a, b in zip(old.tolist(), new.tolist(), strict=True))
    since = quarter(step)
    return (
        f"{said}; w = {vector(old, digits=digits)} − {number(now.eta)} · {vector(g)} = {vector(new, digits=digits)}. "
        f"RMS distance from the minimum in {f'steps {since} to' if since < step else 'step'} {step}: "
        f"{number(now.clouds[i])}; {counted(step * p.sizes[i], 'example')} used."
    )


def farewell(p: Params, now: State) -> str:
    """Which batch sizes have diverged, where, and up to which rate they would not have."""
    x, _ = data_of(p)
    said = []
    for b, size, (w1, w2), at in zip(p.batches, p.sizes, now.path[-1], now.gone, strict=True):
        if at:
            where = f"w₁ = {number(w1)}" if abs(w1) > abs(w2) else f"w₂ = {number(w2)}"
            said.append(f"{NAMES[b]} at step {at} ({where}; stable up to η = {number(limit(p, x, size))})")
    return f"Diverged: {'; '.join(said)}.{' Lower η or take larger batches.' * all(now.gone)}" if said else ""
