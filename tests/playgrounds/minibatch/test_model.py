"""Mini-batches: how their gradients scatter, what the scatter does to the walk, and what a step costs."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.kit.film import Film
from playgrounds.kit.words import number
from playgrounds.minibatch import picture as drawing
from playgrounds.minibatch.model import (
    MEASURED,
    OTHERS,
    START,
    N,
    Params,
    State,
    batches_of,
    examples,
    gradient,
    limit,
    run,
    share,
)
from playgrounds.minibatch.words import NAMES, note

EVERY = ("1", "4", "16", "64", "256", "all")
fact = pytest.mark.fact("stochastic-gradient-descent")


@cache
def states(**knobs) -> list[State]:
    return list(run(Params(**knobs)))


@cache
def notes(**knobs) -> list[str]:
    return [note(Params(**knobs), states(**knobs), now) for now in range(len(states(**knobs)))]


def path(**knobs) -> np.ndarray:
    """Every w of a run, (steps + 1, batch sizes, 2)."""
    return np.concatenate([state.path for state in states(**knobs)])


def minimum(p: Params) -> np.ndarray:
    return np.linalg.lstsq(*examples(p), rcond=None)[0]


def picture(p: Params, now: int = -1) -> dict:
    made = states(**p.model_dump())
    return drawing.draw(p, made, now % len(made)).figure()


def costs(fig: dict) -> list[str]:
    """The examples that every batch size has used, as they stand behind the bars."""
    suffix = next(panel["suffix"] for panel in fig["panels"] if panel["name"] == "cost")
    texts = [
        shape.get("label", {}).get("text", "") for shape in fig["layout"]["shapes"] if shape["xref"] == f"x{suffix}"
    ]
    return [text.strip() for text in texts if text]


def trace(fig: dict, name: str) -> dict:
    return next(one for one in fig["data"] if one.get("name") == name)


# ------------------------------------------------------------------------------------------- the noise of the gradient


@fact
@pytest.mark.parametrize("seed", range(4))
def test_four_times_the_batch_halves_the_noise_of_the_gradient(seed):
    noise = states(steps=10, seed=seed)[0].noise[0]
    assert noise[:-1] / noise[1:] == pytest.approx(2, rel=0.05)


@fact
def test_the_noise_of_4_16_64_and_256_examples_is_that_of_the_specification():
    assert states(steps=10, seed=7)[0].noise[0, 1:] == pytest.approx([8.28, 4.15, 2.08, 1.04], rel=0.02)


@fact
def test_the_noise_of_one_example_is_the_spread_of_the_gradients_autograd_finds_for_each():
    import torch

    x, y = map(torch.tensor, examples(Params()))
    grads = torch.autograd.functional.jacobian(lambda w: (x @ w - y) ** 2, torch.tensor(START)).numpy()
    spread = np.sqrt(((grads - grads.mean(axis=0)) ** 2).sum(axis=1).mean())
    assert states(steps=10)[0].gradient_noise == states(steps=10)[0].noise[0, 0] == pytest.approx(spread, rel=0.01)


@fact
@pytest.mark.parametrize("seed", [1, 2])
def test_without_replacement_the_noise_is_smaller_by_the_finite_population_correction(seed):
    plain, drawn_once = (states(steps=10, seed=seed, replace=replace)[0].noise[0] for replace in (True, False))
    size = np.array(MEASURED)
    assert drawn_once == pytest.approx(drawn_once[0] / np.sqrt(size) * np.sqrt((N - size) / (N - 1)), rel=0.05)
    assert drawn_once[-1] / plain[-1] == pytest.approx(np.sqrt(768 / 1023), rel=0.05)
    line = trace(picture(Params(steps=10, seed=seed, replace=False)), "without replacement")
    assert np.exp(np.interp(np.log(MEASURED), np.log(line["x"]), np.log(line["y"]))) == pytest.approx(
        drawn_once, rel=0.05
    )


@pytest.mark.parametrize("replace", [True, False])
def test_the_noise_of_the_batches_of_training_is_the_one_that_was_measured(replace):
    p = Params(replace=replace)
    x, y = examples(p)
    draw = batches_of(p, 64, np.random.default_rng(5))
    off = [gradient(x[at], y[at], START) - gradient(x, y, START) for at, _ in zip(draw, range(2000), strict=False)]
    measured = states(steps=10, replace=replace)[0].noise[0, MEASURED.index(64)]
    assert np.sqrt((np.array(off) ** 2).sum(axis=1).mean()) == pytest.approx(measured, rel=0.05)


@fact
@pytest.mark.parametrize("size", MEASURED)
def test_the_mean_gradient_of_the_batches_of_an_epoch_is_that_of_all_examples(size):
    p, w = Params(replace=False), np.array([0.3, -1.7])
    x, y = examples(p)
    draw = batches_of(p, size, np.random.default_rng(3))
    epoch = [next(draw) for _ in range(N // size)]
    assert sorted(np.concatenate(epoch)) == list(range(N)), "every example once"
    mean = np.mean([gradient(x[at], y[at], w) for at in epoch], axis=0)
    assert mean == pytest.approx(gradient(x, y, w), rel=1e-11)
    assert gradient(x[epoch[0]], y[epoch[0]], w) != pytest.approx(mean, rel=1e-3)


def test_with_replacement_some_examples_come_twice_and_a_third_of_them_not_at_all():
    draw = batches_of(Params(), 16, np.random.default_rng(3))
    seen = set(np.concatenate([next(draw) for _ in range(N // 16)]))
    assert len(seen) / N == pytest.approx(1 - np.exp(-1), abs=0.05)


@fact
def test_in_the_picture_the_measured_points_lie_on_one_over_root_b_and_far_from_one_over_b():
    fig = picture(Params())
    points, root, straight = (trace(fig, name) for name in ("measured", "1/√B", "1/B"))
    on_root, on_straight = (
        np.exp(np.interp(np.log(MEASURED), np.log(line["x"]), np.log(line["y"]))) for line in (root, straight)
    )
    assert points["y"] == pytest.approx(on_root, rel=0.05)
    assert points["y"][1:] / on_straight[1:] == pytest.approx([2, 4, 8, 16], rel=0.05)


def test_the_points_say_by_what_each_size_has_divided_the_noise():
    texts = trace(picture(Params()), "measured")["text"]
    first, *others = [text.strip().split(", ÷ ") for text in texts]
    assert [float(by) for _, by in others] == pytest.approx([2] * 4, rel=0.05) and len(first) == 1
    rms = [float(first[0]), *(float(rms) for rms, _ in others)]
    assert rms == pytest.approx(states()[0].noise[0], rel=0.01)


# ------------------------------------------------------------------------------------------------------------ the walk


def by_torch(p: Params, size: int) -> np.ndarray:
    """The same walk with DataLoader, MSELoss, torch.optim.SGD and LambdaLR, given the batches of the run."""
    import torch

    x, y = map(torch.tensor, examples(p))
    draw = batches_of(p, size, np.random.default_rng([p.seed, size]))
    batches = [next(draw).tolist() for _ in range(p.steps)]
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_sampler=batches)
    w = torch.nn.Parameter(torch.tensor(START))
    optimizer = torch.optim.SGD([w], lr=p.rate)
    factors = {
        "constant": lambda t: 1,
        "1/t": lambda t: 1 / (1 + t / 20),
        "cosine": lambda t: (1 + np.cos(np.pi * t / p.steps)) / 2,
    }
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factors[p.schedule])
    walk = [START]
    for inputs, targets in loader:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(inputs @ w, targets).backward()
        optimizer.step()
        scheduler.step()
        walk.append(w.detach().numpy().copy())
    return np.array(walk)


@fact
@pytest.mark.parametrize(
    ("b", "schedule", "replace"),
    [
        ("1", "constant", True),
        ("4", "cosine", False),
        ("16", "1/t", True),
        ("16", "constant", False),
        ("all", "1/t", True),
    ],
)
def test_the_walk_is_that_of_a_data_loader_and_torch_sgd_on_the_same_batches(b, schedule, replace):
    knobs = {"batches": (b,), "replace": replace, "schedule": schedule, "steps": 30}
    p = Params(**knobs)
    assert path(**knobs)[:, 0] == pytest.approx(by_torch(p, p.sizes[0]), abs=1e-11)


@fact
@pytest.mark.parametrize("rate", [0.1, 0.6, 0.99])
def test_a_batch_of_all_examples_is_gradient_descent(rate):
    p = Params(batches=("all",), rate=rate, steps=40)
    best, t = minimum(p), np.arange(41)[:, None]
    walk = path(batches=("all",), rate=rate, steps=40)[:, 0]
    assert walk == pytest.approx(best + (1 - 2 * rate) ** t * (START - best), abs=1e-11)  # the curvature is 2
    assert (walk == path(batches=("all",), rate=rate, steps=40, replace=False)[:, 0]).all(), "and nothing is drawn"


def test_the_walk_of_a_batch_size_does_not_depend_on_which_others_are_shown():
    assert (path(batches=("16",))[:, 0] == path()[:, 1]).all()


def test_the_loss_is_its_minimum_plus_the_squared_distance_to_it():
    p = Params()
    best, (x, y) = minimum(p), examples(p)
    least = np.mean((x @ best - y) ** 2)
    for state in states()[::50]:
        away = ((state.path[-1] - best) ** 2).sum(axis=1)
        assert state.losses == pytest.approx(least + away, rel=1e-12) and state.loss == state.losses[0]


@fact
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_cloud_around_the_minimum_shrinks_with_the_batch_and_is_a_point_for_all(seed):
    one, sixteen, everything = states(seed=seed)[-1].clouds
    assert one > 2.5 * sixteen > 0.5 and everything < 1e-9


def stationary(p: Params, size: int) -> float:
    """RMS distance from the minimum in the long run: the fixed point of the second moments of w - w*."""
    x, y = examples(p)
    residual = x @ minimum(p) - y
    s, eta, eye = share(p, size), p.rate, np.eye(2)
    pairs = np.array([np.outer(v, v) for v in x])
    jump = np.mean([np.kron(m, m) for m in pairs], axis=0)
    keep = np.kron(eye - 2 * eta * eye, eye - 2 * eta * eye) + 4 * eta**2 * s * (jump - np.eye(4))
    kicks = 4 * eta**2 * s * (residual[:, None, None] ** 2 * pairs).mean(axis=0)
    return float(np.sqrt(np.trace(np.linalg.solve(np.eye(4) - keep, kicks.ravel()).reshape(2, 2))))


@fact
@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_the_size_of_the_cloud_is_that_of_the_stationary_distribution(rate):
    ratios = []
    for seed in (1, 2):
        knobs = {"batches": ("1", "4", "16", "64"), "rate": rate, "steps": 2000, "seed": seed}
        expected = np.array([stationary(Params(**knobs), size) for size in (1, 4, 16, 64)])
        ratios.append(states(**knobs)[-1].clouds / expected)
        assert expected[1:-1] / expected[2:] == pytest.approx(2, rel=0.1), "about half"
    assert np.mean(ratios, axis=0) == pytest.approx(np.ones(4), rel=0.2)  # 500 steps are a small sample


@fact
def test_a_smaller_rate_makes_the_cloud_smaller():
    large, small = (np.mean([states(rate=rate, seed=s)[-1].clouds for s in (1, 2)], axis=0) for rate in (0.3, 0.02))
    assert (small[:2] < 0.5 * large[:2]).all()


@fact
@pytest.mark.parametrize("schedule", ["1/t", "cosine"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_falling_rate_lets_the_cloud_collapse(schedule, seed):
    assert states(schedule=schedule, seed=seed)[-1].cloud < 0.5 * states(seed=seed)[-1].cloud


@fact
def test_without_noise_in_the_data_every_batch_agrees_at_the_minimum_and_the_cloud_vanishes():
    assert (states(noise=0.0)[-1].clouds < 1e-12).all()
    assert states(noise=0.0)[0].gradient_noise > 10, "though the gradients differ on the way"


def test_the_cloud_is_the_rms_distance_over_the_last_quarter_of_the_steps():
    walk, best = path(), minimum(Params())
    for t in (0, 1, 7, 8, 100, 300):
        last = walk[-(max(1, t // 4)) + t + 1 : t + 1, 0] if t else walk[:1, 0]
        assert states()[t].cloud == pytest.approx(np.sqrt(((last - best) ** 2).sum(axis=1).mean()), rel=1e-12)


# ---------------------------------------------------------------------------------------------------- what a step costs


@fact
@pytest.mark.parametrize("seed", [1, 2])
def test_small_batches_come_near_with_fewer_examples_and_large_ones_end_lower_after_as_many_steps(seed):
    knobs = {"batches": EVERY, "seed": seed}
    away = ((path(**knobs) - minimum(Params(**knobs))) ** 2).sum(axis=2)
    steps = (away < away[0, 0] / 4).argmax(axis=0)  # the loss above its minimum has fallen to a quarter
    used = steps * Params(**knobs).sizes
    assert used[0] < used[2] < used[4] < used[5] and used[0] < 30 and used[5] >= 4 * N
    clouds = states(**knobs)[-1].clouds
    assert clouds[0] > clouds[2] > clouds[4] > clouds[5]


@fact
def test_a_step_costs_as_many_examples_as_the_batch_has():
    for b, size in zip(EVERY, [*MEASURED, N], strict=True):
        assert [s.examples for s in states(batches=(b,), steps=10)] == [t * size for t in range(11)]
    assert costs(picture(Params())) == ["300", "4,800", "307,200"]


@fact
def test_for_the_same_number_of_examples_gradient_descent_has_made_one_step_of_1024():
    knobs = {"budget": "examples", "steps": 1024}
    assert Params(**knobs).stops == [1024, 64, 1]
    moved = (np.diff(path(**knobs), axis=0) != 0).any(axis=2).sum(axis=0)
    assert moved.tolist() == [1024, 64, 1]
    one, sixteen, everything = states(**knobs)[-1].clouds
    assert everything > one > sixteen, "the small batches have long arrived"
    assert costs(picture(Params(**knobs))) == ["1,024"] * 3


def test_a_batch_size_that_cannot_afford_a_step_stays_at_the_start():
    assert (path(budget="examples", steps=100)[:, 2] == START).all()
    away = np.linalg.norm(START - minimum(Params()))
    assert states(budget="examples", steps=100)[-1].clouds[2] == pytest.approx(away)


# ---------------------------------------------------------------------------------------------------------- divergence


def test_the_largest_stable_rate_is_where_the_second_moments_begin_to_grow():
    p = Params()
    x, _ = examples(p)
    pairs = np.array([np.outer(v, v) for v in x])

    def radius(eta: float, h: np.ndarray) -> float:
        steps = np.eye(2) - 2 * eta * h
        mean = np.einsum("nij,nkl->ikjl", steps, steps).reshape(4, 4) / len(h)
        return np.abs(np.linalg.eigvals(mean)).max()

    one, two = limit(p, x, 1), limit(p, x, 2)
    assert radius(0.99 * one, pairs) < 1 < radius(1.01 * one, pairs)
    both = ((pairs[:, None] + pairs[None, ::4]) / 2).reshape(-1, 2, 2)  # of a quarter of all pairs: close, not exact
    assert radius(0.97 * two, both) < 1 < radius(1.03 * two, both)
    assert limit(p, x, N) == 1 and one < two < limit(p, x, 4) < limit(p, x, 256) < 1


@fact
@pytest.mark.parametrize("seed", [1, 2])
def test_a_rate_that_suits_all_examples_makes_single_ones_diverge(seed):
    *before, end = states(rate=0.7, seed=seed)
    told = notes(rate=0.7, seed=seed)
    assert len(before) == 300 and end.clouds[0] > 1e5 and end.clouds[1] < 10 and end.clouds[2] < 1e-9
    at = int(re.search(r"Diverged: batch 1 at step (\d+) \(w[₁₂] = \S+; stable up to η = 0\.[34]\d+\)", told[-1])[1])
    walk = np.abs(path(rate=0.7, seed=seed)[:, 0]).max(axis=1)
    assert walk[at] > 1e6 >= walk[at - 1] and (walk[at:] == walk[at]).all(), "it stays where it was lost"
    assert end.examples == at
    assert "Diverged" not in told[at - 1] and "batch 16" in told[at]


def test_a_run_in_which_all_diverge_ends_there_and_says_what_to_do():
    p = Params(rate=1.2, batches=EVERY, steps=3000)
    made, told = states(rate=1.2, batches=EVERY, steps=3000), notes(rate=1.2, batches=EVERY, steps=3000)
    assert len(made) < p.length and told[-1].endswith("Lower η or take larger batches.")
    assert all(f"{name} at step" in told[-1] for name in NAMES.values())
    film = Film(note, drawing.draw, p, p.length)
    film.extend(made, True)
    assert film.steps[-1] == len(made) - 1
    assert b"Infinity" not in film.message() and b"NaN" not in film.message()


# ---------------------------------------------------------------------------------------------------- what one can read


def test_a_note_writes_out_the_step_and_sets_it_against_that_of_all_examples():
    p, walk = Params(), path()
    g = (walk[11, 0] - walk[12, 0]) / p.rate
    full = gradient(*examples(p), walk[11, 0])
    said = [float(text.replace("−", "-")) for text in re.findall(r"−?\d+(?:\.\d+)?", notes()[12])]
    step = [12, 1, *g, *full, np.linalg.norm(g - full), *walk[11, 0], p.rate, *g, *walk[12, 0]]
    assert said == pytest.approx([*step, 10, 12, states()[12].cloud, 12], rel=0.01)


def test_uphill_is_said_exactly_where_the_batch_points_against_all_examples():
    p, walk = Params(), path()
    data = examples(p)
    for t, text in enumerate(notes()[1:], start=1):
        against = (walk[t - 1, 0] - walk[t, 0]) @ gradient(*data, walk[t - 1, 0]) < 0
        assert (" and uphill" in text) == against


@pytest.mark.parametrize("b", EVERY)
def test_the_first_note_says_where_all_begin_and_leaves_the_noise_of_other_batches_to_the_question(b):
    start, told = states(batches=(b,), steps=10)[0], notes(batches=(b,), steps=10)[0]
    assert "w = (−2, −2.5)" in told and f"{OTHERS} batches of" in told
    assert not any(number(rms) in told for rms in start.noise[0]), "how large the noise is comes with the run"


def test_the_thin_lines_are_steps_of_other_batches_and_scatter_as_their_gradients_do():
    p = Params(batches=("16",), steps=300)
    walk, data = path(batches=("16",)), examples(p)
    off = [s.fan - (s.path[-1, 0] - p.rate * gradient(*data, s.path[-1, 0])) for s in states(batches=("16",))[100:]]
    others = np.sqrt((np.array(off) ** 2).sum(axis=2).mean())
    taken = [walk[t + 1, 0] - (walk[t, 0] - p.rate * gradient(*data, walk[t, 0])) for t in range(100, 300)]
    assert others == pytest.approx(np.sqrt((np.array(taken) ** 2).sum(axis=1).mean()), rel=0.15)
    alone = states(batches=("all",))
    assert alone[4].fan == pytest.approx(np.tile(alone[5].path[-1, 0], (len(alone[4].fan), 1)), abs=1e-12)
