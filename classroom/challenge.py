"""Challenge: a goal of a page, and minutes to reach it. Only runs that a server has computed for a member count."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from classroom import database as db
from classroom import rooms
from classroom.agenda import CLOSED, OPEN, WAITING, Facts, Item, own
from classroom.database import Database
from classroom.follow import Walk, send
from playgrounds.kit import catalogue
from playgrounds.kit.conditions import allowed, reached

MOST_RUNS = 300  # of a member, in one challenge
GRACE = 3.0  # seconds after the time is up in which a run that was started before may still come in


@dataclass(frozen=True)
class Tried:
    """A run that was computed for a member."""

    member: int
    params: dict[str, Any]
    numbers: dict[str, float | None]
    moved: int  # knobs that differ from where the page starts
    reached: bool
    at: float


def start(base: Database, key: str, item: int, walk: Walk) -> None:
    """The time runs; every screen goes to the page."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        if own(connection, room.id, item).phase == OPEN:
            return
        connection.execute(update(db.items).where(db.items.c.id == item).values(phase=OPEN, began=base.clock()))
        rooms.change(connection, room.id)
        send(connection, room.id, room.stamp + 1, walk)


def stop(base: Database, key: str, item: int) -> None:
    """The time is up: for a challenge, and for seeds."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        if own(connection, room.id, item).phase != WAITING:
            connection.execute(update(db.items).where(db.items.c.id == item).values(phase=CLOSED))
        rooms.change(connection, room.id, walk="")


def left(item: Item, began: float | None, now: float) -> float | None:
    """Seconds that are left; None without a time."""
    if item.minutes is None or began is None:
        return None
    return max(0.0, began + 60 * item.minutes - now)


def record(
    base: Database,
    token: str,
    item: int,
    playground: str,
    params: Mapping[str, Any],
    numbers: Mapping[str, float | None],
    mark: str,
) -> bool | None:
    """Take note of a run that this server has computed for a member: whether it reaches the goal; None: it counts not.

    numbers: the metrics of its last state. mark: names the run, so that the same run counts once.
    """
    now = base.clock()
    with base.write() as connection:
        member, room = rooms.of_member(connection, token, now)
        row = own(connection, room.id, item)
        wanted, facts = Item.model_validate_json(row.spec), Facts.model_validate_json(row.facts)
        over = left(wanted, row.began, now - GRACE) == 0
        if room.current != item or row.phase != OPEN or wanted.kind != "challenge" or over:
            return None
        if playground != facts.playground:
            return None
        mine = db.runs.c.item == item, db.runs.c.member == member.id
        if (connection.scalar(select(func.count()).select_from(db.runs).where(*mine)) or 0) >= MOST_RUNS:
            return None
        done = reaches(facts, params, numbers)
        one = {"item": item, "member": member.id, "mark": mark[:16], "params": json.dumps(dict(params))}
        one |= {"numbers": json.dumps(finite(numbers)), "moved": moved(facts, params), "reached": done, "at": now}
        if base.put(connection, db.runs, one, replace=False):
            rooms.change(connection, room.id)
    return done


def reaches(facts: Facts, params: Mapping[str, Any], numbers: Mapping[str, float | None]) -> bool:
    """Whether a run reaches the goal and keeps its rules."""
    made = catalogue.load(facts.playground).Params(**params)
    return reached(facts.reach, numbers) and allowed(facts.wanted, made)


def moved(facts: Facts, params: Mapping[str, Any]) -> int:
    """How many knobs differ from where the page starts; the seed counts like any other."""
    return sum(json.dumps(value) != json.dumps(facts.start.get(name)) for name, value in params.items())


def finite(numbers: Mapping[str, float | None]) -> dict[str, float | str | None]:
    """Numbers as JSON takes them: what has diverged is the text "nan", which Python reads as a number again."""
    return {
        name: value if value is None or value - value == 0 else str(float(value)) for name, value in numbers.items()
    }


def read_numbers(text: str) -> dict[str, float | None]:
    return {name: float(value) if isinstance(value, str) else value for name, value in json.loads(text).items()}


def ranking(tried: Iterable[Tried], rank: str) -> list[Tried]:
    """The best run of every member who has reached the goal, in the order of the ranking ("off": of the members)."""
    best: dict[int, Tried] = {}
    for one in tried:
        before = best.get(one.member)
        if one.reached and (before is None or _place(one, rank) < _place(before, rank)):
            best[one.member] = one
    key = (lambda one: (one.member,)) if rank == "off" else (lambda one: _place(one, rank))
    return sorted(best.values(), key=key)


def latest(tried: Iterable[Tried]) -> dict[int, Tried]:
    """For the picture: of every member the run with which the goal was reached, or else the last one."""
    found: dict[int, Tried] = {}
    for one in sorted(tried, key=lambda one: one.at):
        if one.member not in found or not found[one.member].reached:
            found[one.member] = one
    return found


def _place(one: Tried, rank: str) -> tuple[float, ...]:
    return (one.moved, one.at) if rank == "knobs" else (one.at,)
