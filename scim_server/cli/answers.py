"""Rows of the store as the command line answers them: names and times as SCIM has them."""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.model import Pool
from scim_server.account.policies import POLICIES, policies_from
from scim_server.protocol.documents import instant
from scim_server.provisioning.using import WARNED, days_left
from scim_server.store.records import told


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
        "lastUsed": instant_or_none(row.last_used_at),
        **_ending(row, now),
    }


def _ending(row: sa.Row[Any], now: int) -> dict[str, Any]:
    """Return in how many days a live token ends, and from a month before on that somebody has to act."""
    days = days_left(row.expires_at, now) if row.revoked_at is None else None
    if days is None or days >= WARNED:
        return {"expiresInDays": days, "warning": None}
    when = f"in {days} days" if days > 1 else "tomorrow" if days == 1 else "within a day"
    way_out = "issue another one for the connection, enter it in the IdP, then revoke this one"
    return {"expiresInDays": days, "warning": f"expires {when}: {way_out}"}


def entry(row: sa.Row[Any]) -> dict[str, Any]:
    """Return an entry of the journal as an EventRecord has it, its changes as they are kept (rules.md 4.4)."""
    changes = orjson.loads(row.changes)
    return told(row) | ({"changes": changes} if changes else {})
