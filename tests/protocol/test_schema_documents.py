"""The schema documents are complete, legal, corrected by the errata, and say what the account's rules say."""

import json
import re
from pathlib import Path

import pytest
from scim2_models import Extension, Resource, ResourceType, Schema

from scim_server.account.policies import POLICIES

SCHEMAS = Path(__file__).parents[2] / "schemas"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
EXTENSION = "urn:ietf:params:scim:schemas:extension:"
ENTERPRISE, EXT, GEXT = (
    EXTENSION + end for end in ("enterprise:2.0:User", "secureexchanges:2.0:User", "secureexchanges:2.0:Group")
)

DOCUMENTS = {doc["id"]: doc for doc in (json.loads(file.read_text()) for file in sorted(SCHEMAS.glob("*.json")))}
RESOURCE_TYPES = {
    doc["id"]: doc for doc in (json.loads(file.read_text()) for file in sorted(SCHEMAS.glob("resource-types/*.json")))
}

ACCOUNT = "urn:ietf:params:scim:schemas:secureexchanges:2.0:"
DISCOVERED = "urn:okta:scim:schemas:core:1.0:"
READ_ONLY = {
    "LicensePool": ("/LicensePools", ACCOUNT),
    "ApprovedDomain": ("/ApprovedDomains", ACCOUNT),
    "AccountSettings": ("/AccountSettings", ACCOUNT),
    "EventRecord": ("/EventRecords", ACCOUNT),
    "UserLogEntry": ("/UserLogEntries", ACCOUNT),
    "UserStatistics": ("/UserStatistics", ACCOUNT),
    "Role": ("/Roles", DISCOVERED),
    "Entitlement": ("/Entitlements", DISCOVERED),
}
# name -> endpoint, what its schema's URN begins with

ALWAYS = {"name", "type", "multiValued", "description", "required", "mutability", "returned"}
BY_TYPE = {
    "string": {"uniqueness", "caseExact"},
    "reference": {"uniqueness", "caseExact", "referenceTypes"},
    "binary": {"uniqueness", "caseExact"},
    "complex": {"subAttributes"},
    **{simple: {"uniqueness"} for simple in ("boolean", "decimal", "integer", "dateTime")},
}
KEYWORDS = {
    "mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
    "returned": {"always", "never", "default", "request"},
    "uniqueness": {"none", "server", "global"},
}
TYPES = "eco advanced pro apiAdvanced apiPro sharedMailbox sesar"
# rules.md 4.2 and 4.3: name -> type, mutability, returned, canonicalValues
USER_ROWS = {
    "kind": ("string", "immutable", "default", "person sharedMailbox"),
    "role": ("string", "readWrite", "default", "standard administrator"),
    "licenseType": ("string", "readWrite", "default", TYPES),
    "licenseActivated": ("boolean", "readWrite", "default", ""),
    "licenseTransferTo": ("string", "writeOnly", "never", ""),
    "licenseStatus": ("string", "readOnly", "default", "none pending assigned activated suspended expired"),
    "licenseStatusReason": ("string", "readOnly", "default", "noSeatAvailable userInactive typeConflict"),
    "licenseSource": ("string", "readOnly", "default", "direct group"),
    "licensePendingType": ("string", "readOnly", "default", TYPES),
    **dict.fromkeys(("licenseAssignedAt", "licenseActivatedAt"), ("dateTime", "readOnly", "default", "")),
    **dict.fromkeys(("licenseExpiresAt", "deactivatedAt"), ("dateTime", "readOnly", "default", "")),
    "licenseResetRequired": ("boolean", "readOnly", "default", ""),
    **dict.fromkeys(("activationsAllowed", "activationsUsed"), ("integer", "readOnly", "default", "")),
    **dict.fromkeys(("timeZone", "smsCountryCode"), ("string", "readWrite", "default", "")),
    **dict.fromkeys(
        ("smsReturnsEnabled", "microsoftReturnsEnabled", "twoFactorEnabled"), ("boolean", "readWrite", "default", "")
    ),
    "logEntryCount": ("integer", "readOnly", "request", ""),
    "lastActivityAt": ("dateTime", "readOnly", "request", ""),
}
PERMISSIONS = (
    "businessManagement billing purchasing logs administratorLogs domainManagement domainRules rolesAndPermissions"
)
GROUP_ROWS = {
    "kind": ("string", "immutable", "default", "directory roleGroup sharedMailboxUsers"),
    "licenseType": ("string", "readWrite", "default", "eco advanced pro"),
    "permissions": ("string", "readOnly", "default", PERMISSIONS),
    "sharedMailbox": ("string", "readWrite", "default", ""),
    **dict.fromkeys(
        ("memberCount", "licensedMemberCount", "pendingMemberCount"), ("integer", "readOnly", "default", "")
    ),
}


