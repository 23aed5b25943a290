"""What the published schemas say, and whether resources keep to it (RFC 7643 sections 2, 7 and 8.7)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.names import CONFIG, GROUP, LIST, RESOURCE_TYPE, SCHEMA, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim

TYPES = {"string", "boolean", "decimal", "integer", "dateTime", "reference", "complex", "binary"}
KEYWORDS = {
    "mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
    "returned": {"always", "never", "default", "request"},
    "uniqueness": {"none", "server", "global"},
}
NAME = re.compile(r"\$?[A-Za-z][A-Za-z0-9_$-]*\Z")
OF_THE_RFC = {SCHEMA, RESOURCE_TYPE, CONFIG}
"""Schemas of discovery itself, which RFC 7643 section 8.7.2 nests more deeply than it allows others to."""
COMMON = {"schemas", "id", "externalid", "meta"}


def attributes(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Every attribute of a schema as its path, its definition, and whether it is a sub-attribute."""
    for one in schema.get("attributes") or []:
        yield one["name"], one, False
        for sub in one.get("subAttributes") or []:
            yield f"{one['name']}.{sub['name']}", sub, True


def defined(scim: Scim, urn: str, path: str) -> Mapping[str, Any]:
    scim.need(urn in scim.capabilities.schemas, f"{urn} is not published")
    found = scim.capabilities.attribute(urn, path)
    scim.need(found is not None, f"{path} is not published")
    return found or {}


@check("RFC 7644 §4; RFC 7644 §3.1")
def schemas_are_listed(scim: Scim) -> None:
    """DSC-09 MUST: GET /Schemas lists the schemas and never the messages of the protocol."""
    page = scim.read("/Schemas")
    expect(LIST in page.get("schemas", []), f"schemas is {page.get('schemas')!r}")
    ids = [one["id"] for one in page["Resources"]]
    equal(page["totalResults"], len(ids), "totalResults")
    expect(USER in ids, "the schema of User is missing")
    messages = [one for one in ids if ":api:messages:" in one]
    expect(not messages, f"messages are listed: {messages}")


@check("RFC 7644 §4; RFC 7643 §7")
def schema_is_read_alone(scim: Scim) -> None:
    """DSC-10 MUST: GET /Schemas/{urn} is the one schema with its meta."""
    found = scim.read(f"/Schemas/{USER}")
    equal(found.get("id"), USER, "id")
    expect(isinstance(found.get("attributes"), list) and found["attributes"], "it has no attributes")
    expect(SCHEMA in found.get("schemas", []), f"schemas is {found.get('schemas')!r}")
    equal((found.get("meta") or {}).get("resourceType"), "Schema", "meta.resourceType")


@check("RFC 7643 §7; RFC 7643 §2.1")
def definitions_are_legal(scim: Scim) -> None:
    """DSC-14 MUST: every published attribute has a legal name and type, and legal keywords."""
    for urn, schema in scim.capabilities.schemas.items():
        if urn in OF_THE_RFC:
            continue
        for path, one, nested in attributes(schema):
            where = f"{urn}:{path}"
            expect(NAME.match(one["name"]), f"{where}: no legal attribute name")
            expect(one.get("type") in TYPES, f"{where}: type {one.get('type')!r}")
            expect(isinstance(one.get("multiValued"), bool), f"{where}: multiValued {one.get('multiValued')!r}")
            expect(not (nested and one["type"] == "complex"), f"{where}: complex within complex")
            for keyword, legal in KEYWORDS.items():
                expect(one.get(keyword, min(legal)) in legal, f"{where}: {keyword} {one.get(keyword)!r}")
            if one["type"] == "reference":
                expect(isinstance(one.get("referenceTypes"), list), f"{where}: referenceTypes is no array")


@check("RFC 7643 §4.1.1; RFC 7643 §8.7.1")
def user_name_is_published_right(scim: Scim) -> None:
    """DSC-15 MUST: userName is published as required, unique in the server and not case-exact."""
    name = defined(scim, USER, "userName")
    equal(name.get("required"), True, "userName.required")
    equal(name.get("caseExact", False), False, "userName.caseExact")
    expect(name.get("uniqueness") in ("server", "global"), f"userName.uniqueness is {name.get('uniqueness')!r}")


@check("RFC 7643 §2.3.7; errata 6001, 8472")
def references_are_case_exact(scim: Scim) -> None:
    """DSC-16 SHOULD: references and binary values are published as case-exact."""
    for urn, schema in scim.capabilities.schemas.items():
        for path, one, _ in attributes(schema):
            if one.get("type") in ("reference", "binary"):
                expect(one.get("caseExact") is True, f"{urn}:{path} is not published as case-exact")


