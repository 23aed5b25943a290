"""Many writes in one request: protocol.md 4.15."""

import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from scim_server import provisioning
from tests.web.bulk import delete, id_in, new_group, new_user, patch, post, put, sent, statuses
from tests.web.conftest import BASE, BULK_REQUEST, ENTERPRISE, EXT, PATCH_OP, USER, Api, op


@pytest.fixture
def limits(api: Api) -> Iterator[Callable[..., None]]:
    """Set limits of the service for one test."""
    service = api.service

    def set_limits(**numbers: int) -> None:
        api.app.extensions["scim"] = replace(service, limits=replace(service.limits, **numbers))

    yield set_limits
    api.app.extensions["scim"] = service


def members_of(api: Api, group: str) -> set[str]:
    return {one["value"] for one in api.get(f"/Groups/{group}").get("members", ())}


def test_four_methods_in_one_request(api: Api) -> None:
    """BLK-01; errata 5050, 7916."""
    old = {name: api.user(name) for name in ("put", "patched", "deleted")}
    results = sent(
        api,
        new_user(api, "new"),
        put(f"/Users/{old['put']['id']}", {"schemas": [USER], "userName": old["put"]["userName"], "title": "x"}, bulkId="p"),
        patch(f"/Users/{old['patched']['id']}", op("replace", "title", "y"), version=old["patched"]["meta"]["version"]),
        delete(f"/Users/{old['deleted']['id']}", bulkId="d"),
    )  # fmt: skip
    (new,) = api.find(f'userName eq "{api.mail("new")}"')
    assert results == [
        {"method": "POST", "bulkId": "new", "location": new["meta"]["location"], "version": 'W/"1"', "status": "201"},
        {
            "method": "PUT",
            "bulkId": "p",
            "location": old["put"]["meta"]["location"],
            "version": 'W/"2"',
            "status": "200",
        },
        {"method": "PATCH", "location": old["patched"]["meta"]["location"], "version": 'W/"2"', "status": "200"},
        {"method": "DELETE", "bulkId": "d", "location": old["deleted"]["meta"]["location"], "status": "204"},
    ]
    assert api.get(f"/Users/{old['put']['id']}")["title"] == "x"
    assert api.get(f"/Users/{old['patched']['id']}")["title"] == "y"
    api.get(f"/Users/{old['deleted']['id']}", status=404)
    assert api.actions()[3:] == ["user.created", "user.updated", "user.updated", "user.deleted", "logs.purged"]


def test_groups_are_written_as_users_are(api: Api) -> None:
    """BLK-01."""
    ava = api.user("ava")["id"]
    group = api.group("Old", ava)
    path = f"/Groups/{group['id']}"
    assert statuses(
        api,
        put(path, {"displayName": "New", "members": []}),
        patch(path, op("add", "members", [{"value": ava}]), version='W/"2"'),
    ) == [200, 200]
    assert (api.get(path)["displayName"], members_of(api, group["id"])) == ("New", {ava})
    assert statuses(api, delete(path)) == [204]
    api.get(path, status=404)


def test_post_without_a_bulk_id_fails_alone(api: Api) -> None:
    """BLK-02, A-42."""
    results = sent(api, {"method": "POST", "path": "/Users", "data": {"userName": api.mail("a")}}, new_user(api, "b"))
    assert [one["status"] for one in results] == ["400", "201"]
    assert "bulkId is required" in results[0]["response"]["detail"]
    assert api.get("/Users")["totalResults"] == 1


def test_references_resolve_forwards_and_backwards(api: Api) -> None:
    """BLK-03: results are in the order sent, whatever the order of the work."""
    results = sent(
        api, new_group("G", "bulkId:a", "bulkId:b"), new_user(api, "a"), new_user(api, "b"), new_group("H", "bulkId:a")
    )
    assert [(one["bulkId"], one["status"]) for one in results] == [
        ("G", "201"),
        ("a", "201"),
        ("b", "201"),
        ("H", "201"),
    ]
    g, a, b, h = map(id_in, results)
    assert members_of(api, g) == {a, b}
    assert members_of(api, h) == {a}
    assert api.actions() == ["user.created", "user.created", "group.created", "group.created"]


