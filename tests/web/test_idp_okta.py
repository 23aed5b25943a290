"""What Okta sends: the wizard's private app (AIW) with PUT, the catalogue's app (OIN) with PATCH (idp.md section 3)."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from .conftest import ENTERPRISE, EXT, GROUP, PATCH_OP, USER, Api, op

HEADERS = {
    "User-Agent": "Okta SCIM Client 1.0.0",
    "Accept": "application/scim+json",
    "Accept-Charset": "utf-8",
    "Connection": "close",
}
WRITING = {**HEADERS, "Content-Type": "application/scim+json; charset=utf-8"}


@pytest.fixture(params=["default", "okta"])
def api(request: pytest.FixtureRequest, api: Api) -> Api:
    """Every shape is served under the profile that serves all and under its own."""
    return api.token_for(profile=request.param)


def new_user(api: Api, name: str = "ava", **more: Any) -> dict[str, Any]:
    """The body of Okta's create: a placeholder for a password and no groups are always there."""
    return {
        "schemas": [USER],
        "userName": api.mail(name),
        "name": {"givenName": name.title(), "familyName": "Lee"},
        "emails": [{"primary": True, "value": api.mail(name), "type": "work"}],
        "displayName": f"{name.title()} Lee",
        "locale": "en-US",
        "externalId": f"00u{name}",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
        **more,
    }


def test_connection_test_gets_numbers(api: Api) -> None:
    for name in ("ava", "bob", "cleo"):
        api.post("/Users", new_user(api, name), headers=WRITING)
    page = api.get("/Users?startIndex=1&count=2", headers=HEADERS)
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (3, 1, 2)
    first = page["Resources"][0]
    assert (first["active"], first["name"]["givenName"], first["emails"][0]["value"]) == (True, "Ava", api.mail("ava"))
    assert api.get("/Groups?startIndex=1&count=100", headers=HEADERS)["Resources"] == []


def test_lookup_then_create_then_conflict(api: Api) -> None:
    lookup = f"/Users?filter=userName%20eq%20%22{api.mail('ava')}%22&startIndex=1&count=100"
    assert api.get(lookup, headers=HEADERS)["totalResults"] == 0
    made = api.post("/Users", new_user(api), headers=WRITING)
    assert "password" not in made
    assert "groups" not in made
    assert (made["externalId"], made["active"], made["locale"]) == ("00uava", True, "en-US")
    assert [one["id"] for one in api.get(lookup, headers=HEADERS)["Resources"]] == [made["id"]]
    upper = api.get(lookup.replace("ava@", "AVA@"), headers=HEADERS)
    assert upper["totalResults"] == 1
    api.refuse("POST", "/Users", new_user(api), status=409, kind="uniqueness", headers=WRITING)
    assert api.refuse("GET", "/Users/00u0", status=404, headers=HEADERS)


def test_enterprise_attributes_with_a_manager_who_is_no_id(api: Api) -> None:
    body = new_user(api)
    body["schemas"] = [USER, ENTERPRISE]
    body[ENTERPRISE] = {"department": "Sales", "manager": {"value": "Boss Name", "displayName": "Boss"}}
    made = api.post("/Users", body, headers=WRITING)
    assert made[ENTERPRISE] == {"department": "Sales", "manager": {"value": "Boss Name"}}
    assert api.put(f"/Users/{made['id']}", made, headers=WRITING)["meta"] == made["meta"]


def test_put_of_everything_that_get_returned(api: Api) -> None:
    """Merged with the profile: unknown attributes, ``""`` for what has no value, the display of an e-mail."""
    made = api.post("/Users", new_user(api), headers=WRITING)
    path = f"/Users/{made['id']}"
    sales = api.group("Sales", made["id"])
    api.patch(path, op("replace", f"{EXT}:licenseType", "pro"), op("add", "title", "Clerk"))
    whole = api.get(path, headers=HEADERS)
    assert api.put(path, whole, headers=WRITING) == whole
    merged = {
        **whole,
        "name": {**whole["name"], "familyName": "Chen", "middleName": "", "honorificPrefix": ""},
        "title": "",
        "nickName": None,
        "department": "unmapped",
        "addresses": [],
        "emails": [{**whole["emails"][0], "display": "work mail"}],
        "phoneNumbers": [{"value": "", "type": "work"}],
        "groups": [],
    }
    after = api.put(path, merged, headers=WRITING)
    assert after["name"] == {"givenName": "Ava", "familyName": "Chen"}
    assert {"title", "nickName", "department", "addresses", "phoneNumbers"}.isdisjoint(after)
    assert after["emails"][0]["display"] == "work mail"
    assert [one["value"] for one in after["groups"]] == [sales["id"]]
    assert after[EXT] == whole[EXT]
    assert (after["id"], after["meta"]["created"]) == (made["id"], made["meta"]["created"])
    assert {"attribute": "department", "ignored": True} in changes(api)


