"""What the server adds to the HTML of an address: title, meta data, a layer that shows the page before it is drawn."""

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from edition import NAME, meta, stills, texts
from edition.meta import Meta
from edition.openings import Link, differences, opens_at_its_first_step
from glossary import Glossary, GlossaryError, Lesson, Term
from playgrounds.player import library

TEMPLATES = Path(__file__).resolve().parent / "templates"
SETTING = "GLOSSARY_ADDRESS"  # environment: the public address of the app, as in https://example.org/glossary
MOST = 512  # pages kept; links with a state are pages of their own
FRESH = 1.0  # seconds for which nobody looks whether the course's files have changed

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Paint:
    """What an address adds to the HTML: to its head, and to its body before everything else."""

    status: int = 200
    head: str = ""
    body: str = ""


class Painter:
    """Paints the pages of a glossary, each once.

    load: the glossary as it is now; may raise GlossaryError. others: the addresses of pages that are no term and no
    lesson, which get a title only.
    """

    def __init__(self, load: Callable[[], Glossary], others: Callable[[], Container[str]] = frozenset):
        self._load, self._others = load, others
        self._public = public_address()
        self._glossary: Glossary | None = None
        self._looked = -FRESH
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple, Paint] = OrderedDict()

    def paint(self, address: str, query: str = "", host: str = "") -> Paint:
        """address: without the app's prefix, "" for home. host: the app's address as this reader reaches it."""
        with self._lock:
            glossary = self._current()
            if glossary is None:
                return NOTHING
            at = self._public or host
            page = self._page(glossary, address)
            link = Link.read(query)
            key: tuple = (at,)
            if isinstance(page, Term):
                shown = (opens_at_its_first_step(page, link), link.is_embedded, link.theme)
                key = (at, page.slug, differences(page, link), *shown)
            elif isinstance(page, Lesson):
                key = (at, page.url, link.is_embedded, link.theme)
            elif page is not None:
                return page
            if key not in self._made:
                self._made[key] = _painted(glossary, page, at, link)
            self._made.move_to_end(key)
            while len(self._made) > MOST:
                self._made.popitem(last=False)
            return self._made[key]

    def warm(self) -> None:
        """Load the glossary in the background: the first visitor of a fresh server need not wait for it."""
        threading.Thread(target=self.paint, args=("",), name="first paint", daemon=True).start()

    def _current(self) -> Glossary | None:
        """The glossary; None while its files have mistakes, which the app itself tells."""
        if time.monotonic() - self._looked < FRESH:
            return self._glossary
        try:
            glossary = self._load()
        except GlossaryError:
            glossary = None
        if glossary is not self._glossary:
            self._made.clear()
        self._glossary = glossary
        self._looked = time.monotonic()
        return glossary

    def _page(self, glossary: Glossary, address: str) -> Term | Lesson | Paint | None:
        """The page of an address, None for home, or what an address without one gets."""
        asked = unquote(address).strip("/").rpartition("/")[2].strip()
        if not asked:
            return None
        meant = asked.replace("_", "-").lower()  # the app leads there
        if meant in glossary.term:
            return glossary.term[meant]
        for lesson in glossary.lessons:
            if lesson.url == meant:
                return lesson
        return NOTHING if asked in self._others() or meant in self._others() else UNKNOWN


def public_address() -> str:
    """The setting, without a slash at its end; "" if it is not set or no address."""
    given = os.environ.get(SETTING, "").strip().rstrip("/")
    if not given:
        return ""
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        log.error("%s=%r is no address: write it as https://example.org/glossary", SETTING, given)
        return ""
    return given


def _painted(glossary: Glossary, page: Term | Lesson | None, at: str, link: Link) -> Paint:
    if isinstance(page, Term):
        return _term(glossary, page, at, link)
    if isinstance(page, Lesson):
        number = glossary.lessons.index(page) + 1
        return _plain(
            meta.of_lesson(glossary, page, at),
            link,
            glossary,
            name=page.title,
            above=f"Lesson {number} of {len(glossary.lessons)}",
            text=Markup(texts.html(page.introduction or page.sentence, meta.names(glossary))),
            entries=[(term.slug, term.name) for term in glossary.of(page)],
        )
    return _plain(
        meta.of_home(glossary, at),
        link,
        glossary,
        name=NAME,
        above="",
        text=meta.sentence(glossary),
        entries=[(lesson.url, lesson.title) for lesson in glossary.lessons],
    )


def _term(glossary: Glossary, term: Term, at: str, link: Link) -> Paint:
    names = meta.names(glossary)
    lesson = glossary.lesson[term.lesson]
    shows = opens_at_its_first_step(term, link)
    light, dark = (stills.address(term.slug, f"first-{theme}.webp") if shows else "" for theme in ("light", "dark"))
    told = meta.of_term(glossary, term, at, differences(term, link))
    body = _template("term.html").render(
        term=term,
        lesson=lesson,
        link=link,
        lead=Markup(texts.html_inline(term.lead, names)),
        definition=definition(glossary, term),
        light=light,
        dark=dark,
        script=_script(),
    )
    picture = {"light": dark if link.theme == "dark" else light, "dark": light if link.theme == "light" else dark}
    return Paint(head=_head(told, library.ADDRESS if term.playground else "", picture if light else {}), body=body)


def definition(glossary: Glossary, term: Term) -> Markup:
    """The whole definition and where to go next, as plain HTML."""
    names = meta.names(glossary)
    text = Markup(texts.html(term.definition, names))
    see_also = [(slug, names[slug]) for slug in term.see_also]
    return Markup(_template("definition.html").render(text=text, see_also=see_also))


def _plain(told: Meta, link: Link, glossary: Glossary, **shown: object) -> Paint:
    return Paint(head=_head(told), body=_template("page.html").render(link=link, script=_script(), **shown))


def _head(told: Meta, library_at: str = "", pictures: Mapping[str, str] = MappingProxyType({})) -> str:
    """pictures: what the layer shows, by the reader's colour scheme."""
    head = _template("head.html")
    return head.render(meta=told, name=NAME, library=library_at, pictures=pictures, style=_style())


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Template:
    return _templates().get_template(name)


@cache
def _style() -> Markup:
    return Markup((TEMPLATES / "layer.css").read_text(encoding="utf-8"))


@cache
def _script() -> Markup:
    return Markup((TEMPLATES / "layer.js").read_text(encoding="utf-8"))


NOTHING = Paint(head=f"<title>{NAME}</title>")
UNKNOWN = Paint(404, f'<title>No such page · {NAME}</title>\n<meta name="robots" content="noindex">')
