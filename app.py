"""The Trainable Glossary: navigation, built from glossary.toml. Start it with `streamlit run app.py`."""

# isort: off
from playgrounds.stage import lean  # noqa: F401, before NumPy and torch are imported
# isort: on

import gc

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from glossary import HOME
from pages import frame, home, lesson, missing, term, workbench
from playgrounds.stage import library
from server import limits, outside
from server.assets import Asset
from server.closed import ClosedDoors
from server.headers import Headers
from server.limits import Doorkeeper


def main() -> None:
    site = frame.site()
    if site is None:
        return
    glossary = site.glossary
    site.add(lambda: home.show(site), "Home", HOME, default=True)
    for one in glossary.lessons:
        site.add(lambda one=one: lesson.show(site, one), one.title, one.url)
    for one in glossary.terms:
        site.add(lambda one=one: term.show(site, one), one.name, one.slug)
    for name in site.playgrounds:
        site.add(lambda name=name: workbench.show(site, name), f"Playground {name}", workbench.address(name))
    if unknown := site.unknown_address():
        site.add(lambda: missing.show(site, unknown), "No such page", unknown)
    st.navigation(list(site.pages.values()), position="hidden").run()


if __name__ == "__main__":  # a reader's rerun
    with frame.turn():
        main()
else:  # the server imports this file once, when it starts
    # A folder called pages/ makes a fresh server look for pages there until st.navigation is called for the first time,
    # and tell its first visitor that the address of a term does not exist.
    PagesManager.uses_pages_directory = False
    limits.raise_descriptors()
    outside.ask_nobody()
    gc.freeze()  # what has been imported stays: the collector need not look at it again
    around = [Middleware(Headers), Middleware(Doorkeeper), Middleware(ClosedDoors)]
    app = st.App(__file__, middleware=[*around, Middleware(Asset, *library.serve())])
