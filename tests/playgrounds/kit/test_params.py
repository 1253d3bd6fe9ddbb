"""Knobs read what links, widgets and the glossary say, keep to their bounds, and say so in a sentence."""

import base64
import re
import tracemalloc
import zlib
from datetime import date
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError, model_validator

from playgrounds import kit
from playgrounds.kit import Params, knob
from playgrounds.kit.catalogue import load, names
from playgrounds.kit.params import Knob, shown
from tests.toy import model as toy

KINDS = {"toy": toy.Params} | {name: load(name).Params for name in names()}
MARKUP = set("`<>[]$*\\\n\r\x00")  # what Markdown or HTML in a warning could make something of
START = toy.Params()


def quick(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None)


every_params = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def legal_values(one: Knob) -> st.SearchStrategy:
    match one.kind:
        case "toggle":
            return st.booleans()
        case "choice":
            return st.sampled_from(one.choices)
        case "choices":
            chosen = st.sets(st.sampled_from(one.choices), min_size=1)
            return chosen.map(lambda some: tuple(c for c in one.choices if c in some))
        case "int":
            return st.integers(one.lo, one.hi)
        case "float":
            return st.floats(one.lo, one.hi)
        case "drawing":
            return st.just("") | st.text("0123456789abcdef", min_size=one.hi**2, max_size=one.hi**2).map(
                lambda text: one.read(text, None)[0]
            )
        case "matrix":
            entry = st.integers(-9, 9).map(str)
            row = st.integers(one.lo, one.hi).flatmap(lambda n: st.lists(entry, min_size=n, max_size=n))
            return st.tuples(row, st.integers(one.lo, one.hi)).map(lambda some: ";".join([",".join(some[0])] * some[1]))
        case "points":
            line = st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, one.hi - 1))
            return st.lists(line, max_size=9).map(
                lambda lines: one.read("\n".join(",".join(map(str, some)) for some in lines), None)[0]
            )
        case "text":
            return st.text(
                st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=min(one.hi, 400)
            )


def legal_params(kind: type[Params]) -> st.SearchStrategy:
    return st.builds(kind, **{name: legal_values(one) for name, one in kind.knobs().items()})


def is_legal(params: Params) -> bool:
    """Within the declaration, checked here from scratch."""
    for name, one in params.knobs().items():
        value = getattr(params, name)
        inside = {
            **dict.fromkeys(("drawing", "matrix", "points"), lambda v, one: one.read(v, None) == (v, "")),
            "toggle": lambda v, one: isinstance(v, bool),
            "choice": lambda v, one: v in one.choices,
            "choices": lambda v, one: bool(v) and isinstance(v, tuple) and {*v} <= {*one.choices},
            "int": lambda v, one: type(v) is int and one.lo <= v <= one.hi,
            "float": lambda v, one: type(v) is float and one.lo <= v <= one.hi,
            "text": lambda v, one: (one.lo or 0) <= len(v) <= one.hi and "\x00" not in v and v.encode() is not None,
        }[one.kind]
        if not inside(value, one):
            return False
    return True


