"""The Transformer: its layers are torch's, the causal mask is exact, and training is parallel where writing is not."""

from functools import cache
from math import log, prod

import numpy as np
import pytest

from playgrounds import transformer
from playgrounds.transformer import (
    BATCH,
    GRAM,
    PARTS,
    PROVERBS,
    Architecture,
    Params,
    State,
    attend,
    copied,
    distribution,
    draw,
    encode,
    entropies,
    in_parallel,
    initial,
    layer_shapes,
    one_at_a_time,
    predict,
    run,
    through,
    training,
    weight_shapes,
)

SEEDS = (1, 2, 3)
OWN = {"seed": 23}  # of trainings here, which are looked at less often than those that others remember


@pytest.fixture(autouse=True)
def few_checkpoints(monkeypatch):
    monkeypatch.setattr(transformer, "FILM", 2)


def without(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in PARTS if part not in parts)


@cache
def states(**values) -> tuple[State, ...]:
    return tuple(filter(None, run(Params(**values))))


def influence(**values) -> State:
    return states(show="influence", **values)[-1]


def size(shapes: dict) -> int:
    return sum(map(prod, shapes.values()))


# ----------------------------------------------------------------------------------------------- its layers are torch's


@pytest.mark.fact("transformer")
def test_a_layer_has_12_d_squared_plus_13_d_parameters_in_bert_base_7_087_872():
    import torch

    assert size(layer_shapes(768)) == 12 * 768**2 + 13 * 768 == 7_087_872
    with torch.device("meta"):  # shapes without memory
        theirs = torch.nn.TransformerEncoderLayer(768, nhead=12, dim_feedforward=4 * 768)
    assert sum(w.numel() for w in theirs.parameters()) == 7_087_872
    assert {name: tuple(w.shape) for name, w in theirs.named_parameters()} == layer_shapes(768)


@pytest.mark.fact("decoder")
def test_cross_attention_adds_4_d_squared_plus_6_d_as_in_torchs_decoder_layer():
    import torch

    with torch.device("meta"):
        theirs = torch.nn.TransformerDecoderLayer(64, nhead=4, dim_feedforward=256)
    assert {name: tuple(w.shape) for name, w in theirs.named_parameters()} == layer_shapes(64, cross=True)
    assert size(layer_shapes(64, cross=True)) - size(layer_shapes(64)) == 4 * 64**2 + 6 * 64


def torch_stack(net: Architecture, w: dict, stack: str, x, memory=None):
    """The same weights in torch's own modules, each layer with norm_first, and a last LayerNorm."""
    import torch

    kind = torch.nn.TransformerEncoderLayer if memory is None else torch.nn.TransformerDecoderLayer
    causal = torch.nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
    for k in range(net.layers):
        layer = kind(net.width, net.heads, 4 * net.width, 0.0, batch_first=True, norm_first=True, dtype=x.dtype)
        own = f"{stack}.{k}."
        layer.load_state_dict({name[len(own) :]: v for name, v in w.items() if name.startswith(own)})
        mask = causal if stack == "decoder" else None
        x = layer(x, src_mask=mask) if memory is None else layer(x, memory, tgt_mask=mask)
    last = torch.nn.LayerNorm(net.width, dtype=x.dtype)
    last.load_state_dict({"weight": w[f"{stack}.norm.weight"], "bias": w[f"{stack}.norm.bias"]})
    return last(x)


@pytest.mark.fact("encoder")
@pytest.mark.fact("decoder")
@pytest.mark.fact("transformer")
@pytest.mark.parametrize("stacks", [("encoder",), ("decoder",), ("encoder", "decoder")])
@pytest.mark.parametrize("heads", [1, 4])
def test_outputs_are_those_of_torchs_layers_with_the_same_weights(stacks, heads):
    import torch

    net = Architecture(PARTS, 3, heads, 16, stacks)
    w = initial(net, np.random.default_rng(0))
    x = {s: torch.tensor(np.random.default_rng(i).normal(size=(5 + i, 16))) for i, s in enumerate(stacks)}
    ours, _ = encode(net, w, x, {s: torch.zeros_like(v) for s, v in x.items()})
    memory, theirs = None, []
    for stack in stacks:
        memory = torch_stack(net, w, stack, x[stack][None], memory)
        theirs.append(memory[0])
    assert torch.allclose(ours, torch.cat(theirs), rtol=0, atol=1e-12)


