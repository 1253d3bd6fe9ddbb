"""Weight decay: an L2 penalty and decoupled decay are the same under plain SGD, and under nothing else."""

import re

import numpy as np
import pytest

from playgrounds.kit.film import Film
from playgrounds.weight_decay.model import EPS, HUGE, N, Params, State, examples, run
from playgrounds.weight_decay.picture import draw
from playgrounds.weight_decay.words import NAMES, note

ALL = ("SGD", "momentum", "SGDW", "Adam", "AdamW")
PROPORTIONAL = ("SGD", "SGDW", "AdamW")
NOISY = {"data": "regression", "decay": 1.0, "rate": 0.005, "steps": 800, "ratio": 1.0}
FULL = NOISY | {"batch": N}  # no noise in the gradient


def paths(p: Params) -> dict[str, np.ndarray]:
    """The weights of every optimizer, (states, 3)."""
    w = np.array([state.w for state in run(p)])
    return {name: w[:, i] for i, name in enumerate(p.optimizers)}


def last(**knobs) -> State:
    *_, state = run(Params(**knobs))
    return state


def told(**knobs) -> str:
    """The note of the last state."""
    p = Params(**knobs)
    states = list(run(p))
    return note(p, states, len(states) - 1)


def shares(**knobs) -> dict[str, np.ndarray]:
    """What is left of each weight after the run, by optimizer."""
    p = Params(**knobs)
    return {name: w[-1] / p.start for name, w in paths(p).items()}


# -------------------------------------------------------------------------------------------------- no data gradient


@pytest.mark.fact("weight-decay")
@pytest.mark.parametrize("decay", [1e-4, 0.03, 1.0])
@pytest.mark.parametrize("name", PROPORTIONAL)
def test_without_a_data_gradient_sgd_and_decoupled_decay_multiply_a_weight_by_one_minus_eta_lambda(name, decay):
    p = Params(optimizers=(name,), decay=decay, rate=0.3, steps=200)
    t = np.arange(201)[:, None]
    assert np.allclose(paths(p)[name], p.start * (1 - 0.3 * decay) ** t, rtol=1e-12, atol=0)


@pytest.mark.fact("weight-decay")
@pytest.mark.parametrize("decay", [1e-4, 1e-3, 1e-2, 0.1, 1.0])
def test_the_first_step_of_adam_with_a_penalty_is_eta_whatever_lambda_is(decay):
    p = Params(optimizers=("Adam",), decay=decay, steps=10)
    moved = p.start - paths(p)["Adam"][1]
    assert np.allclose(moved, p.rate, rtol=3e-4), "up to Adam's epsilon"
    assert np.allclose(moved, p.rate * decay * p.start / (decay * p.start + EPS), rtol=1e-12)


@pytest.mark.fact("weight-decay")
def test_without_a_data_gradient_the_whole_path_of_adam_with_a_penalty_does_not_depend_on_lambda():
    weak, strong = (paths(Params(optimizers=("Adam",), decay=decay))["Adam"] for decay in (0.01, 10.0))
    assert np.abs(weak - strong).max() < 1e-5
    assert np.ptp(last(optimizers=("Adam",)).sweep[0]) < 1e-3, "from λ = 10⁻⁴ to 10"
    assert np.ptp(last(optimizers=("SGD",)).sweep[0]) > 1.9


@pytest.mark.fact("weight-decay")
def test_proportional_decay_keeps_the_ratios_of_weights_and_adam_with_a_penalty_does_not():
    end = shares(optimizers=ALL)
    for name in (*PROPORTIONAL, "momentum"):
        assert np.ptp(end[name]) < 1e-12
    assert end["Adam"][0] > 0.2 and np.abs(end["Adam"][1:]).max() < 0.02, "it has taken all of the small ones"
    assert last(optimizers=("SGD", "SGDW", "AdamW")).optimizers_differ_by < 1e-14
    assert last(optimizers=("Adam", "AdamW")).optimizers_differ_by > 0.25


@pytest.mark.fact("weight-decay")
def test_adam_with_a_penalty_overshoots_zero_and_decay_in_proportion_never_does():
    w = paths(Params(optimizers=("SGD", "Adam", "AdamW"), steps=300))
    assert w["Adam"][:, 2].min() < -0.02, "by more than a step of η"
    assert np.abs(w["Adam"][-1]).max() < 0.02, "but the swinging dies down"
    assert w["SGD"].min() > 0 and w["AdamW"].min() > 0


