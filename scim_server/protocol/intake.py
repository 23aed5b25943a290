"""A body as sent -> a document in the schema's own spelling, every value checked against its attribute.

scim2-models is lax about types (S18), reads readOnly attributes that it should ignore (S11), accepts both spellings
of a name (S21), control characters (S22) and base64 that is none (S19); all of that is settled here, in one walk
and before a model is built. What an IdP may get wrong is a `Tolerance`, given by the profile of its connection.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from scim2_models import InvalidSyntaxException, InvalidValueException

from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER, GROUP, Attribute
from scim_server.protocol.folding import invisible
from scim_server.protocol.formats import FORMATS, is_time, runs_script

MAX_TEXT = 64 * 1024
MAX_KEY = 512
"""Characters of a value that is looked up by index; a longer one would not fit a B-tree page of PostgreSQL."""
INDEXED = frozenset({"username", "externalid", "displayname", "emails.value", "phonenumbers.value"})

MEMBERS = f"{GROUP}:members"
CLOSED = frozenset({f"{ACCOUNT_USER}:kind", f"{ACCOUNT_GROUP}:kind"})
"""The attributes whose canonical values are all there are; roles and licences are judged by the account's rules."""

JUDGED_BY_MODEL = frozenset({"reference", "dateTime", "binary", "decimal"})
"""The types of which a value is read as text or number here and its form judged by the model."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What the profile of a connection forgives in a body."""

    unknown_attributes: bool = True
    """Undefined attributes are ignored and noted, instead of refused (A-02)."""
    missing_schemas: bool = True
    """A body without ``schemas`` is taken for what the endpoint serves (A-13)."""
    text_booleans: bool = True
    """``"True"`` and ``"false"`` are read as booleans (A-22)."""
    bare_values: bool = True
    """A text where a complex value belongs is its ``value``; an object where a list belongs is its one element."""
    empty_text: bool = True
    """``""`` means unassigned, as null and [] do (RFC 7643 section 2.5 knows the latter two)."""
    create_described: bool = True
    """A value path without a match creates the element that its ``eq`` terms describe (A-05)."""
    free_formats: bool = True
    """A country, a locale and a language are any text, a time zone what the account says (A-44)."""
    pathless_operations: bool = True
    """An operation of a PATCH may have no path, its value naming the attributes (A-03)."""
    empty_patch: bool = False
    """A PATCH without operations changes nothing, instead of being refused (A-28)."""


@dataclass(slots=True)
class Notes:
    """What was left out of a body on the way in."""

    unknown: list[str] = field(default_factory=list)
    """The undefined attributes, as sent."""
    empty: set[str] = field(default_factory=set)
    """The fully qualified names of the attributes given as ``""`` or ``[]``, which some hold for silence (P3)."""
    leaves_to_model: bool = False
    """Whether there is a value whose form the model judges: a reference, a time, binary, a number with a fraction."""


def read_attributes(
    attributes: Mapping[str, Attribute], body: Mapping[str, Any], tolerance: Tolerance, notes: Notes, prefix: str = ""
) -> dict[str, Any]:
    """Return the writable attributes of ``body`` by their own names; an unassigned one is None.

    Raises invalidValue naming the attribute for a value that does not fit, invalidSyntax for a name given twice.
    """
    document: dict[str, Any] = {}
    for name, value in body.items():
        attribute = attributes.get(name.lower())
        if attribute is None:
            note_unknown(f"{prefix}{name}", tolerance, notes)
        elif attribute.mutability != "readOnly":
            if attribute.name in document:
                raise InvalidSyntaxException(detail=f"{prefix}{attribute.name} is given twice in one object")
            document[attribute.name] = read_value(attribute, value, tolerance, notes, prefix)
    return document


def read_value(attribute: Attribute, value: Any, tolerance: Tolerance, notes: Notes, prefix: str = "") -> Any:
    """Return ``value`` as ``attribute`` takes it, or None where it means unassigned."""
    where = f"{prefix}{attribute.name}"
    if value == [] or (value == "" and tolerance.empty_text and not attribute.required):
        notes.empty.add(attribute.urn)
        return None
    if value is None:
        return None
    if not attribute.multi_valued:
        if isinstance(value, list) and tolerance.bare_values and len(value) == 1:
            value = value[0]
        return _read_one(attribute, value, tolerance, notes, where)
    if not isinstance(value, list):
        if not tolerance.bare_values:
            raise _unfit(where, value, "an array")
        value = [value]
    return _read_many(attribute, value, tolerance, notes, where)


def _read_many(attribute: Attribute, values: list[Any], tolerance: Tolerance, notes: Notes, where: str) -> Any:
    read: list[Any] = []
    seen: set[bytes] = set()
    for value in values:
        one = None if value in (None, "") else _read_one(attribute, value, tolerance, notes, where)
        if one is None and attribute.urn == MEMBERS:  # to leave it out could empty the group
            raise InvalidValueException(detail=f"{where}: every member needs its user's id as value")
        if one is not None and (key := orjson.dumps(one, option=orjson.OPT_SORT_KEYS)) not in seen:
            seen.add(key)  # the same value is not kept twice (RFC 7643 section 2.4, S4)
            read.append(one)
    if sum(1 for one in read if isinstance(one, dict) and one.get("primary") is True) > 1:
        raise InvalidValueException(detail=f"{where}: only one value may be primary (RFC 7643 section 2.4)")
    return read or None


