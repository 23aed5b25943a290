"""One request while the account's rules decide it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from scim_server.account.effects import Effect
from scim_server.account.model import Facts, Member, Plan
from scim_server.account.policies import Policies

NO_LICENCE: dict[str, Any] = {
    "licence_type": None,
    "licence_activated": False,
    "licence_status": "none",
    "licence_source": None,
    "licence_reason": None,
    "licence_pending_type": None,
    "licence_assigned_at": None,
    "licence_activated_at": None,
    "licence_expires_at": None,
    "activations_used": 0,
}
"""The licence fields of an unlicensed user."""


@dataclass(slots=True)
class Case:
    """What a request found, what it asks, and what the rules have made of it so far."""

    before: Member | None
    asked: Member
    facts: Facts
    was: Member = field(init=False)
    """The user as the request found it; for a creation, a user about whom nothing has been said yet."""
    after: Member = field(init=False)
    effects: list[Effect] = field(default_factory=list)
    transfer_target: Member | None = None

    def __post_init__(self) -> None:
        """Begin with all that is asked, except the licence, which only the rules move."""
        self.was = self.before or Member(id=self.asked.id, user_name="", kind=self.asked.kind)
        licence = {name: getattr(self.was, name) for name in NO_LICENCE}
        self.after = replace(self.asked, **licence)

    def happens(self, *effects: Effect, **changes: Any) -> None:
        """Tell the effects, with what they make of the member."""
        self.effects += effects
        self.after = replace(self.after, **changes)

    def licence_is(self, *effects: Effect, **licence: Any) -> None:
        """Tell the effects, after which the member's licence is this, with nothing left of an earlier one."""
        self.happens(*effects, **NO_LICENCE | licence)

    def ask_for(self, licence_type: str) -> None:
        """Ask for a licence that the request itself does not mention (R4)."""
        self.asked = replace(self.asked, licence_type=licence_type)

    @property
    def plan(self) -> Plan:
        """What the rules have decided."""
        return Plan(self.after, tuple(self.effects), self.transfer_target)

    @property
    def policies(self) -> Policies:
        """What the account has chosen where the rules leave it a choice."""
        return self.facts.policies

    @property
    def deactivates(self) -> bool:
        """Whether the request leaves an active user, or a new one, inactive."""
        return self.was.active and not self.after.active

    @property
    def reactivates(self) -> bool:
        """Whether the request makes an inactive user active."""
        return not self.was.active and self.after.active

    @property
    def transfers(self) -> bool:
        """Whether the request asks to move the licence to another user (R10)."""
        return self.facts.transfer_to is not None

    @property
    def asks_licence(self) -> bool:
        """Whether the request says which licence the user is to have, or that it is to have none (P3, P7)."""
        return "licenseType" in self.facts.asserted or not same_type(self.asked.licence_type, self.was.licence_type)

    @property
    def asks_activation(self) -> bool:
        """Whether the request says that the licence is to be activated, or reset."""
        changed = self.asked.licence_activated != self.was.licence_activated
        return changed or "licenseActivated" in self.facts.asserted

    @property
    def licence_moved(self) -> bool:
        """Whether the rules have changed the user's licence."""
        was, after = self.was, self.after
        return (was.licence_type, was.licence_status) != (after.licence_type, after.licence_status)


Rule = Callable[[Case], None]
"""One sentence of the customer's rules: it lets things happen in the case, or refuses it."""


def is_none(type_sent: str | None) -> bool:
    """Tell whether a licence type as sent says that there is to be no licence (R9)."""
    return type_sent is None or type_sent.lower() == "none"


def same_type(one: str | None, other: str | None) -> bool:
    """Tell whether two spellings name the same licence type, or both none (Q7)."""
    return _key(one) == _key(other)


def _key(type_sent: str | None) -> str | None:
    """Return by what a licence type as sent is found."""
    return None if type_sent is None or is_none(type_sent) else type_sent.lower()
