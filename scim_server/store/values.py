"""Values as SQL knows them, and the tests of a filter on them.

No test is ever NULL: SQL's NOT would turn that into NULL again, and ``not (title eq "x")`` would lose the users
without a title (A-09).
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from scim2_models import InvalidFilterException
from scim2_models.path import CompareOperator
from sqlalchemy import func

from scim_server.store.dialects import Condition, Dialect, Operand, bound

Op = CompareOperator
_ORDERS: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.eq: operator.eq,
    Op.gt: operator.gt,
    Op.ge: operator.ge,
    Op.lt: operator.lt,
    Op.le: operator.le,
}
_LAST = "\U0010ffff"


class Value(Protocol):
    """One value of a resource, or of one element of a list."""

    def test(self, op: Op, operand: Operand) -> Condition:
        """Return whether the value compares so; false when there is none. ``ne`` is for the caller to negate."""

    def missing(self) -> Condition:
        """Return whether there is no value (A-21)."""

    def present(self) -> Condition:
        """Return whether there is a value that is not empty."""

    @property
    def key(self) -> sa.ColumnElement[Any] | None:
        """What a sort compares, or None when all resources have the same."""


@dataclass(frozen=True, slots=True)
class Expression:
    """The value of a column, or of anything that SQL computes."""

    key: sa.ColumnElement[Any]
    dialect: Dialect
    is_text: bool = True

    def test(self, op: Op, operand: Operand) -> Condition:
        return self._known(self._compared(op, operand))

    def missing(self) -> Condition:
        return self.key.is_(None)

    def present(self) -> Condition:
        return self._known(self.key != "") if self.is_text else self.key.is_not(None)

    def _compared(self, op: Op, operand: Operand) -> Condition:
        if isinstance(operand, str):
            if op is Op.sw:
                return _starts(self.key, operand)
            if op is Op.ew:
                first = func.length(self.key) - sa.literal(len(operand) - 1, sa.Integer())
                return func.substr(self.key, first) == bound(operand)
            if op is Op.co:
                return self.dialect.contains(self.key, bound(operand))
        condition: Condition = _ORDERS[op](self.key, bound(operand))
        return condition

    def _known(self, comparison: Condition) -> Condition:
        if not isinstance(self.key, sa.Column):
            return func.coalesce(comparison, sa.false())
        if not self.key.nullable:
            return comparison
        return sa.and_(self.key.is_not(None), comparison)  # in place of coalesce, which no index answers


def _starts(text: sa.ColumnElement[Any], prefix: str) -> Condition:
    """Return a range instead of a LIKE: any B-tree of either database answers it."""
    after = successor(prefix)
    at_least = text >= bound(prefix)
    return at_least if after is None else sa.and_(at_least, text < bound(after))


def successor(prefix: str) -> str | None:
    """Return the smallest text greater than all that start with ``prefix``; None when there is none."""
    prefix = prefix.rstrip(_LAST)
    if not prefix:
        return None
    code = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if code == 0xD800 else code)  # surrogates are no characters of a text


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is the same for every row; None when no row has it."""

    value: str | None
    key: None = None

    def test(self, op: Op, operand: Operand) -> Condition:
        return _always(self.value is not None and _CONSTANT_TESTS[op](self.value, operand))

    def missing(self) -> Condition:
        return _always(self.value is None)

    def present(self) -> Condition:
        return _always(bool(self.value))


_CONSTANT_TESTS: Mapping[Op, Callable[[Any, Any], bool]] = {
    **_ORDERS,
    Op.co: operator.contains,
    Op.sw: str.startswith,
    Op.ew: str.endswith,
}


def _always(holds: bool) -> Condition:
    return sa.true() if holds else sa.false()


@dataclass(frozen=True, slots=True)
class Reference:
    """The URL of a resource, which is computed from its id when it is sent (A-34)."""

    key: sa.ColumnElement[Any]
    path: str
    """The path of the endpoint, such as ``/Groups``; the base in front of it is not known here and not compared."""

    def test(self, op: Op, operand: Operand) -> Condition:
        if op is not Op.eq or not isinstance(operand, str):
            raise InvalidFilterException(
                detail=f"'{op.value}' does not apply to the URLs of resources; use eq or ne, or filter on the id"
            )
        base, _, identifier = operand.rpartition("/")
        return self.key == bound(identifier) if base.endswith(self.path) else sa.false()

    def missing(self) -> Condition:
        return sa.false()

    def present(self) -> Condition:
        return sa.true()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A value of the row of another table that an id of this row names."""

    value: Value
    named: Callable[[Condition], Condition]
    """Whether the id names a row of which a condition holds."""
    key: sa.ColumnElement[Any]

    def test(self, op: Op, operand: Operand) -> Condition:
        return self.named(self.value.test(op, operand))

    def missing(self) -> Condition:
        return self.named(self.value.missing())

    def present(self) -> Condition:
        return self.named(self.value.present())


@dataclass(frozen=True, slots=True)
class Whole:
    """A complex value as a whole, which can be there or not but is compared with nothing."""

    filled: Condition
    key: None = None

    def test(self, op: Op, operand: Operand) -> Condition:
        return sa.false()

    def missing(self) -> Condition:
        return sa.not_(self.filled)

    def present(self) -> Condition:
        return self.filled
