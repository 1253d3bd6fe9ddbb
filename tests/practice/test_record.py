"""What a browser or a file sends as a reader's record: read, merged, and nothing taken on trust."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.record import MOST_CARDS, Record, RecordError, Seen, merged, read, renamed

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
CARD = "question:xor-problem:hidden"


def seen(day: int = 0, **more) -> Seen:
    at = NOON + timedelta(days=day)
    return Seen(**({"due": at + timedelta(days=3), "last": at, "stability": 2.5, "difficulty": 5.0} | more))


def test_a_record_comes_back_as_it_was_kept():
    record = Record(cards={CARD: seen(wrong=1), "recall:adam": seen(2)}, exam=date(2027, 2, 1))
    assert read(record.document()) == record and record.document()["version"] == 2


@pytest.mark.parametrize("raw", [None, [], "x", 3, {"cards": []}, {"version": 3}, {"version": "2"}, {"version": True}])
def test_what_is_no_record_is_refused_in_a_sentence(raw):
    with pytest.raises(RecordError, match=r"\.$"):
        read(raw)


def test_a_record_of_too_many_cards_is_refused():
    with pytest.raises(RecordError, match="5,000 cards"):
        read({"cards": {f"recall:a{n}": {} for n in range(MOST_CARDS + 1)}})


@pytest.mark.parametrize(
    "one",
    [
        None,
        {},
        {"due": "tomorrow"},
        seen().model_dump(mode="json") | {"stability": -1},
        seen().model_dump(mode="json") | {"stability": 1e9},
        seen().model_dump(mode="json") | {"difficulty": 11},
        seen().model_dump(mode="json") | {"wrong": -1},
        seen().model_dump(mode="json") | {"due": 1e300},
    ],
)
def test_a_card_that_cannot_be_is_left_out_and_the_others_stay(one):
    raw = {"cards": {"recall:adam": one, CARD: seen().model_dump(mode="json")}}
    assert list(read(raw).cards) == [CARD]


@pytest.mark.parametrize(
    "at", ["<b>:x", "recall:", "recall", "recall:A", f"recall:{'a' * 81}", "a:b:c:d", "recall:a b"]
)
def test_an_id_that_is_none_is_left_out(at):
    assert read({"cards": {at: seen().model_dump(mode="json")}}).cards == {}


def test_an_exam_day_that_is_none_is_left_out():
    assert read({"exam": "2027-02-01"}).exam == date(2027, 2, 1)
    assert all(read({"exam": raw}).exam is None for raw in ("soon", 7, None, "2027-13-01"))


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["cards", "exam", "due", CARD]), inner),
)


@given(json)
def test_whatever_is_sent_gives_a_record_or_a_sentence(raw):
    try:
        assert isinstance(read(raw), Record)
    except RecordError as error:
        assert str(error).endswith(".")


records = st.dictionaries(st.sampled_from(["recall:a", "recall:b", "recall:c"]), st.integers(0, 9).map(seen)).map(
    lambda cards: Record(cards=cards)
)


@given(records, records)
def test_two_devices_agree_whichever_is_merged_into_which(one, other):
    both = merged(one, other)
    assert both.cards == merged(other, one).cards
    for at, kept in both.cards.items():
        assert kept.last == max(record.cards[at].last for record in (one, other) if at in record.cards)
    assert merged(both, one) == both, "merging again changes nothing"


def test_a_renamed_term_takes_its_cards_along_and_the_later_review_counts():
    record = Record(cards={"recall:old": seen(1), "question:old:q": seen(), "recall:new": seen(0)})
    moved = renamed(record, {"old": "new"})
    assert set(moved.cards) == {"recall:new", "question:new:q"} and moved.cards["recall:new"] == seen(1)
