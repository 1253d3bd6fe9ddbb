"""What trainings that are remembered hold in memory, and how it is kept within bounds."""

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from playgrounds.kit.training import KNOWN, Training
from playgrounds.kit.weigh import weigh


def shared() -> Iterator[Any]:
    """What belongs to no single run."""
    for known in KNOWN:
        yield known
        yield from list(known.values())


def held() -> int:
    """Bytes of all trainings, half-done ones with what they work on."""
    return sum(_weigh(one) for known in KNOWN for one in list(known.values()))


def trim(room: int) -> int:
    """Forget trainings, oldest first, until the others hold at most `room` bytes; returns what they hold."""
    for known in KNOWN:
        while len(known) > 1 and held() > room:
            known.popitem(last=False)
    return held()


_weights: WeakKeyDictionary[Training, tuple[int, bool, int]] = WeakKeyDictionary()


def _weigh(one: Training) -> int:
    """Bytes of one training; as they were, if nothing has been added to it since."""
    now = len(one.yielded), one.whole
    if _weights.get(one, ())[:2] != now:
        _weights[one] = *now, weigh((one.yielded, None if one.whole else one.source))
    return _weights[one][2]
