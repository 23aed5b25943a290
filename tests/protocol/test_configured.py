"""Documents of resource types from configuration: what is refused, in which words, and what is served."""

from pathlib import Path
from typing import Any

import pytest

from scim_server.protocol.catalogue import Catalogue
from scim_server.protocol.configured import BadDocuments
from tests.extra_types import EXTRA, WARRANTY, attribute, resource_type, schema, written

THING, MORE = "urn:example:2.0:Thing", "urn:example:2.0:More"
TYPE = "resource-types/thing"


def problems(directory: Path, **documents: Any) -> tuple[str, ...]:
    """What is wrong with these documents in place of a good schema and a good resource type."""
    good = {"thing": schema(THING), TYPE: resource_type()}
    with pytest.raises(BadDocuments) as refusal:
        Catalogue(extra=written(directory, good | documents))
    assert str(directory) in str(refusal.value)
    return refusal.value.problems


def test_good_documents_are_served(tmp_path: Path) -> None:
    catalogue = Catalogue(extra=written(tmp_path, {"thing": schema(THING), TYPE: resource_type()}))
    things = catalogue.endpoints["/Things"]
    assert things.is_generic and not things.is_read_only
    assert not catalogue.endpoints["/Users"].is_generic
    assert catalogue.endpoint_of("Thing") is things
    assert THING in catalogue.schemas


def test_the_documents_of_the_tests_are_served() -> None:
    devices = Catalogue(extra=EXTRA).endpoint_of("Device")
    assert devices.extensions == (WARRANTY,)
    assert devices.hides
    assert {one.type for one in devices.by_urn.values()} == {
        "string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex",
    }  # fmt: skip


