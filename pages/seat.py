"""Where this browser sits in a live room: taken, remembered by the browser, given up."""

import json
from functools import lru_cache
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from classroom import agenda, rooms
from classroom.agenda import Agenda
from classroom.codes import Guard
from classroom.database import database
from classroom.refused import Refused
from classroom.rooms import Joined, Opened
from classroom.snapshot import Snapshot, Snapshots
from playgrounds.stage import session
from playgrounds.stage.session import ROOM, Seat

MOST = 40  # characters of a secret

guard = Guard()


@lru_cache(maxsize=1)
def snapshots() -> Snapshots:
    return Snapshots(database())


def mine() -> Seat | None:
    return session.SEAT.get(ROOM)


def is_concerned() -> bool:
    """Whether this session is in a room, or is still to be told that it no longer is."""
    return mine() is not None or session.SAID.has(ROOM)


def seen(seat: Seat) -> Snapshot | None:
    """The room as it was half a second ago at most; None if it is over."""
    now = snapshots().of(seat.room, seat.member or None)
    if now is not None and seat.member and seat.member not in now.members:  # who has joined just now
        changed(seat)
        now = snapshots().of(seat.room)
    return now


def is_over(seat: Seat) -> bool:
    """Whether the room is no more, or this browser was sent out: the database says it."""
    try:
        rooms.back(database(), seat.secret)
    except Refused:
        return True
    return False


def changed(seat: Seat) -> None:
    """This session has changed something: the next look is a fresh one."""
    snapshots().forget(seat.room)


def take(found: Opened | Joined) -> Seat:
    """Sit down in a room, and let the browser keep the seat."""
    if isinstance(found, Opened):
        seat = Seat(found.room, found.code, found.key)
    else:
        seat = Seat(found.room, "", found.token, found.member, found.name)
    session.SEAT.set(ROOM, seat)
    for entry in (session.OBEYED, session.LEADS, session.DONE):
        entry.forget(ROOM)
    changed(seat)
    _keep(seat=json.dumps({"teaches": seat.teaches, "secret": seat.secret}))
    return seat


def renamed(seat: Seat, name: str) -> None:
    session.SEAT.set(ROOM, seat._replace(name=name))


def give_up() -> None:
    """The room is over, or this browser leaves it."""
    if seat := mine():
        session.OVER.set(ROOM, seat.secret)
    for entry in (session.SEAT, session.OBEYED, session.LEADS, session.DONE):
        entry.forget(ROOM)
    _keep(seat="")


def to_keep() -> dict[str, str] | None:
    """What the browser shall keep; None for everybody who has nothing to do with rooms."""
    return session.KEPT.get(ROOM) or None


def _keep(**what: str) -> None:
    session.KEPT.set(ROOM, session.KEPT.get(ROOM) | what)


def remember(told: Any) -> None:
    """The browser says what it has kept: after a reload, or to a server that was started again."""
    if not isinstance(told, dict):
        return
    kept = session.KEPT.get(ROOM)
    if isinstance(draft := told.get("draft"), str) and "draft" not in kept:
        set_draft(_read(draft))
    if mine() is None and "seat" not in kept and isinstance(told.get("seat"), str):
        _come_back(told["seat"])


def _come_back(text: str) -> None:
    try:
        told = json.loads(text[:200])
        secret = told["secret"]
        if not isinstance(secret, str) or len(secret) > MOST or secret == session.OVER.get(ROOM):
            return
        take(rooms.teaches(database(), secret) if told["teaches"] is True else rooms.back(database(), secret))
    except (ValueError, TypeError, KeyError, Refused):
        _keep(seat="")
    except SQLAlchemyError:
        return  # the database cannot be reached just now: the next look may find it


def draft() -> Agenda:
    """The agenda that is being made while no room is open."""
    return _read(session.DRAFT.get(ROOM))


def set_draft(made: Agenda) -> None:
    packed = agenda.to_link(made) if made.item else ""
    session.DRAFT.set(ROOM, packed)
    _keep(draft=packed)


def _read(packed: str) -> Agenda:
    try:
        return agenda.from_link(packed) if packed else Agenda()
    except Refused:
        return Agenda()
