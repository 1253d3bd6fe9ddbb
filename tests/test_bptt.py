"""Backpropagation through time: closed forms, autograd as the oracle, what a cut misses, and what clipping can do."""

from functools import cache

import numpy as np
import pytest

from playgrounds.bptt import HUGE, PRESETS, RIBBON, Params, State, clip, draw, gradient_of, net, run
from playgrounds.kit.conditions import reached
from playgrounds.kit.film import metrics

CLIFF = {"view": "cliff", "w": 1.15}
ON_THE_WALL = np.array([1.14762, 0.02])  # where the gradient over 50 steps has a norm of 4.2e7
SEEDS = range(1, 6)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


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
    assert states(w=0.9)[-1].note.startswith("Back at h_0: ∂h_50/∂h_0 = 0.9 · 0.00573 = 0.00515 = w^50")
    assert "dL/dw = T·w^49 = 0.286" in last(w=0.9).note and "vanished" in last(w=0.9).note
    assert "exploded" in last(w=1.1).note and "kept its size" in last(w=1.0).note


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
    assert f"off by {100 - 2 * cut} %" in state.note
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


# ----------------------------------------------------------------------------------------------------------- the cliff


@pytest.mark.parametrize("activation", ["linear", "tanh"])
@pytest.mark.parametrize("start", [(0.9, 0.1), (1.1, -0.05), (-0.7, 0.02)])
def test_the_gradient_at_the_cliff_is_the_one_of_torch(activation, start):
    import torch

    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    first = h = torch.tensor([1.0, -1.0], dtype=torch.float64)
    for _ in range(30):
        h = theta[0] * h + theta[1]
        h = torch.tanh(h) if activation == "tanh" else h
    loss = ((h - first) ** 2).mean() / 2
    loss.backward()
    losses, g = gradient_of(np.array([start]), 30, activation)
    assert losses[0] == pytest.approx(loss.item(), rel=1e-12)
    assert np.allclose(g[0], theta.grad.numpy(), rtol=1e-9)


@pytest.mark.fact("exploding-gradient")
def test_clipping_makes_a_norm_of_42_million_one_and_the_cosine_stays_one():
    _, (g,) = gradient_of(ON_THE_WALL[None], 50, "linear")
    clipped = clip(g, 1.0, "norm")
    assert np.hypot(*g) == pytest.approx(4.2e7, rel=0.01)
    assert np.hypot(*clipped) == pytest.approx(1.000, abs=5e-4)
    assert g @ clipped / np.hypot(*g) / np.hypot(*clipped) == pytest.approx(1, abs=1e-12)
    state = states(view="cliff", w=float(ON_THE_WALL[0]))[0]
    assert state.norm == pytest.approx(4.2e7, rel=0.01) and "keeps its direction" in state.note


@pytest.mark.fact("exploding-gradient")
@pytest.mark.parametrize("limit", [0.01, 1.0, 50.0, 1e9])
@pytest.mark.parametrize("size", [1e-9, 0.3, 30.0, 4.2e7])
def test_it_clips_as_torch_does(limit, size):
    import torch

    g = size * np.array([0.8, -0.6])
    for how in ("norm", "value"):
        weight = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
        weight.grad = torch.tensor(g)
        if how == "norm":
            torch.nn.utils.clip_grad_norm_([weight], limit)
        else:
            torch.nn.utils.clip_grad_value_([weight], limit)
        assert np.allclose(clip(g, limit, how), weight.grad.numpy(), rtol=1e-12, atol=0)


@pytest.mark.fact("exploding-gradient")
def test_one_plain_step_from_the_wall_is_thrown_off_and_the_clipped_one_walks_down_to_the_foot():
    played = states(**CLIFF)
    assert played[1].plain_loss == HUGE and "diverged" in played[1].note
    moves = np.hypot(*np.diff([s.theta[1] for s in played], axis=0).T)
    assert moves.max() <= 0.005 * (1 + 1e-9), "η·c is the longest step"
    assert abs(np.diff([s.theta[0] for s in played], axis=0)[0]).max() > 1e5, "the plain one is as long as its gradient"
    assert played[-1].loss < 0.05 < played[0].loss and played[-1].cosine > 1 - 1e-9
    assert abs(played[-1].theta[1, 0] - 1) < 0.01