# ------------------------------------------------------------------------------------------------- penalty and decay


@pytest.mark.fact("weight-decay")
def test_penalty_and_decay_are_the_same_under_plain_sgd_with_data_too():
    w = paths(Params(**NOISY, optimizers=("SGD", "momentum", "SGDW"), beta=0.0))
    assert np.allclose(w["SGD"], w["SGDW"], rtol=0, atol=1e-12)
    assert np.allclose(w["SGD"], w["momentum"], rtol=0, atol=1e-12)


@pytest.mark.fact("weight-decay")
def test_with_momentum_the_penalty_shrinks_faster_than_the_decay_by_one_over_one_minus_beta():
    w = paths(Params(optimizers=("momentum", "SGDW"), rate=0.0002, steps=300))
    slopes = {name: np.log(path[300, 0] / path[200, 0]) / 100 for name, path in w.items()}
    assert slopes["SGDW"] == pytest.approx(-0.0001, rel=1e-3)
    assert slopes["momentum"] == pytest.approx(-0.0001 / (1 - 0.9), rel=0.02)


@pytest.mark.fact("weight-decay")
@pytest.mark.parametrize("seed", range(3))
def test_adam_with_a_penalty_spares_the_weight_with_large_gradients_and_adamw_decays_all_alike(seed):
    left = shares(**NOISY, optimizers=("Adam", "AdamW"), seed=seed)
    assert left["Adam"][0] > 0.8 and left["Adam"][2] < 0.15
    assert left["AdamW"].min() > 0.3 and left["AdamW"].max() < 0.55 and np.ptp(left["AdamW"]) < 0.12


@pytest.mark.fact("weight-decay")
@pytest.mark.parametrize("seed", range(3))
def test_one_click_from_the_defaults_to_data_shows_the_same(seed):
    left = shares(data="regression", optimizers=("Adam", "AdamW"), seed=seed)
    assert np.ptp(left["Adam"]) > 0.55 > 0.3 > np.ptp(left["AdamW"])


@pytest.mark.fact("weight-decay")
def test_the_gradient_scale_decides_what_adam_with_a_penalty_leaves_and_not_what_adamw_leaves():
    alike, apart = (shares(**NOISY, optimizers=("Adam", "AdamW"), scale=scale) for scale in (1.0, 30.0))
    assert np.ptp(alike["Adam"]) < 0.1 and np.ptp(apart["Adam"]) > 0.8
    assert np.ptp(alike["AdamW"]) < 0.1 and np.ptp(apart["AdamW"]) < 0.15


@pytest.mark.fact("weight-decay")
def test_with_all_examples_in_a_batch_the_penalty_ends_at_ridge_regression_under_sgd_and_under_adam():
    p = Params(**FULL | {"steps": 3000}, optimizers=("SGD", "momentum", "Adam"))
    (x, y), w = examples(p), paths(p)
    for k, c in enumerate(p.scales):
        row = np.sqrt(N * p.decay / c)  # ridge regression is least squares with one more example (row, 0)
        ridge = np.linalg.lstsq(np.append(x, row)[:, None], np.append(y[:, k], 0), rcond=None)[0][0]
        assert ridge == pytest.approx(c / (c + p.decay) * p.start[k], rel=1e-9)
        for name in p.optimizers:
            assert w[name][-1, k] == pytest.approx(ridge, rel=1e-4), name


@pytest.mark.fact("weight-decay")
def test_without_noise_adamw_ends_at_the_best_weights_cut_at_one_over_lambda():
    """Xie and Li 2024: full-batch AdamW minimizes the loss itself under |w| <= 1/λ."""
    knobs = FULL | {"optimizers": ("AdamW",), "ratio": 0.5, "steps": 2000, "beta2": 0.99}
    for decay, ends in {1.0: [1, 1, 0.5], 0.25: [2, 1, 0.5]}.items():  # of (2, 1, 0.5)
        assert np.allclose(last(**knobs | {"decay": decay}).w[0], ends, rtol=0.01), decay


