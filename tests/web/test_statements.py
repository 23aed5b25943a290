"""How many SQL statements a request costs: counted where SQLite runs them, so that none is missed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from scim_server.store import accounts, user_logs
from scim_server.store.database import execute
from scim_server.store.tables import approved_domain
from scim_server.store.user_logs import LogEntry
from tests.web.bulk import new_user, statuses
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

    def trace(connection: Any, _record: Any) -> None:
        connection.set_trace_callback(
            lambda text: None if text.startswith(BOOKKEEPING) else seen.append(" ".join(text.split()))
        )

    sa.event.listen(engine, "connect", trace)
    engine.dispose()  # so that the block has new connections, which are traced
    yield seen
    sa.event.remove(engine, "connect", trace)
    engine.dispose()


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


@pytest.mark.parametrize(
    "query", ["count=4", "count=0", "count=4&startIndex=5", "count=4&sortBy=externalId", "cursor=&count=4"]
)
def test_total_of_a_list_without_a_filter_counts_no_rows(app: Flask, api: Api, query: str) -> None:
    for number in range(9):
        api.user(f"u{number}")
        api.group(f"G{number}")
    for path in ("/Users", "/Groups"):
        with statements(app) as seen:
            assert api.get(f"{path}?{query}")["totalResults"] == 9
        assert not [one for one in seen if "count(" in one and "FROM membership" not in one], seen
        (total,) = [one for one in seen if "FROM tally" in one]
        with app.extensions["scim"].database.reading(None) as connection:
            (plan,) = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {total}")]
        assert plan.startswith("SEARCH tally USING"), plan
        assert "(account_id=? AND kind=?)" in plan


def test_total_of_a_search_at_the_root_without_conditions_counts_no_rows(app: Flask, api: Api) -> None:
    for number in range(3):
        api.user(f"u{number}")
    with statements(app) as seen:
        assert api.get("/?count=1")["totalResults"] == 3
    assert len([one for one in seen if "FROM tally" in one]) == 2, seen


def test_page_of_a_walk_costs_what_a_page_by_index_does(app: Flask, api: Api) -> None:
    for number in range(9):
        api.user(f"u{number}", **({"displayName": f"{number}"} if number < 7 else {}))
    for sort, costs in (("", (3, 3, 3)), ("&sortBy=userName", (3, 3, 3)), ("&sortBy=displayName", (3, 4, 3))):
        cursor, found = "", []
        while cursor is not None:
            with statements(app) as seen:
                cursor = api.get(f"/Users?cursor={cursor}&count=4{sort}").get("nextCursor")
            found.append(len(seen))
        assert tuple(found) == costs, seen  # one more where those with a displayName end and the others begin


def test_usual_walk_goes_on_where_its_index_says(app: Flask, api: Api) -> None:
    """CUR-01: nothing before the page is read."""
    for number in range(5):
        api.user(f"u{number}")
    cursor = api.get("/Users?cursor=&count=2")["nextCursor"]
    with statements(app) as seen:
        api.get(f"/Users?cursor={cursor}&count=2")
    (page,) = [one for one in seen if "LIMIT 3" in one]
    with app.extensions["scim"].database.reading(None) as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page}")]
    assert plan[0] == "SEARCH user USING INDEX ix_user_account_id_created_id (account_id=? AND (created,id)>(?,?))"


def test_search_at_the_root_costs_two_statements_per_type_and_one(app: Flask, api: Api) -> None:
    for number in range(5):
        api.group(f"G{number}", api.user(f"u{number}")["id"])
    with statements(app) as seen:
        assert len(api.get("/?filter=id pr&excludedAttributes=members")["Resources"]) == 10
    assert len(seen) == 6, seen


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


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/LicensePools", 4), ("/LicensePools/pro", 4), ("/LicensePools?filter=pending eq 0&sortBy=total", 4),
        ("/Entitlements", 2), ("/Roles", 2), ("/AccountSettings", 1), ("/ApprovedDomains", 3),
        ("/ApprovedDomains?attributes=domainName,status", 2), ("/ApprovedDomains?attributes=id&sortBy=userCount", 3),
        ("/ApprovedDomains?attributes=id&filter=USERCOUNT gt 3", 3), ("/EventRecords?count=100", 2),
        ("/EventRecords?count=5", 3), ("/UserLogEntries?count=100", 2), ("/UserStatistics", 3),
        ("/UserStatistics?count=5", 4), ("/UserStatistics?sortBy=messagesSent&count=2", 3),
    ],
)  # fmt: skip
def test_read_only_lists_cost_the_same_however_much_there_is(app: Flask, api: Api, path: str, cost: int) -> None:
    """The token is one of them; a domain's users are counted only where the number is needed."""
    with api.database.transaction(api.account_id):
        for licence_type in accounts.LICENCE_TYPES:
            accounts.add_licences(api.account_id, licence_type, 3)
        names = [f"d{number}.{api.domain}" for number in range(10)]
        domains = [{"account_id": api.account_id, "name": name, "requested_at": 1} for name in names]
        execute(approved_domain.insert(), domains)
    ids = [api.user(f"u{number}")["id"] for number in range(12)]
    with api.database.transaction(api.account_id):
        entries = [LogEntry(f"m{n}", ids[n % 12], n, "open") for n in range(60)]
        assert user_logs.write(api.account_id, entries) == 60
    with statements(app) as seen:
        assert api.get(path)
    assert len(seen) == cost, seen
    if "attributes=domainName" in path:
        assert not [one for one in seen if "user_name_key" in one]


