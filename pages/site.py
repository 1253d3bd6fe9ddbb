"""What surrounds every page: the loaded glossary, the sidebar, the search, the style, links between terms."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from threading import Semaphore
from typing import Any
from urllib.parse import unquote, urlsplit

import streamlit as st

from edition import NAME as NAME
from glossary import FILE, HOME, LESSONS, PAGES, Glossary, GlossaryError, Term, load
from pages import keys
from playgrounds.kit import catalogue
from playgrounds.stage import connection, progress

_turn = Semaphore()
PATIENCE = 3.0  # seconds that a page waits for its turn before it goes ahead all the same

STYLE = f"<style>{(PAGES / 'site.css').read_text(encoding='utf-8')}</style>"

links = st.components.v2.component("links", js=(PAGES / "links.js").read_text(encoding="utf-8"))


@dataclass
class Site:
    """The glossary and the pages of this run, by address."""

    glossary: Glossary
    playgrounds: list[str]
    pages: dict[str, st.Page] = field(default_factory=dict)

    def add(self, show: Callable[[], None], title: str, address: str, default: bool = False) -> None:
        self.pages[address] = st.Page(show, title=title, url_path=address, default=default)

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


def frame(site: Site, title: str, *, search: bool = True) -> None:
    """Title of the browser's tab, style, sidebar."""
    st.set_page_config(
        page_title=f"{title} · {NAME}" if title else NAME, page_icon=str(PAGES / "icon.svg"), layout="wide",
        initial_sidebar_state="collapsed",
    )  # fmt: skip
    st.html(STYLE)
    connection.watch()
    if not st.context.is_embedded:
        with st.sidebar:
            _sidebar(site, search)
    links(key="links")
    keys.listen()


def _sidebar(site: Site, search: bool) -> None:
    """The search, and all lessons with their terms: one piece of HTML, the same on every page, that folds by itself."""
    st.page_link(site.home, label=f"**{NAME}**")
    if search:
        _sidebar_search(site)
    st.html(_contents(site.glossary))


@st.fragment
def _sidebar_search(site: Site) -> None:
    if text := search_box("sidebar-search"):
        for term in site.glossary.search(text, 8) or nothing_found():
            site.link(term)


@lru_cache(maxsize=1)
def _contents(glossary: Glossary) -> str:
    lessons = []
    for lesson in glossary.lessons:
        entries = [(lesson.url, "<em>About this lesson</em>")]
        entries += [(term.slug, escape(term.name)) for term in glossary.of(lesson)]
        links = "".join(f'<li><a href="{address}">{name}</a></li>' for address, name in entries)
        lessons.append(
            f'<details id="in-{lesson.slug}"><summary>{escape(lesson.title)}</summary><ul>{links}</ul></details>'
        )
    return f'<nav class="contents" aria-label="Lessons and terms">{"".join(lessons)}</nav>'


@contextmanager
def turn() -> Iterator[None]:
    """Full runs of the app take turns: 200 side by side would share one GIL, and all be as late as the last."""
    mine = _turn.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if mine:
            _turn.release()


def search_box(key: str, label_visibility: str = "collapsed") -> str:
    return st.text_input(
        "Search", key=key, type="search", live=True, placeholder="Search a term", label_visibility=label_visibility
    ) or ""  # fmt: skip


def nothing_found() -> list[Term]:
    st.markdown("No term found. Try fewer letters, or look through the lessons.")
    return []


def listing(site: Site, terms: list[Term]) -> None:
    """Terms with their first sentences."""
    for term in terms:
        with st.container(gap="xxsmall"):
            site.link(term, f":primary[**{term.name}**]")
            st.markdown(site.glossary.plain(term.lead))


def show_progress(terms: list[Term], manage: bool = False) -> None:
    """How far the reader is with these terms."""
    progress.summary({term.slug: progress.tasks(term.asked.question, term.asked.goal) for term in terms}, manage)


def neighbours(previous: tuple[st.Page, str] | None, following: tuple[st.Page, str] | None) -> None:
    """Links to the page before (left) and the page after (right)."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if previous:
            st.page_link(previous[0], label=f":primary[← {previous[1]}]")
        else:
            st.space("small")
        if following:
            st.page_link(following[0], label=f":primary[{following[1]} →]")
