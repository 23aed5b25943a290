"""Clients that a trusted issuer vouches for, and clients whose keys are at a URL: proofs at the token endpoint."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from scim_server.cli.guarding import pause
from scim_server.cli.portal import Portal
from scim_server.cli.texts import PortalError
from scim_server.cli.trusting import Trusting
from tests.web.conftest import Api
from tests.web.issuer import Issuer, distrust, issuing, trust
from tests.web.oauth import assertion, bearer, error_of, post, presented, register
from tests.web.test_federation import TENANT, UNPROVED

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
NOW = int(time.time())
OTHER = RSAKey.generate_key(2048)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as started:
        yield started


def vouching(api: Api, at: Issuer, **wanted: Any) -> dict[str, Any]:
    """A client for which the issuer vouches."""
    trusted = trust(api, at, purpose="assertion", **wanted)
    return register(api, "federated", connection="federated", issuer=trusted["id"])


def test_workload_identity_of_entra_obtains_a_token_of_an_hour(api: Api, issuer: Issuer) -> None:
    """OAU-05: iss is the tenant's, aud the application's, oid the workload's; the token may come again until it ends."""
    audience, workload = "api://4a1b", "9f0c-oid"
    client = vouching(api, issuer, issuer=None, entra_tenant=TENANT, audience=audience, claim=f"oid={workload}")
    claims = {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", "aud": audience, "oid": workload}
    more = {"sub": workload, "azp": "app", "tid": TENANT, "uti": "abc", "ver": "2.0", "idtyp": "app"}
    proof = presented(client, issuer.sign(**claims, **more))
    for _ in range(2):
        answer = post(api.app, **proof, scope="scim.read").json
        assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 3600, "scim.read")
        api.get("/Users", headers=bearer(answer["access_token"]))
    assert api.actions().count("token.issued") == 2
    assert Trusting(api.database).issuers(api.account_name)[0]["lastUsed"] is not None
    distrust(api, Trusting(api.database).issuers(api.account_name)[0]["id"])


@pytest.mark.parametrize("make", [one[0] for one in UNPROVED.values()], ids=UNPROVED)
def test_token_that_proves_nothing_vouches_for_nobody(api: Api, issuer: Issuer, make: Callable[[Issuer], str]) -> None:
    """OAU-08."""
    client = vouching(api, issuer)
    token = make(issuer)
    error, told = error_of(post(api.app, **presented(client, token)))
    assert error == "invalid_client"
    assert told
    assert not [one for one in token.split(".") if len(one) > 8 and one in told]
    assert "token.issued" not in api.actions()


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"exp": NOW - 120}, "expired"),
        ({"exp": None}, "no end"),
        ({"exp": NOW + 10 * 86_400}, "within"),
        ({"nbf": NOW + 7200}, "not valid yet"),
        ({"jti": 7}, "jti"),
        ({"jti": "x" * 256}, "jti"),
        ({"cnf": {"jkt": "x"}}, "bound"),
    ],
)
def test_token_that_is_of_no_use_vouches_for_nobody(
    api: Api, issuer: Issuer, claims: dict[str, Any], named: str
) -> None:
    """OAU-08: and the journal of the client's account is told."""
    client = vouching(api, issuer)
    error, told = error_of(post(api.app, **presented(client, issuer.sign(**claims))))
    assert (error, named in told) == ("invalid_client", True), told
    assert api.refusals()[-1].action == "client.refused"


def test_jti_is_good_for_one_use(api: Api, issuer: Issuer) -> None:
    """OAU-08."""
    proof = presented(vouching(api, issuer), issuer.sign(jti="once"))
    assert post(api.app, **proof).status_int == 200
    assert "jti" in error_of(post(api.app, **proof))[1]


