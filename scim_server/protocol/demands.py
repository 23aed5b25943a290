"""What a whole document must have and may not change, whatever request made it: required parts, immutable values."""

from collections.abc import Mapping
from typing import Any

from scim2_models import InvalidValueException, MutabilityException

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.messages import check_immutable


def check_required(endpoint: Endpoint, document: Mapping[str, Any]) -> None:
    """Refuse a document without a required attribute, part of an attribute or extension (CRT-24, EXT-04)."""
    _check_required(endpoint.attributes, document)


def _check_required(attributes: Mapping[str, Attribute], document: Mapping[str, Any]) -> None:
    for attribute in attributes.values():
        value = document.get(attribute.name)
        is_missing = value in (None, []) or (isinstance(value, str) and not value.strip())
        if attribute.required and attribute.mutability != "readOnly" and is_missing:
            name = "the extension" if attribute.is_extension else attribute.urn.rpartition(":")[2]
            raise InvalidValueException(detail=f"{name} of {attribute.urn} is required and may not be blank; send it")
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and attribute.name != "meta":
                _check_required(attribute.sub_attributes, part)


def check_unchanged(endpoint: Endpoint, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse a change of an immutable value, its removal included (RFC 7643 section 7)."""
    _check_unchanged(endpoint.attributes, before, after)


def _check_unchanged(attributes: Mapping[str, Attribute], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for attribute in attributes.values():
        old, new = before.get(attribute.name), after.get(attribute.name)
        if attribute.mutability == "immutable" and old is not None and new is None:
            raise MutabilityException(
                attribute=attribute.name, detail=f"{attribute.name} is immutable and cannot be removed"
            )
        check_immutable(attribute, old, new)
        if isinstance(old, dict) and isinstance(new, dict):
            _check_unchanged(attribute.sub_attributes, old, new)
