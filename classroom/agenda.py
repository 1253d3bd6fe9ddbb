"""The agenda: what a class does one after the other. Items as a file, as a link, and in a room."""

import base64
import json
import tomllib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import Connection, Row, delete, insert, select, update

from classroom import database as db
from classroom import rooms
from classroom.database import Database
from classroom.refused import Refused

LESSONS = Path(__file__).resolve().parent / "lessons"
MOST_ITEMS = 40  # of an agenda
MOST_LINK = 20_000  # characters of an agenda in a link
MOST_QUERY = 4_000  # characters of a page's state
DIGITS = 9  # of a step

Kind = Literal["ask", "exercise", "free", "challenge", "seeds", "look"]
VOTED = ("ask", "exercise", "free")  # kinds on which members vote
WAITING, OPEN, CLOSED, RUN, ANSWER = "waiting", "open", "closed", "run", "answer"  # phases


class Item(BaseModel):
    """One thing to do: ask (a question of a page), exercise, free (a question typed on the spot), challenge (a goal),
    seeds (everyone another one), look (all go to a page)."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    kind: Kind
    page: str = Field(default="", max_length=80, pattern=r"^[a-z0-9-]*$")  # its address
    id: str = Field(default="", max_length=80, pattern=r"^[a-z0-9-]*$")  # of the page's question, exercise or goal
    query: dict[str, str] = {}  # the page's state, of seeds and look
    metric: str = Field(default="", max_length=40, pattern=r"^[a-z0-9_]*$")  # of seeds: what is looked at
    text: str = Field(default="", max_length=300)  # of free
    options: list[str] = Field(default=[], max_length=6)
    right: int | None = Field(default=None, ge=0, le=5)  # of free: counted from 0; None: none is
    minutes: int | None = Field(default=None, ge=1, le=60)
    rank: Literal["time", "knobs", "off"] = "time"  # of challenge
    note: str = Field(default="", max_length=500)  # for the teacher alone

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.kind == "free":
            if not self.text or not 2 <= len(self.options) <= 6 or not all(self.options):
                raise ValueError("a question of your own needs a text and two to six options")
            if len(set(self.options)) < len(self.options) or max(map(len, self.options)) > 100:
                raise ValueError("options differ, and have at most 100 characters")
            if self.right is not None and self.right >= len(self.options):
                raise ValueError("the right option is none of them")
        elif not self.page:
            raise ValueError(f"{self.kind} needs a page")
        if self.kind in ("ask", "exercise", "challenge") and not self.id:
            raise ValueError(f"{self.kind} needs an id")
        if sum(len(name) + len(value) for name, value in self.query.items()) > MOST_QUERY:
            raise ValueError("the page's state is too long")
        return self


class Facts(BaseModel):
    """What the rules must know of an item, looked up in the glossary by who adds it."""

    model_config = ConfigDict(frozen=True)

    choices: int = 0  # options to vote on; 0: a number is typed
    playground: str = ""
    start: dict[str, Any] = {}  # the params that the page starts from
    reach: dict[str, str] = {}  # of a goal
    wanted: dict[str, Any] = {}  # how knobs must stand
    lowest: int = 1  # seed
    highest: int = 10**6


class Agenda(BaseModel):
    """A lesson in a room: a title, what it is for, and the items in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    title: str = Field(default="", max_length=80)
    about: str = Field(default="", max_length=500)
    item: list[Item] = Field(default=[], max_length=MOST_ITEMS)

    @property
    def minutes(self) -> int:
        return sum(one.minutes or 0 for one in self.item)


def read_file(text: str) -> Agenda:
    """The agenda in a file (TOML). Raises Refused with what is wrong with it."""
    try:
        return Agenda(**tomllib.loads(text[: 10 * MOST_LINK]))
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"The file cannot be read: {error}.") from None
    except (ValidationError, TypeError) as error:
        raise Refused(f"The file has no agenda: {_first(error)}.") from None


