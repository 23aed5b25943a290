"""The buckets that all workers take from: one row per connection, by the clock of the database."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from scim_server.store.prepared import Prepared
from scim_server.store.tables import rate as table


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bucket gave: tokens, or the seconds until there is one."""

    granted: int
    wait: float = 0.0


def take(account_id: str, connection_id: str, most: int, per_second: int, burst: int) -> Taken:
    """Take at most so many tokens from the bucket of a connection, in one statement of PostgreSQL."""
    row = _take(most, per_second, burst).one_or_none({"account": account_id, "connection": connection_id})
    return Taken(row.granted, 0.0 if row.granted else (1 - row.tokens) / per_second)


@lru_cache
def _take(most: int, per_second: int, burst: int) -> Prepared:
    """The row is locked for this statement alone. What was given is kept in it: RETURNING knows only new values."""
    moment = sa.cast(sa.extract("epoch", sa.func.now()) * 1_000_000, sa.BigInteger)
    passed = sa.func.greatest(0, moment - table.c.filled_at)  # who had to wait for the row may come from the past
    filled = sa.func.least(float(burst), table.c.tokens + passed * per_second / 1_000_000.0)
    granted = sa.func.least(most, sa.func.floor(filled))
    first = min(most, burst)
    key: dict[str, Any] = {"account_id": sa.bindparam("account"), "connection_id": sa.bindparam("connection")}
    return Prepared(
        insert(table)
        .values(**key, tokens=burst - first, granted=first, filled_at=moment)
        .on_conflict_do_update(
            index_elements=[table.c.account_id, table.c.connection_id],
            set_={
                "tokens": filled - granted,
                "granted": sa.cast(granted, sa.Integer),
                "filled_at": sa.func.greatest(table.c.filled_at, moment),
            },
        )
        .returning(table.c.granted, table.c.tokens)
    )
