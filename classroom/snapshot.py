"""What a process knows of a room: read from the database at most twice a second, whoever asks."""

import json
import threading
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, func, select, update

from classroom import database as db
from classroom.agenda import Facts, Item
from classroom.challenge import Tried, read_numbers
from classroom.database import Database
from classroom.follow import Walk, read
from classroom.rooms import AWAY
from classroom.seeds import Grown

FRESH = 0.5  # seconds for which a snapshot is good
SIGNS = 4.0  # seconds after which the signs of life that have come in are written down


@dataclass(frozen=True)
class Entry:
    """An item of a room's agenda, and how far the class is with it."""

    id: int
    item: Item
    facts: Facts
    phase: str
    round: int
    shown: bool
    each: int
    began: float | None


@dataclass(frozen=True)
class Snapshot:
    """A room at one moment. votes: by item, round and member what was chosen."""

    room: int
    stamp: int
    code: str
    title: str
    opened: float
    ends: float
    named: bool
    leading: bool
    walk: Walk | None
    members: dict[int, str]
    here: int
    entries: tuple[Entry, ...]
    current: Entry | None
    votes: dict[tuple[int, int, int], str]
    tried: tuple[Tried, ...]  # of the current item
    grown: tuple[Grown, ...]  # of the current item

    def counts(self, item: int, round_: int) -> Counter[str]:
        """How often each choice was made."""
        return Counter(choice for (one, its, _), choice in self.votes.items() if (one, its) == (item, round_))

    @cached_property
    def place(self) -> int | None:
        """Which item the class is at, counted from 1."""
        return next((n for n, one in enumerate(self.entries, start=1) if one is self.current), None)


class Snapshots:
    """The rooms that this process serves."""

    def __init__(self, base: Database):
        self.base = base
        self._kept: dict[int, tuple[float, Snapshot | None]] = {}
        self._seen: set[int] = set()
        self._written = 0.0
        self._lock = threading.Lock()

    def of(self, room: int, member: int | None = None) -> Snapshot | None:
        """The room as it was half a second ago at most; None if it is over. `member` gives a sign of life."""
        if member is not None:
            self._seen.add(member)
        at, kept = self._kept.get(room, (0.0, None))
        if abs(self.base.clock() - at) < FRESH:
            return kept
        with self._lock:
            at, kept = self._kept.get(room, (0.0, None))
            now = self.base.clock()
            if abs(now - at) < FRESH:
                return kept
            self._write_signs(now)
            with self.base.read() as connection:
                fresh = load(connection, room, now, kept)
            self._kept = {one: old for one, old in self._kept.items() if abs(now - old[0]) < 60}
            self._kept[room] = now, fresh
            return fresh

    def forget(self, room: int) -> None:
        """For who has just changed something: the next look is a fresh one."""
        self._kept.pop(room, None)

    def _write_signs(self, now: float) -> None:
        if not self._seen or abs(now - self._written) < SIGNS:
            return
        seen, self._seen, self._written = self._seen, set(), now
        with self.base.write() as connection:
            connection.execute(update(db.members).where(db.members.c.id.in_(seen)).values(seen=now))


def load(connection: Connection, room: int, now: float, before: Snapshot | None = None) -> Snapshot | None:
    """Read a room; where nothing of it has changed since `before`, only who is here."""
    row = connection.execute(select(db.rooms).where(db.rooms.c.id == room, db.rooms.c.ends >= now)).first()
    if row is None:
        return None
    mine = db.members.c.room == room
    is_here = select(func.count()).select_from(db.members).where(mine, db.members.c.seen > now - AWAY)
    here = connection.scalar(is_here) or 0
    if before is not None and before.stamp == row.stamp:
        return before if here == before.here else Snapshot(**(_fields(before) | {"here": here}))
    in_room = connection.execute(select(db.members.c.id, db.members.c.name).where(mine).order_by(db.members.c.id))
    known = before.entries if before is not None else ()
    entries = tuple(_entries(connection, room, known))
    current = next((one for one in entries if one.id == row.current), None)
    its = current.id if current is not None else 0
    wanted = select(db.votes).where(db.votes.c.item.in_([one.id for one in entries]))
    return Snapshot(
        room, row.stamp, row.code, row.title, row.opened, row.ends, row.named, row.leading, read(row.walk),
        {one.id: one.name for one in in_room}, here, entries, current,
        {(vote.item, vote.round, vote.member): vote.choice for vote in connection.execute(wanted)},
        tried(connection, its), grown(connection, its),
    )  # fmt: skip


def tried(connection: Connection, item: int) -> tuple[Tried, ...]:
    """The runs of a challenge, in the order in which they came."""
    rows = connection.execute(select(db.runs).where(db.runs.c.item == item).order_by(db.runs.c.at))
    return tuple(
        Tried(one.member, json.loads(one.params), read_numbers(one.numbers), one.moved, one.reached, one.at)
        for one in rows
    )


def grown(connection: Connection, item: int) -> tuple[Grown, ...]:
    rows = connection.execute(select(db.seeds).where(db.seeds.c.item == item).order_by(db.seeds.c.seed))
    return tuple(Grown(one.seed, one.member, read_numbers(one.numbers) if one.numbers else None) for one in rows)


def _entries(connection: Connection, room: int, known: tuple[Entry, ...]) -> list[Entry]:
    before = {one.id: one for one in known}  # what an item is never changes, and reading it costs most
    found = []
    wanted = select(db.items).where(db.items.c.room == room).order_by(db.items.c.place, db.items.c.id)
    for one in connection.execute(wanted):
        old = before.get(one.id)
        item = old.item if old else Item.model_validate_json(one.spec)
        facts = old.facts if old else Facts.model_validate_json(one.facts)
        found.append(Entry(one.id, item, facts, one.phase, one.round, one.shown, one.each, one.began))
    return found


def _fields(one: Snapshot) -> dict:
    return {name: getattr(one, name) for name in Snapshot.__dataclass_fields__}
