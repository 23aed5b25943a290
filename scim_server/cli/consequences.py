"""What setting an account's policies does at once, beside what they say from then on."""

from collections.abc import Iterable

from scim_server.account.policies import Policies
from scim_server.account.refusals import Refused
from scim_server.cli.texts import PortalError
from scim_server.provisioning import group_licences
from scim_server.provisioning.changes import entries_of
from scim_server.store import accounts, resources
from scim_server.store.identifiers import now
from scim_server.store.journal import Entry


def of_policies(account_id: str, changed: Iterable[str], policies: Policies) -> list[Entry]:
    """Carry out what the changed policies ask of what is there already; returns the entries that tell it."""
    _have_pools(account_id, policies)
    if "passwords.store" in changed and policies.passwords_store == "off":
        resources.forget_passwords(account_id)
    return _give_by_name(account_id, policies) if "groupLicenses" in changed else []


def _have_pools(account_id: str, policies: Policies) -> None:
    """Have an empty pool for each type that a policy gives, so that users can wait for it (R6, R27)."""
    given = {policies.defaults_licence_type, *policies.group_licences.values()}
    for kind in sorted(one for one in given if one and one not in accounts.pools(account_id)):
        accounts.add_licences(account_id, kind, 0)


def _give_by_name(account_id: str, policies: Policies) -> list[Entry]:
    """Have the groups that are there already give what the policy gives to their names (R27)."""
    try:
        given = group_licences.give_by_name(account_id, policies, now())
    except Refused as refused:
        raise PortalError(f"groupLicenses: {refused.detail} Nothing is set.") from None
    entries = []
    for identifier, name, decided in given:
        told = [{"attribute": "licenseType", "to": group_licences.type_by_name(policies, name)}]
        entries += [Entry("group.updated", "success", "Group", identifier, name, told), *entries_of(decided)]
    return entries
