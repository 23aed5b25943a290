"""What OAuth clients are given and lose: tokens for their connection, one transaction each (docs/authentication.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.store import clients, credentials, journal, tickets, trusts
from scim_server.store.clients import Client
from scim_server.store.database import Database
from scim_server.store.identifiers import new_id, now
from scim_server.store.journal import Actor, Entry
from scim_server.store.tickets import ASSERTION, CODE, CONSENT, REFRESH
from scim_server.store.tokens import REFRESH as REFRESH_PREFIX
from scim_server.store.tokens import new_secret

SECOND = 1_000_000
ACCESS_SECONDS = 3600
"""How long an access token is good for."""
CODE_SECONDS = 60
REFRESH_SECONDS = 365 * 86_400
"""How long a refresh token waits to be used; each use gives another one."""


class Spent(Exception):
    """A code or a refresh token was used a second time: all that came of it has ended."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client is to be given."""

    client: Client
    scopes: str
    request_id: str
    thumbprint: str | None = None
    """The certificate to which the token is bound."""
    spent: sa.Row[Any] | None = None
    """The code or refresh token that is given for it."""


def issue(database: Database, grant: Grant) -> dict[str, str]:
    """Issue an access token, and with what came of a consent another refresh token; Spent where it was used before."""
    try:
        with database.transaction(grant.client.account_id):
            return _issue(grant, now())
    except Spent:
        assert grant.spent is not None  # nothing else raises it
        end_family(database, grant.client, grant.spent, grant.request_id)
        raise


def _issue(grant: Grant, moment: int) -> dict[str, str]:
    client, spent = grant.client, grant.spent
    if spent is not None and not tickets.use(client.account_id, spent.digest, moment):
        raise Spent
    tickets.sweep(client.account_id, client.id, moment)
    clients.note_use(client.account_id, client.id, moment)
    if client.trust_id is not None:
        trusts.note_use(client.account_id, client.trust_id, moment)
    family = None if spent is None else spent.family
    ends = moment + ACCESS_SECONDS * SECOND
    of_client = {"client_id": client.id, "family": family, "thumbprint": grant.thumbprint}
    token = credentials.issue(client.account_id, client.connection_id, grant.scopes, moment, ends, **of_client)
    told = [{"attribute": "scopes", "to": grant.scopes.split()}]
    _record(client, grant.request_id, Entry("token.issued", "success", *_target(client), told), moment)
    if spent is None:
        return {"access_token": token}
    # A refresh token has the scopes of the consent, whatever the access token was narrowed to (RFC 6749 section 6).
    return {"access_token": token, "refresh_token": _refresh_token(client, spent.scopes, spent.family, moment)}


def _refresh_token(client: Client, scopes: str, family: str, moment: int) -> str:
    text, ends = new_secret(REFRESH_PREFIX), moment + REFRESH_SECONDS * SECOND
    tickets.put(client.account_id, REFRESH, client.id, text, moment, ends, scopes=scopes, family=family)
    return text


def spendable(database: Database, client: Client, kind: str, text: str, request_id: str) -> sa.Row[Any] | None:
    """Return a code or refresh token of a client that may still be used; one that was used ends all that came of it."""
    with database.reading(client.account_id):
        found = tickets.find(client.account_id, kind, client.id, text)
    if found is None or found.expires_at <= now():
        return None
    if found.used_at is not None:
        end_family(database, client, found, request_id)
        return None
    return found


def end_family(database: Database, client: Client, spent: sa.Row[Any], request_id: str) -> None:
    """End all that came of one consent, because a part of it was used twice: one of the two is a thief (RFC 9700)."""
    moment = now()
    with database.transaction(client.account_id):
        tickets.revoke_family(client.account_id, spent.family, moment)
        detail = f"a {spent.kind} was used a second time: all tokens of the consent have ended; consent again"
        entry = Entry("client.reused", "refused", *_target(client), status=400, error="invalid_grant", detail=detail)
        _record(client, request_id, entry, moment)


def take_assertion(database: Database, client: Client, jti: str, expires_at: int) -> bool:
    """Note the id of an assertion; False where it was used before, with whatever worker."""
    moment = now()
    try:
        with database.transaction(client.account_id):
            tickets.put(client.account_id, ASSERTION, client.id, jti, moment, expires_at, used_at=moment)
    except sa.exc.IntegrityError:
        return False
    return True


def consent(client: Client, text: str, request_id: str) -> bool:
    """Use an administrator's consent, in the current transaction; False where it is none."""
    moment = now()
    is_given = tickets.use(client.account_id, tickets.digest_of(CONSENT, client.id, text), moment)
    if is_given:
        _record(client, request_id, Entry("client.consented", "success", *_target(client)), moment)
    return is_given


def put_code(client: Client, code: str, values: Mapping[str, str | None]) -> None:
    """Store an authorization code, in the current transaction."""
    moment = now()
    ends = moment + CODE_SECONDS * SECOND
    tickets.put(client.account_id, CODE, client.id, code, moment, ends, family=new_id(), **values)


def revoke(database: Database, client: Client, text: str, request_id: str) -> None:
    """Revoke a token of a client: with a refresh token, all that came of the same consent (RFC 7009 section 2.1)."""
    moment = now()
    with database.transaction(client.account_id):
        access = clients.token_of(client.account_id, client.id, credentials.digest(text))
        refresh = tickets.find(client.account_id, REFRESH, client.id, text)
        if refresh is not None:
            tickets.revoke_family(client.account_id, refresh.family, moment)
        ended = access is not None and credentials.revoke(client.account_id, access.id, moment)
        if refresh is not None or ended:
            _record(client, request_id, Entry("token.revoked", "success", *_target(client)), moment)


def _target(client: Client) -> tuple[str, str, str]:
    return "OAuthClient", client.id, client.name


def _record(client: Client, request_id: str, entry: Entry, moment: int) -> None:
    journal.write(client.account_id, Actor("scimToken", client.connection, request_id), [entry], moment)
