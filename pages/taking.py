"""A file of saved practice, chosen by the reader and read in the browser: the server takes no uploads."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from playgrounds.stage import session

HERE = Path(__file__).resolve().parent

mount = st.components.v2.component(
    "taking",
    html=(HERE / "taking.html").read_text(encoding="utf-8"),
    css=(HERE / "taking.css").read_text(encoding="utf-8"),
    js=(HERE / "taking.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)

KEY = "taking"


def show_taking(taken: Callable[[str], None]) -> None:
    """A button to choose a file; `taken` is called with its text, "" for a file that is too large."""
    mount(key=KEY, on_text_change=lambda: _taken(taken))


def _taken(taken: Callable[[str], None]) -> None:
    value = session.widget(KEY)
    text = value.get("text") if isinstance(value, dict) else None
    if isinstance(text, str):
        taken(text.partition(" ")[2])
