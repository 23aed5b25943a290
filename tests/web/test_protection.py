"""What every answer carries for whoever shows it, and whose word decides the addresses in it."""

import re
import socket
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask
from joserfc import jws
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry
from webtest import TestApp

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store.database import execute
from scim_server.store.tables import user
from tests.web.conftest import BASE, SEARCH, USER, Api, op
from tests.web.oauth import assertion, error_of, key_set, post, register

SCIM = "application/scim+json"
FIXED = {
    "Server": "scim",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
TRANSPORT = "Strict-Transport-Security"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO")
CALLBACK = "https://idp.example/callback"


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    """Every route of the application and one that is none, each with every method, as ``(method, path)``."""
    rules = {re.sub("<[^>]*>", "x", rule.rule) for rule in app.url_map.iter_rules()}
    for path in sorted(rules | {"/", "/nowhere", "/favicon.ico", "/robots.txt"}):
        yield from ((method, path) for method in METHODS)


def bare(response: Any) -> dict[str, str]:
    """The protecting headers of an answer; each must be there once."""
    names = [name for name, _ in response.headerlist]
    assert len({name.lower() for name in names}) == len(names), names
    return {name: value for name, value in response.headerlist if name in {*FIXED, TRANSPORT}}


def ask(app: Flask, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return TestApp(app, lint=False).request(path, method=method, headers=sent, body=body, expect_errors=True)


def test_every_answer_of_every_route_carries_the_headers(api: Api, anonymous: Api) -> None:
    """HTP-17, HTP-18, HTP-19, LOG-03: with and without a token, whatever is sent."""
    walked = 0
    seen = set()
    for method, path in routes(api.app):
        for driver in (api, anonymous):
            for body in (None, b"{"):
                response = driver.send(
                    method, f"http://localhost{path}", body, headers={"Origin": "https://evil.example"}
                )
                expected = dict(FIXED)
                if response.content_type == "text/html" and response.body:
                    policy = response.headers["Content-Security-Policy"]
                    assert re.match(r"default-src 'none'; style-src 'sha256-[^ ]+'; form-action 'self'", policy)
                    assert "; frame-ancestors 'none'; base-uri 'none'" in policy
                    expected["Content-Security-Policy"] = policy
                assert bare(response) == expected, (method, path)
                assert re.fullmatch(r"[0-9a-z-]{20,40}", response.headers["X-Request-Id"])
                assert not [name for name in response.headers if name.lower().startswith("access-control-")]
                assert not {"X-Powered-By", "Set-Cookie", "Via"} & set(response.headers)
                seen.add(response.status_int)
                walked += 1
    assert walked > 1000
    assert {200, 204, 400, 401, 404, 405, 501} <= seen


def test_consent_page_may_send_its_form_and_nothing_else(api: Api) -> None:
    """The page brings a policy of its own, once; the client's page is a place to which the form may lead."""
    client = register(api, grant="authorization_code", redirect_uris=(CALLBACK,), proof_key=False)
    query = f"response_type=code&client_id={client['clientId']}&redirect_uri={CALLBACK}&scope=scim.read"
    response = ask(api.app, "GET", f"/oauth2/authorize?{query}")
    assert response.status_int == 200, response.text
    found = bare(response)
    policy = found.pop("Content-Security-Policy")
    assert found == {name: value for name, value in FIXED.items() if name != "Content-Security-Policy"}
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("; form-action 'self' https://idp.example; frame-ancestors 'none'; base-uri 'none'")
    assert "<script" not in response.text
    assert "unsafe" not in policy


def test_failure_carries_the_headers_too(api: Api) -> None:
    """OPS-01: a 500 is an answer like the others."""
    ava = api.user()["id"]
    with api.database.transaction(api.account_id):
        mine = (user.c.account_id == api.account_id, user.c.id == ava)
        execute(sa.update(user).where(*mine).values(document="[]"))
    response = api.send("GET", f"/Users/{ava}?attributes=userName")
    assert response.status_int == 500
    assert bare(response) == FIXED


def test_clients_by_tls_are_told_to_stay_with_it(api: Api, database_url: str) -> None:
    """TLS-02: where the settings say that clients come by https, and nowhere else."""
    app = create_app(Settings(database_url=database_url, external_url="https://scim.example.com"))
    secure = replace(api, app=app)
    for path in ("/Users", "/Nowhere", "http://localhost/oauth2/token", "http://localhost/nowhere"):
        assert bare(secure.send("GET", path)) == FIXED | {TRANSPORT: "max-age=31536000"}
        assert bare(api.send("GET", path)) == FIXED
    secure.database.engine.dispose()


# -- addresses --------------------------------------------------------------------------------------------------------

HOSTILE = (
    {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "ftp", "X_Forwarded_Prefix": "/evil"},
    {"X_Forwarded_Host": "evil.example, evil.example", "X_Forwarded_Port": "666", "X_Forwarded_Server": "evil.example"},
    {"Forwarded": "for=1.2.3.4;host=evil.example;proto=https"},
    {
        "X_Original_URL": "/evil",
        "X_Rewrite_URL": "/evil",
        "X_Host": "evil.example",
        "X_HTTP_Host_Override": "evil.example",
    },
    {"Host": "evil.example"},
    {"Host": "evil.example:99999"},
    {"Host": ""},
    {"Host": "a b"},
    {"Host": "evil.example/../@x", "Origin": "https://evil.example", "Referer": "https://evil.example/"},
)
ADDRESS = re.compile(r"https?://[^\s\"'<>,;\\]+")
PUBLIC = ("https://idp.example", "http://localhost", "https://www.rfc-editor.org/info/")


@pytest.fixture(params=[0, 2], ids="{} proxies".format, scope="module")
def believing(request: pytest.FixtureRequest, app: Flask, database_url: str) -> Iterator[Flask]:
    """A server on the same database that believes so many proxies about the client's address."""
    found = create_app(Settings(database_url, "http://localhost", rate_limit=None, trusted_proxies=request.param))
    yield found
    found.extensions["scim"].database.engine.dispose()


@pytest.mark.parametrize("headers", HOSTILE, ids=lambda headers: "+".join(headers))
def test_addresses_come_from_the_settings(api: Api, believing: Flask, headers: dict[str, str]) -> None:
    """SEC-02, SEC-03, CRT-02: in bodies, headers, challenges and metadata, behind proxies as without."""
    bob = api.user("bob")
    group = api.group("Sales", bob["id"])
    authorized = {"Authorization": f"Bearer {api.token}", "Content-Type": SCIM, **headers}
    told = []

    def say(method: str, path: str, body: Any = None, status: int = 200, **more: str) -> Any:
        sent = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        response = ask(believing, method, path, sent, **{**authorized, **more})
        assert response.status_int == status, (method, path, response.text)
        told.append(f"{response.headerlist} {response.text}")
        return response

    created = say("POST", "/scim/v2/Users", {"schemas": [USER], "userName": api.mail("ava")}, 201)
    assert created.headers["Location"] == created.json["meta"]["location"] == f"{BASE}/Users/{created.json['id']}"
    say("GET", f"/scim/v2/Users/{bob['id']}")
    say("PATCH", f"/scim/v2/Users/{bob['id']}", {"Operations": [op("replace", "title", "x")]})
    assert say("GET", f"/scim/v2/Groups/{group['id']}").json["members"][0]["$ref"] == bob["meta"]["location"]
    say("GET", "/scim/v2/Users?count=1")
    say("POST", "/scim/v2/.search", {"schemas": [SEARCH]})
    bulk = {"Operations": [{"method": "POST", "path": "/Groups", "bulkId": "a", "data": {"displayName": "B"}}]}
    say("POST", "/scim/v2/Bulk", bulk)
    for path in (
        "ServiceProviderConfig",
        "ResourceTypes",
        "Schemas",
        "LicensePools",
        "AccountSettings",
        "EventRecords",
    ):
        say("GET", f"/scim/v2/{path}")
    challenge = say("GET", "/scim/v2/Users", status=401, Authorization="Bearer x").headers["WWW-Authenticate"]
    assert 'resource_metadata="http://localhost/.well-known/oauth-protected-resource/scim/v2"' in challenge
    say("GET", "/scim/v2/Nowhere", status=404)
    say("GET", "/nowhere/", status=404)
    for path in ("oauth-authorization-server", "oauth-protected-resource/scim/v2"):
        say("GET", f"/.well-known/{path}")
    form = "application/x-www-form-urlencoded"
    say("POST", "/oauth2/token", b"grant_type=client_credentials&client_id=x", 401, Content_Type=form)
    client = register(api, grant="authorization_code", redirect_uris=(CALLBACK,), proof_key=False)
    query = f"response_type=code&client_id={client['clientId']}&redirect_uri={CALLBACK}&scope=scim.read"
    say("GET", f"/oauth2/authorize?{query}")
    denied = say("POST", "/oauth2/authorize", f"{query}&deny=1".encode(), 302, Content_Type=form)
    assert denied.headers["Location"].startswith(f"{CALLBACK}?")
    assert "evil" not in " ".join(told)
    assert {one for text in told for one in ADDRESS.findall(text) if not one.startswith(PUBLIC)} == set()


# -- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["jwk", "jku", "x5u", "x5c", "kid"])
def test_keys_that_an_assertion_brings_or_names_are_not_taken(
    api: Api, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEC-04: a stranger signs well, with a key that stands in the assertion or where it points; nothing is fetched."""
    own, strangers = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    client = register(api, "private_key_jwt", jwks=key_set(tmp_path, own))
    url = "http://127.0.0.1:9/keys.json"
    public = strangers.as_dict(private=False)
    named = {"jwk": public, "jku": url, "x5u": url, "x5c": ["MIIB"], "kid": f"../../{strangers.kid}"}
    good = assertion(client["clientId"], own)
    claims = urlsafe_b64decode(good["client_assertion"].split(".")[1] + "==")
    registry = JWSRegistry(strict_check_header=False)
    forged = jws.serialize_compact({"alg": "ES256", place: named[place]}, claims, strangers, registry=registry)
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    assert error_of(post(api.app, **{**good, "client_assertion": forged}))[0] == "invalid_client"
    assert [one for one in asked if "127.0.0.1" in str(one) and "9" in str(one)] == []
    assert post(api.app, **good).status_int == 200
