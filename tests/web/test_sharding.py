"""Every statement stays within one account, so that the tables can be spread over servers by account."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import sqlglot
from flask import Flask
from sqlglot import exp

from scim_server.store.tables import metadata

from .bulk import new_user, statuses
from .conftest import ENTERPRISE, EXT, GEXT, SEARCH, USER, Api, op

OWNED = {table.name for table in metadata.sorted_tables if "account_id" in table.c}
DIRECTORIES = ("credential.digest =", "approved_domain.status =")
"""What is asked before the account is known: whose a token is, and whose a domain."""


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    return make_url("postgresql")


@contextmanager
def recorded(app: Flask) -> Iterator[set[str]]:
    """The different statements that the application gives the driver within the block."""
    engine = app.extensions["scim"].database.engine
    seen: set[str] = set()

    class Noting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *given: Any, **options: Any) -> Any:
            seen.add(str(query))
            return super().execute(query, *given, **options)

        def executemany(self, query: Any, *given: Any, **options: Any) -> Any:
            seen.add(str(query))
            return super().executemany(query, *given, **options)

    def note(connection: Any, _record: Any) -> None:
        connection.cursor_factory = Noting

    sa.event.listen(engine, "connect", note)
    engine.dispose()
    yield seen
    sa.event.remove(engine, "connect", note)
    engine.dispose()


def unbound(statement: str) -> list[str]:
    """The tables of a statement that it does not hold to an account."""
    tree = sqlglot.parse_one(statement.replace("%%", "%"), read="postgres")
    found = []
    for table in tree.find_all(exp.Table):
        if table.name not in OWNED:
            continue
        if isinstance(tree, exp.Insert) and table.find_ancestor(exp.Select) is None:
            assert "account_id" in [one.name for one in tree.this.expressions]
            continue
        scope = table.find_ancestor(exp.Select, exp.Update, exp.Delete)
        assert scope is not None
        bound = {
            side.table
            for equal in scope.find_all(exp.EQ)
            for side in (equal.left, equal.right)
            if isinstance(side, exp.Column) and side.name == "account_id"
        }
        if table.alias_or_name not in bound:
            found.append(table.name)
    return found


def use(api: Api, other: Api) -> None:
    """Ask a bit of everything."""
    first, second = api.user("first", ext={"licenseType": "pro"}), api.user("second", emails=[{"value": "x@y.example"}])
    boss = {ENTERPRISE: {"manager": {"value": first["id"]}, "department": "Sales"}}
    third = api.user("third", **boss)["id"]
    group = api.group("Sales", first["id"], second["id"], **{GEXT: {"licenseType": "eco"}})["id"]
    path = f"/Users/{second['id']}"
    api.patch(path, op("replace", "title", "x"), op("replace", f"{EXT}:licenseType", "advanced"))
    api.patch(path, op("replace", f"{EXT}:licenseTransferTo", third))
    api.put(path, {**api.get(path), "nickName": "N"})
    api.patch(path, op("replace", "active", False))
    api.patch(
        f"/Groups/{group}",
        op("remove", f'members[value eq "{second["id"]}"]'),
        op("add", "members", [{"value": third}]),
    )
    api.put(f"/Groups/{group}", {"displayName": "Sales 2", "members": [{"value": first["id"]}]})
    conditions = (
        'userName eq "a"', 'emails.value eq "x@y.example"', 'emails[type eq "work" and value co "x"]', "title pr",
        f'groups.value eq "{group}"', f'manager.value eq "{first["id"]}"', f'{EXT}:licenseType eq "pro" or not (active eq true)',
        'meta.created gt "2020-01-01T00:00:00Z"', "roles pr", "entitlements pr",
    )  # fmt: skip
    for condition in conditions:
        api.find(condition)
    for name in ("userName", "emails.value", "name.familyName", "meta.lastModified", "groups.display"):
        api.get(f"/Users?sortBy={name}&startIndex=2&count=1")
        api.get(f"/Users?sortBy={name}&cursor=&count=1")
    cursor = api.get("/Users?cursor=&count=1")["nextCursor"]
    api.get(f"/Users?cursor={cursor}&count=1")
    api.get("/Groups?attributes=members.display")
    api.get(f'/Groups?filter=members.value eq "{first["id"]}"&sortBy=displayName')
    api.post("/.search", {"schemas": [SEARCH], "filter": "meta.created pr", "sortBy": "displayName"}, status=200)
    api.write_log(first["id"], 3)
    lists = (
        "LicensePools",
        "ApprovedDomains",
        "AccountSettings",
        "Roles",
        "Entitlements",
        "EventRecords",
        "UserLogEntries",
    )
    for name in (*lists, "UserStatistics"):
        api.get(f"/{name}?count=2")
    api.get(f'/EventRecords?filter=target.value eq "{first["id"]}"')
    api.get(f"{path}?attributes={EXT}:logEntryCount")
    assert statuses(api, *(new_user(api, f"b{number}") for number in range(3))) == [201] * 3
    api.refuse("POST", "/Users", {"schemas": [USER], "userName": f"x@{other.domain}"}, kind="invalidValue")
    api.delete(f"/Users/{first['id']}")
    api.delete(f"/Groups/{group}")


def test_every_statement_is_held_to_one_account(app: Flask, api: Api, new_account: Callable[..., Api]) -> None:
    """MT-01: on each of its tables, but for the two directories."""
    other = new_account()
    with recorded(app) as seen:
        use(api, other)
    assert len(seen) > 80
    told = [one for one in seen if one.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))]
    loose = {one: tables for one in told if (tables := unbound(one)) and not any(part in one for part in DIRECTORIES)}
    assert loose == {}
