"""The tables, one definition for SQLite and PostgreSQL.

Every primary key begins with ``account_id``, so that the schema shards by account and no query can leave it. Three
unique indexes are directories of the whole service, because they are asked before the account is known or to keep
two accounts apart: the name of an approved domain, the digest of a credential, that of a trusted issuer.
Times are microseconds since 1970. Text is compared byte by byte on both engines (collation "C").
"""

import sqlalchemy as sa

from scim_server.store import access_tables as access_tables
from scim_server.store.columns import Folded, Micros, Text, key, of_account, where
from scim_server.store.columns import metadata as metadata
from scim_server.store.limit_tables import guard as guard
from scim_server.store.limit_tables import rate as rate
from scim_server.store.replica_tables import replica_position as replica_position
from scim_server.store.resource_tables import resource
from scim_server.store.resource_tables import tally as tally
from scim_server.store.shape_tables import shape_seen as shape_seen

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("name", Text, nullable=False, unique=True),
    sa.Column("settings", Text, nullable=False, server_default="{}"),
    sa.Column("created", Micros, nullable=False),
)

approved_domain = sa.Table(
    "approved_domain",
    metadata,
    key(),
    key("name"),
    sa.Column("status", Text, nullable=False, server_default="approved"),
    sa.Column("method", Text, nullable=False, server_default="supportProof"),
    sa.Column("requested_at", Micros, nullable=False),
    sa.Column("approved_at", Micros),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
    sa.Index("uq_approved_domain_name", "name", unique=True, **where("status = 'approved'")),
)