def test_issuer_vouches_for_its_own_client_alone(api: Api, issuer: Issuer, new_account: Callable[..., Api]) -> None:
    other = new_account()
    mine, theirs = vouching(api, issuer), vouching(other, issuer, claim="sub=other")
    error_of(post(api.app, **presented(theirs, issuer.sign())))
    error_of(post(api.app, **presented(mine, issuer.sign(sub="other"))))
    error_of(post(api.app, **presented(register(api), issuer.sign())))
    error_of(post(api.app, **{**presented(mine, issuer.sign()), "client_id": "no.body"}))
    token = post(api.app, **presented(theirs, issuer.sign(sub="other"))).json["access_token"]
    assert other.get("/Users", headers=bearer(token))["totalResults"] == 0


def test_issuer_that_is_trusted_no_more_ends_its_clients_and_their_tokens(api: Api, issuer: Issuer) -> None:
    """OAU-02."""
    client = vouching(api, issuer)
    token = post(api.app, **presented(client, issuer.sign())).json["access_token"]
    distrust(api, client["issuer"])
    api.refuse("GET", "/Users", status=401, headers=bearer(token))
    assert error_of(post(api.app, **presented(client, issuer.sign())))[0] == "invalid_client"
    assert api.actions()[-3:-1] == ["issuer.revoked", "client.revoked"]


def test_client_of_a_paused_connection_is_held_off(api: Api, issuer: Issuer) -> None:
    client = vouching(api, issuer)
    pause(Portal(api.database), api.account_name, "federated", None)
    answer = post(api.app, **presented(client, issuer.sign()))
    assert (answer.status_int, answer.headers["Retry-After"]) == (503, "300")


def test_issuer_whose_keys_cannot_be_fetched_is_no_fault_of_the_client(api: Api, issuer: Issuer) -> None:
    client = vouching(api, issuer)
    issuer.is_down = True
    answer = post(api.app, **presented(client, issuer.sign()))
    assert (answer.status_int, answer.json["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "30"


def test_client_has_no_more_scopes_than_its_issuer_is_trusted_for(api: Api, issuer: Issuer) -> None:
    """OAU-11."""
    assert vouching(api, issuer)["scopes"] == ["scim.read", "scim.write", "scim.logs"]
    reading = trust(api, issuer, purpose="assertion", claim="sub=reader", scopes=["scim.read"])["id"]
    of_issuer = {"connection": "federated", "issuer": reading}
    assert register(api, "federated", **of_issuer)["scopes"] == ["scim.read"]
    with pytest.raises(PortalError, match=r"not for 'scim\.write'"):
        register(api, "federated", **of_issuer, scopes=["scim.write"])
    with pytest.raises(PortalError, match="scope-claim"):
        trust(api, issuer, purpose="assertion", claim="sub=x", scope_claim="scp")


def test_client_is_registered_with_an_issuer_of_its_connection_that_vouches(api: Api, issuer: Issuer) -> None:
    bearing = trust(api, issuer, "federated")["id"]
    elsewhere = trust(api, issuer, "elsewhere", purpose="assertion", claim="sub=x")["id"]
    for identifier in (bearing, elsewhere):
        with pytest.raises(PortalError, match="vouches for no clients"):
            register(api, "federated", connection="federated", issuer=identifier)
    with pytest.raises(PortalError, match="issuer list"):
        register(api, "federated", connection="federated", issuer="nobody")
    with pytest.raises(PortalError, match="--issuer ID"):
        register(api, "federated", connection="federated")


def test_keys_at_a_url_prove_a_client(api: Api, issuer: Issuer) -> None:
    """OAU-05, OAU-08: without another registration for another key."""
    client = register(api, "private_key_jwt", jwks_url=issuer.jwks_url)
    issuer.keys = {"first": ECKey.generate_key("P-256", {"kid": "first"})}
    key = issuer.keys["first"]
    token = post(api.app, **assertion(client["clientId"], key, jti="1")).json["access_token"]
    api.get("/Users", headers=bearer(token))
    assert "jti" in error_of(post(api.app, **assertion(client["clientId"], key, jti="1")))[1]
    other = ECKey.generate_key("P-256")
    assert error_of(post(api.app, **assertion(client["clientId"], other, jti="2")))[0] == "invalid_client"
    assert issuer.asked == ["/keys"]
