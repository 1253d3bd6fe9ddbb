"""The descent playground against torch.optim, against closed forms, and the facts of the terms that it serves."""

import re
import warnings

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from playgrounds import _surfaces
from playgrounds.descent.model import FASTEST, SLOWEST, Params, descend, run
from playgrounds.descent.picture import draw, note
from playgrounds.descent.words import limit

OPTIMIZERS = Params.knobs()["optimizers"].choices
SURFACES = Params.knobs()["surface"].choices
SCHEDULES = Params.knobs()["schedule"].choices
RATES = {"bowl": 0.3, "valley": 0.008, "rosenbrock": 0.0005, "saddle": 0.1, "ripples": 0.05}  # none diverges
MILLIONTH = {"x": 1, "y": 1, "condition": 100}  # the start and the valley in which steps to 1e-6 are counted


def states(**values):
    return list(filter(None, run(Params(**values))))


def notes(**values):
    found = states(**values)
    return [note(Params(**values), found, now) for now in range(len(found))]


def path(found, optimizer=0):
    """Weights at every step, (steps + 1, weights)."""
    return np.concatenate([state.path[:, optimizer] for state in found])


def steps_to_a_millionth(name, rate, **values):
    (at,) = states(optimizers=(name,), rate=rate, **MILLIONTH | values)[-1].arrived
    return at and at[0]


# ---------------------------------------------------------------------------------------------------------- the oracle


def torch_loss(p, w):
    """The surfaces once more, for autograd."""
    if p.surface == "bowl":
        value = (w**2).sum() / 2
    elif p.surface == "valley":
        value = (w**2 * torch.tensor([1.0, p.condition], dtype=w.dtype)).sum() / 2
    elif p.surface == "rosenbrock":
        value = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    elif p.surface == "saddle":
        u, v = (w[0] - w[1]) / 2**0.5, (w[0] + w[1]) / 2**0.5
        value = u**2 / 2 + (v**2 - 1) ** 2 / 4
    else:
        value = (w**2 / 4 + (1 - torch.cos(5 * w)) / 5).sum()
    return 10.0**p.scale * value


def torch_walk(p, name):
    """The path, the losses and the rates of torch.optim and its schedulers, told the loss after every step."""
    w = torch.tensor(p.start, dtype=torch.float64, requires_grad=True)
    settings = {"lr": p.rate, "weight_decay": p.decay}
    optimizer = {
        "GD": lambda: torch.optim.SGD([w], **settings),
        "momentum": lambda: torch.optim.SGD([w], momentum=p.beta, **settings),
        "Nesterov": lambda: torch.optim.SGD([w], momentum=p.beta, nesterov=True, **settings),
        "RMSProp": lambda: torch.optim.RMSprop([w], alpha=p.alpha, **settings),
        "Adam": lambda: torch.optim.Adam([w], betas=(p.beta, p.beta2), **settings),
        "AdamW": lambda: torch.optim.AdamW([w], betas=(p.beta, p.beta2), **settings),
    }[name]()
    schedule = {
        "constant": lambda: lr_scheduler.LambdaLR(optimizer, lambda _: 1.0),
        "step": lambda: lr_scheduler.StepLR(optimizer, p.every, p.factor),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, p.steps),
        "plateau": lambda: lr_scheduler.ReduceLROnPlateau(optimizer, factor=p.factor, patience=p.patience),
    }[p.schedule]()
    rng = np.random.default_rng(p.seed)
    walked, losses, etas = [w.detach().numpy().copy()], [torch_loss(p, w).item()], []
    for _ in range(p.steps):
        etas.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        torch_loss(p, w).backward()
        if p.noise:
            w.grad += torch.from_numpy(10.0**p.scale * p.noise * rng.normal(size=len(p.start)))
        optimizer.step()
        walked.append(w.detach().numpy().copy())
        losses.append(torch_loss(p, w).item())
        schedule.step(*([losses[-1]] if p.schedule == "plateau" else []))
    return np.array(walked), np.array(losses), np.array(etas)


