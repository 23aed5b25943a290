"""Who calls: the bearer token of a request, judged by authlib, as the Caller of the use cases (R1)."""

import hmac
from base64 import b64decode
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson
from authlib.oauth2 import OAuth2Error, ResourceProtector
from authlib.oauth2.rfc6749.errors import MissingAuthorizationError, UnsupportedTokenTypeError
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc6750.errors import InsufficientScopeError, InvalidTokenError
from flask import Flask, current_app, g, request
from scim2_models import SCIMException

from scim_server.account.policies import Policies, policies_from
from scim_server.idp.profiles import profiles
from scim_server.protocol.catalogue import Endpoint
from scim_server.provisioning import Caller
from scim_server.store.credentials import Credential, Recent, is_active
from scim_server.store.database import Database
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor
from scim_server.store.tokens import is_whole
from scim_server.web import braking, federation
from scim_server.web.answers import scim_service
from scim_server.web.certificates import thumbprint_of_request
from scim_server.web.metadata import challenge_to

REALM = "scim"
_RECENT = "scim_credentials"
READ, WRITE, LOGS = "scim.read", "scim.write", "scim.logs"
_OF_LOGS = frozenset({"/UserLogEntries", "/UserStatistics"})
"""The endpoints that tell of the users' logs (R28, R30)."""
_OF_USERS = frozenset({"Me", "ServiceProviderConfig", "ResourceTypes", "Schemas"})
"""What a token that stands for a user may reach."""


class Unauthorized(SCIMException):
    """The credential of a request does not open what it asks for: 401, or 403 for a missing scope."""

    def __init__(self, status: int, detail: str, challenge: str) -> None:
        super().__init__(detail=detail)
        self.status = status
        self.challenge = challenge


class Token:
    """A credential in the form in which authlib asks about it."""

    def __init__(self, credential: Credential) -> None:
        self.credential = credential

    def is_expired(self) -> bool:
        """Whether the token's time is over."""
        return self.credential.expires_at is not None and self.credential.expires_at <= now()

    def is_revoked(self) -> bool:
        """Whether an administrator has revoked the token."""
        return self.credential.revoked_at is not None

    def get_scope(self) -> str:
        """Return the scopes, separated by spaces."""
        return " ".join(self.credential.scopes)


class TokenValidator(BearerTokenValidator):
    """Looks opaque tokens up by their digest; a token with dots is one of a trusted issuer, or none."""

    def authenticate_token(self, token_string: str) -> Token | None:
        """Return the token of a string, or None; the comparison is the database's, on a digest.

        What cannot be a token is told without a look into the database.
        """
        if token_string.count(".") > 1:
            return _of_issuer(token_string)
        if not token_string.isascii() or not is_whole(token_string):
            raise InvalidTokenError(description=_DAMAGED)
        credential = current_app.extensions[_RECENT].find(token_string)
        return Token(credential) if credential else None

    def validate_token(self, token: Token | None, scopes: Any, request: Any, **_: Any) -> None:
        """Refuse a token that is unknown, or of no use any more; of a known one its account's journal is told.

        The caller is known before its scopes are judged, so that the refusal is in its account's journal.
        """
        if token is not None:
            g.credential = token.credential
            g.refused = _fault(token)
            if g.refused:
                raise InvalidTokenError(description=g.refused)
            g.caller = _caller(token.credential)
        super().validate_token(token, scopes, request)


class BasicValidator(TokenValidator):
    """Takes a token that comes as the password of HTTP Basic, of a connection that was set to send it so (OAU-12)."""

    TOKEN_TYPE = "basic"  # noqa: S105  # the name of a scheme

    def authenticate_token(self, token_string: str) -> Token:
        """Return the token of a user name, which is not looked at, and a password; all else is told as before."""
        try:
            password = b64decode(token_string, validate=True).decode("ascii").partition(":")[2]
        except ValueError:
            password = ""
        token = super().authenticate_token(password) if is_whole(password) else None
        if token is None:
            raise UnsupportedTokenTypeError
        if not token.credential.basic:
            g.credential, g.refused = token.credential, _NO_BASIC
            raise UnsupportedTokenTypeError
        return token


_NO_BASIC = "the token came by HTTP Basic, which its connection may not use; see scim-server connection basic"


def _of_issuer(text: str) -> Token:
    """Return what a trusted issuer's token stands for; of one that it has signed the account's journal is told."""
    try:
        credential = current_app.extensions[_RECENT].find(text, lambda: federation.credential_of(text))
    except federation.Untrusted as error:
        if isinstance(error, federation.Outdated):
            g.credential, g.refused = error.credential, str(error)
        raise InvalidTokenError(description=str(error)) from None
    return Token(credential)


