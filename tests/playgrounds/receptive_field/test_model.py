"""Receptive field: what one unit can see, how much of it counts, and what the same view costs in weights."""

import re
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest

from playgrounds.receptive_field.model import Params, State, back, closed_form, filters, middle, run, spread
from playgrounds.receptive_field.picture import note


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def ending(**values) -> str:
    """The last note."""
    return note(Params(**values), states(**values), len(states(**values)) - 1)


def gradient_by_torch(p: Params, seed: int | None = None) -> np.ndarray:
    """|gradient| of the first unit for a larger image, by autograd; all weights 1, or normal of the seed."""
    import torch

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed or 0)
    side = closed_form(p.stack) + 20
    image = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    h = image
    for layer in p.stack:
        if layer.name.startswith("pool"):
            h = torch.nn.functional.avg_pool2d(h, 2)
            continue
        w = torch.ones(1, 1, layer.kernel, layer.kernel, dtype=torch.float64)
        if seed is not None:
            w = torch.randn(w.shape, dtype=torch.float64, generator=generator)
        h = torch.nn.functional.conv2d(h, w, stride=layer.stride, dilation=layer.dilation)
    h[0, 0, 0, 0].backward()
    return image.grad[0, 0].abs().numpy()


def crop(g: np.ndarray) -> np.ndarray:
    """The smallest rectangle with all that is not 0."""
    rows, columns = np.flatnonzero(g.any(axis=1)), np.flatnonzero(g.any(axis=0))
    return g[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def drawn(n: int) -> list[dict]:
    """Settings drawn from all legal ones, short stacks more often."""
    rng = np.random.default_rng(7)
    knobs = {name: Params.knobs()[name] for name in ("kernel", "stride", "pool", "dilation")}
    values = {name: one.choices or list(range(int(one.lo or 0), int(one.hi or 1) + 1)) for name, one in knobs.items()}
    draws = [{name: of[rng.integers(len(of))] for name, of in values.items()} for _ in range(n)]
    return [one | {"pool": bool(one["pool"]), "layers": int(rng.choice([1, 2, 3, 4, 7, 20]))} for one in draws]


SETTINGS = [
    {},
    dict(layers=20),
    dict(layers=20, kernel=7, dilation="3"),
    dict(layers=6, dilation="doubling"),
    dict(kernel=7, stride=4, pool=True),
    dict(kernel=2, stride=3),
    *drawn(90),
]


# ---------------------------------------------------------------------------------------------------------- the region


@pytest.mark.fact("receptive-field")
def test_two_3x3_see_25_pixels_with_the_profile_1_2_3_2_1():
    end = last()
    assert (end.region, end.reached) == (5, 25)
    profile = np.array([1, 2, 3, 2, 1])
    assert np.array_equal(end.gradient, np.outer(profile, profile))
    assert np.array_equal(middle(end) / middle(end)[0], profile)
    assert [state.region for state in states()] == [1, 3, 5]
    assert np.array_equal(states()[1].gradient, np.ones((3, 3))), "one layer back every unit has one path"


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize("n", range(1, 21))
def test_at_stride_1_every_layer_adds_k_minus_1(n):
    for kernel in (2, 3, 5, 7):
        assert last(layers=n, kernel=kernel).region == 1 + n * (kernel - 1)


@pytest.mark.fact("receptive-field")
def test_region_and_paths_are_those_of_torch_and_of_the_closed_form_for_every_setting():
    for values in SETTINGS:
        p = Params(**values)
        end = last(**values)
        by_torch = crop(gradient_by_torch(p))
        assert end.region == closed_form(p.stack) == len(by_torch), values
        assert np.allclose(end.gradient / end.gradient.max(), by_torch / by_torch.max(), rtol=1e-9, atol=0), values
        assert end.reached == (by_torch > 0).sum(), values


@pytest.mark.fact("receptive-field")
def test_the_region_is_the_same_whatever_the_weights_are():
    for values in SETTINGS[::5]:
        random, ones = last(weights="random", nets=1, **values), last(**values)
        assert np.array_equal(random.gradient > 0, ones.gradient > 0), values
        by_torch = crop(gradient_by_torch(Params(**values), seed=3))
        assert np.array_equal(by_torch > 0, ones.gradient > 0), values


@pytest.mark.fact("receptive-field")
def test_changing_a_pixel_outside_the_region_changes_nothing_and_inside_it_does():
    rng = np.random.default_rng(0)
    image, w = rng.normal(size=(11, 11)), rng.normal(size=(2, 3, 3))

    def unit(x: np.ndarray) -> float:
        for kernel in w:
            windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
            x = (windows * kernel).sum(axis=(2, 3))
        return float(x[3, 3])  # its region are the rows and columns 3 to 7

    r = last().region
    changed = np.zeros((11, 11), bool)
    for at in np.ndindex(11, 11):
        other = image.copy()
        other[at] += 1
        changed[at] = unit(other) != unit(image)
    assert changed.sum() == r * r and changed[3 : 3 + r, 3 : 3 + r].all()


@pytest.mark.fact("receptive-field")
def test_stride_and_pooling_make_the_region_grow_faster():
    plain, strided, pooled = last(layers=4), last(layers=4, stride=2), last(layers=4, pool=True)
    assert (plain.region, strided.region, pooled.region) == (9, 31, 46)
    growth = np.diff([s.region for s in (last(layers=n, stride=2) for n in (1, 2, 3, 4, 5))])
    assert np.array_equal(growth, [4, 8, 16, 32]), "a layer above n strides of 2 adds 2 · 2ⁿ pixels"


# -------------------------------------------------------------------------------------------------------------- holes


@pytest.mark.fact("receptive-field")
def test_a_stride_above_the_kernel_size_leaves_holes_and_the_note_says_so():
    end = last(kernel=2, stride=3)
    assert (end.region, end.reached) == (5, 16) and not end.gradient[2].any()
    assert "holes: stride 3 is above kernel size 2" in ending(kernel=2, stride=3)
    for kernel, stride in product((2, 3, 5), (1, 2, 3, 4)):
        end = last(layers=3, kernel=kernel, stride=stride)
        holes = "holes" in ending(layers=3, kernel=kernel, stride=stride)
        assert (end.reached < end.region**2) == (stride > kernel) == holes, (kernel, stride)


@pytest.mark.fact("receptive-field")
def test_one_dilation_in_all_layers_leaves_a_grid_of_holes_and_a_doubling_one_leaves_none():
    for d, n in product((2, 3), (1, 2, 3)):
        end = last(layers=n, dilation=str(d))
        assert end.reached == (2 * n + 1) ** 2 and end.region == 2 * d * n + 1
        assert end.gradient[::d, ::d].all() and "holes: dilation" in ending(layers=n, dilation=str(d))
    end = last(layers=3, dilation="doubling")
    assert end.region == 15 and end.reached == 225 and "holes" not in ending(layers=3, dilation="doubling")
    end = last(layers=4, kernel=2, dilation="doubling")
    assert end.region == 16 and (end.gradient == 1).all(), "as binary digits: exactly one path from each pixel"


# ----------------------------------------------------------------------------------------------------- effective field


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize("values", [{}, dict(layers=9), dict(layers=3, pool=True), dict(layers=3, kernel=5, stride=2)])
def test_the_spread_of_the_paths_is_the_sum_of_the_layers_variances(values):
    p = Params(**values)
    for state in states(**values)[1:]:
        x = np.arange(len(state.gradient))
        share = state.gradient.sum(axis=0) / state.gradient.sum()
        variance = share @ x**2 - (share @ x) ** 2
        assert variance == pytest.approx(spread(p, state.step), rel=1e-9)


@pytest.mark.fact("receptive-field")
def test_the_profile_of_many_layers_is_a_gaussian():
    p, end = Params(layers=16), last(layers=16)
    x = np.arange(end.region) - end.region // 2
    row = middle(end) / middle(end).max()
    assert np.abs(row - np.exp(-(x**2) / (2 * spread(p, 16)))).max() < 0.02
    box = last(layers=1, kernel=7)
    assert (box.gradient == 1).all(), "and that of one layer is flat"


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize("weights", ["ones", "random"])
def test_the_effective_field_is_smaller_than_the_region_and_the_more_so_the_deeper(weights):
    for seed in (1, 2, 3) if weights == "random" else (1,):
        ends = [last(layers=n, weights=weights, seed=seed) for n in (5, 10, 20)]
        share = [end.effective_side / end.region for end in ends]
        assert share[0] > share[1] > share[2] and share[2] < 0.6, share
        sides = [end.effective_side for end in ends]
        assert sides[0] < sides[1] < sides[2], "though it grows"
        assert sides[2] / sides[0] < 0.6 * ends[2].region / ends[0].region, "about as √n, the region as n"


@pytest.mark.fact("receptive-field")
def test_with_random_weights_the_mean_squared_gradient_is_the_number_of_paths():

    rng = np.random.default_rng(4)
    stack = Params(layers=3).stack
    g, paths = np.ones((8000, 1, 1)), np.ones((1, 1, 1))
    for layer in reversed(stack):
        g = back(g, rng.normal(size=(len(g), 3, 3)), layer)
        paths = back(paths, np.ones((1, 3, 3)), layer)
    ratio = (g**2).mean(axis=0) / paths[0]
    assert np.abs(ratio - 1).mean() < 0.08 and np.abs(ratio - 1).max() < 0.4


@pytest.mark.fact("receptive-field")
def test_the_root_of_the_number_of_paths_has_the_spread_drawn_for_random_weights():
    row = np.sqrt(middle(last(layers=16)))
    x = np.arange(len(row)) - len(row) // 2
    assert row @ x**2 / row.sum() == pytest.approx(spread(Params(layers=16, weights="random"), 16), rel=0.05)


def test_more_nets_make_the_average_smoother():
    def roughness(nets: int) -> float:
        g = last(layers=8, weights="random", nets=nets).gradient
        g = g[6:-6, 6:-6]
        return float(np.abs(np.diff(g, axis=0)).mean() / g.mean())

    assert roughness(1) > 2 * roughness(100)


def test_another_seed_gives_other_random_weights_and_the_same_gradient_with_ones():
    assert not np.array_equal(last(weights="random", seed=1).gradient, last(weights="random", seed=2).gradient)
    assert np.array_equal(last(seed=1).gradient, last(seed=2).gradient)


# ------------------------------------------------------------------------------------------------------------- weights


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize(
    ("channels_in", "channels", "stack", "single"),
    [(1, 8, 648, 200), (3, 64, 38_592, 4_800), (64, 64, 73_728, 102_400)],
)
def test_two_3x3_layers_need_not_have_fewer_weights_than_one_5x5(channels_in, channels, stack, single):
    end = last(channels_in=channels_in, channels=channels)
    assert (end.stack_weights, end.single_weights) == (stack, single)
    assert f"{stack:,} weights, one 5 × 5 filter {single:,}" in ending(channels_in=channels_in, channels=channels)


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize("c", [1, 3, 16, 64])
def test_with_c_channels_throughout_it_is_18_against_25_c_squared(c):
    end = last(channels_in=c, channels=c)
    assert (end.stack_weights, end.single_weights) == (18 * c**2, 25 * c**2)


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize("values", [{}, dict(layers=3), dict(layers=4, kernel=2), dict(stride=2), dict(pool=True)])
def test_the_weights_are_those_of_torchs_layers(values):
    import torch

    p, end = Params(channels_in=3, channels=16, **values), last(channels_in=3, channels=16, **values)
    convolutions = [torch.nn.Conv2d(16 if n else 3, 16, p.kernel, bias=False) for n in range(p.layers)]
    assert filters(p) == [layer.weight.numel() for layer in convolutions]
    assert end.stack_weights == sum(filters(p))
    assert end.single_weights == torch.nn.Conv2d(3, 16, end.region, bias=False).weight.numel()


@pytest.mark.fact("receptive-field")
@pytest.mark.parametrize("values", [{}, dict(layers=3), dict(layers=5, kernel=2), dict(kernel=5), dict(stride=3)])
@pytest.mark.parametrize("channels", [1, 8, 20])
def test_the_note_says_from_how_many_input_channels_on_the_stack_is_cheaper(values, channels):
    said = re.search(r"has fewer from (\d+) input channels? on\.$", ending(channels=channels, **values))
    ends = {c: last(channels_in=c, channels=channels, **values) for c in range(1, 65)}
    cheaper = [c for c, end in ends.items() if end.stack_weights < end.single_weights]
    assert int(said[1]) == cheaper[0] and cheaper == list(range(cheaper[0], 65))


def test_one_layer_alone_is_never_cheaper_than_itself():
    end = last(layers=1)
    assert end.stack_weights == end.single_weights and ending(layers=1).endswith("the stack never has fewer.")


# ---------------------------------------------------------------------------------------------------------------- notes


def test_the_notes_rule_is_right_in_every_step():
    for values in SETTINGS[::3]:
        played = states(**values)
        for now, (before, state) in enumerate(pairwise(played), start=1):
            told = note(Params(**values), played, now)
            rule = re.match(r"Through .+: (.+?) = (\d+) (pixel|unit)", told)
            assert eval(rule[1].replace("−", "-").replace("·", "*")) == int(rule[2]) == state.region >= before.region
