"""The users' message logs: counted for who may see them, destroyed by explicit acts only (R28, P1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from scim_server.store.database import execute
from scim_server.store.tables import user_log


@dataclass(frozen=True, slots=True)
class LogCount:
    """How many entries a user's log has, and when one of them was last opened, answered or sent."""

    entries: int = 0
    last_activity: int | None = None


def counts(account_id: str, user_ids: Sequence[str]) -> dict[str, LogCount]:
    """Return the counts of the users' logs, in one statement."""
    count, last = sa.func.count().label("entries"), sa.func.max(user_log.c.last_activity_at).label("last")
    where = (user_log.c.account_id == account_id, user_log.c.user_id.in_(user_ids))
    rows = execute(sa.select(user_log.c.user_id, count, last).where(*where).group_by(user_log.c.user_id))
    return dict.fromkeys(user_ids, LogCount()) | {row.user_id: LogCount(row.entries, row.last) for row in rows}


def purge(account_id: str, user_id: str) -> int:
    """Destroy every log entry of a user and return how many there were (R9, R11, R22)."""
    where = (user_log.c.account_id == account_id, user_log.c.user_id == user_id)
    return execute(user_log.delete().where(*where)).rowcount
