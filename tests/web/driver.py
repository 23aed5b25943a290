"""What PostgreSQL's driver is given: all statements, those that do not go through SQLAlchemy among them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

Note = Callable[[psycopg.Cursor[Any], str, Any], None]
"""Told a cursor, its statement and the (first) parameters, before the statement is run."""


@contextmanager
def watched(engine: sa.Engine, note: Note) -> Iterator[None]:
    """Have every statement of the block's connections, which are new ones, noted."""

    class Watched(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            note(self, str(query), params)
            return super().execute(query, params, **options)

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            given = list(params_seq)
            note(self, str(query), given[0])
            super().executemany(query, given, **options)

    def watch(connection: Any, _record: Any) -> None:
        connection.cursor_factory = Watched

    sa.event.listen(engine, "connect", watch)
    engine.dispose()
    yield
    sa.event.remove(engine, "connect", watch)
    engine.dispose()
