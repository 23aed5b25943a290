"""Reading one resource, whole or in part (RFC 7644 sections 3.4.1 and 3.9)."""

from typing import Any

from conformance.names import ENTERPRISE, USER
from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, query

SECRET = "S3cret-of-the-conformance-run"


def rich(scim: Scim) -> str:
    """The path of a user with something of everything."""

    def build() -> str:
        user = scim.user(
            displayName="Ava Lee", name={"givenName": "Ava", "familyName": "Lee"}, password=SECRET,
            emails=[{"value": scim.mail("mail"), "type": kind} for kind in ("work", "home")],
        )  # fmt: skip
        return f"/Users/{user['id']}"

    path: str = scim.once("rich", build)
    return path


def part(scim: Scim, path: str, **parameters: Any) -> Json:
    return scim.read(f"{path}{query(**parameters)}")


@check("RFC 7644 §3.4.1; RFC 7643 §3.1")
def location_is_the_address(scim: Scim) -> None:
    """GET-01 MUST: meta.location of a resource is its address, whole or relative to the base."""
    path = f"/Users/{scim.user()['id']}"
    location = scim.read(path)["meta"].get("location")
    expect(isinstance(location, str) and location, f"meta.location is {location!r}")
    address = scim.resolve(location)
    if scim.is_here(address):
        equal(address, scim.base_url + path, "meta.location")
    else:  # the public name of a server that is tested behind its proxy
        expect(address.endswith(path), f"meta.location is {location!r}, expected an address that ends with {path}")


@check("RFC 7643 §3.1")
def locations_are_absolute(scim: Scim) -> None:
    """GET-03 POLICY: meta.location is an absolute address, of the host that was asked."""
    location = str(scim.read(f"/Users/{scim.user()['id']}")["meta"].get("location"))
    expect("://" in location and scim.is_here(location), f"meta.location is {location!r}")


@check("RFC 7643 §3.1")
def ids_are_case_exact(scim: Scim) -> None:
    """GET-02 MUST: an id in another case is another id."""
    one = scim.user()["id"]
    scim.need(one.swapcase() != one, "the id has no letters")
    scim.refused("GET", f"/Users/{one.swapcase()}", status=404)


@check("RFC 7644 §3.4.2.5; RFC 7644 §3.9")
def named_attributes_are_returned(scim: Scim) -> None:
    """PRJ-01 MUST: attributes=userName returns userName, id and what is always returned."""
    found = part(scim, rich(scim), attributes="userName")
    expect({"id", "userName"} <= set(found), f"answered {sorted(found)}")
    extra = set(found) & {"displayName", "name", "emails", "meta"}
    expect(not extra, f"not asked for: {sorted(extra)}")


@check("RFC 7643 §3")
def partial_resources_have_schemas(scim: Scim) -> None:
    """PRJ-02 SHOULD: schemas stays in a partial representation."""
    expect(USER in (part(scim, rich(scim), attributes="userName").get("schemas") or []), "schemas is missing")


@check("RFC 7644 §3.9; RFC 7644 §3.10", "User.name.givenName")
def sub_attributes_are_selected(scim: Scim) -> None:
    """PRJ-03 MUST: attributes=name.givenName returns that sub-attribute alone."""
    equal(part(scim, rich(scim), attributes="name.givenName").get("name"), {"givenName": "Ava"}, "name")


@check("RFC 7644 §3.10", "User.displayName")
def qualified_names_are_selected(scim: Scim) -> None:
    """PRJ-04 MUST: attributes takes names with their URN, and in any case."""
    for name in (f"{USER}:displayName", "DISPLAYNAME"):
        equal(part(scim, rich(scim), attributes=name).get("displayName"), "Ava Lee", f"displayName for {name}")


@check("RFC 7644 §3.10; RFC 7643 §3.3", "enterprise")
def extension_attributes_are_selected(scim: Scim) -> None:
    """PRJ-05 MUST: attributes and excludedAttributes take an attribute of an extension by its URN."""
    values = {"department": "Sales", "division": "North"}
    path = f"/Users/{scim.user(schemas=[USER, ENTERPRISE], **{ENTERPRISE: values})['id']}"
    equal(part(scim, path, attributes=f"{ENTERPRISE}:department").get(ENTERPRISE), {"department": "Sales"}, "it")
    left = part(scim, path, excludedAttributes=f"{ENTERPRISE}:department").get(ENTERPRISE) or {}
    equal((left.get("department"), left.get("division")), (None, "North"), "what is left")


@check("RFC 7644 §3.4.2.5", "User.displayName")
def excluded_attributes_are_left_out(scim: Scim) -> None:
    """PRJ-06 MUST: excludedAttributes takes attributes out, and never the id."""
    found = part(scim, rich(scim), excludedAttributes="displayName,id")
    expect("displayName" not in found, "displayName is still there")
    expect("id" in found and "userName" in found, f"answered {sorted(found)}")


@check("RFC 7644 §3.9")
def unknown_names_are_ignored(scim: Scim) -> None:
    """PRJ-07 POLICY: names that no schema has are ignored in attributes and excludedAttributes."""
    expect("userName" in part(scim, rich(scim), attributes="userName,noSuchAttribute"), "userName is missing")
    expect("userName" in part(scim, rich(scim), excludedAttributes="noSuchAttribute"), "userName is missing")


@check("RFC 7644 §3.9")
def both_at_once_are_refused(scim: Scim) -> None:
    """PRJ-08 POLICY: attributes together with excludedAttributes are refused."""
    scim.refused("GET", f"{rich(scim)}?attributes=userName&excludedAttributes=name")


@check("RFC 7644 §3.9")
def blanks_after_commas_are_read(scim: Scim) -> None:
    """PRJ-09 POLICY: blanks after the commas of attributes do no harm."""
    expect({"userName", "name"} <= set(part(scim, rich(scim), attributes="userName, name")), "a name is missing")


@check("RFC 7644 §3.9; RFC 7644 §3.10", "User.emails")
def sub_attributes_of_lists_are_selected(scim: Scim) -> None:
    """PRJ-10 MUST: a sub-attribute of a multi-valued attribute is selected in each of its values."""
    found = part(scim, rich(scim), attributes="emails.type").get("emails") or []
    equal(sorted(map(str, found)), ["{'type': 'home'}", "{'type': 'work'}"], "emails")


@check("RFC 7644 §3.9")
def lists_are_projected(scim: Scim) -> None:
    """PRJ-11 MUST: attributes works for meta, and in lists as for one resource."""
    rich(scim)
    for one in scim.read("/Users?count=5&attributes=meta.lastModified").get("Resources") or []:
        expect("userName" not in one, "userName was not asked for")
        equal(set(one.get("meta") or {}), {"lastModified"}, "meta")


@check("RFC 7644 §3.9", "groups")
def members_are_left_out(scim: Scim) -> None:
    """PRJ-12 MUST: members of a group are left out, and alone returned, on request."""
    group = scim.group(scim.user()["id"])
    path = f"/Groups/{group['id']}"
    expect("members" not in part(scim, path, excludedAttributes="members"), "members are still there")
    found = part(scim, path, attributes="members")
    expect(len(found.get("members") or []) == 1 and "displayName" not in found, f"answered {sorted(found)}")


@check("RFC 7643 §4.1.1; RFC 7643 §7")
def passwords_are_not_selected(scim: Scim) -> None:
    """PRJ-13 MUST: attributes=password shows no password."""
    answer = scim.send("GET", f"{rich(scim)}?attributes=password")
    expect(SECRET.encode() not in answer.body, "the password comes back")
    expect("password" not in (answer.value or {}), "password is a member of the answer")
