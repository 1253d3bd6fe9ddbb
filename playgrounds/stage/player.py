"""The player: shows a film in the browser, as a component of a page or as an HTML file of its own."""

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

import streamlit as st

from playgrounds.kit import palette
from playgrounds.stage import library

HERE = Path(__file__).resolve().parent
PLACEHOLDER = re.compile("__([A-Z]+)__")  # in standalone.html


def _javascript() -> str:
    colours = {
        "themes": palette.THEMES,
        "scales": palette.SCALES,
        "shades": palette.SHADES,
        "series": palette.SERIES,
        "stand_ins": {"ink": palette.INK, "muted": palette.MUTED, "faint": palette.FAINT, "paper": palette.PAPER},
    }
    return (HERE / "player.js").read_text(encoding="utf-8").replace("__PALETTE__", json.dumps(colours))


HTML = (HERE / "player.html").read_text(encoding="utf-8")
CSS = (HERE / "player.css").read_text(encoding="utf-8")
JS = _javascript()

mount = st.components.v2.component("player", html=HTML, css=CSS, js=JS, isolate_styles=False)


def plotly_url() -> str:
    """Where the browser gets plotly.js, compressed."""
    return library.url()


def standalone(message: bytes, title: str, subtitle: str, link: str) -> bytes:
    """A run's message as one HTML file that plays with no network at all."""
    packed: dict[str, Any] = {
        "film": base64.b64encode(message).decode(),
        "plotly": base64.b64encode(library.packed()).decode(),
    }
    parts = {
        "TITLE": html.escape(title),
        "SUBTITLE": html.escape(subtitle),
        "LINK": html.escape(link),
        "CSS": CSS,
        "PLAYER": HTML,
        "JS": JS.replace("export default function", "function play"),
        "PACKED": json.dumps(packed),
    }
    page = (HERE / "standalone.html").read_text(encoding="utf-8")
    # In one pass: what stands in a part, a reader's text among them, is no placeholder.
    return PLACEHOLDER.sub(lambda found: parts[found[1]], page).encode()
