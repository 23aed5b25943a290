"""R35: who is assigned a licence gets one message, whatever fails between the assignment and the mail server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from scim_server.cli import main
from scim_server.provisioning import notifying
from scim_server.store import journal
from scim_server.store.database import execute
from scim_server.store.tables import account, notification
from tests.mail.server import DROP, Server, running

from .conftest import EXT, Api, op

MINUTE = 60_000_000
Notify = Callable[..., dict[str, Any]]


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


@pytest.fixture
def name(api: Api) -> str:
    """The name of the account."""
    with api.database.reading(api.account_id):
        return str(execute(sa.select(account.c.name).where(account.c.id == api.account_id)).scalar_one())


@pytest.fixture
def environment(database_url: str, server: Server) -> dict[str, str | None]:
    return {
        "SCIM_DATABASE_URL": database_url,
        "SCIM_SMTP_URL": server.url,
        "SCIM_MAIL_FROM": "Secure Mail <no-reply@mail.example>",
        "SCIM_PORTAL_URL": "https://portal.example.com",
        "SCIM_SETTINGS_FILE": None,
    }


@pytest.fixture
def run(environment: dict[str, str | None], name: str) -> Callable[..., Any]:
    """Run `notify` for the account; fails when its exit code is not ``code``."""

    def invoke(*options: object, code: int = 0, **changed: str | None) -> Any:
        arguments = ["notify", "--account", name, *map(str, options)]
        result = CliRunner().invoke(main, arguments, env=environment | changed)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture
def notify(run: Callable[..., Any]) -> Notify:
    """Run `notify` for the account; gives what it counted, zeros left out."""

    def ask(*options: object) -> dict[str, Any]:
        counts = json.loads(run("--json", *options).stdout)
        return {word: number for word, number in counts.items() if number}

    return ask


@pytest.fixture
def messages(run: Callable[..., Any]) -> Callable[..., list[dict[str, Any]]]:
    """The account's notifications as `notify --list` shows them."""
    return lambda *options: json.loads(run("--list", "--json", *options).stdout)["notifications"]


def change_all(api: Api, **columns: Any) -> None:
    """Write columns of all notifications of the account: time that passes, mostly."""
    with api.database.transaction(api.account_id):
        execute(notification.update().where(notification.c.account_id == api.account_id).values(**columns))


def entries(api: Api) -> list[tuple[str, str, str | None]]:
    """What the journal tells of notifications."""
    found = [entry for entry in api.journal() if entry.action.startswith("notification.")]
    assert {(entry.actor_type, entry.target_type) for entry in found} <= {("system", "User")}
    return [(entry.action, entry.outcome, entry.target_name) for entry in found]


# What is told


def test_assigned_user_is_told_once(api: Api, name: str, notify: Notify, server: Server) -> None:
    api.user("ava", displayName="Ava Tremblay", ext={"licenseType": "pro"})
    assert notify() == {"sent": 1}
    assert notify() == {}
    (message,) = server.messages
    assert message["To"] == api.mail("ava")
    assert message["Subject"] == f"Your Pro licence from {name}"
    assert message.get_content().startswith("Hello Ava Tremblay,")
    assert "https://portal.example.com" in message.get_content()
    assert entries(api) == [("notification.sent", "success", api.mail("ava"))]


def test_every_way_to_a_licence_is_told(api: Api, notify: Notify, server: Server) -> None:
    api.policy(defaults__licenseType="eco")
    source = api.user("created")["id"]
    changed = api.user("changed", ext={"licenseType": "none"})["id"]
    target = api.user("target", ext={"licenseType": "none"})["id"]
    api.patch(f"/Users/{changed}", op("add", "entitlements", [{"value": "pro", "type": "license"}]))
    assert notify() == {"sent": 2}
    api.patch(f"/Users/{source}", op("replace", f"{EXT}:licenseTransferTo", target))
    assert notify() == {"sent": 1}
    assert server.recipients == [api.mail("created"), api.mail("changed"), api.mail("target")]


def test_activation_by_an_administrator_is_told(api: Api, notify: Notify, server: Server) -> None:
    identifier = api.user("ava", ext={"licenseType": "pro"})["id"]
    notify()
    api.patch(f"/Users/{identifier}", op("replace", f"{EXT}:licenseActivated", True))
    api.user("ben", ext={"licenseType": "pro", "licenseActivated": True})
    assert notify() == {"sent": 2}
    activated, assigned = server.messages[1:]
    assert activated["Subject"] == "Your Pro licence is activated"
    assert assigned["Subject"].startswith("Your Pro licence from ")


