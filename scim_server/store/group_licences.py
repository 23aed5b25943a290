"""What groups give their members, and how many members hold it or wait for it (R27).

The counts are kept, not computed: reading a group of 100,000 members costs what reading one of 10 costs.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.account.model import Member
from scim_server.store.database import Prepared, chunks, execute
from scim_server.store.id_lists import among
from scim_server.store.tables import group, membership, user

LICENSED, PENDING = "licensed_member_count", "pending_member_count"


def counted_in(member: Member | None) -> frozenset[tuple[str, str]]:
    """Return in which counts of its groups a member appears: column, and the type that the group must give."""
    if member is None or member.licence_source != "group":
        return frozenset()
    held = {(LICENSED, member.licence_type)} if member.holds_seat and member.licence_type else set()
    awaited = {(PENDING, member.licence_pending_type)} if member.waits and member.active else set()
    return frozenset((column, type) for column, type in held | awaited if type is not None)


def types_given(account_id: str, user_ids: Sequence[str]) -> Mapping[str, list[tuple[str, str]]]:
    """Return the licence types that the groups of users give, with the groups' names, the first assigned first."""
    given: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for chunk in chunks(user_ids):
        for row in _GIVEN.all({"account": account_id, "ids": chunk}):
            given[row.user_id].append((row.licence_type, row.display_name))
    return given


_GIVEN = Prepared(
    sa.select(membership.c.user_id, group.c.licence_type, group.c.display_name)
    .join(group, (group.c.account_id == membership.c.account_id) & (group.c.id == membership.c.group_id))
    .where(membership.c.account_id == sa.bindparam("account"), among(membership.c.user_id))
    .where(group.c.licence_type.is_not(None))
    .order_by(membership.c.user_id, membership.c.added, membership.c.group_id)
)


def gives(account_id: str, licence_types: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a group of the user gives one of these types."""
    of_group = (group.c.account_id == membership.c.account_id) & (group.c.id == membership.c.group_id)
    mine = (membership.c.account_id == account_id, membership.c.user_id == user.c.id)
    found = sa.select(sa.literal(1)).select_from(membership.join(group, of_group)).where(*mine)
    return found.where(group.c.licence_type.in_(licence_types)).correlate(user).exists()


def set_type(account_id: str, group_id: str, licence_type: str | None, now: int) -> None:
    """Have a group give another licence type, or none; nobody is counted as having it yet."""
    execute(
        group.update()
        .where(group.c.account_id == account_id, group.c.id == group_id)
        .values(
            {"licence_type": licence_type, LICENSED: 0, PENDING: 0, "version": group.c.version + 1, "modified": now}
        )
    )


def without_type(account_id: str, name_keys: Sequence[str]) -> list[sa.Row[Any]]:
    """Return the groups of these folded names that give no licence: id, name, folded name."""
    where = (group.c.account_id == account_id, group.c.display_name_key.in_(name_keys), group.c.licence_type.is_(None))
    columns = (group.c.id, group.c.display_name, group.c.display_name_key)
    return list(execute(sa.select(*columns).where(*where).order_by(group.c.id)))


def count(account_id: str, group_id: str, licence_type: str, came: Iterable[Member], left: Iterable[Member]) -> None:
    """Count the members who came to a group, and no longer those who left it, as they are at this moment."""
    numbers: Counter[str] = Counter()
    for sign, members in ((1, came), (-1, left)):
        for member in members:
            for column, awaited_or_held in counted_in(member):
                numbers[column] += sign * (awaited_or_held == licence_type)
    _add(account_id, group_id, numbers)


def recount(account_id: str, changes: Iterable[tuple[Member, Member]]) -> None:
    """Move the counts of all groups whose members hold or await something else than before (R27)."""
    moved: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for before, after in changes:
        was, now_is = counted_in(before), counted_in(after)
        for sign, keys in ((-1, was - now_is), (1, now_is - was)):
            for column, licence_type in keys:
                moved[column, licence_type, sign].append(before.id)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (column, licence_type, sign), ids in moved.items():
        for chunk in chunks(ids):
            for group_id, number in _members_among(account_id, licence_type, chunk):
                counts[group_id][column] += sign * number
    for group_id, numbers in sorted(counts.items()):
        _add(account_id, group_id, numbers)


def _members_among(account_id: str, licence_type: str, user_ids: Sequence[str]) -> Iterable[tuple[str, int]]:
    """Return how many of the users are members of each group that gives a type."""
    statement = (
        sa.select(membership.c.group_id, sa.func.count().label("number"))
        .join(group, (group.c.account_id == membership.c.account_id) & (group.c.id == membership.c.group_id))
        .where(membership.c.account_id == account_id, membership.c.user_id.in_(user_ids))
        .where(group.c.licence_type == licence_type)
        .group_by(membership.c.group_id)
    )
    return [(row.group_id, row.number) for row in execute(statement)]


def _add(account_id: str, group_id: str, numbers: Mapping[str, int]) -> None:
    """Add to the counts of a group, whose version moves with what it shows."""
    values = {column: group.c[column] + number for column, number in numbers.items() if number}
    if values:
        new = {**values, "version": group.c.version + 1}
        execute(group.update().where(group.c.account_id == account_id, group.c.id == group_id).values(new))
