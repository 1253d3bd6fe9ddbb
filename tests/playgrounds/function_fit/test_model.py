"""One hidden layer on a curve: what exists by construction, what training finds, what x² cannot do, and the counts."""

from functools import cache

import numpy as np
import pytest

from playgrounds.function_fit.model import (
    GRID,
    TARGETS,
    TRAIN,
    WIDTHS,
    Params,
    backward,
    best_parabola,
    construct,
    constructed_error,
    dense,
    first,
    forward,
    run,
    shares,
)
from playgrounds.function_fit.picture import draw, note
from playgrounds.kit.palette import INK

ACTIVATIONS = ["relu", "tanh", "sigmoid", "x^2"]
UNIVERSAL = ["relu", "tanh", "sigmoid"]


@cache
def states(p: Params) -> list:
    return list(filter(None, run(p)))


def last(**knobs):
    return states(Params(**knobs))[-1]


def told(p: Params) -> str:
    """The last note."""
    return note(p, states(p), len(states(p)) - 1)


def outputs(p: Params, state, u) -> np.ndarray:
    return shares(state.net, p.activation, u).sum(axis=0) + state.net.c


def torch_net(theta, units: int, activation: str):
    """Linear(1, units), the activation, Linear(units, 1), with the weights of one net."""
    import torch

    class Square(torch.nn.Module):
        def forward(self, z):
            return z**2

    f = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid, "x^2": Square}[activation]()
    net = torch.nn.Sequential(torch.nn.Linear(1, units), f, torch.nn.Linear(units, 1)).double()
    w, b, v, c = (torch.from_numpy(t.copy()) for t in theta)
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (w[:, None], b, v[None], c), strict=True):
            parameter.copy_(value)
    return net


# ---------------------------------------------------------------------------------------- what a net of a width can do


@pytest.mark.fact("universal-approximation-theorem")
@pytest.mark.parametrize(("pieces", "error"), [(16, 0.0188), (64, 0.0012)])
def test_a_relu_net_that_interpolates_the_sine_misses_it_by_no_more_than_piece_squared_over_eight(pieces, error):
    assert last(units=pieces, steps=10).constructed_error == pytest.approx(error, abs=5e-5)
    assert last(units=pieces, steps=10).constructed_error <= (2 * np.pi / pieces) ** 2 / 8


@pytest.mark.fact("universal-approximation-theorem")
@pytest.mark.parametrize("name", ["sine", "bump", "wiggles"])
def test_the_bound_of_the_interpolant_holds_at_every_width_and_falls_with_its_square(name):
    target, errors = TARGETS[name], [constructed_error(name, h) for h in range(1, 65)]
    for h, error in enumerate(errors, start=1):
        assert error <= target.curvature * ((target.high - target.low) / h) ** 2 / 8 + 1e-12
    assert errors[31] / errors[63] == pytest.approx(4, rel=0.15), "twice the units, a quarter of the error"


@pytest.mark.parametrize("name", ["sine", "bump", "wiggles"])
def test_the_bound_uses_the_largest_second_derivative_of_the_curve(name):
    target = TARGETS[name]
    x = np.linspace(target.low, target.high, 20001)
    h = x[1] - x[0]
    assert np.abs(np.diff(target.f(x), 2) / h**2).max() == pytest.approx(target.curvature, rel=1e-4)


@pytest.mark.fact("universal-approximation-theorem")
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("units", [1, 2, 7, 64])
def test_the_net_built_by_hand_is_the_straight_line_between_points_of_the_curve(name, units):
    knots, target = np.linspace(-1, 1, units + 1), TARGETS[name]
    net = construct(target, units)
    output = forward(GRID, net, [units], "relu")[-1][0]
    assert np.allclose(output, np.interp(GRID, knots, target(knots)), atol=1e-12)
    assert [len(t) for t in net] == [units, units, units, 1], "and it has as many parameters as the trained one"


@pytest.mark.fact("universal-approximation-theorem")
def test_two_relu_units_are_the_absolute_value_exactly():
    assert constructed_error("|x|", 2) == 0 and constructed_error("|x|", 1) == 1
    assert last(target="|x|", units=2, steps=10).constructed_error == 0


