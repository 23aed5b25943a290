"""Which requests need the account's lock (P6)."""

import pytest

from scim_server.account.policies import Policies
from scim_server.account.rules import touches_account

from .given import ATTRIBUTES, REACHABLE, a_licensed_user, a_mailbox, a_released_user, a_user, a_waiting_user, replace


def touches(before, *, policies=None, said=frozenset(), **fields):
    asserted = frozenset(ATTRIBUTES[name] for name in fields) | said
    return touches_account(before, replace(before or a_user(), **fields), asserted, policies or Policies())


@pytest.mark.parametrize(
    "fields",
    [
        {"user_name": "b@acme.example"},
        {"mobile": None},
        {"time_zone": "UTC"},
        {"two_factor": True},
        {"sms_returns": False},
        {"role": "Standard"},
        {"active": True},
        {"licence_type": "PRO"},
        {"licence_activated": True},
    ],
)
def test_pure_profile_change_touches_the_user_only(fields):
    assert not touches(a_licensed_user("pro", **REACHABLE), **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"active": False},
        {"role": "administrator"},
        {"licence_type": "eco"},
        {"licence_type": None},
        {"licence_activated": False},
        {"sms_returns": True},
        {"microsoft_returns": True},
        {"kind": "sharedMailbox"},
    ],
)
def test_change_of_licence_role_or_activity_touches_the_account(fields):
    assert touches(a_licensed_user("pro"), **fields)


@pytest.mark.parametrize("field", ["sms_returns", "microsoft_returns"])
def test_returns_said_again_touch_the_user_only(field):
    assert not touches(a_licensed_user("pro", **{field: True}), **{field: True})


def test_transfer_touches_the_account():
    assert touches(a_licensed_user(), said=frozenset({"licenseTransferTo"}))


@pytest.mark.parametrize("user", [a_waiting_user("pro"), a_released_user("pro")])
@pytest.mark.parametrize("wish", ["pro", None])
def test_repeated_wish_of_a_waiting_user_touches_the_account(user, wish):
    assert touches(user, licence_type=wish)


def test_withdrawing_nothing_touches_the_user_only():
    assert not touches(a_user(), licence_type="none")


def test_plain_creation_touches_the_user_only():
    assert not touches(None, user_name="b@acme.example", active=False)
    assert not touches_account(None, a_mailbox(), frozenset(), Policies())


@pytest.mark.parametrize("fields", [{"licence_type": "pro"}, {"role": "Administrator"}])
def test_creation_with_licence_or_role_touches_the_account(fields):
    assert touches(None, **fields)


def test_creation_with_a_default_licence_touches_the_account():
    assert touches(None, policies=Policies(defaults_licence_type="eco"))
