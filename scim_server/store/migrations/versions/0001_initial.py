"""The first tables.

Revision ID: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
FOLDED = sa.JSON().with_variant(JSONB(), "postgresql")
MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create every table, those that others refer to first."""
    _create_account()
    _create_domains_and_pools()
    _create_user()
    _create_group()
    _create_membership()
    _create_user_value()
    _create_logs()
    _create_journal()
    _create_credentials()
    if op.get_bind().dialect.name == "postgresql":
        for table in ("user", "group"):
            _index(table, "folded", postgresql_using="gin", postgresql_ops={"folded": "jsonb_path_ops"})


def _needed(name: str, kind: sa.types.TypeEngine[Any] = TEXT, default: str | None = None) -> sa.Column[Any]:
    """A column that is never null."""
    return sa.Column(name, kind, nullable=False, server_default=default)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    """The row goes with its account."""
    return sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{table}_account"), ondelete="CASCADE")


def _of(table: str, other: str) -> sa.ForeignKeyConstraint:
    """The row goes with a row of another table of the same account."""
    return sa.ForeignKeyConstraint(
        ["account_id", f"{other}_id"],
        [f"{other}.account_id", f"{other}.id"],
        name=op.f(f"fk_{table}_{other}"),
        ondelete="CASCADE",
    )


def _index(table: str, *columns: str, **options: Any) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), **options)


def _create_account() -> None:
    op.create_table(
        "account",
        _needed("id"),
        _needed("name"),
        _needed("settings", default="{}"),
        _needed("created", MICROS),
        _key("account", "id"),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )


