"""Assigning, changing, withdrawing a licence, and what happens when none is left (R4-R9, R27)."""

import pytest

from scim_server.account.effects import (
    LicenceAssigned,
    LicenceChanged,
    LicenceGranted,
    LicencePending,
    LicencePendingCleared,
    LicenceWithdrawn,
    LogsPurged,
    UserCreated,
)
from scim_server.account.rules import grant

from .given import (
    EARLIER,
    NOW,
    a_licensed_user,
    a_released_user,
    a_suspended_user,
    a_user,
    a_waiting_user,
    an_account,
    change,
    create,
    echo,
    refused,
    seats,
    told,
)

NO_PRO = {"pro": 0}
PEND = {"licence_shortage_direct": "pend"}


def licence(user):
    return user.licence_type, user.licence_status, user.licence_source


@pytest.mark.parametrize("sent", ["pro", "Pro", "PRO"])
def test_licence_is_assigned_from_the_pool(sent):
    plan = change(a_user(), licence_type=sent)
    assert plan.effects == (LicenceAssigned("pro", "direct"),)
    assert licence(plan.after) == ("pro", "assigned", "direct")
    assert (plan.after.licence_assigned_at, plan.after.licence_activated) == (NOW, False)


def test_user_is_created_with_a_licence_in_one_request():
    plan = create(licence_type="Eco")
    assert plan.effects == (UserCreated(), LicenceAssigned("eco"))
    assert licence(plan.after) == ("eco", "assigned", "direct")


def test_type_with_capitals_is_found():
    assert change(a_user(), licence_type="apipro").after.licence_type == "apiPro"


@pytest.mark.parametrize("sent", ["gold", ""])
def test_unknown_type_is_refused_with_the_known_ones(sent):
    with refused("E4", f"'{sent}'", "eco, advanced, pro, apiPro, sesar, sharedMailbox"):
        change(a_user(), licence_type=sent)


@pytest.mark.parametrize("user", [a_user(), a_licensed_user("eco"), a_suspended_user("eco")])
def test_last_seat_taken_means_no_assignment(user):
    with refused("E5", "'pro'", "10 of 10", "withdraw one"):
        change(user, an_account(NO_PRO), licence_type="pro")


def test_no_user_is_created_where_the_licence_is_missing():
    with refused("E5"):
        create(an_account(NO_PRO), licence_type="pro")


def test_account_may_prefer_that_users_wait():
    plan = create(an_account(NO_PRO, PEND), licence_type="pro")
    assert plan.effects == (UserCreated(), LicencePending("pro"))
    assert licence(plan.after) == (None, "pending", "direct")
    assert (plan.after.licence_pending_type, plan.after.licence_reason) == ("pro", "noSeatAvailable")


def test_licensed_user_keeps_the_licence_rather_than_wait_for_another():
    with refused("E5"):
        change(a_licensed_user("eco"), an_account(NO_PRO, PEND), licence_type="pro")


@pytest.mark.parametrize("policies", [PEND, {}])
def test_asking_again_for_the_awaited_type_changes_nothing(policies):
    user = a_waiting_user("pro")
    plan = change(user, an_account(NO_PRO, policies), licence_type="Pro")
    assert (plan.effects, plan.after) == ((), user)


def test_asking_again_for_the_awaited_type_takes_a_seat_that_is_free():
    plan = change(a_waiting_user("pro"), licence_type="pro")
    assert plan.effects == (LicenceGranted("pro"),)
    assert licence(plan.after) == ("pro", "assigned", "direct")
    assert (plan.after.licence_pending_type, plan.after.licence_reason) == (None, None)


def test_awaited_group_licence_stays_the_group_s_though_asked_for():
    plan = change(a_waiting_user("pro", licence_source="group"), licence_type="pro")
    assert plan.effects == (LicenceGranted("pro", "group"),)


