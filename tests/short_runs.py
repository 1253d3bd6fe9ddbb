"""Short runs of a playground in which every knob differs, for the tests that look at all playgrounds."""

import ast
import copy
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import Any, NamedTuple

import numpy as np

from playgrounds.kit import Params
from playgrounds.kit.catalogue import Playground
from tests import toy
from tests.toy import model, picture

TOY = Playground("toy", model, picture, str(toy.__doc__).strip(), "1")
SLOW = {  # tested at fewer settings: seconds a run
    *("generalization", "residual", "transfer", "cnn", "char_transformer", "masked_pairs", "masked_text"),
    *("memory_length", "recurrent", "seq2seq"),
}
PAIRED = 8  # settings of two choices each in the usual tests; `make check` tries all
SHORT = 21  # states of a run that a test makes, where the knobs allow it
ODD_TEXTS = ('it\'s "quoted" \\ and\nbroken 👩‍💻', "\"\"\"triple\"\"\" '''and''' {braces} %s")
DRAWN = ("0123456789abcdef", "")  # repeated until a sheet is full
TYPED_ROWS = ("1,-2", "0.5,0,3")  # of a matrix, cut or repeated to a legal shape
PASTED = ("0.5,-0.5,0\n-0.5,0.5,1\n0.2,0.9,0\n-0.7,-0.6,1", "0,0,0")


class Played(NamedTuple):
    """A run as it was kept, and a copy of every state taken when it was yielded."""

    params: Params
    states: list[Any]
    as_yielded: list[Any]


def play(playground: Playground, params: Params) -> Played:
    states, copies = [], []
    for state in playground.run(params):
        if state is None:  # nothing to see yet
            continue
        states.append(state)
        copies.append(copy.deepcopy(state))
    return Played(params, states, copies)


def lengths(kind: type[Params]) -> list[str]:
    """The knobs that make a run longer."""
    default = kind()
    return [
        name
        for name, one in kind.knobs().items()
        if one.kind == "int" and default.length and (kind(**{name: one.lo}).length or 0) < default.length
    ]


def shortened(kind: type[Params], **values: Any) -> Params:
    """Params with these values, of a run of up to SHORT states if there are knobs that can make it so short."""
    for name in lengths(kind):
        one = kind.knobs()[name]
        value = values.get(name, one.default)
        while value > one.lo and kind(**values | {name: value}).length > SHORT:
            value = max(one.lo, value // 2)
        values[name] = value
    return kind(**values)


def three(kind: type[Params]) -> list[Params]:
    """Short runs in which every choice and switch differs: at the defaults, at the choices after them, before them."""
    knobs = kind.knobs()
    found = [shortened(kind)]
    for number, text in enumerate(ODD_TEXTS):
        values: dict[str, Any] = {}
        for name, one in knobs.items():
            if one.kind == "choice":
                at = one.choices.index(one.default) + (1, -1)[number]
                values[name] = one.choices[at % len(one.choices)]
            elif one.kind == "choices":
                values[name] = (one.choices, one.choices[-1:])[number]
            elif one.kind == "toggle" and number == 0:
                values[name] = not one.default
            elif one.kind == "drawing":
                values[name] = (DRAWN[number] * one.hi**2)[: one.hi**2]
            elif one.kind == "matrix":
                side = max(one.lo or 1, min(one.hi, 2 + number))
                values[name] = ";".join([",".join((TYPED_ROWS[number].split(",") * side)[:side])] * side)
            elif one.kind == "points":
                values[name] = PASTED[number]
            elif one.kind == "text":
                values[name] = text[: one.hi].ljust(one.lo or 0, ".")
            elif name == "seed":
                values[name] = number
        found.append(shortened(kind, **values))
    return found


def chosen(kind: type[Params]) -> dict[str, list[Any]]:
    """The knobs that are no numbers and no texts, with all they can be."""
    found: dict[str, list[Any]] = {}
    for name, one in kind.knobs().items():
        values = {"choice": [*one.choices], "choices": [(c,) for c in one.choices], "toggle": [False, True]}
        if one.kind in values:
            found[name] = values[one.kind]
    return found


def pairs(kind: type[Params]) -> Iterator[dict[str, Any]]:
    """Settings of the choices in which every two values of any two of them stand together once: a covering array, made
    greedily; with fewer than two choices, each value alone."""
    values = chosen(kind)
    if len(values) < 2:
        yield from ({name: value} for name, several in values.items() for value in several)
        return
    left = {
        ((a, i), (b, j))
        for a, b in combinations(values, 2)
        for i in range(len(values[a]))
        for j in range(len(values[b]))
    }
    while left:
        setting: dict[str, int] = dict(min(left))
        for name in values:
            if name not in setting:
                setting[name] = max(range(len(values[name])), key=lambda i: _covered(left, setting | {name: i}))
        left -= {pair for pair in left if all(setting[name] == i for name, i in pair)}
        yield {name: values[name][i] for name, i in setting.items()}


def _covered(left: set[Any], setting: dict[str, int]) -> int:
    return sum(all(setting.get(name) == i for name, i in pair) for pair in left)


def settings(kind: type[Params], paired: int = PAIRED) -> Iterator[Params]:
    """Short runs: those of `three`, all numbers at their lower and at their upper bounds, and so many settings in which
    choices are paired."""
    yield from three(kind)
    knobs = kind.knobs()
    for values in islice(pairs(kind), paired):
        yield shortened(kind, **values)
    for number in ("int", "float"):
        free = [one for one in knobs.values() if one.kind == number and one.name not in lengths(kind)]
        yield shortened(kind, **{one.name: one.lo for one in free})
        yield shortened(kind, **{one.name: one.hi for one in free})


def identical(a: Any, b: Any) -> bool:
    """Equal to the last bit, nan included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return identical(list(a.items()), list(b.items()))
    return bool(a == b)


def some(states: Sequence[Any]) -> list[int]:
    """The first, the middle and the last step."""
    return sorted({0, len(states) // 2, len(states) - 1})


def imported(source: str) -> Iterator[str]:
    """Every module that a source imports, wherever in it, as `package.module.name`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)