def test_what_changes_no_licence_is_not_told(api: Api, notify: Notify, messages: Any) -> None:
    identifier = api.user("ava", ext={"licenseType": "pro"})["id"]
    notify()
    for operation in (
        op("replace", "title", "Lead"),
        op("replace", f"{EXT}:licenseType", "eco"),
        op("replace", "active", False),
        op("replace", "active", True),
        op("remove", f"{EXT}:licenseType"),
    ):
        api.patch(f"/Users/{identifier}", operation)
    assert notify() == {}
    assert len(messages()) == 1


def test_refused_assignment_is_not_told(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=0)
    api.refuse("POST", "/Users", {"userName": api.mail("ava"), EXT: {"licenseType": "pro"}}, status=409)
    with api.database.reading(api.account_id):
        mine = sa.select(notification.c.id).where(notification.c.account_id == api.account_id)
        assert execute(mine).all() == []


# To whom, and whether at all


def test_inactive_user_is_told_after_the_return(api: Api, notify: Notify, messages: Any, server: Server) -> None:
    identifier = api.user("ava", active=False, ext={"licenseType": "pro"})["id"]
    assert notify() == {}
    (held,) = messages()
    assert (held["state"], held["why"]) == ("waiting", "goes out when the user is active again")
    api.patch(f"/Users/{identifier}", op("replace", "active", True))
    assert notify() == {"sent": 1}
    api.patch(f"/Users/{identifier}", op("replace", "active", False))
    api.patch(f"/Users/{identifier}", op("replace", "active", True))
    assert notify() == {}
    assert server.recipients == [api.mail("ava")]


def test_withdrawn_licence_is_not_told(api: Api, notify: Notify, messages: Any, server: Server) -> None:
    identifier = api.user("ava", ext={"licenseType": "pro"})["id"]
    api.patch(f"/Users/{identifier}", op("remove", f"{EXT}:licenseType"))
    assert notify() == {"obsolete": 1}
    assert notify() == {}
    assert [one["state"] for one in messages()] == ["obsolete"]
    assert server.messages == []


def test_licence_given_twice_before_the_run_is_told_once(api: Api, notify: Notify, server: Server) -> None:
    identifier = api.user("ava", ext={"licenseType": "pro"})["id"]
    api.patch(f"/Users/{identifier}", op("remove", f"{EXT}:licenseType"))
    api.patch(f"/Users/{identifier}", op("replace", f"{EXT}:licenseType", "pro"))
    assert notify() == {"sent": 1, "obsolete": 1}


def test_type_changed_before_the_run_is_the_one_that_is_told(api: Api, notify: Notify, server: Server) -> None:
    identifier = api.user("ava", ext={"licenseType": "pro"})["id"]
    api.patch(f"/Users/{identifier}", op("replace", f"{EXT}:licenseType", "eco"))
    assert notify() == {"sent": 1}
    assert server.messages[0]["Subject"].startswith("Your Eco licence")


def test_account_that_wants_no_messages_has_none_sent(api: Api, notify: Notify, messages: Any, server: Server) -> None:
    api.policy(notifications__onLicenseAssigned=False)
    api.user("ava", ext={"licenseType": "pro"})
    api.policy()
    assert notify() == {}
    (message,) = messages()
    assert (message["state"], message["why"]) == ("suppressed", "notifications.onLicenseAssigned was false")
    assert server.messages == []


def test_renamed_user_is_told_at_the_new_address(api: Api, notify: Notify, server: Server) -> None:
    identifier = api.user("ava", ext={"licenseType": "pro"})["id"]
    api.patch(f"/Users/{identifier}", op("replace", "userName", api.mail("ava.new")))
    assert notify() == {"sent": 1}
    assert server.recipients == [api.mail("ava.new")]


def test_deleted_user_leaves_no_message_behind(api: Api, notify: Notify, messages: Any, server: Server) -> None:
    waiting, sent = (api.user(one, ext={"licenseType": "pro"})["id"] for one in ("waiting", "sent"))
    server.answer("RCPT", "451 later", "250 OK")
    notify()
    for identifier in (waiting, sent):
        api.delete(f"/Users/{identifier}")
    assert notify() == {}
    assert messages() == []
    assert not [one for one in api.journal() if api.mail("sent") in str(tuple(one))]


def test_name_that_is_no_address_fails_for_good(free: Api, environment: Any, server: Server) -> None:
    free.post("/Users", {"userName": "ava", EXT: {"licenseType": "pro"}})
    with free.database.reading(free.account_id):
        name = execute(sa.select(account.c.name).where(account.c.id == free.account_id)).scalar_one()
    result = CliRunner().invoke(main, ["notify", "--account", name, "--json"], env=environment)
    assert json.loads(result.stdout)["failed"] == 1
    assert entries(free) == [("notification.failed", "refused", "ava")]


