"""Connections and their credentials; of a token only the digest is stored."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import sqlalchemy as sa

from scim_server.protocol.folding import fold_name
from scim_server.store.database import Database, execute
from scim_server.store.identifiers import new_id
from scim_server.store.prepared import Prepared
from scim_server.store.tables import account, connection, credential, user
from scim_server.store.tokens import TOKEN, new_secret

MOST_KEPT = 4096
"""Credentials that a worker keeps in mind."""
SCOPES = ("scim.read", "scim.write", "scim.logs")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a token stands for."""

    id: str
    digest: str
    account_id: str
    connection: str
    profile: str
    scopes: frozenset[str]
    expires_at: int | None
    revoked_at: int | None
    settings: str
    """The account's policies as stored: JSON."""
    user_id: str | None
    connection_id: str
    client_id: str | None = None
    """The OAuth client that obtained it; None where an administrator issued it."""
    thumbprint: str | None = None
    """The digest of the only certificate with which it may be used (RFC 8705)."""
    paused_at: int | None = None
    pause_reason: str | None = None
    basic: bool = False
    """Whether the connection may send it as the password of HTTP Basic."""
    is_foreign: bool = False
    """Whether the token is of a trusted issuer, whose id then is here in place of a credential's."""


_BY_DIGEST = Prepared(
    sa.select(
        credential.c.id,
        credential.c.digest,
        credential.c.account_id,
        connection.c.name.label("connection"),
        connection.c.profile,
        credential.c.scopes,
        credential.c.expires_at,
        credential.c.revoked_at,
        account.c.settings,
        credential.c.user_id,
        credential.c.connection_id,
        credential.c.client_id,
        credential.c.thumbprint,
        connection.c.paused_at,
        connection.c.pause_reason,
        connection.c.basic,
    )
    .join(
        connection,
        (connection.c.account_id == credential.c.account_id) & (connection.c.id == credential.c.connection_id),
    )
    .join(account, account.c.id == credential.c.account_id)
    .where(credential.c.digest == sa.bindparam("digest"))
)


def digest(token: str) -> str:
    """Return what is stored of a token; a generated secret of 256 bits needs no stretching."""
    return hashlib.sha256(token.encode()).hexdigest()


def find(digest: str) -> Credential | None:
    """Return the credential with the digest of a token, with its connection and account: one statement."""
    row = _BY_DIGEST.one_or_none({"digest": digest})
    if row is None:
        return None
    return Credential(**{**row._asdict(), "scopes": frozenset(row.scopes.split())})


