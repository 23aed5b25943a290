"""The resources of the configured types read anew, after a schema has changed: all of them or none."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from scim2_models import SCIMException

from scim_server.protocol.catalogue import Catalogue, Endpoint
from scim_server.protocol.intake import Notes, Tolerance, read_attributes
from scim_server.protocol.messages import with_schemas
from scim_server.store import accounts, rewriting, texts, unique_values
from scim_server.store.database import CHUNK, Database, enter

TOLD = 50
"""How many problems are told."""


class CannotIndex(Exception):
    """Resources do not fit their type as it is now; the message names them."""

    def __init__(self, problems: list[str]) -> None:
        more = [f"and {len(problems) - TOLD} more."] if len(problems) > TOLD else []
        lines = ("nothing was changed, as resources do not fit their type.", *problems[:TOLD], *more)
        super().__init__("\n  ".join(lines))


def index(catalogue: Catalogue, database: Database) -> Mapping[str, int]:
    """Write all resources anew, without the attributes that no schema has any more; raises CannotIndex.

    Returns how many there are of each type.
    """
    endpoints = [one for one in catalogue.endpoints.values() if one.is_generic]
    counts = dict.fromkeys((one.name for one in endpoints), 0)
    problems: list[str] = []
    with database.transaction(None):
        for account in accounts.all_accounts():
            enter(account.id)
            for endpoint in endpoints:
                found, count = _index(account.id, endpoint)
                problems += [f"{account.name}: {endpoint.name} {one}" for one in found]
                counts[endpoint.name] += count
        if problems:
            raise CannotIndex(problems)
    return counts


def _index(account_id: str, endpoint: Endpoint) -> tuple[list[str], int]:
    """Write the resources of one type in one account anew; returns what is wrong with them, and how many there are."""
    unique_values.forget(account_id, endpoint)
    owners: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    count, after = 0, ""
    while rows := rewriting.some(account_id, endpoint, after, CHUNK):
        for row in rows:
            problems += [f"{row.id}: {one}" for one in _rewritten(account_id, endpoint, row, owners)]
        count, after = count + len(rows), rows[-1].id
    return problems, count


def _rewritten(account_id: str, endpoint: Endpoint, row: sa.Row[Any], owners: dict[tuple[str, str], str]) -> list[str]:
    """Write one resource anew; returns what is wrong with it. ``owners`` has who has which unique value."""
    try:
        read = read_attributes(endpoint.attributes, texts.written(row), Tolerance(empty_text=False), Notes())
        document = with_schemas(endpoint, {**read, "id": row.id})
        keys = unique_values.keys(endpoint, document)
    except SCIMException as error:
        return [error.detail or "does not fit"]
    taken = [
        f"{attribute.name} has the same value as that of {owner}"
        for attribute, key in keys
        if (owner := owners.setdefault((attribute.urn, key), row.id)) != row.id
    ]
    if not taken:
        rewriting.rewrite(account_id, endpoint, row, document)
        unique_values.write(account_id, endpoint, row.id, {}, document)
    return taken