def test_active_user_gets_a_seat_though_the_account_releases_those_of_the_inactive():
    account = an_account(policies={"deactivation_licence_policy": "release"})
    assert change(a_user(), account, licence_type="pro").after.licence_status == "assigned"


def test_waiting_user_can_wait_for_another_type():
    plan = change(a_waiting_user("pro"), an_account({"eco": 0}, PEND), licence_type="eco")
    assert plan.effects == (LicencePendingCleared("pro"), LicencePending("eco"))
    assert plan.after.licence_pending_type == "eco"


def test_waiting_user_can_take_another_type():
    plan = change(a_waiting_user("pro"), an_account(NO_PRO), licence_type="eco")
    assert plan.effects == (LicencePendingCleared("pro"), LicenceAssigned("eco"))


def test_waiting_user_is_refused_another_type_that_is_missing_too():
    with refused("E5", "'eco'"):
        change(a_waiting_user("pro"), an_account({"eco": 0}), licence_type="eco")


def test_free_seat_is_granted_to_a_waiting_user():
    plan = grant(a_waiting_user("pro", licence_source="group"), an_account())
    assert plan.effects == (LicenceGranted("pro", "group"),)
    assert licence(plan.after) == ("pro", "assigned", "group")


@pytest.mark.parametrize(
    ("user", "free"),
    [
        (a_waiting_user("pro"), NO_PRO),
        (a_waiting_user("pro", active=False), {}),
        (a_user(), {}),
        (a_released_user(), {}),
    ],
)
def test_nothing_is_granted_otherwise(user, free):
    plan = grant(user, an_account(free))
    assert (plan.effects, plan.after) == ((), user)


@pytest.mark.parametrize(("held", "wanted"), [("eco", "pro"), ("pro", "eco"), ("eco", "sesar")])
def test_change_of_type_keeps_activation_dates_logs(held, wanted):
    plan = change(a_licensed_user(held), licence_type=wanted)
    assert plan.effects == (LicenceChanged(held, wanted),)
    assert plan.after == a_licensed_user(wanted)
    assert seats(plan.effects) == {wanted: 1, held: -1}


def test_change_of_type_takes_effect_at_once_for_a_suspended_user():
    assert change(a_suspended_user("eco"), licence_type="pro").after == a_suspended_user("pro")


def test_change_of_type_to_the_last_seat():
    assert change(a_licensed_user("eco"), an_account({"pro": 1}), licence_type="pro").after.licence_type == "pro"


def test_group_licence_is_changed_by_setting_a_direct_type():
    plan = change(a_licensed_user("eco", licence_source="group"), licence_type="pro")
    assert licence(plan.after) == ("pro", "activated", "direct")


@pytest.mark.parametrize("sent", [None, "none", "None"])
@pytest.mark.parametrize("user", [a_licensed_user("pro"), a_suspended_user("pro")])
def test_withdrawal_releases_the_licence(user, sent):
    plan = change(user, licence_type=sent)
    assert plan.effects == (LicenceWithdrawn("pro"),)
    assert plan.after == a_user(active=user.active, deactivated_at=user.deactivated_at)


def test_withdrawal_destroys_the_logs_where_the_account_says_so():
    account = an_account(policies={"withdrawal_log_policy": "purge"})
    assert change(a_licensed_user(), account, licence_type=None).effects == (
        LicenceWithdrawn("eco"),
        LogsPurged("withdraw"),
    )


def test_withdrawal_with_deactivation_destroys_the_logs_too():
    account = an_account(policies={"withdrawal_log_policy": "purge", "deactivation_licence_policy": "release"})
    plan = change(a_licensed_user(), account, licence_type=None, active=False)
    assert plan.effects[1:] == (LicenceWithdrawn("eco"), LogsPurged("withdraw"))
    assert plan.after.licence_pending_type is None


@pytest.mark.parametrize("user", [a_licensed_user(licence_source="group"), a_waiting_user(licence_source="group")])
def test_group_licence_cannot_be_withdrawn(user):
    with refused("E12", "group 'Lawyers'", "membership"):
        change(user, an_account(licence_group="Lawyers"), licence_type=None)


