"""What a client names of another account's at the authorization server is as what there is not: protocol.md 4.23."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import ECKey

from scim_server.cli.registering import Registry
from scim_server.store.tokens import CLIENT_SECRET, REFRESH, TOKEN, new_secret
from tests.web.conftest import Api
from tests.web.isolation import Answer, Life, World, add_echoes, isolated, nothing, settle, untouched
from tests.web.oauth import assertion, key_set, own, post, register

BACK = "https://idp.example/back"
OWN = {"client_id": "{own_client}", "client_secret": "{own_secret}"}
OWN_CODE = {"client_id": "{own_coder}", "client_secret": "{own_coder_secret}"}
SPEND = {"grant_type": "authorization_code", "redirect_uri": BACK}
CONSENT = {"response_type": "code", "redirect_uri": BACK, "allow": "yes"}
ISSUED = {"access": TOKEN, "refresh": REFRESH, "secret": CLIENT_SECRET, "coder_secret": CLIENT_SECRET}


def clients_of(api: Api, jwks: Path) -> dict[str, str]:
    """Register a client of each way, and have one go all of its way; gives what may be named of them."""
    client, signer = register(api), register(api, "private_key_jwt", jwks=jwks)
    coder = register(api, grant="authorization_code", redirect_uris=[BACK], proof_key=False)

    def code() -> str:
        consent = Registry(api.database).consent(api.account_name, coder["clientId"])["consentCode"]
        sent = post(api.app, "/oauth2/authorize", **CONSENT, client_id=coder["clientId"], consent=consent)
        return parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]

    tokens = post(api.app, **own(coder), **SPEND, code=code()).json
    return {
        "client": client["clientId"], "secret": client["clientSecret"], "signer": signer["clientId"],
        "coder": coder["clientId"], "coder_secret": coder["clientSecret"],
        "access": tokens["access_token"], "refresh": tokens["refresh_token"], "code": code(),
        "consent": Registry(api.database).consent(api.account_name, coder["clientId"])["consentCode"],
    }  # fmt: skip


def unknown(word: str, value: str) -> str:
    """What looks like a part of a client and is none."""
    if word in ISSUED:
        return new_secret(ISSUED[word])
    if word in ("code", "consent"):
        return "".join(secrets.choice("BCDFGHJK") if one.isalnum() else one for one in value)
    return nothing(word, value)


@pytest.fixture(scope="module")
def keys() -> dict[str, ECKey]:
    """The keys with which the clients of the owner, and those of the two, sign."""
    return {"owner": ECKey.generate_key("P-256"), "own": ECKey.generate_key("P-256")}


@pytest.fixture(scope="module")
def world(database_url: str, tmp_path_factory: Any, keys: Mapping[str, ECKey]) -> Iterator[World]:
    files = {name: key_set(tmp_path_factory.mktemp(name), key) for name, key in keys.items()}
    with isolated(database_url) as made:
        settle(made)
        theirs = clients_of(made.owner, files["owner"])
        made.asker.words |= theirs
        made.twin.words |= {word: unknown(word, value) for word, value in theirs.items()}
        for life in (made.asker, made.twin):
            life.words |= {f"own_{word}": value for word, value in clients_of(life.api, files["own"]).items()}
            life.others["nobody"] = replace(life.api, token=None)
            add_echoes(made.owner, life)
        yield made


def send(world: World, path: str, form: Mapping[str, str] | Callable[[Life], Mapping[str, str]]) -> list[Answer]:
    """Send a form for both."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = []
    for life in (world.asker, world.twin):
        said = life.say(form) if isinstance(form, Mapping) else form(life)
        body = urlencode(said).encode()
        answers.append(world.one(life, "POST", f"http://localhost/oauth2/{path}", body, headers, "nobody"))
    return answers


