"""The multi-layer perceptron: gradients, what XOR needs, what an activation is for, and how training can fail."""

import math
import re
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import glossary
from playgrounds.kit.data import grid, plane
from playgrounds.kit.film import Film
from playgrounds.kit.nn import ACTIVATIONS, SLOPES
from playgrounds.mlp import picture
from playgrounds.mlp.model import Params, State, backward, cross_entropy, forward, right, run

LN2 = math.log(2)


def preset(slug: str, **changes) -> Params:
    """The params of a term's page, some of them changed."""
    term = glossary.load().term[slug]
    assert term.playground == "mlp"
    return Params.preset(term.preset | changes)[0]


def last(p: Params) -> State:
    *_, state = run(p)
    return state


@cache
def solved(hidden: int, activation: str, seeds: int) -> float:
    """The share of seeds with which the net learns the four corners of XOR, at a setting that suits both."""
    settings = {"data": "corners", "rate": 0.1, "epochs": 300}
    runs = (Params(hidden=hidden, activation=activation, seed=seed, **settings) for seed in range(seeds))
    return sum(last(p).accuracy == 1 for p in runs) / seeds


def bends(state: State, activation: str) -> float:
    """How far the logit is from the best affine function of the plane, as a share of its spread."""
    x = grid(21, picture.SPAN)
    logit = forward(x, state.weights, state.biases, activation)[-1][:, 0]
    design = np.column_stack([x, np.ones(len(x))])
    best = design @ np.linalg.lstsq(design, logit, rcond=None)[0]
    return float(np.abs(logit - best).max() / np.ptp(logit))


# ---------------------------------------------------------------------------------------------------------- XOR problem


@pytest.mark.fact("xor-problem")
def test_the_best_linear_fit_of_xor_is_a_half_everywhere_with_an_error_of_a_quarter():
    x, y = plane("corners", 4, 0.0, np.random.default_rng(0))
    design = np.column_stack([x, np.ones(4)])
    w = np.linalg.lstsq(design, y, rcond=None)[0]
    assert np.allclose(design @ w, 0.5, atol=1e-15)
    assert np.mean((design @ w - y) ** 2) == pytest.approx(0.25, abs=1e-15)


@pytest.mark.fact("xor-problem")
def test_the_corners_are_xor_and_each_has_one_point():
    x, y = plane("corners", 4, 0.0, np.random.default_rng(0))
    assert sorted(map(tuple, x)) == [(-0.8, -0.8), (-0.8, 0.8), (0.8, -0.8), (0.8, 0.8)]
    assert all(label == ((a > 0) != (b > 0)) for (a, b), label in zip(x, y, strict=True))


@pytest.mark.fact("xor-problem")
def test_without_a_hidden_unit_at_most_three_of_the_four_are_right_at_every_step():
    for seed in range(8):
        best = max(s.accuracy for s in run(Params(data="corners", hidden=0, rate=0.1, epochs=150, seed=seed)))
        assert best <= 0.75


@pytest.mark.fact("xor-problem")
def test_two_tanh_units_can_solve_it_and_do_from_about_half_the_starts():
    assert 0.30 <= solved(2, "tanh", 40) <= 0.65  # 0.47 of 60 seeds; two standard deviations of 40 are 0.16


@pytest.mark.fact("xor-problem")
def test_two_relu_units_solve_it_from_about_a_quarter_of_the_starts():
    assert 0.08 <= solved(2, "relu", 40) <= 0.38  # 0.22 of 60 seeds
    assert solved(2, "relu", 40) < solved(2, "tanh", 40)


@pytest.mark.fact("xor-problem")
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_eight_units_solve_it_from_nearly_every_start(activation):
    assert solved(8, activation, 20) >= 18 / 20


@pytest.mark.fact("xor-problem")
def test_its_page_solves_it_and_without_hidden_units_cannot():
    assert preset("xor-problem").hidden == 2
    assert last(preset("xor-problem")).accuracy == 1
    assert last(preset("xor-problem", hidden=0)).accuracy <= 0.75
    assert bends(last(preset("xor-problem", hidden=0)), "tanh") < 1e-12


