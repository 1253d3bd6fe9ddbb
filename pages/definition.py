"""What a term's first tab holds: the definition, the example, what it is confused with, where to go next."""

import streamlit as st

from glossary import Term
from glossary.texts import in_text
from pages.site import Site
from playgrounds.kit.endings import ended
from playgrounds.kit.words import filled

LANGUAGES = {"de": "German", "fr": "French", "es": "Spanish"}


def show(site: Site, term: Term) -> None:
    with st.container(key="definition"):
        _markdown(site, term.definition)
        if example := term.asked.example:
            st.header("Example", anchor=False)
            _markdown(site, filled(example.text, ended(*term.values(example))))
        _confusions(site, term)
        if term.see_also:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown("See also")
                for slug in term.see_also:
                    site.link(site.glossary.term[slug])
        if names := _names(term):
            st.caption(names)


def _markdown(site: Site, text: str) -> None:
    st.markdown(site.glossary.markdown(text), unsafe_allow_html=True)


def _confusions(site: Site, term: Term) -> None:
    found = site.glossary.confused_with(term)
    if not found:
        return
    st.header("Not to be confused with", anchor=False)
    lines = []
    for one in found:
        other = site.glossary.term[next(slug for slug in one.terms if slug != term.slug)]
        lines.append(f"- [[{other.slug}|{in_text(other.name)}]]: {one.difference}")
    _markdown(site, "\n".join(lines))


def _names(term: Term) -> str:
    """Other names of the term, in English and in other languages."""
    also = [f"Also called {', '.join(term.aliases)}"] if term.aliases else []
    return ". ".join(also + [f"{LANGUAGES[code]}: {name}" for code, name in term.translations.items()])
