"""The licence that a user has through groups: direct wins, the highest tier wins, logs are never lost (R27)."""

import pytest

from scim_server.account.effects import (
    LicenceAssigned,
    LicenceChanged,
    LicenceConflict,
    LicenceConflictCleared,
    LicenceGranted,
    LicencePending,
    LicencePendingCleared,
    LicenceReleased,
    LicenceRestored,
    LogsPurged,
    ReturnsDisabled,
    UserReactivated,
)
from scim_server.account.group_licences import ranked_types, type_to_give
from scim_server.account.rules import follow_groups, grant

from .given import (
    a_licensed_user,
    a_mailbox,
    a_released_user,
    a_suspended_user,
    a_user,
    a_waiting_user,
    an_account,
    change,
    pools,
    refused,
    seats,
    told,
    transfer,
)

GROUP = {"licence_source": "group"}
NO_PRO = {"pro": 0}
REJECT = {"licence_shortage_group": "reject"}
RELEASE = {"deactivation_licence_policy": "release"}
UPGRADING = {"licence_pending_type": "pro", "licence_reason": "noSeatAvailable"}


def follow(user, *types, free=None, policies=None, may_refuse=True):
    """Have a user follow groups that give these types."""
    return follow_groups(user, an_account(free, policies, group_types=types), may_refuse=may_refuse)


def licence(user):
    return user.licence_type, user.licence_status, user.licence_source


@pytest.mark.parametrize(
    ("types", "stays", "ranked"),
    [
        ((), None, []),
        (("eco",), None, ["eco"]),
        (("eco", "pro", "advanced", "eco"), None, ["pro", "advanced", "eco"]),
        (("sesar", "pro"), None, ["sesar"]),
        (("eco", "sesar"), None, ["eco"]),
        (("eco", "sesar"), "sesar", ["sesar"]),
        (("sesar", "apiPro"), "eco", ["sesar"]),
        (("eco", "sesar", "pro"), "eco", ["pro", "eco"]),
        (("eco", "sesar", "pro"), "sesar", ["sesar"]),
        (("sesar", "sesar"), None, ["sesar"]),
    ],
)
def test_highest_tier_wins_and_of_types_without_tier_the_first(types, stays, ranked):
    assert ranked_types(types, pools(), stays) == ranked


@pytest.mark.parametrize(("sent", "given"), [("PRO", "pro"), ("none", None), (None, None), ("sesar", "sesar")])
def test_group_gives_a_type_of_the_account(sent, given):
    assert type_to_give(sent, pools()) == given


def test_group_is_refused_an_unknown_type():
    with refused("E4", "'gold'", "eco, advanced, pro"):
        type_to_give("gold", pools())


def test_group_cannot_give_the_licence_of_shared_mailboxes():
    with refused("E24", "'sharedMailbox'", "person"):
        type_to_give("sharedmailbox", pools())


def test_member_without_a_licence_gets_the_group_s():
    plan = follow(a_user(), "eco")
    assert plan.effects == (LicenceAssigned("eco", "group"),)
    assert licence(plan.after) == ("eco", "assigned", "group")


def test_member_waits_where_no_seat_is_left():
    plan = follow(a_user(), "pro", free=NO_PRO)
    assert plan.effects == (LicencePending("pro"),)
    assert licence(plan.after) == (None, "pending", "group")
    assert plan.after.licence_reason == "noSeatAvailable"


def test_account_may_prefer_to_refuse_the_membership():
    with refused("E5", "'pro'"):
        follow(a_user(), "pro", free=NO_PRO, policies=REJECT)
    with refused("E5", "'pro'"):
        follow(a_licensed_user("eco", **GROUP), "eco", "pro", free=NO_PRO, policies=REJECT)


def test_removal_is_never_refused():
    plan = follow(a_licensed_user("pro", **GROUP), "eco", free={"eco": 0}, policies=REJECT, may_refuse=False)
    assert plan.effects == (LicenceReleased("pro", "group"), LicencePending("eco"))


def test_who_waits_already_is_not_refused():
    user = a_waiting_user("pro", **GROUP)
    assert follow(user, "pro", free=NO_PRO, policies=REJECT).after == user


@pytest.mark.parametrize("user", [a_licensed_user("eco"), a_waiting_user("eco"), a_released_user("eco")])
def test_direct_licence_wins(user):
    plan = follow(user, "pro")
    assert (plan.effects, plan.after) == ((), user)


