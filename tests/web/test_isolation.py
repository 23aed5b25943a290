"""Accounts see nothing of each other: protocol.md 4.23; and the security of the interface: 4.24."""

import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store import accounts
from scim_server.store.identifiers import now
from tests.extra_types import DEVICE, EXTRA
from tests.web.bulk import delete, new_group, new_user, patch, put, statuses
from tests.web.conftest import ENTERPRISE, GROUP, PATCH_OP, SEARCH, USER, Api, op


@pytest.fixture
def other(new_account: Callable[..., Api]) -> Api:
    """Another account of the same service."""
    return new_account()


def patching(*operations: Any) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def routes(api: Api) -> list[tuple[str, str]]:
    """Every route of the application under the SCIM base path, as ``(method, path)``."""
    found = set()
    for rule in api.app.url_map.iter_rules():
        if rule.rule.startswith("/scim/v2"):
            found |= {(method, rule.rule.removeprefix("/scim/v2") or "/") for method in rule.methods or ()}
    return sorted(found)


def test_every_route_wants_a_credential(api: Api, anonymous: Api) -> None:
    """AUT-08, MTN: whatever is sent, and all of them but the configuration (DSC-04)."""
    user = api.user()
    walked = routes(api)
    assert len(walked) > 60
    with api.unchanged(f"/Users/{user['id']}", "/Users", "/Groups"):
        for method, rule in walked:
            path = rule.replace("<identifier>", user["id"]).replace("<path:path>", "Nowhere")
            public = rule == "/ServiceProviderConfig" and method in ("GET", "HEAD")
            anonymous.call(method, path, b"{}" if method != "GET" else None, status=200 if public else 401)


def test_every_route_of_a_resource_is_404_to_another_account(api: Api, other: Api) -> None:
    """MTN-01, MTN-02, MTN-10, A-52: as if the resource did not exist, conditions included; it stays as it is."""
    ava = api.user("ava")
    group = api.group("Sales", ava["id"])
    stranger = other.user("eve")["id"]
    bodies = {
        ("PUT", "/Users"): {"schemas": [USER], "userName": other.mail("x")},
        ("PUT", "/Groups"): {"schemas": [GROUP], "displayName": "x", "members": [{"value": stranger}]},
        ("PATCH", "/Users"): patching(op("replace", "title", "x")),
        ("PATCH", "/Groups"): patching(op("add", "members", [{"value": stranger}]), op("replace", "displayName", "x")),
    }
    walked = 0
    with api.unchanged(f"/Users/{ava['id']}", f"/Groups/{group['id']}"), other.unchanged("/Users", "/Groups"):
        for method, rule in routes(api):
            endpoint, _, tail = rule.rpartition("/")
            if (
                tail != "<identifier>"
                or endpoint not in ("/Users", "/Groups")
                or method in ("POST", "TRACE", "OPTIONS")
            ):
                continue
            path = f"{endpoint}/{ava['id'] if endpoint == '/Users' else group['id']}"
            for headers in ({}, {"If-Match": 'W/"1"'}, {"If-None-Match": "*"}, {"If-Match": '"x"'}):
                other.call(method, path, bodies.get((method, endpoint)), status=404, headers=headers)
                unknown = path[:-4] + "0000"
                there, detail = other.response.text, path.rpartition("/")[2]
                other.call(method, unknown, bodies.get((method, endpoint)), status=404, headers=headers)
                assert there.replace(detail, "") == other.response.text.replace(unknown.rpartition("/")[2], "")
            walked += 1
    assert walked == 10


def test_lists_filters_and_searches_show_nothing_of_others(api: Api, other: Api) -> None:
    """MTN-03: neither a resource nor a count."""
    ava = api.user("ava", externalId="x", emails=[{"value": "h@else.example", "type": "home"}], title="T")
    group = api.group("Sales", ava["id"])
    for endpoint, conditions in (
        (
            "/Users",
            (
                f'userName eq "{ava["userName"]}"',
                f'id eq "{ava["id"]}"',
                'externalId eq "x"',
                'emails.value eq "h@else.example"',
                'emails[type eq "home" and value sw "h"]',
                "id pr",
                'id pr or userName eq "x" or not (id pr)',
                'not (userName eq "x")',
                'title ne "x"',
                f'groups.value eq "{group["id"]}"',
                'groups.display eq "Sales"',
                "externalId eq null or externalId ne null",
            ),
        ),
        (
            "/Groups",
            ('displayName eq "Sales"', f'members.value eq "{ava["id"]}"', "members pr", 'not (id eq "x")', "id pr"),
        ),
    ):
        assert other.get(endpoint)["totalResults"] == 0
        assert other.get(f"{endpoint}?count=0")["totalResults"] == 0
        assert other.get(f"{endpoint}?sortBy=id")["Resources"] == []
        for condition in conditions:
            assert other.get(f"{endpoint}?count=0&filter={quote(condition)}")["totalResults"] == 0, condition
            assert other.find(condition, endpoint) == []
            body = {"schemas": [SEARCH], "filter": condition, "sortBy": "meta.created"}
            assert other.post(f"{endpoint}/.search", body, status=200)["totalResults"] == 0


