"""How a licence becomes usable in the user's mail client (R13, R14, R26)."""

from scim_server.account.case import Case
from scim_server.account.effects import LicenceActivated, LicenceReset
from scim_server.account.model import SHARED_MAILBOX
from scim_server.account.refusals import Refused


def asked_activation_activates_the_licence(case: Case) -> None:
    """An administrator can activate another user's licence, in the request that assigns it too (R13)."""
    if case.transfers or not case.asks_activation or not case.asked.licence_activated:
        return
    after = case.after
    if after.licence_type is None:
        raise Refused("R13", "E13")
    if after.licence_activated:
        return
    case.happens(
        LicenceActivated(after.licence_type),
        licence_activated=True,
        licence_activated_at=case.facts.now,
        licence_status="activated" if after.licence_status == "assigned" else after.licence_status,
        activations_used=_one_activation_more(case),
    )


def _one_activation_more(case: Case) -> int:
    """Return how many activations are used with one more, which a shared mailbox licence must allow (R26)."""
    after = case.after
    pool = case.facts.pools.get(after.licence_type or "")
    allowed = pool.activations if pool else None
    if allowed is not None and after.activations_used >= allowed:
        raise Refused("R26", "E25", allowed=allowed)
    return after.activations_used + (after.kind == SHARED_MAILBOX)


def asked_reset_undoes_the_activation(case: Case) -> None:
    """A reset undoes the activation, so that the licence can be activated again; nothing else is lost (R14)."""
    if case.before is None or not case.asks_activation or case.asked.licence_activated:
        return
    after = case.after
    if after.licence_activated or after.activations_used or after.licence_reset_required:
        case.happens(
            LicenceReset(after.licence_type),
            licence_activated=False,
            licence_activated_at=None,
            licence_status="assigned" if after.licence_status == "activated" else after.licence_status,
            licence_reset_required=False,
            activations_used=0,
        )
