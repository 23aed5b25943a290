"""Rows of users, groups and configured resources: read by key or by condition, inserted, replaced, deleted.

Every function takes the account first; no statement is built without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.protocol.catalogue import ACCOUNT_USER, Attribute, Endpoint
from scim_server.protocol.documents import Stored
from scim_server.protocol.entitlements import without_licence
from scim_server.protocol.folding import fold_name
from scim_server.store.database import Prepared, dialect, execute
from scim_server.store.mapping import folded, map_of, value_key
from scim_server.store.tables import group, user, user_value
from scim_server.store.texts import columns_sent, document_of, stored, written


class Taken(Exception):
    """A unique value is in use by another resource of the account."""


class Stale(Exception):
    """The row changed between reading and writing; the whole request is to be tried again."""


def fetch(account_id: str, endpoint: Endpoint, identifier: str) -> Stored | None:
    """Return a resource as it is sent, or None; one statement, the user's groups included."""
    row = _by_id(endpoint, dialect()).one_or_none({"account": account_id, "id": identifier})
    return stored(endpoint, row) if row is not None else None


def password(account_id: str, identifier: str) -> str | None:
    """Return the digest of a user's password, or None."""
    mine = (user.c.account_id == account_id, user.c.id == identifier)
    digest: str | None = execute(sa.select(user.c.password).where(*mine)).scalar()
    return digest


def forget_passwords(account_id: str) -> None:
    """Forget the passwords of all users of an account."""
    kept = (user.c.account_id == account_id, user.c.password.is_not(None))
    execute(user.update().where(*kept).values(password=None))


class Lock(Enum):
    """How a row is kept for the rest of a transaction."""

    NONE = "none"
    CHANGE = "change"
    """Nobody else may change the row; memberships that refer to it may still be added."""
    DELETE = "delete"
    """No membership may be added either, so that those that are counted are all there are."""


def fetch_row(account_id: str, endpoint: Endpoint, identifier: str, lock: Lock = Lock.CHANGE) -> Any:
    """Return the row of a resource, locked until the end of the transaction, or None."""
    return _row_by_id(endpoint, lock).one_or_none({"account": account_id, "id": identifier})


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


def find_group(account_id: str, endpoint: Endpoint, display_name: str) -> sa.Row[Any] | None:
    """Return the row of the group of a name, locked for a change, or None."""
    key = _key(endpoint, "displayname", display_name)
    named = sa.select(group.c.id).where(group.c.account_id == account_id, group.c.display_name_key == key)
    identifier = execute(named).scalar()
    return fetch_row(account_id, endpoint, identifier) if identifier else None


def insert(account_id: str, endpoint: Endpoint, document: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    """Insert a resource; raises Taken when its name is in use."""
    place = map_of(endpoint)
    of_type = {"type": place.type} if place.type is not None else {}
    values = {"account_id": account_id, **of_type, **derived(endpoint, document), **columns}
    _guarded(_insert(endpoint, frozenset(values)), values)
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
    values = {**(derived(endpoint, document) if document is not None else {}), **columns}
    bound = {f"new_{name}": value for name, value in values.items()}
    key = {"old_account": account_id, "old_id": before.id, "old_version": before.version}
    if _guarded(_update(endpoint, frozenset(values)), bound | key) == 0:
        raise Stale
    if document is not None:
        _replace_values(account_id, endpoint, before, document)


def delete(account_id: str, endpoint: Endpoint, identifier: str) -> None:
    """Delete a resource with all that belongs to it; its memberships, logs and values go by cascade."""
    _delete(endpoint).run({"account": account_id, "id": identifier})


@lru_cache(maxsize=64)
def _delete(endpoint: Endpoint) -> Prepared:
    return Prepared(map_of(endpoint).table.delete().where(*_with_id(endpoint)))


@lru_cache(maxsize=64)
def _by_id(endpoint: Endpoint, dialect_name: str) -> Prepared:
    return Prepared(sa.select(*columns_sent(endpoint, dialect_name)).where(*_with_id(endpoint)))


@lru_cache(maxsize=64)
def _row_by_id(endpoint: Endpoint, lock: Lock) -> Prepared:
    return Prepared(_rows(endpoint, lock).where(*_with_id(endpoint)))


def _with_id(endpoint: Endpoint) -> tuple[sa.ColumnElement[bool], ...]:
    place = map_of(endpoint)
    return place.of_account(sa.bindparam("account")), place.table.c.id == sa.bindparam("id")


def _rows(endpoint: Endpoint, lock: Lock) -> sa.Select[Any]:
    left_out = {"folded", "account_id", "password"}
    statement = sa.select(*(column for column in map_of(endpoint).table.c if column.name not in left_out))
    return statement if lock is Lock.NONE else statement.with_for_update(key_share=lock is Lock.CHANGE)


@lru_cache(maxsize=256)
def _insert(endpoint: Endpoint, names: frozenset[str]) -> Prepared:
    """The insert of a row with these columns."""
    table = map_of(endpoint).table
    return Prepared(
        table.insert().values({name: sa.bindparam(name, type_=table.c[name].type) for name in sorted(names)})
    )


@lru_cache(maxsize=256)
def _update(endpoint: Endpoint, names: frozenset[str]) -> Prepared:
    """The update of some columns over the version that was read."""
    place = map_of(endpoint)
    table = place.table
    where = [place.of_account(sa.bindparam("old_account")), table.c.id == sa.bindparam("old_id")]
    version = sa.bindparam("old_version", type_=sa.Integer)
    new = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in sorted(names)}
    return Prepared(table.update().where(*where, table.c.version == version).values(version=version + 1, **new))


