"""The arithmetic of softmax in words: exponentials and their sum, and what goes wrong with them in float32."""

import numpy as np

from playgrounds.kit.nn import softmax
from playgrounds.kit.params import shown
from playgrounds.kit.training import finite
from playgrounds.kit.words import number, vector
from playgrounds.softmax.model import LARGEST, MOST_SCORES, pieces, score


def on_paper(z: np.ndarray, temperature: float) -> str:
    """The softmax of scores z (n,), stable where the naive one fails."""
    u = z / temperature
    p = vector(softmax(u).tolist())
    if problem := naive_problem(u):
        below = u - u.max()
        aside = f"naively {problem}; divided above and below by exp({plain(u.max())}) it is"
        return f"{aside} {exponentials(below, below)}, p = {p}"
    return f"{exponentials(z, u, '' if temperature == 1 else f'/{temperature:g}')}, p = {p}"


def complaint(text: str) -> str:
    """Which of the scores in a reader's text cannot be taken, and why."""
    found = pieces(text)
    if not 2 <= len(found) <= MOST_SCORES:
        return f"Type two to six scores with commas between, such as 1, 2, 3; here are {len(found)}."
    wrong = next(i for i, piece in enumerate(found) if not finite(score(piece), most=LARGEST))
    which = f"Score {wrong + 1} of {len(found)}, {shown(found[wrong], 20)},"
    if np.isnan(score(found[wrong])):
        return f"{which} is not a number: write it like −1.5."
    return f"{which} is too large: take numbers between −10,000 and 10,000."


def failure(step: int, z: np.ndarray, y: np.ndarray) -> str:
    """Why the naive softmax of scores z (m, 3) has no finite cross-entropy."""
    why = next(filter(None, map(naive_problem, z)), "")
    advice = "The largest score subtracted first (stable) changes no p"
    if not why:
        behind = (z.max(axis=1) - z[np.arange(len(y)), y]).max()
        why = f"the right class is {plain(behind)} below the largest score, p is 0 in float32, and −ln 0 is ∞"
        advice = "Stable code takes the logarithm before anything becomes 0"
    return f"Step {step}: the loss is no longer finite. For one point {why}. {advice}."


def naive_problem(u: np.ndarray) -> str:
    """What the naive softmax of u (n,) stumbles over in float32; "" if nothing."""
    with np.errstate(over="ignore"):
        e = np.exp(u.astype(np.float32))
        most, total = e.max(), e.sum()
    if np.isinf(most) or total == 0:
        return f"exp({plain(u.max())}) = {'∞ and ∞/∞' if most else '0 and 0/0'} is nan in float32"
    return f"exp({plain(u.max())}) and the others add up to ∞ in float32, and x/∞ is 0" if np.isinf(total) else ""


def exponentials(z: np.ndarray, u: np.ndarray, over: str = "") -> str:
    """exp(u) and their sum, u being z `over` the temperature."""
    e = np.exp(u)
    each = ", ".join(f"exp({plain(one)}{over}) = {number(f)}" for one, f in zip(z, e, strict=True))
    return f"{each}, sum {number(e.sum())}"


def plain(value: float, digits: int = 3) -> str:
    """A score with its decimals, 1002.135: of large scores only the differences count."""
    return f"{round(float(value), digits) + 0.0:.9g}".replace("-", "−")


def listed(values: np.ndarray) -> str:
    return f"({', '.join(map(plain, values))})"
