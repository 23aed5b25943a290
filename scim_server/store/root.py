"""Pages of resources of several types at once, as a search at the root finds them (RFC 7644 section 3.4.2.1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from scim2_models import InvalidValueException

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.documents import Stored
from scim_server.store.database import dialect as current_dialect
from scim_server.store.database import execute
from scim_server.store.dialects import DIALECTS, Condition, Dialect
from scim_server.store.lists import TEXTS
from scim_server.store.mapping import map_of
from scim_server.store.pages import count
from scim_server.store.places import Place
from scim_server.store.sorting import key_in, sorted_attribute
from scim_server.store.terms import attribute_named
from scim_server.store.texts import columns_sent, stored
from scim_server.store.values import Constant


@dataclass(frozen=True, slots=True)
class Part:
    """What a search asks of the resources of one type."""

    endpoint: Endpoint
    condition: Condition | None
    key: sa.ColumnElement[Any] | None = None
    """What a sort compares, NULL where the type has no such attribute; None without a sort."""


Resource = tuple[Endpoint, Stored]


def keys(
    account_id: str, endpoints: Sequence[Endpoint], sort_by: str, dialect_name: str
) -> Mapping[str, sa.ColumnElement[Any]]:
    """Return what a sort compares of each type, by the paths of the endpoints.

    Raises invalidValue for an attribute that no type has, or that is not comparable between them.
    """
    dialect = DIALECTS[dialect_name]
    having = [endpoint for endpoint in endpoints if attribute_named(endpoint, sort_by) is not None]
    if not having:
        raise InvalidValueException(
            detail=f"sortBy: no resource type has the attribute {ascii(sort_by[:200])}; see /Schemas"
        )
    sorted_by = {endpoint.path: sorted_attribute(endpoint, sort_by) for endpoint in having}
    if len({_family(attribute) for attribute in sorted_by.values()}) > 1:
        told = " and ".join(f"{sorted_by[endpoint.path].type} of {endpoint.name}" for endpoint in having)
        raise InvalidValueException(detail=f"sortBy: {sort_by[:200]} is {told}, which have no order in common")
    missing = _missing(_family(next(iter(sorted_by.values()))), dialect)
    found = {endpoint.path: _key(Place(endpoint, account_id, dialect), sorted_by[endpoint.path]) for endpoint in having}
    return {endpoint.path: missing if (key := found.get(endpoint.path)) is None else key for endpoint in endpoints}


def _family(attribute: Attribute) -> str:
    if attribute.type in TEXTS:
        return "text"
    return "boolean" if attribute.type == "boolean" else "number"


def _missing(family: str, dialect: Dialect) -> sa.ColumnElement[Any]:
    """Return the NULL of a type, in the order of the texts that it stands beside."""
    if family == "text":
        return dialect.ordered(sa.cast(sa.null(), sa.Text()))
    return sa.cast(sa.null(), sa.Boolean() if family == "boolean" else sa.Numeric())


def _key(place: Place, attribute: Attribute) -> sa.ColumnElement[Any] | None:
    """Return what a sort compares; what is the same for one type, as meta.resourceType is, parts it from others."""
    if place.list_of(attribute) is None and isinstance(value := place.value(attribute), Constant):
        return None if value.value is None else place.dialect.ordered(sa.literal(value.value, sa.Text()))
    return key_in(place, attribute)


def total(account_id: str, parts: Sequence[Part]) -> int:
    """Return how many resources of all types meet their conditions."""
    return sum(count(account_id, part.endpoint, part.condition) for part in parts)


def page(account_id: str, parts: Sequence[Part], descending: bool, offset: int, limit: int) -> list[Resource]:
    """Return one page of the resources of all types: missing values last or first (A-25), ties by (created, id)."""
    chosen = execute(_chosen(account_id, parts, descending).limit(limit).offset(offset)).all()
    found: dict[tuple[int, str], Resource] = {}
    for number, part in enumerate(parts):
        ids = [row.id for row in chosen if row.kind == number]
        for one in _stored(account_id, part.endpoint, ids) if ids else ():
            found[number, one.id] = (part.endpoint, one)
    return [found[row.kind, row.id] for row in chosen if (row.kind, row.id) in found]


def _chosen(account_id: str, parts: Sequence[Part], descending: bool) -> sa.CompoundSelect[Any]:
    """Return the ids of all types in one order."""
    selects = [_ids(account_id, number, part) for number, part in enumerate(parts)]
    order: list[sa.ColumnElement[Any]] = [sa.column("moment"), sa.column("id"), sa.column("kind")]
    if parts[0].key is not None:
        key: sa.ColumnElement[Any] = sa.column("sort_key")
        order.insert(0, key.desc().nulls_first() if descending else key.asc().nulls_last())
    return sa.union_all(*selects).order_by(*order)


def _ids(account_id: str, number: int, part: Part) -> sa.Select[Any]:
    place = map_of(part.endpoint)
    moment, identifier = place.order
    columns = [sa.literal_column(str(number), sa.Integer()).label("kind"), identifier, moment.label("moment")]
    if part.key is not None:
        columns.append(part.key.label("sort_key"))
    found = sa.select(*columns).where(place.of_account(account_id))
    return found if part.condition is None else found.where(part.condition)


def _stored(account_id: str, endpoint: Endpoint, ids: Sequence[str]) -> Iterator[Stored]:
    place = map_of(endpoint)
    columns = columns_sent(endpoint, current_dialect())
    rows = execute(sa.select(*columns).where(place.of_account(account_id), place.table.c.id.in_(ids)))
    return (stored(endpoint, row) for row in rows)
