"""What an administrator does with the trusted issuers of connections: each a transaction with its journal entry."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from scim_server.cli import answers, texts, wiring
from scim_server.cli.portal import ACTOR, Portal
from scim_server.cli.texts import PortalError
from scim_server.protocol.documents import instant
from scim_server.store import clients, journal, trusts
from scim_server.store.identifiers import now
from scim_server.store.journal import Entry
from scim_server.store.trusts import ASSERTION, BEARER
from scim_server.web.federation import LONGEST_VALUE
from scim_server.web.keysets import Unreachable, fetch, is_fetchable
from scim_server.web.metadata import ALGORITHMS

_OF_MANY = frozenset(
    {
        *("iss", "aud", "exp", "nbf", "iat", "jti", "uti", "rh", "nonce", "typ", "ver", "idtyp", "idp", "token_use"),
        *("acr", "amr", "azpacr", "appidacr", "scp", "scope", "roles", "wids", "groups", "locale", "email_verified"),
    }
)
"""Claims that say nothing of who it is: whoever the issuer serves may have a token with them."""
_TENANT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_TENANT = re.compile(rf"https://sts\.windows\.net/{_TENANT.pattern}/")
ENTRA_AUDIENCE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"  # an audience, which is public
"""The audience of the tokens that Entra sends where its Secret Token was left blank."""
_FIRST, _SECOND = "https://sts.windows.net/{}/", "https://login.microsoftonline.com/{}/v2.0"
_FIRST_KEYS = "https://login.microsoftonline.com/{}/discovery/keys"
_SECOND_KEYS = "https://login.microsoftonline.com/{}/discovery/v2.0/keys"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be trusted, as it was typed."""

    issuer: str | None = None
    audience: str | None = None
    claim: str | None = None
    """``NAME=VALUE``."""
    purpose: str = BEARER
    scopes: Sequence[str] = ()
    scope_claim: str | None = None
    algorithms: Sequence[str] = ()
    jwks_url: str | None = None
    entra_tenant: str | None = None


class Trusting(Portal):
    """The trusted issuers of the accounts of one database, in the hands of an administrator."""

    def trust(self, account: str, connection: str, name: str | None, wanted: Wanted) -> dict[str, Any]:
        """Have a connection trust an issuer; no two trusts stand for the same tokens, in whatever account."""
        connection = texts.name_of("connection", connection)
        name = texts.name_of("issuer", connection if name is None else name)
        with self.reading(account):  # nothing is fetched for an account that is not there
            pass
        values, moment = _read(_preset(wanted)) | {"name": name}, now()
        told = [{"attribute": key, "to": values[key]} for key in ("issuer", "audience", "claim", "value", "purpose")]
        told.append({"attribute": "scopes", "to": values["scopes"].split()})
        try:
            with self.changing(account) as row:
                wired, changes = wiring.connected(row.id, connection, None, moment)
                identifier = trusts.create(row.id, values | {"connection_id": wired.id}, moment)
                entry = Entry("issuer.trusted", "success", "TrustedIssuer", identifier, name, told)
                journal.write(row.id, ACTOR, [*changes, entry], moment)
                return _told(_found(row, identifier))
        except sa.exc.IntegrityError:
            raise PortalError(_TAKEN.format(account)) from None

    def issuers(self, account: str) -> list[dict[str, Any]]:
        """Return the trusted issuers of an account, those that were are among them."""
        with self.reading(account) as row:
            return [_told(one) for one in trusts.listed(row.id)]

    def distrust(self, account: str, identifier: str) -> dict[str, Any]:
        """End a trust, with the clients that the issuer vouches for and all they were given; again is no change."""
        with self.changing(account) as row:
            found, moment = _found(row, identifier), now()
            changed = trusts.revoke(row.id, found.id, moment)
            if changed:
                entries = [Entry("issuer.revoked", "success", "TrustedIssuer", found.id, found.name)]
                for one in trusts.clients_of(row.id, found.id):
                    clients.revoke(row.id, one.id, moment)
                    entries.append(Entry("client.revoked", "success", "OAuthClient", one.id, one.name))
                journal.write(row.id, ACTOR, entries, moment)
        return _told(found) | {"state": "revoked", "changed": changed}


_TAKEN = (
    "tokens of this issuer, with this audience and this claim, are trusted already: here, or by another account. They "
    "can open one connection only. See those of this account with: scim-server issuer list --account '{}'. Name "
    "another audience or claim, or have the other trust ended first."
)


def _preset(wanted: Wanted) -> Wanted:
    """Return what is wanted with what a tenant of Entra stands for filled in."""
    if wanted.entra_tenant is None:
        return wanted
    tenant = wanted.entra_tenant.strip().lower()
    if not _TENANT.fullmatch(tenant):
        raise PortalError(f"--entra-tenant: '{tenant}' is not the id of a tenant, such as 1a2b3c4d-0000-....")
    if wanted.issuer is not None:
        raise PortalError("--entra-tenant names the issuer; leave --issuer out.")
    is_blank = wanted.purpose == BEARER
    return replace(
        wanted,
        issuer=(_FIRST if is_blank else _SECOND).format(tenant),
        audience=wanted.audience or (ENTRA_AUDIENCE if is_blank else None),
        jwks_url=wanted.jwks_url or (_FIRST_KEYS if is_blank else _SECOND_KEYS).format(tenant),
    )