@check("RFC 7643 §3; RFC 7644 §3.1")
def resources_hold_what_is_published(scim: Scim) -> None:
    """DSC-20 MUST: a resource has only attributes that its schemas publish."""
    scim.need(USER in scim.capabilities.schemas, "the schema of User is not published")
    user = scim.user(
        name={"givenName": "Ava", "familyName": "Lee"}, displayName="Ava Lee", title="Tester",
        emails=[{"value": scim.mail("mail"), "type": "work", "primary": True}],
    )  # fmt: skip
    known = {path.lower() for path, *_ in attributes(scim.capabilities.schemas[USER])} | COMMON
    for name, value in user.items():
        if name.startswith("urn:"):
            expect(name in scim.capabilities.schemas, f"the extension {name} is not published")
            continue
        expect(name.lower() in known, f"{name} is in no published schema")
        for element in value if isinstance(value, list) else [value]:
            subs = element if isinstance(element, dict) and name != "meta" else {}
            unknown = [sub for sub in subs if f"{name}.{sub}".lower() not in known]
            expect(not unknown, f"{name} has {unknown}, which no schema publishes")


@check("RFC 7643 §7; draft-zollner-scim-interop-profile §5.1")
def published_attributes_are_stored(scim: Scim) -> None:
    """DSC-21 POLICY: every plain writable string that User publishes is stored and comes back."""
    scim.need(USER in scim.capabilities.schemas, "the schema of User is not published")
    special = ("userName", "timezone", "locale", "preferredLanguage", "profileUrl")
    wanted = {
        path: f"Value {path}"
        for path, one, nested in attributes(scim.capabilities.schemas[USER])
        if not nested and path not in special and one["type"] == "string" and not one["multiValued"]
        if one.get("mutability") == "readWrite" and one.get("returned") == "default" and not one.get("canonicalValues")
    }
    found = scim.user(**wanted)
    lost = {name for name, value in wanted.items() if found.get(name) != value}
    expect(not lost, f"published, and not kept: {sorted(lost)}")


@check("draft-zollner-scim-interop-profile §5.4; RFC 7643 §2.4")
def types_have_canonical_values(scim: Scim) -> None:
    """DSC-28 POLICY: emails.type publishes its canonical values."""
    expect(defined(scim, USER, "emails.type").get("canonicalValues"), "emails.type has no canonicalValues")


@check("RFC 7643 §7")
def unpublished_attributes_are_not_kept(scim: Scim) -> None:
    """DSC-29 MUST: a core attribute that the server does not publish does not come back."""
    scim.need(USER in scim.capabilities.schemas, "the schema of User is not published")
    names = ("nickName", "title", "userType", "displayName")
    hidden = [name for name in names if scim.capabilities.attribute(USER, name) is None]
    scim.need(hidden, "all the core attributes are published")
    answer = scim.send("POST", "/Users", scim.person(**dict.fromkeys(hidden, "x")))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    kept = [name for name in hidden if name in (answer.value or {})]
    expect(not kept, f"kept although not published: {kept}")


@check("RFC 7643 §4.1.1")
def password_is_never_returned_by_schema(scim: Scim) -> None:
    """DSC-31 MUST: password, where it is published, is writeOnly and never returned."""
    password = defined(scim, USER, "password")
    equal(password.get("mutability"), "writeOnly", "password.mutability")
    equal(password.get("returned"), "never", "password.returned")


@check("RFC 7643 §4.1.2")
def groups_of_a_user_are_read_only(scim: Scim) -> None:
    """DSC-32 MUST: User.groups is published as readOnly."""
    equal(defined(scim, USER, "groups").get("mutability"), "readOnly", "groups.mutability")


@check("RFC 7643 §4.2; erratum 5368", "groups")
def group_name_is_published_as_required(scim: Scim) -> None:
    """DSC-33 MUST: Group.displayName is published as required (erratum 5368)."""
    equal(defined(scim, GROUP, "displayName").get("required"), True, "displayName.required")


@check("RFC 7643 §4.2", "groups")
def members_are_published_with_values(scim: Scim) -> None:
    """DSC-34 MUST: Group.members is multi-valued and complex, with a value that is not changed in place."""
    members = defined(scim, GROUP, "members")
    equal((members.get("type"), members.get("multiValued")), ("complex", True), "members")
    equal(defined(scim, GROUP, "members.value").get("mutability"), "immutable", "members.value.mutability")


@check("RFC 7643 §2.4; RFC 7643 §7")
def schema_names_are_unique(scim: Scim) -> None:
    """DSC-35 MUST: within a schema no attribute name appears twice, in whatever case."""
    for urn, schema in scim.capabilities.schemas.items():
        paths = [path.lower() for path, *_ in attributes(schema)]
        twice = {path for path in paths if paths.count(path) > 1}
        expect(not twice, f"{urn}: twice {sorted(twice)}")
