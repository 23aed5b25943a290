"""A row as it is sent: the document's text, the account's own state and the derived counts spliced into it."""

from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account.model import SHARED_MAILBOX
from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.documents import Stored, instant
from scim_server.protocol.entitlements import is_licence, shown_licence, with_licence
from scim_server.store.mapping import GROUP_COLUMNS, LICENCE_COLUMNS, map_of
from scim_server.store.records import RECORDS
from scim_server.store.tables import group, membership, user


def stored(endpoint: Endpoint, row: Any) -> Stored:
    """Return a row as it is sent: for a user or a group the document with the account's own state spliced in."""
    if (record := RECORDS.get(endpoint.path)) is not None:
        return record(row)
    if endpoint.is_generic:
        return Stored(row.id, row.document, row.version, row.created, row.modified)
    if endpoint.path == "/Groups":
        return Stored(
            row.id, _with_group_state(row), row.version, row.created, row.modified, member_count=row.member_count
        )
    groups = () if row.groups in (None, "[]") else tuple(map(tuple, orjson.loads(row.groups)))
    return Stored(row.id, _with_account_state(row, row.state), row.version, row.created, row.modified, groups)


def document_of(endpoint: Endpoint, row: Any) -> dict[str, Any]:
    """Return the whole resource of a row as a document, without ``meta`` and the derived lists."""
    if endpoint.is_generic:
        return written(row)
    is_user = endpoint.path == "/Users"
    text = _with_account_state(row, orjson.dumps(_settled_values(row)).decode()) if is_user else _with_group_state(row)
    document: dict[str, Any] = orjson.loads(text)
    return document


def written(row: Any) -> dict[str, Any]:
    """Return the document of a row as it was written, without what columns hold.

    A licence that was sent as an entitlement stays in the text when it is lost without a request of the user's own:
    it is left out.
    """
    document: dict[str, Any] = orjson.loads(row.document)
    if (sent := document.pop("entitlements", None)) and (kept := with_licence(sent, row.licence_type)):
        document["entitlements"] = kept
    return document


_SETTLED = {name: kept for name, kept in LICENCE_COLUMNS.items() if kept[1] != "instant"}
_INSTANTS = {name: column.key for name, (column, kind) in LICENCE_COLUMNS.items() if kind == "instant"}
_instant_values = attrgetter(*_INSTANTS.values())
_settled_values = attrgetter("kind", *(column.key for column, _ in _SETTLED.values()))


@lru_cache(maxsize=4096)
def _settled(state_text: str) -> str:
    """Return the account's state of a user without its times as JSON members; few states are shared by all users."""
    kind, *rest = orjson.loads(state_text)
    state = {}
    for (name, (_, column_kind)), value in zip(_SETTLED.items(), rest, strict=True):
        if column_kind == "boolean":
            if value or name != "licenseResetRequired":
                state[name] = bool(value)
        elif value is not None and (name != "activationsUsed" or kind == SHARED_MAILBOX):
            state[name] = value
    return orjson.dumps(state).decode()[1:-1]


def _with_account_state(row: Any, state: str) -> str:
    """Splice the account's state into the document's text.

    The account's extension is the last member of every document and never empty, so that the text ends in ``}}``
    and the state goes in front of that.
    """
    text = f"{row.document[:-2]},{_settled(state)}"
    for name, value in zip(_INSTANTS, _instant_values(row), strict=True):
        if value is not None:
            text += f',"{name}":"{instant(value)}"'
    if '"entitlements":[' in row.document:
        return _with_entitlements(orjson.loads(text + "}}"), row.licence_type)
    if row.licence_type is None:
        return text + "}}"
    return f'{text}}},"entitlements":[{_licence(row.licence_type)}]}}'


@lru_cache(maxsize=64)
def _licence(licence_type: str) -> str:
    return orjson.dumps(shown_licence(licence_type)).decode()


def _with_entitlements(document: dict[str, Any], licence_type: str | None) -> str:
    """Return the text of a document that has entitlements of its own, the licence as it was sent where it was."""
    entitlements = with_licence(document.pop("entitlements"), licence_type)
    if licence_type is not None and not any(map(is_licence, entitlements)):
        entitlements.append(shown_licence(licence_type))
    if entitlements:
        document["entitlements"] = entitlements
    return orjson.dumps(document).decode()


def _with_group_state(row: Any) -> str:
    """Splice what a group gives, and the counts of its members, into the document's text, in the same way."""
    state = {name: getattr(row, column.key) for name, (column, _) in GROUP_COLUMNS.items()}
    given = {name: value for name, value in state.items() if value is not None}
    return f"{row.document[:-2]},{orjson.dumps(given).decode()[1:]}}}"


def columns_sent(endpoint: Endpoint, dialect_name: str) -> list[sa.ColumnElement[Any]]:
    """Return the columns of a row that is to be sent: the document, and what is spliced into it."""
    table = map_of(endpoint).table
    if not map_of(endpoint).has_documents:
        return [column for column in table.c if column.name != "account_id"]
    columns: list[sa.ColumnElement[Any]] = [
        table.c[name] for name in ("id", "document", "version", "created", "modified")
    ]
    if endpoint.is_generic:
        return columns
    if table is not user:
        return columns + [column for column, _ in GROUP_COLUMNS.values()]
    columns += [user.c.licence_type, *(column for column, kind in LICENCE_COLUMNS.values() if kind == "instant")]
    columns.append(_state(dialect_name).label("state"))
    columns.append(_groups_of_user(dialect_name).label("groups"))
    return columns


def _state(dialect_name: str) -> sa.ColumnElement[Any]:
    """The account's state of a row without its times, as the text of a JSON array: one column is quicker than many."""
    columns = (user.c.kind, *(column for column, _ in _SETTLED.values()))
    if dialect_name == "postgresql":
        return sa.cast(sa.func.json_build_array(*columns), sa.Text)
    return sa.func.json_array(*columns)


def _groups_of_user(dialect_name: str) -> sa.ScalarSelect[Any]:
    """The groups of the user of a row as JSON text: ``[[id, displayName], ...]``."""
    pairs: sa.ColumnElement[Any]
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
