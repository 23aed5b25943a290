"""x"""
from typing import Any

import pytest
from scim2_models import Resource, ResourceType, Schema, ScimProvider, ServiceProviderConfig
from scim2_server.testing import ScimStorageContract

from scim_server.protocol.catalogue import Catalogue
from scim_server.provisioning import Limits
from scim_server.store.database import Database
from scim_server.web.discovery import service_provider_config

from .contract import AccountStorage


class TestStorageContract(ScimStorageContract):
    supports_root_search = False

    @pytest.fixture
    def storage(self, database: Database, catalogue: Catalogue, account_id: str) -> AccountStorage:
        return AccountStorage(database, catalogue, account_id)

    @pytest.fixture
    def provider(self, catalogue: Catalogue) -> ScimProvider:
        return ScimProvider.from_discovery(
            [Schema.model_validate(document) for document in catalogue.schemas.values()],
            [ResourceType.model_validate(document) for document in catalogue.resource_types.values()],
            config=ServiceProviderConfig.model_validate(service_provider_config(Limits(), 1024 * 1024)),
        )

    @pytest.fixture
    def user_model(self, catalogue: Catalogue) -> type[Resource[Any]]:
        return catalogue.endpoint_of("User").model

    @pytest.fixture
    def group_model(self, catalogue: Catalogue) -> type[Resource[Any]]:
        return catalogue.endpoint_of("Group").model
