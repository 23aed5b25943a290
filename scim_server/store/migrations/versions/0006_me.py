"""Credentials that stand for a user; the index by displayName in the order of a walk.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the user of a credential, and the time of creation to the index, so that equals need not be sorted."""
    with op.batch_alter_table("credential") as credential:  # SQLite adds a reference only to a copy of the table
        credential.add_column(sa.Column("user_id", TEXT))
        credential.create_foreign_key(
            op.f("fk_credential_user"),
            "user",
            ["account_id", "user_id"],
            ["account_id", "id"],
            ondelete="CASCADE",
        )
    op.create_index(op.f("ix_credential_account_id_user_id"), "credential", ["account_id", "user_id"])
    op.drop_index(op.f("ix_user_account_id_display_name_key_id"), "user")
    columns = ["account_id", "display_name_key", "created", "id"]
    op.create_index(op.f("ix_user_account_id_display_name_key_created_id"), "user", columns)