# ------------------------------------------------------------------------------------------------------- what x² cannot


def minimax(u: np.ndarray, y: np.ndarray) -> float:
    """The smallest worst error of a parabola as a linear programme."""
    from scipy.optimize import linprog

    powers, ones = u[:, None] ** (0, 1, 2), np.ones((len(u), 1))
    above, below = np.hstack([powers, -ones]), np.hstack([-powers, -ones])
    free = [(None, None)] * 4
    return linprog([0, 0, 0, 1], np.vstack([above, below]), np.concatenate([y, -y]), bounds=free).fun


@pytest.mark.fact("universal-approximation-theorem")
def test_the_best_parabola_misses_the_absolute_value_by_an_eighth():
    assert best_parabola(GRID, np.abs(GRID)) == pytest.approx(1 / 8, abs=1e-12)
    assert np.abs(GRID**2 + 1 / 8 - np.abs(GRID)).max() == pytest.approx(1 / 8, abs=1e-12), "x² + 1/8 is one that does"


@pytest.mark.parametrize("name", TARGETS)
def test_the_exchange_finds_what_a_linear_programme_finds(name):
    f = TARGETS[name](GRID)
    assert best_parabola(GRID, f) == pytest.approx(minimax(GRID, f), abs=1e-7)
    assert last(target=name, steps=10).best_parabola == best_parabola(GRID, f)


def test_a_curve_that_is_a_parabola_has_a_best_parabola_without_error():
    assert best_parabola(GRID, 3 * GRID**2 - GRID + 2) == pytest.approx(0, abs=1e-10)


@pytest.mark.fact("universal-approximation-theorem")
@pytest.mark.parametrize("rate", [0.03, 0.3])
def test_nets_of_x_squared_never_get_below_an_eighth_at_any_width_at_any_step(rate):
    p = Params(target="|x|", activation="x^2", units=48, rate=rate, steps=300)
    errors = np.array([state.errors for state in states(p)])
    assert len(p.widths) == 8 and errors.min() >= 1 / 8 - 1e-9
    assert errors[-1].min() < 0.2, "though they are trained to their end"


@pytest.mark.fact("universal-approximation-theorem")
@pytest.mark.parametrize("units", [1, 3, 64])
def test_any_number_of_x_squared_units_add_up_to_one_parabola(units):
    p = Params(target="wiggles", activation="x^2", units=units, steps=100)
    for state in states(p)[::40]:
        third = np.diff(outputs(p, state, np.linspace(-1, 1, 41)), 3)
        assert np.abs(third).max() < 1e-12 * max(1, np.abs(state.net.v).sum() * 100)
    bent = Params(target="wiggles", activation="tanh", units=units, steps=100)
    assert np.abs(np.diff(outputs(bent, states(bent)[-1], np.linspace(-1, 1, 41)), 3)).max() > 1e-4


@pytest.mark.fact("universal-approximation-theorem")
@pytest.mark.parametrize("activation", UNIVERSAL)
def test_units_that_are_no_polynomial_go_below_the_eighth_with_the_same_number_of_parameters(activation):
    for seed in range(2):
        assert last(target="|x|", activation=activation, units=16, seed=seed).worst_error < 0.12
        assert last(target="|x|", activation="x^2", units=16, seed=seed).worst_error > 0.18


# -------------------------------------------------------------------------------------------------- what training finds


@pytest.mark.fact("universal-approximation-theorem")
def test_more_units_shrink_the_worst_error_and_with_x_squared_they_do_not():
    seeds = range(4)
    relu = np.median([last(seed=seed).errors for seed in seeds], axis=0)
    square = last(activation="x^2").errors
    wide = WIDTHS.index(4)
    assert (np.diff(relu[wide:]) < 0).all() and relu[-1] < relu[wide] / 10
    assert np.ptp(square[wide:]) < 0.01 and square[wide:].min() > 0.68


