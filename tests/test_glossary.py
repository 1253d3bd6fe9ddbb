"""The glossary loads whole or says, term by term and all at once, what a teacher has to mend."""

import copy
import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glossary import FILE, LESSONS, PAGES, Glossary, GlossaryError, load, reading
from playgrounds.kit import catalogue
from tests.short_runs import TOY

REAL = load()
every_term = pytest.mark.parametrize("term", REAL.terms, ids=lambda term: term.slug)

GOOD = """
[home]
term = "one-thing"

[[lesson]]
slug = "first-lesson"
title = "First lesson"
sentence = "What is it about?"

[[term]]
slug = "one-thing"
name = "One thing"
aliases = ["the first"]
lesson = "first-lesson"
definition = "One thing is a thing that stands alone. It is not the [[other-thing|other one]]."
see_also = ["other-thing"]
playground = "toy"
preset = { rate = 0.5, marks = ["where"] }

[[term]]
slug = "other-thing"
name = "Other thing (OT)"
lesson = "first-lesson"
definition = "The other thing is a thing beside [[one-thing]]."
"""

LESSON = """
lesson = "first-lesson"
introduction = "It is about [[one-thing]]."

[term.one-thing.example]
text = "It ends at {place}."
run = { steps = 2 }

[[term.one-thing.question]]
id = "end"
ask = "Where does it end?"
options = [{ text = "left", why = "it does not" }, { text = "right", right = true, why = "it drifts" }]
run = { drift = 0.5 }
decides = { place = "> 0" }

[[term.one-thing.exercise]]
id = "letters"
ask = "After {steps} steps, how many?"
draw = { steps = "2..5", rate = [0.5, 1.0] }
answer = "letters"
because = "It is {letters}."
slips = [{ value = "letters - 1", say = "The + 1 is missing." }]

[[term.one-thing.goal]]
id = "far"
ask = "Get far."
reach = { place = ">= 1.5" }
with = { steps = "<= 100" }
solution = { drift = 1 }

[[term.one-thing.stop]]
step = 3
say = "Here it is at {place}."
when = { place = "> -9" }

[[confusion]]
id = "one-and-other"
terms = ["one-thing", "other-thing"]
difference = "[[one-thing]] stands alone."
cases = [{ says = "It stands alone.", term = "one-thing" }, { says = "It does not.", term = "other-thing" }]

[[can]]
say = "tell where it ends"
term = "one-thing"

[[table]]
title = "Ends"
head = ["Steps", "Place"]
row = [{ cells = ["2", "{place}"], playground = 'toy', run = { steps = 2 } }, { cells = ["none", "0"] }]
"""


@pytest.fixture(scope="module", autouse=True)
def the_toy_is_in_the_catalogue() -> Iterator[None]:
    known = catalogue.names()
    with pytest.MonkeyPatch.context() as patch:
        load_one = catalogue.load
        patch.setattr(catalogue, "load", lambda name: TOY if name == "toy" else load_one(name))
        patch.setattr(catalogue, "names", lambda: sorted({*known, "toy"}))
        yield


def mistakes(text: str | bytes, folder: Path, lesson: str = LESSON) -> list[str]:
    """What is said about files with these texts; nothing if they load."""
    path, lessons = folder / "glossary.toml", folder / "lessons"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lessons.mkdir(exist_ok=True)
    (lessons / "01-first.toml").write_text(lesson, encoding="utf-8")
    try:
        load(path, lessons)
    except GlossaryError as error:
        assert error.mistakes and str(error) == "\n".join(error.mistakes)
        return error.mistakes
    return []


def use(one: Glossary) -> None:
    """Everything the pages ask of a glossary."""
    for lesson in one.lessons:
        one.markdown(lesson.introduction), lesson.url, one.of(lesson)
    for term in one.terms:
        one.markdown(term.definition), one.plain(term.lead), one.lesson[term.lesson]
        assert all(slug in one.term for slug in term.see_also) and term.name[0]
    one.alphabetical(), one.search("thing"), one.search("x"), one.search("zzz thing")


