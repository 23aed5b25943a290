"""The commands on what is recorded: the account's provisioning journal, and its users' message logs."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from scim_server.cli.telling import account_option, json_option, opened, plain, tell

if TYPE_CHECKING:
    from scim_server.cli.portal import Portal

PAUSE = 1.0
"""How many seconds pass between two looks at the journal."""
LATEST = 60
"""How many seconds after its entry got an id a transaction may still be committed."""
MOST = 10_000
NOBODY = (
    "The journal has no entries of this user: no request named it. Is it assigned in the identity provider, and may "
    "its token write (scim-server token list)? A deleted user is under its id, or its masked name: j***@example.com.\n"
    "What was refused before its body was read is in the journal without --user."
)


@click.group(invoke_without_command=True)
@click.option("--account", metavar="NAME", help="The account.")
@click.option("--user", metavar="X", help="Only what concerns this user: the userName or the id.")
@click.option("--follow", is_flag=True, help="Go on showing new entries until interrupted.")
@click.option("--limit", type=click.IntRange(0, MOST), default=100, show_default=True, help="How many entries back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_context
def log(context: click.Context, account: str | None, user: str | None, follow: bool, limit: int, as_json: bool) -> None:
    """Show the journal of an account: who did what to whom, and what was refused. The newest entry is the last."""
    if context.invoked_subcommand is not None:
        return
    if account is None:  # a command of the group names its account itself
        raise click.MissingParameter(ctx=context, param_hint="'--account'", param_type="option")
    with opened() as portal:
        entries = portal.journal(account, user, "", limit)
        show(entries, as_json)
        if follow:
            try:
                for fresh in _followed(portal, account, user):
                    show(fresh, as_json)
            except KeyboardInterrupt:
                return
    if not entries and not as_json:
        click.echo("The journal has no entries." if user is None else NOBODY, err=True)


@log.command("import")
@account_option
@click.argument("file", type=click.File("rb"), default="-", metavar="[FILE|-]")
@json_option
def import_logs(account: str, file: BinaryIO, as_json: bool) -> None:
    """Import the message logs of users from FILE, or from standard input: one JSON object per line.

    All lines are imported, or none; a line whose id is known already changes nothing.
    """
    with opened() as portal:
        answer = portal.import_logs(account, file)
    tell(as_json, answer, [f"Imported: {answer['imported']}. Known already: {answer['known']}."])


def show(entries: list[dict[str, Any]], as_json: bool) -> None:
    """Print entries, one per line."""
    for entry in entries:
        click.echo(json.dumps(entry) if as_json else line_of(entry))


def _followed(portal: "Portal", account: str, user: str | None) -> Iterator[list[dict[str, Any]]]:
    """Give the entries that were not there before, again and again.

    The id of an entry tells when it was written, not when it was committed: each look goes back a while.
    """
    seen = {entry["id"] for entry in portal.journal(account, user, _id_at(time.time() - LATEST), MOST)}
    while True:
        time.sleep(PAUSE)
        window = portal.journal(account, user, _id_at(time.time() - LATEST), MOST)
        yield [entry for entry in window if entry["id"] not in seen]
        seen = {entry["id"] for entry in window}


def _id_at(seconds: float) -> str:
    """Return the least id of a time (UUID version 7)."""
    digits = f"{max(0, int(seconds * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def line_of(entry: Mapping[str, Any]) -> str:
    """Write an entry for people: when, what, to whom, by whom, and the changes or the reason of a refusal."""
    actor, target = entry["actor"], entry.get("target", {})
    parts = [
        entry["occurredAt"][:19] + "Z",
        entry["action"],
        target.get("display") or target.get("value") or "-",
        f"by {actor.get('value') or actor['type']}",
    ]
    if "detail" in entry:
        parts.append(f"{entry.get('status', '')} {entry.get('error', '')}".strip() + f": {entry['detail']}")
    parts += [_change(one) for one in entry.get("changes", ())]
    if "logEntriesPurged" in entry:
        parts.append(f"log entries destroyed: {entry['logEntriesPurged']}")
    return "  ".join(plain(part) for part in parts)


def _change(change: Mapping[str, Any]) -> str:
    """Write a change: ``licenseType: eco -> pro``; of most attributes only the name is kept."""
    if "attribute" not in change:
        return " ".join(f"{name}={value}" for name, value in change.items())
    name = change["attribute"]
    if change.get("ignored"):
        return f"{name} ignored"
    if "to" not in change:
        return str(name)
    old = f"{json.dumps(change['from'], ensure_ascii=False)} -> " if "from" in change else ""
    return f"{name}: {old}{json.dumps(change['to'], ensure_ascii=False)}"
