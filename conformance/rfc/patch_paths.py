"""Paths into extensions, and names in any case (RFC 7644 section 3.10)."""

from conformance.names import ENTERPRISE, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op


@check("RFC 7644 §3.5.2; RFC 7644 §3.10", "patch", "enterprise")
def extension_paths(scim: Scim) -> None:
    """PAT-27 MUST: a path with a URN sets an attribute of an extension, and the URN comes to schemas."""
    path = f"/Users/{scim.user()['id']}"
    found = scim.patch(path, op("add", f"{ENTERPRISE}:department", "Sales"))
    equal((found.get(ENTERPRISE) or {}).get("department"), "Sales", "department")
    expect(ENTERPRISE in found["schemas"], f"schemas is {found['schemas']}")
    found = scim.patch(path, op("remove", f"{ENTERPRISE}:department"))
    expect("department" not in (found.get(ENTERPRISE) or {}), "department is still there")


@check("RFC 7644 §3.5.2.1; RFC 7643 §3.3", "patch", "enterprise")
def extension_containers_without_path(scim: Scim) -> None:
    """PAT-28 MUST: a value without a path may hold an extension under its URN."""
    path = f"/Users/{scim.user()['id']}"
    found = scim.patch(path, op("add", value={ENTERPRISE: {"department": "Sales"}}))
    equal((found.get(ENTERPRISE) or {}).get("department"), "Sales", "department")


@check("RFC 7644 §3.10", "patch")
def paths_in_any_case(scim: Scim) -> None:
    """PAT-33 MUST: a path may be written in any case, and with the URN of the core schema."""
    path = f"/Users/{scim.user()['id']}"
    equal(scim.patch(path, op("replace", "DISPLAYNAME", "One")).get("displayName"), "One", "displayName")
    equal(scim.patch(path, op("replace", f"{USER}:displayName", "Two")).get("displayName"), "Two", "displayName")


@check("RFC 7643 §4.3", "patch", "enterprise")
def managers_are_set_and_removed(scim: Scim) -> None:
    """PAT-58 MUST: the manager is set by manager.value, and removed."""
    boss = scim.user()
    path = f"/Users/{scim.user()['id']}"
    found = scim.patch(path, op("add", f"{ENTERPRISE}:manager", {"value": boss["id"]}))
    equal((found.get(ENTERPRISE) or {}).get("manager", {}).get("value"), boss["id"], "manager.value")
    found = scim.patch(path, op("remove", f"{ENTERPRISE}:manager"))
    expect(not (found.get(ENTERPRISE) or {}).get("manager"), "manager is still there")


@check("RFC 7644 §3.5.2.2", "patch", "User.emails")
def filters_in_paths_are_checked(scim: Scim) -> None:
    """PAT-59 MUST: a value path on an attribute that has no such part is answered 400."""
    scim.refuse_patch(f"/Users/{scim.user()['id']}", op("replace", 'emails[noSuchPart eq "x"].value', "y"))


@check("RFC 7644 §3.5.2", "patch")
def empty_paths_do_no_harm(scim: Scim) -> None:
    """PAT-50 POLICY: an empty path is refused, or is as none."""
    user = scim.user(displayName="Before")
    path = f"/Users/{user['id']}"
    scim.refuse_patch(path, op("remove", ""))
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
    answer = scim.send("PATCH", path, {**body, "Operations": [op("replace", "", {"displayName": "After"})]})
    expect(answer.status in (200, 204, 400), f"answered {answer.status}")
    equal(scim.read(path).get("userName"), user["userName"], "userName")
