"""Tokens of trusted issuers as bearer tokens: who is let in, who is not, and what the account is told of it."""

import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from joserfc.jwk import ECKey, RSAKey

from scim_server import create_app
from scim_server.cli.guarding import pause
from scim_server.cli.portal import Portal
from scim_server.cli.texts import PortalError
from scim_server.cli.trusting import ENTRA_AUDIENCE, Trusting
from scim_server.settings import Settings
from scim_server.web.certificates import thumbprint
from scim_server.web.keysets import PAUSE
from tests.web.conftest import Api, op
from tests.web.issuer import AUDIENCE, RSA, SUBJECT, Issuer, distrust, issuing, part, trust
from tests.web.oauth import Authority, shown
from tests.web.test_authentication import CHALLENGE
from tests.web.test_oauth_proofs import behind_proxy as behind_proxy

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
NOW = int(time.time())
TENANT = "1a2b3c4d-1111-2222-3333-444455556666"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as started:
        yield started


def bearing(api: Api, token: str) -> Api:
    return replace(api, token=token)


def refused(api: Api, token: str, status: int = 401) -> str:
    """Send a token that must be refused: asserts the status, the SCIM error and the challenge; returns the detail."""
    caller = bearing(api, token)
    detail = caller.refuse("GET", "/Users", status=status)
    challenge = caller.response.headers["WWW-Authenticate"]
    assert challenge == f'{CHALLENGE}, error="invalid_token", error_description="{detail}"'
    return detail


@pytest.mark.parametrize("kid", ["rsa", "ec", "ed", None])
def test_signed_token_of_a_trusted_issuer_is_let_in(api: Api, issuer: Issuer, kid: str | None) -> None:
    trust(api, issuer)
    caller = bearing(api, issuer.sign(kid))
    user = caller.user()
    assert caller.get(f"/Users/{user['id']}")["userName"] == api.mail("ava")
    (created,) = [entry for entry in api.journal() if entry.action == "user.created"]
    assert (created.actor_type, created.actor) == ("scimToken", "federated")


def test_tokens_as_identity_providers_shape_them_are_let_in(api: Api, issuer: Issuer) -> None:
    """The claims of an Okta access token, of RFC 9068, of Entra's; with headers and claims that mean nothing here."""
    shapes: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("cid=0oacid", "api://scim", {"ver": 1, "jti": "AT.1", "cid": "0oacid", "scp": ["scim.read", "other"]}, {"typ": None}),
        ("client_id=app", "https://scim", {"client_id": "app", "scope": "scim.read", "jti": "1"}, {"typ": "at+jwt"}),
        ("appid=app-1", "api://entra", {"appid": "app-1", "oid": "o", "tid": TENANT, "roles": ["scim.read"], "ver": "1.0"}, {"x5t": "abc", "nonce": "n"}),
        ("azp=app-2", "lists", {"aud": ["other", "lists"], "azp": "app-2"}, {"typ": "JWT"}),
    ]  # fmt: skip
    for number, (claim, audience, claims, header) in enumerate(shapes):
        trust(api, issuer, f"idp-{number}", claim=claim, audience=audience)
        bearing(api, issuer.sign(header=header, **{"aud": audience, "sub": "s", **claims})).get("/Users")


def entra(issuer: Issuer, audience: str = ENTRA_AUDIENCE, **claims: Any) -> str:
    """The token that Entra sends where its Secret Token was left blank."""
    told = {"iss": f"https://sts.windows.net/{TENANT}/", "aud": audience, "tid": TENANT, "sub": "x", "appid": "y"}
    return issuer.sign(header={"x5t": "rsa"}, **{**told, **claims})


