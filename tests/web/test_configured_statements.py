"""How many SQL statements a request on a configured type costs: as many as one on a user, and by an index."""

from collections.abc import Iterator

import pytest
from flask import Flask

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store.database import Database
from scim_server.store.upgrading import upgrade
from tests.extra_types import DEVICE, EXTRA
from tests.web.conftest import Api, op
from tests.web.test_statements import statements


@pytest.fixture(scope="module")
def app(make_url) -> Iterator[Flask]:
    url = make_url("sqlite")
    upgrading = Database(Flask("upgrade"), url)
    upgrade(upgrading)
    upgrading.engine.dispose()
    application = create_app(Settings(url, "http://localhost", credential_seconds=0, extra_schemas=EXTRA))
    yield application
    application.extensions["scim"].database.engine.dispose()


def device(api: Api, number: int = 0) -> str:
    body = {"schemas": [DEVICE], "displayName": f"D{number}", "serialNumber": f"S{number}", "externalId": f"x{number}"}
    return f"/Devices/{api.post('/Devices', body)['id']}"


def test_reads_cost_what_those_of_users_cost(app: Flask, api: Api) -> None:
    paths = [device(api, number) for number in range(101)]
    for path, cost in (
        (paths[0], 2), ('/Devices?filter=externalId eq "x7"', 2), ('/Devices?filter=displayName eq "d7"', 2),
        ('/Devices?filter=serialNumber eq "S7"', 2), ("/Devices?count=100", 3), ("/Devices?count=10&sortBy=slot", 3),
    ):  # fmt: skip
        with statements(app) as seen:
            api.get(path)
        assert len(seen) == cost, seen


def test_writes_cost_what_those_of_users_cost(app: Flask, api: Api) -> None:
    """The token, the row, the write with its unique value and its entry, the answer."""
    path = device(api)
    with statements(app) as seen:
        device(api, 1)
    assert len(seen) == 5, seen
    with statements(app) as seen:
        api.patch(path, op("replace", "label", "x"))
    assert len(seen) == 5, seen
    with statements(app) as seen:
        api.patch(path, op("replace", "label", "x"))
    assert not [one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))], seen
    with statements(app) as seen:
        api.patch(path, op("replace", "serialNumber", "other"))
    assert len(seen) == 7, seen
    with statements(app) as seen:
        api.delete(path)
    assert len(seen) == 5, seen  # one of them is the cascade to the unique values


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("count=2", "ix_resource_account_id_type_created_id (account_id=? AND type=?)"),
        (
            'filter=externalId eq "x1"',
            "ix_resource_account_id_type_external_id (account_id=? AND type=? AND external_id=?)",
        ),
        (
            'filter=displayName eq "d1"',
            "ix_resource_account_id_type_display_name_key_id (account_id=? AND type=? AND display_name_key=?)",
        ),
        ('filter=serialNumber eq "S1"', "sqlite_autoindex_resource_1 (account_id=? AND type=? AND id=?)"),
    ],
)
def test_resources_are_found_by_an_index(app: Flask, api: Api, query: str, index: str) -> None:
    device(api, 1)
    with statements(app) as seen:
        api.get(f"/Devices?{query}")
    (page,) = [one for one in seen if "FROM resource" in one and "count(*)" not in one]
    with app.extensions["scim"].database.reading(None) as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page}")]
    assert plan[0] == f"SEARCH resource USING INDEX {index}", plan
