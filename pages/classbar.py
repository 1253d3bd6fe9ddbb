"""The bar of a live room, on top of every page for who is in one; for everybody else nothing at all."""

from pathlib import Path

import streamlit as st

from pages import member, seat, teacher
from pages.plain import in_markdown
from pages.site import Site
from playgrounds.stage import session
from playgrounds.stage.session import ROOM

STYLE = f"<style>{(Path(__file__).resolve().parent / 'room.css').read_text(encoding='utf-8')}</style>"


def show(site: Site) -> None:
    mine = seat.mine()
    if mine is not None:
        st.html(STYLE)
        (teacher if mine.teaches else member).show(site)
    elif said := session.SAID.take(ROOM):
        st.info(in_markdown(said))
