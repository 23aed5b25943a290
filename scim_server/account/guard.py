"""The guard of an account: what takes much from many in a short while waits for an administrator.

It counts four kinds of changes that come over SCIM. The one that would exceed a threshold is held, and from then on
every guarded change of the account, until an administrator has approved or rejected. Times are microseconds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from scim_server.account.effects import Effect, LicenceWithdrawn, UserDeactivated, UserDeleted
from scim_server.account.policies import Policies
from scim_server.account.thresholds import Threshold, threshold

KINDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "deactivations": ("guard_deactivations", "users", "users deactivated"),
        "deletions": ("guard_deletions", "users", "users deleted"),
        "licenseWithdrawals": ("guard_licence_withdrawals", "users", "licences withdrawn"),
        "groupClears": ("guard_group_clears", "groups", "groups emptied"),
    }
)
"""Each kind of guarded changes: the policy with its threshold, what a percentage is one of, and the words for it."""
UNGUARDED: Mapping[str, str] = MappingProxyType({f"guard.{kind}": "off" for kind in KINDS})
"""The policies of an account that has no guard."""
MINUTE = 60_000_000
PARTS = 60
"""In so many parts a window is counted: what happened is forgotten by parts of it, never early."""
SIZE_HOLDS = 10 * MINUTE
"""How long the size of an account is gone by, once counted."""
NOTED = 50
"""How many of those who were held back are remembered."""
_TO_BE_CLEARED = 10
"""In a group of so many a request that takes more than half of them empties it, too."""


@dataclass(frozen=True, slots=True)
class Trip:
    """Why changes are held: the change that was one too many."""

    kind: str
    number: int
    """How many there would have been within the window."""
    limit: int
    since: int
    connection_id: str


@dataclass(frozen=True, slots=True)
class Watch:
    """What the guard of one account has seen, and what an administrator has decided."""

    counted: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    """By kind: the beginning of a part of a window, and how many there were in it."""
    sizes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """How many users or groups there were, and when they were counted."""
    trip: Trip | None = None
    held: Mapping[str, int] = field(default_factory=dict)
    """How many requests were held since the trip, by the id of the connection."""
    targets: Sequence[Sequence[str]] = ()
    """Those whose change was held, each a resource type and an id; not all where there are many."""
    open_until: int | None = None
    """Until when an administrator has let changes through."""
    open_for: int | None = None
    """How many of them yet; None for any number."""

    def is_open(self, losses: Mapping[str, int], now: int) -> bool:
        """Whether an administrator has let changes like these through."""
        if self.open_until is None or now >= self.open_until:
            return False
        return self.open_for is None or sum(losses.values()) <= self.open_for


class Held(Exception):
    """The guard holds a change back until an administrator has decided."""

    def __init__(self, trip: Trip, losses: Mapping[str, int]) -> None:
        super().__init__(trip)
        self.trip, self.losses = trip, losses


def losses(effects: Iterable[Effect], policies: Policies, cleared: int = 0) -> dict[str, int]:
    """Return how many guarded changes of each kind there are among effects, beside so many emptied groups.

    A licence that goes with its user, or rests or is released with a deactivated one, is counted as that.
    """
    counted = Counter(kind for effect in effects if (kind := _kind(effect)))
    if cleared:
        counted["groupClears"] += cleared
    return {kind: number for kind, number in counted.items() if _threshold(policies, kind) is not None}


def _kind(effect: Effect) -> str | None:
    if isinstance(effect, UserDeactivated):
        return "deactivations"
    if isinstance(effect, UserDeleted):
        return "deletions"
    is_own = isinstance(effect, LicenceWithdrawn) and effect.reason not in ("delete", "userInactive")
    return "licenseWithdrawals" if is_own else None


def is_cleared(before: int, removed: int) -> bool:
    """Whether a group of so many members is emptied by a removal of so many: of all, or of most of a larger one."""
    return removed > 0 and (removed >= before or (before >= _TO_BE_CLEARED and removed * 2 > before))


def counted(watch: Watch, kind: str, policies: Policies, now: int) -> int:
    """Return how many changes of a kind there were within the window."""
    since = now - policies.guard_window * MINUTE - _part(policies)
    return sum(number for begun, number in watch.counted.get(kind, ()) if begun > since)


def in_doubt(watch: Watch, losses: Mapping[str, int], policies: Policies, now: int) -> frozenset[str]:
    """Return what must be counted anew to know a limit: ``users``, ``groups``, or nothing."""
    asked = set()
    for kind, number in losses.items():
        allowed, of = _threshold(policies, kind), KINDS[kind][1]
        known = watch.sizes.get(of)
        is_fresh = known is not None and now - known[1] < SIZE_HOLDS
        if allowed is None or not allowed.depends_on_size or is_fresh:
            continue
        if counted(watch, kind, policies, now) + number > allowed.least:
            asked.add(of)
    return frozenset(asked)


def sized(watch: Watch, of: str, size: int, now: int) -> Watch:
    """Return the guard with a size of the account that was counted now."""
    return replace(watch, sizes={**watch.sizes, of: (size, now)})


def admit(watch: Watch, losses: Mapping[str, int], policies: Policies, connection_id: str, now: int) -> Watch:
    """Count changes that are within the thresholds, or that an administrator has let through; raises Held."""
    if watch.is_open(losses, now):
        left = None if watch.open_for is None else watch.open_for - sum(losses.values())
        return replace(watch, open_for=left)
    if watch.trip is not None:
        raise Held(watch.trip, losses)
    for kind, number in losses.items():
        limit = limit_of(watch, kind, policies)
        total = counted(watch, kind, policies, now) + number
        if limit is not None and total > limit:
            raise Held(Trip(kind, total, limit, now, connection_id), losses)
    added = {kind: _added(watch.counted.get(kind, ()), number, policies, now) for kind, number in losses.items()}
    return replace(watch, counted={**watch.counted, **added})


def limit_of(watch: Watch, kind: str, policies: Policies) -> int | None:
    """Return how many changes of a kind are allowed within the window; None where they are not guarded."""
    allowed = _threshold(policies, kind)
    size = watch.sizes.get(KINDS[kind][1], (0,))[0]
    return None if allowed is None else allowed.limit(size)


def tripped(watch: Watch, held: Held, target: Sequence[str], connection_id: str, now: int) -> Watch:
    """Note a held change; the first one trips the guard. Nothing where an administrator was faster."""
    if watch.is_open(held.losses, now):
        return watch
    told = [*watch.targets, target] if target not in watch.targets and len(watch.targets) < NOTED else watch.targets
    by_connection = {**watch.held, connection_id: watch.held.get(connection_id, 0) + 1}
    trip = watch.trip or held.trip
    return replace(watch, trip=trip, held=by_connection, targets=told, open_until=None, open_for=None)


def approved(until: int, changes: int | None) -> Watch:
    """Return a guard that lets changes through: until a time, any number of them or so many."""
    return Watch(open_until=until, open_for=changes)


def told(trip: Trip, policies: Policies) -> str:
    """Return why changes are held, in words."""
    _, _, words = KINDS[trip.kind]
    return (
        f"{trip.number} {words} within {policies.guard_window} minutes would be more than the {trip.limit} "
        f"that the account's policy guard.{trip.kind} allows"
    )


def _added(parts: Sequence[Sequence[int]], number: int, policies: Policies, now: int) -> list[Sequence[int]]:
    """Return the counted parts with a number added to that of now, without those that are past."""
    begun = now - now % _part(policies)
    since = now - policies.guard_window * MINUTE - _part(policies)
    kept = [one for one in parts if since < one[0] != begun]
    return [*kept, (begun, number + sum(one[1] for one in parts if one[0] == begun))]


def _part(policies: Policies) -> int:
    return policies.guard_window * MINUTE // PARTS


def _threshold(policies: Policies, kind: str) -> Threshold | None:
    return threshold(getattr(policies, KINDS[kind][0]))
