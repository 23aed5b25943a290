"""Accounts: policies, approved domains, licence pools; facts for the rules, and their plans carried out."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.effects import Effect, LogsPurged
from scim_server.account.model import ADMINISTRATOR, PERSON, Member, Plan, Pool
from scim_server.account.refusals import Refused
from scim_server.protocol.folding import fold_name
from scim_server.store import user_logs
from scim_server.store.database import execute
from scim_server.store.identifiers import new_id
from scim_server.store.tables import account, approved_domain, deleted_address, licence_pool, user

LICENCE_TYPES: Mapping[str, dict[str, Any]] = {
    "eco": {"family": "personal", "tier": 1},
    "advanced": {"family": "personal", "tier": 2},
    "pro": {"family": "personal", "tier": 3, "protected_returns": True},
    "apiAdvanced": {"family": "api"},
    "apiPro": {"family": "api"},
    "sharedMailbox": {"family": "shared", "activations": 5},
    "sesar": {"family": "service"},
}
"""The licence types that are sold, with their capabilities (rules.md 3, Q7 and Q13)."""

STATE_COLUMNS = (
    "sms_returns", "microsoft_returns", "licence_type", "licence_activated", "licence_status", "licence_source",
    "licence_reason", "licence_pending_type", "licence_assigned_at", "licence_activated_at", "licence_expires_at",
    "licence_reset_required", "activations_used", "deactivated_at",
)  # fmt: skip
"""The fields of a member that are columns of its row and not part of its document."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A pending user who got a seat that was freed (R6)."""

    id: str
    user_name: str
    type: str


def create(name: str, settings: Mapping[str, Any], now: int) -> str:
    """Create an account and return its id."""
    identifier = new_id()
    execute(account.insert(), {"id": identifier, "name": name, "settings": _json(settings), "created": now})
    return identifier


def named(name: str) -> sa.Row[Any] | None:
    """Return the row of the account called ``name``, or None."""
    return execute(sa.select(account).where(account.c.name == name)).one_or_none()


def all_accounts() -> list[sa.Row[Any]]:
    """Return the rows of all accounts by name."""
    return list(execute(sa.select(account).order_by(account.c.name)))


def set_settings(account_id: str, settings: Mapping[str, Any]) -> None:
    """Write the policies of an account that differ from their defaults."""
    execute(account.update().where(account.c.id == account_id).values(settings=_json(settings)))


def settings_of(row: sa.Row[Any]) -> dict[str, Any]:
    """Return the stored policies of an account's row."""
    settings: dict[str, Any] = orjson.loads(row.settings)
    return settings


def lock(account_id: str) -> None:
    """Make every other request that moves a seat or an administrator of the account wait (P6).

    The lock does not hinder inserts that refer to the account. SQLite has one writer at a time already.
    """
    execute(sa.select(account.c.id).where(account.c.id == account_id).with_for_update(key_share=True))


def approve_domain(account_id: str, name: str, now: int) -> None:
    """Approve a domain for an account; IntegrityError when another account has it."""
    values = {"account_id": account_id, "name": name, "status": "approved", "requested_at": now, "approved_at": now}
    execute(approved_domain.insert(), values)


def domains(account_id: str) -> list[sa.Row[Any]]:
    """Return the domains of an account by name."""
    statement = sa.select(approved_domain).where(approved_domain.c.account_id == account_id)
    return list(execute(statement.order_by(approved_domain.c.name)))


def domain_owner(name: str) -> str | None:
    """Return the id of the account that has a domain, or None: a domain belongs to one account (R3)."""
    return execute(sa.select(approved_domain.c.account_id).where(approved_domain.c.name == name)).scalar()


def approved(account_id: str, names: Iterable[str]) -> frozenset[str]:
    """Return those of the named domains that are approved for the account (R2)."""
    asked = sorted(names)
    if not asked:
        return frozenset()
    statement = sa.select(approved_domain.c.name).where(
        approved_domain.c.account_id == account_id,
        approved_domain.c.name.in_(asked),
        approved_domain.c.status == "approved",
    )
    return frozenset(execute(statement).scalars())


def add_licences(account_id: str, licence_type: str, quantity: int) -> None:
    """Add bought licences to the pool of a type, creating the pool with the type's capabilities."""
    where = (licence_pool.c.account_id == account_id, licence_pool.c.type == licence_type)
    changed = execute(licence_pool.update().where(*where).values(total=licence_pool.c.total + quantity))
    if changed.rowcount == 0:
        values = {"account_id": account_id, "type": licence_type, "total": quantity, **LICENCE_TYPES[licence_type]}
        execute(licence_pool.insert(), values)


def pools(account_id: str) -> dict[str, Pool]:
    """Return the licence pools of an account by type, personal types first and by tier."""
    order = (licence_pool.c.tier.is_(None), licence_pool.c.tier, licence_pool.c.type)
    rows = execute(sa.select(licence_pool).where(licence_pool.c.account_id == account_id).order_by(*order))
    return {
        row.type: Pool(row.type, row.total, row.assigned, row.family, row.tier, row.protected_returns, row.activations)
        for row in rows
    }


def active_administrators(account_id: str) -> int:
    """Return how many active administrators the account has (R21)."""
    statement = (
        sa.select(sa.func.count())
        .select_from(user)
        .where(
            user.c.account_id == account_id,
            user.c.role == ADMINISTRATOR,
            user.c.active.is_(True),
            user.c.kind == PERSON,
        )
    )
    return int(execute(statement).scalar_one())


