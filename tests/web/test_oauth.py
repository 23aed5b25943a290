"""OAuth clients obtain tokens: the OAU checks of protocol.md."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask
from joserfc.jwk import ECKey
from webtest import TestApp

from scim_server.cli.registering import Registration, Registry
from scim_server.store.database import execute
from scim_server.store.tables import credential
from tests.web.conftest import Api
from tests.web.oauth import assertion, key_set, own, post, register


def test_client_obtains_a_token_with_its_secret(api: Api) -> None:
    client = Registry(api.database).create_client(
        api.account_name, "okta", None, Registration("client_credentials", "client_secret")
    )
    web = TestApp(api.app, lint=False)
    form = {"grant_type": "client_credentials", "client_id": client["clientId"], "scope": "scim"}
    refused = web.post("/oauth2/token", {**form, "client_secret": "wrong"}, expect_errors=True)
    assert (refused.status_int, refused.json["error"]) == (401, "invalid_client")
    answer = web.post("/oauth2/token", {**form, "client_secret": client["clientSecret"]}).json
    assert answer["scope"] == "scim.read scim.write"
    api.get("/Users", headers={"Authorization": f"Bearer {answer['access_token']}"})
    ask = {"client_id": client["clientId"], "client_secret": client["clientSecret"], "token": answer["access_token"]}
    assert web.post("/oauth2/introspect", ask).json["active"] is True
    web.post("/oauth2/revoke", ask)
    assert web.post("/oauth2/introspect", ask).json == {"active": False}
    api.get("/Users", status=401, headers={"Authorization": f"Bearer {answer['access_token']}"})


def test_metadata_leads_to_the_token_endpoint(api: Api) -> None:
    web = TestApp(api.app, lint=False)
    resource = web.get("/.well-known/oauth-protected-resource/scim/v2").json
    assert resource["resource"] == "http://localhost/scim/v2"
    server = web.get("/.well-known/oauth-authorization-server").json
    assert server["issuer"] in resource["authorization_servers"]
    assert server["token_endpoint"] == "http://localhost/oauth2/token"


def test_consent_of_an_administrator_gives_tokens_that_are_renewed_once(api: Api) -> None:
    back = "https://idp.example/back"
    registry, web = Registry(api.database), TestApp(api.app, lint=False)
    client = registry.create_client(
        api.account_name, "okta", None, Registration("authorization_code", "client_secret", redirect_uris=[back])
    )
    verifier = "v" * 43
    asked = {"response_type": "code", "client_id": client["clientId"], "redirect_uri": back, "state": "s"}
    asked |= {"code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
    page = web.get("/oauth2/authorize", asked)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    web.post("/oauth2/authorize", {**asked, "consent": "AAAA", "allow": "yes"}, status=400)
    code = registry.consent(api.account_name, client["clientId"])["consentCode"]
    sent = web.post("/oauth2/authorize", {**asked, "consent": code, "allow": "yes"}, status=302).headers["Location"]
    query = parse_qs(urlsplit(sent).query)
    assert (query["state"], query["iss"]) == (["s"], ["http://localhost"])
    own = {"client_id": client["clientId"], "client_secret": client["clientSecret"]}
    spend = {"grant_type": "authorization_code", "code": query["code"][0], "redirect_uri": back, **own}
    tokens = web.post("/oauth2/token", {**spend, "code_verifier": verifier}).json
    renew = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **own}
    renewed = web.post("/oauth2/token", renew).json
    api.get("/Users", headers={"Authorization": f"Bearer {renewed['access_token']}"})
    assert web.post("/oauth2/token", renew, status=400).json["error"] == "invalid_grant"
    api.get("/Users", status=401, headers={"Authorization": f"Bearer {renewed['access_token']}"})


def at_once(app: Flask, form: dict[str, str], times: int = 4) -> list[int]:
    """Send the same form from several threads; gives the statuses, the smallest first."""
    with ThreadPoolExecutor(times) as pool:
        return sorted(one.status_int for one in pool.map(lambda _: post(app, **form), range(times)))


def test_assertion_that_is_sent_several_times_at_once_works_once(api: Api, tmp_path: Path) -> None:
    """OAU-08."""
    key = ECKey.generate_key("P-256")
    client = register(api, "private_key_jwt", jwks=key_set(tmp_path, key))
    assert at_once(api.app, assertion(client["clientId"], key)) == [200, 401, 401, 401]


def test_code_that_is_sent_several_times_at_once_works_once_and_its_tokens_end(api: Api) -> None:
    back = "https://idp.example/back"
    client = register(api, grant="authorization_code", redirect_uris=[back], proof_key=False)
    consent = Registry(api.database).consent(api.account_name, client["clientId"])["consentCode"]
    asked = {"response_type": "code", "client_id": client["clientId"], "consent": consent, "allow": "yes"}
    sent = post(api.app, "/oauth2/authorize", **asked).headers["Location"]
    code = parse_qs(urlsplit(sent).query)["code"][0]
    spend = {**own(client), "grant_type": "authorization_code", "code": code}
    assert at_once(api.app, spend) == [200, 400, 400, 400]
    assert {one.action for one in api.refusals()} >= {"client.reused"}
    with api.database.reading(api.account_id):
        states = execute(
            sa.select(credential.c.revoked_at).where(
                credential.c.client_id.is_not(None), credential.c.account_id == api.account_id
            )
        )
        assert None not in [one.revoked_at for one in states]