def read(query: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What the toy makes of a link: the knobs that are not at their defaults, and the sentences."""
    params, sentences = toy.Params.from_query(query, START)
    assert is_legal(params)
    plain = [sentence.translate({ord(quote): None for quote in "“”"}) for sentence in sentences]
    return {name: getattr(params, name) for name in params.to_query(START)}, plain


def packed(text: bytes) -> str:
    return "~" + base64.urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=")


# ------------------------------------------------------------------------------------------------- there and back again


@every_params
@quick(30)
@given(data=st.data())
def test_every_legal_setting_survives_a_link(kind, data):
    params, preset = data.draw(legal_params(kind)), data.draw(legal_params(kind))
    query = params.to_query(preset)
    assert kind.from_query(query, preset) == (params, [])
    assert query.keys() == {name for name in kind.knobs() if getattr(params, name) != getattr(preset, name)}


@every_params
@quick(30)
@given(data=st.data())
def test_one_knob_alone_is_read_as_it_was_written_and_as_it_is_typed(kind, data):
    one = data.draw(st.sampled_from(list(kind.knobs().values())))
    value = data.draw(legal_values(one))
    params, sentences = kind.from_query({one.name: one.write(value)}, kind())
    assert getattr(params, one.name) == value and not sentences, "from a link"
    assert one.read(list(value) if one.kind == "choices" else value, None) == (value, ""), "from a widget, from TOML"


@pytest.mark.parametrize(
    "text", ["a" * 80, "a" * 81, "~", "~abc", "👩‍💻" * 100, "\U0001f600" * 300, "é" * 300, " \n\t", ""]
)
def test_texts_survive_a_link_short_or_packed_and_are_taken_as_they_are_typed(text):
    knob_of = toy.Params.knobs()["name"]
    assert read({"name": knob_of.write(text)}) == ({"name": text}, [])
    assert knob_of.read(text, None) == (text, "")
    assert toy.Params.preset({"name": text}) == (toy.Params(name=text), [])
    assert len(knob_of.write("na " * 100)) < 60, "a long text is compressed"


@every_params
def test_the_stops_of_a_log_slider_run_from_bound_to_bound_evenly(kind):
    for one in kind.knobs().values():
        if not one.log:
            continue
        grid = one.grid()
        assert grid[0] == one.lo and grid[-1] == one.hi and grid == sorted(set(grid))
        assert one.kind != "int" or all(type(stop) is int for stop in grid)
        assert all(one.read(stop, None) == (stop, "") for stop in grid)
        ratios = [b / a for a, b in pairwise(grid)]
        assert max(ratios) < 1.2 or one.kind == "int", "about twenty stops a decade"


# ----------------------------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("query", "taken", "sentence"),
    [
        ({"rate": "9"}, {"rate": 1.1}, "rate=9 is above 1.1: using 1.1."),
        ({"rate": "0"}, {"rate": 0.001}, "rate=0 is below 0.001: using 0.001."),
        ({"rate": "1e9"}, {"rate": 1.1}, "rate=1e9 is above 1.1: using 1.1."),
        ({"rate": "inf"}, {"rate": 1.1}, "rate=inf is above 1.1: using 1.1."),
        ({"rate": "-inf"}, {"rate": 0.001}, "rate=-inf is below 0.001: using 0.001."),
        ({"rate": "nan"}, {}, "rate=nan is not a number: using 0.1."),
        ({"rate": ""}, {}, "rate= is not a number: using 0.1."),
        ({"rate": "../x"}, {}, "rate=../x is not a number: using 0.1."),
        ({"steps": "1e9"}, {"steps": 300}, "steps=1e9 is above 300: using 300."),
        ({"steps": "-1"}, {"steps": 0}, "steps=-1 is below 0: using 0."),
        ({"steps": "2.5"}, {}, "steps=2.5 is not a whole number: using 12."),
        ({"steps": "9" * 100_000}, {}, f"steps={'9' * 40}… is not a number: using 12."),
        ({"law": "../x"}, {}, "law=../x is not one of coin, normal, uniform: using normal."),
        ({"width": "3"}, {}, "width=3 is not one of 1, 2, 5: using 2."),
        ({"marks": "where,why"}, {}, "marks: why is not one of where, how often: using where."),
        ({"wall": "perhaps"}, {}, "wall=perhaps is neither 1 (on) nor 0 (off): using 0."),
        ({"speed": "2"}, {}, "No knob is called speed: ignored."),
        ({"name": "x" * 301}, {}, "name: the text has 301 characters, up to 300 are taken: shorten it, or load the "
                                  "sample. The text of this page is kept."),
        ({"name": "a\x00b"}, {}, "name: the text has characters that no text can have. The text of this page is kept."),
    ],
)  # fmt: skip
def test_what_a_link_cannot_have_is_said_in_a_sentence(query, taken, sentence):
    assert read(query) == (taken, [sentence])


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        ({"rate": "1e-1"}, {}),
        ({"rate": " 0.5 "}, {"rate": 0.5}),
        ({"steps": "7.0"}, {"steps": 7}),
        ({"wall": "True"}, {"wall": True}),
        ({"wall": "0"}, {}),
        ({"marks": "how often,where,where"}, {"marks": ("where", "how often")}),
        ({"width": "5"}, {"width": 5}),
        ({}, {}),
    ],
)
def test_what_can_only_mean_one_thing_is_taken_without_a_word(query, taken):
    assert read(query) == (taken, [])


def test_one_bad_value_costs_no_other_its_place():
    assert read({"rate": "nan", "steps": "3", "nonsense": "1", "law": "coin"}) == (
        {"steps": 3, "law": "coin"},
        ["rate=nan is not a number: using 0.1.", "No knob is called nonsense: ignored."],
    )


def test_what_cannot_be_taken_leaves_the_preset_not_the_default():
    preset = toy.Params(rate=0.7, name="the page's own")
    params, sentences = toy.Params.from_query({"rate": "nan", "name": "\ud800"}, preset)
    assert params == preset and sentences[0] == "rate=nan is not a number: using 0.7."


@pytest.mark.parametrize(
    "text",
    [
        "~",
        "~!!!!",
        "~" + packed(b"x" * 200)[2:],
        packed(b"x" * 200)[:-9],
        packed(b"\xff\xfe" * 100),
        packed(b"x" * 1201),
        "~" + "A" * 100_000,
        "~ünïcode\ud800",
    ],
)
def test_a_damaged_packed_text_is_said_to_be_damaged(text):
    taken, (sentence,) = read({"name": text})
    assert taken == {} and sentence.startswith(
        "name: the text in the link is damaged or too long: copy the whole link."
    )


def test_a_text_that_inflates_to_gigabytes_is_not_inflated():
    packer = zlib.compressobj(9)
    start = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = "~" + base64.urlsafe_b64encode(start + 2047 * block).decode()  # 2 GB
    tracemalloc.start()
    try:
        taken, (sentence,) = read({"name": bomb})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken == {} and "damaged or too long" in sentence
    assert peak < 4 * len(bomb), f"{peak:,} bytes for a link of {len(bomb):,}"


nonsense = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.sampled_from(["nan", "-inf", "1e9", "1e400", "../x", "9" * 5000, "~", "~~", "\x00", "\ud800", "0x1f", "None",
                     "[]", "<script>alert(1)</script>", "**bold** [link](javascript:x) $x$ `code`", "# big",
                     "x" * 100_000, packed(b"x" * 999), packed(b"x" * 10**6),
                     "٣", "1_0", "True", "-0", "5e-324", "1,2,5", ",,,"]),
    st.floats().map(str),
    st.integers().map(str),
)  # fmt: skip


@every_params
@quick(60)
@given(data=st.data())
def test_no_link_whatever_gives_anything_but_legal_params_and_short_plain_sentences(kind, data):
    keys = st.one_of(st.sampled_from(list(kind.knobs())), nonsense)
    query = data.draw(st.dictionaries(keys, nonsense, max_size=6))
    params, sentences = kind.from_query(query, kind())
    assert is_legal(params)
    for sentence in sentences:
        assert len(sentence) < 300 and sentence.endswith("."), sentence
        assert not MARKUP & set(sentence) and sentence.isprintable(), sentence
    assert kind.from_query(params.to_query(kind()), kind()) == (params, []), "and what was taken can be linked to"


@quick(60)
@given(nonsense)
@example("# a heading")
@example("    code")
@example("www.example.com")
@example("~struck~")
@example("WWW.example")
@example("wWw.example")
def test_no_sentence_begins_like_a_heading_or_a_list_or_holds_a_link_or_struck_words(text):
    for query in ({text: "1"}, {"rate": text}):
        for sentence in toy.Params.from_query(query, START)[1]:
            assert sentence[0] not in "#-+= |" and not re.match(r"\d+[.)] ", sentence), sentence
            assert "www." not in sentence.lower() and sentence.count("~") < 2, sentence


@quick(60)
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_a_value_in_a_sentence_is_one_short_printable_line(text):
    assert len(shown(text)) <= 41 and not MARKUP & set(shown(text))
    assert shown(text).isprintable() and shown(text[:41]) == shown(text)[:41]


# ------------------------------------------------------------------------------------------------------------- presets


@pytest.mark.parametrize(
    ("values", "mistakes"),
    [
        ({"rate": 0.5, "marks": ["how often"], "wall": True, "name": "x"}, []),
        ({"rate": 9}, ["rate: 9 is above 1.1"]),
        ({"rate": float("nan")}, ["rate: nan is not a number"]),
        ({"rate": True}, ["rate: True is not a number"]),
        ({"rate": [1]}, ["rate: ·1· is not a number"]),
        ({"steps": 2.5}, ["steps: 2.5 is not a whole number"]),
        ({"steps": 10**50}, [f"steps: 1{'0' * 39}… is not a number"]),
        ({"law": "coin flip"}, ["law: coin flip is not one of coin, normal, uniform"]),
        ({"law": 3}, ["law: 3 is not one of coin, normal, uniform"]),
        ({"marks": []}, ["marks: choose at least one of where, how often"]),
        ({"marks": [3]}, ["marks: 3 is not one of where, how often"]),
        ({"wall": 2}, ["wall: 2 is neither 1 (on) nor 0 (off)"]),
        ({"name": 3}, ["name: 3 is not a text"]),
        ({"speed": 1}, ["speed: no such knob; there are " + ", ".join(toy.Params.knobs())]),
        ({"rate": 9, "speed": 1, "law": "x"}, ["rate: 9 is above 1.1",
            "speed: no such knob; there are " + ", ".join(toy.Params.knobs()),
            "law: x is not one of coin, normal, uniform"]),
    ],
)  # fmt: skip
def test_the_mistakes_of_a_preset_name_the_knob_and_the_problem(values, mistakes):
    assert toy.Params.preset(values)[1] == mistakes


@pytest.mark.parametrize("name", toy.Params.knobs())
@pytest.mark.parametrize("value", [3.5, 3, True, "x", [], ["x"], {}, {"a": 1}, date(2026, 1, 1), [[]]], ids=repr)
def test_no_type_that_toml_has_is_more_than_a_mistake(name, value):
    params, mistakes = toy.Params.preset({name: value})
    assert is_legal(params) and len(mistakes) <= 1
    assert all(mistake.startswith(f"{name}: ") for mistake in mistakes)


# ------------------------------------------------------------------------------------------------------- Params itself


def test_params_are_immutable_and_equal_ones_are_one_key():
    assert len({toy.Params(), toy.Params(rate=0.1), toy.Params(rate=0.2)}) == 2
    with pytest.raises(ValidationError):
        START.rate = 0.2


@pytest.mark.parametrize(
    "values",
    [
        {"speed": 1},
        {"rate": 9.0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"steps": -1},
        {"law": "x"},
        {"marks": ("x",)},
        {"name": "x" * 301},
    ],
)
def test_params_cannot_be_made_with_what_is_not_declared(values):
    with pytest.raises(ValidationError):
        toy.Params(**values)


BADLY_DECLARED = {
    "no knob": (int, 3, "not declared with knob"),
    "no bounds": (float, knob(0.1, label="x"), "needs bounds"),
    "one bound": (int, knob(1, 0, label="x"), "needs bounds"),
    "a text without a bound": (str, knob("", label="x"), "bound"),
    "a list": (list[int], knob([1], label="x"), "no kind of knob"),
    "optional": (str | None, knob("", 0, 9, label="x"), "no kind of knob"),
    "bounds swapped": (int, knob(1, 5, 0, label="x"), "5"),
    "log from 0": (float, knob(0.1, 0, 1, label="x", log=True), "log"),
    "a comma in a choice": (tuple[Literal["a,b", "c"], ...], knob(("c",), label="x"), "comma"),
    "default too large": (float, knob(2.0, 0, 1, label="x"), "2.0"),
    "default no switch": (bool, knob("yes?", label="x"), "yes"),
    "default too long": (str, knob("too long", 0, 3, label="x"), "8"),
    "default no choice": (Literal["a", "b"], knob("third", label="x"), "third"),
    "default chooses nothing": (tuple[Literal["a", "b"], ...], knob((), label="x"), "one"),
}


@pytest.mark.parametrize(("annotation", "value", "said"), BADLY_DECLARED.values(), ids=BADLY_DECLARED)
def test_a_badly_declared_knob_is_reported_when_its_file_is_loaded(annotation, value, said):
    with pytest.raises(Exception, match=f"(?s)bad.*{said}"):
        type("Params", (kit.Params,), {"__annotations__": {"bad": annotation}, "bad": value, "__module__": __name__})


class Ruled(kit.Params):
    """With a rule between two knobs, as a playground would write it."""

    low: int = knob(1, 0, 9, label="Low")
    high: int = knob(5, 0, 9, label="High")

    @model_validator(mode="after")
    def ordered(self):
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


@pytest.mark.parametrize("query", [{"low": "7"}, {"nonsense": "1", "low": "7"}])
def test_a_rule_between_knobs_is_told_and_the_page_stays_as_it_was(query):
    params, sentences = Ruled.from_query(query, Ruled())
    assert params == Ruled() and any("low must not be above high" in sentence for sentence in sentences)
    assert any("low must not be above high" in mistake for mistake in Ruled.preset(query)[1])
