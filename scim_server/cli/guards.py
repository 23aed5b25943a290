"""The commands on the guard of an account: what it holds back, and what is decided about that."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from scim_server.cli.telling import account_option, json_option, opened, plain, table, tell


@click.group()
def guard() -> None:
    """Decide about the many deactivations, deletions and withdrawals that were held back."""


@guard.command("show")
@account_option
@json_option
def show_guard(account: str, as_json: bool) -> None:
    """Show the thresholds, what was counted within the window, what is held back and whom it concerns."""
    with opened() as portal:
        from scim_server.cli import guarding

        answer = guarding.show(portal, account)
    tell(as_json, answer, _lines(answer))


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"guard of '{plain(answer['account'])}': {_state(answer)}"
    yield ""
    rows = [(one["kind"], one["counted"], one["limit"], one["threshold"]) for one in answer["kinds"]]
    yield from table(("KIND", f"LAST {answer['windowMinutes']} MIN", "LIMIT", "POLICY"), rows)
    if answer["state"] == "tripped":
        yield ""
        yield from table(("HELD REQUESTS OF", "NUMBER"), answer["held"].items())
        yield ""
        yield from table(
            ("HELD FOR", "ID", "NAME"), [(one["type"], one["id"], one["name"]) for one in answer["targets"]]
        )
    if answer["recent"]:
        yield ""
        told = [(one["time"], one["action"], one["id"], one["name"], one["by"]) for one in answer["recent"]]
        yield from table(("DONE", "ACTION", "ID", "NAME", "BY"), told)


def _state(answer: Mapping[str, Any]) -> str:
    if answer["state"] == "tripped":
        sender = plain(answer["connection"] or "a connection that is gone")
        return f"holds guarded changes since {answer['since']}: {answer['why']} (sent by '{sender}')"
    if answer["state"] == "approved":
        number = "any number of changes" if answer["changesLeft"] is None else f"{answer['changesLeft']} more changes"
        return f"lets {number} through until {answer['until']}"
    return "watches"


@guard.command("approve")
@account_option
@click.option(
    "--hours", type=click.IntRange(1, 672), default=24, show_default=True, help="How long; providers retry after hours."
)
@click.option(
    "--changes", type=click.IntRange(1, 10_000_000), metavar="N", help="At most so many; without, any number."
)
@json_option
def approve_guard(account: str, hours: int, changes: int | None, as_json: bool) -> None:
    """Let guarded changes through for some hours; then the guard counts anew. Also before a change that is planned."""
    with opened() as portal:
        from scim_server.cli import guarding

        answer = guarding.approve(portal, account, hours, changes)
    tell(as_json, answer, [f"The guard of '{plain(answer['account'])}' {_state(answer)}."])


@guard.command("reject")
@account_option
@json_option
def reject_guard(account: str, as_json: bool) -> None:
    """Refuse what is held: the connections that sent it are paused until 'connection resume'; the guard counts anew."""
    with opened() as portal:
        from scim_server.cli import guarding

        answer = guarding.reject(portal, account)
    paused = ", ".join(f"'{plain(one)}'" for one in answer["paused"]) or "no other connection"
    lines = [f"Rejected. Paused: {paused}. What was done before the guard tripped stays: see 'guard show'."]
    tell(as_json, answer, lines)
