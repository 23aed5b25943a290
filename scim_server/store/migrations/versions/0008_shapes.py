"""The shapes of requests that each connection was seen to send.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the table; nothing is known of what was sent before."""
    op.create_table(
        "shape_seen",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("connection_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("shape", TEXT, nullable=False),
        sa.Column("first_seen", MICROS, nullable=False),
        sa.Column("last_seen", MICROS, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "connection_id", "kind", "shape", name=op.f("pk_shape_seen")),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["connection.account_id", "connection.id"],
            name=op.f("fk_shape_seen_connection"),
            ondelete="CASCADE",
        ),
    )
