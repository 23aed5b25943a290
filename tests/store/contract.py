"""The store of one account behind the storage interface of scim2-server, for that library's tests of storages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import (
    NotFoundException,
    NotImplementedException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
    UniquenessException,
)
from scim2_server.storage import ScimStorage, SearchPage

from scim_server.members import asked_of, asking, decided, in_step, member_of, with_defaults
from scim_server.protocol.catalogue import ACCOUNT_GROUP, Catalogue, Endpoint
from scim_server.protocol.conditions import Conditions
from scim_server.protocol.documents import DEFAULT, Projection, Stored, projection, represented
from scim_server.protocol.messages import with_schemas
from scim_server.protocol.selections import member_ids
from scim_server.store import accounts, filters, memberships, pages, resources, sorting, texts
from scim_server.store.database import Database
from scim_server.store.identifiers import new_id, now
from scim_server.store.mapping import MEMBER_COUNTS
from scim_server.store.resources import Lock, Stale, Taken

from .rows import BASE

EVERYTHING = 10_000
"""The limit of a search that asks for no number of resources."""


class AccountStorage(ScimStorage):
    """Reads and writes the users and groups of one account as the use cases do, without the account's rules."""

    def __init__(self, database: Database, catalogue: Catalogue, account_id: str) -> None:
        self.database, self.catalogue, self.account_id = database, catalogue, account_id
        self._is_operating = False

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Run one operation in one transaction; the calls inside of it belong to it."""
        if self._is_operating:
            yield
            return
        with self.database.transaction():
            self._is_operating = True
            try:
                yield
            finally:
                self._is_operating = False

    def endpoint(self, resource_type: ResourceType) -> Endpoint:
        """Return our endpoint of a resource type."""
        return self.catalogue.endpoint_of(resource_type.name)

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        endpoint, chosen = self.endpoint(resource_type), DEFAULT
        if response_parameters is not None:
            names = (response_parameters.attributes, response_parameters.excluded_attributes)
            chosen = projection(endpoint, *([str(one) for one in some or ()] for some in names))
        with self.operation():
            stored = resources.fetch(self.account_id, endpoint, resource_id)
            if stored is None:
                raise NotFoundException
            return self._models(endpoint, [stored], chosen)[0]

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        if len(resource_types) > 1:
            raise NotImplementedException
        endpoint = self.endpoint(resource_types[0])
        with self.operation():
            found = self._found(endpoint, search_request)
            return SearchPage(found.total, self._models(endpoint, found.resources))

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        endpoint, identifier = self.endpoint(resource_type), new_id()
        with self.operation():
            self._write(endpoint, identifier, None, resource.model_dump())
            return self.get(resource_type, identifier)

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        endpoint = self.endpoint(resource_type)
        with self.operation():
            row = self._expected_row(endpoint, resource.id, expected_version)
            self._write(endpoint, row.id, row, resource.model_dump())
            return self.get(resource_type, row.id)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        endpoint = self.endpoint(resource_type)
        with self.operation():
            self._expected_row(endpoint, resource_id, expected_version)
            if endpoint.path == "/Users":
                memberships.leave_all(self.account_id, resource_id, now())
            resources.delete(self.account_id, endpoint, resource_id)

    def _found(self, endpoint: Endpoint, asked: SearchRequest[Any]) -> pages.Found:
        """Search as `provisioning.reading` does: an IdP's lookup takes the short way."""
        text = None if asked.filter is None else str(asked.filter)
        offset, limit = asked.start_index_0 or 0, EVERYTHING if asked.count is None else asked.count
        lookup = filters.lookup(endpoint, text) if text is not None else None
        if asked.sort_by is None and (lookup or text is None):
            return pages.look_up(self.account_id, endpoint, lookup, offset, limit)
        dialect, condition, order = self.database.dialect, None, []
        if text is not None:
            condition = filters.condition(endpoint, filters.parse_filter(endpoint, text), self.account_id, dialect)
        if asked.sort_by is not None:
            descending = asked.sort_order is SearchRequest.SortOrder.descending
            order = sorting.order(endpoint, str(asked.sort_by), descending, self.account_id, dialect)
        return pages.search(self.account_id, endpoint, condition, order, offset, limit)

    def _models(self, endpoint: Endpoint, found: Sequence[Stored], chosen: Projection = DEFAULT) -> list[Resource[Any]]:
        """Return stored resources as models of what is sent, without their addresses."""
        if endpoint.path == "/Groups" and chosen.wants(endpoint.attributes["members"]):
            members = memberships.of_groups(self.account_id, [stored.id for stored in found])
            found = [replace(stored, members=members[stored.id]) for stored in found]
        documents = [orjson.loads(represented(endpoint, stored, BASE, chosen)) for stored in found]
        for document in documents:
            document.get("meta", {}).pop("location", None)
        return [endpoint.model.model_validate(document) for document in documents]

    def _expected_row(self, endpoint: Endpoint, identifier: str | None, version: str | None) -> sa.Row[Any]:
        """Return the row of a resource that is at an expected version, kept from nobody: the versions are the guard."""
        row = resources.fetch_row(self.account_id, endpoint, identifier or "", Lock.NONE)
        if row is None:
            raise NotFoundException
        opaque = None if version is None else frozenset({version.removeprefix("W/").strip('"')})
        Conditions(if_match=opaque).check(row.version)
        return row

    def _write(self, endpoint: Endpoint, identifier: str, row: sa.Row[Any] | None, asked: Mapping[str, Any]) -> None:
        moment = now()
        members = memberships.lock_users(self.account_id, member_ids(asked.get("members")))
        if endpoint.path == "/Users":
            document, columns = _user(endpoint, identifier, row, asked, moment)
        else:
            document, columns = _group(endpoint, identifier, asked, members)
        columns["modified"] = moment
        try:
            if row is None:
                columns |= {"id": identifier, "version": 1, "created": moment}
                resources.insert(self.account_id, endpoint, document, columns)
            else:
                resources.update(self.account_id, endpoint, row, document, columns)
        except Taken:
            raise UniquenessException from None
        except Stale:
            raise PreconditionFailedException from None
        if endpoint.path == "/Groups":
            self._set_members(identifier, members, moment)

    def _set_members(self, identifier: str, members: Iterable[str], moment: int) -> None:
        before = frozenset(memberships.ids(self.account_id, identifier))
        memberships.remove(self.account_id, identifier, before.difference(members))
        memberships.add(self.account_id, identifier, sorted(set(members) - before), moment)


Written = tuple[dict[str, Any], dict[str, Any]]
"""A document as it is stored, and the columns beside it."""


def _user(
    endpoint: Endpoint, identifier: str, row: sa.Row[Any] | None, asked: Mapping[str, Any], moment: int
) -> Written:
    stored = texts.document_of(endpoint, row) if row is not None else None
    document = in_step(stored, with_defaults(asked))
    before = member_of(identifier, stored, row) if stored is not None else None
    after = asking(before, document) if before else asked_of(identifier, document)
    final = with_schemas(endpoint, {**decided(document, after), "id": identifier})
    return final, accounts.state_columns({}, before, after, moment)


def _group(endpoint: Endpoint, identifier: str, asked: Mapping[str, Any], members: frozenset[str]) -> Written:
    given = {name: one for name, one in (asked.get(ACCOUNT_GROUP) or {}).items() if name not in MEMBER_COUNTS}
    extension = {"kind": "directory", **given}
    document = {**asked, "id": identifier, "members": None, "meta": None, ACCOUNT_GROUP: extension}
    columns = {
        "kind": extension["kind"],
        "licence_type": extension.get("licenseType"),
        "member_count": len(members),
    }
    return with_schemas(endpoint, document), columns
