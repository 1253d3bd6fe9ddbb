"""Your expression as a graph: values go forward through it node by node, then gradients go backward.

Left out: vectors and matrices (a node holds one number), second derivatives, and forward mode.
"""

import ast
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, axes, box, chips, dot, figure, lines, segment, short
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, PAPER
from playgrounds.kit.params import shown
from playgrounds.kit.training import finite
from playgrounds.kit.words import counted, number, vector

MOST, LONGEST = 24, 7  # nodes of a graph, letters of a name
DEFAULT = 2.0  # of a leaf that is given no value


class Params(kit.Params):
    expression: str = knob(
        "(x + y) * z", 0, 200, label="Expression",
        help="+ - * / ** ( ) sin cos exp log tanh relu sigmoid; or several statements: b = a + a; c = b + b",
    )  # fmt: skip
    values: str = knob("x=-2, y=5, z=-4", 0, 200, label="Values of the leaves", help="a leaf that has none gets 2")
    order: Literal["reverse topological", "depth-first", "forward"] = knob(
        "reverse topological", label="Order of the backward pass",
        help="depth-first: on as soon as anything has arrived, each node once; forward: as the values were computed",
    )  # fmt: skip
    fork: Literal["sum", "mean", "overwrite"] = knob(
        "sum", label="Where a value is used twice", help="what becomes of the gradients that come back to it"
    )
    backwards: int = knob(1, 1, 3, label="Calls of backward()", help="on the same graph")
    steps: int = knob(0, 0, 25, label="Gradient steps", help="each moves every leaf by −η times its .grad")
    rate: float = knob(0.1, 0.001, 2, label="Learning rate η", log=True, when=lambda p: p.steps > 0)
    zero_grad: bool = knob(True, label="zero_grad() before each call", help="off: .grad keeps what earlier calls found",
                           when=lambda p: p.backwards > 1 or p.steps > 0)  # fmt: skip


class State(NamedTuple):
    output: float | None  # None until it is computed
    gradient: float | None  # .grad of the first leaf
    gradient_error: float | None  # largest difference between a leaf's .grad and central differences
    kept_values: int  # that the backward pass needs
    sweeps: int  # backward passes done
    difference_passes: int  # forward passes that central differences need for one gradient
    note: str
    values: tuple[float | None, ...] = ()  # by node; None: not computed yet
    gradients: tuple[float | None, ...] = ()  # by node; None: nothing has arrived
    slopes: tuple[tuple[int, int, float], ...] = ()  # node, which of its inputs, slope: where a gradient has gone
    kept: tuple[int, ...] = ()  # nodes
    measured: tuple[float, ...] = ()  # by leaf: central differences
    focus: int | None = None  # the node at work


# ----------------------------------------------------------------------------------------------------------- the engine


class Operation(NamedTuple):
    """y = f(a) or f(a, b); its local slopes dy/da and dy/db; which of a, b, y each of the slopes depends on."""

    f: Callable[..., float]
    slopes: Callable[..., tuple[float, ...]]  # of y, a (and b)
    needs: tuple[str, ...]


def power_slopes(y: float, a: float, b: float) -> tuple[float, float]:
    by_exponent = y * math.log(a) if a > 0 else 0.0 if a == 0 and b > 0 else math.nan
    return (b * math.pow(a, b - 1) if b else 0.0), by_exponent


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
    "sigmoid": Operation(lambda a: 0.5 * (1 + math.tanh(a / 2)), lambda y, a: (y * (1 - y),), ("y",)),
}
OPERATIONS = BINARY | FUNCTIONS | {"neg": Operation(lambda a: -a, lambda y, a: (-1.0,), ("",))}


class Node(NamedTuple):
    op: str  # a key of OPERATIONS, "leaf", or "number"
    inputs: tuple[int, ...] = ()  # entries of the tape
    name: str = ""
    constant: float = 0.0  # of a number


Tape = tuple[Node, ...]  # in topological order: inputs before what uses them; the last entry is the output


def leaves(tape: Tape) -> list[int]:
    return [i for i, node in enumerate(tape) if node.op == "leaf"]


def edges(tape: Tape, i: int) -> list[int]:
    """Which inputs of node i take part in the backward pass: numbers do not."""
    return [k for k, j in enumerate(tape[i].inputs) if tape[j].op != "number"]


def attempt(f: Callable, *arguments: float) -> float | tuple[float, ...]:
    """f(*arguments); nan where Python raises, as for the logarithm of a negative number."""
    try:
        return f(*arguments)
    except (ValueError, OverflowError, ZeroDivisionError):
        return math.nan


def evaluate(tape: Tape, i: int, values: Sequence[float]) -> float:
    """The value of operation i from those of its inputs."""
    return attempt(OPERATIONS[tape[i].op].f, *(values[j] for j in tape[i].inputs))


