"""The minimum acceptance checks of rules.md section 6 over the wire, by their number.

Two requests at once (3, 13) are in test_concurrency and test_processes, those of groups (16, 17) in test_rules_groups.
"""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import EXT, USER, Api, op

PHONE = [{"type": "mobile", "value": "514 555 0100"}]


def licence(user: Any) -> tuple[Any, Any]:
    """The licence of a user as it is shown: its type and status."""
    return user[EXT].get("licenseType"), user[EXT]["licenseStatus"]


def test_1_unapproved_domain_is_refused_and_recorded(api: Api) -> None:
    body = {"schemas": [USER], "userName": "ava@elsewhere.example"}
    detail = api.refuse("POST", "/Users", body, kind="invalidValue")
    assert detail == (
        "userName: the e-mail domain 'elsewhere.example' is not approved for this account. "
        "Have it approved in the portal's domain management, then retry."
    )
    assert api.get("/Users")["totalResults"] == 0
    (entry,) = api.journal()
    assert (entry.action, entry.outcome) == ("request.refused", "refused")
    assert (entry.rule, entry.error, entry.status, entry.detail) == ("R2", "E2", 400, detail)
    assert (entry.target_type, entry.target_name) == ("User", "ava@elsewhere.example")


def test_2_same_address_in_other_letter_case_is_in_use(api: Api) -> None:
    ava = api.user("Ava")
    with api.unchanged(f"/Users/{ava['id']}"):
        body = {"schemas": [USER], "userName": api.mail("aVA")}
        detail = api.refuse("POST", "/Users", body, status=409, kind="uniqueness")
    assert detail == f"userName '{api.mail('aVA')}' is already in use."
    assert api.get("/Users")["totalResults"] == 1


def test_4_change_of_type_keeps_the_logs_and_needs_a_seat(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    ava, bob = api.user("ava", ext={"licenseType": "eco"}), api.user("bob")
    api.write_log(ava["id"])
    after = api.patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:licenseType", "pro"))
    assert licence(after) == ("pro", "assigned")
    assert (api.log_count(ava["id"]), api.pool("eco").available, api.pool("pro").available) == (3, 1, 0)
    api.patch(f"/Users/{bob['id']}", op("replace", f"{EXT}:licenseType", "eco"))
    with api.unchanged(f"/Users/{bob['id']}"):
        detail = api.refuse_patch(f"/Users/{bob['id']}", op("replace", f"{EXT}:licenseType", "pro"), status=409)
    assert detail == (
        "No 'pro' licence is available: 1 of 1 are assigned. Add licences to the account or withdraw one, then retry."
    )
    assert (api.pool("eco").assigned, api.pool("pro").assigned) == (1, 1)


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", f"{EXT}:licenseType"),
        op("replace", f"{EXT}:licenseType", None),
        op("replace", f"{EXT}:licenseType", "none"),
        op("Replace", f"{EXT}:licenseType", "NONE"),
        op("replace", None, {EXT: {"licenseType": "none"}}),
        op("remove", 'entitlements[type eq "license"]'),
        op("remove", "entitlements"),
    ],
    ids=["remove", "null", "none", "NONE", "pathless", "entitlement", "entitlements"],
)
def test_5_withdrawn_seat_is_reassignable_at_once(new_account: Callable[..., Api], operation: dict[str, Any]) -> None:
    api = new_account(licences=1)
    ava = api.user("ava", ext={"licenseType": "pro", "licenseActivated": True, "role": "administrator"})
    api.write_log(ava["id"])
    after = api.patch(f"/Users/{ava['id']}", operation)
    assert licence(after) == (None, "none")
    assert (after[EXT]["licenseActivated"], after[EXT]["role"], after["active"]) == (False, "administrator", True)
    assert "entitlements" not in after
    assert (api.pool("pro").available, api.log_count(ava["id"])) == (1, 3)
    assert licence(api.user("bob", ext={"licenseType": "pro"})) == ("pro", "assigned")
    assert "license.withdrawn" in api.done()


def test_6_silent_put_keeps_what_is_critical_and_clears_the_profile(api: Api) -> None:
    ava = api.user(
        roles=[{"value": "administrator"}],
        title="CEO",
        phoneNumbers=PHONE,
        timezone="America/Toronto",
        ext={"licenseType": "pro", "smsCountryCode": "CA", "twoFactorEnabled": True, "smsReturnsEnabled": True},
    )
    after = api.put(f"/Users/{ava['id']}", {"schemas": [USER], "userName": ava["userName"], "displayName": "Ava"})
    assert "title" not in after
    assert after["displayName"] == "Ava"
    kept = {name: ava[name] for name in ("roles", "phoneNumbers", "timezone", "active", "entitlements", EXT)}
    assert {name: after.get(name) for name in kept} == kept
    assert api.pool("pro").assigned == 1


