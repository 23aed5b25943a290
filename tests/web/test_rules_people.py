"""What is known of a user over the wire: editable fields, returns, 2FA, role, the last administrator (R15-R21)."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from .conftest import EXT, USER, Api, op

TYPE = f"{EXT}:licenseType"
SMS = f"{EXT}:smsReturnsEnabled"
MICROSOFT = f"{EXT}:microsoftReturnsEnabled"
TWO_FACTOR = f"{EXT}:twoFactorEnabled"
COUNTRY = f"{EXT}:smsCountryCode"
MOBILE = [{"type": "mobile", "value": "514 555 0100"}]
E14 = "smsReturnsEnabled requires a Pro licence; the user's licence is '{}'."
E15 = 'smsReturnsEnabled requires a mobile phone number (phoneNumbers[type eq "mobile"]).'
E16 = "smsReturnsEnabled requires smsCountryCode."
E17 = "twoFactorEnabled requires a mobile phone number that can receive SMS (with country code)."
E30 = "microsoftReturnsEnabled requires a Pro licence; the user's licence is '{}'."


def reachable(api: Api, name: str = "ava", licence: str = "pro", **extension: Any) -> Any:
    ext = {"licenseType": licence, "smsCountryCode": "CA", **extension}
    return api.user(name, phoneNumbers=MOBILE, ext=ext)


def told(api: Api, action: str) -> list[Any]:
    return [orjson.loads(entry.changes) for entry in api.journal() if entry.action == action]


# Editable information (R15)


@pytest.mark.parametrize("number", ["514 555 0100", "+1 (514) 555-0100", "tel:+1-514-555-0100", "0o0", "  x "])
def test_r15_number_is_stored_as_sent(api: Api, number: str) -> None:
    ava = api.user("ava", phoneNumbers=[{"type": "mobile", "value": number}])
    assert api.get(f"/Users/{ava['id']}")["phoneNumbers"] == [{"type": "mobile", "value": number}]


@pytest.mark.parametrize("code", ["+1", "1", "CA", "ca", "+1242"])
def test_r15_country_code_in_each_form(api: Api, code: str) -> None:
    assert api.user("ava", ext={"smsCountryCode": code})[EXT]["smsCountryCode"] == code


@pytest.mark.parametrize("code", ["Canada", "+0", "+12345", "C1", "1 1"])
def test_r15_country_code_that_is_none(api: Api, code: str) -> None:
    ava = api.user("ava")
    with api.unchanged(f"/Users/{ava['id']}"):
        detail = api.refuse_patch(f"/Users/{ava['id']}", op("replace", COUNTRY, code), kind="invalidValue")
    assert detail == (
        f"smsCountryCode '{code}' is neither an international prefix (such as +1) nor a two-letter country code."
    )


@pytest.mark.parametrize("path", ["timezone", f"{EXT}:timeZone"])
def test_r15_time_zone_by_either_name(api: Api, path: str) -> None:
    ava = api.user("ava")
    after = api.patch(f"/Users/{ava['id']}", op("replace", path, "America/Toronto"))
    assert (after["timezone"], after[EXT]["timeZone"]) == ("America/Toronto", "America/Toronto")
    gone = api.patch(f"/Users/{ava['id']}", op("remove", path))
    assert "timezone" not in gone
    assert "timeZone" not in gone[EXT]


def test_r15_time_zone_that_is_none(api: Api) -> None:
    body = {"schemas": [USER], "userName": api.mail("ava"), "timezone": "Mars/Phobos"}
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == "timezone 'Mars/Phobos' is not an IANA time zone."
    ava = api.user("ava")
    operation = op("replace", f"{EXT}:timeZone", "Eastern Standard Time")
    detail = api.refuse_patch(f"/Users/{ava['id']}", operation, kind="invalidValue")
    assert detail == "timezone 'Eastern Standard Time' is not an IANA time zone. Use 'America/New_York'."


def test_r15_default_time_zone_and_test_accounts(new_account: Callable[..., Api]) -> None:
    api = new_account(defaults__timezone="Europe/Paris")
    ava = api.user("ava")
    assert (ava["timezone"], ava[EXT]["timeZone"]) == ("Europe/Paris", "Europe/Paris")
    assert api.user("bob", timezone="UTC")["timezone"] == "UTC"
    assert new_account(timezone__enforcement="off").user(timezone="Mars/Phobos")["timezone"] == "Mars/Phobos"


def test_r15_names_and_locale_have_no_rule(api: Api) -> None:
    free = {"locale": "english please", "name": {"givenName": "<b>"}, "userType": "administrator"}
    ava = api.user("ava", **free)
    assert {name: ava[name] for name in free} == free
    assert ava[EXT]["role"] == "standard"


# Protected returns (R16-R18)


def test_r16_everything_that_is_missing_is_told_at_once(api: Api) -> None:
    body = {"schemas": [USER], "userName": api.mail("ava")}
    body[EXT] = {"smsReturnsEnabled": True, "microsoftReturnsEnabled": True, "twoFactorEnabled": True}
    detail = api.refuse("POST", "/Users", body, kind="invalidValue")
    assert detail == " ".join([E14.format("none"), E30.format("none"), E15, E16, E17])
    assert (api.refusals()[0].rule, api.refusals()[0].error) == ("R16", "E14")
    assert api.get("/Users")["totalResults"] == 0


def test_r16_returns_are_switched_and_told(api: Api) -> None:
    ava = reachable(api)
    path = f"/Users/{ava['id']}"
    after = api.patch(path, op("replace", SMS, "True"), op("replace", MICROSOFT, True))
    assert (after[EXT]["smsReturnsEnabled"], after[EXT]["microsoftReturnsEnabled"]) == (True, True)
    assert api.patch(path, op("replace", SMS, True))["meta"] == after["meta"]
    assert api.patch(path, op("remove", SMS))[EXT]["smsReturnsEnabled"] is False
    assert {"security.smsReturns.enabled", "security.microsoftReturns.enabled", "security.smsReturns.disabled"} < {
        *api.done()
    }


def test_r16_pending_licence_is_not_enough(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=0, licenseShortage__direct="pend")
    ava = reachable(api)
    detail = api.refuse_patch(f"/Users/{ava['id']}", op("replace", MICROSOFT, True), kind="invalidValue")
    assert detail == E30.format("none")


@pytest.mark.parametrize(
    ("operation", "detail"),
    [
        (op("remove", "phoneNumbers"), E15),
        (op("replace", 'phoneNumbers[type eq "mobile"].value', ""), E15),
        (op("replace", "phoneNumbers", [{"type": "work", "value": "1"}]), E15),
        (op("remove", COUNTRY), E16),
        (op("replace", COUNTRY, ""), E16),
    ],
)
def test_r17_what_returns_need_cannot_leave(api: Api, operation: dict[str, Any], detail: str) -> None:
    ava = reachable(api, smsReturnsEnabled=True)
    path = f"/Users/{ava['id']}"
    with api.unchanged(path):
        assert api.refuse_patch(path, operation, kind="invalidValue") == detail
    assert api.refusals()[-1].rule == "R17"
    after = api.patch(path, operation, op("replace", SMS, False))
    assert after[EXT]["smsReturnsEnabled"] is False


def test_r17_leavers_phone_may_go_and_is_asked_for_on_return(api: Api) -> None:
    ava = reachable(api, smsReturnsEnabled=True)
    path = f"/Users/{ava['id']}"
    gone = api.patch(path, op("remove", "phoneNumbers"), op("remove", COUNTRY), op("replace", "active", False))
    assert (gone["active"], gone[EXT]["smsReturnsEnabled"]) == (False, True)
    with api.unchanged(path):
        assert api.refuse_patch(path, op("replace", "active", True), kind="invalidValue") == f"{E15} {E16}"
    back = api.patch(path, op("replace", "active", True), op("add", "phoneNumbers", MOBILE), op("add", COUNTRY, "CA"))
    assert (back["active"], back[EXT]["smsReturnsEnabled"]) == (True, True)


@pytest.mark.parametrize(
    ("operation", "reason"),
    [(op("replace", TYPE, "advanced"), "downgrade"), (op("remove", TYPE), "withdraw")],
)
def test_r18_losing_pro_switches_returns_off_for_good(api: Api, operation: dict[str, Any], reason: str) -> None:
    ava = reachable(api, smsReturnsEnabled=True, microsoftReturnsEnabled=True, twoFactorEnabled=True)
    path = f"/Users/{ava['id']}"
    after = api.patch(path, operation)
    assert (after[EXT]["smsReturnsEnabled"], after[EXT]["microsoftReturnsEnabled"]) == (False, False)
    assert (after["phoneNumbers"], after[EXT]["smsCountryCode"]) == (MOBILE, "CA")
    assert after[EXT]["twoFactorEnabled"] is True
    assert told(api, "security.returns.autoDisabled") == [[{"attribute": "reason", "to": reason}]]
    back = api.patch(path, op("replace", TYPE, "pro"))
    assert (back[EXT]["smsReturnsEnabled"], back[EXT]["microsoftReturnsEnabled"]) == (False, False)


def test_r18_release_switches_returns_off_and_suspension_does_not(new_account: Callable[..., Api]) -> None:
    for policy, kept in (("suspend", True), ("release", False)):
        api = new_account(deactivation__licensePolicy=policy)
        ava = reachable(api, smsReturnsEnabled=True)
        path = f"/Users/{ava['id']}"
        assert api.patch(path, op("replace", "active", False))[EXT]["smsReturnsEnabled"] is kept
        assert api.patch(path, op("replace", "active", True))[EXT]["smsReturnsEnabled"] is kept


@pytest.mark.parametrize(("path", "detail"), [(SMS, E14.format("none")), (MICROSOFT, E30.format("none"))])
def test_r18_withdrawal_that_insists_on_returns_is_refused(api: Api, path: str, detail: str) -> None:
    ava = reachable(api, smsReturnsEnabled=True, microsoftReturnsEnabled=True)
    with api.unchanged(f"/Users/{ava['id']}"):
        operations = (op("remove", TYPE), op("replace", path, True))
        assert api.refuse_patch(f"/Users/{ava['id']}", *operations, kind="invalidValue") == detail
    assert api.pool("pro").assigned == 1


# Two-factor authentication (R19)


@pytest.mark.parametrize(
    ("number", "code", "fits"),
    [
        ("+15145550100", None, True),
        ("514 555 0100", "CA", True),
        ("514 555 0100", None, False),
        (None, "CA", False),
        ("call me", "CA", False),
    ],
)
def test_r19_two_factor_needs_a_number_that_can_receive_sms(
    api: Api, number: str | None, code: str | None, fits: bool
) -> None:
    body: dict[str, Any] = {"schemas": [USER], "userName": api.mail("ava"), EXT: {"twoFactorEnabled": True}}
    if number:
        body["phoneNumbers"] = [{"type": "mobile", "value": number}]
    if code:
        body[EXT]["smsCountryCode"] = code
    if fits:
        assert api.post("/Users", body)[EXT]["twoFactorEnabled"] is True
        assert "security.twoFactor.enabled" in api.done()
    else:
        assert api.refuse("POST", "/Users", body, kind="invalidValue") == E17
        assert (api.refusals()[0].rule, api.refusals()[0].error) == ("R19", "E17")


def test_r19_two_factor_is_independent_of_licence_and_told(api: Api) -> None:
    ava = reachable(api, licence="none", twoFactorEnabled=True)
    after = api.patch(f"/Users/{ava['id']}", op("replace", TWO_FACTOR, "false"))
    assert after[EXT]["twoFactorEnabled"] is False
    assert api.done()[-1] == "security.twoFactor.disabled"


def test_r19_another_number_may_take_its_place(api: Api) -> None:
    ava = reachable(api, twoFactorEnabled=True)
    path = f"/Users/{ava['id']}"
    assert api.patch(path, op("replace", 'phoneNumbers[type eq "mobile"].value', "+33612345678"))
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", 'phoneNumbers[type eq "mobile"].value', "soon"), kind="invalidValue")


# Role and the last administrator (R20, R21)


@pytest.mark.parametrize(
    "operation",
    [
        op("replace", f"{EXT}:role", "administrator"),
        op("replace", f"{EXT}:role", "Administrator"),
        op("add", "roles", [{"value": "administrator"}]),
        op("add", "roles", "administrator"),
        op("replace", "roles", [{"value": "ADMINISTRATOR", "primary": "True"}]),
        op("add", 'roles[primary eq "True"].value', "administrator"),
        op("replace", None, {"roles": [{"value": "administrator"}]}),
    ],
)
def test_r20_role_by_either_name(api: Api, operation: dict[str, Any]) -> None:
    ava = api.user("ava")
    after = api.patch(f"/Users/{ava['id']}", operation)
    assert after[EXT]["role"] == "administrator"
    assert [one["value"].lower() for one in after["roles"]] == ["administrator"]
    assert told(api, "role.changed") == [[{"attribute": "role", "from": "standard", "to": "administrator"}]]
    assert [one["id"] for one in api.find(f'{EXT}:role eq "administrator"')] == [ava["id"]]
    assert [one["id"] for one in api.find('roles.value eq "administrator"')] == [ava["id"]]


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "roles"),
        op("remove", f"{EXT}:role"),
        op("replace", f"{EXT}:role", "standard"),
        op("replace", "roles", [{"value": "standard"}]),
        op("replace", "roles", []),
        op("remove", 'roles[value eq "administrator"]'),
        op("remove", 'roles[primary eq "True"].value'),
        op("Remove", "roles", [{"value": "administrator"}]),
        op("replace", "roles[primary eq true].value", ""),
        op("add", "roles", [{"value": "standard", "primary": True}]),
        op("replace", None, {EXT: {"role": None}}),
    ],
)
def test_r20_demotion(api: Api, operation: dict[str, Any]) -> None:
    api.user("boss", ext={"role": "administrator"})
    ava = api.user("ava", roles=[{"value": "administrator", "primary": True}])
    after = api.patch(f"/Users/{ava['id']}", operation)
    assert after[EXT]["role"] == "standard"
    assert "administrator" not in orjson.dumps(after).decode()


def test_r20_unknown_and_several_roles_are_refused(api: Api) -> None:
    body = {"schemas": [USER], "userName": api.mail("ava"), "roles": [{"value": "auditor"}]}
    detail = "role 'auditor' is unknown. Use 'standard' or 'administrator'."
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == detail
    body["roles"] = [{"value": "standard"}, {"value": "administrator", "primary": True}]
    api.refuse("POST", "/Users", body, kind="invalidValue")
    body["roles"] = [{"value": "administrator"}]
    detail = api.refuse("POST", "/Users", {**body, EXT: {"role": "standard"}}, kind="invalidValue")
    assert detail == "role and roles disagree."
    ava = api.post("/Users", {**body, EXT: {"role": "administrator"}})
    assert ava[EXT]["role"] == "administrator"


def test_r21_inactive_and_mailbox_administrators_do_not_count(api: Api) -> None:
    ava = api.user("ava", ext={"role": "administrator"})
    bob = api.user("bob", active=False, ext={"role": "administrator"})
    with api.unchanged(f"/Users/{ava['id']}", f"/Users/{bob['id']}"):
        api.refuse("DELETE", f"/Users/{ava['id']}", status=409)
    api.patch(f"/Users/{bob['id']}", op("replace", f"{EXT}:role", "standard"))
    api.delete(f"/Users/{bob['id']}")


def test_r21_resulting_state_of_the_whole_request_counts(api: Api) -> None:
    ava = api.user("ava", ext={"role": "administrator"})
    path = f"/Users/{ava['id']}"
    after = api.patch(path, op("remove", "roles"), op("add", "roles", "administrator"))
    assert after[EXT]["role"] == "administrator"
    after = api.patch(path, op("replace", "active", False), op("replace", "active", True))
    assert after["active"] is True


def test_r21_account_without_an_administrator_is_not_blocked(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "eco"})
    api.patch(f"/Users/{ava['id']}", op("replace", "active", False))
    api.delete(f"/Users/{ava['id']}")
