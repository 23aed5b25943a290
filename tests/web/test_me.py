"""/Me and the tokens that stand for users (RFC 7644 section 3.11): ME-01, ME-02, R1, R24."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scim_server.store import credentials
from scim_server.store.identifiers import now
from tests.web.conftest import BASE, EXT, PATCH_OP, SEARCH, USER, Api, op

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def token_of(api: Api, user: Any, scopes: str = "scim.read scim.write") -> Api:
    """The account's server in the hands of one of its users."""
    with api.database.transaction(api.account_id):
        connection = credentials.connect(api.account_id, "me", "default", now())
        token = credentials.issue(api.account_id, connection.id, scopes, now(), None, user["id"])
    return replace(api, token=token)


@pytest.fixture
def ava(api: Api) -> Any:
    return api.user("ava", title="Lead", externalId="e1", ext={"licenseType": "pro"})


@pytest.fixture
def mine(api: Api, ava: Any) -> Api:
    return token_of(api, ava)


@pytest.mark.parametrize("method", METHODS)
def test_token_that_stands_for_no_user_has_no_me(api: Api, anonymous: Api, method: str) -> None:
    """ME-01, ME-02: 501 for every method, and 401 without a token."""
    body = {} if method in ("POST", "PUT", "PATCH") else None
    assert "Users" in api.refuse(method, "/Me", body, status=501) or method == "POST"
    anonymous.refuse(method, "/Me", body, status=401)


def test_me_is_the_user_with_its_permanent_address(api: Api, mine: Api, ava: Any) -> None:
    """ME-01: what /Users/{id} shows; the address is that one."""
    address = f"{BASE}/Users/{ava['id']}"
    assert mine.get("/Me") == mine.get("/Me/") == api.get(f"/Users/{ava['id']}")
    assert mine.response.headers["Location"] == mine.response.headers["Content-Location"] == address
    assert mine.response.headers["ETag"] == ava["meta"]["version"]
    assert set(mine.get("/Me?attributes=userName")) == {"schemas", "id", "userName"}
    assert mine.call("HEAD", "/Me", status=200) is None
    assert mine.response.headers["Location"] == address
    mine.get("/Me", status=304, headers={"If-None-Match": ava["meta"]["version"]})
    assert mine.call("OPTIONS", "/Me", status=204) is None
    assert mine.response.headers["Allow"] == "DELETE, GET, HEAD, PATCH, POST, PUT, OPTIONS"


def test_users_keep_their_own_profile(api: Api, mine: Api, ava: Any) -> None:
    """ME-01: PATCH and PUT act on the user as at /Users/{id}, conditions and projections included."""
    address = f"{BASE}/Users/{ava['id']}"
    patched = mine.patch("/Me", op("replace", "title", "Chief"), op("add", "timezone", "Europe/Paris"))
    assert (patched["title"], patched["timezone"]) == ("Chief", "Europe/Paris")
    assert mine.response.headers["Location"] == mine.response.headers["Content-Location"] == address
    stale = {"If-Match": ava["meta"]["version"]}
    mine.refuse_patch("/Me", op("replace", "title", "x"), status=412, headers=stale)
    body = {"schemas": [USER], "userName": ava["userName"], "externalId": "e1", "nickName": "A"}
    put = mine.put("/Me?attributes=nickName,title", body)
    assert {name for name in put if name not in ("schemas", "id")} == {"nickName"}
    whole = api.get(f"/Users/{ava['id']}")
    assert (whole["nickName"], whole[EXT]["licenseType"]) == ("A", "pro")
    mine.patch("/Me", op("add", "title", "y"), status=204, headers={"Prefer": "return=minimal"})
    assert mine.response.headers["Location"] == address
    assert api.done()[-3:] == ["user.updated"] * 3


OF_THE_ACCOUNT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("role", op("replace", f"{EXT}:role", "administrator")),
    ("role", op("add", "roles", [{"value": "administrator"}])),
    ("roles", op("add", "roles", [{"value": "auditor"}])),
    ("licenseType", op("replace", f"{EXT}:licenseType", "advanced")),
    ("licenseType", op("remove", f"{EXT}:licenseType")),
    ("entitlements", op("add", "entitlements", [{"value": "vault"}])),
    ("active", op("replace", "active", False)),
    ("userName", op("replace", "userName", "eve@{domain}")),
    ("emails of type work", op("add", "emails", [{"value": "eve@{domain}", "type": "work", "primary": True}])),
    ("externalId", op("replace", "externalId", "e2")),
    ("externalId", op("remove", "externalId")),
    ("licenseTransferTo", op("add", f"{EXT}:licenseTransferTo", "bob@{domain}")),
    ("smsReturnsEnabled", op("add", None, {EXT: {"smsReturnsEnabled": True}})),
)  # fmt: skip


@pytest.mark.parametrize(("name", "operation"), OF_THE_ACCOUNT, ids=str)
def test_users_do_not_administer_themselves(
    api: Api, mine: Api, ava: Any, name: str, operation: dict[str, Any]
) -> None:
    """R1: what the account decides is an administrator's to change; the refusal names it and is in the journal."""
    api.user("bob")
    filled: Any = _filled(operation, api.domain)
    with api.unchanged(f"/Users/{ava['id']}"):
        told = mine.refuse_patch("/Me", op("replace", "title", "x"), filled, status=403)
    assert name in told
    assert "(R1)" in told
    assert (api.refusals()[-1].status, api.refusals()[-1].detail) == (403, told)


