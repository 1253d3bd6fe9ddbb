"""The scales of two inputs: the shape of the loss, and how descent goes on it."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.input_scaling.model import BEGIN, EXAMPLES, HUGE, Params, State, run
from playgrounds.input_scaling.picture import draw, note
from playgrounds.kit.film import Film


@cache
def states(**knobs) -> list[State]:
    return list(filter(None, run(Params(**knobs))))


@pytest.mark.fact("normalization")
def test_feature_scales_of_100_to_1_make_a_condition_number_of_12143_and_standardizing_makes_it_1_04():
    state = states()[0]
    assert round(state.condition_number) == 12143
    raw, standardized = (np.linalg.cond(h) for h in (state.raw.valley.hessian, state.standardized.valley.hessian))
    assert raw == pytest.approx(state.condition_number) and round(standardized, 2) == 1.04
    said = note(Params(), [state], 0)
    assert "12,143" in said and "1.04" in said


@pytest.mark.fact("normalization")
@pytest.mark.parametrize("seed", range(6))
def test_for_any_data_standardizing_takes_a_condition_number_from_thousands_to_below_2(seed):
    state = states(seed=seed, steps=10)[0]
    assert 5_000 < state.condition_number < 25_000
    assert np.linalg.cond(state.standardized.valley.hessian) < 2
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
    raw = np.array([s.raw.w for s in states(eta=1.5)])
    standardized = np.array([s.standardized.w for s in states(eta=1.5)])
    side = raw[:8, 1] - states()[0].raw.valley.minimum[1]
    assert (side[1:] * side[:-1] < 0).all(), "every step lands on the other side"
    assert abs(raw[8, 0] - BEGIN[0]) < 0.01, "while w₁ hardly moves"
    way = standardized[:8] - states()[0].standardized.valley.minimum
    cosine = way @ way[0] / np.linalg.norm(way, axis=1) / np.linalg.norm(way[0])
    assert np.abs(cosine).min() > 0.99


@pytest.mark.fact("normalization")
def test_the_rate_that_suits_standardized_inputs_lets_raw_ones_diverge():
    p, played = Params(shared=True), states(shared=True)
    last = played[-1]
    assert last.loss < 1e-20
    assert last.plain_loss > HUGE
    assert re.search(r"raw inputs diverged at step \d+, η = 1.47 being above 2/λ_max", note(p, played, len(played) - 1))


def test_equal_scales_need_no_standardizing():
    assert states(ratio=1)[-1].plain_loss < 1e-12
    assert states(ratio=1, steps=10)[0].condition_number < 2


def test_the_two_models_start_with_the_same_weights_and_could_fit_perfectly():
    first, last = states()[0], states(ratio=1, steps=1000)[-1]
    assert np.array_equal(first.raw.w, BEGIN) and np.array_equal(first.standardized.w, BEGIN)
    assert np.allclose(last.raw.w, first.raw.valley.minimum * [1, 100], atol=1e-6)
    assert np.allclose(last.standardized.w, first.standardized.valley.minimum, atol=1e-6)


def test_each_path_is_that_of_torch_sgd():
    import torch

    raw = np.random.default_rng(30).normal(size=(EXAMPLES, 2)) * (1, 10)
    raw -= raw.mean(axis=0)
    ours = states(ratio=10, eta=1.3, steps=50)
    for which, x in (("raw", raw), ("standardized", raw / raw.std(axis=0))):
        eta = 1.3 / np.linalg.eigvalsh(x.T @ x / EXAMPLES)[-1]
        x, y = torch.tensor(x), torch.tensor(raw @ (1, 0.1))
        w = torch.tensor(BEGIN, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=eta)
        for state in ours:
            loss = ((x @ w - y) ** 2).mean() / 2
            model = getattr(state, which)
            assert np.allclose(model.w, w.detach(), atol=1e-9)
            assert model.loss == pytest.approx(loss.item(), abs=1e-9)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@pytest.mark.parametrize("eta", [1.95, 2.05])
def test_descent_diverges_beyond_two_over_the_largest_curvature_and_not_below(eta):
    settings = {"eta": eta, "ratio": 3, "steps": 1000}
    played = states(**settings)
    assert (played[-1].loss > HUGE) == (eta > 2)
    assert ("diverged" in note(Params(**settings), played, len(played) - 1)) == (eta > 2)


@pytest.mark.parametrize("knobs", [{}, {"shared": True}], ids=str)
def test_a_film_is_small_and_has_no_infinity(knobs):
    p = Params(**knobs)
    film = Film(note, draw, p, p.length)
    film.extend(states(**knobs), True)
    assert len(film.message()) < 2**20 and b"Infinity" not in film.message()
