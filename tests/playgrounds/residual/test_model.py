"""Residual nets: the identity, gradients, degradation that is not overfitting, and blocks that can be missed."""

import re
from functools import cache

import numpy as np
import plotly.graph_objects as go
import pytest

from playgrounds.kit.film import Film
from playgrounds.kit.words import number
from playgrounds.residual.diagram import LANES, MOST, RIBBON, WIDE
from playgrounds.residual.model import (
    KINDS,
    Params,
    State,
    Weights,
    backward,
    forward,
    initial,
    run,
    task,
    train,
    twice,
)
from playgrounds.residual.picture import draw, note

PLAIN, RESIDUAL = 0, 1
SEEDS = (1, 3)  # five nets of each kind and depth for each


@cache
def played(**values) -> tuple[State, ...]:
    return tuple(state for state in run(Params(**values)) if state is not None)


def told(now: int = -1, **values) -> str:
    """The note of the state number `now`, counted from the end if it is negative."""
    states = played(**values)
    return note(Params(**values), states, now % len(states))


def errors(*, test: bool = False, **values) -> np.ndarray:
    """Medians over the nets at the end of a run, (kinds, depths)."""
    return np.median(played(**values)[-1].errors[:, int(test)], axis=1)


def example(p: Params, depth: int) -> tuple:
    """Data, first weights, one pass up, the gradients and those for what enters each block and the head."""
    rng = np.random.default_rng(0)
    x, y = map(twice, zip(*[task(p, 20, rng) for _ in range(p.nets)], strict=True))
    theta = initial(p, depth)
    passed = forward(x, theta, p.activation)
    gradients, back = backward(x, y, theta, p.activation, passed)
    return x, y, theta, passed, gradients, back


def of(theta: Weights, net: int) -> list[np.ndarray]:
    """What belongs to one net of W_in, b_in, W, w_out, b_out."""
    return [theta.w_in[net], theta.b_in[net], theta.w[:, :, net], theta.w_out[net], theta.b_out[net]]


def by_torch(x: np.ndarray, theta: list, activation: str, skip: bool):
    """The outputs of one net of tensors `theta`, and what enters each block and the head."""
    import torch

    f = {"ReLU": torch.relu, "tanh": torch.tanh}[activation]
    w_in, b_in, w, w_out, b_out = theta
    stream = [torch.tensor(x) @ w_in + b_in]
    for w1, w2 in w:
        h = stream[-1]
        branch = f(f(h) @ w1) @ w2
        stream.append(h + branch if skip else branch)
    return f(stream[-1]) @ w_out + b_out, stream


# ----------------------------------------------------------------------------------------------------------- the block


@pytest.mark.fact("resnet")
@pytest.mark.parametrize("activation", ["ReLU", "tanh"])
def test_a_hundred_residual_blocks_of_zero_weights_are_the_identity_with_gradient_one(activation):
    p = Params(nets=2, activation=activation)
    x, y, theta, *_ = example(p, 2)
    theta = theta._replace(w=np.zeros((100, *theta.w.shape[1:]), np.float32))
    passed = forward(x, theta, activation)
    stream = passed.stream
    _, back = backward(x, y, theta, activation, passed)
    assert len(stream) == len(back) == 101
    assert all(np.array_equal(h[p.nets :], stream[0][p.nets :]) for h in stream), "residual: the identity"
    assert all(np.array_equal(d[p.nets :], back[-1][p.nets :]) for d in back) and np.abs(back[0][p.nets :]).max() > 0
    assert (stream[-1][: p.nets] == 0).all() and (back[0][: p.nets] == 0).all(), "plain: nothing comes through"


@pytest.mark.fact("resnet")
@pytest.mark.parametrize("branch", ["zero", "random"])
@pytest.mark.parametrize("activation", ["ReLU", "tanh"])
def test_outputs_and_gradients_are_those_of_torch(activation, branch):
    import torch

    p = Params(nets=2, activation=activation, branch=branch)
    x, y, theta, passed, gradients, back = example(p, 8)
    for net in range(2 * p.nets):
        leaves = [torch.tensor(t, requires_grad=True) for t in of(theta, net)]
        outputs, values = by_torch(x[net], leaves, activation, net >= p.nets)
        for h in values:
            h.retain_grad()
        torch.nn.functional.mse_loss(outputs, torch.tensor(y[net])).backward()
        pairs = [(passed.out[net], outputs)]
        pairs += [(mine[net], theirs) for mine, theirs in zip(passed.stream, values, strict=True)]
        pairs += [(mine, theirs.grad) for mine, theirs in zip(of(gradients, net), leaves, strict=True)]
        pairs += [(mine[net], theirs.grad) for mine, theirs in zip(back, values, strict=True)]
        for mine, theirs in pairs:
            assert np.allclose(mine, theirs.detach(), rtol=1e-4, atol=1e-5 * np.abs(mine).max() + 1e-12)


