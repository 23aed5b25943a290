"""OAuth clients obtain tokens: the OAU checks of protocol.md."""

from urllib.parse import parse_qs, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from webtest import TestApp

from scim_server.cli.registering import Registration, Registry
from tests.web.conftest import Api


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
