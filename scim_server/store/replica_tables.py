"""The table of what a hot standby must have replayed to answer for an account."""

import sqlalchemy as sa

from scim_server.store.columns import Text, key, metadata

replica_position = sa.Table(
    "replica_position",
    metadata,
    key(),
    sa.Column("position", Text),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
)
"""A position of the primary's log that is past every write of the account; NULL after a write (store/replica.py).

PostgreSQL writes no log of it: after a crash and on a promoted standby it is empty, so no position outlives its log.
"""
_unlogged = sa.DDL("ALTER TABLE replica_position SET UNLOGGED")  # type: ignore[no-untyped-call]  # it has no types
sa.event.listen(replica_position, "after_create", _unlogged.execute_if(dialect="postgresql"))
