"""A session: which cards, in which order, and what comes back before it is over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from itertools import zip_longest
from math import ceil

from practice.cards import Card
from practice.record import Record
from practice.schedule import Rating, day, days_left, due, review

SECONDS = 25  # that a card takes, about
LATER = 4  # cards until one that was wrong comes back


@dataclass(frozen=True)
class Session:
    """The cards that are still to come, the one that is asked first, and what became of the others.

    numbers: how often a card has been asked in this session, so that an exercise draws other numbers.
    """

    queue: tuple[str, ...] = ()
    first: dict[str, Rating] = field(default_factory=dict)  # how a card was known when it was first asked
    last: dict[str, Rating] = field(default_factory=dict)  # and when it was asked last
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def card(self) -> str | None:
        """The card that is asked now; None: the session is over."""
        return self.queue[0] if self.queue else None

    @property
    def learned(self) -> list[str]:
        return [at for at, rating in self.last.items() if rating is not Rating.AGAIN]


def plan(
    cards: Mapping[str, Card], record: Record, now: datetime, zone: tzinfo, minutes: float, *, fresh: bool = True
) -> Session:
    """What is due, longest first, and then, if `fresh`, as many new cards as the time allows.

    With an exam ahead at least so many new ones that all will have been seen by then.
    """
    room = max(1, round(minutes * 60 / SECONDS))
    waiting = due(record, cards, now, zone)
    new = mixed([card for at, card in cards.items() if at not in record.cards]) if fresh else []
    left = days_left(record, day(now, zone))
    least = ceil(len(new) / left) if left else 0
    chosen = waiting[: max(0, room - min(least, room // 2))]
    return Session(tuple(chosen + [card.id for card in new[: room - len(chosen)]]))


def mixed(cards: Iterable[Card]) -> list[Card]:
    """Cards of different terms in turn: the first of each term, then the second of each."""
    by_term: dict[str, list[Card]] = {}
    for card in cards:
        by_term.setdefault(card.term, []).append(card)
    rounds: Iterable[Sequence[Card | None]] = zip_longest(*by_term.values())
    return [card for cards in rounds for card in cards if card is not None]


def answer(session: Session, record: Record, rating: Rating, now: datetime, zone: tzinfo) -> tuple[Session, Record]:
    """The card that was asked was known so well. What was not known comes back, and its schedule is set by the first
    answer alone: having just read the answer is no proof of knowing it."""
    card = session.card
    assert card is not None, "the session is over"
    rest = session.queue[1:]
    if rating is Rating.AGAIN:
        rest = (*rest[:LATER], card, *rest[LATER:])
    if card not in session.first:
        record = review(record, card, rating, now, zone)
    after = replace(
        session,
        queue=rest,
        first={card: rating, **session.first},
        last={**session.last, card: rating},
        numbers={**session.numbers, card: session.numbers.get(card, 0) + 1},
    )
    return after, record