def test_read_only_resources_show_nothing_of_others(api: Api, other: Api) -> None:
    """MTN-01, MTN-03: pools, domains, policies, journal, logs and statistics are those of the caller alone."""
    ava = api.user("ava", ext={"licenseType": "pro", "role": "administrator"})
    api.write_log(ava["id"])
    eve = other.user("eve")
    other.write_log(eve["id"], 1)
    other.policy(deactivation__graceDays=3)
    api.policy(licenseShortage__direct="pend", domains__enforcement="off")
    resting = api.user("bob", ext={"licenseType": "pro"})["id"]
    api.patch(f"/Users/{resting}", op("replace", "active", False))
    for number in range(4):
        api.user(f"u{number}", userName=f"u{number}@{other.domain}", ext={"licenseType": "pro"})
    assert [api.get("/LicensePools/pro")[name] for name in ("suspended", "pending")] == [1, 1]
    strange = {api.account_id, ava["id"], ava["userName"], api.domain}
    for path in ("/ApprovedDomains", "/AccountSettings", "/EventRecords", "/UserLogEntries", "/UserStatistics"):
        (mine, *_), page = other.get(path)["Resources"], other.get(path)
        assert not [one for one in strange if one in other.response.text], path
        assert page["totalResults"] == len(page["Resources"]) == other.get(f"{path}?count=0")["totalResults"]
        assert other.get(f"{path}?count=1")["Resources"] == [mine] or path == "/UserStatistics"
        for one in api.get(path)["Resources"]:
            other.refuse("GET", f"{path}/{one['id']}", status=404)
            theirs = f'id eq "{one["id"]}"'
            assert other.get(f"{path}?filter={quote(theirs)}")["totalResults"] == 0
        if path != "/UserStatistics":
            condition = f'id eq "{mine["id"]}" or not (id eq "{mine["id"]}")'
            assert len(other.find(condition, path)) == page["totalResults"]
    name = f'userName eq "{ava["userName"]}"'
    assert other.get(f"/UserStatistics?filter={quote(name)}")["totalResults"] == 0
    for owner in (f'user.value eq "{ava["id"]}"', f'user.value eq "{ava["id"]}" and sentAt ge "1970-01-01T00:00:00Z"'):
        assert other.find(owner, "/UserLogEntries") == []
    for about in (f'target.value eq "{ava["id"]}"', f'target.display eq "{ava["userName"]}"'):
        assert other.find(about, "/EventRecords") == []
    pool = other.get("/LicensePools/pro")
    assert [pool[name] for name in ("assigned", "suspended", "pending")] == [0, 0, 0]
    assert other.get(f"/ApprovedDomains/{other.domain}")["userCount"] == 1
    assert other.get("/Roles/administrator")["totalAssignmentsUsed"] == 0
    assert other.get("/Entitlements/pro")["totalAssignmentsUsed"] == 0
    assert other.get("/AccountSettings")["Resources"][0]["deactivation"]["graceDays"] == 3
    assert api.get("/AccountSettings")["Resources"][0]["deactivation"]["graceDays"] == 30


