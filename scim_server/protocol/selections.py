"""What a PATCH asks of a group's members: rows to add, to remove, or to be the only ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scim2_models import InvalidPathException, InvalidValueException, MutabilityException
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.intake import MEMBERS, Notes, Tolerance, read_value
from scim_server.protocol.paths import parsed_path


@dataclass(frozen=True, slots=True)
class MemberChange:
    """Members to ``add``, to ``remove``, or to be the only ones (``replace``), by their ids in the order sent."""

    op: str
    ids: tuple[str, ...]


def member_change(
    endpoint: Endpoint, op: str, path: str, value: Any, tolerance: Tolerance, notes: Notes
) -> MemberChange | None:
    """Return the change of members that an operation asks for, or None when it is about something else.

    Raises mutability for a sub-attribute of a member, invalidPath for a selection by anything but ``value``.
    """
    attribute = endpoint.attributes.get("members")
    named = endpoint.named(path.partition("[")[0])
    if (
        attribute is None
        or attribute.urn != MEMBERS
        or named is None
        or attribute not in (named, endpoint.parent(named))
    ):
        return None
    parsed = parsed_path(endpoint, path)
    if parsed.attr.partition(".")[2] or (path.partition("]")[2] if "[" in path else ""):
        raise MutabilityException(detail=f"'{path}': a member cannot be changed, only added or removed")
    if parsed.value_filter is not None:
        selected = [{"value": one} for one in _selected(parsed.value_filter, path)]
        ids = member_ids(read_value(attribute, selected, tolerance, notes))
        return MemberChange("remove" if op == "remove" else "add", ids)
    if op == "remove" and value is None:
        return MemberChange("replace", ())
    return MemberChange(op, member_ids(read_value(attribute, value, tolerance, notes)))


def member_ids(members: Any) -> tuple[str, ...]:
    """Return the ids of the members in a body, each once, in the order sent."""
    ids = []
    for member in members or ():
        if not member.get("value"):
            raise InvalidValueException(detail="members: every member needs its user's id as value")
        ids.append(member["value"])
    return tuple(dict.fromkeys(ids))


def _selected(node: FilterNode, path: str) -> Iterator[str]:
    """Yield the ids that a value filter on members names: ``value eq "a" or value eq "b"``."""
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.or_:
        for term in node.terms:
            yield from _selected(term, path)
    elif (
        isinstance(node, Comparison)
        and node.op == CompareOperator.eq
        and node.attr_path.attr.lower() == "value"
        and isinstance(node.value, str)
    ):
        yield node.value
    else:
        raise InvalidPathException(detail=f"path '{path[:200]}': members are selected by value eq \"<id>\" only")
