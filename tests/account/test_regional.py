"""Time zones and SMS country codes (R15)."""

import pytest

from scim_server.account.time_zones import WINDOWS_NAMES, is_time_zone

from .given import a_user, an_account, change, create, refused


@pytest.mark.parametrize("name", ["America/Toronto", "Europe/Paris", "UTC"])
def test_iana_time_zone_is_accepted(name):
    assert create(time_zone=name).after.time_zone == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Pacific Standard Time", "Use 'America/Los_Angeles'."),
        ("romance standard time", "Use 'Europe/Paris'."),
        ("america/toronto", "Use 'America/Toronto'."),
        ("Mars/Olympus", "'Mars/Olympus' is not an IANA time zone."),
        ("localtime", ""),
        ("../etc/passwd", ""),
        ("", ""),
    ],
)
def test_other_time_zones_are_refused_with_the_name_that_was_meant(name, hint):
    with refused("E20", f"timezone '{name}'", hint):
        create(time_zone=name)


def test_any_time_zone_is_accepted_where_time_zones_are_not_enforced():
    account = an_account(policies={"timezone_enforcement": "off"})
    assert create(account, time_zone="Mars/Olympus").after.time_zone == "Mars/Olympus"


def test_what_is_left_alone_is_not_judged():
    user = a_user(time_zone="Mars/Olympus", sms_country_code="Canada")
    assert change(user, mobile="1").after == a_user(time_zone="Mars/Olympus", sms_country_code="Canada", mobile="1")


def test_time_zone_can_be_removed():
    assert change(a_user(time_zone="UTC"), time_zone=None).after.time_zone is None


def test_new_user_without_time_zone_gets_the_default_one():
    account = an_account(policies={"defaults_timezone": "America/Toronto"})
    assert create(account).after.time_zone == "America/Toronto"
    assert create(account, time_zone="Europe/Paris").after.time_zone == "Europe/Paris"
    assert create(account, time_zone=None).after.time_zone is None
    assert change(a_user(), account, mobile="1").after.time_zone is None


def test_user_without_time_zone_has_none_by_default():
    assert create().after.time_zone is None


@pytest.mark.parametrize("name", WINDOWS_NAMES)
def test_windows_names_lead_to_real_time_zones(name):
    assert is_time_zone(WINDOWS_NAMES[name])


@pytest.mark.parametrize("code", ["+1", "1", "CA", "ca", "+1684", "", " ", None])
def test_readable_sms_country_code_is_stored_as_sent(code):
    assert create(sms_country_code=code).after.sms_country_code == code


@pytest.mark.parametrize("code", ["+0", "Canada", "+12345", "++1", "C1", "+1\n", "\u0661", "+ 1"])
def test_other_sms_country_codes_are_refused(code):
    with refused("E21", code):
        create(sms_country_code=code)
