"""Masked language modelling on a text: what the 80/10/10 rule is for, and that both nets are torch's encoders."""

from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest

from playgrounds._encoder import best_guess, encode, first_weights, predict
from playgrounds.masked_text.model import (
    ADJECTIVES,
    SCENES,
    Params,
    State,
    corrupt,
    language_of,
    net_of,
    questions,
    run,
    split,
)


@cache
def states(**values) -> list[State]:
    return [state for state in run(Params(**values)) if state is not None]


def last(**values) -> State:
    return states(**values)[-1]


def untrained(**values):
    """Params, the net, the language and first weights."""
    p = Params(**values)
    net, language = net_of(p), language_of(p)
    return p, net, language, first_weights(net, language, np.random.default_rng([p.seed, 3]))


@pytest.mark.fact("encoder")
@pytest.mark.parametrize("causal", [False, True])
def test_both_nets_are_encoders_of_torch_with_and_without_a_mask(causal):
    import torch

    p, net, language, w = untrained(corpus="own", text="a b c d e. f g. a c b", heads=4, seed=3)
    x = language.everything
    d, T = p.width, x.shape[1]
    layer = torch.nn.TransformerEncoderLayer(d, p.heads, 4 * d, 0.0, "gelu", batch_first=True)
    first = torch.nn.LayerNorm(d)
    one = {name: both[int(causal)].detach() for name, both in w.items()}
    named = {
        "self_attn.in_proj_weight": one["0 qkv"].T, "self_attn.in_proj_bias": one["0 qkv bias"],
        "self_attn.out_proj.weight": one["0 out"].T, "self_attn.out_proj.bias": one["0 out bias"],
        "linear1.weight": one["0 up"].T, "linear1.bias": one["0 up bias"],
        "linear2.weight": one["0 down"].T, "linear2.bias": one["0 down bias"],
        "norm1.weight": one["0 norm 1"][0], "norm1.bias": one["0 norm 1"][1],
        "norm2.weight": one["0 norm 2"][0], "norm2.bias": one["0 norm 2"][1],
    }  # fmt: skip
    layer.load_state_dict(named)
    unseen = torch.ones(T, T, dtype=torch.bool).triu(1) if causal else torch.zeros(T, T, dtype=torch.bool)
    empty = torch.from_numpy(x == language.empty)
    with torch.no_grad():
        h = first(one["token"][torch.from_numpy(x)] + one["position"][:T])
        theirs = layer(h, src_mask=unseen, src_key_padding_mask=empty)
        options = {"attn_mask": unseen, "key_padding_mask": empty, "average_attn_weights": False}
        _, looks = layer.self_attn(h, h, h, **options)
        ours, attention = encode(w, x, net, language)
        logits = predict(w, ours[:, :, 0])[int(causal)]
    there = ~empty
    assert torch.allclose(ours[int(causal)][there], theirs[there], atol=1e-5)
    assert torch.allclose(attention[int(causal)].transpose(1, 2)[there], looks.transpose(1, 2)[there], atol=1e-6)
    assert torch.allclose(logits, theirs[:, 0] @ one["logits"] + one["logits bias"], atol=1e-4)


@pytest.mark.fact("bert")
@pytest.mark.parametrize("rule", [(80, 10), (100, 0), (50, 50), (0, 0)])
def test_of_15_percent_of_the_words_80_percent_are_masked_10_replaced_by_any_word_and_10_kept(rule):
    p, _, language, _ = untrained(masked=rule[0], random=rule[1], batch=64)
    rng = np.random.default_rng(5)
    x, y, done = (np.concatenate(part) for part in zip(*[corrupt(p, language, rng) for _ in range(60)], strict=True))
    words, counts = y < len(language.words), np.bincount(done.ravel(), minlength=4)
    assert np.array_equal((done > 0).sum(axis=1), np.maximum(1, np.rint(0.15 * words.sum(axis=1))))
    assert not done[~words].any() and np.array_equal(x[(done == 0) | (done == 3)], y[(done == 0) | (done == 3)])
    assert (x[done == 1] == language.mask).all()
    n = counts[1:].sum()
    assert counts[1:] / n == pytest.approx(np.array(p.fates) / 100, abs=3.5 * 0.5 / n**0.5)
    assert sum(p.fates) == 100
    if rule[1]:
        assert set(x[done == 2]) == set(range(len(language.words))), "random words are drawn from the whole vocabulary"


def test_the_counts_shown_are_those_of_all_batches_so_far():
    *_, before, state = states(steps=160)
    words, *done = state.counts
    assert sum(done) / words == pytest.approx(0.14, abs=0.03) and sum(before.counts) < sum(state.counts)
    assert np.array(done) / sum(done) == pytest.approx([0.8, 0.1, 0.1], abs=0.03)
    assert states(steps=160)[0].counts == (0, 0, 0, 0)


