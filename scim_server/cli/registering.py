"""What an administrator does with the OAuth clients of connections: each a transaction with its journal entry."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from scim_server.cli import answers, texts, wiring
from scim_server.cli.portal import ACTOR, Portal
from scim_server.cli.texts import PortalError
from scim_server.cli.trusting import vouched
from scim_server.protocol.documents import instant
from scim_server.store import clients, journal, tickets
from scim_server.store.credentials import digest
from scim_server.store.identifiers import now
from scim_server.store.journal import Entry
from scim_server.store.tokens import CLIENT_SECRET, new_secret
from scim_server.web.certificates import thumbprint
from scim_server.web.keysets import is_fetchable
from scim_server.web.oauth.keys import BadKeys, read_keys

MINUTES = 10
"""How long a consent may wait to be used."""
_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # pragma: allowlist secret
"""Characters of a consent code: none is taken for another. 16 of 32 hold 80 bits."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Registration:
    """How a client is to get tokens, as it was typed."""

    grant: str
    auth: str
    scopes: Sequence[str] = ()
    redirect_uris: Sequence[str] = ()
    proof_key: bool = True
    jwks: Path | None = None
    jwks_url: str | None = None
    issuer: str | None = None
    """The id of the trusted issuer that vouches for it."""
    certificate: Path | None = None
    subject: str | None = None
    authority: Path | None = None


class Registry(Portal):
    """The clients of the accounts of one database, in the hands of an administrator."""

    def create_client(self, account: str, connection: str, name: str | None, wanted: Registration) -> dict[str, Any]:
        """Create a client of a connection; its secret is told once and only its digest is kept."""
        connection = texts.name_of("connection", connection)
        name = texts.name_of("client", connection if name is None else name)
        values = _read(wanted)
        secret = new_secret(CLIENT_SECRET) if wanted.auth == "client_secret" else None
        moment = now()
        with self.changing(account) as row:
            wired, changes = wiring.connected(row.id, connection, None, moment)
            values |= vouched(row, wired, wanted.issuer, wanted.scopes)
            values |= {"name": name, "connection_id": wired.id, "secret": digest(secret) if secret else None}
            identifier = clients.create(row.id, values, moment)
            told = [{"attribute": one, "to": values[one].split()} for one in ("grants", "scopes")]
            told.append({"attribute": "method", "to": wanted.auth})
            entry = Entry("client.created", "success", "OAuthClient", identifier, name, told)
            journal.write(row.id, ACTOR, [*changes, entry], moment)
            created = _found(row, clients.public_id(row.id, identifier))
            answer = _told(created)
        return answer | ({"clientSecret": secret} if secret else {})

    def clients(self, account: str) -> list[dict[str, Any]]:
        """Return the clients of an account, without secrets."""
        with self.reading(account) as row:
            return [_told(one) for one in clients.listed(row.id)]

    def revoke_client(self, account: str, client_id: str) -> dict[str, Any]:
        """Revoke a client with every token that it has; again is no change."""
        with self.changing(account) as row:
            found = _found(row, client_id)
            changed = clients.revoke(row.id, found.id, now())
            if changed:
                entry = Entry("client.revoked", "success", "OAuthClient", found.id, found.name)
                journal.write(row.id, ACTOR, [entry], now())
        return _told(found) | {"state": "revoked", "changed": changed}

    def consent(self, account: str, client_id: str) -> dict[str, Any]:
        """Give a code by which an administrator lets a client act for the account; it ends the ones before."""
        text, moment = "".join(secrets.choice(_CODE) for _ in range(16)), now()
        ends = moment + MINUTES * 60_000_000
        with self.changing(account) as row:
            found = _found(row, client_id)
            if found.revoked_at is not None or "authorization_code" not in found.grants.split():
                raise PortalError(f"the client '{client_id}' needs no consent: it is revoked, or asks for none.")
            tickets.revoke_consents(row.id, found.id, moment)
            tickets.put(row.id, tickets.CONSENT, found.id, text, moment, ends)
            entry = Entry("client.consentGiven", "success", "OAuthClient", found.id, found.name)
            journal.write(row.id, ACTOR, [entry], moment)
        code = "-".join(text[start : start + 4] for start in range(0, 16, 4))
        return {"consentCode": code, "expires": instant(ends), "clientId": client_id, "name": found.name}


