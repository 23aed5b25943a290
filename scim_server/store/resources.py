"""Rows of users and groups: read by key or by condition, inserted, replaced, deleted.

Every function takes the account first; no statement is built without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.model import SHARED_MAILBOX
from scim_server.protocol.catalogue import ACCOUNT_USER, Attribute, Endpoint
from scim_server.protocol.documents import Stored, instant
from scim_server.protocol.folding import fold_name
from scim_server.store.database import Prepared, dialect, execute
from scim_server.store.mapping import LICENCE_COLUMNS, MAPS, MEMBER_COUNTS, Map, folded, value_key
from scim_server.store.tables import group, membership, user, user_value


class Taken(Exception):
    """A unique value is in use by another resource of the account."""


class Stale(Exception):
    """The row changed between reading and writing; the whole request is to be tried again."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search."""

    resources: tuple[Stored, ...]
    total: int


def fetch(account_id: str, endpoint: Endpoint, identifier: str) -> Stored | None:
    """Return a resource as it is sent, or None; one statement, the user's groups included."""
    row = _by_id(endpoint, dialect()).one_or_none({"account": account_id, "id": identifier})
    return stored(endpoint, row) if row is not None else None


def fetch_row(account_id: str, endpoint: Endpoint, identifier: str, *, lock: bool = True) -> sa.Row[Any] | None:
    """Return the row of a resource for a change, locked until the end of the transaction."""
    statement = _row_by_id(endpoint, lock)
    return execute(statement, {"account": account_id, "id": identifier}).one_or_none()


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A user found by its id or its name."""

    id: str
    document: dict[str, Any]
    row: sa.Row[Any]


def find_user(account_id: str, endpoint: Endpoint, id_or_name: str) -> FoundUser | None:
    """Return the user of an exact id or of a userName, locked for a change, or None."""
    named = sa.select(user.c.id).where(user.c.account_id == account_id, user.c.user_name_key == fold_name(id_or_name))
    row = fetch_row(account_id, endpoint, id_or_name)
    if row is None and (identifier := execute(named).scalar()):
        row = fetch_row(account_id, endpoint, identifier)
    return FoundUser(row.id, document_of(endpoint, row), row) if row is not None else None


@dataclass(frozen=True, slots=True)
class Lookup:
    """The usual question of an IdP: the resources with one value in an indexed column."""

    column: sa.Column[Any]
    value: str


def look_up(account_id: str, endpoint: Endpoint, asked: Lookup | None, offset: int, limit: int) -> Found:
    """Return one page of all resources, or of those of a lookup, in the usual order; prepared statements only."""
    column = asked.column if asked else None
    parameters = {"account": account_id, "value": asked.value if asked else None, "limit": limit, "offset": offset}
    rows = _page(endpoint, dialect(), column).all(parameters) if limit else []
    total = _total_seen(rows, offset, limit)
    if total is None:
        total = _count(endpoint, column).one_or_none(parameters).total
    return Found(tuple(stored(endpoint, row) for row in rows), total)


def search(
    account_id: str,
    endpoint: Endpoint,
    condition: sa.ColumnElement[bool] | None,
    order: Sequence[sa.ColumnElement[Any]],
    offset: int,
    limit: int,
) -> Found:
    """Return one page of the resources that meet a condition, and how many meet it in all."""
    table = MAPS[endpoint.path].table
    where = [table.c.account_id == account_id, *([] if condition is None else [condition])]
    order = [*order] or [table.c.created, table.c.id]
    rows: Sequence[Any] = []
    if limit:
        # The page's ids come from the narrowest index; only its rows are read whole.
        ids = sa.select(table.c.id).where(*where).order_by(*order).limit(limit).offset(offset)
        page = sa.select(*_columns(endpoint, dialect())).order_by(*order)
        rows = execute(page.where(table.c.account_id == account_id, table.c.id.in_(ids))).all()
    total = _total_seen(rows, offset, limit)
    if total is None:
        total = execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()
    return Found(tuple(stored(endpoint, row) for row in rows), total)


def _total_seen(rows: Sequence[Any], offset: int, limit: int) -> int | None:
    """Return how many resources there are in all where the page itself tells: it is the last one."""
    return offset + len(rows) if len(rows) < limit and (rows or offset == 0) else None


def insert(account_id: str, endpoint: Endpoint, document: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    """Insert a resource; raises Taken when its name is in use."""
    table = MAPS[endpoint.path].table
    values = {"account_id": account_id, **_derived(endpoint, document), **columns}
    _guarded(table.insert(), values)
    _insert_values(account_id, endpoint, columns["id"], document)


def update(
    account_id: str,
    endpoint: Endpoint,
    before: sa.Row[Any],
    document: Mapping[str, Any] | None,
    columns: Mapping[str, Any],
) -> None:
    """Write a changed resource over the version that was read; raises Stale when it is gone, Taken as `insert`.

    ``document`` is None when only columns changed.
    """
    table = MAPS[endpoint.path].table
    values = {**(_derived(endpoint, document) if document is not None else {}), **columns}
    statement = (
        table.update()
        .where(table.c.account_id == account_id, table.c.id == before.id, table.c.version == before.version)
        .values(version=before.version + 1, **values)
    )
    if _guarded(statement).rowcount == 0:
        raise Stale
    if document is not None:
        _replace_values(account_id, endpoint, before, document)


def delete(account_id: str, endpoint: Endpoint, identifier: str) -> None:
    """Delete a resource with all that belongs to it; its memberships, logs and values go by cascade."""
    table = MAPS[endpoint.path].table
    execute(table.delete().where(table.c.account_id == account_id, table.c.id == identifier))


def stored(endpoint: Endpoint, row: sa.Row[Any]) -> Stored:
    """Return a row as it is sent: for a user the document with the account's own state spliced in."""
    if endpoint.path == "/Groups":
        return Stored(row.id, _with_counts(row), row.version, row.created, row.modified, member_count=row.member_count)
    groups = () if row.groups in (None, "[]") else tuple(map(tuple, orjson.loads(row.groups)))
    return Stored(row.id, _with_account_state(row), row.version, row.created, row.modified, groups)


