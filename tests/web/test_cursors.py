"""Paging by cursor (RFC 9865): protocol.md 4.17 (CUR-*), MTN-09, MTN-11, CON-11."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_server.store import accounts, credentials, totals
from scim_server.store.database import execute
from scim_server.store.identifiers import now
from scim_server.store.tables import user
from tests.store.rows import add_user
from tests.web.conftest import ENTERPRISE, EXT, LIST, PATCH_OP, SEARCH, Api, op

SORTS: tuple[dict[str, str], ...] = (
    {},
    {"sortBy": "userName"},
    {"sortBy": "displayName"},
    {"sortBy": "displayName", "sortOrder": "descending"},
    {"sortBy": "title"},
    {"sortBy": "title", "sortOrder": "descending"},
    {"sortBy": "active"},
    {"sortBy": "active", "sortOrder": "descending"},
    {"sortBy": "id", "sortOrder": "descending"},
    {"sortBy": "meta.created", "sortOrder": "descending"},
    {"sortBy": "meta.lastModified"},
    {"sortBy": "emails.value"},
    {"sortBy": "groups.display", "sortOrder": "descending"},
    {"sortBy": f"{EXT}:licenseType", "sortOrder": "descending"},
    {"sortBy": f"{EXT}:licenseAssignedAt"},
    {"sortBy": f"{EXT}:logEntryCount", "sortOrder": "descending"},
    {"sortBy": f"{ENTERPRISE}:department"},
    {"sortBy": "meta.resourceType"},
)


def page(api: Api, path: str = "/Users", **query: Any) -> Any:
    return api.get(f"{path}?{urlencode(query)}")


def walk(api: Api, path: str = "/Users", **query: Any) -> Iterator[Any]:
    """The pages of a walk, from an empty cursor to the page that names none."""
    cursor: str | None = ""
    while cursor is not None:
        found = page(api, path, cursor=cursor, **query)
        yield found
        cursor = found.get("nextCursor")


def ids(pages: Any) -> list[str]:
    return [one["id"] for found in pages for one in found["Resources"]]


@pytest.fixture
def people(api: Api) -> list[str]:
    """Nine users, some of them alike, some without a displayName, a title or a licence."""
    created = []
    for number in range(9):
        names = {"displayName": "Éa eb"[number % 5]} if number % 3 else {}
        title = {"title": ["x", "X", "a b", "ü"][number % 4]} if number % 2 else {}
        emails = {"emails": [{"value": api.mail(f"m{(number * 5) % 9}"), "type": "work"}]} if number % 4 else {}
        licence = {"ext": {"licenseType": ["pro", "eco"][number % 2]}} if number % 3 == 1 else {}
        department = {ENTERPRISE: {"department": str(number % 2)}} if number > 4 else {}
        active = {"active": number not in (2, 5)}
        created.append(api.user(f"u{number}", **names, **title, **emails, **licence, **department, **active)["id"])
    api.group("A", *created[2:4])
    api.group("b", created[5])
    api.write_log(created[6])
    return created


def test_first_page_has_no_start_index_and_names_the_next(api: Api, people: list[str]) -> None:
    """CUR-01: RFC 9865 section 2; the cursor is made of unreserved characters."""
    found = page(api, cursor="", count=4)
    assert set(found) == {"schemas", "totalResults", "itemsPerPage", "nextCursor", "Resources"}
    assert (found["schemas"], found["totalResults"], found["itemsPerPage"]) == ([LIST], 9, 4)
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", found["nextCursor"])
    assert found["Resources"] == page(api, count=4)["Resources"]


@pytest.mark.parametrize("sort", SORTS, ids=str)
def test_walk_gives_the_list_in_its_order(api: Api, people: list[str], sort: dict[str, str]) -> None:
    """CUR-01, A-25: ties and missing values included, whatever the size of a page; never an empty page at the end."""
    whole = ids([page(api, **sort)])
    assert sorted(whole) == sorted(people)
    for count in (1, 2, 3, 9, 10):
        pages = list(walk(api, count=count, **sort))
        assert ids(pages) == whole
        assert len(pages) == -(-9 // count)
        assert {one["totalResults"] for one in pages} == {9}
        assert all(one["itemsPerPage"] == len(one["Resources"]) > 0 for one in pages)


def test_cursor_fits_into_a_url_however_long_the_texts_are(api: Api) -> None:
    """CUR-01: what begins alike is ordered by creation."""
    texts = ["é" * 60_000 + "b", "é" * 60_000 + "a", "\U0001f600" * 30_000, "e", "z"]
    made = [api.user(f"u{number}", title=text)["id"] for number, text in enumerate(texts)]
    pages = list(walk(api, count=1, sortBy="title", attributes="id"))
    assert ids(pages) == [made[number] for number in (3, 4, 0, 1, 2)]
    assert max(len(one.get("nextCursor", "")) for one in pages) < 2000


@pytest.mark.parametrize("condition", ["active eq true", 'displayName co "e" or not (title pr)', 'userName eq "x"'])
def test_walk_gives_what_a_filter_finds(api: Api, people: list[str], condition: str) -> None:
    """CUR-01, LST-08."""
    for sort in SORTS[:6]:
        whole = page(api, filter=condition, **sort)
        pages = list(walk(api, filter=condition, count=2, **sort))
        assert ids(pages) == ids([whole])
        assert {one["totalResults"] for one in pages} == {whole["totalResults"]}


@pytest.mark.parametrize("path", ["/Users", "/Groups", "/EventRecords", "/UserLogEntries"])
def test_every_attribute_that_sorts_a_list_sorts_a_walk(api: Api, people: list[str], path: str) -> None:
    """CUR-01, SRT-08: whatever the type of its values, and however the database gives them."""
    endpoint = api.service.catalogue.endpoints[path]
    tried = 0
    for attribute in endpoint.by_urn.values():
        for order in ("ascending", "descending"):
            sort = {"sortBy": attribute.urn, "sortOrder": order}
            response = api.send("GET", f"{path}?{urlencode({'attributes': 'id', **sort})}")
            if response.status_int == 200:
                tried += 1
                assert ids(walk(api, path, count=5, attributes="id", **sort)) == ids([orjson.loads(response.body)])
    assert tried > 20


def test_groups_and_records_are_walked_too(api: Api, people: list[str]) -> None:
    """CUR-01: every list that is kept as rows."""
    for path, query in (
        ("/Groups", {"sortBy": "displayName", "sortOrder": "descending"}),
        ("/Groups", {"sortBy": f"{EXT[:-4]}Group:memberCount"}),
        ("/EventRecords", {}),
        ("/EventRecords", {"sortBy": "target.display"}),
        ("/EventRecords", {"filter": 'action sw "user."', "sortBy": "occurredAt", "sortOrder": "descending"}),
        ("/UserLogEntries", {"sortBy": "lastActivityAt"}),
    ):
        whole = page(api, path, **query)
        assert ids(walk(api, path, count=2, **query)) == ids([whole])


@pytest.mark.parametrize("path", ["/LicensePools", "/Roles", "/ApprovedDomains", "/AccountSettings", "/UserStatistics"])
def test_computed_lists_are_not_walked(api: Api, path: str) -> None:
    assert path in api.refuse("GET", f"{path}?cursor=", kind="invalidValue")


def test_search_is_walked_as_the_list_is(api: Api, people: list[str]) -> None:
    """CUR-02: a cursor goes on by either method."""
    body = {"schemas": [SEARCH], "sortBy": "displayName", "count": 4, "cursor": ""}
    first = api.post("/Users/.search", body, status=200)
    assert first["Resources"] == page(api, sortBy="displayName", count=4)["Resources"]
    second = api.post("/Users/.search", {**body, "cursor": first["nextCursor"]}, status=200)
    third = page(api, sortBy="displayName", cursor=second["nextCursor"])
    assert ids([first, second, third]) == ids([page(api, sortBy="displayName")])
    assert "startIndex" not in second


def test_count_and_projection_may_change_on_the_way(api: Api, people: list[str]) -> None:
    first = page(api, cursor="", count=2)
    rest = page(api, cursor=first["nextCursor"], attributes="id")
    assert ids([first, rest]) == people
    assert set(rest["Resources"][0]) == {"schemas", "id"}
    assert "nextCursor" not in rest


def test_count_is_clamped_and_zero_tells_the_total_alone(api: Api, people: list[str]) -> None:
    """LST-03, LST-13 in a walk."""
    assert ids([page(api, cursor="", count=10**9)]) == people
    none = page(api, cursor="", count=0)
    assert (none["totalResults"], none["itemsPerPage"], none["Resources"]) == (9, 0, [])
    assert "nextCursor" not in none


def test_default_is_paging_by_index(api: Api, people: list[str]) -> None:
    """CUR-06: as announced; a cursor is named only to who asks by one."""
    assert "nextCursor" not in page(api, count=2)
    announced = api.get("/ServiceProviderConfig")["pagination"]
    assert announced == {
        "cursor": True, "index": True, "defaultPaginationMethod": "index", "defaultPageSize": 100, "maxPageSize": 1000,
    }  # fmt: skip


def test_cursor_and_start_index_exclude_each_other(api: Api) -> None:
    """CUR-07."""
    assert "startIndex" in api.refuse("GET", "/Users?cursor=&startIndex=1", kind="invalidValue")
    body = {"schemas": [SEARCH], "cursor": "", "StartIndex": 1}
    assert "startIndex" in api.refuse("POST", "/Users/.search", body, kind="invalidValue")


@pytest.mark.parametrize("count", ["abc", "1.5", "", "-1", "1e3", "9" * 50])
def test_bad_count_in_a_walk_is_invalid_count(api: Api, count: str) -> None:
    """LST-07, RFC 9865 section 2.1."""
    assert "count" in api.refuse("GET", f"/Users?cursor=&count={count}", kind="invalidCount")
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "cursor": "", "count": count}, kind="invalidCount")


@pytest.mark.parametrize("count", [-1, 1.5, True, [], {}])
def test_ill_typed_count_in_a_walk_is_invalid_count(api: Api, count: Any) -> None:
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "cursor": "", "count": count}, kind="invalidCount")


@pytest.mark.parametrize("cursor", [5, [], {"a": 1}, True])
def test_cursor_that_is_no_text_is_refused(api: Api, cursor: Any) -> None:
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "cursor": cursor}, kind="invalidSyntax")


def _encoded(value: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "1", "abc", "0", "-1", " ", "....", "a.b.c.d.e", "é", "\x00", "null", "x" * 9000, "' OR 1=1 --",
        _encoded(["/Users", None, [0, ""]]), _encoded({"offset": 3}),
        f"{_encoded({'alg': 'none'})}..{_encoded([])}.{_encoded([])}.",
        f"{_encoded({'alg': 'dir', 'enc': 'A256GCM'})}..AAAAAAAAAAAAAAAA.{_encoded([])}.AAAAAAAAAAAAAAAAAAAAAA",
        f"{_encoded({'alg': 'dir', 'enc': 'A256GCM', 'zip': 'DEF'})}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
        f"{_encoded({'alg': 'A256KW', 'enc': 'A256GCM'})}.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
        f"{_encoded({'alg': 5})}..A.A.A", f"{_encoded([])}..A.A.A", f"{_encoded({})}..A.A.A",
    ],
    ids=lambda cursor: ascii(cursor[:30]),
)  # fmt: skip
def test_forged_cursor_is_invalid(api: Api, people: list[str], cursor: str) -> None:
    """CUR-03."""
    assert "empty cursor" in api.refuse("GET", f"/Users?{urlencode({'cursor': cursor})}", kind="invalidCursor")
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "cursor": cursor}, kind="invalidCursor")


def test_cursor_changed_in_any_part_is_invalid(api: Api, people: list[str]) -> None:
    """CUR-03: it is sealed as a whole."""
    cursor = page(api, cursor="", count=2)["nextCursor"]
    for place in range(0, len(cursor), 7):
        other = "B" if cursor[place] == "A" else "A"
        changed = cursor[:place] + other + cursor[place + 1 :]
        api.refuse("GET", f"/Users?cursor={changed}", kind="invalidCursor")
    for changed in (cursor[:-4], cursor + "AAAA", cursor[4:], cursor.rpartition(".")[0], f"{cursor}.{cursor}"):
        api.refuse("GET", f"/Users?cursor={changed}", kind="invalidCursor")


def test_cursor_tells_nothing(api: Api, people: list[str]) -> None:
    """CUR-03, RFC 9865 section 5.2: two of one position have no more in common than any two."""
    one, two = (page(api, cursor="", count=2, sortBy="userName")["nextCursor"] for _ in range(2))
    assert one.split(".")[2:] != two.split(".")[2:]
    assert all(len(part) == 0 or part not in two for part in one.split(".")[2:])


def test_cursor_belongs_to_its_query(api: Api, people: list[str]) -> None:
    """CUR-04."""
    api.group("Sales")
    asked = {"filter": "active eq true", "sortBy": "userName"}
    cursor = page(api, cursor="", count=2, **asked)["nextCursor"]
    assert page(api, cursor=cursor, **asked)["Resources"]
    for path, query in (
        ("/Users", {}),
        ("/Users", {"sortBy": "userName"}),
        ("/Users", {"filter": "active eq true"}),
        ("/Users", asked | {"filter": "active eq false"}),
        ("/Users", asked | {"sortBy": "displayName"}),
        ("/Users", asked | {"sortOrder": "descending"}),
        ("/Groups", {}),
        ("/Groups", {"sortBy": "displayName"}),
    ):
        told = api.refuse("GET", f"{path}?{urlencode({'cursor': cursor, **query})}", kind="invalidCursor")
        assert "another query" in told


def test_cursor_belongs_to_its_account_and_token(api: Api, people: list[str], new_account: Callable[..., Api]) -> None:
    """MTN-09, MTN-11."""
    other = new_account()
    for number in range(4):
        other.user(f"o{number}")
    cursor = page(api, cursor="", count=2)["nextCursor"]
    for stranger in (other, api.token_for(profile="strict")):
        told = stranger.refuse("GET", f"/Users?cursor={cursor}", kind="invalidCursor")
        assert not [one for one in people if one in told]
    assert len(page(api, cursor=cursor)["Resources"]) == 7


def test_cursor_of_an_ended_token_opens_nothing(api: Api, people: list[str]) -> None:
    """MTN-09: the credential is asked before the cursor."""
    cursor = page(api, cursor="", count=2)["nextCursor"]
    api.token = "scim_gone"
    api.refuse("GET", f"/Users?cursor={cursor}", status=401)


def test_deletes_and_inserts_while_walking_lose_nothing(api: Api, people: list[str]) -> None:
    """CUR-05, CON-11: even the resource at which the cursor stands may go."""
    first = page(api, cursor="", count=4)
    for gone in (people[0], people[3], people[8]):
        api.delete(f"/Users/{gone}")
    new = [api.user(f"new{number}")["id"] for number in range(2)]
    second = page(api, cursor=first["nextCursor"], count=4)
    third = page(api, cursor=second["nextCursor"])
    assert ids([second, third]) == [*people[4:8], *new]
    assert second["totalResults"] == 8


@pytest.mark.parametrize("sort", [{}, SORTS[2]], ids=str)
def test_walks_meet_everyone_while_others_come_and_go(api: Api, sort: dict[str, str]) -> None:
    """CON-11, CUR-05: real threads create, rename and delete while pages are read; by index no page repeats an id."""
    stable = {api.user(f"s{number}", displayName="bdf"[number % 3])["id"] for number in range(12)}
    done = Event()

    def churn(name: str) -> int:
        own, number = replace(api), 0
        while not done.is_set():
            one = own.user(f"{name}{number}", displayName="ace"[number % 3])["id"]
            own.patch(f"/Users/{one}", op("replace", "displayName", "geca"[number % 4]))
            own.delete(f"/Users/{one}")
            number += 1
        return number

    with ThreadPoolExecutor(2) as threads:
        churning = [threads.submit(churn, name) for name in ("x", "y")]
        try:
            for _ in range(8):
                met = [one for one in ids(walk(api, count=3, **sort)) if one in stable]
                assert sorted(met) == sorted(stable)
                found = ids([page(api, count=10, startIndex=2, **sort)])
                assert len(set(found)) == len(found)
        finally:
            done.set()
    assert all(one.result() for one in churning)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "update"]), st.integers(0, 99), st.sampled_from(["", "b", "M", "é"])
    ),
    max_size=4,
)


@pytest.mark.parametrize("sort", [{}, SORTS[2], SORTS[3], SORTS[5]], ids=str)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(start=st.lists(st.sampled_from(["", "a", "B", "m", "z", "é"]), min_size=3, max_size=12), size=st.integers(1, 4),
       changes=st.lists(CHANGES, min_size=12, max_size=12))  # fmt: skip
def test_whoever_is_left_alone_is_met_exactly_once(
    new_account: Callable[..., Api], sort: dict[str, str], start: list[str], size: int, changes: list[Any]
) -> None:
    """CUR-05, CON-11: whatever is inserted, deleted or moved to another place between two pages."""
    api = new_account()
    users = api.service.catalogue.endpoints["/Users"]
    attribute = sort.get("sortBy", "displayName")

    def put(text: str) -> str:
        return add_user(api.account_id, users, {attribute: text} if text else {})

    with api.database.transaction(api.account_id):
        untouched = {put(text) for text in start}
    everyone, met = list(untouched), []
    for found, round_ in zip(walk(api, count=size, attributes="id", **sort), [*changes, *[[]] * 40], strict=False):
        met += ids([found])
        for kind, number, text in round_:
            if kind == "insert":
                with api.database.transaction(api.account_id):
                    everyone.append(put(text))
            elif everyone:
                one = everyone[number % len(everyone)]
                untouched.discard(one)
                if kind == "delete":
                    everyone.remove(one)
                    api.delete(f"/Users/{one}")
                else:
                    value = op("replace", attribute, text) if text else op("remove", attribute)
                    moved = {"schemas": [PATCH_OP], "Operations": [value]}
                    assert api.send("PATCH", f"/Users/{one}", moved).status_int == 200
    assert "nextCursor" not in found
    assert sorted(one for one in met if one in untouched) == sorted(untouched)


@pytest.fixture(scope="module")
def crowd(app: Flask) -> Api:
    """An account of 20,000 users, half of them without a displayName."""
    database = app.extensions["scim"].database
    users = app.extensions["scim"].catalogue.endpoints["/Users"]
    with database.transaction(None):
        account_id = accounts.create("crowd", {}, now())
        connection = credentials.connect(account_id, "idp", "default", now())
        token = credentials.issue(account_id, connection.id, "scim.read scim.write", now(), None)
        template = add_user(account_id, users, {"displayName": "one"}, "template", created=0)
        row = execute(sa.select(user).where(user.c.account_id == account_id)).mappings().one()
        execute(user.delete().where(user.c.id == template))
        copies = [
            {
                **row,
                "id": f"c{number:05}",
                "user_name_key": f"u{number * 7919 % 20000:05}@x.example",
                "display_name_key": f"n{number // 3:05}" if number % 2 else None,
                "created": number // 2,
                "modified": number * 31 % 20000,
            }
            for number in range(20_000)
        ]
        execute(user.insert(), copies)
        totals.count(account_id, users, len(copies) - 1)
    if database.dialect == "postgresql":
        with database.reading(None) as reading:
            reading.exec_driver_sql('ANALYZE "user"')
    return Api(app, account_id, token, "x.example")


@contextmanager
def pages_read(api: Api) -> Iterator[list[tuple[str, Any]]]:
    """The statements of the block that read users, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "document" in statement:
            seen.append((statement, parameters))

    sa.event.listen(api.database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(api.database.engine, "before_cursor_execute", note)


def plan(api: Api, statement: str, parameters: Any) -> str:
    """How the database carries a statement out."""
    explain = "EXPLAIN QUERY PLAN" if api.database.dialect == "sqlite" else "EXPLAIN"
    with api.database.reading(api.account_id) as connection:
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))


