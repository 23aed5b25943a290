"""A stored document -> what is sent: meta and groups spliced in, projection, list pages. No model is built."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from zlib import crc32

import orjson
from scim2_models import InvalidValueException

from scim_server.protocol.catalogue import ACCOUNT_USER, Attribute, Endpoint

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_EPOCH = datetime(1970, 1, 1)


class Stored(NamedTuple):
    """A resource as the store hands it out; a tuple, as a page has a thousand of them."""

    id: str
    text: str
    """The document as JSON text, without ``meta`` and ``groups``."""
    version: int
    created: int | None = None
    """None where no time is known; then neither is ``modified``."""
    modified: int | None = None
    groups: Sequence[tuple[str, str]] = ()
    """The groups of a user: id and displayName."""
    members: str | None = None
    """The members of a group as the text of a JSON array; None when they are not to be shown."""
    member_count: int = 0
    extra: Mapping[str, Any] = MappingProxyType({})
    """Attributes of the account's extension that are returned on request only (R28)."""
    user: str | None = None
    """The id of the user in whose log an entry is."""
    asserted: frozenset[str] = frozenset()
    """Of what is shown on request, what the client has just written (RFC 7643 section 7), by lower-cased names."""


def computed(document: Mapping[str, Any], user: str | None = None) -> Stored:
    """Return a resource that is stored as no document; its version is a checksum of its text."""
    text = orjson.dumps(document).decode()
    return Stored(document["id"], text, crc32(text.encode()), user=user)


def instant(micros: int) -> str:
    """Return a time in microseconds since 1970 as RFC 3339 in UTC, always with six fractional digits (DAT-01)."""
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    """Users are created and changed in bursts: many share a second, and a date is slow to write."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


def location(endpoint: Endpoint, identifier: str, base_url: str) -> str:
    """Return the address of a resource; identifiers are URL-safe by construction."""
    return f"{base_url}{endpoint.path}/{identifier}"


def resource_text(endpoint: Endpoint, stored: Stored, base_url: str) -> str:
    """Return the whole representation of a resource as JSON text."""
    derived = ""
    if stored.groups:
        derived = f',"groups":{_groups(stored.groups, base_url)}'
    if stored.members is not None:
        derived = f',"members":{stored.members}'
    if stored.user is not None:
        derived = f',"user":{{"value":"{stored.user}","$ref":"{base_url}/Users/{stored.user}"}}'
    return (
        f'{stored.text[:-1]}{derived},"meta":{{"resourceType":"{endpoint.name}",{_times(stored)}'
        f'"location":"{base_url}{endpoint.path}/{stored.id}","version":"W/\\"{stored.version}\\""}}}}'
    )


def _times(stored: Stored) -> str:
    """Return the times of ``meta`` as JSON members; a resource whose times are not known has none."""
    if stored.created is None or stored.modified is None:
        return ""
    created = modified = instant(stored.created)
    if stored.modified != stored.created:
        modified = instant(stored.modified)
    return f'"created":"{created}","lastModified":"{modified}",'


def _groups(groups: Sequence[tuple[str, str]], base_url: str) -> str:
    """Return the groups of a user; ``$ref`` is ours, never the client's (A-34)."""
    return orjson.dumps(
        [
            {"value": one, "$ref": f"{base_url}/Groups/{one}", "type": "direct", "display": display}
            for one, display in groups
        ]
    ).decode()


@dataclass(frozen=True)
class Projection:
    """What of a resource the client wants to see (RFC 7644 section 3.9)."""

    attributes: frozenset[str] = frozenset()
    """Lower-cased fully qualified names; empty for the default set."""
    excluded: frozenset[str] = frozenset()
    asserted: frozenset[str] = frozenset()
    """What is shown on request and is requested by being written."""

    @property
    def is_default(self) -> bool:
        """Whether the representation goes out as it is stored."""
        return not self.attributes and not self.excluded

    def wants(self, attribute: Attribute) -> bool:
        """Whether an attribute that costs something to fetch is part of the answer."""
        name = attribute.urn.lower()
        if self.attributes:
            return any(one == name or one.startswith(f"{name}.") for one in self.attributes)
        return (attribute.returned != "request" or name in self.asserted) and name not in self.excluded


