"""What OneLogin, JumpCloud, authentik, Rauthy, Salesforce and others send (idp.md sections 4 to 12)."""

from typing import Any
from urllib.parse import quote

import pytest

from .conftest import ENTERPRISE, EXT, GROUP, USER, Api, op


def members(api: Api, group: Any) -> list[str]:
    return sorted(one["value"] for one in api.get(f"/Groups/{group['id']}")["members"])


def test_onelogin_template_with_its_oddities(api: Api) -> None:
    template = {
        "schemas": ["urn:scim:schemas:core:1.0", USER],
        "id": None,
        "userName": api.mail("ava"),
        "externalId": "",
        "emails": {"value": api.mail("ava"), "type": "work", "primary": "true"},
        "name": {"givenName": "Ava", "familyName": "Lee", "formatted": ""},
        "phoneNumbers": [{"value": "", "type": "work"}],
        "title": "",
        ENTERPRISE: {"department": "", "manager": {"managerId": "", "displayName": ""}},
    }
    made = api.post("/Users", template | {"active": "true"}, headers={"User-Agent": ""})
    assert made["emails"] == [{"value": api.mail("ava"), "type": "work", "primary": True}]
    assert made["name"] == {"givenName": "Ava", "familyName": "Lee"}
    assert {"externalId", "phoneNumbers", "title", ENTERPRISE}.isdisjoint(made)
    assert made["schemas"] == [USER, EXT]
    path = f"/Users/{made['id']}"
    assert api.put(path, template)["meta"] == made["meta"]
    assert api.put(path, template | {"active": "false"})["active"] is False
    assert api.put(path, template | {"title": "Boss"})["active"] is False


def test_jumpcloud_activation_and_updates(api: Api) -> None:
    assert api.get("/Users")["totalResults"] == 0
    made = api.post("/Users", {"schemas": [USER], "userName": api.mail("test"), "active": True})
    group = api.group("JumpCloud Test Group")
    api.delete(f"/Users/{made['id']}")
    api.delete(f"/Groups/{group['id']}")
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    after = api.patch(
        f"/Users/{ava}",
        op("replace", "name.givenName", "Ava"),
        op("replace", "name.familyName", "Lee"),
        op("replace", "active", False),
    )
    assert (after["name"], after["active"]) == ({"givenName": "Ava", "familyName": "Lee"}, False)
    sales = api.group("Sales")
    api.patch(f"/Groups/{sales['id']}", op("add", "members", [{"value": ava}, {"value": bob}]))
    api.patch(f"/Groups/{sales['id']}", op("remove", "members", [{"value": ava}]))
    assert members(api, sales) == [bob]


def test_authentik_runs_without_a_change_of_its_own_making(api: Api) -> None:
    config = api.get("/ServiceProviderConfig")
    assert config["patch"]["supported"] is True
    assert config["bulk"]["maxOperations"] >= 100
    body = {
        "userName": api.mail("ava"),
        "name": {"formatted": "Ava", "givenName": "Ava", "familyName": ""},
        "emails": [{"value": api.mail("ava"), "type": "other", "primary": True}],
        "photos": [],
        "displayName": "Ava",
        "active": True,
        "externalId": "abc",
    }
    made = api.post("/Users", body)
    sent_again = {name: value for name, value in body.items() if value != []}
    sent_again["name"] = {"formatted": "Ava", "givenName": "Ava"}
    assert {name: made[name] for name in sent_again} == sent_again
    assert api.put(f"/Users/{made['id']}", body | {"id": made["id"], "schemas": [USER]})["meta"] == made["meta"]
    group = api.post("/Groups", {"schemas": [GROUP], "externalId": "g", "displayName": "Sales"})
    echo = {"schemas": [GROUP], "id": group["id"], "externalId": "g", "displayName": "Sales 2"}
    path = f"/Groups/{group['id']}"
    assert api.patch(path, op("replace", None, echo))["displayName"] == "Sales 2"
    bob = api.user("bob")["id"]
    api.patch(path, op("add", "members", [{"value": made["id"]}]), op("add", "members", [{"value": bob}]))
    assert members(api, group) == sorted([made["id"], bob])
    api.patch(path, op("remove", "members", [{"value": bob}]))
    api.patch(path, op("remove", "members", [{"value": made["id"]}]))
    assert api.get(path)["members"] == []


