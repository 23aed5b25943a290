"""Filters and sorts on resources that are computed and not stored, with the same meaning as those in SQL."""

from collections.abc import Sequence
from typing import Any

import orjson

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.documents import Stored, resource_text
from scim_server.protocol.folding import TOLERANT
from scim_server.provisioning.caller import Service
from scim_server.store.filters import parse_filter
from scim_server.store.places import key_of
from scim_server.store.sorting import sorted_attribute


def matching(service: Service, endpoint: Endpoint, found: Sequence[Stored], text: str) -> list[Stored]:
    """Return those of the resources that a filter finds, by the library's own judgement; they are few."""
    scim_filter = parse_filter(endpoint, text, limits=service.limits.filter)
    models = [endpoint.model.model_validate_json(resource_text(endpoint, one, service.base_url)) for one in found]
    with TOLERANT:
        return [one for one, model in zip(found, models, strict=True) if scim_filter.match(model)]


def ordered(endpoint: Endpoint, found: Sequence[Stored], sort_by: str, descending: bool, base_url: str) -> list[Stored]:
    """Return the resources sorted: missing values last, or first when descending (A-25), ties in the given order."""
    attribute = sorted_attribute(endpoint, sort_by)
    keys = {one.id: _key(endpoint, attribute, orjson.loads(resource_text(endpoint, one, base_url))) for one in found}
    lacking = [one for one in found if keys[one.id] is None]
    having = sorted(
        (one for one in found if keys[one.id] is not None), key=lambda one: keys[one.id], reverse=descending
    )
    return [*lacking, *having] if descending else [*having, *lacking]


def _key(endpoint: Endpoint, attribute: Attribute, document: Any) -> Any:
    """Return what a sort compares: of a list the value of the primary element, else of the first."""
    value = document
    for name in attribute.urn[len(endpoint.schema) + 1 :].split("."):
        value = (value or {}).get(name)
        if isinstance(value, list):
            value = next((one for one in value if isinstance(one, dict) and one.get("primary")), value[0])
    return key_of(attribute, value)
