"""Who comes to a group and who leaves it: rows of memberships, whatever the size of the group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from scim2_models import PayloadTooLargeException

from scim_server.account.refusals import Refused
from scim_server.protocol.selections import MemberChange
from scim_server.provisioning.caller import Caller, Service
from scim_server.provisioning.changes import Change, masked_name
from scim_server.store import memberships

TOLD = 50
"""How many members an entry of the journal names."""


@dataclass(slots=True)
class Moved:
    """What became of the members that a request named; who came and left again has done neither."""

    came: dict[str, None] = field(default_factory=dict)
    """In the order of the request: seats are given in it (R27)."""
    left: dict[str, None] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        """How many are members who were not."""
        return len(self.came)

    @property
    def removed(self) -> int:
        """How many are no longer members."""
        return len(self.left)

    def add(self, ids: Iterable[str]) -> None:
        """Note who became a member."""
        _move(ids, self.left, self.came)

    def remove(self, ids: Iterable[str]) -> None:
        """Note who is a member no more."""
        _move(ids, self.came, self.left)

    @property
    def changes(self) -> list[Change]:
        """The journal's words for it: how many, and who, as far as an entry goes."""
        told: list[Change] = []
        if self.came or self.left:
            counts = {"added": self.added, "removed": self.removed}
            told.append({"attribute": "members", **counts, "from": _some(self.left), "to": _some(self.came)})
        if self.skipped:
            told.append({"attribute": "members", "skipped": [unnamed(one) for one in self.skipped[:TOLD]]})
        return told


def _some(ids: Iterable[str]) -> list[str]:
    return list(islice(ids, TOLD))


def unnamed(value: str) -> str:
    """Return a value sent for an id without the address that it may be: the journal outlives the user (R29)."""
    return masked_name(value, "masked") or "" if "@" in value else value


def _move(ids: Iterable[str], undone: dict[str, None], done: dict[str, None]) -> None:
    for one in ids:
        if one in undone:
            del undone[one]
        else:
            done[one] = None


def move(caller: Caller, group_id: str, changes: Sequence[MemberChange], known: frozenset[str], now: int) -> Moved:
    """Carry out the changes of members in the order sent; only the named rows are touched."""
    moved = Moved()
    for change in changes:
        ids = [one for one in change.ids if one in known]
        if change.op == "remove":
            moved.remove(memberships.remove(caller.account_id, group_id, change.ids))
            continue
        if change.op == "replace":
            gone = set(memberships.ids(caller.account_id, group_id)) - set(ids)
            moved.remove(memberships.remove(caller.account_id, group_id, gone))
        new = set(memberships.add(caller.account_id, group_id, ids, now))
        moved.add(one for one in ids if one in new)
    return moved


def known_members(caller: Caller, ids: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the ids that are users of the account, in the order sent, and the others (A-33, E28).

    The others are skipped while at least one is known, so that one user who is gone does not cost a whole push;
    the strict profile refuses.
    """
    if not ids:
        return [], ()
    found = memberships.lock_users(caller.account_id, ids)
    unknown = tuple(dict.fromkeys(one for one in ids if one not in found))
    if unknown and (not found or caller.profile.unknown_members == "refuse"):
        raise Refused("R27", "E28", value=unknown[0][:100])
    return [one for one in ids if one in found], unknown


def limited(service: Service, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids if one request may name so many members; raises 413."""
    if len(ids) > service.limits.members:
        raise PayloadTooLargeException(
            detail=f"{len(ids)} members in one request; at most {service.limits.members} are taken, send them in parts"
        )
    return ids
