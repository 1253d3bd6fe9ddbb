"""Ask: one vote a round, the last one counts, none after closing; the second round stands beside the first."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classroom import agenda, asking, rooms
from classroom.agenda import Facts, Item
from classroom.codes import Guard
from classroom.follow import Walk
from classroom.refused import Refused
from classroom.snapshot import Snapshots
from tests.classroom.conftest import TEXT

CHOICES = Facts(choices=3)


def seen(base, room):
    return Snapshots(base).of(room.room)


def test_the_last_vote_of_a_round_counts_and_no_vote_counts_twice(base, room, join, put):
    one, other, item = join(), join(), put(TEXT, CHOICES)
    for choice in "0120":
        asking.vote(base, one.token, item, choice)
    asking.vote(base, other.token, item, "2")
    assert seen(base, room).counts(item, 1) == {"0": 1, "2": 1}


def test_two_tabs_that_vote_at_once_are_one_vote(base, room, join, put):
    one, item = join(), put(TEXT, CHOICES)
    tabs = [threading.Thread(target=asking.vote, args=(base, one.token, item, str(n % 3))) for n in range(12)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sum(seen(base, room).counts(item, 1).values()) == 1


def test_a_class_that_votes_at_once_is_counted_whole(base, room, join, put):
    many = [join() for _ in range(24)]
    item = put(TEXT, CHOICES)
    votes = [threading.Thread(target=asking.vote, args=(base, one.token, item, "1")) for one in many]
    for vote in votes:
        vote.start()
    for vote in votes:
        vote.join()
    assert seen(base, room).counts(item, 1) == {"1": 24}


@pytest.mark.parametrize("choice", ["3", "-1", "", "a", "0.0", "1e1", "٣", "999999999999"])
def test_what_is_no_option_is_no_vote(base, room, join, put, choice):
    one, item = join(), put(TEXT, CHOICES)
    with pytest.raises(Refused):
        asking.vote(base, one.token, item, choice)


def test_to_an_exercise_a_number_is_typed(base, room, join, put):
    one, item = join(), put(Item(kind="exercise", page="convolution", id="width"), Facts())
    asking.vote(base, one.token, item, " 0,25 ")
    assert seen(base, room).counts(item, 1) == {"0,25": 1}
    for typed in ("x", "", "<script>", "1" * 41):
        with pytest.raises(Refused, match="no number"):
            asking.vote(base, one.token, item, typed)


def test_after_closing_and_for_another_item_no_vote_is_taken(base, room, join, put):
    one, first = join(), put(TEXT, CHOICES)
    asking.close(base, room.key, first)
    with pytest.raises(Refused, match="closed"):
        asking.vote(base, one.token, first, "0")
    second = put(TEXT, CHOICES)
    with pytest.raises(Refused, match="closed"):
        asking.vote(base, one.token, first, "0")
    asking.vote(base, one.token, second, "0")


def test_the_second_round_is_kept_beside_the_first_and_there_is_no_third(base, room, join, put):
    one, item = join(), put(TEXT, CHOICES)
    asking.vote(base, one.token, item, "0")
    asking.close(base, room.key, item)
    asking.show(base, room.key, item)
    assert seen(base, room).current.shown
    asking.again(base, room.key, item)
    now = seen(base, room).current
    assert (now.round, now.phase, now.shown) == (2, "open", False), "the second vote is as secret as the first"
    asking.vote(base, one.token, item, "1")
    assert [seen(base, room).counts(item, n) for n in (1, 2)] == [{"0": 1}, {"1": 1}]
    asking.close(base, room.key, item)
    asking.again(base, room.key, item)
    assert seen(base, room).current.round == 2


def test_a_button_pressed_twice_does_nothing_the_second_time(base, room, put):
    item = put(TEXT, CHOICES)
    asking.close(base, room.key, item)
    asking.again(base, room.key, item)
    asking.again(base, room.key, item)
    assert (seen(base, room).current.round, seen(base, room).current.phase) == (2, "open")


def test_the_run_and_the_answer_are_for_every_screen(base, room, join, put):
    item = put(TEXT, CHOICES)
    asking.run(base, room.key, item, Walk("xor-problem", {"hidden": "0"}, play=1, item=item))
    first = seen(base, room)
    assert first.current.phase == "run" and first.walk.page == "xor-problem" and first.walk.query == {"hidden": "0"}
    asking.run(base, room.key, item, Walk("xor-problem", {"hidden": "0"}, play=1, item=item))
    assert seen(base, room).walk.number > first.walk.number, "once more"
    asking.answer(base, room.key, item)
    assert (seen(base, room).current.phase, seen(base, room).current.shown) == ("answer", True)
    agenda.go(base, room.key, item)
    assert seen(base, room).walk is None, "the screens stay where they are"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("vote"), st.integers(0, 3), st.sampled_from("012")),
        st.sampled_from([("close",), ("again",), ("reopen",), ("show",), ("answer",)]),
    ),
    max_size=25,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_every_member_has_at_most_one_vote_a_round_and_it_is_the_last_that_was_taken(base, steps):
    room = rooms.open_room(base)
    (item,) = agenda.add(base, room.key, [(TEXT, CHOICES)])
    agenda.go(base, room.key, item)
    class_ = [rooms.join(base, room.code, Guard()) for _ in range(4)]
    wanted: dict = {}
    for what, *args in steps:
        if what == "vote":
            now = seen(base, room).current
            try:
                asking.vote(base, class_[args[0]].token, item, args[1])
            except Refused:
                assert now.phase != "open"
            else:
                assert now.phase == "open"
                wanted[item, now.round, class_[args[0]].member] = args[1]
        else:
            getattr(asking, what)(base, room.key, item)
    assert seen(base, room).votes == wanted
    rooms.end(base, room.key)