def document_of(endpoint: Endpoint, row: sa.Row[Any]) -> dict[str, Any]:
    """Return the whole resource of a row as a document, without ``meta`` and the derived lists."""
    text = _with_account_state(row) if endpoint.path == "/Users" else row.document
    document: dict[str, Any] = orjson.loads(text)
    return document


_STATE = [(name, column.key, kind) for name, (column, kind) in LICENCE_COLUMNS.items()]
_SETTLED = tuple((name, key, kind) for name, key, kind in _STATE if kind != "instant")
_INSTANTS = tuple((name, attrgetter(key)) for name, key, kind in _STATE if kind == "instant")
_settled_values = attrgetter("kind", *(key for _, key, _ in _SETTLED))


@lru_cache(maxsize=4096)
def _settled(values: tuple[Any, ...]) -> str:
    """Return the account's state of a user without its times as JSON members; few states are shared by all users."""
    kind, *rest = values
    state = {}
    for (name, _, column_kind), value in zip(_SETTLED, rest, strict=True):
        if column_kind == "boolean":
            if value or name != "licenseResetRequired":
                state[name] = bool(value)
        elif value is not None and (name != "activationsUsed" or kind == SHARED_MAILBOX):
            state[name] = value
    return orjson.dumps(state).decode()[1:-1]


def _with_account_state(row: Any) -> str:
    """Splice the account's state into the document's text.

    The account's extension is the last member of every document and never empty, so that the text ends in ``}}``
    and the state goes in front of that.
    """
    text = f"{row.document[:-2]},{_settled(_settled_values(row))}"
    for name, value_of in _INSTANTS:
        if (value := value_of(row)) is not None:
            text += f',"{name}":"{instant(value)}"'
    if row.licence_type is None:
        return text + "}}"
    licence = f'{{"value":"{row.licence_type}","type":"license","display":"{row.licence_type}"}}'
    if '"entitlements":[' not in row.document:
        return f'{text}}},"entitlements":[{licence}]}}'
    document = orjson.loads(text + "}}")
    document["entitlements"].append(orjson.loads(licence))
    return orjson.dumps(document).decode()


def _with_counts(row: Any) -> str:
    """Splice the counts of a group's members into the document's text, in the same way."""
    counts = {name: getattr(row, column.key) for name, (column, _) in MEMBER_COUNTS.items()}
    return f"{row.document[:-2]},{orjson.dumps(counts).decode()[1:]}}}"


def _columns(endpoint: Endpoint, dialect_name: str) -> list[sa.ColumnElement[Any]]:
    table = MAPS[endpoint.path].table
    columns: list[sa.ColumnElement[Any]] = [table.c[name] for name in ("id", "document", "version", "created", "modified")]
    if table is user:
        columns += [column for column, _ in LICENCE_COLUMNS.values()]
        columns += [user.c.kind, _groups_of_user(dialect_name).label("groups")]
    else:
        columns += [column for column, _ in MEMBER_COUNTS.values()]
    return columns


def _groups_of_user(dialect_name: str) -> sa.ScalarSelect[Any]:
    """The groups of the user of a row as JSON text: ``[[id, displayName], ...]``."""
    if dialect_name == "postgresql":
        pairs = sa.cast(sa.func.json_agg(sa.func.json_build_array(group.c.id, group.c.display_name)), sa.Text)
    else:
        pairs = sa.func.json_group_array(sa.func.json_array(group.c.id, group.c.display_name))
    return (
        sa.select(pairs)
        .select_from(membership)
        .join(group, (group.c.account_id == membership.c.account_id) & (group.c.id == membership.c.group_id))
        .where(membership.c.account_id == user.c.account_id, membership.c.user_id == user.c.id)
        .correlate(user)
        .scalar_subquery()
    )


