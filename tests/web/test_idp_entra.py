"""What Microsoft Entra ID sends, in the order in which it sends it (idp.md section 2)."""

from typing import Any
from urllib.parse import quote_plus

import pytest

from .conftest import ENTERPRISE, EXT, GROUP, LIST, PATCH_OP, USER, Api, op

ADSCIM = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
MANAGER = f"{ENTERPRISE}:manager"


@pytest.fixture(params=["default", "entra"])
def api(request: pytest.FixtureRequest, api: Api) -> Api:
    """Every shape is served under the profile that serves all and under its own."""
    return api.token_for(profile=request.param)


def patched_group(api: Api, path: str, *operations: dict[str, Any]) -> Any:
    """PATCH a group, which its own profile answers with 204; returns how it is read then."""
    response = api.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)})
    assert (response.status_int, response.body == b"") in ((200, False), (204, True)), response.text
    return api.get(path)


def query(path: str, condition: str, **parameters: str) -> str:
    """A search as Entra writes it: form-encoded, blanks as ``+``."""
    rest = "".join(f"&{name}={value}" for name, value in parameters.items())
    return f"{path}?filter={quote_plus(condition)}{rest}"


def new_user(api: Api, name: str = "ava", **more: Any) -> dict[str, Any]:
    """The body of Entra's create."""
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"0a21f0f2-{name}",
        "userName": api.mail(name),
        "active": True,
        "displayName": name.title(),
        "emails": [{"primary": True, "type": "work", "value": api.mail(name)}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": f"{name.title()} Lee", "familyName": "Lee", "givenName": name.title()},
        "roles": [],
        **more,
    }


@pytest.mark.parametrize(
    ("path", "condition", "more"),
    [
        ("/Users", 'userName eq "5d48a0a8-e0dd-4b25-9ae6-2d9a1b4d1a6b"', {}),
        ("/Users", 'externalId eq "5d48a0a8-e0dd-4b25-9ae6-2d9a1b4d1a6b"', {}),
        ("/Users", 'emails[type eq "work"].value eq "nobody@example.com"', {}),
        ("/Users", 'emails[type eq "work" and value eq "nobody@example.com"]', {}),
        ("/Users", 'userName eq "a" and externalId eq "b"', {}),
        ("/Groups", 'displayName eq "5d48a0a8"', {"excludedAttributes": "members"}),
    ],
)
def test_connection_test_finds_nobody_and_succeeds(api: Api, path: str, condition: str, more: dict[str, str]) -> None:
    api.post("/Users", new_user(api))
    answer = api.get(query(path, condition, **more))
    assert answer == {"schemas": [LIST], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []}
    assert api.get("/Schemas")["totalResults"] >= 4


def test_query_flag_in_the_tenant_url_does_not_fail_a_request(api: Api) -> None:
    ava = api.post("/Users?aadOptscim062020", new_user(api))
    found = api.get(query("/Users", f'userName eq "{api.mail("ava")}"') + "&aadOptscim062020")
    assert [one["id"] for one in found["Resources"]] == [ava["id"]]
    assert api.patch(f"/Users/{ava['id']}?aadOptscim062020=", op("replace", "title", "Boss"))["title"] == "Boss"


def test_create_answers_the_whole_user(api: Api) -> None:
    ava = api.post("/Users", new_user(api))
    assert api.response.headers["Location"] == ava["meta"]["location"]
    assert ava["meta"]["resourceType"] == "User"
    assert ava["emails"] == [{"primary": True, "type": "work", "value": api.mail("ava")}]
    assert (ava["active"], ava["externalId"], ava[EXT]["role"]) == (True, "0a21f0f2-ava", "standard")
    assert "roles" not in ava
    api.refuse("POST", "/Users", new_user(api), status=409, kind="uniqueness")


def test_create_takes_an_extension_that_schemas_does_not_name(api: Api) -> None:
    custom = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
    body = new_user(api, **{EXT: {"licenseType": "pro"}, custom: {"CustomAttribute": "701984"}})
    ava = api.post("/Users", {**body, "schemas": [USER]})
    assert ava[EXT]["licenseType"] == "pro"
    assert EXT in ava["schemas"]
    assert custom not in ava
    assert custom not in ava["schemas"]


