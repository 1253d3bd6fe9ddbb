"""What surrounds every page: the loaded glossary, the sidebar, the search, the style, links between terms."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from threading import Semaphore
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import streamlit as st

from edition import NAME
from glossary import ABOUT, CLASSROOM, EXAM, FILE, HOME, LESSONS, PAGES, PRACTICE, Glossary, GlossaryError, Term, load
from pages import cards, keys, seat
from playgrounds.kit import catalogue
from playgrounds.stage import connection, progress

_turn = Semaphore()
PATIENCE = 3.0  # seconds that a page waits for its turn before it goes ahead all the same

STYLE = f"<style>{(PAGES / 'site.css').read_text(encoding='utf-8')}</style>"

# One component for what watches the whole page: a component's script can import none of its neighbours.
SCRIPTS = ("links.js", "marks.js", "search.js", "seat.js")
links = st.components.v2.component(
    "links", js="\n".join((PAGES / name).read_text(encoding="utf-8") for name in SCRIPTS)
)


@dataclass
class Site:
    """The glossary and the pages of this run, by address."""

    glossary: Glossary
    playgrounds: list[str]
    pages: dict[str, st.Page] = field(default_factory=dict)
    here: str = ""  # the address of the page that is shown

    def add(self, show: Callable[..., None], title: str, address: str, *of: Any, default: bool = False) -> None:
        """A page that calls show(site, *of)."""

        def open_it() -> None:
            self.here = address
            show(self, *of)

        self.pages[address] = st.Page(open_it, title=title, url_path=address, default=default)

    @property
    def starts(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What the pages of all terms start from, by address and playground."""
        return {term.slug: term.starts for term in self.glossary.terms if term.playground}

    @property
    def home(self) -> st.Page:
        return self.pages[HOME]

    def link(self, term: Term, label: str = "") -> None:
        st.page_link(self.pages[term.slug], label=label or f":primary[{term.name}]")

    def unknown_address(self) -> str:
        """The address that was asked for, if no page has it ("" otherwise)."""
        path = unquote(urlsplit(st.context.url or "").path).strip("/")
        asked = path.rpartition("/")[2].strip()[:80]
        return "" if asked in self.pages or not asked else asked


def load_site() -> Site | None:
    """The site, or None after showing everything that is wrong with the course's files."""
    try:
        return Site(current_glossary(), catalogue.names())
    except GlossaryError as error:
        st.set_page_config(page_title=f"Mistakes in the course's files · {NAME}")
        st.title("The course's files have mistakes")
        st.markdown("The glossary opens again when they are mended; save the file and reload this page.")
        for mistake in error.mistakes:
            st.code(mistake, None, wrap_lines=True)
        return None


def current_glossary() -> Glossary:
    """The glossary as its files are now. Raises GlossaryError with everything that is wrong with them."""
    files = [FILE, *sorted(LESSONS.glob("*.toml")), *sorted(catalogue.FOLDER.glob("*/*.py"))]
    files = [path for path in files if path.exists()]
    return _glossary(tuple((str(path), path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=1)  # st.cache_resource takes 2 ms to hash the stamp, in every rerun
def _glossary(stamp: tuple) -> Glossary:
    return load()


def frame(site: Site, title: str, *, search: bool = True, bar: bool = True) -> None:
    """Title of the browser's tab, style, sidebar; in a live room its bar."""
    st.set_page_config(
        page_title=f"{title} · {NAME}" if title else NAME, page_icon=str(PAGES / "icon.svg"), layout="wide",
        initial_sidebar_state="collapsed",
    )  # fmt: skip
    st.html(STYLE)
    connection.watch()
    if not st.context.is_embedded:
        with st.sidebar:
            _sidebar(site, search)
    told = links(key="links", data=seat.to_keep(), on_kept_change=lambda: None)
    seat.remember(told.kept)
    keys.listen()
    if bar and not st.context.is_embedded and seat.is_concerned():
        from pages import classbar  # which stands on this module

        classbar.show(site)


def _sidebar(site: Site, search: bool) -> None:
    """The search, and all lessons with their terms: one piece of HTML, the same on every page, that folds by itself."""
    st.page_link(site.home, label=f"**{NAME}**")
    if search:
        _sidebar_search(site)
    st.html(_contents(site.glossary))


@st.fragment
def _sidebar_search(site: Site) -> None:
    if text := search_box("sidebar-search"):
        found = site.glossary.search(text, 8) or nothing_found()
        cards.show_hits([cards.Card(term.slug, term.name) for term in found], text)


@lru_cache(maxsize=1)
def _contents(glossary: Glossary) -> str:
    lessons = []
    for lesson in glossary.lessons:
        links = f'<li><a href="{lesson.url}"><em>About this lesson</em></a></li>'
        for term in glossary.of(lesson):
            tasks = len(term.asked.question) + len(term.asked.goal)  # marks.js compares it with what is done
            links += f'<li><a href="{term.slug}" data-of="{tasks}">{escape(term.name)}</a></li>'
        lessons.append(
            f'<details id="in-{lesson.slug}"><summary>{escape(lesson.title)}</summary><ul>{links}</ul></details>'
        )
    about = f'<a href="{ABOUT}">About and privacy</a>'
    practise = f'<a class="contents-practice" href="{PRACTICE}">Practice</a><a href="{EXAM}">Mock exam</a>'
    practise += f'<a href="{CLASSROOM}">Live classroom</a>'
    return f'<nav class="contents inside" aria-label="Lessons and terms">{practise}{"".join(lessons)}{about}</nav>'


@contextmanager
def turn() -> Iterator[None]:
    """Full runs of the app take turns: 200 side by side would share one GIL, and all be as late as the last."""
    mine = _turn.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if mine:
            _turn.release()


def search_box(key: str, label_visibility: Literal["visible", "hidden", "collapsed"] = "collapsed") -> str:
    return st.text_input(
        "Search", key=key, type="search", live=True, placeholder="Search a term", label_visibility=label_visibility
    ) or ""  # fmt: skip


def nothing_found() -> list[Term]:
    st.markdown("No term found. Try fewer letters, or look through the lessons.")
    return []


def show_progress(terms: list[Term], manage: bool = False, start: tuple[str, str] | None = None) -> None:
    """How far the reader is with these terms. The rest: see progress.summary."""
    tasks = {term.slug: progress.tasks(term.asked.question, term.asked.goal) for term in terms}
    progress.summary(tasks, manage, start)


def neighbours(previous: tuple[st.Page, str] | None, following: tuple[st.Page, str] | None) -> None:
    """Links to the page before (left) and the page after (right)."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if previous:
            st.page_link(previous[0], label=f":primary[← {previous[1]}]")
        else:
            st.space("small")
        if following:
            st.page_link(following[0], label=f":primary[{following[1]} →]")
