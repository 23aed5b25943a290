"""A user's document as the member that the rules judge, and the rules' decision back in the document."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from scim2_models import InvalidValueException

from scim_server.account.model import ADMINISTRATOR, PERSON, STANDARD, Member
from scim_server.account.refusals import Refused
from scim_server.protocol.catalogue import ACCOUNT_USER
from scim_server.protocol.entitlements import is_licence, relabelled, to_store, with_licence
from scim_server.protocol.folding import fold

Document = Mapping[str, Any]

ALIASES = {"roles": "role", "entitlements": "licenseType", "timeZone": "timezone"}
"""The second names of one thing (P7); the rules know the first one."""
_ABSENT = object()
_STATE = tuple(
    field.name
    for field in fields(Member)
    if field.name.startswith(("licence_", "activations_", "deactivated_")) and field.name != "licence_type"
)


def with_defaults(document: Document) -> dict[str, Any]:
    """Return a new user's document with what is true of every user who says nothing else (R4)."""
    extension = {
        "kind": PERSON,
        "twoFactorEnabled": False,
        "smsReturnsEnabled": False,
        "microsoftReturnsEnabled": False,
    }
    given = {name: value for name, value in (document.get(ACCOUNT_USER) or {}).items() if value is not None}
    active = document.get("active")
    return {**document, "active": True if active is None else active, ACCOUNT_USER: {**extension, **given}}


def in_step(before: Document | None, after: Document) -> dict[str, Any]:
    """Return ``after`` with its aliases agreeing (P7).

    The one of a pair that differs from the stored state wins; Refused E26 when both do, and differ from each other.
    """
    stored = before or {}
    after = {**after, "roles": _newest_roles(stored.get("roles") or (), after.get("roles"))}
    extension = dict(after.get(ACCOUNT_USER) or {})
    stored_extension = stored.get(ACCOUNT_USER) or {}
    role = _chosen(
        "role and roles",
        stored_extension.get("role", _ABSENT),
        extension.get("role") or _unless(before is None, STANDARD),
        listed_role(after) or _unless(before is None or listed_role(stored) is None, STANDARD),
    )
    extension["role"] = STANDARD if role is _ABSENT else role
    after["roles"] = _roles(after.get("roles"), extension["role"])
    licence = _chosen(
        "licenseType and entitlements",
        stored_extension.get("licenseType"),
        _type(extension.get("licenseType")),
        listed_licence(after, stored_extension.get("licenseType")),
    )
    extension["licenseType"] = licence
    entitlements = relabelled(after.get("entitlements") or (), stored_extension.get("licenseType"))
    after["entitlements"] = with_licence(entitlements, licence) or None
    zone = _chosen("timeZone and timezone", stored.get("timezone"), extension.get("timeZone"), after.get("timezone"))
    extension["timeZone"] = after["timezone"] = zone
    return {**after, ACCOUNT_USER: extension}


