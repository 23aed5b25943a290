"""The commands on the trusted issuers of an account's connections."""

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli.telling import account_option, json_option, opened, plain, table, tell

if TYPE_CHECKING:
    from scim_server.cli.portal import Portal
    from scim_server.cli.trusting import Trusting


@click.group()
def issuer() -> None:
    """Take tokens that identity providers sign themselves: trusted issuers of connections."""


@issuer.command("create")
@account_option
@click.option("--connection", required=True, metavar="NAME", help="The IdP's connection; created if there is none.")
@click.option("--name", metavar="NAME", help="What the issuer is called; as its connection by default.")
@click.option("--issuer", metavar="URL", help="The iss of its tokens, letter by letter.")
@click.option("--audience", metavar="AUD", help="The aud of its tokens: what stands for this server.")
@click.option("--claim", metavar="NAME=VALUE", help="The claim by which its tokens are known: sub=..., appid=....")
@click.option("--scope", "scopes", multiple=True, metavar="S", help="scim.read, scim.write, scim.logs; all by default.")
@click.option("--scope-claim", metavar="NAME", help="The claim that says which of them: scp, scope or roles.")
@click.option(
    "--algorithm",
    "algorithms",
    multiple=True,
    metavar="ALG",
    help="RS256, PS256, ES256, EdDSA, Ed25519; all by default.",
)
@click.option("--jwks-url", metavar="URL", help="Where its keys are; its openid-configuration says it by default.")
@click.option(
    "--purpose",
    type=click.Choice(["bearer", "assertion"]),
    default="bearer",
    show_default=True,
    help="What its tokens are for: requests, or as the proof of clients at /oauth2/token.",
)
@click.option("--entra-tenant", metavar="ID", help="A tenant of Microsoft Entra ID, for its issuer and its keys.")
@json_option
def create(account: str, connection: str, name: str | None, as_json: bool, **wanted: Any) -> None:
    """Have a connection take the tokens of an issuer that have its audience and the claim.

    No other connection of the service can take the same tokens.
    """
    with opened() as portal:
        from scim_server.cli.trusting import Wanted

        answer = _trusting(portal).trust(account, connection, name, Wanted(**wanted))
    told = ("id", "connection", "issuer", "audience", "claim", "jwksUrl")
    tell(as_json, answer, [f"{one:<10}  {plain(answer[one] or '-')}" for one in told])


@issuer.command("list")
@account_option
@json_option
def list_issuers(account: str, as_json: bool) -> None:
    """List the trusted issuers, those that were are among them."""
    with opened() as portal:
        found = _trusting(portal).issuers(account)
    heads = ("ID", "NAME", "CONNECTION", "PURPOSE", "ISSUER", "AUDIENCE", "CLAIM", "SCOPES", "STATE", "LAST USED")
    rows = [
        (one["id"], one["name"], one["connection"], one["purpose"], one["issuer"], one["audience"], one["claim"],
         " ".join(one["scopes"]), one["state"], one["lastUsed"])
        for one in found
    ]  # fmt: skip
    tell(as_json, {"issuers": found}, table(heads, rows))


@issuer.command("revoke")
@account_option
@click.argument("identifier", metavar="ID")
@json_option
def revoke(account: str, identifier: str, as_json: bool) -> None:
    """End the trust ID, everywhere within SCIM_CREDENTIAL_SECONDS, with the clients that the issuer vouches for."""
    with opened() as portal:
        answer = _trusting(portal).distrust(account, identifier)
    state = "is trusted no more" if answer["changed"] else "was trusted no more already"
    tell(as_json, answer, [f"Issuer '{plain(answer['name'])}' of connection '{plain(answer['connection'])}' {state}."])


def _trusting(portal: "Portal") -> "Trusting":
    from scim_server.cli.trusting import Trusting

    return Trusting(portal.database)
