"""All scenarios, in the order of a round."""

from collections.abc import Sequence

from bench import cycle, groups, lists, users
from bench.dataset import GROUP_SIZES, group_sizes
from bench.side import Scenario

_FIXED = (
    Scenario("get", "GET by id", users.get),
    Scenario("get_304", "GET by id, 304", users.get_304, set_up=users.first_users),
    Scenario("lookup", "userName lookup, hit", users.lookup),
    Scenario("lookup_miss", "userName lookup, miss", users.lookup_miss),
    Scenario("external", "externalId lookup", users.external),
    Scenario("list_first", f"first page of {lists.PAGE}", lists.list_first),
    Scenario("list_deep", f"last page of {lists.PAGE}", lists.list_deep),
    Scenario("cursor", f"cursor page of {lists.PAGE}", lists.cursor),
    Scenario("patch", "PATCH one attribute", users.patch, users.titled),
    Scenario("patch_noop", "PATCH that changes nothing", users.patch_noop, users.titled, users.first_users),
    Scenario("put", "PUT", users.put, users.titled),
)
_GROWING = (
    Scenario("create", "POST", users.create, users.created, is_growing=True),
    Scenario("mixed", "mixed first cycle", cycle.mixed, cycle.joined, is_growing=True),
    Scenario("bulk", f"bulk of {cycle.BULK} POST", cycle.bulk, cycle.created_in_bulk, is_growing=True),
    Scenario("delete", "DELETE", users.delete, users.deleted, is_growing=True),
)
"""They come after all rounds of the others, so that those see equally many users."""
SCENARIOS = (*_FIXED, *(one for size in GROUP_SIZES for one in groups.of_size(size)), *_GROWING)
MAIN = ("get", "lookup", "list_first", "patch", "put", "member_add", "member_remove", "group_full", "create", "delete")
"""The scenarios of the short mode."""
NAMES = tuple(dict.fromkeys(one.name for one in SCENARIOS))


def chosen(names: Sequence[str], user_count: int, smallest_group: int = 0) -> list[Scenario]:
    """Return the scenarios of some names that so many users allow; with a smallest group, those of groups alone."""
    sizes = [size for size in group_sizes(user_count) if size >= smallest_group]
    found = [one for one in SCENARIOS if one.name in names and (one.members is None or one.members in sizes)]
    found = [one for one in found if one.members is not None or not smallest_group]
    if any(one.name == "delete" for one in found) and not any(one.name == "create" for one in found):
        found.insert(-1, next(one for one in _GROWING if one.name == "create"))  # who is deleted was created
    if any(one.name == "member_remove" for one in found) and not any(one.name == "member_add" for one in found):
        wanted = {*names, "member_add"}
        return chosen(tuple(wanted), user_count, smallest_group)
    return found
