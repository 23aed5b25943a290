"""The command that shows the whole thing at work: an account with all that it needs, a server, lines to paste."""

import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from scim_server.cli.serving import checked, free_address, local_url, port_option, run
from scim_server.cli.telling import private_files, told_errors

if TYPE_CHECKING:
    from scim_server.provisioning import Service
    from scim_server.settings import Settings

ACCOUNT = CONNECTION = "demo"
DOMAIN = "example.com"
LICENCES = {"eco": 10, "advanced": 10, "pro": 10, "sharedMailbox": 3}
ADMINISTRATOR = f"admin@{DOMAIN}"
DATABASE_FILE = "scim.sqlite3"
TOKEN_FILE = "authorization"  # noqa: S105  the name of a file
"""Holds the token as a header for the lines to paste, so that it is shown once only."""
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
EXTENSION = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:User"
FIRST_ID = "import json, sys; print(json.load(sys.stdin)['Resources'][0]['id'])"


@click.command()
@port_option
@click.option(
    "--data",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    default="data",
    show_default=True,
    help="The directory that keeps the data.",
)
def demo(port: int, directory: Path) -> None:
    """Start a server to try out, with an account "demo" and a token, on this machine only.

    Run again it keeps the data and issues another token. The database is an SQLite file in the directory of --data,
    whatever SCIM_DATABASE_URL says; SCIM_EXTERNAL_URL names the public URL of a tunnel when an IdP is to reach it.
    """
    directory = directory.absolute()
    header = directory / TOKEN_FILE
    address = free_address("127.0.0.1", port)
    local = local_url(address, port)
    with told_errors(), private_files():
        settings = _settings(directory, local)
        kept, token = _prepared(settings)
        header.write_text(f"Authorization: Bearer {token}\n", "utf-8")
    lines = _told(kept, token, settings, directory, _curl_lines(f"{local}/scim/v2", header))
    run(settings, address, port, 1, announcement=lines)


def _settings(directory: Path, url: str) -> "Settings":
    from scim_server.settings import load
    from scim_server.urls import sqlite_url

    settings = load(external_url=url, rate_limit="off")  # not every conformance suite waits when it is told to
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot make the directory '{directory}': {error.strerror}.") from error
    return replace(settings, database_url=sqlite_url(directory / DATABASE_FILE), tls_certificate=None, tls_key=None)


def _prepared(settings: "Settings") -> tuple[bool, str]:
    """Bring the data to what the demo needs; returns whether there was some already, and a new token."""
    from flask import Flask

    from scim_server.account.guard import UNGUARDED
    from scim_server.cli.portal import Portal
    from scim_server.store import upgrading
    from scim_server.store.database import Database

    database = Database(Flask("scim_server"), settings.database_url)
    upgrading.upgrade(database)
    portal = Portal(database)
    kept = portal.has_account(ACCOUNT)
    if not kept:
        portal.create_account(ACCOUNT)
        portal.set_policies(ACCOUNT, UNGUARDED)  # who tries it out, perhaps with a conformance suite, deletes a lot
    portal.set_domain(ACCOUNT, DOMAIN, "approved")
    held = {pool["type"] for pool in portal.licences(ACCOUNT)}
    for kind, quantity in LICENCES.items():
        if kind not in held:
            portal.add_licences(ACCOUNT, kind, quantity)
    service = checked(settings).extensions["scim"]
    _ensure_administrator(service)
    service.database.engine.dispose()  # a worker that inherited an open file of SQLite would spoil it
    token = portal.issue_token(ACCOUNT, CONNECTION, None, (), None)["token"]
    database.engine.dispose()
    return kept, token


def _ensure_administrator(service: "Service") -> None:
    """Create the administrator that every account keeps (R21), where there is none."""
    from scim_server import provisioning
    from scim_server.account.policies import policies_from
    from scim_server.cli.portal import ACTOR
    from scim_server.idp.profiles import profiles
    from scim_server.store import accounts
    from scim_server.store.credentials import SCOPES

    with service.database.reading(None):
        account = accounts.named(ACCOUNT)
    if account is None:
        return
    with service.database.reading(account.id):
        if accounts.active_administrators(account.id):
            return
    policies = policies_from(accounts.settings_of(account))
    caller = provisioning.Caller(account.id, ACTOR, frozenset(SCOPES), profiles()["default"], policies)
    body = {
        "schemas": [CORE, EXTENSION],
        "userName": ADMINISTRATOR,
        "displayName": "Demo Administrator",
        "emails": [{"value": ADMINISTRATOR, "type": "work", "primary": True}],
        EXTENSION: {"role": "administrator"},
    }
    provisioning.create(service, caller, service.catalogue.endpoints["/Users"], body)


def _told(
    kept: bool, token: str, settings: "Settings", directory: Path, curl_lines: Iterator[tuple[str, str]]
) -> Iterator[str]:
    """What is printed once the server answers."""
    base_url = f"{settings.external_url}/scim/v2"
    if kept:
        yield f"The data of an earlier run is kept, and its tokens stay valid. To begin afresh, delete {directory}"
    else:
        yield f"A new account 'demo' with its administrator {ADMINISTRATOR} is in {directory}"
    yield ""
    yield f"Base URL  {base_url}"
    yield f"Token     {token}"
    yield "          (issued for this run and shown this once; every run issues another)"
    yield ""
    yield "What to type into an identity provider"
    yield ""
    yield (files("scim_server.idp") / "connecting.txt").read_text("utf-8").format(base_url=base_url)
    if "//127.0.0.1" in base_url:
        yield "A provider in the cloud cannot reach this machine: open a tunnel to the port and start the demo with"
        yield "SCIM_EXTERNAL_URL=https://the.tunnel in the environment."
        yield ""
    for title, line in curl_lines:
        yield title
        yield line
        yield ""
    yield "See what happens:"
    command = shlex.quote(str(Path(sys.executable).with_name("scim-server")))
    yield f"  SCIM_DATABASE_URL={shlex.quote(settings.database_url)} {command} log --account demo --follow"
    yield ""
    yield "Stop with Ctrl-C."


def _curl_lines(base_url: str, header: Path) -> Iterator[tuple[str, str]]:
    """What can be pasted into a shell: a title and a line each, about a user whom no earlier run has created."""
    name = f"ava.{time.strftime('%H%M%S')}@{DOMAIN}"
    curl = f"curl -sS -H {shlex.quote(f'@{header}')}"
    condition = quote(f'userName eq "{name}"')
    lookup = f"'{base_url}/Users?filter={condition}'"
    user = {
        "schemas": [CORE, EXTENSION],
        "userName": name,
        "name": {"givenName": "Ava", "familyName": "Lee"},
        "emails": [{"value": name, "type": "work", "primary": True}],
        EXTENSION: {"licenseType": "pro"},
    }
    patch = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": False}],
    }
    send = f"{curl} -H 'Content-Type: application/scim+json'"
    yield "Look up a user:", f"{curl} {lookup}"
    yield "Create the user with a Pro licence:", f"{send} -d '{dumps(user)}' {base_url}/Users"
    identifier = f'$({curl} {lookup} | python3 -c "{FIRST_ID}")'
    yield "Deactivate the user:", f"{send} -X PATCH -d '{dumps(patch)}' {base_url}/Users/{identifier}"