def assert_is_torch(p):
    found = list(filter(None, run(p)))
    assert len(found) == p.steps + 1
    for i, name in enumerate(p.optimizers):
        walked, losses, etas = torch_walk(p, name)
        np.testing.assert_allclose(path(found, i), walked, rtol=1e-12, atol=1e-12, err_msg=name)
        np.testing.assert_allclose([s.losses[i] for s in found], losses, rtol=1e-12, atol=1e-12, err_msg=name)
        np.testing.assert_allclose([s.etas[i] for s in found[1:]], etas, rtol=1e-12, atol=1e-12, err_msg=name)
    return found


@pytest.mark.fact("optimizer")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_path_is_that_of_torch_on_every_surface_with_every_schedule(surface, schedule):
    found = assert_is_torch(
        Params(
            surface=surface,
            schedule=schedule,
            rate=RATES[surface],
            optimizers=OPTIMIZERS,
            steps=50,
            every=17,
            patience=3,
            factor=0.3,
        )
    )
    changed = {i for s in found for i, eta in enumerate(s.etas) if eta != RATES[surface]}
    if schedule != "plateau":
        assert len(changed) == (0 if schedule == "constant" else len(OPTIMIZERS))
    elif surface == "ripples":
        assert changed, "in a local minimum the loss stalls"


@pytest.mark.parametrize(
    "values",
    [
        {"decay": 0.3},
        {"noise": 1, "scale": 1, "seed": 7},
        {"scale": -5},
        {"surface": "ripples", "rate": 0.05, "schedule": "plateau", "patience": 0},  # until the cuts are too small
    ],
)
def test_every_path_is_that_of_torch_with_weight_decay_with_noise_and_with_a_scaled_loss(values):
    assert_is_torch(Params(**{"optimizers": OPTIMIZERS, "rate": 0.0005, "steps": 80} | values))


def test_a_plateau_schedule_cuts_a_rate_that_diverges_and_the_run_comes_back():
    values = {"surface": "bowl", "optimizers": ("GD",), "rate": 2.1, "steps": 60}
    found = assert_is_torch(Params(schedule="plateau", **values))
    assert max(s.loss for s in found) > 2 * found[0].loss > 1e6 * found[-1].loss
    cut = next(s for s in found if s.step and s.eta < 2.1)
    told = notes(schedule="plateau", **values)
    assert told[cut.step].endswith("The rate is now 0.21, as its loss stalled.")
    assert states(**values)[-1].loss > found[0].loss


def test_adamw_without_decay_is_adam():
    found = states(optimizers=("Adam", "AdamW"), rate=0.05)
    np.testing.assert_array_equal(path(found, 0), path(found, 1))


# ------------------------------------------------------------------------------------------------------------ the sweep


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_sweep_at_any_rate_is_where_a_run_at_that_rate_ends(schedule):
    values = {"optimizers": OPTIMIZERS, "steps": 50, "schedule": schedule, "every": 20, "patience": 2}
    swept = states(rate=0.01, **values)[-1]
    for i in (0, 30, 60, 70):
        alone = states(rate=swept.rates[i], **values)[-1]
        assert alone.losses == pytest.approx(swept.sweep[:, i], rel=1e-12), swept.rates[i]
    for name, losses in zip(OPTIMIZERS, swept.sweep, strict=True):
        p = Params(rate=swept.rates[40], **values)
        *_, end = descend(p, name, p.rate)
        assert losses[40] == pytest.approx(end.loss, rel=1e-12), "one rate and many rates are the same code"


def test_the_sweep_covers_the_slider_and_contains_its_place():
    knob = Params.knobs()["rate"]
    for rate in (knob.lo, 0.0123, knob.hi):
        end = states(rate=rate, steps=5)[-1]
        assert end.rates[0] == knob.lo and end.rates[-1] == knob.hi and (np.diff(end.rates) > 0).all()
        assert [end.rates[i] for i in end.own] == [rate] * 3
        assert [end.sweep[n, i] for n, i in enumerate(end.own)] == list(end.losses)


def test_the_sweep_goes_to_the_last_step_although_the_path_diverges_before():
    values = {"optimizers": ("GD", "momentum"), "steps": 100}
    short, whole = states(rate=3, **values), states(rate=0.01, **values)
    assert len(short) < 101 == len(whole)
    assert short[-1].sweep[:, 0] == pytest.approx(whole[-1].sweep[:, 0], rel=1e-12)


