"""Connections at the command line: their profile, their tokens, what they were seen to send."""

import pytest
from flask import Flask

from scim_server.idp.profiles import profiles
from scim_server.store import accounts, credentials, shapes
from scim_server.store.database import Database, enter

DAY = 86_400_000_000


@pytest.fixture
def wired(ask, account):
    """An account with a connection of one live token."""
    ask("token", "issue", "--account", account, "--connection", "hr")
    return account


def test_connections_are_listed_with_their_live_tokens(ask, run, wired):
    second = ask("token", "issue", "--account", wired, "--connection", "hr", "--profile", "okta")
    ask("token", "issue", "--account", wired, "--connection", "it")
    ask("token", "revoke", "--account", wired, second["id"])
    listed = ask("connection", "list", "--account", wired)["connections"]
    assert [(one["name"], one["profile"], one["liveTokens"]) for one in listed] == [
        ("hr", "okta", 1),
        ("it", "default", 1),
    ]
    assert "LIVE TOKENS" in run("connection", "list", "--account", wired).stdout


def test_connection_is_shown_with_the_clients_and_issuers_that_may_use_it(ask, run, wired):
    """Whoever looks for what can come in finds all of it, and what was revoked no longer."""
    client = ask("client", "create", "--account", wired, "--connection", "hr")["clientId"]
    trusted = ("--issuer", "https://i.example/", "--audience", "scim", "--claim", f"sub={wired}")
    keys = ("--jwks-url", "https://i.example/keys")
    issuer = ask("issuer", "create", "--account", wired, "--connection", "hr", *trusted, *keys)["id"]
    shown = ask("connection", "show", "--account", wired, "hr")
    assert [one["clientId"] for one in shown["clients"]] == [client]
    assert shown["issuers"] == [{"id": issuer, "issuer": "https://i.example/", "purpose": "bearer"}]
    assert "issuers     https://i.example/" in run("connection", "show", "--account", wired, "hr").stdout
    ask("client", "revoke", "--account", wired, client)
    (before,) = ask("connection", "list", "--account", wired)["connections"]
    ask("issuer", "revoke", "--account", wired, issuer)
    (after,) = ask("connection", "list", "--account", wired)["connections"]
    assert [(one["liveClients"], one["liveIssuers"]) for one in (before, after)] == [(0, 1), (0, 0)]


@pytest.mark.parametrize("profile", sorted(profiles()))
def test_profile_of_a_connection_is_set_and_told_in_the_journal(ask, wired, actions, profile):
    changed = profile != "default"
    assert ask("connection", "set", "--account", wired, "hr", "--profile", profile)["changed"] is changed
    assert ask("connection", "set", "--account", wired, "hr", "--profile", profile)["changed"] is False
    shown = ask("connection", "show", "--account", wired, "hr")
    assert (shown["profile"], shown["about"]) == (profile, profiles()[profile].description)
    assert actions()[2:] == ["connection.profileChanged"] * changed


def test_unknown_connection_and_profile_are_refused_with_the_way_out(run, wired):
    for command in (("show", "--account", wired, "x"), ("set", "--account", wired, "x", "--profile", "okta")):
        refused = run("connection", *command, code=1).stderr
        assert f"account '{wired}' has no connection 'x'. See them with: scim-server connection list" in refused
    refused = run("connection", "set", "--account", wired, "hr", "--profile", "x", code=1).stderr
    assert "Known profiles: authentik, default" in refused


def test_shapes_are_shown_by_kind_with_the_days_of_their_first_and_last_time(ask, run, wired, database_url):
    database = Database(Flask("shapes"), database_url)
    with database.transaction(None):
        account_id = accounts.named(wired).id
        enter(account_id)
        (hr,) = credentials.connections(account_id)
        shapes.note(account_id, hr.id, {("unknown", "shoeSize"): 3, ("op", "Add"): 1}, 5 * DAY)
        shapes.note(account_id, hr.id, {("op", "Add"): 1}, 6 * DAY)
    database.engine.dispose()
    days = {"firstSeen": "1970-01-06", "lastSeen": "1970-01-06"}
    shown = ask("connection", "show", "--account", wired, "hr")
    assert shown["shapes"] == [
        {"kind": "op", "shape": "Add", "count": 2, **days, "lastSeen": "1970-01-07"},
        {"kind": "unknown", "shape": "shoeSize", "count": 3, **days},
    ]
    assert [one["state"] for one in shown["tokens"]] == ["live"]
    lines = run("connection", "show", "--account", wired, "hr").stdout.splitlines()
    assert lines[1].startswith("profile     default: Serves")
    assert "Add                  2     1970-01-06  1970-01-07" in lines
    assert any(line.startswith("ATTRIBUTES THAT NO SCHEMA HAS") for line in lines)
