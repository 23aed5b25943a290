"""Deleting resources (RFC 7644 section 3.6)."""

from conformance.names import SEARCH
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op


@check("RFC 7644 §3.6")
def delete_answers_nothing(scim: Scim) -> None:
    """DEL-01 MUST: DELETE is answered 204 without a body."""
    path = f"/Users/{scim.user()['id']}"
    answer = scim.send("DELETE", path)
    equal((answer.status, answer.body), (204, b""), "status and body")


@check("RFC 7644 §3.6")
def deleted_is_not_found(scim: Scim) -> None:
    """DEL-02 MUST: what is deleted is answered 404 by GET, PUT, PATCH and DELETE."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    scim.delete(path)
    scim.refused("GET", path, status=404)
    scim.refused("PUT", path, scim.person(), status=404)
    if scim.capabilities.supports("patch"):
        scim.refuse_patch(path, op("replace", "displayName", "x"), status=404)
    scim.refused("DELETE", path, status=404)


@check("RFC 7644 §3.6", "filter")
def deleted_is_not_listed(scim: Scim) -> None:
    """DEL-03 MUST: what is deleted is found by no filter and no search."""
    user = scim.user()
    scim.delete(f"/Users/{user['id']}")
    condition = f'userName eq "{user["userName"]}"'
    equal(scim.found(condition), set(), "what is found")
    answer = scim.send("POST", "/Users/.search", {"schemas": [SEARCH], "filter": condition})
    if answer.status == 200:
        equal(answer.value.get("totalResults"), 0, "totalResults of the search")


@check("RFC 7644 §3.6")
def deleted_names_are_free(scim: Scim) -> None:
    """DEL-04 SHOULD: the userName of a deleted user is free again, and the new user has a new id."""
    user = scim.user()
    scim.delete(f"/Users/{user['id']}")
    expect(scim.user(userName=user["userName"])["id"] != user["id"], "the id is the old one")


@check("RFC 7643 §2.3.7", "groups")
def memberships_end_with_the_user(scim: Scim) -> None:
    """DEL-05 POLICY: a deleted user is no member of a group any more."""
    one, two = scim.user()["id"], scim.user()["id"]
    group = scim.group(one, two)
    scim.delete(f"/Users/{one}")
    members = scim.read(f"/Groups/{group['id']}").get("members") or []
    equal([member["value"] for member in members], [two], "members")


@check("RFC 9110 §9.3.5")
def delete_looks_at_its_path_alone(scim: Scim) -> None:
    """DEL-06 POLICY: the query of a DELETE is ignored, and only the one resource goes."""
    one, two = scim.user(), scim.user()
    scim.send("DELETE", f"/Users/{one['id']}?filter=userName+pr&count=100")
    scim.read(f"/Users/{two['id']}")


@check("RFC 7644 §3.6", "groups")
def groups_are_deleted(scim: Scim) -> None:
    """DEL-07 MUST: DELETE of a group is answered 204, its members stay, and the group is not found."""
    user = scim.user()
    path = f"/Groups/{scim.group(user['id'])['id']}"
    scim.delete(path)
    scim.refused("GET", path, status=404)
    scim.read(f"/Users/{user['id']}")