# ----------------------------------------------------------------------------------------------- multi-layer perceptron


SAMPLE = [
    dict(activation="tanh", optimizer="Adam", batch="all", hidden=4, hidden2=0),
    dict(activation="relu", optimizer="SGD", batch="10", hidden=8, hidden2=0),
    dict(activation="sigmoid", optimizer="momentum", batch="50", hidden=3, hidden2=2),
    dict(activation="identity", optimizer="Adam", batch="10", hidden=1, hidden2=8, hidden3=1),
    dict(activation="tanh", optimizer="momentum", batch="10", hidden=8, hidden2=8, hidden3=8),
    dict(activation="relu", optimizer="Adam", batch="50", hidden=2, hidden2=0, hidden3=5),
    dict(activation="sigmoid", optimizer="SGD", batch="all", hidden=0),
    dict(activation="tanh", optimizer="SGD", batch="50", hidden=2),
    dict(activation="relu", optimizer="momentum", batch="all", hidden=5, hidden2=3),
]  # every activation, optimizer, batch and depth


@pytest.mark.fact("multi-layer-perceptron")
@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("setting", SAMPLE, ids=lambda s: "-".join(map(str, s.values())))
def test_gradients_by_hand_and_by_autograd_give_the_same_losses_step_by_step(setting, l2):
    p = Params(data="blobs", rate=0.05, epochs=40, noise=0.3, l2=l2, **setting)
    by_hand, by_torch = list(run(p)), list(run(p.model_copy(update={"engine": "torch"})))
    for a, b in zip(by_hand, by_torch, strict=True):
        assert a.loss == pytest.approx(b.loss, abs=1e-9) and a.test_loss == pytest.approx(b.test_loss, abs=1e-9)
        assert all(np.allclose(v, w, rtol=0, atol=1e-7) for v, w in zip(a.weights, b.weights, strict=True))
    assert len(by_hand) == 41 and by_hand[-1].loss < by_hand[0].loss - 0.005, "and it has learned something"


@pytest.mark.fact("multi-layer-perceptron")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_by_hand_are_those_of_central_differences(activation):
    rng = np.random.default_rng(3)
    layers = [2, 5, 4, 3, 1]
    weights = [rng.normal(size=(n, m)) for m, n in pairwise(layers)]
    biases = [rng.normal(size=n) for n in layers[1:]]
    x, y = rng.normal(size=(7, 2)), rng.integers(0, 2, 7).astype(float)

    def loss() -> float:
        return cross_entropy(forward(x, weights, biases, activation)[-1], y)

    dw, db = backward(forward(x, weights, biases, activation), y, weights, activation)
    for theta, gradient in zip([*weights, *biases], [*dw, *db], strict=True):
        for at in np.ndindex(theta.shape):
            value, h = theta[at], 1e-5
            theta[at] = value + h
            above = loss()
            theta[at] = value - h
            below = loss()
            theta[at] = value
            assert gradient[at] == pytest.approx((above - below) / (2 * h), abs=1e-8, rel=1e-6)


@pytest.mark.fact("multi-layer-perceptron")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_slope_is_the_derivative_of_its_activation(activation):
    f, slope = ACTIVATIONS[activation], SLOPES[activation]
    z = np.array([-3.0, -1.1, -0.2, 0.3, 1.7, 4.0])
    assert np.allclose(slope(f(z)), (f(z + 1e-6) - f(z - 1e-6)) / 2e-6, atol=1e-8)


@pytest.mark.fact("multi-layer-perceptron")
def test_the_loss_is_the_cross_entropy_even_where_a_naive_formula_overflows():
    z, y = np.array([[0.0], [3.0], [-2.0], [900.0], [-900.0]]), np.array([0.0, 1.0, 1.0, 1.0, 1.0])
    p = 1 / (1 + np.exp(-z[:3, 0]))
    naive = -(y[:3] * np.log(p) + (1 - y[:3]) * np.log(1 - p))
    assert cross_entropy(z, y) == pytest.approx((naive.sum() + 0 + 900) / 5)


