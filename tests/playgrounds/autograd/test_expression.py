"""What a reader may type, and what a mistake in it is answered with."""

import re

import pytest

from playgrounds.autograd.model import Params, State, run
from playgrounds.autograd.picture import draw, note
from playgrounds.kit.metrics import metrics


def states(expression: str, values: str = "", **more) -> list[State]:
    return list(run(Params(expression=expression, values=values, **more)))


def last(expression: str, values: str = "", **more) -> State:
    return states(expression, values, **more)[-1]


def notes(expression: str, values: str = "", **more) -> list[str]:
    p = Params(expression=expression, values=values, **more)
    told = list(run(p))
    return [note(p, told, now) for now in range(len(told))]


WRONG = {  # text: character that is named, and what the message says to do
    "x^2": (2, "x**2"), "x²": (2, "x**2"), "2x": (1, "2*x"), "x y": (3, "missing"), "x +": (4, "missing"),
    "(x + y": (1, "never closed"), "x + y)": (6, "closes none"), "sin x": (5, "bracket"), "x + sin": (5, "sin(x)"),
    "y*foo(x)": (3, "no function is called foo"), "x*(y)(z)": (3, "2*x"), "é + $": (5, "take it out"),
    "é*foo(x)": (3, "no function"), "a = b = c": (1, "one new name"), "x = 1; x = 2*y": (8, "another name"),
    "x + y; x = 2": (8, "another name"), "sin = x": (1, "another name"), "": (1, "no name"), "3*4": (1, "no name"),
    "a = x; 3": (1, "does not depend"), "x/(1-1)*0": None, "x + 1/0": (5, "finite"), "1e999*x": (1, "finite"),
    "verylongname + 1": (1, "too long"), "+".join("abcdefghijklmnop"): (1, "31 nodes"), "x, y": (2, ";"),
    "x if y": (1, "missing"), "lambda: x": (7, "take it out"), "x[0]": (2, "take it out"), "   x^2": (5, "x**2"),
    "__import__('os').system('x')": (12, "take it out"), "x.real": (1, "no number, name"), "x == y": (1, "no number"),
    "sin(x, y)": (6, ";"), "sin(*x)": (5, "no number"), "True*x": (1, "no number"), "5j*x": (1, "2*x"),
    "y + 1or x": (5, "2*x"), "0x1for x": (1, "2*x"), ".5x": (1, "2*x"), "2e3x": (1, "2*x"), "1_000*x": (1, "2*x"),
    "-" * 150 + "x": (1, "nodes"), "(" * 150: (None, ""), "x" + ")" * 100: (2, "closes none"),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_in_the_expression_is_one_sentence_that_names_the_character(text):
    if WRONG[text] is None:
        assert "not a finite number" in notes(text)[-1]
        return
    (state,) = states(text)
    where, what = WRONG[text]
    (told,) = notes(text)
    said = re.fullmatch(r"Character (\d+): (.*)\.", told)
    assert said and (where is None or int(said[1]) == where) and what in said[2], told
    fig = draw(Params(expression=text), [state], 0).figure()
    assert not fig["data"] and set(metrics(state).values()) == {None}


@pytest.mark.parametrize("text, where", [("x=1,5", 5), ("x", 1), ("y=2; x=one", 6), ("x=nan", 1), ("x=1e999", 1),
                                         ("x=1..2", 1), ("  x=", 3), ("=3", 1), ("x=1 2", 1)])  # fmt: skip
def test_a_mistake_in_the_values_is_named_with_its_character(text, where):
    (told,) = notes("x*y", text)
    assert told.startswith(f"Values, character {where}: ") and "write it as x=1.5" in told


def test_missing_values_are_two_and_unknown_ones_are_ignored_and_both_are_said():
    first, *_ = notes("x*y", "x=3, q=7")
    assert last("x*y", "x=3, q=7").output == 6
    assert "No value is given for y: 2 is taken. No leaf is called q: ignored." in first


@pytest.mark.parametrize("text, same", [("x·y − 3", "x*y - 3"), ("x ÷ 2", "x/2"), (" a = x*y ; a + 1 ", "x*y + 1"),
                                        ("+x", None), ("x*pi", "x*3.141592653589793")])  # fmt: skip
def test_other_ways_to_write_the_same(text, same):
    if same is None:
        assert "Character 1" in notes(text)[-1]
    else:
        assert last(text, "x=3, y=4").output == last(same, "x=3, y=4").output