def test_withdrawing_from_an_unlicensed_user_changes_nothing():
    account = an_account(policies={"withdrawal_log_policy": "purge"})
    plan = change(a_user(), account, licence_type="none")
    assert (plan.effects, plan.after) == ((), a_user())


@pytest.mark.parametrize("user", [a_waiting_user("pro"), a_released_user("pro")])
def test_withdrawal_clears_the_wish_for_a_licence(user):
    plan = change(user, an_account(policies={"withdrawal_log_policy": "purge"}), licence_type=None)
    assert plan.effects == (LicencePendingCleared("pro"),)
    assert plan.after == a_user(active=user.active, deactivated_at=user.deactivated_at)


def test_silence_about_the_licence_is_no_order():
    user = a_licensed_user()
    assert echo(user, mobile="1").after == a_licensed_user(mobile="1")
    assert echo(a_waiting_user(), mobile="1").after == a_waiting_user(mobile="1")


@pytest.mark.parametrize("user", [a_licensed_user("pro"), a_licensed_user("pro", licence_source="group")])
def test_same_type_again_changes_nothing(user):
    plan = change(user, an_account(NO_PRO, pools={}), licence_type="PRO")
    assert (plan.effects, plan.after) == ((), user)


def test_user_who_gives_up_a_direct_licence_falls_back_to_the_group_s():
    account = an_account(group_types=("eco",), policies={"withdrawal_log_policy": "purge"})
    plan = change(a_licensed_user("pro"), account, licence_type=None)
    assert plan.effects == (LicenceChanged("pro", "eco"),)
    assert plan.after == a_licensed_user("eco", licence_source="group")


def test_falling_back_to_the_same_type_moves_no_seat():
    plan = change(a_licensed_user("pro"), an_account(NO_PRO, group_types=("pro",)), licence_type=None)
    assert plan.after == a_licensed_user("pro", licence_source="group")
    assert (told(plan), seats(plan.effects)) == (["license.changed"], {})


def test_falling_back_without_a_seat_waits_for_it_with_the_logs_kept():
    account = an_account({"eco": 0}, {"withdrawal_log_policy": "purge"}, group_types=("eco",))
    plan = change(a_licensed_user("pro"), account, licence_type=None)
    assert plan.effects == (LicenceWithdrawn("pro"), LicencePending("eco"))
    assert licence(plan.after) == (None, "pending", "group")


def test_giving_up_the_wish_for_a_licence_falls_back_to_the_group_s():
    plan = change(a_waiting_user("pro"), an_account(group_types=("eco",)), licence_type=None)
    assert plan.effects == (LicencePendingCleared("pro"), LicenceAssigned("eco", "group"))


def test_default_licence_is_assigned_to_users_created_without_one():
    account = an_account(policies={"defaults_licence_type": "Eco"})
    assert licence(create(account).after) == ("eco", "assigned", "direct")
    assert create(account, licence_type="pro").after.licence_type == "pro"
    assert create(account, licence_type="none").after.licence_type is None
    assert change(a_user(), account, mobile="1").after.licence_type is None


def test_default_licence_obeys_the_pool():
    with refused("E5"):
        create(an_account({"eco": 0}, {"defaults_licence_type": "eco"}))


def test_default_licence_is_for_those_whom_it_suits():
    account = an_account(policies={"defaults_licence_type": "eco"})
    assert create(account, kind="sharedMailbox").after.licence_type is None


def test_reassignment_keeps_nothing_of_an_earlier_licence():
    user = a_licensed_user("pro", licence_expires_at=NOW + 1, licence_assigned_at=EARLIER)
    again = change(change(user, licence_type=None).after, licence_type="pro").after
    assert (again.licence_assigned_at, again.licence_expires_at, again.licence_activated) == (NOW, None, False)
