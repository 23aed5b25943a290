"""What a lost connection to PostgreSQL costs: one answer, and nothing of anybody else's."""

from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.store import credentials
from scim_server.store.database import Database, at_last, execute, note_write
from scim_server.store.slots import Slots

from .conftest import Api
from .test_faults import administer

OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    return make_url("postgresql")


def hold_connections(api: Api, number: int) -> None:
    """Have so many threads read and write at once, so that as many connections are open, and some are ready."""
    together = Barrier(number)

    def work() -> None:
        for block in (api.database.reading, api.database.transaction):
            with block(api.account_id):
                credentials.is_active(api.account_id, "nobody")
                together.wait()
            together.wait()

    threads = [Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", ["reading", "transaction"])
@pytest.mark.parametrize("is_same", [True, False], ids=["same account", "another account"])
def test_restart_of_the_database_costs_one_block_its_work(
    api: Api, new_account: Callable[..., Api], database_url: str, kind: str, is_same: bool
) -> None:
    """OPS-02: whoever meets the loss first tells all connections that wait, those of the pool and the ready ones."""
    account_id = api.account_id if is_same else new_account().account_id
    hold_connections(api, 6)
    administer(database_url, OTHERS)
    failed = 0
    for one in (kind, "transaction", "reading") * 5:
        try:
            with getattr(api.database, one)(account_id):
                credentials.is_active(account_id, "nobody")
        except sa.exc.OperationalError:
            failed += 1
    assert failed == 1


def test_lost_slot_costs_nobody_else_anything(api: Api, database_url: str) -> None:
    slots = Slots(api.database, 2)
    with slots.one(api.account_id, "connection") as is_given:
        assert is_given
        administer(database_url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    for _ in range(3):
        with api.database.reading(api.account_id):
            assert not credentials.is_active(api.account_id, "nobody")


def fail_unheard() -> None:
    with suppress(sa.exc.DataError):
        execute(sa.text("SELECT 1 / 0"))


def test_transaction_of_which_a_statement_failed_is_never_taken_for_done(api: Api) -> None:
    """Nor does the account stay set that was undone with it."""
    with pytest.raises(RuntimeError, match="has failed"), api.database.transaction(api.account_id):
        fail_unheard()
    with api.database.transaction(api.account_id) as connection:
        setting = connection.exec_driver_sql("SELECT current_setting('scim.account')").scalar()
    assert setting == api.account_id


def test_end_of_a_lost_block_leaves_the_notes_of_another_alone(api: Api, database_url: str) -> None:
    """The record of a connection that was lost may serve another thread before the block that lost it has ended."""
    is_lost, is_noted, has_ended = Event(), Event(), Event()
    written: list[Any] = []
    database: Database = api.database
    database.engine.dispose()

    def other() -> None:
        is_lost.wait()
        with database.transaction(api.account_id) as connection:
            at_last()[(lambda key, number: written.append((key, number)), ("a", "user"))] += 1
            note_write(api.account_id)
            is_noted.set()
            has_ended.wait()
            written.append(sorted(connection.info["written"]))

    thread = Thread(target=other)
    thread.start()
    with suppress(sa.exc.OperationalError), database.reading(api.account_id) as connection:
        own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        administer(database_url, f"SELECT pg_terminate_backend({own})")
        try:
            execute(sa.text("SELECT 1"))
        finally:
            is_lost.set()
            is_noted.wait()
    has_ended.set()
    thread.join()
    assert written == [[api.account_id], (("a", "user"), 1)]
