"""Attention: order, scaling and heads, measured on the playground's own runs and against PyTorch."""

import re
from functools import cache
from math import sqrt

import numpy as np
import pytest

from playgrounds.attention import (
    BATCH,
    KINDS,
    PLACES,
    PRESETS,
    STAGES,
    TARGETS,
    TEST,
    Params,
    State,
    attention,
    backward,
    count,
    draw,
    embed,
    look_up,
    run,
    shapes,
    spell,
    tables_of,
    views,
)
from playgrounds.kit.conditions import reached
from playgrounds.kit.film import metrics

SENTENCES = ["the dog saw the small cat", "to be or not to be", "one two three four five six seven eight nine ten"]
SEEDS = range(1, 6)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def trained(**values) -> State:
    return last(view="heads", **values)


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
    assert free.seen.S.shape == (n, n) and f"{n * n} dot products" in states(text=text)[4].note
    assert (free.seen.A > 0).all() and free.future_weight > 0.2
    assert np.array_equal(causal.seen.A > 0, np.tri(n, dtype=bool)) and causal.future_weight == 0
    assert f"{n * (n - 1) // 2} scores of later tokens" in states(text=text, mask="causal")[6].note
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
@pytest.mark.parametrize("seed", SEEDS)
def test_the_variance_of_q_times_k_is_d_k(seed):
    found = {state.step: state.score_variance for state in states(view="scaling", seed=seed)}
    assert list(found) == [2**i for i in range(9)]
    for d_k in (4, 16, 64, 256):
        assert found[d_k] == pytest.approx(d_k, rel=0.05)


@pytest.mark.fact("query-key-value")
def test_the_variance_of_q_times_k_is_d_k_within_three_percent_over_five_seeds():
    for i, d_k in ((2, 4), (4, 16), (6, 64), (8, 256)):
        mean = np.mean([states(view="scaling", seed=seed)[i].score_variance for seed in SEEDS])
        assert mean == pytest.approx(d_k, rel=0.03)


@pytest.mark.fact("query-key-value")
@pytest.mark.parametrize("seed", [1, 2])
def test_unscaled_the_softmax_saturates_as_d_k_grows_and_scaled_it_does_not(seed):
    unscaled = {s.step: s for s in states(view="scaling", scaled=False, seed=seed)}
    scaled = {s.step: s for s in states(view="scaling", seed=seed)}
    assert unscaled[4].largest_weight == pytest.approx(0.5, abs=0.02)
    assert unscaled[256].largest_weight == pytest.approx(0.93, abs=0.015)
    assert all(scaled[d_k].largest_weight == pytest.approx(0.315, abs=0.02) for d_k in (4, 16, 64, 256))
    assert unscaled[256].passed_gradient < 0.12 < 0.79 < scaled[256].passed_gradient
    rising = [state.largest_weight for state in unscaled.values()]
    assert rising == sorted(rising)


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
    for made, x, w in zip((m.Q, m.K, m.V), (X, Y, Y), m.W, strict=True):
        assert np.allclose(made, x @ w)
    assert m.A.shape == (6, 3) and (last(source="other sentence").queries, last(source="other sentence").keys) == (6, 3)
    assert last(source="other sentence", mask="causal").seen.A.min() > 0, "there is nothing to hide in a sentence read"
    assert last(source="other sentence").future_weight is None


@pytest.mark.fact("query-key-value")
def test_with_one_projection_for_queries_and_keys_the_scores_are_symmetric_which_is_why_there_are_two():
    assert np.allclose(last(tied=True).seen.S, last(tied=True).seen.S.T)
    assert not np.allclose(last().seen.S, last().seen.S.T, atol=0.1)


# ------------------------------------------------------------------------------------------------- multi-head attention


