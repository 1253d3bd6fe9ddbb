"""A playground on a page of its own, at its defaults: for whoever writes one, before any term uses it."""

import streamlit as st

from pages.frame import Site, frame
from playgrounds.stage.show import show as show_playground


def address(name: str) -> str:
    return f"playground-{name.replace('_', '-')}"


def show(site: Site, name: str) -> None:
    frame(site, f"Playground {name}")
    st.title(f"Playground {name}")
    show_playground(address(name), f"Playground {name}", name, {}, starts=site.starts(name))
    terms = [term for term in site.glossary.terms if term.playground == name]
    if terms:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Terms that use it")
            for term in terms:
                site.link(term)
