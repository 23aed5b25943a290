"""Trusted issuers at the command line."""

import json
from collections.abc import Iterator

import pytest

from tests.web.issuer import AUDIENCE, Issuer, issuing

TENANT = "1a2b3c4d-1111-2222-3333-444455556666"
GOOD = {"--issuer": "https://idp.example", "--audience": "scim", "--jwks-url": "https://idp.example/keys"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as started:
        yield started


def options(**changed):
    """Options of a good issuer, with others in their place; None leaves one out."""
    named = GOOD | {"--claim": "sub=x"} | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return [text for name, value in named.items() if value is not None for text in (name, value)]


@pytest.fixture
def create(ask, account):
    base = ("issuer", "create", "--account", account, "--connection", "idp")
    return lambda **changed: ask(*base, *options(audience=account, **changed))


def test_an_issuer_is_created_listed_and_revoked(create, ask, run, account, actions):
    created = create(scope="scim.read", scope_claim="scp", algorithm="ES256")
    assert (created["claim"], created["scopes"], created["scopeClaim"]) == ("sub=x", ["scim.read"], "scp")
    assert (created["algorithms"], created["purpose"], created["state"]) == (["ES256"], "bearer", "live")
    listed = run("issuer", "list", "--account", account).stdout
    assert listed.startswith("ID")
    assert "https://idp.example" in listed
    assert ask("issuer", "revoke", "--account", account, created["id"])["changed"] is True
    assert "already" in run("issuer", "revoke", "--account", account, created["id"]).stdout
    (told,) = ask("issuer", "list", "--account", account)["issuers"]
    assert (told["state"], told["revoked"] is not None) == ("revoked", True)
    assert [one for one in actions() if one.startswith("issuer")] == ["issuer.trusted", "issuer.revoked"]
    assert create()["id"] != created["id"]  # what is ended stands in nobody's way


def test_an_issuer_is_told_in_words(run, account):
    base = ("issuer", "create", "--account", account, "--connection", "idp")
    told = run(*base, *options(audience=account)).stdout
    assert told.splitlines()[2] == "issuer      https://idp.example"
    assert "sub=x" in told


def test_the_keys_are_where_the_issuer_says(create, issuer):
    created = create(issuer=issuer.url, jwks_url=None)
    assert created["jwksUrl"] == issuer.jwks_url
    assert set(issuer.asked) == {"/.well-known/openid-configuration"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((404, {}, b""), "404"),
        ((200, {}, b"{}"), "another issuer"),
        ((200, {}, b"[]"), "another issuer"),
        ((302, {"Location": "/keys"}, b""), "302"),
        ((200, {}, b'{"issuer": "URL"}'), "jwks_uri"),
        ((200, {}, b'{"issuer": "URL", "jwks_uri": "http://idp.example/keys"}'), "https"),
    ],
)
def test_a_document_that_does_not_say_where_is_told(run, account, issuer, answer, told):
    status, headers, body = answer
    path = "/.well-known/openid-configuration"
    issuer.answers[path] = (status, headers, body.replace(b"URL", issuer.url.encode()))
    base = ("issuer", "create", "--account", account, "--connection", "idp")
    result = run(*base, *options(issuer=issuer.url, jwks_url=None), code=1)
    del issuer.answers[path]
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_tenant_of_entra_stands_for_its_issuer(ask, account):
    base = ("issuer", "create", "--account", account, "--connection", "entra", "--entra-tenant", TENANT.upper())
    blank = ask(*base)
    assert blank["issuer"] == f"https://sts.windows.net/{TENANT}/"
    assert (blank["audience"], blank["claim"]) == ("8adf8e6e-67b2-4cf2-a259-e3dc5476c621", None)
    assert blank["jwksUrl"] == f"https://login.microsoftonline.com/{TENANT}/discovery/keys"
    workload = ask(*base, "--purpose", "assertion", "--audience", "api://app", "--claim", "oid=1")
    assert workload["issuer"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert workload["jwksUrl"] == f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"
    client = ask("client", "create", "--account", account, "--connection", "entra", "--auth", "federated",
                 "--issuer", workload["id"])  # fmt: skip
    assert (client["auth"], client["issuer"]) == ("federated", workload["id"])
    ask("issuer", "revoke", "--account", account, workload["id"])
    (told,) = ask("client", "list", "--account", account)["clients"]
    assert told["state"] == "revoked"
    ask("issuer", "revoke", "--account", account, blank["id"])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"claim": None}, "--claim is missing"),
        ({"claim": "sub"}, "--claim"),
        ({"claim": "=x"}, "--claim"),
        ({"claim": "iss=https://idp.example"}, "does not say who it is"),
        ({"claim": "ver=2.0"}, "does not say who it is"),
        ({"claim": "roles=admin"}, "does not say who it is"),
        ({"issuer": None}, "--issuer is missing"),
        ({"issuer": "http://idp.example"}, "https"),
        ({"issuer": "https://idp.example/#x"}, "fragment"),
        ({"audience": None}, "--audience is missing"),
        ({"audience": "x" * 300}, "--audience"),
        ({"jwks_url": "http://idp.example/keys"}, "https"),
        ({"jwks_url": "https://169.254.169.254/keys"}, "https"),
        ({"jwks_url": "file:///etc/passwd"}, "https"),
        ({"algorithm": "HS256"}, "HS256"),
        ({"algorithm": "none"}, "none"),
        ({"scope": "scim.all"}, "scim.all"),
        ({"purpose": "assertion", "scope_claim": "scp"}, "--scope-claim"),
        ({"entra_tenant": TENANT}, "leave --issuer out"),
        ({"entra_tenant": "common", "issuer": None}, "not the id of a tenant"),
        ({"issuer": "https://sts.windows.net/common/", "audience": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "claim": None},
         "--claim is missing"),
        ({"issuer": f"https://sts.windows.net/{TENANT}/", "claim": None}, "--claim is missing"),
        ({"issuer": f"https://sts.windows.net.evil.example/{TENANT}/",
          "audience": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "claim": None}, "--claim is missing"),
    ],
)  # fmt: skip
def test_what_would_let_too_many_in_is_refused_and_nothing_is_created(run, ask, account, changed, told):
    base = ("issuer", "create", "--account", account, "--connection", "idp")
    result = run(*base, *options(**{"audience": AUDIENCE, **changed}), code=1)
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert ask("issuer", "list", "--account", account) == {"issuers": []}


