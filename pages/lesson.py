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
    previous = lessons[number - 1] if number else None
    following = lessons[number + 1] if number + 1 < len(lessons) else None
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
        neighbours(
            previous and (site.pages[previous.url], previous.title),
            following and (site.pages[following.url], following.title),
        )
