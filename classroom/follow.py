"""Where every screen shall go: sent there once by an item, or led by the teacher until set free."""

import json
from dataclasses import asdict, dataclass, field, replace

from sqlalchemy import Connection

from classroom import rooms
from classroom.agenda import MOST_QUERY
from classroom.database import Database
from classroom.refused import Refused


@dataclass(frozen=True)
class Walk:
    """A page of the app and its state, as its address has it.

    number: told apart by it; a later one is larger. held: the run waits at its first step. play: how often the teacher
    has pressed play there; every press lets the others play, too. item: the item that has sent the class there.
    """

    page: str
    query: dict[str, str] = field(default_factory=dict)
    held: bool = False
    play: int = 0
    item: int = 0
    number: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def same(self, other: "Walk | None") -> bool:
        """Whether a screen that went to the other is right already."""
        return other is not None and replace(self, number=0, item=0) == replace(other, number=0, item=0)


def read(text: str) -> Walk | None:
    return Walk(**json.loads(text)) if text else None


def send(connection: Connection, room: int, stamp: int, walk: Walk) -> None:
    """In a transaction that has locked the room: all screens go there."""
    if len(walk.page) > 80 or sum(len(name) + len(value) for name, value in walk.query.items()) > MOST_QUERY:
        raise Refused("This page's state is too long to send it to all: it holds a long text or a drawing.")
    rooms.change(connection, room, walk=replace(walk, number=stamp + 1).to_json())


def lead(base: Database, key: str, walk: Walk) -> None:
    """Every screen goes where the teacher's is, and whoever comes later does."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        before = read(room.walk)
        if room.leading and walk.same(before):
            return
        rooms.change(connection, room.id, leading=True)
        send(connection, room.id, room.stamp + 1, walk)


def call(base: Database, key: str, walk: Walk) -> None:
    """Every screen goes there once, and is free to go on; who comes later is sent there, too."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        send(connection, room.id, room.stamp + 1, walk)


def free(base: Database, key: str) -> None:
    """The screens belong to the members again, where they are."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        rooms.change(connection, room.id, leading=False, walk="")
