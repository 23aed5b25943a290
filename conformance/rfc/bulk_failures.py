"""What fails in a bulk request, and how (RFC 7644 sections 3.7.1, 3.7.3 and 3.7.4)."""

from conformance.names import BULK_REQUEST, ERROR, GROUP, USER
from conformance.registry import check, equal, expect
from conformance.rfc.bulk import bulk, patch, post, statuses
from conformance.scim import Scim, op


@check("RFC 7644 §3.7", "bulk")
def creations_need_a_bulk_id(scim: Scim) -> None:
    """BLK-02 POLICY: a POST without bulkId fails with 400."""
    body = scim.person()
    answer = scim.send("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": [
        {"method": "POST", "path": "/Users", "data": body}]})  # fmt: skip
    expect(answer.status == 400 or statuses(answer.value["Operations"]) == ["400"], "it was created")


@check("RFC 7644 §3.7.1", "bulk", "groups")
def circles_end(scim: Scim) -> None:
    """BLK-04 MUST: groups that are members of one another are resolved, or answered 409 (or 400)."""
    groups = [
        {"schemas": [GROUP], "displayName": scim.name("circle"), "members": [{"value": f"bulkId:{other}"}]}
        for other in ("b", "a")
    ]
    results = bulk(scim, post(groups[0], "a", "/Groups"), post(groups[1], "b", "/Groups"))
    expect(all(one in ("201", "400", "409") for one in statuses(results)), f"statuses are {statuses(results)}")


@check("RFC 7644 §3.7.4", "bulk")
def too_many_operations(scim: Scim) -> None:
    """BLK-09 MUST: more operations than maxOperations are answered 413."""
    most = scim.capabilities.config["bulk"]["maxOperations"]
    scim.need(0 < most <= 5000, f"maxOperations is {most}")
    step = {"method": "DELETE", "path": "/Users/00000000-0000-4000-8000-00000000dead"}
    scim.refused("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": [step] * (most + 1)}, status=413)


@check("RFC 7644 §3.7.4", "bulk")
def too_many_bytes(scim: Scim) -> None:
    """BLK-10 MUST: a body above maxPayloadSize is answered 413."""
    most = scim.capabilities.config["bulk"]["maxPayloadSize"]
    scim.need(0 < most <= 20_000_000, f"maxPayloadSize is {most}")
    body = {"schemas": [BULK_REQUEST], "Operations": [post(scim.person(displayName="x" * most), "a")]}
    scim.refused("POST", "/Bulk", body, status=413)


@check("RFC 7644 §3.7", "bulk")
def bad_operations_fail_alone(scim: Scim) -> None:
    """BLK-11 MUST: operations on unknown paths, on discovery and with bad methods fail, and the others are done."""
    results = bulk(
        scim,
        post(scim.person(), "a", "/Nothing"),
        {"method": "DELETE", "path": "/Schemas/x"},
        {"method": "DELETE", "path": "/Users"},
        post(scim.person(), "good"),
    )
    expect(all(str(one).startswith("4") or one == "501" for one in statuses(results)[:3]), f"{statuses(results)}")
    equal(statuses(results)[3], "201", "the status of the good one")


@check("RFC 7644 §3.7", "bulk")
def bulk_ids_are_unique(scim: Scim) -> None:
    """BLK-12 POLICY: a bulkId that is there twice is refused."""
    body = {"schemas": [BULK_REQUEST], "Operations": [post(scim.person(), "a"), post(scim.person(), "a")]}
    answer = scim.send("POST", "/Bulk", body)
    expect(answer.status == 400 or "400" in statuses(answer.value["Operations"]), "both were created")


@check("RFC 7644 §3.7.1; RFC 7644 §3.7.2", "bulk", "groups")
def dangling_references_fail(scim: Scim) -> None:
    """BLK-13 MUST: a reference to a bulkId that nothing has fails, and is never stored."""
    group = {"schemas": [GROUP], "displayName": scim.name("group"), "members": [{"value": "bulkId:nobody"}]}
    answer = scim.send("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": [post(group, "g", "/Groups")]})
    expect(answer.status in (200, 400, 409), f"answered {answer.status}")
    if answer.status == 200:
        expect(statuses(answer.value["Operations"])[0] in ("400", "404", "409"), "it was created")


@check("RFC 7644 §3.12", "bulk")
def bad_messages_are_refused(scim: Scim) -> None:
    """BLK-14 MUST: a bulk request without Operations, or with another schema, is answered 400."""
    scim.refused("POST", "/Bulk", {"schemas": [BULK_REQUEST]})
    scim.refused("POST", "/Bulk", {"schemas": [USER], "Operations": []})


@check("RFC 7644 §3.5.2; RFC 7644 §3.7", "bulk", "patch")
def patches_inside_are_atomic(scim: Scim) -> None:
    """BLK-16 MUST: a PATCH that fails changes nothing, and an operation without data is 400."""
    user = scim.user(displayName="Before")
    path = f"/Users/{user['id']}"
    results = bulk(
        scim,
        patch(path, op("replace", "displayName", "After"), op("replace", "id", "forged")),
        {"method": "PATCH", "path": path},
    )
    equal(statuses(results), ["400", "400"], "the statuses")
    equal(scim.read(path).get("displayName"), "Before", "displayName")


@check("RFC 7644 §3.7.3; RFC 7644 §3.12", "bulk")
def failures_are_scim_errors(scim: Scim) -> None:
    """BLK-20 MUST: an operation that failed carries a SCIM error as its response."""
    error = bulk(scim, post({"schemas": [USER]}, "a"))[0].get("response") or {}
    expect(ERROR in error.get("schemas", []), f"response is {error!r}")
    equal(error.get("status"), "400", "status")
