"""The commands on the tokens of an account's connections."""

import click

from scim_server.cli.telling import account_option, json_option, opened, table, tell


@click.group()
def token() -> None:
    """Issue, list and revoke bearer tokens."""


@token.command("issue")
@account_option
@click.option("--connection", default="default", show_default=True, metavar="NAME", help="The IdP's connection.")
@click.option("--profile", metavar="P", help="How its requests are read: default, strict, okta, entra, ...")
@click.option("--scope", "scopes", multiple=True, metavar="S", help="scim.read, scim.write, scim.logs; all by default.")
@click.option("--user", metavar="USERNAME", help="The user that it stands for, who then has /Me and no more.")
@click.option("--expires", "days", type=click.IntRange(1, 36500), metavar="DAYS", help="Never, by default.")
@json_option
def issue(
    account: str,
    connection: str,
    profile: str | None,
    scopes: tuple[str, ...],
    user: str | None,
    days: int | None,
    as_json: bool,
) -> None:
    """Issue a token; earlier ones of the connection stay valid until they expire or are revoked.

    The connection is created when there is none of this name; --profile gives an existing one another profile.
    A token for a user (--user) administers nothing, and ends with the user.
    """
    with opened() as portal:
        answer = portal.issue_token(account, connection, profile, scopes, days, user)
    tell(as_json, answer, [answer["token"]])
    if not as_json:
        about = (
            f"It is shown this once. Connection: {answer['connection']}, profile: {answer['profile']}, "
            f"scopes: {' '.join(answer['scopes'])}, expires: {answer['expires'] or 'never'}, id: {answer['id']}"
        )
        click.echo(about, err=True)


@token.command("list")
@account_option
@json_option
def list_tokens(account: str, as_json: bool) -> None:
    """List the tokens, without the secrets: those are not kept."""
    with opened() as portal:
        tokens = portal.tokens(account)
    heads = ("ID", "CONNECTION", "PROFILE", "STATE", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "USER", "WARNING")
    rows = [
        (one["id"], one["connection"], one["profile"], one["state"], " ".join(one["scopes"]), one["created"],
         one["expires"], one["lastUsed"], one["user"], one["warning"])
        for one in tokens
    ]  # fmt: skip
    tell(as_json, {"tokens": tokens}, table(heads, rows))


@token.command("revoke")
@account_option
@click.argument("identifier", metavar="ID")
@json_option
def revoke(account: str, identifier: str, as_json: bool) -> None:
    """Revoke the token with the id ID, on every worker within SCIM_CREDENTIAL_SECONDS."""
    with opened() as portal:
        answer = portal.revoke_token(account, identifier)
    state = "is revoked" if answer["changed"] else "was revoked already"
    tell(as_json, answer, [f"Token {answer['id']} of connection '{answer['connection']}' {state}."])