def walk(attributes, path=""):
    for attribute in attributes:
        yield path + attribute["name"], attribute
        yield from walk(attribute.get("subAttributes", []), f"{path}{attribute['name']}.")


ATTRIBUTES = {(urn, path): attribute for urn, doc in DOCUMENTS.items() for path, attribute in walk(doc["attributes"])}
every_schema = pytest.mark.parametrize("schema", [pytest.param(doc, id=doc["name"]) for doc in DOCUMENTS.values()])


def test_exactly_the_served_schemas_have_a_document():
    core = {CORE + name for name in ("User", "Group", "ServiceProviderConfig", "ResourceType", "Schema")}
    assert set(DOCUMENTS) == core | {ENTERPRISE, EXT, GEXT} | {start + name for name, (_, start) in READ_ONLY.items()}


@every_schema
def test_a_schema_document_says_what_it_is(schema):
    assert schema["schemas"] == [CORE + "Schema"]
    assert set(schema) == {"schemas", "id", "name", "description", "attributes"} and schema["description"]


@every_schema
def test_no_two_attributes_beside_each_other_share_a_name_in_any_case(schema):
    paths = [path.lower() for path, _ in walk(schema["attributes"])]
    assert len(paths) == len(set(paths))


@every_schema
def test_common_attributes_are_not_defined_again(schema):
    assert not {"id", "externalId", "meta", "schemas"} & {attribute["name"] for attribute in schema["attributes"]}


def test_every_attribute_has_all_the_characteristics_of_its_type_and_no_other():
    for key, attribute in ATTRIBUTES.items():
        assert set(attribute) - {"canonicalValues"} == ALWAYS | BY_TYPE[attribute["type"]], key
        assert re.fullmatch(r"\$ref|[A-Za-z][\w-]*", attribute["name"], re.ASCII), key
        assert re.fullmatch(r"[A-Z][^\n]*[^.]\.", attribute["description"]), key


def test_characteristics_are_json_booleans_known_keywords_and_lists_of_strings():
    for key, attribute in ATTRIBUTES.items():
        assert all(
            isinstance(attribute[name], bool) for name in ("multiValued", "required", "caseExact") if name in attribute
        ), key
        assert all(attribute[name] in words for name, words in KEYWORDS.items() if name in attribute), key
        lists = [
            attribute[name] for name in ("canonicalValues", "referenceTypes", "subAttributes") if name in attribute
        ]
        assert all(isinstance(values, list) and values for values in lists), key
        texts = attribute.get("canonicalValues", []) + attribute.get("referenceTypes", [])
        assert all(isinstance(text, str) for text in texts) and len(texts) == len(set(texts)), key


def test_no_complex_attribute_holds_a_complex_one_but_in_the_schema_of_schemas():
    nested = {
        (urn, path) for (urn, path), attribute in ATTRIBUTES.items() if "." in path and attribute["type"] == "complex"
    }
    assert nested == {(CORE + "Schema", "attributes.subAttributes")}


def test_a_part_of_a_read_only_attribute_is_read_only_and_write_only_is_never_returned():
    for key, attribute in ATTRIBUTES.items():
        parts = {sub["mutability"] for sub in attribute.get("subAttributes", [])}
        assert attribute["mutability"] != "readOnly" or parts <= {"readOnly"}, key
        assert (attribute["mutability"] == "writeOnly") == (attribute["returned"] == "never"), key


def test_references_binaries_and_ids_of_resources_are_case_exact():
    ids = {
        (CORE + "Group", "members.value"),
        (CORE + "User", "groups.value"),
        (ENTERPRISE, "manager.value"),
        (GEXT, "sharedMailbox"),
    }
    exact = ids | {key for key, attribute in ATTRIBUTES.items() if attribute["type"] in ("reference", "binary")}
    assert all(ATTRIBUTES[key]["caseExact"] is True for key in exact)


