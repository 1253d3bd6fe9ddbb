"""Activations and their slopes, how a neuron learns through them and dies, and what ten layers leave of a gradient."""

import math

import numpy as np
import pytest

from playgrounds.activation.model import ACTIVATIONS, HUGE, MIDDLE, TILT, Params, State, X, random_net, run

FAR = np.concatenate([np.linspace(-12, 12, 801), [-100.0, -40.0, 40.0, 100.0]])
CROSSING = 1.6628860772  # root of σ(x)(1 − σ(x)) = 1 − tanh²(x), by bisection in 50 digits
SIGMOID = dict(activation="sigmoid", versus="none", bias=5, steps=100)
RACE = dict(activation="tanh", versus="sigmoid")
DEAD = dict(activation="ReLU", versus="none", bias=-3, rate=1, steps=100)


def f(name: str, z, leak: float = 0.1) -> np.ndarray:
    return ACTIVATIONS[name][0](np.asarray(z, float), leak)


def slope(name: str, z, leak: float = 0.1) -> np.ndarray:
    return ACTIVATIONS[name][1](np.asarray(z, float), leak)


def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def in_torch(name: str, leak: float = 0.1):
    """The oracle of an activation, on tensors."""
    import torch

    table = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "ReLU": torch.relu, "ELU": torch.nn.functional.elu,
             "GELU": torch.nn.functional.gelu,
             "leaky ReLU": lambda z: torch.nn.functional.leaky_relu(z, leak)}  # fmt: skip
    return table[name]


# ----------------------------------------------------------------------------------------------- functions and slopes


@pytest.mark.fact("activation-function")
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_and_its_slope_are_those_of_torch(name):
    import torch

    z = torch.tensor(np.append(FAR, 0.0), requires_grad=True)
    out = in_torch(name)(z)
    out.sum().backward()
    assert np.abs(f(name, z.detach()) - out.detach().numpy()).max() < 1e-12
    assert np.abs(slope(name, z.detach()) - z.grad.numpy()).max() < 1e-12


@pytest.mark.fact("activation-function")
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "ELU"])
def test_far_out_a_slope_is_tiny_and_yet_not_zero(name):
    expected = {"sigmoid": math.exp(-100), "tanh": 4 * math.exp(-200), "ELU": math.exp(-100)}[name]
    assert slope(name, -100) == pytest.approx(expected, rel=1e-9)


@pytest.mark.fact("sigmoid")
def test_the_sigmoid_has_values_between_0_and_1_and_its_largest_slope_a_quarter_only_at_0():
    assert slope("sigmoid", 0) == 0.25 and f("sigmoid", 0) == 0.5
    elsewhere = FAR[np.abs(FAR) > 1e-6]
    assert (slope("sigmoid", elsewhere) < 0.25).all()
    assert ((f("sigmoid", np.linspace(-30, 30, 61)) > 0) & (f("sigmoid", np.linspace(-30, 30, 61)) < 1)).all()


@pytest.mark.fact("sigmoid")
def test_at_5_the_sigmoid_is_almost_flat():
    first = states(**SIGMOID)[0]
    assert first.z[0, MIDDLE] == 5 and first.slopes[0, MIDDLE] == pytest.approx(0.0066, abs=5e-5)


@pytest.mark.fact("sigmoid")
def test_ten_sigmoid_slopes_multiply_to_less_than_a_millionth_wherever_the_neuron_stands():
    best = last(activation="sigmoid", versus="none", bias=0, weight=0, target=0.5, rate=0.01, steps=10)
    assert best.ten_slopes == pytest.approx(0.25**10, rel=1e-3) and pytest.approx(9.5e-7, rel=0.01) == 0.25**10
    for bias in (-6, -1, 0, 2, 9):
        assert all(0 < s.ten_slopes <= 0.25**10 for s in states(activation="sigmoid", bias=bias, rate=1))


