"""How many users and groups each account has.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table and count what there is."""
    op.create_table(
        "tally",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "kind", "slot", name=op.f("pk_tally")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_tally_account"), ondelete="CASCADE"),
    )
    if op.get_bind().dialect.name == "postgresql":  # nobody may write between being counted and the commit
        op.execute('LOCK TABLE "user", "group" IN SHARE ROW EXCLUSIVE MODE')
    tally = sa.table("tally", *(sa.column(name) for name in ("account_id", "kind", "slot", "number")))
    for kind in ("user", "group"):
        rows = sa.table(kind, sa.column("account_id"))
        numbers = sa.select(rows.c.account_id, sa.literal(kind), sa.literal(0), sa.func.count())
        op.execute(tally.insert().from_select(tally.c.keys(), numbers.group_by(rows.c.account_id)))


def downgrade() -> None:
    """Count rows again."""
    op.drop_table("tally")