def _newest_roles(stored: Sequence[Document], roles: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Return ``roles``, an earlier one that is not primary giving way to a new one that is.

    Entra writes ``roles[primary eq "True"].value``, which describes a second role where the first is not primary.
    """
    known = {fold(role.get("value") or "") for role in stored}
    new = [role for role in roles or () if fold(role.get("value") or "") not in known]
    return new if len(new) == 1 and new[0].get("primary") else roles


def _unless(absent: bool, value: str) -> Any:
    return _ABSENT if absent else value


def _chosen(pair: str, stored: Any, flat: Any, listed: Any) -> Any:
    differing = [value for value in (flat, listed) if not _same(value, stored) and value is not _ABSENT]
    if len(differing) == 2 and not _same(*differing):
        raise Refused("P7", "E26", pair=pair)
    return differing[0] if differing else stored


def _same(one: Any, other: Any) -> bool:
    return fold(one) == fold(other) if isinstance(one, str) and isinstance(other, str) else one is other


def _type(value: str | None) -> str | None:
    return None if value is None or value.lower() == "none" else value


def listed_role(document: Document) -> str | None:
    """Return the role that ``roles`` names, or None; more than one value cannot be kept (R20)."""
    values = {role["value"] for role in document.get("roles") or () if role.get("value")}
    if len(values) > 1:
        raise InvalidValueException(detail=f"roles: {len(values)} values were given; a user has one role. Send one")
    return values.pop() if values else None


def listed_licence(document: Document, held: str | None) -> str | None:
    """Return the licence type that ``entitlements[type eq "license"]`` names, or None (R7).

    The one that is held gives way to another that is added to it: that is a change of type (R8).
    """
    values = {fold(one["value"]): one["value"] for one in document.get("entitlements") or () if is_licence(one)}
    if len(values) > 1:
        values.pop(fold(held or ""), None)
    if len(values) > 1:
        raise Refused("R7", "E26", pair="licenseType and entitlements")
    return _type(next(iter(values.values()))) if values else None


def _roles(roles: list[dict[str, Any]] | None, role: str) -> list[dict[str, Any]] | None:
    """Return ``roles`` as sent when it names the role, else the shortest list that does."""
    if roles and all(fold(one.get("value") or "") == fold(role) for one in roles):
        return roles
    return [{"value": ADMINISTRATOR, "primary": True}] if fold(role) == ADMINISTRATOR else None


def member_of(identifier: str, document: Document, state: Any = None) -> Member:
    """Return the member that a whole document describes; ``state`` is the row with the account's own columns."""
    asked = asked_of(identifier, document)
    if state is None:
        return asked
    return replace(asked, **{name: getattr(state, name) for name in _STATE})


def asked_of(identifier: str, document: Document) -> Member:
    """Return what a document says of a member, the account's own state left at its defaults."""
    extension = document[ACCOUNT_USER]
    return Member(
        id=identifier,
        user_name=document["userName"],
        kind=extension.get("kind") or PERSON,
        active=document.get("active") is not False,  # who removes the attribute disables nobody
        role=extension["role"],
        work_addresses=_work_addresses(document),
        mobile=_mobile(document),
        sms_country_code=extension.get("smsCountryCode"),
        time_zone=document.get("timezone"),
        two_factor=bool(extension.get("twoFactorEnabled")),
        sms_returns=bool(extension.get("smsReturnsEnabled")),
        microsoft_returns=bool(extension.get("microsoftReturnsEnabled")),
        licence_type=extension.get("licenseType"),
        licence_activated=bool(extension.get("licenseActivated")),
    )


def asking(before: Member, document: Document) -> Member:
    """Return ``before`` with what a document asks of it."""
    asked = asked_of(before.id, document)
    state = {name: getattr(before, name) for name in _STATE if name != "licence_activated"}
    return replace(asked, **state)


def decided(document: Document, member: Member) -> dict[str, Any]:
    """Return the document as the rules have decided: canonical role and time zone, the account's state left out."""
    extension = {
        **document[ACCOUNT_USER],
        "role": member.role,
        "twoFactorEnabled": member.two_factor,
        "timeZone": member.time_zone,
    }
    for name in _ACCOUNT_STATE:
        extension.pop(name, None)
    after = {**document, "timezone": member.time_zone, ACCOUNT_USER: extension}
    after["roles"] = _roles(after.get("roles"), member.role)
    after["entitlements"] = to_store(after.get("entitlements") or (), member.licence_type) or None
    for name in ("password", "groups", "meta"):
        after.pop(name, None)
    return after


_ACCOUNT_STATE = (
    "licenseType", "licenseActivated", "licenseTransferTo", "licenseStatus", "licenseStatusReason", "licenseSource",
    "licensePendingType", "licenseAssignedAt", "licenseActivatedAt", "licenseExpiresAt", "licenseResetRequired",
    "activationsAllowed", "activationsUsed", "smsReturnsEnabled", "microsoftReturnsEnabled", "deactivatedAt",
    "logEntryCount", "lastActivityAt",
)  # fmt: skip


def _work_addresses(document: Document) -> tuple[str, ...]:
    """The e-mails whose domain must be approved: the primary one and those of type work (R2)."""
    emails = document.get("emails") or ()
    return tuple(
        one["value"]
        for one in emails
        if one.get("value") and (one.get("primary") or fold(one.get("type") or "") == "work")
    )


def _mobile(document: Document) -> str | None:
    phones = document.get("phoneNumbers") or ()
    return next((one["value"] for one in phones if one.get("value") and fold(one.get("type") or "") == "mobile"), None)


def asserted_names(urns: frozenset[str]) -> frozenset[str]:
    """Return the rules' names of asserted attributes from their fully qualified ones."""
    heads = (urn.rpartition(":")[2].partition(".")[0] for urn in urns)
    return frozenset(ALIASES.get(head, head) for head in heads)