def test_configured_types_show_nothing_of_others(app: Flask, database_url: str) -> None:
    """MTN-01 to MTN-04, MTN-10: neither a resource, a count nor a taken value, in every way to ask or to write."""
    configured = create_app(Settings(database_url, "http://localhost", extra_schemas=EXTRA, rate_limit=None))
    api, other = account(configured), account(configured)
    body = {"schemas": [DEVICE], "displayName": "Printer", "serialNumber": "SN-1", "externalId": "x", "slot": 1}
    mine = api.post("/Devices", body)
    path = f"/Devices/{mine['id']}"
    with api.unchanged(path, "/Devices"):
        for method, sent in (
            ("GET", None), ("PUT", body), ("PATCH", patching(op("replace", "label", "x"))), ("DELETE", None),
        ):  # fmt: skip
            for headers in ({}, {"If-Match": 'W/"1"'}, {"If-None-Match": "*"}):
                other.refuse(method, path, sent, status=404, headers=headers)
        for condition in (
            'serialNumber eq "SN-1"', 'serialNumber sw "S"', 'externalId eq "x"', 'displayName eq "printer"', "slot eq 1",
            f'id eq "{mine["id"]}"', 'id pr or not (id eq "x")', "externalId eq null or externalId ne null",
        ):  # fmt: skip
            assert api.find(condition, "/Devices") == [mine]
            assert other.find(condition, "/Devices") == []
            assert other.get(f"/Devices?count=0&filter={quote(condition)}")["totalResults"] == 0
        assert other.get("/Devices?sortBy=slot")["totalResults"] == 0
        theirs = other.post("/Devices", body)
        assert other.get("/Devices")["Resources"] == [theirs]
        other.delete(f"/Devices/{theirs['id']}")
        replace(other, token=None).call("GET", path, status=401)
    configured.extensions["scim"].database.engine.dispose()


def account(app: Flask) -> Api:
    """An account of its own at another application on the same database."""
    with app.extensions["scim"].database.transaction(None):
        account_id = accounts.create(f"isolated-{next(_numbers)}", {}, now())
    return Api(app, account_id, None, "x.example").token_for()


_numbers = count(1)


def test_names_are_unique_within_an_account_alone(new_account: Callable[..., Api]) -> None:
    """MTN-04: test accounts, so that both may use the same userName."""
    ids = set()
    for api in (new_account(domains__enforcement="off"), new_account(domains__enforcement="off")):
        user = api.post("/Users", {"schemas": [USER], "userName": "ava", "externalId": "x"})
        ids |= {user["id"], api.group("Sales", user["id"])["id"]}
        api.refuse("POST", "/Users", {"schemas": [USER], "userName": "AVA"}, status=409, kind="uniqueness")
        api.refuse("POST", "/Groups", {"displayName": "sales"}, status=409, kind="uniqueness")
    assert len(ids) == 4


def test_domain_of_another_account_is_not_told(api: Api, other: Api) -> None:
    """MTN-04, R2: it is refused as any domain that is not approved."""
    ours = api.refuse("POST", "/Users", {"schemas": [USER], "userName": other.mail("x")}, kind="invalidValue")
    unknown = api.refuse("POST", "/Users", {"schemas": [USER], "userName": "x@nowhere.example"}, kind="invalidValue")
    assert ours.replace(other.domain, "D") == unknown.replace("nowhere.example", "D")


def test_ids_of_another_account_are_never_linked(api: Api, other: Api) -> None:
    """MTN-05, MTN-10: neither as a member nor as a manager."""
    ava, eve = api.user("ava", displayName="Ava"), other.user("eve")
    own = other.group("Own", eve["id"])
    path = f"/Groups/{own['id']}"
    with other.unchanged(path, "/Groups"):
        for body in ([{"value": ava["id"]}], [{"value": ava["id"], "$ref": ava["meta"]["location"]}]):
            other.refuse_patch(path, op("add", "members", body), kind="invalidValue")
            other.refuse("POST", "/Groups", {"displayName": "x", "members": body}, kind="invalidValue")
            other.refuse("PUT", path, {"displayName": "Own", "members": body}, kind="invalidValue")
    both = other.patch(path, op("replace", "members", [{"value": ava["id"]}, {"value": eve["id"]}]))
    assert [one["value"] for one in both["members"]] == [eve["id"]]
    managed = other.patch(f"/Users/{eve['id']}", op("add", f"{ENTERPRISE}:manager", {"value": ava["id"]}))
    assert managed[ENTERPRISE]["manager"] == {"value": ava["id"]}
    assert "groups" not in api.get(f"/Users/{ava['id']}")


def test_bulk_operations_on_ids_of_another_account_are_404(api: Api, other: Api) -> None:
    """MTN-06, MTN-05: each for itself; nor can they be linked."""
    ava, group = api.user("ava"), api.group("Sales")
    users, groups = f"/Users/{ava['id']}", f"/Groups/{group['id']}"
    with api.unchanged(users, groups):
        assert statuses(
            other,
            put(users, {"userName": other.mail("x")}),
            patch(users, op("replace", "title", "x")),
            delete(users, version='W/"1"'),
            put(groups, {"displayName": "x"}),
            patch(groups, op("add", "members", [{"value": "bulkId:eve"}])),
            delete(groups),
            new_group("Own", ava["id"]),
            new_user(other, "eve"),
        ) == [404, 404, 404, 404, 404, 404, 400, 201]
    assert [one.target_name for one in other.refusals()][1:3] == [None, None]


