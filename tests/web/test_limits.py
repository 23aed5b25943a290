"""What one request may ask for, each limit told by a SCIM error that names it: LIM-02, LIM-03."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store import accounts, credentials, totals
from scim_server.store.database import execute
from scim_server.store.identifiers import now
from scim_server.store.tables import user
from tests.web.conftest import GROUP, PATCH_OP, SEARCH, USER, Api, op

PEOPLE = 4000


@contextmanager
def limited(url: str, **settings: Any) -> Iterator[Flask]:
    """A server with other limits on the same database."""
    app = create_app(Settings(database_url=url, external_url="http://localhost", **settings))
    yield app
    app.extensions["scim"].database.engine.dispose()


@pytest.fixture(scope="module")
def narrow(app: Flask, database_url: str) -> Iterator[Flask]:
    with limited(database_url, max_filter_bytes=64, max_filter_terms=3, max_nesting=8) as narrow:
        yield narrow


@pytest.mark.parametrize("path", ["/Users", "/Groups", "/", "/LicensePools", "/EventRecords", "/UserStatistics"])
def test_filter_is_as_long_as_the_settings_say(api: Api, narrow: Flask, path: str) -> None:
    """LIM-02, FLT: by GET and by `.search`."""
    strict = replace(api, app=narrow)
    long = f'id eq "{"x" * 60}"'
    terms = " or ".join(['id eq "x"'] * 4)
    for text, told in ((long, "64 bytes"), (terms, "4 terms; at most 3")):
        assert told in strict.refuse("GET", f"{path}?{urlencode({'filter': text})}", kind="invalidFilter")
        body = {"schemas": [SEARCH], "filter": text}
        search = "/.search" if path == "/" else f"{path}/.search"
        assert told in strict.refuse("POST", search, body, kind="invalidFilter")
        api.find(text, path)


def nested(levels: int) -> Any:
    """A value of so many arrays and objects within each other."""
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_body_nests_as_deep_as_the_settings_say(api: Api, narrow: Flask) -> None:
    """LIM-02: the outermost object is the first level; every body is looked at, and nothing is written."""
    shallow = replace(api, app=narrow)
    user = api.user()
    bodies: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
        ("POST", "/Users", lambda value: {"schemas": [USER], "userName": api.mail("bob"), "x": value}),
        ("PUT", f"/Users/{user['id']}", lambda value: {"schemas": [USER], "userName": api.mail("ava"), "x": value}),
        ("POST", "/Groups", lambda value: {"schemas": [GROUP], "displayName": "S", "x": value}),
        ("POST", "/Users/.search", lambda value: {"schemas": [SEARCH], "x": value}),
        ("POST", "/.search", lambda value: {"schemas": [SEARCH], "x": value}),
    )
    for method, path, body in bodies:
        with api.unchanged("/Users", "/Groups"):
            for levels in (8, 30, 200):
                told = shallow.refuse(method, path, body(nested(levels)), kind="invalidSyntax")
                assert "deeper than 8 levels" in told
        assert shallow.send(method, path, body(nested(7))).status_int in (200, 201)
    patch = {"schemas": [PATCH_OP], "Operations": [op("add", "title", nested(6))]}
    assert "8 levels" in shallow.refuse("PATCH", f"/Users/{user['id']}", patch, kind="invalidSyntax")
    deep = b'{"a":' * 257 + b"1" + b"}" * 257
    assert "256 levels" in api.refuse("POST", "/Users", deep, kind="invalidSyntax")


def test_wide_bodies_are_no_deep_ones(api: Api, narrow: Flask) -> None:
    wide = {"schemas": [SEARCH], "x": [[] for _ in range(20_000)], "y": {str(n): {} for n in range(5000)}}
    assert replace(api, app=narrow).post("/Users/.search", wide, status=200)["totalResults"] == 0


@pytest.fixture(scope="module")
def crowd(app: Flask) -> Api:
    """An account of some thousand users and one group."""
    database = app.extensions["scim"].database
    with database.transaction(None):
        account_id = accounts.create("crowd", {}, now())
        accounts.set_domain(account_id, "crowd.example", "approved", now())
        connection = credentials.connect(account_id, "idp", "default", now())
        token = credentials.issue(account_id, connection.id, "scim.read scim.write", now(), None)
    api = Api(app, account_id, token, "crowd.example")
    api.user("first", title="x" * 200, name={"familyName": "y" * 200}, nickName="z" * 200)
    api.group("Everybody")
    with database.transaction(account_id):
        row = execute(sa.select(user).where(user.c.account_id == account_id)).mappings().one()
        names = [f"c{number:05}" for number in range(PEOPLE)]
        execute(user.insert(), [{**row, "id": name, "user_name_key": f"{name}@crowd.example"} for name in names])
        totals.count(account_id, api.service.catalogue.endpoints["/Users"], len(names))
    return api


@pytest.fixture(scope="module")
def hasty(app: Flask, database_url: str) -> Iterator[Flask]:
    """A server that gives a request less time than it needs to look at everybody's texts many times."""
    with limited(database_url, request_seconds=0.15) as hasty:
        yield hasty


