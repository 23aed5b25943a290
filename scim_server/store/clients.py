"""The OAuth clients of connections; of a secret only the digest is stored.

The id that a client names is ``account.client``: it says in which account to look, so that no index spans accounts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.store.access_tables import oauth_client, ticket
from scim_server.store.database import execute
from scim_server.store.identifiers import new_id
from scim_server.store.tables import account, connection, credential

_PUBLIC_ID = re.compile(r"([A-Za-z0-9-]{1,64})\.([A-Za-z0-9-]{1,64})")


@dataclass(frozen=True, slots=True)
class Client:
    """A client with its connection, and how it proves who it is."""

    account_id: str
    id: str
    connection_id: str
    name: str
    grants: frozenset[str]
    method: str
    scopes: tuple[str, ...]
    secret: str | None
    """The digest of its secret."""
    jwks: str | None
    jwks_url: str | None
    trust_id: str | None
    """The trusted issuer that vouches for it."""
    subject: str | None
    issuer: str | None
    """The certificate of the authority that issues the client's, as PEM."""
    thumbprint: str | None
    redirect_uris: tuple[str, ...]
    paused_at: int | None
    pause_reason: str | None
    proof_key: bool
    """Whether an authorization request must bring a code challenge (RFC 7636)."""
    connection: str
    account: str

    @property
    def public_id(self) -> str:
        """The id that the client names."""
        return public_id(self.account_id, self.id)


_TUPLES = ("scopes", "redirect_uris")


def public_id(account_id: str, identifier: str) -> str:
    """Return the id by which a client names itself."""
    return f"{account_id}.{identifier}"


def place_of(named: str) -> tuple[str, str] | None:
    """Return the account and the client that an id names, or None where it cannot be one."""
    found = _PUBLIC_ID.fullmatch(named)
    return (found[1], found[2]) if found else None


def create(account_id: str, values: Mapping[str, Any], now: int) -> str:
    """Create a client; gives its id."""
    identifier = new_id()
    execute(oauth_client.insert(), {"account_id": account_id, "id": identifier, "created": now, **values})
    return identifier


def live(account_id: str, identifier: str) -> Client | None:
    """Return a client that was not revoked; whether its connection is paused is told with it."""
    row = found(account_id, identifier)
    if row is None or row.revoked_at is not None:
        return None
    values = {name: value for name, value in row._asdict().items() if name in Client.__dataclass_fields__}
    split = {name: tuple(values[name].split()) for name in _TUPLES}
    return Client(**{**values, **split, "grants": frozenset(row.grants.split())})


def found(account_id: str, identifier: str) -> sa.Row[Any] | None:
    """Return a client of an account, revoked or not, with its connection."""
    return execute(_clients(account_id).where(oauth_client.c.id == identifier)).one_or_none()


def listed(account_id: str) -> list[sa.Row[Any]]:
    """Return the clients of an account, oldest first."""
    return list(execute(_clients(account_id).order_by(oauth_client.c.created, oauth_client.c.id)))


def _clients(account_id: str) -> sa.Select[Any]:
    wired = (connection.c.account_id == oauth_client.c.account_id) & (connection.c.id == oauth_client.c.connection_id)
    return (
        sa.select(
            oauth_client,
            connection.c.name.label("connection"),
            connection.c.paused_at,
            connection.c.pause_reason,
            account.c.name.label("account"),
        )
        .join(connection, wired)
        .join(account, account.c.id == oauth_client.c.account_id)
        .where(oauth_client.c.account_id == account_id)
    )


def note_use(account_id: str, identifier: str, now: int) -> None:
    """Note that a client was given a token."""
    where = (oauth_client.c.account_id == account_id, oauth_client.c.id == identifier)
    execute(oauth_client.update().where(*where).values(last_used_at=now))


def revoke(account_id: str, identifier: str, now: int) -> bool:
    """Revoke a client with all that it was given; False when it was revoked before."""
    where = (oauth_client.c.account_id == account_id, oauth_client.c.id == identifier)
    changed = execute(oauth_client.update().where(*where, oauth_client.c.revoked_at.is_(None)).values(revoked_at=now))
    of_client = (credential.c.account_id == account_id, credential.c.client_id == identifier)
    execute(credential.update().where(*of_client, credential.c.revoked_at.is_(None)).values(revoked_at=now))
    execute(ticket.delete().where(ticket.c.account_id == account_id, ticket.c.client_id == identifier))
    return changed.rowcount > 0


def token_of(account_id: str, client_id: str, digest: str) -> sa.Row[Any] | None:
    """Return the access token with a digest, if this client was given it."""
    where = (credential.c.account_id == account_id, credential.c.client_id == client_id)
    return execute(sa.select(credential).where(*where, credential.c.digest == digest)).one_or_none()
