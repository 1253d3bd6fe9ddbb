"""Gradient checking: how the error of a difference depends on ε, and what each kind of bug looks like."""

from functools import cache

import numpy as np
import pytest

from playgrounds.gradient_check.model import (
    BUGS,
    COUNT,
    LAMBDA,
    METHODS,
    NEAR,
    Params,
    State,
    gradient,
    loss,
    relative,
    run,
)
from playgrounds.gradient_check.picture import BUG, GOOD, note

SEEDS = range(4)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**{"shown": METHODS} | values)))


def told(**values) -> list[str]:
    """The notes of all states."""
    played = states(**values)
    return [note(Params(**values), played, now) for now in range(len(played))]


def errors(**values) -> tuple[np.ndarray, np.ndarray]:
    """ε of shape (states,) and the relative errors of all four methods, (states, 4)."""
    played = states(**values)
    return np.array([s.eps for s in played]), np.array([s.errors for s in played])


def order(eps: np.ndarray, error: np.ndarray) -> float:
    """The power of ε with which an error falls."""
    return float(np.polyfit(np.log(eps), np.log(error), 1)[0])


@pytest.mark.fact("gradient-checking")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_central_error_falls_as_eps_squared_and_the_forward_one_as_eps(seed):
    eps, error = errors(seed=seed)
    wide = (eps < 0.02) & (eps > 2e-4)
    assert order(eps[wide], error[wide, 0]) == pytest.approx(2, abs=0.05)
    assert order(eps[wide], error[wide, 1]) == pytest.approx(1, abs=0.05)


@pytest.mark.fact("gradient-checking")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_smaller_eps_is_not_always_better_the_best_lies_near_a_hundred_thousandth(seed):
    eps, error = errors(seed=seed)
    assert 1e-6 <= eps[error[:, 0].argmin()] <= 3e-5 and error[:, 0].min() < 1e-10
    assert error[-1, 0] > 1e5 * error[:, 0].min()
    tiny = (eps < 1e-7) & (eps > 1e-12)
    assert order(eps[tiny], error[tiny, 0]) == pytest.approx(-1, abs=0.15), "rounding grows as 1/ε"


@pytest.mark.fact("gradient-checking")
@pytest.mark.parametrize("seed", SEEDS)
def test_float32_needs_another_eps_and_is_a_hundred_thousand_times_worse_at_best(seed):
    eps, error = errors(seed=seed)
    assert error[np.isclose(eps, 1e-5), 2] > 1e-3, "at the ε that suits float64 it looks like trouble"
    assert error[:, 2].min() > 1e5 * error[:, 0].min() and eps[error[:, 2].argmin()] > 1e-3
    assert error[:, 3].min() > 1e-4, "forward, it never gets below"


@pytest.mark.fact("gradient-checking")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_doubled_gradient_has_a_relative_error_of_a_third_at_every_eps(seed):
    eps, error = errors(seed=seed, bug="factor 2")
    assert error[(eps < 1e-3) & (eps > 1e-11), 0] == pytest.approx(1 / 3, rel=1e-4)


@pytest.mark.fact("gradient-checking")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bug", ["sign", "factor 2", "missing term"])
def test_a_bug_turns_the_v_into_a_floor_that_no_eps_gets_under(bug, seed):
    assert min(s.smallest_error for s in states(seed=seed, bug=bug)) > BUG
    assert "a bug" in told(seed=seed, bug=bug)[-1]
    assert "good" in told(seed=seed)[-1]


@pytest.mark.fact("gradient-checking")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_kink_looks_like_a_bug_until_eps_is_smaller_than_the_distance_to_it(seed):
    eps, error = errors(seed=seed, bug="kink")
    across = eps * 4 > NEAR  # the weights' inputs are up to about 3
    assert error[eps > 5 * NEAR, 0].min() > BUG > GOOD > 1e-10 > error[~across, 0].min()


def test_the_gradient_without_a_bug_is_autograds():
    import torch

    for kinked in (False, True):
        rng = np.random.default_rng(3)
        x, y, theta = rng.normal(size=(8, 3)), rng.normal(size=8), rng.normal(size=COUNT)
        leaf = torch.tensor(theta, requires_grad=True)
        w1, b1, w2, b2 = leaf[:15].reshape(5, 3), leaf[15:20], leaf[20:25].reshape(1, 5), leaf[25:]
        z = torch.nn.functional.linear(torch.tensor(x), w1, b1)
        out = torch.nn.functional.linear(z.relu() if kinked else z.tanh(), w2, b2)[:, 0]
        value = torch.nn.functional.mse_loss(out, torch.tensor(y)) + LAMBDA / 2 * ((w1**2).sum() + (w2**2).sum())
        value.backward()
        assert float(loss(theta, x, y, kinked)) == pytest.approx(value.item(), abs=1e-12)
        assert gradient(theta, x, y, kinked, "none") == pytest.approx(leaf.grad.numpy(), abs=1e-12)


def test_a_mystery_is_one_of_the_bugs_decided_by_the_seed_and_told_only_on_demand():
    drawn = {Params(bug="mystery", seed=seed).planted for seed in range(40)}
    assert drawn == set(BUGS)
    p = Params(bug="mystery", seed=2)
    plain = list(run(Params(bug=p.planted, seed=2)))
    assert [s.relative_error for s in run(p)] == [s.relative_error for s in plain]
    assert "The bug was" not in told(bug="mystery", seed=2)[-1]
    assert told(bug="mystery", seed=2, reveal=True)[-1].endswith(f"The bug was: {p.planted}.")


def test_relative_errors_are_0_for_equal_a_third_for_double_and_1_for_opposite_gradients():
    g = np.array([1.0, -2, 3])
    assert (relative(g, g), relative(-g, g), relative(g * 0, g * 0)) == (0, 1, 0)
    assert relative(2 * g, g) == pytest.approx(1 / 3, abs=1e-15)


def test_the_note_says_when_rounding_begins_to_win():
    notes = list(zip(states(), told(), strict=True))
    falls = [s for s, said in notes if "it falls with ε²" in said]
    grows = [s for s, said in notes if "rounding wins" in said]
    assert len(falls) >= 10 and len(grows) >= 10
    assert min(s.eps for s in falls) > 3e-6 and max(s.eps for s in grows) < 1e-4
