"""Licences over the wire: assigned, changed, withdrawn, transferred, waited for (R5-R11), seats counted."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from .conftest import EXT, USER, Api, op

TYPE = f"{EXT}:licenseType"
TO = f"{EXT}:licenseTransferTo"
LICENCE = 'entitlements[type eq "license"].value'


def licence(user: Any) -> tuple[Any, Any]:
    """The licence of a user as it is shown: its type and status."""
    return user[EXT].get("licenseType"), user[EXT]["licenseStatus"]


def told(api: Api, action: str) -> list[Any]:
    """What the journal tells of an action: the changes of each entry."""
    return [orjson.loads(entry.changes) for entry in api.journal() if entry.action == action]


def seats(api: Api) -> dict[str, int]:
    return {kind: api.pool(kind).assigned for kind in ("eco", "advanced", "pro")}


# Assignment (R5-R7)


@pytest.mark.parametrize(
    "operation",
    [
        op("add", TYPE, "pro"),
        op("replace", TYPE, "PRO"),
        op("replace", None, {EXT: {"licenseType": "pro"}}),
        op("replace", None, {TYPE: "pro"}),
        op("add", LICENCE, "pro"),
        op("replace", LICENCE, "Pro"),
        op("add", "entitlements", [{"value": "pro", "type": "license"}]),
        op("replace", "entitlements", {"value": "pro", "type": "License"}),
    ],
)
def test_r5_licence_is_assigned_by_either_name(api: Api, operation: dict[str, Any]) -> None:
    ava = api.user("ava")
    after = api.patch(f"/Users/{ava['id']}", operation)
    assert (licence(after), after[EXT]["licenseSource"]) == (("pro", "assigned"), "direct")
    assert (after[EXT]["licenseActivated"], after["entitlements"][0]["value"].lower()) == (False, "pro")
    assert "licenseAssignedAt" in after[EXT]
    assert len(after["entitlements"]) == 1
    assert (api.pool("pro").assigned, api.pool("pro").available) == (1, 4)
    assert told(api, "license.assigned") == [
        [{"attribute": "licenseType", "to": "pro"}, {"attribute": "source", "to": "direct"}]
    ]
    assert [one["id"] for one in api.find(f'{TYPE} eq "PRO" and {EXT}:licenseStatus eq "assigned"')] == [ava["id"]]


def test_r5_licence_is_assigned_by_post_and_put(api: Api) -> None:
    ava = api.user("ava", entitlements=[{"value": "pro", "type": "license"}, {"value": "vault", "type": "app"}])
    assert licence(ava) == ("pro", "assigned")
    assert {one["value"] for one in ava["entitlements"]} == {"pro", "vault"}
    bob = api.user("bob")
    assert licence(api.put(f"/Users/{bob['id']}", {**bob, EXT: {"licenseType": "eco"}})) == ("eco", "assigned")
    assert seats(api) == {"eco": 1, "advanced": 0, "pro": 1}


def test_r5_unknown_type_is_refused_with_the_known_ones(api: Api) -> None:
    detail = "licenseType 'gold' is not a licence type of this account. Known types: eco, advanced, pro, sharedMailbox."
    body = {"schemas": [USER], "userName": api.mail("ava"), EXT: {"licenseType": "gold"}}
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == detail
    ava = api.user("ava")
    with api.unchanged(f"/Users/{ava['id']}"):
        assert api.refuse_patch(f"/Users/{ava['id']}", op("add", LICENCE, "gold"), kind="invalidValue") == detail
    assert [(one.rule, one.error) for one in api.refusals()] == [("R5", "E4")] * 2


def test_r6_no_seat_no_user_and_the_remedy(new_account: Callable[..., Api]) -> None:
    """CUX-04."""
    api = new_account(licences=1)
    api.user("ava", ext={"licenseType": "pro"})
    body = {"schemas": [USER], "userName": api.mail("bob"), EXT: {"licenseType": "pro"}}
    detail = api.refuse("POST", "/Users", body, status=409)
    assert detail == (
        "No 'pro' licence is available: 1 of 1 are assigned. Add licences to the account or withdraw one, then retry."
    )
    assert api.find(f'userName eq "{api.mail("bob")}"') == []
    assert (api.refusals()[0].rule, api.refusals()[0].error) == ("R6", "E5")
    assert api.refusals()[0].target_name == api.mail("bob")
    api.buy("pro", 1)
    assert licence(api.post("/Users", body)) == ("pro", "assigned")


def test_r6_suspended_seat_counts_as_assigned(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.patch(f"/Users/{ava['id']}", op("replace", "active", False))
    body = {"schemas": [USER], "userName": api.mail("bob"), EXT: {"licenseType": "pro"}}
    api.refuse("POST", "/Users", body, status=409)


def pending(api: Api, name: str, licence_type: str = "pro", **more: Any) -> Any:
    user = api.user(name, ext={"licenseType": licence_type}, **more)
    assert licence(user) == (None, "pending")
    assert (user[EXT]["licensePendingType"], user[EXT]["licenseStatusReason"]) == (licence_type, "noSeatAvailable")
    assert "entitlements" not in user
    return user


def free_by_withdrawal(api: Api, user: Any) -> None:
    api.patch(f"/Users/{user['id']}", op("replace", TYPE, "none"))


def free_by_deletion(api: Api, user: Any) -> None:
    api.delete(f"/Users/{user['id']}")


def free_by_change(api: Api, user: Any) -> None:
    api.patch(f"/Users/{user['id']}", op("replace", TYPE, "eco"))


def free_by_release(api: Api, user: Any) -> None:
    api.policy(licenseShortage__direct="pend", deactivation__licensePolicy="release")
    api.patch(f"/Users/{user['id']}", op("replace", "active", False))


@pytest.mark.parametrize("free", [free_by_withdrawal, free_by_deletion, free_by_change, free_by_release])
def test_r6_freed_seat_serves_who_waits_longest(new_account: Callable[..., Api], free: Callable[..., None]) -> None:
    api = new_account(licences=1, licenseShortage__direct="pend")
    ava = api.user("ava", ext={"licenseType": "pro"})
    bob, cleo = pending(api, "bob"), pending(api, "cleo")
    waiting = [one["id"] for one in api.find(f'{EXT}:licenseStatus eq "pending"')]
    assert waiting == [bob["id"], cleo["id"]]
    free(api, ava)
    assert licence(served := api.get(f"/Users/{bob['id']}")) == ("pro", "assigned")
    assert (served["meta"]["version"], served[EXT]["licenseSource"]) == ('W/"2"', "direct")
    assert licence(api.get(f"/Users/{cleo['id']}")) == (None, "pending")
    assert api.pool("pro").assigned == 1
    granted = [entry for entry in api.journal() if entry.action == "license.granted"]
    assert [entry.target_id for entry in granted] == [bob["id"]]


def test_r6_inactive_users_who_wait_are_not_served(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__direct="pend")
    ava = api.user("ava", ext={"licenseType": "pro"})
    bob, cleo = pending(api, "bob"), pending(api, "cleo")
    api.patch(f"/Users/{bob['id']}", op("replace", "active", False))
    free_by_withdrawal(api, ava)
    assert licence(api.get(f"/Users/{cleo['id']}")) == ("pro", "assigned")
    free_by_withdrawal(api, cleo)
    assert licence(api.patch(f"/Users/{bob['id']}", op("replace", "active", True))) == ("pro", "assigned")


def test_r6_waiting_user_can_give_up_ask_for_another_and_ask_again(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__direct="pend")
    ava = api.user("ava", ext={"licenseType": "pro"})
    bob = pending(api, "bob")
    path = f"/Users/{bob['id']}"
    again = api.patch(path, op("replace", TYPE, "pro"))
    assert again["meta"] == bob["meta"]
    assert licence(api.patch(path, op("replace", TYPE, "none"))) == (None, "none")
    free_by_withdrawal(api, ava)
    assert (licence(api.get(path)), api.pool("pro").assigned) == ((None, "none"), 0)
    api.patch(f"/Users/{ava['id']}", op("replace", TYPE, "pro"))
    api.patch(path, op("replace", TYPE, "pro"))
    assert licence(api.patch(path, op("replace", TYPE, "eco"))) == ("eco", "assigned")
    assert "licensePendingType" not in api.get(path)[EXT]


def test_r6_change_without_a_seat_is_refused_also_where_new_users_wait(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__direct="pend")
    api.user("ava", ext={"licenseType": "pro"})
    bob = api.user("bob", ext={"licenseType": "eco"})
    with api.unchanged(f"/Users/{bob['id']}"):
        api.refuse_patch(f"/Users/{bob['id']}", op("replace", TYPE, "pro"), status=409)


def test_r7_two_licences_in_one_request_disagree(api: Api) -> None:
    two = [{"value": "pro", "type": "license"}, {"value": "eco", "type": "license"}]
    body = {"schemas": [USER], "userName": api.mail("ava"), "entitlements": two}
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == "licenseType and entitlements disagree."
    body = {**body, "entitlements": two[:1], EXT: {"licenseType": "eco"}}
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == "licenseType and entitlements disagree."
    assert api.get("/Users")["totalResults"] == 0


# Change and withdrawal (R8, R9)


@pytest.mark.parametrize(("old", "new"), [("eco", "pro"), ("pro", "eco"), ("advanced", "pro")])
def test_r8_change_up_and_down_keeps_activation_and_date(api: Api, old: str, new: str) -> None:
    ava = api.user("ava", ext={"licenseType": old, "licenseActivated": True})
    api.write_log(ava["id"])
    after = api.patch(f"/Users/{ava['id']}", op("replace", LICENCE, new))
    kept = ("licenseActivated", "licenseAssignedAt", "licenseActivatedAt", "licenseStatus", "licenseSource")
    assert after[EXT] == {**ava[EXT], "licenseType": new}
    assert {name: after[EXT][name] for name in kept} == {name: ava[EXT][name] for name in kept}
    assert seats(api) == {"eco": 0, "advanced": 0, "pro": 0, new: 1}
    assert api.log_count(ava["id"]) == 3
    assert told(api, "license.changed") == [[{"attribute": "licenseType", "from": old, "to": new}]]


def test_r8_suspended_user_changes_too(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "eco"})
    path = f"/Users/{ava['id']}"
    api.patch(path, op("replace", "active", False))
    assert licence(api.patch(path, op("replace", TYPE, "pro"))) == ("pro", "suspended")
    assert seats(api) == {"eco": 0, "advanced": 0, "pro": 1}
    assert licence(api.patch(path, op("replace", "active", True))) == ("pro", "assigned")


def test_r9_withdrawal_of_nothing_is_a_no_op(api: Api) -> None:
    ava = api.user("ava")
    for operation in (op("remove", TYPE), op("replace", TYPE, "none"), op("remove", LICENCE)):
        assert api.patch(f"/Users/{ava['id']}", operation)["meta"] == ava["meta"]
    assert api.done() == ["user.created"]


def test_r8_another_licence_that_is_added_takes_the_place(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "eco"})
    other = {"value": "pro", "type": "license"}
    after = api.patch(f"/Users/{ava['id']}", op("add", "entitlements", [other]))
    assert (licence(after), after["entitlements"]) == (("pro", "assigned"), [other])
    assert seats(api) == {"eco": 0, "advanced": 0, "pro": 1}
    two = [{"value": "eco", "type": "license"}, {"value": "advanced", "type": "license"}]
    detail = api.refuse_patch(f"/Users/{ava['id']}", op("replace", "entitlements", two), kind="invalidValue")
    assert detail == "licenseType and entitlements disagree."


@pytest.mark.parametrize("value", [None, "none"])
def test_r9_explicit_nothing_in_a_put_withdraws(api: Api, value: Any) -> None:
    ava = api.user("ava", ext={"licenseType": "pro"})
    body = {"schemas": [USER], "userName": ava["userName"], EXT: {"licenseType": value}}
    assert licence(api.put(f"/Users/{ava['id']}", body)) == (None, "none")
    assert (api.pool("pro").assigned, told(api, "license.withdrawn")) == (
        0,
        [[{"attribute": "licenseType", "to": "pro"}, {"attribute": "reason", "to": "withdraw"}]],
    )


def test_r9_purge_by_policy_destroys_the_logs_and_counts_them(new_account: Callable[..., Api]) -> None:
    api = new_account(withdrawal__logPolicy="purge")
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.write_log(ava["id"], 4)
    free_by_withdrawal(api, ava)
    assert api.log_count(ava["id"]) == 0
    (purged,) = [entry for entry in api.journal() if entry.action == "logs.purged"]
    assert (purged.logs_purged, orjson.loads(purged.changes)) == (4, [{"attribute": "reason", "to": "withdraw"}])


def test_r9_older_logs_are_visible_again_after_a_new_assignment(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.write_log(ava["id"])
    free_by_withdrawal(api, ava)
    after = api.patch(f"/Users/{ava['id']}", op("replace", TYPE, "eco"))
    assert (licence(after), api.log_count(ava["id"])) == (("eco", "assigned"), 3)


# Transfer (R10, R11)


def test_r10_transfer_from_a_leaver(api: Api) -> None:
    ava, bob = api.user("ava", ext={"licenseType": "pro"}), api.user("bob")
    api.patch(f"/Users/{ava['id']}", op("replace", "active", False))
    after = api.patch(f"/Users/{ava['id']}", op("replace", TO, bob["id"]))
    assert (licence(after), after["active"]) == ((None, "none"), False)
    assert licence(api.get(f"/Users/{bob['id']}")) == ("pro", "assigned")
    back = api.patch(f"/Users/{ava['id']}", op("replace", "active", True))
    assert licence(back) == (None, "none")


def test_r10_transfer_switches_the_sources_returns_off(api: Api) -> None:
    phone = [{"type": "mobile", "value": "+15145550100"}]
    on = {"licenseType": "pro", "smsCountryCode": "+1", "smsReturnsEnabled": True, "twoFactorEnabled": True}
    ava, bob = api.user("ava", phoneNumbers=phone, ext=on), api.user("bob")
    after = api.patch(f"/Users/{ava['id']}", op("replace", None, {EXT: {"licenseTransferTo": bob["userName"]}}))
    assert (after[EXT]["smsReturnsEnabled"], after[EXT]["twoFactorEnabled"]) == (False, True)
    assert api.get(f"/Users/{bob['id']}")[EXT]["smsReturnsEnabled"] is False
    assert told(api, "security.returns.autoDisabled") == [[{"attribute": "reason", "to": "transfer"}]]


def test_r10_journal_names_both(api: Api) -> None:
    ava, bob = api.user("ava", ext={"licenseType": "pro"}), api.user("bob")
    api.patch(f"/Users/{ava['id']}", op("replace", TO, bob["id"]))
    assert told(api, "license.transferred") == [
        [
            {"attribute": "licenseType", "to": "pro"},
            {"attribute": "user", "from": ava["id"], "to": bob["id"]},
        ]
    ]


def test_r10_transfer_of_nothing_is_refused(api: Api) -> None:
    ava, bob = api.user("ava"), api.user("bob")
    with api.unchanged(f"/Users/{ava['id']}", f"/Users/{bob['id']}"):
        detail = api.refuse_patch(f"/Users/{ava['id']}", op("replace", TO, bob["id"]), kind="invalidValue")
    assert detail == "licenseTransferTo: this user has no licence to transfer."


@pytest.mark.parametrize(
    "other", [op("replace", TYPE, "eco"), op("remove", TYPE), op("replace", f"{EXT}:licenseActivated", True)]
)
def test_r10_transfer_stands_alone(api: Api, other: dict[str, Any]) -> None:
    ava, bob = api.user("ava", ext={"licenseType": "pro"}), api.user("bob")
    api.write_log(ava["id"])
    with api.unchanged(f"/Users/{ava['id']}", f"/Users/{bob['id']}"):
        operations = (op("replace", TO, bob["id"]), other)
        detail = api.refuse_patch(f"/Users/{ava['id']}", *operations, kind="invalidValue")
    assert detail == "licenseTransferTo cannot be combined with another change of the same user's licence."
    assert api.log_count(ava["id"]) == 3


def test_r10_transfer_to_another_kind_is_refused(api: Api) -> None:
    ava, box = api.user("ava", ext={"licenseType": "pro"}), api.user("box", ext={"kind": "sharedMailbox"})
    detail = api.refuse_patch(f"/Users/{ava['id']}", op("replace", TO, box["id"]), kind="invalidValue")
    assert detail == "licenseType 'pro' cannot be given to a sharedMailbox."


def test_r10_transfer_with_a_profile_change_works_and_to_nobody_is_silence(api: Api) -> None:
    ava, bob = api.user("ava", ext={"licenseType": "pro"}), api.user("bob")
    path = f"/Users/{ava['id']}"
    assert licence(api.put(path, {**ava, EXT: {**ava[EXT], "licenseTransferTo": ""}})) == ("pro", "assigned")
    after = api.patch(path, op("replace", "title", "Leaver"), op("add", TO, bob["userName"].upper()))
    assert (after["title"], licence(after)) == ("Leaver", (None, "none"))
    again = api.refuse_patch(path, op("add", TO, bob["id"]), kind="invalidValue")
    assert again == "licenseTransferTo: this user has no licence to transfer."


def test_r10_transfer_to_one_who_waits_ends_the_waiting(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__direct="pend")
    ava = api.user("ava", ext={"licenseType": "pro"})
    bob, cleo = pending(api, "bob"), pending(api, "cleo")
    api.patch(f"/Users/{ava['id']}", op("replace", TO, cleo["id"]))
    assert licence(served := api.get(f"/Users/{cleo['id']}")) == ("pro", "assigned")
    assert "licensePendingType" not in served[EXT]
    assert licence(api.get(f"/Users/{bob['id']}")) == (None, "pending")
    free_by_withdrawal(api, cleo)
    assert licence(api.get(f"/Users/{bob['id']}")) == ("pro", "assigned")


# The licence among the entitlements (R5, P5)


def test_entitlement_is_kept_as_sent_until_the_licence_is_another(api: Api) -> None:
    sent = {"value": "pro", "type": "license", "display": "Pro plan", "primary": True}
    ava = api.user("ava", entitlements=[sent])
    path = f"/Users/{ava['id']}"
    assert ava["entitlements"] == [sent]
    assert api.put(path, ava)["meta"] == ava["meta"]
    after = api.patch(path, op("replace", TYPE, "eco"))
    assert after["entitlements"] == [{"value": "eco", "type": "license", "display": "eco"}]
    assert api.put(path, after)["meta"] == after["meta"]
    changed = api.patch(path, op("replace", LICENCE, "pro"))
    assert licence(changed) == ("pro", "assigned")
    assert changed["entitlements"][0].get("display") in (None, "pro")
    assert "entitlements" not in api.patch(path, op("replace", TYPE, "none"))


def test_r33_users_created_in_numbers_obey_the_rules_one_by_one(new_account: Callable[..., Api]) -> None:
    """Those who come before a refusal stand, those after it are not touched by it."""
    api = new_account(licences=2)
    statuses = [
        api.send("POST", "/Users", {"userName": name, EXT: {"licenseType": "eco"}}).status_int
        for name in (api.mail("a"), "b@elsewhere.example", api.mail("A"), api.mail("c"), api.mail("d"), api.mail("e"))
    ]
    assert statuses == [201, 400, 409, 201, 409, 409]
    assert (api.get("/Users")["totalResults"], api.pool("eco").assigned) == (2, 2)


def test_r34_sesar_is_assigned_like_any_other(api: Api) -> None:
    api.buy("sesar", 1)
    assert licence(api.user("service", ext={"licenseType": "SESAR"})) == ("sesar", "assigned")
    api.refuse("POST", "/Users", {"userName": api.mail("x"), EXT: {"licenseType": "sesar"}}, status=409)
