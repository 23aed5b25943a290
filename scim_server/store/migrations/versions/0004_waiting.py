"""Those who wait are found by since when (R27); a domain that is not approved hinders no other account (R2)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index all who wait and nobody else, and the approved domains alone."""
    with op.batch_alter_table("approved_domain") as domain:
        domain.drop_constraint("uq_approved_domain_name", type_="unique")
    approved = sa.text("status = 'approved'")
    op.create_index(
        "uq_approved_domain_name",
        "approved_domain",
        ["name"],
        unique=True,
        sqlite_where=approved,
        postgresql_where=approved,
    )
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