def test_create_takes_text_booleans_nulls_and_the_urn_without_a_colon(api: Api) -> None:
    body = new_user(
        api,
        active="True",
        title=None,
        department=None,
        manager=None,
        emails=[{"Primary": "True", "type": "work", "value": api.mail("ava")}],
        **{"urn:ietf:params:scim:schemas:extension:enterprise:2.0User": {"department": "Sales", "manager": None}},
    )
    ava = api.post("/Users", body)
    assert ava["active"] is True
    assert ava["emails"] == [{"primary": True, "type": "work", "value": api.mail("ava")}]
    assert ava[ENTERPRISE] == {"department": "Sales"}
    assert {"title", "department", "manager"}.isdisjoint(ava)
    bob = api.post("/Users", new_user(api, "bob", active="False", externalId=""))
    assert bob["active"] is False
    assert "externalId" not in bob


def test_update_with_a_path_per_attribute(api: Api) -> None:
    ava = api.post("/Users", new_user(api, phoneNumbers=[{"type": "work", "value": "1"}]))
    after = api.patch(
        f"/Users/{ava['id']}",
        op("Replace", "displayName", "Pvlo"),
        op("Replace", 'emails[type eq "work"].value', api.mail("new")),
        op("Add", 'phoneNumbers[type eq "mobile"].value', "514 555 0100"),
        op("Replace", "name.familyName", "Chen"),
        op("Replace", "externalId", "Eqpj"),
        op("Replace", "active", "False"),
        op("Replace", f"{ENTERPRISE}:employeeNumber", "7"),
        op("Add", f"{EXT}:twoFactorEnabled", "False"),
        op("Add", f"{EXT}:licenseType", "pro"),
    )
    assert (after["displayName"], after["externalId"], after["active"]) == ("Pvlo", "Eqpj", False)
    assert after["name"] == {"formatted": "Ava Lee", "familyName": "Chen", "givenName": "Ava"}
    assert after["emails"] == [{"primary": True, "type": "work", "value": api.mail("new")}]
    assert after["phoneNumbers"] == [{"type": "work", "value": "1"}, {"type": "mobile", "value": "514 555 0100"}]
    assert after[ENTERPRISE] == {"employeeNumber": "7"}
    assert (after[EXT]["licenseType"], after[EXT]["licenseStatus"]) == ("pro", "suspended")


def test_update_with_paths_and_one_operation_without(api: Api) -> None:
    ava = api.post("/Users", new_user(api))
    after = api.patch(
        f"/Users/{ava['id']}",
        op("replace", 'emails[type eq "work"].value', api.mail("new")),
        op("replace", 'emails[type eq "work"].primary', True),
        op(
            "replace",
            None,
            {
                "displayName": "Bjfe",
                "name.givenName": "Kkom",
                "name.familyName": "Unua",
                f"{ENTERPRISE}:employeeNumber": "Aklq",
                f"{EXT}:licenseType": "eco",
                "active": False,
                "userName": api.mail("new"),
            },
        ),
    )
    assert (after["displayName"], after["userName"], after["active"]) == ("Bjfe", api.mail("new"), False)
    assert after["name"] == {"formatted": "Ava Lee", "familyName": "Unua", "givenName": "Kkom"}
    assert after[ENTERPRISE] == {"employeeNumber": "Aklq"}
    assert after[EXT]["licenseType"] == "eco"
    assert after["emails"] == [{"primary": True, "type": "work", "value": api.mail("new")}]


def test_update_of_a_job_from_before_2018(api: Api) -> None:
    ava = api.post("/Users", new_user(api))
    after = api.patch(
        f"/Users/{ava['id']}",
        op("Replace", f"{ENTERPRISE}.department", "Sales"),
        op("Replace", "title", [{"value": "Boss"}]),
    )
    assert (after[ENTERPRISE], after["title"]) == ({"department": "Sales"}, "Boss")


