"""The connections of an account as the portal has them: their profile, their tokens, what they were seen to send."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.cli import answers
from scim_server.cli.texts import PortalError
from scim_server.idp.profiles import profiles
from scim_server.idp.shapes import KINDS
from scim_server.protocol.documents import instant
from scim_server.store import clients, credentials, shapes, trusts
from scim_server.store.identifiers import now
from scim_server.store.journal import Entry


def listed(account: sa.Row[Any]) -> list[dict[str, Any]]:
    """Return the connections of an account, each with how many tokens, OAuth clients and issuers may use it."""
    tokens = [one["connection"] for one in _tokens(account) if one["state"] == "live"]
    of_clients = [one.connection for one in clients.listed(account.id) if one.revoked_at is None]
    of_issuers = [one.connection for one in trusts.listed(account.id) if one.revoked_at is None]
    return [
        _head(one)
        | {
            "liveTokens": tokens.count(one.name),
            "liveClients": of_clients.count(one.name),
            "liveIssuers": of_issuers.count(one.name),
        }
        for one in credentials.connections(account.id)
    ]


def shown(account: sa.Row[Any], name: str) -> dict[str, Any]:
    """Return one connection with who may use it, and the shapes of its requests."""
    found = _named(account, name)
    seen = sorted(shapes.of_connection(account.id, found.id), key=lambda one: (_place(one.kind), one.shape))
    return _head(found) | {
        "about": profiles()[found.profile].description,
        "tokens": [one for one in _tokens(account) if one["connection"] == name],
        "clients": [
            {"clientId": clients.public_id(account.id, one.id), "name": one.name}
            for one in clients.listed(account.id)
            if one.connection == name and one.revoked_at is None
        ],
        "issuers": [
            {"id": one.id, "issuer": one.issuer, "purpose": one.purpose}
            for one in trusts.listed(account.id)
            if one.connection == name and one.revoked_at is None
        ],
        "shapes": [_shape(one) for one in seen],
    }


def set_profile(account: sa.Row[Any], name: str, profile: str) -> tuple[dict[str, Any], Sequence[Entry]]:
    """Give a connection a profile, from the next request on; returns it, and what the journal is to be told."""
    found = _named(account, name)
    answer = _head(found) | {"profile": profile, "changed": profile != found.profile}
    if profile == found.profile:
        return answer, ()
    credentials.set_profile(account.id, found.id, profile)
    return answer, [profile_changed(found, profile)]


def connected(account_id: str, name: str, profile: str | None, moment: int) -> tuple[sa.Row[Any], Sequence[Entry]]:
    """Return a connection, created where there is none, with the profile that was named; and what is to be told."""
    found = credentials.connect(account_id, name, profile or "default", moment)
    if profile is None or profile == found.profile:
        return found, ()
    credentials.set_profile(account_id, found.id, profile)
    return found, [profile_changed(found, profile)]


def pause(
    account: sa.Row[Any], name: str, reason: str | None, *, paused: bool
) -> tuple[dict[str, Any], Sequence[Entry]]:
    """Pause a connection, or let it go on; returns it, and what the journal is to be told. Again is no change."""
    found = _named(account, name)
    if (found.paused_at is not None) == paused:
        return _head(found) | {"changed": False}, ()
    entry = paused_or_resumed(account.id, found, reason, now() if paused else None)
    return _head(_named(account, name)) | {"changed": True}, [entry]


def set_basic(account: sa.Row[Any], name: str, *, basic: bool) -> tuple[dict[str, Any], Sequence[Entry]]:
    """Let a connection use HTTP Basic, or not; returns it, and what the journal is to be told. Again is no change."""
    found = _named(account, name)
    if bool(found.basic) == basic:
        return _head(found) | {"changed": False}, ()
    credentials.set_basic(account.id, found.id, basic)
    change = {"attribute": "basic", "from": not basic, "to": basic}
    entry = Entry("connection.basicChanged", "success", "Connection", found.id, found.name, [change])
    return _head(found) | {"basic": basic, "changed": True}, [entry]


def paused_or_resumed(account_id: str, connection: sa.Row[Any], reason: str | None, paused_at: int | None) -> Entry:
    """Pause a connection since a time, or let it go on; returns the entry of the journal."""
    credentials.set_pause(account_id, connection.id, paused_at, reason)
    action = "connection.resumed" if paused_at is None else "connection.paused"
    return Entry(action, "success", "Connection", connection.id, connection.name, detail=reason)


def profile_changed(connection: sa.Row[Any], profile: str) -> Entry:
    """Return the entry of the journal about another profile."""
    change = {"attribute": "profile", "from": connection.profile, "to": profile}
    return Entry("connection.profileChanged", "success", "Connection", connection.id, connection.name, [change])


def _named(account: sa.Row[Any], name: str) -> sa.Row[Any]:
    for one in credentials.connections(account.id):
        if one.name == name.strip():
            return one
    way_out = f"See them with: scim-server connection list --account '{account.name}'"
    raise PortalError(f"account '{account.name}' has no connection '{name}'. {way_out}")


def _tokens(account: sa.Row[Any]) -> list[dict[str, Any]]:
    moment = now()
    return [answers.token(one, moment) for one in credentials.listed(account.id)]


def _head(one: sa.Row[Any]) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "profile": one.profile,
        "created": instant(one.created),
        "paused": answers.instant_or_none(one.paused_at),
        "pauseReason": one.pause_reason,
        "basic": bool(one.basic),
    }


def _shape(one: sa.Row[Any]) -> dict[str, Any]:
    days = {"firstSeen": instant(one.first_seen)[:10], "lastSeen": instant(one.last_seen)[:10]}
    return {"kind": one.kind, "shape": one.shape, "count": one.count, **days}


def _place(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)
