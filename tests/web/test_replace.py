"""Replacement: protocol.md 4.12, with the account's own P3 and P7."""

from typing import Any

import pytest

from tests.web.conftest import ENTERPRISE, EXT, GEXT, GROUP, USER, Api

FULL: dict[str, Any] = {
    "externalId": "e",
    "displayName": "Ava",
    "title": "Clerk",
    "nickName": "A",
    "name": {"givenName": "Ava", "familyName": "Cole"},
    "emails": [{"value": "h@else.example", "type": "home"}],
    "photos": [{"value": "https://x.example/p", "type": "photo"}],
    "x509Certificates": [{"value": "AAEC"}],
    ENTERPRISE: {"department": "D", "employeeNumber": "7"},
}


def body(api: Api, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": api.mail("ava"), **more}


@pytest.fixture
def user(api: Api) -> Any:
    return api.user("ava", **FULL)


@pytest.fixture
def path(user: Any) -> str:
    return f"/Users/{user['id']}"


def test_replacement_answers_the_new_resource(api: Api, user: Any, path: str) -> None:
    """PUT-01, PUT-02, PUT-07, PUT-10, A-08: what is left out is cleared, extension and URN included."""
    after = api.put(path, body(api, title="Chief"))
    assert {name for name in FULL if name in after} == {"title"}
    assert after["title"] == "Chief"
    assert after["schemas"] == [USER, EXT]
    assert after["id"] == user["id"]
    assert after["meta"]["created"] == user["meta"]["created"]
    assert after["meta"]["lastModified"] > user["meta"]["lastModified"]
    assert api.response.headers["ETag"] == after["meta"]["version"] != user["meta"]["version"]
    assert api.response.headers["Content-Location"] == user["meta"]["location"]
    assert api.get(path) == after
    assert api.done() == ["user.created", "user.updated"]


def test_read_only_members_are_ignored(api: Api, user: Any, path: str) -> None:
    """PUT-03, A-04: a client may send back what it read, or worse."""
    sent = {**user, "id": "other", "meta": {"version": "x", "location": "http://evil"}, "groups": [{"value": "x"}]}
    assert api.put(path, sent) == user
    assert api.put(path, {**user, "id": 5, "meta": [], "groups": "x"}) == user


def test_identical_replacement_changes_nothing(api: Api, user: Any, path: str) -> None:
    """PUT-13, A-26, P5, ETG-06: also under other spellings of names and another order of elements' members."""
    with api.unchanged(path):
        assert api.put(path, user) == user
        assert api.put(path, {name.upper() if ":" not in name else name: value for name, value in user.items()}) == user
        sent = {**user, "emails": [{"TYPE": "home", "value": "h@else.example"}], ENTERPRISE.upper(): user[ENTERPRISE]}
        del sent[ENTERPRISE]
        assert api.put(path, sent) == user


@pytest.mark.parametrize("name", [..., None, "", "  ", 5, ["x", "y"]])
def test_required_attribute_may_not_be_left_out(api: Api, path: str, name: Any) -> None:
    """PUT-05."""
    sent = {"schemas": [USER], "title": "x"} if name is ... else {"schemas": [USER], "userName": name}
    with api.unchanged(path):
        api.refuse("PUT", path, sent, kind="invalidValue")


def test_user_name_of_another_user_is_a_conflict(api: Api, user: Any, path: str) -> None:
    """PUT-06: one's own in another case is none."""
    bob = api.user("bob")
    with api.unchanged(path, f"/Users/{bob['id']}"):
        for name in ("bob", "BOB"):
            api.refuse("PUT", path, {**user, "userName": api.mail(name)}, status=409, kind="uniqueness")
    assert api.put(path, {**user, "userName": api.mail("AVA")})["userName"] == api.mail("AVA")


def test_null_and_empty_lists_clear(api: Api, user: Any, path: str) -> None:
    """PUT-08, CRT-13."""
    after = api.put(path, {**user, "title": None, "emails": [], "name": None, ENTERPRISE: None, "nickName": ""})
    assert not {"title", "emails", "name", ENTERPRISE, "nickName"} & set(after)
    assert after["schemas"] == [USER, EXT]
    assert after["displayName"] == "Ava"
    after = api.put(path, {**after, ENTERPRISE: {"department": None, "employeeNumber": None}})
    assert ENTERPRISE not in after


def test_extension_is_replaced_as_a_whole(api: Api, user: Any, path: str) -> None:
    """PUT-10."""
    after = api.put(path, {**user, ENTERPRISE: {"department": "E"}})
    assert after[ENTERPRISE] == {"department": "E"}
    assert after["schemas"] == [USER, ENTERPRISE, EXT]


def test_replacement_answers_what_is_asked_for(api: Api, user: Any, path: str) -> None:
    """PUT-11."""
    assert api.put(f"{path}?attributes=userName", user) == {
        "schemas": user["schemas"], "id": user["id"], "userName": user["userName"]
    }  # fmt: skip
    assert "emails" not in api.put(f"{path}?excludedAttributes=emails", user)
    with api.unchanged(path):
        api.refuse("PUT", f"{path}?attributes=id&excludedAttributes=id", body(api), kind="invalidValue")


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"schemas": [GROUP]}, "invalidSyntax"),
        ({"schemas": []}, "invalidSyntax"),
        ({"schemas": "x"}, "invalidSyntax"),
        ({"active": "perhaps"}, "invalidValue"),
        ({"emails": {"value": 5}}, "invalidValue"),
        ({"name": "Ava"}, "invalidValue"),
        ({"title": ["a", "b"]}, "invalidValue"),
        ({EXT: {"licenseType": "gold"}}, "invalidValue"),
        ({"timezone": "Mars/Phobos"}, "invalidValue"),
        ({"emails": [{"value": f"{n}", "type": "home", "primary": True} for n in range(2)]}, "invalidValue"),
    ],
    ids=str,
)
def test_wrong_replacement_changes_nothing(api: Api, user: Any, path: str, sent: Any, kind: str) -> None:
    """PUT-12, PUT-15."""
    with api.unchanged(path, "/Users"):
        api.refuse("PUT", path, {**user, "title": "changed", **sent}, kind=kind)
    assert [(entry.target_id, entry.status) for entry in api.refusals()] == [(user["id"], 400)]