@pytest.mark.parametrize(("error", "status"), [("E6", 400), ("E7", 409), ("E9", 400), ("E10", 409)])
def test_7_refused_transfer_leaves_the_logs(api: Api, error: str, status: int) -> None:
    ava = api.user("ava", ext={"licenseType": "pro"})
    target = {
        "E6": {"id": "nobody"},
        "E7": api.user("seven", ext={"licenseType": "eco"}),
        "E9": ava,
        "E10": api.user("ten", active=False),
    }[error]
    details = {
        "E6": "licenseTransferTo: 'nobody' is not a user of this account. Create the user first.",
        "E7": "licenseTransferTo: the target user already has a 'eco' licence. "
        "Only users without a licence can receive a transfer.",
        "E9": "licenseTransferTo: source and target are the same user.",
        "E10": "licenseTransferTo: the target user is not active.",
    }
    api.write_log(ava["id"])
    with api.unchanged(f"/Users/{ava['id']}"):
        kind = "invalidValue" if status == 400 else None
        operation = op("replace", f"{EXT}:licenseTransferTo", target["id"])
        assert api.refuse_patch(f"/Users/{ava['id']}", operation, status=status, kind=kind) == details[error]
    assert api.log_count(ava["id"]) == 3
    assert (api.journal()[-1].rule, api.journal()[-1].error) == ("R10", error)


@pytest.mark.parametrize("by", ["id", "userName"])
def test_8_transfer_needs_no_seat_and_destroys_the_logs(new_account: Callable[..., Api], by: str) -> None:
    api = new_account(licences=1)
    ava = api.user("ava", ext={"licenseType": "pro", "licenseActivated": True})
    bob = api.user("bob", title="Clerk", ext={"role": "administrator"})
    api.write_log(ava["id"])
    api.write_log(bob["id"], 2)
    after = api.patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:licenseTransferTo", bob[by]))
    assert licence(after) == (None, "none")
    assert "licenseTransferTo" not in after[EXT]
    receiver = api.get(f"/Users/{bob['id']}")
    assert licence(receiver) == ("pro", "assigned")
    assert receiver[EXT]["licenseSource"] == "direct"
    assert (receiver[EXT]["licenseActivated"], receiver["title"], receiver[EXT]["role"]) == (
        False, "Clerk", "administrator",
    )  # fmt: skip
    assert (api.log_count(ava["id"]), api.log_count(bob["id"])) == (0, 2)
    assert (api.pool("pro").assigned, api.pool("pro").total) == (1, 1)
    assert api.done()[-3:] == ["license.transferred", "logs.purged", "license.received"]
    assert api.journal()[-2].logs_purged == 3


def test_9_rename_keeps_id_logs_and_licence(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "pro", "licenseActivated": True})
    api.write_log(ava["id"])
    after = api.patch(f"/Users/{ava['id']}", op("replace", "userName", api.mail("ava.lee")))
    assert (after["id"], after["userName"], after[EXT]) == (ava["id"], api.mail("ava.lee"), ava[EXT])
    assert api.log_count(ava["id"]) == 3
    assert "user.renamed" in api.done()
    assert api.find(f'userName eq "{ava["userName"]}"') == []
    assert [one["id"] for one in api.find(f'userName eq "{api.mail("AVA.lee")}"')] == [ava["id"]]


def test_10_returns_by_sms_need_pro_mobile_and_country_code(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "advanced"})
    path, on = f"/Users/{ava['id']}", op("replace", f"{EXT}:smsReturnsEnabled", True)
    with api.unchanged(path):
        detail = api.refuse_patch(path, on, kind="invalidValue")
    assert detail.startswith("smsReturnsEnabled requires a Pro licence; the user's licence is 'advanced'.")
    api.patch(path, op("replace", f"{EXT}:licenseType", "pro"), op("add", f"{EXT}:smsCountryCode", "+1"))
    detail = api.refuse_patch(path, on, kind="invalidValue")
    assert detail == 'smsReturnsEnabled requires a mobile phone number (phoneNumbers[type eq "mobile"]).'
    api.patch(path, op("add", "phoneNumbers", PHONE), op("remove", f"{EXT}:smsCountryCode"))
    assert api.refuse_patch(path, on, kind="invalidValue") == "smsReturnsEnabled requires smsCountryCode."
    bob = api.user("bob")
    after = api.patch(
        f"/Users/{bob['id']}",
        on,
        op("replace", f"{EXT}:smsCountryCode", "CA"),
        op("replace", 'phoneNumbers[type eq "mobile"].value', "514 555 0101"),
        op("replace", f"{EXT}:licenseType", "Pro"),
    )
    assert after[EXT]["smsReturnsEnabled"] is True
    assert licence(after) == ("pro", "assigned")


