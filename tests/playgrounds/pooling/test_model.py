"""Pooling: what a window keeps, which shifts it does not notice, and what a classifier makes of what is left."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from playgrounds._maps import digits
from playgrounds.pooling.model import ALWAYS, BRIGHT, SIDE, TRAIN, Params, Pool, State, accuracy, outputs, pooled, run

LEGAL = list(product((2, 3, 4), (1, 2, 3, 4)))  # windows and strides that the knobs allow
SEEDS = range(3)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def filled(played: list[State]) -> np.ndarray:
    """What the run has computed step by step: maxima and averages (2, side, side)."""
    side = int(np.sqrt(len(played)))
    return np.array([(s.maximum, s.average) for s in played]).T.reshape(2, side, side)


def moved(state: State) -> np.ndarray:
    """Which maxima and averages the shift has changed, (2, side, side)."""
    return np.array([state.maxima != state.maxima_before, state.averages != state.averages_before])


def curves(**values) -> np.ndarray:
    """Change by every shift, without pooling, of the maxima, of the averages, (3, SIDE)."""
    return np.array(list(next(run(Params(**values))).changes.values()))


@pytest.mark.fact("pooling")
@pytest.mark.parametrize(("window", "stride"), LEGAL)
def test_the_outputs_are_those_of_torch_for_every_legal_window_and_stride(window, stride):
    import torch

    for digit in (1, 3, 8):
        played = states(picture="digit", digit=digit, dx=2, window=window, stride=stride)
        image = torch.from_numpy(played[0].image)[None, None]
        for made, f in zip(filled(played), (torch.nn.functional.max_pool2d, torch.nn.functional.avg_pool2d)):
            theirs = f(image, window, stride)[0, 0].numpy()
            assert made.shape == theirs.shape and np.allclose(made, theirs, rtol=0, atol=1e-12)
        made = [played[0].maxima, played[0].averages]
        assert np.allclose(made, filled(played), atol=1e-12), "and the picture shows what was computed"


@pytest.mark.fact("stride")
@pytest.mark.fact("pooling")
@pytest.mark.parametrize(("window", "stride"), LEGAL)
def test_the_output_has_floor_of_size_minus_window_over_stride_plus_one_values_a_side(window, stride):
    starts = [k for k in range(0, SIDE, stride) if k + window <= SIDE]
    assert outputs(window, stride) == len(starts)
    played = states(window=window, stride=stride)
    assert len(played) == played[-1].step == len(starts) ** 2 == Params(window=window, stride=stride).length


@pytest.mark.fact("pooling")
def test_two_by_two_windows_keep_a_quarter_of_the_values():
    assert last().maxima.size / last().image.size == 0.25


@pytest.mark.fact("pooling")
def test_pooling_has_no_parameters_nothing_in_it_is_drawn_or_has_a_scale():
    first, second = last(picture="digit", seed=1), last(picture="digit", seed=2)
    assert np.array_equal(first.maxima, second.maxima) and np.array_equal(first.averages, second.averages)
    image = np.random.default_rng(0).integers(0, 17, (SIDE, SIDE)).astype(float)
    for kind in ("max", "average"):
        assert np.array_equal(pooled(3 * image, Pool(kind, 2, 2)), 3 * pooled(image, Pool(kind, 2, 2)))


@pytest.mark.fact("pooling")
@pytest.mark.parametrize("window", [2, 4])
def test_a_dot_moved_inside_its_window_leaves_the_output_identical_and_across_the_border_it_does_not(window):
    for x, dx in product(range(SIDE), repeat=2):
        state = last(window=window, stride=window, x=x, dx=dx)
        inside = x // window == (x + dx) % SIDE // window
        if inside:
            assert state.change_max == state.change_average == 0 and not moved(state).any()
        else:
            assert state.change_max == pytest.approx(np.sqrt(2)) and moved(state).sum() == 4
        assert (state.change_unpooled == 0) == (dx == 0)


@pytest.mark.fact("pooling")
def test_with_overlapping_windows_at_stride_one_every_shift_is_noticed():
    for x in range(SIDE):
        assert (curves(stride=1, x=x)[1:, 1:] > 0).all()


@pytest.mark.fact("pooling")
def test_pooling_is_not_invariant_every_shift_of_every_digit_changes_both_outputs_but_less_than_the_pixels():
    for digit, sample in product(range(10), range(4)):
        raw, most, mean = curves(picture="digit", digit=digit, sample=sample)
        assert (raw[1:] > 0.3).all() and (most[1:] > 0.05).all() and (mean[1:] > 0.05).all()
        assert most[1] < raw[1] and mean[1] < raw[1]


def test_the_change_is_the_distance_over_the_larger_norm():
    state = last(picture="digit", digit=5, dx=3)
    before, after = pooled(np.roll(state.image, -3, axis=1), Pool("max", 2, 2)), state.maxima
    larger = max(np.sqrt((before**2).sum()), np.sqrt((after**2).sum()))
    assert state.change_max == pytest.approx(np.sqrt(((before - after) ** 2).sum()) / larger)


@pytest.mark.fact("pooling")
def test_the_average_of_a_lone_dot_is_a_windowth_of_it_and_its_maximum_the_dot_itself():
    for window in (2, 3, 4):
        state = last(window=window, stride=window, dx=0)
        assert state.maxima.max() == BRIGHT and state.averages.max() == pytest.approx(BRIGHT / window**2)


# -------------------------------------------------------------------------------------------- what a classifier keeps


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # some pixels are 0 in every digit of a class
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("classifier", ["nearest mean", "nearest neighbour"])
def test_the_classifiers_are_those_of_scikit_learn(classifier, seed):
    from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

    images, labels = digits()
    order = np.random.default_rng(seed).permutation(len(images))
    train, test = order[:TRAIN], order[TRAIN:]
    moved = np.concatenate([images[test][:, :, -1:], images[test][:, :, :-1]], axis=2)
    for pool in (*ALWAYS, Pool("max", 3, 2), Pool("average", 3, 2)):
        x, x_test, x_moved = (
            pooled(some, pool).reshape(len(some), -1) for some in (images[train], images[test], moved)
        )
        model = NearestCentroid() if classifier == "nearest mean" else KNeighborsClassifier(1, algorithm="brute")
        model.fit(x, labels[train])
        theirs = model.score(x_test, labels[test]), model.score(x_moved, labels[test])
        ours = accuracy(pool, classifier, 1, seed)
        assert (ours.still, ours.shifted) == pytest.approx(theirs, abs=0.006), "ties may go to another class"


@pytest.mark.fact("pooling")
@pytest.mark.parametrize("seed", range(8))
def test_pooling_costs_accuracy_on_digits_in_place_and_loses_less_when_they_are_shifted_but_is_far_from_invariant(seed):
    state = last(seed=seed)
    assert state.accuracy_unpooled > 0.86
    assert 0.68 < state.accuracy_max < state.accuracy_average < state.accuracy_unpooled - 0.05
    for kept, moved in (
        (state.accuracy_max, state.shifted_max),
        (state.accuracy_average, state.shifted_average),
    ):
        assert moved > state.shifted_unpooled + 0.08, "tolerant: better than the pixels on shifted digits"
        assert moved < kept - 0.15, "not invariant"
    assert state.shifted_unpooled < 0.36


@pytest.mark.fact("pooling")
@pytest.mark.parametrize("seed", SEEDS)
def test_four_values_of_four_by_four_windows_are_too_few_and_their_maxima_are_nearly_useless(seed):
    state = last(window=4, stride=4, seed=seed)
    assert state.accuracy_max < 0.3 < 0.45 < state.accuracy_average < 0.62


@pytest.mark.parametrize("seed", SEEDS)
def test_a_nearest_neighbour_gains_next_to_nothing_from_pooling_on_shifted_digits(seed):
    state = last(seed=seed, classifier="nearest neighbour")
    assert state.accuracy_unpooled > 0.97
    assert state.shifted_max < state.shifted_unpooled + 0.05 and state.shifted_average < state.shifted_unpooled + 0.07