@pytest.mark.parametrize("verb", ["Add", "Replace"])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (MANAGER, lambda boss: boss),
        (MANAGER, lambda boss: {"value": boss}),
        ("manager", lambda boss: [{"$ref": f"http://localhost/scim/v2/Users/{boss}", "value": boss}]),
        (f"{MANAGER}.value", lambda boss: boss),
    ],
    ids=["text", "object", "array", "value"],
)
def test_manager_in_every_form(api: Api, verb: str, path: str, value: Any) -> None:
    ava, boss, other = (api.post("/Users", new_user(api, name)) for name in ("ava", "boss", "other"))
    api.patch(f"/Users/{ava['id']}", op("Add", MANAGER, other["id"]))
    after = api.patch(f"/Users/{ava['id']}", op(verb, path, value(boss["id"])))
    assert after[ENTERPRISE]["manager"] == {
        "value": boss["id"],
        "$ref": boss["meta"]["location"],
        "displayName": "Boss",
    }
    found = api.get(query("/Users", f'id eq "{ava["id"]}" and manager eq "{boss["id"]}"', attributes="id"))
    assert [one["id"] for one in found["Resources"]] == [ava["id"]]
    missing = api.get(query("/Users", f'id eq "{ava["id"]}" and manager eq "{other["id"]}"', attributes="id"))
    assert missing["totalResults"] == 0


@pytest.mark.parametrize(
    "operation",
    [
        op("replace", MANAGER, ""),
        op("replace", MANAGER, {"value": ""}),
        op("replace", MANAGER, None),
        op("remove", MANAGER),
        op("replace", None, {MANAGER: ""}),
        op("replace", "manager", ""),
    ],
)
def test_manager_is_removed(api: Api, operation: dict[str, Any]) -> None:
    ava = api.post("/Users", new_user(api))
    api.patch(f"/Users/{ava['id']}", op("Add", MANAGER, "some-word"), op("Add", f"{ENTERPRISE}:department", "Sales"))
    assert api.patch(f"/Users/{ava['id']}", operation)[ENTERPRISE] == {"department": "Sales"}


def test_manager_who_is_nobody_is_stored(api: Api) -> None:
    ava = api.post("/Users", new_user(api))
    after = api.patch(f"/Users/{ava['id']}", op("add", MANAGER, {"value": "RandomWord"}))
    assert after[ENTERPRISE]["manager"] == {"value": "RandomWord"}
    assert api.get(f"/Users/{ava['id']}")[ENTERPRISE]["manager"] == {"value": "RandomWord"}


@pytest.mark.parametrize("created_with", [{}, {"roles": [{"value": "standard"}]}, {EXT: {"role": "administrator"}}])
def test_app_role_by_primary(api: Api, created_with: dict[str, Any]) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = api.post("/Users", new_user(api, **created_with))
    path = f"/Users/{ava['id']}"
    after = api.patch(
        path,
        op("Add", 'roles[primary eq "True"].display', "Admin"),
        op("Add", 'roles[primary eq "True"].value', "administrator"),
        op("Add", 'roles[primary eq "True"].type', "WindowsAzureActiveDirectoryRole"),
    )
    assert after["roles"] == [
        {
            "value": "administrator",
            "display": "Admin",
            "primary": True,
            "type": "WindowsAzureActiveDirectoryRole",
        }
    ]
    assert after[EXT]["role"] == "administrator"
    version = after["meta"]["version"]
    again = api.patch(path, op("Replace", 'roles[primary eq "True"].value', "administrator"))
    assert again["meta"]["version"] == version
    back = api.patch(path, op("Replace", 'roles[primary eq "True"].value', "standard"))
    assert back[EXT]["role"] == "standard"
    found = api.get(query("/Users", f'id eq "{ava["id"]}" and roles[primary eq "True"].value eq "standard"'))
    assert found["totalResults"] == 1


def test_app_roles_as_json_text(api: Api) -> None:
    text = '{"id":"1","value":"administrator","displayName":"Admin"}'
    ava = api.post("/Users", new_user(api, roles=[{"value": text, "primary": True}]))
    assert ava["roles"] == [{"value": "administrator", "display": "Admin", "primary": True}]
    bob = api.post("/Users", new_user(api, "bob"))
    after = api.patch(f"/Users/{bob['id']}", op("add", "roles", [{"value": text}]))
    assert (after["roles"], after[EXT]["role"]) == ([{"value": "administrator", "display": "Admin"}], "administrator")
    whole = api.patch(f"/Users/{bob['id']}", op("replace", "roles", [{"value": "standard", "primary": "True"}]))
    assert (whole["roles"], whole[EXT]["role"]) == ([{"value": "standard", "primary": True}], "standard")


