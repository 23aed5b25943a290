"""What becomes of the use of credentials: when each was used last, and those that were refused (R1, R29).

Neither stands in the way of a request: it is written after the answer, and of each credential seldom. A database that
cannot take it is no error of the request that came by.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from scim_server.store import credentials, journal, trusts
from scim_server.store.database import Database, OutOfTime
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry

log = logging.getLogger("scim_server")

MOST_KEPT = 10_000
DAY = 86_400_000_000
"""Microseconds."""
WARNED = 30
"""Days before its end from which a token is warned of."""


def days_left(expires_at: int | None, now: int) -> int | None:
    """Return the whole days until a token ends; None where it does not, or has ended."""
    return None if expires_at is None or expires_at <= now else (expires_at - now) // DAY


class Seldom:
    """What a worker does at most once in a while for each of many things."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._done: dict[tuple[str, str], float] = {}

    def is_due(self, what: str, of: str, seconds: float) -> bool:
        """Whether it was not done to it for so many seconds; it counts as done from now on."""
        moment, key = self._clock(), (what, of)
        with self._lock:
            last = self._done.get(key)
            if last is not None and moment - last < seconds:
                return False
            if len(self._done) >= MOST_KEPT:
                self._done.clear()
            self._done[key] = moment
            return True


def note_use(database: Database, account_id: str, identifier: str, *, is_foreign: bool = False) -> None:
    """Note that a credential was used, or a token of a trusted issuer."""
    with _forgiving("the use of a token"), database.transaction(account_id):
        (trusts if is_foreign else credentials).note_use(account_id, identifier, now())


def record_refusal(database: Database, account_id: str, actor: Actor, entry: Entry) -> None:
    """Tell the journal that a known token, client or connection was refused."""
    with _forgiving("a refusal"), database.transaction(account_id):
        journal.write(account_id, actor, [entry], now())


@contextmanager
def _forgiving(what: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OutOfTime) as error:
        log.warning("%s could not be written: %s", what, type(error).__name__)
