"""Representation learning: what a linear probe reads from the input, from random features and from learned ones."""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from playgrounds.representation.model import Params, State, features, linear_probe, right, run, sample
from playgrounds.representation.picture import draw, note

SEEDS = range(5)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def ends(seeds=SEEDS, **values) -> list[State]:
    """The last state of a run per seed."""
    return [states(seed=seed, **values)[-1] for seed in seeds]


def data(**values) -> tuple[np.ndarray, ...]:
    p = Params(**values)
    return sample(p, np.random.default_rng(p.seed))


def logits(x: np.ndarray, probe: np.ndarray) -> np.ndarray:
    return x @ probe[:-1] + probe[-1]


# ---------------------------------------------------------------------------------------- what the terms' page promises


@pytest.mark.fact("representation-learning")
def test_a_linear_probe_on_the_input_is_at_chance():
    assert all(0.47 <= end.input_probe <= 0.53 for end in ends(hidden=8))


@pytest.mark.fact("representation-learning")
def test_no_line_at_all_gets_more_than_seven_in_ten_of_the_circles_right():
    x, y, *_ = data()
    best = 0.0
    for angle in np.linspace(0, math.pi, 60, endpoint=False):
        along = np.sort(x @ (math.cos(angle), math.sin(angle)))
        for threshold in along[::10]:
            share = right(x @ (math.cos(angle), math.sin(angle)) - threshold, y)
            best = max(best, share, 1 - share)
    assert 0.6 < best < 0.7


@pytest.mark.fact("representation-learning")
def test_eight_trained_units_are_read_without_a_mistake():
    """100 % to the rounding of the page: at most one of 1,000 points is wrong."""
    assert all(end.hidden_probe >= 0.999 for end in ends(hidden=8))


@pytest.mark.fact("representation-learning")
def test_eight_untrained_units_already_give_most_of_it():
    untrained = [end.untrained_probe for end in ends(hidden=8)]
    assert min(untrained) >= 0.85 and np.median(untrained) >= 0.95
    assert min(untrained) < 0.98, "and yet there is something left to learn"


@pytest.mark.fact("representation-learning")
def test_with_four_units_training_lifts_the_probe_for_most_seeds_and_random_features_made_most_of_the_way():
    lasts = ends()
    assert all(end.hidden_probe >= 0.985 for end in lasts)
    assert sum(end.hidden_probe - end.untrained_probe >= 0.10 for end in lasts) >= 4
    assert all(end.untrained_probe - end.input_probe >= 0.25 for end in lasts)


@pytest.mark.fact("representation-learning")
def test_the_default_run_shows_all_three_levels():
    start, end = states()[0], states()[-1]
    assert end.input_probe < 0.53 and 0.75 < end.untrained_probe < 0.9 and end.hidden_probe > 0.99
    assert start.hidden_probe == start.untrained_probe == end.untrained_probe
    assert start.net_accuracy < 0.7 < start.hidden_probe, "the untrained net cannot use what a probe can read"


@pytest.mark.fact("representation-learning")
def test_without_an_activation_no_state_of_the_hidden_layer_tells_more_than_the_input():
    for hidden in (2, 4):
        for state in states(activation="identity", hidden=hidden):
            assert abs(state.hidden_probe - state.input_probe) <= 0.015
            assert state.hidden_probe < 0.53 and state.net_accuracy < 0.7


@pytest.mark.fact("representation-learning")
def test_a_net_whose_hidden_layer_stays_random_separates_the_circles_too():
    for seed in (1, 3):
        run_of = states(hidden=16, trained=False, rate=0.1, seed=seed)
        start, end = run_of[0], run_of[-1]
        assert end.net_accuracy >= 0.985
        assert all((a == b).all() for a, b in zip(start.theta[:2], end.theta[:2], strict=True))
        assert {state.hidden_probe for state in run_of} == {start.untrained_probe}
        assert (start.theta[2] != end.theta[2]).all() and (start.theta[3] != end.theta[3]).all()


@pytest.mark.fact("representation-learning")
def test_random_features_are_not_enough_for_the_spirals_and_learned_ones_are():
    for seed in (1, 3):
        end = states(data="spirals", hidden=16, seed=seed)[-1]
        assert end.untrained_probe <= end.input_probe + 0.05 < 0.7
        assert end.hidden_probe >= 0.88


@pytest.mark.fact("representation-learning")
def test_two_tanh_units_leave_the_disc_inside_its_ring():
    """Two units bend the plane without tearing it, so what is enclosed stays enclosed."""
    for seed in (1, 3):
        assert max(state.hidden_probe for state in states(hidden=2, seed=seed)) <= 0.88
    assert states(hidden=3)[-1].hidden_probe >= 0.99


@pytest.mark.fact("representation-learning")
def test_real_digits_are_lifted_like_the_circles():
    lasts = ends((0, 1), data="digits", hidden=8)
    assert all(end.input_probe < 0.6 and end.hidden_probe >= 0.95 for end in lasts)
    assert np.mean([end.hidden_probe - end.untrained_probe for end in lasts]) > 0.05


# -------------------------------------------------------------------------------------------------- how it is computed


