"""What depth does to signal and gradient: what an initialization keeps, for which activation, and what then learns."""

import math
import re
from functools import cache, partial
from itertools import pairwise

import numpy as np
import pytest

from playgrounds.depth_signal.model import (
    BINS,
    EXAMPLES,
    GUESS,
    MOST_WEIGHTS,
    RANGES,
    Kind,
    Params,
    State,
    down,
    histogram,
    rms,
    run,
    up,
    weight,
)
from playgrounds.depth_signal.picture import draw, note
from playgrounds.depth_signal.theory import theory
from playgrounds.depth_signal.words import names
from playgrounds.kit.film import Film

XAVIER = {"activation": ("ReLU", "sigmoid", "tanh", "linear"), "init": "Xavier", "versus": "none"}
RACE = {"activation": ("sigmoid", "tanh"), "init": "Xavier", "versus": "none"}
VANISHING = RACE | {"depth": 10, "width": 64, "train": 80}
WIDE = {"versus": "none", "width": 512}


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def told(now: int = -1, **values) -> str:
    """The note of the state number `now`, counted from the end if it is negative."""
    seen = states(**values)
    return note(Params(**values), seen, now % len(seen))


def top(**values) -> float:
    """Mean square of the activations in the last layer of the first compared net."""
    return float(last(**values).signal[0, 0, -1])


def sent_back(p: Params, kind: Kind, delta: float = 1.0) -> np.ndarray:
    """Root mean squares of dL/dW by layer when the loss is the mean over the examples of the sum of the outputs."""
    x = np.random.default_rng([p.seed, 0]).standard_normal((EXAMPLES, p.width))
    w = partial(weight, p, kind, 0)
    h = [x, *(one for _, one in up(x, w, p.depth, kind.activation))]
    return np.array([rms(dw) for _, dw in down(np.full_like(h[-1], delta), h, w, kind.activation)])[::-1]


# ------------------------------------------------------------------------------------------------ Xavier initialization


@pytest.mark.fact("xavier-initialization")
@pytest.mark.parametrize("shape", ["square", "funnel"])
def test_the_standard_deviations_are_those_of_torch(shape):
    import torch

    torch.manual_seed(0)
    p = Params(shape=shape, width=512, depth=2)
    fan_in, fan_out = p.widths[:2]
    relu, linear = {"nonlinearity": "relu"}, {"nonlinearity": "linear"}
    oracles = {
        ("Xavier", 1.0): lambda w: torch.nn.init.xavier_normal_(w),
        ("Xavier", 5 / 3): lambda w: torch.nn.init.xavier_normal_(w, torch.nn.init.calculate_gain("tanh")),
        ("He", 1.0): lambda w: torch.nn.init.kaiming_normal_(w, **relu),
        ("1/n", 1.0): lambda w: torch.nn.init.kaiming_normal_(w, **linear),
    }
    for (init, gain), fill in oracles.items():
        ours, theirs = weight(p, Kind("linear", init, gain), 0, 1), fill(torch.empty(fan_out, fan_in))
        assert ours.shape == (fan_out, fan_in)
        assert ours.std() == pytest.approx(float(theirs.std()), rel=0.015) and abs(ours.mean()) < 0.01 * ours.std()


@pytest.mark.fact("xavier-initialization")
def test_in_square_layers_it_is_1_over_n_and_in_a_funnel_it_is_not():
    square, funnel = Params(width=512), Params(width=512, shape="funnel")
    xavier, lecun = Kind("linear", "Xavier", 1.0), Kind("linear", "1/n", 1.0)
    assert np.array_equal(weight(square, xavier, 0, 3), weight(square, lecun, 0, 3))
    fan_in, fan_out = funnel.widths[2:4]
    ratio = weight(funnel, xavier, 0, 3).std() / weight(funnel, lecun, 0, 3).std()
    assert ratio == pytest.approx(math.sqrt(2 * fan_in / (fan_in + fan_out))) and ratio > 1.02


@pytest.mark.fact("xavier-initialization")
def test_it_is_a_compromise_1_over_n_keeps_the_signal_and_xavier_shares_the_loss_between_signal_and_gradient():
    shared = {"activation": ("linear",), "width": 512, "depth": 10, "shape": "funnel", "gradient": "dL/dz"}
    ends = [last(init="1/n", versus="Xavier", seed=seed, **shared) for seed in range(3)]
    signal = np.mean([s.signal[:, 0, -1] for s in ends], axis=0)
    error = np.mean([(s.gradients[:, 0] / s.gradients[:, -1]) ** 2 for s in ends], axis=0)
    narrowing = Params(**shared).widths[-1] / Params(**shared).widths[1]  # of the layers that dL/dz crosses
    assert signal == pytest.approx([1, math.sqrt(8)], rel=0.25)
    assert error == pytest.approx([narrowing, math.sqrt(narrowing)], rel=0.25)


