"""Layers in a row: how the map shrinks, and how far the zeros of a padding reach."""

from functools import cache

import numpy as np
import pytest

from playgrounds._maps import kernel_of
from playgrounds.convolution_layers.model import Params, State, run
from playgrounds.convolution_layers.picture import note
from tests.playgrounds.maps import conv2d


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


@pytest.mark.fact("padding")
def test_thirteen_unpadded_layers_of_three_by_three_leave_two_of_28_columns_and_a_fourteenth_is_impossible():
    played = states(picture="plain", side=28, kernel="blur")
    assert [s.width for s in played] == list(range(28, 1, -2))
    more = states(picture="plain", side=28, kernel="blur", layers=14)
    told = note(Params(picture="plain", side=28, kernel="blur", layers=14), more, 13)
    assert len(more) == 14 and "Layer 14 is impossible" in told


@pytest.mark.fact("padding")
def test_with_padding_the_border_is_seen_one_ring_further_in_at_every_layer():
    played = states(picture="plain", side=28, kernel="blur", padding=1)
    for n, state in enumerate(played):
        y, inner = state.y, slice(n, 28 - n)
        assert state.width == 28 and np.allclose(y[inner, inner], 1)
        seen = np.ones((28, 28), bool)
        seen[inner, inner] = False
        assert (y[seen] < 1 - 1e-7).all(), "darker than the picture, which is 1 everywhere"
        assert state.border == pytest.approx(1 - ((28 - 2 * n) / 28) ** 2)
    assert all(s.border == 0 for s in states(picture="plain", side=28, kernel="blur"))
    assert played[-1].y[0, 0] < 0.2


@pytest.mark.parametrize(
    "values", [{"padding": 2, "stride": 2}, {"padding": 3, "dilation": 2}, {"kernel": "difference"}]
)
def test_which_outputs_have_seen_padding_is_what_changes_with_its_value(values):
    p = Params(layers=3, side=16, **values)
    x = np.random.default_rng(0).normal(size=(1, 16, 16))
    w = np.ones((1, 1, *kernel_of(p).shape))
    made = []
    for border in (0.0, 1.0):  # the padding's value in every layer
        y = x
        for _ in range(len(p.sizes) - 1):
            y = np.pad(y, ((0, 0), *[(p.padding,) * 2] * 2), constant_values=border)
            y = conv2d(y, w, stride=p.stride, dilation=p.dilation)
        made.append(y[0])
    assert np.array_equal(list(run(p))[-1].seen, ~np.isclose(made[0], made[1]))


def test_the_parameters_and_those_of_dense_layers_add_up_over_the_layers():
    import torch

    first, second = states(layers=2)[1:]
    dense = [torch.nn.Linear(64, 36, device="meta"), torch.nn.Linear(36, 16, device="meta")]
    weights = [sum(w.numel() for w in layer.parameters()) for layer in dense]
    assert (first.parameters, second.parameters) == (10, 20)
    assert (first.dense_parameters, second.dense_parameters) == (weights[0], sum(weights))


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize("values", [{}, {"stride": 2}, {"dilation": 2}, {"kernel": "difference", "stride": 2}])
def test_the_receptive_field_is_as_wide_as_the_columns_up_to_the_last_that_the_first_value_notices(values):
    p = Params(picture="plain", side=32, layers=3, **values)
    w = np.ones((1, 1, *kernel_of(p).shape))

    def first(x: np.ndarray) -> float:
        for _ in range(p.layers):
            x = conv2d(x[None], w, stride=p.stride, dilation=p.dilation)[0]
        return float(x[0, 0])

    before = np.ones((32, 32))
    noticed = [first(before + (np.arange(32) == column)) != first(before) for column in range(32)]
    assert list(run(p))[-1].region == np.flatnonzero(noticed)[-1] + 1
