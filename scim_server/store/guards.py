"""What the guard of each account has seen: one document per account, locked while a change is counted."""

import orjson
import sqlalchemy as sa

from scim_server.account.guard import Trip, Watch
from scim_server.store import totals
from scim_server.store.database import dialect, execute
from scim_server.store.dialects import insert_into
from scim_server.store.prepared import Prepared
from scim_server.store.tables import group, guard, user

_COUNTED = {"users": "user", "groups": "group"}


def lock(account_id: str) -> Watch:
    """Return what the guard has seen, and make every other guarded change of the account wait.

    It is the last thing that a transaction locks: after the account, its users and its groups.
    """
    stored = _LOCKED.scalar({"account": account_id})
    if stored is None:
        execute(
            insert_into(dialect(), guard).values(account_id=account_id, watch=_text(Watch())).on_conflict_do_nothing()
        )
        stored = _LOCKED.scalar({"account": account_id})
    return _watch(stored)


def read(account_id: str) -> Watch:
    """Return what the guard has seen."""
    stored = execute(sa.select(guard.c.watch).where(guard.c.account_id == account_id)).scalar()
    return Watch() if stored is None else _watch(stored)


def save(account_id: str, watch: Watch) -> None:
    """Write what the guard has seen."""
    _SAVE.run({"account": account_id, "new": _text(watch)})


_OF_ACCOUNT = guard.c.account_id == sa.bindparam("account")
_LOCKED = Prepared(sa.select(guard.c.watch).where(_OF_ACCOUNT).with_for_update())
_SAVE = Prepared(guard.update().where(_OF_ACCOUNT).values(watch=sa.bindparam("new", type_=sa.Text)))


def size(account_id: str, of: str) -> int:
    """Return how many ``users`` or ``groups`` the account has."""
    return totals.total(account_id, _COUNTED[of])


def names(account_id: str, targets: list[tuple[str, str]]) -> dict[str, str]:
    """Return what the users and groups are called, by id; those that are gone have no name."""
    found: dict[str, str] = {}
    for kind, table, name in (("User", user, user.c.user_name), ("Group", group, group.c.display_name)):
        ids = [identifier for one, identifier in targets if one == kind]
        if ids:
            mine = (table.c.account_id == account_id, table.c.id.in_(ids))
            found |= {row.id: row.name for row in execute(sa.select(table.c.id, name.label("name")).where(*mine))}
    return found


def _text(watch: Watch) -> str:
    return orjson.dumps(watch).decode()


def _watch(stored: str) -> Watch:
    values = orjson.loads(stored)
    if values["trip"] is not None:
        values["trip"] = Trip(**values["trip"])
    return Watch(**values)
