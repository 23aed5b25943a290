"""The messages to users about their licences.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the table with the indexes that find what is to be sent without walking what was."""
    op.create_table(
        "notification",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("licence_type", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created", MICROS, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_attempt_at", MICROS, nullable=False),
        sa.Column("claimed_at", MICROS),
        sa.Column("sent_at", MICROS),
        sa.Column("error", TEXT),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_notification")),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["user.account_id", "user.id"],
            name=op.f("fk_notification_user"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_notification_account_id_user_id"), "notification", ["account_id", "user_id"])
    for state, columns in (("waiting", ["next_attempt_at", "id"]), ("sending", ["claimed_at"])):
        condition = sa.text(f"state = '{state}'")
        op.create_index(
            op.f(f"ix_notification_{state}"),
            "notification",
            ["account_id", *columns],
            sqlite_where=condition,
            postgresql_where=condition,
        )
