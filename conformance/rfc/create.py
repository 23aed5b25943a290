"""Creating resources (RFC 7644 section 3.3)."""

from conformance.names import GROUP, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim, query


@check("RFC 7644 §3.3; RFC 7643 §3.1")
def created_resources_are_complete(scim: Scim) -> None:
    """CRT-01 MUST: POST is answered 201 with Location, id, schemas, the values sent, and meta."""
    body = scim.person(displayName="Ava Lee")
    user = scim.make("/Users", body)
    expect(scim.last and scim.last.header("Location"), "201 without Location")
    expect(isinstance(user.get("id"), str) and user["id"], f"id is {user.get('id')!r}")
    expect(USER in user.get("schemas", []), f"schemas is {user.get('schemas')!r}")
    equal((user.get("userName"), user.get("displayName")), (body["userName"], "Ava Lee"), "what came back")
    equal(user["meta"]["resourceType"], "User", "meta.resourceType")
    for name in ("created", "lastModified"):
        expect("T" in str(user["meta"].get(name)), f"meta.{name} is {user['meta'].get(name)!r}")


@check("RFC 7644 §3.3; RFC 7643 §3.1")
def location_leads_to_the_resource(scim: Scim) -> None:
    """CRT-02 MUST: the Location of a 201 is meta.location, and leads to the resource."""
    user = scim.user()
    location = scim.last and scim.last.header("Location")
    equal(location, user["meta"].get("location"), "Location")
    equal((scim.follow(location).value or {}).get("id"), user["id"], "the id at Location")


@check("RFC 7644 §3.3; RFC 7643 §3.1")
def read_only_values_are_ignored(scim: Scim) -> None:
    """CRT-03 MUST: id, meta and groups that a client sends in a POST are ignored."""
    forged = {"id": "forged", "meta": {"resourceType": "Forged", "created": "1999-01-01T00:00:00Z"}}
    user = scim.user(**forged, groups=[{"value": "forged"}])
    expect(user["id"] != "forged", "the id of the client was taken")
    equal(user["meta"]["resourceType"], "User", "meta.resourceType")
    expect(not str(user["meta"]["created"]).startswith("1999"), "meta.created of the client was taken")
    expect(not user.get("groups"), f"groups is {user.get('groups')!r}")


@check("RFC 7644 §3.3")
def user_names_are_unique(scim: Scim) -> None:
    """CRT-04 MUST: a second user of the same userName is answered 409, and the first one stays as it is."""
    user = scim.user(displayName="First")
    scim.refused(
        "POST", "/Users", scim.person(userName=user["userName"], displayName="Second"), status=409, kind="uniqueness"
    )
    equal(scim.read(f"/Users/{user['id']}").get("displayName"), "First", "displayName of the first")


@check("RFC 7643 §4.1.1; RFC 7644 §3.3")
def user_names_are_unique_in_any_case(scim: Scim) -> None:
    """CRT-05 MUST: userName is unique whatever the case of its letters."""
    user = scim.user()
    scim.refused("POST", "/Users", scim.person(userName=user["userName"].upper()), status=409, kind="uniqueness")


@check("RFC 7643 §4.1.1; RFC 7644 §5")
def user_name_is_required(scim: Scim) -> None:
    """CRT-06 MUST: a user without userName, or with an empty or blank one, is answered 400."""
    scim.refused("POST", "/Users", {"schemas": [USER], "displayName": "x"})
    for value in (None, "", "   "):
        scim.refused("POST", "/Users", scim.person(userName=value), kind="invalidValue invalidSyntax")


@check("RFC 7643 §3")
def schemas_are_checked(scim: Scim) -> None:
    """CRT-07 MUST: schemas that are a string, or hold numbers, are refused, or read as an array of URNs."""
    for value in (USER, [1, 2], {"a": 1}):
        answer = scim.send("POST", "/Users", scim.person(schemas=value))
        expect(answer.status in (201, 400), f"schemas {value!r} was answered {answer.status}")
        if answer.status == 201:
            equal((answer.value or {}).get("schemas"), [USER], f"schemas that was sent as {value!r}")


@check("RFC 7643 §3", "groups")
def schema_of_another_type_is_refused(scim: Scim) -> None:
    """CRT-08 MUST: a body that says it is a group is not created as a user."""
    scim.refused("POST", "/Users", scim.person(schemas=[GROUP]))


@check("RFC 7643 §3")
def undefined_schemas_are_not_kept(scim: Scim) -> None:
    """CRT-09 MUST: URNs that no schema has, and duplicates, never appear in the schemas of a resource."""
    answer = scim.send("POST", "/Users", scim.person(schemas=[USER, USER, "urn:example:nothing"]))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    found = (answer.value or {}).get("schemas") or []
    expect("urn:example:nothing" not in found and len(found) == len(set(found)), f"schemas is {found}")


