"""The use cases that read: stored text goes out, no model is built."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from scim2_models import InvalidValueException, NotFoundException

from scim_server.account.refusals import Refused
from scim_server.protocol.catalogue import ACCOUNT_USER, Endpoint
from scim_server.protocol.documents import Projection, Stored, cursor_page, instant, page, projection, represented
from scim_server.protocol.searches import Search, paging
from scim_server.provisioning import cursors, listed, statistics
from scim_server.provisioning.caller import Caller, Service
from scim_server.provisioning.groups import not_found
from scim_server.store import filters, memberships, pages, resources, sorting, user_logs, walks

STATISTICS = "/UserStatistics"


def read(service: Service, caller: Caller, endpoint: Endpoint, identifier: str, chosen: Projection) -> Stored:
    """Return one resource; raises 404 when the account has none of this id."""
    if endpoint.path in listed.LISTS:
        stored = listed.fetch(caller, endpoint, identifier)
    elif endpoint.path == STATISTICS:
        stored = statistics.fetch(caller, identifier)
    else:
        stored = resources.fetch(caller.account_id, endpoint, identifier)
    if stored is None:
        raise missing(endpoint, identifier)
    return complete(service, caller, endpoint, [stored], chosen)[0]


def missing(endpoint: Endpoint, identifier: str) -> NotFoundException | Refused:
    """Return the error for an id that no resource of the account has."""
    if endpoint.path == "/Users":
        return Refused("R22", "E23", id=identifier[:100])
    if endpoint.path == "/Groups":
        return not_found(identifier)
    return NotFoundException(detail=f"{endpoint.name} '{identifier[:100]}' not found. See the list: {endpoint.path}.")


def search(service: Service, caller: Caller, endpoint: Endpoint, asked: Search) -> str:
    """Return one page of a search as the JSON text of a ListResponse (RFC 7644 section 3.4.2)."""
    chosen = projection(endpoint, asked.attributes, asked.excluded)
    asked = paging(asked, service.limits.page, service.limits.default_page)
    if asked.filter is not None:
        asked = replace(asked, filter=caller.profile.rewrite_filter(endpoint, asked.filter))
    found = _found(service, caller, endpoint, asked, chosen)
    shown = complete(service, caller, endpoint, found.resources, chosen)
    texts = [represented(endpoint, stored, service.base_url, chosen) for stored in shown]
    if asked.cursor is not None:
        return cursor_page(texts, found.total, found.next_cursor)
    return page(texts, found.total, asked.start_index)


def _found(service: Service, caller: Caller, endpoint: Endpoint, asked: Search, chosen: Projection) -> pages.Found:
    if asked.cursor is not None and endpoint.path in (*listed.LISTS, STATISTICS):
        raise InvalidValueException(detail=f"cursor: {endpoint.path} is paged by startIndex and count alone")
    if endpoint.path in listed.LISTS:
        return listed.search(service, caller, endpoint, asked, chosen)
    if endpoint.path == STATISTICS:
        return statistics.search(service, caller, endpoint, asked)
    return _found_in_rows(service, caller, endpoint, asked)


def _found_in_rows(service: Service, caller: Caller, endpoint: Endpoint, asked: Search) -> pages.Found:
    offset, limit = asked.start_index - 1, asked.count or 0
    if asked.cursor is not None:
        return _found_by_walking(service, caller, endpoint, asked)
    lookup = filters.lookup(endpoint, asked.filter, service.limits.filter) if asked.filter is not None else None
    if asked.sort_by is None and (lookup or asked.filter is None):
        return pages.look_up(caller.account_id, endpoint, lookup, offset, limit)
    condition = _condition(service, caller, endpoint, asked)
    order: Sequence[Any] = ()
    if asked.sort_by is not None:
        dialect = service.database.dialect
        order = sorting.order(endpoint, asked.sort_by, asked.descending, caller.account_id, dialect)
    return pages.search(caller.account_id, endpoint, condition, order, offset, limit)


def _found_by_walking(service: Service, caller: Caller, endpoint: Endpoint, asked: Search) -> pages.Found:
    """Go on with a walk from its cursor (RFC 9865)."""
    condition, sort = _condition(service, caller, endpoint, asked), None
    if asked.sort_by is not None:
        dialect = service.database.dialect
        sort = sorting.sort(endpoint, asked.sort_by, asked.descending, caller.account_id, dialect)
    after = cursors.unseal(caller, endpoint, asked)
    walked = walks.walk(caller.account_id, endpoint, condition, sort, after, asked.count or 0)
    following = cursors.seal(caller, endpoint, asked, walked.last) if walked.last else None
    return pages.Found(walked.resources, walked.total, following)


def _condition(service: Service, caller: Caller, endpoint: Endpoint, asked: Search) -> sa.ColumnElement[bool] | None:
    if asked.filter is None:
        return None
    parsed = filters.parse_filter(endpoint, asked.filter, limits=service.limits.filter)
    return filters.condition(endpoint, parsed, caller.account_id, service.database.dialect)


def complete(
    service: Service, caller: Caller, endpoint: Endpoint, found: Sequence[Stored], chosen: Projection
) -> list[Stored]:
    """Return resources with what the client wants to see beside the document: a group's members, a user's logs."""
    if not found or not is_partial(endpoint, chosen):
        return list(found)
    if endpoint.path == "/Users":
        logs = user_logs.counts(caller.account_id, [stored.id for stored in found])
        return [stored._replace(extra=_told(logs[stored.id])) for stored in found]
    display = chosen.wants(endpoint.attributes["members"].sub_attributes["display"])
    base = f"{service.base_url}/Users/"
    members = memberships.texts(caller.account_id, [stored.id for stored in found], base, display)
    return [stored._replace(members=members[stored.id]) for stored in found]


def is_partial(endpoint: Endpoint, chosen: Projection) -> bool:
    """Whether the client wants to see what a stored resource does not hold and another statement has to fetch."""
    if endpoint.path == "/Groups":
        return chosen.wants(endpoint.attributes["members"])
    if endpoint.path != "/Users":
        return False
    extension = endpoint.attributes[ACCOUNT_USER.lower()].sub_attributes
    return any(chosen.wants(extension[name]) for name in ("logentrycount", "lastactivityat"))


def _told(log: user_logs.LogCount) -> dict[str, Any]:
    last = {} if log.last_activity is None else {"lastActivityAt": instant(log.last_activity)}
    return {"logEntryCount": log.entries, **last}