def derived(endpoint: Endpoint, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that follow from a document: its text, its search form, its keys.

    A document is stored with nothing but these and the account's own columns, so that its index can be made again.
    """
    kept = map_of(endpoint).columns
    name = document.get("displayName") if f"{endpoint.schema}:displayName".lower() in kept else None
    columns = {
        "document": orjson.dumps(document).decode(),
        "folded": folded(endpoint.attributes, _searched(endpoint, document), kept),
        "external_id": _key(endpoint, "externalid", document.get("externalId")),
        "display_name": name,
        "display_name_key": _key(endpoint, "displayname", name),
    }
    if endpoint.path == "/Users":
        extension = document[ACCOUNT_USER]
        columns |= {
            "user_name": document["userName"],
            "user_name_key": _key(endpoint, "username", document["userName"]),
            "active": document.get("active") is not False,
            "role": extension["role"],
            "kind": extension["kind"],
        }
    return columns


def _searched(endpoint: Endpoint, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of a document is searched: the licence is a column, which may change without the document."""
    if endpoint.path != "/Users" or "entitlements" not in document:
        return document
    return {**document, "entitlements": without_licence(document["entitlements"])}


def _key(endpoint: Endpoint, name: str, value: str | None) -> str | None:
    return value_key(endpoint.attributes[name], value) if value is not None else None


def _guarded(statement: Prepared, values: Mapping[str, Any]) -> int:
    try:
        return statement.run(values)
    except sa.exc.IntegrityError as error:
        if "_name_key" in str(error.orig):
            raise Taken from error
        raise


def indexed_values(endpoint: Endpoint, document: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Return the values of a document that have an index of their own: path, folded value."""
    return frozenset(
        (path, value_key(attribute, element["value"]))
        for path, name, attribute in _indexed(endpoint)
        for element in document.get(name) or ()
        if element.get("value")
    )


def _indexed(endpoint: Endpoint) -> list[tuple[str, str, Attribute]]:
    """The multi-valued attributes with an index of their own: path, name of the list, attribute of the value."""
    return [
        (urn, endpoint.by_urn[urn.rpartition(".")[0]].name, endpoint.by_urn[urn])
        for urn in map_of(endpoint).indexed_values
    ]


def _insert_values(account_id: str, endpoint: Endpoint, identifier: str, document: Mapping[str, Any]) -> None:
    owner = {"account_id": account_id, "user_id": identifier}
    rows = [{**owner, "path": path, "value_key": key} for path, key in sorted(indexed_values(endpoint, document))]
    if rows:
        _INSERT_VALUES.run_each(rows)


_INSERT_VALUES = Prepared(user_value.insert())


def _replace_values(account_id: str, endpoint: Endpoint, before: sa.Row[Any], document: Mapping[str, Any]) -> None:
    if indexed_values(endpoint, written(before)) != indexed_values(endpoint, document):
        execute(user_value.delete().where(user_value.c.account_id == account_id, user_value.c.user_id == before.id))
        _insert_values(account_id, endpoint, before.id, document)
