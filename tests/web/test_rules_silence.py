"""What silence, an echo and an alias mean over the wire (P3, P5, P7, E26)."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import ENTERPRISE, EXT, USER, Api, op

MOBILE = [{"type": "mobile", "value": "+15145550100"}]
FULL = {
    "licenseType": "pro",
    "licenseActivated": True,
    "role": "administrator",
    "timeZone": "America/Toronto",
    "smsCountryCode": "CA",
    "smsReturnsEnabled": True,
    "microsoftReturnsEnabled": True,
    "twoFactorEnabled": True,
}


def full_user(api: Api, name: str = "ava", **more: Any) -> Any:
    """A user with a value for everything that is critical."""
    profile = {"title": "Boss", "displayName": "Ava", "phoneNumbers": MOBILE, "name": {"givenName": "Ava"}}
    return api.user(name, ext=FULL, **profile, **more)


CRITICAL = ("active", "roles", "entitlements", "phoneNumbers", "timezone")
IN_EXTENSION = sorted(set(FULL))


@pytest.mark.parametrize("name", [*CRITICAL, EXT])
def test_p3_put_without_a_critical_attribute_keeps_it(api: Api, name: str) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = full_user(api)
    path = f"/Users/{ava['id']}"
    assert name in ava
    body = {key: value for key, value in ava.items() if key != name}
    assert api.put(path, body) == ava
    assert (api.pool("pro").assigned, api.done().count("user.updated")) == (1, 0)


@pytest.mark.parametrize("name", IN_EXTENSION)
def test_p3_put_without_one_of_the_extension_keeps_it(api: Api, name: str) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = full_user(api)
    block = {key: value for key, value in ava[EXT].items() if key != name}
    assert api.put(f"/Users/{ava['id']}", {**ava, EXT: block}) == ava


@pytest.mark.parametrize("name", ["roles", "entitlements"])
def test_p3_empty_roles_and_entitlements_are_silence(api: Api, name: str) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = full_user(api)
    assert api.put(f"/Users/{ava['id']}", {**ava, name: []}) == ava


@pytest.mark.parametrize(
    ("name", "cleared"),
    [
        ("role", "standard"),
        ("licenseType", None),
        ("timeZone", None),
        ("smsReturnsEnabled", False),
        ("microsoftReturnsEnabled", False),
        ("twoFactorEnabled", False),
    ],
)
def test_p3_explicit_null_clears(api: Api, name: str, cleared: Any) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = full_user(api)
    body = {"schemas": [USER], "userName": ava["userName"], EXT: {name: None}}
    after = api.put(f"/Users/{ava['id']}", body)
    assert after[EXT].get(name) == cleared


def test_p3_explicit_null_clears_core_attributes(api: Api) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = api.user("ava", phoneNumbers=MOBILE, timezone="UTC", ext={"role": "administrator", "licenseType": "eco"})
    nothing = {"roles": None, "phoneNumbers": None, "timezone": None, "entitlements": None}
    after = api.put(f"/Users/{ava['id']}", {"schemas": [USER], "userName": ava["userName"], **nothing})
    assert {"roles", "phoneNumbers", "timezone", "entitlements"}.isdisjoint(after)
    assert (after[EXT]["role"], after[EXT]["licenseStatus"]) == ("standard", "none")
    assert api.pool("eco").assigned == 0


def test_p3_empty_text_in_the_extension_is_silence_in_a_put(api: Api) -> None:
    """Okta writes ``""`` for what its profile has no value for."""
    api.user("boss", ext={"role": "administrator"})
    ava = full_user(api)
    assert api.put(f"/Users/{ava['id']}", {**ava, EXT: dict.fromkeys(FULL, "")}) == ava


def test_p3_profile_is_replaced(api: Api) -> None:
    ava = full_user(api, nickName="A", **{ENTERPRISE: {"department": "Sales"}})
    after = api.put(f"/Users/{ava['id']}", {"schemas": [USER], "userName": ava["userName"], "nickName": "B"})
    assert {"title", "displayName", "name", ENTERPRISE}.isdisjoint(after)
    assert (after["nickName"], after["schemas"]) == ("B", [USER, EXT])


@pytest.mark.parametrize(
    "operations",
    [
        [op("replace", "title", "Boss")],
        [op("add", "title", "Boss"), op("replace", "active", "True")],
        [op("replace", f"{EXT}:licenseType", "PRO")],
        [op("replace", "entitlements", [{"value": "pro", "type": "license", "display": "pro"}])],
        [op("replace", f"{EXT}:licenseActivated", "true")],
        [op("replace", f"{EXT}:role", "Administrator")],
        [op("add", "phoneNumbers", MOBILE)],
        [op("remove", "nickName"), op("remove", 'emails[type eq "work"]')],
        [op("replace", None, {"active": True, "displayName": "Ava", "name": {"givenName": "Ava"}})],
        [op("replace", "title", "X"), op("replace", "title", "Boss")],
        [op("remove", f"{EXT}:licenseType"), op("add", f"{EXT}:licenseType", "pro")],
        [op("replace", f"{EXT}:smsReturnsEnabled", True), op("replace", f"{EXT}:twoFactorEnabled", "True")],
        [op("replace", "timezone", "America/Toronto")],
        [op("replace", "password", "secret")],
    ],
)
def test_p5_same_value_again_changes_nothing(api: Api, operations: list[Any]) -> None:
    ava = full_user(api)
    entries = len(api.journal())
    assert api.patch(f"/Users/{ava['id']}", *operations) == ava
    assert (len(api.journal()), api.pool("pro").assigned) == (entries, 1)


def test_p5_put_of_what_was_read_changes_nothing(api: Api) -> None:
    ava = full_user(api, emails=[{"value": "x@home.example", "type": "home"}], **{ENTERPRISE: {"division": "D"}})
    api.group("Sales", ava["id"])
    read = api.get(f"/Users/{ava['id']}")
    entries = len(api.journal())
    assert api.put(f"/Users/{ava['id']}", read) == read
    assert len(api.journal()) == entries


def test_p5_deactivating_twice_moves_no_seat(new_account: Callable[..., Api]) -> None:
    api = new_account(deactivation__licensePolicy="release")
    ava = api.user("ava", ext={"licenseType": "pro"})
    gone = api.patch(f"/Users/{ava['id']}", op("replace", "active", False))
    assert api.put(f"/Users/{ava['id']}", gone) == gone
    assert api.pool("pro").assigned == 0


@pytest.mark.parametrize(
    ("change", "licence"),
    [
        ({EXT: {"licenseType": "eco"}}, "eco"),
        ({"entitlements": [{"value": "eco", "type": "license"}]}, "eco"),
        ({EXT: {"licenseType": "eco"}, "entitlements": [{"value": "ECO", "type": "license"}]}, "eco"),
    ],
)
def test_p7_the_member_of_a_pair_that_differs_wins(api: Api, change: dict[str, Any], licence: str) -> None:
    """Get, modify, put: the stale one of the pair and the echoed returns are no assertions."""
    ava = full_user(api)
    body = {**ava, **change}
    if EXT in change:
        body[EXT] = {**ava[EXT], **change[EXT]}
    after = api.put(f"/Users/{ava['id']}", body)
    assert (after[EXT]["licenseType"], after["entitlements"][0]["value"].lower()) == (licence, licence)
    assert after[EXT]["smsReturnsEnabled"] is False
    assert (api.pool("pro").assigned, api.pool("eco").assigned) == (0, 1)


@pytest.mark.parametrize(
    ("core", "flat", "after"),
    [
        ({"roles": [{"value": "standard"}]}, {}, "standard"),
        ({}, {"role": "standard"}, "standard"),
        ({"roles": [{"value": "standard"}]}, {"role": "Standard"}, "standard"),
    ],
)
def test_p7_roles_by_either_name(api: Api, core: dict[str, Any], flat: dict[str, Any], after: str) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = full_user(api)
    answer = api.put(f"/Users/{ava['id']}", {**ava, **core, EXT: {**ava[EXT], **flat}})
    assert answer[EXT]["role"] == after
    assert "administrator" not in str(answer.get("roles"))


@pytest.mark.parametrize(("core", "flat"), [("Europe/Paris", None), (None, "Europe/Paris")])
def test_p7_time_zone_by_either_name(api: Api, core: str | None, flat: str | None) -> None:
    ava = full_user(api)
    block = {**ava[EXT], "timeZone": flat or ava[EXT]["timeZone"]}
    after = api.put(f"/Users/{ava['id']}", {**ava, "timezone": core or ava["timezone"], EXT: block})
    assert (after["timezone"], after[EXT]["timeZone"]) == ("Europe/Paris", "Europe/Paris")


@pytest.mark.parametrize(
    ("operations", "pair"),
    [
        (
            [
                op("replace", f"{EXT}:licenseType", "eco"),
                op("replace", "entitlements", [{"value": "advanced", "type": "license"}]),
            ],
            "licenseType and entitlements",
        ),
        (
            [op("replace", "timezone", "UTC"), op("replace", f"{EXT}:timeZone", "Europe/Paris")],
            "timeZone and timezone",
        ),
    ],
)
def test_p7_two_that_differ_are_refused(api: Api, operations: list[Any], pair: str) -> None:
    ava = full_user(api)
    with api.unchanged(f"/Users/{ava['id']}"):
        assert api.refuse_patch(f"/Users/{ava['id']}", *operations, kind="invalidValue") == f"{pair} disagree."
    assert (api.refusals()[0].rule, api.refusals()[0].error) == ("P7", "E26")
    assert (api.pool("pro").assigned, api.pool("eco").assigned) == (1, 0)


def test_p7_pairs_that_disagree_in_a_creation_are_refused(api: Api) -> None:
    body = {"schemas": [USER], "userName": api.mail("ava")}
    for core, flat, pair in (
        ({"roles": [{"value": "administrator"}]}, {"role": "standard"}, "role and roles"),
        ({"roles": [{"value": "standard"}]}, {"role": "administrator"}, "role and roles"),
        ({"timezone": "UTC"}, {"timeZone": "Europe/Paris"}, "timeZone and timezone"),
        (
            {"entitlements": [{"value": "eco", "type": "license"}]},
            {"licenseType": "pro"},
            "licenseType and entitlements",
        ),
    ):
        assert api.refuse("POST", "/Users", {**body, **core, EXT: flat}, kind="invalidValue") == f"{pair} disagree."
    assert api.get("/Users")["totalResults"] == 0


def test_p7_patch_operation_is_an_assertion_and_the_same_value_in_a_put_is_not(api: Api) -> None:
    ava = full_user(api)
    path = f"/Users/{ava['id']}"
    with api.unchanged(path):
        operations = (op("replace", f"{EXT}:licenseType", "eco"), op("add", f"{EXT}:microsoftReturnsEnabled", True))
        api.refuse_patch(path, *operations, kind="invalidValue")
    block = {**ava[EXT], "licenseType": "eco", "microsoftReturnsEnabled": True}
    assert api.put(path, {**ava, EXT: block})[EXT]["microsoftReturnsEnabled"] is False


def test_p7_put_value_that_differs_is_an_assertion(api: Api) -> None:
    ava = api.user("ava", phoneNumbers=MOBILE, ext={"licenseType": "pro", "smsCountryCode": "CA"})
    block = {**ava[EXT], "licenseType": "eco", "smsReturnsEnabled": True}
    with api.unchanged(f"/Users/{ava['id']}"):
        detail = api.refuse("PUT", f"/Users/{ava['id']}", {**ava, EXT: block}, kind="invalidValue")
    assert detail == "smsReturnsEnabled requires a Pro licence; the user's licence is 'eco'."
