"""The README says what is true: its commands are those that CI runs, and its links lead somewhere."""

import re
from pathlib import Path

from click import Group

from scim_server.account.policies import POLICIES
from scim_server.account.refusals import DETAILS
from scim_server.cli import main
from scim_server.web.errors import STATUSES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
TEST_COMMAND = ".uv/bin/uv run --frozen pytest"
DEMO_COMMAND = "python3 -m pip install --target .uv uv && .uv/bin/uv run --frozen --no-dev scim-server demo"


def test_ci_runs_the_readmes_test_command() -> None:
    assert f"\n{TEST_COMMAND}\n" in README
    assert f"\n{TEST_COMMAND}\n" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_set_up_is_one_command() -> None:
    assert f"\n{DEMO_COMMAND}\n" in README


def test_every_command_of_the_readme_exists() -> None:
    assert isinstance(main, Group)
    for line in re.findall(r"^scim-server (.+)$", README, re.MULTILINE):
        command: object = main
        for word in line.split():
            if not isinstance(command, Group) or word.startswith("-"):
                break
            command = command.commands[word]
        assert command is not main


def test_links_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_every_refusal_and_policy_is_documented() -> None:
    text = (ROOT / "docs" / "rules.md").read_text("utf-8")
    for error, detail in DETAILS.items():
        status, kind = STATUSES.get(error, (400, "invalidValue"))
        assert f"| {error} | {status} | {kind or ''} | {detail} |" in text
    for policy in POLICIES:
        assert policy == "groupLicenses" or f"| `{policy}` |" in text
