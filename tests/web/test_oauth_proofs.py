"""How OAuth clients prove who they are: secrets, signed assertions, certificates; what each may not be."""

import hmac
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey

from scim_server import create_app
from scim_server.settings import Settings
from tests.web.conftest import Api
from tests.web.oauth import ISSUER, Authority, assertion, bearer, error_of, key_set, own, pem, post, register, shown

KEY, OTHER_KEY = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")


def test_secret_may_come_in_the_header(api: Api) -> None:
    client = register(api)
    pair = b64encode(f"{client['clientId']}:{client['clientSecret']}".encode()).decode()
    answer = post(api.app, headers={"Authorization": f"Basic {pair}"})
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "scim.read scim.write scim.logs"
    api.get("/Users", headers=bearer(answer.json["access_token"]))
    wrong = b64encode(f"{client['clientId']}:wrong".encode()).decode()
    refusal = post(api.app, headers={"Authorization": f"Basic {wrong}"})
    assert error_of(refusal)[0] == "invalid_client"
    assert refusal.headers["WWW-Authenticate"].startswith("Basic")


def test_two_proofs_in_one_request_are_refused(api: Api) -> None:
    client = register(api)
    pair = b64encode(f"{client['clientId']}:wrong".encode()).decode()
    answer = post(api.app, headers={"Authorization": f"Basic {pair}"}, **own(client))
    assert error_of(answer, 400)[0] == "invalid_request"


@pytest.fixture
def jwt_client(api: Api, tmp_path: Path) -> str:
    return str(register(api, "private_key_jwt", jwks=key_set(tmp_path, KEY))["clientId"])


def test_signed_assertion_obtains_a_token_once(api: Api, jwt_client: str, database_url: str) -> None:
    """OAU-05, OAU-08, IPS-03: also another worker knows the jti again."""
    proof = assertion(jwt_client, KEY, jti="once")
    answer = post(api.app, **proof, scope="scim").json
    assert answer["scope"] == "scim.read scim.write"
    api.get("/Users", headers=bearer(answer["access_token"]))
    assert "jti" in error_of(post(api.app, **proof))[1]
    other = create_app(Settings(database_url, ISSUER, credential_seconds=0))
    try:
        assert "jti" in error_of(post(other, **proof))[1]
        assert post(other, **assertion(jwt_client, KEY, jti="twice")).status_int == 200
    finally:
        other.extensions["scim"].database.engine.dispose()


NOW = int(time.time())
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("another audience", {"aud": "https://other.example/token"}, "aud"),
    ("no audience", {"aud": None}, "aud"),
    ("another issuer", {"iss": "somebody"}, "iss"),
    ("expired", {"exp": NOW - 3600}, "expired"),
    ("no end", {"exp": None}, "exp"),
    ("an end far away", {"exp": NOW + 100_000}, "within"),
    ("not valid yet", {"nbf": NOW + 3600}, "not yet valid"),
    ("issued in the future", {"iat": NOW + 3600}, "future"),
    ("no jti", {"jti": None}, "jti"),
    ("a jti that is no text", {"jti": 7}, "jti"),
]


