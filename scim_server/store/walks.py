"""Walks through all resources of a search, page by page from a position: RFC 9865 without OFFSET.

A page begins after the last resource of the one before, by its place in the order. What is inserted or deleted
meanwhile shifts nothing, and a page far on costs what the first one costs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.documents import Stored
from scim_server.store.database import Prepared, dialect, execute
from scim_server.store.dialects import Condition, bound
from scim_server.store.mapping import map_of
from scim_server.store.pages import count
from scim_server.store.sorting import Sort
from scim_server.store.texts import columns_sent, stored

LONGEST_KEY = 256
"""Characters of a text without a column of its own that decide its place in a walk; columns are bounded anyway."""

Key = str | int | float | bool | Decimal
"""A value of a sort as the driver of the database gives it, to be compared by the same database."""


@dataclass(frozen=True, slots=True)
class Position:
    """The place of one resource in the order of a walk."""

    key: Key | None
    """What the sort compares; None where the resource lacks it, and in the usual order."""
    ties: tuple[int | str, ...]
    """What decides between equals: the time of creation and the id, less what is the key already."""


@dataclass(frozen=True, slots=True)
class Walked:
    """One page of a walk."""

    resources: tuple[Stored, ...]
    total: int
    last: Position | None
    """The position of the last resource, if others follow it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a walk whose order is that of an index: the resources that have the value, or those that lack it."""

    where: tuple[Condition, ...]
    order: tuple[sa.ColumnElement[Any], ...]


def walk(
    account_id: str,
    endpoint: Endpoint,
    condition: Condition | None,
    sort: Sort | None,
    after: Position | None,
    limit: int,
) -> Walked:
    """Return the next page of the resources that meet a condition, and how many meet it in all."""
    sort = _shortened(sort)
    key = sort.key if sort else None
    rows: list[Any] = []
    if sort is None and condition is None:
        rows = _usual(account_id, endpoint, after, limit + 1) if limit else []
    else:
        for stretch in _stretches(endpoint, sort, after):
            if limit and len(rows) <= limit:  # one more than the page has tells whether others follow
                rows += execute(_rows(account_id, endpoint, condition, key, stretch, limit + 1 - len(rows))).all()
    page = rows[:limit]
    whole = after is None and limit and len(rows) <= limit
    total = len(rows) if whole else count(account_id, endpoint, condition)
    last = _position(page[-1], key, _ties(endpoint, key)) if len(rows) > limit > 0 else None
    return Walked(tuple(stored(endpoint, row) for row in page), total, last)


def _usual(account_id: str, endpoint: Endpoint, after: Position | None, limit: int) -> list[Any]:
    """Return the next rows of all there are, in the usual order; a prepared statement, as an IdP walks all day."""
    passed = after.ties if after is not None else ()
    values = {f"passed_{number}": value for number, value in enumerate(passed)}
    statement = _usual_rows(endpoint, dialect(), bool(passed))
    return statement.all({"account": account_id, "limit": limit, **values})


@lru_cache(maxsize=64)
def _usual_rows(endpoint: Endpoint, dialect_name: str, is_later: bool) -> Prepared:
    place = map_of(endpoint)
    ties = tuple(place.order)
    passed = [sa.bindparam(f"passed_{number}", type_=column.type) for number, column in enumerate(ties)]
    where = [place.of_account(sa.bindparam("account")), *((_later(ties, passed),) if is_later else ())]
    limit = sa.bindparam("limit", type_=sa.Integer)
    return Prepared(sa.select(*columns_sent(endpoint, dialect_name)).where(*where).order_by(*ties).limit(limit))


def _shortened(sort: Sort | None) -> Sort | None:
    """Compare the beginnings of texts alone where they can be long: a cursor has to fit into a URL."""
    if sort is None or isinstance(sort.key, sa.Column | None) or not isinstance(sort.key.type, sa.String):
        return sort
    return Sort(sa.func.substr(sort.key, 1, LONGEST_KEY, type_=sa.Text()), sort.descending)


def _rows(
    account_id: str,
    endpoint: Endpoint,
    condition: Condition | None,
    key: sa.ColumnElement[Any] | None,
    stretch: Stretch,
    limit: int,
) -> sa.Select[Any]:
    columns = columns_sent(endpoint, dialect())
    if key is not None:  # as the driver gives it: no type of SQLAlchemy may round what is compared again
        columns.append(sa.type_coerce(key, sa.types.NullType()).label("sort_key"))
    where = [map_of(endpoint).of_account(account_id), *stretch.where]
    if condition is not None:
        where.append(condition)
    return sa.select(*columns).where(*where).order_by(*stretch.order).limit(limit)


def _stretches(endpoint: Endpoint, sort: Sort | None, after: Position | None) -> Iterator[Stretch]:
    """Give the stretches from a position on: missing values come last, or first in descending order (A-25)."""
    key = sort.key if sort else None
    ties = _ties(endpoint, key)
    if sort is None or key is None:
        yield Stretch(_beyond(ties, after), ties)
        return
    is_lacking = after is not None and after.key is None
    lacking = Stretch((key.is_(None), *_beyond(ties, after if is_lacking else None)), ties)
    ordered = key.desc() if sort.descending else key.asc()
    present = (key.is_not(None),) if sort.has_gaps else ()
    having = Stretch((*present, *_beyond_key(sort, ties, None if is_lacking else after)), (ordered, *ties))
    if sort.has_gaps and sort.descending and (after is None or is_lacking):
        yield lacking
    if sort.descending or not is_lacking:
        yield having
    if sort.has_gaps and not sort.descending:
        yield lacking


def _ties(endpoint: Endpoint, key: sa.ColumnElement[Any] | None) -> tuple[sa.Column[Any], ...]:
    return tuple(column for column in map_of(endpoint).order if column is not key)


def _beyond(ties: Sequence[sa.Column[Any]], after: Position | None) -> tuple[Condition, ...]:
    """Return what holds of what comes later among equals: one comparison of rows, which an index answers."""
    if after is None:
        return ()
    passed = [sa.literal(value, column.type) for column, value in zip(ties, after.ties, strict=True)]
    return (_later(ties, passed),)


def _later(ties: Sequence[sa.Column[Any]], passed: Sequence[sa.ColumnElement[Any]]) -> Condition:
    return sa.tuple_(*ties) > sa.tuple_(*passed) if len(ties) > 1 else ties[0] > passed[0]


def _beyond_key(sort: Sort, ties: Sequence[sa.Column[Any]], after: Position | None) -> tuple[Condition, ...]:
    """Return what holds of what comes later by key; its first term is the range that an index answers."""
    if after is None or after.key is None or sort.key is None:
        return ()
    passed = sa.literal(after.key, sa.Numeric()) if isinstance(after.key, Decimal) else bound(after.key)
    reached, later = (
        (sort.key <= passed, sort.key < passed) if sort.descending else (sort.key >= passed, sort.key > passed)
    )
    return reached, sa.or_(later, *_beyond(ties, after))


def _position(row: Any, key: sa.ColumnElement[Any] | None, ties: Sequence[sa.Column[Any]]) -> Position:
    return Position(None if key is None else row.sort_key, tuple(getattr(row, column.key) for column in ties))
