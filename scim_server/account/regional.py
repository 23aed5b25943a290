"""What a time zone and an SMS country code may be (R15)."""

import re

from scim_server.account.case import Case
from scim_server.account.refusals import Refused
from scim_server.account.time_zones import is_time_zone, meant_time_zone

COUNTRY_CODE = re.compile(r"\+?[1-9][0-9]{0,3}|[A-Za-z]{2}")


def time_zone_is_iana(case: Case) -> None:
    """A time zone is an IANA name (R15)."""
    name = case.after.time_zone
    if name is None or name == case.was.time_zone or case.policies.timezone_enforcement == "off":
        return
    if not is_time_zone(name):
        meant = meant_time_zone(name)
        raise Refused("R15", "E20", value=name, hint=f"Use '{meant}'." if meant else "")


def new_user_has_the_default_time_zone(case: Case) -> None:
    """A user created without a time zone has the account's default one, if there is one (R15)."""
    if case.before is None and case.after.time_zone is None and "timezone" not in case.facts.asserted:
        case.happens(time_zone=case.policies.defaults_timezone)


def sms_country_code_is_readable(case: Case) -> None:
    """An SMS country code is an international prefix or a two-letter country code (R15, Q11)."""
    code = case.after.sms_country_code
    if not code or not code.strip() or code == case.was.sms_country_code:
        return
    if not COUNTRY_CODE.fullmatch(code):
        raise Refused("R15", "E21", value=code)