@pytest.mark.fact("exploding-gradient")
@pytest.mark.parametrize("w", [0.3, 0.6, 0.8])
def test_clipping_does_not_cure_a_vanished_gradient(w):
    played = states(view="cliff", w=w, b=0.0)
    for state in played:
        assert state.norm < 0.01 and state.clipped_norm == state.norm, "it only makes long gradients shorter"
        assert np.array_equal(state.theta[0], state.theta[1])
    assert played[-1].loss == played[-1].plain_loss > 0.49
    assert "cannot make it larger" in played[0].note and "both descents" in played[-1].note


@pytest.mark.fact("exploding-gradient")
def test_a_limit_above_the_gradient_is_no_limit_and_both_diverge():
    played = states(limit=1e9, **CLIFF)
    assert len(played) == 2 and played[-1].loss == played[-1].plain_loss == HUGE and "diverged" in played[-1].note


@pytest.mark.fact("exploding-gradient")
def test_clipping_by_value_turns_the_step():
    assert last(how="value", **CLIFF).cosine < 0.75
    assert last(how="norm", **CLIFF).cosine > 1 - 1e-9


@pytest.mark.fact("exploding-gradient")
def test_a_small_limit_slows_the_steps():
    near = [abs(last(limit=limit, **CLIFF).theta[1, 0] - 1) for limit in (0.1, 1.0)]
    assert near[0] > 0.1 > 0.01 > near[1]


@pytest.mark.fact("exploding-gradient")
def test_both_walk_the_plateau_together_until_the_plain_one_runs_up_the_cliff_and_is_thrown_off():
    played = states(view="cliff")
    plain = np.array([s.plain_loss for s in played])
    climb = int((plain > 10).argmax())
    assert np.abs([s.theta[0] - s.theta[1] for s in played[:10]]).max() < 0.01 and (plain[:climb] < 0.6).all()
    assert played[climb].theta[0, 0] > 1.02 and np.hypot(*played[climb].g[0]) > 1000
    assert plain[climb + 1] == plain[-1] == HUGE and played[climb + 1].theta[0, 0] < -10
    assert played[-1].loss < 0.05


def test_a_plain_step_from_the_foot_is_thrown_onto_the_plateau_and_stays_there():
    state = last(view="cliff", w=0.95, rate=0.01)
    assert state.plain_loss > 0.49 and state.loss < 0.2
    assert state.theta[0, 0] < 0.7 and abs(state.theta[1, 0] - 1) < 0.02


# ------------------------------------------------------------------------------------------------ presets, the picture


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))


def test_the_ribbon_ends_at_the_cut_and_is_as_thick_as_the_gradient():
    p = Params(w=0.9, T=20, cut=5)
    played = list(run(p))
    for now, reach in ((3, 17), (12, 15), (20, 15)):
        path = draw(p, played, now)["layout"]["shapes"][0]["path"]
        corners = np.array([point.split(",") for point in path.strip("MZ").split("L")], float)
        assert corners[:, 0].min() == reach and corners[:, 0].max() == 20
        assert corners[:, 1].max() == pytest.approx(RIBBON)
        half = corners[corners[:, 0] == reach, 1].max()
        assert half == pytest.approx(RIBBON * 0.9 ** (20 - reach), rel=1e-3)


def test_a_thrown_step_points_the_way_it_was_thrown():
    p = Params(**CLIFF)
    played = states(**CLIFF)
    thrown = draw(p, played, 1)["layout"]["shapes"][1]["path"]
    (x, y), (far_x, far_y) = np.array([point.split(",") for point in thrown.strip("M").split("L")], float)
    way = -played[0].g[0] / np.hypot(*played[0].g[0])
    drawn = np.array([far_x - x, far_y - y]) / np.hypot(far_x - x, far_y - y)
    assert drawn @ way > 0.999
