"""The descent playground against torch.optim, against closed forms, and the facts of the terms that it serves."""

import re
import warnings

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from torch.optim import lr_scheduler

from playgrounds import descent
from playgrounds.descent import Params, descend, draw, limit, number, run
from playgrounds.kit.film import difference

OPTIMIZERS = Params.knobs()["optimizers"].choices
SURFACES = Params.knobs()["surface"].choices
SCHEDULES = Params.knobs()["schedule"].choices
RATES = {"bowl": 0.3, "valley": 0.008, "rosenbrock": 0.0005, "saddle": 0.1, "ripples": 0.05}  # none diverges
MILLIONTH = {"x": 1, "y": 1, "condition": 100}  # the start and the valley in which steps to 1e-6 are counted


def states(**values):
    return list(run(Params(**values)))


def path(found, optimizer=0):
    """Weights at every step, (steps + 1, weights)."""
    return np.concatenate([state.path[:, optimizer] for state in found])


def steps_to_a_millionth(name, rate, **values):
    (at,) = states(optimizers=(name,), rate=rate, **MILLIONTH | values)[-1].arrived
    return at and at[0]


# ------------------------------------------------------------------------------------------------------------ the oracle


def torch_loss(p, w):
    """The surfaces once more, for autograd."""
    if p.surface == "bowl":
        value = (w**2).sum() / 2
    elif p.surface == "valley":
        value = (w**2 * torch.tensor([1.0, p.condition], dtype=w.dtype)).sum() / 2
    elif p.surface == "rosenbrock":
        value = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    elif p.surface == "saddle":
        u, v = (w[0] - w[1]) / 2**0.5, (w[0] + w[1]) / 2**0.5
        value = u**2 / 2 + (v**2 - 1) ** 2 / 4
    else:
        value = (w**2 / 4 + (1 - torch.cos(5 * w)) / 5).sum()
    return 10.0**p.scale * value


def torch_walk(p, name):
    """The path, the losses and the rates of torch.optim and its schedulers, told the loss after every step."""
    w = torch.tensor(p.start, dtype=torch.float64, requires_grad=True)
    settings = {"lr": p.rate, "weight_decay": p.decay}
    optimizer = {
        "GD": lambda: torch.optim.SGD([w], **settings),
        "momentum": lambda: torch.optim.SGD([w], momentum=p.beta, **settings),
        "Nesterov": lambda: torch.optim.SGD([w], momentum=p.beta, nesterov=True, **settings),
        "RMSProp": lambda: torch.optim.RMSprop([w], alpha=p.alpha, **settings),
        "Adam": lambda: torch.optim.Adam([w], betas=(p.beta, p.beta2), **settings),
        "AdamW": lambda: torch.optim.AdamW([w], betas=(p.beta, p.beta2), **settings),
    }[name]()
    schedule = {
        "constant": lambda: lr_scheduler.LambdaLR(optimizer, lambda _: 1.0),
        "step": lambda: lr_scheduler.StepLR(optimizer, p.every, p.factor),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, p.steps),
        "plateau": lambda: lr_scheduler.ReduceLROnPlateau(optimizer, factor=p.factor, patience=p.patience),
    }[p.schedule]()
    rng = np.random.default_rng(p.seed)
    walked, losses, etas = [w.detach().numpy().copy()], [torch_loss(p, w).item()], []
    for _ in range(p.steps):
        etas.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        torch_loss(p, w).backward()
        if p.noise:
            w.grad += torch.from_numpy(10.0**p.scale * p.noise * rng.normal(size=len(p.start)))
        optimizer.step()
        walked.append(w.detach().numpy().copy())
        losses.append(torch_loss(p, w).item())
        schedule.step(*([losses[-1]] if p.schedule == "plateau" else []))
    return np.array(walked), np.array(losses), np.array(etas)


def assert_is_torch(p):
    found = list(run(p))
    assert len(found) == p.steps + 1
    for i, name in enumerate(p.optimizers):
        walked, losses, etas = torch_walk(p, name)
        np.testing.assert_allclose(path(found, i), walked, rtol=1e-12, atol=1e-12, err_msg=name)
        np.testing.assert_allclose([s.losses[i] for s in found], losses, rtol=1e-12, atol=1e-12, err_msg=name)
        np.testing.assert_allclose([s.etas[i] for s in found[1:]], etas, rtol=1e-12, atol=1e-12, err_msg=name)
    return found


@pytest.mark.fact("optimizer")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_path_is_that_of_torch_on_every_surface_with_every_schedule(surface, schedule):
    found = assert_is_torch(
        Params(
            surface=surface,
            schedule=schedule,
            rate=RATES[surface],
            optimizers=OPTIMIZERS,
            steps=60,
            every=17,
            patience=3,
            factor=0.3,
        )
    )
    changed = {i for s in found for i, eta in enumerate(s.etas) if eta != RATES[surface]}
    if schedule != "plateau":
        assert len(changed) == (0 if schedule == "constant" else len(OPTIMIZERS))
    elif surface == "ripples":
        assert 0 < len(changed), "in a local minimum the loss stalls"


@pytest.mark.parametrize("values", [{"decay": 0.3}, {"noise": 1.0, "seed": 7}, {"scale": 2}, {"scale": -5}])
def test_every_path_is_that_of_torch_with_weight_decay_with_noise_and_with_a_scaled_loss(values):
    assert_is_torch(Params(optimizers=OPTIMIZERS, rate=8e-5 if "scale" in values else 0.008, steps=80, **values)
                    if values != {"scale": 2} else Params(optimizers=OPTIMIZERS, rate=1e-4, steps=80, **values))
