"""How PostgreSQL carries out what a request asks, in an account of 100,000 users: by indexes, and with few rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects.postgresql import JSONB

from scim_server.store import accounts, credentials, licences
from scim_server.store.database import Database, execute
from scim_server.store.identifiers import now
from scim_server.store.tables import credential, group, journal, membership, tally, user, user_value

from .conftest import PATCH_OP, Api, op
from .driver import watched

PEOPLE = 100_000
GROUPS = 5000
MODEL = "u000000"
"""What the user is called of which the others are copies."""
LARGE = {"user", "group", "membership", "user_value", "journal", "credential"}
"""The tables that grow with an account."""
ONE = "u050001"
"""The id of a user in the middle; one of the copies that `crowd` makes."""


@dataclass(frozen=True)
class Scan:
    """What one statement did with one table."""

    statement: str
    node: str
    table: str
    rows: int
    """How many rows were looked at, whether they were what was asked or not."""
    heap_rows: int
    """How many of them were read from the table itself: an index alone tells the others."""


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    return make_url("postgresql")


@contextmanager
def scans(database: Database) -> Iterator[list[Scan]]:
    """The scans of all statements of the block: each is explained with its parameters, undone, and run."""
    seen: list[Scan] = []

    def explain(cursor: psycopg.Cursor[Any], query: str, params: Any) -> None:
        if query.lstrip("( ").startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            own = cursor.connection
            with own.transaction(force_rollback=True), psycopg.Cursor(own) as explaining:
                explaining.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", params)
                seen.extend(_scans(query, explaining.fetchone()[0][0]["Plan"]))

    with watched(database.engine, explain):
        yield seen


def _scans(statement: str, node: dict[str, Any]) -> Iterator[Scan]:
    if "Scan" in node["Node Type"] and "Relation Name" in node:
        left_out = [node.get(f"Rows Removed by {by}", 0) for by in ("Filter", "Index Recheck")]
        rows = (node["Actual Rows"] + sum(left_out)) * node["Actual Loops"]
        heap_rows = node["Heap Fetches"] if node["Node Type"] == "Index Only Scan" else rows
        yield Scan(statement, node["Node Type"], node["Relation Name"], int(rows), int(heap_rows))
    for below in node.get("Plans", ()):
        yield from _scans(statement, below)


@pytest.fixture(scope="module")
def crowd(app: Flask) -> Api:
    """An account of many users, all of them in one group, with a journal and tokens as many."""
    api = _account(app)
    model = api.user(MODEL, displayName=f"User {MODEL}", externalId=f"x-{MODEL}", emails=[_mail(MODEL)])["id"]
    everybody = api.group("Everybody")["id"]
    with api.database.transaction(api.account_id) as connection:
        index = connection.scalar(sa.text("SELECT pg_get_indexdef('ix_user_folded'::regclass)"))
        connection.execute(sa.text("DROP INDEX ix_user_folded"))
        _copy(connection, user, PEOPLE, user.c.id == model, model)
        connection.execute(sa.text(str(index)))
        _copy(connection, user_value, PEOPLE, user_value.c.user_id == model, model)
        _copy(connection, journal, PEOPLE, journal.c.target_id == model, model)
        _copy(connection, credential, GROUPS, credential.c.account_id == api.account_id, model)
        joined = sa.select(user.c.account_id, sa.literal(everybody), user.c.id, user.c.created)
        connection.execute(membership.insert().from_select(membership.c.keys(), joined))
        connection.execute(group.update().values(member_count=PEOPLE + 1))
        _copy(connection, group, GROUPS, group.c.id == everybody, everybody)
        for kind, number in (("user", PEOPLE), ("group", GROUPS)):
            connection.execute(tally.update().where(tally.c.kind == kind).values(number=number + 1))
    with api.database.reading(api.account_id) as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE)")
    return api


def _account(app: Flask) -> Api:
    with app.extensions["scim"].database.transaction(None):
        account_id = accounts.create("crowd", {}, now())
        accounts.set_domain(account_id, "crowd.example", "approved", now())
        connection = credentials.connect(account_id, "idp", "default", now())
        token = credentials.issue(account_id, connection.id, "scim.read scim.write scim.logs", now(), None)
    return Api(app, account_id, token, "crowd.example")


def _mail(name: str) -> dict[str, Any]:
    return {"value": f"w-{name}@crowd.example", "type": "work"}


def _copy(connection: sa.Connection, table: sa.Table, copies: int, model: sa.ColumnElement[bool], owner: str) -> None:
    """Copy the model's rows: wherever its id or its number stands in a text, a copy has its own."""
    numbers = sa.func.generate_series(1, copies).table_valued("number").render_derived()
    number = sa.type_coerce(numbers.c.number, sa.Integer)
    new = sa.func.concat("u", sa.func.lpad(sa.cast(number, sa.Text), 6, "0"))

    def renamed(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        text: sa.ColumnElement[Any] = sa.cast(column, sa.Text)
        for name in (owner, MODEL, "Everybody", "everybody"):
            text = sa.func.replace(text, name, new)
        return text

    columns: dict[str, Any] = {}
    for column in table.columns:
        if column.name in ("id", "digest"):
            columns[column.name] = new
        elif column.name == "folded":
            columns[column.name] = sa.cast(renamed(column), JSONB)
        elif column.name in ("created", "modified", "occurred_at"):
            columns[column.name] = column + number
        else:
            columns[column.name] = renamed(column) if isinstance(column.type, sa.Text) else column
    every = sa.select(*columns.values()).select_from(table.join(numbers, sa.true())).where(model)
    connection.execute(table.insert().from_select(list(columns), every))


@pytest.fixture(scope="module")
def everybody(crowd: Api) -> str:
    (found,) = crowd.find('displayName eq "Everybody"', "/Groups", excludedAttributes="members")
    return str(found["id"])


def ask(api: Api, method: str, path: str, *operations: dict[str, Any]) -> tuple[Any, list[Scan]]:
    """The answer to a request, and the scans that it cost."""
    with scans(api.database) as seen:
        if operations:
            answer = api.send(method, path, {"schemas": [PATCH_OP], "Operations": operations})
        else:
            answer = api.send(method, path)
    assert answer.status_int in (200, 204), answer.text[:500]
    assert seen
    return answer, seen


def assert_bounded(seen: list[Scan], rows: int) -> None:
    """No large table is walked, and of all of them no more than so many rows are read."""
    assert not [one for one in seen if one.node == "Seq Scan" and one.table in LARGE]
    assert sum(one.heap_rows for one in seen) <= rows, seen


@pytest.mark.parametrize(
    "path",
    [
        f"/Users/{ONE}",
        '/Users?filter=userName eq "{mail}"',
        f'/Users?filter=externalId eq "x-{ONE}"',
        f'/Users?filter=displayName eq "user {ONE}"',
        f'/Users?filter=emails.value eq "w-{ONE}@crowd.example"',
        f'/Users?filter=emails[type eq "work" and value eq "w-{ONE}@crowd.example"]',
        f'/EventRecords?filter=target.value eq "{ONE}"',
        '/Groups?filter=displayName eq "everybody"%26excludedAttributes=members',
    ],
)
def test_looking_something_up_reads_a_few_rows_by_an_index(crowd: Api, path: str) -> None:
    answer, seen = ask(crowd, "GET", path.format(mail=crowd.mail(ONE)).replace("%26", "&"))
    assert answer.json.get("totalResults", 1) == 1
    assert_bounded(seen, 10)


@pytest.mark.parametrize(
    ("query", "before"),
    [
        ("", 0),
        (f"&startIndex={PEOPLE // 2}", PEOPLE // 2),
        (f"&startIndex={PEOPLE - 200}", PEOPLE),
        ("&cursor=", 0),
    ],
)
def test_page_reads_the_rows_of_the_page(crowd: Api, query: str, before: int) -> None:
    """Each user's groups are looked up with it, and the total is a sum of a few slots.

    What is before a page by number is walked, in the index alone.
    """
    answer, seen = ask(crowd, "GET", f"/Users?count=100{query}")
    assert answer.json["totalResults"] == PEOPLE + 1
    assert_bounded(seen, 420)
    assert sum(one.rows for one in seen) <= before + 420, seen


def test_page_of_groups_without_members_reads_the_rows_of_the_page(crowd: Api) -> None:
    answer, seen = ask(crowd, "GET", "/Groups?count=100&excludedAttributes=members")
    assert answer.json["totalResults"] == GROUPS + 1
    assert_bounded(seen, 120)


def test_page_of_a_walk_reads_the_rows_of_the_page_however_far_it_is(crowd: Api) -> None:
    cursor = crowd.get("/Users?cursor=&count=900&attributes=id")["nextCursor"]
    for _ in range(5):
        cursor = crowd.get(f"/Users?cursor={cursor}&count=900&attributes=id")["nextCursor"]
    _, seen = ask(crowd, "GET", f"/Users?cursor={cursor}&count=100")
    assert_bounded(seen, 420)
    assert sum(one.rows for one in seen) <= 420, seen


def test_patch_of_a_user_reads_a_few_rows_by_an_index(crowd: Api) -> None:
    _, seen = ask(crowd, "PATCH", f"/Users/{ONE}", op("replace", "displayName", "Another"))
    assert_bounded(seen, 20)
    _, seen = ask(crowd, "PATCH", f"/Users/{ONE}", op("replace", "displayName", f"User {ONE}"))
    assert_bounded(seen, 20)


def test_member_of_a_large_group_comes_and_goes_by_an_index(crowd: Api, everybody: str) -> None:
    path = f"/Groups/{everybody}?excludedAttributes=members"
    _, seen = ask(crowd, "PATCH", path, op("remove", f'members[value eq "{ONE}"]'))
    assert_bounded(seen, 20)
    _, seen = ask(crowd, "PATCH", path, op("add", "members", [{"value": ONE}]))
    assert_bounded(seen, 20)


def test_large_group_without_its_members_is_one_row(crowd: Api, everybody: str) -> None:
    _, seen = ask(crowd, "GET", f"/Groups/{everybody}?excludedAttributes=members")
    assert_bounded(seen, 4)  # with the token, its connection and its account


def test_deletion_reads_as_few_rows_after_thousands_that_left_the_same_masked_name(crowd: Api) -> None:
    """R22: what is left of who was deleted begins alike."""
    with crowd.database.transaction(crowd.account_id):
        same = {"target_name": "v***@crowd.example", "target_key": "v***@crowd.example"}
        some = (journal.c.target_id >= "u020000", journal.c.target_id < "u060000")
        execute(journal.update().where(*some).values(same))
    identifier = crowd.user("vera")["id"]
    answer, seen = ask(crowd, "DELETE", f"/Users/{identifier}")
    assert answer.status_int == 204
    told = crowd.find(f'target.value eq "{identifier}" and action eq "user.deleted"', "/EventRecords")
    assert [one["target"]["display"] for one in told] == ["v***@crowd.example"]
    assert_bounded(seen, 30)


def test_large_group_with_its_members_reads_each_of_them_once(crowd: Api, everybody: str) -> None:
    """Each member is a membership and a user; nothing is asked of a table twice."""
    answer, seen = ask(crowd, "GET", f"/Groups/{everybody}")
    assert len(answer.json["members"]) == PEOPLE + 1
    assert sum(one.rows for one in seen) <= 2 * (PEOPLE + 1) + 10, seen


def test_who_waits_for_a_licence_is_found_by_an_index(crowd: Api) -> None:
    with crowd.database.transaction(crowd.account_id):
        accounts.add_licences(crowd.account_id, "pro", 1)
        some = user.c.id.in_([f"u{number:06}" for number in range(1, 51)])
        execute(user.update().where(some).values(licence_pending_type="pro", licence_pending_since=user.c.created))
    with scans(crowd.database) as seen, crowd.database.reading(crowd.account_id):
        pools = accounts.pools(crowd.account_id)
        found = licences.waiting(crowd.account_id, pools["pro"], pools, 1)
    assert [one.id for one in found] == ["u000001"]
    assert_bounded(seen, 60)


@pytest.fixture
def leakproof(crowd: Api) -> Iterator[None]:
    """What a superuser may say once of a database: docs/operations.md."""
    with crowd.database.reading(crowd.account_id) as connection:
        connection.exec_driver_sql("SET ROLE NONE")
        connection.exec_driver_sql("ALTER FUNCTION jsonb_contains(jsonb, jsonb) LEAKPROOF")
        yield
        connection.exec_driver_sql("ALTER FUNCTION jsonb_contains(jsonb, jsonb) NOT LEAKPROOF")
        connection.invalidate()


RARE = f'/Users?filter=emails.display eq "{ONE}"'


def test_lookup_by_a_rare_attribute_walks_the_account_behind_the_lock_on_rows(crowd: Api) -> None:
    _, seen = ask(crowd, "GET", RARE)
    assert max(one.rows for one in seen) > PEOPLE
    assert len([one for one in seen if one.rows > PEOPLE]) == 1


def test_lookup_by_a_rare_attribute_is_by_an_index_where_the_operator_may(crowd: Api, leakproof: None) -> None:
    _, seen = ask(crowd, "GET", RARE)
    assert_bounded(seen, 10)
