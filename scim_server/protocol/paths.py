"""Attribute paths of a PATCH, parsed and bound to what they name (RFC 7644 sections 3.5.2 and 3.10)."""

from collections.abc import Iterator
from typing import Any

from scim2_models import InvalidPathException, Path
from scim2_models.path import Comparison, FilterNode, LogicalExpr, Not

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.intake import Notes, Tolerance, read_value

MAX_PATH = 8 * 1024
"""Characters of a path; what a longer one selects belongs into several operations."""


def parsed_path(endpoint: Endpoint, text: str) -> Path[Any]:
    """Return a path as it was read; raises invalidPath."""
    if len(text) > MAX_PATH:
        raise InvalidPathException(detail=f"a path has {len(text)} characters; at most {MAX_PATH} are accepted")
    try:
        parsed: Path[Any] = Path.__class_getitem__(endpoint.model)(text)
        if parsed.model is None:
            parsed.resolve()
    except InvalidPathException as error:
        raise InvalidPathException(detail=f"path '{text[:200]}' is malformed: {error}") from error
    return parsed


def target_of(endpoint: Endpoint, text: str, tolerance: Tolerance) -> tuple[Attribute, bool]:
    """Return what a path ends at, and whether it selects elements of a list without naming a sub-attribute."""
    if (named := endpoint.named(text)) is not None:  # nearly all paths, and parsed once for all requests
        return named, False
    parsed = parsed_path(endpoint, text)
    attribute = endpoint.bound(parsed)
    if attribute is None:
        raise InvalidPathException(detail=f"path '{text[:200]}' names no attribute of {endpoint.name}; see /Schemas")
    if parsed.value_filter is None:
        return attribute, False
    selected = attribute if attribute.sub_attributes else endpoint.parent(attribute) or attribute
    _check_literals(selected, parsed.value_filter, tolerance)
    return attribute, attribute is selected


def _check_literals(selected: Attribute, node: FilterNode, tolerance: Tolerance) -> None:
    """Refuse the literals that no value may have: a filter without a match is made into an element (A-05)."""
    for term in _comparisons(node):
        attribute = selected.sub_attributes.get(term.attr_path.attr.lower())
        if attribute is not None and isinstance(term.value, str):
            read_value(attribute, term.value, tolerance, Notes(), f"{selected.name}.")


def _comparisons(node: FilterNode) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
    elif isinstance(node, Not):
        yield from _comparisons(node.expr)
    elif isinstance(node, LogicalExpr):
        for term in node.terms:
            yield from _comparisons(term)
