"""The command that sends users the messages about their licences, and shows what became of them."""

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli.telling import json_option, opened, table, tell

if TYPE_CHECKING:
    import sqlalchemy as sa

    from scim_server.cli.portal import Portal

COUNTS = {
    "sent": "sent",
    "waiting": "retried",
    "failed": "failed",
    "unconfirmed": "unconfirmed",
    "obsolete": "obsolete",
}
"""The states that messages come into, each with the word for it in the answer: what waits again is tried again."""
HEADS = ("CREATED", "USER", "MESSAGE", "LICENCE", "STATE", "ATTEMPTS", "NEXT OR SENT", "WHY")


@click.command()
@click.option("--account", metavar="NAME", help="Only this account.")
@click.option("--limit", type=click.IntRange(min=1), help="Try, or show, this many messages at most.")
@click.option("--list", "show", is_flag=True, help="Send nothing; show the newest messages of the account.")
@click.option("--user", metavar="X", help="With --list: only those to this user, the userName or the id.")
@json_option
def notify(account: str | None, limit: int | None, show: bool, user: str | None, as_json: bool) -> None:
    """Send the users the messages about their licences that are due. Several at once share the work.

    What could not be sent is tried again by a later run. What may have been sent is never sent again.
    """
    if show:
        if account is None:
            raise click.UsageError("--list shows the messages of one account. Name it with --account.")
        _show(account, user, limit or 100, as_json)
        return
    if user is not None:
        raise click.UsageError("--user goes with --list.")
    with opened() as portal:
        from scim_server.cli.delivering import deliver
        from scim_server.settings import load

        run = deliver(portal.database, load(), _accounts(portal, account), limit)
    counts = {word: run.counts[state] for state, word in COUNTS.items()}
    line = ", ".join(f"{word} {number}" for word, number in counts.items())
    if run.problem:
        click.echo(f"The run ended early: {run.problem}. The next one goes on.", err=True)
    tell(as_json, {**counts, "problem": run.problem}, [line])


def _accounts(portal: "Portal", name: str | None) -> "list[sa.Row[Any]]":
    """Return the rows of the named account, or of all."""
    from scim_server.cli.texts import PortalError
    from scim_server.store import accounts

    with portal.database.reading(None):
        rows = [row for row in accounts.all_accounts() if name in {None, row.name}]
    if name is not None and not rows:
        raise PortalError(f"there is no account '{name}'. Create it with: scim-server account create '{name}'")
    return rows


def _show(account: str, user: str | None, limit: int, as_json: bool) -> None:
    """Show the newest messages of an account, the newest of them last."""
    with opened() as portal:
        from scim_server.store import notifications

        (row,) = _accounts(portal, account)
        with portal.database.reading(row.id):
            found = notifications.listed(row.id, user, limit)
        messages = [_message(one) for one in found]
    lines = table(HEADS, (list(one.values())[1:] for one in messages))
    tell(as_json, {"notifications": messages}, lines)


def _message(row: "sa.Row[Any]") -> dict[str, Any]:
    """Return a message as the command line answers it."""
    from scim_server.cli.answers import instant_or_none

    return {
        "id": row.id,
        "created": instant_or_none(row.created),
        "userName": row.user_name,
        "kind": row.kind,
        "licenseType": row.licence_type,
        "state": row.state,
        "attempts": row.attempts,
        "at": instant_or_none(row.next_attempt_at if row.state == "waiting" else row.sent_at),
        "why": _why(row),
    }


def _why(row: "sa.Row[Any]") -> str | None:
    """Say why a message is in its state."""
    if row.state == "waiting" and not row.active:
        return "goes out when the user is active again"
    known = {
        "suppressed": "notifications.onLicenseAssigned was false",
        "obsolete": "the licence was gone, or given anew, before the message went out",
        "sending": "a process is sending it",
    }
    return row.error or known.get(row.state)
