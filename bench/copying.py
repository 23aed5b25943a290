"""Many users at once: what POST writes for one is copied for others, with another number, id and time.

So it does not matter here what a user's rows look like, nor which tables have them: every table is copied that refers
to the user, and every text that holds the number or the id gets the other one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from bench.people import digits
from scim_server.store.identifiers import new_id
from scim_server.store.tables import metadata

CHUNK = 20_000
Rows = Iterator[tuple[Any, ...]]
Make = Callable[[int, str], Any]


@dataclass(frozen=True, slots=True)
class Owned:
    """A table whose rows belong to users, and the column that names the user."""

    table: sa.Table
    owner: sa.Column[Any]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.table.columns]


def owned_tables() -> list[Owned]:
    """Return the tables of which a new user has rows, the user's own first."""
    found = []
    for table in metadata.sorted_tables:
        name = "id" if table.name == "user" else next((one for one in ("user_id", "target_id") if one in table.c), None)
        if name is not None and table.name != "membership":
            found.append(Owned(table, table.c[name]))
    return sorted(found, key=lambda one: one.table.name != "user")


def _raw(column: sa.Column[Any], is_postgresql: bool) -> sa.ColumnElement[Any]:
    """Return a column as the driver is to have it: JSON as text."""
    if isinstance(column.type, sa.JSON):
        return sa.cast(column, sa.Text) if is_postgresql else sa.type_coerce(column, sa.Text)
    return sa.type_coerce(column, sa.types.NullType()) if isinstance(column.type, sa.Boolean) else column


def makers(connection: sa.Connection, owned: Owned, identifier: str, number: int) -> list[list[Make]]:
    """Return, for each row that a user has in a table, what makes the values of another user's."""
    is_postgresql = connection.dialect.name == "postgresql"
    columns = [_raw(column, is_postgresql).label(column.name) for column in owned.table.columns]
    rows = connection.execute(sa.select(*columns).where(owned.owner == identifier)).all()
    return [[_maker(owned, *pair, identifier, number) for pair in zip(owned.columns, row, strict=True)] for row in rows]


def _maker(owned: Owned, name: str, value: Any, identifier: str, number: int) -> Make:
    if name == "id" and owned.table.name != "user":
        return lambda _number, _id: new_id()
    if isinstance(value, str) and (identifier in value or digits(number) in value):
        return partial(_renamed, value, identifier, digits(number))
    if isinstance(value, int) and isinstance(owned.table.c[name].type, sa.BigInteger) and value > 10**15:
        return lambda other, _id: value + other  # a time
    return lambda _number, _id: value


def _renamed(text: str, identifier: str, old: str, number: int, new_identifier: str) -> str:
    return text.replace(identifier, new_identifier).replace(old, digits(number))


def copied(kinds: Sequence[list[list[Make]]], numbers: range, ids: Sequence[str]) -> Rows:
    """Yield the rows of one table for users of these numbers."""
    for number, identifier in zip(numbers, ids, strict=True):
        for row in kinds[number % len(kinds)]:
            yield tuple([make(number, identifier) for make in row])


class Writer:
    """Writes many rows at once, without looking at references."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._is_postgresql = engine.dialect.name == "postgresql"

    def write(self, tables: Sequence[tuple[sa.Table, Sequence[str], Rows]]) -> None:
        """Write rows into tables, in one transaction."""
        with self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            if self._is_postgresql:
                with driver.transaction(), driver.cursor() as cursor:
                    cursor.execute("SET LOCAL session_replication_role = replica")
                    for table, columns, rows in tables:
                        with cursor.copy(f'COPY "{table.name}" ({", ".join(columns)}) FROM STDIN') as copy:
                            for row in rows:
                                copy.write_row(row)
                return
            driver.execute("PRAGMA foreign_keys = OFF")
            driver.execute("BEGIN IMMEDIATE")
            for table, columns, rows in tables:
                marks = ", ".join("?" * len(columns))
                driver.executemany(f'INSERT INTO "{table.name}" ({", ".join(columns)}) VALUES ({marks})', rows)
            driver.execute("COMMIT")
            driver.execute("PRAGMA foreign_keys = ON")
