"""What is told to users about their licences: recorded with the write, claimed by one worker, settled once (R35)."""

from collections.abc import Iterable

from scim_server.account.model import Plan
from scim_server.account.notices import notices_of
from scim_server.account.policies import Policies
from scim_server.store import journal, notifications
from scim_server.store.database import Database
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry
from scim_server.store.notifications import Claimed, Position, Settlement

SYSTEM = Actor("system", None)
SECOND = 1_000_000
GIVEN_UP = 15 * 60 * SECOND
"""How long after its claim an unsettled message is given up: longer than any conversation that still lives."""
FIRST_DELAY, LONGEST_DELAY = 60 * SECOND, 4 * 3600 * SECOND
ATTEMPTS = 24
"""How often a message is tried: with the delays between, for somewhat less than three days."""
LOST = "the process that was sending it ended before the mail server's answer was known"


def record_notices(account_id: str, policies: Policies, plans: Iterable[Plan], moment: int) -> None:
    """Record what the plans that were carried out give reason to tell, in the current transaction."""
    notices = [notice for plan in plans for notice in notices_of(plan)]
    notifications.record(account_id, notices, not policies.notifications_on_licence_assigned, moment)


def tidy(database: Database, account_id: str) -> tuple[int, int]:
    """Set aside what must not be sent any more; returns how many messages became obsolete, how many unconfirmed."""
    moment = now()
    with database.reading(account_id):
        if not notifications.has_open(account_id, moment, moment - GIVEN_UP):
            return 0, 0
    obsolete = unconfirmed = 0
    while retired := _retire(database, account_id, moment):
        obsolete += retired
    while abandoned := _abandon(database, account_id, moment):
        unconfirmed += abandoned
    return obsolete, unconfirmed


def has_sendable(database: Database, account_id: str) -> bool:
    """Tell whether a message could be sent at once."""
    with database.reading(account_id):
        return notifications.is_sendable(account_id, now())


def claim(database: Database, account_id: str, after: Position) -> Claimed | None:
    """Claim the next message for the caller alone, committed before anything is sent."""
    with database.transaction(account_id):
        return notifications.claim(account_id, after, now())


def settle(database: Database, account_id: str, claimed: Claimed, settlement: Settlement, reason: str | None) -> None:
    """Write down what became of a message; the journal tells it unless the message will be tried again.

    ``reason`` is told in the journal, which outlives the user: it holds nothing of the address.
    """
    with database.transaction(account_id):
        moment = now()
        known = notifications.settle(account_id, claimed, settlement, moment)
        if known and settlement.state != "waiting":
            entry = _entry(settlement.state, claimed.user_id, claimed.user_name, claimed.licence_type, reason)
            journal.write(account_id, SYSTEM, [entry], moment)


def retried(claimed: Claimed, error: str) -> Settlement:
    """Return what becomes of a message that could not be sent now: it waits longer each time, and fails in the end."""
    if claimed.attempts >= ATTEMPTS:
        return Settlement("failed", f"given up after {claimed.attempts} attempts: {error}")
    delay = min(FIRST_DELAY << (claimed.attempts - 1), LONGEST_DELAY)
    return Settlement("waiting", error, now() + delay)


def _retire(database: Database, account_id: str, moment: int) -> int:
    with database.transaction(account_id):
        return notifications.retire(account_id, moment)


def _abandon(database: Database, account_id: str, moment: int) -> int:
    with database.transaction(account_id):
        rows = notifications.abandon(account_id, moment - GIVEN_UP, LOST)
        entries = [_entry("unconfirmed", row.user_id, row.user_name, row.licence_type, LOST) for row in rows]
        journal.write(account_id, SYSTEM, entries, moment)
    return len(rows)


def _entry(state: str, user_id: str, user_name: str, licence_type: str, reason: str | None) -> Entry:
    """Return the entry on a message that went out, or that did not as far as is known."""
    outcome = "success" if state == "sent" else "refused"
    changes = [{"attribute": "licenseType", "to": licence_type}]
    if reason is not None:
        changes.append({"attribute": "reason", "to": reason})
    return Entry(f"notification.{state}", outcome, "User", user_id, user_name, changes)