def test_each_at_its_own_best_rate_ends_at_the_lowest_point_of_its_sweep():
    end = states(optimizers=OPTIMIZERS, steps=60, tuned=True)[-1]
    assert end.losses == pytest.approx(end.sweep.min(axis=1), rel=1e-12)
    assert len(set(end.own)) > 2, "what is best for one is not for another"


# ------------------------------------------------------------------------------------------------- facts: the bowl


@pytest.mark.fact("gradient-descent")
@pytest.mark.parametrize("rate", [0.01, 0.5, 1, 1.8, 2, 2.1])
def test_each_step_on_a_bowl_multiplies_the_distance_by_1_minus_eta_lambda(rate):
    for scale in (0, 1, -2):  # λ is 10^scale
        if SLOWEST <= rate / 10**scale <= FASTEST:
            w = path(states(surface="bowl", optimizers=("GD",), rate=rate / 10**scale, scale=scale, steps=50))[:, 0]
            assert w == pytest.approx(-1.5 * (1 - rate) ** np.arange(51.0), rel=1e-12, abs=1e-15)


@pytest.mark.fact("gradient-descent")
def test_a_rate_of_1_over_the_curvature_lands_in_one_step():
    start, landed, *_ = states(surface="bowl", optimizers=("GD",), rate=1, steps=3)
    assert start.distance_left == 1 and landed.loss == landed.distance_left == 0


@pytest.mark.fact("gradient-descent")
def test_a_rate_of_2_over_the_curvature_oscillates_for_ever():
    found = states(surface="bowl", optimizers=("GD",), rate=2, steps=300)
    assert path(found)[:, 0].tolist() == [-1.5, 1.5] * 150 + [-1.5]


@pytest.mark.fact("gradient-descent")
def test_a_rate_of_2_1_over_the_curvature_is_117_times_as_far_after_50_steps():
    assert states(surface="bowl", optimizers=("GD",), rate=2.1, steps=50)[-1].distance_left == pytest.approx(
        117.39, abs=0.01
    )


# --------------------------------------------------------------------------------------------- facts: the learning rate


@pytest.mark.fact("learning-rate")
@pytest.mark.parametrize("condition", [10, 100, 1000])
def test_descent_converges_below_2_over_lambda_max_and_diverges_above(condition):
    end = states(optimizers=("GD",), condition=condition, rate=2 / condition, steps=3000)[-1]
    _, bound = limit(Params(condition=condition), "GD")
    assert bound == pytest.approx(2 / condition, rel=1e-6)
    start = (1.5**2 + condition * 1.4**2) / 2
    steep = condition * 1.4**2 / 2  # what is left where w₂ oscillates for ever
    assert (end.sweep[0, end.rates < 2 / condition * 0.999] < steep).all()
    assert end.losses[0] == pytest.approx(steep, rel=1e-6)
    assert (end.sweep[0, end.rates > 2 / condition * 1.001] > 10 * start).all()


@pytest.mark.fact("learning-rate")
def test_just_below_the_threshold_the_steep_weight_shrinks_and_just_above_it_grows():
    for factor in (1 - 1e-9, 1 + 1e-9):
        w = path(states(optimizers=("GD",), rate=0.02 * factor, steps=1))
        assert (abs(w[1, 1]) < abs(w[0, 1])) == (factor < 1)


@pytest.mark.fact("learning-rate")
def test_too_small_a_rate_crawls():
    end = states(optimizers=("GD",), condition=10, rate=0.0001, steps=100)[-1]
    assert end.distance_left > 0.9
    assert end.sweep[0].min() < 1e-6 * end.sweep[0, 0]


@pytest.mark.fact("learning-rate")
def test_a_schedule_lowers_the_rate_by_plan_or_when_the_loss_stalls():
    def etas(schedule, **more):
        found = states(optimizers=("GD",), surface="ripples", rate=0.05, steps=60, schedule=schedule, **more)
        return np.array([s.eta for s in found[1:]])

    assert set(etas("constant")) == {0.05}
    assert etas("step", every=20)[[0, 19, 20, 39, 40]] == pytest.approx([0.05, 0.05, 0.005, 0.005, 0.0005])
    assert etas("cosine")[[0, 30]] == pytest.approx([0.05, 0.025]) and etas("cosine")[-1] < 1e-4
    found = etas("plateau", patience=5)
    assert found[0] == 0.05 > found[-1]


