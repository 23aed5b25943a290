"""Where each attribute is kept: in a column, in the value index, in the membership rows, or in the folded document.

A resource's row holds its **document** (what the client wrote, as sent), columns derived from it, and the account's
own state (licence, returns), which lives in columns alone: it changes for thousands of users in one statement when
a group's licence changes, and no document has to be rewritten for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER, GROUP, USER, Attribute
from scim_server.protocol.folding import fold, fold_name
from scim_server.store.tables import group, user


@dataclass(frozen=True, slots=True)
class Kept:
    """An attribute that has a column of its own."""

    column: sa.Column[Any]
    """What filters and sorts compare: the folded key of a text that is not case-exact."""
    kind: str
    """``text`` (folded or case-exact as the column holds it), ``word`` (ASCII, to be lower-cased), ``boolean``,
    ``integer`` or ``instant`` (microseconds)."""


@dataclass(frozen=True, slots=True)
class Map:
    """Where the attributes of one endpoint are kept, by their lower-cased fully qualified names."""

    table: sa.Table
    columns: Mapping[str, Kept]
    indexed_values: frozenset[str] = frozenset()
    """The multi-valued attributes of the table ``user_value``."""


def _keep(schema: str, columns: Mapping[str, tuple[sa.Column[Any], str]]) -> dict[str, Kept]:
    return {f"{schema}:{name}".lower(): Kept(column, kind) for name, (column, kind) in columns.items()}


LICENCE_COLUMNS: Mapping[str, tuple[sa.Column[Any], str]] = {
    "licenseType": (user.c.licence_type, "word"),
    "licenseActivated": (user.c.licence_activated, "boolean"),
    "licenseStatus": (user.c.licence_status, "word"),
    "licenseStatusReason": (user.c.licence_reason, "word"),
    "licenseSource": (user.c.licence_source, "word"),
    "licensePendingType": (user.c.licence_pending_type, "word"),
    "licenseAssignedAt": (user.c.licence_assigned_at, "instant"),
    "licenseActivatedAt": (user.c.licence_activated_at, "instant"),
    "licenseExpiresAt": (user.c.licence_expires_at, "instant"),
    "licenseResetRequired": (user.c.licence_reset_required, "boolean"),
    "activationsAllowed": (user.c.activations_allowed, "integer"),
    "activationsUsed": (user.c.activations_used, "integer"),
    "smsReturnsEnabled": (user.c.sms_returns, "boolean"),
    "microsoftReturnsEnabled": (user.c.microsoft_returns, "boolean"),
    "deactivatedAt": (user.c.deactivated_at, "instant"),
}
"""The attributes of the account's extension whose truth is the column, in the order in which they are shown."""

GROUP_COLUMNS: Mapping[str, tuple[sa.Column[Any], str]] = {
    "licenseType": (group.c.licence_type, "word"),
    "memberCount": (group.c.member_count, "integer"),
    "licensedMemberCount": (group.c.licensed_member_count, "integer"),
    "pendingMemberCount": (group.c.pending_member_count, "integer"),
}
"""What a group gives, and the counts of its members: attributes whose truth is the column too."""

USERS = Map(
    table=user,
    columns={
        **_keep(
            USER,
            {
                "id": (user.c.id, "text"),
                "externalId": (user.c.external_id, "text"),
                "userName": (user.c.user_name_key, "text"),
                "displayName": (user.c.display_name_key, "text"),
                "active": (user.c.active, "boolean"),
                "meta.created": (user.c.created, "instant"),
                "meta.lastModified": (user.c.modified, "instant"),
            },
        ),
        **_keep(
            ACCOUNT_USER,
            {"kind": (user.c.kind, "word"), "role": (user.c.role, "word"), **LICENCE_COLUMNS},
        ),
    },
    indexed_values=frozenset({f"{USER}:emails.value".lower(), f"{USER}:phoneNumbers.value".lower()}),
)

GROUPS = Map(
    table=group,
    columns={
        **_keep(
            GROUP,
            {
                "id": (group.c.id, "text"),
                "externalId": (group.c.external_id, "text"),
                "displayName": (group.c.display_name_key, "text"),
                "meta.created": (group.c.created, "instant"),
                "meta.lastModified": (group.c.modified, "instant"),
            },
        ),
        **_keep(
            ACCOUNT_GROUP,
            {"kind": (group.c.kind, "word"), **GROUP_COLUMNS},
        ),
    },
)

MAPS: Mapping[str, Map] = {"/Users": USERS, "/Groups": GROUPS}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(text: str) -> int:
    """Return an RFC 3339 time in microseconds since 1970; a time without an offset is read as UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def folded(
    attributes: Mapping[str, Attribute], document: Mapping[str, Any], kept: Mapping[str, Kept]
) -> dict[str, Any]:
    """Return the search form of a document: lower-cased names, folded texts, times in microseconds.

    Attributes with a column of their own are left out, and so are the common ones.
    """
    return dict(_folded(attributes, document, kept))


def _folded(
    attributes: Mapping[str, Attribute], document: Mapping[str, Any], kept: Mapping[str, Kept]
) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        attribute = attributes.get(name.lower())
        if attribute is None or attribute.urn.lower() in kept or attribute.returned == "always":
            continue
        if isinstance(value, list):
            yield name.lower(), [_folded_value(attribute, item, kept) for item in value]
        else:
            yield name.lower(), _folded_value(attribute, value, kept)


def _folded_value(attribute: Attribute, value: Any, kept: Mapping[str, Kept]) -> Any:
    if isinstance(value, dict):
        return dict(_folded(attribute.sub_attributes, value, kept))
    if not isinstance(value, str):
        return value
    return micros(value) if attribute.type == "dateTime" else fold(value, attribute.case_exact)


def value_key(attribute: Attribute, value: str) -> str:
    """Return what a text of ``attribute`` is compared by in a column or in the value index."""
    if attribute.urn.lower() == f"{USER}:userName".lower():
        return fold_name(value)
    return fold(value, attribute.case_exact)