def _read_one(attribute: Attribute, value: Any, tolerance: Tolerance, notes: Notes, where: str) -> Any:
    if attribute.type != "complex":
        if tolerance.bare_values and isinstance(value, dict) and set(value) == {"value"}:
            value = value["value"]  # Entra's older dialect wraps scalars: [{"value": x}]
        if attribute.returned == "never" and isinstance(value, int | float):
            raise InvalidValueException(detail=f"{where}: the number given is not a string")  # it may be a secret
        read = _READERS[attribute.type](where, value, tolerance)
        notes.leaves_to_model |= attribute.type in JUDGED_BY_MODEL
        return _settled(attribute, read, tolerance, where)
    if isinstance(value, str) and tolerance.bare_values and "value" in attribute.sub_attributes:
        value = {"value": value}
    if not isinstance(value, dict):
        raise _unfit(where, value, "an object")
    separator = ":" if attribute.is_extension else "."
    read = read_attributes(attribute.sub_attributes, value, tolerance, notes, f"{where}{separator}")
    if attribute.is_extension:
        return read or None
    if attribute.multi_valued and read.get("value", value) is None and _may_be_blank(attribute):
        return None
    return {name: one for name, one in read.items() if one is not None} or None


def _may_be_blank(attribute: Attribute) -> bool:
    """Whether an element whose ``value`` is taken away is none, as unset macros and empty mappings mean it.

    A reference without its target is a mistake instead: leaving it out could empty a group.
    """
    return attribute.sub_attributes["value"].mutability == "readWrite"


def _settled(attribute: Attribute, value: Any, tolerance: Tolerance, where: str) -> Any:
    """Return a value of the right type as it is stored; refuse one that its attribute does not take."""
    if attribute.urn in CLOSED:
        return _canonical(attribute, value, where)
    if not tolerance.free_formats and attribute.urn in FORMATS:
        fits, expected = FORMATS[attribute.urn]
        if not fits(value):
            raise _unfit(where, value, expected)
    return value


def _canonical(attribute: Attribute, value: str, where: str) -> str:
    """Return one of the attribute's canonical values in their own spelling, and refuse any other (A-43)."""
    known = next((one for one in attribute.canonical if one.lower() == value.lower()), None)
    if known is None:
        raise InvalidValueException(detail=f"{where}: '{value[:60]}' is none of {', '.join(attribute.canonical)}")
    return known


def note_unknown(name: str, tolerance: Tolerance, notes: Notes) -> None:
    """Note an undefined attribute, or refuse it where the profile does not ignore them (A-02)."""
    if not tolerance.unknown_attributes:
        raise InvalidSyntaxException(detail=f"'{name[:200]}' is not an attribute of any schema of this resource")
    notes.unknown.append(name[:200])


def _read_text(where: str, value: Any, tolerance: Tolerance) -> str:
    if not isinstance(value, str):
        raise _unfit(where, value, "a string")
    name = where.lower().rpartition(":")[2]
    limit = MAX_KEY if name in INDEXED else MAX_TEXT
    if len(value) > limit:
        raise InvalidValueException(detail=f"{where} has {len(value)} characters; at most {limit} are accepted")
    found = _FORBIDDEN.search(value)
    bad = found.group() if found else invisible(value) if name == "username" else None
    if bad:
        raise InvalidValueException(
            detail=f"{where} has the character U+{ord(bad):04X} at position {value.index(bad)}, which it may not have; "
            "remove it"
        )
    return value


def _read_reference(where: str, value: Any, tolerance: Tolerance) -> str:
    text = _read_text(where, value, tolerance)
    if runs_script(text):
        raise InvalidValueException(detail=f"{where}: '{text[:40]}' is not a URL that may be stored; send http(s)")
    return text


def _read_boolean(where: str, value: Any, tolerance: Tolerance) -> bool:
    if isinstance(value, str) and tolerance.text_booleans and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _unfit(where, value, "true or false")
    return value


def _read_integer(where: str, value: Any, tolerance: Tolerance) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _unfit(where, value, "an integer of at most 64 bits")
    return value


def _read_decimal(where: str, value: Any, tolerance: Tolerance) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e308 < value < 1e308:
        raise _unfit(where, value, "a number")
    return value


def _read_time(where: str, value: Any, tolerance: Tolerance) -> str:
    text = _read_text(where, value, tolerance)
    if not is_time(text):
        raise _unfit(where, value, "a dateTime such as 2026-01-31T08:00:00Z")
    return text


def _read_binary(where: str, value: Any, tolerance: Tolerance) -> str:
    text = _read_text(where, value, tolerance)
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _unfit(where, value, "base64") from None
    return text


_READERS: Mapping[str, Callable[[str, Any, Tolerance], Any]] = {
    "string": _read_text,
    "reference": _read_reference,
    "boolean": _read_boolean,
    "integer": _read_integer,
    "decimal": _read_decimal,
    "dateTime": _read_time,
    "binary": _read_binary,
}


def _unfit(where: str, value: Any, expected: str) -> InvalidValueException:
    shown = _shown(value)
    return InvalidValueException(detail=f"{where}: {shown} is not {expected}")


def _shown(value: Any) -> str:
    """Name a refused value without echoing anything long or nested."""
    if isinstance(value, str):
        return f"'{_FORBIDDEN.sub('?', value[:60])}'"
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return f"the number {value}" if abs(value) < 1e15 else "the number given"
    return "an array" if isinstance(value, list) else "an object"