def was_deleted(account_id: str, user_name: str) -> bool:
    """Whether a user of this address was deleted before (R23)."""
    statement = sa.select(sa.literal(1)).where(
        deleted_address.c.account_id == account_id, deleted_address.c.digest == _digest(account_id, user_name)
    )
    return execute(statement).first() is not None


def remember_deleted(account_id: str, user_name: str, now: int) -> None:
    """Keep the digest of a deleted user's address, so that a re-creation is known (R23)."""
    if not was_deleted(account_id, user_name):
        values = {"account_id": account_id, "digest": _digest(account_id, user_name), "deleted": now}
        execute(deleted_address.insert(), values)


def carry_out(account_id: str, member_id: str, plan: Plan, now: int) -> tuple[int | None, tuple[Granted, ...]]:
    """Move the seats, destroy the logs and write the transfer of a plan.

    Returns how many log entries were destroyed (None when none were to be), and the pending users who got a seat
    that was freed. The user's own row is written by the caller.
    """
    freed = []
    for licence_type, change in _seats(plan.effects):
        _move_seat(account_id, licence_type, change)
        if change < 0:
            freed.append(licence_type)
    purged = None
    if any(isinstance(effect, LogsPurged) for effect in plan.effects):
        purged = user_logs.purge(account_id, member_id)
    if plan.transfer_target is not None:
        _write_state(account_id, plan.transfer_target, now)
    granted = tuple(one for licence_type in freed for one in serve_pending(account_id, licence_type, now))
    return purged, granted


def state_columns(account_pools: Mapping[str, Pool], before: Member | None, after: Member, now: int) -> dict[str, Any]:
    """Return the columns of a user's row that its document does not hold."""
    columns = {name: getattr(after, name) for name in STATE_COLUMNS}
    if after.licence_status == "pending" and (before is None or before.licence_status != "pending"):
        columns["licence_pending_since"] = now
    pool = account_pools.get(after.licence_type or "")
    if pool is not None:
        columns["activations_allowed"] = pool.activations
    elif after.licence_type is None:
        columns["activations_allowed"] = None
    return columns


def serve_pending(account_id: str, licence_type: str, now: int) -> list[Granted]:
    """Give the free seats of a type to the active users who wait for one, oldest first (R6)."""
    free = pools(account_id)[licence_type].available
    if free <= 0:
        return []
    waiting = (
        sa.select(user.c.id, user.c.user_name)
        .where(
            user.c.account_id == account_id,
            user.c.licence_pending_type == licence_type,
            user.c.licence_status == "pending",
            user.c.active.is_(True),
        )
        .order_by(user.c.licence_pending_since, user.c.id)
        .limit(free)
    )
    granted = [Granted(row.id, row.user_name, licence_type) for row in execute(waiting)]
    if granted:
        _assign_pending(account_id, licence_type, [one.id for one in granted], now)
    return granted


def _assign_pending(account_id: str, licence_type: str, ids: list[str], now: int) -> None:
    execute(
        user.update()
        .where(user.c.account_id == account_id, user.c.id.in_(ids))
        .values(
            licence_type=licence_type,
            licence_status="assigned",
            licence_source=sa.func.coalesce(user.c.licence_source, "direct"),
            licence_assigned_at=now,
            activations_allowed=_activations(account_id, licence_type),
            licence_reason=None,
            licence_pending_type=None,
            licence_pending_since=None,
            version=user.c.version + 1,
            modified=now,
        )
    )
    _move_seat(account_id, licence_type, len(ids))


def _seats(effects: Iterable[Effect]) -> list[tuple[str, int]]:
    """Return the changes of the pools in the order of the effects: a new seat is taken before the old one returns."""
    return [seat for effect in effects for seat in effect.seats]


def _move_seat(account_id: str, licence_type: str, change: int) -> None:
    """Change the assigned count of a pool, never beyond what is bought; Refused E5 when it would be."""
    statement = (
        licence_pool.update()
        .where(
            licence_pool.c.account_id == account_id,
            licence_pool.c.type == licence_type,
            licence_pool.c.assigned + change <= licence_pool.c.total,
        )
        .values(assigned=licence_pool.c.assigned + change)
    )
    if execute(statement).rowcount == 0:
        pool = pools(account_id)[licence_type]
        raise Refused("R6", "E5", type=licence_type, assigned=pool.assigned, total=pool.total)


def _write_state(account_id: str, member: Member, now: int) -> None:
    execute(
        user.update()
        .where(user.c.account_id == account_id, user.c.id == member.id)
        .values(
            **{name: getattr(member, name) for name in STATE_COLUMNS},
            activations_allowed=_activations(account_id, member.licence_type),
            licence_pending_since=None,
            version=user.c.version + 1,
            modified=now,
        )
    )


def _activations(account_id: str, licence_type: str | None) -> sa.ScalarSelect[int | None]:
    """How many activations one licence of a type allows, for a shared mailbox that receives it (R26)."""
    where = (licence_pool.c.account_id == account_id, licence_pool.c.type == licence_type)
    return sa.select(licence_pool.c.activations).where(*where).scalar_subquery()


def _digest(account_id: str, user_name: str) -> str:
    return hashlib.sha256(f"{account_id}:{fold_name(user_name)}".encode()).hexdigest()


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