def test_11_downgrade_switches_returns_off_unless_they_are_asserted(api: Api) -> None:
    pro = {"licenseType": "pro", "smsCountryCode": "CA", "smsReturnsEnabled": True, "microsoftReturnsEnabled": True}
    ava = api.user("ava", phoneNumbers=PHONE, ext=pro)
    path, eco = f"/Users/{ava['id']}", op("replace", f"{EXT}:licenseType", "eco")
    with api.unchanged(path):
        detail = api.refuse_patch(path, eco, op("replace", f"{EXT}:smsReturnsEnabled", True), kind="invalidValue")
    assert detail == "smsReturnsEnabled requires a Pro licence; the user's licence is 'eco'."
    after = api.patch(path, eco)
    assert (licence(after), after[EXT]["smsReturnsEnabled"]) == (("eco", "assigned"), False)
    assert after[EXT]["microsoftReturnsEnabled"] is False
    assert after[EXT]["smsCountryCode"] == "CA"
    assert "security.returns.autoDisabled" in api.done()
    bob = api.user("bob", phoneNumbers=PHONE, ext=pro)
    bob[EXT]["licenseType"] = "eco"
    after = api.put(f"/Users/{bob['id']}", bob)
    assert (licence(after), after[EXT]["smsReturnsEnabled"]) == (("eco", "assigned"), False)


@pytest.mark.parametrize(
    "removal",
    [
        op("remove", 'phoneNumbers[type eq "mobile"]'),
        op("remove", "phoneNumbers"),
        op("replace", 'phoneNumbers[type eq "mobile"].value', ""),
        op("replace", "phoneNumbers", []),
    ],
)
def test_12_mobile_cannot_leave_while_two_factor_is_on(api: Api, removal: dict[str, Any]) -> None:
    ava = api.user("ava", phoneNumbers=PHONE, ext={"smsCountryCode": "CA", "twoFactorEnabled": True})
    path = f"/Users/{ava['id']}"
    with api.unchanged(path):
        detail = api.refuse_patch(path, removal, kind="invalidValue")
    assert detail == "twoFactorEnabled requires a mobile phone number that can receive SMS (with country code)."
    after = api.patch(path, removal, op("replace", "active", False))
    assert "phoneNumbers" not in after
    assert (after["active"], after[EXT]["twoFactorEnabled"]) == (False, True)
    assert api.refuse_patch(path, op("replace", "active", True), kind="invalidValue") == detail


def test_13_last_active_administrator_stays(api: Api) -> None:
    ava = api.user("ava", roles=[{"value": "administrator"}], ext={"licenseType": "eco"})
    path = f"/Users/{ava['id']}"
    expected = (
        f"'{api.mail('ava')}' is the account's only active administrator. "
        "Give another active user the administrator role first."
    )
    with api.unchanged(path):
        for operation in (
            op("replace", "active", "False"),
            op("replace", f"{EXT}:role", "standard"),
            op("remove", "roles"),
            op("remove", f"{EXT}:role"),
            op("replace", 'roles[primary eq "True"].value', "standard"),
        ):
            assert api.refuse_patch(path, operation, status=409) == expected
        silent = {"schemas": [USER], "userName": ava["userName"], "active": False}
        assert api.refuse("PUT", path, silent, status=409) == expected
        assert api.refuse("DELETE", path, status=409) == expected
    assert {(entry.rule, entry.error) for entry in api.refusals()} == {("R21", "E18")}
    assert (api.pool("eco").assigned, len(api.refusals())) == (1, 7)
    api.user("bob", ext={"role": "administrator"})
    assert api.patch(path, op("replace", "active", "False"))["active"] is False
    api.delete(path)


