"""Word order: what a Transformer block can know of it with positions and without."""

from functools import cache

import numpy as np
import pytest

from playgrounds._sinusoids import sinusoids
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from playgrounds.word_order.model import (
    KINDS,
    Params,
    State,
    attend,
    backward,
    first_weights,
    forward,
    run,
    sentences,
    spoken,
    swapped,
)
from playgrounds.word_order.picture import PRESETS, WITH, WITHOUT, draw

SEEDS = range(1, 6)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def permutations(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    return np.array([rng.permutation(size) for _ in range(count)])


# ----------------------------------------------------------------------------------------------- without any positions


@pytest.mark.fact("positional-encoding")
@pytest.mark.parametrize("seed", SEEDS)
def test_unmasked_attention_is_permutation_equivariant_and_the_whole_net_is_invariant(seed):
    rng = np.random.default_rng(seed)
    p = Params(tokens=7)
    w = first_weights(p, rng)
    x = rng.normal(size=(1, 7, 2 * p.pairs))
    tokens = rng.integers(0, KINDS, (1, 7))
    out, logit = attend(x, w, False)[0], forward(w, np.zeros((7, 32)), tokens, False).logits
    pe = sinusoids(np.arange(7), 16, 10000.0)
    for order in permutations(5, 7, rng):
        assert np.abs(attend(x[:, order], w, False)[0] - out[:, order]).max() < 1e-13
        assert abs(forward(w, np.zeros((7, 32)), tokens[:, order], False).logits - logit)[0] < 1e-13
    order = np.roll(np.arange(7), 1)
    assert np.abs(attend(x[:, order], w, True)[0] - out[:, order]).max() > 1e-3, "a causal mask breaks it"
    assert abs(forward(w, pe, tokens[:, order], False).logits - forward(w, pe, tokens, False).logits)[0] > 1e-5


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
    w, pe = first_weights(p, rng), rng.normal(size=(6, 8))
    tokens, labels = sentences(p, 10, rng)
    t = {name: torch.tensor(value, requires_grad=True) for name, value in {"PE": pe, **w}.items()}
    x = t["E"][torch.tensor(tokens)] + t["PE"]
    q, k, v = (x @ t[name] for name in ("W_Q", "W_K", "W_V"))
    y = x + torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=mask)
    z = torch.relu(y @ t["W_1"] + t["b_1"]).mean(dim=1) @ t["w_2"] + t["b_2"]
    torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(labels)).backward()
    assert np.allclose(forward(w, pe, tokens, mask).logits, z.detach().numpy(), atol=1e-12)
    ours = backward(w, pe, tokens, labels, mask)
    assert ours.keys() == t.keys()
    for name, theirs in t.items():
        assert np.allclose(ours[name], theirs.grad.numpy(), atol=1e-12), name


def test_the_steps_are_those_of_torchs_adam():
    import torch

    p = Params(tokens=4, pairs=2, steps=10, seed=2)
    rng = np.random.default_rng(p.seed)
    sentences(p, 32, rng)
    rng.normal(0, 0.5, (4, 4))
    w = first_weights(p, rng)
    theta = {name: torch.tensor(value, requires_grad=True) for name, value in w.items()}
    pe = sinusoids(np.arange(4), 2, p.base)
    optimizer = torch.optim.Adam(theta.values(), lr=p.rate)
    for _ in range(10):
        tokens, labels = sentences(p, 32, rng)
        gradients = backward({name: t.detach().numpy() for name, t in theta.items()}, pe, tokens, labels, False)
        for name, t in theta.items():
            t.grad = torch.tensor(gradients[name])
        optimizer.step()
    own = np.array([spoken(p), swapped(spoken(p))])
    z = forward({name: t.detach().numpy() for name, t in theta.items()}, pe, own, False).logits
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


def test_the_bars_are_the_answers():
    p, played = Params(), states()
    shapes = draw(p, played, len(played) - 1).figure()["layout"]["shapes"]
    bars = [s["x1"] for s in shapes if s["type"] == "rect" and s.get("fillcolor") in (WITH, WITHOUT)]
    assert bars == pytest.approx(played[-1].answers.T.ravel().tolist(), rel=1e-3)
