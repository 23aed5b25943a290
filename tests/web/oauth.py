"""OAuth clients of an account for the tests: registered as at the command line, their keys and certificates made here."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from joserfc import jws
from joserfc.jwk import ECKey
from webtest import TestApp

from scim_server.cli.registering import Registration, Registry
from tests.web.conftest import Api

ISSUER = "http://localhost"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def register(
    api: Api, auth: str = "client_secret", grant: str = "client_credentials", connection: str = "okta", **wanted: Any
) -> dict[str, Any]:
    """Create a client of a connection."""
    return Registry(api.database).create_client(api.account_name, connection, None, Registration(grant, auth, **wanted))


def post(app: Flask, path: str = "/oauth2/token", *, headers: Any = None, **form: str) -> Any:
    """Send a form, whatever comes of it; a token is asked for by default."""
    form = {"grant_type": "client_credentials", **form}
    return TestApp(app, lint=False).post(path, form, headers=headers or {}, expect_errors=True)


def own(client: dict[str, Any]) -> dict[str, str]:
    """The id and the secret of a client, as they go into a form."""
    return {"client_id": client["clientId"], "client_secret": client["clientSecret"]}


def presented(client: dict[str, Any], text: str) -> dict[str, str]:
    """The token by which an issuer vouches for a client, as it goes into a form."""
    proof = {"client_assertion_type": JWT_BEARER, "client_assertion": text}
    return {"client_id": client["clientId"], **proof}


def error_of(response: Any, status: int = 401) -> tuple[str, str]:
    """The error of a refusal of the authorization server, with its description; RFC 6749 section 5.2."""
    assert response.status_int == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert "no-store" in response.headers["Cache-Control"]
    return response.json["error"], response.json.get("error_description", "")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def key_set(directory: Path, *keys: ECKey) -> Path:
    """A file with the public keys."""
    file = directory / "keys.json"
    file.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}))
    return file


def assertion(client_id: str, key: Any, **claims: Any) -> dict[str, str]:
    """A signed assertion, as it goes into a form; claims that are None are left out."""
    moment = int(time.time())
    told = {
        "iss": client_id,
        "sub": client_id,
        "aud": f"{ISSUER}/oauth2/token",
        "exp": moment + 120,
        "jti": f"{moment}",
    }
    told = {name: value for name, value in (told | claims).items() if value is not None}
    text = jws.serialize_compact({"alg": "ES256"}, json.dumps(told).encode(), key)
    return {"client_assertion_type": JWT_BEARER, "client_assertion": text}


class Authority:
    """Who issues certificates."""

    def __init__(self, name: str = "CN=ca") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name.from_rfc4514_string(name)
        self.own = self.issue(name, self._key)

    def issue(self, subject: str, key: Any = None, days: Sequence[int] = (-1, 1)) -> x509.Certificate:
        """A certificate for a subject, good from one day to another, counted from today."""
        begins, ends = (datetime.now(UTC) + timedelta(days=one) for one in days)
        builder = x509.CertificateBuilder(
            self._name,
            x509.Name.from_rfc4514_string(subject),
            (key or ec.generate_private_key(ec.SECP256R1())).public_key(),
            x509.random_serial_number(),
            begins,
            ends,
        )
        return builder.sign(self._key, SHA256())


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def shown(certificate: x509.Certificate) -> dict[str, str]:
    """The header in which a proxy passes a certificate on."""
    return {"X-Client-Cert": quote(pem(certificate))}
