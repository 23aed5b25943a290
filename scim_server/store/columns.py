"""What the columns of the tables are made of: types, keys, references, on SQLite and on PostgreSQL alike."""

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
    """Return a column of a primary key; every one begins with the account."""
    return sa.Column(name, Text, primary_key=True)


def of_account(*columns: str, table: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    """Return a reference to a row of the same account."""
    return sa.ForeignKeyConstraint(["account_id", *columns], [f"{table}.account_id", f"{table}.id"], ondelete=ondelete)


def where(condition: str) -> dict[str, Any]:
    """Return which rows an index has, on both engines."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
