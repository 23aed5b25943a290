"""The OAuth 2.0 authorization server of the connections: how their clients get tokens (docs/authentication.md)."""

import logging
from collections.abc import Callable
from functools import partial, wraps

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError, UnsupportedGrantTypeError
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

from scim_server.provisioning.using import Seldom, record_refusal
from scim_server.store.database import OutOfTime
from scim_server.store.journal import Actor, Entry
from scim_server.web import braking
from scim_server.web.answers import scim_service
from scim_server.web.metadata import GRANTS
from scim_server.web.oauth import consent, proving
from scim_server.web.oauth.endpoints import Introspection, Revocation
from scim_server.web.oauth.grants import AuthorizationCode, ClientCredentials, ProofKey, RefreshToken
from scim_server.web.oauth.server import FORM, Asked, Server

log = logging.getLogger("scim_server")

LARGEST = 65_536
"""Bytes of a request's body."""
MINUTE = 60
_SELDOM = "scim_oauth_seldom"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
View = Callable[[], Response]


def install(app: Flask) -> None:
    """Serve the endpoints."""
    server = _server()
    app.extensions[_SELDOM] = Seldom()
    routes = Blueprint("oauth", __name__, url_prefix="/oauth2", template_folder="templates")

    def serve(path: str, view: View, methods: tuple[str, ...] = ("POST",)) -> None:
        routes.add_url_rule(path, path[1:], _allowing(methods, view), methods=METHODS, provide_automatic_options=False)

    serve("/token", lambda: _token(server))
    serve("/revoke", lambda: server.create_endpoint_response("revocation", _asked("revoke")))
    serve("/introspect", lambda: server.create_endpoint_response("introspection", _asked("introspect")))
    serve("/authorize", lambda: consent.authorize(server), ("GET", "POST"))
    routes.register_error_handler(Exception, partial(_told, server))
    routes.after_request(_record)
    app.register_blueprint(routes)


def _server() -> Server:
    server = Server()
    proving.install(server)
    for grant, extensions in ((ClientCredentials, []), (AuthorizationCode, [ProofKey()]), (RefreshToken, [])):
        server.register_grant(grant, extensions)
    server.register_endpoint(Revocation)
    server.register_endpoint(Introspection)
    return server


def _token(server: Server) -> Response:
    asked = _asked("token")
    kind = asked.payload.grant_type
    if kind is None:
        raise InvalidRequestError("grant_type is missing.")
    if kind not in GRANTS:
        raise UnsupportedGrantTypeError(kind)
    response: Response = server.create_token_response(asked)
    return response


def _asked(endpoint: str) -> Asked:
    if request.mimetype != FORM:
        raise InvalidRequestError(f"The body must be {FORM}.")
    return Asked(endpoint, request.form)


def _allowing(methods: tuple[str, ...], view: View) -> View:
    @wraps(view)
    def viewing() -> Response:
        request.max_content_length = LARGEST
        if request.method not in methods:
            response = jsonify(error="invalid_request", error_description=f"Send a {' or '.join(methods)}.")
            response.headers["Allow"] = ", ".join(methods)
            response.status_code = 405
            return response
        return view()

    return viewing


def _told(server: Server, error: Exception) -> Response:
    """Answer an error as RFC 6749 section 5.2 has it."""
    if isinstance(error, OAuth2Error):
        return server.handle_response(*error())
    if isinstance(error, braking.Later):
        return _later(error.status, str(error), error.seconds)
    if isinstance(error, HTTPException):
        return _failed("invalid_request", error.code or 400, error.name)
    if isinstance(error, OperationalError | TimeoutError | OutOfTime):
        log.error("request %s: the database did not answer", g.request_id, exc_info=error)
        return _later(503, "The database is not available; retry.", 5)
    log.error("request %s failed", g.request_id, exc_info=error)
    return _failed("server_error", 500, f"The server failed; tell its operator: request {g.request_id}")


def _later(status: int, description: str, seconds: float) -> Response:
    response = _failed("temporarily_unavailable", status, description)
    response.headers["Retry-After"] = str(seconds)
    return response


def _failed(error: str, status: int, description: str) -> Response:
    response = jsonify(error=error, error_description=description)
    response.status_code = status
    return response


def _record(response: Response) -> Response:
    """Tell the journal that a known client was refused, of each at most once in a minute."""
    known = g.get("oauth_client")
    if known is None or response.status_code < 400 or not response.is_json:
        return response
    client, told = known.client, response.get_json()
    if current_app.extensions[_SELDOM].is_due("refused", client.public_id, MINUTE):
        actor = Actor("scimToken", client.connection, g.request_id)
        detail = g.get("oauth_unverified") or told.get("error_description")
        why = {"status": response.status_code, "error": told["error"], "detail": detail}
        entry = Entry("client.refused", "refused", "OAuthClient", client.id, client.name, **why)
        database = scim_service().database  # looked up before the answer is sent, after which there is no application
        response.call_on_close(lambda: record_refusal(database, client.account_id, actor, entry))
    return response
