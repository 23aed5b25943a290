"""The tables of the resources of all types that come from configuration, and of how many others there are."""

import sqlalchemy as sa

from scim_server.store.columns import Folded, Micros, Text, key, metadata

resource = sa.Table(
    "resource",
    metadata,
    key(),
    key("type"),
    key("id"),
    sa.Column("document", Text, nullable=False),
    sa.Column("folded", Folded, nullable=False),
    sa.Column("external_id", Text),
    sa.Column("display_name", Text),
    sa.Column("display_name_key", Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("modified", Micros, nullable=False),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
    sa.Index(None, "account_id", "type", "external_id"),
    sa.Index(None, "account_id", "type", "display_name_key", "id"),
    sa.Index(None, "account_id", "type", "created", "id"),
    sa.Index(None, "account_id", "type", "modified", "id"),
)
"""The resources of all types that come from configuration; ``type`` is the name of the resource type."""

resource_value = sa.Table(
    "resource_value",
    metadata,
    key(),
    key("type"),
    key("path"),
    key("value_key"),
    sa.Column("resource_id", Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["account_id", "type", "resource_id"],
        ["resource.account_id", "resource.type", "resource.id"],
        ondelete="CASCADE",
    ),
    sa.Index(None, "account_id", "type", "resource_id"),
)
"""The values of the attributes that a configured schema says are unique: each once in a type and an account."""

tally = sa.Table(
    "tally",
    metadata,
    key(),
    key("kind"),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
)
"""How many users and groups each account has: the sum of the slots of a kind (store/totals.py)."""