def test_rauthy_syncs_by_external_id_and_by_the_groups_of_a_user(api: Api) -> None:
    body = {
        "schemas": [USER],
        "externalId": "r1",
        "userName": api.mail("ava+x"),
        "emails": [{"value": api.mail("ava+x"), "primary": True}],
        "phoneNumbers": [{"value": "+1 514 555 0100"}],
        "addresses": [{"country": "Canada"}],
        "roles": [{"value": "standard"}],
        "custom": {"colour": "red"},
    }
    made = api.post("/Users", body)
    assert "custom" not in made
    assert made["phoneNumbers"] == [{"value": "+1 514 555 0100"}]
    assert [one["id"] for one in api.find('externalId eq "r1"')] == [made["id"]]
    group = api.post("/Groups", {"schemas": [GROUP], "externalId": "g1", "displayName": "Sales"})
    assert group["externalId"] == "g1"
    api.patch(f"/Groups/{group['id']}", op("add", "members", [{"value": made["id"], "display": "ava"}]))
    answer = api.put(f"/Users/{made['id']}", body | {"id": made["id"]})
    assert [(one["display"], one["value"]) for one in answer["groups"]] == [("Sales", group["id"])]
    unlinked = api.patch(f"/Groups/{group['id']}", op("replace", None, {"displayName": "Sales", "externalId": None}))
    assert "externalId" not in unlinked
    page = api.get("/Groups?startIndex=1&count=100")
    assert {"Resources", "itemsPerPage", "startIndex", "totalResults"} < set(page)


def test_plus_sign_that_is_not_encoded_is_one_where_blanks_are(api: Api) -> None:
    """Only blanks and quotes are encoded by Rauthy; the standard reading of a raw ``+`` is a blank."""
    ava = api.user("ava+x")
    raw = quote(f'userName eq "{api.mail("ava+x")}"', safe="+@")
    strict = api.token_for(profile="strict")
    assert [one["id"] for one in api.get(f"/Users?filter={raw}&count=1")["Resources"]] == [ava["id"]]
    assert strict.get(f"/Users?filter={raw}")["totalResults"] == 0
    encoded = raw.replace("+", "%2B")
    for written in (encoded, encoded.replace("%20", "+")):
        for side in (api, strict):
            assert side.get(f"/Users?filter={written}")["totalResults"] == 1


@pytest.mark.parametrize(
    "operation",
    [
        lambda one: op("remove", "members", {"members": [{"value": one}]}),
        lambda one: op("remove", "members", {"value": one}),
        lambda one: op("remove", "members", one),
        lambda one: op("remove", "members", [one]),
        lambda one: op("remove", f'members[value eq "{one}"]', [{"value": one}]),
    ],
    ids=["salesforce", "object", "text", "texts", "both"],
)
def test_every_way_to_remove_one_member_leaves_the_others(api: Api, operation: Any) -> None:
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    sales = api.group("Sales", ava, bob)
    api.patch(f"/Groups/{sales['id']}", operation(ava))
    assert members(api, sales) == [bob]


def test_members_added_without_a_path(api: Api) -> None:
    """WSO2 and those around it."""
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    sales = api.group("Sales", ava)
    api.patch(f"/Groups/{sales['id']}", op("add", None, {"members": [{"value": bob}]}))
    assert members(api, sales) == sorted([ava, bob])


def test_name_without_a_path_is_merged(api: Api) -> None:
    """Google's shape: a pathless replace of one part of the name."""
    ava = api.user("ava", name={"givenName": "Ava", "familyName": "Lee"})
    after = api.patch(f"/Users/{ava['id']}", op("replace", None, {"name": {"familyName": "Chen"}}))
    assert after["name"] == {"givenName": "Ava", "familyName": "Chen"}


def test_ping_filters_with_a_capital_operator(api: Api) -> None:
    ava = api.user("ava", emails=[{"value": api.mail("ava"), "type": "work"}])
    assert [one["id"] for one in api.find(f'username Eq "{api.mail("ava")}"')] == [ava["id"]]
    assert [one["id"] for one in api.find(f'emails Co "{api.mail("ava")[:4]}"')] == [ava["id"]]


def test_emails_removed_by_a_value_list_leave_the_others(api: Api) -> None:
    emails = [{"value": api.mail("ava"), "type": "work"}, {"value": "x@home.example", "type": "home"}]
    ava = api.user("ava", emails=emails)
    after = api.patch(f"/Users/{ava['id']}", op("Remove", "emails", [{"$ref": None, "value": "x@home.example"}]))
    assert after["emails"] == emails[:1]


@pytest.mark.parametrize("value", [[], [{}], [{"value": "a@x.example"}, {"value": None}], [7]])
def test_removal_that_selects_nothing_removes_nothing(api: Api, value: Any) -> None:
    ava = api.user("ava", emails=[{"value": "a@x.example", "type": "home"}, {"value": "b@x.example", "type": "other"}])
    with api.unchanged(f"/Users/{ava['id']}"):
        detail = api.refuse_patch(f"/Users/{ava['id']}", op("Remove", "emails", value), kind="invalidValue")
    assert detail == "the value of the remove of 'emails' selects nothing; leave it out to remove every value"
