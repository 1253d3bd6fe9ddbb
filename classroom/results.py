"""What is left of a lesson: a table with every vote, goal and seed, and distributions without names on a page."""

import csv
import io
import json
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from classroom import database as db
from classroom import rooms
from classroom.agenda import VOTED, Item
from classroom.challenge import ranking
from classroom.codes import new_secret
from classroom.database import Database
from classroom.refused import Refused
from classroom.snapshot import Snapshot, grown, load, tried

DAYS = 180  # for which a page of results is kept
MOST_PAGES = 1000  # of a host
HEAD = ["item", "kind", "page", "id", "round", "nickname", "choice", "seed", "reached", "seconds", "knobs moved", "run"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet would compute


def table(base: Database, key: str) -> str:
    """Everything by nickname as CSV: votes, runs of challenges, seeds. For the teacher alone."""
    out = io.StringIO()
    writer = csv.writer(out)
    with base.read() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        seen = _loaded(connection, room.id, base)
        metrics = _metrics(connection, seen)
        writer.writerow([*HEAD, *metrics])
        for number, entry in enumerate(seen.entries, start=1):
            item = entry.item
            head = [number, item.kind, item.page, item.id]
            for (one, round_, member), choice in sorted(seen.votes.items()):
                if one == entry.id:
                    writer.writerow(_safe([*head, round_, seen.members[member], _said(item, choice)]))
            for run in tried(connection, entry.id):
                seconds = round(run.at - entry.began, 1) if entry.began else ""
                words = " ".join(f"{name}={value}" for name, value in run.params.items())
                row = [*head, "", seen.members[run.member], "", "", int(run.reached), seconds, run.moved, words]
                writer.writerow(_safe(row + [run.numbers.get(name, "") for name in metrics]))
            for seed in grown(connection, entry.id):
                row = [*head, "", seen.members[seed.member], "", seed.seed, "", "", "", ""]
                writer.writerow(_safe(row + [(seed.numbers or {}).get(name, "") for name in metrics]))
    return out.getvalue()


def _metrics(connection: Connection, seen: Snapshot) -> list[str]:
    names: dict[str, None] = {}
    for entry in seen.entries:
        for run in tried(connection, entry.id):
            names |= dict.fromkeys(run.numbers)
        for one in grown(connection, entry.id):
            names |= dict.fromkeys(one.numbers or {})
    return list(names)


def _said(item: Item, choice: str) -> str:
    """An option as a letter; a typed number as it is."""
    return choice if item.kind == "exercise" else "ABCDEF"[int(choice)]


def _safe(row: list[Any]) -> list[Any]:
    return [f"'{one}" if isinstance(one, str) and one.startswith(FORMULA) else one for one in row]


def keep(base: Database, key: str) -> str:
    """Make a page of results, without names; returns what its link names it by."""
    now, made = base.clock(), new_secret()
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, now)
        seen = _loaded(connection, room.id, base)
        content = {"title": seen.title, "when": now, "members": len(seen.members)}
        content["items"] = [_distribution(connection, seen, n) for n in range(len(seen.entries))]
        connection.execute(delete(db.results).where(db.results.c.made < now - DAYS * 86_400))
        if (connection.scalar(select(func.count()).select_from(db.results)) or 0) >= MOST_PAGES:
            raise Refused("This server keeps no more pages of results. The CSV has everything.")
        connection.execute(insert(db.results).values(id=made, made=now, content=json.dumps(content)))
    return made


def _distribution(connection: Connection, seen: Snapshot, at: int) -> dict[str, Any]:
    """How the class has voted on an item (by round and choice), who reached its goal, what its seeds ended with."""
    entry = seen.entries[at]
    found: dict[str, Any] = {"item": entry.item.model_dump(exclude={"note"}), "choices": entry.facts.choices}
    found["phase"] = entry.phase
    if entry.item.kind in VOTED:
        found["rounds"] = [dict(seen.counts(entry.id, n)) for n in range(1, entry.round + 1)]
    if entry.item.kind == "challenge":
        all_ = tried(connection, entry.id)
        found |= {"tried": len({one.member for one in all_}), "reached": len(ranking(all_, "time")), "runs": len(all_)}
    if entry.item.kind == "seeds":
        numbers = [one.numbers for one in grown(connection, entry.id) if one.numbers is not None]
        found["values"] = [str(one.get(entry.item.metric)) for one in numbers]  # as texts: nan has no JSON
    return found


def kept(base: Database, name: str) -> dict[str, Any] | None:
    """The results of that name; None if there are none, or no longer."""
    with base.read() as connection:
        wanted = select(db.results.c.content).where(
            db.results.c.id == name[:40], db.results.c.made >= base.clock() - DAYS * 86_400
        )
        found = connection.scalar(wanted)
    return None if found is None else json.loads(found)


def _loaded(connection: Connection, room: int, base: Database) -> Snapshot:
    seen = load(connection, room, base.clock())
    assert seen is not None, "of_teacher has found it"
    return seen
