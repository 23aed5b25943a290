"""Where each attribute is kept: in a column, in the value index, in the membership rows, or in the folded document.

A resource's row holds its **document** (what the client wrote, as sent), columns derived from it, and the account's
own state (licence, returns), which lives in columns alone: it changes for thousands of users in one statement when
a group's licence changes, and no document has to be rewritten for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_server.protocol.catalogue import (
    ACCOUNT_GROUP,
    ACCOUNT_USER,
    EVENT_RECORD,
    GROUP,
    USER,
    USER_LOG_ENTRY,
    USER_STATISTICS,
    Attribute,
    Endpoint,
)
from scim_server.protocol.folding import fold, fold_name
from scim_server.store.resource_tables import resource
from scim_server.store.tables import group, journal, user, user_log


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
    order: tuple[sa.Column[Any], sa.Column[Any]]
    """The usual order of a list: by a time, then by id."""
    indexed_values: frozenset[str] = frozenset()
    """The multi-valued attributes of the table ``user_value``."""
    unique_values: frozenset[str] = frozenset()
    """The texts of the table ``resource_value``, each of which one resource has."""
    type: str | None = None
    """The name of the resource type, where the table has the resources of several."""

    def of_account(self, account_id: Any) -> sa.ColumnElement[bool]:
        """Return whether a row is a resource of the endpoint in an account; every statement has this condition."""
        mine: sa.ColumnElement[bool] = self.table.c.account_id == account_id
        return mine if self.type is None else sa.and_(mine, self.table.c.type == self.type)

    @property
    def has_documents(self) -> bool:
        """Whether the rows hold documents, which are searched by what has no column."""
        return "folded" in self.table.c


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
    order=(user.c.created, user.c.id),
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
    order=(group.c.created, group.c.id),
)

EVENT_RECORDS = Map(
    table=journal,
    columns=_keep(
        EVENT_RECORD,
        {
            "id": (journal.c.id, "text"),
            "occurredAt": (journal.c.occurred_at, "instant"),
            "action": (journal.c.action, "word"),
            "outcome": (journal.c.outcome, "word"),
            "status": (journal.c.status, "integer"),
            "rule": (journal.c.rule, "word"),
            "error": (journal.c.error, "word"),
            "detail": (journal.c.detail, "text"),
            "actor.type": (journal.c.actor_type, "word"),
            "actor.value": (journal.c.actor, "text"),
            "target.type": (journal.c.target_type, "word"),
            "target.value": (journal.c.target_id, "text"),
            "target.display": (journal.c.target_key, "text"),
            "logEntriesPurged": (journal.c.logs_purged, "integer"),
            "requestId": (journal.c.request_id, "text"),
        },
    ),
    order=(journal.c.occurred_at, journal.c.id),
)

LOG_COUNTS: Mapping[str, tuple[sa.Column[Any], str]] = {
    "fileCount": (user_log.c.file_count, "integer"),
    "byteCount": (user_log.c.byte_count, "integer"),
    "openCount": (user_log.c.open_count, "integer"),
    "signatureRequestCount": (user_log.c.signature_request_count, "integer"),
    "signedFileCount": (user_log.c.signed_file_count, "integer"),
}
"""The counts of an entry of a user's log."""

USER_LOG_ENTRIES = Map(
    table=user_log,
    columns=_keep(
        USER_LOG_ENTRY,
        {
            "id": (user_log.c.id, "text"),
            "user.value": (user_log.c.user_id, "text"),
            "sentAt": (user_log.c.sent_at, "instant"),
            "lastActivityAt": (user_log.c.last_activity_at, "instant"),
            "expiresAt": (user_log.c.expires_at, "instant"),
            "status": (user_log.c.status, "word"),
            "kind": (user_log.c.kind, "word"),
            "codeType": (user_log.c.code_type, "word"),
            **LOG_COUNTS,
        },
    ),
    order=(user_log.c.sent_at, user_log.c.id),
)

MAPS: Mapping[str, Map] = {
    "/Users": USERS,
    "/Groups": GROUPS,
    "/EventRecords": EVENT_RECORDS,
    "/UserLogEntries": USER_LOG_ENTRIES,
}
"""The maps of our own endpoints."""


def map_of(endpoint: Endpoint) -> Map:
    """Return where the attributes of an endpoint are kept; KeyError for one whose resources are computed."""
    return _generic(endpoint) if endpoint.is_generic else MAPS[endpoint.path]


@lru_cache(maxsize=64)
def _generic(endpoint: Endpoint) -> Map:
    """The map of a resource type from configuration: what every resource has is in columns."""
    columns = {
        "id": (resource.c.id, "text"),
        "externalId": (resource.c.external_id, "text"),
        "meta.created": (resource.c.created, "instant"),
        "meta.lastModified": (resource.c.modified, "instant"),
    }
    name = endpoint.attributes.get("displayname")
    if name and name.type == "string" and not name.multi_valued and name.returned != "never":
        columns[name.name] = (resource.c.display_name_key, "text")
    return Map(
        table=resource,
        columns=_keep(endpoint.schema, columns),
        order=(resource.c.created, resource.c.id),
        unique_values=frozenset(
            urn
            for urn, one in endpoint.by_urn.items()
            if one.uniqueness != "none" and one.type in ("string", "reference", "binary")
        ),
        type=endpoint.name,
    )


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

    Attributes with a column of their own are left out, and so are ``id`` and ``schemas`` and what nobody may see.
    """
    return dict(_folded(attributes, document, kept))


def _folded(
    attributes: Mapping[str, Attribute], document: Mapping[str, Any], kept: Mapping[str, Kept]
) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        attribute = attributes.get(name.lower())
        if attribute is None or attribute.urn.lower() in kept or _is_left_out(attribute):
            continue
        if isinstance(value, list):
            yield name.lower(), [_folded_value(attribute, item, kept) for item in value]
        else:
            yield name.lower(), _folded_value(attribute, value, kept)


def _is_left_out(attribute: Attribute) -> bool:
    return attribute.returned == "never" or attribute.urn.rpartition(":")[2] in ("id", "schemas")


def _folded_value(attribute: Attribute, value: Any, kept: Mapping[str, Kept]) -> Any:
    if isinstance(value, dict):
        return dict(_folded(attribute.sub_attributes, value, kept))
    if not isinstance(value, str):
        return value
    return micros(value) if attribute.type == "dateTime" else fold(value, attribute.case_exact)


def value_key(attribute: Attribute, value: str) -> str:
    """Return what a text of ``attribute`` is compared by in a column or in the value index."""
    return fold_name(value) if attribute.urn.lower() in _NAMES else fold(value, attribute.case_exact)


_NAMES = frozenset(
    name.lower() for name in (f"{USER}:userName", f"{USER_STATISTICS}:userName", f"{EVENT_RECORD}:target.display")
)
"""The attributes that hold names of users."""
