"""Where SQL finds the value of each attribute: the map, and what no document holds because the account computes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from scim_server.protocol.catalogue import (
    ACCOUNT_GROUP,
    ACCOUNT_USER,
    EVENT_RECORD,
    GROUP,
    USER,
    USER_LOG_ENTRY,
    Attribute,
    Endpoint,
)
from scim_server.protocol.folding import fold
from scim_server.store.dialects import Condition, Dialect, Operand
from scim_server.store.lists import TEXTS, Both, Elements, Fixed, Folded, Rows
from scim_server.store.mapping import Kept, Map, map_of, micros, value_key
from scim_server.store.resource_tables import resource_value
from scim_server.store.tables import group, journal, membership, user, user_log, user_value
from scim_server.store.terms import shown
from scim_server.store.values import Constant, Elsewhere, Expression, Op, Reference, Value, Whole


@dataclass(frozen=True, slots=True)
class Place:
    """The resources of one endpoint in one account, as SQL finds them."""

    endpoint: Endpoint
    account_id: str
    dialect: Dialect

    @property
    def map(self) -> Map:
        """Where the attributes of the endpoint are kept."""
        return map_of(self.endpoint)

    def knows(self, attribute: Attribute) -> bool:
        """Whether SQL finds the value of an attribute: where no document is kept, it needs a column."""
        return self.map.has_documents or self._is_kept_elsewhere(attribute)

    def list_of(self, attribute: Attribute) -> Attribute | None:
        """Return the multi-valued attribute that ``attribute`` is or belongs to."""
        if attribute.multi_valued:
            return attribute
        parent = self.endpoint.parent(attribute)
        return parent if parent is not None and parent.multi_valued else None

    def value(self, attribute: Attribute) -> Value:
        """Return the value of a singular attribute."""
        urn = attribute.urn.lower()
        if computed := self._computed(urn):
            return computed(self, attribute)
        if attribute.is_extension:
            return Whole(self.has(attribute.urn))
        if kept := self.map.columns.get(urn):
            return self._column(attribute, kept)
        names, document = tuple(name for name, _ in self._steps(attribute)), self.map.table.c.folded
        if attribute.type == "complex":
            return Whole(self.dialect.filled(document, names))
        return Expression(self.dialect.value(document, names, attribute.type), self.dialect, attribute.type in TEXTS)

    def elements(self, attribute: Attribute) -> Elements:
        """Return the elements of a multi-valued attribute."""
        derived = self._derived(attribute.urn.lower())
        return derived(self, attribute) if derived else self.folded(attribute)

    def _computed(self, urn: str) -> "Callable[[Place, Attribute], Value] | None":
        return _COMPUTED.get(self._known_as(urn))

    def _derived(self, urn: str) -> "Callable[[Place, Attribute], Elements] | None":
        return _DERIVED.get(self._known_as(urn))

    def _known_as(self, urn: str) -> str:
        """Return the name by which an attribute is computed: what every resource has, as a group's."""
        schema = f"{self.endpoint.schema}:".lower()
        name = urn.removeprefix(schema)
        is_common = self.endpoint.is_generic and (name == "schemas" or name.partition(".")[0] == "meta")
        return f"{GROUP}:".lower() + name if is_common else urn

    def folded(self, attribute: Attribute) -> Folded:
        """Return the elements that the folded document has of a multi-valued attribute."""
        names = tuple(name for name, _ in self._steps(attribute))
        return Folded(self.map.table, names, attribute.sub_attributes.get("primary"), self.dialect)

    def looked_up(self, attribute: Attribute, op: Op, operand: Operand) -> Condition | None:
        """Return the same as testing the value, or any value of the list, where an index answers it; else None."""
        urn = attribute.urn.lower()
        if urn in self.map.indexed_values and op in (Op.eq, Op.sw) and operand != "":
            return self._by_value(urn, op, operand)
        if urn in self.map.unique_values and op is Op.eq and operand != "":
            return self._by_unique_value(urn, operand)
        if op is Op.eq and not self._is_kept_elsewhere(attribute):
            return self.dialect.holds(self.map.table.c.folded, self._part(attribute, operand))
        return None

    def has(self, schema: str) -> Condition:
        """Return whether a resource has the attributes of a schema; everyone has those of the account."""
        if schema in (self.endpoint.schema, ACCOUNT_USER, ACCOUNT_GROUP):
            return sa.true()
        return self.dialect.value(self.map.table.c.folded, (schema.lower(),), "complex").is_not(None)

    def within(self, table: sa.FromClause) -> Condition:
        """Return whether a row of ``table`` is of the account; every sub-select has this condition."""
        condition: Condition = table.c.account_id == self.account_id
        return condition

    def _by_value(self, urn: str, op: Op, operand: Operand) -> Condition:
        key = Expression(user_value.c.value_key, self.dialect)
        where = (self.within(user_value), user_value.c.path == urn, key.test(op, operand))
        return self.dialect.among(self.map.table.c.id, sa.select(user_value.c.user_id).where(*where))

    def _by_unique_value(self, urn: str, operand: Operand) -> Condition:
        """One id at most, so that the row is read by its key, and never NULL."""
        own = (resource_value.c.type == self.map.type, resource_value.c.path == urn)
        where = (self.within(resource_value), *own, resource_value.c.value_key == operand)
        owner = sa.select(resource_value.c.resource_id).where(*where).scalar_subquery()
        condition: Condition = self.map.table.c.id == func.coalesce(owner, "")
        return condition

    def _column(self, attribute: Attribute, kept: Kept) -> Value:
        if kept.kind == "word" and not attribute.case_exact:
            return Expression(func.lower(kept.column), self.dialect)
        return Expression(kept.column, self.dialect, kept.kind in ("text", "word"))

    def _is_kept_elsewhere(self, attribute: Attribute) -> bool:
        head = self.list_of(attribute) or attribute
        urns = {attribute.urn.lower(), head.urn.lower()}
        return any(self._computed(urn) or self._derived(urn) or urn in self.map.columns for urn in urns)

    def _steps(self, attribute: Attribute) -> tuple[tuple[str, bool], ...]:
        """Return the names on the way to an attribute in the folded document, and which of them are lists."""
        schema, _, name = attribute.urn.lower().rpartition(":")
        block = () if schema == self.endpoint.schema.lower() else ((schema, False),)
        head, dot, tail = name.partition(".")
        if not dot:
            return (*block, (head, attribute.multi_valued))
        parent = self.endpoint.parent(attribute)
        return (*block, (head, parent is not None and parent.multi_valued), (tail, attribute.multi_valued))

    def _part(self, attribute: Attribute, operand: Operand) -> dict[str, Any]:
        part: Any = operand
        for name, is_list in reversed(self._steps(attribute)):
            part = {name: [part] if is_list else part}
        return dict(part)