@pytest.mark.fact("multi-layer-perceptron")
def test_its_page_separates_its_points_which_no_line_could():
    p = preset("multi-layer-perceptron")
    assert last(p).accuracy >= 0.99 and last(p).test_accuracy >= 0.95
    assert last(preset("multi-layer-perceptron", hidden=0)).accuracy < 0.8


def test_a_point_on_the_boundary_is_on_the_right_side_of_neither_class():
    assert right(np.zeros((4, 1)), np.array([0.0, 1, 0, 1])) == 0
    assert right(np.array([[1.0], [-1.0], [1.0], [-1.0]]), np.array([1.0, 0, 0, 1])) == 0.5


def test_the_penalty_keeps_weights_small():
    size = [sum((w**2).sum() for w in last(Params(epochs=100, l2=l2)).weights) for l2 in (0, 0.01, 0.1)]
    assert size[0] > 2 * size[1] > 4 * size[2]


@pytest.mark.parametrize("epochs", [10, 300, 301, 600, 601, 1000])
def test_a_long_run_keeps_every_second_or_third_epoch_and_the_last_one(epochs):
    p = Params(data="corners", hidden=1, epochs=epochs)
    steps = [state.step for state in run(p)]
    assert steps[0] == 0 and steps[-1] == epochs and len(steps) == p.length <= 301
    assert len({b - a for a, b in pairwise(steps[:-1])}) <= 1


# ---------------------------------------------------------------------------------------------------------- activation


@pytest.mark.fact("activation-function")
def test_five_linear_layers_are_one_matrix():
    rng = np.random.default_rng(0)
    layers = [2, 8, 8, 8, 8, 1]
    weights = [rng.normal(size=(n, m)) / math.sqrt(m) for m, n in pairwise(layers)]
    biases = [np.zeros(n) for n in layers[1:]]
    x = rng.normal(size=(100, 2))
    deep = forward(x, weights, biases, "identity")[-1]
    product = np.linalg.multi_dot(weights[::-1])
    assert np.abs(deep - x @ product.T).max() <= 1e-15 * np.abs(deep).max() * 2
    assert np.abs(forward(x, weights, biases, "tanh")[-1] - x @ product.T).max() > 0.01 * np.abs(deep).max()


@pytest.mark.fact("activation-function")
@pytest.mark.parametrize("hidden", [0, 2, 8])
def test_without_an_activation_the_loss_on_xor_goes_to_the_log_of_two(hidden):
    deep = {"hidden2": hidden, "hidden3": hidden}
    p = Params(data="corners", hidden=hidden, activation="identity", epochs=600, rate=0.03, **deep)
    losses = [state.loss for state in run(p)]
    assert losses[-1] == pytest.approx(LN2, abs=1e-6) and min(losses) >= LN2 - 1e-9