@pytest.mark.fact("weight-decay")
def test_the_start_is_the_least_squares_fit_of_every_target():
    p = Params(data="regression", ratio=0.3, seed=5)
    x, y = examples(p)
    assert np.allclose(np.linalg.lstsq(x[:, None], y, rcond=None)[0][0], p.start, rtol=1e-12)
    assert np.allclose((y - np.outer(x, p.start)).std(axis=0), p.noise, rtol=0.02)
    assert (x * x).mean() == pytest.approx(1)


# ----------------------------------------------------------------------------------------------------------- oracles


@pytest.mark.fact("weight-decay")
@pytest.mark.parametrize("data", ["none", "regression"])
@pytest.mark.parametrize("name", ALL)
def test_every_path_is_that_of_torch_optim_and_autograd(name, data):
    import torch

    p = Params(data=data, optimizers=(name,), decay=0.7, rate=0.01, steps=200, beta=0.8, beta2=0.99, batch=7, seed=3)
    w = torch.tensor(p.start, requires_grad=True)
    make = {
        "SGD": lambda: torch.optim.SGD([w], lr=p.rate, weight_decay=p.decay),
        "momentum": lambda: torch.optim.SGD([w], lr=p.rate, weight_decay=p.decay, momentum=p.beta),
        "SGDW": lambda: torch.optim.SGD([w], lr=p.rate, momentum=p.beta),
        "Adam": lambda: torch.optim.Adam([w], lr=p.rate, weight_decay=p.decay, betas=(p.beta, p.beta2)),
        "AdamW": lambda: torch.optim.AdamW([w], lr=p.rate, weight_decay=p.decay, betas=(p.beta, p.beta2)),
    }
    optimizer = make[name]()
    x, y = map(torch.from_numpy, examples(p))
    c, rng = torch.from_numpy(p.scales), np.random.default_rng([p.seed, 1])
    path = [p.start]
    for _ in range(p.steps):
        batch = rng.permutation(N)[: p.batch]
        optimizer.zero_grad()
        (c / 2 * ((x[batch, None] * w - y[batch]) ** 2).mean(dim=0)).sum().backward()
        if name == "SGDW":
            with torch.no_grad():
                w.mul_(1 - p.rate * p.decay)
        optimizer.step()
        path.append(w.detach().numpy().copy())
    assert np.allclose(paths(p)[name], path, rtol=0, atol=1e-12)


@pytest.mark.parametrize("data", ["none", "regression"])
def test_the_sweep_shows_what_a_run_at_that_lambda_gives(data):
    state = last(data=data, optimizers=ALL, steps=40)
    own = list(state.lambdas).index(0.5)
    assert np.array_equal(state.sweep[:, own], state.w[:, 0])
    other = last(data=data, optimizers=ALL, steps=40, decay=state.lambdas[30])
    assert np.allclose(state.sweep[:, 30], other.w[:, 0], rtol=1e-12)


# ---------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.fact("weight-decay")
@pytest.mark.parametrize("name", PROPORTIONAL)
def test_decay_diverges_once_eta_lambda_is_above_two(name):
    assert np.abs(last(optimizers=(name,), decay=1.0, rate=1.99).w).max() < 2
    knobs = {"optimizers": (name,), "decay": 1.0, "rate": 2.5}
    assert re.search(r"Step \d+: .* has diverged, w₁ = .*10⁹, as .* Lower η|Keep ηλ under 2", told(**knobs))
    assert last(**knobs).step < 100 and np.abs(last(**knobs).w).max() > HUGE


@pytest.mark.fact("weight-decay")
def test_momentum_bears_eta_lambda_up_to_two_times_one_plus_beta():
    assert np.abs(last(optimizers=("momentum",), decay=1.0, rate=3.7, steps=300).w).max() < 2
    end = told(optimizers=("momentum",), decay=1.0, rate=3.9, steps=3000)
    assert "ηλ = 3.9 is above 2(1 + β) = 3.8" in end


@pytest.mark.fact("weight-decay")
def test_adam_with_a_penalty_does_not_diverge_at_any_rate_and_adamw_does():
    assert np.abs(last(optimizers=("Adam",), decay=10.0, rate=10.0, steps=300).w).max() < 10
    assert "1 − ηλ = −99 is below −1" in told(optimizers=("AdamW",), decay=10.0, rate=10.0)


