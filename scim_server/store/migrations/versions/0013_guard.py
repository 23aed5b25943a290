"""What the guard of each account has seen.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; nothing of what happened before is counted."""
    op.create_table(
        "guard",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("watch", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_guard")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_guard_account"), ondelete="CASCADE"),
    )
