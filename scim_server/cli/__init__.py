"""The `scim-server` command. Its modules import nothing heavy before a command runs, so that --help is fast."""

import click

from scim_server.cli.accounts import account, domain, licence
from scim_server.cli.clients import client
from scim_server.cli.connections import connection
from scim_server.cli.demo import demo
from scim_server.cli.groups import group
from scim_server.cli.guards import guard
from scim_server.cli.issuers import issuer
from scim_server.cli.journal import log
from scim_server.cli.notify import notify
from scim_server.cli.schemas import schemas
from scim_server.cli.serving import serve, upgrade
from scim_server.cli.sweeping import sweep
from scim_server.cli.tokens import token

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scim-server")
def main() -> None:
    """A SCIM 2.0 server for the business accounts of a secure e-mail service.

    To try it out: scim-server demo. For production: set SCIM_DATABASE_URL and SCIM_EXTERNAL_URL, run upgrade, create
    an account with its domains and licences, issue a token for the identity provider, and run serve.
    """


for command in (
    demo, upgrade, serve, account, domain, licence, group, token, client, issuer, connection, guard, schemas, log,
    sweep, notify,
):  # fmt: skip
    main.add_command(command)
