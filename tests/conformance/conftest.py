"""The application of the web tests, and the runner that looks at it in process."""

from collections.abc import Callable

import pytest

from conformance.runner import client, prepare
from conformance.scim import Scim
from conformance.transport import in_process
from tests.web.conftest import Api, api, app, new_account  # noqa: F401  fixtures

BASE = "http://localhost/scim/v2"


@pytest.fixture
def provider(new_account: Callable[..., Api]) -> Api:  # noqa: F811  a fixture
    """An account of the default profile with licences and an administrator who stays."""
    made = new_account(licences=20)
    made.user("keeper", ext={"role": "administrator"})
    return made


@pytest.fixture
def scim(provider: Api) -> Scim:
    """A client that knows what the application announces."""
    made = client(in_process(provider.app), BASE, provider.token, provider.domain)
    prepare(made)
    return made
