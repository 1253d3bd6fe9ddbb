"""A lesson: what you can do after it, what it is about, and its terms in teaching order."""

import streamlit as st

from glossary import Lesson
from pages import cards
from pages.site import Site, frame, neighbours, show_progress


def show(site: Site, lesson: Lesson) -> None:
    frame(site, lesson.title)
    glossary = site.glossary
    lessons = glossary.lessons
    number = lessons.index(lesson)
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(site.home, label=f":primary[Lesson {number + 1} of {len(lessons)}]")
        st.title(lesson.title, anchor=False)
    with st.container(key="objective"):
        st.markdown(lesson.sentence)
    with st.container(key="definition"):
        st.markdown(glossary.markdown(lesson.introduction), unsafe_allow_html=True)
    st.header("Terms", anchor=False)
    show_progress(glossary.of(lesson))
    cards.show_cards(cards.of_term(glossary, term) for term in glossary.of(lesson))
    with st.container(key="neighbours"):
        neighbours(_link(site, number - 1), _link(site, number + 1))


def _link(site: Site, number: int) -> tuple[st.Page, str] | None:
    """The page and the title of the lesson of that number, counted from 0; None if there is none."""
    lessons = site.glossary.lessons
    if not 0 <= number < len(lessons):
        return None
    return site.pages[lessons[number].url], lessons[number].title
