"""Rooms in SQLite and in PostgreSQL, with a clock that stands until it is moved."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from classroom import agenda, rooms
from classroom.agenda import Facts, Item
from classroom.codes import Guard
from classroom.database import Database, meta
from tests.conftest import free_port


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def programs() -> Path | None:
    """Where Debian's PostgreSQL has its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).parent if here else None


@contextmanager
def running() -> Iterator[str]:
    """A PostgreSQL server on a free port, and its URL; it refuses root, and so runs as user postgres.

    Raises FileNotFoundError where PostgreSQL is not installed.
    """
    where = programs()
    if where is None:
        raise FileNotFoundError("PostgreSQL is missing: install the package postgresql")
    is_root = sys.platform != "win32" and os.geteuid() == 0
    run = ["runuser", "-u", "postgres", "--"] if is_root else []
    folder = Path(tempfile.mkdtemp(prefix="glossary-postgresql-"))
    if is_root:
        shutil.chown(folder, "postgres")
    port, data = free_port(), folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "check": True}
    subprocess.run([*run, where / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], **quiet)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    subprocess.run([*run, where / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"], **quiet)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*run, where / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server; without PostgreSQL the test is skipped, or fails where CI=true."""
    if programs() is None:
        said = "PostgreSQL is missing: install the package postgresql to test rooms against it"
        pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
    with running() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "rooms.sqlite")
    return request.getfixturevalue("postgresql")


@pytest.fixture
def base(url) -> Iterator[Database]:
    """An empty database whose clock stands."""
    made = Database(url, Clock())
    yield made
    meta.drop_all(made.engine)
    made.engine.dispose()


@pytest.fixture
def room(base) -> rooms.Opened:
    return rooms.open_room(base, "A lesson")


@pytest.fixture
def join(base, room):
    """Somebody joins the room; returns who that is."""
    return lambda: rooms.join(base, room.code, Guard())


TEXT = Item(kind="free", text="Which?", options=["one", "two", "three"])
GOAL = Item(kind="challenge", page="xor-problem", id="a-goal", minutes=5)
GOAL_FACTS = Facts(
    playground="mlp", start={"hidden": 2, "seed": 3}, reach={"accuracy": ">= 0.99"}, wanted={"hidden": "<= 3"}
)
GROW = Item(kind="seeds", page="xor-problem", metric="accuracy")
GROW_FACTS = Facts(playground="mlp", start={"hidden": 2}, lowest=0, highest=999)


@pytest.fixture
def put(base, room):
    """Put an item on the agenda and let the class go to it; returns its number."""

    def put(item: Item, facts: Facts) -> int:
        (number,) = agenda.add(base, room.key, [(item, facts)])
        agenda.go(base, room.key, number)
        return number

    return put
