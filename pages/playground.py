"""A playground on a page of its own, at its defaults: for whoever writes one, before any term uses it."""

import streamlit as st

from pages.site import Site, frame
from playgrounds.kit import catalogue
from playgrounds.stage.moved import old_names
from playgrounds.stage.page import show_page


def address(name: str) -> str:
    return f"playground-{name.replace('_', '-')}"


def addresses() -> set[str]:
    """Where playgrounds answer, those included that are gone and lead to others."""
    return {address(name) for name in [*catalogue.names(), *old_names()]}


def show(site: Site, name: str) -> None:
    frame(site, f"Playground {name}")
    with st.container(key="bar"):
        st.title(f"Playground {name}", anchor=False)
    show_page(address(name), f"Playground {name}", {name: {}}, elsewhere=site.starts)
    terms = [term for term in site.glossary.terms if name in term.playgrounds]
    if terms:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Terms that use it")
            for term in terms:
                site.link(term)


def moved(site: Site, name: str) -> None:
    """A playground of 0.1.0 that is gone: go to the one that took over the view that the link means."""
    st.switch_page(site.pages[address(name)], query_params=st.query_params.to_dict())
