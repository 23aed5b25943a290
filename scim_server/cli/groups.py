"""The commands on groups: what no identity provider may say of them (R31)."""

import click

from scim_server.cli.telling import account_option, json_option, opened, plain, tell


@click.group()
def group() -> None:
    """Give role groups their permissions."""


@group.command("permit")
@account_option
@click.argument("name")
@click.argument("permissions", metavar="[PERMISSION]...", nargs=-1)
@json_option
def permit(account: str, name: str, permissions: tuple[str, ...], as_json: bool) -> None:
    """Give the role group NAME these permissions and no others; its members have them at once.

    Permissions: businessManagement, billing, purchasing, logs, administratorLogs, domainManagement, domainRules,
    rolesAndPermissions. None takes all away.
    """
    with opened() as portal:
        answer = portal.permit(account, name, permissions)
    tell(as_json, answer, [f"{plain(name)}: {', '.join(answer['permissions']) or 'no permissions'}."])
