"""Many operations in one request (RFC 7644 section 3.7)."""

import json
from typing import Any

from conformance.names import BULK_REQUEST, BULK_RESPONSE, ENTERPRISE, GROUP, PATCH_OP, USER
from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, op


def bulk(scim: Scim, *operations: Json, **members: Any) -> list[Json]:
    """Send operations that must be answered 200; returns what became of each."""
    body = {"schemas": [BULK_REQUEST], "Operations": list(operations), **members}
    found = scim.call("POST", "/Bulk", body, status=200)
    expect(BULK_RESPONSE in found.get("schemas", []), f"schemas is {found.get('schemas')!r}")
    return list(found["Operations"])


def post(body: Json, key: str, path: str = "/Users") -> Json:
    return {"method": "POST", "path": path, "bulkId": key, "data": body}


def patch(path: str, *operations: Json, **members: Any) -> Json:
    return {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": operations}, **members}


def statuses(results: list[Json]) -> list[Any]:
    return [one.get("status") for one in results]


def path_of(result: Json) -> str:
    return "/" + "/".join(str(result["location"]).split("/")[-2:])


@check("RFC 7644 §3.7; RFC 7644 §3.7.3", "bulk")
def four_methods(scim: Scim) -> None:
    """BLK-01 MUST: POST, PUT, PATCH and DELETE in one request are done, each with a status as text."""
    one, two, three = scim.user(), scim.user(), scim.user()
    results = bulk(
        scim,
        post(scim.person(), "new"),
        {"method": "PUT", "path": f"/Users/{one['id']}", "data": {
            "schemas": [USER], "userName": one["userName"], "displayName": "Put", "active": True}},
        patch(f"/Users/{two['id']}", op("replace", "displayName", "Patched")),
        {"method": "DELETE", "path": f"/Users/{three['id']}"},
    )  # fmt: skip
    equal(statuses(results)[0], "201", "the status of the POST")
    expect(all(one in ("200", "204") for one in statuses(results)[1:]), f"statuses are {statuses(results)}")
    equal((results[0].get("bulkId"), results[0].get("method")), ("new", "POST"), "bulkId and method")
    scim.read(path_of(results[0]))
    equal(scim.read(f"/Users/{one['id']}").get("displayName"), "Put", "displayName")
    equal(scim.read(f"/Users/{two['id']}").get("displayName"), "Patched", "displayName")
    scim.refused("GET", f"/Users/{three['id']}", status=404)


@check("RFC 7644 §3.7.2", "bulk", "groups")
def references_resolve(scim: Scim) -> None:
    """BLK-03 MUST: bulkId references in members stand for the new users, also where the group comes first."""
    for order in (1, -1):
        people, group = (
            post(scim.person(), "ava"),
            post(
                {"schemas": [GROUP], "displayName": scim.name("group"), "members": [{"value": "bulkId:ava"}]},
                "g",
                "/Groups",
            ),
        )
        results = {one.get("bulkId"): one for one in bulk(scim, *[people, group][::order])}
        equal({one["status"] for one in results.values()}, {"201"}, "the statuses")
        found = scim.read(path_of(results["g"]))
        equal([one["value"] for one in found["members"]], [path_of(results["ava"]).split("/")[-1]], "members")


@check("RFC 7644 §3.7.2", "bulk", "enterprise")
def references_resolve_in_extensions(scim: Scim) -> None:
    """BLK-05 MUST: a bulkId reference as manager.value stands for the new user."""
    staff = scim.person(schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": {"value": "bulkId:boss"}}})
    results = bulk(scim, post(scim.person(), "boss"), post(staff, "staff"))
    equal(statuses(results), ["201", "201"], "the statuses")
    manager = scim.read(path_of(results[1]))[ENTERPRISE]["manager"]["value"]
    equal(manager, path_of(results[0]).split("/")[-1], "manager.value")


@check("RFC 7644 §3.7; RFC 7644 §3.7.3", "bulk")
def all_operations_are_tried(scim: Scim) -> None:
    """BLK-06 MUST: without failOnErrors every operation is tried, whatever became of those before it."""
    bad = post({"schemas": [USER]}, "bad")
    results = bulk(scim, bad, post(scim.person(), "good"), {**bad, "bulkId": "worse"})
    equal(statuses(results), ["400", "201", "400"], "the statuses")


@check("RFC 7644 §3.7", "bulk")
def errors_are_counted(scim: Scim) -> None:
    """BLK-07 MUST: after as many errors as failOnErrors says no operation is done any more."""
    bad, body = {"schemas": [USER]}, scim.person()
    results = bulk(scim, post(bad, "a"), post(bad, "b"), post(body, "c"), failOnErrors=2)
    expect("201" not in statuses(results), f"statuses are {statuses(results)}")
    if scim.capabilities.supports("filter"):
        equal(scim.found(f'userName eq "{body["userName"]}"'), set(), "what is there afterwards")
    results = bulk(scim, post(bad, "a"), post(body, "c"), failOnErrors=2)
    equal(statuses(results), ["400", "201"], "the statuses with one error of two")


@check("RFC 7644 §3.7", "bulk", "etag")
def versions_are_conditions(scim: Scim) -> None:
    """BLK-08 MUST: the version of an operation is a condition: a stale one is 412, the current one is done."""
    user = scim.user(displayName="Before")
    path = f"/Users/{user['id']}"
    stale = user["meta"]["version"]
    scim.put(path, {"schemas": [USER], "userName": user["userName"], "displayName": "Between", "active": True})
    current = scim.read(path)["meta"]["version"]
    change = op("replace", "displayName", "After")
    results = bulk(scim, patch(path, change, version=stale), patch(path, change, version=current))
    equal(results[0].get("status"), "412", "the status with a stale version")
    expect(results[1].get("status") in ("200", "204"), f"the status with the current one is {results[1].get('status')}")


@check("RFC 7644 §3.7", "bulk")
def equal_names_in_one_request(scim: Scim) -> None:
    """BLK-15 MUST: of two users of the same userName in one request one is created and one is 409."""
    body = scim.person()
    equal(sorted(statuses(bulk(scim, post(body, "a"), post(body, "b")))), ["201", "409"], "the statuses")


@check("RFC 7643 §7", "bulk")
def passwords_stay_inside(scim: Scim) -> None:
    """BLK-18 MUST: passwords never appear in the answer."""
    secret = "Bulk-secret-of-the-run"
    results = bulk(scim, post(scim.person(password=secret), "a"))
    expect(secret not in json.dumps(results), "the password comes back")


@check("RFC 7644 §3.7.2 by extension", "bulk")
def references_in_paths(scim: Scim) -> None:
    """BLK-17 POLICY: the path of a later operation may name a new resource by its bulkId."""
    results = bulk(
        scim, post(scim.person(), "ava"), patch("/Users/bulkId:ava", op("replace", "displayName", "Patched"))
    )
    equal(scim.read(path_of(results[0])).get("displayName"), "Patched", "displayName")


@check("RFC 7644 §3.7.3", "bulk")
def locations_are_told(scim: Scim) -> None:
    """BLK-19 MUST: every operation but a POST that failed tells its location."""
    user = scim.user()
    results = bulk(
        scim, patch(f"/Users/{user['id']}", op("replace", "displayName", "x")), post({"schemas": [USER]}, "a")
    )
    equal(results[0].get("location"), user["meta"]["location"], "the location of the PATCH")
    expect("location" not in results[1], "a POST that failed has a location")
