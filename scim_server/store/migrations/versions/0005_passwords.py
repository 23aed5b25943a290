"""Passwords as digests, for the accounts that keep them (A-50)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; nobody has a password before the account keeps them."""
    op.add_column("user", sa.Column("password", TEXT))