def names_kept(endpoint: Endpoint) -> str:
    """Return the names of the attributes that have a column, for a message."""
    return ", ".join(shown(endpoint.by_urn[name]) for name in map_of(endpoint).columns)


def key_of(attribute: Attribute, literal: Any) -> Any:
    """Return what a checked literal is compared as: folded, or a time in microseconds."""
    if not isinstance(literal, str):
        return literal
    return micros(literal) if attribute.type == "dateTime" else value_key(attribute, literal)


def _text(attribute: Attribute, text: str) -> Constant:
    return Constant(fold(text, attribute.case_exact))


_ALWAYS_THERE = Whole(sa.true())


def _there(place: Place, _: Attribute) -> Value:
    return _ALWAYS_THERE


def _resource_type(place: Place, attribute: Attribute) -> Value:
    return _text(attribute, place.endpoint.name)


def _version(place: Place, _: Attribute) -> Value:
    number = sa.cast(place.map.table.c.version, sa.Text())
    tag = sa.literal('W/"', sa.Text()) + number + sa.literal('"', sa.Text())
    return Expression(place.dialect.ordered(tag), place.dialect)


def _location(place: Place, _: Attribute) -> Value:
    return Reference(place.map.table.c.id, place.endpoint.path)


def _of_log(aggregate: sa.ColumnElement[Any]) -> Callable[[Place, Attribute], Value]:
    def value(place: Place, _: Attribute) -> Value:
        entries = sa.select(aggregate).where(place.within(user_log), user_log.c.user_id == user.c.id)
        return Expression(entries.correlate(user).scalar_subquery(), place.dialect, is_text=False)

    return value


