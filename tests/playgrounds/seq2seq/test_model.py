"""Seq2seq: one vector holds short sequences and not long ones; attention, a weighted average, removes the limit."""

from functools import cache

import numpy as np
import pytest

from playgrounds._cells import VectorAdam
from playgrounds._encoder_decoder import GRU, EncoderDecoder, PositionAttention, gru, one_hot
from playgrounds.seq2seq.model import ALPHABET, CLIP, Params, State, clipped, needed, nets, run, solve

LETTERS, SIZE = 8, 32


@cache
def states(**values) -> list[State]:
    return [state for state in run(Params(**values)) if state is not None]


def last(**values) -> State:
    return states(**values)[-1]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@cache
def fitted(kind: str, n: int, steps: int, rate: float, seed: int = 1) -> EncoderDecoder | PositionAttention:
    """A net trained to reverse sequences of n of 8 letters, 64 new ones a step, as the published numbers were made."""
    if kind == "position":
        net = PositionAttention(LETTERS, SIZE, rng(seed))
    else:
        net = EncoderDecoder(LETTERS, SIZE, kind == "attention", rng(seed))
    adam, draws = VectorAdam(net.theta, rate), rng(seed + 100)
    for _ in range(steps):
        x = draws.integers(LETTERS, size=(n, 64))
        adam.step(clipped(net, net.gradients(x, x[::-1])[1]))
    return net


def measured(net: EncoderDecoder | PositionAttention, n: int) -> tuple[float, float]:
    """Share of letters right by greedy decoding; share of rows with the largest weight on the anti-diagonal."""
    x = rng(99).integers(LETTERS, size=(n, 300))
    letters, _, _, weights = net.decode(x)
    return (letters == x[::-1]).mean(), (weights.argmax(axis=-1) == np.arange(n)[::-1]).mean()


# ------------------------------------------------------------------------------------------------ against torch


def torch_gru(w: GRU):
    """torch.nn.GRU with the weights of ours; torch adds a second bias to r and z, which is 0 here."""
    import torch

    size = len(w.u)
    layer = torch.nn.GRU(w.W.shape[1], size)
    zeros = torch.zeros(2 * size)
    parts = {"weight_ih_l0": w.W, "weight_hh_l0": w.U, "bias_ih_l0": w.b}
    made = {name: torch.tensor(part).squeeze(-1) for name, part in parts.items()}
    made["bias_hh_l0"] = torch.cat([zeros, torch.tensor(w.u)[:, 0]])
    layer.load_state_dict(made)
    return layer


def test_the_gru_is_that_of_torch():
    import torch

    w = EncoderDecoder(LETTERS, 7, False, rng()).encoder
    letters, h = rng(1).integers(LETTERS, size=(5, 3)), rng(2).normal(size=(7, 3)).astype(np.float32)
    ours = gru(w, one_hot(letters, LETTERS), h).states
    x = torch.tensor(w.E).T[torch.tensor(letters)]
    layer = torch_gru(w)
    with torch.no_grad():
        theirs, _ = layer(x, torch.tensor(h).T[None].contiguous())
    assert np.allclose(ours[1:].transpose(0, 2, 1), theirs, atol=1e-6)


@pytest.mark.fact("seq2seq")
@pytest.mark.fact("attention")
@pytest.mark.parametrize("attends", [False, True])
def test_loss_and_gradients_of_encoder_decoder_and_attention_are_those_of_torch(attends):
    import torch
    from torch.nn import functional as f

    net = EncoderDecoder(5, 6, attends, rng())
    x = rng(1).integers(5, size=(4, 9))
    y = np.sort(x, axis=0)
    loss, g = net.gradients(x, y)

    w = {name: torch.tensor(part, requires_grad=True) for name, part in net.w.items()}
    encoder, decoder = torch_gru(net.encoder), torch_gru(net.decoder)
    before = np.concatenate([np.full((1, 9), 5), y[:-1]])  # the start sign, then the true letters
    h, h_last = encoder(w["encoder E"].T[torch.tensor(x)])
    d, _ = decoder(w["decoder E"].T[torch.tensor(before)], h_last)
    logits = d @ w["O"].T + w["o"][:, 0]
    if attends:
        h, d = h.transpose(0, 1), d.transpose(0, 1)
        context = f.scaled_dot_product_attention(d @ w["Q"].T, h @ w["K"].T, h)
        logits = logits + (context @ w["C"].T).transpose(0, 1)
    theirs = f.cross_entropy(logits.flatten(0, 1), torch.tensor(y).flatten())
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), abs=1e-6)
    for of, layer in (("encoder ", encoder), ("decoder ", decoder)):
        assert np.allclose(g[of + "W"], layer.weight_ih_l0.grad, atol=1e-6)
        assert np.allclose(g[of + "U"], layer.weight_hh_l0.grad, atol=1e-6)
        assert np.allclose(g[of + "b"][:, 0], layer.bias_ih_l0.grad, atol=1e-6)
        assert np.allclose(g[of + "u"][:, 0], layer.bias_hh_l0.grad[-6:], atol=1e-6)
    for name in ("encoder E", "decoder E", "O", "o", *("QKC" if attends else "")):
        assert np.allclose(g[name], w[name].grad, atol=1e-6), name
    assert g.keys() == net.w.keys()