def test_names_from_outside_add_no_header_and_no_recipient(api: Api, notify: Notify, server: Server) -> None:
    api.user("ava", displayName="Ava\r\nBcc: eve@evil.example\r\n\r\nClick here", ext={"licenseType": "pro"})
    assert notify() == {"sent": 1}
    (message,) = server.messages
    assert server.recipients == [api.mail("ava")]
    assert message["Bcc"] is None
    assert message.get_content().splitlines()[:2] == ["Hello Ava Bcc: eve@evil.example Click here,", ""]


# What goes wrong


def test_refusal_for_now_is_tried_again_when_its_time_has_come(
    api: Api, notify: Notify, messages: Any, server: Server
) -> None:
    api.user("ava", ext={"licenseType": "pro"})
    server.answer("RCPT", "451 4.7.1 greylisted")
    assert notify() == {"retried": 1}
    assert notify() == {}
    (message,) = messages()
    assert (message["state"], message["attempts"]) == ("waiting", 1)
    assert "451 4.7.1" in message["why"]
    assert entries(api) == []
    change_all(api, next_attempt_at=0)
    assert notify() == {"sent": 1}
    assert len({one["Message-ID"] for one in server.messages}) == 1
    assert [one["attempts"] for one in messages()] == [2]


def test_delays_grow_until_the_message_fails(api: Api, notify: Notify, messages: Any, server: Server) -> None:
    api.user("ava", ext={"licenseType": "pro"})
    delays = []
    for attempt in (1, 2, 3, 12, notifying.ATTEMPTS):
        change_all(api, next_attempt_at=0, attempts=attempt - 1)
        server.answer("RCPT", "451 later")
        before = time.time_ns() // 1000
        counted = notify()
        with api.database.reading(api.account_id):
            where = notification.c.account_id == api.account_id
            delays.append(execute(sa.select(notification.c.next_attempt_at).where(where)).scalar_one() - before)
    assert counted == {"failed": 1}
    assert [delay // MINUTE for delay in delays[:4]] == [1, 2, 4, 240]
    assert [one["state"] for one in messages()] == ["failed"]
    assert entries(api) == [("notification.failed", "refused", api.mail("ava"))]


def test_refusal_for_good_is_final(api: Api, notify: Notify, messages: Any, server: Server) -> None:
    api.user("ava", ext={"licenseType": "pro"})
    server.answer("RCPT", f"550 5.1.1 {api.mail('ava')}: no such user")
    assert notify() == {"failed": 1}
    change_all(api, next_attempt_at=0)
    assert notify() == {}
    (message,) = messages()
    assert message["why"] == "the mail server refused the recipient: 550 5.1.1: 5.1.1 the address: no such user"
    entry = next(one for one in api.journal() if one.action == "notification.failed")
    assert json.loads(entry.changes)[1] == {
        "attribute": "reason",
        "to": "the mail server refused the recipient: 550 5.1.1",
    }


def test_mail_server_that_is_away_costs_one_attempt_of_one_message(
    api: Api, run: Callable[..., Any], notify: Notify, messages: Any
) -> None:
    for number in range(3):
        api.user(f"u{number}", ext={"licenseType": "pro"})
    with running(Server()) as gone:
        url = gone.url
    away = run(SCIM_SMTP_URL=url)
    assert away.stdout == "sent 0, retried 1, failed 0, unconfirmed 0, obsolete 0\n"
    assert "The run ended early: the mail server cannot be used" in away.stderr
    assert [one["attempts"] for one in messages()] == [1, 0, 0]
    assert notify() == {"sent": 2}


def test_message_that_may_have_been_accepted_is_never_sent_again(
    api: Api, run: Callable[..., Any], notify: Notify, messages: Any, server: Server
) -> None:
    api.user("ava", ext={"licenseType": "pro"})
    api.user("ben", ext={"licenseType": "pro"})
    server.answer("DATA", DROP)
    counted = json.loads(run("--json").stdout)
    assert (counted["unconfirmed"], counted["sent"]) == (1, 0)
    assert counted["problem"].startswith("the connection was lost before the mail server said")
    change_all(api, next_attempt_at=0)
    assert notify() == {"sent": 1}
    assert server.recipients == [api.mail("ava"), api.mail("ben")]
    assert [one["state"] for one in messages()] == ["unconfirmed", "sent"]
    assert entries(api)[0] == ("notification.unconfirmed", "refused", api.mail("ava"))


def start(environment: dict[str, str | None], name: str) -> subprocess.Popen[str]:
    """Run `notify` in a process of its own."""
    variables = os.environ | {key: value for key, value in environment.items() if value is not None}
    command = [sys.executable, "-m", "scim_server.cli", "notify", "--account", name, "--json"]
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)


