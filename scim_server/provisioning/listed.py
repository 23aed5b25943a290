"""The use cases that read what the account has and SCIM cannot change: licences, roles, domains, policies (R32).

These lists are short and computed when they are asked for; nothing of them is stored as a document.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scim_server.account.addresses import PUBLIC_PROVIDERS
from scim_server.account.model import ADMINISTRATOR, STANDARD, Pool
from scim_server.account.policies import POLICIES, Policies
from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.documents import Projection, Stored, computed, instant
from scim_server.protocol.searches import Search
from scim_server.provisioning.caller import Caller, Service
from scim_server.provisioning.sifting import matching, ordered
from scim_server.store import accounts, counts
from scim_server.store.pages import Found

Document = Mapping[str, Any]
Wants = Callable[[str], bool]
"""Whether an attribute that costs something is needed for the answer."""

LICENCE_NAMES = {
    "eco": "Eco",
    "advanced": "Advanced",
    "pro": "Pro",
    "apiAdvanced": "API Advanced",
    "apiPro": "API Pro",
    "sharedMailbox": "Shared mailbox",
    "sesar": "SESAR",
}
"""What people call the licence types."""


def fetch(caller: Caller, endpoint: Endpoint, identifier: str) -> Stored | None:
    """Return one resource, or None."""
    return next((one for one in _all(caller, endpoint, lambda _: True) if one.id == identifier), None)


def search(service: Service, caller: Caller, endpoint: Endpoint, asked: Search, chosen: Projection) -> Found:
    """Return one page of those that a search finds."""
    named = f"{asked.filter} {asked.sort_by}".lower()

    def wants(name: str) -> bool:
        return chosen.wants(endpoint.attributes[name.lower()]) or name.lower() in named

    found = _all(caller, endpoint, wants)
    if asked.filter is not None:
        found = matching(service, endpoint, found, asked.filter)
    if asked.sort_by is not None:
        found = ordered(endpoint, found, asked.sort_by, asked.descending, service.base_url)
    offset = asked.start_index - 1
    return Found(tuple(found[offset : offset + (asked.count or 0)]), len(found))


def _all(caller: Caller, endpoint: Endpoint, wants: Wants) -> list[Stored]:
    documents = LISTS[endpoint.path](caller, wants)
    return [computed({"schemas": [endpoint.schema], **_present(one)}) for one in documents]


def _pools(caller: Caller, _: Wants) -> list[Document]:
    suspended, waiting = counts.suspended(caller.account_id), counts.waiting(caller.account_id)
    return [
        {
            **_licence_type(pool),
            "licenseType": pool.type,
            "family": pool.family,
            "tier": pool.tier,
            "protectedReturns": bool(pool.protected_returns),
            "total": pool.total,
            "assigned": pool.assigned,
            "available": pool.available,
            "suspended": suspended.get(pool.type, 0),
            "pending": waiting.get(pool.type, 0),
        }
        for pool in accounts.pools(caller.account_id).values()
    ]


def _entitlements(caller: Caller, _: Wants) -> list[Document]:
    return [_licence_type(pool) for pool in accounts.pools(caller.account_id).values()]


def _licence_type(pool: Pool) -> Document:
    """Return a licence type as an entitlement (draft-ietf-scim-roles-entitlements)."""
    name = LICENCE_NAMES.get(pool.type, pool.type)
    return {
        "id": pool.type,
        "displayName": name,
        "value": pool.type,
        "display": name,
        "type": "license",
        "supported": True,
        "limitedAssignmentsPermitted": True,
        "totalAssignmentsPermitted": pool.total,
        "totalAssignmentsUsed": pool.assigned,
    }


def _roles(caller: Caller, _: Wants) -> list[Document]:
    used = {ADMINISTRATOR: accounts.active_administrators(caller.account_id)}
    return [
        {
            "id": role,
            "displayName": role.capitalize(),
            "value": role,
            "display": role.capitalize(),
            "supported": True,
            "limitedAssignmentsPermitted": False,
            "totalAssignmentsUsed": used.get(role),
        }
        for role in (STANDARD, ADMINISTRATOR)
    ]


def _domains(caller: Caller, wants: Wants) -> list[Document]:
    """The number of users is counted where it is shown or searched, or goes into the version that is shown."""
    users = counts.in_domains(caller.account_id) if wants("userCount") or wants("meta") else None
    return [
        {
            "id": row.name,
            "domainName": row.name,
            "status": row.status,
            "method": row.method,
            "requestedAt": instant(row.requested_at),
            "approvedAt": None if row.approved_at is None else instant(row.approved_at),
            "publicProvider": row.name in PUBLIC_PROVIDERS,
            "userCount": None if users is None else users.get(row.name, 0),
        }
        for row in accounts.domains(caller.account_id)
    ]


def _settings(caller: Caller, _: Wants) -> list[Document]:
    return [{"id": caller.account_id, **settings(caller.policies)}]


def settings(policies: Policies) -> Document:
    """Return the policies as attributes: what is before the dot of a key is complex, a map is a list."""
    document: dict[str, Any] = {}
    for key, (field, _) in POLICIES.items():
        head, dot, tail = key.partition(".")
        value = getattr(policies, field)
        if dot and value is not None:
            document.setdefault(head, {})[tail] = value
        elif not dot:
            document[head] = [{"displayName": name, "licenseType": one} for name, one in value.items()] or None
    return document


def _present(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}


LISTS: Mapping[str, Callable[[Caller, Wants], Sequence[Document]]] = {
    "/LicensePools": _pools,
    "/Entitlements": _entitlements,
    "/Roles": _roles,
    "/ApprovedDomains": _domains,
    "/AccountSettings": _settings,
}
"""How the resources of each of these endpoints are computed, in the order in which they are listed."""
