"""The player's files joined: for a component of a page, or as one HTML page that plays with no network.

A component's script runs from a blob, where an import of a neighbour fails; so the modules are joined to one text, each
after those that it imports.
"""

import base64
import html
import json
import re
from functools import cache
from pathlib import Path

from playgrounds.kit import palette
from playgrounds.player import library

HERE = Path(__file__).resolve().parent
MODULES = ("film", "painter", "numbers", "clock", "figure", "tour", "player")  # in the order of their imports
IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)
PLACEHOLDER = re.compile("__([A-Z]+)__")  # in page.html


def html_of_player() -> str:
    return (HERE / "player.html").read_text(encoding="utf-8")


def css() -> str:
    return (HERE / "player.css").read_text(encoding="utf-8")


@cache
def javascript() -> str:
    """The player's modules as one script that defines the class Player."""
    colours = {
        "themes": palette.THEMES,
        "scales": palette.SCALES,
        "shades": palette.SHADES,
        "series": palette.SERIES,
        "stand_ins": {"ink": palette.INK, "muted": palette.MUTED, "faint": palette.FAINT, "paper": palette.PAPER},
    }
    return "\n".join(module(name) for name in MODULES).replace("__PALETTE__", json.dumps(colours))


def component() -> str:
    """The script of the Streamlit component: the player, and the function that is called for every message."""
    return javascript() + "\n" + module("component")


def loop_html() -> str:
    return (HERE / "loop.html").read_text(encoding="utf-8").replace("__PLAYER__", html_of_player())


def loop_css() -> str:
    return css() + (HERE / "loop.css").read_text(encoding="utf-8")


def loop_component() -> str:
    """The script of the component that plays a film over and over, without controls."""
    return javascript() + "\n" + module("loop")


def module(name: str) -> str:
    """One file as it stands in the joined script: nothing is imported, and only the default is exported."""
    source = (HERE / f"{name}.js").read_text(encoding="utf-8")
    return EXPORT.sub("", IMPORT.sub("", source))


def standalone(message: bytes, title: str, subtitle: str, link: str) -> bytes:
    """A run's message as one HTML file that plays with no network at all."""
    packed = {"film": base64.b64encode(message).decode(), "plotly": base64.b64encode(library.packed()).decode()}
    parts = {
        "TITLE": html.escape(title),
        "SUBTITLE": html.escape(subtitle),
        "LINK": html.escape(link),
        "CSS": css(),
        "PLAYER": html_of_player(),
        "JS": javascript(),
        "PACKED": json.dumps(packed),
    }
    page = (HERE / "page.html").read_text(encoding="utf-8")
    # In one pass: a text that looks like a placeholder stays a text.
    return PLACEHOLDER.sub(lambda found: parts[found[1]], page).encode()
