"""The commands on accounts, their approved domains and their licences."""

import json

import click

from scim_server.cli.telling import account_option, json_option, opened, plain, table, tell


@click.group()
def account() -> None:
    """Create accounts and set their policies."""


@account.command("create")
@click.argument("name")
@click.option("--test", is_flag=True, help="A test account: any userName and any time zone are accepted.")
@json_option
def create_account(name: str, test: bool, as_json: bool) -> None:
    """Create the account NAME."""
    with opened() as portal:
        answer = portal.create_account(name, test=test)
    kind = "Test account" if test else "Account"
    tell(as_json, answer, [f"{kind} '{answer['name']}' is created."])


@account.command("show")
@click.argument("name")
@json_option
def show_account(name: str, as_json: bool) -> None:
    """Show the account NAME with its policies, domains and licences."""
    with opened() as portal:
        answer = portal.show_account(name)
    pools = [f"{one['type']} {one['assigned']} of {one['total']} assigned" for one in answer["licences"]]
    lines = [
        f"account   {answer['name']} ({answer['id']}), created {answer['created']}",
        f"domains   {', '.join(answer['domains']) or '-'}",
        f"licences  {', '.join(pools) or '-'}",
        "policies",
        *(f"  {key}={_text(value)}" for key, value in answer["policies"].items()),
    ]
    tell(as_json, answer, lines)


def _assignments(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Split KEY=VALUE."""
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"'{value}' is not KEY=VALUE, such as withdrawal.logPolicy=purge.")
    return {key.strip(): text for key, _, text in (value.partition("=") for value in values)}


@account.command("set")
@click.argument("name")
@click.argument("assignments", metavar="KEY=VALUE...", nargs=-1, required=True, callback=_assignments)
@json_option
def set_policies(name: str, assignments: dict[str, str], as_json: bool) -> None:
    """Set policies of the account NAME.

    'account show NAME' lists the policies with their values. All of the assignments are made, or none.
    """
    with opened() as portal:
        answer = portal.set_policies(name, assignments)
    policies = answer["policies"]
    lines = [f"{key}={_text(policies[key])}" for key in answer["changed"]] or ["Nothing to change."]
    tell(as_json, answer, lines)


def _text(value: object) -> str:
    """Write a policy as `account set` reads it."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


@click.group()
def domain() -> None:
    """Approve e-mail domains of an account."""


@domain.command("approve")
@account_option
@click.argument("domain")
@json_option
def approve_domain(account: str, domain: str, as_json: bool) -> None:
    """Approve DOMAIN: users may have addresses of exactly this domain."""
    _set_domain(account, domain, "approved", as_json)


@domain.command("request")
@account_option
@click.argument("domain")
@json_option
def request_domain(account: str, domain: str, as_json: bool) -> None:
    """Note that DOMAIN waits for its approval; no user may have an address of it yet."""
    _set_domain(account, domain, "pending", as_json)


@domain.command("refuse")
@account_option
@click.argument("domain")
@json_option
def refuse_domain(account: str, domain: str, as_json: bool) -> None:
    """Note that DOMAIN is refused; the users who have addresses of it stay."""
    _set_domain(account, domain, "refused", as_json)


def _set_domain(account: str, domain: str, status: str, as_json: bool) -> None:
    with opened() as portal:
        answer = portal.set_domain(account, domain, status)
    state = f"is {status}" if answer["changed"] else f"was {status} already"
    tell(as_json, answer, [f"Domain '{answer['domain']}' {state}."])


@domain.command("withdraw")
@account_option
@click.argument("domain")
@json_option
def withdraw_domain(account: str, domain: str, as_json: bool) -> None:
    """Withdraw DOMAIN: its users stay, new addresses in it are refused, another account may have it."""
    with opened() as portal:
        answer = portal.withdraw_domain(account, domain)
    state = "is withdrawn" if answer["changed"] else "was not a domain of the account"
    tell(as_json, answer, [f"Domain '{answer['domain']}' {state}."])


@domain.command("list")
@account_option
@json_option
def list_domains(account: str, as_json: bool) -> None:
    """List the domains."""
    with opened() as portal:
        domains = portal.domains(account)
    tell(as_json, {"domains": domains}, table(("DOMAIN", "STATUS", "APPROVED"), (one.values() for one in domains)))


@click.group()
def licence() -> None:
    """Add licences to an account's pools, remove those that nobody holds."""


@licence.command("add")
@account_option
@click.argument("type")
@click.argument("quantity", type=click.IntRange(min=1))
@json_option
def add_licences(account: str, type: str, quantity: int, as_json: bool) -> None:
    """Add QUANTITY bought licences of TYPE; users who wait for one are served.

    Types: eco, advanced, pro, apiAdvanced, apiPro, sharedMailbox, sesar.
    """
    with opened() as portal:
        answer = portal.add_licences(account, type, quantity)
    lines = [f"{answer['type']}: {answer['assigned']} of {answer['total']} assigned, {answer['available']} available."]
    lines += [f"Granted to {plain(name)}, who waited for it." for name in answer["granted"]]
    tell(as_json, answer, lines)


@licence.command("remove")
@account_option
@click.argument("type")
@click.argument("quantity", type=click.IntRange(min=1))
@json_option
def remove_licences(account: str, type: str, quantity: int, as_json: bool) -> None:
    """Remove QUANTITY licences of TYPE that nobody holds."""
    with opened() as portal:
        answer = portal.remove_licences(account, type, quantity)
    pool = f"{answer['type']}: {answer['assigned']} of {answer['total']} assigned, {answer['available']} available."
    tell(as_json, answer, [pool])


@licence.command("activations")
@account_option
@click.argument("type")
@click.argument("quantity", type=click.IntRange(1, 1_000_000))
@json_option
def set_activations(account: str, type: str, quantity: int, as_json: bool) -> None:
    """Set how many activations each licence of TYPE allows: sharedMailbox, which several people use."""
    with opened() as portal:
        answer = portal.set_activations(account, type, quantity)
    tell(as_json, answer, [f"Each {answer['type']} licence allows {answer['activations']} activations."])


@licence.command("list")
@account_option
@json_option
def list_licences(account: str, as_json: bool) -> None:
    """List the pools."""
    with opened() as portal:
        pools = portal.licences(account)
    heads = ("TYPE", "TOTAL", "ASSIGNED", "AVAILABLE")
    tell(as_json, {"licences": pools}, table(heads, (one.values() for one in pools)))