licence_pool = sa.Table(
    "licence_pool",
    metadata,
    key(),
    key("type"),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("assigned", sa.Integer, nullable=False, server_default="0"),
    sa.Column("family", Text, nullable=False),
    sa.Column("tier", sa.Integer),
    sa.Column("protected_returns", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("activations", sa.Integer),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
    sa.CheckConstraint("assigned >= 0 AND assigned <= total", name="within_total"),
)

user = sa.Table(
    "user",
    metadata,
    key(),
    key("id"),
    sa.Column("document", Text, nullable=False),
    sa.Column("folded", Folded, nullable=False),
    sa.Column("user_name", Text, nullable=False),
    sa.Column("user_name_key", Text, nullable=False),
    sa.Column("external_id", Text),
    sa.Column("display_name", Text),
    sa.Column("display_name_key", Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("role", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("sms_returns", sa.Boolean, nullable=False),
    sa.Column("microsoft_returns", sa.Boolean, nullable=False),
    sa.Column("licence_type", Text),
    sa.Column("licence_activated", sa.Boolean, nullable=False),
    sa.Column("licence_status", Text, nullable=False),
    sa.Column("licence_source", Text),
    sa.Column("licence_reason", Text),
    sa.Column("licence_pending_type", Text),
    sa.Column("licence_pending_since", Micros),
    sa.Column("licence_assigned_at", Micros),
    sa.Column("licence_activated_at", Micros),
    sa.Column("licence_expires_at", Micros),
    sa.Column("licence_reset_required", sa.Boolean, nullable=False),
    sa.Column("activations_allowed", sa.Integer),
    sa.Column("activations_used", sa.Integer, nullable=False),
    sa.Column("deactivated_at", Micros),
    sa.Column("password", Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("modified", Micros, nullable=False),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
    sa.UniqueConstraint("account_id", "user_name_key"),
    sa.Index(None, "account_id", "external_id"),
    sa.Index(None, "account_id", "display_name_key", "created", "id"),
    sa.Index(None, "account_id", "created", "id"),
    sa.Index(None, "account_id", "modified", "id"),
    sa.Index(
        "ix_user_pending",
        "account_id",
        "licence_pending_type",
        "licence_pending_since",
        **where("licence_pending_since IS NOT NULL"),
    ),
    sa.Index("ix_user_suspended", "account_id", "deactivated_at", **where("licence_status = 'suspended'")),
    sa.Index("ix_user_administrators", "account_id", "role", **where("role = 'administrator'")),
)

user_value = sa.Table(
    "user_value",
    metadata,
    key(),
    key("path"),
    key("value_key"),
    key("user_id"),
    of_account("user_id", table="user"),
    sa.Index(None, "account_id", "user_id"),
)
"""The inverted index of the multi-valued attributes that IdPs look users up by."""

group = sa.Table(
    "group",
    metadata,
    key(),
    key("id"),
    sa.Column("document", Text, nullable=False),
    sa.Column("folded", Folded, nullable=False),
    sa.Column("display_name", Text, nullable=False),
    sa.Column("display_name_key", Text, nullable=False),
    sa.Column("external_id", Text),
    sa.Column("kind", Text, nullable=False),
    sa.Column("licence_type", Text),
    sa.Column("member_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("licensed_member_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("pending_member_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("modified", Micros, nullable=False),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
    sa.UniqueConstraint("account_id", "display_name_key"),
    sa.Index(None, "account_id", "external_id"),
    sa.Index(None, "account_id", "created", "id"),
)

membership = sa.Table(
    "membership",
    metadata,
    key(),
    key("group_id"),
    key("user_id"),
    sa.Column("added", Micros, nullable=False),
    of_account("group_id", table="group"),
    of_account("user_id", table="user"),
    sa.Index(None, "account_id", "user_id", "group_id"),
)

user_log = sa.Table(
    "user_log",
    metadata,
    key(),
    key("id"),
    sa.Column("user_id", Text, nullable=False),
    sa.Column("sent_at", Micros, nullable=False),
    sa.Column("last_activity_at", Micros),
    sa.Column("expires_at", Micros),
    sa.Column("status", Text, nullable=False),
    sa.Column("entry", Text, nullable=False),
    sa.Column("kind", Text, nullable=False, server_default="message"),
    sa.Column("code_type", Text, nullable=False, server_default="none"),
    sa.Column("file_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("byte_count", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("open_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("signature_request_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("signed_file_count", sa.Integer, nullable=False, server_default="0"),
    of_account("user_id", table="user"),
    # With the id at its end SQLite, which has no statistics, takes it for a user's period rather than the other one.
    sa.Index(None, "account_id", "user_id", "sent_at", "id"),
    sa.Index(None, "account_id", "sent_at", "id"),
)
"""The user's message log (R28); destroyed only by explicit acts (R9, R11, R22).

``entry`` is the JSON of what is shown but not searched: the subject and the recipients.
"""

notification = sa.Table(
    "notification",
    metadata,
    key(),
    key("id"),
    sa.Column("user_id", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("licence_type", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", Micros, nullable=False),
    sa.Column("claimed_at", Micros),
    sa.Column("sent_at", Micros),
    sa.Column("error", Text),
    of_account("user_id", table="user"),
    sa.Index(None, "account_id", "user_id"),
    sa.Index("ix_notification_waiting", "account_id", "next_attempt_at", "id", **where("state = 'waiting'")),
    sa.Index("ix_notification_sending", "account_id", "claimed_at", **where("state = 'sending'")),
)
"""The messages to users about their licences (R35). No address is kept: it is the user's when the message goes out."""

deleted_address = sa.Table(
    "deleted_address",
    metadata,
    key(),
    key("digest"),
    sa.Column("deleted", Micros, nullable=False),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
)
"""The digests of the addresses of deleted users, so that a re-creation is known (R23)."""

journal = sa.Table(
    "journal",
    metadata,
    key(),
    key("id"),
    sa.Column("occurred_at", Micros, nullable=False),
    sa.Column("action", Text, nullable=False),
    sa.Column("outcome", Text, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("rule", Text),
    sa.Column("error", Text),
    sa.Column("detail", Text),
    sa.Column("actor_type", Text, nullable=False),
    sa.Column("actor", Text),
    sa.Column("target_type", Text),
    sa.Column("target_id", Text),
    sa.Column("target_name", Text),
    sa.Column("target_key", Text),
    sa.Column("changes", Text, nullable=False, server_default="[]"),
    sa.Column("logs_purged", sa.Integer),
    sa.Column("request_id", Text),
    sa.Index(None, "account_id", "occurred_at", "id"),
    sa.Index(None, "account_id", "target_id", "occurred_at", "id"),  # the order of a list at its end, as for user_log
    sa.Index(None, "account_id", "target_key", "occurred_at", "id"),
    sa.Index(None, "account_id", "request_id"),
)

connection = sa.Table(
    "connection",
    metadata,
    key(),
    key("id"),
    sa.Column("name", Text, nullable=False),
    sa.Column("profile", Text, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("paused_at", Micros),
    sa.Column("pause_reason", Text),
    sa.Column("basic", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
    sa.UniqueConstraint("account_id", "name"),
)

credential = sa.Table(
    "credential",
    metadata,
    key(),
    key("id"),
    sa.Column("connection_id", Text, nullable=False),
    sa.Column("digest", Text, nullable=False, unique=True),
    sa.Column("scopes", Text, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("expires_at", Micros),
    sa.Column("revoked_at", Micros),
    sa.Column("user_id", Text),
    sa.Column("last_used_at", Micros),
    sa.Column("client_id", Text),
    sa.Column("family", Text),
    sa.Column("thumbprint", Text),
    of_account("connection_id", table="connection"),
    of_account("user_id", table="user"),
    sa.Index(None, "account_id", "user_id"),
    sa.Index(None, "account_id", "client_id", "expires_at"),
)
"""The tokens of connections; one with ``user_id`` stands for that user, with ``client_id`` that client has it."""

for _table in (user, group, resource):
    # One index answers every equality on the search form. SQLite has none of the kind and walks the account instead.
    sa.Index(
        f"ix_{_table.name}_folded",
        _table.c.folded,
        postgresql_using="gin",
        postgresql_ops={"folded": "jsonb_path_ops"},
    ).ddl_if(dialect="postgresql")