_DAMAGED = "This is no token of this server, or not all of it; copy the whole token again."
_RENEWED = "issue a new one and enter it in the IdP"


def _fault(token: Token) -> str | None:
    """Return why a known token is refused, and the way out; None where it is not."""
    credential = token.credential
    way_out = _RENEWED if credential.client_id is None else "obtain a new one from the token endpoint"
    if credential.is_foreign:
        way_out = "obtain a new one from its issuer"
    if token.is_expired():
        return f"The token has expired; {way_out}."
    if token.is_revoked():
        return f"The token was revoked; {way_out}."
    bound = credential.thumbprint
    if bound is not None and not hmac.compare_digest(bound, thumbprint_of_request() or ""):
        return "The token is bound to a client certificate, which the request does not present; present it."
    return None


_protector = ResourceProtector()
for _validator in (TokenValidator(realm=REALM), BasicValidator(realm=REALM)):
    _protector.register_token_validator(_validator)


def install(app: Flask, database: Database, seconds: float) -> None:
    """Have the application look tokens up in the database, each at most once in so many seconds."""
    app.extensions[_RECENT] = Recent(database, seconds)


def scope_to_read(endpoint: Endpoint | None) -> str:
    """Return the scope that a token needs to read at an endpoint, or at none of them."""
    return LOGS if endpoint is not None and endpoint.path in _OF_LOGS else READ


def identify(scope: str) -> Caller:
    """Return the caller of the current request, whose token must have ``scope``; raises Unauthorized.

    Runs one statement where the token was not seen lately, and another where it stands for a user.
    """
    try:
        token: Token = _protector.validate_request([scope], request)
    except OAuth2Error as error:
        raise braking.refused(_unauthorized(error, scope)) from error
    credential = token.credential
    caller: Caller = g.caller
    braking.admit(caller, credential)
    if credential.user_id is not None:
        _check_user(credential.account_id, credential.user_id)
    return caller


def _caller(credential: Credential) -> Caller:
    return Caller(
        account_id=credential.account_id,
        actor=_actor(credential),
        scopes=credential.scopes,
        profile=profiles()[credential.profile],
        policies=_policies(credential.settings, credential.profile),
        credential=credential.digest,
        user_id=credential.user_id,
        connection_id=credential.connection_id,
    )


def _actor(credential: Credential) -> Actor:
    """Return whose doing it is in the journal: the connection's, or the user's own, by an id that outlives the name."""
    if credential.user_id is not None:
        return Actor("user", credential.user_id, g.request_id)
    return Actor("scimToken", credential.connection, g.request_id)


def _check_user(account_id: str, user_id: str) -> None:
    """Refuse the token of an inactive user (R24), and to users all that is not theirs: they administer nothing (R1)."""
    with scim_service().database.reading(account_id):
        is_working = is_active(account_id, user_id)
    if not is_working:
        detail = g.refused = "The user that the token stands for is not active."
        raise _unauthorized(InvalidTokenError(description=detail), READ)
    rule = request.url_rule.rule if request.url_rule else ""
    if not _OF_USERS & set(rule.split("/")):
        detail = "the token stands for a user, who may reach /Me and what the server says of itself, and nothing else"
        raise Unauthorized(403, detail, f'{challenge_to(REALM)}, error="insufficient_scope"')


@lru_cache(maxsize=1024)
def _policies(settings: str, profile: str) -> Policies:
    """Return the account's policies; a profile that judges formats judges time zones whatever they say (A-44)."""
    policies = policies_from(orjson.loads(settings))
    free = profiles()[profile].tolerance.free_formats
    return policies if free else replace(policies, timezone_enforcement="strict")


def _unauthorized(error: OAuth2Error, scope: str) -> Unauthorized:
    """Tell authlib's error as RFC 6750 section 3 has it: no error code where no token was sent (AUT-03)."""
    challenge = challenge_to(REALM)
    if isinstance(error, MissingAuthorizationError):
        return Unauthorized(401, "send the connection's token: Authorization: Bearer <token>", challenge)
    if isinstance(error, UnsupportedTokenTypeError):
        return Unauthorized(401, "Authorization must be: Bearer <token>", challenge)
    if isinstance(error, InsufficientScopeError):
        detail = f"the token has not the scope '{scope}' that {request.method} needs; issue one that has"
        return Unauthorized(403, detail, f'{challenge}, error="insufficient_scope", scope="{scope}"')
    detail = str(error.get_error_description() or "the token is not known")
    return Unauthorized(401, detail, f'{challenge}, error="invalid_token", error_description="{detail}"')
