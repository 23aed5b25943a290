"""How a user gets a licence, changes it, loses it, and keeps it through an absence (R4-R9, R24-R27)."""

from scim_server.account.case import Case, is_none, same_type
from scim_server.account.effects import (
    LicenceAssigned,
    LicenceChanged,
    LicenceGranted,
    LicencePending,
    LicencePendingCleared,
    LicenceReleased,
    LicenceRestored,
    LicenceSuspended,
    LicenceWithdrawn,
    LogsPurged,
)
from scim_server.account.model import SHARED_MAILBOX, Pool
from scim_server.account.refusals import Refused

DIRECT = "direct"
GROUP = "group"
SHARED = "shared"
"""The family of the licence types that are made for shared mailboxes (R26)."""


# What is asked


def new_user_gets_the_default_licence(case: Case) -> None:
    """A user created without a licence gets the account's default type, if it has one that suits (R4)."""
    default = case.policies.defaults_licence_type
    if case.before is None and default and not case.asks_licence:
        pool = next((pool for key, pool in case.facts.pools.items() if same_type(key, default)), None)
        if pool is None or suits(pool, case.after.kind):
            case.ask_for(default)


def wanted_type(case: Case) -> str | None:
    """Return the licence type that is asked for, in the account's own spelling; None for no licence (E4, Q7)."""
    sent = case.asked.licence_type
    if is_none(sent):
        return None
    for known in (case.was.licence_type, *case.facts.pools):
        if same_type(known, sent):
            return known
    raise Refused("R5", "E4", value=sent, known=", ".join(case.facts.pools))


def suits(pool: Pool, kind: str) -> bool:
    """Tell whether a licence of this type can be given to a user of this kind (R26)."""
    return (pool.family == SHARED) == (kind == SHARED_MAILBOX)


def licence_suits_the_kind(case: Case) -> None:
    """A shared mailbox needs a licence type of its own, which no person can have (R26)."""
    if not case.asks_licence:
        return
    wanted = wanted_type(case)
    if wanted and wanted != case.was.licence_type and not suits(case.facts.pools[wanted], case.after.kind):
        raise Refused("R26", "E24", attribute="licenseType", value=wanted, kind=case.after.kind)


def group_types(case: Case) -> list[str]:
    """Return the licence types that the user's groups give and that suit the user, the first assigned first (R27)."""
    pools = case.facts.pools
    return [type for type in case.facts.group_types or () if type in pools and suits(pools[type], case.after.kind)]


# What can happen to a licence


def has_free_seat(case: Case, type: str) -> bool:
    """Tell whether the account has a licence of this type to give."""
    pool = case.facts.pools.get(type)
    return pool is not None and pool.available > 0


def give(case: Case, type: str, source: str, awaits: str | None = None) -> None:
    """The user without a licence takes a free seat, perhaps until one of the type that it awaits is free (R5, R27)."""
    waited_for = case.after.licence_pending_type
    if waited_for not in (type, awaits):
        forget(case)
    told = LicenceGranted if waited_for == type else LicenceAssigned
    case.licence_is(
        told(type, source),
        licence_type=type,
        licence_status="assigned",
        licence_source=source,
        licence_assigned_at=case.facts.now,
    )


def obtain(case: Case, type: str, source: str) -> None:
    """The user without a licence gets one, or waits for it where the account prefers that to a refusal (R5, R6)."""
    after, policies = case.after, case.policies
    shortage = policies.licence_shortage_group if source == GROUP else policies.licence_shortage_direct
    waits_already = after.licence_pending_type == type
    if waits_already and after.licence_source:
        source = after.licence_source
    if not after.active and (policies.deactivation_licence_policy == "release" or grace_is_over(case)):
        await_seat(case, type, source, "none", "userInactive")
    elif has_free_seat(case, type):
        give(case, type, source)
    elif shortage == "pend":
        await_seat(case, type, source, "pending", "noSeatAvailable")
    elif not waits_already:
        raise no_seat(case, type)


def no_seat(case: Case, type: str) -> Refused:
    """Return the refusal of a licence of which all are assigned (R6)."""
    pool = case.facts.pools[type]
    return Refused("R6", "E5", type=type, assigned=pool.assigned, total=pool.total)


def await_seat(case: Case, type: str, source: str, status: str, reason: str) -> None:
    """The user without a licence waits for a seat of this type; waiting for it already, it goes on (P5)."""
    if case.after.licence_pending_type == type:
        if status == "pending" and case.after.licence_status == "none":  # remembered while the user was away
            case.happens(LicencePending(type), licence_status=status, licence_reason=reason)
        case.happens(licence_source=source)
        return
    forget(case)
    case.licence_is(
        LicencePending(type),
        licence_status=status,
        licence_source=source,
        licence_reason=reason,
        licence_pending_type=type,
    )


