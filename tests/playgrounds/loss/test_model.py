"""Losses: which answer each one prefers, how fast it lets itself be reached, and what is left over."""

import re
from functools import cache
from math import log

import numpy as np
import pytest

from playgrounds.kit.film import Film
from playgrounds.loss.arithmetic import five
from playgrounds.loss.model import LOSSES, Params, State, run, spaced
from playgrounds.loss.picture import draw, note

ALL = ("MSE", "MAE", "Huber")


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def told(step: int = -1, **values) -> str:
    """The note of the n-th state of a run, of the last unless another is named."""
    played = states(**values)
    return note(Params(**values), played, step % len(played))


def answers(**values) -> dict[str, float]:
    """Where every loss has come to in 300 steps."""
    p = Params(**{"losses": ALL, "steps": 300} | values)
    *_, end = run(p)
    return dict(zip(p.shown, end.theta[:, 0], strict=True))


# --------------------------------------------------------------------------------------------------- as in PyTorch


def torch_losses(task: str, theta: np.ndarray, y: np.ndarray, delta: float):
    """Every loss of a task by torch.nn.functional, by name, and its gradient by autograd."""
    import torch
    from torch.nn import functional as F

    target = torch.tensor(y)
    by_name = {
        "constant": {
            "MSE": lambda c: F.mse_loss(c.expand(len(y)), target),
            "MAE": lambda c: F.l1_loss(c.expand(len(y)), target),
            "Huber": lambda c: F.huber_loss(c.expand(len(y)), target, delta=delta),
        },
        "classify": {
            "cross-entropy": lambda z: F.binary_cross_entropy_with_logits(z, target),
            "squared error": lambda z: F.mse_loss(torch.sigmoid(z), target),
        },
        "soft": {
            "cross-entropy": lambda z: F.cross_entropy(z, target),
            "squared error": lambda z: F.mse_loss(torch.softmax(z, dim=0), target),
        },
    }[task]
    for name, function in by_name.items():
        parameter = torch.tensor(theta, requires_grad=True)
        value = function(parameter)
        value.backward()
        yield name, value.item(), parameter.grad.numpy()


CASES = {
    "constant": (lambda rng: rng.normal(0, 30, 1), lambda rng: rng.normal(0, 30, 7)),
    "classify": (lambda rng: rng.normal(0, 8, 1), lambda rng: rng.uniform(0, 1, 1)),
    "soft": (lambda rng: rng.normal(0, 8, 5), lambda rng: rng.dirichlet(np.ones(5))),
}


@pytest.mark.fact("loss-function")
@pytest.mark.parametrize("task", CASES)
def test_every_loss_and_its_gradient_are_those_of_torch(task):
    rng = np.random.default_rng(0)
    make_theta, make_y = CASES[task]
    for delta in (0.5, 5.0, 40.0):
        for _ in range(15):
            theta, y = make_theta(rng), make_y(rng)
            compared = list(torch_losses(task, theta, y, delta))
            assert [name for name, *_ in compared] == list(LOSSES[task])
            for name, value, gradient in compared:
                ours = LOSSES[task][name]
                assert ours.value(theta, y, delta) == pytest.approx(value, rel=1e-12, abs=1e-12)
                assert ours.gradient(theta, y, delta) == pytest.approx(gradient, rel=1e-12, abs=1e-12)


@pytest.mark.fact("loss-function")
def test_at_a_target_itself_the_gradient_of_mae_is_that_of_torch_too():
    y = np.array([1.0, 2, 3, 4, 100])
    for name, value, gradient in torch_losses("constant", np.array([3.0]), y, 1.0):
        assert LOSSES["constant"][name].value(np.array([3.0]), y, 1.0) == pytest.approx(value, abs=1e-12)
        assert LOSSES["constant"][name].gradient(np.array([3.0]), y, 1.0) == pytest.approx(gradient, abs=1e-12)