@pytest.mark.parametrize(
    ("sort", "index", "bounds"),
    [
        ({"sortBy": "userName"}, "uq_user_account_id_user_name_key|sqlite_autoindex_user_2", "user_name_key>?"),
        (
            {"sortBy": "userName", "sortOrder": "descending"},
            "uq_user_account_id_user_name_key|sqlite_autoindex_user_2",
            "user_name_key<?",
        ),
        ({"sortBy": "displayName"}, "ix_user_account_id_display_name_key_created_id", "display_name_key>?"),
        (
            {
                "sortBy": "displayName",
                "sortOrder": "descending",
            },  # half of them lack it: either index has them in order
            "ix_user_account_id_display_name_key_created_id|ix_user_account_id_created_id",
            "display_name_key=? AND (created,id)>(?,?)",
        ),
        ({"sortBy": "meta.lastModified"}, "ix_user_account_id_modified_id", "modified>?"),
    ],
    ids=str,
)
def test_deep_page_is_found_by_an_index(crowd: Api, sort: dict[str, str], index: str, bounds: str) -> None:
    """CUR-01: at any depth the page begins where the index says; nothing before it is read."""
    cursor = ""
    for _ in range(8):
        with pages_read(crowd) as seen:
            cursor = page(crowd, cursor=cursor, count=900, attributes="id", **sort)["nextCursor"]
    ((statement, parameters),) = seen
    # SQLAlchemy writes an offset of 0 beside every LIMIT on SQLite.
    assert "OFFSET" not in statement or (crowd.database.dialect == "sqlite" and parameters[-1] == 0)
    told = plan(crowd, statement, parameters)
    assert re.search(index, told), told
    if crowd.database.dialect == "sqlite":
        assert f"(account_id=? AND {bounds}" in told
        assert "SCAN user" not in told
    else:
        assert not re.search(r'Seq Scan on "user"', told)
        condition = next(line for line in told.splitlines() if "Index Cond" in line)
        assert ">" in condition or "<" in condition
        assert not re.search(r"^ *(Limit.*\n *)?->  Sort ", told), told
