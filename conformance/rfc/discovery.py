"""What the server says of itself (RFC 7644 section 4, RFC 7643 sections 5 and 6)."""

from typing import Any

from conformance.names import CONFIG, ERROR, LIST, PATCH_OP, RESOURCE_TYPE, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op, query

SCHEMES = {"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"}
ENDPOINTS = ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas")


def resource_types(scim: Scim) -> list[dict[str, Any]]:
    return list(scim.read("/ResourceTypes")["Resources"])


@check("RFC 7644 §4; RFC 7643 §5")
def configuration_is_one_object(scim: Scim) -> None:
    """DSC-01 MUST: GET /ServiceProviderConfig is one object with the ServiceProviderConfig schema."""
    found = scim.read("/ServiceProviderConfig")
    expect(CONFIG in found.get("schemas", []), f"schemas is {found.get('schemas')!r}")
    expect("Resources" not in found, "it is wrapped in a list")


@check("RFC 7643 §5")
def configuration_is_complete(scim: Scim) -> None:
    """DSC-02 MUST: ServiceProviderConfig has every required member with its exact JSON type."""
    found = scim.read("/ServiceProviderConfig")
    for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
        expect(isinstance(found.get(name), dict), f"{name} is {found.get(name)!r}, not an object")
        expect(isinstance(found[name].get("supported"), bool), f"{name}.supported is no boolean")
    numbers = [("bulk", "maxOperations"), ("bulk", "maxPayloadSize"), ("filter", "maxResults")]
    for name, limit in numbers:
        value = found[name].get(limit)
        expect(isinstance(value, int) and not isinstance(value, bool), f"{name}.{limit} is {value!r}, not an integer")


@check("RFC 7643 §5")
def authentication_schemes_are_typed(scim: Scim) -> None:
    """DSC-03 MUST: authenticationSchemes is present, typed, with registered keywords and at most one primary."""
    schemes = scim.read("/ServiceProviderConfig").get("authenticationSchemes")
    expect(isinstance(schemes, list), f"authenticationSchemes is {schemes!r}")
    for one in schemes or []:
        for name in ("type", "name", "description"):
            expect(isinstance(one.get(name), str) and one[name], f"{name} is {one.get(name)!r}")
        expect(one["type"] in SCHEMES, f"the type {one['type']!r} is not registered")
    expect(sum(one.get("primary") is True for one in schemes or []) <= 1, "two schemes are primary")


@check("RFC 7643 §5")
def configuration_is_public(scim: Scim) -> None:
    """DSC-04 SHOULD: ServiceProviderConfig can be read without credentials, so that a client learns the scheme."""
    equal(scim.send("GET", "/ServiceProviderConfig", bare=True).status, 200, "the status without credentials")


@check("RFC 7644 §4; RFC 7643 §6")
def resource_types_are_a_list(scim: Scim) -> None:
    """DSC-05 MUST: GET /ResourceTypes is a complete ListResponse that has User at /Users."""
    page = scim.read("/ResourceTypes")
    expect(LIST in page.get("schemas", []), f"schemas is {page.get('schemas')!r}")
    equal(page["totalResults"], len(page["Resources"]), "totalResults")
    users = [one for one in page["Resources"] if one.get("schema") == USER]
    equal([one.get("endpoint") for one in users], ["/Users"], "the endpoint of users")


@check("RFC 7644 §4; RFC 7643 §6")
def each_type_is_read_alone(scim: Scim) -> None:
    """DSC-06 MUST: each ResourceType can be read alone and equals the listed one, meta included."""
    for listed in resource_types(scim):
        alone = scim.read(f"/ResourceTypes/{listed.get('id') or listed['name']}")
        equal(alone, listed, f"{listed['name']} read alone")
        expect(RESOURCE_TYPE in alone["schemas"], f"schemas is {alone['schemas']!r}")
        equal(alone["meta"]["resourceType"], "ResourceType", "meta.resourceType")


@check("RFC 7643 §6")
def named_schemas_exist(scim: Scim) -> None:
    """DSC-07 MUST: every schema and extension that a ResourceType names is served at /Schemas/{urn}."""
    for type_ in resource_types(scim):
        for urn in [type_["schema"], *(one["schema"] for one in type_.get("schemaExtensions") or [])]:
            equal(scim.read(f"/Schemas/{urn}").get("id"), urn, "id")


@check("RFC 7643 §6")
def extensions_are_typed(scim: Scim) -> None:
    """DSC-08 MUST: schemaExtensions[].required is a boolean, and .schema is a URN."""
    for type_ in resource_types(scim):
        for one in type_.get("schemaExtensions") or []:
            expect(isinstance(one.get("required"), bool), f"required is {one.get('required')!r}")
            expect(str(one.get("schema")).startswith("urn:"), f"schema is {one.get('schema')!r}")


@check("RFC 7644 §3.12")
def unknown_discovery_is_not_found(scim: Scim) -> None:
    """DSC-11 MUST: an unknown schema or resource type is answered 404 with a SCIM error."""
    scim.refused("GET", "/Schemas/urn:example:nothing", status=404)
    scim.refused("GET", "/ResourceTypes/Nothing", status=404)


@check("RFC 7644 §4")
def discovery_refuses_filters(scim: Scim) -> None:
    """DSC-12 SHOULD: a filter on a discovery endpoint is answered 403."""
    for path in ("/Schemas", "/ResourceTypes"):
        scim.refused("GET", f"{path}{query(filter='id pr')}", status=403)


