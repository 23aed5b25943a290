"""A PATCH body -> operations that each name one target; scim2-models applies them (RFC 7644 section 3.5.2).

An operation without a path is taken apart into one operation per attribute of its value, so that every shape that
IdPs send (dotted keys, URN keys, keys with a filter) ends in the same form. Operations on a group's members leave
the others: members are rows, not part of a document, and scim2-models is quadratic on them (S3).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from scim2_models import (
    Context,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    MutabilityException,
    NoTargetException,
    PatchOp,
    PayloadTooLargeException,
    Resource,
    ScimPolicy,
)

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.intake import Notes, Tolerance, note_unknown, read_value
from scim_server.protocol.messages import PATCH_OP, telling_scim_errors, with_schemas
from scim_server.protocol.paths import target_of
from scim_server.protocol.selections import MemberChange, member_change

OPS = ("add", "replace", "remove")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation with one target: a path in attribute notation, perhaps with a value filter."""

    op: str
    path: str
    attribute: Attribute
    """What the path ends at."""
    value: Any = None

    @property
    def is_plain(self) -> bool:
        """Whether it sets one simple value, which was read as its attribute takes it: nothing is left to judge."""
        attribute = self.attribute
        kind = (attribute.type in _PLAIN, attribute.multi_valued, attribute.mutability)
        return (
            self.op != "remove" and kind == (True, False, "readWrite") and "." not in attribute.urn.rpartition(":")[2]
        )


_PLAIN = frozenset({"string", "boolean", "integer"})


@dataclass(frozen=True, slots=True)
class Patch:
    """What a PATCH asks for."""

    operations: tuple[Operation, ...]
    members: tuple[MemberChange, ...]
    notes: Notes
    claimed: tuple[Any, ...] = ()
    """The ids that values without a path repeat; they cannot change (A-04)."""

    @property
    def asserted(self) -> frozenset[str]:
        """The fully qualified names of what the operations write, and of what that is part of (P7)."""
        names = {operation.attribute.urn for operation in self.operations}
        return frozenset(names | {name.rpartition(".")[0] for name in names if "." in name.rpartition(":")[2]})

    def apply(self, endpoint: Endpoint, document: Mapping[str, Any], policy: ScimPolicy) -> dict[str, Any]:
        """Return the document with all operations applied, or raise the SCIM error of the first that cannot be.

        Where all that is asked is to set simple values, as in most requests of IdPs, no model is built.
        """
        if any(one != document["id"] for one in self.claimed):
            raise MutabilityException(attribute="id", detail="'id' is read-only.")
        plain = all(operation.is_plain for operation in self.operations)
        applied = _with_values if plain else partial(_modelled, policy)
        after = with_schemas(endpoint, applied(endpoint, document, self.operations))
        _check_demands(endpoint, after)
        return after


def _modelled(
    policy: ScimPolicy, endpoint: Endpoint, document: Mapping[str, Any], operations: Sequence[Operation]
) -> dict[str, Any]:
    """Return the document as scim2-models leaves it.

    The model is given only the attributes that an operation names, and the required ones: no operation sees more, and
    to read and write the whole document costs several times that.
    """
    model: Any = endpoint.model
    touched = {endpoint.heads[operation.attribute.urn] for operation in operations} | endpoint.required
    part = {name: value for name, value in document.items() if name in touched}
    extensions = [urn for urn in endpoint.extensions if urn in part]
    with telling_scim_errors():
        resource: Resource[Any] = model.model_validate(
            {**part, "schemas": [endpoint.schema, *extensions]}, scim_policy=policy
        )
        message = PatchOp.__class_getitem__(model).model_validate(
            {"schemas": [PATCH_OP], "Operations": [_as_sent(operation) for operation in operations]},
            scim_ctx=Context.RESOURCE_PATCH_REQUEST,
            scim_policy=policy,
        )
        for operation, step in zip(operations, message.operations or (), strict=True):
            _carry_out(operation, message.model_copy(update={"operations": [step]}), resource, policy)
        changed: dict[str, Any] = resource.model_dump()
    untouched = {name: value for name, value in document.items() if name not in touched}
    return {**untouched, **changed}


def _with_values(endpoint: Endpoint, document: Mapping[str, Any], operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the document with simple values set, at its top level or in an extension."""
    after = dict(document)
    for operation in operations:
        attribute = operation.attribute
        head = endpoint.heads[attribute.urn]
        after[head] = (
            operation.value if head == attribute.name else {**(after.get(head) or {}), attribute.name: operation.value}
        )
    return after


def _carry_out(operation: Operation, step: Any, resource: Resource[Any], policy: ScimPolicy) -> None:
    """Apply one operation; an add creates the element that its path describes, whatever a replace may (A-05)."""
    creates = {"unmatched_path_filter": ScimPolicy.UnmatchedPathFilter.create}
    try:
        step.patch(resource, policy.model_copy(update=creates) if operation.op == "add" else policy)
    except NoTargetException:
        raise NoTargetException(detail=f"path '{operation.path[:200]}' selects no value") from None


def _check_demands(endpoint: Endpoint, document: Mapping[str, Any]) -> None:
    """Refuse a complex value or an extension without a part that it must have, which a PATCH can leave (S15)."""
    if endpoint.demands_parts:
        _check_parts(endpoint.attributes, document)


def _check_parts(attributes: Mapping[str, Attribute], document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        parts = attributes[name.lower()].sub_attributes if name.lower() in attributes else {}
        for element in value if isinstance(value, list) else [value]:
            if not parts or not isinstance(element, dict):
                continue
            missing = next((one for one in parts.values() if one.required and element.get(one.name) is None), None)
            if missing:
                raise InvalidValueException(detail=f"{missing.urn} is required; send it as well")
            _check_parts(parts, element)


def _as_sent(operation: Operation) -> dict[str, Any]:
    sent = {"op": operation.op, "path": operation.path}
    return sent if operation.op == "remove" else {**sent, "value": operation.value}


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
