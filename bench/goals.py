"""The goals: how much more than the floor a request may cost, and how much more it may cost as the users grow."""

from typing import NamedTuple

MARGIN = 1.2
"""A ratio of two medians moves by 10-20 % from run to run: a goal is missed beyond that only."""


class Goals(NamedTuple):
    """What a scenario may cost, as a ratio of CPU per request; None where there is no goal."""

    sqlite: float | None
    postgresql: float | None
    growth_sqlite: float | None = 1.25
    """Ours at a size over ours at the smallest size."""
    growth_postgresql: float | None = 1.25

    def ratio(self, database: str) -> float | None:
        """Return the goal of ours over the floor."""
        return self.sqlite if database == "sqlite" else self.postgresql

    def growth(self, database: str) -> float | None:
        """Return the goal of a size over the smallest one."""
        return self.growth_sqlite if database == "sqlite" else self.growth_postgresql


GOALS = {
    "get": Goals(1.8, 1.5),
    "get_304": Goals(1.7, 1.4),
    "lookup": Goals(2.0, 1.6),
    "lookup_miss": Goals(2.0, 1.6),
    "external": Goals(2.0, 1.6),
    "list_first": Goals(3.0, 2.0, 2.0, 3.0),
    "list_deep": Goals(3.0, 2.0, 8.0, 8.0),
    "cursor": Goals(3.0, 2.0),
    "patch": Goals(3.2, 2.2),
    "patch_noop": Goals(2.4, 1.6),
    "put": Goals(2.8, 2.0),
    "member_add": Goals(3.0, 2.2),
    "member_remove": Goals(3.0, 2.2),
    "group_head": Goals(2.0, 1.6),
    "group_full": Goals(0.7, 0.7, None, None),
    "create": Goals(2.8, 2.0),
    "mixed": Goals(2.6, 2.0),
    "bulk": Goals(None, None),
    "delete": Goals(2.8, 2.0),
}
"""By scenario. Growth of the group scenarios is also held from one size of the group to the next."""
SMALL_GROUP_FULL = Goals(2.0, 1.6, None, None)
"""What the floor builds in Python is little for a small group: then a group read whole is a read like another one."""
MEMBERS_GROWTH = 1.25
"""What adding or removing a member may cost in a large group, over the group of 100."""
HEAD_GROWTH = 1.2
"""The same for a group that is read without its members."""
MEMORY_GROWTH = 1.1
"""What the workers may use at the largest size, over the smallest one, up to 100,000 users."""


def verdict(found: float | None, goal: float | None) -> str:
    """Return how a ratio compares with its goal, in words."""
    if goal is None:
        return "no goal"
    if found is None:
        return "too short to tell"
    if found <= goal:
        return "reached"
    return "reached within 20 %" if found <= goal * MARGIN else "MISSED"
