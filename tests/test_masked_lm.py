"""Masked language modelling: what the causal mask costs, what the 80/10/10 rule is for, what BERT is made of."""

from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest

from playgrounds.masked_lm import (
    ADJECTIVES,
    BLUE,
    KINDS,
    ORANGE,
    SCENES,
    SIZES,
    Params,
    State,
    bert,
    best,
    corrupt,
    draw,
    encode,
    pairs,
    predict,
    questions,
    reader,
    right_answer,
    run,
    split,
    text,
    weights,
)

CHANCE = 0.1, 0.06  # of ten digits, and three and a half standard deviations of a share of 300 answers


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def untrained(**values):
    """Params, language and first weights."""
    p = Params(**values)
    language = (text if p.view == "text" else pairs)(p)
    return p, language, weights(p, language)


# --------------------------------------------------------------------------------------- bidirectional against causal


@pytest.mark.fact("bert")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bidirectional_net_fills_in_all_blanks_from_the_right_hand_neighbour_and_the_causal_net_stays_at_chance(
    seed,
):
    state = last(seed=seed, steps=80)
    assert state.accuracy >= 0.99
    assert state.causal_accuracy == pytest.approx(CHANCE[0], abs=CHANCE[1])
    assert state.partner_attention > 0.7 and state.causal_partner_attention == 0
    assert state.guesses[0][0][0][0] == "8" and state.first_choice > 0.9 and state.causal_first_choice < 0.3


@pytest.mark.fact("bert")
def test_the_contrast_is_there_at_batch_64_and_rate_0_002_too():
    """Width 32, 2 heads, 1 layer as in the course; 120 of its 1,500 steps, since nothing is left to learn after 100."""
    p = dict(rate=0.002, batch=64, width=32, heads=2, layers=1, steps=120)
    played = states(**p)
    assert min(s.accuracy for s in played if s.step >= 105) >= 0.99
    assert np.mean([s.causal_accuracy for s in played if s.step > 50]) == pytest.approx(0.1, abs=0.03)
    assert played[-1].causal_loss > np.log(10) - 0.15, "nothing below the entropy of ten digits is to be had"


@pytest.mark.fact("bert")
def test_what_the_causal_net_says_at_a_place_does_not_depend_on_what_stands_to_the_right_whatever_its_weights():
    import torch

    p, language, theta = untrained(layers=2)
    x = language.everything[np.random.default_rng(0).integers(10_000, size=50)]
    for at in range(8):
        other = x.copy()
        other[:, at + 1 :] = np.random.default_rng(at).integers(10, size=other[:, at + 1 :].shape)
        with torch.no_grad():
            (one, _), (two, _) = encode(theta, x, p, language), encode(theta, other, p, language)
        assert torch.equal(one[1, :, at], two[1, :, at])
        assert at == 7 or not torch.equal(one[0, :, at], two[0, :, at]), "the bidirectional net's answer does"


@pytest.mark.fact("bert")
def test_a_causal_net_learns_as_well_if_the_answer_stands_to_the_left_and_half_of_it_if_on_either_side():
    assert last(blank="right", steps=60).causal_accuracy >= 0.99
    either = last(blank="either", steps=120)
    assert either.accuracy >= 0.97 and either.causal_best == pytest.approx(0.55, abs=0.1)
    assert either.causal_accuracy == pytest.approx(either.causal_best, abs=0.06)


@pytest.mark.fact("bert")
def test_without_positions_the_net_sees_a_set_and_cannot_fill_in_more_than_the_set_tells():
    import torch

    p, language, theta = untrained(positions=False)
    x, order = language.everything[1234:1240], np.random.default_rng(0).permutation(8)
    with torch.no_grad():
        (h, _), (shuffled, _) = encode(theta, x, p, language), encode(theta, x[:, order], p, language)
    assert torch.allclose(h[0][:, order], shuffled[0], atol=1e-5)
    state = last(positions=False, steps=150)
    assert 0.5 < state.accuracy < state.best + 0.03 < 0.85 and state.partner_attention < 0.25


