"""Which inputs of a Transformer reach which outputs: the causal mask is exact, an encoder has none."""

from functools import cache

import numpy as np
import pytest

from playgrounds._transformer import PARTS, Architecture, initial
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from playgrounds.token_influence.model import Params, State, encode, run
from playgrounds.token_influence.picture import PRESETS, draw

SEEDS = (1, 2, 3)


def without(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in PARTS if part not in parts)


@cache
def states(**values) -> tuple[State, ...]:
    return tuple(state for state in run(Params(**values)) if state is not None)


def influence(**values) -> State:
    return states(**values)[-1]


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

    p = Params(stack="decoder", sentence="a b c", width=8)
    state = states(stack="decoder", sentence="a b c", width=8)[-1]
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


# ---------------------------------------------------------------------------------------------------------- the picture


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(influence(**preset.values)))


def shapes_of(fig: dict, panel: str) -> list[dict]:
    """What is drawn in a panel."""
    suffix = next(one["suffix"] for one in fig["panels"] if one["name"] == panel)
    return [shape for shape in fig["layout"]["shapes"] if shape["xref"] == f"x{suffix}"]


def test_cells_say_0_where_the_gradient_is_exactly_0_and_the_bars_are_this_outputs_attention():
    p, played = Params(), states()
    fig = draw(p, played, 2).figure()
    zeros = {(s["x0"], -s["y0"]) for s in shapes_of(fig, "blocks") if s.get("label", {}).get("text") == "0"}
    assert zeros == {(j, i) for i in range(7) for j in range(7) if j > i}
    bars = [s["y1"] for s in shapes_of(fig, "attention")]
    assert bars == pytest.approx(played[2].attention[2].tolist(), rel=1e-4) and bars[3:] == [0] * 4
    assert sum(bars) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(("stack", "lines"), [("encoder", 49), ("decoder", 28)])
def test_a_line_goes_from_every_output_to_every_input_that_reaches_it(stack, lines):
    p, played = Params(stack=stack), states(stack=stack)
    drawn = shapes_of(draw(p, played, len(played) - 1).figure(), "links")
    assert sum(s["path"].count("M") for s in drawn if s["type"] == "path") == lines
