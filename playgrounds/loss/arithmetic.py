"""Updates in words, and what of a reader's text does not count."""

import numpy as np

from playgrounds.kit.training import finite
from playgrounds.kit.words import number
from playgrounds.loss.model import HUGE, LARGEST, Params, State, enough, entry, items, numbers, value

FORMULAS = {  # of the gradients
    "constant": {"MSE": "mean 2(c − y)", "MAE": "mean sign(c − y)", "Huber": "mean (c − y), cut at ±δ,"},
    "classify": {"cross-entropy": "p − y", "squared error": "2(p − y) · p(1 − p)"},
    "soft": {"cross-entropy": "p − y", "squared error": "at z"},
}


def five(*values: float) -> str:
    """Five significant digits, and three of what is very small or large; several numbers stand in brackets."""
    texts = [number(v, 5 if 1e-3 <= abs(v) < 99_999 else 3) for v in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def diverged(state: State) -> bool:
    return not finite(state.theta, most=HUGE)


def update(p: Params, state: State) -> str:
    """The last update in numbers, from `before` against the gradient `slope`, and what the steps have led to."""
    if diverged(state):
        why = f"every step multiplies its distance to the mean by 1 − 2η = {five(1 - 2 * p.rate)}"
        return f"Step {state.step}: MSE diverged to c = {five(state.theta[0, 0])}: {why}. Lower η below 1."
    letter, eta = ("c", p.rate) if p.task == "constant" else ("z", p.rate_z)
    said = []
    for i, name in enumerate(p.shown):
        if state.step == 0 or p.task == "soft":
            gradient = f"its gradient {FORMULAS[p.task][name]} = {five(*state.gradient[i])}"
            said.append(f"{name} {five(state.values[i])}, {gradient}")
        else:
            step = f"{five(state.before[i, 0])} − {number(eta)} · ({five(state.slope[i, 0])})"
            said.append(f"by {name} {letter} = {step} = {five(state.theta[i, 0])}, loss {five(state.values[i])}")
    opening = f"Step {state.step:,}" if state.step else f"Start at {letter} = {five(state.theta[0, 0])}"
    results = [result(p, state, i, name) for i, name in enumerate(p.shown)]
    return f"{opening}: {'; '.join(said)}.{''.join(results)}{race(state)}{entropy(p, state)}"


def result(p: Params, state: State, i: int, name: str) -> str:
    """What a constant's loss has come to; "" if there is nothing to say yet."""
    at, gradient = state.theta[i, 0], state.gradient[i, 0]
    if name == "MSE" and p.rate >= 1:
        return f" Every step multiplies MSE's distance to the mean by 1 − 2η = {five(1 - 2 * p.rate)}."
    if name == "MSE" and abs(at - state.y.mean()) < 1e-3 * (np.ptp(state.y) or 1):
        return f" MSE is at the mean; the {five(state.floor[i])} left over is the variance of the targets."
    if name == "MAE" and gradient == 0 and np.ptp(state.best[i]):
        return f" MAE rests: every c from {' to '.join(map(five, state.best[i]))} is a median."
    if name == "MAE" and gradient * state.slope[i, 0] < 0:
        return f" MAE swings about the median: its slope stays ±{five(abs(gradient))}, so its steps do not shrink."
    return ""


def race(state: State) -> str:
    """When cross-entropy and squared error have come to p = 0.5."""
    first, late = (*state.halfway, None)[:2]
    if not first:
        return ""
    p = state.answers[1, 0]
    rival = f"at step {late:,}" if late else f"is braked by its factor p(1 − p) = {five(p * (1 - p))}"
    return f" Cross-entropy came to p = 0.5 at step {first:,}, squared error {rival}."


def entropy(p: Params, state: State) -> str:
    """What cross-entropy cannot fall below where the target is soft."""
    if p.task == "soft" or (p.task == "classify" and 0 < p.target < 1):
        return f" Cross-entropy's floor is the target's entropy {five(state.floor[0])}."
    return ""


def complaint(p: Params, state: State) -> str:
    """What of the reader's text is left out or changed; "" if nothing."""
    if p.task == "classify" or diverged(state):
        return ""
    typed, said = entry(p), ""
    good = numbers(typed)
    bad = []
    for place, item in enumerate(items(typed.text), start=1):
        if not typed.least <= value(item) <= LARGEST:
            bad.append(f"item {place} ({item[:12]!r})")
    if bad:
        named = ", ".join(bad[:3]) + " …" * (len(bad) > 3)
        said += f" Left out: {named}; type numbers from {five(typed.least)} to {five(LARGEST)}."
    if len(good) > typed.most:
        said += f" Only the first {typed.most} of {len(good)} numbers count."
    y = good[: typed.most]
    if not enough(p, y):
        y = typed.stand_in
        said += f" That is too few: {', '.join(map(str, y))} stand in."
    if p.task == "soft" and abs(sum(y) - 1) > 1e-9:
        said += f" The soft target is divided by its sum {five(sum(y))}."
    return said