def changes(api: Api) -> list[Any]:
    return [change for entry in api.journal() for change in orjson.loads(entry.changes)]


@pytest.mark.parametrize(
    "silence",
    [{}, {EXT: {}}, {"roles": []}, {"entitlements": []}, {"active": None}, {"phoneNumbers": ...}],
    ids=["bare", "block", "roles", "entitlements", "active", "phones"],
)
def test_put_of_a_mapping_that_knows_little_keeps_what_is_critical(api: Api, silence: dict[str, Any]) -> None:
    phones = [{"type": "mobile", "value": "+15145550100"}]
    ext = {"licenseType": "pro", "licenseActivated": True, "role": "administrator", "twoFactorEnabled": True}
    made = api.post("/Users", new_user(api, phoneNumbers=phones, **{EXT: ext}), headers=WRITING)
    body = {name: value for name, value in {**new_user(api), **silence}.items() if value is not ...}
    del body["password"]
    if "active" not in silence:
        del body["active"]
    after = api.put(f"/Users/{made['id']}", {**body, "id": made["id"]}, headers=WRITING)
    assert after == made


def test_wizard_app_deactivates_and_reactivates_by_put(api: Api) -> None:
    made = api.post("/Users", new_user(api, **{EXT: {"licenseType": "pro"}}), headers=WRITING)
    path = f"/Users/{made['id']}"
    gone = api.put(path, {**api.get(path), "active": False}, headers=WRITING)
    assert (gone["active"], gone[EXT]["licenseStatus"]) == (False, "suspended")
    assert api.get("/Users?startIndex=1&count=100")["Resources"][0]["active"] is False
    back = api.put(path, {**api.get(path), "active": True}, headers=WRITING)
    assert (back["active"], back[EXT]) == (True, made[EXT])


def test_catalogue_app_deactivates_and_sets_passwords_by_pathless_patch(api: Api) -> None:
    made = api.post("/Users", new_user(api, title="Clerk"), headers=WRITING)
    path = f"/Users/{made['id']}"
    gone = api.patch(path, op("replace", None, {"active": False}), headers=WRITING)
    assert (gone["active"], gone["title"]) == (False, "Clerk")
    again = api.patch(path, op("replace", None, {"active": False}), headers=WRITING)
    assert again["meta"] == gone["meta"]
    answer = api.patch(path, op("replace", None, {"password": "t1meM4chine"}), headers=WRITING)
    assert "password" not in answer
    assert api.patch(path, op("replace", None, {"active": True}), headers=WRITING)["title"] == "Clerk"
    assert "t1meM4chine" not in repr(api.journal())


def test_return_of_a_leaver_under_release_takes_a_free_seat(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, deactivation__licensePolicy="release")
    made = api.post("/Users", new_user(api, **{EXT: {"licenseType": "pro"}}), headers=WRITING)
    path = f"/Users/{made['id']}"
    gone = api.put(path, {**made, "active": False}, headers=WRITING)
    assert (gone[EXT]["licenseStatus"], api.pool("pro").assigned) == ("none", 0)
    back = api.put(path, {**gone, "active": True}, headers=WRITING)
    assert (back[EXT]["licenseType"], back[EXT]["licenseStatus"]) == ("pro", "assigned")
    assert api.pool("pro").assigned == 1


def test_put_with_a_stale_licence_does_not_withdraw_or_assign(new_account: Callable[..., Api]) -> None:
    """The profile of an AIW app echoes entitlements that it read; the returned readOnly state has no effect."""
    api = new_account(licences=1)
    made = api.post("/Users", new_user(api, **{EXT: {"licenseType": "pro"}}), headers=WRITING)
    echo = {**made, "displayName": "Ava Chen", "entitlements": [{"value": "pro", "type": "license", "primary": False}]}
    after = api.put(f"/Users/{made['id']}", echo, headers=WRITING)
    assert (after["displayName"], after[EXT]) == ("Ava Chen", made[EXT])
    assert [one["value"] for one in after["entitlements"]] == ["pro"]


