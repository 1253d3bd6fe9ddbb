"""Batch norm and layer norm on small batches: the same sample A with companions that change."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob

FEATURES = 5
BATCHES = 60
EPS = 1e-5  # as in PyTorch
INPUTS = 4  # of the layer before


class Params(kit.Params):
    size: int = knob(6, 1, 8, label="Batch size", help="sample A and its companions")
    others: Literal["new", "shifted", "the same"] = knob(
        "new",
        label="Companions of A",
        help="new in every batch; new and shifted by three standard deviations",
        when=lambda p: p.size > 1,
    )
    mode: Literal["training", "evaluation"] = knob(
        "training", label="Batch norm in", help="evaluation: running statistics, not the batch's"
    )
    factor: float = knob(1.0, 0.001, 100, label="Factor on the weights", help="of the layer before", log=True)
    gamma: float = knob(1.0, -3, 3, label="Scale γ", step=0.1)
    beta: float = knob(0.0, -3, 3, label="Shift β", step=0.1)
    momentum: float = knob(
        0.1, 0.01, 1, label="Momentum", help="the new batch's share in the running statistics", step=0.01, more=True
    )
    seed: int = knob(30, 0, 9999, label="Seed", help="decides the samples and the weights before", more=True)

    @property
    def length(self) -> int:
        return BATCHES + 1


class State(NamedTuple):
    """Row 0 of every array (size, FEATURES) is sample A."""

    step: int  # batches whose statistics have been collected
    mean: Annotated[float, Metric("mean of feature 1 after batch norm", shown=True)]
    variance: Annotated[float, Metric("variance of feature 1 after batch norm", shown=True)]
    dependence: Annotated[
        float, Metric("change of A by other companions, batch norm", shown=True)
    ]  # the largest, in batch norm
    z: np.ndarray  # (size, FEATURES), what the layer before puts out
    by_batch: np.ndarray  # the same after batch norm
    by_layer: np.ndarray  # and after layer norm
    running_mean: np.ndarray  # (FEATURES,), before this batch
    running_variance: np.ndarray
    layer_dependence: Annotated[float, Metric("change of A by other companions, layer norm")]
    scaling: Annotated[float, Metric("change of the outputs by the factor")]  # the largest; 0 in evaluation


def rescaled(p: Params, z: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """γ (z − mean) / √(variance + ε) + β"""
    return p.gamma * (z - mean) / np.sqrt(variance + EPS) + p.beta


def batch_norm(p: Params, z: np.ndarray, running_mean: np.ndarray, running_variance: np.ndarray) -> np.ndarray:
    """Ioffe and Szegedy 2015: each column of z (samples, features) by the batch's statistics, or the running ones."""
    if p.mode == "evaluation" or len(z) == 1:
        return rescaled(p, z, running_mean, running_variance)
    return rescaled(p, z, z.mean(axis=0), z.var(axis=0))


def layer_norm(p: Params, z: np.ndarray) -> np.ndarray:
    """Ba, Kiros and Hinton 2016: each row by the statistics of its own features."""
    return rescaled(p, z, z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True))


def largest_change(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def rounded(value: float) -> float:
    """Without the rounding errors of float64."""
    return round(float(value), 12) + 0.0  # not -0.0


def run(p: Params) -> Iterator[State]:
    """Batch after batch, always with sample A: what both layers make of it, and the running statistics collected."""
    rng = np.random.default_rng(p.seed)
    w = 100 * rng.normal(size=(INPUTS, FEATURES))
    a = rng.normal(size=(1, INPUTS))
    companions = (8 if p.size == 1 else p.size) - 1  # a single sample has no variance to collect
    shift = 3.0 if p.others == "shifted" else 0.0
    running_mean, running_variance = np.zeros(FEATURES), np.ones(FEATURES)
    x = a
    for step in range(BATCHES + 1):
        drawn, replacements = rng.normal(size=(2, companions, INPUTS)) + shift
        if step == 0 or p.others != "the same":
            x = np.vstack([a, drawn])
        z = x @ (p.factor * w)
        z_unscaled = x @ w
        z_replaced = np.vstack([a, replacements]) @ (p.factor * w)

        batch = z[: p.size]
        by_batch = batch_norm(p, batch, running_mean, running_variance)
        by_layer = layer_norm(p, batch)
        by_batch_replaced = batch_norm(p, z_replaced[: p.size], running_mean, running_variance)
        by_layer_replaced = layer_norm(p, z_replaced[: p.size])
        scaling = 0.0
        if p.mode == "training" and p.size > 1:
            scaling = largest_change(batch_norm(p, z_unscaled[: p.size], running_mean, running_variance), by_batch)
        yield State(
            step=step,
            mean=rounded(by_batch[:, 0].mean()),
            variance=rounded(by_batch[:, 0].var()),
            dependence=largest_change(by_batch_replaced[0], by_batch[0]),
            z=batch,
            by_batch=by_batch,
            by_layer=by_layer,
            running_mean=running_mean,
            running_variance=running_variance,
            layer_dependence=largest_change(by_layer_replaced[0], by_layer[0]),
            scaling=scaling,
        )

        running_mean = (1 - p.momentum) * running_mean + p.momentum * z.mean(axis=0)
        unbiased = z.var(axis=0, ddof=1)  # as in PyTorch
        running_variance = (1 - p.momentum) * running_variance + p.momentum * unbiased
