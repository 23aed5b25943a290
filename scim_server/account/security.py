"""Protected returns and two-factor authentication: what each needs, and what switches it off (R16-R19)."""

import re
from collections.abc import Iterator

from scim_server.account.case import Case
from scim_server.account.effects import (
    Effect,
    LicenceChanged,
    LicenceTransferred,
    LicenceWithdrawn,
    ReturnsDisabled,
    Switched,
)
from scim_server.account.model import Member
from scim_server.account.refusals import Refused

RETURNS = (
    ("sms_returns", "smsReturnsEnabled", "E14"),
    ("microsoft_returns", "microsoftReturnsEnabled", "E30"),
)
"""The two methods of protected returns: the field, its attribute, the refusal where the licence is not Pro."""

SWITCHES = (("sms_returns", "smsReturns"), ("microsoft_returns", "microsoftReturns"), ("two_factor", "twoFactor"))
"""The security settings, with their names in the journal."""

LOSSES: tuple[tuple[type[Effect], str], ...] = ((LicenceTransferred, "transfer"), (LicenceChanged, "downgrade"))
"""The ways in which a user loses Pro without the seat becoming free, as the journal names them (R18)."""

SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+")
NUMBER = re.compile(r"\+?[0-9]{3,15}")
INTERNATIONAL_NUMBER = re.compile(r"\+[1-9][0-9]{5,14}")


def may_protect_returns(case: Case) -> bool:
    """Tell whether the user's licence is one with which returns can be protected (R16)."""
    after = case.after
    pool = case.facts.pools.get(after.licence_type or "")
    usable = after.licence_status in {"assigned", "activated", "suspended"}
    return usable and pool is not None and pool.protected_returns


def losing_pro_switches_returns_off(case: Case) -> None:
    """Losing Pro switches protected returns off, unless the request itself insists on them (R18)."""
    if not case.licence_moved or may_protect_returns(case):
        return
    kept = [field for field, attribute, _ in RETURNS if attribute not in case.facts.asserted]
    lost = [field for field in kept if getattr(case.was, field) and getattr(case.after, field)]
    if lost:
        case.happens(ReturnsDisabled(_loss(case)), **dict.fromkeys(lost, False))


def _loss(case: Case) -> str:
    """Return how the user lost Pro: what freed the seat says why."""
    for effect in case.effects:
        if isinstance(effect, LicenceWithdrawn):
            return effect.reason
        for kind, reason in LOSSES:
            if isinstance(effect, kind):
                return reason
    return "notPermitted"


def security_settings_have_what_they_need(case: Case) -> None:
    """Protected returns need a Pro licence, those by SMS a mobile and its country code, 2FA a mobile (R16-R19).

    All that is missing is told at once.
    """
    missing = [*_no_pro(case), *_no_sms_for_returns(case), *_no_sms_for_two_factor(case)]
    if missing:
        first, *others = missing
        for other in others:
            first.and_also(other)
        raise first


def _no_pro(case: Case) -> Iterator[Refused]:
    """Protected returns need a Pro licence (R16)."""
    for field, _, error in RETURNS:
        judged = case.licence_moved or not getattr(case.was, field)
        if getattr(case.after, field) and judged and not may_protect_returns(case):
            yield Refused("R16", error, type=case.after.licence_type or "none")


def _no_sms_for_returns(case: Case) -> Iterator[Refused]:
    """Protected returns by SMS need a mobile number and an SMS country code (R17)."""
    if not case.after.sms_returns:
        return
    if not has_mobile(case.after) and _is_judged(case, case.was.sms_returns, has_mobile(case.was)):
        yield Refused("R17", "E15")
    if not has_country(case.after) and _is_judged(case, case.was.sms_returns, has_country(case.was)):
        yield Refused("R17", "E16")


def _no_sms_for_two_factor(case: Case) -> Iterator[Refused]:
    """2FA needs a mobile number that can receive an SMS (R19)."""
    if not case.after.two_factor or can_receive_sms(case.after):
        return
    if _is_judged(case, case.was.two_factor, can_receive_sms(case.was)):
        yield Refused("R19", "E17")


def _is_judged(case: Case, was_on: bool, was_reachable: bool) -> bool:
    """Tell whether a setting must have what it needs (R17, R19).

    It must when it is switched on or its user reactivated; later a need once met may lapse for inactive users only.
    """
    return not was_on or (case.after.active and (was_reachable or case.reactivates))


def switches_are_told(case: Case) -> None:
    """Every security setting that the request switches is recorded (R16, R19)."""
    for field, setting in SWITCHES:
        asked = getattr(case.asked, field)
        if asked != getattr(case.was, field):
            case.happens(Switched(setting, asked))


def _number(mobile: str | None) -> str:
    """Return the mobile number without the separators that people write; empty where there is none."""
    bare = (mobile or "").strip().lower().removeprefix("tel:").partition(";")[0]
    return SEPARATORS.sub("", bare)


def has_mobile(member: Member) -> bool:
    """Tell whether the user has a mobile phone number."""
    return bool(NUMBER.fullmatch(_number(member.mobile)))


def has_country(member: Member) -> bool:
    """Tell whether the user has an SMS country code."""
    return bool((member.sms_country_code or "").strip())


def can_receive_sms(member: Member) -> bool:
    """Tell whether an SMS finds the user: an international number, or a national one with its country (R19, Q12)."""
    international = INTERNATIONAL_NUMBER.fullmatch(_number(member.mobile))
    return bool(international) or (has_mobile(member) and has_country(member))
