"""What is weighed is what is held: arrays once, tensors, and whatever a generator keeps while it stands still."""

from functools import partial

import numpy as np
import torch

from playgrounds.kit import memory
from playgrounds.kit.catalogue import load
from playgrounds.kit.training import KNOWN, remembered
from playgrounds.kit.weigh import weigh

BIG = 8 * 100_000  # bytes of an array of that many float64


def holding(n: int):
    """Stands still with n arrays in its frame, one of them in a closure, one in a generator of its own."""

    def inner():
        yield np.zeros(100_000)

    arrays = [np.zeros(100_000) for _ in range(n - 2)]
    closed = np.zeros(100_000)
    below = (one + look() for look in [lambda: closed] for one in inner())
    yield len(arrays)
    yield next(below), arrays


def test_a_suspended_generator_weighs_what_stands_in_its_frame():
    generator = holding(5)
    next(generator)
    assert 4 * BIG <= weigh(generator) < 4 * BIG + 20_000  # the inner one has not begun
    next(generator)
    generator.close()
    assert weigh(generator) < 20_000


def test_an_array_counts_once_and_a_view_as_all_that_it_keeps():
    array = np.zeros(100_000)
    assert BIG <= weigh([array, array, (array, {"again": array})]) < BIG + 2000
    assert BIG <= weigh(array[:3]) < BIG + 2000
    assert weigh([array], without=[array]) < 200


def test_tensors_their_gradients_and_an_optimizers_memory_count():
    net = torch.nn.Linear(1000, 100)
    size = 4 * (1000 * 100 + 100)
    assert size <= weigh(net) < size + 30_000
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.zeros(1, 1000)).sum().backward()
    optimizer.step()
    assert 4 * size <= weigh((net, optimizer)) < 4 * size + 60_000  # weights, gradients, two moments
    weights = net.weight.detach()
    assert weigh([weights, weights[:2], weights.numpy()[:0]]) < 2 * size


def test_modules_classes_and_globals_belong_to_nobody():
    assert weigh([np, torch, load, partial(load, "mlp"), type(np.zeros(1))]) < 20_000


def test_a_remembered_training_is_weighed_by_itself_and_not_with_the_runs_that_look_at_it():
    @remembered
    def training(n: int):
        for _ in range(n):
            yield np.zeros(100_000)

    before = memory.held()
    reader = training(9)
    for _ in range(3):
        next(reader)
    assert 3 * BIG <= memory.held() - before < 3 * BIG + 20_000
    assert weigh(reader, memory.shared()) < 20_000
    next(reader)
    assert memory.held() - before >= 4 * BIG
    KNOWN.pop()


def test_trainings_are_forgotten_oldest_first_until_they_have_room():
    known = KNOWN[:]
    KNOWN.clear()
    try:

        @remembered
        def training(n: int):
            yield np.zeros(100_000)

        for n in range(4):
            list(training(n))
        assert list(KNOWN[0]) == [(0,), (1,), (2,), (3,)]
        assert memory.trim(int(2.5 * BIG)) < 2.5 * BIG
        assert list(KNOWN[0]) == [(2,), (3,)]
        memory.trim(0)
        assert list(KNOWN[0]) == [(3,)], "the newest stays whatever its size"
    finally:
        KNOWN[:] = known
