"""The command that does what time brings: seats released after the days of grace (R24)."""

import click

from scim_server.cli.telling import json_option, opened, tell


@click.command()
@click.option("--account", metavar="NAME", help="Only this account; all where none is named.")
@json_option
def sweep(account: str | None, as_json: bool) -> None:
    """Release the seats of users who have been away longer than deactivation.graceDays.

    For accounts with deactivation.licensePolicy=releaseAfterGrace. Safe to run from cron, and several times at once.
    """
    with opened() as portal:
        released = portal.sweep(account)
    lines = [f"{name}: {number} released." for name, number in released.items() if number]
    tell(as_json, {"released": released}, lines or ["Nothing was due."])
