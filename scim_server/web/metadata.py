"""What clients find out by themselves: where tokens are issued, and how (RFC 8414, RFC 9728)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.common.security import is_secure_transport
from flask import Flask, Response, current_app, jsonify
from werkzeug.exceptions import NotFound

from scim_server.settings import Settings
from scim_server.store.credentials import SCOPES

_PLACES = "scim_places"
ALIAS = "scim"
"""The scope that stands for reading and writing (IPS-03)."""
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""How an assertion may be signed."""
SECRETS, KEYS = ("client_secret_basic", "client_secret_post"), ("private_key_jwt",)
FEDERATED = "federated"
"""An assertion that a trusted issuer has signed; to who asks it is the private_key_jwt that is announced."""
CERTIFICATES = ("tls_client_auth", "self_signed_tls_client_auth")
GRANTS = ("client_credentials", "authorization_code", "refresh_token")


@dataclass(frozen=True, slots=True)
class Places:
    """The URLs of the server, out of the settings alone: the Host of a request is the client's word."""

    issuer: str
    resource: str
    certificates: bool
    """Whether clients may prove themselves by certificates."""

    @property
    def methods(self) -> tuple[str, ...]:
        """How clients may prove who they are."""
        return (*SECRETS, *KEYS, *(CERTIFICATES if self.certificates else ()))

    def endpoint(self, name: str) -> str:
        """Return the URL of an endpoint of the authorization server."""
        return f"{self.issuer}/oauth2/{name}"

    def well_known(self, name: str, of: str) -> str:
        """Return the URL of a document about ``of``: its path goes behind that of the document."""
        parts = urlsplit(of)
        return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path}"

    @property
    def about_server(self) -> str:
        """The URL of the authorization server's metadata."""
        return self.well_known("oauth-authorization-server", self.issuer)

    @property
    def about_resource(self) -> str:
        """The URL of the metadata of what the tokens are for."""
        return self.well_known("oauth-protected-resource", self.resource)


def install(app: Flask, settings: Settings, base_path: str) -> None:
    """Serve the documents: at the paths of the RFCs, and at those without a suffix.

    Where the server is not reached by https or on loopback there is no OAuth: its secrets would cross a network.
    """
    url = settings.external_url
    if not is_secure_transport(url):
        return
    places = Places(url, url + base_path, settings.tls_client_header is not None)
    app.extensions[_PLACES] = places
    for name, of, document in (
        ("oauth-authorization-server", places.issuer, about_server(places)),
        ("oauth-protected-resource", places.resource, about_resource(places)),
    ):
        _serve(app, name, urlsplit(of).path, document)


def _serve(app: Flask, name: str, suffix: str, document: dict[str, Any]) -> None:
    def view(path: str = "") -> Response:
        if path not in ("", suffix.lstrip("/")):
            raise NotFound
        return jsonify(document)

    for rule in (f"/.well-known/{name}", f"/.well-known/{name}/<path:path>"):
        app.add_url_rule(rule, name, view, methods=["GET"])


def places() -> Places:
    """Return the URLs of the current application."""
    found: Places = current_app.extensions[_PLACES]
    return found


def is_served(app: Flask) -> bool:
    """Whether the application issues tokens by OAuth."""
    return _PLACES in app.extensions


def challenge_to(realm: str) -> str:
    """Return a challenge that leads a client to where tokens are issued (RFC 9728 section 5.1)."""
    bare = f'Bearer realm="{realm}"'
    return f'{bare}, resource_metadata="{places().about_resource}"' if is_served(current_app) else bare


def about_resource(places: Places) -> dict[str, Any]:
    """Return the metadata of the SCIM API (RFC 9728 section 2)."""
    return {
        "resource": places.resource,
        "authorization_servers": [places.issuer],
        "scopes_supported": [ALIAS, *SCOPES],
        "bearer_methods_supported": ["header"],
        "resource_name": "SCIM 2.0 API",
        **_bound(places),
    }


def about_server(places: Places) -> dict[str, Any]:
    """Return the metadata of the authorization server (RFC 8414 section 2)."""
    methods = list(places.methods)
    return {
        "issuer": places.issuer,
        "authorization_endpoint": places.endpoint("authorize"),
        "token_endpoint": places.endpoint("token"),
        "revocation_endpoint": places.endpoint("revoke"),
        "introspection_endpoint": places.endpoint("introspect"),
        "scopes_supported": [ALIAS, *SCOPES],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "protected_resources": [places.resource],
        **_bound(places),
        **{f"{name}_endpoint_auth_methods_supported": methods for name in _AUTHENTICATED},
        **{f"{name}_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS) for name in _AUTHENTICATED},
    }


_AUTHENTICATED = ("token", "revocation", "introspection")


def _bound(places: Places) -> dict[str, bool]:
    return {"tls_client_certificate_bound_access_tokens": True} if places.certificates else {}
