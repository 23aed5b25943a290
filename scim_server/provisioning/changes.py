"""What a write did, as entries of the journal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from scim_server.account.effects import Effect, LogsPurged, UserCreated, UserDeleted
from scim_server.account.model import Member
from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER
from scim_server.provisioning.seats import Decided
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
    own: Decided, user_name: str | None, changes: Sequence[Change], others: Iterable[Decided]
) -> list[Entry]:
    """Return the entries of one write on a user: the write itself first, then everything that came of it.

    ``user_name`` is what the journal calls the user, who may be gone.
    """
    effects = own.plan.effects
    written = [] if any(isinstance(effect, UserCreated | UserDeleted) for effect in effects) else ["user.updated"]
    entries = [Entry(action, "success", "User", own.member.id, user_name, changes) for action in written]
    return [*entries, *_effect_entries(own, user_name, changes), *entries_of(others)]


def entries_of(decided: Iterable[Decided]) -> list[Entry]:
    """Return the entries of what was decided about users whom a request does not name."""
    return [entry for one in decided for entry in _effect_entries(one, one.member.user_name, ())]


def _effect_entries(decided: Decided, user_name: str | None, created: Sequence[Change]) -> Iterator[Entry]:
    for effect in decided.plan.effects:
        told = created if isinstance(effect, UserCreated | UserDeleted) else _told(effect)
        purged = decided.logs_purged if isinstance(effect, LogsPurged) else None
        yield Entry(effect.action, "success", "User", decided.member.id, user_name, told, purged)


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
        target = {"to": values.pop("target_id")} if "target_id" in values else {}
        changes.append({"attribute": "user", "from": values.pop("source_id"), **target})
    return changes + [{"attribute": name, "to": value} for name, value in values.items()]


def masked_name(user_name: str, audit_identity: str) -> str | None:
    """Return what the journal keeps of a deleted user's name: ``j***@example.com``, all of it, or nothing (R29)."""
    if audit_identity == "full":
        return user_name
    local, at, domain = user_name.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if audit_identity == "masked" else None
