"""The operations guide tells every setting, command and option as they are."""

from pathlib import Path

import click
import pytest

from scim_server.cli import main
from scim_server.settings import SETTINGS

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")


def commands(group, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join((*path, name)), [option for one in command.params for option in one.opts]


def test_the_table_of_settings_is_the_schema():
    lines = [line for line in GUIDE.splitlines() if line.startswith("| `SCIM_")]
    assert lines == [f"| `{one.variable}` | {one.default} | {one.about} |" for one in SETTINGS]


@pytest.mark.parametrize(("name", "options"), list(commands(main)), ids=str)
def test_the_table_of_commands_has_every_command_with_its_options(name, options):
    beginnings = (f"| `{name} -", f"| `{name} [", f"| `{name} NAME", f"| `{name}`")
    (line,) = [line for line in GUIDE.splitlines() if line.startswith(beginnings)]
    assert [option for option in options if option.startswith("--") and option not in line] == []
