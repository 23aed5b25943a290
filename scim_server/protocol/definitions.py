"""What is wrong with a schema document or a resource type document that comes from configuration (RFC 7643 section 7).

A problem is the place in the document and what is wrong there. Nothing is raised, so that all are told at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
MESSAGES = "urn:ietf:params:scim:api:"

MAX_URN = 255
MAX_NAME = 64
RESERVED = frozenset({"id", "externalid", "meta", "schemas"})
"""The attributes that every resource has; no schema defines them (RFC 7643 section 3.1)."""

_URN = re.compile(r"urn:(?i:[a-z0-9][a-z0-9-]{0,30}[a-z0-9](:[\w.-]+)*:[a-z][\w-]*)", re.ASCII)
"""A URN (RFC 8141) whose last part can stand in front of the name of an attribute in a path."""
_ATTRIBUTE_NAME = re.compile(r"\$ref|[a-z][\w$-]*", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[a-z][\w-]*", re.IGNORECASE | re.ASCII)
_ENDPOINT = re.compile(r"/[a-z][\w-]*", re.IGNORECASE | re.ASCII)

TYPES = ("string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex")
KEYWORDS = {
    "type": TYPES,
    "mutability": ("readOnly", "readWrite", "immutable", "writeOnly"),
    "returned": ("always", "never", "default", "request"),
    "uniqueness": ("none", "server", "global"),
}
BOOLEANS = ("multiValued", "required", "caseExact")
_ALWAYS = ("name", "type", "multiValued", "description", "required", "mutability", "returned")
_BY_TYPE = {
    "string": ("caseExact", "uniqueness"),
    "binary": ("caseExact", "uniqueness"),
    "reference": ("caseExact", "uniqueness", "referenceTypes"),
    "complex": ("subAttributes",),
    **dict.fromkeys(("boolean", "decimal", "integer", "dateTime"), ("uniqueness",)),
}
"""The characteristics that an attribute of a type must state besides those that all of them do."""

Problem = tuple[str, str]
"""Where in the document, and what is wrong there."""


def schema_problems(document: Any) -> Iterator[Problem]:
    """Give everything that is wrong with one schema document, taken by itself."""
    if not isinstance(document, dict):
        yield "", "is no JSON object"
        return
    yield from _members(document, ("schemas", "id", "name", "description", "attributes"), ("meta",))
    yield from _is_marked(document, SCHEMA)
    yield from _at("id", _urn_problem(document.get("id")))
    yield from _at("name", _name_problem(_NAME, document.get("name")))
    yield from _attributes("attributes", document.get("attributes"), None)


def resource_type_problems(document: Any) -> Iterator[Problem]:
    """Give everything that is wrong with one resource type document, taken by itself."""
    if not isinstance(document, dict):
        yield "", "is no JSON object"
        return
    required = ("schemas", "id", "name", "endpoint", "description", "schema")
    yield from _members(document, required, ("schemaExtensions", "meta"))
    yield from _is_marked(document, RESOURCE_TYPE)
    yield from _at("name", _name_problem(_NAME, document.get("name")))
    if document.get("id") != document.get("name"):
        yield "id", "must be the same as name"
    endpoint = document.get("endpoint")
    if not isinstance(endpoint, str) or not _ENDPOINT.fullmatch(endpoint) or len(endpoint) > MAX_NAME:
        yield "endpoint", "must be a slash and one name, such as /Devices"
    yield from _at("schema", _urn_problem(document.get("schema")))
    yield from _extensions(document.get("schemaExtensions", []))


def _extensions(extensions: Any) -> Iterator[Problem]:
    if not isinstance(extensions, list):
        yield "schemaExtensions", "must be an array of objects with schema and required"
        return
    named = []
    for number, one in enumerate(extensions):
        where = f"schemaExtensions[{number}]"
        if not isinstance(one, dict) or set(one) != {"schema", "required"} or not isinstance(one["required"], bool):
            yield where, "must be an object with a schema (a URN) and required (true or false), and nothing else"
            continue
        yield from _at(f"{where}.schema", _urn_problem(one["schema"]))
        named.append(str(one["schema"]).lower())
    for urn in sorted({one for one in named if named.count(one) > 1}):
        yield "schemaExtensions", f"names '{urn}' twice"


def _attributes(where: str, definitions: Any, parent: Mapping[str, Any] | None) -> Iterator[Problem]:
    if not isinstance(definitions, list) or not definitions:
        yield where, "must be an array of one or more attributes"
        return
    names: dict[str, int] = {}
    for number, definition in enumerate(definitions):
        place = f"{where}[{number}]"
        if not isinstance(definition, dict):
            yield place, "is no JSON object"
            continue
        name = definition.get("name")
        if isinstance(name, str):
            place = f"{place} ({name[:MAX_NAME]!a})"
            if (first := names.setdefault(name.lower(), number)) != number:
                yield place, f"has the name of {where}[{first}]; names are compared without case"
        yield from _attribute(place, definition, parent)
    if parent is None and all(isinstance(one, dict) and one.get("mutability") == "readOnly" for one in definitions):
        yield where, "are all readOnly, so that nobody could ever write one"


def _attribute(place: str, definition: Mapping[str, Any], parent: Mapping[str, Any] | None) -> Iterator[Problem]:
    kind = definition.get("type")
    own = _BY_TYPE.get(kind, ()) if isinstance(kind, str) else ()
    optional = {"canonicalValues", "caseExact", "uniqueness"}
    problems = [*_members(definition, (*_ALWAYS, *own), optional), *_at("name", _attribute_name(definition, parent))]
    for check in _CHECKS:
        problems += check(definition)
    if parent is not None:
        problems += _within(definition, parent)
    yield from ((f"{place}.{inner}" if inner else place, text) for inner, text in problems)
    if kind == "complex" and parent is None and "subAttributes" in definition:
        yield from _attributes(f"{place}.subAttributes", definition["subAttributes"], definition)


def _attribute_name(definition: Mapping[str, Any], parent: Mapping[str, Any] | None) -> str | None:
    name = definition.get("name")
    if isinstance(name, str) and parent is None and name.lower() in RESERVED:
        return "is an attribute that every resource has; it cannot be defined"
    return _name_problem(_ATTRIBUTE_NAME, name)


def _keywords(definition: Mapping[str, Any]) -> Iterator[Problem]:
    for name, words in KEYWORDS.items():
        if name in definition and definition[name] not in words:
            yield name, f"is none of {', '.join(words)}"
    for name in BOOLEANS:
        if name in definition and not isinstance(definition[name], bool):
            yield name, "must be true or false"


def _texts(definition: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(definition.get("description", ""), str):
        yield "description", "must be a string"
    for name in ("canonicalValues", "referenceTypes"):
        values = definition.get(name, ["-"])
        if not isinstance(values, list) or not values or not all(isinstance(one, str) and one for one in values):
            yield name, "must be an array of one or more strings"
        elif len(set(values)) < len(values):
            yield name, "has a value twice"


def _combinations(definition: Mapping[str, Any]) -> Iterator[Problem]:
    unique = definition.get("uniqueness", "none") != "none"
    if definition.get("mutability") == "writeOnly" and definition.get("returned") != "never":
        yield "returned", "must be never for what is writeOnly"
    if unique and definition.get("type") == "complex":
        yield "uniqueness", "must be none for a complex attribute; state it of a sub-attribute (erratum 6004)"
    if unique and definition.get("returned") == "never":
        yield "uniqueness", "must be none for what is never returned: a refusal would tell the value"


_CHECKS: Sequence[Callable[[Mapping[str, Any]], Iterator[Problem]]] = (_keywords, _texts, _combinations)


def _within(definition: Mapping[str, Any], parent: Mapping[str, Any]) -> Iterator[Problem]:
    """What a sub-attribute may not be."""
    if definition.get("type") == "complex":
        yield "type", "is complex inside a complex attribute (RFC 7643 section 2.3.8)"
    if definition.get("multiValued") is True and parent.get("multiValued") is True:
        yield "multiValued", "is true inside a multi-valued attribute, which is not served"
    if parent.get("mutability") == "readOnly" and definition.get("mutability") != "readOnly":
        yield "mutability", "must be readOnly, as that of the attribute it belongs to"


def _members(document: Mapping[str, Any], required: Sequence[str], optional: Sequence[str] | set[str]) -> list[Problem]:
    missing = [(name, "is missing") for name in required if name not in document]
    known = {*required, *optional}
    return missing + [(str(name)[:MAX_NAME], "is not known here") for name in document if name not in known]


def _is_marked(document: Mapping[str, Any], schema: str) -> Iterator[Problem]:
    if "schemas" in document and document["schemas"] != [schema]:
        yield "schemas", f'must be ["{schema}"]'
    if not isinstance(document.get("description", ""), str):
        yield "description", "must be a string"


def _urn_problem(urn: Any) -> str | None:
    if not isinstance(urn, str) or not _URN.fullmatch(urn) or len(urn) > MAX_URN:
        return f"must be a URN of at most {MAX_URN} characters that ends in a name, such as urn:example:2.0:Device"
    return "is a URN of messages, not of schemas" if urn.lower().startswith(MESSAGES) else None


def _name_problem(grammar: re.Pattern[str], name: Any) -> str | None:
    if isinstance(name, str) and grammar.fullmatch(name) and len(name) <= MAX_NAME:
        return None
    return f"must be a letter, then letters, digits, - or _; at most {MAX_NAME} characters"


def _at(where: str, problem: str | None) -> Iterator[Problem]:
    if problem:
        yield where, problem
