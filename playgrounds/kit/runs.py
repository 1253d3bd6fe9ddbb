"""Runs, computed once for everybody who asks for them, and kept while there is room."""

import contextlib
import ctypes
import gzip
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np

from playgrounds.kit.catalogue import Playground
from playgrounds.kit.film import Film
from playgrounds.kit.metrics import as_json
from playgrounds.kit.params import Params

FIRST = 0.4  # seconds for the first round of a run: most runs are done in it
ROUND = 0.2  # seconds that one reader may compute before the others have their turn
ROOM = 48 * 2**20  # bytes of states and films that the store keeps

log = logging.getLogger(__name__)
_turn = threading.Semaphore(1)  # compute takes turns: side by side the GIL would make all of them slow


class Run:
    """One playground at one set of params: its states so far, and its film. Safe to share between threads."""

    def __init__(self, playground: Playground, params: Params):
        self.id = key(playground, params)
        self.params = params
        self.length = params.length
        self.states: list[Any] = []
        self.done = False
        self.film = Film(playground.note, playground.draw, params, params.length)
        self.failure = ""  # why the run ended early, if the playground raised
        self.seconds = 0.0  # spent computing and drawing
        self._states: Iterator[Any] = iter(playground.run(params))
        self.metrics = as_json(playground.State)
        self._lock = threading.Lock()
        self._messages: dict[Any, bytes] = {}
        self._weighed = 0, 0  # number of states, bytes of their arrays

    def advance(self, seconds: float = ROUND, beyond: int = 0) -> None:
        """Compute for about `seconds`, unless the run is done or somebody else has got beyond frame `beyond`."""
        if self.done:
            return
        with self._lock:
            if self.done or len(self.film.steps) > beyond > 0:
                return
            with _turn:
                started = time.perf_counter()
                ended = self._compute(started + seconds)
                ended = self._draw(ended) or ended  # after a failure too: what was computed can be looked at
                self._messages.clear()
                self.seconds += time.perf_counter() - started
                self.done = ended  # last: whoever finds a run done, without the lock, finds its film complete

    def _compute(self, until: float) -> bool:
        """Compute until it is time; returns whether the run has ended."""
        try:
            while time.perf_counter() < until:
                if (state := next(self._states)) is not None:  # None: nothing to see yet, but time may be up
                    self.states.append(state)
        except StopIteration:
            return True
        except Exception as error:  # a bug in a playground must not take the page with it
            return self._fail(error)
        return False

    def _draw(self, ended: bool) -> bool:
        """Draw what is new; returns whether the run has to end because it could not be drawn."""
        try:
            self.film.extend(self.states, ended)
        except Exception as error:
            self.film.done = self._fail(error)
            return True
        return False

    def _fail(self, error: Exception) -> bool:
        log.exception("the run %s failed", self.id)
        self.failure = f"{type(error).__name__}: {error}"
        return True

    def finish(self) -> "Run":
        """Compute the whole run."""
        while not self.done:
            self.advance()
        return self

    def message(self, first: int, **head: Any) -> bytes:
        """The film from frame `first` on as gzip, for the player; the same bytes for everybody who asks for them."""
        wanted = (first, *sorted(head.items()))
        with self._lock:
            if wanted not in self._messages:
                if len(self._messages) > 8:
                    self._messages.clear()
                message = self.film.message(
                    first, run=self.id, length=self.length, states=len(self.states), metrics=self.metrics, **head
                )
                self._messages[wanted] = gzip.compress(message, 1, mtime=0)
            return self._messages[wanted]

    @property
    def nbytes(self) -> int:
        """Bytes of the film, its messages and the arrays in the states, each array once."""
        if len(self.states) != self._weighed[0]:
            arrays = {id(a): a.nbytes for state in list(self.states) for a in _arrays(state)}
            self._weighed = len(self.states), sum(arrays.values())
        return self.film.nbytes + sum(map(len, list(self._messages.values()))) + self._weighed[1]


class Store:
    """The runs of a server, least recently used thrown away first once they need more than `room` bytes."""

    def __init__(self, room: int = ROOM):
        self.room = room
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, playground: Playground, params: Params) -> Run:
        wanted = key(playground, params)
        with self._lock:
            run = self._runs.get(wanted)
            if run is None:
                run = self._runs[wanted] = Run(playground, params)
            self._runs.move_to_end(wanted)
            return run

    def tidy(self) -> None:
        """Throw away what is too much; the newest run stays whatever its size."""
        with self._lock:
            used = {name: run.nbytes for name, run in self._runs.items()}
            while sum(used.values()) > self.room and len(self._runs) > 1:
                name, _ = self._runs.popitem(last=False)
                del used[name]
        give_back()

    def __len__(self) -> int:
        return len(self._runs)


def give_back() -> None:
    """Hand memory that runs have freed back to the system; the C library would keep it, and small hosts have little."""
    with contextlib.suppress(OSError, AttributeError):  # another system, another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def key(playground: Playground, params: Params) -> str:
    """Names a run: same playground source, same params, same key."""
    text = f"{playground.name} {playground.digest} {params.model_dump_json()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _arrays(one)
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()))
