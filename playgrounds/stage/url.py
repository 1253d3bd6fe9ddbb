"""A playground's state in its URL: read when the URL changes, written when the reader changes something.

The URL holds what differs from the page's preset, the step, the run it is compared with, and what a teacher's link
hides or locks. Streamlit's own binding of widgets to query parameters is not used: with it `st.switch_page` raises on a
page with a bound value, and Back loses the value.
"""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from playgrounds.kit.params import Params, shown

STEP, HIDE, LOCK, PINNED = "step", "hide", "lock", "pinned"
PARTS = {  # what a link can hide besides knobs
    "question": "the question",
    "answer": "answers and solutions",
    "goals": "the goals",
    "presets": "good and bad runs",
    "code": "the code",
}
ALL = "all"  # lock=all: every knob
AS_STARTED = "preset"  # pinned=preset: the run with which the page starts
MOST_PARAMETERS = 60  # of a link; nonsense beyond is not even looked at


@dataclass(frozen=True)
class View:
    """What a link takes out of the reader's hands: parts and knobs that are hidden, knobs that are locked."""

    hide: tuple[str, ...] = ()
    lock: tuple[str, ...] = ()

    def fixed(self, knob: str) -> bool:
        return knob in self.hide or knob in self.lock or ALL in self.lock

    def permits(self, before: Params, after: Params) -> bool:
        """Whether the page's own controls may go from one to the other: what the link has fixed stays."""
        return not any(self.fixed(name) and getattr(before, name) != getattr(after, name) for name in before.knobs())

    def kept(self, before: Params, after: Params) -> Params:
        """`after`, with what the link has fixed as it was before."""
        return after.model_copy(update={name: getattr(before, name) for name in before.knobs() if self.fixed(name)})

    def to_query(self) -> dict[str, str]:
        return {name: ",".join(names) for name, names in ((HIDE, self.hide), (LOCK, self.lock)) if names}


@dataclass(frozen=True)
class PageState:
    """What one reader looks at on one page."""

    params: Params
    step: int | None = None  # None: the last one
    complaints: list[str] = field(default_factory=list)  # about the link or the last change, until the next change
    url: dict[str, str] = field(default_factory=dict)  # as last read or written
    view: View = View()
    pinned: Params | None = None  # the run that this one is compared with


def arrive(page: str, preset: Params) -> None:
    """In a full run: take the state from the URL if that has changed (a link, Back) and the reader has done nothing.

    Reruns of the fragment do not look at the URL: theirs may still be the one from before the rerun ahead of them, and
    a knob that was just moved would jump back.
    """
    state: PageState | None = st.session_state.get(f"{page}:state")
    if state is None:
        st.session_state[f"{page}:fresh"] = True
    if state is None or (not st.session_state.get(f"{page}:touched") and state.url != st.query_params.to_dict()):
        st.session_state[f"{page}:state"] = from_query(st.query_params.to_dict(), preset)


def current(page: str, preset: Params) -> PageState:
    """The state of the page; what the reader has changed in it is written into the URL."""
    state: PageState = st.session_state[f"{page}:state"]
    if st.session_state.pop(f"{page}:touched", False):
        wanted = to_query(state, preset)
        if wanted != st.query_params.to_dict():
            st.query_params.from_dict(wanted)
        state = st.session_state[f"{page}:state"] = replace(state, url=wanted)
    return state


def fresh(page: str) -> bool:
    """Whether this session shows the page for the first time, asked once."""
    return st.session_state.pop(f"{page}:fresh", False)


def change(page: str, **changes: Any) -> None:
    """For a widget's callback: the reader has changed params, step, complaints or the run to compare with."""
    st.session_state[f"{page}:touched"] = True
    st.session_state[f"{page}:state"] = replace(st.session_state[f"{page}:state"], **changes)


def go(page: str, params: Params) -> None:
    """For a button's callback: show another run from its end, with what the link has fixed as it is."""
    state: PageState = st.session_state[f"{page}:state"]
    change(page, params=state.view.kept(state.params, params), step=None, complaints=[])


def to_query(state: PageState, preset: Params) -> dict[str, str]:
    query = state.params.to_query(preset) | ({} if state.step is None else {STEP: str(state.step)})
    if state.pinned is not None:
        query[PINNED] = urlencode(state.pinned.to_query(preset), safe=",~") or AS_STARTED
    return query | state.view.to_query()


def from_query(query: dict[str, str], preset: Params) -> PageState:
    knobs = {name: value for name, value in list(query.items())[:MOST_PARAMETERS]}
    step, hide, lock, pinned = (knobs.pop(name, "") for name in (STEP, HIDE, LOCK, PINNED))
    params, complaints = type(preset).from_query(knobs, preset)
    if step and not (step.isascii() and step.isdigit() and len(step) < 10):
        complaints.append(f"step={shown(step)} is not the number of a step: showing the last one.")
        step = ""
    view = View(_names(HIDE, hide, {*PARTS, *params.knobs()}, complaints),
                _names(LOCK, lock, {ALL, *params.knobs()}, complaints))  # fmt: skip
    other, problems = other_run(pinned, preset) if pinned else (None, [])
    complaints += [f"The run to compare with: {problem}" for problem in problems]
    return PageState(params, int(step) if step else None, complaints, query, view, other)


def other_run(text: str, preset: Params) -> tuple[Params, list[str]]:
    """The params that a query string means on this page, and what was wrong with it."""
    pairs = [] if text == AS_STARTED else parse_qsl(text, keep_blank_values=True)[:MOST_PARAMETERS]
    ours = {STEP, HIDE, LOCK, PINNED, "embed", "embed_options"}
    return type(preset).from_query({name: value for name, value in pairs if name not in ours}, preset)


def _names(of: str, text: str, known: set[str], complaints: list[str]) -> tuple[str, ...]:
    """The names in a comma-separated list that mean something here, once each."""
    names = dict.fromkeys(filter(None, text.split(",")[:MOST_PARAMETERS]))
    for name in names:
        if name not in known:
            complaints.append(f"{of}={shown(name)}: nothing here is called that.")
    return tuple(name for name in names if name in known)
