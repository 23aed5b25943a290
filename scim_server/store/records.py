"""Rows that hold no document, as SCIM resources: the entries of the journal and of the users' logs."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from scim_server.protocol.catalogue import EVENT_RECORD, USER_LOG_ENTRY
from scim_server.protocol.documents import Stored, computed, instant
from scim_server.store.mapping import LOG_COUNTS


def event(row: Any) -> Stored:
    """Return an entry of the journal (R29)."""
    changes = orjson.loads(row.changes)
    document = {
        "schemas": [EVENT_RECORD],
        **told(row),
        "changes": [_change(one) for one in changes if "attribute" in one],
        "request": next((one for one in changes if "method" in one), None),
    }
    return computed(_present(document))


def told(row: Any) -> dict[str, Any]:
    """Return what an entry of the journal tells beside its changes, by the names of an EventRecord (rules.md 4.4)."""
    entry = {
        "id": row.id,
        "occurredAt": instant(row.occurred_at),
        "action": row.action,
        "outcome": row.outcome,
        "status": row.status,
        "rule": row.rule,
        "error": row.error,
        "detail": row.detail,
        "actor": _present({"type": row.actor_type, "value": row.actor}),
        "target": _present({"type": row.target_type, "value": row.target_id, "display": row.target_name}),
        "logEntriesPurged": row.logs_purged,
        "requestId": row.request_id,
    }
    return _present(entry)


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a change with its values as texts: what is no text is JSON, and null is absence."""
    told = {name: _text(change.get(name)) for name in ("attribute", "from", "to")}
    return _present({**told, "ignored": change.get("ignored")})


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def log_entry(row: Any) -> Stored:
    """Return an entry of a user's log (R28)."""
    document = {
        "schemas": [USER_LOG_ENTRY],
        "id": row.id,
        "sentAt": instant(row.sent_at),
        "lastActivityAt": _instant(row.last_activity_at),
        "expiresAt": _instant(row.expires_at),
        "status": row.status,
        "kind": row.kind,
        "codeType": row.code_type,
        **orjson.loads(row.entry),
        **{name: getattr(row, column.key) for name, (column, _) in LOG_COUNTS.items()},
    }
    return computed(_present(document), user=row.user_id)


def _instant(micros: int | None) -> str | None:
    return None if micros is None else instant(micros)


def _present(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is assigned: an absent value is left out, never null (RFC 7643 section 2.5)."""
    return {name: value for name, value in document.items() if value is not None and value not in ([], {})}


RECORDS: Mapping[str, Callable[[Any], Stored]] = {"/EventRecords": event, "/UserLogEntries": log_entry}