# ----------------------------------------------------------------------------------- facts: momentum and the optimizers


@pytest.mark.fact("momentum")
@pytest.mark.fact("optimizer")
def test_momentum_needs_93_steps_where_descent_needs_691():
    """At the best rates for curvatures 1 to 100: 2/101, and 4/(10 + 1)² with β = ((10 - 1)/(10 + 1))²."""
    assert steps_to_a_millionth("GD", 2 / 101, steps=700) == 691
    assert steps_to_a_millionth("momentum", 4 / 121, beta=(9 / 11) ** 2, steps=100) == 93


@pytest.mark.fact("momentum")
def test_a_beta_of_099_is_worse_than_none():
    values = {"optimizers": ("momentum",), "rate": 4 / 121, "beta": 0.99, "steps": 3000} | MILLIONTH
    assert states(**values)[-1].arrived[0][0] == 2436 > 691
    assert notes(**values)[-1].endswith("Within a millionth of the starting distance: since step 2436.")


@pytest.mark.fact("momentum")
def test_the_effective_step_of_momentum_is_eta_over_1_minus_beta():
    flat = {"surface": "bowl", "scale": -4, "rate": 0.1, "steps": 90}  # the gradient hardly changes
    plain, heavy = (np.diff(path(states(optimizers=(name,), **flat))[:, 0])[-1] for name in ("GD", "momentum"))
    assert heavy / plain == pytest.approx(1 / (1 - 0.9), rel=0.01)


@pytest.mark.fact("momentum")
def test_momentum_damps_the_zigzag_across_the_valley():
    found = states(optimizers=("GD", "momentum"), rate=0.019, beta=0.67, steps=30)
    across = np.abs(np.stack([path(found, i)[-5:, 1] for i in (0, 1)])).max(axis=1)
    along = np.abs(np.stack([path(found, i)[-1, 0] for i in (0, 1)]))
    assert across[1] < 0.5 * across[0] and along[1] < 0.5 * along[0]


@pytest.mark.parametrize(("name", "factor"), [("momentum", 2 * 1.9), ("Nesterov", 2 * 1.9 / 2.8)])
def test_momentum_has_a_threshold_of_its_own(name, factor):
    formula, bound = limit(Params(), name)
    assert bound == pytest.approx(factor / 100, rel=1e-6) and "β" in formula
    for rate, grows in ((0.99 * bound, False), (1.01 * bound, True)):
        end = states(optimizers=(name,), rate=rate, steps=2000)[-1]
        assert (end.loss > 1) == grows


@pytest.mark.fact("adam")
@pytest.mark.parametrize("scale", range(-4, 5))
def test_the_first_step_of_adam_is_the_rate_for_gradients_from_1e_4_to_1e4(scale):
    w = path(states(surface="bowl", optimizers=("Adam",), x=-1, scale=scale, rate=0.05, steps=1))[:, 0]
    assert w[1] - w[0] == pytest.approx(0.05, rel=2e-4)


@pytest.mark.fact("adam")
def test_the_first_step_of_adam_is_099_of_the_rate_for_a_gradient_of_1e_6():
    w = path(states(surface="bowl", optimizers=("Adam",), x=-1, scale=-6, rate=0.05, steps=1))[:, 0]
    assert (w[1] - w[0]) / 0.05 == pytest.approx(0.990, abs=0.0005)


@pytest.mark.fact("adam")
def test_the_first_step_of_adam_without_bias_correction_is_3162_times_the_rate():
    w = path(states(surface="bowl", optimizers=("Adam",), x=-1, bias_correction=False, rate=0.05, steps=1))[:, 0]
    assert (w[1] - w[0]) / 0.05 == pytest.approx(3.162, abs=0.001)


