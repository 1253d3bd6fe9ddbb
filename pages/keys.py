"""Keys that work outside of inputs: the player's, P to present, Q for the page's QR code, ? for a list of them."""

from pathlib import Path

import streamlit as st

from playgrounds.stage.share import show_code

HERE = Path(__file__).resolve().parent

mount = st.components.v2.component(
    "keys",
    html=(HERE / "keys.html").read_text(encoding="utf-8"),
    css=(HERE / "keys.css").read_text(encoding="utf-8"),
    js=(HERE / "keys.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def listen() -> None:
    """Must stand outside of every fragment: Q asks for a full run, which shows the code."""
    asked = mount(key="keys", on_code_change=lambda: None).code
    if isinstance(asked, str) and asked.startswith(("http://", "https://")):
        _code(asked)


@st.dialog("Scan to open this page", width="large")
def _code(link: str) -> None:
    show_code(link)
