"""Runs are computed once for everybody, kept while there is room, and one that fails keeps what it has."""

import gzip
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from playgrounds.kit import runs, sweep, training
from playgrounds.kit.catalogue import Playground, load, names
from playgrounds.kit.picture import Picture
from playgrounds.kit.runs import FIRST, OVER, ROUND, Run, Store, key
from tests.playgrounds.kit.test_film import Player, drawn
from tests.short_runs import TOY, identical
from tests.toy import model as toy

PARAMS = toy.Params(steps=40)


def toy_with(digest: str = "1", name: str = "toy", **replaced: Any) -> Playground:
    """The toy with its `run` or its `draw` replaced."""
    model = SimpleNamespace(Params=toy.Params, State=toy.State, run=replaced.get("run", toy.run))
    picture = SimpleNamespace(note=TOY.note, draw=replaced.get("draw", TOY.draw))
    return Playground(name, model, picture, TOY.about, digest)


def counted(counts: Counter, pause: float = 0.0) -> Callable[[Any], Iterator[Any]]:
    """The toy's run, slower, counting what it computes."""

    def run(p: toy.Params) -> Iterator[toy.State]:
        for state in toy.run(p):
            counts[p] += 1
            time.sleep(pause)
            yield state

    return run


def failing(at: int) -> Callable[[Any], Iterator[Any]]:
    """The toy's run with a bug in its state number `at`."""

    def run(p: toy.Params) -> Iterator[toy.State]:
        for i, state in enumerate(toy.run(p)):
            if i == at:
                raise ZeroDivisionError("a bug")
            yield state

    return run