@check("RFC 7644 §4")
def discovery_ignores_paging(scim: Scim) -> None:
    """DSC-13 MUST: the discovery endpoints ignore sorting and paging."""
    for path in ("/Schemas", "/ResourceTypes"):
        whole = scim.read(path)["Resources"]
        asked = scim.read(f"{path}{query(startIndex=2, count=1, sortBy='name')}")["Resources"]
        equal(len(asked), len(whole), f"the number of entries of {path}")


@check("RFC 9110 §15.5.6")
def discovery_is_read_only(scim: Scim) -> None:
    """DSC-17 POLICY: the discovery endpoints answer writes with 405 and Allow."""
    for path in ENDPOINTS:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            scim.refused(method, path, {"schemas": [USER]}, status=405)
            expect(scim.last and scim.last.header("Allow"), f"405 to {method} {path} without Allow")


@check("RFC 7643 §5; RFC 7644 §4")
def announced_features_are_there(scim: Scim) -> None:
    """DSC-18 MUST: what is announced of patch, filter, sort, etag and bulk works when it is tried once."""
    user = scim.user(displayName="Before")
    path, supports = f"/Users/{user['id']}", scim.capabilities.supports
    if supports("patch"):
        equal(scim.patch(path, op("replace", "displayName", "After"))["displayName"], "After", "the patched value")
    if supports("filter"):
        condition = f'userName eq "{user["userName"]}"'
        equal(scim.found(condition), {user["id"]}, "what the filter finds")
    if supports("sort"):
        scim.read("/Users?sortBy=userName&count=1")
    if supports("etag"):
        scim.read(path)
        expect(scim.last and scim.last.header("ETag"), "etag is announced, but a GET has no ETag")
    if supports("bulk"):
        status = scim.send("POST", "/Bulk", {"schemas": [PATCH_OP]}).status
        expect(status not in (404, 405, 501), f"bulk is announced, but /Bulk was answered {status}")


@check("RFC 7643 §5", "filter")
def pages_keep_the_limit(scim: Scim) -> None:
    """DSC-19 MUST: no page is longer than filter.maxResults."""
    most = scim.capabilities.config["filter"]["maxResults"]
    page = scim.read(f"/Users?count={most + 1000}")
    expect(len(page.get("Resources") or []) <= most, f"more than {most} resources in one page")


@check("RFC 7643 §6; RFC 7644 §3.2")
def endpoints_are_relative(scim: Scim) -> None:
    """DSC-22 MUST: ResourceType.endpoint is relative, begins with a slash and answers."""
    for type_ in resource_types(scim):
        endpoint = type_["endpoint"]
        expect(endpoint.startswith("/") and "://" not in endpoint, f"the endpoint is {endpoint!r}")
        answer = scim.send("GET", f"{endpoint}?count=1")
        known = answer.status in (200, 400, 401, 403) and isinstance(answer.value, dict)
        expect(known, f"GET {endpoint} was answered {answer.status}")


@check("draft-zollner-scim-interop-profile §5.1; RFC 7643 §6")
def type_ids_are_names(scim: Scim) -> None:
    """DSC-23 POLICY: ResourceType.id is present and equals its name."""
    for type_ in resource_types(scim):
        equal(type_.get("id"), type_["name"], "id")


@check("RFC 7643 §3.1; RFC 7644 §4")
def discovery_locations_resolve(scim: Scim) -> None:
    """DSC-24 MUST: meta.location of each schema and resource type leads to the same object."""
    for path in ("/ResourceTypes", "/Schemas"):
        for listed in scim.read(path)["Resources"]:
            answer = scim.follow((listed.get("meta") or {}).get("location"))
            expect(answer.value == listed, f"the location of {listed.get('id')} gives something else ({answer.status})")


@check("RFC 9865 §4")
def pagination_is_typed(scim: Scim) -> None:
    """DSC-25 MUST: ServiceProviderConfig.pagination, where it is present, is well typed."""
    found = scim.read("/ServiceProviderConfig").get("pagination")
    scim.need(found is not None, "no pagination is announced")
    expect(isinstance(found, dict), f"pagination is {found!r}")
    for name in ("cursor", "index"):
        expect(isinstance((found or {}).get(name), bool), f"pagination.{name} is no boolean")
    method = (found or {}).get("defaultPaginationMethod", "index")
    expect(method in ("cursor", "index"), f"defaultPaginationMethod is {method!r}")


@check("RFC 9967 §4")
def security_events_are_typed(scim: Scim) -> None:
    """DSC-26 MUST: ServiceProviderConfig.securityEvents, where it is present, is well typed."""
    found = scim.read("/ServiceProviderConfig").get("securityEvents")
    scim.need(found is not None, "no security events are announced")
    kind = (found or {}).get("asyncRequest", "none")
    expect(kind in ("none", "long", "request"), f"asyncRequest is {kind!r}")
    expect(isinstance((found or {}).get("eventUris", []), list), "eventUris is no array")


@check("draft-zollner-scim-interop-profile §4")
def interop_profile_is_true(scim: Scim) -> None:
    """DSC-27 POLICY: a server that announces interopProfileConformant refuses undefined attributes."""
    config = scim.read("/ServiceProviderConfig")
    scim.need(config.get("interopProfileConformant") is True, "the interop profile is not announced")
    scim.refused("POST", "/Users", scim.person(noSuchAttribute="x"), kind="invalidSyntax")


@check("RFC 7644 §3.12")
def discovery_errors_are_json(scim: Scim) -> None:
    """DSC-30 MUST: a path below ServiceProviderConfig is answered with a SCIM error and not with a page."""
    error = scim.call("GET", "/ServiceProviderConfig/nothing", status=(404, 400, 405))
    expect(ERROR in error.get("schemas", []), "no SCIM error")