def _activations_used(place: Place, _: Attribute) -> Value:
    used = sa.case((user.c.kind == "sharedMailbox", user.c.activations_used))  # persons do not have the attribute
    return Expression(used, place.dialect, is_text=False)


def _target(place: Place, _: Attribute) -> Value:
    return Whole(sa.or_(*(one.is_not(None) for one in (journal.c.target_type, journal.c.target_id))))


def _log_owner(place: Place, _: Attribute) -> Value:
    return Reference(user_log.c.user_id, "/Users")


_SEARCHED = (USER, GROUP, EVENT_RECORD, USER_LOG_ENTRY)

_COMPUTED: Mapping[str, Callable[[Place, Attribute], Value]] = {
    name.lower(): value
    for name, value in (
        *((f"{schema}:meta", _there) for schema in _SEARCHED),
        *((f"{schema}:meta.resourceType", _resource_type) for schema in _SEARCHED),
        *((f"{schema}:meta.location", _location) for schema in _SEARCHED),
        *((f"{schema}:meta.version", _version) for schema in (USER, GROUP)),
        (f"{EVENT_RECORD}:actor", _there),
        (f"{EVENT_RECORD}:target", _target),
        (f"{USER_LOG_ENTRY}:user", _there),
        (f"{USER_LOG_ENTRY}:user.$ref", _log_owner),
        (f"{ACCOUNT_USER}:logEntryCount", _of_log(func.count())),
        (f"{ACCOUNT_USER}:lastActivityAt", _of_log(func.max(user_log.c.last_activity_at))),
        (f"{ACCOUNT_USER}:activationsUsed", _activations_used),
    )
}
"""The singular attributes that are neither in a column nor in the document."""


def _schemas(place: Place, attribute: Attribute) -> Elements:
    """The schemas that a resource has now (S30)."""
    schemas = (place.endpoint.schema, *place.endpoint.extensions)
    return Fixed(tuple((place.has(schema), {"schemas": _text(attribute, schema)}) for schema in schemas))


def _groups(place: Place, attribute: Attribute) -> Elements:
    return _memberships(place, attribute, user, group, group.c.display_name_key, "direct")


def _members(place: Place, attribute: Attribute) -> Elements:
    shown = func.coalesce(user.c.display_name_key, user.c.user_name_key)
    return _memberships(place, attribute, group, user, shown, "User")


def _memberships(
    place: Place, attribute: Attribute, mine: sa.Table, other: sa.Table, display: sa.ColumnElement[Any], kind: str
) -> Elements:
    """Return the memberships of the resources of ``mine`` as references to those of ``other``."""
    owner, identifier = membership.c[f"{mine.name}_id"], membership.c[f"{other.name}_id"]

    def named(condition: Condition) -> Condition:
        return place.dialect.among(identifier, sa.select(other.c.id).where(place.within(other), condition))

    key = sa.select(display).where(place.within(other), other.c.id == identifier).correlate(membership)
    values: dict[str, Value] = {
        attribute.name.lower(): _ALWAYS_THERE,
        "value": Expression(identifier, place.dialect),
        "$ref": Reference(identifier, f"/{other.name.capitalize()}s"),
        "type": _text(attribute.sub_attributes["type"], kind),
        "display": Elsewhere(Expression(display, place.dialect), named, key.scalar_subquery()),
    }
    return Rows(place.dialect, mine.c.id, owner, place.within(membership), values, identifier)


def _entitlements(place: Place, attribute: Attribute) -> Elements:
    """The account's licence is one of the entitlements that are sent, but not in the document."""
    licence = Expression(func.lower(user.c.licence_type), place.dialect)
    kind = _text(attribute.sub_attributes["type"], "license")
    values: dict[str, Value] = {"entitlements": _ALWAYS_THERE, "value": licence, "display": licence, "type": kind}
    return Both(place.folded(attribute), Fixed(((user.c.licence_type.is_not(None), values),)))


_DERIVED: Mapping[str, Callable[[Place, Attribute], Elements]] = {
    **{f"{schema}:schemas".lower(): _schemas for schema in _SEARCHED},
    f"{USER}:groups".lower(): _groups,
    f"{GROUP}:members".lower(): _members,
    f"{USER}:entitlements".lower(): _entitlements,
}
"""The multi-valued attributes that are not, or not alone, in the document."""
