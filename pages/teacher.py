"""What the teacher of a live room has on every page: the room's controls, and whether the class follows."""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from classroom import agenda, asking, challenge, follow, seeds
from classroom.agenda import ANSWER, CLOSED, OPEN, RUN, VOTED, WAITING
from classroom.asking import ROUNDS
from classroom.database import database
from classroom.follow import Walk
from classroom.refused import Refused
from classroom.rehearsal import Troupe
from classroom.snapshot import Entry, Snapshot
from glossary import CLASSROOM
from pages import items, seat
from pages.member import attempt, seed_of
from pages.plain import in_html, in_markdown
from pages.site import Site
from playgrounds.kit.words import counted
from playgrounds.stage import guided, session
from playgrounds.stage.page import made
from playgrounds.stage.session import ROOM, Seat

LOOK = 1.0  # seconds between two looks at the room
PAGE = CLASSROOM  # where the projector's view is
troupes: dict[int, Troupe] = {}  # of this process, by room


def show(site: Site) -> None:
    with st.container(key="classbar", gap="xsmall"):
        st.fragment(_bar, run_every=LOOK)(site)


def _bar(site: Site) -> None:
    mine = seat.mine()
    now = look(site, mine) if mine is not None else None
    if mine is None or now is None:
        return
    with st.container(key="classbar-head", horizontal=True, vertical_alignment="center", gap="small"):
        where = f" · {now.place} of {len(now.entries)}: {items.KINDS[now.current.item.kind]}" if now.current else ""
        st.html(
            f'<p class="classbar-who"><b>{now.code}</b> · {in_html(here(now))}'
            f'<span role="status">{in_html(where + progress(now))}</span></p>'
        )
        controls(site, mine, now)
        lead(site, mine, now)
        if st.button("To the room", key="classbar-room", type="tertiary"):
            st.switch_page(site.pages[PAGE])
    say()


def say() -> None:
    """What the room has refused."""
    if said := session.SAID.take(ROOM):
        st.warning(in_markdown(said))


def here(now: Snapshot) -> str:
    away = len(now.members) - now.here
    return f"{now.here} here" + (f", {away} away" if away > 0 else "")


def progress(now: Snapshot) -> str:
    """How far the class is with the current item."""
    entry = now.current
    if entry is None:
        return ""
    if entry.item.kind in VOTED:
        count = sum(now.counts(entry.id, entry.round).values())
        return f", {count} of {len(now.members)} have voted"
    if entry.item.kind == "challenge":
        return f", {len({one.member for one in now.tried if one.reached})} of {len(now.members)} have reached it"
    if entry.item.kind == "seeds":
        return f", {sum(one.numbers is not None for one in now.grown)} of {counted(len(now.grown), 'run')} have ended"
    return ""


# ------------------------------------------------------------------------------------------------- once in every look


def look(site: Site, mine: Seat) -> Snapshot | None:
    """The room as it is now, after what is due was done; None and a sentence if it is over."""
    now = seat.seen(mine)
    if now is None:
        seat.give_up()
        session.SAID.set(ROOM, "The room is over.")
        st.rerun()
    entry = now.current
    if entry is not None and entry.item.kind == "challenge" and entry.phase == OPEN:
        left = challenge.left(entry.item, entry.began, time.time())
        if left is not None and left <= 0:
            attempt(mine, lambda: challenge.stop(database(), mine.secret, entry.id))
    if (troupe := troupes.get(mine.room)) is not None:
        troupe.act(
            now,
            lambda name, params: items.computed(name, dict(params)),
            lambda entry, dice: items.attempt(entry, site, dice),
            lambda entry, dice: items.type_number(entry, site, seed_of(now, entry), dice),
        )
    if session.LEADS.get(ROOM):
        _lead_on(site, mine, now)
    else:
        _go_along(site, now)
    return now


def _lead_on(site: Site, mine: Seat, now: Snapshot) -> None:
    """Send the class where this screen is, if it has moved."""
    if site.here == PAGE:
        return
    term = site.glossary.term.get(site.here)
    walk = Walk(site.here)
    if term is not None and term.playground:
        scene = made(term.slug, term.name, term.starts, term.asked, site.starts)
        if (seen := guided.seen(scene)) is not None:
            walk = Walk(site.here, seen.query, seen.held, seen.plays)
    if not (now.leading and walk.same(now.walk)):
        attempt(mine, lambda: follow.lead(database(), mine.secret, walk))