@pytest.mark.fact("attention")
def test_position_queries_are_torchs_scaled_dot_product_attention_and_so_are_their_gradients():
    import torch
    from torch.nn import functional as f

    net = PositionAttention(5, 6, rng())
    x = rng(1).integers(5, size=(4, 9))
    loss, g = net.gradients(x, x[::-1])
    w = {name: torch.tensor(part, requires_grad=True) for name, part in net.w.items()}
    q, k = w["Q"][:4], w["K"][:4] + w["L"][:4].flip(0)
    values = w["E"].T[torch.tensor(x.T)]
    logits = f.scaled_dot_product_attention(q.expand(9, 4, 6), k.expand(9, 4, 6), values) @ w["C"].T + w["o"][:, 0]
    theirs = f.cross_entropy(logits.flatten(0, 1), torch.tensor(x[::-1].T.copy()).flatten())
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), abs=1e-6)
    for name in net.w:
        assert np.allclose(g[name], w[name].grad, atol=1e-6), name


def test_the_optimizer_is_adam_after_clipping_as_in_torch():
    import torch

    net = PositionAttention(5, 6, rng())
    theta = torch.nn.Parameter(torch.tensor(net.theta))
    ours, theirs = VectorAdam(net.theta, 0.01), torch.optim.Adam([theta], 0.01)
    for seed, size in enumerate((5, 0.001, 1)):
        g = {name: (size * rng(seed).normal(size=part.shape)).astype(np.float32) for name, part in net.w.items()}
        ours.step(clipped(net, g))
        theta.grad = torch.cat([torch.tensor(part).flatten() for part in g.values()])
        torch.nn.utils.clip_grad_norm_([theta], CLIP)
        theirs.step()
    assert np.allclose(net.theta, theta.detach(), atol=1e-5)
    assert np.shares_memory(net.theta, net.w["Q"]), "and the net computes with the weights that were moved"


def test_greedy_decoding_feeds_back_what_was_written():
    net = EncoderDecoder(5, 6, True, rng())
    x = rng(1).integers(5, size=(4, 9))
    letters, probs, _, weights = net.decode(x)
    before = np.concatenate([np.full((1, 9), 5), letters[:-1]])
    h = net.read(x).states
    d = net.write(before, h[-1]).states[1:].transpose(2, 0, 1)
    *_, again, context = net.attend(d, h[1:].transpose(2, 0, 1))
    logits = d @ net.w["O"].T + net.w["o"][:, 0] + context @ net.w["C"].T
    assert np.allclose(weights, again, atol=1e-6)
    assert np.array_equal(letters, logits.argmax(axis=-1).T) and np.array_equal(letters, probs.argmax(axis=1))


# ---------------------------------------------------------------------------------------------------- attention


@pytest.mark.fact("attention")
@pytest.mark.parametrize("queries", ["position", "decoder state"])
def test_weights_are_not_negative_and_sum_to_1_and_are_the_softmax_of_the_scores(queries):
    for state in states(queries=queries, steps=100):
        assert (state.weights > 0).all(), "every position is averaged, none is left out"
        assert np.allclose(state.weights.sum(axis=1), 1, atol=1e-6)
        e = np.exp(state.scores.astype(float))
        assert np.allclose(state.weights, e / e.sum(axis=1, keepdims=True), atol=1e-6)
        assert state.largest_weight < 1


@pytest.mark.fact("attention")
def test_the_output_of_attention_lies_in_the_hull_of_the_values():
    net, x = fitted("position", 8, 500, 0.01), rng().integers(LETTERS, size=(8, 50))
    seen, values, _ = net.forward(x)
    d, h = (3 * rng(s).normal(size=(50, 8, SIZE)).astype(np.float32) for s in (1, 2))
    by_state = EncoderDecoder(LETTERS, SIZE, True, rng()).attend(d, h)
    by_position = seen.weights[None], seen.context.transpose(2, 0, 1)
    for v, (a, c) in ((values.transpose(2, 0, 1), by_position), (h, by_state[3:])):
        assert np.allclose(a @ v, c, atol=1e-5)
        assert (c <= v.max(axis=1, keepdims=True) + 1e-5).all() and (c >= v.min(axis=1, keepdims=True) - 1e-5).all()


@pytest.mark.fact("attention")
@pytest.mark.parametrize("n", [8, 16])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_position_queries_the_largest_weights_of_reversal_are_the_anti_diagonal(n, seed):
    assert measured(fitted("position", n, 500, 0.01, seed), n) == (1, 1)


