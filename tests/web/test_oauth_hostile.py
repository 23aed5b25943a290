"""What hostile clients send to the authorization server: each is refused in its own words, none is an error of ours."""

import json
from base64 import b64encode, urlsafe_b64encode
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from joserfc.jwk import ECKey
from webtest import TestApp

from tests.web.conftest import Api
from tests.web.oauth import assertion, bearer, key_set, own, post, register

BACK = "https://idp.example/back"
NASTY = [
    "\0",
    "a\0b",
    "\ud800".encode("utf-8", "surrogatepass"),
    "é" * 50,
    "x" * 50_000,
    "'; DROP",
    "\r\nX: y",
    '"\\',
    "{}",
]
NAMES = [
    "grant_type", "client_id", "client_secret", "scope", "code", "redirect_uri", "refresh_token", "token", "state",
    "code_challenge", "code_verifier", "client_assertion", "client_assertion_type", "consent", "response_type",
]  # fmt: skip


def sane(response: Any) -> bool:
    """Whether an answer is a refusal or a page, and its headers are clean."""
    return response.status_int < 500 and all("\n" not in value for value in response.headers.values())


@pytest.mark.parametrize("path", ["token", "revoke", "introspect", "authorize"])
def test_nasty_parameters_are_no_error_of_the_server(api: Api, path: str) -> None:
    client = register(api, grant="authorization_code", redirect_uris=[BACK], proof_key=False)
    good = {
        **own(client),
        "grant_type": "authorization_code",
        "redirect_uri": BACK,
        "response_type": "code",
        "code": "x",
    }
    web = TestApp(api.app, lint=False)
    for name, value in product(NAMES, NASTY):
        body = "&".join(f"{key}={quote(text)}" for key, text in {**good, name: value}.items())
        answer = web.request(
            f"/oauth2/{path}", method="POST", body=body.encode(), expect_errors=True,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert sane(answer), (name, value[:20], answer.text[:500])


@pytest.mark.parametrize("text", [b"\xff\xfe:\xff", b"", b"no colon", b":", b"a\0:b", b"x" * 5000])
def test_nasty_basic_credentials_are_no_error_of_the_server(api: Api, text: bytes) -> None:
    answer = post(api.app, headers={"Authorization": f"Basic {b64encode(text).decode()}"})
    assert answer.status_int in (400, 401)
    assert post(api.app, headers={"Authorization": "Basic !!"}).status_int in (400, 401)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "x"}, {"exp": 1e400}, {"exp": float("nan")}, {"exp": []}, {"exp": True}, {"jti": "\ud800"}, {"jti": ""},
        {"jti": "x" * 300}, {"jti": ["x"]}, {"aud": []}, {"aud": {}}, {"aud": 5}, {"iss": []}, {"sub": {}}, {"nbf": "x"},
        {"iat": []}, {"sub": "a\0b.c"},
    ],
)  # fmt: skip
def test_nasty_claims_are_refused(api: Api, tmp_path: Any, claims: dict[str, Any]) -> None:
    key = ECKey.generate_key("P-256")
    client = register(api, "private_key_jwt", jwks=key_set(tmp_path, key))
    assert post(api.app, **assertion(client["clientId"], key, **claims)).status_int in (400, 401)


@pytest.mark.parametrize(
    "header", [{"alg": []}, {"alg": "ES256", "kid": []}, {"alg": "ES256", "crit": ["x"]}, [], "x", {}]
)
def test_nasty_headers_of_assertions_are_refused(api: Api, tmp_path: Any, header: Any) -> None:
    key = ECKey.generate_key("P-256")
    client = register(api, "private_key_jwt", jwks=key_set(tmp_path, key))
    proof = assertion(client["clientId"], key)
    begun = urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    text = ".".join([begun, *proof["client_assertion"].split(".")[1:]])
    assert post(api.app, **{**proof, "client_assertion": text}).status_int in (400, 401)


def test_other_bodies_and_methods_are_refused(api: Api) -> None:
    web = TestApp(api.app, lint=False)
    assert web.get("/oauth2/token", expect_errors=True).status_int == 405
    assert web.post_json("/oauth2/token", {"grant_type": "x"}, expect_errors=True).status_int == 400
    large = web.post("/oauth2/token", {"scope": "x" * 100_000}, expect_errors=True)
    assert large.status_int in (400, 413)
    assert web.get("/oauth2/authorize", expect_errors=True).status_int == 400


def test_client_of_another_account_learns_and_ends_nothing(new_account: Any) -> None:
    mine, other = new_account(), new_account()
    token = post(mine.app, **own(register(mine))).json["access_token"]
    stranger = own(register(other))
    assert post(mine.app, "/oauth2/introspect", **stranger, token=token).json == {"active": False}
    assert post(mine.app, "/oauth2/revoke", **stranger, token=token).status_int == 200
    mine.get("/Users", headers=bearer(token))
