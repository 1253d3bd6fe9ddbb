"""Pictures of runs for cards: files under static/, where somebody has made them."""

from functools import cache

import streamlit as st

from glossary import PAGES

FOLDER = PAGES.parent / "static" / "pictures"
ADDRESS = "app/static/pictures"  # where Streamlit serves the folder


def card(slug: str) -> str:
    """The address of the picture for a term's card, in the reader's theme; "" if there is none."""
    return _address(f"{slug}-card-{st.context.theme.type or 'light'}.webp")


@cache
def _address(name: str) -> str:
    return f"{ADDRESS}/{name}" if (FOLDER / name).is_file() else ""
