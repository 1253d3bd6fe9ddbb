"""Training a deep net at a rate that it fails at without batch norm."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.kit.film import Film
from playgrounds.norm_in_training.model import WIDTH, Params, State, run
from playgrounds.norm_in_training.picture import draw, note


@cache
def states(**knobs) -> list[State]:
    return list(filter(None, run(Params(**knobs))))


def last(**knobs) -> State:
    return states(**knobs)[-1]


def told(**knobs) -> str:
    """The last note."""
    played = states(**knobs)
    return note(Params(**knobs), played, len(played) - 1)


@pytest.mark.fact("batch-normalization")
@pytest.mark.parametrize("seed", [1, 4])
def test_at_a_large_rate_ten_layers_learn_with_batch_norm_and_fail_without(seed):
    end = last(seed=seed)
    assert end.loss < 0.002
    assert end.plain_loss > 0.69  # the loss of guessing is 0.693


@pytest.mark.fact("batch-normalization")
def test_at_a_smaller_rate_both_learn():
    end = last(rate=0.5, steps=70)
    assert end.loss < 0.01 and end.plain_loss < 0.01


@pytest.mark.fact("batch-normalization")
def test_the_net_learns_a_shift_and_a_scale_so_that_outputs_keep_neither_mean_0_nor_variance_1():
    first, end = states()[0], last()
    assert first.mean == 0 and first.variance == pytest.approx(1, abs=1e-3)
    assert abs(end.mean) > 0.1 and end.variance > 1.2


@pytest.mark.fact("normalization")
@pytest.mark.parametrize("rate", [0.1, 2.0])
def test_hidden_units_that_start_equal_stay_equal_for_ever_whatever_is_normalized(rate):
    equal = states(start="all equal", rate=rate, steps=60)
    assert {s.different_units for s in equal} == {1}
    assert equal[-1].loss > 0.5, "one unit cannot tell a ring from a disc"
    moved = float(re.search(r"same weights, \((.*?),", told(start="all equal", rate=rate, steps=60))[1])
    assert abs(moved - 0.5) > 0.01, "though they learn"


@pytest.mark.fact("normalization")
def test_units_that_start_at_random_differ_and_solve_the_same_task():
    assert last().different_units == WIDTH
    assert last().loss < 0.001


def test_the_net_without_batch_norm_that_diverged_is_named_with_its_step():
    said = re.search(r"The net without batch norm diverged at step (\d+): η = 2 is too large", told())
    assert said and 1 < int(said[1]) < 30
    assert np.isfinite(last().plain_loss)


def test_a_film_is_small_and_has_no_infinity():
    p = Params()
    film = Film(note, draw, p, p.length)
    film.extend(states(), True)
    assert len(film.message()) < 2**20 and b"Infinity" not in film.message()
