"""Home: search, and all terms by lesson or from A to Z."""

from itertools import groupby

import streamlit as st

from pages.site import NAME, Site, frame, listing, nothing_found, search_box, show_progress


def show(site: Site) -> None:
    frame(site, "", search=False)
    glossary = site.glossary
    st.title(NAME)
    trainable = sum(bool(term.playground) for term in glossary.terms)
    st.markdown(
        f"{len(glossary.terms)} terms of a deep-learning course in {len(glossary.lessons)} lessons. Each has a "
        f"definition for the exam; {trainable} have a playground, in which the thing itself runs in front of you."
    )
    show_progress(glossary.terms, manage=True)
    if text := search_box("home-search"):
        listing(site, glossary.search(text) or nothing_found())
        return
    by_lesson, a_to_z = st.tabs(["By lesson", "A to Z"], key="home-order", on_change="rerun")
    if by_lesson.open:
        with by_lesson:
            for number, lesson in enumerate(glossary.lessons, start=1):
                with st.container(gap="xsmall"):
                    st.page_link(site.pages[lesson.url], label=f"**{number}. {lesson.title}**")
                    st.markdown(lesson.sentence)
                    with st.container(horizontal=True, gap="medium"):
                        for term in glossary.of(lesson):
                            site.link(term)
                st.space("small")
    if a_to_z.open:
        with a_to_z:
            for letter, terms in groupby(glossary.alphabetical(), key=lambda term: term.name[0].upper()):
                st.markdown(f"**{letter}**")
                with st.container(horizontal=True, gap="small"):
                    for term in terms:
                        site.link(term)