@pytest.mark.parametrize(("claims", "named"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_assertion_that_says_something_wrong_is_refused(
    api: Api, jwt_client: str, claims: dict[str, Any], named: str
) -> None:
    """OAU-08."""
    error, description = error_of(post(api.app, **assertion(jwt_client, KEY, **claims)))
    assert (error, named in description) == ("invalid_client", True), description


def by_public_key(text: str) -> str:
    """The assertion with the public key taken for a secret."""
    header = urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    begun = f"{header}.{text.split('.')[1]}"
    mac = hmac.digest(KEY.as_pem(private=False), begun.encode(), "sha256")
    return f"{begun}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_assertion_that_the_key_has_not_signed_is_refused(api: Api, jwt_client: str) -> None:
    """OAU-08: the algorithms are ours to choose, and none is not among them."""
    good = assertion(jwt_client, KEY)
    cut = {**good, "client_assertion": good["client_assertion"][:-10]}
    header = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    unsigned = f"{header}.{good['client_assertion'].split('.')[1]}"
    signed = by_public_key(good["client_assertion"])
    forged = [
        assertion(jwt_client, OTHER_KEY),
        {**good, "client_assertion": f"{unsigned}."},
        {**good, "client_assertion": signed},
        cut,
        {**good, "client_assertion": "no.jwt"},
        {**good, "client_assertion": "x"},
    ]
    for proof in forged:
        assert error_of(post(api.app, **proof))[0] == "invalid_client"
    assert post(api.app, **good).status_int == 200


def test_assertion_of_a_client_with_a_secret_is_refused(api: Api) -> None:
    client = register(api)
    assert error_of(post(api.app, **assertion(client["clientId"], KEY)))[0] == "invalid_client"


@pytest.fixture(scope="module")
def behind_proxy(app: Flask, database_url: str) -> Iterator[Flask]:
    """The application where a proxy passes certificates on."""
    settings = Settings(database_url, ISSUER, credential_seconds=0, tls_client_header="X-Client-Cert", rate_limit=None)
    application = create_app(replace(settings, auth_failures=None))
    yield application
    application.extensions["scim"].database.engine.dispose()


def test_certificate_obtains_a_token_that_works_with_it_alone(api: Api, behind_proxy: Flask, tmp_path: Path) -> None:
    """OAU-09."""
    mine, other = Authority("CN=scim").own, Authority("CN=scim").own
    file = tmp_path / "own.pem"
    file.write_text(pem(mine))
    client = {"client_id": register(api, "self_signed_tls_client_auth", certificate=file)["clientId"]}
    assert error_of(post(behind_proxy, **client))[0] == "invalid_client"
    assert error_of(post(behind_proxy, **client, headers=shown(other)))[0] == "invalid_client"
    token = post(behind_proxy, **client, headers=shown(mine)).json["access_token"]
    caller = replace(api, app=behind_proxy, token=token)
    caller.get("/Users", headers=shown(mine))
    assert "bound to a client certificate" in caller.refuse("GET", "/Users", status=401)
    caller.refuse("GET", "/Users", status=401, headers=shown(other))


def test_certificate_is_not_looked_at_without_the_setting(api: Api, behind_proxy: Flask, tmp_path: Path) -> None:
    """OAU-09: whoever reaches the server could send the header."""
    mine = Authority("CN=scim").own
    file = tmp_path / "own.pem"
    file.write_text(pem(mine))
    client = {"client_id": register(api, "self_signed_tls_client_auth", certificate=file)["clientId"]}
    assert error_of(post(api.app, **client, headers=shown(mine)))[0] == "invalid_client"
    token = post(behind_proxy, **client, headers=shown(mine)).json["access_token"]
    replace(api, token=token).refuse("GET", "/Users", status=401, headers=shown(mine))


def test_certificate_of_an_authority_is_known_by_its_subject(api: Api, behind_proxy: Flask, tmp_path: Path) -> None:
    """OAU-09: and by nobody else's signature, whatever the proxy lets through."""
    authority, file = Authority(), tmp_path / "ca.pem"
    file.write_text(pem(authority.own))
    registered = register(api, "tls_client_auth", subject="CN=scim,O=Acme", authority=file)
    client = {"client_id": registered["clientId"]}
    for certificate in (
        authority.issue("CN=other,O=Acme"),
        authority.issue("CN=scim,O=Acme", days=(-3, -2)),
        authority.issue("CN=scim,O=Acme", days=(2, 3)),
        Authority().issue("CN=scim,O=Acme"),
    ):
        assert error_of(post(behind_proxy, **client, headers=shown(certificate)))[0] == "invalid_client"
    good = authority.issue("CN=scim,O=Acme")
    token = post(behind_proxy, **client, headers=shown(good)).json["access_token"]
    replace(api, app=behind_proxy, token=token).get("/Users", headers=shown(good))
    assert error_of(post(behind_proxy, **client, headers={"X-Client-Cert": "nonsense"}))[0] == "invalid_client"