def together(*calls: Callable[[], Any]) -> None:
    """All calls at the same time, each in a thread of its own; what one raises is raised here."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(calls))

    def work(call: Callable[[], Any]) -> None:
        start.wait(10)
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if errors:
        raise errors[0]


def test_readers_who_ask_for_one_run_at_once_have_it_computed_once():
    counts: Counter = Counter()
    playground, store, got = toy_with(run=counted(counts, 0.002)), Store(), []

    def reader() -> None:
        run = store.get(playground, toy.Params(steps=40))
        while not run.done:
            run.advance(0.02)
        got.append((run, run.message(0)))

    together(*[reader] * 6)
    runs, messages = zip(*got, strict=True)
    assert len(set(map(id, runs))) == 1 and len(set(messages)) == 1
    assert counts == {PARAMS: 41} and runs[0].failure == ""
    assert runs[0].film.steps == list(range(41))


def test_a_run_that_is_still_being_drawn_is_not_taken_for_done_by_the_readers_who_come_then():
    def slow(p: toy.Params, states: list, now: int) -> Picture:
        time.sleep(0.002)
        return TOY.draw(p, states, now)

    run, got = Run(toy_with(draw=slow), toy.Params(steps=60)), []

    def reader(late: float) -> None:
        time.sleep(late)
        run.advance(5)
        got.append(len(run.film.steps))

    together(*[partial(reader, 0.03 * n) for n in range(4)])
    assert got == [61] * 4


def test_different_runs_take_turns():
    running, most = 0, 0

    def run(p: toy.Params) -> Iterator[toy.State]:
        nonlocal running, most
        for state in toy.run(p):
            running += 1
            most = max(most, running)
            time.sleep(0.002)
            running -= 1
            yield state

    playground = toy_with(run=run)
    runs = [Run(playground, toy.Params(steps=20, seed=seed)) for seed in range(4)]
    together(*[one.finish for one in runs])
    assert most == 1 and all(one.done and not one.failure for one in runs)


def test_a_round_ends_soon_after_its_time_is_up_and_the_next_goes_on_where_it_ended():
    counts: Counter = Counter()
    run = Run(toy_with(run=counted(counts, 0.01)), PARAMS)
    run.advance(0.05)
    first = len(run.states)
    assert 1 <= first <= 8 and not run.done and run.film.steps == list(range(first))
    run.finish()
    assert counts == {PARAMS: 41} and run.done and run.film.done
    assert [state.step for state in run.states] == list(range(41))
    run.advance()
    assert counts == {PARAMS: 41}, "a finished run has nothing to compute"


def test_who_is_behind_is_given_what_is_there_and_only_who_is_in_front_computes():
    counts: Counter = Counter()
    run = Run(toy_with(run=counted(counts, 0.005)), PARAMS)
    while len(run.film.steps) < 3:
        run.advance(0.01)
    there = len(run.film.steps)
    run.advance(0.05, beyond=1)
    run.advance(0.05, beyond=there - 1)
    assert counts[PARAMS] == there, "those frames were there"
    run.advance(0.05, beyond=there)
    assert counts[PARAMS] > there


def test_of_many_readers_at_one_place_one_computes_and_all_go_on():
    counts: Counter = Counter()
    run = Run(toy_with(run=counted(counts, 0.005)), PARAMS)
    while len(run.film.steps) < 3:
        run.advance(0.01)
    there = len(run.film.steps)
    together(*[lambda: run.advance(0.03, beyond=there)] * 5)
    assert there < counts[PARAMS] <= there + 7, "five rounds would have been thirty states"


@pytest.mark.parametrize("before", [0, 5])
def test_a_run_whose_playground_raises_ends_with_the_failure_and_keeps_what_it_had(before, caplog):
    run = Run(toy_with(run=failing(12)), PARAMS)
    if before:
        while len(run.states) < before:
            run.advance(1e-5)
    run.finish()
    assert run.done and run.failure == "ZeroDivisionError: a bug"
    assert [state.step for state in run.states] == list(range(12))
    assert "a bug" in caplog.text, "the log has the traceback"
    assert run.film.steps == list(range(12)), "what was computed can be looked at"
    assert run.film.done, "the player must not wait for more"


@pytest.mark.parametrize("seconds", [1e-5, 10])
def test_a_picture_that_fails_ends_the_run_as_well(seconds):
    def draw(p: Any, states: Any, now: int) -> Any:
        pic = TOY.draw(p, states, now)
        pic.data += [{}] * now
        return pic

    run = Run(toy_with(draw=draw), PARAMS)
    while not run.done:
        run.advance(seconds)
    assert "same number of traces" in run.failure and run.states
    assert run.film.done, "the player must not wait for more"


def test_a_run_that_fails_at_once_has_a_failure_and_no_states():
    run = Run(toy_with(run=failing(0)), PARAMS).finish()
    assert (run.done, run.failure, run.states, run.film.steps) == (True, "ZeroDivisionError: a bug", [], [])


def test_the_same_question_gets_the_same_bytes_and_a_longer_run_new_ones():
    run = Run(toy_with(run=counted(Counter(), 0.005)), PARAMS)
    run.advance(0.03)
    assert run.message(0, start=3) is run.message(0, start=3)
    early = run.message(0)
    assert run.message(0, start=3) != early and run.message(1) != early
    assert run.message(0) == early
    run.finish()
    assert len(run.message(0)) > len(early)


def test_a_run_counts_the_bytes_of_each_array_once():
    big = np.zeros(100_000)

    def run(p: toy.Params) -> Iterator[toy.State]:
        for state in toy.run(p):
            yield state._replace(path=big)

    shared = Run(toy_with(run=run), PARAMS).finish()
    assert big.nbytes < shared.nbytes < 2 * big.nbytes
    assert shared.nbytes >= big.nbytes + shared.film.nbytes


def test_a_store_gives_the_same_run_for_equal_params_as_long_as_it_keeps_it():
    store, playground = Store(), toy_with()
    assert store.get(playground, toy.Params(rate=0.2)) is store.get(playground, toy.Params(rate=0.2))
    assert store.get(playground, toy.Params(rate=0.3)) is not store.get(playground, toy.Params(rate=0.2))
    assert len(store) == 2


def test_a_full_store_forgets_what_was_not_asked_for_longest(monkeypatch):
    monkeypatch.setattr(runs.memory, "trim", lambda room: 0)  # what other tests have trained takes room too
    playground = toy_with()
    size = Run(playground, PARAMS).finish().nbytes
    store = Store(room=int(3.5 * size))
    params = [toy.Params(steps=40, name=name) for name in "abcd"]
    a, b, c, d = (store.get(playground, p).finish() for p in params)
    assert store.get(playground, params[0]) is a, "a is used again, so b is the oldest now"
    store.tidy()
    assert len(store) == 3
    assert [store.get(playground, p) for p in (params[0], *params[2:])] == [a, c, d]
    assert store.get(playground, params[1]) is not b


def test_the_newest_run_is_kept_even_if_it_alone_is_too_large():
    store, playground = Store(room=0), toy_with()
    store.get(playground, toy.Params(seed=1)).finish()
    newest = store.get(playground, toy.Params(seed=2)).finish()
    store.tidy()
    assert len(store) == 1 and store.get(playground, toy.Params(seed=2)) is newest


def test_a_run_that_is_forgotten_while_a_reader_has_it_goes_on_for_that_reader():
    store, playground = Store(room=0), toy_with(run=counted(Counter(), 0.001))
    mine = store.get(playground, PARAMS)
    mine.advance(0.01)
    store.get(playground, toy.Params(seed=9))
    store.tidy()
    assert mine.finish().film.steps == list(range(41)) and not mine.failure


def test_one_run_has_one_name_and_another_has_another():
    playground = toy_with()
    assert key(playground, toy.Params()) == key(toy_with(), toy.Params(rate=0.1))
    others = [
        (playground, toy.Params(rate=0.2)),
        (playground, toy.Params(marks=("where", "how often"))),
        (toy_with(digest="2"), toy.Params()),
        (toy_with(name="tyo"), toy.Params()),
    ]
    assert len({key(playground, toy.Params()), *(key(*other) for other in others)}) == 5


def test_every_playground_has_a_digest_of_its_own_source():
    digests = {load(name).digest for name in names()}
    assert len(digests) == len(names()) and all(load(name).digest in digests for name in names())


# -------------------------------------------------------------------------------------- runs that stand still half-way


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.now = 100.0
        monkeypatch.setattr(runs, "clock", lambda: self.now)

    def taking(self, seconds: float, quiet: int = 0) -> Callable[[Any], Iterator[Any]]:
        """The toy's run, a state of which takes so many seconds; with None yielded so often before each."""

        def run(p: toy.Params) -> Iterator[toy.State | None]:
            for state in toy.run(p):
                for _ in range(quiet + 1):
                    self.now += seconds / (quiet + 1)
                    yield state if _ == quiet else None

        return run

    def drawing(self, seconds: float) -> Callable[[Any, Any, int], Any]:
        """The toy's draw, which takes so many seconds."""

        def draw(p: toy.Params, states: Any, now: int) -> Any:
            self.now += seconds
            return TOY.draw(p, states, now)

        return draw


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def holding(mb: int) -> Callable[[Any], Iterator[Any]]:
    """The toy's run, which has so much data in memory while it runs."""

    def run(p: toy.Params) -> Iterator[toy.State]:
        data = np.zeros(mb * 2**17)
        for state in toy.run(p):
            yield state._replace(letters=len(data))

    return run