def test_references_resolve_wherever_an_id_stands(api: Api) -> None:
    """BLK-03: in the values of a PATCH and within the quotes of its paths, in a PUT, in a licence's transfer."""
    giver = api.user("giver", ext={"licenseType": "pro"})["id"]
    group = api.group("Old", giver)["id"]
    other = api.group("Other", giver)["id"]
    results = sent(
        api,
        new_user(api, "a"),
        patch(f"/Groups/{group}", op("add", "members", [{"value": "bulkId:a"}]), op("remove", f'members[value eq "{giver}"]')),
        patch(f"/Groups/{group}", op("add", 'members[value eq "bulkId:b"]', {"value": "bulkId:b"})),
        new_user(api, "b"),
        put(f"/Groups/{other}", {"displayName": "Other", "members": [{"value": "bulkId:b"}]}),
        patch(f"/Groups/{other}", op("remove", 'members[value eq "bulkId:b"]')),
        patch(f"/Users/{giver}", op("replace", f"{EXT}:licenseTransferTo", "bulkId:b")),
    )  # fmt: skip
    assert {one["status"] for one in results} == {"200", "201"}
    a, b = id_in(results[0]), id_in(results[3])
    assert members_of(api, group) == {a, b}
    assert members_of(api, other) == set()
    assert api.get(f"/Users/{b}")[EXT]["licenseType"] == "pro"


@pytest.mark.parametrize(
    "manager", [{"value": "bulkId:boss"}, "bulkId:boss", {"value": "bulkId:boss", "$ref": "../Users/bulkId:boss"}]
)
def test_manager_resolves_in_the_extension(api: Api, manager: Any) -> None:
    """BLK-05: as an object and as a bare string, in a POST, a PUT and a PATCH, sent before the boss."""
    old = api.user("old")
    results = sent(
        api,
        new_user(api, "ava", **{ENTERPRISE: {"manager": manager}}),
        put(f"/Users/{old['id']}", {"userName": old["userName"], ENTERPRISE: {"manager": manager}}),
        patch(f"/Users/{old['id']}", op("replace", f"{ENTERPRISE}:manager", manager)),
        new_user(api, "boss", displayName="The Boss"),
    )
    boss = results[3]["location"]
    expected = {"value": id_in(results[3]), "$ref": boss, "displayName": "The Boss"}
    for one in (id_in(results[0]), old["id"]):
        assert api.get(f"/Users/{one}")[ENTERPRISE]["manager"] == expected
    assert results[2]["version"] == 'W/"2"'  # the same manager twice changes nothing


def test_users_who_manage_one_another_are_created(api: Api) -> None:
    """BLK-04: the RFC has circles resolved where that can be."""
    results = sent(
        api,
        new_user(api, "a", **{ENTERPRISE: {"manager": {"value": "bulkId:b"}, "department": "D"}}),
        new_user(api, "b", **{ENTERPRISE: {"manager": {"value": "bulkId:a"}}}),
        new_user(api, "self", **{ENTERPRISE: {"manager": "bulkId:self"}}),
    )
    assert [(one["bulkId"], one["status"]) for one in results] == [("a", "201"), ("b", "201"), ("self", "201")]
    a, b, alone = (api.get(one["location"]) for one in results)
    assert a[ENTERPRISE] == {"department": "D", "manager": {"value": b["id"], "$ref": b["meta"]["location"]}}
    assert b[ENTERPRISE] == {"manager": {"value": a["id"], "$ref": a["meta"]["location"]}}
    assert alone[ENTERPRISE]["manager"]["value"] == alone["id"]
    assert [one["version"] for one in results] == [one["meta"]["version"] for one in (a, b, alone)]


