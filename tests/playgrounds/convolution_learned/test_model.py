"""A kernel is learned from a picture and its map: when it is found, and when it cannot be."""

from functools import cache

import numpy as np
import pytest

from playgrounds._maps import KERNELS, picture
from playgrounds.convolution_learned.model import Params, State, run
from playgrounds.convolution_learned.picture import note
from playgrounds.kit.conditions import holds
from playgrounds.kit.forms import matrix
from tests.playgrounds.maps import grid


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def told(**values) -> str:
    """The last note."""
    return note(Params(**values), states(**values), len(states(**values)) - 1)


SEEDS = range(1, 6)


@pytest.mark.fact("kernel-filter")
@pytest.mark.parametrize("seed", SEEDS)
def test_training_recovers_the_hidden_edge_kernel_from_a_picture_and_its_map(seed):
    state = last(picture="step", kernel="difference", seed=seed)
    assert state.w == pytest.approx(np.array([[1, -1]]), abs=5e-4)
    assert state.kernel_error < 5e-4 < states(picture="step", kernel="difference", seed=seed)[0].kernel_error


@pytest.mark.fact("kernel-filter")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_picture_whose_rows_are_alike_gives_zero_loss_and_a_wrong_kernel_with_the_right_column_sums(seed):
    state = last(picture="step", seed=seed)
    assert state.loss < 1e-9 and state.kernel_error > 0.3 and "directions" in told(picture="step", seed=seed)
    assert state.w.sum(axis=0) == pytest.approx([-4, 0, 4], abs=0.01)
    rich = last(steps=600, seed=seed)
    assert rich.kernel_error < 0.01 and "was found" in told(steps=600, seed=seed)


@pytest.mark.fact("convolution")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_layer_that_does_not_flip_learns_the_kernel_turned_round_and_loses_nothing(seed):
    state = last(kernel="emboss", flip=True, steps=600, seed=seed)
    w = matrix(KERNELS["emboss"])
    assert state.loss < 1e-6 and np.allclose(state.w, w[::-1, ::-1], atol=0.01)
    assert "turned" in told(kernel="emboss", flip=True, steps=600, seed=seed)
    assert state.kernel_error == pytest.approx(np.abs(w - w[::-1, ::-1]).max(), abs=0.01)


@pytest.mark.fact("kernel-filter")
def test_the_gradient_by_hand_is_that_of_torch():
    import torch

    values = {"kernel": "Sobel y", "picture": "digit", "steps": 20, "bias": 1.5}
    played = states(**values)
    x = torch.from_numpy(picture(Params(**values)) / 16)[None, None]
    assert x.max() < 1, "this digit has no pixel of 16"
    x = x / x.max()
    target = torch.from_numpy(played[0].target)[None, None]
    layer = torch.nn.Conv2d(1, 1, 3).double()
    with torch.no_grad():
        layer.weight[:] = torch.from_numpy(played[0].w)
        layer.bias[:] = 0
    optimizer = torch.optim.SGD(layer.parameters(), lr=Params(**values).rate)
    for state in played:
        loss = ((layer(x) - target) ** 2).mean()
        assert state.loss == pytest.approx(loss.item()) and np.allclose(state.w, layer.weight.detach(), atol=1e-9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_too_large_a_learning_rate_diverges_and_says_so():
    played = states(rate=2.0)
    assert len(played) < 301 and "diverged" in told(rate=2.0) and holds("> 1e6", played[-1].loss)


def test_a_kernel_larger_than_the_picture_has_no_map_to_learn_from_and_a_sentence_says_so():
    too_large = {"kernel": "own", "grid": grid(np.ones((5, 5))), "side": 4}
    state = last(**too_large)
    assert state.width == 0 and state.loss is state.kernel_error is None
    assert "covers 5 × 5 pixels" in told(**too_large) and "4 × 4" in told(**too_large)
