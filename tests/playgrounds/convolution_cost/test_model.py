"""What a convolution costs on a growing image, and what a dense layer would."""

from functools import cache

import pytest

from playgrounds.convolution_cost.model import Params, State, run


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


@pytest.mark.fact("kernel-filter")
@pytest.mark.parametrize("image", [8, 32, 224])
def test_three_to_64_channels_are_1792_parameters_at_any_size_and_a_dense_layer_for_32_pixels_177_million(image):
    import torch

    played = states(image=image)
    assert {s.parameters for s in played} == {1792} and played[-1].step == image
    assert sum(w.numel() for w in torch.nn.Conv2d(3, 64, 3).parameters()) == 1792
    dense = [s.dense_parameters for s in played]
    assert dense == sorted(set(dense)), "while the dense layer grows with every pixel"
    assert (dense[-1] == 177_004_800) == (image == 32)


def test_the_dense_layer_stands_between_the_same_inputs_and_outputs():
    import torch

    state = last(image=8, channels_in=2, channels_out=3)
    layer = torch.nn.Linear(8 * 8 * 2, 6 * 6 * 3, device="meta")
    assert sum(w.numel() for w in layer.parameters()) == state.dense_parameters


def test_every_value_of_every_map_takes_a_product_per_weight():
    assert last(image=8, channels_in=2, channels_out=3).products == (6 * 6 * 3) * (3 * 3 * 2)
