"""Mail servers to hand letters to."""

import pytest

from tests.mail.server import Server, running


@pytest.fixture
def server():
    """A mail server without TLS and without SMTPUTF8."""
    with running(Server()) as server:
        yield server
