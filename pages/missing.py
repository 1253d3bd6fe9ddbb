"""An address that no page has: look for what was meant."""

import streamlit as st

from pages import cards
from pages.site import Site, frame, nothing_found, search_box
from playgrounds.kit.params import shown


def show(site: Site, asked: str) -> None:
    meant = asked.replace("_", "-").lower()
    if meant != asked and meant in site.pages:  # /playground-a_b, /XOR-problem
        st.switch_page(site.pages[meant], query_params=st.query_params.to_dict())
    frame(site, "No such page", search=False)
    with st.container(key="bar"):
        st.title("No page has this address", anchor=False)
    st.markdown(f"The glossary has nothing at **/{shown(asked)}**. The closest terms are below; search for another.")
    text = search_box("missing-search") or asked.replace("-", " ").replace("_", " ")
    found = site.glossary.search(text) or nothing_found()
    cards.show_hits([cards.of_term(site.glossary, term) for term in found], text)
    st.page_link(site.home, label=":primary[All terms]")
