"""Rooms and who is in them: open, join, come back, leave, end. What a key or a token permits is decided here."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from classroom import database as db
from classroom import names
from classroom.codes import Guard, digest, new_code, new_secret, read_code
from classroom.database import Database
from classroom.refused import GONE, NOT_YOURS, Refused

MOST_ROOMS = 50  # of a host
MOST_MEMBERS = 500  # of a room
HOURS = 24
TITLE = 80  # characters
AWAY = 15.0  # seconds without a sign, after which a member counts as gone


class Opened(NamedTuple):
    room: int
    code: str
    key: str  # the teacher's


class Joined(NamedTuple):
    room: int
    member: int
    name: str
    token: str


def open_room(base: Database, title: str = "") -> Opened:
    """A new room. Raises Refused where the host has too many."""
    now, key = base.clock(), new_secret()
    with base.write() as connection:
        expire(connection, now)
        if (connection.scalar(select(func.count()).select_from(db.rooms)) or 0) >= MOST_ROOMS:
            raise Refused(f"There are {MOST_ROOMS} rooms here already. Try again when one has ended.")
        taken = set(connection.scalars(select(db.rooms.c.code)))
        code = new_code()
        while code in taken:
            code = new_code()
        row = {"code": code, "key": digest(key), "title": " ".join(title.split())[:TITLE], "opened": now}
        row |= {"ends": now + HOURS * 3600, "named": False, "leading": False, "walk": "", "stamp": 1}
        made = connection.execute(insert(db.rooms).values(**row).returning(db.rooms.c.id)).scalar_one()
    return Opened(made, code, key)


def expire(connection: Connection, now: float) -> None:
    """Rooms whose time is up are deleted, with all that belongs to them."""
    connection.execute(delete(db.rooms).where(db.rooms.c.ends < now))


def of_teacher(connection: Connection, key: str, now: float) -> Row[Any]:
    """The room of that key, locked until the transaction ends. Raises Refused if there is none."""
    found = connection.execute(
        select(db.rooms).where(db.rooms.c.key == digest(key), db.rooms.c.ends >= now).with_for_update()
    ).first()
    if found is None:
        raise Refused(NOT_YOURS)
    return found


def of_member(connection: Connection, token: str, now: float) -> tuple[Row[Any], Row[Any]]:
    """The member of that token and the room, which is locked. Raises Refused if there is none."""
    member = connection.execute(select(db.members).where(db.members.c.token == digest(token))).first()
    room = None
    if member is not None:
        wanted = select(db.rooms).where(db.rooms.c.id == member.room, db.rooms.c.ends >= now)
        room = connection.execute(wanted.with_for_update()).first()
    if member is None or room is None:
        raise Refused(GONE)
    return member, room


def change(connection: Connection, room: int, **values: Any) -> None:
    """Change a room, or only take note that something of it has changed."""
    connection.execute(update(db.rooms).where(db.rooms.c.id == room).values(stamp=db.rooms.c.stamp + 1, **values))


def join(base: Database, typed: str, guard: Guard, tried: int = 0, simulated: bool = False) -> Joined:
    """Become a member of the room of that code. Raises Refused; a wrong code is noted by the guard."""
    guard.check(tried)
    code, now = read_code(typed), base.clock()
    with base.write() as connection:
        wanted = select(db.rooms).where(db.rooms.c.code == code, db.rooms.c.ends >= now).with_for_update()
        room = connection.execute(wanted).first() if code else None
        if room is not None:
            return _join(connection, room.id, now, simulated)
    guard.note_wrong()
    raise WrongCode("No room has this code. It has five letters; look again at the screen in front.")


class WrongCode(Refused):
    """Counts against the session that has typed it."""


def _join(connection: Connection, room: int, now: float, simulated: bool) -> Joined:
    taken = set(connection.scalars(select(db.members.c.name).where(db.members.c.room == room)))
    if len(taken) >= MOST_MEMBERS:
        raise Refused(f"The room is full: {MOST_MEMBERS} are in it.")
    name, token = names.make(taken), new_secret()
    row = {"room": room, "token": digest(token), "name": name, "seen": now, "simulated": simulated}
    made = connection.execute(insert(db.members).values(**row).returning(db.members.c.id)).scalar_one()
    change(connection, room)
    return Joined(room, made, name, token)


def back(base: Database, token: str) -> Joined:
    """The member of that token, who comes back. Raises Refused if the room is over."""
    with base.read() as connection:
        member, room = of_member(connection, token, base.clock())
    return Joined(room.id, member.id, member.name, token)


def teaches(base: Database, key: str) -> Opened:
    """The room of that key. Raises Refused if there is none."""
    with base.read() as connection:
        room = of_teacher(connection, key, base.clock())
    return Opened(room.id, room.code, key)


def rename(base: Database, token: str, typed: str) -> str:
    """Another nickname; returns it. Raises Refused if it is none, or another member has it."""
    name = names.clean(typed)
    with base.write() as connection:
        member, room = of_member(connection, token, base.clock())
        same = db.members.c.room == room.id, func.lower(db.members.c.name) == name.lower()
        if connection.scalar(select(db.members.c.id).where(*same, db.members.c.id != member.id)) is not None:
            raise Refused("Somebody in this room has that nickname already.")
        connection.execute(update(db.members).where(db.members.c.id == member.id).values(name=name))
        change(connection, room.id)
    return name


def give_name(base: Database, key: str, member: int) -> None:
    """For the teacher: replace a nickname by one of the app's making."""
    with base.write() as connection:
        room = of_teacher(connection, key, base.clock())
        taken = set(connection.scalars(select(db.members.c.name).where(db.members.c.room == room.id)))
        mine = db.members.c.id == member, db.members.c.room == room.id
        connection.execute(update(db.members).where(*mine).values(name=names.make(taken)))
        change(connection, room.id)


def send_out(base: Database, key: str, member: int) -> None:
    """For the teacher: a member is taken out of the room, with all votes and runs."""
    with base.write() as connection:
        room = of_teacher(connection, key, base.clock())
        connection.execute(delete(db.members).where(db.members.c.id == member, db.members.c.room == room.id))
        change(connection, room.id)


def leave(base: Database, token: str) -> None:
    """A member goes, and takes votes and runs along."""
    with base.write() as connection:
        member, room = of_member(connection, token, base.clock())
        connection.execute(delete(db.members).where(db.members.c.id == member.id))
        change(connection, room.id)


def show_names(base: Database, key: str, wanted: bool) -> None:
    with base.write() as connection:
        change(connection, of_teacher(connection, key, base.clock()).id, named=wanted)


def end(base: Database, key: str) -> None:
    """The room is deleted, with all that belongs to it."""
    with base.write() as connection:
        room = of_teacher(connection, key, base.clock())
        connection.execute(delete(db.rooms).where(db.rooms.c.id == room.id))