def test_hints_do_not_move_the_caller(api: Api, other: Api) -> None:
    """MTN-07, MTN-08, MT-02: nor does an account's id anywhere in the path, which is 404."""
    eve = other.user("eve")
    hints = dict.fromkeys(("X-Tenant-ID", "X-Account-Id", "X-Scim-Account", "Account", "X-User"), other.account_id)
    query = f"account_id={other.account_id}&tenant={other.account_id}&account={other.account_id}"
    api.refuse("GET", f"/Users/{eve['id']}?{query}", status=404, headers=hints)
    assert api.get(f"/Users?{query}", headers=hints)["totalResults"] == 0
    body = {"schemas": [USER], "userName": api.mail("ava"), "account_id": other.account_id, "account": other.account_id}
    user = api.post(f"/Users?{query}", body, headers=hints)
    other.refuse("GET", f"/Users/{user['id']}", status=404)
    api.refuse("GET", f"/{other.account_id}/Users", status=404)
    api.refuse("GET", f"http://localhost/{other.account_id}/scim/v2/Users", status=404)


def test_journals_are_apart(api: Api, other: Api) -> None:
    """MTN-01, R29: the refusal of a foreign id is in the caller's journal, without the resource's name."""
    ava = api.user("ava")
    other.refuse("DELETE", f"/Users/{ava['id']}", status=404)
    assert api.actions() == ["user.created"]
    assert [(entry.action, entry.status, entry.target_name) for entry in other.journal()] == [
        ("request.refused", 404, None)
    ]


def test_internal_names_are_inert(api: Api) -> None:
    """SEC-01: in bodies, in operations, in filters and sorts."""
    user = api.user()
    path = f"/Users/{user['id']}"
    names = ("account_id", "accountId", "version", "document", "folded", "user_name_key", "created", "modified", "_id")
    with api.unchanged(path):
        api.put(path, {**user, **dict.fromkeys(names, "x")})
        api.patch(path, op("replace", value=dict.fromkeys(names, "x")))
        for name in names:
            api.refuse_patch(path, op("replace", name, "x"), kind="invalidPath")
            api.refuse("GET", f"/Users?filter={name}+pr", kind="invalidFilter")
            api.refuse("GET", f"/Users?sortBy={name}", kind="invalidValue")


def test_addresses_in_values_are_not_fetched(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-04: no socket is opened for them; the database has its connections already."""
    api.user("warm")
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    url = "http://127.0.0.1:9/secret"
    photos = [{"value": url, "type": "photo"}]
    user = api.user("ava", profileUrl=url, photos=photos, **{ENTERPRISE: {"manager": {"value": "x", "$ref": url}}})
    assert user["photos"] == photos
    assert not [one for one in asked if "127.0.0.1" in str(one) and "9" in str(one)]


@pytest.mark.parametrize("evil", ["\r\nX-Evil: 1", "%0d%0aX-Evil:%201", "\nSet-Cookie: a=b", "\u010a\u010dX-Evil: 1"])
def test_values_never_become_headers(api: Api, evil: str) -> None:
    """SEC-05, HTP-17."""
    api.user("ava", displayName=f"a{evil}", title=evil, externalId=evil)
    for path in (
        f"/Users/{quote(evil)}",
        f"/Users?filter={quote(evil)}",
        f"/{quote(evil)}",
        f"/Users?attributes={quote(evil)}",
    ):
        for method in ("GET", "DELETE", "PUT"):
            response = api.send(method, path, None if method != "PUT" else {})
            assert response.status_int < 500
            assert not {"X-Evil", "Set-Cookie"} & set(response.headers)
            assert "\n" not in str(response.headers.values())


def test_queries_and_bodies_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """LOG-02, PWD-01."""
    with caplog.at_level(logging.DEBUG):
        api.user("secretive", password="hunter2-Secret", title="Hidden")
        api.find(f'userName eq "{api.mail("secretive")}"')
        api.refuse("POST", "/Users", {"userName": api.mail("secretive")}, status=409, kind="uniqueness")
        api.send("GET", "/Users?filter=hunter2")
    told = " ".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("scim_server", "werkzeug"))
    )
    assert not [word for word in ("hunter2", "secretive", "Hidden", api.token or "-") if word in told]
