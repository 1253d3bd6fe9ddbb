"""Join a live room: by the code that is on the screen in front, or by its QR code."""

import streamlit as st

from classroom import rooms
from classroom.codes import LENGTH, read_code
from classroom.database import database
from classroom.refused import Refused
from pages import seat, teacher
from pages.classbar import STYLE
from pages.site import Site, frame
from playgrounds.stage import session
from playgrounds.stage.session import ROOM

FORM = "entering"


def show(site: Site) -> None:
    frame(site, "Join a lesson")
    mine = seat.mine()
    if mine is None:
        st.html(STYLE)
    with st.container(key="entering"):
        st.title("Join a lesson" if mine is None else "You are in", anchor=False)
        if mine is not None and not mine.teaches:
            st.markdown(
                "Keep this page open and look to the front. What the teacher asks appears above, on whichever page of "
                "the glossary you are."
            )
            return
        if mine is not None:
            st.markdown("This device is the teacher's of a room. Join on another one.")
            if st.button("To the room"):
                st.switch_page(site.pages[teacher.PAGE])
            return
        form(st.query_params.get("code", ""))
        st.caption("No account, no e-mail. You get a nickname that you can change; all is deleted after the lesson.")


def form(code: str) -> None:
    """Type a code, or confirm the one that was scanned."""
    known = read_code(code)
    if known:
        st.html(f'<p class="entering-code">{known}</p>')
        st.button(
            "Join this room", key="entering:scanned", type="primary", on_click=_join, args=(known,), width="stretch"
        )
        st.caption("Or type another code:")
    st.text_input("Code, five letters", key="entering:code", max_chars=LENGTH + 4, autocomplete="off")
    st.button("Join", key="entering:join", on_click=_typed, type="secondary" if known else "primary", width="stretch")
    if said := session.SAID.take(FORM):
        st.warning(said)


def _typed() -> None:
    _join(session.widget("entering:code") or "")


def _join(code: str) -> None:
    if not code.strip():
        return
    try:
        seat.take(rooms.join(database(), code, seat.guard, session.WRONG.get(ROOM)))
    except rooms.WrongCode as refused:
        session.WRONG.set(ROOM, session.WRONG.get(ROOM) + 1)
        session.SAID.set(FORM, str(refused))
    except Refused as refused:
        session.SAID.set(FORM, str(refused))
