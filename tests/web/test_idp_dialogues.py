"""The whole life of a user and of a group as each identity provider lets it happen, in its own order and spelling.

Each runs through the default profile and through the provider's own (idp.md sections 2 to 11).
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from .conftest import ENTERPRISE, EXT, GROUP, LIST, PATCH_OP, USER, Api, op

SCIM = {"Content-Type": "application/scim+json; charset=utf-8"}
PLAIN = {"Content-Type": "application/json"}


@pytest.fixture
def api(request: pytest.FixtureRequest, new_account: Callable[..., Api]) -> Api:
    """An account with one administrator and a token whose connection has the profile asked for."""
    api = new_account()
    api.user("boss", ext={"role": "administrator"})
    return api.token_for(profile=getattr(request, "param", "default"))


def under(*profiles: str) -> pytest.MarkDecorator:
    """Run a dialogue through each of the profiles."""
    return pytest.mark.parametrize("api", profiles, indirect=True)


def looked_up(api: Api, path: str, condition: str, more: str = "", **kw: Any) -> list[Any]:
    """What a lookup by filter finds; a list that finds nothing is complete all the same."""
    page = api.get(f"{path}?filter={condition}{more}", **kw)
    assert {"schemas", "totalResults", "startIndex", "itemsPerPage", "Resources"} == set(page)
    assert page["schemas"] == [LIST]
    return list(page["Resources"])


def patched(api: Api, path: str, *operations: dict[str, Any], **kw: Any) -> Any:
    """PATCH a group: answered with it or with nothing; returns how it is read then."""
    response = api.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, **kw)
    assert response.status_int in (200, 204), response.text
    return api.get(path)


def members(group: Any) -> list[str]:
    return sorted(one["value"] for one in group["members"])


def ended(api: Api, path: str, condition: str) -> None:
    """DELETE: then it is found neither by id nor by name, and a second DELETE is 404."""
    api.delete(path)
    api.get(path, status=404)
    assert looked_up(api, path.rpartition("/")[0], quote(condition)) == []
    api.delete(path, status=404)


# -- Microsoft Entra ID, with and without aadOptscim062020 ------------------------------------------------------------


def entra_user(api: Api, name: str) -> dict[str, Any]:
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"ext-{name}",
        "userName": api.mail(name),
        "active": True,
        "displayName": name.title(),
        "emails": [{"primary": True, "type": "work", "value": api.mail(name)}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": name.title(), "familyName": "Lee", "givenName": name.title()},
        "roles": [],
        EXT: {"licenseType": "pro"},
    }


ENTRA_UPDATES = {
    "paths": (
        op("Replace", "displayName", "Ava Chen"),
        op("Replace", 'emails[type eq "work"].value', "{mail}"),
        op("Add", 'phoneNumbers[type eq "mobile"].value', "+1 514 555 0100"),
        op("Replace", "name.familyName", "Chen"),
        op("Replace", "userName", "{mail}"),
        op("Add", f"{ENTERPRISE}:department", "Sales"),
        op("Replace", f"{EXT}:licenseType", "advanced"),
        op("Add", f"{EXT}:twoFactorEnabled", "True"),
    ),
    "flag": (
        op("replace", 'emails[type eq "work"].value', "{mail}"),
        op("add", 'phoneNumbers[type eq "mobile"].value', "+1 514 555 0100"),
        op(
            "replace",
            None,
            {
                "displayName": "Ava Chen",
                "name.familyName": "Chen",
                "userName": "{mail}",
                f"{ENTERPRISE}:department": "Sales",
                f"{EXT}:licenseType": "advanced",
                f"{EXT}:twoFactorEnabled": True,
            },
        ),
    ),
}
ENTRA_SWITCH = {
    "paths": lambda active: op("Replace", "active", str(active)),
    "flag": lambda active: op("replace", None, {"active": active}),
}
ENTRA_REMOVAL = {
    "paths": lambda one: op("Remove", "members", [{"$ref": None, "value": one}]),
    "flag": lambda one: op("remove", f'members[value eq "{one}"]'),
}


def with_mail(value: Any, mail: str) -> Any:
    """Put an address where the operations have a place for one."""
    if isinstance(value, dict):
        return {name: with_mail(one, mail) for name, one in value.items()}
    return mail if value == "{mail}" else value


@under("default", "entra")
@pytest.mark.parametrize("dialect", ["paths", "flag"])
def test_entra_leads_a_user_from_the_first_lookup_to_the_hard_delete(api: Api, dialect: str) -> None:
    lookup = quote_plus(f'userName eq "{api.mail("ava")}"')
    assert looked_up(api, "/Users", lookup, headers=SCIM) == []
    ava = api.post("/Users", entra_user(api, "ava"), headers=SCIM)
    api.refuse("POST", "/Users", entra_user(api, "ava"), status=409, kind="uniqueness", headers=SCIM)
    path = f"/Users/{ava['id']}"
    manager = op("Add", f"{ENTERPRISE}:manager", api.find('userName sw "boss"')[0]["id"])
    assert api.patch(path, manager, headers=SCIM)[ENTERPRISE]["manager"]["value"] == manager["value"]
    new = api.mail("ava.chen")
    after = api.patch(path, *(with_mail(one, new) for one in ENTRA_UPDATES[dialect]), headers=SCIM)
    assert (after["id"], after["userName"], after["emails"][0]["value"]) == (ava["id"], new, new)
    assert (after["name"]["familyName"], after[ENTERPRISE]["department"]) == ("Chen", "Sales")
    assert (after[EXT]["licenseType"], after[EXT]["twoFactorEnabled"]) == ("advanced", True)
    role = op("add", 'roles[primary eq "True"].value', "administrator")
    assert api.patch(path, role)[EXT]["role"] == "administrator"
    gone = api.patch(path, ENTRA_SWITCH[dialect](False), headers=SCIM)
    assert (gone["active"], gone[EXT]["licenseStatus"]) == (False, "suspended")
    (found,) = looked_up(api, "/Users", quote_plus(f'userName eq "{new.upper()}"'))
    assert (found["id"], found["active"]) == (ava["id"], False)
    back = api.patch(path, ENTRA_SWITCH[dialect](True), headers=SCIM)
    assert (back["active"], back[EXT]["licenseStatus"]) == (True, "assigned")
    api.patch(path, ENTRA_SWITCH[dialect](False), headers=SCIM)
    ended(api, path, f'userName eq "{new}"')


@under("default", "entra")
@pytest.mark.parametrize("dialect", ["paths", "flag"])
def test_entra_leads_a_group(api: Api, dialect: str) -> None:
    ava, bob = (api.post("/Users", entra_user(api, name))["id"] for name in ("ava", "bob"))
    lookup = quote_plus('displayName eq "Sales"')
    assert looked_up(api, "/Groups", lookup, "&excludedAttributes=members") == []
    sales = api.post("/Groups", {"schemas": [GROUP], "externalId": "g", "displayName": "Sales", "members": []})
    path = f"/Groups/{sales['id']}"
    (found,) = looked_up(api, "/Groups", lookup, "&excludedAttributes=members")
    assert (found["id"], "members" in found) == (sales["id"], False)
    add = "Add" if dialect == "paths" else "add"
    both = patched(api, path, op(add, "members", [{"$ref": None, "value": one} for one in (ava, bob)]), headers=SCIM)
    assert members(both) == sorted([ava, bob])
    assert members(patched(api, path, ENTRA_REMOVAL[dialect](ava), headers=SCIM)) == [bob]
    rename = (
        op("Replace", "displayName", "Sales 2")
        if dialect == "paths"
        else op("replace", None, {"displayName": "Sales 2"})
    )
    renamed = patched(api, path, rename)
    assert (renamed["displayName"], members(renamed)) == ("Sales 2", [bob])
    api.patch(f"/Users/{bob}", ENTRA_SWITCH[dialect](False))
    assert members(api.get(path)) == [bob]
    ended(api, path, 'displayName eq "Sales 2"')
    assert api.get(f"/Users/{bob}")["userName"] == api.mail("bob")


# -- Okta: the wizard's app and the catalogue's -----------------------------------------------------------------------


def okta_user(api: Api, name: str) -> dict[str, Any]:
    return {
        "schemas": [USER, EXT],
        "userName": api.mail(name),
        "name": {"givenName": name.title(), "familyName": "Lee"},
        "emails": [{"primary": True, "value": api.mail(name), "type": "work"}],
        "displayName": name.title(),
        "locale": "en-US",
        "externalId": f"00u{name}",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
        EXT: {"licenseType": "pro"},
    }


@under("default", "okta")
@pytest.mark.parametrize("client", ["wizard", "catalogue"])
def test_okta_leads_a_user_and_never_deletes_it(api: Api, client: str) -> None:
    assert api.get("/Users?startIndex=1&count=2")["startIndex"] == 1
    lookup, pages = quote(f'userName eq "{api.mail("ava")}"'), "&startIndex=1&count=100"
    assert looked_up(api, "/Users", lookup, pages) == []
    ava = api.post("/Users", okta_user(api, "ava"), headers=SCIM)
    path = f"/Users/{ava['id']}"

    def switch(active: bool) -> Any:
        if client == "wizard":
            return api.put(path, {**api.get(path), "active": active}, headers=SCIM)
        return api.patch(path, op("replace", None, {"active": active}), headers=SCIM)

    merged = {**api.get(path), "displayName": "Ava Chen", "title": "", "middleName": None, "costCenter": "7"}
    merged[ENTERPRISE] = {"department": "Sales", "manager": {"value": "00uboss", "displayName": "Boss"}}
    after = api.put(path, merged, headers=SCIM)
    assert (after["displayName"], after[ENTERPRISE]["department"], after[EXT]) == ("Ava Chen", "Sales", ava[EXT])
    gone = switch(False)
    assert (gone["active"], gone[EXT]["licenseStatus"], gone["displayName"]) == (False, "suspended", "Ava Chen")
    (found,) = looked_up(api, "/Users", lookup, pages)
    assert (found["id"], found["active"]) == (ava["id"], False)
    assert switch(True)[EXT] == ava[EXT]
    assert "password" not in api.patch(path, op("replace", None, {"password": "t1meM4chine"}), headers=SCIM)


@under("default", "okta")
@pytest.mark.parametrize("client", ["wizard", "catalogue"])
def test_okta_pushes_a_group_and_unlinks_it(api: Api, client: str) -> None:
    ava, bob = (api.post("/Users", okta_user(api, name))["id"] for name in ("ava", "bob"))
    lookup = quote('displayName eq "Sales"')
    assert looked_up(api, "/Groups", lookup, "&startIndex=1&count=100") == []
    sales = api.post("/Groups", {"schemas": [GROUP], "displayName": "Sales", "members": []}, headers=SCIM)
    path, gid = f"/Groups/{sales['id']}", sales["id"]
    shown = [{"value": ava, "display": "ava"}, {"value": bob, "display": "bob"}]
    if client == "wizard":
        whole = api.get(path)
        assert members(api.put(path, {**whole, "members": shown})) == sorted([ava, bob])
        assert members(api.put(path, {"schemas": [GROUP], "displayName": "Sales 2", "members": shown[1:]})) == [bob]
    else:
        patched(api, path, op("replace", None, {"id": gid, "displayName": "Sales"}), headers=SCIM)
        assert members(patched(api, path, op("replace", "members", shown[:1]))) == [ava]
        both = (op("remove", f'members[value eq "{ava}"]'), op("add", "members", shown[1:]))
        assert members(patched(api, path, *both)) == [bob]
        patched(api, path, op("replace", None, {"id": gid, "displayName": "Sales 2"}))
    assert (api.get(path)["displayName"], members(api.get(path))) == ("Sales 2", [bob])
    ended(api, path, 'displayName eq "Sales 2"')
    assert api.get(f"/Users/{bob}")["active"] is True


# -- OneLogin ---------------------------------------------------------------------------------------------------------


@under("default", "onelogin")
def test_onelogin_leads_a_user_by_its_template_and_a_group(api: Api) -> None:
    api.get("/Users?", headers={"User-Agent": ""})
    template = {
        "schemas": ["urn:scim:schemas:core:1.0", USER, EXT],
        "id": None,
        "userName": api.mail("ava"),
        "name": {"givenName": "Ava", "familyName": "Lee"},
        "emails": {"value": api.mail("ava"), "type": "work", "primary": "true"},
        "title": "",
        ENTERPRISE: {"department": "Sales", "manager": {"managerId": "", "displayName": ""}},
        EXT: {"licenseType": "pro", "timeZone": ""},
    }
    assert looked_up(api, "/Users", quote(f'userName eq "{api.mail("ava")}"'), "&") == []
    ava = api.post("/Users", template | {"active": "true"}, headers=SCIM)
    path = f"/Users/{ava['id']}"
    assert (ava["active"], ava[ENTERPRISE], ava[EXT]["licenseType"]) == (True, {"department": "Sales"}, "pro")
    assert api.put(path, template | {"title": "Boss"})["active"] is True
    assert api.put(path, template | {"active": False})["active"] is False
    assert api.put(path, template)["active"] is False
    assert api.put(path, template | {"active": "true"})[EXT]["licenseStatus"] == "assigned"
    assert api.get("/Groups?")["totalResults"] == 0
    sales = api.post("/Groups", {"schemas": [GROUP], "displayName": "Sales", "members": []})
    api.refuse("POST", "/Groups", {"schemas": [GROUP], "displayName": "Sales"}, status=409, kind="uniqueness")
    group = f"/Groups/{sales['id']}"
    assert members(patched(api, group, op("add", "members", [{"value": ava["id"]}]))) == [ava["id"]]
    assert members(patched(api, group, op("remove", "members", [{"value": ava["id"]}]))) == []
    ended(api, path, f'userName eq "{api.mail("ava")}"')
    ended(api, group, 'displayName eq "Sales"')


# -- JumpCloud --------------------------------------------------------------------------------------------------------


@under("default", "jumpcloud")
@pytest.mark.parametrize("update", ["patch", "put"])
def test_jumpcloud_activates_binds_and_unbinds(api: Api, update: str) -> None:
    test = {"schemas": [USER], "userName": api.mail("jumpcloudtest"), "active": True}
    made, group = api.post("/Users", test), api.post("/Groups", {"schemas": [GROUP], "displayName": "test"})
    api.patch(f"/Users/{made['id']}", op("replace", "active", False))
    patched(api, f"/Groups/{group['id']}", op("replace", "displayName", "test 2"))
    api.delete(f"/Users/{made['id']}")
    api.delete(f"/Groups/{group['id']}")
    body = {
        "schemas": [USER],
        "userName": api.mail("ava"),
        "name": {"givenName": "Ava", "familyName": "Lee"},
        "emails": [{"value": api.mail("ava"), "type": "work", "primary": True}],
        "active": True,
    }
    assert looked_up(api, "/Users", quote(f'userName eq "{api.mail("ava")}"')) == []
    ava = api.post("/Users", body)
    path = f"/Users/{ava['id']}"
    if update == "patch":
        after = api.patch(path, op("replace", "name.familyName", "Chen"), op("replace", "displayName", "Ava Chen"))
    else:
        after = api.put(path, body | {"name": {"givenName": "Ava", "familyName": "Chen"}, "displayName": "Ava Chen"})
    assert (after["name"]["familyName"], after["displayName"], after["active"]) == ("Chen", "Ava Chen", True)
    sales = api.post("/Groups", {"schemas": [GROUP], "displayName": "Sales"})
    (taken,) = looked_up(api, "/Groups", quote('displayName eq "sales"'))
    gpath = f"/Groups/{taken['id']}"
    assert taken["id"] == sales["id"]
    assert members(patched(api, gpath, op("add", "members", [{"value": ava["id"]}]))) == [ava["id"]]
    assert members(patched(api, gpath, op("remove", "members", [{"value": ava["id"]}]))) == []
    assert api.patch(path, op("replace", "active", False))["active"] is False
    assert api.patch(path, op("replace", "active", True))["active"] is True
    ended(api, path, f'userName eq "{api.mail("ava")}"')
    ended(api, gpath, 'displayName eq "Sales"')


# -- PingOne, PingFederate --------------------------------------------------------------------------------------------


@under("default", "ping")
def test_ping_provisions_enabled_and_disabled_people(api: Api) -> None:
    for condition in (f'username Eq "{api.mail("ava")}"', f'email Co "{api.mail("ava")}"'):
        assert looked_up(api, "/Users", quote(condition), headers={"User-Agent": "Apache-HttpClient"}) == []
    body = {
        "schemas": [USER],
        "userName": api.mail("ava"),
        "name": {"givenName": "Ava", "familyName": "Lee"},
        "emails": [{"value": api.mail("ava"), "type": "work"}],
        "active": False,
    }
    ava = api.post("/Users", body, headers=PLAIN)
    assert ava["active"] is False
    for condition in (
        f'username Eq "{api.mail("ava")}"',
        f'email Co "{api.mail("ava")[:5]}"',
        f'EMAIL.value Eq "{api.mail("ava")}"',
    ):
        assert [one["id"] for one in looked_up(api, "/Users", quote(condition))] == [ava["id"]]
    path = f"/Users/{ava['id']}"
    assert api.put(path, {**body, "active": True, "title": "Boss"}, headers=PLAIN)["active"] is True
    assert api.patch(path, op("replace", "active", False), headers=PLAIN)["active"] is False
    sales = api.post("/Groups", {"schemas": [GROUP], "displayName": "Sales", "members": [{"value": ava["id"]}]})
    group = f"/Groups/{sales['id']}"
    assert members(patched(api, group, op("remove", f'members[value eq "{ava["id"]}"]'))) == []
    assert members(api.put(group, {"schemas": [GROUP], "displayName": "S2", "members": [{"value": ava["id"]}]})) == [
        ava["id"]
    ]
    ended(api, group, 'displayName Eq "S2"')
    ended(api, path, f'username Eq "{api.mail("ava")}"')


# -- SailPoint --------------------------------------------------------------------------------------------------------


@under("default", "sailpoint")
def test_sailpoint_discovers_aggregates_and_provisions(api: Api) -> None:
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User", "/ResourceTypes/Group"):
        api.get(path, headers={"Accept": "application/scim+json", **SCIM})
    body = {"schemas": [USER, EXT], "userName": api.mail("ava"), "active": True, EXT: {"licenseType": "eco"}}
    ava = api.post("/Users", body)
    path = f"/Users/{ava['id']}"
    sales = api.group("Sales")
    group = f"/Groups/{sales['id']}"
    patched(api, group, op("add", "members", [{"value": ava["id"]}]))
    page = api.get("/Users?startIndex=1&count=100&attributes=userName,active,groups,displayName")
    (account,) = [one for one in page["Resources"] if one["id"] == ava["id"]]
    assert [one["value"] for one in account["groups"]] == [sales["id"]]
    assert api.get("/Groups?startIndex=1&count=100&attributes=displayName")["totalResults"] == 1
    after = api.patch(path, op("replace", "displayName", "Ava"), op("replace", "name.familyName", "Lee"))
    assert (after["displayName"], after["name"]) == ("Ava", {"familyName": "Lee"})
    assert api.patch(path, op("replace", "password", "t1meM4chine")) == after
    assert (
        api.patch(path, op("add", "entitlements", [{"value": "pro", "type": "license"}]))[EXT]["licenseType"] == "pro"
    )
    assert api.patch(path, op("replace", "active", False))["active"] is False
    assert api.patch(path, op("replace", "active", True))[EXT]["licenseStatus"] == "assigned"
    assert members(patched(api, group, op("remove", f'members[value eq "{ava["id"]}"]'))) == []
    ended(api, path, f'userName eq "{api.mail("ava")}"')
    ended(api, group, 'displayName eq "Sales"')


# -- Google Workspace -------------------------------------------------------------------------------------------------


@under("default", "google")
def test_google_provisions_suspends_and_deletes(api: Api) -> None:
    headers = {"User-Agent": "Google-Auto-Provisioning", **PLAIN}
    assert looked_up(api, "/Users", quote(f'userName eq "{api.mail("ava")}"'), headers=headers) == []
    body = {
        "schemas": [USER],
        "userName": api.mail("ava"),
        "externalId": "1098",
        "name": {"givenName": "Ava", "familyName": "Lee"},
        "emails": [{"value": api.mail("ava"), "type": "work", "primary": True}],
        "active": True,
    }
    ava = api.post("/Users", body, headers=headers)
    path = f"/Users/{ava['id']}"
    after = api.patch(path, op("replace", None, {"name": {"familyName": "Chen"}}), headers=headers)
    assert after["name"] == {"givenName": "Ava", "familyName": "Chen"}
    assert api.patch(path, op("replace", None, {"active": False}), headers=headers)["active"] is False
    assert api.patch(path, op("replace", "active", True), headers=headers)["active"] is True
    sales = api.post("/Groups", {"schemas": [GROUP], "displayName": "Sales"}, headers=headers)
    group = f"/Groups/{sales['id']}"
    added = patched(api, group, op("add", None, {"members": [{"value": ava["id"]}]}), headers=headers)
    assert members(added) == [ava["id"]]
    ended(api, group, 'displayName eq "Sales"')
    ended(api, path, f'userName eq "{api.mail("ava")}"')


# -- authentik --------------------------------------------------------------------------------------------------------


@under("default", "authentik")
def test_authentik_runs_and_finds_its_own_values(api: Api) -> None:
    api.get("/ServiceProviderConfig")
    types = api.get("/ResourceTypes?startIndex=1&count=100")
    assert (types["startIndex"], types["itemsPerPage"]) == (1, len(types["Resources"]))
    assert types["totalResults"] == len({one["name"] for one in types["Resources"]})
    body = {
        "schemas": [USER],
        "externalId": "7",
        "userName": api.mail("ava"),
        "name": {"formatted": "Ava", "givenName": "Ava", "familyName": ""},
        "displayName": "Ava",
        "photos": [],
        "active": True,
        "emails": [{"value": api.mail("ava"), "type": "other", "primary": True}],
    }
    ava = api.post("/Users", body)
    api.refuse("POST", "/Users", body, status=409, kind="uniqueness")
    assert [one["id"] for one in looked_up(api, "/Users", quote(f'userName eq "{api.mail("ava")}"'))] == [ava["id"]]
    assert api.send("GET", f"/Users?filter=userName%20eq%20{api.mail('ava')}").status_int in (200, 400)
    path = f"/Users/{ava['id']}"
    assert api.put(path, {**body, "id": ava["id"]})["meta"] == ava["meta"]
    assert api.put(path, {**body, "id": ava["id"], "active": False})["active"] is False
    sales = api.post("/Groups", {"schemas": [GROUP], "externalId": "9", "displayName": "Sales"})
    group = f"/Groups/{sales['id']}"
    assert api.get(group)["members"] == []
    echo = {"schemas": [GROUP], "id": sales["id"], "externalId": "9", "displayName": "Sales 2"}
    assert patched(api, group, op("replace", None, echo))["displayName"] == "Sales 2"
    assert members(patched(api, group, op("add", "members", [{"value": ava["id"]}]))) == [ava["id"]]
    assert members(patched(api, group, op("remove", "members", [{"value": ava["id"]}]))) == []
    assert api.get("/Users")["totalResults"] == 2
    assert api.get("/Users?startIndex=3")["Resources"] == []
    ended(api, path, f'userName eq "{api.mail("ava")}"')
    ended(api, group, 'displayName eq "Sales 2"')


# -- those without a profile of their own -----------------------------------------------------------------------------


def test_cyberark_verifies_and_provisions(api: Api) -> None:
    assert api.get("/Users?count=1")["itemsPerPage"] == 1
    for name in ("User", "Group"):
        api.get(f"/Schemas/{api.get(f'/ResourceTypes/{name}')['schema']}")
    assert api.get("/Users/")["totalResults"] == 1
    ava = api.post("/Users/", {"schemas": [USER], "userName": api.mail("ava")})
    assert (
        api.put(f"/Users/{ava['id']}", {"schemas": [USER], "userName": api.mail("ava"), "title": "x"})["title"] == "x"
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_servicenow_updates_as_it_is_configured(api: Api, method: str) -> None:
    ava = api.user("ava")
    path = f"/Users/{ava['id']}"
    body = {**ava, "title": "x"} if method == "PUT" else {"Operations": [op("replace", "title", "x")]}
    assert api.call(method, path, body, status=200)["title"] == "x"


def test_rippling_tests_by_the_configuration_and_creates_without_a_second_copy(api: Api) -> None:
    assert api.get("/ServiceProviderConfig")["patch"]["supported"] is True
    body = {
        "schemas": [USER, ENTERPRISE],
        "externalId": "e1",
        "userName": api.mail("ava"),
        ENTERPRISE: {"employeeNumber": "7"},
    }
    api.post("/Users", body)
    api.refuse("POST", "/Users", body, status=409, kind="uniqueness")
    assert len(api.find('externalId eq "e1"')) == 1
