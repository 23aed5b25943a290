"""What holds of an account at every moment, whoever did what in whatever order, read from its rows."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.model import SEATED, Pool
from scim_server.protocol.catalogue import Endpoint
from scim_server.store import accounts, resources
from scim_server.store.database import execute
from scim_server.store.tables import group, membership, tally, user, user_log, user_value

from .conftest import Api


@dataclass(frozen=True)
class World:
    """The rows of an account at one moment."""

    users: Mapping[str, Any]
    groups: Mapping[str, Any]
    members: Mapping[str, Sequence[str]]
    """The ids of the members of each group."""
    given: Mapping[str, Sequence[str]]
    """The licence types that the groups of each user give, the first assigned first."""
    pools: Mapping[str, Pool]
    values: Mapping[str, frozenset[tuple[str, str]]]
    logs: Mapping[str, int]
    totals: Mapping[str, int]
    """How many users and groups there are by the account's tally."""

    @property
    def administrators(self) -> list[Any]:
        return [one for one in self.users.values() if one.active and one.role == "administrator"]


def look(api: Api) -> World:
    """Read the rows of the account."""
    with api.database.reading(api.account_id):

        def rows(table: sa.Table) -> Any:
            return execute(sa.select(table).where(table.c.account_id == api.account_id))

        users = {row.id: row for row in rows(user)}
        groups = {row.id: row for row in rows(group)}
        memberships = sorted(rows(membership), key=lambda row: (row.added, row.group_id))
        values, logs = list(rows(user_value)), Counter(row.user_id for row in rows(user_log))
        pools, totals = accounts.pools(api.account_id), Counter[str]()
        for row in rows(tally):
            totals[row.kind] += row.number
    members, given, indexed = defaultdict(list), defaultdict(list), defaultdict(set)
    for row in memberships:
        members[row.group_id].append(row.user_id)
        if groups[row.group_id].licence_type:
            given[row.user_id].append(groups[row.group_id].licence_type)
    for row in values:
        indexed[row.user_id].add((row.path, row.value_key))
    frozen = {one: frozenset(indexed[one]) for one in indexed}
    return World(users, groups, members, given, pools, frozen, logs, totals)


def check(api: Api) -> World:
    """Assert all that holds at every moment; returns what was read."""
    world = look(api)
    totals_are_what_there_is(world)
    seats_add_up(world)
    licences_are_whole(world)
    nobody_waits_in_vain(world)
    groups_give_the_best(world)
    groups_count_their_members(world)
    protected_returns_have_their_licence(world)
    indexes_follow_from_documents(api, world)
    return world


def totals_are_what_there_is(world: World) -> None:
    """The kept totals are the numbers of rows."""
    assert (world.totals["user"], world.totals["group"]) == (len(world.users), len(world.groups))


def seats_add_up(world: World) -> None:
    """Of each pool as many licences are assigned as users hold one, never more than are bought (R5, R6)."""
    held = Counter(one.licence_type for one in world.users.values() if one.licence_status in SEATED)
    assert {type: pool.assigned for type, pool in world.pools.items()} == {type: held[type] for type in world.pools}
    assert all(pool.assigned <= pool.total for pool in world.pools.values())


def licences_are_whole(world: World) -> None:
    """The fields of a licence agree with each other, and with the user's being active (R24)."""
    for one in world.users.values():
        seated = one.licence_status in SEATED
        assert (one.licence_type is not None) is seated, one
        assert (one.licence_status == "suspended") is (seated and not one.active), one
        assert (one.licence_status == "activated") <= one.licence_activated <= seated, one
        assert (one.licence_activated_at is not None) is one.licence_activated, one
        assert (one.licence_assigned_at is not None) is seated, one
        assert (one.licence_status == "pending") <= (one.licence_pending_type is not None), one
        assert (one.licence_source is not None) is (seated or one.licence_pending_type is not None), one
        assert (one.deactivated_at is not None) is not one.active, one
        waits = one.licence_pending_type is not None and one.licence_reason != "userInactive"
        assert (one.licence_pending_since is not None) is waits, one
        assert (one.licence_reason == "userInactive") <= (not one.active), one


def nobody_waits_in_vain(world: World) -> None:
    """No active user waits for a type of which a licence is free (R6)."""
    for one in world.users.values():
        if one.active and one.licence_pending_since is not None:
            assert world.pools[one.licence_pending_type].available == 0, one


def groups_give_the_best(world: World) -> None:
    """Who has no direct licence has the best that the groups give, or waits for it, and nothing else (R27)."""
    for one in world.users.values():
        if one.licence_source == "direct" or one.kind != "person":
            continue
        given = set(world.given.get(one.id, ()))
        assert {one.licence_type, one.licence_pending_type} - {None} <= given, (one, given)
        if one.active:
            _holds_the_best(world, one, given)


def _holds_the_best(world: World, one: Any, given: set[str]) -> None:
    tiers = {type: world.pools[type].tier for type in given}
    if len(given) > 1 and None in tiers.values():  # they cannot be compared
        assert one.licence_type or one.licence_pending_type, (one, given)
        return
    held = tiers[one.licence_type] or 0 if one.licence_type else -1
    better = {type for type in given if (tiers[type] or 0) > held}
    assert all(world.pools[type].available == 0 for type in better), (one, given, world.pools)
    best = max(better, key=lambda type: tiers[type] or 0, default=None)
    assert one.licence_pending_type == best, (one, given)


def groups_count_their_members(world: World) -> None:
    """The kept counts of each group are those of its members (R27)."""
    for row in world.groups.values():
        own = [world.users[one] for one in world.members.get(row.id, ())]
        through = [one for one in own if one.licence_source == "group" and row.licence_type]
        licensed = [one for one in through if one.licence_type == row.licence_type]
        pending = [
            one
            for one in through
            if one.active and one.licence_pending_since and one.licence_pending_type == row.licence_type
        ]
        kept = (row.member_count, row.licensed_member_count, row.pending_member_count)
        assert kept == (len(own), len(licensed), len(pending)), row


def protected_returns_have_their_licence(world: World) -> None:
    """Returns are protected only with a licence that can (R16, R18)."""
    for one in world.users.values():
        if one.sms_returns or one.microsoft_returns:
            assert one.licence_type, one
            assert world.pools[one.licence_type].protected_returns, one


def indexes_follow_from_documents(api: Api, world: World) -> None:
    """The columns and values by which a resource is found are those that its document gives."""
    catalogue = api.service.catalogue
    for name, rows in (("User", world.users), ("Group", world.groups)):
        endpoint = catalogue.endpoint_of(name)
        for row in rows.values():
            _follows(endpoint, row)
            if name == "User":
                document = orjson.loads(row.document)
                assert world.values.get(row.id, frozenset()) == resources.indexed_values(endpoint, document), row


def _follows(endpoint: Endpoint, row: Any) -> None:
    again = resources.derived(endpoint, orjson.loads(row.document))
    assert {name: getattr(row, name) for name in again} == again
