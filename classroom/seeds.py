"""Everyone a seed: random numbers handed out without doubles, and what the runs that start from them end with."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps

from sqlalchemy import func, select, update

from classroom import database as db
from classroom import rooms
from classroom.agenda import OPEN, Facts, own
from classroom.challenge import finite
from classroom.database import Database
from classroom.follow import Walk, send

WANTED = 40  # runs, for a distribution that can be read: a small class gets more seeds each
MOST_EACH = 12
SLOWEST = 0.3  # seconds of computing that a run may take where everybody starts one


@dataclass(frozen=True)
class Grown:
    """A seed and the member who has it. numbers: with which its run has ended; None: not yet."""

    seed: int
    member: int
    numbers: dict[str, float | None] | None


def start(base: Database, key: str, item: int, walk: Walk) -> None:
    """Hand out from now on; every screen goes to the page, and there to its own seed."""
    now = base.clock()
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, now)
        if own(connection, room.id, item).phase == OPEN:
            return
        here = select(func.count()).select_from(db.members).where(db.members.c.room == room.id)
        count = connection.scalar(here.where(db.members.c.seen > now - rooms.AWAY)) or 0
        values = {"phase": OPEN, "began": now, "each": share(count)}
        connection.execute(update(db.items).where(db.items.c.id == item).values(**values))
        rooms.change(connection, room.id)
        send(connection, room.id, room.stamp + 1, walk)


def share(count: int) -> int:
    """How many seeds each of `count` members gets."""
    return min(MOST_EACH, max(1, math.ceil(WANTED / max(1, count))))


def take(base: Database, token: str, item: int) -> list[int]:
    """The seeds of a member: those handed out before, or new ones that nobody has. [] if none are handed out now."""
    with base.write() as connection:
        member, room = rooms.of_member(connection, token, base.clock())
        mine = select(db.seeds.c.seed).where(db.seeds.c.item == item, db.seeds.c.member == member.id)
        if have := sorted(connection.scalars(mine)):
            return have
        row = own(connection, room.id, item)
        if room.current != item or row.phase != OPEN:
            return []
        facts = Facts.model_validate_json(row.facts)
        last = connection.scalar(select(func.max(db.seeds.c.seed)).where(db.seeds.c.item == item))
        first = max(facts.lowest, 1) if last is None else last + 1
        new = [seed for seed in range(first, first + row.each) if seed <= facts.highest]
        for seed in new:
            one = {"item": item, "seed": seed, "member": member.id, "numbers": "", "at": base.clock()}
            base.put(connection, db.seeds, one, replace=False)
        rooms.change(connection, room.id)
    return new


def record(base: Database, token: str, item: int, seed: int, numbers: Mapping[str, float | None]) -> bool:
    """Take note of the run that this server has computed from a member's seed; whether it was that member's."""
    with base.write() as connection:
        member, room = rooms.of_member(connection, token, base.clock())
        own(connection, room.id, item)
        mine = db.seeds.c.item == item, db.seeds.c.seed == seed, db.seeds.c.member == member.id
        values = {"numbers": dumps(finite(numbers)), "at": base.clock()}
        done = connection.execute(update(db.seeds).where(*mine, db.seeds.c.numbers == "").values(**values))
        if done.rowcount:
            rooms.change(connection, room.id)
            return True
        return connection.scalar(select(db.seeds.c.seed).where(*mine)) is not None
