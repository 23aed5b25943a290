"""Leaving and returning over the wire: deletion, re-creation, deactivation, reactivation (R22-R25)."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from scim_server.store.database import execute
from scim_server.store.tables import user as user_table

from .conftest import EXT, USER, Api, op

TYPE = f"{EXT}:licenseType"
OFF = op("replace", "active", False)
ON = op("replace", "active", True)


def licence(user: Any) -> tuple[Any, Any]:
    return user[EXT].get("licenseType"), user[EXT]["licenseStatus"]


# Deletion and re-creation (R22, R23)


def test_r22_deletion_tells_what_was_destroyed(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.write_log(ava["id"], 4)
    api.delete(f"/Users/{ava['id']}")
    assert api.response.body == b""
    entries = {entry.action: entry for entry in api.journal()[-3:]}
    assert list(entries) == ["user.deleted", "license.withdrawn", "logs.purged"]
    assert entries["logs.purged"].logs_purged == 4
    assert {"attribute": "reason", "to": "delete"} in orjson.loads(entries["license.withdrawn"].changes)
    assert api.log_count(ava["id"]) == 0


def test_r22_suspended_seat_returns_and_serves_who_waits(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__direct="pend")
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.patch(f"/Users/{ava['id']}", OFF)
    bob = api.user("bob", ext={"licenseType": "pro"})
    api.delete(f"/Users/{ava['id']}")
    assert (licence(api.get(f"/Users/{bob['id']}")), api.pool("pro").assigned) == (("pro", "assigned"), 1)


def test_r22_memberships_end_and_the_group_moves_on(api: Api) -> None:
    ava, bob = api.user("ava"), api.user("bob")
    sales = api.group("Sales", ava["id"], bob["id"])
    api.delete(f"/Users/{ava['id']}")
    after = api.get(f"/Groups/{sales['id']}")
    assert [one["value"] for one in after["members"]] == [bob["id"]]
    assert after["meta"]["version"] != sales["meta"]["version"]


def test_r22_policy_may_ask_for_deactivation_first(new_account: Callable[..., Api]) -> None:
    api = new_account(deletion__requireDeactivated=True)
    ava = api.user("ava", ext={"licenseType": "pro"})
    with api.unchanged(f"/Users/{ava['id']}"):
        detail = api.refuse("DELETE", f"/Users/{ava['id']}", status=409)
    assert detail == "Users must be deactivated before they are deleted."
    assert (api.refusals()[0].rule, api.refusals()[0].error, api.pool("pro").assigned) == ("R22", "E31", 1)
    api.patch(f"/Users/{ava['id']}", OFF)
    api.delete(f"/Users/{ava['id']}")


@pytest.mark.parametrize(
    ("policy", "shown"), [("masked", ["a***@{}"]), ("full", ["ava.first@{}", "ava.lee@{}"]), ("idOnly", [None])]
)
def test_r22_identity_is_masked_everywhere_in_the_journal(
    new_account: Callable[..., Api], policy: str, shown: list[str | None]
) -> None:
    """Names, former names, refusals before and after: nothing tells the address any more, the id is kept."""
    api = new_account(deletion__auditIdentity=policy)
    first = {"schemas": [USER], "userName": api.mail("ava.lee"), EXT: {"licenseType": "gold"}}
    api.refuse("POST", "/Users", first, kind="invalidValue")
    ava = api.user("ava.first")
    path = f"/Users/{ava['id']}"
    api.patch(path, op("replace", "userName", api.mail("ava.lee")))
    api.refuse("POST", "/Users", {**first, "userName": api.mail("AVA.Lee")}, kind="invalidValue")
    bob = api.user("bob", ext={"role": "administrator"})
    api.patch(path, op("replace", f"{EXT}:role", "administrator"))
    rename = op("replace", "userName", api.mail("Ava.lee"))
    api.refuse_patch(f"/Users/{bob['id']}", rename, status=409, kind="uniqueness")
    taken = {"schemas": [USER], "userName": api.mail("AVA.Lee")}
    api.refuse("POST", "/Users", taken, status=409, kind="uniqueness")
    api.delete(path)
    told = [entry for entry in api.journal() if entry.target_id == ava["id"]]
    assert {entry.target_name for entry in told} == {name and name.format(api.domain) for name in shown}
    everything = orjson.dumps([[str(value) for value in entry] for entry in api.journal()]).decode().lower()
    assert ("ava.lee@" in everything) is (policy == "full")
    assert ava["id"] in everything
    assert ("ava.first@" in everything) is (policy == "full")


def test_r22_last_administrators_refusal_is_masked_too(api: Api) -> None:
    ava = api.user("ava.lee", ext={"role": "administrator"})
    api.refuse("DELETE", f"/Users/{ava['id']}", status=409)
    api.user("bob", ext={"role": "administrator"})
    api.delete(f"/Users/{ava['id']}")
    assert "ava.lee@" not in " ".join(str(entry.detail) for entry in api.journal())
    assert [entry.error for entry in api.refusals()] == ["E18"]


def test_r22_other_users_entries_are_left_alone(api: Api) -> None:
    ava, bob = api.user("ava"), api.user("bob.ava")
    api.refuse_patch(f"/Users/{bob['id']}", op("replace", f"{EXT}:role", "x"), kind="invalidValue")
    api.delete(f"/Users/{ava['id']}")
    assert {entry.target_name for entry in api.journal() if entry.target_id == bob["id"]} >= {api.mail("bob.ava")}


def test_r23_steps_in_one_post(api: Api) -> None:
    old = api.user("ava", ext={"licenseType": "pro", "licenseActivated": True, "role": "administrator"})
    api.user("boss", ext={"role": "administrator"})
    api.delete(f"/Users/{old['id']}")
    new = api.user("AVA", ext={"licenseType": "pro", "licenseActivated": True})
    assert (new[EXT]["licenseStatus"], new[EXT]["role"]) == ("activated", "standard")
    assert api.log_count(new["id"]) == 0


def test_r23_other_users_need_no_reset_and_a_second_deletion_works(api: Api) -> None:
    for _ in range(2):
        ava = api.user("ava")
        api.delete(f"/Users/{ava['id']}")
    assert "licenseResetRequired" not in api.user("bob")[EXT]
    assert api.user("ava")[EXT]["licenseResetRequired"] is True


# Deactivation and reactivation (R24, R25)


@pytest.mark.parametrize("policy", ["suspend", "release", "releaseAfterGrace"])
def test_r24_everything_but_the_licence_is_kept(new_account: Callable[..., Api], policy: str) -> None:
    api = new_account(deactivation__licensePolicy=policy)
    phone = [{"type": "mobile", "value": "+15145550100"}]
    ava = api.user("ava", title="Clerk", phoneNumbers=phone, ext={"licenseType": "pro", "twoFactorEnabled": True})
    sales = api.group("Sales", ava["id"])
    path = f"/Users/{ava['id']}"
    after = api.patch(path, OFF)
    assert (after["title"], after["phoneNumbers"], after[EXT]["twoFactorEnabled"]) == ("Clerk", phone, True)
    assert [one["value"] for one in after["groups"]] == [sales["id"]]
    assert "user.deactivated" in api.done()
    assert [one["id"] for one in api.find("active eq false")] == [ava["id"]]
    again = api.patch(path, OFF)
    assert again == after
    assert api.done().count("user.deactivated") == 1
    back = api.patch(path, ON)
    assert (licence(back), api.pool("pro").assigned) == (("pro", "assigned"), 1)
    assert "deactivatedAt" not in back[EXT]
    assert api.done().count("user.reactivated") == 1


def test_r24_activated_licence_is_restored_without_a_new_activation(api: Api) -> None:
    ava = api.user("ava", ext={"licenseType": "pro", "licenseActivated": True})
    api.patch(f"/Users/{ava['id']}", OFF)
    assert licence(api.patch(f"/Users/{ava['id']}", ON)) == ("pro", "activated")
    assert api.done()[-3:] == ["user.updated", "user.reactivated", "license.restored"]


def test_r24_user_created_inactive_has_a_suspended_licence(api: Api) -> None:
    ava = api.user("ava", active=False, ext={"licenseType": "pro"})
    assert (licence(ava), api.pool("pro").assigned) == (("pro", "suspended"), 1)
    assert licence(api.patch(f"/Users/{ava['id']}", ON)) == ("pro", "assigned")


def test_r24_release_remembers_the_type_and_withdrawal_forgets_it(new_account: Callable[..., Api]) -> None:
    api = new_account(deactivation__licensePolicy="release")
    ava = api.user("ava", ext={"licenseType": "pro"})
    path = f"/Users/{ava['id']}"
    gone = api.patch(path, OFF)
    assert gone[EXT]["licensePendingType"] == "pro"
    assert "entitlements" not in gone
    forgotten = api.patch(path, op("replace", TYPE, "none"))
    assert {"licensePendingType", "licenseStatusReason"}.isdisjoint(forgotten[EXT])
    assert (licence(api.patch(path, ON)), api.pool("pro").assigned) == ((None, "none"), 0)


def test_r24_released_user_takes_no_seat_while_away(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, deactivation__licensePolicy="release")
    ava = api.user("ava", ext={"licenseType": "pro"})
    path = f"/Users/{ava['id']}"
    api.patch(path, OFF)
    after = api.patch(path, op("replace", TYPE, "eco"))
    assert (licence(after), after[EXT]["licensePendingType"]) == ((None, "none"), "eco")
    assert (api.pool("pro").assigned, api.pool("eco").assigned) == (0, 0)
    assert licence(api.patch(path, ON)) == ("eco", "assigned")


def test_r24_release_serves_who_waits_and_the_returner_waits(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, deactivation__licensePolicy="release", licenseShortage__direct="pend")
    ava = api.user("ava", ext={"licenseType": "pro"})
    bob = api.user("bob", ext={"licenseType": "pro"})
    api.patch(f"/Users/{ava['id']}", OFF)
    assert licence(api.get(f"/Users/{bob['id']}")) == ("pro", "assigned")
    back = api.patch(f"/Users/{ava['id']}", ON)
    assert (licence(back), back["active"], back[EXT]["licensePendingType"]) == ((None, "pending"), True, "pro")
    api.patch(f"/Users/{bob['id']}", op("replace", TYPE, "eco"))
    assert licence(api.get(f"/Users/{ava['id']}")) == ("pro", "assigned")


def test_r25_policy_may_leave_the_returner_without_a_licence(new_account: Callable[..., Api]) -> None:
    api = new_account(deactivation__licensePolicy="release", reactivation__restoreLicense=False)
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.patch(f"/Users/{ava['id']}", OFF)
    back = api.patch(f"/Users/{ava['id']}", ON)
    assert (licence(back), api.pool("pro").assigned) == ((None, "none"), 0)
    assert "licensePendingType" not in back[EXT]


def test_r25_policy_changed_while_away(new_account: Callable[..., Api]) -> None:
    """A licence that was suspended returns as it was, whatever the policy is now."""
    api = new_account()
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.patch(f"/Users/{ava['id']}", OFF)
    api.policy(deactivation__licensePolicy="release")
    assert licence(api.patch(f"/Users/{ava['id']}", op("replace", "title", "x"))) == ("pro", "suspended")
    assert licence(api.patch(f"/Users/{ava['id']}", ON)) == ("pro", "assigned")
    assert api.pool("pro").assigned == 1


def test_r25_reactivation_by_put_with_the_type_that_was_released(new_account: Callable[..., Api]) -> None:
    api = new_account(deactivation__licensePolicy="release")
    ava = api.user("ava", ext={"licenseType": "pro"})
    api.put(f"/Users/{ava['id']}", {**ava, "active": False})
    back = api.put(f"/Users/{ava['id']}", {**ava, "active": True})
    assert (licence(back), api.pool("pro").assigned) == (("pro", "assigned"), 1)


# Release after the days of grace (R24)


def days_pass(api: Api, user: Any, days: int) -> None:
    """Have a user be away for longer than it is."""
    earlier = user_table.c.deactivated_at - days * 86_400_000_000
    with api.database.transaction(api.account_id):
        mine = (user_table.c.account_id == api.account_id, user_table.c.id == user["id"])
        execute(user_table.update().where(*mine).values(deactivated_at=earlier))


def away(api: Api, name: str = "ava", days: int = 0, **extension: Any) -> Any:
    user = api.user(name, ext={"licenseType": "pro", **extension})
    gone = api.patch(f"/Users/{user['id']}", OFF)
    assert licence(gone) == ("pro", "suspended")
    days_pass(api, user, days)
    return user


def test_r24_seat_is_released_after_the_days_of_grace_when_it_is_needed(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, deactivation__licensePolicy="releaseAfterGrace", deactivation__graceDays=10)
    ava = away(api, days=9)
    api.write_log(ava["id"])
    body = {"schemas": [USER], "userName": api.mail("bob"), EXT: {"licenseType": "pro"}}
    api.refuse("POST", "/Users", body, status=409)
    days_pass(api, ava, 1)
    assert licence(api.post("/Users", body)) == ("pro", "assigned")
    after = api.get(f"/Users/{ava['id']}")
    assert (licence(after), after[EXT]["licensePendingType"], after["active"]) == ((None, "none"), "pro", False)
    assert (api.pool("pro").assigned, api.log_count(ava["id"])) == (1, 3)
    released = next(entry for entry in api.journal() if entry.action == "license.released")
    assert (released.actor_type, released.target_id) == ("system", ava["id"])


def test_r24_overdue_seats_serve_who_waits_before_the_returner(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, deactivation__licensePolicy="releaseAfterGrace", licenseShortage__direct="pend")
    ava = away(api, days=31, licenseActivated=True)
    api.policy(deactivation__licensePolicy="suspend", licenseShortage__direct="pend")
    bob = api.user("bob", ext={"licenseType": "pro"})
    assert licence(bob) == (None, "pending")
    api.policy(deactivation__licensePolicy="releaseAfterGrace", licenseShortage__direct="pend")
    back = api.patch(f"/Users/{ava['id']}", ON)
    assert (licence(back), back[EXT]["licenseActivated"]) == ((None, "pending"), False)
    assert licence(api.get(f"/Users/{bob['id']}")) == ("pro", "assigned")


@pytest.mark.parametrize("policy", ["suspend", "releaseAfterGrace"])
def test_r24_return_within_the_days_of_grace_restores(new_account: Callable[..., Api], policy: str) -> None:
    api = new_account(deactivation__licensePolicy=policy)
    ava = away(api, days=29 if policy == "releaseAfterGrace" else 400, licenseActivated=True)
    assert licence(api.patch(f"/Users/{ava['id']}", ON)) == ("pro", "activated")


def test_r24_overdue_user_is_deleted_or_transferred_from_without_a_seat(new_account: Callable[..., Api]) -> None:
    api = new_account(deactivation__licensePolicy="releaseAfterGrace")
    ava, bob = away(api, days=31), api.user("bob")
    transfer = op("replace", f"{EXT}:licenseTransferTo", bob["id"])
    detail = api.refuse_patch(f"/Users/{ava['id']}", transfer, kind="invalidValue")
    assert detail == "licenseTransferTo: this user has no licence to transfer."
    api.delete(f"/Users/{ava['id']}")
    assert api.pool("pro").assigned == 0


def test_r24_release_after_grace_switches_returns_off(new_account: Callable[..., Api]) -> None:
    api = new_account(deactivation__licensePolicy="releaseAfterGrace")
    ava = away(api, days=31, microsoftReturnsEnabled=True)
    api.user("bob", ext={"licenseType": "eco"})
    assert api.get(f"/Users/{ava['id']}")[EXT]["microsoftReturnsEnabled"] is False
    assert "security.returns.autoDisabled" in api.done()
