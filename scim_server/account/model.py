"""What the account's rules may know, and what they may decide: plain values, no I/O, no clock.

Times are integers: microseconds since 1970-01-01T00:00:00Z.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from scim_server.account.effects import Effect
from scim_server.account.policies import Policies

PERSON = "person"
SHARED_MAILBOX = "sharedMailbox"
STANDARD = "standard"
ADMINISTRATOR = "administrator"
SEATED = frozenset({"assigned", "activated", "suspended", "expired"})
"""The licence statuses in which a seat of the pool is used (rules.md 2.0)."""


@dataclass(frozen=True, slots=True)
class Member:
    """What the account's rules may know of one user.

    In the ``after`` of a decision the fields say what the request asks for; the licence fields below
    ``licence_activated`` are the account's own and come out of the decision.
    """

    id: str
    user_name: str
    kind: str = PERSON
    active: bool = True
    role: str = STANDARD
    work_addresses: tuple[str, ...] = ()
    """The primary e-mail and those of type work: the ones whose domain must be approved (R2)."""
    mobile: str | None = None
    sms_country_code: str | None = None
    time_zone: str | None = None
    two_factor: bool = False
    sms_returns: bool = False
    microsoft_returns: bool = False
    licence_type: str | None = None
    licence_activated: bool = False
    licence_status: str = "none"
    licence_source: str | None = None
    licence_reason: str | None = None
    licence_pending_type: str | None = None
    licence_assigned_at: int | None = None
    licence_activated_at: int | None = None
    licence_expires_at: int | None = None
    licence_reset_required: bool = False
    activations_used: int = 0
    deactivated_at: int | None = None

    @property
    def holds_seat(self) -> bool:
        """Whether one seat of the pool of ``licence_type`` is used by this member."""
        return self.licence_status in SEATED

    @property
    def waits(self) -> bool:
        """Whether the member waits for a seat, with no licence or with a lesser one in the meantime (R6, R27)."""
        return self.licence_pending_type is not None and self.licence_reason != "userInactive"

    @property
    def is_active_administrator(self) -> bool:
        """Whether the member counts for the last-administrator rule (R21)."""
        return self.active and self.role == ADMINISTRATOR and self.kind == PERSON


@dataclass(frozen=True, slots=True)
class Pool:
    """One licence type of the account: how many are bought, how many assigned, what the type can do."""

    type: str
    total: int
    assigned: int
    family: str = "personal"
    tier: int | None = None
    protected_returns: bool = False
    activations: int | None = None
    """How many activations one licence of this type allows; None where activations are not counted."""

    @property
    def available(self) -> int:
        """How many licences of this type can still be assigned."""
        return self.total - self.assigned


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of the account while a request is decided."""

    now: int
    policies: Policies = field(default_factory=Policies)
    pools: Mapping[str, Pool] = field(default_factory=lambda: MappingProxyType({}))
    """The account's licence types by their key, in the order in which they are shown."""
    approved_domains: frozenset[str] = frozenset()
    """Those of the domains in question that are approved, folded and IDNA-encoded."""
    active_administrators: int = 0
    asserted: frozenset[str] = frozenset()
    """The attributes that the request asserts (P7), by their names in rules.md 4: ``licenseType``, ``active`` ..."""
    transfer_to: "Member | str | None" = None
    """The target of ``licenseTransferTo``: a member, or the value sent where no member has it."""
    was_deleted: bool = False
    """Whether an earlier user of this address was deleted (R23)."""
    group_types: tuple[str, ...] | None = None
    """The licence types that the member's groups give, the first assigned first (R27); None where nobody asked."""
    licence_group: str | None = None
    """The displayName of the group that the member's licence comes from (E12)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request does to the account: the member as it will be, and what happened on the way."""

    after: Member | None
    effects: tuple[Effect, ...] = ()
    transfer_target: Member | None = None
    """The receiving member of a transfer as it will be."""
