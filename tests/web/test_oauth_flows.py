"""The flows of OAuth over a real socket, driven by a client library that is not ours; what holds clients off."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from requests_oauthlib import OAuth2Session

from scim_server import create_app
from scim_server.cli import guarding
from scim_server.cli.portal import Portal
from scim_server.cli.registering import Registration, Registry
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.live import Server, serving
from tests.web.conftest import Api
from tests.web.oauth import ISSUER, bearer, error_of, own, post, register

BACK = "https://idp.example/back"


@pytest.fixture(scope="module")
def database_url(make_url: Any) -> str:
    return str(make_url("sqlite"))


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: Any) -> Iterator[Server]:
    with serving(database_url, Path(tmp_path_factory.mktemp("oauth")), SCIM_CREDENTIAL_SECONDS="0") as running:
        yield running


@pytest.fixture(scope="module")
def registry(server: Server, database_url: str) -> Iterator[Registry]:
    database = Database(Flask("registry"), database_url)
    yield Registry(database)
    database.engine.dispose()


@pytest.fixture
def insecure(monkeypatch: Any) -> None:
    """Have the client library speak plain HTTP: it is on loopback."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.mark.usefixtures("insecure")
def test_library_finds_the_endpoints_and_obtains_tokens_by_client_credentials(
    server: Server, registry: Registry
) -> None:
    """OAU-06, OAU-07, AUT-10, IPS-03."""
    base = f"http://127.0.0.1:{server.port}"
    client = registry.create_client("acme", "okta", None, Registration("client_credentials", "client_secret"))
    session = OAuth2Session(client=BackendApplicationClient(client["clientId"], scope=["scim.read"]))
    challenge = session.request("GET", f"{base}/scim/v2/Users", withhold_token=True).headers["WWW-Authenticate"]
    where = challenge.partition('resource_metadata="')[2].rstrip('"')
    about = session.request("GET", where, withhold_token=True).json()
    assert about["resource"] == f"{base}/scim/v2"
    (issuer,) = about["authorization_servers"]
    found = session.request("GET", f"{issuer}/.well-known/oauth-authorization-server", withhold_token=True).json()
    session.fetch_token(found["token_endpoint"], client_id=client["clientId"], client_secret=client["clientSecret"])
    assert session.get(f"{base}/scim/v2/Users").status_code == 200
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ava@acme.example"}
    assert session.post(f"{base}/scim/v2/Users", json=body).status_code == 403


@pytest.mark.usefixtures("insecure")
def test_library_obtains_and_renews_tokens_with_a_consent(server: Server, registry: Registry) -> None:
    base = f"http://127.0.0.1:{server.port}/oauth2"
    wanted = Registration("authorization_code", "client_secret", redirect_uris=[BACK])
    client = registry.create_client("acme", "onelogin", None, wanted)
    session = OAuth2Session(client["clientId"], redirect_uri=BACK, scope=["scim.read", "scim.write"], pkce="S256")
    url, state = session.authorization_url(f"{base}/authorize")
    page = session.request("GET", url, withhold_token=True)
    assert "May “onelogin” act for acme?" in page.text
    code = registry.consent("acme", client["clientId"])["consentCode"]
    form = dict(parse_qsl(urlsplit(url).query))
    sent = session.request(
        "POST", f"{base}/authorize", data={**form, "consent": code, "allow": "yes"}, allow_redirects=False,
        withhold_token=True,
    )  # fmt: skip
    assert f"state={state}" in sent.headers["Location"]
    secret = {"client_secret": client["clientSecret"]}
    first = session.fetch_token(f"{base}/token", authorization_response=sent.headers["Location"], **secret)
    assert session.get(f"http://127.0.0.1:{server.port}/scim/v2/Users").status_code == 200
    more = {"client_id": client["clientId"], **secret}
    second = session.refresh_token(f"{base}/token", **more)
    assert (second["access_token"], second["refresh_token"]) != (first["access_token"], first["refresh_token"])
    assert session.get(f"http://127.0.0.1:{server.port}/scim/v2/Users").status_code == 200
    with pytest.raises(InvalidGrantError):
        session.refresh_token(f"{base}/token", refresh_token=first["refresh_token"], **more)
    assert session.get(f"http://127.0.0.1:{server.port}/scim/v2/Users").status_code == 401  # all of it has ended


def consent_form(client: dict[str, Any], **more: str) -> dict[str, str]:
    return {"response_type": "code", "client_id": client["clientId"], "redirect_uri": BACK, **more}


