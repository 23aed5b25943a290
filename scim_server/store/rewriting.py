"""The resources of a configured type written anew from their documents, when the type has changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.protocol.catalogue import Endpoint
from scim_server.store.database import execute
from scim_server.store.mapping import map_of
from scim_server.store.resources import derived
from scim_server.store.texts import written


def some(account_id: str, endpoint: Endpoint, after: str, limit: int) -> Sequence[sa.Row[Any]]:
    """Return the rows after an id, in the order of the ids."""
    place = map_of(endpoint)
    mine = (place.of_account(account_id), place.table.c.id > after)
    columns = (place.table.c[name] for name in ("id", "document", "version"))
    return execute(sa.select(*columns).where(*mine).order_by(place.table.c.id).limit(limit)).all()


def rewrite(account_id: str, endpoint: Endpoint, row: sa.Row[Any], document: Mapping[str, Any]) -> None:
    """Write a document with what is searched of it; the version moves where the document has changed."""
    place = map_of(endpoint)
    version = row.version + (document != written(row))
    mine = (place.of_account(account_id), place.table.c.id == row.id)
    execute(place.table.update().where(*mine).values(**derived(endpoint, document), version=version))
