"""Accounts: policies, approved domains, licence pools, and the facts that the rules ask of them."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.model import ADMINISTRATOR, PERSON, Pool
from scim_server.protocol.folding import fold_name
from scim_server.store.database import dialect, enter, execute
from scim_server.store.dialects import insert_into
from scim_server.store.id_lists import among
from scim_server.store.identifiers import new_id
from scim_server.store.prepared import Prepared
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


def create(name: str, settings: Mapping[str, Any], now: int) -> str:
    """Create an account and return its id; what follows in the block is of that account."""
    identifier = new_id()
    enter(identifier)
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


def lock(account_id: str) -> Any:
    """Make every other request that moves a seat or an administrator of the account wait (P6); returns its row.

    The lock does not hinder inserts that refer to the account. SQLite has one writer at a time already.
    """
    return _LOCKED.one_or_none({"account": account_id})


_LOCKED = Prepared(sa.select(account).where(account.c.id == sa.bindparam("account")).with_for_update(key_share=True))


def set_domain(account_id: str, name: str, status: str, now: int) -> None:
    """Note a domain of an account as pending, approved or refused; IntegrityError when another account has it."""
    approved_at = now if status == "approved" else None
    where = (approved_domain.c.account_id == account_id, approved_domain.c.name == name)
    values = {"status": status, "approved_at": approved_at}
    if execute(approved_domain.update().where(*where).values(values)).rowcount == 0:
        new = {"account_id": account_id, "name": name, "requested_at": now}
        execute(approved_domain.insert(), {**new, **values})


def withdraw_domain(account_id: str, name: str) -> int:
    """Forget a domain of an account, which another one may have then; returns 0 where there was none."""
    where = (approved_domain.c.account_id == account_id, approved_domain.c.name == name)
    return execute(approved_domain.delete().where(*where)).rowcount


def domains(account_id: str) -> list[sa.Row[Any]]:
    """Return the domains of an account by name."""
    statement = sa.select(approved_domain).where(approved_domain.c.account_id == account_id)
    return list(execute(statement.order_by(approved_domain.c.name)))


def domain_owner(name: str) -> str | None:
    """Return the id of the account that has a domain approved, or None: it belongs to that account alone (R3)."""
    approved = (approved_domain.c.name == name, approved_domain.c.status == "approved")
    return execute(sa.select(approved_domain.c.account_id).where(*approved)).scalar()


def approved(account_id: str, names: Iterable[str]) -> frozenset[str]:
    """Return those of the named domains that are approved for the account (R2)."""
    if not (asked := sorted(names)):
        return frozenset()
    return frozenset(row.name for row in _APPROVED.all({"account": account_id, "ids": asked}))


_APPROVED = Prepared(
    sa.select(approved_domain.c.name).where(
        approved_domain.c.account_id == sa.bindparam("account"),
        among(approved_domain.c.name),
        approved_domain.c.status == "approved",
    )
)


def add_licences(account_id: str, licence_type: str, quantity: int) -> None:
    """Add bought licences to the pool of a type, creating the pool with the type's capabilities."""
    where = (licence_pool.c.account_id == account_id, licence_pool.c.type == licence_type)
    changed = execute(licence_pool.update().where(*where).values(total=licence_pool.c.total + quantity))
    if changed.rowcount == 0:
        values = {"account_id": account_id, "type": licence_type, "total": quantity, **LICENCE_TYPES[licence_type]}
        execute(licence_pool.insert(), values)


def remove_licences(account_id: str, licence_type: str, quantity: int) -> bool:
    """Take licences that nobody holds out of a pool; returns whether it had so many (R32)."""
    left = licence_pool.c.total - quantity
    where = (licence_pool.c.account_id == account_id, licence_pool.c.type == licence_type)
    reduced = licence_pool.update().where(*where, licence_pool.c.assigned <= left).values(total=left)
    return execute(reduced).rowcount == 1


def set_activations(account_id: str, licence_type: str, quantity: int, now: int) -> None:
    """Set how many activations each licence of a type allows, and show it on the users who hold one (R26)."""
    where = (licence_pool.c.account_id == account_id, licence_pool.c.type == licence_type)
    execute(licence_pool.update().where(*where).values(activations=quantity))
    holders = (user.c.account_id == account_id, user.c.licence_type == licence_type)
    shown = {"activations_allowed": quantity, "version": user.c.version + 1, "modified": now}
    execute(user.update().where(*holders).values(shown))


def pools(account_id: str) -> dict[str, Pool]:
    """Return the licence pools of an account by type, personal types first and by tier."""
    return {
        row.type: Pool(row.type, row.total, row.assigned, row.family, row.tier, row.protected_returns, row.activations)
        for row in _POOLS.all({"account": account_id})
    }


_POOLS = Prepared(
    sa.select(licence_pool)
    .where(licence_pool.c.account_id == sa.bindparam("account"))
    .order_by(licence_pool.c.tier.is_(None), licence_pool.c.tier, licence_pool.c.type)
)


def active_administrators(account_id: str) -> int:
    """Return how many active administrators the account has (R21)."""
    return int(_ADMINISTRATORS.scalar({"account": account_id}))


_ADMINISTRATORS = Prepared(
    sa.select(sa.func.count().label("total"))
    .select_from(user)
    .where(
        user.c.account_id == sa.bindparam("account"),
        user.c.role == sa.literal_column(f"'{ADMINISTRATOR}'"),  # literal, so that its index is found
        user.c.active.is_(True),
        user.c.kind == PERSON,
    )
)


def was_deleted(account_id: str, user_name: str) -> bool:
    """Whether a user of this address was deleted before (R23)."""
    asked = {"account": account_id, "digest": _digest(account_id, user_name)}
    return _WAS_DELETED.scalar(asked) is not None


_WAS_DELETED = Prepared(
    sa.select(deleted_address.c.deleted).where(
        deleted_address.c.account_id == sa.bindparam("account"), deleted_address.c.digest == sa.bindparam("digest")
    )
)


def remember_deleted(account_id: str, user_name: str, now: int) -> None:
    """Keep the digest of a deleted user's address, so that a re-creation is known (R23)."""
    values = {"account_id": account_id, "digest": _digest(account_id, user_name), "deleted": now}
    _remember(dialect()).run(values)


@lru_cache
def _remember(dialect_name: str) -> Prepared:
    return Prepared(insert_into(dialect_name, deleted_address).on_conflict_do_nothing())


def _digest(account_id: str, user_name: str) -> str:
    return hashlib.sha256(f"{account_id}:{fold_name(user_name)}".encode()).hexdigest()


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