@pytest.mark.fact("xavier-initialization")
def test_twenty_linear_layers_keep_the_mean_square():
    for seed in range(2):
        assert top(activation=("linear",), init="Xavier", seed=seed, **WIDE) == pytest.approx(1, abs=0.1)


@pytest.mark.fact("xavier-initialization")
def test_under_tanh_the_mean_square_falls_as_1_over_twice_the_depth_and_a_gain_of_5_thirds_holds_it():
    assert top(activation=("tanh",), init="Xavier", **WIDE) == pytest.approx(0.0263, abs=0.002)
    held = last(activation=("tanh",), init="Xavier", gain=5 / 3, **WIDE).signal[0, 0]
    assert 25 / 9 * held[-2] == pytest.approx(1.18, abs=0.05), "the variance of z, n Var(w) E h²"
    assert held[10] == pytest.approx(held[20], rel=0.05)
    for depth in (10, 20, 40):
        squares = theory(Params(depth=depth), Kind("tanh", "Xavier", 1.0))
        assert squares[-1] == pytest.approx(1 / (2 * depth), rel=0.16) and squares[-1] < 1.08 / (2 * depth)


@pytest.mark.fact("xavier-initialization")
def test_under_relu_every_square_layer_halves_the_mean_square():
    for seed in range(2):
        squares = last(init="Xavier", seed=seed, **WIDE).signal[0, 0]
        factors = squares[1:] / squares[:-1]
        assert 0.33 < factors.min() < factors.max() < 0.7 and 0.47 < np.exp(np.log(factors).mean()) < 0.53
        assert 4e-7 < squares[-1] < 2e-6, "2⁻²⁰ is 9.5e-7"


@pytest.mark.fact("xavier-initialization")
@pytest.mark.parametrize("depth, middle", [(5, 1.2e-3), (10, 1e-6), (20, 5e-13)])
def test_it_does_not_fix_sigmoid_nets_whose_gradient_shrinks_to_a_millionth_in_ten_layers(depth, middle):
    ends = [last(**RACE, depth=depth, width=128, seed=seed) for seed in range(5)]
    ratios = np.array([s.gradients[:, 0] / s.gradients[:, -1] for s in ends])
    assert middle / 4 < np.median(ratios[:, 0]) < 4 * middle and ((ratios[:, 1] > 0.3) & (ratios[:, 1] < 3)).all()
    assert [s.gradient_ratio for s in ends] == pytest.approx(ratios[:, 0])


@pytest.mark.fact("xavier-initialization")
@pytest.mark.parametrize("depth, spec", [(5, 3e-4), (10, 2e-7), (20, 1e-13)])
def test_with_the_same_error_for_every_example_the_sigmoid_ratios_are_a_few_times_smaller(depth, spec):
    """A loss that pulls every output the same way has a large last gradient, as the pulls add up there."""
    ratios = []
    for seed in range(3):
        sizes = sent_back(Params(depth=depth, width=128, seed=seed), Kind("sigmoid", "Xavier", 1.0))
        ratios.append(sizes[0] / sizes[-1])
    assert spec / 3 < np.median(ratios) < 3 * spec


@pytest.mark.fact("xavier-initialization")
def test_its_page_shows_four_activations_and_four_fates():
    for seed in (1, 2):
        s = last(**XAVIER, seed=seed)
        relu, sigmoid, tanh, linear = s.signal[:, 0, -1]
        assert relu < 1e-5 < 0.01 < tanh < 0.04 < 0.2 < sigmoid < 0.35 < 0.7 < linear < 1.4
        ratios = s.gradients[:, 0] / s.gradients[:, -1]
        assert ratios[1] < 1e-10 < 0.05 < ratios[[0, 2, 3]].min() and s.smallest_signal == relu


# ---------------------------------------------------------------------------------------------------- He initialization


@pytest.mark.fact("he-initialization")
def test_2_over_n_holds_the_signal_of_twenty_relu_layers_and_1_over_n_loses_it():
    ends = [last(init="He", versus="1/n", width=512, seed=seed) for seed in range(3)]
    he, lecun = np.array([s.signal[:, 0, -1] for s in ends]).T
    assert 0.7 < np.median(he) < 1.4 and 0.5 < he.min() < he.max() < 2
    assert 4e-7 < lecun.min() < lecun.max() < 2e-6
    assert np.allclose(he, 2.0**20 * lecun), "ReLU is homogeneous: every layer is the same but √2 times as large"


