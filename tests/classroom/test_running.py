"""Challenge, Everyone a seed, Follow me: what counts was computed here, seeds are never doubled, screens go along."""

import math
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classroom import agenda, challenge, follow, rooms, seeds
from classroom.codes import Guard
from classroom.follow import Walk
from classroom.refused import Refused
from classroom.snapshot import Snapshots
from tests.classroom.conftest import GOAL, GOAL_FACTS, GROW, GROW_FACTS

GOOD, BAD = {"accuracy": 1.0, "loss": 0.01}, {"accuracy": 0.5, "loss": math.nan}
START = {"hidden": 2, "seed": 3}
HERE = Walk("xor-problem")


def seen(base, room):
    return Snapshots(base).of(room.room)


def tried(base, one, item, params, numbers, mark):
    return challenge.record(base, one.token, item, "mlp", params, numbers, mark)


def test_a_run_that_reaches_the_goal_and_keeps_its_rules_counts_and_another_does_not(base, room, join, put):
    one, item = join(), put(GOAL, GOAL_FACTS)
    assert tried(base, one, item, START, GOOD, "a") is None, "not before the start"
    challenge.start(base, room.key, item, HERE)
    assert tried(base, one, item, START, BAD, "b") is False
    assert tried(base, one, item, START | {"hidden": 5}, GOOD, "c") is False, "too many units"
    assert tried(base, one, item, START | {"hidden": 3}, GOOD, "d") is True
    assert challenge.record(base, one.token, item, "softmax", {}, GOOD, "e") is None, "of another playground"
    found = seen(base, room).tried
    assert [run.reached for run in found] == [False, False, True] and [run.moved for run in found] == [0, 1, 1]
    assert math.isnan(found[0].numbers["loss"])


def test_the_same_run_counts_once(base, room, join, put):
    one, item = join(), put(GOAL, GOAL_FACTS)
    challenge.start(base, room.key, item, HERE)
    for _ in range(3):
        tried(base, one, item, START, GOOD, "a")
    assert len(seen(base, room).tried) == 1


def test_after_the_time_is_up_nothing_counts(base, room, join, put):
    one, item = join(), put(GOAL, GOAL_FACTS)
    challenge.start(base, room.key, item, HERE)
    base.clock.now += 5 * 60 + 2
    assert challenge.left(GOAL, seen(base, room).current.began, base.clock()) == 0
    assert tried(base, one, item, START, GOOD, "a") is True, "it was on its way"
    base.clock.now += 5
    assert tried(base, one, item, START, GOOD, "b") is None
    challenge.stop(base, room.key, item)
    assert seen(base, room).current.phase == "closed" and seen(base, room).walk is None


def test_the_ranking_is_by_time_or_by_the_fewest_knobs_moved(base, room, join, put):
    quick, neat, never = join(), join(), join()
    item = put(GOAL, GOAL_FACTS)
    challenge.start(base, room.key, item, HERE)
    tried(base, quick, item, START | {"hidden": 3, "rate": 0.2}, GOOD, "a")
    base.clock.now += 1
    tried(base, neat, item, START | {"seed": 4}, GOOD, "b")
    tried(base, never, item, START, BAD, "c")
    base.clock.now += 1
    tried(base, quick, item, START, GOOD, "d")
    runs = seen(base, room).tried
    assert [one.member for one in challenge.ranking(runs, "time")] == [quick.member, neat.member]
    assert [(one.member, one.moved) for one in challenge.ranking(runs, "knobs")] == [
        (quick.member, 0),
        (neat.member, 1),
    ]
    assert {one.member for one in challenge.ranking(runs, "off")} == {quick.member, neat.member}
    assert set(challenge.latest(runs)) == {quick.member, neat.member, never.member}


def test_a_class_takes_seeds_at_once_and_none_is_doubled(base, room, join, put):
    many = [join() for _ in range(20)]
    item = put(GROW, GROW_FACTS)
    seeds.start(base, room.key, item, HERE)
    taken: dict[int, list[int]] = {}

    def take(one):
        taken[one.member] = seeds.take(base, one.token, item)

    threads = [threading.Thread(target=take, args=(one,)) for one in many]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    handed = [seed for own in taken.values() for seed in own]
    assert len(handed) == len(set(handed)) == 40, "two each: forty runs can be read as a distribution"
    assert taken == {one.member: seeds.take(base, one.token, item) for one in many}, "who comes back has the same"


@pytest.mark.parametrize(("here", "each"), [(0, 12), (1, 12), (5, 8), (20, 2), (40, 1), (200, 1)])
def test_a_small_class_gets_more_seeds_each(here, each):
    assert seeds.share(here) == each


def test_a_result_is_taken_once_and_only_for_the_members_own_seed(base, room, join, put):
    one, other = join(), join()
    item = put(GROW, GROW_FACTS)
    assert seeds.take(base, one.token, item) == [], "not before the start"
    seeds.start(base, room.key, item, HERE)
    mine, theirs = seeds.take(base, one.token, item), seeds.take(base, other.token, item)
    assert seeds.record(base, one.token, item, mine[0], GOOD)
    assert seeds.record(base, one.token, item, mine[0], BAD), "known already"
    assert not seeds.record(base, one.token, item, theirs[0], GOOD)
    assert not seeds.record(base, one.token, item, 10**6, GOOD)
    assert [run.numbers for run in seen(base, room).grown if run.numbers] == [GOOD]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 7), max_size=30), st.integers(0, 3), st.integers(1, 60))
def test_however_members_come_and_go_no_seed_is_handed_out_twice(base, order, lowest, highest):
    room = rooms.open_room(base)
    facts = GROW_FACTS.model_copy(update={"lowest": lowest, "highest": highest})
    (item,) = agenda.add(base, room.key, [(GROW, facts)])
    agenda.go(base, room.key, item)
    class_ = [rooms.join(base, room.code, Guard()) for _ in range(8)]
    seeds.start(base, room.key, item, HERE)
    owner: dict[int, int] = {}
    for n in order:
        for seed in seeds.take(base, class_[n].token, item):
            assert owner.setdefault(seed, n) == n and lowest <= seed <= highest
    rooms.end(base, room.key)


def test_every_screen_goes_where_the_teachers_is_until_it_is_set_free(base, room):
    follow.lead(base, room.key, Walk("xor-problem", {"hidden": "3"}))
    first = seen(base, room)
    assert first.leading and first.walk.page == "xor-problem"
    follow.lead(base, room.key, Walk("xor-problem", {"hidden": "3"}))
    assert seen(base, room).stamp == first.stamp, "nothing has changed"
    follow.lead(base, room.key, Walk("xor-problem", {"hidden": "3"}, play=1))
    assert seen(base, room).walk.number > first.walk.number
    follow.free(base, room.key)
    assert not seen(base, room).leading and seen(base, room).walk is None


def test_a_state_that_is_too_long_for_all_is_refused(base, room):
    with pytest.raises(Refused, match="too long"):
        follow.lead(base, room.key, Walk("byte-pair-encoding", {"text": "x" * 5000}))
