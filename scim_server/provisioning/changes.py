"""What a write did, as entries of the journal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from scim_server.account.effects import Effect, UserCreated, UserDeleted
from scim_server.account.model import Member, Plan
from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER
from scim_server.store.accounts import Granted
from scim_server.store.journal import Entry

TOLD = frozenset({"active", "roles", "timezone", "kind", "role", "twoFactorEnabled", "licenseType", "timeZone"})
"""The attributes whose values the journal may tell; of the others it names the attribute only (R29)."""
_MEMBER_FIELDS = {
    "licenseType": "licence_type",
    "licenseStatus": "licence_status",
    "licensePendingType": "licence_pending_type",
    "licenseActivated": "licence_activated",
    "smsReturnsEnabled": "sms_returns",
    "microsoftReturnsEnabled": "microsoft_returns",
}

Change = Mapping[str, Any]


def document_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[Change]:
    """Return what differs between two documents: names, and values where they may be told."""
    changes: list[Change] = []
    for name in sorted({*before, *after} - {"schemas", "id"}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name.lower().startswith("urn:"):
            inner = document_changes(old or {}, new or {})
            known = name in (ACCOUNT_USER, ACCOUNT_GROUP)
            changes += inner if known else [{"attribute": f"{name}:{one['attribute']}"} for one in inner]
        else:
            changes.append({"attribute": name, **({"from": old, "to": new} if name in TOLD else {})})
    return changes


def member_changes(before: Member | None, after: Member) -> Sequence[Change]:
    """Return what differs in the account's own state of a user."""
    old = before or Member(id="", user_name="")
    return [
        {"attribute": name, "from": getattr(old, field), "to": getattr(after, field)}
        for name, field in _MEMBER_FIELDS.items()
        if getattr(old, field) != getattr(after, field)
    ]


def ignored(names: Iterable[str]) -> Sequence[Change]:
    """Return the undefined attributes of a body, so that a typing error in a mapping is found (A-02)."""
    return [{"attribute": name, "ignored": True} for name in dict.fromkeys(names)][:50]


def user_entries(
    user_id: str,
    user_name: str | None,
    plan: Plan,
    changes: Sequence[Change],
    granted: Iterable[Granted],
    purged: int | None,
) -> list[Entry]:
    """Return the entries of one write on a user: the write itself first, then everything that came of it."""
    entry = partial(Entry, target_type="User", target_id=user_id, target_name=user_name)
    entries = []
    if not any(isinstance(effect, UserCreated | UserDeleted) for effect in plan.effects):
        entries.append(entry("user.updated", changes=changes))
    for effect in plan.effects:
        told = changes if isinstance(effect, UserCreated) else _told(effect)
        count = purged if effect.action == "logs.purged" else None
        entries.append(entry(effect.action, changes=told, logs_purged=count))
    if (target := plan.transfer_target) is not None:
        told = [{"attribute": "licenseType", "to": target.licence_type}, {"attribute": "user", "from": user_id}]
        entries.append(Entry("license.received", "success", "User", target.id, target.user_name, told))
    for one in granted:
        told = [{"attribute": "licenseType", "to": one.type}]
        entries.append(Entry("license.granted", "success", "User", one.id, one.user_name, told))
    return entries


def _told(effect: Effect) -> list[Change]:
    """Return the fields of an effect as changes: ``before`` and ``after`` are one, the others are told as they are."""
    values = {field.name: getattr(effect, field.name) for field in fields(effect)}
    changes: list[Change] = []
    if "before" in values:
        attribute = "role" if effect.action.startswith("role") else "licenseType"
        changes.append({"attribute": attribute, "from": values.pop("before"), "to": values.pop("after")})
    if "type" in values:
        changes.append({"attribute": "licenseType", "to": values.pop("type")})
    if "source_id" in values:
        changes.append({"attribute": "user", "from": values.pop("source_id"), "to": values.pop("target_id")})
    return changes + [{"attribute": name, "to": value} for name, value in values.items()]


def masked_name(user_name: str, audit_identity: str) -> str | None:
    """Return what the journal keeps of a deleted user's name: ``j***@example.com``, all of it, or nothing (R29)."""
    if audit_identity == "full":
        return user_name
    local, at, domain = user_name.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if audit_identity == "masked" else None
