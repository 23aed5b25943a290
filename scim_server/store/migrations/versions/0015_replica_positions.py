"""What a hot standby must have replayed to answer for an account.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; it is filled by the first lists."""
    op.create_table(
        "replica_position",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("position", TEXT),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_replica_position")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_replica_position_account"), ondelete="CASCADE"
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE replica_position SET UNLOGGED")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("replica_position")