@pytest.mark.fact("resnet")
@pytest.mark.parametrize("net", [PLAIN, RESIDUAL])
def test_training_goes_as_with_the_adam_of_torch(net):
    import torch

    p = Params(nets=1, steps=20, rate=0.01, activation="tanh", branch="random")
    x, y, theta, *_ = example(p, 8)
    by_hand = np.concatenate([nets.curve[:, net, 0] for nets in train(p, 8, x, y) if nets])
    leaves = [torch.tensor(t, requires_grad=True) for t in of(theta, net)]
    optimizer, losses = torch.optim.Adam(leaves, lr=p.rate), []
    for _ in by_hand:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(by_torch(x[net], leaves, "tanh", net == RESIDUAL)[0], torch.tensor(y[net]))
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    assert len(losses) == 21 and losses[-1] < losses[0] / 2
    assert np.allclose(by_hand, losses, rtol=1e-3)


@pytest.mark.fact("resnet")
@pytest.mark.parametrize("depth", [2, 16, 64])
def test_plain_and_residual_nets_have_equally_many_parameters(depth):
    p = Params(depth=depth, width=24, inputs=8, nets=3)
    for net in range(2 * p.nets):
        assert sum(part.size for part in of(initial(p, depth), net)) == p.parameters


def test_both_kinds_start_alike_but_for_the_zeros_of_the_residual_ones():
    for branch, alike in (("random", True), ("zero", False)):
        p = Params(nets=2, branch=branch)
        w = initial(p, 16).w
        w1, w2 = w[:, 0], w[:, 1]
        assert np.array_equal(w1[:, :2], w1[:, 2:]) and np.array_equal(w2[:, :2], w2[:, 2:]) == alike
        assert alike or (w2[:, 2:] == 0).all()
        assert w1.std() == pytest.approx((2 / p.width) ** 0.5, rel=0.05), "He et al. 2015"


# ----------------------------------------------------------------------------------------------------------- gradients


@pytest.mark.fact("resnet")
def test_the_gradient_shrinks_on_its_way_through_a_deep_plain_net_and_not_along_shortcuts():
    for activation in ("ReLU", "tanh"):
        starts = [next(run(Params(depth=64, activation=activation, seed=seed))) for seed in range(1, 9)]
        ratios = [start.plain_gradient for start in starts]
        assert np.median(ratios) < 0.1 and max(ratios) < 0.5  # 0.003 to 0.1 with ReLU
        assert all(start.residual_gradient == 1 for start in starts)
    shallow = [next(run(Params(depth=4, seed=seed))).plain_gradient for seed in range(1, 9)]
    assert np.median(shallow) > 0.5


@pytest.mark.fact("resnet")
def test_a_shortcut_alone_is_not_enough_as_random_branches_multiply_the_gradient():
    starts = [next(run(Params(depth=64, branch="random", seed=seed))) for seed in SEEDS]
    assert min(start.residual_gradient for start in starts) > 1000


# --------------------------------------------------------------------------------------------------------- degradation


@pytest.mark.fact("resnet")
@pytest.mark.parametrize("seed", SEEDS)
def test_deep_plain_nets_have_a_higher_training_error_than_shallow_ones_and_than_residual_ones(seed):
    (plain_8, plain_64), (residual_8, residual_64) = errors(depth=64, depths=(8,), seed=seed)
    assert plain_64 > 8 * plain_8  # 16 to 37 times in five seeds
    assert plain_64 > 20 * residual_64  # 38 to 104 times
    assert residual_64 < residual_8


@pytest.mark.fact("resnet")
@pytest.mark.parametrize("seed", SEEDS)
def test_degradation_is_not_overfitting_as_the_test_error_is_hardly_above_the_training_error(seed):
    values = {"depth": 64, "depths": (8,), "seed": seed}
    training, test = errors(**values)[PLAIN], errors(test=True, **values)[PLAIN]
    assert test[1] < 2.5 * training[1], "64 layers: bad on both"
    assert test[0] > 3 * training[0], "8 layers: this gap would be overfitting"
    assert test[1] > 2 * test[0]


@pytest.mark.fact("resnet")
def test_from_16_to_64_layers_plain_nets_get_worse_and_residual_nets_better_on_the_task_with_8_inputs():
    (plain_16, plain_64), (residual_16, residual_64) = errors(depth=64, depths=(16,), inputs=8)
    assert plain_64 > 10 * plain_16
    assert residual_64 < residual_16
    assert errors(test=True, depth=64, depths=(16,), inputs=8).min() > 1, "and every net overfits: worse than the mean"


# ------------------------------------------------------------------------------------------------------- single blocks


@pytest.mark.fact("resnet")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_residual_net_hardly_needs_any_one_of_its_blocks_and_a_plain_net_needs_all(seed):
    end = played(depth=64, depths=(8,), seed=seed)[-1]
    plain, shortcuts = np.median(end.blocks.without, axis=1)
    assert np.median(shortcuts) < 0.03 and shortcuts.max() < 0.3
    assert np.median(plain) > 0.35, "about as bad as the variance of the targets, 0.48"
    assert np.median(plain) > 20 * np.median(shortcuts)