# ------------------------------------------------------------------------------------------------------------- content


def test_the_course_has_15_lessons_and_71_terms():
    assert (len(REAL.lessons), len(REAL.terms)) == (15, 71)
    assert sum(len(REAL.of(lesson)) for lesson in REAL.lessons) == 71
    assert all(REAL.of(lesson) for lesson in REAL.lessons)
    order = [lesson.slug for lesson in REAL.lessons]
    assert [term.slug for lesson in REAL.lessons for term in REAL.of(lesson)] == [term.slug for term in REAL.terms]
    assert [order.index(term.lesson) for term in REAL.terms] == sorted(order.index(term.lesson) for term in REAL.terms)
    assert len(REAL.alphabetical()) == 71 and REAL.alphabetical()[0].name.lower() == min(
        t.name.lower() for t in REAL.terms
    )


@every_term
def test_the_first_sentence_alone_says_what_it_is(term):
    sentence = REAL.plain(term.lead)
    assert 40 <= len(sentence) <= 230, f"{len(sentence)} characters: {sentence}"
    assert re.match(r"[A-Z$]", sentence) and sentence.endswith(".")
    assert not re.search(r"\[\[|\]\]|\n", sentence) and sentence.count("$") % 2 == 0
    assert sentence.count("(") == sentence.count(")") and sentence.count("**") % 2 == 0


@every_term
def test_definitions_are_whole_markdown(term):
    shown = REAL.markdown(term.definition)
    assert not re.search(r"\[\[|\]\]", shown), "a link that is none"
    assert shown.count("$") % 2 == 0 and shown.count("**") % 2 == 0
    for link, target in re.findall(r'(<a [^>]*href="([^"]*)"[^>]*>)', shown):
        assert target in REAL.term and target != term.slug and 'target="_self"' in link
    assert 2 <= len(term.see_also) <= 4 and len(set(term.see_also)) == len(term.see_also)


@pytest.mark.parametrize("lesson", REAL.lessons, ids=lambda lesson: lesson.slug)
def test_an_introduction_is_whole_and_leads_to_terms_of_its_lesson(lesson):
    shown = REAL.markdown(lesson.introduction)
    assert not re.search(r"\[\[|\]\]", shown) and shown.count("$") % 2 == 0
    named = set(re.findall(r'data-term="([^"]*)"', shown))
    assert named & {term.slug for term in REAL.of(lesson)}
    assert 2 <= len(lesson.introduction.strip().split("\n\n")) <= 4
    assert re.fullmatch(r"[A-Z].{20,200}[.?]", lesson.sentence)


def test_no_two_terms_have_one_name():
    assert len({term.name.lower() for term in REAL.terms}) == len({term.slug for term in REAL.terms}) == 71


# ------------------------------------------------------------------------------------------------------ first sentence


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ("A net is a graph. It has edges.", "A net is a graph."),
        ("A net is a graph", "A net is a graph"),
        ("It is\n1.5 times\nas large.\n\nMore.", "It is 1.5 times as large."),
        ("It is $f(x) = 1. Y$ at most. More.", "It is $f(x) = 1. Y$ at most."),
        ("It is small, e.g. one. More.", "It is small, e.g. one."),
        ("A [[one-thing|thing. Of ours]] is it. More.", "A thing. Of ours is it."),
        ("Is it a net? No.", "Is it a net?"),
        ("A net (MLP) is it. $x$ is its input.", "A net (MLP) is it."),
    ],
)
def test_a_first_sentence_ends_at_the_first_full_stop_that_ends_a_sentence(definition, sentence):
    term = REAL.terms[0].model_copy(update={"definition": definition, "exam": ""})
    term.__dict__.pop("lead", None)
    assert REAL.plain(term.lead) == sentence