def test_replacement_without_schemas(api: Api, user: Any, path: str) -> None:
    """PUT-15, A-13: taken by default, refused by the strict profile."""
    sent = {name: value for name, value in user.items() if name != "schemas"}
    assert api.put(path, sent) == user
    strict = api.token_for(profile="strict")
    with api.unchanged(path):
        strict.refuse("PUT", path, {**sent, "title": "x"}, kind="invalidSyntax")


def test_silence_keeps_what_the_account_needs(api: Api) -> None:
    """P3: a PUT that leaves them out does not withdraw, demote, reactivate or forget."""
    api.user("boss", roles=[{"value": "administrator"}])
    phones = [{"value": "+1 555 0100", "type": "mobile"}]
    user = api.user(
        "ava", phoneNumbers=phones, timezone="UTC", roles=[{"value": "administrator"}], ext={"licenseType": "pro"}
    )
    path = f"/Users/{user['id']}"
    kept = {name: user[name] for name in ("active", "phoneNumbers", "roles", "entitlements", "timezone", EXT)}
    with api.unchanged(path):
        for sent in ({}, {"roles": [], "entitlements": []}, {EXT: {}}, {"active": None}):
            after = api.put(path, body(api, **sent))
            assert {name: after[name] for name in kept} == kept
    assert "phoneNumbers" not in api.put(path, body(api, phoneNumbers=None))


def test_immutable_attribute_may_be_repeated_and_not_changed(api: Api, user: Any, path: str) -> None:
    """PUT-14, PAT-48."""
    group = api.group("Sales")
    with api.unchanged(path, f"/Groups/{group['id']}"):
        assert api.put(path, {**user, EXT: {"kind": "person"}})[EXT]["kind"] == "person"
        assert api.put(path, {**user, EXT: {"kind": "PERSON"}}) == user
        api.refuse("PUT", path, {**user, EXT: {"kind": "sharedMailbox"}}, kind="mutability")
        sent = {"schemas": [GROUP], "displayName": "Sales", GEXT: {"kind": "roleGroup"}}
        api.refuse("PUT", f"/Groups/{group['id']}", sent, kind="mutability")


def test_replacement_of_a_group_replaces_its_members(api: Api) -> None:
    """PUT-09, PUT-13, ETG-07."""
    ids = [api.user(f"u{n}")["id"] for n in range(4)]
    group = api.group("Sales", *ids[:3])
    path = f"/Groups/{group['id']}"
    sent = {"schemas": [GROUP], "displayName": "Sales", "members": [{"value": one} for one in ids[2:]]}
    after = api.put(path, sent)
    assert {one["value"] for one in after["members"]} == set(ids[2:])
    assert after["meta"]["version"] != group["meta"]["version"]
    assert api.get(path) == after
    with api.unchanged(path):
        api.put(path, sent)
        api.put(path, {**sent, "members": [{"value": one} for one in (ids[3], ids[2], ids[3])]})
    assert api.done()[-2:] == ["group.created", "group.updated"]


def test_replacement_of_a_group_without_members_keeps_them(api: Api) -> None:
    """Decision: absence removes nobody; an empty list and null empty the group."""
    ava = api.user()["id"]
    path = f"/Groups/{api.group('Sales', ava)['id']}"
    after = api.put(path, {"schemas": [GROUP], "displayName": "Renamed", "externalId": "g"})
    assert [one["value"] for one in after["members"]] == [ava]
    assert (after["displayName"], after["externalId"]) == ("Renamed", "g")
    assert "externalId" not in api.put(path, {"schemas": [GROUP], "displayName": "Renamed"})
    for nobody in ([], None):
        api.patch(path, {"op": "add", "path": "members", "value": [{"value": ava}]})
        assert api.put(path, {"schemas": [GROUP], "displayName": "Renamed", "members": nobody})["members"] == []


@pytest.mark.parametrize("name", [..., None, "", " ", 5, []])
def test_group_keeps_its_name(api: Api, name: Any) -> None:
    """PUT-05, GRP-05, GRP-09."""
    path = f"/Groups/{api.group('Sales')['id']}"
    with api.unchanged(path):
        api.refuse(
            "PUT", path, {"schemas": [GROUP], **({} if name is ... else {"displayName": name})}, kind="invalidValue"
        )
