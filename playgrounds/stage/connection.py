"""The connection to the server: a page that was cut off comes back alive by itself, in the state of its link."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent

mount = st.components.v2.component(
    "connection",
    html='<p class="connection" role="status"></p>',
    css=(HERE / "connection.css").read_text(encoding="utf-8"),
    js=(HERE / "connection.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def watch() -> None:
    """Have the page ask for a full run when it is connected again; must stand outside of every fragment."""
    mount(key="connection", on_found_change=lambda: None)
