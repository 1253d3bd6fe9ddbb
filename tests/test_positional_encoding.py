"""Positional encoding: what sinusoids keep, and what a Transformer block can know of order with them and without."""

from functools import cache

import numpy as np
import pytest

from playgrounds.kit.conditions import reached
from playgrounds.kit.film import metrics
from playgrounds.positional_encoding import (
    KINDS,
    PRESETS,
    Params,
    State,
    attend,
    draw,
    first_weights,
    forward,
    frequencies,
    gradients,
    run,
    sentences,
    sinusoids,
    spoken,
    swapped,
    turned,
)

SEEDS = range(1, 6)
WALK = {"view": "encoding"}
PE = sinusoids(np.arange(100), 32, 10000.0)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def permutations(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    return np.array([rng.permutation(size) for _ in range(count)])


# ---------------------------------------------------------------------------------------------------------- sinusoids


@pytest.mark.fact("positional-encoding")
def test_it_is_the_formula_of_the_original_entry_by_entry():
    pe = sinusoids(np.arange(50), 16, 10000.0)
    for p, i in np.ndindex(50, 16):
        angle = p / 10000 ** (2 * i / 32)
        assert pe[p, 2 * i] == pytest.approx(np.sin(angle), abs=1e-12)
        assert pe[p, 2 * i + 1] == pytest.approx(np.cos(angle), abs=1e-12)


@pytest.mark.fact("positional-encoding")
@pytest.mark.parametrize("pairs", [1, 16, 32])
def test_the_squared_norm_is_half_the_width_at_every_position(pairs):
    assert [s.squared for s in states(pairs=pairs, **WALK)] == pytest.approx([pairs] * 64)


@pytest.mark.fact("positional-encoding")
def test_a_shift_by_five_is_one_rotation_at_every_position():
    assert np.abs(PE[5:25] - turned(PE[:20], 5, 10000.0)).max() < 2e-15
    assert np.abs(PE[5:] - turned(PE[:-5], 5, 10000.0)).max() < 3e-14, "angles near 100 have fewer digits left"
    assert last(**WALK).shift_error < 1e-14
    turn = turned(np.eye(8), 5, 10000.0)
    assert np.allclose(turn @ turn.T, np.eye(8)) and np.linalg.det(turn) == pytest.approx(1), "R is a rotation"
    assert np.abs(PE[5:] - turned(PE[:-5], 6, 10000.0)).max() > 0.5, "and another offset is another rotation"


@pytest.mark.fact("positional-encoding")
def test_dot_products_depend_on_the_size_of_the_offset_only():
    products = PE @ PE.T
    for offset in range(100):
        here = np.concatenate([np.diagonal(products, offset), np.diagonal(products, -offset)])
        assert np.ptp(here) < 4e-14 and here[0] == pytest.approx(np.cos(offset * frequencies(32, 1e4)).sum())
    assert last(**WALK).spread < 4e-14


@pytest.mark.fact("positional-encoding")
def test_dot_products_do_not_fall_steadily_with_the_offset():
    products = PE[0] @ PE.T
    assert (np.diff(products) > 0).sum() > 10 and products.argmax() == 0
    assert last(**WALK).rises == (np.diff(states(**WALK)[0].pe[0] @ states(**WALK)[0].pe.T) > 1e-9).sum() > 10
    assert "rises at" in last(**WALK).note


@pytest.mark.fact("positional-encoding")
def test_with_a_single_frequency_the_product_is_a_plain_cosine():
    played = states(pairs=1, offset=3, **WALK)
    assert [s.dot for s in played] == pytest.approx([np.cos(3)] * 64)


# ----------------------------------------------------------------------------------------------- without any positions


@pytest.mark.fact("positional-encoding")
@pytest.mark.parametrize("seed", SEEDS)
def test_unmasked_attention_is_permutation_equivariant_and_the_whole_net_is_invariant(seed):
    rng = np.random.default_rng(seed)
    p = Params(tokens=7)
    theta = first_weights(p, rng)
    x = rng.normal(size=(1, 7, 2 * p.pairs))
    tokens = rng.integers(0, KINDS, (1, 7))
    out, logit = attend(x, theta[1], False)[0], forward(theta, np.zeros((7, 32)), tokens, False)[0]
    pe = sinusoids(np.arange(7), 16, 10000.0)
    for order in permutations(5, 7, rng):
        assert np.abs(attend(x[:, order], theta[1], False)[0] - out[:, order]).max() < 1e-13
        assert abs(forward(theta, np.zeros((7, 32)), tokens[:, order], False)[0] - logit)[0] < 1e-13
    order = np.roll(np.arange(7), 1)
    assert np.abs(attend(x[:, order], theta[1], True)[0] - out[:, order]).max() > 1e-3, "a causal mask breaks it"
    assert abs(forward(theta, pe, tokens[:, order], False)[0] - forward(theta, pe, tokens, False)[0])[0] > 1e-5


@pytest.mark.fact("positional-encoding")
@pytest.mark.parametrize("seed", SEEDS)
def test_without_positions_exactly_half_are_right_at_every_step_and_with_sinusoids_nearly_all_in_the_end(seed):
    played = states(seed=seed)
    assert {s.none_accuracy for s in played} == {0.5} and max(s.none_gap for s in played) < 1e-12
    assert played[-1].none_loss > 0.69 and played[-1].loss < 0.15
    assert played[-1].accuracy >= 0.95 and played[0].accuracy < 0.7
    assert played[-1].answers[0, 0] > 0.9 > 0.1 > played[-1].answers[0, 1]


@pytest.mark.fact("positional-encoding")
@pytest.mark.parametrize("seed", SEEDS)
def test_learned_positions_solve_it_as_well_and_move(seed):
    played = states(seed=seed, encoding="learned")
    assert played[-1].accuracy >= 0.95 and played[-1].none_accuracy == 0.5
    assert np.abs(played[-1].pe - played[0].pe).max() > 0.1
    assert np.array_equal(states(seed=seed)[-1].pe, states(seed=seed)[0].pe), "sinusoids are fixed"


@pytest.mark.fact("positional-encoding")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_causal_mask_tells_the_order_without_positions(seed):
    state = last(seed=seed, encoding="none", mask=True, steps=60)
    assert state.none_accuracy >= 0.95 and state.none_gap > 0.5


# ------------------------------------------------------------------------------------------------------ torch's opinion


@pytest.mark.parametrize("mask", [False, True])
def test_the_net_and_its_gradients_are_those_of_torch(mask):
    import torch

    p = Params(tokens=6, pairs=4)
    rng = np.random.default_rng(0)
    theta, pe = first_weights(p, rng), rng.normal(size=(6, 8))
    tokens, labels = sentences(p, 10, rng)
    at, e, w, w_1, b_1, w_2, b_2 = leaves = [torch.tensor(t, requires_grad=True) for t in (pe, *theta)]
    x = e[torch.tensor(tokens)] + at
    q, k, v = (x @ one for one in w)
    y = x + torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=mask)
    z = torch.relu(y @ w_1 + b_1).mean(dim=1) @ w_2 + b_2
    torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(labels)).backward()
    assert np.allclose(forward(theta, pe, tokens, mask)[0], z.detach().numpy(), atol=1e-12)
    for ours, theirs in zip(gradients(theta, pe, tokens, labels, mask), leaves, strict=True):
        assert np.allclose(ours, theirs.grad.numpy(), atol=1e-12)