@pytest.mark.fact("representation-learning")
@pytest.mark.parametrize(
    "values", [{}, {"hidden": 8}, {"data": "digits"}, {"activation": "relu", "data": "spirals"}], ids=str
)
def test_the_probe_is_scikit_learns_logistic_regression(values):
    from sklearn.linear_model import LogisticRegression

    p = Params(**values)
    x, y, x_test, y_test = data(**values)
    run_of = states(**values)
    parts = [(x, x_test, run_of[0].probe_of_input, run_of[0].input_probe)]
    for state in (run_of[0], run_of[1], run_of[-1]):  # cold start, warm start, the end
        hidden = [features(part, state.theta, p.activation) for part in (x, x_test)]
        parts.append((*hidden, state.probe, state.hidden_probe))
    for h, h_test, probe, share in parts:
        theirs = LogisticRegression(C=100, solver="newton-cholesky", tol=1e-8, max_iter=200).fit(h, y)
        size = np.linalg.norm(theirs.coef_)
        assert np.allclose(probe, [*theirs.coef_[0], *theirs.intercept_], rtol=0, atol=1e-3 * max(1, size))
        assert share == pytest.approx(theirs.score(h_test, y_test), abs=1.01 / len(y_test))


def test_the_probe_does_not_depend_on_where_its_search_starts():
    x, y, *_ = data()
    h = features(x, states()[-1].theta, "tanh")
    cold = linear_probe(h, y, np.zeros(5))
    warm = linear_probe(h, y, np.array([300.0, -300, 100, -50, 500]))
    assert np.allclose(cold, warm, atol=1e-3) and np.linalg.norm(cold) > 1


@pytest.mark.fact("representation-learning")
@pytest.mark.parametrize("activation, trained", [("tanh", True), ("relu", True), ("identity", True), ("tanh", False)])
def test_training_by_hand_is_torchs_adam_step_by_step(activation, trained):
    import torch

    run_of = states(activation=activation, trained=trained, steps=40)
    x, y, *_ = map(torch.from_numpy, data(activation=activation))
    theta = [torch.tensor(t, requires_grad=True) for t in run_of[0].theta]
    optimizer = torch.optim.Adam(theta if trained else theta[2:], lr=0.02)
    f = {"tanh": torch.tanh, "relu": torch.relu, "identity": lambda z: z}[activation]
    for state in run_of:
        w, b, v, c = theta
        loss = torch.nn.functional.binary_cross_entropy_with_logits(f(x @ w.T + b) @ v + c, y.double())
        assert state.loss == pytest.approx(loss.item(), abs=1e-9), state.step
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert run_of[-1].loss < run_of[0].loss


@pytest.mark.parametrize("name", ["circles", "spirals", "digits"])
def test_no_held_out_point_is_a_training_point_and_both_classes_are_in_both(name):
    x, y, x_test, y_test = data(data=name)
    assert not set(map(tuple, x)) & set(map(tuple, x_test))
    assert len(x) == len(y) and len(x_test) == len(y_test) and x.shape[1] == 2
    assert 0.4 < y.mean() < 0.6 and 0.4 < y_test.mean() < 0.6
    assert np.abs(np.concatenate([x, x_test])).max() < 1.45


def test_the_digits_are_the_four_and_five_against_the_six_and_seven():
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    x, y, x_test, y_test = data(data="digits")
    digit = load_digits().target
    assert len(x) + len(x_test) == np.isin(digit, (4, 5, 6, 7)).sum()
    assert y.sum() + y_test.sum() == np.isin(digit, (6, 7)).sum()
    chosen = np.random.default_rng(3).permutation(np.flatnonzero(np.isin(digit, (4, 5, 6, 7))))[: len(x)]
    theirs = PCA(2).fit_transform(load_digits().data[chosen]) / 30
    assert np.allclose(np.abs(theirs), np.abs(x), atol=1e-9)


@pytest.mark.parametrize(
    "name, activation", [("circles", "relu"), ("spirals", "tanh"), ("digits", "identity"), ("digits", "relu")]
)
def test_the_largest_rate_gives_finite_numbers_and_no_warning(name, activation):
    p = Params(data=name, activation=activation, rate=1, hidden=16, steps=100, noise=0)
    run_of = list(run(p))
    for state in run_of:
        assert all(math.isfinite(v) for v in (state.loss, state.hidden_probe, *state.probe, *state.view.eye.ravel()))
    note(p, run_of, len(run_of) - 1)
    draw(p, run_of, len(run_of) - 1).figure()


def test_the_camera_is_orthonormal_and_never_turns_over():
    for values in ({}, {"hidden": 3, "seed": 2}, {"data": "spirals", "hidden": 16, "seed": 1}):
        run_of = states(**values)
        for before, now in pairwise(run_of):
            assert np.allclose(now.view.eye.T @ now.view.eye, np.eye(2), atol=1e-9)
            assert (np.diag(before.view.eye.T @ now.view.eye) > -1e-9).all(), now.step
    normals = [state.probe[:-1] for state in states(hidden=3, seed=2)]
    assert any(a @ b < 0 for a, b in pairwise(normals)), "the probe itself does turn over, the camera does not follow"
