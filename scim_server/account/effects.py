"""What a request did to the account, in the past tense: the store carries it out, the journal prints it.

Each effect is one line of the journal. ``action`` is its name there; ``seats`` is what it does to the pools.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that happened."""

    action: ClassVar[str] = ""

    @property
    def seats(self) -> tuple[tuple[str, int], ...]:
        """The change of each licence pool's assigned count: ``((type, +1 or -1), ...)``."""
        return ()


@dataclass(frozen=True, slots=True)
class UserCreated(Effect):
    """The user did not exist before (R4)."""

    action = "user.created"


@dataclass(frozen=True, slots=True)
class UserRenamed(Effect):
    """The same person has a new address; everything else was kept (R12)."""

    action = "user.renamed"


@dataclass(frozen=True, slots=True)
class UserDeactivated(Effect):
    """The user may no longer sign in or send (R24)."""

    action = "user.deactivated"


@dataclass(frozen=True, slots=True)
class UserReactivated(Effect):
    """The user may sign in and send again (R25)."""

    action = "user.reactivated"


@dataclass(frozen=True, slots=True)
class UserDeleted(Effect):
    """The user is gone for good (R22)."""

    action = "user.deleted"


@dataclass(frozen=True, slots=True)
class RoleChanged(Effect):
    """The user is an administrator now, or no longer (R20)."""

    action = "role.changed"
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LicenceAssigned(Effect):
    """A seat was taken for a user who had none (R5)."""

    action = "license.assigned"
    type: str
    source: str = "direct"

    @property
    def seats(self) -> tuple[tuple[str, int], ...]:
        return ((self.type, 1),)


@dataclass(frozen=True, slots=True)
class LicenceGranted(LicenceAssigned):
    """A pending or released user got the seat that was waited for (R6, R25)."""

    action = "license.granted"


@dataclass(frozen=True, slots=True)
class LicenceChanged(Effect):
    """The new seat was taken, then the old one returned; every log was kept (R8).

    The type is the same where only the licence's source changed, from direct to a group (R9).
    """

    action = "license.changed"
    before: str
    after: str

    @property
    def seats(self) -> tuple[tuple[str, int], ...]:
        return () if self.before == self.after else ((self.after, 1), (self.before, -1))


@dataclass(frozen=True, slots=True)
class LicenceWithdrawn(Effect):
    """The seat went back to the pool (R9; R22 on deletion)."""

    action = "license.withdrawn"
    type: str
    reason: str = "withdraw"

    @property
    def seats(self) -> tuple[tuple[str, int], ...]:
        return ((self.type, -1),)


@dataclass(frozen=True, slots=True)
class LicenceReleased(LicenceWithdrawn):
    """The seat of a user who is away, or who left a group, went back to the pool, the logs kept (R24, R27, P1)."""

    action = "license.released"
    reason: str = "userInactive"


@dataclass(frozen=True, slots=True)
class LicencePending(Effect):
    """The user waits for a seat, perhaps with a lesser licence in the meantime (R6, R25, R27)."""

    action = "license.pending"
    type: str


@dataclass(frozen=True, slots=True)
class LicencePendingCleared(Effect):
    """The user no longer waits for a seat (R9)."""

    action = "license.pendingCleared"
    type: str


@dataclass(frozen=True, slots=True)
class LicenceConflict(Effect):
    """The user's groups give types that cannot be ranked: the first one stays (R27)."""

    action = "license.conflict"
    type: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LicenceConflictCleared(Effect):
    """The user's groups no longer give types that cannot be ranked (R27)."""

    action = "license.conflictCleared"
    type: str


@dataclass(frozen=True, slots=True)
class LicenceSuspended(Effect):
    """The licence rests with its deactivated user (R24)."""

    action = "license.suspended"
    type: str


@dataclass(frozen=True, slots=True)
class LicenceRestored(Effect):
    """A suspended licence is usable again, without a new activation (R25)."""

    action = "license.restored"
    type: str


@dataclass(frozen=True, slots=True)
class LicenceTransferred(Effect):
    """The licence moved to another user; no seat was needed (R10)."""

    action = "license.transferred"
    type: str
    source_id: str
    target_id: str


@dataclass(frozen=True, slots=True)
class LicenceReceived(Effect):
    """The licence of another user moved to this one; the transfer is told of the other (R10)."""

    action = "license.received"
    type: str
    source_id: str


@dataclass(frozen=True, slots=True)
class LicenceActivated(Effect):
    """The licence is usable in the user's software (R13)."""

    action = "license.activated"
    type: str


@dataclass(frozen=True, slots=True)
class LicenceReset(Effect):
    """The licence can be activated again (R14)."""

    action = "license.reset"
    type: str | None


@dataclass(frozen=True, slots=True)
class LogsPurged(Effect):
    """Every log entry of the member was destroyed (R9, R11, R22); the store adds the count."""

    action = "logs.purged"
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnsDisabled(Effect):
    """Protected returns were switched off because the licence no longer permits them (R18)."""

    action = "security.returns.autoDisabled"
    reason: str


@dataclass(frozen=True, slots=True)
class Switched(Effect):
    """A security setting was switched: ``smsReturns``, ``microsoftReturns`` or ``twoFactor`` (R16, R19)."""

    setting: str
    enabled: bool

    @property
    def action(self) -> str:  # type: ignore[override]  # derived here, a constant in the others
        return f"security.{self.setting}.{'enabled' if self.enabled else 'disabled'}"
