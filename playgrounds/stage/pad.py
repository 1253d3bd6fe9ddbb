"""The pad: where readers draw, put points into the plane or fill a grid; a component, the widget of such knobs."""

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from playgrounds.kit import palette
from playgrounds.kit.forms import MOST_POINTS
from playgrounds.kit.params import Knob
from playgrounds.stage import session

HERE = Path(__file__).resolve().parent

mount = st.components.v2.component(
    "pad",
    html=(HERE / "pad.html").read_text(encoding="utf-8"),
    css=(HERE / "pad.css").read_text(encoding="utf-8"),
    js=(HERE / "pad.js").read_text(encoding="utf-8").replace("__SERIES__", json.dumps(palette.SERIES)),
    isolate_styles=False,
)


def pad(one: Knob, value: str, key: str, locked: bool, on_change: Callable[[], None]) -> None:
    """The widget of a knob that is drawn, pasted or filled in; `entered` says what it holds."""
    data = {"form": one.kind, "label": one.label, "value": value, "lo": one.lo or 1, "hi": one.hi, "most": MOST_POINTS}
    mount(key=key, data=data | {"help": one.help, "locked": locked}, on_value_change=on_change)


def entered(key: str, value: str) -> str:
    """What the reader has put into the pad with that key; `value` where it was not touched."""
    text = (session.widget(key) or {}).get("value")
    return value if text is None else text
