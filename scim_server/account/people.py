"""Who a user is in the account: creation, kind, role, being active, deletion (R4, R20-R26)."""

from collections.abc import Iterator

from scim_server.account.case import Case
from scim_server.account.effects import (
    Effect,
    LicenceWithdrawn,
    LogsPurged,
    RoleChanged,
    UserCreated,
    UserDeactivated,
    UserDeleted,
    UserReactivated,
)
from scim_server.account.model import ADMINISTRATOR, SHARED_MAILBOX, STANDARD, Facts, Member
from scim_server.account.refusals import Refused


def user_is_created(case: Case) -> None:
    """A user can be created without a licence: the licence is a second step (R4)."""
    if case.before is None:
        case.happens(UserCreated())


def deleted_address_needs_a_reset(case: Case) -> None:
    """A re-created user's software still holds the dead activation, so that a reset is advised (R23)."""
    if case.before is None and case.facts.was_deleted:
        case.happens(licence_reset_required=True)


def role_is_standard_or_administrator(case: Case) -> None:
    """A user is a standard user or an administrator, changeable (R20)."""
    role = case.after.role.lower()
    if role not in {STANDARD, ADMINISTRATOR}:
        raise Refused("R20", "E19", value=case.after.role)
    case.happens(role=role)
    if role != case.was.role:
        case.happens(RoleChanged(case.was.role, role))


def shared_mailbox_is_nobody(case: Case) -> None:
    """A shared mailbox cannot be administrator, and neither 2FA nor protected returns are offered to it (R26)."""
    after = case.after
    offered_to_people = (
        ("role", "administrator", after.role == ADMINISTRATOR),
        ("twoFactorEnabled", "true", after.two_factor),
        ("smsReturnsEnabled", "true", after.sms_returns),
        ("microsoftReturnsEnabled", "true", after.microsoft_returns),
    )
    for attribute, value, asked in offered_to_people:
        if asked and after.kind == SHARED_MAILBOX:
            raise Refused("R26", "E24", attribute=attribute, value=value, kind=after.kind)


def account_keeps_an_administrator(case: Case) -> None:
    """The account keeps at least one active administrator at all times (R21)."""
    if not case.after.is_active_administrator:
        _keep_an_administrator(case.was, case.facts)


def _keep_an_administrator(leaving: Member, facts: Facts) -> None:
    """Refuse to let the account's only active administrator go (R21)."""
    if leaving.is_active_administrator and facts.active_administrators <= 1:
        raise Refused("R21", "E18", user_name=leaving.user_name)


def user_is_deactivated(case: Case) -> None:
    """A deactivated user stays in the account, which remembers since when (R24)."""
    if case.deactivates:
        case.happens(*([UserDeactivated()] if case.before else []), deactivated_at=case.facts.now)


def user_is_reactivated(case: Case) -> None:
    """A reactivated user is active as if never deactivated (R25)."""
    if case.reactivates:
        case.happens(UserReactivated(), deactivated_at=None)


def last_administrator_is_not_deleted(before: Member, facts: Facts) -> Iterator[Effect]:
    """The account's only active administrator cannot be deleted (R21)."""
    _keep_an_administrator(before, facts)
    return iter(())


def deletion_may_ask_for_deactivation(before: Member, facts: Facts) -> Iterator[Effect]:
    """An account may want its users deactivated before they are deleted (R22)."""
    if before.active and facts.policies.deletion_require_deactivated:
        raise Refused("R22", "E31")
    return iter(())


def deletion_is_irrecoverable(before: Member, facts: Facts) -> Iterator[Effect]:
    """A deleted user is gone for good, with all log entries; the seat returns to the pool (R22)."""
    yield UserDeleted()
    if before.licence_type is not None:
        yield LicenceWithdrawn(before.licence_type, reason="delete")
    yield LogsPurged("delete")
