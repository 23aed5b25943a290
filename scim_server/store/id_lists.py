"""Any number of ids in one parameter, so that a statement about many is the same text as one about few."""

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles


class Ids(sa.TypeDecorator[Any]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Return the type that the database has for it."""
        return dialect.type_descriptor(ARRAY(sa.Text()) if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Iterable[str] | None, dialect: sa.Dialect) -> Any:
        """Return the ids as the driver takes them."""
        ids = list(value or ())
        return ids if dialect.name == "postgresql" else orjson.dumps(ids).decode()


class _Among(sa.sql.expression.ColumnElement[bool]):
    inherit_cache = False

    def __init__(self, column: sa.ColumnElement[str], ids: sa.BindParameter[Any]) -> None:
        self.column, self.ids = column, ids


class _Each(sa.sql.functions.FunctionElement[str]):
    inherit_cache = False
    type = sa.Text()


def among(column: sa.ColumnElement[str], name: str = "ids") -> sa.ColumnElement[bool]:
    """Return whether a column is one of the ids in a parameter."""
    return _Among(column, sa.bindparam(name, type_=Ids()))


def each(name: str = "ids") -> sa.ColumnElement[str]:
    """Return the ids in a parameter as a column of rows, to select from."""
    return _Each(sa.bindparam(name, type_=Ids())).table_valued("value").alias("value").c.value


@compiles(_Among, "sqlite")
def _among_on_sqlite(element: _Among, compiler: Any, **kw: Any) -> str:
    ids = compiler.process(element.ids, **kw)
    return f"{compiler.process(element.column, **kw)} IN (SELECT value FROM json_each({ids}))"  # noqa: S608  made of SQL


@compiles(_Among, "postgresql")
def _among_on_postgresql(element: _Among, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY ({compiler.process(element.ids, **kw)})"


@compiles(_Each, "sqlite")
def _each_on_sqlite(element: _Each, compiler: Any, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_Each, "postgresql")
def _each_on_postgresql(element: _Each, compiler: Any, **kw: Any) -> str:
    return f"unnest({compiler.process(element.clauses, **kw)})"
