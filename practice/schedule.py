"""When a card is due again: fsrs' model of forgetting, in whole days of the reader's own clock."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import IntEnum
from math import ceil

import fsrs

from practice.record import Record, Seen

DAY_BEGINS = time(4)  # who learns after midnight still learns on the day before
RETAINED = 0.9  # share of the cards that are to be known when they are due
LONGEST = 365  # days until a card comes back, without an exam


class Rating(IntEnum):
    """How well a card was known, as fsrs counts."""

    AGAIN = 1
    HARD = 2
    GOOD = 3
    EASY = 4


def day(now: datetime, zone: tzinfo) -> date:
    """The reader's day at that time: it begins at 4:00."""
    local = now.astimezone(zone)
    return local.date() - timedelta(days=local.time() < DAY_BEGINS)


def ends(of: date, zone: tzinfo) -> datetime:
    """When a day of the reader's ends, in UTC."""
    return datetime.combine(of + timedelta(days=1), DAY_BEGINS, zone).astimezone(UTC)


def days_left(record: Record, today: date) -> int | None:
    """Days until the exam; None if none is ahead."""
    if record.exam is None or record.exam <= today:
        return None
    return (record.exam - today).days


def review(record: Record, card: str, rating: Rating, now: datetime, zone: tzinfo) -> Record:
    """The record after a card was answered. With an exam ahead every card comes back before it."""
    left = days_left(record, day(now, zone))
    scheduler = fsrs.Scheduler(
        desired_retention=RETAINED,
        learning_steps=(),  # what was wrong comes back in the same session: practice/session.py
        relearning_steps=(),
        maximum_interval=LONGEST if left is None else max(1, min(LONGEST, ceil(left / 2))),
        enable_fuzzing=False,
    )
    before = record.cards.get(card)
    known, _ = scheduler.review_card(_as_fsrs(before), fsrs.Rating(int(rating)), now.astimezone(UTC))
    is_wrong = rating is Rating.AGAIN
    assert known.stability is not None and known.difficulty is not None, "fsrs has just reviewed it"
    seen = Seen(
        due=known.due,
        last=now,
        stability=known.stability,
        difficulty=known.difficulty,
        wrong=(before.wrong if before else 0) + is_wrong,
        right=(before.right if before else 0) + (not is_wrong),
    )
    return record.answered(card, seen)


def _as_fsrs(seen: Seen | None) -> fsrs.Card:
    if seen is None:
        return fsrs.Card(card_id=0)
    return fsrs.Card(
        card_id=0,
        state=fsrs.State.Review,
        stability=seen.stability,
        difficulty=seen.difficulty,
        due=seen.due,
        last_review=seen.last,
    )


def due(record: Record, cards: Iterable[str], now: datetime, zone: tzinfo) -> list[str]:
    """The cards that are due by the end of the reader's day, the one that has waited longest first."""
    end = ends(day(now, zone), zone)
    waiting = [(record.cards[at].due, at) for at in cards if at in record.cards and record.cards[at].due < end]
    return [at for _, at in sorted(waiting)]


def retrievability(record: Record, card: str, now: datetime) -> float:
    """The chance that a card is known now, by fsrs' model; 0 for one that was never seen."""
    seen = record.cards.get(card)
    return fsrs.Scheduler().get_card_retrievability(_as_fsrs(seen), now.astimezone(UTC)) if seen else 0.0


def known(record: Record, lessons: Mapping[str, Iterable[str]], now: datetime) -> dict[str, float]:
    """For each lesson the share of its cards that is known now, by the model."""
    return {
        lesson: sum(retrievability(record, at, now) for at in cards) / max(1, len(list(cards)))
        for lesson, cards in ((name, list(ids)) for name, ids in lessons.items())
    }
