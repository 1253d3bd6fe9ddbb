"""What a reader's browser keeps of the practice: when each card was seen and when it is due.

One JSON document with a version. It comes from a browser or from a file, so that nothing in it is taken on trust.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

FORMAT = "trainable-glossary"
VERSION = 2  # 1 was the progress of 0.1.0, without cards
MOST_CARDS = 5000
MOST_BYTES = 1_000_000
ID = r"^[a-z]{3,12}(:[a-z0-9-]{1,80}){1,2}$"


class RecordError(ValueError):
    """The document cannot be used; the message says why, in a sentence for the reader."""


class Seen(BaseModel):
    """A card that was answered: fsrs' memory of it. Times are UTC, stability is in days, difficulty from 1 to 10."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    due: datetime
    last: datetime
    stability: float = Field(gt=0, le=40_000, allow_inf_nan=False)
    difficulty: float = Field(ge=1, le=10, allow_inf_nan=False)
    wrong: int = Field(0, ge=0, le=100_000)  # how often it was not known
    right: int = Field(0, ge=0, le=100_000)

    @field_validator("due", "last")
    @classmethod
    def _in_utc(cls, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Record(BaseModel):
    """The reader's cards, by id, and the day of the exam."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cards: dict[str, Seen] = {}
    exam: date | None = None

    def answered(self, card: str, seen: Seen) -> "Record":
        return self.model_copy(update={"cards": {**self.cards, card: seen}})

    def document(self) -> dict[str, Any]:
        """As the browser keeps it."""
        return {"version": VERSION, **self.model_dump(mode="json")}


def read(raw: Any) -> Record:
    """A record from what a browser or a file has sent. Entries that cannot be used are left out.

    Raises RecordError where the whole is none: no object, of a later version, or with too many cards.
    """
    if not isinstance(raw, dict):
        raise RecordError("That is no record of practice. Choose a file that was saved here.")
    version = raw.get("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version > VERSION:
        raise RecordError("This record was made by a later version of the glossary. Open it there.")
    cards = raw.get("cards", {})
    if not isinstance(cards, dict) or len(cards) > MOST_CARDS:
        raise RecordError(f"A record holds up to {MOST_CARDS:,} cards, and this one is none or holds more.")
    known = {at: seen for at, one in cards.items() if (seen := _seen(at, one)) is not None}
    return Record(cards=known, exam=_day(raw.get("exam")))


def _seen(at: Any, raw: Any) -> Seen | None:
    if not isinstance(at, str) or not _is_id(at) or not isinstance(raw, dict):
        return None
    try:
        return Seen.model_validate(raw)
    except (ValidationError, OverflowError):
        return None


def _is_id(at: str) -> bool:
    return re.fullmatch(ID, at) is not None


def _day(raw: Any) -> date | None:
    try:
        return date.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None


def merged(one: Record, other: Record) -> Record:
    """Two devices' records as one: of a card that both have the later review counts; an exam's day is kept."""
    cards = dict(one.cards)
    for at, seen in other.cards.items():
        if at not in cards or cards[at].last < seen.last:
            cards[at] = seen
    return Record(cards=cards, exam=one.exam or other.exam)


def renamed(record: Record, names: Mapping[str, str]) -> Record:
    """The record after terms were renamed: `names` has the new slug of an old one. What is known of both: the later."""
    moved: Record = Record(exam=record.exam)
    for at, seen in record.cards.items():
        kind, *rest = at.split(":")
        rest[0] = names.get(rest[0], rest[0])
        moved = merged(moved, Record(cards={":".join([kind, *rest]): seen}))
    return moved
