"""Home: what this is, a net that trains, the search, where the reader was, and all lessons and terms."""

from html import escape

import streamlit as st

from edition import NAME
from glossary import ABOUT, CLASSROOM, EXAM, HOME, PRACTICE, SHEETS, Term
from pages import cards
from pages.site import Site, frame, nothing_found, search_box, show_progress
from playgrounds.stage.loop import show_loop

HITS = 5  # as many as stand beside the picture


def show(site: Site) -> None:
    frame(site, "", search=False)
    glossary = site.glossary
    with st.container(key="home-top"):
        words, picture = st.columns([5, 6], gap="large")
    with words:
        st.title(NAME, anchor=False)
        st.markdown(_sentence(site))
        _search(site)
    by_lesson, a_to_z = st.tabs(["Lessons", "A to Z"], key="home-order")
    with by_lesson:
        cards.show_cards(cards.of_lesson(glossary, lesson) for lesson in glossary.lessons)
    with a_to_z:
        cards.show_index(glossary.alphabetical())
    links = {
        PRACTICE: "Practice",
        EXAM: "Mock exam",
        CLASSROOM: "Live classroom",
        SHEETS: "Sheets and cards",
        ABOUT: "About and privacy",
    }
    shown = " · ".join(f'<a href="{to}">{name}</a>' for to, name in links.items())
    st.html(f'<p class="foot inside">{shown}</p>')
    if glossary.shown_at_home is not None:
        with picture:
            _picture(glossary.shown_at_home)  # last: the text need not wait for it


def _sentence(site: Site) -> str:
    terms = site.glossary.terms
    trainable = sum(bool(term.playground) for term in terms)
    some = "" if trainable == len(terms) else f"{trainable} of them "
    return (
        f"{len(terms)} terms of a deep-learning course, defined for the exam, and {some}running in front of you: "
        "predict, turn a knob, watch what happens."
    )


@st.fragment
def _search(site: Site) -> None:
    """The search; without a text, where the reader was and how far."""
    glossary = site.glossary
    if text := search_box("home-search"):
        found = glossary.search(text, HITS) or nothing_found()
        cards.show_hits([cards.of_term(glossary, term) for term in found], text)
        return
    start = next(iter(glossary.terms))
    show_progress(glossary.terms, manage=True, start=(start.slug, start.name))


def _picture(term: Term) -> None:
    with st.container(key="home-picture", gap=None):
        with st.container(key="home-net"):
            show_loop(HOME, term.name, term.starts)
        st.html(f'<p class="inside"><a href="{term.slug}">{escape(term.name)}: turn its knobs yourself →</a></p>')
