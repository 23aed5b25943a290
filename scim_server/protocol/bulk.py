"""A bulk request: what its operations ask for, the order in which they can be carried out, their references resolved.

An operation may name what another one creates before it has an id, by ``bulkId:<bulkId>`` (RFC 7644 section 3.7.2):
as a string value of its data, within the quotes of a PATCH's path, and in its own path.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import orjson
from scim2_models import (
    ConflictException,
    InvalidSyntaxException,
    InvalidValueException,
    PayloadTooLargeException,
    SCIMException,
)

from scim_server.protocol.intake import Tolerance

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
METHODS = ("POST", "PUT", "PATCH", "DELETE")
MAX_NAME = 1000
"""Characters of a bulkId, a path or a version."""
MAX_DEPTH = 32
"""Levels of an operation's data in which references are looked for; no attribute lies nearly as deep."""

_PREFIX = "bulkId:"
_QUOTED = re.compile(r'"bulkId:(?:[^"\\]|\\.)*"')
_PATH = re.compile(r"(/[^/]+/)bulkId:(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a bulk request; what is not of the right type is None."""

    method: str = ""
    path: str = ""
    """Below the base URL, percent-decoded as that of a request is."""
    bulk_id: str | None = None
    version: str | None = None
    data: Any = None
    problem: SCIMException | None = None
    """Why it cannot be carried out at all."""
    references: frozenset[str] = frozenset()
    """The bulkIds that its path and its data refer to."""

    @property
    def creates(self) -> str | None:
        """The bulkId by which others may refer to what it creates."""
        return self.bulk_id if self.method == "POST" and self.problem is None else None


@dataclass(frozen=True, slots=True)
class Bulk:
    """A bulk request as it was read."""

    operations: tuple[Operation, ...]
    fail_on_errors: int | None = None
    """After how many errors the operations that are left are not carried out; None for as many as there are."""

    @property
    def creating(self) -> frozenset[str]:
        """The bulkIds of its creations."""
        return frozenset(one.creates for one in self.operations if one.creates is not None)


def read_bulk(body: Any, tolerance: Tolerance, most: int) -> Bulk:
    """Read the body of a bulk request of at most ``most`` operations.

    Raises 413 for more, invalidSyntax for a body that is none, invalidValue for what is wrong with all of it. An
    operation that is wrong in itself is read with its problem, so that the others are carried out.
    """
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="the body must be one JSON object")
    members = {name.lower(): value for name, value in body.items()}
    schemas = members.get("schemas")
    if not (schemas is None and tolerance.missing_schemas) and not (
        isinstance(schemas, list) and BULK_REQUEST in schemas
    ):
        raise InvalidSyntaxException(detail=f'schemas must be ["{BULK_REQUEST}"] in a bulk request')
    given = members.get("operations")
    if not isinstance(given, list) or not given:
        raise InvalidSyntaxException(detail="Operations must be an array of one or more operations")
    if len(given) > most:
        raise PayloadTooLargeException(
            detail=f"{len(given)} operations in one bulk request; at most {most} are accepted, send them in parts"
        )
    operations = tuple(_read(one, tolerance) for one in given)
    _check_unique(operations)
    return Bulk(operations, _fail_on_errors(members.get("failonerrors")))


