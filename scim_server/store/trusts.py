"""The trusted issuers of connections: whose tokens are taken as the connection's own.

A token of somebody else's carries no account. It is found by what it says of itself: the digest of its issuer, its
audience and one claim is unique in the whole service, as the digest of a token of ours is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.store import credentials
from scim_server.store.access_tables import oauth_client, trusted_issuer
from scim_server.store.credentials import Credential
from scim_server.store.database import execute
from scim_server.store.identifiers import new_id
from scim_server.store.tables import account, connection

BEARER, ASSERTION = "bearer", "assertion"
"""What a token of an issuer is for: requests to the SCIM API, or as a client's proof at the token endpoint."""


@dataclass(frozen=True, slots=True)
class Trust:
    """A trusted issuer with its connection and account."""

    account_id: str
    id: str
    connection_id: str
    purpose: str
    digest: str
    issuer: str
    audience: str
    claim: str
    """The claim that must have the value; empty where the issuer and the audience say enough."""
    value: str
    scope_claim: str | None
    """The claim that says which of the scopes a token has; None where every token has all of them."""
    scopes: tuple[str, ...]
    algorithms: tuple[str, ...]
    jwks_url: str
    connection: str
    profile: str
    settings: str
    paused_at: int | None
    pause_reason: str | None
    basic: bool


_TUPLES = ("scopes", "algorithms")


def digest(issuer: str, audience: str, claim: str = "", value: str = "") -> str:
    """Return what stands for an issuer, an audience and a claim with its value."""
    return credentials.digest(orjson.dumps([issuer, audience, claim, value]).decode())


def find(digests: Iterable[str]) -> list[Trust]:
    """Return the live trusts of the whole service behind digests: one statement, before the account is known."""
    live = (trusted_issuer.c.revoked_at.is_(None), trusted_issuer.c.purpose == BEARER)
    return [_trust(row) for row in execute(_JOINED.where(trusted_issuer.c.digest.in_(sorted(digests)), *live))]


def live(account_id: str, identifier: str) -> Trust | None:
    """Return a trust of an account that was not revoked."""
    where = (trusted_issuer.c.account_id == account_id, trusted_issuer.c.id == identifier)
    row = execute(_JOINED.where(*where, trusted_issuer.c.revoked_at.is_(None))).one_or_none()
    return None if row is None else _trust(row)


_OWN = [one for one in trusted_issuer.c if one.name in Trust.__dataclass_fields__]
_JOINED = (
    sa.select(
        *_OWN,
        connection.c.name.label("connection"),
        connection.c.profile,
        connection.c.paused_at,
        connection.c.pause_reason,
        connection.c.basic,
        account.c.settings,
    )
    .join(
        connection,
        (connection.c.account_id == trusted_issuer.c.account_id) & (connection.c.id == trusted_issuer.c.connection_id),
    )
    .join(account, account.c.id == trusted_issuer.c.account_id)
)


def _trust(row: sa.Row[Any]) -> Trust:
    values = row._asdict()
    return Trust(**{**values, **{name: tuple(values[name].split()) for name in _TUPLES}})


def credential_of(trust: Trust, scopes: Iterable[str], expires_at: int, thumbprint: str | None) -> Credential:
    """Return what a token of a trusted issuer stands for; its digest is the trust's, which outlives the token."""
    return Credential(
        id=trust.id,
        digest=credentials.digest(f"trust {trust.account_id} {trust.id}"),
        account_id=trust.account_id,
        connection=trust.connection,
        profile=trust.profile,
        scopes=frozenset(scopes),
        expires_at=expires_at,
        revoked_at=None,
        settings=trust.settings,
        user_id=None,
        connection_id=trust.connection_id,
        thumbprint=thumbprint,
        paused_at=trust.paused_at,
        pause_reason=trust.pause_reason,
        basic=trust.basic,
        is_foreign=True,
    )


def create(account_id: str, values: Mapping[str, Any], now: int) -> str:
    """Create a trust; gives its id. IntegrityError where another live one stands for the same tokens."""
    identifier = new_id()
    execute(trusted_issuer.insert(), {"account_id": account_id, "id": identifier, "created": now, **values})
    return identifier


def listed(account_id: str) -> list[sa.Row[Any]]:
    """Return the trusts of an account with their connections, oldest first."""
    wired = connection.c.account_id == trusted_issuer.c.account_id
    statement = (
        sa.select(trusted_issuer, connection.c.name.label("connection"))
        .join(connection, wired & (connection.c.id == trusted_issuer.c.connection_id))
        .where(trusted_issuer.c.account_id == account_id)
        .order_by(trusted_issuer.c.created, trusted_issuer.c.id)
    )
    return list(execute(statement))


def clients_of(account_id: str, identifier: str) -> list[sa.Row[Any]]:
    """Return the clients that an issuer vouches for, those that were revoked left out."""
    mine = (oauth_client.c.account_id == account_id, oauth_client.c.trust_id == identifier)
    return list(execute(sa.select(oauth_client).where(*mine, oauth_client.c.revoked_at.is_(None))))


def revoke(account_id: str, identifier: str, now: int) -> bool:
    """End a trust; False when it was ended before."""
    where = (trusted_issuer.c.account_id == account_id, trusted_issuer.c.id == identifier)
    live = trusted_issuer.c.revoked_at.is_(None)
    return execute(trusted_issuer.update().where(*where, live).values(revoked_at=now)).rowcount > 0


def note_use(account_id: str, identifier: str, now: int) -> None:
    """Note that a token of the issuer was used; an earlier time never replaces a later one."""
    where = (trusted_issuer.c.account_id == account_id, trusted_issuer.c.id == identifier)
    later = sa.or_(trusted_issuer.c.last_used_at.is_(None), trusted_issuer.c.last_used_at < now)
    execute(trusted_issuer.update().where(*where, later).values(last_used_at=now))
