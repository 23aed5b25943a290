"""What users have sent in a period, added up from their logs (R30)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import execute
from scim_server.store.tables import user, user_log


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over the entries of one user's log."""

    messages: int = 0
    opened: int = 0
    """How many of the messages were opened."""
    files: int = 0
    bytes: int = 0
    to_sign: int = 0
    signed: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """The users whose statistics are wanted: those of some ids or names, or all where neither is named."""

    ids: Collection[str] = ()
    name_keys: Collection[str] = ()


def users(account_id: str, chosen: Selection, offset: int, limit: int) -> Sequence[sa.Row[Any]]:
    """Return the ids and names of a page of users, in the usual order of the list of users."""
    ids = sa.select(user.c.id).where(*_where(account_id, chosen))
    page = ids.order_by(user.c.created, user.c.id).limit(limit).offset(offset).subquery()
    names = sa.select(user.c.id, user.c.user_name).join(page, user.c.id == page.c.id)
    return execute(names.where(user.c.account_id == account_id).order_by(user.c.created, user.c.id)).all()


def count(account_id: str, chosen: Selection) -> int:
    """Return how many users are chosen."""
    statement = sa.select(sa.func.count()).select_from(user).where(*_where(account_id, chosen))
    return int(execute(statement).scalar_one())


def totals(account_id: str, user_ids: Sequence[str], start: int, end: int) -> Mapping[str, Totals]:
    """Return the sums of the users' logs over a period, its bounds included, in one statement."""
    log = user_log.c
    sums = (
        sa.func.sum(sa.case((log.open_count > 0, 1), else_=0)),
        *(sa.func.sum(one) for one in (log.file_count, log.byte_count, log.signature_request_count)),
        sa.func.sum(log.signed_file_count),
    )
    where = (log.account_id == account_id, log.user_id.in_(user_ids), log.sent_at >= start, log.sent_at <= end)
    rows = execute(sa.select(log.user_id, sa.func.count(), *sums).where(*where).group_by(log.user_id))
    return dict.fromkeys(user_ids, Totals()) | {row[0]: Totals(*map(int, row[1:])) for row in rows}


def _where(account_id: str, chosen: Selection) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = [user.c.account_id == account_id]
    if chosen.ids or chosen.name_keys:
        where.append(sa.or_(user.c.id.in_(chosen.ids), user.c.user_name_key.in_(chosen.name_keys)))
    return where
