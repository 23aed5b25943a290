"""The provisioning journal: one row per thing that happened or was refused, never changed but to mask a name (R29)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.protocol.folding import fold_name
from scim_server.store.database import execute, note_write
from scim_server.store.id_lists import among
from scim_server.store.identifiers import new_id
from scim_server.store.prepared import Prepared
from scim_server.store.tables import journal
from scim_server.store.tables import user as user_table
from scim_server.store.tokens import without_secrets


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the journal. It holds no message content, no telephone number and no token."""

    action: str
    outcome: str = "success"
    target_type: str | None = None
    target_id: str | None = None
    target_name: str | None = None
    changes: Sequence[Mapping[str, Any]] = ()
    """``{"attribute", "from", "to"}`` for the account's own attributes, ``{"attribute"}`` alone for the others."""
    logs_purged: int | None = None
    status: int | None = None
    rule: str | None = None
    error: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it: an IdP's connection, an administrator at the command line, or the system."""

    type: str
    name: str | None
    request_id: str | None = None


def write(account_id: str, actor: Actor, entries: Sequence[Entry], now: int) -> None:
    """Write entries into the journal, in the current transaction; a secret in a wrong place is not kept."""
    ids = sorted(new_id() for _ in entries)  # the entries of one request keep their order
    rows = [_row(account_id, actor, entry, identifier, now) for identifier, entry in zip(ids, entries, strict=True)]
    if rows:
        _WRITE.run_each(rows)
    note_write(account_id)


def _row(account_id: str, actor: Actor, entry: Entry, identifier: str, now: int) -> dict[str, Any]:
    name = _clear(entry.target_name)
    return {
        "account_id": account_id,
        "id": identifier,
        "occurred_at": now,
        "action": entry.action,
        "outcome": entry.outcome,
        "status": entry.status,
        "rule": entry.rule,
        "error": entry.error,
        "detail": _clear(entry.detail),
        "actor_type": actor.type,
        "actor": actor.name,
        "target_type": entry.target_type,
        "target_id": _clear(entry.target_id),
        "target_name": name,
        "target_key": fold_name(name) if name else None,
        "changes": _clear(orjson.dumps(entry.changes).decode()),
        "logs_purged": entry.logs_purged,
        "request_id": actor.request_id,
    }


def _clear(text: str | None) -> str | None:
    return text and without_secrets(text)


_WRITE = Prepared(journal.insert())


def mask(account_id: str, user_id: str, name: str, masked: str | None) -> None:
    """Replace a deleted user's names, the former ones too, wherever the journal tells them (R22, R29).

    None leaves the id alone. What succeeded for another user who once had one of the names is left as it is.
    """
    about = _ABOUT.all({"account": account_id, "user": user_id})
    # The masked name, which the entry on the deletion has already, is that of others too: all who begin like this one.
    names = {name, *(row.target_name for row in about if row.target_name)} - {masked}
    keys = sorted({fold_name(one) for one in names})
    told = {row.id: row.detail for row in (*about, *_REFUSED.all({"account": account_id, "ids": keys}))}
    if details := [(identifier, detail) for identifier, detail in told.items() if detail]:
        spelt = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))), re.IGNORECASE)
        new = [(identifier, spelt.sub(masked or user_id, detail)) for identifier, detail in details]
        _SET_DETAIL.run_each([{"account": account_id, "entry": identifier, "new": text} for identifier, text in new])
    key = fold_name(masked) if masked else None
    _MASK.run({"account": account_id, "ids": sorted(told), "name": masked, "key": key})


_OF_ACCOUNT = journal.c.account_id == sa.bindparam("account")
_TOLD = sa.select(journal.c.id, journal.c.target_name, journal.c.detail)
_ABOUT = Prepared(_TOLD.where(_OF_ACCOUNT, journal.c.target_id == sa.bindparam("user")))
_REFUSED = Prepared(_TOLD.where(_OF_ACCOUNT, among(journal.c.target_key), journal.c.outcome == "refused"))
_SET_DETAIL = Prepared(
    journal.update()
    .where(_OF_ACCOUNT, journal.c.id == sa.bindparam("entry"))
    .values(detail=sa.bindparam("new", type_=sa.Text))
)
_MASK = Prepared(
    journal.update()
    .where(_OF_ACCOUNT, among(journal.c.id))
    .values(target_name=sa.bindparam("name", type_=sa.Text), target_key=sa.bindparam("key", type_=sa.Text))
)


def read(account_id: str, user: str | None = None, after: str = "", limit: int = 100) -> list[sa.Row[Any]]:
    """Return the newest entries after the one with the id ``after``, oldest of them first.

    ``user`` is an id or a userName; refusals of users who were never created are found by the name too, and all that
    was done to its user under another name. Entries of groups that name the user among their members are found too.
    """
    where = [journal.c.account_id == account_id, journal.c.id > after]
    if user:
        key = fold_name(user)
        named = sa.select(user_table.c.id).where(
            user_table.c.account_id == account_id, user_table.c.user_name_key == key
        )
        identifier = execute(named).scalar() or user
        targets = [journal.c.target_id == user, journal.c.target_key == key, journal.c.target_id == identifier]
        of_groups = sa.and_(
            journal.c.target_type == "Group", journal.c.changes.contains(f'"{identifier}"', autoescape=True)
        )
        where.append(sa.or_(*targets, of_groups))
    statement = sa.select(journal).where(*where).order_by(journal.c.id.desc()).limit(limit)
    return list(reversed(execute(statement).all()))


def since(account_id: str, actions: Sequence[str], begun: int, limit: int) -> list[sa.Row[Any]]:
    """Return the newest entries of some actions that succeeded since a time, the newest first."""
    mine = (journal.c.account_id == account_id, journal.c.occurred_at >= begun)
    told = (journal.c.action.in_(actions), journal.c.outcome == "success")
    statement = sa.select(journal).where(*mine, *told)
    order = (journal.c.occurred_at.desc(), journal.c.id.desc())
    return list(execute(statement.order_by(*order).limit(limit)))
