"""Those who wait are found by since when, as some hold a lesser licence in the meantime (R27)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index all who wait, and nobody else."""
    op.execute(sa.text("""UPDATE "user" SET licence_pending_since = NULL WHERE licence_status <> 'pending'"""))
    op.drop_index("ix_user_pending", "user")
    waits = sa.text("licence_pending_since IS NOT NULL")
    op.create_index(
        "ix_user_pending",
        "user",
        ["account_id", "licence_pending_type", "licence_pending_since"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
