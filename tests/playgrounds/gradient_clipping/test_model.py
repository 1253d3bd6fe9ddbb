"""Gradient clipping: torch as the oracle, what it holds back, and what it cannot do."""

from functools import cache

import numpy as np
import pytest

from playgrounds.gradient_clipping.model import HUGE, Params, State, clip, gradient_of, run
from playgrounds.gradient_clipping.picture import PRESETS, note
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics

CLIFF = {"w": 1.15}
ON_THE_WALL = np.array([1.14762, 0.02])  # where the gradient over 50 steps has a norm of 4.2e7


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def told(**values) -> list[str]:
    """The notes of all states."""
    played = states(**values)
    return [note(Params(**values), played, now) for now in range(len(played))]


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
    state = states(w=float(ON_THE_WALL[0]))[0]
    assert state.norm == pytest.approx(4.2e7, rel=0.01) and "keeps its direction" in told(w=float(ON_THE_WALL[0]))[0]


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
    assert played[1].plain_loss == HUGE and "diverged" in told(**CLIFF)[1]
    moves = np.hypot(*np.diff([s.theta[1] for s in played], axis=0).T)
    assert moves.max() <= 0.005 * (1 + 1e-9), "η·c is the longest step"
    assert abs(np.diff([s.theta[0] for s in played], axis=0)[0]).max() > 1e5, "the plain one is as long as its gradient"
    assert played[-1].loss < 0.05 < played[0].loss and played[-1].cosine > 1 - 1e-9
    assert abs(played[-1].theta[1, 0] - 1) < 0.01


@pytest.mark.fact("exploding-gradient")
@pytest.mark.parametrize("w", [0.3, 0.6, 0.8])
def test_clipping_does_not_cure_a_vanished_gradient(w):
    played = states(w=w, b=0.0)
    for state in played:
        assert state.norm < 0.01 and state.clipped_norm == state.norm, "it only makes long gradients shorter"
        assert np.array_equal(state.theta[0], state.theta[1])
    assert played[-1].loss == played[-1].plain_loss > 0.49
    notes = told(w=w, b=0.0)
    assert "cannot make it larger" in notes[0] and "both descents" in notes[-1]


@pytest.mark.fact("exploding-gradient")
def test_a_limit_above_the_gradient_is_no_limit_and_both_diverge():
    played = states(limit=1e9, **CLIFF)
    assert len(played) == 2 and played[-1].loss == played[-1].plain_loss == HUGE
    assert "diverged" in told(limit=1e9, **CLIFF)[-1]


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
    played = states()
    plain = np.array([s.plain_loss for s in played])
    climb = int((plain > 10).argmax())
    assert np.abs([s.theta[0] - s.theta[1] for s in played[:10]]).max() < 0.01 and (plain[:climb] < 0.6).all()
    assert played[climb].theta[0, 0] > 1.02 and np.hypot(*played[climb].g[0]) > 1000
    assert plain[climb + 1] == plain[-1] == HUGE and played[climb + 1].theta[0, 0] < -10
    assert played[-1].loss < 0.05


def test_a_plain_step_from_the_foot_is_thrown_onto_the_plateau_and_stays_there():
    state = last(w=0.95, rate=0.01)
    assert state.plain_loss > 0.49 and state.loss < 0.2
    assert state.theta[0, 0] < 0.7 and abs(state.theta[1, 0] - 1) < 0.02


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))
