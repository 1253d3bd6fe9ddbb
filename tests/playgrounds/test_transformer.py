"""The Transformer that playgrounds share: its layers have the weights of torch's and do what they are said to do."""

import numpy as np
import pytest

from playgrounds._transformer import PARTS, Architecture, attend, initial, layer_shapes, size, through


def without(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in PARTS if part not in parts)


def one_layer(width: int) -> Architecture:
    return Architecture(PARTS, 1, 1, width)


@pytest.mark.fact("transformer")
def test_a_layer_has_12_d_squared_plus_13_d_parameters_in_bert_base_7_087_872():
    import torch

    assert size(layer_shapes(one_layer(768))) == 12 * 768**2 + 13 * 768 == 7_087_872
    with torch.device("meta"):  # shapes without memory
        theirs = torch.nn.TransformerEncoderLayer(768, nhead=12, dim_feedforward=4 * 768)
    assert sum(w.numel() for w in theirs.parameters()) == 7_087_872
    assert {name: tuple(w.shape) for name, w in theirs.named_parameters()} == layer_shapes(one_layer(768))


@pytest.mark.fact("decoder")
def test_cross_attention_adds_4_d_squared_plus_6_d_as_in_torchs_decoder_layer():
    import torch

    with torch.device("meta"):
        theirs = torch.nn.TransformerDecoderLayer(64, nhead=4, dim_feedforward=256)
    assert {name: tuple(w.shape) for name, w in theirs.named_parameters()} == layer_shapes(one_layer(64), cross=True)
    assert size(layer_shapes(one_layer(64), cross=True)) - size(layer_shapes(one_layer(64))) == 4 * 64**2 + 6 * 64


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


def test_attention_weights_are_a_softmax_over_what_may_be_read():
    import torch

    net = Architecture(PARTS, 1, 2, 8, ("decoder",))
    w, x = initial(net, np.random.default_rng(0)), torch.tensor(np.random.default_rng(1).normal(size=(2, 5, 8)))
    _, weights = attend(w, "decoder.0.self_attn", x, x, 2, causal=True)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 2, 5, dtype=x.dtype))
    assert (weights.triu(1) == 0).all() and (weights.tril() > 0).sum() == 2 * 2 * 15
