"""What a change of a group does to its members' licences: sets of users, in statements bounded by their number (R27).

The account must be locked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from scim_server.account import rules
from scim_server.account.case import same_type
from scim_server.account.model import Member
from scim_server.account.policies import Policies
from scim_server.protocol.catalogue import ACCOUNT_GROUP
from scim_server.protocol.folding import fold
from scim_server.provisioning.caller import Caller
from scim_server.provisioning.moving import Moved
from scim_server.provisioning.seats import Decided, carry_out, follow
from scim_server.store import accounts, group_licences, licences, memberships
from scim_server.store.database import chunks


def type_of_new(policies: Policies, document: Mapping[str, Any]) -> str | None:
    """Return the type that a new group is to give, as asked: the request's, else the account's for its name."""
    asked: str | None = document[ACCOUNT_GROUP].get("licenseType")
    if asked is not None:
        return asked
    return type_by_name(policies, document["displayName"])


def type_by_name(policies: Policies, display_name: str) -> str | None:
    """Return the type that the account's policy ``groupLicenses`` gives to groups of this name (rules.md 4.3)."""
    by_name = {fold(name): licence_type for name, licence_type in policies.group_licences.items()}
    return by_name.get(fold(display_name))


def checked(account_id: str, asked: str | None) -> str | None:
    """Return the type in the account's own spelling; None for none; raises Refused E4, E24."""
    return rules.type_to_give(asked, accounts.pools(account_id)) if asked is not None else None


def type_asked(account_id: str, given: str | None, document: Mapping[str, Any]) -> str | None:
    """Return the type that a group is to give after a change of its document; what stays is not looked up."""
    asked: str | None = document[ACCOUNT_GROUP].get("licenseType")
    return given if same_type(asked, given) else checked(account_id, asked)


def give_by_name(account_id: str, policies: Policies, now: int) -> list[tuple[str, str, list[Decided]]]:
    """Have the groups that are there already give what ``groupLicenses`` gives to their names, if they give nothing.

    Returns the id and the name of each group, and what was decided about its members.
    """
    keys = [fold(name) for name in policies.group_licences]
    given = []
    for row in group_licences.without_type(account_id, keys):
        licence_type = rules.type_to_give(type_by_name(policies, row.display_name), accounts.pools(account_id))
        group_licences.set_type(account_id, row.id, licence_type, now)
        given.append((row.id, row.display_name, give(account_id, policies, row.id, licence_type, now)))
    return given


def changed(
    caller: Caller, group_id: str, before: str | None, after: str | None, moved: Moved, now: int
) -> list[Decided]:
    """Have all whom a change of a group concerns follow it; returns what was decided."""
    if before == after:
        return members_moved(caller, group_id, after, moved, now) if after else []
    account_id, policies = caller.account_id, caller.policies
    members = _give_and_count(account_id, group_id, after, now)
    left = followed(caller, list(moved.left), now) if moved.left else []
    return [*left, *_followed(account_id, policies, members, now, may_refuse=after is not None)]


def give(account_id: str, policies: Policies, group_id: str, licence_type: str | None, now: int) -> list[Decided]:
    """Have a group give another type, or none, and its members follow it."""
    members = _give_and_count(account_id, group_id, licence_type, now)
    return _followed(account_id, policies, members, now, may_refuse=licence_type is not None)


def _give_and_count(account_id: str, group_id: str, licence_type: str | None, now: int) -> list[str]:
    """Have a group give another type, or none, and count who has it already; returns the ids of its members."""
    members = memberships.ids(account_id, group_id)
    group_licences.set_type(account_id, group_id, licence_type, now)
    if licence_type is not None:
        group_licences.count(account_id, group_id, licence_type, _as_they_are(account_id, members), ())
    return members


def members_moved(caller: Caller, group_id: str, licence_type: str, moved: Moved, now: int) -> list[Decided]:
    """Have who left the group follow, then who came: a seat that is freed goes to who waits for it already.

    All are counted before any of it, as they are then: a seat may pass from one who leaves to one who comes.
    """
    account_id, policies = caller.account_id, caller.policies
    came, left = list(moved.came), list(moved.left)
    as_they_are = _as_they_are(account_id, came), _as_they_are(account_id, left)
    group_licences.count(account_id, group_id, licence_type, *as_they_are)
    told = _followed(account_id, policies, left, now, may_refuse=False) if left else []
    return [*told, *_followed(account_id, policies, came, now, may_refuse=True)] if came else told


def followed(caller: Caller, users: Sequence[str], now: int) -> list[Decided]:
    """Have users follow their groups after one of those is gone."""
    return _followed(caller.account_id, caller.policies, users, now, may_refuse=False)


def _followed(
    account_id: str, policies: Policies, users: Sequence[str], now: int, *, may_refuse: bool
) -> list[Decided]:
    return carry_out(account_id, policies, follow(account_id, policies, users, now, may_refuse=may_refuse), now)


def _as_they_are(account_id: str, users: Sequence[str]) -> list[Member]:
    """Return those of the users whom groups may give a licence, in order of their ids."""
    return [one for chunk in chunks(users) for one in licences.without_direct(account_id, sorted(chunk)).values()]