def forget(case: Case) -> None:
    """The user no longer waits for a seat; the one that it may hold in the meantime stays."""
    waited_for = case.after.licence_pending_type
    if waited_for is None:
        return
    told = LicencePendingCleared(waited_for)
    if case.after.holds_seat:
        case.happens(told, licence_pending_type=None, licence_reason=None)
    else:
        case.licence_is(told)


def change(case: Case, type: str, source: str) -> None:
    """The new seat is taken, then the old one is returned; activation, dates, logs stay (R8)."""
    held = case.after.licence_type
    assert held is not None
    if type != held and not has_free_seat(case, type):
        raise no_seat(case, type)
    case.happens(
        LicenceChanged(held, type),
        licence_type=type,
        licence_source=source,
        licence_reason=None,
        licence_pending_type=None,
    )


def release(case: Case) -> None:
    """The absent user's seat goes back to the pool; its type is remembered, its logs are kept (R24, P1)."""
    held, source = case.after.licence_type, case.after.licence_source
    assert held is not None
    case.licence_is(
        LicenceReleased(held), licence_source=source, licence_reason="userInactive", licence_pending_type=held
    )


def withdraw(case: Case) -> None:
    """The seat, or the wish for one, is given up (R9)."""
    held = case.after.licence_type
    if held is None:
        forget(case)
    else:
        case.licence_is(LicenceWithdrawn(held))


# The rules


def asked_type_replaces_the_held_one(case: Case) -> None:
    """Changing the type takes effect at once, up or down, also for a suspended user (R8)."""
    if not case.asks_licence or not case.after.holds_seat:
        return
    wanted = wanted_type(case)
    if wanted is None or wanted == case.after.licence_type:
        return
    if wanted == case.after.licence_pending_type and not has_free_seat(case, wanted):
        return  # the wait goes on (P5)
    if leaves_its_seat(case):
        release(case)
    else:
        change(case, wanted, DIRECT)


def asked_withdrawal_releases_the_licence(case: Case) -> None:
    """Withdrawing releases the licence for reassignment; a group's licence is the group's to take back (R9)."""
    if not case.asks_licence or wanted_type(case) is not None:
        return
    after = case.after
    if not after.holds_seat and not after.licence_pending_type:
        return
    if after.licence_source == GROUP:
        raise Refused("R9", "E12", name=case.facts.licence_group or "")
    if group_types(case):
        return  # another type takes its place, the logs kept: group_gives_the_licence
    withdraw(case)
    if after.holds_seat and case.policies.withdrawal_log_policy == "purge":
        case.happens(LogsPurged("withdraw"))


def asked_licence_is_assigned(case: Case) -> None:
    """A licence is assigned only from the account's available licences (R5, R6)."""
    if case.transfers or not case.asks_licence or case.after.holds_seat:
        return
    if wanted := wanted_type(case):
        obtain(case, wanted, DIRECT)


def leaves_its_seat(case: Case) -> bool:
    """Tell whether a deactivation gives the user's seat back to the pool (R24)."""
    return case.deactivates and case.policies.deactivation_licence_policy == "release"


def grace_is_over(case: Case) -> bool:
    """Tell whether the user is away for longer than the account lets an absent user keep a seat (R24)."""
    after, policies = case.after, case.policies
    if after.active or after.deactivated_at is None or policies.deactivation_licence_policy != "releaseAfterGrace":
        return False
    return after.deactivated_at + policies.grace <= case.facts.now


def licence_of_inactive_user_rests(case: Case) -> None:
    """A deactivated user's licence is suspended, or released where the account prefers that (R24)."""
    after = case.after
    if after.active or not after.holds_seat:
        return
    if leaves_its_seat(case):
        release(case)
    elif after.licence_type and after.licence_status in {"assigned", "activated"}:
        case.happens(LicenceSuspended(after.licence_type), licence_status="suspended")


def licence_of_reactivated_user_returns(case: Case) -> None:
    """A reactivated user has its licence again, or waits for it where no seat is left (R25)."""
    if not case.reactivates:
        return
    after, waited_for = case.after, case.after.licence_pending_type
    restores = case.policies.reactivation_restore_licence or case.asks_licence
    if after.licence_status == "suspended" and after.licence_type:
        status = "assigned" if after.licence_activated_at is None else "activated"
        case.happens(LicenceRestored(after.licence_type), licence_status=status)
    elif after.licence_source == GROUP and case.facts.group_types is not None:
        return  # what the groups give now counts, not what they gave: groups_give_the_licence
    elif waited_for and after.licence_status == "none" and not restores:
        forget(case)
    elif waited_for and has_free_seat(case, waited_for):
        give(case, waited_for, after.licence_source or DIRECT)
    elif waited_for and after.licence_status == "none":
        await_seat(case, waited_for, after.licence_source or DIRECT, "pending", "noSeatAvailable")
