"""Reading glossary.toml and lessons/*.toml. Whatever is wrong with them is reported at once, in a teacher's words."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from glossary.checks import inconsistencies, meant
from glossary.course import Glossary
from glossary.entries import Asked, Confusion, Guide, Home, Lesson, Term

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "glossary.toml"
LESSONS = ROOT / "lessons"
PAGES = ROOT / "pages"
HOME = "home-page"  # Streamlit wants an address of its own for it, though it answers at / only
ABOUT = "about-this-glossary"
CLASSROOM, JOIN = "classroom", "join"
PRACTICE, EXAM, SHEETS = "practice", "exam", "sheets"
OWN = {
    HOME: "the home page",
    ABOUT: "the page about the glossary",
    PRACTICE: "the practice",
    EXAM: "the mock exam",
    SHEETS: "the sheets",
    CLASSROOM: "the live classroom",
    JOIN: "the page to join a live classroom",
}  # addresses that no term may have


class GlossaryError(Exception):
    """The course's files cannot be used; `mistakes` has one sentence for each thing to mend."""

    def __init__(self, mistakes: list[str]):
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class _File:
    """A TOML file, what it holds, and what is wrong with it."""

    def __init__(self, path: Path, name: str, mistakes: list[str]):
        self.name = name
        self.mistakes = mistakes
        self.raw: dict[str, Any] = {}
        try:
            # Some editors begin a file with a mark of their own.
            self.raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            self.say("it is missing: it must stand beside app.py")
        except IsADirectoryError:
            self.say("it is a folder: a file of that name must stand beside app.py")
        except OSError as error:
            self.say(f"it cannot be read: {error.strerror}; let the server read it")
        except RecursionError:
            self.say("it has brackets in brackets hundreds deep: close them")
        except ValueError as error:  # TOML's own error, bytes that are no UTF-8, a number of thousands of digits
            self.say(f"it is not valid TOML: {error}")

    def say(self, mistake: str) -> None:
        self.mistakes.append(f"{self.name}: {mistake}")

    def only(self, *known: str) -> None:
        """Complain of every key at the top that is none of these, as they are written."""
        keys = [one.strip("[]").partition(".")[0] for one in known]
        for key in self.raw.keys() - set(keys):
            self.say(f"{key}: only {', '.join(known)} stand here{meant(key, keys)}")

    def entries(self, key: str, kind: type[BaseModel]) -> Iterator[Any]:
        """The [[key]] blocks that are as they should be."""
        blocks = self.raw.get(key, [])
        if not isinstance(blocks, list):
            self.say(f"write [[{key}]] with two brackets on each side")
            return
        for number, block in enumerate(blocks, start=1):
            if not isinstance(block, dict):
                self.say(f"{key} number {number}: {str(block)[:40]!r} is no [[...]] block")
                continue
            made = self.entry(kind, block, str(block.get("slug", block.get("id", f"{key} number {number}"))))
            if made is not None:
                yield made

    def table(self, key: str, kind: type[BaseModel]) -> Any:
        """The one [key] table; None if there is none, or it is not as it should be."""
        block = self.raw.get(key)
        if block is None:
            return None
        if not isinstance(block, dict):
            self.say(f"write [{key}] with one bracket on each side, and what belongs to it below")
            return None
        return self.entry(kind, block, key)

    def entry(self, kind: type[BaseModel], block: Any, name: str) -> Any:
        """The block as an entry; None after saying what is wrong with it."""
        try:
            return kind.model_validate(block)
        except ValidationError as error:
            for one in error.errors():
                self.say(f"[{name}] {_said(one)}")
            return None


def load(path: Path = FILE, lessons: Path = LESSONS) -> Glossary:
    """Read and check both. Raises GlossaryError with everything that is wrong with them."""
    mistakes: list[str] = []
    file = _File(path, path.name, mistakes)
    file.only("[home]", "[[lesson]]", "[[term]]")
    home = file.table("home", Home)
    courses = list(file.entries("lesson", Lesson))
    terms = list(file.entries("term", Term))
    if not terms and not mistakes:
        file.say("there is no [[term]] in it")
    found = _Lessons()
    known = {term.slug for term in terms}
    for one in sorted(lessons.glob("*.toml")):
        _read_lesson(_File(one, f"{lessons.name}/{one.name}", mistakes), known, found)
    courses = [one.model_copy(update={"guide": found.guides.get(one.slug, Guide())}) for one in courses]
    terms = [one.model_copy(update={"asked": found.asked.get(one.slug, Asked())}) for one in terms]
    glossary = Glossary(courses, terms, found.confusions, home)
    mistakes += inconsistencies(glossary, file.name, found.places, PAGES, OWN)
    if mistakes:
        raise GlossaryError(mistakes)
    return glossary


@dataclass
class _Lessons:
    """What the lessons' files hold."""

    guides: dict[str, Guide] = field(default_factory=dict)  # by lesson
    asked: dict[str, Asked] = field(default_factory=dict)  # by term
    confusions: list[Confusion] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)  # the file in which a lesson, a term or a confusion stands


def _read_lesson(file: _File, terms: set[str], found: _Lessons) -> None:
    """Take up what a lesson's file says about its terms."""
    own = [f"[[{name}]]" if name in ("can", "table") else name for name in Guide.model_fields]
    file.only("lesson", *own, "[[term.SLUG.…]]", "[[confusion]]")
    _read_guide(file, found)
    for one in file.entries("confusion", Confusion):
        found.confusions.append(one)
        found.places[f"confusion {one.id}"] = file.name
    blocks = file.raw.get("term", {})
    if not isinstance(blocks, dict):
        file.say("write [[term.SLUG.question]], with the slug of the term between the dots")
        return
    for name, block in blocks.items():
        if name not in terms:
            file.say(f"term.{name}: there is no term {name!r}{meant(name, terms)}")
        elif name in found.asked:
            file.say(f"term.{name}: {found.places[f'term {name}']} asks about it already")
        elif (entry := file.entry(Asked, block, name)) is not None:
            found.asked[name] = entry
            found.places[f"term {name}"] = file.name


def _read_guide(file: _File, found: _Lessons) -> None:
    """Take up what a lesson's file says about the lesson itself."""
    slug, introduction = file.raw.get("lesson"), file.raw.get("introduction", "")
    if not file.raw:
        return
    if not isinstance(slug, str):
        file.say('it must begin with lesson = "…", the slug of its lesson')
        return
    if not isinstance(introduction, str) or not introduction.strip():
        file.say("introduction: it needs a text between ''' and '''")
        return
    block = {name: file.raw[name] for name in Guide.model_fields if name in file.raw}
    guide = file.entry(Guide, block, slug)
    if guide is not None:
        found.guides[slug] = guide
        found.places[f"lesson {slug}"] = file.name


def _said(error: Any) -> str:
    """One of pydantic's errors, in a teacher's words."""
    parts = [part + 1 if isinstance(part, int) else part for part in error["loc"]]
    where = ".".join(str(part) for part in parts if part != "list[any]")
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
        case "value_error":
            return f"{where}: {error['ctx']['error']}" if where else str(error["ctx"]["error"])
    return f"{where}: {error['msg']} (it is {str(error['input'])[:40]!r})"