@pytest.mark.parametrize("seed", range(6))
def test_any_tangle_of_users_and_groups_is_created_as_it_was_meant(api: Api, seed: int) -> None:
    """BLK-03, BLK-04, BLK-05: users with any managers, groups of any members, in any order."""
    dice = random.Random(seed)
    names = [f"u{n}" for n in range(12)]
    managers = {name: dice.choice([None, *names]) for name in names}
    groups = {f"g{n}": dice.sample(names, dice.randrange(5)) for n in range(4)}
    operations = [new_group(name, *(f"bulkId:{one}" for one in members)) for name, members in groups.items()]
    for name, manager in managers.items():
        extension = {ENTERPRISE: {"manager": {"value": f"bulkId:{manager}"}}} if manager else {}
        operations.append(new_user(api, name, **extension))
    dice.shuffle(operations)
    results = sent(api, *operations)
    assert [one["bulkId"] for one in results] == [one["bulkId"] for one in operations]
    assert {one["status"] for one in results} == {"201"}
    ids = {one["bulkId"]: id_in(one) for one in results}
    for name, manager in managers.items():
        told = api.get(f"/Users/{ids[name]}").get(ENTERPRISE, {}).get("manager", {})
        assert told.get("value") == (ids[manager] if manager else None)
        assert ("$ref" in told) == (manager is not None)
    for name, members in groups.items():
        assert members_of(api, ids[name]) == {ids[one] for one in members}


def test_circle_whose_other_half_fails_tells_what_is_there(api: Api) -> None:
    """BLK-04, BLK-13: the location of the user who was created, and the error of the manager who was not."""
    a, b = (new_user(api, one, **{ENTERPRISE: {"manager": f"bulkId:{other}"}}) for one, other in ("ab", "ba"))
    b["data"]["userName"] = "b@elsewhere.example"
    first, second = sent(api, a, b)
    assert second["status"] == "400"
    assert first["status"] == "409"
    assert "created, but without its manager" in first["response"]["detail"]
    assert "manager" not in api.get(first["location"]).get(ENTERPRISE, {})
    first, second = sent(api, b, {**a, "data": {**a["data"], "userName": api.mail("c")}}, failOnErrors=1)[:1] + [None]
    assert (first["status"], second) == ("400", None)


@pytest.mark.parametrize("circle", [[("g", "h"), ("h", "g")], [("g", "g")], [("g", "h"), ("h", "i"), ("i", "g")]])
def test_other_circles_are_conflicts(api: Api, circle: list[tuple[str, str]]) -> None:
    """BLK-04, ROB-35: none of them is created, what is beside them is."""
    results = sent(api, *(new_group(one, f"bulkId:{other}") for one, other in circle), new_user(api, "a"))
    assert [one["status"] for one in results] == ["409"] * len(circle) + ["201"]
    assert all(("circular" in one["response"]["detail"]) or ("could not be created" in one["response"]["detail"])
               for one in results[:-1])  # fmt: skip
    assert "circular" in results[0]["response"]["detail"]
    assert api.get("/Groups")["totalResults"] == 0


def test_all_are_tried_when_nothing_else_is_asked(api: Api) -> None:
    """BLK-06."""
    bad = [new_user(api, f"bad{n}") | {"path": "/Nowhere"} for n in range(5)]
    assert statuses(api, *bad, new_user(api, "a"), *[delete("/Users/x")] * 3, new_user(api, "b")) == [
        404, 404, 404, 404, 404, 201, 404, 404, 404, 201,
    ]  # fmt: skip


@pytest.mark.parametrize(("most", "listed"), [(1, 2), (2, 4), (3, 6), (4, 6)])
def test_errors_stop_what_is_left(api: Api, most: int, listed: int) -> None:
    """BLK-07: what came before stands, what comes after is neither done nor listed."""
    operations = [
        new_user(api, "a"),
        delete("/Users/x"),
        new_user(api, "b"),
        delete("/Users/y"),
        delete("/Users/z"),
        new_user(api, "c"),
    ]
    operations[4], operations[5] = operations[5], operations[4]
    expected = [201, 404, 201, 404, 201, 404]
    assert statuses(api, *operations, failOnErrors=most) == expected[:listed]
    assert api.get("/Users")["totalResults"] == expected[:listed].count(201)
    assert len(api.refusals()) == expected[:listed].count(404)


