"""The authorization server: authlib's, on our clients and our tokens."""

import hmac
from collections.abc import Mapping
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from flask import Response, g, json, request
from werkzeug.datastructures import MultiDict

from scim_server.provisioning import granting
from scim_server.provisioning.granting import ACCESS_SECONDS, Grant, Spent
from scim_server.store import clients
from scim_server.store.clients import Client
from scim_server.store.credentials import SCOPES, digest
from scim_server.store.journal import Actor
from scim_server.web import braking
from scim_server.web.answers import scim_service
from scim_server.web.certificates import thumbprint_of_request
from scim_server.web.metadata import ALIAS, CERTIFICATES, FEDERATED, SECRETS, places

FORM = "application/x-www-form-urlencoded"


class OAuthClient(ClientMixin):
    """A client in the form in which authlib asks about it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def account_id(self) -> str:
        """The account of its connection."""
        return self.client.account_id

    @property
    def connection_id(self) -> str:
        """Its connection."""
        return self.client.connection_id

    @property
    def actor(self) -> Actor:
        """Whose doing it is in the journal: the connection's."""
        return Actor("scimToken", self.client.connection, g.request_id)

    def get_client_id(self) -> str:
        """Return the id that the client names."""
        return self.client.public_id

    def get_default_redirect_uri(self) -> str | None:
        """Return the only place where the client waits for its answer, if there is only one."""
        uris = self.client.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return the scopes that are granted: all that the client may have where it names none."""
        asked = set((scope or "").split()) or set(self.client.scopes)
        if not asked <= set(self.client.scopes):
            return None
        return " ".join(one for one in SCOPES if one in asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether the client waits there: letter by letter (RFC 9700 section 4.1.3)."""
        return redirect_uri in self.client.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether a secret is the client's."""
        return hmac.compare_digest(digest(client_secret), self.client.secret or "")

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client proves itself so; a secret may come in the header or in the body."""
        return method == self.client.method or (self.client.method == "client_secret" and method in SECRETS)

    def check_response_type(self, response_type: str) -> bool:
        """Whether the client may ask an administrator for consent."""
        return response_type == "code" and "authorization_code" in self.client.grants

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may have tokens in this way."""
        return grant_type in self.client.grants


class Asked(OAuth2Request):
    """A request to the authorization server, in the form in which authlib reads it.

    Its URL is that of the settings: a proxy has ended TLS, and the Host is the client's word. The parameters are
    those of the body, and where the browser comes by a link those of the query; never both.
    """

    def __init__(self, endpoint: str, parameters: "MultiDict[str, str]") -> None:
        super().__init__(request.method, places().endpoint(endpoint), headers=request.headers)
        for name, values in parameters.lists():
            if len(values) > 1:
                raise InvalidRequestError(f"{name[:40]!a} is there more than once.".replace("\\", "/"))
        self._parameters = {name: value for name, value in parameters.items() if value}
        if ALIAS in self._parameters.get("scope", "").split():
            self._parameters["scope"] = _without_alias(self._parameters["scope"])
        self.payload = BasicOAuth2Payload(self._parameters)

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters."""
        return self._parameters

    args = form


def _without_alias(scope: str) -> str:
    """Write ``scim`` as what it stands for (IPS-03)."""
    named = set(scope.split())
    return " ".join(sorted(named - {ALIAS} | {"scim.read", "scim.write"}))


class Server(AuthorizationServer):
    """Issues tokens for connections to their clients."""

    def query_client(self, client_id: str) -> OAuthClient | None:
        """Return a client that was not revoked; looked up once per request."""
        known: OAuthClient | None = g.get("oauth_client")
        if known is not None and known.get_client_id() == client_id:
            return known
        place = clients.place_of(client_id)
        if place is None:
            return None
        with scim_service().database.reading(place[0]):
            found = clients.live(*place)
        if found is None:
            return None
        client = g.oauth_client = OAuthClient(found)
        return client

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> OAuthClient:
        """Return the client that has proved who it is, by whichever of our methods; the error tells no more."""
        try:
            _check_one_method(request)
            client: OAuthClient = super().authenticate_client(request, (FEDERATED, *places().methods), endpoint)
        except InvalidClientError as error:
            detail = error.description if isinstance(error, Unproved) else _UNPROVED
            g.oauth_unverified = error.description if isinstance(error, Unverified) else None
            raise braking.failed(InvalidClientError(detail, status_code=401)) from error
        braking.admit(client, client.client)
        return client

    def generate_token(self, grant_type: str, client: OAuthClient, scope: str | None = None, **_: Any) -> Any:
        """Return what is told of a token; the token itself comes with its storage."""
        granted = client.get_allowed_scope(scope)
        if granted is None:
            raise OutOfScope(client)
        return {"token_type": "Bearer", "expires_in": ACCESS_SECONDS, "scope": granted}

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """Issue and store a token, which then is told once; a certificate that proved the client binds it."""
        client: Client = request.client.client
        bound = thumbprint_of_request() if client.method in CERTIFICATES else None
        spent = request.authorization_code or request.refresh_token
        row = None if spent is None else spent.row
        grant = Grant(client, token["scope"], g.request_id, bound, row)
        try:
            token |= granting.issue(scim_service().database, grant)
        except Spent:
            raise InvalidGrantError("It was used before; all that came of it has ended.") from None

    def create_oauth2_request(self, request: Any) -> Any:
        """Return the request, which our views have read already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """Return an answer; that nobody may keep it is said of every answer of the server."""
        kept = [(name, value) for name, value in headers if name.lower() != "cache-control"]
        return Response(json.dumps(body) if isinstance(body, dict) else body, status=status, headers=kept)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Tell nobody: the journal is written where things happen."""


_UNPROVED = "The client is not known here, was revoked, or did not prove who it is as it was registered to."


class Unproved(InvalidClientError):
    """A client's proof is wrong in a way that it may be told."""


class Unverified(InvalidClientError):
    """A client's proof is wrong in a way that tells of the client, which is for its account's journal alone."""


class OutOfScope(OAuth2Error):
    """A client asks for more than it may have."""

    error = "invalid_scope"

    def __init__(self, client: OAuthClient) -> None:
        super().__init__(f"This client may have: {' '.join(client.client.scopes)}")


def _check_one_method(request: Any) -> None:
    """Refuse a request that proves its client in several ways (RFC 6749 section 2.3).

    Some send the same secret in the header and in the body when they are set to send it in both.
    """
    form, header = request.form, request.headers.get("Authorization")
    try:
        named, secret = extract_basic_authorization(request.headers)
    except ValueError:  # bytes that are no text
        raise Unproved("The Authorization header cannot be read.") from None
    ways = [
        header and (named, secret),
        (form.get("client_id"), form.get("client_secret")),
        form.get("client_assertion"),
    ]
    used = [way for way in ways if way and way[-1]]
    if len(used) > 1 and (len(used) > 2 or used[0] != used[1]):
        raise InvalidRequestError("The client proves itself in more than one way.")
    if named and form.get("client_id", named) != named:
        raise InvalidRequestError("client_id is another one than that of the Authorization header.")