def test_the_steps_are_those_of_torchs_adam():
    import torch

    p = Params(tokens=4, pairs=2, steps=10, seed=2)
    rng = np.random.default_rng(p.seed)
    sentences(p, 32, rng)
    rng.normal(0, 0.5, (4, 4))
    theta = [torch.tensor(t, requires_grad=True) for t in first_weights(p, rng)]
    pe = sinusoids(np.arange(4), 2, p.base)
    optimizer = torch.optim.Adam(theta, lr=p.rate)
    for _ in range(10):
        tokens, labels = sentences(p, 32, rng)
        for leaf, g in zip(theta, gradients([t.detach().numpy() for t in theta], pe, tokens, labels, False)[1:]):
            leaf.grad = torch.tensor(g)
        optimizer.step()
    own = np.array([spoken(p), swapped(spoken(p))])
    z = forward([t.detach().numpy() for t in theta], pe, own, False)[0]
    assert 1 / (1 + np.exp(-z)) == pytest.approx(last(**p.model_dump()).answers[0], abs=1e-9)


# --------------------------------------------------------------------------------------- the data, the reader's words


def test_every_sentence_holds_both_words_once_and_the_label_says_which_is_first():
    tokens, labels = sentences(Params(tokens=9), 500, np.random.default_rng(0))
    assert ((tokens == 0).sum(axis=1) == 1).all() and ((tokens == 1).sum(axis=1) == 1).all()
    assert np.array_equal(labels, (tokens == 0).argmax(axis=1) < (tokens == 1).argmax(axis=1))
    assert 0.4 < labels.mean() < 0.6
    assert np.array_equal(np.sort(swapped(tokens)), np.sort(tokens)), "swapped, the words stay the same"


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("man bites dog", ["man", "bites", "dog"]),
        ("a b c d e f g h", ["a", "b", "c", "d", "e"]),
        ("", ["dog", "man"]),
        ("cat", ["cat", "dog"]),
    ],
)
def test_the_readers_sentence_is_cut_or_filled(sentence, words):
    p = Params(sentence=sentence)
    tokens = spoken(p)
    assert p.words == words and len(tokens) == 5
    assert (tokens[0], tokens[len(words) - 1]) == (0, 1) and ((tokens == 0).sum(), (tokens == 1).sum()) == (1, 1)


# ----------------------------------------------------------------------------------------------------------- a picture


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))


def test_the_walked_row_lies_on_the_curve_of_the_closed_form():
    p = Params(**WALK)
    played = states(**WALK)
    for now in (0, 20, 63):
        fig = draw(p, played, now)
        curve = dict(zip(fig["data"][2]["x"].tolist(), fig["data"][2]["y"].tolist(), strict=True))
        path = fig["layout"]["shapes"][-3]["path"]
        drawn = [tuple(map(float, at.split(","))) for at in path.strip("M").split("L")]
        assert [x for x, _ in drawn] == list(range(-now, 64 - now))
        assert [y for _, y in drawn] == pytest.approx([curve[x] for x, _ in drawn], abs=2e-3)


def test_the_bars_are_the_answers():
    p, played = Params(), states()
    bars = [shape["y1"] for shape in draw(p, played, len(played) - 1)["layout"]["shapes"] if shape["type"] == "rect"]
    assert bars == pytest.approx(np.maximum(played[-1].answers, 0.012).ravel().tolist(), rel=1e-3)
