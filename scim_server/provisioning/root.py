"""Searches at the root: over all resource types that clients write (RFC 7644 section 3.4.2.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from scim2_models import InvalidValueException, TooManyException

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.documents import Projection, page, projection, represented
from scim_server.protocol.searches import Search, paging
from scim_server.provisioning.caller import Caller, Service
from scim_server.provisioning.reading import complete
from scim_server.store import filters, root
from scim_server.store.root import Part, Resource


def search(service: Service, caller: Caller, asked: Search) -> str:
    """Return one page of a search over all types as the JSON text of a ListResponse."""
    if asked.cursor is not None:
        raise InvalidValueException(
            detail="cursor: a search at the root is paged by startIndex and count; walk /Users, /Groups ... one by one"
        )
    asked = paging(asked, service.limits.page, service.limits.default_page)
    endpoints = [one for one in service.catalogue.endpoints.values() if not one.is_read_only]
    chosen = {one.path: projection(one, asked.attributes, asked.excluded) for one in endpoints}
    parts = _parts(service, caller, endpoints, asked)
    total = root.total(caller.account_id, parts)
    if asked.filter is None and total > service.limits.page:
        raise TooManyException(
            detail=f"the account has {total} resources, and a search at the root without a filter tells of at most "
            f"{service.limits.page}; send a filter, or list one resource type"
        )
    found: Sequence[Resource] = ()
    if asked.count and total:
        found = root.page(caller.account_id, parts, asked.descending, asked.start_index - 1, asked.count)
    return page(_texts(service, caller, found, chosen), total, asked.start_index)


def _parts(service: Service, caller: Caller, endpoints: Sequence[Endpoint], asked: Search) -> list[Part]:
    """Read the query for each type; an attribute that a type does not know has no value there (A-19)."""
    dialect = service.database.dialect
    keys: Mapping[str, sa.ColumnElement[Any]] = {}
    if asked.sort_by is not None:
        keys = root.keys(caller.account_id, endpoints, asked.sort_by, dialect)
    parts = []
    for endpoint in endpoints:
        condition = None
        if asked.filter is not None:
            parsed = filters.parse_filter(endpoint, asked.filter, strict=False, limits=service.limits.filter)
            condition = filters.condition(endpoint, parsed, caller.account_id, dialect)
        parts.append(Part(endpoint, condition, keys.get(endpoint.path)))
    return parts


def _texts(service: Service, caller: Caller, found: Sequence[Resource], chosen: Mapping[str, Projection]) -> list[str]:
    """Return the representations in their order, what is fetched besides being fetched once per type."""
    whole: dict[tuple[str, str], str] = {}
    for endpoint in dict.fromkeys(endpoint for endpoint, _ in found):
        wanted = chosen[endpoint.path]
        of_type = [stored for one, stored in found if one is endpoint]
        for stored in complete(service, caller, endpoint, of_type, wanted):
            whole[endpoint.path, stored.id] = represented(endpoint, stored, service.base_url, wanted)
    return [whole[endpoint.path, stored.id] for endpoint, stored in found]