def begun(store: Store, playground: Playground, count: int) -> list[Run]:
    """So many runs of which the first state is there, the store tidied after each."""
    made = [store.get(playground, toy.Params(steps=40, seed=seed)) for seed in range(count)]
    for run in made:
        run.advance(0)
        store.tidy()
    return made


def test_many_runs_that_were_left_half_way_hold_no_more_than_the_store_has_room_for():
    store = Store(suspended=40 * 2**20)
    made = begun(store, toy_with(run=holding(8)), 30)
    held = [run for run in made if run.suspended]
    assert held == made[-4:], "the last ones stay: four of 8 MB and what cannot be weighed"
    assert sum(run.held for run in held) <= 40 * 2**20 < sum(run.held for run in held) + 9.5 * 2**20
    assert all(run.held >= 8 * 2**20 for run in held) and not any(run.held for run in made[:-4])


def test_light_runs_that_were_left_half_way_are_not_more_than_a_few():
    made = begun(Store(most=5), toy_with(), 12)
    assert [run.suspended for run in made] == [False] * 7 + [True] * 5


def test_a_run_that_nobody_asks_for_is_closed_after_half_a_minute_and_who_is_asked_for_stays(clock):
    store, playground = Store(), toy_with(run=clock.taking(0.1))
    left, watched = begun(store, playground, 2)
    clock.now += 31
    assert store.get(playground, watched.params) is watched
    store.tidy()
    assert not left.suspended and left.held == 0 and watched.suspended
    assert store.get(playground, left.params) is left, "its states and its film are still there"


def test_a_run_is_closed_in_time_though_nobody_comes_any_more():
    store = Store(idle=0.05)
    (left,) = begun(store, toy_with(), 1)
    assert left.suspended
    deadline = time.monotonic() + 20
    while left.suspended and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left.suspended


def test_a_run_that_is_thrown_away_half_way_gives_back_what_it_holds():
    store, playground = Store(room=0), toy_with(run=holding(1))
    left, _ = begun(store, playground, 2)
    assert len(store) == 1 and not left.suspended


def test_a_run_that_is_computing_is_not_closed():
    entered, leave = threading.Event(), threading.Event()

    def run(p: toy.Params) -> Iterator[toy.State]:
        for state in toy.run(p):
            if state.step == 3:
                entered.set()
                leave.wait(10)
            yield state

    one = Run(toy_with(run=run), PARAMS)
    thread = threading.Thread(target=one.finish)
    thread.start()
    entered.wait(10)
    one.close()
    leave.set()
    thread.join(10)
    assert one.done and not one.failure and len(one.states) == 41


SHORT = {  # of NumPy, of torch, one whose training is remembered, and one that yields None: runs of a moment
    "minibatch": {},
    "generalization": {"epochs": 40},
    "cnn": {"steps": 20, "digits": 200},
    "token_influence": {},
}


def small(name: str) -> Any:
    """Params of a short run of that playground."""
    return load(name).Params(**SHORT[name])


