"""Convolutions: what a window computes, how large a map is, what a kernel learns, and what all of it costs."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from playgrounds.convolution import (
    CELLS,
    FILTERS,
    KERNELS,
    Params,
    State,
    bank,
    colours,
    draw,
    outputs,
    picture,
    reach,
    run,
    touched,
)
from playgrounds.kit.conditions import holds
from playgrounds.kit.forms import matrix

SEEDS = range(1, 6)
ONES = ";".join([",".join("1" * 5)] * 5)


def grid(w: np.ndarray) -> str:
    """A kernel as the text of its knob."""
    return ";".join(",".join(f"{v:g}" for v in row) for row in w)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def conv2d(x: np.ndarray, w: np.ndarray, b: float = 0.0, **settings) -> np.ndarray:
    """The layer of torch: x (C, H, W), w (K, C, f, f)."""
    import torch

    x, w = (torch.from_numpy(np.ascontiguousarray(some, float)) for some in (x, w))
    return torch.nn.functional.conv2d(x[None], w, torch.full((len(w),), b, dtype=x.dtype), **settings)[0].numpy()


# -------------------------------------------------------------------------------------------------------- one window


@pytest.mark.fact("convolution")
def test_a_ramp_under_1_2_3_4_gives_27_37_57_67_and_13_23_43_53_if_the_kernel_is_flipped():
    ramp = {"picture": "ramp", "side": 3, "kernel": "own", "grid": "1,2;3,4"}
    assert [s.output for s in states(**ramp)] == [27, 37, 57, 67]
    assert [s.output for s in states(**ramp, flip=True)] == [13, 23, 43, 53]
    assert states(**ramp)[0].note == "Output row 0, column 0: 0·1 + 1·2 + 3·3 + 4·4 = 27."
    assert [s.output for s in states(**ramp, bias=-2)] == [25, 35, 55, 65]
    assert states(**ramp, bias=-2)[0].note.endswith("4·4 + (−2) = 25.")


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
        assert np.array_equal(played[-1].outcome[0], theirs) and played[-1].width == theirs.shape[1]
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
    assert np.allclose(last(kernel=kernel, flip=True, picture="digit").outcome[0],
                       full[top : top + rows, left : left + columns])  # fmt: skip


@pytest.mark.fact("convolution")
def test_each_output_depends_on_its_window_alone_and_all_positions_share_the_weights():
    def dot(column: int) -> np.ndarray:
        drawn = ["0"] * 16**2
        drawn[5 * 16 + column] = "f"
        return last(picture="own", own="".join(drawn), padding=1).outcome[0]

    dotted, moved = dot(6), dot(9)
    assert set(map(tuple, np.argwhere(dotted).tolist())) <= set(product((4, 5, 6), (5, 6, 7)))
    assert np.array_equal(np.roll(dotted, 3, axis=1), moved), "a shifted picture has a shifted map"


@pytest.mark.fact("convolution")
def test_an_output_is_one_sum_over_all_channels():
    p = Params(view="filters", picture="photo")
    theirs = conv2d(colours(p), bank(FILTERS))
    assert np.allclose(last(view="filters", picture="photo").outcome, theirs, rtol=0, atol=1e-9)
    apart = sum(conv2d(colours(p)[[c]], bank(FILTERS)[:, [c]]) for c in range(3))
    assert np.allclose(apart, theirs, rtol=0, atol=1e-9)


def test_where_no_position_fits_the_output_is_empty_and_a_sentence_says_why():
    for view in ("slide", "learn"):
        state = last(view=view, kernel="own", grid=ONES, side=4)
        assert state.width == 0 and state.unread == 16
        assert "covers 5 × 5 pixels" in state.note and "4 × 4" in state.note
    state = last(kernel="own", grid=ONES, side=8, dilation=3, padding=2)
    assert "covers 13 × 13 pixels and the padded picture has 12 × 12" in state.note
    assert last(kernel="own", grid=ONES, side=8, dilation=3, padding=3).width == 2
    assert last(view="filters", side=3, dilation=2).width == 0


def test_of_a_large_map_a_step_is_a_row_and_its_products_are_those_of_the_strongest_answer():
    played = states(picture="photo")
    assert len(played) == 38
    for state in played:
        i, j = state.at
        assert abs(state.output) == np.abs(state.outcome[0, i]).max() and f"column {j}" in state.note


def test_pointing_at_an_output_tells_its_products():
    p = Params(picture="ramp", side=3, kernel="own")
    trace = next(t for t in draw(p, states(picture="ramp", side=3, kernel="own"), 0)["data"] if t["name"] == "sums")
    assert trace["hovertext"][1] == "row 0, column 1<br>1·1 + 2·2<br>+ 4·3 + 5·4 = 37"


def test_the_window_lies_on_the_pixels_whose_products_are_written_out():
    values = {"picture": "digit", "padding": 2, "stride": 3, "dilation": 2}
    p, played = Params(**values), states(**values)
    n = p.width + 2 * p.padding
    for now, state in enumerate(played):
        frame = draw(p, played, now)["layout"]["shapes"]
        taps = [s for s in frame if s.get("xref") == "x" and s["line"]["width"] == 2 and s["x1"] - s["x0"] == 1]
        assert len(taps) == 9
        seen = [state.planes[0, round(n - s["y1"]), round(s["x0"])] for s in taps]
        assert state.output == (np.array(seen).reshape(3, 3) * p.weights).sum()


# ------------------------------------------------------------------------------------------- stride, padding, maps


@pytest.mark.fact("stride")
def test_on_32_pixels_with_a_padding_of_one_stride_1_gives_32_columns_and_stride_2_gives_16():
    for stride, width in ((1, 32), (2, 16)):
        state = last(side=32, padding=1, stride=stride)
        assert state.width == width and state.outcome.shape == (1, width, width) and state.parameters == 10


@pytest.mark.fact("stride")
@pytest.mark.fact("convolution")
def test_the_size_is_the_number_of_places_where_the_window_fits():
    for w, f, padding, stride, dilation in product((3, 8, 9), (1, 2, 3, 5), (0, 1, 4), (1, 2, 4), (1, 3)):
        covered = dilation * (f - 1)
        starts = [k for k in range(0, w + 2 * padding, stride) if k + covered < w + 2 * padding]
        assert outputs(w, f, padding, stride, dilation) == len(starts)


@pytest.mark.fact("stride")
def test_a_stride_is_every_sth_output_of_stride_one_and_one_beyond_the_kernel_leaves_pixels_unread():
    every = last(picture="digit").outcome[0]
    for stride in (2, 3, 4):
        assert np.array_equal(last(picture="digit", stride=stride).outcome[0], every[::stride, ::stride])
    unread = {s: last(picture="digit", stride=s).unread for s in (1, 2, 3, 4)}
    assert unread == {1: 0, 2: 64 - 49, 3: 64 - 36, 4: 64 - 36}
    assert last(side=7, stride=4).unread == 49 - 36, "without a remainder, too: the windows lie apart"
    assert last(picture="digit", stride=4, padding=1).unread == 64 - 25, "zeros of the padding are no pixels"
    assert last(picture="digit", stride=4, kernel="own", grid="1,1,1,1;1,1,1,1;1,1,1,1;1,1,1,1").unread == 0


@pytest.mark.fact("padding")
def test_thirteen_unpadded_layers_of_three_by_three_leave_two_of_28_columns_and_a_fourteenth_is_impossible():
    played = states(view="layers", picture="plain", side=28, kernel="blur")
    assert [s.width for s in played] == list(range(28, 1, -2))
    more = states(view="layers", picture="plain", side=28, kernel="blur", layers=14)
    assert len(more) == 14 and "Layer 14 is impossible" in more[-1].note


@pytest.mark.fact("padding")
def test_same_padding_needs_an_odd_kernel_a_two_by_two_with_a_padding_of_one_makes_nine_of_eight():
    assert last(kernel="own", grid="1,2;3,4", padding=1).width == 9
    assert last(kernel="own", grid="1,2;3,4").width == 7
    for f in (1, 3, 5):
        same = {"kernel": "own", "grid": grid(np.ones((f, f))), "padding": (f - 1) // 2}
        assert last(**same).width == 8 and last(**same, stride=2).width == 4


@pytest.mark.fact("padding")
def test_with_padding_the_border_is_seen_one_ring_further_in_at_every_layer():
    played = states(view="layers", picture="plain", side=28, kernel="blur", padding=1)
    for n, state in enumerate(played):
        y, inner = state.outcome[0], slice(n, 28 - n)
        assert state.width == 28 and np.allclose(y[inner, inner], 1)
        seen = np.ones((28, 28), bool)
        seen[inner, inner] = False
        assert (y[seen] < 1 - 1e-7).all(), "darker than the picture, which is 1 everywhere"
        assert state.border == pytest.approx(1 - ((28 - 2 * n) / 28) ** 2)
    assert all(s.border == 0 for s in states(view="layers", picture="plain", side=28, kernel="blur"))
    assert played[-1].outcome[0, 0, 0] < 0.2


@pytest.mark.parametrize(
    "values", [{"padding": 2, "stride": 2}, {"padding": 3, "dilation": 2}, {"kernel": "difference"}]
)
def test_which_outputs_have_seen_padding_is_what_changes_with_its_value(values):
    p = Params(view="layers", layers=3, side=16, **values)
    x = np.random.default_rng(0).normal(size=(1, 16, 16))
    w = np.ones((1, 1, *p.weights.shape))
    made = []
    for border in (0.0, 1.0):  # the padding's value in every layer
        y = x
        for _ in range(len(p.sizes) - 1):
            y = np.pad(y, ((0, 0), *[(p.padding,) * 2] * 2), constant_values=border)
            y = conv2d(y, w, stride=p.stride, dilation=p.dilation)
        made.append(y[0])
    assert np.array_equal(touched(p, len(p.sizes) - 1), ~np.isclose(made[0], made[1]))


@pytest.mark.fact("feature-map")
@pytest.mark.parametrize("k", [1, 2, 5, 6])
def test_k_filters_make_k_maps_each_over_the_whole_input_and_not_3k(k):
    state = last(view="filters", picture="photo", filters=FILTERS[:k])
    assert state.maps == k and state.outcome.shape == (k, 38, 38) and state.parameters == (3 * 3 * 3 + 1) * k
    everyone = last(view="filters", picture="photo").outcome
    assert np.array_equal(state.outcome, everyone[:k]), "a map does not depend on the other filters"


@pytest.mark.fact("feature-map")
@pytest.mark.parametrize("side", [8, 15, 32])
def test_one_minus_one_answers_plus_or_minus_one_at_edges_and_zero_elsewhere(side):
    state = last(picture="step", kernel="difference", side=side)
    row = np.diff(picture(Params(picture="step", side=side))[0])
    assert np.array_equal(state.outcome[0], np.tile(-row, (side, 1)))
    assert sorted(np.unique(state.outcome)) == [-1, 0, 1] and np.count_nonzero(state.outcome[0, 0]) == 2


@pytest.mark.fact("feature-map")
def test_a_filter_that_compares_colours_has_nothing_to_say_about_a_grey_picture():
    colourful, grey = (last(view="filters", picture=name, filters=("red − blue",)) for name in ("photo", "digit"))
    assert np.abs(colourful.outcome).max() > 5 and not grey.outcome.any()


# ------------------------------------------------------------------------------------------------ learning, counting


@pytest.mark.fact("kernel-filter")
@pytest.mark.parametrize("seed", SEEDS)
def test_training_recovers_the_hidden_edge_kernel_from_a_picture_and_its_map(seed):
    state = last(view="learn", picture="step", kernel="difference", seed=seed)
    assert state.kernel[0, 0] == pytest.approx(np.array([[1, -1]]), abs=5e-4)
    assert (
        state.kernel_error < 5e-4 < states(view="learn", picture="step", kernel="difference", seed=seed)[0].kernel_error
    )


@pytest.mark.fact("kernel-filter")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_picture_whose_rows_are_alike_gives_zero_loss_and_a_wrong_kernel_with_the_right_column_sums(seed):
    state = last(view="learn", picture="step", seed=seed)
    assert state.loss < 1e-9 and state.kernel_error > 0.3 and "directions" in state.note
    assert state.kernel[0, 0].sum(axis=0) == pytest.approx([-4, 0, 4], abs=0.01)
    rich = last(view="learn", steps=600, seed=seed)
    assert rich.kernel_error < 0.01 and "was found" in rich.note


@pytest.mark.fact("convolution")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_layer_that_does_not_flip_learns_the_kernel_turned_round_and_loses_nothing(seed):
    state = last(view="learn", kernel="emboss", flip=True, steps=600, seed=seed)
    w = matrix(KERNELS["emboss"])
    assert state.loss < 1e-6 and np.allclose(state.kernel[0, 0], w[::-1, ::-1], atol=0.01) and "turned" in state.note
    assert state.kernel_error == pytest.approx(np.abs(w - w[::-1, ::-1]).max(), abs=0.01)


@pytest.mark.fact("kernel-filter")
def test_the_gradient_by_hand_is_that_of_torch():
    import torch

    values = {"view": "learn", "kernel": "Sobel y", "picture": "digit", "steps": 20, "bias": 1.5}
    played = states(**values)
    x = torch.from_numpy(picture(Params(**values)) / 16)[None, None]
    assert x.max() < 1, "this digit has no pixel of 16"
    x = x / x.max()
    target = torch.from_numpy(played[0].outcome[:1])[None]
    layer = torch.nn.Conv2d(1, 1, 3).double()
    with torch.no_grad():
        layer.weight[:] = torch.from_numpy(played[0].kernel)
        layer.bias[:] = 0
    optimizer = torch.optim.SGD(layer.parameters(), lr=Params(**values).rate)
    for state in played:
        loss = ((layer(x) - target) ** 2).mean()
        assert state.loss == pytest.approx(loss.item()) and np.allclose(state.kernel, layer.weight.detach(), atol=1e-9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_too_large_a_learning_rate_diverges_and_says_so():
    played = states(view="learn", rate=2.0)
    assert len(played) < 301 and "diverged" in played[-1].note and holds("> 1e6", played[-1].loss)


@pytest.mark.fact("kernel-filter")
@pytest.mark.parametrize("image", [8, 32, 224])
def test_three_to_64_channels_are_1792_parameters_at_any_size_and_a_dense_layer_for_32_pixels_177_million(image):
    import torch

    played = states(view="count", image=image)
    assert {s.parameters for s in played} == {1792} and played[-1].step == image
    assert sum(w.numel() for w in torch.nn.Conv2d(3, 64, 3).parameters()) == 1792
    dense = [s.dense_parameters for s in played]
    assert dense == sorted(set(dense)), "while the dense layer grows with every pixel"
    assert (dense[-1] == 177_004_800) == (image == 32)


def test_the_dense_layer_stands_between_the_same_inputs_and_outputs():
    import torch

    for state in (last(picture="digit"), last(view="count", image=8, channels_in=2, channels_out=3)):
        x, y = (64, 36) if state.maps == 1 else (8 * 8 * 2, 6 * 6 * 3)
        assert sum(w.numel() for w in torch.nn.Linear(x, y, device="meta").parameters()) == state.dense_parameters
