"""The messages to users about their licences: recorded with the assignment, claimed by one worker, settled (R35).

A worker claims a message in a transaction of its own before it sends it, and settles it in another one afterwards.
What dies in between leaves a message of which nobody knows whether it went out: it is never sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.account.notices import ACTIVATED, Notice
from scim_server.protocol.folding import fold_name
from scim_server.store.database import execute
from scim_server.store.identifiers import new_id
from scim_server.store.prepared import Prepared
from scim_server.store.tables import notification, user

STATES = ("waiting", "suppressed", "sending", "sent", "failed", "unconfirmed", "obsolete")
"""To be sent; never, by the account's policy; claimed; accepted by the mail server; refused for good; perhaps sent;
never, as the licence was gone before."""
BATCH = 500
"""How many messages one statement settles."""

Position = tuple[int, str]
"""A place in the order in which messages fall due."""
START: Position = (0, "")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that one worker may send: the user as it is now, the licence that it holds now."""

    id: str
    user_id: str
    user_name: str
    display_name: str | None
    kind: str
    licence_type: str
    attempts: int
    position: Position


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed message."""

    state: str
    error: str | None = None
    next_attempt_at: int | None = None


def record(account_id: str, notices: Sequence[Notice], suppressed: bool, now: int) -> None:
    """Write down what users are to be told, in the transaction that gave reason to."""
    ids = sorted(new_id() for _ in notices)
    rows = [
        {
            "account_id": account_id,
            "id": identifier,
            "user_id": notice.user_id,
            "kind": notice.kind,
            "licence_type": notice.licence_type,
            "state": "suppressed" if suppressed else "waiting",
            "created": now,
            "attempts": 0,
            "next_attempt_at": now,
            "claimed_at": None,
            "sent_at": None,
            "error": None,
        }
        for identifier, notice in zip(ids, notices, strict=True)
    ]
    if rows:
        _RECORD.run_each(rows)


_RECORD = Prepared(notification.insert())


def has_open(account_id: str, now: int, given_up: int) -> bool:
    """Tell whether a message is due, or was claimed before ``given_up`` and never settled."""
    due = _mine(account_id, "waiting", notification.c.next_attempt_at <= now)
    left = _mine(account_id, "sending", notification.c.claimed_at < given_up)
    found = [sa.select(sa.literal(1)).select_from(notification).where(where).exists() for where in (due, left)]
    return bool(execute(sa.select(sa.or_(*found))).scalar_one())


def is_sendable(account_id: str, now: int) -> bool:
    """Tell whether there is a message that could be sent at once."""
    found = sa.select(sa.literal(1)).select_from(_WITH_USER).where(_sendable(account_id, now))
    return bool(execute(sa.select(found.exists())).scalar_one())


def retire(account_id: str, now: int) -> int:
    """Make due messages about a licence that is gone obsolete; returns how many, at most ``BATCH``."""
    gone = _mine(account_id, "waiting", notification.c.next_attempt_at <= now, sa.not_(_HOLDS))
    return len(_move(account_id, gone, BATCH, state="obsolete"))


def abandon(account_id: str, given_up: int, error: str) -> list[sa.Row[Any]]:
    """Make messages that were claimed before ``given_up`` and never settled unconfirmed; returns them, with users."""
    left = _mine(account_id, "sending", notification.c.claimed_at < given_up)
    return _move(account_id, left, BATCH, state="unconfirmed", error=error)


def claim(account_id: str, after: Position, now: int) -> Claimed | None:
    """Claim the first message due behind a position, or return None where there is none.

    Going on from the position of the last one, a worker comes by every message once, those of inactive users included.
    """
    place = sa.tuple_(notification.c.next_attempt_at, notification.c.id)
    where = sa.and_(_sendable(account_id, now), place > sa.tuple_(*map(sa.literal, after)))
    rows = _move(account_id, where, 1, state="sending", claimed_at=now, attempts=notification.c.attempts + 1)
    if not rows:
        return None
    (row,) = rows
    position = (row.next_attempt_at, row.id)
    about = (row.id, row.user_id, row.user_name, row.display_name, row.kind)
    return Claimed(*about, row.held_type, row.attempts + 1, position)


def settle(account_id: str, claimed: Claimed, settlement: Settlement, now: int) -> bool:
    """Write down what became of a claimed message; False when its user was deleted in the meantime.

    A worker that was given up too early knows better than who gave it up.
    """
    told = {"licence_type": claimed.licence_type, "sent_at": now} if settlement.state == "sent" else {}
    values: dict[str, Any] = {"state": settlement.state, "error": settlement.error, **told}
    if settlement.next_attempt_at is not None:
        values["next_attempt_at"] = settlement.next_attempt_at
    claim = (notification.c.attempts == claimed.attempts, notification.c.state.in_(("sending", "unconfirmed")))
    where = (notification.c.account_id == account_id, notification.c.id == claimed.id, *claim)
    return execute(notification.update().where(*where).values(**values)).rowcount == 1


def listed(account_id: str, user_name_or_id: str | None, limit: int) -> list[sa.Row[Any]]:
    """Return the newest messages, the oldest of them first, with the names of their users."""
    where = [notification.c.account_id == account_id]
    if user_name_or_id is not None:
        key = fold_name(user_name_or_id)
        where.append(sa.or_(notification.c.user_id == user_name_or_id, user.c.user_name_key == key))
    statement = sa.select(notification, user.c.user_name, user.c.active).select_from(_WITH_USER).where(*where)
    return list(reversed(execute(statement.order_by(notification.c.id.desc()).limit(limit)).all()))


_WITH_USER = notification.join(
    user, sa.and_(user.c.account_id == notification.c.account_id, user.c.id == notification.c.user_id)
)
_HOLDS = sa.func.coalesce(
    sa.case(
        (notification.c.kind == ACTIVATED, user.c.licence_activated_at <= notification.c.created),
        else_=user.c.licence_assigned_at <= notification.c.created,
    ),
    sa.false(),
)
"""Whether the user has the licence that the message is about. A change of type keeps both dates (R8): the message then
tells the new type. A licence that was lost and given again has a later date, and a message of its own."""


def _mine(account_id: str, state: str, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The account's messages in a state, which stands in the text: a bound one would hide the partial index."""
    in_state = notification.c.state == sa.literal_column(f"'{state}'")
    return sa.and_(notification.c.account_id == account_id, in_state, *where)


def _sendable(account_id: str, now: int) -> sa.ColumnElement[bool]:
    """Due, to an active user who has the licence; a suspended user's message waits for the return (R35)."""
    return _mine(account_id, "waiting", notification.c.next_attempt_at <= now, user.c.active.is_(True), _HOLDS)


def _move(account_id: str, where: sa.ColumnElement[bool], limit: int, **values: Any) -> list[sa.Row[Any]]:
    """Change the first messages that match and return them as they were, leaving those that another worker changes."""
    found = (
        sa.select(notification, user.c.user_name, user.c.display_name, user.c.licence_type.label("held_type"))
        .select_from(_WITH_USER)
        .where(where)
        .order_by(notification.c.next_attempt_at, notification.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=notification)
    )
    rows = list(execute(found))
    if rows:
        mine = (notification.c.account_id == account_id, notification.c.id.in_([row.id for row in rows]))
        execute(notification.update().where(*mine).values(**values))
    return rows
