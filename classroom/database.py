"""Where rooms are kept: the tables, and a database that tells reading from writing."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    text,
)  # fmt: skip
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine, make_url

VERSION = 1  # of the tables below
SETTING = "GLOSSARY_DATABASE"  # environment: a file, or the URL of a PostgreSQL database
FILE = Path(__file__).resolve().parent.parent / "build" / "rooms.sqlite"
LOCK = 8_171_717  # names the lock under which PostgreSQL's tables are made

meta = MetaData()
versions = Table("versions", meta, Column("version", Integer, primary_key=True))
rooms = Table(
    "rooms", meta,
    Column("id", Integer, primary_key=True),
    Column("code", String(5), nullable=False, unique=True),
    Column("key", String(64), nullable=False, unique=True),  # digest of the teacher's key
    Column("title", String(80), nullable=False),
    Column("opened", Float, nullable=False),
    Column("ends", Float, nullable=False),
    Column("named", Boolean, nullable=False),  # whether the projector shows names
    Column("current", Integer),  # the item that the class is at
    Column("leading", Boolean, nullable=False),  # whether every screen follows the teacher's
    Column("walk", Text, nullable=False),  # where every screen shall go, as JSON; "": nowhere
    Column("stamp", Integer, nullable=False),  # counts changes
)  # fmt: skip
members = Table(
    "members", meta,
    Column("id", Integer, primary_key=True),
    Column("room", ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False),
    Column("token", String(64), nullable=False, unique=True),  # digest
    Column("name", String(24), nullable=False),
    Column("seen", Float, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Index("name_in_room", "room", "name", unique=True),
)  # fmt: skip
items = Table(
    "items", meta,
    Column("id", Integer, primary_key=True),
    Column("room", ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("spec", Text, nullable=False),  # agenda.Item as JSON
    Column("facts", Text, nullable=False),  # agenda.Facts as JSON
    Column("phase", String(10), nullable=False),
    Column("round", Integer, nullable=False),
    Column("shown", Boolean, nullable=False),  # whether the class sees how it has voted
    Column("each", Integer, nullable=False),  # seeds for a member
    Column("began", Float),
)  # fmt: skip
votes = Table(
    "votes", meta,
    Column("item", ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("member", ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    Column("choice", String(40), nullable=False),
    Column("at", Float, nullable=False),
)  # fmt: skip
runs = Table(
    "runs", meta,
    Column("item", ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    Column("member", ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    Column("mark", String(16), primary_key=True),  # the run's own name: the same run counts once
    Column("params", Text, nullable=False),
    Column("numbers", Text, nullable=False),
    Column("moved", Integer, nullable=False),
    Column("reached", Boolean, nullable=False),
    Column("at", Float, nullable=False),
)  # fmt: skip
seeds = Table(
    "seeds", meta,
    Column("item", ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("member", ForeignKey("members.id", ondelete="CASCADE"), nullable=False),
    Column("numbers", Text, nullable=False),  # "" until its run has ended
    Column("at", Float, nullable=False),
)  # fmt: skip
results = Table(
    "results", meta,
    Column("id", String(32), primary_key=True),
    Column("made", Float, nullable=False),
    Column("content", Text, nullable=False),
)  # fmt: skip


class OtherVersion(Exception):
    """The database was made by another version of the app."""


class Database:
    """Rooms in SQLite or PostgreSQL. `clock` counts seconds since 1970."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time):
        self.clock = clock
        self.engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        try:
            self._make()
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """All or nothing. In SQLite one writer at a time, who waits at the beginning and never in the middle."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def put(self, connection: Connection, table: Table, row: Mapping[str, Any], replace: bool = True) -> bool:
        """Insert a row; where its primary key is there already, replace that one or leave it. Whether it was put."""
        dialect = sqlite if self.is_sqlite else postgresql
        key = [column.name for column in table.primary_key.columns]
        statement = dialect.insert(table).values(**row)
        if replace:
            rest = {name: value for name, value in row.items() if name not in key}
            return connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest)).rowcount > 0
        return connection.execute(statement.on_conflict_do_nothing(index_elements=key)).rowcount > 0

    def _make(self) -> None:
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            meta.create_all(connection)
            found = connection.execute(select(versions.c.version)).scalar()
            if found is None:
                connection.execute(insert(versions).values(version=VERSION))
            elif found != VERSION:
                raise OtherVersion(f"The rooms' tables have version {found}, this app has {VERSION}: give it others.")


def _engine(url: str) -> Engine:
    if url.startswith(("postgresql:", "postgres:", "postgresql+psycopg:")):
        import psycopg  # noqa: F401, only where it is used: the app starts without it

        made = make_url(url).set(drivername="postgresql+psycopg")
        return create_engine(made, pool_size=8, max_overflow=8, pool_pre_ping=True)
    engine = create_engine(url if url.startswith("sqlite:") else f"sqlite:///{url}", pool_size=8, max_overflow=24)

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _: Any) -> None:
        raw.isolation_level = None  # transactions begin where we say so
        for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def place() -> str:
    """The URL or the file of this server's database: as set, else beside the app, else in the temp folder."""
    if wanted := os.environ.get(SETTING, "").strip():
        return wanted
    try:
        FILE.parent.mkdir(exist_ok=True)
        with FILE.open("ab"):
            return str(FILE)
    except OSError:
        return str(Path(tempfile.gettempdir()) / "trainable-glossary-rooms.sqlite")


def database() -> Database:
    """This server's database, opened when it is first needed."""
    return _opened(place())


@lru_cache(maxsize=8)
def _opened(url: str) -> Database:
    return Database(url)
