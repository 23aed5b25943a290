"""Tokens of trusted issuers: JSON Web Tokens of somebody else's that a connection takes as its own.

A token says whose it is before anything of it is proved; until its signature is, it opens nothing, and no account's
journal is told of it: anybody can write a known issuer's name into a token. What is answered never repeats it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson
from flask import Flask, current_app
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from scim_server.store import trusts
from scim_server.store.credentials import SCOPES, Credential
from scim_server.store.trusts import Trust
from scim_server.web import braking
from scim_server.web.answers import scim_service
from scim_server.web.keysets import KeySets, Unreachable
from scim_server.web.metadata import ALGORITHMS, ALIAS

LEEWAY = 60
"""Seconds by which the issuer's clock may be off."""
LONGEST = 86_400
"""Seconds from now within which a token must end."""
MOST_BYTES = 16_384
MOST_AUDIENCES, MOST_CLAIMS, LONGEST_VALUE = 8, 64, 512
"""Of what a token says so much is compared with what is trusted."""
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What a token may call itself (RFC 9068 section 4), if it says so; no logout token or event is one."""
WAIT = 30
_KEYSETS = "scim_key_sets"
_CERTIFICATE = "x5t#S256"
"""By which a token is bound to a certificate (RFC 8705 section 3.1)."""
_ENCRYPTED_PARTS = 4
"""Dots of an encrypted token."""


class Untrusted(Exception):
    """A token opens nothing; the message is a text of this module, in the characters that a challenge may have."""


class Outdated(Untrusted):
    """A token that its issuer has signed is of no use now."""

    def __init__(self, credential: Credential, why: str) -> None:
        super().__init__(why)
        self.credential = credential


class _Registry(JWSRegistry):
    """Headers of tokens are as long as certificates make them, and have what their issuers like."""

    max_header_length = 8192
    max_payload_length = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as it says of itself, with nothing proved."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def digests(self) -> frozenset[str]:
        """What may stand for the token among the trusts."""
        issuer, claims = self.claims.get("iss"), list(self.claims.items())[:MOST_CLAIMS]
        if not isinstance(issuer, str) or len(issuer) > LONGEST_VALUE:
            return frozenset()
        said = [("", ""), *((name, value) for name, value in claims if isinstance(value, str))]
        small = [(name, value) for name, value in said if len(name) + len(value) <= LONGEST_VALUE]
        return frozenset(
            trusts.digest(issuer, audience, *claim) for audience in _audiences(self.claims) for claim in small
        )


def install(app: Flask) -> None:
    """Have the application keep in mind the keys that it fetches."""
    app.extensions[_KEYSETS] = KeySets()


def keys_at(url: str, kid: str | None) -> Sequence[Key]:
    """Return the keys with a kid that are published at a URL; raises Later where they cannot be fetched."""
    keysets: KeySets = current_app.extensions[_KEYSETS]
    try:
        return keysets.keys(url, kid)
    except Unreachable:
        raise braking.Later("the keys of the issuer of the token cannot be fetched; retry", WAIT) from None


def read(text: str) -> Presented:
    """Read a token without believing it; raises Untrusted."""
    if text.count(".") == _ENCRYPTED_PARTS:
        raise Untrusted("The token is encrypted; have the issuer send signed tokens.")
    if not text.isascii() or len(text) > MOST_BYTES:
        raise Untrusted("The token is no JSON Web Token, or longer than one may be.")
    try:
        found = jws.extract_compact(text.encode(), registry=_Registry(strict_check_header=False))
        header, claims = found.headers(), orjson.loads(found.payload or b"")
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise Untrusted("The token is no JSON Web Token, or not all of it.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Untrusted("The token is no JSON Web Token.")
    _check_header(header)
    return Presented(text, header, claims)


def _check_header(header: Mapping[str, Any]) -> None:
    """Refuse what is signed in none of our ways, or asks for more than a signature; no key is taken from here."""
    if header.get("alg") not in ALGORITHMS:
        raise Untrusted(f"The token must be signed in one of these ways: {', '.join(ALGORITHMS)}.")
    if "crit" in header or "b64" in header:
        raise Untrusted("The token asks for extensions of JWS (crit), which are not taken.")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise Untrusted("The token says by its typ that it is not for this.")


def verify(presented: Presented, trust: Trust) -> None:
    """Refuse a token that its issuer has not signed in one of the ways that are trusted; raises Untrusted."""
    algorithm, kid = presented.header["alg"], presented.header.get("kid")
    if algorithm not in trust.algorithms:
        raise Untrusted(f"The token must be signed in one of these ways: {', '.join(trust.algorithms)}.")
    if kid is not None and not isinstance(kid, str):
        raise Untrusted("The kid of the token is no text.")
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    for key in keys_at(trust.jwks_url, kid):
        if key.get("alg", algorithm) != algorithm:
            continue
        try:
            jws.deserialize_compact(presented.text, key, registry=registry)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
        return
    raise Untrusted("No key that the issuer publishes has signed the token.")


def fault(claims: Mapping[str, Any]) -> str | None:
    """Return why a signed token is of no use now, and None where it is."""
    moment, times = time.time(), {name: claims.get(name) for name in ("exp", "nbf", "iat")}
    for name, value in times.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            return f"The {name} of the token is no number."
    if times["exp"] is None:
        return "The token has no end (exp)."
    if times["exp"] <= moment - LEEWAY:
        return "The token has expired; obtain a new one from its issuer."
    if times["exp"] > moment + LONGEST + LEEWAY:
        return f"The token must end within {LONGEST} seconds."
    if max(times["nbf"] or 0, times["iat"] or 0) > moment + LEEWAY:
        return "The token is not valid yet."
    return None


def credential_of(text: str) -> Credential:
    """Return what a bearer token of a trusted issuer stands for; raises Untrusted, and Later without its keys.

    Runs one statement. The keys are fetched outside of it.
    """
    presented = read(text)
    digests = presented.digests
    with scim_service().database.reading(None):
        found = trusts.find(digests) if digests else []
    if len(found) != 1:
        _refuse(bool(found))
    (trust,) = found
    verify(presented, trust)
    wrong = fault(presented.claims) or _unprovable(presented.claims)
    ends = 0 if wrong else int(presented.claims["exp"] + LEEWAY) * 1_000_000
    thumbprint = None if wrong else (presented.claims.get("cnf") or {}).get(_CERTIFICATE)
    credential = trusts.credential_of(trust, _scopes(presented.claims, trust), ends, thumbprint)
    if wrong:
        raise Outdated(credential, wrong)
    return credential


def _unprovable(claims: Mapping[str, Any]) -> str | None:
    """Return why a token that is bound to a key is refused, unless that is the key of a certificate (RFC 7800)."""
    bound = claims.get("cnf")
    by_certificate = isinstance(bound, dict) and list(bound) == [_CERTIFICATE] and isinstance(bound[_CERTIFICATE], str)
    if bound is None or by_certificate:
        return None
    return "The token is bound to a key of its client (cnf) that no request can prove here."


def _refuse(is_ambiguous: bool) -> NoReturn:
    if is_ambiguous:
        raise Untrusted("The token fits several trusted issuers; none is taken.")
    raise Untrusted("No connection trusts the issuer of the token for its audience and claims.")


def _scopes(claims: Mapping[str, Any], trust: Trust) -> Iterator[str]:
    """Give the scopes of a token: those of its trust, of which its own claim may leave some out."""
    if trust.scope_claim is None:
        yield from trust.scopes
        return
    said = claims.get(trust.scope_claim)
    words = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
    named = {one for one in words if isinstance(one, str)}
    if ALIAS in named:
        named |= {"scim.read", "scim.write"}
    yield from (one for one in SCOPES if one in named and one in trust.scopes)


def is_for(presented: Presented, trust: Trust) -> bool:
    """Whether what a token says of itself is what is trusted."""
    return trust.digest in presented.digests


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    said = claims.get("aud")
    named = said if isinstance(said, list) else [said]
    return [one for one in named[:MOST_AUDIENCES] if isinstance(one, str) and len(one) <= LONGEST_VALUE]
