"""How many users and groups an account has, kept so that no list has to count its rows.

A total is the sum of a few slots. Who inserts or deletes adds to one of them by chance, so that those who write at
once seldom wait for each other.
"""

from functools import lru_cache
from random import randrange

import sqlalchemy as sa

from scim_server.protocol.catalogue import Endpoint
from scim_server.store.database import at_last, dialect
from scim_server.store.dialects import insert_into
from scim_server.store.mapping import map_of
from scim_server.store.prepared import Prepared
from scim_server.store.tables import tally

KINDS = {"user", "group"}
"""The tables whose rows are counted as they come and go."""
SLOTS = 8
"""So few that a total is read as fast as one row, and enough for the workers of a server."""


def kind_of(endpoint: Endpoint) -> str | None:
    """Return as what the resources of an endpoint are counted; None where only their rows tell how many there are."""
    name = map_of(endpoint).table.name
    return name if name in KINDS else None


def count(account_id: str, endpoint: Endpoint, number: int) -> None:
    """Count resources that are inserted, or with a number below zero deleted, in this transaction."""
    if kind := kind_of(endpoint):
        at_last()[_add, (account_id, kind)] += number


def total(account_id: str, kind: str) -> int:
    """Return how many users or groups an account has, with what this transaction has inserted and deleted."""
    kept = _TOTAL.scalar({"account": account_id, "kind": kind})
    return int(kept or 0) + at_last()[_add, (account_id, kind)]


_TOTAL = Prepared(
    sa.select(sa.func.sum(tally.c.number).label("total")).where(
        tally.c.account_id == sa.bindparam("account"), tally.c.kind == sa.bindparam("kind")
    )
)


def _add(key: tuple[str, str], number: int) -> None:
    if number == 0:
        return
    account_id, kind = key
    values = {"account_id": account_id, "kind": kind, "slot": randrange(SLOTS), "number": number}  # noqa: S311  no secret
    _adding(dialect()).run(values)


@lru_cache(maxsize=2)
def _adding(dialect_name: str) -> Prepared:
    new = insert_into(dialect_name, tally)
    key = [tally.c.account_id, tally.c.kind, tally.c.slot]
    return Prepared(
        new.on_conflict_do_update(index_elements=key, set_={"number": tally.c.number + new.excluded.number})
    )
