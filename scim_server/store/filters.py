"""SCIM filters as SQL conditions (RFC 7644 section 3.4.2.2): `parse_filter`, then `condition`."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttrPath,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.store.dialects import DIALECTS, Condition
from scim_server.store.lists import Element
from scim_server.store.mapping import map_of
from scim_server.store.pages import Lookup
from scim_server.store.places import Place, key_of, names_kept
from scim_server.store.terms import attribute_named, checked, is_hidden, path_of, shown, value_of
from scim_server.store.values import Op, Value

MAX_BRACKETS = 64
MAX_DEPTH = 16
"""Nested expressions. SQLite's parser gives up at some thirty, the statement around the filter included."""


@dataclass(frozen=True, slots=True)
class FilterLimits:
    """How long a filter may be."""

    bytes: int = 8192
    terms: int = 200


def parse_filter(
    endpoint: Endpoint, text: str, *, strict: bool = True, limits: FilterLimits = FilterLimits()
) -> ScimFilter[Any]:
    """Return the filter with every name fully qualified and every literal checked; raises invalidFilter.

    Length and size are limited here, as the library reads anything (S33).
    Without ``strict`` an attribute that the endpoint does not know has no value: a search at the root asks all
    resource types at once (A-19).
    """
    if len(text.encode(errors="surrogatepass")) > limits.bytes:
        raise InvalidFilterException(detail=f"the filter is longer than {limits.bytes} bytes; ask in several requests")
    if _brackets(text) > MAX_BRACKETS:
        raise _too_deep()
    try:
        asked = ScimFilter[Any](text).ast
    except RecursionError:
        raise _too_deep() from None
    terms, depth = _size(asked)
    if terms > limits.terms:
        raise InvalidFilterException(
            detail=f"the filter has {terms} terms; at most {limits.terms} are accepted, ask in several requests"
        )
    if depth > MAX_DEPTH:
        raise _too_deep()
    bound: type[ScimFilter[Any]] = ScimFilter.__class_getitem__(endpoint.model)
    return bound(_Reader(endpoint, strict).visit(asked))


def lookup(endpoint: Endpoint, text: str, limits: FilterLimits = FilterLimits()) -> Lookup | None:
    """Return a filter that asks for one text in one column, as IdPs do all day; None when it asks for anything else.

    Only the string literals are taken out of the text; what is around them is parsed once for all of them.
    """
    literals = _LITERAL.findall(text)
    if len(literals) != 1 or len(text) > limits.bytes:
        return None
    attribute = _looked_up(endpoint, _LITERAL.sub('""', text))
    if attribute is None:
        return None
    try:
        value = orjson.loads(literals[0])
    except orjson.JSONDecodeError:
        return None
    kept = map_of(endpoint).columns[attribute.urn.lower()]
    return Lookup(kept.column, key_of(attribute, checked(attribute, Op.eq, value)))


@lru_cache(maxsize=1024)
def _looked_up(endpoint: Endpoint, shape: str) -> Attribute | None:
    try:
        node = parse_filter(endpoint, shape).ast
    except InvalidFilterException:
        return None
    if not isinstance(node, Comparison) or node.op is not Op.eq or node.value != "":
        return None
    kept = map_of(endpoint).columns.get(str(node.attr_path).lower())
    return endpoint.by_urn[str(node.attr_path).lower()] if kept and kept.kind == "text" else None


_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


def condition(endpoint: Endpoint, scim_filter: ScimFilter[Any], account_id: str, dialect: str) -> Condition:
    """Return a parsed filter as a condition on the endpoint's table, to be joined to the one on the account by AND.

    It is never NULL, and every sub-select in it is kept within the account.
    """
    terms, _ = _size(scim_filter.ast)
    return _OfResources(Place(endpoint, account_id, DIALECTS[dialect].for_terms(terms))).visit(scim_filter.ast)


def _brackets(text: str) -> int:
    """Return how deep the brackets of a filter nest; those around one expression alone do not count as nesting."""
    depth = most = 0
    for bracket in re.findall(r"[()\[\]]", _LITERAL.sub("", text)):
        depth += 1 if bracket in "([" else -1
        most = max(most, depth)
    return most


def _too_deep() -> InvalidFilterException:
    return InvalidFilterException(detail=f"the filter nests more than {MAX_DEPTH} expressions; write it flatter")


def _size(node: FilterNode) -> tuple[int, int]:
    """Return how many terms a filter has, and how deep its expressions nest."""
    if isinstance(node, LogicalExpr):
        sizes = [_size(term) for term in node.terms]
        return sum(terms for terms, _ in sizes), 1 + max(depth for _, depth in sizes)
    if isinstance(node, Not | ValuePath):
        terms, depth = _size(node.expr if isinstance(node, Not) else node.val_filter)
        return terms, depth + 1
    return 1, 0