def test_higher_tier_replaces_the_lower_one_with_everything_kept():
    plan = follow(a_licensed_user("eco", **GROUP), "eco", "pro")
    assert plan.effects == (LicenceChanged("eco", "pro"),)
    assert plan.after == a_licensed_user("pro", **GROUP)


def test_lower_licence_is_kept_while_the_higher_one_is_missing():
    plan = follow(a_licensed_user("eco", **GROUP), "eco", "pro", free=NO_PRO)
    assert (plan.effects, plan.after) == ((LicencePending("pro"),), a_licensed_user("eco", **GROUP, **UPGRADING))
    again = follow(plan.after, "eco", "pro", free=NO_PRO)
    assert (again.effects, again.after) == ((), plan.after)


def test_lower_licence_is_given_while_the_higher_one_is_missing():
    plan = follow(a_user(), "pro", "eco", free=NO_PRO)
    assert plan.effects == (LicenceAssigned("eco", "group"), LicencePending("pro"))
    assert (licence(plan.after), plan.after.licence_pending_type) == (("eco", "assigned", "group"), "pro")


def test_free_seat_lifts_who_holds_a_lower_one_in_the_meantime():
    plan = grant(a_licensed_user("eco", **GROUP, **UPGRADING), an_account())
    assert plan.effects == (LicenceChanged("eco", "pro"),)
    assert plan.after == a_licensed_user("pro", **GROUP)
    assert seats(plan.effects) == {"pro": 1, "eco": -1}


def test_lower_licence_that_becomes_free_serves_while_the_wait_goes_on():
    waiting = follow(a_user(), "pro", "eco", free=NO_PRO | {"eco": 0}).after
    plan = follow(waiting, "pro", "eco", free=NO_PRO, may_refuse=False)
    assert plan.effects == (LicenceAssigned("eco", "group"),)
    assert (licence(plan.after), plan.after.licence_pending_type) == (("eco", "assigned", "group"), "pro")
    better = follow(plan.after, "pro", "eco", "advanced", free=NO_PRO)
    assert (better.effects, better.after.licence_pending_type) == ((LicenceChanged("eco", "advanced"),), "pro")


def test_leaving_the_group_of_the_awaited_type_ends_the_wait():
    plan = follow(a_licensed_user("eco", **GROUP, **UPGRADING), "eco")
    assert (plan.effects, plan.after) == ((LicencePendingCleared("pro"),), a_licensed_user("eco", **GROUP))


def test_leaving_the_group_of_the_lower_type_leaves_the_wait_alone():
    plan = follow(a_licensed_user("eco", **GROUP, **UPGRADING), "pro", free=NO_PRO)
    assert plan.effects == (LicenceReleased("eco", "group"), LicencePending("pro"))
    assert licence(plan.after) == (None, "pending", "group")


def test_leaving_the_last_group_releases_the_seat_with_the_logs_kept_whatever_the_policy():
    plan = follow(a_licensed_user("pro", **GROUP), policies={"withdrawal_log_policy": "purge"})
    assert plan.effects == (LicenceReleased("pro", "group"),)
    assert plan.after == a_user()


def test_leaving_the_last_group_ends_the_wait():
    plan = follow(a_waiting_user("pro", **GROUP))
    assert (plan.effects, plan.after) == ((LicencePendingCleared("pro"),), a_user())


@pytest.mark.parametrize("first", [("pro", "eco"), ("eco",), ()])
def test_moving_between_groups_in_any_order_ends_in_the_new_type_without_losing_logs(first):
    halfway = follow(a_licensed_user("pro", **GROUP), *first)
    plan = follow(halfway.after, "eco")
    assert licence(plan.after)[0::2] == ("eco", "group")
    assert not [one for one in (*halfway.effects, *plan.effects) if isinstance(one, LogsPurged)]


def test_losing_pro_with_the_group_switches_returns_off():
    user = a_licensed_user("pro", **GROUP, microsoft_returns=True)
    assert follow(user).effects[1:] == (ReturnsDisabled("group"),)
    assert follow(user, "eco").effects[1:] == (ReturnsDisabled("downgrade"),)
    assert follow(user, "eco").after.microsoft_returns is False


def test_types_without_tier_are_not_combined_and_the_conflict_is_told_once():
    user = a_licensed_user("eco", **GROUP)
    plan = follow(user, "eco", "sesar")
    assert plan.effects == (LicenceConflict("eco", ("sesar",)),)
    assert plan.after == a_licensed_user("eco", **GROUP, licence_reason="typeConflict")
    assert follow(plan.after, "eco", "sesar").effects == ()
    over = follow(plan.after, "eco")
    assert (over.effects, over.after) == ((LicenceConflictCleared("eco"),), user)
    assert follow(plan.after, "sesar").effects == (LicenceChanged("eco", "sesar"),)


