"""What the commands share: options, how an answer is told, how an error is told."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from scim_server.cli.portal import Portal

Command = TypeVar("Command", bound=Callable[..., Any])


def account_option(command: Command) -> Command:
    """Add the option that names the account."""
    return click.option("--account", required=True, metavar="NAME", help="The account.")(command)


def json_option(command: Command) -> Command:
    """Add the option that asks for JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on one line.")(command)


def tell(as_json: bool, answer: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print the answer as one JSON object, or its lines for people."""
    if as_json:
        click.echo(json.dumps(answer))
        return
    for line in lines:
        click.echo(line)


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Lay out rows in columns under their heads."""
    cells = [list(heads), *([plain("-" if cell is None else cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def plain(value: object) -> str:
    """Return a value as text that no terminal takes for commands: names come from outside."""
    text = str(value)
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


@contextmanager
def private_files() -> Iterator[None]:
    """Make what is created in the block its owner's alone: it holds personal data."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def opened() -> Iterator["Portal"]:
    """Give the portal on the database of the settings."""
    with told_errors():
        from flask import Flask

        from scim_server.cli.portal import Portal
        from scim_server.settings import load
        from scim_server.store.database import Database
        from scim_server.store.upgrading import check

        database = Database(Flask("scim_server"), load().database_url)
        try:
            check(database)
            yield Portal(database)
        finally:
            database.engine.dispose()


@contextmanager
def told_errors() -> Iterator[None]:
    """Tell the errors that a person at the command line can mend; the others are bugs and keep their traceback."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from scim_server.cli.texts import PortalError
    from scim_server.protocol.configured import BadDocuments
    from scim_server.setting_sources import SettingsError
    from scim_server.store.tokens import without_secrets
    from scim_server.store.upgrading import NotUpgraded

    try:
        yield
    except (PortalError, SettingsError, NotUpgraded, BadDocuments) as error:
        raise click.ClickException(without_secrets(str(error))) from error
    except (OperationalError, ProgrammingError) as error:
        told = without_secrets(str(error.orig))
        raise click.ClickException(f"the database of SCIM_DATABASE_URL cannot be used: {told}") from error
