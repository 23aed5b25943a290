"""Discovery: protocol.md 4.1."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scim_server import create_app
from scim_server.settings import Settings
from tests.web.conftest import BASE, BULK_REQUEST, ENTERPRISE, EXT, GEXT, GROUP, LIST, SEARCH, USER, Api, op

SPC = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
TYPES = {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}
MUTABILITIES = {"readOnly", "readWrite", "immutable", "writeOnly"}
RETURNED = {"always", "never", "default", "request"}
UNIQUENESS = {"none", "server", "global"}
ATTRNAME = re.compile(r"\$?[A-Za-z][A-Za-z0-9_-]*")
READ_ONLY_PATHS = (
    "/ServiceProviderConfig",
    "/Schemas",
    f"/Schemas/{USER}",
    "/ResourceTypes",
    "/ResourceTypes/User",
)


def definitions(schema: Any) -> Iterator[tuple[Any, bool]]:
    """Every attribute definition of a schema, and whether it is a sub-attribute."""
    for attribute in schema["attributes"]:
        yield attribute, False
        yield from ((sub, True) for sub in attribute.get("subAttributes", ()))


def attribute_of(api: Api, schema: str, *names: str) -> Any:
    found: Any = {"subAttributes": api.get(f"/Schemas/{schema}")["attributes"]}
    for name in names:
        found = next(one for one in found["subAttributes"] if one["name"] == name)
    return found


def test_configuration_is_one_complete_object(api: Api) -> None:
    """DSC-01, DSC-02."""
    config = api.get("/ServiceProviderConfig")
    assert config["schemas"] == [SPC]
    for feature in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
        assert isinstance(config[feature]["supported"], bool)
    for feature, number in (("bulk", "maxOperations"), ("bulk", "maxPayloadSize"), ("filter", "maxResults")):
        assert type(config[feature][number]) is int
    assert config["meta"] == {"resourceType": "ServiceProviderConfig", "location": f"{BASE}/ServiceProviderConfig"}


def test_authentication_schemes_are_registered_keywords(api: Api) -> None:
    """DSC-03, OAU-12."""
    schemes = api.get("/ServiceProviderConfig")["authenticationSchemes"]
    assert schemes
    assert {scheme["type"] for scheme in schemes} <= {"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"}
    assert all(isinstance(scheme[key], str) and scheme[key] for scheme in schemes for key in ("name", "description"))
    assert sum(scheme.get("primary", False) for scheme in schemes) <= 1
    assert {scheme["type"] for scheme in schemes} == {"oauthbearertoken", "oauth2"}


def test_configuration_is_public_and_the_rest_is_not(anonymous: Api) -> None:
    """DSC-04, A-29."""
    assert anonymous.get("/ServiceProviderConfig")["schemas"] == [SPC]
    for path in READ_ONLY_PATHS[1:]:
        anonymous.refuse("GET", path, status=401)


@pytest.mark.parametrize("path", ["/Schemas", "/ResourceTypes"])
def test_list_is_complete_and_each_element_is_readable_alone(api: Api, path: str) -> None:
    """DSC-05, DSC-06, DSC-10, DSC-24."""
    listed = api.get(path)
    assert listed["schemas"] == [LIST]
    assert listed["totalResults"] == len(listed["Resources"]) == listed["itemsPerPage"]
    for one in listed["Resources"]:
        assert one["meta"] == {"resourceType": path[1:-1], "location": f"{BASE}{path}/{one['id']}"}
        assert api.get(one["meta"]["location"]) == one


def test_resource_types_name_what_is_served(api: Api) -> None:
    """DSC-05, DSC-07, DSC-08, DSC-22, DSC-23, CUX-01."""
    types = {one["name"]: one for one in api.get("/ResourceTypes")["Resources"]}
    assert {name: one["endpoint"] for name, one in types.items()} == {
        "User": "/Users", "Group": "/Groups", "LicensePool": "/LicensePools", "ApprovedDomain": "/ApprovedDomains",
        "AccountSettings": "/AccountSettings", "Role": "/Roles", "Entitlement": "/Entitlements",
        "EventRecord": "/EventRecords", "UserLogEntry": "/UserLogEntries", "UserStatistics": "/UserStatistics",
    }  # fmt: skip
    assert {one["schema"] for one in types["User"]["schemaExtensions"]} == {ENTERPRISE, EXT}
    for one in types.values():
        assert one["id"] == one["name"]
        assert api.get(one["endpoint"])["schemas"] == [LIST]
        extensions = one.get("schemaExtensions", [])
        for urn in (one["schema"], *(extension["schema"] for extension in extensions)):
            assert api.get(f"/Schemas/{urn}")["id"] == urn
        assert all(type(extension["required"]) is bool for extension in extensions)


def test_entitlement_discovery_finds_roles_and_licences(api: Api) -> None:
    """Okta asks /ResourceTypes for these schemas, then /Schemas, then the endpoints from startIndex 1 (idp.md 3.6)."""
    discovered = {"urn:okta:scim:schemas:core:1.0:Role", "urn:okta:scim:schemas:core:1.0:Entitlement"}
    types = [one for one in api.get("/ResourceTypes")["Resources"] if one["schema"] in discovered]
    published = {one["id"] for one in api.get("/Schemas")["Resources"]}
    found = {}
    for one in types:
        assert one["schema"] in published
        page = api.get(f"{one['endpoint']}?startIndex=1&count=100")
        found[one["name"]] = [(each["id"], each["displayName"]) for each in page["Resources"]]
    assert found == {
        "Role": [("standard", "Standard"), ("administrator", "Administrator")],
        "Entitlement": [
            ("eco", "Eco"),
            ("advanced", "Advanced"),
            ("pro", "Pro"),
            ("sharedMailbox", "Shared mailbox"),
        ],
    }
    user = api.user(ext={"licenseType": "pro", "role": "administrator"})
    assert [one["value"] for one in user["entitlements"]] == ["pro"]
    assert [one["value"] for one in user["roles"]] == ["administrator"]


def test_schemas_are_all_there_without_message_schemas(api: Api) -> None:
    """DSC-09."""
    urns = {one["id"] for one in api.get("/Schemas")["Resources"]}
    assert {USER, GROUP, ENTERPRISE, EXT, GEXT, SPC} <= urns
    assert not [urn for urn in urns if urn.startswith("urn:ietf:params:scim:api:")]


@pytest.mark.parametrize(
    "path", ["/Schemas/urn:example:nope", "/ResourceTypes/Nope", "/Schemas/User", "/ServiceProviderConfigs"]
)
def test_unknown_document_is_not_found(api: Api, path: str) -> None:
    """DSC-11."""
    api.refuse("GET", path, status=404)


@pytest.mark.parametrize("path", READ_ONLY_PATHS)
def test_filter_on_discovery_is_forbidden(api: Api, path: str) -> None:
    """DSC-12, A-30."""
    api.refuse("GET", f"{path}?filter=id+pr", status=403)


@pytest.mark.parametrize("path", ["/Schemas", "/ResourceTypes"])
def test_paging_and_sorting_of_discovery_lists_is_ignored(api: Api, path: str) -> None:
    """DSC-13."""
    assert api.get(f"{path}?startIndex=2&count=1&sortBy=name&sortOrder=sideways&attributes=id") == api.get(path)


def test_attribute_definitions_are_complete_and_legal(api: Api) -> None:
    """DSC-14; errata 5606, 5607, 8924."""
    for schema in api.get("/Schemas")["Resources"]:
        for attribute, nested in definitions(schema):
            where = f"{schema['id']}:{attribute['name']}"
            assert ATTRNAME.fullmatch(attribute["name"]), where
            # The RFC's own schema of schemas is the one that nests (RFC 7643 section 8.7.2).
            flat = nested and not schema["id"].endswith(":Schema")
            assert attribute["type"] in TYPES - ({"complex"} if flat else set()), where
            assert attribute["mutability"] in MUTABILITIES, where
            assert attribute["returned"] in RETURNED, where
            assert type(attribute["multiValued"]) is bool, where
            assert type(attribute["required"]) is bool, where
            assert attribute["description"], where
            assert (attribute["type"] == "complex") == ("subAttributes" in attribute), where
            if attribute["type"] == "complex":  # erratum 6004: no uniqueness
                assert attribute.get("uniqueness", "none") == "none", where
                continue
            assert attribute.get("uniqueness", "none") in UNIQUENESS, where
            if attribute["type"] in ("string", "reference", "binary"):
                assert type(attribute["caseExact"]) is bool, where
            if attribute["type"] == "reference":
                assert isinstance(attribute["referenceTypes"], list), where


def test_core_characteristics_follow_the_errata(api: Api) -> None:
    """DSC-15; erratum 5368."""
    name = attribute_of(api, USER, "userName")
    assert (name["required"], name["uniqueness"], name["caseExact"]) == (True, "server", False)
    password = attribute_of(api, USER, "password")
    assert (password["mutability"], password["returned"]) == ("writeOnly", "never")
    assert attribute_of(api, USER, "groups")["mutability"] == "readOnly"
    assert attribute_of(api, GROUP, "displayName")["required"] is True
    members = attribute_of(api, GROUP, "members")
    assert (members["multiValued"], members["mutability"]) == (True, "readWrite")
    assert {sub["mutability"] for sub in members["subAttributes"]} <= {"immutable", "readOnly"}


def test_references_and_ids_are_case_exact(api: Api) -> None:
    """DSC-16; errata 6001, 8472, 8475."""
    for schema in api.get("/Schemas")["Resources"]:
        for attribute, _ in definitions(schema):
            if attribute["type"] in ("reference", "binary"):
                assert attribute["caseExact"] is True, (schema["id"], attribute["name"])
    for path in ((USER, "groups", "value"), (GROUP, "members", "value"), (ENTERPRISE, "manager", "value")):
        assert attribute_of(api, *path)["caseExact"] is True


@pytest.mark.parametrize("path", READ_ONLY_PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_discovery_is_read_only(api: Api, method: str, path: str) -> None:
    """DSC-17."""
    api.refuse(method, path, status=405)
    assert {one.strip() for one in api.response.headers["Allow"].split(",")} >= {"GET"}
    assert method not in api.response.headers["Allow"]


def test_announced_features_work(api: Api) -> None:
    """DSC-18: each announced feature is exercised once, each other one is not there."""
    config = api.get("/ServiceProviderConfig")
    announced = {name for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag")
                 if config[name]["supported"]}  # fmt: skip
    assert announced == {"patch", "bulk", "filter", "sort", "etag"}
    ava, bob = api.user("ava"), api.user("bob")
    assert api.patch(f"/Users/{ava['id']}", op("replace", "title", "x"))["title"] == "x"
    assert [one["id"] for one in api.find(f'userName eq "{bob["userName"]}"')] == [bob["id"]]
    page = api.get("/Users?sortBy=userName&sortOrder=descending")
    assert [one["id"] for one in page["Resources"]] == [bob["id"], ava["id"]]
    api.get(f"/Users/{bob['id']}", headers={"If-None-Match": bob["meta"]["version"]}, status=304)
    bulk = {"schemas": [BULK_REQUEST], "Operations": [{"method": "DELETE", "path": f"/Users/{bob['id']}"}]}
    assert api.post("/Bulk", bulk, status=200)["Operations"][0]["status"] == "204"
    assert config["bulk"]["maxOperations"] == api.service.limits.bulk_operations
    assert config["bulk"]["maxOperations"] <= api.service.limits.patch_operations
    assert config["bulk"]["maxPayloadSize"] == api.service.limits.bulk_bytes


def test_no_page_is_longer_than_announced(api: Api, database_url: str) -> None:
    """DSC-19, LST-13, LIM-02: the limit is lowered for the test by the application's own settings."""
    settings = Settings(database_url=database_url, external_url="http://localhost", max_page=3, default_page=2)
    small = replace(api, app=create_app(settings))
    for n in range(5):
        api.group(f"g{n}")
    assert small.get("/ServiceProviderConfig")["filter"]["maxResults"] == 3
    for query, length in (("", 2), ("?count=3", 3), ("?count=1003", 3), ("?count=4&startIndex=5", 1)):
        page = small.get(f"/Groups{query}")
        assert (page["itemsPerPage"], len(page["Resources"]), page["totalResults"]) == (length, length, 5)
    search = {"schemas": [SEARCH], "count": 1003}
    assert small.post("/Groups/.search", search, status=200)["itemsPerPage"] == 3
    small.database.engine.dispose()


