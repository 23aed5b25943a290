"""What SQLite and PostgreSQL say differently: the folded document, positions in a text, order of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH

Condition = sa.ColumnElement[bool]
Operand = str | int | float | bool
"""What a value is compared with: a folded text, a number, a time in microseconds or a boolean."""


def insert_into(dialect_name: str, table: sa.Table) -> Any:
    """Return an INSERT that can say what happens to a row that is there: each database has a word of its own for it."""
    return (postgresql.insert if dialect_name == "postgresql" else sqlite.insert)(table)


class Dialect(Protocol):
    """The SQL of one database. Names in paths come from the schemas alone, never from a client."""

    def value(self, document: sa.ColumnElement[Any], path: Sequence[str], kind: str) -> sa.ColumnElement[Any]:
        """Return the value at ``path``, typed as SCIM's ``kind`` says; NULL when there is none."""

    def elements(
        self, document: sa.ColumnElement[Any], path: Sequence[str]
    ) -> tuple[sa.FromClause, sa.ColumnElement[Any], sa.ColumnElement[Any]]:
        """Return the elements of the array at ``path`` as rows: the source, the element, its position."""

    def filled(self, document: sa.ColumnElement[Any], path: Sequence[str]) -> Condition:
        """Return whether the object at ``path`` has a member that is neither null nor an empty text."""

    def holds(self, document: sa.ColumnElement[Any], part: Mapping[str, Any]) -> Condition | None:
        """Return whether the document contains ``part``, or None where no index would answer that."""

    def contains(self, text: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> Condition:
        """Return whether ``part`` occurs in ``text``. Never LIKE: it has wildcards and, on SQLite, ignores case."""

    def ordered(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return a text that orders by code point, as columns do and Python does."""

    def among(self, column: sa.ColumnElement[Any], ids: sa.Select[Any]) -> Condition:
        """Return whether ``column`` is one of the ids."""

    def for_terms(self, number: int) -> "Dialect":
        """Return the dialect for a filter of so many terms."""


class SQLite:
    """JSON1 of SQLite 3.40: arrays and objects are text, booleans 1 and 0."""

    def value(self, document: sa.ColumnElement[Any], path: Sequence[str], kind: str) -> sa.ColumnElement[Any]:
        if not path:  # json_each has taken an element that is no object out of its JSON already
            return document
        return func.json_extract(document, _quoted(path), type_=_TYPES[kind])

    def elements(
        self, document: sa.ColumnElement[Any], path: Sequence[str]
    ) -> tuple[sa.FromClause, sa.ColumnElement[Any], sa.ColumnElement[Any]]:
        rows = func.json_each(document, _quoted(path)).table_valued("key", "value")
        return rows, rows.c.value, rows.c.key

    def filled(self, document: sa.ColumnElement[Any], path: Sequence[str]) -> Condition:
        members = func.json_each(document, _quoted(path)).table_valued("value")
        return sa.select(sa.literal_column("1")).where(members.c.value != "").exists()

    def holds(self, document: sa.ColumnElement[Any], part: Mapping[str, Any]) -> Condition | None:
        return None

    def contains(self, text: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> Condition:
        return func.instr(text, part) > 0

    def ordered(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return text

    def among(self, column: sa.ColumnElement[Any], ids: sa.Select[Any]) -> Condition:
        return column.in_(ids)

    def for_terms(self, number: int) -> Dialect:
        return self


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """JSONB; an equality is a containment, which one GIN index answers for every attribute."""

    many_terms: bool = False
    """Keep sub-selects out of the joins: the planner needs half a minute to order two hundred of them."""

    def value(self, document: sa.ColumnElement[Any], path: Sequence[str], kind: str) -> sa.ColumnElement[Any]:
        text = document.op("#>>", return_type=sa.Text())(sa.literal(list(path), ARRAY(sa.Text())))
        type_ = _TYPES[kind]
        return self.ordered(text) if isinstance(type_, sa.Text) else sa.cast(text, type_)

    def elements(
        self, document: sa.ColumnElement[Any], path: Sequence[str]
    ) -> tuple[sa.FromClause, sa.ColumnElement[Any], sa.ColumnElement[Any]]:
        # Not jsonb_array_elements: one null where an array belongs would fail the whole query.
        found = func.jsonb_path_query(document, sa.cast(f"{_quoted(path)}[*]", JSONPATH))
        rows = found.table_valued(sa.column("value", JSONB), with_ordinality="position").render_derived()
        return rows, rows.c.value, rows.c.position

    def filled(self, document: sa.ColumnElement[Any], path: Sequence[str]) -> Condition:
        member = f'{_quoted(path)}.* ? (@ != null && (@.type() != "string" || @ != ""))'
        return func.jsonb_path_exists(document, sa.cast(member, JSONPATH), type_=sa.Boolean())

    def holds(self, document: sa.ColumnElement[Any], part: Mapping[str, Any]) -> Condition | None:
        return document.op("@>", is_comparison=True)(sa.literal(part, JSONB))

    def contains(self, text: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> Condition:
        return func.strpos(text, part) > 0

    def ordered(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.collate(text, "C")

    def among(self, column: sa.ColumnElement[Any], ids: sa.Select[Any]) -> Condition:
        found = column.in_(ids)
        return func.coalesce(found, sa.false()) if self.many_terms else found

    def for_terms(self, number: int) -> Dialect:
        return PostgreSQL(many_terms=True) if number > 16 else self


DIALECTS: Mapping[str, Dialect] = {"sqlite": SQLite(), "postgresql": PostgreSQL()}

_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "string": sa.Text(),
    "reference": sa.Text(),
    "binary": sa.Text(),
    "complex": sa.Text(),
    "boolean": sa.Boolean(),
    "integer": sa.Numeric(),
    "decimal": sa.Numeric(),
    "dateTime": sa.Numeric(),
}
"""How SCIM's types are compared; times are microseconds in the folded document."""


def bound(operand: Operand) -> sa.ColumnElement[Any]:
    """Return an operand as a bind parameter, wide enough that no number of 64 bits overflows on the way."""
    if isinstance(operand, str):
        return sa.literal(operand, sa.Text())
    if isinstance(operand, bool):
        return sa.literal(operand, sa.Boolean())
    return sa.literal(operand, sa.BigInteger() if isinstance(operand, int) else sa.Double())


def _quoted(path: Sequence[str]) -> str:
    """Return a path for JSON1 and for jsonpath alike; quoted, as the names of extensions have dots and colons."""
    return "$" + "".join(f'."{name}"' for name in path)
