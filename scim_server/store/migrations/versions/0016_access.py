"""OAuth clients and what they use once; when a credential was used last, and whose it is.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the tables, and add to credentials what is known from now on."""
    op.create_table(
        "oauth_client",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("connection_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("grants", TEXT, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("secret", TEXT),
        sa.Column("jwks", TEXT),
        sa.Column("subject", TEXT),
        sa.Column("issuer", TEXT),
        sa.Column("thumbprint", TEXT),
        sa.Column("redirect_uris", TEXT, nullable=False),
        sa.Column("proof_key", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("created", MICROS, nullable=False),
        sa.Column("revoked_at", MICROS),
        sa.Column("last_used_at", MICROS),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_oauth_client")),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["connection.account_id", "connection.id"],
            name=op.f("fk_oauth_client_connection"),
            ondelete="CASCADE",
        ),
    )
    index = op.f("ix_oauth_client_account_id_connection_id")
    op.create_index(index, "oauth_client", ["account_id", "connection_id"])
    _create_tickets()
    for column in (
        sa.Column("last_used_at", MICROS),
        sa.Column("client_id", TEXT),
        sa.Column("family", TEXT),
        sa.Column("thumbprint", TEXT),
    ):
        op.add_column("credential", column)
    columns = ["account_id", "client_id", "expires_at"]
    op.create_index(op.f("ix_credential_account_id_client_id_expires_at"), "credential", columns)


def _create_tickets() -> None:
    op.create_table(
        "ticket",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("client_id", TEXT, nullable=False),
        sa.Column("family", TEXT),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("redirect_uri", TEXT),
        sa.Column("challenge", TEXT),
        sa.Column("created", MICROS, nullable=False),
        sa.Column("expires_at", MICROS, nullable=False),
        sa.Column("used_at", MICROS),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_ticket")),
        sa.ForeignKeyConstraint(
            ["account_id", "client_id"],
            ["oauth_client.account_id", "oauth_client.id"],
            name=op.f("fk_ticket_oauth_client"),
            ondelete="CASCADE",
        ),
    )
    columns = ["account_id", "client_id", "expires_at"]
    op.create_index(op.f("ix_ticket_account_id_client_id_expires_at"), "ticket", columns)
    op.create_index(op.f("ix_ticket_account_id_family"), "ticket", ["account_id", "family"])
