"""When cards are due: whole days from 4:00 of the reader's clock, sooner before an exam; and that it works."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from practice.record import Record
from practice.schedule import Rating, day, due, known, retrievability, review

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
A, B = "recall:a", "recall:b"


def test_a_day_begins_at_four_of_the_readers_own_clock():
    assert day(datetime(2026, 12, 2, 2, 59, tzinfo=UTC), BERLIN) == date(2026, 12, 1), "3:59 in Berlin"
    assert day(datetime(2026, 12, 2, 3, 0, tzinfo=UTC), BERLIN) == date(2026, 12, 2)


def test_what_was_not_known_is_due_tomorrow_and_first():
    record = review(Record(), A, Rating.GOOD, NOON, UTC)
    record = review(record, B, Rating.AGAIN, NOON + timedelta(minutes=1), UTC)
    assert due(record, [A, B], NOON + timedelta(minutes=2), UTC) == []
    assert due(record, [A, B], NOON + timedelta(days=1), UTC) == [B]
    assert due(record, [A, B], NOON + timedelta(days=9), UTC) == [B, A]
    assert record.cards[B].wrong == 1 and record.cards[A].right == 1


def test_a_card_that_is_known_again_and_again_comes_back_later_and_later():
    record, now, gaps = Record(), NOON, []
    for _ in range(5):
        record = review(record, A, Rating.GOOD, now, UTC)
        gaps.append((record.cards[A].due - now).days)
        now = record.cards[A].due
    assert gaps == sorted(gaps) and gaps[-1] > 10 * gaps[0]


def test_the_better_it_was_known_the_later_it_comes_back():
    gaps = [review(Record(), A, rating, NOON, UTC).cards[A].due for rating in Rating]
    assert gaps == sorted(gaps) and gaps[0] < gaps[-1]


def test_with_an_exam_ahead_a_card_comes_back_before_it():
    exam = NOON.date() + timedelta(days=8)
    record = review(Record(exam=exam), A, Rating.EASY, NOON, UTC)
    assert record.cards[A].due < review(Record(), A, Rating.EASY, NOON, UTC).cards[A].due
    assert record.cards[A].due.date() < exam
    past = review(Record(exam=NOON.date() - timedelta(days=1)), A, Rating.EASY, NOON, UTC)
    assert past.cards == review(Record(), A, Rating.EASY, NOON, UTC).cards, "an exam that is over fits nothing"


def test_what_is_known_fades():
    record = review(Record(), A, Rating.GOOD, NOON, UTC)
    shares = [retrievability(record, A, NOON + timedelta(days=n)) for n in (0, 1, 5, 50)]
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.99 and retrievability(record, B, NOON) == 0
    assert known(record, {"one": [A, B], "none": []}, NOON) == {"one": pytest.approx(0.5, abs=0.01), "none": 0}


def retained(seed: int, planned: bool, terms: int = 71, days: int = 21, per_day: int = 24) -> float:
    """The share of all cards that a student knows on day 21, by fsrs' own model of forgetting.

    planned: sessions by what is due and then new; else the same number of cards, chosen at random each day.
    """
    dice = random.Random(seed)
    cards = [f"recall:t{n}" for n in range(terms)]
    record = Record()
    for n in range(days):
        now = NOON + timedelta(days=n)
        new = [at for at in cards if at not in record.cards]
        chosen = (due(record, cards, now, UTC) + new)[:per_day] if planned else dice.choices(cards, k=per_day)
        for at in chosen:
            is_known = dice.random() < retrievability(record, at, now)
            record = review(record, at, Rating.GOOD if is_known else Rating.AGAIN, now, UTC)
    end = NOON + timedelta(days=days)
    return sum(retrievability(record, at, end) for at in cards) / terms


def test_sessions_keep_more_than_rereading_at_random():
    ours = [retained(seed, planned=True) for seed in range(3)]
    at_random = [retained(seed, planned=False) for seed in range(3)]
    assert min(ours) > max(at_random) and min(ours) > 0.85
