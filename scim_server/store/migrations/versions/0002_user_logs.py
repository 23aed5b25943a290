"""What the users' logs tell beyond their times, and indexes by which logs and journal are searched over SCIM.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTS = {
    "file_count": sa.Integer(),
    "byte_count": sa.BigInteger(),
    "open_count": sa.Integer(),
    "signature_request_count": sa.Integer(),
    "signed_file_count": sa.Integer(),
}


def upgrade() -> None:
    """Add the columns, what earlier entries do not tell being nothing, and make masked names of the journal found."""
    op.add_column("user_log", sa.Column("kind", TEXT, nullable=False, server_default="message"))
    op.add_column("user_log", sa.Column("code_type", TEXT, nullable=False, server_default="none"))
    for name, kind in COUNTS.items():
        op.add_column("user_log", sa.Column(name, kind, nullable=False, server_default="0"))
    op.drop_index(op.f("ix_user_log_account_id_user_id_sent_at"), "user_log")
    _index("user_log", "account_id", "user_id", "sent_at", "id")
    _index("user_log", "account_id", "sent_at", "id")
    for target in ("target_id", "target_key"):
        op.drop_index(op.f(f"ix_journal_account_id_{target}"), "journal")
        _index("journal", "account_id", target, "occurred_at", "id")
    op.execute("UPDATE journal SET target_key = lower(target_name) WHERE target_key IS NULL AND target_name <> ''")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
