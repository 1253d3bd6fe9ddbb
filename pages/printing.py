"""Sheets to print, one a lesson, and the deck for Anki."""

import streamlit as st

from edition import meta, texts
from glossary import Glossary
from pages.pictures import FOLDER
from pages.site import Site, frame
from practice import anki
from practice.sheets import lesson_sheet


def show(site: Site) -> None:
    frame(site, "Sheets and cards")
    with st.container(key="bar"):
        st.title("Sheets and cards", anchor=False)
    _live(site)


@st.fragment
def _live(site: Site) -> None:
    lessons = {one.slug: one.title for one in site.glossary.lessons}
    with st.container(key="sheet-choice"):
        chosen = st.multiselect("Lessons", list(lessons), format_func=lessons.__getitem__, key="sheet-lessons",
                                placeholder="All lessons")  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button("Deck for Anki", lambda: _deck(site.glossary, chosen), "trainable-glossary.apkg",
                               "application/octet-stream", key="sheet-anki", on_click="ignore",
                               help="Import it again after the glossary has changed: your schedule stays")  # fmt: skip
            st.caption("Print this page for the sheets: exam sentences, formulas, tables, what is easily confused.")
    with st.container(key="sheet"):
        for one in site.glossary.lessons:
            if not chosen or one.slug in chosen:
                st.markdown(lesson_sheet(site.glossary, one))


def _deck(glossary: Glossary, lessons: list[str]) -> bytes:
    names = meta.names(glossary)
    return anki.deck(glossary, lessons, lambda text: texts.html_for_mathjax(text, names), FOLDER)
