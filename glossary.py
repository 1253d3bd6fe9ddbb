"""Lessons and terms: the content of glossary.toml, loaded and checked as a whole."""

import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import fuzz, process, utils
from rapidfuzz.distance import OSA

from playgrounds.kit import catalogue
from playgrounds.kit.conditions import COMPARISON, compares
from playgrounds.kit.markup import faults, open_places, quoted, words
from playgrounds.kit.words import places

FILE = Path(__file__).resolve().parent / "glossary.toml"
LINK = re.compile(r"\[\[([^\]|]*)(?:\|([^\]]*))?\]\]")
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
PROPER_NAMES = {"Adam", "He", "Inception", "Nesterov", "Transformer", "Xavier"}
HOME = "home-page"  # Streamlit wants an address of its own for it, though it answers at / only
PAGES = Path(__file__).resolve().parent / "pages"


class GlossaryError(Exception):
    """glossary.toml cannot be used; `mistakes` has one sentence for each thing to mend."""

    def __init__(self, mistakes: list[str]):
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Lesson(_Entry):
    slug: str = Field(pattern=SLUG)
    title: str = Field(min_length=1)
    sentence: str = Field(min_length=1)
    introduction: str = Field(min_length=1)

    @property
    def url(self) -> str:
        return f"lesson-{self.slug}"


class Question(_Entry):
    """Predict before the run. `answer` counts the options from 0; `run` sets the knobs that decide it, and `decides`
    says which numbers its last state then has. In `because`, {loss} stands for the value of the metric loss there."""

    ask: str = Field(min_length=1)
    options: list[str] = Field(min_length=2, max_length=4)
    answer: int = Field(ge=0)
    because: str = Field(min_length=1)
    run: dict[str, Any] = {}
    decides: dict[str, str] = {}