def test_errors_stop_in_the_order_of_the_work(api: Api) -> None:
    """BLK-07: the group waits for its user, which comes after the error."""
    results = sent(
        api, new_group("G", "bulkId:a"), new_user(api, "b"), delete("/Users/x"), new_user(api, "a"), failOnErrors=1
    )
    assert [(one["method"], one["status"]) for one in results] == [("POST", "201"), ("DELETE", "404")]


@pytest.mark.parametrize("value", [0, -1, True, "1", 1.5, [1]])
def test_fail_on_errors_is_a_positive_number(api: Api, value: Any) -> None:
    """BLK-07, ROB-35."""
    body = {"schemas": [BULK_REQUEST], "failOnErrors": value, "Operations": [new_user(api, "a")]}
    api.refuse("POST", "/Bulk", body, kind="invalidValue")
    assert api.get("/Users")["totalResults"] == 0


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_version_is_a_precondition(api: Api, method: str) -> None:
    """BLK-08, A-10, A-11: tags compare by what is within the quotes; what is no tag lets nothing through."""
    group = api.group("Sales")
    path = f"/Groups/{group['id']}"

    def write(version: Any, name: str = "x") -> Any:
        data = {"displayName": name} if method == "PUT" else {"Operations": [op("replace", "displayName", name)]}
        (result,) = sent(api, {"method": method, "path": path, "version": version, "data": data})
        assert result["location"] == f"{BASE}{path}"
        return result["status"]

    with api.unchanged(path):
        for stale in ('W/"2"', '"0"', "1", "", "x", "W/1", 'W/"2", "3"'):
            assert write(stale) == "412", stale
    currents = ('W/"1"', '"2"', "*", None, 'W/"7", W/"5"')
    for current in currents[: 1 if method == "DELETE" else None]:
        assert write(current, f"y {current}") == ("204" if method == "DELETE" else "200"), current


def test_more_operations_than_announced_are_refused(api: Api, limits: Callable[..., None]) -> None:
    """BLK-09, LIM-02: nothing is done, and the limit is told."""
    limits(bulk_operations=3)
    body = {"schemas": [BULK_REQUEST], "Operations": [new_user(api, f"u{n}") for n in range(4)]}
    assert "at most 3" in api.refuse("POST", "/Bulk", body, status=413)
    assert api.get("/Users")["totalResults"] == 0
    assert statuses(api, *body["Operations"][:3]) == [201] * 3


def test_announced_number_of_operations_is_the_limit(api: Api) -> None:
    """BLK-09, DSC-18."""
    most = api.get("/ServiceProviderConfig")["bulk"]["maxOperations"]
    body = {"schemas": [BULK_REQUEST], "Operations": [delete("/Nowhere")] * (most + 1)}
    assert str(most) in api.refuse("POST", "/Bulk", body, status=413)
    assert statuses(api, *[delete("/Nowhere")] * most) == [404] * most


