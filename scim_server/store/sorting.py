"""``sortBy`` as ORDER BY (RFC 7644 section 3.4.2.3)."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from scim2_models import InvalidValueException

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.store.dialects import DIALECTS
from scim_server.store.mapping import map_of
from scim_server.store.places import Place, names_kept
from scim_server.store.terms import attribute_named, is_hidden, shown, value_of

Order = list[sa.ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Sort:
    """An order by the value of an attribute."""

    key: sa.ColumnElement[Any] | None
    """What is compared; None when all resources have the same."""
    descending: bool

    @property
    def has_gaps(self) -> bool:
        """Whether a resource can lack the value."""
        return not isinstance(self.key, sa.Column) or bool(self.key.nullable)


def sort(endpoint: Endpoint, sort_by: str, descending: bool, account_id: str, dialect: str) -> Sort:
    """Return what ``sortBy`` asks for; raises invalidValue where it names nothing that can be compared."""
    place = Place(endpoint, account_id, DIALECTS[dialect])
    attribute = sorted_attribute(endpoint, sort_by)
    if not place.knows(attribute):
        raise InvalidValueException(
            detail=f"sortBy: {endpoint.name} cannot be sorted by {shown(attribute)}, only by {names_kept(endpoint)}"
        )
    return Sort(key_in(place, attribute), descending)


def key_in(place: Place, attribute: Attribute) -> sa.ColumnElement[Any] | None:
    """Return what a sort by an attribute compares: of a list the value of the primary element, else of the first."""
    head = place.list_of(attribute)
    return place.elements(head).first(attribute) if head else place.value(attribute).key


def order(endpoint: Endpoint, sort_by: str, descending: bool, account_id: str, dialect: str) -> Order:
    """Return the ORDER BY of a sort: missing values last, or first when descending (A-25), ties by (created, id)."""
    asked = sort(endpoint, sort_by, descending, account_id, dialect)
    ties = map_of(endpoint).order
    if asked.key is None:
        return [*ties]
    return [_directed(asked), *(column for column in ties if column is not asked.key)]


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


def _directed(asked: Sort) -> sa.ColumnElement[Any]:
    assert asked.key is not None
    ordered = asked.key.desc() if asked.descending else asked.key.asc()
    if not asked.has_gaps:
        return ordered
    return ordered.nulls_first() if asked.descending else ordered.nulls_last()  # SQLite's own order is the other one