def _create_domains_and_pools() -> None:
    op.create_table(
        "approved_domain",
        _needed("account_id"),
        _needed("name"),
        _needed("status", default="approved"),
        _needed("method", default="supportProof"),
        _needed("requested_at", MICROS),
        sa.Column("approved_at", MICROS),
        _key("approved_domain", "account_id", "name"),
        _of_account("approved_domain"),
        sa.UniqueConstraint("name", name=op.f("uq_approved_domain_name")),
    )
    op.create_table(
        "licence_pool",
        _needed("account_id"),
        _needed("type"),
        _needed("total", sa.Integer()),
        _needed("assigned", sa.Integer(), default="0"),
        _needed("family"),
        sa.Column("tier", sa.Integer()),
        sa.Column("protected_returns", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("activations", sa.Integer()),
        _key("licence_pool", "account_id", "type"),
        _of_account("licence_pool"),
        sa.CheckConstraint("assigned >= 0 AND assigned <= total", name=op.f("ck_licence_pool_within_total")),
    )


def _create_user() -> None:
    op.create_table(
        "user",
        _needed("account_id"),
        _needed("id"),
        _needed("document"),
        _needed("folded", FOLDED),
        _needed("user_name"),
        _needed("user_name_key"),
        sa.Column("external_id", TEXT),
        sa.Column("display_name", TEXT),
        sa.Column("display_name_key", TEXT),
        _needed("active", sa.Boolean()),
        _needed("role"),
        _needed("kind"),
        *_licence_columns(),
        _needed("version", sa.Integer()),
        _needed("created", MICROS),
        _needed("modified", MICROS),
        _key("user", "account_id", "id"),
        _of_account("user"),
        sa.UniqueConstraint("account_id", "user_name_key", name=op.f("uq_user_account_id_user_name_key")),
    )
    _index("user", "account_id", "external_id")
    _index("user", "account_id", "display_name_key", "id")
    _index("user", "account_id", "created", "id")
    _index("user", "account_id", "modified", "id")
    _partial_index("ix_user_pending", "licence_status = 'pending'", "licence_pending_type", "licence_pending_since")
    _partial_index("ix_user_suspended", "licence_status = 'suspended'", "deactivated_at")
    _partial_index("ix_user_administrators", "role = 'administrator'", "role")


def _licence_columns() -> tuple[sa.Column[Any], ...]:
    """The account's own state of a user."""
    return (
        _needed("sms_returns", sa.Boolean()),
        _needed("microsoft_returns", sa.Boolean()),
        sa.Column("licence_type", TEXT),
        _needed("licence_activated", sa.Boolean()),
        _needed("licence_status"),
        sa.Column("licence_source", TEXT),
        sa.Column("licence_reason", TEXT),
        sa.Column("licence_pending_type", TEXT),
        sa.Column("licence_pending_since", MICROS),
        sa.Column("licence_assigned_at", MICROS),
        sa.Column("licence_activated_at", MICROS),
        sa.Column("licence_expires_at", MICROS),
        _needed("licence_reset_required", sa.Boolean()),
        sa.Column("activations_allowed", sa.Integer()),
        _needed("activations_used", sa.Integer()),
        sa.Column("deactivated_at", MICROS),
    )


def _partial_index(name: str, condition: str, *columns: str) -> None:
    """An index of the few users of a condition."""
    where = sa.text(condition)
    op.create_index(name, "user", ["account_id", *columns], sqlite_where=where, postgresql_where=where)


def _create_group() -> None:
    op.create_table(
        "group",
        _needed("account_id"),
        _needed("id"),
        _needed("document"),
        _needed("folded", FOLDED),
        _needed("display_name"),
        _needed("display_name_key"),
        sa.Column("external_id", TEXT),
        _needed("kind"),
        sa.Column("licence_type", TEXT),
        _needed("member_count", sa.Integer(), default="0"),
        _needed("licensed_member_count", sa.Integer(), default="0"),
        _needed("pending_member_count", sa.Integer(), default="0"),
        _needed("version", sa.Integer()),
        _needed("created", MICROS),
        _needed("modified", MICROS),
        _key("group", "account_id", "id"),
        _of_account("group"),
        sa.UniqueConstraint("account_id", "display_name_key", name=op.f("uq_group_account_id_display_name_key")),
    )
    _index("group", "account_id", "external_id")
    _index("group", "account_id", "created", "id")


def _create_membership() -> None:
    op.create_table(
        "membership",
        _needed("account_id"),
        _needed("group_id"),
        _needed("user_id"),
        _needed("added", MICROS),
        _key("membership", "account_id", "group_id", "user_id"),
        _of("membership", "group"),
        _of("membership", "user"),
    )
    _index("membership", "account_id", "user_id", "group_id")


def _create_user_value() -> None:
    op.create_table(
        "user_value",
        _needed("account_id"),
        _needed("path"),
        _needed("value_key"),
        _needed("user_id"),
        _key("user_value", "account_id", "path", "value_key", "user_id"),
        _of("user_value", "user"),
    )
    _index("user_value", "account_id", "user_id")


def _create_logs() -> None:
    op.create_table(
        "user_log",
        _needed("account_id"),
        _needed("id"),
        _needed("user_id"),
        _needed("sent_at", MICROS),
        sa.Column("last_activity_at", MICROS),
        sa.Column("expires_at", MICROS),
        _needed("status"),
        _needed("entry"),
        _key("user_log", "account_id", "id"),
        _of("user_log", "user"),
    )
    _index("user_log", "account_id", "user_id", "sent_at")
    op.create_table(
        "deleted_address",
        _needed("account_id"),
        _needed("digest"),
        _needed("deleted", MICROS),
        _key("deleted_address", "account_id", "digest"),
        _of_account("deleted_address"),
    )


def _create_journal() -> None:
    op.create_table(
        "journal",
        _needed("account_id"),
        _needed("id"),
        _needed("occurred_at", MICROS),
        _needed("action"),
        _needed("outcome"),
        sa.Column("status", sa.Integer()),
        sa.Column("rule", TEXT),
        sa.Column("error", TEXT),
        sa.Column("detail", TEXT),
        _needed("actor_type"),
        sa.Column("actor", TEXT),
        sa.Column("target_type", TEXT),
        sa.Column("target_id", TEXT),
        sa.Column("target_name", TEXT),
        sa.Column("target_key", TEXT),
        _needed("changes", default="[]"),
        sa.Column("logs_purged", sa.Integer()),
        sa.Column("request_id", TEXT),
        _key("journal", "account_id", "id"),
    )
    _index("journal", "account_id", "occurred_at", "id")
    _index("journal", "account_id", "target_id")
    _index("journal", "account_id", "target_key")
    _index("journal", "account_id", "request_id")


def _create_credentials() -> None:
    op.create_table(
        "connection",
        _needed("account_id"),
        _needed("id"),
        _needed("name"),
        _needed("profile"),
        _needed("created", MICROS),
        _key("connection", "account_id", "id"),
        _of_account("connection"),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_connection_account_id_name")),
    )
    op.create_table(
        "credential",
        _needed("account_id"),
        _needed("id"),
        _needed("connection_id"),
        _needed("digest"),
        _needed("scopes"),
        _needed("created", MICROS),
        sa.Column("expires_at", MICROS),
        sa.Column("revoked_at", MICROS),
        _key("credential", "account_id", "id"),
        _of("credential", "connection"),
        sa.UniqueConstraint("digest", name=op.f("uq_credential_digest")),
    )
