"""Masked language modelling on pairs: what the causal mask costs, and what positions are there for."""

from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest

from playgrounds._encoder import best_guess, encode, first_weights, predict
from playgrounds.kit.palette import BLUE, FAINT, ORANGE
from playgrounds.masked_pairs.model import Params, State, maskable, net_of, pairs, reader, right_answer, run
from playgrounds.masked_pairs.picture import draw, note

CHANCE = 0.1, 0.06  # of ten digits, and three and a half standard deviations of a share of 300 answers


@cache
def states(**values) -> list[State]:
    return [state for state in run(Params(**values)) if state is not None]


def last(**values) -> State:
    return states(**values)[-1]


def untrained(**values):
    """Params, the net, the language and first weights."""
    p = Params(**values)
    net, language = net_of(p), pairs(p)
    return p, net, language, first_weights(net, language, np.random.default_rng([p.seed, 3]))


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

    _, net, language, w = untrained(layers=2)
    x = language.everything[np.random.default_rng(0).integers(10_000, size=50)]
    for at in range(8):
        other = x.copy()
        other[:, at + 1 :] = np.random.default_rng(at).integers(10, size=other[:, at + 1 :].shape)
        with torch.no_grad():
            (one, _), (two, _) = encode(w, x, net, language), encode(w, other, net, language)
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

    _, net, language, w = untrained(positions=False)
    x, order = language.everything[1234:1240], np.random.default_rng(0).permutation(8)
    with torch.no_grad():
        (h, _), (shuffled, _) = encode(w, x, net, language), encode(w, x[:, order], net, language)
    assert torch.allclose(h[0][:, order], shuffled[0], atol=1e-5)
    state = last(positions=False, steps=150)
    assert 0.5 < state.accuracy < state.best + 0.03 < 0.85 and state.partner_attention < 0.25


def test_both_nets_start_with_the_same_weights_and_tied_weights_are_the_embeddings():
    import torch

    p, _, language, w = untrained(tied=True)
    assert all(torch.equal(*both) for both in w.values()) and "logits" not in w
    h = torch.randn(2, 5, p.width)
    assert torch.allclose(predict(w, h)[1], h[1] @ w["token"][1].T, atol=1e-5)
    v, d = language.empty + 1, p.width
    assert last(tied=True, steps=10).parameters == v * d + 8 * d + 2 * d + (12 * d * d + 13 * d) + v
    assert last(steps=10).parameters - last(tied=True, steps=10).parameters == d * v


def test_a_sequence_without_a_blank_gets_one_where_training_masks():
    for blank, at, answer in (("left", 2, "8"), ("right", 3, "7"), ("either", 2, "8")):
        p = Params(blank=blank)
        tokens, ids = reader(p, pairs(p))
        assert tokens.index("_") == at and ids[0, at] == pairs(p).mask and right_answer(tokens) == answer
    p = Params(sequence="0 _ 5")
    assert reader(p, pairs(p))[0] == ("0", "_", "5") and right_answer(("0", "_", "5")) == "9"
    assert reader(Params(sequence="no digits"), pairs(p))[0] == ("_",) and right_answer(("_",)) == ""
    played = states(sequence="0 _ 5", steps=10)
    assert "never masked a right element" in note(Params(sequence="0 _ 5", steps=10), played, 10)


@pytest.mark.parametrize("values", [{"blank": "either"}, {"positions": False}], ids=str)
def test_the_best_guess_is_the_most_frequent_digit_of_a_context(values):
    p, _, language, _ = untrained(**values)
    seen, rows = defaultdict(Counter), language.everything
    legal = {"left": (0,), "either": (0, 1)}

    def context(row, at, causal):
        others = [*row[:at], -1, *([] if causal else row[at + 1 :])]
        return (causal, *(others if causal or p.positions else sorted(others)))

    for row in rows.tolist():
        for at, word in enumerate(row):
            if at % 2 in legal[p.blank]:
                for causal in (False, True):
                    seen[context(row, at, causal)][word] += 1
    for causal in (False, True):
        found = best_guess(language, *maskable(p, language), causal=causal, ordered=p.positions)
        asked = [seen[context(rows[i].tolist(), at, causal)] for i, at in zip(language.row, language.at, strict=True)]
        assert found == pytest.approx(np.mean([max(c.values()) / c.total() for c in asked]))


def test_the_bars_are_the_candidates_the_arcs_the_attention_of_the_blank_and_the_causal_net_has_none_to_the_right():
    p, played = Params(seed=1, steps=80), states(seed=1, steps=80)
    for now in (1, len(played) - 1):
        state, fig = played[now], draw(p, played, now).figure()
        shapes = fig["layout"]["shapes"]
        suffix = {panel["name"]: panel["suffix"] for panel in fig["panels"]}
        for net, (name, colour) in enumerate(zip(("both", "left"), (BLUE, ORANGE), strict=True)):
            here = [s for s in shapes if s["xref"] == f"x{suffix[name]}"]
            whole = fig["layout"][f"xaxis{suffix[name]}"]["range"]
            filled = [s for s in here if s.get("fillcolor") == colour and s["type"] == "rect"]
            odds = [q for _, q in state.guesses[net][0]]
            width = whole[1] - whole[0] - 0.28
            assert [(s["x1"] - s["x0"]) / width for s in filled] == pytest.approx(odds, abs=1e-3)
            arcs = [s for s in here if s["type"] == "path"]
            weights = [w for i, w in enumerate(state.attention[net, 2]) if i != 2 and w >= 0.02]
            assert [s["line"]["width"] for s in arcs] == pytest.approx([1 + 9 * w for w in weights], abs=0.06)
            blank = next(s for s in here if s["line"]["color"] == colour and s["line"]["width"] == 3)
            assert blank["label"]["text"] == state.guesses[net][0][0][0], "the third of eight tokens"
            frame = next(s for s in shapes if s["xref"] == f"x{suffix[name + '_map']}")
            assert (frame["line"]["color"], frame["y0"], frame["y1"]) == (colour, -2.5, -1.5), "the third of eight rows"
        hidden = [s for s in shapes if s["xref"] == f"x{suffix['left']}" and s.get("fillcolor") == FAINT]
        assert len(hidden) == 5, "five digits to the right of the blank"
        assert np.allclose(state.attention.sum(axis=2), 1, atol=1e-5) and not np.triu(state.attention[1], 1).any()


def test_before_training_a_question_mark_stands_in_the_blank_and_nothing_has_the_colour_of_a_net():
    p, played = Params(seed=1, steps=80), states(seed=1, steps=80)
    shapes = draw(p, played, 0).figure()["layout"]["shapes"]
    assert sum(s.get("label", {}).get("text") == "?" for s in shapes) == 2
    assert not any(s.get("fillcolor") in (BLUE, ORANGE) for s in shapes)
    assert note(p, played, 0).startswith("? is [MASK], the token that hides a digit")