def test_mailbox_gets_nothing_from_groups_of_people():
    assert follow(a_mailbox(), "pro").effects == ()


def test_absent_member_gets_no_seat_and_is_remembered():
    plan = follow(a_user(active=False), "pro")
    assert licence(plan.after) == (None, "none", "group")
    assert (plan.after.licence_pending_type, plan.after.licence_reason) == ("pro", "userInactive")
    assert follow(plan.after).after == a_user(active=False)


def test_absent_member_keeps_the_suspended_seat_while_a_group_gives_it():
    user = a_suspended_user("eco", **GROUP)
    assert follow(user, "eco", "pro").effects == ()
    assert follow(user, "pro").effects == (LicenceChanged("eco", "pro"),)
    assert follow(user).effects == (LicenceReleased("eco", "group"),)
    remembered = follow(user, "pro", free=NO_PRO).after
    assert (remembered.licence_status, remembered.licence_pending_type) == ("none", "pro")


def test_absent_member_no_longer_waits_for_what_no_group_gives():
    user = a_suspended_user("eco", **GROUP, **UPGRADING)
    plan = follow(user, "eco")
    assert (plan.effects, plan.after) == ((LicencePendingCleared("pro"),), a_suspended_user("eco", **GROUP))
    assert follow(user, "eco", "pro").effects == ()


def test_returning_member_has_what_the_groups_give_now():
    back = change(a_released_user("eco", **GROUP), an_account(policies=RELEASE, group_types=("pro",)), active=True)
    assert back.effects == (UserReactivated(), LicencePendingCleared("eco"), LicenceAssigned("pro", "group"))
    none = change(a_released_user("eco", **GROUP), an_account(policies=RELEASE, group_types=()), active=True)
    assert (told(none), none.after) == (["user.reactivated", "license.pendingCleared"], a_user())


def test_returning_member_s_remembered_type_is_granted_whatever_is_said_of_restoring():
    policies = RELEASE | {"reactivation_restore_licence": False}
    back = change(a_released_user("eco", **GROUP), an_account(policies=policies, group_types=("eco",)), active=True)
    assert back.effects == (UserReactivated(), LicenceGranted("eco", "group"))


def test_returning_member_with_a_suspended_seat_is_restored_then_lifted():
    back = change(a_suspended_user("eco", **GROUP), an_account(group_types=("eco", "pro")), active=True)
    assert back.effects == (UserReactivated(), LicenceRestored("eco"), LicenceChanged("eco", "pro"))
    assert back.after == a_licensed_user("pro", **GROUP)


def test_returning_member_waits_where_no_seat_is_left_even_where_groups_reject():
    account = an_account(NO_PRO, RELEASE | REJECT, group_types=("pro",))
    assert change(a_released_user("pro", **GROUP), account, active=True).after.licence_status == "pending"


def test_transferred_away_licence_leaves_the_source_with_the_group_s():
    plan = transfer(a_licensed_user("pro"), a_user(id="u2"), an_account(NO_PRO, group_types=("eco",)))
    assert told(plan) == ["license.transferred", "logs.purged", "license.assigned"]
    assert licence(plan.after) == ("eco", "assigned", "group")


def test_direct_wish_given_up_becomes_the_group_s():
    plan = change(a_waiting_user("pro"), an_account(NO_PRO, group_types=("pro",)), licence_type=None)
    assert (plan.effects, licence(plan.after)) == ((), (None, "pending", "group"))


def test_direct_licence_given_up_is_never_refused_for_want_of_the_group_s():
    account = an_account({"eco": 0}, REJECT, group_types=("eco",))
    plan = change(a_licensed_user("pro"), account, licence_type=None)
    assert told(plan) == ["license.withdrawn", "license.pending"]


def test_absent_member_waits_no_more_for_what_no_group_gives():
    user = a_suspended_user("eco", **GROUP, **UPGRADING)
    assert follow(user, "eco").after == a_suspended_user("eco", **GROUP)


def test_asking_directly_for_the_awaited_type_lets_the_wait_go_on():
    user = a_licensed_user("eco", **GROUP, **UPGRADING)
    plan = change(user, an_account(NO_PRO, group_types=("eco", "pro")), licence_type="pro")
    assert (plan.effects, plan.after) == ((), user)
    taken = change(user, an_account(group_types=("eco", "pro")), licence_type="pro")
    assert licence(taken.after) == ("pro", "activated", "direct")