@check("RFC 7643 §2; RFC 7644 §3.1")
def undefined_attributes_are_not_kept(scim: Scim) -> None:
    """CRT-11 MUST: an attribute that no schema defines is dropped or refused, and never comes back."""
    answer = scim.send("POST", "/Users", scim.person(noSuchAttribute="x"))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    expect("noSuchAttribute" not in (answer.value or {}), "the undefined attribute comes back")


@check("RFC 7644 §3.3")
def representation_is_that_of_get(scim: Scim) -> None:
    """CRT-23 SHOULD: what POST answers is what GET answers afterwards."""
    user = scim.user(displayName="Ava", name={"givenName": "Ava", "familyName": "Lee"})
    equal(scim.read(f"/Users/{user['id']}"), user, "the representation of GET")


@check("RFC 7643 §3.1")
def ids_are_stable_and_safe(scim: Scim) -> None:
    """CRT-21 MUST: ids are not empty, differ, do not contain bulkId and stand in an address as they are."""
    ids = [scim.user()["id"] for _ in range(3)]
    equal(len(set(ids)), 3, "the number of different ids")
    for one in ids:
        expect("bulkId" not in one and one.isprintable() and "/" not in one, f"the id is {one!r}")
        equal(scim.read(f"/Users/{one}").get("id"), one, "the id on reading")


@check("RFC 7644 §3.9")
def creation_honours_attributes(scim: Scim) -> None:
    """CRT-22 MUST: POST honours attributes and excludedAttributes."""
    part = scim.make(f"/Users{query(attributes='userName')}", scim.person(displayName="Ava"))
    expect("displayName" not in part and "userName" in part, f"answered {sorted(part)}")
    part = scim.make(f"/Users{query(excludedAttributes='displayName')}", scim.person(displayName="Ava"))
    expect("displayName" not in part and "userName" in part, f"answered {sorted(part)}")


@check("RFC 7644 §3.12", "filter")
def refused_creations_leave_nothing(scim: Scim) -> None:
    """CRT-25 MUST: after a refused POST nothing is left behind."""
    user, mark = scim.user(), scim.name("ext")
    scim.refused("POST", "/Users", scim.person(userName=user["userName"], externalId=mark), status=409)
    equal(scim.found(f'externalId eq "{mark}"'), set(), "what is there afterwards")


@check("RFC 7643 §3")
def schemas_are_required(scim: Scim) -> None:
    """CRT-28 POLICY: a body without schemas is either refused with 400 or read as what the endpoint holds."""
    body = scim.person()
    del body["schemas"]
    answer = scim.send("POST", "/Users", body)
    expect(answer.status in (201, 400), f"answered {answer.status}")


@check("RFC 7643 §3.1; RFC 7644 §6.2")
def external_ids_may_repeat(scim: Scim) -> None:
    """CRT-20 POLICY: two users may have the same externalId."""
    twice = scim.name("ext")
    scim.user(externalId=twice)
    scim.user(externalId=twice)


@check("RFC 7643 §3", "groups")
def microsofts_schema_on_groups_is_accepted(scim: Scim) -> None:
    """CRT-10 POLICY: the additional URN that Entra ID names in groups does not break the creation."""
    adscim = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
    group = scim.group(schemas=[GROUP, adscim])
    expect(adscim not in group["schemas"], f"schemas is {group['schemas']}")


@check("RFC 7643 §6")
def required_extensions_are_enforced(scim: Scim) -> None:
    """CRT-24 MUST: a user without an extension that the resource type requires is answered 400."""
    types = [one for one in scim.capabilities.types if one.get("schema") == USER]
    wanted = [one["schema"] for type_ in types for one in type_.get("schemaExtensions") or [] if one.get("required")]
    scim.need(wanted, "no extension is required")
    scim.refused("POST", "/Users", scim.person())


@check("RFC 7643 §3.1")
def created_is_last_modified(scim: Scim) -> None:
    """CRT-29 MUST: of a new resource meta.created and meta.lastModified are the same moment."""
    meta = scim.user()["meta"]
    equal(meta.get("lastModified"), meta.get("created"), "meta.lastModified")


@check("RFC 7643 §3.1; RFC 7643 §2.3.5")
def times_are_in_utc(scim: Scim) -> None:
    """CRT-30 POLICY: the times of meta end in Z."""
    meta = scim.user()["meta"]
    expect(str(meta.get("created")).endswith("Z"), f"meta.created is {meta.get('created')!r}")


@check("RFC 7643 §3.1")
def new_resources_have_a_version(scim: Scim) -> None:
    """CRT-31 POLICY: meta.version is always there."""
    expect(scim.user()["meta"].get("version"), "meta.version is missing")
