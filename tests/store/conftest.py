"""A database with tables, and accounts in it; an account of its own is what keeps two tests apart."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from flask import Flask

from scim_server.protocol.catalogue import Catalogue, Endpoint
from scim_server.store.database import Database
from scim_server.store.tables import account, metadata

_numbers = count(1)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture(scope="session")
def users(catalogue: Catalogue) -> Endpoint:
    return catalogue.endpoints["/Users"]


@pytest.fixture(scope="session")
def groups(catalogue: Catalogue) -> Endpoint:
    return catalogue.endpoints["/Groups"]


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    """A database with all tables, on SQLite and on PostgreSQL; new for each module of tests."""
    database = Database(Flask("scim_server"), database_url)
    metadata.create_all(database.engine)
    yield database
    database.engine.dispose()


@pytest.fixture(scope="module")
def new_account(database: Database) -> Callable[[], str]:
    """Insert an account that has nothing yet; gives its id."""

    def insert() -> str:
        account_id = f"account-{next(_numbers)}"
        with database.engine.begin() as connection:
            connection.execute(account.insert().values(id=account_id, name=account_id, created=0))
        return account_id

    return insert


@pytest.fixture
def account_id(new_account: Callable[[], str]) -> str:
    return new_account()
