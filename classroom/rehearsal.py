"""Rehearsal: members that are simulated, for the evening before."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update

from classroom import asking, challenge, rooms, seeds
from classroom import database as db
from classroom.agenda import OPEN, VOTED
from classroom.codes import Guard
from classroom.database import Database
from classroom.refused import Refused
from classroom.snapshot import Entry, Snapshot

MANY = 30
AT_ONCE = 4  # of them do something between two looks

# Computes a run: playground and params to the numbers of its last state and its mark.
Compute = Callable[[str, Mapping[str, Any]], tuple[dict[str, float | None], str]]
# Draws params that a member might try in a challenge, and a number that one might type.
Draw = Callable[[Entry, random.Random], dict[str, Any]]
Type = Callable[[Entry, random.Random], str]


@dataclass
class Troupe:
    """The simulated members of a room, who live in the process that has made them."""

    base: Database
    room: int
    tokens: dict[int, str] = field(default_factory=dict)  # by member
    dice: random.Random = field(default_factory=random.Random)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def gather(cls, base: Database, code: str, many: int = MANY) -> "Troupe":
        """Let `many` of them join the room of that code."""
        joined = [rooms.join(base, code, Guard(), simulated=True) for _ in range(many)]
        return cls(base, joined[0].room, {one.member: one.token for one in joined})

    def act(self, seen: Snapshot, compute: Compute, draw: Draw, type_: Type) -> None:
        """Some of them do what the room asks for. Whoever finds others at it goes on."""
        if not self.lock.acquire(blocking=False):
            return
        try:
            self._stay()
            if seen.current is not None and seen.current.phase == OPEN:
                self._act(seen, seen.current, compute, draw, type_)
        except Refused:
            pass  # the vote was closed meanwhile, or the room is over
        finally:
            self.lock.release()

    def _stay(self) -> None:
        with self.base.write() as connection:
            mine = db.members.c.room == self.room, db.members.c.simulated
            connection.execute(update(db.members).where(*mine).values(seen=self.base.clock()))

    def _act(self, seen: Snapshot, now: Entry, compute: Compute, draw: Draw, type_: Type) -> None:
        have = [member for member in self.tokens if member in seen.members]
        self.dice.shuffle(have)
        if now.item.kind in VOTED:
            idle = [one for one in have if (now.id, now.round, one) not in seen.votes]
            for member in idle[:AT_ONCE]:
                choice = str(self._vote(seen, now, member)) if now.facts.choices else type_(now, self.dice)
                asking.vote(self.base, self.tokens[member], now.id, choice)
        elif now.item.kind == "challenge":
            done = {one.member for one in seen.tried if one.reached}
            for member in [one for one in have if one not in done][:1]:
                params = draw(now, self.dice)
                numbers, mark = compute(now.facts.playground, params)
                challenge.record(self.base, self.tokens[member], now.id, now.facts.playground, params, numbers, mark)
        elif now.item.kind == "seeds":
            done = {one.member for one in seen.grown if one.numbers is not None}
            for member in [one for one in have if one not in done][:2]:
                for seed in seeds.take(self.base, self.tokens[member], now.id):
                    numbers, _ = compute(now.facts.playground, now.facts.start | {"seed": seed})
                    seeds.record(self.base, self.tokens[member], now.id, seed, numbers)

    def _vote(self, seen: Snapshot, now: Entry, member: int) -> int:
        """In the first round at random; in the second two of three take what was chosen most: classes move together."""
        before = seen.counts(now.id, now.round - 1)
        if before and self.dice.random() < 0.66:
            return int(before.most_common(1)[0][0])
        return self.dice.randrange(now.facts.choices)