def _read(wanted: Registration) -> dict[str, Any]:
    if (wanted.auth == "federated") is not (wanted.issuer is not None):
        raise PortalError("federated, and no other way, needs --issuer ID: see scim-server issuer list --account NAME.")
    grants = ["client_credentials"] if wanted.grant == "client_credentials" else ["authorization_code", "refresh_token"]
    return {
        "grants": " ".join(grants),
        "method": wanted.auth,
        "scopes": " ".join(texts.scopes(wanted.scopes)),
        "redirect_uris": " ".join(_redirects(wanted)),
        "proof_key": wanted.proof_key,
        **_keys(wanted),
        **_certificate(wanted),
    }


def _redirects(wanted: Registration) -> list[str]:
    if (wanted.grant == "authorization_code") is not bool(wanted.redirect_uris):
        raise PortalError("the grant authorization_code, and no other, needs --redirect-uri: where the IdP waits.")
    for uri in wanted.redirect_uris:
        _check_url("--redirect-uri", uri)
    return list(wanted.redirect_uris)


def _keys(wanted: Registration) -> dict[str, str | None]:
    """Return the public keys of a client, or where they are."""
    given = sum(one is not None for one in (wanted.jwks, wanted.jwks_url))
    if given != (wanted.auth == "private_key_jwt"):
        raise PortalError("private_key_jwt, and no other way, needs either --jwks FILE or --jwks-url URL.")
    if wanted.jwks_url is not None and not is_fetchable(wanted.jwks_url):
        raise PortalError(f"--jwks-url: '{wanted.jwks_url}' must be a URL with https, without a fragment.")
    if wanted.jwks is None:
        return {"jwks_url": wanted.jwks_url}
    try:
        keys = read_keys(wanted.jwks.read_bytes())
    except BadKeys as error:
        raise PortalError(f"--jwks: '{wanted.jwks}' is {error}.") from None
    # A private key in the file is not kept: it is none of ours.
    return {"jwks": json.dumps({"keys": [key.as_dict(private=False) for key in keys]})}


def _certificate(wanted: Registration) -> dict[str, str | None]:
    """Return by which certificate a client is known."""
    if (wanted.auth == "self_signed_tls_client_auth") is not (wanted.certificate is not None):
        raise PortalError("self_signed_tls_client_auth, and no other way, needs --certificate FILE.")
    if (wanted.auth == "tls_client_auth") is not (wanted.subject is not None and wanted.authority is not None):
        raise PortalError("tls_client_auth, and no other way, needs --subject-dn DN and --ca FILE.")
    if wanted.certificate is not None:
        return {"thumbprint": thumbprint(_pem("--certificate", wanted.certificate))}
    if wanted.authority is None or wanted.subject is None:
        return {}
    authority = _pem("--ca", wanted.authority).public_bytes(Encoding.PEM).decode()
    try:
        subject = x509.Name.from_rfc4514_string(wanted.subject).rfc4514_string()
    except ValueError:
        raise PortalError(f"--subject-dn: '{wanted.subject}' is no name such as CN=scim,O=Acme.") from None
    return {"subject": subject, "issuer": authority}


def _pem(option: str, file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError:
        raise PortalError(f"{option}: '{file}' is not a certificate in PEM.") from None


def _check_url(option: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = bool(parts.hostname) and "@" not in parts.netloc and "#" not in url and parts.port != 0
    except ValueError:
        is_good = False
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_good or not is_plain or not (parts.scheme == "https" or _is_loopback(parts.scheme, parts.hostname)):
        raise PortalError(f"{option}: '{url}' must be a URL with https, without a fragment; http on loopback alone.")


def _is_loopback(scheme: str, host: str | None) -> bool:
    return scheme == "http" and host in _LOOPBACK


def _found(account: sa.Row[Any], client_id: str) -> sa.Row[Any]:
    place = clients.place_of(client_id)
    if place is not None and place[0] == account.id and (found := clients.found(*place)) is not None:
        return found
    way_out = f"See them with: scim-server client list --account '{account.name}'"
    raise PortalError(f"account '{account.name}' has no client '{client_id}'. {way_out}")


def _told(one: sa.Row[Any]) -> dict[str, Any]:
    return {
        "clientId": clients.public_id(one.account_id, one.id),
        "name": one.name,
        "connection": one.connection,
        "grants": one.grants.split(),
        "auth": one.method,
        "scopes": one.scopes.split(),
        "redirectUris": one.redirect_uris.split(),
        "pkce": bool(one.proof_key),
        "jwksUrl": one.jwks_url,
        "issuer": one.trust_id,
        "state": "live" if one.revoked_at is None else "revoked",
        "created": instant(one.created),
        "lastUsed": answers.instant_or_none(one.last_used_at),
        "revoked": answers.instant_or_none(one.revoked_at),
    }
