"""Pages of resources: all of them, those of an IdP's lookup, or those that meet any condition in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.documents import Stored
from scim_server.store import totals
from scim_server.store.database import dialect, execute
from scim_server.store.mapping import map_of
from scim_server.store.prepared import Prepared
from scim_server.store.texts import columns_sent, stored

Conditions = Sequence[sa.ColumnElement[bool]]
Order = Sequence[sa.ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search."""

    resources: tuple[Stored, ...]
    total: int
    next_cursor: str | None = None
    """Where a walk goes on; None on its last page, and for a page by index."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The usual question of an IdP: the resources with one value in an indexed column."""

    column: sa.Column[Any]
    value: str


def look_up(account_id: str, endpoint: Endpoint, asked: Lookup | None, offset: int, limit: int) -> Found:
    """Return one page of all resources, or of those of a lookup, in the usual order; prepared statements only."""
    column = asked.column if asked else None
    parameters = {"account": account_id, "value": asked.value if asked else None, "limit": limit, "offset": offset}
    rows = _page(endpoint, dialect(), column, offset > 0).all(parameters) if limit else []
    total = _total_seen(rows, offset, limit)
    if total is None and column is not None:
        total = _count(endpoint, column).scalar(parameters)
    elif total is None:
        total = count(account_id, endpoint, None)
    return Found(tuple(stored(endpoint, row) for row in rows), total)


def search(
    account_id: str,
    endpoint: Endpoint,
    condition: sa.ColumnElement[bool] | None,
    order: Order,
    offset: int,
    limit: int,
) -> Found:
    """Return one page of the resources that meet a condition, and how many meet it in all."""
    place = map_of(endpoint)
    table = place.table
    where = [place.of_account(account_id), *([] if condition is None else [condition])]
    order = order or place.order
    rows: Sequence[Any] = []
    if limit:
        ids = sa.select(table.c.id).where(*where).order_by(*order).limit(limit).offset(offset)
        rows = execute(_rows_of(endpoint, dialect(), ids, where, order, offset > 0, limit)).all()
    total = _total_seen(rows, offset, limit)
    if total is None:
        total = count(account_id, endpoint, condition)
    return Found(tuple(stored(endpoint, row) for row in rows), total)


def count(account_id: str, endpoint: Endpoint, condition: sa.ColumnElement[bool] | None) -> int:
    """Return how many resources meet a condition, or how many there are."""
    if condition is None:
        kind = totals.kind_of(endpoint)
        return totals.total(account_id, kind) if kind else int(_count(endpoint, None).scalar({"account": account_id}))
    place = map_of(endpoint)
    counted = sa.select(sa.func.count()).select_from(place.table).where(place.of_account(account_id), condition)
    return int(execute(counted).scalar_one())


def _total_seen(rows: Sequence[Any], offset: int, limit: int) -> int | None:
    """Return how many resources there are in all where the page itself tells: it is the last one."""
    return offset + len(rows) if len(rows) < limit and (rows or offset == 0) else None


@lru_cache(maxsize=64)
def _page(endpoint: Endpoint, dialect_name: str, column: sa.Column[Any] | None, is_deep: bool) -> Prepared:
    """The page of all resources, or of those with one value in a column, in the usual order."""
    place = map_of(endpoint)
    table = place.table
    where = [place.of_account(sa.bindparam("account"))]
    order: Order = place.order
    if column is not None:
        where.append(column == sa.bindparam("value"))
        # A sum, which no index has: SQLite without statistics would walk the account in order instead of looking up.
        order = (order[0] + 0, order[1])
    limit, offset = (sa.bindparam(name, type_=sa.Integer) for name in ("limit", "offset"))
    ids = sa.select(table.c.id).where(*where).order_by(*order).limit(limit).offset(offset)
    return Prepared(_rows_of(endpoint, dialect_name, ids, where, order, is_deep, limit))


def _rows_of(
    endpoint: Endpoint,
    dialect_name: str,
    ids: sa.Select[Any],
    where: Conditions,
    order: Order,
    is_deep: bool,
    limit: Any,
) -> sa.Select[Any]:
    """Return the rows of a page. For a deep one the ids before it are walked in an index, and no row is read."""
    table = map_of(endpoint).table
    rows = sa.select(*columns_sent(endpoint, dialect_name)).order_by(*order)
    if not is_deep:
        return rows.where(*where).limit(limit)
    chosen = ids.subquery()
    return rows.join(chosen, table.c.id == chosen.c.id).where(where[0])


@lru_cache(maxsize=64)
def _count(endpoint: Endpoint, column: sa.Column[Any] | None) -> Prepared:
    place = map_of(endpoint)
    mine = place.of_account(sa.bindparam("account"))
    statement = sa.select(sa.func.count().label("total")).select_from(place.table).where(mine)
    return Prepared(statement if column is None else statement.where(column == sa.bindparam("value")))