def test_14_deleted_user_is_gone_and_its_address_begins_anew(api: Api) -> None:
    old = api.user(
        "ava",
        externalId="7",
        phoneNumbers=PHONE,
        ext={"licenseType": "pro", "licenseActivated": True, "smsCountryCode": "CA", "smsReturnsEnabled": True},
    )
    path = f"/Users/{old['id']}"
    api.group("Sales", old["id"])
    api.write_log(old["id"])
    api.delete(path)
    detail = f"User '{old['id']}' not found. Deleted users cannot be restored; create the user again."
    for method, body in (("GET", None), ("PUT", old), ("DELETE", None)):
        assert api.refuse(method, path, body, status=404) == detail
    assert api.refuse_patch(path, op("replace", "active", True), status=404) == detail
    assert (api.get("/Users")["totalResults"], api.pool("pro").assigned, api.log_count(old["id"])) == (0, 0, 0)
    new = api.user("ava")
    assert new["id"] != old["id"]
    assert {"externalId", "phoneNumbers", "groups", "roles"}.isdisjoint(new)
    assert (licence(new), new[EXT]["licenseResetRequired"]) == ((None, "none"), True)
    assert (new[EXT]["smsReturnsEnabled"], new[EXT]["role"]) == (False, "standard")
    path = f"/Users/{new['id']}"
    assert "licenseResetRequired" not in api.patch(path, op("replace", f"{EXT}:licenseActivated", False))[EXT]
    assert licence(api.patch(path, op("replace", f"{EXT}:licenseType", "pro"))) == ("pro", "assigned")
    assert licence(api.patch(path, op("replace", f"{EXT}:licenseActivated", True))) == ("pro", "activated")


@pytest.mark.parametrize("policy", ["suspend", "releaseAfterGrace"])
def test_15_deactivation_suspends_and_reactivation_restores(api: Api, policy: str) -> None:
    api.policy(deactivation__licensePolicy=policy)
    ava = api.user(ext={"licenseType": "pro", "licenseActivated": True})
    path = f"/Users/{ava['id']}"
    api.write_log(ava["id"])
    after = api.patch(path, op("replace", "active", False))
    assert (licence(after), api.pool("pro").assigned) == (("pro", "suspended"), 1)
    assert "deactivatedAt" in after[EXT]
    back = api.patch(path, op("replace", "active", True))
    assert (back[EXT], api.pool("pro").assigned, api.log_count(ava["id"])) == (ava[EXT], 1, 3)


def test_15_deactivation_releases_and_reactivation_waits_for_a_seat(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, deactivation__licensePolicy="release", withdrawal__logPolicy="purge")
    ava = api.user("ava", ext={"licenseType": "pro"})
    path = f"/Users/{ava['id']}"
    api.write_log(ava["id"])
    gone = api.patch(path, op("replace", "active", False))
    assert (licence(gone), gone[EXT]["licensePendingType"]) == ((None, "none"), "pro")
    assert (gone[EXT]["licenseStatusReason"], api.pool("pro").assigned) == ("userInactive", 0)
    assert api.log_count(ava["id"]) == 3
    bob = api.user("bob", ext={"licenseType": "pro"})
    back = api.patch(path, op("replace", "active", True))
    assert (licence(back), back[EXT]["licenseStatusReason"]) == ((None, "pending"), "noSeatAvailable")
    api.patch(f"/Users/{bob['id']}", op("remove", f"{EXT}:licenseType"))
    served = api.get(path)
    assert licence(served) == ("pro", "assigned")
    assert {"licensePendingType", "licenseStatusReason"}.isdisjoint(served[EXT])
    assert (api.pool("pro").assigned, api.log_count(ava["id"])) == (1, 3)
    assert api.journal()[-1].action == "license.granted"
    assert api.journal()[-1].target_id == ava["id"]


def test_18_read_only_attributes_cannot_be_patched(api: Api) -> None:
    ava = api.user(ext={"licenseType": "pro"})
    path = f"/Users/{ava['id']}"
    with api.unchanged(path):
        for name, value in (("licenseStatus", "activated"), ("activationsUsed", 0), ("licenseAssignedAt", None)):
            operation = op("replace", f"{EXT}:{name}", value)
            assert api.refuse_patch(path, operation, kind="mutability") == f"'{EXT}:{name}' is read-only."
        assert api.refuse_patch(path, op("remove", "groups"), kind="mutability") == "'groups' is read-only."


def test_18_pools_cannot_be_written(api: Api) -> None:
    """E29, R32: licences are bought in the portal."""
    body = {"licenseType": "pro", "total": 1000}
    detail = api.refuse("POST", "/LicensePools", body, status=405)
    assert detail == "LicensePool is read-only over SCIM; it is managed in the portal."
    assert api.response.headers["Allow"] == "GET, HEAD"
    for method in ("PUT", "PATCH", "DELETE"):
        api.refuse(method, "/LicensePools/pro", body, status=405)
    assert {(one.rule, one.error) for one in api.refusals()} == {("R32", "E29")}
    shown = api.get("/LicensePools/pro")
    assert (shown["total"], shown["assigned"], shown["available"]) == (5, 0, 5)
