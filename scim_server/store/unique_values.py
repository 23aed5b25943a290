"""The values that a configured schema says are unique: each once in a resource type and an account.

The table's key keeps them apart, also where two requests come at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import InvalidValueException

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.intake import MAX_KEY
from scim_server.store.database import chunks, execute
from scim_server.store.mapping import micros, value_key
from scim_server.store.resource_tables import resource_value
from scim_server.store.resources import Taken


class ValueTaken(Taken):
    """A value of an attribute is in use by another resource of the type."""

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute
        super().__init__(attribute.urn)


def write(
    account_id: str, endpoint: Endpoint, identifier: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Write the unique values of a resource over those that it had; raises ValueTaken."""
    for attribute in _unique(endpoint):
        old, new = _keys(endpoint, attribute, before), _keys(endpoint, attribute, after)
        if old == new:
            continue
        key = {
            "account_id": account_id,
            "type": endpoint.name,
            "path": attribute.urn.lower(),
            "resource_id": identifier,
        }
        if old:
            mine = (resource_value.c[name] == value for name, value in key.items())
            execute(resource_value.delete().where(*mine))
        if new:
            _insert(account_id, attribute, key, new)


def forget(account_id: str, endpoint: Endpoint) -> None:
    """Delete the unique values of all resources of a type, which are to be written anew."""
    mine = (resource_value.c.account_id == account_id, resource_value.c.type == endpoint.name)
    execute(resource_value.delete().where(*mine))


def keys(endpoint: Endpoint, document: Mapping[str, Any]) -> list[tuple[Attribute, str]]:
    """Return the unique values of a document as they are compared, each with its attribute."""
    return [(attribute, key) for attribute in _unique(endpoint) for key in _keys(endpoint, attribute, document)]


def _insert(account_id: str, attribute: Attribute, key: Mapping[str, str], value_keys: Sequence[str]) -> None:
    try:
        for chunk in chunks(value_keys):
            execute(resource_value.insert().values([{**key, "value_key": one} for one in chunk]))
    except sa.exc.IntegrityError as error:
        raise ValueTaken(attribute) from error


def values(endpoint: Endpoint, attribute: Attribute, document: Mapping[str, Any]) -> list[Any]:
    """Return the values that a document has of an attribute, of a list those of all elements."""
    schema, _, path = attribute.urn.rpartition(":")
    found: list[Any] = [document if schema == endpoint.schema else document.get(schema)]
    for name in path.split("."):
        found = [one for value in found if isinstance(value, dict) for one in _listed(value.get(name))]
    return [one for one in found if one not in (None, "")]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unique(endpoint: Endpoint) -> Iterator[Attribute]:
    return (one for one in endpoint.by_urn.values() if one.uniqueness != "none")


def _keys(endpoint: Endpoint, attribute: Attribute, document: Mapping[str, Any]) -> list[str]:
    """Return what the values are compared by, each once and in the one order in which all requests write them."""
    return sorted({_key(attribute, value) for value in values(endpoint, attribute, document)})


def _key(attribute: Attribute, value: Any) -> str:
    if attribute.type == "dateTime":
        return str(micros(value))
    if not isinstance(value, str):
        return orjson.dumps(float(value) if attribute.type == "decimal" else value).decode()
    if len(key := value_key(attribute, value)) > MAX_KEY:
        raise InvalidValueException(
            detail=f"{attribute.name} has {len(value)} characters; at most {MAX_KEY} are accepted of a unique value"
        )
    return key
