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

from glossary import FILE, HOME, PAGES, Glossary, GlossaryError, Term, load
from playgrounds.kit import catalogue
from playgrounds.stage import connection, progress

NAME = "Trainable Glossary"
_turn = Semaphore()
PATIENCE = 3.0  # seconds that a page waits for its turn before it goes ahead all the same

STYLE = """<style>
.stMainBlockContainer { padding: 2.6rem 2rem 4rem; max-width: 88rem; }
.stMain .stMarkdown p, .stMain .stMarkdown li { line-height: 1.6; }
.stMain .stMarkdown .katex { font-size: 1.08em; }
.stMain h1 { padding-top: 0; }
.st-key-definition { max-width: 46rem; }
.stMain .stPageLink a { padding-left: 0; padding-right: 0; }
.stMain .stButton button { height: auto; text-align: left; }
.stMain .stButton button * { white-space: normal; overflow: visible; text-overflow: clip; }
.stMain .stButton button[kind="primary"] { background: #1a66a8; border-color: #1a66a8; color: #fff; }
.stSidebar .stPageLink * { white-space: normal; overflow: visible; }
.stSidebar .stVerticalBlock { gap: 0.25rem; }
.contents { font-size: 0.95rem; }
.contents summary { padding: 0.3rem 0; cursor: pointer; border-radius: 0.25rem; }
.contents ul { list-style: none; margin: 0 0 0.4rem; padding: 0 0 0 1.05rem; }
.contents li { margin: 0; padding: 0; }
.contents a { display: block; padding: 0.22rem 0.5rem; border-radius: 0.4rem; color: inherit; text-decoration: none; }
.contents a:hover, .contents a[aria-current] { background: color-mix(in srgb, currentColor 9%, transparent); }
.contents a[aria-current] { font-weight: 600; }
.contents :focus-visible { outline: 2px solid currentColor; outline-offset: 1px; }
@media (max-width: 640px) { .stMainBlockContainer { padding: 3.2rem 1rem 3rem; } }
@media print {
  .stSidebar, .stAppHeader, .stTabs, .stButton { display: none !important; }
  .stMainBlockContainer { padding: 0; }
}
</style>"""

LINKS = """
// A click on a link to a term stays in this session instead of loading the app anew; new tabs still work.
export default function () {
  const app = document.querySelector(".stApp");
  const open = (event) => {
    const link = event.target.closest("a[target='_self'], .contents a");
    const address = link?.getAttribute("href");
    if (!address || !/^[a-z0-9-]+$/.test(address) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (app.dataset.testConnectionState !== "CONNECTED") return;
    go(app, link.href);
    const inSidebar = link.closest(".contents") && innerWidth < 768; // there it lies over the page
    if (inSidebar) document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  };
  app.addEventListener("click", open);
  unfold(20);
  return () => app.removeEventListener("click", open);
}

// Streamlit opens what the address names, as it does after Back. (st.switch_page would put an entry without the query
// before that of the new page, and Back would lose the knobs.) A run that is going on may still write its query, so it
// ends first.
function go(app, address, tries = 30) {
  const busy = /running|rerunRequested/.test(app.dataset.testScriptState);
  if (busy && tries) return setTimeout(go, 30, app, address, tries - 1);
  const embed = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("embed"));
  history.pushState({}, "", embed.length ? `${address}?${new URLSearchParams(embed)}` : address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  document.querySelector(".stMain")?.scrollTo(0, 0);
}

// In the sidebar, open the lesson of this page and mark the page. The sidebar may still be on its way, or be made anew.
function unfold(tries) {
  if (tries) setTimeout(() => unfold(tries - 1), 150);
  const contents = document.querySelector(".contents");
  const here = location.pathname.split("/").at(-1);
  if (!contents || contents.dataset.page === here) return;
  contents.dataset.page = here;
  contents.querySelector("[aria-current]")?.removeAttribute("aria-current");
  const link = [...contents.querySelectorAll("a")].find((one) => one.getAttribute("href") === here);
  link?.setAttribute("aria-current", "page");
  link?.closest("details").setAttribute("open", "");
}
"""
links = st.components.v2.component("links", js=LINKS)


@dataclass
class Site:
    """The glossary and the pages of this run, by address."""

    glossary: Glossary
    playgrounds: list[str]
    pages: dict[str, st.Page] = field(default_factory=dict)

    def add(self, show: Callable[[], None], title: str, address: str, default: bool = False) -> None:
        self.pages[address] = st.Page(show, title=title, url_path=address, default=default)

    def starts(self, playground: str) -> dict[str, dict[str, Any]]:
        """The presets of the terms that show a playground, by address."""
        return {term.slug: term.preset for term in self.glossary.terms if term.playground == playground}

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


def site() -> Site | None:
    """The site, or None after showing everything that is wrong with glossary.toml."""
    files = [path for path in [FILE, *sorted(catalogue.FOLDER.glob("*.py"))] if path.exists()]
    stamp = tuple((path.name, path.stat().st_mtime_ns) for path in files)
    try:
        return Site(_glossary(stamp), catalogue.names())
    except GlossaryError as error:
        st.set_page_config(page_title=f"Mistakes in glossary.toml · {NAME}")
        st.title("glossary.toml has mistakes")
        st.markdown("The glossary opens again when they are mended; save the file and reload this page.")
        for mistake in error.mistakes:
            st.code(mistake, None, wrap_lines=True)
        return None


@lru_cache(maxsize=1)  # st.cache_resource takes 2 ms to hash the stamp, in every rerun
def _glossary(stamp: tuple) -> Glossary:
    return load()


def frame(site: Site, title: str, *, search: bool = True) -> None:
    """Title of the browser's tab, style, sidebar."""
    st.set_page_config(
        page_title=f"{title} · {NAME}" if title else NAME, page_icon=str(PAGES / "icon.svg"), layout="wide",
        initial_sidebar_state=276,
    )  # fmt: skip
    st.html(STYLE)
    connection.watch()
    if not st.context.is_embedded:
        with st.sidebar:
            _sidebar(site, search)
    links(key="links")


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
            st.markdown(site.glossary.plain(term.first_sentence))


def show_progress(terms: list[Term], manage: bool = False) -> None:
    """How far the reader is with these terms."""
    progress.summary({term.slug: (len(term.question), len(term.goal)) for term in terms}, manage)


def neighbours(previous: tuple[st.Page, str] | None, following: tuple[st.Page, str] | None) -> None:
    """Links to the page before (left) and the page after (right)."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if previous:
            st.page_link(previous[0], label=f":primary[← {previous[1]}]")
        else:
            st.space("small")
        if following:
            st.page_link(following[0], label=f":primary[{following[1]} →]")
