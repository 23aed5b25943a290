"""Where a worker receives its requests: many may wait for their bodies to come, few work.

The HTTP server hands over a request as soon as its head is there, and its stream blocks until the rest has come. A
client that sends its body slowly, or never, would hold one of the few places where work is done, and with a search a
connection to the database as well.
"""

from collections.abc import Callable, Iterable
from queue import SimpleQueue
from tempfile import SpooledTemporaryFile
from typing import Any

DRAINED = 64 * 1024 * 1024
"""Bytes of a body that are read, those beyond the limit to be forgotten: most clients see the answer only when they
could send all of it."""
_CHUNK = 64 * 1024
"""Bytes of a body that wait in memory; what is more waits in a file."""

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Reception:
    """A WSGI application before another one: takes the body in, waits for a turn, passes both on."""

    def __init__(self, application: Application, limit: int, turns: int) -> None:
        self._application = application
        self._limit = limit
        self._turns: SimpleQueue[int] = SimpleQueue()  # a semaphore whose every step is C
        for turn in range(turns):
            self._turns.put(turn)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Answer a request; the whole answer is ready before the turn ends, so that nobody who reads it holds one."""
        if not has_body(environ):
            return self._answered(environ, start_response)
        with SpooledTemporaryFile(_CHUNK) as body:
            if is_readable(environ):
                take_in(environ["wsgi.input"], body, self._limit)
            environ["wsgi.input"] = body
            return self._answered(environ, start_response)

    def _answered(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        turn = self._turns.get()
        try:
            parts = self._application(environ, start_response)
            try:
                return list(parts)
            finally:
                close = getattr(parts, "close", None)
                if close is not None:
                    close()
        finally:
            self._turns.put(turn)


def has_body(environ: dict[str, Any]) -> bool:
    """Whether the head of a request announces a body."""
    return environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ


def is_readable(environ: dict[str, Any]) -> bool:
    """Whether a body is worth reading: not when it says that it is endless, or does not say sensibly how long it is."""
    length = environ.get("CONTENT_LENGTH") or "0"
    return length.isdecimal() and len(length) < 12 and int(length) <= DRAINED


def take_in(stream: Any, body: Any, limit: int) -> None:
    """Read a body; a byte more than the limit is kept, by which the application sees that it is too large."""
    size = 0
    while size < DRAINED and (part := stream.read(_CHUNK)):
        body.write(part[: max(0, limit + 1 - size)])
        size += len(part)
    body.seek(0)