def test_blank_secret_of_entra_needs_its_tenant_alone(
    api: Api, issuer: Issuer, new_account: Callable[..., Api]
) -> None:
    trust(api, issuer, issuer=None, audience=None, claim=None, entra_tenant=TENANT)
    caller = bearing(api, entra(issuer))
    caller.get("/Users")
    assert "trusts the issuer" in refused(api, entra(issuer, iss=f"https://sts.windows.net/{TENANT[::-1]}/"))
    assert "trusts the issuer" in refused(api, entra(issuer, audience="00000003-0000-0000-c000-000000000000"))
    with pytest.raises(PortalError, match="trusted already"):
        trust(new_account(), issuer, issuer=None, audience=None, claim=None, entra_tenant=TENANT)
    (told,) = Trusting(api.database).issuers(api.account_name)
    distrust(api, told["id"])


def by_public_key(issuer: Issuer, algorithm: str = "HS256") -> str:
    """A token whose maker took the public key for a secret."""
    begun = f"{part({'alg': algorithm, 'kid': 'rsa'})}.{part(issuer.claims())}"
    return f"{begun}.{part(hmac.digest(RSA.as_pem(private=False), begun.encode(), 'sha256'))}"


def unsigned(issuer: Issuer) -> str:
    return f"{part({'alg': 'none', 'kid': 'rsa'})}.{part(issuer.claims())}."


def embedded(issuer: Issuer, key: RSAKey) -> str:
    """A token that brings its own key, and says where there are more."""
    header = {"jwk": key.as_dict(private=False), "jku": f"{issuer.url}/mine", "x5u": f"{issuer.url}/mine"}
    return issuer.sign("rsa", key, header)


OTHER = RSAKey.generate_key(2048)
UNPROVED: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "none": (unsigned, "signed in one of these ways"),
    "none without its dot": (lambda issuer: unsigned(issuer)[:-1], "not all of it"),
    "the public key as a secret": (by_public_key, "signed in one of these ways"),
    "an algorithm of another name": (lambda issuer: by_public_key(issuer, "RS512"), "signed in one of these ways"),
    "a signature of another sort": (lambda issuer: by_public_key(issuer, "RS256"), "No key"),
    "another key": (lambda issuer: issuer.sign("rsa", OTHER), "No key"),
    "another key without its name": (lambda issuer: issuer.sign(None, OTHER), "No key"),
    "a key of its own": (lambda issuer: embedded(issuer, OTHER), "No key"),
    "an unknown key": (lambda issuer: issuer.sign("gone", OTHER), "No key"),
    "a secret of the set": (lambda issuer: issuer.sign("secret", OTHER), "No key"),
    "a kid that is no text": (lambda issuer: f"{part({'alg': 'RS256', 'kid': 7})}.{part(issuer.claims())}.AA", "no text"),
    "another issuer": (lambda issuer: issuer.sign(iss="https://other.example"), "trusts the issuer"),
    "an issuer that is none": (lambda issuer: issuer.sign(iss=7), "trusts the issuer"),
    "no issuer": (lambda issuer: issuer.sign(iss=None), "trusts the issuer"),
    "another audience": (lambda issuer: issuer.sign(aud="https://other.example"), "trusts the issuer"),
    "no audience": (lambda issuer: issuer.sign(aud=None), "trusts the issuer"),
    "an audience that begins so": (lambda issuer: issuer.sign(aud=f"{AUDIENCE}/x"), "trusts the issuer"),
    "another subject": (lambda issuer: issuer.sign(sub="somebody"), "trusts the issuer"),
    "a subject in a list": (lambda issuer: issuer.sign(sub=[SUBJECT]), "trusts the issuer"),
    "the subject in another claim": (lambda issuer: issuer.sign(sub=None, cid=SUBJECT), "trusts the issuer"),
    "a cut signature": (lambda issuer: issuer.sign()[:-10], "No key"),
    "a cut payload": (lambda issuer: issuer.sign().rpartition(".")[0][:-10], "not all of it"),
    "no signature": (lambda issuer: issuer.sign().rpartition(".")[0] + ".", "No key"),
    "one more part": (lambda issuer: issuer.sign() + ".AAAA", "not all of it"),
    "encryption": (lambda issuer: issuer.sign() + ".AAAA.AAAA", "encrypted"),
    "another payload": (lambda issuer: ".".join([issuer.sign().split(".")[0], part(issuer.claims(x=1)), issuer.sign().split(".")[2]]), "No key"),
    "crit": (lambda issuer: f"{part({'alg': 'RS256', 'crit': ['exp'], 'exp': 1})}.{part(issuer.claims())}.AA", "crit"),
    "an unencoded payload": (lambda issuer: f"{part({'alg': 'RS256', 'b64': True})}.{part(issuer.claims())}.AA", "crit"),
    "a logout token": (lambda issuer: issuer.sign(header={"typ": "logout+jwt"}), "typ"),
    "a typ that is no text": (lambda issuer: f"{part({'alg': 'RS256', 'typ': 1})}.{part(issuer.claims())}.AA", ""),
    "claims that are no object": (lambda issuer: f"{part({'alg': 'RS256'})}.{part([1])}.AA", "no JSON Web Token"),
    "a header that is no object": (lambda issuer: f"{part([])}.{part({})}.AA", "no JSON Web Token"),
    "deep nesting": (lambda issuer: f"{part(b'[' * 4000)}.{part(b'[' * 4000)}.AA", "no JSON Web Token"),
    "a long text": (lambda issuer: issuer.sign(note="x" * 20_000), "no JSON Web Token"),
    "no base64": (lambda issuer: "a\xe9.b.c", "no JSON Web Token"),
    "dots": (lambda issuer: "..", "no JSON Web Token"),
    "many dots": (lambda issuer: "." * 60, "no JSON Web Token"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "told"), UNPROVED.values(), ids=UNPROVED)
