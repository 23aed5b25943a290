"""Where secrets must not turn up: in the journal, whatever place they were pasted into, and in what is compared slowly."""

import ast
import re
from pathlib import Path

import pytest

from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry, write
from scim_server.store.tokens import CLIENT_SECRET, REFRESH, TOKEN, new_secret, without_secrets
from tests.web.conftest import ENTERPRISE, USER, Api, op

PACKAGE = Path(__file__).resolve().parents[2] / "scim_server"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"  # pragma: allowlist secret
EARLIER = "scim_" + "aB-_" * 10 + "xyz"


def test_secret_in_a_wrong_place_is_not_in_the_journal(api: Api) -> None:
    """R29, LOG-02: names, ids, paths and refused values, of one's own and of strangers'."""
    token, secret, refresh = api.token or "", new_secret(CLIENT_SECRET), new_secret(REFRESH)
    everything = (token, secret, refresh, EARLIER, JWT)
    for number, one in enumerate(everything):
        api.send("POST", "/Users", {"schemas": [USER], "userName": api.mail(f"u{number}"), "displayName": one})
        api.send("POST", "/Users", {"schemas": [USER], "userName": one})
        api.send("POST", "/Users", {"schemas": [USER], "userName": api.mail("x"), one: 1, "active": one})
        group = api.group(one)
        api.patch(f"/Groups/{group['id']}", op("replace", "displayName", f"Bearer {one}"))
        api.send("DELETE", f"/Users/{one}")
        api.send("PUT", f"/{one}", {})
        api.send("GET", f"/Users?filter=nothing+eq+%22{one}%22")
        api.send("PATCH", f"/Users/{one}", {"Operations": [op("replace", one, one)]})
        api.send("PATCH", f"/Groups/{group['id']}", {"Operations": [op("add", "members", [{"value": one}])]})
    address = "https://ava:hunter2-Secret@photos.example/a.png"
    api.send(
        "POST", "/Users", {"userName": api.mail("y"), "profileUrl": [address], "photos": address, "locale": address}
    )
    api.send("POST", "/Users", {"userName": address, ENTERPRISE: {"manager": address}})
    told = [" ".join(map(str, entry)) for entry in api.journal()]
    assert len(told) > 30
    assert [one for one in told if "[redacted]" in one]
    assert [one for one in told if any(secret in one for secret in (*everything, "hunter2"))] == []


def test_entry_is_found_by_its_name_without_the_secret(api: Api) -> None:
    """R29: what is searched for is what is shown."""
    secret = new_secret(TOKEN)
    with api.database.transaction(api.account_id):
        entry = Entry("x", "refused", "User", secret, f"Ava {secret}", [{"to": secret}], detail=f"no user '{secret}'")
        write(api.account_id, Actor("system", None), [entry], now())
    (found,) = api.journal()
    assert (found.target_id, found.target_name) == ("scim_[redacted]", "Ava scim_[redacted]")
    assert (found.changes, found.detail) == ('[{"to":"scim_[redacted]"}]', "no user 'scim_[redacted]'")


@pytest.mark.parametrize(
    "text",
    [
        "scim_provisioning_service@acme.example",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "https://photos.example:8443/a@b.png",
        "eyJ.is.short",
        "mailto:ava@acme.example, https://acme.example",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


# -- comparisons ------------------------------------------------------------------------------------------------------

SECRET = re.compile(r"digest|secret|token|password|thumbprint|signature|verifier|challenge|consent")
NO_SECRETS = {
    "policies.passwords_store == 'off'",
    "caller.policies.passwords_store == 'off'",
    "identify(READ).policies.passwords_store == 'on'",
    "one.attribute.urn == PASSWORD",
    "bool(user) != bool(password)",
    "one.digest == credentials.digest(token)",
}
"""Comparisons that nobody can measure a secret by: of a policy, of the name of an attribute, of whether there is a
password at all, and of the token that the command line has just issued."""


def names_of(node: ast.AST) -> list[str]:
    """The names that an operand is made of: ``client.secret``, ``digest(text)``."""
    found = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
    return found + [one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)]


def slow(source: str) -> list[str]:
    """Every ``==`` and ``!=`` of a module between things named as secrets; those of columns are the database's."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            continue
        names = [name for one in (node.left, *node.comparators) for name in names_of(one)]
        if any(SECRET.search(name.lower()) for name in names) and "c" not in names:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_secrets_are_compared_in_constant_time(file: Path) -> None:
    """Tokens are found by their digest, of which a guess tells nothing; what Python compares goes through ``hmac``."""
    assert [one for one in slow(file.read_text("utf-8")) if one not in NO_SECRETS] == []


def test_the_rule_sees_a_slow_comparison() -> None:
    assert slow("if given == client.secret: pass")
    assert slow("ok = digest(text) != row.digest")
    assert not slow("hmac.compare_digest(given, client.secret)")
    assert not slow("where(credential.c.digest == digest)")


def test_comparisons_that_are_allowed_are_there() -> None:
    everything = [one for file in PACKAGE.rglob("*.py") for one in slow(file.read_text("utf-8"))]
    assert set(everything) >= NO_SECRETS
