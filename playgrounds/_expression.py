"""What a reader types, as a tape of operations: Python's own grammar reads it, nothing of it is executed."""

import ast
import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from playgrounds.kit.params import shown
from playgrounds.kit.training import finite

MOST, LONGEST = 24, 7  # nodes of a graph, letters of a name
DEFAULT = 2.0  # of a leaf that is given no value


class Node(NamedTuple):
    op: str  # + - * / ** neg, the name of a function, "leaf", or "number"
    inputs: tuple[int, ...] = ()  # entries of the tape
    name: str = ""
    constant: float = 0.0  # of a number


Tape = tuple[Node, ...]  # in topological order: inputs before what uses them; the last entry is the output


def leaves(tape: Sequence[Node]) -> list[int]:
    return [i for i, node in enumerate(tape) if node.op == "leaf"]


class Mistake(ValueError):
    """What is wrong with a text, where, and what to do: a sentence for the reader."""


# ------------------------------------------------------------------------------------------------------ an expression

MEANT = str.maketrans("−·×÷\n", "-**/ ")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
ODD = r"[^\w\s.+\-*/()=;]|[²³]|(?<![\w.])(?>\.?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?)[^\W\d]"  # the last: 2x
INSTEAD = {"^": "write a power as x**2", "²": "write a power as x**2", ",": "put ; between statements"}
SYNTAX = {  # what Python says of a text it cannot read, and what helps
    "never closed": "this bracket is never closed; write ) where it ends",
    "unmatched": "this bracket closes none; take it out",
    "literal": "write a product as 2*x, with its sign",
    "": "something is missing before this: a number, a name, a bracket, or a sign as in 2*x",
}


def parse(text: str, functions: Sequence[str], compute: Callable[[str, list[float]], float]) -> Tape:
    """The tape of all that the last statement of the text depends on.

    functions: the names that may be called. compute(op, inputs): the value of an operation on numbers.
    Raises Mistake.
    """
    writer = Writer(text, functions, compute)
    output = 0
    for statement in writer.statements():
        output = writer.add_statement(statement)
    if not leaves(writer.tape):
        writer.refuse(0, "there is no name in it, nothing to differentiate by; write (x + y) * z, say")
    tape = writer.upto(output)
    if not leaves(tape):
        writer.refuse(0, "the last statement does not depend on any leaf; use one in it")
    size = sum(node.op != "number" for node in tape)
    if size > MOST:
        writer.refuse(0, f"the graph would have {size} nodes, up to {MOST} can be drawn; shorten it")
    return tape


