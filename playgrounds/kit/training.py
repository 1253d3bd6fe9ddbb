"""What training loops share: the steps that a film keeps, a test for divergence, a memory for trainings."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import wraps
from math import ceil
from threading import Lock
from typing import Any

import numpy as np

MOST = 300  # steps that are kept, the start apart


def kept(steps: int, most: int = MOST) -> list[int]:
    """The steps of a run from 0 to `steps` that become states: all of them up to `most`, else every 2nd, 3rd, …

    The first and the last are always among them.
    """
    stride = max(1, ceil(steps / most))
    return [*range(0, steps, stride), steps]


def finite(*values: np.ndarray | float, most: float = 1e100) -> bool:
    """Whether all numbers are finite and their sizes below `most`: beyond it a run has diverged."""
    return all(bool((np.abs(np.asarray(v, float)) < most).all()) for v in values)  # nan is below nothing


def remembered(generator: Callable[..., Iterator[Any]], most: int = 4) -> Callable[..., Iterator[Any]]:
    """Decorate a generator function so that what it yields for the same (hashable) arguments is computed once.

    For a training that a run looks at in ways that do not change it (which digit, which sentence): moving such a knob
    costs no training then. The last `most` trainings are kept; what is yielded must not be changed by anybody.
    """
    known: OrderedDict[Any, tuple[Iterator[Any], list[Any], Lock]] = OrderedDict()
    looking = Lock()

    @wraps(generator)
    def again(*arguments: Any) -> Iterator[Any]:
        with looking:
            if arguments not in known:
                known[arguments] = generator(*arguments), [], Lock()
            known.move_to_end(arguments)
            while len(known) > most:
                known.popitem(last=False)
            source, yielded, lock = known[arguments]
        at = 0
        while True:
            with lock:
                if at == len(yielded):
                    try:
                        yielded.append(next(source))
                    except StopIteration:
                        return
                    except Exception:
                        known.pop(arguments, None)  # half a training must not pass for a whole one
                        raise
            yield yielded[at]
            at += 1

    return again
