"""One run of `notify`: what is due is claimed, written, handed in and settled, one message after the other."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scim_server.cli.texts import PortalError
from scim_server.mail.addresses import mailbox, read_sender
from scim_server.mail.letters import Occasion, compose
from scim_server.mail.post import AGAIN, FAILED, Outcome, Post
from scim_server.mail.relay import read_relay
from scim_server.provisioning import notifying
from scim_server.settings import Settings
from scim_server.store.database import Database
from scim_server.store.notifications import START, Claimed, Settlement


@dataclass(slots=True)
class Run:
    """What one run did."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many messages were ``tried``, and how many came into each state."""
    problem: str | None = None
    """Why it ended before everything was tried."""


def deliver(database: Database, settings: Settings, accounts: Iterable[sa.Row[Any]], limit: int | None) -> Run:
    """Set aside what must not be sent, then send what is due, account by account."""
    run, sendable = Run(), []
    for account in accounts:
        obsolete, unconfirmed = notifying.tidy(database, account.id)
        run.counts.update(obsolete=obsolete, unconfirmed=unconfirmed)
        if notifying.has_sendable(database, account.id):
            sendable.append(account)
    if not sendable:
        return run
    if settings.smtp_url is None:
        names = ", ".join(f"'{account.name}'" for account in sendable[:3])
        way_out = "Set SCIM_SMTP_URL and SCIM_MAIL_FROM, then retry."
        raise PortalError(f"messages are due in {names}, and there is no mail server to send them. {way_out}")
    with Post(read_relay(settings.smtp_url)) as post:
        for account in sendable:
            _deliver_account(database, settings, post, account, limit, run)
    return run


def _deliver_account(
    database: Database, settings: Settings, post: Post, account: sa.Row[Any], limit: int | None, run: Run
) -> None:
    """Send what is due in one account, until the mail server shows that it takes nothing now.

    One message is claimed at a time: its user is as it is now, and an end in mid-air leaves one in doubt at most.
    """
    position = START
    while run.problem is None and (limit is None or run.counts["tried"] < limit):
        claimed = notifying.claim(database, account.id, position)
        if claimed is None:
            return
        position = claimed.position
        outcome = _send(settings, post, account.name, claimed)
        settlement = _settlement(claimed, outcome)
        notifying.settle(database, account.id, claimed, settlement, outcome.reason)
        run.counts.update(["tried", settlement.state])
        run.problem = outcome.error if outcome.ends_connection else None


def _send(settings: Settings, post: Post, account: str, claimed: Claimed) -> Outcome:
    """Write the message to the address that its user has now, and hand it in."""
    recipient = mailbox(claimed.user_name)
    if recipient is None:
        return Outcome(FAILED, "the userName is no address that mail can be sent to")
    about = (claimed.id, claimed.kind, claimed.licence_type, account, claimed.display_name)
    sender = read_sender(settings.mail_from or "")
    return post.send(compose(Occasion(*about, settings.portal_url), sender, recipient, datetime.now(UTC)))


def _settlement(claimed: Claimed, outcome: Outcome) -> Settlement:
    """Return what becomes of a message after an attempt."""
    if outcome.result == AGAIN:
        return notifying.retried(claimed, outcome.error or "")
    return Settlement(outcome.result, outcome.error)
