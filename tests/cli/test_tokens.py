"""Tokens at the command line."""

import pytest

from scim_server.store import credentials
from scim_server.store.tables import credential


def test_a_token_is_told_once_and_stands_for_its_account(ask, run, account):
    issued = ask("token", "issue", "--account", account)
    assert issued["token"].startswith("scim_")
    assert (issued["connection"], issued["profile"], issued["expires"]) == ("default", "default", None)
    assert issued["scopes"] == ["scim.read", "scim.write", "scim.logs"]
    listed = run("token", "list", "--account", account, "--json").stdout
    assert issued["id"] in listed
    assert issued["token"] not in listed + run("log", "--account", account, "--json").stdout


def test_the_token_alone_is_on_standard_output(run, account):
    result = run("token", "issue", "--account", account)
    assert result.stdout.startswith("scim_")
    assert len(result.stdout.split()) == 1
    assert "shown this once" in result.stderr


def test_only_the_digest_of_a_token_is_stored():
    assert "token" not in credential.c
    assert credentials.digest("scim_x") != "scim_x"


def test_a_token_has_the_connection_profile_scopes_and_end_that_were_asked_for(ask, account):
    issued = ask(
        "token", "issue", "--account", account, "--connection", "hr", "--profile", "strict", "--scope", "scim.write",
        "--scope", "scim.read", "--expires", 30,
    )  # fmt: skip
    assert (issued["connection"], issued["profile"]) == ("hr", "strict")
    assert issued["scopes"] == ["scim.read", "scim.write"]
    assert issued["expires"] > issued["created"]


@pytest.mark.parametrize("text", ["scim.read scim.logs", "scim.read,scim.logs"])
def test_scopes_may_be_listed_in_one_option(ask, account, text):
    assert ask("token", "issue", "--account", account, "--scope", text)["scopes"] == ["scim.read", "scim.logs"]


def test_a_second_token_leaves_the_first_one_valid(ask, account):
    ids = [ask("token", "issue", "--account", account)["id"] for _ in range(2)]
    listed = ask("token", "list", "--account", account)["tokens"]
    assert [(one["id"], one["state"]) for one in listed] == [(identifier, "live") for identifier in ids]


def test_a_named_profile_moves_the_connection_and_the_journal_tells_it(ask, account, actions):
    ask("token", "issue", "--account", account)
    assert ask("token", "issue", "--account", account, "--profile", "strict")["profile"] == "strict"
    assert ask("token", "issue", "--account", account)["profile"] == "strict"
    assert actions() == [
        "account.created", "token.issued", "connection.profileChanged", "token.issued", "token.issued",
    ]  # fmt: skip


def test_an_unknown_profile_is_refused_with_the_known_ones(run, account):
    assert (
        "Known profiles: authentik, default, entra, google, interop, jumpcloud, okta, onelogin, ping, sailpoint, strict."
        in run("token", "issue", "--account", account, "--profile", "x", code=1).stderr
    )


def test_an_unknown_scope_is_refused_with_the_known_ones(run, account):
    refused = run("token", "issue", "--account", account, "--scope", "scim.read admin", code=1).stderr
    assert "'admin' is not a scope. Known scopes: scim.read, scim.write, scim.logs." in refused


@pytest.mark.parametrize("days", ["0", "-1", "x"])
def test_a_token_cannot_end_before_it_begins(run, account, days):
    run("token", "issue", "--account", account, "--expires", days, code=2)


def test_a_revoked_token_is_revoked_once(ask, run, account, actions):
    identifier = ask("token", "issue", "--account", account)["id"]
    assert ask("token", "revoke", "--account", account, identifier)["changed"] is True
    assert ask("token", "revoke", "--account", account, identifier)["changed"] is False
    assert ask("token", "list", "--account", account)["tokens"][0]["state"] == "revoked"
    assert actions().count("token.revoked") == 1
    assert "was revoked already" in run("token", "revoke", "--account", account, identifier).stdout


def test_the_token_of_another_account_is_not_found(ask, run, account):
    identifier = ask("token", "issue", "--account", account)["id"]
    run("account", "create", f"{account} other")
    refused = run("token", "revoke", "--account", f"{account} other", identifier, code=1).stderr
    assert f"has no token with the id '{identifier}'" in refused


@pytest.fixture
def ava(run, account, database_url):
    """A user of the account, created as an identity provider does."""
    from flask import Flask

    from scim_server.store import accounts
    from scim_server.store.database import Database, enter
    from scim_server.store.tables import metadata

    database = Database(Flask("tokens"), database_url)
    with database.transaction(None) as connection:
        account_id = accounts.named(account).id
        enter(account_id)
        row = {
            "account_id": account_id, "id": "ava", "document": "{}", "folded": {}, "user_name": "Ava@x.example",
            "user_name_key": "ava@x.example", "active": True, "role": "standard", "kind": "person",
            "sms_returns": False, "microsoft_returns": False, "licence_activated": False, "licence_status": "none",
            "licence_reset_required": False, "activations_used": 0, "version": 1, "created": 1, "modified": 1,
        }  # fmt: skip
        connection.execute(metadata.tables["user"].insert(), row)
    yield "Ava@x.example"
    database.engine.dispose()


def test_a_token_may_stand_for_a_user(ask, run, account, ava):
    """ME-01: found by userName as the rules compare it, and told in the list and the journal."""
    issued = ask("token", "issue", "--account", account, "--user", "AVA@x.example")
    assert issued["user"] == ava
    assert ask("token", "issue", "--account", account)["user"] is None
    listed = ask("token", "list", "--account", account)["tokens"]
    assert [one["user"] for one in listed] == [ava, None]
    assert ava in run("token", "list", "--account", account).stdout
    assert f'{{"attribute": "user", "to": "{ava}"}}' in run("log", "--account", account, "--json").stdout


def test_a_token_for_nobody_is_refused(run, account, ava):
    refused = run("token", "issue", "--account", account, "--user", "bob@x.example", code=1).stderr
    assert "has no user 'bob@x.example'" in refused
    run("account", "create", f"{account} twin")
    run("token", "issue", "--account", f"{account} twin", "--user", ava, code=1)
