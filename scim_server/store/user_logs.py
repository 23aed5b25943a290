"""The users' message logs: written by the product, counted, destroyed by explicit acts only (R28, P1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import orjson
import sqlalchemy as sa

from scim_server.protocol.folding import fold_name
from scim_server.store.database import dialect, execute
from scim_server.store.dialects import insert_into
from scim_server.store.prepared import Prepared
from scim_server.store.tables import user, user_log


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message that a user has sent."""

    id: str
    user_id: str
    sent_at: int
    status: str
    last_activity_at: int | None = None
    expires_at: int | None = None
    kind: str = "message"
    code_type: str = "none"
    file_count: int = 0
    byte_count: int = 0
    open_count: int = 0
    signature_request_count: int = 0
    signed_file_count: int = 0
    subject: str | None = None
    recipients: Sequence[str] = ()


def write(account_id: str, entries: Sequence[LogEntry]) -> int:
    """Write entries of users of the account and return how many are new; one whose id is known is left as it is."""
    rows = []
    for entry in entries:
        row = asdict(entry)
        shown = {name: row.pop(name) for name in ("subject", "recipients")}
        rows.append({"account_id": account_id, **row, "entry": orjson.dumps(shown).decode()})
    if not rows:
        return 0
    return len(execute(insert_into(dialect(), user_log).on_conflict_do_nothing().returning(user_log.c.id), rows).all())


def owners(account_id: str, ids_or_names: Collection[str]) -> Mapping[str, str]:
    """Return the ids of those users whom the texts name by id or by userName, an id coming first; one statement."""
    keys = {text: fold_name(text) for text in ids_or_names}
    named = sa.or_(user.c.id.in_(keys.keys()), user.c.user_name_key.in_(keys.values()))
    rows = execute(sa.select(user.c.id, user.c.user_name_key).where(user.c.account_id == account_id, named)).all()
    by_name, ids = {row.user_name_key: row.id for row in rows}, {row.id for row in rows}
    found = {text: text if text in ids else by_name.get(key) for text, key in keys.items()}
    return {text: identifier for text, identifier in found.items() if identifier is not None}


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
    return _PURGE.run({"account": account_id, "user": user_id})


_PURGE = Prepared(
    user_log.delete().where(
        user_log.c.account_id == sa.bindparam("account"), user_log.c.user_id == sa.bindparam("user")
    )
)
