"""Nodes, slopes and steps of a graph as they are written."""

from collections.abc import Iterable, Sequence

from playgrounds._expression import Tape, leaves
from playgrounds.autograd.model import BINARY, COMBINE
from playgrounds.kit.words import digits_for, number, vector

CLOSE = 1e-5  # relative: what counts as the same slope, found and measured


def listed(texts: Sequence[str], most: int = 6) -> str:
    """a, b and c; of many the first."""
    texts = texts if len(texts) <= most else [*texts[: most - 1], f"{len(texts) - most + 1} more"]
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def factor(value: float) -> str:
    return vector([value + 0.0], factor=True)  # −0 is written 0


def written(op: str, texts: Sequence[str]) -> str:
    """An operation on texts: u₁ · z, sin(x), −x."""
    if op in BINARY:
        return f" {({'-': '−', '*': '·'}).get(op, op)} ".join(texts)
    return f"−{texts[0]}" if op == "neg" else f"{op}({texts[0]})"


def formula(tape: Tape, i: int) -> str:
    """A node's name and operation: u₁ = x + y."""
    texts = [tape[j].name or factor(tape[j].constant) for j in tape[i].inputs]
    return f"{tape[i].name} = {written(tape[i].op, texts)}" if texts else tape[i].name


def heading(tape: Tape, i: int) -> str:
    """What a box is called: x, u₁: +, u₂: 3 ×."""
    op, inputs, name, _ = tape[i]
    if not inputs:
        return name
    sign = {"-": "−", "neg": "−", "*": "×", "/": "÷", "sigmoid": "σ"}.get(op, op)
    texts = ["" if tape[j].op != "number" else number(tape[j].constant) for j in inputs]
    return f"{name}: {f' {sign} '.join(texts).strip() if op in BINARY else sign}"


def in_numbers(tape: Tape, values: Sequence[float], i: int) -> str:
    """An operation on the values of its inputs: −2 + 5."""
    first, *others = [values[j] for j in tape[i].inputs]
    plain = tape[i].op not in ("**", "neg")
    return written(tape[i].op, [number(first) if plain else factor(first), *map(factor, others)])


def slopes_of(tape: Tape, gradient: Sequence[float], digits: Iterable[int] | None = None) -> str:
    """∂f/∂x = −4 and ∂f/∂y = 3."""
    f = tape[-1].name
    rows = zip(leaves(tape), gradient, digits or [3] * len(gradient), strict=True)
    return listed([f"∂{f}/∂{tape[i].name} = {number(g, n)}" for i, g, n in rows])


def equations(
    tape: Tape, old: Sequence[float], sign: str, by: Sequence[float], new: Sequence[float], dot: str = ""
) -> str:
    """x = 3 − 0.1 · 6 = 2.4 for every leaf, with as many digits as the change needs."""
    texts = []
    for i, a, b, c in zip(leaves(tape), old, by, new, strict=True):
        n = digits_for(max(a, c, key=abs), c - a)
        texts.append(f"{tape[i].name}{dot} = {number(a, n)} {sign} {factor(b)} = {number(c, n)}")
    return listed(texts, 4)


def together(fork: str, name: str, arrived: Sequence[float]) -> str:
    """What becomes of several gradients that have come back to one node: x: 1 + 5 + 5 = 11."""
    terms = " + ".join((factor if n else number)(g) for n, g in enumerate(arrived))
    last = f"the last of {listed([number(g) for g in arrived])}"
    how = {"sum": terms, "mean": f"({terms}) / {len(arrived)}", "overwrite": last}
    return f"{name}: {how[fork]} = {number(COMBINE[fork](arrived))}"


def close(a: float, b: float) -> bool:
    return abs(a - b) < CLOSE * max(1, abs(b))


def apart(a: float, b: float) -> int:
    """The digits, three at least, that tell two numbers apart unless they count as the same."""
    if close(a, b):
        return 3
    return next(n for n in range(3, 18) if number(a, n) != number(b, n))
