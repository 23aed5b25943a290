"""The database: the current connection, transactions, and the one place that commits.

The statements of the store run on the connection of the innermost ``reading()`` or ``transaction()`` block; there
is none outside of a block. Reads run without BEGIN and COMMIT, which saves two round trips per request.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from math import inf
from operator import attrgetter
from time import monotonic
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
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536")
PATIENCE = 30.0
"""Seconds to wait for SQLite's write lock where no other time is set."""
_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: less than a millisecond."""


class OutOfTime(Exception):
    """The database has worked on a request for as long as it may."""


class Database:
    """The engine of one application, through Flask-SQLAlchemy; with ``seconds`` no block may take longer.

    PostgreSQL holds each statement to that time by itself, as the connection was opened with it; SQLite is asked to
    look at the clock as it goes. Neither costs a read that takes its usual time anything.
    """

    def __init__(self, app: Flask, url: str, seconds: float | None = None) -> None:
        parsed = sa.make_url(url)
        self._seconds = seconds
        app.config["SQLALCHEMY_DATABASE_URI"] = parsed
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _options(parsed, seconds)
        extension = SQLAlchemy(app, metadata=metadata, disable_autonaming=True)
        with app.app_context():
            self.engine = extension.engine
        self._reading = self.engine
        if self.dialect == "sqlite":
            sa.event.listen(self.engine, "connect", partial(_prepare_sqlite, seconds or PATIENCE))
            sa.event.listen(self.engine, "begin", _begin_immediate)
            self._reading = self.engine.execution_options(reading=True)
        else:
            self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        sa.event.listen(self.engine, "handle_error", _tell_out_of_time)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Run the statements of the block each on its own, without a transaction."""
        with self._reading.connect() as connection, self._made_current(connection):
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Run the statements of the block in one transaction, committed at its end and rolled back on an error."""
        with self.engine.connect() as connection, self._made_current(connection):
            connection.begin()
            yield connection
            connection.commit()

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
            info.pop("deadline", None)


def _in_time() -> sa.Connection:
    """Return the connection of the innermost block, whose time must not be over."""
    connection = _current.get()
    if monotonic() > connection.info.get("deadline", inf):
        raise OutOfTime
    return connection


def execute(
    statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
) -> sa.CursorResult[Any]:
    """Run a statement on the connection of the innermost block; LookupError outside of one."""
    return _in_time().execute(statement, parameters)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in the words of one dialect."""

    text: str
    order: Sequence[str] | None
    """The parameters by position; None where they go by name."""
    own: Mapping[str, Any]
    """Values that the compiler binds besides the caller's."""
    given: Mapping[str, Callable[[Any], Any]]
    """How parameters are made into what the driver takes, where it takes something else."""
    taken: Sequence[tuple[int, Callable[[Any], Any]]]
    """How what the driver hands out is made into a value, by position."""


