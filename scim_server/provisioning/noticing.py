"""What connections are seen to send: gathered in the memory of a worker, written now and then.

A request adds its shapes to a dictionary and costs no statement. They are written after the answer of a request that
brought a shape which this worker did not know, at most once in `PAUSE` seconds, and else every `REST` seconds by
whichever request comes then. What a worker has gathered since is lost when it ends, and when the database cannot take
it: counts are then too low and a new shape is told by the next request that has it. Nothing else depends on them.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from scim_server.idp.shapes import Shape
from scim_server.store import journal, shapes
from scim_server.store.database import Database, OutOfTime
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry

log = logging.getLogger("scim_server")

PAUSE = 10.0
"""Seconds between two writes of a worker, however many new shapes there are."""
REST = 600.0
"""Seconds after which counts are written where no shape is new."""
MOST_CONNECTIONS = 10_000
"""Connections whose shapes a worker remembers."""
MOST_TOLD = 50
"""New shapes that one entry of the journal names."""
SYSTEM = Actor("system", "shapes")

Sender = tuple[str, str, str]
"""The account's id, the connection's id, the connection's name."""
Counts = Mapping[Shape, int]


class Notebook:
    """The shapes that one worker has seen and not yet written."""

    def __init__(self, pause: float = PAUSE, rest: float = REST, clock: Callable[[], float] = monotonic) -> None:
        self.pause, self.rest = pause, rest
        self._clock = clock
        self._lock = Lock()
        self._pending: dict[Sender, Counter[Shape]] = {}
        self._known: dict[Sender, set[Shape]] = {}
        self._has_new = False
        self._written = clock() - pause

    def add(self, sender: Sender, seen: Iterable[Shape]) -> bool:
        """Note the shapes of a request; whether it is time to write."""
        with self._lock:
            if len(self._known) > MOST_CONNECTIONS:
                self._known.clear()
            known, counts = self._known.setdefault(sender, set()), self._pending.setdefault(sender, Counter())
            for shape in seen:
                if shape not in known:
                    if len(known) >= shapes.MOST:
                        continue  # so that a client which makes names up fills no memory
                    known.add(shape)
                    self._has_new = True
                counts[shape] += 1
            return self._clock() - self._written >= (self.pause if self._has_new else self.rest)

    def take(self) -> Mapping[Sender, Counts]:
        """Return what is to be written, and forget it."""
        with self._lock:
            taken, self._pending = self._pending, {}
            self._has_new, self._written = False, self._clock()
            return taken

    def forget(self) -> None:
        """Hold every shape for new again: what was taken could not be written."""
        with self._lock:
            self._known.clear()


def write(database: Database, notebook: Notebook) -> None:
    """Write what is gathered; a database that cannot take it is no error of the request that came by."""
    for sender, counts in notebook.take().items():
        try:
            with database.transaction(sender[0]):
                _note(sender, counts)
        except (SQLAlchemyError, OutOfTime) as error:
            log.warning("the shapes of requests could not be written: %s", type(error).__name__)
            notebook.forget()


def _note(sender: Sender, counts: Counts) -> None:
    """Write the shapes of one connection, and tell the journal which of them are new."""
    account_id, connection_id, name = sender
    moment = now()
    fresh = shapes.note(account_id, connection_id, counts, moment)
    if fresh:
        told = [{"attribute": kind, "to": shape} for kind, shape in fresh[:MOST_TOLD]]
        entry = Entry("connection.newShape", "success", "Connection", connection_id, name, told)
        journal.write(account_id, SYSTEM, [entry], moment)
