"""The terms of a filter or a sort, read against the schema: names found, literals checked, before any SQL.

Everything that a client can get wrong is refused here, naming the attribute and the remedy.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scim2_models import InvalidFilterException
from scim2_models.path import ORDERING_OPERATORS, STRING_OPERATORS, AttrPath, CompareOperator

from scim_server.protocol.catalogue import ACCOUNT_USER, ENTERPRISE, USER, Attribute, Endpoint

_ALIASES = {f"{ACCOUNT_USER}:timeZone".lower(): f"{USER}:timezone".lower()}
"""Two names of one value; the second one is the one that is searched."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.]\d+)?)?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)
_EQUALITIES = frozenset({CompareOperator.eq, CompareOperator.ne})
_UNFIT = {
    "boolean": ORDERING_OPERATORS | STRING_OPERATORS,
    "binary": ORDERING_OPERATORS | STRING_OPERATORS,
    "integer": STRING_OPERATORS,
    "decimal": STRING_OPERATORS,
    "dateTime": STRING_OPERATORS,
}
"""The operators that a type does not have (RFC 7644 section 3.4.2.2, table 3)."""


def attribute_named(endpoint: Endpoint, name: str) -> Attribute | None:
    """Return the attribute of a name in attribute notation, or None (RFC 7644 section 3.10).

    A bare name that the core schema does not have is looked for in the enterprise extension: Entra filters on
    ``manager eq "..."``.
    """
    lowered = name.lower()
    urns = (lowered,) if lowered.startswith("urn:") else (f"{endpoint.schema}:{name}", f"{ENTERPRISE}:{name}")
    known = endpoint.by_urn
    found = next((known[urn.lower()] for urn in urns if urn.lower() in known), None)
    return known.get(_ALIASES.get(found.urn.lower(), ""), found) if found else None


def is_hidden(endpoint: Endpoint, attribute: Attribute) -> bool:
    """Whether nobody may learn the value, so that a filter or a sort would be an oracle (A-31, S32)."""
    parent = endpoint.parent(attribute)
    return any(one.returned == "never" or one.mutability == "writeOnly" for one in (attribute, parent) if one)


def value_of(attribute: Attribute) -> Attribute | None:
    """Return what a comparison with the attribute compares: itself, or the ``value`` of a complex one (A-20, S31)."""
    return attribute.sub_attributes.get("value") if attribute.type == "complex" else attribute


def path_of(attribute: Attribute) -> AttrPath:
    """Return the fully qualified path of an attribute."""
    schema, _, name = attribute.urn.rpartition(":")
    head, _, tail = name.partition(".")
    return AttrPath(head, tail or None, schema)


def checked(attribute: Attribute, op: CompareOperator, literal: Any) -> Any:
    """Return a literal in the form of the attribute's type; raises invalidFilter where it has none."""
    if op in _UNFIT.get(attribute.type, ()):
        raise InvalidFilterException(
            detail=f"{shown(attribute)}: '{op.value}' does not apply to the type {attribute.type}"
        )
    if literal is not None:
        return _READERS[attribute.type](attribute, literal)
    if op not in _EQUALITIES:
        raise InvalidFilterException(detail=f"{shown(attribute)}: '{op.value}' does not apply to null; use eq or ne")
    return None


def shown(attribute: Attribute) -> str:
    """Return the name of an attribute for a message: short where it is a core one."""
    return attribute.urn if ":extension:" in attribute.urn else attribute.urn.rpartition(":")[2]


def _text(attribute: Attribute, literal: Any) -> str:
    if not isinstance(literal, str):
        raise _unfit(attribute, literal, "a string, which stands in double quotes")
    if found := _UNSTORABLE.search(literal):
        raise InvalidFilterException(
            detail=f"{shown(attribute)}: no value has the character U+{ord(found.group()):04X}; remove it"
        )
    return literal


def _binary(attribute: Attribute, literal: Any) -> str:
    text = _text(attribute, literal)
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _unfit(attribute, literal, "base64") from None
    return text


def _boolean(attribute: Attribute, literal: Any) -> bool:
    if isinstance(literal, str) and literal.lower() in ("true", "false"):  # Entra quotes them
        return literal.lower() == "true"
    if not isinstance(literal, bool):
        raise _unfit(attribute, literal, "true or false")
    return literal


def _integer(attribute: Attribute, literal: Any) -> int:
    if isinstance(literal, float) and literal.is_integer():
        literal = int(literal)
    if isinstance(literal, bool) or not isinstance(literal, int) or not -(2**63) <= literal < 2**63:
        raise _unfit(attribute, literal, "an integer of at most 64 bits, without quotes")
    return literal


def _decimal(attribute: Attribute, literal: Any) -> int | float:
    if isinstance(literal, bool) or not isinstance(literal, int | float) or not -(2**63) <= literal < 2**63:
        raise _unfit(attribute, literal, "a number of at most 64 bits, without quotes")
    return literal


def _instant(attribute: Attribute, literal: Any) -> str:
    """Return a time in UTC; one without an offset is taken for UTC (S28)."""
    expected = 'a dateTime such as "2026-01-31T08:00:00Z"'
    if not isinstance(literal, str) or not _INSTANT.fullmatch(literal):
        raise _unfit(attribute, literal, expected)
    try:
        moment = datetime.fromisoformat(literal.upper())
        offset = moment.utcoffset() or timedelta()
        return (moment.replace(tzinfo=UTC) - offset).isoformat()
    except (ValueError, OverflowError):
        raise _unfit(attribute, literal, expected) from None


_READERS: Mapping[str, Callable[[Attribute, Any], Any]] = {
    "string": _text,
    "reference": _text,
    "binary": _binary,
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "dateTime": _instant,
}


def _unfit(attribute: Attribute, literal: Any, expected: str) -> InvalidFilterException:
    return InvalidFilterException(detail=f"{shown(attribute)}: {_named(literal)} is not {expected}")


def _named(literal: Any) -> str:
    if isinstance(literal, str):
        return ascii(literal[:60])
    if isinstance(literal, bool):
        return "true" if literal else "false"
    return f"the number {literal}" if abs(literal) < 10**15 else "the number given"
