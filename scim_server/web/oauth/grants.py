"""The ways to a token: with the client's own proof, with an administrator's consent, with a refresh token."""

from typing import Any

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import g

from scim_server.provisioning import granting
from scim_server.store.tickets import CODE, REFRESH
from scim_server.web.answers import scim_service


class Ticket:
    """A code or refresh token in the form in which authlib asks about it."""

    def __init__(self, row: sa.Row[Any]) -> None:
        self.row = row
        self.code_challenge: str | None = row.challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str | None:
        """Return where the code was sent, if the request for it said so."""
        uri: str | None = self.row.redirect_uri
        return uri

    def get_scope(self) -> str:
        """Return what the administrator has consented to."""
        return str(self.row.scopes)

    def check_client(self, client: Any) -> bool:
        """Whether it is the client's: it is looked up among the client's own."""
        return True


class ClientCredentials(grants.ClientCredentialsGrant):
    """The client's own proof (RFC 6749 section 4.4)."""


class AuthorizationCode(grants.AuthorizationCodeGrant):
    """An administrator's consent (RFC 6749 section 4.1)."""

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Any) -> str:
        """Return where the answer goes; a wrong place is told to the browser alone, never to that place."""
        uri: str | None = request.payload.redirect_uri or client.get_default_redirect_uri()
        if uri is None or not client.check_redirect_uri(uri):
            raise InvalidRequestError("redirect_uri is not one of those that the client is registered with.")
        return uri

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Store the code with what the consent was asked for."""
        data = request.payload.data
        values = {
            "redirect_uri": data.get("redirect_uri"),
            "scopes": request.scope,
            "challenge": data.get("code_challenge"),
        }
        granting.put_code(request.client.client, code, values)

    def query_authorization_code(self, code: str, client: Any) -> Ticket | None:
        """Return a code of the client that was not used."""
        return _ticket(client, CODE, code)

    def delete_authorization_code(self, authorization_code: Any) -> None:
        """Leave it: a code is used up as its token is issued, and kept so that a second use is seen."""

    def authenticate_user(self, authorization_code: Ticket) -> Any:
        """Return on whose word the client acts: the consent's."""
        return authorization_code.row.family


class RefreshToken(grants.RefreshTokenGrant):
    """A refresh token, which is good for one use (RFC 9700 section 4.14.2)."""

    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Ticket | None:
        """Return a refresh token of the client that was not used."""
        return _ticket(self.request.client, REFRESH, refresh_token)

    def authenticate_user(self, refresh_token: Ticket) -> Any:
        """Return on whose word the client acts: the consent's."""
        return refresh_token.row.family

    def revoke_old_credential(self, refresh_token: Any) -> None:
        """Leave it: it is used up as its successor is issued."""


def _ticket(client: Any, kind: str, text: str) -> Ticket | None:
    row = granting.spendable(scim_service().database, client.client, kind, text, g.request_id)
    return None if row is None else Ticket(row)


class ProofKey(CodeChallenge):
    """PKCE, S256 alone (RFC 7636); authlib asks it of public clients, this server of every one."""

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a code challenge, but for a client that was registered as not able to send one."""
        data = grant.request.payload.data
        if "code_challenge" not in data and grant.request.client.client.proof_key:
            raise InvalidRequestError("code_challenge is missing (RFC 7636).")
        if "code_challenge" in data and data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256.")
        super().validate_code_challenge(grant, redirect_uri)