@pytest.mark.parametrize(
    ("name", "rate", "said"),
    [
        ("SGD", 0.3, r"η\(c \+ λ\) = 3\.15 is above 2\. Lower η\."),
        ("momentum", 0.3, r"η\(c \+ λ\) = 3\.15 is too large for batches of 10\. Lower η\."),
        ("SGDW", 1.0, r"η · c = 10 is too large for batches of 10\. Lower η\."),
    ],
)
def test_a_diverging_fit_of_the_data_is_blamed_on_the_rate(name, rate, said):
    assert re.search(said, told(data="regression", optimizers=(name,), rate=rate, steps=300))


def test_a_diverged_run_can_be_drawn_to_its_end():
    p = Params(rate=5)
    states = list(run(p))
    assert told(rate=5).endswith("Lower η or λ. So has AdamW.") and "as ηλ = 2.5 is above 2" in told(rate=5)
    film = Film(note, draw, p, p.length)
    film.extend(states, True)
    assert film.steps[-1] == len(states) - 1 < p.steps
    assert b"Infinity" not in film.message() and b"NaN" not in film.message()


# -------------------------------------------------------------------------------------------------- notes and metrics


def test_the_note_writes_a_step_out_in_numbers_that_are_right():
    for name, pattern in {
        "SGD": r"w₁ = (?P<old>[\d.]+) − (?P<eta>[\d.]+) · (?P<a>[\d.]+) · (?P<b>[\d.]+) = (?P<new>[\d.]+)\.",
        "Adam": r"w₁ = (?P<old>[\d.]+) − (?P<eta>[\d.]+) · (?P<a>[\d.]+) = (?P<new>[\d.]+) ",
    }.items():
        state = last(optimizers=(name,), steps=20)
        said = re.search(pattern, told(optimizers=(name,), steps=20)).groupdict("1")
        step = float(said["eta"]) * float(said["a"]) * float(said.get("b", 1))
        assert float(said["old"]) - step == pytest.approx(float(said["new"]), abs=0.01)
        assert float(said["new"]) == pytest.approx(state.w[0, 0], abs=0.005)


def test_the_metrics_are_those_of_the_first_optimizer():
    *_, before, state = run(Params(optimizers=("Adam", "AdamW"), steps=20))
    start = Params().start
    assert state.share_left == pytest.approx(np.abs(state.w[0] / start).mean())
    assert state.uneven == pytest.approx(np.ptp(state.w[0] / start))
    assert state.largest_step == pytest.approx(np.abs(state.w[0] - before.w[0]).max())
    assert state.optimizers_differ_by == pytest.approx(np.abs(state.w[0] - state.w[1]).max())
    assert state.data_gradient == 0 < last(data="regression", steps=20).data_gradient


@pytest.mark.parametrize("now", [0, 1, 60, 100])
def test_the_names_of_the_weights_stand_apart_and_inside_their_panel(now):
    p = Params(optimizers=("Adam",))
    fig = draw(p, list(run(p)), now).figure()
    suffix = next(panel["suffix"] for panel in fig["panels"] if panel["name"] == "Adam")
    low, high = fig["layout"][f"yaxis{suffix}"]["range"]
    heights = [note["y"] for note in fig["layout"]["annotations"] if note["text"] in NAMES]
    assert len(heights) == 3 and min(-np.diff(heights)) >= 0.1 * (high - low)
    assert low < heights[2] and heights[0] < high


def told_of(now: int, **knobs) -> str:
    p = Params(**knobs)
    return note(p, list(run(p)), now)


def test_a_step_is_told_with_as_many_digits_as_its_change_needs():
    assert "w₁ = 2 − 1·10⁻⁴ · 0.5 · 2 = 1.9999." in told_of(1, optimizers=("SGD",), rate=0.0001, steps=10)
    assert "w₁ = (1 − 1·10⁻⁴ · 0.5) · 2 − 1·10⁻⁴ · 0 = 1.9999." in told_of(
        1, optimizers=("AdamW",), rate=0.0001, steps=10
    )


def test_the_bars_are_what_every_optimizer_has_left_of_each_weight():
    p = Params()
    states = list(run(p))
    for now in (0, 40):
        shapes = draw(p, states, now).figure()["layout"]["shapes"]
        bars = [s["y1"] for s in shapes if s["xref"] == "x" and s["type"] == "rect" and "fillcolor" in s]
        assert bars == pytest.approx((states[now].w / p.start).ravel(), abs=1e-4)
