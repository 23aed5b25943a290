"""Protected returns, two-factor authentication (R16-R19)."""

import pytest

from scim_server.account.effects import LicenceChanged, ReturnsDisabled, Switched
from scim_server.account.refusals import Refused

from .given import (
    REACHABLE,
    a_licensed_user,
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

PROTECTED = {**REACHABLE, "sms_returns": True, "microsoft_returns": True}


def test_sms_returns_are_switched_on():
    plan = change(a_licensed_user("pro", **REACHABLE), sms_returns=True)
    assert plan.effects == (Switched("smsReturns", True),)
    assert told(plan) == ["security.smsReturns.enabled"]


def test_all_is_judged_on_the_resulting_state():
    plan = change(a_user(), sms_returns=True, **REACHABLE, licence_type="pro")
    assert plan.after.sms_returns
    assert told(create(sms_returns=True, licence_type="pro", **REACHABLE)) == [
        "user.created",
        "license.assigned",
        "security.smsReturns.enabled",
    ]


@pytest.mark.parametrize(
    ("user", "type"),
    [
        (a_user(**REACHABLE), "none"),
        (a_waiting_user("pro", **REACHABLE), "none"),
        (a_licensed_user("advanced", **REACHABLE), "advanced"),
        (a_licensed_user("apiPro", **REACHABLE), "apiPro"),
        (a_licensed_user("pro", licence_status="expired", **REACHABLE), "pro"),
    ],
)
def test_protected_returns_require_a_pro_licence(user, type):
    with refused("E14", f"licence is '{type}'"):
        change(user, sms_returns=True)
    with refused("E30", f"licence is '{type}'"):
        change(user, microsoft_returns=True)


def test_suspended_pro_licence_permits_returns():
    assert change(a_suspended_user("pro", **REACHABLE), sms_returns=True).after.sms_returns


def test_sms_returns_require_a_mobile_number():
    with refused("E15", "phoneNumbers"):
        change(a_licensed_user("pro", sms_country_code="CA"), sms_returns=True)


def test_sms_returns_require_a_country_code_though_the_number_is_international():
    with refused("E16"):
        change(a_licensed_user("pro", mobile="+1 514 555 0100"), sms_returns=True)


def test_everything_that_is_missing_is_told_at_once():
    with pytest.raises(Refused) as caught:
        change(a_licensed_user("eco"), sms_returns=True, microsoft_returns=True, two_factor=True)
    assert (caught.value.rule, caught.value.error) == ("R16", "E14")
    for attribute in ("a Pro licence", "phoneNumbers", "smsCountryCode", "microsoftReturnsEnabled", "twoFactorEnabled"):
        assert attribute in caught.value.detail


def test_microsoft_returns_need_no_phone():
    assert change(a_licensed_user("pro"), microsoft_returns=True).effects == (Switched("microsoftReturns", True),)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"mobile": None}, "E15"),
        ({"mobile": " "}, "E15"),
        ({"sms_country_code": None}, "E16"),
        ({"sms_country_code": ""}, "E16"),
    ],
)
def test_what_sms_returns_need_cannot_be_removed(fields, error):
    user = a_licensed_user("pro", **REACHABLE, sms_returns=True)
    with refused(error):
        change(user, **fields)
    assert change(user, **fields, sms_returns=False).effects == (Switched("smsReturns", False),)
    assert not change(user, **fields, active=False).after.active


def test_reactivation_judges_what_was_removed_meanwhile():
    absent = change(a_licensed_user("pro", **REACHABLE, sms_returns=True, two_factor=True), active=False).after
    unreachable = change(absent, mobile=None, sms_country_code=None).after
    with pytest.raises(Refused) as caught:
        change(unreachable, active=True)
    assert "phoneNumbers" in caught.value.detail
    assert "twoFactorEnabled" in caught.value.detail
    assert change(unreachable, active=True, **REACHABLE).after.sms_returns


def test_number_can_be_replaced_while_returns_stay_on():
    user = a_licensed_user("pro", **REACHABLE, sms_returns=True, two_factor=True)
    assert change(user, mobile="+1 514 555 0199").effects == ()