@pytest.mark.fact("activation-function")
def test_the_boundary_of_a_deep_net_without_activation_is_a_straight_line_at_every_step():
    p = preset("activation-function")
    assert p.activation == "identity" and len(p.layers) > 3
    states = list(run(p))
    assert max(bends(state, "identity") for state in states[:: len(states) // 10]) < 1e-12


@pytest.mark.fact("activation-function")
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_with_an_activation_the_same_net_bends_its_boundary_and_fits_no_worse(activation):
    p = preset("activation-function", activation=activation)
    assert bends(last(p), activation) > 0.05
    assert last(p).loss < last(preset("activation-function")).loss


# ------------------------------------------------------------------------------------------------------ what goes wrong


DIVERGING = {
    "a weight": dict(data="xor", noise=0.5, hidden=8, activation="identity", batch="10"),
    "the loss": dict(data="xor", noise=0.5, hidden=8, hidden2=8, hidden3=8, activation="identity"),
    "a weight ": dict(data="xor", noise=0.5, hidden=8, hidden2=8, activation="relu", batch="10", l2=0.3),
}


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize("quantity", DIVERGING)
def test_a_diverging_run_ends_with_a_note_that_names_epoch_quantity_and_cause(quantity, engine):
    p = Params(optimizer="SGD", rate=10, epochs=60, engine=engine, **DIVERGING[quantity])
    *before, end = run(p)
    said = re.fullmatch(
        r"Epoch (\d+): (a weight|the loss) is no longer .*: (the learning rate 10 is too large|η·λ = 3 is above 2).*\.",
        picture.note(p, [*before, end], len(before)),
    )
    assert said and int(said[1]) == end.step == before[-1].step + 1 < p.epochs
    assert engine == "torch" or said[2] == quantity.strip()
    assert ("η·λ" in said[3]) == (p.l2 > 0)
    for state in before:
        assert all(np.isfinite(value).all() for value in [state.loss, state.test_loss, *state.weights, *state.biases])


@pytest.mark.parametrize("quantity", DIVERGING)
def test_a_diverged_run_can_be_drawn_to_its_end(quantity):
    p = Params(optimizer="SGD", rate=10, epochs=60, **DIVERGING[quantity])
    states = list(run(p))
    film = Film(picture.note, picture.draw, p, p.length)
    film.extend(states, True)
    assert film.steps[-1] == len(states) - 1
    assert b"Infinity" not in film.message() and b"NaN" not in film.message()


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "momentum"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_largest_learning_rate_gives_a_run_or_a_divergence_and_never_a_warning(activation, optimizer):
    p = Params(
        activation=activation, optimizer=optimizer, rate=10, hidden=8, hidden2=8, batch="10", epochs=20, noise=0.5
    )
    *before, _ = run(p)
    assert all(math.isfinite(state.loss) for state in before)


def test_dead_relu_units_are_counted_in_the_note():
    p = Params(data="corners", activation="relu", hidden=3)
    x, y = plane("corners", 4, 0.0, np.random.default_rng(0))
    weights, biases = [np.ones((3, 2)), np.ones((1, 3))], [np.array([-100.0, -100.0, 1.0]), np.zeros(1)]
    state = State(5, 0.7, 0.7, 0.5, 0.5, 17, weights, biases, (x, y, x, y))
    assert "2 hidden units are 0 on every point and cannot learn" in picture.note(p, [state, state], 1)
    biases[0][1] = 1
    assert "1 hidden unit is 0 on every point and cannot learn" in picture.note(p, [state, state], 1)
    biases[0][0] = 1
    assert "cannot learn" not in picture.note(p, [state, state], 1)
    dw, _ = backward(forward(x, weights, [np.full(3, -100.0), np.zeros(1)], "relu"), y, weights, "relu")
    assert (dw[0] == 0).all(), "and their gradient is exactly 0"


def test_a_run_whose_units_all_die_says_so_and_stands_still():
    for seed in range(60):
        p = Params(data="corners", activation="relu", hidden=1, rate=10, optimizer="SGD", epochs=30, seed=seed)
        end = last(p)
        if "1 hidden unit is 0 on every point" in picture.note(p, [end, end], 1):
            assert end.accuracy <= 0.75
            return
    pytest.fail("no unit died in 60 runs at a learning rate of 10")


@pytest.mark.parametrize("name", ["xor", "circles", "moons", "spirals", "blobs", "corners"])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_both_classes_are_there_and_the_points_are_about_within_the_picture(name, noise):
    x, y = plane(name, 200, noise, np.random.default_rng(1))
    assert x.shape == (200, 2) and set(y) == {0.0, 1.0} and 0.4 < y.mean() < 0.6
    assert np.abs(plane(name, 200, 0.0, np.random.default_rng(1))[0]).max() < picture.SPAN
    with pytest.raises(ValueError, match="no data set called 'nothing'"):
        plane("nothing", 4, 0.0, np.random.default_rng(1))


def test_the_field_has_the_sign_of_the_output_and_the_right_orientation():
    weights, biases = [np.array([[0.0, 5.0]])], [np.zeros(1)]
    x, y = plane("corners", 4, 0.0, np.random.default_rng(0))
    state = State(0, 0.7, 0.7, 0.5, 0.5, 17, weights, biases, (x, y, x, y))
    field = picture.draw(Params(hidden=0), [state], 0).figure()["fields"][0]["z"]
    half = len(field) // 2
    assert (field[:half] < 0).all() and (field[half:] > 0).all(), "the first row is the lowest"
