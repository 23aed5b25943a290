"""Shared mailboxes (R26)."""

import pytest

from .given import REACHABLE, a_mailbox, a_user, an_account, change, create, refused

ASSIGNED = {"licence_type": "sharedMailbox", "licence_status": "assigned", "licence_source": "direct"}


def test_mailbox_gets_a_licence_of_its_own():
    assert change(a_mailbox(), licence_type="sharedmailbox").after.licence_type == "sharedMailbox"


@pytest.mark.parametrize("type", ["eco", "pro", "apiPro", "sesar"])
def test_mailbox_cannot_have_a_person_s_licence(type):
    with refused("E24", f"licenseType '{type}' cannot be given to a sharedMailbox."):
        change(a_mailbox(), licence_type=type)


def test_person_cannot_have_a_mailbox_s_licence():
    with refused("E24", "licenseType 'sharedMailbox' cannot be given to a person."):
        create(licence_type="sharedMailbox")


def test_mailbox_cannot_be_administrator():
    with refused("E24", "role 'administrator' cannot be given to a sharedMailbox."):
        change(a_mailbox(), role="Administrator")


@pytest.mark.parametrize(
    ("field", "attribute"),
    [
        ("two_factor", "twoFactorEnabled"),
        ("sms_returns", "smsReturnsEnabled"),
        ("microsoft_returns", "microsoftReturnsEnabled"),
    ],
)
def test_security_settings_are_not_offered_to_a_mailbox(field, attribute):
    with refused("E24", f"{attribute} 'true' cannot be given to a sharedMailbox."):
        change(a_mailbox(**ASSIGNED, **REACHABLE), **{field: True})


def test_mailbox_domain_must_be_approved():
    with refused("E2"):
        create(kind="sharedMailbox", user_name="sales@other.example")


def test_activations_of_a_mailbox_are_counted():
    assert change(a_mailbox(**ASSIGNED), licence_activated=True).after.activations_used == 1
    assert change(a_user(), licence_type="eco", licence_activated=True).after.activations_used == 0


def test_activation_beyond_the_number_is_refused():
    with refused("E25", "allows 2 activations"):
        change(a_mailbox(**ASSIGNED, activations_used=2), licence_activated=True)


def test_reset_frees_all_activations():
    plan = change(a_mailbox(**ASSIGNED, activations_used=2), licence_activated=False)
    assert plan.after.activations_used == 0
    assert change(plan.after, licence_activated=True).after.activations_used == 1


def test_mailbox_keeps_no_administrator_from_being_the_last():
    with refused("E18"):
        change(a_user(role="administrator"), an_account(active_administrators=1), active=False)