def _fail_on_errors(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidValueException(detail="failOnErrors must be a whole number of at least 1")
    return value


def _check_unique(operations: Sequence[Operation]) -> None:
    seen: set[str] = set()
    for operation in operations:
        if operation.bulk_id in seen:
            raise InvalidValueException(detail=f"bulkId '{operation.bulk_id[:100]}' is given to several operations")
        if operation.bulk_id is not None:
            seen.add(operation.bulk_id)


def _read(given: Any, tolerance: Tolerance) -> Operation:
    """Read one operation, with the first thing that is wrong with it."""
    if not isinstance(given, dict):
        return Operation(problem=InvalidSyntaxException(detail="an operation must be an object"))
    members = {name.lower(): value for name, value in given.items()}
    method, path, bulk_id, version = (_text(members.get(name)) for name in ("method", "path", "bulkid", "version"))
    data = members.get("data")
    if method.upper() == "PATCH" and isinstance(data, list) and tolerance.missing_schemas:
        data = {"Operations": data}  # as the RFC's own sample has it, before erratum 5050
    operation = Operation(
        method=method.upper() if method.upper() in METHODS else method,
        path=unquote(path),
        bulk_id=bulk_id or None,
        version=version if members.get("version") is not None else None,
        data=data,
    )
    try:
        _check(members, operation)
    except SCIMException as problem:
        return replace(operation, problem=problem)
    return replace(operation, references=references_of(operation.method, operation.path, data))


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= MAX_NAME else ""


def _check(members: Mapping[str, Any], operation: Operation) -> None:
    for name in ("bulkId", "version", "path"):
        value = members.get(name.lower())
        if value is not None and (not isinstance(value, str) or len(value) > MAX_NAME):
            raise InvalidValueException(detail=f"{name} must be a string of at most {MAX_NAME} characters")
    if operation.method not in METHODS:
        raise InvalidValueException(detail=f"method must be one of {', '.join(METHODS)}")
    if not operation.path.startswith("/") or "?" in operation.path or "#" in operation.path:
        raise InvalidValueException(detail="path must be below the base URL, without a query, such as /Users")
    if operation.method == "POST" and operation.bulk_id is None:
        raise InvalidValueException(detail="bulkId is required with POST; send one that no other operation has")
    if operation.method != "DELETE" and not isinstance(operation.data, dict):
        raise InvalidSyntaxException(detail=f"data must be the body of the {operation.method}, one JSON object")


def references_of(method: str, path: str, data: Any) -> frozenset[str]:
    """Return the bulkIds that the path and the data of an operation refer to."""
    named = _Collecting()
    if method != "DELETE":
        _resolved(data, named, method == "PATCH", MAX_DEPTH)
    found = _PATH.fullmatch(path)
    return frozenset(named) | ({found[2].removesuffix("/")} if found else set())


class _Collecting(dict[str, str]):
    """Notes every bulkId that is looked up."""

    def __missing__(self, name: str) -> str:
        self[name] = name
        return name


def resolve(operation: Operation, created: Mapping[str, str | None], creating: frozenset[str]) -> Operation:
    """Return the operation with every reference replaced by the id of what was created.

    ``created`` has the ids by bulkId, None where the creation has failed; ``creating`` are the bulkIds of all
    creations of the request. Raises invalidValue for a reference to none of them; 409 for one to what is not there.
    """
    for name in sorted(operation.references):
        shown = f"'{_PREFIX}{name[:100]}'"
        if name not in creating:
            raise InvalidValueException(detail=f"{shown} refers to no POST of this request by its bulkId")
        if name not in created:
            raise ConflictException(detail=f"{shown} is part of a circular reference that cannot be resolved")
        if created[name] is None:
            raise ConflictException(detail=f"{shown} refers to a resource that could not be created")
    if not operation.references:
        return operation
    ids = {name: created[name] or "" for name in operation.references}
    path = operation.path
    if found := _PATH.fullmatch(path):
        path = found[1] + ids[found[2].removesuffix("/")]
    data = operation.data
    if operation.method != "DELETE":
        data = _resolved(data, ids, operation.method == "PATCH", MAX_DEPTH)
    return replace(operation, path=path, data=data, references=frozenset())


def _resolved(value: Any, ids: Mapping[str, str], in_patch: bool, depth: int) -> Any:
    if isinstance(value, str):
        return ids[value.removeprefix(_PREFIX)] if value.startswith(_PREFIX) else value
    if depth == 0 or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [_resolved(one, ids, in_patch, depth - 1) for one in value]
    return {
        name: _path_resolved(one, ids)
        if in_patch and name.lower() == "path" and isinstance(one, str)
        else _resolved(one, ids, in_patch, depth - 1)
        for name, one in value.items()
    }


def _path_resolved(path: str, ids: Mapping[str, str]) -> str:
    """Return the path of a PATCH with the references among its quoted literals replaced."""

    def literal(found: re.Match[str]) -> str:
        try:
            name = orjson.loads(found[0]).removeprefix(_PREFIX)
        except orjson.JSONDecodeError:
            return found[0]
        return f'"{ids[name]}"'

    return _QUOTED.sub(literal, path)
