"""Turns at computing: who has cost least goes first, a reader's second heavy run behind everybody's first."""

import threading
import time
from dataclasses import dataclass

import pytest

from playgrounds.kit.turns import RECENT, Turns


@dataclass
class Waiting:
    """As much of a run as the order goes by."""

    id: str
    seconds: float = 0.0
    guess: float = 0.0
    begun: float = 0.0
    suspended: bool = False


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def order(turns: Turns, *asking: tuple[Waiting, str]) -> list[str]:
    """In which order those are served who ask, in the order given, while somebody else computes."""
    served: list[str] = []

    def ask(run: Waiting, reader: str) -> None:
        with turns.turn(run, reader) as turn:
            assert turn.granted
            served.append(run.id)

    threads = [threading.Thread(target=ask, args=one) for one in asking]
    with turns.turn(Waiting("first of all")):
        for n, thread in enumerate(threads, start=1):
            thread.start()
            while len(turns._waiting) < n:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    return served


def test_a_new_run_goes_before_those_that_have_had_their_turn_and_they_go_by_what_they_have_cost():
    runs = [Waiting("long", 9.0), Waiting("middling", 2.0), Waiting("short", 0.4), Waiting("new")]
    assert order(Turns(), *((run, run.id) for run in runs)) == ["new", "short", "middling", "long"]


def test_of_new_runs_those_go_first_whose_kind_is_light():
    heavy, light = Waiting("heavy", guess=4.0, begun=1.0), Waiting("light", guess=0.1, begun=2.0)
    assert order(Turns(), (heavy, "a"), (light, "b")) == ["light", "heavy"]


def test_runs_of_like_cost_are_finished_one_after_the_other_in_the_order_in_which_they_came():
    early, late = Waiting("early", 1.2, begun=1.0), Waiting("late", 0.5, begun=2.0)
    assert order(Turns(), (late, "b"), (early, "a")) == ["early", "late"]


def test_a_run_that_need_not_be_computed_again_goes_before_one_that_must():
    closed, suspended = Waiting("closed", 1.0, begun=1.0), Waiting("suspended", 1.0, begun=2.0, suspended=True)
    assert order(Turns(), (closed, "a"), (suspended, "b")) == ["suspended", "closed"]


def test_a_readers_second_heavy_run_stands_behind_everybodys_first_until_the_other_is_forgotten():
    clock = Clock()
    turns = Turns(clock)
    left, second, others = Waiting("left", 0.5), Waiting("second", 0.5), Waiting("another reader's", 20.0)
    turns.computed(left, "ann", done=False)
    assert order(turns, (second, "ann"), (others, "bob")) == ["another reader's", "second"]
    clock.now += RECENT + 1
    assert order(turns, (second, "ann"), (others, "bob")) == ["second", "another reader's"]


def test_a_run_that_is_done_counts_no_longer():
    turns = Turns()
    done, second, others = Waiting("done", 0.5), Waiting("second", 0.5), Waiting("another reader's", 20.0)
    turns.computed(done, "ann", done=False)
    turns.computed(done, "ann", done=True)
    assert order(turns, (others, "bob"), (second, "ann")) == ["second", "another reader's"]


def test_the_run_of_several_tabs_counts_once_and_who_is_not_known_has_no_others():
    turns = Turns()
    run, new = Waiting("run", 0.5), Waiting("new", 9.0)
    turns.computed(run, "ann", done=False)
    turns.computed(run, "", done=False)
    assert order(turns, (new, "bob"), (run, "ann")) == ["run", "new"]
    assert order(turns, (Waiting("other", 1.0), ""), (new, "bob")) == ["other", "new"]


def test_one_at_a_time_whoever_asks():
    turns, computing, most = Turns(), 0, 0

    def ask(n: int) -> None:
        nonlocal computing, most
        with turns.turn(Waiting(str(n))):
            computing += 1
            most = max(most, computing)
            time.sleep(0.001)
            computing -= 1

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 1 and not turns._waiting and not turns._taken


def test_who_has_enough_meanwhile_is_sent_away_without_a_turn():
    turns, there, got = Turns(), False, []

    def ask() -> None:
        with turns.turn(Waiting("same"), enough=lambda: there) as turn:
            got.append(turn.granted)

    thread = threading.Thread(target=ask)
    with turns.turn(Waiting("same")):
        thread.start()
        while not turns._waiting:
            time.sleep(0.001)
        there = True
    thread.join(10)
    assert got == [False]


def test_patience_ends_the_waiting_and_the_place_in_the_queue_is_given_up():
    clock = Clock()
    turns = Turns(clock)

    def pause() -> None:
        clock.now += 3

    with turns.turn(Waiting("long")):
        with turns.turn(Waiting("impatient"), patience=2, pause=pause) as turn:
            assert not turn.granted
        assert not turns._waiting
        with pytest.raises(ZeroDivisionError), turns.turn(Waiting("gone"), pause=lambda: 1 / 0):
            pass
        assert not turns._waiting
    with turns.turn(Waiting("next")) as turn:
        assert turn.granted and not turn.crowded


def test_an_error_in_a_turn_ends_it():
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(Waiting("a")):
        raise ZeroDivisionError
    with turns.turn(Waiting("b")) as turn:
        assert turn.granted
