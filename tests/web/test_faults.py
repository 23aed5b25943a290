"""When something of the server's own fails: protocol.md section 5 (OPS), and what it logs then."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store import accounts, credentials
from scim_server.store.database import Database, execute
from scim_server.store.identifiers import now
from scim_server.store.tables import user
from scim_server.store.upgrading import upgrade
from tests.web.conftest import Api, op


def administer(url: str, statement: str, **values: str) -> None:
    """Run a statement on a PostgreSQL server as its administrator would."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("SET ROLE NONE"))
        connection.execute(sa.text(statement), values)


@pytest.fixture
def lost(api: Api, make_url: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[Api]:
    """An account whose database was there when the server started, and is there no longer."""
    url = make_url(api.database.dialect)
    upgrading = Database(Flask("upgrade"), url)
    upgrade(upgrading)
    upgrading.engine.dispose()
    app = create_app(Settings(database_url=url, external_url="http://localhost"))
    database: Database = app.extensions["scim"].database
    with database.transaction(None):
        account_id = accounts.create("acme", {}, now())
        connection = credentials.connect(account_id, "idp", "default", now())
        token = credentials.issue(account_id, connection.id, "scim.read scim.write", now(), None)
    alone = replace(api, app=app, account_id=account_id, token=token)
    assert alone.get("/Users")["totalResults"] == 0
    parsed = sa.make_url(url)
    if database.dialect == "sqlite":
        database.engine.dispose()
        file = Path(str(parsed.database))
        file.unlink()
        file.mkdir()
    else:
        administer(request.getfixturevalue("postgresql_url"), f"DROP DATABASE {parsed.database} WITH (FORCE)")
    yield alone
    database.engine.dispose()


def test_database_that_is_gone_is_told_with_a_time_to_retry(lost: Api) -> None:
    """OPS-02: on reads and writes, the first one and those after it."""
    for method, path, body in (
        ("GET", "/Users", None),
        ("GET", "/Users/1", None),
        ("POST", "/Users", {"userName": "ava"}),
        ("DELETE", "/Groups/1", None),
        ("GET", "/Users?filter=userName+pr", None),
    ):
        detail = lost.refuse(method, path, body, status=503)
        assert int(lost.response.headers["Retry-After"]) > 0
        assert lost.response.headers["X-Request-Id"] in detail
    replace(lost, token=None).get("/ServiceProviderConfig")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="module")
def test_connections_that_broke_are_replaced(api: Api, database_url: str) -> None:
    """OPS-02: a database that restarts costs each connection one answer, 503, and no restart of the server.

    SQLite has no connections that can break.
    """
    path = f"/Users/{api.user()['id']}"
    own = "datname = current_database() AND pid <> pg_backend_pid()"
    for method, body in (("GET", None), ("PATCH", {"Operations": [op("replace", "title", "x")]})):
        administer(database_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {own}")
        api.refuse(method, path, body, status=503)
        assert api.response.headers["Retry-After"]
        api.call(method, path, body, status=200)


@pytest.mark.parametrize(("query", "expected"), [("", "10"), ("?connect_timeout=3", "3")])
def test_server_of_the_database_that_is_silent_is_not_waited_for(query: str, expected: str) -> None:
    """OPS-02: within ten seconds, or as the URL has it, a request is told."""
    database = Database(Flask("silent"), f"postgresql+psycopg://scim@127.0.0.1:1/scim{query}")
    asked: list[str] = []

    @sa.event.listens_for(database.engine, "do_connect")
    def note(dialect: Any, record: Any, arguments: Any, parameters: dict[str, Any]) -> None:
        asked.append(str(parameters["connect_timeout"]))

    with pytest.raises(sa.exc.OperationalError), database.reading(None):
        pass
    assert asked == [expected]


def test_failure_of_the_server_is_told_without_its_insides(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """OPS-01, LOG-03: 500 with the request's id, which the log of the server explains; the others are served."""
    ava, bob = api.user("ava"), api.user("bob")
    with api.database.transaction(api.account_id):
        execute(
            sa.update(user).where(user.c.account_id == api.account_id, user.c.id == ava["id"]).values(document="[]")
        )
    with caplog.at_level(logging.ERROR):
        detail = api.refuse("GET", f"/Users/{ava['id']}?attributes=userName", status=500)
    identifier = api.response.headers["X-Request-Id"]
    assert identifier in detail
    assert not [word for word in ("Traceback", "orjson", "JSON", ".py", "document") if word in api.response.text]
    assert identifier in caplog.text
    assert "Traceback" in caplog.text
    assert api.get(f"/Users/{bob['id']}") == bob


def test_statement_that_fails_is_logged_without_its_values(lost: Api, caplog: pytest.LogCaptureFixture) -> None:
    """LOG-02, PWD-01: neither the name that was looked up nor the digest of the token."""
    with caplog.at_level(logging.DEBUG):
        lost.refuse("GET", "/Users?filter=userName+eq+%22secretive%22", status=503)
    told = orjson.dumps([record.getMessage() for record in caplog.records]).decode() + caplog.text
    assert "the database did not answer" in told
    digest = credentials.digest(lost.token or "")
    assert not [word for word in ("secretive", lost.token or "-", digest) if word in told]
