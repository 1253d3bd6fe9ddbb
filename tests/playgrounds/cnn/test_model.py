"""LeNet, AlexNet, VGG, GoogLeNet: their published counts, and what their ideas do for nets that learn in seconds."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from playgrounds._miniatures import (
    FIELD,
    MARGIN,
    SIDE,
    TEST,
    Idea,
    build,
    data,
    inside,
    load,
    miniature,
    net_of,
    place,
)
from playgrounds._nets import (
    INCEPTIONS,
    Layer,
    Row,
    alexnet,
    branches_of,
    count,
    fit,
    fully,
    googlenet,
    total,
    vgg16,
)
from playgrounds.cnn.model import Params, State, pair, published, run, training
from playgrounds.cnn.picture import draw, note
from playgrounds.cnn.pipelines import mosaic, stages_of
from playgrounds.cnn.published import along
from playgrounds.cnn.table import arithmetic, compact
from playgrounds.kit.nn import softmax


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def told(**values) -> str:
    """The last note of a run."""
    seen = states(**values)
    return note(Params(**values), seen, len(seen) - 1)


def table(**values) -> dict[str, Row]:
    return {row.name: row for row in published(Params(**values))}


def parameters(**values) -> int:
    return total(published(Params(**values)))[0]


def share(**values) -> float:
    rows = published(Params(**values))
    return sum(row.dense for row in rows) / total(rows)[0]


# ----------------------------------------------------------------------------------------------------- published counts


@pytest.mark.fact("lenet")
def test_lenet_has_sixty_thousand_parameters_as_published_and_61706_as_one_builds_it_today():
    counts = [row.parameters for row in published(Params())]
    assert counts == [156, 12, 1516, 32, 48120, 10164, 0] and sum(counts) == 60_000
    assert parameters(version="today") == 61_706 == 156 + 2416 + 48120 + 10164 + 850


@pytest.mark.fact("lenet")
def test_fully_connected_layers_between_the_same_maps_need_over_a_hundred_times_lenets_parameters():
    dense = table(layers="dense")
    assert dense["C1"].parameters == (32 * 32 + 1) * 6 * 28 * 28
    assert [row.shape for row in dense.values()] == [row.shape for row in table().values()]
    assert parameters(layers="dense") > 100 * parameters()


@pytest.mark.fact("alexnet")
def test_alexnet_has_61_million_parameters_and_96_percent_of_them_are_in_its_dense_layers():
    assert parameters(net="AlexNet", version="today") == 61_100_840
    assert parameters(net="AlexNet") == 60_965_224
    for version in ("published", "today"):
        assert round(100 * share(net="AlexNet", version=version)) == 96


@pytest.mark.fact("alexnet")
def test_alexnets_first_layer_does_not_fit_224_pixels_without_rounding_with_any_padding():
    assert fit(224, 11, 4, 2) == 55.25 and fit(224, 11, 4, 0) == 54.25 and fit(227, 11, 4, 0) == 55
    assert all(fit(224, 11, 4, pad) % 1 for pad in range(4))
    assert table(net="AlexNet")["conv 1"].shape == (96, 55, 55)
    assert "55.25, rounded down to 55" in arithmetic(table(net="AlexNet")["conv 1"])
    assert table(net="AlexNet", padding=0)["conv 1"].shape == (96, 54, 54)


@pytest.mark.fact("vgg")
def test_vgg16_has_138_million_parameters_and_89_percent_of_them_are_in_three_dense_layers():
    rows = published(Params(net="VGG-16"))
    assert total(rows)[0] == 138_357_544 and sum(row.dense > 0 for row in rows) == 3
    assert share(net="VGG-16") == pytest.approx(0.894, abs=5e-4)
    in_dense = sum(row.multiplications for row in rows if row.dense)
    assert in_dense < 0.01 * total(rows)[1], "but nearly all multiplications are in the convolutions"


@pytest.mark.fact("vgg")
def test_one_large_filter_in_place_of_each_block_costs_more_weights_but_not_where_the_input_has_three_channels():
    stack, large = table(net="VGG-16"), table(net="VGG-16", filters="one large")
    blocks = [[sum(row.parameters for name, row in rows.items() if name.startswith(f"conv {b}")) for b in range(1, 6)]
              for rows in (stack, large)]  # fmt: skip
    assert [a < b for a, b in zip(*blocks, strict=True)] == [False, False, True, True, True]
    assert [row.shape for row in stack.values() if "pool" in row.name] == [
        row.shape for row in large.values() if "pool" in row.name
    ]


@pytest.mark.fact("inception-googlenet")
def test_googlenet_has_6_6_million_parameters_in_torchvision_and_13_million_with_its_auxiliary_heads():
    assert parameters(net="GoogLeNet", version="today") == 6_624_904
    assert parameters(net="GoogLeNet", version="today", heads=True) == 13_004_888
    assert parameters(net="GoogLeNet") == 6_998_552, "with 5×5 filters, where torchvision has 3×3 twice"
    assert parameters(net="AlexNet") / parameters(net="GoogLeNet") > 8.5
    assert table(net="GoogLeNet")["5b"].shape == (1024, 7, 7)


@pytest.mark.fact("inception-googlenet")
def test_the_cut_makes_the_5x5_branch_of_3a_nearly_ten_times_cheaper():
    layer = Layer("3a", "inception", k=5, branches=INCEPTIONS["3a"])
    uncut = layer._replace(branches=layer.branches._replace(cut3=0, cut5=0))
    _, _, five, _ = (branch.cost(28 * 28).multiplications for branch in branches_of(layer, 192))
    _, _, direct, _ = (branch.cost(28 * 28).multiplications for branch in branches_of(uncut, 192))
    assert five == 12_443_648 and direct == 120_422_400
    assert direct / five == pytest.approx(9.68, abs=0.005)
    assert "9.68 times" in arithmetic(table(net="GoogLeNet")["3a"])
    with_cut, without = (total(published(Params(net="GoogLeNet", cut=cut)))[1] for cut in (4, 0))
    assert without > 2.5 * with_cut


@pytest.mark.fact("vgg")
@pytest.mark.fact("alexnet")
@pytest.mark.parametrize("layers", [alexnet(), vgg16(), googlenet()], ids=["AlexNet", "VGG-16", "GoogLeNet"])
def test_the_counts_are_those_of_torch_modules_built_from_the_same_layers(layers):
    """On the meta device, which computes shapes and holds no numbers."""
    import torch

    shape = 3, 224, 224
    x = torch.empty(1, *shape, device="meta")
    with torch.device("meta"):
        module = build(layers, shape)
    for part, row in zip(module, count(layers, shape), strict=True):
        x = part(x)
        assert tuple(x.shape[1:]) == (row.shape if x.ndim == 4 else row.shape[:1]), row.name
        assert sum(w.numel() for w in part.parameters()) == row.parameters, row.name


@pytest.mark.parametrize(
    "values", [{}, {"layers": "dense"}, {"net": "AlexNet"}, {"net": "VGG-16"}, {"net": "GoogLeNet"}]
)
def test_the_miniatures_have_the_parameters_that_the_metrics_say(values):
    import torch

    p, state = Params(**values), last(steps=20, **values)
    for idea, counted in zip(pair(p), (state.parameters, state.twin_parameters), strict=True):
        module, rows = net_of(idea), count(miniature(idea), (1, FIELD, FIELD))
        assert sum(w.numel() for w in module.parameters()) == total(rows)[0] == counted
        assert module(torch.zeros(2, 1, FIELD, FIELD)).shape == (2, 10)


# ------------------------------------------------------------------------------------------------------ what is learned


@pytest.mark.fact("lenet")
@pytest.mark.parametrize("seed", [2])
def test_with_as_many_weights_a_dense_net_fits_moved_digits_and_fails_on_new_ones_where_convolution_does_not(seed):
    state = last(seed=seed)
    assert 0.95 < state.parameters / state.twin_parameters < 1.05
    assert state.accuracy > 0.74 and state.accuracy > state.twin_accuracy + 0.12
    assert state.twin_fit - state.twin_accuracy > 0.15 > state.fit - state.accuracy


@pytest.mark.fact("lenet")
def test_where_every_digit_lies_in_the_middle_the_dense_net_is_as_good():
    state = last(shift=0, steps=140)
    assert min(state.accuracy, state.twin_accuracy) > 0.88 and abs(state.accuracy - state.twin_accuracy) < 0.04
    assert "no advantage" in told(shift=0, steps=140)


@pytest.mark.fact("alexnet")
def test_through_seven_sigmoids_all_digits_look_alike_and_nothing_is_learned_where_relu_learns():
    state = last(net="AlexNet", steps=200)
    assert state.accuracy > 0.6 and state.loss < 1
    assert state.twin_accuracy < 0.2 and state.twin_loss == pytest.approx(np.log(10), abs=0.05)
    spread = {}
    for activation in ("ReLU", "tanh", "sigmoid"):
        idea = Idea("AlexNet", activation=activation)
        first = next(training(idea, 2, 800, 0.01, 280, 1))
        net = net_of(idea)
        for w, value in zip(net.parameters(), first.weights, strict=True):
            w.data = value
        logits = [inside(net, x).layers[-1].ravel() for x in data(2, 800, 1)[2][:20, 0]]
        spread[activation] = np.std(logits, axis=0).mean()
    assert spread["sigmoid"] < 0.02 < 0.08 < min(spread["ReLU"], spread["tanh"])


@pytest.mark.fact("alexnet")
def test_new_places_in_every_batch_close_most_of_the_gap_of_a_net_with_few_digits():
    state = last(net="AlexNet", digits=200, augment=True, differs="augmentation")
    assert state.twin_accuracy < 0.68 and state.twin_fit > 0.98
    assert state.accuracy > state.twin_accuracy + 0.06 and state.fit - state.accuracy < 0.15


@pytest.mark.fact("vgg")
def test_a_stack_of_three_small_filters_is_as_good_as_a_large_one_with_fewer_weights():
    state = last(net="VGG-16", steps=140)
    assert state.twin_parameters - state.parameters == (49 - 27) * 64 - 2 * 8
    assert min(state.accuracy, state.twin_accuracy) > 0.7 and abs(state.accuracy - state.twin_accuracy) < 0.12


@pytest.mark.fact("vgg")
@pytest.mark.parametrize("depth", [2, 3])
def test_stack_and_large_filter_see_the_same_pixels(depth):
    """Count the pixels with a gradient, of nets with positive weights."""
    import torch

    seen = []
    for large in (False, True):
        idea = Idea("VGG-16", stack=depth, large=large)
        convs = [layer for layer in miniature(idea) if layer.name.startswith("conv 1")]
        net = build(convs, (1, 21, 21))
        for w in net.parameters():
            w.data = torch.ones_like(w) * (w.ndim > 1)
        x = torch.ones(1, 1, 21, 21, requires_grad=True)
        net(x)[0, 0, 10, 10].backward()
        seen.append(int((x.grad != 0).sum()))
    assert seen == [(2 * depth + 3) ** 2] * 2  # the first 3×3, which both have, adds 2


@pytest.mark.fact("inception-googlenet")
def test_a_cut_to_four_channels_saves_most_multiplications_and_one_to_a_single_channel_costs_accuracy():
    four, one = (last(net="GoogLeNet", cut=cut, steps=140) for cut in (4, 1))
    assert four.twin_multiplications > 2.4 * four.multiplications
    assert four.twin_accuracy == one.twin_accuracy > 0.72, "the same twin, without a cut"
    assert four.accuracy > four.twin_accuracy - 0.17 and one.accuracy < four.accuracy - 0.17


# ------------------------------------------------------------------------------------------------------ the shown digit


def test_a_drawing_changes_what_is_shown_and_nothing_of_the_training():
    levels = np.rint(load()[0][7] * 15).astype(int).ravel()
    drawn = "".join(f"{level:x}" for level in levels)
    plain, own = states(steps=40), states(steps=40, drawing=drawn)
    for a, b in zip(plain, own, strict=True):
        assert (a.loss, a.accuracy, a.twin_accuracy) == (b.loss, b.accuracy, b.twin_accuracy)
        assert np.allclose(b.image[MARGIN : MARGIN + SIDE, MARGIN : MARGIN + SIDE], load()[0][7], atol=1 / 30 + 1e-6)
    assert not np.array_equal(plain[-1].scores, own[-1].scores) and "your drawing" in told(steps=40, drawing=drawn)


def test_what_is_said_of_test_digits_adds_up_to_the_accuracy():
    p = Params(steps=40)
    *_, end = training(pair(p)[0], 2, 800, p.rate, 40, 1)
    net, (_, _, x, y, _) = net_of(pair(p)[0]), data(2, 800, 1)
    for w, value in zip(net.parameters(), end.weights, strict=True):
        w.data = value
    right = sum(inside(net, image[0]).layers[-1].argmax() == label for image, label in zip(x, y, strict=True))
    assert right / TEST == pytest.approx(end.accuracy, abs=0.003), "but for ties in the last digit"


def test_the_same_training_computed_again_gives_the_same_weights_to_the_last_bit():
    for idea in (Idea("LeNet-5"), Idea("AlexNet", dropout=0.5, augment=True), Idea("GoogLeNet", cut=4)):
        one, two = (list(training.__wrapped__(idea, 2, 100, 0.01, 20, 3)) for _ in range(2))
        for a, b in zip(one, two, strict=True):
            assert a[:4] == b[:4] and all(bool((v == w).all()) for v, w in zip(a.weights, b.weights, strict=True))


def test_no_test_digit_is_ever_trained_on_and_moved_digits_stay_whole():
    for seed in range(3):
        images, _, x, _, rng = data(2, 1200, seed)
        known = {image.tobytes() for image in images}
        tops = set()
        for field in x[:, 0]:
            rows, columns = (np.flatnonzero(field.any(axis=k)) for k in (1, 0))
            tops.add(int(rows[0]))
            assert rows[-1] - rows[0] < SIDE and columns[-1] - columns[0] < SIDE
        assert len(tops) > 3
        moved = place(images[:50], 2, rng)
        assert np.allclose(moved.sum(axis=(1, 2, 3)), images[:50].sum(axis=(1, 2)))
        middle = place(images[:5], 0, rng)[:, 0, MARGIN : MARGIN + SIDE, MARGIN : MARGIN + SIDE]
        assert np.array_equal(middle, images[:5]) and len(known) > 1190


def test_bars_and_confidence_are_the_softmax_of_the_scores():
    p, played = Params(steps=40), states(steps=40)
    for now in (0, 20, len(played) - 1):
        state, shapes = played[now], draw(p, played, now).shapes
        both = softmax(state.scores)
        assert both.sum(axis=1) == pytest.approx(1) and both[0].argmax() == state.says
        assert both[0].max() == pytest.approx(state.confidence)
        bars = [s["y1"] for s in shapes if s.get("yref") == "y4" and s["type"] == "rect"]
        assert bars == pytest.approx(both.ravel().tolist(), rel=1e-3, abs=1e-6)


def test_every_layer_of_a_miniature_is_drawn_with_its_maps_and_of_a_dense_net_its_units():
    convolutional, dense = (
        stages_of(pair(Params(**values))[0], last(steps=20, **values).inside, np.zeros((FIELD, FIELD)))
        for values in ({}, {"layers": "dense"})
    )
    shapes = [(8, 12, 12), (8, 6, 6), (16, 6, 6), (16, 3, 3), (1, 1, 24), (1, 1, 10)]
    assert [stage.maps.shape for stage in convolutional] == [(1, 12, 12), *shapes]
    assert [stage.maps.shape for stage in dense] == [(1, 12, 12), (1, 1, 38), (1, 1, 38), (1, 1, 10)]
    assert convolutional[-1].maps.sum() == pytest.approx(1), "the answer is a distribution"


def test_every_branch_of_the_inception_module_is_looked_into_and_joined_to_its_output():
    """A 1×1 cut before the 3×3 and the 5×5 filters, a pool before the last 1×1; 16 maps come in, 8 leave each."""
    seen = last(net="GoogLeNet", steps=20).inside
    assert [[len(maps) for maps in branch] for branch in seen.branches] == [[8], [4, 8], [4, 8], [16, 8]]
    assert np.array_equal(np.concatenate([branch[-1] for branch in seen.branches]), seen.layers[2])


def test_the_picture_of_the_filters_has_a_cell_for_every_weight():
    state = last(net="VGG-16", steps=20)
    small = [mosaic(filters).size for filters in state.inside.filters[1:4]]
    assert small == [9 * 64] * 3 and mosaic(state.twin_inside.filters[1]).size == 49 * 64


def test_a_published_net_is_drawn_to_scale():
    """Thickness grows with the channels alone, and nothing overlaps."""
    for net in ("LeNet-5", "AlexNet", "VGG-16", "GoogLeNet"):
        rows = published(Params(net=net))
        places = along(rows)
        assert all(a[1] < b[0] for a, b in pairwise(places)) and places[-1][1] <= 1
        thick = {row.shape[0]: round(b - a, 9) for row, (a, b) in zip(rows, places, strict=True) if row.shape[1] > 1}
        channels = np.array(sorted(thick))
        slopes = np.diff([thick[c] for c in channels]) / np.diff(channels)
        assert slopes == pytest.approx(slopes[0], rel=1e-4)


def test_counts_are_written_short():
    assert [compact(n) for n in (0, 1516, 48120, 102_764_544, 15_470_264_320)] == [
        "0",
        "1,516",
        "48.1k",
        "103M",
        "15.5G",
    ]
    assert [layer.name for layer in fully("fc", 5, 6, first=6)] == ["fc 6", "fc 7"]
