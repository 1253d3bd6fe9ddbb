"""Ask: members vote, alone; the teacher closes, shows, lets them vote again, lets a run decide, tells the answer."""

import json
from typing import Any

from sqlalchemy import Row, update

from classroom import database as db
from classroom import rooms
from classroom.agenda import ANSWER, CLOSED, OPEN, RUN, VOTED, Facts, own
from classroom.database import Database
from classroom.follow import Walk, send
from classroom.refused import Refused
from playgrounds.kit.answers import readings

ROUNDS = 2
LONGEST = 40  # characters of a typed number
OVER = "The vote on this is closed."


def vote(base: Database, token: str, item: int, choice: str) -> None:
    """A member's vote in the round that is open: the number of an option, or a typed number. The last one counts.

    Raises Refused after closing, and for what is no answer.
    """
    with base.write() as connection:
        member, room = rooms.of_member(connection, token, base.clock())
        if room.current != item:
            raise Refused(OVER)
        row = own(connection, room.id, item)
        if row.phase != OPEN or json.loads(row.spec)["kind"] not in VOTED:
            raise Refused(OVER)
        given = _checked(choice, Facts.model_validate_json(row.facts).choices)
        mine = {"item": item, "round": row.round, "member": member.id, "choice": given, "at": base.clock()}
        base.put(connection, db.votes, mine)
        rooms.change(connection, room.id)


def _checked(choice: str, choices: int) -> str:
    text = choice.strip()
    if choices:
        if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) < choices):
            raise Refused("That is none of the options.")
        return str(int(text))
    if len(text) > LONGEST or not readings(text):
        raise Refused("That is no number. Type one like 0.25, 0,25, 1/4, 25 % or 3e-4.")
    return text


def close(base: Database, key: str, item: int) -> None:
    """No more votes in this round."""
    _turn(base, key, item, (OPEN,), phase=CLOSED)


def reopen(base: Database, key: str, item: int) -> None:
    """Votes may be given and changed again in this round."""
    _turn(base, key, item, (CLOSED,), phase=OPEN, shown=False)


def show(base: Database, key: str, item: int, wanted: bool = True) -> None:
    """The class sees how it has voted, or no longer."""
    _turn(base, key, item, (CLOSED, RUN), shown=wanted)


def again(base: Database, key: str, item: int) -> None:
    """After a discussion: the second round. What was voted in the first is kept beside it."""
    _turn(base, key, item, (CLOSED,), phase=OPEN, shown=False, round=db.items.c.round + 1)


def run(base: Database, key: str, item: int, walk: Walk) -> None:
    """The run that decides plays on every screen."""
    _turn(base, key, item, (OPEN, CLOSED, RUN, ANSWER), walk, phase=RUN)


def answer(base: Database, key: str, item: int) -> None:
    """Every screen says which option is right, and how the class has voted."""
    _turn(base, key, item, (OPEN, CLOSED, RUN), phase=ANSWER, shown=True)


def _turn(
    base: Database, key: str, item: int, phases: tuple[str, ...], walk: Walk | None = None, **values: Any
) -> None:
    """Change an item that is in one of the phases; in another nothing happens: the button was pressed twice."""
    with base.write() as connection:
        room = rooms.of_teacher(connection, key, base.clock())
        row: Row[Any] = own(connection, room.id, item)
        if row.phase not in phases or ("round" in values and row.round >= ROUNDS):
            return
        connection.execute(update(db.items).where(db.items.c.id == item).values(**values))
        rooms.change(connection, room.id)
        if walk is not None:
            send(connection, room.id, room.stamp + 1, walk)