@pytest.mark.fact("resnet")
def test_residual_blocks_make_small_corrections_and_plain_blocks_make_new_values():
    start, *_, end = played(depth=64, depths=(8,), seed=1)
    assert (start.blocks.change[RESIDUAL] == 0).all(), "they begin as the identity"
    plain, corrections = np.median(end.blocks.change, axis=1)
    assert corrections.min() > 0.01 and corrections.max() < 0.3
    assert plain.min() > 0.8


def test_the_metrics_are_about_the_block_that_was_removed():
    values = {"depth": 16, "depths": (16,), "steps": 60}
    with_all, without = played(**values)[-1], played(off=3, **values)[-1]
    assert without.plain_without_block == pytest.approx(np.median(with_all.blocks.without[PLAIN, :, 2]), rel=1e-5)
    assert without.residual_without_block == pytest.approx(np.median(with_all.blocks.without[RESIDUAL, :, 2]), rel=1e-5)
    assert with_all.plain_without_block == with_all.plain_error == without.plain_error
    assert "Without block 3 the training error is" in told(-2, off=3, **values)
    assert told(-2, off=9, **values).endswith("There is no block 9 to remove: 16 layers are 8 blocks.")


# ------------------------------------------------------------------------------------------------ what goes wrong, film


def test_a_diverging_run_says_which_net_at_which_step_and_why():
    values = {"rate": 0.1, "branch": "random", "width": 32, "seed": 3}
    *before, end = played(**values)
    said = re.fullmatch(
        r"(\d+) layers, step (\d+): diverged\. The training error of a (plain|residual|plain and a residual) net is no "
        r"longer a finite number, as the learning rate 0\.1 is too large .*\.",
        told(**values),
    )
    assert said and int(said[1]) == 64 and 0 < int(said[2]) <= 200
    assert before and np.isfinite(end.residual_error)
    film = Film(note, draw, Params(**values), None)
    film.extend([*before, end], True)
    assert b"NaN" not in film.message() and b"Infinity" not in film.message()


def test_depths_come_in_one_after_the_other_the_chosen_one_first():
    states = played(depth=16, depths=(4, 32), steps=60)
    assert list(dict.fromkeys(state.depth for state in states)) == [16, 4, 32] and states[-1].depth == 16
    known = [int(np.isfinite(state.errors[0, 0, 0]).sum()) for state in states]
    assert known == sorted(known) and known[0] == 1 and known[-1] == 3
    assert np.array_equal(np.concatenate([state.updates for state in states]), np.arange(61))


def test_the_conclusion_compares_the_deepest_plain_nets_with_the_best_shallower_ones():
    deep = told(depth=64, depths=(8,), seed=1)
    (shallow, worse), (_, shortcuts) = errors(depth=64, depths=(8,), seed=1)
    assert deep.startswith(f"The plain nets degrade from 8 to 64 layers: training error {number(shallow)} to ")
    assert f" to {number(worse)}, test error" in deep and deep.endswith(f"64 layers reach {number(shortcuts)}.")
    assert "not overfitting" in deep
    assert told(depth=4, depths=(2,)).startswith("The plain nets do not degrade from 2 to 4 layers")
    assert told(depth=2, depths=(2,), steps=10).startswith("Only nets of 2 layers were trained")


def test_the_dots_are_discs_where_the_errors_are_on_log_axes():
    states = played(depth=16, depths=(4, 32), steps=60)
    fig = draw(Params(depth=16, depths=(4, 32), steps=60), states, 20).figure()
    discs = [shape for shape in fig["layout"]["shapes"] if shape["type"] == "path" and "xanchor" in shape]
    assert [shape["xanchor"] for shape in discs] == [states[20].depth] * 2
    expected = [states[20].plain_error, states[20].residual_error]
    assert [shape["yanchor"] for shape in discs] == pytest.approx(expected, rel=1e-4)
    low, high = go.Figure(data=fig["data"], layout=fig["layout"]).layout.yaxis2.range
    assert all(low < np.log10(y) < high for y in expected)


def test_the_ribbon_is_as_wide_as_the_gradient_and_a_removed_block_is_hollow():
    p = Params(depth=16, depths=(16,), steps=60, off=3)
    states = played(depth=16, depths=(16,), steps=60, off=3)
    for kind, lane in LANES.items():
        ribbon = np.array([half_width(draw(p, states, 0), lane + RIBBON)])
        gradient = np.median(states[0].blocks.gradient[KINDS.index(kind)], axis=0)
        assert ribbon[0][:8] == pytest.approx(WIDE * np.minimum(gradient, MOST), abs=2e-4)
    first, last = (draw(p, states, now).figure()["layout"]["shapes"] for now in (0, len(states) - 1))
    assert len(last) == len(first) + 2, "one block of each net"


def half_width(pic, y: float) -> np.ndarray:
    """Half the height of the polygon around y, from its upper edge."""
    path = next(s["path"] for s in pic.shapes if "opacity" in s and abs(middle(s["path"]) - y) < 1e-3)
    corners = np.array([[float(v) for v in part.split(",")] for part in path.strip("MZ").split("L")])
    return corners[: len(corners) // 2, 1] - y


def middle(path: str) -> float:
    heights = [float(part.split(",")[1]) for part in path.strip("MZ").split("L")]
    return (max(heights) + min(heights)) / 2
