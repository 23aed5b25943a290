"""The store against the rules that scim2-server has for every storage, on SQLite and on PostgreSQL.

Cursors do not lead back and not over several types at once, which we do not offer. Nothing else is left out.
"""

from typing import Any

import pytest
from scim2_models import (
    InvalidFilterException,
    Resource,
    ResourceType,
    Schema,
    ScimProvider,
    ServiceProviderConfig,
    UniquenessException,
)
from scim2_server.testing import SEARCH_FILTERS, ScimStorageContract

from scim_server.protocol.catalogue import Catalogue, Endpoint
from scim_server.provisioning import Limits
from scim_server.store import resources
from scim_server.store.database import Database
from scim_server.store.resources import Lock, Stale
from scim_server.web.discovery import service_provider_config

from .contract import AccountStorage

REFUSED = {
    "title gt null": "title: 'gt' does not apply to null; use eq or ne",  # null is unassigned, it has no order
    'meta.created co "20"': "meta.created: 'co' does not apply to the type dateTime",  # S28: no constant false
}
"""The filters of the contract that we refuse where the library finds nobody, and what we tell the client."""


@pytest.fixture(scope="session")
def discovered(catalogue: Catalogue) -> ScimProvider:
    """Our service as a client discovers it."""
    return ScimProvider.from_discovery(
        [Schema.model_validate(document) for document in catalogue.schemas.values()],
        [ResourceType.model_validate(document) for document in catalogue.resource_types.values()],
        config=ServiceProviderConfig.model_validate(service_provider_config(Limits())),
    )


class TestStorageContract(ScimStorageContract):
    """The contract, with our own models; what the library would skip when we refuse it is an error here."""

    test_cursor_pages_back = None
    test_cursor_pages_back_after_a_deletion = None
    test_cursor_at_the_root = None

    @pytest.fixture
    def storage(self, database: Database, catalogue: Catalogue, account_id: str) -> AccountStorage:
        return AccountStorage(database, catalogue, account_id)

    @pytest.fixture
    def provider(self, discovered: ScimProvider) -> ScimProvider:
        return discovered

    @pytest.fixture
    def user_model(self, users: Endpoint) -> type[Resource[Any]]:
        return users.model

    @pytest.fixture
    def group_model(self, groups: Endpoint) -> type[Resource[Any]]:
        return groups.model

    def search_request_or_skip(self, models: list[type[Resource[Any]]], **parameters: Any) -> Any:
        return self.search_request(models, **parameters)

    def search_or_skip(self, storage: Any, resource_types: list[ResourceType], search_request: Any) -> Any:
        return self.search(storage, resource_types, search_request)

    @pytest.mark.parametrize("scim_filter", [one for one in SEARCH_FILTERS if one not in REFUSED])
    def test_search_filters_as_the_filter_evaluator(
        self, storage: Any, provider: ScimProvider, user_type: ResourceType, user_model: Any, scim_filter: str
    ) -> None:
        super().test_search_filters_as_the_filter_evaluator(storage, provider, user_type, user_model, scim_filter)

    @pytest.mark.parametrize(("scim_filter", "detail"), REFUSED.items())
    def test_search_refuses_filters_without_a_meaning(
        self, storage: AccountStorage, user_type: ResourceType, user_model: Any, scim_filter: str, detail: str
    ) -> None:
        """Where the library finds nobody, we say what is wrong with the filter (FLT-42)."""
        assert scim_filter in SEARCH_FILTERS
        with pytest.raises(InvalidFilterException) as refusal:
            self.search(storage, [user_type], self.search_request([user_model], filter=scim_filter))
        assert refusal.value.detail == detail

    def test_update_over_a_version_that_moved(
        self, storage: AccountStorage, users: Endpoint, user_type: ResourceType, user_model: Any
    ) -> None:
        """Who read before somebody else wrote does not write over it."""
        (user,) = self.create_users(storage, user_type, user_model, "bjensen")
        with storage.operation():
            row = resources.fetch_row(storage.account_id, users, user.id, Lock.NONE)
        assert row is not None
        user.display_name = "Babs"
        storage.update(user_type, user)

        with pytest.raises(Stale), storage.operation():
            resources.update(storage.account_id, users, row, None, {"modified": 0})
        assert storage.get(user_type, user.id).meta.last_modified >= user.meta.created

    def test_group_version_moves_with_its_members(
        self,
        storage: AccountStorage,
        user_type: ResourceType,
        group_type: ResourceType,
        user_model: Any,
        group_model: Any,
    ) -> None:
        """Who joins and who is deleted changes the group (ETG-07)."""
        alice, bob = self.create_users(storage, user_type, user_model, "alice", "bob")
        group = self.create_group(storage, group_type, group_model, alice)
        asked = group_model(id=group.id, display_name="admins", members=[{"value": bob.id}])

        updated = storage.update(group_type, asked, expected_version=group.meta.version)
        storage.delete(user_type, bob.id)
        left = storage.get(group_type, group.id)

        assert [[one.value for one in each.members] for each in (group, updated, left)] == [[alice.id], [bob.id], []]
        assert len({each.meta.version for each in (group, updated, left)}) == 3

    def test_operation_that_fails_leaves_nothing(
        self, storage: AccountStorage, user_type: ResourceType, user_model: Any
    ) -> None:
        """All writes of an operation are undone when one of them fails."""
        with pytest.raises(UniquenessException), storage.operation():
            self.create_users(storage, user_type, user_model, "alice", "Alice")
        assert self.search(storage, [user_type], self.search_request([user_model])).total == 0