def test_a_page_of_the_journal_reads_no_more_than_the_page(app: Flask, api: Api) -> None:
    for number in range(30):
        api.user(f"u{number}")
    with statements(app) as seen:
        assert len(api.get("/EventRecords?count=3&startIndex=20")["Resources"]) == 3
    (page,) = [one for one in seen if "FROM journal" in one and "count(*)" not in one]
    assert "LIMIT 3 OFFSET 19" in page


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ('filter=user.value eq "{user}"', "ix_user_log_account_id_user_id_sent_at_id (account_id=? AND user_id=?)"),
        (
            'filter=user.value eq "{user}" and sentAt ge "2026-01-01T00:00:00Z" and sentAt le "2026-02-01T00:00:00Z"',
            "ix_user_log_account_id_user_id_sent_at_id (account_id=? AND user_id=? AND sent_at>? AND sent_at<?)",
        ),
        ("count=2", "ix_user_log_account_id_sent_at_id (account_id=?)"),
        ('filter=sentAt ge "2026-01-01T00:00:00Z"', "ix_user_log_account_id_sent_at_id (account_id=? AND sent_at>?)"),
    ],
)
def test_entries_are_found_by_an_index(app: Flask, api: Api, query: str, index: str) -> None:
    user = api.user()["id"]
    api.write_log(user, 3)
    with statements(app) as seen:
        api.get(f"/UserLogEntries?{query.format(user=user)}")
    (page,) = [one for one in seen if "FROM user_log" in one and "count(*)" not in one]
    with app.extensions["scim"].database.reading(None) as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page}")]
    assert plan[0] == f"SEARCH user_log USING INDEX {index}", plan


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ('target.value eq "{user}"', "target_id_occurred_at_id (account_id=? AND target_id=?)"),
        (
            'target.display eq "ava@x.example" and occurredAt ge "2026-01-01T00:00:00Z"',
            "target_key_occurred_at_id (account_id=? AND target_key=? AND occurred_at>?)",
        ),
        (
            'occurredAt ge "2026-01-01T00:00:00Z" and target.value eq "{user}" and action sw "user."',
            "target_id_occurred_at_id (account_id=? AND target_id=? AND occurred_at>?)",
        ),
        ('occurredAt le "2026-01-01T00:00:00Z"', "occurred_at_id (account_id=? AND occurred_at<?)"),
        ('requestId eq "x"', "request_id (account_id=? AND request_id=?)"),
    ],
)
def test_event_records_are_found_by_an_index(app: Flask, api: Api, condition: str, index: str) -> None:
    user = api.user()["id"]
    with statements(app) as seen:
        api.find(condition.format(user=user), "/EventRecords")
    (page,) = [one for one in seen if "FROM journal" in one and "count(*)" not in one]
    with app.extensions["scim"].database.reading(None) as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page}")]
    assert plan[0] == f"SEARCH journal USING INDEX ix_journal_account_id_{index}", plan


def test_statistics_are_added_up_by_an_index_in_one_statement(app: Flask, api: Api) -> None:
    ids = [api.user(f"u{number}")["id"] for number in range(20)]
    for identifier in ids:
        api.write_log(identifier, 2)
    with statements(app) as seen:
        assert len(api.get("/UserStatistics?count=100")["Resources"]) == 20
    (sums,) = [one for one in seen if "FROM user_log" in one]
    assert [one for one in seen if "LIMIT 21 OFFSET 0" in one]  # one more than is told, to know that there are too many
    with app.extensions["scim"].database.reading(None) as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sums}")]
    assert (
        "ix_user_log_account_id_user_id_sent_at_id (account_id=? AND user_id=? AND sent_at>? AND sent_at<?)" in plan[0]
    )


def test_operation_of_a_bulk_costs_what_it_costs_alone(app: Flask, api: Api) -> None:
    """The credential is looked up once for all of them."""
    with statements(app) as alone:
        api.user("u0")
    with statements(app) as seen:
        assert statuses(api, *(new_user(api, f"u{number}") for number in range(1, 11))) == [201] * 10
    assert len(seen) <= 1 + 10 * (len(alone) - 1), seen
