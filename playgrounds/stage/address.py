"""A playground's state in its URL: read when the URL changes, written when the reader changes something.

The URL holds what differs from the page's preset, the step, the run it is compared with, and what a teacher's link
hides or locks. Streamlit's own binding of widgets to query parameters is not used: with it `st.switch_page` raises on a
page with a bound value, and Back loses the value.
"""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from playgrounds.kit import catalogue
from playgrounds.kit.params import Params, shown
from playgrounds.stage import moved, session
from playgrounds.stage.scene import Scene

STEP, HIDE, LOCK, PINNED, PLAYGROUND = "step", "hide", "lock", "pinned", "playground"
PARTS = {  # what a link can hide besides knobs
    "question": "the question",
    "answer": "answers and solutions",
    "goals": "the goals",
    "presets": "good and bad runs",
    "code": "the code",
}
ALL = "all"  # lock=all: every knob
AS_STARTED = "preset"  # pinned=preset: the run with which the page starts
PRESENT = "present"  # whether the page is shown large; pages/keys.js reads and writes it
EMBED = {"embed", "embed_options", PRESENT}  # what says how a page is shown, and not what
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

    playground: str  # which of the page's
    params: Params
    step: int | None = None  # None: the last one
    complaints: list[str] = field(default_factory=list)  # about the link or the last change, until the next change
    url: dict[str, str] = field(default_factory=dict)  # as last read or written
    view: View = View()
    pinned: Params | None = None  # the run that this one is compared with
    held: bool = False  # whether the run waits at its first step, with what is to come out of sight
    own: Params | None = None  # as the link has them, if it fixes some: a revealed run may differ from it for a while

    def permits(self, params: Params) -> bool:
        """Whether the page's own controls may go to that run of the same playground."""
        return self.view.permits(_own(self), params)


def arrive(scene: Scene) -> None:
    """In a full run: take the state from the URL if that has changed (a link, Back) and the reader has done nothing.

    Reruns of the fragment do not look at the URL: theirs may still be the one from before the rerun ahead of them, and
    a knob that was just moved would jump back.
    """
    state = session.STATE.get(scene.page)
    if state is None:
        session.FRESH.set(scene.page, True)
    if state is None or (not session.TOUCHED.get(scene.page) and state.url != st.query_params.to_dict()):
        session.STATE.set(scene.page, from_query(st.query_params.to_dict(), scene))


def current(scene: Scene) -> PageState:
    """The state of the page; what the reader has changed in it is written into the URL."""
    state = session.state_of(scene.page)
    if session.TOUCHED.take(scene.page):
        wanted = to_query(state, scene)
        now = st.query_params.to_dict()
        if PRESENT in now:
            wanted[PRESENT] = now[PRESENT]
        if wanted != now:
            st.query_params.from_dict(wanted)
        state = replace(state, url=wanted)
        session.STATE.set(scene.page, state)
    return state


def change(page: str, **changes: Any) -> None:
    """For a widget's callback: the reader has changed params, step, complaints or the run to compare with."""
    session.TOUCHED.set(page, True)
    session.STATE.set(page, replace(session.state_of(page), **({"held": False} | changes)))


def go(page: str, params: Params, playground: str = "") -> None:
    """For a button's callback: show another run from its end, with what the link has fixed as the link has it."""
    state = session.state_of(page)
    if playground and playground != state.playground:
        change(page, playground=playground, params=params, step=None, complaints=[], pinned=None)
    else:
        change(page, params=state.view.kept(_own(state), params), step=None, complaints=[])


def reset(scene: Scene, state: PageState) -> Params:
    """What the page starts from, with what the link has fixed."""
    return state.view.kept(_own(state), scene.start)


def reveal(page: str, params: Params, playground: str) -> None:
    """The run that decides a question: for as long as it is shown it may set what the link has fixed."""
    change(page, playground=playground, params=params, step=None, complaints=[], pinned=None)


def _own(state: PageState) -> Params:
    fits = state.own is not None and type(state.own) is type(state.params)
    return state.own if fits and state.own is not None else state.params


