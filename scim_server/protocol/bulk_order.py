"""The order in which the operations of a bulk request are carried out (RFC 7644 section 3.7.1).

It is the order sent, but an operation waits for those that create what it refers to. Who manage one another in a
circle can be created all the same: the first of them without its manager, which is added when the manager is there.
Nothing else that is served can be circular and right: the members of a group are users.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from scim_server.protocol.bulk import Operation, references_of
from scim_server.protocol.catalogue import ENTERPRISE
from scim_server.protocol.messages import PATCH_OP


class Part(IntEnum):
    """What of an operation a step carries out."""

    WHOLE = 0
    WITHOUT_MANAGER = 1
    MANAGER = 2
    """Adds the manager to what was created without."""


class Step(NamedTuple):
    """One step of a bulk request."""

    place: int
    """That of its operation among those sent."""
    part: Part


def in_order(operations: Sequence[Operation]) -> list[Step]:
    """Return the steps; last those that wait for one another, in which `resolve` finds what is not there."""
    creating = {one.creates: index for index, one in enumerate(operations) if one.creates is not None}
    chiefs = {
        index: creating[chief]
        for index, one in enumerate(operations)
        if one.creates is not None and (chief := _manager(one)) in creating
    }
    apart = set(_firsts_of_circles(chiefs))
    firsts = [Step(index, Part.WITHOUT_MANAGER if index in apart else Part.WHOLE) for index in range(len(operations))]
    waits = {step: set(_awaited(operations[step.place], step.part, creating, firsts)) for step in firsts}
    waits |= {Step(index, Part.MANAGER): {firsts[index], firsts[chiefs[index]]} for index in apart}
    return _sorted(waits)


def without_manager(operation: Operation) -> Operation:
    """Return the creation of a user without the manager that it names."""
    name, block = _enterprise(operation)
    left = {key: value for key, value in block.items() if key.lower() != "manager"}
    data = {**operation.data, name: left}
    return replace(operation, data=data, references=references_of("POST", operation.path, data))


def adding_manager(operation: Operation, identifier: str) -> Operation:
    """Return the PATCH that adds the manager to the user who was created without."""
    _, block = _enterprise(operation)
    manager = next(value for key, value in block.items() if key.lower() == "manager")
    steps = [{"op": "add", "path": f"{ENTERPRISE}:manager", "value": manager}]
    path, data = f"{operation.path.removesuffix('/')}/{identifier}", {"schemas": [PATCH_OP], "Operations": steps}
    return Operation("PATCH", path, data=data, references=references_of("PATCH", path, data))


def _enterprise(operation: Operation) -> tuple[str, Mapping[str, Any]]:
    for name, value in operation.data.items():
        if name.lower() == ENTERPRISE.lower() and isinstance(value, dict):
            return name, value
    return ENTERPRISE, {}


def _manager(operation: Operation) -> str | None:
    """Return the bulkId that the manager of a user is given by."""
    named = [value for name, value in _enterprise(operation)[1].items() if name.lower() == "manager"]
    found = references_of("POST", "", named)
    return next(iter(found)) if len(found) == len(named) == 1 else None


def _firsts_of_circles(chiefs: Mapping[int, int]) -> Iterator[int]:
    """Give the earliest of each circle of users who manage one another; everybody has one manager at most."""
    seen: dict[int, int] = {}
    for start in chiefs:
        one = start
        while one in chiefs and one not in seen:
            seen[one] = start
            one = chiefs[one]
        if seen.get(one) == start and one in chiefs:
            circle = [one]
            while chiefs[circle[-1]] != one:
                circle.append(chiefs[circle[-1]])
            yield min(circle)


def _awaited(operation: Operation, part: Part, creating: Mapping[str, int], firsts: Sequence[Step]) -> Iterator[Step]:
    left = without_manager(operation) if part is Part.WITHOUT_MANAGER else operation
    yield from (firsts[creating[name]] for name in left.references if name in creating)


def _sorted(waits: Mapping[Step, set[Step]]) -> list[Step]:
    """Return the steps, each after those that it waits for and otherwise as sent."""
    followers: dict[Step, list[Step]] = defaultdict(list)
    for step, awaited in waits.items():
        for one in awaited:
            followers[one].append(step)
    missing = {step: len(awaited) for step, awaited in waits.items()}
    ready = [step for step, count in missing.items() if count == 0]
    heapify(ready)
    order: list[Step] = []
    while ready:
        order.append(heappop(ready))
        for follower in followers[order[-1]]:
            missing[follower] -= 1
            if missing[follower] == 0:
                heappush(ready, follower)
    return [*order, *sorted(step for step, count in missing.items() if count > 0)]