@pytest.mark.fact("transformer")
def test_residuals_go_around_both_sublayers_and_without_them_a_layer_is_its_last_sublayer():
    import torch

    x = torch.tensor(np.random.default_rng(3).normal(size=(1, 4, 8)))
    for parts in (PARTS, without("residuals")):
        net = Architecture(parts, 1, 1, 8, ("encoder",))
        w = initial(net, np.random.default_rng(0))
        for name in ("self_attn.out_proj", "linear2"):  # sublayers that give 0
            w[f"encoder.0.{name}.weight"].data.zero_()
        out, _ = through(net, w, "encoder", x)
        expected = torch.nn.functional.layer_norm(x, (8,)) if "residuals" in parts else torch.zeros_like(x)
        assert torch.allclose(out, expected, atol=1e-12)


# ------------------------------------------------------------------------------------- which inputs reach which outputs


@pytest.mark.fact("encoder")
@pytest.mark.parametrize("seed", SEEDS)
def test_in_an_encoder_all_49_of_49_outputs_depend_on_inputs_left_and_right(seed):
    state = influence(stack="encoder", seed=seed)
    assert (state.reached, state.blocks, state.later) == (49, 49, 21) and (state.jacobian > 1e-3).all()
    assert state.earlier_change > 0.01, "an edit of the fifth input reaches outputs before it"
    assert (state.changes > 0).all()


@pytest.mark.fact("decoder")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layers", [1, 3])
def test_in_a_decoder_28_of_49_a_triangle_and_later_inputs_have_an_effect_of_exactly_0(seed, layers):
    state = influence(seed=seed, layers=layers)
    assert (state.reached, state.blocks, state.later) == (28, 49, 0) == (7 * 8 // 2, 49, 0)
    assert np.array_equal(state.jacobian > 0, np.tri(7, dtype=bool))
    assert state.earlier_change == 0 and (state.changes[:4] == 0).all() and (state.changes[4:] > 0).all()


@pytest.mark.fact("decoder")
def test_editing_any_later_token_changes_earlier_outputs_by_exactly_0_and_its_own_and_all_later_ones():
    for edit in range(1, 8):
        changes = influence(edit=edit).changes
        assert np.array_equal(changes == 0, np.arange(7) < edit - 1)


@pytest.mark.fact("encoder")
@pytest.mark.fact("decoder")
def test_in_an_encoder_decoder_the_decoder_reads_the_whole_source_and_the_encoder_none_of_the_target():
    state = influence(stack="encoder-decoder", edit=12)
    full = np.ones((7, 7), bool)
    assert np.array_equal(state.jacobian > 0, np.block([[full, ~full], [full, np.tri(7, dtype=bool)]]))
    assert state.reached == 49 + 49 + 28 and state.earlier_change == 0 and not state.changes[:11].any()


@pytest.mark.fact("decoder")
def test_without_the_mask_a_decoder_is_as_open_as_an_encoder_and_without_attention_each_token_is_alone():
    assert influence(parts=without("causal mask")).reached == 49
    alone = influence(parts=without("attention"))
    assert alone.reached == 7 and np.array_equal(alone.jacobian > 0, np.eye(7, dtype=bool))


def test_the_jacobian_is_that_of_central_differences():
    import torch

    p = Params(show="influence", stack="decoder", sentence="a b c", width=8)
    state = states(show="influence", stack="decoder", sentence="a b c", width=8)[-1]
    rng, net = np.random.default_rng(p.seed), Architecture(p.parts, p.layers, p.heads, 8, ("decoder",))
    w = initial(net, rng)
    x = torch.tensor(rng.normal(size=(3, 8)))
    positions = {"decoder": torch.tensor(rng.normal(size=(3, 8)))}
    slopes = np.zeros((3, 8, 3, 8))
    for j, k in np.ndindex(3, 8):
        shift = torch.zeros_like(x)
        shift[j, k] = 1e-6
        up, down = (encode(net, w, {"decoder": x + s * shift}, positions)[0] for s in (1, -1))
        slopes[:, :, j, k] = ((up - down) / 2e-6).detach().numpy()
    assert np.allclose(np.sqrt((slopes**2).sum(axis=(1, 3))), state.jacobian, rtol=0, atol=1e-6)


@pytest.mark.fact("encoder")
def test_without_positions_an_encoders_outputs_are_permuted_with_its_inputs_and_with_them_not():
    import torch

    net = Architecture(PARTS, 2, 2, 16, ("encoder",))
    w, x = initial(net, np.random.default_rng(0)), torch.tensor(np.random.default_rng(1).normal(size=(1, 6, 16)))
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    assert torch.allclose(through(net, w, "encoder", x)[0][:, order], through(net, w, "encoder", x[:, order])[0])
    placed = x + torch.tensor(np.random.default_rng(2).normal(size=(6, 16)))
    moved = x[:, order] + (placed - x)
    assert not torch.allclose(through(net, w, "encoder", placed)[0][:, order], through(net, w, "encoder", moved)[0])


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
    monkeypatch.setattr(transformer, "predict", lambda net, w, ids: rows.append(ids.shape) or predict(net, w, ids))
    played = list(run(Params(steps=20, write=9, **OWN)))
    assert played[-1].passes == 9 and len(played[-1].written) == len("all ") + 9
    assert rows[-9:] == [(1, n) for n in range(4, 13)]
    assert rows.count((BATCH, 32)) == 20 and BATCH * 32 == 512
    assert "16 · 32 = 512 characters" in played[1].note


def test_attention_weights_are_a_softmax_over_what_may_be_read():
    import torch

    net = Architecture(PARTS, 1, 2, 8, ("decoder",))
    w, x = initial(net, np.random.default_rng(0)), torch.tensor(np.random.default_rng(1).normal(size=(2, 5, 8)))
    _, weights = attend(w, "decoder.0.self_attn", x, x, 2, causal=True)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 2, 5, dtype=x.dtype))
    assert (weights.triu(1) == 0).all() and (weights.tril() > 0).sum() == 2 * 2 * 15


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
    *_, trained = run(Params(write=1, **OWN))  # remembered from here on
    monkeypatch.setattr(transformer, "in_parallel", None)  # a training would fail
    cold, hot = states(top_k=1, **OWN)[-1], states(temperature=4.0, **OWN)[-1]
    assert cold.loss == hot.loss == trained.loss
    assert cold.copied > 0.9 and hot.copied < 0.2
    assert all(s.probabilities[1].max() == 1 for s in states(top_k=1, **OWN) if s.passes)


