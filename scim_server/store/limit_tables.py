"""The tables of what is limited: the requests of a connection, the changes of an account in a short while."""

import sqlalchemy as sa

from scim_server.store.columns import Micros, Text, key, metadata, of_account

rate = sa.Table(
    "rate",
    metadata,
    key(),
    key("connection_id"),
    sa.Column("tokens", sa.Double, nullable=False),
    sa.Column("granted", sa.Integer, nullable=False),
    sa.Column("filled_at", Micros, nullable=False),
    of_account("connection_id", table="connection"),
)
"""The bucket of each connection, which the workers share; unused on SQLite (store/rates.py).

PostgreSQL writes no log of it: after a crash every bucket is full.
"""
_unlogged = sa.DDL("ALTER TABLE rate SET UNLOGGED")  # type: ignore[no-untyped-call]  # it has no types
sa.event.listen(rate, "after_create", _unlogged.execute_if(dialect="postgresql"))

guard = sa.Table(
    "guard",
    metadata,
    key(),
    sa.Column("watch", Text, nullable=False),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
)
"""What the guard of each account has seen and what was decided: one JSON document (account/guard.py)."""
