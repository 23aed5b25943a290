"""What PostgreSQL shows when the account condition is taken out of the statements that requests really run."""

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from .conftest import Api
from .driver import watched

CONDITION = re.compile(r'("?\w+"?\.)?account_id = %\(\w+\)s::VARCHAR COLLATE "C"')
PATHS = (
    "/Users/{user}", "/Users?count=5", "/Users?cursor=&count=5", '/Users?filter=userName eq "{mail}"',
    '/Users?filter=title eq "Secret"', "/Users?sortBy=displayName", "/Groups/{group}", "/Groups",
    '/Groups?filter=members.value eq "{user}"', "/EventRecords", "/UserLogEntries", "/UserStatistics",
    "/ApprovedDomains", "/LicensePools", "/AccountSettings",
)  # fmt: skip


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    return make_url("postgresql")


def test_statements_without_their_account_condition_tell_another_account_nothing(
    api: Api, new_account: Callable[..., Api]
) -> None:
    other = new_account()
    ava = api.user("ava", title="Secret", displayName="Ava")
    api.write_log(ava["id"])
    names = {"user": ava["id"], "mail": ava["userName"], "group": api.group("Sales", ava["id"])["id"]}
    forgetful: list[tuple[str, Any]] = []

    def forget(_: psycopg.Cursor[Any], query: str, params: Any) -> None:
        without = CONDITION.sub("TRUE", query)
        if query.startswith("SELECT") and without != query:
            forgetful.append((without, params))

    with watched(api.database.engine, forget):
        for path in PATHS:
            api.get(path.format(**names))
    assert len(forgetful) > len(PATHS)
    told = [tell(api, api.account_id, *one) for one in forgetful]
    # Its own account still finds them so: nothing but the lock keeps them from others.
    assert sum(any(ava["id"] in row or api.domain in row for row in rows) for rows in told) > 10
    for query, params in forgetful:
        for row in tell(api, other.account_id, query, params):
            assert not [one for one in (ava["id"], names["group"], api.domain) if one in row], query


def tell(api: Api, account_id: str, query: str, params: Any) -> list[str]:
    with api.database.reading(account_id) as connection:
        return [str(row) for row in connection.connection.driver_connection.execute(query, params).fetchall()]
