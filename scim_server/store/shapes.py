"""The shapes of requests that each connection was seen to send; never a value (idp/shapes.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import execute
from scim_server.store.tables import connection, shape_seen

Shape = tuple[str, str]

MOST = 300
"""Shapes that are kept per connection; more are not noted until others have not been seen for a while."""
FORGOTTEN = 30 * 86_400_000_000
"""A shape that was not seen for so long, in microseconds, counts as new (30 days)."""


def note(account_id: str, connection_id: str, counts: Mapping[Shape, int], now: int) -> list[Shape]:
    """Add what was seen of a connection; returns the shapes that are new or were not seen for 30 days."""
    execute(
        sa.select(connection.c.id).where(_is(connection, account_id, connection_id)).with_for_update(key_share=True)
    )
    known = {(row.kind, row.shape): row.last_seen for row in of_connection(account_id, connection_id)}
    if len(known) + len(counts.keys() - known.keys()) > MOST:
        known = _without_forgotten(account_id, connection_id, known, now)
    fresh = list(counts.keys() - known.keys())[: max(0, MOST - len(known))]
    _add(account_id, connection_id, {shape: counts[shape] for shape in fresh}, now)
    _count(account_id, connection_id, {shape: count for shape, count in counts.items() if shape in known}, now)
    return sorted(fresh + [one for one in counts if known.get(one, now) < now - FORGOTTEN])


def of_connection(account_id: str, connection_id: str) -> Sequence[sa.Row[Any]]:
    """Return the shapes seen of a connection."""
    mine = sa.select(shape_seen).where(_is(shape_seen, account_id, connection_id, "connection_id"))
    return execute(mine.order_by(shape_seen.c.kind, shape_seen.c.shape)).all()


def _is(table: sa.Table, account_id: str, connection_id: str, column: str = "id") -> sa.ColumnElement[bool]:
    return sa.and_(table.c.account_id == account_id, table.c[column] == connection_id)


def _without_forgotten(account_id: str, connection_id: str, known: Mapping[Shape, int], now: int) -> dict[Shape, int]:
    """Make room: delete the shapes that were not seen for long, and return the others."""
    mine = _is(shape_seen, account_id, connection_id, "connection_id")
    execute(shape_seen.delete().where(mine, shape_seen.c.last_seen < now - FORGOTTEN))
    return {shape: last for shape, last in known.items() if last >= now - FORGOTTEN}


def _add(account_id: str, connection_id: str, counts: Mapping[Shape, int], now: int) -> None:
    times = {"account_id": account_id, "connection_id": connection_id, "first_seen": now, "last_seen": now}
    rows = [{**times, "kind": kind, "shape": shape, "count": count} for (kind, shape), count in counts.items()]
    if rows:
        execute(shape_seen.insert(), rows)


def _count(account_id: str, connection_id: str, counts: Mapping[Shape, int], now: int) -> None:
    one = (shape_seen.c.kind == sa.bindparam("of_kind"), shape_seen.c.shape == sa.bindparam("of_shape"))
    counted = {"count": shape_seen.c.count + sa.bindparam("more"), "last_seen": now}
    mine = _is(shape_seen, account_id, connection_id, "connection_id")
    rows = [{"of_kind": kind, "of_shape": shape, "more": count} for (kind, shape), count in counts.items()]
    if rows:
        execute(shape_seen.update().where(mine, *one).values(counted), rows)
