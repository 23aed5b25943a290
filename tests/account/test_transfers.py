"""Transfer of a licence to another user (R10, R11)."""

from dataclasses import replace

import pytest

from scim_server.account.effects import LicenceTransferred, LogsPurged
from scim_server.account.model import Member

from .given import (
    NOW,
    a_licensed_user,
    a_mailbox,
    a_released_user,
    a_suspended_user,
    a_user,
    a_waiting_user,
    an_account,
    echo,
    refused,
    seats,
    told,
    transfer,
)

TARGET = Member("u2", "bruno@acme.example", role="administrator", two_factor=True, mobile="+1 514 555 0102")


def test_transfer_moves_the_licence_without_a_seat():
    plan = transfer(a_licensed_user("pro"), TARGET, an_account({"pro": 0}))
    assert plan.effects == (LicenceTransferred("pro", "u1", "u2"), LogsPurged("transfer"))
    assert plan.after == a_user()
    assert seats(plan.effects) == {}


def test_target_has_the_licence_unactivated_with_its_own_settings():
    target = transfer(a_licensed_user("pro"), TARGET).transfer_target
    assert target == replace(
        TARGET,
        licence_type="pro",
        licence_status="assigned",
        licence_source="direct",
        licence_assigned_at=NOW,
    )


def test_leaver_s_licence_moves_to_the_successor():
    assert told(transfer(a_suspended_user(), TARGET)) == ["license.transferred", "logs.purged"]


@pytest.mark.parametrize("policy", ["suspend", "release", "releaseAfterGrace"])
def test_leaver_s_licence_moves_in_the_request_that_deactivates(policy):
    account = an_account(policies={"deactivation_licence_policy": policy})
    plan = transfer(a_licensed_user(), TARGET, account, active=False)
    assert told(plan) == ["user.deactivated", "license.transferred", "logs.purged"]
    assert plan.after == a_user(active=False, deactivated_at=NOW)


def test_waiting_target_waits_no_longer():
    target = transfer(a_licensed_user("pro"), a_waiting_user("eco", id="u2")).transfer_target
    assert (target.licence_type, target.licence_pending_type) == ("pro", None)


def test_expiry_moves_with_the_licence():
    source = a_licensed_user(licence_status="expired", licence_expires_at=NOW - 1)
    target = transfer(source, TARGET).transfer_target
    assert (target.licence_status, target.licence_expires_at) == ("expired", NOW - 1)


def test_returns_of_the_source_are_switched_off():
    plan = transfer(a_licensed_user("pro", microsoft_returns=True), TARGET)
    assert not plan.after.microsoft_returns
    assert plan.effects[-1].reason == "transfer"


@pytest.mark.parametrize(
    ("source", "target", "error", "words"),
    [
        (a_licensed_user(), "nobody@acme.example", "E6", "'nobody@acme.example' is not a user"),
        (a_licensed_user(), a_licensed_user("pro", id="u2"), "E7", "'pro'"),
        (a_licensed_user(), a_suspended_user("pro", id="u2"), "E7", "'pro'"),
        (a_user(), TARGET, "E8", "no licence to transfer"),
        (a_waiting_user(), TARGET, "E8", ""),
        (a_released_user(), TARGET, "E8", ""),
        (a_licensed_user(), a_licensed_user(), "E9", "the same user"),
        (a_licensed_user(), replace(TARGET, active=False), "E10", "not active"),
        (a_licensed_user(licence_source="group"), TARGET, "E12", "group 'Lawyers'"),
        (a_licensed_user("pro"), a_mailbox(), "E24", "licenseType 'pro' cannot be given to a sharedMailbox"),
        (a_mailbox(licence_type="sharedMailbox", licence_status="assigned"), TARGET, "E24", "to a person"),
    ],
)
def test_impossible_transfer_is_refused_whole(source, target, error, words):
    with refused(error, words):
        transfer(source, target, an_account(licence_group="Lawyers"))


@pytest.mark.parametrize("fields", [{"licence_type": "eco"}, {"licence_type": None}, {"licence_activated": False}])
def test_transfer_stands_alone(fields):
    with refused("E11"):
        transfer(a_licensed_user("pro"), TARGET, **fields)


def test_transfer_with_the_same_licence_said_again_is_a_transfer():
    plan = transfer(a_licensed_user("pro"), TARGET, licence_type="Pro", licence_activated=True)
    assert plan.after == a_user()


def test_licence_moves_between_mailboxes():
    source = a_mailbox(licence_type="sharedMailbox", licence_status="activated", activations_used=2)
    plan = transfer(source, a_mailbox(id="m2", user_name="info@acme.example"))
    assert (plan.after.activations_used, plan.transfer_target.licence_type) == (0, "sharedMailbox")


def test_no_transfer_without_being_asked():
    assert echo(a_licensed_user(), mobile="1").transfer_target is None
