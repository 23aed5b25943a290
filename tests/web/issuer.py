"""An identity provider that signs tokens: a real HTTP server that serves its key set, and a driver that trusts it."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from ssl import SSLContext
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from scim_server.cli.trusting import Trusting, Wanted
from tests.web.conftest import Api

_numbers = count(1)
AUDIENCE, SUBJECT = "https://scim.example", "0oa1b2c3"
RSA = RSAKey.generate_key(2048)


class Issuer:
    """Serves openid-configuration and keys on loopback; counts what it is asked."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {
            "rsa": RSA,
            "ec": ECKey.generate_key("P-256"),
            "ed": OKPKey.generate_key("Ed25519"),
        }
        self.asked: list[str] = []
        self.is_down = False
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """What is answered at a path in place of the usual."""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        # A port may come back, and the databases are those of all tests of a module.
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/{next(_numbers)}"
        self.jwks_url = f"{self.url}/keys"

    def _handler(issuer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.removeprefix(urlsplit(issuer.url).path)
                issuer.asked.append(path)
                status, headers, body = issuer._answer(path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if self.is_down:
            return 500, {}, b""
        if path in self.answers:
            return self.answers[path]
        documents = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": self.jwks_url},
            "/keys": self.key_set(),
        }
        return (200, {}, json.dumps(documents[path]).encode()) if path in documents else (404, {}, b"")

    def key_set(self) -> dict[str, Any]:
        """The public keys, among others that no signature is verified with."""
        others: list[Any] = [{"kty": "oct", "k": "AAAA", "kid": "secret"}, {"kty": "new", "kid": "new"}, "nonsense"]
        return {"keys": [*others, *({**key.as_dict(private=False), "kid": kid} for kid, key in self.keys.items())]}

    def claims(self, **claims: Any) -> dict[str, Any]:
        """The claims of a good token; those that are None are left out."""
        moment = int(time.time())
        told = {"iss": self.url, "aud": AUDIENCE, "sub": SUBJECT, "iat": moment, "nbf": moment, "exp": moment + 3600}
        return {name: value for name, value in (told | claims).items() if value is not None}

    def sign(self, kid: str | None = "rsa", key: Any = None, header: Any = None, **claims: Any) -> str:
        """A token; with ``key`` signed by another one than its kid says."""
        key = key or self.keys[kid or "rsa"]
        algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[key.key_type]
        named = {} if kid is None else {"kid": kid}
        told = {"alg": algorithm, "typ": "JWT", **named, **(header or {})}
        registry = JWSRegistry(strict_check_header=False, algorithms=list(JWSRegistry.algorithms))
        told = {name: value for name, value in told.items() if value is not None}
        return jws.serialize_compact(told, json.dumps(self.claims(**claims)).encode(), key, registry=registry)


@contextmanager
def issuing(tls: SSLContext | None = None) -> Iterator[Issuer]:
    """An issuer that serves while the block runs."""
    issuer = Issuer()
    if tls is not None:
        issuer.server.socket = tls.wrap_socket(issuer.server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=issuer.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield issuer
    issuer.server.shutdown()
    thread.join()
    issuer.server.server_close()


def trust(api: Api, at: Issuer, connection: str = "federated", **wanted: Any) -> dict[str, Any]:
    """Have a connection of the account trust the issuer."""
    given = {"issuer": at.url, "audience": AUDIENCE, "claim": f"sub={SUBJECT}", "jwks_url": at.jwks_url, **wanted}
    return Trusting(api.database).trust(api.account_name, connection, None, Wanted(**given))


def distrust(api: Api, identifier: str) -> None:
    Trusting(api.database).distrust(api.account_name, identifier)


def part(document: Any) -> str:
    """A part of a token."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()
