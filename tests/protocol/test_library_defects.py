"""The defects of scim2-models that are about its objects rather than about the wire; see tests/web for the others."""

from pathlib import Path
from shutil import copytree
from typing import Any

import orjson
import pytest
from scim2_models import Context, InvalidPathException, InvalidValueException, MutabilityException

from scim_server.idp.profiles import profiles
from scim_server.protocol.catalogue import ENTERPRISE, GROUP, SCHEMAS, USER, Catalogue, Endpoint
from scim_server.protocol.documents import projected, projection
from scim_server.protocol.intake import Notes
from scim_server.protocol.messages import replaced, validated
from scim_server.protocol.operations import Operation, Patch
from scim_server.protocol.patches import read_patch

CATALOGUE = Catalogue()
USERS, GROUPS = CATALOGUE.endpoints["/Users"], CATALOGUE.endpoints["/Groups"]
DEFAULT = profiles()["default"]
AVA = {"schemas": [USER], "id": "1", "userName": "ava"}


def patched(endpoint: Endpoint, document: Any, *operations: dict[str, Any]) -> dict[str, Any]:
    body = DEFAULT.rewrite_patch(endpoint, {"Operations": list(operations)})
    return read_patch(endpoint, body, DEFAULT.tolerance, 1000).apply(endpoint, document, DEFAULT.policy)


def changed(tmp_path: Path, file: str, **changes: dict[str, Any]) -> Catalogue:
    """The catalogue with other characteristics for some attributes of a schema."""
    directory = Path(copytree(SCHEMAS, tmp_path / "schemas"))
    document = orjson.loads((directory / file).read_bytes())
    for attribute in document["attributes"]:
        attribute.update(changes.get(attribute["name"], {}))
    (directory / file).write_bytes(orjson.dumps(document))
    return Catalogue(directory)


def test_s03_members_never_reach_the_librarys_patch() -> None:
    """It takes half a minute for a hundred removals from a group of ten thousand."""
    operations = [{"op": "remove", "path": f'members[value eq "{n}"]'} for n in range(100)]
    operations.append({"op": "add", "path": "members", "value": [{"value": f"{n}"} for n in range(1000)]})
    read = read_patch(GROUPS, {"Operations": operations}, DEFAULT.tolerance, 1000)
    assert (read.operations, len(read.members)) == ((), 101)
    group = {"schemas": [GROUP], "id": "1", "displayName": "g"}
    assert read.apply(GROUPS, group, DEFAULT.policy) == group


def test_s05_errors_of_the_models_are_told_without_their_insides() -> None:
    operation = Operation("replace", "name.givenName", USERS.attributes["name"].sub_attributes["givenname"], 5)
    with pytest.raises(InvalidValueException) as refused:
        Patch((operation,), (), Notes()).apply(USERS, AVA, DEFAULT.policy)
    with pytest.raises(InvalidValueException) as unfit:
        validated(USERS, {"userName": "ava", "displayName": 5}, Context.RESOURCE_CREATION_REQUEST)
    for detail, name in ((str(refused.value), "givenName"), (str(unfit.value), "displayName")):
        assert not [one for one in ("pydantic", "User[", "_name", "errors.", "\n") if one in detail]
        assert name in detail


def test_s08_what_is_always_returned_stays_within_what_is_not(tmp_path: Path) -> None:
    users = changed(tmp_path, "enterprise-user.json", costCenter={"returned": "always"}).endpoints["/Users"]
    document = {**AVA, ENTERPRISE: {"costCenter": "C", "department": "D"}}
    kept = {"schemas": [USER], "id": "1", ENTERPRISE: {"costCenter": "C"}}
    assert projected(users, document, projection(users, ["title"], [])) == kept
    assert projected(users, document, projection(users, [], [ENTERPRISE])) == {**kept, "userName": "ava"}
    assert projected(users, document, projection(users, [], [f"{ENTERPRISE}:costCenter"])) == document


def test_s13_immutable_values_are_the_same_in_any_case_and_order(tmp_path: Path) -> None:
    immutable = {"mutability": "immutable"}
    many = {**immutable, "multiValued": True}
    users = changed(tmp_path, "enterprise-user.json", costCenter=immutable, division=many).endpoints["/Users"]
    before = {**AVA, ENTERPRISE: {"costCenter": "Sales", "division": ["A", "b"]}}
    for same in ({"costCenter": "SALES", "division": ["B", "a"]}, {}, {"division": None}):
        after = replaced(users, before, {**AVA, ENTERPRISE: same}, ())[ENTERPRISE]
        assert {name.lower() for name in after} == {"costcenter", "division"}
    for other in ({"costCenter": "Sale"}, {"division": ["A"]}, {"division": ["A", "c"]}):
        with pytest.raises(MutabilityException, match=next(iter(other))):
            replaced(users, before, {**AVA, ENTERPRISE: other}, ())


