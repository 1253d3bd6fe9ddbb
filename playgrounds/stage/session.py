"""What one reader's session holds: the only place that touches st.session_state, one typed entry for each thing."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from playgrounds.kit.answers import Verdict
    from playgrounds.kit.sweep import Sweep
    from playgrounds.stage.address import PageState

T = TypeVar("T")


class Order(NamedTuple):
    """What a page wants of its player: obeyed once, told apart by its number."""

    run: str = ""  # the id of the run that is meant
    number: int = 0
    step: int | None = None  # None: play from the start
    tour: bool = False  # whether it shall pause at the stops of the tour


class Seat(NamedTuple):
    """Where this browser sits in a live room."""

    room: int
    code: str
    secret: str  # the teacher's key or the member's token; the browser keeps it, too
    member: int = 0
    name: str = ""

    @property
    def teaches(self) -> bool:
        return not self.member


class Entry(Generic[T]):
    """A value of the session, by what it belongs to: a page, a question of it, a widget."""

    def __init__(self, name: str, default: Callable[[], T]):
        self.name, self.default = name, default

    def get(self, of: str) -> T:
        return st.session_state.get(f"{of}:{self.name}", self.default())

    def set(self, of: str, value: T) -> None:
        st.session_state[f"{of}:{self.name}"] = value

    def has(self, of: str) -> bool:
        return f"{of}:{self.name}" in st.session_state

    def forget(self, of: str) -> None:
        st.session_state.pop(f"{of}:{self.name}", None)

    def take(self, of: str) -> T:
        """The value, which is then forgotten."""
        return st.session_state.pop(f"{of}:{self.name}", self.default())


def _none() -> Any:
    return None


# Of a page
STATE: Entry[PageState | None] = Entry("state", _none)
TOUCHED: Entry[bool] = Entry("touched", bool)  # whether the reader has changed something that the URL does not show yet
FRESH: Entry[bool] = Entry("fresh", bool)  # whether this session shows the page for the first time
ORDER: Entry[Order] = Entry("order", Order)
REACHED: Entry[frozenset[str]] = Entry("reached", frozenset)  # ids of goals
SOLVED: Entry[frozenset[str]] = Entry("solved", frozenset)  # ids of goals whose solution was shown
SWEEP: Entry[Sweep | None] = Entry("sweep", _none)
TOURED: Entry[int] = Entry("toured", int)  # the player's last wish for a leg of the tour, by its number
PICKED: Entry[float | None] = Entry("picked", _none)  # the point of the sweep that was clicked last

SHOWN: Entry[str] = Entry("shown", str)  # id of the question whose answer is on the page; "": the next open one
KNOWN: Entry[frozenset[str]] = Entry("known", frozenset)  # ids of questions that were answered on earlier visits

# Of a question of a page
BET: Entry[int | None] = Entry("bet", _none)  # the option that the reader has chosen
TOLD: Entry[dict[int, str] | None] = Entry("told", _none)  # what is said to each option, once the run has decided
ASKED: Entry[bool] = Entry("asked", bool)  # whether the reader wants the answer before the run has ended
SKIPPED: Entry[bool] = Entry("skipped", bool)
AGAIN: Entry[bool] = Entry("again", bool)  # whether the reader wants to be asked once more

# Of an exercise of a page
ROUND: Entry[int] = Entry("round", int)  # how often its numbers were drawn anew
VERDICT: Entry[Verdict | None] = Entry("verdict", _none)  # on the number that was typed last
OPENED: Entry[bool] = Entry("opened", bool)  # whether its answer was shown

# Of a knob of a page
COUNT: Entry[int] = Entry("count", int)  # how often something else than its widget has changed it
SEEN: Entry[Any] = Entry("seen", _none)  # the value that its widget was made with, or has brought last

# Of the live room that this browser is in: all under ROOM
ROOM = "room"
SEAT: Entry[Seat | None] = Entry("seat", _none)
OVER: Entry[str] = Entry("over", str)  # the secret of a room that is no more
KEPT: Entry[dict[str, str]] = Entry("kept", dict)  # what the browser shall keep: "seat", "draft"
DRAFT: Entry[str] = Entry("draft", str)  # an agenda that is being made, as in a link
WRONG: Entry[int] = Entry("wrong", int)  # wrong codes that were typed
LEADS: Entry[bool] = Entry("leads", bool)  # whether the screens of the room follow this one
OBEYED: Entry[tuple[int, int] | None] = Entry("obeyed", _none)  # where this screen was sent last: number, plays
DONE: Entry[frozenset[str]] = Entry("done", frozenset)  # runs of the room that were taken note of
SAID: Entry[str] = Entry("said", str)  # what is said once, about the last press

_READER = "reader"


def reader() -> str:
    """A name for this reader that lasts as long as the browser keeps it: options stay where they were on a reload."""
    if _READER not in st.session_state:
        st.session_state[_READER] = st.context.cookies.get("_streamlit_xsrf", "") or token_hex(8)
    return st.session_state[_READER]


def widget(key: str) -> Any:
    """What stands in the widget or the component of that key; None if it is not there."""
    return st.session_state.get(key)


def is_widget(key: str) -> bool:
    return key in st.session_state


def look() -> None:
    """Looking into the session's state lets Streamlit end a rerun here, if the reader has left the page."""
    _ = _READER in st.session_state


def state_of(page: str) -> PageState:
    """What the reader looks at on a page that has been opened."""
    state = STATE.get(page)
    assert state is not None, f"{page} has not been opened"
    return state
