"""The command as scripts call it, on an upgraded database of each kind."""

import json
from collections.abc import Callable
from itertools import count

import pytest
from click.testing import CliRunner, Result

from scim_server.cli import main

_numbers = count(1)
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def run(database_url: str) -> Run:
    """Run a command on an upgraded database; fails when its exit code is not ``code``."""

    def invoke(*arguments: object, code: int = 0) -> Result:
        environment = {"SCIM_DATABASE_URL": database_url, "SCIM_SETTINGS_FILE": None}
        result = CliRunner().invoke(main, [str(one) for one in arguments], env=environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    invoke("upgrade")
    return invoke


@pytest.fixture(scope="module")
def ask(run: Run) -> Callable[..., dict]:
    """Run a command with --json; gives the object on its last line."""
    return lambda *arguments: json.loads(run(*arguments, "--json").stdout.splitlines()[-1])


@pytest.fixture
def account(run: Run) -> str:
    """The name of a new account."""
    name = f"account {next(_numbers)}"
    run("account", "create", name)
    return name


@pytest.fixture
def actions(run: Run, account: str) -> Callable[[], list[str]]:
    """The actions in the journal of the account, the oldest first."""

    def read() -> list[str]:
        return [json.loads(line)["action"] for line in run("log", "--account", account, "--json").stdout.splitlines()]

    return read