def test_app_role_that_is_unknown_is_refused_with_the_known_ones(api: Api) -> None:
    ava = api.post("/Users", new_user(api))
    operation = op("add", 'roles[primary eq "True"].value', "Admin")
    with api.unchanged(f"/Users/{ava['id']}"):
        detail = api.refuse_patch(f"/Users/{ava['id']}", operation, kind="invalidValue")
    assert detail == "role 'Admin' is unknown. Use 'standard' or 'administrator'."


CLEARED = {
    "displayName": "Ava",
    "title": "Boss",
    "preferredLanguage": "fr",
    "externalId": "7",
    "name.givenName": "Ava",
    "name.familyName": "Lee",
    "name.formatted": "Ava Lee",
    'emails[type eq "work"].value': "{mail}",
    'addresses[type eq "work"].formatted': "1 Main",
    'addresses[type eq "work"].streetAddress': "1 Main",
    'addresses[type eq "work"].locality': "Quebec",
    'addresses[type eq "work"].country': "CA",
    'phoneNumbers[type eq "work"].value': "1",
    'phoneNumbers[type eq "mobile"].value': "2",
    'phoneNumbers[type eq "fax"].value': "3",
    f"{ENTERPRISE}:employeeNumber": "7",
    f"{ENTERPRISE}:department": "Sales",
    f"{ENTERPRISE}:manager": "somebody",
}


@pytest.mark.parametrize("nothing", ["", None], ids=["empty", "null"])
@pytest.mark.parametrize("with_paths", [True, False], ids=["paths", "pathless"])
def test_null_update_leaves_every_attribute_empty(api: Api, nothing: Any, with_paths: bool) -> None:
    ava = api.user("ava")
    path = f"/Users/{ava['id']}"
    given = {name: value.replace("{mail}", api.mail("work")) for name, value in CLEARED.items()}
    full = api.patch(path, *(op("Add", name, value) for name, value in given.items()))
    assert len(full["phoneNumbers"]) == 3
    if with_paths:
        after = api.patch(path, *(op("Replace", name, nothing) for name in given))
    else:
        after = api.patch(path, op("replace", None, dict.fromkeys(given, nothing)))
    left = set(after) - {"schemas", "id", "userName", "active", "meta", EXT}
    assert {name: after[name] for name in left if name not in ("emails", "phoneNumbers", "addresses")} == {}
    for name in ("emails", "phoneNumbers", "addresses"):
        assert [one for one in after.get(name, ()) if set(one) - {"type", "primary"}] == []


def test_verbose_add_on_a_user_with_only_a_user_name(api: Api) -> None:
    """The validator's thirty operations, on elements that none of them finds."""
    ava = api.user("ava")
    emails = {"work": api.mail("w"), "home": "h@home.example", "other": "o@other.example"}
    values = {
        "displayName": "EHTWWHYOEDUK",
        "title": "VGTXQSDUPIAD",
        "nickName": "Av",
        "preferredLanguage": "nb-NO",
        "userType": "MXMMFCXPYHSN",
        "locale": "UWMDPZHKNOXB",
        "timezone": "Africa/Douala",
        "profileUrl": "NBQWBBOCEQAC",
        "externalId": "11e1",
        "name.givenName": "Isaac",
        "name.familyName": "Kraig",
        "name.formatted": "Rebekah",
        "name.middleName": "Bo",
        "name.honorificPrefix": "Erna",
        "name.honorificSuffix": "Ebba",
        'addresses[type eq "work"].formatted': "CQHZRONVQGIL",
        'addresses[type eq "work"].streetAddress': "4923",
        'addresses[type eq "work"].locality': "QUEUAB",
        'addresses[type eq "work"].region': "RGHZLF",
        'addresses[type eq "work"].postalCode': "bv6 7ks",
        'addresses[type eq "work"].country': "Faroe Islands",
        'addresses[type eq "work"].primary': True,
        'phoneNumbers[type eq "work"].value': "61-604-7716",
        'phoneNumbers[type eq "mobile"].value': "61-604-7717",
        'phoneNumbers[type eq "fax"].value': "61-604-7718",
        'roles[primary eq "True"].value': "administrator",
        'roles[primary eq "True"].display': "Admin",
        'roles[primary eq "True"].type': "IWUBIGPNXKYH",
        f"{ENTERPRISE}:employeeNumber": "QHNQVL",
        f"{ENTERPRISE}:costCenter": "BVMJFR",
        f"{ENTERPRISE}:manager": {"value": "XJQQSV"},
    }
    mail = {f'emails[type eq "{kind}"].value': address for kind, address in emails.items()}
    after = api.patch(f"/Users/{ava['id']}", *(op("add", path, value) for path, value in {**values, **mail}.items()))
    assert {one["type"]: one["value"] for one in after["emails"]} == emails
    assert [one["type"] for one in after["phoneNumbers"]] == ["work", "mobile", "fax"]
    assert after["addresses"] == [
        {
            "type": "work",
            "formatted": "CQHZRONVQGIL",
            "streetAddress": "4923",
            "locality": "QUEUAB",
            "region": "RGHZLF",
            "postalCode": "bv6 7ks",
            "country": "Faroe Islands",
            "primary": True,
        }
    ]
    assert after["roles"] == [{"primary": True, "value": "administrator", "display": "Admin", "type": "IWUBIGPNXKYH"}]
    assert after[ENTERPRISE] == {
        "employeeNumber": "QHNQVL",
        "costCenter": "BVMJFR",
        "manager": {"value": "XJQQSV"},
    }
    assert after["name"] == {
        "givenName": "Isaac",
        "familyName": "Kraig",
        "formatted": "Rebekah",
        "middleName": "Bo",
        "honorificPrefix": "Erna",
        "honorificSuffix": "Ebba",
    }
    flat = {name: value for name, value in values.items() if name.isalpha()}
    assert {name: after[name] for name in flat} == flat
    assert api.get(f"/Users/{ava['id']}") == after


