"""What an OAuth client may use once: consents, authorization codes, refresh tokens, the ids of assertions."""

from typing import Any

import sqlalchemy as sa

from scim_server.store.access_tables import ticket
from scim_server.store.credentials import digest
from scim_server.store.database import execute
from scim_server.store.tables import credential

CONSENT, CODE, REFRESH, ASSERTION = "consent", "code", "refresh", "assertion"
KEPT = 86_400_000_000
"""Microseconds for which what has ended is kept, so that who comes late is told why (a day)."""


def digest_of(kind: str, client_id: str, text: str) -> str:
    """Return what is stored of a ticket; a kind is never taken for another, nor one client's for another's."""
    return digest(f"{kind} {client_id} {text}")


def put(
    account_id: str, kind: str, client_id: str, text: str, now: int, expires_at: int, **values: str | int | None
) -> None:
    """Store a ticket; IntegrityError where there is one already, which of assertions is a replay."""
    row = {"account_id": account_id, "digest": digest_of(kind, client_id, text), "kind": kind, "client_id": client_id}
    row["scopes"] = ""
    execute(ticket.insert(), {**row, "created": now, "expires_at": expires_at, **values})


def find(account_id: str, kind: str, client_id: str, text: str) -> sa.Row[Any] | None:
    """Return a ticket of a client, used or not, ended or not."""
    return execute(sa.select(ticket).where(_is(account_id, digest_of(kind, client_id, text)))).one_or_none()


def use(account_id: str, digest: str, now: int) -> bool:
    """Use a ticket; False where it was used before or has ended. Of two that try at once, one succeeds."""
    is_open = (ticket.c.used_at.is_(None), ticket.c.expires_at > now)
    return execute(ticket.update().where(_is(account_id, digest), *is_open).values(used_at=now)).rowcount > 0


def revoke_family(account_id: str, family: str, now: int) -> None:
    """End all that came of one consent: its access tokens, and what would bring more of them."""
    mine = (credential.c.account_id == account_id, credential.c.family == family, credential.c.revoked_at.is_(None))
    execute(credential.update().where(*mine).values(revoked_at=now))
    of_family = (ticket.c.account_id == account_id, ticket.c.family == family, ticket.c.used_at.is_(None))
    execute(ticket.update().where(*of_family).values(used_at=now))


def revoke_consents(account_id: str, client_id: str, now: int) -> None:
    """End the consents of a client that were not used, as another one is given."""
    mine = (ticket.c.account_id == account_id, ticket.c.client_id == client_id, ticket.c.kind == CONSENT)
    execute(ticket.update().where(*mine, ticket.c.used_at.is_(None)).values(used_at=now))


def sweep(account_id: str, client_id: str, now: int) -> None:
    """Delete what of a client has ended a while ago."""
    past = now - KEPT
    execute(
        ticket.delete().where(
            ticket.c.account_id == account_id, ticket.c.client_id == client_id, ticket.c.expires_at < past
        )
    )
    ended = (credential.c.account_id == account_id, credential.c.client_id == client_id)
    execute(credential.delete().where(*ended, credential.c.expires_at < past))


def _is(account_id: str, digest: str) -> sa.ColumnElement[bool]:
    return sa.and_(ticket.c.account_id == account_id, ticket.c.digest == digest)
