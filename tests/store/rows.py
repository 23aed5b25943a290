"""Users and groups put into a database the way the product stores them, and read back the way it sends them."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER, ENTERPRISE, Endpoint
from scim_server.protocol.documents import resource_text
from scim_server.store import memberships, pages, resources
from scim_server.store.database import Database, execute
from scim_server.store.filters import condition, parse_filter
from scim_server.store.mapping import map_of
from scim_server.store.sorting import order
from scim_server.store.tables import user_log

BASE = "https://scim.example.com/v2"
DAY = 86_400_000_000
_numbers = count(1)
_NEW_USER = {
    "sms_returns": False,
    "microsoft_returns": False,
    "licence_activated": False,
    "licence_status": "none",
    "licence_reset_required": False,
    "activations_used": 0,
}


def add_user(
    account_id: str, users: Endpoint, document: Mapping[str, Any], identifier: str | None = None, **columns: Any
) -> str:
    """Insert a user of a document that may leave out whatever every user has; gives the id."""
    number = next(_numbers)
    extension = {"kind": "person", "role": "standard", **document.get(ACCOUNT_USER, {})}
    whole = {
        "schemas": [users.schema, *((ENTERPRISE,) if ENTERPRISE in document else ()), ACCOUNT_USER],
        "id": identifier or f"user-{number:06}",
        "userName": f"user{number}@example.com",
        "active": True,
        **document,
    }
    whole[ACCOUNT_USER] = whole.pop(ACCOUNT_USER, {}) | extension  # the last member: see resources
    resources.insert(account_id, users, whole, {**_NEW_USER, **_common(whole["id"], number), **columns})
    return str(whole["id"])


def add_group(
    account_id: str,
    groups: Endpoint,
    document: Mapping[str, Any],
    members: Iterable[str] = (),
    identifier: str | None = None,
    **columns: Any,
) -> str:
    """Insert a group with its members; gives the id."""
    number = next(_numbers)
    whole = {
        "schemas": [groups.schema, ACCOUNT_GROUP],
        "id": identifier or f"group-{number:06}",
        "displayName": f"Group {number}",
        **document,
    }
    extension = {"kind": "directory", **whole.pop(ACCOUNT_GROUP, {})}
    whole[ACCOUNT_GROUP] = extension  # the last member: see resources
    member_ids = list(members)
    licence_type = extension.get("licenseType")
    state = {"kind": extension["kind"], "licence_type": licence_type, "member_count": len(member_ids)}
    resources.insert(account_id, groups, whole, {**state, **_common(whole["id"], number), **columns})
    if member_ids:
        memberships.add(account_id, whole["id"], member_ids, 0)
    return str(whole["id"])


def _common(identifier: str, number: int) -> dict[str, Any]:
    return {"id": identifier, "version": 1, "created": number * DAY, "modified": number * DAY}


def add_log(account_id: str, user_id: str, last_activity_at: int | None) -> None:
    """Insert one entry of a user's message log."""
    entry = {"sent_at": 0, "last_activity_at": last_activity_at, "status": "open", "entry": "{}"}
    execute(user_log.insert(), {"account_id": account_id, "id": f"log-{next(_numbers)}", "user_id": user_id, **entry})


def sent(database: Database, endpoint: Endpoint, account_id: str) -> dict[str, dict[str, Any]]:
    """Return every resource of an account as it is sent, by id; a group without its members."""
    with database.reading(account_id):
        page = pages.search(account_id, endpoint, None, [], 0, 10_000)
    return {one.id: orjson.loads(resource_text(endpoint, one, BASE)) for one in page.resources}


def found(database: Database, endpoint: Endpoint, account_id: str, text: str) -> set[str]:
    """Return the ids of the resources of an account that a filter finds."""
    where = condition(endpoint, parse_filter(endpoint, text), account_id, database.dialect)
    place = map_of(endpoint)
    with database.reading(account_id):
        return set(execute(sa.select(place.table.c.id).where(place.of_account(account_id), where)).scalars())


def ordered(
    database: Database, endpoint: Endpoint, account_id: str, sort_by: str, descending: bool = False
) -> list[str]:
    """Return the ids of all resources of an account in the order of a sort."""
    place = map_of(endpoint)
    by = order(endpoint, sort_by, descending, account_id, database.dialect)
    with database.reading(account_id):
        return list(execute(sa.select(place.table.c.id).where(place.of_account(account_id)).order_by(*by)).scalars())
