"""The numerics of the kit are torch's: activations, losses, layers, first weights, optimizers."""

import numpy as np
import pytest

from playgrounds.kit import nn

RNG = np.random.default_rng(0)
Z = np.concatenate([RNG.normal(0, 3, 40), [-800, -30, 0, 30, 800]])
SCORES = RNG.normal(0, 5, (7, 5))


def torch_of(name: str):
    import torch

    return {
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "identity": lambda z: z,
        "gelu": lambda z: torch.nn.functional.gelu(z, approximate="tanh"),
    }[name]


@pytest.mark.parametrize("name", ["relu", "sigmoid", "gelu"])
def test_an_activation_is_that_of_torch_and_never_overflows(name):
    import torch

    with np.errstate(all="raise", under="ignore"):
        ours = getattr(nn, name)(Z)
    assert np.allclose(ours, torch_of(name)(torch.from_numpy(Z)).numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
def test_the_slope_of_an_activation_is_what_autograd_finds(name):
    import torch

    z = torch.from_numpy(Z[:40]).requires_grad_()
    h = torch_of(name)(z)
    h.sum().backward()
    assert np.allclose(nn.ACTIVATIONS[name](Z[:40]), h.detach().numpy(), rtol=1e-12, atol=1e-15)
    assert np.allclose(nn.SLOPES[name](h.detach().numpy()), z.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_and_its_logarithm_are_those_of_torch(axis):
    import torch

    scores = torch.from_numpy(SCORES)
    assert np.allclose(nn.softmax(SCORES, axis), torch.softmax(scores, axis).numpy(), rtol=1e-13)
    assert np.allclose(nn.log_softmax(SCORES, axis), torch.log_softmax(scores, axis).numpy(), rtol=1e-12)


def test_softmax_takes_scores_that_exp_could_not_and_masked_ones():
    assert nn.softmax(np.array([1000.0, 0.0, -np.inf])).tolist() == [1.0, 0.0, 0.0]


def test_float32_stays_float32():
    z = SCORES.astype(np.float32)
    for f in (nn.relu, nn.sigmoid, nn.gelu, nn.softmax, nn.log_softmax, nn.layer_norm):
        assert f(z).dtype == np.float32, f


def test_cross_entropies_are_those_of_torch():
    import torch

    labels = RNG.integers(0, 5, 7)
    theirs = torch.nn.functional.cross_entropy(torch.from_numpy(SCORES), torch.from_numpy(labels))
    assert nn.cross_entropy(SCORES, labels) == pytest.approx(float(theirs), rel=1e-12)
    y = RNG.integers(0, 2, len(Z)).astype(float)
    each = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.from_numpy(Z), torch.from_numpy(y), reduction="none"
    )
    assert np.allclose(nn.binary_cross_entropy(Z, y), each.numpy(), rtol=1e-12, atol=1e-14)  # torch rounds tiny ones


def test_layer_norm_is_that_of_torch():
    import torch

    theirs = torch.nn.functional.layer_norm(torch.from_numpy(SCORES), (5,))
    assert np.allclose(nn.layer_norm(SCORES), theirs.numpy(), rtol=1e-12)


def test_first_weights_have_the_spread_of_torchs():
    import torch

    assert nn.he_std(50) == pytest.approx(torch.nn.init.calculate_gain("relu") / np.sqrt(50))
    w = torch.empty(300, 500, dtype=torch.float64)
    torch.nn.init.xavier_normal_(w, generator=torch.Generator().manual_seed(0))
    assert nn.xavier_std(500, 300) == pytest.approx(float(w.std()), rel=0.01)
    w, b = nn.linear(500, 300, np.random.default_rng(0))
    layer = torch.nn.Linear(500, 300)
    assert w.shape == tuple(layer.weight.shape) and b.shape == tuple(layer.bias.shape)
    assert np.abs(w).max() == pytest.approx(float(layer.weight.detach().abs().max()), rel=0.01)
    assert np.abs(b).max() == pytest.approx(float(layer.bias.detach().abs().max()), rel=0.05)


OPTIMIZERS = {
    "plain": (lambda t: nn.SGD(t, 0.1), lambda torch, q: torch.optim.SGD(q, lr=0.1)),
    "momentum": (lambda t: nn.SGD(t, 0.1, 0.9), lambda torch, q: torch.optim.SGD(q, lr=0.1, momentum=0.9)),
    "Adam": (lambda t: nn.Adam(t, 0.1), lambda torch, q: torch.optim.Adam(q, lr=0.1)),
    "other betas": (
        lambda t: nn.Adam(t, 0.03, 0.5, 0.99, 1e-6),
        lambda torch, q: torch.optim.Adam(q, lr=0.03, betas=(0.5, 0.99), eps=1e-6),
    ),
    "AdamW": (
        lambda t: nn.Adam(t, 0.1, decay=0.2),
        lambda torch, q: torch.optim.AdamW(q, lr=0.1, weight_decay=0.2),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_forty_steps_of_an_optimizer_are_those_of_torch(name):
    import torch

    make, make_theirs = OPTIMIZERS[name]
    theta = [RNG.normal(size=(3, 2)), RNG.normal(size=4)]
    parameters = [torch.from_numpy(w.copy()).requires_grad_() for w in theta]
    ours, theirs = make(theta), make_theirs(torch, parameters)
    for _ in range(40):
        ours.step([4 * w**3 - w for w in theta])
        theirs.zero_grad()
        sum((q**4 - q**2 / 2).sum() for q in parameters).backward()
        theirs.step()
    for w, q in zip(theta, parameters, strict=True):
        assert np.allclose(w, q.detach().numpy(), rtol=1e-10, atol=1e-14)