# -------------------------------------------------------------------------------------------------------------- search


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("perceptron", "perceptron"),
        ("XOR", "xor-problem"),
        ("exclusive or", "xor-problem"),
        ("xor-problem", "xor-problem"),
        ("LSTM", "lstm"),
        ("lear", "learning-rate"),
        ("rate", "learning-rate"),
        ("bacprop", "backpropagation"),
        ("backpropogation", "backpropagation"),
        ("adma", "adam"),
        ("normalistion", "normalization"),
        ("normalistion", "batch-normalization"),
        ("gradiant decent", "gradient-descent"),
        ("  ADAM!  ", "adam"),
    ],
)
def test_a_term_is_among_the_first_three_by_name_alias_address_or_with_typos(text, slug):
    assert slug in [term.slug for term in REAL.search(text)[:3]]


@every_term
def test_every_term_is_found_first_by_its_name(term):
    assert REAL.search(term.name)[0] is term


@every_term
def test_every_term_is_found_by_each_alias(term):
    for alias in term.aliases:
        assert term in REAL.search(alias, 4), alias


def test_a_word_that_one_definition_alone_has_finds_its_term():
    words = [set(re.findall(r"[a-z]{9,}", term.definition.lower())) for term in REAL.terms]
    names = " ".join(name.lower() for term in REAL.terms for name in (term.name, term.slug, *term.aliases))
    alone = [
        (word, term)
        for term, mine in zip(REAL.terms, words, strict=True)
        for word in sorted(mine)
        if sum(word in others for others in words) == 1 and word[:5] not in names
    ]
    assert len(alone) > 50
    for word, term in alone[::3]:
        assert term in REAL.search(word), word


def test_names_come_before_definitions():
    found = REAL.search("gradient", 71)
    named = ["gradient" in " ".join([term.name, *term.aliases]).lower() for term in found]
    assert named == sorted(named, reverse=True) and 3 <= sum(named) < len(named)


@pytest.mark.parametrize(
    "text", ["zzzzqqq", "", "   ", "!?", "\x00", "\ud800", "xqzwv jkpq", "💥", "[[", "(", "\\", "banana", "sister"]
)
def test_nonsense_finds_nothing(text):
    assert REAL.search(text) == []


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "ab " * 4_000, "(" * 10_000, "a" * 99 + "!", ".*" * 5_000, "\n" * 10_000]
)
def test_ten_thousand_characters_and_more_are_answered_at_once(text):
    start = time.process_time()
    assert len(REAL.search(text)) <= 12
    assert time.process_time() - start < 2


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.integers(1, 20))
def test_no_search_fails_or_finds_more_than_asked_for(text, most):
    found = REAL.search(text, most)
    assert len(found) <= most and len({term.slug for term in found}) == len(found)


# --------------------------------------------------------------------------------------------------------------- links


@pytest.fixture
def good(tmp_path) -> Glossary:
    assert mistakes(GOOD, tmp_path) == []
    return load(tmp_path / "glossary.toml", tmp_path / "lessons")


@pytest.mark.parametrize(
    ("text", "markdown", "plain"),
    [
        ("a [[one-thing]]", 'a <a href="one-thing" target="_self" data-term="one-thing">one thing</a>', "a one thing"),
        ("[[other-thing]]",
         '<a href="other-thing" target="_self" data-term="other-thing">other thing</a>', "other thing"),
        ("[[one-thing|Ones]]!", '<a href="one-thing" target="_self" data-term="one-thing">Ones</a>!', "Ones!"),
        ("no [link](x) [ [a]", "no [link](x) [ [a]", "no [link](x) [ [a]"),
    ],
)  # fmt: skip
def test_a_link_shows_the_terms_name_or_the_teachers_words(good, text, markdown, plain):
    assert (good.markdown(text), good.plain(text)) == (markdown, plain)


@pytest.mark.parametrize(
    ("name", "in_text"),
    [
        ("Learning rate", "learning rate"),
        ("Adam", "Adam"),
        ("ReLU", "ReLU"),
        ("He initialization", "He initialization"),
        ("Multi-layer perceptron (MLP)", "multi-layer perceptron"),
        ("XOR problem", "XOR problem"),
    ],
)
def test_a_name_keeps_its_capitals_in_a_sentence_only_if_they_are_its_own(good, name, in_text):
    good.term["one-thing"] = good.term["one-thing"].model_copy(update={"name": name})
    assert good.plain("[[one-thing]]") == in_text