@pytest.mark.fact("attention")
@pytest.mark.parametrize("task", ["reverse", "copy"])
def test_the_matrix_sharpens_into_the_diagonal_of_the_task_while_it_is_learned(task):
    played = states(task=task, steps=100)
    trained = played[: len(played) - played[-1].written + 1]
    first, middle, end = trained[0], trained[len(trained) // 2], trained[-1]
    assert first.aligned < 0.35 and end.aligned == 1
    assert first.needed_weight < 0.15 < middle.needed_weight < end.needed_weight
    n = len(end.weights)
    diagonal = np.arange(n) if task == "copy" else np.arange(n)[::-1]
    assert np.array_equal(end.weights.argmax(axis=1), diagonal)


@pytest.mark.fact("attention")
@pytest.mark.fact("seq2seq")
def test_reversal_at_8_letters_goes_from_75_to_97_percent_by_attention_whose_weights_are_on_the_anti_diagonal_in_13():
    # Half the steps at twice the rate; 800 steps at 0.005 gave 74 to 75, 97 to 98, and 14 % for three seeds. Longer
    # ones, too slow to train here: 34 to 73 % at 16 letters, 26 to 56 % at 24.
    plain, _ = measured(fitted("plain", 8, 400, 0.01), 8)
    attention, aligned = measured(fitted("attention", 8, 400, 0.01), 8)
    assert plain == pytest.approx(0.75, abs=0.08)
    assert attention == pytest.approx(0.97, abs=0.05) and attention > plain + 0.15
    assert aligned == pytest.approx(0.13, abs=0.05), "solved, and yet no anti-diagonal"


@pytest.mark.fact("attention")
def test_position_queries_never_see_the_letters():
    net, x = fitted("position", 8, 500, 0.01), rng().integers(LETTERS, size=(8, 4))
    weights = net.decode(x)[3]
    assert np.array_equal(weights, net.decode(np.sort(x, axis=0))[3])
    state = last(task="sort", steps=100)
    assert state.attention_accuracy < 0.35 < 0.5 < state.plain_accuracy, "so they cannot sort, and the plain net can"


# ------------------------------------------------------------------------------------------------------ seq2seq


@pytest.mark.fact("seq2seq")
def test_the_plain_net_reverses_short_sequences_and_gets_worse_with_length_while_attention_does_not():
    state = last()
    plain, attention = state.curves
    assert state.plain_short > 0.8 and state.plain_accuracy < 0.5
    assert (np.diff(plain) <= 0.02).all() and plain[0] > 0.99
    assert (attention > 0.99).all()


@pytest.mark.fact("seq2seq")
def test_attention_by_the_decoders_state_helps_where_one_vector_is_too_small():
    state = last(queries="decoder state", steps=100)
    gain = state.curves[1] - state.curves[0]
    assert gain[0] < 0.05 < gain[3] and gain[-1] > 0.05


@pytest.mark.fact("seq2seq")
def test_a_smaller_vector_holds_fewer_letters():
    small, large = (last(hidden=hidden, steps=100).plain_short for hidden in (4, 32))
    assert small < 0.55 < 0.65 < large


@pytest.mark.fact("seq2seq")
def test_all_that_the_plain_decoder_gets_is_the_encoders_last_state():
    plain, attention = EncoderDecoder(LETTERS, SIZE, False, rng()), EncoderDecoder(LETTERS, SIZE, True, rng())
    x = rng(1).integers(LETTERS, size=(6, 1))
    for net, same in ((plain, True), (attention, False)):
        read = net.read

        def forgetful(x, read=read):
            made = read(x)
            made.states[1:-1] = 0  # all states but the last
            return made

        before = net.decode(x)[1]
        net.read = forgetful
        assert np.array_equal(before, net.decode(x)[1]) == same


def test_both_recurrent_nets_start_with_the_same_weights_and_learn_from_the_same_batches():
    plain, attention = nets(Params(queries="decoder state"))
    assert all(np.array_equal(part, attention.w[name]) for name, part in plain.w.items())
    by_state, by_position = states(queries="decoder state", steps=10), states(steps=10)
    assert [s.plain_accuracy for s in by_state] == [s.plain_accuracy for s in by_position]


# ------------------------------------------------------------------------------------------- the reader's sequence


@pytest.mark.parametrize(("task", "written"), [("reverse", "daeh"), ("copy", "head"), ("sort", "adeh")])
def test_the_right_output_and_where_each_of_its_letters_stands(task, written):
    x = np.array([ALPHABET.index(c) for c in "head"])[:, None]
    assert "".join(ALPHABET[c] for c in solve(task, x)[:, 0]) == written
    assert np.array_equal(x[needed(task, x)[:, 0]], solve(task, x))
    assert np.array_equal(one_hot(x, 8).argmax(axis=1), x)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("Bad xyz!", "bad"),
        ("", "abcd"),
        ("<b>", "b"),
        ("badge", "badge"),
        ("abcde" * 6, "abcdeabcdeabcdeabcdeabcd"),
        ("abcdabcdabcdabcd", "abcdabcdabcdabcd"),
    ],
)
def test_letters_that_the_vocabulary_does_not_have_are_left_out(text, typed):
    assert "".join(ALPHABET[c] for c in Params(text=text).typed) == typed