@lru_cache(maxsize=64)
def _by_id(endpoint: Endpoint, dialect_name: str) -> Prepared:
    table = MAPS[endpoint.path].table
    return Prepared(
        sa.select(*_columns(endpoint, dialect_name)).where(
            table.c.account_id == sa.bindparam("account"), table.c.id == sa.bindparam("id")
        )
    )


@lru_cache(maxsize=64)
def _page(endpoint: Endpoint, dialect_name: str, column: sa.Column[Any] | None) -> Prepared:
    """The page of all resources, or of those with one value in a column, in the usual order."""
    table = MAPS[endpoint.path].table
    where = [table.c.account_id == sa.bindparam("account")]
    if column is not None:
        where.append(column == sa.bindparam("value"))
    order = (table.c.created, table.c.id)
    limits = {"limit": sa.bindparam("limit"), "offset": sa.bindparam("offset")}
    ids = sa.select(table.c.id).where(*where).order_by(*order).limit(limits["limit"]).offset(limits["offset"])
    page = sa.select(*_columns(endpoint, dialect_name)).order_by(*order)
    return Prepared(page.where(table.c.account_id == sa.bindparam("account"), table.c.id.in_(ids)))


@lru_cache(maxsize=64)
def _count(endpoint: Endpoint, column: sa.Column[Any] | None) -> Prepared:
    table = MAPS[endpoint.path].table
    statement = sa.select(sa.func.count().label("total")).where(table.c.account_id == sa.bindparam("account"))
    return Prepared(statement if column is None else statement.where(column == sa.bindparam("value")))


@lru_cache(maxsize=64)
def _row_by_id(endpoint: Endpoint, lock: bool) -> sa.Select[Any]:
    table = MAPS[endpoint.path].table
    left_out = {"folded", "account_id"}
    statement = sa.select(*(column for column in table.c if column.name not in left_out)).where(
        table.c.account_id == sa.bindparam("account"), table.c.id == sa.bindparam("id")
    )
    return statement.with_for_update(key_share=True) if lock else statement


def _derived(endpoint: Endpoint, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that follow from a document: its text, its search form, its keys."""
    kept = MAPS[endpoint.path].columns
    columns = {
        "document": orjson.dumps(document).decode(),
        "folded": folded(endpoint.attributes, document, kept),
        "external_id": document.get("externalId"),
        "display_name": document.get("displayName"),
        "display_name_key": _key(endpoint, "displayname", document.get("displayName")),
    }
    if endpoint.path == "/Users":
        extension = document[ACCOUNT_USER]
        columns |= {
            "user_name": document["userName"],
            "user_name_key": _key(endpoint, "username", document["userName"]),
            "active": document["active"],
            "role": extension["role"],
            "kind": extension["kind"],
        }
    return columns


def _key(endpoint: Endpoint, name: str, value: str | None) -> str | None:
    return value_key(endpoint.attributes[name], value) if value is not None else None


def _guarded(statement: sa.Executable, values: Mapping[str, Any] | None = None) -> sa.CursorResult[Any]:
    try:
        return execute(statement, values)
    except sa.exc.IntegrityError as error:
        if "_name_key" in str(error.orig):
            raise Taken from error
        raise


def _value_rows(account_id: str, endpoint: Endpoint, identifier: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = {
        (path, value_key(attribute, element["value"]))
        for path, name, attribute in _indexed(endpoint)
        for element in document.get(name) or ()
        if element.get("value")
    }
    return [{"account_id": account_id, "path": path, "value_key": key, "user_id": identifier} for path, key in sorted(rows)]


def _indexed(endpoint: Endpoint) -> list[tuple[str, str, Attribute]]:
    """The multi-valued attributes with an index of their own: path, name of the list, attribute of the value."""
    return [
        (urn, endpoint.by_urn[urn.rpartition(".")[0]].name, endpoint.by_urn[urn])
        for urn in _map(endpoint).indexed_values
    ]


def _map(endpoint: Endpoint) -> Map:
    return MAPS[endpoint.path]


def _insert_values(account_id: str, endpoint: Endpoint, identifier: str, document: Mapping[str, Any]) -> None:
    if rows := _value_rows(account_id, endpoint, identifier, document):
        execute(user_value.insert(), rows)


def _replace_values(account_id: str, endpoint: Endpoint, before: sa.Row[Any], document: Mapping[str, Any]) -> None:
    old = orjson.loads(before.document)
    if _value_rows(account_id, endpoint, before.id, old) != _value_rows(account_id, endpoint, before.id, document):
        execute(
            user_value.delete().where(user_value.c.account_id == account_id, user_value.c.user_id == before.id)
        )
        _insert_values(account_id, endpoint, before.id, document)