def test_token_that_proves_nothing_is_refused_and_no_journal_told(
    api: Api, issuer: Issuer, make: Callable[[Issuer], str], told: str
) -> None:
    """OAU-08, AUT-02, AUT-13: anybody can write a known issuer into a token; nothing of it is repeated."""
    trust(api, issuer)
    before = api.actions()
    token = make(issuer)
    detail = refused(api, token)
    assert told in detail
    assert not [one for one in token.split(".") if len(one) > 8 and one in detail]
    assert api.actions() == before
    assert "/mine" not in issuer.asked


SIGNED: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": NOW - 120}, "expired"),
    "no end": ({"exp": None}, "no end"),
    "an end that is no number": ({"exp": "tomorrow"}, "no number"),
    "an end that is true": ({"exp": True}, "no number"),
    "an end far away": ({"exp": NOW + 10 * 86_400}, "within"),
    "an end without an end": ({"exp": 1e300}, "within"),
    "not yet valid": ({"nbf": NOW + 7200}, "not valid yet"),
    "issued in the future": ({"iat": NOW + 7200}, "not valid yet"),
    "a beginning that is no number": ({"nbf": [1]}, "no number"),
}


@pytest.mark.parametrize(("claims", "told"), SIGNED.values(), ids=SIGNED)
def test_signed_token_that_is_of_no_use_is_refused_and_the_journal_told_once(
    api: Api, issuer: Issuer, claims: dict[str, Any], told: str
) -> None:
    """OAU-08, AUT-09."""
    trust(api, issuer)
    for _ in range(3):
        assert told in refused(api, issuer.sign(**claims))
    (entry,) = api.refusals()
    assert (entry.action, entry.status, entry.target_type) == ("token.refused", 401, "TrustedIssuer")
    assert told in entry.detail


def test_token_that_is_bound_to_a_key_is_no_bearer_token(api: Api, issuer: Issuer) -> None:
    """OAU-09: whoever has copied it has not the key."""
    trust(api, issuer)
    for bound in ({"jkt": "x"}, {"jwk": {}}, {"x5t#S256": 1}, {"x5t#S256": "a", "jkt": "b"}, {}, [], "x", False):
        assert "bound to a key" in refused(api, issuer.sign(cnf=bound))
    assert "bound to a key" in api.refusals()[-1].detail