def test_larger_bodies_than_announced_are_refused(api: Api, limits: Callable[..., None]) -> None:
    """BLK-10, LIM-02: by their length and without one, while a single request keeps its own limit."""
    announced, single = (
        api.get("/ServiceProviderConfig")["bulk"]["maxPayloadSize"],
        api.app.config["MAX_CONTENT_LENGTH"],
    )
    assert announced > single
    filler = {"x": "y" * (single + 1)}
    assert statuses(api, {**new_user(api, "ava"), **filler}) == [201]
    api.refuse("POST", "/Users", {"userName": api.mail("b"), **filler}, status=413)
    body = {"schemas": [BULK_REQUEST], "Operations": [new_user(api, "b")], "x": "y" * announced}
    assert str(announced) in api.refuse("POST", "/Bulk", body, status=413)
    limits(bulk_bytes=2000)
    body["x"] = "y" * 2000
    assert "2000" in api.refuse("POST", "/Bulk", body, status=413)
    assert api.get("/Users")["totalResults"] == 1


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ({"path": "/Nowhere"}, 404),
        ({"path": "/users"}, 404),
        ({"path": "/Users/{id}/x"}, 404),
        ({"path": "/"}, 405),
        ({"path": "/Bulk"}, 400),
        ({"path": "/Me"}, 400),
        ({"path": "/.search"}, 400),
        ({"path": "/Users/.search"}, 400),
        ({"path": "/Users/{id}"}, 405),
        ({"path": "/ServiceProviderConfig"}, 405),
        ({"path": "/Schemas"}, 405),
        ({"path": "/ResourceTypes/User"}, 405),
        ({"method": "PUT", "path": "/Users"}, 405),
        ({"method": "PATCH", "path": "/Users"}, 405),
        ({"method": "DELETE", "path": "/Groups/"}, 405),
        ({"method": "PATCH", "path": "/Bulk"}, 405),
        ({"method": "DELETE", "path": "/Schemas/" + USER}, 405),
        ({"method": "DELETE", "path": "/Me"}, 400),
        ({"method": "GET", "path": "/Users/{id}"}, 400),
        ({"method": "HEAD", "path": "/Users"}, 400),
        ({"method": "OPTIONS", "path": "/Users"}, 400),
        ({"method": "", "path": "/Users"}, 400),
        ({"path": "http://localhost/scim/v2/Users"}, 400),
        ({"path": "//localhost/scim/v2/Users"}, 404),
        ({"path": "/scim/v2/Users"}, 404),
        ({"path": "Users"}, 400),
        ({"path": ""}, 400),
        ({"path": "/Users?attributes=id"}, 400),
        ({"path": "/Users#x"}, 400),
        ({"path": "/Users/../Groups"}, 404),
        ({"path": "/../../admin"}, 404),
        ({"method": "DELETE", "path": "/Groups/../Users/{id}"}, 404),
        ({"method": "DELETE", "path": "/Groups/..%2fUsers%2f{id}"}, 404),
        ({"method": "DELETE", "path": "/Groups/{id}"}, 404),
        ({"method": "DELETE", "path": "/Users/.."}, 404),
        ({"method": "DELETE", "path": "/Users//{id}"}, 404),
        ({"method": "DELETE", "path": "/Users/%00"}, 404),
        ({"method": "DELETE", "path": "/Users/\x00\n{id}"}, 404),
        ({"method": "DELETE", "path": "/Users/" + "9" * 500}, 404),
    ],
    ids=str,
)
def test_what_is_no_write_to_a_resource_fails_alone(api: Api, operation: dict[str, str], status: int) -> None:
    """BLK-11, ROB-35."""
    user = api.user()
    path = operation["path"].replace("{id}", user["id"])
    with api.unchanged(f"/Users/{user['id']}", "/Users", "/Groups"):
        (result,) = sent(api, {**new_user(api, "x"), **operation, "path": path})
    assert (result["status"], result["bulkId"]) == (str(status), "x")
    assert ("location" in result) == (operation.get("method", "POST") != "POST" and path.startswith("/"))
    assert statuses(api, {**new_user(api, "x"), **operation, "path": path}, new_user(api, "y")) == [status, 201]


def test_every_resource_type_refuses_as_it_does_alone(api: Api) -> None:
    """BLK-11, R32: the error of a write to what is not there, or cannot be written, is that of a single request."""
    for endpoint in api.service.catalogue.endpoints.values():
        for method, path in (
            ("POST", endpoint.path),
            *((one, f"{endpoint.path}/x") for one in ("PUT", "PATCH", "DELETE")),
        ):
            data = (
                {"schemas": [PATCH_OP], "Operations": [op("replace", "externalId", "x")]} if method == "PATCH" else {}
            )
            (result,) = sent(api, {"method": method, "path": path, "bulkId": "a", "data": data})
            assert api.call(method, path, data, status=int(result["status"])) == result["response"]
            first, second = api.refusals()[-2:]
            for name in ("status", "rule", "error", "target_type", "target_id", "target_name", "changes", "detail"):
                assert getattr(first, name) == getattr(second, name)