def test_several_operations_on_one_attribute_end_in_the_last(api: Api) -> None:
    ava = api.user("ava")
    after = api.patch(
        f"/Users/{ava['id']}",
        op("Replace", "title", "One"),
        op("Replace", "emails[primary eq true].value", api.mail("one")),
        op("Replace", "emails[primary eq true].value", api.mail("two")),
        op("Replace", "title", "Two"),
    )
    assert after["title"] == "Two"
    assert after["emails"] == [{"primary": True, "value": api.mail("two")}]


@pytest.mark.parametrize(
    "disable",
    [
        op("Replace", "active", "False"),
        op("replace", "active", False),
        op("replace", None, {"active": False}),
        op("Replace", "active", [{"value": "False"}]),
    ],
)
def test_disabled_user_is_found_and_restored_with_its_groups(api: Api, disable: dict[str, Any]) -> None:
    ava = api.post("/Users", new_user(api, **{EXT: {"licenseType": "pro"}}))
    path = f"/Users/{ava['id']}"
    sales = api.group("Sales", ava["id"])
    assert api.patch(path, disable)["active"] is False
    assert api.get(path)["active"] is False
    (found,) = api.get(query("/Users", f'userName eq "{ava["userName"]}"'))["Resources"]
    assert found["active"] is False
    members = api.get(query("/Groups", f'id eq "{sales["id"]}" and members eq "{ava["id"]}"', attributes="id"))
    assert [one["id"] for one in members["Resources"]] == [sales["id"]]
    back = api.patch(path, op("Replace", "active", "True"))
    assert back["active"] is True
    assert [one["value"] for one in back["groups"]] == [sales["id"]]
    assert (back[EXT]["licenseType"], back[EXT]["licenseStatus"]) == ("pro", "assigned")


def test_hard_delete_twice_then_created_again(api: Api) -> None:
    ava = api.post("/Users", new_user(api))
    api.patch(f"/Users/{ava['id']}", op("Replace", "active", "False"))
    api.delete(f"/Users/{ava['id']}")
    api.delete(f"/Users/{ava['id']}", status=404)
    api.delete("/Users/00000000-0000-0000-0000-000000000000", status=404)
    assert api.get(query("/Users", f'userName eq "{ava["userName"]}"'))["totalResults"] == 0
    assert api.post("/Users", new_user(api))["id"] != ava["id"]


def test_pages_echo_the_start_index_and_lose_nobody(api: Api) -> None:
    made = [api.user(f"user{number:02}")["id"] for number in range(11)]
    seen = []
    for start, size in ((1, 5), (6, 5), (11, 1), (16, 0)):
        page = api.get(f"/Users?startIndex={start}&count=5")
        assert (page["startIndex"], page["itemsPerPage"], page["totalResults"]) == (start, size, 11)
        seen += [one["id"] for one in page["Resources"]]
    assert seen == made