def test_token_that_is_bound_to_a_certificate_works_with_it_alone(
    api: Api, issuer: Issuer, behind_proxy: Flask
) -> None:
    """OAU-09."""
    trust(api, issuer)
    mine, other = Authority("CN=scim").own, Authority("CN=scim").own
    token = issuer.sign(cnf={"x5t#S256": thumbprint(mine)})
    caller = replace(bearing(api, token), app=behind_proxy)
    caller.get("/Users", headers=shown(mine))
    assert "bound to a client certificate" in caller.refuse("GET", "/Users", status=401)
    caller.refuse("GET", "/Users", status=401, headers=shown(other))
    assert "bound to a client certificate" in refused(api, token)


def test_clocks_may_differ_by_a_minute(api: Api, issuer: Issuer) -> None:
    trust(api, issuer)
    moment = int(time.time())
    bearing(api, issuer.sign(exp=moment - 30)).get("/Users")
    bearing(api, issuer.sign(nbf=moment + 50, iat=moment + 50)).get("/Users")


def test_token_may_be_used_again_until_it_ends(api: Api, issuer: Issuer) -> None:
    """A bearer token is one: it comes with every request."""
    trust(api, issuer)
    caller = bearing(api, issuer.sign(jti="once"))
    for _ in range(3):
        caller.get("/Users")


def test_token_opens_its_own_account_alone(api: Api, issuer: Issuer, new_account: Callable[..., Api]) -> None:
    """MT-02: and nobody else can have the same tokens."""
    other = new_account()
    trust(api, issuer)
    foreign = other.user()
    caller = bearing(api, issuer.sign())
    caller.refuse("GET", f"/Users/{foreign['id']}", status=404)
    assert caller.get("/Users")["totalResults"] == 0
    with pytest.raises(PortalError, match="trusted already") as told:
        trust(other, issuer)
    assert api.account_name not in str(told.value)
    assert f"issuer list --account '{other.account_name}'" in str(told.value)
    trust(other, issuer, claim="sub=other")
    assert bearing(api, issuer.sign(sub="other")).get("/Users")["totalResults"] == 1


def test_token_that_fits_two_trusts_opens_neither(api: Api, issuer: Issuer, new_account: Callable[..., Api]) -> None:
    trust(api, issuer)
    trust(new_account(), issuer, claim="cid=x")
    assert "several" in refused(api, issuer.sign(cid="x"))
    bearing(api, issuer.sign()).get("/Users")


def test_issuer_that_is_trusted_no_more_is_refused_and_another_account_may_trust_it(
    api: Api, issuer: Issuer, new_account: Callable[..., Api]
) -> None:
    """OAU-02."""
    trusted = trust(api, issuer)
    caller, other = bearing(api, issuer.sign()), new_account()
    caller.get("/Users")
    distrust(api, trusted["id"])
    assert "trusts the issuer" in refused(api, issuer.sign())
    refused(api, str(caller.token))
    trust(other, issuer)
    other.user()
    assert caller.get("/Users")["totalResults"] == 1


def test_end_of_a_trust_reaches_a_worker_within_its_time(api: Api, issuer: Issuer, database_url: str) -> None:
    trusted = trust(api, issuer)
    application = create_app(Settings(database_url, "http://localhost", credential_seconds=1))
    try:
        caller = replace(bearing(api, issuer.sign()), app=application)
        caller.get("/Users?count=0")
        distrust(api, trusted["id"])
        time.sleep(1)
        caller.refuse("GET", "/Users", status=401)
    finally:
        application.extensions["scim"].database.engine.dispose()


def test_connection_that_is_paused_is_held_off(api: Api, issuer: Issuer) -> None:
    trust(api, issuer)
    pause(Portal(api.database), api.account_name, "federated", "audit")
    caller = bearing(api, issuer.sign())
    assert "audit" in caller.refuse("GET", "/Users", status=503)
    assert caller.response.headers["Retry-After"] == "300"
    assert "WWW-Authenticate" not in caller.response.headers