def test_client_must_send_a_code_challenge_unless_it_is_registered_as_unable(api: Api) -> None:
    able, unable = (
        register(api, grant="authorization_code", redirect_uris=[BACK], proof_key=proof_key)
        for proof_key in (True, False)
    )
    web = Registry(api.database)
    sent = post(api.app, "/oauth2/authorize", **consent_form(able, allow="yes"))
    assert "code_challenge+is+missing" in sent.headers["Location"].replace("%20", "+")
    code = web.consent(api.account_name, unable["clientId"])["consentCode"]
    sent = post(api.app, "/oauth2/authorize", **consent_form(unable, allow="yes", consent=code))
    assert f"{BACK}?code=" in sent.headers["Location"]
    again = post(api.app, "/oauth2/authorize", **consent_form(unable, allow="yes", consent=code))
    assert (again.status_int, "was used before" in again.text) == (400, True)


def test_unregistered_place_is_never_redirected_to(api: Api) -> None:
    client = register(api, grant="authorization_code", redirect_uris=[BACK])
    form = consent_form(client) | {"redirect_uri": "https://thief.example/"}
    answer = post(api.app, "/oauth2/authorize", **form, allow="yes")
    assert (answer.status_int, "Location" in answer.headers) == (400, False)
    assert "redirect_uri is not one of those" in answer.text


def test_refused_consent_is_told_to_the_client(api: Api) -> None:
    client = register(api, grant="authorization_code", redirect_uris=[BACK], proof_key=False)
    sent = post(api.app, "/oauth2/authorize", **consent_form(client, deny="yes", state="s"))
    assert "error=access_denied" in sent.headers["Location"]


def test_client_of_a_paused_connection_may_come_again_later(api: Api) -> None:
    client = register(api)
    asking = register(api, grant="authorization_code", redirect_uris=[BACK], proof_key=False)
    token = post(api.app, **own(client)).json["access_token"]
    guarding.pause(Portal(api.database), api.account_name, "okta", "why not")
    replace(api, token=token).refuse("GET", "/Users", status=503)
    refused = post(api.app, **own(client))
    assert error_of(refused, 503) == (
        "temporarily_unavailable",
        "an administrator has paused this connection: why not; it goes on when an administrator of the service says: scim-server connection resume",
    )
    assert refused.headers["Retry-After"] == "300"
    assert post(api.app, "/oauth2/authorize", **consent_form(asking)).status_int == 503
    assert error_of(post(api.app, **{**own(client), "client_secret": "x"}))[0] == "invalid_client"
    guarding.resume(Portal(api.database), api.account_name, "okta")
    api.get("/Users", headers=bearer(token))
    assert post(api.app, **own(client)).status_int == 200


def test_guessed_secrets_are_counted_by_address_and_good_ones_are_not(api: Api, database_url: str) -> None:
    application = create_app(Settings(database_url, ISSUER, auth_failures=3))
    client = register(api)
    wrong = {**own(client), "client_secret": "wrong"}
    assert [post(application, **wrong).status_int for _ in range(5)] == [401, 401, 401, 429, 429]
    assert int(post(application, **wrong).headers["Retry-After"]) > 0
    assert post(application, **own(client)).status_int == 200
    application.extensions["scim"].database.engine.dispose()


def test_clients_count_against_the_rate_of_their_connection(api: Api, database_url: str) -> None:
    application = create_app(Settings(database_url, ISSUER, rate_limit=1, rate_burst=2))
    client = register(api)
    answers = [post(application, **own(client)) for _ in range(4)]
    assert answers[0].status_int == 200
    assert (answers[-1].status_int, "Retry-After" in answers[-1].headers) == (429, True)
    application.extensions["scim"].database.engine.dispose()


def test_nothing_of_oauth_is_served_or_announced_where_secrets_would_cross_a_network(
    api: Api, database_url: str
) -> None:
    application = create_app(Settings(database_url, "http://scim.example.com"))
    plain = replace(api, app=application)
    (scheme,) = plain.get("/ServiceProviderConfig")["authenticationSchemes"]
    assert scheme["type"] == "oauthbearertoken"
    replace(plain, token=None).refuse("GET", "/Users", status=401)
    assert post(application).status_int == 404
    application.extensions["scim"].database.engine.dispose()


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, "unauthorized_client"),
        ({"scope": "scim.all"}, "invalid_scope"),
    ],
)
def test_request_that_cannot_be_granted_says_why(api: Api, form: dict[str, str], error: str) -> None:
    assert error_of(post(api.app, **own(register(api)), **form), 400)[0] == error
