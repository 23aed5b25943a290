"""A PATCH body -> operations that each name one target (RFC 7644 section 3.5.2).

An operation without a path is taken apart into one operation per attribute of its value, so that every shape that
IdPs send (dotted keys, URN keys, keys with a filter) ends in the same form.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim2_models import (
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    MutabilityException,
    NoTargetException,
    PayloadTooLargeException,
)

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.intake import Notes, Tolerance, note_unknown, read_value
from scim_server.protocol.messages import PATCH_OP
from scim_server.protocol.operations import Operation, Patch
from scim_server.protocol.paths import target_of
from scim_server.protocol.selections import MemberChange, member_change

OPS = ("add", "replace", "remove")


def read_patch(endpoint: Endpoint, body: Any, tolerance: Tolerance, most: int) -> Patch:
    """Read the body of a PATCH of at most ``most`` operations.

    Raises invalidSyntax for a body that is no PatchOp, invalidPath, invalidValue, mutability or noTarget for an
    operation that could not be applied to any resource.
    """
    notes = Notes()
    operations: list[Operation] = []
    members: list[MemberChange] = []
    claimed: list[Any] = []
    for given in _operations(body, tolerance, most):
        for target in _targets(endpoint, given, tolerance):
            op, path, value = target.op, target.path, _added(endpoint, target)
            if _is_skipped(endpoint, target, tolerance, notes):
                claimed += [value] if endpoint.named(path) is endpoint.attributes["id"] else []
                continue
            change = member_change(endpoint, op, path, value, tolerance, notes)
            if change is not None:
                members.append(change)
            else:
                operations.extend(_operation(endpoint, op, path, value, tolerance, notes))
    return Patch(tuple(operations), tuple(members), notes, tuple(claimed))


def _operations(body: Any, tolerance: Tolerance, most: int) -> Sequence[Mapping[str, Any]]:
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="the body must be one JSON object")
    members = {name.lower(): value for name, value in body.items()}
    schemas = members.get("schemas")
    if not (schemas is None and tolerance.missing_schemas) and not (isinstance(schemas, list) and PATCH_OP in schemas):
        raise InvalidSyntaxException(detail=f'schemas must be ["{PATCH_OP}"] in a PATCH')
    operations = members.get("operations")
    if operations == [] and tolerance.empty_patch:
        return []
    if not isinstance(operations, list) or not operations or not all(isinstance(one, dict) for one in operations):
        raise InvalidSyntaxException(detail="Operations must be an array of one or more operations")
    if len(operations) > most:
        raise PayloadTooLargeException(detail=f"{len(operations)} operations in one PATCH; at most {most} are accepted")
    return [{name.lower(): value for name, value in one.items()} for one in operations]


@dataclass(frozen=True, slots=True)
class _Target:
    """One target of an operation as sent, named by a path or by a key of the value."""

    op: str
    path: str
    value: Any
    is_key: bool = False


def _targets(endpoint: Endpoint, given: Mapping[str, Any], tolerance: Tolerance) -> Iterator[_Target]:
    """Yield the targets of an operation: one per attribute of the value when it has no path."""
    op, path, value = given.get("op"), given.get("path"), given.get("value")
    if not isinstance(op, str) or op.lower() not in OPS:
        raise InvalidSyntaxException(detail=f"op: {_quoted(op)} is none of add, replace, remove")
    if path is not None and not isinstance(path, str):
        raise InvalidPathException(detail="path must be a string")
    op = op.lower()
    if op != "remove" and "value" not in given:
        raise InvalidValueException(detail=f"the {op} of '{path or 'the resource'}' has no value; send one")
    if path:
        yield from _extension_apart(endpoint, _Target(op, path, value))
    elif op == "remove":
        raise NoTargetException(detail="a remove must have a path, else it would remove everything")
    elif not tolerance.pathless_operations:
        raise InvalidPathException(detail=f"the {op} has no path, which this connection's profile asks for; name one")
    elif not isinstance(value, dict):
        raise InvalidSyntaxException(
            detail=f"the value of {_quoted(op)} without a path must be an object of attributes"
        )
    else:
        for name, one in value.items():
            yield from _extension_apart(endpoint, _Target(op, name, one, is_key=True))


def _extension_apart(endpoint: Endpoint, target: _Target) -> Iterator[_Target]:
    extension = endpoint.attributes.get(target.path.lower())
    if extension is None or not extension.is_extension or not isinstance(target.value, dict):
        yield target
        return
    for name, one in target.value.items():
        yield _Target(target.op, f"{extension.name}:{name}", one, is_key=True)


def _added(endpoint: Endpoint, target: _Target) -> Any:
    """Return the value of a target, as a list where one is added to many (RFC 7644 section 3.5.2.1, PAT-46)."""
    attribute = endpoint.named(target.path)
    to_many = target.op == "add" and attribute is not None and attribute.multi_valued
    return [target.value] if to_many and isinstance(target.value, dict) else target.value


def _is_skipped(endpoint: Endpoint, target: _Target, tolerance: Tolerance, notes: Notes) -> bool:
    """Whether a target is to be left alone: the server keeps ``schemas`` itself (S16), and as keys of a value
    undefined attributes are ignored (A-02) and the common ones echoed (A-04)."""
    if target.path.lower().rpartition(":")[2] == "schemas":
        return True
    if not target.is_key:
        return False
    attribute = endpoint.named(target.path.partition("[")[0])
    if attribute is None:
        if "[" in target.path:  # the library would drop it with a success (S26)
            raise InvalidPathException(detail=f"'{target.path[:200]}' is not an attribute of {endpoint.name}")
        note_unknown(target.path, tolerance, notes)
        return True
    return attribute.name in ("id", "meta")


def _operation(
    endpoint: Endpoint, op: str, path: str, value: Any, tolerance: Tolerance, notes: Notes
) -> Iterator[Operation]:
    attribute, selects = target_of(endpoint, path, tolerance)
    if attribute.mutability == "readOnly" or (parent := endpoint.parent(attribute)) and parent.mutability == "readOnly":
        raise MutabilityException(attribute=path, detail=f"'{path}' is read-only.")
    if op == "remove":
        if value is not None:  # the library refuses it as well, but would let it select where it is told to (S25)
            raise InvalidValueException(detail=f"the remove of '{path[:200]}' has a value; select by a filter instead")
        _check_removable(endpoint, path, attribute)
        yield Operation(op, path, attribute)
        return
    read = _read(attribute, value, selects, tolerance, notes)
    if read is not None:
        yield Operation(op, path, attribute, read)
    elif op == "replace":
        _check_removable(endpoint, path, attribute)
        yield Operation("remove", _emptied(endpoint, path, attribute, selects), attribute)


def _check_removable(endpoint: Endpoint, path: str, attribute: Attribute) -> None:
    if attribute.required and endpoint.parent(attribute) is None:
        raise MutabilityException(
            attribute=path, detail=f"'{path}' is required and cannot be removed; replace it with another value"
        )


def _read(attribute: Attribute, value: Any, selects: bool, tolerance: Tolerance, notes: Notes) -> Any:
    if not selects:
        return read_value(attribute, value, tolerance, notes)
    read = read_value(attribute, [value] if isinstance(value, dict | str) else value, tolerance, notes)
    if read and len(read) > 1:
        raise InvalidValueException(detail=f"{attribute.name}: {len(read)} values for what a filter selects; send one")
    return read[0] if read else None


def _emptied(endpoint: Endpoint, path: str, attribute: Attribute, selects: bool) -> str:
    """Return the path to remove when a value is replaced by nothing: without its ``value`` an element is gone."""
    parent = endpoint.parent(attribute)
    if not selects and "[" in path and parent is not None and attribute.name == "value":
        return path[: path.rindex("]") + 1]
    return path


def _quoted(value: Any) -> str:
    return f"'{value[:60]}'" if isinstance(value, str) else "the value given"
