"""A Transformer on characters: training is parallel where writing is not, and what its parts are there for."""

from functools import cache
from math import log

import numpy as np
import pytest

from playgrounds._transformer import PARTS, Architecture, initial, size, weight_shapes
from playgrounds.char_transformer import model
from playgrounds.char_transformer.block import edges
from playgrounds.char_transformer.model import (
    BATCH,
    GRAM,
    PROVERBS,
    Params,
    State,
    copied,
    distribution,
    entropies,
    in_parallel,
    one_at_a_time,
    predict,
    run,
    training,
)
from playgrounds.char_transformer.picture import note
from playgrounds.kit.palette import BLUE, FAINT

OWN = {"seed": 23}  # of trainings here, which are looked at less often than those that others remember


@pytest.fixture(autouse=True)
def few_checkpoints(monkeypatch):
    monkeypatch.setattr(model, "FILM", 2)


def without(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in PARTS if part not in parts)


def play(**values) -> list[State]:
    return [state for state in run(Params(**values)) if state is not None]


@cache
def states(**values) -> tuple[State, ...]:
    return tuple(play(**values))


# ----------------------------------------------------------------------------- training is parallel, writing is not


@pytest.mark.fact("transformer")
@pytest.mark.fact("decoder")
@pytest.mark.parametrize("parts", [PARTS, without("causal mask")])
def test_one_pass_gives_the_losses_of_one_pass_per_character_exactly_if_there_is_the_mask(parts):
    import torch

    net = Architecture(parts, 2, 2, 16, vocabulary=5, context=12)
    rng = np.random.default_rng(0)
    w = {name: x.detach().double() for name, x in initial(net, rng).items()}
    w["head.weight"] = torch.tensor(rng.normal(size=(5, 16)))
    windows = torch.tensor(rng.integers(0, 5, (3, 13)))
    together, alone = in_parallel(net, w, windows).item(), one_at_a_time(net, w, windows)
    assert (abs(together - alone) < 1e-12) == ("causal mask" in parts), "without the mask positions see later ones"


@pytest.mark.fact("transformer")
def test_writing_takes_a_forward_pass_per_character_and_training_predicts_512_in_one(monkeypatch):
    rows = []
    monkeypatch.setattr(model, "predict", lambda net, w, ids: rows.append(ids.shape) or predict(net, w, ids))
    p = Params(steps=20, write=9, **OWN)
    played = [state for state in run(p) if state is not None]
    assert played[-1].passes == 9 and len(played[-1].written) == len("all ") + 9
    assert rows[-9:] == [(1, n) for n in range(4, 13)]
    assert rows.count((BATCH, 32)) == 20 and BATCH * 32 == 512
    assert "16 · 32 = 512 characters" in note(p, played, 1)


@pytest.mark.fact("transformer")
def test_it_learns_a_text_in_240_steps_far_below_what_letter_pairs_could_give_and_writes_it_back():
    start, *_, end = states(**OWN)
    guess, ones, twos = entropies(PROVERBS)
    assert start.loss == pytest.approx(guess, abs=1e-5) == log(len(set(PROVERBS)))
    assert end.loss < 0.25 < twos < ones < guess
    assert end.writing_loss == pytest.approx(end.loss, abs=1e-4), "nothing is lost when it writes"
    assert end.copied > 0.8 and start.copied < 0.1
    assert 10_000 < end.parameters == size(weight_shapes(Architecture(PARTS, 1, 2, 32, ("decoder",), 24, 32))) < 20_000


def test_sampling_alone_decides_between_the_text_and_nonsense_and_costs_no_training(monkeypatch):
    *_, trained = play(write=1, **OWN)  # remembered from here on
    monkeypatch.setattr(model, "in_parallel", None)  # a training would fail
    cold, hot = states(top_k=1, **OWN)[-1], states(temperature=4.0, **OWN)[-1]
    assert cold.loss == hot.loss == trained.loss
    assert cold.copied > 0.9 and hot.copied < 0.2
    assert all(s.probabilities[1].max() == 1 for s in states(top_k=1, **OWN) if s.passes)