class Recent:
    """The credentials that one worker has looked up lately.

    None is gone by that was read more than ``seconds`` ago, so that a revocation, another profile and other policies
    reach every worker within that time. What is not found is not kept: a new token works at once.
    """

    def __init__(self, database: Database, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._database, self._seconds, self._clock = database, seconds, clock
        self._kept: dict[str, tuple[float, Credential]] = {}

    def find(self, token: str, look: Callable[[], Credential | None] | None = None) -> Credential | None:
        """Return the credential of a token; at most one statement, in a block of its own.

        With ``look`` that is asked in place of the table of tokens, outside of any block.
        """
        key, begun = digest(token), self._clock()
        kept = self._kept.get(key)
        if kept is not None and begun - kept[0] < self._seconds:
            return kept[1]
        found = self._read(key) if look is None else look()
        if found is None:
            self._kept.pop(key, None)
            return None
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = begun, found
        return found

    def _read(self, key: str) -> Credential | None:
        with self._database.reading(None):
            return find(key)


_IS_ACTIVE = Prepared(
    sa.select(user.c.active).where(user.c.account_id == sa.bindparam("account"), user.c.id == sa.bindparam("user"))
)


def is_active(account_id: str, user_id: str) -> bool:
    """Whether the user that a credential stands for may still use it (R24)."""
    return bool(_IS_ACTIVE.scalar({"account": account_id, "user": user_id}))


def user_named(account_id: str, name: str) -> str | None:
    """Return the id of the user with a userName, or None."""
    named = sa.select(user.c.id).where(user.c.account_id == account_id, user.c.user_name_key == fold_name(name))
    return execute(named).scalar()


def connect(account_id: str, name: str, profile: str, now: int) -> sa.Row[Any]:
    """Return the connection called ``name``, creating it with the profile when there is none."""
    statement = sa.select(connection).where(connection.c.account_id == account_id, connection.c.name == name)
    found = execute(statement).one_or_none()
    if found is None:
        values = {"account_id": account_id, "id": new_id(), "name": name, "profile": profile, "created": now}
        execute(connection.insert(), values)
        found = execute(statement).one()
    return found


def connections(account_id: str) -> list[sa.Row[Any]]:
    """Return the connections of an account, by name."""
    mine = sa.select(connection).where(connection.c.account_id == account_id)
    return list(execute(mine.order_by(connection.c.name)))


def set_profile(account_id: str, connection_id: str, profile: str) -> None:
    """Give a connection another profile."""
    where = (connection.c.account_id == account_id, connection.c.id == connection_id)
    execute(connection.update().where(*where).values(profile=profile))


def set_pause(account_id: str, connection_id: str, paused_at: int | None, reason: str | None) -> None:
    """Pause a connection, or let it go on."""
    where = (connection.c.account_id == account_id, connection.c.id == connection_id)
    execute(connection.update().where(*where).values(paused_at=paused_at, pause_reason=reason))


def set_basic(account_id: str, connection_id: str, basic: bool) -> None:
    """Let a connection send its tokens as passwords of HTTP Basic, or not."""
    where = (connection.c.account_id == account_id, connection.c.id == connection_id)
    execute(connection.update().where(*where).values(basic=basic))


def issue(
    account_id: str,
    connection_id: str,
    scopes: str,
    now: int,
    expires_at: int | None,
    user_id: str | None = None,
    **of_client: str | None,
) -> str:
    """Issue a token for a connection, or for one user, and return it; it cannot be had a second time.

    One that an OAuth client obtains has its ``client_id``, perhaps a ``family`` and a ``thumbprint``.
    """
    token = new_secret(TOKEN)
    values = {
        "account_id": account_id,
        "id": new_id(),
        "connection_id": connection_id,
        "digest": digest(token),
        "scopes": scopes,
        "created": now,
        "expires_at": expires_at,
        "user_id": user_id,
        **of_client,
    }
    execute(credential.insert(), values)
    return token


def listed(account_id: str) -> list[sa.Row[Any]]:
    """Return the tokens that administrators issued, with the names of their connections, oldest first."""
    statement = (
        sa.select(
            credential, connection.c.name.label("connection"), connection.c.profile, user.c.user_name.label("user")
        )
        .join(
            connection,
            (connection.c.account_id == credential.c.account_id) & (connection.c.id == credential.c.connection_id),
        )
        .outerjoin(user, (user.c.account_id == credential.c.account_id) & (user.c.id == credential.c.user_id))
        .where(credential.c.account_id == account_id, credential.c.client_id.is_(None))
        .order_by(credential.c.created, credential.c.id)
    )
    return list(execute(statement))


def revoke(account_id: str, identifier: str, now: int) -> bool:
    """Revoke a credential at once; False when the account has none of this id that is still live."""
    where = (credential.c.account_id == account_id, credential.c.id == identifier, credential.c.revoked_at.is_(None))
    return execute(credential.update().where(*where).values(revoked_at=now)).rowcount > 0


def note_use(account_id: str, identifier: str, now: int) -> None:
    """Note that a credential was used; an earlier time never replaces a later one."""
    where = (credential.c.account_id == account_id, credential.c.id == identifier)
    later = sa.or_(credential.c.last_used_at.is_(None), credential.c.last_used_at < now)
    execute(credential.update().where(*where, later).values(last_used_at=now))
