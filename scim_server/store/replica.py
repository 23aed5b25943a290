"""Reads on a hot standby, never of a state that is older than the account's own last write.

Every write of an account empties the account's position at the end of its transaction. The next list finds it empty
and puts in the position of the primary's log at that moment, which is past every write that emptied it. The standby may
answer while what it has replayed is not before that position.

Writes that are being committed share a lock of the account, so that none waits for another's commit; who puts a
position in must have the lock alone, so that every write is before it or empties it.
"""

import logging
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from scim_server.store.database import Database, engine_options, execute, tell_out_of_time
from scim_server.store.identifiers import lock_number
from scim_server.store.prepared import Prepared
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
                    with self._database.reading(account_id, self.engine):
                        if execute(_HAS_REPLAYED, {"position": position}).scalar_one():
                            return work()
            except sa.exc.SQLAlchemyError as error:  # gone, or it stopped the statement to go on replaying
                self._rests_until = monotonic() + REST
                log.warning("the replica failed (%s): the primary answers", type(error).__name__)
        with self._database.reading(account_id):
            return work()

    def _position(self, account_id: str) -> str | None:
        """Return the position that has all writes of the account; None while one of them is being committed."""
        with self._database.reading(account_id):
            if not self._has_begun:  # positions of a time at which perhaps not every worker emptied them
                execute(_EMPTY_ALL)
                self._has_begun = True
            known = execute(_KNOWN, {"account_id": account_id}).scalar_one_or_none()
        return str(known) if known else self._find_position(account_id)

    def _find_position(self, account_id: str) -> str | None:
        """Put the primary's position in while nobody commits a write of the account."""
        with self._database.transaction(account_id):
            if not execute(_ALONE, _lock_of(account_id)).scalar_one():
                return None
            return str(execute(_FOUND, {"account": account_id}).scalar_one())  # after the lock: a look of its own


def _empty(account_ids: set[str]) -> None:
    """Empty positions at the end of a transaction: the first write after a list does, the others find them empty."""
    for account_id in sorted(account_ids):
        _SHARED.all(_lock_of(account_id))
        _EMPTY.run({"account": account_id})  # after the lock: a statement sees what was committed when it began


def _lock_of(account_id: str) -> dict[str, int]:
    """Return the number of the account's advisory lock."""
    return {"lock": lock_number(f"replica:{account_id}")}


_LOCK = sa.bindparam("lock", type_=sa.BigInteger)
_SHARED = Prepared(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK).label("locked")))
_ALONE = sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))
_EMPTY = Prepared(
    table.update()
    .where(table.c.account_id == sa.bindparam("account"), table.c.position.is_not(None))
    .values(position=sa.null())
)
_EMPTY_ALL = table.update().where(table.c.position.is_not(None)).values(position=None)
_KNOWN = sa.select(table.c.position).where(table.c.account_id == sa.bindparam("account_id"))
_NEW = insert(table).values(
    account_id=sa.bindparam("account"), position=sa.cast(sa.func.pg_current_wal_insert_lsn(), sa.Text)
)
_FOUND = _NEW.on_conflict_do_update(index_elements=["account_id"], set_={"position": _NEW.excluded.position}).returning(
    table.c.position
)
_HAS_REPLAYED = sa.text(
    "SELECT pg_is_in_recovery() AND coalesce(pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn), false)"
)
