"""Accounts see nothing of each other, by any route: protocol.md 4.23.

A new route without a case fails here. What is asked in lists is in test_isolation_lists.py, what is written in
test_isolation_writes.py, and what clients of OAuth name in test_isolation_oauth.py.
"""

from collections.abc import Iterator
from itertools import product

import pytest

from scim_server.protocol.catalogue import Catalogue
from scim_server.web.oauth import METHODS as OAUTH_METHODS
from tests.extra_types import EXTRA
from tests.web.conftest import Api
from tests.web.isolation import BODIES, MARK, World, isolated, settle, untouched

BASE = "/scim/v2"
THINGS = {
    "/Users": "{user}", "/Groups": "{group}", "/Devices": "{device}", "/Places": "{place}", "/EventRecords": "{event}",
    "/UserLogEntries": "{log}", "/UserStatistics": "{user}", "/ApprovedDomains": "{domain}",
    "/AccountSettings": "{account}", "/LicensePools": "{pool}", "/Entitlements": "{pool}", "/Roles": "{user}",
}  # fmt: skip
"""What of the owner's is asked for by its id at each endpoint."""
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
READING, WRITING = ("GET", "HEAD"), ("PUT", "PATCH", "DELETE")
CONDITIONS = (
    {}, {"If-Match": "{etag}"}, {"If-None-Match": "{etag}"}, {"If-Match": "*"}, {"If-None-Match": "*"},
    {"If-Match": '"x"'}, {"If-None-Match": 'W/"9"'},
)  # fmt: skip
PARTS = ("", "?attributes=id", "?attributes=meta.version", "?excludedAttributes=id,meta", "?attributes=nothing")

SAME_TO_ALL = {
    "/ServiceProviderConfig": "tells of the server",
    "/Schemas": "tells of the server", "/Schemas/<identifier>": "tells of the server",
    "/ResourceTypes": "tells of the server", "/ResourceTypes/<identifier>": "tells of the server",
    "/.well-known/oauth-authorization-server": "tells of the server",
    "/.well-known/oauth-authorization-server/<path:path>": "the issuer of any path, of which it tells nothing",
    "/.well-known/oauth-protected-resource": "tells of the server",
    "/.well-known/oauth-protected-resource/<path:path>": "the resource of any path, of which it tells nothing",
}  # fmt: skip
"""Routes that carry nothing of an account, and why; they are asked for by both all the same."""
ELSEWHERE = {
    "/": "test_isolation_lists.py", "/.search": "test_isolation_lists.py", "/Bulk": "test_isolation_writes.py",
    "/Me": "test_isolation_writes.py", "/<path:path>": "test_path_of_an_account_leads_nowhere",
    "/oauth2/authorize": "test_isolation_oauth.py", "/oauth2/introspect": "test_isolation_oauth.py",
    "/oauth2/revoke": "test_isolation_oauth.py", "/oauth2/token": "test_isolation_oauth.py",
}  # fmt: skip
"""Routes that name what they are about elsewhere than in the path, and where their cases are."""


@pytest.fixture(scope="module")
def world(database_url: str) -> Iterator[World]:
    with isolated(database_url) as made:
        settle(made)
        yield made


@pytest.fixture(autouse=True)
def _untouched(world: World) -> Iterator[None]:
    with untouched(world):
        yield


def test_every_route_has_a_case(world: World) -> None:
    """MTN-01, MTN-10: by its path with an id, by the list that it is, elsewhere, or with the reason why not."""
    rules = {rule.rule.removeprefix(BASE) for rule in world.owner.app.url_map.iter_rules()}
    by_list = {f"{path}{tail}" for path in THINGS for tail in ("", "/.search", "/<identifier>")}
    assert rules == {*by_list, *ELSEWHERE, *SAME_TO_ALL}
    assert set(Catalogue(extra=EXTRA).endpoints) == set(THINGS)
    methods = {method for rule in world.owner.app.url_map.iter_rules() for method in rule.methods or ()}
    assert methods == {*METHODS, *OAUTH_METHODS}


