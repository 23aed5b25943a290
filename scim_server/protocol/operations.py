"""The operations of a PATCH, applied to a document (RFC 7644 section 3.5.2).

scim2-models applies them, to no more of the document than they name. Operations on a group's members are none of
these: members are rows, not part of a document, and scim2-models is quadratic on them (S3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from scim2_models import (
    Context,
    InvalidValueException,
    MutabilityException,
    NoTargetException,
    PatchOp,
    Resource,
    ScimPolicy,
)

from scim_server.protocol.catalogue import Attribute, Endpoint
from scim_server.protocol.intake import Notes
from scim_server.protocol.messages import PATCH_OP, telling_scim_errors, with_schemas
from scim_server.protocol.selections import MemberChange


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
        is_part = "." in attribute.urn.rpartition(":")[2]
        is_simple = attribute.type in _PLAIN and not attribute.multi_valued and not is_part
        return self.op != "remove" and is_simple and attribute.mutability == "readWrite"


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