def test_scopes_are_those_of_the_trust(api: Api, issuer: Issuer) -> None:
    """OAU-04, OAU-11."""
    trust(api, issuer, scopes=["scim.read"])
    caller = bearing(api, issuer.sign(scp=["scim.write"], scope="scim.write"))
    caller.get("/Users")
    assert "scim.write" in caller.refuse("POST", "/Users", {}, status=403)
    assert 'error="insufficient_scope", scope="scim.write"' in caller.response.headers["WWW-Authenticate"]
    assert api.refusals()[-1].actor == "federated"


@pytest.mark.parametrize(
    ("said", "reads", "writes"),
    [
        (["scim.read"], 200, 403), ("scim.read scim.write", 200, 400), ("scim", 200, 400), (["scim.logs"], 403, 403),
        (None, 403, 403), ({"scim.read": 1}, 403, 403), ([1, "scim.read"], 200, 403), ("Scim.Read", 403, 403),
    ],
)  # fmt: skip
def test_claim_may_say_which_of_the_scopes_a_token_has(
    api: Api, issuer: Issuer, said: Any, reads: int, writes: int
) -> None:
    """OAU-11: what it does not name it has not, and never more than the trust has."""
    trust(api, issuer, scope_claim="scp", scopes=["scim.read", "scim.write"])
    caller = bearing(api, issuer.sign(scp=said))
    caller.get("/Users", status=reads)
    caller.post("/Users", {}, status=writes)
    caller.get("/UserLogEntries", status=403)


def test_algorithms_are_those_of_the_trust(api: Api, issuer: Issuer) -> None:
    """OAU-08."""
    trust(api, issuer, algorithms=["ES256"])
    bearing(api, issuer.sign("ec")).get("/Users")
    assert refused(api, issuer.sign("rsa")) == "The token must be signed in one of these ways: ES256."


def test_issuer_for_clients_lets_nobody_in_by_its_tokens(api: Api, issuer: Issuer) -> None:
    trust(api, issuer, purpose="assertion")
    assert "trusts the issuer" in refused(api, issuer.sign())


def test_cursor_outlives_the_token(api: Api, issuer: Issuer) -> None:
    """CUR-05: it is the connection's trust that it belongs to."""
    trust(api, issuer)
    for name in ("a", "b", "c"):
        api.user(name)
    first, second = (bearing(api, issuer.sign(exp=int(time.time()) + ends)) for ends in (600, 1200))
    cursor = first.get("/Users?cursor=&count=1")["nextCursor"]
    assert len(second.get(f"/Users?cursor={cursor}&count=1")["Resources"]) == 1
    api.refuse("GET", f"/Users?cursor={cursor}&count=1", kind="invalidCursor")


def test_last_use_is_noted(api: Api, issuer: Issuer) -> None:
    trust(api, issuer)
    assert Trusting(api.database).issuers(api.account_name)[0]["lastUsed"] is None
    bearing(api, issuer.sign()).get("/Users")
    assert Trusting(api.database).issuers(api.account_name)[0]["lastUsed"] is not None


def test_policies_and_profile_are_those_of_the_account_and_the_connection(api: Api, issuer: Issuer) -> None:
    trust(api, issuer)
    Portal(api.database).set_connection(api.account_name, "federated", "strict")
    caller = bearing(api, issuer.sign())
    user = caller.user()
    caller.refuse_patch(f"/Users/{user['id']}", op("replace", "noSuch", "x"), kind="invalidPath")
    caller.refuse("POST", "/Users", {"userName": api.mail("x")}, kind="invalidSyntax")


def test_keys_are_fetched_once_and_again_for_a_key_that_is_new(api: Api, issuer: Issuer, clock: list[float]) -> None:
    trust(api, issuer)
    for _ in range(5):
        bearing(api, issuer.sign()).get("/Users")
    assert issuer.asked == ["/keys"]
    issuer.keys["next"] = ECKey.generate_key("P-256")
    assert "No key" in refused(api, issuer.sign("next"))  # it was looked just now
    clock[0] += PAUSE
    bearing(api, issuer.sign("next")).get("/Users")
    assert issuer.asked == ["/keys", "/keys"]