def test_duplicate_bulk_ids_are_refused_as_a_whole(api: Api) -> None:
    """BLK-12, A-42."""
    body = {"schemas": [BULK_REQUEST], "Operations": [new_user(api, "a"), {**new_user(api, "b"), "bulkId": "a"}]}
    assert "bulkId 'a'" in api.refuse("POST", "/Bulk", body, kind="invalidValue")
    assert api.get("/Users")["totalResults"] == 0


def test_unresolvable_references_fail_and_are_stored_nowhere(api: Api) -> None:
    """BLK-13."""
    boss = api.user("boss")
    results = sent(
        api,
        new_group("G", "bulkId:nobody"),
        new_group("H", boss["id"], "bulkId:nobody"),
        new_user(api, "bad", locale="bulkId:nobody"),
        new_group("I", "bulkId:bad"),
        patch(f"/Users/{boss['id']}", op("add", f"{ENTERPRISE}:manager", "bulkId:bad"), bulkId="p"),
        new_group("J", "bulkId:p"),
        patch("/Groups/bulkId:nobody", op("replace", "displayName", "x")),
        new_user(api, "good"),
    )
    assert [int(one["status"]) for one in results] == [400, 400, 400, 409, 409, 400, 400, 201]
    assert "could not be created" in results[3]["response"]["detail"]
    assert "'bulkId:nobody'" in results[0]["response"]["detail"]
    assert api.get("/Groups")["totalResults"] == 0
    assert "bulkId" not in orjson.dumps(api.get("/Users")).decode()


@pytest.mark.parametrize(
    "body",
    [{}, {"Operations": []}, {"Operations": None}, {"Operations": {"method": "POST"}}, {"Operations": "x"}, [], None, 5,
     {"schemas": [PATCH_OP], "Operations": [{}]}, {"schemas": "x", "Operations": [{}]}],
)  # fmt: skip
def test_body_that_is_no_bulk_request_is_refused(api: Api, body: Any) -> None:
    """BLK-14, ROB-03."""
    sends = {"schemas": [BULK_REQUEST], **body} if isinstance(body, dict) else orjson.dumps(body)
    api.refuse("POST", "/Bulk", sends, kind="invalidSyntax")


def test_schemas_may_be_implied_but_not_under_the_strict_profile(api: Api) -> None:
    """BLK-14, A-13; erratum 5050: nor is the bare array of a PATCH."""
    user = api.user()
    body = {"Operations": [{"method": "PATCH", "path": f"/Users/{user['id']}", "data": [op("replace", "title", "x")]}]}
    assert api.post("/Bulk", body, status=200)["Operations"][0]["status"] == "200"
    assert api.get(f"/Users/{user['id']}")["title"] == "x"
    strict = api.token_for(profile="strict")
    strict.refuse("POST", "/Bulk", body, kind="invalidSyntax")
    assert statuses(strict, *body["Operations"]) == [400]


def test_profile_of_the_connection_reads_the_operations(api: Api) -> None:
    """A-01, A-02, A-22: what Entra sends alone it may send in bulk, and strict refuses it here as there."""
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    group = api.group("Sales", ava, bob)["id"]
    quirks = (
        patch(f"/Groups/{group}", op("Remove", "members", [{"value": ava}])),
        patch(f"/Users/{ava}", op("Replace", "active", "False"), op("Add", "manager", bob)),
        new_user(api, "eve", foo=1),
    )
    strict = api.token_for(profile="strict")
    assert statuses(strict, *quirks)[1:] == [400, 400]
    api.patch(f"/Groups/{group}", op("add", "members", [{"value": ava}]))
    assert statuses(api, *quirks) == [200, 200, 201]
    assert members_of(api, group) == {bob}
    assert api.get(f"/Users/{ava}")["active"] is False


def test_two_equal_names_make_one_user(api: Api) -> None:
    """BLK-15."""
    results = sent(
        api,
        new_user(api, "ava"),
        {**new_user(api, "AVA"), "bulkId": "b"},
        new_group("G"),
        {**new_group("g"), "bulkId": "h"},
    )
    assert [one["status"] for one in results] == ["201", "409", "201", "409"]
    assert {results[1]["response"]["scimType"], results[3]["response"]["scimType"]} == {"uniqueness"}


