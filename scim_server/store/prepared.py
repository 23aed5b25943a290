"""Statements compiled once and run on the driver itself: those that identity providers repeat all day."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import OutOfTime, in_time, was_stopped


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
    booleans: Sequence[int]
    """The positions of booleans, where the driver hands them out as numbers; all else is taken as it comes."""


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
        connection = in_time()
        compiled = self._compiled_for(connection.dialect)
        rows: Iterable[Sequence[Any]] = _driven(connection, compiled, "execute", _bound(compiled, parameters), list)
        if compiled.booleans:
            rows = [_with_booleans(row, compiled.booleans) for row in rows]
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
        connection = in_time()
        compiled = self._compiled_for(connection.dialect)
        written: int = _driven(connection, compiled, "execute", _bound(compiled, parameters), _ROWCOUNT)
        return written

    def run_each(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Write once for each of the parameters."""
        connection = in_time()
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
        are_numbers = not dialect.supports_native_boolean
        booleans = [at for at, one in enumerate(self._columns) if are_numbers and isinstance(one.type, sa.Boolean)]
        self._compiled[dialect.name] = _Compiled(
            str(compiled),
            order,
            compiled.params,
            {name: make for name, make in given.items() if make is not None},
            booleans,
        )
        return self._compiled[dialect.name]


def _bound(compiled: _Compiled, parameters: Mapping[str, Any]) -> Any:
    """Return parameters as the driver takes them: by position or by name."""
    given = {**compiled.own, **parameters}
    for name, make in compiled.given.items():
        given[name] = make(given[name])
    return given if compiled.order is None else [given[name] for name in compiled.order]


def _with_booleans(row: Sequence[Any], booleans: Sequence[int]) -> Sequence[Any]:
    values = list(row)
    for position in booleans:
        values[position] = None if values[position] is None else bool(values[position])
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
        if was_stopped(error):
            raise OutOfTime from error
        raise _told(connection, driver, compiled.text, error) from error


def _told(connection: sa.Connection, driver: Any, text: str, error: Any) -> BaseException:
    """Return a driver's error as SQLAlchemy raises it, and forget a connection that is lost (OPS-02)."""
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, driver, None)
    if is_lost:
        with suppress(sa.exc.DBAPIError):  # SQLAlchemy meets it too, and then holds the whole pool for lost
            connection.exec_driver_sql("SELECT 1")
        connection.invalidate(error)
    base = dialect.loaded_dbapi.Error
    told: BaseException = sa.exc.DBAPIError.instance(
        text, None, error, base, connection_invalidated=is_lost, dialect=dialect
    )
    return told


def _row_type(names: Sequence[str]) -> Any:
    return namedtuple("Row", names)