def to_query(state: PageState, scene: Scene) -> dict[str, str]:
    """What of the state differs from the page as it opens."""
    start = scene.showing(state.playground).start
    query = {PLAYGROUND: state.playground} if state.playground != scene.first else {}
    query |= state.view.kept(_own(state), state.params).to_query(start)
    if state.step is not None:
        query[STEP] = str(state.step)
    if state.pinned is not None:
        query[PINNED] = urlencode(state.pinned.to_query(start), safe=",~") or AS_STARTED
    return query | state.view.to_query()


def from_query(query: dict[str, str], scene: Scene, opens: bool = True) -> PageState:
    """The state that a link means, and what was wrong with it.

    opens: whether a plain link opens with the page's question, before its run.
    """
    knobs = dict(list(query.items())[:MOST_PARAMETERS])
    step, hide, lock, pinned, name = (knobs.pop(one, "") for one in (STEP, HIDE, LOCK, PINNED, PLAYGROUND))
    knobs.pop(PRESENT, None)
    is_plain = not (knobs.keys() - EMBED or step or pinned or name)
    wrong = []
    if name and name not in catalogue.names():
        wrong.append(f"playground={shown(name)}: there is none of that name; this page shows {scene.first}.")
        name = ""
    name = name or moved.taken_over(knobs, scene.starts) or scene.first
    start = scene.showing(name).start
    params, complaints = type(start).from_query(knobs, start)
    complaints = wrong + complaints
    if step and not (step.isascii() and step.isdigit() and len(step) < 10):
        complaints.append(f"step={shown(step)} is not the number of a step: showing the last one.")
        step = ""
    view = View(
        _names(HIDE, hide, {*PARTS, *params.knobs()}, complaints),
        _names(LOCK, lock, {ALL, *params.knobs()}, complaints),
    )
    other, problems = other_run(pinned, start) if pinned else (None, [])
    complaints += [f"The run to compare with: {problem}" for problem in problems]
    own = params if view.hide or view.lock else None
    if is_plain and scene.questions and opens:
        return opening(scene, PageState(name, params, 0, complaints, query, view, held=True, own=own))
    return PageState(name, params, int(step) if step else None, complaints, query, view, other, own=own)


def opening(scene: Scene, state: PageState) -> PageState:
    """The state in which a plain link opens: the run that decides the first question waits at its first step."""
    if "question" in state.view.hide:
        return state
    there, params = scene.decided_by(scene.questions[0])
    return replace(state, playground=there.playground.name, params=params)


def link_to(page: str, query: dict[str, str], **more: str) -> str:
    """The full link to a page in this state, as this reader's browser reaches the app.

    Only the host is taken from the reader's address: where one page's name ends with another's,
    Streamlit garbles the path.
    """
    here = urlsplit(st.context.url or "http://localhost:8501/")
    folder = (st.get_option("server.baseUrlPath") or "").strip("/")
    base = "/".join(filter(None, [f"{here.scheme}://{here.netloc}", folder, page]))
    arguments = urlencode(query | more, safe=",~")
    return f"{base}?{arguments}" if arguments else base


def other_run(text: str, preset: Params) -> tuple[Params, list[str]]:
    """The params that a query string means on this page, and what was wrong with it."""
    pairs = [] if text == AS_STARTED else parse_qsl(text, keep_blank_values=True)[:MOST_PARAMETERS]
    ours = {STEP, HIDE, LOCK, PINNED, PLAYGROUND, *EMBED}
    return type(preset).from_query({name: value for name, value in pairs if name not in ours}, preset)


def _names(of: str, text: str, known: set[str], complaints: list[str]) -> tuple[str, ...]:
    """The names in a comma-separated list that mean something here, once each."""
    names = dict.fromkeys(filter(None, text.split(",")[:MOST_PARAMETERS]))
    for name in names:
        if name not in known:
            complaints.append(f"{of}={shown(name)}: nothing here is called that.")
    return tuple(name for name in names if name in known)