@pytest.mark.fact("encoder")
@pytest.mark.parametrize("causal", [False, True])
def test_both_nets_are_encoders_of_torch_with_and_without_a_mask(causal):
    import torch

    p, language, theta = untrained(view="text", corpus="own", text="a b c d e. f g. a c b", heads=4, seed=3)
    x = language.everything
    d, T = p.width, x.shape[1]
    layer = torch.nn.TransformerEncoderLayer(d, p.heads, 4 * d, 0.0, "gelu", batch_first=True)
    first = torch.nn.LayerNorm(d)
    one = {name: w[int(causal)].detach() for name, w in theta.items()}
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
        ours, attention = encode(theta, x, p, language)
        logits = predict(theta, ours[:, :, 0])[int(causal)]
    there = ~empty
    assert torch.allclose(ours[int(causal)][there], theirs[there], atol=1e-5)
    assert torch.allclose(attention[int(causal)].transpose(1, 2)[there], looks.transpose(1, 2)[there], atol=1e-6)
    assert torch.allclose(logits, theirs[:, 0] @ one["logits"] + one["logits bias"], atol=1e-4)


def test_both_nets_start_with_the_same_weights_and_tied_weights_are_the_embeddings():
    import torch

    p, language, theta = untrained(tied=True)
    assert all(torch.equal(w[0], w[1]) for w in theta.values()) and "logits" not in theta
    h = torch.randn(2, 5, p.width)
    assert torch.allclose(predict(theta, h)[1], h[1] @ theta["token"][1].T, atol=1e-5)
    v, d = language.empty + 1, p.width
    assert last(tied=True, steps=10).parameters == v * d + 8 * d + 2 * d + (12 * d * d + 13 * d) + v
    assert last(steps=10).parameters - last(tied=True, steps=10).parameters == d * v


# ---------------------------------------------------------------------------------------------------- the 80/10/10 rule


@pytest.mark.fact("bert")
@pytest.mark.parametrize("rule", [(80, 10), (100, 0), (50, 50), (0, 0)])
def test_of_15_percent_of_the_words_80_percent_are_masked_10_replaced_by_any_word_and_10_kept(rule):
    p, language, _ = untrained(view="text", masked=rule[0], random=rule[1], batch=64)
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
    *_, before, state = states(view="text", steps=160)
    words, *done = state.counts
    assert sum(done) / words == pytest.approx(0.14, abs=0.03) and sum(before.counts) < sum(state.counts)
    assert np.array(done) / sum(done) == pytest.approx([0.8, 0.1, 0.1], abs=0.03)
    assert states(view="text", steps=160)[0].counts == (0, 0, 0, 0)


@pytest.mark.fact("bert")
def test_a_net_that_never_has_unmasked_targets_fills_in_blanks_as_well_but_knows_nothing_of_words_that_are_there():
    usual, only_masks = last(view="text", steps=160), last(view="text", steps=160, masked=100, random=0)
    assert only_masks.accuracy > usual.accuracy - 0.08
    assert usual.intact > 0.75 and usual.repaired > 0.6
    assert only_masks.intact < 0.5 and only_masks.repaired < 0.55


@pytest.mark.fact("bert")
def test_without_random_words_the_net_believes_what_stands_there_and_does_not_repair_it():
    believer, usual = last(view="text", steps=160, masked=80, random=0), last(view="text", steps=160)
    assert believer.intact > 0.85 and believer.repaired < usual.repaired - 0.08


# ------------------------------------------------------------------------------------------------------------- the text


@pytest.mark.fact("bert")
def test_words_to_the_right_tell_who_sat_on_the_mat_and_the_causal_net_guesses_an_adjective():
    state = last(view="text", steps=160)
    assert state.guesses[0][0][0][0] == "cat" and state.first_choice > 0.5
    assert state.guesses[1][0][0][0] in {a.strip() for a in ADJECTIVES[1:]} and state.causal_first_choice < 0.5
    assert state.accuracy > state.causal_accuracy + 0.12
    assert state.accuracy < state.best + 0.03 and state.causal_accuracy < state.causal_best + 0.05