SLOW = " or ".join(f'title co "a{number}" or name.familyName ew "b{number}"' for number in range(90))


def test_search_that_takes_too_long_is_too_many(crowd: Api, hasty: Flask) -> None:
    """LIM-03: it names the limit and the way out, and is told in the journal; the connection serves on."""
    api = replace(crowd, app=hasty)
    for _ in range(2):
        told = api.refuse("GET", f"/Users?{urlencode({'filter': SLOW})}", kind="tooMany")
        assert "0.15 seconds" in told
        assert "narrow the filter" in told
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "Filter": SLOW, "cursor": ""}, kind="tooMany")
    api.refuse("POST", "/.search", {"schemas": [SEARCH], "filter": SLOW}, kind="tooMany")
    assert [(one.status, one.error) for one in api.refusals()][-4:] == [(400, "tooMany")] * 4
    with patience(hasty.extensions["scim"].database, 30.0):
        assert len(api.find('userName eq "c00001@crowd.example"')) == 1
    assert crowd.find(SLOW) == []


def test_list_that_takes_too_long_is_unavailable(crowd: Api, hasty: Flask) -> None:
    """LIM-03: there is no filter to blame; the client may come again."""
    database = hasty.extensions["scim"].database
    api = replace(crowd, app=hasty)
    with patience(database, 0.0):
        told = api.refuse("GET", "/Users?sortBy=emails.value", status=503)
    assert "seconds" in told
    assert api.response.headers["Retry-After"] == "5"
    with patience(database, 30.0):
        assert api.get("/Users?count=1")["totalResults"] == PEOPLE + 1


@contextmanager
def patience(database: Any, seconds: float) -> Iterator[None]:
    """Let the time of every block begin so many seconds before its end."""
    before = database._seconds
    database._seconds = seconds
    yield
    database._seconds = before


def test_write_that_takes_too_long_leaves_nothing(crowd: Api, hasty: Flask) -> None:
    """LIM-03: wherever its time ends, the whole of it is undone."""
    database = hasty.extensions["scim"].database
    api = replace(crowd, app=hasty)
    group = crowd.get("/Groups?attributes=id")["Resources"][0]["id"]
    ids = [f"c{number:05}" for number in range(PEOPLE)]
    body = {"schemas": [PATCH_OP], "Operations": [op("add", "members", [{"value": one} for one in ids])]}
    with crowd.unchanged(f"/Groups/{group}?excludedAttributes=meta.location"):
        for seconds in (0.001, 0.002, 0.004, 0.006, 0.008):
            with patience(database, seconds):
                assert api.send("PATCH", f"/Groups/{group}", body).status_int == 503
            assert orjson.loads(api.response.body)["detail"].endswith(api.response.headers["X-Request-Id"])
            assert api.response.headers["Retry-After"] == "5"
    crowd.patch(f"/Groups/{group}", *body["Operations"], status=204)
    assert crowd.get(f"/Groups/{group}?attributes={GROUP}:members")["members"][0]["value"] == ids[0]


def test_write_does_not_wait_for_another_for_ever(crowd: Api, hasty: Flask) -> None:
    """LIM-03, CON-03: a lock that is not given in time is 503, and the request changes nothing."""
    api = replace(crowd, app=hasty)
    (first,) = crowd.find('userName sw "first"')
    path = f"/Users/{first['id']}"
    before = crowd.get(path)
    with crowd.database.transaction(crowd.account_id):
        execute(sa.update(user).where(user.c.id == first["id"]).values(version=user.c.version))
        for _ in range(2):
            api.refuse("PATCH", path, {"schemas": [PATCH_OP], "Operations": [op("add", "title", "new")]}, status=503)
            assert api.response.headers["Retry-After"] == "5"
    assert crowd.get(path) == before
    assert api.patch(path, op("add", "title", "new"))["title"] == "new"


def test_reads_cost_no_statement_more(crowd: Api, hasty: Flask) -> None:
    """LIM-03: the time is kept by the connection; a request says nothing of it to the database."""
    seen: list[str] = []
    engine = hasty.extensions["scim"].database.engine
    api = replace(crowd, app=hasty)
    api.get("/Users?count=2&sortBy=userName")
    sa.event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    api.get("/Users?count=2&sortBy=userName")
    assert seen
    assert not [one for one in seen if "timeout" in one.lower() or one.startswith("SET")]