def test_names_that_mean_something_to_python_are_served(tmp_path: Path) -> None:
    names = ("copy", "json", "schema", "class", "import", "a$b", "x-y", "x_y", "userName", "user_name")
    parts = [attribute("$ref", "reference"), attribute("value")]
    document = schema(
        THING, *map(attribute, names), attribute("items", "complex", multiValued=True, subAttributes=parts)
    )
    endpoint = Catalogue(extra=written(tmp_path, {"thing": document, TYPE: resource_type()})).endpoint_of("Thing")
    for name in (*names, "items.$ref"):
        assert endpoint.named(name) is endpoint.named(f"{THING}:{name}") is endpoint.by_urn[f"{THING}:{name}".lower()]


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        (attribute("1st"), "('1st').name must be a letter, then letters, digits, - or _; at most 64 characters"),
        (attribute("a.b"), "('a.b').name must be a letter"),
        (attribute("sch\u00f6n"), "name must be a letter"),
        (attribute("x" * 65), "name must be a letter"),
        (attribute(5), ".name must be a letter"),
        *((attribute(name), f"('{name}').name is an attribute that every resource has") for name in ("ID", "meta", "schemas", "externalid")),
        (attribute("Taken"), "('Taken') has the name of attributes[0]; names are compared without case"),
        (attribute(kind="text"), "('label').type is none of string, boolean"),
        (attribute(mutability="often"), "('label').mutability is none of readOnly, readWrite, immutable, writeOnly"),
        (attribute(returned=True), "('label').returned is none of always"),
        (attribute(uniqueness="local"), "('label').uniqueness is none of none, server, global"),
        (attribute(required="true"), "('label').required must be true or false"),
        (attribute(caseExact=0), "('label').caseExact must be true or false"),
        (attribute(canonicalValues=[]), "('label').canonicalValues must be an array of one or more strings"),
        (attribute(canonicalValues=["a", "a"]), "('label').canonicalValues has a value twice"),
        (attribute(kind="reference", referenceTypes="external"), "('label').referenceTypes must be an array"),
        (attribute(referenceTypes=["User"]), "('label').referenceTypes is not known here"),
        (attribute(subAttributes=[attribute()]), "('label').subAttributes is not known here"),
        (attribute(unique=True), "('label').unique is not known here"),
        (attribute(description=None), "('label').description must be a string"),
        ({"name": "label", "type": "boolean"}, "('label').mutability is missing"),
        ({**attribute(), "type": ["string"]}, "('label').type is none of"),
        (attribute(kind="complex", subAttributes=[]), "('label').subAttributes must be an array of one or more attributes"),
        (attribute(kind="complex", subAttributes=[attribute("in", "complex")]),
         "('label').subAttributes[0] ('in').type is complex inside a complex attribute (RFC 7643 section 2.3.8)"),
        (attribute(kind="complex", subAttributes=[attribute("a"), attribute("A")]), "subAttributes[1] ('A') has the name of"),
        (attribute(kind="complex", multiValued=True, subAttributes=[attribute("a", multiValued=True)]),
         "('a').multiValued is true inside a multi-valued attribute"),
        (attribute(kind="complex", mutability="readOnly"), "('value').mutability must be readOnly"),
        (attribute(kind="complex", uniqueness="server"), "('label').uniqueness must be none for a complex attribute"),
        (attribute(mutability="writeOnly"), "('label').returned must be never for what is writeOnly"),
        (attribute(returned="never", uniqueness="server"), "('label').uniqueness must be none for what is never returned"),
        ("label", "attributes[1] is no JSON object"),
    ],
    ids=str,
)  # fmt: skip
def test_an_illegal_attribute_is_refused(tmp_path: Path, definition: Any, told: str) -> None:
    found = problems(tmp_path, thing=schema(THING, attribute("taken"), definition))
    assert any(told in one and one.startswith("thing.json: attributes[1]") for one in found), found


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "thing.json: is not JSON: "),
        ("[]", "thing.json: is no JSON object"),
        (schema(THING, schemas=["x"]), 'thing.json: schemas must be ["urn:ietf:params:scim:schemas:core:2.0:Schema"]'),
        (schema(THING, colour="red"), "thing.json: colour is not known here"),
        (schema(THING, name="A b"), "thing.json: name must be a letter"),
        (schema(THING, description=5), "thing.json: description must be a string"),
        (schema(THING, attributes=[]), "thing.json: attributes must be an array of one or more attributes"),
        (schema(THING, attribute(mutability="readOnly")), "thing.json: attributes are all readOnly"),
        *((schema(urn), "thing.json: id must be a URN of at most 255 characters that ends in a name") for urn in (
            "Thing", "http://example.com/Thing", "urn:Thing", "urn:x:", "urn:example:a b:Thing", "urn:example:2.0", "urn:a/b:Thing",
            "URN:example:Thing", f"urn:example:{'x' * 255}:Thing",
        )),
        (schema("urn:ietf:params:scim:api:messages:2.0:Thing"), "thing.json: id is a URN of messages, not of schemas"),
        (schema("urn:ietf:params:scim:schemas:core:2.0:User"), "thing.json: id is the URN of a schema of the product"),
        (schema("URN:ietf:params:scim:schemas:core:2.0:user".replace("URN", "urn")), "thing.json: id is the URN of a schema of"),
        (schema("urn:ietf:params:scim:schemas:core:2.0:User:more"), "thing.json: id begins as a schema of the product does"),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_a_bad_schema_is_refused(tmp_path: Path, document: Any, told: str) -> None:
    found = problems(tmp_path, thing=document)
    assert any(one.startswith(told) for one in found), found


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("nothing", "is not JSON: "),
        ("5", "is no JSON object"),
        (resource_type(id="Other"), "id must be the same as name"),
        (resource_type("My Thing"), "name must be a letter"),
        (resource_type(colour="red"), "colour is not known here"),
        *((resource_type(endpoint=path), "endpoint must be a slash and one name, such as /Devices")
          for path in ("Things", "/", "/a/b", "/Things/", "https://example.com/Things", "/.search", "/<x>", None)),
        *((resource_type(endpoint=path), "endpoint is that of a resource type of the product")
          for path in ("/Users", "/groups", "/LicensePools", "/EventRecords")),
        *((resource_type(endpoint=path), "endpoint is that of a resource type of the protocol")
          for path in ("/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig")),
        *((resource_type(name, endpoint="/Things"), f"name is {name}, which is built in: it can neither be redefined")
          for name in ("User", "Group")),
        (resource_type("user", endpoint="/Things"), "name is that of a resource type of the product"),
        (resource_type("Schema", endpoint="/Things"), "name is that of a resource type of the protocol"),
        (resource_type(urn=MORE), f"schema names '{MORE}', which no schema document of the directory has as its id"),
        (resource_type(urn="urn:ietf:params:scim:schemas:core:2.0:User"), "schema names 'urn:ietf:params:scim:schemas:core"),
        (resource_type(schemaExtensions={}), "schemaExtensions must be an array"),
        (resource_type(schemaExtensions=[{"schema": MORE}]), "schemaExtensions[0] must be an object with a schema"),
        (resource_type(schemaExtensions=[{"schema": MORE, "required": "no"}]), "schemaExtensions[0] must be an object"),
        (resource_type(schemaExtensions=[{"schema": MORE, "required": True}] * 2), "schemaExtensions names"),
        (resource_type(schemaExtensions=[{"schema": MORE, "required": True}]), f"schemaExtensions[0].schema names '{MORE}'"),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_a_bad_resource_type_is_refused(tmp_path: Path, document: Any, told: str) -> None:
    found = problems(tmp_path, **{TYPE: document})
    assert any(one.startswith(f"{TYPE}.json: {told}") for one in found), found


def test_two_documents_may_not_say_the_same(tmp_path: Path) -> None:
    twin = resource_type(endpoint="/THINGS")
    assert problems(tmp_path, twin=schema(THING), **{"resource-types/twin": twin}) == (
        "twin.json: id is the URN of a schema of thing.json",
        "resource-types/twin.json: name is that of a resource type of resource-types/thing.json",
        "resource-types/twin.json: endpoint is that of a resource type of resource-types/thing.json",
        "resource-types/twin.json: schema is that of resource-types/thing.json already; each resource type has a schema of "
        "its own",
    )  # fmt: skip


def test_a_schema_that_nobody_names_is_refused(tmp_path: Path) -> None:
    told = "more.json: id is named by no resource type, so that the schema would not be served"
    assert problems(tmp_path, more=schema(MORE)) == (told,)


def test_a_schema_is_a_core_or_an_extension(tmp_path: Path) -> None:
    both = resource_type(schemaExtensions=[{"schema": THING, "required": False}])
    assert problems(tmp_path, **{TYPE: both}) == (
        "thing.json: id is named as an extension too; a schema is one or the other",
    )


def test_a_directory_without_resource_types_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDocuments, match="resource-types/: has no"):
        Catalogue(extra=tmp_path)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        thing=schema("Thing", attribute("1", mutability="x"), attribute("1")),
        more="{",
        **{TYPE: resource_type("My Thing", endpoint="x")},
    )
    assert [one.partition(":")[0] for one in found] == ["more.json", *["thing.json"] * 5, *[f"{TYPE}.json"] * 2]