def test_process_that_dies_before_the_answer_leaves_the_message_unconfirmed(
    api: Api, name: str, environment: Any, notify: Notify, messages: Any, server: Server
) -> None:
    api.user("ava", ext={"licenseType": "pro"})
    server.hold = True
    with start(environment, name) as process:
        assert server.held.wait(30)
        process.send_signal(signal.SIGKILL)
    server.hold = False
    assert notify() == {}
    assert [(one["state"], one["why"]) for one in messages()] == [("sending", "a process is sending it")]
    change_all(api, claimed_at=time.time_ns() // 1000 - notifying.GIVEN_UP - 1)
    assert notify() == {"unconfirmed": 1}
    assert notify() == {}
    assert server.messages == []
    assert [one["why"] for one in messages()] == [notifying.LOST]
    assert entries(api) == [("notification.unconfirmed", "refused", api.mail("ava"))]


def test_processes_side_by_side_send_each_message_once(
    new_account: Callable[..., Api], environment: Any, server: Server
) -> None:
    api = new_account(licences=40)
    addresses = sorted(api.mail(f"u{number}") for number in range(40))
    for address in addresses:
        api.post("/Users", {"userName": address, EXT: {"licenseType": "pro"}})
    with api.database.reading(api.account_id):
        name = execute(sa.select(account.c.name).where(account.c.id == api.account_id)).scalar_one()
    processes = [start(environment, name) for _ in range(3)]
    counts = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert sum(one["sent"] for one in counts) == 40
    assert sorted(server.recipients) == addresses
    assert len({message["Message-ID"] for message in server.messages}) == 40


# The command


def test_run_goes_through_all_accounts(
    new_account: Callable[..., Api], api: Api, environment: Any, server: Server
) -> None:
    other = new_account()
    for one in (api, other):
        one.user("ava", ext={"licenseType": "pro"})
    result = CliRunner().invoke(main, ["notify"], env=environment)
    assert result.exit_code == 0, result.output
    assert {api.mail("ava"), other.mail("ava")} <= set(server.recipients)
    assert server.connections == 1


def test_limit_is_the_most_that_a_run_tries(api: Api, notify: Notify) -> None:
    for number in range(3):
        api.user(f"u{number}", ext={"licenseType": "pro"})
    assert notify("--limit", 2) == {"sent": 2}
    assert notify("--limit", 2) == {"sent": 1}


def test_without_a_mail_server_a_run_with_nothing_to_send_is_fine(api: Api, run: Callable[..., Any]) -> None:
    api.user("ava")
    unset = {"SCIM_SMTP_URL": None, "SCIM_MAIL_FROM": None}
    assert run(**unset).stdout.startswith("sent 0")
    api.user("ben", active=False, ext={"licenseType": "pro"})
    assert run(**unset).stdout.startswith("sent 0")
    api.user("cleo", ext={"licenseType": "pro"})
    refused = run(code=1, **unset)
    assert "Set SCIM_SMTP_URL and SCIM_MAIL_FROM" in refused.stderr
    assert refused.stdout == ""


def test_list_answers_why_a_user_got_no_message(api: Api, run: Callable[..., Any], messages: Any) -> None:
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.user("ben", ext={"licenseType": "eco"})
    assert [one["userName"] for one in messages()] == [api.mail("ava"), api.mail("ben")]
    assert messages("--limit", 1) == messages("--user", api.mail("BEN"))
    (mine,) = messages("--user", ava["id"])
    assert (mine["kind"], mine["licenseType"], mine["state"], mine["why"]) == (
        "licenseAssigned",
        "pro",
        "waiting",
        None,
    )
    lines = run("--list").stdout.splitlines()
    assert lines[0].split("  ")[0] == "CREATED"
    assert len(lines) == 3


@pytest.mark.parametrize("arguments", [("--list",), ("--user", "x"), ("--limit", "0"), ("--account", "nobody")])
def test_command_that_makes_no_sense_is_refused(environment: Any, arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["notify", *arguments], env=environment)
    assert result.exit_code == (1 if "--account" in arguments else 2)
    assert result.stderr


def test_message_and_assignment_stand_or_fall_together(
    api: Api, monkeypatch: pytest.MonkeyPatch, notify: Notify
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(journal, "write", fail)
        api.user("ava", status=500, ext={"licenseType": "pro"})
    assert notify() == {}
    assert api.find(f'userName eq "{api.mail("ava")}"') == []
