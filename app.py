"""The Trainable Glossary: navigation, built from glossary.toml. Start it with `streamlit run app.py`."""

# isort: off
from playgrounds.stage import process  # noqa: F401, before NumPy and torch are imported
# isort: on

import gc

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from edition.painter import Painter
from glossary import ABOUT, CLASSROOM, EXAM, HOME, JOIN, PRACTICE, SHEETS
from pages import (
    about,
    addresses,
    entering,
    examining,
    home,
    lesson,
    missing,
    playground,
    practising,
    printing,
    room,
    site,
    term,
)  # fmt: skip
from playgrounds.player import library
from playgrounds.stage import moved
from server import limits, outside
from server.assets import Asset
from server.closed import ClosedDoors
from server.first_paint import FirstPaint
from server.headers import Headers
from server.limits import Doorkeeper


def main() -> None:
    here = site.load_site()
    if here is None:
        return
    glossary = here.glossary
    here.add(home.show, "Home", HOME, default=True)
    here.add(about.show, "About and privacy", ABOUT)
    here.add(room.show, "Live classroom", CLASSROOM)
    here.add(entering.show, "Join a lesson", JOIN)
    here.add(practising.show, "Practice", PRACTICE)
    here.add(examining.show, "Mock exam", EXAM)
    here.add(printing.show, "Sheets and cards", SHEETS)
    for one in glossary.lessons:
        here.add(lesson.show, one.title, one.url, one)
    for entry in glossary.terms:
        here.add(term.show, entry.name, entry.slug, entry)
    for name in here.playgrounds:
        here.add(playground.show, f"Playground {name}", playground.address(name), name)
    for old, new in moved.old_names().items():
        here.add(playground.moved, f"Playground {old}", playground.address(old), new)
    if unknown := here.unknown_address():
        here.add(missing.show, "No such page", unknown, unknown)
    st.navigation(list(here.pages.values()), position="hidden").run()


if __name__ == "__main__":  # a reader's rerun
    with site.turn():
        main()
else:  # the server imports this file once, when it starts
    # A folder called pages/ makes a fresh server look for pages there until st.navigation is called for the first time,
    # and tell its first visitor that the address of a term does not exist.
    PagesManager.uses_pages_directory = False
    limits.raise_descriptors()
    outside.ask_nobody()
    gc.freeze()  # what has been imported stays: the collector need not look at it again
    painter = Painter(site.current_glossary, addresses.others)
    painter.warm()
    around = [Middleware(Headers), Middleware(Doorkeeper), Middleware(ClosedDoors)]
    around.append(Middleware(FirstPaint, painter.paint, st.get_option("server.baseUrlPath") or ""))
    app = st.App(__file__, middleware=[*around, Middleware(Asset, *library.serve())])
