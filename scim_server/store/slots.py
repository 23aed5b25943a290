"""How many of a kind run at once for a connection, over all workers of PostgreSQL; on SQLite over one worker."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import sqlalchemy as sa

from scim_server.store.database import Database, OutOfTime
from scim_server.store.identifiers import lock_number


class Slots:
    """Places for what may run at once, by connection."""

    def __init__(self, database: Database, at_once: int) -> None:
        self._database = database
        self.at_once = at_once
        self._lock = Lock()
        self._taken: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def one(self, account_id: str, connection_id: str) -> Iterator[bool]:
        """Take a place for the block; gives False, and none is taken, where all are."""
        shared = self._database.dialect == "postgresql"
        with (self._shared if shared else self._own)(account_id, connection_id) as is_given:
            yield is_given

    @contextmanager
    def _own(self, account_id: str, connection_id: str) -> Iterator[bool]:
        key = (account_id, connection_id)
        with self._lock:
            is_given = self._taken[key] < self.at_once
            self._taken[key] += is_given
        try:
            yield is_given
        finally:
            with self._lock:
                self._taken[key] -= is_given
                if not self._taken[key]:
                    del self._taken[key]

    @contextmanager
    def _shared(self, account_id: str, connection_id: str) -> Iterator[bool]:
        """Take an advisory lock of the session, which ends with its connection, so that no crash leaves one behind."""
        with self._database.reading(account_id) as connection:
            place = f"bulk:{account_id}:{connection_id}"
            keys = (lock_number(f"{place}:{number}") for number in range(self.at_once))
            taken = next((key for key in keys if _run(connection, sa.func.pg_try_advisory_lock(key))), None)
            try:
                yield taken is not None
            finally:
                if taken is not None:
                    _unlock(connection, taken)


def _unlock(connection: sa.Connection, key: int) -> None:
    try:
        is_free = _run(connection, sa.func.pg_advisory_unlock(key))
    except (sa.exc.SQLAlchemyError, OutOfTime):
        is_free = False
    if not is_free:
        connection.invalidate()  # it goes back to no pool while it holds the lock


def _run(connection: sa.Connection, function: sa.ColumnElement[bool]) -> bool:
    return bool(connection.execute(sa.select(function)).scalar())
