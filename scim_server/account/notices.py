"""What the users are to be told of their licences: each notice is one message to one user (R35, R13)."""

from collections.abc import Iterator
from dataclasses import dataclass

from scim_server.account.effects import LicenceActivated, LicenceAssigned, LicenceTransferred
from scim_server.account.model import Plan

ASSIGNED = "licenseAssigned"
"""The user has a licence now, and installs and activates it next (R35)."""
ACTIVATED = "licenseActivated"
"""An administrator has activated the licence that the user had already (R13)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that one user is to be told."""

    kind: str
    user_id: str
    licence_type: str


def notices_of(plan: Plan) -> tuple[Notice, ...]:
    """Return what a plan gives reason to tell.

    Nothing is told of a change of type, of waiting for a seat, nor of a licence that comes back with its user.
    """
    assigned = tuple(_assignments(plan))
    return assigned or tuple(_activations(plan))


def _assignments(plan: Plan) -> Iterator[Notice]:
    """Tell who has a licence that it did not have before, who else if not the user is the target of a transfer."""
    for effect in plan.effects:
        if isinstance(effect, LicenceAssigned) and plan.after is not None:
            yield Notice(ASSIGNED, plan.after.id, effect.type)
        elif isinstance(effect, LicenceTransferred) and plan.transfer_target is not None:
            yield Notice(ASSIGNED, plan.transfer_target.id, effect.type)


def _activations(plan: Plan) -> Iterator[Notice]:
    """Tell whose licence was activated by an administrator."""
    for effect in plan.effects:
        if isinstance(effect, LicenceActivated) and plan.after is not None:
            yield Notice(ACTIVATED, plan.after.id, effect.type)