def test_a_run_is_gradient_descent_in_torch_step_by_step():
    import torch

    z = torch.tensor([-3.0, 0, 0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    optimizer = torch.optim.SGD([z], lr=2.0)
    for state in states(task="soft", start=-3.0, rate_z=2.0, steps=30):
        assert np.allclose(state.theta[0], z.detach().numpy(), rtol=0, atol=1e-12)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(z, y).backward()
        optimizer.step()


# -------------------------------------------------------------------------------------- which constant a loss prefers


@pytest.mark.fact("loss-function")
def test_one_outlier_takes_mse_to_22_and_leaves_mae_at_3():
    end = states()[-1]
    assert end.answer == pytest.approx(22, abs=1e-6) and end.rival_answer == pytest.approx(3, abs=0.021)
    assert end.apart == pytest.approx(19, abs=0.03)
    assert end.best.tolist() == [[22, 22], [3, 3]]


@pytest.mark.fact("loss-function")
@pytest.mark.parametrize("moved", [-95.0, -50.0, 40.0, 100.0])
def test_mse_follows_the_outlier_by_a_fifth_of_its_way_and_mae_does_not_follow(moved):
    at = answers(losses=("MSE", "MAE"), outlier=moved)
    assert at["MSE"] == pytest.approx(22 + moved / 5, abs=1e-6)
    assert at["MAE"] == pytest.approx(3, abs=0.021)


@pytest.mark.fact("loss-function")
def test_without_the_outlier_mse_and_mae_agree():
    assert states(outlier=-95.0)[-1].apart < 0.03 < 15 < states()[-1].apart


@pytest.mark.fact("loss-function")
@pytest.mark.parametrize("delta, best", [(1.0, 3.0), (10.0, 5.0), (20.0, 7.5), (60.0, 17.5), (100.0, 22.0)])
def test_huber_stands_between_the_median_and_the_mean_as_delta_says(delta, best):
    # with the first four within δ of c and 100 beyond it: 4c - 10 = δ
    assert answers(delta=delta, rate=0.3)["Huber"] == pytest.approx(best, abs=1e-6)
    assert states(losses=("Huber",), delta=delta)[0].best[0].tolist() == pytest.approx([best, best], abs=1e-9)


@pytest.mark.fact("loss-function")
def test_the_best_constants_are_the_lowest_of_all_constants():
    rng = np.random.default_rng(1)
    for size in (1, 2, 5, 8, 50):
        y = np.round(rng.normal(0, 20, size), 1)
        for delta in (0.5, 20.0):
            state = next(run(Params(losses=ALL, targets=" ".join(map(str, y)), delta=delta)))
            c = np.linspace(y.min(), y.max(), 2001)[:, None]
            for i, one in enumerate(LOSSES["constant"].values()):
                ends = one.value(state.best[i][:, None], y, delta)
                assert ends == pytest.approx(state.floor[i], abs=1e-9), "the whole interval is as low"
                assert one.value(c, y, delta).min() >= state.floor[i] - 1e-9


@pytest.mark.fact("loss-function")
def test_of_an_even_number_of_targets_every_constant_between_the_middle_two_is_a_median():
    runs = [{"losses": ("MAE",), "targets": "1, 2, 3, 100", "start_c": start} for start in (0.0, 5.0, 3.0)]
    stood = [states(**values)[-1] for values in runs]
    for end, values in zip(stood, runs, strict=True):
        assert 2 <= end.answer <= 3 and end.gradient[0, 0] == 0 and end.loss == pytest.approx(25)
        assert end.best.tolist() == [[2, 3]] and "every c from 2 to 3 is a median" in told(**values)
    assert abs(stood[0].answer - stood[1].answer) > 0.5, "and where it stops depends on the start"


@pytest.mark.fact("loss-function")
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_mae_swings_about_the_median_by_a_step_that_does_not_shrink(rate):
    late = states(losses=("MAE",), rate=rate, steps=100)[-20:]
    jumps = np.abs(np.diff([state.answer for state in late]))
    assert jumps.max() == pytest.approx(rate * 0.2) and jumps.min() == pytest.approx(rate * 0.2)
    assert all(abs(state.answer - 3) <= rate * 0.2 + 1e-12 for state in late)
    assert "swings about the median: its slope stays ±0.2" in told(losses=("MAE",), rate=rate, steps=100)


# ---------------------------------------------------------------------------------------------- what MSE leaves over


@pytest.mark.fact("mean-squared-error")
def test_mse_walks_to_the_mean_and_leaves_the_variance():
    end = states(losses=("MSE",))[-1]
    y = np.array([1, 2, 3, 4, 100])
    assert end.answer == pytest.approx(22, abs=1e-6) and end.loss == pytest.approx(1522, abs=1e-9)
    assert end.floor[0] == y.var() == 1522 and "the 1522 left over is the variance" in told(losses=("MSE",))


@pytest.mark.fact("mean-squared-error")
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
def test_every_step_multiplies_the_distance_to_the_mean_by_one_minus_two_eta(rate):
    for state in states(losses=("MSE",), rate=rate, steps=40):
        assert state.answer - 22 == pytest.approx((1 - 2 * rate) ** state.step * -22, abs=1e-9)
        assert state.loss == pytest.approx(1522 + (state.answer - 22) ** 2, abs=1e-9)
        assert state.gradient[0, 0] == pytest.approx(2 * (state.answer - 22), abs=1e-9)


@pytest.mark.fact("mean-squared-error")
def test_at_a_rate_of_one_it_jumps_over_the_mean_for_ever_and_above_it_diverges():
    assert [state.answer for state in states(losses=("MSE",), rate=1.0)[:4]] == pytest.approx([0, 44, 0, 44])
    assert "by 1 − 2η = −1." in told(4, losses=("MSE",), rate=1.0)
    *before, end = states(losses=("MSE",), rate=1.2)
    assert re.search(
        r"Step \d+: MSE diverged to c = −?\S+ every step multiplies .* by 1 − 2η = −1\.4",
        told(losses=("MSE",), rate=1.2),
    )
    assert abs(end.answer) > 1e12 >= max(abs(state.answer) for state in before) and end.step < 100


def test_a_diverged_run_can_be_drawn_to_its_end():
    p = Params(rate=1.2)
    film = Film(note, draw, p, p.length)
    film.extend(list(run(p)), True)
    assert b"Infinity" not in film.message() and b"NaN" not in film.message()


# ----------------------------------------------------------------------------- from a confidently wrong start


@pytest.mark.fact("cross-entropy-loss")
def test_from_minus_ten_cross_entropy_needs_11_steps_and_squared_error_11034():
    long = states(task="classify", steps=12_000)
    assert long[-1].halfway == [11, 11_034]
    assert "came to p = 0.5 at step 11, squared error at step 11,034" in told(task="classify", steps=12_000)
    by_step = {state.step: state for state in long}
    assert by_step[10].answer < 0.5 < by_step[11].answer and by_step[11].rival_answer < 5e-5
    short = [states(task="classify", steps=steps)[-1].rival_answer for steps in (11_033, 11_034)]
    assert short[0] < 0.5 <= short[1]


@pytest.mark.fact("cross-entropy-loss")
def test_the_first_gradients_are_about_minus_one_and_minus_nine_hundred_thousandths():
    start = states(task="classify")[0]
    assert start.gradient[:, 0] == pytest.approx([-0.99995, -9.1e-5], rel=3e-3)
    assert start.gradient[0, 0] == pytest.approx(-0.9999546, abs=1e-7)
    said = told(0, task="classify")
    assert "p − y = −0.99995" in said and "2(p − y) · p(1 − p) = −9.08·10⁻⁵" in said


@pytest.mark.fact("cross-entropy-loss")
@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_the_gradient_at_the_logit_is_prediction_minus_target(target):
    for state in states(task="classify", target=target, start=-4.0, steps=30):
        assert state.gradient[0, 0] == pytest.approx(state.answer - target, abs=1e-15)
    for state in states(task="soft", start=-4.0, steps=30):
        assert np.allclose(state.gradient[0], state.answers[0] - [0.7, 0.2, 0.1], rtol=0, atol=1e-15)


@pytest.mark.fact("cross-entropy-loss")
def test_the_more_wrong_the_start_the_stronger_cross_entropy_pulls_and_the_weaker_squared_error():
    pulls = np.array([states(task="classify", start=z)[0].gradient[:, 0] for z in (-2.0, -5.0, -10.0, -20.0)])
    assert (np.diff(np.abs(pulls[:, 0])) > 0).all() and (np.diff(np.abs(pulls[:, 1])) < 0).all()


@pytest.mark.fact("cross-entropy-loss")
def test_a_ten_times_larger_rate_still_leaves_squared_error_a_thousand_steps_behind():
    end = states(task="classify", rate_z=10.0, steps=2000)[-1]
    assert end.halfway[0] <= 2 and 1000 < end.halfway[1] < 1200


@pytest.mark.fact("cross-entropy-loss")
def test_the_floor_of_a_soft_target_is_its_entropy():
    end = states(task="soft", steps=1000)[-1]
    entropy = -(0.7 * log(0.7) + 0.2 * log(0.2) + 0.1 * log(0.1))
    assert entropy == pytest.approx(0.8018, abs=5e-5)
    assert end.floor[0] == pytest.approx(entropy) and end.loss == pytest.approx(entropy, abs=1e-12)
    assert min(state.loss for state in states(task="soft", steps=1000)) >= entropy - 1e-12
    assert np.allclose(end.answers[0], [0.7, 0.2, 0.1], atol=1e-9)


@pytest.mark.fact("cross-entropy-loss")
def test_the_floor_of_two_classes_is_the_entropy_too_and_that_of_a_sure_target_is_0():
    for target in (0.0, 0.3, 0.5, 1.0):
        end = states(task="classify", target=target, start=1.0, steps=2000)[-1]
        entropy = -sum(q * log(q) for q in (target, 1 - target) if q)
        assert end.floor[0] == pytest.approx(entropy, abs=1e-12) and end.loss == pytest.approx(entropy, abs=1e-3)


@pytest.mark.fact("cross-entropy-loss")
def test_squared_error_reaches_a_soft_target_from_a_neutral_start_and_not_from_a_wrong_one():
    assert states(task="soft", start=0.0, steps=1000)[-1].rival_loss < 1e-6
    assert states(task="soft", start=-10.0, steps=1000)[-1].rival_loss > 0.2


# ------------------------------------------------------------------------------------------------- what readers type


@pytest.mark.parametrize("text", ["1, 2, 3, 4, 100", "1 2 3 4 100", "1;2\n3\t4, , 1e2", " 1,2,3,4,100.0,"])
def test_targets_stand_between_commas_semicolons_blanks_and_lines(text):
    assert states(targets=text)[0].y.tolist() == [1, 2, 3, 4, 100] and "Left out" not in told(0, targets=text)


def test_what_is_no_number_is_named_with_its_place_and_the_others_are_kept():
    values = {"targets": "1, two, 3, nan, 1e9, inf", "steps": 2}
    for step, state in enumerate(states(**values)):
        assert state.y.tolist() == [1, 3]
        assert "Left out: item 2 ('two'), item 4 ('nan'), item 5 ('1e9') …; type numbers from" in told(step, **values)


def test_of_more_than_fifty_targets_the_first_fifty_count():
    text = " ".join(map(str, range(60)))
    assert states(targets=text)[0].y.tolist() == list(range(50))
    assert "Only the first 50 of 60 numbers count." in told(0, targets=text)


@pytest.mark.parametrize("text", ["", "no", ",,;"])
def test_without_a_target_the_first_five_stand_in(text):
    assert states(targets=text)[0].y.tolist() == [1, 2, 3, 4, 100]
    assert "1, 2, 3, 4, 100 stand in" in told(0, targets=text)


@pytest.mark.parametrize(
    "text, y", [("2 1 1", [0.5, 0.25, 0.25]), ("1", None), ("0 0", None), ("1, -1, 3", [0.25, 0.75])]
)
def test_a_soft_target_is_made_a_distribution(text, y):
    state = states(task="soft", classes=text)[0]
    assert state.y == pytest.approx(y or [0.7, 0.2, 0.1]) and state.y.sum() == pytest.approx(1)
    assert ("stand in" in told(0, task="soft", classes=text)) == (y is None)


# --------------------------------------------------------------------------------------------------------------- notes


def test_the_note_writes_the_update_in_numbers_that_add_up():
    for step, state in enumerate(states(losses=("MSE",))[1:20], start=1):
        said = re.search(r"c = (\S+) − 0\.1 · \((\S+)\) = (\S+), loss", told(step, losses=("MSE",)))
        before, slope, after = (float(text.replace("−", "-")) for text in said.groups())
        assert after == pytest.approx(before - 0.1 * slope, abs=1e-3)
        assert after == pytest.approx(state.answer, abs=1e-3)


def test_numbers_have_five_digits():
    assert five(1522.0) == "1522" and five(-0.9999546) == "−0.99995" and five(-9.079e-5) == "−9.08·10⁻⁵"
    assert five(0.5, 1.0) == "(0.5, 1)"


@pytest.mark.parametrize("steps", [1, 100, 101, 3000, 20_000])
def test_long_runs_keep_every_step_at_first_and_later_ever_fewer(steps):
    kept = spaced(steps)
    assert kept[: min(steps, 20) + 1] == list(range(min(steps, 20) + 1)) and kept[-1] == steps
    assert len(kept) == Params(steps=steps).length <= 101
    if steps <= 101:
        assert [state.step for state in states(steps=steps)] == kept
