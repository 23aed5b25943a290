"""The store of one account behind the storage interface of scim2-server, for that library's tests of storages.

Reads are those of the use cases. Writes are those of the store, without the account's rules: the contract names its
users ``bjensen``, which no account of ours would accept.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import (
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
    UniquenessException,
)
from scim2_server.storage import ScimStorage, SearchPage

from scim_server import provisioning
from scim_server.account.policies import Policies
from scim_server.account.refusals import Refused
from scim_server.idp.profiles import profiles
from scim_server.members import asked_of, asking, decided, in_step, member_of, with_defaults
from scim_server.protocol.catalogue import ACCOUNT_GROUP, Catalogue, Endpoint
from scim_server.protocol.conditions import Conditions
from scim_server.protocol.documents import DEFAULT, projection, represented
from scim_server.protocol.messages import with_schemas
from scim_server.protocol.searches import Search
from scim_server.protocol.selections import member_ids
from scim_server.store import licences, memberships, resources, texts
from scim_server.store.database import Database
from scim_server.store.identifiers import new_id, now
from scim_server.store.journal import Actor
from scim_server.store.mapping import GROUP_COLUMNS
from scim_server.store.resources import Lock, Stale, Taken

from .rows import BASE

NO_LIMITS = provisioning.Limits(page=10_000, default_page=10_000)
"""A search without a count finds everything: the limits are the server's, not the storage's."""


class AccountStorage(ScimStorage):
    """The users and groups of one account."""

    supports_cursors = True

    def __init__(self, database: Database, catalogue: Catalogue, account_id: str) -> None:
        self.database, self.catalogue, self.account_id = database, catalogue, account_id
        self._service = provisioning.Service(catalogue, database, BASE, NO_LIMITS)
        actor, profile = Actor("connection", "contract"), profiles()["default"]
        self._caller = provisioning.Caller(account_id, actor, frozenset(), profile, Policies())
        self._is_operating = False

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Run one operation in one transaction; the calls inside of it belong to it."""
        if self._is_operating:
            yield
            return
        with self.database.transaction(None):
            self._is_operating = True
            try:
                yield
            finally:
                self._is_operating = False

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Read a resource, and of it what the response parameters keep by our own projection."""
        endpoint, chosen = self._endpoint(resource_type), DEFAULT
        if response_parameters is not None:
            names = (response_parameters.attributes, response_parameters.excluded_attributes)
            chosen = projection(endpoint, *([str(one) for one in some or ()] for some in names))
        with self.operation():
            try:
                stored = provisioning.read(self._service, self._caller, endpoint, resource_id, chosen)
            except Refused:
                raise NotFoundException from None
        return _model(endpoint, orjson.loads(represented(endpoint, stored, BASE, chosen)))

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """Search as a request does, its parameters read back from the models."""
        endpoint = self._endpoint(resource_types[0])
        asked = Search(
            filter=_text(search_request.filter),
            sort_by=_text(search_request.sort_by),
            descending=search_request.sort_order is SearchRequest.SortOrder.descending,
            start_index=search_request.start_index or 1,
            count=search_request.count,
            cursor=None if search_request.cursor is None else position or "",
        )
        with self.operation():
            if len(resource_types) > 1:
                page = orjson.loads(provisioning.search_root(self._service, self._caller, asked))
            else:
                page = orjson.loads(provisioning.search(self._service, self._caller, endpoint, asked))
        found = [_model(self.catalogue.endpoint_of(one["meta"]["resourceType"]), one) for one in page["Resources"]]
        return SearchPage(page["totalResults"], found, page.get("nextCursor"))

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Insert a resource at version 1."""
        endpoint, identifier = self._endpoint(resource_type), new_id()
        with self.operation():
            self._write(endpoint, identifier, None, resource.model_dump())
            return self.get(resource_type, identifier)

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Write a whole resource over the version that is stored."""
        endpoint = self._endpoint(resource_type)
        with self.operation():
            row = self._expected_row(endpoint, resource.id, expected_version)
            self._write(endpoint, row.id, row, resource.model_dump())
            return self.get(resource_type, row.id)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """Delete a resource; a user leaves its groups before."""
        endpoint = self._endpoint(resource_type)
        with self.operation():
            row = self._expected_row(endpoint, resource_id, expected_version)
            if endpoint.path == "/Users":
                memberships.leave_all(
                    self.account_id, member_of(resource_id, texts.document_of(endpoint, row), row), now()
                )
            resources.delete(self.account_id, endpoint, resource_id)

    def _endpoint(self, resource_type: ResourceType) -> Endpoint:
        return self.catalogue.endpoint_of(resource_type.name)

    def _expected_row(self, endpoint: Endpoint, identifier: str | None, version: str | None) -> sa.Row[Any]:
        """Return the row of a resource that is at an expected version. It is not locked: the version is the guard."""
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

    def _set_members(self, identifier: str, members: frozenset[str], moment: int) -> None:
        before = frozenset(memberships.ids(self.account_id, identifier))
        memberships.remove(self.account_id, identifier, before - members)
        memberships.add(self.account_id, identifier, sorted(members - before), moment)


def _model(endpoint: Endpoint, document: dict[str, Any]) -> Resource[Any]:
    """Return what is sent of a resource as its model, without the address, which is the server's to give."""
    document.get("meta", {}).pop("location", None)
    return endpoint.model.model_validate(document)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


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
    return final, licences.state_columns({}, before, after, moment)


def _group(endpoint: Endpoint, identifier: str, asked: Mapping[str, Any], members: frozenset[str]) -> Written:
    given = {name: one for name, one in (asked.get(ACCOUNT_GROUP) or {}).items() if name not in GROUP_COLUMNS}
    extension = {"kind": "directory", **given}
    document = {**asked, "id": identifier, "members": None, "meta": None, ACCOUNT_GROUP: extension}
    columns = {
        "kind": extension["kind"],
        "licence_type": extension.get("licenseType"),
        "member_count": len(members),
    }
    return with_schemas(endpoint, document), columns