# ------------------------------------------------------------------------------------------------------------ mistakes


def test_a_good_file_has_no_mistakes(good, tmp_path):
    assert mistakes(GOOD, tmp_path) == []
    use(good)


PLAYGROUND = 'playground = "toy"'
MISTAKES = {
    # what is wrong: (what stands in the good file, what stands there instead, whom and what the sentence must name)
    "unknown playground": (PLAYGROUND, 'playground = "tyo"', "[one-thing] playground 'tyo' 'toy'"),
    "unknown knob": ("rate = 0.5", "rat = 0.5", "[one-thing] preset rat rate steps"),
    "knob out of bounds": ("rate = 0.5", "rate = 9", "[one-thing] preset rate 9 above 1.1"),
    "knob not a number": ("rate = 0.5", "rate = nan", "[one-thing] preset rate nan number"),
    "knob of a wrong type": ("rate = 0.5", 'rate = "fast"', "[one-thing] preset rate fast number"),
    "knob no choice": ('["where"]', '["when"]', "[one-thing] preset marks when where"),
    "knob with one choice instead of a list": ('["where"]', "3", "[one-thing] preset marks 3"),
    "preset no table": ('{ rate = 0.5, marks = ["where"] }', "3", "[one-thing] preset"),
    "preset without a playground": (PLAYGROUND, "", "[one-thing] preset playground"),
    "question sets an unknown knob": ("{ drift = 0.5 }", "{ drif = 0.5 }", "[one-thing] question end run drif drift"),
    "question out of bounds": ("{ drift = 0.5 }", "{ drift = 5 }", "[one-thing] question end run drift 5 above 1"),
    "no option is right": ("right = true, ", "", "[one-thing] question 1 exactly one right"),
    "two options are right": ('"left", why', '"left", right = true, why', "[one-thing] question 1 exactly one right"),
    "one option only": ('{ text = "left", why = "it does not" }, ', "", "[one-thing] question options"),
    "question without an id": ('id = "end"', "", "[one-thing] question id missing"),
    "an id that is no address": ('id = "end"', 'id = "The End"', "[one-thing] question id 'The End'"),
    "decides by an unknown metric": ('decides = { place', 'decides = { palce', "[one-thing] end decides palce 'place'"),
    "example's unknown metric": ("ends at {place}", "ends at {plce}", "[one-thing] example text plce 'place'"),
    "example's unknown knob": ("run = { steps = 2 }", "run = { stps = 2 }", "[one-thing] example run stps steps"),
    "exercise draws an unknown knob": ('draw = { steps =', 'draw = { stesp =', "[one-thing] letters draw stesp"),
    "exercise draws from no range": ('"2..5"', '"5..2"', "[one-thing] exercise letters draw.steps '5..2'"),
    "exercise draws what is not legal": ("[0.5, 1.0]", "[0.5, 9.0]", "[one-thing] exercise letters draw.rate 9.0"),
    "exercise asks for no metric": ('answer = "letters"', 'answer = "leters"', "[one-thing] letters answer leters"),
    "a slip that is no formula": ('"letters - 1"', '"open(1)"', "[one-thing] letters slips 'open(1)' formula"),
    "a slip of an unknown name": ('"letters - 1"', '"lettres - 1"', "[one-thing] letters slips lettres 'letters'"),
    "a stop's unknown metric": ("it is at {place}", "it is at {plcae}", "[one-thing] stop 1 say plcae"),
    "a stop's condition": ('"> -9"', '"-9"', "[one-thing] stop 1 when '-9'"),
    "a playground that the page does not offer": (
        "run = { drift = 0.5 }", 'run = {}\nplayground = "mlp"', "[one-thing] question end 'mlp' also"),
    "confusion of an unknown term": ('"other-thing"]\ndiff', '"otter-thing"]\ndiff', "[one-and-other] otter-thing"),
    "a case of neither term": ('not.", term = "other-thing"', 'not.", term = "one-thing"', "[one-and-other] cases"),
    "a lesson that needs no lesson": ('[[one-thing]]."\n\n[term', '[[one-thing]]."\nneeds = ["fist-lesson"]\n\n[term',
                                      "[first-lesson] needs 'fist-lesson' 'first-lesson'"),
    "an ability of an unknown term": ('ends"\nterm = "one-thing"', 'ends"\nterm = "on-thing"',
                                      "[first-lesson] can on-thing"),
    "a table's unknown metric": ('"{place}"', '"{plce}"', "[first-lesson] table 'Ends' row 1 plce 'place'"),
    "a table's number of no run": (", playground = 'toy', run = { steps = 2 }", "", "row 1 {place} playground"),
    "a row of another length": ('["none", "0"]', '["none", "0", "1"]', "[first-lesson] table row 2 3 cells"),
    "confusion of three terms": ('"other-thing"]\ndiff', '"other-thing", "a"]\ndiff', "[one-and-other] terms"),
    "a lesson's file about an unknown lesson": ('lesson = "first-lesson"\nintro', 'lesson = "first"\nintro', "'first'"),
    "a lesson's file about an unknown term": ("[[term.one-thing.goal]]", "[[term.on-thing.goal]]", "'one-thing'"),
    "a lesson's file without an introduction": ('introduction = "It is about [[one-thing]]."', "", "introduction text"),
    "a lesson's file with a key that is none": ('id = "far"', 'id = "far"\nhint = "x"', "[one-thing] goal 1 hint"),
    "unknown metric": ("reach = { place =", "reach = { plcae =", "[one-thing] goal far reach plcae place letters"),
    "goal limits an unknown knob": ('{ steps = "<=', '{ stpes = "<=', "[one-thing] goal far with stpes steps"),
    "goal no comparison": ('">= 1.5"', '"at least 1.5"', "[one-thing] goal far 'at least 1.5' '>= 0.99'"),
    "goal compares with no number": ('">= 1.5"', '">= much"', "[one-thing] goal far much"),
    "goal with a number instead of a comparison": ('">= 1.5"', "1.5", "[one-thing] goal reach place 1.5"),
    "goal reaches nothing": ('{ place = ">= 1.5" }', "{}", "[one-thing] goal reach"),
    "goal's solution out of bounds": ("{ drift = 1 }", "{ drift = 2 }", "[one-thing] goal far drift 2 above 1"),
    "link to nowhere": ("[[other-thing|", "[[othr-thing|", "[one-thing] definition othr-thing 'other-thing'"),
    "link over a line's end": ('thing beside [[one-thing]]."', "thing beside [[no-thing|a\\nthing]].\"",
                               "[other-thing] definition no-thing"),
    "link without an end": ("[[other-thing|other one]]", "[[other-thing for all",
                            "[one-thing] definition half [[slug]]"),
    "link without an end before another": ("beside [[one-thing]]", "beside [[one-thing and [[one-thing]]",
                                           "[other-thing] definition half [[slug]]"),
    "link without a beginning": ("[[other-thing|other one]]", "other-thing]]",
                                 "[one-thing] definition half other-thing"),
    "formula without an end": ("a thing that stands", "a $x that stands", "[one-thing] definition $ partner"),
    "introduction's formula without an end": ("It is about", "It is $y about", "[first-lesson] introduction $ partner"),
    "braces of a formula": ('"it drifts"', "'it drifts $x^{2$'", "[one-thing] question end why formula partner"),
    "braces of a formula the wrong way round": ('"left"', "'$}x{$'", "[one-thing] end option 1 formula partner"),
    "an environment that KaTeX does not know": (
        '"Get far."', r"'Get $\begin{matriks}1\end{matriks}$ far.'", "[one-thing] goal far ask matriks matrix,"),
    "an environment without an end": ('"Get far."', r"'Get $\begin{cases}1$ far.'", "[one-thing] goal far ask \\end"),
    "environments that cross": (
        '"Get far."', r"'$\begin{cases}\begin{matrix}1\end{cases}\end{matrix}$'", "[one-thing] goal far ask \\begin"),
    "a bracket that grows on one side": ('"Get far."', r"'Get $\left(x)$ far.'", "[one-thing] goal far ask \\right"),
    "a formula that ends in a power": ('"Get far."', "'Get $x^$ far.'", "[one-thing] goal far ask follow"),
    "a place without an end": ('"it drifts"', '"it drifts {place"', "[one-thing] question end why '{place' {loss}"),
    "a place without a beginning": ('"it drifts"', '"it drifts place}"', "[one-thing] question end why place"),
    "an option that is empty": ('text = "left"', 'text = " "', "[one-thing] question options text empty"),
    "an option that stands there twice": ('text = "right"', 'text = " left"', "[one-thing] question two same"),
    "a comparison's signs the wrong way round": ('">= 1.5"', '"=> 1.5"', "[one-thing] far place '=> 1.5' '>= 1.5'"),
    "a knob's comparison the wrong way round": ('"<= 100"', '"=< 100"',
                                                "[one-thing] goal far with.steps '=< 100' comparison '<= 100'"),
    "introduction links to nowhere": ("about [[one-thing]]", "about [[on-thing]]",
                                      "[first-lesson] introduction on-thing 'one-thing'"),
    "see_also to nowhere": ('see_also = ["other-thing"]', 'see_also = ["others-thing"]',
                            "[one-thing] see_also 'others-thing' 'other-thing'"),
    "see_also to itself": ('see_also = ["other-thing"]', 'see_also = ["one-thing"]',
                           "[one-thing] see_also 'one-thing' itself"),
    "see_also no list": ('see_also = ["other-thing"]', 'see_also = "other-thing"', "[one-thing] see_also list"),
    "unknown lesson": ('lesson = "first-lesson"\ndefinition = "The', 'lesson = "frist-lesson"\ndefinition = "The',
                       "[other-thing] lesson 'frist-lesson' 'first-lesson'"),
    "slug used twice": ('slug = "other-thing"', 'slug = "one-thing"', "[one-thing] slug 'one-thing' already"),
    "slug of a lesson's page": ('slug = "other-thing"', 'slug = "lesson-first-lesson"',
                                "[lesson-first-lesson] slug already [first-lesson]"),
    "slug of the home page": ('slug = "other-thing"', 'slug = "home-page"', "[home-page] slug 'home-page' already"),
    "slug of the page about it": ('slug = "other-thing"', 'slug = "about-this-glossary"',
                                  "[about-this-glossary] slug 'about-this-glossary' already"),
    "home shows a term that is none": ('[home]\nterm = "one-thing"', '[home]\nterm = "one-thin"',
                                       "[home] term 'one-thin' 'one-thing'"),
    "home shows a term without a playground": ('[home]\nterm = "one-thing"', '[home]\nterm = "other-thing"',
                                               "[home] term 'other-thing' playground"),
    "home shows nothing": ('[home]\nterm = "one-thing"', "[home]", "[home] term missing"),
    "home with two brackets": ("[home]", "[[home]]", "[home] one"),
    "slug of a playground's page": ('slug = "other-thing"', 'slug = "playground-toy"',
                                    "[playground-toy] slug playground-"),
    "slug no address": ('slug = "other-thing"', 'slug = "Other Thing"', "[Other Thing] slug 'Other Thing' xor-problem"),
    "slug no text": ('slug = "other-thing"', "slug = 3", "[3] slug 3"),
    "misspelt key": ("aliases =", "alias =", "[one-thing] alias misspelt"),
    "missing key": ('name = "One thing"', "", "[one-thing] name missing"),
    "missing slug": ('slug = "other-thing"', "", "term number 2 slug missing"),
    "empty name": ('name = "One thing"', 'name = ""', "[one-thing] name empty"),
    "blank name": ('name = "One thing"', 'name = " "', "[one-thing] name empty"),
    "name of brackets only": ('name = "One thing"', 'name = " (OT)"', "[one-thing] name"),
    "blank definition": ('"The other thing is a thing beside [[one-thing]]."', "' '", "[other-thing] definition empty"),
    "name no text": ('name = "One thing"', "name = 3", "[one-thing] name 3"),
    "aliases no list": ('["the first"]', '"the first"', "[one-thing] aliases list"),
    "a section that is none": ("[[lesson]]", "[[lessons]]", "lessons [[lesson]] [[term]]"),
    "one bracket instead of two": ("[[lesson]]", "[lesson]", "[[lesson]] two"),
    "a number for all lessons": (GOOD, "lesson = 3", "[[lesson]] two"),
    "numbers for terms": (GOOD, "term = [3, 4]", "term number 1"),
    "a number of 5000 digits": ("rate = 0.5", f"rate = {'9' * 5000}", "glossary.toml"),
    "broken TOML": ('name = "One thing"', 'name = "One thing', "glossary.toml TOML line"),
    "empty file": (GOOD, "", "no [[term]]"),
    "only a comment": (GOOD, "# soon", "no [[term]]"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_said_with_the_slug_and_what_would_be_right(old, new, named, tmp_path):
    assert (old in GOOD) != (old in LESSON)
    file = "glossary.toml" if old in GOOD else "lessons/01-first.toml"
    said = mistakes(GOOD.replace(old, new, 1), tmp_path, LESSON.replace(old, new, 1))
    named_in = [mistake for mistake in said if all(word in mistake for word in named.split())]
    assert named_in and named_in[0].startswith(f"{file}: "), said
    assert all(mistake.isprintable() for mistake in said), said
    assert len(said) <= 12, "what follows from one mistake is not endless"


@pytest.mark.parametrize("page", sorted(path.stem for path in PAGES.glob("*.py")))
def test_no_slug_is_the_name_of_a_page_file(page, tmp_path):
    said = mistakes(GOOD.replace('slug = "other-thing"', f'slug = "{page}"'), tmp_path)
    assert any(f"[{page}] slug: {page!r} is already the address" in mistake for mistake in said)


def test_what_is_asked_about_a_term_needs_a_playground(tmp_path):
    question = (
        '[[term.other-thing.question]]\nid = "x"\nask = "?"\noptions = [{ text = "a" }, { text = "b", right = true }]\n'
    )
    (said,) = mistakes(GOOD, tmp_path, LESSON + question)
    assert "[other-thing] question x" in said and "playground" in said


def test_two_questions_of_a_term_cannot_have_one_id(tmp_path):
    again = LESSON[LESSON.index("[[term.one-thing.goal]]") : LESSON.index("[[term.one-thing.stop]]")]
    (said,) = mistakes(GOOD, tmp_path, LESSON + again)
    assert "[one-thing]" in said and "'far'" in said


def test_a_term_is_asked_about_in_one_file_only(tmp_path):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "02-second.toml").write_text(LESSON)
    said = mistakes(GOOD, tmp_path)
    assert any(one.startswith("lessons/02-second.toml: term.one-thing: lessons/01-first.toml") for one in said), said


def test_all_mistakes_are_said_at_once(tmp_path):
    text = GOOD.replace("rate = 0.5", "rate = 9, hiden = 3").replace("[[other-thing|", "[[othr|")
    text = text.replace('see_also = ["other-thing"]', 'see_also = ["nothing"]')
    said = mistakes(text, tmp_path, LESSON.replace("about [[one", "about [[two").replace('"Get far."', '"Get $far."'))
    assert [re.findall(r"\[([a-z-]+)\] (\w+)", mistake)[0] for mistake in said] == [
        ("one-thing", "definition"),
        ("one-thing", "see_also"),
        ("one-thing", "preset"),
        ("one-thing", "preset"),
        ("first-lesson", "introduction"),
        ("one-thing", "goal"),
    ]


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", "name = 'é'".encode("latin-1"), b"\x00" * 100, b"[[term]]\n" * 3])
def test_a_file_that_is_no_text_is_a_mistake_too(text, tmp_path):
    assert mistakes(text, tmp_path)


def test_a_mark_before_the_first_byte_is_no_mistake(tmp_path):
    assert mistakes(b"\xef\xbb\xbf" + GOOD.encode(), tmp_path) == []


def test_a_folder_of_that_name_is_a_mistake_too(tmp_path):
    (tmp_path / "glossary.toml").mkdir()
    with pytest.raises(GlossaryError, match=r"glossary\.toml: it is a folder: a file of that name"):
        load(tmp_path / "glossary.toml")


def test_a_file_that_may_not_be_read_is_a_mistake_too(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(GlossaryError, match="cannot be read: Permission denied"):
        load(tmp_path / "glossary.toml")


@pytest.mark.parametrize("deep", ["[" * 3000 + "]" * 3000, "{a=" * 3000 + "1" + "}" * 3000])
def test_brackets_in_brackets_thousands_deep_are_a_mistake_too(deep, tmp_path):
    said = mistakes(GOOD.replace("{ rate = 0.5", f"{{ rate = {deep}"), tmp_path)
    assert "brackets in brackets" in said[0]


@pytest.mark.parametrize(
    "text",
    [
        r"$\{a\}$ and $\begin{pmatrix} a \\ b \end{pmatrix}$",
        r"It costs \$5.",
        "`$HOME` and `{x`",
        "$$x^{2}$$",
        "$[[1, 2], [3, 4]]$",
        r"$\left\{ x \right. \leftarrow y$",
        r"$\begin{align*} a &= b \\ \end{align*}$",
    ],
)
def test_signs_that_are_meant_are_no_mistake(text, tmp_path):
    written = text.replace("\\", "\\\\")  # in TOML
    lesson = LESSON.replace("it drifts", written).replace("It is about", f"{written} It is about")
    assert mistakes(GOOD, tmp_path, lesson) == []


def test_a_missing_file_is_a_mistake_too(tmp_path):
    with pytest.raises(GlossaryError, match=r"nothing\.toml: it is missing"):
        load(tmp_path / "nothing.toml")


anything = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates(), st.datetimes(), st.times(),
              st.sampled_from(["one-thing", "first-lesson", "[[one-thing]]", "[[x|y]]", "[[a\nb]]", "$", " (x)", ". A",
                               "toy"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(part: Any, path: tuple = ()) -> Iterator[tuple]:
    """The paths of everything inside."""
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def planted(raw: dict[str, Any], path: tuple, value: Any, how: str) -> None:
    *way, last = path
    inside: Any = raw
    for key in way:
        inside = inside[key]
    if how == "instead":
        inside[last] = value
    elif how == "gone":
        del inside[last]
    elif isinstance(inside, list):
        inside.insert(last, value)
    else:
        inside[value if isinstance(value, str) else "extra"] = value


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_stands_in_the_files_they_load_and_can_be_used_or_it_is_a_mistake(data):
    raws = [copy.deepcopy(tomllib.loads(text)) for text in (GOOD, LESSON)]
    for _ in range(data.draw(st.integers(1, 3))):
        raw = data.draw(st.sampled_from(raws))
        path = data.draw(st.sampled_from([*places(raw), ("extra",)]))
        how = data.draw(st.sampled_from(["instead", "gone", "beside"])) if path != ("extra",) else "instead"
        planted(raw, path, data.draw(anything), how)
    with (
        mock.patch.object(reading.tomllib, "loads", side_effect=raws),
        mock.patch.object(Path, "glob", return_value=[LESSONS / "01-first.toml"]),
        mock.patch.object(Path, "read_text", return_value=""),
    ):
        try:
            one = load(FILE)
        except GlossaryError as error:
            assert error.mistakes and all(isinstance(mistake, str) and mistake for mistake in error.mistakes)
            return
    use(one)
