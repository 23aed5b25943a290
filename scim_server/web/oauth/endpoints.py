"""Where clients end their tokens (RFC 7009), and ask about them (RFC 7662)."""

from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import g

from scim_server.provisioning import granting
from scim_server.store import clients, tickets
from scim_server.store.credentials import digest
from scim_server.store.identifiers import now
from scim_server.web.answers import scim_service
from scim_server.web.metadata import places


class Revocation(RevocationEndpoint):
    """Ends a token of the client; of another's, or of none, nothing is told."""

    def authenticate_token(self, request: Any, client: Any) -> str:
        """Return the token as it was sent: the hint is not needed, all kinds are looked for."""
        return _token(request)

    def revoke_token(self, token: str, request: Any) -> None:
        """End a token."""
        granting.revoke(scim_service().database, request.client.client, token, g.request_id)


class Introspection(IntrospectionEndpoint):
    """Tells a client of its own tokens alone."""

    def authenticate_token(self, request: Any, client: Any) -> dict[str, Any] | None:
        """Return what is told of a token that is good; None of any other."""
        text, mine = _token(request), client.client
        with scim_service().database.reading(mine.account_id):
            access = clients.token_of(mine.account_id, mine.id, digest(text))
            refresh = tickets.find(mine.account_id, tickets.REFRESH, mine.id, text)
        if access is not None and access.revoked_at is None and access.expires_at > now():
            bound = {"cnf": {"x5t#S256": access.thumbprint}} if access.thumbprint else {}
            return _told(access, mine) | {"token_type": "Bearer", "aud": places().resource} | bound
        if refresh is not None and refresh.used_at is None and refresh.expires_at > now():
            return _told(refresh, mine)
        return None

    def create_introspection_payload(self, token: dict[str, Any] | None) -> dict[str, Any]:
        """Return what is told."""
        return {"active": False} if token is None else token


def _token(request: Any) -> str:
    text = request.form.get("token")
    if not text:
        raise InvalidRequestError("token is missing.")
    return str(text)


def _told(row: Any, client: Any) -> dict[str, Any]:
    return {
        "active": True,
        "scope": row.scopes,
        "client_id": client.public_id,
        "exp": row.expires_at // granting.SECOND,
        "iat": row.created // granting.SECOND,
        "iss": places().issuer,
    }