NAMED: Mapping[str, tuple[str, Mapping[str, str], int, str]] = {
    "introspect an access token": ("introspect", {**OWN, "token": "{access}"}, 200, '{"active": false}'),
    "introspect a refresh token": (
        "introspect", {**OWN, "token": "{refresh}", "token_type_hint": "refresh_token"}, 200, '{"active": false}',
    ),
    "introspect the token of a connection": ("introspect", {**OWN, "token": "{token}"}, 200, '{"active": false}'),
    "introspect a code": ("introspect", {**OWN_CODE, "token": "{code}"}, 200, '{"active": false}'),
    "introspect a secret": ("introspect", {**OWN, "token": "{secret}"}, 200, '{"active": false}'),
    "revoke an access token": ("revoke", {**OWN, "token": "{access}"}, 200, ""),
    "revoke a refresh token": ("revoke", {**OWN_CODE, "token": "{refresh}"}, 200, ""),
    "revoke the token of a connection": ("revoke", {**OWN, "token": "{token}"}, 200, ""),
    "spend a code": ("token", {**OWN_CODE, **SPEND, "code": "{code}"}, 400, "invalid_grant"),
    "spend a consent as a code": ("token", {**OWN_CODE, **SPEND, "code": "{consent}"}, 400, "invalid_grant"),
    "spend a refresh token": (
        "token", {**OWN_CODE, "grant_type": "refresh_token", "refresh_token": "{refresh}"}, 400, "invalid_grant",
    ),
    "consent with their code": ("authorize", {**CONSENT, "client_id": "{own_coder}", "consent": "{consent}"}, 400, "not right"),
    "ask for an account": ("token", {**OWN, "grant_type": "client_credentials", "account": "{account}"}, 200, "access_token"),
    "ask for a resource": (
        "token", {**OWN, "grant_type": "client_credentials", "resource": "http://localhost/{account}"}, 200, "access_token",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("path", "form", "status", "told"), NAMED.values(), ids=NAMED)
def test_what_another_account_was_given_is_as_what_nobody_was(
    world: World, path: str, form: Mapping[str, str], status: int, told: str
) -> None:
    """MTN-01, MTN-08, RFC 7009, RFC 7662: by a client that has proved who it is."""
    with untouched(world):
        answer = world.alike(*send(world, path, form))
    assert (answer.status, told in answer.body) == (status, True), answer.body


def signed(client: str, key: str, **claims: str) -> Callable[..., Callable[[Life], Mapping[str, str]]]:
    """A form with an assertion for a client, signed with one of the keys."""
    return lambda keys: lambda life: {
        "grant_type": "client_credentials", **assertion(life.words[client], keys[key], **claims),
    }  # fmt: skip


PROOFS: Mapping[str, Any] = {
    "their client with our secret": {"client_id": "{client}", "client_secret": "{own_secret}"},
    "their client with a secret of nobody": {"client_id": "{client}", "client_secret": "x"},
    "their client without a secret": {"client_id": "{client}"},
    "our client with their secret": {"client_id": "{own_client}", "client_secret": "{secret}"},
    "our client of their account": {"client_id": "{account}.{own_client_part}", "client_secret": "{own_secret}"},
    "their client of our account": {"client_id": "{own_account}.{client_part}", "client_secret": "{own_secret}"},
    "their signing client with a secret": {"client_id": "{signer}", "client_secret": "{own_secret}"},
    "their client by our key": signed("client", "own"),
    "their signing client by our key": signed("signer", "own"),
    "our signing client by their key": signed("own_signer", "owner"),
}


@pytest.mark.parametrize("path", ["token", "introspect", "revoke"])
@pytest.mark.parametrize("form", PROOFS.values(), ids=PROOFS)
def test_client_of_another_account_is_as_one_that_nobody_registered(
    world: World, keys: Mapping[str, ECKey], path: str, form: Any
) -> None:
    """MTN-01: to whoever cannot prove to be it; its account alone is told."""
    for life in (world.asker, world.twin):
        life.words["client_part"] = life.words["client"].partition(".")[2]
        life.words["own_client_part"] = life.words["own_client"].partition(".")[2]
    filled = form(keys) if callable(form) else {"grant_type": "client_credentials", "token": "x", **form}
    with untouched(world, told=True):
        theirs, nothing = (replace(one, statements=()) for one in send(world, path, filled))
        answer = world.alike(theirs, nothing)
    assert (answer.status, "invalid_client" in answer.body) == (401, True), answer.body


def test_why_a_client_was_not_proved_is_for_its_own_account(world: World, keys: Mapping[str, ECKey]) -> None:
    """R29: its journal tells what the answer does not."""
    coder = assertion(world.asker.words["coder"], keys["own"])
    assert post(world.owner.app, **coder).status_int == 401
    assert world.owner.refusals()[-1].detail == "The client is not registered for private_key_jwt."


def test_assertion_of_another_account_uses_up_no_id_of_ours(world: World, keys: Mapping[str, ECKey]) -> None:
    """MTN-04, OAU-08: the id of an assertion is the client's own."""
    used = {"grant_type": "client_credentials", **assertion(world.asker.words["signer"], keys["owner"], jti="theirs")}
    assert post(world.owner.app, **used).status_int == 200
    ours = signed("own_signer", "own", jti="theirs")(keys)
    with untouched(world):
        assert world.alike(*send(world, "token", ours)).status == 200
        assert world.alike(*send(world, "token", ours)).status == 401


def test_metadata_tells_of_no_account(world: World) -> None:
    """IPS-03: whatever resource is asked for."""
    for kind in ("oauth-protected-resource", "oauth-authorization-server"):
        for path in ("", "/scim/v2", "/scim/v2/{account}", "/{account}", "/scim/v2/Users/{user}", "/{client}"):
            for by in ("", "nobody"):
                world.both("GET", f"http://localhost/.well-known/{kind}{path}", by=by)


def test_redirect_of_another_account_is_not_ours(world: World) -> None:
    """That another account's client waits somewhere lets ours wait there no more than elsewhere."""
    form = {**CONSENT, "client_id": "{own_coder}", "redirect_uri": "https://{domain}/back"}
    with untouched(world):
        assert world.alike(*send(world, "authorize", form)).status == 400
