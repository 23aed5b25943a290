"""Creation, role, administrators, deletion (R4, R20-R23)."""

import pytest

from scim_server.account.effects import LicenceWithdrawn, LogsPurged, RoleChanged, UserCreated, UserDeleted
from scim_server.account.model import Member, Plan
from scim_server.account.rules import decide

from .given import (
    a_licensed_user,
    a_released_user,
    a_suspended_user,
    a_user,
    a_waiting_user,
    an_account,
    change,
    create,
    delete,
    refused,
    told,
)

LAST = {"active_administrators": 1}


def test_user_is_created_standard_active_without_licence():
    after = create().after
    assert after == Member("u1", "anna@acme.example")
    assert (after.role, after.active, after.licence_status) == ("standard", True, "none")


@pytest.mark.parametrize("role", ["administrator", "Administrator", "ADMINISTRATOR"])
def test_role_is_read_in_any_letter_case(role):
    plan = change(a_user(), role=role)
    assert plan.after.role == "administrator"
    assert plan.effects == (RoleChanged("standard", "administrator"),)


def test_user_can_be_created_as_administrator():
    assert create(role="administrator").effects == (UserCreated(), RoleChanged("standard", "administrator"))


def test_unknown_role_is_refused():
    with refused("E19", "'owner'"):
        change(a_user(), role="owner")


def test_last_administrator_cannot_be_demoted():
    with refused("E18", "'anna@acme.example'"):
        change(a_user(role="administrator"), an_account(**LAST), role="standard")


def test_last_administrator_cannot_be_deactivated():
    with refused("E18"):
        change(a_user(role="administrator"), an_account(**LAST), active=False)


def test_last_administrator_cannot_be_deleted():
    with refused("E18"):
        delete(a_user(role="administrator"), an_account(**LAST))


def test_one_of_two_administrators_can_go():
    administrator = a_user(role="administrator")
    assert change(administrator, role="standard").after.role == "standard"
    assert not change(administrator, active=False).after.active
    assert delete(administrator).after is None


def test_last_administrator_can_be_changed_otherwise():
    plan = change(a_user(role="administrator"), an_account(**LAST), licence_type="pro")
    assert plan.after.licence_type == "pro"


def test_administrator_needs_no_licence():
    plan = change(a_licensed_user(role="administrator"), an_account(**LAST), licence_type=None)
    assert plan.after.is_active_administrator


def test_inactive_administrator_is_not_guarded():
    assert delete(a_user(role="administrator", active=False), an_account(**LAST)).after is None


def test_account_without_administrator_is_not_blocked():
    account = an_account(active_administrators=0)
    assert not change(a_user(), account, active=False).after.active
    assert create(account, role="administrator").after.is_active_administrator


def test_refused_demotion_changes_nothing_else():
    with refused("E18"):
        change(a_licensed_user(role="administrator"), an_account(**LAST), active=False, licence_type=None)


@pytest.mark.parametrize("user", [a_licensed_user("pro"), a_suspended_user("pro")])
def test_deletion_frees_the_seat_for_good_with_the_logs(user):
    assert delete(user) == Plan(None, (UserDeleted(), LicenceWithdrawn("pro", "delete"), LogsPurged("delete")))


@pytest.mark.parametrize("user", [a_user(), a_waiting_user(), a_released_user()])
def test_deletion_of_an_unlicensed_user_frees_no_seat(user):
    assert delete(user).effects == (UserDeleted(), LogsPurged("delete"))


def test_account_may_want_users_deactivated_before_they_are_deleted():
    account = an_account(policies={"deletion_require_deactivated": True})
    with refused("E31"):
        delete(a_user(), account)
    assert delete(a_user(active=False), account).after is None


def test_absence_stays_absence():
    assert decide(None, None, an_account()) == Plan(None)


def test_recreated_user_is_advised_to_reset():
    account = an_account(was_deleted=True)
    plan = create(account, licence_activated=False)
    assert plan.after.licence_reset_required
    assert (plan.after.licence_type, told(plan)) == (None, ["user.created"])
    assert not create().after.licence_reset_required
    assert not change(a_user(), account, mobile="1").after.licence_reset_required


def test_recreated_user_can_be_licensed_at_once_without_the_reset():
    plan = create(an_account(was_deleted=True), licence_type="pro", licence_activated=True)
    assert (plan.after.licence_status, plan.after.licence_reset_required) == ("activated", True)


def test_recreation_in_four_steps():
    account = an_account(was_deleted=True)
    created = create(account).after
    reset = change(created, licence_activated=False).after
    assigned = change(reset, licence_type="pro").after
    activated = change(assigned, licence_activated=True).after
    assert (reset.licence_reset_required, assigned.licence_status) == (False, "assigned")
    assert activated.licence_status == "activated"
