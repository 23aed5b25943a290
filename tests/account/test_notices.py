"""R35: who is told of a licence, and of what nobody is told."""

from scim_server.account.effects import LicenceGranted
from scim_server.account.notices import Notice, notices_of
from scim_server.account.rules import grant
from tests.account.given import (
    a_licensed_user,
    a_released_user,
    a_suspended_user,
    a_user,
    a_waiting_user,
    an_account,
    change,
    create,
    delete,
    told,
    transfer,
)


def test_user_created_with_a_licence_is_told():
    assert notices_of(create(licence_type="pro")) == (Notice("licenseAssigned", "u1", "pro"),)


def test_user_created_without_a_licence_is_told_nothing():
    assert notices_of(create()) == ()


def test_default_licence_is_told():
    account = an_account(policies={"defaults_licence_type": "eco"})
    assert notices_of(create(account)) == (Notice("licenseAssigned", "u1", "eco"),)


def test_assignment_is_told_in_the_accounts_spelling_of_the_type():
    assert notices_of(change(a_user(), licence_type="PRO")) == (Notice("licenseAssigned", "u1", "pro"),)


def test_granted_seat_is_told_like_an_assigned_one():
    plan = grant(a_waiting_user("pro"), an_account())
    assert [type(effect) for effect in plan.effects] == [LicenceGranted]
    assert notices_of(plan) == (Notice("licenseAssigned", "u1", "pro"),)


def test_user_who_returns_to_a_new_seat_is_told():
    assert notices_of(change(a_released_user("eco"), active=True)) == (Notice("licenseAssigned", "u1", "eco"),)


def test_target_of_a_transfer_is_told_and_its_source_is_not():
    plan = transfer(a_licensed_user("pro"), a_user(id="u2", user_name="ben@acme.example"))
    assert notices_of(plan) == (Notice("licenseAssigned", "u2", "pro"),)


def test_activation_by_an_administrator_is_told():
    held = a_licensed_user("pro", licence_status="assigned", licence_activated=False, licence_activated_at=None)
    assert notices_of(change(held, licence_activated=True)) == (Notice("licenseActivated", "u1", "pro"),)


def test_activation_with_the_assignment_is_one_message():
    plan = create(licence_type="pro", licence_activated=True)
    assert "license.activated" in told(plan)
    assert notices_of(plan) == (Notice("licenseAssigned", "u1", "pro"),)


def test_assignment_to_an_inactive_user_is_told_once_it_can_be():
    plan = create(licence_type="pro", active=False)
    assert told(plan) == ["user.created", "license.assigned", "license.suspended"]
    assert notices_of(plan) == (Notice("licenseAssigned", "u1", "pro"),)


def test_changes_that_give_nothing_new_are_not_told():
    pending = an_account({"pro": 0}, {"licence_shortage_direct": "pend"})
    held = a_licensed_user("eco")
    for plan in (
        change(held, licence_type="pro"),
        change(held, licence_type=None),
        change(held, licence_activated=False),
        change(held, active=False),
        change(a_suspended_user("eco"), active=True),
        change(a_user(), pending, licence_type="pro"),
        delete(held),
    ):
        assert plan.effects
        assert notices_of(plan) == (), told(plan)