class Writer:
    """Writes the operations of a text down one by one."""

    def __init__(self, text: str, functions: Sequence[str], compute: Callable[[str, list[float]], float]):
        self.source = text.translate(MEANT).rstrip()
        self.start = len(self.source) - len(self.source.lstrip())
        self.functions, self.compute = functions, compute
        self.tape: list[Node] = []
        self.names: dict[str, int] = {}  # of leaves and of results: their place on the tape

    def refuse(self, where: int | ast.stmt | ast.expr, said: str) -> NoReturn:
        if not isinstance(where, int):
            before = self.source[self.start :].encode()[: where.col_offset]  # Python counts bytes
            where = self.start + len(before.decode())
        raise Mistake(f"Character {where + 1}: {said}.")

    def statements(self) -> list[ast.stmt]:
        """The text by Python's grammar."""
        if odd := re.search(ODD, self.source):
            instead = INSTEAD.get(odd[0], "take it out" if len(odd[0]) == 1 else "write 2*x")
            self.refuse(odd.start(), f"“{odd[0]}” cannot stand here; {instead}")
        try:
            return ast.parse(self.source[self.start :]).body
        except SyntaxError as error:
            hint = next(hint for part, hint in SYNTAX.items() if part in error.msg)
            self.refuse(self.start + (error.offset or 1) - 1, hint)

    def add_statement(self, statement: ast.stmt) -> int:
        """x + y, or b = x + y; its result's place on the tape."""
        match statement:
            case ast.Expr(value=part):
                return self.add(part)
            case ast.Assign(targets=[ast.Name(id=name)], value=part):
                result = self.add(part)
                if name in self.names or name in self.functions or len(name) > LONGEST:
                    self.refuse(statement, f"{shown(name, 12)} is taken or too long; give this result another name")
                self.names[name] = result
                return result
            case _:
                self.refuse(statement, "before = there has to be one new name, as in b = a + a")

    def add(self, part: ast.expr) -> int:
        """An expression with all that is in it; its place on the tape."""
        match part:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.write(part, Node("number", constant=float(value)))
            case ast.Name(id="pi"):
                return self.write(part, Node("number", constant=math.pi))
            case ast.Name(id=name):
                return self.add_name(part, name)
            case ast.UnaryOp(op=ast.USub(), operand=a):
                return self.write(part, Node("neg", (self.add(a),)))
            case ast.BinOp(left=a, op=sign, right=b) if type(sign) in SIGNS:
                return self.write(part, Node(SIGNS[type(sign)], (self.add(a), self.add(b))))
            case ast.Call(func=ast.Name(id=name), args=[a], keywords=[]) if name in self.functions:
                return self.write(part, Node(name, (self.add(a),)))
            case ast.Call(func=ast.Name(id=name)) if name not in self.functions:
                known = ", ".join(self.functions)
                self.refuse(part, f"no function is called {shown(name, 12)}; there are {known}; a product is 2*x")
            case _:
                self.refuse(part, "this is no number, name, + - * / ** or sin(x); write a product as 2*x")

    def add_name(self, part: ast.expr, name: str) -> int:
        if name in self.functions:
            self.refuse(part, f"{name} needs brackets; write {name}(x)")
        if len(name) > LONGEST:
            self.refuse(part, f"the name {shown(name, 12)} is too long; use up to {LONGEST} letters")
        if name not in self.names:
            self.names[name] = self.write(part, Node("leaf", name=name))
        return self.names[name]

    def write(self, part: ast.expr, node: Node) -> int:
        """Put a node on the tape; an operation on numbers alone is done at once."""
        if node.inputs and all(self.tape[j].op == "number" for j in node.inputs):
            numbers = [self.tape[j].constant for j in node.inputs]
            node = Node("number", constant=self.compute(node.op, numbers))
        if not finite(node.constant):
            self.refuse(part, "this is not a finite number; change it")
        self.tape.append(node)
        return len(self.tape) - 1

    def upto(self, output: int) -> Tape:
        """What the output depends on, with a name for every node that is no number."""
        needed = {output}
        for i in range(output, -1, -1):
            if i in needed:
                needed |= set(self.tape[i].inputs)
        place = {old: new for new, old in enumerate(sorted(needed))}
        own = {output: "f" if "f" not in self.names else "out"}
        own |= {i: name for name, i in reversed(self.names.items())}
        unnamed = 0
        tape = []
        for old in place:
            op, inputs, _, constant = self.tape[old]
            name = "" if op == "number" else own.get(old, "")
            if not name and op != "number":
                unnamed += 1
                name = f"u{unnamed}".translate(LOWERED)
            tape.append(Node(op, tuple(place[j] for j in inputs), name, constant))
        return tuple(tape)


# ----------------------------------------------------------------------------------------------------- values of leaves


class Given(NamedTuple):
    values: list[float]  # of the leaves, in the order of the tape
    missing: list[str]  # leaves that were given none: they have DEFAULT
    unknown: list[str]  # names that no leaf has


def read_values(text: str, tape: Tape) -> Given:
    """The values of the leaves from a text like x=-2, y=5. Raises Mistake."""
    given = {}
    for part in re.finditer(r"[^,;\s][^,;\n]*", text):
        match = re.fullmatch(r"(\w+)\s*=\s*([-+]?[0-9.]+([eE][-+]?[0-9]+)?)\s*", part[0].replace("−", "-"))
        value = as_float(match[2]) if match else math.nan
        if not finite(value):
            said = f"“{shown(part[0].strip(), 20)}” gives no leaf a number; write it as x=1.5, and a comma between two"
            raise Mistake(f"Values, character {part.start() + 1}: {said}.")
        given[match[1]] = value
    wanted = [tape[i].name for i in leaves(tape)]
    return Given(
        values=[given.get(name, DEFAULT) for name in wanted],
        missing=[name for name in wanted if name not in given],
        unknown=[name for name in given if name not in wanted],
    )


def as_float(text: str) -> float:
    """nan where the text is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