class Prepared:
    """A statement compiled once per dialect and run on the driver itself.

    SQLAlchemy's work per execution costs several times what the database does for a row by key; the statements that
    IdPs repeat all day skip it. All that varies is a ``bindparam``; rows are named tuples.
    """

    def __init__(self, statement: sa.Select[Any] | sa.Insert | sa.Update | sa.Delete) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}
        columns = statement.selected_columns if isinstance(statement, sa.Select) else statement.exported_columns
        self._columns = list(columns)
        self._make_row = _row_type([str(column.key) for column in self._columns])._make

    def all(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return all rows for the parameters."""
        connection = _in_time()
        compiled = self._compiled_for(connection.dialect)
        rows: Iterable[Sequence[Any]] = _driven(connection, compiled, "execute", _bound(compiled, parameters), list)
        if compiled.taken:
            rows = [_made(row, compiled.taken) for row in rows]
        return list(map(self._make_row, rows))

    def one_or_none(self, parameters: Mapping[str, Any]) -> Any:
        """Return the only row for the parameters, or None."""
        rows = self.all(parameters)
        return rows[0] if rows else None

    def scalar(self, parameters: Mapping[str, Any]) -> Any:
        """Return the first value of the only row for the parameters, or None."""
        rows = self.all(parameters)
        return rows[0][0] if rows else None

    def run(self, parameters: Mapping[str, Any]) -> int:
        """Write once; returns how many rows were written."""
        connection = _in_time()
        compiled = self._compiled_for(connection.dialect)
        written: int = _driven(connection, compiled, "execute", _bound(compiled, parameters), _ROWCOUNT)
        return written

    def run_each(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Write once for each of the parameters."""
        connection = _in_time()
        compiled = self._compiled_for(connection.dialect)
        method = "executemany" if len(parameters) > 1 else "execute"
        bound = [_bound(compiled, one) for one in parameters]
        _driven(connection, compiled, method, bound if len(parameters) > 1 else bound[0], _ROWCOUNT)

    def _compiled_for(self, dialect: sa.Dialect) -> _Compiled:
        return self._compiled.get(dialect.name) or self._compile(dialect)

    def _compile(self, dialect: sa.Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect)
        order = compiled.positiontup if compiled.positional else None
        given = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        taken = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in self._columns]
        self._compiled[dialect.name] = _Compiled(
            str(compiled),
            order,
            compiled.params,
            {name: make for name, make in given.items() if make is not None},
            [(position, make) for position, make in enumerate(taken) if make is not None],
        )
        return self._compiled[dialect.name]


def _bound(compiled: _Compiled, parameters: Mapping[str, Any]) -> Any:
    """Return parameters as the driver takes them: by position or by name."""
    given = {**compiled.own, **parameters}
    for name, make in compiled.given.items():
        given[name] = make(given[name])
    return given if compiled.order is None else [given[name] for name in compiled.order]


def _made(row: Sequence[Any], taken: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    values = list(row)
    for position, make in taken:
        values[position] = make(values[position])
    return values


_ROWCOUNT = attrgetter("rowcount")


def _driven(
    connection: sa.Connection, compiled: _Compiled, method: str, parameters: Any, take: Callable[[Any], Any]
) -> Any:
    """Run a statement on the driver; returns what is taken of its cursor, or raises its error as SQLAlchemy would."""
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.cursor()
        getattr(cursor, method)(compiled.text, parameters)
        return take(cursor)
    except connection.dialect.loaded_dbapi.Error as error:
        if _was_stopped(error):
            raise OutOfTime from error
        raise _told(connection, driver, compiled.text, error) from error


def _told(connection: sa.Connection, driver: Any, text: str, error: Any) -> BaseException:
    """Return a driver's error as SQLAlchemy raises it, and forget a connection that is lost (OPS-02)."""
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, driver, None)
    if is_lost:
        connection.invalidate(error)
    base = dialect.loaded_dbapi.Error
    told: BaseException = sa.exc.DBAPIError.instance(
        text, None, error, base, connection_invalidated=is_lost, dialect=dialect
    )
    return told


def _row_type(names: Sequence[str]) -> Any:
    return namedtuple("Row", names)  # noqa: PYI024 - the names are known at run time only


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield parts of a list of ids that are small enough for one statement."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def dialect() -> str:
    """Return the dialect of the innermost block."""
    return _current.get().dialect.name


def _options(url: sa.URL, seconds: float | None) -> dict[str, Any]:
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
    for pragma in (*PRAGMAS, f"busy_timeout={round(seconds * 1000)}"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.set_progress_handler(lambda: monotonic() > record.info.get("deadline", inf), _STEPS)


def _begin_immediate(connection: sa.Connection) -> None:
    """Take the write lock at BEGIN, so that what a transaction has read is still true when it writes."""
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _tell_out_of_time(context: sa.ExceptionContext) -> None:
    if _was_stopped(context.original_exception):
        raise OutOfTime from context.original_exception


def _was_stopped(error: BaseException) -> bool:
    """Whether a driver's error says that the statement was stopped: PostgreSQL's 57014, SQLite's interruption."""
    return getattr(error, "sqlstate", "") == "57014" or getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
