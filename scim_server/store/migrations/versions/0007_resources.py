"""The resources of the types that come from configuration.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
FOLDED = sa.JSON().with_variant(JSONB(), "postgresql")
MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the table of the resources and that of their unique values."""
    op.create_table(
        "resource",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("folded", FOLDED, nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("display_name", TEXT),
        sa.Column("display_name_key", TEXT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", MICROS, nullable=False),
        sa.Column("modified", MICROS, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "type", "id", name=op.f("pk_resource")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_resource_account"), ondelete="CASCADE"),
    )
    for columns in (["external_id"], ["display_name_key", "id"], ["created", "id"], ["modified", "id"]):
        indexed = ["account_id", "type", *columns]
        op.create_index(op.f(f"ix_resource_{'_'.join(indexed)}"), "resource", indexed)
    op.create_table(
        "resource_value",
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("value_key", TEXT, nullable=False),
        sa.Column("resource_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "type", "path", "value_key", name=op.f("pk_resource_value")),
        sa.ForeignKeyConstraint(
            ["account_id", "type", "resource_id"],
            ["resource.account_id", "resource.type", "resource.id"],
            name=op.f("fk_resource_value_resource"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        op.f("ix_resource_value_account_id_type_resource_id"), "resource_value", ["account_id", "type", "resource_id"]
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            op.f("ix_resource_folded"),
            "resource",
            ["folded"],
            postgresql_using="gin",
            postgresql_ops={"folded": "jsonb_path_ops"},
        )