def test_group_is_created_found_renamed_and_deleted(api: Api) -> None:
    body = {
        "schemas": [GROUP, ADSCIM],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Sales",
        "meta": {"resourceType": "Group"},
    }
    sales = api.post("/Groups", body)
    assert ADSCIM not in sales["schemas"]
    assert (sales["externalId"], sales["members"]) == (body["externalId"], [])
    detail = api.refuse("POST", "/Groups", {**body, "displayName": "SALES"}, status=409, kind="uniqueness")
    assert detail == "A group named 'SALES' already exists."
    (found,) = api.get(query("/Groups", 'displayName eq "sALES"', excludedAttributes="members"))["Resources"]
    assert found["id"] == sales["id"]
    assert "members" not in found
    path = f"/Groups/{sales['id']}"
    assert "members" not in api.get(f"{path}?excludedAttributes=members")
    assert patched_group(api, path, op("Replace", "displayName", "Sales 2"))["displayName"] == "Sales 2"
    after = patched_group(api, path, op("replace", None, {"displayName": "Sales 3", "externalId": "x"}))
    assert (after["displayName"], after["externalId"]) == ("Sales 3", "x")
    api.delete(path)
    api.delete(path, status=404)
    assert api.get(query("/Groups", 'displayName eq "Sales 3"'))["totalResults"] == 0


def members(api: Api, group: Any) -> list[str]:
    return [one["value"] for one in api.get(f"/Groups/{group['id']}")["members"]]


@pytest.mark.parametrize(
    "removal",
    [
        lambda one: op("Remove", "members", [{"$ref": None, "value": one}]),
        lambda one: op("Remove", "members", [{"value": one}]),
        lambda one: op("remove", f'members[value eq "{one}"]'),
    ],
)
def test_members_in_both_dialects(api: Api, removal: Any) -> None:
    ids = sorted(api.user(name)["id"] for name in ("ava", "bob", "cleo"))
    sales = api.post("/Groups", {"schemas": [GROUP, ADSCIM], "displayName": "Sales"})
    path = f"/Groups/{sales['id']}"
    patched_group(api, path, op("Add", "members", [{"$ref": None, "value": ids[0]}]))
    patched_group(api, path, op("Add", "members", [{"$ref": None, "value": one} for one in ids]))
    assert members(api, sales) == ids
    version = api.get(path)["meta"]["version"]
    patched_group(api, path, op("Add", "members", [{"$ref": None, "value": ids[0]}]))
    assert api.get(path)["meta"]["version"] == version
    patched_group(api, path, removal(ids[1]))
    assert members(api, sales) == [ids[0], ids[2]]
    patched_group(api, path, removal(ids[1]), removal("nobody"))
    assert members(api, sales) == [ids[0], ids[2]]
    patched_group(api, path, op("Add", "members", [{"value": ids[1]}]), removal(ids[1]))
    assert members(api, sales) == [ids[0], ids[2]]
    patched_group(api, path, op("Replace", "members", [{"value": ids[1]}]))
    assert members(api, sales) == [ids[1]]


def test_remove_members_without_a_value_empties_the_group(api: Api) -> None:
    sales = api.group("Sales", api.user("ava")["id"])
    assert patched_group(api, f"/Groups/{sales['id']}", op("remove", "members"))["members"] == []


def test_oddities_of_the_collection(api: Api) -> None:
    """Microsoft's Postman collection: an extra id and name, a misspelled attribute, a selection of attributes."""
    ava = api.post("/Users", new_user(api))
    path = f"/Users/{ava['id']}"
    body = {"schemas": [PATCH_OP], "id": ava["id"], "Operations": [{**op("Replace", "title", "Boss"), "name": "x"}]}
    assert api.call("PATCH", path, body, status=200)["title"] == "Boss"
    assert "adreses" not in api.put(path, {**new_user(api), "adreses": [{"formatted": "1 Main"}]})
    shown = api.get(f"{path}?attributes=userName,emails")
    assert set(shown) == {"schemas", "id", "userName", "emails"}
    api.refuse("POST", "/Users", {"schemas": [USER], "displayName": "x"}, kind="invalidValue")
    assert [one["id"] for one in api.find('DisplayName Eq "ava"')] == [ava["id"]]