def _filled(value: Any, domain: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, domain) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, domain) for one in value]
    return value.replace("{domain}", domain) if isinstance(value, str) else value


def test_put_does_not_administer_either(api: Api, mine: Api, ava: Any) -> None:
    """R1."""
    body = {"schemas": [USER, EXT], "userName": ava["userName"], "externalId": "e1", EXT: {"role": "administrator"}}
    with api.unchanged(f"/Users/{ava['id']}"):
        assert "role" in mine.refuse("PUT", "/Me", body, status=403)
        assert "userName" in mine.refuse("PUT", "/Me", {**body, "userName": api.mail("x"), EXT: {}}, status=403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Users"), ("POST", "/Users"), ("GET", "/Users/{me}"), ("PUT", "/Users/{me}"), ("PATCH", "/Users/{me}"),
        ("DELETE", "/Users/{me}"), ("GET", "/Users/{other}"), ("DELETE", "/Users/{other}"), ("POST", "/Users/.search"),
        ("GET", "/Groups"), ("POST", "/Groups"), ("GET", "/"), ("POST", "/.search"), ("POST", "/Bulk"),
        ("GET", "/LicensePools"), ("GET", "/EventRecords"), ("GET", "/UserLogEntries"), ("GET", "/UserStatistics"),
        ("GET", "/AccountSettings"), ("GET", "/ApprovedDomains"), ("GET", "/Nowhere"), ("OPTIONS", "/Users"),
        ("GET", "/Me/x"), ("GET", "/Users/Me"),
    ],
)  # fmt: skip
def test_users_reach_nothing_of_the_account(api: Api, ava: Any, method: str, path: str) -> None:
    """R1: not even their own resource by its other address."""
    other = api.user("bob")
    mine = token_of(api, ava, "scim.read scim.write scim.logs")
    body = {"schemas": [SEARCH]} if method in ("POST", "PUT", "PATCH") else None
    with api.unchanged("/Users", "/Groups"):
        told = mine.refuse(method, path.format(me=ava["id"], other=other["id"]), body, status=403)
    assert "/Me" in told
    assert 'error="insufficient_scope"' in mine.response.headers["WWW-Authenticate"]


def test_users_read_what_the_server_says_of_itself(mine: Api) -> None:
    for path in ("/ServiceProviderConfig", "/Schemas", f"/Schemas/{USER}", "/ResourceTypes", "/ResourceTypes/User"):
        assert mine.get(path)


def test_scopes_hold_for_users_too(api: Api, ava: Any) -> None:
    reading = token_of(api, ava, "scim.read")
    reading.get("/Me")
    reading.refuse_patch("/Me", op("replace", "title", "x"), status=403)
    reading.refuse("DELETE", "/Me", status=403)


def test_nobody_registers_at_me(mine: Api, api: Api) -> None:
    """ME-02: RFC 7644 section 3.11 leaves it to the server; users are created by administrators (R1)."""
    with api.unchanged("/Users"):
        mine.refuse("POST", "/Me", {"schemas": [USER], "userName": api.mail("new")}, status=501)


def test_token_of_an_inactive_user_is_refused_at_once(api: Api, mine: Api, ava: Any) -> None:
    """R24: an inactive user's keys stop; they work again with the user."""
    api.patch(f"/Users/{ava['id']}", op("replace", "active", False))
    for method, path in (("GET", "/Me"), ("PATCH", "/Me"), ("GET", "/Schemas"), ("GET", "/Users")):
        body = {"schemas": [PATCH_OP], "Operations": [op("add", "active", True)]} if method == "PATCH" else None
        assert "not active" in mine.refuse(method, path, body, status=401)
        assert 'error="invalid_token"' in mine.response.headers["WWW-Authenticate"]
    api.patch(f"/Users/{ava['id']}", op("replace", "active", True))
    assert mine.get("/Me")["active"] is True


def test_token_ends_with_its_user(api: Api, mine: Api, ava: Any) -> None:
    """R22: and no other does."""
    api.delete(f"/Users/{ava['id']}")
    mine.refuse("GET", "/Me", status=401)
    with api.database.reading(api.account_id):
        assert [one.user_id for one in credentials.listed(api.account_id)] == [None]
    again = api.user("ava")
    mine.refuse("GET", "/Me", status=401)
    assert again["id"] != ava["id"]


def test_users_do_not_delete_themselves(api: Api, mine: Api, ava: Any) -> None:
    """R1, R22: their log would go with them, and is the account's."""
    with api.unchanged(f"/Users/{ava['id']}"):
        told = mine.refuse("DELETE", "/Me", status=403)
    assert "an administrator may (R1)" in told
    refused = api.refusals()[-1]
    assert (refused.target_type, refused.target_id, refused.actor_type) == ("User", ava["id"], "user")


def test_me_is_of_the_account_of_the_token(new_account: Callable[..., Api]) -> None:
    """MTN: two users of one name in two accounts."""
    first, second = new_account(domains__enforcement="off"), new_account(domains__enforcement="off")
    users = [api.post("/Users", {"schemas": [USER], "userName": "twin@x.example"}) for api in (first, second)]
    for api, user in zip((first, second), users, strict=True):
        assert token_of(api, user).get("/Me")["id"] == user["id"]
