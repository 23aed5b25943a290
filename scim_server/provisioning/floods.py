"""Refusals that come by the hundred, told to the journal once in a while with their number.

A request too many costs the journal nothing but a part of one entry: the first of a sort is told at once, and then
one in `PAUSE` seconds tells how many there were since. What a worker has counted since its last entry is told with the
next refusal of the sort.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic

from scim_server.provisioning.using import record_refusal
from scim_server.store.database import Database
from scim_server.store.journal import Actor, Entry

PAUSE = 60.0
"""Seconds between two entries of a worker about one connection and one sort of refusal."""
MOST = 10_000
"""Sorts that a worker remembers."""


class Floods:
    """What one worker has refused and not yet told."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._told: dict[tuple[str, str, str], tuple[float, int]] = {}

    def count(self, key: tuple[str, str, str]) -> int:
        """Count a refusal; returns how many are to be told now, or 0."""
        with self._lock:
            if len(self._told) > MOST:
                self._told.clear()
            at = self._clock()
            last, waiting = self._told.get(key, (at - PAUSE, 0))
            is_due = at - last >= PAUSE
            self._told[key] = (at, 0) if is_due else (last, waiting + 1)
            return waiting + 1 if is_due else 0


def tell(
    database: Database, floods: Floods, account_id: str, connection_id: str, actor: Actor, status: int, why: str
) -> None:
    """Have the journal know, in a while, that requests of a connection were refused; ``why`` stands for their sort."""
    number = floods.count((account_id, connection_id, f"{status} {why[:40]}"))
    if not number:
        return
    name = actor.name if actor.type == "scimToken" else None
    told = [{"attribute": "requests", "to": number}]
    entry = Entry("request.refused", "refused", "Connection", connection_id, name, told, status=status, detail=why)
    record_refusal(database, account_id, actor, entry)
