"""How many users and groups there are is kept, whoever inserts and deletes at once."""

import threading
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa

from scim_server.protocol.catalogue import Endpoint
from scim_server.store import guards, pages, resources, totals
from scim_server.store.database import Database, execute
from scim_server.store.tables import tally
from tests.store.rows import add_group, add_user


class Undone(Exception):
    """Rolls a transaction back."""


def test_total_follows_what_is_inserted_and_deleted(
    database: Database, account_id: str, users: Endpoint, groups: Endpoint
) -> None:
    with database.transaction(account_id):
        ids = [add_user(account_id, users, {}) for _ in range(5)]
        add_group(account_id, groups, {}, ids)
        assert totals.total(account_id, "user") == 5  # before it is written
    for identifier in [*ids[:2], ids[0], "nobody"]:  # who is gone already is not counted again
        with database.transaction(account_id):
            resources.delete(account_id, users, identifier)
    with database.reading(account_id):
        assert pages.count(account_id, users, None) == guards.size(account_id, "users") == 3
        assert pages.count(account_id, groups, None) == guards.size(account_id, "groups") == 1


def test_total_forgets_what_is_rolled_back(database: Database, account_id: str, users: Endpoint) -> None:
    with suppress(Undone), database.transaction(account_id):
        add_user(account_id, users, {})
        raise Undone
    with database.transaction(account_id):  # on the same connection
        assert totals.total(account_id, "user") == 0
        add_user(account_id, users, {})
    with database.reading(account_id):
        assert totals.total(account_id, "user") == 1


def test_total_of_another_account_is_its_own(
    database: Database, new_account: Callable[[], str], users: Endpoint
) -> None:
    mine, other = new_account(), new_account()
    with database.transaction(None):
        add_user(mine, users, {})
    with database.reading(None):
        assert (totals.total(mine, "user"), totals.total(other, "user")) == (1, 0)


def test_those_who_write_at_once_share_few_rows_and_lose_nothing(
    database: Database, account_id: str, users: Endpoint, groups: Endpoint
) -> None:
    errors: list[Exception] = []

    def work() -> None:
        try:
            for turn in range(25):
                with database.transaction(account_id):
                    kept, gone = add_user(account_id, users, {}), add_user(account_id, users, {})
                    add_group(account_id, groups, {}, [kept])
                if turn % 2:
                    with database.transaction(account_id):
                        resources.delete(account_id, users, gone)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.reading(account_id):
        assert totals.total(account_id, "user") == 6 * (2 * 25 - 12)
        assert totals.total(account_id, "group") == 6 * 25
        rows = execute(sa.select(tally.c.slot).where(tally.c.account_id == account_id, tally.c.kind == "user")).all()
    assert 1 < len(rows) <= totals.SLOTS
