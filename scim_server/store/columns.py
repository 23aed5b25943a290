"""What the definitions of tables are made of, the same for SQLite and PostgreSQL."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Folded = sa.JSON().with_variant(JSONB(), "postgresql")
Micros = sa.BigInteger


def key(name: str = "account_id") -> sa.Column[str]:
    """A column of the primary key."""
    return sa.Column(name, Text, primary_key=True)


def of_account(*columns: str, table: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    """A reference to a row of the same account."""
    return sa.ForeignKeyConstraint(["account_id", *columns], [f"{table}.account_id", f"{table}.id"], ondelete=ondelete)


def where(condition: str) -> dict[str, Any]:
    """The rows that an index has, on both engines."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
