"""Runs, computed once for everybody who asks for them, and kept while there is room."""

import contextlib
import ctypes
import gzip
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

import numpy as np

from playgrounds.kit import memory
from playgrounds.kit.catalogue import Playground
from playgrounds.kit.film import Film
from playgrounds.kit.metrics import as_json
from playgrounds.kit.turns import Turns
from playgrounds.kit.weigh import weigh

FIRST = 0.22  # seconds for the first turn of a run: most runs are done in it
ROUND = 0.2  # seconds that one reader may compute before the others have their turn
SHORT = 0.1  # the same for the first turn of a run that will need more, while others wait
OVER = 0.05  # seconds beyond those, for frames that are not drawn yet
ROOM = 48 * 2**20  # bytes of states and films that the store keeps
SUSPENDED = 48 * 2**20  # bytes inside of runs that stand still half-way
MOST_SUSPENDED = 16  # of these
IDLE = 30.0  # seconds after which a run that nobody asks for need not stand ready to go on
UNSEEN = 2**20  # bytes of a suspended run that cannot be weighed; measured: up to 1.9 MB, mostly under 0.5
FRAME = 0.004  # seconds to draw a frame, before it is known

log = logging.getLogger(__name__)
clock = time.perf_counter
turns = Turns()
_typical: dict[str, float] = {}  # seconds that runs take, by the playground's name


class Settings(Protocol):
    """What a run must know of its params; a sweep (kit/sweep.py) has no knobs of its own, but has these."""

    @property
    def length(self) -> int | None: ...

    def model_dump_json(self) -> str: ...