def test_invented_keys_are_no_amplifier(api: Api, issuer: Issuer, clock: list[float]) -> None:
    trust(api, issuer)
    for number in range(20):
        clock[0] += 1
        refused(api, issuer.sign(f"kid-{number}", OTHER))
    assert issuer.asked == ["/keys"]


def test_key_that_was_withdrawn_is_refused_when_the_keys_are_looked_at_again(
    api: Api, issuer: Issuer, clock: list[float]
) -> None:
    trust(api, issuer)
    bearing(api, issuer.sign()).get("/Users")
    del issuer.keys["rsa"]
    clock[0] += 599
    bearing(api, issuer.sign(key=RSA)).get("/Users")
    clock[0] += 1
    assert "No key" in refused(api, issuer.sign(key=RSA))


def test_issuer_that_is_down_is_served_by_the_keys_known_for_a_while(
    api: Api, issuer: Issuer, clock: list[float]
) -> None:
    trust(api, issuer)
    bearing(api, issuer.sign()).get("/Users")
    issuer.is_down = True
    clock[0] += 6 * 3600 - 1
    bearing(api, issuer.sign()).get("/Users")
    clock[0] += PAUSE
    caller = bearing(api, issuer.sign())
    assert "cannot be fetched" in caller.refuse("GET", "/Users", status=503)
    assert caller.response.headers["Retry-After"] == "30"
    assert len(issuer.asked) == 3
    issuer.is_down = False
    clock[0] += PAUSE
    caller.get("/Users")


def test_token_is_refused_as_unproved_where_the_keys_are_none(api: Api, issuer: Issuer, clock: list[float]) -> None:
    issuer.answers["/keys"] = (302, {"Location": f"{issuer.url}/elsewhere"}, b"")
    trust(api, issuer)
    for answer in (issuer.answers["/keys"], (200, {}, b"<html>"), (200, {}, b'{"keys": 1}'), (200, {}, b" " * 600_000)):
        issuer.answers["/keys"] = answer
        clock[0] += PAUSE
        bearing(api, issuer.sign()).refuse("GET", "/Users", status=503)
    assert "/elsewhere" not in issuer.asked
    del issuer.answers["/keys"]
    numbers = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    short = {"kty": "RSA", "kid": "rsa", "n": part(numbers.n.to_bytes(128, "big")), "e": "AQAB"}
    issuer.answers["/keys"] = (200, {}, json.dumps({"keys": [short]}).encode())
    clock[0] += PAUSE
    assert "No key" in refused(api, issuer.sign())  # too short a key is none


@pytest.fixture
def clock(app: Flask) -> Iterator[list[float]]:
    """The time by which keys are kept, for a test to move."""
    keysets, moment = app.extensions["scim_key_sets"], [1000.0]
    before, keysets._clock = keysets._clock, lambda: moment[0]
    yield moment
    keysets._clock = before


def test_failed_tokens_count_by_their_address(api: Api, issuer: Issuer, database_url: str) -> None:
    trust(api, issuer)
    application = create_app(Settings(database_url, "http://localhost", auth_failures=3))
    try:
        guessing = replace(bearing(api, issuer.sign("rsa", OTHER)), app=application)
        assert [guessing.send("GET", "/Users").status_int for _ in range(4)] == [401, 401, 401, 429]
        replace(guessing, token=issuer.sign()).get("/Users")
    finally:
        application.extensions["scim"].database.engine.dispose()


def test_no_token_is_in_the_journal(api: Api, issuer: Issuer) -> None:
    """LOG-02."""
    trust(api, issuer)
    ended = issuer.sign(exp=NOW - 3600)
    refused(api, ended)
    told = json.dumps([entry._asdict() for entry in api.journal()], default=str)
    assert not [one for one in ended.split(".") if one in told]
