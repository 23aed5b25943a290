"""The database: the current connection, transactions, and the one place that commits.

The statements of the store run on the connection of the innermost ``reading()`` or ``transaction()`` block; there
is none outside of a block. Reads run without BEGIN and COMMIT, which saves two round trips per request.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from math import inf
from time import monotonic, sleep
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from scim_server.store.tables import metadata

_current: ContextVar[sa.Connection] = ContextVar("scim_server_connection")

CHUNK = 1000
"""How many ids go into one statement."""
CONNECT_TIMEOUT = 10
"""Seconds within which PostgreSQL must accept a connection; the driver's own would keep a request for two minutes."""
READERS, WRITERS = 4, 2
"""Connections that wait for the next block as they are."""
PRAGMAS = ("synchronous=NORMAL", "foreign_keys=ON", "cache_size=-8192")
PATIENCE = 30.0
"""Seconds to wait for SQLite's write lock where no other time is set."""
_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: less than a millisecond."""


class OutOfTime(Exception):
    """The database has worked on a request for as long as it may."""


class Ready:
    """Connections of an engine that wait for the next block: taking one from the pool is a fifth of a GET."""

    def __init__(self, engine: sa.Engine, most: int) -> None:
        self._engine, self._most = engine, most
        self._waiting: list[sa.Connection] = []

    @contextmanager
    def one(self) -> Iterator[sa.Connection]:
        """Give a connection to the block; after an error it goes back to the pool, which undoes what was begun."""
        waiting = self._waiting
        try:
            connection = waiting.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if waiting is self._waiting and not connection.invalidated and len(waiting) < self._most:
            waiting.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close the connections that wait, as their pool is gone."""
        waiting, self._waiting = self._waiting, []  # what is in use is closed when its block ends
        with suppress(IndexError):
            while True:
                connection = waiting.pop()
                connection.invalidate()
                connection.close()


class Database:
    """The engine of one application, through Flask-SQLAlchemy; with ``seconds`` no block may take longer.

    PostgreSQL holds each statement to that time by itself, as the connection was opened with it; SQLite is asked to
    look at the clock as it goes. Neither costs a read that takes its usual time anything.
    """

    def __init__(self, app: Flask, url: str, seconds: float | None = None) -> None:
        parsed = sa.make_url(url)
        self._seconds = seconds
        app.config["SQLALCHEMY_DATABASE_URI"] = parsed
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(parsed, seconds)
        extension = SQLAlchemy(app, metadata=metadata, disable_autonaming=True)
        with app.app_context():
            self.engine = extension.engine
        self._reading = self.engine
        self.before_commit: Callable[[set[str]], None] | None = None
        if self.dialect == "sqlite":
            sa.event.listen(self.engine, "connect", partial(_prepare_sqlite, seconds or PATIENCE))
            sa.event.listen(self.engine, "begin", _begin_immediate)
            self._reading = self.engine.execution_options(reading=True)
        else:
            self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        sa.event.listen(self.engine, "handle_error", tell_out_of_time)
        self._readers, self._writers = Ready(self._reading, READERS), Ready(self.engine, WRITERS)
        sa.event.listen(self.engine, "engine_disposed", self._close_ready)
        sa.event.listen(self.engine, "invalidate", self._close_lost)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def reading(self, account_id: str | None, engine: sa.Engine | None = None) -> Iterator[sa.Connection]:
        """Run the statements of the block each on its own, without a transaction; they are all of one account.

        Without an account they read the directories of the service: who has a name, a token, a domain.
        """
        with engine.connect() if engine else self._readers.one() as connection, self._made_current(connection):
            enter(account_id)
            yield connection

    @contextmanager
    def transaction(self, account_id: str | None) -> Iterator[sa.Connection]:
        """Run the statements of the block, all of one account, in one transaction: rolled back on an error."""
        with self._writers.one() as connection, self._made_current(connection), _forgetting(connection):
            connection.begin()
            enter(account_id)
            yield connection
            for (write, key), number in sorted(at_last().items(), key=lambda one: one[0][1]):
                write(key, number)
            if self.before_commit is not None and "written" in connection.info:
                self.before_commit(connection.info["written"])
            _check_whole(connection)
            connection.commit()

    def _close_lost(self, _: Any, __: Any, error: BaseException | None) -> None:
        if error is not None:  # the others have been lost with it
            self._close_ready(self.engine)

    def _close_ready(self, _: sa.Engine) -> None:
        self._readers.close()
        self._writers.close()

    @contextmanager
    def _made_current(self, connection: sa.Connection) -> Iterator[None]:
        info = connection.info
        if self._seconds is not None:
            info["deadline"] = monotonic() + self._seconds
        token = _current.set(connection)
        try:
            yield
        finally:
            _current.reset(token)
            if not connection.invalidated:  # else its info may be that of another thread's connection by now
                info.pop("deadline", None)
                info.pop("waiting", None)
                info.pop("written", None)


