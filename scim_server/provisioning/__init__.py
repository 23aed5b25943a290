"""The use cases: what a SCIM request does, from the body that was read to the resource that is answered."""

from collections.abc import Callable, Mapping
from typing import Any

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.conditions import Conditions
from scim_server.protocol.documents import Stored
from scim_server.provisioning import generic, groups, users
from scim_server.provisioning.caller import Caller, Limits, Service
from scim_server.provisioning.guarding import guarded
from scim_server.provisioning.reading import complete, read, search
from scim_server.provisioning.root import search as search_root

__all__ = [
    "Caller",
    "Limits",
    "Service",
    "complete",
    "create",
    "delete",
    "patch",
    "put",
    "read",
    "search",
    "search_root",
]


_WRITERS: Mapping[str, Any] = {"/Users": users, "/Groups": groups}
"""The use cases of our own resource types; those of configured ones are the same for all."""


@guarded
def create(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Stored:
    """Create a resource out of the body of a POST."""
    work: Callable[..., Stored] = _WRITERS.get(endpoint.path, generic).create
    return work(service, caller, endpoint, body)


@guarded
def put(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Replace a resource by the body of a PUT."""
    work: Callable[..., Stored] = _WRITERS.get(endpoint.path, generic).put
    return work(service, caller, endpoint, identifier, body, conditions)


@guarded
def patch(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Apply the body of a PATCH to a resource."""
    work: Callable[..., Stored] = _WRITERS.get(endpoint.path, generic).patch
    return work(service, caller, endpoint, identifier, body, conditions)


@guarded
def delete(service: Service, caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> None:
    """Delete a resource."""
    work = _WRITERS.get(endpoint.path, generic).delete
    work(service, caller, endpoint, identifier, conditions)