@pytest.mark.fact("sigmoid")
def test_a_sigmoid_in_saturation_barely_moves_and_near_0_it_learns():
    far, near = states(**SIGMOID), states(**SIGMOID | {"bias": 1})
    assert far[-1].loss > 0.95 * far[0].loss and abs(far[-1].b[0] - 5) < 0.2
    assert near[-1].loss < 0.05 * near[0].loss
    assert far[-1].ten_slopes < 1e-20


@pytest.mark.fact("sigmoid")
def test_a_larger_rate_gets_it_out_of_saturation():
    assert last(**SIGMOID, rate=5).loss < 0.001 < 0.12 < last(**SIGMOID, rate=1).loss


@pytest.mark.fact("tanh")
def test_tanh_is_a_stretched_and_shifted_sigmoid_with_slope_1_at_0():
    assert np.abs(f("tanh", FAR) - (2 * f("sigmoid", 2 * FAR) - 1)).max() < 1e-15
    assert slope("tanh", 0) == 1 and slope("tanh", FAR[np.abs(FAR) > 1e-6]).max() < 1
    assert np.allclose(f("tanh", -FAR), -f("tanh", FAR), rtol=0, atol=0), "zero-centred"


@pytest.mark.fact("tanh")
def test_the_slope_of_tanh_is_the_larger_one_only_inside_1_663():
    tanh_ahead = slope("tanh", FAR) > slope("sigmoid", FAR)
    assert (tanh_ahead == (np.abs(FAR) < CROSSING)).all()


@pytest.mark.fact("tanh")
def test_from_one_start_with_one_loss_tanh_learns_where_the_sigmoid_crawls():
    run_ = states(**RACE)
    assert run_[0].losses[0] == pytest.approx(run_[0].losses[1], rel=0.15)
    reached = [next(s.step for s in run_ if s.losses[i] < 0.01) for i in (0, 1)]
    assert 3 * reached[0] < reached[1]
    assert run_[-1].losses[1] > 20 * run_[-1].losses[0] and run_[-1].lead > 0


@pytest.mark.fact("tanh")
def test_beyond_the_crossing_the_sigmoid_learns_and_tanh_stands():
    run_ = states(**RACE, bias=4, rate=1, steps=100)
    assert run_[0].slopes[0].max() < run_[0].slopes[1].min(), "tanh is the flatter one on all examples"
    assert run_[-1].losses[0] > 0.98 * run_[0].losses[0] and run_[-1].losses[1] < 0.4 * run_[0].losses[1]
    assert run_[-1].lead < -0.08


@pytest.mark.fact("tanh")
def test_far_out_both_stall():
    run_ = states(**RACE, bias=8, steps=300)
    assert (run_[-1].losses > 0.995 * run_[0].losses).all()


@pytest.mark.fact("relu")
def test_relu_is_the_larger_of_0_and_z_with_slope_1_and_0_and_by_convention_0_at_0():
    assert (f("ReLU", FAR) == np.maximum(0, FAR)).all()
    assert (slope("ReLU", [1e-300, 3, 1e6]) == 1).all() and (slope("ReLU", [-1e-300, -3, 0.0]) == 0).all()
    assert (slope("leaky ReLU", [-1e6, -3, -1e-300], 0.01) == 0.01).all()


@pytest.mark.fact("relu")
def test_one_step_that_is_too_large_pushes_a_relu_to_minus_100_where_its_gradient_is_exactly_0_for_ever():
    start, *dead = states(activation="ReLU", versus="none", bias=3, rate=41.2, steps=3000)
    assert start.gradient > 2 and dead[0].b[0] == pytest.approx(-100)
    for s in dead:
        assert s.gradient == s.mean_slope == s.ten_slopes == 0
        assert (s.w, s.b, s.loss) == (dead[0].w, dead[0].b, dead[0].loss), "not in the last bit"


@pytest.mark.fact("relu")
@pytest.mark.parametrize("rate", [0.01, 1, 100])
def test_a_dead_relu_does_not_recover_with_more_training_or_another_rate(rate):
    end = last(**DEAD | {"steps": 3000, "rate": rate})
    assert end.b[0] == -3 and end.gradient == 0 and end.loss == pytest.approx(0.135)


