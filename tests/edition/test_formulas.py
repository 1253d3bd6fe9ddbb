"""Formulas become MathML in which operators are operators, and one line of text."""

import re
import tomllib
from functools import cache
from xml.etree import ElementTree

import pytest

import glossary
from edition import formulas
from playgrounds.kit.markup import CODE, FORMULA

SIGNS = "+-−=<>≤≥±×⋅·∈→←≈|:;,.()[]{}⌊⌋!&\\"


@cache
def course() -> list[str]:
    """All formulas of the course's files, as they stand; read as TOML, so that a mistake elsewhere hides none."""
    found: list[str] = []
    for path in [glossary.FILE, *sorted(glossary.LESSONS.glob("*.toml"))]:
        for text in strings(tomllib.loads(path.read_text(encoding="utf-8"))):
            found += [formula for _, formula in FORMULA.findall(CODE.sub("", text))]
    return list(dict.fromkeys(found))


def strings(value):
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(one)


def tree(formula: str, display: bool = False):
    return ElementTree.fromstring(formulas.mathml(formula, display))


def signs(formula: str, tag: str) -> list[str]:
    return [element.text or "" for element in tree(formula).iter(tag)]


def test_every_formula_of_the_course_is_set():
    assert len(course()) > 200
    assert [formula for formula in course() if tree(formula).tag != "math"] == []


def test_no_operator_of_the_course_comes_out_as_text():
    wrong = {}
    for formula in course():
        for element in tree(formula).iter():
            as_text = element.tag in ("mi", "mn", "ms") and any(sign in SIGNS for sign in element.text or "")
            if as_text and not re.fullmatch(r"\d+[.,]\d+", element.text or ""):
                wrong[formula] = element.text
    assert wrong == {}


def test_no_command_and_no_alignment_mark_is_left():
    for formula in course():
        text = "".join(tree(formula).itertext())
        assert "\\" not in text and "&" not in text, formula


def test_aligned_rows_become_a_table_with_two_columns():
    made = tree(r"\begin{aligned}a&=b+1\\ &=c\end{aligned}", display=True)
    rows = list(made.iter("mtr"))
    assert [len(list(row.iter("mtd"))) for row in rows] == [2, 2]
    assert [element.text for element in made.iter("mo")] == ["=", "+", "="]


@pytest.mark.parametrize(
    ("formula", "operators"),
    [(r"y=\pm1", ["=", "±"]), (r"\Bigl\lfloor x\Bigr\rfloor", ["⌊", "⌋"]), ("a:b", [":"]), ("n<2", ["<"])],
)
def test_signs_are_operators(formula, operators):
    assert signs(formula, "mo") == operators


def test_infinity_is_a_thing_and_no_operator():
    assert signs(r"x\to\infty", "mi") == ["x", "∞"]


def test_an_upright_name_is_one_name():
    assert signs(r"\mathrm{softmax}(z)", "mi") == ["softmax", "z"]


@pytest.mark.parametrize(
    "formula", [r"\frac{1", r"\nosuchcommand x", "a&b", r"\text{</math><script>alert(1)</script>}", "", "{" * 5000]
)
def test_what_cannot_be_set_is_shown_as_it_stands_and_runs_nothing(formula):
    made = formulas.mathml(formula, display=False)
    assert "<script" not in made
    assert ElementTree.fromstring(made).tag in ("code", "math")


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        ("x_1+x_2", "x_1 + x_2"),
        (r"\frac{a+b}{n}", "(a + b)/n"),
        (r"\sqrt{d_k}", "√(d_k)"),
        ("-1", "−1"),
        (r"e^{-x}", "e^(−x)"),
        (r"\varphi'(x)", "φ′(x)"),
        (r"\tanh(x)", "tanh(x)"),
        (r"h^{(l)}", "h^(l)"),
    ],
)
def test_a_formula_in_one_line(formula, line):
    assert formulas.plain(formula) == line
