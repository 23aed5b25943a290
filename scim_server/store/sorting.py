"""``sortBy`` as ORDER BY (RFC 7644 section 3.4.2.3)."""

from typing import Any

import sqlalchemy as sa
from scim2_models import InvalidValueException

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.store.dialects import DIALECTS
from scim_server.store.places import Place, names_kept
from scim_server.store.terms import attribute_named, is_hidden, shown, value_of

Order = list[sa.ColumnElement[Any]]


def order(endpoint: Endpoint, sort_by: str, descending: bool, account_id: str, dialect: str) -> Order:
    """Return the ORDER BY of a sort: missing values last, or first when descending (A-25), ties by (created, id)."""
    place = Place(endpoint, account_id, DIALECTS[dialect])
    attribute = sorted_attribute(endpoint, sort_by)
    if not place.knows(attribute):
        raise InvalidValueException(
            detail=f"sortBy: {endpoint.name} cannot be sorted by {shown(attribute)}, only by {names_kept(endpoint)}"
        )
    head = place.list_of(attribute)
    key = place.elements(head).first(attribute) if head else place.value(attribute).key
    ties = place.map.order
    if key is None:  # the same for all resources
        return [*ties]
    return [_directed(key, descending), *(column for column in ties if column is not key)]


def sorted_attribute(endpoint: Endpoint, sort_by: str) -> Attribute:
    """Return the attribute that ``sortBy`` names, of a complex one its value; raises invalidValue."""
    found = attribute_named(endpoint, sort_by)
    if found is None:
        raise InvalidValueException(
            detail=f"sortBy: {endpoint.name} has no attribute {ascii(sort_by[:200])}; see /Schemas"
        )
    if is_hidden(endpoint, found):
        raise InvalidValueException(detail=f"sortBy: {shown(found)} is never shown, so that no order may tell of it")
    if (compared := value_of(found)) is None:
        raise InvalidValueException(
            detail=f"sortBy: {shown(found)} is complex; name one of its sub-attributes, such as "
            f"{shown(next(iter(found.sub_attributes.values())))}"
        )
    return compared


def _directed(key: sa.ColumnElement[Any], descending: bool) -> sa.ColumnElement[Any]:
    ordered = key.desc() if descending else key.asc()
    if isinstance(key, sa.Column) and not key.nullable:
        return ordered
    return ordered.nulls_first() if descending else ordered.nulls_last()  # SQLite's own order is the other one
