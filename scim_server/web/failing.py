"""What the log tells of a failure: where it happened and of which kind; never the words of an error about data.

Those repeat what was sent: PostgreSQL shows the row that broke a constraint, a parser the text that it could not read
(LOG-02, PWD-01).
"""

import logging
from collections.abc import Iterator
from traceback import format_tb

from sqlalchemy.exc import OperationalError, TimeoutError

OPERATING = (OSError, OperationalError, TimeoutError)
"""Errors of running the server, whose words an operator needs: what cannot be reached, opened or locked."""
_CAUSED = "\nwhich led to\n\n"


class _Discreet(logging.Filter):
    """Puts the discreet words in the place of the error of a record, for whichever handler there is."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            record.exc_text, record.exc_info = discreet(error), None
        return True


_filter = _Discreet()


def install(name: str) -> None:
    """Have a logger tell failures discreetly."""
    logging.getLogger(name).addFilter(_filter)


def discreet(error: BaseException) -> str:
    """Return the tracebacks of an error and of what led to it."""
    parts = [
        "".join(("Traceback (most recent call last):\n", *format_tb(one.__traceback__), _named(one)))
        for one in _chain(error)
    ]
    return _CAUSED.join(reversed(parts))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _named(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    state = getattr(error, "sqlstate", None)  # psycopg's
    # The driver's error of SQLAlchemy's is told with it, so that the one of the driver needs no words.
    return f"{kind}: {error}" if isinstance(error, OPERATING) else f"{kind} (SQLSTATE {state})" if state else kind
