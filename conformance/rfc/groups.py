"""Groups and their members (RFC 7643 section 4.2)."""

from conformance.names import GROUP
from conformance.registry import check, equal, expect
from conformance.scim import Scim


@check("RFC 7643 §4.2; RFC 7643 §2.3.7", "groups")
def members_keep_their_value(scim: Scim) -> None:
    """GRP-01 MUST: members keep their value; $ref, where it is present, leads to the member, and type is right."""
    user = scim.user()
    group = scim.read(f"/Groups/{scim.group(user['id'])['id']}")
    member = group["members"][0]
    equal(member["value"], user["id"], "value")
    equal(member.get("type", "User"), "User", "type")
    if "$ref" in member:
        reference = member["$ref"]
        if "://" in reference:
            equal((scim.follow(reference).value or {}).get("id"), user["id"], "the id at $ref")
        else:
            expect(reference.endswith(user["id"]), f"$ref is {reference!r}")


@check("RFC 7643 §2.3.7; OWASP API3", "groups")
def forged_references_are_not_kept(scim: Scim) -> None:
    """GRP-02 POLICY: a forged $ref or display of a member is not kept."""
    user = scim.user()
    forged = {"value": user["id"], "$ref": "https://evil.example/Users/1", "display": "Forged"}
    answer = scim.send("POST", "/Groups", {"schemas": [GROUP], "displayName": scim.name("group"), "members": [forged]})
    expect(answer.status in (201, 400), f"answered {answer.status}")
    expect(b"evil.example" not in answer.body and b"Forged" not in answer.body, "what was forged comes back")


@check("RFC 7643 §4.1.2", "groups", "User.groups")
def users_know_their_groups(scim: Scim) -> None:
    """GRP-03 POLICY: User.groups mirrors the memberships."""
    user = scim.user()
    group = scim.group(user["id"])
    groups = scim.read(f"/Users/{user['id']}").get("groups") or []
    equal([one.get("value") for one in groups], [group["id"]], "groups")
    equal(groups[0].get("display"), group["displayName"], "display")
    scim.delete(f"/Groups/{group['id']}")
    expect(not scim.read(f"/Users/{user['id']}").get("groups"), "the group is still there")


@check("RFC 7643 §2.3.7", "groups")
def unknown_members_are_refused(scim: Scim) -> None:
    """GRP-04 POLICY: a group whose only member does not exist is refused."""
    body = {"schemas": [GROUP], "displayName": scim.name("group"), "members": [{"value": "nobody"}]}
    scim.refused("POST", "/Groups", body)


@check("RFC 7643 §4.2; erratum 5368", "groups")
def groups_need_a_name(scim: Scim) -> None:
    """GRP-05 MUST: a group without displayName is answered 400."""
    scim.refused("POST", "/Groups", {"schemas": [GROUP], "externalId": scim.name()})


@check("RFC 7643 §4.2; IPSIE AL2", "groups")
def groups_may_be_empty(scim: Scim) -> None:
    """GRP-06 MUST: a group without members is created, with and without members in the body."""
    scim.group()
    scim.group(members=[])


@check("RFC 7643 §4.2", "groups")
def created_groups_are_complete(scim: Scim) -> None:
    """GRP-11 MUST: POST of a group is answered 201 with id, displayName, meta and Location."""
    group = scim.group()
    expect(scim.last and scim.last.header("Location") == group["meta"].get("location"), "Location is not meta.location")
    expect(GROUP in group.get("schemas", []), f"schemas is {group.get('schemas')!r}")
    equal(group["meta"]["resourceType"], "Group", "meta.resourceType")
    equal(scim.read(f"/Groups/{group['id']}").get("displayName"), group["displayName"], "displayName")


@check("RFC 7643 §4.2", "groups")
def references_are_filled_in(scim: Scim) -> None:
    """GRP-08 POLICY: the server fills in $ref and type of every member."""
    member = scim.read(f"/Groups/{scim.group(scim.user()['id'])['id']}")["members"][0]
    expect("://" in str(member.get("$ref")), f"$ref is {member.get('$ref')!r}")
    equal(member.get("type"), "User", "type")


@check("RFC 7643 §4.2", "groups")
def names_are_not_blank(scim: Scim) -> None:
    """GRP-09 POLICY: displayName of a group is not empty and not blank."""
    for name in ("", "   "):
        scim.refused("POST", "/Groups", {"schemas": [GROUP], "displayName": name})


@check("RFC 7643 §2.4", "groups")
def members_are_stored_once(scim: Scim) -> None:
    """GRP-10 SHOULD: the same member twice in one request is a member once."""
    one = scim.user()["id"]
    group = scim.read(f"/Groups/{scim.group(one, one)['id']}")
    equal([member["value"] for member in group["members"]], [one], "members")


@check("Entra ID; OneLogin", "groups")
def group_names_are_unique(scim: Scim) -> None:
    """GRP-12 POLICY: a second group of the same displayName is answered 409, as Entra ID's validator expects."""
    group = scim.group()
    body = {"schemas": [GROUP], "displayName": group["displayName"]}
    scim.refused("POST", "/Groups", body, status=409, kind="uniqueness")


@check("authentik", "groups")
def empty_groups_have_members(scim: Scim) -> None:
    """GRP-13 POLICY: an empty group has members as an empty array, which authentik relies on."""
    equal(scim.read(f"/Groups/{scim.group()['id']}").get("members"), [], "members")


@check("RFC 7643 §4.2; OWASP API4", "groups", "patch")
def groups_in_themselves(scim: Scim) -> None:
    """GRP-07 ROBUST: a group as a member of itself does no harm."""
    group = scim.group()
    body = {"op": "add", "path": "members", "value": [{"value": group["id"]}]}
    message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [body]}
    status = scim.send("PATCH", f"/Groups/{group['id']}", message).status
    expect(status < 500, f"answered {status}")
    scim.read(f"/Groups/{group['id']}")
