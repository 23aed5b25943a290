"""OAuth clients obtain tokens: the OAU checks of protocol.md."""

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
