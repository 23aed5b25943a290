"""What an administrator of an account names of another's at the command line is as what there is not."""

import json
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner

from scim_server.cli import main
from scim_server.cli.registering import Registration, Registry
from scim_server.cli.trusting import Trusting, Wanted
from scim_server.store import credentials
from tests.web.isolation import MARK, Life, World, add_echoes, isolated, nothing, settle, untouched

NAMED: dict[str, tuple[list[str], int]] = {
    "group permit": (["{name}", "manageUsers"], 1),
    "token issue": (["--user", "{userName}"], 1),
    "token revoke": (["{token_id}"], 1),
    "client revoke": (["{client}"], 1),
    "client consent": (["{client}"], 1),
    "connection show": (["{connection}"], 1),
    "connection set": (["{connection}", "--profile", "okta"], 1),
    "connection pause": (["{connection}"], 1),
    "connection resume": (["{connection}"], 1),
    "connection basic": (["{connection}", "--on"], 1),
    "issuer revoke": (["{issuer_id}"], 1),
    "log": (["--user", "{userName}"], 0),
    "log import": (["-"], 1),
    "notify": (["--list", "--user", "{userName}"], 0),
}
"""The commands that name a thing of an account, how, and how they end where there is none."""
NOTHING = {
    "account show", "account set", "domain list", "licence add", "licence remove", "licence activations", "licence list",
    "token list", "client list", "connection list", "issuer list", "guard show", "guard approve", "guard reject", "sweep", "account create",
    "demo", "upgrade", "serve", "schemas check", "schemas index",
}  # fmt: skip
"""The commands that name nothing but the account itself, or what all accounts have."""
CREATING = {"client create"}
"""Names what it makes: in any account, whatever others have."""
OF_ALL = {"domain approve", "domain request", "domain refuse", "domain withdraw", "issuer create"}
"""A domain belongs to one account, which whoever approves it must be told (R2); so does what an issuer's tokens are
known by."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, (*path, name))
        if not isinstance(one, click.Group) or one.invoke_without_command:
            yield " ".join((*path, name))


@pytest.fixture(scope="module")
def world(database_url: str) -> Iterator[World]:
    with isolated(database_url) as made:
        settle(made)
        owner = made.owner
        client = Registry(owner.database).create_client(
            owner.account_name,
            f"{MARK}-idp",
            None,
            Registration("authorization_code", "client_secret", redirect_uris=["https://i.example/"]),
        )
        with owner.database.reading(owner.account_id):
            token_id = credentials.listed(owner.account_id)[0].id
        trusted = Wanted("https://i.example/", "scim", "sub=s", jwks_url="https://i.example/keys")
        issuer = Trusting(owner.database).trust(owner.account_name, f"{MARK}-idp", None, trusted)
        theirs = {
            "client": client["clientId"],
            "token_id": token_id,
            "connection": f"{MARK}-idp",
            "issuer_id": issuer["id"],
        }
        made.asker.words |= theirs
        made.twin.words |= {word: nothing(word, value) for word, value in theirs.items()}
        yield made


def told(world: World, life: Life, database_url: str, command: str, arguments: list[str], line: str) -> Any:
    """The exit code and what was written, with words in the place of ids."""
    sent = [life.say(one) for one in [*command.split(), "--account", "{own_name}", *arguments]]
    environment = {"SCIM_DATABASE_URL": database_url, "SCIM_SETTINGS_FILE": None}
    result = CliRunner().invoke(main, sent, env=environment, input=life.say(line))
    assert not isinstance(result.exception, Exception), (result.exception, sent)
    return result.exit_code, life.plain(result.output)


@pytest.mark.parametrize("command", NAMED)
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_thing_of_another_account_is_not_found(world: World, database_url: str, command: str, more: list[str]) -> None:
    """MTN-01, R32: in the words for what there is not."""
    arguments, code = NAMED[command]
    line = json.dumps({"id": "m1", "user": "{userName}", "sentAt": "2026-01-02T03:04:05Z", "status": "open"})
    with untouched(world):
        theirs, nothing = (
            told(world, life, database_url, command, [*arguments, *more], line) for life in (world.asker, world.twin)
        )
    assert theirs == nothing
    assert theirs[0] == code, theirs
    assert MARK not in str(nothing)


def test_every_command_has_a_case() -> None:
    assert set(commands(main)) == {*NAMED, *NOTHING, *CREATING, *OF_ALL}


ORDINARY = (
    ["licence", "add", "pro", "1"], ["licence", "remove", "pro", "1"], ["licence", "activations", "sharedMailbox", "7"],
    ["domain", "request", "more.{own_domain}"], ["domain", "approve", "more.{own_domain}"], ["domain", "withdraw", "more.{own_domain}"],
    ["connection", "pause", "idp-okta"], ["connection", "resume", "idp-okta"], ["connection", "show", "idp-okta"],
    ["connection", "set", "idp-okta", "--profile", "entra"], ["token", "revoke", "{own_token_id}"], ["token", "list"],
    ["token", "issue", "--user", "eve@{own_domain}"], ["client", "consent", "{own_client}"], ["client", "revoke", "{own_client}"],
    ["client", "list"], ["guard", "approve"], ["guard", "show"], ["log", "--user", "eve@{own_domain}"], ["log", "import", "-"],
    ["sweep"], ["domain", "list"], ["licence", "list"], ["notify", "--list"],
)  # fmt: skip
"""What administrators do, with the names and ids of another account's things in it."""


def test_ordinary_commands_leave_other_accounts_as_they_are(world: World, database_url: str) -> None:
    """MTN-01, R32: of things with the same names and ids."""
    registration = Registration("authorization_code", "client_secret", redirect_uris=["https://i.example/"])
    for life in (world.asker, world.twin):
        client = Registry(life.api.database).create_client(life.api.account_name, "okta", None, registration)
        with life.api.database.reading(life.api.account_id):
            token_id = credentials.listed(life.api.account_id)[-1].id
        life.words |= {"own_client": client["clientId"], "own_token_id": token_id}
        add_echoes(world.owner, life)
    line = json.dumps({"id": "m1", "user": "eve@{own_domain}", "sentAt": "2026-01-02T03:04:05Z", "status": "open"})
    for command in ORDINARY:
        words = 1 if command[0] in ("sweep", "notify") or "--user" in command[1] else 2
        with untouched(world):
            for life in (world.asker, world.twin):
                code, output = told(world, life, database_url, " ".join(command[:words]), command[words:], line)
                assert code == 0, (command, output)
                assert MARK not in output
