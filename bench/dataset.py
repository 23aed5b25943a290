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
    first = max(group_sizes(users), default=0)
    step = max(1, (users - first) // ASKED)
    return list(range(first, users, step))[:ASKED]


def group_body(name: str) -> dict[str, Any]:
    """Return the body that creates a group."""
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": f"Group {name}"}
