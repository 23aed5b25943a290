"""The licences of users in their rows: seats moved, many users written in one statement, those who wait found.

Whoever moves a seat holds the account's lock (P6).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.account.effects import Effect
from scim_server.account.model import Member, Pool
from scim_server.account.refusals import Refused
from scim_server.store import group_licences
from scim_server.store.accounts import pools
from scim_server.store.database import Prepared, chunks, execute
from scim_server.store.tables import licence_pool, user

STATE_COLUMNS = (
    "sms_returns", "microsoft_returns", "licence_type", "licence_activated", "licence_status", "licence_source",
    "licence_reason", "licence_pending_type", "licence_assigned_at", "licence_activated_at", "licence_expires_at",
    "licence_reset_required", "activations_used", "deactivated_at",
)  # fmt: skip
"""The fields of a member that are columns of its row and not part of its document."""
_FIELDS = ("id", "user_name", "kind", "active", "role", *STATE_COLUMNS)

Change = tuple[Member, Member]
"""A member as it was and as it is to be."""


def state_columns(account_pools: Mapping[str, Pool], before: Member | None, after: Member, now: int) -> dict[str, Any]:
    """Return the columns of a user's row that its document does not hold."""
    columns = {name: getattr(after, name) for name in STATE_COLUMNS}
    return columns | _derived(account_pools, before, after, now)


def _derived(account_pools: Mapping[str, Pool], before: Member | None, after: Member, now: int) -> dict[str, Any]:
    """Return since when the member waits, and how many activations the licence allows (R6, R26)."""
    columns: dict[str, Any] = {}
    goes_on = before is not None and before.waits and before.licence_pending_type == after.licence_pending_type
    if not (after.waits and goes_on):
        columns["licence_pending_since"] = now if after.waits else None
    if after.licence_type is None:
        columns["activations_allowed"] = None
    elif after.licence_type in account_pools:
        columns["activations_allowed"] = account_pools[after.licence_type].activations
    return columns


def write(account_id: str, changes: Iterable[Change], now: int) -> None:
    """Write what became of many users: one statement for all in whom the same columns change in the same way."""
    alike: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    account_pools = pools(account_id)
    for before, after in changes:
        changed = {
            name: getattr(after, name) for name in STATE_COLUMNS if getattr(after, name) != getattr(before, name)
        }
        values = changed | _derived(account_pools, before, after, now)
        alike.setdefault(tuple(sorted(values.items())), []).append(after.id)
    for columns, ids in alike.items():
        new = {**dict(columns), "version": user.c.version + 1, "modified": now}
        for chunk in chunks(ids):
            execute(user.update().where(user.c.account_id == account_id, user.c.id.in_(chunk)).values(new))


def move_seats(account_id: str, effects: Iterable[Effect]) -> frozenset[str]:
    """Change the assigned counts of the pools by what happened in all; returns the types of which seats were freed.

    Raises Refused E5 when more would be assigned than is bought.
    """
    moved: Counter[str] = Counter()
    freed = set()
    for licence_type, change in (seat for effect in effects for seat in effect.seats):
        moved[licence_type] += change
        freed |= {licence_type} if change < 0 else set()
    for licence_type, change in sorted(moved.items()):
        if change:
            _move_seats(account_id, licence_type, change)
    return frozenset(freed)


def _move_seats(account_id: str, licence_type: str, change: int) -> None:
    if _MOVE.run({"account": account_id, "licence_type": licence_type, "change": change}):
        return
    pool = pools(account_id)[licence_type]
    raise Refused("R6", "E5", type=licence_type, assigned=pool.assigned, total=pool.total)


_moved = licence_pool.c.assigned + sa.bindparam("change", type_=sa.Integer)
_MOVE = Prepared(
    licence_pool.update()
    .where(
        licence_pool.c.account_id == sa.bindparam("account"),
        licence_pool.c.type == sa.bindparam("licence_type"),
        _moved <= licence_pool.c.total,
    )
    .values(assigned=_moved)
)


def waiting(account_id: str, pool: Pool, account_pools: Mapping[str, Pool], limit: int) -> list[Member]:
    """Return the active users for whom a seat of a type is what they wait for, or better than what they have.

    Locked, who has waited longest first (R6).
    """
    wanted = user.c.licence_pending_type == pool.type
    if better := [one.type for one in account_pools.values() if (one.tier or 0) > (pool.tier or math.inf)]:
        wanted |= user.c.licence_pending_type.in_(better) & _improves(account_id, pool, account_pools)
    where = (wanted, user.c.licence_pending_since.is_not(None), user.c.active.is_(True))
    return _members(account_id, where, (user.c.licence_pending_since, user.c.id), limit)


def _improves(account_id: str, pool: Pool, account_pools: Mapping[str, Pool]) -> sa.ColumnElement[bool]:
    """Return the condition that the user's groups give this type too, and that it is better than the one held (R27)."""
    lesser = [one.type for one in account_pools.values() if one.tier is not None and one.tier < (pool.tier or 0)]
    unranked = [one.type for one in account_pools.values() if one.tier is None]
    return sa.and_(
        user.c.licence_source == "group",
        user.c.licence_type.is_(None) | user.c.licence_type.in_(lesser),
        group_licences.gives(account_id, [pool.type]),
        ~group_licences.gives(account_id, unranked),
    )


def overdue(account_id: str, latest: int, limit: int) -> list[Member]:
    """Return the users whose licence was suspended at ``latest`` or before, locked, by id (R24)."""
    suspended = user.c.licence_status == sa.literal_column("'suspended'")  # literal, so that its index is found
    return _members(account_id, (suspended, user.c.deactivated_at <= latest), (user.c.id,), limit)


def without_direct(account_id: str, user_ids: Sequence[str]) -> dict[str, Member]:
    """Return those of the users who have no direct licence, held or awaited, locked, by id (R27)."""
    direct = sa.func.coalesce(user.c.licence_source, "") == "direct"
    return {one.id: one for one in _members(account_id, (user.c.id.in_(user_ids), ~direct), (user.c.id,))}


def _members(
    account_id: str, where: Sequence[sa.ColumnElement[bool]], order: Sequence[Any], limit: int | None = None
) -> list[Member]:
    statement = sa.select(*(user.c[name] for name in _FIELDS)).where(user.c.account_id == account_id, *where)
    rows = execute(statement.order_by(*order).limit(limit).with_for_update(key_share=True))
    return [Member(**row._mapping) for row in rows]