@pytest.mark.fact("universal-approximation-theorem")
def test_the_theorem_says_that_a_net_exists_and_training_finds_one_four_times_worse():
    for seed in range(4):
        assert 4 * constructed_error("sine", 64) < last(seed=seed).errors[WIDTHS.index(64)] < 0.03
    p = Params(units=64, beyond=True)
    assert states(p)[-1].worst_error > 4 * states(p)[-1].constructed_error
    assert "exists, training has not found it" in told(p)


@pytest.mark.fact("universal-approximation-theorem")
@pytest.mark.parametrize("activation", UNIVERSAL)
def test_no_net_gets_below_half_a_jump_though_its_mean_error_falls(activation):
    run_of = states(Params(target="step", activation=activation, units=64))
    assert min(state.errors.min() for state in run_of) >= 0.5 - 1e-6
    assert run_of[-1].mean_error < run_of[0].mean_error / 5 and run_of[-1].mean_error < 0.05


@pytest.mark.fact("universal-approximation-theorem")
def test_outside_the_interval_nothing_is_promised():
    p = Params(units=64, beyond=True)
    state, outside = states(p)[-1], np.array([1.25, -1.25])
    assert np.abs(outputs(p, state, outside) - TARGETS["sine"](outside)).max() > 10 * state.worst_error


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_by_hand_are_those_of_autograd(activation):
    import torch

    widths, y = [1, 3, 16], np.sin(3 * TRAIN)
    theta = first(widths, 2.0, 5)
    gradients = backward(TRAIN, y, theta, widths, activation)
    start = 0
    for net, units in enumerate(widths):
        own = slice(start, start + units)
        module = torch_net([*(t[own] for t in theta[:3]), theta[3][[net]]], units, activation)
        output = module(torch.from_numpy(TRAIN)[:, None])[:, 0]
        torch.nn.functional.mse_loss(output, torch.from_numpy(y)).backward()
        by_hand = [*(g[own] for g in gradients[:3]), gradients[3][[net]]]
        for parameter, gradient in zip(module.parameters(), by_hand, strict=True):
            assert np.allclose(parameter.grad.numpy().ravel(), gradient, rtol=0, atol=1e-9)
        start += units


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_run_is_the_run_of_torch_with_adam(activation):
    import torch

    p = Params(units=5, activation=activation, steps=60, noise=0.1, rate=0.05)
    run_of = states(p)
    begin = run_of[0]
    net = torch_net(begin.net, 5, activation)
    adam = torch.optim.Adam(net.parameters(), lr=p.rate)
    u, y = torch.from_numpy(TRAIN)[:, None], torch.from_numpy(begin.y)[:, None]
    for state in run_of:
        loss = torch.nn.functional.mse_loss(net(u), y)
        assert state.loss == pytest.approx(loss.item(), abs=1e-8)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert len(run_of) == 61 and run_of[-1].loss < run_of[0].loss / 2


def test_a_net_trains_the_same_whichever_nets_stand_beside_it():
    errors = {units: dict(zip(Params(units=units).widths, last(units=units, steps=50).errors)) for units in (5, 16)}
    assert errors[5][16] == pytest.approx(errors[16][16], abs=1e-9)
    assert last(units=5, steps=50).worst_error == errors[5][5] != errors[5][4]


def test_the_worst_error_is_the_largest_distance_and_stands_where_it_says():
    p = Params(steps=50)
    for state in states(p)[::10]:
        distance = np.abs(outputs(p, state, GRID) - np.sin(np.pi * (GRID + 1)))
        assert state.worst_error == pytest.approx(distance.max()) and state.mean_error == pytest.approx(distance.mean())
        assert np.pi * (GRID[distance.argmax()] + 1) == pytest.approx(state.worst_at)


# ----------------------------------------------------------------------------------------------------------- parameters


@pytest.mark.fact("parameter")
def test_a_dense_layer_from_784_to_128_has_100480_parameters():
    import torch

    layer = torch.nn.Linear(784, 128)
    assert dense(784, 128) == sum(t.numel() for t in layer.parameters()) == 100_480