class Goal(_Entry):
    """Something to reach: `reach` compares metrics of the last state, as ">= 0.99"; `with` says how knobs must stand,
    as "<= 3" or, for a choice, as the value itself. `solution` is one way to get there, from the preset on."""

    ask: str = Field(min_length=1)
    reach: dict[str, str] = Field(min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    solution: dict[str, Any] = {}


class Term(_Entry):
    slug: str = Field(pattern=SLUG)
    name: str = Field(min_length=1, pattern=r"^[^(]")  # what stands in brackets at its end is left out in texts
    aliases: list[str] = []
    lesson: str
    definition: str = Field(min_length=1)
    see_also: list[str] = []
    playground: str = ""
    preset: dict[str, Any] = {}
    question: list[Question] = []
    goal: list[Goal] = []

    @cached_property
    def first_sentence(self) -> str:
        """What the term is, in the one sentence that lists and search results show; links are plain words in it."""
        text = " ".join(self.definition.split())
        end = re.search(r"[.!?](?=\s+[^a-z]|$)", _words_only(text))
        return text[: end.end()] if end else text


class Glossary:
    """All lessons and terms in teaching order, and what is found quickly in them."""

    def __init__(self, lessons: list[Lesson], terms: list[Term]):
        self.lessons = lessons
        self.terms = terms
        self.term = {term.slug: term for term in terms}
        self.lesson = {lesson.slug: lesson for lesson in lessons}

    def of(self, lesson: Lesson) -> list[Term]:
        """The lesson's terms in teaching order."""
        return [term for term in self.terms if term.lesson == lesson.slug]

    def alphabetical(self) -> list[Term]:
        return sorted(self.terms, key=lambda term: term.name.lower())

    def search(self, text: str, most: int = 12) -> list[Term]:
        """Terms whose name, alias or definition has the text, best first; small typos are forgiven."""
        text = utils.default_process(text[:100])
        if not text:
            return []
        score: dict[str, float] = {}
        for term in self.terms:
            names = [utils.default_process(name) for name in (term.name, *term.aliases, term.slug)]
            if any(name.startswith(text) for name in names):
                score[term.slug] = 200 - min(len(name) for name in names if name.startswith(text)) / 100
            elif any(f" {text}" in f" {name}" for name in names):
                score[term.slug] = 150
            elif len(text) > 2 and re.search(rf"\b{re.escape(text)}", utils.default_process(term.definition)):
                score[term.slug] = 100
            elif len(text) > 3 and (near := max(_similar(text, name) for name in names)) >= 0.75:
                score[term.slug] = 90 * near
        ranked = sorted(score, key=lambda slug: -score[slug])
        return [self.term[slug] for slug in ranked[:most]]

    def markdown(self, text: str) -> str:
        """The text with every [[slug]] as a link that opens in the same tab."""
        return LINK.sub(lambda found: self._link(found[1], found[2]), text)

    def plain(self, text: str) -> str:
        """The text with every [[slug]] as the words it shows."""
        return LINK.sub(lambda found: found[2] or _in_text(self.term[found[1]].name), text)

    def _link(self, slug: str, words: str | None) -> str:
        term = self.term[slug]
        return f'<a href="{slug}" target="_self" data-term="{slug}">{words or _in_text(term.name)}</a>'


def load(path: Path = FILE) -> Glossary:
    """Read and check the file. Raises GlossaryError with everything that is wrong with it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark of their own
    except FileNotFoundError:
        raise GlossaryError([f"{path.name} is missing: it must stand beside app.py"]) from None
    except IsADirectoryError:
        raise GlossaryError([f"{path.name} is a folder: a file of that name must stand beside app.py"]) from None
    except OSError as error:
        raise GlossaryError([f"{path.name} cannot be read: {error.strerror}; let the server read it"]) from None
    except RecursionError:
        raise GlossaryError([f"{path.name} has brackets in brackets hundreds deep: close them"]) from None
    except ValueError as error:  # TOML's own error, bytes that are no UTF-8, a number of thousands of digits
        raise GlossaryError([f"{path.name} is not valid TOML: {error}"]) from None
    mistakes = [
        f"{path.name}: {name}: only [[lesson]] and [[term]] stand here" for name in raw.keys() - {"lesson", "term"}
    ]
    lessons = list(_entries(Lesson, raw.get("lesson", []), path.name, mistakes))
    terms = list(_entries(Term, raw.get("term", []), path.name, mistakes))
    glossary = Glossary(lessons, terms)
    mistakes += [f"{path.name}: {mistake}" for mistake in _inconsistencies(glossary)]
    if not terms and not mistakes:
        mistakes.append(f"{path.name}: there is no [[term]] in it")
    if mistakes:
        raise GlossaryError(mistakes)
    return glossary


def _entries(kind: type[_Entry], raws: Any, file: str, mistakes: list[str]) -> Iterator[Any]:
    if not isinstance(raws, list):
        mistakes.append(f"{file}: write [[{kind.__name__.lower()}]] with two brackets on each side")
        return
    for number, raw in enumerate(raws, start=1):
        if not isinstance(raw, dict):
            mistakes.append(f"{file}: {kind.__name__.lower()} number {number}: {str(raw)[:40]!r} is no [[...]] block")
            continue
        try:
            yield kind.model_validate(raw)
        except ValidationError as error:
            name = raw.get("slug", f"{kind.__name__.lower()} number {number}")
            mistakes += [f"{file}: [{name}] {_said(one)}" for one in error.errors()]


def _said(error: Any) -> str:
    """One of pydantic's errors, in a teacher's words."""
    where = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "missing":
            return f"{where} is missing"
        case "extra_forbidden":
            return f"{where}: there is no such key; is it misspelt?"
        case "string_pattern_mismatch" if where == "name":
            return f"name: {error['input']!r} must not begin with a bracket"
        case "string_pattern_mismatch":
            return f"{where}: {error['input']!r} must be small letters, digits and single hyphens, as in xor-problem"
        case "string_too_short":
            return f"{where} is empty"
    return f"{where}: {error['msg']} (it is {str(error['input'])[:40]!r})"


def _inconsistencies(glossary: Glossary) -> Iterator[str]:
    """Mistakes between entries, and between the file and the playgrounds."""
    taken: dict[str, str] = {path.stem: "a file of the app" for path in PAGES.glob("*.py")} | {HOME: "the home page"}
    for entry in [*glossary.lessons, *glossary.terms]:
        url = entry.url if isinstance(entry, Lesson) else entry.slug
        if url in taken:
            yield f"[{entry.slug}] slug: {url!r} is already the address of {taken[url]}"
        taken[url] = f"[{entry.slug}]"
        if url.startswith("playground-"):
            yield f"[{entry.slug}] slug: addresses that start with playground- belong to the playgrounds"
    for lesson in glossary.lessons:
        yield from _links(glossary, lesson.slug, "introduction", lesson.introduction)
        yield from _signs(lesson.slug, {"sentence": lesson.sentence, "introduction": lesson.introduction})
    for term in glossary.terms:
        yield from _links(glossary, term.slug, "definition", term.definition)
        yield from _signs(term.slug, {"definition": term.definition})
        if term.lesson not in glossary.lesson:
            yield f"[{term.slug}] lesson: there is no lesson {term.lesson!r}{_meant(term.lesson, glossary.lesson)}"
        for slug in term.see_also:
            if slug == term.slug:
                yield f"[{term.slug}] see_also: {slug!r} is this term itself; name others"
            elif slug not in glossary.term:
                yield f"[{term.slug}] see_also: there is no term {slug!r}{_meant(slug, glossary.term)}"
        yield from _playground(term)


def _links(glossary: Glossary, slug: str, key: str, text: str) -> Iterator[str]:
    for target, _ in LINK.findall(text):
        if "[[" in target:
            yield f"[{slug}] {key}: {_half('[[' + target)}"
        elif target not in glossary.term:
            yield f"[{slug}] {key}: [[{target}]] links to no term{_meant(target, glossary.term)}"
    rest = LINK.sub(lambda link: " " * len(link[0]), words(text))
    for found in re.finditer(r"\[\[|\]\]", rest):
        start = found.start() if found[0] == "[[" else max(0, found.start() - 20)
        yield f"[{slug}] {key}: {_half(rest[start:])}"


def _half(near: str) -> str:
    return f"{quoted(near)} is half a link: write [[slug]] or [[slug|words]]"


def _signs(slug: str, texts: dict[str, str]) -> Iterator[str]:
    """Mistakes in the formulas of texts, by the name of each."""
    for where, text in texts.items():
        for fault in faults(text):
            yield f"[{slug}] {where}: {fault}"


def _playground(term: Term) -> Iterator[str]:
    for n, question in enumerate(term.question, start=1):
        if question.answer >= len(question.options):
            yield f"[{term.slug}] question {n} answer: {question.answer} is no option (they count from 0)"
        if "" in question.options:
            yield f"[{term.slug}] question {n} options: one of them is empty"
        for option in {one for one in question.options if one and question.options.count(one) > 1}:
            yield f"[{term.slug}] question {n} options: {option!r} stands there twice"
        texts = {"ask": question.ask, "because": question.because}
        texts |= {f"option {place}": option for place, option in enumerate(question.options)}
        yield from _signs(term.slug, {f"question {n} {name}": text for name, text in texts.items()})
        for fault in open_places(question.because):
            yield f"[{term.slug}] question {n} because: {fault}"
        yield from _comparisons(f"[{term.slug}] question {n}", question.decides)
    for n, goal in enumerate(term.goal, start=1):
        yield from _signs(term.slug, {f"goal {n} ask": goal.ask})
        yield from _comparisons(f"[{term.slug}] goal {n}", goal.reach)
    if not term.playground:
        if term.preset or term.goal or any(question.run or question.decides for question in term.question):
            yield f"[{term.slug}] preset, goal and a question's run need a playground"
        return
    if term.playground not in catalogue.names():
        known = catalogue.names()
        meant = _meant(term.playground, known)
        yield f"[{term.slug}] playground: there is no {term.playground!r}{meant}; there are {', '.join(known)}"
        return
    yield from _settings(term, catalogue.load(term.playground))


def _comparisons(where: str, conditions: dict[str, str]) -> Iterator[str]:
    for name, condition in conditions.items():
        if not COMPARISON.fullmatch(condition):
            yield f"{where}: {name} = {condition!r} is not a comparison like '>= 0.99'{_signs_meant(condition)}"


def _signs_meant(wrong: str) -> str:
    """For a number after a sign that is none: the comparison that was meant."""
    found = re.fullmatch(r"\s*(=<|=>|=|≤|≥)\s*(\S+)\s*", wrong)
    if not found:
        return ""
    meant = {"=<": "<=", "≤": "<=", "=>": ">=", "≥": ">=", "=": "=="}[found[1]]
    return f" (did you mean '{meant} {found[2]}'?)"


def _settings(term: Term, playground: catalogue.Playground) -> Iterator[str]:
    """Mistakes in what a term sets and measures: knobs, their values, metrics."""
    knobs, metrics = playground.Params.knobs(), playground.metrics
    settings = {"preset": term.preset}
    settings |= {f"question {n} run": question.run for n, question in enumerate(term.question, start=1)}
    settings |= {f"goal {n} solution": goal.solution for n, goal in enumerate(term.goal, start=1)}
    for where, values in settings.items():
        for mistake in playground.Params.preset(values)[1]:
            yield f"[{term.slug}] {where}.{mistake}"
    measured = {f"question {n} decides": question.decides for n, question in enumerate(term.question, start=1)}
    measured |= {f"question {n} because": places(q.because) for n, q in enumerate(term.question, start=1)}
    measured |= {f"goal {n} reach": goal.reach for n, goal in enumerate(term.goal, start=1)}
    for where, names in measured.items():
        for metric in names:
            if metric not in metrics:
                yield f"[{term.slug}] {where}: no metric {metric!r}; there are {', '.join(metrics)}"
    for n, goal in enumerate(term.goal, start=1):
        for name, wanted in goal.with_.items():
            if name not in knobs:
                yield f"[{term.slug}] goal {n} with: no knob {name!r}; there are {', '.join(knobs)}"
            elif not compares(wanted, knobs[name]) and (problem := knobs[name].read(wanted, None)[1]):
                if meant := _signs_meant(str(wanted)):
                    problem = f"{wanted!r} is neither a value nor a comparison{meant}"
                yield f"[{term.slug}] goal {n} with.{name}: {problem}"


def _meant(wrong: str, known: Any) -> str:
    close = process.extractOne(wrong, list(known), scorer=fuzz.ratio, score_cutoff=60)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _similar(text: str, name: str) -> float:
    """How like the text is to some word of the name and what follows it, from 0 to 1; a swap is one typo."""
    starts = [m.start() for m in re.finditer(r"\b\w", name)]
    pieces = {name[at : at + len(text) + d] for at in starts for d in (-1, 0, 1)}
    return max((OSA.normalized_similarity(text, piece) for piece in pieces), default=0.0)


def _words_only(text: str) -> str:
    """The text with links and formulas blanked out, so that a full stop in them ends no sentence."""
    return re.sub(rf"{LINK.pattern}|\$[^$]*\$", lambda found: "X" * len(found[0]), text)


def _in_text(name: str) -> str:
    """A term's name inside a sentence: without its brackets, with a small first letter unless it is a proper name."""
    plain = re.sub(r" \(.*\)$", "", name)
    as_it_is = plain.split()[0] in PROPER_NAMES or any(letter.isupper() for letter in plain[1:])
    return plain if as_it_is else plain[0].lower() + plain[1:]
