"""The commands on the connections of an account: their profiles and pauses, and what they were seen to send."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from scim_server.cli.telling import account_option, json_option, opened, plain, table, tell

TITLES = {
    "request": "requests",
    "contentType": "content types",
    "op": "operations of PATCH",
    "path": "paths of PATCH",
    "filter": "questions of filters",
    "unknown": "attributes that no schema has",
}
"""The kinds of shapes, as they are shown."""


@click.group()
def connection() -> None:
    """Show the connections of identity providers, set their profiles, pause and resume them."""


@connection.command("list")
@account_option
@json_option
def list_connections(account: str, as_json: bool) -> None:
    """List the connections; 'token issue' creates one."""
    with opened() as portal:
        connections = portal.connections(account)
    heads = ("CONNECTION", "PROFILE", "LIVE TOKENS", "CLIENTS", "ISSUERS", "CREATED", "PAUSED")
    names = ("name", "profile", "liveTokens", "liveClients", "liveIssuers", "created", "paused")
    rows = [tuple(one[name] for name in names) for one in connections]
    tell(as_json, {"connections": connections}, table(heads, rows))


@connection.command("show")
@account_option
@click.argument("connection", metavar="CONNECTION")
@json_option
def show_connection(account: str, connection: str, as_json: bool) -> None:
    """Show CONNECTION: its profile, its tokens, and what its requests were seen to look like, without any value.

    A server notes new shapes after the answer, at most every 10 seconds, and counts every 10 minutes.
    """
    with opened() as portal:
        answer = portal.show_connection(account, connection)
    tell(as_json, answer, _lines(answer))


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"connection  {plain(answer['name'])} ({answer['id']}), created {answer['created']}"
    yield f"profile     {answer['profile']}: {answer['about']}"
    if answer["paused"]:
        yield f"paused      since {answer['paused']}" + (f": {plain(answer['pauseReason'] or '')}").rstrip(": ")
    if answer["basic"]:
        yield "HTTP Basic  is taken, with a token as the password"
    yield f"tokens      {', '.join(_token(one) for one in answer['tokens']) or '-'}"
    if answer["clients"]:
        yield f"clients     {', '.join(plain(one['name']) for one in answer['clients'])}"
    if answer["issuers"]:
        yield f"issuers     {', '.join(plain(one['issuer']) for one in answer['issuers'])}"
    for kind, title in TITLES.items():
        seen = [one for one in answer["shapes"] if one["kind"] == kind]
        if seen:
            rows = ((one["shape"], one["count"], one["firstSeen"], one["lastSeen"]) for one in seen)
            yield ""
            yield from table((title.upper(), "SEEN", "FIRST", "LAST"), rows)


def _token(one: Mapping[str, Any]) -> str:
    until = f" until {one['expires']}" if one["expires"] else ""
    return f"{one['id']} {one['state']}{until}, last used {one['lastUsed'] or 'never'}"


@connection.command("set")
@account_option
@click.argument("connection", metavar="CONNECTION")
@click.option("--profile", required=True, metavar="P", help="How its requests are read: the name of a profile.")
@json_option
def set_connection(account: str, connection: str, profile: str, as_json: bool) -> None:
    """Give CONNECTION another profile, which holds within SCIM_CREDENTIAL_SECONDS."""
    with opened() as portal:
        answer = portal.set_connection(account, connection, profile)
    state = f"has the profile {answer['profile']}" + ("" if answer["changed"] else " already")
    tell(as_json, answer, [f"Connection '{plain(answer['name'])}' {state}."])


@connection.command("pause")
@account_option
@click.argument("connection", metavar="CONNECTION")
@click.option("--reason", metavar="TEXT", help="Why; its client is told, and the journal.")
@json_option
def pause_connection(account: str, connection: str, reason: str | None, as_json: bool) -> None:
    """Have every request of CONNECTION answered 503 with Retry-After, reads too, within SCIM_CREDENTIAL_SECONDS.

    Nothing of the account is changed; its tokens stay as they are.
    """
    with opened() as portal:
        from scim_server.cli.guarding import pause

        answer = pause(portal, account, connection, reason)
    state = "is paused." if answer["changed"] else f"is paused already, since {answer['paused']}."
    tell(as_json, answer, [f"Connection '{plain(answer['name'])}' {state}"])


@connection.command("resume")
@account_option
@click.argument("connection", metavar="CONNECTION")
@json_option
def resume_connection(account: str, connection: str, as_json: bool) -> None:
    """Serve a paused CONNECTION again, within SCIM_CREDENTIAL_SECONDS."""
    with opened() as portal:
        from scim_server.cli.guarding import resume

        answer = resume(portal, account, connection)
    state = "is served again." if answer["changed"] else "is not paused."
    tell(as_json, answer, [f"Connection '{plain(answer['name'])}' {state}"])


@connection.command("basic")
@account_option
@click.argument("connection", metavar="CONNECTION")
@click.option("--on/--off", "is_on", default=None, help="Whether it may.")
@json_option
def set_basic(account: str, connection: str, is_on: bool | None, as_json: bool) -> None:
    """Let CONNECTION send its tokens as passwords of HTTP Basic, or not, within SCIM_CREDENTIAL_SECONDS.

    For identity providers that can send nothing else. The user name is not looked at.
    """
    if is_on is None:
        raise click.UsageError("say --on or --off.")
    with opened() as portal:
        from scim_server.cli.guarding import basic

        answer = basic(portal, account, connection, is_on)
    state = ("may" if is_on else "may not") + " use HTTP Basic" + ("" if answer["changed"] else " already")
    tell(as_json, answer, [f"Connection '{plain(answer['name'])}' {state}."])
