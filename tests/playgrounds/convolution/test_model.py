"""Convolutions: what a window computes, how large a map is, and what stride and padding do to it."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from playgrounds._maps import KERNELS, Places, outputs, picture, reach
from playgrounds.convolution.model import CELLS, Params, State, run
from playgrounds.kit.forms import matrix
from tests.playgrounds.maps import conv2d, grid


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


@pytest.mark.fact("convolution")
def test_a_ramp_under_1_2_3_4_gives_27_37_57_67_and_13_23_43_53_if_the_kernel_is_flipped():
    ramp = {"picture": "ramp", "side": 3, "kernel": "own", "grid": "1,2;3,4"}
    assert [s.output for s in states(**ramp)] == [27, 37, 57, 67]
    assert [s.output for s in states(**ramp, flip=True)] == [13, 23, 43, 53]
    assert [s.output for s in states(**ramp, bias=-2)] == [25, 35, 55, 65]


@pytest.mark.fact("convolution")
@pytest.mark.parametrize("f", [(1, 1), (1, 2), (2, 2), (3, 3), (3, 2), (5, 5)])
def test_sizes_and_values_are_those_of_torch_for_every_padding_stride_and_dilation(f):
    rng = np.random.default_rng(0)
    w = rng.integers(-3, 4, f).astype(float)
    for padding, stride, dilation in product(range(5), range(1, 5), range(1, 4)):
        p = Params(
            picture="noise", side=6, kernel="own", grid=grid(w), padding=padding, stride=stride, dilation=dilation
        )
        played = list(run(p))
        if any(reach(k, dilation) > 6 + 2 * padding for k in f):
            assert len(played) == p.length == 1 and played[0].width == 0
            continue
        theirs = conv2d(picture(p)[None], w[None, None], padding=padding, stride=stride, dilation=dilation)[0]
        assert np.array_equal(played[-1].y, theirs) and played[-1].width == theirs.shape[1]
        assert len(played) == p.length == (theirs.size if theirs.size <= CELLS else len(theirs))
        assert [s.output for s in played] == [theirs[s.at] for s in played], "what a step computes is what is drawn"


@pytest.mark.fact("convolution")
@pytest.mark.parametrize("kernel", KERNELS)
def test_flipped_it_is_the_convolution_of_mathematics(kernel):
    p = Params(kernel=kernel, flip=True, picture="digit")
    x, w = picture(p), matrix(KERNELS[kernel])
    rows, columns = (a - b + 1 for a, b in zip(x.shape, w.shape, strict=True))
    full = np.zeros((x.shape[0] + w.shape[0] - 1, x.shape[1] + w.shape[1] - 1))
    for u, v in np.ndindex(w.shape):  # (x * w)[i, j] = Σ w[u, v] x[i − u, j − v], by moving copies of x
        full[u : u + x.shape[0], v : v + x.shape[1]] += w[u, v] * x
    top, left = w.shape[0] - 1, w.shape[1] - 1
    assert np.allclose(last(kernel=kernel, flip=True, picture="digit").y, full[top : top + rows, left : left + columns])


@pytest.mark.fact("convolution")
def test_each_output_depends_on_its_window_alone_and_all_positions_share_the_weights():
    def dot(column: int) -> np.ndarray:
        drawn = ["0"] * 16**2
        drawn[5 * 16 + column] = "f"
        return last(picture="own", own="".join(drawn), padding=1).y

    dotted, moved = dot(6), dot(9)
    assert set(map(tuple, np.argwhere(dotted).tolist())) <= set(product((4, 5, 6), (5, 6, 7)))
    assert np.array_equal(np.roll(dotted, 3, axis=1), moved), "a shifted picture has a shifted map"


@pytest.mark.fact("stride")
def test_on_32_pixels_with_a_padding_of_one_stride_1_gives_32_columns_and_stride_2_gives_16():
    for stride, width in ((1, 32), (2, 16)):
        state = last(side=32, padding=1, stride=stride)
        assert state.width == width and state.y.shape == (width, width) and state.parameters == 10


@pytest.mark.fact("stride")
@pytest.mark.fact("convolution")
def test_the_size_is_the_number_of_places_where_the_window_fits():
    for w, f, padding, stride, dilation in product((3, 8, 9), (1, 2, 3, 5), (0, 1, 4), (1, 2, 4), (1, 3)):
        covered = dilation * (f - 1)
        starts = [k for k in range(0, w + 2 * padding, stride) if k + covered < w + 2 * padding]
        assert outputs(w, f, Places(padding, stride, dilation)) == len(starts)


@pytest.mark.fact("stride")
def test_a_stride_is_every_sth_output_of_stride_one_and_one_beyond_the_kernel_leaves_pixels_unread():
    every = last(picture="digit").y
    for stride in (2, 3, 4):
        assert np.array_equal(last(picture="digit", stride=stride).y, every[::stride, ::stride])
    unread = {s: last(picture="digit", stride=s).unread for s in (1, 2, 3, 4)}
    assert unread == {1: 0, 2: 64 - 49, 3: 64 - 36, 4: 64 - 36}
    assert last(side=7, stride=4).unread == 49 - 36, "without a remainder, too: the windows lie apart"
    assert last(picture="digit", stride=4, padding=1).unread == 64 - 25, "zeros of the padding are no pixels"
    assert last(picture="digit", stride=4, kernel="own", grid="1,1,1,1;1,1,1,1;1,1,1,1;1,1,1,1").unread == 0


@pytest.mark.fact("padding")
def test_same_padding_needs_an_odd_kernel_a_two_by_two_with_a_padding_of_one_makes_nine_of_eight():
    assert last(kernel="own", grid="1,2;3,4", padding=1).width == 9
    assert last(kernel="own", grid="1,2;3,4").width == 7
    for f in (1, 3, 5):
        same = {"kernel": "own", "grid": grid(np.ones((f, f))), "padding": (f - 1) // 2}
        assert last(**same).width == 8 and last(**same, stride=2).width == 4


@pytest.mark.fact("feature-map")
@pytest.mark.parametrize("side", [8, 15, 32])
def test_one_minus_one_answers_plus_or_minus_one_at_edges_and_zero_elsewhere(side):
    state = last(picture="step", kernel="difference", side=side)
    row = np.diff(picture(Params(picture="step", side=side))[0])
    assert np.array_equal(state.y, np.tile(-row, (side, 1)))
    assert sorted(np.unique(state.y)) == [-1, 0, 1] and np.count_nonzero(state.y[0]) == 2


def test_where_no_position_fits_the_map_is_empty_and_every_pixel_unread():
    ones = grid(np.ones((5, 5)))
    state = last(kernel="own", grid=ones, side=4)
    assert state.width == 0 and state.unread == 16 and state.border is state.output is None
    assert last(kernel="own", grid=ones, side=8, dilation=3, padding=3).width == 2
    assert last(kernel="own", grid="1,1,1,1,1", side=3).y.shape == (0, 0), "though the rows would fit"


def test_of_a_large_map_a_step_is_a_row_with_its_strongest_answer():
    played = states(picture="photo")
    assert len(played) == 38
    for state in played:
        i, _ = state.at
        assert abs(state.output) == np.abs(state.y[i]).max()


def test_the_dense_layer_stands_between_the_same_inputs_and_outputs():
    import torch

    layer = torch.nn.Linear(64, 36, device="meta")
    assert sum(w.numel() for w in layer.parameters()) == last(picture="digit").dense_parameters