@pytest.mark.parametrize(
    ("urn", "path", "characteristics"),
    [
        (
            CORE + "User",
            "userName",
            {"required": True, "uniqueness": "server", "caseExact": False, "returned": "default"},
        ),
        (CORE + "User", "password", {"mutability": "writeOnly", "returned": "never", "caseExact": True}),
        (CORE + "User", "groups", {"mutability": "readOnly", "multiValued": True}),
        (CORE + "User", "groups.type", {"canonicalValues": ["direct", "indirect"]}),
        (CORE + "User", "roles.value", {"canonicalValues": ["standard", "administrator"]}),
        (CORE + "User", "entitlements.type", {"canonicalValues": ["license"]}),
        (CORE + "User", "x509Certificates.value", {"type": "binary"}),
        (CORE + "Group", "displayName", {"required": True, "uniqueness": "server"}),
        (CORE + "Group", "members", {"mutability": "readWrite", "multiValued": True, "required": False}),
        *[(CORE + "Group", f"members.{name}", {"mutability": "immutable"}) for name in ("value", "$ref", "type")],
        (CORE + "Group", "members.display", {"mutability": "readOnly", "returned": "request"}),
        *[
            (CORE + "Group", f"members.{name}", {key: ["User"]})
            for name, key in (("$ref", "referenceTypes"), ("type", "canonicalValues"))
        ],
        *[
            (ENTERPRISE, f"manager.{name}", {"required": False, "mutability": "readWrite"})
            for name in ("value", "$ref")
        ],
        (ENTERPRISE, "manager.displayName", {"mutability": "readOnly"}),
        (CORE + "ResourceType", "schemaExtensions", {"multiValued": True}),
        (CORE + "ServiceProviderConfig", "authenticationSchemes.type", {"required": True}),
        (CORE + "ServiceProviderConfig", "pagination", {"type": "complex", "required": False}),
    ],
)
def test_characteristics_follow_the_rfc_with_its_errata(urn, path, characteristics):
    assert characteristics.items() <= ATTRIBUTES[urn, path].items()


def test_kinds_of_addresses_and_numbers_are_suggested():
    labelled = (
        ATTRIBUTES[CORE + "User", f"{name}.type"] for name in ("emails", "phoneNumbers", "ims", "photos", "addresses")
    )
    assert all(label["canonicalValues"] for label in labelled)


def test_the_schema_of_schemas_knows_every_type_that_is_used():
    used = {attribute["type"] for attribute in ATTRIBUTES.values()}
    assert used <= set(BY_TYPE) == set(ATTRIBUTES[CORE + "Schema", "attributes.type"]["canonicalValues"])


def test_what_describes_the_service_is_read_only():
    service = {CORE + name for name in ("ServiceProviderConfig", "ResourceType", "Schema")}
    assert {attribute["mutability"] for (urn, _), attribute in ATTRIBUTES.items() if urn in service} == {"readOnly"}


@pytest.mark.parametrize("name", READ_ONLY)
def test_what_is_managed_in_the_portal_is_read_only(name):
    """R32."""
    urn = READ_ONLY[name][1] + name
    assert DOCUMENTS[urn]["name"] == name
    assert {attribute["mutability"] for (of, _), attribute in ATTRIBUTES.items() if of == urn} == {"readOnly"}


# rules.md 4.4, with what identity teams need besides
READ_ONLY_ROWS = {
    "LicensePool": {
        "string": "displayName licenseType family value display type",
        "integer": "tier total assigned available suspended pending totalAssignmentsPermitted totalAssignmentsUsed",
        "boolean": "protectedReturns supported limitedAssignmentsPermitted",
    },
    "Entitlement": {
        "string": "displayName type value display",
        "integer": "totalAssignmentsPermitted totalAssignmentsUsed",
        "boolean": "supported limitedAssignmentsPermitted",
    },
    "Role": {
        "string": "displayName value display",
        "integer": "totalAssignmentsUsed",
        "boolean": "supported limitedAssignmentsPermitted",
    },
    "ApprovedDomain": {
        "string": "domainName status method",
        "dateTime": "requestedAt approvedAt",
        "boolean": "publicProvider",
        "integer": "userCount",
    },
    "EventRecord": {
        "dateTime": "occurredAt",
        "string": "action outcome rule error detail actor.type actor.value target.type target.value target.display "
        "changes.attribute changes.from changes.to request.method request.path requestId",
        "boolean": "changes.ignored",
        "integer": "status logEntriesPurged",
        "complex": "actor target changes request",
    },
    "UserLogEntry": {
        "complex": "user",
        "reference": "user.$ref",
        "dateTime": "sentAt lastActivityAt expiresAt",
        "string": "user.value status subject kind recipients codeType",
        "integer": "fileCount byteCount openCount signatureRequestCount signedFileCount",
    },
    "UserStatistics": {
        "string": "userName",
        "dateTime": "periodStart periodEnd",
        "integer": "messagesSent filesSent bytesSent filesSigned",
        "decimal": "openRatio signatureRatio",
    },
}


