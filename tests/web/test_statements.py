"""How many SQL statements a request costs: counted where SQLite runs them, so that none is missed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from tests.web.conftest import EXT, Api, op

BOOKKEEPING = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")


@pytest.fixture(scope="module")
def database_url(make_url) -> str:
    return make_url("sqlite")


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The statements that the application's connections run within the block, as SQLite is given them."""
    engine = app.extensions["scim"].database.engine
    seen: list[str] = []
    engine.dispose()  # so that the block begins with one new connection, which is traced
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.set_trace_callback(
            lambda text: None if text.startswith(BOOKKEEPING) else seen.append(" ".join(text.split()))
        )
    yield seen
    with engine.connect() as connection:
        connection.connection.driver_connection.set_trace_callback(None)
    assert engine.pool.checkedin() == 1  # the traced connection was the only one


def test_reading_a_user_costs_two_statements(app: Flask, api: Api) -> None:
    identifier = api.user()["id"]
    with statements(app) as seen:
        api.get(f"/Users/{identifier}")
    assert len(seen) == 2, seen


def test_lookup_costs_two_statements_hit_or_miss(app: Flask, api: Api) -> None:
    api.user("ava")
    for name in ("ava", "nobody"):
        with statements(app) as seen:
            api.get(f'/Users?filter=userName eq "{api.mail(name)}"')
        assert len(seen) == 2, seen


def test_page_of_100_costs_two_statements_and_one_for_the_total(app: Flask, api: Api) -> None:
    for number in range(101):
        api.user(f"u{number}")
    with statements(app) as seen:
        assert len(api.get("/Users?count=100")["Resources"]) == 100
    assert len(seen) == 3, seen


@pytest.mark.parametrize("count", [1, 60])
def test_page_of_groups_costs_the_same_however_many_they_are(app: Flask, api: Api, count: int) -> None:
    identifier = api.user()["id"]
    for number in range(count):
        api.group(f"G{number}", identifier)
    with statements(app) as seen:
        assert len(api.get("/Groups")["Resources"]) == count
    assert len(seen) == 3, seen


def test_member_add_and_remove_cost_the_same_in_a_small_and_a_large_group(app: Flask, api: Api) -> None:
    costs = []
    for size in (1, 300):
        ids = [api.user(f"u{size}-{number}")["id"] for number in range(size + 1)]
        group = api.group(f"G{size}", *ids[:size])["id"]
        with statements(app) as seen:
            api.patch(
                f"/Groups/{group}?excludedAttributes=members",
                op("add", "members", [{"value": ids[-1]}]),
                status=204 if size > 100 else 200,
            )
            api.patch(
                f"/Groups/{group}?excludedAttributes=members",
                op("remove", f'members[value eq "{ids[-1]}"]'),
                status=204 if size > 100 else 200,
            )
        costs.append(len(seen))
        assert not [one for one in seen if "FROM membership" in one and "user_id" not in one], seen
    assert costs[0] == costs[1]
    assert costs[0] <= 16


def test_profile_patch_asks_nothing_of_the_account(app: Flask, api: Api) -> None:
    identifier = api.user(ext={"licenseType": "pro"})["id"]
    with statements(app) as seen:
        api.patch(f"/Users/{identifier}", op("replace", "title", "Lead"))
    assert not [one for one in seen if "licence_pool" in one]
    assert len(seen) <= 5, seen


def test_repeated_patch_writes_nothing(app: Flask, api: Api) -> None:
    identifier = api.user(ext={"licenseType": "pro"})["id"]
    with statements(app) as seen:
        api.patch(f"/Users/{identifier}", op("replace", "active", True), op("replace", f"{EXT}:licenseType", "pro"))
    assert not [one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))], seen
