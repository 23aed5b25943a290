"""OAuth clients at the command line."""

import json
import re

import pytest
from joserfc.jwk import ECKey

from scim_server.store.credentials import digest
from tests.web.oauth import Authority, key_set, pem

BACK = "https://idp.example/back"


@pytest.fixture
def create(ask, account):
    return lambda *arguments: ask("client", "create", "--account", account, "--connection", "okta", *arguments)


@pytest.fixture
def consenting(create):
    return create("--grant", "authorization_code", "--redirect-uri", BACK)["clientId"]


def test_a_secret_is_told_once_and_only_its_digest_is_kept(create, run, account, actions):
    created = create("--name", "Okta", "--scope", "scim.read")
    assert re.fullmatch(r"scimcs_[0-9A-Za-z]{49}", created["clientSecret"])
    assert (created["name"], created["connection"], created["scopes"]) == ("Okta", "okta", ["scim.read"])
    assert (created["grants"], created["auth"], created["state"]) == (["client_credentials"], "client_secret", "live")
    told = run("client", "list", "--account", account, "--json").stdout + run("log", "--account", account).stdout
    assert created["clientSecret"] not in told
    assert digest(created["clientSecret"]) not in told
    assert "client.created" in actions()


def test_a_client_is_told_in_words(run, account):
    result = run("client", "create", "--account", account, "--connection", "okta")
    assert re.fullmatch(r"client id      \S+\nclient secret  scimcs_\S+\n", result.stdout)
    assert "shown this once" in result.stderr
    listed = run("client", "list", "--account", account).stdout
    assert listed.startswith("CLIENT ID")
    assert "okta" in listed


def test_keys_are_registered_without_their_private_parts(create, tmp_path):
    key = ECKey.generate_key("P-256")
    file = key_set(tmp_path, key)
    file.write_text(json.dumps({"keys": [key.as_dict(private=True)]}))
    created = create("--auth", "private_key_jwt", "--jwks", file)
    assert (created["auth"], "clientSecret" in created) == ("private_key_jwt", False)
    assert key.as_dict(private=True)["d"] not in json.dumps(created)


def test_certificates_are_registered(create, tmp_path):
    file = tmp_path / "certificate.pem"
    file.write_text(pem(Authority().own))
    own = create("--auth", "self_signed_tls_client_auth", "--certificate", file)
    signed = create("--auth", "tls_client_auth", "--subject-dn", "CN=scim,O=Acme", "--ca", file)
    assert [one["auth"] for one in (own, signed)] == ["self_signed_tls_client_auth", "tls_client_auth"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--grant", "authorization_code"], "--redirect-uri"),
        (["--redirect-uri", BACK], "--redirect-uri"),
        (["--grant", "authorization_code", "--redirect-uri", "http://idp.example/back"], "https"),
        (["--grant", "authorization_code", "--redirect-uri", f"{BACK}#x"], "fragment"),
        (["--auth", "private_key_jwt"], "--jwks"),
        (["--auth", "private_key_jwt", "--jwks", "FILE"], "not a JSON Web Key Set"),
        (["--auth", "private_key_jwt", "--jwks", "FILE", "--jwks-url", "https://idp.example/keys"], "either"),
        (["--auth", "private_key_jwt", "--jwks-url", "http://idp.example/keys"], "https"),
        (["--jwks-url", "https://idp.example/keys"], "--jwks-url"),
        (["--auth", "federated"], "--issuer ID"),
        (["--issuer", "x"], "--issuer ID"),
        (["--auth", "federated", "--issuer", "x"], "issuer list"),
        (["--jwks", "FILE"], "--jwks"),
        (["--auth", "tls_client_auth", "--subject-dn", "CN=scim"], "--ca"),
        (["--auth", "tls_client_auth", "--subject-dn", "CN=scim", "--ca", "FILE"], "PEM"),
        (["--auth", "self_signed_tls_client_auth"], "--certificate"),
        (["--auth", "self_signed_tls_client_auth", "--certificate", "FILE"], "PEM"),
        (["--scope", "scim.all"], "scim.all"),
    ],
)
def test_what_does_not_fit_together_is_refused_and_nothing_is_created(run, account, tmp_path, arguments, told):
    file = tmp_path / "file"
    file.write_text("nonsense")
    given = [str(file) if one == "FILE" else one for one in arguments]
    result = run("client", "create", "--account", account, "--connection", "okta", *given, code=1)
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    listed = json.loads(run("client", "list", "--account", account, "--json").stdout)
    assert listed == {"clients": []}


def test_a_revoked_client_is_listed_as_that_and_again_is_no_change(create, ask, run, account, actions):
    client = create()["clientId"]
    assert ask("client", "revoke", "--account", account, client)["changed"] is True
    assert "was revoked already" in run("client", "revoke", "--account", account, client).stdout
    (listed,) = ask("client", "list", "--account", account)["clients"]
    assert (listed["state"], listed["revoked"] is not None) == ("revoked", True)
    assert actions().count("client.revoked") == 1


def test_a_consent_is_a_code_for_a_client_that_asks_for_one(create, consenting, ask, run, account, actions):
    code = ask("client", "consent", "--account", account, consenting)["consentCode"]
    assert re.fullmatch(r"([A-Z2-9]{4}-){3}[A-Z2-9]{4}", code)
    result = run("client", "consent", "--account", account, consenting)
    assert (len(result.stdout.split()), "Good once" in result.stderr) == (1, True)
    assert actions().count("client.consentGiven") == 2
    assert "needs no consent" in run("client", "consent", "--account", account, create()["clientId"], code=1).stderr


@pytest.mark.parametrize("command", ["revoke", "consent"])
def test_an_unknown_client_is_told_with_the_way_out(run, account, command):
    assert "client list" in run("client", command, "--account", account, "no.body", code=1).stderr


def test_a_client_of_another_account_is_unknown(run, consenting):
    run("account", "create", "another")
    assert "has no client" in run("client", "revoke", "--account", "another", consenting, code=1).stderr
    run("client", "consent", "--account", "another", consenting, code=1)
