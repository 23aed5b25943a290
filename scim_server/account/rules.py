"""The account's rules, in the order in which they are asked (rules.md 2.3): facts in, effects out."""

from collections.abc import Callable, Iterator

from scim_server.account import activation, addresses, group_licences, licences, people, regional, security, transfers
from scim_server.account.addresses import domain_of, domains_in_question
from scim_server.account.case import Case, Rule, same_type
from scim_server.account.effects import Effect
from scim_server.account.group_licences import type_to_give
from scim_server.account.model import STANDARD, Facts, Member, Plan
from scim_server.account.policies import Policies

__all__ = [
    "DELETION_RULES",
    "RULES",
    "decide",
    "domain_of",
    "domains_in_question",
    "follow_groups",
    "grant",
    "release_after_grace",
    "touches_account",
    "type_to_give",
]

RULES: tuple[Rule, ...] = (
    people.user_is_created,  # R4
    people.deleted_address_needs_a_reset,  # R23
    addresses.domain_is_approved,  # R2
    addresses.new_address_keeps_everything,  # R12
    regional.time_zone_is_iana,  # R15
    regional.new_user_has_the_default_time_zone,  # R15
    regional.sms_country_code_is_readable,  # R15
    people.role_is_standard_or_administrator,  # R20
    people.account_keeps_an_administrator,  # R21
    licences.new_user_gets_the_default_licence,  # R4
    people.shared_mailbox_is_nobody,  # R26
    licences.licence_suits_the_kind,  # R26
    people.user_is_deactivated,  # R24
    people.user_is_reactivated,  # R25
    transfers.asked_transfer_moves_the_licence,  # R10, R11
    licences.asked_type_replaces_the_held_one,  # R8
    licences.asked_withdrawal_releases_the_licence,  # R9
    licences.asked_licence_is_assigned,  # R5, R6
    licences.licence_of_inactive_user_rests,  # R24, on the resulting licence
    licences.licence_of_reactivated_user_returns,  # R25, on the resulting licence
    group_licences.groups_give_the_licence,  # R9, R25, R27
    activation.asked_activation_activates_the_licence,  # R13
    activation.asked_reset_undoes_the_activation,  # R14
    security.losing_pro_switches_returns_off,  # R18
    security.security_settings_have_what_they_need,  # R16, R17, R19
    security.switches_are_told,  # R16, R19
)
"""What is asked of a creation or a change. R3 is the database's, which alone can know that a name is taken."""

DELETION_RULES: tuple[Callable[[Member, Facts], Iterator[Effect]], ...] = (
    people.last_administrator_is_not_deleted,  # R21
    people.deletion_may_ask_for_deactivation,  # R22
    people.deletion_is_irrecoverable,  # R22
)
"""What is asked of a deletion."""


def decide(before: Member | None, after: Member | None, facts: Facts) -> Plan:
    """Decide what the request does to the account, or raise Refused; None means absence."""
    if after is not None:
        case = Case(before, after, facts)
        for rule in RULES:
            rule(case)
        return case.plan
    if before is None:
        return Plan(None)
    return Plan(None, tuple(effect for rule in DELETION_RULES for effect in rule(before, facts)))


def grant(waiting: Member, facts: Facts) -> Plan:
    """Decide what a free seat does for a user who waits: an active one gets it (R6)."""
    case = Case(waiting, waiting, facts)
    wanted = waiting.licence_pending_type
    if waiting.active and waiting.waits and wanted and licences.has_free_seat(case, wanted):
        if waiting.holds_seat:
            licences.change(case, wanted, waiting.licence_source or licences.DIRECT)
        else:
            licences.give(case, wanted, waiting.licence_source or licences.DIRECT)
        security.losing_pro_switches_returns_off(case)
    return case.plan


def follow_groups(member: Member, facts: Facts, *, may_refuse: bool) -> Plan:
    """Decide what a change of the groups, or of what they give, does to one user: a direct licence wins (R27).

    ``may_refuse`` where the request adds a membership or a type, which the account may prefer to refuse (E5).
    """
    case = Case(member, member, facts)
    if member.licence_source != licences.DIRECT:
        group_licences.follow(case, may_refuse=may_refuse)
        security.losing_pro_switches_returns_off(case)
    return case.plan


def release_after_grace(absent: Member, facts: Facts) -> Plan:
    """Decide what the passing of time does to an inactive user's seat: after the days of grace it is free (R24)."""
    case = Case(absent, absent, facts)
    if licences.grace_is_over(case) and absent.holds_seat:
        licences.release(case)
        security.losing_pro_switches_returns_off(case)
    return case.plan


def touches_account(before: Member | None, after: Member, asserted: frozenset[str], policies: Policies) -> bool:
    """Tell whether deciding needs the account's lock, its pools, its administrators; a pure profile change does not."""
    if before is None:
        licensed = "licenseType" in asserted or after.licence_type is not None or policies.defaults_licence_type
        return bool(licensed) or after.role.lower() != STANDARD or "licenseTransferTo" in asserted
    return (
        after.active != before.active
        or after.kind != before.kind
        or after.role.lower() != before.role
        or _asks_licence(before, after, asserted)
        or (after.sms_returns and not before.sms_returns)
        or (after.microsoft_returns and not before.microsoft_returns)
    )


def _asks_licence(before: Member, after: Member, asserted: frozenset[str]) -> bool:
    """Tell whether the request asks for something to happen to the user's licence."""
    wish_again = "licenseType" in asserted and before.licence_pending_type is not None
    changed = not same_type(before.licence_type, after.licence_type)
    activation = after.licence_activated != before.licence_activated
    return wish_again or changed or activation or "licenseTransferTo" in asserted
