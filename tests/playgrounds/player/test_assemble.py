"""The run as one HTML file: every part stands in its place, and a reader's text stays what it is."""

import base64
import html
import json
import re

import pytest

from playgrounds.player.assemble import PLACEHOLDER, standalone

MESSAGE = b"a film"


def page(title: str = "A title", subtitle: str = "A knob 3.", link: str = "http://localhost/x?a=1&b=2") -> str:
    return standalone(MESSAGE, title, subtitle, link).decode()


def test_all_parts_stand_in_the_file():
    text = page()
    packed = json.loads(re.search(r'<script id="packed" type="application/json">(.*?)</script>', text, re.DOTALL)[1])
    assert base64.b64decode(packed["film"]) == MESSAGE
    assert "<title>A title</title>" in text and "A knob 3." in text and "a=1&amp;b=2" in text
    assert 'class="player-plot"' in text and "class Player {" in text and ".player-bar" in text
    assert not PLACEHOLDER.search(text)


@pytest.mark.parametrize("name", ["PACKED", "JS", "CSS", "PLAYER", "TITLE", "SUBTITLE", "LINK", "NOTHING"])
def test_a_text_that_looks_like_a_placeholder_stays_itself(name):
    word = f"__{name}__"
    text = page(title=word, subtitle=f"Text “{word}{word}”.", link=f"http://localhost/x?text={word}")
    assert text.count(word) == 2 + 2 + 1  # the title stands in the tab and above the player
    assert len(text) < len(page()) + 200
    assert f"<h1>{word}</h1>" in text


def test_a_text_with_markup_and_backslashes_stays_itself():
    odd = r"<script>alert(1)</script> \1 \g<0>"
    assert f"<h1>{html.escape(odd)}</h1>" in page(title=odd)
