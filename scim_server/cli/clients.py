"""The commands on the OAuth clients of an account's connections."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scim_server.cli.telling import account_option, json_option, opened, plain, table, tell

if TYPE_CHECKING:
    from scim_server.cli.portal import Portal
    from scim_server.cli.registering import Registry

WAYS = ("client_secret", "private_key_jwt", "federated", "tls_client_auth", "self_signed_tls_client_auth")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def client() -> None:
    """Let identity providers get their tokens themselves, by OAuth 2.0."""


@client.command("create")
@account_option
@click.option("--connection", required=True, metavar="NAME", help="The IdP's connection; created if there is none.")
@click.option("--name", metavar="NAME", help="What the client is called; as its connection by default.")
@click.option(
    "--grant",
    type=click.Choice(["client_credentials", "authorization_code"]),
    default="client_credentials",
    show_default=True,
    help="How it gets tokens; authorization_code includes refresh tokens.",
)
@click.option(
    "--auth", type=click.Choice(WAYS), default="client_secret", show_default=True, help="How it proves who it is."
)
@click.option("--scope", "scopes", multiple=True, metavar="S", help="scim.read, scim.write, scim.logs; all by default.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, metavar="URL", help="Where the IdP waits for its code.")
@click.option("--without-pkce", "proof_key", is_flag=True, flag_value=False, default=True, help="It cannot send PKCE.")
@click.option("--jwks", type=_FILE, metavar="FILE", help="Its public keys, as a JSON Web Key Set.")
@click.option("--jwks-url", metavar="URL", help="Where its public keys are.")
@click.option("--issuer", metavar="ID", help="The trusted issuer that vouches for it.")
@click.option("--certificate", type=_FILE, metavar="FILE", help="Its own certificate, PEM.")
@click.option("--subject-dn", "subject", metavar="DN", help="The subject of its certificate: CN=scim,O=Acme.")
@click.option("--ca", "authority", type=_FILE, metavar="FILE", help="The authority that issues its certificate, PEM.")
@json_option
def create(account: str, connection: str, name: str | None, as_json: bool, **wanted: Any) -> None:
    """Create a client of a connection, which then gets tokens from /oauth2/token.

    A secret is shown this once. For another secret create another client, enter it in the IdP, revoke the old one.
    """
    from scim_server.cli.registering import Registration

    with opened() as portal:
        answer = _registry(portal).create_client(account, connection, name, Registration(**wanted))
    lines = [f"client id      {answer['clientId']}"]
    if "clientSecret" in answer:
        lines.append(f"client secret  {answer['clientSecret']}")
    tell(as_json, answer, lines)
    if not as_json and "clientSecret" in answer:
        click.echo("The secret is shown this once.", err=True)


@client.command("list")
@account_option
@json_option
def list_clients(account: str, as_json: bool) -> None:
    """List the clients, without their secrets: those are not kept."""
    with opened() as portal:
        found = _registry(portal).clients(account)
    heads = ("CLIENT ID", "NAME", "CONNECTION", "GRANT", "AUTH", "SCOPES", "STATE", "LAST TOKEN")
    rows = [
        (one["clientId"], one["name"], one["connection"], one["grants"][0], one["auth"], " ".join(one["scopes"]),
         one["state"], one["lastUsed"])
        for one in found
    ]  # fmt: skip
    tell(as_json, {"clients": found}, table(heads, rows))


@client.command("revoke")
@account_option
@click.argument("client_id", metavar="CLIENT_ID")
@json_option
def revoke(account: str, client_id: str, as_json: bool) -> None:
    """Revoke the client CLIENT_ID and every token that it has, on every worker within SCIM_CREDENTIAL_SECONDS."""
    with opened() as portal:
        answer = _registry(portal).revoke_client(account, client_id)
    state = "is revoked" if answer["changed"] else "was revoked already"
    tell(as_json, answer, [f"Client '{plain(answer['name'])}' of connection '{plain(answer['connection'])}' {state}."])


@client.command("consent")
@account_option
@click.argument("client_id", metavar="CLIENT_ID")
@json_option
def consent(account: str, client_id: str, as_json: bool) -> None:
    """Print a code to be typed into the consent page of the client CLIENT_ID: good once, for 10 minutes.

    Whoever types it lets the identity provider act for the account. It ends the codes before.
    """
    with opened() as portal:
        answer = _registry(portal).consent(account, client_id)
    tell(as_json, answer, [answer["consentCode"]])
    if not as_json:
        click.echo(f"Good once, until {answer['expires']}, for the client '{plain(answer['name'])}'.", err=True)


def _registry(portal: "Portal") -> "Registry":
    from scim_server.cli.registering import Registry

    return Registry(portal.database)