class Run:
    """One playground at one set of params: its states so far, and its film. Safe to share between threads.

    Between two turns a run is suspended: its generator stands still, with all its nets and data. To save that memory
    the generator can be closed; the next turn then starts another one and skips what is known.
    """

    def __init__(self, playground: Playground, params: Settings):
        self.id = key(playground, params)
        self.params: Any = params
        self.length = params.length
        self.states: list[Any] = []
        self.done = False
        self.film = Film(playground.note, playground.draw, params, params.length)
        self.failure = ""  # why the run ended early, if the playground raised
        self.seconds = 0.0  # spent computing and drawing
        self.metrics = as_json(playground.State)
        self.begun = self.asked = self.worked = clock()
        self.held = 0  # bytes inside the generator, as measured after the last turn
        self._count = 0  # of the answers to those who asked for a turn
        self._playground = playground
        self._generator: Generator[Any, None, None] | None = None
        self._pulled = 0  # what it has yielded, None included
        self._known = 0  # how much of that is still to be skipped
        self._ended = False
        self._frame = FRAME  # seconds that one frame takes to draw
        self._lock = threading.Lock()
        self._messages: dict[Any, bytes] = {}
        self._weighed = 0, 0  # number of states, bytes that they hold

    @property
    def guess(self) -> float:
        """Seconds that the whole run may take, from others of its playground."""
        return _typical.get(self._playground.name, 0.0)

    def note(self, i: int) -> str:
        """What is said of the i-th state; −1 is the last."""
        return self._playground.note(self.params, self.states, range(len(self.states))[i])

    @property
    def suspended(self) -> bool:
        return self._generator is not None

    def advance(
        self,
        seconds: float = ROUND,
        beyond: int = 0,
        reader: str = "",
        patience: float | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """Compute for about `seconds`, unless the run is done or somebody else has got beyond frame `beyond`.

        reader: who asks, for the order of turns. patience, pause: see Turns.turn.
        """

        def enough() -> bool:
            return self.done or len(self.film.steps) > beyond > 0

        if enough():
            return
        with turns.turn(self, reader, enough, patience, pause) as turn:
            self._count += 1
            if not turn.granted or enough():
                return
            if turn.crowded and not self.seconds and self.guess > 2 * FIRST:
                seconds = min(seconds, SHORT)
            with self._lock:
                self._work(seconds)
            turns.computed(self, reader, self.done)

    def _work(self, seconds: float) -> None:
        started = clock()
        self._ended = self._ended or self._compute(started + seconds)
        drawn = self._draw(started + seconds + OVER)  # after a failure too: what there is can be looked at
        self._messages.clear()
        self.held = weigh(self._generator, memory.shared()) + UNSEEN if self._generator is not None else 0
        self.worked = clock()
        self.seconds += self.worked - started
        usual = self.guess
        if drawn:
            _typical[self._playground.name] = 0.7 * usual + 0.3 * self.seconds if usual else self.seconds
        else:
            _typical[self._playground.name] = max(usual, self.seconds)
        self.done = drawn  # last: whoever finds a run done, without the lock, finds its film complete

    def _compute(self, until: float) -> bool:
        """Compute until it is time to draw what is new; returns whether the run has ended."""
        if self._generator is None:
            self._generator = self._playground.run(self.params)
            self._known = self._pulled
        try:
            while True:
                due = len(self.film.due(len(self.states), False))
                if due and clock() + self._frame * due > until:
                    return False
                state = next(self._generator)
                if self._known:
                    self._known -= 1
                else:
                    self._pulled += 1
                    if state is not None:  # None: nothing to see yet, but time may be up
                        self.states.append(state)
                if clock() > until:
                    return False
        except StopIteration:
            self._generator = None
            return True
        except Exception as error:  # a bug in a playground must not take the page with it
            self._generator = None
            return self._fail(error)

    def _draw(self, until: float) -> bool:
        """Draw what is new while there is time; returns whether the whole run is drawn, or cannot be."""
        if not self._ended and not self.film.due(len(self.states), False):
            return False
        started, before = clock(), len(self.film.steps)
        try:
            self.film.extend(self.states, self._ended, lambda: clock() < until)
        except Exception as error:
            self._generator = None
            self._ended = self.film.done = self._fail(error)
        drawn = len(self.film.steps) - before
        self._frame = (clock() - started) / (drawn + 1)  # the first frame is drawn again every time
        return self._ended and (self.film.done or not self.states)

    def _fail(self, error: Exception) -> bool:
        log.exception("the run %s failed", self.id)
        self.failure = f"{type(error).__name__}: {error}"
        return True

    def close(self) -> None:
        """Give back what the suspended run holds, unless it is computing right now; it can go on all the same."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            generator, self._generator, self.held = self._generator, None, 0
            if generator is not None:
                generator.close()
        finally:
            self._lock.release()

    def finish(self) -> "Run":
        """Compute the whole run."""
        while not self.done:
            self.advance()
        return self

    def message(self, first: int, **head: Any) -> bytes:
        """The film from frame `first` on as gzip, for the player; the same bytes for everybody who asks for them."""
        wanted = (first, *sorted(head.items()))
        with self._lock:
            if not self.done:  # or who asks again and finds nothing new would get the same bytes, and not notice them
                wanted, head = (*wanted, self._count), head | {"count": self._count}
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
        """Bytes of the film, its messages and the states: each array once, all else by three of them."""
        states = list(self.states)
        if len(states) != self._weighed[0]:
            arrays = {id(a): a for state in states for a in _arrays(state)}
            some = [states[0], states[len(states) // 2], states[-1]]
            rest = sum(weigh(state, arrays.values()) for state in some) / len(some)
            self._weighed = len(states), int(sum(a.nbytes for a in arrays.values()) + rest * len(states))
        return self.film.nbytes + sum(map(len, list(self._messages.values()))) + self._weighed[1]


class Store:
    """The runs of a server, least recently used thrown away first once they need more than `room` bytes.

    Of the runs that are suspended half-way `most` stay as they are, with up to `suspended` bytes in them, and none that
    nobody has asked for within `idle` seconds; the others are closed.
    """

    def __init__(self, room: int = ROOM, suspended: int = SUSPENDED, most: int = MOST_SUSPENDED, idle: float = IDLE):
        self.room, self.suspended, self.most, self.idle = room, suspended, most, idle
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()
        self._later: threading.Timer | None = None

    def get(self, playground: Playground, params: Settings) -> Run:
        wanted = key(playground, params)
        with self._lock:
            run = self._runs.get(wanted)
            if run is None:
                run = self._runs[wanted] = Run(playground, params)
            self._runs.move_to_end(wanted)
            run.asked = clock()
            return run

    def tidy(self) -> None:
        """Close and throw away what is too much; the newest run stays whatever its size."""
        with self._lock:
            standing = self._close()
            trained = memory.trim(self.room // 2)
            used = {name: run.nbytes for name, run in self._runs.items()}
            while sum(used.values()) + trained > self.room and len(self._runs) > 1:
                name, run = self._runs.popitem(last=False)
                run.close()
                del used[name]
            if standing and self._later is None:
                self._later = threading.Timer(self.idle + 1, self._tidy_later)
                self._later.daemon = True
                self._later.start()
        give_back()

    def _close(self) -> int:
        """Close suspended runs, those first that have waited longest; returns how many stay."""
        now = clock()
        standing = sorted((run for run in self._runs.values() if run.suspended), key=lambda run: run.worked)
        idle = [run for run in standing if now - run.asked > self.idle]
        standing = [run for run in standing if now - run.asked <= self.idle]
        while len(standing) > self.most or sum(run.held for run in standing) > self.suspended:
            idle.append(standing.pop(0))
        for run in idle:
            run.close()
        return len(standing)

    def _tidy_later(self) -> None:
        """Once more when what stands now may be idle, though nobody may come until then."""
        self._later = None
        self.tidy()

    def __len__(self) -> int:
        return len(self._runs)


def give_back() -> None:
    """Hand memory that runs have freed back to the system; the C library would keep it, and small hosts have little."""
    with contextlib.suppress(OSError, AttributeError):  # another system, another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def key(playground: Playground, params: Settings) -> str:
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
