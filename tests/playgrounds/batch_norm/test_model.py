"""Batch norm and layer norm of one small batch, against torch."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.batch_norm.model import BATCHES, Params, State, layer_norm, run
from playgrounds.batch_norm.picture import note


@cache
def states(**knobs) -> list[State]:
    return list(filter(None, run(Params(**knobs))))


def norms(p: Params):
    """torch's two layers with the scale, shift and momentum of p."""
    import torch

    batch_norm = torch.nn.BatchNorm1d(5, momentum=p.momentum, dtype=torch.float64)
    layer_norm = torch.nn.LayerNorm(5, dtype=torch.float64)
    for layer in (batch_norm, layer_norm):
        torch.nn.init.constant_(layer.weight, p.gamma)
        torch.nn.init.constant_(layer.bias, p.beta)
    return batch_norm, layer_norm


SETTINGS = [
    {},
    {"size": 2, "factor": 37.0},
    {"size": 8, "gamma": -2.5, "beta": 1.5, "momentum": 0.3, "factor": 0.001},
    {"size": 3, "gamma": 0.0, "beta": 3.0, "others": "the same", "momentum": 1.0},
    {"size": 5, "others": "shifted", "gamma": 3.0},
]


@pytest.mark.fact("batch-normalization")
@pytest.mark.parametrize("mode", ["training", "evaluation"])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_both_layers_equal_those_of_torch_in_training_and_in_evaluation(setting, mode):
    import torch

    p = Params(mode=mode, **setting)
    batch_norm, layer_norm_ = norms(p)
    for state in run(p):
        z = torch.from_numpy(state.z)
        assert np.allclose(state.running_mean, batch_norm.running_mean, rtol=1e-12, atol=1e-12)
        assert np.allclose(state.running_variance, batch_norm.running_var, rtol=1e-12, atol=1e-12)
        with torch.no_grad():
            expected = batch_norm.train(mode == "training")(z)
            assert np.allclose(state.by_batch, expected, rtol=1e-12, atol=1e-12)
            assert np.allclose(state.by_layer, layer_norm_(z), rtol=1e-12, atol=1e-12)
            if mode == "evaluation":
                batch_norm.train()(z)  # collects the statistics


@pytest.mark.fact("normalization")
@pytest.mark.parametrize("others", ["new", "shifted"])
def test_other_companions_change_a_sample_in_batch_norm_and_by_0_in_layer_norm(others):
    run_ = states(others=others)
    assert all(s.layer_dependence == 0 and s.dependence > 0.05 for s in run_)
    rows = np.array([(s.by_batch[0], s.by_layer[0]) for s in run_])
    assert (np.ptp(rows[:, 1], axis=0) == 0).all() and (np.ptp(rows[:, 0], axis=0) > 0.3).all()
    assert all(np.array_equal(s.z[0], run_[0].z[0]) for s in run_), "and it is the same sample"


@pytest.mark.fact("batch-normalization")
def test_in_evaluation_a_prediction_does_not_depend_on_the_rest_of_the_batch():
    assert all(s.dependence == 0 for s in states(mode="evaluation"))


@pytest.mark.fact("batch-normalization")
@pytest.mark.parametrize("seed", range(4))
def test_a_batch_of_two_gives_only_plus_one_and_minus_one(seed):
    for state in states(size=2, factor=37.0, seed=seed):
        assert np.abs(np.abs(state.by_batch) - 1).max() < 2e-6
        assert np.allclose(state.by_batch.sum(axis=0), 0, atol=1e-9)


@pytest.mark.fact("batch-normalization")
@pytest.mark.parametrize("seed", range(4))
def test_weights_times_37_leave_the_output_as_it_is_to_5e_7(seed):
    for small, large in zip(states(seed=seed), states(seed=seed, factor=37.0), strict=True):
        assert np.allclose(large.z, 37 * small.z)
        difference = np.abs(large.by_batch - small.by_batch).max()
        assert difference == pytest.approx(large.scaling) and difference < 5e-7


def test_weights_so_small_that_epsilon_outweighs_the_variance_do_change_the_output():
    assert max(s.scaling for s in states(factor=0.001)) > 1e-4 > max(s.scaling for s in states(factor=0.1))


@pytest.mark.fact("batch-normalization")
def test_the_output_in_training_has_mean_beta_and_variance_gamma_squared():
    for state in states(gamma=2.0, beta=3.0):
        assert state.mean == pytest.approx(3, abs=1e-9) and state.variance == pytest.approx(4, abs=1e-4)
        assert np.allclose(state.by_layer.mean(axis=1), 3, atol=1e-9), "each row's, in layer norm"
    assert all(s.mean == 0 and s.variance == pytest.approx(1, abs=1e-4) for s in states())


@pytest.mark.fact("batch-normalization")
def test_the_output_in_evaluation_has_neither():
    later = states(mode="evaluation")[20:]
    assert max(abs(s.mean) for s in later) > 0.3 and max(abs(s.variance - 1) for s in later) > 0.3


@pytest.mark.fact("batch-normalization")
def test_running_statistics_become_those_of_the_data():
    end = states(momentum=0.05, size=8)[-1]
    every = np.concatenate([s.z for s in states(momentum=0.05, size=8)])
    assert np.abs((end.running_mean - every.mean(axis=0)) / every.std(axis=0)).max() < 0.35
    assert (
        0.5 < (end.running_variance / every.var(axis=0)).min() <= (end.running_variance / every.var(axis=0)).max() < 1.7
    )
    assert np.allclose(states()[1].running_mean, 0.1 * states()[0].z.mean(axis=0)), (
        "0.9 of 0 and 0.1 of the first batch's"
    )


@pytest.mark.fact("batch-normalization")
def test_torch_refuses_to_train_on_one_sample_and_the_note_says_so_and_shows_evaluation():
    import torch

    alone = states(size=1)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        torch.nn.BatchNorm1d(5, dtype=torch.float64)(torch.from_numpy(alone[0].z))
    said = [note(Params(size=1), alone, now) for now in range(len(alone))]
    assert all("Expected more than 1 value per channel" in one and "Evaluation" in one for one in said)
    for one, evaluated in zip(alone, states(size=1, mode="evaluation"), strict=True):
        assert np.array_equal(one.by_batch, evaluated.by_batch)
    assert np.abs(alone[-1].by_batch).max() < 4, "normalized by statistics collected from batches of 8"
    assert alone[-1].z.shape == (1, 5) and alone[-1].dependence == 0


def test_layer_norm_needs_no_batch():
    rows = np.random.default_rng(0).normal(size=(4, 5)) * [[1], [10], [100], [1000]]
    p = Params()
    assert np.array_equal(layer_norm(p, rows)[1:2], layer_norm(p, rows[1:2]))


def test_the_note_writes_feature_1_of_sample_a_out():
    played = states(gamma=2.0, beta=-1.0)
    state = played[7]
    said = re.search(
        r"becomes 2 · \((.*) − \(?(.*?)\)?\) / √(.*?) − 1 = (.*?)\. ", note(Params(gamma=2.0, beta=-1.0), played, 7)
    )
    z, mean, variance, out = (float(re.sub("−", "-", part).replace("·10⁵", "e5")) for part in said.groups())
    assert 2 * (z - mean) / variance**0.5 - 1 == pytest.approx(out, abs=0.02)
    assert out == pytest.approx(state.by_batch[0, 0], abs=0.005)
    assert len(states()) == BATCHES + 1
