"""Multi-valued attributes as SQL knows them: arrays of the folded document, rows of a table, fixed elements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from scim_server.protocol.catalogue import Attribute
from scim_server.store.dialects import Condition, Dialect
from scim_server.store.values import Constant, Expression, Op, Value, Whole

Element = Callable[[Attribute], Value]
"""One element of a list: gives the value of a sub-attribute, or the element itself for the attribute of the list."""
TEXTS = frozenset({"string", "reference", "binary", "complex"})


class Elements(Protocol):
    """The elements of a multi-valued attribute."""

    def any(self, test: Callable[[Element], Condition]) -> Condition:
        """Return whether one element passes the whole test."""

    def first(self, attribute: Attribute) -> sa.ColumnElement[Any] | None:
        """Return what a sort compares: of the primary element, else of the first (RFC 7644 section 3.4.2.3)."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The elements of an array of the folded document."""

    table: sa.Table
    path: tuple[str, ...]
    primary: Attribute | None
    dialect: Dialect

    def any(self, test: Callable[[Element], Condition]) -> Condition:
        source, element, _ = self._rows()
        return self._select(sa.literal_column("1"), source).where(test(element)).exists()

    def first(self, attribute: Attribute) -> sa.ColumnElement[Any] | None:
        source, element, position = self._rows()
        order = [element(self.primary).test(Op.eq, True).desc()] if self.primary else []
        chosen = self._select(element(attribute).key, source).order_by(*order, position).limit(1)
        return chosen.scalar_subquery()

    def _rows(self) -> tuple[sa.FromClause, Element, sa.ColumnElement[Any]]:
        source, value, position = self.dialect.elements(self.table.c.folded, self.path)

        def element(attribute: Attribute) -> Value:
            if attribute.type == "complex":
                return Whole(self.dialect.filled(value, ()))
            path = () if attribute.multi_valued else (attribute.name.lower(),)
            return Expression(self.dialect.value(value, path, attribute.type), self.dialect, attribute.type in TEXTS)

        return source, element, position

    def _select(self, column: Any, source: sa.FromClause) -> sa.Select[Any]:
        return sa.select(column).select_from(source).correlate(self.table)


@dataclass(frozen=True, slots=True)
class Rows:
    """The elements that are rows of a table, each naming a resource of this endpoint and one of the other."""

    dialect: Dialect
    identifier: sa.Column[str]
    """The id of the resource."""
    owner: sa.Column[str]
    """The column that holds it in each row of an element."""
    where: Condition
    """What keeps the rows within the account."""
    values: Mapping[str, Value]
    """By the lower-cased name of the sub-attribute, or of the list for the element itself."""
    order: sa.Column[str]

    def any(self, test: Callable[[Element], Condition]) -> Condition:
        # IN and not a correlated EXISTS: SQLite then starts at the few rows that match.
        return self.dialect.among(self.identifier, sa.select(self.owner).where(self.where, test(self._element)))

    def first(self, attribute: Attribute) -> sa.ColumnElement[Any] | None:
        if (key := self._element(attribute).key) is None:
            return None
        mine = sa.select(key).where(self.where, self.owner == self.identifier).order_by(self.order).limit(1)
        return mine.correlate(self.identifier.table).scalar_subquery()

    def _element(self, attribute: Attribute) -> Value:
        return self.values.get(attribute.name.lower(), Constant(None))


@dataclass(frozen=True, slots=True)
class Fixed:
    """Elements that are known without looking, each with the condition under which a resource has it."""

    elements: tuple[tuple[Condition, Mapping[str, Value]], ...]

    def any(self, test: Callable[[Element], Condition]) -> Condition:
        passed = (sa.and_(condition, test(self._element(values))) for condition, values in self.elements)
        return sa.or_(sa.false(), *passed)

    def first(self, attribute: Attribute) -> sa.ColumnElement[Any] | None:
        _, values = self.elements[0]
        return self._element(values)(attribute).key

    @staticmethod
    def _element(values: Mapping[str, Value]) -> Element:
        return lambda attribute: values.get(attribute.name.lower(), Constant(None))


@dataclass(frozen=True, slots=True)
class Both:
    """The elements of two sources, one after the other."""

    head: Elements
    tail: Elements

    def any(self, test: Callable[[Element], Condition]) -> Condition:
        return sa.or_(self.head.any(test), self.tail.any(test))

    def first(self, attribute: Attribute) -> sa.ColumnElement[Any] | None:
        keys = [key for key in (self.head.first(attribute), self.tail.first(attribute)) if key is not None]
        return sa.func.coalesce(*keys) if len(keys) > 1 else keys[0] if keys else None