def _check_whole(connection: sa.Connection) -> None:
    """Refuse to end a transaction of which a statement failed: PostgreSQL's COMMIT would undo it without a word."""
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        if driver.info.transaction_status.name == "INERROR":
            raise RuntimeError("a statement of the transaction has failed, and the code went on")


@contextmanager
def _forgetting(connection: sa.Connection) -> Iterator[None]:
    """Forget on an error which account the connection is for: what was set in a transaction is undone with it."""
    info = connection.info
    try:
        yield
    except BaseException:
        info.pop("account", None)
        raise


def enter(account_id: str | None) -> None:
    """Open the rows of an account, and close all others, to the statements of the innermost block.

    PostgreSQL holds them to it by row-level security, whatever they ask (docs/security.md); without an account it shows
    the directories alone. A connection is told when its account changes.
    """
    connection = _current.get()
    if connection.dialect.name == "postgresql" and connection.info.get("account", "") != account_id:
        connection.exec_driver_sql(_ENTER, {"account": account_id or DIRECTORIES})
        connection.info["account"] = account_id


_ENTER = "SELECT set_config('scim.account', %(account)s, false)"
DIRECTORIES = "*"


def in_time() -> sa.Connection:
    """Return the connection of the innermost block, whose time must not be over."""
    connection = _current.get()
    if monotonic() > connection.info.get("deadline", inf):
        raise OutOfTime
    return connection


def execute(
    statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
) -> sa.CursorResult[Any]:
    """Run a statement on the connection of the innermost block; LookupError outside of one."""
    return in_time().execute(statement, parameters)


def at_last() -> Counter[tuple[Callable[[Any, int], object], Any]]:
    """Return the numbers to be written when the transaction ends, so that rows which many want are locked last."""
    waiting: Counter[Any] = _current.get().info.setdefault("waiting", Counter())
    return waiting


def note_write(account_id: str) -> None:
    """Remember until the end of the innermost block that it writes data of the account."""
    _current.get().info.setdefault("written", set()).add(account_id)


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield parts of a list of ids that are small enough for one statement."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def dialect() -> str:
    """Return the dialect of the innermost block."""
    return _current.get().dialect.name


def engine_options(url: sa.URL, seconds: float | None) -> dict[str, Any]:
    """Return how an engine is created for a URL."""
    # Statements that fail are logged, what they were about is not (LOG-02).
    shared = {"json_serializer": lambda value: orjson.dumps(value).decode(), "hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        return shared | {"pool_size": 8, "max_overflow": 56, "connect_args": {"check_same_thread": False}}
    given: dict[str, Any] = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT}
    if seconds is not None:
        of_url = url.normalized_query.get("options", ())  # which win
        given["options"] = " ".join([f"-c statement_timeout={max(1, round(seconds * 1000))}", *of_url])
    return shared | {"pool_size": 8, "max_overflow": 24, "pool_timeout": 10, "connect_args": given}


def _prepare_sqlite(seconds: float, connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # the driver's own transactions lose updates: see _begin_immediate
    for pragma in (f"busy_timeout={round(seconds * 1000)}", *PRAGMAS):
        connection.execute(f"PRAGMA {pragma}").close()
    _begin_log(connection, monotonic() + seconds)
    connection.set_progress_handler(lambda: monotonic() > record.info.get("deadline", inf), _STEPS)


def _begin_log(connection: sqlite3.Connection, end: float) -> None:
    """Switch to WAL, which SQLite refuses at once, whatever its timeout, where others just switch a new file."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or monotonic() > end:
                raise
            sleep(0.01)


def _begin_immediate(connection: sa.Connection) -> None:
    """Take the write lock at BEGIN, so that what a transaction has read is still true when it writes."""
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def tell_out_of_time(context: sa.ExceptionContext) -> None:
    """Raise OutOfTime where an engine's statement was stopped for the time it took."""
    if was_stopped(context.original_exception):
        raise OutOfTime from context.original_exception


def was_stopped(error: BaseException) -> bool:
    """Whether a driver's error says that the statement was stopped: PostgreSQL's 57014, SQLite's interruption."""
    return getattr(error, "sqlstate", "") == "57014" or getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