def test_no_two_accounts_trust_the_same_tokens(create, run, account):
    create()
    run("account", "create", f"{account} other")
    base = ("issuer", "create", "--account", f"{account} other", "--connection", "idp")
    result = run(*base, *options(audience=account), code=1)
    assert "trusted already" in result.stderr
    assert f"'{account}'" not in result.stderr
    listed = json.loads(run("connection", "list", "--account", f"{account} other", "--json").stdout)
    assert listed == {"connections": []}


def test_an_issuer_of_another_account_is_unknown(create, run, account):
    created = create()
    run("account", "create", f"{account} other")
    result = run("issuer", "revoke", "--account", f"{account} other", created["id"], code=1)
    assert "issuer list" in result.stderr
    assert "there is no account" in run("issuer", "list", "--account", "nobody", code=1).stderr


def test_basic_is_switched_on_and_off(create, ask, run, account, actions):
    create()
    command = ("connection", "basic", "--account", account, "idp")
    assert "may use HTTP Basic." in run(*command, "--on").stdout
    assert "already" in run(*command, "--on").stdout
    assert "HTTP Basic" in run("connection", "show", "--account", account, "idp").stdout
    assert ask(*command, "--off")["basic"] is False
    assert actions().count("connection.basicChanged") == 2
    assert "--on or --off" in run(*command, code=2).stderr
