"""Backpropagation through time: closed forms, autograd as the oracle, and what a cut misses."""

from functools import cache

import numpy as np
import pytest

from playgrounds.bptt.model import Params, State, net, run
from playgrounds.bptt.picture import PRESETS, note
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics

SEEDS = range(1, 6)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def verdict(**values) -> str:
    """The last note."""
    played = states(**values)
    return note(Params(**values), played, len(played) - 1)


# -------------------------------------------------------------------------------------------------------- closed forms


@pytest.mark.fact("bptt")
@pytest.mark.parametrize(("w", "expected"), [(0.9, 0.005154), (1.1, 117.39)])
def test_fifty_steps_of_a_scalar_linear_net_multiply_the_gradient_by_w_to_the_fiftieth(w, expected):
    assert last(w=w, T=50).gradient == pytest.approx(expected, rel=1e-4)
    assert last(w=w, T=50).gradient == pytest.approx(w**50, rel=1e-12)
    for k, state in enumerate(states(w=w, T=50)):
        assert state.gradient == pytest.approx(w**k, rel=1e-12), "one factor w a step"


@pytest.mark.fact("bptt")
@pytest.mark.parametrize("w", [0.5, 0.9, 1.0, 1.1, -1.2])
@pytest.mark.parametrize("steps", [2, 7, 50])
def test_the_gradient_of_the_shared_weight_is_t_times_w_to_the_t_minus_one(w, steps):
    state = last(w=w, T=steps)
    assert state.dw == pytest.approx(abs(steps * w ** (steps - 1)), rel=1e-12)
    assert np.allclose(state.shares, 1 / steps), "every time step adds the same: w^(T−t) from above times w^(t−1) below"


@pytest.mark.fact("bptt")
def test_the_note_writes_both_closed_forms_out():
    assert verdict(w=0.9).startswith("Back at h_0: ∂h_50/∂h_0 = 0.9 · 0.00573 = 0.00515 = w^50")
    assert "dL/dw = T·w^49 = 0.286" in verdict(w=0.9) and "vanished" in verdict(w=0.9)
    assert "exploded" in verdict(w=1.1) and "kept its size" in verdict(w=1.0)


# ------------------------------------------------------------------------------------------------------ torch's opinion


@pytest.mark.fact("bptt")
@pytest.mark.parametrize("activation", ["linear", "tanh"])
@pytest.mark.parametrize("units", [1, 6])
@pytest.mark.parametrize("inputs", ["only h₀", "every step"])
def test_it_is_ordinary_backpropagation_through_the_unrolled_net(activation, units, inputs):
    import torch

    p = Params(w=-0.95, T=12, activation=activation, units=units, inputs=inputs, seed=3)
    unit, h_0, x, u = (torch.tensor(part) for part in net(p))
    weight = (p.w * unit).requires_grad_()
    h = [h_0.clone().requires_grad_()]
    for t in range(1, p.T + 1):
        z = weight @ h[-1] + x[t]
        h.append(torch.tanh(z) if activation == "tanh" else z)
        h[-1].retain_grad()
    (u @ h[-1]).backward()
    played = list(run(p))
    for k, state in enumerate(played):
        assert state.gradient == pytest.approx(float(h[p.T - k].grad.norm()), rel=1e-9)
        assert np.allclose(state.back[k], h[p.T - k].grad.numpy())
    assert played[-1].dw == pytest.approx(float(weight.grad.norm()), rel=1e-9)
    assert played[-1].shares.sum() == pytest.approx(1)


@pytest.mark.fact("bptt")
@pytest.mark.parametrize("cut", [1, 4, 11])
def test_truncation_is_a_detached_state_as_torch_has_it(cut):
    import torch

    p = Params(w=0.9, T=12, units=4, inputs="every step", cut=cut, activation="tanh")
    unit, h, x, u = (torch.tensor(part) for part in net(p))
    weight = (p.w * unit).requires_grad_()
    for t in range(1, p.T + 1):
        h = torch.tanh(weight @ (h.detach() if t <= p.T - cut else h) + x[t])
        if t == p.T - cut:
            h = h.detach()
    (u @ h).backward()
    assert last(**p.model_dump()).dw == pytest.approx(float(weight.grad.norm()), rel=1e-9)


@pytest.mark.fact("bptt")
@pytest.mark.parametrize("cut", [1, 10, 49])
def test_a_cut_after_k_of_t_steps_misses_the_rest_of_the_gradient(cut):
    state = last(w=0.9, cut=cut)
    assert state.missed == pytest.approx(1 - cut / 50) and state.dw == pytest.approx(cut * 0.9**49)
    assert f"off by {100 - 2 * cut} %" in verdict(w=0.9, cut=cut)
    assert last(w=0.9).missed == last(w=0.9, cut=50).missed == last(w=0.9, cut=99).missed == 0


@pytest.mark.fact("bptt")
@pytest.mark.parametrize("seed", SEEDS)
def test_with_fresh_inputs_and_a_weight_below_one_the_near_past_is_nearly_all_of_the_gradient(seed):
    values = {"w": 0.6, "units": 32, "inputs": "every step", "seed": seed}
    assert last(cut=15, **values).missed < 0.05 < 0.5 < last(cut=1, **values).missed


# ------------------------------------------------------------------------------------- what decides vanish and explode


@pytest.mark.fact("exploding-gradient")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("w", [0.9, 1.0, 1.1])
def test_with_singular_values_w_a_linear_gradient_is_w_to_the_t_whatever_the_seed(seed, w):
    state = last(w=w, units=16, matrix="orthogonal", seed=seed)
    assert state.gradient == pytest.approx(w**50, rel=1e-9)


@pytest.mark.fact("exploding-gradient")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_spectral_radius_decides_in_the_long_run(seed):
    assert last(w=0.8, units=32, T=100, seed=seed).gradient < 1e-7
    assert last(w=1.2, units=32, T=100, seed=seed).gradient > 1e5


@pytest.mark.fact("exploding-gradient")
def test_saturated_tanh_lets_the_gradient_vanish_at_a_weight_of_two():
    linear, tanh = last(w=2.0).gradient, last(w=2.0, activation="tanh").gradient
    assert linear == pytest.approx(2.0**50) and tanh < 1e-20


def test_the_sweep_is_the_same_net_at_every_weight():
    played = states(w=1.1, T=20, activation="tanh", inputs="every step", units=5)
    for i in (0, 10, 37, len(played[0].rates) - 1):
        again = list(run(Params(w=float(played[0].rates[i]), T=20, activation="tanh", inputs="every step", units=5)))
        assert [s.sweep[i] for s in played] == pytest.approx([s.gradient for s in again])


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))
