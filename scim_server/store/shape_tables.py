"""The table of what the requests of connections look like."""

import sqlalchemy as sa

from scim_server.store.columns import Micros, key, metadata, of_account

shape_seen = sa.Table(
    "shape_seen",
    metadata,
    key(),
    key("connection_id"),
    key("kind"),
    key("shape"),
    sa.Column("first_seen", Micros, nullable=False),
    sa.Column("last_seen", Micros, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    of_account("connection_id", table="connection"),
)
"""What the requests of a connection look like; no values (idp/shapes.py)."""
