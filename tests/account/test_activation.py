"""Activation, reset (R13, R14)."""

import pytest

from scim_server.account.effects import LicenceActivated, LicenceReset

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
    echo,
    refused,
    told,
)

ASSIGNED = {"licence_status": "assigned", "licence_activated": False, "licence_activated_at": None}


def test_licence_is_activated():
    plan = change(a_licensed_user(**ASSIGNED), licence_activated=True)
    assert plan.effects == (LicenceActivated("eco"),)
    assert plan.after == a_licensed_user(licence_activated_at=NOW)


def test_licence_is_activated_in_the_request_that_creates_the_user():
    plan = create(licence_type="pro", licence_activated=True)
    assert told(plan) == ["user.created", "license.assigned", "license.activated"]
    assert plan.after.licence_status == "activated"


@pytest.mark.parametrize("user", [a_user(), a_waiting_user(), a_released_user()])
def test_nothing_to_activate_is_refused(user):
    with refused("E13"):
        change(user, licence_activated=True)


def test_activation_of_the_licence_that_is_withdrawn_is_refused():
    with refused("E13"):
        change(a_licensed_user(), licence_type=None, licence_activated=True)


def test_echoed_activation_does_not_hinder_a_withdrawal():
    assert echo(a_licensed_user(), licence_type=None).after == a_user()


def test_suspended_licence_can_be_activated_for_later():
    plan = change(a_suspended_user(licence_activated=False, licence_activated_at=None), licence_activated=True)
    assert (plan.after.licence_status, plan.after.licence_activated_at) == ("suspended", NOW)
    assert change(plan.after, active=True).after.licence_status == "activated"


def test_activating_twice_changes_nothing():
    plan = change(a_licensed_user(), licence_activated=True)
    assert (plan.effects, plan.after) == ((), a_licensed_user())


def test_reset_undoes_the_activation_only():
    plan = change(a_licensed_user("pro", licence_reset_required=True), licence_activated=False)
    assert plan.effects == (LicenceReset("pro"),)
    assert plan.after == a_licensed_user("pro", **ASSIGNED)


def test_reset_of_a_suspended_licence_keeps_it_suspended():
    plan = change(a_suspended_user(), licence_activated=False)
    assert (plan.after.licence_status, plan.after.licence_activated_at) == ("suspended", None)
    assert change(plan.after, active=True).after.licence_status == "assigned"


def test_reset_before_the_assignment_clears_the_advice():
    plan = change(a_user(licence_reset_required=True), licence_activated=False)
    assert plan.effects == (LicenceReset(None),)
    assert plan.after == a_user()


@pytest.mark.parametrize("user", [a_user(), a_licensed_user(**ASSIGNED), a_waiting_user()])
def test_nothing_to_reset_changes_nothing(user):
    plan = change(user, an_account(), licence_activated=False)
    assert (plan.effects, plan.after) == ((), user)


def test_echo_of_an_activation_never_made_leaves_the_advice():
    assert echo(a_user(licence_reset_required=True), licence_activated=False).after.licence_reset_required
