"""The second lock: PostgreSQL's row-level security, behind the account condition of every statement."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa
from flask import Flask

from scim_server.store import accounts, credentials
from scim_server.store.database import Database, enter, execute
from scim_server.store.migrations.rows import DIRECTORIES, OPEN
from scim_server.store.tables import approved_domain, connection, credential, group, licence_pool, metadata
from scim_server.store.upgrading import upgrade


class Undone(Exception):
    """What a transaction is rolled back by."""


@pytest.fixture(scope="module")
def database(make_url: Callable[[str], str]) -> Iterator[Database]:
    database = Database(Flask("rows"), make_url("postgresql"))
    upgrade(database)
    yield database
    database.engine.dispose()


@pytest.fixture(scope="module")
def two(database: Database) -> tuple[str, str]:
    """Two accounts that have the same things."""
    ids = []
    for name in ("ours", "theirs"):
        with database.transaction(None):
            account_id = accounts.create(name, {}, 1)
            accounts.set_domain(account_id, f"{name}.example", "approved", 1)
            accounts.add_licences(account_id, "pro", 3)
            wired = credentials.connect(account_id, "idp", "default", 1)
            credentials.issue(account_id, wired.id, "scim.read", 1, None)
            execute(group.insert(), a_group(account_id))
        ids.append(account_id)
    return ids[0], ids[1]


def a_group(account_id: str, identifier: str = "g") -> dict[str, object]:
    name = {"display_name": identifier, "display_name_key": identifier}
    return {"account_id": account_id, "id": identifier, "document": "{}", "folded": {}, "kind": "group", **name,
            "version": 1, "created": 1, "modified": 1}  # fmt: skip


def test_every_table_of_accounts_is_locked_to_its_owner_as_well(database: Database) -> None:
    """A new table needs a line in its migration; one that needs none is told with the reason in ``rows``."""
    asked = sa.text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND relforcerowsecurity")
    with database.reading(None):
        locked = set(execute(asked).scalars())
    assert locked == metadata.tables.keys() - OPEN
    assert locked > DIRECTORIES


def test_query_that_forgets_the_account_finds_that_of_the_block_alone(database: Database, two: tuple[str, str]) -> None:
    for mine in two:
        with database.reading(mine):
            for table in (group, licence_pool, connection, credential, approved_domain):
                assert set(execute(sa.select(table.c.account_id)).scalars()) == {mine}, table.name


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_write_that_forgets_the_account_changes_that_of_the_block_alone(
    database: Database, two: tuple[str, str], verb: str
) -> None:
    ours, theirs = two
    wrong = group.update().values(version=9) if verb == "update" else group.delete()
    with suppress(Undone), database.transaction(ours):
        assert execute(wrong).rowcount == 1
        enter(theirs)
        assert execute(sa.select(group.c.version)).scalars().all() == [1]
        raise Undone


def test_row_of_another_account_is_refused(database: Database, two: tuple[str, str]) -> None:
    ours, theirs = two
    wrong = (group.insert().values(a_group(theirs, "new")), group.update().values(account_id=theirs, id="moved"))
    for statement in wrong:
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"), database.transaction(ours):
            execute(statement)


def test_without_an_account_the_directories_are_read_and_nothing_else(database: Database, two: tuple[str, str]) -> None:
    with database.transaction(None):
        for table in metadata.tables.values():
            if table.name not in OPEN | DIRECTORIES:
                assert execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0, table.name
        for table in (connection, credential, approved_domain):
            assert set(execute(sa.select(table.c.account_id)).scalars()) == set(two)
            assert execute(table.update().values(account_id=table.c.account_id)).rowcount == 0


def test_connection_that_was_told_no_account_shows_nothing(database: Database, two: tuple[str, str]) -> None:
    engine = sa.create_engine(database.engine.url, poolclass=sa.NullPool)
    with engine.connect() as fresh:
        assert fresh.execute(sa.select(sa.func.count()).select_from(group)).scalar() == 0
        assert fresh.execute(sa.select(sa.func.count()).select_from(credential)).scalar() == 0


def test_account_that_was_set_in_a_transaction_is_undone_with_it(database: Database, two: tuple[str, str]) -> None:
    """The connection would show the account of before, while the next block took it for its own."""
    ours, theirs = two
    database.engine.dispose()  # the blocks have one connection for reads, one for transactions
    with database.transaction(ours):
        assert execute(sa.select(group.c.account_id)).scalars().all() == [ours]
    with pytest.raises(Undone), database.transaction(theirs):
        raise Undone
    for mine in (theirs, ours, theirs):
        for block in (database.reading, database.transaction):
            with block(mine):
                assert execute(sa.select(group.c.account_id)).scalars().all() == [mine]