@pytest.mark.fact("adam")
def test_scaling_the_loss_changes_the_paths_of_the_others_and_not_that_of_adam():
    names = ("GD", "momentum", "Nesterov", "Adam")
    one, hundredth = (states(optimizers=names, condition=10, rate=0.03, scale=scale, steps=40) for scale in (0, -2))
    apart = [np.abs(path(one, i) - path(hundredth, i)).max() for i in range(4)]
    assert min(apart[:3]) > 0.5 and apart[3] < 1e-5


@pytest.mark.fact("optimizer")
def test_adam_needs_189_steps_at_a_rate_of_01_and_351_at_001():
    assert steps_to_a_millionth("Adam", 0.1, steps=300) == 189
    assert steps_to_a_millionth("Adam", 0.01, steps=400) == 351


# ---------------------------------------------------------------------------------------------------------- surfaces


@pytest.mark.parametrize("surface", SURFACES)
def test_the_loss_of_a_surface_is_0_with_gradient_0_at_its_minima_and_positive_elsewhere(surface):
    one, rng = _surfaces.SURFACES[surface], np.random.default_rng(0)
    at = np.array(one.minima, float)
    assert one.loss(at, 100) == pytest.approx(0, abs=1e-30) and one.gradient(at, 100) == pytest.approx(0, abs=1e-15)
    assert (one.loss(rng.uniform(-2, 2, (1000, at.shape[1])), 100) > 0).all()


def test_descent_that_starts_on_the_ridge_of_the_saddle_stays_there_and_beside_it_escapes():
    assert states(surface="saddle", optimizers=("GD",), rate=0.1, x=-1.5, y=1.5, steps=300)[-1].loss == 0.25
    found = states(surface="saddle", optimizers=("GD",), rate=0.1, x=-1.5, y=1.4, steps=300)
    assert found[-1].loss < 1e-9


def test_momentum_rolls_out_of_a_ripple_in_which_descent_stays():
    end = states(surface="ripples", optimizers=("GD", "momentum"), rate=0.05, steps=100)[-1]
    assert end.losses[1] < 0.6 * end.losses[0]


# --------------------------------------------------------------------------------------- divergence, notes, the picture


def test_a_path_that_diverges_ends_with_the_step_the_quantity_and_the_cause():
    values = {"surface": "bowl", "optimizers": ("GD",), "rate": 2.1, "steps": 500}
    assert 1.1**285 * 1.5 < 1e12 < 1.1**286 * 1.5
    assert states(**values)[-1].step == 286
    assert notes(**values)[-1] == (
        "Step 286: diverged. w = −1.03·10¹² is beyond 10¹², as the rate 2.1 is above 2/λ_max = 2, "
        "so every step overshoots further."
    )


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"optimizers": ("GD",), "rate": 0.03}, "above 2/λ_max = 0.02,"),
        ({"optimizers": ("momentum",), "rate": 0.05}, "above 2(1 + β)/λ_max = 0.038,"),
        ({"optimizers": ("Nesterov",), "rate": 0.05}, "above 2(1 + β)/((1 + 2β) λ_max) = 0.0136,"),
        ({"optimizers": ("AdamW",), "rate": 10, "decay": 1}, "above 2/λ of the weight decay = 2,"),
        ({"optimizers": ("GD",), "rate": 0.03, "decay": 1}, "above 2/λ_max = 0.0198,"),
        ({"optimizers": ("GD",), "rate": 0.01, "surface": "rosenbrock"}, "for the curvature at the start,"),
        ({"optimizers": ("GD",), "rate": 0.03, "scale": 1}, "above 2/λ_max = 0.002,"),
    ],
)
def test_the_cause_of_a_divergence_is_the_threshold_that_the_rate_exceeds(values, cause):
    end, told = states(steps=300, **values)[-1], notes(steps=300, **values)[-1]
    assert re.match(rf"Step {end.step}: diverged\. w[₁₂] = .* is beyond 10¹², as the rate", told) and cause in told


