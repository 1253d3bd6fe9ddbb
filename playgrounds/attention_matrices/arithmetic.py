"""How each number of the matrices comes about, in words: what is said where the reader points at a cell."""

from collections.abc import Sequence
from html import escape
from math import sqrt

import numpy as np

from playgrounds.attention_matrices.model import Matrices, Params
from playgrounds.kit.words import number, vector


def cut(words: Sequence[str], most: int = 9) -> list[str]:
    return [word if len(word) <= most else word[: most - 1] + "…" for word in words]


def safe(words: Sequence[str]) -> list[str]:
    """Words as they may stand in a picture, where < would begin markup."""
    return [escape(word, quote=False) for word in cut(words)]


def product(a: np.ndarray, b: np.ndarray, most: int = 6) -> str:
    """a₁·b₁ + a₂·b₂ + … = a·b, of many numbers the first."""
    pairs = [f"{vector([x], True)}·{vector([y], True)}" for x, y in zip(a[:most], b[:most], strict=True)]
    more = f" + … ({len(a)} products)" if len(a) > most else ""
    return f"{' + '.join(pairs)}{more} = {number(a @ b)}"


def divided(p: Params, m: Matrices) -> np.ndarray:
    """The scores before the mask."""
    return m.S / sqrt(p.d_k) if p.scaled else m.S


def arithmetic(p: Params, m: Matrices, name: str, i: int, j: int) -> str:
    """How the cell (i, j) of a table comes about."""
    me, them = safe(m.words), safe(m.others)
    match name:
        case "X" | "Y":
            place = " + its place" if p.positions else ""
            word, value = (me[i], m.X[i, j]) if name == "X" else (them[i], m.Y[i, j])
            return f"x({word}), number {j + 1}: {number(value)},<br>drawn by the word itself{place}"
        case "Q":
            return f"q({me[i]}), number {j + 1}:<br>{product(m.X[i], m.w.W_Q[:, j])}"
        case "K":
            return f"k({them[i]}), number {j + 1}:<br>{product(m.Y[i], m.w.W_K[:, j])}"
        case "V":
            return f"v({them[i]}), number {j + 1}:<br>{product(m.Y[i], m.w.W_V[:, j])}"
        case "S":
            return f"q({me[i]})·k({them[j]}):<br>{product(m.Q[i], m.K[j])}"
        case "Z" if np.isinf(m.Z[i, j]):
            return f"{them[j]} comes after {me[i]}: −∞"
        case "Z" if not p.scaled:
            return f"{number(m.S[i, j])}, not divided"
        case "Z":
            return f"{number(m.S[i, j])} / {number(sqrt(p.d_k))} = {number(m.Z[i, j])}"
        case "A":
            total = number(np.exp(m.Z[i]).sum())
            return f"{me[i]} looks at {them[j]}:<br>e^{number(m.Z[i, j])} / {total} = {number(m.A[i, j])}"
    terms = [f"{number(a)}·{vector([v], True)}" for a, v in zip(m.A[i], m.V[:, j], strict=True) if a]
    rest = "<br>+ " * (len(terms) > 5) + " + ".join(terms[5:])
    return f"o({me[i]}), number {j + 1}:<br>{' + '.join(terms[:5])}{rest} = {number(m.out[i, j])}"


def plain(value: float, digits: int) -> str:
    """A number in a narrow cell: .42, −1.3, −.5, 12."""
    text = f"{round(float(value), digits) + 0.0:.{digits if abs(value) < 10 else 0}f}"
    if text == f"{0:.{digits}f}" and digits == 1:
        return "0"
    return text.replace("-", "−").replace("0.", ".", text.lstrip("-").startswith("0."))