def _read(wanted: Wanted) -> dict[str, Any]:
    issuer, audience = _text("--issuer", wanted.issuer), _text("--audience", wanted.audience)
    if not is_fetchable(issuer):
        raise PortalError(f"--issuer: '{issuer}' must be a URL with https, without a fragment, as the tokens have it.")
    claim, value = _claim(wanted.claim, issuer, audience)
    if wanted.scope_claim is not None and wanted.purpose != BEARER:
        raise PortalError("--scope-claim is for bearer tokens; a client asks for the scopes of its tokens itself.")
    return {
        "purpose": wanted.purpose,
        "digest": trusts.digest(issuer, audience, claim, value),
        "issuer": issuer,
        "audience": audience,
        "claim": claim,
        "value": value,
        "scope_claim": None if wanted.scope_claim is None else _text("--scope-claim", wanted.scope_claim),
        "scopes": " ".join(texts.scopes(wanted.scopes)),
        "algorithms": " ".join(_algorithms(wanted.algorithms)),
        "jwks_url": _jwks_url(wanted.jwks_url, issuer),
    }


def _text(option: str, text: str | None) -> str:
    if not text:
        raise PortalError(f"{option} is missing.")
    if len(text) > LONGEST_VALUE // 2 or not text.isprintable():
        raise PortalError(f"{option} must have 1 to {LONGEST_VALUE // 2} printable characters.")
    return text


def _claim(text: str | None, issuer: str, audience: str) -> tuple[str, str]:
    """Return the claim that says who it is: without one, whoever the issuer serves would be let in."""
    if text is None:
        if audience == ENTRA_AUDIENCE and _OF_TENANT.fullmatch(issuer):
            return "", ""
        raise PortalError("--claim is missing: say whose tokens are taken, such as --claim sub=0oa1b2c3.")
    name, _, value = text.partition("=")
    name, value = _text("--claim", name), _text("--claim", value)
    if name in _OF_MANY:
        raise PortalError(f"--claim: '{name}' does not say who it is. Name sub, oid, appid, azp, client_id or cid.")
    return name, value


def _algorithms(named: Sequence[str]) -> list[str]:
    for one in named:
        if one not in ALGORITHMS:
            raise PortalError(f"--algorithm: '{one}' is not taken. Known algorithms: {', '.join(ALGORITHMS)}.")
    return list(dict.fromkeys(named)) or list(ALGORITHMS)


def _jwks_url(named: str | None, issuer: str) -> str:
    """Return where the keys of an issuer are: where it was said, or where the issuer's own document says."""
    if named is None:
        named = _discovered(issuer)
    if not is_fetchable(named):
        raise PortalError(f"the URL of the keys, '{named}', must have https and no fragment; http on loopback alone.")
    return named


def _discovered(issuer: str) -> str:
    place = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
    try:
        document = fetch(place)
    except Unreachable as error:
        raise PortalError(f"{place} cannot be read: {error}. Say where the keys are: --jwks-url URL.") from None
    found = document if isinstance(document, dict) else {}
    if found.get("issuer") != issuer:
        named = ascii(str(found.get("issuer"))[:200])
        raise PortalError(f"{place} is of another issuer, {named}. Write --issuer as it does.")
    if not isinstance(found.get("jwks_uri"), str):
        raise PortalError(f"{place} does not say where the keys are (jwks_uri). Say it: --jwks-url URL.")
    return str(found["jwks_uri"])


def _found(account: sa.Row[Any], identifier: str) -> sa.Row[Any]:
    for one in trusts.listed(account.id):
        if one.id == identifier:
            return one
    way_out = f"See them with: scim-server issuer list --account '{account.name}'"
    raise PortalError(f"account '{account.name}' trusts no issuer with the id '{identifier}'. {way_out}")


def vouched(
    account: sa.Row[Any], connection: sa.Row[Any], identifier: str | None, scopes: Sequence[str]
) -> dict[str, Any]:
    """Return what a client that an issuer vouches for has of it: never more scopes than it."""
    if identifier is None:
        return {}
    found = _found(account, identifier)
    if found.revoked_at is not None or found.purpose != ASSERTION or found.connection_id != connection.id:
        way_out = f"Add one: scim-server issuer create --purpose assertion --connection '{connection.name}'"
        raise PortalError(f"the issuer '{identifier}' vouches for no clients of this connection. {way_out}")
    allowed = found.scopes.split()
    for scope in texts.scopes(scopes) if scopes else ():
        if scope not in allowed:
            raise PortalError(f"the issuer '{identifier}' is trusted for: {found.scopes}; not for '{scope}'.")
    return {"trust_id": found.id, **({} if scopes else {"scopes": found.scopes})}


def _told(one: sa.Row[Any]) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "connection": one.connection,
        "purpose": one.purpose,
        "issuer": one.issuer,
        "audience": one.audience,
        "claim": f"{one.claim}={one.value}" if one.claim else None,
        "scopes": one.scopes.split(),
        "scopeClaim": one.scope_claim,
        "algorithms": one.algorithms.split(),
        "jwksUrl": one.jwks_url,
        "state": "live" if one.revoked_at is None else "revoked",
        "created": instant(one.created),
        "lastUsed": answers.instant_or_none(one.last_used_at),
        "revoked": answers.instant_or_none(one.revoked_at),
    }