def test_failing_patch_changes_nothing(api: Api) -> None:
    """BLK-16."""
    user = api.user()
    path = f"/Users/{user['id']}"
    with api.unchanged(path):
        assert statuses(
            api,
            patch(path, op("replace", "title", "x"), op("replace", "userName", "")),
            {"method": "PATCH", "path": path},
            {"method": "PATCH", "path": path, "data": {}},
            patch(path),
        ) == [400, 400, 400, 400]


def test_reference_in_the_path_addresses_the_new_resource(api: Api) -> None:
    """BLK-17: even before it is created."""
    results = sent(
        api,
        patch("/Users/bulkId:ava", op("replace", "title", "x"), bulkId="p"),
        new_user(api, "ava"),
        put("/Users/bulkId%3Aava", {"userName": api.mail("ava"), "nickName": "y"}, version='W/"2"'),
        new_user(api, "bob"),
        delete("/Users/bulkId:bob"),
        delete("/Users/bulkId:ava", version='W/"1"'),
        delete("/Groups/bulkId:ava"),
    )
    assert [int(one["status"]) for one in results] == [200, 201, 200, 201, 204, 412, 404]
    assert {results[n]["location"] for n in (0, 1, 2, 5)} == {results[1]["location"]}
    assert results[6]["location"] == f"{BASE}/Groups/{id_in(results[1])}"
    ava = api.get(results[1]["location"])
    assert (ava["nickName"], ava.get("title")) == ("y", None)
    assert api.get("/Users")["totalResults"] == 1


def test_passwords_are_never_told(api: Api) -> None:
    """BLK-18, PWD-01: neither in the answer nor in the journal."""
    results = sent(
        api,
        new_user(api, "ava", password="hunter2-Secret"),
        {**new_user(api, "AVA", password="hunter2-Secret"), "bulkId": "b"},
        new_user(api, "bob", password=["hunter2-Secret"] * 2),
        patch("/Users/bulkId:ava", op("replace", "password", "hunter2-Secret")),
        patch("/Users/bulkId:ava", op("replace", "password", {"hunter2-Secret": 1})),
    )
    assert len(results) == 5
    assert "hunter2" not in api.response.text
    assert "hunter2" not in str(api.journal())


def test_bulk_needs_the_scope_to_write(api: Api) -> None:
    """AUT: without it nothing is read."""
    reader = api.token_for("scim.read")
    body = {"schemas": [BULK_REQUEST], "Operations": [new_user(api, "a")]}
    reader.refuse("POST", "/Bulk", body, status=403)
    replace(api, token=None).refuse("POST", "/Bulk", body, status=401)
    api.refuse("POST", "/Bulk", orjson.dumps(body), status=415, headers={"Content-Type": "text/plain"})
    api.refuse("POST", "/Bulk", body, status=406, headers={"Accept": "text/html"})
    assert api.get("/Users")["totalResults"] == 0


HOSTILE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "bulkId:",
    "bulkId:a",
    [],
    [None],
    {},
    {"a": None},
    "\x00",
    "x" * 5000,
    "\u202e",
    [[[]]],
]


@pytest.mark.parametrize("name", ["method", "path", "bulkId", "version", "data"])
def test_wrong_types_fail_alone(api: Api, name: str) -> None:
    """ROB-35."""
    user = api.user("victim")
    right = [
        new_user(api, "n"),
        put(f"/Users/{user['id']}", {"userName": user["userName"]}),
        patch(f"/Users/{user['id']}", op("replace", "title", "x")),
    ]
    for value in HOSTILE:
        for operation in right:
            results = sent(api, {**operation, name: value}, new_group(f"G{name}"), delete(f"/Groups/bulkId:G{name}"))
            assert 200 <= int(results[0]["status"]) < 500
            assert [one["status"] for one in results[1:]] == ["201", "204"]
            for one in api.find("userName pr"):
                if one["id"] != user["id"]:
                    api.delete(f"/Users/{one['id']}")


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_operations_of_any_type_are_harmless(api: Api, value: Any) -> None:
    """ROB-35: as an operation, as operations of a PATCH, as members and manager."""
    results = sent(
        api,
        value,
        {"method": "PATCH", "path": "/Users/x", "data": {"Operations": value}},
        new_group("G", members=value),
        new_user(api, "u", **{ENTERPRISE: value}),
        new_user(api, "v", **{ENTERPRISE: {"manager": value}}),
        new_user(api, "w", **{ENTERPRISE: {"manager": [value, value]}, "schemas": value}),
        new_user(api, "ok"),
    )
    assert all(int(one["status"]) < 500 for one in results)
    assert (results[0]["status"], results[-1]["status"]) == ("400", "201")


