"""On a phone question and knobs come from below, so that what they do to the picture is seen."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent

handle_of = st.components.v2.component(
    "sheet",
    html=(HERE / "sheet.html").read_text(encoding="utf-8"),
    css=(HERE / "sheet.css").read_text(encoding="utf-8"),
    js=(HERE / "sheet.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def handle() -> None:
    """The two words at the lower edge of a phone's screen that open the sheet."""
    handle_of(key="sheet")