@pytest.mark.fact("parameter")
@pytest.mark.parametrize("units", [1, 3, 16, 64])
def test_a_net_of_one_input_h_units_and_one_output_has_3h_plus_1_parameters(units):
    state = last(units=units, steps=10)
    module = torch_net(state.net, units, "tanh")
    assert state.parameters == 3 * units + 1 == sum(t.numel() for t in module.parameters())
    assert state.parameters == sum(t.size for t in state.net), "and they are the numbers that the run holds"
    assert f"{state.parameters} parameters" in told(Params(units=units, steps=10))


@pytest.mark.fact("parameter")
def test_every_parameter_is_changed_by_training_and_no_hyperparameter_changes_their_number():
    p = Params(units=6, activation="tanh", steps=100)
    before, after = states(p)[0], states(p)[-1]
    for a, b in zip(before.net, after.net, strict=True):
        assert (np.abs(a - b) > 1e-4).all()
    for other in ({"rate": 0.001}, {"steps": 10}, {"activation": "relu"}, {"target": "step"}, {"seed": 7}):
        assert last(**{"units": 6, "steps": 20} | other).parameters == before.parameters == 19


@pytest.mark.fact("parameter")
def test_the_chips_list_every_parameter_of_a_small_net_and_they_move_while_the_hyperparameters_stand_still():
    p = Params(units=3, steps=100)
    run_of = states(p)
    rows = [draw(p, run_of, i).figure()["chips"] for i in (0, len(run_of) - 1)]
    assert len(rows[0][0]["texts"]) == 10 and rows[0][0]["title"].startswith("10 parameters")
    assert sum(a != b for a, b in zip(rows[0][0]["texts"], rows[1][0]["texts"], strict=True)) >= 8
    assert rows[0][1] == rows[1][1] and rows[0][1]["texts"] == ["3", "relu", "0.03", "100"]


@pytest.mark.fact("parameter")
def test_with_more_parameters_the_net_fits_what_it_could_not_fit_with_fewer():
    for seed in range(4):
        two, sixteen = last(seed=seed).errors[[WIDTHS.index(2), WIDTHS.index(16)]]  # 7 and 49 parameters
        assert two > 0.6 and sixteen < 0.1


@pytest.mark.fact("parameter")
def test_193_parameters_of_x_squared_units_fit_no_better_than_13():
    few, many = (last(target="|x|", activation="x^2", units=units, steps=300) for units in (4, 64))
    assert (few.parameters, many.parameters) == (13, 193)
    assert many.worst_error == pytest.approx(few.worst_error, rel=0.02)


# ---------------------------------------------------------------------------------------------------------- the picture


def test_the_note_of_x_squared_units_multiplies_out_their_parabola():
    p = Params(target="|x|", activation="x^2", units=16)
    assert "0.93·x² + 0·x + 0.189; even the best parabola misses by 0.125." in told(p)


def test_the_dots_of_the_widths_stand_at_their_errors_and_the_chosen_one_is_ink():
    p = Params(units=5, steps=20)
    run_of = states(p)
    dots = [s for s in draw(p, run_of, 20).figure()["layout"]["shapes"] if s.get("xsizemode") == "pixel"]
    at = [(s["xanchor"], s["yanchor"]) for s in dots]
    assert np.allclose(at, list(zip(p.widths, run_of[20].errors, strict=True)), rtol=1e-3)
    assert [s["fillcolor"] == INK for s in dots] == [h == 5 for h in p.widths]


def test_the_units_shares_and_c_sum_to_the_output():
    p = Params(activation="sigmoid", units=7, steps=10)
    state = states(p)[-1]
    whole = forward(TRAIN, state.net, [7], "sigmoid")[-1][0]
    assert np.allclose(outputs(p, state, TRAIN), whole) and shares(state.net, p.activation, TRAIN).shape == (
        7,
        len(TRAIN),
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_largest_rate_and_first_weights_stay_finite(activation):
    run_of = states(Params(activation=activation, rate=1.0, gain=16.0, steps=300, noise=0.5, units=63))
    assert np.isfinite([state.errors for state in run_of]).all() and len(run_of) == 151
