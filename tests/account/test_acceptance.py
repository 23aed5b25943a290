"""The minimum acceptance checks of rules.md section 6 that need no database, by their number."""

from dataclasses import replace

import pytest

from .given import (
    REACHABLE,
    a_licensed_user,
    a_user,
    an_account,
    change,
    create,
    delete,
    echo,
    refused,
    seats,
    told,
    transfer,
)

TARGET = a_user(id="u2", user_name="bruno@acme.example")


def test_1_unapproved_domain():
    with refused("E2"):
        create(user_name="anna@elsewhere.example")


def test_4_change_of_type_keeps_the_logs():
    plan = change(a_licensed_user("eco"), licence_type="pro")
    assert seats(plan.effects) == {"eco": -1, "pro": 1}
    assert "logs.purged" not in told(plan)
    with refused("E5"):
        change(a_licensed_user("eco"), an_account({"pro": 0}), licence_type="pro")


@pytest.mark.parametrize("sent", [None, "none"])
def test_5_withdrawn_seat_is_reassignable(sent):
    plan = change(a_licensed_user("pro"), an_account({"pro": 0}), licence_type=sent)
    assert plan.after == a_user()
    assert seats(plan.effects) == {"pro": -1}
    assert change(TARGET, an_account({"pro": 1}), licence_type="pro").after.licence_type == "pro"


def test_6_silence_keeps_licence_role_two_factor_mobile():
    user = a_licensed_user("pro", role="administrator", two_factor=True, **REACHABLE)
    assert echo(user).after == user


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("stranger", "E6"),
        (replace(a_licensed_user(), id="u2"), "E7"),
        (a_licensed_user(), "E9"),
        (replace(TARGET, active=False), "E10"),
    ],
)
def test_7_refused_transfers(target, error):
    with refused(error):
        transfer(a_licensed_user("pro"), target)


def test_8_transfer_with_no_seat_available():
    plan = transfer(a_licensed_user("pro"), TARGET, an_account({"pro": 0}))
    assert told(plan) == ["license.transferred", "logs.purged"]
    assert (plan.transfer_target.licence_status, seats(plan.effects)) == ("assigned", {})


def test_9_rename():
    plan = change(a_licensed_user("pro"), user_name="anna.new@acme.example")
    assert (plan.after.id, plan.after.licence_type, told(plan)) == ("u1", "pro", ["user.renamed"])


def test_10_sms_returns():
    with refused("E14"):
        change(a_licensed_user("advanced", **REACHABLE), sms_returns=True)
    with refused("E15"):
        change(a_licensed_user("pro", sms_country_code="+1"), sms_returns=True)
    with refused("E16"):
        change(a_licensed_user("pro", mobile="514"), sms_returns=True)
    assert change(a_user(), sms_returns=True, sms_country_code="CA", mobile="514 555 0100", licence_type="pro").after


def test_11_downgrade_with_returns_on():
    user = a_licensed_user("pro", sms_returns=True, **REACHABLE)
    assert not change(user, licence_type="eco").after.sms_returns
    assert not echo(user, licence_type="eco").after.sms_returns
    with refused("E14"):
        change(user, licence_type="eco", sms_returns=True)


def test_12_mobile_removed_while_two_factor_is_on():
    user = a_user(two_factor=True, **REACHABLE)
    with refused("E17"):
        change(user, mobile=None)
    assert change(user, mobile=None, active=False).after.mobile is None


@pytest.mark.parametrize("fields", [{"role": "standard"}, {"active": False}])
def test_13_last_administrator(fields):
    administrator = a_user(role="administrator")
    with refused("E18"):
        change(administrator, an_account(active_administrators=1), **fields)
    assert change(administrator, an_account(active_administrators=2), **fields)
    with refused("E18"):
        delete(administrator, an_account(active_administrators=1))


def test_14_deletion_then_creation():
    assert told(delete(a_licensed_user("pro"))) == ["user.deleted", "license.withdrawn", "logs.purged"]
    again = create(an_account(was_deleted=True), id="u9").after
    assert again == a_user(id="u9", licence_reset_required=True)
    assert change(change(again, licence_type="pro").after, licence_activated=True).after.licence_status == "activated"


@pytest.mark.parametrize(
    ("policy", "status", "moved"),
    [("suspend", "suspended", {}), ("releaseAfterGrace", "suspended", {}), ("release", "none", {"pro": -1})],
)
def test_15_deactivation_under_each_policy(policy, status, moved):
    account = an_account(policies={"deactivation_licence_policy": policy})
    plan = change(a_licensed_user("pro"), account, active=False)
    assert (plan.after.licence_status, seats(plan.effects)) == (status, moved)
    assert "logs.purged" not in told(plan)
    assert change(plan.after, account, active=True).after.licence_type == "pro"
