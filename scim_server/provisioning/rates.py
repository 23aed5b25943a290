"""How fast requests may come: token buckets, shared between the workers of PostgreSQL (LIM-01).

A worker does not ask the database with every request. It takes a few tokens at a time, a tenth of what is allowed in a
second, and spends those first. A token that was taken is gone from the bucket, so that no more requests are let through
in the long run than the rate; what the workers hold unspent may come on top of a burst: at most a tenth of a second's
requests for each worker.
"""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from scim_server.store import rates
from scim_server.store.database import Database, OutOfTime
from scim_server.store.rates import Taken

log = logging.getLogger("scim_server")

MOST_KEPT = 10_000
"""Buckets and leases that a worker remembers; those that were forgotten are full, or empty."""


class Buckets:
    """The buckets of one worker, by whatever they are for."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._lock = Lock()
        self._kept: dict[Hashable, tuple[float, float]] = {}

    def take(self, key: Hashable, most: int = 1) -> Taken:
        """Take at most so many tokens from a bucket."""
        with self._lock:
            tokens, at = self._filled(key)
            granted = min(most, int(tokens))
            self._kept[key] = (tokens - granted, at)
        return Taken(granted, 0.0 if granted else (1 - tokens) / self._per_second)

    def wait(self, key: Hashable) -> float:
        """Return the seconds until there is a token, which is left where it is."""
        with self._lock:
            tokens, _ = self._filled(key)
        return max(0.0, (1 - tokens) / self._per_second)

    def _filled(self, key: Hashable) -> tuple[float, float]:
        at = self._clock()
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        tokens, last = self._kept.get(key, (float(self._burst), at))
        return min(float(self._burst), tokens + (at - last) * self._per_second), at


@dataclass(slots=True)
class _Lease:
    """What a worker may still spend of a connection's tokens, or until when it need not ask for more."""

    left: int = 0
    shut: float = 0.0


class Rates:
    """The rate of each connection, as one worker holds them to it."""

    def __init__(self, database: Database, per_second: int, burst: int, clock: Callable[[], float] = monotonic) -> None:
        self._database, self._per_second, self._burst, self._clock = database, per_second, burst, clock
        self._lease = max(1, min(per_second, burst) // 10)
        self._own = Buckets(per_second, burst, clock) if database.dialect == "sqlite" else None
        self._lock = Lock()
        self._leases: dict[tuple[str, str], _Lease] = {}

    def wait(self, account_id: str, connection_id: str) -> float:
        """Return 0 where the connection may have a request answered now, else the seconds it has to wait."""
        if self._own is not None:
            return self._own.take((account_id, connection_id)).wait
        with self._lock:
            if len(self._leases) > MOST_KEPT:
                self._leases.clear()
            lease = self._leases.setdefault((account_id, connection_id), _Lease())
            if lease.left:
                lease.left -= 1
                return 0.0
            if (shut := lease.shut - self._clock()) > 0:
                return shut
        taken = self._taken(account_id, connection_id)
        with self._lock:
            if taken.granted:
                lease.left += taken.granted - 1
                return 0.0
            # So that a flood asks the database ten times a second and not with each of its requests.
            pause = max(taken.wait, self._lease / self._per_second)
            lease.shut = self._clock() + pause
            return pause

    def _taken(self, account_id: str, connection_id: str) -> Taken:
        """Take from the shared bucket; where that cannot be done the request is let through."""
        try:
            with self._database.reading(account_id):
                return rates.take(account_id, connection_id, self._lease, self._per_second, self._burst)
        except (SQLAlchemyError, OutOfTime) as error:
            log.warning("the rate of connection %s is not known: %s", connection_id, type(error).__name__)
            return Taken(1)
