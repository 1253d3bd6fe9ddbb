"""How many readers fit in: the limit of open descriptors is raised, and who comes when it is used up gets a sentence.

A reader who is there has a websocket, and Streamlit keeps an event loop (three descriptors) for each session, also for
those that have left a minute ago; a page that loads has up to six connections more.
"""

import contextlib
import math
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from server.asgi import App, Receive, Scope, Send, answer

WISH = 65_536  # descriptors: thousands of readers, more than one process computes for
MACOS = 10_240  # descriptors that macOS allows whatever its settings
PER_READER = 8  # descriptors that a reader takes who has been let in and is not connected yet
RESERVE = 160  # descriptors kept for those who are in: their reruns, downloads, reconnects
LAST = 16  # descriptors with which Streamlit still opens a session without an error
ARRIVAL = 10.0  # seconds from the page to its connection, at most

FULL = (Path(__file__).resolve().parent / "full.html").read_bytes()


def raise_descriptors(wish: int = WISH) -> int | None:
    """Raise the process's soft limit of open descriptors to its hard limit, at most to `wish`.

    Returns the limit in force; None where the system has none, as on Windows.
    """
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited:
        return None
    for wanted in (min(wish, MACOS), wish):  # macOS calls its limit unlimited and refuses more than a bound of its own
        wanted = wanted if hard == unlimited else min(wanted, hard)
        if wanted > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def descriptors_left() -> float:
    """How many descriptors this process may still open; infinity where that is not known."""
    try:
        import resource

        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        used = len(os.listdir("/dev/fd"))
    except (ImportError, FileNotFoundError):
        return math.inf
    except OSError:  # not even one, to look
        return 0
    return math.inf if soft == resource.RLIM_INFINITY else soft - used


class Doorkeeper:
    """Turns new readers away while there is no room for them, so that those who are in go on."""

    def __init__(self, app: App, left: Callable[[], float] = descriptors_left):
        self.app = app
        self.left = left
        self.coming: deque[float] = deque()  # when those were let in whose connection has not come yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if self.left() < LAST:
                await send({"type": "websocket.close", "code": 1013})  # try again later; the page does
                return
            if self.coming:
                self.coming.popleft()
        elif _wants_page(scope):
            if self._full():
                headers = [(b"retry-after", b"60"), (b"connection", b"close"), (b"cache-control", b"no-store")]
                await answer(send, 503, b"text/html; charset=utf-8", FULL, headers)
                return
            self.coming.append(time.monotonic())
        await self.app(scope, receive, send)

    def _full(self) -> bool:
        while self.coming and self.coming[0] < time.monotonic() - ARRIVAL:
            self.coming.popleft()
        return self.left() < RESERVE + PER_READER * len(self.coming)


def _wants_page(scope: Scope) -> bool:
    """Whether a browser opens an address; scripts, pictures and checks of health ask for no HTML."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