@pytest.mark.fact("relu")
def test_a_leaky_relu_comes_back_from_where_the_relu_is_dead():
    end = last(**DEAD | {"versus": "leaky ReLU"})
    assert end.losses[0] == pytest.approx(0.135) and end.losses[1] < 1e-10
    assert end.b == pytest.approx([-3, 0.5]) and end.w == pytest.approx([0.5, TILT])


@pytest.mark.fact("relu")
@pytest.mark.parametrize("leak", [0.05, 0.1, 0.3])
def test_the_same_dead_neuron_comes_back_once_it_is_made_leaky(leak):
    run_ = states(**DEAD | {"steps": 300}, rescue=100, leak=leak)
    assert all(s.names == ("ReLU",) and s.b[0] == -3 for s in run_[:100])
    assert run_[100].names == ("leaky ReLU",) and run_[100].gradient > 0
    assert run_[-1].loss < 1e-10
    back = [next(s.step for s in states(**DEAD | {"steps": 900}, rescue=10, leak=a) if s.b[0] > 0) for a in (leak, 0.5)]
    assert back[0] > back[1], "the smaller the leak, the longer it takes"


@pytest.mark.fact("relu")
def test_one_active_example_is_enough_to_keep_a_relu_alive():
    alive, dead = (states(**DEAD | {"bias": -0.8, "weight": weight}) for weight in (1.0, 0.7))
    assert (alive[0].slopes > 0).sum() == 1 and alive[-1].loss < 1e-10
    assert (dead[0].slopes > 0).sum() == 0 and dead[-1].loss == dead[0].loss


@pytest.mark.fact("relu")
def test_a_rate_of_1_trains_and_a_rate_of_3_kills_the_same_relu():
    good, bad = (states(**DEAD | {"bias": 3, "rate": rate}) for rate in (1, 3))
    assert good[-1].loss < 1e-20
    assert bad[1].b[0] == pytest.approx(-4.5) and bad[-1].b[0] == bad[1].b[0] and bad[-1].gradient == 0


# ------------------------------------------------------------------------------------------------------- the random net


@pytest.mark.fact("vanishing-gradient")
@pytest.mark.parametrize("seed", range(5))
def test_of_a_gradient_ten_xavier_layers_leave_a_third_with_tanh_and_less_than_a_millionth_with_sigmoid(seed):
    s = last(**RACE, seed=seed, steps=10)
    assert 0.2 < s.nets[0, -1] == s.net_gradient < 0.4  # 0.27; 0.39 over nine layers, between first and last hidden
    assert 1e-7 < s.nets[1, -1] < 1e-6  # 4.8e-7
    assert (np.diff(s.nets) < 0).all(), "and it shrinks at every layer"


@pytest.mark.fact("sigmoid")
def test_xavier_or_not_a_sigmoid_net_loses_its_gradient_by_its_slopes_alone():
    for seed in range(3):
        assert random_net("sigmoid", 0.1, 0.1, seed).gradient[-1] < 1.1 * 0.25**10
    sizes = [random_net("sigmoid", 0.1, gain / 10, 0).gradient[-1] for gain in (0.5, 1, 4)]
    assert sizes[0] < sizes[1] < sizes[2] < 0.1


@pytest.mark.fact("relu")
def test_half_of_the_units_are_active_at_the_start():
    for seed in range(5):
        assert random_net("ReLU", 0.1, 0.1, seed).active == pytest.approx(0.5, abs=0.06)


@pytest.mark.fact("relu")
def test_gradients_vanish_and_explode_with_relu_by_the_weights():
    kept = {g: last(activation="ReLU", gain=g, steps=10).net_gradient for g in (0.5, 1.0, 1.4, 3.0)}
    assert kept[0.5] < 1e-4 < kept[1.0] < 0.1 and 0.5 < kept[1.4] < 1.5 and kept[3.0] > 1000


