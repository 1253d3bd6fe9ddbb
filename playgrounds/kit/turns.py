"""Whose turn it is to compute: one run at a time, and the one that has cost least so far goes first.

Side by side the GIL would make all runs slow, so they take turns. Among those that wait:

1. A run that has had no turn yet. Most runs are done in one, and everybody wants a first picture.
2. Else the run of the reader who has the fewest other runs going, so that a second heavy run stands behind everybody's
   first.
3. Then the one on which least time was spent, in a few coarse classes. Within a class runs are taken one after the
   other: in turn they would all be late, and all be half done in memory.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

CLASSES = 0.3, 1.5, 8.0  # seconds spent on a run: bounds of the classes
RECENT = 30.0  # seconds for which a run that somebody has left counts as one of that reader's
SLICE = 0.2  # seconds between two looks at whether waiting still makes sense


class Waits(Protocol):
    """What a run must say for the order."""

    id: str
    seconds: float  # spent on it so far
    begun: float  # when it was first asked for

    @property
    def guess(self) -> float: ...  # seconds that runs of its kind take, as far as is known

    @property
    def suspended(self) -> bool: ...  # it can go on where it was; else it has to be computed again up to there


class Turn:
    """One request for a turn."""

    def __init__(self, run: Waits, reader: str, enough: Callable[[], bool]):
        self.run, self.reader, self.enough = run, reader, enough
        self.granted = False
        self.crowded = False  # others wait as well
        self.woken = threading.Event()  # it was granted, or there is enough without it


class Turns:
    """The queue. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[Turn] = []
        self._taken = False
        self._going: dict[
            str, dict[str, float]
        ] = {}  # by reader: runs that one turn did not finish, when last computed

    @contextmanager
    def turn(
        self,
        run: Waits,
        reader: str = "",
        enough: Callable[[], bool] = lambda: False,
        patience: float | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> Iterator[Turn]:
        """Wait for the turn to compute on `run`; it is over when the block ends. See `granted` for whether it came.

        It does not come where `enough()` becomes true meanwhile (somebody else has computed what was wanted) or after
        `patience` seconds. `pause` is called again and again while waiting, and may raise to end it.
        """
        mine = Turn(run, reader, enough)
        until = None if patience is None else self._clock() + patience
        with self._lock:
            self._waiting.append(mine)
            self._next()
        try:
            while not mine.woken.wait(SLICE):
                pause()
                if until is not None and self._clock() >= until:
                    break
            with self._lock:
                self._withdraw(mine)
            yield mine
        finally:
            with self._lock:
                self._withdraw(mine)
                self._taken = self._taken and not mine.granted
                self._next()

    def computed(self, run: Waits, reader: str, done: bool) -> None:
        """For the end of a turn: the reader has, or no longer has, this run going."""
        now = self._clock()
        with self._lock:
            going = self._going.setdefault(reader, {})
            going[run.id] = now
            if done:
                del going[run.id]
            for name, runs in list(self._going.items()):
                self._going[name] = {id_: at for id_, at in runs.items() if at > now - RECENT}
                if not self._going[name]:
                    del self._going[name]

    def _next(self) -> None:
        """Send away who need wait no longer; if nobody computes, give the turn to the first."""
        for one in [one for one in self._waiting if one.enough()]:
            self._waiting.remove(one)
            one.woken.set()
        if self._taken or not self._waiting:
            return
        first = min(self._waiting, key=self._place)
        self._waiting.remove(first)
        self._taken = first.granted = True
        first.crowded = bool(self._waiting)
        first.woken.set()

    def _withdraw(self, one: Turn) -> None:
        if one in self._waiting:
            self._waiting.remove(one)

    def _place(self, one: Turn) -> tuple:
        """What the order goes by; less is earlier."""
        run = one.run
        others = 0
        if one.reader:
            recent = self._clock() - RECENT
            others = sum(at > recent for id_, at in self._going.get(one.reader, {}).items() if id_ != run.id)
        if not run.seconds:
            return 0, others, run.guess, run.begun
        spent = sum(run.seconds > bound for bound in CLASSES)
        return 1, others, spent, not run.suspended, run.begun
