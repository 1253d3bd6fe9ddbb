"""Codes to join by, secrets to come back with, and the guard against guessing them."""

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Callable

from classroom.refused import Refused

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"  # without I, L and O, which look like each other or like digits
LENGTH = 5
PER_SESSION = 10  # wrong codes that one session may try
PER_MINUTE = 100  # wrong codes that a host takes from everybody
PAUSE = 60.0  # seconds


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def read_code(typed: str) -> str:
    """The code that is meant: capitals, without spaces and dashes. "" if it cannot be one."""
    text = "".join(c for c in typed[:40].upper() if c not in " -.\u00a0")
    return text if len(text) == LENGTH and set(text) <= set(LETTERS) else ""


def new_secret() -> str:
    """128 bits: a member's token, a teacher's key."""
    return secrets.token_urlsafe(16)


def digest(secret: str) -> str:
    """What the database knows of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Guard:
    """Counts the wrong codes of a host. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=PER_MINUTE)

    def check(self, tried: int) -> None:
        """Raises Refused if this session has `tried` too many wrong codes, or the host has."""
        if tried >= PER_SESSION:
            raise Refused("That were ten wrong codes. Ask for the right one, and open the page anew.")
        if len(self._wrong) == PER_MINUTE and self._wrong[0] > self._clock() - PAUSE:
            raise Refused("Too many wrong codes were typed here. Wait a minute, or scan the code.")

    def note_wrong(self) -> None:
        self._wrong.append(self._clock())
