"""Credentials: protocol.md 4.2, R1 and the OAU checks of section 5."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.cli import guarding
from scim_server.cli.portal import Portal
from scim_server.store import credentials
from scim_server.store.database import execute
from scim_server.store.identifiers import now
from scim_server.store.tables import credential
from tests.web.conftest import PATCH_OP, USER, Api, op

SECOND = 1_000_000
CHALLENGE = 'Bearer realm="scim", resource_metadata="http://localhost/.well-known/oauth-protected-resource/scim/v2"'


def refused(api: Api, header: str | None, method: str = "GET", path: str = "/Users", status: int = 401) -> str:
    """Send a request with this Authorization header; returns the challenge."""
    headers = {} if header is None else {"Authorization": header}
    replaced = replace(api, token=None)
    replaced.refuse(method, path, status=status, headers=headers)
    return str(replaced.response.headers["WWW-Authenticate"])


def test_without_credentials_the_challenge_has_no_error_code(api: Api) -> None:
    """AUT-01, AUT-03."""
    assert refused(api, None) == CHALLENGE


def test_wrong_token_is_told_as_invalid_token(api: Api) -> None:
    """AUT-02, AUT-13."""
    challenge = refused(api, "Bearer wrong")
    assert challenge.startswith(f'{CHALLENGE}, error="invalid_token"')


def test_other_schemes_with_the_same_secret_are_refused(api: Api) -> None:
    """AUT-04."""
    for header in (f"Token {api.token}", f"Basic {api.token}", api.token, f"Bearer{api.token}", f"Digest {api.token}"):
        assert refused(api, header).startswith("Bearer ")


def basic(user: str, password: str | None) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def test_basic_is_refused_unless_the_connection_was_set_to_it(api: Api, new_account: Callable[..., Api]) -> None:
    """OAU-12, AUT-04: the token is the password, the user name anything; the journal is told of a good token."""
    portal, header = Portal(api.database), basic("scim", api.token)
    assert refused(api, header) == CHALLENGE
    assert "scim-server connection basic" in api.refusals()[-1].detail
    portal_set = partial(guarding.basic, portal, api.account_name, "idp-default")
    assert portal_set(is_on=True)["changed"] is True
    assert portal_set(is_on=True)["changed"] is False
    api.get("/Users", headers={"Authorization": header})
    api.get("/Users", headers={"Authorization": basic("", api.token).replace("Basic", "basic")})
    api.get("/Users")
    for wrong in (basic("scim", str(api.token)[:-1]), basic(str(api.token), ""), basic("", None), f"Basic {api.token}"):
        assert refused(api, wrong) == CHALLENGE
    assert refused(api, basic("scim", new_account().token)) == CHALLENGE
    expired = api.token_for(expires_at=now() - 1)
    assert 'error="invalid_token"' in refused(api, basic("scim", expired.token))
    portal_set(is_on=False)
    assert refused(api, header) == CHALLENGE
    assert api.done().count("connection.basicChanged") == 2


def test_basic_is_announced_to_the_connection_that_may_use_it(api: Api, anonymous: Api) -> None:
    """OAU-12."""
    other = api.token_for(profile="strict")

    def announced(caller: Api, **sent: Any) -> list[str]:
        told = caller.get("/ServiceProviderConfig", **sent)["authenticationSchemes"]
        return [one["type"] for one in told]

    guarding.basic(Portal(api.database), api.account_name, "idp-default", is_on=True)
    assert announced(api) == ["oauthbearertoken", "oauth2", "httpbasic"]
    sent = {"Authorization": basic("scim", api.token)}
    assert announced(anonymous, headers=sent) == ["oauthbearertoken", "oauth2", "httpbasic"]
    assert announced(other) == announced(anonymous) == ["oauthbearertoken", "oauth2"]


def test_basic_with_bytes_that_are_no_text_is_refused(api: Api) -> None:
    """AUT-04, ROB-29."""
    for header in ("Basic", "Basic ", "Basic !!!", f"Basic {b64encode(bytes(range(256))).decode()}", "Basic ===="):
        assert refused(api, header) == CHALLENGE


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "BeArEr"])
def test_name_of_the_scheme_is_case_insensitive(api: Api, scheme: str) -> None:
    """AUT-05."""
    api.get("/Users", headers={"Authorization": f"{scheme} {api.token}"})


def test_tokens_that_almost_fit_are_refused(api: Api) -> None:
    """AUT-06."""
    token = api.token or ""
    for almost in (
        "",
        " ",
        token[:-1],
        token + "x",
        token.swapcase(),
        token[1:],
        f"{token},",
        f'"{token}"',
        f"{token} x",
    ):
        refused(api, f"Bearer {almost}")


def test_hostile_tokens_are_refused(api: Api) -> None:
    """AUT-06, ROB-29."""
    for token in ("x" * 60_000, "\xe9\xff", "%00", "' OR 1=1 --", "a\x00b", "null", "undefined"):
        refused(api, f"Bearer {token}")


def test_token_in_the_query_or_a_form_is_not_taken(api: Api, anonymous: Api) -> None:
    """AUT-07, OAU-01."""
    anonymous.refuse("GET", f"/Users?access_token={api.token}", status=401)
    anonymous.refuse("GET", f"/Users?token={api.token}", status=401)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    anonymous.refuse("POST", "/Users", f"access_token={api.token}".encode(), headers=form, status=401)


def test_authentication_comes_before_every_other_check(api: Api, anonymous: Api) -> None:
    """AUT-08: an anonymous caller learns nothing and changes nothing."""
    user = api.user()
    with api.unchanged(f"/Users/{user['id']}", "/Users"):
        for method, path, body in (
            ("GET", f"/Users/{user['id']}", None),
            ("GET", "/Users/unknown", None),
            ("GET", "/Users?filter=((", None),
            ("GET", "/Nowhere", None),
            ("POST", "/Users", b"{not json"),
            ("POST", "/Users", {"schemas": [USER], "userName": api.mail("x")}),
            ("PUT", f"/Users/{user['id']}", b"[]"),
            ("PATCH", f"/Users/{user['id']}", {"schemas": [PATCH_OP], "Operations": [op("replace", "title", "x")]}),
            ("DELETE", f"/Users/{user['id']}", None),
            ("PUT", "/Users", None),
            ("OPTIONS", "/Users", None),
            ("POST", "/Users/.search", {}),
            ("POST", "/Bulk", {}),
            ("GET", "/Me", None),
        ):
            anonymous.refuse(method, path, body, status=401)


def test_body_of_an_anonymous_caller_is_not_read(anonymous: Api) -> None:
    """AUT-08: neither its type nor its length is judged before the credential."""
    for headers in ({"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}, {"Accept": "text/html"}):
        anonymous.refuse("POST", "/Users", b"x" * 3_000_000, headers=headers, status=401)


def test_expired_token_is_refused(api: Api) -> None:
    """AUT-09."""
    expired = api.token_for(expires_at=now() - 1)
    assert "expired" in expired.refuse("GET", "/Users", status=401)
    assert 'error="invalid_token"' in expired.response.headers["WWW-Authenticate"]
    api.token_for(expires_at=now() + 60 * SECOND).get("/Users")


def test_revoked_token_is_refused_and_the_other_one_works(api: Api) -> None:
    """OAU-02: and both have as many random characters as 256 bits need."""
    other = api.token_for()
    secrets = {str(one.token).removeprefix("scim_") for one in (api, other)}
    assert len(secrets) == 2
    assert {len(secret) for secret in secrets} == {49}  # with the checksum
    with api.database.transaction(api.account_id):
        newest = credentials.listed(api.account_id)[-1]
        assert credentials.revoke(api.account_id, newest.id, now())
    assert "revoked" in other.refuse("GET", "/Users", status=401)
    api.get("/Users")


def test_expired_and_revoked_tokens_write_nothing(api: Api) -> None:
    """AUT-09."""
    expired = api.token_for(expires_at=now() - 1)
    with api.unchanged("/Users"):
        expired.user("eve", status=401)


def test_only_a_digest_of_the_token_is_stored(api: Api) -> None:
    """OAU-03."""
    with api.database.reading(api.account_id):
        rows = execute(sa.select(credential).where(credential.c.account_id == api.account_id)).all()
    assert rows
    assert not [row for row in rows if api.token in map(str, row)]


def test_reading_token_may_not_write(api: Api) -> None:
    """OAU-04, OAU-11: 403 with the scope that is missing; reads and searches work."""
    user = api.user()
    reader = api.token_for("scim.read")
    body = {"schemas": [PATCH_OP], "Operations": [op("replace", "title", "x")]}
    with api.unchanged(f"/Users/{user['id']}", "/Users"):
        for method, path, sent in (
            ("POST", "/Users", {"schemas": [USER], "userName": api.mail("x")}),
            ("PUT", f"/Users/{user['id']}", {"schemas": [USER], "userName": api.mail("x")}),
            ("PATCH", f"/Users/{user['id']}", body),
            ("DELETE", f"/Users/{user['id']}", None),
            ("POST", "/Groups", b"not even json"),
        ):
            assert "scim.write" in reader.refuse(method, path, sent, status=403)
            challenge = reader.response.headers["WWW-Authenticate"]
            assert 'error="insufficient_scope", scope="scim.write"' in challenge
            assert (api.refusals()[-1].status, "scim.write" in api.refusals()[-1].detail) == (403, True)
    assert len(api.refusals()) == 5
    assert reader.get(f"/Users/{user['id']}")["id"] == user["id"]
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    assert reader.post("/Users/.search", search, status=200)["totalResults"] == 1


def test_writing_token_alone_may_not_read(api: Api) -> None:
    """OAU-11."""
    user = api.user()
    writer = api.token_for("scim.write")
    writer.refuse("GET", f"/Users/{user['id']}", status=403)
    writer.refuse("GET", "/Users?filter=userName+sw+%22a%22", status=403)


def test_token_without_the_needed_scope_learns_nothing_of_a_resource(api: Api, new_account: Callable[..., Api]) -> None:
    """AUT-08, MTN-01: the scope is asked before the resource is."""
    reader = api.token_for("scim.read")
    foreign = new_account().user()
    for identifier in (api.user()["id"], foreign["id"], "unknown"):
        reader.refuse("DELETE", f"/Users/{identifier}", status=403)


def test_two_authorization_headers_are_refused(api: Api) -> None:
    """AUT-12: WSGI joins them with a comma."""
    refused(api, f"Bearer {api.token}, Bearer {api.token}")
    refused(api, f"Bearer {api.token},Basic YTpi")


def test_answers_are_not_cacheable(api: Api, anonymous: Api) -> None:
    """AUT-11."""
    user = api.user()
    api.get(f"/Users/{user['id']}")
    assert api.response.headers["Cache-Control"] == "no-store"
    anonymous.refuse("GET", "/Users", status=401)
    assert anonymous.response.headers["Cache-Control"] == "no-store"


def test_no_answer_repeats_the_token(api: Api) -> None:
    """ERR-04, erratum 5295."""
    api.user()
    for path in ("/Users", "/Users?filter=x", "/Nowhere", "/ServiceProviderConfig"):
        url = f"/scim/v2{path}"
        response = api.send("GET", url)
        assert api.token not in response.text
        assert api.token not in str(response.headers)
        assert "Authorization" not in response.headers
