"""What both servers begin with: how many users, the groups and their members, and which of them are asked for."""

from typing import Any, NamedTuple

GROUP_SIZES = (100, 10_000, 100_000)
MIXED = "mixed"
"""The name of the group that the mixed cycle adds to; it begins without members."""
ASKED = 4000
"""At most so many users are asked for, spread over all who are in no group, so that sizes can be compared."""
SPARE = 40
"""So many users at least are in no group."""


class Loaded(NamedTuple):
    """What a server has been loaded with, as the driver must know it."""

    token: str
    total: int
    users: list[tuple[str, int]]
    """The ids of the users that are asked for, with their numbers."""
    groups: dict[str, str]
    """The ids of the groups by their name, which is the number of their members."""


def group_sizes(users: int) -> list[int]:
    """Return the sizes of the groups that so many users have."""
    return [size for size in GROUP_SIZES if size + SPARE <= users]


def asked_numbers(users: int) -> list[int]:
    """Return the numbers of the users that are asked for."""
    groups = [member_numbers(size, users) for size in group_sizes(users)]
    first = max((one.stop for one in groups if one.start == 0), default=0)
    end = min((one.start for one in groups if one.start > 0), default=users)
    return list(range(first, end, max(1, (end - first) // ASKED)))[:ASKED]


def member_numbers(size: int, users: int) -> range:
    """Return the numbers of a group's members: the first users in the small one, the last in the others.

    So the first pages show users of as many groups whatever the number of users, and sizes can be compared.
    """
    return range(size) if size == GROUP_SIZES[0] else range(users - size, users)


def group_body(name: str) -> dict[str, Any]:
    """Return the body that creates a group."""
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": f"Group {name}"}
