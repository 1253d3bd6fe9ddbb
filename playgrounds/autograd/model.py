"""Reverse-mode automatic differentiation: an expression becomes a tape; values go forward along it, gradients back."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

from playgrounds import kit
from playgrounds._expression import Mistake, Tape, leaves, parse, read_values
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import finite

STEP = 6e-6  # of central differences: the cube root of the rounding error, so that neither that nor h² gets large


class Params(kit.Params):
    expression: str = knob(
        "(x + y) * z",
        0,
        200,
        label="Expression",
        help="+ - * / ** ( ) sin cos exp log tanh relu sigmoid; or several statements: b = a + a; c = b + b",
    )
    values: str = knob("x=-2, y=5, z=-4", 0, 200, label="Values of the leaves", help="a leaf that has none gets 2")
    order: Literal["reverse topological", "depth-first", "forward"] = knob(
        "reverse topological",
        label="Order of the backward pass",
        help="depth-first: on as soon as anything has arrived, each node once; forward: as the values were computed",
    )
    fork: Literal["sum", "mean", "overwrite"] = knob(
        "sum", label="Where a value is used twice", help="what becomes of the gradients that come back to it"
    )
    backwards: int = knob(1, 1, 3, label="Calls of backward()", help="on the same graph")
    steps: int = knob(0, 0, 25, label="Gradient steps", help="each moves every leaf by −η times its .grad")
    rate: float = knob(0.1, 0.001, 2, label="Learning rate η", log=True, when=lambda p: p.steps > 0)
    zero_grad: bool = knob(
        True,
        label="zero_grad() before each call",
        help="off: .grad keeps what earlier calls found",
        when=lambda p: p.backwards > 1 or p.steps > 0,
    )


class Operation(NamedTuple):
    f: Callable[..., float]  # y = f(a) or f(a, b)
    slopes: Callable[..., tuple[float, ...]]  # dy/da (and dy/db) from y, a (and b)
    needs: tuple[str, ...]  # which of a, b, y each of the slopes depends on


def sigmoid(a: float) -> float:
    """1 / (1 + exp(−a)): of the two forms the one that neither overflows nor loses digits."""
    if a >= 0:
        return 1 / (1 + math.exp(-a))
    return math.exp(a) / (1 + math.exp(a))


def power_slopes(y: float, a: float, b: float) -> tuple[float, float]:
    by_base = b * math.pow(a, b - 1) if b else 0.0
    if a > 0:
        return by_base, y * math.log(a)
    return by_base, 0.0 if a == 0 and b > 0 else math.nan


BINARY = {
    "+": Operation(lambda a, b: a + b, lambda y, a, b: (1.0, 1.0), ("", "")),
    "-": Operation(lambda a, b: a - b, lambda y, a, b: (1.0, -1.0), ("", "")),
    "*": Operation(lambda a, b: a * b, lambda y, a, b: (b, a), ("b", "a")),
    "/": Operation(lambda a, b: a / b, lambda y, a, b: (1 / b, -a / b / b), ("b", "ab")),
    "**": Operation(math.pow, power_slopes, ("ab", "ay")),
}
FUNCTIONS = {
    "sin": Operation(math.sin, lambda y, a: (math.cos(a),), ("a",)),
    "cos": Operation(math.cos, lambda y, a: (-math.sin(a),), ("a",)),
    "exp": Operation(math.exp, lambda y, a: (y,), ("y",)),
    "log": Operation(math.log, lambda y, a: (1 / a,), ("a",)),
    "tanh": Operation(math.tanh, lambda y, a: (1 - y * y,), ("y",)),
    "relu": Operation(lambda a: max(a, 0.0), lambda y, a: (float(y > 0),), ("y",)),  # at 0: 0, PyTorch's convention
    "sigmoid": Operation(sigmoid, lambda y, a: (y * (1 - y),), ("y",)),
}
OPERATIONS = BINARY | FUNCTIONS | {"neg": Operation(lambda a: -a, lambda y, a: (-1.0,), ("",))}
IMPOSSIBLE = (ValueError, OverflowError, ZeroDivisionError)  # what Python raises, as for the log of a negative number


def compute(op: str, inputs: Sequence[float]) -> float:
    """The value of an operation, nan where it has none."""
    try:
        return OPERATIONS[op].f(*inputs)
    except IMPOSSIBLE:
        return math.nan


@lru_cache(maxsize=64)
def tape_of(expression: str) -> Tape:
    """The tape of an expression. Raises Mistake."""
    return parse(expression, tuple(FUNCTIONS), compute)


def edges(tape: Tape, i: int) -> list[int]:
    """Which inputs of node i take part in the backward pass: numbers do not."""
    return [k for k, j in enumerate(tape[i].inputs) if tape[j].op != "number"]


def evaluate(tape: Tape, i: int, values: Sequence[float]) -> float:
    """The value of operation i from those of its inputs."""
    return compute(tape[i].op, [values[j] for j in tape[i].inputs])


def forward(tape: Tape, at: Sequence[float]) -> list[float]:
    """The values of all nodes, those of the leaves being `at` in the order of the tape."""
    values: list[float] = []
    given = iter(at)
    for i, node in enumerate(tape):
        if node.op == "leaf":
            values.append(next(given))
        elif node.op == "number":
            values.append(node.constant)
        else:
            values.append(evaluate(tape, i, values))
    return values


def keeps(tape: Tape, i: int) -> set[int]:
    """The nodes whose values the backward pass needs at operation i."""
    place = {"a": tape[i].inputs[0], "b": tape[i].inputs[-1], "y": i}
    needed = {place[letter] for k in edges(tape, i) for letter in OPERATIONS[tape[i].op].needs[k]}
    return {j for j in needed if tape[j].op != "number"}


@lru_cache(maxsize=256)
def central_differences(tape: Tape, at: tuple[float, ...], step: float = STEP) -> tuple[float, ...]:
    """(f(x + h) - f(x - h)) / 2h for every leaf x: two forward passes each."""
    found = []
    for n, x in enumerate(at):
        h = step * max(1.0, abs(x))
        up = forward(tape, (*at[:n], x + h, *at[n + 1 :]))[-1]
        down = forward(tape, (*at[:n], x - h, *at[n + 1 :]))[-1]
        found.append((up - down) / (2 * h))
    return tuple(found)


COMBINE = {  # what has come back to a node becomes its gradient; only the sum is the chain rule
    "sum": lambda arrived: float(sum(arrived)),
    "mean": lambda arrived: sum(arrived) / max(1, len(arrived)),
    "overwrite": lambda arrived: (0.0, *arrived)[-1],
}


class Visit(NamedTuple):
    node: int
    served: list[int]  # which of its inputs were sent something
    slopes: tuple[float, ...]  # to all of its inputs
    upstream: float
    arrived: tuple[tuple[float, ...], ...]  # by node: all that has come back to it so far


def local_slopes(tape: Tape, i: int, values: Sequence[float]) -> tuple[float, ...]:
    """dy/da (and dy/db) of operation i, nan where there is none."""
    inputs = [values[j] for j in tape[i].inputs]
    try:
        return OPERATIONS[tape[i].op].slopes(values[i], *inputs)
    except IMPOSSIBLE:
        return (math.nan,) * len(inputs)


def depth_first(tape: Tape, i: int, seen: set[int]) -> Iterator[tuple[int, list[int]]]:
    """Follow every edge at once, visit every node once: tempting, and wrong where two paths meet."""
    seen.add(i)
    for k in edges(tape, i):
        yield i, [k]
        if tape[i].inputs[k] not in seen:
            yield from depth_first(tape, tape[i].inputs[k], seen)


def route(tape: Tape, order: str) -> list[tuple[int, list[int]]]:
    """The operations in the order of their visits, and which of its inputs each then serves."""
    if order == "depth-first":
        return list(depth_first(tape, len(tape) - 1, set()))
    topological = [(i, edges(tape, i)) for i, node in enumerate(tape) if node.inputs]
    return topological if order == "forward" else topological[::-1]


def backward(tape: Tape, values: Sequence[float], order: str, fork: str) -> Iterator[Visit]:
    """One sweep: 1 arrives at the output, then every node sends upstream gradient times local slope to its inputs."""
    arrived: list[list[float]] = [[] for _ in tape]
    arrived[-1].append(1.0)  # df/df
    yield Visit(len(tape) - 1, [], (), 1.0, tuple(map(tuple, arrived)))
    for i, served in route(tape, order):
        upstream = COMBINE[fork](arrived[i])
        slopes = local_slopes(tape, i, values)
        for k in served:
            arrived[tape[i].inputs[k]].append(upstream * slopes[k])
        yield Visit(i, served, slopes, upstream, tuple(map(tuple, arrived)))


def gradient_of(tape: Tape, visits: Sequence[Visit], fork: str) -> list[float]:
    """df/dx for every leaf x, as these visits have left it."""
    return [COMBINE[fork](visits[-1].arrived[i]) for i in leaves(tape)]


class State(NamedTuple):
    output: Annotated[float | None, Metric("output", digits=4, shown=True)]
    gradient: Annotated[float | None, Metric(".grad of the first leaf", shown=True)]
    gradient_error: Annotated[float | None, Metric("largest error of a .grad", shown=True)]  # by central differences
    kept_values: Annotated[int | None, Metric("values kept for the backward pass", "count")]
    sweeps: Annotated[int | None, Metric("backward passes done", "count")]
    difference_passes: Annotated[int | None, Metric("forward passes that differences need", "count")]
    last_gradient: Annotated[float | None, Metric(".grad of the last leaf")] = None
    values: tuple[float | None, ...] = ()  # by node; None: not computed yet
    gradients: tuple[float | None, ...] = ()  # by node; None: nothing has arrived
    visits: tuple[Visit, ...] = ()  # of the sweep that is shown
    kept: tuple[int, ...] = ()  # nodes
    measured: tuple[float, ...] = ()  # by leaf: central differences
    focus: int | None = None  # the node at work
    ended: bool = False  # the run ends here, because a number was not finite
    mistake: str = ""  # what is wrong with what was typed


def run(p: Params) -> Iterator[State]:
    """Forward and backward, a node a state; then further calls of backward() and gradient steps, a state each."""
    try:
        tape = tape_of(p.expression)
        at = read_values(p.values, tape).values
    except Mistake as wrong:
        yield State(None, None, None, None, None, None, mistake=str(wrong))
        return

    values: list[float | None] = [None if node.inputs else node.constant for node in tape]
    for i, x in zip(leaves(tape), at, strict=True):
        values[i] = x
    yield look(p, tape, values)
    for i, node in enumerate(tape):
        if not node.inputs:
            continue
        y = evaluate(tape, i, values)
        if not finite(y):
            yield look(p, tape, values, focus=i, ended=True)
            return
        values[i] = y
        yield look(p, tape, values, focus=i)

    visits: list[Visit] = []
    for visit in backward(tape, values, p.order, p.fork):
        if not finite(*(g for arrived in visit.arrived for g in arrived)):
            yield look(p, tape, values, visits, focus=visit.node, ended=True)
            return
        visits.append(visit)
        yield look(p, tape, values, visits, focus=visit.node)
    grad = gradient_of(tape, visits, p.fork)
    yield look(p, tape, values, visits, sweeps=1)

    for call in range(2, p.backwards + p.steps + 1):
        if call > p.backwards:
            at = [x - p.rate * slope for x, slope in zip(at, grad, strict=True)]
            new = forward(tape, at)
            visits = list(backward(tape, new, p.order, p.fork))
            if not finite(*new, *gradient_of(tape, visits, p.fork)):
                yield look(p, tape, values, [], grad, sweeps=call - 1, ended=True)
                return
            values = new
        g = gradient_of(tape, visits, p.fork)
        grad = g if p.zero_grad else [a + b for a, b in zip(grad, g, strict=True)]
        yield look(p, tape, values, visits, grad, sweeps=call)


def look(
    p: Params,
    tape: Tape,
    values: list,
    visits: Sequence[Visit] = (),
    grad: Sequence[float] | None = None,
    sweeps: int = 0,
    focus: int | None = None,
    ended: bool = False,
) -> State:
    """A state. grad: what the leaves' .grad holds, where that is not what the sweep shown has brought."""
    gradients: list[float | None] = [None] * len(tape)
    if visits:
        gradients = [COMBINE[p.fork](arrived) if arrived else None for arrived in visits[-1].arrived]
    if grad is not None:
        for i, g in zip(leaves(tape), grad, strict=True):
            gradients[i] = g
    measured = central_differences(tape, tuple(values[i] for i in leaves(tape)))
    errors = [abs((gradients[i] or 0.0) - m) for i, m in zip(leaves(tape), measured, strict=True) if math.isfinite(m)]
    kept = {j for i, node in enumerate(tape) if node.inputs and values[i] is not None for j in keeps(tape, i)}
    return State(
        output=values[-1],
        gradient=gradients[leaves(tape)[0]],
        gradient_error=max(errors, default=0.0) if sweeps and visits else None,
        kept_values=len(kept),
        sweeps=sweeps,
        difference_passes=2 * len(measured),
        last_gradient=gradients[leaves(tape)[-1]],
        values=tuple(values),
        gradients=tuple(gradients),
        visits=tuple(visits),
        kept=tuple(sorted(kept)),
        measured=measured,
        focus=focus,
        ended=ended,
    )
