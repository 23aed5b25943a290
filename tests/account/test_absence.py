"""Deactivation, what it does to the licence under each policy, reactivation (R24, R25)."""

import pytest

from scim_server.account.effects import (
    LicenceAssigned,
    LicenceChanged,
    LicenceGranted,
    LicencePending,
    LicencePendingCleared,
    LicenceReleased,
    LicenceRestored,
    LicenceSuspended,
    UserCreated,
    UserDeactivated,
    UserReactivated,
)
from scim_server.account.rules import release_after_grace

from .given import (
    NOW,
    a_licensed_user,
    a_released_user,
    a_suspended_user,
    a_user,
    a_waiting_user,
    an_account,
    change,
    create,
    told,
)

DAY = 86_400_000_000
RELEASE = {"deactivation_licence_policy": "release"}
AFTER_GRACE = {"deactivation_licence_policy": "releaseAfterGrace"}
NO_RESTORE = RELEASE | {"reactivation_restore_licence": False}
NO_ECO = {"eco": 0}


def test_deactivated_user_stays_with_role_settings_phone():
    user = a_user(role="administrator", mobile="1", two_factor=False)
    plan = change(user, active=False)
    assert plan.effects == (UserDeactivated(),)
    assert plan.after == a_user(role="administrator", mobile="1", active=False, deactivated_at=NOW)


@pytest.mark.parametrize("policies", [{}, AFTER_GRACE])
def test_deactivated_user_keeps_the_seat_suspended(policies):
    plan = change(a_licensed_user(), an_account(policies=policies), active=False)
    assert plan.effects == (UserDeactivated(), LicenceSuspended("eco"))
    assert plan.after == a_suspended_user(deactivated_at=NOW)


def test_deactivated_user_s_seat_is_released_where_the_account_says_so():
    plan = change(a_licensed_user(), an_account(policies=RELEASE), active=False)
    assert plan.effects == (UserDeactivated(), LicenceReleased("eco"))
    assert plan.after == a_released_user("eco", deactivated_at=NOW)


@pytest.mark.parametrize("policies", [{}, RELEASE, AFTER_GRACE])
@pytest.mark.parametrize("user", [a_suspended_user(), a_released_user(), a_user(active=False)])
def test_deactivating_twice_changes_nothing(user, policies):
    plan = change(user, an_account(policies=policies), active=False)
    assert (plan.effects, plan.after) == ((), user)


def test_deactivated_waiting_user_goes_on_waiting():
    plan = change(a_waiting_user(), active=False)
    assert plan.effects == (UserDeactivated(),)
    assert plan.after == a_waiting_user(active=False, deactivated_at=NOW)


def test_expired_licence_is_not_suspended():
    plan = change(a_licensed_user(licence_status="expired"), active=False)
    assert plan.after.licence_status == "expired"


@pytest.mark.parametrize("status", ["assigned", "activated"])
def test_reactivation_restores_the_status_without_moving_a_seat(status):
    activated = status == "activated"
    before = a_licensed_user(
        licence_status=status, licence_activated=activated, licence_activated_at=NOW - DAY if activated else None
    )
    absent = change(before, active=False).after
    plan = change(absent, an_account(NO_ECO), active=True)
    assert plan.effects == (UserReactivated(), LicenceRestored("eco"))
    assert plan.after == before


def test_released_licence_is_assigned_again_where_a_seat_is_free():
    plan = change(a_released_user("eco"), an_account(policies=RELEASE), active=True)
    assert plan.effects == (UserReactivated(), LicenceGranted("eco"))
    assert (plan.after.licence_status, plan.after.licence_type, plan.after.licence_pending_type) == (
        "assigned",
        "eco",
        None,
    )
    assert plan.after.licence_assigned_at == NOW


def test_reactivated_user_waits_where_no_seat_is_free():
    plan = change(a_released_user("eco"), an_account(NO_ECO, RELEASE), active=True)
    assert plan.effects == (UserReactivated(), LicencePending("eco"))
    assert plan.after == a_waiting_user("eco")


def test_released_licence_of_a_group_stays_the_group_s():
    plan = change(a_released_user("eco", licence_source="group"), active=True)
    assert plan.after.licence_source == "group"


def test_remembered_type_that_the_account_no_longer_has_is_awaited():
    plan = change(a_released_user("gold"), active=True)
    assert plan.after.licence_status == "pending"


def test_account_may_not_want_released_licences_back():
    plan = change(a_released_user("eco"), an_account(policies=NO_RESTORE), active=True)
    assert plan.effects == (UserReactivated(), LicencePendingCleared("eco"))
    assert plan.after == a_user()


def test_licence_asked_for_in_the_reactivation_is_awaited_though_releases_are_not_restored():
    plan = change(a_released_user("eco"), an_account(NO_ECO, NO_RESTORE), active=True, licence_type="eco")
    assert plan.after == a_waiting_user("eco")


