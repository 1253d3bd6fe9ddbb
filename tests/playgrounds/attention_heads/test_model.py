"""Multi-head attention: the layer and its gradients against PyTorch, and what heads learn."""

from functools import cache

import numpy as np
import pytest

from playgrounds._attention import attention
from playgrounds.attention_heads.model import (
    BATCH,
    KINDS,
    PLACES,
    TARGETS,
    TEST,
    Params,
    State,
    backward,
    count,
    forward,
    run,
    shapes,
    spell,
)
from playgrounds.attention_heads.picture import note

SEEDS = range(1, 6)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def trained(**values) -> State:
    return states(**values)[-1]


def told(**values) -> str:
    """The last note of a run."""
    played = states(**values)
    return note(Params(**values), played, len(played) - 1)


def random_weights(width: int, targets: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.5, shape) for name, shape in shapes(width, targets).items()}


def torch_layer(w: dict[str, np.ndarray], heads: int):
    """nn.MultiheadAttention with these weights."""
    import torch

    width = len(w["query"])
    layer = torch.nn.MultiheadAttention(width, heads, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.in_proj_weight[:] = torch.from_numpy(np.concatenate([w[f"W_{of}"].T for of in "QKV"]))
        layer.in_proj_bias[:] = torch.from_numpy(np.concatenate([w[f"b_{of}"] for of in "QKV"]))
        layer.out_proj.weight[:], layer.out_proj.bias[:] = torch.from_numpy(w["W_O"].T), torch.from_numpy(w["b_O"])
    return layer


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_the_layer_is_torchs_multihead_attention(heads):
    import torch

    w = random_weights(16, 2)
    tokens = np.random.default_rng(1).integers(0, len(KINDS), (5, PLACES))
    f = forward(w, tokens, heads)
    x = torch.from_numpy(w["kinds"][tokens] + w["places"])
    query = torch.from_numpy(w["query"]).expand(len(tokens), 1, -1)
    out, weights = torch_layer(w, heads)(query, x, x, average_attn_weights=False)
    assert np.allclose(f.Y, out[:, 0].detach().numpy(), rtol=0, atol=1e-12)
    assert np.allclose(f.A.transpose(1, 0, 2), weights[:, :, 0].detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.fact("multi-head-attention")
def test_every_head_is_an_attention_of_its_own_on_a_projection_of_width_d_over_h():
    w = random_weights(16, 2)
    tokens = np.random.default_rng(2).integers(0, len(KINDS), (1, PLACES))
    f, x = forward(w, tokens, 4), (w["kinds"][tokens] + w["places"])[0]
    parts = []
    for k in range(4):
        mine = slice(4 * k, 4 * k + 4)
        Q, K, V = (
            v @ w[f"W_{of}"][:, mine] + w[f"b_{of}"][mine] for v, of in ((w["query"][None], "Q"), (x, "K"), (x, "V"))
        )
        *_, A, out = attention(Q, K, V)
        assert np.allclose(A[0], f.A[k, 0])
        parts.append(out[0])
    assert np.allclose(np.concatenate(parts) @ w["W_O"] + w["b_O"], f.Y[0])


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize(("heads", "targets"), [(1, 2), (2, 2), (4, 3), (8, 1)])
def test_the_gradients_by_hand_are_those_of_autograd(heads, targets):
    import torch

    w = random_weights(16, targets, seed=3)
    tokens = np.random.default_rng(4).integers(0, len(KINDS), (7, PLACES))
    places = list(TARGETS[targets])
    g = backward(w, forward(w, tokens, heads), tokens[:, places])

    layer = torch_layer(w, heads)
    v = {name: torch.tensor(w[name], requires_grad=True) for name in ("kinds", "places", "query", "U", "c")}
    x = v["kinds"][tokens] + v["places"]
    out, _ = layer(v["query"].expand(len(tokens), 1, -1), x, x)
    logits = (out[:, 0] @ v["U"] + v["c"]).reshape(-1, len(KINDS))
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(tokens[:, places].ravel())).backward()
    theirs = {name: one.grad for name, one in v.items()}
    theirs |= {"W_O": layer.out_proj.weight.grad.T, "b_O": layer.out_proj.bias.grad}
    theirs |= {f"W_{of}": part.T for of, part in zip("QKV", layer.in_proj_weight.grad.chunk(3), strict=True)}
    theirs |= {f"b_{of}": part for of, part in zip("QKV", layer.in_proj_bias.grad.chunk(3), strict=True)}
    assert theirs.keys() == g.keys()
    for name, one in theirs.items():
        assert np.allclose(g[name], one.numpy(), rtol=1e-9, atol=1e-14), name


@pytest.mark.fact("multi-head-attention")
def test_ten_steps_of_training_are_those_of_torch_with_its_own_adam():
    import torch

    p = Params(steps=10, width=16, seed=5)
    first = next(run(p))
    rng, v = np.random.default_rng(p.seed), {}
    for name, shape in shapes(16, 2).items():  # the same draws in the same order
        drawn = 0.2 * rng.normal(size=shape) if name in ("kinds", "places", "query") else np.zeros(shape)
        drawn = rng.uniform(-1, 1, shape) / 4 if name[0] in "WU" else drawn
        v[name] = torch.nn.Parameter(torch.from_numpy(drawn))
    optimizer = torch.optim.Adam(v.values(), lr=p.rate)
    split = lambda x: x.unflatten(-1, (2, 8)).transpose(-2, -3)  # noqa: E731

    def loss(tokens: np.ndarray):
        x = v["kinds"][tokens] + v["places"]
        q = (v["query"] @ v["W_Q"] + v["b_Q"]).expand(len(tokens), 1, -1)
        heads = [split(one) for one in (q, x @ v["W_K"] + v["b_K"], x @ v["W_V"] + v["b_V"])]
        out = torch.nn.functional.scaled_dot_product_attention(*heads).transpose(1, 2).reshape(len(tokens), -1)
        logits = (out @ v["W_O"] + v["b_O"]) @ v["U"] + v["c"]
        right = torch.from_numpy(tokens[:, [0, 5]].ravel())
        return torch.nn.functional.cross_entropy(logits.reshape(-1, len(KINDS)), right)

    test = rng.integers(0, len(KINDS), (TEST, PLACES))
    assert first.loss == pytest.approx(loss(test).item(), rel=1e-9)
    for _ in range(10):
        optimizer.zero_grad()
        loss(rng.integers(0, len(KINDS), (BATCH, PLACES))).backward()
        optimizer.step()
    end = trained(steps=10, width=16, seed=5)
    assert end.loss == pytest.approx(loss(test).item(), rel=1e-6) and end.loss < first.loss


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize(("width", "heads"), [(512, 1), (512, 8), (512, 16), (32, 2)])
def test_the_number_of_parameters_is_torchs_and_does_not_depend_on_the_number_of_heads(width, heads):
    import torch

    layer = torch.nn.MultiheadAttention(width, heads)
    assert count(width, heads) == sum(one.numel() for one in layer.parameters()) == 4 * width**2 + 4 * width
    assert width != 512 or count(width, heads) == 1_050_624


def test_the_metric_counts_the_layer_that_is_trained():
    for heads in (1, 8):
        state = states(heads=heads, steps=10)[0]
        sizes = {name: np.prod(shape) for name, shape in shapes(32, 2).items()}
        assert state.parameters == sum(size for name, size in sizes.items() if name[:2] in ("W_", "b_")) == 4224
        assert state.parameters_at_512 == 1_050_624


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize("seed", SEEDS)
def test_two_heads_take_one_target_each(seed):
    state = trained(seed=seed)
    first, final = state.weights[:, 0], state.weights[:, 5]
    assert first.max() >= 0.98 and final.max() >= 0.98 and first.argmax() != final.argmax()
    assert state.weaker_target == min(first.max(), final.max())
    assert state.first_accuracy == state.last_accuracy == 1
    assert "head of its own" in told(seed=seed)


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_head_splits_its_weight_on_both_targets_and_solves_the_task_too(seed):
    state = trained(heads=1, seed=seed)
    ((first, *between, final),) = state.weights
    assert 0.4 < first < 0.6 and 0.4 < final < 0.6 and max(between) < 0.02
    low, high = state.range[:, 0, 0]  # by sequence the split differs a lot
    assert low == pytest.approx(0.12, abs=0.05) and high == pytest.approx(0.88, abs=0.05)
    assert min(state.first_accuracy, state.last_accuracy) > 0.95


@pytest.mark.fact("multi-head-attention")
def test_nothing_forces_the_heads_to_specialize_some_seeds_blend_and_are_as_right():
    state = trained(seed=15)
    assert state.weaker_target < 0.7 and state.first_accuracy == state.last_accuracy == 1
    assert "nothing forces" in told(seed=15)


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize("seed", [1])
def test_a_silenced_head_takes_its_target_with_it_and_leaves_the_other_alone(seed):
    whole = trained(seed=seed)
    for head in (1, 2):
        state = trained(seed=seed, silenced=head)
        assert np.array_equal(state.weights, whole.weights), "training is the same"
        mine = int(whole.weights[head - 1].argmax())
        lost, kept = (state.first_accuracy, state.last_accuracy)[:: 1 if mine == 0 else -1]
        assert lost < 0.3 and kept == 1
    assert trained(seed=seed, silenced=3).first_accuracy == 1, "there is no third head"


@pytest.mark.fact("multi-head-attention")
def test_two_heads_for_three_targets_have_to_split_one_of_them():
    assert all(trained(seed=seed, lookups=3).weaker_target < 0.65 for seed in (1, 2))
    assert trained(heads=4, lookups=3).weaker_target > 0.9


def test_the_readers_sequence_is_read_and_what_is_no_letter_of_it_is_left_out():
    assert spell("c-a b,HDF and more").tolist() == [2, 0, 1, 7, 3, 5]
    assert spell("h").tolist() == [7, 0, 0, 0, 0, 0]
    state = trained(sequence="HAAAAB")
    assert state.tokens.tolist() == [7, 0, 0, 0, 0, 1] and state.said.tolist() == [7, 1]