def group_of(api: Api, name: str = "Sales", *ids: str) -> Any:
    lookup = f"/Groups?filter=displayName%20eq%20%22{name}%22&startIndex=1&count=100"
    assert api.get(lookup, headers=HEADERS)["Resources"] == []
    made = api.post("/Groups", {"schemas": [GROUP], "displayName": name, "members": []}, headers=WRITING)
    assert api.get(lookup, headers=HEADERS)["Resources"][0]["id"] == made["id"]
    if ids:
        api.patch(f"/Groups/{made['id']}", op("add", "members", [{"value": one} for one in ids]))
    return api.get(f"/Groups/{made['id']}", headers=HEADERS)


def members(group: Any) -> list[str]:
    return sorted(one["value"] for one in group["members"])


def test_wizard_app_pushes_a_group_by_put(api: Api) -> None:
    ava, bob = (api.post("/Users", new_user(api, name))["id"] for name in ("ava", "bob"))
    sales = group_of(api)
    path = f"/Groups/{sales['id']}"
    pushed = [{"value": ava, "display": api.mail("ava")}, {"value": bob, "display": api.mail("bob")}]
    assert members(api.put(path, {**sales, "members": pushed}, headers=WRITING)) == sorted([ava, bob])
    bare = {"schemas": [GROUP], "displayName": "Sales", "members": pushed[1:]}
    assert members(api.put(path, bare, headers=WRITING)) == [bob]
    ghost = {**bare, "members": [*pushed[:1], {"value": "00ughost", "display": "ghost"}]}
    assert members(api.put(path, ghost, headers=WRITING)) == [ava]
    assert {"attribute": "members", "skipped": ["00ughost"]} in changes(api)
    assert api.put(path, {**bare, "members": []}, headers=WRITING)["members"] == []


def test_catalogue_app_pushes_a_group_by_patch(api: Api) -> None:
    ava, bob = (api.post("/Users", new_user(api, name))["id"] for name in ("ava", "bob"))
    sales = group_of(api, "Sales", ava)
    path = f"/Groups/{sales['id']}"
    rename = op("replace", None, {"id": sales["id"], "displayName": "Sales EU"})
    body = {"Operations": [rename], "schemas": [PATCH_OP]}
    renamed = api.call("PATCH", path, body, status=200, headers=WRITING)
    assert (renamed["id"], renamed["displayName"], members(renamed)) == (sales["id"], "Sales EU", [ava])
    moved = api.patch(
        path,
        op("remove", f'members[value eq "{ava}"]'),
        op("add", "members", [{"value": bob, "display": api.mail("bob")}]),
        headers=WRITING,
    )
    assert members(moved) == [bob]
    push_now = [{"value": ava, "display": "a"}, {"value": "00ughost", "display": "g"}]
    assert members(api.patch(path, op("replace", "members", push_now), headers=WRITING)) == [ava]
    assert members(api.patch(path, op("replace", "members", []), headers=WRITING)) == []
    api.delete(path, headers=HEADERS)
    assert api.get(f"/Users/{ava}")["active"] is True


def test_push_that_names_only_strangers_is_refused(api: Api) -> None:
    sales = group_of(api, "Sales", api.post("/Users", new_user(api))["id"])
    with api.unchanged(f"/Groups/{sales['id']}"):
        operation = op("replace", "members", [{"value": "00ughost"}])
        detail = api.refuse_patch(f"/Groups/{sales['id']}", operation, kind="invalidValue")
    assert detail == "members: '00ughost' is not a user of this account."


def test_strict_connection_refuses_one_stranger(api: Api) -> None:
    ava = api.post("/Users", new_user(api))["id"]
    sales = group_of(api)
    strict = api.token_for(profile="strict")
    with api.unchanged(f"/Groups/{sales['id']}"):
        operation = op("add", "members", [{"value": ava}, {"value": "00ughost"}])
        detail = strict.refuse_patch(f"/Groups/{sales['id']}", operation, kind="invalidValue")
    assert detail == "members: '00ughost' is not a user of this account."
    assert (api.refusals()[-1].rule, api.refusals()[-1].error) == ("R27", "E28")


def test_import_in_pages_ends_with_the_total(api: Api) -> None:
    ids = [api.user(f"user{number}")["id"] for number in range(5)]
    seen: list[str] = []
    start = 1
    while start <= (page := api.get(f"/Users?startIndex={start}&count=2", headers=HEADERS))["totalResults"]:
        seen += [one["id"] for one in page["Resources"]]
        start += 2
    assert seen == ids


def test_bad_token_and_unknown_id_have_error_bodies(api: Api) -> None:
    bearer = {"Authorization": "Bearer wrong"}
    assert api.refuse("GET", "/Users?startIndex=1&count=1", status=401, headers=bearer)
    assert api.refuse("GET", "/Users/010101001010101011001010101011", status=404)
