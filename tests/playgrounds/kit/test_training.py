"""What training loops share: the steps that are kept, the numbers that are none, the trainings that are remembered."""

import threading

import numpy as np
import pytest

from playgrounds.kit.training import finite, kept, remembered


@pytest.mark.parametrize(("steps", "most"), [(0, 300), (1, 300), (300, 300), (301, 300), (1000, 60), (7, 3)])
def test_kept_steps_have_the_first_the_last_and_no_more_than_asked_for(steps, most):
    found = kept(steps, most)
    assert found[0] == 0 and found[-1] == steps and found == sorted(set(found)) and len(found) <= most + 1


def test_nothing_that_is_not_finite_or_too_large_passes():
    assert finite(1.0, np.ones(3), -5) and finite()
    for wrong in (np.nan, np.inf, np.array([0, -np.inf]), 1e101):
        assert not finite(1.0, wrong)


def counting(log: list) -> object:
    @remembered
    def squares(n: int):
        for i in range(n):
            log.append(i)
            yield i * i

    return squares


def test_what_was_computed_is_not_computed_again_and_a_second_reader_may_run_ahead():
    log: list[int] = []
    squares = counting(log)
    first = squares(4)
    assert [next(first), next(first)] == [0, 1] and log == [0, 1]
    assert list(squares(4)) == [0, 1, 4, 9] and log == [0, 1, 2, 3]
    assert list(first) == [4, 9] and log == [0, 1, 2, 3]
    assert list(squares(2)) == [0, 1] and log == [0, 1, 2, 3, 0, 1]


def test_the_oldest_training_is_forgotten_and_made_anew():
    log: list[int] = []
    squares = counting(log)
    for n in (1, 2, 3, 4, 5):
        list(squares(n))
    log.clear()
    assert list(squares(5)) == [0, 1, 4, 9, 16] and log == []
    assert list(squares(1)) == [0] and log == [0]


def test_a_generator_that_fails_fails_for_everybody_in_the_same_way():
    @remembered
    def broken():
        yield 1
        raise ZeroDivisionError

    for _ in range(3):
        reader = broken()
        assert next(reader) == 1
        with pytest.raises(ZeroDivisionError):
            next(reader)


def test_two_threads_get_the_same_values():
    log: list[int] = []
    squares, got = counting(log), []
    threads = [threading.Thread(target=lambda: got.append(list(squares(200)))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert all(values == [i * i for i in range(200)] for values in got) and len(got) == 4 and len(log) == 200
