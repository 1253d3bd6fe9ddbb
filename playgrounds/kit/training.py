"""What training loops share: the steps that a film keeps, a test for divergence, a memory for trainings."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from math import ceil
from threading import Lock, RLock
from typing import Any

import numpy as np

MOST = 300  # steps that are kept, the start apart


def kept(steps: int, most: int = MOST) -> list[int]:
    """The steps of a run from 0 to `steps` that become states: all of them up to `most`, else every 2nd, 3rd, …

    The first and the last are always among them.
    """
    stride = max(1, ceil(steps / most))
    return [*range(0, steps, stride), steps]


def finite(*values: np.ndarray | Sequence[float] | float, most: float = 1e100) -> bool:
    """Whether all numbers are finite and their sizes below `most`: beyond it a run has diverged."""
    return all(bool((np.abs(np.asarray(v, float)) < most).all()) for v in values)  # nan is below nothing


class Training:
    """What is remembered of one training."""

    def __init__(self, source: Iterator[Any]):
        self.source = source
        self.yielded: list[Any] = []
        self.lock = Lock()
        self.readers = 0  # how many are going through it
        self.whole = False


KNOWN: list[OrderedDict[Any, Training]] = []  # the trainings of all generators that are remembered


def remembered(generator: Callable[..., Iterator[Any]], most: int = 4) -> Callable[..., Iterator[Any]]:
    """Decorate a generator function so that what it yields for the same (hashable) arguments is computed once.

    For a training that a run looks at in ways that do not change it (which digit, which sentence): moving such a knob
    costs no training then. The last `most` trainings are kept, and one that is not whole as long as somebody goes
    through it; what is yielded must not be changed by anybody.
    """
    known: OrderedDict[Any, Training] = OrderedDict()
    looking = RLock()  # the same thread may come again: a training that is forgotten may be reading another one
    KNOWN.append(known)

    @wraps(generator)
    def again(*arguments: Any) -> Iterator[Any]:
        with looking:
            if arguments not in known:
                known[arguments] = Training(generator(*arguments))
            known.move_to_end(arguments)
            one = known[arguments]
            one.readers += 1
            while len(known) > most:
                known.popitem(last=False)
        try:
            at = 0
            while True:
                with one.lock:
                    if at == len(one.yielded):
                        try:
                            one.yielded.append(next(one.source))
                        except StopIteration:
                            one.whole = True
                            return
                        except Exception:
                            known.pop(arguments, None)  # half a training must not pass for a whole one
                            raise
                yield one.yielded[at]
                at += 1
        finally:
            with looking:
                one.readers -= 1
                if not one.readers and not one.whole and known.get(arguments) is one:
                    del known[arguments]

    return again
