"""Replacing resources (RFC 7644 section 3.5.1)."""

from typing import Any

from conformance.names import ENTERPRISE, GROUP, USER
from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, query


def whole(user: Json, **changes: Any) -> Json:
    """The body of a PUT that keeps what matters and changes the rest."""
    return {"schemas": [USER], "userName": user["userName"], "active": True, **changes}


@check("RFC 7644 §3.5.1")
def put_replaces(scim: Scim) -> None:
    """PUT-01 MUST: PUT is answered 200 with the whole resource, the new values in it and meta.created unchanged."""
    user = scim.user(displayName="Before")
    found = scim.put(f"/Users/{user['id']}", whole(user, displayName="After"))
    told = (found.get("id"), found.get("displayName"), found["meta"].get("created"))
    equal(told, (user["id"], "After", user["meta"]["created"]), "id, displayName and meta.created")
    equal(scim.read(f"/Users/{user['id']}"), found, "what GET returns afterwards")


@check("RFC 7644 §3.5.1", "User.title")
def left_out_is_cleared(scim: Scim) -> None:
    """PUT-02 POLICY: what a PUT leaves out is cleared."""
    user = scim.user(title="Engineer")
    expect("title" not in scim.put(f"/Users/{user['id']}", whole(user)), "title is still there")


@check("RFC 7644 §3.5.1")
def read_only_values_are_ignored(scim: Scim) -> None:
    """PUT-03 MUST: id, meta and groups in a PUT are ignored and not refused."""
    user = scim.user()
    forged = {"id": "forged", "meta": {"created": "1999-01-01T00:00:00Z"}, "groups": [{"value": "forged"}]}
    found = scim.put(f"/Users/{user['id']}", whole(user, **forged))
    equal((found["id"], found["meta"]["created"]), (user["id"], user["meta"]["created"]), "id and meta.created")
    expect(not found.get("groups"), f"groups is {found.get('groups')!r}")


@check("RFC 7644 §3.2; RFC 7644 §3.5.1")
def put_never_creates(scim: Scim) -> None:
    """PUT-04 MUST: PUT to an unknown id is answered 404 and creates nothing."""
    body = scim.person()
    scim.refused("PUT", "/Users/00000000-0000-4000-8000-00000000dead", body, status=404)
    if scim.capabilities.supports("filter"):
        equal(scim.found(f'userName eq "{body["userName"]}"'), set(), "what is there afterwards")


@check("RFC 7644 §3.5.1")
def required_attributes_stay_required(scim: Scim) -> None:
    """PUT-05 MUST: PUT without userName is answered 400 and changes nothing."""
    user = scim.user(displayName="Before")
    path = f"/Users/{user['id']}"
    scim.refused("PUT", path, {"schemas": [USER], "displayName": "After"})
    equal(scim.read(path).get("displayName"), "Before", "displayName")


@check("RFC 7644 §3.12")
def names_in_use_are_refused(scim: Scim) -> None:
    """PUT-06 MUST: PUT to the userName of another is answered 409; to one's own in another case it succeeds."""
    first, second = scim.user(), scim.user()
    path = f"/Users/{second['id']}"
    scim.refused("PUT", path, whole(first), status=409, kind="uniqueness")
    equal(scim.read(path).get("userName"), second["userName"], "userName")
    scim.put(path, {**whole(second), "userName": second["userName"].upper()})


@check("RFC 7643 §3.1")
def last_modified_advances(scim: Scim) -> None:
    """PUT-07 MUST: meta.lastModified advances with a PUT that changes something."""
    user = scim.user(displayName="Before")
    meta = scim.put(f"/Users/{user['id']}", whole(user, displayName="After"))["meta"]
    expect(meta["lastModified"] >= user["meta"]["lastModified"], f"lastModified goes back to {meta['lastModified']}")
    expect(meta != user["meta"], "meta has not changed")