@pytest.mark.parametrize(
    ("fields", "policies", "reason"),
    [
        ({"licence_type": "eco"}, {}, "downgrade"),
        ({"licence_type": None}, {}, "withdraw"),
        ({"active": False}, {"deactivation_licence_policy": "release"}, "userInactive"),
    ],
)
def test_losing_pro_switches_returns_off(fields, policies, reason):
    plan = change(a_licensed_user("pro", **PROTECTED), an_account(policies=policies), **fields)
    assert not plan.after.sms_returns
    assert not plan.after.microsoft_returns
    assert plan.effects[-1] == ReturnsDisabled(reason)
    assert plan.after.mobile == REACHABLE["mobile"]


def test_suspension_keeps_returns_on():
    assert change(a_licensed_user("pro", **PROTECTED), active=False).after.sms_returns


def test_getting_pro_back_does_not_switch_returns_on_again():
    without = change(a_licensed_user("pro", **PROTECTED), licence_type="eco").after
    assert not change(without, licence_type="pro").after.sms_returns


@pytest.mark.parametrize(("field", "error"), [("sms_returns", "E14"), ("microsoft_returns", "E30")])
def test_insisting_on_returns_while_losing_pro_is_refused(field, error):
    with refused(error, "'eco'"):
        change(a_licensed_user("pro", **PROTECTED), licence_type="eco", **{field: True})


def test_echoed_returns_do_not_hinder_a_downgrade():
    plan = echo(a_licensed_user("pro", **PROTECTED), licence_type="eco", sms_returns=True)
    assert plan.effects == (LicenceChanged("pro", "eco"), ReturnsDisabled("downgrade"))


def test_switching_returns_off_oneself_is_told_as_such():
    plan = change(a_licensed_user("pro", **REACHABLE, sms_returns=True), licence_type="eco", sms_returns=False)
    assert plan.effects == (LicenceChanged("pro", "eco"), Switched("smsReturns", False))


@pytest.mark.parametrize("fields", [{"mobile": "+33 6 12 34 56 78"}, {"mobile": "tel:+1-514-555-0100"},
                                    {"mobile": "(514) 555-0100", "sms_country_code": "CA"}])  # fmt: skip
def test_two_factor_needs_a_number_that_an_sms_finds(fields):
    assert change(a_user(**fields), two_factor=True).effects == (Switched("twoFactor", True),)


@pytest.mark.parametrize("fields", [{}, {"mobile": "514 555 0100"}, {"mobile": "", "sms_country_code": "+1"},
                                    {"mobile": "none", "sms_country_code": "+1"}])  # fmt: skip
def test_two_factor_is_refused_otherwise(fields):
    with refused("E17"):
        change(a_user(**fields), two_factor=True)


def test_number_cannot_be_removed_while_two_factor_stays_on():
    user = a_user(**REACHABLE, two_factor=True)
    with refused("E17"):
        change(user, mobile=None)
    assert not change(user, mobile=None, active=False).after.active
    assert change(user, mobile=None, two_factor=False).effects == (Switched("twoFactor", False),)
    assert change(user, sms_country_code=None).after.two_factor


def test_licence_changes_never_touch_two_factor():
    assert change(a_licensed_user("pro", **REACHABLE, two_factor=True), licence_type=None).after.two_factor


@pytest.mark.parametrize("field", ["sms_returns", "microsoft_returns", "two_factor"])
def test_switching_again_changes_nothing(field):
    user = a_licensed_user("pro", **PROTECTED, two_factor=True)
    plan = change(user, **{field: True})
    assert (plan.effects, plan.after) == ((), user)


def test_user_left_inconsistent_can_still_be_changed_otherwise():
    user = a_licensed_user("pro", sms_returns=True, two_factor=True)
    assert change(user, role="administrator", user_name="a@acme.example").after.sms_returns


def test_type_that_lost_its_capability_loses_the_returns_at_the_next_move():
    plan = change(a_licensed_user("eco", **PROTECTED), active=False)
    assert plan.effects[-1] == ReturnsDisabled("notPermitted")


def test_profile_change_is_decided_without_the_pools():
    user = a_licensed_user("pro", **PROTECTED)
    plan = change(user, an_account(pools={}), mobile="+1 514 555 0199")
    assert (plan.effects, plan.after.sms_returns, plan.after.microsoft_returns) == ((), True, True)
