"""A term: where it belongs, what it is, its playgrounds, where to go next."""

import streamlit as st

from glossary import Term
from pages.site import Site, frame, neighbours
from playgrounds.stage.page import show_page


def show(site: Site, term: Term) -> None:
    if st.context.is_embedded and term.playground:
        frame(site, term.name)
        _playground(site, term)
        return
    glossary = site.glossary
    lesson = glossary.lesson[term.lesson]
    frame(site, term.name)
    siblings = glossary.of(lesson)
    place = siblings.index(term)
    st.page_link(site.pages[lesson.url], label=f":primary[{lesson.title}] · term {place + 1} of {len(siblings)}")
    st.title(term.name)
    with st.container(key="definition"):
        st.markdown(glossary.markdown(term.definition), unsafe_allow_html=True)
    if term.playground:
        _playground(site, term)
    st.divider()
    with st.container(horizontal=True, vertical_alignment="center"):
        if term.see_also:
            st.markdown("See also")
        for slug in term.see_also:
            site.link(glossary.term[slug])
    previous = siblings[place - 1] if place else None
    following = siblings[place + 1] if place + 1 < len(siblings) else None
    neighbours(
        previous and (site.pages[previous.slug], previous.name),
        following and (site.pages[following.slug], following.name),
    )


def _playground(site: Site, term: Term) -> None:
    show_page(term.slug, term.name, term.starts, term.asked.question, term.asked.goal, site.starts)