@check("RFC 7643 §2.5", "User.title")
def null_clears(scim: Scim) -> None:
    """PUT-08 MUST: null and an empty array in a PUT clear an attribute."""
    user = scim.user(title="Engineer", emails=[{"value": scim.mail("mail"), "type": "work"}])
    found = scim.put(f"/Users/{user['id']}", whole(user, title=None, emails=[]))
    for name in ("title", "emails"):
        expect(not found.get(name), f"{name} is {found.get(name)!r}")


@check("RFC 7644 §3.5.1", "groups")
def put_replaces_members(scim: Scim) -> None:
    """PUT-09 MUST: PUT of a group replaces all its members."""
    one, two = scim.user()["id"], scim.user()["id"]
    group = scim.group(one)
    body = {"schemas": [GROUP], "displayName": group["displayName"], "members": [{"value": two}]}
    scim.put(f"/Groups/{group['id']}", body)
    members = scim.read(f"/Groups/{group['id']}").get("members") or []
    equal([member["value"] for member in members], [two], "members")


@check("RFC 7643 §3; RFC 7643 §3.3", "enterprise")
def extensions_left_out_go(scim: Scim) -> None:
    """PUT-10 POLICY: an extension that a PUT leaves out goes, from the resource and from its schemas."""
    user = scim.user(schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"department": "Sales"}})
    found = scim.put(f"/Users/{user['id']}", whole(user))
    expect(not found.get(ENTERPRISE), "the extension is still there")
    expect(ENTERPRISE not in found["schemas"], "its URN is still in schemas")


@check("RFC 7644 §3.9")
def put_honours_attributes(scim: Scim) -> None:
    """PUT-11 MUST: PUT honours attributes."""
    user = scim.user()
    found = scim.put(f"/Users/{user['id']}{query(attributes='userName')}", whole(user, displayName="After"))
    expect("displayName" not in found and "userName" in found, f"answered {sorted(found)}")


@check("RFC 7644 §3.12", "groups")
def bad_replacements_change_nothing(scim: Scim) -> None:
    """PUT-12 MUST: a PUT with the schema of another type is answered 400 and changes nothing."""
    user = scim.user(displayName="Before")
    path = f"/Users/{user['id']}"
    scim.refused("PUT", path, whole(user, schemas=[GROUP], displayName="After"))
    scim.refused("PUT", path, b"{")
    equal(scim.read(path).get("displayName"), "Before", "displayName")


@check("RFC 7644 §3.5.2.1 by analogy")
def identical_put_changes_nothing(scim: Scim) -> None:
    """PUT-13 POLICY: a PUT that changes nothing keeps version and lastModified."""
    user = scim.user(displayName="Same")
    path = f"/Users/{user['id']}"
    before = scim.put(path, whole(user, displayName="Same"))
    equal(scim.put(path, whole(user, displayName="Same"))["meta"], before["meta"], "meta")


@check("RFC 7643 §3")
def schemas_in_a_put(scim: Scim) -> None:
    """PUT-15 POLICY: a PUT without schemas is refused, or read as what the endpoint holds."""
    user = scim.user()
    body = whole(user, displayName="After")
    del body["schemas"]
    status = scim.send("PUT", f"/Users/{user['id']}", body).status
    expect(status in (200, 400), f"answered {status}")


@check("RFC 7644 §3.5.1")
def put_of_what_was_read(scim: Scim) -> None:
    """PUT-16 MUST: a resource that is read, changed and put back is accepted with all its members."""
    user = scim.user(displayName="Before", emails=[{"value": scim.mail("mail"), "type": "work", "primary": True}])
    path = f"/Users/{user['id']}"
    found = scim.put(path, {**scim.read(path), "displayName": "After"})
    equal((found.get("displayName"), found.get("emails")), ("After", user.get("emails")), "displayName and emails")


@check("RFC 7644 §3.5.1", "groups")
def put_renames_groups(scim: Scim) -> None:
    """PUT-17 MUST: PUT of a group changes its displayName."""
    group = scim.group()
    name = scim.name("renamed")
    scim.put(f"/Groups/{group['id']}", {"schemas": [GROUP], "displayName": name, "members": []})
    equal(scim.read(f"/Groups/{group['id']}").get("displayName"), name, "displayName")