@pytest.mark.fact("decoder")
@pytest.mark.fact("transformer")
def test_without_the_mask_the_training_loss_is_nearly_0_and_what_it_writes_is_garbage():
    end = states(parts=without("causal mask"), steps=150, **OWN)[-1]
    assert end.loss < 0.15 and end.writing_loss > 2.5 and end.copied < 0.2
    assert "after a loss of" in end.note


@pytest.mark.fact("transformer")
def test_without_attention_it_learns_no_more_than_a_table_of_letter_pairs():
    end = states(parts=without("attention"), steps=120, **OWN)[-1]
    assert entropies(PROVERBS)[2] - 0.05 < end.loss < entropies(PROVERBS)[2] + 0.15
    assert end.copied < 0.3


def final_loss(net: Architecture, rate: float, steps: int) -> float:
    *_, end = training(net, PROVERBS, rate, steps, OWN["seed"])
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


def test_cells_say_0_where_the_gradient_is_exactly_0_and_the_bars_are_this_outputs_attention():
    p, played = Params(show="influence"), states(show="influence")
    fig = draw(p, played, 2)
    texts = np.array(fig["data"][0]["text"]).reshape(7, 7)
    assert np.array_equal(texts == "0", ~np.tri(7, dtype=bool))
    bars = [s["y1"] for s in fig["layout"]["shapes"] if s["type"] == "rect" and s.get("xref") == "x2"]
    assert bars == pytest.approx(played[2].attention[2].tolist(), rel=1e-4) and bars[3:] == [0] * 4
    assert sum(bars) == pytest.approx(1, rel=1e-3)


def test_chips_are_blue_where_the_text_is_copied_and_the_prompt_has_no_colour():
    p, played = Params(**OWN), states(**OWN)
    row = draw(p, played, len(played) - 1)["chips"][0]
    assert row["texts"] == list(played[-1].written) and row["colours"][:4] == [None] * 4
    assert row["colours"].count(0) == round(played[-1].copied * 60) and row["marks"] == [63]
