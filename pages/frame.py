"""What surrounds every page: the loaded glossary, the sidebar, the search, the style, links between terms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import streamlit as st

from glossary import FILE, HOME, PAGES, Glossary, GlossaryError, Term, load
from playgrounds.kit import catalogue
from playgrounds.stage import progress

NAME = "Trainable Glossary"

STYLE = """<style>
.stMainBlockContainer { padding: 2.6rem 2rem 4rem; max-width: 88rem; }
.stMain .stMarkdown p, .stMain .stMarkdown li { line-height: 1.6; }
.stMain .stMarkdown .katex { font-size: 1.08em; }
.stMain h1 { padding-top: 0; }
.st-key-definition { max-width: 46rem; }
.stMain .stPageLink a { padding-left: 0; padding-right: 0; }
.stMain .stButton button { height: auto; text-align: left; }
.stMain .stButton button * { white-space: normal; overflow: visible; text-overflow: clip; }
.stSidebar .stPageLink * { white-space: normal; overflow: visible; }
.stSidebar .stVerticalBlock { gap: 0.25rem; }
.stSidebar summary { opacity: 1 !important; }
@media (max-width: 640px) { .stMainBlockContainer { padding: 3.2rem 1rem 3rem; } }
@media print {
  .stSidebar, .stAppHeader, .stTabs, .stButton { display: none !important; }
  .stMainBlockContainer { padding: 0; }
}
</style>"""

LINKS = """
// A click on a link to a term stays in this session instead of loading the app anew; new tabs still work.
export default function ({ setTriggerValue }) {
  const main = document.querySelector(".stMain");
  const open = (event) => {
    const link = event.target.closest("a[target='_self']");
    const address = link?.getAttribute("href");
    if (!address || !/^[a-z0-9-]+$/.test(address) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    setTriggerValue("go", address);
  };
  main.addEventListener("click", open);
  return () => main.removeEventListener("click", open);
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


@st.cache_resource(max_entries=2, show_spinner=False)
def _glossary(stamp: tuple) -> Glossary:
    return load()


def frame(site: Site, title: str, *, here: str = "", search: bool = True) -> None:
    """Title of the browser's tab, style, sidebar. `here` is the slug of the lesson that is open in the sidebar."""
    st.set_page_config(
        page_title=f"{title} · {NAME}" if title else NAME, page_icon=str(PAGES / "icon.svg"), layout="wide",
        initial_sidebar_state=276,
    )  # fmt: skip
    st.html(STYLE)
    if not st.context.is_embedded:
        with st.sidebar:
            _sidebar(site, here, search)
    go = links(key="links", on_go_change=lambda: None).go
    if go in site.pages:
        st.switch_page(site.pages[go])


@st.fragment
def _sidebar(site: Site, here: str, search: bool) -> None:
    """The lessons, folded. Only the terms of open ones are made: 71 links cost more than the rest of a page."""
    st.page_link(site.home, label=f"**{NAME}**")
    if search and (text := search_box("sidebar-search")):
        for term in site.glossary.search(text, 8) or nothing_found():
            site.link(term)
    for lesson in site.glossary.lessons:
        key = f"sidebar:{lesson.slug}:{lesson.slug == here}"  # opening its page opens a lesson, whatever it was before
        folded = st.expander(lesson.title, lesson.slug == here, type="compact", key=key, on_change="rerun")
        if folded.open:
            with folded:
                st.page_link(site.pages[lesson.url], label="*About this lesson*")
                for term in site.glossary.of(lesson):
                    site.link(term, term.name)


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
