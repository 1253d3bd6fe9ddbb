"""A playground's state in its URL: read when the URL changes, written when the reader changes something.

The URL holds what differs from the page's preset, and the step. Streamlit's own binding of widgets to query parameters
is not used: with it `st.switch_page` raises on a page with a bound value, and Back loses the value.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from playgrounds.kit.params import Params, shown

STEP = "step"
MOST_PARAMETERS = 60  # of a link; nonsense beyond is not even looked at


@dataclass(frozen=True)
class PageState:
    """What one reader looks at on one page."""

    params: Params
    step: int | None = None  # None: the last one
    complaints: list[str] = field(default_factory=list)  # about the link or the last change, until the next change
    url: dict[str, str] = field(default_factory=dict)  # as last read or written


def arrive(page: str, preset: Params) -> None:
    """In a full run: take the state from the URL if that has changed (a link, Back) and the reader has done nothing.

    Reruns of the fragment do not look at the URL: theirs may still be the one from before the rerun ahead of them, and
    a knob that was just moved would jump back.
    """
    state: PageState | None = st.session_state.get(f"{page}:state")
    if state is None or (not st.session_state.get(f"{page}:touched") and state.url != st.query_params.to_dict()):
        st.session_state[f"{page}:state"] = from_query(st.query_params.to_dict(), preset)


def current(page: str, preset: Params) -> PageState:
    """The state of the page; what the reader has changed in it is written into the URL."""
    state: PageState = st.session_state[f"{page}:state"]
    if st.session_state.pop(f"{page}:touched", False):
        wanted = to_query(state.params, preset, state.step)
        if wanted != st.query_params.to_dict():
            st.query_params.from_dict(wanted)
        state = st.session_state[f"{page}:state"] = replace(state, url=wanted)
    return state


def change(page: str, **changes: Any) -> None:
    """For a widget's callback: the reader has changed params, step or complaints."""
    st.session_state[f"{page}:touched"] = True
    st.session_state[f"{page}:state"] = replace(st.session_state[f"{page}:state"], **changes)


def to_query(params: Params, preset: Params, step: int | None) -> dict[str, str]:
    return params.to_query(preset) | ({} if step is None else {STEP: str(step)})


def from_query(query: dict[str, str], preset: Params) -> PageState:
    knobs = {name: value for name, value in list(query.items())[:MOST_PARAMETERS] if name != STEP}
    params, complaints = type(preset).from_query(knobs, preset)
    step = query.get(STEP, "")
    if step and not (step.isascii() and step.isdigit() and len(step) < 10):
        complaints.append(f"step={shown(step)} is not the number of a step: showing the last one.")
        step = ""
    return PageState(params, int(step) if step else None, complaints, query)
