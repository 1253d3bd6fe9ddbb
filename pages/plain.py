"""Texts that somebody has typed, so that neither Markdown nor HTML in them does anything."""

import re
from html import escape

from playgrounds.kit.words import plain

JOINER = "\u2060"  # is not seen, and takes directives, icons and addresses apart
BREAKS = re.compile(r"(:|@|www|\$)", re.IGNORECASE)
LISTS = re.compile(r"^(\d*)([-+=.)])")  # with which a line would become a list or a heading


def in_markdown(text: str) -> str:
    """For the label of a button, and wherever else Streamlit reads Markdown."""
    one_line = " ".join(text.split())
    safe = BREAKS.sub(rf"\1{JOINER}", plain(one_line).replace("!", "\\!").replace("&", "\\&"))
    return LISTS.sub(lambda found: f"{found[1]}\\{found[2]}", safe)


def in_html(text: str) -> str:
    return escape(" ".join(text.split()))