def test_s15_patch_cannot_leave_an_extension_without_its_required_part(tmp_path: Path) -> None:
    """EXT-04."""
    users = changed(tmp_path, "enterprise-user.json", department={"required": True}).endpoints["/Users"]
    whole = {**AVA, "schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "D", "division": "V"}}
    for document, operation in (
        (AVA, {"op": "add", "path": f"{ENTERPRISE}:division", "value": "V"}),
        (AVA, {"op": "add", "value": {ENTERPRISE: {"division": "V"}}}),
        (AVA, {"op": "add", "path": f"{ENTERPRISE}:manager.value", "value": "boss"}),
    ):
        with pytest.raises(InvalidValueException, match="department is required"):
            patched(users, document, operation)
    with pytest.raises(MutabilityException, match="department' is required"):
        patched(users, whole, {"op": "remove", "path": f"{ENTERPRISE}:department"})
    both = {"op": "add", "path": ENTERPRISE, "value": {"division": "V", "department": "D"}}
    assert patched(users, AVA, both) == whole
    assert patched(users, whole, {"op": "remove", "path": ENTERPRISE}) == AVA
    with pytest.raises(InvalidValueException, match="required"):
        validated(users, {"userName": "ava", ENTERPRISE: {"division": "V"}}, Context.RESOURCE_CREATION_REQUEST)


def test_s18_times_are_kept_as_sent_by_a_patch_of_something_else(tmp_path: Path) -> None:
    users = changed(tmp_path, "enterprise-user.json", costCenter={"type": "dateTime"}).endpoints["/Users"]
    sent = "2026-01-31T08:00:00.1234567+00:00"
    document = patched(users, AVA, {"op": "add", "path": f"{ENTERPRISE}:costCenter", "value": sent})
    assert patched(users, document, {"op": "add", "path": "title", "value": "x"})[ENTERPRISE] == {"costCenter": sent}
    for wrong in ("2026-01-31", "0", "2026-01-31 08:00:00Z", 0, "2026-02-31T08:00:00Z"):
        with pytest.raises(InvalidValueException):
            patched(users, AVA, {"op": "add", "path": f"{ENTERPRISE}:costCenter", "value": wrong})


@pytest.mark.parametrize(
    ("type", "wrong"),
    [("integer", ["5", 5.0, True, 2**63, {}]), ("decimal", ["5", True, "nan", "1e5"])],
)
def test_s18_numbers_are_numbers(tmp_path: Path, type: str, wrong: list[Any]) -> None:
    users = changed(tmp_path, "enterprise-user.json", costCenter={"type": type}).endpoints["/Users"]
    path = f"{ENTERPRISE}:costCenter"
    assert patched(users, AVA, {"op": "add", "path": path, "value": 5})[ENTERPRISE] == {"costCenter": 5}
    for value in wrong:
        with pytest.raises(InvalidValueException):
            patched(users, AVA, {"op": "add", "path": path, "value": value})


def test_s34_schemas_of_one_resource_have_different_names() -> None:
    """The library makes the name of a schema the name of a field beside those of the attributes."""
    for endpoint in CATALOGUE.endpoints.values():
        names = [CATALOGUE.schemas[urn]["name"].lower() for urn in endpoint.extensions]
        assert len({*names, *endpoint.attributes}) == len(names) + len(endpoint.attributes)


def test_s35_extensions_have_no_attribute_of_a_common_name() -> None:
    for endpoint in CATALOGUE.endpoints.values():
        for urn in endpoint.extensions:
            assert not {"id", "meta", "schemas", "externalid"} & set(endpoint.attributes[urn.lower()].sub_attributes)


def test_s36_urns_of_schemas_can_stand_in_a_path() -> None:
    for endpoint in CATALOGUE.endpoints.values():
        for urn in endpoint.extensions:
            attribute = endpoint.attributes[urn.lower()]
            assert endpoint.named(urn) is attribute
            assert all(endpoint.named(one.urn) is one for one in attribute.sub_attributes.values())
    with pytest.raises(InvalidPathException):
        read_patch(USERS, {"Operations": [{"op": "remove", "path": "urn:example:ext:2.0"}]}, DEFAULT.tolerance, 1)