class _Reader(FilterVisitor[FilterNode]):
    """Reads the filter of a resource, or of one element of the list ``of``."""

    def __init__(self, endpoint: Endpoint, strict: bool, of: Attribute | None = None) -> None:
        self.endpoint, self.strict, self.of = endpoint, strict, of

    def visit_comparison(self, node: Comparison) -> FilterNode:
        if (attribute := self._attribute(node.attr_path)) is None:
            return self._always((node.op is Op.eq) == (node.value is None) and node.op in (Op.eq, Op.ne))
        if (compared := value_of(attribute)) is None:
            raise InvalidFilterException(
                detail=f"{shown(attribute)} is complex: compare one of its sub-attributes, such as "
                f"{shown(next(iter(attribute.sub_attributes.values())))}"
            )
        return Comparison(self._path(compared), node.op, checked(compared, node.op, node.value))

    def visit_present(self, node: Present) -> FilterNode:
        attribute = self._attribute(node.attr_path)
        return self._always(False) if attribute is None else Present(self._path(attribute))

    def visit_not(self, node: Not) -> FilterNode:
        return Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> FilterNode:
        return LogicalExpr(node.op, tuple(self.visit(term) for term in node.terms))

    def visit_value_path(self, node: ValuePath) -> FilterNode:
        if (attribute := self._attribute(node.attr_path)) is None:
            return self._always(False)
        if not attribute.multi_valued:
            raise InvalidFilterException(
                detail=f"{shown(attribute)} has one value, so that [ ] has nothing to choose from; use and"
            )
        return ValuePath(self._path(attribute), _Reader(self.endpoint, True, attribute).visit(node.val_filter))

    def _attribute(self, path: AttrPath) -> Attribute | None:
        found = self._element_attribute(path) if self.of else attribute_named(self.endpoint, str(path))
        if found is None and self.strict:
            where = f"{shown(self.of)} has no sub-attribute" if self.of else f"{self.endpoint.name} has no attribute"
            raise InvalidFilterException(detail=f"{where} '{str(path)[:200]}'; see /Schemas")
        if found and is_hidden(self.endpoint, found):
            raise InvalidFilterException(detail=f"{shown(found)} is never shown, so that no filter may ask for it")
        return found

    def _element_attribute(self, path: AttrPath) -> Attribute | None:
        assert self.of is not None
        name = str(path).lower()
        if not self.of.sub_attributes:
            return self.of if name == "value" else None
        return self.of.sub_attributes.get(name)

    def _path(self, attribute: Attribute) -> AttrPath:
        if self.of is None:
            return path_of(attribute)
        return AttrPath("value" if attribute is self.of else attribute.name)

    def _always(self, holds: bool) -> FilterNode:
        identified = Present(path_of(self.endpoint.attributes["id"]))
        return identified if holds else Not(identified)


class _Conditions(FilterVisitor[Condition], ABC):
    def visit_not(self, node: Not) -> Condition:
        return sa.not_(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        joined = sa.and_ if node.op is LogicalOperator.and_ else sa.or_
        return joined(*(self.visit(term) for term in node.terms))

    def visit_comparison(self, node: Comparison) -> Condition:
        if node.op is Op.ne:  # never SQL's own <>, which loses what is NULL, or finds a list by its other values
            return sa.not_(self.visit_comparison(Comparison(node.attr_path, Op.eq, node.value)))
        return self.compared(node)

    @abstractmethod
    def compared(self, node: Comparison) -> Condition:
        """Return the condition of a comparison that is none with ne."""


class _OfResources(_Conditions):
    """Turns the filter of a resource into a condition on its row."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def compared(self, node: Comparison) -> Condition:
        attribute, place = self._attribute(node.attr_path), self.place
        operand = key_of(attribute, node.value)
        if operand is not None and (found := place.looked_up(attribute, node.op, operand)) is not None:
            return found
        if (head := place.list_of(attribute)) is None:
            return _tested(place.value(attribute), node.op, operand)
        elements = place.elements(head)
        some = elements.any(lambda element: _tested(element(attribute), node.op, operand))
        return some if operand is not None else sa.or_(some, sa.not_(elements.any(lambda _: sa.true())))

    def visit_present(self, node: Present) -> Condition:
        attribute = self._attribute(node.attr_path)
        if head := self.place.list_of(attribute):
            return self.place.elements(head).any(lambda element: element(attribute).present())
        return self.place.value(attribute).present()

    def visit_value_path(self, node: ValuePath) -> Condition:
        attribute = self._attribute(node.attr_path)
        elements, inner = self.place.elements(attribute), node.val_filter
        chosen = elements.any(lambda element: _OfElements(attribute, element).visit(inner))
        return sa.and_(*self._necessary(attribute, inner), chosen)

    def _attribute(self, path: AttrPath) -> Attribute:
        attribute = self.place.endpoint.by_urn[str(path).lower()]
        if not self.place.knows(attribute):
            raise InvalidFilterException(
                detail=f"{shown(attribute)} cannot be filtered by; {self.place.endpoint.name} can be filtered by "
                + names_kept(self.place.endpoint)
            )
        return attribute

    def _necessary(self, attribute: Attribute, node: FilterNode) -> list[Condition]:
        """Return what every match fulfils and an index answers, so that only few elements have to be looked at."""
        joined = isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_
        terms = node.terms if joined and isinstance(node, LogicalExpr) else (node,)
        compared = [term for term in terms if isinstance(term, Comparison) and term.value is not None]
        found = (self._looked_up(_sub_attribute(attribute, term.attr_path), term) for term in compared)
        return [one for one in found if one is not None]

    def _looked_up(self, attribute: Attribute, node: Comparison) -> Condition | None:
        return self.place.looked_up(attribute, node.op, key_of(attribute, node.value))


class _OfElements(_Conditions):
    """Turns the filter between brackets into a condition on one element of a list."""

    def __init__(self, attribute: Attribute, element: Element) -> None:
        self.attribute, self.element = attribute, element

    def compared(self, node: Comparison) -> Condition:
        attribute = _sub_attribute(self.attribute, node.attr_path)
        return _tested(self.element(attribute), node.op, key_of(attribute, node.value))

    def visit_present(self, node: Present) -> Condition:
        return self.element(_sub_attribute(self.attribute, node.attr_path)).present()


def _sub_attribute(attribute: Attribute, path: AttrPath) -> Attribute:
    return attribute.sub_attributes[path.attr.lower()] if attribute.sub_attributes else attribute


def _tested(value: Value, op: Op, operand: Any) -> Condition:
    return value.missing() if operand is None else value.test(op, operand)