@pytest.mark.fact("he-initialization")
def test_it_keeps_the_variance_of_the_pre_activations_from_layer_to_layer():
    p = Params(width=512)
    x = np.random.default_rng(0).standard_normal((EXAMPLES, p.width))
    sizes = [z.var() for z, _ in up(x, partial(weight, p, Kind("ReLU", "He", 1.0), 0), p.depth, "ReLU")]
    assert sizes[0] == pytest.approx(2, rel=0.03), "the inputs have lost no half yet"
    assert all(1.2 < size < 3.5 for size in sizes)
    halved = [z.var() for z, _ in up(x, partial(weight, p, Kind("ReLU", "1/n", 1.0), 0), p.depth, "ReLU")]
    assert halved[-1] == pytest.approx(sizes[-1] / 2**20)


@pytest.mark.fact("he-initialization")
def test_at_width_32_it_holds_on_average_only():
    ends = np.concatenate([last(width=32, nets=5, versus="none", seed=s).signal[0, :, -1] for s in range(16)])
    low, middle, high = np.quantile(ends, [0.1, 0.5, 0.9])
    assert 0.02 < low < 0.07 and 0.15 < middle < 0.45 and 1.3 < high < 3
    wide = np.array([top(width=256, versus="none", seed=seed) for seed in range(6)])
    assert wide.max() / wide.min() < 0.2 * high / low


@pytest.mark.fact("he-initialization")
def test_the_ratio_of_first_to_last_weight_gradient_is_the_same_as_with_1_over_n_but_its_size_is_not():
    p = Params(depth=10, width=128)
    he, lecun = (sent_back(p, Kind("ReLU", init, 1.0)) for init in ("He", "1/n"))
    assert he[0] / he[-1] == pytest.approx(lecun[0] / lecun[-1]) and 0.1 < he[0] / he[-1] < 0.6
    assert he == pytest.approx(2.0 ** (9 / 2) * lecun), "the weights of nine layers are √2 times as large"


@pytest.mark.fact("he-initialization")
def test_a_deep_relu_net_learns_from_he_and_stands_still_from_xavier():
    s = last(depth=20, width=100, train=60, rate=0.05, seed=2)
    assert s.losses[0] < 0.05 and s.losses[1] > 0.69, "0.693 is the loss of knowing nothing"


@pytest.mark.fact("he-initialization")
@pytest.mark.parametrize("seed", range(3))
def test_its_page_shows_a_signal_that_stays_and_one_that_is_a_millionth(seed):
    s = last(seed=seed)
    assert 0.2 < s.signal[0].min() < s.signal[0].max() < 4 and s.smallest_signal < 1e-5
    assert (np.diff(s.signal[1, 0]) < 0).all() and s.largest_signal == s.signal[0, 0, -1]


# --------------------------------------------------------------------------------------------------- vanishing gradient


@pytest.mark.fact("vanishing-gradient")
@pytest.mark.parametrize("seed", range(3))
def test_the_last_layers_learn_the_loss_falls_a_little_and_the_first_layers_stay_where_they_were(seed):
    begun, end = states(**VANISHING, seed=seed)[20], last(**VANISHING, seed=seed)
    assert begun.losses[0] > GUESS + 0.001 and end.losses[0] == pytest.approx(GUESS, abs=1e-4)
    assert end.moved[0, 0] == end.first_moved < 1e-6 < 1e-3 < end.moved[0, -1]
    assert end.losses[1] < 0.02 and end.moved[1].min() > 0.02, "tanh: every layer has moved"


@pytest.mark.fact("vanishing-gradient")
def test_a_fifty_times_larger_learning_rate_does_not_help():
    end = last(**VANISHING | {"activation": ("sigmoid",), "rate": 5.0})
    assert end.losses[0] > 0.55 and end.first_moved < 1e-4


@pytest.mark.fact("vanishing-gradient")
def test_a_sigmoid_layer_leaves_less_than_a_quarter_of_the_error():
    shared = {"versus": "none", "gradient": "dL/dz", "width": 512, "depth": 10}
    sigmoid = last(activation=("sigmoid",), init="Xavier", **shared).gradients[0]
    assert (sigmoid[0] / sigmoid[-1]) ** (1 / 9) == pytest.approx(0.2325, abs=0.005)
    assert all(0.19 < below / above < 0.27 for below, above in pairwise(sigmoid))
    relu = last(activation=("ReLU",), init="He", **shared).gradients[0]
    assert all(0.8 < below / above < 1.25 for below, above in pairwise(relu))