@pytest.mark.parametrize("policies", [{}, NO_RESTORE])
def test_reactivated_waiting_user_takes_a_seat_that_is_free(policies):
    plan = change(a_waiting_user(active=False), an_account(policies=policies), active=True)
    assert plan.effects == (UserReactivated(), LicenceGranted("eco"))


def test_reactivated_waiting_user_goes_on_waiting():
    plan = change(a_waiting_user(active=False), an_account(NO_ECO), active=True)
    assert (plan.effects, plan.after) == ((UserReactivated(),), a_waiting_user())


def test_reactivation_of_an_unlicensed_user():
    plan = change(a_user(active=False, deactivated_at=NOW - DAY), active=True)
    assert (plan.effects, plan.after) == ((UserReactivated(),), a_user())


def test_change_of_type_with_reactivation():
    plan = change(a_suspended_user("eco"), active=True, licence_type="pro")
    assert plan.after == a_licensed_user("pro")
    assert told(plan) == ["user.reactivated", "license.changed", "license.restored"]


def test_change_of_type_with_deactivation_is_suspended():
    plan = change(a_licensed_user("eco"), active=False, licence_type="pro")
    assert plan.effects == (UserDeactivated(), LicenceChanged("eco", "pro"), LicenceSuspended("pro"))


def test_change_of_type_with_a_releasing_deactivation_needs_no_seat():
    plan = change(a_licensed_user("eco"), an_account({"pro": 0}, RELEASE), active=False, licence_type="pro")
    assert plan.after == a_released_user("pro", deactivated_at=NOW)
    assert told(plan) == ["user.deactivated", "license.released", "license.pendingCleared", "license.pending"]


def test_reactivation_with_a_new_type_takes_only_that():
    plan = change(a_released_user("eco"), an_account(NO_ECO, RELEASE), active=True, licence_type="pro")
    assert (plan.after.licence_type, plan.after.licence_pending_type) == ("pro", None)


def test_user_created_inactive_keeps_the_seat_suspended():
    plan = create(active=False, licence_type="pro")
    assert plan.effects == (UserCreated(), LicenceAssigned("pro"), LicenceSuspended("pro"))
    assert (plan.after.licence_status, plan.after.deactivated_at) == ("suspended", NOW)


def test_user_created_inactive_takes_no_seat_where_the_account_releases():
    plan = create(an_account({"pro": 0}, RELEASE), active=False, licence_type="pro")
    assert plan.effects == (UserCreated(), LicencePending("pro"))
    assert plan.after == a_released_user("pro", deactivated_at=NOW)


def test_licence_for_an_inactive_user_is_suspended():
    plan = change(a_user(active=False), licence_type="pro")
    assert plan.effects == (LicenceAssigned("pro"), LicenceSuspended("pro"))


def test_licence_for_an_inactive_user_is_remembered_where_the_account_releases():
    account = an_account(policies=RELEASE)
    plan = change(a_user(active=False), account, licence_type="pro")
    assert plan.effects == (LicencePending("pro"),)
    again = change(plan.after, account, licence_type="pro")
    assert (again.effects, again.after) == ((), plan.after)


@pytest.mark.parametrize(("days", "waits"), [(29, False), (30, True)])
def test_licence_for_a_user_away_for_longer_than_the_grace_is_remembered(days, waits):
    account = an_account(policies=AFTER_GRACE)
    plan = change(a_user(active=False, deactivated_at=NOW - days * DAY), account, licence_type="pro")
    assert plan.after.licence_pending_type == ("pro" if waits else None)
    assert plan.after.licence_status == ("none" if waits else "suspended")
    assert release_after_grace(plan.after, account).effects == ()


def test_user_suspended_under_an_earlier_policy_stays_so():
    assert change(a_suspended_user(), an_account(policies=RELEASE), mobile="1").after == a_suspended_user(mobile="1")


@pytest.mark.parametrize(("days", "released"), [(29, False), (30, True), (31, True)])
def test_suspended_licence_is_released_after_the_grace(days, released):
    absent = a_suspended_user("pro", deactivated_at=NOW - days * DAY, sms_returns=True)
    plan = release_after_grace(absent, an_account(policies=AFTER_GRACE))
    expected = ["license.released", "security.returns.autoDisabled"] if released else []
    assert told(plan) == expected
    assert plan.after.holds_seat is not released


@pytest.mark.parametrize(
    "user", [a_licensed_user(), a_released_user(deactivated_at=0), a_user(active=False, deactivated_at=0)]
)
def test_grace_ends_only_for_an_inactive_user_with_a_seat(user):
    assert release_after_grace(user, an_account(policies=AFTER_GRACE)).effects == ()


@pytest.mark.parametrize("policies", [{}, RELEASE])
def test_grace_ends_only_where_the_account_grants_one(policies):
    absent = a_suspended_user(deactivated_at=0)
    assert release_after_grace(absent, an_account(policies=policies)).effects == ()
