"""The journal at the command line."""

import json

from scim_server.cli import journal


def entries(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_journal_tells_who_did_what_oldest_first(run, account):
    run("domain", "approve", "--account", account, "told.example")
    created, approved = entries(run("log", "--account", account, "--json"))
    assert created["action"] == "account.created"
    assert approved["actor"] == {"type": "portalAdmin", "value": "cli"}
    assert approved["target"] == {"type": "ApprovedDomain", "value": "told.example", "display": "told.example"}
    assert approved["outcome"] == "success"
    assert "detail" not in approved


def test_people_read_a_line_per_entry(run, account):
    run("licence", "add", "--account", account, "pro", 2)
    line = run("log", "--account", account).stdout.splitlines()[-1]
    assert line.endswith("licences.added  pro  by cli  total: 0 -> 2")


def test_the_newest_entries_are_shown_within_the_limit(run, account):
    for number in range(3):
        run("licence", "add", "--account", account, "eco", number + 1)
    changes = [entry["changes"][0]["to"] for entry in entries(run("log", "--account", account, "--limit", 2, "--json"))]
    assert changes == [3, 6]


def test_a_user_without_entries_is_told_apart_from_an_error(run, account):
    result = run("log", "--account", account, "--user", "nobody@example.com")
    assert result.stdout == ""
    assert result.stderr.startswith("The journal has no entries of this user: no request named it.")
    assert run("log", "--account", account, "--user", "nobody@example.com", "--json").output == ""


def test_followed_entries_are_shown_once_until_interrupted(run, account, monkeypatch):
    happens = iter(
        [
            lambda: run("licence", "add", "--account", account, "eco", 1),
            lambda: run("licence", "add", "--account", account, "pro", 1),
            lambda: None,
        ]
    )

    def sleep(_seconds):
        step = next(happens, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(journal.time, "sleep", sleep)
    shown = entries(run("log", "--account", account, "--follow", "--json"))
    assert [entry["target"]["value"] for entry in shown[1:]] == ["eco", "pro"]


def test_what_others_wrote_gives_the_terminal_no_commands():
    entry = {
        "occurredAt": "2026-01-01T00:00:00.000000Z",
        "action": "request.refused",
        "actor": {"type": "scimToken", "value": "hr"},
        "target": {"display": "\x1b[2J@x"},
        "status": 400,
        "error": "E1",
        "detail": "no\r\nway",
        "changes": [{"method": "POST", "path": "/Users"}],
    }
    line = journal.line_of(entry)
    assert line.isprintable()
    assert "400 E1: no\\r\\nway  method=POST path=/Users" in line