DEFAULT = Projection()
_NOTHING = Projection(frozenset({""}))
"""Nothing but what is always returned."""


def projection(endpoint: Endpoint, attributes: Sequence[str], excluded: Sequence[str]) -> Projection:
    """Read the names of ``attributes`` and ``excludedAttributes``; unknown ones are ignored (A-18).

    Raises invalidValue when both are given (A-17).
    """
    if attributes and excluded:
        raise InvalidValueException(detail="attributes and excludedAttributes exclude each other; send one of them")
    return _projection(endpoint, tuple(attributes), tuple(excluded))


@lru_cache(maxsize=512)
def _projection(endpoint: Endpoint, attributes: tuple[str, ...], excluded: tuple[str, ...]) -> Projection:
    wanted = _names(endpoint, attributes)
    if attributes and not wanted:
        wanted = frozenset({endpoint.attributes["id"].urn.lower()})
    return Projection(wanted, _names(endpoint, excluded))


def _names(endpoint: Endpoint, texts: Iterable[str]) -> frozenset[str]:
    named = (endpoint.named(text.strip()) for text in texts)
    return frozenset(attribute.urn.lower() for attribute in named if attribute)


def projected(endpoint: Endpoint, document: Mapping[str, Any], chosen: Projection) -> dict[str, Any]:
    """Return the part of a representation that the client wants to see.

    The library's own projection takes the end of a URN for an attribute (S6), confuses the attributes of a resource
    with those of its extensions (S7), loses what is always returned when its parent is not asked for (S8), and is slow
    (S10).
    """
    return _projected(endpoint.attributes, document, chosen, inherited=False)


def _projected(
    attributes: Mapping[str, Attribute], document: Mapping[str, Any], chosen: Projection, inherited: bool
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in document.items():
        attribute = attributes.get(name.lower())
        if attribute is None:
            continue
        shown = _shown(attribute, value, chosen, inherited)
        if shown is not None and shown != {}:
            kept[name] = shown
    return kept


def _shown(attribute: Attribute, value: Any, chosen: Projection, inherited: bool) -> Any:
    """Return what is shown of one attribute's value, or None; ``inherited`` when its whole parent was asked for."""
    name = attribute.urn.lower()
    if attribute.returned == "never" or (attribute.returned == "request" and not chosen.wants(attribute)):
        return None
    if name in chosen.excluded and attribute.returned != "always":
        chosen, inherited = _NOTHING, False
    whole = attribute.returned == "always" or inherited or name in chosen.attributes
    if not attribute.sub_attributes:
        return value if whole or not chosen.attributes else None
    whole = whole or not chosen.attributes
    if isinstance(value, list):
        elements = [_projected(attribute.sub_attributes, one, chosen, whole) for one in value]
        return elements if whole else [one for one in elements if one] or None
    return _projected(attribute.sub_attributes, value, chosen, whole)


def represented(endpoint: Endpoint, stored: Stored, base_url: str, chosen: Projection) -> str:
    """Return the JSON text of a resource as the client wants to see it."""
    text = resource_text(endpoint, stored, base_url)
    if chosen.is_default and not endpoint.hides:
        return text
    document = orjson.loads(text)
    if stored.asserted:
        chosen = replace(chosen, asserted=stored.asserted)
    if stored.extra:
        document[ACCOUNT_USER] |= stored.extra
    return orjson.dumps(projected(endpoint, document, chosen)).decode()


def page(texts: Sequence[str], total: int, start_index: int) -> str:
    """Return a ListResponse of ready representations (RFC 7644 section 3.4.2)."""
    return (
        f'{{"schemas":["{LIST_RESPONSE}"],"totalResults":{total},"startIndex":{start_index},'
        f'"itemsPerPage":{len(texts)},"Resources":[{",".join(texts)}]}}'
    )


def cursor_page(texts: Sequence[str], total: int, next_cursor: str | None) -> str:
    """Return a ListResponse of a walk, which has no startIndex; its last page names no cursor (RFC 9865 section 2)."""
    following = f'"nextCursor":"{next_cursor}",' if next_cursor is not None else ""
    return (
        f'{{"schemas":["{LIST_RESPONSE}"],"totalResults":{total},{following}'
        f'"itemsPerPage":{len(texts)},"Resources":[{",".join(texts)}]}}'
    )
