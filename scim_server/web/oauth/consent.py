"""The page on which an administrator of the account lets a client act for it.

Nobody logs in here: that it is an administrator is proved by a code from the command line, which is good once and for
this client alone. Whoever does not have it cannot have the page submitted by somebody else either, so that there is
no session to be ridden.
"""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Response, g, make_response, render_template, request

from scim_server.provisioning import granting
from scim_server.store.clients import Client
from scim_server.web import braking
from scim_server.web.answers import scim_service
from scim_server.web.metadata import places
from scim_server.web.oauth.server import Asked, Server

STYLE = "body{font:1.1em/1.5 sans-serif;max-width:36em;margin:2em auto;padding:0 1em}input,button{font:inherit}"
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
MEANINGS = {
    "scim.read": "read the account's users, groups and settings",
    "scim.write": "create, change, deactivate and delete users and groups",
    "scim.logs": "read the message logs of users and their statistics",
}
WRONG = "This code is not right, was used before, or has expired. Ask for another one at the command line."
_PLAIN = re.compile(r"[A-Za-z_ ]{1,100}")


class _Issuer(IssuerParameter):
    """Says in every answer to a client whose it is (RFC 9207)."""

    def get_issuer(self) -> str:
        """Return the issuer."""
        return places().issuer


def authorize(server: Server) -> Response:
    """Show the page, or carry out what was decided on it."""
    try:
        asked = Asked("authorize", request.args if request.method == "GET" else request.form)
        if not _PLAIN.fullmatch(asked.payload.response_type or ""):
            raise InvalidRequestError("response_type is missing or is none.")
        grant = server.get_consent_grant(asked)
        braking.check_pause(asked.client, asked.client.client)
    except OAuth2Error as error:
        return _refused(server, error)
    if request.method == "GET":
        return _page(asked, None)
    return _decided(server, asked, grant)


def _decided(server: Server, asked: Asked, grant: Any) -> Response:
    client: Client = asked.client.client
    if "deny" in asked.form:
        return _located(server, server.create_authorization_response(asked, None, grant))
    text = re.sub(r"[\s-]", "", asked.form.get("consent", "")).upper()
    with scim_service().database.transaction(client.account_id):
        if granting.consent(client, text, g.request_id):
            return _located(server, server.create_authorization_response(asked, client, grant))
    return _page(asked, WRONG)


def _page(asked: Asked, problem: str | None) -> Response:
    client: Client = asked.client.client
    target = asked.form.get("redirect_uri") or client.redirect_uris[0]
    hidden = {name: value for name, value in asked.form.items() if name not in ("consent", "allow", "deny")}
    body = render_template(
        "consent.html",
        style=STYLE,
        client=client,
        target=urlsplit(target).netloc,
        meanings=[MEANINGS[one] for one in asked.scope.split()],
        hidden=hidden,
        problem=problem,
    )
    return _html(body, 400 if problem else 200, target)


def _refused(server: Server, error: OAuth2Error) -> Response:
    """Tell an error to the client where it is known to wait, and to whoever sits before the browser otherwise."""
    if error.redirect_uri:
        return _located(server, server.handle_response(*error()))
    detail = error.get_error_description() or "The request cannot be understood."
    return _html(render_template("refused.html", style=STYLE, error=error.error, detail=detail), 400)


def _located(server: Server, response: Response) -> Response:
    _Issuer().add_issuer_parameter(server, response)
    return response


def _html(body: str, status: int, target: str | None = None) -> Response:
    """Return a page that may run nothing, be framed by nobody, and send its form here and to the client alone."""
    origin = "" if target is None else " {0.scheme}://{0.netloc}".format(urlsplit(target))
    policy = (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'{origin}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    response = make_response(body, status)
    response.headers["Content-Security-Policy"] = policy
    return response