def forward(tape: Tape, at: Sequence[float]) -> list[float]:
    """The values of all nodes, those of the leaves being `at` in the order of the tape."""
    given, values = iter(at), []
    for i, node in enumerate(tape):
        if node.inputs:
            values.append(evaluate(tape, i, values))
        else:
            values.append(next(given) if node.op == "leaf" else node.constant)
    return values


def keeps(tape: Tape, i: int) -> set[int]:
    """The nodes whose values the backward pass needs at operation i."""
    place = {"a": tape[i].inputs[0], "b": tape[i].inputs[-1], "y": i}
    needed = {place[letter] for k in edges(tape, i) for letter in OPERATIONS[tape[i].op].needs[k]}
    return {j for j in needed if tape[j].op != "number"}


def depth_first(tape: Tape, i: int, seen: set[int]) -> Iterator[tuple[int, list[int]]]:
    """Follow every edge at once, visit every node once: tempting, and wrong where two paths meet."""
    seen.add(i)
    for k in edges(tape, i):
        yield i, [k]
        if tape[i].inputs[k] not in seen:
            yield from depth_first(tape, tape[i].inputs[k], seen)


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


def backward(tape: Tape, values: Sequence[float], order: str, fork: str) -> Iterator[Visit]:
    """One sweep: 1 arrives at the output, then every node sends upstream gradient times local slope to its inputs."""
    arrived: list[list[float]] = [[] for _ in tape]
    arrived[-1].append(1.0)  # df/df
    yield Visit(len(tape) - 1, [], (), 1.0, tuple(map(tuple, arrived)))
    route = [(i, edges(tape, i)) for i, node in enumerate(tape) if node.inputs]
    if order == "reverse topological":
        route.reverse()
    elif order == "depth-first":
        route = list(depth_first(tape, len(tape) - 1, set()))
    for i, served in route:
        inputs, upstream = tape[i].inputs, COMBINE[fork](arrived[i])
        slopes = attempt(OPERATIONS[tape[i].op].slopes, values[i], *(values[j] for j in inputs))
        slopes = slopes if isinstance(slopes, tuple) else (math.nan,) * len(inputs)
        for k in served:
            arrived[inputs[k]].append(upstream * slopes[k])
        yield Visit(i, served, slopes, upstream, tuple(map(tuple, arrived)))


def gradient_of(tape: Tape, visits: list[Visit], fork: str) -> list[float]:
    """df/dx for every leaf x, as these visits have left it."""
    return [COMBINE[fork](visits[-1].arrived[i]) for i in leaves(tape)]


@lru_cache(maxsize=256)
def central_differences(tape: Tape, at: tuple[float, ...]) -> tuple[float, ...]:
    """(f(x + h) - f(x - h)) / 2h for every leaf x: two forward passes each."""
    found = []
    for n, x in enumerate(at):
        h = 6e-6 * max(1.0, abs(x))  # cube root of the rounding error: neither that nor h² gets large
        up, down = ((*at[:n], x + sign * h, *at[n + 1 :]) for sign in (1, -1))
        found.append((forward(tape, up)[-1] - forward(tape, down)[-1]) / (2 * h))
    return tuple(found)


# ------------------------------------------------------------------------------------------------------- what is typed

MEANT = str.maketrans("−·×÷\n", "-**/ ")
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
ODD = r"[^\w\s.+\-*/()=;]|[²³]|(?<![\w.])(?>\.?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?)[^\W\d]"  # the last: 2x
INSTEAD = {"^": "write a power as x**2", "²": "write a power as x**2", ",": "put ; between statements"}
SYNTAX = {  # what Python says of a text it cannot read, and what helps
    "never closed": "this bracket is never closed; write ) where it ends",
    "unmatched": "this bracket closes none; take it out",
    "literal": "write a product as 2*x, with its sign",
    "": "something is missing before this: a number, a name, a bracket, or a sign as in 2*x",
}


class Mistake(ValueError):
    """What is wrong with a text, where, and what to do: a sentence for the note."""


