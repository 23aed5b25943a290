"""Shapes of identity providers that are not the letter of the RFC; how a server takes them is its own decision."""

from conformance.names import ENTERPRISE
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op


@check("Entra ID; Okta", "patch")
def flat_keys(scim: Scim) -> None:
    """PAT-29 POLICY: a value without a path may have flat keys, such as name.givenName."""
    path = f"/Users/{scim.user(name={'givenName': 'Ava', 'familyName': 'Lee'})['id']}"
    found = scim.patch(path, op("replace", value={"name.givenName": "Eva", "displayName": "Eva"}))
    equal((found["name"]["givenName"], found["name"].get("familyName")), ("Eva", "Lee"), "name")
    expect("name.givenName" not in found, "the key was stored as it was sent")


@check("Entra ID", "patch")
def booleans_as_text(scim: Scim) -> None:
    """PAT-30 POLICY: active may be "False" and "True" in a PATCH, and is a boolean afterwards."""
    path = f"/Users/{scim.user()['id']}"
    for text, value in (("False", False), ("True", True)):
        expect(scim.patch(path, op("Replace", "active", text)).get("active") is value, f"active is not {value}")


@check("erratum 8097; Entra ID", "patch", "User.emails")
def value_paths_create(scim: Scim) -> None:
    """PAT-31 POLICY: add with a value path that finds nothing creates the value that the path describes."""
    path = f"/Users/{scim.user()['id']}"
    new = scim.mail("new")
    found = scim.patch(path, op("add", 'emails[type eq "work"].value', new))
    equal([(one.get("type"), one.get("value")) for one in found.get("emails") or []], [("work", new)], "emails")


@check("Entra ID", "patch", "enterprise")
def managers_as_text(scim: Scim) -> None:
    """PAT-32 POLICY: a manager that is a bare text is its value."""
    boss = scim.user()
    found = scim.patch(f"/Users/{scim.user()['id']}", op("Add", f"{ENTERPRISE}:manager", boss["id"]))
    equal((found.get(ENTERPRISE) or {}).get("manager", {}).get("value"), boss["id"], "manager.value")


@check("Entra ID", "patch", "User.roles")
def roles_by_a_boolean_as_text(scim: Scim) -> None:
    """PAT-53 POLICY: roles[primary eq "True"].value selects by the boolean, or adds the role."""
    found = scim.patch(f"/Users/{scim.user()['id']}", op("add", 'roles[primary eq "True"].value', "standard"))
    roles = [(one.get("value"), one.get("primary")) for one in found.get("roles") or []]
    expect(("standard", True) in roles, f"roles is {roles}")


@check("Okta; Entra ID; IPSIE AL1", "patch", "User.active")
def deactivations(scim: Scim) -> None:
    """PAT-54 POLICY: users are deactivated by path, without one, with the URN, and with the words of Entra ID."""
    shapes = (
        op("replace", "active", False),
        op("replace", value={"active": False}),
        op("replace", "urn:ietf:params:scim:schemas:core:2.0:User:active", False),
        op("Replace", "active", "False"),
    )
    for shape in shapes:
        path = f"/Users/{scim.user()['id']}"
        expect(scim.patch(path, shape).get("active") is False, f"active after {shape}")


@check("Okta", "patch", "groups")
def group_renames_repeat_the_id(scim: Scim) -> None:
    """PAT-44 POLICY: Okta's renaming of a group, which repeats the id, is accepted."""
    group = scim.group()
    name = scim.name("renamed")
    found = scim.patch(f"/Groups/{group['id']}", op("replace", value={"id": group["id"], "displayName": name}))
    equal((found["id"], found["displayName"]), (group["id"], name), "id and displayName")


@check("Entra ID", "patch", "enterprise")
def urn_keys(scim: Scim) -> None:
    """PAT-60 POLICY: a value without a path may have keys of a URN and an attribute."""
    found = scim.patch(f"/Users/{scim.user()['id']}", op("replace", value={f"{ENTERPRISE}:department": "Sales"}))
    equal((found.get(ENTERPRISE) or {}).get("department"), "Sales", "department")


@check("Entra ID", "patch", "User.title")
def empty_text_clears(scim: Scim) -> None:
    """PAT-61 POLICY: replacing with an empty text leaves no value."""
    found = scim.patch(f"/Users/{scim.user(title='Engineer')['id']}", op("Replace", "title", ""))
    expect(not found.get("title"), f"title is {found.get('title')!r}")


@check("Entra ID; Postman collection", "patch")
def extra_members_of_operations(scim: Scim) -> None:
    """PAT-62 POLICY: members of an operation that nobody defined do no harm."""
    found = scim.patch(f"/Users/{scim.user()['id']}", {**op("replace", "displayName", "Ava"), "name": "displayName"})
    equal(found.get("displayName"), "Ava", "displayName")
