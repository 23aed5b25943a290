"""What a change of a group does to its members' licences: sets of users, in statements bounded by their number (R27).

The account must be locked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from scim_server.account import rules
from scim_server.account.case import same_type
from scim_server.account.policies import Policies
from scim_server.protocol.catalogue import ACCOUNT_GROUP
from scim_server.protocol.folding import fold
from scim_server.provisioning.caller import Caller
from scim_server.provisioning.moving import Moved
from scim_server.provisioning.seats import Decided, carry_out, follow, present
from scim_server.store import accounts, group_licences, memberships


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
    left = followed(caller, list(moved.left), now) if moved.left else []
    group_licences.set_type(caller.account_id, group_id, after, now)
    return [*left, *give(caller.account_id, caller.policies, group_id, after, now)]


def give(account_id: str, policies: Policies, group_id: str, licence_type: str | None, now: int) -> list[Decided]:
    """Have the members of a group follow it that gives another type now, or none."""
    members = memberships.ids(account_id, group_id)
    decided = follow(account_id, policies, members, now, may_refuse=licence_type is not None)
    if licence_type is not None:
        were = [one.before for one in decided if one.before is not None]
        group_licences.count(account_id, group_id, licence_type, were, ())
    return carry_out(account_id, policies, decided, now)


def members_moved(caller: Caller, group_id: str, licence_type: str, moved: Moved, now: int) -> list[Decided]:
    """Have who left the group follow, then who came: a seat that is freed goes to who waits for it already.

    All of them are counted before anybody follows: who came may be served by what those who left set free.
    """
    account_id, policies = caller.account_id, caller.policies
    came, left = list(moved.came), list(moved.left)
    group_licences.count(account_id, group_id, licence_type, present(account_id, came), present(account_id, left))
    told = followed(caller, left, now) if left else []
    decided = follow(account_id, policies, came, now, may_refuse=True) if came else []
    return [*told, *carry_out(account_id, policies, decided, now)]


def followed(caller: Caller, users: Sequence[str], now: int) -> list[Decided]:
    """Have users follow their groups after one of those is gone."""
    decided = follow(caller.account_id, caller.policies, users, now, may_refuse=False)
    return carry_out(caller.account_id, caller.policies, decided, now)