@pytest.mark.parametrize("name", SHORT)
def test_a_run_that_was_closed_again_and_again_is_the_run_that_was_not(name, monkeypatch):
    playground, params = load(name), small(name)
    whole = list(playground.states(params))
    for known in training.KNOWN:
        known.clear()
    ticks = iter(range(10**9))
    monkeypatch.setattr(runs, "clock", lambda: next(ticks))
    run, player, closed = Run(playground, params), Player(), 0
    for pulls in range(5, 10**6, max(10, len(whole) // 2)):
        if run.done:
            break
        run.advance(pulls)
        closed += run.suspended
        run.close()
        assert not run.suspended
        if run.film.steps:
            player.receive(gzip.decompress(run.message(len(player.frames))))
    assert closed >= 3 and not run.failure
    assert identical(run.states, whole)
    assert player.done and len(player.frames) == len(run.film.steps)
    for n, i in enumerate(run.film.steps):
        expected = drawn(playground.draw, params, whole, i)
        assert {part: expected[part] for part in player.figure(n)} == player.figure(n), f"frame {n}"


# --------------------------------------------------------------------------------------------------- how long they take


def test_no_turn_is_long_though_the_pictures_are_slow_and_the_film_comes_in_parts(clock):
    run = Run(toy_with(run=clock.taking(0.001), draw=clock.drawing(0.05)), PARAMS)
    longest, parts = 0.0, []
    while not run.done:
        before = clock.now
        run.advance(FIRST if not parts else ROUND)
        longest = max(longest, clock.now - before)
        parts.append(len(run.film.steps))
    assert longest <= 0.3 and parts == sorted(set(parts)), "every turn adds to the film"
    assert run.film.steps == list(range(41)) and run.film.done
    assert FIRST + OVER <= 0.3


def test_a_run_with_nothing_to_see_for_long_gives_up_its_turn_and_says_so_in_other_bytes(clock):
    run = Run(toy_with(run=clock.taking(1.0, quiet=20)), toy.Params(steps=3))
    while not run.states:
        run.advance()
    messages = []
    for _ in range(3):
        before = clock.now
        run.advance(beyond=1)
        assert clock.now - before <= 0.3 and len(run.states) == 1
        messages.append(run.message(1))
    assert len(set(messages)) == 3, "the player is not called for the same bytes, and would wait out its patience"
    assert run.finish().message(1) == run.message(1)
    assert [state.step for state in run.states] == [0, 1, 2, 3]


def test_a_reader_who_loses_patience_gets_other_bytes_too():
    run = Run(toy_with(run=counted(Counter(), 0.001)), PARAMS)
    run.advance(0)
    with runs.turns.turn(Run(toy_with(), PARAMS)):
        first = run.message(1)
        run.advance(beyond=1, patience=0)
        assert run.message(1) != first and len(run.states) == 1


def test_the_first_turn_of_what_will_take_long_is_short_while_others_wait(clock):
    playground = toy_with(name="heavy toy", run=clock.taking(0.01))
    Run(playground, toy.Params(steps=300)).finish()
    alone, crowded, light = (Run(playground, toy.Params(steps=300, seed=seed)) for seed in range(2, 5))
    alone.advance(FIRST)
    assert alone.seconds == pytest.approx(FIRST, abs=0.02)
    threads = [threading.Thread(target=crowded.advance, args=(FIRST,)), threading.Thread(target=light.advance)]
    with runs.turns.turn(alone):
        for n, thread in enumerate(threads, start=1):
            thread.start()
            while len(runs.turns._waiting) < n:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert crowded.seconds == pytest.approx(runs.SHORT, abs=0.02)


def test_a_sweep_skips_what_is_no_state_and_gives_way_after_every_one():
    quiet = toy_with(run=lambda p: (one for state in toy.run(p) for one in (None, state)))
    wanted = sweep.of(quiet, toy.Params(steps=3), "rate", "place")
    plain = sweep.of(toy_with(), toy.Params(steps=3), "rate", "place")
    yields = list(sweep.run(wanted))
    states = [state for state in yields if state is not None]
    assert [state.results for state in states] == [state.results for state in sweep.run(plain) if state is not None]
    assert yields.count(None) == len(wanted.plan) * 8, "a None for each yield of each run"


def test_a_sweep_whose_turns_finish_no_run_answers_every_question_anew(clock):
    heavy = toy_with(run=clock.taking(0.1))
    run = Run(sweep.playground(heavy), sweep.of(heavy, toy.Params(steps=40), "rate", "place"))
    run.advance(FIRST)
    messages = []
    for _ in range(5):
        run.advance(ROUND, beyond=1)
        messages.append(run.message(1))
    assert len(run.states) == 1 and len(set(messages)) == 5