def test_pages_are_long_enough_for_identity_providers(api: Api) -> None:
    """IOP-03, DSC-25: 100 resources on a page, asked for or not, and what is announced of it is well typed."""
    announced = api.get("/ServiceProviderConfig")["pagination"]
    assert {type(announced[name]) for name in ("cursor", "index")} == {bool}
    assert announced["defaultPaginationMethod"] in ("cursor", "index")
    assert {type(value) for name, value in announced.items() if name.endswith("Size")} == {int}
    assert 100 <= announced["defaultPageSize"] <= announced["maxPageSize"]
    for n in range(101):
        api.group(f"g{n}")
    assert len(api.get("/Groups?count=100")["Resources"]) == 100
    assert len(api.get("/Groups")["Resources"]) == announced["defaultPageSize"] == 100


RICHEST: dict[str, Any] = {
    "externalId": "Ext-1",
    "name": {
        "formatted": "Dr. Ava B. Cole III",
        "familyName": "Cole",
        "givenName": "Ava",
        "middleName": "B.",
        "honorificPrefix": "Dr.",
        "honorificSuffix": "III",
    },
    "displayName": "Ava Cole",
    "nickName": "Av",
    "profileUrl": "https://example.com/ava",
    "title": "Clerk",
    "userType": "Employee",
    "preferredLanguage": "fr-CA, en;q=0.8",
    "locale": "en-US",
    "timezone": "America/Montreal",
    "active": True,
    "emails": [{"value": "home@else.example", "type": "home", "display": "Home", "primary": False}],
    "phoneNumbers": [{"value": "+1 555 0100", "type": "mobile", "display": "M", "primary": True}],
    "ims": [{"value": "ava", "type": "xmpp", "display": "X", "primary": True}],
    "photos": [{"value": "https://example.com/a.png", "type": "photo", "display": "P", "primary": True}],
    "addresses": [
        {
            "formatted": "1 Main St",
            "streetAddress": "1 Main St",
            "locality": "Town",
            "region": "QC",
            "postalCode": "H0H 0H0",
            "country": "CA",
            "type": "work",
            "primary": True,
        }
    ],
    "entitlements": [{"value": "vault", "type": "app", "display": "Vault", "primary": True}],
    "roles": [{"value": "standard", "display": "Standard", "type": "portal", "primary": True}],
    "x509Certificates": [{"value": "AAEC", "display": "C", "type": "smime", "primary": True}],
    ENTERPRISE: {
        "employeeNumber": "007",
        "costCenter": "42",
        "organization": "Org",
        "division": "Div",
        "department": "Dep",
        "manager": {"value": "nobody-known"},
    },
    EXT: {
        "kind": "person",
        "role": "standard",
        "licenseType": "pro",
        "licenseActivated": True,
        "timeZone": "America/Montreal",
        "smsCountryCode": "+1",
        "smsReturnsEnabled": True,
        "microsoftReturnsEnabled": True,
        "twoFactorEnabled": True,
    },
}


