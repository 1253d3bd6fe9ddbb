"""Normalization: the shape of the loss, what both layers compute, and training at a rate that fails without."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.kit.film import Film
from playgrounds.normalization import BATCHES, BEGIN, EXAMPLES, HUGE, WIDTH, Params, State, draw, layer_norm, run


@cache
def states(**knobs) -> list[State]:
    return list(run(Params(**knobs)))


def batch(**knobs) -> list[State]:
    return states(view="batch", **knobs)


def training(**knobs) -> State:
    return states(view="training", **knobs)[-1]


# -------------------------------------------------------------------------------------------------------------- inputs


@pytest.mark.fact("normalization")
def test_feature_scales_of_100_to_1_make_a_condition_number_of_12143_and_standardizing_makes_it_1_04():
    state = states()[0]
    assert round(state.condition_number) == 12143
    raw, standardized = (np.linalg.cond(h) for h in state.seen.hessians)
    assert raw == pytest.approx(state.condition_number) and round(standardized, 2) == 1.04
    assert "12,143" in state.note and "1.04" in state.note


@pytest.mark.fact("normalization")
@pytest.mark.parametrize("seed", range(6))
def test_for_any_data_standardizing_takes_a_condition_number_from_thousands_to_below_2(seed):
    state = states(seed=seed, steps=10)[0]
    assert 5_000 < state.condition_number < 25_000
    assert np.linalg.cond(state.seen.hessians[1]) < 2
    assert (state.mean, state.variance) == (0, 1)


@pytest.mark.fact("normalization")
@pytest.mark.parametrize("seed", [0, 1, 30])
def test_the_same_optimizer_arrives_on_standardized_inputs_and_crawls_on_raw_ones(seed):
    run_ = states(seed=seed)
    assert run_[-1].loss < 1e-20
    assert run_[-1].plain_loss > 1
    assert run_[-1].plain_loss > 0.9 * run_[20].plain_loss, "it crawls along the valley"


@pytest.mark.fact("normalization")
def test_raw_inputs_zigzag_across_the_valley_and_standardized_ones_go_straight():
    w = np.array([s.seen.w for s in states(eta=1.5)])
    side = w[:8, 0, 1] - states()[0].seen.minima[0, 1]
    assert (side[1:] * side[:-1] < 0).all(), "every step lands on the other side"
    assert abs(w[8, 0, 0] - BEGIN[0]) < 0.01, "while w₁ hardly moves"
    way = w[:8, 1] - states()[0].seen.minima[1]
    cosine = way @ way[0] / np.linalg.norm(way, axis=1) / np.linalg.norm(way[0])
    assert np.abs(cosine).min() > 0.99


@pytest.mark.fact("normalization")
def test_the_rate_that_suits_standardized_inputs_lets_raw_ones_diverge():
    last = states(shared=True)[-1]
    assert last.loss < 1e-20
    assert last.plain_loss > HUGE
    assert re.search(r"raw inputs diverged at step \d+, η = 1.47 being above 2/λ_max", last.note)


def test_equal_scales_need_no_standardizing():
    assert states(ratio=1)[-1].plain_loss < 1e-12
    assert states(ratio=1, steps=10)[0].condition_number < 2


def test_the_two_models_start_with_the_same_weights_and_could_fit_perfectly():
    first = states()[0].seen
    assert np.array_equal(first.w, [BEGIN, BEGIN])
    assert np.allclose(states(ratio=1, steps=1000)[-1].seen.w, first.minima * [[1, 100], [1, 1]], atol=1e-6)


def test_each_path_is_that_of_torch_sgd():
    import torch

    raw = np.random.default_rng(30).normal(size=(EXAMPLES, 2)) * (1, 10)
    raw -= raw.mean(axis=0)
    ours = states(ratio=10, eta=1.3, steps=50)
    for i, x in enumerate((raw, raw / raw.std(axis=0))):
        eta = 1.3 / np.linalg.eigvalsh(x.T @ x / EXAMPLES)[-1]
        x, y = torch.tensor(x), torch.tensor(raw @ (1, 0.1))
        w = torch.tensor(BEGIN, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=eta)
        for state in ours:
            loss = ((x @ w - y) ** 2).mean() / 2
            assert np.allclose(state.seen.w[i], w.detach(), atol=1e-9)
            assert state.seen.losses[i] == pytest.approx(loss.item(), abs=1e-9)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@pytest.mark.parametrize("eta", [1.95, 2.05])
def test_descent_diverges_beyond_two_over_the_largest_curvature_and_not_below(eta):
    last = states(eta=eta, ratio=3, steps=1000)[-1]
    assert (last.loss > HUGE) == (eta > 2)
    assert ("diverged" in last.note) == (eta > 2)


# --------------------------------------------------------------------------------------------- one batch, against torch


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

    p = Params(view="batch", mode=mode, **setting)
    batch_norm, layer_norm_ = norms(p)
    for state in run(p):
        seen, z = state.seen, torch.from_numpy(state.seen.z)
        running = np.stack([batch_norm.running_mean, batch_norm.running_var])
        assert np.allclose(seen.running, running, rtol=1e-12, atol=1e-12)
        with torch.no_grad():
            expected = batch_norm.train(mode == "training")(z)
            assert np.allclose(seen.by_batch, expected, rtol=1e-12, atol=1e-12)
            assert np.allclose(seen.by_layer, layer_norm_(z), rtol=1e-12, atol=1e-12)
            if mode == "evaluation":
                batch_norm.train()(z)  # collects the statistics


@pytest.mark.fact("normalization")
@pytest.mark.parametrize("others", ["new", "shifted"])
def test_other_companions_change_a_sample_in_batch_norm_and_by_0_in_layer_norm(others):
    run_ = batch(others=others)
    assert all(s.seen.changes[1] == 0 and s.dependence == s.seen.changes[0] > 0.05 for s in run_)
    rows = np.array([(s.seen.by_batch[0], s.seen.by_layer[0]) for s in run_])
    assert (np.ptp(rows[:, 1], axis=0) == 0).all() and (np.ptp(rows[:, 0], axis=0) > 0.3).all()
    assert all(np.array_equal(s.seen.z[0], run_[0].seen.z[0]) for s in run_), "and it is the same sample"


@pytest.mark.fact("batch-normalization")
def test_in_evaluation_a_prediction_does_not_depend_on_the_rest_of_the_batch():
    assert all(s.dependence == 0 for s in batch(mode="evaluation"))


@pytest.mark.fact("batch-normalization")
@pytest.mark.parametrize("seed", range(4))
def test_a_batch_of_two_gives_only_plus_one_and_minus_one(seed):
    for state in batch(size=2, factor=37.0, seed=seed):
        assert np.abs(np.abs(state.seen.by_batch) - 1).max() < 2e-6
        assert np.allclose(state.seen.by_batch.sum(axis=0), 0, atol=1e-9)


@pytest.mark.fact("batch-normalization")
@pytest.mark.parametrize("seed", range(4))
def test_weights_times_37_leave_the_output_as_it_is_to_5e_7(seed):
    for small, large in zip(batch(seed=seed), batch(seed=seed, factor=37.0), strict=True):
        assert np.allclose(large.seen.z, 37 * small.seen.z)
        difference = np.abs(large.seen.by_batch - small.seen.by_batch).max()
        assert difference == pytest.approx(large.seen.scaling) and difference < 5e-7


def test_weights_so_small_that_epsilon_outweighs_the_variance_do_change_the_output():
    assert max(s.seen.scaling for s in batch(factor=0.001)) > 1e-4 > max(s.seen.scaling for s in batch(factor=0.1))


@pytest.mark.fact("batch-normalization")
def test_the_output_in_training_has_mean_beta_and_variance_gamma_squared():
    for state in batch(gamma=2.0, beta=3.0):
        assert state.mean == pytest.approx(3, abs=1e-9) and state.variance == pytest.approx(4, abs=1e-4)
        assert np.allclose(state.seen.by_layer.mean(axis=1), 3, atol=1e-9), "each row's, in layer norm"
    assert all(s.mean == 0 and s.variance == pytest.approx(1, abs=1e-4) for s in batch())


@pytest.mark.fact("batch-normalization")
def test_the_output_in_evaluation_has_neither():
    later = batch(mode="evaluation")[20:]
    assert max(abs(s.mean) for s in later) > 0.3 and max(abs(s.variance - 1) for s in later) > 0.3


@pytest.mark.fact("batch-normalization")
def test_running_statistics_become_those_of_the_data():
    end = batch(momentum=0.05, size=8)[-1].seen.running
    every = np.concatenate([s.seen.z for s in batch(momentum=0.05, size=8)])
    assert np.abs((end[0] - every.mean(axis=0)) / every.std(axis=0)).max() < 0.35
    assert 0.5 < (end[1] / every.var(axis=0)).min() <= (end[1] / every.var(axis=0)).max() < 1.7
    first = batch()[1].seen.running
    assert np.allclose(first[0], 0.1 * batch()[0].seen.z.mean(axis=0)), "0.9 of 0 and 0.1 of the first batch's"


@pytest.mark.fact("batch-normalization")
def test_torch_refuses_to_train_on_one_sample_and_the_note_says_so_and_shows_evaluation():
    import torch

    alone = batch(size=1)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        torch.nn.BatchNorm1d(5, dtype=torch.float64)(torch.from_numpy(alone[0].seen.z))
    assert all("Expected more than 1 value per channel" in s.note and "Evaluation" in s.note for s in alone)
    for one, evaluated in zip(alone, batch(size=1, mode="evaluation"), strict=True):
        assert np.array_equal(one.seen.by_batch, evaluated.seen.by_batch)
    assert np.abs(alone[-1].seen.by_batch).max() < 4, "normalized by statistics collected from batches of 8"
    assert alone[-1].seen.z.shape == (1, 5) and alone[-1].dependence == 0


def test_layer_norm_needs_no_batch():
    rows = np.random.default_rng(0).normal(size=(4, 5)) * [[1], [10], [100], [1000]]
    p = Params(view="batch")
    assert np.array_equal(layer_norm(p, rows)[1:2], layer_norm(p, rows[1:2]))


def test_the_note_writes_feature_1_of_sample_a_out():
    state = batch(gamma=2.0, beta=-1.0)[7]
    said = re.search(r"becomes 2 · \((.*) − \(?(.*?)\)?\) / √(.*?) − 1 = (.*?)\. ", state.note)
    z, mean, variance, out = (float(re.sub("−", "-", part).replace("·10⁵", "e5")) for part in said.groups())
    assert 2 * (z - mean) / variance**0.5 - 1 == pytest.approx(out, abs=0.02)
    assert out == pytest.approx(state.seen.by_batch[0, 0], abs=0.005)
    assert len(batch()) == BATCHES + 1


# ------------------------------------------------------------------------------------------------------------ training


@pytest.mark.fact("batch-normalization")
@pytest.mark.parametrize("seed", [1, 4])
def test_at_a_large_rate_ten_layers_learn_with_batch_norm_and_fail_without(seed):
    last = training(seed=seed)
    assert last.loss < 0.002
    assert last.plain_loss > 0.69  # the loss of guessing is 0.693


@pytest.mark.fact("batch-normalization")
def test_at_a_smaller_rate_both_learn():
    last = training(rate=0.5, steps=70)
    assert last.loss < 0.01 and last.plain_loss < 0.01


@pytest.mark.fact("batch-normalization")
def test_the_net_learns_a_shift_and_a_scale_so_that_outputs_keep_neither_mean_0_nor_variance_1():
    first, last = states(view="training")[0], training()
    assert first.mean == 0 and first.variance == pytest.approx(1, abs=1e-3)
    assert abs(last.mean) > 0.1 and last.variance > 1.2


@pytest.mark.fact("normalization")
@pytest.mark.parametrize("rate", [0.1, 2.0])
def test_hidden_units_that_start_equal_stay_equal_for_ever_whatever_is_normalized(rate):
    equal = states(view="training", start="all equal", rate=rate, steps=60)
    assert {s.different_units for s in equal} == {1}
    assert equal[-1].loss > 0.5, "one unit cannot tell a ring from a disc"
    moved = float(re.search(r"same weights, \((.*?),", equal[-1].note)[1])
    assert abs(moved - 0.5) > 0.01, "though they learn"


@pytest.mark.fact("normalization")
def test_units_that_start_at_random_differ_and_solve_the_same_task():
    assert training().different_units == WIDTH
    assert training().loss < 0.001


def test_the_net_without_batch_norm_that_diverged_is_named_with_its_step():
    said = re.search(r"The net without batch norm diverged at step (\d+): η = 2 is too large", training().note)
    assert said and 1 < int(said[1]) < 30
    assert np.isfinite(training().plain_loss)


@pytest.mark.parametrize("knobs", [{}, {"shared": True}, {"view": "batch", "size": 1}, {"view": "training"}], ids=str)
def test_a_film_of_every_view_is_small_and_has_no_infinity(knobs):
    p = Params(**knobs)
    film = Film(draw, p, p.length)
    film.extend(states(**knobs), True)
    assert len(film.message()) < 2**20 and b"Infinity" not in film.message()


def test_the_tables_show_the_numbers_of_the_batch_with_sample_a_on_top():
    p, run_ = Params(view="batch"), batch()
    before, after, *_ = draw(p, run_, 5)["data"]
    assert before["text"][0] == f"{run_[5].seen.z[0, 0]:.3g}".replace("-", "−")
    assert list(before["y"][:5]) == [0] * 5 and min(before["y"]) == -p.size - 1
    assert set(after["text"][-10:-5]) == {"0"} and set(after["text"][-5:]) == {"1"}, "means 0 and variances 1"
    field = draw(p, run_, 5)["fields"][1]["z"]
    assert (np.sign(field[-1]) == np.sign(run_[5].seen.by_batch[0])).all(), "the last row of a field is on top"