def test_of_several_paths_one_that_diverges_stays_where_it_left_and_the_others_go_on():
    values = {"optimizers": ("GD", "Adam"), "rate": 0.05, "steps": 90}
    found, told = states(**values), notes(**values)
    assert len(found) == 91
    (left,) = [at for at, text in enumerate(told) if "GD at step" in text and "beyond" in text]
    assert f"Diverged: GD at step {left} (w₂ = " in told[left] and "above 2/λ_max = 0.02)." in told[left]
    gone = path(found, 0)[left:]
    assert np.isfinite(gone).all() and (gone == gone[0]).all() and abs(gone[0, 1]) > 1e12
    assert all(f"Diverged: GD at step {left}." in text for text in told[left + 1 :])
    assert found[-1].loss == found[-1].losses[1] < found[-1].worst_loss == found[-1].losses[0]


def test_a_divergence_between_two_states_of_a_long_run_is_told_with_its_own_step():
    values = {"optimizers": ("GD", "Adam"), "rate": 0.05}
    found = zip(states(steps=900, **values), notes(steps=900, **values), strict=True)
    told = [(state.step, text) for state, text in found if "beyond" in text]
    (at,) = [step for step, text in enumerate(notes(steps=90, **values)) if "beyond" in text]
    assert at % 3 and [step for step, _ in told] == [at + 3 - at % 3]
    assert f"Diverged: GD at step {at} (w₂ = " in told[0][1]


def test_all_metrics_stay_finite_at_the_largest_rate_on_the_steepest_surface():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = states(surface="rosenbrock", optimizers=OPTIMIZERS, rate=10, scale=4, x=-2, y=2, decay=1, steps=90)
        draw(
            Params(surface="rosenbrock", optimizers=OPTIMIZERS, rate=10, scale=4, x=-2, y=2, decay=1, steps=90),
            found,
            0,
        )
    assert all(np.isfinite([s.loss, s.worst_loss, s.distance_left, s.eta]).all() for s in found)


def test_the_note_of_a_single_optimizer_writes_its_update_out_in_numbers():
    bowl = {"surface": "bowl", "x": -1, "rate": 0.1, "steps": 2}
    assert notes(optimizers=("GD",), **bowl)[1] == "Step 1: w = −1 − 0.1 · (−1) = −0.9, loss 0.405."
    second = {name: notes(optimizers=(name,), **bowl)[2] for name in OPTIMIZERS}
    assert second["momentum"].startswith("Step 2: v = 0.9 · (−1) + (−0.9) = −1.8, w = −0.9 − 0.1 · (−1.8) = −0.72,")
    assert second["Nesterov"].startswith("Step 2: v = 0.9 · (−1) + (−0.81) = −1.71, g + βv = −2.35, w = ")
    assert second["RMSProp"].startswith("Step 2: g/√s = ") and second["Adam"].startswith("Step 2: m̂/√v̂ = ")
    start = notes(optimizers=("GD",), surface="valley", rate=0.0198)[0]
    assert start.endswith("Every step multiplies w₁ by 1 − ηλ = 0.98 and w₂ by −0.98.")


def test_the_note_of_several_optimizers_says_which_has_the_lowest_loss_and_who_has_arrived():
    told = notes(optimizers=("GD", "momentum"), rate=0.0198, beta=0.67, steps=200)[-1]
    assert re.match(r"Step 200: lowest loss momentum \S+; then GD 0\.0\d+\. Within", told)
    assert told.endswith("Within a millionth of the starting distance: momentum since step 187.")


def test_the_longest_legal_run_has_301_states():
    assert Params(steps=3000).length == 301 and Params(steps=1).length == 2
    found = states(steps=310, optimizers=("GD",))
    assert len(found) == Params(steps=310).length and found[-1].step == 310
    assert len(path(found)) == 311, "the path has every step, also those without a state"


def test_a_step_is_told_with_as_many_digits_as_its_change_needs():
    first = notes(surface="bowl", optimizers=("GD",), x=-2, rate=0.0001, steps=1)[1]
    assert first.startswith("Step 1: w = −2 − 1·10⁻⁴ · (−2) = −1.9998,")
    settled = notes(surface="ripples", optimizers=("GD",), steps=160)
    for text in settled[1:]:
        before, after = re.search(r"w = (\(.*?\)) − .* = (\(.*?\)), loss", text).groups()
        assert before != after, text
