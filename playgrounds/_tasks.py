"""Pairs of tasks: a source with many examples and a target with few labels."""

from typing import NamedTuple

import numpy as np

LABELLED, TEST = 256, 1000  # labels of the target; examples of a test set


class Task(NamedTuple):
    inputs: int
    kinds: int  # classes of the source
    classes: int  # of the target
    source_needs: int  # directions of the inputs that the source depends on
    target_needs: int


TASKS = {"subspace": Task(50, 8, 2, source_needs=3, target_needs=1), "digits": Task(64, 5, 5, 4, 4)}


class Examples(NamedTuple):
    x: np.ndarray  # (R, n, inputs) of R repetitions
    y: np.ndarray  # (R, n)


def subspace(source: int, angle: float, rng: np.random.Generator) -> tuple:
    """Source, its test set, target, its test set, needs and basis of one repetition.

    The source: which of 8 directions in 3 of 50 dimensions fits best; the target: the side of one direction,
    at `angle` degrees to what the source needs.
    """
    task = TASKS["subspace"]
    basis = np.linalg.qr(rng.normal(size=(task.inputs, task.inputs)))[0]
    inner, aside = basis[:, : task.source_needs], basis[:, task.source_needs]
    eight, one = rng.normal(size=(task.source_needs, task.kinds)), rng.normal(size=task.source_needs)
    across, along = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle)) / np.linalg.norm(one)
    direction = along * inner @ one + across * aside
    x = rng.standard_normal((LABELLED + 2 * TEST + source, task.inputs), np.float32)
    x_target, x_target_test, x_source_test, x_source = np.split(x, [LABELLED, LABELLED + TEST, LABELLED + 2 * TEST])

    def by_fit(x: np.ndarray) -> Examples:
        return Examples(x, (x @ inner @ (eight / np.linalg.norm(eight, axis=0))).argmax(axis=1))

    def by_side(x: np.ndarray) -> Examples:
        return Examples(x, (x @ direction > 0) * 1)

    sets = by_fit(x_source), by_fit(x_source_test), by_side(x_target), by_side(x_target_test)
    return *sets, (inner, direction[:, None]), basis


def digits(source: int, rng: np.random.Generator) -> tuple:
    """Source: 0-4, target: 5-9 of scikit-learn's 8 x 8 digits. What a task needs: the span of its classes' means."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean()) / x.std()).astype(np.float32)
    means = np.stack([x[y == c].mean(axis=0) for c in range(10)])
    needs = [np.linalg.svd(m - m.mean(axis=0))[2][:4].T for m in (means[:5], means[5:])]
    small, large = rng.permutation(np.flatnonzero(y < 5)), rng.permutation(np.flatnonzero(y >= 5))
    labelled = np.stack([large[y[large] == c][:52] for c in range(5, 10)], axis=1).ravel()[:LABELLED]  # classes in turn
    sets = small[200:][:source], small[:200], labelled, np.setdiff1d(large, labelled)
    return *(Examples(x[at], y[at] % 5) for at in sets), needs, np.eye(64)