def test_attributes_of_the_account_have_types_of_their_own(api: Api) -> None:
    """CUX-02: a licence is one of the published types, switches are booleans, the zone and the prefix are texts."""
    types = {one["name"]: one["type"] for one in api.get(f"/Schemas/{EXT}")["attributes"]}
    assert {types[name] for name in types if name.endswith("Enabled")} == {"boolean"}
    assert (types["timeZone"], types["smsCountryCode"], types["licenseType"]) == ("string", "string", "string")
    licence = attribute_of(api, EXT, "licenseType")
    assert {"eco", "advanced", "pro"} <= set(licence["canonicalValues"])
    for value in ("gold", "pro eco", "e"):
        body = {"schemas": [USER], "userName": api.mail("x"), EXT: {"licenseType": value}}
        api.refuse("POST", "/Users", body, kind="invalidValue")
    assert not [name for name in types if re.search("secret|seed|totp|key|hash", name, re.IGNORECASE)]


def test_every_writable_attribute_is_stored_and_returned(api: Api) -> None:
    """DSC-21, USR-11, EXT-01; the body names every writable attribute of every published User schema."""
    writable = {"readWrite", "immutable"}
    for urn, body in ((USER, {**RICHEST, "userName": ""}), (ENTERPRISE, RICHEST[ENTERPRISE]), (EXT, RICHEST[EXT])):
        names = {one["name"] for one in api.get(f"/Schemas/{urn}")["attributes"] if one["mutability"] in writable}
        assert names <= set(body)
    created = api.user(**RICHEST)
    for name, value in RICHEST.items():
        if name == "entitlements":  # the licence is one of them, by the alias of R7
            assert value[0] in created[name]
        elif isinstance(value, dict):
            assert {key: created[name][key] for key in value} == value
        else:
            assert created[name] == value
    assert api.get(f"/Users/{created['id']}") == created


def test_resources_have_published_attributes_only(api: Api) -> None:
    """DSC-20, DSC-29."""
    user = api.user(**RICHEST)
    group = api.group("Sales", user["id"], externalId="g")
    published = {schema["id"]: schema for schema in api.get("/Schemas")["Resources"]}
    common = {"schemas", "id", "externalId", "meta"}
    for resource, urn in ((api.get(f"/Users/{user['id']}"), USER), (api.get(f"/Groups/{group['id']}"), GROUP)):
        for name, value in resource.items():
            block = published.get(name)
            if block is not None:
                assert set(value) <= {one["name"] for one in block["attributes"]}
            elif name not in common:
                definition = next(one for one in published[urn]["attributes"] if one["name"] == name)
                subs = {one["name"] for one in definition.get("subAttributes", ())}
                for element in value if isinstance(value, list) else [value] if subs else []:
                    assert set(element) <= subs, name
        assert set(resource["meta"]) == {"resourceType", "created", "lastModified", "location", "version"}


def test_type_sub_attributes_publish_their_values(api: Api) -> None:
    """DSC-28."""
    for name in ("emails", "phoneNumbers", "ims", "photos", "addresses"):
        assert attribute_of(api, USER, name, "type")["canonicalValues"]