@pytest.mark.parametrize("path", THINGS)
@pytest.mark.parametrize("method", METHODS)
def test_thing_of_another_account_is_as_one_that_is_not(world: World, path: str, method: str) -> None:
    """MTN-01, MTN-02, MTN-10, A-52: whatever condition comes with it, and whatever part of it is wanted."""
    body = BODIES.get((method, path), {} if method in ("POST", "PUT", "PATCH") else None)
    statuses = set()
    for headers, part in product(CONDITIONS, PARTS if method in READING else PARTS[:2]):
        statuses.add(world.both(method, f"{path}/{THINGS[path]}{part}", body, headers).status)
    is_served = method in READING or (method in WRITING and ("PUT", path) in BODIES)
    refusal = {"OPTIONS": {204}, "POST": {405}, "TRACE": {405}}.get(method, {403})  # R32
    assert statuses <= ({404} if is_served else refusal | {405})


@pytest.mark.parametrize("path", THINGS)
def test_thing_of_another_account_is_nowhere_else_either(world: World, path: str) -> None:
    """MTN-01: nor is it told of what type it is."""
    for thing in {*THINGS.values(), "{resting}", "{userName}", "{externalId}"}:
        for spelt in (thing, f"{thing}/", f"{thing}?filter=id+pr"):
            assert world.both("GET", f"{path}/{spelt}").status == 404
    assert world.both("GET", f"{path}/{{user}}/{{group}}").status == 404


@pytest.mark.parametrize("rule", SAME_TO_ALL)
def test_what_carries_nothing_of_an_account_is_the_same_to_all(world: World, rule: str) -> None:
    path = rule.replace("<identifier>", "{user}").replace("<path:path>", "{account}")
    for method in METHODS:
        world.both(method, f"http://localhost{path}" if rule.startswith("/.") else path)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/{account}/Users", "/{account}", "/Users/{user}/groups", "/accounts/{account}"])
def test_path_of_an_account_leads_nowhere(world: World, method: str, path: str) -> None:
    """MTN-08, MT-02."""
    assert world.both(method, path).status == 404
    assert world.both(method, f"http://localhost/{path}").status == 404


HINTS = ("X-Tenant-ID", "X-Account-Id", "X-Scim-Account", "Account", "X-User", "Cookie", "X-Forwarded-User")


@pytest.mark.parametrize("header", HINTS)
def test_hints_do_not_move_the_caller(world: World, header: str) -> None:
    """MTN-07: neither in headers, in the query, nor in the body."""
    query = "account_id={account}&account={account}&tenant={account}"
    headers = {header: "{account}"}
    assert world.both("GET", f"/Users/{{user}}?{query}", headers=headers).status == 404
    assert world.both("GET", f"/Users?{query}", headers=headers).json["totalResults"] == len(
        world.both("GET", "/Users").json["Resources"]
    )
    body = {"userName": f"{header}@{{own_domain}}", "account_id": "{account}", "account": "{account}", "id": "{user}"}
    assert world.both("POST", f"/Users?{query}", body, headers).status == 201


def test_every_route_wants_a_credential(api: Api, anonymous: Api) -> None:
    """AUT-08, MTN: whatever is sent, and all of them but the configuration (DSC-04)."""
    user = api.user()
    with api.unchanged(f"/Users/{user['id']}", "/Users", "/Groups"):
        for rule in api.app.url_map.iter_rules():
            path = rule.rule.removeprefix(BASE).replace("<identifier>", user["id"]).replace("<path:path>", "Nowhere")
            for method in rule.methods or () if rule.rule.startswith(BASE) else ():
                public = path == "/ServiceProviderConfig" and method in READING
                anonymous.call(
                    method, path or "/", b"{}" if method not in READING else None, status=200 if public else 401
                )


def test_mark_is_the_owners_alone(world: World) -> None:
    """Else nothing that is compared would tell."""
    assert MARK in str(world.rows(world.owner))
    assert MARK not in str(world.rows(world.twin.api))