@pytest.mark.fact("relu")
def test_twenty_relu_layers_grow_or_shrink_the_signal_by_the_scale_of_their_weights():
    grown, shrunk = (random_net("ReLU", 0.1, sd, 0, depth=20, width=512, n=16).signal for sd in (0.1, 0.01))
    assert 2e7 < grown[-1] / grown[0] < 1e9  # mean square; (0.1² · 512 / 2)²⁰ = 1.2·10⁸ in expectation
    assert 2e-33 < shrunk[-1] / shrunk[0] < 1e-31
    assert (grown[-1] / grown[0]) / (shrunk[-1] / shrunk[0]) == pytest.approx(1e40), "as ReLU is homogeneous"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradients_of_the_random_net_are_those_of_autograd(name):
    import torch

    depth, width, n = 4, 12, 5
    flow = random_net(name, 0.1, 0.4, 7, depth, width, n)
    rng = np.random.default_rng(7)
    values = [torch.tensor(rng.normal(size=(n, width)), requires_grad=True)]
    for _ in range(depth):
        values.append(in_torch(name)(values[-1] @ torch.tensor(0.4 * rng.normal(size=(width, width))).T))
        values[-1].retain_grad()
    back = torch.tensor(rng.normal(size=(n, width)))
    (values[-1] * back).sum().backward()
    sizes = [float(v.grad.norm()) for v in reversed(values)]
    assert flow.gradient == pytest.approx(np.array(sizes) / sizes[0], rel=1e-12)
    assert flow.signal == pytest.approx([float((v.detach() ** 2).mean()) for v in values], rel=1e-12)


# ----------------------------------------------------------------------------------------------------------- the neuron


@pytest.mark.fact("gradient-descent")
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_neuron_learns_as_with_autograd_and_sgd_of_torch(name):
    import torch

    p = Params(activation=name, versus="none", bias=-0.7, weight=1.3, rate=0.4, target=0.6, steps=30)
    w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (p.weight, p.bias))
    sgd, x = torch.optim.SGD([w, b], lr=p.rate), torch.tensor(X)
    for s in run(p):
        loss = ((in_torch(name)(w * x + b) - (p.target + TILT * x)) ** 2).mean() / 2
        assert s.loss == pytest.approx(loss.item(), abs=1e-12) and s.b[0] == pytest.approx(b.item(), abs=1e-11)
        sgd.zero_grad()
        loss.backward()
        assert s.gradient == pytest.approx(math.hypot(w.grad, b.grad), abs=1e-11)
        sgd.step()


def test_two_neurons_of_a_run_do_what_each_does_alone():
    both = states(activation="GELU", versus="ELU", bias=-1)
    for i, name in enumerate(("GELU", "ELU")):
        alone = states(activation=name, versus="none", bias=-1)
        assert [s.losses[i] for s in both] == [s.loss for s in alone]
    assert both[-1].lead == both[-1].losses[1] - both[-1].losses[0]
    assert last(activation="ELU", versus="ELU").names == ("ELU",)


def test_a_leaky_neuron_with_too_large_a_rate_diverges_and_its_run_ends_there():
    *before, end = states(activation="leaky ReLU", versus="ReLU", leak=1, rate=100)
    assert end.step == before[-1].step + 1 < 60 and np.isfinite(before[-1].losses).all()
    assert (
        max(np.abs(end.w).max(), np.abs(end.b).max())
        > HUGE
        > max(np.abs(before[-1].w).max(), np.abs(before[-1].b).max())
    )
    assert last(activation="leaky ReLU", leak=1, rate=1.9, steps=1000).loss < 1e-6, "and below 2 it does not"


def test_a_state_knows_the_one_a_step_earlier_even_where_a_long_run_leaves_it_out():
    first, *rest = states(steps=3000)
    assert first.before is None and all(s.before.step == s.step - 1 and s.before.before is None for s in rest)
    assert rest[0].step == 10


@pytest.mark.parametrize("bias", [-10, 10])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_largest_rate_gives_a_run_or_a_divergence_and_never_a_warning(name, bias):
    for leak in (0.001, 1):
        p = Params(activation=name, bias=bias, rate=100, weight=5, target=-2, gain=4, leak=leak, steps=300)
        *before, _ = run(p)
        assert all(math.isfinite(s.loss) for s in before)
