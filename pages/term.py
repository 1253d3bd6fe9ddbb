"""A term: what it is in a sentence, its playgrounds, the rest of the definition, where to go next."""

import streamlit as st

from glossary import Term
from pages import adding, definition, member, seat
from pages.site import Site, frame
from playgrounds.stage.page import show_page


def show(site: Site, term: Term) -> None:
    frame(site, term.name)
    if not (st.context.is_embedded and term.playground):
        _bar(site, term)
        with st.container(key="lead"):
            st.markdown(site.glossary.markdown(term.lead), unsafe_allow_html=True)
    if term.playground:
        show_page(
            term.slug,
            term.name,
            term.starts,
            term.asked,
            site.starts,
            definition=lambda: definition.show(site, term),
            onward=lambda: _onward(site, term),
            shared=lambda scene, state: adding.show(site, scene, state),
            ended=member.witness if seat.mine() is not None else None,
        )
    else:
        definition.show(site, term)


def _bar(site: Site, term: Term) -> None:
    """The lesson, the term's name, and the terms before and after it."""
    glossary = site.glossary
    lesson = glossary.lesson[term.lesson]
    siblings = glossary.of(lesson)
    place = siblings.index(term)
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(site.pages[lesson.url], label=f":primary[{lesson.title}]")
        st.title(term.name, anchor=False)
        with st.container(key="steps", horizontal=True, horizontal_alignment="right", gap="small"):
            if place:
                before = siblings[place - 1]
                st.page_link(site.pages[before.slug], label=f":primary[← {before.name}]")
            if place + 1 < len(siblings):
                after = siblings[place + 1]
                st.page_link(site.pages[after.slug], label=f":primary[{after.name} →]")


def _onward(site: Site, term: Term) -> None:
    """The link to the next term of the course."""
    terms = site.glossary.terms
    place = terms.index(term) + 1
    if place < len(terms):
        st.page_link(site.pages[terms[place].slug], label=f":primary[Next term: {terms[place].name} →]")