def random_weights(width: int, targets: int, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    sizes = sum(int(np.prod(shape)) for shape in shapes(width, targets).values())
    theta = np.random.default_rng(seed).normal(0, 0.5, sizes)
    return theta, views(theta, width, targets)


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

    _, w = random_weights(16, 2)
    tokens = np.random.default_rng(1).integers(0, len(KINDS), (5, PLACES))
    f = look_up(w, tokens, heads)
    x = torch.from_numpy(w["kinds"][tokens] + w["places"])
    query = torch.from_numpy(w["query"]).expand(len(tokens), 1, -1)
    out, weights = torch_layer(w, heads)(query, x, x, average_attn_weights=False)
    assert np.allclose(f.Y, out[:, 0].detach().numpy(), rtol=0, atol=1e-12)
    assert np.allclose(f.A.transpose(1, 0, 2), weights[:, :, 0].detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.fact("multi-head-attention")
def test_every_head_is_an_attention_of_its_own_on_a_projection_of_width_d_over_h():
    _, w = random_weights(16, 2)
    tokens = np.random.default_rng(2).integers(0, len(KINDS), (1, PLACES))
    f, x = look_up(w, tokens, 4), (w["kinds"][tokens] + w["places"])[0]
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

    theta, w = random_weights(16, targets, seed=3)
    tokens = np.random.default_rng(4).integers(0, len(KINDS), (7, PLACES))
    places = list(TARGETS[targets])
    gradient = np.full_like(theta, np.nan)
    g = views(gradient, 16, targets)
    backward(w, look_up(w, tokens, heads), tokens[:, places], g)

    layer = torch_layer(w, heads)
    v = {name: torch.tensor(w[name], requires_grad=True) for name in ("kinds", "places", "query", "U", "c")}
    x = v["kinds"][tokens] + v["places"]
    out, _ = layer(v["query"].expand(len(tokens), 1, -1), x, x)
    logits = (out[:, 0] @ v["U"] + v["c"]).reshape(-1, len(KINDS))
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(tokens[:, places].ravel())).backward()
    theirs = {name: one.grad for name, one in v.items()} | {
        "W_O": layer.out_proj.weight.grad.T, "b_O": layer.out_proj.bias.grad,
        **{f"W_{of}": part.T for of, part in zip("QKV", layer.in_proj_weight.grad.chunk(3), strict=True)},
        **{f"b_{of}": part for of, part in zip("QKV", layer.in_proj_bias.grad.chunk(3), strict=True)},
    }  # fmt: skip
    assert theirs.keys() == g.keys()
    for name, one in theirs.items():
        assert np.allclose(g[name], one.numpy(), rtol=1e-9, atol=1e-14), name


@pytest.mark.fact("multi-head-attention")
def test_ten_steps_of_training_are_those_of_torch_with_its_own_adam():
    import torch

    p = Params(view="heads", steps=10, width=16, seed=5)
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
    end = last(view="heads", steps=10, width=16, seed=5)
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
        state = states(view="heads", heads=heads, steps=10)[0]
        sizes = {name: np.prod(shape) for name, shape in shapes(32, 2).items()}
        assert state.parameters == sum(size for name, size in sizes.items() if name[:2] in ("W_", "b_")) == 4224
        assert state.parameters_at_512 == 1_050_624


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize("seed", SEEDS)
def test_two_heads_take_one_target_each(seed):
    state = trained(seed=seed)
    first, final = state.seen.weights[:, 0], state.seen.weights[:, 5]
    assert first.max() >= 0.98 and final.max() >= 0.98 and first.argmax() != final.argmax()
    assert state.weaker_target == min(first.max(), final.max())
    assert state.first_accuracy == state.last_accuracy == 1
    assert "head of its own" in state.note


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_head_splits_its_weight_on_both_targets_and_solves_the_task_too(seed):
    state = trained(heads=1, seed=seed)
    ((first, *between, final),) = state.seen.weights
    assert 0.4 < first < 0.6 and 0.4 < final < 0.6 and max(between) < 0.02
    low, high = state.seen.range[:, 0, 0]  # by sequence the split differs a lot
    assert low == pytest.approx(0.12, abs=0.05) and high == pytest.approx(0.88, abs=0.05)
    assert min(state.first_accuracy, state.last_accuracy) > 0.95


@pytest.mark.fact("multi-head-attention")
def test_nothing_forces_the_heads_to_specialize_some_seeds_blend_and_are_as_right():
    state = trained(seed=15)
    assert state.weaker_target < 0.7 and state.first_accuracy == state.last_accuracy == 1
    assert "nothing forces" in state.note


@pytest.mark.fact("multi-head-attention")
@pytest.mark.parametrize("seed", [1])
def test_a_silenced_head_takes_its_target_with_it_and_leaves_the_other_alone(seed):
    whole = trained(seed=seed)
    for head in (1, 2):
        state = trained(seed=seed, silenced=head)
        assert np.array_equal(state.seen.weights, whole.seen.weights), "training is the same"
        mine = int(whole.seen.weights[head - 1].argmax())
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
    assert state.seen.tokens.tolist() == [7, 0, 0, 0, 0, 1] and state.seen.said.tolist() == [7, 1]


# --------------------------------------------------------------------------------------------------- notes and pictures


def parsed(text: str) -> float:
    """A number as words.number writes it."""
    mantissa, _, power = text.strip("() ").replace("−", "-").partition("·10")
    return float(mantissa) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


@pytest.mark.parametrize("values", [{}, {"mask": "causal", "order": "shuffled"}, {"source": "other sentence"}])
def test_every_cell_answers_with_an_arithmetic_that_gives_its_value(values):
    p = Params(**values)
    for table in tables_of(p, last(**values).seen):
        for (i, j), value in np.ndenumerate(table.values):
            said = table.hover(i, j)
            if np.isinf(value):
                assert said.endswith("−∞")
                continue
            sums, _, result = said.rpartition(" = ")
            result = re.split(r": |,<br>", result)[1] if not sums else result
            assert parsed(result) == pytest.approx(value, rel=6e-3, abs=1e-12), said
            if "·" in sums and "products" not in sums and "10⁻" not in sums:
                terms = [
                    one.split("·") for one in re.split(r" \+ ", sums.rpartition(":<br>")[2].replace("<br>+", " +"))
                ]
                assert sum(parsed(a) * parsed(b) for a, b in terms) == pytest.approx(value, abs=0.02), said


def test_a_note_calculates_for_the_watched_token_wherever_it_stands():
    for order in ("as typed", "reversed", "shuffled"):
        played = states(order=order, watch=2)
        assert [state.step for state in played] == list(range(1, len(STAGES) + 1))
        assert "x(dog)" in played[0].note and "q₁(dog)" in played[1].note and "o(dog)" in played[-1].note
    assert "x(cat)" in states(watch=10)[0].note, "past the end it is the last one"
    assert "Only the first 10 of your 12 words" in states(text="a b c d e f g h i j k l")[0].note
    assert "no words" in last(text="  ").note and len(states(text="  ")) == Params(text="  ").length == 1
    assert last().order_error is None and "averages" in last().note
    assert "other sentence has no words" in last(source="other sentence", other=" ").note


def test_what_is_not_computed_yet_is_covered_and_a_masked_score_is_minus_infinity():
    p = Params(mask="causal")
    played = states(mask="causal")
    covers = [[s for s in draw(p, played, i)["layout"]["shapes"] if s["line"]["width"] == 1] for i in range(9)]
    assert [len(one) for one in covers[:6]] == [7, 6, 5, 4, 3, 2] and len(covers[8]) == 15
    assert {s["label"]["text"] for s in covers[8]} == {"−∞"}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_named_run_shows_what_it_promises(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))
    default = Params()
    assert all(getattr(default, name) != value for name, value in preset.values.items())
