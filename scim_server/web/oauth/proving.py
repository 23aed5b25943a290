"""How clients prove who they are without a secret: by a signed assertion (RFC 7523), by a certificate (RFC 8705)."""

import hmac
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import Key

from scim_server.provisioning import granting
from scim_server.store import trusts
from scim_server.store.clients import Client
from scim_server.store.trusts import Trust
from scim_server.web import federation
from scim_server.web.answers import scim_service
from scim_server.web.certificates import certificate_of_request, is_in_time, is_issued_by, thumbprint
from scim_server.web.federation import keys_at
from scim_server.web.metadata import ALGORITHMS, FEDERATED, places
from scim_server.web.oauth.keys import read_keys
from scim_server.web.oauth.server import OAuthClient, Server, Unproved, Unverified

LEEWAY = 60
"""Seconds by which the client's clock may be off."""
LONGEST = 3600
"""Seconds from now within which an assertion must end."""
# What most clients call it; the fully specified name is taken as well (RFC 9864).
warnings.filterwarnings("ignore", message="EdDSA is deprecated")


class Assertion(JWTBearerClientAssertion):
    """One request's assertion, signed with a key that the client was registered with."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self) -> None:
        super().__init__(leeway=LEEWAY)
        self._client: Client | None = None
        self._kid: str | None = None

    def __call__(self, query_client: Any, request: Any) -> Any:
        """Return the client that an assertion proves, or None where there is none."""
        try:
            return super().__call__(query_client, request)
        except (RecursionError, ValueError):  # of the reading of hostile JSON
            raise Unproved("The assertion is not a JWT.") from None

    def extract_assertion(self, assertion: str) -> Any:
        """Read an assertion before it is verified: which client, which key."""
        header, claims = super().extract_assertion(assertion)
        kid = header.get("kid")
        self._kid = kid if isinstance(kid, str) else None
        return header, claims

    def resolve_client_public_key(self, client: OAuthClient) -> Sequence[Key]:
        """Return the keys of the client, of which one may have signed."""
        self._client = client.client
        if client.client.method != self.CLIENT_AUTH_METHOD:
            raise Unverified("The client is not registered for private_key_jwt.")
        if client.client.jwks_url is not None:
            return keys_at(client.client.jwks_url, self._kid)
        keys = read_keys(client.client.jwks or "")
        return [key for key in keys if self._kid is None or key.kid == self._kid or len(keys) == 1]

    def process_assertion_claims(self, assertion: str, resolve_key: Sequence[Key]) -> Any:
        """Return the claims of an assertion that one of the keys has signed in one of our ways."""
        if not resolve_key:
            raise Unverified("No key of the client has the kid of the assertion.")
        for key in resolve_key:
            try:
                claims = jwt.decode(assertion, key, algorithms=list(ALGORITHMS)).claims
            except (JoseError, ValueError, TypeError, AttributeError):
                continue
            self.verify_claims(claims)
            return claims
        raise Unverified(f"The signature of the assertion is wrong, or not one of {', '.join(ALGORITHMS)}.")

    def verify_claims(self, claims: Any) -> None:
        """Refuse an assertion that is not of this client, not for this server, out of time, or used before."""
        assert self._client is not None  # its keys were asked before
        mine = {"essential": True, "value": self._client.public_id}
        audience = {"essential": True, "values": [places().endpoint("token"), places().issuer]}
        wanted: dict[str, Any] = {"iss": mine, "sub": mine, "aud": audience}
        registry = jwt.JWTClaimsRegistry(leeway=LEEWAY, **wanted, exp={"essential": True}, jti={"essential": True})
        try:
            registry.validate(claims)
        except ExpiredTokenError:
            raise Unproved("The assertion has expired.") from None
        except JoseError as error:
            raise Unproved(f"The assertion is not acceptable: {_plain(str(error))}") from None
        if claims["exp"] > time.time() + LONGEST + LEEWAY:
            raise Unproved(f"The assertion must end within {LONGEST} seconds.")
        if not 0 < len(claims["jti"]) <= 255:
            raise Unproved("jti must have 1 to 255 characters.")
        ends = (int(claims["exp"]) + LEEWAY + 1) * granting.SECOND
        _take(self._client, claims["jti"], ends)


def _take(client: Client, jti: str, ends: int) -> None:
    if not granting.take_assertion(scim_service().database, client, jti, ends):
        raise Unproved("The assertion was used before: its jti is known.")


def _plain(text: str) -> str:
    """Return a text without the characters that an error may not have (RFC 6749 section 5.2)."""
    return "".join(one if one.isascii() and one.isprintable() and one not in '"\\' else "." for one in text[:200])


def by_issuer(query_client: Any, request: Any) -> OAuthClient | None:
    """Return the client that a trusted issuer vouches for: it names itself, the issuer's token says that it may.

    A jti is good for one use. A token without one, as those of workload identities are, may come again until it ends:
    whoever sends it obtains it from a cache, and it is sent here alone.
    """
    text, client = request.form.get("client_assertion"), _named(query_client, request)
    if request.form.get("client_assertion_type") != Assertion.CLIENT_ASSERTION_TYPE or not text or client is None:
        return None
    mine = client.client
    if mine.method != FEDERATED or mine.trust_id is None:
        return None
    with scim_service().database.reading(mine.account_id):
        trust = trusts.live(mine.account_id, mine.trust_id)
    claims = _vouched(text, trust)
    jti = claims.get("jti")
    if jti is not None:
        if not isinstance(jti, str) or not 0 < len(jti) <= 255:
            raise Unproved("jti must have 1 to 255 characters.")
        _take(mine, jti, (int(claims["exp"]) + LEEWAY + 1) * granting.SECOND)
    return client


def _vouched(text: str, trust: Trust | None) -> Mapping[str, Any]:
    """Return the claims of a token by which an issuer vouches for a client; what is wrong is told to who has signed."""
    try:
        presented = federation.read(text)
        if trust is None or not federation.is_for(presented, trust):
            raise Unverified("Its issuer, its audience or its claim is not the one that vouches for the client.")
        federation.verify(presented, trust)
    except federation.Untrusted as error:
        raise Unverified(str(error)) from None
    if wrong := federation.fault(presented.claims):
        raise Unproved(wrong)
    if "cnf" in presented.claims:
        raise Unproved("The assertion is bound to a key (cnf), which is not proved here.")
    return presented.claims


def by_certificate(query_client: Any, request: Any) -> OAuthClient | None:
    """Return the client whose certificate an authority has signed for its subject (RFC 8705 section 2.1)."""
    certificate, client = certificate_of_request(), _named(query_client, request)
    if certificate is None or client is None or client.client.issuer is None:
        return None
    is_subject = certificate.subject.rfc4514_string() == client.client.subject
    return client if is_subject and is_issued_by(certificate, client.client.issuer) else None


def by_own_certificate(query_client: Any, request: Any) -> OAuthClient | None:
    """Return the client that was registered with this very certificate (RFC 8705 section 2.2)."""
    certificate, client = certificate_of_request(), _named(query_client, request)
    if certificate is None or client is None or client.client.thumbprint is None:
        return None
    is_own = hmac.compare_digest(thumbprint(certificate), client.client.thumbprint)
    return client if is_own and is_in_time(certificate) else None


def _named(query_client: Any, request: Any) -> OAuthClient | None:
    named = request.form.get("client_id")
    client: OAuthClient | None = query_client(named) if named else None
    return client


def install(server: Server) -> None:
    """Have a server take the proofs."""
    server.register_client_auth_method(FEDERATED, by_issuer)
    server.register_client_auth_method("private_key_jwt", lambda query, request: Assertion()(query, request))
    server.register_client_auth_method("tls_client_auth", by_certificate)
    server.register_client_auth_method("self_signed_tls_client_auth", by_own_certificate)