@pytest.mark.fact("bert")
def test_a_net_that_never_has_unmasked_targets_fills_in_blanks_as_well_but_knows_nothing_of_words_that_are_there():
    usual, only_masks = last(steps=160), last(steps=160, masked=100, random=0)
    assert only_masks.accuracy > usual.accuracy - 0.08
    assert usual.intact > 0.75 and usual.repaired > 0.6
    assert only_masks.intact < 0.5 and only_masks.repaired < 0.55


@pytest.mark.fact("bert")
def test_without_random_words_the_net_believes_what_stands_there_and_does_not_repair_it():
    believer, usual = last(steps=160, masked=80, random=0), last(steps=160)
    assert believer.intact > 0.85 and believer.repaired < usual.repaired - 0.08


@pytest.mark.fact("bert")
def test_words_to_the_right_tell_who_sat_on_the_mat_and_the_causal_net_guesses_an_adjective():
    state = last(steps=160)
    assert state.guesses[0][0][0][0] == "cat" and state.first_choice > 0.5
    assert state.guesses[1][0][0][0] in {a.strip() for a in ADJECTIVES[1:]} and state.causal_first_choice < 0.5
    assert state.accuracy > state.causal_accuracy + 0.12
    assert state.accuracy < state.best + 0.03 and state.causal_accuracy < state.causal_best + 0.05


def test_the_measured_sentences_are_new_and_every_scene_has_one_of_them():
    _, _, language, _ = untrained()
    measured, learned = set(language.row.tolist()), set(language.learned.tolist())
    assert len(language.everything) == len(ADJECTIVES) * sum(map(len, SCENES.values()))
    assert not measured & learned and measured | learned == set(range(len(language.everything)))
    assert sorted(i // len(ADJECTIVES) for i in measured) == list(range(18))
    assert all(i % len(ADJECTIVES) for i in measured), "sentences without an adjective are all learned from"


def test_the_questions_mask_the_word_replace_it_by_another_and_leave_it():
    p, _, language, _ = untrained()
    row, truth = np.arange(len(language.at)), language.everything[language.row, language.at]
    masked, wrong, intact = (question[row, language.at] for question in questions(p, language))
    assert (masked == language.mask).all() and (intact == truth).all()
    assert (wrong != truth).all() and (wrong < len(language.words)).all()


def test_the_readers_blanks_are_filled_in_one_by_one_and_words_that_are_not_known_are_shown_as_such():
    state = last(steps=10, sentence="The _ SAT on the sofa, __ _ _ x")
    assert state.tokens == ("the", "_", "sat", "on", "the", "sofa", "_"), "cut to the longest sentence of the text"
    assert state.unknown == (5,) and [len(net) for net in state.guesses] == [2, 2]
    for net in state.guesses:
        for candidates in net:
            odds = [q for _, q in candidates]
            assert odds == sorted(odds, reverse=True) and 0 < sum(odds) <= 1 + 1e-6
    assert state.first_choice == state.guesses[0][0][0][1]


def test_the_readers_own_text_is_what_the_nets_learn_and_a_text_without_words_is_not():
    p = Params(corpus="own", text="Red roses bloom. Blue whales sing!\n _ 3.5 cats")
    language = language_of(p)
    assert {"red", "roses", "whales", "3", "5", "cats"} <= set(language.words) and "mat" not in language.words
    assert "mat" in language_of(Params(corpus="own", text=" ... _ \n")).words
    rambling = language_of(Params(corpus="own", text=" ".join(f"w{i}" for i in range(500))))
    assert rambling.everything.shape == (50, 10) and len(rambling.words) == 200
    assert (rambling.everything == rambling.unknown).sum() == 300
    assert split("Don't _stop_, O’Brien!") == ["don't", "_", "stop", "_", "o’brien"]


@pytest.mark.parametrize("values", [{}, {"positions": False}], ids=str)
def test_the_best_guess_is_the_most_frequent_word_of_a_context(values):
    p, _, language, _ = untrained(**values)
    seen, rows = defaultdict(Counter), language.everything

    def context(row, at, causal):
        others = [*row[:at], -1, *([] if causal else row[at + 1 :])]
        return (causal, *(others if causal or p.positions else sorted(others)))

    for row in rows.tolist():
        for at, word in enumerate(row):
            if word < len(language.words):
                for causal in (False, True):
                    seen[context(row, at, causal)][word] += 1
    for causal in (False, True):
        found = best_guess(language, *np.nonzero(rows < len(language.words)), causal=causal, ordered=p.positions)
        asked = [seen[context(rows[i].tolist(), at, causal)] for i, at in zip(language.row, language.at, strict=True)]
        assert found == pytest.approx(np.mean([max(c.values()) / c.total() for c in asked]))
