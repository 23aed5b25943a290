"""Connections that can be paused; the buckets of their requests.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MICROS = sa.BigInteger()


def upgrade() -> None:
    """Add the pause of a connection, and the buckets that the workers of PostgreSQL share."""
    op.add_column("connection", sa.Column("paused_at", MICROS))
    op.add_column("connection", sa.Column("pause_reason", TEXT))
    op.create_table(
        "rate",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("connection_id", TEXT, nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),
        sa.Column("filled_at", MICROS, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "connection_id", name=op.f("pk_rate")),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["connection.account_id", "connection.id"],
            name=op.f("fk_rate_connection"),
            ondelete="CASCADE",
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE rate SET UNLOGGED")