def _go_along(site: Site, now: Snapshot) -> None:
    """The teacher's own screens go where an item sends the class; what was ordered before this screen came is over."""
    walk = now.walk
    number = walk.number if walk is not None else 0
    before = session.OBEYED.get(ROOM)
    session.OBEYED.set(ROOM, (max(number, before[0] if before else 0), 0))
    if walk is None or before is None or number <= before[0] or now.leading or walk.page not in site.pages:
        return
    if now.current is not None and now.current.item.kind in VOTED:
        st.switch_page(site.pages[walk.page], query_params=items.go(site, walk))


# ----------------------------------------------------------------------------------------------------------- controls


def _button(label: str, name: str, mine: Seat, act: Callable[..., object], *args: Any, **look: Any) -> None:
    st.button(
        label, key=f"control:{name}", on_click=attempt, args=(mine, lambda: act(database(), mine.secret, *args)), **look
    )


def controls(site: Site, mine: Seat, now: Snapshot) -> None:
    """What can be done with the current item, and the way through the agenda."""
    entry = now.current
    with st.container(key="controls", horizontal=True, vertical_alignment="center", gap="small"):
        if now.entries:
            at = now.place or 0
            _button("←", "before", mine, agenda.step, -1, disabled=at <= 1, help="Item before (Page Up)")
            label = "Next →" if at else "Start →"
            last = at == len(now.entries)
            _button(label, "next", mine, agenda.step, 1, disabled=last, help="Next item (Page Down)")
        if entry is not None:
            _of_item(site, mine, entry)


def _of_item(site: Site, mine: Seat, entry: Entry) -> None:
    if entry.item.kind in VOTED:
        _of_vote(site, mine, entry)
    elif entry.item.kind in ("challenge", "seeds"):
        start = challenge.start if entry.item.kind == "challenge" else seeds.start
        if entry.phase == WAITING:
            if (walk := _walk(site, entry)) is not None:
                _button("Start", "start", mine, start, entry.id, walk, type="primary")
        elif entry.phase == OPEN:
            _button("Stop", "stop", mine, challenge.stop, entry.id)
        elif entry.item.kind == "challenge" and (walk := _walk(site, entry)) is not None:
            _button("Once more", "start", mine, start, entry.id, walk)
    elif (walk := _walk(site, entry)) is not None:
        _button("Send all there", "look", mine, follow.call, walk, type="primary")


def _of_vote(site: Site, mine: Seat, entry: Entry) -> None:
    if entry.phase == OPEN:
        _button("Close the vote", "close", mine, asking.close, entry.id, type="primary")
        return
    if entry.phase == CLOSED:
        _button("Reopen", "reopen", mine, asking.reopen, entry.id)
    if entry.phase in (CLOSED, RUN):
        label = "Hide the votes" if entry.shown else "Show the votes"
        _button(label, "show", mine, asking.show, entry.id, not entry.shown)
    if entry.phase == CLOSED and entry.round < ROUNDS:
        _button("Vote again", "again", mine, asking.again, entry.id, help="Discuss, then a second round")
    if entry.item.kind != "free" and (walk := _walk(site, entry)) is not None:
        label = "Let the run decide" if entry.phase == CLOSED else "Run again"
        primary = "primary" if entry.phase == CLOSED else "secondary"
        _button(label, "run", mine, asking.run, entry.id, walk, type=primary)
    if entry.phase != ANSWER:
        look: dict[str, Any] = {"type": "primary"} if entry.phase == RUN or entry.item.kind == "free" else {}
        _button("Tell the answer", "answer", mine, asking.answer, entry.id, **look)


def _walk(site: Site, entry: Entry) -> Walk | None:
    try:
        play = 0 if entry.item.kind in ("challenge", "look") else 1
        return items.walk(site, entry.item, entry.id, play)
    except Refused:
        return None


def lead(site: Site, mine: Seat, now: Snapshot) -> None:
    """Whether every screen follows this one."""
    leads = session.LEADS.get(ROOM)
    if leads and not now.leading and site.here == PAGE:
        st.html('<p class="classbar-said">The class follows as soon as you open a page.</p>')
    label = "Set free" if leads or now.leading else "Follow me"
    helps = {
        "Follow me": "Every screen goes where yours is, and moves with it",
        "Set free": "Screens stay where they are",
    }
    if st.button(label, key="control:lead", type="primary" if label == "Set free" else "secondary", help=helps[label]):
        if label == "Follow me":
            session.LEADS.set(ROOM, True)
        else:
            session.LEADS.set(ROOM, False)
            attempt(mine, lambda: follow.free(database(), mine.secret))
        st.rerun()
