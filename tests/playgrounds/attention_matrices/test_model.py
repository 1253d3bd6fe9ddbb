"""Self-attention on a sentence: order, mask and projections, measured on the runs and against PyTorch."""

from functools import cache
from math import sqrt

import numpy as np
import pytest

from playgrounds.attention_matrices.model import Params, State, embed, run
from playgrounds.attention_matrices.picture import note

SENTENCES = ["the dog saw the small cat", "to be or not to be", "one two three four five six seven eight nine ten"]
SEEDS = range(1, 6)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def told(step: int, **values) -> str:
    """The note of a stage, counted from 1."""
    return note(Params(**values), states(**values), step - 1)


# ------------------------------------------------------------------------------------------------------- self-attention


@pytest.mark.fact("self-attention")
@pytest.mark.fact("query-key-value")
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("source", ["same sentence", "other sentence"])
def test_the_outputs_are_those_of_torch_scaled_dot_product_attention(source, mask, scaled):
    import torch

    for d_k in (1, 4, 64):
        m = last(source=source, mask=mask, scaled=scaled, d_k=d_k).seen
        Q, K, V = map(torch.from_numpy, (m.Q, m.K, m.V))
        causal = mask == "causal" and source == "same sentence"
        theirs = torch.nn.functional.scaled_dot_product_attention(
            Q, K, V, is_causal=causal, scale=None if scaled else 1.0
        )
        assert np.allclose(m.out, theirs.numpy(), rtol=0, atol=1e-12)


@pytest.mark.fact("self-attention")
@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_permuting_the_tokens_permutes_the_outputs_and_changes_nothing_else(order, text):
    for seed in SEEDS:
        state = last(text=text, order=order, seed=seed)
        m, plain = state.seen, last(text=text, seed=seed).seen
        assert sorted(m.order) == list(range(len(m.words))) and list(m.order) != sorted(m.order)
        assert m.words == [plain.words[i] for i in m.order]
        assert state.order_error == np.abs(m.out - plain.out[m.order]).max() < 2e-15
        assert np.allclose(m.A, plain.A[np.ix_(m.order, m.order)], rtol=0, atol=1e-14)
        assert np.abs(m.out - plain.out).max() > 0.05, "and they are permuted"


@pytest.mark.fact("self-attention")
@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("change", [{"mask": "causal"}, {"positions": True}])
def test_a_causal_mask_or_positions_make_the_order_count(change, text):
    for seed in SEEDS:
        assert last(text=text, order="shuffled", seed=seed, **change).order_error > 0.02


@pytest.mark.fact("self-attention")
def test_a_word_that_occurs_twice_has_the_same_output_twice_unless_it_knows_its_place():
    same = last().seen
    assert same.words[0] == same.words[3] == "the"
    assert np.abs(same.out[0] - same.out[3]).max() < 1e-15
    for change in ({"mask": "causal"}, {"positions": True}):
        other = last(**change).seen
        assert np.abs(other.out[0] - other.out[3]).max() > 0.05


@pytest.mark.fact("self-attention")
@pytest.mark.parametrize("text", SENTENCES)
def test_every_token_looks_at_every_other_unless_it_is_masked_at_the_cost_of_n_squared_scores(text):
    n = len(text.split())
    free, causal = last(text=text), last(text=text, mask="causal")
    assert free.seen.S.shape == (n, n) and f"{n * n} dot products" in told(5, text=text)
    assert (free.seen.A > 0).all() and free.future_weight > 0.2
    assert np.array_equal(causal.seen.A > 0, np.tri(n, dtype=bool)) and causal.future_weight == 0
    assert f"{n * (n - 1) // 2} scores of later tokens" in told(7, text=text, mask="causal")
    for state in (free, causal):
        assert np.allclose(state.seen.A.sum(axis=1), 1)
        assert (state.seen.out <= state.seen.V.max(axis=0) + 1e-12).all(), "averages stay inside the values"
        assert (state.seen.out >= state.seen.V.min(axis=0) - 1e-12).all()


@pytest.mark.fact("self-attention")
def test_under_the_causal_mask_a_later_word_changes_no_earlier_output():
    a, b = (last(text=text, mask="causal").seen.out for text in ("the cat sat down", "the cat sat up"))
    assert np.array_equal(a[:3], b[:3]) and np.abs(a[3] - b[3]).max() > 0.05
    a, b = (last(text=text).seen.out for text in ("the cat sat down", "the cat sat up"))
    assert (np.abs(a - b).max(axis=1) > 1e-3).all()


def test_the_same_word_has_the_same_vector_in_any_case_place_and_sentence():
    one, other = embed(["Cat", "mat"], False), embed(["the", "mat", "cat"], False)
    assert np.array_equal(one[0], other[2]) and np.array_equal(one[1], other[1])
    assert not np.array_equal(one[0], one[1])
    assert not np.array_equal(embed(["the", "the"], True)[0], embed(["the", "the"], True)[1])


# ------------------------------------------------------------------------------------------------------ query-key-value


@pytest.mark.fact("query-key-value")
def test_the_scaling_is_a_division_of_the_scores_by_the_root_of_d_k():
    for d_k in (1, 4, 9, 64):
        on, off = last(d_k=d_k).seen, last(d_k=d_k, scaled=False).seen
        assert np.array_equal(on.S, off.S) and np.array_equal(off.S, off.Z)
        assert np.allclose(on.Z * sqrt(d_k), off.Z)
    sharp = [last(d_k=64, scaled=False, seed=seed).largest_weight for seed in SEEDS]
    mild = [last(d_k=64, seed=seed).largest_weight for seed in SEEDS]
    assert all(a > b + 0.2 for a, b in zip(sharp, mild, strict=True))


@pytest.mark.fact("query-key-value")
def test_queries_keys_and_values_are_three_projections_and_in_cross_attention_the_last_two_of_the_other_sentence():
    m = last(source="other sentence").seen
    X, Y = embed(["the", "dog", "saw", "the", "small", "cat"], False), embed(["die", "Katze", "saß"], False)
    for made, x, w in zip((m.Q, m.K, m.V), (X, Y, Y), m.w, strict=True):
        assert np.allclose(made, x @ w)
    assert m.A.shape == (6, 3) and (last(source="other sentence").queries, last(source="other sentence").keys) == (6, 3)
    assert last(source="other sentence", mask="causal").seen.A.min() > 0, "there is nothing to hide in a sentence read"
    assert last(source="other sentence").future_weight is None


@pytest.mark.fact("query-key-value")
def test_with_one_projection_for_queries_and_keys_the_scores_are_symmetric_which_is_why_there_are_two():
    assert np.allclose(last(tied=True).seen.S, last(tied=True).seen.S.T)
    assert not np.allclose(last().seen.S, last().seen.S.T, atol=0.1)
