"""The guard of an account and the pause of a connection at the command line."""

from collections.abc import Iterator

import pytest
from flask import Flask

from scim_server.account import guard
from scim_server.account.guard import Held, Trip, Watch
from scim_server.store import accounts, credentials, guards
from scim_server.store.database import Database, enter
from scim_server.store.identifiers import now


@pytest.fixture
def wired(ask, account):
    """An account with a connection of one live token."""
    ask("token", "issue", "--account", account, "--connection", "hr")
    return account


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(Flask("guards"), database_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def tripped(database, wired):
    """The account, whose guard holds the deactivation of a user who is gone."""
    with database.transaction(None):
        account_id = accounts.named(wired).id
        enter(account_id)
        (hr,) = credentials.connections(account_id)
        trip = Trip("deactivations", 21, 20, now(), hr.id)
        held = Held(trip, {"deactivations": 1})
        guards.lock(account_id)
        guards.save(account_id, guard.tripped(Watch(), held, ("User", "u-1"), hr.id, now()))
    return wired


def test_a_guard_that_watches_shows_its_thresholds(ask, run, wired):
    ask("account", "set", wired, "guard.deletions=7", "guard.groupClears=off", "guard.window=30")
    told = ask("guard", "show", "--account", wired)
    assert (told["account"], told["state"], told["windowMinutes"], told["recent"]) == (wired, "watching", 30, [])
    assert [(one["kind"], one["threshold"], one["limit"], one["counted"]) for one in told["kinds"]] == [
        ("deactivations", "20% min 20 max 500", 20, 0),
        ("deletions", "7", 7, 0),
        ("licenseWithdrawals", "20% min 20 max 500", 20, 0),
        ("groupClears", "off", None, 0),
    ]
    lines = run("guard", "show", "--account", wired).stdout.splitlines()
    assert lines[0] == f"guard of '{wired}': watches"
    assert lines[2].split() == ["KIND", "LAST", "30", "MIN", "LIMIT", "POLICY"]


def test_a_guard_that_holds_shows_why_and_whom_it_concerns(ask, run, tripped):
    told = ask("guard", "show", "--account", tripped)
    assert (told["state"], told["connection"], told["held"]) == ("tripped", "hr", {"hr": 1})
    assert "21 users deactivated within 60 minutes would be more than the 20" in told["why"]
    assert told["targets"] == [{"type": "User", "id": "u-1", "name": None}]
    shown = run("guard", "show", "--account", tripped).stdout
    assert "holds guarded changes since" in shown
    assert "(sent by 'hr')" in shown


def test_an_approval_is_for_hours_and_for_a_number(ask, run, tripped, actions):
    told = ask("guard", "approve", "--account", tripped, "--hours", 2, "--changes", 9)
    assert (told["state"], told["changesLeft"], told["wasTripped"]) == ("approved", 9, True)
    assert ask("guard", "show", "--account", tripped)["state"] == "approved"
    assert "lets any number of changes through until" in run("guard", "approve", "--account", tripped).stdout
    assert actions()[-2:] == ["guard.approved", "guard.approved"]


def test_a_rejection_pauses_the_connection_that_sent_it(ask, run, tripped, actions):
    told = ask("guard", "reject", "--account", tripped)
    assert (told["state"], told["paused"]) == ("watching", ["hr"])
    shown = ask("connection", "show", "--account", tripped, "hr")
    assert shown["paused"] is not None
    assert shown["pauseReason"].startswith("the guard held its changes and they were rejected: 21 users")
    assert actions()[-2:] == ["guard.rejected", "connection.paused"]
    refused = run("guard", "reject", "--account", tripped, code=1).stderr
    assert "holds nothing that could be rejected" in refused


@pytest.mark.parametrize("command", ["show", "approve", "reject"])
def test_the_guard_of_no_account_is_told_with_the_way_out(run, command):
    refused = run("guard", command, "--account", "nobody", code=1).stderr
    assert "there is no account 'nobody'. Create it with: scim-server account create" in refused


def test_a_connection_is_paused_and_resumed_and_again_is_no_change(ask, run, wired, actions):
    paused = ask("connection", "pause", "--account", wired, "hr", "--reason", " Monday ")
    assert (paused["changed"], paused["pauseReason"], paused["paused"] is None) == (True, "Monday", False)
    assert ask("connection", "pause", "--account", wired, "hr")["changed"] is False
    assert "paused      since" in run("connection", "show", "--account", wired, "hr").stdout
    assert ask("connection", "list", "--account", wired)["connections"][0]["paused"] == paused["paused"]
    resumed = ask("connection", "resume", "--account", wired, "hr")
    assert (resumed["changed"], resumed["paused"], resumed["pauseReason"]) == (True, None, None)
    assert ask("connection", "resume", "--account", wired, "hr")["changed"] is False
    assert actions()[-2:] == ["connection.paused", "connection.resumed"]


def test_a_pause_of_no_connection_and_an_endless_reason_are_refused(run, wired):
    refused = run("connection", "pause", "--account", wired, "x", code=1).stderr
    assert f"account '{wired}' has no connection 'x'" in refused
    for reason in ("x" * 201, "a\nb"):
        refused = run("connection", "pause", "--account", wired, "hr", "--reason", reason, code=1).stderr
        assert "a reason has at most 200 printable characters" in refused


def test_a_test_account_has_no_guard(ask, run):
    run("account", "create", "suite", "--test")
    policies = ask("account", "show", "suite")["policies"]
    assert {policies[f"guard.{kind}"] for kind in guard.KINDS} == {"off"}


def test_a_threshold_that_is_none_is_refused_with_what_is_allowed(run, wired):
    refused = run("account", "set", wired, "guard.deletions=many", code=1).stderr
    assert "Allowed: off, a number such as 50, or a percentage such as 20% or 20% min 20 max 500." in refused
