"""Queries on lists, from a URL or from the body of a ``.search`` (RFC 7644 sections 3.4.2, 3.4.3; RFC 9865)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from scim2_models import InvalidCountException, InvalidSyntaxException, InvalidValueException

from scim_server.protocol.intake import Tolerance

SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@dataclass(frozen=True, slots=True)
class Search:
    """A query on a list, from the URL or from a ``.search`` body (RFC 7644 section 3.4.2)."""

    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start_index: int = 1
    count: int | None = None
    cursor: str | None = None
    """Where a walk goes on; empty at its beginning, None for a page by index (RFC 9865)."""
    attributes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


def read_query(parameters: Mapping[str, str]) -> Search:
    """Read the query of a URL; raises invalidValue for a number or an order that is none."""
    cursor = parameters.get("cursor")
    _check_paging(cursor, parameters, "startIndex")
    return Search(
        filter=parameters.get("filter"),
        sort_by=parameters.get("sortBy") or None,
        descending=_descending(parameters.get("sortOrder")),
        start_index=_number("startIndex", parameters.get("startIndex"), default=1, least=1),
        count=_number("count", parameters["count"], default=0, least=0) if "count" in parameters else None,
        cursor=cursor,
        attributes=_names(parameters.get("attributes")),
        excluded=_names(parameters.get("excludedAttributes")),
    )


def read_search(body: Any, tolerance: Tolerance) -> Search:
    """Read a ``.search`` body; its member names are case-insensitive as all attribute names are (SEA-08)."""
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="the body must be one JSON object")
    members = {name.lower(): value for name, value in body.items()}
    _check_search_schemas(members.get("schemas"), tolerance)
    cursor = _text("cursor", members)
    _check_paging(cursor, {name: str(value) for name, value in members.items() if value is not None}, "startindex")
    return Search(
        filter=_text("filter", members),
        sort_by=_text("sortBy", members),
        descending=_descending(_text("sortOrder", members)),
        start_index=_whole("startIndex", members, default=1, least=1),
        count=_whole("count", members, default=0, least=0) if members.get("count") is not None else None,
        cursor=cursor,
        attributes=_texts("attributes", members),
        excluded=_texts("excludedAttributes", members),
    )


def _check_search_schemas(given: Any, tolerance: Tolerance) -> None:
    """Refuse a search that does not say that it is one; clients are forgiven whatever else they say (A-13)."""
    if given is None and tolerance.missing_schemas:
        return
    is_list = isinstance(given, list) and given and all(isinstance(urn, str) for urn in given)
    if not is_list or not (tolerance.missing_schemas or SEARCH_REQUEST in given):
        raise InvalidSyntaxException(detail=f'schemas must be ["{SEARCH_REQUEST}"] in a search')


def paging(search: Search, most: int, default: int) -> Search:
    """Return the search with its page size settled: at most ``most``, and ``default`` when none is asked (LST-13)."""
    return replace(search, count=default if search.count is None else min(search.count, most))


def _check_paging(cursor: str | None, given: Mapping[str, str], start_index: str) -> None:
    """Judge what is sent beside a cursor: no startIndex (CUR-07), and no count but a number that is not negative."""
    if cursor is None:
        return
    if start_index in given:
        raise InvalidValueException(detail="cursor and startIndex exclude each other; send one of them")
    count = given.get("count", "0")
    if not _INTEGER.fullmatch(count) or int(count) < 0:
        raise InvalidCountException(detail=f"count: '{count[:40]}' is not an integer of 0 or more")


def _number(name: str, text: str | None, *, default: int, least: int) -> int:
    if text is None:
        return default
    if not _INTEGER.fullmatch(text):
        raise InvalidValueException(detail=f"{name}: '{text[:40]}' is not an integer")
    return min(max(least, int(text)), _HUGE)


_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")
_HUGE = 2**31
"""More than any account has; a larger startIndex or count means the same."""


def _descending(order: str | None) -> bool:
    if order is not None and order.lower() not in ("ascending", "descending"):
        raise InvalidValueException(detail=f"sortOrder: '{order[:40]}' is neither ascending nor descending")
    return order is not None and order.lower() == "descending"


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())[:100] if text else ()


def _text(name: str, members: Mapping[str, Any]) -> str | None:
    value = members.get(name.lower())
    if value is not None and not isinstance(value, str):
        raise InvalidSyntaxException(detail=f"{name} must be a string")
    return value


def _whole(name: str, members: Mapping[str, Any], *, default: int, least: int) -> int:
    value = members.get(name.lower())
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueException(detail=f"{name} must be an integer")
    return min(max(least, value), _HUGE)


def _texts(name: str, members: Mapping[str, Any]) -> tuple[str, ...]:
    value = members.get(name.lower())
    if isinstance(value, str):
        return _names(value)
    if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise InvalidSyntaxException(detail=f"{name} must be an array of attribute names")
    return tuple(value or ())[:100]