def test_deep_data_is_harmless(api: Api) -> None:
    """ROB-05, ROB-35."""
    deep: Any = "bulkId:x"
    for _ in range(100):
        deep = {"a": [deep]}
    assert statuses(api, new_user(api, "a", unknown=deep), new_user(api, "b", title=deep)) == [201, 400]
    for text in (b"[" * 100_000, b'{"a":' * 50_000):
        api.refuse("POST", "/Bulk", text, kind="invalidSyntax")


def test_bug_in_one_operation_is_told_and_the_others_go_on(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """ROB: 500 with the request's id for that operation, its traceback in the log, nothing of it in the answer."""
    create = provisioning.create

    def failing(service: Any, caller: Any, endpoint: Any, body: Any) -> Any:
        if body.get("title") == "boom":
            raise ZeroDivisionError("secret words")
        return create(service, caller, endpoint, body)

    monkeypatch.setattr(provisioning, "create", failing)
    with caplog.at_level(logging.ERROR):
        results = sent(
            api, new_user(api, "a"), new_user(api, "b", title="boom"), new_group("G", "bulkId:b"), new_user(api, "c")
        )
    assert [int(one["status"]) for one in results] == [201, 500, 409, 201]
    request_id = api.response.headers["X-Request-Id"]
    assert request_id in results[1]["response"]["detail"]
    assert "secret" not in api.response.text
    (record,) = [one for one in caplog.records if one.name == "scim_server"]
    assert request_id in record.getMessage()
    assert "in failing" in record.exc_text
    assert record.exc_text.endswith("ZeroDivisionError")  # without its words


def test_each_operation_is_its_own_transaction(api: Api) -> None:
    """R33: five hundred creations are five hundred commits, none of which waits for another; nor do readers."""
    seen: list[str] = []
    engine = api.database.engine
    api.get("/Users?count=0")  # the first use of a token is noted

    def committed(connection: Any) -> None:
        seen.append("commit")

    sa.event.listen(engine, "commit", committed)
    try:
        results = sent(api, *(new_user(api, f"u{n}") for n in range(500)))
    finally:
        sa.event.remove(engine, "commit", committed)
    assert {one["status"] for one in results} == {"201"}
    assert len(seen) == 500
    assert api.get("/Users?count=0")["totalResults"] == 500
    assert len(api.done()) == 500


def test_what_was_done_is_seen_while_the_rest_is_being_done(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """R33: no transaction is open between two operations, so that another request may write there."""
    create = provisioning.create
    seen: list[int] = []

    def watched(*args: Any) -> Any:
        other = replace(api)
        seen.append(other.get("/Users?count=0")["totalResults"])
        if len(seen) == 2:
            monkeypatch.setattr(provisioning, "create", create)
            other.user("between")
        return create(*args)

    monkeypatch.setattr(provisioning, "create", watched)
    assert statuses(api, new_user(api, "a"), new_user(api, "b"), new_user(api, "between") | {"bulkId": "c"}) == [
        201,
        201,
        409,
    ]
    assert seen == [0, 1]


def test_post_of_groups_names_no_bulk_id_of_another_request(api: Api) -> None:
    """BLK-13: a bulkId lives as long as its request."""
    assert statuses(api, new_user(api, "a")) == [201]
    assert statuses(api, new_group("G", "bulkId:a")) == [400]
    assert statuses(api, post("/Groups", "g", {"displayName": "bulkId:g"})) == [409]
