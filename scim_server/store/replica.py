"""Reads on a hot standby, never of a state that is older than the account's own last write.

Every write of an account empties the account's position as the last statement of its transaction. The next list finds
it empty and puts in the position of the primary's log at that moment, which is past every write that emptied it. The
standby may answer while what it has replayed is not before that position.
"""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from scim_server.store.database import Database, engine_options, execute, tell_out_of_time
from scim_server.store.tables import replica_position as table

T = TypeVar("T")
log = logging.getLogger("scim_server")

REST = 5.0
"""Seconds for which a standby that failed is left alone."""
CONNECT_TIMEOUT = 2
"""Seconds within which it must accept a connection: there is another database to ask."""
SILENCE = 5000
"""Milliseconds after which a network that acknowledges nothing has lost it."""


class Replica:
    """The hot standby of a database, for one application."""

    def __init__(self, database: Database, url: str, seconds: float | None = None) -> None:
        parsed = sa.make_url(url)
        options = engine_options(parsed, seconds)
        options["connect_args"] |= {
            name: value
            for name, value in (("connect_timeout", CONNECT_TIMEOUT), ("tcp_user_timeout", SILENCE))
            if name not in parsed.query
        }
        self._database = database
        # A connection that broke while idle is no failure of the standby.
        self.engine = sa.create_engine(parsed, isolation_level="AUTOCOMMIT", pool_pre_ping=True, **options)
        sa.event.listen(self.engine, "handle_error", tell_out_of_time)
        self._rests_until = 0.0
        self._has_begun = False
        database.before_commit = _empty

    def read(self, account_id: str, work: Callable[[], T]) -> T:
        """Run work that only reads on the standby if it has all that the account wrote, else on the primary."""
        if monotonic() >= self._rests_until:
            position = self._position(account_id)
            try:
                if position is not None:
                    with self._database.reading(self.engine):
                        if execute(_HAS_REPLAYED, {"position": position}).scalar_one():
                            return work()
            except sa.exc.SQLAlchemyError as error:  # gone, or it stopped the statement to go on replaying
                self._rests_until = monotonic() + REST
                log.warning("the replica failed (%s): the primary answers", type(error).__name__)
        with self._database.reading():
            return work()

    def _position(self, account_id: str) -> str | None:
        """Return the position that has all writes of the account; None while one of them is being committed."""
        with self._database.reading():
            if not self._has_begun:  # positions of a time at which perhaps not every worker emptied them
                execute(_EMPTY_ALL)
                self._has_begun = True
            known = execute(_KNOWN, {"account_id": account_id}).scalar_one_or_none()
        return str(known) if known else self._find_position(account_id)

    def _find_position(self, account_id: str) -> str | None:
        """Put the primary's position in, under the lock of the row, so that a write that it lacks empties it again."""
        with self._database.transaction():
            execute(insert(table).values(account_id=account_id).on_conflict_do_nothing())
            if execute(_LOCKED, {"account_id": account_id}).one_or_none() is None:
                return None
            return str(execute(_FOUND, {"account": account_id}).scalar_one())


def _empty(connection: sa.Connection, account_ids: set[str]) -> None:
    """Empty positions; the last statement of a transaction, as others wait for the rows until it is committed."""
    rows: list[dict[str, Any]] = [{"account_id": one, "position": None} for one in sorted(account_ids)]
    statement = insert(table).values(rows)
    connection.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_={"position": None}))


_EMPTY_ALL = table.update().values(position=None)
_KNOWN = sa.select(table.c.position).where(table.c.account_id == sa.bindparam("account_id"))
_LOCKED = (
    sa.select(table.c.account_id)
    .where(table.c.account_id == sa.bindparam("account_id"))
    .with_for_update(skip_locked=True)
)
_FOUND = (
    table.update()
    .where(table.c.account_id == sa.bindparam("account"))
    .values(position=sa.cast(sa.func.pg_current_wal_insert_lsn(), sa.Text))
    .returning(table.c.position)
)
_HAS_REPLAYED = sa.text(
    "SELECT pg_is_in_recovery() AND coalesce(pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn), false)"
)