@lru_cache(maxsize=64)
def parse(text: str) -> Tape:
    """The tape of all that the last statement depends on. Python's own grammar reads the text; nothing is executed."""
    source = text.translate(MEANT).rstrip()
    start = len(source) - len(source.lstrip())
    tape: list[Node] = []
    names: dict[str, int] = {}  # of leaves and of results: their place on the tape

    def refuse(where: int | ast.AST, said: str) -> None:
        if isinstance(where, ast.AST):
            where = start + len(source[start:].encode()[: where.col_offset].decode())  # Python counts bytes
        raise Mistake(f"Character {where + 1}: {said}.")

    def add(part: ast.expr) -> int:
        match part:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                node = Node("number", constant=float(value))
            case ast.Name(id="pi"):
                node = Node("number", constant=math.pi)
            case ast.Name(id=name) if name in FUNCTIONS:
                refuse(part, f"{name} needs brackets; write {name}(x)")
            case ast.Name(id=name) if len(name) > LONGEST:
                refuse(part, f"the name {shown(name, 12)} is too long; use up to {LONGEST} letters")
            case ast.Name(id=name):
                if name in names:
                    return names[name]
                names[name], node = len(tape), Node("leaf", name=name)
            case ast.UnaryOp(op=ast.USub(), operand=a):
                node = Node("neg", (add(a),))
            case ast.BinOp(left=a, op=sign, right=b) if type(sign) in SIGNS:
                node = Node(SIGNS[type(sign)], (add(a), add(b)))
            case ast.Call(func=ast.Name(id=name), args=[a], keywords=[]) if name in FUNCTIONS:
                node = Node(name, (add(a),))
            case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
                refuse(
                    part, f"no function is called {shown(name, 12)}; there are {', '.join(FUNCTIONS)}; a product is 2*x"
                )
            case _:
                refuse(part, "this is no number, name, + - * / ** or sin(x); write a product as 2*x")
        if node.inputs and all(tape[j].op == "number" for j in node.inputs):  # is done at once
            node = Node("number", constant=attempt(OPERATIONS[node.op].f, *(tape[j].constant for j in node.inputs)))
        if not finite(node.constant):
            refuse(part, "this is not a finite number; change it")
        tape.append(node)
        return len(tape) - 1

    if odd := re.search(ODD, source):
        refuse(
            odd.start(),
            f"“{odd[0]}” cannot stand here; {INSTEAD.get(odd[0], 'take it out' if len(odd[0]) == 1 else 'write 2*x')}",
        )
    try:
        statements = ast.parse(source[start:]).body
    except SyntaxError as error:
        refuse(start + (error.offset or 1) - 1, next(hint for part, hint in SYNTAX.items() if part in error.msg))
    for statement in statements:
        match statement:
            case ast.Expr(value=part):
                output = add(part)
            case ast.Assign(targets=[ast.Name(id=name)], value=part):
                output = add(part)
                if name in names or name in FUNCTIONS or len(name) > LONGEST:
                    refuse(statement, f"{shown(name, 12)} is taken or too long; give this result another name")
                names[name] = output
            case _:
                refuse(statement, "before = there has to be one new name, as in b = a + a")
    if not any(node.op == "leaf" for node in tape):
        refuse(0, "there is no name in it, nothing to differentiate by; write (x + y) * z, say")

    needed = {output}
    for i in range(output, -1, -1):
        needed |= set(tape[i].inputs) if i in needed else set()
    place = {old: new for new, old in enumerate(sorted(needed))}
    own = {output: "f" if "f" not in names else "out"} | {i: name for name, i in reversed(names.items())}
    free = (f"u{n}".translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")) for n in range(1, 1 + len(tape)))
    done = []
    for old in place:
        op, inputs, _, constant = tape[old]
        name = "" if op == "number" else own.get(old) or next(free)
        done.append(Node(op, tuple(place[j] for j in inputs), name, constant))
    if not leaves(done):
        refuse(0, "the last statement does not depend on any leaf; use one in it")
    if (size := sum(node.op != "number" for node in done)) > MOST:
        refuse(0, f"the graph would have {size} nodes, up to {MOST} can be drawn; shorten it")
    return tuple(done)


def read_values(text: str, tape: Tape) -> tuple[list[float], str]:
    """The values of the leaves in the order of the tape, and what had to be assumed."""
    given = {}
    for part in re.finditer(r"[^,;\s][^,;\n]*", text):
        match = re.fullmatch(r"(\w+)\s*=\s*([-+]?[0-9.]+([eE][-+]?[0-9]+)?)\s*", part[0].replace("−", "-"))
        if not match or not finite(attempt(float, match[2])):
            said = f"“{shown(part[0].strip(), 20)}” gives no leaf a number; write it as x=1.5, and a comma between two"
            raise Mistake(f"Values, character {part.start() + 1}: {said}.")
        given[match[1]] = float(match[2])
    wanted = [tape[i].name for i in leaves(tape)]
    missing = [name for name in wanted if name not in given]
    unknown = [shown(name, LONGEST) for name in given if name not in wanted]
    remark = f" No value is given for {listed(missing)}: {DEFAULT:g} is taken." if missing else ""
    remark += f" No leaf is called {listed(unknown)}: ignored." if unknown else ""
    return [given.get(name, DEFAULT) for name in wanted], remark


# ------------------------------------------------------------------------------------------------------------- the run


def run(p: Params) -> Iterator[State]:
    """Forward and backward, a node a state; then further calls of backward() and gradient steps, a state each."""
    try:
        tape = parse(p.expression)
        at, remark = read_values(p.values, tape)
    except Mistake as wrong:
        yield State(None, None, None, 0, 0, 0, str(wrong))
        return
    given = iter(at)
    values = [None if node.inputs else next(given) if node.op == "leaf" else node.constant for node in tape]
    visits: list[Visit] = []  # of the sweep that is shown
    yield look(p, tape, values, visits, opening(tape, values) + remark)
    for i, node in enumerate(tape):
        if node.inputs:
            y = evaluate(tape, i, values)
            if not finite(y):
                yield look(p, tape, values, visits, "Forward, " + broken(tape, values, i), focus=i)
                return
            values[i] = y
            yield look(p, tape, values, visits, forward_note(tape, values, i), focus=i)
    for visit in backward(tape, values, p.order, p.fork):
        if not finite(*(g for arrived in visit.arrived for g in arrived)):
            note = "Backward, " + broken(tape, values, visit.node, "the slope of ")
            yield look(p, tape, values, visits, note, focus=visit.node)
            return
        visits.append(visit)
        yield look(p, tape, values, visits, backward_note(p, tape, visits), focus=visit.node)
    g = grad = gradient_of(tape, visits, p.fork)
    yield look(p, tape, values, visits, summary(p, tape, values, visits), sweeps=1)

    for call in range(2, p.backwards + p.steps + 1):
        before, step = grad, call - p.backwards
        note = ""
        if step > 0:
            moved = [x - p.rate * slope for x, slope in zip(at, grad, strict=True)]
            note = f"Step {step}: {equations(tape, at, f'− {p.rate:g} ·', grad, moved)}"
            new = forward(tape, moved)
            visits = list(backward(tape, new, p.order, p.fork))
            g = gradient_of(tape, visits, p.fork)
            if not finite(*new, *g):
                note += ". There a value or a slope is not a finite number: the run diverges. Lower η."
                yield look(p, tape, values, [], note, grad, sweeps=call - 1)
                return
            note += f"; {tape[-1].name} goes from {number(values[-1])} to {number(new[-1])}. "
            at, values = moved, new
        grad = g if p.zero_grad else [a + b for a, b in zip(grad, g, strict=True)]
        note += call_note(p, tape, call, before, g, grad) if step <= 0 or not p.zero_grad else ""
        yield look(p, tape, values, visits, note.strip(), grad, sweeps=call)


def look(p: Params, tape: Tape, values: list, visits: list[Visit], note: str, grad: Sequence[float] = (),
         sweeps: int = 0, focus: int | None = None) -> State:  # fmt: skip
    """A state. grad: what the leaves' .grad holds, where that is not what the sweep shown has brought."""
    gradients: list[float | None] = [None] * len(tape)
    if visits:
        gradients = [COMBINE[p.fork](arrived) if arrived else None for arrived in visits[-1].arrived]
    for i, g in zip(leaves(tape), grad, strict=False):
        gradients[i] = g
    own = [gradients[i] or 0.0 for i in leaves(tape)]
    measured = central_differences(tape, tuple(values[i] for i in leaves(tape)))
    error = max((abs(g - m) for g, m in zip(own, measured, strict=True) if math.isfinite(m)), default=0.0)
    kept = {j for i, node in enumerate(tape) if node.inputs and values[i] is not None for j in keeps(tape, i)}
    slopes = tuple((visit.node, k, visit.slopes[k]) for visit in visits for k in visit.served)
    first = gradients[leaves(tape)[0]]
    return State(values[-1], first, error if visits else None, len(kept), sweeps, 2 * len(own), note, tuple(values),
                 tuple(gradients), slopes, tuple(sorted(kept)), measured, focus)  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- words


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


def in_numbers(tape: Tape, values: Sequence[float], i: int) -> str:
    """An operation on the values of its inputs: −2 + 5."""
    op, plain = tape[i].op, tape[i].op not in ("**", "neg")
    return written(op, [(number if plain and k == 0 else factor)(values[j]) for k, j in enumerate(tape[i].inputs)])


def slopes_of(tape: Tape, gradient: Sequence[float]) -> str:
    """∂f/∂x = −4 and ∂f/∂y = 3."""
    f = tape[-1].name
    return listed([f"∂{f}/∂{tape[i].name} = {number(g)}" for i, g in zip(leaves(tape), gradient, strict=True)])


def equations(tape: Tape, old: Sequence[float], sign: str, by: Sequence[float], new: Sequence[float], dot="") -> str:
    """x = 3 − 0.1 · 6 = 2.4 for every leaf."""
    rows = zip(leaves(tape), old, by, new, strict=True)
    return listed([f"{tape[i].name}{dot} = {number(a)} {sign} {factor(b)} = {number(c)}" for i, a, b, c in rows], 4)


def at_kink(tape: Tape, values: Sequence[float], i: int) -> bool:
    return tape[i].op == "relu" and values[tape[i].inputs[0]] == 0


def uses(tape: Tape, i: int) -> int:
    """How many gradients come back to a node."""
    return sum(node.inputs.count(i) for node in tape) + (i == len(tape) - 1)


def together(p: Params, name: str, arrived: Sequence[float]) -> str:
    """What becomes of several gradients that have come back to one node: x: 1 + 5 + 5 = 11."""
    terms = " + ".join((factor if n else number)(g) for n, g in enumerate(arrived))
    last = f"the last of {listed([number(g) for g in arrived])}"
    how = {"sum": terms, "mean": f"({terms}) / {len(arrived)}", "overwrite": last}
    return f"{name}: {how[p.fork]} = {number(COMBINE[p.fork](arrived))}"


def opening(tape: Tape, values: Sequence[float | None]) -> str:
    given = listed([f"{tape[i].name} = {number(values[i])}" for i in leaves(tape)], 9)
    operations = counted(sum(bool(node.inputs) for node in tape), "operation")
    return f"Given: {given}. The forward pass computes {operations}, inputs before what uses them."


def forward_note(tape: Tape, values: Sequence[float], i: int) -> str:
    kept = [f"{tape[j].name} = {number(values[j])}" for j in sorted(keeps(tape, i))]
    text = "Nothing is kept for the backward pass: the local slopes are the same everywhere."
    if kept:
        text = f"Kept for the backward pass, because the local slopes depend on it: {listed(kept)}."
    kink = " At 0 relu has no slope; the backward pass takes 0, as PyTorch does." if at_kink(tape, values, i) else ""
    return f"Forward, {formula(tape, i)}: {in_numbers(tape, values, i)} = {number(values[i])}. {text}{kink}"


def broken(tape: Tape, values: Sequence[float], i: int, what: str = "") -> str:
    text = f"{formula(tape, i)}: {what}{in_numbers(tape, values, i)} is not a finite number, and the run ends here"
    return f"{text}. Change a value or the expression."


def backward_note(p: Params, tape: Tape, visits: list[Visit]) -> str:
    i, served, slopes, upstream, arrived = visits[-1]
    if not served:
        return f"Backward starts at the output: ∂{tape[i].name}/∂{tape[i].name} = 1."
    inputs, texts = [tape[i].inputs[k] for k in served], []
    for j, slope in zip(inputs, (slopes[k] for k in served), strict=True):
        late = " (too late: it was visited before)" if any(v.node == j and v.served for v in visits[:-1]) else ""
        texts.append(
            f"{tape[j].name} gets {number(upstream)} · {factor(slope)} = {number(upstream * slope + 0.0)}{late}"
        )
    early = f", only {had} of {counted(uses(tape, i), 'gradient')} so far: too early" if (
        had := len(visits[-2].arrived[i])) < uses(tape, i) else ""  # fmt: skip
    forks = [together(p, tape[j].name, arrived[j]) for j in dict.fromkeys(inputs) if len(arrived[j]) > 1]
    text = f"Backward, {formula(tape, i)}: upstream {number(upstream)}{early}; {listed(texts)}."
    return text + (f" Together {'; '.join(forks)}." if forks else "")


def summary(p: Params, tape: Tape, values: Sequence[float], visits: list[Visit]) -> str:
    """After the first sweep: the gradient, what central differences say to it, and what either costs."""
    g, arrived = gradient_of(tape, visits, p.fork), visits[-1].arrived
    measured = central_differences(tape, tuple(values[i] for i in leaves(tape)))
    text = f"1 backward sweep: {slopes_of(tape, g)}"
    if any(at_kink(tape, values, i) for i in range(len(tape))):
        return f"{text}. A relu is at 0, where it has no slope: 0 is a convention."
    forked = [i for i in range(len(tape)) if len(arrived[i]) > 1]
    if not finite(measured):
        return f"{text}. Central differences find no value on one side: a leaf is at the edge of a domain."
    if all(abs(a - b) < 1e-5 * max(1, abs(b)) for a, b in zip(g, measured, strict=True)):
        text += f" ({'; '.join(together(p, tape[i].name, arrived[i]) for i in forked[:2])})" if forked else ""
        if len(visits) > 2 and all(len(visit.served) == 1 for visit in visits[1:]):  # one path only
            text += f", the product {' · '.join(factor(v.slopes[v.served[0]]) for v in visits[1:])} of the local slopes"
        return f"{text}. Central differences measure the same with {2 * len(g)} forward passes, 2 for each leaf."
    for before, visit in pairwise(visits):
        if (had := len(before.arrived[i := visit.node])) < uses(tape, i):
            why = f"{tape[i].name} was visited when {had} of {counted(uses(tape, i), 'gradient')} had arrived"
            break
    else:
        if p.fork == "sum":
            return f"{text}. Central differences measure {slopes_of(tape, measured)}: too coarse for so sharp a bend."
        why = f"what comes back to {tape[forked[0]].name} has to be summed"
    return f"{text}. Wrong: central differences measure {slopes_of(tape, measured)}; {why}."


def call_note(p: Params, tape: Tape, call: int, before: Sequence[float], g: Sequence[float], grad: list[float]) -> str:
    if p.zero_grad:
        zeros = [0.0] * len(g)
        return f"Call {call}: zero_grad(), then backward(): {equations(tape, zeros, '+', g, grad, '.grad')}."
    sums = equations(tape, before, "+", g, grad, ".grad")
    graph = " PyTorch allows it if the call before had retain_graph=True." if call <= p.backwards else ""
    return f"Call {call} of backward() does not overwrite, it adds: {sums}.{graph}"


# ------------------------------------------------------------------------------------------------------------- drawing


@lru_cache(maxsize=64)
def plan(tape: Tape) -> tuple[dict, dict, int, float]:
    """Where everything stands, as (place in the layer, counted from its middle; minus the layer).

    By node; by edge (node, which of its inputs) as a route from the input on; number of layers; places of the widest.
    The layer is given by the longest path to the output; an edge that passes by a layer has a place of its own there.
    """
    far = {len(tape) - 1: 0}
    for i in reversed(range(len(tape))):
        for j in (tape[i].inputs[k] for k in edges(tape, i)):
            far[j] = max(far.get(j, 0), far[i] + 1)
    last = max(far.values())
    rows: list[list] = [[i for i in sorted(far) if last - far[i] == n] for n in range(last + 1)]
    routes: dict = {}
    for i in sorted(far):
        for k in edges(tape, i):
            j = tape[i].inputs[k]
            between = [(i, k, n) for n in range(last - far[j] + 1, last - far[i])]
            routes[i, k] = [j, *between, i]
            for one in between:
                rows[one[2]].append(one)
    near: dict = {one: ([], []) for row in rows for one in row}  # neighbours above and below
    for a, b in (link for route in routes.values() for link in pairwise(route)):
        near[a][1].append(b)
        near[b][0].append(a)
    place: dict = {}

    def settle(row: list) -> float:
        """Put a layer's nodes and the edges that pass it beside each other; its width."""
        ends = np.cumsum([0.0] + [1.0 if isinstance(one, int) else 0.4 for one in row])
        place.update(zip(row, ((ends[:-1] + ends[1:] - ends[-1]) / 2).tolist(), strict=True))
        return float(ends[-1])

    breadth = max(map(settle, rows))
    for sweep in range(8):  # a layer is ordered by the means of its neighbours' places, down and up in turns
        for row in rows[:: -1 if sweep % 2 else 1]:
            row.sort(key=lambda one: np.mean([place[o] for o in near[one][sweep % 2]] or [place[one]]))
            settle(row)
    spot = {one: (place[one], -n) for n, row in enumerate(rows) for one in row}
    ways = {edge: [spot[one] for one in route] for edge, route in routes.items()}
    return {i: spot[i] for i in far}, ways, last + 1, max(3.4, breadth)  # few places: not too far apart


BOX, ROW, WIDE = 56, 92, 300  # px: height of a box, from layer to layer, width of the graph on a phone


PRESETS = (
    works("A value used twice", "The slopes of all three paths back to x add up: 5 + 5 + 1.", {"gradient": "== 11"},
          expression="x*x + x", values="x=5"),
    works("A net of one unit", "One sweep gives the slopes of all five leaves, with the four values that were kept.",
          {"gradient_error": "<= 1e-6", "kept_values": "== 4"}, expression="h = tanh(w*x + b); y = v*h + c",
          values="w=0.5, x=2, b=-0.3, v=1.5, c=0.2"),
    fails("Wrong order", "Node b is passed on before its second path has arrived, so half of the gradient is lost.",
          {"gradient_error": ">= 1"}, expression="b = a + a; c = b + b", values="a=1", order="depth-first"),
    fails("Nobody zeroes", "Two calls of backward() without zeroing leave twice the slope in .grad.",
          {"gradient": "== 12"}, expression="w**2", values="w=3", backwards=2, zero_grad=False),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The graph; the curve with its tangent, or the gradient of each leaf; the output by gradient step."""
    state = states[now]
    if not state.values:
        return figure(160, Panel((0, 1, 0, 1), 120, "No graph yet: the note says what to change", bare=True))
    tape = parse(p.expression)
    _, _, layers, breadth = plan(tape)
    tall = max(520 if p.steps else 300, ROW * layers)
    title = f"<b>name</b>, {tinted(BLUE, 'value')}, {tinted(ORANGE, 'gradient')}; {tinted(BLUE, '●')} kept for backward"
    ranges = {"range": [-breadth / 2, breadth / 2]}, {"range": [0.5 - layers, 0.5]}
    place = (0.66, 1, 1 - (220 if p.steps else min(tall, 330)) / tall, 1)
    check, trace, shapes = (tangent if len(leaves(tape)) == 1 else bars)(tape, states, state, place)
    panels = [Panel((0, 0.58, 1 - ROW * layers / tall, 1), ROW * layers, title, *ranges, bare=True), check]
    traces, steps = [trace], {max(0, s.sweeps - p.backwards): s.output for s in states if s.sweeps}
    if p.steps:
        x = {"range": [-0.05 * p.steps, 1.05 * p.steps], "nticks": 6, "title": "step"}
        place = (0.66, 1, 1 - 510 / tall, 1 - 300 / tall)
        panels.append(Panel(place, 190, f"{tape[-1].name} by gradient step", x, {"range": room(steps.values())}))
        traces.append(lines(3, [*steps], [*steps.values()], "output", BLUE, mode="lines+markers"))
        shapes += [dot(3, max(0, state.sweeps - p.backwards), state.output, INK)] if state.sweeps else []
    fig = figure(68 + tall, *panels)
    trace, ways_and_boxes = graph(tape, state)
    fig["data"] += [trace, *traces]
    fig["layout"]["shapes"] += ways_and_boxes + shapes
    names, subs = [tape[i].name for i in state.kept], [number(state.values[i]) for i in state.kept]
    used = keeps(tape, state.focus) if state.slopes and state.focus is not None else ()
    marks = [n for n, i in enumerate(state.kept) if i in used]
    row = (names, [0] * len(names), subs, marks) if names else (["nothing"],)
    fig["chips"] = [chips("Kept for the backward pass", *row)]
    return fig


def tinted(colour: str, text: str) -> str:
    return f'<span style="color:{colour}">{text}</span>'


def room(values: Iterable[float | None]) -> list[float]:
    """An axis range around those of the values that are finite."""
    values = [v for v in values if v is not None and math.isfinite(v)] or [0.0]
    margin = 0.12 * (max(values) - min(values)) or max(1.0, 0.1 * abs(values[0]))
    return [short(min(values) - margin), short(max(values) + margin)]


def heading(tape: Tape, i: int) -> str:
    """What a box is called: x, u₁: +, u₂: 3 ×."""
    op, inputs, name, _ = tape[i]
    sign = {"-": "−", "neg": "−", "*": "×", "/": "÷", "sigmoid": "σ"}.get(op, op)
    texts = ["" if tape[j].op != "number" else number(tape[j].constant) for j in inputs]
    return f"{name}: {f' {sign} '.join(texts).strip() if op in BINARY else sign}" if inputs else name


def graph(tape: Tape, state: State) -> tuple[dict, list[dict]]:
    """The trace that writes into the boxes and onto the edges, and both of these as shapes."""
    spots, routes, _, breadth = plan(tape)
    wide, size = min(84, WIDE / breadth - 8), 12 if breadth < 6 else 9  # px
    slopes = {(i, k): slope for i, k, slope in state.slopes}
    back = state.gradients[-1] is not None
    below = axes(1, "ref") | {"layer": "below"}

    def pixels(x: float, y: float, width: float, height: float, fill: str, **more) -> dict:
        size = {"xsizemode": "pixel", "ysizemode": "pixel", "x0": -width / 2, "x1": width / 2, "y0": -height / 2}
        at = {"type": "rect", "xanchor": short(x), "yanchor": short(y), "y1": height / 2, "fillcolor": fill}
        return at | size | below | {"line": {"width": 0}} | more

    ways, boxes, written_in = [], [], []  # the last: x, y, text, text on hover
    for (i, k), route in routes.items():
        j, slope = tape[i].inputs[k], slopes.get((i, k))
        twins = [m for m in edges(tape, i) if tape[i].inputs[m] == j]
        bow = 0.9 * (twins.index(k) - (len(twins) - 1) / 2) if len(route) == 2 else 0.0  # two edges of two nodes
        path = f"M{route[0][0]:.5g},{route[0][1]}"
        for (x0, y0), (x1, y1) in pairwise(route):
            path += f"C{x0 + bow:.5g},{(y0 + y1) / 2} {x1 + bow:.5g},{(y0 + y1) / 2} {x1:.5g},{y1}"
        colour = ORANGE if slope is not None else BLUE if i == state.focus and not back else MUTED
        line = {"color": colour, "width": 1.2 if colour == MUTED else 2.5}
        ways.append({"type": "path", "path": path, "line": line, "fillcolor": "rgba(0,0,0,0)"} | below)
        x, y = (x0 + x1) / 2 + 0.75 * bow, (y0 + y1) / 2
        text = "" if slope is None else f"×{number(slope + 0.0)}"
        written_in.append((x, y, tinted(ORANGE, text), f"local slope ∂{tape[i].name}/∂{tape[j].name}"))
        if text:
            boxes.append(pixels(x, y, 7 * len(text) + 2, 15, PAPER))
    for i, (x, y) in spots.items():
        value, gradient = state.values[i], state.gradients[i]
        line = {"color": ORANGE if back else BLUE, "width": 4} if i == state.focus else {"color": MUTED, "width": 1}
        boxes.append(pixels(x, y, wide, BOX, PAPER, line=line))
        if i in state.kept:
            at = {"x0": wide / 2 - 12, "x1": wide / 2 - 3, "y0": BOX / 2 - 12, "y1": BOX / 2 - 3}
            boxes.append(pixels(x, y, 0, 0, BLUE, type="circle", **at))
        rows = [f"<b>{heading(tape, i)}</b>", " " if value is None else tinted(BLUE, number(value))]
        rows.append(" " if gradient is None else tinted(ORANGE, number(gradient + 0.0)))
        written_in.append((x, y, "<br>".join(rows), formula(tape, i)))
    x, y, texts, hover = zip(*written_in, strict=True)
    trace = {"type": "scatter", "mode": "text", "x": x, "y": y, "text": texts, "hovertext": hover, "hoverinfo": "text"}
    return trace | {"name": "graph", "textfont": {"color": INK, "size": size}} | axes(1), ways + boxes


@lru_cache(maxsize=64)
def curve(tape: Tape, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """f between two values of its only leaf; nan where it has none."""
    x = np.linspace(low, high, 161)
    return x, np.array([y if finite(y) else math.nan for y in (forward(tape, [v])[-1] for v in x.tolist())])


def tangent(tape: Tape, states: Sequence[State], state: State, place: tuple) -> tuple[Panel, dict, list[dict]]:
    """Of a single leaf: the curve, and lines with the slope in .grad and with that of central differences."""
    (i,) = leaves(tape)
    at = [s.values[i] for s in states]
    margin = max(1.5, 0.4 * (max(at) - min(at)), 0.2 * max(map(abs, at)))
    x, y = curve(tape, min(at) - margin, max(at) + margin)
    shapes, (u, v, slope, measured) = [], (state.values[i], state.values[-1], state.gradients[i], state.measured[0])
    if slope is not None and math.isfinite(measured):
        for g, share, colour, dash in ((measured, 0.45, INK, "dot"), (slope, 0.25, ORANGE, "solid")):
            far = share * (x[-1] - x[0])
            one = segment(2, (u - far, v - far * g), (u + far, v + far * g), colour)
            shapes.append(one | {"line": {"color": colour, "width": 3, "dash": dash}})
    if v is not None:
        shapes.append(dot(2, u, v, INK, 11))
    near = (x > min(at) - 0.6 * margin) & (x < max(at) + 0.6 * margin)
    heights = [*y[near].tolist(), *(s.values[-1] for s in states)]
    title = f"{tinted(BLUE, tape[-1].name)}, {tinted(ORANGE, '.grad')}, ┄ central differences"
    x_axis = {"range": [short(x[0]), short(x[-1])], "nticks": 6, "title": tape[i].name}
    return Panel(place, 210, title, x_axis, {"range": room(heights)}), lines(2, x, y, "f", BLUE), shapes


def bars(tape: Tape, states: Sequence[State], state: State, place: tuple) -> tuple[Panel, dict, list[dict]]:
    """Of several leaves: a bar per .grad, and a line where central differences say that it should end."""
    shapes, texts, seen = [], [], [0.0, *(g for s in states for g in s.measured)]
    for n, (i, measured) in enumerate(zip(leaves(tape), state.measured, strict=True)):
        seen += [s.gradients[i] for s in states]
        if (gradient := state.gradients[i]) is not None:
            shapes.append(box(2, (n - 0.3, n + 0.3), (0, gradient), ORANGE, 1, ORANGE, opacity=0.75))
        shapes += [segment(2, (n - 0.42, measured), (n + 0.42, measured), INK)] if math.isfinite(measured) else []
        texts.append(f"{tape[i].name}: .grad {number(gradient or 0.0)}, measured {number(measured)}")
    names = [tape[i].name for i in leaves(tape)]
    hover = {"type": "scatter", "mode": "markers", "x": [*range(len(names))], "y": [0.0] * len(names), "name": "leaves"}
    hover |= {"hovertext": texts, "hoverinfo": "text", "marker": {"size": 20, "opacity": 0, "color": INK}}
    x = {"range": [-0.6, len(names) - 0.4], "tickvals": hover["x"], "ticktext": names}
    y = {"range": room(seen), "nticks": 6, "zeroline": True, "zerolinecolor": MUTED}
    title = f"{tinted(ORANGE, '.grad')}, ━ central differences"
    return Panel(place, 210, title, x, y), hover | axes(2), shapes
