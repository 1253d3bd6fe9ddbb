"""A lesson: what it is for, and its terms in teaching order."""

import streamlit as st

from glossary import Lesson
from pages.site import Site, frame, listing, neighbours, show_progress


def show(site: Site, lesson: Lesson) -> None:
    frame(site, lesson.title)
    glossary = site.glossary
    number = glossary.lessons.index(lesson)
    st.markdown(f"Lesson {number + 1} of {len(glossary.lessons)}")
    st.title(lesson.title)
    with st.container(key="definition"):
        st.markdown(glossary.markdown(lesson.introduction), unsafe_allow_html=True)
        st.header("Terms", divider="gray")
        show_progress(glossary.of(lesson))
        listing(site, glossary.of(lesson))
    lessons = glossary.lessons
    previous = lessons[number - 1] if number else None
    following = lessons[number + 1] if number + 1 < len(lessons) else None
    st.divider()
    neighbours(
        (site.pages[previous.url], previous.title) if previous else None,
        (site.pages[following.url], following.title) if following else None,
    )
