"""Trusted issuers; clients whose keys are at a URL or whom an issuer vouches for; connections that may use Basic.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op

from scim_server.store.migrations.rows import lock_rows

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the table of trusted issuers; clients and connections stay as they are."""
    op.create_table(
        "trusted_issuer",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("connection_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("issuer", TEXT, nullable=False),
        sa.Column("audience", TEXT, nullable=False),
        sa.Column("claim", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("scope_claim", TEXT),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("algorithms", TEXT, nullable=False),
        sa.Column("jwks_url", TEXT, nullable=False),
        sa.Column("created", MICROS, nullable=False),
        sa.Column("revoked_at", MICROS),
        sa.Column("last_used_at", MICROS),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_trusted_issuer")),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["connection.account_id", "connection.id"],
            name=op.f("fk_trusted_issuer_connection"),
            ondelete="CASCADE",
        ),
    )
    index = op.f("ix_trusted_issuer_account_id_connection_id")
    op.create_index(index, "trusted_issuer", ["account_id", "connection_id"])
    live = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_trusted_issuer_digest",
        "trusted_issuer",
        ["digest"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    lock_rows("trusted_issuer")
    for column in ("jwks_url", "trust_id"):
        op.add_column("oauth_client", sa.Column(column, TEXT))
    op.add_column("connection", sa.Column("basic", sa.Boolean(), nullable=False, server_default=sa.false()))