@pytest.mark.parametrize("name", READ_ONLY_ROWS)
def test_the_read_only_schemas_say_what_the_rules_say(name):
    rows = {path: kind for kind, paths in READ_ONLY_ROWS[name].items() for path in paths.split()}
    published = {path: one["type"] for (of, path), one in ATTRIBUTES.items() if of == READ_ONLY[name][1] + name}
    assert published == rows


def test_every_policy_is_an_attribute_of_the_account_settings():
    """What is before the dot of a policy's key is a complex attribute; the one without a dot is a list."""
    numbers = [reader.allowed for _, reader in POLICIES.values() if reader.allowed.startswith("a whole number")]
    kinds = {**dict.fromkeys(numbers, "integer"), "true, false": "boolean"}
    expected = {}
    for key, (_, reader) in POLICIES.items():
        head, dot, _ = key.partition(".")
        expected[head] = "complex"
        if dot:
            expected[key] = kinds.get(reader.allowed, "string")
    expected |= {"groupLicenses.displayName": "string", "groupLicenses.licenseType": "string"}
    settings = {path: one for (of, path), one in ATTRIBUTES.items() if of == ACCOUNT + "AccountSettings"}
    assert {path: one["type"] for path, one in settings.items()} == expected
    assert [path for path, one in settings.items() if one["multiValued"]] == ["groupLicenses"]
    for key, (_, reader) in POLICIES.items():
        words = settings[key].get("canonicalValues", [])
        assert reader.allowed in (", ".join(words), *kinds, "a licence type or none") or not words, key


@pytest.mark.parametrize(("urn", "rows"), [(EXT, USER_ROWS), (GEXT, GROUP_ROWS)])
def test_the_account_extensions_say_what_the_rules_say(urn, rows):
    def row(attribute):
        return (
            *(attribute[key] for key in ("type", "mutability", "returned")),
            " ".join(attribute.get("canonicalValues", [])),
        )

    published = DOCUMENTS[urn]["attributes"]
    assert {attribute["name"]: row(attribute) for attribute in published} == rows
    assert [attribute["name"] for attribute in published if attribute["multiValued"]] == (
        ["permissions"] if urn == GEXT else []
    )
    assert {attribute["name"] for attribute in published if attribute.get("caseExact")} <= {"sharedMailbox"}
    assert not any(attribute["required"] for attribute in published)


@every_schema
def test_scim2_models_builds_a_model_of_every_schema(schema):
    base = Extension if schema["id"].startswith(EXTENSION) else Resource
    assert base.from_schema(Schema.model_validate(schema)).to_schema().id == schema["id"]


def test_no_extension_is_named_like_another_schema_or_a_core_attribute():
    names = [doc["name"].lower() for doc in DOCUMENTS.values()]
    extensions = {doc["name"].lower() for urn, doc in DOCUMENTS.items() if urn.startswith(EXTENSION)}
    assert len(names) == len(set(names))
    assert not extensions & {path.lower() for urn, path in ATTRIBUTES if urn.startswith(CORE)}


def test_resource_types_name_only_schemas_that_exist():
    read_only = {name: endpoint for name, (endpoint, _) in READ_ONLY.items()}
    endpoints = {"User": "/Users", "Group": "/Groups", **read_only}
    assert {name: doc["endpoint"] for name, doc in RESOURCE_TYPES.items()} == endpoints
    for doc in RESOURCE_TYPES.values():
        assert ResourceType.model_validate(doc).name == doc["id"]
        extensions = doc.get("schemaExtensions", [])
        assert bool(extensions) == (doc["id"] not in READ_ONLY)
        assert {doc["schema"], *(extension["schema"] for extension in extensions)} <= set(DOCUMENTS)
        assert all(extension["required"] is False for extension in extensions)
