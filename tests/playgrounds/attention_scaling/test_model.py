"""Scaling by √d_k: what the variance of a dot product does to the softmax."""

from functools import cache

import numpy as np
import pytest

from playgrounds.attention_scaling.model import Params, State, run

SEEDS = range(1, 6)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


@pytest.mark.fact("query-key-value")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_variance_of_q_times_k_is_d_k(seed):
    found = {state.step: state.score_variance for state in states(seed=seed)}
    assert list(found) == [2**i for i in range(9)]
    for d_k in (4, 16, 64, 256):
        assert found[d_k] == pytest.approx(d_k, rel=0.05)


@pytest.mark.fact("query-key-value")
def test_the_variance_of_q_times_k_is_d_k_within_three_percent_over_five_seeds():
    for i, d_k in ((2, 4), (4, 16), (6, 64), (8, 256)):
        mean = np.mean([states(seed=seed)[i].score_variance for seed in SEEDS])
        assert mean == pytest.approx(d_k, rel=0.03)


@pytest.mark.fact("query-key-value")
@pytest.mark.parametrize("seed", [1, 2])
def test_unscaled_the_softmax_saturates_as_d_k_grows_and_scaled_it_does_not(seed):
    unscaled = {s.step: s for s in states(scaled=False, seed=seed)}
    scaled = {s.step: s for s in states(seed=seed)}
    assert unscaled[4].largest_weight == pytest.approx(0.5, abs=0.02)
    assert unscaled[256].largest_weight == pytest.approx(0.93, abs=0.015)
    assert all(scaled[d_k].largest_weight == pytest.approx(0.315, abs=0.02) for d_k in (4, 16, 64, 256))
    assert unscaled[256].passed_gradient < 0.12 < 0.79 < scaled[256].passed_gradient
    rising = [state.largest_weight for state in unscaled.values()]
    assert rising == sorted(rising)