def write_file(agenda: Agenda) -> str:
    """The agenda as TOML; `read_file` undoes it."""
    lines = [f"{name} = {_toml(getattr(agenda, name))}" for name in ("title", "about") if getattr(agenda, name)]
    for item in agenda.item:
        lines += ["", "[[item]]"]
        values = item.model_dump(exclude_defaults=True)
        lines += [f"{name} = {_toml(value)}" for name, value in values.items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def to_link(agenda: Agenda) -> str:
    """The agenda as letters that may stand in a link."""
    text = agenda.model_dump_json(exclude_defaults=True)
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def from_link(packed: str) -> Agenda:
    """The agenda in a link. Raises Refused if it is damaged."""
    try:
        if len(packed) > MOST_LINK:
            raise ValueError
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        inflater = zlib.decompressobj()
        text = inflater.decompress(raw, 10 * MOST_LINK)
        if not inflater.eof:
            raise ValueError
        return Agenda.model_validate_json(text)
    except (ValueError, zlib.error):
        raise Refused("The agenda in this link is damaged: copy the whole link.") from None


def samples() -> dict[str, Agenda]:
    """The lessons that ship with the app, by the name of the file."""
    return {path.stem: read_file(path.read_text(encoding="utf-8")) for path in sorted(LESSONS.glob("*.toml"))}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)[:200]
    one = error.errors()[0]
    where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in one["loc"])
    return f"{where}: {one['msg'].removeprefix('Value error, ')}"


# -------------------------------------------------------------------------------------------------------- in a room


def add(base: Database, key: str, entries: Sequence[tuple[Item, Facts]]) -> list[int]:
    """Put items at the end of a room's agenda; returns their numbers."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        places = list(connection.scalars(select(db.items.c.place).where(db.items.c.room == room.id)))
        if len(places) + len(entries) > MOST_ITEMS:
            raise Refused(f"An agenda has at most {MOST_ITEMS} items.")
        made, place = [], max(places, default=0)
        for item, facts in entries:
            place += 1
            row = {"room": room.id, "place": place, "spec": item.model_dump_json(), "facts": facts.model_dump_json()}
            row |= {"phase": WAITING, "round": 1, "shown": False, "each": 1}
            made.append(connection.execute(insert(db.items).values(**row).returning(db.items.c.id)).scalar_one())
        rooms.change(connection, room.id)
    return made


def own(connection: Connection, room: int, item: int) -> Row[Any]:
    """An item of the room. Raises Refused if it has no such item."""
    found = connection.execute(select(db.items).where(db.items.c.id == item, db.items.c.room == room)).first()
    if found is None:
        raise Refused("This item is no longer on the agenda.")
    return found


def move(base: Database, key: str, item: int, by: int) -> None:
    """Let an item change places with the one before it (by = -1) or after it (1)."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        order = list(connection.scalars(_in_order(room.id)))
        at = order.index(own(connection, room.id, item).id)
        to = min(max(at + by, 0), len(order) - 1)
        order.insert(to, order.pop(at))
        for place, one in enumerate(order, start=1):
            connection.execute(update(db.items).where(db.items.c.id == one).values(place=place))
        rooms.change(connection, room.id)


def remove(base: Database, key: str, item: int) -> None:
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        connection.execute(delete(db.items).where(db.items.c.id == own(connection, room.id, item).id))
        rooms.change(connection, room.id, **({"current": None, "walk": ""} if room.current == item else {}))


def go(base: Database, key: str, item: int) -> None:
    """The class is at this item now. A question is open at once; what needs a start waits for it."""
    with base.write() as connection:
        _go(connection, rooms.of_teacher(connection, key, base.clock()), item, base.clock())


def step(base: Database, key: str, by: int) -> None:
    """The class goes to the next item (by = 1) or to the one before (-1); at the ends it stays."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        order = list(connection.scalars(_in_order(room.id)))
        at = order.index(room.current) + by if room.current in order else 0
        if 0 <= at < len(order):
            _go(connection, room, order[at], base.clock())


def _go(connection: Connection, room: Row[Any], item: int, now: float) -> None:
    row = own(connection, room.id, item)
    if row.phase == WAITING and json.loads(row.spec)["kind"] in (*VOTED, "look"):
        connection.execute(update(db.items).where(db.items.c.id == item).values(phase=OPEN, began=now))
    rooms.change(connection, room.id, current=item, walk="")


def _in_order(room: int) -> Any:
    return select(db.items.c.id).where(db.items.c.room == room).order_by(db.items.c.place, db.items.c.id)
