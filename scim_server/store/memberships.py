"""Group membership as rows: a change touches the named rows only, however large the group is."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.model import Member
from scim_server.store.columns import Micros
from scim_server.store.database import chunks, dialect, execute
from scim_server.store.dialects import insert_into
from scim_server.store.group_licences import counted_in
from scim_server.store.id_lists import among, each
from scim_server.store.prepared import Prepared
from scim_server.store.tables import group, membership, user


def lock_users(account_id: str, ids: Iterable[str]) -> frozenset[str]:
    """Return those of the ids that are users of the account, kept from being deleted until the transaction ends.

    Users are locked before groups, everywhere, so that no two requests wait for each other.
    """
    known: set[str] = set()
    for chunk in chunks(sorted(set(ids))):
        known.update(row.id for row in _LOCKED.all({"account": account_id, "ids": chunk}))
    return frozenset(known)


_LOCKED = Prepared(
    sa.select(user.c.id)
    .where(user.c.account_id == sa.bindparam("account"), among(user.c.id))
    .order_by(user.c.id)
    .with_for_update(read=True, key_share=True)
)


def add(account_id: str, group_id: str, user_ids: Sequence[str], now: int) -> list[str]:
    """Make users of the account members of a group; returns those who were not yet."""
    added: list[str] = []
    for chunk in chunks(user_ids):
        values = {"account": account_id, "group": group_id, "ids": chunk, "now": now}
        added += [row.user_id for row in _insert(dialect()).all(values)]
    return added


def remove(account_id: str, group_id: str, user_ids: Iterable[str]) -> list[str]:
    """Take users out of a group; returns those who were members."""
    removed: list[str] = []
    for chunk in chunks(sorted(set(user_ids))):
        removed += [row.user_id for row in _REMOVE.all({"account": account_id, "group": group_id, "ids": chunk})]
    return removed


_REMOVE = Prepared(
    membership.delete()
    .where(membership.c.account_id == sa.bindparam("account"), membership.c.group_id == sa.bindparam("group"))
    .where(among(membership.c.user_id))
    .returning(membership.c.user_id)
)


def ids(account_id: str, group_id: str) -> list[str]:
    """Return the ids of all members of a group, who was added first before the others."""
    statement = sa.select(membership.c.user_id).where(*_of_group(account_id, group_id))
    return list(execute(statement.order_by(membership.c.added, membership.c.user_id)).scalars())


def texts(account_id: str, group_ids: Sequence[str], base: str, display: bool) -> dict[str, str]:
    """Return the members of each group as the text of a JSON array, which the database writes; one statement.

    ``base`` is the address before a user's id; what a user is called is told where ``display`` is asked for. Ids are
    safe within JSON by construction.
    """
    asked = {"account": account_id, "ids": group_ids, "base": orjson.dumps(base).decode()[1:-1]}
    written = {row.group_id: f"[{row.members}]" for row in _texts(dialect(), display).all(asked)}
    return {group_id: written.get(group_id, "[]") for group_id in group_ids}


@lru_cache
def _texts(dialect_name: str, display: bool) -> Prepared:
    base = sa.bindparam("base", type_=sa.Text)
    text: sa.ColumnElement[Any] = sa.literal_column('\'{"value":"\'', sa.Text) + membership.c.user_id
    text = text + sa.literal_column('\'","$ref":"\'', sa.Text) + base + membership.c.user_id
    text = text + sa.literal_column('\'","type":"User"\'', sa.Text)
    source: sa.FromClause = membership
    if display:
        name = sa.func.coalesce(user.c.display_name, user.c.user_name)
        quoted = sa.cast(sa.func.to_json(name), sa.Text) if dialect_name == "postgresql" else sa.func.json_quote(name)
        text = text + sa.literal_column("',\"display\":'", sa.Text) + quoted
        of_user = (user.c.account_id == membership.c.account_id) & (user.c.id == membership.c.user_id)
        source = membership.join(user, of_user)
    elements = (
        sa.select(membership.c.group_id, (text + sa.literal_column("'}'", sa.Text)).label("element"))
        .select_from(source)
        .where(membership.c.account_id == sa.bindparam("account"), among(membership.c.group_id))
        .order_by(membership.c.group_id, membership.c.user_id)
        .subquery()
    )
    joined = sa.func.string_agg if dialect_name == "postgresql" else sa.func.group_concat
    members = joined(elements.c.element, sa.literal_column("','")).label("members")
    return Prepared(sa.select(elements.c.group_id, members).group_by(elements.c.group_id))


def leave_all(account_id: str, member: Member, now: int) -> list[str]:
    """Take a user out of every group, moving the groups' versions (ETG-07); returns the ids of the groups.

    The groups are locked first, by id: of a removal at the same time, only what it has left is counted.
    """
    if not _GROUPS.all({"account": account_id, "user": member.id}):
        return []
    mine = (membership.c.account_id == account_id, membership.c.user_id == member.id)
    left = list(execute(membership.delete().where(*mine).returning(membership.c.group_id)).scalars())
    values = {"version": group.c.version + 1, "modified": now, "member_count": group.c.member_count - 1}
    for column, licence_type in counted_in(member):
        values[column] = group.c[column] - sa.case((group.c.licence_type == licence_type, 1), else_=0)
    for chunk in chunks(left):
        execute(group.update().where(group.c.account_id == account_id, group.c.id.in_(chunk)).values(values))
    return sorted(left)


_of_user = (membership.c.account_id == sa.bindparam("account"), membership.c.user_id == sa.bindparam("user"))
_GROUPS = Prepared(
    sa.select(group.c.id)
    .where(group.c.account_id == sa.bindparam("account"))
    .where(group.c.id.in_(sa.select(membership.c.group_id).where(*_of_user)))
    .order_by(group.c.id)
    .with_for_update(key_share=True)
)
"""The groups of a user, locked."""


@lru_cache
def _insert(dialect_name: str) -> Prepared:
    """The insert of members who are not yet there."""
    new = insert_into(dialect_name, membership)
    account, group_id, now = (sa.bindparam(name, type_=sa.Text) for name in ("account", "group", "now"))
    rows = sa.select(account, group_id, each(), sa.cast(now, Micros)).where(sa.true())  # else SQLite misreads ON
    columns = ("account_id", "group_id", "user_id", "added")
    return Prepared(new.from_select(columns, rows).on_conflict_do_nothing().returning(membership.c.user_id))


def _of_group(account_id: str, group_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (membership.c.account_id == account_id, membership.c.group_id == group_id)