@pytest.mark.fact("vanishing-gradient")
def test_relu_does_not_rule_it_out():
    values = {"versus": "none", "gradient": "dL/dz", "init": "chosen", "sd": 0.01, "width": 256}
    assert last(**values).gradient_ratio < 1e-15
    assert last(**values | {"sd": 1.0}).gradient_ratio > 1e15, "and the weights can make it explode"


@pytest.mark.fact("vanishing-gradient")
@pytest.mark.parametrize("activation", RANGES)
def test_loss_gradients_and_trained_weights_are_those_of_torch(activation):
    import torch

    torch.set_num_threads(1)
    f = {"ReLU": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "linear": lambda z: z}[activation]
    values = {"activation": (activation,), "versus": "none", "depth": 4, "width": 20, "train": 3, "seed": 5}
    p = Params(**values)
    ours = states(**values)
    w = [torch.tensor(weight(p, Kind(activation, "He", 1.0), 0, k), requires_grad=True) for k in range(1, p.depth + 1)]
    first = [one.detach().clone() for one in w]
    rng = np.random.default_rng([p.seed, 0, 0])
    x = np.random.default_rng([p.seed, 0]).standard_normal((EXAMPLES, p.width))
    score = torch.from_numpy(x @ rng.standard_normal(p.width))
    y = (score >= score.sort(descending=True).values[EXAMPLES // 4 - 1]).double()
    v = torch.tensor(rng.standard_normal(p.width) / math.sqrt(p.width), requires_grad=True)
    optimizer = torch.optim.SGD([*w, v], lr=p.rate)
    for t in range(p.train + 1):
        h = torch.from_numpy(x)
        for one in w:
            h = f(h @ one.T)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(h @ v, y)
        optimizer.zero_grad()
        loss.backward()
        if t == 0:
            gradients = [float(one.grad.square().mean().sqrt()) for one in w]
            assert ours[2 * p.depth].gradients[0] == pytest.approx(gradients, rel=1e-9)
        state = ours[2 * p.depth + t]
        assert state.losses[0] == pytest.approx(float(loss.detach()), rel=1e-10)
        with torch.no_grad():
            moved = [float((one - before).norm() / before.norm()) for one, before in zip(w, first, strict=True)]
        if t == 0:
            assert np.isnan(state.moved).all() and moved == [0] * p.depth, "nothing has been trained yet"
        else:
            assert state.moved[0] == pytest.approx(moved, rel=1e-8, abs=1e-14)
        optimizer.step()


@pytest.mark.fact("vanishing-gradient")
def test_in_the_first_step_a_layer_moves_by_the_rate_times_its_gradient():
    values = VANISHING | {"train": 1}
    end, p = last(**values), Params(**values)
    size = np.array([rms(weight(p, Kind("tanh", "Xavier", 1.0), 0, k)) for k in range(1, p.depth + 1)])
    assert end.moved * size == pytest.approx(p.rate * end.gradients, rel=1e-5)


# --------------------------------------------------------------------------------------------------- theory and picture


@pytest.mark.parametrize("activation", RANGES)
def test_wide_nets_come_close_to_the_theory_at_every_layer(activation):
    for init, gain in (("Xavier", 1.0), ("He", 1.0), ("Xavier", 5 / 3)):
        values = {"activation": (activation,), "init": init, "gain": gain, "depth": 8, **WIDE}
        assert last(**values).signal[0, 0] == pytest.approx(
            theory(Params(**values), Kind(activation, init, gain)), rel=0.35
        )


def test_theory_for_relu_is_a_half_per_layer_and_1_with_he():
    p = Params(depth=6)
    assert theory(p, Kind("ReLU", "1/n", 1.0)) == pytest.approx([2.0**-k for k in range(7)])
    assert theory(p, Kind("ReLU", "He", 1.0)) == pytest.approx([1.0] * 7)
    assert theory(p, Kind("linear", "chosen", 1.0)) == pytest.approx([(p.width * p.sd**2) ** k for k in range(7)])


def test_the_gain_belongs_to_the_first_initialization_only():
    p = Params(init="Xavier", versus="Xavier", gain=2)
    assert names(p) == ["ReLU + 2 × Xavier", "ReLU + Xavier"]
    signal = last(init="Xavier", versus="Xavier", gain=2, depth=3, width=64).signal[:, 0, -1]
    assert signal[0] == pytest.approx(4**3 * signal[1])


def test_the_first_of_several_nets_is_the_one_that_is_shown_alone():
    one, five = last(width=32, depth=5), last(width=32, depth=5, nets=5)
    assert np.array_equal(one.signal[:, 0], five.signal[:, 0]) and np.array_equal(one.gradients, five.gradients)
    assert len(set(five.signal[0, :, -1])) == 5


def test_a_histogram_counts_what_is_outside_at_the_edge_and_starts_at_the_lowest_value():
    h = np.array([[-5.0, -0.99, -0.99, 0.99, 2.0, 9.0, 9.0, 9.0]])
    bins = histogram(h, "tanh") ** 2
    assert bins[0] == pytest.approx(3 / 3) and bins[-1] == pytest.approx(5 / 3) and bins[1:-1].sum() == 0


def test_the_picture_grows_with_the_signal_and_small_values_are_at_its_foot():
    p = Params(depth=6, width=64)
    run_so_far = states(depth=6, width=64)
    *layers, first, second = draw(p, run_so_far, 3).fields
    assert [field["z"].shape for field in layers] == [(1, 7)] * 4, "a row up and a row down for each net"
    assert first["z"].shape == (BINS, 7)
    assert first["z"][:, :4].any(axis=0).all() and not first["z"][:, 4:].any()
    assert first["z"][20:, 3].any() and not second["z"][25:, 3].any(), "with Xavier the values are small already"


def test_a_rate_that_is_too_large_ends_the_run_with_a_sentence_and_can_be_drawn():
    values = {"depth": 6, "width": 64, "train": 60, "rate": 10.0}
    p, seen = Params(**values), states(**values)
    found = re.search(r"Training step (\d+): .* diverged\. η = 10 is too large", told(**values))
    assert found and int(found[1]) == seen[-1].step - 12 and len(seen) < p.length
    assert all(s.worst_loss is None or math.isfinite(s.worst_loss) for s in seen)
    film = Film(note, draw, p, p.length)
    film.extend(seen, True)
    assert film.steps[-1] == len(seen) - 1


def test_nets_of_too_many_weights_are_not_trained_and_it_is_said():
    values = {"width": 512, "depth": 6, "train": 100}
    p = Params(**values)
    assert p.weights == 2 * 6 * 512**2 > MOST_WEIGHTS and p.length == 13 == len(states(**values))
    assert "Not trained: 3,145,728 weights are more than 1,200,000" in told(**values)
    assert Params(**values | {"width": 128}).length == 113


def test_dead_nets_have_notes_and_a_picture():
    values = {"width": 16, "shape": "funnel", "depth": 50, "init": "chosen", "versus": "none"}
    dead = [seed for seed in range(6) if last(**values, seed=seed).signal[0, 0, -1] == 0]
    assert dead and all("0 in size" in told(**values, seed=seed) for seed in dead)


def test_notes_give_the_factors_of_the_weights_and_of_the_activation():
    found = re.fullmatch(
        r"Layer 7, ReLU \+ He: mean square of the activations (\S+)\. The weights multiplied that of layer 6 by (\S+), "
        r"ReLU \(0 for (\d\d)% of the values\) by (\S+)\. By comparison, ReLU \+ Xavier: (\S+)\.",
        told(7, init="He", versus="Xavier", seed=3),
    )
    here, by_weights, zero, by_relu, other = map(float, found.groups())
    squares = last(init="He", versus="Xavier", seed=3).signal[:, 0]
    assert here == pytest.approx(squares[0, 7], rel=0.01) and other == pytest.approx(squares[1, 7], rel=0.01)
    assert by_weights * by_relu == pytest.approx(squares[0, 7] / squares[0, 6], rel=0.02)
    assert by_weights == pytest.approx(2, abs=0.3) and 40 < zero < 60


def test_what_is_not_known_yet_is_none():
    start, *_ = seen = states(depth=3, width=32, train=5)
    assert (start.gradient_ratio, start.first_moved, start.worst_loss) == (None, None, None)
    assert seen[4].gradient_ratio == 1 and seen[4].worst_loss is not None and seen[6].first_moved is None
    assert seen[7].first_moved > 0


@pytest.mark.parametrize(("init", "variance"), [("Xavier", 2 / (128 + 64)), ("He", 2 / 128), ("1/n", 1 / 128)])
def test_where_fan_in_and_fan_out_differ_the_initializations_do(init, variance):
    last = states(init=init, versus="none", shape="funnel", depth=3, width=128)[-1]
    assert last.first_sd == pytest.approx(math.sqrt(variance))