@pytest.mark.fact("decoder")
@pytest.mark.fact("transformer")
def test_without_the_mask_the_training_loss_is_nearly_0_and_what_it_writes_is_garbage():
    p = Params(parts=without("causal mask"), steps=150, **OWN)
    played = play(**p.model_dump())
    end = played[-1]
    assert end.loss < 0.15 and end.writing_loss > 2.5 and end.copied < 0.2
    assert "after a loss of" in note(p, played, len(played) - 1)


@pytest.mark.fact("transformer")
def test_without_attention_it_learns_no_more_than_a_table_of_letter_pairs():
    end = states(parts=without("attention"), steps=120, **OWN)[-1]
    assert entropies(PROVERBS)[2] - 0.05 < end.loss < entropies(PROVERBS)[2] + 0.15
    assert end.copied < 0.3


def final_loss(net: Architecture, rate: float, steps: int) -> float:
    *_, end = filter(None, training(net, PROVERBS, rate, steps, OWN["seed"]))
    return end.loss


@pytest.mark.fact("transformer")
def test_four_layers_without_residuals_do_not_get_past_letter_frequencies_with_them_they_do():
    deep, frequencies = Architecture(PARTS, 4, 2, 32, vocabulary=24, context=32), entropies(PROVERBS)[1]
    assert final_loss(deep, 0.01, 40) < frequencies - 0.4
    assert final_loss(deep._replace(parts=without("residuals")), 0.01, 40) > frequencies - 0.1


def test_a_huge_learning_rate_ends_at_the_letter_frequencies_or_worse():
    net = Architecture(PARTS, 1, 2, 32, vocabulary=24, context=32)
    assert final_loss(net, 0.3, 100) > entropies(PROVERBS)[1] - 0.1


# ------------------------------------------------------------------------------------------------------------- sampling


def test_the_distribution_is_a_softmax_with_temperature_over_the_k_largest():
    z = np.array([2.0, 1.0, 0.0, -1.0])
    assert np.allclose(distribution(z, 1, 0), np.exp(z) / np.exp(z).sum())
    assert np.allclose(distribution(z, 0.5, 0), np.exp(2 * z) / np.exp(2 * z).sum())
    two = distribution(z, 1, 2)
    assert (two > 0).tolist() == [True, True, False, False] and two[0] / two[1] == pytest.approx(np.e)
    assert distribution(z, 3, 1).tolist() == [1, 0, 0, 0] and distribution(np.zeros(4), 1, 2).tolist() == [
        0.5,
        0.5,
        0,
        0,
    ]
    assert z.tolist() == [2, 1, 0, -1], "the logits are not changed"


def test_a_character_is_copied_if_it_ends_a_run_that_stands_in_the_ring():
    assert GRAM == 6
    assert copied("abcdefgh", "xabcdefghab", 1) == pytest.approx(5 / 10), "six in a row, across the end of the text"
    assert copied("abcdefgh", "abcd", 2) == 1 and copied("abcdefgh", "abxd", 2) == 0


def test_entropies_of_a_text_with_known_ones():
    assert entropies("abab") == pytest.approx((log(2), log(2), 0))
    assert entropies("aab" * 4)[2] == pytest.approx(2 / 3 * log(2)), "after a, in a ring, come a and b equally often"


# ---------------------------------------------------------------------------------------------------------- the picture


def test_characters_are_framed_blue_where_the_text_is_copied_and_those_of_the_prompt_are_not():
    p, played = Params(**OWN), states(**OWN)
    last = played[-1]
    colours = edges(p, last)
    assert len(colours) == len(last.written) == 64 and colours[:4] == [FAINT] * 4
    assert colours.count(BLUE) == round(last.copied * 60)
    assert last.read == last.written[-33:-1] and last.newest == last.written[-1]


def test_the_arcs_are_the_weights_of_the_character_that_is_read_last():
    for state in states(**OWN)[::20]:
        n = len(state.read)
        assert np.allclose(state.looks[:, :, :n].astype(float).sum(axis=-1), 1, atol=0.01)
        assert (state.looks[:, :, n:] == 0).all()
