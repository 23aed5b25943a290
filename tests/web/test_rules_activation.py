"""Activation and reset of a licence, and shared mailboxes, over the wire (R13, R14, R26)."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import EXT, USER, Api, op

TYPE = f"{EXT}:licenseType"
ACTIVATED = f"{EXT}:licenseActivated"


def mailbox(api: Api, name: str = "office", **extension: Any) -> Any:
    return api.user(name, ext={"kind": "sharedMailbox", "licenseType": "sharedMailbox", **extension})


@pytest.mark.parametrize("value", [True, "True", "true"])
def test_r13_activation(api: Api, value: Any) -> None:
    ava = api.user("ava", ext={"licenseType": "pro"})
    after = api.patch(f"/Users/{ava['id']}", op("replace", ACTIVATED, value))
    assert (after[EXT]["licenseStatus"], after[EXT]["licenseActivated"]) == ("activated", True)
    assert "licenseActivatedAt" in after[EXT]
    assert api.patch(f"/Users/{ava['id']}", op("replace", ACTIVATED, value))["meta"] == after["meta"]
    assert api.done().count("license.activated") == 1


def test_r13_activation_with_the_assignment_in_any_order(api: Api) -> None:
    ava = api.user("ava")
    after = api.patch(f"/Users/{ava['id']}", op("replace", ACTIVATED, True), op("replace", TYPE, "pro"))
    assert after[EXT]["licenseStatus"] == "activated"
    assert api.user("bob", ext={"licenseType": "eco", "licenseActivated": True})[EXT]["licenseStatus"] == "activated"


def test_r13_activation_without_a_licence_is_refused(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=0, licenseShortage__direct="pend")
    body = {"schemas": [USER], "userName": api.mail("ava"), EXT: {"licenseActivated": True}}
    detail = "licenseActivated: the user has no licence to activate."
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == detail
    bob = api.user("bob", ext={"licenseType": "pro"})
    with api.unchanged(f"/Users/{bob['id']}"):
        assert api.refuse_patch(f"/Users/{bob['id']}", op("add", ACTIVATED, True), kind="invalidValue") == detail
    assert {(one.rule, one.error) for one in api.refusals()} == {("R13", "E13")}


def test_r13_suspended_licence_is_activated_when_its_user_returns(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "pro"})
    path = f"/Users/{ava['id']}"
    api.patch(path, op("replace", "active", False))
    assert api.patch(path, op("replace", ACTIVATED, True))[EXT]["licenseStatus"] == "suspended"
    assert api.patch(path, op("replace", "active", True))[EXT]["licenseStatus"] == "activated"


def test_r14_reset_keeps_the_licence_and_the_logs(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "pro", "licenseActivated": True})
    api.write_log(ava["id"])
    after = api.patch(f"/Users/{ava['id']}", op("replace", ACTIVATED, "False"))
    assert (after[EXT]["licenseStatus"], after[EXT]["licenseType"]) == ("assigned", "pro")
    assert "licenseActivatedAt" not in after[EXT]
    assert (api.pool("pro").assigned, api.log_count(ava["id"]), api.done()[-1]) == (1, 3, "license.reset")


def test_r14_reset_of_nothing_is_a_no_op(api: Api) -> None:
    for ava in (api.user("ava"), api.user("bob", ext={"licenseType": "eco"})):
        assert api.patch(f"/Users/{ava['id']}", op("replace", ACTIVATED, False))["meta"] == ava["meta"]
    assert "license.reset" not in api.done()


def test_r14_put_with_activation_resets_and_its_echo_does_not(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "pro", "licenseActivated": True})
    path = f"/Users/{ava['id']}"
    assert api.put(path, ava)["meta"] == ava["meta"]
    ava[EXT]["licenseActivated"] = False
    assert api.put(path, ava)[EXT]["licenseStatus"] == "assigned"


def test_r26_mailbox_and_person_have_licences_of_their_own(api: Api) -> None:
    box = mailbox(api)
    assert (box[EXT]["kind"], box[EXT]["licenseType"]) == ("sharedMailbox", "sharedMailbox")
    assert (box[EXT]["activationsAllowed"], box[EXT]["activationsUsed"]) == (5, 0)
    ava = api.user("ava", ext={"licenseType": "pro"})
    with api.unchanged(f"/Users/{ava['id']}", f"/Users/{box['id']}"):
        detail = api.refuse_patch(f"/Users/{ava['id']}", op("replace", TYPE, "sharedMailbox"), kind="invalidValue")
        assert detail == "licenseType 'sharedMailbox' cannot be given to a person."
        detail = api.refuse_patch(f"/Users/{box['id']}", op("replace", TYPE, "pro"), kind="invalidValue")
        assert detail == "licenseType 'pro' cannot be given to a sharedMailbox."
    assert (api.pool("sharedMailbox").assigned, api.pool("pro").assigned) == (1, 1)


def test_r26_kind_cannot_be_changed(api: Api) -> None:
    ava, box = api.user("ava"), mailbox(api)
    with api.unchanged(f"/Users/{ava['id']}", f"/Users/{box['id']}"):
        api.refuse_patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:kind", "sharedMailbox"), kind="mutability")
        api.refuse_patch(f"/Users/{box['id']}", op("remove", f"{EXT}:kind"), kind="mutability")
        body = {**ava, EXT: {**ava[EXT], "kind": "sharedMailbox"}}
        api.refuse("PUT", f"/Users/{ava['id']}", body, kind="mutability")
    bare = api.put(f"/Users/{box['id']}", {"schemas": [USER], "userName": box["userName"]})
    assert bare[EXT] == box[EXT]


def test_r26_kind_that_is_unknown_is_refused(api: Api) -> None:
    body = {"schemas": [USER], "userName": api.mail("ava"), EXT: {"kind": "robot"}}
    detail = api.refuse("POST", "/Users", body, kind="invalidValue")
    assert "robot" in detail
    assert "sharedMailbox" in detail
    body[EXT]["kind"] = "SharedMailbox"
    assert api.post("/Users", body)[EXT]["kind"] == "sharedMailbox"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("role", "administrator", "administrator"),
        ("twoFactorEnabled", True, "true"),
        ("smsReturnsEnabled", True, "true"),
        ("microsoftReturnsEnabled", True, "true"),
    ],
)
def test_r26_mailbox_is_nobody(api: Api, name: str, value: Any, shown: str) -> None:
    box = mailbox(api)
    with api.unchanged(f"/Users/{box['id']}"):
        detail = api.refuse_patch(f"/Users/{box['id']}", op("replace", f"{EXT}:{name}", value), kind="invalidValue")
    assert detail == f"{name} '{shown}' cannot be given to a sharedMailbox."


def test_r26_activations_are_counted_and_reset_frees_them_all(api: Api) -> None:
    box = mailbox(api)
    path = f"/Users/{box['id']}"
    assert api.patch(path, op("replace", ACTIVATED, True))[EXT]["activationsUsed"] == 1
    assert api.patch(path, op("replace", ACTIVATED, False))[EXT]["activationsUsed"] == 0
    api.refuse_patch(path, op("replace", f"{EXT}:activationsAllowed", 9), kind="mutability")


def test_r26_transfer_between_mailboxes(api: Api) -> None:
    office, sales = mailbox(api), api.user("sales", ext={"kind": "sharedMailbox"})
    assert {"activationsAllowed"}.isdisjoint(sales[EXT])
    after = api.patch(f"/Users/{office['id']}", op("replace", f"{EXT}:licenseTransferTo", sales["id"]))
    assert "activationsAllowed" not in after[EXT]
    received = api.get(f"/Users/{sales['id']}")[EXT]
    assert (received["licenseType"], received["activationsAllowed"]) == ("sharedMailbox", 5)


def test_r26_mailbox_that_waited_has_its_activations(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__direct="pend")
    office, sales = mailbox(api), mailbox(api, "sales")
    assert sales[EXT]["licenseStatus"] == "pending"
    api.delete(f"/Users/{office['id']}")
    served = api.get(f"/Users/{sales['id']}")[EXT]
    assert (served["licenseStatus"], served["activationsAllowed"]) == ("assigned", 5)