def test_the_measured_sentences_are_new_and_every_scene_has_one_of_them():
    _, language, _ = untrained(view="text")
    measured, learned = set(language.row.tolist()), set(language.learned.tolist())
    assert len(language.everything) == len(ADJECTIVES) * sum(map(len, SCENES.values()))
    assert not measured & learned and measured | learned == set(range(len(language.everything)))
    assert sorted(i // len(ADJECTIVES) for i in measured) == list(range(18))
    assert all(i % len(ADJECTIVES) for i in measured), "sentences without an adjective are all learned from"


@pytest.mark.parametrize("values", [{"view": "text"}, {"blank": "either"}, {"positions": False}], ids=str)
def test_the_best_guess_is_the_most_frequent_word_of_a_context(values):
    p, language, _ = untrained(**values)
    seen, rows = defaultdict(Counter), language.everything
    legal = {"left": (0,), "either": (0, 1)}

    def context(row, at, causal):
        others = [*row[:at], -1, *([] if causal else row[at + 1 :])]
        return (causal, *(others if causal or p.positions else sorted(others)))

    for row in rows.tolist():
        for at, word in enumerate(row):
            if word < len(language.words) and (p.view == "text" or at % 2 in legal[p.blank]):
                for causal in (False, True):
                    seen[context(row, at, causal)][word] += 1
    for causal, found in enumerate(best(p, language)):
        asked = [
            seen[context(rows[i].tolist(), at, bool(causal))] for i, at in zip(language.row, language.at, strict=True)
        ]
        assert found == pytest.approx(np.mean([max(c.values()) / c.total() for c in asked]))


def test_the_questions_mask_the_word_replace_it_by_another_and_leave_it():
    p, language, _ = untrained(view="text")
    row, truth = np.arange(len(language.at)), language.everything[language.row, language.at]
    masked, wrong, intact = (question[row, language.at] for question in questions(p, language))
    assert (masked == language.mask).all() and (intact == truth).all()
    assert (wrong != truth).all() and (wrong < len(language.words)).all()


def test_the_readers_blanks_are_filled_in_one_by_one_and_words_that_are_not_known_are_shown_as_such():
    state = last(view="text", steps=10, sentence="The _ SAT on the sofa, __ _ _ x")
    assert state.tokens == ("the", "_", "sat", "on", "the", "sofa", "_"), "cut to the longest sentence of the text"
    assert state.unknown == (5,) and [len(net) for net in state.guesses] == [2, 2]
    for net in state.guesses:
        for candidates in net:
            odds = [q for _, q in candidates]
            assert odds == sorted(odds, reverse=True) and 0 < sum(odds) <= 1 + 1e-6
    assert state.first_choice == state.guesses[0][0][0][1]


def test_the_readers_own_text_is_what_the_nets_learn_and_a_text_without_words_is_not():
    p = Params(view="text", corpus="own", text="Red roses bloom. Blue whales sing!\n _ 3.5 cats")
    language = text(p)
    assert {"red", "roses", "whales", "3", "5", "cats"} <= set(language.words) and "mat" not in language.words
    assert "mat" in text(Params(view="text", corpus="own", text=" ... _ \n")).words
    rambling = text(Params(view="text", corpus="own", text=" ".join(f"w{i}" for i in range(500))))
    assert rambling.everything.shape == (50, 10) and len(rambling.words) == 200
    assert (rambling.everything == rambling.unknown).sum() == 300
    assert split("Don't _stop_, O’Brien!") == ["don't", "_", "stop", "_", "o’brien"]


def test_a_sequence_without_a_blank_gets_one_where_training_masks():
    for blank, at, answer in (("left", 2, "8"), ("right", 3, "7"), ("either", 2, "8")):
        p = Params(blank=blank)
        tokens, ids = reader(p, pairs(p))
        assert tokens.index("_") == at and ids[0, at] == pairs(p).mask and right_answer(p, tokens) == answer
    p = Params(sequence="0 _ 5")
    assert reader(p, pairs(p))[0] == ("0", "_", "5") and right_answer(p, ("0", "_", "5")) == "9"
    assert reader(Params(sequence="no digits"), pairs(p))[0] == ("_",) and right_answer(p, ("_",)) == ""
    assert "never masked a right element" in last(sequence="0 _ 5", steps=10).note


# ----------------------------------------------------------------------------------------------------------- parameters


def total(size: str, vocabulary: int = 30522) -> int:
    return sum(sum(part.kinds) for part in bert(size, vocabulary))


@pytest.mark.fact("bert")
def test_bert_base_has_109_482_240_parameters_half_of_them_in_feed_forward_layers():
    parts = {part.name: sum(part.kinds) for part in bert("base", 30522)}
    assert sum(parts.values()) == 109_482_240 == last(view="parameters").parameters
    assert sum(n for name, n in parts.items() if "embed" in name or "norm" in name) == 23_837_184
    assert {parts[f"layer {i}"] for i in range(1, 13)} == {7_087_872} and parts["pooler"] == 590_592
    by_kind = dict(zip(KINDS, last(view="parameters").counts, strict=True))
    assert by_kind["feed-forward"] / 109_482_240 == pytest.approx(0.518, abs=0.001)
    assert by_kind["embeddings"] < by_kind["attention"] < by_kind["feed-forward"]


@pytest.mark.fact("bert")
def test_large_cased_and_multilingual_bert_have_as_many_as_the_published_nets():
    assert total("large") == 335_141_888
    assert (total("base", 28996), total("base", 119547)) == (108_310_272, 177_853_440)


@pytest.mark.parametrize("size", SIZES)
def test_the_parts_are_those_of_torch_modules_and_heads_add_nothing(size):
    import torch

    layers, d = SIZES[size]
    with torch.device("meta"):  # shapes without memory
        nets = {
            heads: torch.nn.ModuleList([
                *(torch.nn.Embedding(n, d) for n in (30522, 512, 2)), torch.nn.LayerNorm(d),
                *(torch.nn.TransformerEncoderLayer(d, heads, 4 * d) for _ in range(layers)), torch.nn.Linear(d, d),
            ])
            for heads in (1, d // 64)
        }  # fmt: skip
    for net in nets.values():
        ours = [sum(part.kinds) for part in bert(size, 30522)]
        assert [sum(w.numel() for w in part.parameters()) for part in net] == ours


def test_the_count_goes_part_by_part_and_its_notes_say_the_sum():
    played = states(view="parameters", size="tiny")
    parts = bert("tiny", 30522)
    assert [s.parameters for s in played] == np.cumsum([sum(part.kinds) for part in parts]).tolist()
    assert f"{total('tiny'):,}" in played[-1].note and played[0].accuracy is None
    assert all(f"{sum(part.kinds):,}" in s.note for part, s in zip(parts, played, strict=True))


# ---------------------------------------------------------------------------------------------------------- the picture


def test_the_bars_are_the_candidates_and_the_frames_the_blanks_row_of_each_map():
    p, played = Params(seed=1, steps=80), states(seed=1, steps=80)
    for now in (0, len(played) - 1):
        state, fig = played[now], draw(p, played, now)
        shapes = fig["layout"]["shapes"]
        for net, colour in enumerate((BLUE, ORANGE)):
            filled = [s for s in shapes if s.get("fillcolor") == colour and s["xref"] == "x2"]
            odds = [q for _, q in state.guesses[net][0]]
            assert [s["x1"] - s["x0"] for s in filled] == pytest.approx(odds, abs=1e-4)
            frame = next(s for s in shapes if s["xref"] == f"x{3 + net}")
            assert (frame["line"]["color"], frame["y0"], frame["y1"]) == (colour, 5, 6), "the third of eight rows"
        assert np.allclose(state.attention.sum(axis=2), 1, atol=1e-5) and not np.triu(state.attention[1], 1).any()
        assert fig["chips"][0]["texts"][2] == state.guesses[0][0][0][0] and fig["chips"][0]["marks"] == [2]


def test_the_columns_of_the_count_are_as_high_as_their_parts():
    p, played = Params(view="parameters", size="mini"), states(view="parameters", size="mini")
    for now in (0, 5, len(played) - 1):
        shapes = [s for s in draw(p, played, now)["layout"]["shapes"] if s["xref"] == "x"]
        assert sum(s["y1"] - s["y0"] for s in shapes) * 1e6 == pytest.approx(played[now].parameters, rel=1e-3)
