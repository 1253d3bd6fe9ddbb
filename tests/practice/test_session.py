"""Sessions: what is due first, as much as the time allows, and what was wrong comes back."""

from datetime import UTC, datetime, timedelta

from practice.cards import Card
from practice.record import Record
from practice.schedule import Rating, review
from practice.session import LATER, SECONDS, Session, answer, mixed, plan

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
CARDS = {
    card.id: card
    for term in "abc"
    for n in range(10)
    for card in [Card(f"question:{term}:{n}", "question", term, str(n))]
}


def test_a_session_lasts_about_as_long_as_was_wished():
    for minutes in (5, 10):
        assert len(plan(CARDS, Record(), NOON, UTC, minutes).queue) == min(30, round(minutes * 60 / SECONDS))


def test_new_cards_of_different_terms_come_in_turn():
    assert [card.term for card in mixed(CARDS.values())][:4] == ["a", "b", "c", "a"]


def test_what_is_due_comes_before_what_is_new():
    record = review(Record(), "question:c:9", Rating.AGAIN, NOON - timedelta(days=2), UTC)
    made = plan(CARDS, record, NOON, UTC, 5)
    assert made.card == "question:c:9" and len(set(made.queue)) == len(made.queue)
    assert plan(CARDS, record, NOON, UTC, 5, fresh=False).queue == ("question:c:9",)


def test_with_an_exam_ahead_all_cards_will_have_been_seen():
    record = Record(exam=NOON.date() + timedelta(days=3))
    for at in list(CARDS)[:12]:
        record = review(record, at, Rating.AGAIN, NOON - timedelta(days=2), UTC)
    made = plan(CARDS, record, NOON, UTC, 5)
    assert sum(at not in record.cards for at in made.queue) >= 6, "eighteen new ones in three days"


def test_what_was_wrong_comes_back_and_its_first_answer_sets_the_schedule():
    session, record = Session(tuple(CARDS)[:8]), Record()
    first = session.card
    session, record = answer(session, record, Rating.AGAIN, NOON, UTC)
    assert session.queue[LATER] == first and session.numbers == {first: 1}
    scheduled = record.cards[first]
    while session.card != first:
        session, record = answer(session, record, Rating.GOOD, NOON, UTC)
    session, record = answer(session, record, Rating.GOOD, NOON, UTC)
    assert record.cards[first] == scheduled and session.first[first] is Rating.AGAIN
    while session.card:
        session, record = answer(session, record, Rating.GOOD, NOON, UTC)
    assert len(session.learned) == 8 and len(record.cards) == 8


def test_a_session_of_what_is_never_known_goes_on():
    session, record = Session(("question:a:0",)), Record()
    for _ in range(5):
        session, record = answer(session, record, Rating.AGAIN, NOON, UTC)
        assert session.card == "question:a:0"
