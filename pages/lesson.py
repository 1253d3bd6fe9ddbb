"""A lesson: what it is for, and its terms in teaching order."""

import streamlit as st

from glossary import Lesson
from pages.frame import Site, frame, listing


def show(site: Site, lesson: Lesson) -> None:
    frame(site, lesson.title, here=lesson.slug)
    glossary = site.glossary
    number = glossary.lessons.index(lesson)
    st.caption(f"Lesson {number + 1} of {len(glossary.lessons)}")
    st.title(lesson.title)
    with st.container(key="definition"):
        st.markdown(glossary.markdown(lesson.introduction), unsafe_allow_html=True)
        st.header("Terms", divider="gray")
        listing(site, glossary.of(lesson))
    neighbours(site, number)


def neighbours(site: Site, number: int) -> None:
    lessons = site.glossary.lessons
    st.divider()
    before, after = st.columns(2)
    if number > 0:
        with before:
            st.page_link(site.pages[lessons[number - 1].url], label=f"← {lessons[number - 1].title}")
    if number + 1 < len(lessons):
        with after:
            st.page_link(site.pages[lessons[number + 1].url], label=f"{lessons[number + 1].title} →")
