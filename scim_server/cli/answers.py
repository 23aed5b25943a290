"""Rows of the store as the command line answers them: names and times as SCIM has them."""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.model import Pool
from scim_server.account.policies import POLICIES, policies_from
from scim_server.protocol.documents import instant


def instant_or_none(micros: int | None) -> str | None:
    """Return a time as RFC 3339, or None."""
    return None if micros is None else instant(micros)


def policy_values(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return every policy of an account by its key, the defaults where it has set none."""
    policies = policies_from(settings)
    values = {key: getattr(policies, field) for key, (field, _) in POLICIES.items()}
    return values | {"groupLicenses": dict(policies.group_licences)}


def pool(one: Pool) -> dict[str, Any]:
    """Return a licence pool."""
    return {"type": one.type, "total": one.total, "assigned": one.assigned, "available": one.available}


def token(row: sa.Row[Any], now: int) -> dict[str, Any]:
    """Return a token without its secret, which is not kept."""
    expired = row.expires_at is not None and row.expires_at <= now
    return {
        "id": row.id,
        "connection": row.connection,
        "profile": row.profile,
        "scopes": row.scopes.split(),
        "state": "revoked" if row.revoked_at is not None else "expired" if expired else "live",
        "created": instant(row.created),
        "expires": instant_or_none(row.expires_at),
        "revoked": instant_or_none(row.revoked_at),
        "user": row.user,
    }


def entry(row: sa.Row[Any]) -> dict[str, Any]:
    """Return an entry of the journal as an EventRecord has it (rules.md 4.4); what is absent is left out."""
    answer = {
        "id": row.id,
        "occurredAt": instant(row.occurred_at),
        "action": row.action,
        "outcome": row.outcome,
        "status": row.status,
        "rule": row.rule,
        "error": row.error,
        "detail": row.detail,
        "actor": {"type": row.actor_type, "value": row.actor},
        "target": _present({"type": row.target_type, "value": row.target_id, "display": row.target_name}) or None,
        "changes": orjson.loads(row.changes) or None,
        "logEntriesPurged": row.logs_purged,
        "requestId": row.request_id,
    }
    return _present(answer)


def _present(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if value is not None}
