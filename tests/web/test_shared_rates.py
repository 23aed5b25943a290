"""The buckets that the workers of PostgreSQL share: what they cost, what they bear, where they are kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from scim_server.provisioning.rates import Rates
from scim_server.store import credentials
from scim_server.store.database import execute
from scim_server.store.tables import rate

from .conftest import Api
from .driver import watched
from .test_rate_limits import too_fast, worker


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    """PostgreSQL alone: on SQLite a bucket is in the memory of its worker."""
    return make_url("postgresql")


@contextmanager
def statements(api: Api) -> Iterator[list[str]]:
    """The statements of the block, as the driver is given them."""
    seen: list[str] = []
    with watched(api.database.engine, lambda cursor, query, params: seen.append(query)):
        yield seen


def test_most_requests_ask_no_bucket_of_the_database(api: Api) -> None:
    with worker(api, rate_limit=100, rate_burst=200) as held:
        held.get("/Users?count=0")
        with statements(held) as seen:
            for _ in range(10):
                held.get("/Users?count=0")
    assert len([one for one in seen if "INSERT INTO rate" in one]) == 1


def test_a_flood_asks_the_database_as_seldom(api: Api) -> None:
    with worker(api, rate_limit=1, rate_burst=1, credential_seconds=2) as held:
        held.get("/Users?count=0")
        too_fast(held)
        with statements(held) as seen:
            too_fast(held)
    assert seen == []


def test_a_rate_that_cannot_be_known_lets_requests_through(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with worker(api, rate_limit=1, rate_burst=1) as held:
        with api.database.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE rate RENAME TO rate_away"))
        try:
            for _ in range(3):
                held.get("/Users?count=0")
        finally:
            with api.database.engine.begin() as connection:
                connection.execute(sa.text("ALTER TABLE rate_away RENAME TO rate"))
    assert "the rate of connection" in caplog.text


def test_buckets_of_postgresql_write_no_log(api: Api) -> None:
    with api.database.reading(api.account_id):
        kind = sa.text("SELECT relpersistence FROM pg_class WHERE relname = 'rate'")
        assert execute(kind).scalar() in ("u", b"u")


def test_shared_bucket_fills_again_and_never_above_its_burst(api: Api) -> None:
    with api.database.reading(api.account_id):
        (connection,) = credentials.connections(api.account_id)
    key = (api.account_id, connection.id)
    held = Rates(api.database, 10, 10)
    assert [held.wait(*key) for _ in range(10)] == [0] * 10
    assert 0 < held.wait(*key) <= 0.11
    with api.database.transaction(api.account_id):
        mine = rate.c.account_id == api.account_id
        execute(rate.update().where(mine).values(filled_at=rate.c.filled_at - 3_600_000_000))
    fresh = Rates(api.database, 10, 10)
    assert sum(not fresh.wait(*key) for _ in range(50)) in range(10, 12)
