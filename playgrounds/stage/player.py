"""The player: shows a film in the browser, as a component of a page or as an HTML file of its own."""

import base64
import gzip
import html
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import plotly
import streamlit as st

from playgrounds.kit import palette

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


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


def plotly_js() -> bytes:
    """plotly.js as it came with the installed plotly."""
    return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()


@cache
def plotly_url() -> str:
    """Where the browser gets plotly.js, compressed; the file is made on the first call after an update of plotly."""
    name = f"plotly-{plotly.__version__}.bin"  # no ending that a server would unpack on its own
    target = ROOT / "static" / name
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        draft = target.with_suffix(f".{os.getpid()}")
        draft.write_bytes(gzip.compress(plotly_js(), 9))
        draft.replace(target)
    return f"app/static/{name}"


def standalone(message: bytes, title: str, subtitle: str, link: str) -> bytes:
    """A run's message as one HTML file that plays with no network at all."""
    packed: dict[str, Any] = {
        "film": base64.b64encode(message).decode(),
        "plotly": base64.b64encode(gzip.compress(plotly_js(), 9)).decode(),
    }
    page = (HERE / "standalone.html").read_text(encoding="utf-8")
    for name, value in {
        "title": html.escape(title),
        "subtitle": html.escape(subtitle),
        "link": html.escape(link),
        "css": CSS,
        "player": HTML,
        "js": JS.replace("export default function", "function play"),
        "packed": json.dumps(packed),
    }.items():
        page = page.replace(f"__{name.upper()}__", value)
    return page.encode()
